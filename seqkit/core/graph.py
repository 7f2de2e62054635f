"""The dependency graph of a release that spans repositories.

>>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
>>> graph
RepoDependencyGraph(3 repos, 2 dependencies; api needs core)
>>> graph.topological_order()
['core', 'api', 'app']
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import networkx as nx
import pandas as pd

from seqkit._show.html import folded, names, page, rows_of, shortened
from seqkit._show.svg import MOST_DRAWN, dag, stacked
from seqkit._util import dtypes
from seqkit._util.collector import collector_paused
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, inflected, listed, plural
from seqkit.core.cycles import components, cut, described_cycle, smallest_cycle
from seqkit.core.edge_lists import checked_pairs, kinds_of_frame, kinds_told, rows_of_frame
from seqkit.core.exports import dot_of, mermaid_of, node_link_of
from seqkit.core.ids import checked_id, edges_of_cells, similar_ids, warn_of_similar
from seqkit.core.kinds import NORMAL, Kinds, chosen_kinds, in_order, kinds_as_kept, kinds_of_edge
from seqkit.core.merging import merged_units, mixed_units
from seqkit.core.model import RepoNode
from seqkit.core.read_report import Counted, ReadReport
from seqkit.errors import DependencyCycle, RepoNotFound

__all__ = ["RepoDependencyGraph"]

DIRECTIONS = ("dependency_to_dependent", "dependent_to_dependency")
"""What an arrow A → B may mean: "A is needed by B", or "A needs B"."""
_CYCLES = ("error", "merge", "keep")
_SHOWN = 6  # waves of a repr; the next fifty are folded away
_FOLDED = 50
_WAY_OUT = 'remove an edge of each, or give all edges to RepoDependencyGraph.from_edges(…, cycles="merge")'
_KEPT = "graph.cycles() lists them, graph.without_dependencies(…) takes edges away"

Cycles: TypeAlias = Literal["error", "merge", "keep"]
Direction: TypeAlias = Literal["dependency_to_dependent", "dependent_to_dependency"]


class RepoDependencyGraph:
    """Repos and who needs whom; acyclic, unless it was made with ``cycles="keep"``.

    An edge ``A → B`` is "B depends on A": A is released first. Iterating, ``len`` and
    ``in`` speak of repo ids, in the order in which they were added. A graph that was kept with its cycles can be
    looked at and opened (:meth:`cycles`, :meth:`kinds`, :meth:`only_kinds`, :meth:`without_dependencies`,
    :meth:`to_frame`); what needs an order raises DependencyCycle.

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
        self._report: ReadReport | None = None

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
        cycles: Cycles = "error",
        dependency: str = "dependency",
        dependent: str = "dependent",
        kinds: str | None = "kinds",
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
        cycles : {"error", "merge", "keep"}
            What to do with cycles. ``"merge"`` makes each strongly connected component one
            release unit, ``"a+b"``, ``"a+b+c"`` or ``"a+b+c+N"`` with N more, whose attribute
            `members` lists the repos, sorted; self-edges vanish. Attributes that the members
            agree on are kept; versions that differ are joined by ``" + "``, and then the unit is no one release:
            give :func:`seqkit.build_plan` its own label, or open the cycle. ``"keep"`` keeps the cycles, to be looked
            at and opened.
        dependency, dependent : str
            Column names, where `edges` is a DataFrame.
        kinds : str or None
            The column that says why who is needed, where the DataFrame has it: some of `seqkit.core.kinds.KINDS`
            in each cell, separated by commas; an empty cell is ``normal``. None for a column that means something
            else.

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
        check_cycles(cycles)
        if not isinstance(edges, pd.DataFrame):
            return cls._of(dict.fromkeys(checked_pairs(edges), NORMAL), nodes, cycles)
        rows = list(rows_of_frame(edges, dependency, dependent))
        table = edges_of_cells(rows)
        told: dict[tuple[str, str], tuple[str, ...]] = dict.fromkeys(table.pairs, NORMAL)
        if kinds is not None and kinds in edges.columns:
            told |= kinds_of_frame(edges[kinds].tolist(), rows, kinds)
        return cls._of(told, nodes, cycles, table.alone)

    @classmethod
    def _of(
        cls,
        edges: Mapping[tuple[str, str], tuple[str, ...]],
        nodes: Iterable[str | RepoNode] | Mapping[str, Mapping[str, Any]] = (),
        cycles: Cycles = "error",
        alone: Iterable[str] = (),
        tell: bool = True,
        way_out: str | None = None,
    ) -> RepoDependencyGraph:
        """Build from edges with their kinds; `tell` of ids that look alike, but where somebody was told before."""
        with collector_paused():
            graph = cls()
            known: dict[str, Mapping[str, Any]] = {}
            for node in nodes:
                repo = checked_id(node.repo_id if isinstance(node, RepoNode) else node, "node")
                known[repo] = nodes[repo] if isinstance(nodes, Mapping) else {}
                if isinstance(node, RepoNode):
                    graph._records[repo] = node
            for pair in edges:
                for repo in pair:
                    if repo not in known:
                        known[repo] = {}
            for repo in alone:
                known.setdefault(repo, {})
            if tell:
                warn_of_similar(similar_ids(known))
            if cycles == "merge":
                merged, edges = merged_units(known, edges)
                if merged is not known:
                    known = dict(merged)
                    graph._records = {repo: node for repo, node in graph._records.items() if repo in known}
            graph._digraph.add_nodes_from((repo, dict(attributes)) for repo, attributes in known.items())
            graph._digraph.add_edges_from((*pair, kinds_as_kept(kinds)) for pair, kinds in edges.items())
            if cycles == "error":
                graph._check_order(way_out)
            return graph

    def _check_order(self, way_out: str | None = None) -> None:
        """Refuse cycles."""
        if self.has_cycles:
            raise described_cycle(self._digraph, way_out)

    @classmethod
    def from_networkx(
        cls,
        G: nx.DiGraph[Any],  # networkx's own name for a graph
        direction: Direction,
        cycles: Cycles = "error",
    ) -> RepoDependencyGraph:
        """Take over a networkx graph: nodes, their attributes, and edges with the `kinds` that they have.

        Parameters
        ----------
        G : networkx.DiGraph
            Its nodes must be str.
        direction : {"dependency_to_dependent", "dependent_to_dependency"}
            What an edge ``A → B`` of `G` means: "A is needed by B", or "A needs B". There is no
            default, because half of the world draws it the other way and a reversed plan looks fine.
        cycles : {"error", "merge", "keep"}
            As in :meth:`from_edges`.

        Raises
        ------
        DependencyCycle, TypeError, ValueError
            As in :meth:`from_edges`.

        Warns
        -----
        SimilarIds
            As in :meth:`from_edges`.
        """
        check_direction(direction)
        check_cycles(cycles)
        if not G.is_directed():
            raise TypeError(f"G is an undirected {type(G).__name__}, expected a networkx.DiGraph: who needs whom?")
        forwards = direction == DIRECTIONS[0]
        kinds: dict[tuple[str, str], tuple[str, ...]] = {}
        for before, after, data in G.edges(data=True):
            pair = (before, after) if forwards else (after, before)
            kinds[pair] = in_order({*kinds.get(pair, ()), *kinds_told(data)})  # a multigraph may have an edge twice
        nodes: dict[str, dict[str, Any]] = {}
        records: dict[str, RepoNode] = {}
        for repo, attributes in G.nodes(data=True):
            nodes[repo] = known = {str(key): value for key, value in attributes.items()}
            name, url = known.pop("display_name", None), known.pop("remote_url", None)
            if name is not None or url is not None:
                records[repo] = RepoNode(repo_id=repo, display_name=name, remote_url=url)
        graph = cls._of(kinds, nodes, cycles)
        graph._records = {repo: node for repo, node in records.items() if repo in graph}
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
            joined._add_edges(graph._digraph.edges(data=True))
        joined._order = None
        warn_of_similar(
            [ids for ids in similar_ids(joined) if not any(all(map(graph.__contains__, ids)) for graph in graphs)]
        )
        joined._check_order(_WAY_OUT)
        return joined

    def _add_edges(self, edges: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Add edges with their kinds to those that are there."""
        for before, after, data in edges:
            if self._digraph.has_edge(before, after):
                kinds = in_order({*kinds_of_edge(self._digraph.edges[before, after]), *kinds_of_edge(data)})
            else:
                kinds = kinds_of_edge(data)
                self._digraph.add_edge(before, after)
            self._digraph.edges[before, after].update(kinds_as_kept(kinds))
        self._order = None

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
        order = self._ordered()
        seen = {self.require(repo)}
        stack = [repo]
        while stack:
            for other in neighbours(stack.pop()):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        seen.remove(repo)
        return [other for other in order if other in seen]

    def topological_order(self) -> list[str]:
        """Order the repos so that everything comes after what it needs. Linear, but for sorting.

        Kahn's algorithm (Kahn 1962, doi:10.1145/368996.369025) with a first-in-first-out queue:
        sorted roots first; whenever a repo is taken, the dependents that it frees are sorted and
        appended.

        Raises
        ------
        DependencyCycle
            Where the graph was kept with its cycles.

        Examples
        --------
        >>> RepoDependencyGraph.from_edges([("z", "b"), ("a", "y")]).topological_order()
        ['a', 'z', 'y', 'b']
        """
        return list(self._ordered())

    def _ordered(self) -> tuple[str, ...]:
        """Give the order, of a graph that has one."""
        self._check_order(_KEPT)
        return self._kahn()

    def _kahn(self) -> tuple[str, ...]:
        """Give the order, cached; shorter than the graph where that is cyclic."""
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
        for repo in self._ordered():
            level[repo] = 1 + max((level[before] for before in self._digraph.predecessors(repo)), default=-1)
            if level[repo] == len(waves):
                waves.append([])
            waves[level[repo]].append(repo)
        return waves

    # ------------------------------------------------------------------ why who is needed

    @property
    def report(self) -> ReadReport | None:
        """What the reader of the file or folder found, left out and guessed; None where nobody read one."""
        return self._report

    @property
    def has_cycles(self) -> bool:
        """Whether it was kept with cycles, so that there is no order."""
        return len(self._kahn()) < len(self)

    def kinds(self, dependency: str, dependent: str) -> list[str]:
        """List why `dependent` needs `dependency`: some of ``normal``, ``build``, ``peer``, ``optional`` and so on.

        An edge of which nothing is known is ``normal``. All kinds: `seqkit.core.kinds.KINDS`.

        Raises
        ------
        RepoNotFound
            Where one of the two is not in the graph.
        ValueError
            Where there is no such edge.

        Examples
        --------
        >>> import pandas as pd
        >>> edges = pd.DataFrame({"dependency": ["core"], "dependent": ["app"], "kinds": ["test, dev"]})
        >>> RepoDependencyGraph.from_edges(edges).kinds("core", "app")
        ['dev', 'test']
        """
        return list(kinds_of_edge(self._digraph.edges[self._edge(dependency, dependent)]))

    def _edge(self, dependency: str, dependent: str) -> tuple[str, str]:
        pair = self.require(dependency), self.require(dependent)
        if not self._digraph.has_edge(*pair):
            turned = f"; it is {dependency!r:.80} that needs {dependent!r:.80}" * self._digraph.has_edge(*pair[::-1])
            raise ValueError(f"{dependent!r:.80} does not need {dependency!r:.80}: there is no such edge{turned}")
        return pair

    def only_kinds(self, kinds: Kinds) -> RepoDependencyGraph:
        """Copy the graph with the dependencies of some kinds alone; all repos stay.

        An edge of several kinds stays while one of them is chosen, and then has those that are.

        Parameters
        ----------
        kinds : str or collection of str, or None
            Which; ``"all"``, or None for those that a release waits for (all but dev, test and extra).

        Raises
        ------
        ValueError
            Where one is no kind.
        """
        chosen = set(chosen_kinds(kinds))
        return self._with(
            (before, after, [kind for kind in kinds_of_edge(data) if kind in chosen])
            for before, after, data in self._digraph.edges(data=True)
        )

    def without_dependencies(
        self, pairs: Iterable[tuple[str, str]] = (), kinds: str | Collection[str] = ()
    ) -> RepoDependencyGraph:
        """Copy the graph without some dependencies; all repos stay.

        Parameters
        ----------
        pairs : iterable of pairs
            Edges to leave out, each (dependency, dependent), such as the `cut` of :meth:`cycles`.
        kinds : str or collection of str
            Kinds to leave out. An edge of several kinds stays with the others.

        Raises
        ------
        RepoNotFound, TypeError, ValueError
            Where a pair is no edge of the graph, or a kind no kind.

        Examples
        --------
        >>> graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "a"), ("b", "c")], cycles="keep")
        >>> opened = graph.without_dependencies(graph.cycles()["cut"][0])
        >>> opened.topological_order()
        ['a', 'b', 'c']
        """
        left_out = {self._edge(*pair) for pair in checked_pairs(pairs)}
        dropped = set(chosen_kinds(kinds)) if kinds else set()
        return self._with(
            (before, after, [kind for kind in kinds_of_edge(data) if kind not in dropped])
            for before, after, data in self._digraph.edges(data=True)
            if (before, after) not in left_out
        )

    def _with(self, edges: Iterable[tuple[str, str, list[str]]]) -> RepoDependencyGraph:
        """Copy it with these edges, each with its kinds; those of no kind are left out."""
        graph = RepoDependencyGraph()
        graph._digraph.add_nodes_from((repo, dict(known)) for repo, known in self._digraph.nodes(data=True))
        graph._digraph.add_edges_from(
            (before, after, kinds_as_kept(in_order(kinds))) for before, after, kinds in edges if kinds
        )
        graph._records = dict(self._records)
        graph._others = self._others
        return graph

    def cycles(self) -> pd.DataFrame:
        """List what waits for itself: a row a strongly connected component, the largest first.

        Columns: `n_members` (Int64); `members` (object: list of the repo ids, sorted); `smallest_cycle` (object: list
        of repo ids, each needed by the next, the first again at the end); `kinds` (object: list of text, why the next
        needs each, several kinds joined by ``/``); `cut` (object: list of pairs (dependency, dependent) whose removal
        opens the component; few, and rather of dev, test and peer dependencies than of normal ones: a heuristic, see
        :func:`seqkit.core.cycles.cut`). No rows where the graph is acyclic.

        Examples
        --------
        >>> graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "a"), ("b", "c")], cycles="keep")
        >>> graph.cycles().iloc[0].to_dict()
        {'n_members': 2, 'members': ['a', 'b'], 'smallest_cycle': ['a', 'b', 'a'], 'kinds': ['normal', 'normal'],
         'cut': [('b', 'a')]}
        """
        found = sorted(components(dict(self._digraph.adjacency())), key=lambda members: (-len(members), members[0]))
        shortest = [smallest_cycle(self._digraph, members) for members in found]
        return dtypes.frame(
            {
                "n_members": dtypes.integer([len(members) for members in found]),
                "members": dtypes.objects(found),
                "smallest_cycle": dtypes.objects(shortest),
                "kinds": dtypes.objects(
                    ["/".join(self.kinds(*pair)) for pair in itertools.pairwise(walk)] for walk in shortest
                ),
                "cut": dtypes.objects([cut(self._digraph, members) for members in found]),
            }
        )

    # ------------------------------------------------------------------ leaving

    def to_networkx(self) -> nx.DiGraph[str]:
        """Copy into a ``networkx.DiGraph`` whose edges run from dependency to dependent."""
        copy = self._digraph.copy()
        for repo, node in self._records.items():
            copy.nodes[repo]["display_name"] = node.display_name
            if node.remote_url is not None:
                copy.nodes[repo]["remote_url"] = node.remote_url
        return copy

    def to_dot(self) -> str:
        """Write it in DOT, for Graphviz; ``read_graph`` takes a file of it back.

        Edges run from dependency to dependent. Those of development, tests and extras alone are dashed, of peers and
        optional ones alone dotted, and labelled; merged units have two frames. Kept: display names, `version`, `path`,
        `ecosystem` and kinds. Control characters in names stay in the ids, while what is drawn shows their escapes.
        """
        return dot_of(self)

    def to_mermaid(self) -> str:
        """Write it as a flowchart of Mermaid, for Markdown; edges and units look as in :meth:`to_dot`.

        Mermaid draws no more than 500 edges, unless it is configured to.
        """
        return mermaid_of(self)

    def to_node_link(self) -> dict[str, Any]:
        """Give it in the node-link form of networkx and D3, ready for ``json.dumps``; ``read_graph`` takes it back.

        Keys `directed`, `multigraph`, `graph` (with the direction), `nodes` (`id` and the attributes) and `edges`
        (`source` is needed by `target`; `kinds` where an edge is not just normal).
        """
        return node_link_of(self)

    def to_frame(self, of: Literal["dependencies", "repos"] = "dependencies") -> pd.DataFrame:
        """List the dependencies, or the repos with what is known of them.

        Parameters
        ----------
        of : {"dependencies", "repos"}
            ``"dependencies"``: columns `dependency`, `dependent` (string) and, where one of them is not just
            ``normal``, `kinds` (string, separated by commas); a row an edge, sorted. :meth:`from_edges` takes the
            frame back, but for a repo whose id is blank; repos without edges are not in it. ``"repos"``: index
            `repo_id`, a row a repo, and a column an attribute that any of them has, such as ``version`` and
            ``path`` (string where all of it is text, else object; missing where a repo has none).

        Examples
        --------
        >>> graph = RepoDependencyGraph.from_edges([("core", "app")], nodes={"core": {"version": "1.2"}})
        >>> graph.to_frame("repos")["version"].tolist()
        ['1.2', <NA>]
        """
        if of not in ("dependencies", "repos"):
            raise ValueError(f"of is {as_given(of, 200)}, expected 'dependencies' or 'repos'")
        if of == "repos":
            return self._repos_frame()
        pairs = self.edges
        columns = {
            "dependency": dtypes.string([before for before, _ in pairs]),
            "dependent": dtypes.string([after for _, after in pairs]),
        }
        kinds = [kinds_of_edge(self._digraph.edges[pair]) for pair in pairs]
        if any(each != NORMAL for each in kinds):
            columns["kinds"] = dtypes.string([", ".join(each) for each in kinds])
        return dtypes.frame(columns)

    def _repos_frame(self) -> pd.DataFrame:
        known = [dict(self._digraph.nodes[repo]) for repo in self]
        keys = list(dict.fromkeys(str(key) for attributes in known for key in attributes))
        columns: dict[str, Any] = {}
        for key in keys:
            values = [attributes.get(key) for attributes in known]
            is_text = all(value is None or isinstance(value, str) for value in values)
            columns[key] = dtypes.string(values) if is_text else dtypes.objects(values)
        frame = dtypes.frame(columns) if columns else pd.DataFrame(index=range(len(known)))
        frame.index = dtypes.index(list(self))
        return frame

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RepoDependencyGraph):
            return NotImplemented
        return (
            self._digraph.nodes(data=True) == other._digraph.nodes(data=True)
            and _kinds_by_edge(self._digraph) == _kinds_by_edge(other._digraph)
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
        cyclic = ", with cycles" if self.has_cycles else ""
        return f"{plural(repos, 'repo')}, {plural(edges, 'dependency', 'dependencies')}{cyclic}"

    def _repr_html_(self) -> str:
        if self.has_cycles:
            return self._cycles_html()
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

    def _cycles_html(self) -> str:
        frame = self.cycles()
        rows = [
            (members, names(frame["smallest_cycle"][at]), listed(frame["cut"][at], 3, " → ".join))
            for at, members in enumerate(frame["n_members"][:_SHOWN])
        ]
        return page(
            f"Dependency graph with cycles: {repr(self)[len('RepoDependencyGraph(') : -1]}",
            rows_of(["repos that wait for each other", "the shortest way round", "open it by leaving out"], rows),
            note=and_more(len(frame) - len(rows), " components: .cycles() has all", "… "),
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
    kinds: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Of edges that are not just normal: why."""

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
            kinds={
                (before, after): data["kinds"]
                for before, after, data in graph._digraph.edges(data=True)
                if data and before in chosen and after in chosen
            },
        )

    def to_graph(self, owner: str = "") -> RepoDependencyGraph:
        """Make a graph of it; one that has an `owner` refuses changes, in the name of that."""
        graph = RepoDependencyGraph()
        graph._digraph.add_nodes_from((repo, dict(known)) for repo, known in self.attributes.items())
        graph._digraph.add_edges_from((repo, other) for repo, others in self.dependents.items() for other in others)
        for pair, kinds in self.kinds.items():
            graph._digraph.edges[pair]["kinds"] = kinds
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


def graph_of_kinds(
    edges: Mapping[tuple[str, str], tuple[str, ...]],
    nodes: Mapping[str, Mapping[str, Any]],
    cycles: Cycles = "error",
    report: ReadReport | None = None,
) -> RepoDependencyGraph:
    """Build what a reader found: edges with their kinds, repos with their attributes, and its report."""
    graph = RepoDependencyGraph._of(edges, nodes, cycles)
    mixed = mixed_units(attributes_by_repo(graph)) if cycles == "merge" else []
    if mixed and report is not None:
        told = Counted(
            f"merged {inflected(len(mixed), 'unit')} of several versions, which cannot be released as one item",
            len(mixed),
            tuple(f"{unit} ({versions})" for unit, versions in mixed[:_SHOWN]),
        )
        report = replace(report, warnings=(*report.warnings, told))
    graph._report = report
    return graph


def check_cycles(cycles: object) -> None:
    """Refuse a wrong `cycles`."""
    if cycles not in _CYCLES:
        raise ValueError(f"cycles is {as_given(cycles, 200)}, expected one of {_CYCLES}")


def check_direction(direction: object) -> None:
    """Refuse a wrong `direction`."""
    if direction not in DIRECTIONS:
        raise ValueError(
            f"direction is {as_given(direction, 200)}, expected one of {DIRECTIONS}: what does an edge A → B mean?"
        )


def graph_of_edges(edges: Iterable[tuple[str, str]], nodes: Iterable[str]) -> RepoDependencyGraph:
    """Build a graph that somebody was told of when it came first: ids that look alike are not told of again."""
    return RepoDependencyGraph._of(dict.fromkeys(checked_pairs(edges), NORMAL), nodes, tell=False)


def picture_of(graph: RepoDependencyGraph, waves: list[list[str]]) -> str:
    """Draw a thumbnail of a graph, as SVG; `waves` are its own."""
    title = "Dependency graph, waves from left to right"
    if len(graph) > MOST_DRAWN:  # sorting the edges would take longer than all the rest
        return stacked([{"pending": len(wave)} for wave in waves], title, tells=False)
    return dag([repo for wave in waves for repo in wave], graph.edges, {}, labels=False, title=title)


def _kinds_by_edge(digraph: nx.DiGraph[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(before, after): kinds_of_edge(data) for before, after, data in digraph.edges(data=True)}
