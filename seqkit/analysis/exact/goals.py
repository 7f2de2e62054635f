"""What a release is for: as many repos as can be, all of them, or at least k.

Each goal is a number that is linear in every single probability of failing, so that what a change of one of them
buys is the change times :meth:`Goal.leverage`, exactly.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.exact.chances import Chances, Floats, Integers, Mixture
from seqkit.analysis.exact.distribution import at_least_given, law_of_count
from seqkit.analysis.exact.faults import Faults
from seqkit.analysis.exact.relative import relative_sums
from seqkit.core.closure import Closure, Part

__all__ = ["Goal", "Of", "Worth", "goal_of"]

_UNFELT = 1e-22  # of the likeliest: what sums of at most millions cannot feel

Of = Literal["expected", "all"] | int
"""The goal: ``"expected"`` repos released, ``"all"`` of them, or at least so many; the last two as probabilities."""


@dataclass(frozen=True)
class Worth:
    """What each released repo is worth to a goal, in plan order."""

    gain: Floats  # of the goal if it never failed
    birnbaum: Floats  # the goal if it never failed less the goal if it always did
    at_worst: Floats  # the loss if it always failed
    at_best: Floats  # the loss if it never did
    extra: Floats  # releases below it had it succeeded, expected given that it fails


@dataclass(frozen=True)
class Slopes:
    """How fast a loss grows with how likely each fault is."""

    mine: Floats  # of each released repo: with how likely its own fault takes part
    whole: Floats  # the loss that hangs on the repo's not failing: what an always fatal cause of its own would add
    causes: dict[tuple[int, ...], float]  # the same of causes of severity 1, by their members


class Goal(ABC):
    """What is asked for. `value` is the number wanted, `loss` what is missing from it, precise where it is small."""

    @abstractmethod
    def value(self, mixture: Mixture) -> float:
        """Work out the number."""

    @abstractmethod
    def loss(self, mixture: Mixture) -> float:
        """Work out what is missing from the highest that it can be."""

    @abstractmethod
    def leverage(self, chances: Chances) -> Floats:
        """Give for each released repo the number if it does not fail by itself, less the number if it does."""

    @abstractmethod
    def worth(self, faults: Faults, mixture: Mixture) -> Worth:
        """Work out what each repo is worth."""

    def slopes(self, mixture: Mixture, below: Closure) -> Slopes:
        """Give how fast the loss grows; nothing is certain to fail. `below` is a closure from all released."""
        del below
        where = np.flatnonzero(mixture.any.released)
        mine, whole = np.zeros(len(where)), np.zeros(len(where))
        for weight, chances in mixture.parts:
            leverage = weight * self.leverage(chances)
            mine += leverage * chances.mine[where]
            whole += leverage * np.exp(chances.log_q[where])
        return Slopes(mine, whole, self.of_causes(mixture))

    @abstractmethod
    def of_causes(self, mixture: Mixture) -> dict[tuple[int, ...], float]:
        """Give :attr:`Slopes.causes`."""

    @abstractmethod
    def without(self, faults: Faults, mixture: Mixture) -> Floats:
        """Give the number for each released repo if that one were left out, counted over all of the plan."""


# ---------------------------------------------------------------------- how many are expected


class _Expected(Goal):
    def value(self, mixture: Mixture) -> float:
        return math.fsum(mixture.mean(lambda chances: chances.succeeded))

    def loss(self, mixture: Mixture) -> float:
        return math.fsum(mixture.mean(lambda chances: chances.lost))

    def leverage(self, chances: Chances) -> Floats:
        where = np.flatnonzero(chances.released)
        below, _ = relative_sums(chances, where)
        return np.asarray(chances.tried[where] * _unstruck(chances, where) * (1.0 + below), dtype=np.float64)

    def worth(self, faults: Faults, mixture: Mixture) -> Worth:
        where = np.flatnonzero(mixture.any.released)
        parts = [(weight, _of_expected(chances, where)) for weight, chances in mixture.parts]

        def mean(name: str) -> Floats:
            if len(parts) == 1:
                return np.asarray(parts[0][1][name], dtype=np.float64)
            return np.asarray(sum(weight * part[name] for weight, part in parts), dtype=np.float64)

        gain, failed, tried = mean("gain"), mean("failed"), mean("tried")
        if len(parts) == 1:
            extra = parts[0][1]["extra"]
        else:
            with np.errstate(divide="ignore", invalid="ignore"):  # of the branches that are not taken
                extra = np.where(failed > 0, mean("failed_extra") / failed, mean("tried_extra") / tried)
            never = np.flatnonzero(np.isnan(extra))  # never even tried
            extra[never] = mean("extra")[never]
        loss = float(np.sum(mixture.mean(lambda chances: chances.lost)))
        at_best = loss - gain
        for place in np.flatnonzero(gain > loss / 2):  # at most one repo, where the difference would lose digits
            at_best[place] = self.loss(_perfect(faults, int(where[place])))
        return Worth(gain, mean("birnbaum"), loss + mean("if_failed"), at_best, extra)

    def slopes(self, mixture: Mixture, below: Closure) -> Slopes:
        # Far faster than the relative sums of `leverage`, which shares need not: nothing is certain to fail here.
        where = np.flatnonzero(mixture.any.released)
        mine, whole = np.zeros(len(where)), np.zeros(len(where))
        for weight, chances in mixture.parts:
            released = chances.succeeded
            hangs = weight * (released[where] + _sums_below(below, released))
            mine += hangs * np.exp(-chances.log_q[where]) * chances.mine[where]
            whole += hangs
        return Slopes(mine, whole, self.of_causes(mixture))

    def of_causes(self, mixture: Mixture) -> dict[tuple[int, ...], float]:
        released = mixture.mean(lambda chances: chances.succeeded)
        strikes = mixture.any.strikes
        return {
            tuple(cause.members.tolist()): float(released[strikes >> bit & 1 == 1].sum())
            for bit, cause in enumerate(mixture.any.causes)
        }

    def without(self, faults: Faults, mixture: Mixture) -> Floats:
        where = np.flatnonzero(mixture.any.released)
        with_it = self.value(mixture) + self.worth(faults, mixture).gain
        return with_it - mixture.mean(lambda chances: chances.tried)[where]


def _sums_below(below: Closure, released: Floats) -> Floats:
    """Sum over what is below each repo, but for what is too unlikely to be released to be felt in the sum."""
    felt = np.flatnonzero(released > _UNFELT * released.max(initial=0.0))
    part = Part(0, len(below.sources), lambda: (felt, released[felt][None, :]))
    return below.descendant_sums_by_part([part], 1).reshape(-1)


def _unstruck(chances: Chances, where: Integers) -> Floats:
    return np.exp(chances.log_unstruck[chances.new[where]])


def _of_expected(chances: Chances, where: Integers) -> dict[str, Floats]:
    below, spared = relative_sums(chances, where)
    tried, fails = chances.tried[where], chances.fails_if_tried[where]
    p, unstruck = chances.p[where], _unstruck(chances, where)
    extra = below.copy()  # of repos that cannot fail
    can_fail = fails > 0
    extra[can_fail] = (unstruck * (p * below + spared))[can_fail] / fails[can_fail]
    failed = tried * fails
    return {
        "gain": failed * (1.0 + extra),
        "birnbaum": tried * (1.0 + unstruck * (below + spared)),
        "if_failed": chances.succeeded[where] * (1.0 + below),
        "extra": extra,
        "failed": failed,
        "failed_extra": failed * extra,
        "tried": tried,
        "tried_extra": tried * extra,
    }


def _perfect(faults: Faults, *positions: int) -> Mixture:
    return faults.changed(perfect=positions).mixture()


# ---------------------------------------------------------------------- probabilities


class _Probability(Goal):
    """A goal that is reached or not."""

    def worth(self, faults: Faults, mixture: Mixture) -> Worth:
        good, bad, gain, missed = self._given(faults, mixture)
        return Worth(gain, good - bad, 1.0 - bad, missed, _Expected().worth(faults, mixture).extra)

    @abstractmethod
    def _given(self, faults: Faults, mixture: Mixture) -> tuple[Floats, Floats, Floats, Floats]:
        """Give it if each repo never fails, if it always does, the gain of the first, and how likely that misses."""


class _All(_Probability):
    def value(self, mixture: Mixture) -> float:
        return mixture.mean(lambda chances: math.exp(_log_all(chances)))

    def loss(self, mixture: Mixture) -> float:
        return mixture.mean(lambda chances: 0.0 - math.expm1(_log_all(chances)))

    def leverage(self, chances: Chances) -> Floats:
        return np.exp(_log_others(chances))

    def _given(self, faults: Faults, mixture: Mixture) -> tuple[Floats, Floats, Floats, Floats]:
        del faults
        where = np.flatnonzero(mixture.any.released)
        good = mixture.mean(self.leverage)
        gain = mixture.mean(lambda chances: chances.p[where] * np.exp(_log_others(chances)))
        return good, np.zeros(len(where)), gain, mixture.mean(lambda chances: 0.0 - np.expm1(_log_others(chances)))

    def of_causes(self, mixture: Mixture) -> dict[tuple[int, ...], float]:
        value = self.value(mixture)
        return {tuple(cause.members.tolist()): value for cause in mixture.any.causes}

    def without(self, faults: Faults, mixture: Mixture) -> Floats:
        del faults
        return np.zeros(int(mixture.any.released.sum()))  # then not all are released, ever


def _log_all(chances: Chances) -> float:
    if chances.zero[chances.released].any():
        return -math.inf
    return math.fsum([*chances.log_q[chances.released].tolist(), *(cause.log_spared for cause in chances.causes)])


def _log_others(chances: Chances) -> Floats:
    """Give for each released repo the log of the probability that all others are released, and nobody is struck."""
    log_q, zero = chances.log_q[chances.released], chances.zero[chances.released]
    everyone = math.fsum([*log_q.tolist(), *(cause.log_spared for cause in chances.causes)])
    return np.where(zero.sum() > zero, -np.inf, everyone - log_q)


@dataclass(frozen=True)
class _AtLeast(_Probability):
    k: int

    def value(self, mixture: Mixture) -> float:
        return min(1.0, mixture.mean(lambda chances: math.fsum(law_of_count(chances)[self.k :])))

    def loss(self, mixture: Mixture) -> float:
        return min(1.0, mixture.mean(lambda chances: math.fsum(law_of_count(chances)[: self.k])))

    def leverage(self, chances: Chances) -> Floats:
        good, bad = (values[: len(chances.released)][chances.released] for values in at_least_given(chances, self.k))
        return good - bad

    def _given(self, faults: Faults, mixture: Mixture) -> tuple[Floats, Floats, Floats, Floats]:
        released = mixture.any.released
        good, bad = (
            mixture.mean(lambda chances: at_least_given(chances, self.k)[way][: len(released)][released])  # noqa: B023
            for way in (0, 1)
        )
        gain = mixture.mean(lambda chances: chances.p[released] * self.leverage(chances))
        value, missed = self.value(mixture), 1.0 - good
        struck = {position for strike in faults.strikes for position in strike.members if len(strike.members) > 1}
        for place, position in enumerate(np.flatnonzero(released).tolist()):
            if position in struck:  # a perfect repo is not struck either
                spared = _perfect(faults, position)
                good[place], missed[place] = self.value(spared), self.loss(spared)
                gain[place] = good[place] - value
        return good, bad, gain, missed

    def of_causes(self, mixture: Mixture) -> dict[tuple[int, ...], float]:
        n, causes = len(mixture.any.released), mixture.any.causes
        if not causes:
            return {}
        good, bad = (mixture.mean(lambda chances: at_least_given(chances, self.k)[way][n:]) for way in (0, 1))  # noqa: B023
        return {
            tuple(cause.members.tolist()): float(good[bit] - bad[bit]) * cause.spared
            for bit, cause in enumerate(causes)
        }

    def without(self, faults: Faults, mixture: Mixture) -> Floats:
        positions: list[int] = np.flatnonzero(mixture.any.released).tolist()
        return np.array(
            [self.value(faults.changed(left_out=[position]).mixture()) for position in positions],
            dtype=np.float64,
        )


def goal_of(of: Any, n_released: int) -> Goal:
    """Read an `of` argument.

    Raises
    ------
    TypeError, ValueError
        Where it is neither a word that is known nor a whole number from 1 to all.
    """
    if isinstance(of, str):
        if of not in ("expected", "all"):
            raise ValueError(f"of is {as_given(of, 200)}, expected 'expected', 'all' or a number of repos")
        return _Expected() if of == "expected" else _All()
    return _AtLeast(whole("of", of, 1, max(n_released, 1)))
