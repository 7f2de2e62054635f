"""Reinsertion of stars: take a node and all its edges out, and put them back where they cross least.

All else keeps its order meanwhile, so the best place for the node and the best ways for its edges, through
any number of layers, are shortest paths. Stars as the moves of a local search are from Clancy, Haythorpe
and Newcombe (2019, doi:10.7155/jgaa.00487), who draw without layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqkit._show.layout._proper import Graph

__all__ = ["Stars", "work_of_a_round"]

_STEP_WORK = 10_000  # of an edge through one layer, however small the table

Counts = npt.NDArray[np.int32]
Trail = list[tuple[Counts, Counts]]  # fewest crossings up to each gap of a row, and the table to the next row


def _works(rows: Sequence[Sequence[int]]) -> list[int]:
    return [(len(row) + 1) * (len(following) + 1) + _STEP_WORK for row, following in pairwise(rows)]


def work_of_a_round(graph: Graph, rows: Sequence[Sequence[int]]) -> int:
    """Say how many cells of tables it takes to try every node once; each edge is walked from both its ends."""
    steps = [sum(len(graph.down[v]) for v in row) for row in rows[:-1]]
    return 2 * sum(count * work for count, work in zip(steps, _works(rows), strict=True))


class Stars:
    """The rows of a connected part, and a search for moves that make it cross less.

    Gap p of a row is the place before its p-th vertex, the last gap that behind all. The table of two
    adjacent rows counts, for gaps p and q, the edges that a line from p in the one to q in the other crosses.
    """

    def __init__(self, graph: Graph, rows: Sequence[Sequence[int]]) -> None:
        self.rows = [list(row) for row in rows]
        self.work = 0
        first = graph.level[rows[0][0]]
        self._row = [level - first for level in graph.level]  # only of use for this part's vertices
        self._rank = np.zeros(len(graph.level), dtype=np.int64)
        for row in self.rows:
            self._rank[row] = range(len(row))
        self._paths = {  # from each node outwards
            v: [graph.paths[e][::-1] for e in graph.entering[v]] + [graph.paths[e] for e in graph.leaving[v]]
            for row in rows
            for v in row
            if v < graph.nodes
        }
        self._tails = [np.array([v for v in row for _ in graph.down[v]]) for row in rows[:-1]]
        self._heads = [np.array([w for v in row for w in graph.down[v]]) for row in rows[:-1]]
        self._works = _works(rows)
        self._tables = [self._table(k) for k in range(len(rows) - 1)]
        self._weights = [self._weight(k) for k in range(len(rows) - 1)]
        self._moves = 0
        self._changed = [0] * (len(rows) - 1)  # after how many moves, for each table
        self._looked = dict.fromkeys(self._paths, -1)  # after how many moves, for each node

    def improve(self, most_work: int) -> None:
        """Move nodes from left to right and back, until nothing helps or so much work is done."""
        backwards, before = False, -1
        while before < self._moves:
            before = self._moves
            for v in sorted(self._paths, key=lambda v: (self._row[v], self._rank[v]), reverse=backwards):
                if self.work > most_work:
                    return
                self._reinsert(v)
            backwards = not backwards

    def _table(self, k: int) -> Counts:
        here, there = len(self.rows[k]), len(self.rows[k + 1])
        steps = self._rank[self._tails[k]] * there + self._rank[self._heads[k]]
        before = np.zeros((here + 1, there + 1), dtype=np.int32)  # both gaps: edges with both ends before them
        before[1:, 1:] = np.bincount(steps, minlength=here * there).reshape(here, there)
        before = before.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
        crossed: Counts = before[:, -1:] + before[-1] - 2 * before
        return crossed

    def _weight(self, k: int) -> int:
        """Give twice the crossings, and once the pairs of edges that share an end, which never change."""
        return int(self._tables[k][self._rank[self._tails[k]], self._rank[self._heads[k]]].sum())

    def _reinsert(self, v: int) -> None:
        paths, here, rank = self._paths[v], self._row[v], self._rank
        ends = [self._row[path[-1]] for path in paths]
        spanned = range(min(here, *ends), max(here, *ends))
        if max(self._changed[k] for k in spanned) <= self._looked[v]:
            return
        self._looked[v] = self._moves
        tables = self._without(paths, spanned)
        now, costs = 0, np.zeros(len(self.rows[here]) + 1, dtype=np.int32)
        trails: list[Trail] = []
        for path in paths:
            end, following, *_ = reversed(path)
            table = self._between(tables, end, following)
            i = rank[end]
            others = table[i + 1, 0] - table[i, 0]  # edges of the same end, which cannot cross this one
            reached = (table[i] + table[i + 1] - others) // 2
            now += int(reached[rank[following]])
            trail: Trail = []
            for a, b in pairwise(path[-2::-1]):
                table = self._between(tables, a, b)
                now += int(table[rank[a], rank[b]])
                trail.append((reached, table))
                reached = (reached[:, None] + table).min(axis=0)
            costs += reached
            trails.append(trail)
        if costs.min() < now:
            self._try(v, _nearest_best(costs, int(rank[v])), trails, spanned)

    def _without(self, paths: Sequence[Sequence[int]], spanned: range) -> dict[int, Counts]:
        """Copy the tables less these paths; their vertices stay in the rows, as gaps of no meaning."""
        tables = {k: self._tables[k].copy() for k in spanned}
        for path in paths:
            for a, b in pairwise(path):
                table = self._between(tables, a, b)
                i, j = self._rank[a] + 1, self._rank[b] + 1
                table[i:, :j] -= 1
                table[:i, j:] -= 1
        return tables

    def _between(self, tables: dict[int, Counts], a: int, b: int) -> Counts:
        """Give the table from the row of a to the row next to it where b is."""
        k = min(self._row[a], self._row[b])
        self.work += self._works[k] // 2  # once to take the path out, once to look for its way
        return tables[k] if self._row[a] == k else tables[k].T

    def _try(self, v: int, gap: int, trails: Sequence[Trail], spanned: range) -> None:
        """Move a node to a gap, its edges along; but not if these then cross each other so much that nothing is won."""
        here = self._row[v]
        wanted = {here: [(gap, v, v)]}  # row: gap, vertex, and its neighbour further out
        for path, trail in zip(self._paths[v], trails, strict=True):
            inner = gap
            for w, outer, (reached, table) in zip(path[1:-1], path[2:], reversed(trail), strict=True):
                inner = _nearest_best(reached + table[:, inner], int(self._rank[w]))
                wanted.setdefault(self._row[w], []).append((inner, w, outer))
        old = {k: self.rows[k] for k in wanted}
        moving = {w for spots in wanted.values() for _, w, _ in spots}
        for k in sorted(wanted, key=lambda k: abs(k - here), reverse=True):  # outer neighbours first
            stays = [w not in moving for w in old[k]]
            row = [w for w in old[k] if w not in moving]
            spots = [(sum(stays[:q]), self._rank[outer], w) for q, w, outer in wanted[k]]
            for place, _, w in sorted(spots, reverse=True):
                row.insert(place, w)
            self._set(k, row)
        tables, weights = self._tables[:], self._weights[:]
        for k in spanned:
            self.work += self._works[k]
            self._tables[k] = self._table(k)
            self._weights[k] = self._weight(k)
        if sum(self._weights) < sum(weights):
            self._moves += 1
            for k in spanned:
                self._changed[k] = self._moves
        else:
            self._tables, self._weights = tables, weights
            for k, row in old.items():
                self._set(k, row)

    def _set(self, k: int, row: list[int]) -> None:
        self.rows[k] = row
        self._rank[row] = range(len(row))


def _nearest_best(costs: Counts, place: int) -> int:
    best = np.flatnonzero(costs == costs.min())
    return int(best[np.abs(best - place).argmin()])
