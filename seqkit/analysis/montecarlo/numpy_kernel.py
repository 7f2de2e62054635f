"""The kernel in plain numpy: always there, and the same bits as the compiled one.

Rows of lanes, and how they are drawn: see :mod:`seqkit.analysis.montecarlo.numpy_draws`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.experiment import NO_TRIALS, Experiment, Tally, joint_counts, total
from seqkit.analysis.montecarlo.numpy_draws import Lanes, spread, would_fail

__all__ = ["run"]

_BLOCK_LANES = 1 << 19  # of all rows of a block: 2 MB an array


def run(experiment: Experiment, first_word: int, trials: int, arrays: bool = False) -> Tally:
    """Run the trials from ``64 * first_word`` on."""
    n, n_released = len(experiment.released), experiment.n_released
    block = 64 * max(64, min(2048, _BLOCK_LANES // (2 * max(n, 1))))
    parts = []
    for begin in range(0, trials, block):
        size = min(block, trials - begin)
        fails, misses = _block(experiment, first_word + begin // 64, size)
        n_failed, n_lost = _per_trial(fails)[:size], _per_trial(misses)[:size]
        parts.append(
            Tally(
                size,
                np.bitwise_count(fails).sum(axis=1, dtype=np.int64),
                np.bitwise_count(misses).sum(axis=1, dtype=np.int64),
                *joint_counts(n_failed, n_lost, n_released + 1),
                n_failed if arrays else NO_TRIALS,
                n_lost if arrays else NO_TRIALS,
            )
        )
    return total(parts)


def _block(experiment: Experiment, first_word: int, trials: int) -> tuple[Lanes, Lanes]:
    """Give for each row in which trials it fails, and in which it is not released."""
    n, words = len(experiment.released), -(-trials // 64)
    numbers = spread(np.arange(first_word, first_word + words, dtype=np.uint64).astype(np.uint32))
    inside = np.clip(trials - 64 * np.arange(words) - np.array([[0], [32]]), 0, 32).astype(np.uint64).ravel()
    valid = ((np.uint64(1) << inside) - np.uint64(1)).astype(np.uint32)

    fails = would_fail(experiment, numbers, valid)
    rows = np.empty((n, 2 * words), np.uint32)  # lost, or for an unreleased item what it hands on
    blocked = np.zeros((n, 2 * words), np.uint32)
    stop: _Stop | None = None
    first, dependencies, released = experiment.first_dependency.tolist(), experiment.dependencies, experiment.released
    for v in range(n):
        if experiment.stop_at and experiment.departs[v]:
            stop = _Stop(experiment.stop_at, 2 * words)
        needed = dependencies[first[v] : first[v + 1]]
        if len(needed) == 1:
            blocked[v] = rows[needed[0]]
        elif len(needed):
            np.bitwise_or.reduce(rows[needed], axis=0, out=blocked[v])
        if stop is not None and released[v]:  # an unreleased item only hands on what it needs
            blocked[v] |= stop.stopped
            stop.count(fails[v] & ~blocked[v])
        np.bitwise_or(blocked[v], fails[v], out=rows[v])
    rows &= valid
    rows[~released] = 0
    np.bitwise_not(blocked, out=blocked)
    fails &= blocked
    return fails, rows


class _Stop:
    """Counts the failures of each trial, and knows which trials have had too many."""

    def __init__(self, stop_at: int, lanes: int) -> None:
        # A counter of just so many binary digits, set to overflow at the failure that stops the run.
        digits = (stop_at - 1).bit_length()
        start = (1 << digits) - stop_at
        self.planes = [np.full(lanes, 0xFFFFFFFF if start >> k & 1 else 0, np.uint32) for k in range(digits)]
        self.stopped = np.zeros(lanes, np.uint32)

    def count(self, carry: Lanes) -> None:
        for k, plane in enumerate(self.planes):
            self.planes[k] = plane ^ carry
            carry = plane & carry
        self.stopped |= carry


def _per_trial(rows: Lanes) -> NDArray[np.int32]:
    """Count in each trial the rows that have its bit, by carry-save adders: three rows of a weight make two."""
    lanes = rows.shape[1]
    weight, counts = 0, np.zeros(32 * lanes, np.int32)
    level = rows
    while len(level):
        carries = []
        while len(level) > 1:
            third = -(-len(level) // 3)
            a, b = level[:third], level[third : 2 * third]
            c = np.zeros_like(b)
            c[: len(level) - 2 * third] = level[2 * third :]
            if len(b) < third:  # two rows
                b = np.concatenate([b, np.zeros((third - len(b), lanes), np.uint32)])
                c = np.zeros_like(b)
            either = a ^ b
            carries.append((a & b) | (c & either))
            level = either ^ c
        bits = np.unpackbits(level[0].view(np.uint8), bitorder="little")
        counts += bits.astype(np.int32) << weight
        level = np.concatenate(carries) if carries else level[:0]
        weight += 1
    return counts.reshape(2, -1, 32).transpose(1, 0, 2).reshape(-1)
