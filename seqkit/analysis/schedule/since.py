"""Times of a schedule: counted in ticks from its start, told as timedeltas, or as dates where it has a start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit.analysis.schedule.moments import DateEstimate, TimeEstimate
from seqkit.core.times import TICKS_A_SECOND, moment_of, seconds_of

__all__ = ["Since", "timedeltas"]


@dataclass(frozen=True)
class Since:
    """How times are told, from a start.

    Examples
    --------
    >>> Since(None).shown(90_000), Since(None).ticks(1.5, "t")
    (datetime.timedelta(seconds=90), 1500)
    """

    start: datetime | None
    """When it all starts, in UTC; None where times are timedeltas from there."""

    def shown(self, ticks: int) -> timedelta | datetime:
        """Give a time."""
        time = timedelta(milliseconds=ticks)
        return time if self.start is None else self.start + time

    def estimated(self, time: TimeEstimate) -> TimeEstimate | DateEstimate:
        """Give an estimated time."""
        return time if self.start is None else time.after(self.start)

    def column(self, ticks: NDArray[np.int64]) -> pd.Index[Any]:
        """Give times, missing where they are below 0."""
        return self.dates(timedeltas(ticks).where(ticks >= 0))

    def dates(self, times: pd.TimedeltaIndex | pd.Index[Any]) -> pd.Index[Any]:
        """Give times of timedeltas."""
        return times if self.start is None else pd.Timestamp(self.start).as_unit("us") + times

    def ticks(self, t: Any, argument: str) -> int:
        """Read an argument that is a time: count the whole ticks up to it.

        Raises
        ------
        TypeError, ValueError
            Where it is neither seconds from 0, a timedelta nor a date; where it is a date and there is no start.
        """
        if isinstance(t, datetime):
            if self.start is None:
                raise ValueError(
                    f"{argument} is a date, and the schedule has no start: give it one, or {argument} as a timedelta"
                )
            return (moment_of(t, f"{argument} is") - self.start) // timedelta(milliseconds=1)
        return round(seconds_of(t, argument) * 1_000_000) * TICKS_A_SECOND // 1_000_000


def timedeltas(ticks: Any) -> pd.TimedeltaIndex:
    """Make times of ticks, to the microsecond; further than nanoseconds reach."""
    told = np.asarray(ticks, np.float64) * (1_000_000 // TICKS_A_SECOND)
    known = np.isfinite(told)
    times = np.rint(np.where(known, told, 0)).astype("timedelta64[us]")
    return pd.TimedeltaIndex(np.where(known, times, np.timedelta64("NaT", "us")))
