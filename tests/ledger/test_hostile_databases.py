"""SQLite files that are damaged, or made to hold up or mislead whoever reads them: a clear error, soon."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    Backend,
    ReadError,
    RepoDependencyGraph,
    RunMetadata,
    SeqkitError,
    audit,
    build_plan,
    events_frame,
    items_frame,
    open_ledger,
    read_ledger,
    run_plan,
    runs_frame,
)
from seqkit.ledger import SqlRunLedger
from seqkit.ledger.sql import sqlite

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
EVENTS = "SELECT 'r' AS run_id, i AS seq, 'NodeEntered' AS kind, '{}' AS payload, '2026-01-01 00:00:00' AS timestamp"
RUNS = (
    "SELECT i AS number, 'r' || i AS run_id, 'x' AS spec_digest, '{}' AS metadata, 'RUNNING' AS status, "
    "NULL AS summary, '2026-01-01 00:00:00' AS created_at, NULL AS completed_at"
)
FORGED = "PRAGMA writable_schema=ON; UPDATE sqlite_master SET sql = '{}' WHERE name = 'run_events'"

# What somebody may have made of a ledger's file; and whether only who writes meets it.
SCHEMAS: dict[str, tuple[str, bool]] = {
    "events are a view": (f"DROP TABLE run_events; CREATE VIEW run_events AS {ENDLESS} {EVENTS} FROM n", False),
    "runs are a view": (
        f"PRAGMA foreign_keys=OFF; DROP TABLE runs; CREATE VIEW runs AS {ENDLESS} {RUNS} FROM n",
        False,
    ),
    "about is a view": (
        f"DROP TABLE seqkit_about; CREATE VIEW seqkit_about AS {ENDLESS} SELECT 'schema_version' AS key, i AS value "
        "FROM n WHERE i < 0",
        False,
    ),
    "a view of another case": (
        f"DROP TABLE run_events; CREATE VIEW RUN_EVENTS AS {ENDLESS} {EVENTS} FROM n",
        False,
    ),
    "a view of a view": (
        f"DROP TABLE run_events; CREATE VIEW v AS {ENDLESS} {EVENTS} FROM n; CREATE VIEW run_events AS SELECT * FROM v",
        False,
    ),
    "a cross join": (
        "DROP TABLE run_events; CREATE VIEW run_events AS SELECT a.run_id, 1 AS seq, 'k' AS kind, '{}' AS payload, "
        "'x' AS timestamp FROM runs a, runs b, runs c",
        False,
    ),
    "a virtual table": (
        "DROP TABLE run_events; CREATE VIRTUAL TABLE run_events USING fts5(run_id, seq, kind, payload, timestamp)",
        False,
    ),
    "a computed payload": (
        "DROP TABLE run_events; CREATE TABLE run_events (run_id TEXT, seq INTEGER, kind TEXT, "
        "payload TEXT AS (hex(zeroblob(100000000))), timestamp TEXT)",
        False,
    ),
    "a stored computed status": (
        "PRAGMA foreign_keys=OFF; DROP TABLE runs; CREATE TABLE runs (number INTEGER PRIMARY KEY, run_id TEXT, "
        "spec_digest TEXT, metadata TEXT, status TEXT AS (upper('completed')) STORED, summary TEXT, created_at TEXT, "
        "completed_at TEXT)",
        False,
    ),
    "a view that says it is a table": (
        FORGED.format(f"CREATE VIEW run_events AS {ENDLESS} {EVENTS} FROM n".replace("'", "''")),
        False,
    ),
    "a table that says nothing": (FORGED.format(""), False),
    "a table that is nonsense": (FORGED.format("CREATE TABLE"), False),
    "a trigger without end": (
        "CREATE TRIGGER t BEFORE INSERT ON run_events BEGIN INSERT INTO seqkit_about SELECT a.seq, b.seq "
        "FROM run_events a, run_events b, run_events c, run_events d, run_events e, run_events f; END",
        True,
    ),
    "a trigger that forges": (
        "CREATE TRIGGER t AFTER INSERT ON run_events BEGIN UPDATE run_events SET kind = 'forged'; END",
        True,
    ),
    "a trigger on ends": (
        "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN DELETE FROM run_events; END",
        True,
    ),
}


def recorded(path: Path) -> Path:
    with open_ledger(path) as ledger:
        run_plan(PLAN, 0.0, ledger)
    return path


def changed(path: Path, script: str) -> Path:
    with contextlib.closing(sqlite3.connect(recorded(path), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.executescript(script)
    return path


def own_ledger(path: Path) -> None:
    with SqlRunLedger(path, read_only=True) as ledger:
        for run in ledger.list_runs():
            ledger.get_events(run.run_id)
        ledger._repr_html_()
        list(ledger.scan())


def written_to(path: Path) -> None:
    with open_ledger(path) as ledger:
        run_plan(PLAN, 0.0, ledger)


READERS: dict[str, Callable[[Path], Any]] = {
    "read_ledger": read_ledger,
    "skipping": lambda path: read_ledger(path, on_bad_lines="skip"),
    "audit": audit,
    "runs_frame": runs_frame,
    "events_frame": events_frame,
    "items_frame": items_frame,
    "SqlRunLedger": own_ledger,
}


def seconds_of(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_no_table_of_ours_is_refused_at_once(tmp_path: Path, name: str) -> None:
    script, of_writers = SCHEMAS[name]
    path = changed(tmp_path / "runs.db", script)
    before = path.read_bytes()
    with pytest.raises(Backend, match=r"runs\.db: .*(expected a table|is computed|trigger|malformed)"):
        written_to(path)
    for read in READERS.values():
        if of_writers:
            read(path)
            continue
        with pytest.raises((ReadError, Backend), match=r"runs\.db: .*(expected a table|is computed|malformed)"):
            read(path)
    assert path.read_bytes()[100:] == before[100:]


def test_tables_of_others_do_no_harm(tmp_path: Path) -> None:
    path = changed(
        tmp_path / "runs.db",
        f"CREATE VIEW other AS {ENDLESS} SELECT i FROM n; CREATE TABLE more (a); CREATE INDEX i ON run_events (kind);"
        "CREATE TRIGGER t AFTER INSERT ON more BEGIN DELETE FROM runs; END",
    )
    for read in READERS.values():
        read(path)
    written_to(path)
    assert audit(path).ok


# ---------------------------------------------------------------------- steps and sizes are bounded


def looping(path: Path) -> Path:
    """A tree of pages that leads back into itself: each level of it multiplies what is read, and there are 20."""
    with open_ledger(path) as ledger:
        run_id = ledger.create_run("0" * 64, RunMetadata())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO run_events VALUES (?, ?, 'k', ?, '2026-01-01 00:00:00.000000')",
            [(run_id, seq, '{"a":"' + "x" * 900 + '"}') for seq in range(1, 1500)],
        )
        connection.execute("COMMIT")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'run_events'").fetchone()
    content = bytearray(path.read_bytes())

    def page(number: int) -> int:
        return (number - 1) * 4096

    assert content[page(root)] == 5, "the root has pages below it"
    cells = int.from_bytes(content[page(root) + 3 : page(root) + 5])
    leaves = [
        int.from_bytes(content[at : at + 4])
        for at in (
            page(root) + int.from_bytes(content[page(root) + 12 + 2 * cell : page(root) + 14 + 2 * cell])
            for cell in range(cells)
        )
    ]
    inner = leaves[:18]  # each becomes a copy of the root, and all its children are the next of them
    for above, below in zip([root, *inner], [*inner, leaves[18]], strict=True):
        content[page(above) : page(above) + 4096] = content[page(root) : page(root) + 4096]
        for cell in range(cells):
            at = page(above) + int.from_bytes(content[page(above) + 12 + 2 * cell : page(above) + 14 + 2 * cell])
            content[at : at + 4] = below.to_bytes(4)
        content[page(above) + 8 : page(above) + 12] = below.to_bytes(4)
    path.write_bytes(content)
    return path


def test_pages_that_lead_back_to_themselves(tmp_path: Path) -> None:
    path = looping(tmp_path / "runs.db")
    for name, read in READERS.items():
        if name == "skipping":
            assert any("malformed" in problem.message for problem in read(path).problems)
        elif name == "audit":
            assert not read(path).ok
        elif name != "runs_frame":
            with pytest.raises((ReadError, Backend), match=r"runs\.db: .*malformed"):
                read(path)


def test_a_query_without_end_ends(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db", factory=sqlite.Guarded)) as connection:
        connection.set_authorizer(None)
        with pytest.raises(sqlite3.DatabaseError, match="malformed: reading it takes more steps"):
            connection.execute(f"{ENDLESS} SELECT count(*) FROM n").fetchone()
        connection.start()
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, TimeoutError])
def test_a_signal_ends_a_query_at_once(tmp_path: Path, raised: type[BaseException]) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise raised

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with contextlib.closing(sqlite3.connect(tmp_path / "a.db", factory=sqlite.Guarded)) as connection:
            connection.set_authorizer(None)
            connection.watch.ticks = -(10**9)  # no end of its own
            threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
            with pytest.raises(raised):
                connection.execute(f"{ENDLESS} SELECT count(*) FROM n").fetchone()
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_honest_ledger_is_far_from_the_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many runs of few events take the most steps a byte, and they do with a tenth of what is allowed."""
    path = tmp_path / "runs.db"
    with open_ledger(path) as ledger:
        ledger.create_run("0" * 64, RunMetadata())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        digest, moment = "0" * 64, "2026-01-01 00:00:00.000000"
        tags = '{"git_sha":null,"agent_name":"x","tags":{},"evaluation":{"isPromotionGate":false}}'
        for number in range(2, 1_500):
            run = (number, str(number), digest, tags, "RUNNING", None, moment, None)
            connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", run)
            connection.execute("INSERT INTO run_events VALUES (?, 1, 'k', 'null', ?)", (str(number), moment))
        connection.execute("COMMIT")
    seen: list[int] = []
    real = sqlite.Guarded.start
    monkeypatch.setattr(sqlite.Guarded, "start", lambda self: (seen.append(self.watch.ticks), real(self))[1])
    with SqlRunLedger(path, read_only=True) as ledger:
        assert sum(1 for _ in ledger.scan()) == 1_499 + 1_498
        ledger.list_runs()
        ledger._repr_html_()
        ledger.get_run("2")
    assert 0 < max(seen) < path.stat().st_size // sqlite._BYTES_A_TICK / 10


# ---------------------------------------------------------------------- damage


PAGES = ("the header", "the schema", "seqkit_about", "runs", "run_events", "an index")


def places_of(content: bytes) -> dict[str, range]:
    """Where in a file each table stands."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content)
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
    pages = {name: range((root - 1) * 4096, root * 4096) for name, root in roots.items()}
    index = next(name for name in pages if name.startswith("sqlite_autoindex_run_events"))
    return {"the header": range(100), "the schema": range(100, 4096), "an index": pages.pop(index)} | pages


@pytest.mark.parametrize("times", [3, pytest.param(6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("where", PAGES)
def test_damaged_bytes_are_never_a_foreign_error(tmp_path: Path, where: str, times: int) -> None:
    path = tmp_path / "runs.db"
    recorded(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    sound = path.read_bytes()
    place = places_of(sound)[where]
    rng = random.Random(where)
    for _ in range(times):
        content = bytearray(sound)
        for _ in range(rng.choice((1, 2, 20))):
            at = rng.choice(place)
            content[at] = rng.choice((rng.randrange(256), 0xFF, 0, 0xC3, content[at] ^ (1 << rng.randrange(8))))
        for read in (*READERS.values(), written_to):
            path.write_bytes(content)
            with contextlib.suppress(SeqkitError):
                read(path)
            for left in tmp_path.glob("runs.db-*"):
                left.unlink()


def test_a_message_that_is_no_text(tmp_path: Path) -> None:
    """SQLite quotes a damaged schema in its message; what it quotes here is no UTF-8."""
    path = tmp_path / "runs.db"
    changed(path, "CREATE TABLE abcdefgh (a)")
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE abcdefgh", b"CREATE TABLE \xc3(\xff\xfe)(("))
    for name, read in {**READERS, "open_ledger": written_to}.items():
        expected = Backend if name in ("SqlRunLedger", "open_ledger") else (ReadError, Backend)
        with pytest.raises(expected, match="malformed"):
            read(path)


@pytest.mark.parametrize(
    "error", [UnicodeDecodeError("utf-8", b"\xc3", 0, 1, "x"), OverflowError("x"), MemoryError(), ValueError("x")]
)
def test_whatever_sqlite_raises_is_an_error_of_its_own(error: Exception) -> None:
    class Failing(sqlite.Guarded):
        pass

    connection = sqlite3.connect(":memory:", factory=Failing)
    with pytest.raises(sqlite3.DatabaseError) as raised:
        connection.watch.reraise(error)
    assert raised.value.__cause__ is error
    connection.close()
