"""How work and memory grow: counted in steps of Python and in bytes, never in seconds."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

from seqkit import RepoDependencyGraph, SequencePlan, build_plan

__all__ = ["SHAPES", "doubled", "lines", "peak", "plan_of"]


def lines(call: Callable[[], Any]) -> int:
    """Count the lines of Python that a call goes through, each turn of a loop for itself."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def peak(call: Callable[[], Any]) -> int:
    """Give the bytes that a call holds at most, its result included."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = call()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    del kept
    return most


def doubled(cost: Callable[[int], float], n: int, most: float = 2.3) -> None:
    """Hold that twice the size costs about twice as much."""
    once, twice = cost(n), cost(2 * n)
    assert twice <= most * once, f"{once:,} for {n}, {twice:,} for {2 * n}: {twice / once:.2f} times as much"


# ---------------------------------------------------------------------- plans, and who fails in them


def _ids(n: int) -> list[str]:
    return [f"p{number:06}" for number in range(n)]


def _hub(n: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Half of all before one repo, and the rest after it."""
    ids, half = _ids(n), n // 2
    return [(x, ids[half]) for x in ids[:half]] + [(ids[half], x) for x in ids[half + 1 :]], ids[:half]


def _chain(n: int) -> tuple[list[tuple[str, str]], list[str]]:
    """All in a row, of which the first half fails."""
    ids = _ids(n)
    return list(pairwise(ids)), ids[: n // 2]


def _two_hubs(n: int) -> tuple[list[tuple[str, str]], list[str]]:
    """A wide layer, two repos that need half of it each, and a wide layer that needs both."""
    ids, half = _ids(n), n // 2
    above = [(x, ids[half + number % 2]) for number, x in enumerate(ids[:half])]
    return above + [(hub, x) for hub in ids[half : half + 2] for x in ids[half + 2 :]], ids[:half]


def _ladder(n: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Rungs that each need one more failed repo, and somebody who needs each rung: everybody waits for others."""
    third = n // 3
    failed, rungs, feet = ([f"{kind}{number:06}" for number in range(third)] for kind in "arz")
    edges = list(zip(failed, rungs, strict=True)) + list(pairwise(rungs))
    return edges + list(zip(rungs, feet, strict=True)), failed


def _pairs(n: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Many repos that fail, with one dependent each."""
    failed, waiting = ([f"{kind}{number:06}" for number in range(n // 2)] for kind in "ab")
    return list(zip(failed, waiting, strict=True)), failed


SHAPES: dict[str, Callable[[int], tuple[list[tuple[str, str]], list[str]]]] = {
    "hub": _hub,
    "chain": _chain,
    "two hubs": _two_hubs,
    "ladder": _ladder,
    "pairs": _pairs,
}
"""Plans by their size, as edges and those who fail: shapes in which many wait for many."""


def plan_of(shape: str, n: int) -> tuple[SequencePlan, list[str]]:
    """Give a plan of about so many repos, and who fails in it."""
    edges, failing = SHAPES[shape](n)
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")
    _ = plan.arrays, plan.graph  # made once, when first asked for
    return plan, failing
