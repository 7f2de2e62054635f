"""The variance of the number of releases: one weighted matrix product, in blocks."""

from __future__ import annotations

import numpy as np

from seqkit.analysis.exact.chances import Chances, Floats
from seqkit.core.closure import packed_ancestors

__all__ = ["LARGEST", "variance_of"]

LARGEST = 10_000
"""Most repos to release for which the variance is worked out: some seconds, as the cube of it."""

_PANEL = 1024
_NEVER = 1e-300  # the sum cannot feel repos less likely to be released, and their inverse overflows


def variance_of(chances: Chances) -> float:
    """Give the variance of the number of repos released.

    With P the probabilities of success and A[v] all that v's success takes (ancestors, v itself, and
    common causes read as ancestors), the covariance of two repos is
    P[u] P[v] expm1(-sum of log q over A[u] ∩ A[v]), never negative.

    Raises
    ------
    ValueError
        Above 10,000 repos to release.
    """
    n_released = int(chances.released.sum())
    if n_released > LARGEST:
        raise ValueError(
            f"plan has {n_released} repos to release, expected at most {LARGEST}: the exact standard deviation takes "
            "time as the cube of it; simulate(plan, model) estimates it at any size"
        )
    succeeded = chances.succeeded
    kept = np.flatnonzero(succeeded > _NEVER)
    weighty = kept[chances.log_q[kept] < 0]  # an ancestor of a kept repo is kept
    packed = packed_ancestors(chances.plan.arrays.dependencies, weighty)[kept]
    strikes = chances.strikes[kept][:, None] >> np.arange(len(chances.causes)) & 1
    weights = np.concatenate([[-cause.log_spared for cause in chances.causes], -chances.log_q[weighty]])
    # In topological order the ancestors of a panel's repos lie before its end: with the symmetry of the
    # product that leaves a sixth of it to do.
    ends = np.searchsorted(weighty, kept, side="right")
    total = 0.0
    for left in range(0, len(kept), _PANEL):
        rows = slice(left, min(left + _PANEL, len(kept)))
        n_columns = int(ends[rows.stop - 1])
        panel = _unpacked(strikes, packed, rows, n_columns)
        weighted = panel * weights[: panel.shape[1]]
        for other in range(left, len(kept), _PANEL):
            those = slice(other, min(other + _PANEL, len(kept)))
            shared = weighted @ (panel if other == left else _unpacked(strikes, packed, those, n_columns)).T
            np.expm1(shared, out=shared)
            part = float(succeeded[kept[rows]] @ shared @ succeeded[kept[those]])
            total += part if other == left else 2 * part
    return total


def _unpacked(strikes: np.ndarray, packed: np.ndarray, rows: slice, n_columns: int) -> Floats:
    bits = np.unpackbits(packed[rows, : (n_columns + 7) // 8], axis=1, bitorder="little", count=n_columns)
    return np.concatenate([strikes[rows], bits], axis=1, dtype=np.float64)
