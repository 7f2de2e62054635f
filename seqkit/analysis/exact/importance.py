"""Importance measures: whose failure costs what, and whose improvement buys what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit.analysis.exact.chances import Chances, Floats, Integers
from seqkit.core.closure import Closure, Part, ancestor_counts, reversed_graph

__all__ = ["importance_frame"]

_BAND = 300.0  # of the logarithm: products within a band and the next two fit a float


def importance_frame(chances: Chances, lost_without: Callable[[int], float]) -> pd.DataFrame:
    """Work out every measure; `lost_without` gives the expected number not released if one repo never failed."""
    where = np.flatnonzero(chances.released)
    backwards = np.flatnonzero(chances.released[::-1])
    n_dependents = ancestor_counts(reversed_graph(chances.plan.arrays.dependents), backwards)[::-1][where]
    below, spared = _relative_sums(chances, where)
    tried, fails = chances.tried[where], chances.fails_if_tried[where]
    p, unstruck = chances.p[where], np.exp(chances.log_unstruck[chances.new[where]])
    extra = below.copy()  # of repos that cannot fail
    can_fail = fails > 0
    extra[can_fail] = (unstruck * (p * below + spared))[can_fail] / fails[can_fail]
    gain = tried * fails * (1.0 + extra)
    birnbaum = tried * (1.0 + unstruck * (below + spared))
    lost = float(np.sum(chances.lost))
    lost_if_perfect = lost - gain
    for index in np.flatnonzero(gain > lost / 2):  # at most one repo, where the difference would lose digits
        lost_if_perfect[index] = lost_without(int(where[index]))
    with np.errstate(divide="ignore", invalid="ignore"):  # inf and nan are the documented answers
        raw = 1.0 + chances.succeeded[where] * (1.0 + below) / lost
        rrw = lost / lost_if_perfect
    frame = dtypes.frame(
        {
            "gain_if_perfect": gain,
            "birnbaum": birnbaum,
            "raw": raw,
            "rrw": rrw,
            "n_dependents": pd.array(n_dependents, dtype="Int64"),
            "skips_if_failed": pd.array(n_dependents, dtype="Int64"),
            "extra_if_not_failed": extra,
        }
    )
    frame.index = dtypes.index(chances.plan.released)
    return frame.iloc[np.argsort(-gain, kind="stable")]


def _relative_sums(chances: Chances, where: Integers) -> tuple[Floats, Floats]:
    """Sum over each repo's descendants v the probability that v is released given that the repo is.

    Also the same times (1/f − 1), f the probability that no cause strikes which, among all that v takes,
    strikes this repo alone: what v would gain if causes spared the repo.
    """
    logs = chances.log_released
    zeros = chances.zeros_above + chances.zero
    # Products of hundreds of thousands of factors leave the range of floats. Their ratios to a repo's own
    # product do not: repos are taken together by number of zeros, band of the logarithm, and own causes.
    bands = np.floor(-logs / _BAND).astype(np.int64)
    by_band = where[np.lexsort((where, bands[where], zeros[where]))]
    keys = (chances.new[where], bands[where], zeros[where])
    order = np.lexsort((where, *keys))
    sources = where[order]
    sums = np.zeros((2, len(sources)))
    if len(sources):
        parts = list(_parts(chances, by_band, sources, logs, zeros, bands))
        causes = int(chances.new[where].any())
        sums[: 1 + causes] = Closure(chances.plan.arrays.dependencies, sources).descendant_sums_by_part(
            parts, 1 + causes
        )
        sums /= np.exp(logs[sources] + bands[sources] * _BAND)
    result = np.empty_like(sums)
    result[:, order] = sums
    return result[0], result[1]


def _parts(
    chances: Chances, by_band: Integers, sources: Integers, logs: Floats, zeros: Integers, bands: Integers
) -> Iterator[Part]:
    zeros_sorted, bands_sorted = zeros[by_band], bands[by_band]
    new, log_unstruck = chances.new, chances.log_unstruck
    kinds = 1 + int(new[sources].any())
    key = np.stack([zeros[sources], bands[sources], new[sources]])
    starts = np.flatnonzero(np.concatenate([[True], (key[:, 1:] != key[:, :-1]).any(axis=0)]))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(sources)], strict=True):
        zero, band, causes = key[:, start].tolist()
        left, right = np.searchsorted(zeros_sorted, [zero, zero + 1])
        inside = bands_sorted[left:right]
        # a band above too: rounding may lift a descendant over the edge
        low, high = left + np.searchsorted(inside, [band - 1, band + 3])

        def weights(
            low: int = int(low), high: int = int(high), band: int = band, causes: int = causes
        ) -> tuple[Integers, Floats]:
            nodes = np.sort(by_band[low:high])
            relative = np.exp(logs[nodes] + band * _BAND)
            if kinds == 1:
                return nodes, relative[None, :]
            return nodes, np.stack([relative, relative * np.expm1(-log_unstruck[causes & chances.once[nodes]])])

        yield Part(start, stop, weights)
