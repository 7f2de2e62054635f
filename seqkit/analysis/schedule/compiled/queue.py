"""The jobs of a schedule as the compiled loop queues them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["JobQueue", "LoopRules", "numbered_by_rank", "queue_of", "rules_of"]

_FREED = 1 << 30  # more than any job waits for


class JobQueue(NamedTuple):
    """The jobs, as the loop queues them."""

    rank: NDArray[np.int32]
    """[n] of each job."""
    by_rank: NDArray[np.int32]
    """[n] the job of each rank."""
    waits_for: NDArray[np.int32]
    """[n + 1] for how many jobs each rank waits; one more that nothing frees."""
    four: NDArray[np.int32]
    """[n, 4] ranks that each job frees, filled up with n."""
    first_more: NDArray[np.int64]
    """[n + 1] where each job's part of `more` begins."""
    more: NDArray[np.int32]
    """Further ranks that it frees."""
    roots: NDArray[np.uint64]
    """Who waits for none, as bits."""
    first_need: NDArray[np.int64]
    needs: NDArray[np.int64]


class LoopRules(NamedTuple):
    """What a run goes by."""

    lanes: int
    interval: int
    attempts: int
    deadline: int
    frees: bool
    stop_at: int


def rules_of(problem: ScheduleProblem) -> LoopRules:
    """Give what a run goes by."""
    return LoopRules(*[getattr(problem, name) for name in LoopRules._fields])


def numbered_by_rank(problem: ScheduleProblem) -> ScheduleProblem:
    """Number the jobs by priority instead of plan order, which then matters to nobody: one look-up less a start."""
    line, laws, n = problem.by_rank, problem.laws, problem.n
    both = np.concatenate([line, n + line])
    starts = problem.first_dependent
    dependents = [problem.rank[problem.dependents[starts[job] : starts[job + 1]]] for job in line.tolist()]
    return replace(
        problem,
        items=problem.items[line],
        first_need=np.append(0, np.cumsum(np.diff(problem.first_need)[line])).astype(np.int64),
        first_dependent=np.append(0, np.cumsum(np.diff(starts)[line])).astype(np.int64),
        dependents=np.concatenate([np.empty(0, np.int64), *dependents]),
        by_rank=np.arange(n),
        rank=np.arange(n),
        laws=replace(
            laws,
            counts=laws.counts[both],
            offsets=laws.offsets[both],
            scales=laws.scales[both],
            differ=laws.differ[line],
        ),
        keys=problem.keys[line],
        wait_keys=problem.wait_keys[line],
    )


def queue_of(problem: ScheduleProblem) -> JobQueue:
    """Give the jobs as they are queued."""
    n, starts = problem.n, problem.first_dependent
    four, more = np.full((n, 4), n, np.int32), []
    first_more = np.zeros(n + 1, np.int64)
    freed = problem.rank[problem.dependents]
    for job in range(n):
        mine = freed[starts[job] : starts[job + 1]]
        four[job, : min(4, len(mine))] = mine[:4]
        more.extend(mine[4:].tolist())
        first_more[job + 1] = len(more)
    waits_for = np.append(np.diff(problem.first_need)[problem.by_rank], _FREED).astype(np.int32)
    roots = np.zeros((n >> 6) + 1, np.uint64)
    for first in np.flatnonzero(waits_for == 0).tolist():
        roots[first >> 6] |= np.uint64(1 << (first & 63))
    return JobQueue(
        problem.rank.astype(np.int32),
        problem.by_rank.astype(np.int32),
        waits_for,
        four,
        first_more,
        np.array(more, np.int32),
        roots,
        problem.first_need,
        problem.needs,
    )
