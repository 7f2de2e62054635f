"""Running a plan whose releases do nothing: what the executor itself costs, against a bare loop and other tools.

The unit is microseconds of CPU time a release, of this process. All that is compared takes turns in one process; the
median of the rounds counts. The tools are in :mod:`tests.benchmarks.running_rivals`; those that are slow get fewer
repos.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from seqkit import RepoDependencyGraph, SequencePlan, SqlRunLedger, build_plan, run_plan
from tests.benchmarks.bench_core import random_edges
from tests.benchmarks.running_rivals import LANES, RIVALS, Needs, Once, bare_loop, release

SIZES = (1_000, 10_000)
ROUNDS = 9
AIM = 20.0  # µs a release, many lanes and the ledger in memory
AIM_OF_BARE = 4.0
AIM_OF_TOOLS = 100.0
AIM_OF_GROWTH = 0.2


def met(reached: bool) -> str:
    """Say whether an aim was reached."""
    return "met" if reached else "missed"


def plan_of(n: int) -> SequencePlan:
    """Plan a random graph, all of it."""
    return build_plan(RepoDependencyGraph.from_edges(random_edges(n)), version="1.0")


def needs_of(plan: SequencePlan) -> Needs:
    """Say what each repo needs."""
    arrays = plan.arrays
    return {
        repo: [arrays.ids[other] for other in above]
        for repo, above in zip(arrays.ids, arrays.dependencies, strict=True)
    }


def cpu_seconds(call: Callable[[], object]) -> float:
    """Time one call, garbage collected before it; what it gives is let go of afterwards."""
    gc.collect()
    began = time.process_time()
    kept = call()
    took = time.process_time() - began
    del kept
    return took


def medians(calls: dict[str, Once], n: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Give µs a release of each; they take turns, so that a machine busy for a while slows down all alike."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            took[name].append(cpu_seconds(call))
    return {name: statistics.median(times) / n * 1e6 for name, times in took.items()}


def against_the_bare_loop() -> Iterator[str]:
    """Run with one lane and with many, beside asyncio and graphlib; and see how that grows."""
    yield f"run_plan, no-op releases, µs of CPU a release; the aims with {LANES} lanes are {AIM:.0f} and "
    yield f"{AIM_OF_BARE:.0f}x the bare loop, asyncio and graphlib, {LANES} at once:"
    many = f"{LANES} lanes"
    found: dict[int, float] = {}
    for n in SIZES:
        plan = plan_of(n)
        with bare_loop(needs_of(plan)) as bare:
            calls: dict[str, Once] = {
                "bare": bare,
                many: partial(run_plan, plan, release, max_parallel=LANES),
                "1 lane": partial(run_plan, plan, release),
            }
            took = medians(calls, n)
        found[n] = took[many]
        ratio = took[many] / took["bare"]
        yield (
            f"  {n:6,} repos: bare {took['bare']:5.1f}, {many} {took[many]:5.1f} ({met(took[many] <= AIM)}), "
            f"{ratio:.1f}x ({met(ratio <= AIM_OF_BARE)}); 1 lane {took['1 lane']:5.1f}, "
            f"{took['1 lane'] / took['bare']:.1f}x"
        )
    for small, large in itertools.pairwise(SIZES):
        growth = found[large] / found[small] - 1
        yield f"  {small:,} to {large:,} repos: {growth:+.0%} a release, the aim is ±{AIM_OF_GROWTH:.0%}" + (
            f" ({met(abs(growth) <= AIM_OF_GROWTH)})"
        )


def on_disk(n: int = 1_000) -> Iterator[str]:
    """Run with SQLite on disk, durable event by event; the disk counts, so it is the clock on the wall."""
    plan, took = plan_of(n), []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            with SqlRunLedger(Path(folder) / f"{number}.db") as ledger:
                gc.collect()
                began = time.perf_counter()
                run_plan(plan, release, ledger, max_parallel=LANES)
                took.append(time.perf_counter() - began)
    yield f"  {n:6,} repos, SQLite on disk, {LANES} lanes: {statistics.median(took) / n * 1e6:,.0f} µs on the wall"


def against_tools() -> Iterator[str]:
    """Run beside tools that run graphs of tasks."""
    yield f"other tools, µs of CPU a release; the aim is {AIM_OF_TOOLS:.0f}x of the first two:"
    for name, (prepare, n, rounds) in RIVALS.items():
        plan = plan_of(n)
        with contextlib.ExitStack() as stack:
            try:
                theirs = stack.enter_context(prepare(needs_of(plan)))
            except ImportError:
                yield f"  {name}: not installed here"
                continue
            theirs()  # the first time is another matter
            ours = partial(run_plan, plan, release, max_parallel=LANES)
            took = medians({"ours": ours, name: theirs}, n, rounds)
        ratio = took[name] / took["ours"]
        aimed = f" ({met(ratio >= AIM_OF_TOOLS)})" if name != "doit" else ""
        yield f"  {name}, {n:,} repos: {took[name]:8,.0f}, seqkit {took['ours']:5.1f}: {ratio:,.0f}x{aimed}"


def run() -> Iterator[str]:
    """Print all three."""
    yield from against_the_bare_loop()
    yield from on_disk()
    yield from against_tools()


if __name__ == "__main__":
    print(*run(), sep="\n")
