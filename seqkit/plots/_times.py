"""Times in pictures of schedules: an axis in a unit that a person reads, or of dates; times and chances in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from seqkit._util.secrets import as_given
from seqkit.analysis.estimate import Estimate
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.plots._axes import points

__all__ = [
    "TimeAxis",
    "chance",
    "check_schedule",
    "percent",
    "rounded_step",
    "seconds_after",
    "time_axis",
    "unit_of",
]

Floats = NDArray[np.float64]

_UNITS = (
    ("milliseconds", 1e-3, 1.0),
    ("seconds", 1.0, 120.0),
    ("minutes", 60.0, 7_200.0),
    ("hours", 3_600.0, 172_800.0),
    ("days", 86_400.0, float("inf")),
)  # each for spans below so many seconds
_DAY = 86_400.0
_STEPS = (
    *(step * 10.0**power for power in (-3, -2, -1) for step in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3_600.0 * hours for hours in (1, 2, 3, 6, 12)),
    *(_DAY * step * 10**power for power in range(6) for step in (1, 2, 5)),
)  # seconds
_PER_TICK = 62.0  # points of width that a tick with its label takes


def check_schedule(schedule: object) -> None:
    """Raise a TypeError where that is no Schedule."""
    if not isinstance(schedule, Schedule):
        told = as_given(schedule, 200)
        raise TypeError(f"schedule is {told}, expected a Schedule: seqkit.schedule(plan, durations) makes one")


def unit_of(seconds: float) -> tuple[str, float]:
    """Give the unit in which a person counts spans up to that long: its name, and how many seconds it has.

    Examples
    --------
    >>> unit_of(90), unit_of(86_400)
    (('seconds', 1.0), ('hours', 3600.0))
    """
    return next((name, unit) for name, unit, limit in _UNITS if seconds < limit)


def rounded_step(seconds: float) -> float:
    """Give the first round step, as clocks are divided, that is at least so many seconds.

    Examples
    --------
    >>> rounded_step(0.3), rounded_step(400)
    (0.5, 600.0)
    """
    return next((step for step in _STEPS if step >= seconds), seconds)


@dataclass(frozen=True)
class TimeAxis:
    """Where times from the start of a train stand on the x axis. Made by :func:`time_axis`."""

    start: datetime | None
    """When the train starts; None where the axis counts from there."""
    name: str
    """What the axis counts, such as hours."""
    unit: float
    """How many seconds that is."""

    def at(self, seconds: Any) -> Any:
        """Give the places of so many seconds after the start."""
        return seconds / self.unit if self.start is None else float(date2num(self.start)) + seconds / _DAY  # type: ignore[no-untyped-call]

    def put(self, ax: Axes, what: str = "") -> None:
        """Divide the axis as a person reads it, and say what it counts; `what` is said of a time from the start."""
        most = max(2, int(points(ax)[0] / _PER_TICK))
        if self.start is None:
            ax.xaxis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
            ax.set_xlabel(f"{self.name} from the start{what}", fontsize=9)
            return
        # Dates are marked in the zone in which a schedule tells them.
        locator = AutoDateLocator(tz=self.start.tzinfo, minticks=2, maxticks=min(most, 8))  # type: ignore[no-untyped-call]
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=self.start.tzinfo))  # type: ignore[no-untyped-call]
        ax.set_xlabel(f"date ({self.start.tzname()}){what}", fontsize=9)


def time_axis(start: datetime | None, longest: float) -> TimeAxis:
    """Choose the axis for a train that starts then and takes up to so many seconds."""
    return TimeAxis(start, *unit_of(longest))


def seconds_after(start: datetime | None, times: pd.Series[Any] | timedelta | datetime) -> Any:
    """Give times of a schedule, timedeltas or dates, in seconds from its start; missing ones are NaN."""
    if isinstance(times, pd.Series):
        return (times if start is None else times - pd.Timestamp(start)).dt.total_seconds().to_numpy(np.float64)
    if isinstance(times, datetime):
        assert start is not None  # noqa: S101  # tells mypy: a schedule tells dates only where it has a start
        times = times - start
    return times.total_seconds()


def chance(p: Estimate) -> str:
    """Write an estimated probability with its 95 % interval.

    Examples
    --------
    >>> from seqkit.analysis.estimate import Share
    >>> chance(Share(370, 1_000)), chance(Share(0, 1_000))
    ('37 % (34 to 40 %)', '0 % (0 to 0.38 %)')
    """
    low, high = p.interval()
    return f"{percent(p)} % ({percent(low)} to {percent(high)} %)"


def percent(p: float) -> str:
    """Write a share in percent: a whole number where that is enough, and 100 only for all.

    Examples
    --------
    >>> percent(0.374), percent(0.0004), percent(0.99999), percent(1.0)
    ('37', '0.04', '99.9', '100')
    """
    if 0.01 <= p <= 0.99:
        return f"{100 * p:.0f}"
    return f"{100 * p:.2g}" if p < 0.5 else f"{min(100 * p, 99.9):.3g}" if p < 1 else "100"
