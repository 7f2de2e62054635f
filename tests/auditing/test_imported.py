"""Audits of runs that another system made: no false error, what does not fit is found, and what was not checked said.

Histories are simulated by seqkit, taken as tables of attempts and read back as another system's.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as how_many
from hypothesis import strategies as st

from seqkit import (
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunRecord,
    ScriptedReleaser,
    attempts_frame,
    audit,
    build_plan,
    ledger_from_frame,
    read_ledger,
    resume_plan,
    run_plan,
    write_ledger,
)
from seqkit.auditing import CHECKS, AuditReport
from seqkit.auditing.checks import LEDGER_CHECKS
from seqkit.core.model import RunStatus
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun

GRAPH = RepoDependencyGraph.from_edges(
    [("core", "api"), ("api", "app"), ("docs", "app"), ("core", "web"), ("web", "site"), ("app", "site")]
)
PLAN = build_plan(GRAPH, version="1.0", originating_run_id="spring")
PART = build_plan(GRAPH, [("core", "1.0"), ("app", "1.0"), ("docs", "1.0"), ("site", "1.0")])
MODEL = FailureModel(default=0.3, hard=0.5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def simulated(seed: int, runs: int = 3, plan: Any = PLAN, **how: Any) -> pd.DataFrame:
    """Give the attempts of runs whose events are a random part of a second apart."""
    chance = random.Random(seed)
    now = NOON

    def clock() -> datetime:
        nonlocal now
        now += timedelta(milliseconds=chance.randrange(700))
        return now

    ledger = MemoryRunLedger(clock=clock)
    for trial in range(runs):
        run_plan(plan, MODEL, ledger, rng=seed, trial=trial, clock=clock, **how)
    return attempts_frame(ledger)


def rows(*told: tuple[Any, ...], **more: list[Any]) -> pd.DataFrame:
    """Make a table of (repo, status, start, end), the times in seconds."""
    columns: dict[str, list[Any]] = {
        "run_id": ["r"] * len(told),
        "repo_id": [row[0] for row in told],
        "status": [row[1] for row in told],
        "started_at": [None if row[2] is None else at(row[2]) for row in told],
        "finished_at": [None if row[3] is None else at(row[3]) for row in told],
    }
    return pd.DataFrame(columns | more)


def audited(frame: pd.DataFrame, graph: Any = GRAPH) -> AuditReport:
    return audit(ledger_from_frame(frame), graph=graph)


def said(report: AuditReport, *severities: str) -> set[tuple[str, str | None]]:
    wanted = severities or ("error", "warning")
    return {(row.check, row.repo_id) for row in report.finding_rows if row.severity in wanted}


def why(report: AuditReport, check: str) -> tuple[str, str]:
    [found] = [(row.result, row.why) for row in report.check_rows if row.check == check]
    return found


# ---------------------------------------------------------------------- nothing false


@given(
    st.integers(0, 2**32),
    st.fixed_dictionaries(
        {
            "attempts": st.integers(1, 3),
            "max_parallel": st.sampled_from([1, 2, None]),
            "record_skips": st.booleans(),
            "policy": st.sampled_from(["skip_dependents", "stop"]),
            "plan": st.sampled_from([PLAN, PART]),
        }
    ),
    st.sampled_from(["as they are", "whole seconds", "no times", "no starts", "some times"]),
    st.sampled_from(["graph", "nobody", "both"]),
)
@how_many(max_examples=40)
def test_a_history_that_went_by_the_graph_has_no_error(seed: int, how: dict[str, Any], times: str, knows: str) -> None:
    frame = simulated(seed, **how).sample(frac=1, random_state=seed % 2**32).reset_index(drop=True)
    for name in ("started_at", "finished_at"):
        if times == "whole seconds":
            frame[name] = frame[name].dt.floor("s")
        elif times == "no times" or (times == "no starts" and name == "started_at"):
            frame[name] = pd.Series(pd.NaT, frame.index, "datetime64[us, UTC]")
        elif times == "some times":
            frame.loc[frame.index % 3 == 1, name] = pd.NaT
    ledger = ledger_from_frame(frame, graph=None if knows == "nobody" else GRAPH)
    report = audit(ledger, graph=None if knows == "graph" else GRAPH)
    assert not said(report), report


@given(st.integers(0, 2**32))
@how_many(max_examples=10)
def test_where_dependents_go_on_exactly_those_below_a_failure_are_found(seed: int) -> None:
    frame = simulated(seed, runs=1, policy="continue", max_parallel=None)
    failed = set(frame.loc[frame["status"] == "failed", "repo_id"])
    ends = dict(zip(frame["repo_id"], frame["status"] == "failed", strict=True))
    below = {repo for repo in ends if failed & set(GRAPH.dependencies_of(repo))}
    report = audited(frame)
    found = said(report)
    assert {repo for check, repo in found if check == "blocked"} == below
    assert {check for check, _ in found} <= {"blocked", "antichain"}
    above = {repo: failed & set(GRAPH.transitive_dependencies_of(repo)) for repo in failed}
    assert {repo for check, repo in found if check == "antichain"} == {repo for repo in failed if above[repo]}


def test_a_train_of_several_runs_has_no_finding() -> None:
    ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    run_plan(PLAN, ScriptedReleaser(["api"]), ledger)
    run_plan(resume_plan(ledger, "monday"), ScriptedReleaser(), ledger)
    frame = attempts_frame(ledger)
    assert not audited(frame).finding_rows
    for only in (None, "tuesday", "monday"):
        report = audit(
            ledger_from_frame(frame), only, graph=build_plan(GRAPH, version="1.0", originating_run_id="monday")
        )
        assert not report.finding_rows
        assert why(report, "versions") == why(report, "silent") == ("passed", "")


def test_a_table_with_columns_of_other_names_has_no_error() -> None:
    builds = pd.DataFrame(
        {
            "build": [7, 7, 7, 8],
            "job": ["core", "api", "app", "core"],
            "result": ["FAILED", "skipped", "upstream_failed", "ok"],
            "began": ["2026-01-05T10:00:00Z", None, None, "2026-01-06T10:00:00Z"],
        }
    )
    names = {"run": "build", "repo": "job", "status": "result", "started": "began"}
    report = audit(ledger_from_frame(builds, **names), graph=GRAPH)
    assert {row.severity for row in report.finding_rows} == {"info"}
    [told] = [row for row in report.finding_rows if row.check == "skips"]
    assert told.message == "skips of which nobody says whether a failure caused them: 'api' (1 time, in 1 run)"
    assert not said(audit(ledger_from_frame(builds, **names, graph=GRAPH), graph=GRAPH))


def test_what_was_cancelled_or_goes_on_is_said_and_no_error() -> None:
    cancelled = rows(("core", "succeeded", 0, 5), ("api", "cancelled", 5, None), ("app", "cancelled", None, None))
    report = audited(cancelled)
    assert not said(report)
    assert said(report, "info") == {("entries", "api")}
    [told] = report.finding_rows
    assert told.message.startswith("'api' was entered and never ended: it was cancelled")
    report = audited(rows(("core", "succeeded", 0, 5), ("api", "in_progress", 5, None)))
    assert said(report) == {("unfinished", None)}
    assert report.ok
    assert "close_run" not in report.finding_rows[0].message
    assert "under way were 'api'" in report.finding_rows[0].message


def test_attempts_that_are_not_told_are_worth_knowing() -> None:
    frame = rows(("core", "failed", 0, 1), ("core", "succeeded", 2, 3), attempt=[2, 4])
    report = audited(frame)
    assert [(row.check, row.severity, row.run_id) for row in report.finding_rows] == [("retries", "info", "r")]
    assert "not all attempts are told" in report.finding_rows[0].message


def test_repos_that_the_graph_does_not_know_are_one_warning() -> None:
    frame = pd.concat(
        [
            rows(("core", "succeeded", 0, 1), ("old", "failed", 0, 1), ("older", "succeeded", 0, 1)).assign(
                run_id=str(n)
            )
            for n in range(5)
        ]
    )
    [told] = audited(frame).finding_rows
    assert (told.check, told.severity, told.run_id) == ("scope", "warning", None)
    assert told.message.endswith("'old', 'older' (10 times, in 5 runs)")
    report = audited(frame[frame["repo_id"] != "core"])
    assert why(report, "order") == ("not checked", "the graph given knows no repo of the run")


# ---------------------------------------------------------------------- what does not fit


def test_a_repo_entered_before_what_it_needs_had_ended() -> None:
    fits = [("core", "succeeded", 0, 5), ("api", "succeeded", 5, 6), ("app", "succeeded", 6, 7)]
    assert not audited(rows(*fits)).finding_rows
    report = audited(rows(fits[0], ("api", "succeeded", 4.9, 6), fits[2]))
    assert said(report) == {("order", "api")}
    assert "'api' is entered at 2026-01-05T12:00:04.9" in report.finding_rows[0].message
    assert report.finding_rows[0].message.endswith("(a DataFrame, line 2)")
    through = [("core", "succeeded", 0, 5), ("app", "succeeded", 4, 6)]  # api has no row
    assert said(audited(rows(*through))) == {("order", "app")}
    unreleased = [*through, ("api", "unreleased", None, None)]
    assert said(audited(rows(*unreleased))) == {("order", "app")}
    no_end = [("core", "succeeded", 3, None), ("api", "succeeded", 2, 6)]
    assert said(audited(rows(*no_end))) == {("order", "api")}
    no_start = [("core", "succeeded", None, 5), ("api", "succeeded", None, 4)]
    assert said(audited(rows(*no_start))) == {("order", "api")}
    open_one = [("core", "cancelled", 0, None), ("api", "succeeded", 2, 6)]
    report = audited(rows(*open_one))
    assert report.ok
    assert ("order", "api") in said(report)


def test_a_release_or_a_failure_below_a_failure() -> None:
    core, web = ("core", "failed", 0, 5), ("web", "skipped", None, None)
    report = audited(rows(core, ("api", "succeeded", 5, 6), ("app", "succeeded", 6, 7), web))
    assert said(report, "error") == {("blocked", "api")}  # app waited for api, which is out
    [told] = [row.message for row in report.finding_rows if row.check == "blocked"]
    assert told == "'api' is entered though 'core', which it needs by the graph given, failed (a DataFrame, line 2)"
    report = audited(rows(core, ("api", "failed", 5, 6), web))
    assert said(report, "error") == {("blocked", "api"), ("antichain", "api")}
    without_times = audited(rows(("core", "failed", None, None), ("app", "failed", None, None)))
    assert said(without_times, "error") == {("blocked", "app"), ("antichain", "app")}
    assert why(without_times, "order") == ("not checked", "no times are told, and the order of rows says nothing")
    late = rows(core, ("api", "succeeded", 6, 7), released_as=["out after all", None])
    assert not said(audited(late), "error")


def test_an_attempt_that_ends_before_it_starts() -> None:
    report = audited(rows(("core", "succeeded", 5, 3), ("docs", "failed", 0, 9), ("docs", "succeeded", 8, 9)))
    assert said(report) == {("timestamps", "core"), ("timestamps", "docs")}
    messages = sorted(row.message for row in report.finding_rows if row.check == "timestamps")
    assert "attempt 1 at 'core' ends at 2026-01-05T12:00:03" in messages[0]
    assert messages[0].endswith("(a DataFrame, line 1)")
    assert "attempt 2 at 'docs' begins at 2026-01-05T12:00:08" in messages[1]
    assert messages[1].endswith("(a DataFrame, line 2)")
    some = audited(rows(("core", "succeeded", 5, None), ("docs", "succeeded", 1, 2)))
    assert why(some, "timestamps") == ("passed", "of some attempts no time is told")


def test_blockers_that_cannot_be() -> None:
    core, docs = ("core", "failed", 0, 5), ("docs", "succeeded", 0, 5)
    skip = ("app", "blocked", None, None)
    fits = audited(rows(core, docs, skip, blocked_by=["", "", "core"]))
    assert not said(fits)
    report = audited(rows(core, docs, skip, blocked_by=["", "", "docs;core"]))
    assert said(report) == {("skips", "app")}
    assert "blocked_by 'docs', expected none that went out" in report.finding_rows[-1].message
    report = audited(rows(core, docs, ("site", "failed", 0, 5), skip, blocked_by=["", "", "", "site"]))
    assert "blocked_by 'site', which it does not need" in " ".join(row.message for row in report.finding_rows)
    nothing = audited(rows(docs, ("core", "succeeded", 0, 5), ("web", "blocked", None, None)))
    assert ("skips", "web") in said(nothing)


def changed(ledger: FoundLedger, run: dict[str, Any] | None = None, **event: Any) -> FoundLedger:
    """Change the record of the one run, or its last event."""
    [found] = ledger.runs
    record: RunRecord = found.record.model_copy(update=run or {})
    last = ledger.events[-1].event.model_copy(update=event)
    events = [*ledger.events[:-1], FoundEvent(record.run_id, RunEvent.model_validate(last.model_dump()), "t", 9)]
    return FoundLedger([FoundRun(record, "t", 1)], events)


def test_a_told_ledger_that_was_changed_is_found() -> None:
    ledger = ledger_from_frame(rows(("core", "succeeded", 0, 5), ("api", "failed", 5, 6)))
    summary = ledger.runs[0].record.summary
    assert summary is not None

    def checks(**how: Any) -> set[str]:
        return {row.check for row in audit(changed(ledger, **how)).finding_rows if row.severity != "info"}

    assert checks() == set()
    assert checks(run={"status": RunStatus.COMPLETED}) == {"status"}
    assert checks(run={"summary": summary.model_copy(update={"success": True})}) == {"status"}
    assert checks(run={"summary": summary.model_copy(update={"total_events": 9})}) == {"total_events"}
    assert checks(run={"summary": summary.model_copy(update={"duration_ms": 10**9})}) == {"duration"}
    assert checks(run={"summary": summary.model_copy(update={"duration_ms": 0})}) == {"duration"}
    assert checks(seq=7) == {"seq"}
    assert checks(kind="NodeDone") == {"kinds"}
    assert checks(timestamp=at(99)) == {"after_the_end", "duration"}
    assert checks(payload={"node_id": "api", "error": 5}) == {"payloads"}
    assert checks(payload={"node_id": "web"}) == {"entries"}
    assert checks(payload={}) >= {"payloads"}


_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.text(max_size=2), max_size=2)
)

_KEYS = (
    *("version", "run_id", "error", "attempt", "next_attempt", "next_started_at", "delay_ms"),
    *("blocked_by", "cause", "detail", "in_doubt", "time_unknown"),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["NodeEntered", "NodeExited", "NodeFailed", "NodeSkipped", "NodeRetrying", "NodeLate", "?"]
            ),
            st.fixed_dictionaries(
                {"node_id": st.sampled_from(["core", "api", "app", "old"])},
                optional=dict.fromkeys(_KEYS, _ODD),
            )
            | _ODD,
            st.integers(-3, 3),
        ),
        max_size=9,
    ),
    _ODD | st.dictionaries(st.sampled_from(["times", "pending"]), _ODD),
    _ODD,
    st.sampled_from(list(RunStatus)),
)
def test_whatever_stands_in_such_a_run_stops_no_check(told: list[Any], tag: Any, train: Any, status: RunStatus) -> None:
    record = ledger_from_frame(rows(("core", "succeeded", 0, 1))).runs[0].record
    marked = {"from": "Jenkins", **tag} if isinstance(tag, dict) else tag
    metadata = record.metadata.model_copy(update={"tags": {"imported": marked, "train": train}})
    events = [
        FoundEvent("r", RunEvent.model_construct(seq=seq, kind=kind, payload=payload, timestamp=at(when)), "t", seq)
        for seq, (kind, payload, when) in enumerate(told, 1)
    ]
    runs = [FoundRun(record.model_copy(update={"metadata": metadata, "status": status}), "t", 1)]
    for graph in (None, GRAPH, PLAN, build_plan(GRAPH, version="1.0", originating_run_id="r")):
        report = audit(FoundLedger(runs, events), graph=graph)
        assert "could not cope" not in " ".join(row.message for row in report.finding_rows)
        report._repr_html_()


def test_a_failed_try_of_another_number_is_found() -> None:
    ledger = ledger_from_frame(rows(("core", "failed", 0, 1), ("core", "failed", 2, 3)))
    entered, retrying, failed = ledger.events
    for change in ({"attempt": 3}, {"next_attempt": 1}, {"attempt": 10**400}):
        payload = {**retrying.event.payload, **change}
        event = RunEvent.model_construct(**{**dict(retrying.event), "payload": payload})
        found = FoundLedger(ledger.runs, [entered, FoundEvent("r", event, "t", 2), failed])
        assert ("retries", "core") in said(audit(found), "error")


def test_what_goes_out_again_in_a_train_is_found_where_versions_are_told() -> None:
    frame = pd.concat([rows(("core", "succeeded", n, n + 1)).assign(run_id=str(n), train="spring") for n in (1, 2)])
    assert not audited(frame).finding_rows
    report = audited(frame.assign(version="1.0"))
    assert [(row.check, row.severity, row.run_id) for row in report.finding_rows] == [("twice", "warning", "2")]
    assert not said(audited(frame.assign(version=["1.0", "1.1"])))
    assert not said(audited(frame.assign(version="1.0", train=["spring", "summer"])))
    ledger = ledger_from_frame(frame.assign(version="1.0"))
    assert said(audit(ledger, "2")) == {("twice", "core")}
    assert not said(audit(ledger, "1"))


def test_a_plan_is_held_against_its_own_train_alone() -> None:
    told = rows(
        ("core", "succeeded", 0, 1),
        ("api", "succeeded", 1, 2),
        version=["1.0", "0.9"],
    )
    for train, whose in ((None, "the run 'r'"), ("summer", "the train 'summer'")):
        report = audited(told.assign(train=train), PLAN)
        assert not report.finding_rows
        for check in ("versions", "silent"):
            assert why(report, check) == ("not checked", f"the plan given is of 'spring', not of {whose}")
        assert why(report, "order") == ("passed", "")
    many = pd.concat([told.assign(run_id=str(n), train=f"t{n}") for n in range(30)])
    text = why(audited(many, PLAN), "versions")[1]
    assert text == "the plan given is of 'spring', not of the train 't0', the train 't1', the train 't2' and 27 more"
    report = audited(told.assign(train="spring"), PLAN)
    assert said(report) == {("versions", "api"), ("silent", None)}
    assert report.finding_rows[-1].message.endswith("tells: 'docs', 'web', 'app', 'site'")
    assert said(audited(rows(("api", "succeeded", 0, 1)).assign(train=PART.originating_run_id), PART)) >= {
        ("scope", "api")
    }


# ---------------------------------------------------------------------- what is said


def test_every_check_says_how_it_went_once() -> None:
    frame = pd.concat([simulated(seed, runs=4).assign(train=None) for seed in range(10)])
    with_times, without = audited(frame), audited(frame.assign(started_at=None, finished_at=None), None)
    for report in (with_times, without):
        assert [row.check for row in report.check_rows] == [check.__name__ for check in CHECKS]
        assert report.imported == {"a DataFrame": 40}
        for row in report.check_rows:
            assert row.result != "not checked" or row.why
            assert len(row.why) < 200
            assert row.why.count("a DataFrame") <= 1
    made = {row.check for row in with_times.check_rows if row.result == "passed"}
    assert made == {
        *("readable", "recorded_once", "runs_of_events", "unfinished", "timestamps", "after_the_end", "duration"),
        *("status", "entries", "doubts", "twice", "retries", "scope", "order", "blocked", "antichain", "skips"),
    }
    for check in ("timestamps", "after_the_end", "duration"):
        assert why(without, check) == ("not checked", "no times are told")
    assert why(without, "blocked")[0] == "not checked"


def test_a_ledger_of_own_and_imported_runs(tmp_path: Path) -> None:
    own = MemoryRunLedger(ids=["own"])
    run_plan(PLAN, ScriptedReleaser(["api"]), own)
    alone = audit(own)
    told = ledger_from_frame(simulated(5, runs=2))
    records = [*own.list_runs(), *told.list_runs()]
    events = [
        (run.run_id, event)
        for run in records
        for event in (own if run.run_id == "own" else told).get_events(run.run_id)
    ]
    both = MemoryRunLedger.from_records(records, events)
    report = audit(both, graph=GRAPH)
    assert not report.finding_rows
    assert report.imported == {"a DataFrame": 2}
    for row, before in zip(
        report.check_rows[len(LEDGER_CHECKS) :], alone.check_rows[len(LEDGER_CHECKS) :], strict=True
    ):
        assert row.result == before.result, row
    assert why(report, "seq") == (
        "passed",
        "in 2 of 3 runs: seqkit wrote these itself when it read the run from a DataFrame",
    )
    assert why(report, "status")[1].startswith("in 2 of 3 runs that were checked: the status of imported runs")
    write_ledger(both, tmp_path / "both.jsonl")
    assert not said(audit(tmp_path / "both.jsonl", graph=GRAPH))


def test_the_page_says_what_it_can_tell_of_imported_runs(tmp_path: Path) -> None:
    frame = simulated(5)
    audited(frame).to_html(tmp_path / "imported.html")
    page = (tmp_path / "imported.html").read_text()
    assert "Read from another system&#x27;s record (a DataFrame): 3 of 3 runs." in page
    assert "it may let what depends on a failure go on" in page
    run_plan(PLAN, ScriptedReleaser(), ledger := MemoryRunLedger())
    audit(ledger).to_html(tmp_path / "own.html")
    assert "another system" not in (tmp_path / "own.html").read_text()


# ---------------------------------------------------------------------- a tag alone makes no other system's run


@pytest.mark.parametrize("kept", ["plan and digest", "digest", "agent"])
def test_the_mark_on_one_of_our_own_switches_nothing_off(kept: str, tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["own"])
    run_plan(PLAN, ScriptedReleaser(["api"]), ledger)
    write_ledger(ledger, tmp_path / "run.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    [run] = [line["run"] for line in lines if "run" in line]
    run["metadata"]["tags"]["imported"] = {"from": "Jenkins", "times": False}
    if kept != "plan and digest":
        del run["metadata"]["tags"]["plan"]
    if kept == "agent":
        run["summary"]["final_state_digest"] = None
    (tmp_path / "run.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    report = audit(tmp_path / "run.jsonl", graph=GRAPH)
    assert report.imported == {}
    assert next(row.severity for row in report.finding_rows if row.check == "plan") == "warning"
    told = [row.message for row in report.finding_rows if row.check == "plan"]
    assert any("the tag imported says that Jenkins made the run" in message for message in told)
    assert why(report, "seq") == why(report, "payloads") == ("passed", "")
    assert audit(read_ledger(tmp_path / "run.jsonl")).check_rows == audit(tmp_path / "run.jsonl").check_rows
