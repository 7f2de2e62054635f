"""Ledger files that are broken or meant to break the reader: a clear error with the line, and bounded memory."""

from __future__ import annotations

import gzip
import json
import os
import random
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, events_frame, items_frame, runs_frame
from seqkit._util import gzipped
from seqkit.ledger import UnreadableLines, collecting, jsonl, read_ledger, read_ledgers, write_ledger
from tests.tools import fuzz_ledger

RUN = {
    "run_id": "r",
    "spec_digest": "0" * 64,
    "metadata": {"git_sha": None, "agent_name": "x", "tags": {}, "evaluation": {"isPromotionGate": False}},
    "status": "COMPLETED",
    "summary": {"total_events": 1, "final_state_digest": None, "duration_ms": 5, "success": True},
    "created_at": "2026-01-02T12:00:00Z",
    "completed_at": "2026-01-02T12:00:01Z",
}
EVENT = {
    "run_id": "r",
    "seq": 1,
    "kind": "NodeEntered",
    "payload": {"node_id": "a", "version": "1"},
    "timestamp": "2026-01-02T12:00:00Z",
}


def line(kind: str, content: Any) -> bytes:
    return json.dumps({kind: content}, separators=(",", ":")).encode()


def changed(kind: str, place: str, *value: Any) -> bytes:
    """A line with one field changed, or removed where no value is given."""
    content = json.loads(json.dumps(RUN if kind == "run" else EVENT))
    *path, last = place.split(".")
    holder = content
    for key in path:
        holder = holder[key]
    if value:
        holder[last] = value[0]
    else:
        del holder[last]
    return line(kind, content)


GOOD = [line("run", RUN), line("event", EVENT)]
TIME = 'expected a time such as "2026-01-02T03:04:05.000000Z"'

BAD: dict[str, tuple[bytes, str]] = {
    "cut": (line("event", EVENT)[:50], "is not JSON: "),
    "cut in a name": (b'{"eve', "is not JSON: "),
    "no JSON": (b"hello", "is not JSON: Expecting value (column 1)"),
    "two documents": (GOOD[1] + GOOD[1], "is not JSON: Extra data"),
    "comma at the end": (GOOD[1] + b",", "is not JSON: Extra data"),
    "single quotes": (b"{'run': {}}", "is not JSON: "),
    "NUL bytes": (b"\0" * 20, "is not JSON: "),
    "invalid UTF-8": (GOOD[1].replace(b'"a"', b'"\xff"'), "byte 0xff is not UTF-8 (byte 75 of the line)"),
    "Latin-1": (GOOD[1].replace(b'"a"', '"é"'.encode("latin-1")), "byte 0xe9 is not UTF-8"),
    "surrogates in UTF-8": (GOOD[1].replace(b'"a"', b'"\xed\xa0\x80"'), "byte 0xed is not UTF-8"),
    "UTF-16": ("x".encode("utf-16"), "byte 0xff is not UTF-8 (byte 1 of the line)"),
    "NaN": (GOOD[1].replace(b'"a"', b"NaN"), "NaN is not JSON, expected a number or null"),
    "Infinity": (GOOD[1].replace(b'"a"', b"Infinity"), "Infinity is not JSON, expected a number or null"),
    "-Infinity": (GOOD[0].replace(b"{}", b"[-Infinity]"), "-Infinity is not JSON, expected a number or null"),
    "a float beyond all": (GOOD[1].replace(b'"a"', b"1e400"), "the number 1e400 is too large"),
    "a whole number without end": (GOOD[1].replace(b'"a"', b"1" * 5000), "is not usable JSON: Exceeds the limit"),
    "a key twice": (GOOD[1].replace(b'"seq":1', b'"seq":1,"seq":2'), "an object has the key 'seq' twice"),
    "a key twice inside": (GOOD[1].replace(b'"a"', b'{"x":1,"x":1}'), "an object has the key 'x' twice"),
    "a key twice, escaped": (
        GOOD[1].replace(b'"seq":1', b'"seq":1,"s\\u0065q":1'),
        "an object has the key 'seq' twice",
    ),
    "deep": (GOOD[1].replace(b'"a"', b"[" * 199 + b"]" * 199), "is nested too deeply, expected at most 200 levels"),
    "deeper": (GOOD[1].replace(b'"a"', b"[" * 10_000 + b"]" * 10_000), "is nested too deeply"),
    "deep and open": (b'{"a":' * 1_000_000, "is nested too deeply"),
    "a list": (b"[]", "is a list, expected"),
    "text": (b'"run"', "is 'run', expected"),
    "a number": (b"7", "is 7, expected"),
    "null": (b"null", 'is null, expected {"run": {…}} or {"event": {…}}'),
    "neither": (b'{"runs": {}}', "is neither run nor event, expected"),
    "both": (b'{"run": {}, "event": {}}', "is both a run and an event, expected"),
    "run null": (b'{"run": null}', "run is null, expected an object"),
    "event list": (b'{"event": []}', "event is a list, expected an object"),
    "empty event": (b'{"event": {}}', "event.run_id is missing"),
    "empty run": (b'{"run": {}}', "run.status is missing"),
    "seq text": (changed("event", "seq", "1"), "event.seq is '1': Input should be a valid integer"),
    "seq true": (changed("event", "seq", True), "event.seq is true: Input should be a valid integer"),
    "seq float": (GOOD[1].replace(b'"seq":1', b'"seq":1e3'), "event.seq is 1000.0: Input should be a valid integer"),
    "seq 1.0": (changed("event", "seq", 1.0), "event.seq is 1.0: "),
    "seq null": (changed("event", "seq", None), "event.seq is null: "),
    "seq missing": (changed("event", "seq"), "event.seq is missing"),
    "payload missing": (changed("event", "payload"), "event.payload is missing"),
    "kind number": (changed("event", "kind", 3), "event.kind is 3: Input should be a valid string"),
    "run id number": (changed("event", "run_id", 3), "event.run_id is 3, expected text"),
    "run id missing": (changed("event", "run_id"), "event.run_id is missing"),
    "time missing": (changed("event", "timestamp"), "event.timestamp is missing"),
    "time number": (changed("event", "timestamp", 1767355200), f"event.timestamp is 1767355200, {TIME}"),
    "time without zone": (changed("event", "timestamp", "2026-01-02T12:00:00"), TIME),
    "time of no day": (changed("event", "timestamp", "2026-02-30T12:00:00Z"), TIME),
    "time of week": (changed("event", "timestamp", "2026-W01-1T12:00:00Z"), TIME),
    "time out of range": (changed("event", "timestamp", "0001-01-01T00:00:00+10:00"), TIME),
    "a date": (changed("event", "timestamp", "2026-01-02"), TIME),
    "status": (changed("run", "status", "Completed"), "run.status is 'Completed', expected one of RUNNING, COMPLETED,"),
    "status list": (changed("run", "status", []), "run.status is a list, expected text"),
    "digest": (changed("run", "spec_digest", "abc"), "invalid digest: 'abc', expected 64 lowercase hexadecimal"),
    "digest number": (changed("run", "spec_digest", 0), "run.spec_digest is 0, expected text"),
    "metadata missing": (changed("run", "metadata"), "run.metadata is missing"),
    "metadata list": (changed("run", "metadata", []), "run.metadata is a list: "),
    "sha number": (changed("run", "metadata.git_sha", 7), "run.metadata.git_sha is 7: Input should be a valid string"),
    "gate text": (changed("run", "metadata.evaluation.isPromotionGate", "no"), "evaluation.isPromotionGate is 'no': "),
    "summary list": (changed("run", "summary", []), "run.summary is a list: "),
    "summary empty": (changed("run", "summary", {}), "run.summary.total_events is missing"),
    "total text": (changed("run", "summary.total_events", "1"), "run.summary.total_events is '1': "),
    "success number": (changed("run", "summary.success", 1), "run.summary.success is 1: Input should be a valid bool"),
    "final digest": (changed("run", "summary.final_state_digest", "x"), "invalid digest: 'x'"),
    "created missing": (changed("run", "created_at"), "run.created_at is missing"),
    "completed text": (changed("run", "completed_at", "soon"), f"run.completed_at is 'soon', {TIME}"),
}


@pytest.fixture(params=["l.jsonl", "l.jsonl.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def put(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_in_every_mode(name: str, path: Path) -> None:
    bad, told = BAD[name]
    put(path, b"\n".join([GOOD[0], bad, GOOD[1], b""]))
    with pytest.raises(ReadError) as raised:
        read_ledger(path)
    assert raised.value.path == str(path)
    assert raised.value.line == 2
    assert told in raised.value.message
    assert len(str(raised.value)) < 400 + len(str(path))
    with pytest.warns(UnreadableLines) as caught:
        warned = read_ledger(path, "warn")
    [warning] = caught
    assert str(warning.message) == f"{path}: 1 unreadable line left out: line 2: {raised.value.message}"
    assert warning.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skipped = read_ledger(path, on_bad_lines="skip")
    for ledger in (warned, skipped):
        assert repr(ledger) == "FoundLedger(1 run, 1 event, 1 unreadable)"
        [problem] = ledger.problems
        assert (problem.source, problem.line, problem.message) == (str(path), 2, raised.value.message)
        assert [event.line for event in ledger.events] == [3]


def test_the_good_lines_are_good(path: Path) -> None:
    put(path, b"\n".join(GOOD))
    assert repr(read_ledger(path)) == "FoundLedger(1 run, 1 event)"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("event.seq", 0),
        ("event.seq", -5),
        ("event.seq", 10**400),
        ("event.payload", None),
        ("event.payload", 1.5),
        ("event.payload", [[1], {"": 10**400}]),
        ("event.kind", ""),
        ("event.kind", "\ud800"),
        ("event.run_id", "somebody else's"),
        ("event.timestamp", "2026-01-02t12:00:00.5z"),
        ("event.timestamp", "2026-01-02 12:00:00-23:59"),
        ("event.timestamp", "0001-01-01T00:00:00Z"),
        ("run.metadata.tags", [None]),
        ("run.metadata.tags", "\ud800"),
        ("run.summary", None),
        ("run.completed_at", None),
        ("run.completed_at", "1999-01-01T00:00:00Z"),
        ("run.summary.total_events", 10**400),
    ],
)
def test_what_is_strange_but_readable_is_found_and_framed(path: Path, place: str, value: Any) -> None:
    kind, _, inside = place.partition(".")
    lines = {"run": GOOD[0], "event": GOOD[1], kind: changed(kind, inside, value)}
    put(path, b"\n".join(lines.values()))
    found = read_ledger(path)
    assert len(runs_frame(found)) == len(events_frame(found)) == 1
    items_frame(found)
    write_ledger(found, path)
    assert [run.record for run in read_ledger(path).runs] == [run.record for run in found.runs]
    assert [event.event for event in read_ledger(path).events] == [event.event for event in found.events]


# ---------------------------------------------------------------------- arguments and files as a whole


@pytest.mark.parametrize("mode", ["ignore", "", None, True, ["error"]])
def test_modes(mode: Any, tmp_path: Path) -> None:
    for call in (lambda: read_ledger(tmp_path / "l.jsonl", mode), lambda: read_ledgers([], mode)):
        with pytest.raises(ValueError, match=r"on_bad_lines is .*, expected one of \('error', 'warn', 'skip'\)"):
            call()


@pytest.mark.parametrize("path", [None, 3, b"l.jsonl", ["l.jsonl"]])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(TypeError, match="expected a path or a database URL"):
        read_ledger(path)
    with pytest.raises(TypeError, match="expected a path or a database URL"):
        read_ledgers([path])


def test_one_path_where_several_are_expected() -> None:
    with pytest.raises(TypeError, match="read_ledger reads a single one"):
        read_ledgers("l.jsonl")
    with pytest.raises(TypeError) as raised:
        read_ledgers("postgresql://kim:secret@host/db")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("mode", ["error", "warn", "skip"])
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("l.jsonl", None, "there is no such file"),
        ("l.jsonl.gz", None, "there is no such file"),
        ("l.db", None, "there is no such file"),
        ("l.jsonl", b"", 'is empty, expected {"run": {…}} or {"event": {…}} on each line'),
        ("l.jsonl.gz", b"", "is empty"),
        ("l.jsonl.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("l.db", b"", "is empty, expected a ledger: JSON Lines (.jsonl, .jsonl.gz), a SQLite file"),
        ("l.jsonl.gz", b"\n".join(GOOD), "is not gzipped; name it *.jsonl"),
        ("l.jsonl", gzip.compress(b"\n".join(GOOD), mtime=0), "is gzipped; name it *.jsonl.gz"),
        (
            "l.csv",
            b"run_id,seq\nr,1\n",
            "is no ledger, expected a ledger: JSON Lines (.jsonl, .jsonl.gz), a SQLite",
        ),
        ("l.json", b"\n".join(GOOD), "is no ledger, expected a ledger: JSON Lines (.jsonl, .jsonl.gz), a SQLite"),
        ("l", b"\n".join(GOOD), "is no ledger"),
        ("l.db", b"SQLite format 3\0" + b"\0" * 2000, ""),
        ("l.db", b"SQLite format 3\0", ""),
        ("x\0.jsonl", None, "is no name of a file"),
        ("x\0", None, "is no name of a file"),
        ("x" * 5000 + ".jsonl", None, "cannot be read: File name too long"),
        ("x" * 5000, None, "cannot be read: File name too long"),
    ],
)
def test_files_that_are_no_ledger(tmp_path: Path, name: str, content: bytes | None, told: str, mode: Any) -> None:
    path = os.path.join(tmp_path, name)
    if content is not None:
        Path(path).write_bytes(content)
    with pytest.raises(ReadError) as raised:
        read_ledger(path, mode)
    assert raised.value.path == path
    assert raised.value.line is None
    assert told in raised.value.message


def test_folders_that_are_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").mkdir()
    for folder in (tmp_path, tmp_path / "l.jsonl"):
        with pytest.raises(ReadError):
            read_ledger(folder)


@pytest.mark.parametrize(
    "url",
    ["mysql://kim:secret@host/db", "sqlite://", "sqlite:///:memory:", "sqlite:////nowhere/l.db", "://", "x://y"],
)
def test_urls_that_are_no_ledger(url: str) -> None:
    with pytest.raises(ReadError) as raised:
        read_ledger(url)
    assert "secret" not in str(raised.value)
    assert not raised.value.path.startswith("mysql://kim:")


# ---------------------------------------------------------------------- many bad lines


def test_one_warning_a_file(tmp_path: Path) -> None:
    for name in "ab":
        put(tmp_path / f"{name}.jsonl", b"x\ny\n" + GOOD[0] + b"\nz\nw\nv\n")
    with pytest.warns(UnreadableLines) as caught:
        found = read_ledgers([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], "warn")
    assert len(found.problems) == 10
    told = [str(warning.message) for warning in caught]
    assert [text.split(": ")[0] for text in told] == [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    assert all(": 5 unreadable lines left out: line 1: is not JSON" in text for text in told)
    assert all(text.endswith("; and 2 more") for text in told)


def test_bad_lines_without_end_are_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MOST_PROBLEMS", 20)
    put(path, b"x\n" * 500 + GOOD[0])
    with pytest.warns(UnreadableLines, match="500 unreadable lines left out: .*; and 497 more"):
        found = read_ledger(path, "warn")
    assert len(found.problems) == 21
    assert (found.problems[-1].line, found.problems[-1].message) == (500, "480 more could not be read, this the last")
    assert len(found.runs) == 1


# ---------------------------------------------------------------------- long lines, cut and swollen gzip files


@pytest.mark.parametrize("ends", [b"\n" + GOOD[0] + b"\n", b""])
def test_a_long_line_is_never_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch, ends: bytes) -> None:
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1 << 20)
    monkeypatch.setattr(gzipped, "HIGHEST_RATIO", 10_000)
    put(path, GOOD[1] + b"\n" + b'{"event":"' + b"x" * (40 << 20) + b'"}' + ends)
    tracemalloc.start()
    found = read_ledger(path, "skip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
    assert [(problem.line, problem.message) for problem in found.problems] == [(2, "is longer than 1 MB")]
    assert len(found.events) == 1
    assert [run.line for run in found.runs] == ([3] if ends else [])


def test_the_longest_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for spare, readable in ((1, True), (0, True), (-1, False)):
        monkeypatch.setattr(jsonl, "LONGEST_LINE", len(GOOD[0]) + 1 + spare)
        put(path, GOOD[0] + b"\n" + GOOD[0] + b"\n")
        assert len(read_ledger(path, "skip").runs) == 2 * readable


def incompressible(lines: int) -> bytes:
    rng = random.Random(0)
    return b"".join(changed("event", "payload", rng.randbytes(100).hex()) + b"\n" for _ in range(lines))


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("cut", lambda data: data[: len(data) // 2]),
        ("cut before the sum", lambda data: data[:-8]),
        ("cut in the sum", lambda data: data[:-3]),
        ("wrong sum", lambda data: data[:-8] + b"\0\0\0\0" + data[-4:]),
        ("trailing text", lambda data: data + b"hello"),
        ("trailing line", lambda data: data + GOOD[0]),
        ("trailing half header", lambda data: data + b"\x1f\x8b\x08"),
        ("unknown method", lambda data: data + b"\x1f\x8b\x09" + b"\0" * 20),
    ],
)
def test_a_gzip_file_that_breaks_off(tmp_path: Path, name: str, broken: Any) -> None:
    path = tmp_path / "l.jsonl.gz"
    path.write_bytes(broken(gzip.compress(incompressible(500), mtime=0)))
    with pytest.raises(ReadError, match="the gzip file is cut or damaged here") as raised:
        read_ledger(path)
    found = read_ledger(path, "skip")
    last = found.problems[-1]
    assert (last.line, last.message) == (raised.value.line, raised.value.message)
    assert 100 < len(found.events) <= 500
    assert last.line == len(found.events) + 1
    assert len(found.problems) == 1


def test_several_gzip_members_and_padding_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD[0] + b"\n" + GOOD[1][:20], mtime=0) + gzip.compress(GOOD[1][20:]) + b"\0" * 512)
    assert repr(read_ledger(path)) == "FoundLedger(1 run, 1 event)"


def zeros(megabytes: int, fill: bytes) -> Iterator[bytes]:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(megabytes):
        yield squeeze.compress(fill * ((1 << 20) // len(fill)))
    yield squeeze.flush()


@pytest.mark.parametrize("fill", [b"\0", b"\n", b"[" * 1024, b"x" * 1023 + b"\n"])
def test_a_zip_bomb_is_put_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fill: bytes) -> None:
    monkeypatch.setattr(jsonl, "LONGEST_LINE", 1 << 20)
    monkeypatch.setattr(gzipped, "RATIO_FROM", 1 << 20)
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD[0] + b"\n", mtime=0) + b"".join(zeros(4, fill)))
    tracemalloc.start()
    found = read_ledger(path, "skip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.runs) == 1
    told = "unpacks to more than 2 GB or 200 times its size; nothing from here on was read"
    assert told in found.problems[-1].message
    assert peak < 8 << 20


@pytest.mark.parametrize("megabytes", [64, pytest.param(512, marks=pytest.mark.slow)])  # it is put down after 16
def test_a_large_zip_bomb_is_put_down(tmp_path: Path, megabytes: int) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(b"".join(zeros(megabytes, b"\0")))
    with pytest.raises(ReadError, match="line 1: unpacks to more than 2 GB or 200 times its size"):
        read_ledger(path)


def test_a_damaged_gzip_file(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl.gz"
    data = gzip.compress(incompressible(500), mtime=0)
    path.write_bytes(data[: len(data) // 2] + b"\xff" * 500 + data[len(data) // 2 + 500 :])
    found = read_ledger(path, "skip")
    assert "the gzip file is cut or damaged here" in found.problems[-1].message
    assert 100 < len(found.events) < 500


def test_much_from_little_is_fine_within_the_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l.jsonl.gz"
    path.write_bytes(gzip.compress((GOOD[1] + b"\n") * 20_000, mtime=0))
    assert len(read_ledger(path).events) == 20_000
    monkeypatch.setattr(gzipped, "LARGEST_EXPANSION", 1 << 20)
    monkeypatch.setattr(gzipped, "RATIO_FROM", 1 << 20)
    with pytest.raises(ReadError, match="unpacks to more than"):
        read_ledger(path)


# ---------------------------------------------------------------------- at random


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_ledgers_broken_at_random(seed: int, tmp_path: Path) -> None:
    sound = fuzz_ledger.bases(tmp_path)
    rng = random.Random(seed)
    seen = set()
    for _ in range(15):
        for kind in ("jsonl", "kf5.jsonl"):
            for breaking in (fuzz_ledger.broken_lines, fuzz_ledger.broken_bytes):
                path = tmp_path / "broken.jsonl"
                path.write_bytes(breaking(sound[kind], rng))
                seen.add(fuzz_ledger.check(path, tmp_path / "again.jsonl"))
    assert {"read", "problems"} <= seen


@pytest.mark.slow
def test_a_million_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "l.jsonl"
    with path.open("wb") as file:
        for run in range(1000):
            file.write(changed("run", "run_id", f"run-{run}") + b"\n")
            for seq in range(1, 1001):
                file.write(b'{"event":{"run_id":"run-%d","seq":%d,"kind":"NodeEntered",' % (run, seq))
                file.write(b'"payload":{"node_id":"repo-%d","version":"1"},' % seq)
                file.write(b'"timestamp":"2026-01-02T12:00:00.%06dZ"}}\n' % seq)
    started = time.process_time()
    found = read_ledger(path)
    read = time.process_time() - started
    write_ledger(found, tmp_path / "again.jsonl.gz")
    written = time.process_time() - started - read
    assert len(found.events) == len(events_frame(found)) == 1_000_000
    del found
    tracemalloc.start()
    found = read_ledger(path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.events) == 1_000_000
    assert peak < 1.1 * kept  # nothing but what is kept
    with capsys.disabled():
        took = f"read in {read:.1f} s, written gzipped in {written:.1f} s"
        print(f"\n10^6 events, processor time: {took}; {kept / 1e6:.0f} bytes each")


# ---------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2016-12-31T23:59:59", "it has no zone, Z or an offset such as"),
        ("2016-12-31", "a date alone"),
        ("2016-12-31T24:00:00Z", "there is no hour 24"),
        ("2016-12-31T23:60:00Z", "there is no minute 60"),
        ("2016-12-31T23:59:61Z", "there is no second 61"),
        ("2016-02-30T00:00:00Z", "there is no day 2016-02-30"),
        ("2015-02-29T00:00:00+01:00", "there is no day 2015-02-29"),
        ("2016-13-01T00:00:00Z", "there is no day 2016-13-01"),
        ("2016-12-31T23:59:59+24:00", r"there is no offset \+24:00"),
        ("9999-12-31T23:59:59-01:00", "its year is out of range once in UTC"),
        ("2016-12-31T23:58:60Z", "a second 60 is a leap second, which only the last minute of a month has"),
        ("2016-12-31T23:59:60+01:00", "a second 60 is a leap second"),
        ("yesterday", ""),
        (1483228799, ""),
        (None, ""),
    ],
)
def test_what_is_wrong_with_a_time_is_said(text: object, why: str, tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    path.write_bytes(GOOD[0] + b"\n" + changed("event", "timestamp", text) + b"\n")
    told = rf"\({why}.*\)" if why else ""
    with pytest.raises(ReadError, match=rf'event\.timestamp is .*{told}, expected a time such as "2026') as caught:
        read_ledger(path)
    assert caught.value.line == 2


@pytest.mark.parametrize(
    "text",
    ["2016-12-31T23:59:60Z", "2016-12-31t23:59:60.5z", "2017-01-01T00:59:60+01:00", "2015-06-30T18:59:60-05:00"],
)
def test_a_leap_second_is_read_as_the_end_of_its_minute(text: str, tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    path.write_bytes(GOOD[0] + b"\n" + changed("event", "timestamp", text) + b"\n")
    [found] = read_ledger(path).events
    assert found.event.timestamp.strftime("%H:%M:%S.%f") == "23:59:59.999999"
