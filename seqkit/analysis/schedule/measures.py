"""What the trials of a schedule tell of each repo: when it starts and ends, and how much the end hangs on it.

The measures are those of the literature on project networks, over the trials, d being the time from a repo's first
start to its last end, M the end of the run:

- *criticality*: the share of trials in which the repo stands on the chain of what let what start;
- *si*, the significance index (Williams 1992, doi:10.1016/0377-2217(92)90218-4): E[d / (d + s) · M] / E[M], s the slack
  by dependencies alone in that trial;
- *ssi*, the schedule sensitivity index (PMBOK; Vanhoucke 2010, doi:10.1016/j.omega.2009.11.004): criticality · sd(d) /
  sd(M);
- *cruciality*: the correlation of d and M, 0 where either never varies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.schedule.ends import NOT_STARTED, RELEASED, Ends
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["Sums", "counted_chains", "kth_release", "slack_of"]

_Ticks = NDArray[np.int64]


class Sums:
    """Sums over the trials from which the measures are made; whole parts are added, in any order."""

    def __init__(self, problem: ScheduleProblem) -> None:
        n = problem.n
        self.problem, self.trials = problem, 0
        self._d, self._dd, self._dm = np.zeros(n), np.zeros(n), np.zeros(n)
        self._m = self._mm = 0.0
        self._si = np.zeros(n)
        self._critical = np.zeros((2, n), np.int64)

    def add(self, part: Ends) -> None:
        """Take in a part, with its details."""
        told = part.details
        assert told is not None  # noqa: S101  # tells mypy: it was asked for
        started = told.status != NOT_STARTED
        took = np.where(started, told.finish - told.start, 0)
        end = part.end.astype(np.float64)
        self.trials += len(end)
        self._d += took.sum(axis=0)
        self._dd += (took.astype(np.float64) ** 2).sum(axis=0)
        self._dm += end @ took
        self._m += end.sum()
        self._mm += (end**2).sum()
        slack = slack_of(self.problem, took)
        with np.errstate(invalid="ignore"):
            self._si += np.nan_to_num(took / (took + slack) * end[:, None]).sum(axis=0)
        self._critical += part.critical

    def measures(self) -> dict[str, NDArray[np.float64]]:
        """Give the measures by job."""
        n = max(1, self.trials)
        sd = np.sqrt(np.maximum(0.0, self._dd / n - (self._d / n) ** 2))
        whole = math.sqrt(max(0.0, self._mm / n - (self._m / n) ** 2))
        varies = sd * whole
        together = self._dm / n - self._d / n * (self._m / n)
        critical = self._critical / n
        return {
            "criticality": critical[0],
            "criticality_by_dependencies": critical[1],
            "si": self._si / self._m if self._m else np.zeros(len(sd)),
            "ssi": critical[0] * sd / whole if whole else np.zeros(len(sd)),
            "cruciality": np.divide(together, varies, out=np.zeros(len(sd)), where=varies > 0),
        }


def slack_of(problem: ScheduleProblem, took: _Ticks) -> _Ticks:
    """Give by how much each job may end later without moving the end, by dependencies alone: [trials, n].

    `took` is how long each takes, [trials, n].
    """
    n = problem.n
    heads, tails = np.zeros_like(took), np.zeros_like(took)
    needs = [problem.needs[problem.first_need[job] : problem.first_need[job + 1]] for job in range(n)]
    for job in range(n):
        if len(needs[job]):
            heads[:, job] = (heads[:, needs[job]] + took[:, needs[job]]).max(axis=1)
    for job in reversed(range(n)):
        below = problem.dependents[problem.first_dependent[job] : problem.first_dependent[job + 1]]
        if len(below):
            tails[:, job] = (tails[:, below] + took[:, below]).max(axis=1)
    through = heads + took + tails
    longest = through.max(axis=1, initial=0)
    slack: _Ticks = longest[:, None] - through
    return slack


def kth_release(part: Ends, k: int) -> _Ticks:
    """Give when the k-th repo was released in each trial, -1 where so many never were."""
    told = part.details
    assert told is not None  # noqa: S101  # tells mypy: it was asked for
    if k == 0:
        return np.zeros(len(part.end), np.int64)
    never = np.iinfo(np.int64).max
    out = np.where(told.status == RELEASED, told.finish, never)
    kth = np.partition(out, k - 1, axis=1)[:, k - 1]
    return np.where(kth == never, -1, kth)


def counted_chains(problem: ScheduleProblem, parts: Iterable[Ends]) -> Counter[tuple[int, ...]]:
    """Count the chains of what let what start, as jobs in the order in which they started."""
    chains: Counter[tuple[int, ...]] = Counter()
    for part in parts:
        told = part.details
        assert told is not None  # noqa: S101  # tells mypy: it was asked for
        on = (told.critical & 1).astype(bool)
        for row, start in zip(on, told.start, strict=True):
            chains[_in_order(np.flatnonzero(row).tolist(), start)] += 1
    return chains


def _in_order(jobs: Sequence[int], start: _Ticks) -> tuple[int, ...]:
    return tuple(sorted(jobs, key=lambda job: (start[job], job)))
