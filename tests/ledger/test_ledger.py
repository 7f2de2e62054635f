"""What is particular to a database, to a ledger of somebody's own, and to many processes at once."""

import asyncio
import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from seqkit import (
    Backend,
    GraphRunRecorder,
    IntegrityError,
    InvalidRunState,
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunStatus,
    RunSummary,
    SqlRunLedger,
    StorageError,
    build_plan,
    execute_plan,
    open_ledger,
    read_ledger,
    run_plan,
    runs_frame,
)
from seqkit.ledger.found import FoundEvent, FoundRun, Problem
from seqkit.ledger.sql import store

DIGEST = "0" * 64
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PATHS = os.pathsep.join(str(place) for place in (Path(__file__).parents[1], Path(__file__).parents[2]))
SUMMARY = RunSummary(total_events=1, duration_ms=5, success=True)


def event(seq, kind="NodeEntered", **payload):
    return RunEvent(seq=seq, kind=kind, payload=payload or {"node_id": "a", "version": "1"}, timestamp=NOON)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """A new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs.db'}"
    return request.getfixturevalue("postgres").fresh()


@pytest.fixture
def server(request):
    """The PostgreSQL server, and a new, empty database of it."""
    made = request.getfixturevalue("postgres")
    return made, made.fresh()


def test_a_foreign_ledger_that_fails_is_a_backend_error_with_the_event():
    class Broken(MemoryRunLedger):
        def append_event(self, run_id, event):
            raise OSError("the cable is out")

    recorder = GraphRunRecorder.start(Broken(), DIGEST, RunMetadata())
    with pytest.raises(Backend, match="OSError: the cable is out") as caught:
        recorder.record("NodeEntered", {"node_id": "a"})
    assert [event.kind for event in caught.value.events] == ["NodeEntered"]


# ---------------------------------------------------------------------- a slow ledger


class Slow(MemoryRunLedger):
    """A ledger whose writes wait until somebody else lets them go on."""

    blocking = True

    def __init__(self):
        super().__init__()
        self.waits, self.gate = threading.Event(), threading.Event()

    def append_event(self, run_id, event):
        self.waits.set()
        assert self.gate.wait(60), "the event loop was held up: nobody could open the gate"
        super().append_event(run_id, event)


def test_a_slow_ledger_does_not_hold_up_the_event_loop():
    ledger = Slow()
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")

    async def main():
        run = asyncio.create_task(execute_plan(plan, 0.0, ledger))
        ticks = 0
        while not run.done():
            await asyncio.sleep(0.001)
            if ledger.waits.is_set():  # a write hangs in the database, and this still ticks
                ticks += 1
                if ticks == 20:
                    ledger.gate.set()
        return await run, ticks

    outcome, ticks = asyncio.run(main())
    assert outcome.succeeded == ["core", "api"]
    assert ticks >= 20


def test_a_locked_postgres_does_not_hold_up_the_event_loop(server):
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    with SqlRunLedger(server[1] + LOCK_TIMEOUT.format("30s")) as ledger:

        async def main():
            with ledger.engine.connect() as other:
                other.exec_driver_sql("BEGIN")
                other.exec_driver_sql("LOCK TABLE run_events IN EXCLUSIVE MODE")
                run = asyncio.create_task(execute_plan(plan, 0.0, ledger))
                for _ in range(50):
                    await asyncio.sleep(0.001)
                assert not run.done()
                other.exec_driver_sql("COMMIT")
            return await run

        outcome = asyncio.run(main())
        assert [stored.kind for stored in ledger.get_events(outcome.run_id)] == ["NodeEntered", "NodeExited"] * 2


# ---------------------------------------------------------------------- rows that anybody may have written


def test_rows_that_cannot_be_read_are_named(url):
    with SqlRunLedger(url, ids=["good", "bad", "worse"]) as ledger:
        for _ in range(3):
            run_id = ledger.create_run(DIGEST, RunMetadata())
            for seq in (1, 2, 3):
                ledger.append_event(run_id, event(seq))
        with ledger.engine.connect() as connection:
            for change in (
                "UPDATE run_events SET payload = '{\"node_id\"' WHERE run_id = 'bad' AND seq = 2",
                "UPDATE runs SET metadata = '[]', status = 'LOST' WHERE run_id = 'worse'",
            ):
                connection.exec_driver_sql(change)
        assert ledger.get_run("bad").status is RunStatus.RUNNING
        with pytest.raises(Backend, match=r"not readable: run 'bad': event 2: its JSON cannot be read"):
            ledger.get_events("bad")
        with pytest.raises(Backend, match=r"not readable: run 'worse': "):
            ledger.get_run("worse")
        with pytest.raises(Backend, match=r"not readable: run 'worse': "):
            ledger.list_runs()
        found = list(ledger.scan())
        assert [one.record.run_id for one in found if isinstance(one, FoundRun)] == ["good", "bad"]
        events = [(one.run_id, one.event.seq) for one in found if isinstance(one, FoundEvent)]
        assert events == [
            (run, seq) for run in ("good", "bad", "worse") for seq in (1, 2, 3) if (run, seq) != ("bad", 2)
        ]
        problems = [one.message for one in found if isinstance(one, Problem)]
        assert len(problems) == 2
        assert problems[0].startswith("run 'worse': ")
        assert problems[1].startswith("run 'bad': event 2: its JSON cannot be read")
        assert {one.source for one in found} == {ledger.source}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("payload = NULL", "its JSON is missing"),
        ("payload = x'00'", "its JSON is of type bytes"),
        ("payload = '1,2'", "its JSON cannot be read: is not JSON: Extra data"),
        ("payload = ''", "its JSON cannot be read"),
        ("payload = CAST(x'2280ff22' AS TEXT)", "its JSON is not UTF-8"),
        (f"payload = '{'[' * 100_000}'", "its JSON cannot be read: is nested too deeply"),
        ("kind = x'00'", "kind is of type bytes"),
        ("kind = CAST(x'80' AS TEXT)", "kind is not UTF-8"),
        ("timestamp = 'yesterday'", "timestamp is 'yesterday', expected as in"),
        ("timestamp = 7", "timestamp is 7, expected as in"),
        ("timestamp = '0001-01-01 00:00:00+23:00'", "out of range in UTC"),
        ("seq = 'x'", "event seq 'x' is not"),
        ("seq = 1.5", "event seq 1.5 is of type float"),
    ],
)
def test_sqlite_holds_anything_and_says_where_it_is_no_event(tmp_path, change, message):
    with SqlRunLedger(tmp_path / "runs.db", ids=["r"]) as ledger:
        ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event("r", event(1))
        ledger.append_event("r", event(2))
        with ledger.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA writable_schema=ON")
            connection.exec_driver_sql("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '')")
        ledger.engine.dispose()
        with ledger.engine.connect() as connection:
            connection.exec_driver_sql(f"UPDATE run_events SET {change} WHERE seq = 2")
        with pytest.raises(Backend, match=r"run 'r'|UTF-8"):
            ledger.get_events("r")
        found = list(ledger.scan())
        assert [one.event.seq for one in found if isinstance(one, FoundEvent)] == [1]
        (problem,) = [one.message for one in found if isinstance(one, Problem)]
        assert problem.startswith("run 'r': event ")
        assert message in problem
        with ledger.engine.connect() as connection:  # an event of a run that the ledger does not have
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("UPDATE run_events SET run_id = 'nobody' WHERE seq = 1")
        assert [one.run_id for one in ledger.scan() if isinstance(one, FoundEvent)] == ["nobody"]


@pytest.mark.parametrize(
    "text",
    [
        *("-0", "-0.0", "1E300", "9" * 400, "123456789012345678.123", "2.2250738585072011e-308", "null"),
        *('"\\ud800"', '"\\u0000"', '"é"', '{"a": 1, "b": 2, "c": 3}', "\t[ 1 ,\n2 ] ", "[" * 200 + "]" * 200),
    ],
)
def test_json_is_read_as_the_standard_library_reads_it(tmp_path, text):
    with SqlRunLedger(tmp_path / "runs.db", ids=["r"]) as ledger:
        ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event("r", event(1))
        with ledger.engine.connect() as connection:
            connection.exec_driver_sql("UPDATE run_events SET payload = ?", (text,))
        (stored,) = ledger.get_events("r")
        assert repr(stored.payload) == repr(json.loads(text))


def test_other_forms_of_a_timestamp_are_read(tmp_path):
    with SqlRunLedger(tmp_path / "runs.db", ids=["r"]) as ledger:
        ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event("r", event(1))
        for form in ("2026-01-02T12:00:00Z", "2026-01-02 14:00:00+02:00", "2026-01-02 12:00"):
            with ledger.engine.connect() as connection:
                connection.exec_driver_sql("UPDATE run_events SET timestamp = ?, payload = ' 7 '", (form,))
            (stored,) = ledger.get_events("r")
            assert (stored.timestamp, stored.payload) == (NOON, 7)


def test_events_as_columns_are_the_events(url):
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        for seq in (3, 1, 2):
            ledger.append_event(run_id, event(seq, kind=f"k{seq}", n=seq))
        columns = ledger.event_columns(run_id)
        assert columns.seq == [1, 2, 3]
        assert [RunEvent(seq=s, kind=k, payload=p, timestamp=t) for s, k, p, t in zip(*columns, strict=True)] == (
            ledger.get_events(run_id)
        )


def test_a_seq_beyond_what_databases_hold(url):
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(2**63 - 1))
        with pytest.raises(IntegrityError, match=r"seq is 9223372036854775808, expected a whole number below 2\*\*63"):
            ledger.append_event(run_id, event(2**63))
        assert [stored.seq for stored in ledger.get_events(run_id)] == [2**63 - 1]


def test_opened_for_reading_only(url):
    with pytest.raises(Backend, match=r"unable to open|holds no seqkit ledger: name another database"):
        SqlRunLedger(url, read_only=True)
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(1))
    with SqlRunLedger(url, read_only=True) as ledger:
        assert ledger.get_events(run_id) == [event(1)]
        for write in (
            lambda: ledger.append_event(run_id, event(2)),
            lambda: ledger.create_run(DIGEST, RunMetadata()),
            lambda: ledger.complete_run(run_id, SUMMARY),
        ):
            with pytest.raises(Backend, match=r"read-?only .*; open the ledger where you may write"):
                write()


def test_a_newer_schema_is_refused(url):
    SqlRunLedger(url).close()
    with SqlRunLedger(url) as ledger, ledger.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE seqkit_about SET value = '99'")
    with pytest.raises(Backend, match=r"made by a newer seqkit \(schema 99, this one knows 1\); upgrade seqkit-py"):
        SqlRunLedger(url)


def test_tables_that_were_made_in_part_are_completed(url):
    with SqlRunLedger(url) as ledger, ledger.engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM seqkit_about")
        connection.exec_driver_sql("DROP TABLE run_events")
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(1))
        assert ledger.get_events(run_id) == [event(1)]


# ---------------------------------------------------------------------- SQLite


def test_sqlite_is_durable_and_survives_reopening(tmp_path):
    path = tmp_path / "runs.db"
    with SqlRunLedger(path) as first:
        run_id = first.create_run(DIGEST, RunMetadata())
        first.append_event(run_id, event(1))
        with first.engine.connect() as connection:
            assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(sa.text("PRAGMA synchronous")) == 2  # FULL
        # Committed when the call returned: another connection sees it while this one is open.
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT count(*) FROM run_events").fetchone() == (1,)
        other.close()
    with open_ledger(path) as second:
        assert second.get_events(run_id) == [event(1)]


def test_sqlite_without_wal_falls_back_to_the_rollback_journal(tmp_path):
    # This virtual file system of SQLite has no shared memory, which WAL needs.
    url = f"sqlite:///file:{tmp_path / 'runs.db'}?vfs=unix-dotfile&uri=true"
    with SqlRunLedger(url) as ledger:
        assert ledger.journal_mode == "delete"
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(1))
        with ledger.engine.connect() as connection:
            assert connection.scalar(sa.text("PRAGMA synchronous")) == 3  # EXTRA
        ledger.complete_run(run_id, SUMMARY)
        assert ledger.get_events(run_id) == [event(1)]


def test_a_full_disk_is_told_and_loses_nothing(tmp_path):
    with SqlRunLedger(tmp_path / "runs.db") as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(1))

        @sa.event.listens_for(ledger.engine, "connect")
        def small(connection, record):
            connection.execute("PRAGMA max_page_count=1")  # SQLite raises it to the pages in use

        ledger.engine.dispose()
        written = [1]

        def fill():
            for seq in range(2, 1000):
                ledger.append_event(run_id, event(seq, text="x" * 1000))
                written.append(seq)

        with pytest.raises(Backend, match=r"runs\.db: database or disk is full; free some space"):
            fill()
        assert [stored.seq for stored in ledger.get_events(run_id)] == written


def test_a_read_only_file_is_read_and_refuses_writes(tmp_path):
    path = tmp_path / "runs.db"
    with SqlRunLedger(path) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
    with SqlRunLedger(f"sqlite:///file:{path}?mode=ro&uri=true") as ledger:
        assert ledger.get_run(run_id).status is RunStatus.RUNNING
        with pytest.raises(Backend, match="readonly database; open the ledger where you may write"):
            ledger.append_event(run_id, event(1))


def test_files_that_are_no_ledger(tmp_path):
    text = tmp_path / "notes.db"
    text.write_text("not a database at all, but long enough to look at " * 30)
    with pytest.raises(Backend, match=r"notes\.db.*not a database"):
        open_ledger(text)
    assert text.read_text().startswith("not a database")
    with pytest.raises(Backend, match="unable to open"):
        open_ledger(tmp_path / "no such folder" / "runs.db")
    with pytest.raises(ValueError, match=r"path_or_url is '.*runs\.jsonl', expected a SQLite file"):
        open_ledger(tmp_path / "runs.jsonl")
    with pytest.raises(TypeError, match="path_or_url is 7"):
        open_ledger(7)
    with pytest.raises(ReadError, match="no such ledger file"):
        runs_frame(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()


# ---------------------------------------------------------------------- many processes

PROCESSES = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
if hasattr(PROCESSES, "set_forkserver_preload"):
    PROCESSES.set_forkserver_preload(["seqkit.ledger.sql", "seqkit.running.executor"])  # imported once, not by each


def _race(url, run_id, barrier, results):
    with SqlRunLedger(url) as ledger:
        barrier.wait()
        written = []
        try:
            for seq in range(1, 200):
                try:
                    ledger.append_event(run_id, event(seq))
                    written.append(seq)
                except IntegrityError:
                    pass
                if seq == 100:
                    ledger.complete_run(run_id, SUMMARY)
        except InvalidRunState:
            results.put(written)
            return
        results.put("somebody wrote to a finished run")


def _open_and_write(url, barrier, results):
    barrier.wait()  # all of them find an empty database
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        for seq in range(1, 11):
            ledger.append_event(run_id, event(seq))
        ledger.complete_run(run_id, SUMMARY)
    results.put(run_id)


def in_processes(target, many, *arguments):
    barrier, results = PROCESSES.Barrier(many), PROCESSES.Queue()
    started = [PROCESSES.Process(target=target, args=(*arguments, barrier, results)) for _ in range(many)]
    for process in started:
        process.start()
    given = [results.get(timeout=120) for _ in started]
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0] * many
    return given


def test_two_processes_race_for_one_run(url):
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        mine, theirs = in_processes(_race, 2, url, run_id)
        assert sorted(mine + theirs) == [stored.seq for stored in ledger.get_events(run_id)]
        assert ledger.get_run(run_id).status is RunStatus.COMPLETED


def test_eight_processes_make_the_tables_together_and_write(url):
    runs = in_processes(_open_and_write, 8, url)
    with SqlRunLedger(url) as ledger:
        assert sorted(run.run_id for run in ledger.list_runs()) == sorted(runs)
        assert [len(ledger.get_events(run)) for run in runs] == [10] * 8
        with ledger.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT key, value FROM seqkit_about").all() == [("schema_version", "1")]


# ---------------------------------------------------------------------- PostgreSQL

LOCK_TIMEOUT = "%20-clock_timeout%3D{}"  # goes on where the URL's options end


def begun(ledger, statement, **values):
    """Execute a statement in a transaction that stays open, as another session's that is not done yet."""
    connection = ledger.engine.connect()
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql(statement, values)
    return connection


def test_postgres_writers_of_different_runs_do_not_wait_for_each_other(server):
    with SqlRunLedger(server[1] + LOCK_TIMEOUT.format("5s"), ids=["a", "b", "c"]) as ledger:
        ledger.create_run(DIGEST, RunMetadata())
        ledger.create_run(DIGEST, RunMetadata())
        insert = "INSERT INTO run_events SELECT run_id, 1, 'k', '{}', now() FROM runs WHERE run_id = %(run)s FOR SHARE"
        with begun(ledger, insert, run="a") as other:
            ledger.append_event("b", event(1))
            ledger.append_event("a", event(2))  # nor do two of one run, as long as the seq is another
            ledger.complete_run("b", SUMMARY)
            ledger.create_run(DIGEST, RunMetadata())
            other.exec_driver_sql("COMMIT")
        assert [stored.seq for stored in ledger.get_events("a")] == [1, 2]


def test_postgres_ends_a_run_only_after_a_write_that_is_under_way(server):
    with SqlRunLedger(server[1] + LOCK_TIMEOUT.format("200ms"), ids=["a"]) as ledger:
        ledger.create_run(DIGEST, RunMetadata())
        insert = "INSERT INTO run_events SELECT run_id, 1, 'k', '{}', now() FROM runs WHERE run_id = %(run)s FOR SHARE"
        with begun(ledger, insert, run="a") as other:
            with pytest.raises(Backend, match=r"lock timeout .*; another session is writing to the same run: wait"):
                ledger.complete_run("a", SUMMARY)
            other.exec_driver_sql("COMMIT")
        update = "UPDATE runs SET status = 'CANCELLED' WHERE run_id = %(run)s"
        with begun(ledger, update, run="a") as other:
            with pytest.raises(Backend, match="lock timeout"):
                ledger.append_event("a", event(2))  # it waits to hear whether the run ends
            other.exec_driver_sql("COMMIT")
        with pytest.raises(InvalidRunState, match="run a is Cancelled"):
            ledger.append_event("a", event(2))
        assert [stored.seq for stored in ledger.get_events("a")] == [1]


def test_postgres_urls_and_their_passwords(server):
    plain = server[1]
    for scheme in ("postgres://", "postgresql://", "postgresql+psycopg://"):
        secret = plain.replace("postgresql://seqkit@", f"{scheme}seqkit:geheim@") + "&sslpassword=geheim"
        with SqlRunLedger(secret) as ledger:
            assert ledger.list_runs() == []
            assert "geheim" not in repr(ledger) + ledger.source
            assert ledger.source.startswith("postgresql://seqkit:***@/seqkit?host=")
    nowhere = "postgresql://kim:geheim@127.0.0.1:1/runs?password=geheim"
    with pytest.raises(Backend, match=r"kim:\*\*\*@127.*; check that the server runs and that host") as refused:
        SqlRunLedger(nowhere)
    assert "geheim" not in str(refused.value)
    for wrong in (
        "postgresql://kim:geheim@host:port/x",
        "postgresql+psycopg2://kim:geheim@h/x",
        "mysql://kim:geheim@h",
    ):
        with pytest.raises(
            ValueError, match=r"expected a path, or a URL such as sqlite:///runs\.db or postgresql:"
        ) as bad:
            SqlRunLedger(wrong)
        assert "geheim" not in str(bad.value)


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ImportError, match=r'pip install "seqkit-py\[postgres\]"'):
        SqlRunLedger("postgresql://kim@host/runs")


def test_postgres_waits_for_the_disk_and_speaks_utc_whatever_its_defaults(server):
    server[0].execute(
        "CREATE ROLE lax LOGIN SUPERUSER",
        "ALTER ROLE lax SET synchronous_commit = off",
        "ALTER ROLE lax SET timezone = 'Asia/Kathmandu'",
        "ALTER ROLE lax SET datestyle = 'German'",
    )
    with SqlRunLedger(server[1].replace("seqkit@", "lax@")) as ledger:
        with ledger.engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(1))
        assert ledger.get_events(run_id) == [event(1)]


def test_postgres_that_was_restarted(server):
    with SqlRunLedger(server[1]) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        server[0].execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        with pytest.raises(Backend, match="the connection was lost; check the server and the network"):
            ledger.append_event(run_id, event(1))
        ledger.append_event(run_id, event(1))  # by a new connection
        assert ledger.get_events(run_id) == [event(1)]


def test_postgres_connections_that_were_forgotten_while_idle(server, monkeypatch):
    monkeypatch.setattr(store, "_IDLE_SECONDS", -1.0)
    with SqlRunLedger(server[1]) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        server[0].execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        ledger.append_event(run_id, event(1))
        assert ledger.get_events(run_id) == [event(1)]


def test_postgres_as_a_user_who_may_only_read(server):
    made, url = server
    name = url.rsplit("%3D", 1)[1]
    made.execute("CREATE ROLE auditor LOGIN", f"GRANT USAGE ON SCHEMA {name} TO auditor")
    theirs = url.replace("seqkit@", "auditor@")
    with pytest.raises(Backend, match=r"permission denied for schema .*; ask the database's owner to grant it"):
        SqlRunLedger(theirs)
    with SqlRunLedger(url) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event(run_id, event(1))
    made.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO auditor")
    with SqlRunLedger(theirs) as ledger:
        assert ledger.get_events(run_id) == [event(1)]
        with pytest.raises(Backend, match="permission denied for table"):
            ledger.append_event(run_id, event(2))


def test_postgres_in_another_encoding(server):
    server[0].execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with SqlRunLedger(server[0].url.replace("@/seqkit?", "@/latin?")) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata(git_sha="é"))
        ledger.append_event(run_id, event(1, node_id="été"))
        with pytest.raises(StorageError, match="make the database with ENCODING 'UTF8'"):
            ledger.append_event(run_id, event(2, node_id="日本"))
        assert ledger.get_events(run_id) == [event(1, node_id="été")]


def test_the_postgres_fixture_fails_where_services_are_required(tmp_path):
    (tmp_path / "conftest.py").write_text("from tests.conftest import postgres\n")
    (tmp_path / "test_it.py").write_text("def test_it(postgres): pass\n")
    # One process for both, as most of its time goes into what it imports; for the same reason without plugins.
    code = (
        "import os, sys, pytest; from tests.tools import temp_postgres; temp_postgres.find_binaries = lambda: None\n"
        "for required in '10':\n"
        "    os.environ['SEQKIT_REQUIRE_SERVICES'] = required; pytest.main(sys.argv[1:]); print('and then')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "-q", "-p", "no:cacheprovider", str(tmp_path / "test_it.py")],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": PATHS, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout.split("and then\n")
    assert len(told) == 3, done.stdout + done.stderr
    for said, ends in zip(told[:2], ("1 error", "1 skipped"), strict=True):
        assert ends in said, done.stdout + done.stderr


def test_a_scan_is_of_one_moment_whoever_writes_meanwhile(url):
    with SqlRunLedger(url) as writer, SqlRunLedger(url, read_only=True) as reader:
        event = RunEvent(
            seq=1, kind="NodeEntered", payload={"node_id": "a"}, timestamp=datetime(2026, 1, 2, tzinfo=UTC)
        )
        first = writer.create_run("0" * 64, RunMetadata())
        writer.append_event(first, event)
        scan = reader.scan()
        found = [next(scan)]
        later = writer.create_run("0" * 64, RunMetadata())
        writer.append_event(later, event)
        found += scan
        assert {one.run_id if isinstance(one, FoundEvent) else one.record.run_id for one in found} == {first}
        assert len(list(reader.scan())) == 4  # and the connection is as before


def test_the_file_alone_holds_every_finished_run(tmp_path):
    """A copy of the database, made while its writer is still at work and without the files beside it, can be read."""
    path, copied = tmp_path / "runs.db", tmp_path / "copied.db"
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    with SqlRunLedger(path) as ledger:
        run_plan(plan, 0.0, ledger=ledger, rng=7)
        shutil.copy(path, copied)
        assert [run.status.value for run in read_ledger(copied).list_runs()] == ["COMPLETED"]
