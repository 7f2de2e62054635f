"""Times that were estimated: a timedelta or a date, with its standard error and an interval."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "DateEstimate", "TimeEstimate", "mean_time", "quantile_time", "rank_of", "time_text", "when"]

LEVELS = (0.1, 0.5, 0.8, 0.9, 0.95)
"""The quantiles of an end that are shown where nobody asks for one."""

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


def when(time: timedelta | datetime) -> str:
    """Write a time from the start as a person says it, or a date.

    Examples
    --------
    >>> when(timedelta(minutes=95)), when(datetime(2026, 3, 2, 14, 5))
    ('1 h 35 min', '2026-03-02 14:05')
    """
    return time_text(time) if isinstance(time, timedelta) else f"{time:%Y-%m-%d %H:%M}"


class _Estimated:
    """What an estimated time has beside its value."""

    se: timedelta
    """Its standard error: 0 where every trial told the same, the longest timedelta where one trial is all there is."""
    low: Any
    """The low end of the 95 % interval."""
    high: Any
    """The high end; the last moment that there is where nothing is known of it."""
    exact: bool
    """Whether nothing is left to chance."""

    def interval(self) -> tuple[Any, Any]:
        """Give the interval that holds the true time with a confidence of 95 %."""
        return self.low, self.high

    def _keep(self, se: timedelta, low: Any, high: Any, exact: bool) -> None:
        self.se, self.low, self.high, self.exact = se, low, high, exact

    def _parts(self) -> tuple[Any, ...]:
        return self.se, self.low, self.high, self.exact

    def _told(self, value: str, low: str, high: str | None, beyond: str) -> str:
        if self.exact:
            return f"exactly {value}"
        if self.low == self.high:
            return f"{value} (the same in every trial)"
        return f"{value} ({low} or {beyond})" if high is None else f"{value} ({low} to {high})"


class TimeEstimate(timedelta, _Estimated):
    """A timedelta that was estimated; what is worked out with it is a plain one.

    Examples
    --------
    >>> TimeEstimate.of(timedelta(hours=3), timedelta(minutes=1), timedelta(minutes=178), timedelta(minutes=182))
    3 h (2 h 58 min to 3 h 2 min)
    """

    def __new__(cls, *args: float, **kwargs: float) -> timedelta:  # type: ignore[misc]  # noqa: D102  # nothing is known of it
        return timedelta(*args, **kwargs)

    @classmethod
    def of(
        cls, value: timedelta, se: timedelta, low: timedelta, high: timedelta, exact: bool = False
    ) -> TimeEstimate:  # fmt: skip
        """Make one."""
        made = timedelta.__new__(cls, value.days, value.seconds, value.microseconds)
        made._keep(se, low, high, exact)
        return made

    def after(self, start: datetime) -> DateEstimate:
        """Give the date that is so long after a start; the last there is where that is further."""
        longest = datetime.max.replace(tzinfo=start.tzinfo) - start
        value, low, high = (start + min(each, longest) for each in (self, self.low, self.high))
        return DateEstimate.of(value, self.se, low, high, self.exact)

    def __reduce__(self) -> tuple[Any, ...]:
        return TimeEstimate.of, (timedelta(self.days, self.seconds, self.microseconds), *self._parts())

    def __repr__(self) -> str:
        high = None if self.high == timedelta.max else time_text(self.high)
        return self._told(time_text(self), time_text(self.low), high, "more")

    __str__ = __repr__


class DateEstimate(datetime, _Estimated):
    """A date that was estimated; what is worked out with it is a plain one.

    Examples
    --------
    >>> day = datetime(2026, 5, 4, 18)
    >>> done = DateEstimate.of(day, timedelta(minutes=1), day - timedelta(minutes=2), day + timedelta(minutes=2))
    >>> done, done + timedelta(hours=1)
    (2026-05-04 18:00 (05-04 17:58 to 05-04 18:02), datetime.datetime(2026, 5, 4, 19, 0))
    """

    def __new__(cls, *args: int, **kwargs: Any) -> datetime:  # type: ignore[misc]  # noqa: D102  # nothing is known of it
        return datetime(*args, **kwargs)  # type: ignore[arg-type]  # whatever datetime takes

    @classmethod
    def of(
        cls, value: datetime, se: timedelta, low: datetime, high: datetime, exact: bool = False
    ) -> DateEstimate:  # fmt: skip
        """Make one."""
        day, time = value.date(), value.time()
        made = datetime.__new__(
            cls,
            *(day.year, day.month, day.day),
            *(time.hour, time.minute, time.second, time.microsecond),
            tzinfo=value.tzinfo,
            fold=value.fold,
        )
        made._keep(se, low, high, exact)
        return made

    def replace(self, *args: int, **kwargs: Any) -> datetime:  # type: ignore[override]  # whatever datetime takes
        """Give a plain date, with some fields replaced."""
        return datetime.combine(self.date(), self.timetz()).replace(*args, **kwargs)  # type: ignore[arg-type]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        plain = datetime.combine(self.date(), self.timetz())
        return DateEstimate.of, (plain, *self._parts())

    def __repr__(self) -> str:
        high = None if self.high.replace(tzinfo=None) == datetime.max else f"{self.high:%m-%d %H:%M}"
        return self._told(f"{self:%Y-%m-%d %H:%M}", f"{self.low:%m-%d %H:%M}", high, "later")

    __str__ = __repr__


def mean_time(ticks: Ticks, exact: bool = False) -> TimeEstimate:
    """Estimate a mean from the trials, with its standard error and the interval of Student's t.

    Where all trials are alike that has no width, though what is rarer than one in so many trials is not seen;
    `exact` says that nothing else can be.

    Examples
    --------
    >>> mean_time(np.array([60_000] * 500 + [120_000] * 500))
    2 min (1 min to 2 min)
    """
    from scipy.special import stdtrit  # noqa: PLC0415  # `import seqkit` stays light

    n = len(ticks)
    mean = float(ticks.mean())
    if exact:
        return TimeEstimate.of(_time(mean), timedelta(0), _time(mean), _time(mean), exact=True)
    if n < 2:
        return TimeEstimate.of(_time(mean), timedelta.max, timedelta(0), timedelta.max)
    error = float(ticks.std(ddof=1)) / math.sqrt(n)
    half = float(stdtrit(n - 1, 0.975)) * error
    return TimeEstimate.of(_time(mean), _time(error), _time(max(0.0, mean - half)), _time(mean + half))


def rank_of(q: float, n: int) -> int:
    """Say which of n ascending values, from 0, is their quantile: the smallest that at least this share does not pass.

    A product that rounding has lifted over a whole number counts as that number.

    Examples
    --------
    >>> rank_of(0.5, 4), rank_of(0.5, 5), rank_of(0.1, 30)
    (1, 2, 2)
    """
    return min(n - 1, max(0, math.ceil(q * n - 1e-9) - 1))


def quantile_time(ascending: Ticks, q: float, exact: bool = False) -> TimeEstimate:
    """Estimate a quantile from the ascending times of the trials: the smallest that at least this share does not pass.

    The interval is of order statistics: that of the smallest and largest rank that a binomial number of trials below
    the true quantile makes likely, at least 95 % together (David and Nagaraja 2003, section 7.1). Where so few trials
    lie beyond the quantile that there is no such rank, that end is open: 0, or the longest timedelta. The standard
    error is the width over twice 1.96.

    Examples
    --------
    >>> quantile_time(np.arange(1_000) * 1_000, 0.9), quantile_time(np.arange(20) * 1_000, 0.9)
    (15 min (15 min to 15 min), 17 s (14 s or more))
    """
    from scipy.stats import binom  # noqa: PLC0415  # `import seqkit` stays light

    n = len(ascending)
    value = _time(float(ascending[rank_of(q, n)]))
    if exact:
        return TimeEstimate.of(value, timedelta(0), value, value, exact=True)
    ranks = int(binom.ppf(0.025, n, q)), int(binom.ppf(0.975, n, q)) + 1  # from 1
    low = _time(float(ascending[ranks[0] - 1])) if ranks[0] else timedelta(0)
    if ranks[1] > n:
        return TimeEstimate.of(value, timedelta.max, low, timedelta.max)
    high = _time(float(ascending[ranks[1] - 1]))
    return TimeEstimate.of(value, (high - low) / (2 * 1.959964), low, high)


def _time(ticks: float) -> timedelta:
    return timedelta(milliseconds=ticks)
