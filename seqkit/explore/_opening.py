"""Opening a ledger to look at it, in whatever state it is."""

from __future__ import annotations

import os

from seqkit.errors import Backend, ReadError, StorageError
from seqkit.ledger import RunLedger, as_ledger, read_ledger
from seqkit.ledger.found import FoundLedger, Problem
from seqkit.ledger.reading import source_of

__all__ = ["let_go", "opened", "opened_again"]

_PATIENCE = 1.0  # seconds: who looks can look again, and meanwhile nothing else moves on the page


def opened(path: str | os.PathLike[str]) -> RunLedger:
    """Open a ledger, or read what can be read of it; raises ``ReadError`` where there is none.

    One that somebody has locked is given as a ledger without runs, whose one problem says so. Of a database file
    nothing is held open between two looks.
    """
    try:
        ledger = as_ledger(path, existing=True, patience=_PATIENCE)
    except (ReadError, StorageError, ValueError) as error:
        return _locked(path, error) or read_ledger(path, on_bad_lines="skip")
    if hasattr(ledger, "keeps_connections"):
        ledger.keeps_connections = not getattr(ledger, "source", "").startswith("sqlite:")  # a server's are dear
    try:
        ledger.list_runs()
    except (StorageError, ValueError) as error:  # rows that are no runs
        let_go(ledger)
        return _locked(path, error) or read_ledger(path, on_bad_lines="skip")
    return ledger


def opened_again(path: str | os.PathLike[str] | None, ledger: RunLedger) -> RunLedger:
    """Give a ledger as it is now: what was read of a path is read again, any other tells it by itself."""
    return opened(path) if path is not None and isinstance(ledger, FoundLedger) else ledger


def _locked(path: str | os.PathLike[str], error: Exception) -> FoundLedger | None:
    if isinstance(error, Backend) and "locked" in str(error):  # to read it all would be to wait for it again
        return FoundLedger((), (), [Problem(source_of(path) or "", None, str(error))])
    return None


def let_go(ledger: RunLedger) -> None:
    """Close a ledger; not every kind can be closed."""
    close = getattr(ledger, "close", None)
    if close is not None:
        close()
