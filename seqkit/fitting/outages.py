"""Runs that a common cause may have struck: how well a cause explains them, and what is left to the repos themselves.

In a run that the cause struck each first try of a member fails with c = s + (1 − s) p, in another with p. Given the
probability π and the severity s of the cause, what is not seen is which runs it struck, and which failures it alone
made: those say nothing about p. Expectation propagation (Minka 2001) takes each failure for p^(1 − m), with m the
probability that it was the cause's alone, which is told by the run and by what all other failures say of the rate.
Where each member failed once at most that is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqkit.fitting.attempts import Items
from seqkit.fitting.dispersion import own_rates

__all__ = ["Groups", "Outages"]

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_ROUNDS = 60
_SETTLED = 1e-6  # of a share of a failure
_END = 1e-12  # how near a probability comes to 0 and 1, where logarithms end


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group each of some things is in, no group being empty."""

    group: Index
    """The group of each."""
    order: Index
    """The things, group by group."""
    starts: Index
    """Where in this order a group begins."""

    @classmethod
    def of(cls, labels: Index) -> Groups:
        """Put equal labels into a group; groups are in the order of labels."""
        group = np.unique(labels, return_inverse=True)[1]
        order = np.argsort(group, kind="stable")
        return cls(group, order, np.searchsorted(group[order], np.arange(group.max(initial=-1) + 1)))

    def sums(self, values: Floats) -> Floats:
        """Sum the last axis by group."""
        return np.add.reduceat(values[..., self.order], self.starts, axis=-1)


@dataclass(frozen=True, eq=False)
class Outages:
    """First tries of the members of a group, run by run."""

    failed: Index
    """Which items: the first tries of members that failed."""
    by_run: Groups
    """These by their run, of the runs that saw one."""
    by_repo: Groups
    """These by their member, of the members that failed."""
    passed: Floats
    """By run that saw a failure: how many first tries of members succeeded."""
    calm: tuple[Floats, Floats]
    """Of the other runs: how many first tries of members there were, and how many such runs."""
    counts: tuple[Floats, Floats]
    """Failures and successes of each member that failed."""
    runs: int
    """Runs that tried a member."""
    runs_of_two: int
    """Runs that tried two or more."""
    together: int
    """Runs in which two or more failed at their first try."""
    ratio: float
    """The dispersion ratio: the squared excess failures of the runs over their variance under independence."""

    @classmethod
    def of(cls, items: Items, run: Index, members: list[str]) -> Outages:
        """Take the members' first tries out of a record."""
        at = np.flatnonzero(np.isin(items.repo, [items.names.index(repo) for repo in members]))
        repo, of_run = items.repo[at], np.unique(run[at], return_inverse=True)[1]
        x = (items.lost[at] > 0).astype(np.float64)
        tries = np.bincount(repo, minlength=len(items.names)).astype(np.float64)
        failures = np.bincount(repo, x, len(items.names)).astype(np.float64)
        tried, failed = np.bincount(of_run), np.bincount(of_run, x)
        rate, variance = own_rates(repo, x)
        excess = np.bincount(of_run, x - rate)
        shaken, failing = np.flatnonzero(failed), np.flatnonzero(failures)
        return cls(
            failed=at[x > 0],
            by_run=Groups.of(of_run[x > 0]),
            by_repo=Groups.of(repo[x > 0]),
            passed=(tried - failed)[shaken].astype(np.float64),
            calm=_counted(tried[failed == 0]),
            counts=(failures[failing], (tries - failures)[failing]),
            runs=len(tried),
            runs_of_two=int(np.count_nonzero(tried >= 2)),
            together=int(np.count_nonzero(failed >= 2)),
            ratio=float(np.sum(excess**2)) / variance if variance else np.nan,
        )

    def explained(self, probability: Floats, severity: Floats, prior: tuple[float, float]) -> tuple[Floats, Floats]:
        """Give the log-likelihood of each (probability, severity), and which share of each failure is the cause's.

        The first has the shape of `probability`, the second a last axis over `failed` more. The likelihood is up to a
        constant and integrated over the rates, by expectation propagation.
        """
        from scipy.special import betaln, expit  # noqa: PLC0415  # import seqkit stays light

        (a, b), (failures, successes) = prior, self.counts
        beta = b + successes
        of, own_beta = self.by_repo.group, beta[self.by_repo.group]
        p, s = (np.clip(each, _END, 1 - _END)[..., None] for each in (probability, severity))
        struck, spared, survived = np.log(p), np.log1p(-p), np.log1p(-s)
        masked = np.zeros((*probability.shape, len(self.failed)))
        for _ in range(_ROUNDS):
            alpha = a + failures - self.by_repo.sums(masked)
            others = alpha[..., of] - (1 - masked)  # what all failures of the member but this one say
            rate = others / (others + own_beta)
            log_own, log_either = np.log(rate), np.log(s + (1 - s) * rate)
            odds = struck - spared + self.passed * survived + self.by_run.sums(log_either - log_own)
            before, masked = masked, expit(odds)[..., self.by_run.group] * s * np.exp(-log_either)
            if np.abs(masked - before).max(initial=0.0) < _SETTLED:
                break
        shaken = np.logaddexp(
            spared + self.by_run.sums(log_own), struck + self.passed * survived + self.by_run.sums(log_either)
        )
        tried, runs = self.calm
        calm = np.logaddexp(spared, struck + tried * survived) * runs
        whole = betaln(alpha, beta)
        rates = (whole - betaln(a, beta)).sum(axis=-1) - (whole[..., of] - betaln(others, own_beta)).sum(axis=-1)
        return shaken.sum(axis=-1) + calm.sum(axis=-1) + rates, masked


def _counted(values: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    distinct, times = np.unique(values, return_counts=True)
    return distinct.astype(np.float64), times.astype(np.float64)
