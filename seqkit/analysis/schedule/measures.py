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

_HALF = 23  # binary digits: a run is shorter than twice as many and one
_MASK = (1 << _HALF) - 1
_ROWS = 1 << 14  # products of halves, so many, are whole numbers of 64 bits
_CELLS = 1 << 15  # rows times jobs that are looked at together: they stay in the processor's cache
_FEWEST_ROWS = 1 << 10  # a job's turn takes as long as so many rows of it


class Sums:
    """Sums over the trials from which the measures are made: whole numbers, the same whatever parts they come in."""

    def __init__(self, problem: ScheduleProblem) -> None:
        n = problem.n
        self.problem, self.trials = problem, 0
        self._origin: tuple[_Ticks, int] | None = None  # variances are of what differs from the first trial
        self._d, self._dd, self._dm = [0] * n, [0] * n, [0] * n
        self._m = self._mm = self._ends = 0
        self._si = np.zeros(n, np.int64)
        self._critical = np.zeros((2, n), np.int64)

    def add(self, part: Ends) -> None:
        """Take in a part, with its details."""
        told = part.details
        assert told is not None  # noqa: S101  # tells mypy: it was asked for
        took = np.where(told.status != NOT_STARTED, told.finish - told.start, 0)
        self._critical += part.critical
        rows = min(_ROWS, max(_FEWEST_ROWS, _CELLS // max(1, self.problem.n)))
        for begin in range(0, len(took), rows):
            self._take(took[begin : begin + rows], part.end[begin : begin + rows])

    def _take(self, took: _Ticks, end: _Ticks) -> None:
        if self._origin is None:
            self._origin = took[0], int(end[0])
        slack = slack_of(self.problem, took)
        share = np.divide(took, took + slack, out=np.zeros(took.shape), where=took > 0)
        self._si += np.rint(share * end[:, None]).astype(np.int64).sum(axis=0)
        self._ends += int(end.sum())
        self.trials += len(end)
        d, m = took - self._origin[0], end - self._origin[1]
        self._d = _added(self._d, d.sum(axis=0))
        self._m += int(m.sum())
        self._mm += _products(m[:, None], m)[0]
        self._dm = [old + new for old, new in zip(self._dm, _products(d, m), strict=True)]
        self._dd = [old + new for old, new in zip(self._dd, _products(d, d), strict=True)]

    def measures(self) -> dict[str, NDArray[np.float64]]:
        """Give the measures by job."""
        n = max(1, self.trials)
        variances = np.array([n * dd - d * d for dd, d in zip(self._dd, self._d, strict=True)], np.float64)
        together = np.array([n * dm - d * self._m for dm, d in zip(self._dm, self._d, strict=True)], np.float64)
        sd, whole = np.sqrt(variances), math.sqrt(n * self._mm - self._m**2)
        varies = sd * whole
        critical = self._critical / n
        return {
            "criticality": critical[0],
            "criticality_by_dependencies": critical[1],
            "si": self._si / self._ends if self._ends else np.zeros(len(sd)),
            "ssi": critical[0] * sd / whole if whole else np.zeros(len(sd)),
            "cruciality": np.divide(together, varies, out=np.zeros(len(sd)), where=varies > 0),
        }


def _added(sums: list[int], more: _Ticks) -> list[int]:
    return [old + new for old, new in zip(sums, more.tolist(), strict=True)]


def _products(a: _Ticks, b: _Ticks) -> list[int]:
    """Sum up a · b over at most `_ROWS` rows, exactly, by halves of the digits; b has as many columns as a, or one."""
    other = b if b.ndim == 2 else b[:, None]  # rows and columns
    (high, low), (high_too, low_too) = ((part >> _HALF, part & _MASK) for part in (a, other))
    sums = [
        (high * high_too).sum(axis=0).tolist(),
        (high * low_too + low * high_too).sum(axis=0).tolist(),
        (low * low_too).sum(axis=0).tolist(),
    ]
    return [(top << 2 * _HALF) + (middle << _HALF) + bottom for top, middle, bottom in zip(*sums, strict=True)]


def slack_of(problem: ScheduleProblem, took: _Ticks) -> _Ticks:
    """Give by how much each job may end later without moving the end, by dependencies alone: [trials, n].

    `took` is how long each takes, [trials, n].
    """
    own = np.ascontiguousarray(took.T)  # a row a job: whole rows are added and compared
    heads, tails = np.zeros_like(own), np.zeros_like(own)
    needs = [problem.needs[problem.first_need[job] : problem.first_need[job + 1]] for job in range(problem.n)]
    for job in range(problem.n):
        if len(needs[job]):
            heads[job] = (heads[needs[job]] + own[needs[job]]).max(axis=0)
    for job in reversed(range(problem.n)):
        below = problem.dependents[problem.first_dependent[job] : problem.first_dependent[job + 1]]
        if len(below):
            tails[job] = (tails[below] + own[below]).max(axis=0)
    through = heads + own + tails
    slack: _Ticks = np.ascontiguousarray((through.max(axis=0, initial=0) - through).T)
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


def counted_chains(parts: Iterable[Ends]) -> Counter[tuple[int, ...]]:
    """Count the chains of what let what start, as jobs in the order in which they started."""
    chains: Counter[tuple[int, ...]] = Counter()
    for part in parts:
        told = part.details
        assert told is not None  # noqa: S101  # tells mypy: it was asked for
        on = (told.critical & 1).astype(bool)
        for row, start in zip(on, told.start, strict=True):
            if row.any():
                chains[_in_order(np.flatnonzero(row).tolist(), start)] += 1
    return chains


def _in_order(jobs: Sequence[int], start: _Ticks) -> tuple[int, ...]:
    return tuple(sorted(jobs, key=lambda job: (start[job], job)))
