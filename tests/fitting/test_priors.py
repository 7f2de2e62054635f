import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import minimize

from seqkit import FailureModel, UnsupportedRanking, fit_failure_rates, load_dataset, posterior_draws, ranking_note
from seqkit.fitting.priors import empirical_prior


def fitted(*arguments, **options):
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


def test_kde_frameworks_are_foretold():
    """Before each of the last 48 trains what the earlier ones say; a repo that is new has the mean of the prior."""
    trains = load_dataset("kf5").trains
    run = trains["train"].astype(str) + " " + trains["distribution"].astype(str)
    tried = trains[trains["status"] != "missing"].assign(at=pd.factorize(run)[0][trains["status"] != "missing"])
    promised, loss = Counter(), Counter()
    came = 0
    for at in range(15, 63):
        before, now = tried[tried["at"] < at], tried[tried["at"] == at]
        failed = (now["status"] == "failed").to_numpy()
        came += int(failed.sum())
        counts = before.groupby("repo_id")["status"].agg([lambda each: float((each == "failed").sum()), "size"])
        failures, runs = counts.to_numpy(dtype=float).T
        pooled = (failures.sum() / runs.sum() * 1e12, (1 - failures.sum() / runs.sum()) * 1e12)
        for name, (a, b) in {
            "jeffreys": (0.5, 0.5),
            "empirical": empirical_prior(failures, runs),
            "pooled": pooled,
        }.items():
            rates = pd.Series((failures + a) / (runs + a + b), counts.index)
            p = now["repo_id"].map(rates).fillna(a / (a + b)).to_numpy(dtype=float)
            promised[name] += p.sum()
            loss[name] -= np.log(np.where(failed, p, 1 - p)).sum()
    assert came == 40
    assert promised == pytest.approx({"jeffreys": 99.7, "empirical": 36.3, "pooled": 36.1}, abs=0.06)
    # Nats in 3,548 attempts. Repos of one origin: one rate for all foretells a little better yet.
    assert loss == pytest.approx({"jeffreys": 250.0, "empirical": 222.2, "pooled": 221.1}, abs=0.06)


def test_a_fit_by_the_empirical_prior():
    trains = load_dataset("kf5").trains
    fit = fitted(trains, prior="empirical")
    a, b = fit.attrs["prior"]
    assert (a, b) == pytest.approx((1.374, 124.8), rel=1e-3)
    assert fit["rate"].to_numpy() == pytest.approx(
        ((fit["first_failures"] + a) / (fit["runs"] + a + b)).to_numpy(float)
    )
    assert float(fit["rate"] @ fit["runs"].astype(float)) == pytest.approx(49, rel=0.02)  # it promises what there was
    assert fit["rate"].max() < 0.04  # where Jeffreys' prior says 0.073
    assert posterior_draws(fit, n=1, rng=0).shape == (1, 75)
    assert "49 failures in 4,507 attempts" in ranking_note(fit)
    assert FailureModel.from_fit(fit).default == 49 / 4507


@pytest.mark.parametrize("seed", range(4))
def test_the_empirical_prior_is_the_most_likely(seed):
    rng = np.random.default_rng(seed)
    runs = rng.integers(5, 60, 40).astype(float)
    failures = rng.binomial(runs.astype(int), rng.beta(2, 10, 40)).astype(float)

    def surprise(logs):
        return -stats.betabinom.logpmf(failures, runs, *np.exp(logs)).sum()

    best = minimize(surprise, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    assert np.exp(best.x).sum() < runs.sum()
    assert empirical_prior(failures, runs) == pytest.approx(np.exp(best.x), rel=1e-3)


def test_its_weight_is_bounded():
    alike = np.full(50, 1.0), np.full(50, 20.0)
    a, b = empirical_prior(*alike)
    assert a + b == pytest.approx(1000)  # as much as all that it was learnt from, no more
    a, b = empirical_prior(np.array([0.0, 9.0]), np.array([9.0, 9.0]))
    assert a + b == pytest.approx(1)
    a, b = empirical_prior(np.zeros(3), np.full(3, 10.0))
    assert 0 < a / (a + b) < 0.05
    assert empirical_prior(np.zeros(0), np.zeros(0)) == (0.5, 0.5)


def test_an_unknown_word_is_named():
    with pytest.raises(TypeError, match=r"prior is 'flat', expected two positive numbers such as .*, or 'empirical'"):
        fit_failure_rates(pd.DataFrame({"repo_id": ["a"], "succeeded": [True]}), prior="flat")
