"""Exports for other tools: OpenTelemetry's spans, and event logs with pm4py's names."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import (
    Backend,
    MemoryRunLedger,
    RepoDependencyGraph,
    VirtualClock,
    attempts_frame,
    build_plan,
    ledger_from_frame,
    resume_plan,
    run_plan,
    to_ocel_frames,
    to_otel,
    to_xes_frame,
    write_ledger,
)
from seqkit.ledger.attempts import AttemptRow, frame_of

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")], nodes=["docs"])


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def row(
    repo: str,
    status: str,
    attempt: int | None = None,
    start: float | None = None,
    end: float | None = None,
    run: str = "1",
    **more: Any,
) -> AttemptRow:
    began, ended = (None if minutes is None else at(minutes) for minutes in (start, end))
    given: dict[str, Any] = {"train": None, "version": None, "reason": None, "blocked_by": (), "released_as": None}
    given |= {"detail": None, "attempt": attempt, "status": status, **more}
    return AttemptRow(run, repo_id=repo, started_at=began, finished_at=ended, **given)


ROWS = [
    row("core", "failed", 1, 0, 5, reason="red", version="1.0"),
    row("core", "succeeded", 2, 6, 9, version="1.0", released_as="core-1.0"),
    row("docs", "failed", 1, 0, 2, detail="in_doubt"),
    row("api", "failed", 1, 9, 11, reason="red"),
    row("app", "blocked", blocked_by=["api"]),
]


def trains() -> Any:
    """A run that fails, and one that goes on with it."""
    ledger = MemoryRunLedger(ids=["first", "second"], clock=VirtualClock(START))
    plan = build_plan(GRAPH, version="1.0")
    run_plan(plan, {"api": 1.0}, ledger=ledger, rng=7, attempts=2, clock=VirtualClock(START))
    run_plan(resume_plan(ledger, "first"), 0.0, ledger=ledger, rng=7, clock=VirtualClock(at(60)))
    return ledger


def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    def plain(value: dict[str, Any]) -> Any:
        ((kind, own),) = value.items()
        return {
            "stringValue": lambda: own,
            "intValue": lambda: int(own),
            "arrayValue": lambda: [plain(entry) for entry in own["values"]],
        }[kind]()

    made = {entry["key"]: plain(entry["value"]) for entry in attributes}
    assert len(made) == len(attributes)
    return made


def spans_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [span for one in document["resourceSpans"] for scope in one["scopeSpans"] for span in scope["spans"]]


def check_otel(document: dict[str, Any]) -> None:
    """Hold what a receiver expects: ids that hold together, times in order, values of known kinds."""
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    spans = spans_of(document)
    ids = {(span["traceId"], span["spanId"]) for span in spans}
    assert len(ids) == len(spans)
    for one in document["resourceSpans"]:
        head, *below = one["scopeSpans"][0]["spans"]
        assert "parentSpanId" not in head
        assert {(span["traceId"], span["parentSpanId"]) for span in below} <= {(head["traceId"], head["spanId"])}
        for span in (head, *below):
            start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
            assert int(head["startTimeUnixNano"]) <= start <= end <= int(head["endTimeUnixNano"])
            assert len(bytes.fromhex(span["traceId"])) == 16
            assert len(bytes.fromhex(span["spanId"])) == 8
            values(span["attributes"])
            for event in span.get("events", ()):
                assert event["timeUnixNano"].isdigit()
                values(event["attributes"])
            for link in span.get("links", ()):
                assert (link["traceId"], link["spanId"]) in ids
        values(one["resource"]["attributes"])


# ---------------------------------------------------------------------- OpenTelemetry


def test_a_run_is_a_trace_and_an_attempt_a_span() -> None:
    document = to_otel(frame_of(ROWS), pipeline="nightly")
    check_otel(document)
    (one,) = document["resourceSpans"]
    assert values(one["resource"]["attributes"]) == {
        "service.name": "nightly",
        "cicd.pipeline.name": "nightly",
        "cicd.pipeline.run.id": "1",
    }
    head, *below = spans_of(document)
    assert (head["name"], head["kind"], head["status"]) == ("RUN nightly", 2, {"code": 2})
    assert values(head["attributes"]) == {
        "cicd.pipeline.name": "nightly",
        "cicd.pipeline.run.id": "1",
        "cicd.pipeline.action.name": "RUN",
        "cicd.pipeline.result": "failure",
        "error.type": "_OTHER",
    }
    assert int(head["endTimeUnixNano"]) - int(head["startTimeUnixNano"]) == 11 * 60 * 10**9
    assert int(head["startTimeUnixNano"]) == int(START.timestamp()) * 10**9
    told = [values(span["attributes"]) for span in below]
    assert [facts["cicd.pipeline.task.run.id"] for facts in told] == ["core#1", "docs#1", "core#2", "api#1"]
    assert told[0] == {
        "cicd.pipeline.task.name": "core",
        "cicd.pipeline.task.run.id": "core#1",
        "cicd.pipeline.task.run.result": "failure",
        "error.type": "_OTHER",
        "seqkit.attempt": 1,
        "seqkit.status": "failed",
        "seqkit.version": "1.0",
    }
    assert below[0]["status"] == {"code": 2, "message": "red"}
    assert told[1]["error.type"] == "in_doubt"
    assert below[2]["status"] == {}
    assert told[2]["seqkit.released_as"] == "core-1.0"
    assert all(span["kind"] == 1 for span in below)


def test_what_was_not_tried_is_an_event_of_the_run() -> None:
    head = spans_of(to_otel(frame_of(ROWS)))[0]
    (event,) = head["events"]
    assert event["name"] == "seqkit.not_tried"
    assert event["timeUnixNano"] == head["endTimeUnixNano"]
    assert values(event["attributes"]) == {
        "cicd.pipeline.task.name": "app",
        "cicd.pipeline.task.run.result": "skip",
        "seqkit.status": "blocked",
        "seqkit.blocked_by": ["api"],
    }


def test_what_has_no_start_or_no_end_is_an_event_too() -> None:
    rows = [
        row("core", "succeeded", 1, 0, 5),
        row("api", "in_progress", 1, 5),
        row("docs", "succeeded", 1, None, 3),
        row("app", "failed", 1),
        row("late", "failed", 1, 4, 2),
    ]
    document = to_otel(frame_of(rows))
    check_otel(document)
    head, *below = spans_of(document)
    assert [span["name"] for span in below] == ["RUN core"]
    events = {values(event["attributes"])["cicd.pipeline.task.name"]: event for event in head["events"]}
    assert {event["name"] for event in events.values()} == {"seqkit.attempt"}
    first = int(START.timestamp())
    seconds = {repo: int(event["timeUnixNano"]) // 10**9 - first for repo, event in events.items()}
    assert seconds == {"api": 300, "docs": 180, "app": 0, "late": 240}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("core", "succeeded", 1, 0, 1)], "success"),
        ([row("core", "failed", 1, 0, 1), row("core", "succeeded", 2, 1, 2)], "success"),
        ([row("core", "failed", 1, 0, 1)], "failure"),
        ([row("core", "failed", 1, 0, 1), row("api", "stopped")], "failure"),
        ([row("core", "succeeded", 1, 0, 1), row("api", "stopped")], "cancellation"),
        ([row("core", "in_progress", 1, 0, detail="cancelled")], "cancellation"),
        ([row("core", "in_progress", 1, 0)], None),
        ([row("core", "succeeded", 1, 0, 1), row("api", "pending")], None),
    ],
)
def test_the_result_of_a_run(rows: list[AttemptRow], expected: str | None) -> None:
    head = spans_of(to_otel(frame_of(rows)))[0]
    assert values(head["attributes"]).get("cicd.pipeline.result") == expected
    assert head["status"] == ({"code": 2} if expected == "failure" else {})


def test_runs_of_a_train_are_linked() -> None:
    document = to_otel(trains())
    check_otel(document)
    first, second = (one["scopeSpans"][0]["spans"][0] for one in document["resourceSpans"])
    assert "links" not in first
    assert second["links"] == [{"traceId": first["traceId"], "spanId": first["spanId"]}]
    assert values(first["attributes"])["seqkit.train"] == values(second["attributes"])["seqkit.train"]
    assert values(first["attributes"])["cicd.pipeline.result"] == "failure"
    assert values(second["attributes"])["cicd.pipeline.result"] == "success"


def test_ids_are_the_same_each_time_and_differ_between_runs() -> None:
    one, again = to_otel(frame_of(ROWS)), to_otel(frame_of(ROWS))
    assert one == again
    other = to_otel(frame_of([each._replace(run_id="2") for each in ROWS]))
    assert not {span["spanId"] for span in spans_of(one)} & {span["spanId"] for span in spans_of(other)}
    twice = to_otel(frame_of([*ROWS, ROWS[0]]))
    check_otel(twice)


def test_a_run_without_any_time_is_left_out_and_said() -> None:
    rows = [*ROWS, row("core", "succeeded", 1, run="2"), row("api", "pending", run="2")]
    with pytest.warns(UserWarning, match="1 run without any time left out: '2'"):
        document = to_otel(frame_of(rows))
    assert len(document["resourceSpans"]) == 1


def test_it_is_written_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "spans.json"
    ledger = tmp_path / "runs.jsonl"
    write_ledger(trains(), ledger)
    document = to_otel(ledger, path)
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert json.loads(text) == document
    with pytest.raises(Backend, match="cannot be written"):
        to_otel(ledger, tmp_path / "nowhere" / "spans.json")


@pytest.mark.parametrize("pipeline", ["", " ", None])
def test_a_pipeline_has_a_name(pipeline: Any) -> None:
    with pytest.raises(ValueError, match=r"pipeline is .*, expected a name"):
        to_otel(frame_of(ROWS), pipeline=pipeline)


def test_an_empty_ledger() -> None:
    assert to_otel(MemoryRunLedger()) == {"resourceSpans": []}
    assert to_xes_frame(MemoryRunLedger()).dtypes.equals(to_xes_frame(frame_of(ROWS)).dtypes)
    for empty, full in zip(to_ocel_frames(MemoryRunLedger()), to_ocel_frames(frame_of(ROWS)), strict=True):
        assert len(empty) == 0
        assert empty.dtypes.equals(full.dtypes)


# ---------------------------------------------------------------------- event logs


def test_the_log_of_a_run() -> None:
    log = to_xes_frame(frame_of(ROWS))
    assert list(log.columns) == [
        "case:concept:name",
        "case:train",
        "concept:name",
        "concept:instance",
        "lifecycle:transition",
        "time:timestamp",
        "attempt",
        "status",
        "version",
        "reason",
        "released_as",
    ]
    told = log[["concept:instance", "lifecycle:transition", "reason"]].astype(object).where(log.notna(), None)
    assert told.to_numpy().tolist() == [
        ["core#1", "start", None],
        ["docs#1", "start", None],
        ["docs#1", "complete", None],
        ["core#1", "complete", "red"],
        ["core#2", "start", None],
        ["core#2", "complete", None],  # ends when api starts: what ends goes first
        ["api#1", "start", None],
        ["api#1", "complete", "red"],
    ]
    assert str(log["time:timestamp"].dtype) == "datetime64[us, UTC]"
    assert str(log["attempt"].dtype) == "Int64"


def test_what_takes_no_time_starts_before_it_ends() -> None:
    log = to_xes_frame(frame_of([row("b", "succeeded", 1, 0, 0), row("a", "succeeded", 1, 0, 0)]))
    assert log["concept:name"].tolist() == ["a", "a", "b", "b"]
    assert log["lifecycle:transition"].tolist() == ["start", "complete"] * 2


def test_attempts_without_a_time_are_left_out_and_said() -> None:
    frame = frame_of([row("core", "succeeded", 1), row("api", "succeeded", 1, None, 3)])
    with pytest.warns(UserWarning, match="1 attempt without a time left out: 'core#1'"):
        log = to_xes_frame(frame)
    assert log["lifecycle:transition"].tolist() == ["complete"]
    with pytest.warns(UserWarning, match="1 attempt without a time"):
        events, objects, _ = to_ocel_frames(frame)
    assert events["ocel:activity"].tolist() == ["succeeded"]
    assert objects["ocel:oid"].tolist() == ["repo:api", "repo:core", "run:1"]


def test_the_object_centric_log() -> None:
    events, objects, relations = to_ocel_frames(trains())
    assert list(events.columns[:3]) == ["ocel:eid", "ocel:activity", "ocel:timestamp"]
    assert list(objects.columns[:2]) == ["ocel:oid", "ocel:type"]
    assert list(relations.columns) == [
        "ocel:eid",
        "ocel:oid",
        "ocel:qualifier",
        "ocel:activity",
        "ocel:timestamp",
        "ocel:type",
    ]
    assert len(set(events["ocel:eid"])) == len(events)  # not is_unique: pandas 2.2 stops reading at a zero byte
    assert objects["ocel:oid"].is_unique
    assert set(relations["ocel:eid"]) == set(events["ocel:eid"])
    assert set(relations["ocel:oid"]) <= set(objects["ocel:oid"])
    assert objects["ocel:type"].value_counts().to_dict() == {"repo": 4, "run": 2, "train": 1}
    assert (relations.groupby("ocel:eid").size() == 3).all()  # its repo, its run and its train
    joined = relations.merge(events, on="ocel:eid", suffixes=("", ":event"))
    assert (joined["ocel:activity"] == joined["ocel:activity:event"]).all()
    assert (joined["ocel:timestamp"] == joined["ocel:timestamp:event"]).all()
    kinds = dict(zip(objects["ocel:oid"], objects["ocel:type"], strict=True))
    assert relations["ocel:oid"].map(kinds).tolist() == relations["ocel:type"].tolist()
    assert set(events["ocel:activity"]) == {"started", "failed", "succeeded"}


def test_events_of_rows_that_are_there_twice_have_ids_of_their_own() -> None:
    events, _, relations = to_ocel_frames(frame_of([ROWS[0], ROWS[0]]))
    assert len(set(events["ocel:eid"])) == len(events)  # not is_unique: pandas 2.2 stops reading at a zero byte
    assert set(relations["ocel:eid"]) == set(events["ocel:eid"])


# ---------------------------------------------------------------------- what they take


def test_a_ledger_its_frame_and_one_made_of_it_give_the_same() -> None:
    ledger = trains()
    frame = attempts_frame(ledger)
    again = ledger_from_frame(frame)
    assert to_otel(ledger) == to_otel(frame) == to_otel(again)
    pd.testing.assert_frame_equal(to_xes_frame(ledger), to_xes_frame(frame))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("status", "red", "whose status is 'red' in row 1, expected one of pending, in_progress"),
        ("status", None, "whose status is missing in row 1, expected text"),
        ("run_id", 7, "whose run_id is 7 in row 1, expected text"),
        ("started_at", datetime(2026, 1, 5), "in row 1, expected a time with a zone"),  # the fault
        ("started_at", "10:00", "whose started_at is '10:00' in row 1, expected a time with a zone"),
        ("attempt", 0, "whose attempt is 0 in row 1, expected a whole number from 1"),
        ("attempt", 1.5, "whose attempt is 1.5 in row 1, expected a whole number from 1"),
        ("attempt", "x", "whose attempt is 'x' in row 1, expected a whole number from 1"),
        ("attempt", float("inf"), "whose attempt is inf in row 1, expected a whole number from 1"),
        ("blocked_by", "api", "whose blocked_by is 'api' in row 1, expected a list of repos"),
        ("reason", 7, "whose reason is 7 in row 1, expected text"),
    ],
)
def test_frames_that_are_none_of_attempts(column: str, value: Any, expected: str) -> None:
    frame = frame_of(ROWS).astype(object)
    frame[column] = [value, *frame[column].tolist()[1:]]
    with pytest.raises(ValueError, match="ledger is a frame") as caught:
        to_otel(frame)
    assert expected in str(caught.value)


def test_frames_that_lack_columns() -> None:
    frame = frame_of(ROWS)
    with pytest.raises(ValueError, match="without the columns 'train', expected those of attempts_frame"):
        to_xes_frame(frame.drop(columns="train"))
    with pytest.raises(ValueError, match="several columns 'train', expected one"):
        to_ocel_frames(pd.concat([frame, frame[["train"]]], axis=1))


ANY_ROW = st.builds(
    row,
    repo=st.sampled_from(["core", "api#1", 'é"\n', "\0"]),
    status=st.sampled_from(["succeeded", "failed", "in_progress"]),
    attempt=st.integers(1, 3),
    start=st.none() | st.integers(0, 5),
    end=st.none() | st.integers(0, 5),
    run=st.sampled_from(["1", "2"]),
    train=st.none() | st.sampled_from(["t", "t/1"]),
    reason=st.none() | st.text(max_size=3),
)


@pytest.mark.filterwarnings("ignore:.* left out")
@given(st.lists(ANY_ROW, max_size=8))
def test_whatever_attempts_are_what_is_exported_holds_together(rows: list[AttemptRow]) -> None:
    frame = frame_of(rows)
    check_otel(to_otel(frame))
    log = to_xes_frame(frame)
    told = sum(at is not None for each in rows for at in (each.started_at, each.finished_at))
    assert len(log) == told
    assert all(own["time:timestamp"].is_monotonic_increasing for _, own in log.groupby("case:concept:name"))
    events, objects, relations = to_ocel_frames(frame)
    assert len(events) == told
    assert len(set(events["ocel:eid"])) == len(events)  # not is_unique: pandas 2.2 stops reading at a zero byte
    assert set(relations["ocel:oid"]) <= set(objects["ocel:oid"])
