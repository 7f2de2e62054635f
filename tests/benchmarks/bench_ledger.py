"""SQL ledgers: appending against the bare drivers with the same durability, reading against pandas."""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from seqkit import RunEvent, RunMetadata, SqlRunLedger, events_frame
from tests.benchmarks.bench_core import seconds
from tests.tools.temp_postgres import find_binaries, temp_postgres

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
COLUMNS = "run_id TEXT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL"
APPENDS = 3_000


def event_of(seq: int) -> RunEvent:
    """Make the event of a place in a run: entries and exits by turns."""
    payload = {"node_id": f"repo-{seq // 2:06d}"} | ({"version": "1.0"} if seq % 2 else {"run_id": "x"})
    kind = "NodeEntered" if seq % 2 else "NodeExited"
    return RunEvent(seq=seq, kind=kind, payload=payload, timestamp=NOON + timedelta(microseconds=1001 * seq))


def compared(name: str, bare: Callable[[tuple[Any, ...]], object], ledger: SqlRunLedger) -> str:
    """Append the same events by turns, one here and one there: whatever else the disk has to do hits both."""
    run_id = ledger.create_run("0" * 64, RunMetadata())
    theirs, ours = [], []
    for event in map(event_of, range(1, APPENDS + 1)):
        began = time.perf_counter()
        bare((run_id, event.seq, event.kind, json.dumps(event.payload), event.timestamp))
        between = time.perf_counter()
        ledger.append_event(run_id, event)
        theirs.append(between - began)
        ours.append(time.perf_counter() - between)
    middle, all_ = statistics.median(theirs) / statistics.median(ours), sum(theirs) / sum(ours)
    return (
        f"  {name}: {statistics.median(ours) * 1e6:6.0f} µs an event; of the bare driver's events per second "
        f"{middle:4.0%} (medians), {all_:4.0%} (sums)"
    )


def appending_sqlite() -> list[str]:
    """Append to SQLite: one commit an event, WAL, synchronous=FULL, as the ledger does."""
    with tempfile.TemporaryDirectory() as folder:
        bare = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("PRAGMA synchronous=FULL")
        bare.execute(f"CREATE TABLE e ({COLUMNS}, timestamp TEXT NOT NULL, PRIMARY KEY (run_id, seq))")

        def insert(row: tuple[Any, ...]) -> None:
            bare.execute("INSERT INTO e VALUES (?, ?, ?, ?, ?)", (*row[:4], row[4].isoformat()))

        with SqlRunLedger(Path(folder) / "runs.db") as ledger:
            lines = [compared("SQLite    ", insert, ledger)]
        bare.close()
    return lines


def appending_postgres() -> list[str]:
    """Append to PostgreSQL through a Unix socket, the server waiting for its disk at each commit."""
    if find_binaries() is None:
        return ["  PostgreSQL: no server here"]
    import psycopg  # noqa: PLC0415  # an extra

    settings = ("fsync=on", "synchronous_commit=on")
    with temp_postgres(settings) as server, psycopg.connect(server.url, autocommit=True) as bare:
        bare.execute(f"CREATE TABLE e ({COLUMNS}, timestamp TIMESTAMPTZ NOT NULL, PRIMARY KEY (run_id, seq))")

        def insert(row: tuple[Any, ...]) -> None:
            bare.execute("INSERT INTO e VALUES (%s, %s, %s, %s, %s)", row)

        with SqlRunLedger(server.fresh()) as ledger:
            return [compared("PostgreSQL", insert, ledger)]


def reading(n: int = 1_000_000) -> list[str]:
    """Read a million events of SQLite into a frame, against ``pd.read_sql`` and ``json.loads``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        with SqlRunLedger(path) as ledger:
            run_id = ledger.create_run("0" * 64, RunMetadata())
        fill = sqlite3.connect(path)
        times = "%Y-%m-%d %H:%M:%S.%f"
        rows = map(event_of, range(1, n + 1))
        fill.executemany(
            "INSERT INTO run_events VALUES (?, ?, ?, ?, ?)",
            ((run_id, e.seq, e.kind, json.dumps(e.payload), e.timestamp.strftime(times)) for e in rows),
        )
        fill.commit()
        fill.close()
        engine = sa.create_engine(f"sqlite:///{path}")
        query = "SELECT * FROM run_events ORDER BY run_id, seq"

        def naive() -> pd.DataFrame:
            frame = pd.read_sql(query, engine, parse_dates={"timestamp": {"utc": True, "format": times}})
            frame["payload"] = [json.loads(text) for text in frame["payload"]]
            return frame

        def naive_columns() -> pd.DataFrame:
            frame = naive()
            for column, key in (("repo_id", "node_id"), ("version",) * 2, ("released_as", "run_id"), ("error",) * 2):
                frame[column] = [payload.get(key) for payload in frame["payload"]]
            return frame

        with SqlRunLedger(path) as ledger:
            calls = [lambda: events_frame(ledger), lambda: ledger.get_events(run_id), naive, naive_columns]
            turns = [
                [seconds(call, 1) for call in calls] for _ in range(4)
            ]  # by turns: the machine may have other work
        ours, events, bare, same = map(min, zip(*turns, strict=True))
        engine.dispose()
    return [
        f"events_frame of {n:,} events from SQLite: {ours:.2f} s (as records, get_events: {events:.2f} s)",
        f"  pd.read_sql + json.loads {bare:.2f} s: {bare / ours:.1f}x faster; and with the payloads' columns "
        f"{same:.2f} s: {same / ours:.1f}x faster",
    ]


def run() -> list[str]:
    """Print all three."""
    return [
        "append_event, each durable, against the bare driver:",
        *appending_sqlite(),
        *appending_postgres(),
        *reading(),
    ]


if __name__ == "__main__":
    print(*run(), sep="\n")
