"""Seconds and dates as people give them, and the ticks that simulated time is counted in.

A tick is a millisecond. Times that are drawn, or waited between attempts, are whole ticks, so that what ends at one
instant ends at one instant, whoever adds up.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from numbers import Real
from typing import Any

from seqkit._util.secrets import as_given

__all__ = ["LONGEST", "TICKS_A_SECOND", "moment_of", "seconds_of", "ticks_of"]

TICKS_A_SECOND = 1000
"""How many ticks a second has."""
LONGEST = 3_200_000_000_000
"""The longest that an attempt or a wait takes, in ticks: a century. What is drawn longer takes so long."""


def seconds_of(value: Any, argument: str) -> float:
    """Read an argument that is a time to wait, or that something takes.

    Raises
    ------
    TypeError, ValueError
        Where it is none.

    Examples
    --------
    >>> seconds_of(timedelta(minutes=2), "grace"), seconds_of(1.5, "grace")
    (120.0, 1.5)
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, expected seconds from 0 or a timedelta")
    if not 0 <= float(seconds) < math.inf:
        raise ValueError(f"{argument} is {as_given(value, 200)}, expected seconds from 0 or a timedelta")
    return float(seconds)


def ticks_of(seconds: float) -> int:
    """Give the ticks nearest to some seconds.

    Examples
    --------
    >>> ticks_of(1.5), ticks_of(0.0004)
    (1500, 0)
    """
    return math.floor(seconds * TICKS_A_SECOND + 0.5)


def moment_of(value: Any, what: str) -> datetime:
    """Read a date, in UTC.

    Parameters
    ----------
    value : datetime
        An aware one.
    what : str
        What is said of it in an error, such as "start is".

    Raises
    ------
    TypeError, ValueError
        Where it is no date, has no zone, or is none in UTC.

    Examples
    --------
    >>> moment_of(datetime(2026, 1, 2), "start is")
    Traceback (most recent call last):
    ValueError: start is datetime.datetime(2026, 1, 2, 0, 0), expected an aware datetime, such as datetime.now(UTC)
    """
    expected = "expected an aware datetime, such as datetime.now(UTC)"
    if not isinstance(value, datetime):
        raise TypeError(f"{what} {as_given(value)} ({type(value).__name__}), {expected}")
    if value.tzinfo is UTC:
        return value
    try:
        aware, moment = value.utcoffset() is not None, value.astimezone(UTC)
    except Exception as error:  # out of range in UTC, pandas' NaT, a zone of somebody's own
        raise ValueError(f"{what} {as_given(value)}, {expected}: {error}") from None
    if not aware:
        raise ValueError(f"{what} {as_given(value)}, {expected}")
    return moment
