"""Who costs how much of the loss, in shares that add up to it.

The share of a repo or cause is its Shapley value in the game where a set of them is worth the loss that there would
be if nothing else could fail. Where each takes part with the probability t by itself, it is also the integral

    φ[u] = ∫₀¹ (expected loss with u - expected loss without u, at t) dt

of Owen (1972, doi:10.1287/mnsc.18.5.64): without causes p[u] · (∂ loss / ∂ p[u] at t·p). The integrand is a
polynomial in t of a degree below the number of what can fail, so that Gauss and Legendre's rule with half as many
nodes has it exactly; mostly far fewer do. What the shares lack to the loss is their error, and known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from seqkit.analysis.exact.chances import Floats
from seqkit.analysis.exact.faults import Faults
from seqkit.analysis.exact.goals import Goal

__all__ = ["shares_of"]

_FIRST = 8  # nodes
_MOST_NODES = 256
_OF_LARGE = ((1.0, 6), (3.0, 8), (10.0, 12), (math.inf, 16))  # nodes by how many faults are expected at most
_LARGE = 1_000  # repos, from which a node takes a while: then there is one round
_ENOUGH = 1e-13  # of the loss
_STEEP = 30.0  # faults expected, from which the integrand falls off so fast that nodes have to gather near t = 0


def shares_of(goal: Goal, faults: Faults, loss: float) -> tuple[Floats, Floats, float]:
    """Share the loss out among the released repos, and the strikes of `faults`; also give what the shares lack to it.

    NaN where more than 12 causes would have to be summed over: a cause that always strikes counts here too.
    """
    alone = faults.alone
    exact = max(1, math.ceil((int(np.count_nonzero(alone)) + len(faults.strikes)) / 2))
    faults_expected = float(alone.sum())
    large = len(alone) > _LARGE
    most = min(exact, next(n for limit, n in _OF_LARGE if faults_expected <= limit) if large else _MOST_NODES)
    steep = most < exact and faults_expected > _STEEP
    for n in _numbers(most if large or steep else min(most, _FIRST), most):
        repos, strikes = _by_nodes(goal, faults, n, 3 if steep else 1)
        lacking = abs(math.fsum([*repos.tolist(), *strikes.tolist()]) - loss)
        if lacking <= _ENOUGH * loss:
            break
    return repos, strikes, lacking


def _numbers(first: int, most: int) -> Iterator[int]:
    while first < most:
        yield first
        first *= 2
    yield most


def _by_nodes(goal: Goal, faults: Faults, n: int, power: int) -> tuple[Floats, Floats]:
    """Integrate with n nodes in s, t being s to this power."""
    repos, strikes = np.zeros(len(faults.failing)), np.zeros(len(faults.strikes))
    for node, weight in zip(*np.polynomial.legendre.leggauss(n), strict=True):
        s = (float(node) + 1.0) / 2.0
        scale, width = s**power, float(weight) / 2.0 * power * s ** (power - 1)
        slopes = goal.slopes(faults.mixture(scale), faults.closure)
        repos += width * slopes.mine
        for at, strike in enumerate(faults.strikes):
            if strike.severity < 1.0:
                unlike = [goal.value(faults.mixture(scale, {at: struck})) for struck in (False, True)]
                steep = unlike[0] - unlike[1]
            else:
                lone = len(strike.members) == 1
                hangs = float(slopes.whole[faults.place[strike.members[0]]]) if lone else slopes.causes[strike.members]
                steep = hangs / (1.0 - scale * strike.probability)
            strikes[at] += width * strike.probability * steep
    return repos, strikes
