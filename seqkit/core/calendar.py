"""Freeze windows: times in which nothing starts.

A window is half open: what is due at its end starts then. What runs as it begins goes on, as a push cannot be taken
back; with a `lead` nothing starts so long before it either, so that what takes no longer than that has ended. A lead
is one time for the whole train, on purpose: whoever reads the calendar knows from when on nothing starts, and a short
release never passes a long one that was first in line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from seqkit._util.secrets import as_given
from seqkit._util.words import printable
from seqkit.core.times import moment_of, seconds_of

__all__ = [
    "Calendar",
    "Freeze",
    "Window",
    "Windows",
    "apart",
    "as_calendar",
    "as_dates",
    "freeze_of",
    "merged",
    "next_open",
    "windows_of",
]

_T = TypeVar("_T", int, datetime)

Windows = tuple[tuple[int, int], ...]
"""Windows in ticks from a start: from when on nothing starts, and until when; apart from each other, ascending."""


class Window(NamedTuple):
    """A freeze in ticks from a start."""

    close: int
    """From when on nothing starts: its lead is before it begins."""
    begin: int
    end: int


@dataclass(frozen=True)
class Freeze:
    """A window in which nothing starts: no repo, and no further attempt at one.

    What is due in it waits until it ends; then all that may start does, by priority. What runs goes on. As attributes
    times are dates in UTC, or timedeltas.

    Parameters
    ----------
    start, end : datetime, or timedelta or float
        From when until when: aware datetimes, or times from the start of the train, in seconds or as timedeltas.
    name : str
        What it is called in frames and pictures.
    lead : float or timedelta
        Nothing starts so many seconds before it either, however short it is: give it where what runs must have ended
        as it begins, as long as the longest release takes.

    Raises
    ------
    TypeError, ValueError
        Where a time is none; where one is a date and the other is not; where it does not end after its start.

    Examples
    --------
    >>> from datetime import UTC
    >>> Freeze(datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC), "holidays", lead=3600)
    Freeze(2026-12-24 00:00 to 2026-12-27 00:00 UTC, 'holidays', lead 1:00:00)
    >>> Freeze(3600, 1800)
    Traceback (most recent call last):
    ValueError: end is 1800, and start is 3600: expected an end after the start
    """

    start: datetime | timedelta | float
    end: datetime | timedelta | float
    name: str = ""
    lead: timedelta | float = 0.0

    def __post_init__(self) -> None:
        start, end = (_read(getattr(self, name), name) for name in ("start", "end"))
        if isinstance(start, datetime) != isinstance(end, datetime):
            raise ValueError(
                f"start is {as_given(self.start)} and end is {as_given(self.end)}, expected two dates, or two times "
                "from the start of the train"
            )
        if not start < end:  # type: ignore[operator]  # both are of one kind
            raise ValueError(
                f"end is {as_given(self.end)}, and start is {as_given(self.start)}: expected an end after the start"
            )
        if not isinstance(self.name, str):
            raise TypeError(f"name is {as_given(self.name)}, expected a str")
        lead = _timedelta(self.lead, "lead")
        if isinstance(start, datetime) and lead > start - datetime.min.replace(tzinfo=UTC):
            raise ValueError(
                f"lead is {as_given(self.lead)}, which begins before there are dates: expected a shorter one"
            )
        for field, value in (("start", start), ("end", end), ("lead", lead)):
            object.__setattr__(self, field, value)

    @property
    def dated(self) -> bool:
        """Whether it is of dates, rather than of times from the start of a train."""
        return isinstance(self.start, datetime)

    def to_tag(self) -> dict[str, Any]:
        """Give what stands of it in a run's plan tag: JSON; of dates alone."""
        lead = self.lead.total_seconds()  # type: ignore[union-attr]  # read
        more = ({"name": self.name} if self.name else {}) | ({"lead": lead} if lead else {})
        return {"start": self.start.isoformat(), "end": self.end.isoformat(), **more}  # type: ignore[union-attr]

    def __repr__(self) -> str:
        if isinstance(self.start, datetime):
            times = f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"
        else:
            times = f"{self.start} to {self.end}"
        named = f", {self.name!r}" if self.name else ""
        return printable(f"Freeze({times}{named}{f', lead {self.lead}' if self.lead else ''})")


def _read(time: Any, argument: str) -> datetime | timedelta:
    return moment_of(time, f"{argument} is") if isinstance(time, datetime) else _timedelta(time, argument)


def _timedelta(time: Any, argument: str) -> timedelta:
    seconds = seconds_of(time, argument)
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{argument} is {as_given(time)}, expected fewer seconds") from None


Calendar = Freeze | Iterable[Freeze]
"""What a `calendar` argument takes."""


def freeze_of(tag: Any, where: str) -> Freeze:
    """Read a freeze from a plan tag.

    Raises
    ------
    ValueError
        Where it is none.
    """
    try:
        if not isinstance(tag, Mapping):
            raise TypeError("expected a mapping")
        start, end = (datetime.fromisoformat(tag[name]) for name in ("start", "end"))
        return Freeze(start, end, tag.get("name", ""), tag.get("lead", 0.0))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where} is {as_given(tag, 200)}, expected a window with start and end: {error}") from None


def as_calendar(calendar: Any) -> tuple[Freeze, ...]:
    """Read a `calendar` argument.

    Raises
    ------
    TypeError
        Where it has anything but freezes.
    """
    if isinstance(calendar, Freeze):
        return (calendar,)
    expected = "expected freezes, such as Freeze(start, end)"
    if isinstance(calendar, str | bytes | Mapping) or not isinstance(calendar, Iterable):
        raise TypeError(f"calendar is {as_given(calendar)}, {expected}")
    freezes = tuple(calendar)
    for each in freezes:
        if not isinstance(each, Freeze):
            raise TypeError(f"calendar has {as_given(each)}, {expected}")
    return freezes


def as_dates(calendar: Any) -> tuple[Freeze, ...]:
    """Read the `calendar` argument of a run, which goes by dates.

    Raises
    ------
    TypeError, ValueError
        Where it has anything but freezes, or one that counts from the start of a train.
    """
    freezes = as_calendar(calendar)
    for each in freezes:
        if not each.dated:
            raise ValueError(f"calendar has {each!r}, expected dates: a run goes by its clock")
    return freezes


def merged(freezes: Iterable[Freeze]) -> tuple[tuple[datetime, datetime], ...]:
    """Give from when until when nothing starts, of freezes of dates: apart from each other, ascending."""
    return _apart([(each.start - each.lead, each.end) for each in freezes])  # type: ignore[operator, misc]  # dates


def windows_of(freezes: Sequence[Freeze], start: datetime | None) -> list[Window]:
    """Give of each freeze from when on nothing starts, when it begins and when it ends, in ticks from a start.

    A part of a tick counts as a whole one: in whole ticks that is the same moment.

    Raises
    ------
    ValueError
        Where one is of dates, and there is no start.

    Examples
    --------
    >>> windows_of([Freeze(60, 120, lead=15)], None)
    [Window(close=45000, begin=60000, end=120000)]
    """
    found = []
    for each in freezes:
        begin, end, lead = each.start, each.end, each.lead
        if isinstance(begin, datetime):
            if start is None:
                raise ValueError(
                    f"calendar has {each!r}, and the schedule has no start: give it one, or times from the start"
                )
            begin, end = begin - start, end - start  # type: ignore[operator]  # both are dates
        times: Any = (begin - lead, begin, end)  # type: ignore[operator]  # all are timedeltas by now
        found.append(Window(*[-(-time // _TICK) for time in times]))
    return found


_TICK = timedelta(milliseconds=1)


def apart(windows: Iterable[Window]) -> Windows:
    """Merge windows of ticks, and leave out what is over before the start."""
    return tuple(
        [(max(0, close), end) for close, end in _apart([(each.close, each.end) for each in windows]) if end > 0]
    )


def _apart(windows: Iterable[tuple[_T, _T]]) -> tuple[tuple[_T, _T], ...]:
    found: list[tuple[_T, _T]] = []
    for close, end in sorted(windows):
        if found and close <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((close, end))
    return tuple(found)


def next_open(windows: Sequence[tuple[_T, _T]], moment: _T) -> _T:
    """Say when the first moment from this one on is at which something may start.

    Examples
    --------
    >>> [next_open(((10, 20), (30, 40)), moment) for moment in (9, 10, 19, 20, 39)]
    [9, 20, 20, 20, 40]
    """
    at = bisect_right(windows, moment, key=lambda window: window[0]) - 1
    return max(moment, windows[at][1]) if at >= 0 else moment
