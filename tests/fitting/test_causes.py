import contextlib
import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, logsumexp

from seqkit import UnsupportedRanking, fit_common_causes, fit_failure_rates, load_dataset, posterior_draws
from seqkit.fitting.attempts import items_of, read_tries, runs_of
from seqkit.fitting.outages import Outages
from tests.fitting.simulated import simulated

MEMBERS = [f"r{k}" for k in range(20)]


def fitted(*arguments, **options):
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


def struck(seed, cause=0.08, severity=0.7, runs=120, attempts=1):
    return simulated(np.random.default_rng(seed), [[]] * 30, 0.02, runs, 0.0, attempts, cause, severity, range(20))


def exact(outages, probability, severity, prior):
    """The likelihood with the rates integrated out: the sum over all ways in which failures can be the cause's."""
    (a, b), (failures, successes) = prior, outages.counts
    run, repo, n_runs = outages.by_run.group, outages.by_repo.group, len(outages.passed)
    masks = np.array(list(itertools.product([0.0, 1.0], repeat=len(run))))
    by_repo, by_run = (
        masks @ (group[:, None] == np.arange(size)) for group, size in ((repo, len(failures)), (run, n_runs))
    )
    own = (betaln(a + failures - by_repo, b + successes) - betaln(a, b)).sum(axis=1)
    tried = outages.passed + np.bincount(run)
    storm = np.log(probability) + by_run * np.log(severity) + (tried - by_run) * np.log1p(-severity)
    runs = np.where(by_run == 0, np.logaddexp(np.log1p(-probability), storm), storm).sum(axis=1)
    tried, times = outages.calm
    calm = np.logaddexp(np.log1p(-probability), np.log(probability) + tried * np.log1p(-severity)) @ times
    return logsumexp(own + runs) + calm


@pytest.mark.parametrize("seed", [1, 5, 7])
@pytest.mark.parametrize("prior", [(0.5, 0.5), (1.0, 20.0)])
def test_the_likelihood_is_near_the_sum_over_all_explanations(seed, prior):
    frame = simulated(np.random.default_rng(seed), [[]] * 8, 0.03, 25, 0.0, 1, 0.08, 0.4, range(8))
    tries = read_tries(frame)
    items = items_of(tries)
    outages = Outages.of(items, runs_of(tries, items, "a cause")[0], items.names)
    assert 10 <= len(outages.failed) <= 13
    points = np.array([1e-9, 0.02, 0.1, 0.3, 0.8]), np.array([1e-9, 0.1, 0.3, 0.6, 0.9])
    probability, severity = (each.ravel() for each in np.meshgrid(*points))
    bound = outages.explained(probability, severity, prior)[0]
    told = np.array([exact(outages, *each, prior) for each in zip(probability, severity, strict=True)])
    less = told - bound - (told[0] - bound[0])  # they differ by a constant: members that never failed
    assert np.abs(less).max() < 0.4
    assert np.abs(less[told > told.max() - 2]).max() < 0.3


@pytest.mark.parametrize("prior", [(0.5, 0.5), (1.0, 20.0)])
def test_where_each_member_failed_once_it_is_exact(prior):
    bad = {(0, "a"), (0, "b"), (0, "c"), (3, "d"), (3, "e"), (5, "f")}
    rows = [(f"{day}", repo, (day, repo) not in bad) for day in range(8) for repo in "abcdefgh"]
    tries = read_tries(pd.DataFrame(rows, columns=["run_id", "repo_id", "succeeded"]))
    items = items_of(tries)
    outages = Outages.of(items, runs_of(tries, items, "a cause")[0], items.names)
    probability, severity = (each.ravel() for each in np.meshgrid([0.01, 0.1, 0.6], [0.05, 0.4, 0.95]))
    told = np.array([exact(outages, *each, prior) for each in zip(probability, severity, strict=True)])
    found = outages.explained(probability, severity, prior)[0]
    assert found - found[0] == pytest.approx(told - told[0], abs=1e-6)


def test_a_cause_is_found_with_its_severity():
    found = pd.concat([fit_common_causes(struck(seed), {"ci": MEMBERS}) for seed in range(3)])
    assert ((found["low"] < 0.08) & (found["high"] > 0.08)).sum() >= 2
    assert ((found["severity_low"] < 0.7) & (found["severity_high"] > 0.7)).sum() >= 2
    assert found["severity"].mean() == pytest.approx(0.7, abs=0.08)
    assert found["runs"].tolist() == [120] * 3
    assert found["repos"].iloc[0] == tuple(sorted(MEMBERS))
    assert found["high"].sub(found["low"]).max() < 0.2


def test_an_outage_is_not_counted_twice():
    frame = struck(3)
    causes = fit_common_causes(frame, {"ci": MEMBERS})
    plain, own = (fitted(frame, prior="empirical", causes=each) for each in (None, causes))
    assert plain.loc[MEMBERS, "rate"].mean() > 0.05
    assert own.loc[MEMBERS, "rate"].mean() == pytest.approx(0.02, abs=0.007)
    others = own.index.difference(MEMBERS)
    assert (own.loc[others, "effective_runs"] == own.loc[others, "runs"]).all()
    assert (own["effective_failures"] <= own["first_failures"]).all()
    lost = own["runs"] - own["effective_runs"]
    assert lost.to_numpy(float) == pytest.approx((own["first_failures"] - own["effective_failures"]).to_numpy(float))
    assert own[["attempts", "failures", "runs", "first_failures"]].equals(
        plain[["attempts", "failures", "runs", "first_failures"]]
    )
    assert posterior_draws(own, n=2, rng=1).shape == (2, 30)


def test_a_severe_cause_does_not_make_flakes_look_hard():
    frame = simulated(np.random.default_rng(4), [[]] * 10, 0.1, 200, 0.0, 2, 0.1, 1.0, range(10))
    causes = fit_common_causes(frame, {"ci": [f"r{k}" for k in range(10)]})
    assert causes["severity_low"].item() > 0.97
    assert fitted(frame)["hard"].iloc[0] > 0.4
    assert fitted(frame, causes=causes)["hard"].iloc[0] < 0.1


def test_groups_are_fitted_apart():
    frame = struck(0)
    again = simulated(np.random.default_rng(8), [[]] * 5, 0.05, 120, 0.0, 1, 0.2, 0.9, range(5))
    again["repo_id"] = "x" + again["repo_id"]
    both = fit_common_causes(pd.concat([frame, again]), {"one": MEMBERS, "two": [f"xr{k}" for k in range(5)]})
    alone = fit_common_causes(frame, {"one": MEMBERS})
    pd.testing.assert_frame_equal(both.loc[["one"]], alone)
    assert both.index.tolist() == ["one", "two"]


def test_columns_and_dtypes():
    floats = ["probability", "low", "high", "severity", "severity_low", "severity_high"]
    expected = dict.fromkeys(floats, "float64") | {"runs": "Int64", "together": "Int64", "repos": "object"}
    for found in (fit_common_causes(struck(0), {"ci": MEMBERS}), fit_common_causes(struck(0), {})):
        assert {name: str(dtype) for name, dtype in found.dtypes.items()} == expected
        assert (found.index.name, found.index.dtype) == ("name", pd.StringDtype("python"))


CALM = pd.DataFrame(
    [(f"{day}", repo, (day, repo) not in {(1, "a"), (2, "b")}) for day in range(9) for repo in "abc"],
    columns=["run_id", "repo_id", "succeeded"],
)


@pytest.mark.parametrize(
    ("frame", "groups", "error", "message"),
    [
        (CALM, {"g": "a"}, ValueError, "group 'g' has 'a', expected two repos or more"),
        (CALM, {"g": []}, ValueError, "group 'g' has no repo, expected two repos or more"),
        (
            CALM,
            {"g": ["a", "z"]},
            ValueError,
            "group 'g' has 'z', which the record never tried; it tried 'a', 'b', 'c'",
        ),
        (
            CALM,
            {"g": ["a", "b"], "h": ["b", "c"]},
            ValueError,
            "'b' is in the groups 'g' and 'h': .*fit one group at a",
        ),
        (CALM, {"g": ["a", "b"]}, ValueError, "cannot tell a common cause of group 'g': in none of 9 runs two of its"),
        (CALM.head(9), {"g": ["a", "b"]}, ValueError, "two of its repos were tried in 3 runs, expected 5 or more"),
        (CALM.assign(succeeded=False), {"g": ["a", "b"]}, ValueError, "dispersion ratio is not known, as no repo both"),
        (CALM.drop(columns="run_id"), {"g": ["a", "b"]}, ValueError, "a common cause needs to know the runs"),
        (CALM, ["a", "b"], TypeError, "groups is .* expected a mapping from the name of a cause to repo ids"),
        (CALM, {"g": [1, 2]}, TypeError, "group 'g' holds 1, expected repo ids as str"),
        (CALM, {1: ["a", "b"]}, TypeError, "groups has the name 1, expected a str"),
    ],
)
def test_what_cannot_be_told_is_refused(frame, groups, error, message):
    with pytest.raises(error, match=message):
        fit_common_causes(frame, groups)


def test_failures_that_do_not_come_together_are_no_cause():
    rng = np.random.default_rng(2)
    lows = []
    for _ in range(20):
        with contextlib.suppress(ValueError):  # the record cannot tell
            frame = simulated(rng, [[]] * 6, 0.2, 40)
            lows.append(fit_common_causes(frame, {"g": [f"r{k}" for k in range(6)]})["low"].item())
    assert len(lows) < 14
    assert max(lows) < 0.05


@pytest.mark.parametrize("prior", [(0.5, 0.5), "empirical"])
def test_kde_frameworks_leave_it_open(prior):
    trains = load_dataset("kf5").trains
    frame = trains.assign(run_id=trains["train"] + " " + trains["distribution"])
    found = fit_common_causes(frame, {"all": set(frame["repo_id"])}, prior=prior).loc["all"]
    assert found[["runs", "together"]].tolist() == [63, 12]
    assert found["low"] < 0.001 < 0.8 * found["high"]
    assert found["severity_low"] < 0.001 < 0.9 * found["severity_high"]


def test_causes_that_are_no_fit_are_named():
    with pytest.raises(TypeError, match="causes is 3, expected the DataFrame that fit_common_causes gives"):
        fit_failure_rates(CALM, causes=3)
    with pytest.raises(ValueError, match="causes lacks severity, expected the DataFrame that fit_common_causes gives"):
        fit_failure_rates(CALM, causes=fit_common_causes(CALM, {}).drop(columns="severity"))
