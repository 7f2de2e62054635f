"""Criticality of one trial: the chain of what let what start, back from the end of the run."""

from __future__ import annotations

from seqkit.analysis.schedule.loop import TrialAttempt, TrialRun
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["critical_jobs"]


def critical_jobs(problem: ScheduleProblem, run: TrialRun) -> tuple[set[int], set[int]]:
    """Give the jobs on the chain of what let what start, and those on the chain of dependencies alone.

    Both begin with the job that ended last, of several the last in plan order. The first goes from an attempt to what
    let it start: to the attempt before it at the same job where only its wait was in the way, to the end of what was
    needed, or to the attempt that freed the lane. Where an interval was in the way it goes on with what let the
    attempt before that start, whose own time does not matter. Where a freeze was in the way it ends: what came before
    could have ended later. The second goes to the last that was needed each time.
    """
    ended = [job for job, attempt in enumerate(run.last) if attempt is not None and attempt.end == run.end]
    if not ended:
        return set(), set()
    tail = max(ended)
    by_dependencies = {tail}
    need = _last_need(problem, run, tail)
    while need is not None:
        by_dependencies.add(need)
        need = _last_need(problem, run, need)
    by_all = set()
    attempt, counts = run.last[tail], True
    while attempt is not None:
        if counts:
            by_all.add(attempt.job)
        attempt, counts = _let_by(problem, run, attempt)
    return by_all, by_dependencies


def _let_by(problem: ScheduleProblem, run: TrialRun, attempt: TrialAttempt) -> tuple[TrialAttempt | None, bool]:
    """Give what let an attempt start, and whether the time that this took matters."""
    if attempt.start > attempt.due:
        return None if attempt.by_calendar else attempt.let_by, not attempt.by_time
    if attempt.before is not None:
        return attempt.before, True
    need = _last_need(problem, run, attempt.job)
    return (None if need is None else run.last[need]), True


def _last_need(problem: ScheduleProblem, run: TrialRun, job: int) -> int | None:
    """Give what a job needs that ended last, of several the last in plan order."""
    needs = problem.needs[problem.first_need[job] : problem.first_need[job + 1]].tolist()
    return max(needs, key=lambda other: (run.finish[other], other), default=None)
