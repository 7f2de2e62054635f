"""Graphs as large as a distribution's: merged, planned, reached, and how likely each is to go out.

The graph is made up, in the likeness of Debian's source packages: 34,288 nodes, about 247,000 edges, one strongly
connected component of about 4,800. CPU time, as ratios to networkx on the same edges where networkx has the same.
"""

import gc
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import networkx as nx

from seqkit import RepoDependencyGraph, analyze, blast_radius, build_plan, read_graph

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
    return [*lines, *files(merged)]


def files(graph: RepoDependencyGraph) -> list[str]:
    """Read the same graph from files of several formats, beside what reads such a file and makes nothing of it."""
    lines = [f"files of {graph.n_dependencies:,} dependencies; microseconds of CPU a dependency:"]
    needs = {repo: graph.dependencies_of(repo) for repo in graph}
    refs = [{"bom-ref": repo, "name": repo, "version": "1"} for repo in graph]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [{"type": "library", **ref} for ref in refs],
        "dependencies": [{"ref": repo, "dependsOn": others} for repo, others in needs.items()],
    }
    lock = "# yarn lockfile v1\n\n" + "\n".join(
        f'"{repo}@1":\n  version "1.0.0"\n'
        + "  dependencies:\n" * bool(others)
        + "".join(f'    "{other}" "1"\n' for other in others)
        for repo, others in needs.items()
    )
    texts = {
        "edges.csv": "dependency,dependent\n" + "".join(f"{before},{after}\n" for before, after in graph.edges),
        "yarn.lock": lock,
        "graph.dot": graph.to_dot(),
        "graph.json": json.dumps(graph.to_node_link()),
        "all.cdx.json": json.dumps(bill),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            path.write_text(text, "utf-8")
            took = cpu(partial(read_graph, path), 2) * 1e6 / graph.n_dependencies
            lines.append(f"  {name:12} {took:5.1f}")
            if name.endswith(".json"):
                parse = cpu(partial(json.loads, text), 2) * 1e6 / graph.n_dependencies
                lines[-1] += f" = {took / parse:4.1f}x of json.loads ({parse:.1f})"
            elif name.endswith(".csv"):
                bare = cpu(partial(nx.read_edgelist, path, delimiter=",", data=False), 2) * 1e6 / graph.n_dependencies
                lines[-1] += f" = {took / bare:4.1f}x of nx.read_edgelist ({bare:.1f})"
    return lines
