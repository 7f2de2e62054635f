"""Repos whose times are lognormal, and that lean on one another where each has few.

The logarithms of a repo's times are normal with its own mean θ and its own standard deviation σ. The means are
themselves normal, with mean μ and standard deviation τ, and 1/σ² has a gamma distribution (σ² a scaled inverse χ²) with
ν degrees of freedom and scale s. What all repos tell of μ, τ, ν and s is not taken as known, but integrated over too,
so that intervals are long enough where repos are few: a hierarchical normal model (Gelman et al. 2013, ch. 5).

Priors: flat for μ, half-Cauchy with scale 1 for τ (Gelman 2006), log s normal around log 0.3 with standard deviation 1,
log ν uniform from log 1 to log 64. Everything is in logarithms, so no unit of time is preferred.

Densities of σ and τ stand on grids of logarithms; each is then replaced by a few of its quantiles, those of a
Gauss–Legendre rule, given which θ is normal. All that is asked for is a quantile of a mixture of normal distributions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from seqkit.fitting.quadrature import gauss_legendre

__all__ = ["PRIOR_SCALE", "Pool", "quantiles_of_mixtures"]

Floats = npt.NDArray[np.float64]

PRIOR_SCALE = (0.3, 1.0)
"""What is assumed of s before: its median, and the standard deviation of its logarithm."""

_SIGMAS = np.geomspace(1e-3, 4.0, 500)
_SCALES = np.geomspace(0.01, 4.0, 40)
_FREEDOMS = np.geomspace(1.0, 64.0, 10)
_TAUS = np.geomspace(1e-3, 30.0, 300)
_NODES_OF_SIGMA, _NODES_OF_TAU = 20, 14
_HALVINGS = 32
_AT_A_TIME = 256  # repos


@dataclass(frozen=True, eq=False)
class Pool:
    """What is known of each repo and of one that was never seen: mixtures of normal distributions.

    Each array has a row a repo, the last being that which was never seen, and a column a node. Everything is of
    logarithms.
    """

    means: Floats
    """Of θ, the logarithm of the repo's median."""
    spreads: Floats
    """Its standard deviation."""
    sigmas: Floats
    """Standard deviation of the repo's times."""
    weights: Floats
    """How likely each node is, the same for all repos."""
    own: Floats
    """By repo: how much of its θ comes of its own times, 0 to 1."""

    @classmethod
    def of(cls, counts: Floats, means: Floats, squares: Floats) -> Pool:
        """Learn from repos with so many times, of this mean, with this sum of squares around it.

        Counts may be sums of weights. O(repos · 20,000).
        """
        log_likelihood = -np.outer(np.maximum(counts - 1, 0), np.log(_SIGMAS)) - np.outer(squares / 2, _SIGMAS**-2)
        sigma = _sigmas(log_likelihood)
        typical = np.exp(sigma[:-1] @ np.log(_SIGMAS))
        taus, centres, doubts = _between(means, typical**2 / counts)
        nodes = _likely(np.log(_SIGMAS), sigma, _NODES_OF_SIGMA)[:, :, None]
        precision = np.append(counts, 0.0)[:, None, None] / nodes**2
        weights = np.outer(_rule(_NODES_OF_SIGMA)[1], _rule(_NODES_OF_TAU)[1])
        # Given τ the centre μ is normal too, so a repo's θ is known through the others only as well as μ is.
        own = precision / (precision + 1 / (taus**2 + doubts))
        told = np.append(means, 0.0)[:, None, None]
        shape = (len(counts) + 1, -1)
        return cls(
            means=(own * told + (1 - own) * centres).reshape(shape),
            spreads=np.sqrt((1 - own) * (taus**2 + doubts)).reshape(shape),
            sigmas=np.broadcast_to(nodes, own.shape).reshape(shape),
            weights=weights.ravel(),
            own=(own * weights).sum(axis=(1, 2)),
        )


def _sigmas(log_likelihood: Floats) -> Floats:
    """Give the posterior of each repo's σ on the grid, and that of a repo never seen; rows sum to 1."""
    prior, log_weight = _prior()
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    evidence = np.maximum(likelihood @ prior.T, np.finfo(np.float64).tiny)
    log_weight = log_weight + np.log(evidence).sum(axis=0)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    posterior = np.vstack([likelihood * ((weight / evidence) @ prior), weight @ prior])
    return np.asarray(posterior / posterior.sum(axis=1, keepdims=True))


@cache
def _prior() -> tuple[Floats, Floats]:
    """Give, for each pair of ν and s, the density of σ on the grid, and how likely the pair is, as a logarithm."""
    freedom, scale = (each.ravel() for each in np.meshgrid(_FREEDOMS, _SCALES))
    # The grid is one of log σ.
    log_prior = -np.outer(freedom, np.log(_SIGMAS)) - np.outer(freedom * scale**2 / 2, _SIGMAS**-2)
    prior = np.exp(log_prior - log_prior.max(axis=1, keepdims=True))
    middle, width = PRIOR_SCALE
    return prior / prior.sum(axis=1, keepdims=True), -((np.log(scale / middle) / width) ** 2) / 2


def _between(means: Floats, variances: Floats) -> tuple[Floats, Floats, Floats]:
    """Give nodes of τ that are equally likely, and for each the mean and the variance of μ."""
    precision = 1 / (_TAUS[:, None] ** 2 + variances)
    total = precision.sum(axis=1)
    centre = precision @ means / total
    log_density = 0.5 * (np.log(precision).sum(axis=1) - np.log(total))
    log_density -= 0.5 * (precision * (means - centre[:, None]) ** 2).sum(axis=1)
    log_density += np.log(_TAUS) - np.log1p(_TAUS**2)  # half-Cauchy, on a grid of logarithms
    density = np.exp(log_density - log_density.max())
    taus = _likely(np.log(_TAUS), density[None], _NODES_OF_TAU)[0]
    precision = 1 / (taus[:, None] ** 2 + variances)
    total = precision.sum(axis=1)
    return taus, precision @ means / total, 1 / total


def _likely(logs: Floats, density: Floats, count: int) -> Floats:
    """Give quantiles of each density on a grid of logarithms, at the nodes of a rule over the shares below them."""
    below = np.cumsum(density, axis=1)
    below = (below - density / 2) / below[:, -1:]
    return np.exp([np.interp(_rule(count)[0], heights, logs) for heights in below])


@cache
def _rule(count: int) -> tuple[Floats, Floats]:
    nodes, weights = gauss_legendre(count)
    return (nodes + 1) / 2, weights / 2


def quantiles_of_mixtures(means: Floats, spreads: Floats, weights: Floats, share: float) -> Floats:
    """Give a quantile of each mixture of normal distributions, a row each, by bisection.

    Examples
    --------
    >>> half = np.array([0.5, 0.5])
    >>> quantiles_of_mixtures(np.array([[0.0, 0.0], [-5.0, 7.0]]), np.ones((2, 2)), half, 0.5).round(6).tolist()
    [0.0, 1.0]
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415  # import seqkit stays light

    found = np.empty(len(means))
    for start in range(0, len(means), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        own = means[part] + ndtri(share) * spreads[part]
        low, high = own.min(axis=1), own.max(axis=1)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            reached = ndtr((middle[:, None] - means[part]) / spreads[part]) @ weights >= share
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        found[part] = (low + high) / 2
    return found
