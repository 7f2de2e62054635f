"""Break ledgers and graphs at random and read them: only ReadError may come out, and an audit never raises.

By hand: ``python -m tests.tools.fuzz_ledger --minutes 10``. Inputs that break something, or take more than ten seconds,
are kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from seqkit import (
    MemoryRunLedger,
    RepeatedRecords,
    RepoDependencyGraph,
    ScriptedReleaser,
    SqlRunLedger,
    anchor,
    blockers,
    build_plan,
    events_frame,
    items_frame,
    read_graph,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
)
from seqkit.auditing import audit
from seqkit.errors import ReadError, SeqkitError, StorageError
from seqkit.ledger import read_ledger, write_ledger
from seqkit.ledger.found import FoundLedger
from tests.tools.strategies import POLICIES

DATA = Path(__file__).parents[2] / "data"
KF5 = DATA / "kf5" / "ledger.jsonl"
GRAPHS = {
    "package-lock.json": DATA / "jest29" / "package-lock.json",
    "pip-report.json": DATA / "jupyter" / "pip-report.json",
    "edges.csv": DATA / "kf5" / "edges.csv",
}
TOO_LONG = 10
"""Seconds of work for one input, whatever it is."""
HUNG = 180
"""Seconds on the clock, in which a busy machine does those."""

EXPORTS = Path(__file__).parents[1] / "data" / "aivcs"

NAMES = ["core", "<script>", 'a"b', "🚀", "two\nlines", "", "\0", "é", "'; DROP TABLE runs;--"]
TOKENS = [
    *(
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\n",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"0x1", b"1" * 5000, b"[" * 3000, b'{"a":' * 300, b"null", b"true"),
    *(b'"\\ud800"', b'"run"', b'"event"', b'{"run":{}}\n', b'{"event":{"run_id":1}}\n', b"\n\n", b"1e3", b" " * 99),
]
ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**63, 10**30, 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "\0", "\ud800", "x" * 5000, "NodeEntered", "node_failed", "COMPLETED", "0" * 64, "2026-13-01T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00.123456789z", "2026-01-01"),
    *([], {}, [[]], {"plan": 1}, {"node_id": []}, {"plan": {"items": [], "edges": [["a", "a"]]}}, ["a"] * 50),
]


def bases(folder: Path) -> dict[str, bytes]:
    """Make sound ledgers of every kind."""
    found = {}
    rng = random.Random(1)
    ledger = MemoryRunLedger()
    databases = SqlRunLedger(folder / "base.db")
    for turn in range(6):
        edges = [(a, b) for i, a in enumerate(NAMES) for b in NAMES[i + 1 :] if rng.random() < 0.3]
        plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=NAMES), version="1.0")
        policy = POLICIES[turn % 3]
        releaser = ScriptedReleaser(rng.sample(NAMES, 2))
        for kept in (ledger, databases):
            run_plan(plan, releaser, kept, policy=policy, attempts=1 + turn % 2, record_skips=turn < 4)
    databases.close()
    write_ledger(ledger, folder / "base.jsonl")
    found["jsonl"] = (folder / "base.jsonl").read_bytes()
    found["kf5.jsonl"] = b"".join(KF5.read_bytes().splitlines(keepends=True)[:80])
    found["jsonl.gz"] = gzip.compress(found["jsonl"], mtime=0)
    found["db"] = (folder / "base.db").read_bytes()
    for export in sorted(EXPORTS.rglob("*.surql"))[:1]:
        found["surql"] = export.read_bytes()[:200_000]
    found |= {name: path.read_bytes() for name, path in GRAPHS.items()}
    return found


def broken_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change some bytes."""
    content = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 30))):
        size = len(content)
        here, there = sorted((rng.randrange(size + 1), rng.randrange(size + 1)))
        there = min(there, here + rng.choice((1, 8, 100, 10_000)))
        match rng.randrange(7):
            case 0 if size:
                content[rng.randrange(size)] ^= 1 << rng.randrange(8)
            case 1:
                del content[here:there]
            case 2:
                content[here:here] = content[here:there]
            case 3:
                content[here:here] = rng.choice(TOKENS)
            case 4:
                content[here:there] = rng.randbytes(there - here)
            case 5:
                del content[here if rng.random() < 0.3 else size :]
            case _:
                content[here:there] = rng.choice(TOKENS)
    return bytes(content)


def places(value: Any) -> list[tuple[Any, Any]]:
    """List every (container, key) of parsed JSON."""
    found, todo = [], [value]
    while todo:
        holder = todo.pop()
        for key in holder if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                todo.append(holder[key])
    return found


def broken_lines(data: bytes, rng: random.Random) -> bytes:
    """Change what the lines say, not that they are JSON; or which lines there are."""
    lines = data.splitlines()
    if not data.startswith((b'{"run"', b'{"event"')):  # one document
        lines = [json.dumps(json.loads(data)).encode()]
    for _ in range(rng.choice((1, 1, 2, 5))):
        here = rng.randrange(len(lines))
        if rng.random() < 0.2:
            rng.choice((lambda: lines.pop(here) if len(lines) > 1 else b"", lambda: lines.insert(0, lines[here])))()
            continue
        try:
            content = json.loads(lines[here])
            holder, key = rng.choice(places(content))
        except (ValueError, TypeError, IndexError):
            continue
        match rng.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[rng.choice(("node_id", "seq", "x", "", "run_id", "plan"))] = holder.pop(key)
            case 2:
                other, there = rng.choice(places(json.loads(rng.choice(lines))) or [(holder, key)])
                holder[key] = other[there]
            case _:
                holder[key] = rng.choice(ODD)
        lines[here] = json.dumps(content, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
        if rng.random() < 0.05:
            lines[here] = lines[here].replace(b'"seq":', b'"seq": 1, "seq":', 1)
    return b"\n".join(lines) + b"\n" * rng.randrange(2)


def read(path: Path, on_bad_lines: Any) -> tuple[FoundLedger | None, str | None]:
    """Read a file; else say why not."""
    try:
        return read_ledger(path, on_bad_lines), None
    except ReadError as error:
        return None, str(error)


def check(path: Path, again: Path) -> str:
    """Read and audit a file in every way; give a word for how it went. Whatever it raises is a bug."""
    ledger, refusal = read(path, "skip")
    strictly, complaint = read(path, "error")
    for told in (refusal, complaint):
        assert told is None or (str(path) in told and len(told) < 3000)
    if ledger is None:
        assert strictly is None
        return "refused"
    assert (strictly is None) == bool(ledger.problems)
    with warnings.catch_warnings(action="ignore", category=RepeatedRecords):  # breaking a file may double a line
        frames = [make(ledger) for make in (runs_frame, events_frame, items_frame)]
    assert (len(frames[0]), len(frames[1])) == (len(ledger.runs), len(ledger.events))
    assert all(frame["source"].eq(str(path)).all() for frame in frames)
    report = audit(ledger)
    assert report.ok == (report.findings["severity"] != "error").all()
    assert not (ledger.problems and report.ok)
    for shown in (ledger, report, *frames):
        repr(shown)
        assert isinstance(getattr(shown, "_repr_html_")(), str)  # noqa: B009  # notebooks ask for it so
    ask(ledger)
    if not path.name.endswith(".db"):
        write_ledger(ledger, again)
        back = read_ledger(again)
        assert [run.record for run in back.runs] == [run.record for run in ledger.runs]
        assert [(e.run_id, e.event) for e in back.events] == [(e.run_id, e.event) for e in ledger.events]
    return "problems" if ledger.problems else "read"


def ask(ledger: FoundLedger) -> None:
    """Ask what a ledger left behind; a wrong argument, such as a run that carries no plan, is an answer."""
    resumed = [partial(resume_plan, run_id=run.run_id) for run in ledger.list_runs()]
    questions: list[Callable[[FoundLedger], object]] = [trains_frame, blockers, anchor, *resumed]
    for question in questions:
        with warnings.catch_warnings(action="ignore"), contextlib.suppress(ValueError, SeqkitError):
            question(ledger)


def check_database(path: Path) -> str:
    """Open a SQLite file for reading, as a frame does: only StorageError and ValueError may come out."""
    try:
        with SqlRunLedger(path, read_only=True) as ledger, warnings.catch_warnings(action="ignore"):
            made = [make(ledger) for make in (runs_frame, events_frame, items_frame)]
            return f"opened, {len(made)} frames"
    except (StorageError, ValueError):
        return "refused to open"


def check_graph(path: Path) -> str:
    """Read a graph and plan it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            graph = read_graph(path, cycles="merge")
    except ReadError as error:
        return "refused" if len(str(error)) < 3000 else "BUG: a long message"
    repr(graph)
    graph._repr_html_()
    build_plan(graph, version="1.0")
    return "read"


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise TimeoutError in what works for too long, however busy the machine, and in what waits for ever."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {TOO_LONG} s of work, or {HUNG} s on the clock")

    signal.signal(signal.SIGPROF, stop)
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_PROF, TOO_LONG)
    signal.alarm(HUNG)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


def asked_for(description: str | None, keep: str) -> argparse.Namespace:
    """Read what somebody who runs this by hand asks for: `minutes`, `seed`, and the folder to `keep` inputs in."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / keep)
    return parser.parse_args()


def is_new(error: Exception, bugs: Counter[str]) -> bool:
    """Count an error by its type and place; tell whether it is the first there."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    sign = f"{type(error).__name__} at {where.filename}:{where.lineno}"
    bugs[sign] += 1
    return bugs[sign] == 1


def main() -> int:
    """Run until the time is over; 1 where something broke."""
    chosen = asked_for(__doc__, "seqkit-fuzz")
    warnings.simplefilter("error")
    rng = random.Random(chosen.seed)
    counts: Counter[str] = Counter()
    bugs: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound = bases(folder)
        until = time.monotonic() + 60 * chosen.minutes
        while time.monotonic() < until:
            kind = rng.choices(list(sound), [2 if base == "surql" else 6 for base in sound])[0]
            data = sound[kind]
            lines = kind.endswith(("jsonl", "package-lock.json", "pip-report.json"))
            how = broken_lines if lines and rng.random() < 0.6 else broken_bytes
            if kind == "jsonl.gz" and rng.random() < 0.5:
                changed = gzip.compress(broken_lines(sound["jsonl"], rng))
            else:
                changed = how(data, rng)
            path = folder / f"broken.{kind.removeprefix('kf5.')}"
            path.write_bytes(changed)
            try:
                with bounded():
                    word = check_graph(path) if kind in GRAPHS else check(path, folder / "again.jsonl")
                    counts[f"{kind}: {word}"] += 1
                    if kind == "db":
                        counts[f"{kind}: {check_database(path)}"] += 1
            except Exception as error:
                counts[f"{kind}: BUG"] += 1
                if is_new(error, bugs):
                    chosen.keep.mkdir(parents=True, exist_ok=True)
                    (chosen.keep / f"{len(bugs)}-{path.name}").write_bytes(changed)
                    traceback.print_exc()
            for left in folder.glob("broken.db-*"):
                left.unlink()
    print(f"{counts.total()} inputs, seed {chosen.seed}")
    for label, count in sorted(counts.items()):
        print(f"  {label}: {count}")
    for label, count in bugs.most_common():
        print(f"  BUG {label}: {count}")
    return 1 if bugs else 0


if __name__ == "__main__":
    sys.exit(main())
