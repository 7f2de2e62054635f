"""The draws of :mod:`seqkit.core.draws` in plain numpy: many repos and words in one array operation.

Each operation costs a microsecond to start. After a few digits most draws are decided; those still open go on as a
list of lanes. A row is one repo in one block of trials: the low halves of the block's 64-bit words, then the high
halves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.experiment import Experiment

__all__ = ["Keys", "Lanes", "level_keys", "mix", "spread", "would_fail"]

Lanes = NDArray[np.uint32]
Keys = NDArray[np.uint64]

_TILE_LANES = 1 << 17  # drawn at once: half a megabyte an array stays in the second cache
_TOGETHER = 8  # digits compared on whole arrays; then the lanes still open are few enough to list


def would_fail(experiment: Experiment, numbers: Lanes, valid: Lanes) -> Lanes:
    """Draw in which trials each row fails if it is tried: struck by a cause, or out of attempts."""
    n, attempts, words = len(experiment.released), experiment.keys.shape[1], len(numbers)
    struck = np.tile(valid, (len(experiment.cause_digits), 1))
    _draw(struck, experiment.cause_keys, experiment.cause_mantissas, experiment.cause_digits, numbers)
    out = np.zeros((n, len(valid)), np.uint32)
    first_mild = experiment.first_mild
    chancy = np.flatnonzero((experiment.mantissas > 0) | (np.diff(first_mild) > 0))
    tile = max(1, _TILE_LANES // (2 * words))
    for begin in range(0, len(chancy), tile):
        rows = chancy[begin : begin + tile]
        mild = _Mild(experiment, rows, struck, numbers)
        open_ = np.tile(valid, (len(rows), 1))
        _draw(open_, experiment.keys[rows, 0], experiment.mantissas[rows], experiment.digits[rows], numbers)
        if attempts > 1:
            out[rows] = _broken(experiment, rows, open_, numbers)
        mild.hit(open_, valid, 0)
        open_ &= ~out[rows]
        for attempt in range(1, attempts):  # who fails is tried again
            if attempt > 1 and not open_.any():
                break
            later, tried = (experiment.later_mantissas[rows], experiment.later_digits[rows]), open_.copy()
            _draw(open_, experiment.keys[rows, attempt], *later, numbers)
            mild.hit(open_, tried, attempt)
        out[rows] |= open_
    first, causes = experiment.first_cause.tolist(), experiment.causes.tolist()
    for v in range(n):
        for cause in causes[first[v] : first[v + 1]]:
            out[v] |= struck[cause]
    return out


class _Mild:
    """The causes of a severity below 1 that may make tries of some rows fail."""

    def __init__(self, experiment: Experiment, rows: NDArray[np.intp], struck: Lanes, numbers: Lanes) -> None:
        first = experiment.first_mild
        pairs = [(row, at) for row, v in enumerate(rows.tolist()) for at in range(first[v], first[v + 1])]
        self.rows, self.at = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        self.experiment, self.struck, self.numbers = experiment, struck, numbers

    def hit(self, failed: Lanes, tried: Lanes, attempt: int) -> None:
        """Add to `failed` the trials of `tried` in which this attempt fails for one of the causes."""
        if not len(self.at):
            return
        experiment, at = self.experiment, self.at
        hits = self.struck[experiment.mild[at]] & (tried if tried.ndim == 1 else tried[self.rows])
        severities = experiment.mild_mantissas[at], experiment.mild_digits[at]
        _draw(hits, experiment.mild_keys[at, attempt], *severities, self.numbers)
        np.bitwise_or.at(failed, self.rows, hits)


def _broken(experiment: Experiment, rows: NDArray[np.intp], failed: Lanes, numbers: Lanes) -> Lanes:
    """Draw in which of the trials in which the first attempt failed no retry can mend it."""
    broken = np.zeros_like(failed)
    some = np.flatnonzero(experiment.hard_mantissas[rows])
    if len(some):
        chosen, drawn = rows[some], failed[some]
        _draw(
            drawn,
            experiment.hard_keys[chosen],
            experiment.hard_mantissas[chosen],
            experiment.hard_digits[chosen],
            numbers,
        )
        broken[some] = drawn
    return broken


def _draw(trials: Lanes, keys: Keys, mantissas: NDArray[np.uint64], digits: NDArray[np.int64], numbers: Lanes) -> None:
    """Leave in each row of `trials` those in which an event of the row's rate happens."""
    n, words = len(trials), len(numbers)
    if not n:
        return
    open_ = trials.reshape(n, 2, words).copy()
    certain = (digits == 0) & (mantissas > 0)
    open_[certain] = 0
    out = trials.reshape(n, 2, words)
    out[~certain] = 0
    last = int(digits.max())
    level = 1
    if np.count_nonzero(open_) * 4 > open_.size:
        drawn, spare = np.empty_like(open_), np.empty_like(open_)
        while level <= min(last, _TOGETHER):
            first, second = level_keys(keys, level)
            digit = _digit(mantissas, digits, level)[:, None, None]
            mix(numbers, first[:, :, None], second[:, :, None], drawn, spare)
            if digit.any():
                np.invert(drawn, out=spare)
                spare &= digit
                spare &= open_
                out |= spare
                drawn ^= digit
            np.invert(drawn, out=drawn)
            open_ &= drawn
            level += 1
    flat, flat_open = out.reshape(-1), open_.reshape(-1)
    lanes = np.flatnonzero(flat_open)
    bits, half, number = flat_open[lanes], lanes // words, numbers[lanes % words]
    while level <= last and len(lanes):
        first, second = level_keys(keys, level)
        digit = np.repeat(_digit(mantissas, digits, level), 2)[half]
        drawn, spare = np.empty_like(bits), np.empty_like(bits)
        mix(number, first.reshape(-1)[half], second.reshape(-1)[half], drawn, spare)
        if digit.any():
            flat[lanes] |= bits & digit & ~drawn
        bits &= ~(drawn ^ digit)
        left = np.flatnonzero(bits)
        bits, half, number, lanes = bits[left], half[left], number[left], lanes[left]
        level += 1


def level_keys(keys: Keys, level: int) -> tuple[Lanes, Lanes]:
    """Split the splitmix64 of each stream at this level (see :mod:`seqkit.core.draws`) into two 32-bit keys."""
    with np.errstate(over="ignore"):
        state = keys + np.uint64((level * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state.astype(np.uint32), (state >> np.uint64(32)).astype(np.uint32)


def spread(numbers: Lanes) -> Lanes:
    """Spread the words' numbers, as ``draws.word`` does before the keys come in."""
    zero, out = np.zeros(1, np.uint32), np.empty_like(numbers)
    mix(numbers, zero, zero, out, np.empty_like(numbers))
    return out


def mix(numbers: Lanes, first: Lanes, second: Lanes, out: Lanes, spare: Lanes) -> None:
    """Compute halves of ``draws.word`` into `out`; array arithmetic wraps around by itself."""
    np.bitwise_xor(numbers, first, out=out)
    np.right_shift(out, np.uint32(16), out=spare)
    out ^= spare
    out *= np.uint32(0x21F0AAAD)
    np.right_shift(out, np.uint32(15), out=spare)
    out ^= spare
    out += second
    out *= np.uint32(0xD35A2D97)
    np.right_shift(out, np.uint32(15), out=spare)
    out ^= spare


def _digit(mantissas: NDArray[np.uint64], digits: NDArray[np.int64], level: int) -> Lanes:
    """Give the binary digit of each rate at this level, as a mask."""
    shift = digits - level
    within = (shift >= 0) & (shift < 64)
    one = within & ((mantissas >> np.where(within, shift, 0).astype(np.uint64)) & np.uint64(1)).astype(bool)
    return np.where(one, np.uint32(0xFFFFFFFF), np.uint32(0))
