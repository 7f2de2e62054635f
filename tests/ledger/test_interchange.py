"""Ledgers written to files and read back: nothing is lost, nothing put right."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    Backend,
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunNotFound,
    RunRecord,
    RunSummary,
    ScriptedReleaser,
    SqlRunLedger,
    StorageError,
    build_plan,
    events_frame,
    items_frame,
    run_plan,
    runs_frame,
)
from seqkit._util.strict_json import DEEPEST
from seqkit.ledger import as_ledger, databases, jsonl, read_ledger, read_ledgers, write_ledger
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from tests.tools.strategies import HOSTILE_NAMES, Train, trains

KF5 = Path(__file__).parents[2] / "data" / "kf5" / "ledger.jsonl"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def record(run_id: str = "r", **changes: Any) -> RunRecord:
    content = {
        "run_id": run_id,
        "spec_digest": "0" * 64,
        "metadata": RunMetadata(),
        "status": "RUNNING",
        "created_at": NOON,
    }
    return RunRecord.model_validate(content | changes)


def event(seq: int = 1, payload: Any = None, kind: str = "NodeEntered", timestamp: datetime = NOON) -> RunEvent:
    return RunEvent(seq=seq, kind=kind, payload=payload, timestamp=timestamp)


def ledger_of(*payloads: Any) -> MemoryRunLedger:
    return MemoryRunLedger.from_records([record()], [("r", event(i, load)) for i, load in enumerate(payloads, 1)])


def records(ledger: FoundLedger) -> list[RunRecord]:
    return [run.record for run in ledger.runs]


def pairs(ledger: FoundLedger) -> list[tuple[str, RunEvent]]:
    return [(found.run_id, found.event) for found in ledger.events]


def same_json(one: object, other: object) -> bool:
    """Equal, and of the same types: 1, 1.0 and True are told apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.fixture(params=["ledger.jsonl", "ledger.jsonl.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


# ---------------------------------------------------------------------- round trips


@settings(max_examples=60)
@given(train=trains(), zipped=st.booleans())
def test_executed_runs_come_back(tmp_path_factory: pytest.TempPathFactory, train: Train, zipped: bool) -> None:
    ledger = MemoryRunLedger()
    for _ in range(2):
        run_plan(train.plan, ScriptedReleaser(train.failing), ledger, policy=train.policy, failure_budget=train.budget)
    path = tmp_path_factory.mktemp("round") / ("l.jsonl.gz" if zipped else "l.jsonl")
    write_ledger(ledger, path)
    found = read_ledger(path)
    assert found.list_runs() == records(found) == ledger.list_runs()
    for run in ledger.list_runs():
        assert found.get_events(run.run_id) == ledger.get_events(run.run_id)
    for make in (runs_frame, events_frame, items_frame):
        frame = make(found)
        assert frame.pop("source").tolist() == [str(path)] * len(frame)
        pd.testing.assert_frame_equal(frame, make(ledger))


half_characters = st.text(st.characters(categories=["L", "N", "P", "Cc", "So"]) | st.just("\ud800"), max_size=5)
free_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | half_characters,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(half_characters, inner, max_size=3),
    max_leaves=8,
)
moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)).flatmap(
    lambda naive: st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    )
)
names = st.sampled_from(HOSTILE_NAMES) | half_characters
summaries = st.builds(
    RunSummary,
    total_events=st.integers(),
    final_state_digest=st.none() | st.just("ab" * 32),
    duration_ms=st.integers(),
    success=st.booleans(),
)
found_runs = st.builds(
    FoundRun,
    st.builds(
        record,
        names,
        metadata=st.builds(RunMetadata, git_sha=st.none() | names, agent_name=names, tags=free_json),
        status=st.sampled_from(["RUNNING", "COMPLETED", "FAILED", "CANCELLED"]),
        summary=st.none() | summaries,
        created_at=moments,
        completed_at=st.none() | moments,
    ),
    st.sampled_from(["a", "b"]),
    st.none() | st.integers(1, 9),
)
found_events = st.builds(
    FoundEvent,
    names,
    st.builds(RunEvent, seq=st.integers(), kind=names, payload=free_json, timestamp=moments),
    st.sampled_from(["a", "b"]),
    st.none() | st.integers(1, 9),
)


@settings(max_examples=150)
@given(runs=st.lists(found_runs, max_size=4), events=st.lists(found_events, max_size=6))
def test_whatever_was_found_comes_back_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, runs: list[FoundRun], events: list[FoundEvent]
) -> None:
    ledger = FoundLedger(runs, events, [Problem("a", 1, "is not JSON")])
    path = tmp_path_factory.mktemp("found") / "l.jsonl"
    write_ledger(ledger, path)
    back = read_ledger(path)
    assert records(back) == records(ledger)
    assert pairs(back) == pairs(ledger)
    for old, new in zip(pairs(ledger), pairs(back), strict=True):
        assert same_json(old[1].payload, new[1].payload)
    for was, now in zip(records(ledger), records(back), strict=True):
        assert same_json(was.metadata.tags, now.metadata.tags)
    bytes_of_it = path.read_bytes()
    write_ledger(back, path)
    assert path.read_bytes() == bytes_of_it


def test_kf5() -> None:
    found = read_ledger(KF5)
    assert repr(found) == "FoundLedger(3 runs, 450 events)"
    assert [run.line for run in found.runs] == [1, 152, 303]
    assert [event.line for event in found.events[:2]] == [2, 3]
    assert {event.source for event in found.events} == {str(KF5)}
    assert found.list_runs()[0].run_id == "kf5-5.78.0-unstable"
    assert found.problems == ()


def test_kf5_is_written_line_by_line_as_it_was(tmp_path: Path) -> None:
    write_ledger(KF5, tmp_path / "again.jsonl")
    files = (KF5, tmp_path / "again.jsonl")
    old, new = ([json.loads(line) for line in file.read_bytes().splitlines()] for file in files)
    assert [list(line) for line in old] == [list(line) for line in new]
    for was, now in zip(old, new, strict=True):
        if "event" in was:
            assert was["event"].pop("timestamp").rstrip("Z") + ".000000Z" == now["event"].pop("timestamp")
            assert was == now


def test_the_form_of_a_line(tmp_path: Path) -> None:
    write_ledger(ledger_of({"node_id": "é\ud800"}, {"node_id": "é"}), tmp_path / "l.jsonl")
    run, first, second = (tmp_path / "l.jsonl").read_bytes().splitlines()
    assert list(json.loads(run)["run"]) == list(RunRecord.model_fields)
    assert list(json.loads(run)["run"]["metadata"]) == ["git_sha", "agent_name", "tags", "evaluation"]
    assert second.decode() == (
        '{"event":{"run_id":"r","seq":2,"kind":"NodeEntered","payload":{"node_id":"é"},'
        '"timestamp":"2026-01-02T12:00:00.000000Z"}}'
    )
    assert b'"\\u00e9\\ud800"' in first  # half a character has no UTF-8


def test_finer_times_are_cut_to_microseconds(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    path.write_text(
        '{"event":{"run_id":"r","seq":1,"kind":"k","payload":null,"timestamp":"2026-01-02T14:00:00.123456999+02:00"}}'
    )
    [found] = read_ledger(path).events
    assert found.event.timestamp == NOON + timedelta(microseconds=123456)
    assert found.event.timestamp.tzinfo is UTC


def test_unknown_fields_are_passed_over_and_known_ones_may_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    path.write_text(
        '{"run":{"run_id":"r","spec_digest":"%s","metadata":{"mood":"good"},"status":"RUNNING","more":[1],'
        '"created_at":"2026-01-02T12:00:00Z"},"note":"by hand"}' % ("0" * 64)
    )
    assert records(read_ledger(path)) == [record()]


def test_an_empty_ledger_is_no_empty_file(path: Path) -> None:
    write_ledger(MemoryRunLedger(), path)
    assert repr(read_ledger(path)) == "FoundLedger(0 runs, 0 events)"


def test_empty_lines_and_other_line_ends(tmp_path: Path) -> None:
    text = KF5.read_text(encoding="utf-8")
    (tmp_path / "l.jsonl").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n\r\n \t").encode())
    found = read_ledger(tmp_path / "l.jsonl")
    assert len(found.events) == 450
    assert [run.line for run in found.runs] == [1, 303, 605]


def test_zipped_files_have_stable_bytes(tmp_path: Path) -> None:
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        write_ledger(KF5, tmp_path / name)
    one, two = (hashlib.sha256((tmp_path / name).read_bytes()) for name in ("one.jsonl.gz", "two.jsonl.gz"))
    assert one.digest() == two.digest()
    write_ledger(KF5, tmp_path / "l.jsonl")
    assert gzip.decompress((tmp_path / "one.jsonl.gz").read_bytes()) == (tmp_path / "l.jsonl").read_bytes()


# ---------------------------------------------------------------------- written whole or not at all


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (float("nan"), "Out of range float"),
        ([1, float("inf")], "Out of range float"),
        ({1: "a", "1": "b"}, "has the key 1, expected text"),
        ({"a": {None: 1}}, "has the key None, expected text"),
        ({"a": {1, 2}}, "type set is not JSON serializable"),
        (b"bytes", "type bytes is not JSON serializable"),
        pytest.param(10**5000, "4300 digits", id="more digits than Python writes"),
        ("\ud83d\ude80", "two halves of a character"),
    ],
)
def test_what_is_no_json_is_refused_and_nothing_is_left(path: Path, payload: Any, told: str) -> None:
    path.write_bytes(b"was here")
    with pytest.raises(StorageError, match=f"an event of run 'r' cannot be written as JSON: .*{told}"):
        write_ledger(ledger_of("fine", payload), path)
    assert path.read_bytes() == b"was here"
    assert os.listdir(path.parent) == [path.name]


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_nesting_that_is_written_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    deepest = nested(DEEPEST - 3)
    run = record(metadata=RunMetadata(tags=deepest))
    write_ledger(MemoryRunLedger.from_records([run], [("r", event(1, deepest))]), path)
    found = read_ledger(path)
    assert found.events[0].event.payload == deepest
    assert found.runs[0].record == run
    for deeper in (nested(DEEPEST - 2), nested(100_000)):
        with pytest.raises(StorageError, match="nested too deeply, expected at most 197 levels"):
            write_ledger(ledger_of(deeper), path)


def test_a_line_that_could_not_be_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1 << 20)
    path = tmp_path / "l.jsonl"
    overhead = 0
    write_ledger(ledger_of(""), path)
    overhead = len(path.read_bytes().splitlines(keepends=True)[1])
    write_ledger(ledger_of("x" * ((1 << 20) - overhead)), path)
    assert len(read_ledger(path).events) == 1
    with pytest.raises(StorageError, match="longer than 1 MB"):
        write_ledger(ledger_of("x" * ((1 << 20) - overhead + 1)), path)


def test_a_tuple_comes_back_as_a_list(tmp_path: Path) -> None:
    write_ledger(ledger_of({"a": (1, 2)}), tmp_path / "l.jsonl")
    assert read_ledger(tmp_path / "l.jsonl").events[0].event.payload == {"a": [1, 2]}


@pytest.mark.parametrize("name", ["l.json", "l", "l.gz", "l.csv", "l.surql", "l.jsonl.bz2", ""])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"expected a name that ends in \.jsonl, \.jsonl\.gz, .* or \.sqlite3"):
        write_ledger(MemoryRunLedger(), str(tmp_path / name) if name else "")


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Backend, match=r"l\.jsonl: cannot be written: No such file or directory"):
        write_ledger(MemoryRunLedger(), tmp_path / "nowhere" / "l.jsonl")


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "l.jsonl", tmp_path / "link.jsonl"
    target.write_text("\n")
    target.chmod(0o640)
    link.symlink_to(target)
    write_ledger(KF5, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert len(read_ledger(target).events) == 450


def test_a_file_may_be_written_over_itself(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    write_ledger(KF5, path)
    write_ledger(path, path)
    assert len(read_ledger(path).events) == 450


# ---------------------------------------------------------------------- databases and other paths


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "odd name?#%20.db"
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1")
    with SqlRunLedger(path) as ledger:
        run_plan(plan, ScriptedReleaser(["b"]), ledger)
        run_plan(plan, 0.0, ledger)
    return path


def test_a_database_is_read_and_left_alone(database: Path) -> None:
    before = (database.read_bytes(), database.stat().st_mtime_ns)
    found = read_ledger(database)
    assert os.listdir(database.parent) == [database.name]
    assert (database.read_bytes(), database.stat().st_mtime_ns) == before
    with SqlRunLedger(database) as ledger:
        assert found.list_runs() == ledger.list_runs()
        for run in found.list_runs():
            assert found.get_events(run.run_id) == ledger.get_events(run.run_id)
    assert {run.source for run in found.runs} == {event.source for event in found.events} == {str(database)}
    assert {event.line for event in found.events} == {None}


def test_a_database_that_is_being_written(database: Path) -> None:
    with SqlRunLedger(database) as ledger:
        run_id = ledger.create_run("0" * 64, RunMetadata())
        ledger.append_event(run_id, event(1, "new"))
        assert read_ledger(database).get_events(run_id) == [event(1, "new")]
        ledger.append_event(run_id, event(2, "newer"))
        assert len(read_ledger(database).get_events(run_id)) == 2


def test_a_database_where_nothing_can_be_written_beside(
    database: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = []
    monkeypatch.setattr(databases.os, "access", lambda place, mode: told.append((place, mode)))
    assert len(read_ledger(database).runs) == 2
    assert told == [(os.path.realpath(database), os.W_OK)]
    assert os.listdir(tmp_path) == [database.name]


def test_a_database_url(tmp_path: Path) -> None:
    with SqlRunLedger(tmp_path / "runs.db") as ledger:
        ledger.create_run("0" * 64, RunMetadata())
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    [run] = read_ledger(url).runs
    assert run.source == url


def test_rows_that_cannot_be_read(database: Path) -> None:
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE run_events SET payload = '{' WHERE rowid = 2")
        connection.execute("UPDATE runs SET status = 'LOST' WHERE number = 1")
    connection.close()
    with pytest.raises(ReadError, match="LOST"):
        read_ledger(database)
    found = read_ledger(database, "skip")
    assert len(found.runs) == 1
    assert len(found.problems) == 2
    assert {problem.source for problem in found.problems} == {str(database)}
    assert len(found.events) == len(events_frame(found)) == 4 + 6


@pytest.mark.parametrize("written", ["SELECT 1", "CREATE TABLE runs (a)", "CREATE TABLE places (url)"])
def test_a_sqlite_file_that_is_no_ledger_stays_what_it_is(tmp_path: Path, written: str) -> None:
    import sqlite3  # noqa: PLC0415

    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.execute(written)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ReadError, match=r"other\.db"):
        read_ledger(path, "skip")
    with pytest.raises((ReadError, Backend), match=r"other\.db"):
        events_frame(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["l.jsonl", "l.jsonl.gz", "L.JSONL", "sub.d/l.jsonl"])
def test_every_kind_of_path_is_a_ledger_to_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub.d").mkdir()
    path = tmp_path / name
    write_ledger(KF5, path)
    for make in (runs_frame, events_frame, items_frame):
        pd.testing.assert_frame_equal(make(str(path)), make(read_ledger(path)))
    assert isinstance(as_ledger(path, existing=True), FoundLedger)


# Each example is asked thirty questions, of files written anew.
@pytest.mark.parametrize("examples", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_a_ledger_gives_the_same_frames_from_a_database_and_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, examples: int
) -> None:
    @settings(max_examples=examples)
    @given(train=trains())
    def check(train: Train) -> None:
        same_frames(tmp_path_factory.mktemp("same"), train)

    check()


def same_frames(folder: Path, train: Train) -> None:
    with SqlRunLedger(folder / "live.db") as ledger:
        for _ in range(2):
            run_plan(train.plan, ScriptedReleaser(train.failing), ledger, policy=train.policy)
        names = ["live.db", "l.db", "l.sqlite3", "l.jsonl", "l.jsonl.gz"]
        for name in names[1:]:
            write_ledger(ledger, folder / name)
        one_run = ledger.list_runs()[0].run_id
        asked: list[tuple[Any, tuple[str, ...]]] = [(make, ()) for make in (runs_frame, events_frame, items_frame)]
        for make, chosen in [*asked, (events_frame, (one_run,)), (items_frame, (one_run,))]:
            plain = make(ledger, *chosen)
            for given in [*(str(folder / name) for name in names), f"sqlite:///{folder / 'l.db'}"]:
                frame = make(given, *chosen)
                assert frame.columns.tolist() == [*plain.columns, "source"]
                pd.testing.assert_frame_equal(frame, make(read_ledger(given), *chosen))
                assert frame.pop("source").tolist() == [given] * len(plain)
                pd.testing.assert_frame_equal(frame, plain)


def test_an_empty_ledger_gives_the_same_columns_from_a_database_and_from_a_file(tmp_path: Path) -> None:
    for name in ("l.db", "l.jsonl"):
        write_ledger(MemoryRunLedger(), tmp_path / name)
    for make in (runs_frame, events_frame, items_frame):
        pd.testing.assert_frame_equal(make(tmp_path / "l.db"), make(tmp_path / "l.jsonl"))


def test_a_source_shows_no_password(tmp_path: Path) -> None:
    write_ledger(MemoryRunLedger.from_records([record()], []), tmp_path / "l.db")
    url = f"sqlite:///{tmp_path / 'l.db'}?timeout=9"
    [source] = runs_frame(url)["source"]
    assert source == url
    with pytest.raises(ReadError, match="does not know") as refused:
        runs_frame(f"{url}&password=secret")
    assert refused.value.path == f"{url}&password=***"


def test_nothing_is_written_to_a_file_that_was_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a SQLite file"):
        as_ledger(tmp_path / "l.jsonl")
    found = read_ledger(KF5)
    for call in (
        lambda: found.create_run("0" * 64, RunMetadata()),
        lambda: found.append_event("kf5-5.78.0-unstable", event()),
        lambda: run_plan(build_plan(RepoDependencyGraph()), 0.0, found),
    ):
        with pytest.raises(StorageError, match="read-only"):
            call()


# ---------------------------------------------------------------------- several files, contradictions


@pytest.fixture
def contradictory(tmp_path: Path) -> FoundLedger:
    first = MemoryRunLedger.from_records([record("r")], [("r", event(2, {"node_id": "a"})), ("r", event(1))])
    later = record("r", status="FAILED", created_at=NOON + timedelta(hours=1))
    early = record("q", created_at=NOON - timedelta(hours=1))
    write_ledger(first, tmp_path / "one.jsonl")
    write_ledger(
        FoundLedger(
            [FoundRun(later, "x"), FoundRun(early, "x")],
            [FoundEvent("r", event(2, {"node_id": "b"}), "x"), FoundEvent("ghost", event(7), "x")],
        ),
        tmp_path / "two.jsonl.gz",
    )
    return read_ledgers([tmp_path / "one.jsonl", tmp_path / "two.jsonl.gz"])


def test_several_files_as_found(contradictory: FoundLedger, tmp_path: Path) -> None:
    one, two = str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl.gz")
    assert [(run.record.run_id, run.source, run.line) for run in contradictory.runs] == [
        ("r", one, 1),
        ("r", two, 1),
        ("q", two, 2),
    ]
    assert contradictory.get_run("r").status == "RUNNING"
    assert [found.seq for found in contradictory.get_events("r")] == [1, 2, 2]
    assert len(contradictory.get_events("ghost")) == 1
    with pytest.raises(RunNotFound):
        contradictory.get_run("ghost")


def test_frames_show_everything_with_its_source(contradictory: FoundLedger, tmp_path: Path) -> None:
    one, two = str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl.gz")
    runs = runs_frame(contradictory)
    assert runs[["run_id", "status", "source"]].to_numpy().tolist() == [
        ["q", "RUNNING", two],
        ["r", "RUNNING", one],
        ["r", "FAILED", two],
    ]
    events = events_frame(contradictory)
    assert events[["run_id", "seq", "source"]].to_numpy().tolist() == [
        ["r", 1, one],
        ["r", 2, one],
        ["r", 2, two],
        ["ghost", 7, two],
    ]
    assert events_frame(contradictory, "ghost")["seq"].tolist() == [7]
    items = items_frame(contradictory)
    assert items[["run_id", "repo_id", "source"]].to_numpy().tolist() == [["r", "a", one], ["r", "b", one]]


def test_reading_a_file_twice_finds_everything_twice() -> None:
    found = read_ledgers([KF5, str(KF5)])
    assert (len(found.runs), len(found.events), len(runs_frame(found))) == (6, 900, 6)


def test_numbers_that_64_bits_cannot_hold(tmp_path: Path) -> None:
    summary = RunSummary(total_events=10**30, duration_ms=-1, success=True)
    events = [("r", event(seq)) for seq in (1, 2**63 - 1, 2**63, 10**400)]
    write_ledger(MemoryRunLedger.from_records([record(summary=summary)], events), tmp_path / "l.jsonl")
    found = read_ledger(tmp_path / "l.jsonl")
    assert [entry.event.seq for entry in found.events] == [1, 2**63 - 1, 2**63, 10**400]
    assert events_frame(found)["seq"].tolist() == [1, 2**63 - 1, pd.NA, pd.NA]
    assert runs_frame(found)["total_events"].tolist() == [pd.NA]
    assert events_frame(found).dtypes["seq"] == "Int64"
