"""One attempt at a repo: its time-out, how it is asked to stop, and the question whether it is out all the same.

An attempt holds its lane until it has ended. It awaits nothing: whoever drives it calls :meth:`Attempt.advance` when
something of it has ended or is due, and gets a :class:`News` where there is something to record.

Asked to stop, it is cancelled, and once more ("at once") at 9/10 of the grace. ``asyncio.timeout`` would wait for a
releaser that swallows its cancellation, and would then tell nobody: here it *lingers*. That is said, and it keeps its
lane, since whatever it does goes on.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from seqkit.core.model import SequenceItem
from seqkit.core.rules import Start
from seqkit.running.asking import Asked, Patience
from seqkit.running.calling import id_in, reason_of, shown
from seqkit.running.context import UnderWay, be_part_of

__all__ = ["Attempt", "Limits", "News", "TimedOut", "put_down"]

_AT_ONCE = 0.9  # of the grace: then it is asked for the second time
_LEAST = 0.1  # seconds that it has from there


class TimedOut(TimeoutError):
    """What an attempt fails with that took too long."""


@dataclass(frozen=True)
class Limits:
    """How long an attempt may take."""

    timeout: float | None = None
    """Seconds for one attempt, and for one question of a check; None for no limit."""
    grace: float = 10.0
    """Seconds that it has to stop, once it is asked to."""
    check_wait: float = 10.0
    """Seconds after which "it is not out" is believed, where that is still the answer: see :class:`Patience`."""


class News(NamedTuple):
    """What there is to record of an attempt: what it came to, as far as that is known."""

    kind: Literal["released", "failed", "in_doubt", "lingers"]
    """It is out; it failed; it failed and nobody knows whether it is out; it failed and goes on regardless."""
    returned: object = None
    """What the releaser, or the check, returned."""
    error: BaseException | None = None
    """Why it failed."""
    checked: bool = False
    """Whether a check said so: that it is out, or that it is not."""
    timed_out: bool = False
    """Whether it took too long."""
    raises: BaseException | None = None
    """What ends the run once this is recorded."""


class Attempt:
    """One attempt, from its start to the last that becomes known of it."""

    def __init__(
        self, step: Start, item: SequenceItem, number: int, asked: Asked, limits: Limits, under_way: UnderWay
    ) -> None:
        self.step, self.number, self.under_way = step, number, under_way
        self.task: asyncio.Task[None] | None = None
        self.due = math.inf  # when it is to be pressed, or its check asked again
        self.lingered = False  # it has been said that it goes on regardless
        self.stuck = False  # it does so now
        self.failure: BaseException | None = None  # why it failed, while that is being checked
        self.timed_out = False
        self._item, self._asked, self._limits = item, asked, limits
        self._returned: object = None
        self._raised: BaseException | None = None
        self._pressure = 0  # how often it has been asked to stop
        self._asked_at = 0.0
        self._patience: Patience | None = None  # with its check, once that is asked
        self.put_away = False  # nobody waits for it any more
        self._ended_for_good = False
        self._arrived: Callable[[Attempt], None] = lambda _: None

    # ------------------------------------------------------------------ going on

    def start(self, now: float, arrived: Callable[[Attempt], None]) -> None:
        """Begin; `arrived` is called whenever something of it has ended."""
        self._arrived = arrived
        self._go(lambda: self._asked.release(self._item, self.number), now)

    def _go(self, what: Callable[[], Coroutine[Any, Any, object]], now: float) -> None:
        self._pressure, self._returned, self._raised = 0, None, None
        self.due = math.inf if self._limits.timeout is None else now + self._limits.timeout
        self.task = asyncio.get_running_loop().create_task(self._kept(what))
        self.task.add_done_callback(self._done)
        self.under_way.pace.joined(self.under_way)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self.task is None or self.task is task:  # or it has been seen to end already, and its check is under way
            self.under_way.pace.left(self.under_way)
        self._arrived(self)

    async def _kept(self, what: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Keep what comes of it, for whoever records it."""
        be_part_of(self.under_way)  # in the context of this task, which ends with it
        try:
            self._returned = await what()
        except BaseException as error:  # whatever it is: the writer says what it means
            self._raised = error
            if isinstance(error, GeneratorExit):
                raise

    @property
    def at_rest(self) -> bool:
        """Whether nothing of it runs: it waits to ask its check again, or has ended."""
        return self.task is None or self.task.done()

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it, so that its lane is free."""
        return self.at_rest and self.due == math.inf

    def advance(self, now: float) -> News | None:
        """Take in what has ended or is due; give what there is to record."""
        if self.task is not None and self.task.done():
            self._settle(self.task)
            self.task, self.due, self.stuck = None, math.inf, False
            return self._released(now) if self._patience is None else self._checked(self._patience, now)
        if now < self.due:
            return None
        if self.task is None:
            self._ask(now)
            return None
        return self._press(now)

    def _settle(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() and self._raised is None:  # before it had begun
            self._raised = asyncio.CancelledError()

    def _released(self, now: float) -> News | None:
        if self._raised is None:
            return News("released", self._returned)
        if isinstance(self._raised, KeyboardInterrupt | SystemExit):
            return News("failed", error=self._raised, timed_out=self.timed_out)
        self.failure = self._reason(self._raised)
        if not self._asked.checks:
            return News("failed", error=self.failure, timed_out=self.timed_out)
        self._patience = Patience(self._limits.check_wait, now)
        self._ask(now)
        return None

    def _reason(self, raised: BaseException) -> BaseException:
        if not self.timed_out:
            return raised
        error = TimedOut(f"timed out after {self._limits.timeout or 0.0:g} s")
        said = "" if isinstance(raised, asyncio.CancelledError) and not raised.args else f": {reason_of(raised)}"
        return TimedOut(f"{error}{said}")

    # ------------------------------------------------------------------ asking whether it is out

    def _ask(self, now: float) -> None:
        self._go(lambda: self._asked.check(self._item), now)

    @property
    def _checking(self) -> bool:
        return self._patience is not None

    def _checked(self, patience: Patience, now: float) -> News | None:
        """Take in what a check said."""
        if self._raised is not None:
            return self._unknown(reason_of(self._raised), self._raised)
        if self._returned is None:
            if (pause := patience.pause(now)) is None:
                return News("failed", error=self.failure, checked=True, timed_out=self.timed_out)
            self.due = now + pause
            return None
        if not id_in(self._returned):
            what = f"the check returned {shown(self._returned)} for repo {self.step.repo_id!r:.80}"
            error = TypeError(f"{what}, expected an id as a str (it is out) or None (it is not)")
            return self._unknown(reason_of(error), error)
        return News("released", self._returned, self.failure, checked=True)

    def _unknown(self, why: str, raised: BaseException) -> News:
        assert self.failure is not None  # noqa: S101  # tells mypy: a check follows a failure
        ends_the_run = (isinstance(raised, TypeError) and self._raised is None) or not isinstance(raised, Exception)
        error = _Unsure(f"{reason_of(self.failure)} (whether it is out is not known: {why})")
        raises = raised if ends_the_run and not isinstance(raised, asyncio.CancelledError) else None
        return News("in_doubt", error=error, timed_out=self.timed_out, raises=raises)

    # ------------------------------------------------------------------ asking to stop

    def ask_to_stop(self, now: float) -> None:
        """Ask it to stop, as the run breaks off; where that has been asked before, nothing changes."""
        if self._pressure == 0 and not self.at_rest:
            self._press(now, for_time=False)

    def press_on(self, now: float) -> None:
        """Ask it once more, where that is due."""
        if now >= self.due and not self.at_rest:
            self._press(now, for_time=False)

    def at_once(self, now: float) -> None:
        """Ask it to stop at once."""
        while self._pressure < 2 and not self.at_rest:
            self._press(now, for_time=False)
        self.due = min(self.due, now + _LEAST)

    def _press(self, now: float, for_time: bool = True) -> News | None:
        assert self.task is not None  # noqa: S101  # tells mypy
        grace = self._limits.grace
        self._pressure += 1
        if self._pressure == 1:
            self._asked_at = now
            self.timed_out = self.timed_out or (for_time and not self._checking)
            self.due = now + _AT_ONCE * grace
            self.task.cancel()
        elif self._pressure == 2:
            self.due = max(self._asked_at + grace, now + _LEAST)
            self.task.cancel()
        else:
            self.lingered, self.stuck, self.due = True, True, math.inf
            if self._checking:
                return self._unknown(f"the check did not answer within {self._limits.timeout or 0.0:g} s", TimedOut())
            return News("lingers", error=self._reason(asyncio.CancelledError()), timed_out=self.timed_out)
        return None

    # ------------------------------------------------------------------ the end

    def left(self) -> News | None:
        """Say what it came to where the run broke off and nothing is asked any more; None where nobody knows."""
        if self.stuck or self.put_away or not self.at_rest:
            return None
        if self.task is not None:
            self._settle(self.task)
        if self._checking:
            answered = self.task is not None and self._raised is None and bool(id_in(self._returned))
            return News("released" if answered else "in_doubt", self._returned, self.failure, checked=answered)
        if self._raised is None:
            return News("released", self._returned)
        if isinstance(self._raised, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit) and not self.timed_out:
            return None  # it stopped because it was asked to: nobody knows how far it got
        unsure = self.timed_out or self._asked.checks
        return News("in_doubt" if unsure else "failed", error=self._reason(self._raised))

    def stopped_because(self, why: str) -> str:
        """Say as a reason that it was asked to stop, and what it said then."""
        raised = self._raised
        if raised is None or (isinstance(raised, asyncio.CancelledError | GeneratorExit) and not raised.args):
            return f"asked to stop, as {why}"
        return f"asked to stop, as {why}: {reason_of(raised)}"

    def put_down(self) -> bool:
        """Leave it, as nobody waits any more; tell whether it goes on regardless."""
        if self.task is not None and not self.task.done():
            self.put_away = True
            self._ended_for_good = put_down(self.task)
        return self.goes_on

    @property
    def goes_on(self) -> bool:
        """Whether something of it runs that nobody can stop."""
        return not (self.at_rest or self._ended_for_good) or any(one.is_alive() for one in self.under_way.threads)


class _Unsure(Exception):
    """Why an attempt failed of which nobody knows whether it is out."""


def put_down(task: asyncio.Task[Any]) -> bool:
    """End a task that goes on though asked to stop: its coroutine is closed; tell whether that ended it."""
    coroutine = task.get_coro()
    try:
        coroutine.close()
    except BaseException:  # it awaits something once more: nothing ends it
        return False
    task.cancel()  # wakes it up, to find that its coroutine has ended
    task.add_done_callback(_seen)
    return True


def _seen(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
