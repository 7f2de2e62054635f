"""Ledgers of the original, as its storage keeps them (SurrealDB 2): an export, or the folder itself.

============  ===================================================================
`literals`    values as SurrealDB writes them, read as data
`export`      the rows of an export (``*.surql``)
`folder`      the rows of a surrealkv folder, through a temporary copy
`engine`      the program that opens the copy, in a process of its own
`rows`        rows become records of runs and events
============  ===================================================================

An export is a script. It is never executed here: what it inserts is read as data, and needs no
database. Only a folder needs SurrealDB's engine (``pip install "seqkit-py[surreal]"``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import closing

from seqkit._show.html import shortened
from seqkit.ledger.collecting import Found, OnBadLines, collected
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.surreal.export import rows_of_export
from seqkit.ledger.surreal.folder import rows_of_folder
from seqkit.ledger.surreal.rows import TABLES, StoredRow, event_of, run_of

__all__ = ["read_surql", "read_surrealkv"]


def read_surql(path: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger of the original from an export of SurrealDB; see :func:`seqkit.read_ledger`.

    The tables `runs` and `run_events` are read, others are passed over. Lines are those where a row starts.

    Notes
    -----
    Timestamps finer than a microsecond are truncated. The original stores the time at which an event
    was stored, not the one that the event carries. A run that still runs has no summary, though
    the row has columns for one.
    """
    return collected(_found_by(rows_of_export), path, on_bad_lines)


def read_surrealkv(path: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger of the original from its surrealkv folder (``.aivcs/db``); see :func:`read_surql`.

    It is copied to a temporary place and opened there, because opening changes it; nothing may write to it
    meanwhile. It has no lines.

    Raises
    ------
    ReadError
        Also where SurrealDB's engine is not installed.
    """
    return collected(_found_by(rows_of_folder), path, on_bad_lines)


def _found_by(read: Callable[[str], Generator[StoredRow | Problem, None, None]]) -> Callable[[str], Found]:
    def find(source: str) -> Found:
        with closing(read(source)) as rows:  # closed at once where it raises: a copy of the folder goes away
            for row in rows:
                if isinstance(row, Problem):
                    yield row
                    continue
                try:
                    if row.table == TABLES[0]:
                        yield FoundRun(run_of(row), source, row.line)
                    else:
                        run_id, event = event_of(row)
                        yield FoundEvent(run_id, event, source, row.line)
                except ValueError as error:
                    yield Problem(source, row.line, f"table {row.table}, record {shortened(row.record, 100)}: {error}")

    return find
