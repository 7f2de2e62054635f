"""What takes time in a plan: the repos to release, linked through those that are not released.

>>> from seqkit import RepoDependencyGraph, build_plan
>>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "app")])
>>> jobs = Jobs.of(build_plan(graph, [("core", "1.0"), ("app", "1.0")]).arrays, [3, 0, 2])
>>> jobs
Jobs(2 jobs, 1 need, 5 ticks of work)
>>> jobs.positions, jobs.ticks, jobs.needs, jobs.heads, jobs.tails
((0, 2), (3, 2), ((), (0,)), (0, 3), (2, 0))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from seqkit._util.arguments import whole
from seqkit._util.words import plural
from seqkit.core.arrays import PlanArrays

__all__ = ["Jobs", "linked"]


def linked(arrays: PlanArrays) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Link the repos to release with one another, and leave out every need that others imply.

    Unreleased repos take no time: whoever needs one waits for what that one needs. The transitive reduction is
    exact for schedules without failures: a need that another one implies has ended before that other starts.
    Sets of positions are integers, so that memory is repos² / 8 bytes at most.

    Returns
    -------
    (positions, needs)
        Of each job its position in the plan, ascending, and the jobs that it waits for directly, ascending.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    >>> linked(build_plan(graph, [("a", "1"), ("b", "1"), ("d", "1")]).arrays)
    ((0, 1, 3), ((), (0,), (1,)))
    """
    positions: list[int] = []
    needs: list[tuple[int, ...]] = []
    above: list[int] = []  # bit i of above[j]: job j waits for job i, directly or not
    nearest: list[frozenset[int]] = []  # by position: the jobs that whoever needs the item waits for
    for position, direct in enumerate(arrays.dependencies):
        near = frozenset[int]().union(*[nearest[other] for other in direct])
        if arrays.released[position]:
            known, kept = 0, []
            for job in sorted(near, reverse=True):  # the latest first: only a later one can imply an earlier one
                if not known >> job & 1:
                    kept.append(job)
                    known |= above[job] | 1 << job
            needs.append(tuple(reversed(kept)))
            above.append(known)
            near = frozenset((len(positions),))
            positions.append(position)
        nearest.append(near)
    return tuple(positions), tuple(needs)


@dataclass(frozen=True, repr=False)
class Jobs:
    """The repos to release as jobs, in plan order from 0: how long each takes, and which it waits for.

    A tick is the unit of time: whatever the caller counts in.
    """

    positions: tuple[int, ...]
    """Where each job stands in the plan, ascending."""
    needs: tuple[tuple[int, ...], ...]
    """The jobs that each waits for, ascending, those left out that others imply; all are less than its own."""
    ticks: tuple[int, ...]
    """How long each takes, from 0."""

    @classmethod
    def of(cls, arrays: PlanArrays, ticks: Sequence[int]) -> Jobs:
        """Take the repos to release out of a plan.

        Parameters
        ----------
        arrays : PlanArrays
            Of the plan.
        ticks : sequence of int
            How long each item takes, by position; those of unreleased ones do not count.

        Raises
        ------
        TypeError, ValueError
            Where `ticks` has not one entry an item, or one that counts is no whole number from 0.
        """
        n = len(arrays.ids)
        if len(ticks) != n:
            raise ValueError(f"ticks has {plural(len(ticks), 'entry', 'entries')}, expected one for each of {n} items")
        positions, needs = linked(arrays)
        return cls(positions, needs, tuple([whole(f"ticks[{at}]", ticks[at], 0) for at in positions]))

    def __len__(self) -> int:
        return len(self.positions)

    @cached_property
    def serves(self) -> tuple[tuple[int, ...], ...]:
        """The jobs that wait for each, ascending."""
        rows: list[list[int]] = [[] for _ in self.needs]
        for job, needs in enumerate(self.needs):
            for other in needs:
                rows[other].append(job)
        return tuple(map(tuple, rows))

    @cached_property
    def heads(self) -> tuple[int, ...]:
        """The ticks before which each cannot start: the longest path that leads to it, its own time left out."""
        heads: list[int] = []
        for needs in self.needs:
            heads.append(max([heads[other] + self.ticks[other] for other in needs], default=0))
        return tuple(heads)

    @cached_property
    def tails(self) -> tuple[int, ...]:
        """The ticks that remain at least once each has ended: the longest path below it, its own time left out."""
        tails = [0] * len(self)
        for job in range(len(self) - 1, -1, -1):
            below = tails[job] + self.ticks[job]
            for other in self.needs[job]:
                tails[other] = max(tails[other], below)
        return tuple(tails)

    @property
    def work(self) -> int:
        """The ticks of all together."""
        return sum(self.ticks)

    def reversed(self) -> Jobs:
        """Turn time round: job j becomes n − 1 − j, and waits for those that waited for it. Positions stay."""
        last = len(self) - 1
        needs = tuple([tuple([last - other for other in reversed(row)]) for row in reversed(self.serves)])
        return Jobs(self.positions, needs, self.ticks[::-1])

    def __repr__(self) -> str:
        edges = sum(map(len, self.needs))
        return f"Jobs({plural(len(self), 'job')}, {plural(edges, 'need')}, {plural(self.work, 'tick')} of work)"
