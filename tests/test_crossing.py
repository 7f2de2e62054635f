"""What crosses a process boundary: errors with their evidence, outcomes with ledgers, results with their numbers."""

from __future__ import annotations

import copy
import itertools
import multiprocessing
import os
import pickle
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import seqkit
from seqkit import (
    Backend,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunMetadata,
    ScriptedReleaser,
    SqlRunLedger,
    StorageError,
    build_plan,
    errors,
    run_plan,
)
from seqkit._util.secrets import shown
from seqkit.core.model import RunEvent

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),  # our own bytes
    "old pickle": lambda thing: pickle.loads(pickle.dumps(thing, 2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def events_of(ledger: Any) -> list[list[RunEvent]]:
    return [ledger.get_events(run.run_id) for run in ledger.list_runs()]


def noon() -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC)


def one_id() -> str:
    return "run-1"


# ---------------------------------------------------------------------- errors

MADE = [
    errors.SeqkitError("x"),
    errors.MultiRepoError("x"),
    errors.DependencyCycle(["a", "b", "a"], 2, "do this", "or that"),
    errors.RepoNotFound("coer", among=["core", "api"]),
    errors.SequencingFailed("core", "red"),
    errors.DuplicateRelease("core"),
    errors.StorageError("x"),
    errors.RunNotFound("r"),
    errors.InvalidRunState("r", "Completed", "Running"),
    errors.InvalidDigest("abc"),
    errors.IntegrityError("x"),
    errors.Backend("x"),
    errors.ReadError(Path("edges.csv"), 3, "what"),
]


@way
@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_every_error_keeps_all_that_it_carries(error: Exception, way: Callable[[Any], Any]) -> None:
    assert {type(made).__name__ for made in MADE} == set(errors.__all__)
    error = copy.deepcopy(error)
    error.add_note("a note")
    error.told_by = "somebody"  # type: ignore[attr-defined]
    if isinstance(error, StorageError):
        outcome = run_plan(PLAN, ScriptedReleaser(["api"]))
        assert outcome.ledger is not None
        error.outcome, error.events = outcome, outcome.ledger.get_events(outcome.run_id or "")
    back = way(error)
    assert (type(back), str(back), back.args) == (type(error), str(error), error.args)
    for name, value in vars(error).items():
        if name == "outcome" and value is not None:
            assert back.outcome.failures == value.failures
            assert events_of(back.outcome.ledger) == events_of(value.ledger)
        elif not name.startswith("_") or name == "__notes__":
            assert getattr(back, name) == value, name
    if isinstance(error, errors.RepoNotFound):
        assert back.suggestions == ["core"]
        assert back.__notes__[0] == "did you mean 'core'?"


def drops_its_table(path: str) -> None:
    def release(repo: str, *_: str) -> str:
        if repo == "api":
            connection = sqlite3.connect(path)
            connection.execute("DROP TABLE run_events")
            connection.commit()
            connection.close()
        return "x"

    run_plan(PLAN, release, path)


class OneWay(MemoryRunLedger):
    """A ledger of somebody's own, that cannot be pickled, and breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def append_event(self, run_id: str, event: RunEvent) -> None:
        if event.seq == 4:
            raise Backend("the disk is gone")
        super().append_event(run_id, event)


def breaks(_: str) -> None:
    run_plan(PLAN, 0.0, OneWay())


@pytest.mark.slow
@pytest.mark.parametrize("work", [drops_its_table, breaks])
def test_an_error_of_a_run_comes_out_of_a_process_pool_with_its_evidence(
    work: Callable[[str], None], tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool, pytest.raises(Backend) as caught:
        pool.submit(work, str(tmp_path / "runs.db")).result(120)
    check_evidence(caught.value, work is breaks)


@pytest.mark.parametrize("work", [drops_its_table, breaks])
def test_an_error_of_a_run_keeps_its_evidence(work: Callable[[str], None], tmp_path: Path) -> None:
    with pytest.raises(Backend) as caught:
        work(str(tmp_path / "runs.db"))
    check_evidence(WAYS["pickle"](caught.value), work is breaks)


def check_evidence(error: StorageError, ledger_left_behind: bool) -> None:
    assert [(event.kind, event.payload["node_id"]) for event in error.events] == [("NodeExited", "api")]
    assert error.outcome is not None
    assert error.outcome.succeeded == ["core", "api"]
    assert error.outcome.run_id is not None
    assert (error.outcome.ledger is None) is ledger_left_behind
    notes = " ".join(getattr(error, "__notes__", ()))
    assert ("ledger was left behind, as it cannot be pickled: cannot pickle" in notes) is ledger_left_behind


# ---------------------------------------------------------------------- ledgers


@way
def test_a_ledger_in_memory_goes_on_from_there_by_itself(way: Callable[[Any], Any]) -> None:
    ledger = MemoryRunLedger(ids=["run-1", "run-2", "run-3"], clock=noon)
    first = ledger.create_run("0" * 64, RunMetadata(tags={"a": [1]}))
    ledger.append_event(first, RunEvent(seq=1, kind="k", payload={"node_id": "core"}, timestamp=noon()))
    back = way(ledger)
    assert repr(back) == "MemoryRunLedger(1 run, 1 event)"
    assert (back.list_runs(), events_of(back)) == (ledger.list_runs(), events_of(ledger))
    assert back.create_run("0" * 64, RunMetadata()) == "run-2"
    back.append_event(first, RunEvent(seq=2, kind="k", payload={}, timestamp=noon()))
    assert repr(ledger) == "MemoryRunLedger(1 run, 1 event)"
    assert back.get_run("run-2").created_at == noon()
    of_a_function = WAYS["pickle"](MemoryRunLedger(ids=one_id))
    assert of_a_function.create_run("0" * 64, RunMetadata()) == "run-1"


@way
def test_a_ledger_in_a_file_is_found_again_from_another_folder(
    way: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with SqlRunLedger("runs.db", clock=noon) as ledger:
        outcome = run_plan(PLAN, ScriptedReleaser(["api"]), ledger)
        back = way(ledger)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert events_of(back) == events_of(ledger)
        assert run_plan(PLAN, 0.0, back).overall_success
        assert len(ledger.list_runs()) == 2
        assert os.listdir() == []
        back.close()
        assert way(outcome).to_frame().equals(outcome.to_frame())
    with SqlRunLedger(tmp_path / "runs.db", read_only=True) as reading:
        back = way(reading)
        with pytest.raises(Backend, match="readonly"):
            back.create_run("0" * 64, RunMetadata())
        back.close()


def test_a_password_travels_and_is_not_shown() -> None:
    pytest.importorskip("psycopg")
    ledger = SqlRunLedger.__new__(SqlRunLedger)  # no server is needed to know the way to it
    way = "postgresql://kim:s3cret@nowhere.invalid/runs"
    hidden = type(SqlRunLedger("sqlite://").__dict__["_url"])(way)
    ledger.__setstate__({"_url": hidden, "_read_only": False, "_patience": 1.0, "source": shown(way)})
    back = WAYS["pickle"](ledger)
    assert back.__getstate__()["_url"] == way
    for told in (repr(back), repr(back.engine), back.source, repr(vars(back))):
        assert "s3cret" not in told


@pytest.mark.parametrize(
    ("argument", "given"),
    [
        ("ids", lambda: "run-1"),
        ("ids", (f"run-{n}" for n in itertools.count())),
        ("clock", lambda: noon()),
    ],
)
def test_what_cannot_be_pickled_is_named(argument: str, given: Any, tmp_path: Path) -> None:
    for ledger in (MemoryRunLedger(**{argument: given}), SqlRunLedger(tmp_path / "runs.db", **{argument: given})):
        with pytest.raises(
            TypeError, match=f"the ledger cannot be pickled because of its {argument}: .*expected a fun"
        ):
            pickle.dumps(ledger)
        assert repr(copy.deepcopy(ledger)) == repr(ledger)  # in the same process it is no trouble
    outcome = run_plan(PLAN, 0.0, clock=noon)
    assert WAYS["pickle"](outcome).ledger.list_runs()[0].created_at == noon()


def test_a_database_in_memory_says_why_it_stays() -> None:
    with SqlRunLedger("sqlite://") as ledger:
        outcome = run_plan(PLAN, 0.0, ledger)
        for thing in (ledger, outcome):
            with pytest.raises(TypeError, match=r"a database in memory .*cannot be pickled or copied; write_ledger"):
                pickle.dumps(thing)


def test_ids_that_are_used_up_are_told() -> None:
    ledger = MemoryRunLedger(ids=[])
    with pytest.raises(StorageError, match="ids is used up, expected an id for each run"):
        ledger.create_run("0" * 64, RunMetadata())
    with pytest.raises(StorageError, match="ids is used up"):
        run_plan(PLAN, 0.0, ledger)


# ---------------------------------------------------------------------- results


def results() -> dict[str, Any]:
    ledger = MemoryRunLedger(ids=["run-1"])
    outcome = run_plan(PLAN, ScriptedReleaser(["api"]), ledger)
    simulation = seqkit.simulate(PLAN, 0.1, trials=256, rng=1)
    return {
        "graph": PLAN.graph,
        "plan": PLAN,
        "outcome": outcome,
        "what-if": seqkit.what_if(PLAN, "api"),
        "audit": seqkit.audit(ledger),
        "analysis": seqkit.analyze(PLAN, 0.1),
        "simulation": simulation,
        "trial": simulation.trial(3),
        "comparison": seqkit.compare(PLAN, PLAN.without("app"), 0.1, trials=256, rng=1),
        "resume plan": seqkit.resume_plan(ledger, "run-1"),
        "replay": seqkit.replay(ledger, "run-1", policy="continue", model=0.5, trials=16, rng=1),
        "certain replay": seqkit.replay(ledger, "run-1"),
        "diff": seqkit.diff_plans(PLAN, PLAN.without("app")),
        "order": seqkit.check_order(PLAN, list(PLAN.released)),
        "model": seqkit.FailureModel({"core": 0.1}, common_causes=[seqkit.CommonCause("outage", 0.1, ["core"])]),
        "simulated": seqkit.SimulatedReleaser(0.1, rng=1),
        "scripted": ScriptedReleaser(["core"]),
        "sequencer": seqkit.ReleaseSequencer(PLAN.graph, ledger),
        "dataset": seqkit.load_dataset("jest29"),
    }


def test_results_cross_too() -> None:
    for name, thing in results().items():
        for cross in WAYS.values():
            back = cross(thing)
            assert repr(back) == repr(thing), name
            if hasattr(thing, "to_frame"):
                assert back.to_frame().equals(thing.to_frame()), name
            if "replay" in name or name == "simulation":
                assert repr(back.trial(0)) == repr(thing.trial(0)), name


def test_what_was_read_crosses_too(tmp_path: Path) -> None:
    run_plan(PLAN, ScriptedReleaser(["api"]), tmp_path / "runs.db")
    found = seqkit.read_ledger(tmp_path / "runs.db")
    seqkit.items_frame(found)  # which may keep what it has settled
    for cross in WAYS.values():
        back = cross(found)
        assert (back.runs, back.events) == (found.runs, found.events)
        assert seqkit.items_frame(back).equals(seqkit.items_frame(found))
