"""Opening and reading ledgers, whatever they are kept in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from seqkit._util.formats import listed, told_in
from seqkit._util.secrets import as_given, shown
from seqkit.errors import ReadError
from seqkit.ledger.base import RunLedger
from seqkit.ledger.collecting import OnBadLines, check_mode, opened
from seqkit.ledger.formats import FORMATS, expected, format_of, kept_in
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.urls import checked, readable, scheme_of, sqlite_file

if TYPE_CHECKING:
    from seqkit.ledger.sql import SqlRunLedger

__all__ = ["as_ledger", "lent", "open_ledger", "read_ledger", "read_ledgers", "source_of"]


@told_in(
    formats=f"{listed(FORMATS)}; or files of another system's runs, see read_attempts. It is opened for reading only."
)
def read_ledger(path_or_url: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger as it stands: every line, duplicates and contradictions included.

    Parameters
    ----------
    path_or_url : str or path
        {formats}
    on_bad_lines : {"error", "warn", "skip"}
        What to do where a line (or a row of a database) cannot be read: raise at the first, warn once
        a file (:class:`seqkit.UnreadableLines`), or say nothing. With the last two they are in
        the ledger's `problems`: the first 10,000 of a file one by one, the rest as a count.

    Returns
    -------
    FoundLedger
        It keeps in memory what it found, about 1 kB an event, and needs nothing beyond that.

    Raises
    ------
    ReadError
        Where there is no such ledger, or a line cannot be read and `on_bad_lines` is ``"error"``.
    ValueError, TypeError
        Where an argument is something else.

    Notes
    -----
    A line is unreadable where it is not UTF-8, not JSON (``NaN`` is not), has a key twice, is nested
    deeper than 200 levels or longer than 32 MB; where it is neither a run nor an event, or both; and where a
    field is missing or of another type (types are strict: neither ``"1"`` nor ``1e3`` is a `seq`). Fields that
    seqkit does not know are passed over, and of finer times the microseconds are kept. A pipe or a device is not
    read, and a file only up to a line of more than 2 GB. A gzipped file that is cut,
    damaged or followed by something else is read up to there, and so is one that unpacks to more
    than 2 GB, or to more than 200 times its size and 16 MB. The JSON in a database is read by the same rules.

    A database that somebody writes to is read as of one moment, and nothing is left beside it. How long that may
    take is bounded by the size of the file; one whose tables are views is refused.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from seqkit import RepoDependencyGraph, build_plan, events_frame, run_plan
    >>> from seqkit.ledger import write_ledger
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "runs.jsonl.gz"
    ...     write_ledger(run_plan(plan, 0.0).ledger, path)
    ...     read_ledger(path)
    FoundLedger(1 run, 4 events)
    """
    check_mode(on_bad_lines)
    name = readable(path_or_url, "path_or_url")
    row = format_of(name)
    if row is None:
        raise ReadError(shown(name), None, f"is {_what(name)}, {expected()}")
    return row.read(name, on_bad_lines)


def read_ledgers(paths_or_urls: Iterable[str | os.PathLike[str]], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read several ledgers as one; every record keeps the name of its source.

    Parameters and errors are those of :func:`read_ledger`. What stands in two files is there twice.

    Examples
    --------
    >>> read_ledgers([])
    FoundLedger(0 runs, 0 events)
    """
    if isinstance(paths_or_urls, str | os.PathLike):
        raise TypeError(
            f"paths_or_urls is {as_given(paths_or_urls, 200)}, expected a list; read_ledger reads a single one"
        )
    check_mode(on_bad_lines)
    found = [read_ledger(name, on_bad_lines) for name in list(paths_or_urls)]
    return FoundLedger(
        chain.from_iterable(ledger.runs for ledger in found),
        chain.from_iterable(ledger.events for ledger in found),
        chain.from_iterable(ledger.problems for ledger in found),
    )


def _what(name: str) -> str:
    """Say what something is that is no ledger; ReadError where there is nothing to look at."""
    if "://" in name:
        return "no URL of a ledger"
    if os.path.exists(name) and not os.path.isfile(name):
        return "no regular file"
    with opened(name, shown(name)) as file:
        return "no ledger" if file.read(1) else "empty"


@told_in(formats=f"{listed(row for row in FORMATS if row.open is not None)}.")
def open_ledger(path_or_url: str | os.PathLike[str]) -> SqlRunLedger:
    """Open a ledger for writing, and make it where it is missing.

    Parameters
    ----------
    path_or_url : str or path
        Such as ``runs.db`` or ``postgresql://user@host/name``:
        {formats}

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
    return _opened(checked(path_or_url, "path_or_url"), "path_or_url")


def _opened(text: str, argument: str) -> SqlRunLedger:
    row = kept_in(text)
    if row is None or row.open is None:
        to_open = listed(row for row in FORMATS if row.open is not None)
        raise ValueError(
            f"{argument} is {as_given(text, 200)}, expected {to_open}; read_ledger reads other files, and write_ledger "
            "writes them"
        )
    ledger: SqlRunLedger = row.open(text)
    return ledger


@told_in(formats=f"{listed(FORMATS)}.")
def as_ledger(ledger: Any, existing: bool = False, patience: float | None = None) -> RunLedger:
    """Read a `ledger` argument: a ledger, or the path or URL of one.

    With `existing` it must be there, and is opened or read for reading only:
    {formats}
    A database that is locked is then waited for `patience` seconds, as long as for any other use where None.
    Without, it is opened for writing, by :func:`open_ledger`.

    Raises
    ------
    ReadError
        Where a file should be there and is not, or cannot be read.
    TypeError
        Where it is no ledger.
    """
    if isinstance(ledger, RunLedger):
        return ledger
    if not isinstance(ledger, str | os.PathLike):
        raise TypeError(
            f"ledger is {as_given(ledger)}, expected a ledger (MemoryRunLedger, SqlRunLedger, …) or a path or URL"
        )
    if not existing:
        return _opened(checked(ledger, "ledger"), "ledger")
    text = readable(ledger, "ledger")
    row = format_of(text)
    missing = sqlite_file(text).path if scheme_of(text) == "sqlite" else None if row or "://" in text else text
    if missing is not None and not os.path.exists(missing):
        raise ReadError(shown(text), None, "no such ledger file")
    if row is None:
        return read_ledger(text)
    if row.open is None:
        return row.read(text)  # it has been looked into
    kept: RunLedger = row.open(text, read_only=True, **({} if patience is None else {"patience": patience}))
    return kept


@contextlib.contextmanager
def lent(ledger: Any, existing: bool = False) -> Iterator[RunLedger]:
    """Read a `ledger` argument, as `as_ledger` does, and let go at the end of what was opened for it.

    It can still be asked afterwards: it then opens its database again.
    """
    kept = as_ledger(ledger, existing)
    try:
        yield kept
    finally:
        if kept is not ledger:
            disconnect = getattr(kept, "disconnect", None)  # not every kind has something to close
            if disconnect is not None:
                disconnect()


def source_of(ledger: object) -> str | None:
    """Give what records of a ledger that was given by its path or URL have for their source; None for a ledger."""
    return shown(os.fspath(ledger)) if isinstance(ledger, str | os.PathLike) else None
