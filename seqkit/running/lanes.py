"""Several releases under way at once: one task a lane, and one writer that numbers the events.

The tie rule: of everything that ends at one instant, all ends are taken in first, in plan order. Then, with more than
one lane, every item that is decided and held up is passed over, in plan order. Then what may start starts, by
priority, ties in plan order, never more at once than there are lanes. More lanes, shorter releases or fewer
dependencies may make a train longer (Graham 1969, doi:10.1137/0117039), so nothing here assumes otherwise.

A repo that waits to be tried again holds no lane, and queues by its priority once it is due; with a single lane it
keeps it, as a run without lanes does. Once the run is stopping, no attempt starts, a repeated one neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from seqkit.core.arrays import PlanArrays
from seqkit.core.retry import Waits
from seqkit.core.rules import Skip, Start
from seqkit.errors import StorageError
from seqkit.running.asking import Asked
from seqkit.running.calling import reason_of
from seqkit.running.clock import Pace, Wake
from seqkit.running.context import UnderWay, part_of
from seqkit.running.recording import AFTER_STOP, Recording

__all__ = ["PRIORITIES", "Lanes", "Options", "Priority", "ranks_of"]

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
    grace: float = 10.0
    """Seconds that what is under way has to stop where the run breaks off."""

    @property
    def plain(self) -> bool:
        """Whether one repo goes out after the other, as planned and at once."""
        return self.max_parallel == 1 and not self.ranks and not self.min_interval


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


@dataclass(eq=False)
class _Lane:
    """One attempt under way."""

    step: Start
    attempt: int
    under_way: UnderWay
    task: asyncio.Task[None] | None = None
    returned: object = None
    raised: BaseException | None = None


@dataclass(frozen=True, order=True)
class _Waiting:
    """A repo that waits to be tried again."""

    due: float
    position: int


class Lanes:
    """One execution of a plan with several lanes, or with one on a clock that jumps."""

    def __init__(
        self,
        recording: Recording,
        releaser: Asked,
        waits: Waits,
        pace: Pace,
        options: Options,
    ) -> None:
        self._recording, self._rules = recording, recording.rules
        self._releaser, self._waits = releaser, waits
        self._pace, self._options = pace, options
        self._single = options.max_parallel == 1
        self._as_planned = self._single and not options.ranks
        self._steps: dict[int, Start] = {}  # by position, of all that has been entered
        self._began: dict[int, float] = {}  # when its first attempt began
        self._active: dict[int, _Lane] = {}
        self._ended: list[_Lane] = []
        self._ready: list[tuple[float, int, bool]] = []  # rank, position, whether it is tried again; a heap
        self._waiting: list[_Waiting] = []  # a heap
        self._last_start = -math.inf
        self._wake = Wake()

    async def follow(self) -> None:
        """Go through the plan to its end; what is under way is asked to stop where that breaks off."""
        try:
            with self._pace.driven():
                while True:
                    await self._turns()
                    if not (self._active or self._waiting or self._ready):
                        return
                    await self._pace.until(
                        self._wake, self._next_moment(), [mine.under_way for mine in self._active.values()]
                    )
                    self._wake.still()
                    self._ended.sort(key=lambda each: -each.step.position)
                    while self._ended:  # one that cannot be recorded leaves the others to be
                        await self._take_in(self._ended.pop())
        except GeneratorExit:  # awaits no more
            self._ask_to_stop()
            raise
        except BaseException as error:
            await self._break_off(error)
            raise

    # ------------------------------------------------------------------ who starts

    async def _turns(self) -> None:
        """Pass over what is held up, and start what may start."""
        if self._rules.stopping:
            await self._give_up_waiting()
        if not self._as_planned:
            for skip in self._decided():
                await self._recording.skipped(skip)
        now = self._pace.now()
        while self._waiting and self._waiting[0].due <= now:
            position = heapq.heappop(self._waiting).position
            heapq.heappush(self._ready, (self._rank(position), position, True))
        while self._has_room():
            if self._as_planned and not self._ready:  # a repo that is tried again comes before its turn passes
                step = self._rules.take()
                if step is None:
                    return
                if isinstance(step, Skip):
                    await self._recording.skipped(step)
                    continue
                self._line_up(step)
            if not self._ready:
                return
            if self._pace.now() < self._last_start + self._options.min_interval:
                return
            _, position, again = heapq.heappop(self._ready)
            await self._start(self._steps[position], again)

    def _decided(self) -> Iterator[Skip]:
        """Take all items that are decided: give those that are passed over, and line up the others."""
        if self._rules.stopping:
            for _, position, again in sorted(self._ready, key=lambda entry: entry[1]):
                if not again:
                    self._rules.give_back(self._steps.pop(position).repo_id)
            self._ready = [entry for entry in self._ready if entry[2]]
            heapq.heapify(self._ready)
        while (taken := self._rules.take()) is not None:
            if isinstance(taken, Skip):
                yield taken
            else:
                self._line_up(taken)

    def _line_up(self, step: Start) -> None:
        self._steps[step.position] = step
        heapq.heappush(self._ready, (self._rank(step.position), step.position, False))

    def _rank(self, position: int) -> float:
        return self._options.ranks[position] if self._options.ranks else 0.0

    def _has_room(self) -> bool:
        limit = self._options.max_parallel
        held = len(self._active) + (len(self._waiting) if self._single else 0)
        return limit is None or held < limit

    def _next_moment(self) -> float:
        """Say when something is due even if nothing ends."""
        moments = [self._waiting[0].due] if self._waiting else []
        if self._ready and self._has_room():
            moments.append(self._last_start + self._options.min_interval)
        return min(moments, default=math.inf)

    async def _start(self, step: Start, again: bool) -> None:
        if not again:
            await self._recording.entered(step)
        self._last_start = self._pace.now()
        self._began.setdefault(step.position, self._last_start)
        mine = self._active[step.position] = _Lane(
            step, self._rules.attempt(step.repo_id), UnderWay(self._pace, self._options.grace)
        )
        mine.task = asyncio.create_task(self._release(mine))
        mine.task.add_done_callback(lambda _: self._arrived(mine))

    async def _release(self, mine: _Lane) -> None:
        """Make one attempt; what comes of it is kept for the writer."""
        item = self._rules.plan.items[mine.step.position]
        try:
            with part_of(mine.under_way):
                mine.returned = await self._releaser.release(item, mine.attempt)
        except BaseException as error:  # whatever it is: the writer says what it means
            mine.raised = error
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise

    def _arrived(self, mine: _Lane) -> None:
        self._ended.append(mine)
        self._wake.ring()

    # ------------------------------------------------------------------ what ended

    async def _take_in(self, mine: _Lane) -> None:
        step = mine.step
        del self._active[step.position]
        if mine.raised is None:
            await self._recording.ended(step, mine.returned, AFTER_STOP if self._rules.stopping else None)
            return
        elapsed = self._pace.now() - self._began[step.position]
        wait = await self._recording.attempt_failed(step, mine.raised, self._waits, elapsed)
        if wait is not None:
            heapq.heappush(self._waiting, _Waiting(self._pace.now() + wait, step.position))

    async def _give_up_waiting(self, tell_of_it: bool = True) -> None:
        """Let what waits to be tried again end failed, with its last reason: nothing starts any more."""
        waiting = {each.position for each in self._waiting} | {position for _, position, again in self._ready if again}
        self._waiting = []
        self._ready = [entry for entry in self._ready if not entry[2]]
        heapq.heapify(self._ready)
        for position in sorted(waiting):
            step = self._steps[position]
            reason = self._recording.last_reason(step.repo_id)
            await self._recording.failed(step, reason, AFTER_STOP, tell_of_it)

    # ------------------------------------------------------------------ the end

    def _ask_to_stop(self) -> list[asyncio.Task[None]]:
        tasks = [mine.task for mine in self._active.values() if mine.task is not None and not mine.task.done()]
        for task in tasks:
            task.cancel()
        return tasks

    async def _break_off(self, why: BaseException) -> None:
        """Ask what is under way to stop, give it its grace, and record what came of it all the same.

        What stopped because it was asked to leaves its entry open: nobody knows how far it got.
        """
        pending: set[asyncio.Task[None]] = set(self._ask_to_stop())
        until = asyncio.get_running_loop().time() + self._options.grace
        while pending and (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                _, pending = await asyncio.wait(pending, timeout=left)
            except asyncio.CancelledError:  # once more: at once
                break
        if pending:
            names = sorted(mine.step.repo_id for mine in self._active.values() if mine.task in pending)
            why.add_note(f"still under way, though asked to stop: {', '.join(names[:5])}{' …' * (len(names) > 5)}")
        for position in sorted(self._active):
            mine = self._active[position]
            if mine.task is None or not mine.task.done() or mine.task.cancelled():
                continue
            with _noted(why, f"what came of {mine.step.repo_id!r:.80}"):
                if mine.raised is None:
                    await self._recording.ended(mine.step, mine.returned, AFTER_STOP, tell_of_it=False)
                else:
                    await self._recording.failed(mine.step, reason_of(mine.raised), AFTER_STOP, tell_of_it=False)
        with _noted(why, "that nothing is tried again"):
            await self._give_up_waiting(tell_of_it=False)


@contextlib.contextmanager
def _noted(why: BaseException, what: str) -> Iterator[None]:
    """Let an error that ends a run say what else could not be recorded."""
    try:
        yield
    except BaseException as also:
        why.add_note(f"{what} could not be recorded: {reason_of(also)}")
        if isinstance(why, StorageError) and isinstance(also, StorageError):
            why.events.extend(also.events)
