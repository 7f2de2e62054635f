"""One contract, every ledger."""

import multiprocessing
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from seqkit import (
    Backend,
    GraphRunRecorder,
    IntegrityError,
    InvalidDigest,
    InvalidRunState,
    MemoryRunLedger,
    ReadError,
    RunEvent,
    RunLedger,
    RunMetadata,
    RunNotFound,
    RunStatus,
    RunSummary,
    SqlRunLedger,
    open_ledger,
    runs_frame,
)

DIGEST = "0" * 64
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SUMMARY = RunSummary(total_events=1, duration_ms=5, success=True)


class Clock:
    """A clock that goes one second further each time it is read."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


def event(seq, kind="NodeEntered", **payload):
    return RunEvent(seq=seq, kind=kind, payload=payload or {"node_id": "a", "version": "1"}, timestamp=NOON)


@pytest.fixture(params=["memory", "sqlite file", "sqlite in memory"])
def ledger(request, tmp_path):
    ids = (f"run-{number}" for number in range(1, 100))
    if request.param == "memory":
        made = MemoryRunLedger(ids=ids, clock=Clock())
    else:
        made = SqlRunLedger(tmp_path / "runs.db" if "file" in request.param else "sqlite://", ids=ids, clock=Clock())
    yield made
    made.close()


def test_a_ledger_fits_the_protocol(ledger):
    assert isinstance(ledger, RunLedger)
    assert ledger.blocking is isinstance(ledger, SqlRunLedger)


def test_a_run_starts_running(ledger):
    metadata = RunMetadata(git_sha="abc", tags={"plan_id": "seq-1", "train": "été"})
    run = ledger.get_run(ledger.create_run(DIGEST, metadata))
    assert (run.run_id, run.spec_digest, run.status) == ("run-1", DIGEST, RunStatus.RUNNING)
    assert run.metadata == metadata
    assert (run.created_at, run.completed_at, run.summary) == (NOON + timedelta(seconds=1), None, None)


@pytest.mark.parametrize(
    ("finish", "status"),
    [
        ("complete_run", RunStatus.COMPLETED),
        ("fail_run", RunStatus.FAILED),
        ("cancel_run", RunStatus.CANCELLED),
    ],
)
def test_a_run_ends_once_and_then_never_changes(ledger, finish, status):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    ledger.append_event(run_id, event(1))
    getattr(ledger, finish)(run_id, SUMMARY)
    run = ledger.get_run(run_id)
    assert (run.status, run.summary) == (status, SUMMARY)
    assert run.completed_at > run.created_at
    message = f"run run-1 is {status.value.capitalize()}, expected Running"
    for again in ("complete_run", "fail_run", "cancel_run"):
        with pytest.raises(InvalidRunState, match=message):
            getattr(ledger, again)(run_id, SUMMARY)
    with pytest.raises(InvalidRunState, match=message):
        ledger.append_event(run_id, event(2))
    assert ledger.get_run(run_id) == run
    assert ledger.get_events(run_id) == [event(1)]


def test_events_come_back_whole_and_ordered_by_seq(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    odd = event(2, kind="Сustom", nested={"list": [1, None, "\n\x00", {"é": 1.5}]}, emoji="😀")
    ledger.append_event(run_id, odd)
    ledger.append_event(run_id, event(1))
    assert ledger.get_events(run_id) == [event(1), odd]


def test_a_seq_is_used_once(ledger):
    run_id = ledger.create_run(DIGEST, RunMetadata())
    ledger.append_event(run_id, event(1))
    with pytest.raises(IntegrityError, match="run run-1 has an event with seq 1 already"):
        ledger.append_event(run_id, event(1, kind="NodeExited"))
    with pytest.raises(IntegrityError, match="seq is 0, expected a whole number from 1"):
        ledger.append_event(run_id, event(0))
    other = ledger.create_run(DIGEST, RunMetadata())
    ledger.append_event(other, event(1))
    assert ledger.get_events(run_id) == [event(1)]


def test_a_run_id_is_used_once(tmp_path):
    for made in (MemoryRunLedger(ids=["x", "x"]), SqlRunLedger(tmp_path / "runs.db", ids=["x", "x"])):
        made.create_run(DIGEST, RunMetadata())
        with pytest.raises(IntegrityError):
            made.create_run(DIGEST, RunMetadata())
        assert len(made.list_runs()) == 1
        made.close()


def test_unknown_runs_are_named(ledger):
    for call in (
        lambda: ledger.get_run("nobody"),
        lambda: ledger.get_events("nobody"),
        lambda: ledger.append_event("nobody", event(1)),
        lambda: ledger.complete_run("nobody", SUMMARY),
    ):
        with pytest.raises(RunNotFound, match=r"^run not found: nobody$"):
            call()


def test_digests_are_checked(ledger):
    for bad in ("", "0" * 63, "A" * 64, "0" * 64 + "\n"):
        with pytest.raises(InvalidDigest, match="expected 64 lowercase hexadecimal"):
            ledger.create_run(bad, RunMetadata())
    assert ledger.list_runs() == []


def test_runs_are_listed_oldest_first(ledger):
    ids = [ledger.create_run(digest * 64, RunMetadata()) for digest in "aba"]
    assert [run.run_id for run in ledger.list_runs()] == ids
    assert [run.run_id for run in ledger.list_runs("a" * 64)] == [ids[0], ids[2]]
    assert ledger.list_runs("c" * 64) == []


def test_the_recorder_numbers_events_and_time_never_runs_backwards(ledger):
    times = iter([NOON, NOON + timedelta(seconds=5), NOON, NOON + timedelta(seconds=2)])
    recorder = GraphRunRecorder.start(ledger, DIGEST, RunMetadata(), clock=lambda: next(times))
    first = recorder.record("NodeEntered", {"node_id": "a", "version": "1"})
    second = recorder.record("NodeExited", {"node_id": "a", "run_id": "r"})
    recorder.finish_ok()
    assert [first.seq, second.seq] == [1, 2]
    assert first.timestamp == second.timestamp == NOON + timedelta(seconds=5)
    assert ledger.get_events(recorder.run_id) == [first, second]
    assert ledger.get_run(recorder.run_id).summary == RunSummary(total_events=2, duration_ms=5000, success=True)
    with pytest.raises(InvalidRunState):
        recorder.finish_err(SUMMARY)


def test_a_foreign_ledger_that_fails_is_a_backend_error_with_the_event():
    class Broken(MemoryRunLedger):
        def append_event(self, run_id, event):
            raise OSError("the cable is out")

    recorder = GraphRunRecorder.start(Broken(), DIGEST, RunMetadata())
    with pytest.raises(Backend, match="OSError: the cable is out") as caught:
        recorder.record("NodeEntered", {"node_id": "a"})
    assert [event.kind for event in caught.value.events] == ["NodeEntered"]


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


def test_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "runs.db"
    SqlRunLedger(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE seqkit_about SET value = '99'")
    connection.commit()
    connection.close()
    with pytest.raises(Backend, match="made by a newer seqkit"):
        SqlRunLedger(path)


def _race(path, run_id, barrier, results):
    with SqlRunLedger(path) as ledger:
        barrier.wait()
        written = 0
        try:
            for seq in range(1, 200):
                try:
                    ledger.append_event(run_id, event(seq))
                    written += 1
                except IntegrityError:
                    pass
                if seq == 100:
                    ledger.complete_run(run_id, SUMMARY)
        except InvalidRunState:
            results.put(written)
            return
        results.put(-1)


def test_two_processes_race_for_one_run(tmp_path):
    path = tmp_path / "runs.db"
    with SqlRunLedger(path) as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata())
        context = multiprocessing.get_context("spawn")
        barrier, results = context.Barrier(2), context.Queue()
        racers = [context.Process(target=_race, args=(path, run_id, barrier, results)) for _ in range(2)]
        for racer in racers:
            racer.start()
        written = [results.get(timeout=60) for _ in racers]
        for racer in racers:
            racer.join(60)
        assert -1 not in written, "somebody wrote to a finished run"
        assert sum(written) == len(ledger.get_events(run_id))
        assert ledger.get_run(run_id).status is RunStatus.COMPLETED


def test_two_processes_may_create_the_file_together(tmp_path):
    code = "import sys; from seqkit import open_ledger; open_ledger(sys.argv[1]).close()"
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "runs.db")]) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
