"""Opening a ledger to look at it, in whatever state it is."""

from __future__ import annotations

import os

from seqkit.errors import ReadError, StorageError
from seqkit.ledger import RunLedger, as_ledger, read_ledger

__all__ = ["let_go", "opened"]


def opened(path: str | os.PathLike[str]) -> RunLedger:
    """Open a ledger, or read what can be read of it; raises ``ReadError`` where there is none."""
    try:
        ledger = as_ledger(path, existing=True)
    except (ReadError, StorageError, ValueError):
        return read_ledger(path, on_bad_lines="skip")
    try:
        ledger.list_runs()
    except (StorageError, ValueError):  # rows that are no runs
        let_go(ledger)
        return read_ledger(path, on_bad_lines="skip")
    return ledger


def let_go(ledger: RunLedger) -> None:
    """Close a ledger; not every kind can be closed."""
    close = getattr(ledger, "close", None)
    if close is not None:
        close()
