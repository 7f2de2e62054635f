"""Graphs to lay out, small changes of them, and how much of a picture such a change turns over."""

from __future__ import annotations

import csv
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from itertools import combinations
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
SHIPPED = {"jest29": "lockstep-edges", "jupyter": "edges", "kf5": "edges"}

Point = tuple[float, float]
Dag = tuple[list[str], list[tuple[str, str]]]


def shipped(name: str) -> Dag:
    """Read the graph of a data set."""
    with (DATA / name / f"{SHIPPED[name]}.csv").open(newline="", encoding="utf-8") as file:
        edges = sorted({(row["dependency"], row["dependent"]) for row in csv.DictReader(file)})
    return sorted({end for edge in edges for end in edge}), edges


def random_dag(n: int, n_edges: int, seed: int) -> Dag:
    """Draw `n_edges` of all pairs of a random order."""
    source = random.Random(seed)  # a benchmark is no secret
    nodes = [f"n{i:03}" for i in range(n)]
    order = source.sample(nodes, n)
    return nodes, source.sample(list(combinations(order, 2)), n_edges)


def release_like(n: int, seed: int) -> Dag:
    """Let each node depend on none to three that came before: mostly on late ones, else on popular ones."""
    source = random.Random(seed)
    nodes = [f"n{i:03}" for i in range(n)]
    order = source.sample(nodes, n)
    edges, wanted = set(), [0]
    for i in range(1, n):
        for _ in range(source.choice((0, 1, 1, 2, 2, 3))):
            late = source.random() < 0.6
            wanted.append(source.randrange(max(0, i - 12), i) if late else source.choice(wanted))
            edges.add((order[wanted[-1]], order[i]))
    return nodes, sorted(edges)


def changes(dag: Dag, seed: int, each: int = 1) -> Iterator[Dag]:
    """Take away, `each` times, a leaf, a root and one between; add one of each, and an edge."""
    nodes, edges = dag
    source = random.Random(seed)
    sources, targets = ({edge[i] for edge in edges} for i in (0, 1))
    for ends in (targets - sources, sources - targets, sources & targets):
        for gone in source.sample(sorted(ends), min(each, len(ends))):
            yield [node for node in nodes if node != gone], [edge for edge in edges if gone not in edge]
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in edges:
        before[b].append(a)
    order = list(TopologicalSorter(before).static_order())
    for _ in range(each):
        new = f"{source.choice(nodes)}+"
        a, b = (order[i] for i in sorted(source.sample(range(len(order)), 2)))
        for more in ([(a, new), (b, new)], [(new, a), (new, b)], [(a, new), (new, b)]):
            yield [*nodes, new], [*edges, *more]
        while (a, b) in edges:
            a, b = (order[i] for i in sorted(source.sample(range(len(order)), 2)))
        yield nodes, [*edges, (a, b)]


def turned(before: Mapping[str, Point], after: Mapping[str, Point]) -> float:
    """Give the share of pairs that are in one layer before and after, and lie the other way round after."""
    layers: dict[Point, list[Point]] = defaultdict(list)
    for node, (x, y) in after.items():
        if node in before:
            layers[x, before[node][0]].append((y, before[node][1]))
    changed = pairs = 0
    for layer in layers.values():
        heights: list[float] = []
        for _, y in sorted(layer):
            place = bisect_left(heights, y)
            changed += len(heights) - place
            heights.insert(place, y)
        pairs += len(layer) * (len(layer) - 1) // 2
    return changed / max(pairs, 1)


def mean(values: Iterable[float]) -> float:
    """Give the mean, and 0 of nothing."""
    numbers = list(values)
    return sum(numbers) / max(len(numbers), 1)
