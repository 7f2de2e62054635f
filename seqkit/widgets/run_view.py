"""A picture of a run that changes while it goes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import ipywidgets as ipw

from seqkit._show.html import escaped
from seqkit._show.times import time_text
from seqkit.core.durations import DurationsLike
from seqkit.core.failures import ModelLike
from seqkit.core.model import RunEvent, RunRecord, RunStatus
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.explore._opening import let_go, opened, opened_again
from seqkit.explore.live import LiveRun
from seqkit.explore.standing import standing
from seqkit.ledger import LedgerLike, RunLedger, as_ledger
from seqkit.ledger.given import system_clock
from seqkit.ledger.naming import NEWEST, run_called
from seqkit.widgets._beside import Beside
from seqkit.widgets._focus import FocusBar
from seqkit.widgets._follow import Follower
from seqkit.widgets._keys import KeyGuard
from seqkit.widgets._later import Later, call_later
from seqkit.widgets._parts import Html, StatusLine, Throttle, close_all, guarded
from seqkit.widgets._repo_panel import RepoPanel
from seqkit.widgets._stop_button import StopButton
from seqkit.widgets.dag import DagView
from seqkit.widgets.still import Still

__all__ = ["RunView"]

_PAUSE = 0.05  # seconds between two pictures
_ESTIMATE_PAUSE = 0.5  # before the end is estimated anew
_TICK = 1.0  # seconds between two looks at the time
_STAYS = 5.0  # seconds that what was said of a press stays at least where no news comes


class RunView(Still, ipw.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Watch a run: give the view as ``on_event``, and boxes change colour while the cell is still running.

    It works with :func:`seqkit.execute_plan` and :func:`seqkit.run_plan`, from any thread, and never
    disturbs the run: an event that it cannot make sense of is told in its status line. That line says what happened
    last, what runs now and since when, and where `durations` are given when the run will end: that is worked out beside
    the run, a moment after an event, and takes at most a tenth of the time. A second run begins a new picture.

    What cannot start any more because something above it failed says "held" at once. Press a box, and all that the run
    tells of that repo stands above the picture: reason, times, attempts. The button "Stop" asks once; then nothing new
    starts and what runs is asked to stop, as with a Ctrl-C: the run raises :class:`asyncio.CancelledError` where it was
    started, and the view says that it was interrupted. In JupyterLab a press arrives while a cell is running where the
    kernel is an ipykernel of version 7 or later; with an older one, or elsewhere, run the plan in a task of its own.

    To watch a run of another notebook or process, or look at one that has ended, ``RunView.of(ledger)``.

    Parameters
    ----------
    plan : SequencePlan
        What is run.
    durations, model
        How long attempts take and how likely one fails, as in :func:`seqkit.eta`.
    **how
        Where the view is called by something else than the run itself, what the run goes by: policy, failure_budget,
        attempts, max_parallel, priority, min_interval and calendar, as in :func:`seqkit.run_plan`.

    Attributes
    ----------
    live : LiveRun
        What is known of the run.
    dag, progress, status
        The picture, the bar and the line of words.
    stopper, panel
        The button that stops the run, and what is told of the repo that was pressed.

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
        self._follower: Follower | None = None
        self._let_go: Callable[[], None] = _nothing
        self._ticks: Later | None = None
        self._estimated = (0, "")  # which run, and when it will end
        self._stray = ""  # what is wrong with an event
        self._heard_at = self._pressed_at = time.monotonic()
        self._by_ledger = False  # or the run itself calls
        self._turn = threading.RLock()
        self.live = LiveRun(plan, durations, model, **how)
        self._estimates = durations is not None
        self.dag = DagView(plan, label="release run")
        self.dag.on_press(self._pressed)
        self.status = StatusLine()
        n = self.live.n_released
        self.progress = ipw.IntProgress(
            description="Ended",
            max=max(n, 1),
            tooltip="Repos that have succeeded, failed or been skipped",
            layout=ipw.Layout(flex="1 1 200px"),
        )
        self.told = Html(layout=ipw.Layout(min_width="90px"))
        self.time = Html(layout=ipw.Layout(min_width="120px", margin="0 12px"))
        self.stopper = StopButton(self.status.say)
        self.panel = RepoPanel("Press a box to see its reason, times and attempts.")
        self._repo: str | None = None
        self.focus = FocusBar(self.dag, [item.repo_id for item in plan.items], self.status.say, self._pressed)
        top = ipw.HBox(
            [self.progress, self.told, self.time, self.stopper],
            layout=ipw.Layout(flex_flow="row wrap", align_items="center"),
        )
        super().__init__([KeyGuard(), top, self.status, self.panel, self.dag, self.focus])
        self._refresh()

    @classmethod
    def of(
        cls,
        ledger: LedgerLike,
        run_id: str = NEWEST,
        durations: DurationsLike | None = None,
        model: ModelLike = 0.0,
    ) -> RunView:
        """Look at a run of a ledger: one that has ended, or that goes on in another notebook or process.

        Of a run that goes on the ledger is read again, soon after news and at least every ten seconds; it stops where
        it runs, not here.

        Parameters
        ----------
        ledger : RunLedger, path or URL
            Where the run is kept.
        run_id : str
            The run's id, the start of it (four characters or more) or ``"last"``.
        durations, model
            As above.

        Raises
        ------
        RunNotFound, ReadError
            Where there is no such run, or no such ledger.
        ValueError
            Where the run carries no plan, or several have ids that start like that.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
        >>> outcome = run_plan(plan, {"core": 1.0})
        >>> view = RunView.of(outcome.ledger)
        >>> view
        RunView(3 of 3 repos ended: 2 blocked, 1 failed)
        >>> view.close()
        """
        path = ledger if isinstance(ledger, str | os.PathLike) else None
        kept = as_ledger(ledger) if path is None else opened(path)
        try:
            found = run_called(kept, run_id)
            live = LiveRun.of(kept.get_run(found), kept.get_events(found), durations, model)
            view = cls(live.plan, durations, model)
        except BaseException:
            if path is not None:
                let_go(kept)
            raise
        view._attach(live, kept, path)
        return view

    def _attach(self, live: LiveRun, ledger: RunLedger, path: str | os.PathLike[str] | None) -> None:
        self.live, self._by_ledger = live, True
        kept = [ledger]

        def look() -> bool:
            kept[0] = opened_again(path, kept[0])
            return self._catch_up(kept[0])

        def done() -> None:
            if path is not None:
                let_go(kept[0])

        self._let_go = done
        self._refresh()
        if live.status is None:
            if self._estimates:
                self._beside.ask()
            self._follower = Follower(look)
            self._follower.news()
            self._tick()

    def _catch_up(self, ledger: RunLedger) -> bool:
        """Take in what the ledger tells by now; say whether the run goes on."""
        live = self.live
        try:
            new = live.catch_up(ledger.get_run(live.run_id), ledger.get_events(live.run_id))
        except Exception as error:  # it may be locked: look again
            said = f"The ledger cannot be read just now: {type(error).__name__}: {error}"
            self._throttle.run(lambda: self.status.say(said, error=True))
            return True
        if new:
            self._throttle.now()
            if self._estimates and not live.over:
                self._beside.ask()
            if self._follower is not None and live.status is None:
                self._follower.news()
        return live.status is None

    # ------------------------------------------------------------------ a run that calls

    def run_began(self, record: RunRecord, stop: Callable[[], None] | None = None) -> None:
        """Take in that a run begins: as `on_event` it is called so."""
        self.live.run_began(record, stop)
        self._heard_at, self._repo = time.monotonic(), None
        self._stray = ""
        self._throttle.run(self.panel.clear)
        self._throttle.run(lambda: self.stopper.offer(stop))
        self._throttle.now()
        self._tick()

    def run_ended(self, status: RunStatus) -> None:
        """Take in that it has ended, and how."""
        self.live.run_ended(status, self._since_last())
        self._throttle.run(lambda: self.stopper.offer(None))
        self._throttle.now()

    def __call__(self, event: RunEvent) -> None:
        """Take in an event of the run."""
        try:
            self.live(event)
        except Exception as error:  # a picture must not end a release
            self._stray = f"This event says nothing about the plan in the picture: {error}"
            self._throttle.ask()
            return
        self._heard_at = time.monotonic()
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
        """Show how a run of the plan ended; needed only where somebody else than the run calls, and skips are not told.

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
        self._repo = None
        self._throttle.run(self.panel.clear)
        self._throttle.now()

    # ------------------------------------------------------------------ what is shown

    @guarded
    def _pressed(self, repo: str) -> None:
        self._repo, self._pressed_at = repo, time.monotonic()
        self.focus.select(repo)
        self.dag.ringed = [repo]
        told = self.live.told(repo)
        self.panel.show(told)
        self.status.say(told.sentence)

    def _refresh(self) -> None:
        live = self.live
        held = live.held()
        self.dag.words = dict(live.words)
        self.dag.notes = dict.fromkeys(held, "held")
        self.progress.value = live.n_ended
        bad = live.counts["failed"] or live.counts["in_doubt"]
        ended = "warning" if live.interrupted else "danger" if bad else "success"
        self.progress.bar_style = ended if live.over else ""
        self.told.value = f"{live.n_ended} of {live.n_released}" + (f", {len(held)} held back" if held else "")
        self._show_time()
        if self._repo is not None:
            self.panel.show(live.told(self._repo))
        if self._stray:
            self.status.say(self._stray, error=True)
        elif live.over or not (self.stopper.asking or self.stopper.asked):  # or what a press came to stays in sight
            run, estimated = self._estimated
            self.status.say(standing(live, estimated if run == live.run else ""))

    def _show_time(self) -> None:
        time = self._elapsed()
        words = "" if time is None else f"{'took' if self.live.over else 'elapsed:'} {time_text(time)}"
        self.time.value = escaped(words)

    def _elapsed(self) -> timedelta | None:
        """Tell how long the run has taken: by its own clock, and from its last event on by ours."""
        live = self.live
        if live.over or live.began is None:
            return live.elapsed()
        if self._by_ledger:
            return max(live.elapsed() or timedelta(), system_clock() - live.began)
        return live.elapsed(timedelta(seconds=int(time.monotonic() - self._heard_at)))

    def _since_last(self) -> datetime | None:
        """Tell when it is by the run's own clock: that at its last event, and what has passed on ours since then."""
        last = self.live.heard or self.live.began
        return None if last is None else last + timedelta(seconds=time.monotonic() - self._heard_at)

    def _tick(self) -> None:
        """Show the time, and again in a second, until the run has ended."""
        with self._turn:
            if self._ticks is not None:
                self._ticks.cancel()
            self._ticks = None
            if self.comm is None or self.live.status is not None:
                return
            rested = time.monotonic() - self._pressed_at > _STAYS
            self._throttle.run(self._refresh if rested else self._show_time)
            self._ticks = call_later(_TICK, self._tick)

    def _still(self) -> tuple[str, str]:
        return f"Run of {self.live.plan.plan_id}: {self.live.summary()}", self.dag.still()

    def __repr__(self) -> str:
        return f"RunView({self.live.summary()})"

    def close(self) -> None:
        """Remove the view from all pages, and its models from the kernel."""
        self._beside.close()
        self._throttle.close()
        if self._follower is not None:
            self._follower.close()
        close_all([self])
        with self._turn:
            if self._ticks is not None:
                self._ticks.cancel()
        self._let_go()


def _nothing() -> None:
    """Let go of nothing."""
