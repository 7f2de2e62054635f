"""A lesson on release order: step through it, see who is ready, break it, be asked, and see lanes fill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import ipywidgets as ipw

from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import POLICIES, Policy
from seqkit.explore._words import told
from seqkit.explore.drawing import MOST_DRAWN
from seqkit.explore.lane_walk import LaneWalk
from seqkit.explore.lesson import Walk
from seqkit.explore.quiz import Quiz
from seqkit.widgets._keys import KeyGuard
from seqkit.widgets._lanes_panel import LanesPanel
from seqkit.widgets._parts import StatusLine, close_all, guarded, plain
from seqkit.widgets._quiz_panel import QuizPanel
from seqkit.widgets._walk_panel import LEFT_ALIGNED, WalkPanel, button, row
from seqkit.widgets.dag import DagView
from seqkit.widgets.still import Still

__all__ = ["Lesson"]


class Lesson(Still, ipw.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Walk through a release one choice at a time, forwards and back, with the reason for each; and a quiz.

    The picture shows who is released, who is ready (outlined, with the place in the queue or, in a plan of some
    of a graph's repos, in plan order) and, beside the other names, how many dependencies are still to
    come: each is drawn, also where others imply it. Pressing a repo goes to the step that takes it.
    Another failing repo or policy starts the walk anew. In the quiz, pressing repos makes the answer. The part on lanes
    has a train of its own: nine jobs that a fourth lane, shorter jobs or fewer dependencies make later.

    Parameters
    ----------
    plan : SequencePlan
        What to walk through.
    fail : str or iterable of str
        Who fails when tried.
    policy : str
        What a failure means for the rest, as in :func:`seqkit.execute_plan`.
    rng : int, numpy.random.Generator or None
        The seed of the quiz's questions.

    Attributes
    ----------
    walk : seqkit.explore.lesson.Walk
        Where the lesson stands.
    quiz : seqkit.explore.quiz.Quiz or None
        The quiz; None where the plan releases nothing.
    dag : DagView
        The picture.
    status : StatusLine
        What went wrong, where something did.

    Raises
    ------
    RepoNotFound
        Where a repo that should fail is not in the plan.
    TypeError, ValueError
        Where an argument is not of its kind.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")])
    >>> lesson = Lesson(build_plan(graph, version="1.0"), fail="api")
    >>> lesson.to(1)
    >>> lesson
    Lesson(step 1 of 3; in line: api, docs)
    >>> lesson.walk.story
    'Step 1 of 3. core was first in line: it needs nothing. That brought api, docs into the queue.'
    >>> lesson.close()
    """

    _beside: Sequence[ipw.Widget] = ()
    """Models that go with the lesson, but not inside it; none yet where making it failed."""

    def __init__(
        self,
        plan: SequencePlan,
        fail: str | Iterable[str] = (),
        policy: Policy = "skip_dependents",
        rng: Seed | None = 0,
    ) -> None:
        self.walk = Walk(plan, fail, policy)
        self._seed = resolve_seed(rng)
        self.quiz = Quiz(plan, policy, self._seed) if plan.released else None
        self.status = StatusLine()
        self.status.layout.min_height = "0"
        self.dag = DagView(plan, label="Release order", implied=True)  # it says how many are to come
        self.dag.on_press(self._pressed)
        self._walking = WalkPanel(self.walk, self._draw)
        self._beside = [self._walking.link]
        self._asking = None if self.quiz is None else QuizPanel(self.quiz, self._draw)
        self._filling = LanesPanel(self._draw)
        panels = [panel for panel in (self._walking, self._asking, self._filling) if panel is not None]
        settings = self._make_settings()
        super().__init__([KeyGuard(), settings, *panels, self.status, self.dag, self._walking.below])
        self.mode = "walk"

    def _make_settings(self) -> ipw.Widget:
        plan, given = self.walk.plan, tuple(sorted(self.walk.fail))
        self._mode = "walk"
        self._switch = button("", "")
        self._switch.disabled = not plan.released
        self._lanes_switch = button("", "")
        choices: list[tuple[str, tuple[str, ...]]] = [("nobody", ())]
        if len(given) > 1 or not set(given) <= set(plan.released):
            choices.append((plain(f"{told(given)} (as given)", 80), given))
        choices += [(plain(repo, 40), (repo,)) for repo in plan.released]
        self._fail = ipw.Dropdown(
            options=choices,
            value=given,
            description="Who fails",
            tooltip="This repo fails when it is tried; the walk starts anew",
            style=LEFT_ALIGNED,
            layout=ipw.Layout(width="250px"),
        )
        self._policy = ipw.Dropdown(
            options=[(f"{name}: {meaning.words}", name) for name, meaning in POLICIES.items()],
            value=self.walk.policy,
            description="After a failure",
            tooltip="The policy: what a failure means for the rest; the walk starts anew",
            style=LEFT_ALIGNED,
            layout=ipw.Layout(width="370px"),
        )
        whole = [] if len(plan.items) > MOST_DRAWN else [("the whole plan", 0)]
        near = [(f"{plural(depth, 'step')} around", depth) for depth in (1, 2, 3)]
        self._excerpt = ipw.Dropdown(
            options=[*whole, *near],
            description="Show",
            tooltip="Draw the whole plan, or only what is near the repo in question",
            style=LEFT_ALIGNED,
            layout=ipw.Layout(width="190px"),
        )
        self._switch.on_click(self._switched)
        self._lanes_switch.on_click(self._to_lanes)
        self._fail.observe(self._restart, "value")
        self._policy.observe(self._restart, "value")
        self._excerpt.observe(self._redraw, "value")
        return row(self._switch, self._lanes_switch, self._fail, self._policy, self._excerpt)

    # ------------------------------------------------------------------ what people do

    def to(self, step: int) -> None:
        """Go to where `step` choices are made.

        Raises
        ------
        TypeError, ValueError
            Where `step` is not a whole number within the walk.
        """
        self._walking.to(step)

    @property
    def mode(self) -> str:
        """What is seen: ``"walk"``, ``"quiz"`` or ``"lanes"``; assign another to switch."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        modes = ("walk", "quiz", "lanes") if self._asking is not None else ("walk", "lanes")
        if mode not in modes:
            raise ValueError(f"mode is {as_given(mode)}, expected one of {modes}")
        self._mode = mode
        self._walking.pause()
        walking, quizzing, in_lanes = (mode == each for each in ("walk", "quiz", "lanes"))
        self._switch.description = "Back to the walk" if quizzing else "Start the quiz"
        self._switch.tooltip = "Step through the release" if quizzing else "Answer questions about the order"
        self._lanes_switch.description = "Back to the walk" if in_lanes else "See lanes"
        self._lanes_switch.tooltip = "Step through the release" if in_lanes else "See how a train fills its lanes"
        for widget in (self._walking, self._walking.below, self._fail):
            _show(widget, walking)
        for widget in (self._policy, self._excerpt, self._switch):
            _show(widget, not in_lanes)
        _show(self._lanes_switch, not quizzing)
        _show(self._filling, in_lanes)
        if self._asking is not None:
            _show(self._asking, quizzing)
        self._draw()

    @property
    def lanes(self) -> LaneWalk:
        """Where the part on lanes stands."""
        return self._filling.walk

    @property
    def _panel(self) -> WalkPanel | QuizPanel | LanesPanel:
        """The panel that is seen."""
        if self._mode == "lanes":
            return self._filling
        return self._asking if self._asking is not None and self._mode == "quiz" else self._walking

    @guarded
    def _pressed(self, repo_id: str) -> None:
        self._panel.press(repo_id)

    @guarded
    def _restart(self, _change: Any) -> None:
        plan, policy = self.walk.plan, self._policy.value
        if self.quiz is not None and self._asking is not None and policy != self.walk.policy:
            before = self.quiz.question
            self.quiz.change_policy(policy)
            if self.quiz.question is not before:
                self._asking.ask(self.quiz)
        self.walk = Walk(plan, self._fail.value, policy)
        self._walking.start(self.walk)

    @guarded
    def _switched(self, _button: object) -> None:
        self.mode = "walk" if self._mode == "quiz" else "quiz"

    @guarded
    def _to_lanes(self, _button: object) -> None:
        self.mode = "walk" if self._mode == "lanes" else "lanes"

    @guarded
    def _redraw(self, _change: Any) -> None:
        self._draw()

    # ------------------------------------------------------------------ showing

    def _draw(self) -> None:
        in_lanes = self._mode == "lanes"
        panel, depth = self._panel, 0 if in_lanes else self._excerpt.value
        with self.dag.hold_sync():
            self.dag.show(self.lanes.plan if in_lanes else self.walk.plan, panel.words)
            self.dag.look(panel.subject if depth else None, depth or 1)
            self.dag.notes, self.dag.ringed = panel.notes, panel.ringed
        self.status.say("")

    def _still(self) -> tuple[str, str]:
        return f"{self!r}. {self._walking.status.text}".removesuffix("."), self.dag.still()

    def __repr__(self) -> str:
        return plain(repr(self.walk).replace("Walk", "Lesson", 1), 250)

    def close(self) -> None:
        """Remove the lesson from all pages, and its models from the kernel."""
        close_all([self, *self._beside])


def _show(widget: ipw.Widget, visible: bool) -> None:
    widget.layout.display = None if visible else "none"
