"""How likely each repo is to fail, learnt from what happened: rates, and how sure they are.

Under the sequencing rules the outcomes of a run correspond one to one to its failures, so the
likelihood of a ledger is a product over *attempted* repos: Beta posteriors stay conjugate, and a
rate is the share of the runs that tried a repo in which its first attempt failed. What was skipped says nothing
about the repo that was skipped; to divide by plans instead makes a repo that stands deep in the graph look far too
safe. Retries are no independent tries: what broke a build breaks it again. They tell something else, how many of
the failures a retry mends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import level_of
from seqkit._util.secrets import as_given
from seqkit._util.warned import warn_caller
from seqkit._util.words import cut
from seqkit.fitting.attempts import Source, items_of, read_tries
from seqkit.fitting.causes import own_shares
from seqkit.fitting.evidence import Since, faded, since_then
from seqkit.fitting.hard import NOTHING_RETRIED, hard_shares
from seqkit.fitting.posterior import counts_of, posterior_of, quantiles
from seqkit.fitting.priors import JEFFREYS, Prior, prior_of
from seqkit.fitting.quadrature import gauss_legendre

__all__ = ["UnsupportedRanking", "fit_failure_rates", "ranking_note"]

SUPPORT = 0.8
"""How probable it must be that the first of a ranking is the first: four to one. (Of two repos the one that
failed more often is always more likely than not, so one half would let every close pair pass.)"""

Floats = npt.NDArray[np.float64]


class UnsupportedRanking(UserWarning):
    """The attempts are too few to say which repo fails most often; the message says how far they carry."""


def fit_failure_rates(
    ledger_or_frame: Source,
    prior: Prior = JEFFREYS,
    confidence_level: float = 0.95,
    half_life: float | None = None,
    since: Since | Mapping[str, Since] | None = None,
    hard: Literal["pooled", "repo"] = "pooled",
    causes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Estimate how likely the first attempt at each repo is to fail, how sure that is, and what a retry mends.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened. A frame is one of

        - items, as :func:`seqkit.items_frame` and ``outcome.to_frame()`` give them: columns `repo_id`,
          `status` and `attempts`, and `released_as`: a failed repo that has one came out too late for its run, and
          its last attempt counts as released. A failure in doubt counts as one;
        - attempts, a row each, as :func:`seqkit.attempts_frame` gives them: columns `repo_id`, `status` and `attempt`
          (which it is, from 1), and `released_as`, which says the same of a failed one. Only ``succeeded`` and
          ``failed`` are attempts that have ended;
        - attempts, a row each, by their result: columns `repo_id` and `succeeded` (boolean; a missing value means that
          the repo was not tried). Read only where `status` and `attempts` are not both there;
        - trains, a row for each repo of each, as ``load_dataset("kf5").trains``: columns `train`, `repo_id` and
          `status` (``succeeded`` and ``failed`` are one attempt; other statuses, skip causes and ``missing``
          none). Read only where none of `attempts`, `attempt` and `succeeded` is there.

        In the last three the rows of one repo with the same `run_id` are its tries in that run, in the order of the
        column `attempt` where there is one, else of `started_at`, else as they stand. Without `run_id` each row is a
        first attempt in a run of its own.
    prior : pair of float or "empirical"
        Failures and successes to assume beforehand, the parameters of a Beta distribution. The default
        is Jeffreys' prior: half a failure in one attempt, which many attempts soon outweigh. ``"empirical"`` learns
        the prior from all repos together.
    confidence_level : float
        How much of the posterior lies between `low` and `high`, between 0 and 1.
    half_life : float, optional
        After how many runs the weight of a run has halved; None weighs all alike. The newest run weighs 1. Of the
        runs that tried something each counts, whatever it tried; their order is that of `started_at` where all have
        it, else that of the ledger or of the rows. A frame needs `run_id`, or `train`.
    since : str, date or mapping, optional
        From where on evidence counts: a date or time (a frame needs `started_at`; without a zone it is UTC), or the id
        of a run, which counts too. One for all repos, or by repo, others not being cut: "fixed here".
    hard : {"pooled", "repo"}
        Whether all repos have one share of failures that no retry mends, or each its own.
    causes : DataFrame, optional
        What :func:`seqkit.fit_common_causes` gave for the same record. A failure then counts as much as it is
        probable that it was the repo's own, so that rates and causes together do not count an outage twice.

    Returns
    -------
    pandas.DataFrame
        Index `repo_id` (string, sorted). Columns

        - `attempts`, `failures` (Int64): all tries, retries included;
        - `runs`, `first_failures` (Int64): runs in which the repo was tried, and those in which its first attempt
          failed;
        - `rate`, `low`, `high` (float64): that the first attempt fails, the posterior mean and the equal-tailed
          credible interval;
        - `hard`, `hard_low`, `hard_high` (float64): the share of failures that no retry mends in the same run, in the
          same way; NaN where no failure was retried, so that nothing is known of it, and ``attrs["note"]`` says so;
        - with `half_life` or `causes` also `effective_runs`, `effective_failures` (float64): the sums of weights that
          the rates are made of.

        Counts are whole counts of what was used, which is what `since` leaves. Repos that were never tried are left
        out. The prior, as a pair, and the confidence level are kept in ``attrs``.

    Warns
    -----
    UnsupportedRanking
        Where the repo with the highest rate has not failed yet, or really has the highest with a probability
        below 0.8; see :func:`ranking_note`.

    Raises
    ------
    ValueError, TypeError
        Where columns are missing or hold something else, or an argument is out of range.

    Notes
    -----
    *Rates.* With prior (a, b), the posterior of a repo whose first attempt failed in f of n runs is
    Beta(f + a, n − f + b), its mean (f + a) / (n + a + b). Retries do not count here: 5 builds that were broken in
    100 runs, and tried 3 times each, are 5 failures of 100, where all tries would give 15 of 110. The rate is that of
    :class:`seqkit.FailureModel`.

    *Tries.* An item that succeeded with its k-th attempt has k attempts and k − 1 failures; one
    that failed after k has k failures. An item in progress (crashed, cancelled, still running) has an
    open attempt, which nobody knows the end of: the k − 1 before it count, it does not. Skipped and
    pending items were not tried. A record that holds an entry twice is counted as it stands.

    *Priors.* The default pulls every repo, so with many repos and few failures the rates together promise more
    failures than there come: half a failure a repo. On KDE's 63 trains, fitted before each of the last 48, it
    promises 99.7 where 40 came, the empirical prior 36.3. That is the Beta distribution under which the repos'
    counts are most likely (beta-binomial, maximum likelihood in mean and weight). Its weight is at most the number of
    all first attempts, since repos that do not visibly differ would make it infinite. It is taken as known, which
    makes intervals a little too short where repos are few.

    *Hard failures.* With share h of the failures b = h p is the probability that the repo is broken in a run, and
    f = (p − b) / (1 − b) that a try fails where it is not. An item released after x failures has the likelihood
    (1 − b) f^x (1 − f), one that failed k times b + (1 − b) f^k: a finite mixture, summed and integrated
    numerically. ``"repo"`` has Beta(½, ½) for b and f of each repo. ``"pooled"`` has one h for all, Beta(½, ½),
    and a rate for each with the prior of the rates; taking all items for those of one repo would find h > 0 wherever
    some repos are flakier than others. Where one repo alone was retried both are the same.

    O(rows + repos · log(repos)), and 40,000 steps for each repo with retries.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger()
    >>> for failing in [["core"]] * 7 + [["api"]] + [[]] * 12:
    ...     outcome = run_plan(plan, ScriptedReleaser(failing), ledger, attempts=2)
    >>> fit = fit_failure_rates(ledger)
    >>> print(fit.iloc[:, :7].round(3).to_string(index_names=False))  # core failed 7 times: 13 runs tried api
          attempts  failures  runs  first_failures   rate    low   high
    api         14         2    13               1  0.107  0.008  0.307
    core        27        14    20               7  0.357  0.172  0.568
    >>> print(fit.iloc[:, 7:].round(2).to_string(index_names=False))  # whatever failed failed again
          hard  hard_low  hard_high
    api   0.93      0.65        1.0
    core  0.93      0.65        1.0

    Release trains of any kind will do:

    >>> import warnings
    >>> from seqkit import load_dataset
    >>> with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
    ...     fit = fit_failure_rates(load_dataset("kf5").trains)
    >>> int(fit["failures"].sum()), int(fit["attempts"].sum())
    (49, 4507)
    >>> print(fit.attrs["note"][:78])
    nothing was retried, so it is not known how many of the failures a retry mends
    """
    level = level_of(confidence_level)
    none = np.zeros(0)
    prior_of(prior, none, none)  # says what is wrong before anything is read
    if hard not in ("pooled", "repo"):
        raise ValueError(f"hard is {as_given(hard)}, expected 'pooled' or 'repo'")
    tries = read_tries(ledger_or_frame)
    items = items_of(tries)
    used = since_then(tries, items, since)
    weights = faded(tries, items, half_life) * used
    first_failed = items.lost > 0
    if causes is not None:
        own = prior_of(prior, items.by_repo(weights * first_failed), items.by_repo(weights))
        weights *= own_shares(tries, items, causes, own)
    kept = np.flatnonzero(items.by_repo(used))
    runs, failures = items.by_repo(weights)[kept], items.by_repo(weights * first_failed)[kept]
    a, b = prior_of(prior, failures, runs)
    alpha, beta = failures + a, runs - failures + b
    low, high = quantiles(alpha, beta, ((1 - level) / 2, (1 + level) / 2))
    counts = {
        "attempts": items.attempts * used,
        "failures": items.failures * used,
        "runs": used,
        "first_failures": first_failed & used,
    }
    shares = hard_shares(items, weights, hard, (a, b), level)
    fit = dtypes.frame(
        {name: dtypes.integer(items.by_repo(each)[kept].astype(np.int64).tolist()) for name, each in counts.items()}
        | {"rate": alpha / (alpha + beta), "low": low, "high": high}
        | {name: each[kept] for name, each in zip(("hard", "hard_low", "hard_high"), shares, strict=True)}
        | ({} if half_life is None and causes is None else {"effective_runs": runs, "effective_failures": failures})
    )
    fit.index = dtypes.index([items.names[at] for at in kept])
    fit.attrs = {"prior": (a, b), "confidence_level": level}
    if fit["hard"].isna().all():
        fit.attrs["note"] = NOTHING_RETRIED
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
    Failures and attempts in the words are first ones, those that the rates are made of.

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
    failed, tried = counts_of(fit)
    if failed[top]:
        probability = _probability_of_highest(alpha, beta, top)
        if probability >= SUPPORT:
            return ""
        doubt = f"is really the highest with a probability of only {probability:.2g}"
    else:
        doubt = "comes of the prior: it has not failed yet"
    n, failures = tried.sum(), failed.sum()
    overlaps, rest = int(np.count_nonzero((high >= low[top]) & (low <= high[top]))) - 1, len(fit) - 1
    others = ("that of the other" if rest == 1 else f"those of all {rest} others") if overlaps == rest else ""
    others = others or f"those of {overlaps} of the {rest} others"
    # A rate of nothing out of few attempts is no advice.
    pooled = f"Use the rate of all, {failures / n:.2g}, or gather" if failures else "Gather"
    level = fit.attrs.get("confidence_level")
    sure = f"{100 * level:g} % credible" if isinstance(level, float) else "credible"
    return (
        f"the data do not support a ranking of the {len(fit)} repos ({failures:,.10g} failures in {n:,.10g} "
        f"{_tries(fit)}): the highest rate, {rate[top]:.2g} of {cut(str(fit.index[top]), 60)!r} "
        f"({sure} interval {low[top]:.2g} to {high[top]:.2g}), {doubt}; its interval overlaps {others}. "
        f"{pooled} more runs, before you harden one repo and not another"
    )


def _tries(fit: pd.DataFrame) -> str:
    """Name what the rates of a fit are made of."""
    if "effective_runs" in fit.columns:
        return "first attempts, weighed"
    return "first attempts" if "runs" in fit.columns and fit["runs"].sum() < fit["attempts"].sum() else "attempts"


def _probability_of_highest(alpha: Floats, beta: Floats, top: int) -> float:
    from scipy.special import betainc  # noqa: PLC0415  # import seqkit stays light

    nodes, weights = gauss_legendre(200)
    at = quantiles(alpha[top], beta[top], (nodes + 1) / 2)
    pairs, counts = np.unique(np.delete(np.stack([alpha, beta], axis=1), top, axis=0), axis=0, return_counts=True)
    below = np.zeros_like(at)
    with np.errstate(divide="ignore"):
        for (a, b), count in zip(pairs, counts, strict=True):
            below += count * np.log(betainc(a, b, at))
    return float(np.sum(weights / 2 * np.exp(below)))
