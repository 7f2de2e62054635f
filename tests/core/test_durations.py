"""How long releases take: the law that is drawn from is the law that is told, to 0.05 %."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seqkit import DurationModel, Retry
from seqkit.core import draws
from seqkit.core.durations import as_durations
from seqkit.core.laws import CELLS, Lognormal, Steps, quantile_table
from seqkit.core.times import LONGEST

ALL = 1 << 32


def distances() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Where the cells of a tail begin, and where the last ends, in the unit of the table."""
    octaves = 2.0 ** np.arange(32)
    return np.append((octaves[:, None] * (1 + np.arange(32) / 32)).ravel(), 2.0**32)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 0.5, 1.0, 1.25, 1.5])
def test_mean_and_deviation_of_the_table_are_those_of_the_law(sigma: float) -> None:
    """Added up over all 2**32 numbers, cell by cell: in a cell the odd distances are a sequence with equal steps."""
    nodes = distances()
    first, last = np.ceil((nodes[:-1] - 1) / 2), np.ceil((nodes[1:] - 1) / 2) - 1  # x = 2 r + 1
    count = np.maximum(last - first + 1, 0)
    middle, spread = np.tile(first + last + 1, 2), np.tile(4 * (count**2 - 1) / 12, 2)
    weight = np.tile(count, 2) / ALL
    intercepts, slopes = quantile_table(sigma)
    assert weight.sum() == pytest.approx(1)
    at = intercepts + slopes * middle
    mean = (weight * at).sum()
    deviation = math.sqrt((weight * (at**2 + slopes**2 * spread)).sum() - mean**2)
    true = stats.lognorm(sigma)
    assert mean == pytest.approx(true.mean(), rel=5e-4)
    assert deviation == pytest.approx(true.std(), rel=5e-4)


@pytest.mark.parametrize("sigma", [0.3, 1.5])
def test_a_draw_is_the_quantile_of_its_number(sigma: float) -> None:
    generator = np.random.default_rng(5)
    numbers = [*generator.integers(0, ALL, 300).tolist(), *(generator.integers(0, 1 << 12, 100)).tolist()]
    numbers += [ALL - 1 - number for number in numbers] + [0, 1, 2, ALL // 2 - 1, ALL // 2, ALL - 1]
    law = Lognormal(1e5, sigma)
    drawn = np.array([law.draw(number) for number in numbers])
    true = stats.lognorm(sigma, scale=1e8).ppf((np.array(numbers) + 0.5) / ALL)
    np.testing.assert_allclose(drawn, true, rtol=2e-3)
    assert (np.diff(drawn[np.argsort(numbers)]) >= 0).all()  # who draws higher takes no less


def test_cells_of_the_table_meet() -> None:
    intercepts, slopes = quantile_table(0.8)
    nodes = distances()
    for tail in (slice(0, CELLS), slice(CELLS, None)):
        begin, end = (intercepts[tail] + slopes[tail] * at for at in (nodes[:-1], nodes[1:]))
        np.testing.assert_allclose(begin[1:], end[:-1], rtol=1e-9)


def test_times_of_the_past_are_each_as_likely() -> None:
    law = Steps((0.001, 0.002, 0.002, 0.007, 0.009))
    assert Counter(law.draw(number << 16) for number in range(1 << 16)) == {1: 13108, 2: 26214, 7: 13107, 9: 13107}
    assert (law.draw(0), law.draw(ALL - 1)) == (1, 9)
    assert [law.quantile(q) for q in (0.01, 0.2, 0.21, 0.5, 0.99)] == [0.001, 0.001, 0.002, 0.002, 0.009]


def test_drawn_durations_follow_their_law_and_hang_on_their_address_alone() -> None:
    takes = DurationModel({"core": 600, "api": 600}, sigma=0.7)
    drawn = {
        what: np.array([takes.draw(*what, trial) for trial in range(4_000)])
        for what in [("core", 1, 7), ("core", 2, 7), ("api", 1, 7), ("core", 1, 8)]
    }
    for one in drawn.values():
        assert stats.kstest(one, stats.lognorm(0.7, scale=600_000).cdf).pvalue > 0.001
    correlations = np.corrcoef([np.log(one) for one in drawn.values()])
    assert np.abs(correlations[~np.eye(4, dtype=bool)]).max() < 4.5 / math.sqrt(4_000)
    assert takes.draw("core", 1, 7, 3) == DurationModel(600, sigma=0.7).draw("core", 1, 7, 3)


def test_a_number_of_a_trial_is_a_word_of_its_own() -> None:
    assert draws.uniform(7, "duration", "a", 1, 12) == draws.word(7, "duration", "a", 1, 1, 12)
    assert draws.uniform(7, "duration", "a", 1, 12 + (3 << 32)) == draws.word(7, "duration", "a", 1, 4, 12)
    low = np.array([draws.uniform(3, "duration", "a", 1, trial) & 0xFFFFFFFF for trial in range(20_000)])
    assert stats.kstest(low / ALL, "uniform").pvalue > 0.001
    assert stats.chisquare(np.bincount(low & 0xFF, minlength=256)).pvalue > 0.001
    pairs = (low[:-1] >> 28) * 16 + (low[1:] >> 28)  # of successive trials
    assert stats.chisquare(np.bincount(pairs, minlength=256)).pvalue > 0.001


def test_whether_an_attempt_fails_says_nothing_of_how_long_it_takes() -> None:
    takes = DurationModel(600, sigma=0.7)
    fails = np.array([draws.happens(0.3, 7, "repo", "core", 1, trial) for trial in range(4_000)])
    drawn = np.array([takes.draw("core", 1, 7, trial) for trial in range(4_000)])
    assert stats.ks_2samp(drawn[fails], drawn[~fails]).pvalue > 0.001


def test_failed_attempts_take_as_long_as_others_unless_said() -> None:
    takes = DurationModel({"core": 600, "api": 60}, failed={"core": timedelta(seconds=5)})
    assert [takes.draw(repo, 1, 7, failed=failed) for repo in ("core", "api") for failed in (False, True)] == [
        600_000,
        5_000,
        60_000,
        60_000,
    ]
    spread = DurationModel(600, sigma=0.5, failed=DurationModel(60, sigma=0.5))
    long, short = (spread.draw("core", 1, 7, 9, failed) for failed in (False, True))
    assert long == pytest.approx(10 * short, rel=1e-4)  # the same number serves for both


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (5, 5.0),
        (timedelta(minutes=1), 60.0),
        ({"core": 2.5}, 2.5),
        (pd.Series({"core": 7}), 7.0),
        (DurationModel({}, default=3), 3.0),
    ],
)
def test_plain_durations_are_models_without_spread(given: Any, seconds: float) -> None:
    takes = as_durations(given)
    assert (takes.mean("core"), takes.median("core"), takes.quantile("core", 0.99)) == (seconds,) * 3
    assert takes.draw("core", 1, 7) == 1000 * seconds


def test_nothing_takes_longer_than_a_century_and_little_takes_no_time() -> None:
    assert DurationModel(1e300).draw("core", 1, 7) == LONGEST
    assert max(DurationModel(3e9, sigma=1.0).draw("core", 1, 7, trial) for trial in range(20)) == LONGEST
    assert (DurationModel(0.0004).draw("core", 1, 7), DurationModel(0, sigma=1.0).draw("core", 1, 7)) == (0, 0)


MODELS = [
    DurationModel({"core": 600.5, "api": 1}, sigma={"core": 0.5}, failed=DurationModel(3, sigma=0.1)),
    DurationModel(5, sigma=0.25),
    DurationModel({}, default=60, failed={"é": 2}),
    DurationModel.from_samples({"core": [3, 1, 2], "api": [timedelta(seconds=9)]}, default=4),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_model_survives_json_and_pickle(model: DurationModel) -> None:
    for again in (DurationModel.from_json(model.to_json()), pickle.loads(pickle.dumps(model))):
        assert again == model
        assert repr(again) == repr(model)
        assert again.draw("core", 2, 7, 5, failed=True) == model.draw("core", 2, 7, 5, failed=True)


def test_reprs() -> None:
    assert list(map(repr, MODELS)) == [
        "DurationModel({'core': 600.5, 'api': 1.0}, sigma={'core': 0.5}, failed=DurationModel(3.0, sigma=0.1))",
        "DurationModel(5.0, sigma=0.25)",
        "DurationModel({}, default=60.0, failed=DurationModel({'é': 2.0}))",
        "DurationModel.from_samples(<4 times of 2 repos>, default=4.0)",
    ]


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: DurationModel({"core": -1}), ValueError, r"durations\['core'\] is -1, expected seconds from 0"),
        (lambda: DurationModel("5"), TypeError, "durations is '5', expected seconds from 0 or a timedelta"),
        (lambda: DurationModel({1: 5}), TypeError, "durations has the key 1, expected a repo id as a str"),
        (lambda: DurationModel(5, sigma=-0.1), ValueError, "sigma is -0.1, expected a standard deviation"),
        (lambda: DurationModel(5, sigma=2.6), ValueError, "sigma is 2.6, expected .* 0 to 2.5"),
        (lambda: DurationModel(5, sigma={"core": "x"}), TypeError, r"sigma\['core'\] is 'x'"),
        (lambda: DurationModel(5, sigma=math.nan), ValueError, "sigma is nan"),
        (lambda: DurationModel(5, default=5), ValueError, "default is 5 and medians is a time for all"),
        (lambda: DurationModel({}, default=-5), ValueError, "default is -5"),
        (lambda: DurationModel(5, failed=MODELS[0]), ValueError, "failed has a failed of its own"),
        (lambda: DurationModel.from_samples({"core": []}), ValueError, r"samples\['core'\] is empty"),
        (lambda: DurationModel.from_samples({"core": [1, -2]}), ValueError, r"samples\['core'\]\[1\] is -2"),
        (lambda: DurationModel.from_samples({"core": 5}), TypeError, r"samples\['core'\] is 5, expected times"),
        (lambda: DurationModel.from_samples([5]), TypeError, "samples is .*, expected a mapping"),
        (lambda: DurationModel(pd.Series([1, 2], index=["a", "a"])), ValueError, "the repo id 'a' twice"),
        (lambda: MODELS[0].law("docs"), ValueError, "durations has none for 'docs', expected one for each"),
        (lambda: MODELS[0].quantile("core", 1), ValueError, "q is 1, expected a share between 0 and 1"),
        (lambda: DurationModel.from_json("[]"), ValueError, "text cannot be read"),
        (lambda: DurationModel.from_json("{"), ValueError, "text cannot be read"),
        (lambda: as_durations({"core": -1}, "takes"), ValueError, r"takes\['core'\] is -1"),
    ],
)
def test_what_is_no_duration_is_told(make: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()


def test_waits_between_attempts_are_whole_milliseconds() -> None:
    assert Retry(3, delay=0.0123456, backoff=3.0).delays("core", 7) == (0.012, 0.037)
    jittered = Retry(2, delay=0.01, jitter=0.5)
    waits = [jittered.wait("core", 1, 7, trial) for trial in range(200)]
    assert {round(wait * 1000) / 1000 for wait in waits} == set(waits)
    assert len(set(waits)) == 11  # 5 to 15 ms


def test_a_repo_that_is_not_named_may_vary_too() -> None:
    model = DurationModel({"core": 600}, sigma={"core": 0.2}, default=60, default_sigma=0.7)
    assert model.law("core") == Lognormal(600, 0.2)
    assert model.law("docs") == Lognormal(60, 0.7)
    assert "default_sigma=0.7" in repr(model)
    for again in (DurationModel.from_json(model.to_json()), pickle.loads(pickle.dumps(model))):
        assert again == model
    older = model.to_json().replace(', "default_sigma": 0.7', "")
    assert DurationModel.from_json(older) == DurationModel({"core": 600}, {"core": 0.2}, 60)
    with pytest.raises(ValueError, match=r"default_sigma is 0.7 and sigma is a number for all"):
        DurationModel({"core": 600}, 0.2, 60, default_sigma=0.7)
