"""The command report."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    VirtualClock,
    build_plan,
    resume_plan,
    run_plan,
)
from seqkit.__main__ import main
from seqkit.ledger import write_ledger

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")


@pytest.fixture
def ledger_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ledger = MemoryRunLedger(ids=["monday-1", "monday-2"], clock=VirtualClock())
    run_plan(PLAN, ScriptedReleaser(["api"]), ledger, clock=VirtualClock(), tags={"train": "winter"})
    run_plan(resume_plan(ledger, "monday-1"), ScriptedReleaser(), ledger, clock=VirtualClock())
    write_ledger(ledger, tmp_path / "runs.jsonl")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs.jsonl"


def test_a_train_is_told_and_written(ledger_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "runs.jsonl", "winter", "--html", "report.html"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("TrainReport(train winter: COMPLETED; 3 of 3 repos out; 2 runs, 4 attempts")
    assert out.endswith("Written: report.html\n")
    assert "Release report: train winter" in ledger_file.with_name("report.html").read_text(encoding="utf-8")


def test_the_newest_run_is_meant_where_none_is_named(ledger_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "runs.jsonl"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("TrainReport(run monday-2: COMPLETED; 2 of 2 repos out; 1 run, 2 attempts")
    assert "one of 2 runs of the train winter" in out


def test_what_cannot_be_read_is_said(ledger_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ledger_file.open("a") as file:
        file.write("{]\n")
    assert main(["report", "runs.jsonl", "winter"]) == 0
    assert "1 unreadable line left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["runs.jsonl", "tuesday"],
            "RUN_OR_TRAIN is 'tuesday', which is no run of the ledger; it has monday-1, monday-2",
        ),
        (["runs.jsonl", "monday"], "with which the ids of 2 runs start: monday-1, monday-2"),
        (["runs.jsonl", "winter", "--html", "-"], "--html is '-', expected the name of a file"),
        (["runs.jsonl", "winter", "--html", "runs.jsonl"], "'runs.jsonl' is the file that is read"),
        (["runs.jsonl", "winter", "--html", "no/where.html"], "cannot write 'no/where.html': there is no directory"),
        (["nowhere.jsonl"], "nowhere.jsonl: there is no such file"),
    ],
)
def test_errors_leave_nothing_behind(
    ledger_file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    before = ledger_file.read_bytes()
    assert main(["report", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True), err
    assert [path.read_bytes() for path in ledger_file.parent.iterdir()] == [before]
