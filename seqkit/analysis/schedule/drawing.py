"""What happens to attempts, drawn in numpy for many trials at once: whether they fail, and how long they take.

An attempt is told by one number: its ticks where it succeeds, ``-1 - ticks`` where it fails.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.numpy_draws import Keys, Lanes, level_keys, mix, spread, would_fail
from seqkit.analysis.schedule.problem import Laws, Problem
from seqkit.core.laws import CELL_BITS, CELLS
from seqkit.core.times import LONGEST, TICKS_A_SECOND

__all__ = ["first_attempts", "later_attempts", "waits_after"]

Trials = NDArray[np.int64]
Ticks = NDArray[np.int64]

_UNIT = 2.0**-53


def first_attempts(problem: Problem, first: int, trials: int) -> Ticks:
    """Draw what happens to the first attempt at each job, [n, trials], from the trial `first` on."""
    before = first % 64
    words = -(-(before + trials) // 64)
    number = np.arange(first // 64, first // 64 + words, dtype=np.uint64).astype(np.uint32)
    once = replace(problem.experiment, keys=problem.experiment.keys[:, :1])
    rows = would_fail(once, spread(number), np.full(2 * words, 0xFFFFFFFF, np.uint32))[problem.items]
    bits = np.unpackbits(rows.view(np.uint8), axis=1, bitorder="little")
    failed = bits.reshape(-1, 2, words, 32).transpose(0, 2, 1, 3).reshape(-1, 64 * words)[:, before : before + trials]
    which = np.arange(first, first + trials, dtype=np.int64)
    drawn = np.empty((problem.n, trials), np.int64)
    for job in range(problem.n):
        drawn[job] = _told(problem, job, 1, which, failed[job].astype(bool))
    return drawn


def later_attempts(problem: Problem, job: int, attempt: int, trials: Trials) -> Ticks:
    """Draw what happens to an attempt after the first, in trials in which it is made."""
    return _told(problem, job, attempt, trials, _fails_again(problem, job, attempt, trials))


def waits_after(problem: Problem, job: int, attempt: int, trials: Trials) -> Ticks:
    """Draw how many ticks are waited after an attempt, as :meth:`seqkit.Retry.wait` does."""
    seconds = np.full(len(trials), problem.waits[attempt - 1])
    if problem.wait_keys.size:
        keys = problem.wait_keys[job, attempt - 1]
        low, high = (_halves(keys[half : half + 1], trials).astype(np.uint64) for half in range(2))
        drawn = ((low | high << np.uint64(32)) >> np.uint64(11)).astype(np.float64) * _UNIT
        seconds = seconds * (1.0 + problem.retry.jitter * (2.0 * drawn - 1.0))
    return np.floor(seconds * TICKS_A_SECOND + 0.5).astype(np.int64)


def _told(problem: Problem, job: int, attempt: int, trials: Trials, failed: NDArray[np.bool_]) -> Ticks:
    laws, numbers = problem.laws, _halves(problem.keys[job, attempt - 1 : attempt], trials)
    ticks = _ticks(laws, job, numbers)
    if laws.differ[job] and failed.any():
        ticks[failed] = _ticks(laws, problem.n + job, numbers[failed])
    return np.where(failed, -1 - ticks, ticks)


def _ticks(laws: Laws, law: int, numbers: Lanes) -> Ticks:
    """Read times off a law: see :mod:`seqkit.core.laws`."""
    count, offset = int(laws.counts[law]), int(laws.offsets[law])
    if count:
        chosen = (numbers.astype(np.uint64) * np.uint64(count)) >> np.uint64(32)
        times: Ticks = laws.times[offset + chosen.astype(np.int64)].astype(np.int64)
        return times
    upper = numbers >= 1 << 31
    x = np.where(upper, ~numbers, numbers).astype(np.float64) * 2.0 + 1.0
    cells = (x.view(np.int64) >> (52 - CELL_BITS)) - (1023 << CELL_BITS) + offset
    cells[upper] += CELLS
    ticks = laws.scales[law] * (laws.intercepts[cells] + laws.slopes[cells] * x) + 0.5
    floored: Ticks = np.floor(np.minimum(ticks, LONGEST)).astype(np.int64)
    return floored


def _halves(key: Keys, trials: Trials) -> Lanes:
    """Draw the halves of a number for each trial, as ``draws.uniform`` has them; `key` is one, as an array."""
    out = np.empty(len(trials), np.uint32)
    turns = trials >> 32
    for turn in np.unique(turns).tolist():
        of_turn = turns == turn
        numbers = spread(trials[of_turn].astype(np.uint32))
        drawn = np.empty_like(numbers)
        mix(numbers, *level_keys(key, 1 + turn), drawn, np.empty_like(numbers))
        out[of_turn] = drawn
    return out


# ---------------------------------------------------------------------- attempts after the first


def _fails_again(problem: Problem, job: int, attempt: int, trials: Trials) -> NDArray[np.bool_]:
    """Draw whether an attempt after the first fails, as :meth:`seqkit.FailureModel.reason` does."""
    of, row = problem.experiment, int(problem.items[job])
    failed = _happens(of.keys[row, attempt - 1], of.later_mantissas[row], of.later_digits[row], trials)
    if of.hard_mantissas[row]:
        broken = _happens(of.keys[row, 0], of.mantissas[row], of.digits[row], trials)
        failed |= broken & _happens(of.hard_keys[row], of.hard_mantissas[row], of.hard_digits[row], trials)
    for at in range(int(of.first_cause[row]), int(of.first_cause[row + 1])):
        failed |= _strikes(problem, int(of.causes[at]), trials)
    for at in range(int(of.first_mild[row]), int(of.first_mild[row + 1])):
        hit = _happens(of.mild_keys[at, attempt - 1], of.mild_mantissas[at], of.mild_digits[at], trials)
        failed |= hit & _strikes(problem, int(of.mild[at]), trials)
    return failed


def _strikes(problem: Problem, cause: int, trials: Trials) -> NDArray[np.bool_]:
    of = problem.experiment
    return _happens(of.cause_keys[cause], of.cause_mantissas[cause], of.cause_digits[cause], trials)


def _happens(keys: Keys, mantissa: np.uint64, digits: np.int64, trials: Trials) -> NDArray[np.bool_]:
    """Draw an event in each of some trials: ``draws.happens``."""
    happened = np.zeros(len(trials), bool)
    if not digits:
        happened[:] = bool(mantissa)
        return happened
    open_ = np.arange(len(trials))
    number = spread((trials >> 6).astype(np.uint32))
    upper, bit = (trials & 32).astype(bool), (trials & 31).astype(np.uint32)
    for level in range(1, int(digits) + 1):
        first, second = level_keys(keys, level)
        drawn, spare = np.empty_like(number), np.empty_like(number)
        half = upper.astype(np.intp)
        mix(number, first[half], second[half], drawn, spare)
        shift = int(digits) - level
        mine = int(mantissa) >> shift & 1
        differ = (drawn >> bit & np.uint32(1)) != mine
        happened[open_[differ]] = bool(mine)
        left = np.flatnonzero(~differ)
        if not len(left):
            break
        open_, number, upper, bit = open_[left], number[left], upper[left], bit[left]
    return happened
