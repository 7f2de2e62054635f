"""What a failure model means for the items of one plan: arrays over plan positions.

A *common cause* acts on who is released exactly as one more repo would that every member depends
on, that fails with the cause's probability, and that nobody counts. Read this way it needs no
separate treatment: it is one more ancestor. (The difference is in the words: a member that is struck
has failed, a repo below a failed one is skipped.) That is so of causes that fail every try. What milder ones do is
in the rates of one set of chances; :class:`Mixture` holds a set for each way in which they may strike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seqkit.core.plan import SequencePlan

__all__ = ["Bools", "Chances", "Common", "Floats", "Integers", "Mixture", "subset_sums"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_Mean = TypeVar("_Mean", float, Floats)


@dataclass(frozen=True)
class Common:
    """A common cause of severity 1, or several with the same members; it may strike or not."""

    chance: float
    spared: float  # 1 - chance, precise where it is small
    log_spared: float
    members: Integers  # positions of released items

    @classmethod
    def of(cls, chances: Sequence[float], members: Integers) -> Common:
        """Fold independent causes of these probabilities into one."""
        if len(chances) == 1:
            return cls(chances[0], 1.0 - chances[0], math.log1p(-chances[0]), members)
        log_spared = math.fsum(math.log1p(-chance) for chance in chances)
        return cls(-math.expm1(log_spared), math.exp(log_spared), log_spared, members)


@dataclass(frozen=True)
class Chances:
    """Rates and probabilities by plan position; unreleased items never fail and count nowhere.

    q = 0 is kept apart from the logarithms: `log_q` is 0 there, `zero` is True, and the zeros of a
    product are counted. Sets of causes are bits of an integer.
    """

    plan: SequencePlan
    released: Bools
    p: Floats  # of failing all tries, `causes` apart
    mine: Floats  # the part of it that would not be there if the repo had no fault of its own
    log_q: Floats
    zero: Bools
    causes: tuple[Common, ...]
    own: Integers  # causes that strike the repo itself
    strikes_above: Integers  # causes that strike an ancestor
    once: Integers  # causes that strike exactly one repo among the ancestors and the repo
    log_tried: Floats  # log of the probability that all above succeed, its zeros apart
    zeros_above: Integers

    @property
    def strikes(self) -> Integers:
        """Causes that strike the repo or an ancestor."""
        return self.strikes_above | self.own

    @property
    def new(self) -> Integers:
        """Causes that strike the repo and no ancestor."""
        return self.own & ~self.strikes_above

    @property
    def log_unstruck(self) -> Floats:
        """For each set of causes the log of the probability that none of them strikes."""
        return subset_sums([cause.log_spared for cause in self.causes])

    @property
    def log_released(self) -> Floats:
        """Log of the probability that the repo succeeds, its zeros apart."""
        return self.log_tried + self.log_q + self.log_unstruck[self.new]

    @property
    def fails_if_tried(self) -> Floats:
        """Probability of failure given that all above succeed."""
        struck = 0.0 - np.expm1(self.log_unstruck[self.new])  # 0.0 - x: a bare minus would make -0.0
        return self.p + (1.0 - self.p) * struck

    @property
    def tried(self) -> Floats:
        """Probability that all above succeed."""
        return np.where(self.zeros_above > 0, 0.0, np.exp(self.log_tried))

    @property
    def succeeded(self) -> Floats:
        """Probability of success; 0 for unreleased items."""
        possible = self.released & ~self.zero & (self.zeros_above == 0)
        return np.where(possible, np.exp(self.log_released), 0.0)

    @property
    def failed(self) -> Floats:
        """Probability of failure."""
        return self.tried * self.fails_if_tried

    @property
    def skipped(self) -> Floats:
        """Probability of being skipped, precise where it is tiny."""
        return np.where(self.zeros_above > 0, 1.0, 0.0 - np.expm1(self.log_tried))

    @property
    def lost(self) -> Floats:
        """Probability that the repo is not released, precise where it is tiny; 0 for unreleased items."""
        sure = self.zero | (self.zeros_above > 0)
        return np.where(self.released, np.where(sure, 1.0, 0.0 - np.expm1(self.log_released)), 0.0)


def subset_sums(values: Sequence[float]) -> Floats:
    """Sum each subset of some values, by the bits of its number."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums


@dataclass(frozen=True)
class Mixture:
    """Chances given each set of mild causes that may strike, with the probability of that set."""

    parts: tuple[tuple[float, Chances], ...]

    @property
    def any(self) -> Chances:
        """One of the sets of chances, for what they have in common."""
        return self.parts[0][1]

    def mean(self, of: Callable[[Chances], _Mean]) -> _Mean:
        """Average a number, or an array, over the parts."""
        if len(self.parts) == 1:
            return of(self.any)
        values = [(weight, of(chances)) for weight, chances in self.parts]
        if isinstance(values[0][1], float):
            return math.fsum(weight * value for weight, value in values)
        return sum(weight * value for weight, value in values)  # type: ignore[return-value]
