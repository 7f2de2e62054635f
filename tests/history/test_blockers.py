"""Who held up whom, against Shapley values by brute force over all orders of the failures."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import UTC, datetime
from itertools import permutations

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seqkit import (
    GraphRunRecorder,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunMetadata,
    RunNotFound,
    ScriptedReleaser,
    attempts_frame,
    build_plan,
    ledger_from_frame,
    load_dataset,
    run_plan,
)
from seqkit.core.model import spec_digest_of
from seqkit.history import blockers
from tests.tools.strategies import Train, ancestors, trains

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TWO_ROOTS = RepoDependencyGraph.from_edges([("core", "app"), ("auth", "app"), ("core", "docs")])


def executed(train: Train, ledger: MemoryRunLedger, record_skips: bool = True) -> str:
    run = train.run(ledger, record_skips=record_skips).run_id
    assert run is not None
    return run


def by_brute_force(failed: list[str], blocked: Collection[str], above: dict[str, set[str]]) -> dict[str, float]:
    """The mean of what each failure adds to the number of blocked repos, over all orders of the failures."""

    def worth(failures: set[str]) -> int:
        return sum(bool(failures & above[repo]) for repo in blocked)

    totals = dict.fromkeys(failed, 0)
    orders = list(permutations(failed))
    for order in orders:
        before: set[str] = set()
        for repo in order:
            totals[repo] += worth(before | {repo}) - worth(before)
            before.add(repo)
    return {repo: total / len(orders) for repo, total in totals.items()}


@settings(max_examples=80)
@given(trains(), st.booleans())
def test_the_shares_are_shapley_values(train: Train, record_skips: bool) -> None:
    expected, above = train.reading(), ancestors(train.nodes, train.edges)
    assume(len(expected.failed) <= 5)
    blocked = [repo for repo, cause in expected.causes.items() if cause == "blocked"]
    ledger = MemoryRunLedger()
    run = executed(train, ledger, record_skips)
    frame = blockers(ledger, run)
    assert set(frame.index) == set(expected.failed)
    assert frame["shapley"].to_dict() == pytest.approx(by_brute_force(expected.failed, blocked, above))
    assert frame["shapley"].sum() == pytest.approx(len(blocked))
    assert frame["shapley"].is_monotonic_decreasing
    for repo, row in frame.iterrows():
        mine = [other for other in blocked if repo in above[other]]
        assert row["failures"] == 1
        assert row["blocks"] == len(mine)
        assert row["alone"] == sum(len(above[other] & set(expected.failed)) == 1 for other in mine)


@settings(max_examples=80)
@given(st.lists(trains(largest=5), max_size=3))
def test_many_runs_are_the_sum_of_their_runs(several: list[Train]) -> None:
    ledger = MemoryRunLedger()
    runs = [executed(train, ledger) for train in several]
    whole, rows = blockers(ledger), blockers(ledger, by_run=True)
    assert rows["run_id"].tolist() == sorted(rows["run_id"], key=runs.index)
    parts: dict[str, list[float]] = {}
    for run in runs:
        for repo, share in blockers(ledger, run)["shapley"].items():
            parts.setdefault(str(repo), []).append(share)
    assert whole["shapley"].to_dict() == pytest.approx({repo: math.fsum(shares) for repo, shares in parts.items()})
    assert whole["failures"].to_dict() == {repo: len(shares) for repo, shares in parts.items()}
    assert int(rows["blocks"].sum()) == int(whole["blocks"].sum())
    assert int(rows["alone"].sum()) == int(whole["alone"].sum())


def test_dtypes_are_the_same_on_an_empty_ledger() -> None:
    ledger = MemoryRunLedger()
    empty, by_run = blockers(ledger), blockers(ledger, by_run=True)
    run_plan(build_plan(TWO_ROOTS, version="1"), ScriptedReleaser(["core"]), ledger)
    assert empty.dtypes.to_dict() == blockers(ledger).dtypes.to_dict()
    assert by_run.dtypes.to_dict() == blockers(ledger, by_run=True).dtypes.to_dict()
    assert empty.index.dtype == blockers(ledger).index.dtype == pd.StringDtype("python")
    assert list(by_run) == ["run_id", "repo_id", "failures", "blocks", "alone", "shapley"]


def test_what_was_stopped_without_a_failed_ancestor_is_blamed_on_nobody() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "b")], nodes=["c"])
    outcome = run_plan(build_plan(graph, version="1"), ScriptedReleaser(["a"]), policy="stop")
    assert outcome.skipped == ["c", "b"]
    assert blockers(outcome.ledger).reset_index().to_numpy().tolist() == [["a", 1, 1, 1, 1.0]]


def silent_run(failed: list[str], status: str = "FAILED") -> MemoryRunLedger:
    ledger = MemoryRunLedger(ids=["old"], clock=lambda: NOON)
    recorder = GraphRunRecorder.start(ledger, spec_digest_of("x"), RunMetadata(), lambda: NOON)
    for repo in failed:
        recorder.record("node_entered", {"node_id": repo, "version": "1"})
        recorder.record("node_failed", {"node_id": repo, "error": "red"})
    if status == "FAILED":
        recorder.finish_err()
    return ledger


def test_a_run_without_a_plan_needs_a_graph_where_something_failed() -> None:
    ledger = silent_run(["core", "auth"])
    for run in (None, "old"):
        with pytest.raises(ValueError, match=r"run 'old' carries no plan that can be read.*graph="):
            blockers(ledger, run)
    assert blockers(ledger, graph=TWO_ROOTS)["shapley"].to_dict() == {"core": 1.5, "auth": 0.5}
    part = build_plan(TWO_ROOTS, [("core", "1"), ("auth", "1"), ("app", "1")])
    assert blockers(ledger, graph=part)["shapley"].to_dict() == {"core": 0.5, "auth": 0.5}
    assert len(blockers(silent_run([]))) == 0, "nothing failed: no plan is needed"


def test_a_run_that_broke_off_blames_only_for_what_was_decided() -> None:
    """Without events of skips docs is passed over as soon as core has failed; app still waits for auth."""
    assert blockers(silent_run(["core"], "RUNNING"), graph=TWO_ROOTS)["shapley"].to_dict() == {"core": 1.0}


def test_a_skip_that_names_someone_without_a_recorded_failure_is_believed() -> None:
    ledger = silent_run(["core"], "RUNNING")
    recorder = GraphRunRecorder(ledger, "old", lambda: NOON)
    recorder.total_events = 2
    recorder.record("NodeSkipped", {"node_id": "app", "blocked_by": ["core", "core", 5, "auth"]})
    frame = blockers(ledger, graph=TWO_ROOTS)
    assert frame["shapley"].to_dict() == {"core": 1.5, "auth": 0.5}
    assert frame["failures"].to_dict() == {"core": 1, "auth": 0}


def test_real_trains() -> None:
    data = load_dataset("kf5")
    frame = blockers(data.ledger, graph=data.graph)
    assert (frame["blocks"] >= frame["alone"]).all()
    assert (frame["shapley"] <= frame["blocks"]).all()


def test_an_unknown_run_is_named() -> None:
    with pytest.raises(RunNotFound, match="run not found: nobody"):
        blockers(MemoryRunLedger(), "nobody")


def test_another_systems_run_names_whom_it_waited_for() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("docs", "api"), ("core", "web")])
    plan = build_plan(graph, version="1.0")
    ours = run_plan(plan, ScriptedReleaser(["core", "docs"])).ledger
    theirs = ledger_from_frame(attempts_frame(ours))
    pd.testing.assert_frame_equal(blockers(theirs), blockers(ours))
    untold = ledger_from_frame(attempts_frame(ours).drop(columns="blocked_by"))
    assert blockers(untold)["blocks"].tolist() == [0, 0]
