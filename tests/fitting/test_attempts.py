"""Frames of attempts, as `attempts_frame` gives them, say the same as the ledger that they were made of."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    UnsupportedRanking,
    dispersion_test,
    fit_common_causes,
    fit_failure_rates,
    items_frame,
    load_dataset,
    retry_test,
    run_plan,
)
from seqkit.core.failures import FailureModel
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import build_plan
from seqkit.ledger.attempts import attempts_frame
from tests.tools.by_hand import Run, written
from tests.tools.strategies import Train, trains

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "cli"), ("api", "web")]), version="1")


def fitted(*arguments, **options):
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


def check_any(cases: list[Train]):
    ledger = MemoryRunLedger(ids=[f"{number}" for number in range(len(cases))])
    for train in cases:
        train.run(ledger)
    frame = attempts_frame(ledger)
    for hard in ("pooled", "repo"):
        pd.testing.assert_frame_equal(fitted(frame, hard=hard), fitted(ledger, hard=hard))
    pd.testing.assert_frame_equal(retry_test(frame).repos, retry_test(ledger).repos)


@settings(max_examples=8)
@given(st.lists(trains(), max_size=4))
def test_any_ledger_and_its_attempts_give_one_fit(cases: list[Train]):
    check_any(cases)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.lists(trains(), max_size=4))
def test_any_ledger_and_its_attempts_give_one_fit_often(cases: list[Train]):
    check_any(cases)


SIMULATED = st.integers(0, 10_000), st.floats(0.05, 0.6), st.floats(0, 1), st.integers(1, 3)


def check_simulated(seed, rate, hard, attempts):
    ledger = MemoryRunLedger(ids=[f"{number:02}" for number in range(12)])
    for trial in range(12):
        run_plan(PLAN, FailureModel(default=rate, hard=hard), ledger, rng=seed, trial=trial, attempts=attempts)
    frame = attempts_frame(ledger)
    for options in ({}, {"half_life": 3.0}, {"since": "05"}, {"since": {"core": "05"}}, {"prior": "empirical"}):
        own = {**options, "since": {}} if "core" not in fitted(ledger).index else options
        pd.testing.assert_frame_equal(fitted(frame, **own), fitted(ledger, **own))
    mine, theirs = dispersion_test(frame, 49), dispersion_test(ledger, 49)
    assert np.isclose(mine.statistic, theirs.statistic, equal_nan=True)
    assert mine.n_attempts == theirs.n_attempts
    assert mine.n_failures == theirs.n_failures


@settings(max_examples=3)
@given(*SIMULATED)
def test_simulated_ledgers_and_their_attempts_give_one_fit(seed, rate, hard, attempts):
    check_simulated(seed, rate, hard, attempts)


@pytest.mark.slow
@settings(max_examples=30)
@given(*SIMULATED)
def test_simulated_ledgers_and_their_attempts_give_one_fit_often(seed, rate, hard, attempts):
    check_simulated(seed, rate, hard, attempts)


def test_common_causes_are_found_in_attempts_as_in_the_ledger():
    ledger = MemoryRunLedger(ids=[f"{number:02}" for number in range(20)])
    for day in range(20):
        bad = {"a": 1, "b": 1, "c": 1} if day in (4, 11) else {}
        Train(["a", "b", "c"], [], ["a", "b", "c"], bad, "skip_dependents", None, 2, "all").run(ledger)
    groups = {"outage": ["a", "b", "c"]}
    frame = attempts_frame(ledger)
    pd.testing.assert_frame_equal(fit_common_causes(frame, groups), fit_common_causes(ledger, groups))


def test_what_came_late_is_out_and_what_goes_on_has_not_ended():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    steps = ["enter a", "hang a", "enter b", "doubt b", "late b", "enter c", "retry c"]
    ledger = written(may=Run(plan, steps, "CANCELLED"), june=Run(plan, [*steps[:4], "enter c"], "RUNNING"))
    fit = fitted(attempts_frame(ledger))
    assert fit[["attempts", "failures"]].to_numpy().tolist() == [[2, 2], [2, 1], [1, 1]]
    pd.testing.assert_frame_equal(fit, fitted(ledger))


ROWS = pd.DataFrame(
    {
        "run_id": ["1", "1", "1", "1", "2"],
        "repo_id": ["api", "core", "core", "web", "core"],
        "attempt": pd.array([pd.NA, 2, 1, pd.NA, 1], dtype="Int64"),
        "status": ["skipped", "succeeded", "failed", "blocked", "in_progress"],
    }
)


def test_rows_are_put_in_the_order_of_attempts():
    fit = fitted(ROWS)
    assert fit.index.tolist() == ["core"]
    assert fit.loc["core", ["attempts", "failures", "runs", "first_failures"]].tolist() == [2, 1, 1, 1]
    assert dispersion_test(ROWS, 9).runs["failures"].tolist() == [1]
    starts = pd.to_datetime(["2026-01-01", "2026-01-02", None, "2026-01-01", "2026-01-03"], utc=True)
    assert dispersion_test(ROWS.assign(started_at=starts), 9).runs["failures"].tolist() == [1]


def test_succeeded_and_attempts_lead():
    assert fitted(ROWS.assign(succeeded=[True] * 5))["failures"].sum() == 0
    assert fitted(items_frame(MemoryRunLedger()).assign(attempt=1)).empty
    trains_of = load_dataset("kf5").trains
    assert fitted(trains_of.assign(attempt=1))["failures"].sum() == 49


@pytest.mark.parametrize(
    ("attempt", "message"),
    [(["x"] * 5, "attempt .*holds no whole numbers"), ([0] * 5, "attempt .*has 0, expected whole numbers from 1")],
)
def test_attempts_that_are_no_numbers_are_refused(attempt, message):
    with pytest.raises(ValueError, match=message):
        fitted(ROWS.assign(attempt=attempt))
