"""The table of columns: every frame is in it, and it says what the frames really have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import seqkit
from seqkit.cli.site.frames import Frame, columns_of, page, public_frames

FRAMES = {frame.name: frame for frame in public_frames()}
AS_GIVEN = {"seqkit.for_spreadsheet"}  # the columns of whatever it is given

GRAPH = seqkit.RepoDependencyGraph.from_edges(
    [("core", "api"), ("core", "docs"), ("api", "app")], nodes={repo: {"version": "1.0"} for repo in ("core", "api")}
)
PLAN = seqkit.build_plan(GRAPH, version="2.0")
LEDGER = seqkit.MemoryRunLedger(ids=["first", "second"])
OUTCOME = seqkit.run_plan(PLAN, {"api": 1.0}, LEDGER, rng=7)
REST = seqkit.resume_plan(LEDGER, "first")
MODEL = seqkit.FailureModel(default=0.1, common_causes=[seqkit.CommonCause("ci", 0.1, ["api", "docs"])])


def schedule() -> seqkit.Schedule:
    freeze = seqkit.Freeze(600, 1200, "noon")
    return seqkit.schedule(PLAN, 600, 2, 0.1, calendar=freeze, trials=50, rng=7)


REAL: dict[str, Callable[[], Any]] = {
    "seqkit.Analysis.importance": lambda: seqkit.analyze(PLAN, MODEL).importance(),
    "seqkit.Analysis.most_probable_outcomes": lambda: seqkit.analyze(PLAN, 0.1).most_probable_outcomes(),
    "seqkit.Analysis.to_frame": lambda: seqkit.analyze(PLAN, 0.1).to_frame(),
    "seqkit.AuditReport.checks": lambda: seqkit.audit(LEDGER).checks,
    "seqkit.AuditReport.findings": lambda: seqkit.audit(LEDGER).findings,
    "seqkit.ChangePlan.left_out": lambda: seqkit.plan_changes(GRAPH, ["docs"], bump={"docs": "3.0"}).left_out,
    "seqkit.ChangePlan.reasons": lambda: seqkit.plan_changes(GRAPH, ["docs"], bump={"docs": "3.0"}).reasons,
    "seqkit.Comparison.to_frame": lambda: seqkit.compare(PLAN, PLAN, 0.1, trials=64, rng=7).to_frame(),
    "seqkit.Dataset.trains": lambda: seqkit.load_dataset("kf5").trains,
    "seqkit.PlanDiff.to_frame": lambda: seqkit.diff_plans(PLAN, PLAN.without(["docs"]), 0.1).to_frame(),
    "seqkit.Replay.outcomes": lambda: seqkit.replay(LEDGER, "first", model=0.1, trials=64, rng=7).outcomes,
    "seqkit.Replay.to_frame": lambda: seqkit.replay(LEDGER, "first", model=0.1, trials=64, rng=7).to_frame(),
    "seqkit.RepoDependencyGraph.cycles": lambda: GRAPH.cycles(),
    "seqkit.RepoDependencyGraph.to_frame": lambda: GRAPH.to_frame(),
    "seqkit.ResumePlan.reasons": lambda: REST.reasons,
    "seqkit.Schedule.critical_paths": lambda: schedule().critical_paths(),
    "seqkit.Schedule.cut": lambda: schedule().cut(0),
    "seqkit.Schedule.freezes": lambda: schedule().freezes(),
    "seqkit.Schedule.gains": lambda: schedule().gains(),
    "seqkit.Schedule.lanes": lambda: schedule().lanes(),
    "seqkit.Schedule.to_frame": lambda: schedule().to_frame(),
    "seqkit.SequenceOutcome.to_frame": OUTCOME.to_frame,
    "seqkit.SequencePlan.to_frame": PLAN.to_frame,
    "seqkit.Simulation.counts": lambda: seqkit.simulate(PLAN, 0.1, trials=64, rng=7).counts,
    "seqkit.Simulation.summary": lambda: seqkit.simulate(PLAN, 0.1, trials=64, rng=7).summary(),
    "seqkit.Simulation.to_frame": lambda: seqkit.simulate(PLAN, 0.1, trials=64, rng=7).to_frame(),
    "seqkit.attempts_frame": lambda: seqkit.attempts_frame(LEDGER),
    "seqkit.blast_radius": lambda: seqkit.blast_radius(PLAN),
    "seqkit.blockers": lambda: seqkit.blockers(LEDGER),
    "seqkit.compare_many": lambda: seqkit.compare_many({"a": (PLAN, 0.1), "b": (PLAN, 0.2)}, trials=64, rng=7),
    "seqkit.events_frame": lambda: seqkit.events_frame(LEDGER),
    "seqkit.fixes_frame": lambda: seqkit.fixes_frame(LEDGER),
    "seqkit.items_frame": lambda: seqkit.items_frame(LEDGER),
    "seqkit.lanes_curve": lambda: seqkit.lanes_curve(PLAN, 600, lanes=[1, 2], trials=50, rng=7),
    "seqkit.levers": lambda: seqkit.levers(PLAN, MODEL),
    "seqkit.runs_frame": lambda: seqkit.runs_frame(LEDGER),
    "seqkit.steps": lambda: seqkit.steps(PLAN),
    "seqkit.trains_frame": lambda: seqkit.trains_frame(LEDGER),
}


def called(column: Any) -> str:
    """Call a dtype as docstrings do."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "ordered categorical" if column.dtype.ordered else "categorical"
    name = str(column.dtype)
    return {"str": "string", "datetime64[us, UTC]": "UTC", "timedelta64[us]": "timedelta"}.get(name, name)


def short(dtype: str) -> str:
    return {"datetime64[us, UTC]": "UTC", "timedelta64[us]": "timedelta"}.get(dtype, dtype)


def test_every_frame_lists_its_columns_or_says_whose_they_are() -> None:
    assert len(FRAMES) > 50
    silent = [name for name, frame in FRAMES.items() if not frame.columns and not frame.like and name not in AS_GIVEN]
    assert silent == [], "its docstring lists no columns in the form of the others: `name` (dtype: meaning)"
    told = page()
    assert [name for name in FRAMES if f"<{name}>`" not in told] == []


@pytest.mark.parametrize("name", REAL)
def test_what_is_listed_is_what_a_frame_has(name: str) -> None:
    frame, real = FRAMES[name], REAL[name]()
    listed = {column.name: short(column.dtype) for column in frame.columns if not column.is_index}
    assert [column for column in real.columns if column not in listed] == []
    wrong = {
        column: (listed[column], called(real[column]))
        for column in real.columns
        if listed[column] != called(real[column])
    }
    assert wrong == {}
    index = [column.name for column in frame.columns if column.is_index]
    if real.index.name is not None:
        assert index == [real.index.name]


def test_plans_share_the_columns_of_a_plan() -> None:
    assert FRAMES["seqkit.SequencePlan.to_frame"].also == ("seqkit.ChangePlan.to_frame", "seqkit.ResumePlan.to_frame")


@pytest.mark.parametrize(
    ("told", "columns"),
    [
        (
            "Columns: `a`, `b` (string), `c` (Int64: from 1).",
            [("a", "string", ""), ("b", "string", ""), ("c", "Int64", "from 1")],
        ),
        ("Columns (int64): `a`, `b`; ascending.", [("a", "int64", "ascending"), ("b", "int64", "ascending")]),
        (
            "Returns\n-------\nDataFrame\n    float64 columns:\n\n    - `a`: why; ``x``.\n\nNotes\n-----\n`b` (UTC).",
            [("a", "float64", "why; ``x``")],
        ),
        ("A sum of `a` and `b`.", []),
    ],
)
def test_forms_that_are_read(told: str, columns: list[tuple[str, str, str]]) -> None:
    assert [(column.name, column.dtype, column.meaning) for column in columns_of(told)] == columns


def test_a_frame_that_is_like_another_says_so() -> None:
    assert Frame("x", (), "The :func:`seqkit.items_frame` of a run.").like == ":func:`seqkit.items_frame`"
    assert Frame("x", (), "Columns: `a` (string).").like is None
