import itertools
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    Release,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunRecord,
    ScriptedReleaser,
    SqlRunLedger,
    audit,
    build_plan,
    events_frame,
    fixes_frame,
    items_frame,
    load_dataset,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
)
from seqkit.explore.one_run import OneRun
from seqkit.ledger import write_ledger
from tests.tools.by_hand import Run, written

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
STRING, UTC_US, DELTA = pd.StringDtype("python"), "datetime64[us, UTC]", "timedelta64[us]"
RUN_STATUS = pd.CategoricalDtype(pd.Index(["RUNNING", "COMPLETED", "FAILED", "CANCELLED"], dtype=STRING), ordered=True)
STATUS = pd.CategoricalDtype(
    pd.Index(["pending", "in_progress", "succeeded", "failed", "skipped"], dtype=STRING), ordered=True
)
CAUSE = pd.CategoricalDtype(pd.Index(["blocked", "unreleased", "stopped"], dtype=STRING), ordered=True)

COLUMNS = {
    runs_frame: {
        "run_id": STRING,
        "plan_id": STRING,
        "originating_run_id": STRING,
        "train": STRING,
        "resumes": STRING,
        "agent_name": STRING,
        "status": RUN_STATUS,
        "success": "boolean",
        "policy": STRING,
        "total_events": "Int64",
        "started_at": UTC_US,
        "finished_at": UTC_US,
        "duration": DELTA,
        "spec_digest": STRING,
        "git_sha": STRING,
    },
    events_frame: {
        "run_id": STRING,
        "seq": "Int64",
        "kind": STRING,
        "repo_id": STRING,
        "version": STRING,
        "released_as": STRING,
        "error": STRING,
        "timestamp": UTC_US,
        "payload": object,
    },
    items_frame: {
        "run_id": STRING,
        "position": "Int64",
        "wave": "Int64",
        "repo_id": STRING,
        "version_label": STRING,
        "spec_digest": STRING,
        "promoted_by": STRING,
        "status": STATUS,
        "skip_cause": CAUSE,
        "attempts": "Int64",
        "started_at": UTC_US,
        "finished_at": UTC_US,
        "duration": DELTA,
        "released_as": STRING,
        "reason": STRING,
        "blocked_by": object,
        "in_doubt": "boolean",
    },
}


def ticking():
    times = (NOON + timedelta(seconds=s) for s in itertools.count())
    return lambda: next(times)


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request, tmp_path):
    if request.param == "memory":
        made = MemoryRunLedger(ids=map(str, itertools.count()), clock=ticking())
    else:
        made = SqlRunLedger(tmp_path / "runs.db", ids=map(str, itertools.count()), clock=ticking())
    yield made
    made.close()


@pytest.fixture
def plan():
    graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("c", "d"), ("a", "e")])
    return build_plan(graph, [Release(repo, f"{repo}-1", "sha", "kim") for repo in "abde"], originating_run_id="o")


@pytest.mark.parametrize("make", COLUMNS)
def test_a_ledger_that_was_read_also_has_its_source(make, ledger, plan, tmp_path):
    expected = pd.Series(COLUMNS[make] | {"source": STRING}).map(pd.api.types.pandas_dtype)
    for _ in range(2):
        write_ledger(ledger, tmp_path / "l.jsonl")
        frame = make(tmp_path / "l.jsonl")
        assert list(frame.columns) == list(expected.index)
        assert frame.dtypes.to_dict() == expected.to_dict()
        pd.testing.assert_frame_equal(frame.drop(columns="source"), make(ledger))
        run_plan(plan, ScriptedReleaser(["b"]), ledger)


@pytest.mark.parametrize("make", COLUMNS)
def test_columns_and_dtypes_with_and_without_rows(make, ledger, plan):
    expected = pd.Series(COLUMNS[make]).map(pd.api.types.pandas_dtype)
    for _ in range(2):
        frame = make(ledger)
        assert list(frame.columns) == list(expected.index)
        assert frame.dtypes.to_dict() == expected.to_dict()
        run_plan(plan, ScriptedReleaser(["b"]), ledger)
    assert len(make(ledger)) > 0


def test_runs(ledger, plan):
    run_plan(plan, ScriptedReleaser(["b"]), ledger, policy="stop", tags={"train": "t", "resumes": "r"})
    run_plan(plan, ScriptedReleaser(), ledger)
    frame = runs_frame(ledger).set_index("run_id")
    assert frame["status"].tolist() == ["FAILED", "COMPLETED"]
    assert frame["success"].tolist() == [False, True]
    assert frame["policy"].tolist() == ["stop", "skip_dependents"]
    assert frame["originating_run_id"].tolist() == ["o", "o"]
    assert frame["plan_id"].tolist() == [plan.plan_id] * 2
    assert frame.loc["0", ["train", "resumes"]].tolist() == ["t", "r"]
    assert frame.loc["1", ["train", "resumes"]].isna().all()
    assert (frame["duration"] == frame["finished_at"] - frame["started_at"]).all()


def test_an_unfinished_run_has_gaps(ledger):
    ledger.create_run("0" * 64, RunMetadata())
    [row] = runs_frame(ledger).to_dict("records")
    assert row["status"] == "RUNNING"
    assert pd.isna(row["finished_at"])
    assert pd.isna(row["duration"])
    assert pd.isna(row["success"])


def test_events(ledger, plan):
    outcome = run_plan(plan, ScriptedReleaser({"b": "red"}), ledger)
    frame = events_frame(ledger, outcome.run_id)
    assert frame["seq"].tolist() == list(range(1, len(frame) + 1))
    assert frame["payload"].tolist() == [event.payload for event in ledger.get_events(outcome.run_id)]
    entered = frame[frame["kind"] == "NodeEntered"]
    assert entered["version"].tolist() == ["a-1", "b-1", "e-1"]
    failed = frame[frame["kind"] == "NodeFailed"].iloc[0]
    assert (failed["repo_id"], failed["error"]) == ("b", "release sequencing failed for repo b: red")
    assert frame["released_as"].dropna().tolist() == ["run-a", "run-e"]


def test_items(ledger, plan):
    run_plan(plan, ScriptedReleaser({"b": "red"}), ledger, attempts=2, clock=ticking())
    frame = items_frame(ledger).set_index("repo_id")
    assert frame.index.tolist() == ["a", "b", "e", "c", "d"]
    assert frame["position"].tolist() == [0, 1, 2, 3, 4]
    assert frame["wave"].tolist() == [0, 1, 1, pd.NA, 2]
    assert frame["status"].tolist() == ["succeeded", "failed", "succeeded", "skipped", "skipped"]
    assert frame["skip_cause"].dropna().to_dict() == {"c": "unreleased", "d": "blocked"}
    assert frame["attempts"].tolist() == [1, 2, 1, 0, 0]
    assert frame["blocked_by"].tolist() == [[], [], [], [], ["b"]]
    assert frame.loc["b", "reason"] == "release sequencing failed for repo b: red"
    assert frame.loc["a", "duration"] == pd.Timedelta("1s")
    assert frame.loc["b", "duration"] == pd.Timedelta("2s")
    assert frame.loc["c":, "started_at"].isna().all()


POLICIES = st.sampled_from(["skip_dependents", "stop", "continue"])


@settings(max_examples=150)
@given(
    edges=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda e: e[0] < e[1])),
    released=st.sets(st.integers(0, 7)),
    failing=st.sets(st.integers(0, 7)),
    policy=POLICIES,
    budget=st.none() | st.integers(1, 3),
    record_skips=st.booleans(),
)
def test_items_say_what_the_outcome_says(edges, released, failing, policy, budget, record_skips):
    graph = RepoDependencyGraph.from_edges([(f"{a}", f"{b}") for a, b in edges], nodes=map(str, range(8)))
    plan = build_plan(graph, [(f"{repo}", "1") for repo in sorted(released)])
    releaser = ScriptedReleaser([f"{repo}" for repo in failing])
    outcome = run_plan(plan, releaser, policy=policy, failure_budget=budget, record_skips=record_skips)
    told = outcome.to_frame()
    found = items_frame(outcome.ledger)[told.columns]
    pd.testing.assert_frame_equal(found, told)


def test_a_ledger_without_a_plan_shows_what_its_events_name():
    run = RunRecord(
        run_id="r", spec_digest="0" * 64, metadata=RunMetadata(tags=None), status="RUNNING", created_at=NOON
    )
    events = [
        RunEvent(seq=1, kind="node_entered", payload={"node_id": "x", "version": "3"}, timestamp=NOON),
        RunEvent(seq=2, kind="node_exited", payload={"node_id": "x", "run_id": "rx"}, timestamp=NOON),
        RunEvent(seq=3, kind="NodeEntered", payload={"node_id": "y"}, timestamp=NOON),
        RunEvent(seq=4, kind="Unknown", payload=["odd"], timestamp=NOON),
        RunEvent(seq=5, kind="NodeFailed", payload={"node_id": 7}, timestamp=NOON),
    ]
    ledger = MemoryRunLedger.from_records([run], [("r", event) for event in events])
    frame = items_frame(ledger)
    assert frame[["repo_id", "status", "version_label", "released_as"]].astype(object).fillna(
        ""
    ).to_numpy().tolist() == [
        ["x", "succeeded", "3", "rx"],
        ["y", "in_progress", "", ""],
    ]
    assert frame["wave"].isna().all()
    assert events_frame(ledger)["payload"].tolist()[3] == ["odd"]


def test_kf5_ledger():
    frame = items_frame(load_dataset("kf5").ledger)
    counts = frame.groupby(["run_id", "status"], observed=True).size()
    assert counts["kf5-5.78.0-unstable", "failed"] == 5
    assert counts["kf5-5.102.0-unstable", "succeeded"] == 75


def test_a_path_is_a_ledger(tmp_path, plan):
    run_plan(plan, 0.0, tmp_path / "runs.db").ledger.close()
    assert len(runs_frame(tmp_path / "runs.db")) == 1
    assert len(items_frame(str(tmp_path / "runs.db"))) == 5


def test_a_path_is_not_changed_by_a_look_at_it(tmp_path, plan):
    path = tmp_path / "runs.db"
    run_plan(plan, 0.0, path).ledger.close()
    before = path.read_bytes()
    for make in COLUMNS:
        make(path)
    assert path.read_bytes() == before


def test_events_of_one_run_from_a_database(ledger, plan):
    first, second = (run_plan(plan, 0.0, ledger).run_id for _ in range(2))
    assert events_frame(ledger)["run_id"].unique().tolist() == [first, second]
    pd.testing.assert_frame_equal(
        events_frame(ledger).query("run_id == @second").reset_index(drop=True), events_frame(ledger, second)
    )


# ---------------------------------------------------------------------- clocks that were set


def test_an_end_before_its_start_has_no_duration_and_the_audit_names_it():
    """Two machines, or a clock that was set: whatever was measured, it was no time that something took."""
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    donor = run_plan(plan, ScriptedReleaser(["api"]))
    record = donor.ledger.get_run(donor.run_id)
    record = record.model_copy(update={"created_at": NOON, "completed_at": NOON - timedelta(hours=1)})
    minutes = {1: 1, 2: 0, 3: 5, 4: 4}  # both ends lie before their starts
    events = [
        event.model_copy(update={"timestamp": NOON + timedelta(minutes=minutes[event.seq])})
        for event in donor.ledger.get_events(donor.run_id)
    ]
    ledger = MemoryRunLedger.from_records([record], [(donor.run_id, event) for event in events])
    items = items_frame(ledger)
    assert items["duration"].isna().all()
    assert items[["started_at", "finished_at"]].notna().all(axis=None)
    assert runs_frame(ledger)["duration"].isna().all()
    assert trains_frame(ledger)["duration"].isna().all()
    findings = audit(ledger).findings
    told = findings[(findings["check"] == "timestamps") & findings["repo_id"].notna()]
    assert told[["seq", "repo_id", "severity"]].to_numpy().tolist() == [[2, "core", "error"], [4, "api", "error"]]
    assert "the run ended at" in findings["message"].str.cat()
    assert "took" not in OneRun(ledger, record).summary


def test_what_is_fixed_before_it_failed_took_no_time():
    graph = RepoDependencyGraph.from_edges([], nodes=["core"])
    ledger = MemoryRunLedger(ids=["one", "two"])
    run_plan(build_plan(graph, version="1"), ScriptedReleaser(["core"]), ledger)
    run_plan(resume_plan(ledger, "one"), ScriptedReleaser(), ledger)
    runs = ledger.list_runs()
    moved = [
        (run.run_id, event.model_copy(update={"timestamp": event.timestamp + timedelta(hours=run.run_id == "one")}))
        for run in runs
        for event in ledger.get_events(run.run_id)
    ]
    fixes = fixes_frame(MemoryRunLedger.from_records(runs, moved))
    assert fixes[["failed_at", "released_at"]].notna().all(axis=None)
    assert fixes["time_to_fix"].isna().all()


@pytest.mark.parametrize(("status", "expected"), [("RUNNING", pd.NA), ("CANCELLED", True), ("FAILED", True)])
def test_in_doubt_is_what_failed_so_and_what_an_ended_run_left_open(status, expected, tmp_path):
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")], nodes=["c", "d"]), version="1")
    steps = ["enter a", "hang a", "enter c", "doubt c", "late c", "enter d", "skip b a"]
    ledger = written(run=Run(plan, steps, status))
    items = items_frame(ledger).set_index("repo_id")
    assert items["in_doubt"].drop("d").to_dict() == {"a": True, "c": False, "b": False}
    assert items["in_doubt"]["d"] is expected or items["in_doubt"]["d"] == expected
    assert items["released_as"].dropna().to_dict() == {"c": "run-c"}
    assert items["status"].to_dict() == {"a": "failed", "c": "failed", "d": "in_progress", "b": "skipped"}
    events = events_frame(ledger).set_index("seq")
    assert events["released_as"].dropna().to_dict() == {5: "run-c"}
    assert events["error"].dropna().to_dict() == {2: "timed out after 30 s", 4: "the answer was lost"}
    for name in ("l.jsonl", "l.db"):
        write_ledger(ledger, tmp_path / name)
        again = items_frame(tmp_path / name).drop(columns="source")
        pd.testing.assert_frame_equal(again, items_frame(ledger))
