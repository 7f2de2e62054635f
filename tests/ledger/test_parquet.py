"""Ledgers as folders of Parquet files: the frames come back, runs are added, and a failure leaves what was there."""

from __future__ import annotations

import json
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seqkit import (
    Backend,
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunSummary,
    SqlRunLedger,
    StorageError,
    build_plan,
    events_frame,
    items_frame,
    read_ledger,
    run_plan,
    runs_frame,
    write_ledger,
    write_parquet,
)
from seqkit._util import files
from tests.tools.strange_names import STRANGE_NAMES

pytest.importorskip("pyarrow")
from pyarrow import dataset, parquet

FRAMES = {"runs": runs_frame, "items": items_frame, "events": events_frame}
PLAN = build_plan(
    RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")]),
    [("core", "1", "", "kim"), ("app", "1", "", "kim"), ("docs", "1", "", "kim")],
)
NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)


def ledger_of(ids: list[str], apart: timedelta = timedelta(days=1), fails: tuple[str, ...] = ("core",)) -> Any:
    """Runs one after another; in every other one a repo fails, which blocks the others."""
    moments = (NOON + apart * run for run in range(len(ids)) for _ in range(2))
    ledger = MemoryRunLedger(ids=ids, clock=lambda: next(moments))
    for number in range(len(ids)):
        begins = NOON + apart * number
        run_plan(PLAN, dict.fromkeys(fails, 1.0) if number % 2 else 0.0, ledger, rng=number, clock=Ticking(begins))
    return ledger


class Ticking:
    def __init__(self, now: datetime) -> None:
        self.moment = now

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=7)
        return self.moment


def told(name: str, ledger: Any) -> pd.DataFrame:
    """What a frame is when payloads are text, lists are plain, and each has a source."""
    frame = FRAMES[name](ledger)
    if "source" not in frame:
        frame["source"] = pd.array([None] * len(frame), pd.StringDtype("python"))
    if "payload" in frame:
        frame["payload"] = frame["payload"].map(lambda payload: json.dumps(payload, separators=(",", ":")))
    if "blocked_by" in frame:
        frame["blocked_by"] = frame["blocked_by"].map(list)
    return frame.reset_index(drop=True)


def read(folder: Path, name: str, how: str = "pandas") -> pd.DataFrame:
    """Read a table back, the rows in an order that all have, without the partition."""
    if how == "pandas":
        frame = pd.read_parquet(folder / name)
    else:
        frame = dataset.dataset(folder / name, partitioning="hive").to_table().to_pandas()
    frame = frame.drop(columns=[column for column in ("run", "month") if column in frame])
    if "blocked_by" in frame:
        frame["blocked_by"] = frame["blocked_by"].map(list)
    return frame


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    keys = [column for column in ("run_id", "seq", "position") if column in expected]
    found, expected = (frame.sort_values(keys, ignore_index=True) for frame in (found, expected))
    assert list(found) == list(expected)
    for column in expected:
        dtype = expected[column].dtype
        if isinstance(dtype, pd.StringDtype) or column == "payload":  # pandas has its own way to keep text
            assert pd.api.types.is_string_dtype(found[column].dtype)
            left, right = (
                frame[column].astype(object).where(frame[column].notna(), None) for frame in (found, expected)
            )
            assert left.tolist() == right.tolist(), column
        elif isinstance(dtype, pd.CategoricalDtype):
            assert found[column].cat.ordered
            assert found[column].cat.categories.tolist() == dtype.categories.tolist(), column
            assert found[column].cat.codes.tolist() == expected[column].cat.codes.tolist(), column
        else:
            assert found[column].dtype == dtype, column
            pd.testing.assert_series_equal(found[column], expected[column])


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The files there, with when each was written."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


each_way = pytest.mark.parametrize("by", ["run_id", "month"])


@each_way
@pytest.mark.parametrize("how", ["pandas", "pyarrow"])
def test_what_is_read_back_is_what_the_frames_say(tmp_path: Path, by: Any, how: str) -> None:
    ledger = ledger_of(["one", "two", "three", "007", "4e5"])
    assert write_parquet(ledger, tmp_path / "out", by) == ["one", "two", "three", "007", "4e5"]
    for name in FRAMES:
        same(read(tmp_path / "out", name, how), told(name, ledger))
    folders = {"run=one", "run=two", "run=three", "run=007", "run=4e5"} if by == "run_id" else {
        "month=2026-01", "month=2026-02"}  # fmt: skip
    assert {path.name for path in (tmp_path / "out" / "items").iterdir()} == folders
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@each_way
def test_a_run_that_is_new_leaves_the_files_of_the_others(tmp_path: Path, by: Any) -> None:
    write_parquet(ledger_of(["a", "b"], timedelta(days=31)), tmp_path, by)
    before = contents(tmp_path)
    three = ledger_of(["a", "b", "c"], timedelta(days=31))
    assert write_parquet(three, tmp_path, by) == ["c"]
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 3
    assert write_parquet(three, tmp_path, by) == []
    assert contents(tmp_path) == after
    assert write_parquet(three, tmp_path, by, anew=True) == ["a", "b", "c"]
    for name in FRAMES:
        same(read(tmp_path, name), told(name, three))


def test_a_month_keeps_the_runs_that_this_ledger_does_not_have(tmp_path: Path) -> None:
    hour = timedelta(hours=1)
    whole = ledger_of(["a", "b"], hour)
    write_parquet(ledger_of(["a"], hour), tmp_path, "month")
    second = MemoryRunLedger.from_records([whole.get_run("b")], [("b", event) for event in whole.get_events("b")])
    assert write_parquet(second, tmp_path, "month") == ["b"]
    for name in FRAMES:
        same(read(tmp_path, name), told(name, whole))


@each_way
def test_a_run_that_goes_on_is_written_until_it_has_ended(tmp_path: Path, by: Any) -> None:
    ledger = MemoryRunLedger(ids=["live"], clock=lambda: NOON)
    run_id = ledger.create_run("0" * 64, RunMetadata())
    for seq in (1, 2):
        ledger.append_event(
            run_id, RunEvent(seq=seq, kind="NodeEntered", payload={"node_id": f"r{seq}"}, timestamp=NOON)
        )
        assert write_parquet(ledger, tmp_path, by) == ["live"]
        assert len(read(tmp_path, "events")) == seq
    ledger.fail_run(run_id, RunSummary(total_events=2, final_state_digest="0" * 64, duration_ms=1, success=False))
    assert write_parquet(ledger, tmp_path, by) == ["live"]
    assert write_parquet(ledger, tmp_path, by) == []
    assert read(tmp_path, "runs")["status"].tolist() == ["FAILED"]


# ---------------------------------------------------------------------- names, and what stands in the way

HOSTILE = [
    *STRANGE_NAMES[::4],
    *(
        "..",
        "../../up",
        "a/b",
        "a\\b",
        "A",
        "a",
        "a=b",
        "%2e%2e",
        "",
        " ",
        "x" * 500,
        "run id?*",
        "é",
        "日本",
        "007",
        "a.",
    ),
    *("__HIVE_DEFAULT_PARTITION__", "null", "unknown", "con", "spring_2~3ee5c4ef5c654ada", "Spring/2"),
]


@each_way
def test_ids_that_are_no_names_of_folders(tmp_path: Path, by: Any) -> None:
    ids = list(dict.fromkeys(HOSTILE))
    ledger = ledger_of(ids)
    write_parquet(ledger, tmp_path / "out", by)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {path.relative_to(tmp_path / "out").parts[0] for path in (tmp_path / "out").rglob("*")} == set(FRAMES)
    for name in FRAMES:
        same(read(tmp_path / "out", name), told(name, ledger))
    if by == "run_id":
        names = [path.name for path in (tmp_path / "out" / "runs").iterdir()]
        assert len({name.lower() for name in names}) == len(ids)
        assert all(len(name) < 120 and name.isascii() for name in names)
    assert write_parquet(ledger, tmp_path / "out", by) == []


def test_half_a_character_is_no_unicode(tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["half\ud800"], clock=lambda: NOON)
    run_id = ledger.create_run("0" * 64, RunMetadata())
    payload = {"node_id": "b\udfff", "run_id": "ok"}
    ledger.append_event(run_id, RunEvent(seq=1, kind="NodeEntered", payload=payload, timestamp=NOON))
    write_parquet(ledger, tmp_path)
    events = read(tmp_path, "events")
    assert events[["run_id", "repo_id"]].to_numpy().tolist() == [["half\ufffd", "b\ufffd"]]
    assert json.loads(events["payload"][0]) == payload


@pytest.mark.parametrize("there", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path: Path, there: bool) -> None:
    good = ledger_of(["a", "b"])
    out = tmp_path / "out"
    if there:
        write_parquet(ledger_of(["a"]), out)
    before = contents(tmp_path)
    bad = RunEvent(seq=99, kind="NodeEntered", payload={"node_id": float("nan")}, timestamp=NOON)
    spoilt = MemoryRunLedger.from_records(
        good.list_runs(), [(run, event) for run in "ab" for event in good.get_events(run)] + [("b", bad)]
    )
    with pytest.raises(StorageError, match="an event of run 'b' cannot be written as JSON"):
        write_parquet(spoilt, out)
    assert contents(tmp_path) == before
    assert out.exists() == there


@pytest.mark.parametrize("moved", range(6))
def test_a_writer_that_is_stopped_while_files_are_moved_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    ledger = ledger_of(["a", "b", "c"])
    write_parquet(ledger_of(["a"]), tmp_path)
    real, done = os.replace, []

    def replace(source: Any, target: Any) -> None:
        if len(done) == moved:
            raise OSError(28, "No space left on device")
        done.append(target)
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", replace)
        with pytest.raises(Backend, match="cannot be written: No space left on device"):
            write_parquet(ledger, tmp_path)
    runs, others = read(tmp_path, "runs"), [read(tmp_path, name) for name in ("items", "events")]
    assert all(set(runs["run_id"]) <= set(frame["run_id"]) for frame in others)  # a run that is told of is whole
    write_parquet(ledger, tmp_path)
    for name in FRAMES:
        same(read(tmp_path, name), told(name, ledger))


def test_what_is_no_such_folder_is_refused(tmp_path: Path) -> None:
    ledger = ledger_of(["a"])
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious")
    write_parquet(ledger, tmp_path / "runs")
    for folder, why in {
        "file": "a file; expected a folder that is new, empty",
        "full": "which holds 'mine.txt'; expected a folder",
        "runs": "is not partitioned by month; .* with the same partition_by",
    }.items():
        with pytest.raises(ValueError, match=why):
            write_parquet(ledger, tmp_path / folder, "month")
    with pytest.raises(ValueError, match="folder is 's3://bucket', a URL"):
        write_parquet(ledger, "s3://bucket")
    with pytest.raises(TypeError, match="folder is 3, expected a path"):
        write_parquet(ledger, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="partition_by is 'year', expected one of"):
        write_parquet(ledger, tmp_path / "new", "year")  # type: ignore[arg-type]
    with pytest.raises(Backend, match="No such file or directory"):
        write_parquet(ledger, tmp_path / "no" / "where")
    with pytest.raises(ReadError, match="no such ledger file"):
        write_parquet(tmp_path / "none.db", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_files_that_others_put_there(tmp_path: Path) -> None:
    ledger = ledger_of(["a"])
    write_parquet(ledger, tmp_path)
    path = tmp_path / "runs" / "run=a" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ReadError, match="cannot be read as Parquet"):
        write_parquet(ledger, tmp_path)
    pd.DataFrame({"run_id": ["a"]}).to_parquet(path)
    with pytest.raises(ReadError, match="has other columns than seqkit writes"):
        write_parquet(ledger, tmp_path)


# ---------------------------------------------------------------------- ledgers of every kind


def test_ledgers_of_every_kind(tmp_path: Path) -> None:
    memory = ledger_of(["one", "two"])
    write_ledger(memory, tmp_path / "runs.jsonl")
    write_ledger(memory, tmp_path / "runs.db")
    for number, given in enumerate(
        [tmp_path / "runs.jsonl", str(tmp_path / "runs.db"), read_ledger(tmp_path / "runs.db")]
    ):
        out = tmp_path / str(number)
        write_parquet(given, out)
        for name in FRAMES:
            same(read(out, name), told(name, given))
        assert write_parquet(memory, out) == []  # the same runs, wherever they are kept
    with SqlRunLedger(tmp_path / "runs.db") as ledger:
        write_parquet(ledger, tmp_path / "sql")
        same(read(tmp_path / "sql", "items"), told("items", ledger))


def test_an_empty_ledger_and_one_of_events_alone(tmp_path: Path) -> None:
    assert write_parquet(MemoryRunLedger(), tmp_path / "empty") == []
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == sorted(FRAMES)
    lines = tmp_path / "runs.jsonl"
    write_ledger(ledger_of(["a"]), lines)
    lines.write_text("".join(line for line in lines.read_text().splitlines(True) if '"event"' in line[:10]))
    for by in ("run_id", "month"):
        assert write_parquet(lines, tmp_path / by, by) == ["a"]  # type: ignore[arg-type]
        assert len(read(tmp_path / by, "events")) == len(events_frame(lines)) > 0
        assert len(read(tmp_path / by, "items")) == len(read(tmp_path / by, "runs")) == 0


def test_files_have_the_same_columns_whatever_is_in_them(tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["full", "bare"], clock=lambda: NOON)
    run_plan(PLAN, {"core": 1.0}, ledger, rng=1)
    ledger.create_run("0" * 64, RunMetadata())
    write_parquet(ledger, tmp_path)
    for name in FRAMES:
        first, second = (parquet.ParquetFile(path).schema_arrow for path in sorted((tmp_path / name).glob("*/*")))
        assert first.equals(second)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "seqkit-py\[parquet\]"'):
        write_parquet(MemoryRunLedger(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cases", [5, pytest.param(400, marks=pytest.mark.slow)])
def test_ledgers_that_grow(tmp_path: Path, cases: int) -> None:
    """Added bit by bit, from ledgers that have some of the runs, it comes to what the whole ledger comes to."""
    for case in range(cases):
        rng = random.Random(case)
        ids = [f"run-{number}" for number in range(rng.randint(1, 6))]
        whole = ledger_of(ids, timedelta(days=rng.choice([1, 9, 40])))
        by: Any = rng.choice(["run_id", "month"])
        out = tmp_path / str(case)
        left = list(ids)
        while left:
            some = rng.sample(ids, rng.randint(1, len(ids)))
            left = [run for run in left if run not in some]
            records = [whole.get_run(run) for run in ids if run in some]
            part = MemoryRunLedger.from_records(
                records, [(run, event) for run in ids if run in some for event in whole.get_events(run)]
            )
            write_parquet(part, out, by)
        for name in FRAMES:
            same(read(out, name), told(name, whole))
