"""Do second tries fail as often as first ones? A check of ledgers for failures that no retry mends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._show.html import table
from seqkit._util import dtypes
from seqkit._util.words import cut, plural
from seqkit.fitting.attempts import Source, items_of, read_tries
from seqkit.fitting.hard import NOTHING_RETRIED

__all__ = ["RetryTest", "retry_test"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class RetryTest:
    """Whether the second tries of repos fail more often than their first ones.

    Examples
    --------
    >>> tries = [(f"{day}", "api", ok) for day in range(30) for ok in ([False] * 2 if day < 3 else [True])]
    >>> retry_test(pd.DataFrame(tries, columns=["run_id", "repo_id", "succeeded"]))
    RetryTest(odds ratio inf where independence expects 1, p = 0.002: 3 of 3 second tries failed, of first 3 of 30)
    """

    test: str
    """What the test is called."""
    statistic: float
    """The odds ratio of failing, second tries to first ones, common to all repos (Mantel and Haenszel 1959);
    infinite where nothing speaks against it, NaN where it cannot be tested."""
    expected: float
    """Its value where tries are independent: 1."""
    p_value: float
    """How often as many second tries would fail where tries are independent; NaN where it cannot be tested."""
    n_first: int
    """First tries of the repos that have second ones."""
    n_first_failures: int
    """Those of them that failed."""
    n_second: int
    """Second tries."""
    n_second_failures: int
    """Those of them that failed."""
    repos: pd.DataFrame
    """The repos that have second tries, sorted. Index `repo_id` (string); columns `first`, `first_failures`, `second`,
    `second_failures` (Int64), `expected` (float64: second tries that would fail where tries are independent)."""

    @property
    def words(self) -> str:
        """The result in plain words."""
        if not self.n_second:
            return f"no answer: {NOTHING_RETRIED}"
        if np.isnan(self.p_value):
            return (
                "no answer: no repo that was tried again has a first try in another run that ended otherwise, "
                "so that there is nothing to compare with"
            )
        if self.p_value < 0.05:
            return (
                f"second tries fail more often than first ones: some failures are not mended by a retry "
                f"({self._found()}). {self._most()}"
            )
        return (
            f"no sign that second tries fail more often than first ones ({self._found()}); "
            "with few retries, failures that no retry mends can hide"
        )

    def _found(self) -> str:
        return f"odds ratio {self.statistic:.3g} where independence expects 1, p = {self.p_value:.2g}"

    def _most(self) -> str:
        more = self.repos["second_failures"].to_numpy(dtype=np.float64) - self.repos["expected"].to_numpy()
        repo = self.repos.iloc[int(np.argmax(more))]
        return (
            f"Most above expectation: {cut(str(self.repos.index[int(np.argmax(more))]), 60)!r}, "
            f"{int(repo['second_failures'])} of {plural(int(repo['second']), 'second try', 'second tries')} failed "
            f"where {repo['expected']:.2g} {'was' if repo['expected'] == 1 else 'were'} expected"
        )

    def _counts(self) -> str:
        return (
            f"{self.n_second_failures:,} of {plural(self.n_second, 'second try', 'second tries')} failed, "
            f"of first {self.n_first_failures:,} of {self.n_first:,}"
        )

    def __repr__(self) -> str:
        return f"RetryTest({'cannot be tested' if np.isnan(self.p_value) else self._found()}: {self._counts()})"

    def _repr_html_(self) -> str:
        rows = [("test", self.test)]
        if not np.isnan(self.p_value):
            rows += [
                ("statistic", f"{self.statistic:.3g}"),
                ("expected", f"{self.expected:g}"),
                ("p-value", f"{self.p_value:.2g}"),
                ("repos", self._most()),
            ]
        return table(f"Second tries: {self._counts()}", ["what", "value"], rows, self.words)


def retry_test(ledger_or_frame: Source) -> RetryTest:
    """Check whether second tries fail more often than first ones: an exact test within repos.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened, as in :func:`seqkit.fit_failure_rates`.

    Returns
    -------
    RetryTest
        The odds ratio, the p-value, the repos, and all that in words.

    Raises
    ------
    ValueError, TypeError
        Where columns are missing or hold something else.

    Notes
    -----
    Where tries are independent, a second try fails with its repo's own rate, like a first one. The test is the
    exact one of Cochran, Mantel and Haenszel: within each repo second tries are held against first ones in a
    2 × 2 table with fixed margins (hypergeometric), the second tries that failed are summed over the repos, and
    p = P(sum ≥ observed), one-sided. Repos are kept apart since it is the flaky ones that come to second tries.

    A first try that led to a second one failed by selection, so each second try is held against the first tries of
    the *other* runs: a repo whose first try failed in F of n runs enters with F − 1 of n − 1. Where all failures are
    retried, that makes the expectation right to the last digit; to take F of n makes a test that finds nothing where
    repos fail once or twice each. The number of second tries is itself random and taken as given: in simulations of
    independent tries (1 to 75 repos, rates of 0.02 to 0.6, 8 to 1,000 runs) the test called 2 to 6.5 % dependent
    at p ≤ 0.05.

    O(repos · second tries).

    Examples
    --------
    >>> from seqkit import FailureModel, MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["api", "cli"]), version="1.0")
    >>> ledger = MemoryRunLedger()
    >>> for trial in range(60):
    ...     outcome = run_plan(plan, FailureModel(default=0.1, hard=0.8), ledger, rng=4, trial=trial, attempts=2)
    >>> print(retry_test(ledger).words[:80])
    second tries fail more often than first ones: some failures are not mended by a
    """
    items = items_of(read_tries(ledger_or_frame))
    second = items.retried
    counts = np.stack(
        [
            items.by_repo(each).astype(np.int64)
            for each in (np.ones(len(items.repo)), items.lost > 0, second, second & (items.lost > 1))
        ]
    )
    names = [name for name, retried in zip(items.names, counts[2], strict=True) if retried]
    first, failed, tried, again = counts[:, counts[2] > 0]
    # Held against first tries of other runs; in a repo without any, nothing can be compared.
    others, others_failed = first - 1, failed - 1
    total = others + tried
    expected = tried * (others_failed + again) / total
    for_it = float(np.sum(again * (others - others_failed) / total))
    against = float(np.sum((tried - again) * others_failed / total))
    p_value = _at_least(others, others_failed, tried, again)
    repos = dtypes.frame(
        {
            name: dtypes.integer(each.tolist())
            for name, each in zip(
                ("first", "first_failures", "second", "second_failures"), (first, failed, tried, again), strict=True
            )
        }
        | {"expected": expected}
    )
    repos.index = dtypes.index(names)
    testable = not np.isnan(p_value)
    return RetryTest(
        test="exact test of Cochran, Mantel and Haenszel, one-sided",
        statistic=np.nan if not testable else for_it / against if against else np.inf,
        expected=1.0,
        p_value=p_value,
        n_first=int(first.sum()),
        n_first_failures=int(failed.sum()),
        n_second=int(tried.sum()),
        n_second_failures=int(again.sum()),
        repos=repos,
    )


def _at_least(others: Floats, failed: Floats, tried: Floats, again: Floats) -> float:
    """Give the probability that so many second tries or more fail; NaN where there is one way only."""
    from scipy.stats import hypergeom  # noqa: PLC0415  # import seqkit stays light

    law, least = np.ones(1), 0
    for n, f, m, x in zip(others.tolist(), failed.tolist(), tried.tolist(), again.tolist(), strict=True):
        low, high = max(0, f + x - n), min(m, f + x)
        law = np.convolve(law, hypergeom.pmf(np.arange(low, high + 1), n + m, f + x, m))
        least += low
    if len(law) < 2:
        return float("nan")
    return min(float(law[int(again.sum()) - least :].sum()), 1.0)
