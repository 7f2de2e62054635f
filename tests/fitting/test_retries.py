import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seqkit import FailureModel, MemoryRunLedger, RepoDependencyGraph, build_plan, load_dataset, retry_test, run_plan
from tests.fitting.simulated import CHAIN_AND_HUB, FLAT, simulated
from tests.tools.strategies import HOSTILE_NAMES


def record(counts):
    """Items from {repo: (first tries, those that failed and were retried, second tries that failed)}."""
    rows = []
    for repo, (first, second, again) in counts.items():
        rows += [(repo, "succeeded", 1)] * (first - second) + [(repo, "succeeded", 2)] * (second - again)
        rows += [(repo, "failed", 2)] * again
    return pd.DataFrame(rows, columns=["repo_id", "status", "attempts"])


def p_values(times, *arguments, **options):
    rng = np.random.default_rng(9)
    return np.array([retry_test(simulated(rng, *arguments, **options)).p_value for _ in range(times)])


def test_one_repo_is_an_exact_test_of_a_table():
    found = retry_test(record({"a": (60, 12, 7)}))
    table = [[7, 5], [11, 48]]  # the other runs: 59, of which 11 failed
    assert found.p_value == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    assert found.statistic == pytest.approx(7 * 48 / (5 * 11))
    assert (found.n_first, found.n_first_failures, found.n_second, found.n_second_failures) == (60, 12, 12, 7)
    assert found.repos.loc["a"].tolist() == [60, 12, 12, 7, 12 * 18 / 71]


def test_repos_are_kept_apart():
    counts = {"a": (30, 6, 4), "b": (50, 5, 1), "never": (9, 0, 0)}
    found = retry_test(record(counts))
    laws = [stats.hypergeom(29 + 6, 5 + 4, 6), stats.hypergeom(49 + 5, 4 + 1, 5)]
    exact = sum(laws[0].pmf(i) * laws[1].pmf(j) for i in range(7) for j in range(6) if i + j >= 5)
    assert found.p_value == pytest.approx(exact)
    odds = (4 * 24 / 35 + 1 * 45 / 54) / (2 * 5 / 35 + 4 * 4 / 54)
    assert found.statistic == pytest.approx(odds)
    assert list(found.repos.index) == ["a", "b"]


@pytest.mark.parametrize(
    ("needs", "rate", "runs"),
    [(FLAT, 0.2, 15), (FLAT, np.linspace(0.02, 0.6, 6), 30), (CHAIN_AND_HUB, 0.2, 30)],
    ids=["alike", "flaky ones among others", "skips"],
)
def test_independent_tries_are_rarely_called_dependent(needs, rate, runs):
    found = p_values(150, needs, rate, runs, 0.0, 3)
    assert stats.binomtest(int((found <= 0.05).sum()), 150, 0.05, alternative="greater").pvalue > 1e-3
    assert (found <= 0.3).mean() > 0.1  # not by never calling anything


@pytest.mark.slow
@pytest.mark.parametrize(
    ("needs", "rate", "runs"),
    [
        ([[]], 0.05, 100),
        ([[]], 0.5, 20),
        ([[]] * 75, 0.02, 40),
        ([[]] * 20, np.linspace(0.02, 0.6, 20), 30),
        ([[]] * 20, 0.2, 8),
        ([[]] * 5, 0.3, 300),
        (CHAIN_AND_HUB, 0.2, 40),
    ],
)
def test_size_with_large_counts(needs, rate, runs):
    found = p_values(1000, needs, rate, runs, 0.0, 2)
    print(f"{len(needs)} repos, {runs} runs: {np.mean(found <= 0.05):.4f}")
    assert 0.01 < np.mean(found <= 0.05) < 0.07


def test_failures_that_no_retry_mends_are_found():
    assert np.mean(p_values(60, FLAT, 0.1, 40, 0.7, 2) <= 0.05) > 0.9
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["api", "cli"]), version="1")
    ledger = MemoryRunLedger()
    for trial in range(50):
        run_plan(plan, FailureModel(default=0.15, hard=0.8), ledger, rng=1, trial=trial, attempts=2)
    found = retry_test(ledger)
    start = "second tries fail more often than first ones: some failures are not mended by a retry (odds ratio"
    assert found.words.startswith(start)
    assert "Most above expectation: '" in found.words
    assert repr(found).startswith("RetryTest(odds ratio ")
    assert "p-value" in found._repr_html_()


def test_what_cannot_be_tested_says_so():
    nothing = retry_test(load_dataset("kf5").trains)
    assert nothing.words.startswith("no answer: nothing was retried, so it is not known how many of the failures")
    assert retry_test(record({"a": (2, 2, 2)})).words.startswith(
        "no answer: no repo that was tried again has a first try"
    )
    for found in (nothing, retry_test(MemoryRunLedger()), retry_test(record({"a": (1, 1, 0)}))):
        assert np.isnan(found.p_value)
        assert np.isnan(found.statistic)
        assert repr(found).startswith("RetryTest(cannot be tested: ")
        assert "p-value" not in found._repr_html_()


def test_a_calm_record_is_told_in_words():
    assert retry_test(record({"a": (60, 12, 2)})).words.startswith(
        "no sign that second tries fail more often than first"
    )


def test_dtypes_and_hostile_names():
    found = retry_test(record(dict.fromkeys(HOSTILE_NAMES, (20, 4, 4))))
    assert found.words.startswith("second tries fail more often")
    assert "<script>" not in found._repr_html_()
    assert list(found.repos.index) == sorted(HOSTILE_NAMES)
    for each in (found, retry_test(MemoryRunLedger())):
        assert [str(dtype) for dtype in each.repos.dtypes] == ["Int64"] * 4 + ["float64"]
        assert (each.repos.index.name, each.repos.index.dtype) == ("repo_id", pd.StringDtype("python"))
