"""A clock that can wait: time and sleeping come from it alone.

A plain function that tells the time is a clock too; with it a run waits as long as it takes. A :class:`VirtualClock`
jumps: nobody waits for it, and a run that only waits is over at once. What is under way in a run is its *lanes*. Time
stands still while one of them does anything but sleep, such as reading a socket or working in a thread, and jumps to
when the first sleeper wakes as soon as all of them sleep.

>>> import asyncio
>>> clock = VirtualClock()
>>> async def two():
...     async def nap(seconds):
...         await clock.sleep(seconds)
...         return f"{clock():%H:%M:%S}"
...     return await asyncio.gather(nap(3600), nap(60))
>>> asyncio.run(two())
['01:00:00', '00:01:00']
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from seqkit.core.times import seconds_of
from seqkit.ledger.given import Clock, RunClock, clock_of
from seqkit.running.context import under_way

__all__ = ["Pace", "VirtualClock", "Wake", "pace_of", "sleep", "sleep_for_ever"]

_SETTLING = 50  # turns of the loop in which what was woken may fall asleep again


class Wake:
    """A bell: whoever waits for it goes on once it has rung. It stays rung until it is asked again."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[None] | None = None
        self._rung = False

    def ring(self) -> None:
        """Ring it."""
        self._rung = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    @property
    def rung(self) -> bool:
        """Whether it has rung since it was last still."""
        return self._rung

    def still(self) -> None:
        """Stop its ringing."""
        self._rung = False

    async def heard(self) -> None:
        """Wait until it rings."""
        if not self._rung:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None


class Pace:
    """How a run waits: in real time."""

    patience = 60.0
    """Seconds after which the date is asked again where a date is waited for."""

    def now(self) -> float:
        """Tell the seconds since no time in particular."""
        return asyncio.get_running_loop().time()

    def moment(self, start: float, seconds: float) -> float:
        """Tell when some seconds will have passed since a moment."""
        return start + seconds

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)

    async def sleep_for_ever(self) -> None:
        """Sleep until somebody asks to stop."""
        await asyncio.get_running_loop().create_future()

    @contextmanager
    def driven(self) -> Iterator[None]:
        """While a run drives it."""
        yield

    def joined(self, lane: object) -> None:
        """Hear of a lane that is under way from here on."""

    def left(self, lane: object) -> None:
        """Hear of a lane that is under way no more."""

    async def until(self, wake: Wake, when: float) -> None:
        """Wait until `wake` rings, or it is `when`."""
        if when == math.inf:
            await wake.heard()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_at(when, wake.ring)
        try:
            await wake.heard()
        finally:
            timer.cancel()


class _Nap(asyncio.Future[None]):
    """What a sleeper waits for. Cancelled, it tells so at once: its sleeper is awake, and has only not run yet."""

    def __init__(self, cancelled: Callable[[], None]) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._told = cancelled

    def cancel(self, msg: object = None) -> bool:
        """Wake the sleeper up with a cancellation."""
        if not super().cancel(msg):
            return False
        self._told()
        return True


class VirtualClock(Pace):
    """A clock that jumps to when the next sleeper wakes, so that nobody waits.

    Give it as `clock=` to :func:`seqkit.run_plan`, and let releasers sleep by it: :func:`seqkit.delayed` and
    :class:`seqkit.SimulatedReleaser` with `durations` do. Each call tells the time that it is; it moves by nothing but
    sleep. It serves one run at a time.

    Parameters
    ----------
    start : datetime, optional
        What it tells first, an aware datetime; by default midnight of 1 January 2000, UTC.

    Examples
    --------
    >>> clock = VirtualClock()
    >>> clock.elapsed
    datetime.timedelta(0)
    """

    patience = math.inf

    def __init__(self, start: datetime | None = None) -> None:
        self._start = datetime(2000, 1, 1, tzinfo=UTC) if start is None else clock_of(lambda: start)()
        self._now = 0.0  # seconds since
        self._sleepers: list[tuple[float, int, object, _Nap]] = []  # a heap; also those cancelled meanwhile
        self._cancelled = 0  # so many of them
        self._count = 0
        # Kept up to date at each change: asked at every turn, and looking at each lane would take their number squared.
        self._naps: dict[object, int] = {}  # of each lane that sleeps, how many sleep in it
        self._lanes: set[object] = set()
        self._awake: set[object] = set()  # of the lanes
        self._changed = Wake()
        self._driven = False

    def __call__(self) -> datetime:
        """Tell the time."""
        return self._start + timedelta(seconds=self._now)

    def __repr__(self) -> str:
        return f"VirtualClock(at {self().isoformat()})"

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed on it."""
        return timedelta(seconds=self._now)

    def now(self) -> float:
        """Tell the seconds since its start."""
        return self._now

    def moment(self, start: float, seconds: float) -> float:
        """Tell when some seconds will have passed since a moment, to the microsecond.

        So what is to end at one instant does: 0.1 and 0.2 seconds together end with 0.3.
        """
        return round(start + seconds, 6)

    async def sleep(self, seconds: float) -> None:
        """Sleep by this clock.

        Raises
        ------
        TypeError, ValueError
            Where `seconds` is neither a number from 0 nor a timedelta.
        """
        await self._sleep(seconds_of(seconds, "seconds"))

    async def sleep_for_ever(self) -> None:
        """Sleep until somebody asks to stop: the clock goes on meanwhile."""
        await self._sleep(math.inf)

    async def _sleep(self, taken: float) -> None:
        lane = under_way()
        woken = _Nap(lambda: self._roused(lane))
        self._count += 1
        heapq.heappush(self._sleepers, (self.moment(self._now, taken), self._count, lane, woken))
        self._naps[lane] = self._naps.get(lane, 0) + 1
        self._awake.discard(lane)
        self._changed.ring()
        if not self._driven:  # no run tells what else is under way
            jumping = asyncio.get_running_loop().create_task(self._jump_alone(woken))
            woken.add_done_callback(lambda _: jumping.cancel())
        try:
            await woken
        finally:
            woken.cancel()  # where it is closed

    def _roused(self, lane: object) -> None:
        """Take notice that a nap was cancelled; once half of them are, they are cleared away."""
        self._stirs(lane)
        self._cancelled += 1
        if self._cancelled * 2 > len(self._sleepers):
            self._sleepers = [entry for entry in self._sleepers if not entry[3].done()]
            heapq.heapify(self._sleepers)
            self._cancelled = 0

    def _stirs(self, lane: object) -> None:
        naps = self._naps.pop(lane) - 1
        if naps:
            self._naps[lane] = naps
        elif lane in self._lanes:
            self._awake.add(lane)

    def _next(self) -> float:
        """Say when the first sleeper wakes."""
        while self._sleepers and self._sleepers[0][3].done():
            heapq.heappop(self._sleepers)
            self._cancelled -= 1
        return self._sleepers[0][0] if self._sleepers else math.inf

    async def _jump_alone(self, woken: _Nap) -> None:
        for _ in range(_SETTLING):
            await asyncio.sleep(0)
        while not woken.done() and not self._driven and self._jump(math.inf):
            await asyncio.sleep(0)

    @contextmanager
    def driven(self) -> Iterator[None]:
        """While a run drives it, the run says when nothing is under way; of two at once neither could."""
        if self._driven:
            raise ValueError("clock drives another run already, expected one of its own for each run at a time")
        self._driven = True
        try:
            yield
        finally:
            self._driven = False
            self._lanes.clear()
            self._awake.clear()

    def joined(self, lane: object) -> None:
        """Hear of a lane that is under way from here on: time stands still until it sleeps."""
        self._lanes.add(lane)
        if lane not in self._naps:
            self._awake.add(lane)

    def left(self, lane: object) -> None:
        """Hear of a lane that is under way no more."""
        self._lanes.discard(lane)
        self._awake.discard(lane)

    async def until(self, wake: Wake, when: float) -> None:
        """Wait until `wake` rings, or it is `when`; jump while all lanes sleep."""
        turns = 0
        while True:
            resting = not self._awake
            if wake.rung and (resting or turns >= _SETTLING):
                return  # what ends at one instant has ended
            if resting:
                if self._now >= when:
                    return
                if not self._jump(when):
                    raise RuntimeError(
                        "on this VirtualClock no time comes at which anything goes on: all that is under way hangs, "
                        "and nothing asks it to stop; give the run a timeout"
                    )
                turns = 0
            elif turns < _SETTLING:
                turns += 1
                await asyncio.sleep(0)
            else:  # somebody does more than sleep: that takes real time, and where it takes long so does all else
                self._changed.still()
                first = min(self._next(), when)
                if not await _either(wake, self._changed, max(0.0, first - self._now)):
                    self._jump(when)
                    if self._now >= when:
                        return
                turns = 0

    def _jump(self, latest: float) -> bool:
        """Go on to when the first sleeper wakes, or to `latest`, and wake all of that moment; tell whether anybody."""
        first = min(self._next(), latest)
        if first == math.inf:
            return False
        self._now = max(self._now, first)
        while self._next() <= self._now:
            _, _, lane, woken = heapq.heappop(self._sleepers)
            woken.set_result(None)
            self._stirs(lane)
        return True


async def _either(one: Wake, other: Wake, most: float) -> bool:
    """Wait for one of two, at most so many seconds; tell whether one rang."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(wake.heard()) for wake in (one, other)]
    try:
        done, _ = await asyncio.wait(
            tasks, timeout=None if most == math.inf else most, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)
    finally:
        for task in tasks:
            task.cancel()


def pace_of(clock: Clock | None) -> Pace:
    """Say how a run with this clock waits."""
    given = clock.given if isinstance(clock, RunClock) else clock
    return given if isinstance(given, VirtualClock) else Pace()


async def sleep(seconds: float) -> None:
    """Sleep by the clock of the run that this is part of; in real time where there is none."""
    mine = under_way()
    await (Pace() if mine is None else mine.pace).sleep(seconds)


async def sleep_for_ever() -> None:
    """Sleep by the clock of the run that this is part of until somebody asks to stop."""
    mine = under_way()
    await (Pace() if mine is None else mine.pace).sleep_for_ever()
