"""Crossings, milliseconds and stability of `seqkit.layout`, beside networkx and fast-sugiyama.

Everything is counted the same way, between adjacent layers. Ours and fast-sugiyama's are counted on
polylines through dummy vertices (fast-sugiyama in layers of its own choice, and with its results
varying with the hash seed); ``multipartite_layout`` has no dummies, so its long edges are straight
lines, in our layers. "turned" is the share of pairs in one layer whose order changes when one node
goes, averaged over up to 12 nodes: 50 % would be a new picture each time.

Run with ``python tests/benchmarks/bench_layout.py``.
"""

from __future__ import annotations

import csv
import random
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path

import networkx as nx

from seqkit.layout import Layout, layered

DATA = Path(__file__).parents[2] / "data"
SIZES = ((30, 40), (30, 60), (100, 150), (100, 250), (300, 450), (300, 600), (300, 900))

Edge = tuple[str, str]
Point = tuple[float, float]
Dag = tuple[list[str], list[Edge]]


def random_dag(n: int, n_edges: int, seed: int) -> Dag:
    """Draw `n_edges` of all pairs of a random order."""
    source = random.Random(seed)  # a benchmark is no secret
    nodes = [f"n{i:03}" for i in range(n)]
    order = source.sample(nodes, n)
    return nodes, source.sample(list(combinations(order, 2)), n_edges)


def cases() -> Iterator[tuple[str, Dag]]:
    """Give the graphs that ship, where they are there, and random ones."""
    for path in sorted(DATA.glob("*/*edges.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            edges = sorted({(row["dependency"], row["dependent"]) for row in csv.DictReader(file)})
        nodes = sorted({end for edge in edges for end in edge})
        if nx.is_directed_acyclic_graph(nx.DiGraph(edges)):
            yield f"{path.parent.name}/{path.stem}", (nodes, edges)
    for n, n_edges in SIZES:
        yield f"random {n}/{n_edges}", random_dag(n, n_edges, 1)


def crossings_of(lines: list[list[Point]]) -> int:
    """Count how often polylines with a point a layer cross; to touch is not to cross."""
    steps: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for line in lines:
        for (x, before), (_, after) in pairwise(line):
            steps[x].append((before, after))
    count = 0
    for layer in steps.values():
        layer.sort()
        ends: list[float] = []
        for i, (before, after) in enumerate(layer):
            place = bisect_right(ends, after)
            count += len(ends) - place
            ends.insert(place, after)
            # Steps that leave one point do not cross there; sorted, they lie side by side and ascend.
            assert i == 0 or layer[i - 1] <= (before, after)
    return count


def straight(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    """Cut a straight line into steps of one layer."""
    span = round(x1 - x0)
    return [(x0 + i, y0 + (y1 - y0) * i / span) for i in range(span + 1)]


def of_multipartite(dag: Dag, ours: Layout) -> int:
    """Count the crossings of networkx's drawing, in our layers."""
    nodes, edges = dag
    graph = nx.DiGraph()
    graph.add_nodes_from((node, {"subset": ours.positions[node][0]}) for node in nodes)
    graph.add_edges_from(edges)
    y = {node: point[1] for node, point in nx.multipartite_layout(graph).items()}
    return crossings_of([straight(ours.positions[a][0], y[a], ours.positions[b][0], y[b]) for a, b in edges])


def of_fast_sugiyama(dag: Dag) -> int:
    """Count the crossings of fast-sugiyama's drawing, in its default layers."""
    import fast_sugiyama  # noqa: PLC0415  # only where it is installed

    count = 0
    for positions, _, _, steps in fast_sugiyama.from_edges(dag[1], dummy_vertices=True):
        at = dict(positions)
        layer = {y: x for x, y in enumerate(sorted({y for _, y in at.values()}))}
        ends = [sorted(((layer[at[a][1]], at[a][0]), (layer[at[b][1]], at[b][0]))) for a, b in steps or ()]
        count += crossings_of([straight(*first, *last) for first, last in ends])
    return count


def turned(dag: Dag, whole: Layout) -> float:
    """Say which share of pairs changes its order when a node goes."""
    nodes, edges = dag
    changed = pairs = 0
    for gone in nodes[:: -(-len(nodes) // 12)]:
        part = layered([node for node in nodes if node != gone], [edge for edge in edges if gone not in edge])
        layers: dict[Point, list[Point]] = defaultdict(list)
        for node, (x, y) in part.positions.items():
            layers[x, whole.positions[node][0]].append((y, whole.positions[node][1]))
        for layer in layers.values():
            heights: list[float] = []
            for _, y in sorted(layer):
                place = bisect_left(heights, y)
                changed += len(heights) - place
                heights.insert(place, y)
            pairs += len(layer) * (len(layer) - 1) // 2
    return changed / max(pairs, 1)


def timed(call: Callable[[], object]) -> float:
    """Give the best of three, in milliseconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def run() -> list[str]:
    """Measure everything; one line a graph."""
    try:
        import fast_sugiyama  # noqa: PLC0415  # optional
    except ImportError:
        fast_sugiyama = None
    lines = [
        f"{'graph':24}{'ours':>8}{'ms':>7}{'turned':>8}{'multipartite':>14}{'ms':>7}{'fast-sugiyama':>15}{'ms':>7}"
    ]
    for name, dag in cases():
        ours = layered(*dag)
        line = f"{name:24}{ours.crossings:8}{timed(lambda dag=dag: layered(*dag)):7.1f}{turned(dag, ours):8.1%}"
        graph = nx.DiGraph(dag[1])
        graph.add_nodes_from((node, {"subset": x}) for node, (x, _) in ours.positions.items())
        line += f"{of_multipartite(dag, ours):14}{timed(lambda graph=graph: nx.multipartite_layout(graph)):7.1f}"
        if fast_sugiyama is None:
            line += f"{'not installed':>15}"
        else:
            took = timed(lambda dag=dag: fast_sugiyama.from_edges(dag[1], dummy_vertices=True))
            line += f"{of_fast_sugiyama(dag):15}{took:7.1f}"
        lines.append(line)
    return lines


if __name__ == "__main__":
    print("\n".join(run()))
