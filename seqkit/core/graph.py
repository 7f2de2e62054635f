"""The dependency graph of a release that spans repositories.

>>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
>>> graph
RepoDependencyGraph(3 repos, 2 dependencies; api needs core)
>>> graph.topological_order()
['core', 'api', 'app']
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import networkx as nx
import pandas as pd

from seqkit._show.html import folded, names, page, rows_of, shortened
from seqkit._show.svg import MOST_DRAWN, dag, stacked
from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural, quoted
from seqkit.core.ids import checked_id, edges_of_cells, similar_ids, warn_of_similar
from seqkit.core.model import RepoNode
from seqkit.errors import DependencyCycle, RepoNotFound

__all__ = ["RepoDependencyGraph"]

_DIRECTIONS = ("dependency_to_dependent", "dependent_to_dependency")
_CYCLES = ("error", "merge")
_SHOWN = 6  # waves of a repr; the next fifty are folded away
_FOLDED = 50
_WAY_OUT = 'remove an edge of each, or give all edges to RepoDependencyGraph.from_edges(…, cycles="merge")'


class RepoDependencyGraph:
    """Repos and who needs whom; always acyclic.

    An edge ``A → B`` is "B depends on A": A is released first. Iterating, ``len`` and
    ``in`` speak of repo ids, in the order in which they were added.

    Examples
    --------
    >>> graph = RepoDependencyGraph()
    >>> graph.add_node("core", version="1.2.0")
    >>> graph.add_node("app")
    >>> graph.add_dependency("core", "app")
    >>> graph.dependents_of("core"), graph.attributes("core")
    (['app'], {'version': '1.2.0'})
    """

    def __init__(self) -> None:
        self._digraph: nx.DiGraph[str] = nx.DiGraph()
        self._records: dict[str, RepoNode] = {}
        self._order: tuple[str, ...] | None = None
        self._owner = ""
        self._others: frozenset[str] = frozenset()  # of a plan: repos of the graph it was made from, not planned

    # ------------------------------------------------------------------ building

    def add_node(self, node: str | RepoNode, /, **attributes: Any) -> None:
        """Add a repo, or add to what is known of one.

        Parameters
        ----------
        node : str or RepoNode
            The repo id, or a record with a display name and a URL.
        **attributes
            What else is known, such as ``version="1.2.0"``; kept as given.

        Raises
        ------
        TypeError, ValueError
            Where the id is not text, or the graph belongs to a plan.
        """
        self._require_own()
        repo = checked_id(node.repo_id if isinstance(node, RepoNode) else node, "node")
        if isinstance(node, RepoNode):
            self._records[repo] = node
        if repo not in self._digraph:
            self._order = None
        self._digraph.add_node(repo)
        self._digraph.nodes[repo].update(attributes)

    def add_dependency(self, dependency: str, dependent: str) -> None:
        """Record that `dependent` needs `dependency`; both must be in the graph. Linear in the graph's size.

        Raises
        ------
        RepoNotFound
            Where one of the two is not in the graph (a missing dependency is named first).
        DependencyCycle
            Where `dependency` already needs `dependent`; its `repos` start and end at `dependent`.
            The graph is unchanged.
        TypeError
            Where the graph belongs to a plan.
        """
        self._require_own()
        dependency = self.require(dependency)
        dependent = self.require(dependent)
        if self._digraph.has_edge(dependency, dependent):
            return
        path = self._path(dependent, dependency)
        if path is not None:
            raise DependencyCycle([*path, dependent])
        self._digraph.add_edge(dependency, dependent)
        self._order = None

    def _path(self, start: str, goal: str) -> list[str] | None:
        """Find a shortest path from `start` along its dependents to `goal`."""
        came_from: dict[str, str | None] = {start: None}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            if here == goal:
                path = [here]
                while (before := came_from[path[-1]]) is not None:
                    path.append(before)
                return path[::-1]
            for dependent in self._digraph.successors(here):
                if dependent not in came_from:
                    came_from[dependent] = here
                    queue.append(dependent)
        return None

    @classmethod
    def from_edges(
        cls,
        edges: Iterable[tuple[str, str]] | pd.DataFrame,
        nodes: Iterable[str | RepoNode] | Mapping[str, Mapping[str, Any]] = (),
        cycles: Literal["error", "merge"] = "error",
        dependency: str = "dependency",
        dependent: str = "dependent",
    ) -> RepoDependencyGraph:
        """Build a graph from pairs (dependency, dependent). Linear in nodes and edges.

        Parameters
        ----------
        edges : iterable of pairs, or DataFrame
            Who is needed, by whom; repeated pairs count once. In a pair ``""`` is an id like any other.
            In a DataFrame a cell that is missing (None, NaN, NA) or blank is no repo: the id beside it
            is a repo without that edge, and a row of two such cells is passed over.
        nodes : iterable of str or RepoNode, or mapping of id to attributes
            Repos to have even without edges; they come first in the graph's own order.
        cycles : {"error", "merge"}
            What to do with cycles. ``"merge"`` makes each strongly connected component one
            release unit, ``"a+b"``, ``"a+b+c"`` or ``"a+b+c+N"`` with N more, whose attribute
            `members` lists the repos, sorted; self-edges vanish. Attributes that the members
            agree on are kept; versions that differ are joined by ``" + "``.
        dependency, dependent : str
            Column names, where `edges` is a DataFrame.

        Raises
        ------
        DependencyCycle
            With ``cycles="error"``: one concrete cycle and how many components have one.
        ValueError
            Where a merged unit's name is taken, an edge is not a pair, or a column is missing or there twice.

        Warns
        -----
        SimilarIds
            Where ids differ only in case, outer blanks or Unicode form; they stay different repos.

        Examples
        --------
        >>> merged = RepoDependencyGraph.from_edges([("a", "b"), ("b", "a"), ("b", "c")], cycles="merge")
        >>> list(merged), merged.attributes("a+b")
        (['a+b', 'c'], {'members': ['a', 'b']})
        """
        if cycles not in _CYCLES:
            raise ValueError(f"cycles is {as_given(cycles, 200)}, expected one of {_CYCLES}")
        if not isinstance(edges, pd.DataFrame):
            return cls._of(edges, nodes, cycles)
        table = edges_of_cells(_rows_of_frame(edges, dependency, dependent))
        return cls._of(table.pairs, nodes, cycles, table.alone)

    @classmethod
    def _of(
        cls,
        edges: Iterable[tuple[str, str]],
        nodes: Iterable[str | RepoNode] | Mapping[str, Mapping[str, Any]] = (),
        cycles: Literal["error", "merge"] = "error",
        alone: Iterable[str] = (),
        tell: bool = True,
    ) -> RepoDependencyGraph:
        """Build from pairs; `tell` of ids that look alike, but where somebody was told when they came."""
        graph = cls()
        if isinstance(nodes, Mapping):
            for repo, attributes in nodes.items():
                graph.add_node(repo, **attributes)
        else:
            for node in nodes:
                graph.add_node(node)
        graph._digraph.add_edges_from(_checked_pairs(edges))
        for repo in alone:
            graph.add_node(repo)
        graph._order = None
        if tell:
            warn_of_similar(similar_ids(graph))
        if len(graph._kahn()) < len(graph):
            if cycles == "error":
                raise _described_cycle(graph._digraph)
            return _merged(graph)
        return graph

    @classmethod
    def from_networkx(
        cls,
        G: nx.DiGraph[Any],  # networkx's own name for a graph
        direction: Literal["dependency_to_dependent", "dependent_to_dependency"],
    ) -> RepoDependencyGraph:
        """Take over a networkx graph: nodes, their attributes, and edges.

        Parameters
        ----------
        G : networkx.DiGraph
            Its nodes must be str.
        direction : {"dependency_to_dependent", "dependent_to_dependency"}
            What an edge ``A → B`` of `G` means: "A is needed by B", or "A needs B". There is no
            default, because half of the world draws it the other way and a reversed plan looks fine.

        Raises
        ------
        DependencyCycle, TypeError, ValueError
            As in :meth:`from_edges`.

        Warns
        -----
        SimilarIds
            As in :meth:`from_edges`.
        """
        if direction not in _DIRECTIONS:
            raise ValueError(
                f"direction is {as_given(direction, 200)}, expected one of {_DIRECTIONS}: what does an edge A → B mean?"
            )
        if not G.is_directed():
            raise TypeError(f"G is an undirected {type(G).__name__}, expected a networkx.DiGraph: who needs whom?")
        pairs = G.edges if direction == _DIRECTIONS[0] else ((after, before) for before, after, *_ in G.edges)
        try:
            graph = cls._of([(a, b) for a, b, *_ in pairs], nodes=list(G.nodes))
        except DependencyCycle as cycle:
            raise DependencyCycle(cycle.repos, cycle.components, _WAY_OUT) from None
        for repo, attributes in G.nodes(data=True):
            known = {str(key): value for key, value in attributes.items()}
            name, url = known.pop("display_name", None), known.pop("remote_url", None)
            if name is not None or url is not None:
                graph._records[repo] = RepoNode(repo_id=repo, display_name=name, remote_url=url)
            graph._digraph.nodes[repo].update(known)
        return graph

    @classmethod
    def compose(cls, *graphs: RepoDependencyGraph) -> RepoDependencyGraph:
        """Join graphs: all their repos and dependencies; of attributes told twice the last wins.

        Raises
        ------
        DependencyCycle
            Where the graphs disagree about who comes first.

        Warns
        -----
        SimilarIds
            As in :meth:`from_edges`, where such ids come from different graphs.
        """
        joined = cls()
        for graph in graphs:
            joined._records.update(graph._records)
            for repo in graph:
                joined.add_node(repo)
                joined._digraph.nodes[repo].update(graph._digraph.nodes[repo])
            joined._digraph.add_edges_from(graph._digraph.edges)
        joined._order = None
        warn_of_similar(
            [ids for ids in similar_ids(joined) if not any(all(map(graph.__contains__, ids)) for graph in graphs)]
        )
        if len(joined._kahn()) < len(joined):
            raise _described_cycle(joined._digraph, _WAY_OUT)
        return joined

    def subgraph(self, repos: Iterable[str]) -> RepoDependencyGraph:
        """Copy the part of the graph between `repos`: those repos and the direct dependencies among them.

        A dependency that runs through a repo left out is lost, as in networkx; a plan
        (:func:`seqkit.build_plan`) keeps such dependencies.

        Raises
        ------
        RepoNotFound
            Where a repo is not in the graph.
        """
        chosen = {self.require(repo) for repo in ([repos] if isinstance(repos, str) else repos)}
        return replace(GraphSnapshot.of(self, chosen), others=frozenset()).to_graph()

    # ------------------------------------------------------------------ reading

    def __len__(self) -> int:
        return len(self._digraph)

    def __contains__(self, repo: object) -> bool:
        return isinstance(repo, str) and repo in self._digraph

    def __iter__(self) -> Iterator[str]:
        return iter(self._digraph)

    @property
    def edges(self) -> list[tuple[str, str]]:
        """All pairs (dependency, dependent), sorted."""
        return sorted(self._digraph.edges)

    @property
    def n_dependencies(self) -> int:
        """How many direct dependencies there are."""
        return int(self._digraph.number_of_edges())

    def require(self, repo: str) -> str:
        """Give the id back, as a plain str.

        Raises
        ------
        RepoNotFound
            Where `repo` is not in the graph; its `suggestions` are ids that look like it.
        """
        if repo not in self:
            raise RepoNotFound(repo, among=tuple(self))
        return repo if type(repo) is str else str.__str__(repo)

    def node(self, repo: str) -> RepoNode:
        """Give the record of `repo`."""
        self.require(repo)
        return self._records.get(repo) or RepoNode(repo_id=repo)

    def attributes(self, repo: str) -> dict[str, Any]:
        """Give what is known of `repo` beside its record: version, members, what a reader found. A copy, lists too."""
        known = self._digraph.nodes[self.require(repo)]
        return {key: list(value) if isinstance(value, list) else value for key, value in known.items()}

    def dependencies_of(self, repo: str) -> list[str]:
        """List what `repo` needs directly, sorted."""
        return sorted(self._digraph.predecessors(self.require(repo)))

    def dependents_of(self, repo: str) -> list[str]:
        """List who needs `repo` directly, sorted."""
        return sorted(self._digraph.successors(self.require(repo)))

    def transitive_dependencies_of(self, repo: str) -> list[str]:
        """List all that must be out before `repo`, in topological order."""
        return self._reached(repo, self._digraph.predecessors)

    def transitive_dependents_of(self, repo: str) -> list[str]:
        """List all that wait for `repo`, in topological order: what its failure blocks."""
        return self._reached(repo, self._digraph.successors)

    def _reached(self, repo: str, neighbours: Any) -> list[str]:
        seen = {self.require(repo)}
        stack = [repo]
        while stack:
            for other in neighbours(stack.pop()):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        seen.remove(repo)
        return [other for other in self._kahn() if other in seen]

    def topological_order(self) -> list[str]:
        """Order the repos so that everything comes after what it needs. Linear, but for sorting.

        Kahn's algorithm (Kahn 1962, doi:10.1145/368996.369025) with a first-in-first-out queue:
        sorted roots first; whenever a repo is taken, the dependents that it frees are sorted and
        appended.

        Examples
        --------
        >>> RepoDependencyGraph.from_edges([("z", "b"), ("a", "y")]).topological_order()
        ['a', 'z', 'y', 'b']
        """
        return list(self._kahn())

    def _kahn(self) -> tuple[str, ...]:
        """Give the order, cached; shorter than the graph where that is cyclic (while it is built)."""
        if self._order is None:
            waiting_for = dict(self._digraph.in_degree())
            queue = sorted(repo for repo, count in waiting_for.items() if not count)
            for repo in queue:  # the list is the queue: it grows at its end while it is read
                freed = []
                for dependent in self._digraph.successors(repo):
                    waiting_for[dependent] -= 1
                    if not waiting_for[dependent]:
                        freed.append(dependent)
                queue.extend(sorted(freed))
            self._order = tuple(queue)
        return self._order

    def waves(self) -> list[list[str]]:
        """Group the repos into waves: all that a wave needs lies in earlier waves.

        A repo's wave is the length of the longest path that leads to it. Inside a wave the
        topological order stays.

        Examples
        --------
        >>> RepoDependencyGraph.from_edges([("z", "b"), ("a", "y"), ("b", "y")]).waves()
        [['a', 'z'], ['b'], ['y']]
        """
        level: dict[str, int] = {}
        waves: list[list[str]] = []
        for repo in self._kahn():
            level[repo] = 1 + max((level[before] for before in self._digraph.predecessors(repo)), default=-1)
            if level[repo] == len(waves):
                waves.append([])
            waves[level[repo]].append(repo)
        return waves

    # ------------------------------------------------------------------ leaving

    def to_networkx(self) -> nx.DiGraph[str]:
        """Copy into a ``networkx.DiGraph`` whose edges run from dependency to dependent."""
        copy = self._digraph.copy()
        for repo, node in self._records.items():
            copy.nodes[repo]["display_name"] = node.display_name
            if node.remote_url is not None:
                copy.nodes[repo]["remote_url"] = node.remote_url
        return copy

    def to_frame(self) -> pd.DataFrame:
        """List the dependencies: columns `dependency`, `dependent` (string), a row an edge, sorted.

        :meth:`from_edges` takes the frame back, but for a repo whose id is blank; repos without edges are not in it.
        """
        pairs = self.edges
        return dtypes.frame(
            {
                "dependency": dtypes.string([before for before, _ in pairs]),
                "dependent": dtypes.string([after for _, after in pairs]),
            }
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RepoDependencyGraph):
            return NotImplemented
        return (
            self._digraph.nodes(data=True) == other._digraph.nodes(data=True)
            and self.edges == other.edges
            and all(self.node(repo) == other.node(repo) for repo in {*self._records, *other._records})
        )

    __hash__ = None  # type: ignore[assignment]  # it can grow

    def __repr__(self) -> str:
        example = ""
        for before, after in self._digraph.edges:
            example = f"; {shortened(after, 40)!s} needs {shortened(before, 40)!s}"
            break
        return f"RepoDependencyGraph({self._counts()}{example})"

    def _counts(self) -> str:
        repos, edges = len(self), self.n_dependencies
        return f"{plural(repos, 'repo')}, {plural(edges, 'dependency', 'dependencies')}"

    def _repr_html_(self) -> str:
        waves = self.waves()
        rows = [(number, len(wave), names(wave)) for number, wave in enumerate(waves[: _SHOWN + _FOLDED])]
        columns = ["wave", "repos", "which"]
        parts = [picture_of(self, waves), rows_of(columns, rows[:_SHOWN])]
        if len(rows) > _SHOWN:
            parts.append(folded(f"waves {_SHOWN} to {len(rows) - 1}", rows_of(columns, rows[_SHOWN:])))
        more = len(waves) - len(rows)
        return page(
            f"Dependency graph: {repr(self)[len('RepoDependencyGraph(') : -1]}",
            *parts,
            note=and_more(more, " waves: .waves() has all", "… "),
        )

    def _require_own(self) -> None:
        if self._owner:
            raise TypeError(
                f"this graph belongs to a {self._owner} and cannot change; "
                "RepoDependencyGraph.compose(graph) gives a copy that can"
            )


@dataclass(frozen=True, slots=True)
class GraphSnapshot:
    """Part of a graph as it was: cheap to take, and a graph again when somebody asks for one."""

    dependents: dict[str, list[str]]
    attributes: dict[str, dict[str, Any]]
    records: dict[str, RepoNode]
    others: frozenset[str] = frozenset()
    """Repos that the graph had beside these; a plan knows their names, and nothing else of them."""

    @classmethod
    def of(cls, graph: RepoDependencyGraph, repos: Collection[str]) -> GraphSnapshot:
        """Keep what `repos` are now, whatever becomes of the graph; they must be in it."""
        chosen = set(repos)
        whole = len(chosen) == len(graph)
        return cls(
            dependents={
                repo: list(others) if whole else [other for other in others if other in chosen]
                for repo, others in graph._digraph.adjacency()
                if repo in chosen
            },
            attributes={repo: dict(known) for repo, known in graph._digraph.nodes(data=True) if repo in chosen},
            records={repo: node for repo, node in graph._records.items() if repo in chosen},
            others=graph._others if whole else graph._others.union(repo for repo in graph if repo not in chosen),
        )

    def to_graph(self, owner: str = "") -> RepoDependencyGraph:
        """Make a graph of it; one that has an `owner` refuses changes, in the name of that."""
        graph = RepoDependencyGraph()
        graph._digraph.add_nodes_from((repo, dict(known)) for repo, known in self.attributes.items())
        graph._digraph.add_edges_from((repo, other) for repo, others in self.dependents.items() for other in others)
        graph._records = dict(self.records)
        graph._others = self.others
        graph._owner = owner
        return graph


def both_ways(graph: RepoDependencyGraph) -> tuple[Callable[[str], Iterable[str]], Callable[[str], Iterable[str]]]:
    """Give two functions, for walks over much of a graph: whom a repo needs directly, and who needs it.

    Both give ids in no particular order; the repo must be in the graph.
    """
    return graph._digraph.predecessors, graph._digraph.successors


def attributes_by_repo(graph: RepoDependencyGraph) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each repo and what is known of it beside its record; to be read alone."""
    yield from graph._digraph.nodes(data=True)


def known_repos(graph: RepoDependencyGraph) -> frozenset[str]:
    """Give the repos of a graph; of a plan's graph also those of the graph that the plan was made from."""
    return graph._others.union(graph)


def graph_of_edges(edges: Iterable[tuple[str, str]], nodes: Iterable[str]) -> RepoDependencyGraph:
    """Build a graph that somebody was told of when it came first: ids that look alike are not told of again."""
    return RepoDependencyGraph._of(edges, nodes, tell=False)


def picture_of(graph: RepoDependencyGraph, waves: list[list[str]]) -> str:
    """Draw a thumbnail of a graph, as SVG; `waves` are its own."""
    title = "Dependency graph, waves from left to right"
    if len(graph) > MOST_DRAWN:  # sorting the edges would take longer than all the rest
        return stacked([{"pending": len(wave)} for wave in waves], title, tells=False)
    return dag([repo for wave in waves for repo in wave], graph.edges, {}, labels=False, title=title)


# ---------------------------------------------------------------------- edges and cycles


def _rows_of_frame(frame: pd.DataFrame, dependency: str, dependent: str) -> Iterator[tuple[Any, Any]]:
    for argument, column in (("dependency", dependency), ("dependent", dependent)):
        match list(frame.columns).count(column):
            case 0:
                raise ValueError(f"edges has no column {argument}={column!r}; its columns are {quoted(frame.columns)}")
            case 1:
                continue
            case count:
                raise ValueError(f"edges has {count} columns {argument}={column!r}, expected one")
    # pandas says which cells are missing: None, NaN, NA and NaT alike.
    missing = frame[[dependency, dependent]].isna().to_numpy().tolist()
    cells = zip(frame[dependency].tolist(), frame[dependent].tolist(), missing, strict=True)
    for row, (before, after, (no_before, no_after)) in enumerate(cells):
        yield (
            "" if no_before else checked_id(before, f"edges[{dependency!r}].iloc[{row}]"),
            "" if no_after else checked_id(after, f"edges[{dependent!r}].iloc[{row}]"),
        )


def _checked_pairs(edges: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for index, edge in enumerate(edges):
        if isinstance(edge, str) or not isinstance(edge, Iterable):
            raise TypeError(f"edges[{index}] is {edge!r}, expected a pair (dependency, dependent)")
        pair = tuple(edge)
        if len(pair) != 2:
            raise ValueError(f"edges[{index}] is {edge!r}, expected a pair (dependency, dependent)")
        yield checked_id(pair[0], f"edges[{index}][0]"), checked_id(pair[1], f"edges[{index}][1]")


def _cyclic_components(digraph: nx.DiGraph[str]) -> list[list[str]]:
    """List the strongly connected components that hold a cycle, each sorted, in the order of their first repo."""
    return sorted(
        sorted(component)
        for component in nx.strongly_connected_components(digraph)
        if len(component) > 1 or digraph.has_edge(next(iter(component)), next(iter(component)))
    )


def _described_cycle(digraph: nx.DiGraph[str], way_out: str | None = None) -> DependencyCycle:
    components = _cyclic_components(digraph)
    inside = set(components[0])
    # Walk along dependents inside the component until a repo comes round again.
    walk, at = [components[0][0]], {components[0][0]: 0}
    while True:
        repo = min(dependent for dependent in digraph.successors(walk[-1]) if dependent in inside)
        walk.append(repo)
        if repo in at:
            return DependencyCycle(walk[at[repo] :], len(components), way_out)
        at[repo] = len(walk) - 1


def _agreed(values: list[Any]) -> bool:
    return all(value == values[0] for value in values)


def _merged(graph: RepoDependencyGraph) -> RepoDependencyGraph:
    unit_of: dict[str, str] = {}
    members_of: dict[str, list[str]] = {}
    for members in _cyclic_components(graph._digraph):
        if len(members) == 1:  # a self-edge
            continue
        unit = "+".join(members[:3]) + (f"+{len(members) - 3}" if len(members) > 3 else "")
        if unit in graph or unit in members_of:
            raise ValueError(
                f'cycles="merge" would name the cycle of {quoted(members)} {unit!r}, but that id is taken: rename it'
            )
        members_of[unit] = members
        unit_of.update(dict.fromkeys(members, unit))
    merged = RepoDependencyGraph()
    for repo in graph:
        target = unit_of.get(repo, repo)
        if target == repo:
            merged.add_node(graph._records.get(repo, repo), **_plain(graph._digraph.nodes[repo]))
        elif target not in merged:
            merged.add_node(target, **_shared_attributes(graph, members_of[target]), members=members_of[target])
    merged._digraph.add_edges_from(
        (before, after)
        for before, after in ((unit_of.get(a, a), unit_of.get(b, b)) for a, b in graph._digraph.edges)
        if before != after
    )
    merged._order = None
    return merged


def _plain(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in attributes.items()}


def _shared_attributes(graph: RepoDependencyGraph, members: list[str]) -> dict[str, Any]:
    known = [_plain(graph._digraph.nodes[repo]) for repo in members]
    shared = {
        key: value
        for key, value in known[0].items()
        if key != "members" and all(key in other for other in known) and _agreed([other[key] for other in known])
    }
    if "version" not in shared and any("version" in attributes for attributes in known):
        shared["version"] = " + ".join(str(attributes.get("version", "?")) for attributes in known)
    return shared
