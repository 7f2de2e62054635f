"""A battery of statistical tests for counter-based generators of 64-bit words.

Each test turns words into one p-value, two-sided: fits that are too good are as suspicious as those
that are too bad. Under the null law (all bits independent and fair) p is uniform on (0, 1), up to the
steps of counts. The battery is small and fitted to what `seqkit.core.draws` is used for: neither PractRand
nor TestU01 (both written in C and C++) is part of it, and passing here does not mean passing there.

A generator is a function (addresses, start, count) -> uint64 array of shape (addresses, count). There is
the hash under test, a control (Philox4x64-10, Salmon et al. 2011, doi:10.1145/2063384.2063405) and five
copies of the hash, each weakened in one place. A battery that lets those pass has no power.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from seqkit.core import draws

Words = NDArray[np.uint64]
Floats = NDArray[np.float64]
CHUNK = 1 << 15
KINDS: tuple[draws.Kind, ...] = ("repo", "cause")


class Address(NamedTuple):
    """Whose words: all that `draws.word` takes, but the word's number."""

    seed: int = 0
    kind: draws.Kind = "repo"
    name: str = "core"
    attempt: int = 1
    level: int = 1


Generator = Callable[[Sequence[Address], int, int], Words]


# ---------------------------------------------------------------------- generators


def _splitmix64(state: Words) -> Words:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _keys(addresses: Sequence[Address]) -> Words:
    """Two 64-bit keys for each address, shape (2, addresses): one for each half of a word."""
    streams = np.array([draws._stream(*address[:4]) for address in addresses], dtype=np.uint64).T
    steps = np.array([address.level for address in addresses], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return _splitmix64(streams + steps)


def _mixed(numbers: NDArray[np.uint32], keys: Words, rounds: int = 2) -> NDArray[np.uint32]:
    first, second = keys.astype(np.uint32)[:, None], (keys >> np.uint64(32)).astype(np.uint32)[:, None]
    value = numbers ^ first
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x21F0AAAD)
    value = (value ^ (value >> np.uint32(15))) + second
    if rounds == 1:
        return value
    value = value * np.uint32(0xD35A2D97)
    return value ^ (value >> np.uint32(15))


def _words(keys: Words, start: int, count: int, rounds: int = 2, spread: bool = True) -> Words:
    numbers = np.arange(start, start + count, dtype=np.uint32)
    if spread:
        numbers = _mixed(numbers, np.zeros(1, dtype=np.uint64), rounds)[0]
    words = _mixed(numbers, keys[1], rounds).astype(np.uint64)
    words <<= np.uint64(32)
    words |= _mixed(numbers, keys[0], rounds)
    return words


def hashed(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Generate the words of `draws.word`, many at a time."""
    return _words(_keys(addresses), start, count)


def philox(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Generate the control's words: numpy's Philox, keyed by the address, with the level in its counter."""
    words = np.empty((len(addresses), count), dtype=np.uint64)
    block, skipped = divmod(start, 4)
    for row, address in zip(words, addresses, strict=True):
        low, high = draws._stream(*address[:4])
        source = np.random.Philox(key=low | high << 64, counter=block | address.level << 64)
        row[:] = source.random_raw(skipped + count)[skipped:]
    return words


def unspread(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Weaken the hash: numbers meet the keys as they are, so that neighbours differ in few bits.

    The first version of the hash did this. Ones were spread too evenly (a variance 8 % too small
    over 2^16 words) and some streams gave matrices of too low a rank.
    """
    return _words(_keys(addresses), start, count, spread=False)


def one_round(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Weaken the hash: every mixing stops after the first multiplication."""
    return _words(_keys(addresses), start, count, rounds=1)


def levels_alike(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Weaken the hash: the keys ignore the bit level."""
    return hashed([address._replace(level=1) for address in addresses], start, count)


def halves_alike(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Weaken the hash: both halves of a word differ in their second key alone, and by one bit."""
    keys = _keys(addresses)
    return _words(np.stack([keys[0], keys[0] ^ np.uint64(1 << 63)]), start, count)


def checksummed(addresses: Sequence[Address], start: int, count: int) -> Words:
    """Weaken the hash: a checksum of the address stands in for the digest, and no finaliser for the level."""
    sums = [zlib.adler32(repr(address[:4]).encode()) + address.level for address in addresses]
    keys = np.array(sums, dtype=np.uint64)
    return _words(np.stack([keys, keys << np.uint64(32)]), start, count)


WEAKENED: dict[str, Generator] = {
    "unspread": unspread,
    "one round": one_round,
    "levels alike": levels_alike,
    "halves alike": halves_alike,
    "checksummed": checksummed,
}


# ---------------------------------------------------------------------- p-values


def two_sided(law: Any, value: float) -> float:
    """Twice the smaller tail of a law (a frozen scipy distribution) at this value.

    Of a discrete law's value half its probability goes to each tail (the mid-p-value), so that p is
    nearly uniform.
    """
    half = law.pmf(value) / 2 if hasattr(law.dist, "pmf") else 0.0
    return float(2 * min(law.cdf(value) - half, law.sf(value) + half))


def goodness(counts: NDArray[Any], shares: Floats) -> float:
    """Pearson's chi-square: counts of classes against their shares; null law chi-square, classes - 1."""
    expected = counts.sum() * shares / shares.sum()
    return two_sided(stats.chi2(len(counts) - 1), float(((counts - expected) ** 2 / expected).sum()))


def sum_of_squares(scores: Floats, excess: float = 0.0) -> float:
    """Sum of squares of unit-variance scores, each with fourth moment 3 + excess.

    Null law: gamma with the exact mean (their number m) and variance m (2 + excess), which is
    chi-square where the excess is 0.
    """
    mean, variance = float(scores.size), scores.size * (2 + excess)
    return two_sided(stats.gamma(mean**2 / variance, scale=variance / mean), float((scores**2).sum()))


def largest(scores: Floats) -> float:
    """Largest of many standard normal scores in absolute value (Šidák): strong where one pair of bits is bad."""
    smallest = 2 * stats.norm.sf(float(np.abs(scores).max()))
    return float(-np.expm1(scores.size * np.log1p(-smallest)))


# ---------------------------------------------------------------------- tests of one sequence of words


def _signs(words: Words) -> NDArray[np.float32]:
    """One row per word, one column per bit from the lowest: -1 for 0, 1 for 1."""
    bits = np.unpackbits(np.ascontiguousarray(words).astype("<u8").view(np.uint8), bitorder="little")
    return bits.reshape(-1, 64).astype(np.float32) * 2 - 1


def _octet_counts(words: Words) -> NDArray[np.int64]:
    """How often each byte of a word, from the lowest, takes each value; shape (8, 256)."""
    columns = np.ascontiguousarray(words).astype("<u8").view(np.uint8).reshape(-1, 8).T
    return np.stack([np.bincount(column, minlength=256) for column in columns])


def tilts(words: Words) -> Floats:
    """Score each bit position: (ones - zeros) / sqrt(n), 64 standard normal numbers."""
    values = np.arange(256, dtype=np.uint8)[:, None]
    signs = np.unpackbits(values, axis=1, bitorder="little").astype(np.int64) * 2 - 1
    scores: Floats = (_octet_counts(words) @ signs).ravel() / np.sqrt(len(words))
    return scores


def _chunks(length: int) -> Iterator[slice]:
    return (slice(at, min(at + CHUNK, length)) for at in range(0, length, CHUNK))


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> Floats:
    """left.T @ right, 64 rows at a time: large products would wait for threads wherever cores are busy."""
    whole = len(left) // 64 * 64
    parts = np.matmul(left[:whole].reshape(-1, 64, left.shape[1]).mT, right[:whole].reshape(-1, 64, right.shape[1]))
    product: Floats = parts.sum(axis=0, dtype=np.float64) + np.einsum("ti,tj->ij", left[whole:], right[whole:])
    return product


def crossed(left: Words, right: Words) -> Floats:
    """Correlate every bit of the left words with every bit of the right words beside them.

    Scores are sum(x y) / sqrt(n) with x, y = ±1, shape (64, 64); null law standard normal, uncorrelated.
    """
    total = np.zeros((64, 64))
    for part in _chunks(len(left)):
        total += _product(_signs(left[part]), _signs(right[part]))
    scores: Floats = total / np.sqrt(len(left))
    return scores


def frequency(words: Words) -> float:
    """Count the ones of each of the 64 bit positions; sum of squared scores, chi-square with 64 degrees."""
    return sum_of_squares(tilts(words))


def nibbles(words: Words) -> float:
    """Count the 16 values of 4-bit pieces; chi-square with 15 degrees."""
    values = _octet_counts(words).sum(axis=0).reshape(16, 16)
    return goodness(values.sum(axis=0) + values.sum(axis=1), np.ones(16))


def octets(words: Words) -> float:
    """Count the 256 values of each of the 8 bytes of a word; chi-square, 255 degrees each.

    Words of shape (streams, count) are counted stream by stream, and all chi-squares added.
    """
    counts = np.stack([_octet_counts(row) for row in np.atleast_2d(words)])
    expected = words.shape[-1] / 256
    return two_sided(stats.chi2(counts.size // 256 * 255), float(((counts - expected) ** 2 / expected).sum()))


def lanes(words: Words) -> float:
    """Correlate bit i with bit j of the same word, all 2,016 pairs; sum of squares, chi-square."""
    return sum_of_squares(crossed(words, words)[np.triu_indices(64, 1)])


def halves(words: Words) -> float:
    """Correlate the low half's bits with the high half's, 1,024 pairs; largest score."""
    return largest(crossed(words, words)[:32, 32:])


def serial(words: Words, lag: int) -> float:
    """Correlate each bit with itself `lag` words on; sum of squares, chi-square with 64 degrees."""
    return sum_of_squares(tilts(words[:-lag] ^ words[lag:]))


def serial_crossed(words: Words, lag: int) -> float:
    """Correlate all bits with all bits `lag` words on; sum of 4,096 squares, chi-square."""
    return sum_of_squares(crossed(words[:-lag], words[lag:]))


def serial_largest(words: Words, lag: int) -> float:
    """Correlate all bits with all bits `lag` words on; largest of the 4,096 scores."""
    return largest(crossed(words[:-lag], words[lag:]))


def _spacings(positions: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    lengths = np.diff(positions)
    return np.bincount(np.minimum(lengths, classes), minlength=classes + 1)[1:]


def runs(words: Words) -> float:
    """Lengths of runs of equal bits, in the order of trials: P(k) = 2^-k, 16 or more together; chi-square."""
    counts = np.zeros(16)
    for part in _chunks(len(words)):
        bits = np.unpackbits(words[part].astype("<u8").view(np.uint8), bitorder="little")
        counts += _spacings(np.flatnonzero(np.diff(bits)), 16)
    return goodness(counts, np.append(0.5 ** np.arange(1, 16), 0.5**15))


def gaps(words: Words) -> float:
    """Distances between 4-bit pieces that are 0: P(k) = (15/16)^(k-1) / 16, 64 or more together; chi-square."""
    counts = np.zeros(64)
    for part in _chunks(len(words)):
        values = words[part].astype("<u8").view(np.uint8)
        pieces = np.stack([values & 15, values >> 4], axis=1).ravel()
        counts += _spacings(np.flatnonzero(pieces == 0), 64)
    return goodness(counts, np.append((15 / 16) ** np.arange(63) / 16, (15 / 16) ** 63))


def spacings(words: Words) -> float:
    """Birthday spacings (Marsaglia): 4,096 birthdays in 2^32 days, repeated spacings.

    Low halves, high halves and the middle 32 bits are the days. With m birthdays in n days there are
    about m (m-1) (m-2) / 4n pairs of equal spacings, of which triples count once too often, m^5 / 18n²
    times; the number of repeats, summed over all groups, is Poisson with that mean (4 for each group).
    """
    birthdays, year = 4096, 1 << 32
    repeats, groups = 0, 0
    for shift in (0, 16, 32):
        days = (words >> np.uint64(shift)).astype(np.uint32)
        days = np.sort(days[: len(days) // birthdays * birthdays].reshape(-1, birthdays).astype(np.int64), axis=1)
        between = np.sort(np.diff(days, axis=1), axis=1)
        repeats += int((np.diff(between, axis=1) == 0).sum())
        groups += len(days)
    mean = birthdays * (birthdays - 1) * (birthdays - 2) / (4 * year) - birthdays**5 / (18 * year**2)
    return two_sided(stats.poisson(mean * groups), repeats)


def collisions(words: Words) -> float:
    """Throw 4,096 balls into 2^20 urns, again and again: balls in taken urns, low and high 20 bits and the middle.

    Null law normal, with the exact mean and variance of the occupancy problem.
    """
    balls, urns = 4096, 1 << 20
    taken, groups = 0, 0
    for shift in (0, 22, 44):
        picks = ((words >> np.uint64(shift)) & np.uint64(urns - 1)).astype(np.uint32)
        picks = np.sort(picks[: len(picks) // balls * balls].reshape(-1, balls), axis=1)
        taken += int((np.diff(picks, axis=1) == 0).sum())
        groups += len(picks)
    one, two = (1 - 1 / urns) ** balls, (1 - 2 / urns) ** balls
    mean = balls - urns * (1 - one)
    variance = urns * one + urns * (urns - 1) * two - (urns * one) ** 2
    return two_sided(stats.norm(mean * groups, np.sqrt(variance * groups)), taken)


def ranks(words: Words) -> float:
    """Ranks over GF(2) of 64 × 64 matrices of 64 successive words; chi-square of rank 64, 63, less.

    P(rank 64 - k) tends to 2^(-k²) ∏_{i>k} (1 - 2^-i) / ∏_{i≤k} (1 - 2^-i).
    """
    rows = words[: len(words) // 64 * 64].reshape(-1, 64).copy()
    found = np.zeros(len(rows), dtype=np.int64)
    every = np.arange(len(rows))
    for bit in range(64):
        ones = (rows >> np.uint64(bit)) & np.uint64(1)
        pivots = ones.argmax(axis=1)
        has = ones[every, pivots]
        chosen = rows[every, pivots] * has
        rows ^= chosen[:, None] * ones  # clears the pivot's own row as well
        found += has.astype(np.int64)
    full = float(np.prod(1 - 0.5 ** np.arange(1, 65)))
    shares = np.array([full, 2 * full, 1 - 3 * full])
    return goodness(np.bincount(np.minimum(64 - found, 2), minlength=3), shares)


SEQUENCE_TESTS: dict[str, Callable[[Words], float]] = {
    "frequency": frequency,
    "nibbles": nibbles,
    "bytes": octets,
    "lanes": lanes,
    "halves": halves,
    **{f"serial, lag {lag}": partial(serial, lag=lag) for lag in range(1, 17)},
    "all bits, lag 1": lambda words: serial_crossed(words, 1),
    "largest of all bits, lag 1": lambda words: serial_largest(words, 1),
    "runs": runs,
    "gaps": gaps,
    "birthday spacings": spacings,
    "collisions": collisions,
    "ranks": ranks,
}


def sequence_tests(words: Words) -> dict[str, float]:
    """Run all tests of one sequence."""
    return {name: test(words) for name, test in SEQUENCE_TESTS.items()}


# ---------------------------------------------------------------------- sequences, along every part of an address

MANY = range(1024)
TOP = 2**32
LAYOUTS: dict[str, list[Address]] = {
    "levels": [Address(level=i + 1) for i in MANY],
    "names": [Address(name=f"repo-{i:03}") for i in MANY],
    "letters": [Address(name=f"lib{chr(33 + i)}core") for i in MANY],
    "attempts": [Address(attempt=i + 1) for i in MANY],
    "kinds": [Address(kind=kind, name=f"repo-{i:03}") for i in MANY[:512] for kind in KINDS],
    "seeds": [Address(seed=i) for i in MANY],
    "large seeds": [Address(seed=2**63 - 1 - i) for i in MANY],
}


def sequences(generator: Generator, count: int, seed: int = 0) -> Iterator[tuple[str, Words]]:
    """Lay out `count` words (a multiple of 1,024) along each part of an address.

    Along the numbers: one stream, from 0 and up to 2^32; then 64 words of each of many streams. Along the
    rest: word 0 of every address, then word 1 of every address, and so on. `seed` moves all of them.
    """
    yield "numbers from 0", generator([Address(seed)], 0, count)[0]
    yield "numbers to 2^32", generator([Address(seed)], TOP - count, count)[0]
    yield "streams", generator([Address(seed, name=f"repo-{i:03}") for i in range(count // 64)], 0, 64).ravel()
    for name, addresses in LAYOUTS.items():
        moved = [address._replace(seed=abs(address.seed - seed * len(MANY))) for address in addresses]
        yield name, generator(moved, 0, count // len(MANY)).T.ravel()


# ---------------------------------------------------------------------- tests of several streams


def avalanche(generator: Generator, address: Address, start: int, count: int) -> dict[str, float]:
    """Flip one bit of the word's number: each bit of the word flips half of the time.

    All 32 bits of the number, those below `count` (a power of two) within the block and those above
    against a second block. For each one score per bit of the word, sum(±1) / sqrt(n): null law standard
    normal. Sum of the 2,048 squares, chi-square, and largest score.
    """
    block = generator([address], start, count)[0]
    scores = np.empty((32, 64))
    for bit in range(32):
        if 1 << bit < count:
            pairs = block.reshape(-1, 2, 1 << bit)
            flips = (pairs[:, 0] ^ pairs[:, 1]).ravel()
        else:
            flips = block ^ generator([address], start ^ (1 << bit), count)[0]
        scores[bit] = tilts(flips)
    return {"sum": sum_of_squares(scores), "largest": largest(scores)}


def dispersion(words: Words) -> float:
    """Ones per stream and bit position: their variance over many streams is that of n fair coins.

    Scores sum(±1) / sqrt(n), fourth moment 3 - 2/n. A counter that is mixed too little spreads evenly.
    """
    return sum_of_squares(np.stack([tilts(row) for row in words]), -2 / words.shape[1])


def neighbours(words: Words) -> float:
    """Correlate all bits of each stream with all bits of the next at the same numbers; largest score."""
    return largest(crossed(words[:-1].ravel(), words[1:].ravel()))


def all_pairs(words: Words) -> float:
    """Correlate all bits of all pairs of streams at the same numbers; sum of squares, chi-square."""
    return sum_of_squares(np.stack([crossed(a, b) for a, b in itertools.combinations(words, 2)]))


def stream_tests(words: Words) -> dict[str, float]:
    """Run all tests of streams side by side, shape (streams, count) with count a multiple of 4,096."""
    return {
        "dispersion": dispersion(words),
        "bytes of each": octets(words),
        "ranks of each": ranks(words.ravel()),
        "collisions of each": collisions(words.ravel()),
        "birthday spacings of each": spacings(words.ravel()),
    }


# ---------------------------------------------------------------------- tests of events


def events(generator: Generator, probability: float, addresses: Sequence[Address], start: int, count: int) -> Words:
    """Draw events as `draws.happens` does, 64 trials to a word; shape (addresses, count)."""
    numerator, denominator = probability.as_integer_ratio()
    happened = np.zeros((len(addresses), count), dtype=np.uint64)
    undecided = ~happened
    for level in range(1, denominator.bit_length()):
        drawn = generator([address._replace(level=level) for address in addresses], start, count)
        if numerator >> (denominator.bit_length() - 1 - level) & 1:
            happened |= undecided & ~drawn
            undecided &= drawn
        else:
            undecided &= ~drawn
        if not undecided.any():
            break
    return happened


def _trials(happened: Words) -> NDArray[np.uint8]:
    return np.unpackbits(np.ascontiguousarray(happened).astype("<u8").view(np.uint8), axis=1, bitorder="little")


def _scores(trials: NDArray[np.uint8], p: float) -> tuple[NDArray[np.float32], float]:
    """Standardised trials, and the excess of the squared mean product of two independent ones."""
    variance = p * (1 - p)
    fourth = (1 - 3 * variance) / variance
    return ((trials - np.float32(p)) / np.float32(np.sqrt(variance))), (fourth**2 - 3) / trials.shape[1]


def event_tests(happened: Words, p: float) -> dict[str, float]:
    """Run all tests of events of probability p."""
    return {name: test(happened, p) for name, test in EVENT_TESTS.items()}


def event_counts(happened: Words, p: float) -> float:
    """Events of all streams together: binomial, exactly."""
    trials = _trials(happened)
    return two_sided(stats.binom(trials.size, p), int(trials.sum(dtype=np.int64)))


def event_pairs(happened: Words, p: float) -> float:
    """2 × 2 tables of all pairs of streams, margins known: summed squares of the correlations.

    Each is chi-square with 1 degree for many trials; the variance of a square is taken exactly.
    """
    scores, excess = _scores(_trials(happened), p)
    products = _product(scores.T, scores.T) / np.sqrt(scores.shape[1])
    return sum_of_squares(products[np.triu_indices(len(products), 1)], excess)


def event_totals(happened: Words, p: float) -> float:
    """Events per trial over the streams: binomial(streams, p); chi-square, classes below 10 expected pooled."""
    trials = _trials(happened)
    streams, n = trials.shape
    counts = np.bincount(trials.sum(axis=0, dtype=np.int64), minlength=streams + 1)
    shares = stats.binom.pmf(np.arange(streams + 1), streams, p)
    kept = shares * n >= 10
    if kept.all():
        return goodness(counts, shares)
    return goodness(np.append(counts[kept], counts[~kept].sum()), np.append(shares[kept], shares[~kept].sum()))


def event_lags(happened: Words, p: float, lags: Sequence[int] = (*range(1, 17), 32, 64, 128)) -> float:
    """Correlation of each stream's trials with those `lag` trials on; summed squares, as in `event_pairs`."""
    scores, excess = _scores(_trials(happened), p)
    found = [np.einsum("ij,ij->i", scores[:, :-lag], scores[:, lag:]) / np.sqrt(scores.shape[1] - lag) for lag in lags]
    return sum_of_squares(np.stack(found).astype(np.float64), excess)


EVENT_TESTS: dict[str, Callable[[Words, float], float]] = {
    "counts": event_counts,
    "pairs": event_pairs,
    "totals": event_totals,
    "lags": event_lags,
}
