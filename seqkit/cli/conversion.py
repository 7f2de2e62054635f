"""``convert``: a ledger in another form."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from seqkit._words import plural
from seqkit.cli.ledgers import LEDGER_HELP
from seqkit.cli.printing import console, named
from seqkit.errors import ReadError, StorageError
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.jsonl import is_jsonl, write_ledger
from seqkit.ledger.reading import read_ledger
from seqkit.model import RunRecord, RunStatus

if TYPE_CHECKING:
    from seqkit.ledger.sql import SqlRunLedger

__all__ = ["convert"]

_DATABASES = (".db", ".sqlite", ".sqlite3")


def convert(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=LEDGER_HELP)],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="What to write: .jsonl or .jsonl.gz, or a new SQLite database (.db, .sqlite, .sqlite3).",
        ),
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace TARGET where it exists.")] = False,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out what cannot be read, rather than refuse.")
    ] = False,
) -> None:
    """Write a ledger in another form, whole or not at all.

    JSON Lines keep everything as it was found. A database refuses what contradicts itself: a run recorded
    twice, a seq used twice, an event without its run.
    """
    _check_target(source, target, force)
    found = _read(source, skip_unreadable)
    if is_jsonl(target):
        write_ledger(found, target)
    else:
        _write_database(found, target)
    left_out = f"; {plural(len(found.problems), 'unreadable line')} left out" if found.problems else ""
    console().print(
        Text(f"{named(target)}: {plural(len(found.runs), 'run')}, {plural(len(found.events), 'event')}{left_out}.")
    )


def _check_target(source: str, target: str, force: bool) -> None:
    if "://" in target or not (is_jsonl(target) or target.lower().endswith(_DATABASES)):
        raise ValueError(
            f"TARGET is {target!r}, expected a file that ends in .jsonl, .jsonl.gz, {', '.join(_DATABASES)}"
        )
    path = Path(os.path.realpath(target))
    if str(path) == os.path.realpath(source):
        raise ValueError(f"TARGET is {target!r}, which is SOURCE, expected another file")
    if path.is_dir():
        raise OSError(f"cannot write {target!r}: it is a directory")
    if not path.parent.is_dir():
        raise OSError(f"cannot write {target!r}: there is no directory {str(path.parent)!r}")
    if path.exists() and not force:
        raise ValueError(f"TARGET is {target!r}, which exists; give --force to replace it")
    if Path(f"{path}-wal").exists():
        raise ValueError(f"TARGET is {target!r}, a database in use (it has a write-ahead log), expected another file")


def _read(source: str, skip_unreadable: bool) -> FoundLedger:
    try:
        return read_ledger(source, on_bad_lines="skip" if skip_unreadable else "error")
    except ReadError as error:
        if skip_unreadable:
            raise
        try:  # is it the whole file, or a part that can be left out?
            unreadable = len(read_ledger(source, on_bad_lines="skip").problems)
        except ReadError:
            raise error from None
        hint = f"(of {unreadable:,} that cannot be read; --skip-unreadable leaves them out)"
        raise ReadError(error.path, error.line, f"{error.message} {hint}") from error


# ---------------------------------------------------------------------- databases


def _write_database(found: FoundLedger, target: str) -> None:
    _refuse_contradictions(found)
    final = Path(os.path.realpath(target))
    scratch = Path(tempfile.mkdtemp(prefix=".seqkit-", dir=final.parent))
    try:
        draft = scratch / "draft.db"
        _fill(found, draft)
        if final.exists():
            shutil.copymode(final, draft)
        os.replace(draft, final)
    except OSError as error:
        raise OSError(f"cannot write {target!r}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse_contradictions(found: FoundLedger) -> None:
    ids = Counter(run.record.run_id for run in found.runs)
    twice = [run_id for run_id, count in ids.items() if count > 1]
    if twice:
        raise _refused(f"run {twice[0]!r} is recorded {ids[twice[0]]} times")
    for event in found.events:
        if event.run_id not in ids:
            raise _refused(f"there are events of run {event.run_id!r}, but no record of it")


def _refused(why: str) -> ValueError:
    return ValueError(f"a database cannot hold the ledger as it was found: {why}; a .jsonl file can")


def _fill(found: FoundLedger, path: Path) -> None:
    from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415  # slow to import, and --help needs none of it

    now: list[datetime] = []  # what the ledger takes for the time
    records = found.list_runs()
    with SqlRunLedger(path, ids=[run.run_id for run in records], clock=lambda: now[-1]) as ledger:
        with ledger.engine.connect() as connection:
            # Nothing has to survive a crash until the file takes its place, and to wait for the disk at each event
            # would take longer than all the rest. The ledger has one connection, which keeps the setting.
            connection.exec_driver_sql("PRAGMA synchronous = OFF")
        for record in records:
            _copy(found, ledger, record, now)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _copy(found: FoundLedger, ledger: SqlRunLedger, record: RunRecord, now: list[datetime]) -> None:
    now[:] = [record.created_at]
    events = found.get_events(record.run_id)
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
    except StorageError as error:
        raise _refused(str(error)) from error
    if ledger.get_run(record.run_id) != record:
        raise _refused(f"the status, summary and times of run {record.run_id!r} do not go together")
