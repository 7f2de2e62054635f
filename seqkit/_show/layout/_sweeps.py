"""Sweeps and sifting, for parts too large for the reinsertion of stars."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np
import numpy.typing as npt

from seqkit._show.layout._proper import Graph, crossings, ranks

__all__ = ["sifted", "swept"]

_SWEEPS = 4  # rounds of four sweeps: down and up, ties kept and turned over
_PATIENCE = 4  # sweeps without a better order
_SIFTINGS = 2
_WIDEST_SIFTED = 1_000  # a matrix of the pairs of a wider layer costs more than it brings


def swept(graph: Graph, rows: list[list[int]]) -> list[list[int]]:
    """Sort layers by the median of the neighbours (Gansner et al. 1993, doi:10.1109/32.221135); give the best order."""
    best, fewest, stale = rows, crossings(graph, rows), 0
    rows, rank = list(rows), ranks(rows)
    to, fro = (1, graph.up), (-1, graph.down)
    for (step, neighbours), turned in ((to, False), (fro, False), (to, True), (fro, True)) * _SWEEPS:
        for i in range(len(rows))[::step]:
            key = {v: median([rank[w] for w in neighbours[v]]) for v in rows[i] if neighbours[v]}
            moving = iter(sorted(reversed(key) if turned else key, key=key.__getitem__))
            rows[i] = [next(moving) if v in key else v for v in rows[i]]  # the others keep their places
            rank.update(ranks(rows[i : i + 1]))
        count, stale = crossings(graph, rows), stale + 1
        if count < fewest:
            best, fewest, stale = list(rows), count, 0
        if not fewest or stale == _PATIENCE:
            break
    return best


def sifted(graph: Graph, rows: list[list[int]]) -> list[list[int]]:
    """Move single things to their best place in their layer (Matuszewski et al. 1999, doi:10.1007/3-540-46648-7_22)."""
    rows, rank = list(rows), ranks(rows)
    stale = sortable = {i for i, row in enumerate(rows) if 1 < len(row) <= _WIDEST_SIFTED}
    for sifting in range(_SIFTINGS):
        for i in sorted(stale, reverse=sifting % 2 == 1):
            stale = stale - {i}
            above, below = ([[rank[w] for w in side[v]] for v in rows[i]] for side in (graph.up, graph.down))
            order = _sifted_row(_excess(above) + _excess(below))
            if order != sorted(order):
                rows[i] = [rows[i][k] for k in order]
                rank.update(ranks(rows[i : i + 1]))
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
