"""What happens to attempts, compiled by numba: the draws of :mod:`seqkit.analysis.schedule.drawing`.

An attempt is told by one number: its ticks where it succeeds, ``-1 - ticks`` where it fails; a double that holds a
whole number, since many processors turn doubles into integers one by one.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"
# Compiled functions are typed by numba, from what they are called with.

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import int64, types, uint32, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.numba_draws import NONE, compiled, draw, fails, key, mixed
from seqkit.analysis.schedule.problem import ScheduleProblem
from seqkit.core.laws import CELL_BITS, CELLS
from seqkit.core.times import LONGEST, TICKS_A_SECOND

__all__ = [
    "WORDS",
    "FailureArrays",
    "TimeArrays",
    "attempt",
    "chances_of",
    "clipped",
    "first_failures",
    "place",
    "ticks_of",
    "times_of",
]

WORDS = 64
"""Words of bits that are drawn at once: 4,096 trials."""

_LONGEST = float(LONGEST)
_SHIFT = 52 - CELL_BITS
_BASE = 1023 << CELL_BITS
_TICKS = float(TICKS_A_SECOND)
_TAIL = CELLS.bit_length() - 1


class FailureArrays(NamedTuple):
    """What fails: see :class:`seqkit.analysis.montecarlo.experiment.Experiment`; `items` is the row of each job."""

    items: NDArray[np.int64]
    keys: NDArray[np.uint64]
    mantissas: NDArray[np.uint64]
    digits: NDArray[np.int64]
    hard_keys: NDArray[np.uint64]
    hard_mantissas: NDArray[np.uint64]
    hard_digits: NDArray[np.int64]
    later_mantissas: NDArray[np.uint64]
    later_digits: NDArray[np.int64]
    cause_keys: NDArray[np.uint64]
    cause_mantissas: NDArray[np.uint64]
    cause_digits: NDArray[np.int64]
    first_cause: NDArray[np.int64]
    causes: NDArray[np.int64]
    first_mild: NDArray[np.int64]
    mild: NDArray[np.int64]
    mild_keys: NDArray[np.uint64]
    mild_mantissas: NDArray[np.uint64]
    mild_digits: NDArray[np.int64]


class TimeArrays(NamedTuple):
    """How long attempts and waits take: see :class:`seqkit.analysis.schedule.problem.ScheduleProblem`."""

    counts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    scales: NDArray[np.float64]
    times: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    slopes: NDArray[np.float64]
    differ: NDArray[np.bool_]
    keys: NDArray[np.uint64]
    wait_keys: NDArray[np.uint64]
    waits: NDArray[np.float64]
    jitter: float


def chances_of(problem: ScheduleProblem) -> FailureArrays:
    """Give what fails."""
    of = problem.experiment
    return FailureArrays(problem.items, *[getattr(of, name) for name in FailureArrays._fields[1:]])


def times_of(problem: ScheduleProblem) -> TimeArrays:
    """Give how long attempts and waits take."""
    laws = problem.laws
    own = [getattr(laws, name) for name in TimeArrays._fields[:7]]
    return TimeArrays(*own, problem.keys, problem.wait_keys, problem.waits, problem.retry.jitter)


@intrinsic
def _bits(typing_context: Any, value: Any) -> Any:
    """Give the bits of a double."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return types.int64(types.float64), generate


@numba.njit(inline="always")
def place(number):
    """Give the cell that a number lies in, in a table that begins at 0, and how far it is from its end."""
    upper = number >> uint32(31)
    x = 2.0 * float(uint32(number ^ uint32(NONE - upper))) + 1.0
    return (_bits(x) >> _SHIFT) - _BASE + (int64(upper) << _TAIL), x


@numba.njit(inline="always")
def clipped(ticks):
    """Keep a time within a century."""
    return _LONGEST if ticks > _LONGEST else ticks


@compiled
def ticks_of(times, law, number):
    """Read a time off any law."""
    count, offset = times.counts[law], times.offsets[law]
    if count:
        return times.times[offset + int64((uint64(number) * uint64(count)) >> uint64(32))]
    cell, x = place(number)
    cell += offset
    return np.floor(clipped(times.scales[law] * (times.intercepts[cell] + times.slopes[cell] * x) + 0.5))


@compiled
def first_failures(chances, first_word, words, rows):
    """Set in ``rows[v]`` the trials in which the first attempt at job v fails; `rows` has 2 * words lanes."""
    lanes = 2 * words
    numbers = np.empty(words, np.uint32)
    struck = np.zeros((chances.cause_keys.shape[0], lanes), np.uint32)
    pending, again = np.empty(lanes, np.uint32), np.zeros((3, lanes), np.uint32)
    for word in range(words):
        numbers[word] = mixed(uint32(uint64(first_word) + uint64(word)), NONE, NONE)
    cause_keys = chances.cause_keys.reshape(-1, 1, 2)
    for c in range(struck.shape[0]):
        pending[:] = uint32(0xFFFFFFFF)
        draw(pending, struck, c, words, cause_keys, c, 0, chances.cause_mantissas[c], chances.cause_digits[c], numbers)
    mild = (chances.mild, chances.mild_keys, chances.mild_mantissas, chances.mild_digits)
    for v in range(rows.shape[0]):
        row = chances.items[v]
        rows[v, :] = NONE
        pending[:] = uint32(0xFFFFFFFF)
        for i in range(chances.first_cause[row], chances.first_cause[row + 1]):
            cause = chances.causes[i]
            for lane in range(lanes):
                rows[v, lane] = uint32(rows[v, lane] | struck[cause, lane])
        mantissa, digits = chances.mantissas[row], chances.digits[row]
        begin, end = chances.first_mild[row], chances.first_mild[row + 1]
        if begin == end:
            if mantissa:
                draw(pending, rows, v, words, chances.keys, row, 0, mantissa, digits, numbers)
        else:
            again[0, :] = NONE
            fails(pending, again, 0, words, chances.keys, row, 0, mantissa, digits, numbers, mild, begin, end, struck)
            for lane in range(lanes):
                rows[v, lane] = uint32(rows[v, lane] | again[0, lane])


@compiled
def _happens(keys, mantissa, digits, trial):
    """Draw an event in one trial: ``draws.happens``."""
    if digits == 0:
        return mantissa != uint64(0)
    number = mixed(uint32(trial >> 6), NONE, NONE)
    bit = uint32(trial & 31)
    stream = keys[(trial >> 5) & 1]
    for level in range(1, digits + 1):
        both = key(stream, level)
        drawn = uint32(mixed(number, uint32(both), uint32(both >> uint64(32))) >> bit) & uint32(1)
        shift = digits - level
        mine = uint32((mantissa >> uint64(shift)) & uint64(1)) if shift < 64 else uint32(0)
        if mine != drawn:
            return mine > drawn
    return False


@compiled
def _strikes(chances, cause, trial):
    return _happens(chances.cause_keys[cause], chances.cause_mantissas[cause], chances.cause_digits[cause], trial)


@compiled
def _fails_again(chances, v, number, trial):
    row = chances.items[v]
    for i in range(chances.first_cause[row], chances.first_cause[row + 1]):
        if _strikes(chances, chances.causes[i], trial):
            return True
    keys = chances.keys[row]
    if _happens(keys[number - 1], chances.later_mantissas[row], chances.later_digits[row], trial):
        return True
    for i in range(chances.first_mild[row], chances.first_mild[row + 1]):
        if _strikes(chances, chances.mild[i], trial) and _happens(
            chances.mild_keys[i, number - 1], chances.mild_mantissas[i], chances.mild_digits[i], trial
        ):
            return True
    return (
        chances.hard_mantissas[row] != uint64(0)
        and _happens(keys[0], chances.mantissas[row], chances.digits[row], trial)
        and _happens(chances.hard_keys[row], chances.hard_mantissas[row], chances.hard_digits[row], trial)
    )


@compiled
def _half(stream, trial):
    """Draw 32 bits for one trial: a half of ``draws.uniform``."""
    both = key(stream, 1 + (trial >> 32))
    return mixed(mixed(uint32(trial), NONE, NONE), uint32(both), uint32(both >> uint64(32)))


@compiled
def attempt(chances, times, v, number, trial):
    """Draw the wait before an attempt after the first, in ticks, and what happens to the attempt."""
    seconds = times.waits[number - 2]
    if times.wait_keys.size:
        low = _half(times.wait_keys[v, number - 2, 0], trial)
        high = _half(times.wait_keys[v, number - 2, 1], trial)
        drawn = float(((uint64(high) << uint64(32)) | uint64(low)) >> uint64(11)) * 2.0**-53
        seconds = seconds * (1.0 + times.jitter * (2.0 * drawn - 1.0))
    wait = int64(np.floor(seconds * _TICKS + 0.5))
    failed = _fails_again(chances, v, number, trial)
    law = v + times.differ.size if failed else v
    ticks = ticks_of(times, law, _half(times.keys[v, number - 1], trial))
    return wait, (-1.0 - ticks if failed else ticks)
