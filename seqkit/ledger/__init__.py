"""Ledgers: where runs and their events are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqkit.errors import ReadError
from seqkit.ledger.base import GraphRunRecorder, LedgerLike, RunLedger
from seqkit.ledger.copies import RepeatedRecords
from seqkit.ledger.jsonl import is_jsonl, write_ledger
from seqkit.ledger.memory import MemoryRunLedger
from seqkit.ledger.reading import UnreadableLines, read_ledger, read_ledgers

if TYPE_CHECKING:
    from seqkit.ledger.sql import SqlRunLedger

__all__ = [
    "GraphRunRecorder",
    "LedgerLike",
    "MemoryRunLedger",
    "RepeatedRecords",
    "RunLedger",
    "SqlRunLedger",
    "UnreadableLines",
    "as_ledger",
    "open_ledger",
    "read_ledger",
    "read_ledgers",
    "write_ledger",
]

_NOT_WRITTEN_TO = (".jsonl", ".json", ".csv", ".gz", ".surql")


def __getattr__(name: str) -> Any:
    if name == "SqlRunLedger":  # SQLAlchemy takes longer to import than all of seqkit
        from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415

        return SqlRunLedger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def open_ledger(path_or_url: str | os.PathLike[str]) -> SqlRunLedger:
    """Open a ledger for writing, and make it where it is missing.

    Parameters
    ----------
    path_or_url : str or path
        The path of a SQLite file, or a URL: ``sqlite:///runs.db``, ``postgresql://user@host/name`` (needs the
        extra ``postgres``).

    Raises
    ------
    Backend
        Where the database cannot be opened.
    ImportError
        Where PostgreSQL is asked for and psycopg is missing.
    ValueError, TypeError
        Where it cannot be a database.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder, open_ledger(pathlib.Path(folder) / "runs.db") as ledger:
    ...     ledger.list_runs()
    []
    """
    if not isinstance(path_or_url, str | os.PathLike):
        raise TypeError(f"path_or_url is {path_or_url!r:.80}, expected a path or a database URL")
    text = os.fspath(path_or_url)
    if "://" not in text and Path(text).suffix.lower() in _NOT_WRITTEN_TO:
        raise ValueError(
            f"path_or_url is {text!r}, expected a SQLite file such as 'runs.db', or a database URL; "
            "read_ledger reads such a file, and write_ledger writes one"
        )
    from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415  # see above

    return SqlRunLedger(text)


def as_ledger(ledger: LedgerLike, existing: bool = False) -> RunLedger:
    """Read a `ledger` argument: a ledger, or the path or URL of one.

    With `existing` it is opened for reading only and must be there; every kind of path that
    :func:`read_ledger` knows will do. Without, it is opened for writing.

    Raises
    ------
    ReadError
        Where a file should be there and is not, or cannot be read.
    TypeError
        Where it is no ledger.
    """
    if isinstance(ledger, str | os.PathLike):
        text = os.fspath(ledger)
        if not existing:
            return open_ledger(ledger)
        if "://" not in text:
            if is_jsonl(text) or text.lower().endswith(".surql") or Path(text).is_dir():
                return read_ledger(text)
            if not Path(text).is_file():
                raise ReadError(text, None, "no such ledger file")
        from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415  # see above

        return SqlRunLedger(text, read_only=True)
    if isinstance(ledger, RunLedger):
        return ledger
    raise TypeError(f"ledger is {ledger!r:.80}, expected a ledger (MemoryRunLedger, SqlRunLedger, …) or a path or URL")
