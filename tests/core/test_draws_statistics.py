"""The draws against the battery in `draws_battery.py`, beside a control and weakened copies.

Seeds are fixed, so each p-value is always the same. The threshold leaves room for the some 2,000
p-values of this file. The slow tests print their smallest p-values: run them with `-m slow -s`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seqkit.core import draws
from tests.tools import draws_battery as battery
from tests.tools.draws_battery import LAYOUTS, TOP, WEAKENED, Address, Generator, hashed, philox
from tests.tools.strategies import AWKWARD_IDS

THRESHOLD = 1e-6
SOUND: dict[str, Generator] = {"hash": hashed, "control": philox}
PROBABILITIES = (0.001, 0.01, 0.3, 1 / 3)
TRAIN = [Address(name=f"repo-{i:03}") for i in range(30)]
SPECIAL_SEEDS = [Address(seed=seed) for seed in (0, 1, 2, 3, 2**31, 2**62, 2**63 - 2, 2**63 - 1)]

sound = pytest.mark.parametrize("generator", SOUND.values(), ids=SOUND)

addresses = st.builds(
    Address,
    seed=st.integers(0, 2**63 - 1),
    kind=st.sampled_from(battery.KINDS),
    name=st.sampled_from(AWKWARD_IDS) | st.text(st.characters(codec="utf-8")),
    attempt=st.integers(1, 1000),
    level=st.integers(1, 1074),
)


def assert_random(found: Mapping[str, float]) -> None:
    smallest = min(found, key=lambda name: found[name])
    print(f"smallest of {len(found)} p-values: {found[smallest]:.2g} ({smallest})")
    assert not {name: p for name, p in found.items() if not p > THRESHOLD}


def sequence_results(generator: Generator, count: int, seed: int = 0) -> dict[str, float]:
    return {
        f"{layout}: {test}": p
        for layout, words in battery.sequences(generator, count, seed)
        for test, p in battery.sequence_tests(words).items()
    }


def stream_results(generator: Generator, streams: int, count: int) -> dict[str, float]:
    names = [Address(name=f"repo-{i:03}") for i in range(streams)]
    return {
        f"{test}, numbers from {start}": p
        for start in (0, TOP - count)
        for test, p in battery.stream_tests(generator(names, start, count)).items()
    }


def neighbour_results(generator: Generator, count: int) -> dict[str, float]:
    found = {}
    for name, layout in {**LAYOUTS, "special seeds": SPECIAL_SEEDS}.items():
        for start in (0, TOP - count):
            words = generator(layout[:8], start, count)
            found[f"all pairs of 8 {name}, numbers from {start}"] = battery.all_pairs(words)
            words = generator(layout[:256], start, count // 16)
            found[f"{name} beside each other, numbers from {start}"] = battery.neighbours(words)
    return found


def avalanche_results(generator: Generator, count: int) -> dict[str, float]:
    return {
        f"{test}, {address.name} from {start}": p
        for address in (Address(), Address(2**63 - 1, "cause", "é", 3, 9))
        for start in (0, 1 << 20, TOP - count)
        for test, p in battery.avalanche(generator, address, start, count).items()
    }


def event_results(generator: Generator, count: int) -> dict[str, float]:
    return {
        f"{test} of p = {p:.3g} from word {start}": value
        for p in PROBABILITIES
        for start in (0, TOP - count)
        for test, value in battery.event_tests(battery.events(generator, p, TRAIN, start, count), p).items()
    }


# ---------------------------------------------------------------------- the battery draws what the library draws


@given(addresses, st.integers(0, 2**32 - 2))
def test_the_vectorised_hash_is_the_scalar_one(address, number):
    expected = [draws.word(*address, number), draws.word(*address, number + 1)]
    assert hashed([Address(), address], number, 2)[1].tolist() == expected


probabilities = st.sampled_from([0.0, *PROBABILITIES]) | st.floats(0, 1, exclude_max=True)


@given(probabilities, addresses, st.integers(0, draws.MAX_TRIALS - 1))
def test_vectorised_events_are_those_of_happens(probability, address, trial):
    events = battery.events(hashed, probability, [address], trial // 64, 1)
    assert draws.happens(probability, *address[:4], trial) == bool(int(events[0, 0]) >> trial % 64 & 1)


def test_the_control_is_read_at_any_number():
    whole = philox([Address(), Address(level=2)], 0, 64)
    assert np.array_equal(whole[:, 13:40], philox([Address(), Address(level=2)], 13, 27))
    assert not np.intersect1d(*whole).size


# ---------------------------------------------------------------------- the tests


@sound
def test_words_in_sequence(generator):
    assert_random(sequence_results(generator, 1 << 16))


@sound
def test_streams_side_by_side(generator):
    assert_random(stream_results(generator, 64, 1 << 14))


@sound
def test_pairs_of_streams_are_independent(generator):
    assert_random(neighbour_results(generator, 1 << 11))


@sound
def test_every_bit_of_the_number_flips_half_of_the_word(generator):
    assert_random(avalanche_results(generator, 1 << 14))


@sound
def test_events_are_independent_and_of_their_probability(generator):
    assert_random(event_results(generator, 1 << 11))


def test_halves_do_not_repeat_within_a_stream():
    # A limit, not a virtue: each half is a permutation of its number, where fair coins would
    # repeat 128 of 2^20 halves.
    words = hashed([Address()], 0, 1 << 20)[0]
    assert len(np.unique(words.astype(np.uint32))) == len(np.unique(words >> np.uint64(32))) == 1 << 20


# ---------------------------------------------------------------------- the battery has power


def test_words_that_are_mixed_once_fail():
    found = sequence_results(WEAKENED["one round"], 1 << 14)
    assert min(found.values()) < 1e-20


def test_numbers_that_meet_the_keys_unspread_fail():
    found = stream_results(WEAKENED["unspread"], 64, 1 << 14)
    assert min(found.values()) < 1e-12


def test_keys_that_ignore_the_level_fail():
    found = neighbour_results(WEAKENED["levels alike"], 1 << 8)
    failing = {name for name, p in found.items() if p < 1e-20}
    assert failing == {name for name in found if " levels" in name or name.startswith("levels")}
    assert min(event_results(WEAKENED["levels alike"], 1 << 8).values()) < 1e-20


def test_keys_that_halves_share_fail():
    found = battery.lanes(WEAKENED["halves alike"]([Address()], 0, 1 << 14)[0])
    assert found < 1e-20


def test_keys_from_a_checksum_fail():
    found = neighbour_results(WEAKENED["checksummed"], 1 << 8)
    assert min(found[name] for name in found if "names" in name) < 1e-20


@pytest.mark.parametrize("test", [name for name in battery.SEQUENCE_TESTS if name != "halves"])
def test_each_test_of_a_sequence_sees_a_word_that_repeats(test):
    words = hashed([Address()], 0, 1 << 12)[0]
    assert battery.SEQUENCE_TESTS[test](np.tile(words[:8], 1 << 9)) < THRESHOLD


# ---------------------------------------------------------------------- large counts


@pytest.mark.slow
@sound
def test_words_in_sequence_at_length(generator):
    assert_random(sequence_results(generator, 1 << 22))


@pytest.mark.slow
@sound
def test_streams_side_by_side_at_length(generator):
    assert_random(stream_results(generator, 1024, 1 << 14))
    assert_random(stream_results(generator, 64, 1 << 18))


@pytest.mark.slow
@sound
def test_pairs_and_avalanche_at_length(generator):
    assert_random(neighbour_results(generator, 1 << 16))
    assert_random(avalanche_results(generator, 1 << 20))


@pytest.mark.slow
@sound
def test_events_at_length(generator):
    assert_random(event_results(generator, 1 << 15))


@pytest.mark.slow
@sound
def test_p_values_are_uniform_over_seeds(generator):
    """Kolmogorov-Smirnov, 200 seeds for each test of a sequence."""
    runs = [battery.sequence_tests(generator([Address(seed)], 0, 1 << 16)[0]) for seed in range(200)]
    assert_random({name: float(stats.kstest([run[name] for run in runs], "uniform").pvalue) for name in runs[0]})
