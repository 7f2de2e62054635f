"""What a fit of failure rates leaves open: draws of rates that the data allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit.core import draws
from seqkit.core.draws import Seed
from seqkit.core.failures import FailureModel
from seqkit.fitting.attempts import columns_told
from seqkit.fitting.priors import JEFFREYS, checked_prior

__all__ = ["COUNTS", "counts_of", "posterior_draws", "posterior_models", "posterior_of", "quantiles"]

COUNTS = (("effective_failures", "effective_runs"), ("first_failures", "runs"), ("failures", "attempts"))
"""The columns of failures and tries that rates are made of: the first pair that a fit has."""

Floats = npt.NDArray[np.float64]


def posterior_draws(
    fit: pd.DataFrame,
    n: int = 100,
    rng: Seed | None = None,
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
        The prior of the fit, as a pair; by default the one it carries in ``attrs``, else Jeffreys'.

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
    Inverse transform sampling: the quantile of a rate's Beta distribution at u = (w + ½) / 2**52, with w the upper
    52 bits of the word at the address (seed, "repo", name, attempt 0, level 1, number of the draw)
    of :mod:`seqkit.core.draws`. Releases count attempts from 1, so one seed may serve both. O(n · repos).

    Examples
    --------
    >>> frame = pd.DataFrame({"repo_id": ["api"] * 40, "succeeded": [False] * 10 + [True] * 30})
    >>> from seqkit import fit_failure_rates
    >>> fit = fit_failure_rates(frame)
    >>> posterior_draws(fit, n=3, rng=7).round(2)["api"].tolist()
    [0.35, 0.2, 0.22]
    """
    repos, alpha, beta = posterior_of(fit, prior)
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise TypeError(f"n is {as_given(n, 200)}, expected a whole number from 0")
    if not 0 <= n < 1 << 32:
        raise ValueError(f"n is {n}, expected a whole number from 0 to {(1 << 32) - 1}")
    seed = draws.resolve_seed(rng)
    rates = np.empty((n, len(repos)))
    for column, repo in enumerate(repos):
        words = [draws.word(seed, "repo", repo, 0, 1, number) >> 12 for number in range(n)]
        rates[:, column] = quantiles(alpha[column], beta[column], (np.array(words, dtype=np.float64) + 0.5) / 2.0**52)
    drawn = pd.DataFrame(rates, index=pd.RangeIndex(n, name="draw"), columns=dtypes.index(repos))
    drawn.attrs = {"seed": seed}
    return drawn


def posterior_models(
    fit: pd.DataFrame,
    n: int = 100,
    rng: Seed | None = None,
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
        the same in every model, and so is `hard`.

    Returns
    -------
    list of FailureModel
        `n` of them.

    Examples
    --------
    >>> frame = pd.DataFrame({"repo_id": ["api"] * 40, "succeeded": [False] * 10 + [True] * 30})
    >>> from seqkit import fit_failure_rates
    >>> models = posterior_models(fit_failure_rates(frame), n=3, rng=7)
    >>> [round(model.rate("api"), 2) for model in models], models[0].rate("unknown")
    ([0.35, 0.2, 0.22], 0.25)
    """
    drawn = posterior_draws(fit, n, rng, prior)
    model = FailureModel.from_fit(fit, default)
    repos = list(drawn.columns)
    return [replace(model, rates=dict(zip(repos, row, strict=True))) for row in drawn.to_numpy().tolist()]


def posterior_of(fit: pd.DataFrame, prior: Sequence[float] | None) -> tuple[list[str], Floats, Floats]:
    """Give the repos of a fit and the parameters of their Beta distributions."""
    model = FailureModel.from_fit(fit, default=0.0)  # checks the columns
    missing = [name for name in ("low", "high") if name not in fit.columns]
    if missing:
        raise ValueError(f"fit lacks the columns {columns_told(missing)}, expected what fit_failure_rates gives")
    a, b = checked_prior(fit.attrs.get("prior", JEFFREYS) if prior is None else prior)
    failures, tries = counts_of(fit)
    alpha, beta = failures + a, tries - failures + b
    if not np.allclose(fit["rate"].to_numpy(dtype=np.float64), alpha / (alpha + beta), rtol=1e-9, atol=0):
        raise ValueError(
            f"prior is {(a, b)}, but the column rate of fit does not come of it; give the prior of the fit, "
            "or fit again with this one"
        )
    return list(model.rates), alpha, beta


def counts_of(fit: pd.DataFrame) -> tuple[Floats, Floats]:
    """Give the failures and the tries that the rates of a fit are made of: those of first attempts."""
    failures, tries = next(pair for pair in COUNTS if set(pair) <= set(fit.columns))
    return fit[failures].to_numpy(dtype=np.float64), fit[tries].to_numpy(dtype=np.float64)


def quantiles(alpha: Floats, beta: Floats, at: Any) -> Any:
    """Give quantiles of Beta distributions; the order of `at` comes first in the result."""
    from scipy.special import betaincinv  # noqa: PLC0415  # import seqkit stays light

    return betaincinv(
        alpha, beta, np.expand_dims(np.asarray(at, dtype=np.float64), tuple(range(1, 1 + np.ndim(alpha))))
    )
