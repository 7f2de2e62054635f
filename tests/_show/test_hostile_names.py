"""Names that break naive programs: planned, run, stored, framed and shown without harm."""

import pytest

from seqkit import (
    RepoDependencyGraph,
    ScriptedReleaser,
    SequencePlan,
    SqlRunLedger,
    build_plan,
    check_order,
    events_frame,
    items_frame,
    run_plan,
    runs_frame,
    steps,
    what_if,
)
from tests.tools.strategies import HOSTILE_NAMES


@pytest.fixture
def graph():
    return RepoDependencyGraph.from_edges([("core", name) for name in HOSTILE_NAMES if name != "core"])


def test_planned_run_stored_and_framed(graph, tmp_path):
    plan = build_plan(graph, [(name, name) for name in graph], originating_run_id="'; DROP TABLE runs;--")
    assert SequencePlan.from_json(plan.to_json()) == plan
    with SqlRunLedger(tmp_path / "runs.db") as ledger:
        reasons = {name: name for name in HOSTILE_NAMES[::2]}
        outcome = run_plan(plan, ScriptedReleaser(reasons), ledger)
        assert set(outcome.failures) == set(reasons)
        items = items_frame(ledger, outcome.run_id)
        assert items["repo_id"].tolist() == [item.repo_id for item in plan.items]
        assert items["version_label"].tolist() == items["repo_id"].tolist()
        assert set(events_frame(ledger)["repo_id"]) == set(graph)
        assert runs_frame(ledger)["originating_run_id"].tolist() == ["'; DROP TABLE runs;--"]
        assert not ledger.list_runs("0" * 64)


def test_shown_as_html_and_text(graph):
    plan = build_plan(graph, version="<script>alert(2)</script>")
    outcome = what_if(plan, HOSTILE_NAMES[:2])
    for shown in (graph, plan, outcome):
        html = shown._repr_html_()
        assert "<script" not in html
        assert len(html) < 50_000
        assert html == shown._repr_html_()
        assert len(repr(shown)) < 500
    assert len(steps(plan, HOSTILE_NAMES[0])) == len(graph)
    assert check_order(plan, [item.repo_id for item in plan.items]).same_as_plan
