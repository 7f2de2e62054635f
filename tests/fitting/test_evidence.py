import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest

from seqkit import (
    FailureModel,
    UnsupportedRanking,
    fit_failure_rates,
    posterior_draws,
    posterior_models,
    ranking_note,
)


def fitted(*arguments, **options):
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


ROWS = [
    ("one", "a", False, "2024-01-01"),
    ("one", "b", False, "2024-01-01"),
    ("two", "a", False, "2024-02-01"),
    ("two", "b", True, "2024-02-01"),
    ("three", "a", True, "2024-03-01"),
    ("three", "b", None, None),
    ("four", "a", True, "2024-04-01"),
    ("four", "b", True, "2024-04-01"),
]
FRAME = pd.DataFrame(ROWS, columns=["run_id", "repo_id", "succeeded", "started_at"])
FRAME["started_at"] = pd.to_datetime(FRAME["started_at"])


@pytest.mark.parametrize("frame", [FRAME, FRAME.sample(frac=1, random_state=3), FRAME.drop(columns="started_at")])
def test_the_weight_of_a_run_halves(frame):
    fit = fitted(frame, half_life=1)
    assert fit["effective_runs"].tolist() == [1 + 1 / 2 + 1 / 4 + 1 / 8, 1 + 1 / 4 + 1 / 8]
    assert fit["effective_failures"].tolist() == [1 / 4 + 1 / 8, 1 / 8]
    assert fit["rate"].tolist() == pytest.approx([0.875 / 2.875, 0.625 / 2.375])
    assert fit[["runs", "first_failures"]].to_numpy().tolist() == [[4, 2], [3, 1]]
    assert FailureModel.from_fit(fit).default == pytest.approx(0.5 / 3.25)
    drawn = posterior_draws(fit, n=2000, rng=1)
    assert drawn.mean().tolist() == pytest.approx(fit["rate"].tolist(), abs=0.03)
    assert "(0.5 failures in 3.25 first attempts, weighed)" in ranking_note(fit)
    assert len(posterior_models(fit, n=2, rng=1)) == 2


def test_a_long_half_life_weighs_all_alike():
    plain, faded = fitted(FRAME), fitted(FRAME, half_life=1e12)
    np.testing.assert_allclose(faded[["rate", "low", "high"]], plain[["rate", "low", "high"]], rtol=1e-9)
    assert "effective_runs" not in plain.columns


def test_the_share_that_no_retry_mends_fades_too():
    days = range(60)
    rows = [
        (f"{day:02}", "a", "failed" if day % 4 == 1 and day < 30 else "succeeded", 1 + (day % 4 == 1)) for day in days
    ]
    frame = pd.DataFrame(rows, columns=["run_id", "repo_id", "status", "attempts"])
    assert fitted(frame, half_life=5)["hard"].item() < fitted(frame)["hard"].item() - 0.15


@pytest.mark.parametrize(
    "since", ["two", "2024-02-01", "2024-01-15 12:00", date(2024, 2, 1), pd.Timestamp("2024-02-01", tz="UTC")]
)
def test_evidence_before_a_run_or_a_date_does_not_count(since):
    fit = fitted(FRAME, since=since)
    assert fit[["runs", "first_failures"]].to_numpy().tolist() == [[3, 1], [2, 0]]


def test_evidence_may_be_cut_by_repo():
    fit = fitted(FRAME, since={"a": "three", "b": date(2024, 1, 1)})
    assert fit[["runs", "first_failures"]].to_numpy().tolist() == [[2, 0], [3, 1]]
    assert list(fitted(FRAME, since={"b": "2025-01-01"}).index) == ["a"]
    assert fitted(FRAME, since="2025-01-01").empty
    trains = FRAME.rename(columns={"run_id": "train"}).assign(status="succeeded").drop(columns="succeeded")
    assert fitted(trains.dropna(), since="three")["runs"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"half_life": 0}, ValueError, "half_life is 0, expected a positive number of runs, or None"),
        ({"half_life": float("nan")}, ValueError, "half_life is nan, expected a positive"),
        ({"half_life": "3"}, TypeError, "half_life is '3', expected a positive number of runs, or None"),
        (
            {"since": "five"},
            ValueError,
            "since is 'five', expected a date, or a run that tried something: 'one', 'two'",
        ),
        ({"since": 7}, TypeError, "since is 7, expected the id of a run, or a date"),
        ({"since": {"a": None}}, TypeError, r"since\['a'\] is None, expected the id of a run, or a date"),
        ({"since": {"c": "one"}}, ValueError, "since names 'c', which the record never tried; it tried 'a', 'b'"),
    ],
)
def test_wrong_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        fit_failure_rates(FRAME, **options)


def test_what_a_frame_lacks_is_named():
    with pytest.raises(
        ValueError, match="half_life needs to know the runs, and ledger_or_frame has neither run_id nor"
    ):
        fit_failure_rates(FRAME.drop(columns="run_id"), half_life=3)
    with pytest.raises(ValueError, match="since is the date 2024-02-01, and ledger_or_frame has no started_at"):
        fit_failure_rates(FRAME.drop(columns="started_at"), since="2024-02-01")
    with pytest.raises(ValueError, match="started_at of ledger_or_frame is missing where 'b' was tried; give the id"):
        fit_failure_rates(FRAME.assign(succeeded=True), since="2024-02-01")
    with pytest.raises(ValueError, match="the column started_at of ledger_or_frame holds no times"):
        fit_failure_rates(FRAME.assign(started_at="soon"), since="2024-02-01")
