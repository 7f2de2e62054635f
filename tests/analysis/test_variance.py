"""The variance of the number of releases, against the sum over all pairs as it is written in the design."""

from __future__ import annotations

import random

import numpy as np
import pytest

from seqkit import CommonCause, Estimate, FailureModel, RepoDependencyGraph, SequencePlan, analyze, build_plan
from seqkit.analysis.exact import variance as variance_module
from seqkit.analysis.exact.chances import Chances
from seqkit.analysis.exact.faults import mixture_of
from seqkit.analysis.exact.variance import variance_of


def pair_by_pair(chances: Chances) -> float:
    """Sum P[u] P[v] expm1(-sum of log q over A[u] ∩ A[v]); a common cause is an ancestor more."""
    n = len(chances.released)
    takes = np.zeros((n, n + len(chances.causes)))
    for at, dependencies in enumerate(chances.plan.arrays.dependencies):
        for before in dependencies:
            takes[at, :n] = np.maximum(takes[at, :n], takes[before, :n])
        takes[at, at] = 1.0
    takes[:, n:] = chances.strikes[:, None] >> np.arange(len(chances.causes)) & 1
    weights = np.concatenate([-chances.log_q, [-cause.log_spared for cause in chances.causes]])
    return float(chances.succeeded @ np.expm1((takes * weights) @ takes.T) @ chances.succeeded)


def layered(n: int, width: int) -> SequencePlan:
    """Let each repo need up to three of the layer before its own."""
    chance = random.Random(width)
    edges = [
        (f"r{before:04}", f"r{after:04}")
        for after in range(width, n)
        for before in {chance.randrange((after // width - 1) * width, after // width * width) for _ in range(3)}
    ]
    return build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")


def side_by_side(copies: int, length: int) -> SequencePlan:
    """Chains that have nothing to do with one another."""
    edges = [(f"r{at:03}-{copy:03}", f"r{at + 1:03}-{copy:03}") for copy in range(copies) for at in range(length)]
    return build_plan(RepoDependencyGraph.from_edges(edges), version="1.0")


PLANS = {
    "anything": layered(240, 240 // 3),
    "layers": layered(240, 12),
    "a chain": layered(120, 1),
    "side by side": side_by_side(40, 5),
    "two hubs": build_plan(
        RepoDependencyGraph.from_edges([(f"a{n % 2}", f"b{n:03}") for n in range(200)]), version="1.0"
    ),
}
MODELS = {
    "small": FailureModel(default=0.001),
    "large": FailureModel(default=0.3),
    "mixed": FailureModel(rates={}, default=0.02),
    "none": FailureModel(default=0.0),
}


@pytest.mark.parametrize("panel", [7, 64, 512])
@pytest.mark.parametrize("causes", [False, True])
@pytest.mark.parametrize("rates", MODELS)
@pytest.mark.parametrize("shape", PLANS)
def test_the_sum_is_that_over_all_pairs(
    shape: str, rates: str, causes: bool, panel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, model = PLANS[shape], MODELS[rates]
    chance = random.Random(1)
    repos = plan.released
    if rates == "mixed":
        own = {repo: chance.choice([0.0, 0.001, 0.05, 0.4, 1.0 if chance.random() < 0.02 else 0.1]) for repo in repos}
        model = FailureModel(rates=own)
    if causes:
        shocks = [CommonCause(f"c{n}", 0.1 * (n + 1), chance.sample(list(repos), 9)) for n in range(3)]
        model = FailureModel(rates=model.rates, default=model.default, common_causes=shocks)
    monkeypatch.setattr(variance_module, "_PANEL", panel)
    chances = mixture_of(plan, model, 1).any
    assert variance_of(chances)[0] == pytest.approx(pair_by_pair(chances), rel=1e-11, abs=1e-290)


def test_what_is_left_out_is_not_felt() -> None:
    """Of a chain of a thousand at a rate of 0.3 all but the first hundred are never released, as good as."""
    chances = mixture_of(layered(1_000, 1), FailureModel(default=0.3), 1).any
    assert len(variance_module._felt(chances)) < 200
    assert variance_of(chances)[0] == pytest.approx(pair_by_pair(chances), rel=1e-13)


@pytest.mark.parametrize("rates", MODELS)
@pytest.mark.parametrize("shape", PLANS)
def test_an_estimate_is_as_far_off_as_it_says(shape: str, rates: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variance_module, "_PANEL", 64)
    monkeypatch.setattr(variance_module, "_MOST_WORK", -1.0)
    chances = mixture_of(PLANS[shape], MODELS[rates], 1).any
    estimate, error = variance_of(chances)
    assert variance_of(chances) == (estimate, error), "nothing is drawn"
    exact = pair_by_pair(chances)
    assert abs(estimate - exact) <= 4 * error + 1e-9 * exact
    assert error <= 0.05 * exact


def test_the_standard_deviation_says_where_it_is_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = layered(240, 80)
    exact = analyze(plan, 0.02).std_succeeded
    monkeypatch.setattr(variance_module, "_PANEL", 64)
    monkeypatch.setattr(variance_module, "_MOST_WORK", -1.0)
    estimate = analyze(plan, 0.02).std_succeeded
    assert (type(exact), type(estimate)) == (float, Estimate)
    assert isinstance(estimate, Estimate)
    assert 0 < estimate.se < 0.01 * exact
    assert abs(estimate - exact) < 4 * estimate.se


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 30, 1_000])
def test_large_plans_have_the_sum_over_all_pairs(width: int) -> None:
    chances = mixture_of(layered(4_000, width), FailureModel(default=0.002), 1).any
    assert variance_of(chances)[0] == pytest.approx(pair_by_pair(chances), rel=1e-10)
