"""Priorities that end sooner than the rules of thumb do: a search by forward and backward passes.

Every schedule that is looked at is the list schedule of some line of jobs, so that a run with the line as its priority
goes exactly so. The search begins with the priorities that have a name, and changes the best line bit by bit: all keys
by a little, or those of a few jobs by much. Now and then a schedule is pushed to its end and back (justification: Li
and Willis, European Journal of Operational Research 56, 1992; Valls, Ballestín and Quintanilla, the same 165, 2005,
doi:10.1016/j.ejor.2004.04.008): the jobs are listed backwards in time, the last to end first, and then forwards in the
order in which that lets them start. A schedule that meets a lower bound ends the search, as none can be better.

What no such search finds is a schedule that is better because a lane stands idle on purpose, for a job that matters
more: a run starts whatever may start, and no priority makes it wait. On the 1,440 instances of 50 and 100 tasks of the
Standard Task Graph Set a solver proved for 21 that no priorities reach the best known makespan. The search does in
98.1 %, of 98.5 % at most; the longest path first in 73.9 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit._util.arguments import whole
from seqkit.analysis.schedule.bounds import lower_bound, simple_bound
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import Pass, in_line, list_jobs
from seqkit.core import draws
from seqkit.core.arrays import PlanArrays
from seqkit.core.calendar import Windows
from seqkit.running.lanes import PRIORITIES, ranks_of

__all__ = ["Found", "evaluations_for", "search"]

_Keys = NDArray[np.float64]

_JOBS_LISTED = 60_000  # in all evaluations together: their time hardly depends on how many jobs a plan has
_FEWEST, _MOST = 40, 1_000
_NOISE = (0.3, 0.1, 0.03, 0.01, 0.003)  # as shares of the critical path
_JUMP = 0.3  # how far a single job is moved at most, as such a share
_JUMPING = 4  # jobs moved at once
_RESTART = 0.5  # noise on a new beginning
_PATIENCE = 60  # lines without a gain before that
_EVERY = 3  # which lines are pushed to the end and back
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    priorities: dict[str, int]
    """Repo id → priority, the higher first, for `priority=` of :func:`seqkit.run_plan`; no two repos share one."""
    makespan: int
    """The tick at which a run with these priorities ends, where nothing fails."""
    lower_bound: int
    """The tick before which no schedule ends, of :func:`seqkit.analysis.schedule.bounds.lower_bound`."""
    evaluations: int
    """How many list schedules were made, backward ones too."""


def evaluations_for(n: int) -> int:
    """Give the number of evaluations that a search of so many jobs may take where none is said.

    Examples
    --------
    >>> evaluations_for(50), evaluations_for(300), evaluations_for(10_000)
    (1000, 200, 40)
    """
    return min(max(_JOBS_LISTED // max(n, 1), _FEWEST), _MOST)


def search(
    arrays: PlanArrays,
    ticks: Sequence[int],
    lanes: int | None = None,
    min_interval: int = 0,
    seed: int = 0,
    evaluations: int | None = None,
    windows: Windows = (),
) -> Found:
    """Look for priorities that let a plan end soon.

    Parameters
    ----------
    arrays : PlanArrays
        Of the plan.
    ticks : sequence of int
        How long each item takes, by position, from 0; those of unreleased ones do not count.
    lanes : int, optional
        How many run at once at most, from 1; None for no limit.
    min_interval : int
        Ticks between two starts.
    seed : int
        Of the draws: the same arguments find the same priorities, on every machine.
    evaluations : int, optional
        How many schedules are made at most, from 1; None for :func:`evaluations_for` the jobs, which take 0.05 s for
        300 of them and 0.5 s for 10,000.
    windows : Windows
        In which nothing starts; backwards in time they are not looked at.

    Returns
    -------
    Found
        Never worse than the best of the priorities that have a name, where `evaluations` is 3 or more.

    Raises
    ------
    TypeError, ValueError
        Where a number is out of its range.

    Examples
    --------
    Four jobs on two lanes: the plan's order leaves the longest to the end, the longest path first ends 2 sooner.

    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c", "d"]), version="1")
    >>> search(plan.arrays, [2, 2, 2, 6], lanes=2)
    Found(priorities={'d': 4, 'a': 3, 'b': 2, 'c': 1}, makespan=6, lower_bound=6, evaluations=1)
    """
    jobs = Jobs.of(arrays, ticks)
    limit = None if lanes is None else whole("lanes", lanes, 1)
    interval = whole("min_interval", min_interval, 0)
    most = evaluations_for(len(jobs)) if evaluations is None else whole("evaluations", evaluations, 1)
    passes = _Passes(jobs, limit, interval, windows, simple_bound(jobs, limit, interval, windows), most)
    seconds = {repo: float(taken) for repo, taken in zip(arrays.ids, ticks, strict=True)}
    for name in reversed(PRIORITIES):  # the longest path first: it mostly meets the bound
        if passes.left:
            passes.forward(in_line(jobs, ranks_of(name, arrays, seconds)))
    if passes.best.makespan > passes.bound:
        passes.bound = lower_bound(jobs, limit, interval, windows)
        _improve(passes, seed)
    n = len(jobs)
    return Found(
        {arrays.ids[jobs.positions[job]]: n - place for place, job in enumerate(passes.line)},
        passes.best.makespan,
        passes.bound,
        passes.made,
    )


class _Passes:
    """The list schedules that are made, and the best of them."""

    def __init__(
        self, jobs: Jobs, lanes: int | None, min_interval: int, windows: Windows, bound: int, most: int
    ) -> None:
        self.jobs, self.bound, self.made = jobs, bound, 0
        self.line: Sequence[int] = ()
        self.best: Pass
        self._lanes, self._interval, self._windows, self._most = lanes, min_interval, windows, most
        self._backwards = jobs.reversed()
        self._ticks = np.array(jobs.ticks, np.float64)

    @property
    def left(self) -> int:
        """How many more may be made; none once the bound is met."""
        return 0 if self.made and self.best.makespan <= self.bound else self._most - self.made

    def forward(self, line: Sequence[int]) -> Pass:
        """List the jobs by a line, and keep it where none was better."""
        told = list_jobs(self.jobs, line, self._lanes, self._interval, self._windows)
        if not self.made or told.makespan < self.best.makespan:
            self.best, self.line = told, line
        self.made += 1
        return told

    def pushed(self, told: Pass) -> _Keys:
        """List the jobs backwards in time, the last to end first; give when each starts, by that."""
        last_first = np.argsort(-(np.array(told.starts) + self._ticks)[::-1], kind="stable").tolist()
        back = list_jobs(self._backwards, last_first, self._lanes, self._interval)
        self.made += 1
        starts: _Keys = -(np.array(back.starts) + self._ticks[::-1])[::-1]
        return starts


def _improve(passes: _Passes, seed: int) -> None:
    """Change the line bit by bit while passes are left; what is no worse is where the next change begins."""
    if passes.left < 2:
        return
    jobs = passes.jobs
    longest: _Keys = -(np.array(jobs.ticks, np.float64) + np.array(jobs.tails))
    span = float(-longest.min())
    keys: _Keys = np.array(passes.best.starts, np.float64)
    makespan, since, turn = passes.best.makespan, 0, 0
    tried = passes.pushed(passes.best)
    while passes.left:
        told = passes.forward(_line(tried))
        if turn % _EVERY == 0 and passes.left > 1:
            pushed = passes.pushed(told)
            again = passes.forward(_line(pushed))
            if again.makespan <= told.makespan:
                tried, told = pushed, again
        since = 0 if told.makespan < makespan else since + 1
        if told.makespan <= makespan:
            keys, makespan = tried, told.makespan
        word = draws.word(seed, "search", "", 1, 1, turn)
        turn += 1
        if since > _PATIENCE:  # from here on, what comes first is where the next change begins
            tried, makespan, since = longest + _RESTART * span * _noise(word, len(jobs)), _NEVER, 0
        elif turn % 2:
            tried = keys + _NOISE[turn // 2 % len(_NOISE)] * span * _noise(word, len(jobs))
        else:
            tried = _jumped(keys, _JUMP * span, word)


def _line(keys: _Keys) -> list[int]:
    """Line the jobs up, the least key first, ties in plan order."""
    line: list[int] = np.argsort(keys, kind="stable").tolist()
    return line


def _jumped(keys: _Keys, far: float, word: int) -> _Keys:
    """Move a few jobs, by up to `far`."""
    moved = keys.copy()
    halves = _halves(word, 2 * _JUMPING)
    chosen = (halves[:_JUMPING, 0] * len(keys)).astype(np.int64)
    moved[chosen] += far * (2.0 * halves[_JUMPING:, 0] - 1.0)
    return moved


def _noise(word: int, n: int) -> _Keys:
    """Give n numbers between −1 and 1, those near 0 the likeliest: the difference of two even ones."""
    halves = _halves(word, n)
    return halves[:, 0] - halves[:, 1]


def _halves(word: int, n: int) -> _Keys:
    """Spread a word into n pairs of numbers from 0 to below 1, by splitmix64 with their place as the counter."""
    state = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(word)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return np.stack([state >> np.uint64(32), state & np.uint64(0xFFFFFFFF)], axis=1) * 2.0**-32
