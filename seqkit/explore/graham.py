"""Nine jobs with which more lanes, shorter jobs or fewer dependencies make a train longer.

They are R. L. Graham's own: Bounds on multiprocessing timing anomalies, SIAM Journal on Applied Mathematics 17, 1969,
doi:10.1137/0117039. Whoever may start does, in the order of their numbers: nothing else is needed.
"""

from __future__ import annotations

from typing import NamedTuple

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan, build_plan

__all__ = ["NineJobs", "graham_nine"]

_TAKES = (3, 2, 2, 2, 4, 4, 4, 4, 9)
_NEEDS = ((1, 9), (4, 5), (4, 6), (4, 7), (4, 8))
_LEFT_OUT = ((4, 5), (4, 6))


class NineJobs(NamedTuple):
    """What a run of the nine needs to be told."""

    plan: SequencePlan
    """T1 to T9."""
    durations: dict[str, int]
    """How long each takes, by repo."""
    priority: dict[str, int]
    """T1 first, T9 last, for `priority=` of :func:`seqkit.run_plan`."""


def graham_nine(shorter: bool = False, fewer: bool = False) -> NineJobs:
    """Give Graham's nine jobs, which three lanes get done in 12.

    Parameters
    ----------
    shorter : bool
        Whether each job takes 1 less.
    fewer : bool
        Whether T5 and T6 no longer wait for T4.

    Examples
    --------
    On three lanes; on four; with shorter jobs; with fewer dependencies:

    >>> from seqkit.analysis.schedule.listing import list_schedule
    >>> from seqkit.running.lanes import ranks_of
    >>> def makespan(nine, lanes):
    ...     arrays = nine.plan.arrays
    ...     ticks = [nine.durations[repo] for repo in arrays.ids]
    ...     return list_schedule(arrays, ticks, lanes, ranks_of(nine.priority, arrays)).makespan
    >>> makespan(graham_nine(), 3), makespan(graham_nine(), 4)
    (12, 15)
    >>> makespan(graham_nine(shorter=True), 3), makespan(graham_nine(fewer=True), 3)
    (13, 16)
    """
    needs = [need for need in _NEEDS if not (fewer and need in _LEFT_OUT)]
    ids = [f"T{number}" for number in range(1, 10)]
    graph = RepoDependencyGraph.from_edges([(f"T{before}", f"T{after}") for before, after in needs], nodes=ids)
    return NineJobs(
        build_plan(graph, originating_run_id="Graham 1969", version="1"),
        {repo: takes - shorter for repo, takes in zip(ids, _TAKES, strict=True)},
        {repo: 9 - place for place, repo in enumerate(ids)},
    )
