"""Layered coordinates for a directed acyclic graph, from plain ids and edges.

The method is that of Sugiyama, Tagawa and Toda (1981, doi:10.1109/TSMC.1981.4308636): give every
node a layer, cut long edges into steps of one layer by *dummy* vertices, order each layer so that
few edges cross, then move things up and down, order kept, until edges run straight.

>>> layered(["core", "app", "web"], [("core", "app"), ("core", "web")]).positions
{'app': (1.0, 0.0), 'core': (0.0, 0.0), 'web': (1.0, 1.0)}
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain, groupby, pairwise
from math import inf
from reprlib import Repr
from statistics import fmean, median, median_low

import numpy as np
import numpy.typing as npt

__all__ = ["Layout", "layered"]

_SMOOTHINGS = (60, 240)  # more of them cross less at times, but let far-away nodes decide; small parts try both
_SMALL = 400
_SWEEPS = 4  # rounds of four sweeps: down and up, ties kept and turned over
_PATIENCE = 4  # sweeps without a better order
_SIFTINGS = 2
_WIDEST_SIFTED = 1_000  # a matrix of the pairs of a wider layer costs more than it brings
_ALIGNMENTS = 6
_DUMMY_PULL = 4.0  # dummies hold to their line this much more strongly than nodes to their neighbours
_DIGITS = 6  # of a row: finer than can be seen, coarser than what machines round differently
_shown = Repr()
_shown.maxstring = 60  # ids may be huge


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
        Ids, each once, of any text. Their order breaks ties; the order of nodes and edges has no effect.
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
    largest on top. Order starts breadth-first, smoothed towards the mean of the neighbours (as if to
    find the Fiedler vector by power iteration): few crossings, and stable when the graph changes a
    little. Median sweeps and sifting improve it. Heights are least-squares fits at unit separation.

    Examples
    --------
    >>> drawing = layered("abcd", [("a", "b"), ("b", "c"), ("a", "c")])
    >>> drawing.positions["d"], drawing.routes["a", "b"], drawing.crossings
    ((0.0, 1.0), [(0.0, 0.0), (1.0, 0.0)], 0)
    """
    ids = sorted(nodes)
    pairs = _numbered(ids, edges)
    graph = _proper(_longest_paths(ids, pairs) if layers is None else _given(layers, ids, pairs), pairs)
    y = [0.0] * len(graph.level)
    crossings, bottom = 0, dict[int, float]()  # layer → where the lowest thing lies so far
    for part in _connected(graph):
        rows = _ordered(graph, part)
        crossings += _crossings(graph, rows)
        if len(part) > len(rows):  # or it lies on one line already
            _place(graph, rows, y)
        shift = max(bottom.get(graph.level[row[0]], -1.0) + 1.0 - y[row[0]] for row in rows)
        for row in rows:
            for v in row:
                y[v] += shift
            bottom[graph.level[row[0]]] = y[row[-1]]
    spots = [(float(x), round(height, _DIGITS)) for x, height in zip(graph.level, y, strict=True)]
    routes = {
        (ids[a], ids[b]): [spots[a], *(spots[v] for v in dummies), spots[b]]
        for (a, b), dummies in zip(pairs, graph.chains, strict=True)
    }
    return Layout(dict(zip(ids, spots[: graph.nodes], strict=True)), routes, crossings)


@dataclass(frozen=True, slots=True)
class _Graph:
    """A graph whose every edge spans one layer. Vertices are numbers: nodes in the order of ids, then dummies."""

    nodes: int
    level: list[int]
    up: list[list[int]]  # neighbours one layer lower
    down: list[list[int]]  # neighbours one layer higher
    chains: list[range]  # the dummies of each edge
    chain_from: dict[int, range]  # the same by their first dummy


def _numbered(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    for before, after in pairwise(ids):
        if before == after:
            raise ValueError(f"nodes has {_shown.repr(after)} twice, expected every id once")
    pairs, number = set(), {node: v for v, node in enumerate(ids)}
    for source, target in edges:
        for end in (source, target):
            if end not in number:
                raise ValueError(f"edges has {_shown.repr((source, target))}, but {_shown.repr(end)} is not in nodes")
        pairs.add((number[source], number[target]))
    return sorted(pairs)


def _longest_paths(ids: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[int]:
    level = [0] * len(ids)
    sources: dict[int, list[int]] = {v: [] for v in range(len(ids))}
    for a, b in pairs:
        sources[b].append(a)
    try:
        for v in TopologicalSorter(sources).static_order():
            level[v] = max([level[u] + 1 for u in sources[v]], default=0)
    except CycleError as error:
        raise ValueError(f"edges has the cycle {_shown.repr([ids[v] for v in error.args[1]])}, expected none") from None
    return level


def _given(layers: Mapping[str, int], ids: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[int]:
    for node in ids:
        if not isinstance(layers.get(node), int | np.integer) or layers[node] < 0:
            got = f"{_shown.repr(layers.get(node))} for {_shown.repr(node)}"
            raise ValueError(f"layers has {got}, expected an int of at least 0 for every node")
    level = [int(layers[node]) for node in ids]
    for a, b in pairs:
        if level[a] >= level[b]:
            edge = f"{_shown.repr((ids[a], ids[b]))}, from layer {level[a]} to {level[b]}"
            raise ValueError(f"edges has {edge}, expected a higher layer at its end")
    return level


def _proper(level: Sequence[int], pairs: Iterable[tuple[int, int]]) -> _Graph:
    graph = _Graph(len(level), list(level), [[] for _ in level], [[] for _ in level], [], {})
    for a, b in pairs:
        dummies = range(len(graph.level), len(graph.level) + level[b] - level[a] - 1)
        graph.level.extend(range(level[a] + 1, level[b]))
        graph.up.extend([] for _ in dummies)
        graph.down.extend([] for _ in dummies)
        for v, w in pairwise((a, *dummies, b)):
            graph.down[v].append(w)
            graph.up[w].append(v)
        graph.chains.append(dummies)
        graph.chain_from.update((v, dummies) for v in dummies[:1])
    return graph


def _connected(graph: _Graph) -> list[list[int]]:
    """List the connected parts, the largest first, each breadth-first from its first id."""
    parts, seen = [], [False] * len(graph.level)
    for start in range(graph.nodes):
        if not seen[start]:
            seen[start], part = True, [start]
            for v in part:  # the list is the queue: it grows at its end while it is read
                for w in chain(graph.up[v], graph.down[v]):
                    if not seen[w]:
                        seen[w] = True
                        part.append(w)
            parts.append(part)
    return sorted(parts, key=len, reverse=True)  # stable: equals stay in the order of ids


def _ordered(graph: _Graph, part: Sequence[int]) -> list[list[int]]:
    """Order a connected part, layer by layer, so that few edges cross."""
    level = graph.level.__getitem__
    rows = [list(row) for _, row in groupby(sorted(part, key=level), level)]
    if not _crossings(graph, rows):
        return rows
    tried = [_smoothed(graph, rows, steps) for steps in _SMOOTHINGS[: 2 if len(part) <= _SMALL else 1]]
    return min((_sifted(graph, _swept(graph, start)) for start in tried), key=lambda found: _crossings(graph, found))


def _smoothed(graph: _Graph, rows: Iterable[Sequence[int]], steps: int) -> list[list[int]]:
    """Order by a height per vertex that moves, step by step, halfway to the mean of its neighbours."""
    members = [v for row in rows for v in row]
    index = {v: i for i, v in enumerate(members)}
    height = np.array([(i + 0.5) / len(row) for row in rows for i in range(len(row))])
    tails, heads = np.array([(index[v], index[w]) for v in members for w in graph.down[v]]).T
    degree = np.bincount(tails, minlength=len(members)) + np.bincount(heads, minlength=len(members))
    for _ in range(min(steps, 4 * len(members))):  # a tiny part has settled by then
        pull = np.bincount(tails, height[heads], len(members)) + np.bincount(heads, height[tails], len(members))
        height = (height + pull / degree) / 2
        height -= (height * degree).sum() / degree.sum()  # or all would end up at one height
        height /= np.abs(height).max() or 1.0
    key = dict(zip(members, height.round(9).tolist(), strict=True))
    return [sorted(row, key=key.__getitem__) for row in rows]


def _ranks(rows: Iterable[Sequence[int]]) -> dict[int, int]:
    return {v: i for row in rows for i, v in enumerate(row)}


def _crossings(graph: _Graph, rows: Iterable[Sequence[int]]) -> int:
    """Count inversions by bisection into the ends seen so far; their shifting is one fast memmove."""
    count, rank = 0, _ranks(rows)
    for row in rows:
        ends: list[int] = []
        for v in row:
            for end in sorted([rank[w] for w in graph.down[v]]):
                place = bisect_right(ends, end)
                count += len(ends) - place
                ends.insert(place, end)
    return count


def _swept(graph: _Graph, rows: list[list[int]]) -> list[list[int]]:
    """Sort layers by the median of the neighbours (Gansner et al. 1993, doi:10.1109/32.221135); give the best order."""
    best, fewest, stale = rows, _crossings(graph, rows), 0
    rows, rank = list(rows), _ranks(rows)
    to, fro = (1, graph.up), (-1, graph.down)
    for (step, neighbours), turned in ((to, False), (fro, False), (to, True), (fro, True)) * _SWEEPS:
        for i in range(len(rows))[::step]:
            key = {v: median([rank[w] for w in neighbours[v]]) for v in rows[i] if neighbours[v]}
            moving = iter(sorted(reversed(key) if turned else key, key=key.__getitem__))
            rows[i] = [next(moving) if v in key else v for v in rows[i]]  # the others keep their places
            rank.update(_ranks(rows[i : i + 1]))
        count, stale = _crossings(graph, rows), stale + 1
        if count < fewest:
            best, fewest, stale = list(rows), count, 0
        if not fewest or stale == _PATIENCE:
            break
    return best


def _sifted(graph: _Graph, rows: list[list[int]]) -> list[list[int]]:
    """Move single things to their best place in their layer (Matuszewski et al. 1999, doi:10.1007/3-540-46648-7_22)."""
    rows, rank = list(rows), _ranks(rows)
    stale = sortable = {i for i, row in enumerate(rows) if 1 < len(row) <= _WIDEST_SIFTED}
    for sifting in range(_SIFTINGS):
        for i in sorted(stale, reverse=sifting % 2 == 1):
            stale = stale - {i}
            above, below = ([[rank[w] for w in side[v]] for v in rows[i]] for side in (graph.up, graph.down))
            order = _sifted_row(_excess(above) + _excess(below))
            if order != sorted(order):
                rows[i] = [rows[i][k] for k in order]
                rank.update(_ranks(rows[i : i + 1]))
                stale = stale | (sortable & {i - 1, i + 1})
    return rows


def _excess(ends: Sequence[Sequence[int]]) -> npt.NDArray[np.int32]:
    """Say how many crossings more each pair of vertices has in the order (row, column) than the other way round."""
    flat = np.array([rank for ranks in ends for rank in ranks], dtype=np.int64)
    owner = np.repeat(np.arange(len(ends)), [len(ranks) for ranks in ends])
    below = np.zeros((int(flat.max(initial=0)) + 2, len(ends)), dtype=np.int32)
    below[flat + 1, owner] = 1
    below = below.cumsum(axis=0, dtype=np.int32)  # [r, k]: how many ends of k have a rank below r
    crossed = np.zeros((len(ends), len(ends)), dtype=np.int32)
    holders, starts = np.unique(owner, return_index=True)
    crossed[holders] = np.add.reduceat(below[flat], starts, axis=0)
    return crossed - crossed.T


def _sifted_row(excess: npt.NDArray[np.int32]) -> list[int]:
    order = list(range(len(excess)))
    while True:
        saved = excess[np.ix_(order, order)].cumsum(axis=1, dtype=np.int32)  # by moving from the far left past a column
        better = saved.max(axis=1, initial=0) > saved.diagonal()
        if not better.any():
            return order
        for k in [order[i] for i in np.flatnonzero(better).tolist()]:
            gain = np.concatenate(([0], excess[k, order].cumsum()))
            here, there = order.index(k), int(gain.argmax())
            if gain[there] > gain[here]:  # no longer a matter of course: others have moved
                del order[here]
                order.insert(there - (there > here), k)


def _place(graph: _Graph, rows: list[list[int]], y: list[float]) -> None:
    """Give every vertex of a connected part its height, the order in its layer kept."""
    for neighbours, step in ((graph.up, 1), (graph.down, -1)) * _ALIGNMENTS:
        for row in rows[::step]:
            _settle(graph, row, [fmean([y[w] for w in neighbours[v] or [v]]) for v in row], y)
    members = [v for row in rows for v in row]
    chains = [graph.chain_from[v] for v in members if v in graph.chain_from]
    for _ in range(_ALIGNMENTS):
        target = {v: fmean([y[w] for w in graph.up[v] + graph.down[v]]) for v in members if v < graph.nodes}
        target.update((v, line) for dummies in chains for line in [fmean(y[w] for w in dummies)] for v in dummies)
        for row in rows:
            _settle(graph, row, [target[v] for v in row], y)
    # At last, put all of a long edge on one height, and a node on that of a neighbour, where there is room.
    above = {w: v for row in rows for v, w in pairwise(row)}
    below = {v: w for w, v in above.items()}
    lines = [*sorted(chains, key=len, reverse=True), *([v] for v in members if v < graph.nodes)]
    for line in (*lines, *lines[::-1], *lines):
        lowest = max((y[above[v]] + 1.0 for v in line if v in above), default=-inf)
        highest = min((y[below[v]] - 1.0 for v in line if v in below), default=inf)
        if lowest <= highest:
            wanted = median_low([y[w] for w in graph.up[line[0]] + graph.down[line[-1]]])
            for v in line:
                y[v] = min(max(wanted, lowest), highest)


def _settle(graph: _Graph, row: Sequence[int], targets: Sequence[float], y: list[float]) -> None:
    """Put a layer as near to its targets as unit separation allows, in the sense of least squares.

    Isotonic regression of height less place, by pooling adjacent violators (Ayer 1955, doi:10.1214/aoms/1177728423).
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, and where the next pool starts
    for i, v in enumerate(row):
        mean, weight = targets[i] - i, 1.0 if v < graph.nodes else _DUMMY_PULL
        while pools and pools[-1][0] >= mean:
            other, mass, _ = pools.pop()
            mean, weight = (other * mass + mean * weight) / (mass + weight), mass + weight
        pools.append((mean, weight, i + 1))
    start = 0
    for mean, _, end in pools:
        for i in range(start, end):
            y[row[i]] = mean + i
        start = end
