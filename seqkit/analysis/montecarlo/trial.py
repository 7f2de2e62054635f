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

__all__ = ["Trial", "run_trial"]


class Trial(NamedTuple):
    """One trial of a simulation, as a run that one can look at."""

    failures: tuple[str, ...]
    """Who fails when tried, in plan order. Who of them is blocked is never tried, and so is not in `outcome.failed`."""
    outcome: SequenceOutcome
    """What the rules make of it."""


def run_trial(plan: SequencePlan, model: FailureModel, terms: Terms, seed: int, trial: int) -> Trial:
    """Run one trial through the rule machine, with the draws that the kernels count."""
    train_of, position = plan.train_of, plan.arrays.position

    def reason(repo: str, attempt: int) -> str | None:
        return model.reason(repo, attempt, seed, trial, train_of[position[repo]])

    def fails(repo: str) -> bool:
        tries = tries_that_count(model, repo, terms.attempts, len(plan.items))
        return all(reason(repo, attempt) is not None for attempt in range(1, tries + 1))

    def why(repo: str, attempt: int) -> str | None:
        told = reason(repo, attempt)
        return None if told is None else as_recorded(SequencingFailed(repo, told))

    return Trial(tuple(filter(fails, plan.released)), follow_trains(plan, terms, why, seed))
