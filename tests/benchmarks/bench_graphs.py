"""Graphs as large as a distribution's: merged, planned, reached, and how likely each is to go out.

The graph is made up, in the likeness of Debian's source packages: 34,288 nodes, about 247,000 edges, one strongly
connected component of about 4,800. CPU time, as ratios to networkx on the same edges where networkx has the same.
"""

import gc
import random
import resource
import time
from collections.abc import Callable

import networkx as nx

from seqkit import RepoDependencyGraph, analyze, blast_radius, build_plan

N, EDGES, KNOT = 34_288, 247_000, 4_800


def like_debian(n: int = N, edges: int = EDGES, knot: int = KNOT, seed: int = 7) -> list[tuple[str, str]]:
    """Make edges (dependency, dependent): popular packages are needed most, and a knot of them by each other."""
    chance = random.Random(seed)
    names = [f"source-{number:05d}" for number in range(n)]
    pairs = {(names[at], names[(at + 1) % knot]) for at in range(knot)}  # a ring through the knot
    while len(pairs) < edges:
        after = chance.randrange(n)
        before = int(n * chance.random() ** 4)  # most needs are of few packages
        if before < after or (before < knot and after < knot and before != after and chance.random() < 0.05):
            pairs.add((names[before], names[after]))
    return sorted(pairs, key=lambda pair: chance.random())


def cpu(call: Callable[[], object], rounds: int = 3) -> float:
    """Give the least CPU time of several calls, in seconds."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        began = time.process_time()
        call()
        best = min(best, time.process_time() - began)
    return best


def run() -> list[str]:
    """Print seconds and ratios."""
    edges = like_debian()
    digraph = nx.DiGraph(edges)
    kept = RepoDependencyGraph.from_edges(edges, cycles="keep")
    merged = RepoDependencyGraph.from_edges(edges, cycles="merge")
    plan = build_plan(merged, version="1")
    bare, condensed = cpu(lambda: nx.DiGraph(edges)), cpu(lambda: nx.condensation(digraph))
    built, read = (
        cpu(lambda: RepoDependencyGraph.from_edges(edges, cycles="merge")),
        cpu(lambda: RepoDependencyGraph.from_edges(edges, cycles="keep")),
    )
    lines = [
        f"{N:,} nodes, {len(edges):,} edges, a component of {max(kept.cycles()['n_members']):,}; CPU seconds:",
        f"  nx.DiGraph(edges) {bare:.2f}; kept {read:.2f} = {read / bare:.2f}x",
        f'  cycles="merge" {built - read:.2f} beyond that = {(built - read) / condensed:.2f}x of nx.condensation '
        f"({condensed:.2f})",
        f"  cycles(): {cpu(kept.cycles, 1):.2f}",
        f"  build_plan {cpu(lambda: build_plan(merged, version='1')):.2f}",
        f"  blast_radius of all {cpu(lambda: blast_radius(plan)):.2f}",
        f"  exact probabilities of all {cpu(lambda: analyze(plan, 0.02).to_frame()):.2f}",
        f"  most memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, "
        "with networkx's own graph of the same",
    ]
    return lines
