"""How likely each repo is to fail, learnt from what happened: rates, how sure they are, and draws of them.

Under the sequencing rules the outcomes of a run correspond one to one to its failures, so the
likelihood of a ledger is a product over *attempted* repos: Beta posteriors stay conjugate, and a
rate is failures / attempts. What was skipped says nothing about the repo that was skipped; to
divide by plans instead makes a repo that stands deep in the graph look far too safe.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit import _dtypes, draws
from seqkit._html import shortened
from seqkit.failures import FailureModel
from seqkit.frames import items_frame
from seqkit.ledger import RunLedger

__all__ = ["UnsupportedRanking", "fit_failure_rates", "posterior_draws", "posterior_models", "ranking_note"]

JEFFREYS = (0.5, 0.5)
"""The prior that favours no rate over another on any scale: worth one attempt, half a failure."""

SUPPORT = 0.8
"""How probable it must be that the first of a ranking is the first: four to one. (Of two repos the one that
failed more often is always more likely than not, so one half would let every close pair pass.)"""

Source = RunLedger | str | os.PathLike[str] | pd.DataFrame
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
          the repo was not tried). Read only where `status` and `attempts` are not both there.
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

    Release trains of any kind will do, one line to put them in shape:

    >>> import warnings
    >>> from seqkit import load_dataset
    >>> trains = load_dataset("kf5").trains.rename(columns={"repo": "repo_id"})
    >>> tried = trains.assign(succeeded=trains["outcome"].astype(object).map({"succeeded": True, "failed": False}))
    >>> with warnings.catch_warnings(action="ignore", category=UnsupportedRanking):
    ...     fit = fit_failure_rates(tried)
    >>> int(fit["failures"].sum()), int(fit["attempts"].sum())
    (49, 4507)
    """
    a, b = _checked_prior(prior)
    level = _checked_level(confidence_level)
    tries = read_tries(ledger_or_frame)
    codes, names = numbered(tries.repos)
    attempts, failures = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(attempts, codes, tries.attempts)
    np.add.at(failures, codes, tries.failures)
    kept = [at for at in sorted(range(len(names)), key=names.__getitem__) if attempts[at]]
    attempts, failures = attempts[kept], failures[kept]
    alpha, beta = (failures + a).astype(np.float64), (attempts - failures + b).astype(np.float64)
    low, high = _quantiles(alpha, beta, ((1 - level) / 2, (1 + level) / 2))
    fit = _dtypes.frame(
        {
            "attempts": _dtypes.integer(attempts.tolist()),
            "failures": _dtypes.integer(failures.tolist()),
            "rate": alpha / (alpha + beta),
            "low": low,
            "high": high,
        }
    )
    fit.index = _repo_index([names[at] for at in kept])
    fit.attrs = {"prior": (a, b), "confidence_level": level}
    if note := ranking_note(fit):
        warnings.warn(note, UnsupportedRanking, stacklevel=2)
    return fit


# ---------------------------------------------------------------------- reading what happened


@dataclass(frozen=True, slots=True, eq=False)
class Tries:
    """What rows of a frame tell about attempts, row by row."""

    frame: pd.DataFrame
    """Where the rows come from."""
    repos: npt.NDArray[np.object_]
    """Repo ids."""
    attempts: Ints
    """How many attempts have ended."""
    failures: Ints
    """How many of them failed."""
    first_failed: npt.NDArray[np.bool_]
    """Whether the first failed; False where there was none."""


def read_tries(ledger_or_frame: Source, *more: str) -> Tries:
    """Read attempts from a ledger or a frame, which must also have the columns `more`."""
    frame = ledger_or_frame
    if not isinstance(frame, pd.DataFrame):
        try:
            frame = items_frame(frame)
        except TypeError as error:
            raise TypeError(
                f"ledger_or_frame is {ledger_or_frame!r:.80}, expected a ledger, its path or URL, or a DataFrame"
            ) from error
    if frame.columns.has_duplicates:
        raise ValueError(f"ledger_or_frame has the columns {_listed(frame.columns)}, expected each once")
    as_items = {"status", "attempts"} <= set(frame.columns)
    needed = ["repo_id", *more, *(() if as_items else ("succeeded",))]
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        hint = ", or status and attempts (as items_frame gives them) instead of succeeded" if not as_items else ""
        index = [name for name in frame.index.names if name is not None and name in missing]
        if index:
            hint += f"; {_listed(index)} is in the index, so call reset_index() first"
        raise ValueError(
            f"ledger_or_frame lacks {_listed(missing)}: its columns are {_listed(frame.columns)}, "
            f"expected {_listed(needed)}{hint}"
        )
    repos = strings(frame, "repo_id")
    if as_items:
        attempts, failures, first_failed = _of_items(frame)
    else:
        succeeded = _booleans(frame["succeeded"])
        attempts = np.array([value is not None for value in succeeded], dtype=np.int64)
        first_failed = np.array([value is False for value in succeeded], dtype=bool)
        failures = first_failed.astype(np.int64)
    return Tries(frame, repos, attempts, failures, first_failed)


def _of_items(frame: pd.DataFrame) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    try:
        # A closed item was tried at least once, whatever became of its first event.
        counted = frame["attempts"].astype("Int64").fillna(0).to_numpy(dtype=np.int64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the column attempts of ledger_or_frame holds no whole numbers: {error}") from error
    if counted.size and counted.min() < 0:
        raise ValueError(f"the column attempts of ledger_or_frame has {counted.min()}, expected whole numbers from 0")
    status = frame["status"].astype(object).to_numpy()
    for value in pd.unique(status):
        if value not in _dtypes.STATUSES:
            raise ValueError(
                f"the column status of ledger_or_frame has {value!r:.80}, expected one of {_dtypes.STATUSES}"
            )
    succeeded, failed = status == "succeeded", status == "failed"
    closed = np.where(succeeded | failed, np.maximum(counted, 1), 0)
    ended = np.where(status == "in_progress", np.maximum(counted - 1, 0), closed)
    failures = ended - succeeded
    return ended, failures, failures > 0


def strings(frame: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    """Take a column of ids; every one must be a str."""
    values = frame[name].astype(object).to_numpy()
    for value in values:
        if not isinstance(value, str):
            raise TypeError(
                f"the column {name} of ledger_or_frame has {value!r:.80}, expected ids as str, none missing"
            )
    return values


def numbered(ids: Iterable[str]) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Number ids in order of appearance; pandas 2.2 would take an empty id and a zero byte for the same."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(each, len(numbers)) for each in ids], dtype=np.intp)
    return codes, list(numbers)


def _booleans(column: pd.Series[Any]) -> list[bool | None]:
    values: list[bool | None] = []
    for value in column.astype(object):
        if isinstance(value, bool | np.bool_):
            values.append(bool(value))
        elif pd.api.types.is_scalar(value) and pd.isna(value):
            values.append(None)
        else:
            raise TypeError(
                f"the column succeeded of ledger_or_frame has {value!r:.80}, expected True, False or a missing value "
                "(not tried)"
            )
    return values


# ---------------------------------------------------------------------- how far a ranking carries


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
    _, alpha, beta = _posterior(fit, prior)
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
    overlaps = int(np.count_nonzero((high >= low[top]) & (low <= high[top]))) - 1
    others = f"all {len(fit) - 1}" if overlaps == len(fit) - 1 else f"{overlaps} of the {len(fit) - 1}"
    level = fit.attrs.get("confidence_level")
    return (
        f"the data do not support a ranking of the {len(fit)} repos ({failures:,} failures in {n:,} attempts): the "
        f"highest rate, {rate[top]:.2g} of {shortened(str(fit.index[top]), 60)!r} "
        f"({f'{100 * level:g} % ' if isinstance(level, float) else ''}credible interval {low[top]:.2g} to "
        f"{high[top]:.2g}), {doubt}; its interval overlaps those of {others} others. "
        f"Use the rate of all, {failures / n:.2g}, or gather more runs, before you harden one repo and not another"
    )


def _probability_of_highest(alpha: Floats, beta: Floats, top: int) -> float:
    from scipy.special import betainc  # noqa: PLC0415  # import seqkit stays light

    nodes, weights = np.polynomial.legendre.leggauss(200)
    at = _quantiles(alpha[top], beta[top], (nodes + 1) / 2)
    pairs, counts = np.unique(np.delete(np.stack([alpha, beta], axis=1), top, axis=0), axis=0, return_counts=True)
    below = np.zeros_like(at)
    with np.errstate(divide="ignore"):
        for (a, b), count in zip(pairs, counts, strict=True):
            below += count * np.log(betainc(a, b, at))
    return float(np.sum(weights / 2 * np.exp(below)))


# ---------------------------------------------------------------------- draws of the rates


def posterior_draws(
    fit: pd.DataFrame,
    n: int = 100,
    rng: int | np.random.Generator | None = None,
    prior: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Draw rates that the data allow, so that what is not known about them can flow into an analysis.

    Parameters
    ----------
    fit : DataFrame
        What :func:`fit_failure_rates` gave.
    n : int
        How many draws.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from; None takes fresh entropy.
    prior : pair of float, optional
        The prior of the fit; by default the one it carries in ``attrs``, else Jeffreys'.

    Returns
    -------
    pandas.DataFrame
        Index `draw` (from 0), a column of float64 for each repo, in the order of `fit`. A repo's draws
        depend on the seed, its name and its counts alone, not on which other repos are there, nor on `n`.
        ``attrs["seed"]`` is the seed.

    Raises
    ------
    ValueError, TypeError
        Where `fit` is no fit, its rates do not come of this prior, or `n` is no whole number from 0.

    Notes
    -----
    Inverse transform sampling: the quantile of Beta(f + a, n − f + b) at u = (w + ½) / 2**52, with w the
    upper 52 bits of the word at the address (seed, "repo", name, attempt 0, level 1, number of the draw)
    of :mod:`seqkit.draws`. Releases count attempts from 1, so one seed may serve both. O(n · repos).

    Examples
    --------
    >>> frame = pd.DataFrame({"repo_id": ["api"] * 40, "succeeded": [False] * 10 + [True] * 30})
    >>> fit = fit_failure_rates(frame)
    >>> posterior_draws(fit, n=3, rng=7).round(2)["api"].tolist()
    [0.35, 0.2, 0.22]
    """
    repos, alpha, beta = _posterior(fit, prior)
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"n is {n!r}, expected a whole number from 0")
    if not 0 <= n < 1 << 32:
        raise ValueError(f"n is {n}, expected a whole number from 0 to {(1 << 32) - 1}")
    seed = draws.resolve_seed(rng)
    rates = np.empty((n, len(repos)))
    for column, repo in enumerate(repos):
        words = [draws.word(seed, "repo", repo, 0, 1, number) >> 12 for number in range(n)]
        rates[:, column] = _quantiles(alpha[column], beta[column], (np.array(words, dtype=np.float64) + 0.5) / 2.0**52)
    drawn = pd.DataFrame(rates, index=pd.RangeIndex(n, name="draw"), columns=_repo_index(repos))
    drawn.attrs = {"seed": seed}
    return drawn


def posterior_models(
    fit: pd.DataFrame,
    n: int = 100,
    rng: int | np.random.Generator | None = None,
    prior: Sequence[float] | None = None,
    default: float | None = None,
) -> list[FailureModel]:
    """Draw failure models that the data allow: one for each row of :func:`posterior_draws`.

    Analyse a plan under each, and the spread of the answers is what the data leave open.

    Parameters
    ----------
    fit, n, rng, prior
        As in :func:`posterior_draws`.
    default : float, optional
        The rate of repos that the fit does not know, as in :meth:`seqkit.FailureModel.from_fit`; it is
        the same in every model.

    Returns
    -------
    list of FailureModel
        `n` of them.

    Examples
    --------
    >>> frame = pd.DataFrame({"repo_id": ["api"] * 40, "succeeded": [False] * 10 + [True] * 30})
    >>> models = posterior_models(fit_failure_rates(frame), n=3, rng=7)
    >>> [round(model.rate("api"), 2) for model in models], models[0].rate("unknown")
    ([0.35, 0.2, 0.22], 0.25)
    """
    drawn = posterior_draws(fit, n, rng, prior)
    default = FailureModel.from_fit(fit, default).default
    repos = list(drawn.columns)
    return [FailureModel(dict(zip(repos, row, strict=True)), default) for row in drawn.to_numpy().tolist()]


def _posterior(fit: pd.DataFrame, prior: Sequence[float] | None) -> tuple[list[str], Floats, Floats]:
    """Give the repos of a fit and the parameters of their Beta distributions."""
    model = FailureModel.from_fit(fit, default=0.0)  # checks the columns
    missing = [name for name in ("low", "high") if name not in fit.columns]
    if missing:
        raise ValueError(f"fit lacks the columns {_listed(missing)}, expected what fit_failure_rates gives")
    a, b = _checked_prior(fit.attrs.get("prior", JEFFREYS) if prior is None else prior)
    attempts, failures = (fit[name].to_numpy(dtype=np.float64) for name in ("attempts", "failures"))
    alpha, beta = failures + a, attempts - failures + b
    if not np.allclose(fit["rate"].to_numpy(dtype=np.float64), alpha / (alpha + beta), rtol=1e-9, atol=0):
        raise ValueError(
            f"prior is {(a, b)}, but the column rate of fit does not come of it; give the prior of the fit, "
            "or fit again with this one"
        )
    return list(model.rates), alpha, beta


# ---------------------------------------------------------------------- small helpers


def _quantiles(alpha: Floats, beta: Floats, at: Any) -> Any:
    """Give quantiles of Beta distributions; the order of `at` comes first in the result."""
    from scipy.special import betaincinv  # noqa: PLC0415  # import seqkit stays light

    return betaincinv(
        alpha, beta, np.expand_dims(np.asarray(at, dtype=np.float64), tuple(range(1, 1 + np.ndim(alpha))))
    )


def _repo_index(repos: list[str]) -> Any:
    return pd.Index(_dtypes.string(repos), name="repo_id")


def _checked_prior(prior: Any) -> tuple[float, float]:
    try:
        a, b = (float(value) for value in prior)
    except (TypeError, ValueError) as error:
        raise TypeError(f"prior is {prior!r:.80}, expected two positive numbers such as (0.5, 0.5)") from error
    if not (0 < a < np.inf and 0 < b < np.inf):
        raise ValueError(f"prior is {prior!r:.80}, expected two positive, finite numbers such as (0.5, 0.5)")
    return a, b


def _checked_level(level: Any) -> float:
    if isinstance(level, bool) or not isinstance(level, int | float | np.number):
        raise TypeError(f"confidence_level is {level!r:.80}, expected a number between 0 and 1, such as 0.95")
    if not 0 < level < 1:
        raise ValueError(f"confidence_level is {level!r}, expected a number between 0 and 1, such as 0.95")
    return float(level)


def _listed(names: Iterable[Any]) -> str:
    shown = [shortened(str(name), 40) for name in names]
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "") or "none"
