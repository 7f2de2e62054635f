"""A graph cut into steps of one layer, and how often its edges cross."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain, pairwise
from reprlib import Repr

import numpy as np

__all__ = ["Graph", "connected", "crossings", "given", "longest_paths", "numbered", "proper", "ranks"]

_shown = Repr()
_shown.maxstring = 60  # ids may be huge


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph whose every edge spans one layer. Vertices are numbers: nodes in the order of ids, then dummies."""

    nodes: int
    level: list[int]
    up: list[list[int]]  # neighbours one layer lower
    down: list[list[int]]  # neighbours one layer higher
    paths: list[tuple[int, ...]]  # a path for each edge: source, dummies, target
    leaving: list[list[int]]  # the edges of each node, by their place in paths
    entering: list[list[int]]


def numbered(ids: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[tuple[int, int]]:
    """Check ids and edges; give the edges by the places of their ends in `ids`, each once."""
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


def longest_paths(ids: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Give every node the length of the longest path to it."""
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


def given(layers: Mapping[str, int], ids: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Check layers that the caller chose."""
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


def proper(level: Sequence[int], pairs: Iterable[tuple[int, int]]) -> Graph:
    """Cut every edge into steps of one layer."""
    graph = Graph(
        len(level), list(level), [[] for _ in level], [[] for _ in level], [], [[] for _ in level], [[] for _ in level]
    )
    for a, b in pairs:
        dummies = range(len(graph.level), len(graph.level) + level[b] - level[a] - 1)
        graph.level.extend(range(level[a] + 1, level[b]))
        graph.up.extend([] for _ in dummies)
        graph.down.extend([] for _ in dummies)
        path = (a, *dummies, b)
        for v, w in pairwise(path):
            graph.down[v].append(w)
            graph.up[w].append(v)
        graph.leaving[a].append(len(graph.paths))
        graph.entering[b].append(len(graph.paths))
        graph.paths.append(path)
    return graph


def connected(graph: Graph) -> list[list[int]]:
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


def ranks(rows: Iterable[Sequence[int]]) -> dict[int, int]:
    """Give every vertex its place in its row."""
    return {v: i for row in rows for i, v in enumerate(row)}


def crossings(graph: Graph, rows: Iterable[Sequence[int]]) -> int:
    """Count inversions by bisection into the ends seen so far; their shifting is one fast memmove."""
    count, rank = 0, ranks(rows)
    for row in rows:
        ends: list[int] = []
        for v in row:
            for end in sorted([rank[w] for w in graph.down[v]]):
                place = bisect_right(ends, end)
                count += len(ends) - place
                ends.insert(place, end)
    return count
