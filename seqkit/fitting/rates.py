"""How likely each repo is to fail, learnt from what happened: rates, and how sure they are.

Under the sequencing rules the outcomes of a run correspond one to one to its failures, so the
likelihood of a ledger is a product over *attempted* repos: Beta posteriors stay conjugate, and a
rate is failures / attempts. What was skipped says nothing about the repo that was skipped; to
divide by plans instead makes a repo that stands deep in the graph look far too safe.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import level_of
from seqkit._util.warned import warn_caller
from seqkit._util.words import cut
from seqkit.fitting.attempts import Source, numbered, read_tries
from seqkit.fitting.posterior import JEFFREYS, checked_prior, posterior_of, quantiles

__all__ = ["UnsupportedRanking", "fit_failure_rates", "ranking_note"]

SUPPORT = 0.8
"""How probable it must be that the first of a ranking is the first: four to one. (Of two repos the one that
failed more often is always more likely than not, so one half would let every close pair pass.)"""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class UnsupportedRanking(UserWarning):
    """The attempts are too few to say which repo fails most often; the message says how far they carry."""


def fit_failure_rates(
    ledger_or_frame: Source,
    prior: Sequence[float] = JEFFREYS,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Estimate how likely one attempt at each repo is to fail, and how sure that is.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened. A frame is one of

        - items, as :func:`seqkit.items_frame` and ``outcome.to_frame()`` give them: columns `repo_id`,
          `status` and `attempts`;
        - attempts, a row each: columns `repo_id` and `succeeded` (boolean; a missing value means that
          the repo was not tried). Read only where `status` and `attempts` are not both there;
        - trains, a row for each repo of each, as ``load_dataset("kf5").trains``: columns `train`, `repo_id` and
          `status` (``succeeded`` and ``failed`` are one attempt; other statuses, skip causes and ``missing``
          none). Read only where neither `attempts` nor `succeeded` is there.
    prior : pair of float
        Failures and successes to assume beforehand, the parameters of a Beta distribution. The default
        is Jeffreys' prior: half a failure in one attempt, which many attempts soon outweigh.
    confidence_level : float
        How much of the posterior lies between `low` and `high`, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        Index `repo_id` (string, sorted). Columns `attempts`, `failures` (Int64), `rate` (float64, the
        posterior mean), `low`, `high` (float64, the equal-tailed credible interval). Repos that were
        never tried are left out. The prior and the confidence level are kept in ``attrs``.

    Warns
    -----
    UnsupportedRanking
        Where the repo with the highest rate has not failed yet, or really has the highest with a probability
        below 0.8; see :func:`ranking_note`.

    Raises
    ------
    ValueError, TypeError
        Where columns are missing or hold something else, or `prior` or `confidence_level` is out of range.

    Notes
    -----
    With prior (a, b), the posterior of a repo with f failures in n attempts is Beta(f + a, n − f + b),
    its mean (f + a) / (n + a + b).

    Each try counts. An item that succeeded with its k-th attempt has k attempts and k − 1 failures; one
    that failed after k has k failures. An item in progress (crashed, cancelled, still running) has an
    open attempt, which nobody knows the end of: the k − 1 before it count, it does not. Skipped and
    pending items were not tried. A record that holds an entry twice is counted as it stands.

    The prior pulls every repo, so with many repos and few failures the rates together promise more
    failures than there were: with the default half a failure a repo. Where that matters, say with a prior
    what repos have in common: ``prior=(m * w, (1 - m) * w)`` pulls towards the rate m with the weight of w
    attempts.

    O(rows + repos · log(repos)).

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger()
    >>> for failing in [["core"]] * 7 + [["api"]] + [[]] * 12:
    ...     outcome = run_plan(plan, ScriptedReleaser(failing), ledger)
    >>> print(fit_failure_rates(ledger).round(3).to_string(index_names=False))  # core failed 7 times: 13 tries of api
          attempts  failures   rate    low   high
    api         13         1  0.107  0.008  0.307
    core        20         7  0.357  0.172  0.568

    Release trains of any kind will do:

    >>> import warnings
    >>> from seqkit import load_dataset
    >>> with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
    ...     fit = fit_failure_rates(load_dataset("kf5").trains)
    >>> int(fit["failures"].sum()), int(fit["attempts"].sum())
    (49, 4507)
    """
    a, b = checked_prior(prior)
    level = level_of(confidence_level)
    tries = read_tries(ledger_or_frame)
    codes, names = numbered(tries.repos)
    attempts, failures = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(attempts, codes, tries.attempts)
    np.add.at(failures, codes, tries.failures)
    kept = [at for at in sorted(range(len(names)), key=names.__getitem__) if attempts[at]]
    attempts, failures = attempts[kept], failures[kept]
    alpha, beta = (failures + a).astype(np.float64), (attempts - failures + b).astype(np.float64)
    low, high = quantiles(alpha, beta, ((1 - level) / 2, (1 + level) / 2))
    fit = dtypes.frame(
        {
            "attempts": dtypes.integer(attempts.tolist()),
            "failures": dtypes.integer(failures.tolist()),
            "rate": alpha / (alpha + beta),
            "low": low,
            "high": high,
        }
    )
    fit.index = dtypes.index([names[at] for at in kept])
    fit.attrs = {"prior": (a, b), "confidence_level": level}
    if note := ranking_note(fit):
        warn_caller(note, UnsupportedRanking)
    return fit


def ranking_note(fit: pd.DataFrame, prior: Sequence[float] | None = None) -> str:
    """Say in words that the data do not support a ranking of the repos; empty where they do.

    Parameters
    ----------
    fit : DataFrame
        What :func:`fit_failure_rates` gave.
    prior : pair of float, optional
        The prior of the fit; by default the one it carries in ``attrs``, else Jeffreys'.

    Returns
    -------
    str
        Empty where the repo with the highest rate has failed and really has the highest with a probability
        of at least 0.8, and where there are fewer than two repos.

    Notes
    -----
    The probability that repo t has the highest rate is ∫ ∏ F_j(x) f_t(x) dx over the other repos j, with
    F and f the distribution functions and densities of the posteriors. With u = F_t(x) it is an integral
    over 0 ≤ u ≤ 1, done by Gauss and Legendre's rule with 200 nodes. Repos with the same counts are
    evaluated once: O(200 · distinct pairs of counts).

    Examples
    --------
    >>> import warnings
    >>> frame = pd.DataFrame({"repo_id": ["api", "cli", "docs", "web"] * 20, "succeeded": [False] * 5 + [True] * 75})
    >>> with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
    ...     fit = fit_failure_rates(frame)
    >>> print(ranking_note(fit)[:109])
    the data do not support a ranking of the 4 repos (5 failures in 80 attempts): the highest rate, 0.12 of 'api'
    """
    _, alpha, beta = posterior_of(fit, prior)
    if len(fit) < 2:
        return ""
    rate, low, high = (fit[name].to_numpy() for name in ("rate", "low", "high"))
    top = int(np.argmax(rate))
    if fit["failures"].iloc[top]:
        probability = _probability_of_highest(alpha, beta, top)
        if probability >= SUPPORT:
            return ""
        doubt = f"is really the highest with a probability of only {probability:.2g}"
    else:
        doubt = "comes of the prior: it has not failed yet"
    n, failures = int(fit["attempts"].sum()), int(fit["failures"].sum())
    overlaps, rest = int(np.count_nonzero((high >= low[top]) & (low <= high[top]))) - 1, len(fit) - 1
    others = ("that of the other" if rest == 1 else f"those of all {rest} others") if overlaps == rest else ""
    others = others or f"those of {overlaps} of the {rest} others"
    # A rate of nothing out of few attempts is no advice.
    pooled = f"Use the rate of all, {failures / n:.2g}, or gather" if failures else "Gather"
    level = fit.attrs.get("confidence_level")
    return (
        f"the data do not support a ranking of the {len(fit)} repos ({failures:,} failures in {n:,} attempts): the "
        f"highest rate, {rate[top]:.2g} of {cut(str(fit.index[top]), 60)!r} "
        f"({f'{100 * level:g} % ' if isinstance(level, float) else ''}credible interval {low[top]:.2g} to "
        f"{high[top]:.2g}), {doubt}; its interval overlaps {others}. "
        f"{pooled} more runs, before you harden one repo and not another"
    )


def _probability_of_highest(alpha: Floats, beta: Floats, top: int) -> float:
    from scipy.special import betainc  # noqa: PLC0415  # import seqkit stays light

    nodes, weights = np.polynomial.legendre.leggauss(200)
    at = quantiles(alpha[top], beta[top], (nodes + 1) / 2)
    pairs, counts = np.unique(np.delete(np.stack([alpha, beta], axis=1), top, axis=0), axis=0, return_counts=True)
    below = np.zeros_like(at)
    with np.errstate(divide="ignore"):
        for (a, b), count in zip(pairs, counts, strict=True):
            below += count * np.log(betainc(a, b, at))
    return float(np.sum(weights / 2 * np.exp(below)))
