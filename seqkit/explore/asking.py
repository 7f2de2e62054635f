"""What is worth asking about a plan: questions of each kind, those with something to them apart."""

from __future__ import annotations

from collections.abc import Sequence

from seqkit.analysis.blast import blast_radius
from seqkit.analysis.steps import needed_releases
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy, Terms
from seqkit.explore.questions import InOrder, NextUp, Question, Skipped

__all__ = ["in_order", "may_go", "next_up", "skipped"]

Sorted = tuple[list[Question], list[Question]]
"""Questions with something to them, and the others."""


def may_go(plan: SequencePlan) -> list[int]:
    """Count who may go after none, one, two … of the repos to release have gone in plan order.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> may_go(build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0"))
    [1, 2, 1]
    """
    needs = needed_releases(plan)
    left = {repo: len(needed) for repo, needed in needs.items()}
    frees: dict[str, list[str]] = {repo: [] for repo in needs}
    for repo, needed in needs.items():
        for other in needed:
            frees[other].append(repo)
    count = sum(not number for number in left.values())
    counts = []
    for repo in plan.released:
        counts.append(count)
        count -= 1
        for other in frees[repo]:
            left[other] -= 1
            count += not left[other]
    return counts


def next_up(plan: SequencePlan) -> Sorted:
    """Give the questions of who may go next; several may and others may not where there is something to them.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> [question.text for question in next_up(build_plan(graph, version="1"))[0]]
    ['1 repo is released, core last. Name one that may go next.']
    """
    n = len(plan.released)
    return _sorted([NextUp(plan, done) for done in range(n)], [2 <= x < n - i for i, x in enumerate(may_go(plan))])


def skipped(plan: SequencePlan, policy: Policy, most: int) -> Sorted:
    """Give the questions of whom a failure skips; somebody, but no more than `most`, where there is something to them.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> [question.subject for question in skipped(build_plan(graph, version="1"), "skip_dependents", most=2)[0]]
    ['api']
    """
    released, terms = plan.released, Terms(policy)
    if terms.stop_at is not None:
        counts = list(range(len(released) - 1, -1, -1))
    elif terms.blocks:
        counts = blast_radius(plan)["n_dependents"].loc[released].tolist()
    else:
        counts = [0] * len(released)
    return _sorted([Skipped(plan, repo, policy) for repo in released], [1 <= count <= most for count in counts])


def in_order(plan: SequencePlan, length: int) -> Sorted:
    """Give the questions of an order of `length` repos; one needs another where there is something to them.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> [question.candidates for part in in_order(build_plan(graph, version="1"), 2) for question in part]
    [['api', 'core'], ['api', 'docs'], ['app', 'docs']]
    """
    released, needs = plan.released, needed_releases(plan)
    length = min(length, len(released))
    starts = range(len(released) - length + 1)
    stretches = [set(released[start : start + length]) for start in starts]
    good = [any(not stretch.isdisjoint(needs[repo]) for repo in stretch) for stretch in stretches]
    return _sorted([InOrder(plan, start, length) for start in starts], good)


def _sorted(questions: Sequence[Question], good: Sequence[bool]) -> Sorted:
    pairs = list(zip(questions, good, strict=True))
    return [question for question, is_good in pairs if is_good], [
        question for question, is_good in pairs if not is_good
    ]
