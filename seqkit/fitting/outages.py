"""Runs that a common cause may have struck: how well a cause explains them, and what is left to the repos themselves.

In a run that the cause struck each first try of a member fails with c = s + (1 − s) p, in another with p. Given the
probability π and the severity s of the cause, what is not seen is which runs it struck, and which failures it alone
made: those say nothing about p. Variational Bayes takes the rates as independent of that, each Beta, and improves
both in turn; what comes out is the rates' posterior, and a lower bound of the likelihood of π and s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqkit.fitting.attempts import Items

__all__ = ["Outages"]

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_ROUNDS = 60
_SETTLED = 1e-8  # of a share of a failure


@dataclass(frozen=True, eq=False)
class Outages:
    """First tries of the members of a group, run by run."""

    items: Index
    """Which items: those of members."""
    failed: Index
    """Which items: the first tries of members that failed."""
    run: Index
    """The run of each of these."""
    repo: Index
    """Its member, among those that failed."""
    passed: Floats
    """By run: how many first tries of members succeeded."""
    tried: Floats
    """By run: how many there were."""
    counts: tuple[Floats, Floats]
    """Failures and successes of each member that failed."""
    ratio: float
    """The dispersion ratio: the squared excess failures of the runs over their variance under independence."""

    @classmethod
    def of(cls, items: Items, run: Index, members: list[str]) -> Outages:
        """Take the members' first tries out of a record."""
        at = np.flatnonzero(np.isin(items.repo, [items.names.index(repo) for repo in members]))
        _, of_run = np.unique(run[at], return_inverse=True)
        x = (items.lost[at] > 0).astype(np.float64)
        tries, failures = (
            np.bincount(items.repo[at], each, len(items.names)).astype(np.float64) for each in (np.ones(len(at)), x)
        )
        rate = failures / np.maximum(tries, 1)
        excess = np.bincount(of_run, x - rate[items.repo[at]])
        variance = float(np.sum(tries * rate * (1 - rate)))
        failing = np.flatnonzero(failures)
        return cls(
            items=at,
            failed=at[x > 0],
            run=of_run[x > 0],
            repo=np.searchsorted(failing, items.repo[at][x > 0]),
            passed=np.bincount(of_run, 1 - x).astype(np.float64),
            tried=np.bincount(of_run).astype(np.float64),
            counts=(failures[failing], (tries - failures)[failing]),
            ratio=float(np.sum(excess**2)) / variance if variance else np.nan,
        )

    def explained(self, probability: Floats, severity: Floats, prior: tuple[float, float]) -> tuple[Floats, Floats]:
        """Give the log-likelihood of each (probability, severity), and which share of each failure is the cause's.

        The first has the shape of `probability`, the second a last axis over `failed` more. The likelihood is up to a
        constant and integrated over the rates, as far as its lower bound goes.
        """
        from scipy.special import betaln, digamma, expit, xlogy  # noqa: PLC0415  # import seqkit stays light

        (a, b), (failures, successes) = prior, self.counts
        beta = b + successes
        s = severity[..., None]
        runs, members = len(self.passed), len(failures)
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = (np.log(probability) - np.log1p(-probability))[..., None] + xlogy(self.passed, 1 - s)
        masked = np.zeros((*probability.shape, len(self.failed)))
        for _ in range(_ROUNDS):
            alpha = a + failures - _summed(masked, self.repo, members)
            log_own = (digamma(alpha) - digamma(alpha + beta))[..., self.repo]
            log_struck = np.log(s + (1 - s) * np.exp(log_own))
            more = _summed(log_struck - log_own, self.run, runs)
            struck = expit(odds + more)
            before, masked = masked, struck[..., self.run] * s * np.exp(-log_struck)
            if np.abs(masked - before).max(initial=0.0) < _SETTLED:
                break
        alpha = a + failures - _summed(masked, self.repo, members)
        mean_own, mean_other = digamma(alpha) - digamma(alpha + beta), digamma(beta) - digamma(alpha + beta)
        divergence = betaln(a, b) - betaln(alpha, beta) + (alpha - a) * mean_own + (beta - b) * mean_other
        log_own = mean_own[..., self.repo]
        calm = _summed(log_own, self.run, runs)
        storm = xlogy(self.passed, 1 - s) + _summed(np.log(s + (1 - s) * np.exp(log_own)), self.run, runs)
        with np.errstate(divide="ignore"):
            either = np.logaddexp(np.log1p(-probability)[..., None] + calm, np.log(probability)[..., None] + storm)
        likelihood = either.sum(axis=-1) + (successes * mean_other - divergence).sum(axis=-1)
        return likelihood, masked


def _summed(values: Floats, place: Index, size: int) -> Floats:
    """Sum the last axis by place."""
    total = np.zeros((size, *values.shape[:-1]))
    np.add.at(total, place, np.moveaxis(values, -1, 0))
    return np.moveaxis(total, 0, -1)
