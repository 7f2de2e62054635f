"""Runs as OpenTelemetry traces, after its conventions for CI/CD: see :func:`to_otel`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from seqkit._util.files import replacing
from seqkit._util.secrets import as_given, shown
from seqkit._util.warned import warn_caller
from seqkit._util.words import plural, quoted
from seqkit.core.ids import is_blank
from seqkit.core.model import RunStatus
from seqkit.errors import Backend
from seqkit.ledger.attempt_rows import AttemptsLike, attempt_rows, runs_of
from seqkit.ledger.attempts import CANCELLED, IN_DOUBT, AttemptRow, run_status

__all__ = ["to_otel"]

_SERVER, _INTERNAL = 2, 1  # kinds of spans
_ERROR = 2  # a status
_RESULTS = {RunStatus.COMPLETED: "success", RunStatus.FAILED: "failure", RunStatus.CANCELLED: "cancellation"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_otel(
    ledger: AttemptsLike, path: str | os.PathLike[str] | None = None, pipeline: str = "release"
) -> dict[str, Any]:
    """Give the runs of a ledger as OpenTelemetry spans in OTLP/JSON, after the conventions for CI/CD.

    A run is a trace. Its first span, ``RUN release``, is the run; each attempt that has a start and an end is a span
    below it, ``RUN core``. Ids are digests of the run, the repo and the attempt: the same ledger gives the same ones.

    Parameters
    ----------
    ledger : RunLedger, path, URL or DataFrame
        A ledger of any kind, or what :func:`seqkit.attempts_frame` gave.
    path : str or path, optional
        A file to write it to as well, in one line, as the file receiver of OpenTelemetry's collector reads it.
    pipeline : str
        What the runs are runs of: ``cicd.pipeline.name``, and the name of the service.

    Returns
    -------
    dict
        ``{"resourceSpans": […]}``, a resource a run, in the order of the frame. Times are nanoseconds since 1970, as
        text.

        - Of the resource: ``service.name``, ``cicd.pipeline.name``, ``cicd.pipeline.run.id``.
        - Of a run: the last two again, ``cicd.pipeline.result`` (``success``; ``failure`` where a repo failed to the
          end; ``cancellation`` where it was ended before its end; missing while it goes on) and ``seqkit.train``. It
          links to the run before it of the same train. It begins and ends with the first and last time that its
          attempts tell.
        - Of an attempt: ``cicd.pipeline.task.name`` (the repo), ``cicd.pipeline.task.run.id`` (``core#2``),
          ``cicd.pipeline.task.run.result``, ``seqkit.attempt``, and where they are known ``seqkit.version`` and
          ``seqkit.released_as``. A failed one has the status ERROR with its reason, and the ``error.type``
          ``_OTHER``, or ``in_doubt`` where nobody knows whether it is out all the same.

    Raises
    ------
    ValueError
        Where a frame is none of attempts, or `pipeline` is empty.
    StorageError
        Where the file cannot be written.

    Warns
    -----
    UserWarning
        Where runs are left out that tell no time at all.

    Notes
    -----
    What a span cannot be is an event of the run's span: ``seqkit.not_tried`` of a repo that was not tried, at the run's
    end, with its ``seqkit.status`` and ``seqkit.blocked_by``; ``seqkit.attempt`` of an attempt without a start or an
    end (one that is under way or was cut off, or of which nobody told), at the time that it has, else at the run's
    start. Lost are the plan, who needs whom, and the address of a task's run, which the conventions ask for.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0}, rng=7)
    >>> spans = to_otel(outcome.ledger)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    >>> [(span["name"], span["status"].get("code")) for span in spans]
    [('RUN release', 2), ('RUN core', 2)]
    >>> [event["name"] for event in spans[0]["events"]]
    ['seqkit.not_tried']
    """
    if not isinstance(pipeline, str) or is_blank(pipeline):
        raise ValueError(f"pipeline is {as_given(pipeline)}, expected a name for what the runs are runs of")
    made = []
    timeless: list[str] = []
    last_of_train: dict[str, tuple[str, str]] = {}
    for run_id, rows in runs_of(attempt_rows(ledger)).items():
        times = [at for row in rows for at in (row.started_at, row.finished_at) if at is not None]
        if not times:
            timeless.append(run_id)
            continue
        train = next((row.train for row in rows if row.train is not None), None)
        spans = list(_spans(run_id, rows, min(times), max(times), pipeline))
        head = spans[0]
        if train is not None:
            head["attributes"].append(_attribute("seqkit.train", train))
            before = last_of_train.get(train)
            if before is not None:
                head["links"] = [{"traceId": before[0], "spanId": before[1]}]
            last_of_train[train] = head["traceId"], head["spanId"]
        facts = {"service.name": pipeline, "cicd.pipeline.name": pipeline, "cicd.pipeline.run.id": run_id}
        scopes = [{"scope": {"name": "seqkit"}, "spans": spans}]
        made.append({"resource": {"attributes": _attributes(facts)}, "scopeSpans": scopes})
    if timeless:
        warn_caller(f"{plural(len(timeless), 'run')} without any time left out: {quoted(timeless, 3)}", UserWarning)
    document = {"resourceSpans": made}
    if path is not None:
        _write(document, path)
    return document


def _write(document: dict[str, Any], path: str | os.PathLike[str]) -> None:
    try:
        with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
            json.dump(document, file, separators=(",", ":"))
            file.write("\n")
    except OSError as error:
        raise Backend(f"{shown(os.fspath(path))}: cannot be written: {error.strerror or error}") from None


def _spans(
    run_id: str, rows: Sequence[AttemptRow], start: datetime, end: datetime, pipeline: str
) -> Iterator[dict[str, Any]]:
    """Give the span of a run, and those of its attempts."""
    trace, root = _id(16, run_id), _id(8, run_id)
    result = _RESULTS.get(run_status(rows))
    events: list[dict[str, Any]] = []
    head = {
        "traceId": trace,
        "spanId": root,
        "name": f"RUN {pipeline}",
        "kind": _SERVER,
        "startTimeUnixNano": _nanoseconds(start),
        "endTimeUnixNano": _nanoseconds(end),
        "attributes": _attributes(
            {
                "cicd.pipeline.name": pipeline,
                "cicd.pipeline.run.id": run_id,
                "cicd.pipeline.action.name": "RUN",
                "cicd.pipeline.result": result,
                "error.type": "_OTHER" if result == "failure" else None,
            }
        ),
        "events": events,
        "status": {"code": _ERROR} if result == "failure" else {},
    }
    below: list[dict[str, Any]] = []
    seen: dict[tuple[str, int | None], int] = {}
    for row in rows:
        key = row.repo_id, row.attempt
        seen[key] = seen.get(key, 0) + 1  # a frame may have a row twice, and no two spans one id
        facts = _facts(row)
        if row.attempt is None:
            events.append(_event("seqkit.not_tried", end, facts))
        elif row.started_at is None or row.finished_at is None or row.finished_at < row.started_at:
            events.append(_event("seqkit.attempt", row.started_at or row.finished_at or start, facts))
        else:
            failed = row.status == "failed"
            below.append(
                {
                    "traceId": trace,
                    "spanId": _id(8, run_id, row.repo_id, row.attempt, seen[key]),
                    "parentSpanId": root,
                    "name": f"RUN {row.repo_id}",
                    "kind": _INTERNAL,
                    "startTimeUnixNano": _nanoseconds(row.started_at),
                    "endTimeUnixNano": _nanoseconds(row.finished_at),
                    "attributes": _attributes(facts),
                    "status": {"code": _ERROR, "message": row.reason or ""} if failed else {},
                }
            )
    yield head
    yield from below


def _facts(row: AttemptRow) -> dict[str, Any]:
    """Give the attributes of a row, those that nobody knows as None."""
    failed = row.status == "failed"
    result = {"succeeded": "success", "failed": "failure"}.get(row.status)
    if row.attempt is None:
        result = "skip"
    elif row.detail == CANCELLED:
        result = "cancellation"
    return {
        "cicd.pipeline.task.name": row.repo_id,
        "cicd.pipeline.task.run.id": None if row.attempt is None else f"{row.repo_id}#{row.attempt}",
        "cicd.pipeline.task.run.result": result,
        "error.type": (IN_DOUBT if row.detail == IN_DOUBT else "_OTHER") if failed else None,
        "seqkit.attempt": row.attempt,
        "seqkit.status": row.status,
        "seqkit.detail": row.detail,
        "seqkit.version": row.version,
        "seqkit.released_as": row.released_as,
        "seqkit.blocked_by": list(row.blocked_by) or None,
    }


def _event(name: str, at: datetime, facts: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": _nanoseconds(at), "attributes": _attributes(facts)}


def _attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [_attribute(key, value) for key, value in facts.items() if value is not None]


def _attribute(key: str, value: str | int | list[str]) -> dict[str, Any]:
    return {"key": key, "value": _any_value(value)}


def _any_value(value: str | int | list[str]) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_any_value(entry) for entry in value]}}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def _id(size: int, *parts: str | int) -> str:
    text = json.dumps([size, *parts])  # so that no two lists of parts are one text
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * size]


def _nanoseconds(at: datetime) -> str:
    return str((at - _EPOCH) // _MICROSECOND * 1000)
