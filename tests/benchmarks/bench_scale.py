"""How things grow: the time that ten times as much takes, and bytes a piece. Ratios, so that machines may differ.

Each line is one call at several sizes, one thread: seconds at each, and the exponent between two neighbours, so that
1.00 is as much more time as there is more to do, 2.00 its square, and 0.00 no more at all.
"""

from __future__ import annotations

import gc
import math
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl

from seqkit import (
    DurationModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    SequencePlan,
    SimulatedReleaser,
    SqlRunLedger,
    VirtualClock,
    analyze,
    audit,
    blast_radius,
    build_plan,
    eta,
    events_frame,
    items_frame,
    plots,
    read_ledger,
    replay,
    run_plan,
    schedule,
    simulate,
    what_if,
    write_ledger,
    write_parquet,
)
from seqkit.explore import Scenario, Walk
from tests.benchmarks.bench_audit import one_run
from tests.benchmarks.bench_core import random_edges
from tests.tools.growth import peak

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
THOUSANDS = (1_000, 10_000, 50_000)
EVENTS = (10_000, 100_000)
TIMES = DurationModel(600.0, sigma=0.5)
ENOUGH = 0.5  # seconds: what takes less in all is measured again


@dataclass(frozen=True)
class Case:
    """Something that is done at several sizes."""

    what: str
    of: str
    sizes: Sequence[int]
    make: Callable[[int], Callable[[], object]]
    """Prepares a size, and gives the call that is measured."""
    clock: Callable[[], float] = time.process_time
    """Of the processor's time, whatever else the machine has to do; what waits for a disk goes by the wall's."""

    def told(self) -> str:
        """Measure it, and say how it grows."""
        self.make(self.sizes[0])()  # what is imported or compiled at first
        took = [best(self.make(size), self.clock) for size in self.sizes]
        grown = [
            math.log(after / before) / math.log(more / less)
            for (before, after), (less, more) in zip(pairwise(took), pairwise(self.sizes), strict=True)
        ]
        seconds = "  ".join(f"{size:>9,}: {spelt(each):>8}" for size, each in zip(self.sizes, took, strict=True))
        return f"  {self.what:<38}{self.of:<9}{seconds}   exponents {', '.join(f'{each:.2f}' for each in grown)}"


def spelt(seconds: float) -> str:
    """Write a time in a fitting unit."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def best(call: Callable[[], object], clock: Callable[[], float]) -> float:
    """Give the least of some timings; the garbage is collected before each."""
    least, spent = math.inf, 0.0
    for _ in range(3):
        gc.collect()
        began = clock()
        call()
        took = clock() - began
        least, spent = min(least, took), spent + took
        if spent > ENOUGH:
            break
    return least


# ---------------------------------------------------------------------- what there is


@cache
def edges_of(n: int, dependencies: int = 3) -> list[tuple[str, str]]:
    """Let each of n repos need up to so many earlier ones."""
    return random_edges(n, dependencies)


@cache
def plan_of(n: int) -> SequencePlan:
    """Plan a random graph of n repos."""
    return build_plan(RepoDependencyGraph.from_edges(edges_of(n)), version="1.0")


@cache
def chain_of(n: int) -> SequencePlan:
    """Plan a chain with a leaf at each link."""
    links = [(f"c{i}", f"c{i + 1}") for i in range(n // 2)]
    return build_plan(
        RepoDependencyGraph.from_edges(links + [(f"c{i}", f"leaf{i}") for i in range(n // 2)]), version="1.0"
    )


@cache
def ledger_of(events: int) -> MemoryRunLedger:
    """Repeat a run of a hundred repos, some of which fail, until there are about so many events."""
    record, own = one_run(plan_of(100))
    runs = events // len(own)
    records = [record.model_copy(update={"run_id": f"run-{number:06d}"}) for number in range(runs)]
    return MemoryRunLedger.from_records(records, [(each.run_id, event) for each in records for event in own])


@cache
def under_way(n: int) -> MemoryRunLedger:
    """Record a run of n repos in four lanes."""
    ledger = MemoryRunLedger(ids=["run"])
    releaser = SimulatedReleaser(0.0, rng=1, durations=TIMES)
    run_plan(plan_of(n), releaser, ledger, clock=VirtualClock(NOON), max_parallel=4)
    return ledger


@cache
def broken_off(n: int) -> MemoryRunLedger:
    """Record a run of n repos the first of which fails."""
    ledger = MemoryRunLedger(ids=["run"])
    run_plan(plan_of(n), {plan_of(n).released[0]: 1.0}, ledger, rng=1)
    return ledger


def event_of(seq: int) -> RunEvent:
    """Make the event of a place in a run."""
    return RunEvent(
        seq=seq,
        kind="NodeEntered",
        payload={"node_id": f"repo-{seq:06d}", "version": "1.0"},
        timestamp=NOON + timedelta(milliseconds=seq),
    )


# ---------------------------------------------------------------------- repos and edges


def planning() -> Iterator[Case]:
    """Time what depends on the number of repos and of edges."""
    yield Case("graph and build_plan", "repos", THOUSANDS, lambda n: lambda: fresh_plan(edges_of(n)))
    yield Case(
        "graph and build_plan, 2,000 repos",
        "needs",
        (3, 30, 300),
        lambda each: partial(fresh_plan, edges_of(2_000, each)),
    )
    yield Case("what_if, one fails", "repos", THOUSANDS, lambda n: partial(what_if, plan_of(n), plan_of(n).released[0]))
    yield Case("run_plan, in memory", "repos", (1_000, 10_000), lambda n: lambda: run_plan(plan_of(n), 0.0, rng=1))
    yield Case("blast_radius", "repos", THOUSANDS, lambda n: partial(blast_radius, plan_of(n)))
    yield Case("analyze, expected", "repos", THOUSANDS, lambda n: lambda: analyze(plan_of(n), 0.01).expected)
    yield Case(
        "analyze, importance", "repos", (1_000, 3_000, 10_000), lambda n: lambda: analyze(plan_of(n), 0.01).importance()
    )
    yield Case(
        "analyze, standard deviation",
        "repos",
        (1_000, 3_000),
        lambda n: lambda: analyze(plan_of(n), 0.01).std_succeeded,
    )
    yield Case(
        "analyze, distribution (chain, leaves)",
        "repos",
        (100, 300, 1_000),
        lambda n: lambda: analyze(chain_of(n), 0.01).distribution(),
    )


def fresh_plan(edges: list[tuple[str, str]]) -> SequencePlan:
    """Make a graph, and a plan of it."""
    return build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")


# ---------------------------------------------------------------------- trials and lanes


def trials() -> Iterator[Case]:
    """Time what depends on the number of trials, of repos and of lanes."""
    yield Case("simulate, numpy, 300 repos", "trials", (10_000, 100_000), lambda n: simulated(300, n, "numpy"))
    yield Case("schedule, python, 100 repos, 8 lanes", "trials", (100, 1_000), lambda n: train(100, 8, n, "python"))
    yield Case("schedule, python, 8 lanes, 100 trials", "repos", (100, 1_000), lambda n: train(n, 8, 100, "python"))
    yield Case("schedule, python, 300 repos, 100 tr.", "lanes", (1, 8, 64), lambda n: train(300, n, 100, "python"))
    yield Case("schedule, numpy, no limit, 1,000 tr.", "repos", (100, 1_000), lambda n: train(n, None, 1_000, "numpy"))
    yield Case("eta, half way, 100 trials", "repos", (30, 300), midway)
    yield Case("replay, nothing known, 100 trials", "repos", (30, 300), again)


def compiled() -> Iterator[Case]:
    """Time the same where it is compiled."""
    yield Case("simulate, numba, 300 repos", "trials", (100_000, 1_000_000), lambda n: simulated(300, n, "numba"))
    yield Case("simulate, numba, 100,000 trials", "repos", (1_000, 10_000), lambda n: simulated(n, 100_000, "numba"))
    yield Case("simulate until ± s, numba, 75 repos", "1/s", (10, 100), precisely)
    yield Case("schedule, numba, 300 repos, 8 lanes", "trials", (1_000, 10_000), lambda n: train(300, 8, n))
    yield Case("schedule, numba, 8 lanes, 1,000 trials", "repos", (300, 3_000), lambda n: train(n, 8, 1_000))
    yield Case("schedule, numba, 1,000 repos, 300 tr.", "lanes", (1, 8, 64), lambda n: train(1_000, n, 300))
    yield Case("schedule, numba, no limit, 1,000 trials", "repos", (300, 3_000), lambda n: train(n, None, 1_000))


def simulated(n: int, count: int, engine: str) -> Callable[[], object]:
    """Prepare a simulation."""
    plan = plan_of(n)
    simulate(plan, 0.01, 64, rng=1, engine=engine, executor=1)  # compiled
    return lambda: simulate(plan, 0.01, count, rng=1, engine=engine, executor=1)


def precisely(inverse: int) -> Callable[[], object]:
    """Prepare a simulation that goes on until its standard error is small enough, in repos."""
    plan = plan_of(75)
    simulate(plan, 0.01, 64, rng=1, engine="numba", executor=1)
    return lambda: simulate(plan, 0.01, until=1 / inverse, rng=1, engine="numba", executor=1)


def train(n: int, lanes: int | None, count: int, engine: Any = "numba") -> Callable[[], object]:
    """Prepare a schedule."""
    plan = plan_of(n)
    options: dict[str, Any] = {"max_parallel": lanes, "model": 0.01, "rng": 1, "engine": engine, "executor": 1}
    schedule(plan, TIMES, trials=2, **options)
    return lambda: schedule(plan, TIMES, trials=count, **options)


def midway(n: int) -> Callable[[], object]:
    """Prepare to say when a run ends that is half done."""
    ledger = under_way(n)
    begins, ends = ledger.get_run("run").created_at, max(event.timestamp for event in ledger.get_events("run"))
    return lambda: eta(ledger, "run", TIMES, 0.01, now=begins + (ends - begins) / 2, trials=100, rng=1)


def again(n: int) -> Callable[[], object]:
    """Prepare to go through a run again, of which the ledger tells hardly anything."""
    return lambda: replay(broken_off(n), "run", policy="continue", model=0.01, trials=100, rng=1)


# ---------------------------------------------------------------------- events


def ledgers(folder: Path) -> Iterator[Case]:
    """Time what depends on the number of events."""
    yield Case("append 100 events, in memory", "there", (1_000, 10_000, 100_000), in_memory)
    yield Case(
        "append 100 events, SQLite",
        "there",
        (1_000, 10_000, 100_000),
        lambda n: in_sqlite(folder, n),
        time.perf_counter,
    )
    yield Case(
        "write_ledger, JSON Lines", "events", EVENTS, lambda n: partial(write_ledger, ledger_of(n), lines_of(folder, n))
    )
    yield Case(
        "write_ledger, SQLite", "events", EVENTS, lambda n: partial(write_ledger, ledger_of(n), folder / f"{n}.db")
    )
    yield Case("read_ledger, JSON Lines", "events", EVENTS, lambda n: partial(read_ledger, lines_of(folder, n)))
    yield Case("events_frame, of memory", "events", EVENTS, lambda n: partial(events_frame, ledger_of(n)))
    yield Case("events_frame, of SQLite", "events", EVENTS, lambda n: partial(events_frame, folder / f"{n}.db"))
    yield Case("items_frame, of memory", "events", EVENTS, lambda n: partial(items_frame, ledger_of(n)))
    yield Case("audit, runs of 100 repos", "events", EVENTS, lambda n: partial(audit, ledger_of(n)))
    yield Case("audit, one run", "repos", (1_000, 5_000), lambda n: partial(audit, under_way(n)))
    for by, sizes in (("run_id", EVENTS), ("month", EVENTS)):
        yield Case(f"write_parquet by {by}", "events", sizes, lambda n, by=by: partial(anew, folder, n, by))


def lines_of(folder: Path, events: int) -> Path:
    """Name the file of a ledger."""
    return folder / f"{events}.jsonl"


def anew(folder: Path, events: int, by: Any) -> None:
    """Write partitions into a folder of their own."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        write_parquet(ledger_of(events), Path(place, "out"), by)


def in_memory(there: int) -> Callable[[], object]:
    """Prepare to append a hundred events where some are."""
    return appending(MemoryRunLedger(), there)


def in_sqlite(folder: Path, there: int) -> Callable[[], object]:
    """Do so with a file, where each is on disk before the next."""
    ledger = MemoryRunLedger(ids=["run"])
    ledger.create_run("0" * 64, RunMetadata())
    for seq in range(1, there + 1):
        ledger.append_event("run", event_of(seq))
    write_ledger(ledger, folder / f"append-{there}.db")
    return appending(SqlRunLedger(folder / f"append-{there}.db"), there, "run")


def appending(ledger: Any, there: int, run_id: str = "") -> Callable[[], object]:
    """Prepare to append a hundred events."""
    if not run_id:
        run_id = ledger.create_run("0" * 64, RunMetadata())
        for seq in range(1, there + 1):
            ledger.append_event(run_id, event_of(seq))
    last = there

    def append() -> None:
        nonlocal last
        for seq in range(last + 1, last + 101):
            ledger.append_event(run_id, event_of(seq))
        last += 100

    return append


# ---------------------------------------------------------------------- what is seen


def pictures() -> Iterator[Case]:
    """Time what is drawn and shown."""
    yield Case("plots.order", "repos", (30, 100, 300), lambda n: lambda: drawn(plots.order, plan_of(n)))
    yield Case("plots.impact", "repos", (100, 1_000), lambda n: lambda: drawn(plots.impact, plan_of(n)))
    yield Case("WhatIf's state, one press", "repos", (100, 1_000), pressed)
    yield Case("Lesson's state, to the end", "repos", (100, 500), lambda n: lambda: Walk(plan_of(n)).to(n))


def drawn(plot: Callable[..., Any], plan: SequencePlan) -> None:
    """Draw a figure, and close it."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  # after the backend was chosen

    plot(plan).figure.canvas.draw()
    plt.close("all")


def pressed(n: int) -> Callable[[], object]:
    """Prepare to press a repo."""
    state = Scenario(plan_of(n), 0.02)
    repo = plan_of(n).released[n // 2]

    def press() -> object:
        state.toggle(repo)
        return state.outcome, state.expected_succeeded

    return press


# ---------------------------------------------------------------------- bytes


def memory(folder: Path) -> Iterator[str]:
    """Say how much is held at most."""
    n = EVENTS[1]
    write_ledger(ledger_of(n), lines_of(folder, n))
    for what, call in {
        "read_ledger, JSON Lines": lambda: read_ledger(lines_of(folder, n)),
        "events_frame, of memory": lambda: events_frame(ledger_of(n)),
        "items_frame, of memory": lambda: items_frame(ledger_of(n)),
        "write_parquet by run": lambda: anew(folder, n // 10, "run_id"),
    }.items():
        own = n // 10 if "parquet" in what else n
        yield f"  {what:<38}{peak(call) / own:8.0f} bytes an event"
    for n in THOUSANDS[:2]:
        yield f"  {f'blast_radius, {n:,} repos':<38}{peak(partial(blast_radius, plan_of(n))) / n**2:8.2f} bytes a pair"
    plan, counts = plan_of(100), (100_000, 1_000_000)
    few, many = (peak(partial(simulate, plan, 0.01, count, rng=1, engine="numpy", executor=1)) for count in counts)
    yield f"  {'simulate, ten times the trials':<38}{many / few:8.2f} times the bytes"


def run(only: Collection[str] = ()) -> Iterator[str]:
    """Print how everything grows, or the parts that are named."""
    mpl.use("agg")
    yield "seconds of one call at each size, and the exponents of growth from one size to the next:"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = {
            "planning": planning(),
            "trials": trials(),
            "compiled": compiled(),
            "ledgers": ledgers(folder),
            "pictures": pictures(),
        }
        for part, cases in parts.items():
            for case in cases if part in only or not only else ():
                yield case.told()
        if "memory" in only or not only:
            yield "what is held at most:"
            yield from memory(folder)


if __name__ == "__main__":
    for line in run(sys.argv[1:]):
        print(line, flush=True)
