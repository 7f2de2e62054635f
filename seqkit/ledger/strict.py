"""Records of runs and events from JSON that somebody else wrote, read strictly."""

from __future__ import annotations

import calendar
import contextlib
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json

from seqkit._show.html import shortened
from seqkit.core.model import RunEvent, RunId, RunMetadata, RunRecord, RunStatus, RunSummary

__all__ = [
    "DEEPEST",
    "Unreadable",
    "event_from_json",
    "moment_of",
    "parse_all",
    "parse_json",
    "run_from_json",
    "said",
]

DEEPEST = 200
"""How deep objects and lists may be nested in a line."""

_RFC3339 = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(\.\d+)?"
    r"(?P<zone>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Unreadable(ValueError):
    """A text that cannot be read; it says why and what was expected, and where it breaks off in which line of it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Unreadable(f"an object has the key {shortened(repr(twice), 60)} twice, expected it once")
    return made


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not JSON, expected a number or null")


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Unreadable(f"the number {shortened(digits, 40)} is too large to be held")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(value, dict | list) for value in level)


def parse_json(text: str) -> Any:
    """Parse JSON, refusing what other programs would read differently: NaN, a key twice, endless nesting.

    Raises
    ------
    ValueError
        Saying what is wrong.

    Examples
    --------
    >>> parse_json('{"error": "red", "tries": 2}')
    {'error': 'red', 'tries': 2}
    >>> parse_json('{"error": "forged", "error": "red"}')
    Traceback (most recent call last):
    seqkit.ledger.strict.Unreadable: an object has the key 'error' twice, expected it once
    """
    try:
        read = from_json(text, cache_strings="keys", allow_inf_nan=False)
    except ValueError:
        return _strictly(text)
    return read if _is_exact((read,), text) else _strictly(text)


def parse_all(texts: Sequence[str]) -> list[Any]:
    """Parse many texts as :func:`parse_json` does, and faster.

    Raises
    ------
    ValueError
        Saying what is wrong with the first that cannot be read.
    """
    joined = ",\n".join(texts)
    # As one list: no text may have a line break, and none of the objects another inside, so that what stands at the
    # joints, the end of one object and the start of another, stands there in every reading.
    if joined.count("\n") == joined.count("},\n{") == len(texts) - 1 and joined[:1] == "{":
        with contextlib.suppress(ValueError):
            read = from_json(f"[{joined}]", cache_strings="keys", allow_inf_nan=False)
            if len(read) == len(texts) and _is_exact(read, joined, flat=True):
                return list(read)
    return [parse_json(text) for text in texts]


_QUOTE_AND_BLANK = re.compile(r'"[ \n\t\r]')
_PLAIN = {str, int, bool, type(None)}
_WITHIN = {*_PLAIN, float, dict, list}
_INFINITE = (float("inf"), float("-inf"))


def _is_exact(read: Sequence[Any], text: str, flat: bool = False) -> bool:
    """Tell for certain that pydantic's parser, several times faster, has read what the strict one reads.

    It takes the last of two keys, infinity for 1e400, and a level more. Where no quote is followed by a blank, a text
    has at most as many keys as quotes before a colon; where so many were read, none was there twice. Else nobody
    knows: a message may say anything. With `flat` objects have lists of plain values at most.
    """
    if _QUOTE_AND_BLANK.search(text):
        return False
    keys, level = text.count('":'), read
    for depth in range(DEEPEST):
        kinds = set(map(type, level))
        if kinds <= _PLAIN:
            return not keys
        if flat and (dict in kinds) != (depth == 0):
            return False
        if not kinds <= _WITHIN or (float in kinds and any(number in level for number in _INFINITE)):
            return False
        below: list[Any] = []
        if dict in kinds:
            dicts = level if len(kinds) == 1 else [value for value in level if type(value) is dict]
            keys -= sum(map(len, dicts))
            below += chain.from_iterable(map(dict.values, dicts))
        if list in kinds:
            lists = level if len(kinds) == 1 else [value for value in level if type(value) is list]
            below += chain.from_iterable(lists)
        level = below
    return False


def _strictly(text: str) -> Any:
    try:
        content = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    except RecursionError:
        raise Unreadable(f"is nested too deeply, expected at most {DEEPEST} levels") from None
    except Unreadable:
        raise
    except ValueError as error:  # a whole number with more digits than Python converts
        raise Unreadable(f"is not usable JSON: {error}") from None
    if text.count("[") + text.count("{") > DEEPEST and _deeper_than(content, DEEPEST):
        raise Unreadable(f"is nested too deeply, expected at most {DEEPEST} levels")
    return content


def said(value: object) -> str:
    """Say what a JSON value is, in one short phrase; containers are not printed, whatever their size."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return shortened(repr(value), 60)


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
