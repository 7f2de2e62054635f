"""What came of some trials of a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.schedule.problem import LATEST

__all__ = ["FAILED", "NOT_STARTED", "RELEASED", "Details", "Ends", "joined", "too_long", "turns"]

NOT_STARTED, RELEASED, FAILED = 0, 1, 2
"""What became of a job."""


@dataclass(frozen=True)
class Details:
    """What became of each job in each trial: [trials, n]. A job that never started has start and finish -1."""

    start: NDArray[np.int64]
    """When its first attempt started, in ticks."""
    finish: NDArray[np.int64]
    """When its last attempt ended; where it failed because everything stopped, when it did."""
    status: NDArray[np.int8]
    """NOT_STARTED, RELEASED or FAILED."""
    critical: NDArray[np.int8]
    """1: an attempt of it stands on the chain of what let what start, back from the end of the run; 2: it stands on
    the chain of dependencies alone; 3: on both. All 0 where criticality was not asked for."""


@dataclass(frozen=True)
class Ends:
    """How some successive trials ended. Integers, the same whichever engine counts them."""

    first: int
    """Which trial is the first."""
    end: NDArray[np.int64]
    """[trials] when the run ended, in ticks."""
    n_released: NDArray[np.int32]
    """[trials] how many jobs were released; the run is complete where that is all of them."""
    critical: NDArray[np.int64]
    """[2, n] in how many trials each job was critical: by what let it start, lanes and all, and by dependencies alone.
    All 0 where criticality was not asked for."""
    details: Details | None = None
    """Job by job, where that was asked for."""


def joined(parts: Sequence[Ends]) -> Ends:
    """Join successive parts; at least one."""
    if len(parts) == 1:
        return parts[0]
    details = [part.details for part in parts if part.details is not None]
    return Ends(
        parts[0].first,
        np.concatenate([part.end for part in parts]),
        np.concatenate([part.n_released for part in parts]),
        np.sum([part.critical for part in parts], axis=0, dtype=np.int64),
        Details(*[np.concatenate([getattr(each, field.name) for each in details]) for field in fields(Details)])
        if details
        else None,
    )


def turns(first: int, trials: int) -> Iterator[tuple[int, int]]:
    """Split trials where the keys of their draws change (``draws.uniform``): which is the first, and how many.

    Examples
    --------
    >>> list(turns(2**32 - 2, 5))
    [(4294967294, 2), (4294967296, 3)]
    """
    end = first + trials
    while first < end:
        last = min(end, ((first >> 32) + 1) << 32)
        yield first, last - first
        first = last


def too_long() -> ValueError:
    """Say that a run lasts longer than can be counted."""
    years = LATEST // 1000 // 86400 // 365
    return ValueError(f"durations and waits make a run of over {years:,} years, expected shorter ones")
