"""Which run is meant: one rule for every `run_id`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    GraphRunRecorder,
    MemoryRunLedger,
    RecordedReleaser,
    RepoDependencyGraph,
    RunLedger,
    RunMetadata,
    RunNotFound,
    ScriptedReleaser,
    VirtualClock,
    audit,
    blockers,
    build_plan,
    close_run,
    eta,
    events_frame,
    items_frame,
    open_ledger,
    plots,
    read_ledger,
    replay,
    report,
    resume_plan,
    run_plan,
    write_ledger,
)
from seqkit.ledger.naming import run_called, run_ids

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
IDS = ["may-01", "may-02", "june-01", "june-02"]

ASKED: dict[str, Callable[[RunLedger, str], Any]] = {
    "items_frame": lambda ledger, run: items_frame(ledger, run)["run_id"].unique().tolist()[0],
    "events_frame": lambda ledger, run: events_frame(ledger, run)["run_id"].unique().tolist()[0],
    "blockers": lambda ledger, run: blockers(ledger, run, by_run=True)["run_id"].tolist()[0],
    "resume_plan": lambda ledger, run: resume_plan(ledger, run).originating_run_id,
    "replay": lambda ledger, run: replay(ledger, run).run_id,
    "report": lambda ledger, run: report(ledger, run).run_ids[0],
    "RecordedReleaser": lambda ledger, run: RecordedReleaser(ledger, run).run_id,
    "timeline": lambda ledger, run: plots.timeline(ledger, run).get_title(loc="left").split()[1],
    "eta": lambda ledger, run: eta(ledger, run, 1.0, trials=10).over,
    "audit": lambda ledger, run: audit(ledger, run).n_runs == 1,
}


@pytest.fixture
def ledger() -> MemoryRunLedger:
    kept = MemoryRunLedger(ids=IDS, clock=VirtualClock(datetime(2026, 1, 5, tzinfo=UTC)))
    for _ in IDS:
        run_plan(PLAN, ScriptedReleaser(["core"]), kept, clock=VirtualClock())
    return kept


@pytest.mark.parametrize("name", list(ASKED))
def test_every_function_takes_the_start_of_an_id_and_last(ledger: MemoryRunLedger, name: str) -> None:
    ask = ASKED[name]
    if name in ("eta", "audit"):  # their results do not name the run
        assert ask(ledger, "last")
    else:
        assert [ask(ledger, run) for run in ("may-01", "june-01", "last")] == ["may-01", "june-01", "june-02"]
    with pytest.raises(ValueError, match=r"is 'june', with which the ids of 2 runs start: june-01, june-02; give more"):
        ask(ledger, "june")
    with pytest.raises(RunNotFound, match="run not found: may\n") as caught:  # three characters are too few
        ask(ledger, "may")
    assert "the newest here: may-01, may-02, june-01, june-02" in caught.value.__notes__[0]


def test_close_run_takes_them_too() -> None:
    ledger = MemoryRunLedger(ids=["first", "second"])
    for _ in range(2):
        GraphRunRecorder.start(ledger, "0" * 64, RunMetadata())
    assert close_run(ledger, "last", "gone").run_id == "second"
    assert close_run(ledger, "firs", "gone").run_id == "first"


def test_an_id_means_its_run_whatever_else_it_could_mean() -> None:
    ledger = MemoryRunLedger(ids=["last", "2026", "2026-01", "last-2"], clock=VirtualClock())
    for _ in range(4):
        ledger.create_run("0" * 64, RunMetadata())
    assert [run_called(ledger, name) for name in ("last", "2026", "2026-01", "last-")] == [
        "last",
        "2026",
        "2026-01",
        "last-2",
    ]


def test_in_a_file_runs_without_a_record_can_be_named_and_are_never_the_last(tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["whole", "broken"], clock=VirtualClock())
    for _ in range(2):
        run_plan(PLAN, ScriptedReleaser(), ledger, clock=VirtualClock())
    write_ledger(ledger, tmp_path / "runs.jsonl")
    lines = (tmp_path / "runs.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "runs.jsonl").write_text("".join(line for line in lines if '{"run":{"run_id":"broken"' not in line))
    found = read_ledger(tmp_path / "runs.jsonl")
    assert run_ids(found) == ["whole", "broken"]
    assert (run_called(found, "brok"), run_called(found, "last")) == ("broken", "whole")
    assert len(events_frame(found, "brok")) == 4


def test_a_database_is_asked_for_one_run_where_it_is_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(tmp_path / "runs.db") as kept:
        run_id = kept.create_run("0" * 64, RunMetadata())
        monkeypatch.setattr(type(kept), "list_runs", None)
        assert run_called(kept, run_id) == run_id


def test_an_empty_ledger_has_no_last_run() -> None:
    with pytest.raises(RunNotFound, match="run not found: last") as caught:
        items_frame(MemoryRunLedger(), "last")
    assert "the ledger has no runs" in caught.value.__notes__[0]
