import itertools
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqkit import (
    FailureModel,
    MemoryRunLedger,
    ReadError,
    RepoDependencyGraph,
    SqlRunLedger,
    build_plan,
    items_frame,
    load_dataset,
    run_plan,
)
from seqkit.core import draws
from seqkit.fitting.hard import NOTHING_RETRIED
from seqkit.fitting.posterior import posterior_draws, posterior_models
from seqkit.fitting.rates import UnsupportedRanking, fit_failure_rates, ranking_note
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES, trains

STRING = pd.StringDtype("python")


def fitted(*arguments, **options):
    """A fit whose ranking is of no interest."""
    with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
        return fit_failure_rates(*arguments, **options)


def counted(counts):
    """One row an attempt, from {repo: (attempts, failures)}."""
    rows = [(repo, attempt >= failures) for repo, (n, failures) in counts.items() for attempt in range(n)]
    return pd.DataFrame(rows, columns=["repo_id", "succeeded"])


def pairs(fit):
    return {repo: (int(n), int(f)) for repo, n, f in zip(fit.index, fit["attempts"], fit["failures"], strict=True)}


class Flaky:
    """Fails the first attempts at a repo, as many as told; then releases it, or does what it is told."""

    def __init__(self, failing, then=None):
        self.failing, self.then, self.tries = failing, then or {}, Counter()

    async def release(self, repo_id, version_label, spec_digest, promoted_by):
        self.tries[repo_id] += 1
        if self.tries[repo_id] <= self.failing.get(repo_id, 0):
            raise RuntimeError("flaky")
        if repo_id in self.then:
            raise self.then[repo_id]
        return f"run-{repo_id}"


# ---------------------------------------------------------------------- counts


@settings(max_examples=15)
@given(trains())
def test_every_try_counts_and_what_was_skipped_does_not(train):
    reading = train.reading()
    tries = {repo: n for repo, n in reading.tries.items() if n}
    expected = {repo: (n, n - (repo in reading.succeeded)) for repo, n in sorted(tries.items())}
    outcome = run_plan(
        train.plan, Flaky(train.failing), policy=train.policy, failure_budget=train.budget, attempts=train.attempts
    )
    for source in (outcome.ledger, items_frame(outcome.ledger), outcome.to_frame()):
        fit = fitted(source)
        assert pairs(fit) == expected
        assert list(fit.index) == sorted(expected)


def test_runs_add_up_and_a_path_is_a_ledger(tmp_path):
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    ledger = SqlRunLedger(tmp_path / "runs.db")
    for failing in ({"a": 1}, {"a": 3}, {"b": 2}, {}):
        run_plan(plan, Flaky(failing), ledger, attempts=3)
    ledger.close()
    # b: not tried, when a failed for good
    assert pairs(fitted(tmp_path / "runs.db")) == {"a": (7, 4), "b": (5, 2)}


def test_an_attempt_that_nobody_saw_end_is_left_out():
    stop = KeyboardInterrupt()
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1")
    ledger = MemoryRunLedger()
    for failing in ({}, {"b": 2}):
        with pytest.raises(type(stop)):
            run_plan(plan, Flaky(failing, {"b": stop}), ledger, attempts=3)
    assert items_frame(ledger)["attempts"].tolist() == [1, 1, 0, 1, 3, 0]
    assert pairs(fitted(ledger)) == {"a": (2, 0), "b": (2, 2)}


def test_an_end_without_a_beginning_is_an_attempt():
    frame = pd.DataFrame({"repo_id": ["a", "b"], "status": ["succeeded", "failed"], "attempts": [0, None]})
    assert pairs(fitted(frame)) == {"a": (1, 0), "b": (1, 1)}


@pytest.mark.parametrize(
    "column",
    [
        [True, False, None, False],
        pd.array([True, False, None, False], dtype="boolean"),
        np.array([True, False, np.nan, False], dtype=object),
        [np.True_, np.False_, pd.NA, np.False_],
        pd.Categorical([True, False, None, False]),
    ],
    ids=["list", "boolean", "nan", "numpy", "categorical"],
)
@pytest.mark.parametrize("dtype", [object, STRING, "string", "category"])
def test_missing_means_not_tried(column, dtype):
    frame = pd.DataFrame({"repo_id": pd.Series(list("abca"), dtype=dtype), "succeeded": column})
    fit = fitted(frame)
    assert pairs(fit) == {"a": (2, 1), "b": (1, 1)}
    assert (fit.index.name, fit.index.dtype) == ("repo_id", STRING)


def test_statuses_go_before_a_column_that_takes_skipped_for_failed():
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    frame = items_frame(run_plan(plan, Flaky({"a": 1})).ledger)
    frame["succeeded"] = frame["status"] == "succeeded"
    assert pairs(fitted(frame)) == {"a": (1, 1)}


def test_dtypes_with_and_without_rows():
    for source in (MemoryRunLedger(), counted({}), counted({"b": (2, 1), "a": (1, 0)}), counted({"a": (0, 0)})):
        fit = fitted(source)
        assert {name: str(dtype) for name, dtype in fit.dtypes.items()} == {
            "attempts": "Int64",
            "failures": "Int64",
            "runs": "Int64",
            "first_failures": "Int64",
            "rate": "float64",
            "low": "float64",
            "high": "float64",
            "hard": "float64",
            "hard_low": "float64",
            "hard_high": "float64",
        }
        assert (fit.index.name, fit.index.dtype) == ("repo_id", STRING)
        assert posterior_draws(fit, n=2, rng=0).shape == (2, len(fit))


def test_hostile_names():
    counts = {name: (k + 2, k % 2) for k, name in enumerate([*HOSTILE_NAMES, "é", "e\u0301", "\0", "None", "nan"])}
    fit = fitted(counted(counts))
    assert pairs(fit) == dict(sorted(counts.items()))
    assert len(ranking_note(fit)) < 700
    assert dict(FailureModel.from_fit(fit).rates) == fit["rate"].to_dict()
    assert posterior_models(fit, n=1, rng=0)[0].rates.keys() == counts.keys()


# ---------------------------------------------------------------------- rates and intervals


@pytest.mark.parametrize("prior", [(0.5, 0.5), (1, 1), (2.5, 40)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_known_answers(prior, level):
    counts = {"a": (1, 0), "b": (1, 1), "c": (60, 3), "d": (1000, 999), "e": (7, 0)}
    fit = fitted(counted(counts), prior=prior, confidence_level=level)
    for repo, (n, failures) in counts.items():
        posterior = stats.beta(failures + prior[0], n - failures + prior[1])
        assert fit.loc[repo, "rate"] == pytest.approx(posterior.mean(), rel=1e-12)
        assert fit.loc[repo, ["low", "high"]].tolist() == pytest.approx(posterior.interval(level), rel=1e-7)


def test_intervals_with_a_closed_form():
    # With a flat prior, n failures in n attempts leave Beta(n + 1, 1), whose quantile at u is u ** (1 / (n + 1)).
    fit = fitted(counted({"all": (9, 9), "none": (9, 0)}), prior=(1, 1), confidence_level=0.9)
    low, high = 0.05**0.1, 0.95**0.1
    assert fit.loc["all", ["rate", "low", "high"]].tolist() == pytest.approx([10 / 11, low, high], rel=1e-9)
    assert fit.loc["none", ["rate", "low", "high"]].tolist() == pytest.approx([1 / 11, 1 - high, 1 - low], rel=1e-9)


@pytest.mark.parametrize(("prior", "level"), [((0.5, 0.5), 0.95), ((1, 9), 0.8)])
def test_intervals_cover_as_often_as_they_say(prior, level):
    rng = np.random.default_rng(4)
    n = rng.integers(1, 60, 1500)
    true = rng.beta(*prior, 1500)
    fit = fitted(
        counted({f"r{k:04}": (n[k], failures) for k, failures in enumerate(rng.binomial(n, true))}),
        prior=prior,
        confidence_level=level,
    )
    inside = int(((fit["low"] <= true) & (true <= fit["high"])).sum())
    assert stats.binomtest(inside, 1500, level).pvalue > 1e-3


@pytest.mark.parametrize("days", [150, pytest.param(400, marks=pytest.mark.slow)])
def test_rates_are_per_attempt_because_deep_repos_are_seldom_tried(days):
    rate = 0.16
    chain = [f"r{k:02}" for k in range(16)]
    plan = build_plan(RepoDependencyGraph.from_edges(itertools.pairwise(chain)), version="1")
    ledger = MemoryRunLedger()
    for day in range(days):
        run_plan(plan, rate, ledger, rng=11, trial=day)
    fit = fitted(ledger)
    attempts, failures = int(fit["attempts"].sum()), int(fit["failures"].sum())
    assert stats.binomtest(failures, attempts, rate).pvalue > 1e-3
    assert ((fit["low"] <= rate) & (rate <= fit["high"])).sum() >= 13
    deep = fit.loc[chain[8:]]
    assert stats.binomtest(int(deep["failures"].sum()), int(deep["attempts"].sum()), rate).pvalue > 1e-3
    per_plan = deep["failures"].sum() / (days * len(deep))
    assert per_plan < rate / 3  # the mistake this guards against
    assert (fit["high"] - fit["low"]).loc["r15"] > 2 * (fit["high"] - fit["low"]).loc["r00"]


# ---------------------------------------------------------------------- rankings


def test_a_ranking_that_the_data_support_is_given_in_silence():
    fit = fit_failure_rates(counted({"a": (50, 20), "b": (50, 2), "c": (50, 3)}))
    assert ranking_note(fit) == ""
    assert ranking_note(fit_failure_rates(counted({"a": (3, 1)}))) == ""


def test_a_repo_that_never_failed_leads_no_ranking():
    fit = fitted(counted({"new": (1, 0), "b": (40, 3), "c": (40, 2)}))
    assert fit["rate"].idxmax() == "new"
    assert "credible interval 0.00039 to 0.85), comes of the prior: it has not failed yet; its" in ranking_note(fit)


@pytest.mark.parametrize(
    "counts", [{"a": (9, 1), "b": (9, 1)}, {"a": (1, 0), "b": (4, 0)}, {"a": (7, 1), "b": (40, 0), "c": (6, 1)}]
)
def test_one_that_they_do_not_is_warned_of(counts):
    with pytest.warns(UnsupportedRanking, match="do not support a ranking") as caught:
        fit = fit_failure_rates(counted(counts))
    assert [str(warning.message) for warning in caught] == [ranking_note(fit)]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("size", [2, 3, 20])
@pytest.mark.parametrize("each", [(1, 1), (5, 1), (300, 7)])
def test_equal_repos_share_the_probability(size, each):
    note = ranking_note(fitted(counted({f"r{k}": each for k in range(size)})))
    assert f"the highest with a probability of only {1 / size:.2g};" in note


def test_the_probability_of_the_highest_is_that_of_draws():
    counts = {"a": (30, 4), "b": (30, 4), "c": (60, 7), "d": (3, 0), "e": (500, 60)}
    fit = fitted(counted(counts))
    drawn = posterior_draws(fit, n=4000, rng=2)
    top = fit["rate"].idxmax()
    hits = int((drawn.idxmax(axis=1) == top).sum())
    told = float(ranking_note(fit).split("a probability of only ")[1].split(";")[0])
    assert abs(hits / 4000 - told) < 0.005 + 4 * np.sqrt(told * (1 - told) / 4000)


def test_kde_frameworks_cannot_be_ranked():
    data = load_dataset("kf5")
    with pytest.warns(UnsupportedRanking) as caught:
        fit = fit_failure_rates(data.trains)
    message = str(caught[0].message)
    assert message.startswith("the data do not support a ranking of the 75 repos (49 failures in 4,507 attempts)")
    assert "0.073 of 'kdelibs4support' (95 % credible interval 0.023 to 0.15)" in message
    assert "overlaps those of all 74 others. Use the rate of all, 0.011, or gather more runs" in message
    assert len(fit) == 75
    assert FailureModel.from_fit(fit).default == 49 / 4507
    with pytest.warns(UnsupportedRanking, match="75 repos \\(6 failures in 225 attempts\\)"):
        fit_failure_rates(data.ledger)


def test_trains_tell_by_their_status_who_was_tried():
    words = ["succeeded", "failed", "missing", "skipped", "blocked", "pending", None]
    told = pd.DataFrame({"train": "5.1", "repo_id": "a", "status": [*words, "succeeded"]})
    for frame in (told, told.astype({"status": "category"}), told.assign(attempts=1).drop(columns="attempts")):
        assert fitted(frame)[["attempts", "failures"]].to_numpy().tolist() == [[3, 1]]
    with pytest.raises(ValueError, match="the column status of ledger_or_frame has 'success', expected one of"):
        fit_failure_rates(pd.DataFrame({"train": ["5.1"], "repo_id": ["a"], "status": ["success"]}))


# ---------------------------------------------------------------------- draws of the rates


def test_draws_follow_the_posterior():
    counts = {"a": (40, 10), "b": (3, 0), "c": (2000, 1)}
    for prior in [(0.5, 0.5), (2, 7)]:
        drawn = posterior_draws(fitted(counted(counts), prior=prior), n=4000, rng=3)
        assert drawn.index.equals(pd.RangeIndex(4000))
        for repo, (n, failures) in counts.items():
            posterior = stats.beta(failures + prior[0], n - failures + prior[1])
            assert stats.kstest(drawn[repo], posterior.cdf).pvalue > 1e-3
        correlations = np.corrcoef(drawn.rank().to_numpy().T)[np.triu_indices(3, 1)]
        assert np.abs(correlations).max() < 4.5 / np.sqrt(4000)


def test_draws_depend_on_seed_name_and_counts_alone():
    fit = fitted(counted({"a": (40, 10), "b": (3, 0), "c": (9, 1)}))
    drawn = posterior_draws(fit, n=20, rng=5)
    alone = posterior_draws(fitted(counted({"b": (3, 0)})), n=8, rng=5)
    np.testing.assert_array_equal(alone["b"], drawn["b"].head(8))
    pd.testing.assert_frame_equal(posterior_draws(fit, n=20, rng=np.int64(5)), drawn)
    assert not posterior_draws(fit, n=20, rng=6).equals(drawn)
    fresh = posterior_draws(fit, n=20)
    pd.testing.assert_frame_equal(posterior_draws(fit, n=20, rng=fresh.attrs["seed"]), fresh)
    level = (draws.word(5, "repo", "b", 0, 1, 3) / 2**64,)
    assert drawn.loc[3, "b"] == pytest.approx(stats.beta(0.5, 3.5).ppf(level)[0], rel=1e-6)


def test_a_model_for_each_draw():
    fit = fitted(counted({"a": (40, 10), "b": (10, 0)}))
    drawn = posterior_draws(fit, n=5, rng=1)
    models = posterior_models(fit, n=5, rng=1)
    assert [dict(model.rates) for model in models] == drawn.to_dict("records")
    assert {model.default for model in models} == {0.2}
    assert posterior_models(fit, n=1, rng=1, default=0.5)[0].rate("z") == 0.5
    assert posterior_models(fit, n=0, rng=1) == []


def test_the_prior_stays_with_the_fit():
    fit = fitted(counted({"a": (10, 1), "b": (20, 3)}), prior=(1, 9))
    assert fit.attrs == {"prior": (1.0, 9.0), "confidence_level": 0.95, "note": NOTHING_RETRIED}
    drawn = posterior_draws(fit, n=3, rng=0)
    lost = fit.copy()
    lost.attrs = {}
    pd.testing.assert_frame_equal(posterior_draws(lost, n=3, rng=0, prior=(1, 9)), drawn)
    for wrong, prior in ((lost, None), (fit, (0.5, 0.5)), (fit.assign(rate=0.5), None)):
        with pytest.raises(ValueError, match=r"prior is .*, but the column rate of fit does not come of it"):
            posterior_draws(wrong, n=3, rng=0, prior=prior)


# ---------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (
            {"repo": ["a"]},
            ValueError,
            "lacks repo_id, succeeded: its columns are repo, expected repo_id, succeeded, or",
        ),
        ({"repo_id": ["a"], "status": ["failed"]}, ValueError, "lacks succeeded: .*or status and attempts"),
        ({"repo_id": [1], "succeeded": [True]}, TypeError, "column repo_id .* has 1, expected ids as str"),
        ({"repo_id": [None], "succeeded": [True]}, TypeError, "column repo_id .* has None, .* none missing"),
        ({"repo_id": ["a"], "succeeded": [1]}, TypeError, "column succeeded .* has 1, expected True, False or"),
        ({"repo_id": ["a"], "succeeded": ["succeeded"]}, TypeError, "column succeeded .* has 'succeeded', expected"),
        ({"repo_id": ["a"], "succeeded": [[None]]}, TypeError, "column succeeded .* has \\[None\\], expected"),
        ({"repo_id": ["a"], "status": ["ok"], "attempts": [1]}, ValueError, "column status .* has 'ok', expected one"),
        ({"repo_id": ["a"], "status": [None], "attempts": [1]}, ValueError, "column status .* has None, expected one"),
        ({"repo_id": ["a"], "status": ["failed"], "attempts": [-1]}, ValueError, "column attempts .* has -1, expected"),
        ({"repo_id": ["a"], "status": ["failed"], "attempts": [1.5]}, ValueError, "column attempts .* whole numbers"),
        ({"repo_id": ["a"], "status": ["failed"], "attempts": ["x"]}, ValueError, "column attempts .* whole numbers"),
    ],
)
def test_wrong_frames_are_named(frame, error, message):
    with pytest.raises(error, match=message):
        fit_failure_rates(pd.DataFrame(frame))


def test_other_wrong_sources_are_named(tmp_path):
    indexed = counted({"a": (1, 0)}).set_index("repo_id")
    with pytest.raises(ValueError, match=r"repo_id is in the index, so call reset_index\(\) first"):
        fit_failure_rates(indexed)
    twice = pd.DataFrame([["a", "b", True]], columns=["repo_id", "repo_id", "succeeded"])
    with pytest.raises(ValueError, match="columns repo_id, repo_id, succeeded, expected each once"):
        fit_failure_rates(twice)
    with pytest.raises(TypeError, match="ledger_or_frame is None, expected a ledger, its path or URL, or a DataFrame"):
        fit_failure_rates(None)
    with pytest.raises(ReadError, match="no such ledger file"):
        fit_failure_rates(tmp_path / "none.db")


@pytest.mark.parametrize("prior", [(0, 1), (1, -1), (float("nan"), 1), (float("inf"), 1)])
def test_priors_out_of_range_are_named(prior):
    with pytest.raises(ValueError, match=r"prior is .*, expected two positive, finite numbers"):
        fit_failure_rates(counted({}), prior=prior)


@pytest.mark.parametrize("prior", [0.5, (1, 2, 3), (1,), ("x", 1), None])
def test_priors_that_are_no_pair_are_named(prior):
    with pytest.raises(TypeError, match=r"prior is .*, expected two positive numbers"):
        fit_failure_rates(counted({}), prior=prior)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, float("nan"), "0.9", True, None])
def test_confidence_levels_out_of_range_are_named(level):
    with pytest.raises((TypeError, ValueError), match=r"confidence_level is .*, expected a number between 0 and 1"):
        fit_failure_rates(counted({}), confidence_level=level)


def test_wrong_arguments_of_draws_are_named():
    fit = fitted(counted({"a": (2, 1)}))
    for n in (-1, 1 << 33):
        with pytest.raises(ValueError, match=f"n is {n}, expected a whole number from 0"):
            posterior_draws(fit, n=n)
    for n in (1.5, True, "3"):
        with pytest.raises(TypeError, match=r"n is .*, expected a whole number from 0"):
            posterior_draws(fit, n=n)
    with pytest.raises(ValueError, match="fit lacks the columns low, expected what fit_failure_rates gives"):
        posterior_draws(fit.drop(columns="low"))
    with pytest.raises(TypeError, match=r"frame is 0.5, expected the DataFrame"):
        posterior_draws(0.5)
    with pytest.raises(ValueError, match=r"no attempts .* give default="):
        posterior_models(fitted(MemoryRunLedger()))


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=3), st.tuples(st.integers(1, 40), st.integers(0, 40)), max_size=5))
def test_intervals_hold_their_rates_in_order(counts):
    fit = fitted(counted({repo: (n, min(n, failures)) for repo, (n, failures) in counts.items()}))
    assert ((fit["low"] > 0) & (fit["low"] < fit["rate"]) & (fit["rate"] < fit["high"]) & (fit["high"] < 1)).all()
    assert list(fit.index) == sorted(counts)


def test_a_doubt_is_a_failure_and_what_came_late_is_released():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c", "d"]), version="1")
    steps = ["enter a", "retry a", "hang a", "late a", "enter b", "doubt b", "enter c", "hang c", "stopped c"]
    ledger = written(may=Run(plan, [*steps, "enter d"], "CANCELLED", rules={"attempts": 2}))
    fit = fitted(ledger)
    assert fit[["attempts", "failures", "first_failures"]].to_numpy().tolist() == [[2, 1, 1], [1, 1, 1], [1, 1, 1]]
    assert fit.equals(fitted(items_frame(ledger)))
    assert fit["hard"].notna().all()  # a retry mended it, too late for the run
    without = fitted(items_frame(ledger).drop(columns="released_as"))
    assert without["failures"].to_dict() == {"a": 2, "b": 1, "c": 1}
