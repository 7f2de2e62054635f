"""Files, several of them and folders: which belong together, what is left out, and what comes of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import seqkit
from seqkit import (
    ReadError,
    ReadWarning,
    RepoDependencyGraph,
    attempts_frame,
    audit,
    items_frame,
    read_attempts,
    read_ledger,
    run_plan,
)

CASES = '<testsuite name="ci" timestamp="2026-01-05T10:00:00Z"><testcase name="core" time="2"/></testsuite>'
GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
OURS = attempts_frame(run_plan(seqkit.build_plan(GRAPH, version="1.0"), {"core": 1.0}, rng=7, attempts=2).ledger)


def job(run: int, number: int, conclusion: str) -> dict[str, Any]:
    times = {"started_at": "2026-01-05T10:00:00Z", "completed_at": "2026-01-05T10:05:00Z"}
    facts = {"id": number, "run_id": run, "run_attempt": 1, "name": "build", "status": "completed"}
    return facts | times | {"conclusion": conclusion, "run_url": f"https://example.org/repos/acme/shop/runs/{run}"}


def put(folder: Path, name: str, document: object) -> Path:
    file = folder / name
    file.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return file


def table(folder: Path, frame: pd.DataFrame = OURS, name: str = "runs.csv", **how: Any) -> Path:
    frame.assign(blocked_by=frame["blocked_by"].map(";".join)).to_csv(folder / name, index=False, **how)
    return folder / name


# ---------------------------------------------------------------------- a folder


def test_files_of_a_folder_that_cannot_be_read_beside_the_others_are_left_out_and_said(tmp_path: Path) -> None:
    put(tmp_path, "good.json", {"total_count": 1, "jobs": [job(1, 11, "success")]})
    one = put(tmp_path, "one.json", {"total_count": 1, "jobs": [job(2, 22, "success")]})
    other = put(tmp_path, "other.json", {"total_count": 1, "jobs": [job(2, 22, "failure")]})
    no_id = put(tmp_path, "list.json", [{"status": "completed", "conclusion": "success", "createdAt": "2026-01-05"}])
    put(tmp_path, "broken.json", '{"jobs": [')
    put(tmp_path, "notes.md", "not looked at")
    with pytest.warns(ReadWarning, match="files were left out") as warned:
        frame = read_attempts(tmp_path)
    assert len(warned) == 1
    assert frame["run_id"].tolist() == ["acme/shop#1"], "of two that contradict each other neither counts"
    problems = frame.attrs["problems"]
    assert len(problems) == 3
    assert all(any(name in problem for problem in problems) for name in ("one.json", "other.json", "databaseId"))
    with pytest.warns(ReadWarning):
        ledger = read_ledger(tmp_path)
    assert len(ledger.unreadable) == 3
    assert not audit(ledger).ok, "what was left out is a finding"
    for given, told in ((no_id, "databaseId"), ([one, other], "tells otherwise"), (tmp_path / "broken.json", "JSON")):
        with pytest.raises(ReadError, match=told):  # what is named is not left out
            read_attempts(given)


def test_a_folder_is_of_one_system_or_format_says_which(tmp_path: Path) -> None:
    put(tmp_path, "ci.xml", CASES)
    table(tmp_path)
    with pytest.raises(ReadError, match=r"files of several systems: .*; say which to read by format="):
        read_attempts(tmp_path)
    assert read_attempts(tmp_path, format="junit")["repo_id"].tolist() == ["core"]
    with pytest.raises(ValueError, match="format is 'jenkins', expected one of"):
        read_attempts(tmp_path, format="jenkins")


def test_a_folder_without_runs_is_none(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds no runs, expected"):
        read_attempts(tmp_path)
    put(tmp_path, "broken.json", "{")
    with pytest.raises(ReadError, match="1 file cannot be read, the first"):
        read_attempts(tmp_path)


def test_folders_below_are_looked_through(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    put(deep, "ci.xml", CASES)
    (tmp_path / "node_modules").mkdir()
    put(tmp_path / "node_modules", "other.xml", CASES)
    assert read_attempts(tmp_path)["repo_id"].tolist() == ["core"]


@pytest.mark.parametrize("given", [7, [7], [None]])
def test_wrong_paths_are_told(given: Any) -> None:
    with pytest.raises(TypeError, match=r"path (is|has) "):
        read_attempts(given)
    with pytest.raises(ValueError, match="path is empty"):
        read_attempts([])


# ---------------------------------------------------------------------- a table


@pytest.mark.parametrize("how", [{}, {"sep": ";"}, {"encoding": "utf-8-sig"}, {"lineterminator": "\r\n"}])
def test_a_table_of_attempts_is_read_as_it_was(tmp_path: Path, how: dict[str, Any]) -> None:
    file = table(tmp_path, **how)
    pd.testing.assert_frame_equal(read_attempts(file), OURS)
    pd.testing.assert_frame_equal(attempts_frame(read_ledger(file)), OURS)
    pd.testing.assert_frame_equal(attempts_frame(file), OURS)


def test_a_graph_says_who_blocked_what_a_table_calls_skipped(tmp_path: Path) -> None:
    told = OURS.assign(status=OURS["status"].astype(str).replace("blocked", "skipped"), blocked_by=[[]] * len(OURS))
    file = table(tmp_path, told)
    pd.testing.assert_frame_equal(read_attempts(file, GRAPH), OURS)
    assert any("nobody says" in problem for problem in read_attempts(file).attrs["problems"])


def test_a_table_with_names_of_its_own_is_told_of_ledger_from_frame(tmp_path: Path) -> None:
    file = put(tmp_path, "ci.csv", "build,job,result\n7,core,ok\n")
    for read in (read_attempts, read_ledger):
        with pytest.raises(ReadError, match=r"ledger_from_frame|read_attempts"):
            read(file)
    with pytest.raises(
        ReadError, match=r"ci.csv: as a table of attempts \(df\): .*words that nobody here knows: 'meh'"
    ):
        read_attempts(put(tmp_path, "ci.csv", "run_id,repo_id,status\n7,core,meh\n"))
    with pytest.raises(ReadError, match="expected each once"):
        read_attempts(put(tmp_path, "ci.csv", "run_id,repo_id,status,status\n7,core,ok,ok\n"))


# ---------------------------------------------------------------------- what comes of it


def test_read_ledger_knows_files_of_other_systems(tmp_path: Path) -> None:
    file = put(tmp_path, "nightly.xml", CASES)
    ledger = read_ledger(file)
    assert items_frame(ledger)[["repo_id", "status"]].to_numpy().tolist() == [["core", "succeeded"]]
    assert items_frame(file)["source"].tolist() == [os.fspath(file)], "and so does whatever takes a path"
    assert ledger.list_runs()[0].metadata.tags["imported"]["times"] is True
    with pytest.raises(seqkit.StorageError, match="read-only"):
        ledger.create_run("0" * 64, ledger.list_runs()[0].metadata)


def test_a_run_with_jobs_that_wait_still_goes_on(tmp_path: Path) -> None:
    waiting = job(1, 12, "") | {"name": "test", "status": "queued", "conclusion": None, "started_at": None}
    jobs = [job(1, 11, "success"), waiting | {"completed_at": None}]
    ledger = read_ledger(put(tmp_path, "jobs.json", {"total_count": 2, "jobs": jobs}))
    assert str(ledger.list_runs()[0].status) == "RUNNING"
    assert items_frame(ledger).set_index("repo_id")["status"].to_dict() == {"build": "succeeded", "test": "pending"}
