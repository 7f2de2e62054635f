"""Planning, running and reading: against networkx, bare loops and a list of dicts."""

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import networkx as nx
import pandas as pd

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    SqlRunLedger,
    build_plan,
    events_frame,
    execute_plan,
)
from seqkit.core.plan import snapshot_of


def seconds(call: Callable[[], object], repeats: int = 3) -> float:
    """Give the best of several timings, garbage collected before each."""
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return best


def random_edges(n: int, dependencies: int = 3, seed: int = 7) -> list[tuple[str, str]]:
    """Let each of `n` repos need up to `dependencies` earlier ones."""
    chance = random.Random(seed)
    return [
        (f"repo-{before:05d}", f"repo-{after:05d}")
        for after in range(1, n)
        for before in {chance.randrange(after) for _ in range(dependencies)}
    ]


def planning() -> list[str]:
    """Build a graph and a plan, against networkx's own topological sort of the same graph."""
    lines = ["graph and plan, 3 dependencies each, against list(nx.topological_sort(G)):"]
    for n in (10_000, 60_000):
        edges = random_edges(n)
        sort = seconds(lambda: list(nx.topological_sort(nx_graph)), 5) if (nx_graph := nx.DiGraph(edges)) else 0.0
        build = seconds(lambda: RepoDependencyGraph.from_edges(edges))
        bare_build = seconds(lambda: nx.DiGraph(edges))

        def plan() -> None:
            graph._order = None  # the order is cached: sort anew each time
            build_plan(graph, version="1.0")

        graph = RepoDependencyGraph.from_edges(edges)
        planned = seconds(plan, 5)
        made = build_plan(graph, version="1.0")
        identified = seconds(lambda: type(made)(made.items, snapshot_of(made), "manual").plan_id)
        lines.append(
            f"  {n:6,} repos: sort {sort * 1e3:5.0f} ms; plan {planned * 1e3:5.0f} ms = {planned / sort:4.1f}x; "
            f"its plan_id, when asked for, {identified * 1e3:5.0f} ms = {identified / sort:4.1f}x; "
            f"graph {build * 1e3:5.0f} ms = {build / bare_build:4.1f}x of nx.DiGraph(edges)"
        )
    return lines


class NoOp:
    """A releaser that does nothing."""

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        """Do nothing."""
        return "x"


def running() -> list[str]:
    """Give the overhead per release of a run: two events each."""
    lines = ["run with a no-op releaser, two events a release:"]
    for n in (1_000, 10_000):
        plan = build_plan(RepoDependencyGraph.from_edges(random_edges(n)), version="1.0")
        best = seconds(lambda: asyncio.run(execute_plan(plan, NoOp(), MemoryRunLedger())))
        lines.append(f"  memory, {n:6,} repos: {best / n * 1e6:6.1f} µs a release")
    plan = build_plan(RepoDependencyGraph.from_edges(random_edges(1_000)), version="1.0")
    with tempfile.TemporaryDirectory() as folder:
        ledger = SqlRunLedger(Path(folder) / "runs.db")
        best = seconds(lambda: asyncio.run(execute_plan(plan, NoOp(), ledger)))
        lines.append(
            f"  SQLite, {1_000:6,} repos: {best / 1_000 * 1e6:6.1f} µs a release (durable, in a worker thread)"
        )
        run_id = ledger.create_run("0" * 64, RunMetadata())
        events = [
            RunEvent(seq=seq, kind="NodeEntered", payload={"node_id": "a"}, timestamp=NOON) for seq in range(1, 2_001)
        ]
        bare = seconds(lambda: [ledger.append_event(run_id, event) for event in events], 1)
        lines.append(f"  SQLite, bare append_event: {bare / 2_000 * 1e6:6.1f} µs an event")
        ledger.close()
    return lines


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def reading() -> list[str]:
    """Turn a million events into a frame, against ``pd.DataFrame(list_of_dicts)``."""
    n = 1_000_000
    events = [
        RunEvent(
            seq=seq,
            kind="NodeEntered" if seq % 2 else "NodeExited",
            payload={"node_id": f"repo-{seq // 2:06d}", "version": "1.0"}
            if seq % 2
            else {"node_id": f"repo-{seq // 2:06d}", "run_id": "x"},
            timestamp=NOON,
        )
        for seq in range(1, n + 1)
    ]
    ledger = MemoryRunLedger()
    run_id = ledger.create_run("0" * 64, RunMetadata())
    for event in events:
        ledger.append_event(run_id, event)

    def naive() -> pd.DataFrame:
        return pd.DataFrame(
            [
                {
                    "run_id": run_id,
                    "seq": event.seq,
                    "kind": event.kind,
                    "repo_id": event.payload.get("node_id"),
                    "version": event.payload.get("version"),
                    "released_as": event.payload.get("run_id"),
                    "error": event.payload.get("error"),
                    "timestamp": event.timestamp,
                    "payload": event.payload,
                }
                for event in events
            ]
        )

    ours, theirs = seconds(lambda: events_frame(ledger)), seconds(naive)
    return [
        f"events_frame of {n:,} events: {ours:.2f} s; pd.DataFrame(list_of_dicts) {theirs:.2f} s "
        f"(without setting any dtype): {theirs / ours:.1f}x faster"
    ]


def run() -> list[str]:
    """Print all three."""
    return [*planning(), *running(), *reading()]


if __name__ == "__main__":
    print(*run(), sep="\n")
