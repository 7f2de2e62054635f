"""Ledgers of the original's storage: an export, a surrealkv folder, and what may be wrong with them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, build_plan, events_frame, items_frame, read_ledger, runs_frame
from seqkit.auditing import audit
from seqkit.core.model import RunStatus
from seqkit.errors import DependencyCycle, ReadError, RepoNotFound
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.surreal import folder, literals
from seqkit.ledger.surreal.literals import LiteralError, read_value

DATA = Path(__file__).parents[1] / "data"
EXPORT, STORE = DATA / "aivcs" / "export.surql", DATA / "aivcs" / "surrealkv"
CASES = [json.loads(line) for line in (DATA / "cases.jsonl").read_text("utf-8").splitlines()]
RUN_AT_ALL = [case for case in CASES if case["expected"]["events"]]  # the runs were written in this order

needs_engine = pytest.mark.skipif(
    find_spec("surrealdb") is None and not os.environ.get("SEQKIT_REQUIRE_SERVICES"),
    reason="no surrealdb",
)
both = pytest.mark.parametrize("source", [EXPORT, pytest.param(STORE, marks=needs_engine)], ids=["export", "folder"])


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Iterator[None]:
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield
    assert not list(scratch.iterdir())
    assert capfd.readouterr() == ("", "")


def content_of(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def sorted_content(ledger: FoundLedger) -> tuple[list[Any], list[Any]]:
    runs = sorted((run.record for run in ledger.runs), key=lambda run: run.run_id)
    return runs, sorted(((found.run_id, found.event) for found in ledger.events), key=lambda e: (e[0], e[1].seq))


# ---------------------------------------------------------------------- the supplied ledger


@both
def test_every_run_is_that_of_its_golden_case(source: Path) -> None:
    ledger = read_ledger(source)
    runs = ledger.list_runs()
    assert len(runs) == len(RUN_AT_ALL) == 36
    assert Counter(run.status for run in runs) == {RunStatus.FAILED: 23, RunStatus.COMPLETED: 9, RunStatus.RUNNING: 4}
    for run, case in zip(runs, RUN_AT_ALL, strict=True):
        expected = case["expected"]
        events = [
            {"seq": event.seq, "kind": event.kind, "payload": event.payload} for event in ledger.get_events(run.run_id)
        ]
        written = json.loads(run.model_dump_json())
        assert written["metadata"]["tags"] == {"plan_id": f"seq-{run.run_id[:8]}"}
        written["metadata"]["tags"] = {"plan_id": "<plan_id>"}
        if run.status is RunStatus.RUNNING:  # killed before its last event
            assert events == expected["events"][:-1], case["id"]
            assert (run.summary, run.completed_at) == (None, None)
            written |= {"status": expected["run"]["status"], "summary": expected["run"]["summary"]}
        else:
            assert events == expected["events"], case["id"]
            assert run.completed_at is not None
        assert {key: written[key] for key in expected["run"]} == expected["run"], case["id"]


@both
def test_frames(source: Path) -> None:
    ledger = read_ledger(source)
    runs, events, items = runs_frame(ledger), events_frame(ledger), items_frame(ledger)
    assert len(runs) == 36
    assert runs["success"].isna().sum() == 4
    assert runs.loc[runs["status"] == "RUNNING", "finished_at"].isna().all()
    assert len(events) == sum(len(case["expected"]["events"]) for case in RUN_AT_ALL) - 4 == 312
    for run_id, case in zip(runs["run_id"], RUN_AT_ALL, strict=True):
        own = items[items["run_id"] == run_id]
        outcome = case["expected"]["outcome"]
        succeeded, failed = set(outcome["succeeded"]), {repo for repo, _ in outcome["failed"]}
        open_entries = own.loc[own["status"] == "in_progress", "repo_id"].tolist()
        assert set(own.loc[own["status"] == "succeeded", "repo_id"]) == succeeded - set(open_entries)
        assert set(own.loc[own["status"] == "failed", "repo_id"]) == failed - set(open_entries)
        interrupted = (runs.loc[runs["run_id"] == run_id, "status"] == "RUNNING").all()
        assert len(open_entries) == interrupted


def test_the_audit_finds_the_interrupted_runs_and_nothing_else() -> None:
    ledger = read_ledger(EXPORT)
    for run, case in zip(ledger.list_runs(), RUN_AT_ALL, strict=True):
        graph = RepoDependencyGraph()
        for repo in case["case"]["nodes"]:
            graph.add_node(repo)
        for dependency, dependent in case["case"]["edges"]:
            with contextlib.suppress(DependencyCycle, RepoNotFound):  # the original refused these too
                graph.add_dependency(dependency, dependent)
        releases = {repo: (repo, *rest) for repo, *rest in case["case"]["releases"] if repo in graph}
        plan = build_plan(graph, list(releases.values()), case["case"]["originating_run_id"], scope="all")
        for against in (graph, plan):
            findings = audit(ledger, run.run_id, against).findings
            errors = findings[findings["severity"] == "error"]
            assert errors["check"].tolist() == ["unfinished"] * (run.status is RunStatus.RUNNING), case["id"]
            assert "warning" not in set(findings["severity"]), case["id"]


@needs_engine
def test_export_and_folder_say_the_same_and_the_folder_is_not_touched() -> None:
    before = content_of(STORE)
    export, store = read_ledger(EXPORT), read_ledger(str(STORE))
    assert content_of(STORE) == before
    assert sorted_content(export) == sorted_content(store)
    assert {found.line for found in store.events} == {None}
    lines = EXPORT.read_text("utf-8").splitlines()
    assert all(lines[found.line - 1].startswith("INSERT") for found in (*export.runs, *export.events) if found.line)
    assert {run.source for run in export.runs} == {str(EXPORT)}


# ---------------------------------------------------------------------- exports


RUN = {
    "id": "runs:one",
    "run_id": "one",
    "spec_digest": "a" * 64,
    "agent_name": "release-sequencer",
    "agent_phase": 0,
    "is_promotion_gate": False,
    "tags": {"plan_id": "seq-1"},
    "status": "COMPLETED",
    "total_events": 1,
    "duration_ms": 0,
    "success": True,
    "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "completed_at": datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
}
EVENT = {
    "id": "run_events:e1",
    "run_id": "one",
    "seq": 1,
    "kind": "NodeEntered",
    "payload": {"node_id": "core", "version": "1.0"},
    "timestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}


def quoted(text: str) -> str:
    """Write text as SurrealDB does: in single quotes where it has none, else in double quotes."""
    text = text.replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"' if "'" in text else f"'{text}'"


def key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
    return name if not name or plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key(name)}: {literal(entry)}" for name, entry in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, datetime):
        return "d'" + value.isoformat().replace("+00:00", "Z") + "'"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "NULL"}[value]
    if isinstance(value, float):
        return f"{value!r}f"
    return quoted(value) if isinstance(value, str) else str(value)


def row(content: dict[str, Any], **changed: Any) -> str:
    merged = {name: value for name, value in (content | changed).items() if value is not ...}
    record = merged.pop("id", None)
    return ("{ " if record is None else f"{{ id: {record}, ") + literal(merged)[2:]


def export_of(tmp_path: Path, events: list[str], runs: list[str], extra: str = "") -> Path:
    path = tmp_path / "export.surql"
    text = f"OPTION IMPORT;\n\nDEFINE TABLE run_events TYPE ANY SCHEMALESS PERMISSIONS NONE;\n{extra}\n"
    text += f"INSERT [ {', '.join(events)} ];\nDEFINE TABLE runs TYPE ANY;\nINSERT [ {', '.join(runs)} ];\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def problems_of(path: Path) -> list[str]:
    ledger = read_ledger(path, on_bad_lines="skip")
    for problem in ledger.problems:
        assert problem.source == str(path)
    if ledger.problems:
        with pytest.raises(ReadError) as caught:
            read_ledger(path)
        assert (caught.value.path, caught.value.line, caught.value.message) == (
            str(path),
            ledger.problems[0].line,
            ledger.problems[0].message,
        )
        with pytest.warns(UserWarning, match="unreadable"):
            assert len(read_ledger(path, on_bad_lines="warn").problems) == len(ledger.problems)
    return [problem.message for problem in ledger.problems]


def test_a_small_export_with_fields_of_another_version(tmp_path: Path) -> None:
    path = export_of(
        tmp_path, [row(EVENT, region="eu", at=1.5)], [row(RUN, git_sha="abc", rubric_path="r", agent_phase=3)]
    )
    ledger = read_ledger(path)
    assert not ledger.problems
    run = ledger.get_run("one")
    assert (run.metadata.git_sha, run.metadata.evaluation.rubric_path, run.metadata.evaluation.agent_phase) == (
        "abc",
        "r",
        3,
    )
    assert run.summary is not None
    assert run.summary.total_events == 1
    assert ledger.get_events("one")[0].payload == EVENT["payload"]


def test_the_other_form_of_rows(tmp_path: Path) -> None:
    run = {
        "id": "runs:one",
        "run_id": "one",
        "spec_digest": "a" * 64,
        "metadata": {"git_sha": None, "agent_name": "x", "tags": [1]},
        "status": "Completed",
        "summary": {"total_events": 7, "final_state_digest": "b" * 64, "duration_ms": 9, "success": True},
        "created_at": "2026-01-02T03:04:05.123456789+00:00",
        "completed_at": "2026-01-02T05:04:06+02:00",
    }
    other = run | {"id": "runs:two", "run_id": "two", "status": "running", "summary": None, "completed_at": None}
    path = export_of(tmp_path, [row(EVENT, timestamp="2026-01-02T03:04:05.9999999+00:00")], [row(run), row(other)])
    ledger = read_ledger(path)
    read = ledger.get_run("one")
    assert read.summary is not None
    assert (read.metadata.agent_name, read.metadata.tags, read.status) == ("x", [1], RunStatus.COMPLETED)
    assert (read.summary.total_events, read.summary.final_state_digest) == (7, "b" * 64)
    assert read.created_at == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert read.completed_at == datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert ledger.get_events("one")[0].timestamp.microsecond == 999999
    assert (ledger.get_run("two").summary, ledger.get_run("two").status) == (None, RunStatus.RUNNING)


def test_everything_is_kept_as_found(tmp_path: Path) -> None:
    events = [row(EVENT), row(EVENT, id="run_events:e2"), row(EVENT, seq=-4), row(EVENT, run_id="nobody", kind="Odd")]
    path = export_of(tmp_path, events, [row(RUN), row(RUN, status="FAILED")])
    ledger = read_ledger(path)
    assert [found.event.seq for found in ledger.events] == [1, 1, -4, 1]
    assert [found.record.status.value for found in ledger.runs] == ["COMPLETED", "FAILED"]
    assert ledger.events[3].run_id == "nobody"


def test_nanoseconds_and_other_time_zones(tmp_path: Path) -> None:
    text = export_of(tmp_path, [row(EVENT)], [row(RUN)]).read_text("utf-8")
    path = tmp_path / "fine.surql"
    path.write_text(text.replace("05Z", "05.123456999+01:00"), "utf-8")
    assert read_ledger(path).events[0].event.timestamp == datetime(2026, 1, 2, 2, 4, 5, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        'say "x"',
        "both ' and \"",
        "back\\slash",
        "a\nb\tc",
        "😀/中文",
        "",
        "{ } ] ; -- /* '",
        "\x00\x1b[31m",
        "⟨x⟩`",
    ],
)
def test_names_with_quotes_and_the_rest_of_unicode(tmp_path: Path, name: str) -> None:
    payload = {"node_id": name, "version": name, name: [name]}
    path = export_of(tmp_path, [row(EVENT, payload=payload)], [row(RUN, tags={name: name})])
    ledger = read_ledger(path)
    assert ledger.get_events("one")[0].payload == payload
    assert ledger.get_run("one").metadata.tags == {name: name}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seq": "1"}, "event.seq is '1'"),
        ({"seq": True}, "event.seq is true"),
        ({"seq": 1.0}, "event.seq is 1.0"),
        ({"seq": ...}, "event.seq is missing"),
        ({"kind": None}, "event.kind is null"),
        ({"run_id": 3}, "event.run_id is 3, expected text"),
        ({"timestamp": "yesterday"}, "event.timestamp is 'yesterday', expected a time"),
        ({"timestamp": None}, "event.timestamp is null"),
    ],
)
def test_an_unreadable_event_is_named_and_costs_nothing_else(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    path = export_of(tmp_path, [row(EVENT), row(EVENT | {"id": "run_events:bad"} | change), row(EVENT)], [row(RUN)])
    (message,) = problems_of(path)
    assert message.startswith("table run_events, record run_events:bad: ")
    assert words in message
    ledger = read_ledger(path, on_bad_lines="skip")
    assert (len(ledger.runs), len(ledger.events), ledger.problems[0].line) == (1, 2, 5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "DONE"}, "status is 'DONE', expected one of RUNNING, COMPLETED, FAILED, CANCELLED"),
        ({"status": ...}, "status is None"),
        ({"spec_digest": "abc"}, "run.spec_digest is 'abc'"),
        ({"total_events": "1"}, "run.summary.total_events is '1'"),
        ({"success": ...}, "run.summary.success is missing"),
        ({"created_at": ...}, "run.created_at is missing"),
        ({"agent_name": 1}, "run.metadata.agent_name is 1"),
        ({"metadata": 1}, "run.metadata is 1"),
        ({"is_promotion_gate": "no"}, "run.metadata.evaluation.isPromotionGate is 'no'"),
    ],
)
def test_an_unreadable_run_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (message,) = problems_of(export_of(tmp_path, [row(EVENT)], [row(RUN | change), row(RUN)]))
    assert message.startswith("table runs, record runs:one: ")
    assert words in message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http::get('http://127.0.0.1:9')", "expected a value"),
        ("sleep(1h)", "expected a value"),
        ("$auth", "found '$auth"),
        ("(SELECT * FROM user)", "expected a value"),
        ("function() { while (true) {} }", "expected a value"),
        ("{ LET $x = 1; RETURN $x }", "expected a colon"),
        ("<future> { time::now() }", "expected a value"),
        ("1 + 1", "expected a comma or }"),
        ("NaN", "no number that JSON has"),
        ("1e999", "no number that JSON has"),
        ("inf", "no number that JSON has"),
        ('b"00ff"', "a ledger does not hold"),
        ("d'2026-02-30T00:00:00Z'", "is no time"),
        ("d'0001-01-01T00:00:00+10:00'", "is no time"),
        ("d'2026-W01-1'", "is no time"),
        (r"'\x'", "no escape"),
        (r"'\u{110000}'", "no escape"),
        (r"'\u{d800}'", "half a character"),
        ("'\udcff'", "the byte 0xff"),
        ("{ a: 1, a: 2 }", "the key 'a' is there twice"),
        ("[1 2]", "expected a comma or ]"),
        ("[" * 200 + "]" * 200, "nested more than 100 levels"),
        ("9" * 5000, "a number has 5000 characters"),
        ("", "expected a value"),
    ],
)
def test_what_is_no_data_is_never_run_and_costs_only_its_row(tmp_path: Path, value: str, words: str) -> None:
    bad = row(EVENT, id="run_events:bad", payload="VALUE").replace("'VALUE'", value)
    path = export_of(tmp_path, [row(EVENT), bad, row(EVENT, seq=3)], [row(RUN)])
    (message,) = problems_of(path)
    assert message.startswith("table run_events, record run_events:bad: ")
    assert words in message
    assert [found.event.seq for found in read_ledger(path, on_bad_lines="skip").events] == [1, 3]


def test_statements_that_no_export_has_are_told_and_passed_over(tmp_path: Path) -> None:
    extra = (
        "SLEEP 1h;\nLET $x = http::get('http://127.0.0.1:9');\nFOR $i IN 0..1000000000 { CREATE a; };\nDELETE runs;\n"
    )
    messages = problems_of(export_of(tmp_path, [row(EVENT)], [row(RUN)], extra))
    assert [message.split()[1][1:] for message in messages] == ["SLEEP", "LET", "FOR", "DELETE"]
    assert messages[0] == "found 'SLEEP 1h', which no export of SurrealDB has; passed over"


def test_other_tables_and_forms_of_writing(tmp_path: Path) -> None:
    path = tmp_path / "forms.surql"
    path.write_text(
        "-- a comment; with 'quotes\nUSE NS a DB b;\nBEGIN TRANSACTION;\n"
        "DEFINE FIELD x ON commits TYPE string VALUE { RETURN 1; };\n"
        f"INSERT [ {{ id: commits:a, state: <bytes>'x', n: 1dec, run_id: 3 }} ];\n"
        "INSERT RELATION [ { id: parent:⟨a b⟩, in: commits:a, out: commits:b } ];\n"
        f"INSERT INTO runs {row(RUN, id=...)};\n"
        f"INSERT IGNORE INTO run_events [ {row(EVENT, id=...)} ];\n"
        f"UPDATE run_events:2 CONTENT {row(EVENT, id=..., seq=2)};\n"
        f"CREATE ONLY run_events:⟨3 x⟩ CONTENT {row(EVENT, seq=3)} RETURN NONE; COMMIT TRANSACTION;\n",
        "utf-8",
    )
    ledger = read_ledger(path)
    assert len(ledger.runs) == 1
    assert [(found.event.seq, found.line) for found in ledger.events] == [(1, 8), (2, 9), (3, 10)]


def test_a_change_that_is_no_whole_row_is_told(tmp_path: Path) -> None:
    extra = "UPDATE runs SET status = 'COMPLETED' WHERE run_id = 'one';\nUPDATE users SET x = 1;"
    (message,) = problems_of(export_of(tmp_path, [row(EVENT)], [row(RUN)], extra))
    assert message == "table runs: a change that is not a whole row; passed over"


def test_an_empty_ledger(tmp_path: Path) -> None:
    path = tmp_path / "empty.surql"
    path.write_text(
        "OPTION IMPORT;\nDEFINE TABLE IF NOT EXISTS runs SCHEMAFULL;\nDEFINE TABLE `run_events`;\n", "utf-8"
    )
    assert (read_ledger(path).runs, read_ledger(path).problems) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "OPTION IMPORT;\nDEFINE TABLE users;\nINSERT [ { id: users:a } ];\n",
        "CREATE TABLE `runs` (id int);\nINSERT INTO `users` VALUES (1, 'it''s');\n",
        "run_id,seq\na,1\n",
        '{"run": {}}\n',
        "<html>it's</html>",
        "\x00\x01\x02",
    ],
)
def test_what_is_no_export_of_a_ledger(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.surql"
    path.write_text(text, "utf-8")
    with pytest.raises(ReadError) as caught:
        read_ledger(path, on_bad_lines="skip")
    assert (
        str(caught.value)
        == f"{path}: is no export of a ledger: it has none of the tables runs and run_events of a SurrealDB"
    )


def test_arguments_and_missing_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="on_bad_lines is 'ignore', expected one of"):
        read_ledger(EXPORT, on_bad_lines="ignore")  # type: ignore[arg-type]
    with pytest.raises(ReadError, match="there is no such file"):
        read_ledger(tmp_path / "none.surql")
    with pytest.raises(ReadError, match="is no name of a file"):
        read_ledger("a\0.surql")
    monkeypatch.setattr("seqkit.ledger.surreal.export.LARGEST", 1000)
    with pytest.raises(ReadError, match="84,163 bytes, expected at most 1,000"):
        read_ledger(EXPORT)


def test_an_export_that_is_cut_off_anywhere_says_so_and_keeps_what_is_before(tmp_path: Path) -> None:
    whole, path = EXPORT.read_bytes(), tmp_path / "cut.surql"
    everything = {(found.run_id, found.event.seq) for found in read_ledger(EXPORT).events}
    random_places = random.Random(4).sample(range(len(whole) - 3), 60)
    for place in [*random_places, whole.index(b"DEFINE TABLE runs"), whole.rindex(b"]"), len(whole) - 4]:
        path.write_bytes(whole[:place])
        if b"DEFINE TABLE run_events" not in whole[:place]:
            with pytest.raises(ReadError, match="is no export of a ledger"):
                read_ledger(path, on_bad_lines="skip")
            continue
        ledger = read_ledger(path, on_bad_lines="skip")
        assert ledger.problems, place
        assert "cut off" in ledger.problems[-1].message, place
        assert {(found.run_id, found.event.seq) for found in ledger.events} <= everything
        if place >= whole.index(b"DEFINE TABLE runs"):
            assert len(ledger.events) == len(everything)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.binary(max_size=3) | st.sampled_from([b"'", b'"', b"{", b"]", b"/*", b";"])),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_is_changed_only_read_errors_come_out(changes: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        whole = export_of(Path(scratch), [row(EVENT), row(EVENT, seq=2)], [row(RUN)]).read_bytes()
        for place, added in changes:
            whole = whole[: place % len(whole)] + added + whole[place % len(whole) + 1 :]
        path = Path(scratch) / "changed.surql"
        path.write_bytes(whole)
        with contextlib.suppress(ReadError):
            assert all(problem.source == str(path) for problem in read_ledger(path, on_bad_lines="skip").problems)


# ---------------------------------------------------------------------- values

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@example({"": {"a": "it's", "1": [-0.0]}})
def test_what_is_written_is_read(value: Any) -> None:
    text = literal(value)
    assert json.dumps(read_value(text, 0)[0]) == json.dumps(value)
    assert read_value(text, 0)[1] == len(text)
    if isinstance(value, dict | list):
        assert literals.skip_value(text + ",", 0) == len(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NONE", None),
        ("True", True),
        ("1f", 1.0),
        ("-2.5dec", -2.5),
        ("12345678901234567890dec", 12345678901234567890),
        ("1_000", 1000),
        ("1h30m5ms", "1h30m5ms"),
        ("u'018f0000-0000-7000-8000-000000000000'", "018f0000-0000-7000-8000-000000000000"),
        ('d"2026-01-02T03:04:05.1Z"', "2026-01-02T03:04:05.100000Z"),
        ("runs:020xh", "runs:020xh"),
        ("⟨a b⟩:⟨x:y⟩", "a b:x:y"),
        ("t:[1, 'a']", "t:[1, 'a']"),
        ("{a:1,b:'x',c:[d:2,],}", {"a": 1, "b": "x", "c": ["d:2"]}),
        (
            "{ true: 1, NONE: 2, \"1\": 3, 'k k': 4, `b`: 5, : 6 }",
            {"true": 1, "NONE": 2, "1": 3, "k k": 4, "b": 5, "": 6},
        ),
        ("/* a */ [ -- b\n 1, # c\n 2 // d\n ]", [1, 2]),
        (r"'\u{1f600}\u00e9\n\t\'\"\\\/'", "😀é\n\t'\"\\/"),
    ],
)
def test_values_beyond_json(text: str, value: Any) -> None:
    assert read_value(text, 0) == (value, len(text))


@given(st.text("{}[](),:;'\"`⟨⟩ \\/*-#a1duNf.$<>=\n", max_size=30))
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    for read in (read_value, literals.skip_value):
        with contextlib.suppress(LiteralError):
            result = read(text, 0)
            assert 0 <= (result if isinstance(result, int) else result[1]) <= len(text)


@needs_engine
def test_the_engine_writes_what_is_read(tmp_path: Path) -> None:
    """The engine's own text of many values, each read back; in a process of its own, as it prints."""
    program = (
        "import json, sys\nfrom surrealdb import Surreal\n"
        "values = json.loads(sys.stdin.buffer.read())\n"
        "with Surreal('mem://') as db:\n    db.use('a', 'b')\n"
        "    print(json.dumps([db.query('RETURN <string>$v', {'v': v}) for v in values]))\n"
    )
    rng = random.Random(11)
    letters = "ab'\"\\`⟨⟩{}[];:-/ \n\té中😀\x01\u2028"

    def drawn(depth: int = 0) -> Any:
        kind = rng.randrange(4 if depth > 2 else 7)
        word = "".join(rng.choices(letters, k=rng.randrange(6)))
        if kind == 0:
            return word
        if kind == 1:
            return rng.choice([True, False, None, 0, -1, 2**63 - 1, -(2**63) + 1])
        if kind == 2:
            return rng.choice([0.5, -0.0, 1e300, 1e-9, 123456789.125, rng.random()])
        if kind == 3:
            return rng.randrange(-1000, 1000)
        if kind == 4:
            return [drawn(depth + 1) for _ in range(rng.randrange(4))]
        return {"".join(rng.choices(letters, k=rng.randrange(1, 6))): drawn(depth + 1) for _ in range(rng.randrange(4))}

    wrapped = [[drawn()] for _ in range(400)]
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(wrapped).encode(), capture_output=True, check=True
    )
    written = json.loads(done.stdout)
    assert len(written) == 400
    for value, text in zip(wrapped, written, strict=True):
        assert read_value(text, 0) == (value, len(text))


# ---------------------------------------------------------------------- folders


def store_at(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORE, tmp_path / "db"))


MANIFEST, LOG = "manifest/00000000000000000000.manifest", "clog/00000000000000000000.clog"


def test_what_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="is no surrealkv folder, expected clog and manifest in it"):
        read_ledger(tmp_path)
    store_at(tmp_path)
    with pytest.raises(ReadError, match=r"did you mean '.*db'") as caught:
        read_ledger(tmp_path, on_bad_lines="skip")
    assert caught.value.path == str(tmp_path)


@needs_engine
@pytest.mark.parametrize("content", [b"", b"x" * 210, None])
def test_a_damaged_manifest(tmp_path: Path, content: bytes | None) -> None:
    store = store_at(tmp_path)
    (store / MANIFEST).write_bytes(content if content is not None else (store / MANIFEST).read_bytes()[:100])
    before = content_of(store)
    with pytest.raises(ReadError, match="cannot be opened by SurrealDB's engine") as caught:
        read_ledger(store, on_bad_lines="skip")
    assert caught.value.path == str(store)
    assert content_of(store) == before


@needs_engine
def test_a_damaged_log_is_told_because_the_engine_drops_what_follows(tmp_path: Path) -> None:
    store = store_at(tmp_path)
    log = bytearray((store / LOG).read_bytes())
    log[50_000:50_050] = b"\xff" * 50
    (store / LOG).write_bytes(log)
    (message,) = problems_of(store)
    assert message.startswith("the store is damaged, and what comes after the damage is lost: ")
    assert 0 < len(read_ledger(store, on_bad_lines="skip").runs) < 36
    assert (store / LOG).read_bytes() == bytes(log)


@needs_engine
def test_a_store_without_the_tables(tmp_path: Path) -> None:
    for part in ("clog", "manifest"):
        (tmp_path / part).mkdir()
    with pytest.raises(ReadError, match="has none of the tables runs and run_events"):
        read_ledger(tmp_path)
    assert not content_of(tmp_path)


@needs_engine
def test_other_names_of_the_database_and_rows_that_are_no_ledger(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom surrealdb import Surreal\n"
        "with Surreal('surrealkv://' + sys.argv[1]) as db:\n"
        "    for database in ('one', 'two'):\n"
        "        db.use('elsewhere', database)\n"
        "        db.query(sys.argv[2].replace('DATABASE', database))\n"
    )
    script = (
        f"INSERT INTO runs {row(RUN, id=..., run_id='DATABASE', git_sha=None, tags={'n': 1.5})};"
        f"INSERT INTO run_events [{row(EVENT, id=..., run_id='DATABASE', payload={'node_id': '😀'})},"
        f"{row(EVENT, id='run_events:bad', seq='x')}];"
    )
    store = tmp_path / "store"
    subprocess.run([sys.executable, "-c", program, str(store), script], capture_output=True, check=True)
    ledger = read_ledger(store, on_bad_lines="skip")
    assert [run.record.run_id for run in ledger.runs] == ["one", "two"]
    assert ledger.get_run("one").metadata.tags == {"n": 1.5}
    assert [found.event.payload for found in ledger.events] == [{"node_id": "😀"}] * 2
    message = "table run_events, record run_events:bad: event.seq is 'x'"
    assert [problem.message[: len(message)] for problem in ledger.problems] == [message] * 2


def test_links_are_not_followed_and_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_at(tmp_path)
    (store / "zero").symlink_to("/dev/zero")
    (store / "up").symlink_to(tmp_path)
    folder._copy(store, tmp_path / "copy")
    assert content_of(tmp_path / "copy") == content_of(STORE)
    monkeypatch.setattr(folder, "LARGEST", 1000)
    with pytest.raises(ReadError, match="more than 1,000 bytes"):
        folder._copy(store, tmp_path / "other")


@needs_engine
def test_an_engine_that_hangs_or_dies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "engine.py"
    program.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(folder.engine, "__file__", str(program))
    monkeypatch.setattr(folder, "_TIMEOUT", 0.5)
    with pytest.raises(ReadError, match="did not answer within"):
        read_ledger(STORE)
    monkeypatch.setattr(folder, "_TIMEOUT", 60.0)
    program.write_text("import os; os.abort()")
    with pytest.raises(ReadError, match="engine ended with -6: it said nothing"):
        read_ledger(STORE)


MAKING = (
    "import sys\nfrom surrealdb import Surreal\n"
    "with Surreal('surrealkv://' + sys.argv[1]) as db:\n    db.use('aivcs', 'main')\n    db.query(sys.argv[2])\n"
)


@needs_engine
def test_code_that_came_with_the_folder_is_not_run(tmp_path: Path) -> None:
    codes = ["{ sleep(30s) }", "{ array::max(array::range(0, 30000000)) }"]
    bad = dict(enumerate(itertools.product(["seq", "payload", "more"], codes), 2))
    script = (
        f"INSERT INTO runs {row(RUN, id=...)}; INSERT INTO run_events {row(EVENT, id='run_events:good')};"
        + ";".join(
            f"CREATE run_events:bad{seq} SET run_id = 'r', seq = {seq}, kind = 'k', payload = {{}}, "
            f"created_at = time::now();"
            f"UPDATE run_events:bad{seq} SET {field} = <future> {code} RETURN NONE"  # or it would be run here
            for seq, (field, code) in bad.items()
        )
    )
    store = tmp_path / "store"
    subprocess.run([sys.executable, "-c", MAKING, str(store), script], capture_output=True, check=True)
    found = read_ledger(store, on_bad_lines="skip")
    assert (len(found.runs), len(found.events)) == (1, 1)
    told = [problem.message for problem in found.problems]
    assert len(told) == len(bad) == 6
    for seq in bad:
        assert sum(f"run_events:bad{seq}" in message for message in told) == 1
    assert all("it holds a <future>, which is code and was not run" in message for message in told)


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "find_spec", lambda _: None)
    with pytest.raises(ReadError, match=r'needs the package surrealdb: pip install "seqkit-py\[surreal\]"'):
        read_ledger(STORE)
    assert len(read_ledger(EXPORT).runs) == 36, "an export needs no engine"


def test_record_links_and_uuid_ids_are_read(tmp_path: Path) -> None:
    text, plain = EXPORT.read_text("utf-8"), read_ledger(EXPORT)
    uuid = "id: run_events:u'0190a3b0-1c2d-7e3f-8a4b-5c6d7e8f9a0b'"
    (tmp_path / "uuids.surql").write_text(re.sub(r"id: run_events:\w+", uuid, text), "utf-8")
    assert len(read_ledger(tmp_path / "uuids.surql").events) == len(plain.events)
    link = re.sub(r"run_id: '1d15503d-724e-680b-0864-83248b18cc8a', seq", "run_id: runs:one, seq", text)
    (tmp_path / "links.surql").write_text(link, "utf-8")
    found = read_ledger(tmp_path / "links.surql", "skip")
    assert len(found.events) + len(found.problems) == len(plain.events)
    assert {type(event.run_id) for event in found.events} == {str}
