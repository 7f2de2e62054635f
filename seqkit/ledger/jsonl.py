"""Ledgers as JSON Lines: ``{"run": …}`` and ``{"event": …}``, an object a line, gzipped by name.

Reading and writing stream: a line at a time, so that memory holds what is kept and no more.
What a file may ask of the reader is bounded by the constants below, and by those of :mod:`seqkit._util.gzipped`.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from seqkit._util.files import replacing
from seqkit._util.gzipped import is_gzipped, unpacked
from seqkit._util.secrets import shown
from seqkit._util.strict_json import DEEPEST, Unreadable, parse_json, said
from seqkit.core.model import RunEvent, RunId, RunRecord, utc_text
from seqkit.errors import Backend, ReadError, SeqkitError, StorageError
from seqkit.ledger.base import RunLedger
from seqkit.ledger.collecting import Found, OnBadLines, collected, opened
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.strict import event_from_json, run_from_json

__all__ = [
    "compact_json",
    "event_from_json",
    "event_line",
    "metadata_text",
    "payload_text",
    "read_jsonl",
    "run_from_json",
    "run_line",
    "write_jsonl",
]

_T = TypeVar("_T")

LONGEST_LINE = 32 * 2**20
"""Bytes that a line may have: enough for the plan of 100,000 repos in the tags of its run."""

LONGEST_SKIPPED = 2 * 2**30
"""Bytes of a line that is too long, after which the next is not looked for: a file may be a terabyte of nothing."""

_FORM = 'expected {"run": {…}} or {"event": {…}}'


# ---------------------------------------------------------------------- reading


def read_jsonl(path: str | os.PathLike[str], on_bad_lines: OnBadLines = "error") -> FoundLedger:
    """Read a ledger in JSON Lines, gzipped where the name ends in ``.gz``; see :func:`seqkit.read_ledger`."""
    return collected(_lines_of, path, on_bad_lines)


def _lines_of(path: str) -> Found:
    """Read a file line by line: what stands there, and a :class:`Problem` for what cannot be read.

    Empty lines are passed over. After a long or broken line reading goes on with the next; where the
    file itself breaks off (a cut gzip file) it ends.

    Raises
    ------
    ReadError
        Where the file as a whole cannot be read: missing, empty, or compressed although its name does not say so.
    """
    zipped = path.lower().endswith(".gz")
    number = 0
    with opened(path, path) as raw:
        if raw.peek(2)[:2] and zipped != is_gzipped(raw):
            told = "is not gzipped; name it *.jsonl" if zipped else "is gzipped; name it *.jsonl.gz"
            raise ReadError(path, None, told)
        try:
            for number, line in enumerate(_raw_lines(raw, zipped), 1):
                found = _found(line, number, path)
                if found is not None:
                    yield found
        except Unreadable as error:
            yield Problem(path, number + 1, str(error))
            return
        except OSError as error:
            raise ReadError(path, number + 1, f"cannot be read: {error.strerror or error}") from error
    if not number:
        raise ReadError(path, None, f"is empty, {_FORM} on each line")


def _found(line: bytes | None, number: int, path: str) -> FoundRun | FoundEvent | Problem | None:
    try:
        if line is None:
            raise Unreadable(f"is longer than {LONGEST_LINE >> 20} MB")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            return None
        found = _record(line)
    except (Unreadable, SeqkitError) as error:
        return Problem(path, number, str(error))
    if isinstance(found, RunRecord):
        return FoundRun(found, path, number)
    return FoundEvent(found[0], found[1], path, number)


def _record(line: bytes) -> RunRecord | tuple[RunId, RunEvent]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"byte 0x{line[error.start]:02x} is not UTF-8 (byte {error.start + 1} of the line)") from None
    content = parse_json(text)
    if not isinstance(content, dict):
        raise Unreadable(f"is {said(content)}, {_FORM}")
    if ("run" in content) == ("event" in content):
        raise Unreadable(f"is {'both a run and an event' if 'run' in content else 'neither run nor event'}, {_FORM}")
    return run_from_json(content["run"]) if "run" in content else event_from_json(content["event"])


def _raw_lines(raw: io.BufferedReader, zipped: bool) -> Iterator[bytes | None]:
    """Give the lines; None for one that is too long, which is never in memory as a whole."""
    inside = False  # of a line that is too long
    length = 0
    for piece in _pieces(raw, zipped):
        began = not inside
        length = len(piece) if began else length + len(piece)
        if length > LONGEST_SKIPPED:
            raise Unreadable(f"is longer than {LONGEST_SKIPPED >> 30} GB; nothing from here on was read")
        inside = len(piece) > LONGEST_LINE and not piece.endswith(b"\n") if began else not piece.endswith(b"\n")
        if began:
            yield piece if len(piece) <= LONGEST_LINE else None


def _pieces(raw: io.BufferedReader, zipped: bool) -> Iterator[bytes]:
    if not zipped:
        while piece := raw.readline(LONGEST_LINE + 1):
            yield piece
        return
    yield from unpacked(raw, lambda content: content.readline(LONGEST_LINE + 1))


# ---------------------------------------------------------------------- writing


def write_jsonl(ledger: RunLedger, path: str) -> None:
    """Write a ledger as JSON Lines, gzipped where the name ends in ``.gz``; see :func:`seqkit.write_ledger`."""
    try:
        with replacing(path) as draft, draft.open("wb") as raw:
            if path.lower().endswith(".gz"):  # no name and no time inside: the same ledger gives the same bytes
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as file:
                    _write(ledger, file)
            else:
                _write(ledger, raw)
    except OSError as error:
        raise Backend(f"{shown(path)}: cannot be written: {error.strerror or error}") from None


def _write(ledger: RunLedger, file: Any) -> None:
    empty = True
    for line in _found_lines(ledger) if isinstance(ledger, FoundLedger) else _lines(ledger):
        file.write(line + b"\n")
        empty = False
    if empty:
        file.write(b"\n")  # an empty file is one that something went wrong with


def _lines(ledger: RunLedger) -> Iterator[bytes]:
    for run in ledger.list_runs():
        yield run_line(run)
        for event in ledger.get_events(run.run_id):
            yield event_line(run.run_id, event)


def _found_lines(ledger: FoundLedger) -> Iterator[bytes]:
    """Merge runs and events as they stood; each kind stays in its order whatever their places say."""
    sources = [run.source for run in ledger.runs] + [event.source for event in ledger.events]
    rank = {source: place for place, source in enumerate(dict.fromkeys(sources))}
    runs = list(reversed(ledger.runs))
    for event in ledger.events:
        place = (rank[event.source], event.line or 0)
        while runs and (rank[runs[-1].source], runs[-1].line or 0) <= place:
            yield run_line(runs.pop().record)
        yield event_line(event.run_id, event.event)
    for run in reversed(runs):
        yield run_line(run.record)


def run_line(run: RunRecord, spare: int = 0) -> bytes:
    """Write a run as its line; with `spare` bytes of the longest line left for what it does not say yet.

    Raises
    ------
    StorageError
        Where it cannot be written so that it comes back as it is.
    """
    told = run.model_dump(mode="json", exclude={"metadata"})
    first = {"run_id": told.pop("run_id"), "spec_digest": told.pop("spec_digest")}
    try:
        return _with_metadata(run, lambda metadata: _line({"run": {**first, "metadata": metadata, **told}}, spare))
    except _NO_JSON as error:
        raise _refused(run.run_id, "", error) from error


def event_line(run_id: RunId, event: RunEvent) -> bytes:
    """Write an event as its line.

    Raises
    ------
    StorageError
        Where it cannot be written so that it comes back as it is.
    """
    content = {
        "run_id": run_id,
        "seq": event.seq,
        "kind": event.kind,
        "payload": event.payload,
        "timestamp": utc_text(event.timestamp),
    }
    try:
        _refuse_no_json(event.payload)
        return _line({"event": content})
    except _NO_JSON as error:
        raise _refused(run_id, "an event of ", error) from error


def metadata_text(run: RunRecord) -> str:
    """Write a run's metadata alone, where its line could be written with all that it may say when it has ended.

    Raises
    ------
    StorageError
        Where it could not.
    """
    try:
        text = _with_metadata(run, compact_json)
    except _NO_JSON as error:
        raise _refused(run.run_id, "", error) from error
    if len(text) > _SURELY_SHORT:
        run_line(run, spare=1000)
    return text


def payload_text(run_id: RunId, event: RunEvent) -> str:
    """Write an event's payload alone, where its line could be written.

    Raises
    ------
    StorageError
        Where it could not.
    """
    try:
        _refuse_no_json(event.payload)
        text = compact_json(event.payload)
    except _NO_JSON as error:
        raise _refused(run_id, "an event of ", error) from error
    if len(text) + len(run_id) + len(event.kind) > _SURELY_SHORT:
        event_line(run_id, event)
    return text


_NO_JSON = (TypeError, ValueError, RecursionError)
_SURELY_SHORT = LONGEST_LINE // 12 - 1000  # a character takes at most 12 bytes, as two escapes
_HALVES_IN_A_ROW = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_HALVES = re.compile("[\ud800-\udfff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _refused(run_id: RunId, of: str, error: Exception) -> StorageError:
    return StorageError(f"{of}run {run_id!r:.80} cannot be written as JSON: {error}")


def _line(content: object, spare: int = 0) -> bytes:
    line = compact_json(content).encode()
    if len(line) + spare >= LONGEST_LINE:
        raise ValueError(f"it would be longer than {LONGEST_LINE >> 20} MB")
    return line


def compact_json(content: object) -> str:
    r"""Write JSON on one line; half a character, which is no Unicode, as its escape.

    Raises
    ------
    TypeError, ValueError, RecursionError
        Where it is no JSON, or would not come back as it is.

    Examples
    --------
    >>> compact_json({"node_id": "é", "half": "\ud800"})
    '{"node_id":"\\u00e9","half":"\\ud800"}'
    """
    text = _ENCODER.encode(content)
    if text.isascii() or _HALVES.search(text) is None:
        return text
    if _HALVES_IN_A_ROW.search(text):
        raise ValueError("text with two halves of a character in a row comes back as one")
    return json.dumps(content, allow_nan=False, separators=(",", ":"))


def _with_metadata(run: RunRecord, write: Callable[[dict[str, Any]], _T]) -> _T:
    """Write a run's metadata; what pydantic knows how to write as JSON, such as a time, may be in the tags."""
    metadata = run.metadata
    _refuse_no_json(metadata.tags)
    content = {"git_sha": metadata.git_sha, "agent_name": metadata.agent_name, "tags": metadata.tags}
    content["evaluation"] = metadata.evaluation.model_dump()
    try:
        return write(content)
    except TypeError:
        return write(content | metadata.model_dump(mode="json", include={"tags"}))


def _refuse_no_json(value: object) -> None:
    """Raise where reading the JSON of `value` would fail or give another value: keys 1 and "1" are one key there."""
    level = [value]
    for _ in range(DEEPEST - 3):  # it stands at most three levels deep in its line
        below: list[object] = []
        for outer in level:
            if isinstance(outer, dict):
                for key in outer:
                    if not isinstance(key, str):
                        raise TypeError(f"an object has the key {key!r:.40}, expected text")
            if isinstance(outer, dict | list | tuple):
                inside = outer.values() if isinstance(outer, dict) else outer
                below += [inner for inner in inside if isinstance(inner, dict | list | tuple)]
        if not below:
            return
        level = below
    raise ValueError(f"nested too deeply, expected at most {DEEPEST - 3} levels")
