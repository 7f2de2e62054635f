"""What must go out: the repos that changed, and everything downstream that has to be released again.

>>> from seqkit.core.graph import RepoDependencyGraph
>>> edges = [("core", "api"), ("api", "app"), ("core", "docs")]
>>> graph = RepoDependencyGraph.from_edges(edges, nodes={repo: {"version": "1.0.0"} for repo in ("core", "api", "app")})
>>> plan = plan_changes(graph, "api", bump="minor")
>>> plan
ChangePlan(seq-c0015f57: 2 repos: 1 changed, 1 because of a dependency; 2 not concerned)
>>> [(item.repo_id, item.version_label) for item in plan.items]
[('api', '1.1.0'), ('app', '1.0.1')]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ValidationError

from seqkit._show.html import folded, names, page, rows_of, shortened
from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural, quoted
from seqkit.core.graph import GraphSnapshot, RepoDependencyGraph
from seqkit.core.ids import checked_text
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.core.model import RepoReleaseStatus, SequenceItem
from seqkit.core.plan import SequencePlan, plan_of, plan_of_items, snapshot_of
from seqkit.core.versions import BUMPS, Bump, bumped

__all__ = ["ChangePlan", "plan_changes"]

REASONS = ("changed", "dependency")
"""Why a repo goes out, in the order in which frames sort them."""

_PENDING = RepoReleaseStatus.pending()
_SHOWN = 6
_FOLDED = 50


@dataclass(frozen=True)
class Change:
    """Why a repo goes out, and how its version was proposed."""

    reason: Literal["changed", "dependency"]
    because_of: tuple[str, ...]
    before: str | None
    bump: str | None


class ChangePlan(SequencePlan, key="changes"):
    """A plan that knows why each of its repos goes out, and what was left out on purpose.

    Made by :func:`plan_changes`; its JSON keeps the reasons.
    """

    def __init__(
        self,
        items: Iterable[SequenceItem],
        snapshot: GraphSnapshot,
        originating_run_id: str,
        changes: Mapping[str, Change],
        left_out: Mapping[str, str],
        plan_id: str | None = None,
    ) -> None:
        super().__init__(items, snapshot, originating_run_id, plan_id)
        self._changes = changes
        self._left_out = left_out

    @property
    def reasons(self) -> pd.DataFrame:
        """Why each repo goes out.

        Returns
        -------
        DataFrame
            Index `repo_id` (string), the repos to release in plan order:

            - `reason` (ordered categorical): ``changed``, or ``dependency``: something that it needs goes out.
            - `because_of` (object: list of repo ids): what the change reached of that which it needs directly, private
              repos too.
            - `version_before`, `version_after`, `bump` (string): the version that it had, ``<NA>`` where nobody knows,
              the one proposed, and by which rule: ``major``, ``minor``, ``patch``, or ``given``.
        """
        changes = [self._changes[repo] for repo in self.released]
        labels = {item.repo_id: item.version_label for item in self.items}
        frame = dtypes.frame(
            {
                "reason": dtypes.categorical([change.reason for change in changes], REASONS),
                "because_of": dtypes.objects([list(change.because_of) for change in changes]),
                "version_before": dtypes.string([change.before for change in changes]),
                "version_after": dtypes.string([labels[repo] for repo in self.released]),
                "bump": dtypes.string([change.bump for change in changes]),
            }
        )
        frame.index = dtypes.index(self.released)
        return frame

    @property
    def left_out(self) -> pd.DataFrame:
        """What is deliberately not in the plan: index `repo_id`, column `why` (string), in the order of the graph.

        Repos that have nothing to do with what changed are not listed.
        """
        frame = dtypes.frame({"why": dtypes.string(list(self._left_out.values()))})
        frame.index = dtypes.index(list(self._left_out))
        return frame

    def without(self, repos: str | Iterable[str]) -> ChangePlan:
        """Plan the same changes without some repos, as :meth:`SequencePlan.without` does."""
        rest = super().without(repos)
        changes = {repo: self._changes[repo] for repo in rest.released}
        taken = dict.fromkeys([repo for repo in self.released if repo not in changes], "taken out of the plan")
        return ChangePlan(rest.items, snapshot_of(rest), self.originating_run_id, changes, {**self._left_out, **taken})

    def to_json(self) -> str:
        """Write the plan as :meth:`SequencePlan.to_json` does, with ``changes`` and ``left_out`` beside its keys.

        ``changes: {repo: {reason, because_of, before, bump}}``, ``left_out: {repo: why}``.
        """
        known = {
            "changes": {repo: asdict(self._changes[repo]) for repo in self.released},
            "left_out": dict(self._left_out),
        }
        return json.dumps({**json.loads(super().to_json()), **known}, ensure_ascii=False)

    @classmethod
    def _of_json(cls, content: object) -> ChangePlan:
        plan = plan_of(content)
        try:
            read = _ChangesJson.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"not a plan: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if missing := [repo for repo in plan.released if repo not in read.changes]:
            raise ValueError(f"not a plan: changes lacks {quoted(missing)}, expected one for each repo to release")
        return cls(plan.items, snapshot_of(plan), plan.originating_run_id, read.changes, read.left_out, plan.plan_id)

    def _counts(self) -> str:
        changed = sum(self._changes[repo].reason == "changed" for repo in self.released)
        others = len(self.released) - changed
        because = f", {others:,} because of a dependency" if others else ""
        planned = {*self.arrays.ids, *self._left_out}
        idle = sum(repo not in planned for repo in self._snapshot.others)
        left = f"; {len(self._left_out):,} left out" if self._left_out else ""
        return f"{plural(len(self.released), 'repo')}: {changed:,} changed{because}{left}" + (
            f"; {idle:,} not concerned" if idle else ""
        )

    def __repr__(self) -> str:
        return f"ChangePlan({shortened(self.plan_id, 40)}: {self._counts()})"

    def _shown(self) -> Iterator[tuple[str, str, Change]]:
        for repo in self.released[: _SHOWN + _FOLDED]:
            yield repo, self.items[self.position(repo)].version_label, self._changes[repo]

    def _repr_html_(self) -> str:
        rows = [
            (repo, f"{change.before or '?'} → {label}", change.reason, names(change.because_of, 5))
            for repo, label, change in self._shown()
        ]
        columns = ["repo", "version", "why", "because of"]
        parts = [rows_of(columns, rows[:_SHOWN])]
        if len(rows) > _SHOWN:
            parts.append(folded(f"{len(rows) - _SHOWN} more", rows_of(columns, rows[_SHOWN:])))
        if self._left_out:
            left = list(self._left_out.items())
            parts.append(folded(f"{plural(len(left), 'repo')} left out", rows_of(["repo", "why"], left[:_FOLDED])))
        more = len(self.released) - len(rows)
        return page(repr(self), *parts, note=and_more(more, ": .reasons has all", "… "))


class _ChangesJson(BaseModel):
    changes: dict[str, Change]
    left_out: dict[str, str]


def plan_changes(
    graph: RepoDependencyGraph,
    changed: str | Iterable[str],
    bump: Bump | Mapping[str, str] = "patch",
    kinds: Kinds = None,
    originating_run_id: str = "manual",
) -> ChangePlan:
    """Plan the release of what changed, and of everything downstream that has to go out again.

    Parameters
    ----------
    graph : RepoDependencyGraph
        Who needs whom; each repo that goes out has its last `version` as attribute, or a version in `bump`.
    changed : str or iterable of str
        The repos that changed.
    bump : {"patch", "minor", "major"} or mapping of repo to one of these or to a version
        How the versions of the changed ones grow: by PEP 440 for Python packages, else by SemVer where a version is
        that; a mapping may name dependents too, and gives a version where it has no such
        word. Dependents get a patch: all that changed for them is a dependency. What a mapping does not name gets
        a patch.
    kinds : str or collection of str, or None
        Through which dependencies a change reaches a dependent, of those that the graph has; None: all but dev, test
        and extra, whatever was chosen when it was read; ``"all"`` for all that were. That matters where a reader
        counts others by default, as those of Maven's tests or all of an edge list. What needs a changed repo by others
        alone stands in `left_out`.
    originating_run_id : str
        What the release is made for.

    Returns
    -------
    ChangePlan
        With `reasons` and `left_out`. Packages that say they are private are left out, as nobody publishes them, but
        where they are named as changed; what needs them is not.

    Raises
    ------
    RepoNotFound
        Where a changed repo is not in the graph.
    DependencyCycle
        Where the graph was kept with its cycles.
    TypeError, ValueError
        Where `bump` is none of these or names a repo that does not go out, a version is missing, or it is of no known
        form.

    Examples
    --------
    >>> import pandas as pd
    >>> edges = pd.DataFrame({"dependency": ["core", "core"], "dependent": ["api", "tests"], "kinds": ["", "dev"]})
    >>> known = {repo: {"version": "2.1.0"} for repo in ("core", "api", "tests")}
    >>> plan = plan_changes(RepoDependencyGraph.from_edges(edges, nodes=known), ["core"], bump={"core": "3.0.0"})
    >>> print(plan.reasons[["reason", "version_before", "version_after", "bump"]].reset_index())
      repo_id      reason version_before version_after   bump
    0    core     changed          2.1.0         3.0.0  given
    1     api  dependency          2.1.0         2.1.1  patch
    >>> plan.left_out["why"].to_dict()
    {'tests': 'needs core for dev alone'}
    """
    named = [graph.require(repo) for repo in ([changed] if isinstance(changed, str) else changed)]
    if not named:
        raise ValueError("changed is empty, expected the repos that changed")
    order = graph.topological_order()
    reached = _reached(graph, named, chosen_kinds(kinds), order)
    private = {repo for repo in reached if repo not in named and graph.attributes(repo).get("private") is True}
    going = [repo for repo in reached if repo not in private]
    changes: dict[str, Change] = {}
    wanted: dict[str, SequenceItem] = {}
    rules = _rules(bump, named, going)
    without = [
        repo for repo in going if graph.attributes(repo).get("version") is None and rules.get(repo, "patch") in BUMPS
    ]
    if without:
        has, them = ("repo {} has", "it") if len(without) == 1 else ("repos {} have", "them")
        more = ", …" * (len(without) > 1)
        raise ValueError(
            f"{has.format(quoted(without))} no version attribute, so that nobody can tell what comes after {them}; "
            f"pass bump={{{without[0]!r:.80}: its next version{more}}}"
        )
    for repo in going:
        known = graph.attributes(repo)
        before = None if known.get("version") is None else str(known["version"])
        rule = rules.get(repo, "patch")
        if rule in BUMPS and before is not None:
            version = _next(repo, before, rule, known)
        else:
            version, rule = checked_text(rule, f"bump[{repo!r:.80}]"), "given"
        wanted[repo] = SequenceItem(repo_id=repo, version_label=version, status=_PENDING)
        because = tuple(reached[repo])
        changes[repo] = Change("changed" if repo in named else "dependency", because, before, rule)
    left_out = _left_out(graph, reached, private, order)
    originating_run_id = checked_text(originating_run_id, "originating_run_id")
    plan = plan_of_items(graph, wanted, originating_run_id, "path", order)
    return ChangePlan(plan.items, snapshot_of(plan), originating_run_id, changes, left_out)


def _reached(
    graph: RepoDependencyGraph, changed: list[str], kinds: tuple[str, ...], order: list[str]
) -> dict[str, list[str]]:
    """Give what a change reaches, in topological order, each with what of that it needs directly."""
    strong = graph.only_kinds(kinds)
    reached: dict[str, list[str]] = {}
    for repo in order:
        because = [other for other in strong.dependencies_of(repo) if other in reached]
        if because or repo in changed:
            reached[repo] = because
    return reached


def _left_out(
    graph: RepoDependencyGraph, reached: Mapping[str, object], private: set[str], order: list[str]
) -> dict[str, str]:
    """Say of what is concerned and yet does not go out why."""
    told: dict[str, str] = {}
    for repo in order:
        if repo in private:
            told[repo] = "private: it is never published"
        elif repo not in reached:
            other = next((other for other in graph.dependencies_of(repo) if other in reached), None)
            if other is not None:  # by a kind that was chosen it would have been reached
                told[repo] = f"needs {other} for {' and '.join(graph.kinds(other, repo))} alone"
    return told


def _rules(bump: object, changed: list[str], going: list[str]) -> dict[str, str]:
    if isinstance(bump, str):
        if bump not in BUMPS:
            raise ValueError(f"bump is {as_given(bump, 200)}, expected one of {BUMPS}, or a mapping of repo to version")
        return dict.fromkeys(changed, bump)
    if not isinstance(bump, Mapping):
        raise TypeError(
            f"bump is {as_given(bump, 200)} ({type(bump).__name__}), expected one of {BUMPS}, or a mapping of repo to "
            "one of these or to a version"
        )
    for repo, rule in bump.items():
        if repo not in going:
            raise ValueError(
                f"bump names {as_given(repo, 200)}, which does not go out; expected some of {quoted(going)}"
            )
        if not isinstance(rule, str):
            raise TypeError(f"bump[{repo!r:.80}] is {as_given(rule, 200)}, expected one of {BUMPS} or a version")
    return dict(bump)


def _next(repo: str, before: str, rule: Bump, known: Mapping[str, Any]) -> str:
    """Propose a version by a rule."""
    advice = f"pass bump={{{repo!r:.80}: its next version}}"
    try:
        return bumped(before, rule, python=known.get("ecosystem") == "pypi")
    except ValueError as error:
        unit = (
            f" (it merges {quoted(known['members'], 3)}, which no one release can be of)"
            if known.get("members")
            else ""
        )
        raise ValueError(f"repo {repo!r:.80}{unit}: {error}; {advice}") from None
