"""Simulations trial by trial: the kernels count exactly what the rule machine and ledgered runs come to."""

from __future__ import annotations

import importlib.util
import random
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    CommonCause,
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    SequenceOutcome,
    SequencePlan,
    SimulatedReleaser,
    Simulation,
    build_plan,
    items_frame,
    load_dataset,
    run_plan,
    simulate,
    what_if,
)
from seqkit.core import draws
from tests.tools.strategies import POLICIES, attempts, budgets, dags, policies, repo_ids, subsets

ENGINES = ("numpy", "numba") if importlib.util.find_spec("numba") else ("numpy",)
AWKWARD_RATES = (0.0, 1.0, 1e-9, 1 - 1e-9)
rates = st.sampled_from([*AWKWARD_RATES, 0.5, 0.1, 5e-324]) | st.floats(0, 1)


class Case(NamedTuple):
    """What is simulated; `rules` are the keyword arguments that simulate and run_plan share."""

    plan: SequencePlan
    model: FailureModel
    rules: dict[str, Any]
    seed: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    nodes, edges = draw(dags(8, repo_ids))
    plan = build_plan(
        RepoDependencyGraph.from_edges(edges, nodes=nodes),
        [(repo, "1") for repo in draw(st.just(nodes) | subsets(nodes))],
        scope=draw(st.sampled_from(["path", "all"])),
    )
    causes = [
        CommonCause(name, draw(rates), draw(subsets([*nodes, "elsewhere"])))
        for name in draw(st.lists(repo_ids, unique=True, max_size=3))
    ]
    hard = draw(st.just(0.0) | rates | st.fixed_dictionaries(dict.fromkeys(nodes, rates)))
    model = FailureModel({repo: draw(rates) for repo in nodes}, common_causes=causes, hard=hard)
    rules = {"policy": draw(policies), "failure_budget": draw(budgets), "attempts": draw(attempts)}
    return Case(plan, model, rules, draw(st.integers(0, 2**64)))


def seeded(seed: int, n: int) -> Case:
    """A larger case, of any policy, budget and number of attempts in turn."""
    chosen = random.Random(seed)
    nodes = [f"repo-{number:03}" for number in chosen.sample(range(1000), n)]
    density = chosen.choice([0.5, 1.5, 4]) / n
    plan = build_plan(
        RepoDependencyGraph.from_edges(
            [pair for pair in combinations(nodes, 2) if chosen.random() < density], nodes=nodes
        ),
        [(repo, "1") for repo in nodes if chosen.random() < 0.85],
        scope=chosen.choice(["path", "all"]),
    )
    rules = {"policy": POLICIES[seed % 3], "failure_budget": (None, 2, 1, 5)[seed % 4], "attempts": 1 + seed // 2 % 3}

    def rate() -> float:
        typical = chosen.choice([0.03, 0.3]) * 2 * chosen.random()
        return chosen.choice(AWKWARD_RATES) if chosen.random() < 0.1 else typical ** (1 / rules["attempts"])

    causes = [CommonCause(str(number), rate() / 2, chosen.sample(nodes, n // 3)) for number in range(seed % 4)]
    own = {repo: rate() for repo in nodes}
    hard = (0.0, 0.4, {repo: rate() for repo in nodes})[seed % 3]
    return Case(plan, FailureModel(own, common_causes=causes, hard=hard), rules, 10**6 + seed)


def drawn_failures(case: Case, trial: int) -> tuple[str, ...]:
    """Who fails when tried: read from the draws by the definition of the model, by nothing of the engine."""
    struck = {
        repo
        for cause in case.model.common_causes
        if draws.happens(cause.probability, case.seed, "cause", cause.name, 0, trial)
        for repo in cause.repos
    }
    return tuple(repo for repo in case.plan.released if repo in struck or fails_by_itself(case, repo, trial))


def fails_by_itself(case: Case, repo: str, trial: int) -> bool:
    rate, hard = case.model.rate(repo), case.model.share_hard(repo)
    if not draws.happens(rate, case.seed, "repo", repo, 1, trial):
        return False
    if draws.happens(hard, case.seed, "hard", repo, 0, trial):
        return True
    flake = case.model.failing(repo).flaky
    later = range(2, case.rules["attempts"] + 1)
    return all(draws.happens(flake, case.seed, "repo", repo, attempt, trial) for attempt in later)


def counts(outcome: SequenceOutcome) -> tuple[int, int, int]:
    skipped = sum(cause in ("blocked", "stopped") for cause in outcome.skip_causes)
    return len(outcome.succeeded), len(outcome.failed), skipped


def ended(outcome: SequenceOutcome) -> list[tuple[str, Any, tuple[str, ...]]]:
    """How each item ended, reasons and attempts apart."""
    names = [status.name for status in outcome.statuses]
    return list(zip(names, outcome.skip_causes, outcome.blocked_by, strict=True))


def check(case: Case, trials: int, runs: int) -> None:
    simulations = [
        simulate(case.plan, case.model, trials, case.seed, engine=engine, **case.rules) for engine in ENGINES
    ]
    tables = [np.stack([found.n_succeeded, found.n_failed, found.n_skipped], axis=1).tolist() for found in simulations]
    by_repo = {repo: [0, 0, 0] for repo in case.plan.released}
    for i in range(trials):
        trial = simulations[0].trial(i)
        assert trial.failures == drawn_failures(case, i)
        rules = {name: case.rules[name] for name in ("policy", "failure_budget")}
        told = what_if(case.plan, fail=trial.failures, **rules)
        assert ended(trial.outcome) == ended(told)
        assert [list(counts(told))] * len(tables) == [table[i] for table in tables], f"trial {i}"
        if i < runs:
            check_run(case, i, trial.outcome)
        for item, (name, cause, _) in zip(case.plan.items, ended(told), strict=True):
            if cause != "unreleased":
                by_repo[item.repo_id][("succeeded", "failed", "skipped").index(name)] += 1
    for found in simulations:
        check_frames(found, by_repo, tables[0])


def check_run(case: Case, i: int, outcome: SequenceOutcome) -> None:
    ledger = MemoryRunLedger()
    run = run_plan(case.plan, SimulatedReleaser(case.model, rng=case.seed, trial=i), ledger=ledger, **case.rules)
    assert run.statuses == outcome.statuses  # reasons included
    assert run.skip_causes == outcome.skip_causes
    assert run.blocked_by == outcome.blocked_by
    assert run.attempts == outcome.attempts
    kept = items_frame(ledger)
    assert kept["status"].tolist() == [status.name for status in outcome.statuses]
    assert kept["attempts"].tolist() == list(outcome.attempts)


def check_frames(found: Simulation, by_repo: dict[str, list[int]], table: list[list[int]]) -> None:
    """The sums over trials are those of the outcomes."""
    frame = found.to_frame()[["p_succeeded", "p_failed", "p_skipped"]]
    assert frame.index.tolist() == list(by_repo)
    assert (frame * found.trials).round().astype(int).to_numpy().tolist() == list(by_repo.values())
    pairs, sizes = np.unique(np.array(table), axis=0, return_counts=True)
    assert found.counts.to_numpy().tolist() == np.column_stack([pairs, sizes]).tolist()


@settings(max_examples=40)
@given(case=cases(), trials=st.integers(1, 70))
def test_every_trial_is_a_run_of_the_rule_machine(case: Case, trials: int) -> None:
    check(case, trials, runs=2)


@pytest.mark.parametrize("seed", range(8))
def test_every_trial_of_larger_plans_is_a_run(seed: int) -> None:
    check(seeded(seed, 14), trials=400, runs=10)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 124))
def test_5000_trials_of_many_plans_are_runs(seed: int) -> None:
    check(seeded(seed, 4 + seed % 21), trials=5_000, runs=200)


def test_the_seeded_cases_cover_what_they_should() -> None:
    """Cases in which nothing or everything happens would prove little."""
    found = [simulate(*seeded(seed, 14)[:2], 700, seeded(seed, 14).seed, **seeded(seed, 14).rules) for seed in range(8)]
    assert {one.policy for one in found} == set(POLICIES)
    assert {one.failure_budget for one in found} == {None, 1, 2, 5}
    assert {one.attempts for one in found} == {1, 2, 3}
    assert {len(one.model.common_causes) for one in found} == {0, 1, 2, 3}
    assert any(one.plan.unreleased for one in found)
    assert min(len(one.counts) for one in found) > 3
    causes = {cause for one in found for i in range(40) for cause in one.trial(i).outcome.skip_causes}
    assert causes == {None, "blocked", "stopped", "unreleased"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("policy", POLICIES)
def test_trials_of_a_real_plan_are_runs(engine: Any, policy: Any) -> None:
    plan = build_plan(load_dataset("kf5").graph, version="5.100")
    model = FailureModel(default=0.02, common_causes=[CommonCause("mirror", 0.1, plan.released[40:])])
    found = simulate(plan, model, 20_000, rng=3, policy=policy, failure_budget=3, engine=engine)
    for i in [*range(40), *range(4090, 4100), *range(19_990, 20_000)]:
        told = what_if(plan, found.trial(i).failures, policy=policy, failure_budget=3)
        assert counts(told) == (found.n_succeeded[i], found.n_failed[i], found.n_skipped[i])


def test_a_run_with_the_model_as_releaser_is_the_trial_too() -> None:
    case = seeded(3, 14)
    found = simulate(case.plan, case.model, 10, case.seed, **case.rules)
    run = run_plan(case.plan, case.model, rng=found.seed, trial=7, **case.rules)
    assert run.statuses == found.trial(7).outcome.statuses
    assert run.seed == found.trial(7).outcome.seed == found.seed


def test_trials_are_told_by_their_number() -> None:
    found = simulate(seeded(0, 14).plan, 0.2, 100, rng=5)
    assert found.trial(np.int64(3)).failures == found.trial(3).failures
    assert found.trial(-1).failures == found.trial(99).failures
    assert found.trial(-100).failures == found.trial(0).failures
    for number in (100, -101):
        with pytest.raises(IndexError, match=f"i is {number}, expected a whole number from 0 to 99"):
            found.trial(number)
    for wrong in (True, 1.0, "1", None):
        with pytest.raises(TypeError, match=f"i is {wrong!r}, expected a whole number from 0 to 99"):
            found.trial(wrong)  # type: ignore[arg-type]


def first_bits(seed: int, repo: str, trial: int, digits: int) -> int:
    """The number that is drawn for the first attempt of a repo in one trial, to so many binary digits."""
    number, bit = divmod(trial, 64)
    drawn = (draws.word(seed, "repo", repo, 1, level, number) >> bit & 1 for level in range(1, digits + 1))
    return int("".join(map(str, drawn)), 2)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("digits", [9, 32, 53])
@pytest.mark.parametrize("above", [0, 1])
def test_draws_that_only_the_last_digit_decides(engine: Any, digits: int, above: int) -> None:
    """Each repo's rate is, to all its digits, the number drawn for it in one trial, or the next above it."""
    late = {f"repo-{i:03}": 61 * i for i in range(100)}
    rates = {repo: (first_bits(8, repo, trial, digits) + above) / 2**digits for repo, trial in late.items()}
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=list(late)), version="1")
    found = simulate(plan, rates, 6_100, rng=8, policy="continue", engine=engine)
    for repo, trial in late.items():
        failing = {other for other in late if draws.happens(rates[other], 8, "repo", other, 1, trial)}
        assert (repo in failing) == bool(above)
        assert found.n_failed[trial] == len(failing)
