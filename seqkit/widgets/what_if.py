"""Try failures: press a repo, move a rate, and see what is blocked and how likely the rest is released."""

from __future__ import annotations

import threading
from html import escape
from typing import Any

import ipywidgets as ipw
import pandas as pd
from IPython import get_ipython

from seqkit._util.words import inflected, plural, printable
from seqkit.core.failures import ModelLike
from seqkit.core.model import RunEvent
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import POLICIES, Policy
from seqkit.explore.live import LiveRun
from seqkit.explore.scenario import Scenario
from seqkit.explore.settings import MOST_SCALE
from seqkit.widgets._exact_slider import ExactSlider, percent
from seqkit.widgets._focus import FocusBar
from seqkit.widgets._keys import KeyGuard
from seqkit.widgets._parts import Html, StatusLine, Throttle, close_all, guarded, plain
from seqkit.widgets._what_if_html import blast_list, comparison, histogram
from seqkit.widgets.dag import DagView
from seqkit.widgets.still import Still

__all__ = ["WhatIf"]

_MOST_ATTEMPTS = 5  # of the slider; a scenario with more widens it
_RATES = [n / 1000 for n in (*range(10), *range(10, 100, 5), *range(100, 1001, 10))]
"""Marks of the rate's slider: finer where rates are small."""
_SCALES = [n / 10 for n in range(101)]
_PAUSE = 0.05  # seconds between two pictures of a live run


class WhatIf(Still, ipw.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Make repos fail by pressing them, change rates and rules, and see at once what it comes to.

    Beside each name stands the probability that the repo is released. Numbers are exact where there are
    closed forms, else simulated and told with their standard errors; always given that the repos pressed
    fail when they are tried. As ``on_event`` of a run, the picture shows the run until something is changed.

    To look changes nothing: choosing a repo shows its rate to the last digit, and only a hand that moves a control
    or types sets anything. "All rates ×" multiplies every rate, those set by hand too; where a control comes
    back, so does the model, bit for bit.

    Parameters
    ----------
    plan : SequencePlan
        What is released.
    model : float, mapping, Series or FailureModel
        How likely one attempt fails.
    policy, failure_budget, attempts, trials, seed
        As in :class:`seqkit.explore.Scenario`.

    Attributes
    ----------
    scenario : seqkit.explore.Scenario
        What the widget shows; a change made to it from code is shown too.
    dag, focus, status
        The picture, the controls that choose a repo, and the line of words.
    frame : DataFrame or None
        What "Save as DataFrame" has put there; see :meth:`seqkit.explore.Scenario.to_frame`.
    code : str
        The source that "Show as code" shows; empty while it is hidden.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> widget = WhatIf(plan, 0.1)
    >>> widget.dag.press("api")
    >>> widget
    WhatIf(api fails: 2 succeeded, 1 failed; 1.71 of 3 repos expected to be released)
    >>> widget.close()
    """

    def __init__(
        self,
        plan: SequencePlan,
        model: ModelLike = 0.05,
        *,
        policy: Policy = "skip_dependents",
        failure_budget: int | None = None,
        attempts: int = 1,
        trials: int = 16_384,
        seed: int = 0,
    ) -> None:
        self._throttle = Throttle(self._show_run, _PAUSE)  # first: close() comes after a wrong argument too
        self.scenario = Scenario(
            plan,
            model,
            policy=policy,
            failure_budget=failure_budget,
            attempts=attempts,
            trials=trials,
            seed=seed,
        )
        self.frame: pd.DataFrame | None = None
        self.code = ""
        self._live = LiveRun(plan)
        self._left = 0  # the run that was in the picture when something was changed
        self._turn = threading.RLock()  # events come in another thread than presses do
        self._ours = _Ours()
        self._showing = threading.RLock()
        self.status = StatusLine()
        self.dag = DagView(plan, label="What if these repos fail")
        self.dag.on_press(self._pressed)
        self.focus = FocusBar(self.dag, plan.released, self.status.say, self._selected)
        self._controls()
        self.numbers, self.shape, self.blocked, self.source = (Html() for _ in range(4))
        self.shape.layout.margin = "0 0 0 24px"
        super().__init__(
            [
                KeyGuard(),
                ipw.HBox([self.focus, self.rate, self.fails], layout=_row()),
                ipw.HBox([self.scale, self.attempts, self.policy, self.budget], layout=_row()),
                ipw.HBox([self.numbers, self.shape], layout=_row()),
                self.status,
                self.dag,
                self.blocked,
                ipw.HBox([self.show_code, self.save, self.undo], layout=_row()),
                self.source,
            ]
        )
        self.scenario.on_change(self._refresh)
        self._refresh()
        self.status.say("Press a repo to make it fail")

    def _controls(self) -> None:
        scenario, n = self.scenario, len(self.scenario.plan.released)
        self.rate = ExactSlider(
            "fails at",
            "Exact rate in percent",
            _RATES,
            1.0,
            self.status.say,
            in_percent=True,
            disabled=True,
            readout=False,
            tooltip="Failure rate of the chosen repo: the probability that one attempt fails",
            layout=ipw.Layout(width="410px"),
        )
        self.fails = ipw.ToggleButton(
            description="Make it fail",
            disabled=True,
            tooltip="Make the chosen repo fail when it is tried, or no longer",
            layout=ipw.Layout(width="130px"),
        )
        self.scale = ExactSlider(
            "All rates ×",
            "Exact factor",
            _SCALES,
            MOST_SCALE,
            self.status.say,
            value=scenario.scale,
            tooltip="Multiply all failure rates, those set by hand too, up to 100 % each",
            layout=ipw.Layout(width="410px"),
        )
        self.attempts = ipw.IntSlider(
            description="Attempts",
            value=scenario.attempts,
            min=1,
            max=max(_MOST_ATTEMPTS, scenario.attempts),
            tooltip="How often a repo is tried before it counts as failed",
            layout=ipw.Layout(width="230px"),
        )
        self.policy = ipw.Dropdown(
            description="On failure",
            options=[(meaning.words, policy) for policy, meaning in POLICIES.items()],
            value=scenario.policy,
            tooltip="What a failure means for the rest of the run",
            layout=ipw.Layout(width="300px"),
        )
        self.budget = ipw.BoundedIntText(
            description="Failure budget (0: none)",
            value=scenario.failure_budget or 0,
            min=0,
            max=max(n, scenario.failure_budget or 0),
            tooltip="At this failure nothing new starts; 0 for no budget",
            style={"description_width": "initial"},
            layout=ipw.Layout(width="226px", margin="2px 2px 2px 14px"),
        )
        self.show_code = ipw.Button(description="Show as code", tooltip="Show Python that gives the same results")
        self.save = ipw.Button(
            description="Save as DataFrame",
            tooltip="Keep the table of all repos in the attribute frame",
            layout=ipw.Layout(width="160px"),
        )
        self.undo = ipw.Button(description="Reset", tooltip="Go back to the beginning")
        self.rate.observe(self._rate_moved, "value")
        self.fails.observe(self._fails_pressed, "value")
        for control, name in ((self.scale, "scale"), (self.attempts, "attempts"), (self.policy, "policy")):
            control.observe(lambda change, name=name: self._set(name, change["new"]), "value")
        self.budget.observe(lambda change: self._set("failure_budget", change["new"] or None), "value")
        self.show_code.on_click(self._code_pressed)
        self.save.on_click(self._save_pressed)
        self.undo.on_click(lambda _button: self.reset())

    # ------------------------------------------------------------------ what people do

    @guarded
    def _pressed(self, repo: str) -> None:
        fails = self.scenario.toggle(repo)
        self._select(repo)
        self._say_outcome(f"{plain(repo)} {'fails' if fails else 'is left to chance again'}")

    @guarded
    def _selected(self, repo: str) -> None:
        self._select(repo)
        self.status.say(f"{plain(repo)} is chosen: set its rate, or make it fail")

    def _select(self, repo: str) -> None:
        self.focus.select(repo)
        self._refresh_chosen()

    @guarded
    def _rate_moved(self, change: Any) -> None:
        if self._ours.now:
            return
        repo = self.focus.repo
        if repo is None:
            self.status.say("Choose a repo to set its rate")
            return
        self.scenario.set_rate(repo, change["new"])
        self._say_outcome(f"{plain(repo)} fails at {percent(change['new'])}")

    @guarded
    def _fails_pressed(self, change: Any) -> None:
        repo = self.focus.repo
        if not self._ours.now and repo is not None and change["new"] != (repo in self.scenario.failing):
            self._pressed(repo)

    @guarded
    def _set(self, name: str, value: Any) -> None:
        if not self._ours.now:
            setattr(self.scenario, name, value)
            self._say_outcome("")

    @guarded
    def _code_pressed(self, _button: Any) -> None:
        self.code = "" if self.code else self.scenario.to_code(plan="plan")
        self._refresh_code()
        self.status.say("The source is below; plan is the plan of this widget" if self.code else "")

    @guarded
    def _save_pressed(self, _button: Any) -> None:
        self.frame = self.scenario.to_frame()
        self.status.say(f"{len(self.frame)} rows are in {self._called()}")

    def _called(self) -> str:
        """Say where `frame` is, by the variable of the notebook that holds this widget."""
        shell = get_ipython()
        names = [] if shell is None else [name for name, value in shell.user_ns.items() if value is self]
        shown = [name for name in sorted(names) if not name.startswith("_")]
        return f"{shown[0]}.frame" if shown else "the attribute frame of this widget"

    @guarded
    def reset(self) -> None:
        """Go back to what the widget was made with."""
        self.scenario.reset()
        self.focus.clear()
        self._refresh_chosen()
        self.status.say("Back at the beginning: nobody fails by hand")

    # ------------------------------------------------------------------ a run

    def __call__(self, event: RunEvent) -> None:
        """Take in an event of a run: the picture shows the run until something is changed or reset.

        After that it stays as it is until another run begins.
        """
        try:
            self._live(event)
        except Exception as error:  # a picture must not end a release
            said = f"This event says nothing about the plan in the picture: {error}"
            self._throttle.run(lambda: self.status.say(said, error=True))
            return
        if self._live.over:
            self._throttle.now()
        else:
            self._throttle.ask()

    def _show_run(self) -> None:
        live = self._live
        with self._turn:
            if live.run == self._left:
                return
            self.dag.words, self.dag.notes, self.dag.ringed = dict(live.words), {}, []
            self.status.say(f"Run: {live.n_ended} of {live.n_released} ended. {live.last}")

    # ------------------------------------------------------------------ what is shown

    def _refresh(self) -> None:
        with self._showing, self._ours:
            self._show_scenario()

    def _show_scenario(self) -> None:
        scenario = self.scenario
        ids = [item.repo_id for item in scenario.plan.items]
        words = dict(zip(ids, scenario.outcome.words(), strict=True))
        notes = {repo: _percent(p) for repo, p in scenario.p_repo.items()}
        with self._turn, self.dag.hold_sync():
            self._left = self._live.run
            self.dag.words, self.dag.notes, self.dag.ringed = words, notes, sorted(scenario.failing)
        self.attempts.max = max(self.attempts.max, scenario.attempts)
        self.budget.max = max(self.budget.max, scenario.failure_budget or 0)
        self.scale.turn_to(scenario.scale)
        self.attempts.value = scenario.attempts
        self.policy.value, self.budget.value = scenario.policy, scenario.failure_budget or 0
        self._refresh_chosen()
        self.numbers.value = comparison(scenario)
        self.shape.value = histogram(scenario)
        self.blocked.value = blast_list(scenario)
        if self.code:
            self.code = scenario.to_code(plan="plan")
            self._refresh_code()

    def _refresh_chosen(self) -> None:
        repo = self.focus.repo
        with self._showing, self._ours:
            if repo is not None:
                own = self.scenario.model_rate(repo)
                self.rate.turn_to(self.scenario.rate(repo), whose=repo, also=[own])
                self.fails.value = repo in self.scenario.failing
            self.rate.disabled = self.fails.disabled = repo is None
            self.rate.readout = repo is not None

    def _refresh_code(self) -> None:
        code = escape("\n".join(map(printable, self.code.split("\n"))))
        self.source.value = (
            f'<pre class="seqkit-code" tabindex="0" style="max-height:320px;overflow:auto">{code}</pre>' if code else ""
        )

    def _say_outcome(self, what: str) -> None:
        self.status.say(f"{what}{': ' * bool(what)}{self.scenario.outcome.summary()}")

    def _still(self) -> tuple[str, str]:
        return f"What if {self._sentence()}", self.dag.still()

    def _sentence(self) -> str:
        scenario = self.scenario
        failing, n = sorted(scenario.failing), len(scenario.plan.released)
        who = f"{', '.join(plain(repo, 40) for repo in failing[:3])}{' …' * (len(failing) > 3)}" or "nobody"
        return (
            f"{who} {inflected(max(len(failing), 1), 'fails', 'fail')}: {scenario.outcome.summary()}; "
            f"{float(scenario.expected_succeeded):.4g} of {plural(n, 'repo')} expected to be released"
        )

    def __repr__(self) -> str:
        return f"WhatIf({self._sentence()})"

    def close(self) -> None:
        """Remove the widget from all pages, and its models from the kernel."""
        self._throttle.close()
        close_all([self])


class _Ours(threading.local):
    """Whether this thread is showing the scenario: then a control that changes was moved by no hand.

    JupyterLab may bring what hands do in another thread than cells run in.
    """

    depth = 0

    @property
    def now(self) -> bool:
        return self.depth > 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_error: object) -> None:
        self.depth -= 1


def _row() -> ipw.Layout:
    return ipw.Layout(flex_flow="row wrap", align_items="center")


def _percent(p: float) -> str:
    """Write a probability in at most four characters; 0 % and 100 % only where it is so."""
    if p in (0.0, 1.0):
        return f"{p:.0%}"
    return "<1%" if p < 0.01 else ">99%" if p > 0.99 else f"{p:.0%}"
