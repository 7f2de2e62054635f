"""Rows of a ledger's tables, turned into records and checked: anybody may have written to a database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from seqkit._util.strict_json import parse_all, parse_json
from seqkit.core.model import ContentDigest, RunEvent, RunMetadata, RunRecord, RunStatus, RunSummary
from seqkit.errors import StorageError

__all__ = ["EventColumns", "event_of", "is_storable", "record_of", "refuse_unstorable"]

_SURROGATES = re.compile("[\ud800-\udfff]")


class EventColumns(NamedTuple):
    """Events of one run as columns, ordered by `seq`: much faster to make than a record for each."""

    seq: list[int]
    """Place in the run."""
    kind: list[str]
    """What happened."""
    payload: list[Any]
    """The details, free JSON."""
    timestamp: list[datetime]
    """When it happened, UTC."""

    def add(self, rows: Sequence[Sequence[Any]]) -> int:
        """Add rows of (seq, kind, payload, timestamp), and count the characters of their texts.

        Raises
        ------
        ValueError
            Where one is not readable.
        """
        try:
            seqs, kinds, payloads, moments = zip(*rows, strict=True)
            if (set(map(type, seqs)), set(map(type, kinds)), set(map(type, payloads))) != ({int}, {str}, {str}):
                raise TypeError  # the rows one by one, below, tell which
            if not is_storable("".join(kinds)) or not is_storable("".join(payloads)):
                raise TypeError
            if type(moments[0]) is str:  # as SQLite keeps them
                moments = tuple([datetime.fromisoformat(moment + "+00:00") for moment in moments])
            else:
                moments = tuple([moment.astimezone(UTC) for moment in moments])
            read = parse_all(payloads)
        except (ValueError, TypeError, AttributeError):
            for row in rows:
                event = event_of(row)
                self.seq.append(event.seq)
                self.kind.append(event.kind)
                self.payload.append(event.payload)
                self.timestamp.append(event.timestamp)
            return sum(len(row[1]) + len(row[2]) for row in rows)
        self.seq.extend(seqs)
        self.kind.extend(kinds)
        self.payload.extend(read)
        self.timestamp.extend(moments)
        return sum(map(len, kinds)) + sum(map(len, payloads))

    def events(self) -> list[RunEvent]:
        """Give a record for each."""
        return [
            RunEvent(seq=seq, kind=kind, payload=payload, timestamp=timestamp)
            for seq, kind, payload, timestamp in zip(*self, strict=True)
        ]


def event_of(row: Sequence[Any]) -> RunEvent:
    """Read a row of (seq, kind, payload, timestamp); ValueError says what is wrong with it."""
    seq, kind, payload, moment = row
    if type(seq) is not int:
        raise ValueError(f"event seq {seq!r:.80} is {_type(seq)}, expected a whole number")
    if type(kind) is not str or not is_storable(kind):
        raise ValueError(f"event {seq}: kind is {_type(kind)}, expected text")
    try:
        return RunEvent(seq=seq, kind=kind, payload=_json(payload), timestamp=_moment(moment))
    except ValueError as error:
        raise ValueError(f"event {seq}: {error}") from error


def record_of(row: Any) -> RunRecord:
    """Read a row of `RUN_COLUMNS`; ValueError says what is wrong with it."""
    run_id, spec_digest, metadata, status, summary, created_at, completed_at = row
    if type(run_id) is not str or not is_storable(run_id):
        raise ValueError(f"run id {run_id!r:.80} is {_type(run_id)}, expected text")
    try:
        return RunRecord(
            run_id=run_id,
            spec_digest=ContentDigest(spec_digest),
            metadata=RunMetadata.model_validate(_json(metadata)),
            status=RunStatus(status),
            summary=None if summary is None else RunSummary.model_validate(_json(summary)),
            created_at=_moment(created_at),
            completed_at=None if completed_at is None else _moment(completed_at),
        )
    except (ValueError, TypeError, StorageError) as error:
        raise ValueError(f"run {run_id!r:.200}: {error}") from error


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"timestamp is {value!r:.80}, expected as in 2026-01-02 12:00:00.000000") from error
    if not isinstance(value, datetime):
        raise ValueError(f"timestamp is {value!r:.80}, expected as in 2026-01-02 12:00:00.000000")
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"timestamp is {value}, which is out of range in UTC") from error


def _json(text: object) -> Any:
    if not isinstance(text, str) or not is_storable(text):
        raise ValueError(f"its JSON is {_type(text)}, expected text")
    try:
        return parse_json(text)
    except ValueError as error:
        raise ValueError(f"its JSON cannot be read: {error}") from error


def _type(value: object) -> str:
    if isinstance(value, str):
        return "not UTF-8, or has a NUL character"
    return "missing" if value is None else f"of type {type(value).__name__}"


def is_storable(text: str) -> bool:
    """Tell whether any database can hold this text outside of JSON."""
    return "\0" not in text and (text.isascii() or _SURROGATES.search(text) is None)


def refuse_unstorable(name: str, text: str) -> None:
    """Raise where a database cannot hold a text."""
    if not is_storable(text):
        raise StorageError(
            f"{name} is {text!r:.80}, which a database cannot hold; expected text without NUL and lone surrogates"
        )
