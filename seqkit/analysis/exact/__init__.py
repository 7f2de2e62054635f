"""The exact analysis of a release plan under ``skip_dependents``: see :func:`analyze`."""

from __future__ import annotations

from seqkit._util.secrets import as_given
from seqkit.analysis.exact.analysis import Analysis, Expected
from seqkit.analysis.exact.faults import mixture_of
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy, Terms
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models

__all__ = ["Analysis", "Expected", "analyze"]


def analyze(
    plan: PlanLike,
    model: ModelLike,
    attempts: int = 1,
    *,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
) -> Analysis:
    """Work out exactly how a release is likely to go, at any size.

    A repo succeeds where it and all its ancestors do, so P(v succeeds) = ∏ q over the ancestors of v
    and v itself; v fails with p[v] ∏ q over its ancestors, and is skipped otherwise. A common cause of severity 1
    counts as one more ancestor of its members; for each set of milder ones that may strike the same is worked out
    with what the members then fail with, and averaged.

    Parameters
    ----------
    plan : SequencePlan, or a list of them
        What is released; of a list, trains that leave one after the other: see :meth:`seqkit.SequencePlan.split`.
        Repos fail independently, common causes apart; unreleased ones never do.
    model : float, mapping, Series or FailureModel
        The probability that a first attempt fails, for all or by repo id. At most 12 common causes may strike or
        not; not counted are causes with one member in the plan, and of causes of severity 1 with the same members
        all but one, since these fold together.
    attempts : int
        How often a repo is tried. It fails with b + (1 - b) f^k for k attempts, where the share `hard` of the model
        splits its rate p into b, broken whatever is tried, and f, a flake each time (see
        :class:`seqkit.FailureModel`): p^k where hard is 0, as it is by default. Against a common cause retries help
        as far as its severity is below 1.
    policy, failure_budget
        Only the default, ``skip_dependents`` without a budget, has closed forms.

    Returns
    -------
    Analysis
        `.to_frame()`, `.expected`, `.std_succeeded`, `.p_all_succeed`, `.p_at_least()`,
        `.distribution()`, `.importance()`, `.outcome_probability()`, `.most_probable_outcomes()`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as above; for other policies and more causes use simulate. Where the model names
        only repos that the plan does not have, and nothing else could fail.

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    0.1 s for 10,000 repos with three dependencies each, a few seconds for 60,000: it sums logarithms
    over the transitive closure, in blocks of bounded memory.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> analysis = analyze(plan, 0.5)
    >>> analysis
    Analysis(seq-...: of 3 repos expect 1 released, 1 failed, 1 skipped; all released with probability 0.125)
    >>> analysis.expected.skipped
    1.0
    >>> analyze(plan, 0.5, attempts=2).to_frame().loc["core", "p_failed"].item()
    0.25
    >>> analyze(plan, {"croe": 0.5})
    Traceback (most recent call last):
    ValueError: the rates of model name 1 repo that the plan does not have: 'croe' (did you mean 'core'?), and ...
    """
    plan = as_plan(plan)
    checked = as_model(model)
    terms = Terms(policy, failure_budget, attempts)
    if not Terms(policy).closed_form:
        raise ValueError(
            f"policy is {as_given(policy, 200)}, expected 'skip_dependents', the only one with closed forms; "
            f"simulate(plan, model, policy={policy!r}) estimates it"
        )
    if not terms.closed_form:
        raise ValueError(
            f"failure_budget is {as_given(failure_budget, 200)}, expected None: a budget has no closed form; "
            f"simulate(plan, model, failure_budget={failure_budget!r}) estimates it"
        )
    check_models([plan], model=checked)
    return analysis_of(plan, checked, terms.attempts)


def analysis_of(plan: SequencePlan, model: FailureModel, attempts: int) -> Analysis:
    """Analyze under a model whose names have been checked."""
    return Analysis(plan, model, attempts, mixture_of(plan, model, attempts))
