"""Frames for spreadsheets: written to Excel, CSV and Parquet, and read back."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqkit
from seqkit import (
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunMetadata,
    ScriptedReleaser,
    SequencePlan,
    build_plan,
    for_spreadsheet,
    load_dataset,
    run_plan,
)
from tests.tools.strategies import HOSTILE_NAMES

NAMES = [name for name in HOSTILE_NAMES if name] + [
    "=1+1",
    "+1",
    "-1",
    "\t=1",
    "@SUM(A1)",
    "@acme/icons",
    "\x0b",
    "\r=2",
]
GRAPH = RepoDependencyGraph.from_edges(
    [("core", "api"), ("core", "docs"), ("api", "app")] + [("app", n) for n in NAMES]
)


def frames() -> dict[str, pd.DataFrame]:
    """Every frame that the library gives, with rows and without."""
    plan = build_plan(GRAPH, version="1.0")
    part = build_plan(GRAPH, [("core", "1"), ("app", "1"), ("=1+1", "2")])
    nothing = build_plan(RepoDependencyGraph(), [])
    ledger = MemoryRunLedger()
    outcome = run_plan(plan, ScriptedReleaser({"api": "=cmd()", "docs": "\x1b[31mred"}), ledger, attempts=2)
    run_plan(seqkit.resume_plan(ledger, outcome.run_id), ScriptedReleaser({}), ledger)
    part_run = run_plan(part, {"core": 1.0}, ledger).run_id
    model = FailureModel(default=0.1)
    analysis, simulation = seqkit.analyze(plan, model), seqkit.simulate(plan, model, trials=512, rng=0)
    changed = build_plan(GRAPH, version="2.0").without("docs")
    with warnings.catch_warnings(action="ignore", category=seqkit.UnsupportedRanking):
        fit = seqkit.fit_failure_rates(ledger)
    kf5 = load_dataset("kf5")
    assert kf5.trains is not None
    given = {
        "graph": GRAPH.to_frame(),
        "plan": plan.to_frame(),
        "part": part.to_frame(),
        "outcome": outcome.to_frame(),
        "steps": seqkit.steps(plan, fail="api"),
        "runs": seqkit.runs_frame(ledger),
        "events": seqkit.events_frame(ledger),
        "items": seqkit.items_frame(ledger),
        "trains": seqkit.trains_frame(ledger),
        "fixes": seqkit.fixes_frame(ledger),
        "blockers": seqkit.blockers(ledger),
        "blockers by run": seqkit.blockers(ledger, by_run=True),
        "findings": seqkit.audit(ledger).findings,
        "checks": seqkit.audit(ledger).checks,
        "findings of trains": seqkit.audit(kf5.ledger, graph=kf5.graph).findings,
        "blast radius": seqkit.blast_radius(plan),
        "analysis": analysis.to_frame(),
        "importance": analysis.importance(),
        "simulation": simulation.to_frame(),
        "counts": simulation.counts,
        "summary": simulation.summary(),
        "compare": seqkit.compare(plan, changed, model, trials=512, rng=0).to_frame(),
        "diff": seqkit.diff_plans(plan, changed).to_frame(),
        "replay": seqkit.replay(ledger, outcome.run_id, policy="stop").to_frame(),
        "left": seqkit.resume_plan(ledger, part_run).reasons,
        "outcomes": seqkit.replay(ledger, outcome.run_id, policy="stop").outcomes,
        "most probable": analysis.most_probable_outcomes(),
        "fit": fit,
        "draws": seqkit.posterior_draws(fit, 3, rng=0),
        "kf5": kf5.trains.iloc[::12],
    }
    empty = MemoryRunLedger()
    none = {
        "graph": RepoDependencyGraph().to_frame(),
        "plan": nothing.to_frame(),
        "steps": seqkit.steps(nothing),
        "runs": seqkit.runs_frame(empty),
        "events": seqkit.events_frame(empty),
        "items": seqkit.items_frame(empty),
        "trains": seqkit.trains_frame(empty),
        "fixes": seqkit.fixes_frame(empty),
        "fit": seqkit.fit_failure_rates(empty),
        "findings": seqkit.audit(empty).findings,
        "blast radius": seqkit.blast_radius(nothing),
        "analysis": seqkit.analyze(nothing, model).to_frame(),
        "rows of kf5": kf5.trains.iloc[:0],
        "no columns": pd.DataFrame(),
    }
    return given | {f"{name}, empty": frame for name, frame in none.items()}


@pytest.fixture(scope="module")
def everything() -> dict[str, pd.DataFrame]:
    return frames()


def text_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Tell a reader which columns are text: of a version such as 1.10 it would make a number."""
    return {name: object for name in frame if pd.api.types.is_string_dtype(frame[name].dtype)}


def excel(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    pytest.importorskip("openpyxl")
    frame.to_excel(folder / "frame.xlsx", index=False)
    return pd.read_excel(folder / "frame.xlsx", keep_default_na=False, na_values=[""], dtype=text_of(frame))


def comma(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    frame.to_csv(folder / "frame.csv", index=False)
    if not len(frame.columns):
        return frame
    return pd.read_csv(folder / "frame.csv", keep_default_na=False, na_values=[""], dtype=text_of(frame))


def parquet(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    pytest.importorskip("pyarrow")
    frame.to_parquet(folder / "frame.parquet", index=False)
    return pd.read_parquet(folder / "frame.parquet")


def same(found: Any, wanted: Any) -> bool:
    if wanted is None or (np.isscalar(wanted) and pd.isna(wanted)) or wanted is pd.NA or wanted is pd.NaT:
        return bool(pd.isna(found))
    if isinstance(wanted, pd.Timestamp):
        return abs(pd.Timestamp(found) - wanted) < pd.Timedelta("1ms")  # what a cell of Excel keeps
    if isinstance(wanted, str):
        return str(found) == wanted or (not wanted and bool(pd.isna(found)))
    return found == pytest.approx(wanted)


@pytest.mark.parametrize("store", [excel, comma, parquet])
def test_every_frame_is_written_and_read_back(
    everything: dict[str, pd.DataFrame],
    store: Callable[[pd.DataFrame, Path], pd.DataFrame],
    tmp_path: Path,
) -> None:
    for name, frame in everything.items():
        before = frame.copy(deep=True)
        sheet = for_spreadsheet(frame)
        pd.testing.assert_frame_equal(frame, before)
        assert name == "draws" or set(frame.columns) <= set(sheet.columns), name  # draws have a column a repo
        assert len(sheet) == len(frame), name
        found = store(sheet, tmp_path)
        assert list(found.columns) == list(sheet.columns), name
        assert len(found) == len(sheet), name
        for column in sheet:
            wrong = [
                pair
                for pair in zip(found[column].astype(object), sheet[column].astype(object), strict=True)
                if not same(*pair)
            ]
            assert not wrong, (name, column, wrong[:3])


def test_an_index_with_a_name_becomes_a_column_and_row_numbers_go(everything: dict[str, pd.DataFrame]) -> None:
    sheet = for_spreadsheet(everything["analysis"])
    assert list(sheet.columns) == ["repo_id", *everything["analysis"].columns]
    assert {"@acme/icons", "'=1+1", "'-1"} <= set(sheet["repo_id"])
    runs = everything["items"]
    assert list(for_spreadsheet(runs[runs["attempts"] == 1]).columns) == list(runs.columns)
    two = pd.DataFrame({"n": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)], names=["run", None]))
    assert list(for_spreadsheet(two).columns) == ["run", "level_1", "n"]
    named = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="x"))
    assert for_spreadsheet(named).to_dict("list") == {"x.1": ["a", "b"], "x": [1, 2]}
    assert list(for_spreadsheet(pd.DataFrame({"x": [1]}, index=["a"])).columns) == ["index", "x"]


def test_kinds_of_columns() -> None:
    zone = timezone(timedelta(hours=2))
    frame = pd.DataFrame(
        {
            "utc": pd.Series([datetime(2026, 1, 2, 12, tzinfo=UTC), pd.NaT]),
            "zone": pd.Series([datetime(2026, 1, 2, 12, tzinfo=zone)] * 2),
            "zones": pd.Series([datetime(2026, 1, 2, 12, tzinfo=zone), datetime(2026, 1, 2, 12)], dtype=object),
            "day": pd.Series([date(2026, 1, 2), None], dtype=object),
            "took": pd.Series([timedelta(seconds=90), pd.NaT]),
            "took once": pd.Series([timedelta(seconds=90), None], dtype=object),
            "count": pd.array([1, None], dtype="Int64"),
            "numbers": pd.Series([1, None], dtype=object),
            "halves": pd.Series([1, 0.5], dtype=object),
            "small": np.array([1, 0.5], dtype=np.float16),
            "yes": pd.array([True, None], dtype="boolean"),
            "no": pd.Series([False, None], dtype=object),
            "mixed": pd.Series(["=a", 1], dtype=object),
            "huge": pd.Series([2**70, 1], dtype=object),
            "list": pd.Series([["=a", "b"], []], dtype=object),
            "deep": pd.Series([[["a"], {"b": 1}], ("a", 1)], dtype=object),
            "dict": pd.Series([{"a": ["ü", None], ("b", 1): {"c": np.int64(1)}}, {}], dtype=object),
            "set": pd.Series([{"b", "a"}, frozenset()], dtype=object),
            "array": pd.Series([np.array([1, 2]), None], dtype=object),
            "status": pd.Categorical(["b", None], categories=["b", "a"]),
            "ranks": pd.Categorical([2, 1], ordered=True),
        }
    )
    sheet = for_spreadsheet(frame)
    noon, ten = pd.Timestamp("2026-01-02 12:00"), pd.Timestamp("2026-01-02 10:00")
    told = {name: [None if pd.isna(value) else value for value in column] for name, column in sheet.items()}
    assert told == {
        "utc": [noon, None],
        "zone": [ten, ten],
        "zones": [ten, noon],
        "day": [pd.Timestamp("2026-01-02"), None],
        "took": [90.0, None],
        "took once": [90.0, None],
        "count": [1, None],
        "numbers": [1, None],
        "halves": [1.0, 0.5],
        "small": [1.0, 0.5],
        "yes": [True, None],
        "no": [False, None],
        "mixed": ["'=a", "1"],
        "huge": [str(2**70), "1"],
        "list": ["'=a, b", ""],
        "deep": ['[["a"], {"b": 1}]', "a, 1"],
        "dict": ['{"a": ["ü", null], "b, 1": {"c": 1}}', "{}"],
        "set": ["a, b", ""],
        "array": ["1, 2", None],
        "status": ["b", None],
        "ranks": [2, 1],
    }
    for name in ("utc", "zone", "zones", "day"):
        assert str(sheet[name].dtype) == "datetime64[us]"
    assert [str(sheet[name].dtype) for name in ("took", "count", "yes")] == ["float64", "Int64", "boolean"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("\tx", "'\tx"),
        ("\rx", "'\nx"),
        ("@SUM(1)", "'@SUM(1)"),
        ("@summe.wenn (1)", "'@summe.wenn (1)"),
        ("@СУММ(1)", "'@СУММ(1)"),
        ("@acme/icons", "@acme/icons"),
        ("@acme", "@acme"),
        ("@acme/icons(old)", "@acme/icons(old)"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text: str, shown: str) -> None:
    frame = pd.DataFrame({"x": [text], text: [1]})
    assert for_spreadsheet(frame)["x"].tolist() == [shown]
    assert list(for_spreadsheet(frame).columns) == ["x", shown]
    plain = for_spreadsheet(frame, escape=False)
    assert plain["x"].tolist() == [text.replace("\r", "\n")]
    assert list(plain.columns) == ["x", text.replace("\r", "\n")]


def test_what_files_cannot_hold() -> None:
    told = ["a\0b\x1b\ud800\uffff", "a\r\nb\rc", "x" * 40_000, "🚀" * 20_000, "y" * 32_767]
    sheet = for_spreadsheet(pd.DataFrame({"x": pd.Series(told, dtype=object)}))["x"].tolist()
    assert sheet[:2] == ["a�b���", "a\nb\nc"]
    assert sheet[2] == "x" * 32_766 + "…"
    assert sheet[3] == "🚀" * 16_383 + "…"
    assert sheet[4] == told[4]


def test_names_of_columns_are_told_apart() -> None:
    frame = pd.DataFrame([[1, 2, 3, 4, 5]], columns=["x", "x.1", "x", 7, None])
    assert list(for_spreadsheet(frame).columns) == ["x", "x.1", "x.2", "7", ""]
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "mean"), ("a", "")]))
    assert list(for_spreadsheet(levels).columns) == ["a mean", "a "]


@pytest.mark.parametrize("wrong", [None, [1], pd.Series([1]), "runs.db", {"x": [1]}])
def test_what_is_no_frame_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a DataFrame; of a result, pass what its to_frame"):
        for_spreadsheet(wrong)


@given(st.lists(st.text(max_size=8) | st.none() | st.lists(st.text(max_size=4), max_size=3), max_size=6))
def test_no_text_is_refused_by_a_writer_or_taken_for_a_formula(values: list[Any]) -> None:
    sheet = for_spreadsheet(pd.DataFrame({"x": pd.Series(values, dtype=object)}))
    for text, value in zip(sheet["x"], values, strict=True):
        assert pd.isna(text) is (value is None)
        if value is not None:
            text.encode()
            assert not text.startswith(("=", "+", "-", "\t", "\r"))
            assert all(char in "\t\n" or char >= " " for char in text)


def test_a_plan_is_untouched_by_what_its_sheet_becomes() -> None:
    plan: SequencePlan = build_plan(GRAPH, version="1.0")
    frame = plan.to_frame()
    sheet = for_spreadsheet(frame)
    sheet.loc[0, "position"] = 99
    sheet.loc[0, "repo_id"] = "other"
    assert frame.loc[0, "position"] == 0
    assert frame.loc[0, "repo_id"] == plan.items[0].repo_id


def test_times_of_a_ledger_are_utc_without_a_zone() -> None:
    ledger = MemoryRunLedger(clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ledger.create_run("0" * 64, RunMetadata(agent_name="kim"))
    sheet = for_spreadsheet(seqkit.runs_frame(ledger))
    assert sheet["started_at"].tolist() == [pd.Timestamp("2026-01-02 03:04:05")]
    assert sheet["finished_at"].isna().all()
