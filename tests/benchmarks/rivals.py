"""Other ways to simulate a release many times, each written as well as a competent person would.

Every rival takes the dependencies of each repo (positions in topological order), prepares what it can,
and gives a function ``run(p, trials, seed)``. All draw independent failures of probability `p` and skip
what is below a failure; all count how often each repo failed and was lost (failed or skipped), and how
many repos each trial lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np


class Counts(NamedTuple):
    """What came out of some trials."""

    failed: Sequence[int]  # [repos] in how many trials
    lost: Sequence[int]  # [repos] in how many trials
    per_trial: Sequence[int]  # [trials] repos lost


Dependencies = Sequence[Sequence[int]]
Run = Callable[[float, int, int], Counts]


def _networkx_graph(dependencies: Dependencies) -> Any:
    import networkx as nx  # noqa: PLC0415  # each rival needs its own package only

    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(dependencies)))
    graph.add_edges_from((before, after) for after, row in enumerate(dependencies) for before in row)
    return graph


def networkx_walk(dependencies: Dependencies) -> Run:
    """Walk the order as a release does: look at the predecessors, then draw."""
    import networkx as nx  # noqa: PLC0415

    graph = _networkx_graph(dependencies)
    order = list(nx.topological_sort(graph))

    def run(p: float, trials: int, seed: int) -> Counts:
        draw = random.Random(seed).random
        failed, lost, per_trial = [0] * len(order), [0] * len(order), []
        for _ in range(trials):
            bad: set[int] = set()
            for repo in order:
                for before in graph.pred[repo]:
                    if before in bad:
                        bad.add(repo)
                        break
                else:
                    if draw() < p:
                        bad.add(repo)
                        failed[repo] += 1
            for repo in bad:
                lost[repo] += 1
            per_trial.append(len(bad))
        return Counts(failed, lost, per_trial)

    return run


def networkx_descendants(dependencies: Dependencies) -> Run:
    """Draw who would fail, in topological order; ask for the descendants of each that is not skipped."""
    import networkx as nx  # noqa: PLC0415

    graph = _networkx_graph(dependencies)
    order = list(nx.topological_sort(graph))
    return _by_descendants(order, lambda repo: nx.descendants(graph, repo))


def rustworkx_descendants(dependencies: Dependencies) -> Run:
    """Do the same with the graph in Rust."""
    import rustworkx as rx  # noqa: PLC0415

    graph = rx.PyDiGraph()
    graph.add_nodes_from(list(range(len(dependencies))))
    graph.add_edges_from_no_data([(before, after) for after, row in enumerate(dependencies) for before in row])
    order = list(rx.topological_sort(graph))
    return _by_descendants(order, lambda repo: rx.descendants(graph, repo))


def _by_descendants(order: list[int], descendants: Callable[[int], set[int]]) -> Run:
    def run(p: float, trials: int, seed: int) -> Counts:
        draw = random.Random(seed).random
        failed, lost, per_trial = [0] * len(order), [0] * len(order), []
        for _ in range(trials):
            bad: set[int] = set()
            for repo in [repo for repo in order if draw() < p]:
                if repo not in bad:
                    failed[repo] += 1
                    bad.add(repo)
                    bad |= descendants(repo)
            for repo in bad:
                lost[repo] += 1
            per_trial.append(len(bad))
        return Counts(failed, lost, per_trial)

    return run


def plain_python(dependencies: Dependencies) -> Run:
    """Use lists of integers and local names; touch only what fails and what is below it."""
    repos = range(len(dependencies))
    dependents: list[list[int]] = [[] for _ in repos]
    for after, row in enumerate(dependencies):
        for before in row:
            dependents[before].append(after)

    def run(p: float, trials: int, seed: int) -> Counts:
        draw, below = random.Random(seed).random, dependents
        failed, lost, per_trial = [0] * len(below), [0] * len(below), []
        for _ in range(trials):
            gone = 0
            failing = [repo for repo in repos if draw() < p]
            if failing:
                bad = bytearray(len(below))
                for repo in failing:
                    if bad[repo]:
                        continue
                    failed[repo] += 1
                    bad[repo] = 1
                    stack = [repo]
                    for reached in stack:  # grows while it is walked
                        lost[reached] += 1
                        for after in below[reached]:
                            if not bad[after]:
                                bad[after] = 1
                                stack.append(after)
                    gone += len(stack)
            per_trial.append(gone)
        return Counts(failed, lost, per_trial)

    return run


def simpy_events(dependencies: Dependencies) -> Run:
    """Let each repo be one SimPy event that frees its dependents by a callback; no processes."""
    import simpy  # noqa: PLC0415

    n = len(dependencies)
    needs = [len(row) for row in dependencies]
    roots = [repo for repo in range(n) if not needs[repo]]
    dependents: list[list[int]] = [[] for _ in range(n)]
    for after, row in enumerate(dependencies):
        for before in row:
            dependents[before].append(after)

    def run(p: float, trials: int, seed: int) -> Counts:
        draw = random.Random(seed).random
        failed, lost, per_trial = [0] * n, [0] * n, []
        for _ in range(trials):
            environment = simpy.Environment()
            waiting, bad, gone = needs.copy(), bytearray(n), 0

            def finished(event: Any, waiting: list[int] = waiting, bad: bytearray = bad) -> None:
                repo = event.value
                for after in dependents[repo]:
                    if bad[repo]:
                        bad[after] = 1
                    waiting[after] -= 1
                    if not waiting[after]:
                        start(after)

            def start(repo: int, environment: Any = environment, bad: bytearray = bad, done: Any = finished) -> None:
                nonlocal gone
                if bad[repo] or draw() < p:
                    if not bad[repo]:
                        failed[repo] += 1
                        bad[repo] = 1
                    lost[repo] += 1
                    gone += 1
                event = simpy.Event(environment)
                event.callbacks.append(done)
                event.succeed(repo)

            for repo in roots:
                start(repo)
            environment.run()
            per_trial.append(gone)
        return Counts(failed, lost, per_trial)

    return run


def numpy_bytes(dependencies: Dependencies, dtype: Any = np.float32) -> Run:
    """Keep one byte a trial, a row a repo.

    Blocks are wide: drawing takes far longer than what the cache would save. Numbers of 32 bits are drawn
    twice as fast as of 64, and give a small `p` up to 2**-24 too much or too little.
    """
    n = len(dependencies)
    block = numpy_block(n)

    def run(p: float, trials: int, seed: int) -> Counts:
        generator = np.random.default_rng(seed)
        failed, lost, per_trial = [0] * n, [0] * n, np.zeros(trials, np.int64)
        for begin in range(0, trials, block):
            size = min(block, trials - begin)
            uniform, fail = np.empty(size, dtype), np.empty(size, np.bool_)
            bad = np.empty((n, size), np.bool_)
            for repo, row in enumerate(dependencies):
                generator.random(dtype=dtype, out=uniform)
                np.less(uniform, p, out=fail)
                mine = bad[repo]
                if row:
                    if len(row) == 1:
                        blocked = bad[row[0]]
                    else:
                        blocked = np.logical_or(bad[row[0]], bad[row[1]], out=mine)
                        for before in row[2:]:
                            np.logical_or(blocked, bad[before], out=mine)
                    np.greater(fail, blocked, out=fail)  # fails and is not blocked
                    np.logical_or(blocked, fail, out=mine)
                else:
                    mine[:] = fail
                failed[repo] += int(np.count_nonzero(fail))
                lost[repo] += int(np.count_nonzero(mine))
            of_block = per_trial[begin : begin + size]
            for top in range(0, n, 255):  # so many fit a byte, whose sums are vector instructions
                of_block += bad[top : top + 255].view(np.uint8).sum(axis=0, dtype=np.uint8)
        return Counts(failed, lost, per_trial.tolist())

    return run


def numpy_block(n: int) -> int:
    """Say how many trials `numpy_bytes` takes at a time; fewer are not worth its calls."""
    return max(8_192, min(65_536, (1 << 27) // n))


RIVALS: dict[str, Callable[[Dependencies], Run]] = {
    "nx walk": networkx_walk,
    "nx below": networkx_descendants,
    "Python": plain_python,
    "SimPy": simpy_events,
    "rustworkx": rustworkx_descendants,
    "numpy f32": numpy_bytes,
    "numpy f64": partial(numpy_bytes, dtype=np.float64),
}
