"""Each check beside a legal neighbour, what may stand in a ledger, and the report."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunNotFound,
    RunRecord,
    ScriptedReleaser,
    blockers,
    build_plan,
    load_dataset,
    run_plan,
)
from seqkit.auditing import CHECKS, AuditReport, audit
from seqkit.auditing.facts import KINDS
from seqkit.auditing.order import Order, order_in, order_of_plan
from seqkit.core.model import ContentDigest, RepoReleaseStatus, RunMetadata, RunStatus, RunSummary, spec_digest_of
from seqkit.core.plan import plan_of
from seqkit.ledger.digest import StateDigest
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.story import story_of
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
GRAPH = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")], nodes=["d"])
PLAN = build_plan(GRAPH, version="1.0", originating_run_id="origin")  # a d b c

Change = dict[str, Any]


def event(seq: int, text: str) -> RunEvent:
    """``enter a``, ``exit a``, ``fail a``, ``retry a 1``, ``skip b a``; ``doubt``, ``hang``, ``late``, ``stopped``."""
    word, repo, *more = text.split()
    kind, payload = {
        "enter": ("NodeEntered", {"version": "1.0"}),
        "exit": ("NodeExited", {"run_id": f"run-{repo}"}),
        "fail": ("NodeFailed", {"error": "red"}),
        "doubt": ("NodeFailed", {"error": "lost", "in_doubt": True}),
        "hang": ("NodeFailed", {"error": "slow", "in_doubt": True, "still_running": True}),
        "late": ("NodeLate", {"run_id": f"run-{repo}", "confirmed": "check"}),
        "stopped": ("NodeLate", {"error": "killed"}),
        "lost": ("NodeLate", {"error": "killed", "in_doubt": True}),
        "process": ("NodeProcess", {"pid": 7}),
        "skip": ("NodeSkipped", {"blocked_by": more}),
        "retry": ("NodeRetrying", {"attempt": int(more[0]) if word == "retry" else 0, "delay_ms": 0, "error": "red"}),
    }.get(word, (word, {}))
    return RunEvent(seq=seq, kind=kind, payload={"node_id": repo, **payload}, timestamp=BEGAN + timedelta(seconds=seq))


def plan_tag(**changes: Any) -> Change:
    content = plan_of({**PLAN._content()})._content()
    rules = {"policy": "skip_dependents", "failure_budget": None, "attempts": 1, "record_skips": True, "digest": 2}
    return {**content, **rules, **changes}


def recorded(steps: list[str], status: str = "", rules: Change | None = None, **changes: Any) -> FoundLedger:
    """Record a run of the plan a → b → c, d; its events are in `steps`, the rest fits them."""
    events = [event(seq, text) for seq, text in enumerate(steps, 1)]
    failed = any(text.startswith(("fail", "doubt", "hang")) for text in steps)
    status = status or ("FAILED" if failed else "COMPLETED")
    ended = BEGAN + timedelta(seconds=len(steps) + 1)
    running = status == "RUNNING"
    record = RunRecord(
        run_id="r",
        spec_digest=spec_digest_of("origin"),
        metadata=RunMetadata(tags={"plan_id": PLAN.plan_id, "plan": plan_tag(**(rules or {}))}),
        status=RunStatus(status),
        summary=None
        if running
        else RunSummary(total_events=len(events), duration_ms=(len(steps) + 1) * 1000, success=status == "COMPLETED"),
        created_at=BEGAN,
        completed_at=None if running else ended,
    )
    return found([sealed(record.model_copy(update=changes), events)], [("r", one) for one in events])


def sealed(record: RunRecord, events: list[RunEvent]) -> RunRecord:
    """Write the digest of the final state into a record that has a plan and no digest."""
    story = story_of(record, events)
    if story.plan is None or record.summary is None or record.summary.final_state_digest is not None:
        return record
    digest = StateDigest(record)
    for one in events:
        digest.add(one)
    taken = digest.finished(story.endings(), record.status, record.summary)
    return record.model_copy(update={"summary": record.summary.model_copy(update={"final_state_digest": taken})})


def unsealed(record: RunRecord) -> RunRecord:
    assert record.summary is not None
    return record.model_copy(update={"summary": record.summary.model_copy(update={"final_state_digest": None})})


def found(runs: list[RunRecord], events: list[tuple[str, RunEvent]], problems: tuple[Problem, ...] = ()) -> FoundLedger:
    return FoundLedger(
        [FoundRun(run, "/tmp/x/a.jsonl", line) for line, run in enumerate(runs, 1)],
        [FoundEvent(run_id, one, "/tmp/x/a.jsonl", line) for line, (run_id, one) in enumerate(events, 11)],
        problems,
    )


def said(report: AuditReport, *columns: str) -> list[tuple[Any, ...]]:
    return [
        tuple(row) for row in report.findings[list(columns or ("check", "severity", "seq"))].to_numpy(object).tolist()
    ]


CLEAN = ["enter a", "exit a", "enter d", "exit d", "enter b", "exit b", "enter c", "exit c"]
ROOT_FAILS = ["enter a", "fail a", "enter d", "exit d", "skip b a", "skip c a"]
CONTINUED = ["enter a", "fail a", *CLEAN[2:]]
ANOTHER_VERSION = [{**item, "version_label": "2.0"} for item in plan_tag()["items"]]
TRIES = ["enter a", "retry a 1", "exit a", *CLEAN[2:]]
LEGAL: dict[str, tuple[list[str], str, Change]] = {
    "all released": (CLEAN, "", {}),
    "root fails": (ROOT_FAILS, "", {}),
    "root fails, silent": (ROOT_FAILS[:4], "", {"record_skips": False}),
    "stopped": (["enter a", "fail a", "skip d", "skip b a", "skip c a"], "", {"policy": "stop"}),
    "stopped, silent": (["enter a", "fail a"], "", {"policy": "stop", "record_skips": False}),
    "goes on": (["enter a", "fail a", *CLEAN[2:]], "", {"policy": "continue"}),
    "both fail, goes on": (
        ["enter a", "fail a", *CLEAN[2:4], "enter b", "fail b", *CLEAN[6:]],
        "",
        {"policy": "continue"},
    ),
    "budget spent": (
        ["enter a", "fail a", "enter d", "fail d", "skip b", "skip c"],
        "",
        {"policy": "continue", "failure_budget": 2},
    ),
    "budget spent, silent": (
        ["enter a", "fail a", "enter d", "fail d"],
        "",
        {"policy": "continue", "failure_budget": 2, "record_skips": False},
    ),
    "budget spent, blocking": (
        ["enter a", "fail a", "enter d", "fail d", "skip b a", "skip c a"],
        "",
        {"policy": "skip_dependents", "failure_budget": 2},
    ),
    "second try": (TRIES, "", {"attempts": 2}),
    "came late": (["enter a", "process a", "hang a", *ROOT_FAILS[2:], "late a"], "", {}),
    "known not to be out": (["enter a", "hang a", *ROOT_FAILS[2:], "stopped a"], "", {}),
    "found by a check": (["enter a", "retry a 1", "exit a", *CLEAN[2:]], "", {"attempts": 3}),
    "cancelled": (CLEAN[:4], "CANCELLED", {}),
    "cancelled, by a priority": (["enter d", "exit d"], "CANCELLED", {"max_parallel": 2}),
    "cancelled at once": ([], "CANCELLED", {}),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_runs_have_no_finding(name: str) -> None:
    steps, status, rules = LEGAL[name]
    report = audit(recorded(steps, status, rules))
    assert said(report) == []
    assert report.ok


ILLEGAL: list[tuple[str, list[str], str, Change, tuple[Any, ...]]] = [
    ("unfinished", CLEAN[:3], "RUNNING", {}, ("unfinished", "error", None)),
    ("entries", CLEAN[:3], "CANCELLED", {}, ("entries", "warning", 3)),
    ("entries", CLEAN[:7], "COMPLETED", {}, ("entries", "error", 7)),
    ("entries", CLEAN[:7], "FAILED", {}, ("entries", "error", 7)),
    ("entries", CLEAN[1:], "", {}, ("entries", "error", 1)),
    ("entries", [CLEAN[0], *CLEAN], "", {}, ("entries", "error", 2)),
    ("entries", [*ROOT_FAILS[:2], "exit a", *ROOT_FAILS[2:]], "", {}, ("entries", "error", 3)),
    ("entries", [*CLEAN, "skip c"], "", {}, ("entries", "error", 9)),
    ("twice", [*CLEAN, "enter c", "exit c"], "", {}, ("twice", "error", 9)),
    ("twice", [*CLEAN, "exit c"], "", {}, ("twice", "error", 9)),
    ("twice", [*ROOT_FAILS, "enter a", "fail a"], "", {}, ("twice", "error", 7)),
    ("retries", TRIES, "", {"attempts": 1}, ("retries", "error", 2)),
    ("retries", ["enter a", "retry a 2", *CLEAN[1:]], "", {"attempts": 3}, ("retries", "error", 2)),
    ("retries", [*CLEAN, "retry c 1"], "", {"attempts": 2}, ("retries", "error", 9)),
    ("retries", ROOT_FAILS, "", {"attempts": 2}, ("retries", "error", 2)),
    ("doubts", ["enter a", "doubt a", *ROOT_FAILS[2:]], "", {"attempts": 3}, ("doubts", "warning", 2)),
    ("doubts", ["enter a", "hang a", *ROOT_FAILS[2:], "lost a"], "", {}, ("doubts", "warning", 7)),
    ("doubts", ["enter a", "hang a", *ROOT_FAILS[2:]], "", {}, ("doubts", "warning", 2)),
    ("entries", ["late a", *CLEAN], "", {}, ("entries", "error", 1)),
    ("entries", ["enter a", "late a", *CLEAN[1:]], "", {}, ("entries", "error", 2)),
    ("entries", ["enter a", "hang a", *ROOT_FAILS[2:], "late a", "late a"], "", {}, ("entries", "error", 8)),
    ("entries", ["process a", *CLEAN], "", {}, ("entries", "error", 1)),
    ("twice", [*CLEAN, "late c"], "", {}, ("twice", "error", 9)),
    ("twice", [*CLEAN, "stopped c"], "", {}, ("twice", "error", 9)),
    ("kinds", [*CLEAN, "NodePraised c"], "", {}, ("kinds", "warning", 9)),
    ("status", CLEAN, "FAILED", {}, ("status", "warning", None)),
    ("status", CLEAN, "CANCELLED", {}, ("status", "info", None)),
    ("status", ROOT_FAILS, "COMPLETED", {}, ("status", "error", None)),
    ("scope", [*CLEAN, "enter x", "exit x"], "", {}, ("scope", "error", 9)),
    ("scope", [*CLEAN, "skip x"], "", {}, ("scope", "error", 9)),
    ("order", ["enter b", "exit b", *CLEAN[:4], *CLEAN[6:]], "", {}, ("order", "error", 1)),
    ("order", ["enter a", "enter b", "exit a", "exit b", *CLEAN[2:4], *CLEAN[6:]], "", {}, ("order", "error", 2)),
    ("order", ["skip b a", *ROOT_FAILS[:4], "skip c a"], "", {}, ("order", "error", 1)),
    ("turns", [*CLEAN[2:4], *CLEAN[:2], *CLEAN[4:]], "", {}, ("turns", "warning", 1)),
    ("turns", ["enter a", "enter d", "exit a", "exit d", *CLEAN[4:]], "", {}, ("turns", "warning", 2)),
    ("blocked", ["enter a", "fail a", *CLEAN[2:6], "skip c a"], "", {}, ("blocked", "error", 5)),
    ("turns", ["enter a", "fail a", "enter d", "skip b a", "exit d", "skip c a"], "", {}, ("turns", "warning", 4)),
    ("blocked", ROOT_FAILS, "", {"policy": "stop"}, ("blocked", "error", 3)),
    ("blocked", CONTINUED, "", {"policy": "continue", "failure_budget": 1}, ("blocked", "error", 3)),
    ("antichain", [*ROOT_FAILS[:4], "enter b", "fail b", "skip c a b"], "", {}, ("antichain", "error", 6)),
    ("skips", [*CLEAN[:6], "skip c"], "", {}, ("skips", "error", 7)),
    ("skips", [*ROOT_FAILS[:5], "skip c b"], "", {}, ("skips", "error", 6)),
    ("skips", [*ROOT_FAILS[:5], "skip c"], "", {}, ("skips", "error", 6)),
    ("skips", ROOT_FAILS, "", {"policy": "continue"}, ("skips", "error", 5)),
    ("skips", ROOT_FAILS, "", {"record_skips": False}, ("skips", "warning", 5)),
    ("silent", CLEAN[:6], "COMPLETED", {}, ("silent", "error", None)),
    ("silent", CLEAN[:6], "FAILED", {}, ("silent", "warning", None)),
    ("silent", ROOT_FAILS[:5], "", {}, ("silent", "warning", None)),  # a run that a callback broke off looks like it
    ("silent", CLEAN[:2] + CLEAN[4:6], "RUNNING", {}, ("silent", "error", None)),
    ("silent", CLEAN[2:4], "CANCELLED", {"max_parallel": 2, "priority": "plan"}, ("silent", "error", None)),
    ("silent", ROOT_FAILS[2:4], "FAILED", {"record_skips": False}, ("silent", "error", None)),
    ("plan", CLEAN, "", {"policy": "hope"}, ("plan", "error", None)),
    ("plan", CLEAN, "", {"edges": [["b", "a"]]}, ("plan", "error", None)),
    ("plan_id", CLEAN, "", {"edges": [["a", "b"]]}, ("plan_id", "warning", None)),
    ("spec_digest", CLEAN, "", {"originating_run_id": "elsewhere"}, ("spec_digest", "error", None)),
    ("versions", CLEAN, "", {"items": ANOTHER_VERSION}, ("versions", "error", 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "steps", "status", "rules", "expected"), ILLEGAL)
def test_illegal_neighbours(name: str, steps: list[str], status: str, rules: Change, expected: tuple[Any, ...]) -> None:
    findings = said(audit(recorded(steps, status, rules)))
    assert any(
        (check, severity) == expected[:2] and (seq is pd.NA if expected[2] is None else seq == expected[2])
        for check, severity, seq in findings
    ), findings


def test_a_finding_says_what_was_expected_found_and_where() -> None:
    report = audit(recorded(["enter a", "fail a", *CLEAN[2:6], "skip c a"]))
    assert said(report, "check", "run_id", "seq", "repo_id", "message") == [
        (
            "blocked",
            "r",
            5,
            "b",
            "'b' is entered, expected it to be skipped: 'a', which it depends on, failed (a.jsonl, line 15)",
        )
    ]


def run(**changes: Any) -> FoundLedger:
    return recorded(CLEAN, **changes)


def summary(**changes: Any) -> FoundLedger:
    own = unsealed(run().runs[0].record).summary
    assert own is not None
    return recorded(CLEAN, summary=own.model_copy(update=changes))


def moved(index: int, seconds: float) -> FoundLedger:
    ledger = run()
    events = [(one.run_id, one.event) for one in ledger.events]
    events[index] = ("r", events[index][1].model_copy(update={"timestamp": BEGAN + timedelta(seconds=seconds)}))
    return found([sealed(unsealed(ledger.runs[0].record), [one for _, one in events])], events)


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        (summary(total_events=7), [("total_events", "error")]),
        (summary(success=False), [("status", "error")]),
        (summary(duration_ms=-1), [("duration", "error")]),
        (summary(duration_ms=0), [("duration", "warning")]),
        (summary(duration_ms=9_999), []),
        (summary(duration_ms=99_000), [("duration", "warning")]),
        (summary(final_state_digest=ContentDigest("0" * 64)), [("final_state_digest", "error")]),
        (run(summary=None), [("status", "error")]),
        (run(completed_at=None), [("status", "error")]),
        (run(completed_at=BEGAN + timedelta(seconds=8)), []),
        (run(completed_at=BEGAN + timedelta(seconds=7.999)), [("after_the_end", "warning")]),
        (run(created_at=BEGAN + timedelta(seconds=1)), []),
        (run(created_at=BEGAN + timedelta(seconds=1.5)), [("timestamps", "warning")]),
        (moved(3, 3), []),
        (moved(3, 2.999), [("timestamps", "error")]),
        (moved(7, 9), []),
        (moved(7, 10), [("after_the_end", "warning")]),
    ],
)
def test_summaries_and_times(ledger: FoundLedger, expected: list[tuple[str, str]]) -> None:
    findings = [pair for pair in said(audit(ledger), "check", "severity") if pair != ("duration", "warning")]
    assert findings == [pair for pair in expected if pair != ("duration", "warning")]
    if ("duration", "warning") in expected:
        assert ("duration", "warning") in said(audit(ledger), "check", "severity")


def test_an_event_recorded_after_the_end_is_an_error() -> None:
    ledger = run()
    late = event(9, "enter c").model_copy(update={"timestamp": BEGAN + timedelta(days=1)})
    report = audit(found([ledger.runs[0].record], [*((e.run_id, e.event) for e in ledger.events), ("r", late)]))
    assert ("after_the_end", "error", 9) in said(report)


def test_the_digest_is_that_of_the_library() -> None:
    """Payloads of every shape, times of every kind, through the fast way of the audit and the library's own."""
    zone = datetime.fromisoformat("2026-01-02T05:04:05.000006+02:00")
    odd = [
        RunEvent(seq=1, kind="NodeEntered", payload={"node_id": "a", "version": '"\\\n\0é🚀'}, timestamp=zone),
        RunEvent(seq=2, kind="NodeExited", payload={"run_id": "x", "node_id": "a"}, timestamp=BEGAN.replace(year=999)),
        RunEvent(seq=3, kind='odd"kind', payload={"z": [1.5, None, {"b": 1, "a": True}], "a": {}}, timestamp=BEGAN),
        RunEvent(seq=10**30, kind="", payload=None, timestamp=BEGAN + timedelta(microseconds=1)),
        RunEvent(seq=5, kind="NodeFailed", payload={"node_id": "d", "error": "\ud800"}, timestamp=BEGAN),
        RunEvent(seq=6, kind="NodeFailed", payload={"node_id": "b", "error": "x", "more": "y"}, timestamp=BEGAN),
    ]
    statuses = {
        "a": RepoReleaseStatus.succeeded("x"),
        "b": RepoReleaseStatus.failed("x"),
        "c": RepoReleaseStatus.skipped(),
        "d": RepoReleaseStatus.failed("\ud800"),
    }
    for version in (1, 2):
        bare = RunSummary(total_events=6, duration_ms=0, success=False)
        tags = {"record_skips": False, "digest": version, "more": {"é": [1.0, 1, True, None, "\ud800"], "a": 10**30}}
        record = unsealed(recorded([], "FAILED", tags, summary=bare).runs[0].record)
        taken = StateDigest(record)
        for one in sorted(odd, key=lambda one: one.seq):
            taken.add(one)
        endings = [
            (item.repo_id, statuses[item.repo_id].to_json(), "blocked" if item.repo_id == "c" else None)
            for item in PLAN.items
        ]
        own = bare.model_copy(update={"final_state_digest": taken.finished(endings, record.status, bare)})
        report = audit(found([record.model_copy(update={"summary": own})], [("r", one) for one in odd]))
        told = report.findings[report.findings["check"] == "final_state_digest"]["severity"].tolist()
        assert told == (["info"] if version == 1 else []), version


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("cause", ["blocked", "stopped"])
def test_what_an_older_seqkit_called_blocked_under_continue_is_read_as_stopped(skips: bool, cause: Any) -> None:
    """Its digest holds, whoever closed the run; the audit says once how the skips are read."""
    steps = ["enter a", "fail a", "enter d", "fail d", *["skip b a", "skip c a"] * skips]
    rules = {"policy": "continue", "failure_budget": 2, "record_skips": skips}
    run = recorded(steps, "", rules)
    (record,), events = [one.record for one in run.runs], [one.event for one in run.events]
    record = unsealed(record)
    assert record.summary is not None
    taken = StateDigest(record)
    for one in events:
        taken.add(one)
    story = story_of(record, events)
    assert [(told.word, told.blocked_by) for told in story.items()][2:] == [("stopped", ())] * 2
    endings = [(repo, status, why and cause) for repo, status, why in story.endings()]
    own = record.summary.model_copy(
        update={"final_state_digest": taken.finished(endings, record.status, record.summary)}
    )
    ledger = found([record.model_copy(update={"summary": own})], [("r", one) for one in events])
    report = audit(ledger)
    told = said(report, "check", "severity", "seq")
    assert told == [("skips", "info", 5)] * skips
    assert not skips or "2 skips of an older seqkit name the failures above" in report.findings["message"][0]
    assert report.ok
    assert blockers(ledger)[["blocks", "shapley"]].to_numpy().sum() == 0
    again = audit(recorded([*steps[:4], "skip b d", "skip c d"], "", {**rules, "record_skips": True}))
    assert said(again) == [("skips", "error", 5), ("skips", "error", 6)]


# ---------------------------------------------------------------------- the ledger as a whole


def test_lines_records_and_runs_that_do_not_belong() -> None:
    record = run().runs[0].record
    other = record.model_copy(update={"status": RunStatus.FAILED})
    events = [(one.run_id, one.event) for one in run().events]
    ledger = found(
        [record, record, other], [*events, ("ghost", event(1, "enter a"))], (Problem("/tmp/x/a.jsonl", 7, "bad"),)
    )
    report = audit(ledger)
    first, third = ", and first in a.jsonl, line 1", "a.jsonl, line 3"
    assert said(report, "check", "severity", "run_id", "message") == [
        ("readable", "error", pd.NA, "a.jsonl, line 7: bad"),
        ("recorded_once", "warning", "r", f"the run is recorded twice, both the same: a.jsonl, line 2{first}"),
        ("recorded_once", "error", "r", f"the run is recorded twice, and they differ in status: {third}{first}"),
        ("runs_of_events", "error", "ghost", "1 event of a run that is not recorded, the first in a.jsonl, line 19"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"resumes": "r"}, ("links", "warning")),
        ({"resumes": "ghost"}, ("links", "info")),
        ({"resumes": 7}, ("links", "warning")),
        ({"train": ["x"]}, ("links", "warning")),
        ({"train": "2026.1"}, None),
        ({"resumes": None}, None),
    ],
)
def test_links(tags: Change, expected: tuple[str, str] | None) -> None:
    metadata = RunMetadata(tags={**run().runs[0].record.metadata.tags, **tags})
    assert said(audit(run(metadata=metadata)), "check", "severity") == ([expected] if expected else [])


def test_one_run_of_many() -> None:
    one = run().runs[0].record
    other = sealed(unsealed(one).model_copy(update={"run_id": "s"}), [])
    ledger = found([one, other], [("r", e.event) for e in run().events])
    assert set(audit(ledger).findings["run_id"]) == {"s"}
    assert audit(ledger, run_id="r").findings.empty
    assert audit(ledger, run_id="r").n_runs == 1
    with pytest.raises(RunNotFound, match="run not found: t"):
        audit(ledger, run_id="t")


def test_a_store_that_fails_is_a_finding() -> None:
    class Broken(MemoryRunLedger):
        def get_events(self, run_id: str) -> list[RunEvent]:
            raise OSError("the disk is gone")

    ledger = Broken(ids=["r"])
    ledger.create_run("0" * 64, RunMetadata())
    [(check, severity, message)] = said(audit(ledger), "check", "severity", "message")
    assert (check, severity) == ("readable", "error")
    assert "the disk is gone" in message


def test_arguments() -> None:
    with pytest.raises(TypeError, match="graph is 7, expected a RepoDependencyGraph or a SequencePlan"):
        audit(run(), graph=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="run_id is 7, expected a str"):
        audit(run(), run_id=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a ledger"):
        audit(7)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- ledgers without a plan


def original(steps: list[str], spelled: bool = False) -> FoundLedger:
    """As the original records it: no plan, no digest, a duration of 0."""
    ledger = recorded(steps)
    own = ledger.runs[0].record.summary
    assert own is not None
    metadata = RunMetadata(tags={"plan_id": "seq-12345678"})
    record = ledger.runs[0].record.model_copy(
        update={"metadata": metadata, "summary": own.model_copy(update={"duration_ms": 0, "final_state_digest": None})}
    )
    events = [one.event for one in ledger.events]
    if spelled:
        events = [e.model_copy(update={"kind": f"node_{e.kind[4:].lower()}"}) for e in events]
    return found([record], [("r", one) for one in events])


def test_what_the_original_always_does_is_at_most_worth_knowing() -> None:
    for graph in (None, GRAPH, PLAN):
        for steps in (CLEAN, ROOT_FAILS[:4]):
            report = audit(original(steps, spelled=True), graph=graph)
            assert set(report.findings["severity"]) == {"info"}
            assert set(report.findings["check"]) == {"duration", "spelling", "plan"}
            assert report.ok


def test_checks_that_need_a_plan_say_so() -> None:
    def not_checked(graph: Any) -> set[str]:
        checks = audit(original(CLEAN), graph=graph).checks
        missing = checks[checks["result"] == "not checked"]
        assert (missing["why"] != "").all()
        return set(missing["check"])

    always = {"links", "plan_id", "turns", "final_state_digest", "anchored"}
    with_graph = always | {"spec_digest", "versions", "silent"}
    assert not_checked(PLAN) == always
    assert not_checked(GRAPH) == with_graph
    assert not_checked(None) == with_graph | {"scope", "order", "blocked", "antichain"}


def test_a_graph_or_plan_finds_what_the_record_alone_does_not() -> None:
    steps = ["enter a", "fail a", *CLEAN[2:]]
    assert audit(original(steps)).ok
    for graph in (GRAPH, PLAN):
        assert said(audit(original(steps), graph=graph), "check", "repo_id")[-2:] == [
            ("blocked", "b"),
            ("blocked", "c"),
        ]
    assert ("silent", "c") in said(audit(original(CLEAN[:6]), graph=PLAN), "check", "repo_id")


def test_an_unreleased_repo_between_two_hands_on_what_it_waits_for() -> None:
    plan = build_plan(GRAPH, [("a", "1.0"), ("c", "1.0")], "origin")
    assert said(audit(original(["enter a", "fail a", "enter c", "exit c"]), graph=plan), "check", "repo_id")[-1] == (
        "blocked",
        "c",
    )
    early = said(audit(original(["enter c", "exit c", "enter a", "exit a"]), graph=GRAPH), "check", "repo_id")
    assert early[-1] == ("order", "c")


def test_a_train_whose_root_failed_and_whose_dependents_went_out() -> None:
    kf5 = load_dataset("kf5")
    report = audit(kf5.ledger, graph=kf5.graph)
    blocked = report.findings[report.findings["check"] == "blocked"].groupby("run_id").size()
    assert blocked["kf5-5.78.0-unstable"] == 73
    assert not report.ok
    assert audit(kf5.ledger, "kf5-5.102.0-unstable", kf5.graph).ok


# ---------------------------------------------------------------------- anything may stand there

numbers = st.sampled_from([0, -1, 1, 2, 3, 10**30, -(10**30), 10**4000, 2**63])
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | numbers | st.sampled_from(["", "a", "b", "\0", "\ud800", "x" * 999]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
payloads = anything | st.fixed_dictionaries(
    {"node_id": st.sampled_from(["a", "b", "c", "d", "x", *HOSTILE_NAMES]) | anything},
    optional=dict.fromkeys(("version", "run_id", "error", "blocked_by", "attempt", "delay_ms"), anything)
    | dict.fromkeys(("in_doubt", "still_running"), st.just(True) | anything),
)
kinds = st.sampled_from([*KINDS, "node_entered", "node__exited", "_", ""])
moments = st.sampled_from([BEGAN, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
any_events = st.builds(RunEvent, seq=numbers, kind=kinds, payload=payloads, timestamp=moments)
digests = st.sampled_from([spec_digest_of("origin"), ContentDigest("0" * 64)])
summaries = st.none() | st.builds(
    RunSummary, total_events=numbers, duration_ms=numbers, success=st.booleans(), final_state_digest=st.none() | digests
)
plan_tags = anything | st.builds(
    lambda changes: plan_tag(**changes),
    st.dictionaries(st.sampled_from([*plan_tag(), "max_parallel", "plan_id"]), anything, max_size=2),
)
tags = anything | st.fixed_dictionaries(
    {}, optional={"plan": plan_tags, "plan_id": anything, "resumes": anything, "train": anything}
)
records = st.builds(
    RunRecord,
    run_id=st.sampled_from(["r", "s", "", "\ud800"]),
    spec_digest=digests,
    metadata=st.builds(RunMetadata, tags=tags),
    status=st.sampled_from(RunStatus),
    summary=summaries,
    created_at=moments,
    completed_at=st.none() | moments,
)


@settings(max_examples=60)
@given(
    st.lists(records, max_size=3),
    st.lists(st.tuples(st.sampled_from(["r", "s", "t"]), any_events), max_size=8),
    st.sampled_from([None, GRAPH, PLAN]),
)
def test_nothing_in_a_ledger_makes_an_audit_raise(
    runs: list[RunRecord], events: list[tuple[str, RunEvent]], graph: Any
) -> None:
    report = audit(found(runs, events), graph=graph)
    messages = report.findings["message"]
    assert not messages.str.contains("could not cope", regex=False).any(), messages.tolist()
    assert repr(report)
    assert report._repr_html_()


def _plain(order: Order) -> tuple[Any, ...]:
    rows = [list(row) for row in order.dependencies]
    released = None if order.released is None else list(order.released)
    return order.ids, dict(order.position), rows, released, order.versions, order.origin


@given(plan_tags)
def test_plans_are_read_as_the_library_reads_them(tag: Any) -> None:
    own = order_in(tag)
    try:
        plan = plan_of(tag)
    except Exception:
        assert isinstance(own, str)
        return
    assert not isinstance(own, str)
    theirs = order_of_plan(plan)
    assert _plain(own) == _plain(theirs)
    assert own.plan_id == plan_of({**tag, "plan_id": None}).plan_id


def test_a_long_chain_of_failures() -> None:
    n = 2_000
    graph = RepoDependencyGraph.from_edges([(f"r{i}", f"r{i + 1}") for i in range(n)])
    plan = build_plan(graph, version="1.0")
    outcome = run_plan(plan, 1.0, rng=1, policy="continue")
    assert audit(outcome.ledger).findings.empty


# ---------------------------------------------------------------------- the report


def test_every_check_says_what_it_looks_for_and_none_failed_is_a_pass() -> None:
    assert all(check.__doc__ and check.__doc__.endswith(".") for check in CHECKS)
    checks = audit(run()).checks.set_index("check")
    assert checks.loc["seq", "result"] == "passed"
    assert checks.loc["anchored", "result"] == "not checked"
    failed = audit(recorded(CLEAN[:7])).checks.set_index("check")
    assert failed.loc["entries", ["result", "errors"]].tolist() == ["failed", 1]


def test_what_a_check_looks_for_is_there_without_docstrings() -> None:
    code = "import seqkit; rows = seqkit.audit(seqkit.MemoryRunLedger()).check_rows"
    code += "; print(any(seqkit.audit.__doc__ or ''), *(row.looks_for for row in rows), sep='\\n')"
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True)
    bare, *sentences = done.stdout.splitlines()
    assert bare == "False"
    assert sentences == [check.__doc__ for check in CHECKS]


def test_many_findings_of_one_kind_are_one_line_and_all_rows() -> None:
    kf5 = load_dataset("kf5")
    report = audit(kf5.ledger, graph=kf5.graph)
    assert len(report.findings) > 100
    assert len(repr(report).splitlines()) < 10
    assert re.search(r"blocked .* \(and \d+ more\)", repr(report))


def test_the_page_is_whole_escaped_and_the_same_every_time(tmp_path: Path) -> None:
    for name in HOSTILE_NAMES:
        events = [("r", event(1, "enter a").model_copy(update={"kind": name, "payload": {"node_id": name}}))]
        record = run().runs[0].record.model_copy(update={"run_id": "r"})
        ghost = (name or "g", event(1, "enter a"))
        report = audit(found([record], [*events, ghost], (Problem(name, 1, name),)))
        page = tmp_path / "audit.html"
        report.to_html(page)
        first = page.read_bytes()
        report.to_html(page)
        assert page.read_bytes() == first
        text = first.decode()
        assert "<script" not in text
        assert not re.search(r"""(src|href|url)\s*[=(]""", text)
        assert text.count("<table>") == text.count("</table>")
        assert text.count("<td") == text.count("</td>")
    assert [file.name for file in tmp_path.iterdir()] == ["audit.html"]


def test_the_page_says_the_verdict_first_and_the_limits_last(tmp_path: Path) -> None:
    audit(run()).to_html(tmp_path / "ok.html")
    audit(recorded(CLEAN[:7])).to_html(tmp_path / "bad.html")
    ok, bad = ((tmp_path / name).read_text("utf-8") for name in ("ok.html", "bad.html"))
    assert "The record holds together" in ok
    assert "The record does not hold together" in bad
    assert bad.index("does not hold") < bad.index("gravest") < bad.index("What was checked") < bad.index("All findings")
    for text in (ok, bad):
        assert "What this audit can tell, and what not" in text
        assert "1 run with" in text


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        audit(run()).to_html(tmp_path / "nowhere" / "audit.html")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_something_outside_ended_is_a_warning_and_one_with_events_taken_away_an_error() -> None:
    ledger = MemoryRunLedger(ids=["r"])

    def stop(event: RunEvent) -> None:
        if event.kind == "NodeExited":  # before that, the release would stay in doubt, which is an error
            raise OSError("the screen is gone")

    with pytest.raises(OSError, match="screen"):
        run_plan(PLAN, ScriptedReleaser(), ledger, on_event=stop)
    report = audit(ledger)
    assert report.ok, report
    assert {"silent", "status"} == set(report.findings["check"])
    cut = MemoryRunLedger.from_records(ledger.list_runs(), [("r", event) for event in ledger.get_events("r")[:-1]])
    assert not audit(cut).ok


def test_a_plan_that_was_taken_away_from_a_run_with_a_digest_is_told() -> None:
    ledger = MemoryRunLedger(ids=["r"])
    run_plan(PLAN, ScriptedReleaser(), ledger)
    run = ledger.get_run("r")
    bare = run.model_copy(update={"metadata": run.metadata.model_copy(update={"tags": {}})})
    found = audit(MemoryRunLedger.from_records([bare], [("r", event) for event in ledger.get_events("r")])).findings
    assert ("plan", "warning") in set(zip(found["check"], found["severity"], strict=True))


def test_what_a_report_says_cannot_be_changed_from_outside() -> None:
    report = audit(recorded(CLEAN[:6], "COMPLETED", {}))
    findings, checks = report.findings, report.checks
    findings["severity"] = "info"
    checks["result"] = "passed"
    assert "error" in set(report.findings["severity"])
    assert "failed" in set(report.checks["result"])


# ---------------------------------------------------------------------- chains and copies


def test_a_chain_of_open_runs_is_read_once_a_run() -> None:
    """Growth: however many runs of a train left something open, the audit reads each of them twice at the most."""
    reads = Counter[str]()

    class Counting(MemoryRunLedger):
        def get_events(self, run_id: str) -> list[RunEvent]:
            reads[run_id] += 1
            return super().get_events(run_id)

    ledger = Counting(ids=[f"r{n}" for n in range(40)])

    def stop(_: RunEvent) -> None:
        raise KeyboardInterrupt

    for n in range(40):
        with pytest.raises(KeyboardInterrupt):
            run_plan(PLAN, ScriptedReleaser(), ledger, tags={"resumes": f"r{n - 1}"} if n else None, on_event=stop)
    reads.clear()
    assert audit(ledger).ok
    assert max(reads.values()) <= 2


def test_of_three_copies_the_two_that_differ_are_named() -> None:
    record = run().runs[0].record
    running = record.model_copy(update={"status": RunStatus.RUNNING, "summary": None, "completed_at": None})
    events = [one.event for one in run().events]
    other = [events[0], events[1].model_copy(update={"payload": {"node_id": "a", "run_id": "forged"}}), *events[2:]]
    ledger = FoundLedger(
        [FoundRun(running, "a", 1), FoundRun(record, "b", 1), FoundRun(record, "c", 1)],
        [
            *(FoundEvent("r", one, "a", 2) for one in events[:1]),
            *(FoundEvent("r", one, "b", 2) for one in events),
            *(FoundEvent("r", one, "c", 2) for one in other),
        ],
    )
    told = [row for row in said(audit(ledger), "check", "severity", "message") if row[0] == "recorded_once"]
    [differing] = [message for _, severity, message in told if severity == "error"]
    assert "they differ in event 2" in differing
    assert differing.endswith(": c, line 1, and first in b, line 1")
    two = audit(FoundLedger(ledger.runs[:2], ledger.events[: len(events) + 1]))
    assert "once as an older copy, which does not count" in two.findings["message"].str.cat()


# ---------------------------------------------------------------------- failed, and perhaps out


def test_a_doubt_ends_the_attempts_and_is_told_once_each() -> None:
    steps = ["enter a", "doubt a", "enter d", "hang d", "skip b a", "skip c a"]
    report = audit(recorded(steps, rules={"attempts": 3, "policy": "skip_dependents"}))
    assert said(report, "check", "seq", "message") == [
        (
            "doubts",
            2,
            "'a' failed, and nobody knows whether it is out: look whether it is, before it is released again "
            "(a.jsonl, line 12)",
        ),
        (
            "doubts",
            4,
            "'d' failed, and nobody knows whether it is out: look whether it is, before it is released again "
            "(a.jsonl, line 14)",
        ),
        ("doubts", 4, "an attempt at 'd' was still running when the run ended: it may yet come out (a.jsonl, line 14)"),
    ]
    assert report.ok


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("NodeFailed", {"in_doubt": "yes"}, "in_doubt, true or false"),
        ("NodeFailed", {"still_running": 1}, "still_running, true or false"),
        ("NodeLate", {"run_id": 7}, "run_id or error, a text"),
        ("NodeLate", {"run_id": "x", "in_doubt": None}, "in_doubt, true or false"),
        ("NodeLate", {}, "run_id or error, a text"),
        ("NodeProcess", {"pid": "7"}, "pid, a whole number"),
        ("NodeProcess", {}, "pid, a whole number"),
    ],
)
def test_marks_and_kinds_beside_have_their_payloads(kind: str, changes: Change, expected: str) -> None:
    steps = {
        "NodeFailed": "enter a, fail a",
        "NodeLate": "enter a, fail a, late a",
        "NodeProcess": "enter a, process a",
    }
    events = [event(seq, text) for seq, text in enumerate(steps[kind].split(", "), 1)]
    base = events[-1].payload if kind == "NodeFailed" else {"node_id": "a"}
    events[-1] = events[-1].model_copy(update={"payload": {**base, **changes}})
    ledger = found([recorded(["enter a"], "RUNNING").runs[0].record], [("r", one) for one in events])
    [told] = [message for check, message in said(audit(ledger), "check", "message") if check == "payloads"]
    assert f"expected {expected}" in told


def test_later_runs_of_a_chain_end_a_doubt_and_must_not_release_what_came_late() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")], nodes=["c"]), version="1")
    steps = ["enter a", "hang a", "enter c", "doubt c", "skip b a", "late a"]
    rest = Run(plan.without("a"), ["enter c", "exit c", "enter b", "exit b"], "COMPLETED", {"resumes": "may"})
    report = audit(written(may=Run(plan, steps), june=rest))
    assert said(report, "run_id", "severity", "check", "repo_id") == [("may", "info", "doubts", "c")]
    again = Run(plan, ["enter a", "exit a", "enter c", "exit c", "enter b", "exit b"], "COMPLETED", {"resumes": "may"})
    report = audit(written(may=Run(plan, steps), june=again))
    assert ("june", "error", "twice", "a") in said(report, "run_id", "severity", "check", "repo_id")
    [told] = report.findings["message"][report.findings["check"] == "twice"]
    assert "'a' is released again: run 'may', which this one goes on with, had released it at that version" in told
    alone = audit(written(may=Run(plan, steps), june=again), "june")
    assert ("twice", "error", 2) in said(alone)


def test_a_run_without_its_plan_that_has_our_events_is_noticed() -> None:
    ledger = recorded(["enter a", "process a", "hang a", "late a"])
    [one] = ledger.runs
    bare = unsealed(one.record.model_copy(update={"metadata": RunMetadata()}))
    report = audit(found([bare], [("r", event.event) for event in ledger.events]))
    [told] = report.findings["message"][report.findings["check"] == "plan"]
    assert "has NodeProcess events, which seqkit alone writes" in told
