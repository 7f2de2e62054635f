import asyncio
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seqkit import CommonCause, FailureModel, SequencingFailed, SimulatedReleaser
from seqkit.core import draws
from seqkit.core.failures import as_model


def test_models_are_read_from_what_people_have():
    assert as_model(0.2).rate("any") == 0.2
    assert as_model({"a": 0.2}).rate("b") == 0.0
    assert as_model(pd.Series({"a": 0.2})).rate("a") == 0.2
    model = FailureModel({"a": 0.2}, default=0.1)
    assert as_model(model) is model
    for bad in (None, "0.5", True, [0.5], {1: 0.5}, {"a": "x"}):
        with pytest.raises(TypeError):
            as_model(bad)


@pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan"), float("inf"), -float("inf")])
def test_probabilities_out_of_range_are_named(bad):
    for make, argument in [
        (lambda: FailureModel(rates={"core": bad}), "rates\\['core'\\]"),
        (lambda: FailureModel(default=bad), "default"),
        (lambda: CommonCause(name="outage", probability=bad, repos=["a"]), "probability of cause 'outage'"),
    ]:
        with pytest.raises(ValueError, match=f"{argument} is .*, expected a probability from 0 to 1"):
            make()


def test_causes_are_unique_and_sorted():
    cause = CommonCause(name="x", probability=0.5, repos={"b", "a"})
    assert cause.repos == ("a", "b")
    with pytest.raises(ValueError, match="two causes named 'x'"):
        FailureModel(common_causes=[cause, cause])


def test_draws_depend_on_each_part_of_their_address_and_on_nothing_else():
    address = {"seed": 1, "kind": "repo", "name": "a", "attempt": 1, "level": 1, "number": 0}
    first = draws.word(**address)
    assert draws.word(**address) == first
    others = [
        draws.word(**{**address, key: value})
        for key, value in [("seed", 2), ("kind", "cause"), ("name", "b"), ("attempt", 2), ("level", 2), ("number", 1)]
    ]
    assert len({first, *others}) == 7
    code = "from seqkit.core.draws import word; print(word(1, 'repo', 'a', 1, 1, 0))"
    assert int(subprocess.check_output([sys.executable, "-c", code])) == first


@pytest.mark.parametrize("p", [0.5, 0.3, 0.01, 1 - 1e-3])
def test_events_are_as_frequent_as_they_are_probable(p):
    trials = 20_000
    hits = sum(draws.happens(p, 5, "repo", f"r{trial % 7}", 1, trial) for trial in range(trials))
    assert stats.binomtest(hits, trials, p).pvalue > 1e-4


@pytest.mark.parametrize(("p", "expected"), [(0.0, 0), (1.0, 500), (1e-300, 0), (5e-324, 0)])
def test_extreme_probabilities(p, expected):
    assert sum(draws.happens(p, 0, "repo", "a", 1, trial) for trial in range(500)) == expected


def test_a_dyadic_probability_reads_just_its_own_bits():
    for trial in range(200):
        bit = draws.word(9, "repo", "a", 1, 1, trial // 64) >> (trial % 64) & 1
        assert draws.happens(0.5, 9, "repo", "a", 1, trial) is (bit == 0)


def test_bits_are_balanced_and_lanes_and_names_independent():
    words = np.array(
        [[draws.word(3, "repo", f"r{name}", 1, 1, number) for number in range(64)] for name in range(64)],
        dtype=np.uint64,
    )
    bits = np.unpackbits(words.view(np.uint8)).astype(float)
    assert stats.binomtest(int(bits.sum()), bits.size).pvalue > 1e-4
    by_name = np.unpackbits(words.view(np.uint8), axis=1).astype(float)
    off_diagonal = np.corrcoef(by_name)[np.triu_indices(64, 1)] * np.sqrt(by_name.shape[1])
    assert np.abs(off_diagonal).max() < 5.5  # about 2,000 standard normals
    assert stats.kstest(off_diagonal, "norm").pvalue > 1e-4


def test_seeds():
    assert draws.resolve_seed(0) == 0
    assert draws.resolve_seed(np.int64(7)) == 7
    one, two = (draws.resolve_seed(np.random.default_rng(1)) for _ in range(2))
    assert one == two
    assert draws.resolve_seed(None) != draws.resolve_seed(None)
    for bad in (True, 1.0, "7"):
        with pytest.raises(TypeError, match="rng is"):
            draws.resolve_seed(bad)


def test_a_simulated_releaser_keeps_no_count():
    releaser = SimulatedReleaser(0.5, rng=1)

    def tries():
        results = []
        for attempt in range(1, 21):
            try:
                results.append(asyncio.run(releaser.release("a", "1", "", "", attempt=attempt)))
            except SequencingFailed as error:
                results.append(str(error))
        return results

    first = tries()
    assert first == tries()
    assert set(first) == {"run-a", "release sequencing failed for repo a: simulated failure"}


FIT = pd.DataFrame({"attempts": [8, 2], "failures": [2, 0], "rate": [0.28, 0.17]}, index=["core", "api"])


def test_a_fit_becomes_a_model():
    model = FailureModel.from_fit(FIT)
    assert dict(model.rates) == {"core": 0.28, "api": 0.17}
    assert model.default == 0.2  # of all attempts, without the prior
    assert FailureModel.from_fit(FIT, default=0.5).rate("docs") == 0.5
    assert FailureModel.from_fit(FIT, default=0).default == 0.0
    assert FailureModel.from_fit(FIT.astype({"attempts": "Int64", "failures": "Int64"})).default == 0.2
    assert as_model(FIT["rate"]).rates == model.rates


def test_a_fit_tells_first_attempts_and_what_no_retry_mends():
    fit = FIT.assign(runs=[6, 2], first_failures=[1, 0])
    assert FailureModel.from_fit(fit).default == 0.125
    assert FailureModel.from_fit(fit.assign(effective_runs=[3.0, 1.0], effective_failures=[1.0, 0.0])).default == 0.25
    with pytest.raises(ValueError, match=r"columns runs, first_failures .* expected 0 <= first_failures <= runs"):
        FailureModel.from_fit(fit.assign(first_failures=7))
    assert FailureModel.from_fit(fit.assign(hard=0.4)).share_hard("docs") == 0.4
    some = FailureModel.from_fit(fit.assign(hard=[0.4, np.nan]))
    assert (some.share_hard("core"), some.share_hard("api"), some.share_hard("docs")) == (0.4, 0.0, 0.0)
    assert FailureModel.from_fit(fit.assign(hard=np.nan)).hard == 0.0
    assert FailureModel.from_fit(fit.assign(hard=[0.4, 0.6])).share_hard("docs") == 0.0


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (FIT["rate"], TypeError, "(?s)frame is .*, expected the DataFrame that fit_failure_rates gives"),
        (FIT.drop(columns="rate"), ValueError, r"lacks the columns \['rate'\], it has \['attempts', 'failures'\]"),
        (FIT.reset_index(drop=True), TypeError, r"has 0 in its index, expected repo ids as str \(set_index"),
        (pd.concat([FIT, FIT]), ValueError, "has the repo 'core' twice"),
        (FIT.assign(rate=[0.5, 1.5]), ValueError, r"rates\['api'\] is 1.5, expected a probability"),
        (FIT.assign(rate=[0.5, None]), ValueError, r"rates\['api'\] is nan, expected a probability"),
        (FIT.assign(failures=[9, 0]), ValueError, "expected 0 <= failures <= attempts"),
        (FIT.assign(failures=[-1, 0]), ValueError, "expected 0 <= failures <= attempts"),
        (FIT.assign(attempts=[8, None]), ValueError, "expected 0 <= failures <= attempts"),
        (FIT.assign(attempts=pd.array([8, None], dtype="Int64")), ValueError, "attempts|expected 0 <= failures"),
        (FIT.assign(attempts=["x", "y"]), ValueError, "the column attempts of frame holds no counts"),
        (FIT.head(0), ValueError, "no attempts .* give default="),
    ],
)
def test_frames_that_are_no_fit_are_named(frame, error, message):
    with pytest.raises(error, match=message):
        FailureModel.from_fit(frame)


def test_a_model_can_be_sent_to_another_process() -> None:
    model = FailureModel({"a": 0.1}, 0.2, [CommonCause("outage", 0.3, ["a", "b"])])
    assert pickle.loads(pickle.dumps(model)) == model
