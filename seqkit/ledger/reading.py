"""Reading ledgers: files and databases as they are found, never written to."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

from seqkit._collector import collector_paused
from seqkit._warned import warn_caller
from seqkit._words import and_more, plural
from seqkit.errors import ReadError, StorageError
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.jsonl import is_jsonl, opened, read_lines

__all__ = ["OnBadLines", "UnreadableLines", "read_ledger", "read_ledgers"]

OnBadLines: TypeAlias = Literal["error", "warn", "skip"]

MOST_PROBLEMS = 10_000
"""Unreadable lines of one file that are kept one by one; the rest are counted."""

_MODES = ("error", "warn", "skip")
_EXPECTED = "expected a ledger: *.jsonl, *.jsonl.gz, a SQLite file, *.surql or a folder of SurrealDB"
_Found: TypeAlias = FoundRun | FoundEvent | Problem


class UnreadableLines(UserWarning):
    """Lines of a ledger that could not be read and were left out; one warning a file."""


def read_ledger(path_or_url: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger as it stands: every line, duplicates and contradictions included.

    Parameters
    ----------
    path_or_url : str or path
        A file of JSON Lines (``*.jsonl``, ``*.jsonl.gz``), a SQLite file, a database URL, a SurrealDB
        export (``*.surql``) or a SurrealDB folder. It is opened for reading only.
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
    seqkit does not know are passed over, and of finer times the microseconds are kept. A gzipped file that is cut,
    damaged or followed by something else is read up to there, and so is one that unpacks to more
    than 2 GB, or to more than 200 times its size and 16 MB.

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
    return _collected([path_or_url], on_bad_lines)


def read_ledgers(paths_or_urls: Iterable[str | os.PathLike[str]], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read several ledgers as one; every record keeps the name of its source.

    Parameters and errors are those of :func:`read_ledger`. What stands in two files is there twice.

    Examples
    --------
    >>> read_ledgers([])
    FoundLedger(0 runs, 0 events)
    """
    if isinstance(paths_or_urls, str | os.PathLike):
        told = _without_password(str(paths_or_urls))
        raise TypeError(f"paths_or_urls is {told!r:.200}, expected a list; read_ledger reads a single one")
    return _collected(list(paths_or_urls), on_bad_lines)


def _collected(sources: list[Any], on_bad_lines: str) -> FoundLedger:
    if on_bad_lines not in _MODES:
        raise ValueError(f"on_bad_lines is {on_bad_lines!r}, expected one of {_MODES}")
    names = [os.fspath(source) if isinstance(source, os.PathLike) else source for source in sources]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"path_or_url is {name!r:.80}, expected a path or a database URL")
    runs: list[FoundRun] = []
    events: list[FoundEvent] = []
    problems: list[Problem] = []
    with collector_paused():
        for name in names:
            bad: list[Problem] = []
            uncounted = 0
            last: Problem | None = None
            with contextlib.closing(_found(name)) as everything:  # files and copies are let go of where it raises
                for found in everything:
                    if isinstance(found, FoundEvent):
                        events.append(found)
                    elif isinstance(found, FoundRun):
                        runs.append(found)
                    elif on_bad_lines == "error":
                        raise ReadError(found.source, found.line, found.message)
                    elif len(bad) < MOST_PROBLEMS:
                        bad.append(found)
                    else:
                        uncounted, last = uncounted + 1, found
            if on_bad_lines == "warn" and bad:
                _warn(name, bad, len(bad) + uncounted)
            if last is not None:
                bad.append(Problem(last.source, last.line, f"{uncounted} more could not be read, this the last"))
            problems += bad
        return FoundLedger(runs, events, problems)


def _warn(source: str, problems: list[Problem], count: int | None = None) -> None:
    count = len(problems) if count is None else count
    first = "; ".join(
        problem.message if problem.line is None else f"line {problem.line}: {problem.message}"
        for problem in problems[:3]
    )
    more = and_more(count - 3, before="; ")
    told = f"{_without_password(source)}: {plural(count, 'unreadable line')} left out: {first}{more}"
    warn_caller(told, UnreadableLines)


def _found(source: str) -> Generator[_Found, None, None]:
    if "://" in source:
        return _server(source)
    if is_jsonl(source):
        return read_lines(source)
    if source.lower().endswith(".surql") or os.path.isdir(source):
        from seqkit.ledger.surreal import found_in  # noqa: PLC0415  # rare

        return found_in(source)
    return _sqlite(source, source)


# ---------------------------------------------------------------------- databases


def _server(url: str) -> Generator[_Found, None, None]:
    source = _without_password(url)
    of_file = re.fullmatch(r"sqlite(?:\+pysqlite)?:///?([^?]*)", url)
    if not of_file:
        return _rows(url, source)
    if of_file[1] in ("", ":memory:"):
        raise ReadError(source, None, f"names no file, {_EXPECTED}")
    return _sqlite(of_file[1], source)


def _without_password(url: str) -> str:
    url = re.sub(r"^([\w+.-]+://[^:/@]*):[^@]*@", r"\1@", url)
    return re.sub(r"([?&]\w*pass\w*=)[^&]*", r"\1***", url)


def _sqlite(path: str, source: str) -> Generator[_Found, None, None]:
    with opened(path, source) as file:
        start = file.read(16)
    if start != b"SQLite format 3\0":
        raise ReadError(source, None, f"is {'no ledger' if start else 'empty'}, {_EXPECTED}")
    real = os.path.realpath(path)
    if not os.access(os.path.dirname(real), os.W_OK):
        yield from _rows_of_copy(real, source)
        return
    had_log = os.path.exists(f"{real}-wal")
    try:
        yield from _rows(real, source)
    finally:
        if not had_log and os.path.exists(f"{real}-wal"):
            _remove_log(real)


def _rows_of_copy(path: str, source: str) -> Generator[_Found, None, None]:
    # To read a database that has a write-ahead log SQLite must make files beside it, even for reading only.
    with tempfile.TemporaryDirectory(prefix="seqkit-") as folder:
        copy = os.path.join(folder, "copy.db")
        try:
            shutil.copyfile(path, copy)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        except OSError as error:
            raise ReadError(source, None, f"cannot be copied for reading: {error.strerror or error}") from error
        yield from _rows(copy, source)


def _remove_log(path: str) -> None:
    """Remove the empty write-ahead log that reading has made: SQLite does so when the last who may write leaves."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=rw", uri=True)) as connection,
    ):
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _rows(path_or_url: str, source: str) -> Generator[_Found, None, None]:
    from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415  # SQLAlchemy is slow to import

    try:
        ledger = SqlRunLedger(path_or_url, read_only=True)
    except (StorageError, ValueError) as error:
        raise ReadError(source, None, f"cannot be read as a ledger: {error}") from error
    with ledger:
        ledger.source = source
        try:
            yield from ledger.scan()
        except (StorageError, ValueError) as error:
            yield Problem(source, None, f"reading broke off here: {error}")
