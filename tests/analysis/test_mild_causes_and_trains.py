"""Causes of a severity below 1, and trains in sequence: the kernels, the rules and the exact numbers say the same."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from seqkit import (
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    SequencePlan,
    analyze,
    build_plan,
    compare,
    replay,
    run_plan,
    simulate,
)
from seqkit.analysis.montecarlo.simulation import simulation_of
from seqkit.core.terms import Terms
from seqkit.core.trains import Trains, as_plan
from seqkit.explore import Scenario

CAUSE = "common cause: mild"


def case(seed: int) -> tuple[SequencePlan, FailureModel, Terms]:
    """A plan, or trains of one, under any policy and model."""
    r = random.Random(seed)
    nodes = [f"r{i}" for i in range(r.choice([3, 6, 9]))]
    edges = [pair for pair in combinations(nodes, 2) if r.random() < 0.3]
    releases = [(repo, "1") for repo in nodes if r.random() < 0.85]
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), releases)

    def chance() -> float:
        return r.choice([0.0, 1.0, 0.1, r.random(), r.random()])

    causes = [
        CommonCause(str(i), chance(), r.sample(nodes, r.randint(1, len(nodes))), chance())
        for i in range(r.choice([0, 1, 3]))
    ]
    hard: Any = r.choice([0.0, 0.5, {repo: chance() for repo in nodes}])
    model = FailureModel({repo: chance() for repo in nodes}, common_causes=causes, hard=hard)
    if seed % 2 and plan.released:
        first, second = plan.split(r.sample(plan.released, r.randint(0, len(plan.released))))
        again = seed % 4 == 3 and second.released
        plan = as_plan([first, *second.split(r.sample(second.released, 1))] if again else [first, second])
    policy: Any = r.choice(["skip_dependents", "stop", "continue"])
    return plan, model, Terms(policy, r.choice([None, 1, 2]), r.choice([1, 2, 3]))


def check(seed: int) -> None:
    pytest.importorskip("numba")
    plan, model, terms = case(seed)
    trials = 130
    fast = simulation_of(plan, terms, model, trials, seed, engine="numba")
    plain = simulation_of(plan, terms, model, trials, seed, engine="numpy")
    assert fast.counts.equals(plain.counts)
    assert fast.to_frame().equals(plain.to_frame())
    lost = np.zeros(len(plan.released), np.int64)
    for i in range(trials):
        outcome = plain.trial(i).outcome
        assert (len(outcome.succeeded), len(outcome.failed)) == (plain.n_succeeded[i], plain.n_failed[i])
        lost += ~np.isin(plan.released, outcome.succeeded)
    assert (1 - plain.to_frame()["p_succeeded"].to_numpy()) * trials == pytest.approx(lost, abs=1e-9)


@pytest.mark.parametrize("seed", range(16))
def test_trial_by_trial(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(16, 500))
def test_trial_by_trial_of_many_plans(seed: int) -> None:
    check(seed)


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_numbers_are_those_of_the_draws(seed: int) -> None:
    plan, model, terms = case(4 * seed + seed % 2)
    exact = analyze(plan.trains if isinstance(plan, Trains) else plan, model, terms.attempts)
    found = simulate(plan, model, 60_000, rng=seed, attempts=terms.attempts).to_frame()
    for name in ("p_succeeded", "p_failed", "p_skipped"):
        p = exact.to_frame()[name].to_numpy()
        assert (abs(found[name].to_numpy() - p) <= 4.5 * np.sqrt(p * (1 - p) / 60_000) + 1e-9).all()


def test_at_severity_one_nothing_changes() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("a", "c")]), version="1")
    before = FailureModel({"a": 0.1}, common_causes=[CommonCause("mild", 0.2, ["a", "c"])])
    same = FailureModel({"a": 0.1}, common_causes=[CommonCause("mild", 0.2, ["a", "c"], severity=1)])
    assert simulate(plan, before, 5000, rng=3).counts.equals(simulate(plan, same, 5000, rng=3).counts)
    never = FailureModel({"a": 0.1}, common_causes=[CommonCause("mild", 0.2, ["a", "c"], severity=0)])
    assert simulate(plan, never, 5000, rng=3).counts.equals(simulate(plan, {"a": 0.1}, 5000, rng=3).counts)


def test_a_retry_may_get_through_a_mild_cause_and_a_member_be_spared() -> None:
    model = FailureModel(common_causes=[CommonCause("mild", 1.0, ["a", "b"], severity=0.5)])
    told = [[model.reason(repo, attempt, 7, trial) for repo in "ab" for attempt in (1, 2)] for trial in range(200)]
    assert {tuple(each) for each in told} >= {(None,) * 4, (CAUSE,) * 4, (CAUSE, None, None, CAUSE)}
    ledger = MemoryRunLedger(ids=["r"])
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b"]), version="1")
    outcome = run_plan(plan, model, ledger, rng=7, trial=3, attempts=2)
    assert outcome.attempts == tuple(1 + (told[3][at] is not None) for at in (0, 2))


def test_a_replay_weighs_what_a_mild_cause_would_have_spared() -> None:
    """By Bayes' theorem: a was released at its first try, b failed, and c was never tried."""
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    ledger = MemoryRunLedger(ids=["r"])
    run_plan(plan, {"b": 1.0}, ledger, rng=1, policy="stop")
    rates = {"a": 0.2, "b": 0.3, "c": 0.1}
    model = FailureModel(rates, common_causes=[CommonCause("mild", 0.4, ["a", "b", "c"], severity=0.6)])
    found = replay(ledger, "r", policy="continue", model=model, trials=20_000, rng=5).to_frame()

    def fails(repo: str, struck: bool) -> float:
        return 1 - (1 - rates[repo]) * (0.4 if struck else 1.0)

    weights = {
        struck: (0.4 if struck else 0.6) * (1 - fails("a", struck)) * fails("b", struck) for struck in (False, True)
    }
    expected = sum(weight * fails("c", struck) for struck, weight in weights.items()) / sum(weights.values())
    assert abs(found.loc["c", "p_failed"] - expected) < 4.5 * found.loc["c", "se_failed"]


def test_a_scenario_carries_the_severity_into_its_code() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    model = FailureModel(default=0.1, common_causes=[CommonCause("mild", 0.2, ["a", "b"], severity=0.3)])
    code = Scenario(plan, model, trials=200).to_code("plan")
    assert "CommonCause('mild', 0.2, ['a', 'b'], severity=0.3)" in code


# ---------------------------------------------------------------------- trains


def test_a_split_gives_two_plans_that_know_where_they_come_from() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("docs", "site")])
    plan = build_plan(graph, version="1")
    first, second = plan.split("api")
    assert (first.released, second.released) == (["core", "api"], ["docs", "site", "app"])
    assert second == plan.without(first.released)
    both = as_plan([first, second])
    assert sorted(both.edges) == sorted(plan.edges)
    assert [both.arrays.ids[at] for at, train in enumerate(both.train_of) if train] == second.released
    assert "2 trains" in repr(both)
    third, fourth = second.split("app")
    assert as_plan([first, third, fourth]).train_of == (0, 0, 1, 2, 2)
    nobody, everyone = plan.split([])
    assert (nobody.released, everyone.released) == ([], plan.released)


def test_what_an_earlier_train_lost_blocks_in_a_later_one() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("docs", "site")])
    trains = build_plan(graph, version="1").split("core")
    sure = simulate(trains, {"core": 1.0}, trials=3, rng=1)
    outcome = sure.trial(0).outcome
    assert outcome.failures.keys() == {"core"}
    frame = outcome.to_frame().set_index("repo_id")
    assert frame.loc["app", ["skip_cause", "blocked_by"]].tolist() == ["blocked", ["core"]]
    stopped = simulate(trains, {"core": 1.0}, trials=3, rng=1, policy="stop").trial(0).outcome
    assert stopped.succeeded == ["docs", "site"], "a stop counts in its own train, and what is lost blocks below"
    on = simulate(trains, {"core": 1.0}, trials=3, rng=1, policy="continue").trial(0).outcome
    assert on.succeeded == ["docs", "api", "site", "app"]


def test_without_causes_a_split_changes_nothing_and_with_them_it_spreads_the_risk() -> None:
    graph = RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(6)])
    plan = build_plan(graph, version="1")
    model = FailureModel(default=0.1, common_causes=[CommonCause("ci", 0.2, plan.released)])
    trains = plan.split(plan.released[:3])
    whole, split = analyze(plan, model), analyze(trains, model)
    assert split.expected.succeeded == pytest.approx(whole.expected.succeeded)
    assert split.std_succeeded < whole.std_succeeded
    assert split.p_all_succeed == pytest.approx(whole.p_all_succeed * 0.8)
    assert analyze(trains, 0.1).distribution().to_numpy() == pytest.approx(analyze(plan, 0.1).distribution().to_numpy())
    found = compare(plan, trains, model, trials=40_000, rng=3)
    assert abs(found.difference) < 4.5 * found.difference.se


def test_plans_that_were_not_split_from_one_are_refused() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
    plan = build_plan(graph, version="1")
    first, second = plan.split("core")
    with pytest.raises(ValueError, match=r"plan is a list of 2 plans that were not split from one"):
        analyze([plan, plan], 0.1)
    with pytest.raises(ValueError, match=r"'api' leaves before 'core', which it needs"):
        simulate([second, first], 0.1)
    with pytest.raises(ValueError, match=r"plan releases 'core' in two trains"):
        analyze([first, first], 0.1)
    with pytest.raises(TypeError, match=r"plan is .*expected a SequencePlan"):
        analyze([], 0.1)
    with pytest.raises(ValueError, match=r"repos names 'api', which this plan does not release"):
        plan.without(["api"]).split("api")
