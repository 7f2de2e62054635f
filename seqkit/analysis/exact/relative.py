"""How likely what is below a repo is released, given that the repo is: sums whose terms leave the range of floats."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seqkit.analysis.exact.chances import Chances, Floats, Integers
from seqkit.core.closure import Closure, Part

__all__ = ["relative_sums"]

_BAND = 300.0  # of the logarithm: products within a band and the next two fit a float


def relative_sums(chances: Chances, where: Integers) -> tuple[Floats, Floats]:
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
