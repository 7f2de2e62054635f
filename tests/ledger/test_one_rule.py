"""What one store takes another takes too: one way to write JSON, and one to read it."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunSummary,
    StorageError,
    audit,
    build_plan,
    open_ledger,
    read_ledger,
    run_plan,
    write_ledger,
)
from seqkit._util.strict_json import DEEPEST, Unreadable, parse_all, parse_json
from seqkit.ledger import SqlRunLedger, jsonl

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DIGEST = "0" * 64
PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")


def nested(levels: int, kind: Callable[[Any], Any] = lambda inner: [inner]) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = kind(value)
    return value


LONGEST = 4 << 20
"""How long a line may be in most of these tests: all rules look there, and 32 MB take eight times as long."""

FREE: dict[str, Any] = {
    "NaN": {"score": math.nan},
    "inf": {"score": math.inf},
    "-inf, deep in it": {"scores": [1.0, {"a": [-math.inf]}]},
    "the deepest": nested(DEEPEST - 3),
    "one deeper": nested(DEEPEST - 2),
    "200 levels": nested(200),
    "250 levels of objects": nested(250, lambda inner: {"a": inner}),
    "1,000 levels": nested(1000),
    "100,000 levels": nested(100_000),
    "keys that are one": {1: "a", "1": "b"},
    "a key that is no text": {None: 1},
    "a key that is a tuple": {(1, 2): 3},
    "a set": {"a": {1}},
    "bytes": b"x",
    "an object of a class": {"a": object()},
    "half a character": {"\ud800": "\udfff!"},
    "halves in a row": "\ud83d\ude80",
    "NUL": {"\0": "\0"},
    "a huge number": 10**400,
    "too many digits": 10**5000,
    "a tuple": {"a": (1, 2)},
    "unicode": {"é\u2028": "🚀"},
    "a megabyte": "x" * (1 << 20),
    "as long as may be": "x" * (LONGEST - 2000),
    "too long": "x" * LONGEST,
    "too long in escapes": "\ud800" + "é" * (LONGEST * 6 // 32),
    "too long, of many": {str(number): "x" * 60_000 for number in range(LONGEST // 55_000)},
}


@pytest.fixture
def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_SURELY_SHORT", LONGEST // 12 - (jsonl.LONGEST_LINE // 12 - jsonl._SURELY_SHORT))
    monkeypatch.setattr(jsonl, "LONGEST_LINE", LONGEST)


def refusal(call: Callable[[], object]) -> str | None:
    try:
        call()
    except StorageError as error:
        return str(error)
    return None


@pytest.fixture
def sql() -> Any:
    with SqlRunLedger("sqlite://", ids=["r"]) as ledger:
        yield ledger


def copied(ledger: Any, path: Path) -> Any:
    """Through JSON Lines, and back."""
    write_ledger(ledger, path)
    return read_ledger(path)


@pytest.mark.usefixtures("shorter")
@pytest.mark.parametrize("name", FREE)
def test_a_payload_is_taken_by_all_or_by_none(tmp_path: Path, sql: SqlRunLedger, name: str) -> None:
    event = RunEvent.model_construct(seq=1, kind="k", payload=FREE[name], timestamp=NOON)
    memory = MemoryRunLedger(ids=["r"], clock=lambda: NOON)
    for ledger in (memory, sql):
        ledger.create_run(DIGEST, RunMetadata())
    memory.append_event("r", event)
    refused = refusal(lambda: sql.append_event("r", event))
    assert refusal(lambda: write_ledger(memory, tmp_path / "l.jsonl")) == refused
    if refused is not None:
        assert refused.startswith("an event of run 'r' cannot be written as JSON: ")
        assert sql.get_events("r") == []
    else:
        assert copied(sql, tmp_path / "s.jsonl").get_events("r") == sql.get_events("r")
        write_ledger(sql, tmp_path / "s.db")
        assert read_ledger(tmp_path / "s.db").get_events("r") == sql.get_events("r")


@pytest.mark.usefixtures("shorter")
@pytest.mark.parametrize("name", [*FREE, "a time"])
def test_tags_are_taken_by_all_or_by_none(tmp_path: Path, sql: SqlRunLedger, name: str) -> None:
    tags = {"due": NOON, "in": timedelta(hours=1)} if name == "a time" else FREE[name]
    metadata = RunMetadata.model_construct(tags=tags)
    memory = MemoryRunLedger(ids=["r"], clock=lambda: NOON)
    memory.create_run(DIGEST, metadata)
    refused = refusal(lambda: sql.create_run(DIGEST, metadata))
    assert refusal(lambda: write_ledger(memory, tmp_path / "l.jsonl")) == refused
    if refused is not None:
        assert refused.startswith("run 'r' cannot be written as JSON: ")
        assert sql.list_runs() == []
        return
    sql.complete_run("r", RunSummary(total_events=10**9, duration_ms=10**12, success=True))
    assert copied(sql, tmp_path / "s.jsonl").list_runs() == sql.list_runs()
    assert read_ledger(tmp_path / "l.jsonl").get_run("r").metadata == sql.get_run("r").metadata


@pytest.mark.slow
def test_a_line_of_32_mb_is_taken_by_all_and_none_that_is_longer(tmp_path: Path) -> None:
    for length, fine in ((jsonl.LONGEST_LINE - 2000, True), (jsonl.LONGEST_LINE, False)):
        event = RunEvent.model_construct(seq=1, kind="k", payload="x" * length, timestamp=NOON)
        memory = MemoryRunLedger(ids=["r"], clock=lambda: NOON)
        memory.create_run(DIGEST, RunMetadata())
        memory.append_event("r", event)
        refused = refusal(lambda ledger=memory: write_ledger(ledger, tmp_path / "l.jsonl"))  # type: ignore[misc]
        with SqlRunLedger("sqlite://", ids=["r"]) as sql:
            sql.create_run(DIGEST, RunMetadata())
            assert refusal(lambda kept=sql, one=event: kept.append_event("r", one)) == refused  # type: ignore[misc]
            assert (refused is None) == fine
            assert len(copied(sql, tmp_path / "s.jsonl").get_events("r")) == fine


@pytest.mark.usefixtures("shorter")
def test_the_kinds_that_are_refused_are_these(tmp_path: Path) -> None:
    def refused(name: str) -> bool:
        ledger = MemoryRunLedger(ids=["r"])
        ledger.create_run(DIGEST, RunMetadata())
        ledger.append_event("r", RunEvent.model_construct(seq=1, kind="k", payload=FREE[name], timestamp=NOON))
        return refusal(lambda: write_ledger(ledger, tmp_path / "l.jsonl")) is not None

    fine = {"the deepest", "half a character", "NUL", "a huge number", "a tuple", "unicode", "a megabyte"}
    assert {name for name in FREE if not refused(name)} == fine | {"as long as may be"}


def test_a_run_has_room_for_its_end(sql: SqlRunLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is taken when a run is opened can be exported when it has ended: its record is longer then."""
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 20_000)
    monkeypatch.setattr(jsonl, "_SURELY_SHORT", 0)
    with pytest.raises(StorageError, match="it would be longer than"):
        sql.create_run(DIGEST, RunMetadata(tags="x" * 19_500))
    with SqlRunLedger("sqlite://") as ledger:
        run_id = ledger.create_run(DIGEST, RunMetadata(tags="x" * 18_500))
        ledger.fail_run(run_id, RunSummary(total_events=10**18, duration_ms=10**18, success=False))
        write_ledger(ledger, tmp_path / "l.jsonl")


# ---------------------------------------------------------------------- a run whose event no store takes


@pytest.mark.parametrize("said", ["x" * (40 << 20), "\ud83d\ude80"])
@pytest.mark.parametrize("name", ["runs.db", None])
def test_what_a_releaser_says_is_kept_as_every_store_can_keep_it(tmp_path: Path, name: str | None, said: str) -> None:
    def release(repo: str, *_: Any) -> str:
        if repo == "api":
            raise ValueError(said)
        return f"run-{repo}"

    with open_ledger(tmp_path / name) if name else SqlRunLedger("sqlite://") as ledger:
        run_plan(PLAN, release, ledger)
        [run] = ledger.list_runs()
        write_ledger(ledger, tmp_path / "l.jsonl")
        events = ledger.get_events(run.run_id)
    back = read_ledger(tmp_path / "l.jsonl")
    assert back.list_runs() == [run]
    assert back.get_events(run.run_id) == events


def test_a_run_ends_honestly_where_an_event_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger says that the release was begun and that the run failed; the error has what happened."""
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 20_000)
    monkeypatch.setattr(jsonl, "_SURELY_SHORT", 0)

    def release(repo: str, *_: Any) -> str:
        if repo == "api":
            raise ValueError("x" * 30_000)
        return f"run-{repo}"

    with open_ledger(tmp_path / "runs.db") as ledger:
        with pytest.raises(StorageError, match=r"an event of run .* cannot be written as JSON") as raised:
            run_plan(PLAN, release, ledger)
        [run] = ledger.list_runs()
        assert run.status.value == "FAILED"
        assert [event.kind for event in ledger.get_events(run.run_id)] == ["NodeEntered", "NodeExited", "NodeEntered"]
        assert [event.kind for event in raised.value.events] == ["NodeFailed"]
        assert len(str(raised.value)) < 500


@pytest.mark.parametrize(("tags", "error"), [({"score": math.nan}, ValueError), ({"deep": nested(300)}, StorageError)])
def test_tags_that_no_store_takes_are_refused_before_anything_is_released(
    tmp_path: Path, tags: Any, error: type[Exception]
) -> None:
    tried: list[str] = []
    with open_ledger(tmp_path / "runs.db") as ledger:
        with pytest.raises(error, match=r"expected what JSON can hold|cannot be written as JSON"):
            run_plan(PLAN, lambda repo, *_: tried.append(repo) or "x", ledger, tags=tags)
        assert tried == []
        assert ledger.list_runs() == []


# ---------------------------------------------------------------------- read alike

FORGERIES = {
    "a key twice": '{"node_id": "core", "error": "FORGED", "error": "red"}',
    "a key twice, escaped": '{"node_id": "core", "error": "FORGED", "err\\u006fr": "red"}',
    "a key twice, apart by blanks": '{"node_id" : "core", "error" :"FORGED", "error"\t: "red"}',
    "a key twice, a colon elsewhere": '{"node_id" : "\\":", "error":"FORGED", "error" : "red"}',
    "a key twice, deep": '{"node_id": "core", "error": "red", "more": [{"a": [{"b": 1, "b": 2}]}]}',
    "a key twice, alike": '{"node_id": "core", "node_id": "core", "error": "red"}',
    "the empty key twice": '{"node_id": "core", "error": "red", "": 1, "": 1}',
    "NaN": '{"node_id": "core", "error": "red", "more": NaN}',
    "Infinity": '{"node_id": "core", "error": "red", "more": [Infinity]}',
    "-Infinity": '{"node_id": "core", "error": "red", "more": {"a": -Infinity}}',
    "a number too large": '{"node_id": "core", "error": "red", "more": 1e400}',
    "deep": '{"node_id": "core", "error": "red", "more": ' + "[" * 300 + "]" * 300 + "}",
    "a line break in text": '{"node_id": "core", "error": "r\ned"}',
    "a comma at the end": '{"node_id": "core", "error": "red",}',
    "single quotes": "{'node_id': 'core', 'error': 'red'}",
    "a comment": '{"node_id": "core", "error": "red"} -- forged',
    "two documents": '{"node_id": "core", "error": "red"}, {"node_id": "core"}',
    "too many digits": '{"node_id": "core", "error": "red", "more": ' + "1" * 5000 + "}",
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("column", ["payload", "metadata", "summary"])
def test_a_forgery_is_found_in_a_database_as_in_lines(tmp_path: Path, name: str, column: str) -> None:
    text = FORGERIES[name]
    with open_ledger(tmp_path / "l.db") as ledger:
        run_plan(PLAN, {"core": 1.0}, ledger, rng=1)
    write_ledger(tmp_path / "l.db", tmp_path / "l.jsonl")
    lines = (tmp_path / "l.jsonl").read_text().splitlines()
    line = next(at for at, text in enumerate(lines) if '"NodeFailed"' in text) if column == "payload" else 0
    content = json.loads(lines[line])
    holder = content["event" if column == "payload" else "run"]
    holder[column] = "HERE"
    lines[line] = json.dumps(content).replace('"HERE"', text.replace("\n", "\\u000a" if False else "\t"))
    (tmp_path / "l.jsonl").write_text("\n".join(lines) + "\n")
    table, where = ("run_events", "kind = 'NodeFailed'") if column == "payload" else ("runs", "1")
    with contextlib.closing(sqlite3.connect(tmp_path / "l.db")) as connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (text,))
        connection.commit()
    told = []
    for kept in ("l.db", "l.jsonl"):
        found = read_ledger(tmp_path / kept, on_bad_lines="skip")
        [problem] = found.problems
        told.append(problem.message)
        assert not audit(tmp_path / kept).ok
    assert "its JSON " in told[0]
    if "twice" in name or name in ("NaN", "Infinity", "-Infinity", "a number too large", "deep"):
        # The same words, but for how deep the text stands in its line.
        assert told[1] in told[0]
    with SqlRunLedger(tmp_path / "l.db", read_only=True) as ledger, pytest.raises(StorageError, match="its JSON "):
        [ledger.get_events(run.run_id) for run in ledger.list_runs()]


def strictly(text: str) -> Any:
    """What the strict parser alone says: a blank after a quote turns the fast one off, and changes nothing."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise Unreadable("no")
        return dict(pairs)

    def refused(text: str) -> Any:
        raise Unreadable("no")

    def finite(text: str) -> float:
        if math.isinf(float(text)):
            raise Unreadable("no")
        return float(text)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refused, parse_float=finite)
    except (ValueError, RecursionError):
        return Unreadable


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Unreadable:
        return Unreadable


blanks = st.sampled_from(["", "", "", " ", "\n", "\t ", "\r"])
strings = st.sampled_from(
    ['"a"', '"b"', '"\\u0061"', '""', '"\\":"', '":"', '" "', '"},\\n{"', '"\\ud800"', '"é"', '"x": "']
)
numbers = st.sampled_from(["1", "-0", "0.1", "1e400", "-1e999", "NaN", "1e5", "01", "Infinity"])
scalars = strings | numbers | st.sampled_from(["null", "true"])


def written(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(strings, blanks, blanks, inner).map(lambda pair: f"{pair[0]}{pair[1]}:{pair[2]}{pair[3]}")
    joint = blanks.map(lambda blank: f",{blank}")

    def joined(parts: tuple[list[str], str], ends: str) -> str:
        return ends[0] + parts[1].join(parts[0]) + ends[1]

    return st.tuples(st.lists(pairs, max_size=4), joint).map(lambda parts: joined(parts, "{}")) | st.tuples(
        st.lists(inner, max_size=3), joint
    ).map(lambda parts: joined(parts, "[]"))


texts = st.recursive(scalars, written, max_leaves=12)


@given(texts)
@example('{"a" : "\\":", "b":1, "b" :2}')
@example('{"a":1e400}')
@example("[" * 201 + "]" * 201)
def test_the_fast_way_reads_what_the_strict_one_reads(text: str) -> None:
    assert repr(outcome(lambda: parse_json(text))) == repr(strictly(text)) or text.count("[") > DEEPEST


@given(st.lists(texts | st.sampled_from(['{"a":[{"x":1}', '{"y":2}]},{"c":3}', '{"a":"x}', '{y"},{"b":1}', "", ","])))
@example(['{"a":[{"x":1}', '{"y":2}]},{"c":3}'])
@example(['{"a":"x}', '{y"},{"b":1}'])
@example(['{"a":1},\n{"a":2}', '{"b":1}'])
@example(['{"a":[1}', "{2]}"])
def test_many_at_once_are_read_as_one_by_one(many: list[str]) -> None:
    one_by_one = [strictly(text) for text in many]
    expected = Unreadable if Unreadable in one_by_one else one_by_one
    assert repr(outcome(lambda: parse_all(many))) == repr(expected)


@pytest.mark.parametrize("depth", [1, 197, 198, 199, 200, 201, 202, 203, 300, 5000])
@pytest.mark.parametrize("form", ["[{}]", '{{"a":{}}}'])
def test_the_depth_is_the_same_whoever_parses(depth: int, form: str) -> None:
    for blank in ("", " "):
        text = f'"x"{blank}'
        for _ in range(depth):
            text = form.format(text)
        assert (outcome(lambda: parse_json(text)) is Unreadable) == (depth > DEEPEST)
