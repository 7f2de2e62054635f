"""Random task graphs as those of the Standard Task Graph Set are made, written from the description.

T. Tobita and H. Kasahara, A standard task graph set for fair evaluation of multiprocessor scheduling algorithms,
Journal of Scheduling 5, 2002, doi:10.1002/jos.116. Two methods take any two tasks, in their order, and two only those
of different layers; of each two, one gives every pair the same chance, and one each task the same number of
predecessors on average.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations
from typing import Literal, get_args

from seqkit import RepoDependencyGraph, SequencePlan, build_plan

__all__ = ["DURATIONS", "METHODS", "Method", "task_graph", "task_plan"]

Method = Literal["sameprob", "samepred", "layrprob", "layrpred"]
METHODS: tuple[Method, ...] = get_args(Method)

_WIDTH = 10  # tasks of a layer, on average

DURATIONS: dict[str, Callable[[random.Random], int]] = {
    "uniform": lambda chance: chance.randint(1, 10),
    "normal": lambda chance: max(1, round(chance.gauss(5.5, 1.0))),
    "exponential": lambda chance: max(1, round(chance.expovariate(1 / 5))),
    "two peaks": lambda chance: max(1, round(chance.gauss(*((5.5, 1.0) if chance.random() < 0.5 else (10.5, 2.5))))),
}
"""How long a task takes, in ticks from 1."""


def task_graph(
    method: Method, n: int, seed: int, density: float, durations: str = "uniform"
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Make a task graph.

    Parameters
    ----------
    method : str
        One of METHODS.
    n : int
        How many tasks.
    seed : int
        Whose draws they are.
    density : float
        For ``sameprob`` and ``layrprob`` the chance of an edge (the published set has 0.1 and 0.2), for ``samepred``
        and ``layrpred`` the number of predecessors on average (from 1 to 20).
    durations : str
        One of DURATIONS.

    Returns
    -------
    (predecessors, ticks)
        Of each task the tasks that it waits for, ascending and less than itself, and how long it takes.
    """
    chance = random.Random(f"{method} {n} {seed} {density} {durations}")
    layers = max(1, n // _WIDTH)
    layer = sorted(chance.randrange(layers) for _ in range(n)) if method.startswith("layr") else list(range(n))
    possible: list[list[int]] = [[] for _ in range(n)]
    for before, after in combinations(range(n), 2):
        if layer[before] < layer[after]:
            possible[after].append(before)
    predecessors = []
    for mine in possible:
        share = density if method.endswith("prob") else density / max(1, len(mine))
        predecessors.append(tuple([task for task in mine if chance.random() < share]))
    return predecessors, [DURATIONS[durations](chance) for _ in range(n)]


def task_plan(
    method: Method, n: int, seed: int, density: float, durations: str = "uniform"
) -> tuple[SequencePlan, dict[str, int]]:
    """Make such a graph a plan that releases all of it; and give the ticks by repo."""
    predecessors, ticks = task_graph(method, n, seed, density, durations)
    ids = [f"task-{task:05d}" for task in range(n)]
    edges = [(ids[before], ids[task]) for task, row in enumerate(predecessors) for before in row]
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=ids), version="1")
    return plan, dict(zip(ids, ticks, strict=True))
