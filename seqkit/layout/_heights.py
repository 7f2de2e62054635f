"""The height of every vertex, the order in its layer kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf
from statistics import fmean

from seqkit.layout._proper import Graph

__all__ = ["place"]

_ALIGNMENTS = 6
_DUMMY_PULL = 4.0  # dummies hold to their line this much more strongly than nodes to their neighbours


def place(graph: Graph, rows: list[list[int]], y: list[float]) -> None:
    """Give every vertex of a connected part its height, the order in its layer kept."""
    for neighbours, step in ((graph.up, 1), (graph.down, -1)) * _ALIGNMENTS:
        for row in rows[::step]:
            _settle(graph, row, [fmean([y[w] for w in neighbours[v] or [v]]) for v in row], y)
    members = [v for row in rows for v in row]
    chains = [
        graph.paths[e][1:-1] for v in members if v < graph.nodes for e in graph.leaving[v] if len(graph.paths[e]) > 2
    ]
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
            beside = sorted((y[w], w) for w in graph.up[line[0]] + graph.down[line[-1]])
            middle = beside[(len(beside) - 1) // 2 : len(beside) // 2 + 1]
            wanted, _ = min(middle, key=lambda spot: spot[1] >= graph.nodes)  # of two, a node rather than a dummy
            for v in line:
                y[v] = min(max(wanted, lowest), highest)


def _settle(graph: Graph, row: Sequence[int], targets: Sequence[float], y: list[float]) -> None:
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
