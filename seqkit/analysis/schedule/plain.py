"""The engine that is always there: numpy draws, and plain Python follows trial by trial."""

from __future__ import annotations

import numpy as np

from seqkit.analysis.schedule.drawing import first_attempts
from seqkit.analysis.schedule.ends import Details, Ends, total
from seqkit.analysis.schedule.loop import Run, follow
from seqkit.analysis.schedule.problem import Problem
from seqkit.analysis.schedule.tracing import critical_jobs
from seqkit.core.times import ticks_of

__all__ = ["run", "run_trial"]

_BLOCK = 1 << 16  # numbers drawn at once


def run(problem: Problem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on."""
    size = trials if details else max(64, _BLOCK // max(1, problem.n))
    parts = [
        _block(problem, at, min(size, first + trials - at), criticality, details)
        for at in range(first, first + trials, size)
    ]
    return parts[0] if len(parts) == 1 else total(parts)


def run_trial(problem: Problem, trial: int) -> Run:
    """Run one trial, and give all attempts with what let them start."""
    (drawn,) = first_attempts(problem, trial, 1).T.tolist()
    return _followed(problem, trial, drawn)


def _followed(problem: Problem, trial: int, drawn: list[int]) -> Run:
    def again(job: int, number: int) -> tuple[int, int]:
        """Ask the models: for a single number that is ten times as fast as arrays of one."""
        repo, seed = problem.ids[job], problem.seed
        failed = problem.model.reason(repo, number, seed, trial) is not None
        ticks = problem.durations.draw(repo, number, seed, trial, failed)
        return ticks_of(problem.retry.wait(repo, number - 1, seed, trial)), -1 - ticks if failed else ticks

    return follow(problem, drawn, again)


def _block(problem: Problem, first: int, trials: int, criticality: bool, details: bool) -> Ends:
    shape = (trials, problem.n)
    end, n_released = np.zeros(trials, np.int64), np.zeros(trials, np.int32)
    critical = np.zeros((2, problem.n), np.int64)
    told = None
    if details:
        status, marks = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        told = Details(np.full(shape, -1, np.int64), np.full(shape, -1, np.int64), status, marks)
    for at, drawn in enumerate(first_attempts(problem, first, trials).T.tolist()):
        run_ = _followed(problem, first + at, drawn)
        end[at], n_released[at] = run_.end, run_.status.count(1)
        chains = critical_jobs(problem, run_) if criticality else (set(), set())
        for which, chain in enumerate(chains):
            critical[which, list(chain)] += 1
        if told is not None:
            told.start[at], told.finish[at], told.status[at] = run_.start, run_.finish, run_.status
            for bit, chain in zip((1, 2), chains, strict=True):
                told.critical[at, list(chain)] |= bit
    return Ends(first, end, n_released, critical, told)
