"""Cycles: which repos wait for each other, the shortest way round, and what to cut.

Functions of a graph as networkx keeps it, who is needed → by whom. A *component* is strongly connected and has a
cycle: each of its repos waits for each other one. Whatever is chosen among equals is chosen by name, so that the same
graph gives the same answers.

>>> import networkx as nx
>>> graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "a"), ("c", "b"), ("x", "a")])
>>> components(graph.adj), smallest_cycle(graph, ["a", "b", "c"]), cut(graph, ["a", "b", "c"])
([['a', 'b', 'c']], ['b', 'c', 'b'], [('b', 'c')])
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

import networkx as nx
import numpy as np

from seqkit._util.words import listed, quoted
from seqkit.core.kinds import NORMAL, hardest, kinds_of_edge
from seqkit.errors import DependencyCycle

__all__ = ["after_each", "components", "cut", "described_cycle", "leads", "smallest_cycle", "units"]

_SMALL = 5_000  # edges
_MOST_STEPS = 20_000_000  # of a search that tries to put back what was cut; beyond, more is cut than must be


def components(after: Mapping[str, Collection[str]]) -> list[list[str]]:
    """List the components, each sorted, in the order of their first repo; a repo that needs itself is one. Linear.

    Tarjan's algorithm (1972, doi:10.1137/0201010), as SciPy has it. SciPy takes longer to import than a small graph
    to look through, so that one without cycles is known for such by Kahn's algorithm.

    Parameters
    ----------
    after : mapping
        Repo → who needs it; whoever nobody needs may be missing.
    """
    if sum(map(len, after.values())) <= _SMALL and _is_acyclic(after):
        return []
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    number = {repo: at for at, repo in enumerate(after)}
    within = [[number[other] for other in row if other in number] for row in after.values()]  # others lead nowhere
    ends = np.fromiter(itertools.chain.from_iterable(within), dtype=np.int32)
    bounds = np.cumsum([0, *map(len, within)])
    matrix = csr_array((np.ones(len(ends), dtype=bool), ends, bounds), shape=(len(number), len(number)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    several = np.bincount(labels) > 1
    found: dict[int, list[str]] = {}
    for (repo, row), label, whether in zip(after.items(), labels.tolist(), several[labels].tolist(), strict=True):
        if whether or repo in row:
            found.setdefault(label, []).append(repo)
    return sorted(sorted(members) for members in found.values())


def _is_acyclic(after: Mapping[str, Collection[str]]) -> bool:
    waits: dict[str, int] = {}
    for row in after.values():
        for other in row:
            waits[other] = waits.get(other, 0) + 1
    done = [repo for repo in after if repo not in waits]
    for repo in done:  # it grows at its end while it is read
        for other in after.get(repo, ()):
            waits[other] -= 1
            if not waits[other]:
                done.append(other)
    return not any(waits.values())


def after_each(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Give who needs each repo, of pairs (dependency, dependent)."""
    after: dict[str, list[str]] = {}
    for before, dependent in pairs:
        if before in after:
            after[before].append(dependent)
        else:
            after[before] = [dependent]
    return after


def smallest_cycle(digraph: nx.DiGraph[str], members: Sequence[str]) -> list[str]:
    """Find a shortest cycle in a component; the first repo stands again at the end.

    One of one or two repos is seen at a glance over the edges; else a search in breadth from every member, no deeper
    than the shortest found so far: quadratic at worst.
    """
    within = {repo: sorted(other for other in digraph.adj[repo] if other in digraph.pred[repo]) for repo in members}
    inside = set(members)
    for repo in members:
        if digraph.has_edge(repo, repo):
            return [repo, repo]
    for repo in members:
        for other in within[repo]:
            if other in inside:
                return [repo, other, repo]
    after = {repo: sorted(other for other in digraph.adj[repo] if other in inside) for repo in members}
    best: list[str] = []
    for start in members:
        found = _way_back(after, start, len(best) - 2 if best else len(members))
        if found:
            best = found
            if len(best) == 4:  # three repos: there is no shorter one
                break
    return best


def _way_back(after: Mapping[str, Sequence[str]], start: str, deepest: int) -> list[str]:
    """Find a shortest way from `start` to itself, of at most so many edges; empty where there is none."""
    came_from: dict[str, str] = {}
    edge, depth = [start], 0
    while edge and depth < deepest:
        depth += 1
        following = []
        for repo in edge:
            for other in after[repo]:
                if other == start:
                    way = [start, repo]
                    while way[-1] != start:
                        way.append(came_from[way[-1]])
                    return way[::-1]
                if other not in came_from:
                    came_from[other] = repo
                    following.append(other)
        edge = following
    return []


def cut(digraph: nx.DiGraph[str], members: Sequence[str]) -> list[tuple[str, str]]:
    """Choose edges of a component whose removal opens it: few, and rather those that are easily done without.

    A heuristic, since the fewest are hard to find (minimum feedback arc set, Karp 1972). The repos are put in a line
    by Eades, Lin and Smyth's rule (1993, doi:10.1016/0020-0190(93)90079-O), where an edge weighs the more the harder
    its kind is to do without (dev and test least, then extra, optional and peer); the edges that run backwards are
    the cut. Then each that can be put back without a cycle is, the hardest first, so that no edge of the cut is
    superfluous; in components where that would take too long this is left out.

    Returns
    -------
    list of pairs
        (dependency, dependent), sorted.
    """
    inside = set(members)
    hard = {
        (repo, other): hardest(kinds_of_edge(data))
        for repo in members
        for other, data in digraph.adj[repo].items()
        if other in inside
    }
    place = {repo: at for at, repo in enumerate(_in_line(members, hard))}
    after: dict[str, list[str]] = {repo: [] for repo in members}
    backwards = []
    for repo, other in sorted(hard):
        if place[repo] < place[other]:
            after[repo].append(other)
        else:
            backwards.append((repo, other))
    if len(backwards) * (len(hard) + len(members)) > _MOST_STEPS:
        return backwards
    left_out = []
    for pair in sorted(backwards, key=lambda pair: (-hard[pair], pair)):
        if pair[0] == pair[1] or leads(after, pair[1], pair[0]):
            left_out.append(pair)
        else:
            after[pair[0]].append(pair[1])
    return sorted(left_out)


def _in_line(members: Sequence[str], hard: Mapping[tuple[str, str], int]) -> list[str]:
    """Put repos in a line that few hard edges run against."""
    weigh = {pair: float(len(hard) + 1) ** min(rank // 3, 2) for pair, rank in hard.items() if pair[0] != pair[1]}
    ways: dict[str, list[tuple[str, float]]] = {repo: [] for repo in members}
    back: dict[str, list[tuple[str, float]]] = {repo: [] for repo in members}
    gives, takes = dict.fromkeys(members, 0.0), dict.fromkeys(members, 0.0)
    for (repo, other), weight in weigh.items():
        ways[repo].append((other, weight))
        back[other].append((repo, weight))
        gives[repo] += weight
        takes[other] += weight
    n_out, n_in = {repo: len(ways[repo]) for repo in members}, {repo: len(back[repo]) for repo in members}
    first: list[str] = []
    last: list[str] = []
    gone: set[str] = set()
    ends = deque(repo for repo in members if not n_out[repo] or not n_in[repo])
    heap = [(takes[repo] - gives[repo], repo) for repo in members]
    heapq.heapify(heap)
    while len(gone) < len(members):
        if ends:
            repo = ends.popleft()
        else:
            score, repo = heapq.heappop(heap)
            if repo not in gone and score != takes[repo] - gives[repo]:
                continue  # an old entry; a newer one is in the heap
        if repo in gone:
            continue
        gone.add(repo)
        (last if not n_out[repo] and n_in[repo] else first).append(repo)
        for other, weight in ways[repo]:
            if other not in gone:
                takes[other] -= weight
                n_in[other] -= 1
                _changed(other, takes, gives, n_in, n_out, heap, ends)
        for other, weight in back[repo]:
            if other not in gone:
                gives[other] -= weight
                n_out[other] -= 1
                _changed(other, takes, gives, n_in, n_out, heap, ends)
    return first + last[::-1]


def _changed(
    repo: str,
    takes: Mapping[str, float],
    gives: Mapping[str, float],
    n_in: Mapping[str, int],
    n_out: Mapping[str, int],
    heap: list[tuple[float, str]],
    ends: deque[str],
) -> None:
    if n_in[repo] and n_out[repo]:
        heapq.heappush(heap, (takes[repo] - gives[repo], repo))
    else:
        ends.append(repo)


def leads(after: Mapping[str, Iterable[str]], start: str, goal: str) -> bool:
    """Tell whether one comes after another, directly or not; whoever nobody needs may be missing in `after`."""
    seen, todo = {start}, [start]
    while todo:
        repo = todo.pop()
        if repo == goal:
            return True
        for other in after.get(repo, ()):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return False


def described_cycle(digraph: nx.DiGraph[str], way_out: str | None = None) -> DependencyCycle:
    """Make the error that names one concrete cycle, its edges, and what could be done without."""
    found = components(dict(digraph.adjacency()))
    walk = _walked(digraph, found[0])
    kinds = [kinds_of_edge(digraph.edges[before, after]) for before, after in itertools.pairwise(walk)]
    if all(each == NORMAL for each in kinds):
        return DependencyCycle(walk, len(found), way_out)
    softest = min(range(len(kinds)), key=lambda at: (hardest(kinds[at]), at))
    told = [
        f"{after} needs {before} ({'/'.join(each)})" for before, after, each in zip(walk, walk[1:], kinds, strict=False)
    ]
    also = f"Here {listed(told, 4)}"
    if len({hardest(each) for each in kinds}) > 1:
        also += f"; the {'/'.join(kinds[softest])} dependency is most easily done without"
    return DependencyCycle(walk, len(found), way_out, also)


def _walked(digraph: nx.DiGraph[str], members: Sequence[str]) -> list[str]:
    """Walk along dependents inside a component until a repo comes round again."""
    inside = set(members)
    walk, at = [members[0]], {members[0]: 0}
    while True:
        repo = min(dependent for dependent in digraph.adj[walk[-1]] if dependent in inside)
        walk.append(repo)
        if repo in at:
            return walk[at[repo] :]
        at[repo] = len(walk) - 1


def units(found: Iterable[Sequence[str]], taken: Collection[str]) -> dict[str, Sequence[str]]:
    """Name the release units that components become: unit → members. A repo that needs itself alone is none.

    Raises
    ------
    ValueError
        Where a name is taken.

    Examples
    --------
    >>> units([["a", "b"], ["p", "q", "r", "s", "t"]], taken=())
    {'a+b': ['a', 'b'], 'p+q+r+2': ['p', 'q', 'r', 's', 't']}
    """
    named: dict[str, Sequence[str]] = {}
    for members in found:
        if len(members) == 1:
            continue
        unit = "+".join(members[:3]) + (f"+{len(members) - 3}" if len(members) > 3 else "")
        if unit in taken or unit in named:
            raise ValueError(
                f'cycles="merge" would name the cycle of {quoted(members)} {unit!r}, but that id is taken: rename it'
            )
        named[unit] = members
    return named
