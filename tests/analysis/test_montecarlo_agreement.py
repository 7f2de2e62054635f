"""Simulations against exact laws: closed forms, and every combination of failures tried (brute.py).

Seeds are fixed, so each p-value is always the same. Tests are exact or conservative (binomial tails, Bernstein's
inequality), since normal approximations fail for rare events at a million trials. Each check would fail for a
correct library with a probability of at most ``LEVEL``, over all its comparisons together.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from seqkit import (
    Analysis,
    CommonCause,
    FailureModel,
    RepoDependencyGraph,
    SequencePlan,
    Simulation,
    analyze,
    build_plan,
    compare,
    load_dataset,
    simulate,
    what_if,
)
from tests.tools.brute import draws
from tests.tools.strategies import POLICIES

LEVEL = 1e-6
MILLION = 10**6
DATASETS = ("jest29", "jupyter", "kf5")
STATUSES = ("succeeded", "failed", "skipped")

Counts = tuple[int, int, int]


def random_plan(chosen: random.Random, n: int) -> SequencePlan:
    nodes = [f"repo-{number:02}" for number in range(n)]
    edges = [pair for pair in combinations(nodes, 2) if chosen.random() < 2 / n]
    released = [(repo, "1") for repo in nodes if chosen.random() < 0.85]
    return build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), released)


def random_model(chosen: random.Random, plan: SequencePlan, causes: int = 2) -> FailureModel:
    repos = [item.repo_id for item in plan.items]
    awkward = [0.0, 1.0, 1e-9, 1 - 1e-9]
    rates = {
        repo: chosen.choice(awkward) if chosen.random() < 0.1 else chosen.uniform(0, 0.9) ** chosen.choice([1, 4])
        for repo in repos
    }
    return FailureModel(
        rates,
        common_causes=[
            CommonCause(f"cause {number}", chosen.uniform(0, 0.3), chosen.sample(repos, len(repos) // 2))
            for number in range(causes)
        ],
    )


def real(name: str) -> tuple[SequencePlan, FailureModel]:
    plan = build_plan(load_dataset(name).graph, version="1")
    chosen = random.Random(name)
    rates = {repo: chosen.uniform(0, 0.2) ** 2 for repo in plan.released}
    causes = [CommonCause("ci", 0.02, plan.released[::2]), CommonCause("mirror", 0.3, plan.released[-5:])]
    return plan, FailureModel(rates, common_causes=causes)


def assert_binomial(comparisons: Iterable[tuple[Any, int, float]], trials: int) -> None:
    """Hold (what, times it occurred, its exact probability) against binomial tails, all at once."""
    found = {what: (hits, p, stats.binomtest(hits, trials, min(p, 1.0)).pvalue) for what, hits, p in comparisons}
    assert found
    wrong = {what: row for what, row in found.items() if not row[2] > LEVEL / len(found)}
    assert not wrong


def by_repo(found: Simulation, exact: Analysis) -> Iterable[tuple[Any, int, float]]:
    shares, probabilities = found.to_frame(), exact.to_frame()
    assert list(shares.index) == list(probabilities.index)
    for status in STATUSES:
        hits = (shares[f"p_{status}"] * found.trials).round().astype(int)
        for repo, p in probabilities[f"p_{status}"].items():
            yield (repo, status), hits[repo], p


def check_mean(found: Simulation, exact: Analysis) -> None:
    """Bernstein's inequality bounds the mean of bounded numbers of known variance, at any number of trials."""
    n, variance = len(found.plan.released), exact.std_succeeded**2
    mean = found.summary().loc["succeeded", "mean"]
    distance = abs(mean - exact.expected.succeeded)
    tail = 2 * math.exp(-found.trials * distance**2 / (2 * variance + 2 * n * distance / 3 + 1e-300))
    assert tail > LEVEL, (mean, exact.expected.succeeded)


def at_least(found: Simulation, exact: Analysis) -> Iterable[tuple[Any, int, float]]:
    for k in range(len(found.plan.released) + 1):
        yield f"at least {k}", round(found.p_at_least(k=k) * found.trials), exact.p_at_least(k=k)


# ---------------------------------------------------------------------- closed forms


@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("name", DATASETS)
def test_real_plans_agree_with_the_exact_analysis(name: str, attempts: int) -> None:
    plan, model = real(name)
    found = simulate(plan, model, MILLION, rng=attempts, attempts=attempts)
    exact = analyze(plan, model, attempts=attempts)
    assert_binomial(by_repo(found, exact), found.trials)
    check_mean(found, exact)


@pytest.mark.parametrize("name", DATASETS)
def test_the_number_released_has_its_exact_law_on_real_plans(name: str) -> None:
    plan, model = real(name)
    found, exact = simulate(plan, model, MILLION, rng=11), analyze(plan, model)
    assert_binomial(at_least(found, exact), found.trials)
    assert found.p_at_least(share=0.8) == found.p_at_least(k=math.ceil(0.8 * len(plan.released)))
    assert found.p_all_succeed == found.p_at_least(k=len(plan.released))


@pytest.mark.parametrize("seed", range(12))
def test_random_plans_agree_with_the_exact_analysis(seed: int) -> None:
    chosen = random.Random(seed)
    plan = random_plan(chosen, 5 + 2 * seed)
    model = random_model(chosen, plan)
    attempts = 1 + seed % 3
    found = simulate(plan, model, MILLION, rng=seed, attempts=attempts)
    exact = analyze(plan, model, attempts=attempts)
    assert_binomial(by_repo(found, exact), found.trials)
    assert_binomial(at_least(found, exact), found.trials)
    check_mean(found, exact)


def test_small_errors_would_be_found() -> None:
    plan, model = real("kf5")
    slightly = FailureModel(
        {repo: rate + 0.002 * (repo == plan.released[7]) for repo, rate in model.rates.items()},
        common_causes=model.common_causes,
    )
    found, exact = simulate(plan, slightly, MILLION, rng=1), analyze(plan, model)
    with pytest.raises(AssertionError, match="succeeded"):
        assert_binomial(by_repo(found, exact), found.trials)
    with pytest.raises(AssertionError):
        check_mean(simulate(plan, model, MILLION, rng=1, attempts=2), exact)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_random_plans_agree_over_100_million_trials(seed: int) -> None:
    chosen = random.Random(seed)
    plan = random_plan(chosen, 12)
    model = random_model(chosen, plan)
    found = simulate(plan, model, 100 * MILLION, rng=seed, attempts=1 + seed % 3)
    exact = analyze(plan, model, attempts=1 + seed % 3)
    assert_binomial(by_repo(found, exact), found.trials)
    assert_binomial(at_least(found, exact), found.trials)
    check_mean(found, exact)


# ---------------------------------------------------------------------- every combination of failures


def exact_law(
    plan: SequencePlan, model: FailureModel, attempts: int, policy: Any, budget: int | None
) -> tuple[dict[Counts, Fraction], dict[tuple[str, str], Fraction]]:
    """Probabilities of the counts, and of each repo's statuses: over all combinations, through the rule machine."""
    counts: dict[Counts, Fraction] = defaultdict(Fraction)
    repos = {(repo, status): Fraction(0) for repo in plan.released for status in STATUSES}
    known: dict[frozenset[str], Any] = {}
    for probability, failing in draws(plan, model, attempts):
        if failing not in known:
            outcome = what_if(plan, failing & set(plan.released), policy=policy, failure_budget=budget)
            known[failing] = {
                item.repo_id: item.status.name for item in outcome.items if item.repo_id in set(plan.released)
            }
        names = list(known[failing].values())
        counts[names.count("succeeded"), names.count("failed"), names.count("skipped")] += probability
        for pair in known[failing].items():
            repos[pair] += probability
    assert sum(counts.values()) == 1
    return counts, repos


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("seed", "budget", "attempts"), [(1, None, 1), (2, 1, 2), (3, 2, 1), (4, 3, 3)])
def test_counts_have_their_exact_law_under_every_policy(
    policy: Any, seed: int, budget: int | None, attempts: int
) -> None:
    chosen = random.Random(seed)
    plan = random_plan(chosen, 8)
    model = random_model(chosen, plan)
    law, repos = exact_law(plan, model, attempts, policy, budget)
    found = simulate(plan, model, MILLION, rng=seed, policy=policy, failure_budget=budget, attempts=attempts)

    occurred = {tuple(row[:3]): row[3] for row in found.counts.to_numpy().tolist()}
    assert sum(occurred.values()) == found.trials
    assert set(occurred) <= {cell for cell, p in law.items() if p}
    assert_binomial(((cell, occurred.get(cell, 0), float(p)) for cell, p in law.items()), found.trials)
    check_chi_square(occurred, law, found.trials)

    shares = found.to_frame()
    hits = {pair: round(shares.loc[pair[0], f"p_{pair[1]}"] * found.trials) for pair in repos}
    assert_binomial(((pair, hits[pair], float(p)) for pair, p in repos.items()), found.trials)


def check_chi_square(occurred: dict[Any, int], law: dict[Counts, Fraction], trials: int) -> None:
    """All cells together; cells expected fewer than 20 times are pooled, for the law to be near its limit."""
    expected, observed, rare = [], [], [0.0, 0]
    for cell, p in law.items():
        if p * trials >= 20:
            expected.append(float(p) * trials)
            observed.append(occurred.get(cell, 0))
        else:
            rare[0] += float(p) * trials
            rare[1] += occurred.get(cell, 0)
    if rare[0] >= 20:
        expected.append(rare[0])
        observed.append(int(rare[1]))
    assert len(expected) > 3
    scale = sum(observed) / sum(expected)  # what is left out is fewer than 20 trials
    assert stats.chisquare(observed, np.array(expected) * scale).pvalue > LEVEL


def test_successive_trials_are_independent() -> None:
    """Pairs of counts of neighbouring trials, at several distances, have the product law."""
    plan = random_plan(random.Random(5), 8)
    released = simulate(plan, 0.2, MILLION, rng=5).n_succeeded
    levels = np.searchsorted(np.quantile(released, [0.25, 0.5, 0.75]), released)
    distances = [1, 31, 32, 33, 63, 64, 65, 4096, 131_072]
    for distance in distances:
        pairs = np.bincount(4 * levels[:-distance] + levels[distance:], minlength=16).reshape(4, 4)
        pairs = pairs[pairs.any(axis=1)][:, pairs.any(axis=0)]
        assert min(pairs.shape) > 1
        assert stats.chi2_contingency(pairs, correction=False).pvalue > LEVEL / len(distances)


# ---------------------------------------------------------------------- comparisons

each_count = pytest.mark.parametrize("times", [80, pytest.param(1_000, marks=pytest.mark.slow)])


@each_count
def test_standard_errors_of_differences_cover_as_they_should(times: int) -> None:
    """In some 95 % of many comparisons the exact difference lies within 1.96 standard errors."""
    chosen = random.Random(8)
    plan = random_plan(chosen, 12)
    b = random_model(chosen, plan)
    a = FailureModel(dict.fromkeys(b.rates, 0.3), common_causes=b.common_causes)
    exact = analyze(plan, b).expected.succeeded - analyze(plan, a).expected.succeeded
    seeds = range(times)
    found = [compare(plan, a, b, trials=4_000, rng=seed).difference for seed in seeds]
    covered = sum(abs(one - exact) <= 1.96 * one.se for one in found)
    assert stats.binomtest(covered, len(seeds), 0.95).pvalue > 1e-4
    spread, told = np.std(found, ddof=1), np.mean([one.se for one in found])
    low, high = np.sqrt(stats.chi2.ppf([1e-4, 1 - 1e-4], len(seeds) - 1) / (len(seeds) - 1))
    assert low < spread / told < high


@each_count
def test_standard_errors_of_means_and_probabilities_cover_as_they_should(times: int) -> None:
    plan = random_plan(random.Random(9), 12)
    exact = analyze(plan, 0.1)
    covered = {"mean": 0, "all succeed": 0}
    for seed in range(times):
        found = simulate(plan, 0.1, 4_000, rng=seed)
        row, p = found.summary().loc["succeeded"], found.p_all_succeed
        covered["mean"] += abs(row["mean"] - exact.expected.succeeded) <= 1.96 * row["se_mean"]
        covered["all succeed"] += abs(p - exact.p_all_succeed) <= 1.96 * p.se
    for hits in covered.values():
        assert stats.binomtest(hits, times, 0.95).pvalue > 1e-4
