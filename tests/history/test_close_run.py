"""Runs whose process died: closed by hand, resumed, and no longer held against the train."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import (
    GraphRunRecorder,
    InvalidRunState,
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunNotFound,
    RunStatus,
    SequencePlan,
    SqlRunLedger,
    audit,
    build_plan,
    close_run,
    events_frame,
    items_frame,
    read_ledger,
    resume_plan,
    run_plan,
    trains_frame,
    write_ledger,
)
from seqkit.plots import timeline
from tests.tools.strategies import Train, trains

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CHAIN = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])


def clock() -> Callable[[], datetime]:
    seconds = itertools.count()
    return lambda: NOON + timedelta(seconds=next(seconds))


def died(plan: SequencePlan, after: int, releaser: Any = 0.0, **options: Any) -> MemoryRunLedger:
    """A ledger in which a run broke off after so many events."""
    whole = MemoryRunLedger(ids=["monday"], clock=clock())
    run_plan(plan, releaser, whole, clock=clock(), **options)
    record = whole.get_run("monday").model_copy(
        update={"status": RunStatus.RUNNING, "summary": None, "completed_at": None}
    )
    events = whole.get_events("monday")[:after]
    ledger = MemoryRunLedger.from_records([record], [("monday", event) for event in events])
    ledger.clock = an_hour_later
    ledger._next_id = (f"later-{n}" for n in itertools.count()).__next__
    return ledger


def an_hour_later() -> datetime:
    return NOON + timedelta(hours=1)


def said(report: Any) -> list[tuple[str, str]]:
    return list(report.findings[["check", "severity"]].itertuples(index=False, name=None))


def red(repo: str, *_: str) -> str:
    if repo == "api":
        raise RuntimeError("tests are red")
    return repo


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("policy", ["skip_dependents", "stop", "continue"])
def test_closed_after_every_event_it_ends_as_cancelled_with_a_digest_that_holds(policy: Any, skips: bool) -> None:
    plan = build_plan(CHAIN, version="1")
    n = len(died(plan, 99, red, policy=policy, record_skips=skips, attempts=2).get_events("monday"))
    for after in range(n + 1):
        ledger = died(plan, after, red, policy=policy, record_skips=skips, attempts=2)
        assert not audit(ledger).ok
        before = items_frame(ledger)
        run = close_run(ledger, "monday", "the machine lost power", clock=an_hour_later)
        assert (run.status, run.summary.success, run.summary.total_events) == (RunStatus.CANCELLED, False, after + 1)
        assert run.summary.duration_ms == 3_600_000
        last = ledger.get_events("monday")[-1]
        assert (last.seq, last.kind, last.payload) == (after + 1, "RunClosed", {"reason": "the machine lost power"})
        report = audit(ledger)
        assert report.ok, report.findings.to_dict("records")
        assert report.checks.set_index("check").loc["final_state_digest", "result"] == "passed"
        # What became of each repo is what it was; the doubt stays.
        closed = items_frame(ledger)
        assert closed.drop(columns="in_doubt").equals(before.drop(columns="in_doubt"))
        assert closed["in_doubt"].equals(before["in_doubt"].fillna(True))  # while it was RUNNING nobody knew
        if (before["status"] == "in_progress").any():
            assert ("entries", "warning") in said(report)
            with pytest.raises(ValueError, match="left repos in doubt"):
                resume_plan(ledger, "monday")
        rest = resume_plan(ledger, "monday", in_doubt="retry")
        run_plan(rest, 0.0, ledger, clock=an_hour_later)
        assert resume_plan(ledger, "monday").released == []
        report = audit(ledger)
        assert report.ok
        assert set(report.findings["severity"]) <= {"info"}, report.findings.to_dict("records")
        assert trains_frame(ledger)[["status", "left"]].values.tolist() == [["COMPLETED", 0]]


def test_a_dead_run_that_was_resumed_fails_the_audit_until_it_is_closed() -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    run_plan(resume_plan(ledger, "monday", in_doubt="retry"), 0.0, ledger, clock=an_hour_later)
    report = audit(ledger)
    assert said(report) == [("unfinished", "error")]
    assert "close_run(ledger, run_id, reason) ends it" in report.findings["message"].item()
    close_run(ledger, "monday", "killed", clock=an_hour_later)
    report = audit(ledger)
    assert report.ok
    assert said(report) == [("entries", "info")]
    assert "run 'later-0', which goes on with this one, tells how it ended" in report.findings["message"].item()


def test_doubt_is_decided_by_a_failure_or_a_word_too() -> None:
    plan = build_plan(CHAIN, version="1")
    for later in ("fails", "word"):
        ledger = died(plan, 3)  # api is under way
        close_run(ledger, "monday", "killed", clock=an_hour_later)
        assert said(audit(ledger)) == [("entries", "warning")]
        if later == "fails":
            run_plan(resume_plan(ledger, "monday", in_doubt="retry"), red, ledger, clock=an_hour_later)
        else:
            run_plan(resume_plan(ledger, "monday", taken_as_released="api"), red, ledger, clock=an_hour_later)
        assert said(audit(ledger)) == [("entries", "info")]


def test_doubt_that_the_later_run_leaves_is_still_doubt() -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    close_run(ledger, "monday", "killed", clock=an_hour_later)

    def hang(repo: str, *_: str) -> str:
        if repo == "api":
            raise KeyboardInterrupt
        return repo

    with pytest.raises(KeyboardInterrupt):
        run_plan(resume_plan(ledger, "monday", in_doubt="retry"), hang, ledger, clock=an_hour_later)
    assert said(audit(ledger)) == [("entries", "warning")] * 2


def test_only_a_running_run_is_closed_and_only_once() -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    close_run(ledger, "monday", "killed", clock=an_hour_later)
    events = ledger.get_events("monday")
    with pytest.raises(InvalidRunState, match="run monday is Cancelled, expected Running"):
        close_run(ledger, "monday", "killed again")
    outcome = run_plan(build_plan(CHAIN, version="1"), 0.0, ledger)
    with pytest.raises(InvalidRunState, match="is Completed, expected Running"):
        close_run(ledger, outcome.run_id, "killed")
    with pytest.raises(RunNotFound):
        close_run(ledger, "nobody", "killed")
    assert ledger.get_events("monday") == events


def test_closing_that_was_itself_interrupted_is_finished() -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    first = {"reason": "first"}
    ledger.append_event("monday", RunEvent(seq=4, kind="RunClosed", payload=first, timestamp=an_hour_later()))
    close_run(ledger, "monday", "second")
    assert [event.payload for event in ledger.get_events("monday") if event.kind == "RunClosed"] == [first]
    assert audit(ledger).ok


@pytest.mark.parametrize(
    ("reason", "error", "message"),
    [
        (None, TypeError, "reason is None, expected a text: why is the run closed"),
        ("", ValueError, "reason is '', expected a text"),
        (" ", ValueError, "reason is ' ', expected a text"),
    ],
)
def test_a_reason_is_wanted(reason: Any, error: type[Exception], message: str) -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    with pytest.raises(error, match=message):
        close_run(ledger, "monday", reason)
    assert ledger.get_run("monday").status is RunStatus.RUNNING


def test_in_a_database_by_its_path_and_nothing_is_made_where_there_is_none(tmp_path: Path) -> None:
    with SqlRunLedger(tmp_path / "runs.db", ids=["monday"]) as ledger:
        recorder = GraphRunRecorder.start(ledger, "0" * 64, RunMetadata())
        recorder.record("NodeEntered", {"node_id": "core", "version": "1"})
    close_run(tmp_path / "runs.db", "monday", "killed")
    assert read_ledger(tmp_path / "runs.db").get_run("monday").status is RunStatus.CANCELLED
    assert audit(tmp_path / "runs.db").ok
    with pytest.raises(ReadError, match="no such ledger file"):
        close_run(tmp_path / "none.db", "monday", "killed")
    assert not (tmp_path / "none.db").exists()
    write_ledger(tmp_path / "runs.db", tmp_path / "runs.jsonl")
    with pytest.raises(ValueError, match="expected a SQLite file"):
        close_run(tmp_path / "runs.jsonl", "monday", "killed")


def test_a_closed_run_is_shown_as_what_it_is() -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    close_run(ledger, "monday", "killed", clock=an_hour_later)
    assert events_frame(ledger)["kind"].tolist()[-1] == "RunClosed"
    title = timeline(ledger).get_title(loc="left")
    assert title.startswith("Run monday was cancelled")
    assert "left out" not in title


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda run, events: (run.model_copy(update={"status": RunStatus.FAILED}), events), "status"),
        (lambda run, events: (run, [*events[:-2], *swapped(events)]), "after_the_end"),
        (lambda run, events: (run, [*events[:-1], events[-1].model_copy(update={"payload": {}})]), "payloads"),
        (lambda run, events: (run, [*events[:-1], events[-1].model_copy(update={"payload": None})]), "payloads"),
    ],
)
def test_what_cannot_be_of_a_closed_run_is_found(change: Any, check: str) -> None:
    ledger = died(build_plan(CHAIN, version="1"), 3)
    close_run(ledger, "monday", "killed", clock=an_hour_later)
    run, events = change(ledger.get_run("monday"), ledger.get_events("monday"))
    report = audit(MemoryRunLedger.from_records([run], [("monday", event) for event in events]))
    assert check in set(report.findings.query("severity == 'error'")["check"])


def swapped(events: list[RunEvent]) -> list[RunEvent]:
    before, last = events[-2:]
    return [
        last.model_copy(update={"seq": before.seq, "timestamp": before.timestamp}),
        before.model_copy(update={"seq": last.seq}),
    ]


@given(trains().filter(lambda train: bool(train.order)), st.integers(0, 30), st.booleans())
def test_any_run_that_broke_off_anywhere_can_be_closed(train: Train, after: int, skips: bool) -> None:
    def release(repo: str, *_: str) -> str:
        if train.failing.get(repo, 0) >= train.attempts:
            raise RuntimeError("red")
        return repo

    ledger = died(
        train.plan,
        after,
        release,
        policy=train.policy,
        failure_budget=train.budget,
        attempts=train.attempts,
        record_skips=skips,
    )
    left = resume_plan(ledger, "monday", in_doubt="retry")
    close_run(ledger, "monday", "killed", clock=an_hour_later)
    report = audit(ledger)
    assert report.ok, report.findings.to_dict("records")
    again = resume_plan(ledger, "monday", in_doubt="retry")
    assert again.released == left.released
