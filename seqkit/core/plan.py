"""Release plans: what is released, at which version, in which order.

>>> from seqkit.core.graph import RepoDependencyGraph
>>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
>>> plan = build_plan(graph, [("app", "2.0", "", "kim"), ("core", "1.1", "", "kim")])
>>> plan
SequencePlan(seq-89ea2d81: 2 repos to release in 2 waves, 1 unreleased between them)
>>> [(item.repo_id, item.version_label) for item in plan.items]
[('core', '1.1'), ('api', 'skipped'), ('app', '2.0')]
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pandas as pd
from pydantic import BaseModel, ValidationError

from seqkit._show.html import folded, names, page, rows_of, shortened
from seqkit._show.svg import MOST_DRAWN, dag, legend, stacked
from seqkit._util import dtypes
from seqkit._util.collector import collector_paused
from seqkit._util.secrets import as_given
from seqkit._util.strict_json import parse_json
from seqkit._util.words import and_more, plural, quoted
from seqkit.core.arrays import PlanArrays, reached
from seqkit.core.graph import (
    GraphSnapshot,
    RepoDependencyGraph,
    attributes_by_repo,
    both_ways,
    graph_of_edges,
    known_repos,
)
from seqkit.core.ids import checked_text
from seqkit.core.model import Release, RepoReleaseStatus, SequenceItem
from seqkit.errors import DuplicateRelease, RepoNotFound

if TYPE_CHECKING:
    from seqkit.ledger import RunLedger

__all__ = ["SequencePlan", "build_plan"]

_SCOPES = ("path", "all")
_UNRELEASED = "skipped"  # the original's version label of a repo that is not part of the release
_SKIPPED = RepoReleaseStatus.skipped()
_PENDING = RepoReleaseStatus.pending()
_SHOWN = 6  # items of a repr; the next fifty are folded away
_FOLDED = 50
_WHY_BETWEEN = "In the plan only because repos to release depend on each other through them; passed over"
_WHY_ALL = "In the plan because it holds more of the graph than what is released; passed over"

Releases = Iterable[Release | tuple[str, ...] | Mapping[str, str]] | pd.DataFrame


class SequencePlan:
    """A release plan: items in dependency order, and the dependencies among them.

    Made by :func:`build_plan` or :meth:`from_json`; never changes. Items whose status is
    ``skipped`` are not part of the release ("unreleased"): they never fail, and stand in the
    plan because a dependency runs through them. A plan also knows what the other repos of the graph are called
    that it was made from, so that a failure model may name them (:class:`seqkit.FailureModel`); its JSON does not.

    Attributes
    ----------
    items : tuple of SequenceItem
        In the order of execution.
    graph : RepoDependencyGraph
        The planned repos and the dependencies among them; reachability between planned repos
        is that of the graph the plan was made from.
    originating_run_id : str
        What the release was made for; its digest is the spec digest of every run of the plan.
    plan_id : str
        ``seq-`` and 8 hexadecimal digits: SHA-256 over the plan's canonical JSON without the id
        (sorted keys, no spaces, UTF-8). The same plan has the same id.
    """

    def __init__(
        self,
        items: Iterable[SequenceItem],
        snapshot: GraphSnapshot,
        originating_run_id: str,
        plan_id: str | None = None,
    ) -> None:
        self._items = tuple(items)
        self._snapshot = snapshot
        self._originating_run_id = originating_run_id
        self._given_plan_id = plan_id
        self._whole: SequencePlan | None = None  # what it is a train of

    @property
    def run_tags(self) -> Mapping[str, Any]:
        """Tags that every run of the plan carries; empty but for plans that resume another run."""
        return {}

    _kinds: ClassVar[dict[str, type[SequencePlan]]] = {}  # kinds of plans by what stands in the JSON of them alone

    def __init_subclass__(cls, key: str | None = None) -> None:
        if key is not None:
            SequencePlan._kinds[key] = cls

    def check_ledger(self, ledger: RunLedger) -> None:
        """Raise ValueError where a run of this plan into `ledger` would do again what was done.

        A plan of its own never does; one that resumes a run may: see :meth:`seqkit.ResumePlan.check_ledger`.
        """

    @property
    def items(self) -> tuple[SequenceItem, ...]:  # noqa: D102  # documented in the class
        return self._items

    @property
    def graph(self) -> RepoDependencyGraph:  # noqa: D102
        return self._graph

    @cached_property
    def _graph(self) -> RepoDependencyGraph:
        return self._snapshot.to_graph(owner="plan")

    @property
    def edges(self) -> list[tuple[str, str]]:
        """All pairs (dependency, dependent) among the planned repos, sorted."""
        return sorted((repo, other) for repo, others in self._snapshot.dependents.items() for other in others)

    @property
    def originating_run_id(self) -> str:  # noqa: D102
        return self._originating_run_id

    @property
    def plan_id(self) -> str:  # noqa: D102
        return self._plan_id

    @cached_property
    def _plan_id(self) -> str:
        if self._given_plan_id is not None:
            return self._given_plan_id
        return f"seq-{hashlib.sha256(_canonical(self._content()).encode()).hexdigest()[:8]}"

    # ------------------------------------------------------------------ reading

    @property
    def released(self) -> list[str]:
        """Ids of the repos to release, in plan order; the unreleased ones are left out. A new list each time."""
        return list(self._split[0])

    @property
    def unreleased(self) -> list[str]:
        """Ids of the repos that are in the plan only because a dependency runs through them. A new list each time."""
        return list(self._split[1])

    @cached_property
    def _split(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the ids of the repos to release, and of the others."""
        return (
            tuple([item.repo_id for item in self._items if item.status != _SKIPPED]),
            tuple([item.repo_id for item in self._items if item.status == _SKIPPED]),
        )

    @property
    def arrays(self) -> PlanArrays:
        """What algorithms need, by position: ids, dependencies, dependents, waves, who is released.

        It is made once and cannot be changed; see :class:`seqkit.core.arrays.PlanArrays` for what is in it.

        Examples
        --------
        >>> from seqkit.core.graph import RepoDependencyGraph
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
        >>> plan.arrays.dependencies, plan.arrays.waves
        (((), (0,), (0,)), (0, 1, 1))
        """
        return self._arrays

    @cached_property
    def _arrays(self) -> PlanArrays:
        with collector_paused():
            ids = tuple([item.repo_id for item in self._items])
            position, dependents = {repo: at for at, repo in enumerate(ids)}, self._snapshot.dependents
            return PlanArrays(
                ids,
                released=tuple([item.status != _SKIPPED for item in self._items]),
                dependents=tuple([tuple(sorted([position[other] for other in dependents[repo]])) for repo in ids]),
            )

    @cached_property
    def _by_wave(self) -> list[int]:
        """List the positions as people read them: by wave, unreleased items before the first wave they lead to."""
        depths, released = self.arrays.depths, self.arrays.released
        return sorted(range(len(self._items)), key=lambda at: (depths[at], released[at], at))

    @cached_property
    def _all_between(self) -> bool:
        """Tell whether each unreleased item lies between two that are released."""
        arrays = self.arrays
        leads = list(arrays.released)
        for position in range(len(leads) - 1, -1, -1):
            leads[position] = leads[position] or any(leads[other] for other in arrays.dependents[position])
        return all(leads) and all(
            depth or released for depth, released in zip(arrays.depths, arrays.released, strict=True)
        )

    def waves(self) -> list[list[str]]:
        """Group the repos to release into waves: all that a wave needs lies in earlier waves.

        A repo's wave is the number of released repos before it on the longest path that leads to it;
        paths run through unreleased repos, which are in no wave. Plan order stays inside a wave.
        The lists are new ones each time.
        """
        waves: list[list[str]] = []
        for repo, wave in zip(self.arrays.ids, self.arrays.waves, strict=True):
            if wave is not None:
                while len(waves) <= wave:
                    waves.append([])
                waves[wave].append(repo)
        return waves

    def position(self, repo: str) -> int:
        """Say where an item stands in the plan, from 0.

        Raises
        ------
        RepoNotFound
            Where `repo` is not in the plan; its `suggestions` are ids that look like it.
        """
        position = self.arrays.position.get(repo) if isinstance(repo, str) else None
        if position is None:
            raise RepoNotFound(repo, among=self.arrays.ids)
        return position

    def knows(self, repo: str) -> bool:
        """Tell whether a repo is in the plan, or in the graph that it was built, cut or resumed from."""
        return repo in self.arrays.position or repo in self._snapshot.others

    @property
    def train_of(self) -> tuple[int, ...]:
        """The train that each item leaves with, by position, from 0: the only one, but in a sequence of plans."""
        return self._in_one_train

    @cached_property
    def _in_one_train(self) -> tuple[int, ...]:
        return (0,) * len(self._items)

    def to_frame(self) -> pd.DataFrame:
        """Show the plan as a table, a row an item: by wave, and in plan order inside a wave.

        Columns: `position` (Int64, the place in the plan, from 0), `wave` (Int64, from 0, ``<NA>`` for
        unreleased), `repo_id`, `version_label`, `spec_digest`, `promoted_by` (string), `status`, `skip_cause`
        (ordered categorical), `dependencies` (object: list of the repo ids it needs directly).

        An unreleased repo stands after the wave of the last released repo on a path that leads to it, so waves
        never fall from row to row. A plan of a whole graph is in that order already; a plan of some of its repos
        may not be, and then `position` tells the order in which they go out.

        Examples
        --------
        >>> graph = RepoDependencyGraph.from_edges([("core", "hub"), ("hub", "app"), ("site", "tool")])
        >>> plan = build_plan(graph, [("core", "1.0"), ("tool", "1.0"), ("app", "1.0")])
        >>> plan.to_frame()[["position", "wave", "repo_id"]].to_numpy().tolist()
        [[0, 0, 'core'], [2, 0, 'tool'], [1, <NA>, 'hub'], [3, 1, 'app']]
        """
        ids = [item.repo_id for item in self._items]
        frame = dtypes.frame(
            {
                **item_columns(self, self._items),
                "skip_cause": dtypes.categorical(
                    ["unreleased" if item.status == _SKIPPED else None for item in self._items], dtypes.SKIP_CAUSES
                ),
                "dependencies": dtypes.objects([[ids[other] for other in row] for row in self.arrays.dependencies]),
            }
        )
        return frame.iloc[self._by_wave].reset_index(drop=True)

    # ------------------------------------------------------------------ changing, storing

    def without(self, repos: str | Iterable[str]) -> SequencePlan:
        """Plan the same release without some repos.

        It is the plan that :func:`build_plan` makes of the remaining releases: a repo taken out stays
        as an unreleased item where it lies between two that are released, and blocks nobody. What needs it is
        released all the same, against its last good release: take that out too where there is none.

        Raises
        ------
        RepoNotFound
            Where a repo is not in the plan.
        """
        left_out = {repos} if isinstance(repos, str) else set(repos)
        for repo in sorted(left_out):
            self.position(repo)
        remaining = {
            item.repo_id: item for item in self._items if item.status != _SKIPPED and item.repo_id not in left_out
        }
        cut = plan_of_items(self.graph, remaining, self._originating_run_id, "path", list(self.arrays.ids))
        cut._whole = self._whole
        return cut

    def split(self, repos: str | Iterable[str]) -> tuple[SequencePlan, SequencePlan]:
        """Split the release into two trains: what `repos` take, and, when that has left, the rest.

        Both know what they were split from, so that :func:`seqkit.analyze`, :func:`seqkit.simulate` and
        :func:`seqkit.compare` take the two as a list, and a part that was split again in its place. That knowledge
        is not in their JSON.

        Parameters
        ----------
        repos : str or iterable of str
            Repos to release. The first plan has them and all to be released that they need.

        Returns
        -------
        pair of SequencePlan
            Each as :meth:`without` makes it; between them they release every repo once.

        Raises
        ------
        RepoNotFound, ValueError
            Where a repo is not in the plan, or is not to be released.

        Examples
        --------
        >>> from seqkit.core.graph import RepoDependencyGraph
        >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("x", "app")])
        >>> plan = build_plan(graph, version="1.0")
        >>> first, second = plan.split("api")
        >>> first.released, second.released
        (['core', 'api'], ['x', 'app'])
        """
        wanted = [repos] if isinstance(repos, str) else sorted(set(repos), key=str)
        arrays, leaves = self.arrays, set[int]()
        for repo in wanted:
            position = self.position(repo)
            if not arrays.released[position]:
                raise ValueError(f"repos names {repo!r}, which this plan does not release; expected repos of .released")
            leaves.update([position, *reached(arrays.dependencies, position)])
        first = {arrays.ids[position] for position in leaves if arrays.released[position]}
        parts = self.without(set(self.released) - first), self.without(first)
        for part in parts:
            part._whole = self._whole or self
        return parts

    def _content(self) -> dict[str, Any]:
        return {
            "originating_run_id": self._originating_run_id,
            "items": [item_json(item) for item in self._items],
            "edges": [list(edge) for edge in self.edges],
        }

    def to_json(self) -> str:
        """Write the plan as JSON: ``{plan_id, originating_run_id, items, edges: [[dependency, dependent], …]}``."""
        return json.dumps({"plan_id": self.plan_id, **self._content()}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what :meth:`to_json` wrote, a :class:`seqkit.ResumePlan` as such; the `plan_id` is kept as it stands.

        Raises
        ------
        ValueError
            Where the text is not a plan, or an item comes before one that it needs.
        DuplicateRelease, RepoNotFound, DependencyCycle
            Where the items or edges contradict each other.

        Examples
        --------
        >>> from seqkit.core.graph import RepoDependencyGraph
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1.0")
        >>> SequencePlan.from_json(plan.to_json()) == plan
        True
        """
        try:
            content = parse_json(text if isinstance(text, str) else bytes(text).decode())
        except (ValueError, TypeError) as error:
            raise ValueError(f"text is not JSON ({error}), expected what SequencePlan.to_json() writes") from None
        keys = content if isinstance(content, dict) else {}
        kind = next((kind for key, kind in SequencePlan._kinds.items() if key in keys), SequencePlan)
        plan = kind._of_json(content)
        if not isinstance(plan, cls):
            lacking = next(key for key, kind in SequencePlan._kinds.items() if issubclass(cls, kind))
            raise ValueError(f"not a {cls.__name__}: it has no {lacking!r}; SequencePlan.from_json reads any plan")
        return plan

    @classmethod
    def _of_json(cls, content: object) -> SequencePlan:
        return plan_of(content)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SequencePlan):
            return NotImplemented
        return self.plan_id == other.plan_id and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self.plan_id)

    def __repr__(self) -> str:
        n, waves = len(self.released), len(self.waves())
        between = f", {len(self.unreleased)} unreleased" if self.unreleased else ""
        between += " between them" if self.unreleased and self._all_between else ""
        return (
            f"SequencePlan({shortened(self.plan_id, 40)}: {plural(n, 'repo')} to release "
            f"in {plural(waves, 'wave')}{between})"
        )

    def _repr_html_(self) -> str:
        is_released, waves = self.arrays.released, self.arrays.waves
        words = ["pending" if released else "unreleased" for released in is_released]
        columns = ["place", "wave", "repo", "version"]
        released = [position for position in self._by_wave if is_released[position]]
        rows = [
            (place, waves[position], self._items[position].repo_id, self._items[position].version_label)
            for place, position in enumerate(released[: _SHOWN + _FOLDED])
        ]
        parts = [
            legend(Counter(words)),
            picture_of(self, words, "Plan, in release order from left to right"),
            rows_of(columns, rows[:_SHOWN]),
        ]
        if len(rows) > _SHOWN:
            parts.append(folded(f"{len(rows) - _SHOWN} more to release", rows_of(columns, rows[_SHOWN:])))
        if self.unreleased:
            why = _WHY_BETWEEN if self._all_between else _WHY_ALL
            parts.append(folded(f"{len(self.unreleased):,} not released", f"{why}: {names(self.unreleased, _FOLDED)}"))
        more = len(self.released) - len(rows)
        return page(repr(self), *parts, note=and_more(more, ": .to_frame() has all", "… "))


def picture_of(plan: SequencePlan, words: Iterable[str], title: str) -> str:
    """Draw a thumbnail of a plan, as SVG; `words` are its items' statuses, in plan order."""
    arrays = plan.arrays
    if len(arrays.ids) <= MOST_DRAWN:
        status = dict(zip(arrays.ids, words, strict=True))
        return dag(list(status), plan.edges, status, labels=False, title=title)
    columns: list[Counter[str]] = []
    place: list[int] = []
    for word, dependencies in zip(words, arrays.dependencies, strict=True):
        place.append(1 + max((place[other] for other in dependencies), default=-1))
        if place[-1] == len(columns):
            columns.append(Counter())
        columns[place[-1]][word] += 1
    return stacked(columns, title)


def knowing(plan: SequencePlan, other: RepoDependencyGraph | SequencePlan) -> SequencePlan:
    """Give the same plan, that knows the names of another graph or plan too."""
    known = other._snapshot.others.union(other.arrays.ids) if isinstance(other, SequencePlan) else known_repos(other)
    others = plan._snapshot.others.union(known).difference(plan.arrays.ids)
    snapshot = replace(plan._snapshot, others=others)
    return SequencePlan(plan._items, snapshot, plan._originating_run_id, plan._given_plan_id)


def whole_of(plan: SequencePlan) -> SequencePlan | None:
    """Give the plan that a train was split from; None where it was not."""
    return plan._whole


def snapshot_of(plan: SequencePlan) -> GraphSnapshot:
    """Give what a plan keeps of its graph, to make a plan of another kind of it; not to be changed."""
    return plan._snapshot


def _canonical(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def item_json(item: SequenceItem) -> dict[str, Any]:
    """Give an item's JSON form as a dict; many times faster than a validated dump of each."""
    return {
        "repo_id": item.repo_id,
        "version_label": item.version_label,
        "spec_digest": item.spec_digest,
        "promoted_by": item.promoted_by,
        "status": item.status.to_json(),
    }


def item_columns(plan: SequencePlan, items: Iterable[SequenceItem]) -> dict[str, Any]:
    """Give the columns that every frame of items begins with."""
    rows = list(items)
    return {
        "position": dtypes.integer(range(len(rows))),
        "wave": dtypes.integer(plan.arrays.waves),
        "repo_id": dtypes.string([item.repo_id for item in rows]),
        "version_label": dtypes.string([item.version_label for item in rows]),
        "spec_digest": dtypes.string([item.spec_digest for item in rows]),
        "promoted_by": dtypes.string([item.promoted_by for item in rows]),
        "status": dtypes.categorical([item.status.name for item in rows], dtypes.STATUSES),
    }


class _PlanJson(BaseModel):
    plan_id: str | None = None
    originating_run_id: str
    items: list[SequenceItem]
    edges: list[tuple[str, str]]


def plan_of(content: object) -> SequencePlan:
    """Make a plan from the parsed JSON of :meth:`SequencePlan.to_json`, or of a ledger's ``plan`` tag."""
    try:
        read = _PlanJson.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"not a plan: {_first_problem(error)}") from None
    for name in ("plan_id", "originating_run_id"):
        checked_text(getattr(read, name) or "", name)
    position: dict[str, int] = {}
    for index, item in enumerate(read.items):
        if not (item.repo_id + item.version_label + item.spec_digest + item.promoted_by).isascii():
            for name in Release.__dataclass_fields__:
                checked_text(getattr(item, name), f"items[{index}].{name}")
        if position.setdefault(item.repo_id, index) != index:
            raise DuplicateRelease(item.repo_id)
    for repo in itertools.chain.from_iterable(read.edges):
        if repo not in position:
            raise RepoNotFound(repo, among=position)
    graph = graph_of_edges(read.edges, list(position))
    for before, after in read.edges:
        if position[before] > position[after]:
            raise ValueError(
                f"not a plan: {after!r} stands before {before!r}, which it needs; expected dependency order"
            )
    return SequencePlan(read.items, GraphSnapshot.of(graph, position), read.originating_run_id, read.plan_id)


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    told = first["ctx"]["error"] if first["type"] == "value_error" else first["msg"]  # the first is our own
    return f"{'.'.join(map(str, first['loc']))}: {told}"


# ---------------------------------------------------------------------- building


def build_plan(
    graph: RepoDependencyGraph,
    releases: Releases | None = None,
    originating_run_id: str = "manual",
    scope: Literal["path", "all"] = "path",
    version: str | None = None,
) -> SequencePlan:
    """Order releases so that every repo comes after what it needs. Linear, but for sorting.

    Parameters
    ----------
    graph : RepoDependencyGraph
        Who needs whom.
    releases : iterable of Release, 4-tuples or dicts, or DataFrame, optional
        What to release: repo_id, version_label, and where wanted spec_digest and promoted_by.
        None releases every repo of the graph, at its own `version` attribute, else at `version`.
    originating_run_id : str
        What the release is made for.
    scope : {"path", "all"}
        Which unreleased repos the plan holds: those on a dependency path between two released ones,
        or all of the graph's (as the original does).
    version : str, optional
        The version of repos that have none of their own, where `releases` is None.

    Raises
    ------
    RepoNotFound, DuplicateRelease
        Where a release names a repo that is not in the graph, or one repo is released twice.
    TypeError, ValueError
        Where a release is malformed, or `releases` is None and a repo has no version.

    Examples
    --------
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("app", "docs")])
    >>> [item.repo_id for item in build_plan(graph, version="3.0").items]
    ['core', 'api', 'app', 'docs']
    >>> [item.repo_id for item in build_plan(graph, [Release("core", "3.1"), Release("app", "3.1")]).items]
    ['core', 'api', 'app']
    """
    if not isinstance(graph, RepoDependencyGraph):
        raise TypeError(
            f"graph is {as_given(graph, 200)}, expected a RepoDependencyGraph: its from_edges makes one of pairs, "
            "read_graph of files"
        )
    if scope not in _SCOPES:
        raise ValueError(f"scope is {as_given(scope, 200)}, expected one of {_SCOPES}")
    originating_run_id = checked_text(originating_run_id, "originating_run_id")
    with collector_paused():
        return plan_of_items(
            graph, _wanted(graph, releases, version), originating_run_id, scope, graph.topological_order()
        )


def _wanted(graph: RepoDependencyGraph, releases: Releases | None, version: str | None) -> dict[str, SequenceItem]:
    wanted: dict[str, SequenceItem] = {}
    if releases is None:
        for repo, known in attributes_by_repo(graph):
            own = _own_version(repo, known, version)
            wanted[repo] = SequenceItem(repo_id=repo, version_label=own, status=_PENDING)
    else:
        if version is not None:
            raise ValueError(
                f"version is {as_given(version, 200)}, but releases already say their versions; give one of the two"
            )
        for index, entry in enumerate(_entries(releases)):
            release = _release(index, entry)
            graph.require(release.repo_id)
            if release.repo_id in wanted:
                raise DuplicateRelease(release.repo_id)
            wanted[release.repo_id] = SequenceItem(
                repo_id=release.repo_id,
                version_label=release.version_label,
                spec_digest=release.spec_digest,
                promoted_by=release.promoted_by,
                status=_PENDING,
            )
    return wanted


def plan_of_items(
    graph: RepoDependencyGraph,
    wanted: Mapping[str, SequenceItem],
    originating_run_id: str,
    scope: str,
    order: list[str],
) -> SequencePlan:
    """Plan to release the items of `wanted`, by repo; `order` is a topological one of all that the graph has."""
    if scope == "path" and len(wanted) < len(graph):
        order = _between(graph, wanted, order)
    items = [
        wanted[repo] if repo in wanted else SequenceItem(repo_id=repo, version_label=_UNRELEASED, status=_SKIPPED)
        for repo in order
    ]
    return SequencePlan(items, GraphSnapshot.of(graph, order), originating_run_id)


def _between(graph: RepoDependencyGraph, wanted: Mapping[str, SequenceItem], order: list[str]) -> list[str]:
    """Keep the released repos and those that lie on a path between two of them."""
    needs, serves = both_ways(graph)
    after = set(wanted)  # released, or something released comes before it
    before = set(wanted)  # released, or something released comes after it
    for repo in order:
        if repo in after:
            after.update(serves(repo))
    for repo in reversed(order):
        if repo in before:
            before.update(needs(repo))
    return [repo for repo in order if repo in after and repo in before]


def _own_version(repo: str, known: Mapping[Any, Any], version: str | None) -> str:
    own = known.get("version", version)
    if own is None:
        raise ValueError(f"version is None and repo {repo!r} has no version attribute of its own; pass version=…")
    text = own if isinstance(own, str) else str(own)
    return text if type(text) is str and text.isascii() else checked_text(text, f"the version of repo {repo!r:.80}")


def _entries(releases: Releases) -> Iterable[Any]:
    if isinstance(releases, str | Mapping):
        raise TypeError(
            f"releases is {as_given(releases)}, expected a list of releases: [(repo_id, version_label, …), …]"
        )
    if isinstance(releases, pd.DataFrame):
        known = [name for name in Release.__dataclass_fields__ if name in releases.columns]
        for name in ("repo_id", "version_label"):
            if name not in known:
                raise ValueError(f"releases has no column {name!r}; its columns are {quoted(releases.columns)}")
        return releases[known].to_dict("records")
    return releases


def _release(index: int, entry: Any) -> Release:
    try:
        if isinstance(entry, Release):
            return entry
        if isinstance(entry, Mapping):
            return Release(**entry)
        if isinstance(entry, tuple | list):
            return Release(*entry)
    except ValidationError as error:
        raise ValueError(f"releases[{index}] is {entry!r:.200}: {_first_problem(error)}") from None
    except TypeError as error:  # an unknown or missing field
        raise ValueError(f"releases[{index}] is {entry!r:.200}: {error}") from None
    raise TypeError(f"releases[{index}] is {entry!r:.80}, expected a Release, (repo_id, version_label, …) or a dict")
