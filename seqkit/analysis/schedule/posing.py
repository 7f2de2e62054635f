"""The arguments of a schedule, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from seqkit._util.arguments import whole
from seqkit.analysis.schedule.bounds import lower_bound
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import Listing, list_schedule
from seqkit.analysis.schedule.problem import ScheduleProblem, pose
from seqkit.analysis.schedule.search import search
from seqkit.core.calendar import Windows
from seqkit.core.durations import DurationModel
from seqkit.core.failures import FailureModel
from seqkit.core.laws import Law, Steps
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Retry
from seqkit.core.terms import Terms
from seqkit.core.times import LONGEST, TICKS_A_SECOND, seconds_of, ticks_of
from seqkit.core.unknown import check_durations
from seqkit.running.lanes import PRIORITIES, Priority, priority_of, ranks_of

__all__ = ["SCHEDULE_PRIORITIES", "Posed", "SchedulePriority", "mean_ticks", "posed"]

_Search = Literal["search"]
(_SEARCH,) = get_args(_Search)
SchedulePriority = Priority | _Search
"""Who starts first of those that may: as in a run, or what a search finds."""
SCHEDULE_PRIORITIES = (*PRIORITIES, _SEARCH)
"""Those that have a name."""


@dataclass(frozen=True)
class Posed:
    """What is scheduled, and how."""

    plan: SequencePlan
    durations: DurationModel
    model: FailureModel
    terms: Terms
    retry: Retry
    seed: int
    lanes: int | None
    priority: Priority
    """As :func:`seqkit.run_plan` takes it; a mapping that nobody else has."""
    ranks: tuple[float, ...]
    interval: float
    windows: Windows
    problem: ScheduleProblem

    @property
    def can_fail(self) -> bool:
        """Whether any attempt can fail."""
        return any(self._rate_at_most(repo) for repo in self.problem.ids)

    @property
    def certain(self) -> bool:
        """Whether all trials are alike, whatever is drawn."""
        return not self.can_fail and all(_one_time(self.durations.law(repo)) for repo in self.problem.ids)

    @property
    def priorities(self) -> dict[str, float]:
        """Repo → number, the higher first, of the repos to release, or of those that a mapping named."""
        if isinstance(self.priority, Mapping):
            return {repo: float(number) for repo, number in self.priority.items()}
        arrays = self.plan.arrays
        n = len(arrays.ids)
        ranks = self.ranks or range(-n, 0)
        return {repo: -float(rank) for repo, rank, out in zip(arrays.ids, ranks, arrays.released, strict=True) if out}

    def _rate_at_most(self, repo: str) -> float:
        causes = [cause.probability * cause.severity for cause in self.model.causes_of(repo)]
        return max([self.model.rate(repo), *causes])

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
            self.windows,
        )

    @property
    def mean_ticks(self) -> list[int]:
        """By position: how long each repo takes on average; 0 for unreleased ones."""
        return mean_ticks(self.plan, self.durations)

    def at_the_means(self) -> Listing:
        """Give the schedule where nothing fails and each repo takes its mean."""
        return list_schedule(
            self.plan.arrays, self.mean_ticks, self.lanes, self.ranks, ticks_of(self.interval), self.windows
        )

    def bound(self) -> int:
        """Give the tick before which no schedule of the means ends, whatever the priorities."""
        jobs = Jobs.of(self.plan.arrays, self.mean_ticks)
        return lower_bound(jobs, self.lanes, ticks_of(self.interval), self.windows)


def _one_time(law: Law) -> bool:
    return isinstance(law, Steps) and law.ticks[0] == law.ticks[-1]


def mean_ticks(plan: SequencePlan, durations: DurationModel) -> list[int]:
    """By position: how many ticks each repo takes on average; 0 for unreleased ones."""
    return [
        min(ticks_of(durations.mean(repo)), LONGEST) if released else 0
        for repo, released in zip(plan.arrays.ids, plan.arrays.released, strict=True)
    ]


def posed(
    plan: SequencePlan,
    durations: DurationModel,
    model: FailureModel,
    terms: Terms,
    retry: Retry,
    seed: int,
    max_parallel: Any,
    priority: Any,
    min_interval: Any,
    windows: Windows = (),
) -> Posed:
    """Read what is left to read, and pose the problem.

    Warns
    -----
    UnknownRepo
        Where names of `priority` or `durations` look like slips.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range.
    """
    lanes = None if max_parallel is None else whole("max_parallel", max_parallel, 1)
    # What is counted in ticks is what a trial keeps when it is run.
    interval = ticks_of(seconds_of(min_interval, "min_interval")) / TICKS_A_SECOND
    first = priority_of(priority, lanes, plan, SCHEDULE_PRIORITIES)
    means = check_durations(plan, durations)
    if first == _SEARCH:
        mean = mean_ticks(plan, durations)
        first = search(plan.arrays, mean, lanes, ticks_of(interval), seed, windows=windows).priorities
    ranks = ranks_of(first, plan.arrays, means)
    problem = pose(plan, durations, model, terms, retry, seed, lanes, ranks, interval, windows)
    return Posed(plan, durations, model, terms, retry, seed, lanes, first, ranks, interval, windows, problem)
