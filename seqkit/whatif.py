"""What if these repos fail? One answer, without a ledger and without chance."""

from __future__ import annotations

from collections.abc import Iterable

from seqkit.errors import SequencingFailed
from seqkit.outcome import SequenceOutcome
from seqkit.plan import SequencePlan
from seqkit.rules import Policy, Rules, Start, fail_ids

__all__ = ["what_if"]


def what_if(
    plan: SequencePlan,
    fail: str | Iterable[str] = (),
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
) -> SequenceOutcome:
    """Follow the plan with some repos failing and all others released.

    Parameters
    ----------
    plan : SequencePlan
        What to follow.
    fail : str or iterable of str
        Who fails when tried. A repo that is blocked by another's failure is never tried; an
        unreleased repo never fails.
    policy, failure_budget
        What a failure means for the rest, as in :func:`seqkit.execute_plan`.

    Returns
    -------
    SequenceOutcome
        Without a ledger; released repos are released as ``run-<repo_id>``.

    Raises
    ------
    RepoNotFound
        Where a repo that should fail is not in the plan.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> what_if(plan, fail="core").skipped
    ['api', 'docs']
    >>> what_if(plan, fail="api").succeeded
    ['core', 'docs']
    """
    failing = fail_ids(plan, fail)
    rules = Rules(plan, policy, failure_budget)
    while (step := rules.take()) is not None:
        if isinstance(step, Start):
            rules.start(step.repo_id)
            if step.repo_id in failing:
                rules.fail(step.repo_id, str(SequencingFailed(step.repo_id, "what if it fails")))
            else:
                rules.succeed(step.repo_id, f"run-{step.repo_id}")
    return rules.outcome()
