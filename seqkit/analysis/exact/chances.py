"""What a failure model means for the items of one plan: arrays over plan positions.

A *common cause* acts on who is released exactly as one more repo would that every member depends
on, that fails with the cause's probability, and that nobody counts. Read this way it needs no
separate treatment: it is one more ancestor. (The difference is in the words: a member that is struck
has failed, a repo below a failed one is skipped.)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqkit.core.closure import Closure
from seqkit.core.failures import Failing, FailureModel
from seqkit.core.plan import SequencePlan

__all__ = ["MOST_CAUSES", "Chances", "chances_of"]

MOST_CAUSES = 12
"""Sums over who is struck have 2**12 terms at most."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chances:
    """Rates and probabilities by plan position; unreleased items never fail and count nowhere.

    q = 0 is kept apart from the logarithms: `log_q` is 0 there, `zero` is True, and the zeros of a
    product are counted. Sets of causes are bits of an integer.
    """

    plan: SequencePlan
    released: Bools
    rate: Floats  # of failing all tries, common causes apart
    p: Floats  # the same, and 1 where a cause that always strikes has a member
    log_q: Floats
    zero: Bools
    causes: tuple[tuple[float, Integers], ...]  # probability strictly between 0 and 1, members in the plan
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
        return _subset_sums([np.log1p(-probability) for probability, _ in self.causes])

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


def chances_of(plan: SequencePlan, model: FailureModel, attempts: int, perfect: Collection[int] = ()) -> Chances:
    """Work out the probabilities; repos at the positions `perfect` never fail, common cause or not.

    Raises
    ------
    ValueError
        Where more than 12 common causes may or may not strike.
    """
    released = np.array(plan.arrays.released, dtype=bool)
    released_ids = [(position, item.repo_id) for position, item in enumerate(plan.items) if released[position]]
    failing = [
        Failing.of(0.0 if position in perfect else model.rate(repo), model.share_hard(repo))
        for position, repo in released_ids
    ]
    rate, log_q, zero = np.zeros(len(released)), np.zeros(len(released)), np.zeros(len(released), dtype=bool)
    rate[released] = [own.at_all(attempts) for own in failing]
    log_q[released] = _log_mended(failing, attempts)
    zero[released] = [own.sound == 0.0 or own.steady == 0.0 for own in failing]
    causes: list[tuple[float, Integers]] = []
    for cause in model.common_causes:
        names = set(cause.repos)
        members = [position for position, repo in released_ids if repo in names and position not in perfect]
        if cause.probability == 1.0:
            zero[members] = True
        elif members and cause.probability > 0.0:
            causes.append((cause.probability, np.array(members, dtype=np.int64)))
    if len(causes) > MOST_CAUSES:
        raise ValueError(
            f"model has {len(causes)} common causes that may or may not strike repos of this plan, expected at most "
            f"{MOST_CAUSES}: analyze sums over who is struck; simulate(plan, model) estimates it with any number"
        )
    log_q[zero] = 0.0
    above, struck_once, own = _strikes(plan.arrays.dependencies, [members for _, members in causes])
    closure = Closure(plan.arrays.dependencies, np.flatnonzero(log_q < 0))
    log_tried = closure.ancestor_sums(log_q)
    log_tried += _subset_sums([np.log1p(-probability) for probability, _ in causes])[above]
    zeros_above = Closure(plan.arrays.dependencies, np.flatnonzero(zero)).ancestor_sums(zero.astype(np.float64))
    return Chances(
        plan=plan,
        released=released,
        rate=rate,
        p=np.where(zero, 1.0, rate),
        log_q=log_q,
        zero=zero,
        causes=tuple(causes),
        own=own,
        strikes_above=above,
        once=struck_once,
        log_tried=log_tried,
        zeros_above=zeros_above.astype(np.int64),
    )


def _log_mended(failing: Sequence[Failing], attempts: int) -> Floats:
    """Give the log of the probability that one of the tries succeeds: 1 - b - (1 - b) f^k = (1 - b) (1 - f^k)."""
    broken, sound, flaky, steady = np.array(failing, dtype=np.float64).reshape(-1, 4).T
    all_flakes = np.array([own.flaky**attempts for own in failing], dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # of the branches that are not taken
        log_sound = np.where(broken < 0.5, np.log1p(-broken), np.log(sound))
        log_flaky = np.where((broken > 0.0) & (steady < 0.5), np.log1p(-steady), np.log(flaky))
        mended = np.where(all_flakes < 0.5, np.log1p(-all_flakes), np.log(-np.expm1(attempts * log_flaky)))
    return log_sound + mended


def _subset_sums(values: list[float]) -> Floats:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums


def _strikes(dependencies: Sequence[Sequence[int]], causes: list[Integers]) -> tuple[Integers, Integers, Integers]:
    """Give as bits, for each item: causes that strike an ancestor, exactly one of ancestors and self, itself."""
    n = len(dependencies)
    above, once, own = (np.zeros(n, dtype=np.int64) for _ in range(3))
    for bit, members in enumerate(causes):
        mine = set(members.tolist())
        only: list[int] = []  # the one member so far; -1 for none, -2 for several
        for position, needed in enumerate(dependencies):
            found = {only[dependency] for dependency in needed if only[dependency] != -1}
            above[position] |= bool(found) << bit
            if position in mine:
                found.add(position)
                own[position] |= 1 << bit
            only.append(-1 if not found else found.pop() if len(found) == 1 else -2)
            once[position] |= (only[-1] >= 0) << bit
    return above, once, own
