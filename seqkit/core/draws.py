"""All randomness of seqkit: a counter-based hash, so that every draw has an address.

A draw belongs to (seed, kind, name, attempt, trial), where `kind` is ``"repo"``, ``"cause"``, ``"hard"``,
``"severity"`` or another of :data:`Kind`. Its value depends on nothing else: not on the order of execution, not
on which other repos are planned, not on who computes it. Trials are the bits of 64-bit words, ``word = trial // 64``.

A word at one bit level is two 32-bit halves. The word's number is spread by two rounds of multiply
and xor-shift (constants from Wellons' hash prospector, "lowbias32"), the same for every address, so
that an engine does it once. Each half mixes the spread number with two keys by two more rounds. The
keys come from a BLAKE2b digest of (seed, kind, name, attempt), through the finaliser of
splitmix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) with the level as counter.
Multiplications are 32 bits wide where it counts, because many processors have no vector
instruction for wider ones.

An event of probability p happens where a uniform number U lies below p. Both are read bit by
bit from the top until they differ: two levels on average, and exact for every float.

Where a trial needs a number and no event, such as how long a release takes, it has a word of its own
(:func:`uniform`): the word whose number is the trial. Of more than 2**32 trials the next ones have the
words of the next level. An engine draws the low half alone, one multiplication chain for 32 bits.

Evidence, from ``tests/test_draws_statistics.py``: bit, nibble and byte counts, correlations within
words and between words 1 to 16 apart, runs, gaps, birthday spacings, collisions, matrix ranks,
avalanche of the number, dispersion over streams, and counts and correlations of events. Words are
laid out along the number (from 0 and up to 2**32), level, name, attempt, kind and seed. In the large
run, some 2**33 bits, the smallest of 376 p-values was 0.0004 (0.001 for numpy's Philox, the control).
Over 200 seeds the p-values are uniform (Kolmogorov-Smirnov: smallest of 28 is 0.004, control 0.04).
Copies weakened in one place fail (p below 1e-20): one round, the number not spread, keys that ignore
the level, related halves, keys from a checksum. TestU01 and PractRand, run apart from these tests, found
words that mix numbers, levels, names, attempts and seeds clean to 4 to 8 GiB in every order they were
mixed in. One limit is known: a half is a permutation of the number, so that it never repeats within a
stream, where fair coins would repeat 128 among the first 2**20. A single address shows that to them at
2**28 words (1.7e10 trials), on the side of too even, which harms no count here. Not for cryptography.
"""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
from typing import Literal

import numpy as np

from seqkit._util.secrets import as_given

__all__ = ["MAX_TRIALS", "Kind", "Name", "Seed", "binary", "happens", "resolve_seed", "stream", "uniform", "word"]

Kind = Literal["repo", "cause", "hard", "severity", "duration", "delay", "hang", "lost", "limited", "search"]
"""What a draw is for: a try at a repo, a common cause, whether a failure is one that no retry mends, whether a
cause that strikes makes a try fail, how long a try takes, how long is waited before the next, what disturbs a try, or
where priorities are looked for."""

Name = str | tuple[str, str]
"""Whose draw it is: a repo, a cause, or for a severity a cause and its member."""

Seed = int | np.random.Generator
"""Where randomness comes from: a whole number from 0, the same for every call, or a Generator, that gives one."""
MAX_TRIALS = 1 << 38
"""Trials count from 0 and stay below this: a word's number has 32 bits."""

_M32 = 0xFFFFFFFF
_M64 = 0xFFFFFFFFFFFFFFFF


def _splitmix64(state: int) -> int:
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _M64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _M64
    return state ^ (state >> 31)


def _mixed(number: int, first: int, second: int) -> int:
    value = number ^ first
    value = ((value ^ (value >> 16)) * 0x21F0AAAD) & _M32
    value = ((value ^ (value >> 15)) + second) & _M32
    value = (value * 0xD35A2D97) & _M32
    return value ^ (value >> 15)


def stream(seed: int, kind: Kind, name: Name, attempt: int) -> tuple[int, int]:
    """Give the two 64-bit keys of an address: of the low and the high halves of its words."""
    address = json.dumps([seed, kind, name, attempt]).encode()
    digest = hashlib.blake2b(address, digest_size=16, person=b"seqkit-draws").digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


_stream = functools.lru_cache(maxsize=4096)(stream)


def binary(probability: float) -> tuple[int, int]:
    """Write a probability as ``mantissa / 2**digits``, exactly and with as few digits as can be.

    Examples
    --------
    >>> binary(0.375), binary(0.0), binary(1.0)
    ((3, 3), (0, 0), (1, 0))
    """
    mantissa, denominator = probability.as_integer_ratio()
    return mantissa, denominator.bit_length() - 1


def word(seed: int, kind: Kind, name: Name, attempt: int, level: int, number: int) -> int:
    """Draw 64 random bits, one for each of the trials ``64 * number`` to ``64 * number + 63``.

    Parameters
    ----------
    seed, kind, name, attempt
        Whose draw it is.
    level : int
        Which binary digit of the uniform number, from 1.
    number : int
        ``trial // 64``, below 2**32.

    Examples
    --------
    >>> hex(word(7, "repo", "core", 1, 1, 0)) == hex(word(7, "repo", "core", 1, 1, 0))
    True
    """
    low, high = _stream(seed, kind, name, attempt)
    step = level * 0x9E3779B97F4A7C15
    a, b = _splitmix64((low + step) & _M64), _splitmix64((high + step) & _M64)
    spread = _mixed(number, 0, 0)  # neighbours differ in few bits, too few for two keyed rounds
    return _mixed(spread, a & _M32, a >> 32) | _mixed(spread, b & _M32, b >> 32) << 32


def uniform(seed: int, kind: Kind, name: Name, attempt: int, trial: int) -> int:
    """Draw a whole number below 2**64 for this trial, each as likely; its low 32 bits are a draw by themselves.

    An address is one of events or of numbers, never of both: the words are the same.

    Examples
    --------
    >>> sum(uniform(7, "duration", "core", 1, trial) for trial in range(4000)) / 4000 / 2**64  # give or take 0.009
    0.4907...
    """
    turn, number = divmod(trial, 1 << 32)
    return word(seed, kind, name, attempt, 1 + turn, number)


def happens(probability: float, seed: int, kind: Kind, name: Name, attempt: int, trial: int) -> bool:
    """Draw whether an event of this probability happens in this trial.

    Examples
    --------
    >>> happens(0.0, 7, "repo", "core", 1, 0), happens(1.0, 7, "repo", "core", 1, 0)
    (False, True)
    >>> sum(happens(0.25, 7, "repo", "core", 1, trial) for trial in range(4000)) / 4000  # give or take 0.007
    0.2565
    """
    mantissa, digits = binary(probability)
    if not digits:
        return mantissa == 1
    number, bit = divmod(trial, 64)
    for level in range(1, digits + 1):
        mine = mantissa >> (digits - level) & 1
        drawn = word(seed, kind, name, attempt, level, number) >> bit & 1
        if mine != drawn:
            return mine > drawn
    return False


def resolve_seed(rng: Seed | None) -> int:
    """Read an `rng` argument: an int is the seed itself, a Generator gives one, None takes fresh entropy.

    Raises
    ------
    TypeError, ValueError
        Where `rng` is anything else, or a negative number.

    Examples
    --------
    >>> resolve_seed(0)
    0
    """
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(0, 1 << 63))
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer):
        raise TypeError(f"rng is {as_given(rng, 200)}, expected a whole number, a numpy.random.Generator or None")
    if rng < 0:
        raise ValueError(f"rng is {rng}, expected a whole number from 0")
    return int(rng)
