"""Tables of attempts made into ledgers and frames again, against a bare walk over the table's rows."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from seqkit import RepoDependencyGraph, attempts_frame, audit, events_frame, items_frame, ledger_from_frame, runs_frame

REPOS = 100
ROWS = 1_000_000


def table(rows: int) -> pd.DataFrame:
    """Make runs of a hundred repos, of which one in ten fails and one in ten is skipped."""
    runs, rng = rows // REPOS, np.random.default_rng(17)
    starts = pd.to_datetime(1_700_000_000 + 30 * np.arange(rows), unit="s", utc=True)
    return pd.DataFrame(
        {
            "run_id": np.repeat([f"run-{number}" for number in range(runs)], REPOS),
            "repo_id": np.tile([f"repo-{number}" for number in range(REPOS)], runs),
            "status": rng.choice(["success", "failure", "skipped"], rows, p=[0.8, 0.1, 0.1]),
            "started_at": starts,
            "finished_at": starts + pd.to_timedelta(rng.integers(5, 30, rows), unit="s"),
        }
    )


def taken(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the processor's seconds that something takes, and what it gives."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def megabytes() -> float:
    """Give the most memory that the process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))


def run() -> Iterator[str]:
    """Print rows a second, as a ratio to ``DataFrame.itertuples``, and the memory."""
    frame = table(ROWS)
    bare, _ = taken(lambda: sum(1 for _ in frame.itertuples()))
    yield f"histories: {ROWS:,} rows; itertuples alone {ROWS / bare:,.0f} rows a second"
    before = megabytes()
    spent, ledger = taken(lambda: ledger_from_frame(frame))
    yield f"  ledger_from_frame: {spent / bare:5.2f} × itertuples, {ROWS / spent:,.0f} rows a second"
    yield f"  memory: {megabytes() - before:,.0f} MB more at the most, for {len(ledger.events):,} events"
    for make in (runs_frame, events_frame, items_frame, attempts_frame):
        spent, made = taken(lambda: make(ledger))
        yield f"  {make.__name__}: {spent / bare:5.2f} × itertuples, {len(made):,} rows"
    graph = RepoDependencyGraph.from_edges([(f"repo-{n // 2}", f"repo-{n}") for n in range(1, REPOS)])
    spent, told = taken(lambda: ledger_from_frame(frame, graph=graph))
    yield f"  ledger_from_frame with a graph: {spent / bare:5.2f} × itertuples"
    spent, _ = taken(lambda: audit(told))
    yield f"  audit: {spent / bare:5.2f} × itertuples; {megabytes():,.0f} MB in all at the most"
