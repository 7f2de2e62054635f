"""What a ledger is given, and a run: where ids come from, and a clock. Both are other people's code."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

from seqkit._util.secrets import as_given
from seqkit.core.times import moment_of
from seqkit.errors import StorageError

__all__ = ["Clock", "Ids", "RunClock", "clock_of", "end_of", "id_source", "system_clock", "told_by"]

_T = TypeVar("_T")

Clock = Callable[[], datetime]
"""Tells the time: an aware datetime."""

Ids = Callable[[], str] | Iterable[str]
"""Where run ids come from: a function, or an iterable that is used up."""


_told_by: ContextVar[Clock | None] = ContextVar("seqkit_told_by", default=None)


def system_clock() -> datetime:
    """Tell the time of the system's clock in UTC; in a block of :func:`told_by`, what that clock tells."""
    clock = _told_by.get()
    return datetime.now(UTC) if clock is None else clock()


@contextmanager
def told_by(clock: Clock | None) -> Iterator[None]:
    """Let ledgers that have no clock of their own go by this one, as in a run on a clock that jumps; None for none."""
    token = _told_by.set(clock)
    try:
        yield
    finally:
        _told_by.reset(token)


def clock_of(clock: Clock | None) -> Clock:
    """Read a `clock` argument: the system's where there is none; what another tells is checked each time.

    Raises
    ------
    TypeError
        Where it cannot be called.

    Examples
    --------
    >>> clock_of(lambda: datetime(2026, 1, 2))()
    Traceback (most recent call last):
    ValueError: clock tells datetime.datetime(2026, 1, 2, 0, 0), expected an aware datetime, such as datetime.now(UTC)
    """
    if clock is None or clock is system_clock:
        return system_clock
    return clock if isinstance(clock, _CheckedClock) else _CheckedClock(clock)


class _CheckedClock:
    """A clock that somebody gave: it tells an aware datetime, or raises an error that says what it told."""

    def __init__(self, clock: Clock) -> None:
        if not callable(clock):
            raise TypeError(f"clock is {as_given(clock)}, expected a function that tells the time as an aware datetime")
        self.given = clock

    def __call__(self) -> datetime:
        return _moment(self.given())

    def __reduce__(self) -> tuple[type[_CheckedClock], tuple[Clock]]:
        return _CheckedClock, (_portable("clock", self.given),)

    def __deepcopy__(self, memo: object) -> _CheckedClock:
        return self  # there is one time


def _moment(told: object) -> datetime:
    if inspect.iscoroutine(told):
        told.close()  # nobody will ever await it
    return moment_of(told, "clock tells")


class RunClock(_CheckedClock):
    """The clock of one run: it never runs backwards and no fault of it stops the record.

    From a fault on it stays where it was.

    Parameters
    ----------
    clock : callable
        The clock.
    ledger : RunLedger, path or URL, optional
        Where the run is kept. A ledger that tells the time by the same clock asks it when it opens the run. Otherwise
        it is asked here, before there is a run; what it told is what it tells first.

    Attributes
    ----------
    fault : BaseException or None
        What went wrong with it meanwhile. What happened is recorded first; then the run ends with this.
    """

    def __init__(self, clock: Clock, ledger: object = None) -> None:
        super().__init__(clock)
        self.fault: BaseException | None = None
        self._last: datetime | None = None
        own = getattr(ledger, "clock", None)
        self._fresh = not (isinstance(own, _CheckedClock) and own.given == clock)
        if self._fresh:
            self._last = super().__call__()

    def __call__(self) -> datetime:
        """Tell the time."""
        if self._fresh:
            self._fresh = False
        elif self.fault is None:
            try:
                told = super().__call__()
                self._last = told if self._last is None else max(self._last, told)
            except BaseException as error:  # raised by whoever keeps the record, once it is whole
                self.fault = error
        return system_clock() if self._last is None else self._last


def end_of(clock: Clock, last: Callable[[], datetime]) -> datetime:
    """Tell when a run ends; where the clock fails, which must not keep a run open for ever, `last` tells."""
    try:
        return clock()
    except Exception:
        return last()


def id_source(ids: Ids | None) -> Callable[[], str]:
    """Read an `ids` argument; random ids where there is none."""
    return _random_id if ids is None else _GivenIds(ids)


def _random_id() -> str:
    return str(uuid4())


class _GivenIds:
    """Run ids that somebody gave."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids if callable(ids) else iter(ids)

    def __call__(self) -> str:
        if callable(self._ids):
            return self._ids()
        for run_id in self._ids:
            return run_id
        raise StorageError("ids is used up, expected an id for each run: give the ledger more")

    def __reduce__(self) -> tuple[type[_GivenIds], tuple[Ids]]:
        return _GivenIds, (_portable("ids", self._ids),)

    def __deepcopy__(self, memo: object) -> _GivenIds:
        return self  # so that two ledgers which take from one source never take the same id


def _portable(argument: str, given: _T) -> _T:
    """Give back what a ledger was given, if it can be pickled; TypeError that names it otherwise."""
    try:
        pickle.dumps(given)
    except Exception as error:  # pickling asks the object, which may raise anything
        raise TypeError(
            f"the ledger cannot be pickled because of its {argument}: {error}; expected a function that stands at the "
            "top of a module"
        ) from None
    return given
