"""What the runs of a ledger are called: by their train and date, so that a person knows which one is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pandas as pd

__all__ = ["run_names"]

_SHORT = 8  # characters of an id that nobody chose


def run_names(runs: pd.DataFrame, trains: Mapping[str, str]) -> dict[str, str]:
    """Name each run: its train, else an id that somebody chose, else its plan, and when it began (UTC).

    Two runs that would be called the same have the start of their ids behind it.

    Parameters
    ----------
    runs : DataFrame
        As :func:`seqkit.runs_frame` gives it.
    trains : mapping of str to str
        Run id → the train that it belongs to.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RunMetadata, runs_frame
    >>> from datetime import UTC, datetime
    >>> ids = ["monday", "6f1d2c1e-8a44-4c5c-9b7e-0d2f6f1d2c1e", "0a9e2c1e-8a44-4c5c-9b7e-0d2f6f1d2c1e"]
    >>> ledger = MemoryRunLedger(ids=ids, clock=lambda: datetime(2026, 1, 2, 14, 5, tzinfo=UTC))
    >>> for tags in ({}, {"train": "january"}, {"train": "january"}):
    ...     _ = ledger.create_run("0" * 64, RunMetadata(tags=tags))
    >>> list(run_names(runs_frame(ledger), {}).values())
    ['monday · 2026-01-02 14:05', 'january · 2026-01-02 14:05 · 6f1d2c1e', 'january · 2026-01-02 14:05 · 0a9e2c1e']
    """
    tagged = set(runs["train"].dropna())
    names: dict[str, str] = {}
    for run in runs.to_dict("records"):
        run_id = str(run["run_id"])
        train = trains.get(run_id, run["train"])
        own = train if train in tagged else _own(run)
        date = "" if pd.isna(run["started_at"]) else f"{run['started_at']:%Y-%m-%d %H:%M}"
        known = [part for part in (own, date) if part]
        names[run_id] = " · ".join(known if own and known else ["run", *known, _start(run_id)])
    met = Counter(names.values())
    return {run_id: name if met[name] == 1 else f"{name} · {_start(run_id)}" for run_id, name in names.items()}


def _own(run: Mapping[Any, Any]) -> str:
    """Give what a run is called that is of no train; nothing where only a machine has named it."""
    if not _by_machine(str(run["run_id"])):
        return str(run["run_id"])
    made_for = run["originating_run_id"]
    if not pd.isna(made_for) and made_for.strip() and made_for != "manual" and not _by_machine(made_for):
        return str(made_for)
    return "" if pd.isna(run["plan_id"]) else str(run["plan_id"])


def _by_machine(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return not name.strip()
    return True


def _start(run_id: str) -> str:
    return run_id[:_SHORT] if _by_machine(run_id) and run_id.strip() else run_id
