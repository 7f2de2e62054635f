"""Times that were estimated: a timedelta or a date, with its standard error and an interval."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DateEstimate", "TimeEstimate", "mean_time", "quantile_time", "time_text"]

Ticks = NDArray[np.int64]


def time_text(time: timedelta) -> str:
    """Write a time as a person says it.

    Examples
    --------
    >>> time_text(timedelta(seconds=4)), time_text(timedelta(minutes=125)), time_text(timedelta(days=3, hours=4))
    ('4 s', '2 h 5 min', '3 d 4 h')
    """
    seconds = time.total_seconds()
    if seconds < 0:
        return f"-{time_text(-time)}"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(minutes / 60), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


class _Estimated:
    """What an estimated time has beside its value."""

    se: timedelta
    """Its standard error; 0 only where it is exact."""
    low: Any
    """The low end of the 95 % interval."""
    high: Any
    """The high end."""

    def interval(self) -> tuple[Any, Any]:
        """Give the interval that holds the true time with a confidence of 95 %."""
        return self.low, self.high


class TimeEstimate(timedelta, _Estimated):
    """A timedelta that was estimated.

    Examples
    --------
    >>> TimeEstimate.of(timedelta(hours=3), timedelta(minutes=1), timedelta(minutes=178), timedelta(minutes=182))
    3 h (2 h 58 min to 3 h 2 min)
    """

    @classmethod
    def of(cls, value: timedelta, se: timedelta, low: timedelta, high: timedelta) -> TimeEstimate:
        """Make one."""
        made = cls(value.days, value.seconds, value.microseconds)
        made.se, made.low, made.high = se, low, high
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return TimeEstimate.of, (timedelta(self.days, self.seconds, self.microseconds), self.se, self.low, self.high)

    def __repr__(self) -> str:
        if self.low == self.high:
            return f"exactly {time_text(self)}"
        return f"{time_text(self)} ({time_text(self.low)} to {time_text(self.high)})"

    def __str__(self) -> str:
        return repr(self)


class DateEstimate(datetime, _Estimated):
    """A date that was estimated."""

    @classmethod
    def of(cls, value: datetime, se: timedelta, low: datetime, high: datetime) -> DateEstimate:
        """Make one."""
        made = cls.combine(value.date(), value.timetz())
        made.se, made.low, made.high = se, low, high
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        plain = datetime.combine(self.date(), self.timetz())
        return DateEstimate.of, (plain, self.se, self.low, self.high)

    def __repr__(self) -> str:
        if self.low == self.high:
            return f"exactly {self:%Y-%m-%d %H:%M}"
        return f"{self:%Y-%m-%d %H:%M} ({self.low:%m-%d %H:%M} to {self.high:%m-%d %H:%M})"


def mean_time(ticks: Ticks) -> TimeEstimate:
    """Estimate a mean from the trials, with its standard error and the interval of Student's t.

    Examples
    --------
    >>> mean_time(np.array([60_000] * 500 + [120_000] * 500))
    2 min (1 min to 2 min)
    """
    from scipy.special import stdtrit  # noqa: PLC0415  # `import seqkit` stays light

    n = len(ticks)
    mean = float(ticks.mean())
    if n < 2:
        return TimeEstimate.of(_time(mean), timedelta(0), timedelta(0), timedelta.max)
    error = float(ticks.std(ddof=1)) / math.sqrt(n)
    half = float(stdtrit(n - 1, 0.975)) * error
    return TimeEstimate.of(_time(mean), _time(error), _time(max(0.0, mean - half)), _time(mean + half))


def quantile_time(ascending: Ticks, q: float) -> TimeEstimate:
    """Estimate a quantile from the ascending times of the trials: the smallest that at least this share does not pass.

    The interval is of order statistics: that of the smallest and largest rank that a binomial number of trials below
    the true quantile makes likely, at least 95 % together (David and Nagaraja 2003, section 7.1).
    """
    from scipy.stats import binom  # noqa: PLC0415  # `import seqkit` stays light

    n = len(ascending)
    at = min(n - 1, max(0, math.ceil(q * n) - 1))
    low, high = int(binom.ppf(0.025, n, q)), int(binom.ppf(0.975, n, q))
    ends = ascending[max(0, low - 1)], ascending[min(n - 1, high)]
    error = (float(ends[1]) - float(ends[0])) / (2 * 1.959964)
    return TimeEstimate.of(_time(float(ascending[at])), _time(error), _time(float(ends[0])), _time(float(ends[1])))


def _time(ticks: float) -> timedelta:
    return timedelta(milliseconds=ticks)
