"""What if these repos fail? One answer, without a ledger and without chance."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from seqkit._util.secrets import as_given
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import fail_ids, follow
from seqkit.core.terms import Policy, Terms
from seqkit.errors import SequencingFailed, as_recorded

__all__ = ["outcome_where", "what_if"]


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
    if not isinstance(plan, SequencePlan):
        raise TypeError(f"plan is {as_given(plan, 200)}, expected a SequencePlan: build_plan makes one of a graph")
    return outcome_where(plan, Terms(policy, failure_budget), fail_ids(plan, fail))


def outcome_where(plan: SequencePlan, terms: Terms, failing: Collection[str]) -> SequenceOutcome:
    """Do what :func:`what_if` does, with arguments that have been read. Who fails would fail again: no retries."""

    def reason(repo: str, attempt: int) -> str | None:
        return as_recorded(SequencingFailed(repo, "what if it fails")) if repo in failing else None

    return follow(plan, replace(terms, attempts=1), reason).outcome()
