"""A database that somebody writes to is read as of one moment, whoever reads, and reading leaves nothing behind."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    Backend,
    ReadError,
    RepoDependencyGraph,
    RunMetadata,
    SqlRunLedger,
    anchor,
    audit,
    build_plan,
    items_frame,
    open_ledger,
    read_ledger,
    run_plan,
    write_ledger,
)
from seqkit.ledger.sql import place

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")


def record(path: Path) -> None:
    """Keep a run in a file, and let go of it."""
    with open_ledger(path) as ledger:
        run_plan(PLAN, 0.0, ledger)


WRITER = """
import sys, time
from seqkit import RepoDependencyGraph, build_plan, open_ledger, run_plan
path, seconds, reopens = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "reopens"
plan = build_plan(RepoDependencyGraph.from_edges([(f"r{i}", f"r{i + 1}") for i in range(8)]), version="1")
until, ledger = time.monotonic() + seconds, open_ledger(path)
while time.monotonic() < until:
    run_plan(plan, lambda *_: "y" * 2000, ledger)
    print("ran", flush=True)
    if reopens:
        ledger.close()
"""


@contextlib.contextmanager
def writing(path: Path, seconds: float, how: str = "stays") -> Iterator[None]:
    """Let another process write run after run."""
    command = [sys.executable, "-c", WRITER, str(path), str(seconds), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ran\n"
        try:
            yield
        finally:
            process.kill()


def accusations(path: Path) -> list[str]:
    """What reading finds wrong with an honest record; a run that goes on is none."""
    found = read_ledger(path, on_bad_lines="skip")
    errors = audit(found).findings.query("severity == 'error' and check != 'unfinished'")
    return [*(problem.message for problem in found.problems), *errors["message"]]


def refuse_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be somebody who may not write beside the file."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: mode != os.W_OK and real(path, mode, **more))


def copied_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read copies, as somebody does who cannot open the files of the log."""
    monkeypatch.setattr(place, "_leaves_no_trace", lambda path: False)


READERS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "in place": lambda patch: None,
    "may not write": refuse_to_write,
    "copies": copied_only,
}


@pytest.mark.parametrize("how", ["stays", "reopens"])
@pytest.mark.parametrize("reader", READERS)
def test_a_live_writer_is_never_accused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, how: str) -> None:
    path = tmp_path / "runs.db"
    READERS[reader](monkeypatch)
    with writing(path, 20, how):
        for _ in range(8):
            assert accusations(path) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stays", "reopens"])
def test_a_thousand_reads_of_a_live_writer(tmp_path: Path, how: str) -> None:
    seen: Counter[str] = Counter()
    for (reader, be), turn in itertools.product(READERS.items(), range(12)):  # files that stay small: many reads
        path = tmp_path / f"{reader}-{turn}.db"
        with pytest.MonkeyPatch.context() as patch, writing(path, 60, how):
            be(patch)
            for _ in range(15):
                assert accusations(path) == []
                seen[reader] += 1
    assert seen.total() >= 500


AS_NOBODY = """
import os, sys
import seqkit.auditing, seqkit.ledger.sql  # nobody may not read where these are
os.setgroups([]), os.setgid(65534), os.setuid(65534)
found = seqkit.read_ledger(sys.argv[1])
errors = seqkit.audit(found).findings.query("severity == 'error' and check != 'unfinished'")
print(os.getuid(), len(found.runs) > 0, len(errors), len(found.problems))
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    "state",
    [
        "live",
        *(pytest.param(state, marks=pytest.mark.slow) for state in ("killed", "ended", "ended, in a folder of all")),
    ],
)
def test_as_another_user(state: str) -> None:
    folder = Path(tempfile.mkdtemp())  # not in the folder of the test, which others may not enter
    path = folder / "runs.db"
    folder.chmod(0o1777 if state.endswith("write") else 0o755)
    try:
        with writing(path, 30) if state in ("live", "killed") else contextlib.nullcontext():
            if state == "live":
                assert_nobody_reads(path)
            if not path.exists():
                record(path)
        before = sorted((entry.name, entry.stat().st_size) for entry in folder.iterdir())
        assert_nobody_reads(path)
        assert sorted((entry.name, entry.stat().st_size) for entry in folder.iterdir()) == before
    finally:
        shutil.rmtree(folder)


def assert_nobody_reads(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["65534", "True", "0", "0"], done.stderr[-500:]


def test_a_copy_that_a_writer_spoils_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the copy of the database and that of its log the log begins anew: what is read is of after that."""
    path = tmp_path / "runs.db"
    copied_only(monkeypatch)
    with open_ledger(path) as ledger:
        run_plan(PLAN, 0.0, ledger)
        real, turns = shutil.copyfile, []

        def copyfile(one: str, other: str) -> object:
            done = real(one, other)
            if one == str(path) and len(turns) < 3:
                turns.append(len(read_in_place(path)))
                with sqlite3.connect(path) as connection:
                    assert connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0
                connection.close()
                run_plan(PLAN, 0.0, ledger)
            return done

        monkeypatch.setattr(shutil, "copyfile", copyfile)
        found = read_ledger(path)
        assert turns == [1, 2, 3]
        assert len(found.runs) == 4
        assert audit(found).ok


def read_in_place(path: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT run_id FROM runs").fetchall()


def test_where_the_writer_always_wins_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.db"
    record(path)
    copied_only(monkeypatch)
    monkeypatch.setattr(place, "_COPIES", 3)
    monkeypatch.setattr(place, "_TICK", 10**18)  # every change was just now
    with pytest.raises(ReadError, match="is being written to, and in 3 tries no copy could be taken of one"):
        read_ledger(path)
    assert os.listdir(tmp_path) == ["runs.db"]


# ---------------------------------------------------------------------- nothing is left behind


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("state", ["ended", "killed", "killed, no -shm", "empty log", "rollback", "read-only folder"])
def test_reading_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, state: str
) -> None:
    folder = tmp_path / "at"
    folder.mkdir()
    path = folder / "runs.db"
    if state.startswith("killed"):
        live = tmp_path / "live.db"
        with open_ledger(live) as ledger:
            run_plan(PLAN, 0.0, ledger)
            ledger.create_run("0" * 64, RunMetadata())
            for end in ("", "-wal", "-shm")[: 2 if "no -shm" in state else 3]:
                shutil.copy(f"{live}{end}", f"{path}{end}")
    else:
        record(path)
    if state == "empty log":
        Path(f"{path}-wal").touch()
    if state == "rollback":
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    if state == "read-only folder":
        folder.chmod(0o555)
    before = {entry.name: entry.read_bytes() for entry in folder.iterdir() if not entry.name.endswith("-shm")}
    READERS[reader](monkeypatch)
    try:
        assert len(read_ledger(path).runs) == 1 + state.startswith("killed")
        with SqlRunLedger(path, read_only=True) as ledger:
            assert len(items_frame(ledger)) >= 3
    finally:
        folder.chmod(0o755)
    after = {entry.name: entry.read_bytes() for entry in folder.iterdir() if not entry.name.endswith("-shm")}
    if state == "empty log":
        before.pop("runs.db-wal")
        after.pop("runs.db-wal", None)
    assert after == before
    assert Path(f"{path}-shm").exists() == (state == "killed")


def test_readers_at_once_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    record(path)
    with SqlRunLedger(path, read_only=True) as first:
        with SqlRunLedger(path, read_only=True) as second:
            assert len(read_ledger(path).runs) == len(second.list_runs()) == 1
        assert len(first.list_runs()) == 1
    assert os.listdir(tmp_path) == ["runs.db"]


# ---------------------------------------------------------------------- what is missing beside it


def test_a_copy_without_its_log_is_told(tmp_path: Path) -> None:
    path, copied = tmp_path / "runs.db", tmp_path / "copied.db"
    with open_ledger(path) as ledger:
        ledger.create_run("0" * 64, RunMetadata())
        shutil.copy(path, copied)
    for read in (read_ledger, items_frame, audit):
        with pytest.raises((ReadError, Backend), match=r"the file beside that whose name ends in -wal has the records"):
            read(copied)
    assert sorted(os.listdir(tmp_path)) == ["copied.db", "runs.db"]


def hot_journal(path: Path) -> None:
    """A database whose writer was killed in the middle of a change, in SQLite's older way to write."""
    record(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size=1'); c.execute('PRAGMA cache_spill=1'); c.execute('BEGIN')\n"
        "c.execute('CREATE TABLE filler (a)')\n"
        "c.executemany('INSERT INTO filler VALUES (?)', [('x' * 3000,)] * 200)\n"
        "c.execute('UPDATE run_events SET kind = ?', ('forged',)); os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert Path(f"{path}-journal").stat().st_size > 0


@pytest.mark.parametrize("reader", READERS)
def test_a_hot_journal_is_told_and_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    path = tmp_path / "runs.db"
    hot_journal(path)
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    with monkeypatch.context() as patch:
        READERS[reader](patch)
        for read in (read_ledger, items_frame, audit):
            with pytest.raises((ReadError, Backend), match=r"runs\.db-journal beside it .* open it once with"):
                read(path)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before
    with open_ledger(path) as ledger:  # the advice is good
        assert len(ledger.list_runs()) == 1
    assert audit(path).ok


# ---------------------------------------------------------------------- locks of the same process

LOOKS: dict[str, Callable[[Path], object]] = {
    "read_ledger": lambda path: read_ledger(path),
    "a URL": lambda path: read_ledger(f"sqlite:///{path}"),
    "audit": lambda path: audit(path),
    "items_frame": lambda path: items_frame(path),
    "anchor": lambda path: anchor(path),
    "write_ledger": lambda path: write_ledger(path, path.with_suffix(".jsonl")),
    "SqlRunLedger": lambda path: SqlRunLedger(path, read_only=True).close(),
}


@pytest.mark.parametrize("look", LOOKS)
def test_looking_lets_go_of_no_lock_that_another_thread_has(look: str, tmp_path: Path) -> None:
    """Whoever closes a file, even one that he only looked into, lets go of all locks of his process on it."""
    path = tmp_path / "runs.db"
    record(path)
    taking = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=DELETE")
        writer.execute("BEGIN IMMEDIATE")
        LOOKS[look](path)
        other = subprocess.run([sys.executable, "-c", taking, str(path)], capture_output=True, text=True, check=False)
        assert "database is locked" in other.stderr
