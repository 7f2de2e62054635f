"""How many failures no retry mends: the share h of :class:`seqkit.FailureModel`, from what became of retries.

Of a repo with rate p the share h of its failures means that it is broken in a run with b = h p; where it is not, each
try fails with f = (p − b) / (1 − b). An item that was released after x failures has the probability
(1 − b) f^x (1 − f), one that failed k times and was not tried again b + (1 − b) f^k. A record holds products of
these, so with Beta priors for b and f its posterior is a finite mixture of products of Beta distributions (over how
many of the failed items were broken; for different k, a product of such sums).

Here that mixture is summed before it is integrated, which costs the same however many parts it has. With
b + (1 − b) f^k = p (h + (1 − h) f^(k − 1)) and (1 − b) f = p (1 − h) the first tries say something about p alone,

    p^F (1 − p)^S (1 − h)^R f^X (1 − f)^R ∏_k (h + (1 − h) f^(k − 1))^(F_k)

with F and S first tries that failed and succeeded, R items that a retry released after X more failures, and F_k items
that failed k times. So an item that failed once and was not tried again (k = 1) says nothing about h beyond p.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqkit.fitting.arcsine import END, narrowed, summary
from seqkit.fitting.attempts import Items
from seqkit.fitting.quadrature import gauss_legendre

__all__ = ["NOTHING_RETRIED", "hard_shares"]

Floats = npt.NDArray[np.float64]

NOTHING_RETRIED = (
    "nothing was retried, so it is not known how many of the failures a retry mends (hard is missing): "
    "where an answer depends on retries, look at both ends, hard=0 and hard=1"
)

_NODES = 128  # of a Gauss–Legendre rule over the rate of a repo
_COARSE, _FINE = 65, 257  # angles of h, to find where it is and to integrate


def hard_shares(
    items: Items, weights: Floats, by: str, prior: tuple[float, float], level: float
) -> tuple[Floats, Floats, Floats]:
    """Give the posterior mean of h and its equal-tailed interval for each repo; NaN where it is not known.

    With ``by="repo"`` each repo has its own h, with Beta(½, ½) for b and f.

    With ``by="pooled"`` there is one h, Beta(½, ½), while each repo keeps a rate of its own, with the prior of the
    fit. To take all items for those of one repo would be simpler, and wrong: where some repos are flaky and others
    are not, a second try fails more often than a first one does on the whole, only because it is the flaky repos
    that come to a second try, and h looks large where it is 0. Where one repo alone was retried there is nothing to
    pool, and its own posterior is given.

    A weight is how often an item counts. Good to six digits; to three where no try at all of a repo has succeeded.
    O(repos with retries · 40,000).
    """
    known = items.by_repo(items.retried & (weights > 0)) > 0
    repos = np.flatnonzero(known)
    columns = np.full((3, len(items.names)), np.nan)
    if by == "repo" or len(repos) == 1:
        for at in repos:
            columns[:, at] = _of([_Retries(items, weights, int(at), None)], level)
        if by != "repo":
            columns[:] = columns[:, repos]
    elif len(repos):
        columns.T[:] = _of([_Retries(items, weights, int(at), prior) for at in repos], level)
    mean, low, high = columns
    return mean, low, high


class _Retries:
    """The items of one repo, and the nodes of its rate."""

    def __init__(self, items: Items, weights: Floats, at: int, prior: tuple[float, float] | None) -> None:
        from scipy.special import betaincinv  # noqa: PLC0415  # import seqkit stays light

        own = items.repo == at
        weight, lost, released = weights[own], items.lost[own], items.released[own]
        mended, stuck = released & (lost > 0), ~released & (lost > 1)
        self.mended = float(weight[mended].sum())
        self.more = float(weight[mended] @ (lost[mended] - 1))
        self.stuck = {int(k): float(weight[stuck & (lost == k)].sum()) for k in np.unique(lost[stuck])}
        failed, passed = float(weight[lost > 0].sum()), float(weight[lost == 0].sum())
        # In p and h, Beta(½, ½) of b and of f is [h (1 − h)]^(−½) [(1 − h p) (1 − p)]^(−½).
        self.tilt = 0.5 if prior is None else 0.0
        a, b = (1.0, 0.5) if prior is None else prior
        # The nodes are quantiles of what half the first tries would tell: wide enough for what retries say of p.
        half = (failed + a) / 2, max((passed + b) / 2, min(passed + b, 0.5))
        nodes, shares = gauss_legendre(_NODES)
        self.rates = betaincinv(*half, (nodes + 1) / 2)
        self.others = betaincinv(*half[::-1], (1 - nodes) / 2)
        other_half = (failed + a - half[0]) * np.log(self.rates) + (passed + b - half[1]) * np.log(self.others)
        self.shares = shares * np.exp(other_half - other_half.max())

    def log_likelihood(self, hard: Floats, soft: Floats) -> Floats:
        """Integrate over the rate; `soft` is 1 − `hard`, precise where it is small."""
        from scipy.special import logsumexp, xlogy  # noqa: PLC0415

        h, g = hard[:, None], soft[:, None]
        sound = self.others + self.rates * g  # 1 − h p
        flaky = self.rates * g / sound
        told = -self.tilt * np.log(sound) + xlogy(self.mended, g) + xlogy(self.more, flaky)
        told = told + xlogy(self.mended, self.others / sound)
        for k, count in self.stuck.items():
            told = told + xlogy(count, h + g * flaky ** (k - 1))
        return np.asarray(logsumexp(told, axis=1, b=self.shares))


def _of(records: Sequence[_Retries], level: float) -> tuple[float, float, float]:
    def log_density(angles: Floats) -> Floats:
        hard, soft = np.sin(angles) ** 2, np.cos(angles) ** 2
        with np.errstate(divide="ignore"):
            return np.asarray(sum(record.log_likelihood(hard, soft) for record in records))

    angles = np.linspace(0.0, END, _COARSE)
    angles = narrowed(angles, log_density(angles), _FINE)
    return summary(angles, log_density(angles), level)
