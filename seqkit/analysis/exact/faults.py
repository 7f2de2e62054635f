"""What can make the items of a plan fail, and which of it folds: repos by themselves, and common causes.

A cause with one member folds into that member's probability of failing all its tries. Causes of severity 1 with the
same members fold into one. What is left acts in one of two ways. At severity 1 it is one more ancestor of its members
(see :mod:`seqkit.analysis.exact.chances`). Below 1, a *mild* cause, it changes how likely each try of its members
fails: so the analysis is done given each set of mild causes that may strike, and the results are averaged.

Given that it is struck by causes that together spare a try with the probability σ = ∏ (1 - s), a repo fails all of k
tries with b + (1 - b) (1 - (1 - f) σ)^k. No single rate says that for every k, which is why a mild cause folds into
this probability and never into the rate.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seqkit.analysis.exact.chances import Chances, Common, Floats, Integers, Mixture, subset_sums
from seqkit.core.closure import Closure
from seqkit.core.failures import Failing, FailureModel
from seqkit.core.plan import SequencePlan

__all__ = ["MOST_CAUSES", "Faults", "Strike", "TooManyCauses", "mixture_of"]

MOST_CAUSES = 12
"""Sums over who is struck have 2**12 terms at most."""

_MOST_FOLDED = 1 << 16  # ways in which mild causes of one member alone can strike it
_NOBODY: Integers = np.array([], dtype=np.int64)


class TooManyCauses(ValueError):
    """More causes that do not fold than a sum over who is struck has room for."""


@dataclass(frozen=True)
class Strike:
    """One common cause in one train."""

    name: str
    probability: float
    severity: float
    members: tuple[int, ...]  # positions of released items, ascending; at least one


@dataclass(frozen=True)
class _Spared:
    """How likely a try is spared by the causes that strike, and how likely it is not, both precise."""

    yes: float = 1.0
    no: float = 0.0

    def by(self, severity: float) -> _Spared:
        return _Spared(self.yes * (1.0 - severity), self.no + self.yes * severity)


_ALL = _Spared()
_FAULTLESS = Failing.of(0.0, 0.0)


@dataclass(frozen=True)
class Faults:
    """What can make the items of one plan fail, by position."""

    plan: SequencePlan
    released: npt.NDArray[np.bool_]
    failing: tuple[Failing, ...]  # of each released item, in plan order
    tries: tuple[int, ...]  # of each
    strikes: tuple[Strike, ...]

    @classmethod
    def of(
        cls, plan: SequencePlan, model: FailureModel, attempts: int, more_tries: Mapping[str, int] | None = None
    ) -> Faults:
        """Read a model for a plan; `more_tries` are given to some repos on top of `attempts`."""
        arrays, trains = plan.arrays, plan.train_of
        extra = more_tries or {}
        ids = plan.released
        strikes = []
        for train in sorted(set(trains)):
            for cause in model.common_causes:
                at = (arrays.position.get(repo, -1) for repo in cause.repos)
                members = sorted(
                    place for place in at if place >= 0 and arrays.released[place] and trains[place] == train
                )
                strikes.append(Strike(cause.name, cause.probability, cause.severity, tuple(members)))
        return cls(
            plan,
            np.array(arrays.released, dtype=bool),
            tuple([model.failing(repo) for repo in ids]),
            tuple([attempts + extra.get(repo, 0) for repo in ids]),
            _that_strike(strikes),
        )

    def changed(
        self, perfect: Collection[int] = (), hopeless: Collection[int] = (), left_out: Collection[int] = ()
    ) -> Faults:
        """Give the same for other repos: `perfect` ones never fail, struck or not, `hopeless` ones always do."""
        spared, gone = {*perfect, *left_out}, set(left_out)
        released, kept = self.released.copy(), []
        released[list(gone)] = False
        for position, own, tries in zip(self.positions.tolist(), self.failing, self.tries, strict=True):
            if position in hopeless:
                kept.append((Failing.of(1.0, 0.0), tries))
            elif position not in gone:
                kept.append((_FAULTLESS if position in spared else own, tries))
        strikes = [
            replace(strike, members=tuple([member for member in strike.members if member not in spared]))
            for strike in self.strikes
        ]
        failing, each = tuple([own for own, _ in kept]), tuple([tries for _, tries in kept])
        return Faults(self.plan, released, failing, each, _that_strike(strikes))

    # ------------------------------------------------------------------ by themselves

    @property
    def positions(self) -> Integers:
        """The positions of what is released."""
        return np.flatnonzero(self.released)

    @cached_property
    def place(self) -> dict[int, int]:
        """The place of each among the released, by position."""
        return {position: place for place, position in enumerate(self.positions.tolist())}

    @cached_property
    def closure(self) -> Closure:
        """Who is below the released repos."""
        return Closure(self.plan.arrays.dependencies, self.positions)

    @cached_property
    def alone(self) -> Floats:
        """How likely each released repo fails all its tries by itself, in plan order."""
        return np.array([own.at_all(k) for own, k in zip(self.failing, self.tries, strict=True)], dtype=np.float64)

    # ------------------------------------------------------------------ with the causes

    def mixture(self, scale: float = 1.0, strikes: Mapping[int, bool] | None = None) -> Mixture:
        """Work out the chances, for each set of mild causes that may strike.

        Parameters
        ----------
        scale : float
            How likely each fault takes part at all: a repo that can fail by itself, and a cause. Below 1 for the
            integral over it that shares the loss out.
        strikes : mapping, optional
            Causes, by their place in `strikes`, that surely strike, or never do.

        Raises
        ------
        TooManyCauses
            Where more than 12 causes that do not fold may or may not strike.
        """
        sure = strikes or {}
        odds = [
            float(sure[place]) if place in sure else scale * strike.probability
            for place, strike in enumerate(self.strikes)
        ]
        lone: dict[int, list[tuple[float, float]]] = {}
        common: dict[tuple[int, ...], list[float]] = {}
        mild: list[tuple[float, Strike]] = []
        for chance, strike in zip(odds, self.strikes, strict=True):
            if chance == 0.0:
                continue
            if len(strike.members) == 1:
                lone.setdefault(strike.members[0], []).append((chance, strike.severity))
            elif strike.severity == 1.0:
                common.setdefault(strike.members, []).append(chance)
            else:
                mild.append((chance, strike))
        sunk = {position for members, chances in common.items() if 1.0 in chances for position in members}
        causes = [
            Common.of(chances, np.array(members, dtype=np.int64))
            for members, chances in common.items()
            if 1.0 not in chances
        ]
        open_ = [(chance, strike) for chance, strike in mild if chance < 1.0]
        if len(causes) + len(open_) > MOST_CAUSES:
            raise TooManyCauses(
                f"model has {len(causes) + len(open_)} common causes that may or may not strike several repos of this "
                f"plan, expected at most {MOST_CAUSES}: analyze sums over who is struck; simulate(plan, model) "
                "estimates it with any number"
            )
        always = [strike for chance, strike in mild if chance == 1.0]
        frame = _Frame(self, causes, sunk, self.closure if scale < 1.0 else None)
        parts = []
        base = self._own(lone, {}, scale, range(len(self.failing)), None)
        for struck in range(1 << len(open_)):
            weight, hit = 1.0, list(always)
            for bit, (chance, strike) in enumerate(open_):
                weight *= chance if struck >> bit & 1 else 1.0 - chance
                if struck >> bit & 1:
                    hit.append(strike)
            spared: dict[int, _Spared] = {}
            for strike in hit:
                for position in strike.members:
                    spared[position] = spared.get(position, _ALL).by(strike.severity)
            own = self._own(lone, spared, scale, [self.place[position] for position in spared], base)
            parts.append(_Part(weight, *own))
        return frame.mixture(parts)

    def _own(
        self,
        lone: Mapping[int, Sequence[tuple[float, float]]],
        spared: Mapping[int, _Spared],
        scale: float,
        places: Iterable[int],
        base: tuple[Floats, Floats, Floats] | None,
    ) -> tuple[Floats, Floats, Floats]:
        """Give for each released repo how likely it fails all its tries, and the log of how likely it does not.

        And how much likelier it fails where its own fault takes part than where it does not. Those at `places` are
        worked out, the others are as in `base`. What is sure to fail has a log of -inf.
        """
        positions = self.positions.tolist()
        if base is None:
            mine = self.alone.copy()
            p, log_q = (mine.copy(), _log_mended(self.failing, self.tries)) if scale == 1.0 else (scale * mine, None)
            log_q = np.log1p(-p) if log_q is None else log_q
            places = [place for place in places if positions[place] in lone]
        else:
            p, log_q, mine = (values.copy() for values in base)
        for place in places:
            position = positions[place]
            ways = _ways(spared.get(position, _ALL), lone.get(position, ()), self.plan.arrays.ids[position])
            own, tries = self.failing[place], self.tries[place]
            fails, good = _at_all(own, tries, ways)
            if scale < 1.0:
                without = _at_all(_FAULTLESS, tries, ways)
                mine[place] = max(0.0, fails - without[0])
                fails, good = (scale * a + (1.0 - scale) * b for a, b in zip((fails, good), without, strict=True))
            p[place] = fails
            with np.errstate(divide="ignore"):
                log_q[place] = math.log1p(-fails) if fails < 0.5 else np.log(good)
        return p, log_q, mine


def mixture_of(plan: SequencePlan, model: FailureModel, attempts: int) -> Mixture:
    """Work out the chances of a plan; see :meth:`Faults.mixture`."""
    return Faults.of(plan, model, attempts).mixture()


def _that_strike(strikes: Iterable[Strike]) -> tuple[Strike, ...]:
    return tuple([each for each in strikes if each.members and each.probability > 0 and each.severity > 0])


@dataclass(frozen=True)
class _Part:
    weight: float
    p: Floats
    log_q: Floats
    mine: Floats


class _Frame:
    """What the chances have in common, whichever mild causes strike."""

    def __init__(self, faults: Faults, causes: list[Common], sunk: Collection[int], closure: Closure | None) -> None:
        self.faults, self.causes, self.closure = faults, tuple(causes), closure
        self.sunk = np.zeros(len(faults.released), dtype=bool)
        self.sunk[list(sunk)] = True
        self.above, self.once, self.own = _strikes(faults.plan.arrays.dependencies, [cause.members for cause in causes])
        self.log_above = subset_sums([cause.log_spared for cause in causes])[self.above]

    def mixture(self, parts: Sequence[_Part]) -> Mixture:
        faults, dependencies = self.faults, self.faults.plan.arrays.dependencies
        n, found = len(faults.released), []
        logs, zeros = np.zeros((len(parts), n)), np.zeros((len(parts), n), dtype=bool)
        ps = np.zeros((len(parts), n))
        mine = np.zeros((len(parts), n))
        for row, part in enumerate(parts):
            logs[row, faults.released], ps[row, faults.released] = part.log_q, part.p
            mine[row, faults.released] = part.mine
            zeros[row] = self.sunk | np.isneginf(logs[row])
        logs[zeros] = 0.0
        ps[zeros] = 1.0
        closure = self.closure or Closure(dependencies, np.flatnonzero((logs < 0).any(axis=0)))
        none_above = np.zeros(n, dtype=np.int64)
        counted = Closure(dependencies, np.flatnonzero(zeros.any(axis=0))) if zeros.any() else None
        for row, part in enumerate(parts):
            chances = Chances(
                plan=faults.plan,
                released=faults.released,
                p=ps[row],
                mine=mine[row],
                log_q=logs[row],
                zero=zeros[row],
                causes=self.causes,
                own=self.own,
                strikes_above=self.above,
                once=self.once,
                log_tried=closure.ancestor_sums(logs[row]) + self.log_above,
                zeros_above=none_above
                if counted is None
                else counted.ancestor_sums(zeros[row].astype(np.float64)).astype(np.int64),
            )
            found.append((part.weight, chances))
        return Mixture(tuple(found))


# ---------------------------------------------------------------------- one repo


def _ways(spared: _Spared, lone: Sequence[tuple[float, float]], repo: str) -> list[tuple[float, _Spared]]:
    """List in which ways a repo may be struck, with their probabilities."""
    ways = {spared: 1.0}
    for chance, severity in lone:
        after: dict[_Spared, float] = {}
        for before, weight in ways.items():
            for then, odds in ((before, 1.0 - chance), (before.by(severity), chance)):
                if odds:
                    after[then] = after.get(then, 0.0) + weight * odds
        ways = after
        if len(ways) > _MOST_FOLDED:
            raise TooManyCauses(
                f"model has {len(lone)} common causes that may strike {repo!r} alone, which is more than analyze can "
                "sum over; simulate(plan, model) estimates it with any number"
            )
    return [(weight, way) for way, weight in ways.items()]


def _at_all(own: Failing, tries: int, ways: Sequence[tuple[float, _Spared]]) -> tuple[float, float]:
    """Give how likely all tries fail, and how likely one succeeds, each precise where it is small."""
    fails, good = own.broken, 0.0
    for weight, spared in ways:
        every = (own.flaky + own.steady * spared.no) ** tries
        fails += weight * own.sound * every
        good += weight * own.sound * _one_succeeds(own.steady * spared.yes, every, tries)
    return (1.0, 0.0) if good == 0.0 else (min(fails, 1.0), good)


def _one_succeeds(steady: float, every: float, tries: int) -> float:
    """Give 1 - g^k where a try succeeds with 1 - g, and all fail with `every` = g^k."""
    if every < 0.5 or steady >= 1.0:
        return 1.0 - every
    return -math.expm1(tries * math.log1p(-steady))


def _log_mended(failing: Sequence[Failing], tries: Sequence[int]) -> Floats:
    """Give the log of the probability that one of the tries succeeds: 1 - b - (1 - b) f^k = (1 - b) (1 - f^k)."""
    broken, sound, flaky, steady = np.array(failing, dtype=np.float64).reshape(-1, 4).T
    attempts = np.array(tries, dtype=np.float64)
    all_flakes = np.array([own.flaky**k for own, k in zip(failing, tries, strict=True)], dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # of the branches that are not taken
        log_sound = np.where(broken < 0.5, np.log1p(-broken), np.log(sound))
        log_flaky = np.where((broken > 0.0) & (steady < 0.5), np.log1p(-steady), np.log(flaky))
        mended = np.where(all_flakes < 0.5, np.log1p(-all_flakes), np.log(-np.expm1(attempts * log_flaky)))
        total = log_sound + mended
    total[(sound == 0.0) | (steady == 0.0)] = -math.inf
    return total


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
