"""Which lane each attempt of a trial takes: nobody draws it, and it changes no time, so it is worked out afterwards."""

from __future__ import annotations

from seqkit.analysis.schedule.loop import TrialAttempt, TrialRun
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["in_lanes"]


def in_lanes(problem: ScheduleProblem, run: TrialRun) -> list[tuple[int, int]]:
    """Give for each attempt of a trial the lane that it took, and how long: the lowest that was free as it started."""
    rounds: dict[TrialAttempt, int] = {}
    attempts: list[TrialAttempt] = []
    for last in run.last:
        attempt = last
        while attempt is not None:
            attempts.append(attempt)
            attempt = attempt.before
    attempts.sort(key=lambda one: one.start)
    for one in attempts:
        _round_of(one, rounds)
    attempts.sort(key=lambda one: (one.start, rounds[one], problem.rank[one.job]))
    lanes: list[TrialAttempt | None] = []  # who was the last in each
    told = []
    for one in attempts:
        lane = next((at for at, before in enumerate(lanes) if _has_left(before, one, rounds)), len(lanes))
        lanes[lane : lane + 1] = [one]
        told.append((lane, one.end - one.start))
    return told


def _round_of(attempt: TrialAttempt, rounds: dict[TrialAttempt, int]) -> int:
    """Say in which round of its instant an attempt started: what takes no time ends then, and more may start."""
    freed, chain = attempt, []
    while freed not in rounds:
        chain.append(freed)
        let_by = freed.let_by
        if let_by is None or freed.by_time or not let_by.start == let_by.end == freed.start:
            rounds[freed] = 0
            break
        freed = let_by
    for one in reversed(chain):
        if one not in rounds:
            rounds[one] = rounds[one.let_by] + 1  # type: ignore[index]  # followed above
    return rounds[attempt]


def _has_left(before: TrialAttempt | None, one: TrialAttempt, rounds: dict[TrialAttempt, int]) -> bool:
    """Tell whether an attempt has ended as another starts."""
    assert before is not None  # noqa: S101  # tells mypy: a lane is one that somebody took
    if before.end != one.start or before.start != one.start:
        return before.end <= one.start
    return rounds[before] < rounds[one]
