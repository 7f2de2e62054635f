"""Several releases under way at once: one task a lane, and one writer that numbers the events.

The tie rule: of everything that ends at one instant, all ends are taken in first, in plan order. Then, with more than
one lane, every item that is decided and held up is passed over, in plan order. Then what may start starts, by
priority, ties in plan order, never more at once than there are lanes. More lanes, shorter releases or fewer
dependencies may make a train longer (Graham 1969, doi:10.1137/0117039), so nothing here assumes otherwise.

A repo that waits to be tried again holds no lane, and queues by its priority once it is due; with a single lane it
keeps it, as a run without lanes does. Once the run is stopping, no attempt starts, a repeated one neither.

What goes on though asked to stop keeps its lane, and is not tried again meanwhile. Where nothing else is left, or every
lane is taken so, the run waits for it once more, and then ends without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from numbers import Real
from typing import Any, Literal, get_args

from seqkit._util.secrets import as_given
from seqkit._util.threads import no_thread
from seqkit.core.arrays import PlanArrays
from seqkit.core.calendar import next_open
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Waits
from seqkit.core.rules import Skip, Start
from seqkit.core.unknown import check_names
from seqkit.errors import StorageError
from seqkit.running.asking import Asked
from seqkit.running.attempt import Attempt, Limits, News
from seqkit.running.calling import id_in, no_id, reason_of
from seqkit.running.clock import Pace, Wake
from seqkit.running.context import UnderWay
from seqkit.running.queue import Queue
from seqkit.running.recording import AFTER_STOP, CANCELLATIONS, GIVEN_UP, IN_DOUBT, Recording

__all__ = ["PRIORITIES", "Lanes", "Options", "Priority", "priority_of", "ranks_of"]

_Named = Literal["plan", "most_blocked", "longest_path"]
PRIORITIES = get_args(_Named)
"""The priorities that have a name."""
Priority = _Named | Mapping[str, float]
"""Who starts first of those that may: see :func:`ranks_of`."""


@dataclass(frozen=True)
class Options:
    """How many releases are under way at once, and who goes first."""

    max_parallel: int | None = 1
    """At most so many; None for no limit."""
    ranks: tuple[float, ...] = ()
    """By position: who is first in line, the lowest first; empty for plan order."""
    min_interval: float = 0.0
    """Seconds between the starts of two attempts."""
    limits: Limits = field(default_factory=Limits)
    """How long an attempt may take."""
    freezes: tuple[tuple[datetime, datetime], ...] = ()
    """From when until when nothing starts: apart from each other, ascending."""


def priority_of(
    priority: Any,
    lanes: int | None,
    plan: SequencePlan | None = None,
    named: Sequence[str] = PRIORITIES,
    argument: str = "priority",
) -> Any:  # one of `named`, or a mapping
    """Read a `priority` argument; None is plan order in one lane, and the longest path in more.

    Parameters
    ----------
    priority : str, mapping or None
        What is given.
    lanes : int, optional
        How many releases are under way at once.
    plan : SequencePlan, optional
        Against whose repos the names of a mapping are held.
    named : sequence of str
        What it may be by name.
    argument : str
        What an error calls it.

    Warns
    -----
    UnknownRepo
        Where a mapping names a repo that the plan does not have, and means another.

    Raises
    ------
    TypeError, ValueError
        Where it is none, or names no repo of the plan.
    """
    if priority is None:
        return "plan" if lanes == 1 else "longest_path"
    if isinstance(priority, Mapping):
        for repo, number in priority.items():
            if isinstance(number, bool) or not isinstance(number, Real) or math.isnan(float(number)):
                raise TypeError(f"{argument}[{repo!r:.80}] is {as_given(number, 200)}, expected a number, higher first")
        if plan is not None:
            check_names(plan, f"{argument} names", priority, "it would put nobody first")
        return dict(priority)
    if isinstance(priority, str) and priority in named:
        return priority
    raise ValueError(
        f"{argument} is {as_given(priority, 200)}, expected one of {tuple(named)}, a mapping from repo id to number, "
        "or None"
    )


def ranks_of(priority: Priority, arrays: PlanArrays, seconds: Mapping[str, float] | None = None) -> tuple[float, ...]:
    """Rank the items of a plan, by position; the lowest goes first, ties in plan order.

    ``"plan"``: as they stand. ``"most_blocked"``: by how many repos to release are below, directly or not.
    ``"longest_path"``: by the longest path that remains, the repo's own included, in `seconds` by repo, or where none
    are given in repos to release. A mapping by repo: the higher first, 0 for others.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> arrays = build_plan(RepoDependencyGraph.from_edges([("b", "c")], nodes=["a"]), version="1").arrays
    >>> arrays.ids, ranks_of("longest_path", arrays), ranks_of({"c": 2.0}, arrays)
    (('a', 'b', 'c'), (-1.0, -2.0, -1.0), (-0.0, -0.0, -2.0))
    """
    n = len(arrays.ids)
    if priority == "plan":
        return ()
    if isinstance(priority, Mapping):
        return tuple(-float(priority.get(repo, 0.0)) for repo in arrays.ids)
    if priority == "most_blocked":
        below = [0] * n  # as bits
        for position in range(n - 1, -1, -1):
            for dependent in arrays.dependents[position]:
                below[position] |= below[dependent] | arrays.released[dependent] << dependent
        return tuple(-float(bits.bit_count()) for bits in below)
    longest = [0.0] * n
    for position in range(n - 1, -1, -1):
        repo = arrays.ids[position]
        own = float(arrays.released[position]) * (1.0 if seconds is None else seconds.get(repo, 0.0))
        longest[position] = own + max((longest[other] for other in arrays.dependents[position]), default=0.0)
    return tuple(-length for length in longest)


class Lanes:
    """One execution of a plan, in as many lanes as there are."""

    def __init__(self, recording: Recording, releaser: Asked, waits: Waits, pace: Pace, options: Options) -> None:
        self._recording, self._rules = recording, recording.rules
        self._releaser, self._waits = releaser, waits
        self._pace, self._options = pace, options
        self._single = options.max_parallel == 1
        self._as_planned = self._single and not options.ranks
        self._steps: dict[int, Start] = {}  # by position, of all that has been entered
        self._began: dict[int, float] = {}  # when its first attempt began
        self._active: dict[int, Attempt] = {}  # by position: what holds a lane
        self._ended: list[Attempt] = []  # of these, what has to be looked at
        self._timers: list[tuple[float, int]] = []  # a heap: when to look at which position, even if nothing ends
        self._queue = Queue(options.ranks)
        self._reports: deque[tuple[Start, Mapping[str, Any]]] = deque()
        self._last_start = -math.inf
        self._wake = Wake()

    async def follow(self) -> None:
        """Go through the plan to its end; what is under way is asked to stop where that breaks off."""
        with self._pace.driven():
            try:
                await self._follow()
            except GeneratorExit:  # awaits no more
                for mine in self._active.values():
                    mine.ask_to_stop(self._pace.now())
                raise
            except BaseException as error:
                await self._break_off(error)
                raise

    async def _follow(self) -> None:
        last = math.inf  # when to go on no longer without anything but what is stuck
        while True:
            await self._turns()
            if not (self._active or self._queue):
                return
            if not self._is_stuck():
                last = math.inf
            elif last == math.inf:
                last = self._pace.now() + self._options.limits.grace
            elif self._pace.now() >= last:
                await self._leave_the_stuck()
                return
            await self._pace.until(self._wake, min(self._next_moment(), last))
            await self._look()

    async def _look(self) -> None:
        """Take in whatever has ended or is due."""
        self._wake.still()
        await self._record_reports()
        now = self._pace.now()
        if self._timers and self._timers[0][0] <= now:
            ended = {mine.step.position for mine in self._ended}
            while self._timers and self._timers[0][0] <= now:
                mine = self._active.get(heapq.heappop(self._timers)[1])
                if mine is not None and mine.due <= now and mine.step.position not in ended:
                    ended.add(mine.step.position)
                    self._ended.append(mine)
        if len(self._ended) > 1:
            self._ended.sort(key=lambda each: -each.step.position)
        while self._ended:  # one that cannot be recorded leaves the others to be
            mine = self._ended.pop()
            if (news := mine.advance(now)) is not None:
                if mine.over:
                    del self._active[mine.step.position]
                await self._take_in(mine, news)
                if self._rules.word(mine.step.position) != "in_progress":
                    self._steps.pop(mine.step.position, None)
                    self._began.pop(mine.step.position, None)
            self._look_again(mine)

    async def _record_reports(self) -> None:
        while self._reports:
            await self._recording.process(*self._reports.popleft())

    def _look_again(self, mine: Attempt) -> None:
        if mine.due < math.inf:
            heapq.heappush(self._timers, (mine.due, mine.step.position))

    # ------------------------------------------------------------------ who starts

    async def _turns(self) -> None:
        """Pass over what is held up, and start what may start."""
        if self._rules.stopping:
            await self._give_up_waiting(AFTER_STOP)
        if not self._as_planned:
            for skip in self._decided():
                await self._recording.skipped(skip)
        queue = self._queue
        queue.line_up_due(self._pace.now(), self._active)
        while self._has_room():
            if self._as_planned and not queue.has_ready:  # a repo that is tried again comes before its turn passes
                step = self._rules.take()
                if step is None:
                    return
                if isinstance(step, Skip):
                    await self._recording.skipped(step)
                    continue
                self._line_up(step)
            if not queue.has_ready or self._pace.now() < self._next_start():
                return
            position, again = queue.pop()
            await self._start(self._steps[position], again)

    def _decided(self) -> Iterator[Skip]:
        """Take all items that are decided: give those that are passed over, and line up the others."""
        if self._rules.stopping:
            for position in self._queue.take_back():
                self._rules.give_back(self._steps.pop(position).repo_id)
        while (taken := self._rules.take()) is not None:
            if isinstance(taken, Skip):
                yield taken
            else:
                self._line_up(taken)

    def _line_up(self, step: Start) -> None:
        self._steps[step.position] = step
        self._queue.line_up(step.position)

    def _has_room(self) -> bool:
        limit = self._options.max_parallel
        held = len(self._active) + (self._queue.n_waiting if self._single else 0)
        return limit is None or held < limit

    def _next_start(self) -> float:
        after = self._pace.moment(self._last_start, self._options.min_interval)
        return self._after_freezes(after) if self._options.freezes else after

    def _after_freezes(self, after: float) -> float:
        """Say when a freeze is over that is on at that moment, or now; or when to ask again.

        The clock tells dates, and other clocks than ours may be set meanwhile or go on while a machine sleeps.
        """
        now, date = self._pace.now(), self._recording.now()
        try:
            first = date + timedelta(seconds=max(0.0, after - now))
        except OverflowError:  # there is no such date
            return after
        opens = next_open(self._options.freezes, first)
        if opens == first:
            return after
        return self._pace.moment(now, min((opens - date).total_seconds(), self._pace.patience))

    def _next_moment(self) -> float:
        """Say when something is due even if nothing ends."""
        while self._timers and not self._is_awaited(*self._timers[0]):
            heapq.heappop(self._timers)
        moments = [self._queue.next_due]
        if self._timers:
            moments.append(self._timers[0][0])
        if self._queue.has_ready and self._has_room():
            moments.append(self._next_start())
        return min(moments)

    def _is_awaited(self, due: float, position: int) -> bool:
        mine = self._active.get(position)
        return mine is not None and mine.due == due

    async def _start(self, step: Start, again: bool) -> None:
        if not again:
            await self._recording.entered(step)
        self._last_start = self._pace.now()
        self._began.setdefault(step.position, self._last_start)
        limits = self._options.limits
        under_way = UnderWay(self._pace, limits.grace, lambda facts: self._reported(step, facts))
        item, number = self._rules.plan.items[step.position], self._rules.attempt(step.repo_id)
        mine = self._active[step.position] = Attempt(step, item, number, self._releaser, limits, under_way)
        mine.start(self._last_start, self._arrived)
        self._look_again(mine)

    def _arrived(self, mine: Attempt) -> None:
        self._ended.append(mine)
        self._wake.ring()

    def _reported(self, step: Start, facts: Mapping[str, Any]) -> None:
        self._reports.append((step, facts))
        self._wake.ring()

    # ------------------------------------------------------------------ what ended

    async def _take_in(self, mine: Attempt, news: News) -> None:
        """Record what an attempt came to, and free what waits for it."""
        step = mine.step
        if self._rules.word(step.position) == "failed":
            if not mine.stuck:  # else nothing more is known yet
                await self._late(mine, news)
            return
        after_stop = AFTER_STOP if self._rules.stopping else {}
        if isinstance(news.error, CANCELLATIONS) and not isinstance(news.error, asyncio.CancelledError):
            raise news.error  # the entry stays open: nobody knows how far this release got
        if news.kind == "released":
            self._queue.forget(step.position)
            await self._recording.ended(step, news.returned, {**_confirmed(news), **after_stop})
            return
        if no_thread(news.error):  # a releaser of somebody's own wanted one
            raise RuntimeError(
                f"the releaser of {step.repo_id!r:.80} could not start a thread, and none can be started here; let it "
                "await what it calls, or be a plain function, which is then called in place"
            ) from news.error
        assert news.error is not None  # noqa: S101  # tells mypy: what is not released says why
        if news.kind == "in_doubt":
            self._queue.forget(step.position)
            await self._recording.failed(step, reason_of(news.error), {**IN_DOUBT, **after_stop})
            if news.raises is not None:
                raise news.raises
        elif mine.lingered and news.kind == "failed":  # that it failed has been recorded
            self._recording.settle_doubt(step.repo_id, news.timed_out and not news.checked)
            self._queue.ended(step.position)
        else:
            lingers = news.kind == "lingers"
            unsure = lingers or (news.timed_out and not news.checked)
            elapsed = self._pace.now() - self._began[step.position]
            wait = await self._recording.attempt_failed(step, news.error, self._waits, elapsed, lingers, unsure)
            if wait is not None:
                self._queue.wait(step.position, self._pace.moment(self._pace.now(), wait))

    async def _late(self, mine: Attempt, news: News, tell_of_it: bool = True) -> None:
        """Record what an attempt came to after its repo had failed."""
        what: dict[str, Any]
        if news.kind == "released" and (released_as := id_in(news.returned)) is not None:
            what = {"run_id": released_as, **_confirmed(news)}
        else:
            why = reason_of(news.error or no_id(mine.step.repo_id, news.returned))
            what = {"error": why, **({} if news.checked else IN_DOUBT)}
        await self._recording.late(mine.step, what, tell_of_it)

    async def _give_up_waiting(self, more: Mapping[str, Any], tell_of_it: bool = True) -> None:
        """Let what waits to be tried again end failed, with its last reason: nothing starts any more."""
        for position in self._queue.give_up():
            step = self._steps[position]
            mine = self._active.get(position)
            going_on = {"still_running": True} if mine is not None and mine.goes_on else {}
            reason, doubt = self._recording.last_reason(step.repo_id), self._recording.last_doubt(step.repo_id)
            await self._recording.failed(step, reason, {**doubt, **going_on, **more}, tell_of_it)

    # ------------------------------------------------------------------ the end

    def _is_stuck(self) -> bool:
        """Tell whether only what goes on though asked to stop keeps the run from its end, or takes all lanes."""
        if not self._active or not all(mine.stuck for mine in self._active.values()):
            return False
        return not self._has_room() or not (self._queue.has_ready or self._queue.waits_for_time(self._active))

    async def _leave_the_stuck(self) -> None:
        """End without what goes on though asked to stop."""
        for _, mine in sorted(self._active.items()):
            if mine.put_down() or not self._recording.says_running(mine.step.repo_id):
                continue
            await self._recording.late(mine.step, {"error": "left, as nobody waits for it any more", **IN_DOUBT})
        await self._give_up_waiting(GIVEN_UP)
        await _a_turn()

    async def _break_off(self, why: BaseException) -> None:
        """Ask what is under way to stop, give it its grace, and record what came of it all the same.

        What stopped because it was asked to is in doubt: nobody knows how far it got.
        """
        for mine in self._active.values():
            mine.ask_to_stop(self._pace.now())
        while waited_for := [mine for mine in self._active.values() if not (mine.at_rest or mine.stuck)]:
            now = self._pace.now()
            due = min(mine.due for mine in waited_for)
            if due <= now:
                for mine in waited_for:
                    mine.press_on(now)
                continue
            try:
                self._wake.still()
                for mine in self._active.values():
                    if mine.stuck:  # nobody waits for it any more
                        self._pace.left(mine.under_way)
                await self._pace.until(self._wake, due)
            except asyncio.CancelledError:  # once more: at once
                for mine in waited_for:
                    mine.at_once(self._pace.now())
        with _noted(why, "which processes were started"):
            await self._record_reports()
        await self._record_the_rest(why)

    async def _record_the_rest(self, why: BaseException) -> None:
        going_on = [mine.step.repo_id for _, mine in sorted(self._active.items()) if mine.put_down()]
        if going_on:
            why.add_note(
                f"still under way, though asked to stop: {', '.join(going_on[:5])}{' …' * (len(going_on) > 5)}"
            )
        await _a_turn()
        for _, mine in sorted(self._active.items()):
            with _noted(why, f"what came of {mine.step.repo_id!r:.80}"):
                if (news := mine.left()) is not None:
                    await self._record_left(mine, news)
                elif not isinstance(why, CANCELLATIONS):
                    await self._record_stopped(mine)
        with _noted(why, "that nothing is tried again"):
            await self._give_up_waiting(AFTER_STOP, tell_of_it=False)

    async def _record_left(self, mine: Attempt, news: News) -> None:
        if self._rules.word(mine.step.position) == "failed":
            await self._late(mine, news, tell_of_it=False)
            return
        self._queue.forget(mine.step.position)
        if news.kind == "released":
            found = {**_confirmed(news), **AFTER_STOP}
            await self._recording.ended(mine.step, news.returned, found, tell_of_it=False)
        else:
            assert news.error is not None  # noqa: S101  # tells mypy: what is not released says why
            more = {**IN_DOUBT, **AFTER_STOP} if news.kind == "in_doubt" else AFTER_STOP
            await self._recording.failed(mine.step, reason_of(news.error), more, tell_of_it=False)

    async def _record_stopped(self, mine: Attempt) -> None:
        """Record of what stopped because it was asked to, or did not stop, that nobody knows how far it got.

        A run that is cancelled leaves the entry open, which says so. In one that fails an open entry is a hole.
        """
        if self._rules.word(mine.step.position) == "failed":
            return
        self._queue.forget(mine.step.position)
        more = {"still_running": True} if mine.goes_on else {}
        await self._recording.failed(
            mine.step, mine.stopped_because("the run broke off"), {**IN_DOUBT, **more, **AFTER_STOP}, tell_of_it=False
        )


def _confirmed(news: News) -> dict[str, Any]:
    """Say that a check found it, and why the attempt had failed."""
    if not news.checked:
        return {}
    return {"confirmed": "check"} | ({} if news.error is None else {"error": reason_of(news.error)})


async def _a_turn() -> None:
    """Let what has been put down come to its end, whatever is cancelled meanwhile."""
    turned = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.0, turned.set_result, None)  # later than what is ready now
    for _ in range(3):
        while not turned.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([turned])
        turned = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turned.set_result, None)


@contextlib.contextmanager
def _noted(why: BaseException, what: str) -> Iterator[None]:
    """Let an error that ends a run say what else could not be recorded."""
    try:
        yield
    except BaseException as also:
        why.add_note(f"{what} could not be recorded: {reason_of(also)}")
        if isinstance(why, StorageError) and isinstance(also, StorageError):
            why.events.extend(also.events)
