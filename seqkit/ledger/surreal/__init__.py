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
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Literal

from seqkit._html import shortened
from seqkit.errors import ReadError
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.reading import warn_of_problems
from seqkit.ledger.surreal.export import rows_of_export
from seqkit.ledger.surreal.folder import rows_of_folder
from seqkit.ledger.surreal.rows import TABLES, event_of, run_of

__all__ = ["found_in", "read_surreal"]

_MODES = ("error", "warn", "skip")


def read_surreal(path: str | os.PathLike[str], on_bad_lines: Literal["error", "warn", "skip"] = "error") -> FoundLedger:
    """Read a ledger of the original: a SurrealDB export (``*.surql``) or a surrealkv folder (``.aivcs/db``).

    The tables `runs` and `run_events` are read, others are passed over. A folder is copied to a
    temporary place and opened there, because opening changes it; nothing may write to it meanwhile.

    Parameters
    ----------
    path : str or path
        The file or folder.
    on_bad_lines : {"error", "warn", "skip"}
        What is done about a row that cannot be read: raise, warn once for all of them, or nothing. With
        the latter two it is kept in the ledger's `problems`.

    Returns
    -------
    FoundLedger
        Runs and events as they were found. A folder has no lines; an export has those where a row starts.

    Raises
    ------
    ReadError
        Where the file or folder is missing, is not such a store, or, with ``"error"``, has a row that
        cannot be read. For a folder also where SurrealDB's engine is not installed.

    Notes
    -----
    Timestamps finer than a microsecond are truncated. The original stores the time at which an event
    was stored, not the one that the event carries. A run that still runs has no summary, though
    the row has columns for one.
    """
    if on_bad_lines not in _MODES:
        raise ValueError(f"on_bad_lines is {on_bad_lines!r}, expected one of {_MODES}")
    runs: list[FoundRun] = []
    events: list[FoundEvent] = []
    problems: list[Problem] = []
    source = os.fspath(path)
    with closing(found_in(source)) as everything:  # closed at once where it raises: a copy of the folder goes away
        for found in everything:
            if isinstance(found, FoundEvent):
                events.append(found)
            elif isinstance(found, FoundRun):
                runs.append(found)
            elif on_bad_lines == "error":
                raise ReadError(found.source, found.line, found.message)
            else:
                problems.append(found)
    if problems and on_bad_lines == "warn":
        warn_of_problems(source, problems)
    return FoundLedger(runs, events, problems)


def found_in(source: str) -> Generator[FoundRun | FoundEvent | Problem, None, None]:
    """Give what an export or a folder holds, in the order in which it stands there.

    Raises
    ------
    ReadError
        Where it cannot be read as a whole.
    """
    with closing(rows_of_folder(source) if Path(source).is_dir() else rows_of_export(source)) as rows:
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
