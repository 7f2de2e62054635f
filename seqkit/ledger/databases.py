"""Ledgers in databases: opened, read as they are found, and written whole."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seqkit._util.files import replacing
from seqkit._util.secrets import as_given, shown
from seqkit.core.model import RunRecord, RunStatus
from seqkit.errors import Backend, ReadError, StorageError
from seqkit.ledger.base import RunLedger
from seqkit.ledger.collecting import Found, OnBadLines, collected, opened
from seqkit.ledger.found import FoundLedger, Problem
from seqkit.ledger.urls import scheme_of, sqlite_file

if TYPE_CHECKING:
    from seqkit.ledger.sql import SqlRunLedger

__all__ = [
    "is_postgresql",
    "is_sqlite",
    "open_database",
    "read_postgresql",
    "read_sqlite",
    "write_sqlite",
]

_MAGIC = b"SQLite format 3\0"


def open_database(path_or_url: str, read_only: bool = False, **options: Any) -> SqlRunLedger:
    """Open a database as a ledger; SQLAlchemy, which takes longer to import than all of seqkit, comes with it."""
    from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415  # see above

    return SqlRunLedger(path_or_url, read_only=read_only, **options)


# ---------------------------------------------------------------------- reading


def is_sqlite(path_or_url: str) -> bool:
    """Tell whether it is a SQLite file, by its content, or the URL of one."""
    if "://" in path_or_url:
        return scheme_of(path_or_url) == "sqlite"
    if not os.path.isfile(path_or_url) or os.path.getsize(path_or_url) <= 1:  # nothing is taken out of a pipe
        return False  # and a file of one byte is an empty one to SQLite
    if _opens(path_or_url):
        return True
    try:
        with open(path_or_url, "rb") as file:  # no database to SQLite, so that nobody has locks on it
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _opens(path: str) -> bool:
    """Ask SQLite whether a file is a database, sound or not; it makes nothing and waits for nobody.

    The file itself is not opened: to close a file lets go of all locks that this process has on it (POSIX), also of
    those by which another thread that is writing to it keeps its log.
    """
    uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        return error.sqlite_errorname not in ("SQLITE_NOTADB", "SQLITE_CANTOPEN")
    except UnicodeError:  # what SQLite says of damage
        return True
    return True


def read_sqlite(path_or_url: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger in a SQLite file, given by its path or URL; see :func:`seqkit.read_ledger`.

    Nothing is written to the file, nor left beside it.
    """
    return collected(_of_sqlite, path_or_url, on_bad_lines)


def is_postgresql(path_or_url: str) -> bool:
    """Tell whether it is the URL of a PostgreSQL database."""
    return scheme_of(path_or_url) == "postgresql"


def read_postgresql(url: str, on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger in a PostgreSQL database as of one moment; see :func:`seqkit.read_ledger`."""
    return collected(lambda text: _rows(text, shown(text)), url, on_bad_lines)


def _of_sqlite(path_or_url: str) -> Found:
    source = shown(path_or_url)
    file = sqlite_file(path_or_url)
    path = file.path
    if path is None:
        raise ReadError(source, None, "names no file, expected one such as sqlite:///runs.db")
    if not is_sqlite(path):
        with opened(path, source):
            raise ReadError(source, None, "is no SQLite file")
    options = {} if file.timeout is None else {"patience": file.timeout}
    yield from _rows(path_or_url if file.vfs is not None else os.path.realpath(path), source, **options)


def _rows(path_or_url: str, source: str, **options: Any) -> Found:
    try:
        ledger = open_database(path_or_url, read_only=True, **options)
    except (StorageError, ValueError) as error:
        raise ReadError(source, None, f"cannot be read as a ledger: {error}") from None
    with ledger:
        ledger.source = source
        try:
            yield from ledger.scan()
        except (StorageError, ValueError) as error:
            yield Problem(source, None, f"reading broke off here: {error}")


# ---------------------------------------------------------------------- writing


def write_sqlite(ledger: RunLedger, path: str) -> None:
    """Write a ledger as a new SQLite file; see :func:`seqkit.write_ledger`.

    Raises
    ------
    ValueError
        Where the ledger contradicts itself, which a database refuses: a run recorded twice, a seq used twice, an
        event without its run; and where a database of that name is in use, or was left in the middle of a change: its
        log or journal lies beside it.
    Backend
        Where the file cannot be written.
    """
    _refuse_in_use(path)
    if isinstance(ledger, FoundLedger):
        _refuse_contradictions(ledger)
    try:
        with replacing(path) as draft:
            _fill(ledger, draft, path)
            _refuse_in_use(path)  # somebody may have begun to write meanwhile
    except OSError as error:
        raise Backend(f"{shown(path)}: cannot be written: {error.strerror or error}") from None


def _refuse_in_use(path: str) -> None:
    """Refuse a name beside which a database keeps its log or journal: SQLite would take those for the new file's."""
    real = os.path.realpath(path)
    left = next((end for end in ("-wal", "-journal", "-shm") if os.path.lexists(f"{real}{end}")), None)
    if left is not None:
        name = f"{os.path.basename(real)}{left}"
        advice = "open it once with open_ledger, which puts it in order" if os.path.exists(real) else f"remove {name}"
        raise ValueError(
            f"path is {as_given(path, 200)}, a database in use or one that was left in the middle of a change ({name} "
            f"lies beside it), expected another file; where nobody uses it, {advice}"
        )


def _refuse_contradictions(found: FoundLedger) -> None:
    ids = Counter(run.record.run_id for run in found.runs)
    twice = [run_id for run_id, count in ids.items() if count > 1]
    if twice:
        raise _refused(f"run {twice[0]!r} is recorded {ids[twice[0]]} times")
    for event in found.events:
        if event.run_id not in ids:
            raise _refused(f"there are events of run {event.run_id!r}, but no record of it")


def _refused(why: str) -> ValueError:
    return ValueError(f"a database cannot hold the ledger as it was found: {why}; JSON Lines can")


def _fill(source: RunLedger, draft: Path, target: str) -> None:
    from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415  # see open_database

    now: list[datetime] = []  # what the ledger takes for the time
    records = source.list_runs()
    with SqlRunLedger(draft, ids=[run.run_id for run in records], clock=lambda: now[-1]) as ledger:
        ledger.source = target  # what errors name
        with ledger.engine.connect() as connection:
            # Nothing has to survive a crash until the file takes its place, and to wait for the disk at each event
            # would take longer than all the rest. The ledger has one connection, which keeps the setting.
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
        for record in records:
            _copy(source, ledger, record, now)
        # Closing would do so too, but says nothing where it cannot; and whoever reads the file makes none beside it.
        ledger.move_log_in()


def _copy(source: RunLedger, ledger: SqlRunLedger, record: RunRecord, now: list[datetime]) -> None:
    now[:] = [record.created_at]
    events = source.get_events(record.run_id)
    try:
        ledger.create_run(record.spec_digest, record.metadata)
        for event in events:
            ledger.append_event(record.run_id, event)
        if record.status is not RunStatus.RUNNING and record.summary is not None:
            now[:] = [record.completed_at or record.created_at]
            end = {
                RunStatus.COMPLETED: ledger.complete_run,
                RunStatus.FAILED: ledger.fail_run,
                RunStatus.CANCELLED: ledger.cancel_run,
            }[record.status]
            end(record.run_id, record.summary)
    except Backend:
        raise
    except StorageError as error:
        raise _refused(str(error)) from error
    if ledger.get_run(record.run_id) != record:
        raise _refused(f"the status, summary and times of run {record.run_id!r} do not go together")
