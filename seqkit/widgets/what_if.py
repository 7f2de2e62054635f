"""Try failures: press a repo, move a rate, and see what is blocked and how likely the rest is released."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from datetime import timedelta
from html import escape
from numbers import Real
from typing import Any

import ipywidgets as ipw
import pandas as pd

from seqkit._util.words import inflected, plural, printable
from seqkit.core.durations import DurationModel, DurationsLike
from seqkit.core.failures import ModelLike
from seqkit.core.model import RunEvent
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy
from seqkit.explore.live import LiveRun
from seqkit.explore.scenario import Scenario
from seqkit.widgets._exact_slider import percent
from seqkit.widgets._focus import FocusBar
from seqkit.widgets._keys import KeyGuard
from seqkit.widgets._notebook import free_name, variable_of
from seqkit.widgets._parts import Hands, Html, StatusLine, Throttle, close_all, guarded, plain
from seqkit.widgets._what_if_controls import MINUTE, Controls
from seqkit.widgets._what_if_html import blast_list, comparison, histogram, percentage
from seqkit.widgets.dag import DagView
from seqkit.widgets.still import Still

__all__ = ["WhatIf"]

_BESIDE = 500  # pixels of a window that the page, the controls and the numbers take
_ROW = {"flex_flow": "row wrap", "align_items": "center"}
_PAUSE = 0.05  # seconds between two pictures of a live run


class WhatIf(Still, ipw.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Make repos fail by pressing them, change rates and rules, and see at once what it comes to.

    Beside each name stands the probability that the repo is released, and its box is the darker the smaller that is.
    Numbers are exact where there are closed forms, else simulated and told with their standard errors; always given
    that the repos pressed fail when they are tried. Where it is known how long releases take, so is when it ends: in
    how many lanes, and whether by a deadline. As ``on_event`` of a run, the picture shows the run until something is
    changed.

    To look changes nothing: choosing a repo shows its rate to the last digit, and only a hand that moves a control
    or types sets anything. "All rates ×" multiplies every rate, those set by hand too; where a control comes
    back, so does the model, bit for bit.

    Parameters
    ----------
    plan : SequencePlan
        What is released.
    model : float, mapping, Series or FailureModel
        How likely one attempt fails.
    policy, failure_budget, attempts, trials, seed, durations, max_parallel, deadline
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
        durations: DurationsLike | None = None,
        max_parallel: int | None = 1,
        deadline: float | timedelta | None = None,
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
            durations=durations,
            max_parallel=max_parallel,
            deadline=deadline,
        )
        self._durations, self._read = durations, self.scenario.durations  # as given, and as read
        self.frame: pd.DataFrame | None = None
        self.code = ""
        self._live = LiveRun(plan)
        self._left = 0  # the run that was in the picture when something was changed
        self._turn = threading.RLock()  # events come in another thread than presses do
        self._hands = Hands()
        self._showing = threading.RLock()
        self.status = StatusLine()
        self.dag = DagView(plan, label="What if these repos fail")
        self.dag.beside, self.dag.rings = _BESIDE, "made to fail"
        self.dag.on_press(self._pressed)
        self.focus = FocusBar(self.dag, plan.released, self.status.say, self._selected)
        self._controls = Controls(self.scenario, self.status.say)
        self._take_controls()
        self.numbers, self.shape, self.blocked, self.source = (Html() for _ in range(4))
        self.shape.layout.margin = "0 0 0 24px"
        super().__init__(
            [
                KeyGuard(),
                ipw.HBox([self.focus, self.rate, self.fails], layout=_ROW),
                *(ipw.HBox(row, layout=_ROW) for row in self._controls.rows),
                ipw.HBox([self.numbers, self.shape], layout=_ROW),
                self.status,
                self.dag,
                self.blocked,
                ipw.HBox([self.show_code, self.save, self.undo], layout=_ROW),
                self.source,
            ]
        )
        self.scenario.on_change(self._refresh)
        self._refresh()
        self.status.say("Press a repo to make it fail")

    def _take_controls(self) -> None:
        made = self._controls
        self.rate, self.fails, self.scale, self.attempts = made.rate, made.fails, made.scale, made.attempts
        self.hard, self.policy, self.budget = made.hard, made.policy, made.budget
        self.lanes, self.minutes, self.slower, self.deadline = made.lanes, made.minutes, made.slower, made.deadline
        self.cause, self.strikes = made.cause, made.strikes
        self.show_code, self.save, self.undo = made.show_code, made.save, made.undo
        self.rate.observe(self._rate_moved, "value")
        self.fails.observe(self._fails_pressed, "value")
        for control, name, read in made.settings:
            control.observe(functools.partial(self._set, name, read), "value")
        self.minutes.observe(self._minutes_typed, "value")
        self.cause.observe(self._cause_chosen, "value")
        self.strikes.observe(self._cause_moved, "value")
        self.show_code.on_click(self._code_pressed)
        self.save.on_click(self._save_pressed)
        self.undo.on_click(lambda _button: self.reset())

    # ------------------------------------------------------------------ what people do

    @guarded
    def _pressed(self, repo: str) -> None:
        fails = self.scenario.toggle(repo)
        self._select(repo)
        self._say_outcome(f"{plain(repo)} {self._fate(repo) if fails else 'is left to chance again'}. ")

    def _fate(self, repo: str) -> str:
        """Say what becomes of a repo that is made to fail: it may never be tried."""
        cause = self.scenario.outcome.words()[self.scenario.plan.position(repo)]
        return "fails" if cause == "failed" else f"is made to fail, but it is {cause} before it is tried"

    @guarded
    def _selected(self, repo: str) -> None:
        self._select(repo)
        self.status.say(f"{plain(repo)} is chosen: set its rate, or make it fail")

    def _select(self, repo: str) -> None:
        self.focus.select(repo)
        self._refresh_chosen()

    @guarded
    def _rate_moved(self, change: Any) -> None:
        if self._hands.off:
            return
        repo = self.focus.repo
        if repo is None:
            self.status.say("Choose a repo to set its rate")
            return
        self.scenario.set_rate(repo, change["new"])
        self._say_outcome(f"{plain(repo)} fails at {percent(change['new'])}. ")

    @guarded
    def _fails_pressed(self, change: Any) -> None:
        repo = self.focus.repo
        if not self._hands.off and repo is not None and change["new"] != (repo in self.scenario.failing):
            self._pressed(repo)

    @guarded
    def _set(self, name: str, read: Callable[[Any], Any] | None, change: Any) -> None:
        if not self._hands.off:
            setattr(self.scenario, name, change["new"] if read is None else read(change["new"]))
            self._say_outcome()

    @guarded
    def _minutes_typed(self, change: Any) -> None:
        if self._hands.off:
            return
        known = self.scenario.durations
        spread = known.sigma if known is not None else 0.0
        takes = change["new"] * MINUTE / (self.scenario.time_scale or 1.0)
        self.scenario.durations = DurationModel(takes, sigma=spread) if takes else None
        self._say_outcome()

    @guarded
    def _cause_chosen(self, change: Any) -> None:
        if not self._hands.off:
            self._refresh()
            self.status.say(f"{plain(change['new'])} is chosen: set how likely it strikes")

    @guarded
    def _cause_moved(self, change: Any) -> None:
        if not self._hands.off:
            self.scenario.set_cause(self.cause.value, change["new"])
            self._say_outcome(f"{plain(self.cause.value)} strikes at {percent(change['new'])}. ")

    @guarded
    def _code_pressed(self, _button: Any) -> None:
        self.code = "" if self.code else self._source()
        self._refresh_code()
        self.status.say("The source is below: it runs as it stands in a cell of this notebook" if self.code else "")

    @guarded
    def _save_pressed(self, _button: Any) -> None:
        self.frame = self.scenario.to_frame()
        self.status.say(f"{len(self.frame)} rows are in {self._called()}")

    def _called(self) -> str:
        """Say where `frame` is, by the variable of the notebook that holds this widget."""
        name = variable_of(self)
        return f"{name}.frame" if name else "the attribute frame of this widget"

    def _source(self) -> str:
        """Write the scenario, by the variables of the notebook that hold what it was made of."""
        scenario = self.scenario
        durations = (
            self._durations if scenario.durations is self._read and not isinstance(self._durations, Real) else None
        )
        return scenario.to_code(
            plan=free_name(scenario.plan), model=free_name(scenario.given), durations=free_name(durations)
        )

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
            self.dag.shades = {}
            self.status.say(f"Run: {live.n_ended} of {live.n_released} ended. {live.last}")

    # ------------------------------------------------------------------ what is shown

    def _refresh(self) -> None:
        with self._showing, self._hands:
            self._show_scenario()

    def _show_scenario(self) -> None:
        scenario = self.scenario
        ids = [item.repo_id for item in scenario.plan.items]
        words = dict(zip(ids, scenario.outcome.words(), strict=True))
        notes = {repo: percentage(p) for repo, p in scenario.p_repo.items()}
        with self._turn, self.dag.hold_sync():
            self._left = self._live.run
            self.dag.words, self.dag.notes, self.dag.ringed = words, notes, sorted(scenario.failing)
            self.dag.shades = {repo: p for repo, p in scenario.p_repo.items() if words[repo] == "succeeded"}
        self._controls.show(scenario)
        self._refresh_chosen()
        self.numbers.value = comparison(scenario)
        self.shape.value = histogram(scenario)
        self.blocked.value = blast_list(scenario)
        if self.code:
            self.code = self._source()
            self._refresh_code()

    def _refresh_chosen(self) -> None:
        repo = self.focus.repo
        with self._showing, self._hands:
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

    def _say_outcome(self, what: str = "") -> None:
        self.status.say(f"{what}If no other repo fails: {self.scenario.outcome.summary()}")

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
