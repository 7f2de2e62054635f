"""The arguments of a schedule, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.schedule.bounds import lower_bound
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import Listing, list_schedule
from seqkit.analysis.schedule.problem import ScheduleProblem, pose
from seqkit.analysis.schedule.search import search
from seqkit.core.durations import DurationModel
from seqkit.core.failures import FailureModel
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Attempts, Retry
from seqkit.core.terms import Terms
from seqkit.core.times import seconds_of, ticks_of
from seqkit.running.lanes import PRIORITIES, Priority, ranks_of

__all__ = ["Posed", "SchedulePriority", "mean_ticks", "posed"]

SchedulePriority = Priority | Literal["search"]
"""Who starts first of those that may: as in a run, or what a search finds."""


@dataclass(frozen=True)
class Posed:
    """What is scheduled, and how."""

    plan: SequencePlan
    durations: DurationModel
    model: FailureModel
    terms: Terms
    attempts: Attempts
    retry: Retry
    seed: int
    lanes: int | None
    priority: Priority
    """As :func:`seqkit.run_plan` takes it."""
    ranks: tuple[float, ...]
    interval: float
    problem: ScheduleProblem

    def with_durations(self, durations: DurationModel) -> ScheduleProblem:
        """Pose the same with other durations, and the same draws."""
        return pose(
            self.plan,
            durations,
            self.model,
            self.terms,
            self.retry,
            self.seed,
            self.lanes,
            self.ranks,
            self.interval,
        )

    @property
    def mean_ticks(self) -> list[int]:
        """By position: how long each repo takes on average; 0 for unreleased ones."""
        return mean_ticks(self.plan, self.durations)

    def at_the_means(self) -> Listing:
        """Give the schedule where nothing fails and each repo takes its mean."""
        return list_schedule(self.plan.arrays, self.mean_ticks, self.lanes, self.ranks, ticks_of(self.interval))

    def bound(self) -> int:
        """Give the tick before which no schedule of the means ends, whatever the priorities."""
        jobs = Jobs.of(self.plan.arrays, self.mean_ticks)
        return lower_bound(jobs, self.lanes, ticks_of(self.interval))


def mean_ticks(plan: SequencePlan, durations: DurationModel) -> list[int]:
    """By position: how many ticks each repo takes on average; 0 for unreleased ones."""
    return [
        ticks_of(durations.mean(repo)) if released else 0
        for repo, released in zip(plan.arrays.ids, plan.arrays.released, strict=True)
    ]


def posed(
    plan: SequencePlan,
    durations: DurationModel,
    model: FailureModel,
    terms: Terms,
    attempts: Attempts,
    retry: Retry,
    seed: int,
    max_parallel: Any,
    priority: Any,
    min_interval: Any,
) -> Posed:
    """Read what is left to read, and pose the problem.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range.
    """
    lanes = None if max_parallel is None else whole("max_parallel", max_parallel, 1)
    interval = seconds_of(min_interval, "min_interval")
    first: Any = ("plan" if lanes == 1 else "longest_path") if priority is None else priority
    if not isinstance(first, Mapping) and first not in (*PRIORITIES, "search"):
        raise ValueError(
            f"priority is {as_given(priority, 200)}, expected one of {(*PRIORITIES, 'search')}, a mapping from repo id "
            "to number, or None"
        )
    if not isinstance(first, Mapping) and first == "search":
        first = search(plan.arrays, mean_ticks(plan, durations), lanes, ticks_of(interval), seed).priorities
    ranks = ranks_of(first, plan.arrays, durations.means(plan.released))
    problem = pose(plan, durations, model, terms, retry, seed, lanes, ranks, interval)
    return Posed(
        plan, durations, model, terms, attempts, retry, seed, lanes, first, ranks, interval, problem
    )  # fmt: skip
