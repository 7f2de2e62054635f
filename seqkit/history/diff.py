"""What has changed between two plans: see :func:`diff_plans`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from seqkit._show.html import shortened, table
from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more
from seqkit.analysis.exact import Analysis, analysis_of
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.unknown import check_models

__all__ = ["PlanDiff", "diff_plans"]

_CHANGES = ("added", "removed", "released", "unreleased", "version", "digest", "promoter", "wave", "moved")
_SHOWN = 8


@dataclass(frozen=True, eq=False, repr=False)
class PlanDiff:
    """What has changed from plan `a` to plan `b`. Made by :func:`diff_plans`; false where nothing has."""

    a: SequencePlan
    """The plan before."""
    b: SequencePlan
    """The plan after."""
    analyses: tuple[Analysis, Analysis] | None = None
    """The exact analyses of both, where a model was given."""
    _changes: dict[str, list[str]] = field(default_factory=dict, repr=False)

    # ------------------------------------------------------------------ which repos

    @property
    def added(self) -> list[str]:
        """Repos that `b` has and `a` has not, released or not, in the order of `b`."""
        return [repo for repo in self.b.arrays.position if repo not in self.a.arrays.position]

    @property
    def removed(self) -> list[str]:
        """Repos that `a` has and `b` has not, in the order of `a`."""
        return [repo for repo in self.a.arrays.position if repo not in self.b.arrays.position]

    def changed(self, change: str) -> list[str]:
        """List the repos with one kind of change: one of those in the column `changes` of :meth:`to_frame`.

        Raises
        ------
        ValueError
            Where there is no such kind.
        """
        if change not in _CHANGES:
            raise ValueError(f"change is {as_given(change, 200)}, expected one of {_CHANGES}")
        return [repo for repo, changes in self._changes.items() if change in changes]

    @property
    def versions(self) -> dict[str, tuple[str, str]]:
        """Versions before and after, of the repos released in both plans at another one."""
        return {
            repo: (_item(self.a, repo).version_label, _item(self.b, repo).version_label)
            for repo in self.changed("version")
        }

    @cached_property
    def dependencies_added(self) -> list[tuple[str, str]]:
        """Pairs (dependency, dependent) that only `b` has, sorted."""
        return sorted(set(self.b.edges) - set(self.a.edges))

    @cached_property
    def dependencies_removed(self) -> list[tuple[str, str]]:
        """Pairs (dependency, dependent) that only `a` has, sorted."""
        return sorted(set(self.a.edges) - set(self.b.edges))

    def __bool__(self) -> bool:
        """Whether anything has changed."""
        return bool(self.dependencies_added or self.dependencies_removed or any(self._changes.values()))

    # ------------------------------------------------------------------ how likely

    def _both(self) -> tuple[Analysis, Analysis]:
        if self.analyses is None:
            raise ValueError("the plans were compared without a model; diff_plans(a, b, model=…) takes one")
        return self.analyses

    @property
    def expected_change(self) -> float:
        """How many more repos are expected to be released under `b` than under `a`.

        Raises
        ------
        ValueError
            Where no model was given.
        """
        a, b = self._both()
        return b.expected.succeeded - a.expected.succeeded

    @property
    def p_all_change(self) -> float:
        """By how much the probability that every repo is released is higher under `b` than under `a`."""
        a, b = self._both()
        return b.p_all_succeed - a.p_all_succeed

    # ------------------------------------------------------------------ showing

    def to_frame(self) -> pd.DataFrame:
        """Compare the plans repo by repo.

        Returns
        -------
        DataFrame
            Index `repo_id` (string): the repos of `b` in its order, then those that it lost in the order of `a`.

            - `changes` (object: list of str): ``added``, ``removed``: only one plan has it; ``released``,
              ``unreleased``: what it became; ``version``, ``digest``, ``promoter``: of a repo released in both;
              ``wave``: of such a repo; ``moved``: its place among the repos that both plans have.
            - `position_a`, `position_b`, `wave_a`, `wave_b` (Int64): ``<NA>`` where it is not in that plan;
              waves also where it is not released.
            - `version_a`, `version_b` (string): ``<NA>`` where it is not released.
            - `p_succeeded_a`, `p_succeeded_b` (Float64), only with a model: probability that it is released.
        """
        repos = list(self._changes)
        columns: dict[str, Any] = {"changes": dtypes.objects([list(self._changes[repo]) for repo in repos])}
        sides = {"a": _side(self.a), "b": _side(self.b)}
        makers: dict[str, Callable[[list[Any]], Any]] = {
            "position": dtypes.integer,
            "wave": dtypes.integer,
            "version": dtypes.string,
        }
        for name, make in makers.items():
            for side, known in sides.items():
                columns[f"{name}_{side}"] = make([known[name].get(repo) for repo in repos])
        if self.analyses is not None:
            for side, analysis in zip(sides, self.analyses, strict=True):
                chances = analysis.to_frame()["p_succeeded"].to_dict()
                columns[f"p_succeeded_{side}"] = pd.array([chances.get(repo) for repo in repos], dtype="Float64")
        frame = dtypes.frame(columns)
        frame.index = dtypes.index(repos)
        return frame

    def _lines(self) -> list[tuple[str, int, str]]:
        """What has changed, kind by kind: the kind, how many, and which."""
        lines = [(change, self.changed(change)) for change in _CHANGES]
        told = [
            (change, len(repos), ", ".join(self._told(change, repo) for repo in repos[:_SHOWN]))
            for change, repos in lines
        ]
        for name, edges in (
            ("dependency added", self.dependencies_added),
            ("dependency removed", self.dependencies_removed),
        ):
            told.append(
                (name, len(edges), ", ".join(f"{shortened(b, 40)} needs {shortened(a, 40)}" for a, b in edges[:_SHOWN]))
            )
        return [(name, count, which + and_more(count - _SHOWN)) for name, count, which in told if count]

    def _told(self, change: str, repo: str) -> str:
        name = shortened(repo, 40)
        if change == "version":
            before, after = self.versions[repo]
            return f"{name} {shortened(before, 20)} → {shortened(after, 20)}"
        if change == "wave":
            old, new = (plan.arrays.waves[plan.position(repo)] for plan in (self.a, self.b))
            return f"{name} {old} → {new}"
        return name

    def _summary(self) -> str:
        a, b = len(self.a.released), len(self.b.released)
        text = f"{a} → {b} repos to release"
        if self.analyses is not None:
            before, after = self.analyses
            text += (
                f"; expected released {before.expected.succeeded:.4g} → {after.expected.succeeded:.4g}"
                f", all with probability {before.p_all_succeed:.3g} → {after.p_all_succeed:.3g}"
            )
        return text

    def __repr__(self) -> str:
        if not self:
            return f"PlanDiff(no difference; {self._summary()})"
        lines = "".join(f"\n  {name} ({count}): {which}" for name, count, which in self._lines())
        return f"PlanDiff({self._summary()}){lines}"

    def _repr_html_(self) -> str:
        return table(
            f"From plan to plan: {self._summary()}",
            ["change", "how many", "which"],
            self._lines(),
            "" if self else "no difference",
        )


def diff_plans(a: SequencePlan, b: SequencePlan, model: ModelLike | None = None, attempts: int = 1) -> PlanDiff:
    """Tell what has changed between two plans: repos, order, waves, versions, dependencies, and the odds.

    Parameters
    ----------
    a, b : SequencePlan
        The plan before, and the plan after.
    model : float, mapping, Series or FailureModel, optional
        With the probability that a try fails, the expected number of releases and the probability that
        every repo is released are compared too, exactly, under ``skip_dependents``.
    attempts : int
        How often a repo is tried, for the model.

    Returns
    -------
    PlanDiff
        ``.to_frame()``, ``.added``, ``.removed``, ``.versions``, ``.changed(kind)``, ``.dependencies_added``,
        ``.dependencies_removed``; with a model ``.expected_change``, ``.p_all_change`` and ``.analyses``.

    Raises
    ------
    TypeError, ValueError
        Where an argument is no plan, or no model, or the model names only repos that neither plan has and nothing
        else could fail.

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    A repo counts as moved where it does not belong to the longest sequence of repos that stands in both plans
    in the same order (Schensted 1961, doi:10.4153/CJM-1961-015-3): so one repo that changes its place has moved
    and the others have not. Only repos that both plans have are looked at. O(n log n).

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> before = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")])
    >>> after = RepoDependencyGraph.from_edges([("core", "api"), ("api", "docs"), ("docs", "site")])
    >>> diff = diff_plans(build_plan(before, version="1.0"), build_plan(after, version="1.1"), model=0.1)
    >>> diff
    PlanDiff(3 → 4 repos to release; expected released 2.52 → 3.095, all with probability 0.729 → 0.656)
      added (1): site
      version (3): core 1.0 → 1.1, api 1.0 → 1.1, docs 1.0 → 1.1
      wave (1): docs 1 → 2
      dependency added (2): docs needs api, site needs docs
      dependency removed (1): docs needs core
    """
    for argument, plan in (("a", a), ("b", b)):
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"{argument} is {as_given(plan)}, expected a SequencePlan; build_plan(graph, …) makes one")
    analyses = None
    if model is not None:
        read, tries = as_model(model), whole("attempts", attempts, 1)
        check_models([a, b], model=read)
        analyses = (analysis_of(a, read, tries), analysis_of(b, read, tries))
    moved = _moved(a, b)
    changes: dict[str, list[str]] = {}
    for repo in [*b.arrays.position, *(repo for repo in a.arrays.position if repo not in b.arrays.position)]:
        if repo not in a.arrays.position or repo not in b.arrays.position:
            changes[repo] = ["removed" if repo in a.arrays.position else "added"]
        else:
            changes[repo] = [*_changes_of(a, b, repo), *(["moved"] if repo in moved else [])]
    return PlanDiff(a, b, analyses, changes)


def _changes_of(a: SequencePlan, b: SequencePlan, repo: str) -> list[str]:
    before, after = _item(a, repo), _item(b, repo)
    was, now = (plan.arrays.released[plan.arrays.position[repo]] for plan in (a, b))
    if was != now:
        return ["released" if now else "unreleased"]
    if not now:
        return []
    pairs = {
        "version": (before.version_label, after.version_label),
        "digest": (before.spec_digest, after.spec_digest),
        "promoter": (before.promoted_by, after.promoted_by),
        "wave": (a.arrays.waves[a.arrays.position[repo]], b.arrays.waves[b.arrays.position[repo]]),
    }
    return [change for change, (old, new) in pairs.items() if old != new]


def _item(plan: SequencePlan, repo: str) -> Any:
    return plan.items[plan.arrays.position[repo]]


def _side(plan: SequencePlan) -> dict[str, Mapping[str, Any]]:
    released = zip(plan.items, plan.arrays.waves, plan.arrays.released, strict=True)
    rows = [(item.repo_id, wave, item.version_label if yes else None) for item, wave, yes in released]
    return {
        "position": plan.arrays.position,
        "wave": {repo: wave for repo, wave, _ in rows},
        "version": {repo: version for repo, _, version in rows},
    }


def _moved(a: SequencePlan, b: SequencePlan) -> set[str]:
    """Give the repos outside the longest common order of the repos that both plans have."""
    common = [repo for repo in b.arrays.position if repo in a.arrays.position]
    kept = _longest_rise([a.arrays.position[repo] for repo in common])
    return {repo for index, repo in enumerate(common) if index not in kept}


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Give the indices of a longest ascending subsequence of different numbers, by patience sorting."""
    tops: list[int] = []  # the least number that ends a rise of each length
    at: list[int] = []  # its index
    before: list[int] = []
    for index, number in enumerate(numbers):
        pile = bisect_left(tops, number)
        before.append(at[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(number)
            at.append(index)
        else:
            tops[pile], at[pile] = number, index
    kept: set[int] = set()
    index = at[-1] if at else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept
