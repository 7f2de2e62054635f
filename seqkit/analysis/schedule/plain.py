"""The engine that is always there: numpy draws, and plain Python follows trial by trial."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.schedule.drawing import first_attempts, later_attempts, waits_after
from seqkit.analysis.schedule.ends import Details, Ends, joined
from seqkit.analysis.schedule.loop import TrialRun, follow
from seqkit.analysis.schedule.problem import ScheduleProblem
from seqkit.analysis.schedule.tracing import critical_jobs
from seqkit.core.times import ticks_of

__all__ = ["run", "run_trial"]

_BLOCK = 1 << 16  # numbers drawn at once
_AHEAD = 6  # attempts that are drawn before it is known whether they are made

Known = dict[tuple[int, int, int], tuple[int, int]]
"""(job, number of the attempt, trial) → the ticks to wait before it, and what happens to it."""


def run(problem: ScheduleProblem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on."""
    size = max(64, _BLOCK // max(1, problem.n))
    parts = [
        _block(problem, at, min(size, first + trials - at), criticality, details)
        for at in range(first, first + trials, size)
    ]
    return joined(parts)


def run_trial(problem: ScheduleProblem, trial: int) -> TrialRun:
    """Run one trial, and give all attempts with what let them start."""
    (drawn,) = first_attempts(problem, trial, 1).T.tolist()
    return _followed(problem, trial, drawn, {})


def _followed(problem: ScheduleProblem, trial: int, drawn: list[int], known: Known) -> TrialRun:
    def again(job: int, number: int) -> tuple[int, int]:
        """Look it up, or ask the models: for a single number that is ten times as fast as arrays of one."""
        found = known.get((job, number, trial))
        if found is not None:
            return found
        repo, seed = problem.ids[job], problem.seed
        failed = problem.model.reason(repo, number, seed, trial) is not None
        ticks = problem.durations.draw(repo, number, seed, trial, failed)
        return ticks_of(problem.retry.wait(repo, number - 1, seed, trial)), -1 - ticks if failed else ticks

    return follow(problem, drawn, again)


def _drawn_again(problem: ScheduleProblem, first: int, drawn: NDArray[np.int64]) -> Known:
    """Draw the next attempts of all that fail, many trials at once; of those after many tries each when it is made."""
    known: Known = {}
    for job in range(problem.n):
        left = first + np.flatnonzero(drawn[job] < 0)
        for number in range(2, min(problem.attempts, _AHEAD) + 1):
            if not len(left):
                break
            waits, told = waits_after(problem, job, number - 1, left), later_attempts(problem, job, number, left)
            for trial, wait, what in zip(left.tolist(), waits.tolist(), told.tolist(), strict=True):
                known[job, number, trial] = wait, what
            left = left[told < 0]
    return known


def _block(problem: ScheduleProblem, first: int, trials: int, criticality: bool, details: bool) -> Ends:
    shape = (trials, problem.n)
    end, n_released = np.zeros(trials, np.int64), np.zeros(trials, np.int32)
    critical = np.zeros((2, problem.n), np.int64)
    told = None
    if details:
        status, marks = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        told = Details(np.full(shape, -1, np.int64), np.full(shape, -1, np.int64), status, marks)
    every = first_attempts(problem, first, trials)
    known = _drawn_again(problem, first, every)
    for at, drawn in enumerate(every.T.tolist()):
        run_ = _followed(problem, first + at, drawn, known)
        end[at], n_released[at] = run_.end, run_.status.count(1)
        chains = critical_jobs(problem, run_) if criticality else (set(), set())
        for which, chain in enumerate(chains):
            critical[which, list(chain)] += 1
        if told is not None:
            told.start[at], told.finish[at], told.status[at] = run_.start, run_.finish, run_.status
            for bit, chain in zip((1, 2), chains, strict=True):
                told.critical[at, list(chain)] |= bit
    return Ends(first, end, n_released, critical, told)
