"""Simulation-based calibration: what is drawn from the prior lies in an interval as often as the interval says."""

import warnings

import numpy as np
import pytest
from scipy import stats

from seqkit import UnsupportedRanking, fit_common_causes, fit_durations, fit_failure_rates
from tests.fitting.simulated import CHAIN_AND_HUB, FLAT, lognormal_repos, simulated, timed

LEVELS = (0.5, 0.9, 0.95)


def fitted(*arguments, **options):
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


def inside(fit, column, truth):
    """Whether the truth lies in the interval of each repo of which something is known."""
    low, high = ("low", "high") if column == "rate" else (f"{column}_low", f"{column}_high")
    known = fit[column].notna()
    true = np.array([truth[int(repo[1:])] for repo in fit.index])
    return ((fit[low] <= true) & (true <= fit[high]))[known].tolist()


def of_rates(rng, level, needs, runs, attempts, prior=(0.5, 0.5)):
    rate, hard = rng.beta(*prior, len(needs)), rng.beta(0.5, 0.5)
    frame = simulated(rng, needs, rate, runs, hard, attempts)
    return inside(fitted(frame, prior=prior, confidence_level=level), "rate", rate)


def of_hard_by_repo(rng, level, needs, runs, attempts):
    broken, flaky = rng.beta(0.5, 0.5, (2, len(needs)))
    rate = broken + (1 - broken) * flaky
    frame = simulated(rng, needs, rate, runs, broken / rate, attempts)
    return inside(fitted(frame, confidence_level=level, hard="repo"), "hard", broken / rate)


def of_hard_pooled(rng, level, needs, runs, attempts, prior=(0.5, 0.5)):
    rate, hard = rng.beta(*prior, len(needs)), rng.beta(0.5, 0.5)
    frame = simulated(rng, needs, rate, runs, hard, attempts)
    return inside(fitted(frame, prior=prior, confidence_level=level), "hard", np.full(len(needs), hard))[:1]


def of_causes(column):
    def one(rng, level, needs, runs, attempts):
        members = range(3, len(needs)) if needs is CHAIN_AND_HUB else range(len(needs))
        rate, (cause, severity) = rng.beta(0.5, 0.5, len(needs)), rng.beta(0.5, 0.5, 2)
        frame = simulated(rng, needs, rate, runs, 0.0, attempts, cause, severity, members)
        try:
            fit = fit_common_causes(frame, {"c": [f"r{k}" for k in members]}, confidence_level=level).loc["c"]
        except ValueError:  # it says that the record cannot tell
            return []
        truth = {"probability": cause, "severity": severity}[column]
        low, high = {"probability": ("low", "high"), "severity": ("severity_low", "severity_high")}[column]
        return [bool(fit[low] <= truth <= fit[high])]

    return one


def of_durations(column):
    def one(rng, level, needs, runs, attempts):
        logs, sigma = lognormal_repos(rng, len(needs))
        frame = timed(rng, simulated(rng, needs, 0.15, runs, 0.5, attempts), logs, sigma)
        fit = fit_durations(frame, confidence_level=level).fit
        fit = fit[fit["attempts"] > 0]
        at = [int(repo[1:]) for repo in fit.index]
        truth = logs[at] + (stats.norm.ppf(0.9) * sigma[at] if column == "p90" else 0)
        low, high = (np.log(fit[f"{column}_{end}"].dt.total_seconds()) for end in ("low", "high"))
        return ((low <= truth) & (truth <= high)).tolist()

    return one


FITS = {
    "rates": of_rates,
    "rates, prior (2, 18)": lambda *given: of_rates(*given, prior=(2, 18)),
    "hard by repo": of_hard_by_repo,
    "hard pooled": of_hard_pooled,
    "hard pooled, prior (2, 18)": lambda *given: of_hard_pooled(*given, prior=(2, 18)),
    "probability of a cause": of_causes("probability"),
    "severity of a cause": of_causes("severity"),
    "median duration": of_durations("median"),
    "90 % point of durations": of_durations("p90"),
}


def covered(fit, level, times, *given, seed=5):
    rng = np.random.default_rng(seed)
    return np.array([each for _ in range(times) for each in FITS[fit](rng, level, *given)])


CASES = [
    (fit, needs, attempts, runs)
    for fit in FITS
    for needs in (FLAT, CHAIN_AND_HUB)
    for attempts in ((3,) if fit.startswith("hard") else (1, 3))
    for runs in (5, 40)
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case[0]}, {len(case[1])} repos, {case[2]} tries, {case[3]} runs"
)
def test_intervals_cover_as_often_as_they_say(case):
    for level in LEVELS:
        found = covered(case[0], level, 100, *case[1:])
        print(f"{level}: {found.mean():.3f} of {len(found)}")
        assert stats.binomtest(int(found.sum()), len(found), level).pvalue > 1e-4


@pytest.mark.parametrize(
    ("fit", "times", "case"),
    [
        ("rates", 6, (CHAIN_AND_HUB, 40, 3)),
        ("hard by repo", 8, (FLAT, 40, 3)),
        ("hard pooled, prior (2, 18)", 20, (FLAT, 5, 3)),
        ("probability of a cause", 40, (FLAT, 5, 1)),
        ("severity of a cause", 40, (FLAT, 5, 1)),
        ("median duration", 15, (CHAIN_AND_HUB, 5, 2)),
        ("90 % point of durations", 15, (CHAIN_AND_HUB, 5, 2)),
    ],
)
def test_intervals_cover_about_as_often_as_they_say(fit, times, case):
    found = covered(fit, 0.9, times, *case)
    assert len(found) >= 15
    assert stats.binomtest(int(found.sum()), len(found), 0.9).pvalue > 1e-3
