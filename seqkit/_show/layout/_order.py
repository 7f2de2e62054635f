"""The order of each layer: from a few smooth starts to the drawing that is taken."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from seqkit._show.layout._proper import Graph, crossings
from seqkit._show.layout._stars import Stars, work_of_a_round
from seqkit._show.layout._sweeps import sifted, swept

__all__ = ["ordered"]

Rows = list[list[int]]

_SMOOTHINGS = (30, 100, 10)  # steps, the canonical start first; with more of them small changes matter more
_LARGE_SMOOTHING = 300
_NEARLY = 1.1  # that many times the fewest crossings is no reason to leave the canonical start
_WORK = 160_000_000  # for a part, in cells of tables: up to a fifth of a second


def ordered(graph: Graph, part: Sequence[int]) -> Rows:
    """Order a connected part, layer by layer, so that few edges cross."""
    level = graph.level.__getitem__
    rows = [list(row) for _, row in groupby(sorted(part, key=level), level)]
    if len(part) == len(rows):
        return rows
    if work_of_a_round(graph, rows) > _WORK:
        if not crossings(graph, rows):
            return rows
        return sifted(graph, swept(graph, _smoothed(graph, rows, _LARGE_SMOOTHING)))
    found: list[Rows] = []
    work = 0
    for steps in _SMOOTHINGS:
        stars = Stars(graph, _smoothed(graph, rows, steps))
        stars.improve(_WORK - work)
        found.append(stars.rows)
        work += stars.work
        if not crossings(graph, found[0]) or work + stars.work > _WORK:
            break
    return _chosen(graph, [*found, rows])  # breadth-first, no tree crosses


def _chosen(graph: Graph, candidates: Sequence[Rows]) -> Rows:
    """Take the first that is nearly as good as the best, so that a small change of the graph seldom changes it."""
    counts = [crossings(graph, rows) for rows in candidates]
    return next(rows for rows, count in zip(candidates, counts, strict=True) if count <= _NEARLY * min(counts))


def _smoothed(graph: Graph, rows: Sequence[Sequence[int]], steps: int) -> Rows:
    """Order by a height per node that moves, step by step, halfway to the mean of its neighbours.

    Heights start in the order of ids, which hardly changes when a node comes or goes, and approach the
    Fiedler vector of the normalized Laplacian (power iteration; Koren 2005, doi:10.1016/j.camwa.2004.08.015).
    As no eigenvalue of a halved step is negative, none of its eigenvectors turns over on the way: which
    side is up is settled by the ids alone, alike for all numbers of steps.
    """
    nodes = sorted(v for row in rows for v in row if v < graph.nodes)
    index = {v: i for i, v in enumerate(nodes)}
    paths = [graph.paths[e] for v in nodes for e in graph.leaving[v]]
    tails, heads = np.array([(index[path[0]], index[path[-1]]) for path in paths]).T
    n = len(nodes)
    degree = np.bincount(tails, minlength=n) + np.bincount(heads, minlength=n)
    height = np.arange(n) / n
    for _ in range(steps):
        pull = np.bincount(tails, height[heads], n) + np.bincount(heads, height[tails], n)
        height = (height + pull / degree) / 2
        # Without its mean, or all would end up at one height; cumsum adds in the same order on every machine.
        height -= (height * degree).cumsum()[-1] / degree.sum()
        height /= np.abs(height).max() or 1.0
    key = dict(zip(nodes, height.tolist(), strict=True))
    for path in paths:
        first, last = key[path[0]], key[path[-1]]
        key.update((v, first + (last - first) * i / (len(path) - 1)) for i, v in enumerate(path[1:-1], 1))
    return [sorted(row, key=lambda v: (round(key[v], 9), v)) for row in rows]
