"""Layered coordinates for a directed acyclic graph, from plain ids and edges.

The method is that of Sugiyama, Tagawa and Toda (1981, doi:10.1109/TSMC.1981.4308636): give every
node a layer, cut long edges into steps of one layer by *dummy* vertices, order each layer so that
few edges cross. How high things stand in their layer is the caller's, who knows how much room they take.

>>> layered(["core", "app", "web"], [("core", "app"), ("core", "web")]).positions
{'app': (1, 0), 'core': (0, 0), 'web': (1, 1)}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seqkit._show.layout._order import ordered
from seqkit._show.layout._proper import connected, crossings, given, longest_paths, numbered, proper

__all__ = ["Layout", "Place", "layered", "levels"]

Place = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Where everything goes; made by :func:`layered`. `x` is the layer; `y` the place in it, from 0, downwards."""

    positions: dict[str, Place]  # id → (x, y), sorted; bends too have a place of their own
    routes: dict[tuple[str, str], list[Place]]  # edge → polyline, ends included, one point a layer
    crossings: int  # of these polylines, between adjacent layers


def layered(nodes: Sequence[str], edges: Iterable[tuple[str, str]], layers: Mapping[str, int] | None = None) -> Layout:
    """Draw a directed acyclic graph in layers, from left to right.

    Parameters
    ----------
    nodes : sequence of str
        Ids, each once, of any text. Ids that sort first tend to lie higher; the order of nodes and edges has no effect.
    edges : iterable of pairs
        (source, target); a repeated pair counts once.
    layers : mapping of id to int, optional
        The layer of every node, at least 0; by default the length of the longest path to it.

    Raises
    ------
    ValueError
        Where an id repeats, an edge's end is unknown, there is a cycle, or an edge does not lead to a higher layer.

    Notes
    -----
    Work and memory grow with the sum of the layers that edges span. Connected parts are stacked, the
    largest on top. Nodes start in the order of ids, smoothed towards the mean of their neighbours (as if
    to find the Fiedler vector by power iteration): few crossings, and much the same picture when the graph
    changes a little. From there, each node in turn moves, all its edges along, to where they cross least.
    Where a layered part has far more than 300 nodes, median sweeps and sifting, which are faster, take the
    place of that search.

    Examples
    --------
    >>> drawing = layered("abcd", [("a", "b"), ("b", "c"), ("a", "c")])
    >>> drawing.positions["d"], drawing.routes["a", "b"], drawing.crossings
    ((0, 1), [(0, 0), (1, 0)], 0)
    """
    ids = sorted(nodes)
    pairs = numbered(ids, edges)
    graph = proper(longest_paths(ids, pairs) if layers is None else given(layers, ids, pairs), pairs)
    y = [0] * len(graph.level)
    count, taken = 0, Counter[int]()  # layer → how many places
    for part in connected(graph):
        rows = ordered(graph, part)
        count += crossings(graph, rows)
        for row in rows:
            layer = graph.level[row[0]]
            for v in row:
                y[v] = taken[layer]
                taken[layer] += 1
    spots = list(zip(graph.level, y, strict=True))
    routes = {(ids[path[0]], ids[path[-1]]): [spots[v] for v in path] for path in graph.paths}
    return Layout(dict(zip(ids, spots[: graph.nodes], strict=True)), routes, count)


def levels(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Give every node the length of the longest path to it: the layers of :func:`layered`, at the cost of one walk.

    Raises
    ------
    ValueError
        Where an id repeats, an edge's end is unknown, or there is a cycle.

    Examples
    --------
    >>> levels("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    ids = sorted(nodes)
    return dict(zip(ids, longest_paths(ids, numbered(ids, edges)), strict=True))
