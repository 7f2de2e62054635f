"""What to assume of failure rates before anything was seen: a pair of numbers, given or learnt from all repos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqkit._util.secrets import as_given

__all__ = ["EMPIRICAL", "JEFFREYS", "Prior", "checked_prior", "empirical_prior", "prior_of"]

Floats = npt.NDArray[np.float64]

JEFFREYS = (0.5, 0.5)
"""The prior that favours no rate over another on any scale: worth one attempt, half a failure."""

EMPIRICAL = "empirical"
"""What an argument `prior` says for the prior that all repos together tell."""

Prior = Sequence[float] | str
"""What an argument `prior` takes: a pair, or the word for the empirical one."""

_STEPS = 16  # of the weight, on a scale of logarithms


def checked_prior(prior: Any) -> tuple[float, float]:
    """Read a `prior` argument that is a pair."""
    expected = f"expected two positive{{}} numbers such as (0.5, 0.5), or {EMPIRICAL!r}"
    try:
        if isinstance(prior, str):
            raise TypeError
        a, b = (float(value) for value in prior)
    except (TypeError, ValueError) as error:
        raise TypeError(f"prior is {as_given(prior)}, {expected.format('')}") from error
    if not (0 < a < np.inf and 0 < b < np.inf):
        raise ValueError(f"prior is {as_given(prior)}, {expected.format(', finite')}")
    return a, b


def prior_of(prior: Prior, failures: Floats, tries: Floats) -> tuple[float, float]:
    """Read a `prior` argument, and learn it from these counts where it says so."""
    if isinstance(prior, str) and prior == EMPIRICAL:
        return empirical_prior(failures, tries)
    return checked_prior(prior)


def empirical_prior(failures: Floats, tries: Floats) -> tuple[float, float]:
    """Find the Beta distribution of the repos' rates under which their counts are most likely.

    That is the beta-binomial distribution by maximum likelihood, with mean m and weight w: (m w, (1 − m) w).

    The weight is at least 1, that of Jeffreys' prior, and at most the number of all tries: repos that do not
    differ visibly would make it infinite, and then no amount of data about one of them could ever move its rate.
    A prior that is worth as much as all that it was learnt from is the strongest that the data can pay for. The mean
    is kept half a failure off 0 and 1. Without tries it is Jeffreys' prior.

    Examples
    --------
    >>> a, b = empirical_prior(np.array([1.0, 0.0, 2.0, 1.0]), np.array([50.0, 50.0, 50.0, 50.0]))
    >>> round(a + b), round(a / (a + b), 3)  # no sign that they differ: as strong as can be
    (200, 0.021)
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  # import seqkit stays light
    from scipy.special import betaln  # noqa: PLC0415

    total = float(tries.sum())
    if not total:
        return JEFFREYS
    # Repos with the same counts are looked at once.
    pairs, times = np.unique(np.stack([failures, tries], axis=1), axis=0, return_counts=True)
    failed, passed = pairs[:, 0], pairs[:, 1] - pairs[:, 0]
    least = 0.5 / (total + 1)

    def surprise(logit: float, log_weight: float) -> float:
        mean, weight = 1 / (1 + np.exp(-logit)), np.exp(log_weight)
        a, b = mean * weight, (1 - mean) * weight
        return -float(times @ (betaln(a + failed, b + passed) - betaln(a, b)))

    ends = (np.log(least / (1 - least)), np.log((1 - least) / least))

    def best(log_weight: float) -> tuple[float, float]:
        found = minimize_scalar(surprise, bounds=ends, args=(log_weight,), method="bounded", options={"xatol": 1e-7})
        return float(found.fun), float(found.x)

    weights = np.linspace(0.0, np.log(max(total, 1.0)), _STEPS)
    at = int(np.argmin([best(weight)[0] for weight in weights]))
    around = (weights[max(at - 1, 0)], weights[min(at + 1, _STEPS - 1)])
    log_weight = float(weights[at])
    if around[0] < around[1]:
        found = minimize_scalar(
            lambda weight: best(weight)[0], bounds=around, method="bounded", options={"xatol": 1e-9}
        )
        if found.fun < best(log_weight)[0]:
            log_weight = float(found.x)
    mean, weight = 1 / (1 + np.exp(-best(log_weight)[1])), np.exp(log_weight)
    return float(mean * weight), float((1 - mean) * weight)
