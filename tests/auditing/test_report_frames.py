"""The frames of an audit's report: columns, dtypes, and what is missing in them."""

from __future__ import annotations

import pandas as pd

from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
from seqkit.auditing import CHECKS, AuditReport, audit

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")


def without_an_end() -> AuditReport:
    """Audit a run whose last event was taken away."""
    ledger = MemoryRunLedger(ids=["run"])
    run_plan(PLAN, ScriptedReleaser(), ledger)
    return audit(MemoryRunLedger.from_records(ledger.list_runs(), [("run", e) for e in ledger.get_events("run")[:-1]]))


def test_frames_have_their_dtypes_empty_or_not() -> None:
    for report in (audit(MemoryRunLedger()), without_an_end()):
        assert [str(dtype) for dtype in report.findings.dtypes] == [
            "string",
            "category",
            "string",
            "Int64",
            "string",
            "string",
        ]
        assert report.findings["severity"].cat.ordered
        assert list(report.findings["severity"].cat.categories) == ["error", "warning", "info"]
        assert list(report.checks.columns) == ["check", "result", "errors", "warnings", "infos", "why"]
        assert report.checks["check"].tolist() == [check.__name__ for check in CHECKS]
        assert report.checks["result"].cat.ordered


def test_a_finding_about_no_event_and_no_repo_has_neither() -> None:
    found = without_an_end().findings.set_index("check")
    counted, ended = found.loc["total_events"], found.loc["entries"]
    assert (counted["severity"], counted["run_id"]) == ("error", "run")
    assert counted["seq"] is pd.NA
    assert counted["repo_id"] is pd.NA
    assert (ended["seq"], ended["repo_id"]) == (3, "api")


def test_checks_without_a_finding_passed_and_those_with_an_error_failed() -> None:
    checks = without_an_end().checks.set_index("check")
    assert checks["result"].astype(object)[["seq", "anchored", "entries"]].tolist() == [
        "passed",
        "not checked",
        "failed",
    ]
    assert checks["errors"].sum() == len(without_an_end().findings.query("severity == 'error'"))
