"""Past trains forecast from those before them: no forecast sees its own outcome, and good ones are seen to be good."""

import warnings

import numpy as np
import pandas as pd
import pytest

from seqkit import (
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    UnsupportedRanking,
    analyze,
    build_plan,
    calibration,
    fit_failure_rates,
    items_frame,
    load_dataset,
    run_plan,
)
from seqkit.ledger.attempts import attempts_frame

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "cli"), ("api", "web")], nodes=["docs"])
PLAN = build_plan(GRAPH, version="1")


def past(model, runs, plan=PLAN, seed=3, **options):
    ledger = MemoryRunLedger(ids=[f"{number:03}" for number in range(runs)])
    for trial in range(runs):
        run_plan(plan, model, ledger, rng=seed, trial=trial, **options)
    return ledger


TRUE = FailureModel({"core": 0.1, "api": 0.3, "cli": 0.05, "web": 0.5, "docs": 0.2})
LEDGER = past(TRUE, 60, attempts=2)


@pytest.mark.parametrize("options", [{}, {"half_life": 7}, {"prior": "empirical"}])
def test_a_prediction_is_what_the_fit_says_before_the_train(options):
    found = calibration(LEDGER, start=10, **options)
    items = items_frame(LEDGER)
    for train in ("010", "037", "059"):
        with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
            fit = fit_failure_rates(items[items["run_id"] < train], **options)
        mine = found.predictions[found.predictions["train"] == train].set_index("repo_id")
        assert mine["predicted"].tolist() == pytest.approx(fit["rate"].loc[mine.index].tolist())
        assert mine["base"].iloc[0] == pytest.approx((fit["first_failures"].sum() + 0.5) / (fit["runs"].sum() + 1))
        came = items[(items["run_id"] == train) & (items["attempts"] > 0)].set_index("repo_id")
        first = (came["attempts"] > 1) | (came["status"] == "failed")
        assert mine["failed"].tolist() == first.loc[mine.index].tolist()


def test_what_comes_later_changes_no_forecast():
    whole = calibration(LEDGER, start=10)
    items = items_frame(LEDGER)
    part = calibration(items[items["run_id"] < "030"], GRAPH, start=10)
    columns = ["train", "repo_id", "predicted", "base", "failed"]
    pd.testing.assert_frame_equal(part.predictions[columns], whole.predictions.iloc[: len(part.predictions)])
    pd.testing.assert_frame_equal(part.trains, whole.trains.iloc[:20])


def test_ledger_and_attempts_agree():
    whole = calibration(LEDGER, start=10)
    other = calibration(attempts_frame(LEDGER), GRAPH, start=10)
    sort = ["train", "repo_id"]
    pd.testing.assert_frame_equal(
        other.predictions.sort_values(sort, ignore_index=True), whole.predictions.sort_values(sort, ignore_index=True)
    )
    pd.testing.assert_frame_equal(other.trains, whole.trains, rtol=1e-9)


def test_right_forecasts_are_seen_to_be_right():
    found = calibration(past(TRUE, 300), start=100)
    expected, came = found.trains["expected_failures"].sum(), found.trains["failures"].sum()
    assert abs(expected - came) < 3 * np.sqrt(expected)
    bins = found.bins(5)
    assert ((bins["low"] <= bins["predicted"]) & (bins["predicted"] <= bins["high"])).sum() >= 4
    assert bins["n"].sum() == len(found.predictions)
    assert found.scores.loc["Brier", "low"] > 0
    assert "better than one rate for all" in found.words
    assert found.trains["expected"].iloc[-1] == pytest.approx(analyze(PLAN, TRUE).expected.succeeded, abs=0.3)
    assert 0.4 < found.trains["pit"].mean() < 0.6
    assert (found.trains["released"] <= found.trains["planned"]).all()


def test_common_causes_make_forecasts_too_sure():
    flat = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{n}" for n in range(30)]), version="1")
    outage = CommonCause("outage", 0.1, flat.released)
    found = calibration(past(FailureModel(default=0.02, common_causes=[outage]), 100, flat), start=30)
    calm = calibration(past(0.1, 100, flat), start=30)
    inside = [
        ((c.trains["low"] <= c.trains["released"]) & (c.trains["released"] <= c.trains["high"])).mean()
        for c in (found, calm)
    ]
    assert inside[0] < inside[1]
    assert (found.trains["pit"] < 0.01).mean() > 0.05


def test_where_no_count_can_be_forecast_it_is_missing():
    count = ["planned", "released", "expected", "low", "high", "pit"]
    for ledger in (past(TRUE, 12, policy="continue"), past(TRUE, 12, failure_budget=1)):
        assert calibration(ledger).trains[count].isna().all(axis=None)
    frame = items_frame(past(TRUE, 12))
    assert calibration(frame).trains[count].isna().all(axis=None)
    assert calibration(frame, GRAPH).trains[count].notna().all(axis=None)
    smaller = RepoDependencyGraph.from_edges([("core", "api")])
    assert calibration(frame, smaller).trains[count].isna().all(axis=None)
    # Trains that went on below a failure did not skip dependents.
    kf5 = load_dataset("kf5")
    assert calibration(kf5.trains, kf5.graph, start=50).trains[count].isna().all(axis=None)
    stopped = frame.assign(status=frame["status"].astype(object), skip_cause=frame["skip_cause"].astype(object))
    stopped.loc[stopped["run_id"] == "011", "status"] = "pending"
    stopped.loc[stopped.index[stopped["run_id"] == "011"][0], ["status", "attempts"]] = ["succeeded", 1]
    assert calibration(stopped, GRAPH).trains["pit"].notna().tolist() == [True] * 6 + [False]


def test_equal_predictions_stay_together():
    rows = [(f"{run:02}", repo, run % 3 > 0) for run in range(12) for repo in "ab"]
    found = calibration(pd.DataFrame(rows, columns=["run_id", "repo_id", "succeeded"]), start=3)
    bins = found.bins(100)
    assert len(bins) == found.predictions["predicted"].nunique()
    assert len(found.bins(1)) == 1
    assert found.bins(1).loc[0, "observed"] == pytest.approx(found.predictions["failed"].mean())


def test_it_is_told_in_words_and_html():
    found = calibration(LEDGER, start=10)
    assert repr(found).startswith("Calibration(50 trains, ")
    assert "the number released lay in its 95 % interval in" in found.words
    assert "<table>" in found._repr_html_()
    assert repr(calibration(LEDGER, start=10, rng=0)) == repr(found)
    one = calibration(LEDGER, start=59)
    assert one.scores[["low", "high"]].isna().all(axis=None)
    assert "skill" not in one.words


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"start": 60},
            ValueError,
            "start is 60 and ledger_or_frame has 60 trains that tried something, expected more",
        ),
        ({"start": 0}, ValueError, "start is 0"),
        ({"half_life": 0}, ValueError, "half_life is 0"),
        ({"prior": "x"}, TypeError, "prior is 'x'"),
        ({"graph": PLAN}, TypeError, "graph is"),
        ({"confidence_level": 95}, ValueError, "confidence_level is 95"),
    ],
)
def test_arguments_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        calibration(LEDGER, **options)


def test_what_is_no_record_is_refused():
    with pytest.raises(TypeError, match="ledger_or_frame is 5"):
        calibration(5)
    with pytest.raises(ValueError, match="has neither run_id nor train"):
        calibration(pd.DataFrame({"repo_id": ["a"], "succeeded": [True]}))
    with pytest.raises(ValueError, match="has 0 trains"):
        calibration(MemoryRunLedger())
