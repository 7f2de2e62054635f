"""When a scenario ends: what that hangs on, and how few trials tell it while a hand waits."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from seqkit._util.arguments import whole
from seqkit.analysis.estimate import Estimate, Share
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.core.durations import DurationModel
from seqkit.core.failures import FailureModel
from seqkit.core.terms import Terms
from seqkit.core.times import seconds_of

__all__ = ["Time", "deadline_of", "lanes_of", "on_time", "only_of", "trials_for"]

_IN_LANES, _WITHOUT_LANES = 9_600, 200_000  # trials × repos of a schedule: some hundredths of a second
_FEWEST = 64  # trials


@dataclass(frozen=True)
class Time:
    """What the end of a run hangs on beside its failures."""

    durations: DurationModel | None
    """How long attempts take; None where it is not known."""
    scale: float
    """By what that is multiplied."""
    lanes: int | None
    """How many releases at once; None for no limit."""
    deadline: float | None
    """Seconds from the start; None where there is none."""


def lanes_of(value: int | None) -> int | None:
    """Read how many releases there are at once."""
    return None if value is None else whole("max_parallel", value, 1)


def deadline_of(value: float | timedelta | None) -> float | None:
    """Read a deadline."""
    return None if value is None else seconds_of(value, "deadline")


def trials_for(n: int, lanes: int | None, terms: Terms) -> int:
    """Say how many trials of a train of n repos are followed.

    Examples
    --------
    >>> trials_for(100, 4, Terms()), trials_for(100, None, Terms()), trials_for(2_000, 4, Terms())
    (96, 2000, 64)
    """
    free = (lanes is None or lanes >= n) and terms.stop_at is None  # then all trials are followed at once
    return max(_FEWEST, (_WITHOUT_LANES if free else _IN_LANES) // max(1, n))


def on_time(train: Schedule, p_all_succeed: float, deadline: float) -> float:
    """Give the probability that everything is released by a deadline, never above that of being released at all.

    It is the latter, which is mostly exact, times the share that is done by then of the trains in which everything is
    released.
    """
    if p_all_succeed == 0:
        return 0.0
    done, complete = train.p_done_by(deadline), round(train.p_complete * train.trials)
    if done.exact:
        return float(done)
    if not complete:
        return done
    part = Share(round(done * train.trials), complete)
    error = math.hypot(part.se * p_all_succeed, part * getattr(p_all_succeed, "se", 0.0))
    return Estimate(float(p_all_succeed * part), error)


def only_of(repos: Collection[str], model: FailureModel) -> FailureModel:
    """Give what a model says of these repos: one that names no others."""
    named = {*model.rates, *(repo for cause in model.common_causes for repo in cause.repos)}
    if named <= set(repos) and isinstance(model.hard, float):
        return model
    causes = [replace(cause, repos=[repo for repo in cause.repos if repo in repos]) for cause in model.common_causes]
    rates = {repo: rate for repo, rate in model.rates.items() if repo in repos}
    hard = model.hard
    if not isinstance(hard, float):
        hard = {repo: share for repo, share in hard.items() if repo in repos}
    return FailureModel(rates, model.default, causes, hard)
