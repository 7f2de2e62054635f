"""Crossings, CPU milliseconds and stability of `seqkit._show.layout`, beside networkx and fast-sugiyama.

Crossings are counted the same way for all, between adjacent layers. ``multipartite_layout`` has no
dummies: its long edges are straight lines, in our layers. fast-sugiyama depends on the hash seed, which
new numbers for its nodes stand for; it is measured in layers of its own choice ("own": it shortens edges,
so it has fewer dummies to cross) and in longest-path layers as ours are ("same"). Against each stand the
geometric mean of the ratio of crossings (both plus one; below 1 we cross less) and the share of graphs
where we cross no more: "one" against its first drawing, "best" against the best of several.

"turned" is the share of pairs in one layer that lie the other way round after a small change (a leaf, a
root or a node between goes or comes, or an edge comes); a picture turned upside down counts in full.
"upside down" is the share of changes after which more than half of all pairs are turned.

Run with ``python -m tests.benchmarks layout``; it takes some minutes.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import exp, log

import networkx as nx

from seqkit._show.layout import Layout, layered
from tests.benchmarks.layout_cases import SHIPPED, Dag, Point, changes, mean, random_dag, release_like, shipped, turned

try:
    import fast_sugiyama
except ImportError:  # it is optional
    fast_sugiyama = None

SEEDS = 50
SEEDS_CHANGED = 10  # of these, for stability
RIVAL_DRAWINGS = 5
LAYERINGS = {"own": "minimize", "same": "up"}


def cases() -> Iterator[tuple[str, list[Dag]]]:
    """Give the graphs that ship, one by one, and families of random ones."""
    for name in SHIPPED:
        yield name, [shipped(name)]
    for n in (30, 100, 300):
        for density in (1.5, 2, 3):
            yield f"random {n}, {density:g} n edges", [random_dag(n, int(density * n), seed) for seed in range(SEEDS)]
        yield f"release-like {n}", [release_like(n, seed) for seed in range(SEEDS)]


def crossings_of(lines: list[list[Point]]) -> int:
    """Count how often polylines with a point a layer cross; to touch is not to cross."""
    steps: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for line in lines:
        for (x, before), (_, after) in pairwise(line):
            steps[x].append((before, after))
    count = 0
    for layer in steps.values():
        ends: list[float] = []
        for _, after in sorted(layer):
            place = bisect_right(ends, after)
            count += len(ends) - place
            ends.insert(place, after)
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


def of_fast_sugiyama(dag: Dag, ranking: str, seed: int) -> int | None:
    """Count the crossings of a drawing by fast-sugiyama; None where an edge stays within a layer."""
    nodes, edges = dag
    number = dict(zip(nodes, random.Random(seed).sample(range(len(nodes)), len(nodes)), strict=True))
    numbered = [(number[a], number[b]) for a, b in edges]
    count = 0
    for positions, _, _, steps in fast_sugiyama.from_edges(numbered, dummy_vertices=True, ranking_type=ranking):
        at = dict(positions)
        layer = {y: x for x, y in enumerate(sorted({y for _, y in at.values()}))}
        ends = [sorted(((layer[at[a][1]], at[a][0]), (layer[at[b][1]], at[b][0]))) for a, b in steps or ()]
        if any(first[0] == last[0] for first, last in ends):
            return None
        count += crossings_of([straight(*first, *last) for first, last in ends])
    return count


def timed(call: Callable[[], object]) -> float:
    """Give the best of three, in milliseconds of CPU time."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def against(dags: list[Dag], ours: list[Layout], ranking: str) -> str:
    """Compare with fast-sugiyama: ratio and share, against one drawing and against the best of several."""
    pairs: dict[str, list[tuple[int, int]]] = {"one": [], "best": []}
    for dag, drawing in zip(dags, ours, strict=True):
        theirs = [of_fast_sugiyama(dag, ranking, seed) for seed in range(RIVAL_DRAWINGS)]
        valid = [count for count in theirs if count is not None]
        if valid:
            pairs["one"].append((drawing.crossings, valid[0]))
            pairs["best"].append((drawing.crossings, min(valid)))
    ratios = [exp(mean(log((us + 1) / (them + 1)) for us, them in found)) for found in pairs.values()]
    shares = [mean(us <= them for us, them in found) for found in pairs.values()]
    return "".join(f"{ratio:9.2f}{share:6.0%}" for ratio, share in zip(ratios, shares, strict=True))


def run() -> Iterator[str]:
    """Measure everything; a line for each graph that ships, and for each family of random ones."""
    versus = "".join(f"{f'{how}, {which}':>15}" for how in LAYERINGS for which in ("one", "best"))
    measures = f"{'crossings':>10}{'multipartite':>14}{'ms':>6}{'at most':>9}{'turned':>8}{'upside down':>13}"
    yield f"{'graph':24}{measures}{versus}"
    for name, dags in cases():
        ours = [layered(*dag) for dag in dags]
        times = [timed(lambda dag=dag: layered(*dag)) for dag in dags]
        shares = [
            turned(drawing.positions, layered(*changed).positions)
            for seed, (dag, drawing) in enumerate(zip(dags[:SEEDS_CHANGED], ours, strict=False))
            for changed in changes(dag, seed, each=4 if len(dags) == 1 else 1)
        ]
        line = f"{name:24}{mean(drawing.crossings for drawing in ours):10.1f}"
        line += f"{mean(of_multipartite(dag, drawing) for dag, drawing in zip(dags, ours, strict=True)):14.1f}"
        line += f"{mean(times):6.0f}{max(times):9.0f}{mean(shares):8.1%}{mean(share > 0.5 for share in shares):13.1%}"
        if fast_sugiyama is not None:
            line += "".join(against(dags, ours, ranking) for ranking in LAYERINGS.values())
        yield line


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
