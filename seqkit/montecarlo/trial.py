"""One trial of a simulation, through the rule machine."""

from __future__ import annotations

from typing import NamedTuple

from seqkit.errors import SequencingFailed
from seqkit.failures import FailureModel
from seqkit.outcome import SequenceOutcome
from seqkit.plan import SequencePlan
from seqkit.rules import Policy, Rules, Start

__all__ = ["Trial", "run_trial"]


class Trial(NamedTuple):
    """One trial of a simulation, as a run that one can look at."""

    failures: tuple[str, ...]
    """Who fails when tried, in plan order. Who of them is blocked is never tried, and so is not in `outcome.failed`."""
    outcome: SequenceOutcome
    """What the rules make of it."""


def run_trial(
    plan: SequencePlan,
    model: FailureModel,
    policy: Policy,
    failure_budget: int | None,
    attempts: int,
    seed: int,
    trial: int,
) -> Trial:
    """Run one trial through the rule machine, with the draws that the kernels count."""
    failures = tuple(
        repo
        for repo in plan.released
        if all(model.reason(repo, attempt, seed, trial) is not None for attempt in range(1, attempts + 1))
    )
    rules = Rules(plan, policy, failure_budget, attempts)
    while (step := rules.take()) is not None:
        if not isinstance(step, Start):
            continue
        rules.start(step.repo_id)
        attempt = 1
        while (reason := model.reason(step.repo_id, attempt, seed, trial)) is not None:
            if not rules.fail(step.repo_id, str(SequencingFailed(step.repo_id, reason))):
                break
            attempt += 1
        else:
            rules.succeed(step.repo_id, f"run-{step.repo_id}")
    return Trial(failures, rules.outcome(seed=seed))
