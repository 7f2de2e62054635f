import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqkit import (
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    build_plan,
    items_frame,
    load_dataset,
    run_plan,
)
from seqkit.fitting.dispersion import dispersion_test
from tests.tools.strategies import HOSTILE_NAMES


def record(rows):
    return pd.DataFrame(rows, columns=["run_id", "repo_id", "succeeded"])


FLAT = [[] for _ in range(10)]
CHAIN_AND_HUB = [[], *([repo] for repo in range(5)), *([0] for _ in range(6))]


def simulated(rng, needs, rate, n_runs, cause=0.0, members=(), attempts=1, budget=None):
    """Runs under the skip rule, many at a time: repo v needs ``needs[v]``, all of them before it."""
    n = len(needs)
    shock = np.zeros((n_runs, n), bool)
    shock[:, list(members)] = rng.random((n_runs, 1)) < cause
    bad = (rng.random((attempts, n_runs, n)) < rate) | shock
    tries = np.where(bad.all(axis=0), attempts, np.argmin(bad, axis=0) + 1)
    tried, failed = np.zeros((n_runs, n), bool), np.zeros((n_runs, n), bool)
    for repo in range(n):
        tried[:, repo] = ~failed.any(axis=1) if budget == 1 else True
        if budget is not None:
            tried[:, repo] &= failed.sum(axis=1) < budget
        for other in needs[repo]:
            tried[:, repo] &= tried[:, other] & ~failed[:, other]
        failed[:, repo] = tried[:, repo] & bad.all(axis=0)[:, repo]
    run, repo = np.nonzero(tried)
    return pd.DataFrame(
        {
            "run_id": run.astype(str).astype(object),
            "repo_id": repo.astype(str).astype(object),
            "status": np.where(failed[run, repo], "failed", "succeeded").astype(object),
            "attempts": tries[run, repo],
        }
    )


def p_values(times, *arguments, **options):
    rng = np.random.default_rng(20)
    found = [dispersion_test(simulated(rng, *arguments, **options), resamples=199, rng=seed) for seed in range(times)]
    return np.array([each.p_value for each in found])


NULL = {
    "independent": (FLAT, 0.1, 30),
    "a chain and a hub": (CHAIN_AND_HUB, 0.1, 40),
    "a chain and a hub that fail much": (CHAIN_AND_HUB, 0.4, 20),
    "rates that differ": (FLAT, np.linspace(0.02, 0.6, 10), 12),
}


@pytest.mark.parametrize("case", NULL)
def test_independent_failures_are_rarely_called_dependent(case):
    found = p_values(300, *NULL[case])
    assert stats.binomtest(int((found <= 0.05).sum()), 300, 0.05, alternative="greater").pvalue > 1e-3
    assert (found <= 0.2).mean() > 0.1  # not by never calling anything


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        *NULL.values(),
        (FLAT * 7, 0.01, 60),
        (CHAIN_AND_HUB, 0.3, 40, 0.0, (), 2),
        (FLAT, 0.15, 40, 0.0, (), 1, 2),
        (CHAIN_AND_HUB, 0.15, 40, 0.0, (), 1, 3),
    ],
    ids=[*NULL, "rare", "retries", "a budget", "a budget and a chain"],
)
def test_size_with_large_counts(case):
    found = p_values(2000, *case)
    for level in (0.01, 0.05, 0.2):
        assert stats.binomtest(int((found <= level).sum()), 2000, level, alternative="greater").pvalue > 1e-3
    assert (found <= 0.05).mean() > 0.02


@pytest.mark.parametrize(
    ("case", "power"),
    [
        ((FLAT, 0.05, 40, 0.1, range(10)), 0.9),
        ((FLAT, 0.05, 40, 0.05, range(5)), 0.7),
        ((CHAIN_AND_HUB, 0.05, 60, 0.1, range(6, 12)), 0.9),
        ((CHAIN_AND_HUB, 0.05, 60, 0.1, range(1, 12), 3), 0.9),
    ],
    ids=["all at once", "half of them, now and then", "leaves of a hub", "retries do not help"],
)
def test_common_causes_are_found(case, power):
    assert (p_values(100, *case) <= 0.05).mean() > power


def test_a_real_ledger_with_an_outage_and_without():
    plan = build_plan(RepoDependencyGraph.from_edges([("hub", f"r{k}") for k in range(8)]), version="1")
    outage = CommonCause(name="ci", probability=0.15, repos=[f"r{k}" for k in range(8)])
    calm, shaken = MemoryRunLedger(), MemoryRunLedger()
    for trial in range(60):
        run_plan(plan, 0.1, calm, rng=3, trial=trial)
        run_plan(plan, FailureModel(default=0.05, common_causes=[outage]), shaken, rng=3, trial=trial, attempts=2)
    assert dispersion_test(calm).p_value > 0.01
    found = dispersion_test(shaken)
    assert found.p_value == 1 / 2000
    assert found.words.startswith("failures come together more than independent ones would (ratio")
    assert "think of a common cause, or of rates that change over time. Most above expectation: run" in found.words


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=25, unique_by=lambda r: r[:2]))
def test_the_statistic_is_the_dispersion_ratio(rows):
    frame = record([(f"{run}", f"{repo}", ok) for run, repo, ok in rows])
    found = dispersion_test(frame, resamples=9)
    share = {repo: np.mean([not ok for _, other, ok in rows if other == repo]) for _, repo, _ in rows}
    variance = sum(share[repo] * (1 - share[repo]) for _, repo, _ in rows)
    excess = {}
    for run, repo, ok in rows:
        excess[f"{run}"] = excess.get(f"{run}", 0.0) + (not ok) - share[repo]
    if variance:
        assert found.statistic == pytest.approx(sum(value**2 for value in excess.values()) / variance)
    else:
        assert np.isnan(found.statistic)
        assert np.isnan(found.p_value)
    assert found.runs["excess"].to_dict() == pytest.approx(excess)
    assert (found.n_attempts, found.n_failures) == (len(rows), sum(not ok for *_, ok in rows))
    assert found.n_runs == len(excess) == len(found.runs)
    assert found.expected == 1


def test_the_p_value_is_that_of_all_permutations():
    outcomes = {"a": (1, 0, 0, 0, 1), "b": (1, 0, 0, 0, 0), "c": (1, 0, 1, 0, 0)}
    frame = record([(str(run), repo, not row[run]) for run in range(5) for repo, row in outcomes.items()])

    def ratio(rows):
        table = np.array(rows, dtype=float)
        p = table.mean(axis=1, keepdims=True)
        return ((table - p).sum(axis=0) ** 2).sum() / (5 * p * (1 - p)).sum()

    # Held z: c's outcomes are permuted against those of a and b as they were, b's against those of a.
    a, b, c = outcomes.values()

    def part(row, *held):
        z = np.array(held, dtype=float)
        return float((np.array(row) - np.mean(row)) @ (z - z.mean(axis=1, keepdims=True)).sum(axis=0))

    observed = part(b, a) + part(c, a, b)
    variance = sum(5 * np.mean(row) * (1 - np.mean(row)) for row in outcomes.values())
    found = dispersion_test(frame, resamples=20_000, rng=1)
    assert found.statistic == pytest.approx(1 + 2 * observed / variance)
    assert found.statistic == pytest.approx(ratio([a, b, c]))
    sums = [
        part(b2, a) + part(c2, a, b)
        # Each is that of as many permutations as any other.
        for b2, c2 in itertools.product(set(itertools.permutations(b)), set(itertools.permutations(c)))
    ]
    exact = np.mean(np.array(sums) >= observed - 1e-9)
    assert stats.binomtest(round(found.p_value * 20_001) - 1, 20_000, exact).pvalue > 1e-3
    assert found.reference_std == pytest.approx(2 * np.std(sums) / variance, rel=0.05)


def test_what_cannot_be_tested_says_so():
    chain = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1")
    ledger = MemoryRunLedger()
    for trial in range(30):
        run_plan(chain, 0.3, ledger, rng=1, trial=trial)
    found = dispersion_test(ledger)
    assert found.n_failures > 5
    for each in (found, dispersion_test(MemoryRunLedger()), dispersion_test(record([("r", "a", False)]))):
        assert np.isnan(each.p_value)
        assert each.words.startswith("no answer: in this record no two failures could have met")
        assert repr(each).startswith("Dispersion(cannot be tested: ")
        assert "p-value" not in each._repr_html_()


def test_only_first_attempts_count():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes="abc"), version="1")
    ledger = MemoryRunLedger()
    for day in range(4):
        run_plan(plan, ScriptedReleaser(["a", "b"] if day == 0 else []), ledger, attempts=5)
    found = dispersion_test(ledger)
    assert (found.n_attempts, found.n_failures) == (12, 2)
    rows = [("r", "a", None), ("r", "a", False), ("r", "a", True), ("r", "b", True), ("s", "a", True), ("t", "a", None)]
    found = dispersion_test(record(rows))
    assert found.runs[["attempts", "failures"]].to_numpy().tolist() == [[2, 1], [1, 0]]


def test_the_order_of_rows_does_not_matter_where_columns_tell_it():
    plan = build_plan(RepoDependencyGraph.from_edges([("hub", f"r{k}") for k in range(5)]), version="1")
    ledger = MemoryRunLedger()
    for trial in range(30):
        run_plan(plan, 0.2, ledger, rng=5, trial=trial)
    frame = items_frame(ledger)
    shuffled = frame.sample(frac=1, random_state=1)
    assert dispersion_test(shuffled).statistic == pytest.approx(dispersion_test(frame).statistic)
    assert dispersion_test(frame).p_value == dispersion_test(ledger).p_value
    for hidden in ("started_at", "position"):
        assert dispersion_test(frame.drop(columns=hidden)).p_value == dispersion_test(frame).p_value


def test_the_same_seed_gives_the_same_answer():
    frame = simulated(np.random.default_rng(1), FLAT, 0.1, 20)
    one, two, other = (dispersion_test(frame, rng=rng) for rng in (7, 7, 8))
    assert (one.p_value, one.reference_std) == (two.p_value, two.reference_std)
    assert one.reference_std != other.reference_std
    assert one._repr_html_() == two._repr_html_()
    assert (one.seed, one.resamples) == (7, 1999)


def test_long_records_are_permuted_in_parts(monkeypatch):
    frame = simulated(np.random.default_rng(1), FLAT, 0.1, 20)
    whole = dispersion_test(frame)
    monkeypatch.setattr("seqkit.fitting.dispersion._CELLS", 60)
    assert dispersion_test(frame).p_value == whole.p_value


def test_kde_frameworks_fail_together():
    trains = load_dataset("kf5").trains
    found = dispersion_test(trains.assign(run_id=trains["train"] + " " + trains["distribution"]))
    assert (found.n_runs, found.n_attempts, found.n_failures) == (63, 4507, 49)
    assert found.statistic == pytest.approx(1.767, abs=1e-3)
    assert found.p_value < 0.01
    assert found.runs["excess"].idxmax() == "5.78.0 unstable"


def test_columns_and_dtypes():
    for frame in (record([]), record([("r", "a", True), ("s", "b", False)])):
        runs = dispersion_test(frame).runs
        assert {name: str(dtype) for name, dtype in runs.dtypes.items()} == {
            "attempts": "Int64",
            "failures": "Int64",
            "expected": "float64",
            "excess": "float64",
        }
        assert (runs.index.name, runs.index.dtype) == ("run_id", pd.StringDtype("python"))


def test_hostile_names():
    rows = [(run, repo, run != HOSTILE_NAMES[0]) for run in HOSTILE_NAMES for repo in HOSTILE_NAMES]
    found = dispersion_test(record(rows))
    assert found.p_value < 0.05
    assert "<script>" not in found._repr_html_()
    assert len(found.words) < 400
    assert sorted(found.runs.index) == sorted(HOSTILE_NAMES)


@pytest.mark.parametrize(
    ("frame", "options", "error", "message"),
    [
        (pd.DataFrame({"repo_id": ["a"], "succeeded": [True]}), {}, ValueError, "ledger_or_frame lacks run_id"),
        (record([("r", "a", "yes")]), {}, TypeError, "column succeeded .* has 'yes', expected True, False"),
        (record([(None, "a", True)]), {}, TypeError, "column run_id .* has None, expected ids as str"),
        (record([]), {"resamples": 0}, ValueError, "resamples is 0, expected a whole number from 1"),
        (record([]), {"resamples": 1.5}, TypeError, "resamples is 1.5, expected a whole number from 1"),
        (record([]), {"rng": -1}, ValueError, "rng is -1"),
        (7, {}, TypeError, "ledger_or_frame is 7, expected a ledger"),
    ],
)
def test_wrong_arguments_are_named(frame, options, error, message):
    with pytest.raises(error, match=message):
        dispersion_test(frame, **options)
