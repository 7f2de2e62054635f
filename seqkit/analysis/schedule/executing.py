"""A trial of a schedule as the run that it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from seqkit.analysis.montecarlo.trial import Trial, who_fails
from seqkit.analysis.schedule.posing import Posed
from seqkit.analysis.schedule.problem import LATEST
from seqkit.core.calendar import Freeze, Window, windows_of
from seqkit.ledger import MemoryRunLedger
from seqkit.running.clock import VirtualClock
from seqkit.running.executor import run_plan
from seqkit.running.releasers import SimulatedReleaser

__all__ = ["executed"]


def executed(posed: Posed, trial: int, start: datetime | None, calendar: Sequence[Freeze]) -> Trial:
    """Run a trial on a clock that jumps, event for event what an engine follows."""
    clock = VirtualClock(start)
    outcome = run_plan(
        posed.plan,
        SimulatedReleaser(posed.model, rng=posed.seed, trial=trial, durations=posed.durations),
        MemoryRunLedger(ids=[f"trial-{trial}"], clock=clock),  # the same name each time, in pictures too
        policy=posed.terms.policy,
        failure_budget=posed.terms.failure_budget,
        attempts=replace(posed.retry, when=None),  # of a simulated failure nobody knows more than that it is one
        max_parallel=posed.lanes,
        priority=posed.priority,
        durations=posed.durations,
        min_interval=posed.interval,
        calendar=_as_dates(zip(calendar, windows_of(calendar, start), strict=True), clock()),
        clock=clock,
    )
    fails = {*who_fails(posed.plan, posed.model, posed.terms, posed.seed, trial), *outcome.failures}
    return Trial(tuple(repo for repo in posed.plan.released if repo in fails), outcome)


def _as_dates(freezes: Iterable[tuple[Freeze, Window]], start: datetime) -> list[Freeze]:
    """Give freezes as dates, to the tick, as trials go by them."""
    tick = timedelta(milliseconds=1)
    return [
        Freeze(start + begin * tick, start + min(end, LATEST) * tick, freeze.name, (begin - close) * tick)
        for freeze, (close, begin, end) in freezes
        if begin < LATEST
    ]
