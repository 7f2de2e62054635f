import warnings
from dataclasses import replace
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy import special
from scipy.optimize import brentq

from seqkit import (
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    UnsupportedRanking,
    build_plan,
    fit_failure_rates,
    posterior_models,
    run_plan,
)
from tests.fitting.simulated import simulated

HARD = ["hard", "hard_low", "hard_high"]


def fitted(*arguments, **options):
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


def items(first, mended=None, stuck=None, repo="a"):
    """Releases by the first try; by a later one, after so many failures; and failures for good after so many tries."""
    rows = [("succeeded", 1)] * first
    rows += [("succeeded", x + 1) for x, times in (mended or {}).items() for _ in range(times)]
    rows += [("failed", k) for k, times in (stuck or {}).items() for _ in range(times)]
    return pd.DataFrame(rows, columns=["status", "attempts"]).assign(repo_id=repo)


def mixture(first, mended, stuck, level):
    """The posterior of h as a finite mixture, over how many of the items that failed for good were broken."""
    parts = {(0, 0): 1.0}
    for k, times in stuck.items():
        more = {}
        for (broken, tries), weight in parts.items():
            for m in range(times + 1):
                key = broken + m, tries + k * (times - m)
                more[key] = more.get(key, 0.0) + weight * comb(times, m)
        parts = more
    released = first + sum(mended.values())
    n, lost = released + sum(stuck.values()), sum(x * times for x, times in mended.items())
    a, b, c, d = np.array([(m + 0.5, n - m + 0.5, lost + tries + 0.5, released + 0.5) for m, tries in parts]).T
    weights = np.log(list(parts.values())) + special.betaln(a, b) + special.betaln(c, d)
    weights = np.exp(weights - special.logsumexp(weights))
    nodes, shares = np.polynomial.legendre.leggauss(300)
    flaky = special.betaincinv(c[:, None], d[:, None], (nodes + 1) / 2)

    def below(h):  # h p <= b where b / (1 - b) <= h f / (1 - h)
        return float(weights @ special.betainc(a[:, None], b[:, None], h * flaky / (1 - h + h * flaky)) @ shares / 2)

    ends = [brentq(lambda h, at: below(h) - at, 1e-12, 1 - 1e-12, ((1 + side * level) / 2,)) for side in (-1, 1)]
    points, weights_of = np.polynomial.legendre.leggauss(60)
    angles = np.pi / 4 * (points + 1)  # h = sin² of it
    mean = (
        np.pi
        / 4
        * sum(w * (1 - below(np.sin(t) ** 2)) * np.sin(2 * t) for w, t in zip(weights_of, angles, strict=True))
    )
    return mean, *ends


RECORDS = [
    (95, {}, {3: 5}),
    (10, {1: 2, 2: 1}, {2: 2, 4: 1}),
    (3, {1: 2}, {}),
    (0, {1: 1}, {2: 1}),
    (40, {1: 30, 2: 8}, {1: 4, 3: 5}),
]


@pytest.mark.parametrize("record", RECORDS)
def test_the_share_of_one_repo_is_that_of_the_finite_mixture(record):
    expected = mixture(*record, 0.9)
    for hard in ("repo", "pooled"):
        found = fitted(items(*record), hard=hard, confidence_level=0.9).loc["a", HARD].tolist()
        assert found == pytest.approx(expected, abs=3e-6)


def test_broken_builds_that_were_tried_three_times_are_one_failure_each():
    fit = fitted(items(95, {}, {3: 5})).loc["a"]
    assert fit[["attempts", "failures", "runs", "first_failures"]].tolist() == [110, 15, 100, 5]
    assert fit["rate"] == pytest.approx(5.5 / 101)
    assert fit["low"] < 0.05 < fit["high"] < 0.14
    assert fit["hard"] > 0.9
    assert fit["hard_low"] > 0.6
    failing = FailureModel.from_fit(fitted(items(95, {}, {3: 5}))).failing("a")
    assert failing.at_all(3) == pytest.approx(0.05, abs=0.003)  # as independent tries 0.14 ** 3 = 0.0027


def test_flakes_leave_a_share_near_nothing():
    fit = fitted(items(95, {1: 40, 2: 5}, {}))
    assert fit["hard_high"].item() < 0.1
    assert fit["rate"].item() == pytest.approx(45.5 / 141)


def test_repos_that_differ_in_flakiness_do_not_look_hard():
    rng = np.random.default_rng(3)
    frame = simulated(rng, [[]] * 10, [0.6, 0.6, *[0.03] * 8], 200, 0.0, 2)
    fit = fitted(frame)
    assert (fit["hard"] == fit["hard"].iloc[0]).all()
    assert fit["hard_low"].max() < 0.02
    assert fit["hard"].max() < 0.15
    together = frame.assign(repo_id="all", run_id=frame["run_id"] + frame["repo_id"])
    assert fitted(together)["hard_low"].item() > 0.3  # the mistake this guards against


def test_repos_may_have_shares_of_their_own():
    frame = pd.concat([items(80, {}, {2: 12}, "broken"), items(80, {1: 12}, {}, "flaky"), items(9, {}, {1: 1}, "once")])
    fit = fitted(frame, hard="repo")
    assert fit.loc["broken", "hard"] > 0.9
    assert fit.loc["flaky", "hard"] < 0.1
    assert fit.loc["once", HARD].isna().all()
    model = FailureModel.from_fit(fit)
    assert dict(model.hard) == fit["hard"].dropna().to_dict()
    assert model.share_hard("once") == 0.0
    pooled = fitted(frame)
    assert fit.loc["flaky", "hard"] < pooled.loc["once", "hard"] < fit.loc["broken", "hard"]
    assert (
        FailureModel.from_fit(pooled).hard == FailureModel.from_fit(pooled).share_hard("new") == pooled["hard"].iloc[0]
    )
    assert {each.hard for each in posterior_models(pooled, n=3, rng=1)} == {pooled["hard"].iloc[0]}


def test_failures_that_were_not_retried_say_nothing_of_the_share():
    retried = [items(30, {1: 3}, {2: 4}, "a"), items(50, {1: 2}, {3: 1}, "b")]
    one, two = fitted(pd.concat(retried)), fitted(pd.concat([*retried, items(5, {}, {1: 9}, "c")]))
    assert one.loc["a", HARD].tolist() == two.loc["c", HARD].tolist()


def test_where_nothing_was_retried_it_says_so():
    fit = fitted(items(9, {}, {1: 1}))
    assert fit[HARD].isna().all(axis=None)
    assert "look at both ends, hard=0 and hard=1" in fit.attrs["note"]
    model = FailureModel.from_fit(fit)
    assert model.hard == 0.0
    assert [replace(model, hard=end).failing("a").at_all(2) for end in (0.0, 1.0)] == pytest.approx(
        [(1.5 / 11) ** 2, 1.5 / 11]
    )
    assert "note" not in fitted(items(9, {}, {2: 1})).attrs


def test_an_open_attempt_leaves_what_was_seen_before_it():
    closed = items(20, {1: 2}, {2: 3})
    opened = pd.DataFrame({"status": ["in_progress"] * 4, "attempts": [1, 3, 3, 2], "repo_id": "a"})
    fit = fitted(pd.concat([closed, opened]))
    assert fit.loc["a", HARD].tolist() == fitted(items(20, {1: 2}, {2: 5, 1: 1})).loc["a", HARD].tolist()
    assert fit.loc["a", ["runs", "first_failures"]].tolist() == [28, 8]


def test_rows_of_attempts_are_put_together_by_run():
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    ledger = MemoryRunLedger()
    for trial in range(40):
        run_plan(plan, FailureModel(default=0.3, hard=0.5), ledger, rng=2, trial=trial, attempts=3)
    from_items = fitted(ledger)
    tried = [
        (run.run_id, event.payload["node_id"], event.kind == "NodeExited")
        for run in ledger.list_runs()
        for event in ledger.get_events(run.run_id)
        if event.kind in ("NodeExited", "NodeFailed", "NodeRetrying")
    ]
    rows = pd.DataFrame(tried, columns=["run_id", "repo_id", "succeeded"])
    rows["attempt"] = rows.groupby(["run_id", "repo_id"]).cumcount() + 1
    pd.testing.assert_frame_equal(fitted(rows), from_items)
    pd.testing.assert_frame_equal(fitted(rows.sample(frac=1, random_state=1)), from_items)
    alone = fitted(rows.drop(columns="run_id"))
    assert (alone["runs"] == alone["attempts"]).all()
    words = rows.assign(status=np.where(rows["succeeded"], "succeeded", "failed"), train=rows["run_id"])
    pd.testing.assert_frame_equal(fitted(words.drop(columns="succeeded")), from_items)


def test_what_comes_after_a_release_counts_among_all_tries_alone():
    rows = [("r", "a", False), ("r", "a", True), ("r", "a", False), ("s", "a", True), ("s", "a", False)]
    fit = fitted(pd.DataFrame(rows, columns=["run_id", "repo_id", "succeeded"])).loc["a"]
    assert fit[["attempts", "failures", "runs", "first_failures"]].tolist() == [5, 3, 2, 1]


def test_a_word_that_is_none_is_named():
    with pytest.raises(ValueError, match="hard is 'all', expected 'pooled' or 'repo'"):
        fit_failure_rates(items(3), hard="all")
