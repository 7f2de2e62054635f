"""Records and their JSON: every row of the table of JSON forms, both ways, and what is refused."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import seqkit
from seqkit import (
    ContentDigest,
    EvaluationMetadata,
    InvalidDigest,
    Release,
    RepoDependencyGraph,
    RepoNode,
    RepoReleaseStatus,
    RunEvent,
    RunMetadata,
    RunRecord,
    RunStatus,
    RunSummary,
    ScriptedReleaser,
    SequenceItem,
    build_plan,
    run_plan,
)
from seqkit.ledger.story import KINDS, KINDS_BESIDE

RECORDS = [
    json.loads(line) for line in (Path(__file__).parents[1] / "data" / "records.jsonl").read_text("utf-8").splitlines()
]
DIGEST = "0745d416b4f72a68c07e281e5370180a6ca4db1a372ccfcb360720d230a49bdd"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)


def normal(text: str | bytes) -> str:
    return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)


def of_type(name: str) -> list[Any]:
    return [record["json"] for record in RECORDS if record["type"] == name]


@pytest.mark.parametrize("record", RECORDS, ids=[f"{i}-{r['type']}" for i, r in enumerate(RECORDS)])
def test_json_round_trips_byte_for_byte(record: dict[str, Any]) -> None:
    text = json.dumps(record["json"], ensure_ascii=False)
    adapter = TypeAdapter(getattr(seqkit, record["type"]))
    read = adapter.validate_json(text)
    assert normal(adapter.dump_json(read)) == normal(text)
    assert adapter.validate_json(adapter.dump_json(read)) == read
    if hasattr(read, "model_dump_json"):
        assert normal(read.model_dump_json()) == normal(text)
        assert json.loads(json.dumps(read.model_dump(mode="json"))) == record["json"]


def test_every_row_of_the_table_has_a_line() -> None:
    assert {record["type"] for record in RECORDS} >= {
        "RepoReleaseStatus",
        "SequenceItem",
        "RepoNode",
        "ContentDigest",
        "RunStatus",
        "RunMetadata",
        "RunSummary",
        "RunRecord",
        "RunEvent",
    }
    assert set(of_type("RunStatus")) == {status.value for status in RunStatus}
    assert len(of_type("RepoReleaseStatus")) >= 5


# ---------------------------------------------------------------------- time


def event_json(timestamp: str) -> str:
    return json.dumps({"seq": 1, "kind": "NodeEntered", "payload": {}, "timestamp": timestamp})


@pytest.mark.parametrize("digits", ["123456789", "123456999", "1234567"])
def test_digits_finer_than_microseconds_are_truncated(digits: str) -> None:
    event = RunEvent.model_validate_json(event_json(f"2026-01-02T03:04:05.{digits}Z"))
    assert event.timestamp == MOMENT
    assert json.loads(event.model_dump_json())["timestamp"] == "2026-01-02T03:04:05.123456Z"


@pytest.mark.parametrize(
    "text", ["2026-01-02T05:04:05.123456+02:00", "2026-01-01T19:34:05.123456-07:30", "2026-01-02T03:04:05.123456+00:00"]
)
def test_other_offsets_are_written_as_utc(text: str) -> None:
    event = RunEvent.model_validate_json(event_json(text))
    assert event.timestamp == MOMENT
    assert json.loads(event.model_dump_json())["timestamp"] == "2026-01-02T03:04:05.123456Z"


def test_whole_seconds_are_written_with_microseconds() -> None:
    moment = datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    event = RunEvent(seq=1, kind="NodeEntered", payload={}, timestamp=moment)
    assert json.loads(event.model_dump_json())["timestamp"] == "2026-01-02T03:04:05.000000Z"
    assert event.timestamp.utcoffset() is not None


def test_naive_timestamps_are_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        RunEvent.model_validate_json(event_json("2026-01-02T03:04:05.123456"))
    with pytest.raises(ValidationError, match="timezone"):
        RunEvent(seq=1, kind="NodeEntered", payload={}, timestamp=MOMENT.replace(tzinfo=None))
    record = {**of_type("RunRecord")[1], "completed_at": "2026-01-02T03:04:05"}
    with pytest.raises(ValidationError, match="completed_at"):
        RunRecord.model_validate_json(json.dumps(record))


# ---------------------------------------------------------------------- statuses, digests, metadata


@pytest.mark.parametrize(
    "bad",
    [
        "done",
        "SKIPPED",
        "succeeded",
        "failed",
        {"succeeded": {}},
        {"succeeded": {"reason": "x"}},
        {"succeeded": "run-1"},
        {"succeeded": {"run_id": "r", "more": 1}},
        {"succeeded": {"run_id": None}},
        {"succeeded": {"run_id": "r"}, "failed": {"reason": "x"}},
        {"failed": {"run_id": "r"}},
        {"failed": None},
        {"pending": {}},
        {},
        [],
        None,
        3,
    ],
    ids=repr,
)
def test_statuses_that_are_none_are_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        RepoReleaseStatus.model_validate_json(json.dumps(bad))
    with pytest.raises(ValidationError):
        SequenceItem.model_validate_json(json.dumps({"repo_id": "a", "version_label": "1", "status": bad}))


@pytest.mark.parametrize("bad", ["running", "Completed", "DONE", "", None])
def test_run_statuses_that_are_none_are_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        RunRecord.model_validate_json(json.dumps({**of_type("RunRecord")[1], "status": bad}))


BAD_DIGESTS = ["", DIGEST[:-1], DIGEST + "0", DIGEST.upper(), "g" + DIGEST[1:], DIGEST + "\n", "٣" + DIGEST[1:]]


@pytest.mark.parametrize("bad", BAD_DIGESTS, ids=repr)
def test_bad_digests_are_refused(bad: str) -> None:
    with pytest.raises(InvalidDigest, match=r"invalid digest.*64 lowercase hex"):
        ContentDigest(bad)
    for record in (
        {**of_type("RunRecord")[1], "spec_digest": bad},
        {**of_type("RunRecord")[1], "summary": {**of_type("RunSummary")[0], "final_state_digest": bad}},
    ):
        with pytest.raises((ValidationError, InvalidDigest)):
            RunRecord.model_validate_json(json.dumps(record))


def test_digest_is_a_plain_string_of_sha256() -> None:
    assert ContentDigest.of(b"sequence:run-1") == DIGEST
    assert json.dumps(ContentDigest(DIGEST)) == f'"{DIGEST}"'


def test_evaluation_may_be_absent_and_gets_the_defaults() -> None:
    metadata = RunMetadata.model_validate_json('{"git_sha":null,"agent_name":"release-sequencer","tags":{}}')
    assert metadata.evaluation == EvaluationMetadata()
    assert json.loads(metadata.model_dump_json())["evaluation"] == {
        "rubricPath": None,
        "isPromotionGate": False,
        "agentPhase": 0,
    }


def test_agent_name_is_the_originals() -> None:
    assert RunMetadata().agent_name == "release-sequencer"


def test_status_words_compare_equal_only_where_nothing_is_carried() -> None:
    assert RepoReleaseStatus.pending() == "pending" != RepoReleaseStatus.skipped()
    assert RepoReleaseStatus.failed("x") != "failed"
    assert RepoReleaseStatus.failed("x") != RepoReleaseStatus.failed("y")
    assert RepoReleaseStatus.succeeded("x") != RepoReleaseStatus.failed("x")
    same = {RepoReleaseStatus.failed("x"), RepoReleaseStatus.model_validate_json('{"failed":{"reason":"x"}}')}
    assert len(same) == 1
    assert hash(RepoReleaseStatus.pending()) == hash("pending")


def test_node_is_called_by_its_id_where_it_has_no_name() -> None:
    assert RepoNode(repo_id="core").display_name == "core"
    assert RepoNode.model_validate_json('{"repo_id":"core","display_name":null}').display_name == "core"
    assert RepoNode(repo_id="core", display_name="Core").display_name == "Core"


# ---------------------------------------------------------------------- frozen


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (RepoNode(repo_id="a"), "repo_id"),
        (RepoReleaseStatus.pending(), "name"),
        (SequenceItem(repo_id="a", version_label="1"), "status"),
        (RunMetadata(), "git_sha"),
        (EvaluationMetadata(), "agent_phase"),
        (RunSummary(total_events=0, duration_ms=0, success=True), "success"),
        (RunEvent(seq=1, kind="NodeEntered", payload={}, timestamp=MOMENT), "seq"),
        (RunRecord.model_validate(of_type("RunRecord")[0]), "status"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_records_are_frozen(record: Any, field: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(record, field, getattr(record, field))


def test_release_is_frozen_and_checked() -> None:
    release = Release("a", "1")
    with pytest.raises(AttributeError):
        release.repo_id = "b"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Release("a", 1)  # type: ignore[arg-type]


@given(
    st.integers(1),
    st.text(),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5), max_size=3),
    st.datetimes(timezones=st.just(UTC)),
)
def test_an_event_made_without_validation_is_one_like_any_other(
    seq: int, kind: str, payload: dict[str, Any], moment: datetime
) -> None:
    made, validated = (
        RunEvent.made(seq, kind, payload, moment),
        RunEvent(seq=seq, kind=kind, payload=payload, timestamp=moment),
    )
    for one in (made, made.model_copy(), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert one == validated
        assert (repr(one), one.model_dump(), one.model_fields_set) == (
            repr(validated),
            validated.model_dump(),
            validated.model_fields_set,
        )
    assert made.model_copy(update={"seq": seq + 1}).seq == seq + 1 == made.seq + 1


@pytest.mark.parametrize("status", [RepoReleaseStatus.succeeded("x"), RepoReleaseStatus.failed("red")], ids=str)
def test_a_status_made_without_validation_is_one_like_any_other(status: RepoReleaseStatus) -> None:
    validated = RepoReleaseStatus.model_validate_json(status.model_dump_json())
    for one in (status, status.model_copy(), copy.deepcopy(status), pickle.loads(pickle.dumps(status))):
        assert (one, repr(one), one.model_fields_set) == (validated, repr(validated), validated.model_fields_set)


def test_the_docstrings_of_a_record_and_of_an_event_name_all_there_is_and_fit_a_screen() -> None:
    for model, more in (
        (RunRecord, (*RunMetadata.model_fields, *RunSummary.model_fields, *EvaluationMetadata.model_fields)),
        (RunEvent, (*KINDS, *KINDS_BESIDE, "RunClosed")),
    ):
        told = inspect.getdoc(model) or ""
        assert [name for name in (*model.model_fields, *more) if not re.search(rf"`{name}`", told)] == []
        assert len(told.split("Examples")[0].splitlines()) <= 30
        assert max(map(len, told.splitlines())) <= 120


@pytest.mark.parametrize("kind", ["NodeEntered", "NodeRetrying", "NodeFailed", "NodeExited", "NodeSkipped"])
def test_the_docstring_of_an_event_names_what_a_run_writes(kind: str) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("web", "site")]), version="1.0")
    outcome = run_plan(plan, ScriptedReleaser(["core"]), attempts=2)
    assert outcome.ledger is not None
    assert outcome.run_id is not None
    [line] = [line for line in (inspect.getdoc(RunEvent) or "").splitlines() if line.startswith(f"``{kind}``")]
    events = outcome.ledger.get_events(outcome.run_id)
    written = {key for event in events if event.kind == kind for key in event.payload}
    assert written
    assert [key for key in written if key not in re.findall(r"\w+", line)] == []
