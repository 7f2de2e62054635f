import pickle
import warnings
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seqkit import (
    DurationFit,
    DurationModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    VirtualClock,
    build_plan,
    delayed,
    fit_durations,
    load_dataset,
    run_plan,
    schedule,
)
from seqkit.ledger.attempts import attempts_frame
from seqkit.ledger.frames import items_frame
from tests.tools.strategies import HOSTILE_NAMES

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def record(took, failed=None, **columns):
    """A frame of attempts, each in a run of its own, from seconds by repo."""
    rows = [
        (f"{number:03}", repo, 1, status, START, START + timedelta(seconds=seconds))
        for status, times in (("succeeded", took), ("failed", failed or {}))
        for repo, own in times.items()
        for number, seconds in enumerate(own)
    ]
    names = ["run_id", "repo_id", "attempt", "status", "started_at", "finished_at"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


def seconds(column):
    return column.dt.total_seconds()


def drawn(median, sigma, n, seed=3):
    return (median * np.exp(sigma * np.random.default_rng(seed).normal(size=n))).tolist()


def test_many_attempts_speak_for_themselves():
    times = drawn(600, 0.5, 400)
    fit = fit_durations(record({"core": times, "api": drawn(60, 0.2, 400)})).fit
    logs = np.log(times)
    mean, error = logs.mean(), logs.std(ddof=1) / 20
    row = seconds(fit.loc["core", ["median", "median_low", "median_high"]].astype("timedelta64[us]"))
    expected = np.exp(stats.t.ppf([0.5, 0.05, 0.95], 399) * error + mean)
    assert row.tolist() == pytest.approx(expected.tolist(), rel=3e-3)
    # The interval of a quantile of a normal law is that of a noncentral t.
    z = stats.norm.ppf(0.9)
    bounds = stats.nct.ppf([0.05, 0.95], 399, z * 20) / 20
    point = seconds(fit.loc["core", ["p90_low", "p90_high"]].astype("timedelta64[us]"))
    assert point.tolist() == pytest.approx(np.exp(mean + bounds * logs.std(ddof=1)).tolist(), rel=5e-3)
    assert fit["own"].min() > 0.99
    assert fit["sigma"].tolist() == pytest.approx([0.2, 0.5], rel=0.1)


def test_few_attempts_lean_on_the_others():
    took = {f"r{n}": drawn(600, 0.3, 20, n) for n in range(8)} | {"rare": [6000.0]}
    takes = fit_durations(record(took))
    rare, others = takes.fit.loc["rare"], takes.fit.drop(index="rare")
    assert rare["own"] < others["own"].min()
    assert 600 < rare["median"].total_seconds() < 6000
    assert rare["median_high"] / rare["median_low"] > 2 * (others["median_high"] / others["median_low"]).max()
    assert takes.note == "1 repo with fewer than 3 leans on the others"
    assert "1 repo with fewer than 3 leans" in repr(takes)
    # Its next attempt may take anything between.
    assert takes.sigma["rare"] > takes.sigma["r1"]


def test_the_model_tells_of_the_next_attempt_and_of_repos_never_seen():
    truth = {f"r{n:02}": 600 * np.exp(np.random.default_rng(n).normal()) for n in range(30)}
    takes = fit_durations(record({repo: drawn(t, 0.3, 10, int(t)) for repo, t in truth.items()}))
    assert isinstance(takes, DurationModel)
    for repo, median in truth.items():
        assert takes.median(repo) == pytest.approx(median, rel=0.5)
        assert takes.quantile(repo, 0.9) == pytest.approx(takes.fit.loc[repo, "p90"].total_seconds(), rel=0.1)
        assert takes.quantile(repo, 0.9) > takes.fit.loc[repo, "p90_low"].total_seconds()
    assert takes.median("never seen") == pytest.approx(600, rel=0.6)
    assert takes.default_sigma == pytest.approx(np.hypot(1, 0.3), rel=0.4)
    plan = build_plan(RepoDependencyGraph.from_edges([("r00", "never seen")]), version="1")
    mean = schedule(plan, takes, trials=256, rng=1).mean()
    assert mean.total_seconds() == pytest.approx(takes.mean("r00") + takes.mean("never seen"), rel=0.5)


def test_what_failed_is_fitted_apart():
    took, failed = {"a": [100.0] * 4, "b": [200.0] * 5}, {"a": [10.0, 11.0, 9.0], "c": [12.0]}
    takes = fit_durations(record(took, failed))
    assert takes.fit[["attempts", "failed_attempts"]].to_numpy().tolist() == [[4, 3], [5, 0], [0, 1]]
    assert takes.failed.median("a") == pytest.approx(10, rel=0.1)
    assert takes.failed.median("b") == takes.failed.default == takes.failed.median("unseen")
    assert seconds(takes.fit["failed_median"]).max() < 20
    assert takes.fit.loc["c", "own"] == 0
    assert takes.median("c") == pytest.approx(takes.default)
    few = fit_durations(record(took, {"a": [10.0, 11.0]}))
    assert few.failed is None
    assert few.fit["failed_median"].isna().all()


def test_times_scale():
    took = {"a": drawn(5, 0.4, 6), "b": drawn(80, 0.4, 2), "c": [7.0]}
    one = fit_durations(record(took)).fit
    other = fit_durations(record({repo: [1000 * each for each in own] for repo, own in took.items()})).fit
    for name in ("median", "median_low", "p90", "p90_high"):
        assert seconds(other[name]).tolist() == pytest.approx((1000 * seconds(one[name])).tolist(), rel=1e-4)


def test_what_cannot_be_a_time_is_left_out_and_said():
    frame = record({"a": [10, 12, 11], "b": [-5, 20, 21, 22], "c": [0, 0, 1]})
    frame.loc[0, "finished_at"] = pd.NaT
    with pytest.warns(UserWarning, match=r"has 1 attempt that ends before the start, at 'b': left out"):
        takes = fit_durations(frame)
    assert takes.fit["attempts"].tolist() == [2, 3, 3]
    assert takes.note == (
        "1 attempt without both times left out; 1 attempt that ends before the start left out; "
        "2 attempts of no time at all counted as 1 ms; 1 repo with fewer than 3 leans on the others"
    )
    assert takes.note in repr(takes)
    assert "counted as 1 ms" in takes._repr_html_()


def test_what_came_late_or_never_ended_is_left_out():
    frame = record({"a": [10, 12, 11]}, {"a": [900, 30, 30, 30]}, released_as=None)
    frame.loc[3, "released_as"] = "a-1"
    frame.loc[2, ["status", "finished_at"]] = ["in_progress", pd.NaT]
    takes = fit_durations(frame)
    assert takes.fit[["attempts", "failed_attempts"]].to_numpy().tolist() == [[2, 3]]
    assert takes.fit["failed_p90"].iloc[0] < pd.Timedelta(seconds=100)


def test_old_runs_count_less_or_not_at_all():
    frame = record({"a": [100.0] * 10 + [400.0] * 10})
    frame["started_at"] += pd.to_timedelta(np.arange(20), unit="D")
    frame["finished_at"] += pd.to_timedelta(np.arange(20), unit="D")
    plain, faded = fit_durations(frame), fit_durations(frame, half_life=2)
    assert plain.median("a") == pytest.approx(200, rel=0.05)
    assert faded.median("a") > 350
    cut = fit_durations(frame, since="010")
    assert cut.median("a") == pytest.approx(400, rel=0.01)
    assert cut.fit["attempts"].tolist() == [10]
    assert fit_durations(frame, since="2026-03-12T09:00").fit.equals(cut.fit)


def test_a_ledger_and_its_attempts_give_one_fit():
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "cli")]), version="1")
    ledger = MemoryRunLedger(ids=[f"{n:02}" for n in range(12)])
    takes = DurationModel({"core": 60, "api": 20, "cli": 300}, sigma=0.4)
    for day in range(12):
        releaser = ScriptedReleaser({"api": 1} if day % 3 == 0 else {})
        run_plan(plan, delayed(releaser, takes, rng=1, trial=day), ledger, clock=VirtualClock(), attempts=2)
    found = fit_durations(ledger)
    assert fit_durations(attempts_frame(ledger)).fit.equals(found.fit)
    assert found.median("core") == pytest.approx(60, rel=0.4)
    assert found.fit["attempts"].max() == 12
    with pytest.raises(ValueError, match="has a row for each of some items, expected one for each attempt"):
        fit_durations(items_frame(ledger))


def test_what_takes_no_time_varies_no_time():
    takes = fit_durations(record({"a": [5.0] * 20, "b": [7.0] * 20}))
    assert takes.sigma["a"] == 0
    assert takes.draw("a", 1, seed=1) == pytest.approx(5000, rel=1e-2)


def test_it_survives_pickle_and_its_model_json():
    takes = fit_durations(record({"a": [5.0, 6.0, 8.0], "b": [9.0]}, {"a": [1.0, 2.0, 3.0]}))
    again = pickle.loads(pickle.dumps(takes))
    assert again == takes
    assert again.fit.equals(takes.fit)
    model = DurationFit.from_json(takes.to_json())
    assert type(model) is DurationModel
    assert [model.law(repo, failed) for repo in "abc" for failed in (False, True)] == [
        takes.law(repo, failed) for repo in "abc" for failed in (False, True)
    ]
    assert "DurationFit(DurationModel({}" in repr(DurationFit())
    assert "Durations" in DurationFit()._repr_html_()


def test_hostile_names_are_escaped():
    takes = fit_durations(record({name: [5.0, 6.0] for name in HOSTILE_NAMES}))
    assert "<script>" not in takes._repr_html_()
    assert sorted(takes.fit.index) == sorted(HOSTILE_NAMES)
    many = fit_durations(record({f"r{n}": [5.0, 6.0] for n in range(12)}))
    assert "2 more repos in .fit" in many._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="finished_at"), "lacks finished_at: its columns are"),
        (lambda f: f.assign(finished_at="x"), "the column finished_at of ledger_or_frame holds no times"),
        (lambda f: f.assign(finished_at=pd.NaT), "no attempt that succeeded and tells both times"),
        (lambda f: f.iloc[:0], "no attempt that succeeded and tells both times"),
        (lambda f: f.assign(status="failed"), "no attempt that succeeded and tells both times"),
        (lambda f: load_dataset("kf5").trains.assign(finished_at=pd.NaT), "a row for each of some trains"),
    ],
)
def test_frames_that_tell_no_times_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        fit_durations(change(record({"a": [5.0, 6.0]})))


def test_arguments_are_checked():
    frame = record({"a": [5.0, 6.0]})
    with pytest.raises(ValueError, match="confidence_level is 90"):
        fit_durations(frame, confidence_level=90)
    with pytest.raises(TypeError, match="ledger_or_frame is 5"):
        fit_durations(5)
    with warnings.catch_warnings(action="error"):
        assert fit_durations(frame, confidence_level=0.5).fit.attrs["confidence_level"] == 0.5
