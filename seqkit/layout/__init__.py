"""Layered coordinates for a directed acyclic graph, from plain ids and edges.

The method is that of Sugiyama, Tagawa and Toda (1981, doi:10.1109/TSMC.1981.4308636): give every
node a layer, cut long edges into steps of one layer by *dummy* vertices, order each layer so that
few edges cross, then move things up and down, order kept, until edges run straight.

>>> layered(["core", "app", "web"], [("core", "app"), ("core", "web")]).positions
{'app': (1.0, 0.0), 'core': (0.0, 0.0), 'web': (1.0, 1.0)}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seqkit.layout._heights import place
from seqkit.layout._order import ordered
from seqkit.layout._proper import connected, crossings, given, longest_paths, numbered, proper

__all__ = ["Layout", "layered"]

_DIGITS = 6  # of a row: finer than can be seen, coarser than what machines round differently


@dataclass(frozen=True)
class Layout:
    """Where everything goes; made by :func:`layered`. `x` is the layer; `y` counts rows, from 0, downwards."""

    positions: dict[str, tuple[float, float]]  # id → (x, y), sorted; bends too are a row apart or more
    routes: dict[tuple[str, str], list[tuple[float, float]]]  # edge → polyline, ends included, one point a layer
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
    place of that search. Heights are least-squares fits at unit separation.

    Examples
    --------
    >>> drawing = layered("abcd", [("a", "b"), ("b", "c"), ("a", "c")])
    >>> drawing.positions["d"], drawing.routes["a", "b"], drawing.crossings
    ((0.0, 1.0), [(0.0, 0.0), (1.0, 0.0)], 0)
    """
    ids = sorted(nodes)
    pairs = numbered(ids, edges)
    graph = proper(longest_paths(ids, pairs) if layers is None else given(layers, ids, pairs), pairs)
    y = [0.0] * len(graph.level)
    count, bottom = 0, dict[int, float]()  # layer → where the lowest thing lies so far
    for part in connected(graph):
        rows = ordered(graph, part)
        count += crossings(graph, rows)
        if len(part) > len(rows):  # or it lies on one line already
            place(graph, rows, y)
        shift = max(bottom.get(graph.level[row[0]], -1.0) + 1.0 - y[row[0]] for row in rows)
        for row in rows:
            for v in row:
                y[v] += shift
            bottom[graph.level[row[0]]] = y[row[-1]]
    spots = [(float(x), round(height, _DIGITS)) for x, height in zip(graph.level, y, strict=True)]
    routes = {(ids[path[0]], ids[path[-1]]): [spots[v] for v in path] for path in graph.paths}
    return Layout(dict(zip(ids, spots[: graph.nodes], strict=True)), routes, count)
