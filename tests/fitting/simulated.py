"""Runs drawn from the model in numpy alone, so that fits are not held against the code they belong to."""

import numpy as np
import pandas as pd

FLAT = [[] for _ in range(6)]
CHAIN_AND_HUB = [[], [0], [1], [0], [0], [0], [0], [0]]


def simulated(rng, needs, rate, runs, hard=0.0, attempts=1, cause=0.0, severity=1.0, members=()):
    """Items of runs under the skip rule: repo v needs ``needs[v]``, all of them before it."""
    n = len(needs)
    rate, hard = np.broadcast_to(rate, n), np.broadcast_to(hard, n)
    broken = rng.random((runs, n)) < hard * rate
    flaky = rate * (1 - hard) / np.maximum(1 - hard * rate, 1e-300)
    hit = rng.random((attempts, runs, n)) < severity
    struck = np.zeros((runs, n), dtype=bool)
    struck[:, list(members)] = (rng.random(runs) < cause)[:, None]
    bad = broken | (rng.random((attempts, runs, n)) < flaky) | (struck & hit)
    failed, released = bad.all(axis=0), np.zeros((runs, n), dtype=bool)
    tried = np.zeros((runs, n), dtype=bool)
    for repo in range(n):
        tried[:, repo] = released[:, needs[repo]].all(axis=1)
        released[:, repo] = tried[:, repo] & ~failed[:, repo]
    tries = np.where(failed, attempts, np.argmin(bad, axis=0) + 1)
    run, repo = np.nonzero(np.ones_like(tried))
    status = np.where(~tried, "skipped", np.where(failed, "failed", "succeeded"))
    return pd.DataFrame(
        {
            "run_id": [f"{each:04}" for each in run],
            "repo_id": [f"r{each}" for each in repo],
            "status": status[run, repo].astype(object),
            "attempts": (tries * tried)[run, repo],
        }
    )


def lognormal_repos(rng, n):
    """Medians' logarithms and sigmas of repos, from what `fit_durations` assumes before it has seen anything."""
    while True:
        between, scale = abs(rng.standard_cauchy()), 0.3 * np.exp(rng.normal())
        freedom = np.exp(rng.uniform(0, np.log(64)))
        sigma = scale * np.sqrt(freedom / rng.chisquare(freedom, n))
        if between < 5 and sigma.max() < 2.5:  # within what a model of durations takes
            return 6 + between * rng.normal(size=n), sigma


def timed(rng, items, logs, sigma):
    """Attempts of items, a row each, with times that are lognormal; those that fail take half as long."""
    rows = items.loc[items.index.repeat(items["attempts"])].reset_index(drop=True)
    attempt = rows.groupby(["run_id", "repo_id"]).cumcount().to_numpy() + 1
    good = (rows["status"] == "succeeded").to_numpy() & (attempt == rows["attempts"])
    repo = rows["repo_id"].str[1:].astype(int).to_numpy()
    seconds = np.exp(logs[repo] + sigma[repo] * rng.normal(size=len(rows))) * np.where(good, 1.0, 0.5)
    start = pd.Timestamp("2026-03-02", tz="UTC")
    return pd.DataFrame(
        {
            "run_id": rows["run_id"],
            "repo_id": rows["repo_id"],
            "attempt": attempt,
            "status": np.where(good, "succeeded", "failed").astype(object),
            "started_at": start,
            "finished_at": start + pd.to_timedelta((1e6 * seconds).round().astype("int64"), unit="us"),
        }
    )
