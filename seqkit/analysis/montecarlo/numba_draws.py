"""The draws of :mod:`seqkit.core.draws`, compiled by numba: bits of many trials at once, in vector registers.

A row is one repo in one block of trials: first the low halves of the block's 64-bit words, then the
high halves, as 32-bit lanes, because the draws are made of 32-bit halves and many processors have no
vector multiplication for wider ones. All loops over lanes are written so that the compiler turns them
into vector instructions; every intermediate is cast back to 32 bits, which numba would widen.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"
# Compiled functions are typed by numba, from what they are called with.

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numba
from numba import uint32, uint64, uintp

__all__ = ["NONE", "compiled", "draw", "fails", "key", "mixed"]

NONE = uint32(0)
"""No trial."""


def _state_of_the_sources() -> str:
    """Give a digest of all that is compiled into one another, with the constants that it takes from elsewhere."""
    analysis = Path(__file__).parents[1]
    constants = [analysis / "schedule/ends.py", analysis / "schedule/problem.py"]
    constants += [analysis.parent / "core/laws.py", analysis.parent / "core/times.py"]
    digest = hashlib.blake2b(digest_size=6)
    for file in [*sorted(analysis.glob("montecarlo/numba_*.py")), *sorted(analysis.glob("schedule/compiled/*.py"))]:
        digest.update(file.read_bytes())
    for file in constants:
        digest.update(file.read_bytes())
    return digest.hexdigest()


try:
    _STATE = _state_of_the_sources()
except OSError:  # in an archive, where nothing is kept beside them either
    _STATE = ""


def compiled(function: Any) -> Any:
    """Compile, and keep the machine code beside the module or in the user's cache, as Python does with its own.

    numba takes kept code for new as long as the file of the function is what it was, though what is compiled into it
    may stand in another. So the state of all these files is part of the name that the code is kept by.
    """
    function.__qualname__ += f"_{_STATE}"
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither place can be written
        return numba.njit(nogil=True)(function)


@numba.njit(inline="always")
def key(stream, level):
    """The splitmix64 of :mod:`seqkit.core.draws`: the keys of one level."""
    state = uint64(stream + uint64(level) * uint64(0x9E3779B97F4A7C15))
    state = uint64((state ^ (state >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
    state = uint64((state ^ (state >> uint64(27))) * uint64(0x94D049BB133111EB))
    return uint64(state ^ (state >> uint64(31)))


@numba.njit(inline="always")
def mixed(number, first, second):
    """One half of ``draws.word``."""
    value = uint32(number ^ first)
    value = uint32(uint32(value ^ uint32(value >> uint32(16))) * uint32(0x21F0AAAD))
    value = uint32(uint32(value ^ uint32(value >> uint32(15))) + second)
    value = uint32(value * uint32(0xD35A2D97))
    return uint32(value ^ uint32(value >> uint32(15)))


@numba.njit(inline="always")
def _digit(mantissa, digits, level):
    """A binary digit of the rate, as a mask."""
    shift = digits - level
    if 0 <= shift < 64:
        return uint32(NONE - uint32((mantissa >> uint64(shift)) & uint64(1)))
    return NONE


@numba.njit(inline="always")
def _happened(decided, drawn, digit, open_):
    """Where the draw is still open and falls below the rate at this digit."""
    return uint32(decided | uint32(uint32(open_ & digit) & uint32(~drawn)))


@numba.njit(inline="always")
def _still(drawn, digit, open_):
    """Where the draw still equals the rate after this digit."""
    return uint32(open_ & uint32(~uint32(drawn ^ digit)))


@numba.njit(inline="always")
def _four_levels(pending, out, r, offset, words, numbers, key0, digit0, key1, digit1, key2, digit2, key3, digit3):
    """Compare four digits at a time: less traffic, and a test for the end only every fourth."""
    a0, b0 = uint32(key0), uint32(key0 >> uint64(32))
    a1, b1 = uint32(key1), uint32(key1 >> uint64(32))
    a2, b2 = uint32(key2), uint32(key2 >> uint64(32))
    a3, b3 = uint32(key3), uint32(key3 >> uint64(32))
    left = NONE
    for i in range(words):
        number = numbers[i]
        lane = offset + i
        open_, decided = pending[lane], out[r, lane]
        drawn = mixed(number, a0, b0)
        decided = _happened(decided, drawn, digit0, open_)
        open_ = _still(drawn, digit0, open_)
        drawn = mixed(number, a1, b1)
        decided = _happened(decided, drawn, digit1, open_)
        open_ = _still(drawn, digit1, open_)
        drawn = mixed(number, a2, b2)
        decided = _happened(decided, drawn, digit2, open_)
        open_ = _still(drawn, digit2, open_)
        drawn = mixed(number, a3, b3)
        decided = _happened(decided, drawn, digit3, open_)
        open_ = _still(drawn, digit3, open_)
        pending[lane] = open_
        out[r, lane] = decided
        left = uint32(left | open_)
    return left


@compiled
def draw(pending, out, r, words, keys, v, attempt, mantissa, digits, numbers):
    """Set in ``out[r]`` the trials of `pending` in which an event of this rate happens; uses `pending` up."""
    if digits == 0:
        if mantissa:
            for lane in range(2 * words):
                out[r, lane] = uint32(out[r, lane] | pending[lane])
        return
    for half in range(2):
        offset = uintp(half) * words
        stream = keys[v, attempt, half]
        level = 1
        while level <= digits:
            left = _four_levels(
                pending,
                out,
                r,
                offset,
                words,
                numbers,
                key(stream, level),
                _digit(mantissa, digits, level),
                key(stream, level + 1),
                _digit(mantissa, digits, level + 1),
                key(stream, level + 2),
                _digit(mantissa, digits, level + 2),
                key(stream, level + 3),
                _digit(mantissa, digits, level + 3),
            )
            if left == NONE:
                break
            level += 4


@compiled
def fails(pending, out, r, words, keys, v, attempt, mantissa, digits, numbers, mild, mild_first, mild_last, struck):
    """Set in ``out[r]`` the trials of `pending` in which this attempt fails, by itself or for a mild cause.

    ``out[r + 1]`` are those in which it fails by itself, ``out[r + 2]`` is overwritten. `pending` is left as it is.
    """
    causes, mild_keys, mild_mantissas, mild_digits = mild
    own, spare = out[r + 1], out[r + 2]
    own[:] = NONE
    spare[:] = pending
    draw(spare, out, r + 1, words, keys, v, attempt, mantissa, digits, numbers)
    out[r, :] = own
    for i in range(mild_first, mild_last):
        for lane in range(2 * words):
            spare[lane] = uint32(pending[lane] & struck[causes[i], lane])
        draw(spare, out, r, words, mild_keys, i, attempt, mild_mantissas[i], mild_digits[i], numbers)
