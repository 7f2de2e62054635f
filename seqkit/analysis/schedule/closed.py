"""Runs without a limit of lanes, in numpy: a job starts when all that it needs has ended, so nothing has to be queued.

Where neither an interval nor a stop comes between, the end of a job is the largest end of what it needs plus the ticks
and waits of its attempts, each put off to the end of a freeze where it falls in one, trial by trial: whole arrays of
trials in plan order, as :mod:`seqkit.analysis.montecarlo` does it with bits.
"""

from __future__ import annotations

from typing import Any

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
    due = np.zeros((n, trials), np.int64) if len(problem.windows) else start
    held, released, open_ = (np.zeros((n, trials), bool) for _ in range(3))  # open: it frees those that need it
    drawn = first_attempts(problem, first, trials)
    which = np.arange(first, first + trials, dtype=np.int64)
    for job in range(n):
        needs = problem.needs[problem.first_need[job] : problem.first_need[job + 1]]
        may = np.logical_and.reduce(open_[needs], axis=0) if len(needs) else np.ones(trials, bool)
        due[job] = finish[needs].max(axis=0) if len(needs) else 0
        begins, ends, fails, held[job] = _attempts(problem, job, drawn[job], which, due[job])
        start[job] = np.where(may, begins, -1)
        finish[job] = np.where(may, ends, -1)
        released[job] = may & ~fails
        open_[job] = may if problem.frees else released[job]
    end = finish.max(axis=0, initial=0)
    if (end >= LATEST).any():
        raise too_long()
    by_all = by_needs = np.zeros((n, trials), bool)
    if criticality:
        by_all = by_needs = _critical(problem, due, finish, end)
        if held.any():
            by_all = _critical(problem, due, finish, end, held)
    counts = np.array([by_all.sum(axis=1), by_needs.sum(axis=1)], np.int64)
    told = None
    if details:
        status = np.where(released, RELEASED, np.where(start >= 0, FAILED, NOT_STARTED)).astype(np.int8)
        marks = by_all.astype(np.int8) + by_needs * np.int8(2)
        shown: list[Any] = [np.ascontiguousarray(each.T) for each in (start, finish, status, marks)]
        told = Details(*shown)
    return Ends(first, end, released.sum(axis=0, dtype=np.int32), counts, told)


def _attempts(
    problem: ScheduleProblem, job: int, drawn: Ticks, which: Ticks, due: Ticks
) -> tuple[Ticks, Ticks, NDArray[np.bool_], NDArray[np.bool_]]:
    """Say when a job that is due then starts and ends, whether all attempts fail, and whether a freeze held any."""
    begins = _opened(problem.windows, due)
    held, fails = begins > due, drawn < 0
    ends = begins + np.where(fails, -1 - drawn, drawn)
    left = np.flatnonzero(fails)
    for attempt in range(2, problem.attempts + 1):
        wait = waits_after(problem, job, attempt - 1, which[left])
        if problem.deadline >= 0:
            within = ends[left] - begins[left] + wait <= problem.deadline
            left, wait = left[within], wait[within]
        if not len(left):
            break
        told = later_attempts(problem, job, attempt, which[left])
        again = ends[left] + wait
        starts = _opened(problem.windows, again)
        held[left] |= starts > again
        ends[left] = starts + np.where(told < 0, -1 - told, told)
        fails[left] = told < 0
        left = left[told < 0]
    return begins, ends, fails, held


def _opened(windows: Ticks, moments: Ticks) -> Ticks:
    """Say when the first moments from these on are at which something may start."""
    if not len(windows):
        return moments
    at = np.searchsorted(windows[:, 0], moments, side="right") - 1
    return np.where(at >= 0, np.maximum(moments, windows[at, 1]), moments)


def _critical(
    problem: ScheduleProblem, due: Ticks, finish: Ticks, end: Ticks, held: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Trace back what let what start: always the end of what was needed; of several the last in plan order.

    Where a freeze held a job the chain ends, but that of dependencies alone, which is without `held`.
    """
    critical = np.zeros(finish.shape, bool)
    found = np.zeros(len(end), bool)
    for job in range(problem.n - 1, -1, -1):
        tail = (finish[job] == end) & ~found
        critical[job] |= tail
        found |= tail
    for job in range(problem.n - 1, -1, -1):
        open_ = critical[job] if held is None else critical[job] & ~held[job]
        open_ = open_.copy()
        for at in range(int(problem.first_need[job + 1]) - 1, int(problem.first_need[job]) - 1, -1):
            other = problem.needs[at]
            lets = open_ & (finish[other] == due[job])
            critical[other] |= lets
            open_ &= ~lets
    return critical
