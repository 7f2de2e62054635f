"""Runs without a limit of lanes, in numpy: a job starts when all that it needs has ended, so nothing has to be queued.

Where neither an interval nor a stop comes between, the end of a job is the largest end of what it needs plus the ticks
and waits of its attempts, trial by trial: whole arrays of trials in plan order, as :mod:`seqkit.analysis.montecarlo`
does it with bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.schedule.drawing import first_attempts, later_attempts, waits_after
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, Details, Ends, joined, too_long
from seqkit.analysis.schedule.problem import LATEST, ScheduleProblem

__all__ = ["run"]

Ticks = NDArray[np.int64]

_BLOCK = 1 << 18  # numbers in an array: 2 MB


def run(problem: ScheduleProblem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on; of a problem that is `closed`."""
    size = max(64, _BLOCK // max(1, problem.n))
    parts = [
        _block(problem, at, min(size, first + trials - at), criticality, details)
        for at in range(first, first + trials, size)
    ]
    return joined(parts)


def _block(problem: ScheduleProblem, first: int, trials: int, criticality: bool, details: bool) -> Ends:
    n = problem.n
    start, finish = np.full((n, trials), -1, np.int64), np.full((n, trials), -1, np.int64)
    released, open_ = np.zeros((n, trials), bool), np.zeros((n, trials), bool)  # open: it frees those that need it
    drawn = first_attempts(problem, first, trials)
    which = np.arange(first, first + trials, dtype=np.int64)
    for job in range(n):
        needs = problem.needs[problem.first_need[job] : problem.first_need[job + 1]]
        may = np.logical_and.reduce(open_[needs], axis=0) if len(needs) else np.ones(trials, bool)
        begins = finish[needs].max(axis=0) if len(needs) else np.zeros(trials, np.int64)
        took, fails = _attempts(problem, job, drawn[job], which)
        start[job] = np.where(may, begins, -1)
        finish[job] = np.where(may, begins + took, -1)
        released[job] = may & ~fails
        open_[job] = may if problem.frees else released[job]
    end = finish.max(axis=0, initial=0)
    if (end >= LATEST).any():
        raise too_long()
    critical = _critical(problem, start, finish, end) if criticality else np.zeros((n, trials), bool)
    counts = np.tile(critical.sum(axis=1, dtype=np.int64), (2, 1))
    told = None
    if details:
        status = np.where(released, RELEASED, np.where(start >= 0, FAILED, NOT_STARTED)).astype(np.int8)
        told = Details(
            *(np.ascontiguousarray(each.T) for each in (start, finish, status, critical.astype(np.int8) * np.int8(3)))
        )
    return Ends(first, end, released.sum(axis=0, dtype=np.int32), counts, told)


def _attempts(problem: ScheduleProblem, job: int, drawn: Ticks, which: Ticks) -> tuple[Ticks, NDArray[np.bool_]]:
    """Say how long all attempts at a job take together with the waits between, and whether they all fail."""
    fails = drawn < 0
    took = np.where(fails, -1 - drawn, drawn)
    left = np.flatnonzero(fails)
    for attempt in range(2, problem.attempts + 1):
        wait = waits_after(problem, job, attempt - 1, which[left])
        if problem.deadline >= 0:
            within = took[left] + wait <= problem.deadline
            left, wait = left[within], wait[within]
        if not len(left):
            break
        told = later_attempts(problem, job, attempt, which[left])
        took[left] += wait + np.where(told < 0, -1 - told, told)
        fails[left] = told < 0
        left = left[told < 0]
    return took, fails


def _critical(problem: ScheduleProblem, start: Ticks, finish: Ticks, end: Ticks) -> NDArray[np.bool_]:
    """Trace back what let what start: always the end of what was needed; of several the last in plan order."""
    critical = np.zeros(start.shape, bool)
    found = np.zeros(len(end), bool)
    for job in range(problem.n - 1, -1, -1):
        tail = (finish[job] == end) & ~found
        critical[job] |= tail
        found |= tail
    for job in range(problem.n - 1, -1, -1):
        open_ = critical[job].copy()
        for at in range(int(problem.first_need[job + 1]) - 1, int(problem.first_need[job]) - 1, -1):
            other = problem.needs[at]
            lets = open_ & (finish[other] == start[job])
            critical[other] |= lets
            open_ &= ~lets
    return critical
