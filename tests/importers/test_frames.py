"""A ledger of anybody's table, and the table of a ledger again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqkit
from seqkit import (
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunSummary,
    ScriptedReleaser,
    attempts_frame,
    audit,
    build_plan,
    items_frame,
    ledger_from_frame,
    read_ledger,
    resume_plan,
    run_plan,
    runs_frame,
    trains_frame,
    write_ledger,
)
from tests.tools import made_up_ci

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("docs", "app"), ("core", "web")])
PLAN = build_plan(GRAPH, version="1.0")


MODEL = FailureModel(default=0.4, hard=0.5)


def same_again(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(attempts_frame(ledger_from_frame(frame)), frame)


# ---------------------------------------------------------------------- there and back


@given(
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.sampled_from([1, 2, None]),
    st.booleans(),
    st.sampled_from(["skip_dependents", "stop", "continue"]),
)
def test_a_run_of_ours_comes_back(seed: int, attempts: int, lanes: int | None, skips: bool, policy: Any) -> None:
    ledger = MemoryRunLedger()
    for trial in range(3):
        run_plan(
            PLAN,
            MODEL,
            ledger,
            rng=seed,
            trial=trial,
            attempts=attempts,
            max_parallel=lanes,
            record_skips=skips,
            policy=policy,
            tags={"train": "monday"} if trial else None,
        )
    same_again(attempts_frame(ledger))


_KINDS = ["NodeEntered", "NodeExited", "NodeFailed", "NodeSkipped", "NodeRetrying", "NodeLate", "node_entered"]
_REPOS = st.sampled_from(["core", "api", "web", "", "a;b"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(_KINDS),
            st.fixed_dictionaries(
                {"node_id": _REPOS},
                optional={
                    "version": st.sampled_from(["1", ""]),
                    "run_id": st.sampled_from(["r", ""]),
                    "error": st.sampled_from(["red", ""]),
                    "delay_ms": st.integers(-5, 10_000),
                    "blocked_by": st.lists(_REPOS, max_size=3),
                    "in_doubt": st.booleans(),
                    "still_running": st.booleans(),
                },
            ),
            st.integers(-3_000_000, 9_000_000),
        ),
        max_size=14,
    ),
    st.sampled_from(["complete_run", "fail_run", "cancel_run", None]),
    st.booleans(),
)
def test_whatever_stands_in_a_ledger_comes_back(events: list[Any], end: str | None, planned: bool) -> None:
    ledger = MemoryRunLedger(clock=lambda: NOON)
    tags = {"plan": {"items": [], "edges": []}} if planned else {}
    run_id = ledger.create_run("0" * 64, RunMetadata(tags=tags))
    for seq, (kind, payload, offset) in enumerate(events, 1):
        when = NOON + timedelta(microseconds=offset)
        ledger.append_event(run_id, RunEvent(seq=seq, kind=kind, payload=payload, timestamp=when))
    if end is not None:
        getattr(ledger, end)(run_id, RunSummary(total_events=len(events), duration_ms=0, success=True))
    same_again(attempts_frame(ledger))


def test_an_interrupted_and_resumed_train_comes_back() -> None:
    ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    run_plan(PLAN, ScriptedReleaser(["api"]), ledger)
    run_plan(resume_plan(ledger, "monday"), ScriptedReleaser(), ledger)
    frame = attempts_frame(ledger)
    assert set(frame["train"]) == {"monday"}
    same_again(frame)
    trains = trains_frame(ledger_from_frame(frame))
    assert trains[["train", "n_runs", "released", "left", "fixed"]].to_numpy().tolist() == [["monday", 2, 5, 0, 1]]


def test_unreleased_and_unreached_repos_come_back() -> None:
    plan = build_plan(GRAPH, [("core", "1.0"), ("app", "1.0")])
    ledger = MemoryRunLedger()
    run_plan(plan, ScriptedReleaser(["core"]), ledger, policy="stop")
    frame = attempts_frame(ledger)
    assert dict(zip(frame["repo_id"], frame["status"], strict=True)) == {
        "core": "failed",
        "api": "unreleased",
        "app": "blocked",
    }
    same_again(frame)
    ledger.create_run("0" * 64, ledger.list_runs()[0].metadata)
    assert attempts_frame(ledger)["status"].tolist()[-3:] == ["unreleased", "pending", "pending"]
    same_again(attempts_frame(ledger))


def test_through_a_file_and_back(tmp_path: Any) -> None:
    frame = attempts_frame(run_plan(PLAN, {"core": 1.0}, rng=1, attempts=3).ledger)
    write_ledger(ledger_from_frame(frame), tmp_path / "runs.jsonl")
    pd.testing.assert_frame_equal(attempts_frame(tmp_path / "runs.jsonl"), frame)


def test_through_csv_and_back(tmp_path: Any) -> None:
    frame = attempts_frame(run_plan(PLAN, {"core": 1.0}, rng=1, attempts=3).ledger)
    table = frame.assign(blocked_by=frame["blocked_by"].map(";".join))
    table.to_csv(tmp_path / "attempts.csv", index=False)
    pd.testing.assert_frame_equal(attempts_frame(ledger_from_frame(pd.read_csv(tmp_path / "attempts.csv"))), frame)


def test_an_empty_frame_is_an_empty_ledger() -> None:
    frame = attempts_frame(MemoryRunLedger())
    assert ledger_from_frame(frame).list_runs() == []
    same_again(frame)


# ---------------------------------------------------------------------- what a table of people's says

BUILDS = pd.DataFrame(
    {
        "build": [7, 7, 7, 8, 8],
        "job": ["core", "api", "docs", "core", "api"],
        "result": ["FAILURE", "skipped", "Passed", "timed out", None],
        "began": ["2026-01-05 10:00", None, "2026-01-05 10:00", "2026-01-06 10:00", None],
        "ended": ["2026-01-05 10:02", None, "2026-01-05 10:01", "2026-01-06 11:00", None],
    }
)
NAMES: dict[str, Any] = {"run": "build", "repo": "job", "status": "result", "started": "began", "finished": "ended"}


def test_other_names_words_and_times() -> None:
    ledger = ledger_from_frame(BUILDS, **NAMES, statuses={None: "stopped"}, graph=GRAPH)
    frame = attempts_frame(ledger)
    told = frame[["run_id", "repo_id", "status", "detail", "blocked_by"]].astype(object)
    assert told.where(told.notna(), "").to_numpy().tolist() == [
        ["7", "core", "failed", "", []],
        ["7", "docs", "succeeded", "", []],
        ["7", "api", "blocked", "", ["core"]],
        ["8", "core", "failed", "timed out", []],
        ["8", "api", "stopped", "", []],
    ]
    assert frame["started_at"].iloc[0] == pd.Timestamp("2026-01-05T10:00Z")
    assert [str(problem.message) for problem in ledger.problems] == ["times without a zone were taken for UTC"]
    assert "1 to look at in .problems" in repr(ledger)
    assert audit(ledger, graph=GRAPH).ok


def test_a_skip_without_a_graph_stays_ambiguous_and_is_said() -> None:
    ledger = ledger_from_frame(BUILDS.iloc[:3], **NAMES)
    item = items_frame(ledger).set_index("repo_id").loc["api"]
    assert item["status"] == "skipped"
    assert pd.isna(item["skip_cause"])
    assert any("nobody says whether a failure caused them: graph= tells which" in p.message for p in ledger.problems)


def test_missing_times_stay_missing() -> None:
    frame = BUILDS.drop(columns="began").iloc[:3]
    items = items_frame(ledger_from_frame(frame, **(NAMES | {"started": None}))).set_index("repo_id")
    assert items["started_at"].isna().all()
    assert items["duration"].isna().all()
    assert items.loc["core", "finished_at"] == pd.Timestamp("2026-01-05T10:02Z")
    untimed = ledger_from_frame(BUILDS.iloc[:3][["build", "job", "result"]], run="build", repo="job", status="result")
    assert runs_frame(untimed)[["started_at", "finished_at", "duration"]].isna().all(axis=None)


def test_rows_without_numbers_are_attempts_in_the_order_of_their_times() -> None:
    frame = pd.DataFrame(
        {
            "run_id": "1",
            "repo_id": "core",
            "status": ["succeeded", "failed"],
            "started_at": ["2026-01-05T11:00Z", "2026-01-05T10:00Z"],
        }
    )
    ledger = ledger_from_frame(frame)
    assert attempts_frame(ledger)[["attempt", "status"]].to_numpy().tolist() == [[1, "failed"], [2, "succeeded"]]
    assert "taken for attempts in the order of their times" in ledger.problems[0].message
    assert items_frame(ledger)["attempts"].tolist() == [2]


def test_what_is_cancelled_was_open_after_its_start_and_stopped_before() -> None:
    frame = pd.DataFrame(
        {
            "run_id": "1",
            "repo_id": ["core", "api"],
            "status": "canceled",
            "started_at": ["2026-01-05T10:00Z", None],
            "finished_at": ["2026-01-05T10:01Z", "2026-01-05T10:01Z"],
        }
    )
    ledger = ledger_from_frame(frame)
    assert items_frame(ledger)[["repo_id", "status", "in_doubt"]].to_numpy().tolist() == [
        ["core", "in_progress", True],
        ["api", "skipped", False],
    ]
    assert runs_frame(ledger)["status"].tolist() == ["CANCELLED"]
    assert audit(ledger).ok


def test_a_success_is_the_last_attempt_that_a_ledger_keeps() -> None:
    frame = pd.DataFrame({"run_id": "1", "repo_id": "core", "status": ["ok", "failed"], "attempt": [1, 2]})
    ledger = ledger_from_frame(frame)
    assert attempts_frame(ledger)["status"].tolist() == ["succeeded"]
    assert "after one that succeeded" in ledger.problems[0].message


def test_a_later_attempt_alone_keeps_its_number() -> None:
    frame = pd.DataFrame({"run_id": "1", "repo_id": "core", "status": ["failed", "ok"], "attempt": [2, 4]})
    assert attempts_frame(ledger_from_frame(frame))["attempt"].tolist() == [2, 4]


def test_what_stands_there_twice_counts_once() -> None:
    once = ledger_from_frame(BUILDS.iloc[:1].assign(n=1), **NAMES, attempt="n")
    twice = ledger_from_frame(pd.concat([BUILDS.iloc[:1]] * 2).assign(n=1), **NAMES, attempt="n")
    pd.testing.assert_frame_equal(attempts_frame(once), attempts_frame(twice))
    assert "counted once" in twice.problems[-1].message
    other = pd.concat([BUILDS.iloc[:1], BUILDS.iloc[:1].assign(result="ok")]).assign(n=1)
    with pytest.raises(ValueError, match="tells twice of attempt 1 at 'core' in run '7', and not the same"):
        ledger_from_frame(other, **NAMES, attempt="n")


@pytest.mark.parametrize(("unit", "number"), [("s", 1_767_607_200), ("ms", 1_767_607_200_000)])
def test_numbers_are_times_where_a_unit_is_given(unit: Any, number: int) -> None:
    frame = pd.DataFrame({"run_id": "1", "repo_id": ["core"], "status": "ok", "started_at": [number]})
    with pytest.raises(ValueError, match="say what they count since 1970 by unit="):
        ledger_from_frame(frame)
    found = attempts_frame(ledger_from_frame(frame, unit=unit))
    assert found["started_at"].tolist() == [pd.Timestamp("2026-01-05T10:00Z")]


def test_a_skip_beyond_one_that_went_out_is_nobodys_fault() -> None:
    frame = pd.DataFrame(
        {"run_id": "1", "repo_id": ["core", "api", "app", "web"], "status": ["failed", "ok", "skipped", "skipped"]}
    )
    found = attempts_frame(ledger_from_frame(frame, graph=GRAPH)).set_index("repo_id")
    assert found["status"].to_dict() == {"core": "failed", "api": "succeeded", "app": "skipped", "web": "blocked"}


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "keywords", "told"),
    [
        ({}, {"run": "id"}, r"df lacks run='id': its columns are .*; say which one tells the run \(run=…\)"),
        ({}, {"run": "bild"}, r"did you mean 'build'\?; run=None takes all rows for one run"),
        ({"result": ["FAILURE", "meh", "huh?", "meh", "ok"]}, {}, r"knows: 'meh' \(2 rows\), 'huh\?' \(1 row\); say"),
        ({"result": "completed"}, {}, "in another column"),
        ({"result": "ok", "job": None}, {}, "missing in row 1 .*and 4 more rows"),
        ({"result": "ok", "began": "yesterday"}, {}, "has 'yesterday' in row 1 .*, expected times in ISO 8601"),
        ({"result": "ok"}, {"unit": "days"}, "unit is 'days', expected"),
        ({"result": "ok"}, {"statuses": {"ok": "fine"}}, r"statuses\['ok'\] is 'fine', expected one of"),
        ({"result": "ok"}, {"graph": RepoDependencyGraph.from_edges([("x", "y")])}, "graph knows none of the repos"),
        ({"result": "ok", "n": 0}, {"attempt": "n"}, "whole numbers from 1; where it counts from 0, add 1 first"),
        ({"result": "ok"}, {"status": None}, "status is None"),
        ({"result": "ok"}, {"started": "beginn"}, r"df lacks started='beginn': .* tells the start \(started=…\)"),
        ({"result": "ok"}, {"reason": "why"}, r"df lacks reason='why'"),
    ],
)
def test_what_cannot_be_read_is_said(change: dict[str, Any], keywords: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ledger_from_frame(BUILDS.assign(**change), **(NAMES | keywords))


def test_a_wide_frame_is_told_of_melt() -> None:
    wide = pd.DataFrame({"night": ["mon", "tue"], "core": ["ok", "failed"], "api": ["ok", "skipped"]})
    with pytest.raises(ValueError, match=r"df.melt\(id_vars=\['night'\], var_name='repo_id', value_name='status'\)"):
        ledger_from_frame(wide, run="night")
    long = wide.melt(id_vars=["night"], var_name="repo_id", value_name="status")
    assert len(ledger_from_frame(long, run="night").list_runs()) == 2


def test_words_may_be_given_by_words_that_are_known() -> None:
    ledger = ledger_from_frame(BUILDS.assign(result="grün"), **NAMES, statuses={"grün": "passed"})
    assert set(attempts_frame(ledger)["status"]) == {"succeeded"}


def test_the_advice_for_local_times_can_be_followed() -> None:
    local = BUILDS.assign(result="ok", began="05.01.2026 10:00", ended=None)
    with pytest.raises(ValueError, match=r"tz_localize\('Europe/Berlin'"):
        ledger_from_frame(local, **NAMES)
    began = pd.to_datetime(local["began"], format="%d.%m.%Y %H:%M")
    zoned = began.dt.tz_localize("Europe/Berlin", ambiguous="NaT", nonexistent="shift_forward")
    ledger = ledger_from_frame(local.assign(began=zoned), **NAMES)
    assert attempts_frame(ledger)["started_at"].iloc[0] == pd.Timestamp("2026-01-05T09:00Z")
    assert ledger.problems == ()


def test_an_index_is_told_of_reset_index() -> None:
    with pytest.raises(ValueError, match=r"'build' is in the index, so call reset_index\(\) first"):
        ledger_from_frame(BUILDS.set_index("build"), **NAMES)


@given(st.data())
def test_hostile_cells_are_refused_or_read(data: st.DataObject) -> None:
    junk: Any = st.one_of(
        st.none(), st.text(max_size=5), st.integers(), st.floats(), st.booleans(), st.lists(st.text(max_size=2)),
        st.datetimes(), st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), st.binary(max_size=3),
    )  # fmt: skip
    cells = {
        name: data.draw(st.lists(junk | st.sampled_from(["ok", "failed", "skipped", "1"]), min_size=3, max_size=3))
        for name in attempts_frame(MemoryRunLedger()).columns
        if name in ("run_id", "repo_id", "status") or data.draw(st.booleans())
    }
    try:
        ledger = ledger_from_frame(pd.DataFrame({name: pd.Series(own, dtype=object) for name, own in cells.items()}))
    except (ValueError, TypeError):
        return
    same_again(attempts_frame(ledger))


def test_a_file_of_no_system_is_no_ledger(tmp_path: Any) -> None:
    (tmp_path / "notes.json").write_text('{"nothing": 1}')
    with pytest.raises(seqkit.ReadError, match="expected a ledger"):
        read_ledger(tmp_path / "notes.json")


def test_the_made_up_table_is_what_makes_it(tmp_path: Any) -> None:
    told = pd.read_csv(made_up_ci.FOLDER / "builds.csv", dtype=str)
    made_up_ci.table().to_csv(tmp_path / "builds.csv", index=False)
    pd.testing.assert_frame_equal(told, pd.read_csv(tmp_path / "builds.csv", dtype=str))
    assert made_up_ci.needs().to_numpy().tolist() == pd.read_csv(made_up_ci.FOLDER / "needs.csv").to_numpy().tolist()
