"""Exact analysis, against every combination of failures tried by hand in fractions (brute.py)."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, RepoNotFound, SequencePlan, build_plan, load_dataset, what_if
from seqkit.analysis.exact import Analysis, analyze
from seqkit.analysis.exact import outcomes as outcomes_module
from seqkit.analysis.exact import variance as variance_module
from seqkit.analysis.exact.faults import Faults
from seqkit.core.failures import CommonCause, FailureModel
from tests.tools.brute import (
    Outcome,
    brute_force,
    draws,
    expected_released,
    extra_if_not_failed,
    follow,
    out_of_attempts,
)
from tests.tools.strategies import HOSTILE_NAMES, ancestors, dags, subsets

RATES = st.sampled_from([0.0, 1.0, 1e-9, 1 - 1e-9, 0.5, 0.03]) | st.floats(
    1e-25, 1
)  # cubes of tinier ones leave the range
IDS = st.sampled_from("abcdefghijklmnop")
ALMOST_ZERO = Fraction(1, 10**290)  # below, floats themselves lose digits


@st.composite
def cases(draw: st.DrawFn, largest: int = 6, causes: int = 2) -> tuple[SequencePlan, FailureModel, int]:
    nodes, edges = draw(dags(largest, IDS))
    released = draw(st.just(nodes) | subsets(nodes))
    plan = build_plan(
        RepoDependencyGraph.from_edges(edges, nodes=nodes),
        [(repo, "1") for repo in released],
        scope=draw(st.sampled_from(["path", "all"])),
    )
    rates = {repo: draw(RATES) for repo in [*nodes, "not in the plan"]}
    shocks = [
        CommonCause(
            f"cause {number}",
            draw(RATES),
            draw(subsets([*nodes, "not in the plan"])),
            draw(st.just(1.0) | st.sampled_from([0.0, 1.0, 0.4, 1 - 1e-9])),
        )
        for number in range(draw(st.integers(0, causes)))
    ]
    hard = draw(st.just(0.0) | RATES | st.fixed_dictionaries(dict.fromkeys(rates, RATES)))
    return plan, FailureModel(rates=rates, common_causes=shocks, hard=hard), draw(st.integers(1, 3))


def seeded(seed: int, n: int, causes: int) -> tuple[SequencePlan, FailureModel, int]:
    chosen = random.Random(seed)
    nodes = [f"{index:02}" for index in range(n)]
    edges = [pair for pair in combinations(nodes, 2) if chosen.random() < chosen.choice([0.1, 0.3])]
    released = [repo for repo in nodes if chosen.random() < 0.85]
    awkward = [0.0, 1.0, 1e-9, 1 - 1e-9]

    def rate() -> float:
        return chosen.choice(awkward) if chosen.random() < 0.3 else chosen.random()

    shocks = [
        CommonCause(str(number), rate(), chosen.sample(nodes, n // 3), 1.0 if number % 2 else rate())
        for number in range(causes)
    ]
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), [(repo, "1") for repo in released])
    rates, hard = ({repo: rate() for repo in nodes} for _ in range(2))
    return plan, FailureModel(rates, common_causes=shocks, hard=hard if seed % 2 else 0.0), chosen.choice([1, 1, 2])


def assert_close(actual: float, exact: Fraction | int, relative: float = 1e-12) -> None:
    assert abs(Fraction(actual) - exact) <= Fraction(relative) * abs(exact) + ALMOST_ZERO, (actual, float(exact))


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in edges], nodes=list(nodes)), version="1")


def check_probabilities(analysis: Analysis, outcomes: list[Outcome]) -> None:
    plan, frame = analysis.plan, analysis.to_frame()
    assert list(frame.index) == plan.released
    assert list(frame.columns) == ["failure_rate", "p_succeeded", "p_failed", "p_skipped"]
    assert (frame.dtypes == np.float64).all()
    sums = dict.fromkeys(["succeeded", "failed", "skipped"], Fraction(0))
    for repo, row in frame.iterrows():
        for name in sums:
            exact = sum((o.probability for o in outcomes if repo in getattr(o, name)), Fraction(0))
            assert_close(row[f"p_{name}"], exact)
            sums[name] += exact
        assert row[["p_succeeded", "p_failed", "p_skipped"]].sum() == pytest.approx(1, rel=1e-12)
        assert row["failure_rate"] == analysis.model.rate(repo)
    for name, exact in sums.items():
        assert_close(getattr(analysis.expected, name), exact)
    released = Counter[int]()
    for outcome in outcomes:
        released[len(outcome.succeeded)] += outcome.probability
    law = analysis.distribution()
    assert law.index.tolist() == list(range(len(plan.released) + 1))
    assert (law.name, law.index.name, law.dtype) == ("probability", "n_succeeded", np.float64)
    for k, probability in law.items():
        assert_close(probability, Fraction(released[k]))
        assert_close(analysis.p_at_least(k), Fraction(sum(released[j] for j in range(k, len(law)))))
    assert_close(analysis.p_all_succeed, Fraction(released[len(plan.released)]))
    mean = expected_released(outcomes)
    variance = sum((o.probability * (len(o.succeeded) - mean) ** 2 for o in outcomes), Fraction(0))
    assert_close(analysis.std_succeeded**2, variance, 1e-9)


def check_importance(analysis: Analysis, outcomes: list[Outcome]) -> None:
    plan, model, attempts = analysis.plan, analysis.model, analysis.attempts
    n, mean = len(plan.released), expected_released(outcomes)
    frame = analysis.importance()
    assert frame["gain_if_perfect"].is_monotonic_decreasing
    place = {repo: index for index, repo in enumerate([*plan.released, *frame.index[~frame.index.isin(plan.released)]])}
    ranked = list(zip(-frame["gain_if_perfect"], [place[repo] for repo in frame.index], strict=True))
    assert ranked == sorted(ranked), "ties in plan order"
    for repo, row in frame.loc[plan.released].iterrows():
        perfect = expected_released(brute_force(plan, model, attempts, perfect=[repo]))
        hopeless = expected_released(brute_force(plan, model, attempts, hopeless=[repo]))
        assert_close(row["gain_if_perfect"], perfect - mean)
        assert_close(row["birnbaum"], perfect - hopeless)
        if mean < n:
            assert_close(row["raw"], (n - hopeless) / (n - mean))
            if perfect < n:
                assert_close(row["rrw"], (n - mean) / (n - perfect))
            else:
                assert row["rrw"] == math.inf
        else:
            assert row["raw"] == math.inf
            assert math.isnan(row["rrw"])
        _, _, below = follow(plan, [repo])
        assert row["n_dependents"] == row["skips_if_failed"] == len(below)
        extra = extra_if_not_failed(plan, model, repo, attempts)
        if extra is not None:
            assert_close(row["extra_if_not_failed"], extra)


def check_outcomes(analysis: Analysis, outcomes: list[Outcome]) -> None:
    plan = analysis.plan
    place = {repo: index for index, repo in enumerate(plan.released)}
    for outcome in outcomes:
        assert_close(analysis.outcome_probability(outcome.failed), outcome.probability)
    possible = {outcome.failed for outcome in outcomes}
    for size in range(min(3, len(plan.items)) + 1):
        for failed in combinations([item.repo_id for item in plan.items], size):
            if frozenset(failed) not in possible:
                assert analysis.outcome_probability(failed) == 0.0
    found = analysis.most_probable_outcomes(len(outcomes) + 5)
    listed = {frozenset(failed): index for index, failed in enumerate(found["failed"])}
    assert listed.keys() == possible
    for outcome in outcomes:
        row = found.iloc[listed[outcome.failed]]
        assert_close(row["probability"], outcome.probability)
        assert row["failed"] == sorted(outcome.failed, key=place.__getitem__)
        assert row["n_succeeded"] == len(outcome.succeeded)
        assert row["n_failed"] == len(outcome.failed)
        assert row["n_skipped"] == len(outcome.skipped)
    assert found["probability"].is_monotonic_decreasing
    first = analysis.most_probable_outcomes(3)
    assert first["probability"].tolist() == found["probability"].tolist()[:3]
    assert first["failed"].tolist() == found["failed"].tolist()[:3]


# ---------------------------------------------------------------------- every number, against brute force


@given(cases())
@settings(max_examples=40)
def test_probabilities_expectations_and_the_law_of_the_count(case: Any) -> None:
    check_probabilities(analyze(*case), brute_force(*case))


@given(cases(largest=5))
@settings(max_examples=30)
def test_importances(case: Any) -> None:
    check_importance(analyze(*case), brute_force(*case))


@given(cases())
@settings(max_examples=30)
def test_single_outcomes_and_the_most_probable(case: Any) -> None:
    check_outcomes(analyze(*case), brute_force(*case))


@given(cases())
@settings(max_examples=15)
def test_the_most_probable_of_plans_too_large_for_the_finer_bound(case: Any) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(outcomes_module, "_LARGEST_MATRIX", -1)
        check_outcomes(analyze(*case), brute_force(*case))


@pytest.mark.parametrize("seed", range(4))
def test_larger_plans(seed: int) -> None:
    case = seeded(seed, n=8, causes=seed % 4)
    outcomes = brute_force(*case)
    check_probabilities(analyze(*case), outcomes)
    check_importance(analyze(*case), outcomes)
    check_outcomes(analyze(*case), outcomes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_many_larger_plans(seed: int) -> None:
    case = seeded(seed, n=4 + seed % 5, causes=seed % 4)
    outcomes = brute_force(*case)
    check_probabilities(analyze(*case), outcomes)
    check_importance(analyze(*case), outcomes)
    check_outcomes(analyze(*case), outcomes)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 40))])
def test_plans_of_twelve_repos(seed: int) -> None:
    case = seeded(seed, n=12, causes=seed % 3)
    outcomes = brute_force(*case)
    check_probabilities(analyze(*case), outcomes)
    check_outcomes(analyze(*case), outcomes)


# ---------------------------------------------------------------------- the identities


@given(cases())
@settings(max_examples=40)
def test_the_brute_force_follows_the_rules(case: Any) -> None:
    plan, model, attempts = case
    total = Fraction(0)
    for probability, failing in draws(plan, model, attempts):
        total += probability
        failed, succeeded, skipped = follow(plan, failing)
        outcome = what_if(plan, fail=failing & {item.repo_id for item in plan.items})
        assert set(outcome.succeeded) == succeeded
        assert set(outcome.failures) == failed
        assert set(outcome.skipped) & set(plan.released) == skipped
    assert total == 1


@given(cases(causes=0))
@settings(max_examples=60)
def test_outcomes_are_the_antichains_of_failed_repos_and_their_probabilities_products(case: Any) -> None:
    plan, model, attempts = case
    above = ancestors([item.repo_id for item in plan.items], plan.edges)
    analysis = analyze(*case)
    p = {repo: float(out_of_attempts(model, repo, attempts)) for repo in plan.released}
    total = 0.0
    for size in range(len(plan.released) + 1):
        for failed in combinations(plan.released, size):
            if any(a in above[b] for a in failed for b in failed):
                assert analysis.outcome_probability(failed) == 0.0
                continue
            released = [repo for repo in plan.released if repo not in failed and not above[repo] & set(failed)]
            product = math.prod(1 - p[repo] for repo in released) * math.prod(p[repo] for repo in failed)
            assert analysis.outcome_probability(failed) == pytest.approx(product, rel=1e-6, abs=1e-15)
            total += analysis.outcome_probability(failed)
    assert total == pytest.approx(1, rel=1e-12)


@given(cases(causes=0))
@settings(max_examples=60)
def test_failures_over_attempts_give_the_rate_and_failures_over_plans_do_not(case: Any) -> None:
    frame = analyze(*case).to_frame()
    tried = frame["p_succeeded"] + frame["p_failed"]
    ever = tried > 1e-12
    out = np.array([float(out_of_attempts(case[1], repo, case[2])) for repo in frame.index])
    assert frame["p_failed"][ever].to_numpy() == pytest.approx((out * tried)[ever], rel=1e-9)
    assert (frame["p_failed"] <= out * (1 + 1e-12)).all(), "per plan, deep repos look safer"


@given(cases())
@settings(max_examples=30)
def test_the_gain_is_the_chance_of_failing_times_what_it_costs(case: Any) -> None:
    analysis = analyze(*case)
    worth = analysis.importance().loc[analysis.plan.released]
    failed = analysis.to_frame()["p_failed"].reindex(worth.index)
    expected = failed * (1 + worth["extra_if_not_failed"])
    assert worth["gain_if_perfect"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12, abs=1e-290)
    assert (worth["extra_if_not_failed"] <= worth["skips_if_failed"].astype(float) * (1 + 1e-12)).all()
    assert (worth["gain_if_perfect"] <= worth["birnbaum"] * (1 + 1e-12)).all()


@given(cases(), st.randoms())
@settings(max_examples=40)
def test_the_order_of_the_plan_does_not_matter(case: Any, chosen: random.Random) -> None:
    plan, model, attempts = case
    ids = [item.repo_id for item in plan.items]
    other = dict(zip(ids, chosen.sample([f"{index:03}" for index in range(100)], len(ids)), strict=True))
    renamed = build_plan(
        RepoDependencyGraph.from_edges([(other[a], other[b]) for a, b in plan.edges], nodes=other.values()),
        [(other[repo], "1") for repo in plan.released],
        scope="all",
    )
    causes = [
        replace(cause, repos=[other[repo] for repo in cause.repos if repo in other]) for cause in model.common_causes
    ]
    hard = {other[repo]: model.share_hard(repo) for repo in ids}
    same = FailureModel({other[repo]: model.rate(repo) for repo in ids}, common_causes=causes, hard=hard)
    one, two = analyze(plan, model, attempts), analyze(renamed, same, attempts)
    frame = two.to_frame().loc[[other[repo] for repo in plan.released]]
    assert one.to_frame().to_numpy() == pytest.approx(frame.to_numpy(), rel=1e-12, abs=1e-290)
    assert one.distribution().to_numpy() == pytest.approx(two.distribution().to_numpy(), rel=1e-12, abs=1e-290)


@given(cases())
@settings(max_examples=60)
def test_a_common_cause_is_a_repo_that_nobody_counts(case: Any) -> None:
    plan, model, _ = case
    causes = [CommonCause(cause.name, cause.probability, cause.repos) for cause in model.common_causes]
    model = FailureModel(model.rates, common_causes=causes, hard=model.hard)
    with_causes = analyze(plan, model)
    ids = [item.repo_id for item in plan.items]
    edges = [*plan.edges]
    for index, cause in enumerate(model.common_causes):
        edges += [(f"cause {index}", repo) for repo in cause.repos if repo in plan.released]
    names = [f"cause {index}" for index in range(len(model.common_causes))]
    graph = RepoDependencyGraph.from_edges(edges, nodes=[*ids, *names])
    larger = build_plan(graph, [(repo, "1") for repo in [*plan.released, *names]], scope="all")
    rates = {**model.rates, **{f"cause {i}": cause.probability for i, cause in enumerate(model.common_causes)}}
    as_repos = analyze(larger, rates).to_frame().loc[plan.released]
    frame = with_causes.to_frame()
    assert frame["p_succeeded"].to_numpy() == pytest.approx(as_repos["p_succeeded"].to_numpy(), rel=1e-12, abs=1e-290)


@given(cases(causes=0), st.integers(1, 4))
@settings(max_examples=40)
def test_retries_are_powers_of_the_rate_but_for_what_is_broken(case: Any, attempts: int) -> None:
    plan, model, _ = case
    powers = {repo: float(out_of_attempts(model, repo, attempts)) for repo in plan.released}
    frame, same = (
        analyze(plan, *how).to_frame().drop(columns="failure_rate") for how in ((model, attempts), (powers,))
    )
    # 1 - p**k, worked out from the rounded power, is only as good as the rounding
    assert frame.to_numpy() == pytest.approx(same.to_numpy(), rel=1e-6, abs=1e-12)


# ---------------------------------------------------------------------- known answers


def test_counting_dependents_oversells_hardening() -> None:
    plan = plan_of("ab", "bc", "cd")
    worth = analyze(plan, 0.5).importance()
    assert worth.loc["a", ["skips_if_failed", "extra_if_not_failed"]].tolist() == [3, 0.875]


def test_a_repo_that_never_fails_may_have_the_highest_birnbaum_importance() -> None:
    worth = analyze(plan_of("ab", "bc"), {"c": 0.3}).importance()
    assert worth["birnbaum"].idxmax() == "a"
    assert worth["gain_if_perfect"].to_dict() == {"c": 0.3, "a": 0.0, "b": 0.0}
    assert worth.index[0] == "c"


def test_risk_ratios_without_risk() -> None:
    worth = analyze(plan_of("ab"), 0.0).importance()
    assert worth["raw"].tolist() == [math.inf, math.inf]
    assert worth["rrw"].isna().all()
    alone = analyze(plan_of("ab"), {"a": 0.5}).importance()
    assert alone["rrw"].to_dict() == {"a": math.inf, "b": 1.0}


def test_a_risk_beside_a_far_larger_one_keeps_its_digits() -> None:
    worth = analyze(plan_of(nodes="ab"), {"a": 0.5, "b": 1e-13}).importance()
    assert worth.loc["a", "rrw"] == pytest.approx((0.5 + 1e-13) / 1e-13, rel=1e-12)


def test_frames_have_the_documented_dtypes() -> None:
    analysis = analyze(plan_of("ab", nodes="c"), 0.25)
    worth = analysis.importance()
    assert worth.index.name == "repo_id"
    assert worth.index.dtype == analysis.to_frame().index.dtype == pd.StringDtype("python")
    assert [str(dtype) for dtype in worth.dtypes] == ["float64"] * 6 + ["Int64"] * 2 + ["float64"]
    worth.iloc[:, 0] = -1.0
    assert (analysis.importance().iloc[:, 0] >= 0).all(), "a copy"
    outcomes = analysis.most_probable_outcomes(2)
    assert [str(dtype) for dtype in outcomes.dtypes] == ["float64", "object", "Int64", "Int64", "Int64"]


def test_what_a_repo_struck_alone_would_have_saved() -> None:
    model = FailureModel(common_causes=[CommonCause("outage", 0.25, ["a"])])
    worth = analyze(plan_of("ab", "bc"), model).importance()
    assert worth.loc["a", "extra_if_not_failed"] == pytest.approx(2, rel=1e-12)
    assert worth.loc["a", "gain_if_perfect"] == pytest.approx(0.75, rel=1e-12)
    both = FailureModel(common_causes=[CommonCause("outage", 0.25, ["a", "b"])])
    worth = analyze(plan_of("ab", "bc"), both).importance()
    assert worth.loc["a", "extra_if_not_failed"] == pytest.approx(0, abs=1e-12), "b is struck too"


def test_share_means_at_least_that_part() -> None:
    analysis = analyze(plan_of(nodes="abcde"), 0.5)
    assert analysis.p_at_least(share=0.6) == analysis.p_at_least(3)
    assert analysis.p_at_least(share=0.61) == analysis.p_at_least(4)
    assert analysis.p_at_least(share=0.0) == analysis.p_at_least(k=0) == 1.0
    assert analysis.p_at_least(share=1) == analysis.p_at_least(np.int64(5)) == analysis.p_all_succeed
    assert analyze(plan_of(nodes="abcdefghijk"[:10]), 0.5).p_at_least(share=0.1 + 0.2) == pytest.approx(1 - 56 / 1024)


def test_ties_go_to_fewer_failures_then_plan_order() -> None:
    found = analyze(plan_of(nodes="cab"), 0.5).most_probable_outcomes(8)
    assert found["failed"].tolist() == [
        [], ["a"], ["b"], ["c"], ["a", "b"], ["a", "c"], ["b", "c"], ["a", "b", "c"]
    ]  # fmt: skip
    assert found["probability"].tolist() == pytest.approx([0.125] * 8, rel=1e-12)
    assert analyze(plan_of(nodes="cab"), 0.5).most_probable_outcomes(3)["failed"].tolist() == [[], ["a"], ["b"]]


def test_a_struck_repo_fails_even_with_retries() -> None:
    model = FailureModel(common_causes=[CommonCause("outage", 0.25, ["a", "b"])])
    frame = analyze(plan_of("ab"), model, attempts=5).to_frame()
    assert frame["failure_rate"].tolist() == [0.0, 0.0]
    assert frame["p_failed"].tolist() == pytest.approx([0.25, 0.0], rel=1e-12)
    assert frame["p_skipped"].tolist() == pytest.approx([0.0, 0.25], rel=1e-12)


# ---------------------------------------------------------------------- edges


def test_an_empty_plan() -> None:
    analysis = analyze(build_plan(RepoDependencyGraph(), []), 0.5)
    assert analysis.to_frame().empty
    assert analysis.importance().empty
    assert analysis.importance().dtypes.tolist() == analyze(plan_of("ab"), 0.5).importance().dtypes.tolist()
    assert tuple(analysis.expected) == (0.0, 0.0, 0.0)
    assert (analysis.std_succeeded, analysis.p_all_succeed) == (0.0, 1.0)
    assert analysis.distribution().to_dict() == {0: 1.0}
    assert analysis.most_probable_outcomes()["probability"].tolist() == [1.0]
    assert "0 repos" in repr(analysis)


def test_only_unreleased_repos_between() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), [("a", "1"), ("c", "1")])
    frame = analyze(plan, {"a": 0.5, "b": 1.0}).to_frame()
    assert frame["p_succeeded"].to_dict() == {"a": 0.5, "c": 0.5}
    assert analyze(plan, 0.5).outcome_probability("b") == 0.0


def chain(n: int) -> SequencePlan:
    ids = [f"{index:06}" for index in range(n)]
    return build_plan(RepoDependencyGraph.from_edges(pairwise(ids), nodes=ids), version="1")


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_a_long_chain(rate: float) -> None:
    n = 5_000
    analysis = analyze(chain(n), rate)
    frame, worth = analysis.to_frame(), analysis.importance().sort_index()
    depth = np.arange(n)
    assert frame["p_succeeded"].to_numpy() == pytest.approx((1 - rate) ** (depth + 1), rel=1e-9, abs=1e-300)
    q = 1 - rate
    below = n - 1 - depth
    extra = below if q == 1 else q * (1 - q**below) / (1 - q)
    assert worth["extra_if_not_failed"].to_numpy() == pytest.approx(extra, rel=1e-9), "far below the range of floats"
    assert worth["n_dependents"].tolist() == below.tolist()
    law = analysis.distribution()
    assert law.sum() == pytest.approx(1, rel=1e-9)
    assert float(law @ np.arange(n + 1)) == pytest.approx(analysis.expected.succeeded, rel=1e-9)
    assert analysis.p_at_least(2) == pytest.approx(q**2, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 1.0])
def test_a_chain_of_a_hundred_thousand(rate: float) -> None:
    analysis = analyze(chain(100_000), rate)
    assert len(analysis.to_frame()) == len(analysis.importance()) == 100_000
    assert analysis.most_probable_outcomes(3)["failed"].map(len).max() == 1
    with pytest.raises(ValueError, match="simulate"):
        analysis.distribution()
    with pytest.raises(ValueError, match="simulate"):
        _ = analysis.std_succeeded
    assert "simulate" in analysis._repr_html_()


@pytest.mark.parametrize("hub", [True, False])
def test_hubs_have_an_exact_law(hub: bool) -> None:
    leaves = [f"leaf {index}" for index in range(1_000)]
    edges = [("hub", leaf) if hub else (leaf, "hub") for leaf in leaves]
    analysis = analyze(build_plan(RepoDependencyGraph.from_edges(edges), version="1"), 0.1)
    law = analysis.distribution()
    mean = float(law @ law.index)
    assert mean == pytest.approx(analysis.expected.succeeded, rel=1e-9)
    assert float(law @ (law.index - mean) ** 2) == pytest.approx(analysis.std_succeeded**2, rel=1e-9)


@pytest.mark.parametrize("name", ["jest29", "jupyter", "kf5"])
def test_real_plans_have_an_exact_law(name: str) -> None:
    analysis = analyze(build_plan(load_dataset(name).graph, version="1"), 0.05)
    law = analysis.distribution()
    mean = float(law @ law.index)
    assert mean == pytest.approx(analysis.expected.succeeded, rel=1e-9)
    assert float(law @ (law.index - mean) ** 2) == pytest.approx(analysis.std_succeeded**2, rel=1e-9)
    first = analysis.most_probable_outcomes(5)
    assert first["probability"].is_monotonic_decreasing
    singles = [analysis.outcome_probability(repo) for repo in analysis.plan.released]
    assert max([analysis.p_all_succeed, *singles]) == first["probability"].iloc[0]


def test_twelve_causes_on_a_real_plan() -> None:
    plan = build_plan(load_dataset("kf5").graph, version="1")
    chosen = random.Random(1)
    causes = [CommonCause(str(index), 0.02, chosen.sample(plan.released, 8)) for index in range(12)]
    analysis = analyze(plan, FailureModel(default=0.03, common_causes=causes))
    law = analysis.distribution()
    assert float(law @ law.index) == pytest.approx(analysis.expected.succeeded, rel=1e-9)
    assert analysis.most_probable_outcomes(3)["probability"].is_monotonic_decreasing
    assert law.iloc[-1] == pytest.approx(analysis.p_all_succeed, rel=1e-9)
    assert sum(analysis.expected) == pytest.approx(75, rel=1e-12)


# ---------------------------------------------------------------------- what is refused


def test_more_than_twelve_open_causes_are_refused() -> None:
    def model(n: int, extra: tuple[CommonCause, ...] = ()) -> FailureModel:
        mild = (CommonCause(str(i), 0.1, ["a", "c"], 0.5 + i / 100) for i in range(n))
        return FailureModel(common_causes=(*mild, *extra))

    plan = plan_of("ab", nodes="c")
    with pytest.raises(ValueError, match=r"model has 13 common causes .* at most 12.*simulate"):
        analyze(plan, model(13))
    settled = (CommonCause("never", 0.0, "a"), CommonCause("always", 1.0, "b"), CommonCause("elsewhere", 0.5, "x"))
    frame = analyze(plan, model(12, settled)).to_frame()
    assert frame.loc["a", "p_succeeded"] == pytest.approx(math.prod(1 - 0.1 * (0.5 + i / 100) for i in range(12)))
    assert frame.loc["b", "p_succeeded"] == 0.0


@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_other_policies_are_for_simulate(policy: Any) -> None:
    with pytest.raises(ValueError, match=f"policy is '{policy}'.*simulate"):
        analyze(plan_of("ab"), 0.1, policy=policy)


def test_wrong_arguments_are_named() -> None:
    plan = plan_of("ab")
    with pytest.raises(ValueError, match=r"failure_budget is 2, .*simulate"):
        analyze(plan, 0.1, failure_budget=2)
    with pytest.raises(ValueError, match="policy is 'skip', expected one of"):
        analyze(plan, 0.1, policy="skip")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"plan is RepoDependencyGraph.*expected a SequencePlan"):
        analyze(plan.graph, 0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="attempts is 0"):
        analyze(plan, 0.1, attempts=0)
    with pytest.raises(TypeError, match=r"attempts is 1\.5"):
        analyze(plan, 0.1, attempts=1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="model is 2"):
        analyze(plan, 2)
    analysis = analyze(plan, 0.1)
    for arguments in ({}, {"k": 1, "share": 0.5}):
        with pytest.raises(ValueError, match="exactly one of the two"):
            analysis.p_at_least(**arguments)
    for wrong in ({"k": -1}, {"k": 3}, {"share": 1.1}, {"share": math.nan}):
        with pytest.raises(ValueError, match=r"is (-1|3|1\.1|nan), expected"):
            analysis.p_at_least(**wrong)
    for mistyped in ({"k": 0.5}, {"k": True}, {"share": "half"}, {"share": True}):
        with pytest.raises(TypeError, match="expected a"):
            analysis.p_at_least(**mistyped)
    for share in (0.8, 1.0, np.float64(0.8)):  # what people type who mean a share
        with pytest.raises(TypeError, match=rf"k is .*, expected a whole number .* say share={share:g}$"):
            analysis.p_at_least(share)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"k is 1\.5, expected a whole number from 0 to 2$"):
        analysis.p_at_least(1.5)  # type: ignore[arg-type]
    with pytest.raises(RepoNotFound, match="nobody"):
        analysis.outcome_probability(["a", "nobody"])
    with pytest.raises(ValueError, match="n is -1"):
        analysis.most_probable_outcomes(-1)
    with pytest.raises(TypeError, match="n is True"):
        analysis.most_probable_outcomes(True)
    assert analysis.most_probable_outcomes(0).empty


def crossing(n: int, seed: int = 0) -> SequencePlan:
    chosen = random.Random(seed)
    edges = [(f"{a:05}", f"{b:05}") for b in range(1, n) for a in chosen.sample(range(b), min(b, 3))]
    return build_plan(RepoDependencyGraph.from_edges(edges), version="1")


def test_too_many_states_are_refused_by_name() -> None:
    analysis = analyze(crossing(1_000), 0.1)
    with pytest.raises(ValueError, match=r"cross at too many places.*simulate"):
        analysis.distribution()
    with pytest.raises(ValueError, match="simulate"):
        analysis.p_at_least(share=0.8)
    assert analysis.p_at_least(k=1_000) == analysis.p_all_succeed
    assert analysis.std_succeeded > 0


def test_the_variance_in_several_panels_is_that_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    case = seeded(5, n=60, causes=2)
    whole = analyze(*case).std_succeeded
    monkeypatch.setattr(variance_module, "_PANEL", 7)
    assert analyze(*case).std_succeeded == pytest.approx(whole, rel=1e-12)
    assert whole > 0


def test_a_large_standard_deviation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variance_module, "LARGEST", 2)
    with pytest.raises(ValueError, match=r"plan has 3 repos to release, expected at most 2.*simulate"):
        _ = analyze(plan_of("ab", "bc"), 0.1).std_succeeded


def test_a_search_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes_module, "_MOST_WORK", 0)
    plan = build_plan(load_dataset("jupyter").graph, version="1")
    with pytest.raises(ValueError, match=r"n is 20, .* not found in 200 steps.*simulate"):
        analyze(plan, 0.5).most_probable_outcomes(20)
    # where nothing but ties is left to find, the answer stands
    tied = analyze(plan_of(nodes="abcdefghijklmnop"), 0.4).most_probable_outcomes(1)
    assert tied["failed"].tolist() == [[]]


def test_ties_without_end_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    log_probability = outcomes_module.Outcomes.log_probability

    def counting(self: Any, failed: Any) -> float:
        looked_at.append(failed)
        return log_probability(self, failed)

    monkeypatch.setattr(outcomes_module.Outcomes, "log_probability", counting)
    monkeypatch.setattr(outcomes_module, "_MOST_TIES", 20)
    found = analyze(plan_of(nodes="abcdefghijklmnop"), 0.5).most_probable_outcomes(4)
    assert found["failed"].tolist() == [[], ["a"], ["b"], ["c"]]
    assert len(looked_at) < 40, "of 65,536 that tie"


# ---------------------------------------------------------------------- showing


def test_reprs_are_stable_escaped_and_readable() -> None:
    graph = RepoDependencyGraph.from_edges([(HOSTILE_NAMES[0], HOSTILE_NAMES[1])])
    plan = build_plan(graph, version="1", originating_run_id=HOSTILE_NAMES[0])
    one, two = analyze(plan, 0.1), analyze(plan, 0.1)
    two.importance()
    _ = two.std_succeeded
    assert one._repr_html_() == two._repr_html_()
    assert "<script" not in one._repr_html_()
    assert repr(one).endswith(
        "of 2 repos expect 1.71 released, 0.19 failed, 0.1 skipped; all released with probability 0.81)"
    )
    assert "standard deviation" in one._repr_html_()


def test_perfect_positions_are_left_out_of_causes() -> None:
    plan = plan_of("ab")
    model = FailureModel(default=0.5, common_causes=[CommonCause("outage", 0.5, ["a"]), CommonCause("sure", 1.0, "a")])
    perfect = Faults.of(plan, model, 1).changed(perfect=[0]).mixture().any
    assert perfect.succeeded.tolist() == [1.0, 0.5]


def test_a_law_that_takes_too_much_work_is_given_up() -> None:
    analysis = analyze(build_plan(load_dataset("jest29").graph), 0.05)
    assert analysis.distribution(most_work=1_000_000).equals(analysis.distribution())
    with pytest.raises(ValueError, match="exact distribution"):
        analysis.distribution(most_work=100)
