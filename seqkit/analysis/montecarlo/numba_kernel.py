"""The kernel compiled by numba: bits of trials in vector registers, blocks that stay in the cache.

Rows of lanes, and why they are what they are: see :mod:`seqkit.analysis.montecarlo.numba_draws`.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"
# Compiled functions are typed by numba, from what they are called with.

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types, uint32, uint64, uintp
from numba.extending import intrinsic

from seqkit.analysis.montecarlo.experiment import NO_TRIALS, Experiment, Tally, joint_counts
from seqkit.analysis.montecarlo.numba_draws import NONE, compiled, draw, fails, mixed

__all__ = ["is_compiled", "run"]

_WORDS = 128  # a block of 8,192 trials: a row is 1 KB, so that starting a loop costs little beside it
_WORDS_OF_LARGE = 64
_LARGE = 16_000  # rows; above, they would not fit any cache, and take less memory this way
_DENSE_UP_TO = 1_500  # released repos; a table of all joint counts stays below 20 MB

_ALL = uint32(0xFFFFFFFF)


@intrinsic
def _ones(typing_context: Any, value: Any) -> Any:
    """Count the bits that are set, by the processor's instruction."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint32(types.uint32), generate


@numba.njit(inline="always")
def _sum3(a, b, c):
    return uint32(uint32(a ^ b) ^ c)


@numba.njit(inline="always")
def _carry3(a, b, c):
    return uint32(uint32(a & b) | uint32(c & uint32(a ^ b)))


@compiled
def _add_eight(planes, rows, carry):
    """Add eight rows to the counters: bit k of a trial's count is its bit in ``planes[k]``.

    A tree of carry-save adders (Harley and Seal) takes eight rows to one carry of weight eight.
    """
    lanes = rows.shape[1]
    for lane in range(lanes):
        ones, twos, fours = planes[0, lane], planes[1, lane], planes[2, lane]
        a, b = rows[0, lane], rows[1, lane]
        two_a = _carry3(ones, a, b)
        ones = _sum3(ones, a, b)
        a, b = rows[2, lane], rows[3, lane]
        two_b = _carry3(ones, a, b)
        ones = _sum3(ones, a, b)
        four_a = _carry3(twos, two_a, two_b)
        twos = _sum3(twos, two_a, two_b)
        a, b = rows[4, lane], rows[5, lane]
        two_a = _carry3(ones, a, b)
        ones = _sum3(ones, a, b)
        a, b = rows[6, lane], rows[7, lane]
        two_b = _carry3(ones, a, b)
        ones = _sum3(ones, a, b)
        four_b = _carry3(twos, two_a, two_b)
        twos = _sum3(twos, two_a, two_b)
        carry[lane] = _carry3(fours, four_a, four_b)
        planes[0, lane], planes[1, lane], planes[2, lane] = ones, twos, _sum3(fours, four_a, four_b)
    for k in range(3, planes.shape[0]):
        left = NONE
        for lane in range(lanes):
            bits = planes[k, lane]
            planes[k, lane] = uint32(bits ^ carry[lane])
            carry[lane] = uint32(bits & carry[lane])
            left = uint32(left | carry[lane])
        if left == NONE:
            break


@compiled
def _read_counters(planes, counts):
    """Turn the counters into one number a trial: ``counts[bit, lane]``."""
    for bit in range(32):
        for lane in range(planes.shape[1]):
            counts[bit, lane] = uint32(planes[0, lane] >> uint32(bit)) & uint32(1)
        for k in range(1, planes.shape[0]):
            for lane in range(planes.shape[1]):
                digit = uint32(uint32(planes[k, lane] >> uint32(bit)) & uint32(1))
                counts[bit, lane] = uint32(counts[bit, lane] | uint32(digit << uint32(k)))


@compiled
def _blocks(  # noqa: PLR0912, PLR0915  # one pass over the rows of a block; to call out costs more than it does
    released,
    first_dependency,
    dependencies,
    keys,
    mantissas,
    digits,
    hard_keys,
    hard_mantissas,
    hard_digits,
    later_mantissas,
    later_digits,
    cause_keys,
    cause_mantissas,
    cause_digits,
    first_cause,
    causes,
    first_mild,
    mild,
    stop_at,
    departs,
    first_word,
    trials,
    words,
    n_planes,
    failed,
    lost,
    joint,
    n_failed,
    n_lost,
):
    n, attempts = keys.shape[0], keys.shape[1]
    words = uintp(words)
    lanes = 2 * words
    rows = np.empty((n, lanes), np.uint32)
    struck = np.empty((cause_keys.shape[0], lanes), np.uint32)
    valid, pending = np.empty(lanes, np.uint32), np.empty(lanes, np.uint32)
    carry, again, broken = np.empty(lanes, np.uint32), np.empty((3, lanes), np.uint32), np.empty((1, lanes), np.uint32)
    last_failed, last_lost = np.empty((8, lanes), np.uint32), np.empty((8, lanes), np.uint32)
    planes_failed, planes_lost = np.empty((n_planes, lanes), np.uint32), np.empty((n_planes, lanes), np.uint32)
    counts_failed, counts_lost = np.empty((32, lanes), np.uint32), np.empty((32, lanes), np.uint32)
    numbers, stopped = np.empty(words, np.uint32), np.empty(lanes, np.uint32)
    n_budget = 0  # planes of a counter that overflows at the failure which stops the run
    while 1 << n_budget < stop_at:
        n_budget += 1
    budget = np.empty((n_budget, lanes), np.uint32)
    width = 0
    for v in range(n):
        width += released[v]
    width += 1

    done = 0
    while done < trials:
        number = uint32(uint64(first_word) + uint64(done // 64))
        size = min(trials - done, 64 * words)
        for word in range(words):
            numbers[word] = mixed(uint32(number + uint32(word)), NONE, NONE)
            for half in range(2):
                inside = min(max(size - 64 * word - 32 * half, 0), 32)
                valid[half * words + word] = uint32((uint64(1) << uint64(inside)) - uint64(1))
        for c in range(cause_keys.shape[0]):
            pending[:] = valid
            struck[c, :] = NONE
            draw(pending, struck, c, words, cause_keys, c, 0, cause_mantissas[c], cause_digits[c], numbers)
        planes_failed[:] = NONE
        planes_lost[:] = NONE
        held = 0
        for v in range(n):
            if departs[v]:  # failures count from here
                stopped[:] = NONE
                for k in range(n_budget):
                    budget[k, :] = _ALL if ((1 << n_budget) - stop_at) >> k & 1 else NONE
            for lane in range(lanes):  # an unreleased item only hands on what it needs
                rows[v, lane] = stopped[lane] if released[v] else NONE
            for i in range(first_dependency[v], first_dependency[v + 1]):
                needed = dependencies[i]
                for lane in range(lanes):
                    rows[v, lane] = uint32(rows[v, lane] | rows[needed, lane])
            if not released[v]:
                continue
            for lane in range(lanes):
                pending[lane] = uint32(valid[lane] & uint32(~rows[v, lane]))
                last_failed[held, lane] = NONE
            for i in range(first_cause[v], first_cause[v + 1]):
                cause = causes[i]
                for lane in range(lanes):
                    hit = uint32(pending[lane] & struck[cause, lane])
                    last_failed[held, lane] = uint32(last_failed[held, lane] | hit)
                    pending[lane] = uint32(pending[lane] ^ hit)
            mantissa, n_digits = mantissas[v], digits[v]
            mild_first, mild_last = first_mild[v], first_mild[v + 1]
            for attempt in range(attempts - 1):
                own = 0
                if mild_first == mild_last:
                    again[0, :] = NONE
                    draw(pending, again, 0, words, keys, v, attempt, mantissa, n_digits, numbers)
                else:
                    own = 1
                    fails(
                        pending,
                        again,
                        0,
                        words,
                        keys,
                        v,
                        attempt,
                        mantissa,
                        n_digits,
                        numbers,
                        mild,
                        mild_first,
                        mild_last,
                        struck,
                    )
                pending[:] = again[0]  # who failed is tried again
                if attempt == 0:
                    mantissa, n_digits = later_mantissas[v], later_digits[v]
                    if hard_mantissas[v]:  # but for those that are broken, which have failed
                        broken[0, :] = NONE
                        draw(again[own], broken, 0, words, hard_keys, v, 0, hard_mantissas[v], hard_digits[v], numbers)
                        for lane in range(lanes):
                            last_failed[held, lane] = uint32(last_failed[held, lane] | broken[0, lane])
                            pending[lane] = uint32(pending[lane] & uint32(~broken[0, lane]))
                left = NONE
                for lane in range(lanes):
                    left = uint32(left | pending[lane])
                if left == NONE:
                    break
            if mild_first == mild_last:
                draw(pending, last_failed, held, words, keys, v, attempts - 1, mantissa, n_digits, numbers)
            else:
                fails(
                    pending,
                    again,
                    0,
                    words,
                    keys,
                    v,
                    attempts - 1,
                    mantissa,
                    n_digits,
                    numbers,
                    mild,
                    mild_first,
                    mild_last,
                    struck,
                )
                for lane in range(lanes):
                    last_failed[held, lane] = uint32(last_failed[held, lane] | again[0, lane])
            many_failed = many_lost = NONE
            for lane in range(lanes):
                fail = last_failed[held, lane]
                miss = uint32(rows[v, lane] | fail)
                rows[v, lane] = miss
                miss = uint32(miss & valid[lane])
                last_lost[held, lane] = miss
                many_failed = uint32(many_failed + _ones(fail))
                many_lost = uint32(many_lost + _ones(miss))
            failed[v] += many_failed
            lost[v] += many_lost
            if stop_at:
                carry[:] = last_failed[held]
                for k in range(n_budget):
                    for lane in range(lanes):
                        bits = budget[k, lane]
                        budget[k, lane] = uint32(bits ^ carry[lane])
                        carry[lane] = uint32(bits & carry[lane])
                for lane in range(lanes):
                    stopped[lane] = uint32(stopped[lane] | carry[lane])
            held += 1
            if held == 8:
                _add_eight(planes_failed, last_failed, carry)
                _add_eight(planes_lost, last_lost, carry)
                held = 0
        if held:
            last_failed[held:] = NONE
            last_lost[held:] = NONE
            _add_eight(planes_failed, last_failed, carry)
            _add_eight(planes_lost, last_lost, carry)

        _read_counters(planes_failed, counts_failed)
        _read_counters(planes_lost, counts_lost)
        if joint.size:
            for bit in range(32):
                for lane in range(lanes):
                    joint[counts_failed[bit, lane] * width + counts_lost[bit, lane]] += 1
            joint[0] -= 64 * words - size  # trials beyond the end: nothing fails there
        if n_failed.size:
            for word in range(words):
                for half in range(2):
                    for bit in range(32):
                        trial = 64 * word + 32 * half + bit
                        if trial < size:
                            n_failed[done + trial] = counts_failed[bit, half * words + word]
                            n_lost[done + trial] = counts_lost[bit, half * words + word]
        done += size


def is_compiled() -> bool:
    """Tell whether the next call starts at once."""
    return bool(_blocks.signatures)


def run(experiment: Experiment, first_word: int, trials: int, arrays: bool = False) -> Tally:
    """Run the trials from ``64 * first_word`` on."""
    n, n_released = len(experiment.released), experiment.n_released
    dense = n_released <= _DENSE_UP_TO
    failed, lost = np.zeros(n, np.int64), np.zeros(n, np.int64)
    table = np.zeros((n_released + 1) ** 2 if dense else 0, np.int64)
    per_trial = trials if arrays or not dense else 0
    n_failed, n_lost = np.zeros(per_trial, np.int32), np.zeros(per_trial, np.int32)
    _blocks(
        experiment.released,
        experiment.first_dependency,
        experiment.dependencies,
        experiment.keys,
        experiment.mantissas,
        experiment.digits,
        experiment.hard_keys.reshape(-1, 1, 2),
        experiment.hard_mantissas,
        experiment.hard_digits,
        experiment.later_mantissas,
        experiment.later_digits,
        experiment.cause_keys.reshape(-1, 1, 2),
        experiment.cause_mantissas,
        experiment.cause_digits,
        experiment.first_cause,
        experiment.causes,
        experiment.first_mild,
        (experiment.mild, experiment.mild_keys, experiment.mild_mantissas, experiment.mild_digits),
        experiment.stop_at,
        experiment.departs,
        first_word,
        trials,
        _WORDS if n <= _LARGE else _WORDS_OF_LARGE,
        max(3, n_released.bit_length()),
        failed,
        lost,
        table,
        n_failed,
        n_lost,
    )
    if dense:
        joint = np.flatnonzero(table).astype(np.int64)
        weights = table[joint]
    else:
        joint, weights = joint_counts(n_failed, n_lost, n_released + 1)
    if not arrays:
        n_failed = n_lost = NO_TRIALS
    return Tally(trials, failed, lost, joint, weights, n_failed, n_lost)
