"""The kernel in plain numpy: always there, and the same bits as the compiled one.

Many repos and words are drawn in one array operation, since each operation costs a microsecond to start.
After a few digits most draws are decided; those still open go on as a list of lanes.

A row is one repo in one block of trials: the low halves of the block's 64-bit words, then the high halves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.experiment import NO_TRIALS, Experiment, Tally, joint_counts, total

__all__ = ["run"]

Lanes = NDArray[np.uint32]
Keys = NDArray[np.uint64]

_BLOCK_LANES = 1 << 19  # of all rows of a block: 2 MB an array
_TILE_LANES = 1 << 17  # drawn at once: half a megabyte an array stays in the second cache
_TOGETHER = 8  # digits compared on whole arrays; then the lanes still open are few enough to list


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
    numbers = _spread(np.arange(first_word, first_word + words, dtype=np.uint64).astype(np.uint32))
    inside = np.clip(trials - 64 * np.arange(words) - np.array([[0], [32]]), 0, 32).astype(np.uint64).ravel()
    valid = ((np.uint64(1) << inside) - np.uint64(1)).astype(np.uint32)

    would_fail = _would_fail(experiment, numbers, valid)
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
            stop.count(would_fail[v] & ~blocked[v])
        np.bitwise_or(blocked[v], would_fail[v], out=rows[v])
    rows &= valid
    rows[~released] = 0
    np.bitwise_not(blocked, out=blocked)
    would_fail &= blocked
    return would_fail, rows


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


def _would_fail(experiment: Experiment, numbers: Lanes, valid: Lanes) -> Lanes:
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
            first, second = _level_keys(keys, level)
            digit = _digit(mantissas, digits, level)[:, None, None]
            _mix(numbers, first[:, :, None], second[:, :, None], drawn, spare)
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
        first, second = _level_keys(keys, level)
        digit = np.repeat(_digit(mantissas, digits, level), 2)[half]
        drawn, spare = np.empty_like(bits), np.empty_like(bits)
        _mix(number, first.reshape(-1)[half], second.reshape(-1)[half], drawn, spare)
        if digit.any():
            flat[lanes] |= bits & digit & ~drawn
        bits &= ~(drawn ^ digit)
        left = np.flatnonzero(bits)
        bits, half, number, lanes = bits[left], half[left], number[left], lanes[left]
        level += 1


def _level_keys(keys: Keys, level: int) -> tuple[Lanes, Lanes]:
    """Split the splitmix64 of each stream at this level (see :mod:`seqkit.core.draws`) into two 32-bit keys."""
    with np.errstate(over="ignore"):
        state = keys + np.uint64((level * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return state.astype(np.uint32), (state >> np.uint64(32)).astype(np.uint32)


def _spread(numbers: Lanes) -> Lanes:
    """Spread the words' numbers, as ``draws.word`` does before the keys come in."""
    zero, out = np.zeros(1, np.uint32), np.empty_like(numbers)
    _mix(numbers, zero, zero, out, np.empty_like(numbers))
    return out


def _mix(numbers: Lanes, first: Lanes, second: Lanes, out: Lanes, spare: Lanes) -> None:
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
