"""One trial of a simulation, through the rule machine."""

from __future__ import annotations

from typing import NamedTuple

from seqkit.analysis.montecarlo.experiment import tries_that_count
from seqkit.core.failures import FailureModel
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Terms
from seqkit.core.trains import follow_trains
from seqkit.errors import SequencingFailed, as_recorded

__all__ = ["Trial", "run_trial", "who_fails"]


class Trial(NamedTuple):
    """One trial of a simulation, as a run that one can look at."""

    failures: tuple[str, ...]
    """Who fails when tried, in plan order. Who of them is blocked is never tried, and so is not in `outcome.failed`."""
    outcome: SequenceOutcome
    """What the rules make of it."""


def who_fails(plan: SequencePlan, model: FailureModel, terms: Terms, seed: int, trial: int) -> tuple[str, ...]:
    """Give the repos that are out of attempts when they are tried, in plan order."""
    return tuple(repo for repo in plan.released if _all_fail(plan, model, terms, seed, trial, repo))


def _all_fail(plan: SequencePlan, model: FailureModel, terms: Terms, seed: int, trial: int, repo: str) -> bool:
    train = plan.train_of[plan.arrays.position[repo]]
    tries = tries_that_count(model, repo, terms.attempts, len(plan.items))
    return all(model.reason(repo, attempt, seed, trial, train) is not None for attempt in range(1, tries + 1))


def run_trial(plan: SequencePlan, model: FailureModel, terms: Terms, seed: int, trial: int) -> Trial:
    """Run one trial through the rule machine, with the draws that the kernels count."""
    train_of, position = plan.train_of, plan.arrays.position

    def why(repo: str, attempt: int) -> str | None:
        told = model.reason(repo, attempt, seed, trial, train_of[position[repo]])
        return None if told is None else as_recorded(SequencingFailed(repo, told))

    return Trial(who_fails(plan, model, terms, seed, trial), follow_trains(plan, terms, why, seed))
