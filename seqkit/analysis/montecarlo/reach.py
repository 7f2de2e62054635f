"""What a trial can come to at all: which repos may and which must fail, be skipped or be released.

Errors rest on it (:mod:`seqkit.analysis.estimate`): what cannot be otherwise is exact, however many trials were run.
Bounds may be wider than what can happen, never narrower, so that nothing is called exact that is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.estimate import Range
from seqkit.core.failures import CommonCause, FailureModel
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Terms
from seqkit.core.trains import loss_holds_up

__all__ = ["ENDS", "Reach", "coupled", "range_of_difference"]

ENDS = ("succeeded", "failed", "skipped")
"""What becomes of a released repo."""


@dataclass(frozen=True)
class Reach:
    """What can become of each repo to release, in plan order, whatever is drawn.

    Parameters
    ----------
    plan : SequencePlan
        What is released.
    terms : Terms
        What a run goes by.
    chances : sequence of (bool, bool)
        Of each repo to release: whether it may fail if it is tried, and whether it must.
    groups : sequence of repo ids
        Who may fail together.
    """

    plan: SequencePlan
    terms: Terms
    chances: Sequence[tuple[bool, bool]]
    groups: Sequence[Collection[str]] = ()

    @classmethod
    def under(cls, plan: SequencePlan, terms: Terms, model: FailureModel) -> Reach:
        """Take the chances from a model: a repo may fail all its tries where it may fail one.

        A common cause is never taken for certain.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
        >>> reach = Reach.under(plan, Terms(), FailureModel({"api": 1.0, "docs": 0.1}))
        >>> reach.count("succeeded"), reach.count("failed"), reach.count("skipped")
        (Range(least=1, most=2, swing=1), Range(least=1, most=2, swing=1), Range(least=0, most=0, swing=1))
        """
        struck = _causes(model)
        rates = [(repo, model.rate(repo)) for repo in plan.released]
        groups = [tuple(cause.repos) for cause in model.common_causes if cause.probability > 0]
        return cls(plan, terms, [(rate > 0 or repo in struck, rate == 1) for repo, rate in rates], groups)

    @cached_property
    def _linked(self) -> bool:
        """Whether what is lost holds up what needs it."""
        return loss_holds_up(self.plan, self.terms)

    @cached_property
    def _ends(self) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        arrays, stop_at = self.plan.arrays, self.terms.stop_at
        chances = iter(self.chances)
        n = len(arrays.ids)
        may_lose, must_lose = [False] * n, [False] * n  # of unreleased ones: what they hand on
        may_have_failed = must_have_failed = train = 0
        trains = self.plan.train_of
        rows: list[tuple[bool, ...]] = []
        for at, (released, needs) in enumerate(zip(arrays.released, arrays.dependencies, strict=True)):
            may_skip = must_skip = False
            if trains[at] != train:  # failures count from here
                may_have_failed, must_have_failed, train = 0, 0, trains[at]
            if self._linked:
                may_skip = any(may_lose[need] for need in needs)
                must_skip = any(must_lose[need] for need in needs)
            if not released:
                may_lose[at], must_lose[at] = may_skip, must_skip
                continue
            if stop_at is not None:
                may_skip = may_skip or may_have_failed >= stop_at
                must_skip = must_skip or must_have_failed >= stop_at
            can, certain = next(chances)
            may_fail, must_fail = can and not must_skip, certain and not may_skip
            may_lose[at], must_lose[at] = may_skip or may_fail, must_skip or certain
            may_have_failed += may_fail
            must_have_failed += must_fail
            rows.append((not must_lose[at], not may_lose[at], may_fail, must_fail, may_skip, must_skip))
        columns = np.array(rows, dtype=np.bool_).reshape(-1, 6)
        return {end: (columns[:, 2 * i], columns[:, 2 * i + 1]) for i, end in enumerate(ENDS)}

    def may(self, end: str) -> NDArray[np.bool_]:
        """Tell of each repo whether it can end so; `end` is one of :data:`ENDS`."""
        return self._ends[end][0]

    def must(self, end: str) -> NDArray[np.bool_]:
        """Tell of each repo whether it ends so in every trial."""
        return self._ends[end][1]

    def sure(self, end: str) -> NDArray[np.bool_]:
        """Tell of each repo whether it ends so in every trial or in none."""
        return self.must(end) | ~self.may(end)

    def count(self, end: str) -> Range:
        """Give how many repos end so in a trial at least, and at most."""
        most = int(self.may(end).sum())
        if end == "failed" and self.terms.meaning.stops:
            most = min(most, len(set(self.plan.train_of)))
        return Range(int(self.must(end).sum()), most, self.swing)

    @cached_property
    def swing(self) -> int:
        """Bound how many repos end otherwise where one that may fail does, or does not, or a group of them.

        All of the plan where a failure may stop the rest. Else the repo with all below it, which are counted once for
        each path: linear, and never too few.
        """
        arrays, n = self.plan.arrays, len(self.chances)
        if self.terms.stop_at is not None:
            return n
        below = [0] * len(arrays.ids)  # with the repo itself
        for at in range(len(arrays.ids) - 1, -1, -1):
            further = sum(below[dependent] for dependent in arrays.dependents[at]) if self.terms.blocks else 0
            below[at] = min(n, arrays.released[at] + further)
        own = dict(zip(self.plan.released, self.chances, strict=True))
        single = [below[arrays.position[repo]] for repo, (may, must) in own.items() if may and not must]
        together = [sum(below[arrays.position[repo]] for repo in group if repo in own) for group in self.groups]
        return min(n, max([1, *single, *together]))


def coupled(a: Reach, b: Reach, models: tuple[FailureModel, FailureModel]) -> frozenset[str]:
    """Name the repos that end alike on both sides in every trial: they and all before them share their draws."""
    if (a.terms.policy, a.terms.failure_budget) != (b.terms.policy, b.terms.failure_budget):
        return frozenset()
    causes_of_a, causes_of_b = (_causes(model) for model in models)
    of_a, of_b = a.plan.arrays, b.plan.arrays
    alike: set[str] = set()
    linked = b._linked
    for at, repo in enumerate(of_b.ids):
        there = of_a.position.get(repo)
        if there is None or of_a.released[there] != of_b.released[at]:
            continue
        same = not of_b.released[at] or _chance(repo, a, models[0], causes_of_a) == _chance(
            repo, b, models[1], causes_of_b
        )
        if linked:
            needs_of_a = {of_a.ids[need] for need in of_a.dependencies[there]}
            needs = {of_b.ids[need] for need in of_b.dependencies[at]}
            same = same and needs_of_a == needs and needs <= alike
        if same:
            alike.add(repo)
    whole = of_a.ids == of_b.ids and a.plan.train_of == b.plan.train_of and len(alike) == len(of_a.ids)
    if a.terms.stop_at is not None and not whole:
        return frozenset()  # a failure anywhere may stop the rest
    return frozenset(alike)


def _chance(
    repo: str, side: Reach, model: FailureModel, causes: Mapping[str, Sequence[CommonCause]]
) -> tuple[Any, ...]:
    """Give all that a repo's own draws hang on; more tries change nothing where none can fail or none succeed."""
    rate, struck = model.rate(repo), causes.get(repo, ())
    tries = None if rate in (0.0, 1.0) and not struck else (side.terms.attempts, model.share_hard(repo))
    train = side.plan.train_of[side.plan.position(repo)] if struck else 0  # which a cause strikes anew
    return rate, tuple(struck), tries, train


def _causes(model: FailureModel) -> dict[str, list[CommonCause]]:
    """Give the causes that may strike each repo, without their other members."""
    causes: dict[str, list[CommonCause]] = {}
    for cause in model.common_causes:
        alone = replace(cause, repos=())
        for repo in cause.repos if cause.probability > 0 else ():
            causes.setdefault(repo, []).append(alone)
    return causes


def range_of_difference(a: Reach, b: Reach, end: str, alike: Iterable[str]) -> Range:
    """Give how many more repos end so under b than under a in one trial.

    Repos in `alike` end alike on both sides, see :func:`coupled`.
    """
    alike = frozenset(alike)
    least = most = 0
    for sign, own in ((1, b), (-1, a)):
        for repo, may, must in zip(own.plan.released, own.may(end).tolist(), own.must(end).tolist(), strict=True):
            if repo not in alike:
                low, high = sorted((sign * must, sign * may))
                least, most = least + low, most + high
    of_a, of_b = a.count(end), b.count(end)
    swing = max(of_a.swing, of_b.swing)  # what happens on both sides moves both the same way
    return Range(max(least, of_b.least - of_a.most), min(most, of_b.most - of_a.least), swing)
