"""Records of runs and events from JSON that somebody else wrote, read strictly."""

from __future__ import annotations

import calendar
import contextlib
import re
import sys
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from seqkit._util.strict_json import Unreadable, said
from seqkit._util.words import shortened
from seqkit.core.model import RunEvent, RunId, RunMetadata, RunRecord, RunStatus, RunSummary

__all__ = ["event_from_json", "moment_of", "run_from_json"]

_RFC3339 = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(\.\d+)?"
    r"(?P<zone>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _first_problem(where: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in (where, *first["loc"]))
    if first["type"] == "missing":
        return f"{shortened(place, 100)} is missing"
    return f"{shortened(place, 100)} is {said(first['input'])}: {shortened(first['msg'], 150)}"


def _field(content: dict[str, Any], name: str, where: str) -> Any:
    if name not in content:
        raise Unreadable(f"{where}.{name} is missing")
    return content[name]


def _text(content: dict[str, Any], name: str, where: str) -> str:
    value = _field(content, name, where)
    if not isinstance(value, str):
        raise Unreadable(f"{where}.{name} is {said(value)}, expected text")
    return value


def _moment(content: dict[str, Any], name: str, where: str) -> datetime:
    value = _field(content, name, where)
    try:
        return moment_of(value)
    except ValueError as error:
        why = f" ({error})" if str(error) else ""
        raise Unreadable(
            f'{where}.{name} is {said(value)}{why}, expected a time such as "2026-01-02T03:04:05.000000Z"'
        ) from None


def moment_of(value: object) -> datetime:
    """Read a time of RFC 3339, in UTC; of finer times the microseconds are kept.

    A leap second, 23:59:60 UTC at the end of a month, is read as the last microsecond before it is over: Python's
    times have none, and nothing that comes after it may come before it.

    Raises
    ------
    ValueError
        Saying what is wrong with it; without a word where it is no time at all.

    Examples
    --------
    >>> moment_of("2016-12-31T23:59:60Z").isoformat()
    '2016-12-31T23:59:59.999999+00:00'
    >>> moment_of("2016-12-31T23:59:59")
    Traceback (most recent call last):
    ValueError: it has no zone, Z or an offset such as +01:00
    """
    parts = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        raise ValueError("a date alone" if isinstance(value, str) and _DATE.fullmatch(value) else "")
    if parts["zone"] is not None and parts["second"] != "60":
        with contextlib.suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(parts[0] if parts["zone"] != "z" else parts[0].upper())
            return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return _leap_second(parts)


def _leap_second(parts: re.Match[str]) -> datetime:
    """Read a time that is none in Python, or say what is wrong with it."""
    day, hour, minute, second, zone = (parts[name] for name in ("day", "hour", "minute", "second", "zone"))
    if zone is None:
        raise ValueError("it has no zone, Z or an offset such as +01:00")
    for what, number, most in (("hour", hour, 23), ("minute", minute, 59), ("second", second, 60)):
        if int(number) > most:
            raise ValueError(f"there is no {what} {number}")
    if len(zone) > 1 and (int(zone[1:3]) > 23 or int(zone[4:]) > 59):
        raise ValueError(f"there is no offset {zone}")
    try:
        moment = datetime.fromisoformat(f"{day}T{hour}:{minute}:{min(second, '59')}.999999{zone.upper()}")
    except ValueError:
        raise ValueError(f"there is no day {day}") from None
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("its year is out of range once in UTC, expected 1 to 9999") from None
    if (moment.hour, moment.minute, moment.day) != (23, 59, calendar.monthrange(moment.year, moment.month)[1]):
        raise ValueError("a second 60 is a leap second, which only the last minute of a month has, in UTC")
    return moment


def event_from_json(content: object) -> tuple[RunId, RunEvent]:
    """Read an event and the id of its run from parsed JSON, strictly: no text for a number, no true for 1.

    Raises
    ------
    ValueError
        Naming the field, what is there and what was expected.
    """
    if not isinstance(content, dict):
        raise Unreadable(f"event is {said(content)}, expected an object")
    run_id = _text(content, "run_id", "event")
    content = {**content, "timestamp": _moment(content, "timestamp", "event")}
    payload = content.get("payload")
    if isinstance(payload, dict):
        content["payload"] = {sys.intern(key): _shared(value) for key, value in payload.items()}
    try:
        event = _validate_event(content, strict=True)
    except ValidationError as error:
        raise Unreadable(_first_problem("event", error)) from None
    return sys.intern(str.__str__(run_id)), event  # a record link of the original is a subclass of str


_validate_event = RunEvent.__pydantic_validator__.validate_python


def _shared(value: object) -> object:
    # A ledger says the same few names again and again: one copy of each is a third of the memory.
    return sys.intern(value) if type(value) is str and len(value) < 200 else value


def run_from_json(content: object) -> RunRecord:
    """Read a run's record from parsed JSON, strictly.

    Raises
    ------
    ValueError
        Naming the field, what is there and what was expected.
    """
    if not isinstance(content, dict):
        raise Unreadable(f"run is {said(content)}, expected an object")
    status = _text(content, "status", "run")
    if status not in set(RunStatus):
        raise Unreadable(f"run.status is {said(status)}, expected one of {', '.join(RunStatus)}")
    summary, completed = content.get("summary"), content.get("completed_at")
    where = "run.metadata"
    try:
        metadata = RunMetadata.model_validate(_field(content, "metadata", "run"), strict=True)
        where = "run.summary"
        ending = None if summary is None else RunSummary.model_validate(summary, strict=True)
        where = "run"
        return RunRecord.model_validate(
            {
                "run_id": _text(content, "run_id", "run"),
                "spec_digest": _text(content, "spec_digest", "run"),
                "metadata": metadata,
                "status": RunStatus(status),
                "summary": ending,
                "created_at": _moment(content, "created_at", "run"),
                "completed_at": None if completed is None else _moment(content, "completed_at", "run"),
            },
            strict=True,
        )
    except ValidationError as error:
        raise Unreadable(_first_problem(where, error)) from None
