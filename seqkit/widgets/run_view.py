"""A picture of a run that changes while it goes."""

from __future__ import annotations

from typing import Any

import ipywidgets as ipw

from seqkit._show.palette import STATUS_STYLES
from seqkit.core.durations import DurationsLike
from seqkit.core.failures import ModelLike
from seqkit.core.model import RunEvent
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.explore._words import told as said_of
from seqkit.explore.live import LiveRun
from seqkit.widgets._beside import Beside
from seqkit.widgets._focus import FocusBar
from seqkit.widgets._keys import KeyGuard
from seqkit.widgets._parts import Html, StatusLine, Throttle, close_all
from seqkit.widgets.dag import DagView
from seqkit.widgets.still import Still

__all__ = ["RunView"]

_PAUSE = 0.05  # seconds between two pictures
_ESTIMATE_PAUSE = 0.5  # before the end is estimated anew


class RunView(Still, ipw.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Watch a run: give the view as ``on_event``, and boxes change colour while the cell is still running.

    It works with :func:`seqkit.execute_plan` and :func:`seqkit.run_plan`, from any thread, and never
    disturbs the run: an event that it cannot make sense of is told in its status line. That line says what happened
    last, what runs now and since when, and where `durations` are given when the run will end: that is worked out beside
    the run, a moment after an event, and takes at most a tenth of the time. A second run begins a new picture.

    Parameters
    ----------
    plan : SequencePlan
        What is run.
    durations, model
        How long attempts take and how likely one fails, as in :func:`seqkit.eta`.
    **how
        What of the run no event tells, where it is not at its default: policy, failure_budget, attempts, max_parallel,
        priority, min_interval and calendar, as in :func:`seqkit.run_plan`.

    Attributes
    ----------
    live : LiveRun
        What is known of the run.
    dag, progress, status
        The picture, the bar and the line of words.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> view = RunView(plan)  # in a notebook: display(view)
    >>> run_plan(plan, ScriptedReleaser({"api": "tests are red"}), on_event=view)
    SequenceOutcome(2 succeeded, 1 failed)
    >>> view
    RunView(3 of 3 repos ended: 2 succeeded, 1 failed)
    >>> view.close()
    """

    def __init__(
        self, plan: SequencePlan, durations: DurationsLike | None = None, model: ModelLike = 0.0, **how: Any
    ) -> None:
        self._throttle = Throttle(self._refresh, _PAUSE)  # first: close() comes after a wrong argument too
        self._beside = Beside(self._estimate, _ESTIMATE_PAUSE)
        self._estimated = (0, "")  # which run, and when it will end
        self.live = LiveRun(plan, durations, model, **how)
        self._estimates = durations is not None
        self.dag = DagView(plan, label="release run")
        self.status = StatusLine()
        n = self.live.n_released
        self.progress = ipw.IntProgress(
            description="Ended",
            max=max(n, 1),
            tooltip="Repos that have succeeded, failed or been skipped",
            layout=ipw.Layout(width="100%"),
        )
        self.told = Html(layout=ipw.Layout(min_width="90px"))
        self.focus = FocusBar(self.dag, [item.repo_id for item in plan.items], self.status.say)
        super().__init__([KeyGuard(), ipw.HBox([self.progress, self.told]), self.status, self.dag, self.focus])
        self._refresh()

    def __call__(self, event: RunEvent) -> None:
        """Take in an event of the run."""
        try:
            self.live(event)
        except Exception as error:  # a picture must not end a release
            said = f"This event says nothing about the plan in the picture: {error}"
            self._throttle.run(lambda: self.status.say(said, error=True))
            return
        if self.live.over:
            self._throttle.now()
        else:
            self._throttle.ask()
            if self._estimates:
                self._beside.ask()

    def _estimate(self) -> None:
        run = self.live.run
        try:
            found = self.live.eta()
            told = "" if found is None else f"The end: {found.told}"
        except Exception as error:  # as above
            told = f"When it ends cannot be said: {error}"
        self._estimated = (run, told)
        self._throttle.ask()

    def finish(self, outcome: SequenceOutcome) -> None:
        """Show how a run of the plan ended; needed only where skips are not recorded.

        Raises
        ------
        ValueError
            Where the outcome is of another plan.
        """
        self.live.finish(outcome)
        self._throttle.now()

    def reset(self) -> None:
        """Show the plan before its run."""
        self.live.reset()
        self._throttle.now()

    def _refresh(self) -> None:
        live = self.live
        self.dag.words = dict(live.words)
        self.progress.value = live.n_ended
        bad = live.counts["failed"] or live.counts["in_doubt"]
        self.progress.bar_style = "" if not live.over else "danger" if bad else "success"
        self.told.value = f"{live.n_ended} of {live.n_released}"
        now = live.now()
        then = self._ending() if live.over else f"Running: {now}" if now else ""
        run, estimated = self._estimated
        if estimated and run == live.run and not live.over and live.last:
            then = f"{then}. {estimated}" if then else estimated
        told_last = f"{live.last}. {then}" if live.last and then else live.last or then
        self.status.say(told_last or "Nothing has started yet")

    def _ending(self) -> str:
        ended = {word: self.live.counts[word] for word in ("succeeded", "failed", "in_doubt", "blocked", "stopped")}
        counts = ", ".join(f"{count} {STATUS_STYLES[word].word}" for word, count in ended.items() if count)
        going_on = self.live.still_running
        more = f" Still running: {said_of(going_on)}." if going_on else ""
        return f"The run is over: {counts or 'there was nothing to release'}.{more}"

    def _still(self) -> tuple[str, str]:
        return f"Run of {self.live.plan.plan_id}: {self.live.summary()}", self.dag.still()

    def __repr__(self) -> str:
        return f"RunView({self.live.summary()})"

    def close(self) -> None:
        """Remove the view from all pages, and its models from the kernel."""
        self._beside.close()
        self._throttle.close()
        close_all([self])
