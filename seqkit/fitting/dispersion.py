"""Do failures come together more often than independent ones would? A check of ledgers for common causes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._show.html import table
from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import cut
from seqkit.core import draws
from seqkit.core.draws import Seed
from seqkit.fitting.attempts import Source, Tries, numbered, read_tries, strings

__all__ = ["Dispersion", "dispersion_test", "own_rates"]

Floats = npt.NDArray[np.float64]
_CELLS = 1 << 22  # random numbers held at a time


@dataclass(frozen=True, eq=False, repr=False)
class Dispersion:
    """Whether the failures of a run vary more from run to run than independent failures would.

    Examples
    --------
    >>> calm = [("mon", "api", True), ("mon", "web", False), ("tue", "api", False), ("tue", "web", True)]
    >>> dispersion_test(pd.DataFrame(calm, columns=["run_id", "repo_id", "succeeded"]))
    Dispersion(ratio 0 where independence expects 1, p = 1: 2 failures in 4 first attempts of 2 runs)
    """

    test: str
    """What the test is called."""
    statistic: float
    """The dispersion ratio: squared excess failures of the runs over their variance under independence;
    NaN where no repo both failed and succeeded."""
    expected: float
    """Its expectation under independence: 1."""
    reference_std: float
    """Its standard deviation under independence, over the resamples; NaN where it cannot be tested."""
    p_value: float
    """How often independence gives as large a statistic; NaN where it cannot be tested."""
    n_runs: int
    """Runs in which something was tried."""
    n_attempts: int
    """First attempts."""
    n_failures: int
    """First attempts that failed."""
    resamples: int
    """Random permutations behind `p_value`, which is never below 1 / (resamples + 1)."""
    seed: int
    """The seed of the permutations."""
    runs: pd.DataFrame
    """The runs, in order of appearance. Index `run_id` (string); columns `attempts`, `failures` (Int64; first
    attempts), `expected` (float64: failures at each repo's own rate), `excess` (float64: the difference)."""

    @property
    def words(self) -> str:
        """The result in plain words."""
        return f"{self._verdict()}. {self._most()}" if self.p_value < 0.05 else self._verdict()

    def _verdict(self) -> str:
        if np.isnan(self.p_value):
            return (
                "no answer: in this record no two failures could have met in a run, "
                "so it can neither show a common cause nor rule one out"
            )
        found = f"ratio {self.statistic:.3g} where independence expects 1, p = {self.p_value:.2g}"
        if self.p_value < 0.05:
            return (
                f"failures come together more than independent ones would ({found}): "
                "think of a common cause, or of rates that change over time"
            )
        return f"no sign that failures come together ({found}); with few failures or runs a common cause can hide"

    def _most(self) -> str:
        at = int(np.argmax(self.runs["excess"].to_numpy()))
        run = self.runs.iloc[at]
        return (
            f"Most above expectation: run {cut(str(self.runs.index[at]), 60)!r}, "
            f"{int(run['failures'])} failed where {run['expected']:.2g} were expected"
        )

    def _counts(self) -> str:
        return f"{self.n_failures:,} failures in {self.n_attempts:,} first attempts of {self.n_runs:,} runs"

    def __repr__(self) -> str:
        result = f"ratio {self.statistic:.3g} where independence expects 1, p = {self.p_value:.2g}"
        return f"Dispersion({'cannot be tested' if np.isnan(self.p_value) else result}: {self._counts()})"

    def _repr_html_(self) -> str:
        rows = [("test", self.test)]
        if not np.isnan(self.p_value):
            rows += [
                ("statistic", f"{self.statistic:.3g}"),
                ("expected", f"{self.expected:g} ± {self.reference_std:.2g}"),
                ("p-value", f"{self.p_value:.2g}"),
                ("runs", self._most()),
            ]
        return table(f"Dispersion of failures: {self._counts()}", ["what", "value"], rows, self._verdict())


def dispersion_test(
    ledger_or_frame: Source,
    resamples: int = 1999,
    rng: Seed | None = 0,
) -> Dispersion:
    """Check whether failures come together in the same runs: over-dispersion against independence.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened, as in :func:`seqkit.fit_failure_rates`; a frame also needs `run_id` (string). Within
        a run its rows stand in the order in which the attempts started; where it has the columns `started_at`
        or `position`, these tell the order, and `attempt` tells which is a repo's first.
    resamples : int
        How many random permutations to compare with.
    rng : int or numpy.random.Generator, optional
        The seed of the permutations; the same by default, so that the same record gives the same answer.

    Returns
    -------
    Dispersion
        The statistic, what independence expects, the p-value, the runs, and all that in words.

    Raises
    ------
    ValueError, TypeError
        Where columns are missing or hold something else, or `resamples` is no whole number from 1.

    Notes
    -----
    Only first attempts are read: a lasting cause makes retries fail too, so they are not independent even
    of each other. With x = 1 for a first attempt that failed and p the share of them that failed for its repo,
    the excess of run r is R_r = Σ (x − p) over the repos tried in it, and the statistic

        T = Σ_r R_r² / Σ p (1 − p)   (both sums over what was tried)

    is the dispersion ratio: 1 is expected under independence, also where failures keep others from being
    tried, because x − p is then a martingale difference in the order of starting.

    The p-value is that of a permutation test. T = 1 + 2 Σ_j S_j / Σ p (1 − p) with S_j = Σ_r z_jr (x_jr − p_j),
    where z_jr is the excess of run r before repo j started. Independence makes the outcomes of j
    exchangeable among the runs that tried it, whatever z is; so each repo's outcomes are
    permuted among these runs, z being held, and p = (1 + number of T* ≥ T) / (1 + resamples).
    A repo that is only tried where another has succeeded is thereby not compared with it. The test is
    one-sided, conditional on each repo's number of failures, and errs on the safe side: in simulations of
    independent failures, with skips, retries and failure budgets, it called 2 to 5.5 % dependent at p ≤ 0.05.

    Its limits. Rates that change over time (a bad month, a migration) look just like a common cause: the
    test says that failures come together, not why. Under ``skip_dependents`` a repo and what depends on it cannot
    both fail in a run, so a common cause shows only among repos that do not depend on each other. With a
    handful of failures only a strong cause shows. Two failures of one repo in two runs are never evidence.

    O(resamples · first attempts of repos that failed at least once).

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["api", "cli", "docs", "web"]), version="1.0")
    >>> ledger = MemoryRunLedger(ids=map(str, range(30)))
    >>> for day in range(30):
    ...     outcome = run_plan(plan, ScriptedReleaser(["api", "docs", "web"] if day in (3, 20) else []), ledger)
    >>> found = dispersion_test(ledger)
    >>> found
    Dispersion(ratio 3 where independence expects 1, p = 0.0005: 6 failures in 120 first attempts of 30 runs)
    >>> found.runs.loc["3"].tolist()
    [4.0, 3.0, 0.2, 2.8]
    """
    if isinstance(resamples, bool) or not isinstance(resamples, int | np.integer):
        raise TypeError(f"resamples is {as_given(resamples, 200)}, expected a whole number from 1")
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}, expected a whole number from 1")
    seed = draws.resolve_seed(rng)
    run, repo, failed, run_ids = _first_attempts(read_tries(ledger_or_frame, "run_id"))
    rate, variance = own_rates(repo, failed)
    excess = failed - rate
    before = _sum_before(run, excess, len(run_ids))
    observed = float(np.sum(before * excess))
    reference = _permuted(before, repo, failed, int(resamples), seed)
    # Sums of floats in another order differ in the last digits; what is equal must count as equal.
    near = 1e-9 * max(variance, 1.0)
    testable = variance > 0 and float(np.ptp(reference)) > near
    p_value = (1 + int(np.count_nonzero(reference >= observed - near))) / (1 + len(reference)) if testable else np.nan
    expected = np.bincount(run, rate, len(run_ids))
    failures = np.bincount(run, failed, len(run_ids))
    runs = dtypes.frame(
        {
            "attempts": dtypes.integer(np.bincount(run, minlength=len(run_ids)).tolist()),
            "failures": dtypes.integer(failures.astype(np.int64).tolist()),
            "expected": expected.astype(np.float64),  # of no rows, bincount makes whole numbers
            "excess": (failures - expected).astype(np.float64),
        }
    )
    runs.index = pd.Index(dtypes.string(run_ids), name="run_id")
    return Dispersion(
        test="permutation test of the dispersion ratio, one-sided",
        statistic=1 + 2 * observed / variance if variance > 0 else np.nan,
        expected=1.0,
        reference_std=float(np.std(reference)) * 2 / variance if testable else np.nan,
        p_value=p_value,
        n_runs=len(run_ids),
        n_attempts=len(run),
        n_failures=int(failed.sum()),
        resamples=int(resamples),
        seed=seed,
        runs=runs,
    )


def own_rates(repo: npt.NDArray[np.intp], failed: Floats) -> tuple[Floats, float]:
    """Give for each first attempt the share of those at its repo that failed, p, and Σ p (1 − p) over all of them."""
    share = np.bincount(repo, failed) / np.maximum(np.bincount(repo), 1)
    rate = share[repo]
    return rate, float(np.sum(rate * (1 - rate)))


def _first_attempts(
    tries: Tries,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats, list[str]]:
    """Give run, repo and failure of each first attempt, run by run in the order of starting, and the runs' ids."""
    runs = strings(tries.frame, "run_id")
    kept = tries.attempts > 0
    told = tries.frame.loc[kept, [name for name in ("started_at", "position", "attempt") if name in tries.frame]]
    run, run_ids = numbered(runs[kept])
    repo, _ = numbered(tries.repos[kept])
    rows = told.reset_index(drop=True).assign(_run=run, _repo=repo)
    if "attempt" in rows:  # a first attempt may be the one whose start nobody told
        rows = rows.sort_values("attempt", kind="stable")
        rows = rows[~rows.duplicated(["_run", "_repo"]).to_numpy()].sort_index()
    rows = rows.sort_values(["_run", *(name for name in told.columns if name != "attempt")], kind="stable")
    order = rows.index.to_numpy()[~rows.duplicated(["_run", "_repo"]).to_numpy()]
    return run[order], repo[order], tries.first_failed[kept][order].astype(np.float64), run_ids


def _sum_before(run: npt.NDArray[np.intp], excess: Floats, n_runs: int) -> Floats:
    """Sum the excess of what stands before each row in its run."""
    until = np.cumsum(excess) - excess
    starts = np.searchsorted(run, np.arange(n_runs))
    return until - until[starts][run] if len(run) else until


def _permuted(before: Floats, repo: npt.NDArray[np.intp], failed: Floats, resamples: int, seed: int) -> Floats:
    """Draw the sum of S_j with each repo's outcomes permuted among the runs that tried it."""
    generator = np.random.Generator(np.random.Philox(seed))
    total = np.zeros(resamples)
    by_repo = np.argsort(repo, kind="stable")
    ends = np.cumsum(np.bincount(repo))
    for rows in np.split(by_repo, ends[:-1]) if len(ends) else []:
        k, z = int(failed[rows].sum()), before[rows] - before[rows].mean()
        if not 0 < k < len(rows) or np.ptp(z) < 1e-12:
            continue  # one arrangement, or all the same
        step = max(1, _CELLS // len(rows))
        for start in range(0, resamples, step):
            keys = generator.random((min(step, resamples - start), len(rows)))
            chosen = np.argpartition(keys, k - 1, axis=1)[:, :k]
            total[start : start + step] += z[chosen].sum(axis=1)
    return total
