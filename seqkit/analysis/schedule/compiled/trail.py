"""What is kept of a trial, compiled, and how it is traced back: :mod:`seqkit.analysis.schedule.tracing`."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import int64
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.numba_draws import compiled

__all__ = [
    "LAST_START",
    "LOGGED",
    "NOBODY",
    "RETRIED",
    "STARTED",
    "WAITING",
    "ToldArrays",
    "TrailArrays",
    "note_start",
    "trace",
    "trail_of",
]

NOBODY = np.iinfo(np.int64).max
"""Who let start what started at the beginning."""
WAITING, LOGGED, STARTED, LAST_START, RETRIED = range(5)
"""Places in the state of a trial: how many wait, how many attempts are logged; who started last, and when; whether any
was tried again."""


class TrailArrays(NamedTuple):
    """What is kept of a trial, where that is asked for, or an interval or a deadline needs it.

    A first attempt is told by its job, one after that by n plus its row of `log`.
    """

    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    status: NDArray[np.int8]
    mark: NDArray[np.int8]
    lets: NDArray[np.int64]
    """[n] what let the first attempt start: an attempt; of one that an interval was in the way of, the inverse."""
    lasts: NDArray[np.int64]
    """[n] the last attempt at each job."""
    dues: NDArray[np.int64]
    """[n] when the attempt could start that waits."""
    log: NDArray[np.int64]
    """Attempts after the first: job, start, when it could start, the attempt before, and what let it start."""


def trail_of(n: int, attempts: int) -> TrailArrays:
    """Make room for what is kept of a trial."""
    start, finish, lets, lasts, dues = (np.zeros(n, np.int64) for _ in range(5))
    log = np.empty((n * (attempts - 1), 5), np.int64)
    return TrailArrays(start, finish, np.zeros(n, np.int8), np.zeros(n, np.int8), lets, lasts, dues, log)


class ToldArrays(NamedTuple):
    """As :class:`seqkit.analysis.schedule.ends.Details`."""

    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    status: NDArray[np.int8]
    critical: NDArray[np.int8]


@compiled
def trace(queue, trail, tail, critical, marks):
    """Count who is critical: see :mod:`seqkit.analysis.schedule.tracing`."""
    n = queue.rank.size
    start, finish, lets, lasts, log = trail.start, trail.finish, trail.lets, trail.lasts, trail.log
    v = tail
    while v >= 0:
        critical[1, v] += 1
        marks[v] |= 2
        latest, need = int64(0), int64(-1)
        for i in range(queue.first_need[v], queue.first_need[v + 1]):
            other = queue.needs[i]
            if finish[other] >= latest:
                latest, need = finish[other], other
        v = need
    one = lasts[tail] if tail >= 0 else NOBODY
    counts = True
    while one != NOBODY:
        v = one if one < n else log[one - n, 0]
        if counts and not marks[v] & 1:
            marks[v] |= 1
            critical[0, v] += 1
        due, need = int64(0), int64(-1)
        if one < n:
            for i in range(queue.first_need[v], queue.first_need[v + 1]):
                other = queue.needs[i]
                if finish[other] >= due:
                    due, need = finish[other], other
            began, let_by, before = start[v], lets[v], (NOBODY if need < 0 else lasts[need])
        else:
            began, due, before, let_by = log[one - n, 1], log[one - n, 2], log[one - n, 3], log[one - n, 4]
        counts = True
        if began == due:
            one = before
        elif let_by < 0:  # an interval was in the way
            one, counts = ~let_by, False
        else:
            one = let_by


@compiled
def note_start(start, lets, lasts, log, interval, number, v, now, due, ended, state):
    """Keep what let an attempt start, in what a trail has."""
    let_by, one = ended, v
    if interval and state[LAST_START] >= 0 and now == state[LAST_START] + interval:
        let_by = ~state[STARTED]
    if number[v] > 1:
        row = state[LOGGED]
        one = number.size + row
        log[row, 0], log[row, 1], log[row, 2], log[row, 3], log[row, 4] = v, now, due, lasts[v], let_by
        state[LOGGED] += 1
    else:
        start[v] = now
        lets[v] = let_by
    lasts[v] = one
    state[STARTED], state[LAST_START] = one, now
