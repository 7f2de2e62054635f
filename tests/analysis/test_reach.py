"""What a trial can come to, against all that the rules make of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import CommonCause, FailureModel, RepoDependencyGraph, SequencePlan, build_plan, simulate
from seqkit.analysis.estimate import Range
from seqkit.analysis.montecarlo.reach import ENDS, Reach, coupled, range_of_difference
from seqkit.core.rules import follow
from seqkit.core.terms import Terms
from tests.tools.strategies import POLICIES, dags


def ends(plan: SequencePlan, terms: Terms, failing: Iterable[str]) -> dict[str, str]:
    failing = set(failing)
    rules = follow(plan, terms, lambda repo, attempt: "red" if repo in failing else None)
    pairs = zip(plan.items, plan.arrays.released, range(len(plan.items)), strict=True)
    return {item.repo_id: rules.status(at).name for item, released, at in pairs if released}


@settings(max_examples=60)
@given(dags(largest=6), st.sampled_from(POLICIES), st.sampled_from([None, 1, 2]), st.data())
def test_nothing_can_be_that_is_out_of_reach(dag: Any, policy: Any, budget: int | None, data: Any) -> None:
    nodes, edges = dag
    released = [repo for repo in nodes if data.draw(st.booleans() if len(nodes) > 2 else st.just(True))] or nodes[:1]
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), [(repo, "1") for repo in released])
    rates = {repo: data.draw(st.sampled_from([0.0, 0.5, 1.0])) for repo in plan.released}
    terms = Terms(policy, budget)
    reach = Reach.under(plan, terms, FailureModel(rates))
    open_ones = [repo for repo, rate in rates.items() if rate == 0.5]
    certain = [repo for repo, rate in rates.items() if rate == 1.0]
    counts: dict[tuple[bool, ...], dict[str, int]] = {}
    seen: dict[str, list[set[str]]] = {repo: [] for repo in plan.released}
    for fails in product([False, True], repeat=len(open_ones)):
        end = ends(plan, terms, [*certain, *(repo for repo, fail in zip(open_ones, fails, strict=True) if fail)])
        counts[fails] = {name: list(end.values()).count(name) for name in ENDS}
        for repo, name in end.items():
            seen[repo].append({name})
    for name in ENDS:
        within = reach.count(name)
        assert all(within.least <= count[name] <= within.most for count in counts.values())
        for repo, may, must in zip(plan.released, reach.may(name), reach.must(name), strict=True):
            can, always = {name} in seen[repo], all(one == {name} for one in seen[repo])
            assert can <= may
            assert must <= always
            if terms.closed_form:
                assert (can, always) == (may, must)
        for fails, count in counts.items():
            for at, fail in enumerate(fails):
                other = counts[(*fails[:at], not fail, *fails[at + 1 :])]
                assert abs(count[name] - other[name]) <= within.swing


CHAIN = build_plan(RepoDependencyGraph.from_edges([*zip("abcd", "bcde", strict=True)], nodes=["z"]), version="1")


def test_a_cause_moves_all_below_its_members_and_is_never_certain() -> None:
    model = FailureModel(common_causes=[CommonCause("ci", 1.0, ["d", "z"]), CommonCause("none", 0.0, ["a"])])
    reach = Reach.under(CHAIN, Terms(), model)
    assert reach.count("succeeded") == Range(3, 6, swing=3)
    assert Reach.under(CHAIN, Terms("continue"), model).swing == 2
    assert Reach.under(CHAIN, Terms("stop"), model).swing == 6
    assert Reach.under(CHAIN, Terms("stop"), model).count("failed") == Range(0, 1, swing=6)


SIDES: list[tuple[Terms, FailureModel, Terms, FailureModel, set[str]]] = [
    (Terms(), FailureModel(default=0.3), Terms(), FailureModel({"c": 0.1}, 0.3), set("abz")),
    (Terms("continue"), FailureModel(default=0.3), Terms("continue"), FailureModel({"c": 0.1}, 0.3), set("abdez")),
    (Terms("stop"), FailureModel(default=0.3), Terms("stop"), FailureModel({"c": 0.1}, 0.3), set()),
    (Terms("stop"), FailureModel(default=0.3), Terms("stop"), FailureModel(default=0.3), set("abcdez")),
    (Terms(), FailureModel(default=0.3), Terms(attempts=2), FailureModel(default=0.3), set()),
    (Terms(), FailureModel({"a": 0.0, "b": 1.0}), Terms(attempts=2), FailureModel({"a": 0.0, "b": 1.0}), set("abcdez")),
    (Terms(), FailureModel(default=0.3), Terms("continue"), FailureModel(default=0.3), set()),
    (Terms(), FailureModel(default=0.3), Terms(), FailureModel({}, 0.3, [CommonCause("x", 0.5, ["b"])]), set("az")),
    (Terms(attempts=2), FailureModel({}, 0.3), Terms(attempts=2), FailureModel({}, 0.3, (), {"d": 0.5}), set("abcz")),
]  # fmt: skip


@pytest.mark.parametrize(("terms_a", "model_a", "terms_b", "model_b", "expected"), SIDES)
@pytest.mark.parametrize("other", [CHAIN, CHAIN.without("d")], ids=["same", "without d"])
def test_coupled_repos_end_alike_in_every_trial(
    terms_a: Terms, model_a: FailureModel, terms_b: Terms, model_b: FailureModel, expected: set[str], other: Any
) -> None:
    a, b = Reach.under(CHAIN, terms_a, model_a), Reach.under(other, terms_b, model_b)
    alike = coupled(a, b, (model_a, model_b))
    if other is CHAIN:
        assert alike == expected
    plans = ((CHAIN, terms_a, model_a), (other, terms_b, model_b))
    sides = [simulate(plan, model, 150, rng=3, **terms.to_tag()) for plan, terms, model in plans]
    within = {name: range_of_difference(a, b, name, alike) for name in ENDS}
    for i in range(150):
        x, y = (
            {
                item.repo_id: item.status.name
                for item in side.trial(i).outcome.items
                if item.repo_id in side.plan.released
            }
            for side in sides
        )
        assert all(x[repo] == y[repo] for repo in alike if repo in x)
        for name in ENDS:
            more = list(y.values()).count(name) - list(x.values()).count(name)
            assert within[name].least <= more <= within[name].most
