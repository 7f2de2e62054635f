"""The variance of the number of releases: one weighted matrix product, of which most is known without doing it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqkit.analysis.exact.chances import Chances, Floats
from seqkit.core.closure import packed_ancestors

__all__ = ["LARGEST", "variance_of"]

LARGEST = 10_000
"""Most repos to release for which the variance is worked out, or estimated where that would take long."""

_MOST_WORK = 1e10  # products of two numbers
_ROWS = 64  # of the sample that estimates what would take more

_PANEL = 512
_NEVER = 1e-300  # the sum cannot feel repos less likely to be released, and their inverse overflows
_FELT = 1e-13  # share of the variance that may be left out
_SPARSE = 0.05  # of the repos; a column with fewer is cheaper one by one than in the product


def variance_of(chances: Chances) -> tuple[float, float]:
    """Give the variance of the number of repos released, and its standard error: 0 where it is exact.

    With P the probabilities of success and A[v] all that v's success takes (ancestors, v itself, and
    common causes read as ancestors), the covariance of two repos is
    P[u] P[v] expm1(-sum of log q over A[u] ∩ A[v]), never negative.

    Raises
    ------
    ValueError
        Above 10,000 repos to release.

    Notes
    -----
    Exact, but for rounding and a ten-million-millionth of itself, where that takes at most 10¹⁰ products. The sums are
    a product of the matrix of who takes whom with itself. Repos are looked at 512 at a time, in plan order, so
    that what one of them takes all of them take as a rule, or none: only where both panels are divided about a repo is
    anything multiplied. What few repos take is added pair by pair, and where all rates are equal the product is of
    whole numbers, exact in single precision.

    Elsewhere it is estimated. With W[u,v] the sum in the exponent, T = Σ P[u] P[v] W[u,v] is known exactly, and the
    variance is T times the mean of Σ P[v] expm1(W[u,v]) / Σ P[v] W[u,v] over repos u taken with probability
    proportional to their part of T: 64 rows, at even distances along T, so that the same plan gives the same number
    (systematic sampling with unequal probabilities, Madow 1949, doi:10.1214/aoms/1177729988). The error is that of
    successive differences (Wolter 2007, Introduction to Variance Estimation, 2nd ed., section 8.2).
    """
    n_released = int(chances.released.sum())
    if n_released > LARGEST:
        raise ValueError(
            f"plan has {n_released} repos to release, expected at most {LARGEST}: the exact standard deviation takes "
            "time as the cube of it; simulate(plan, model) estimates it at any size"
        )
    kept = _felt(chances)
    if not chances.lost[kept].any():  # nobody is left, or nobody can fail
        return 0.0, 0.0
    weighty = kept[chances.log_q[kept] < 0]  # an ancestor of a kept repo is kept
    packed = packed_ancestors(chances.plan.arrays.dependencies, weighty)[kept]
    strikes = chances.strikes[kept][:, None] >> np.arange(len(chances.causes)) & 1
    causes = [-cause.log_spared for cause in chances.causes]
    weights = np.concatenate([causes, -chances.log_q[weighty]])
    taken = np.packbits(strikes.astype(np.uint8), axis=1, bitorder="little")
    takes, weights = np.concatenate([taken, packed], axis=1), _spread(weights, len(causes))
    if len(kept) <= _PANEL:  # there is nothing to spare
        bits = np.unpackbits(takes, axis=1, bitorder="little", count=len(weights)).astype(np.float64)
        succeeded = chances.succeeded[kept]
        return float(succeeded @ np.expm1((bits * weights) @ bits.T) @ succeeded), 0.0
    if _work(takes) > _MOST_WORK:
        return _estimate(takes, weights, chances.succeeded[kept])
    return _SharedWeight(takes, weights, chances.succeeded[kept]).sum(), 0.0


def _work(takes: npt.NDArray[np.uint8]) -> float:
    """Bound the number of products that the exact sum takes: of what two panels are both divided about."""
    panels = [takes[start : start + _PANEL] for start in range(0, len(takes), _PANEL)]
    divided = [np.bitwise_or.reduce(panel) & ~np.bitwise_and.reduce(panel) for panel in panels]
    bits = np.unpackbits(np.array(divided), axis=1).astype(np.float32)
    return float(np.triu(bits @ bits.T).sum()) * _PANEL**2


def _estimate(takes: npt.NDArray[np.uint8], weights: Floats, succeeded: Floats) -> tuple[float, float]:
    """Estimate the sum of the covariances of all pairs from some of its rows; also give the standard error."""
    parts = [slice(start, start + _PANEL) for start in range(0, len(takes), _PANEL)]

    def bits(rows: Any) -> npt.NDArray[np.float32]:  # single precision is far finer than the estimate
        return np.unpackbits(takes[rows], axis=1, bitorder="little", count=len(weights)).astype(np.float32)

    below = np.zeros(len(weights))  # how likely what takes each column is released, in sum
    for rows in parts:
        below += succeeded[rows].astype(np.float32) @ bits(rows)
    first = np.concatenate([bits(rows) @ (weights * below).astype(np.float32) for rows in parts]).astype(np.float64)
    along = np.cumsum(succeeded * first)
    points = (np.arange(_ROWS) + 0.5) / _ROWS * along[-1]
    chosen = np.minimum(np.searchsorted(along, points), len(along) - 1)
    mine = bits(chosen) * weights.astype(np.float32)
    sums = np.zeros(_ROWS)
    for rows in parts:
        sums += np.expm1((mine @ bits(rows).T).astype(np.float64)) @ succeeded[rows]
    ratios = sums / first[chosen]
    error = math.sqrt(float(np.sum(np.diff(ratios) ** 2)) / (2 * _ROWS * (_ROWS - 1)))
    return float(along[-1] * ratios.mean()), float(along[-1]) * error


def _felt(chances: Chances) -> npt.NDArray[np.int64]:
    """Give the repos that the sum can feel.

    That both of u and v are released is no likelier than that u is: so what u adds, in both orders, is at most twice
    its probability for each v. All terms are positive, and those of each repo with itself are a lower bound.
    """
    succeeded = chances.succeeded
    least = float(succeeded @ chances.lost)
    order = np.argsort(succeeded, kind="stable")
    unfelt = np.cumsum(succeeded[order]) * (2 * len(order)) <= _FELT * least
    most = max(_NEVER, float(succeeded[order[unfelt]].max(initial=0.0)))
    return np.flatnonzero(succeeded > most)


def _spread(weights: Floats, n_causes: int) -> Floats:
    """Leave room after the causes, whose bits fill up a byte."""
    return np.concatenate([weights[:n_causes], np.zeros(-n_causes % 8), weights[n_causes:]])


@dataclass(frozen=True)
class _Panel:
    """Some repos, one after the other, and what they take: a row for each column of the whole."""

    rows: slice
    bits: npt.NDArray[np.uint8]
    all: npt.NDArray[np.bool_]
    """Which columns all of them take."""
    divided: npt.NDArray[np.bool_]
    """Which columns some of them take and some do not."""


class _SharedWeight:
    """Who takes what: bit j of row v, and what each j weighs."""

    def __init__(self, packed: npt.NDArray[np.uint8], weights: Floats, succeeded: Floats) -> None:
        self._packed, self._all_weights, self._succeeded = packed, weights, succeeded
        n = len(succeeded)
        weighing = weights[weights > 0]
        self._unit = float(weighing[0]) if len(weighing) and np.ptp(weighing) == 0 else None
        self._parts = [slice(start, min(start + _PANEL, n)) for start in range(0, n, _PANEL)]
        self._sparse: Any = None
        dense = weights > 0
        if len(self._parts) > 2:
            few = sum(self._bits(rows).sum(axis=0, dtype=np.int64) for rows in self._parts) <= _SPARSE * n
            self._set_apart(dense & few)
            dense &= ~few
        self._panels = [self._panel(rows, self._bits(rows)[:, dense].T) for rows in self._parts]
        self._all_weights, self._weights = weights, weights[dense]  # the second of the rows of panels

    def _bits(self, rows: slice) -> npt.NDArray[np.uint8]:
        return np.unpackbits(self._packed[rows], axis=1, bitorder="little", count=len(self._all_weights))

    def _set_apart(self, few: npt.NDArray[np.bool_]) -> None:
        """Take the columns that few take out of the product."""
        from scipy import sparse  # noqa: PLC0415

        taken = sparse.vstack([sparse.csr_array(self._bits(rows)[:, few]) for rows in self._parts], format="csr")
        self._sparse = taken.multiply(np.sqrt(self._all_weights[few])[None, :]).tocsr()

    @staticmethod
    def _panel(rows: slice, bits: npt.NDArray[np.uint8]) -> _Panel:
        bits = np.ascontiguousarray(bits)
        every = np.logical_and.reduce(bits, axis=1)
        return _Panel(rows, bits, every, np.logical_or.reduce(bits, axis=1) & ~every)

    def sum(self) -> float:
        """Sum the covariances of all pairs."""
        total = 0.0
        for at, left in enumerate(self._panels):
            for right in self._panels[at:]:
                shared = self._shared(left, right)
                np.expm1(shared, out=shared)
                part = float(self._succeeded[left.rows] @ shared @ self._succeeded[right.rows])
                total += part if right is left else 2 * part
        return total

    def _shared(self, left: _Panel, right: _Panel) -> Floats:
        """Give what each pair of two panels takes both, as a sum of weights."""
        weights, both = self._weights, left.divided & right.divided
        if self._unit is None:
            shared = (left.bits[both] * weights[both, None]).T @ right.bits[both].astype(np.float64)
        else:  # whole numbers below 2**24
            counted = left.bits[both].astype(np.float32).T @ right.bits[both].astype(np.float32)
            shared = counted.astype(np.float64) * self._unit
        shared += weights[left.all & right.all].sum()
        for one, other, turned in ((left, right, False), (right, left, True)):
            columns = one.all & other.divided
            sums = weights[columns] @ other.bits[columns].astype(np.float64)
            shared += sums[:, None] if turned else sums
        if self._sparse is not None:
            shared += (self._sparse[left.rows] @ self._sparse[right.rows].T).toarray()
        return shared
