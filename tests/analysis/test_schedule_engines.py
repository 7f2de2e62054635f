"""The engines of schedules: an executed run, plain Python, numpy and numba tell one story, to the tick."""

from __future__ import annotations

import itertools
import pickle
import random
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    CommonCause,
    DurationModel,
    FailureModel,
    Freeze,
    RepoDependencyGraph,
    Retry,
    ScriptedReleaser,
    SequencePlan,
    SimulatedReleaser,
    VirtualClock,
    build_plan,
    delayed,
    run_plan,
    simulate,
)
from seqkit.analysis.schedule import closed, drawing, plain
from seqkit.analysis.schedule.compiled import closed as compiled_closed
from seqkit.analysis.schedule.compiled import loop as compiled_loop
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, Ends, joined
from seqkit.analysis.schedule.problem import ScheduleProblem, pose
from seqkit.core.calendar import Windows
from seqkit.core.durations import as_durations
from seqkit.core.failures import as_model
from seqkit.core.retry import retry_of
from seqkit.core.terms import Terms
from seqkit.running.lanes import ranks_of
from tests.tools.strategies import dags, subsets

IDS = st.sampled_from("abcdefgh")
LANES = st.sampled_from([1, 1, 2, 3, 8, None])
TRIALS = st.sampled_from([0, 1, 31, 32, 63, 64, 5_000, (1 << 32) + 5])


def posed(
    plan: SequencePlan,
    durations: Any = 1,
    model: Any = 0.0,
    attempts: Any = 1,
    seed: int = 7,
    max_parallel: int | None = None,
    priority: Any = None,
    policy: Any = "skip_dependents",
    failure_budget: int | None = None,
    min_interval: float = 0.0,
    windows: Any = (),
) -> ScheduleProblem:
    """Read what :func:`seqkit.run_plan` takes."""
    takes = as_durations(durations)
    first = priority or ("plan" if max_parallel == 1 else "longest_path")
    return pose(
        plan,
        takes,
        as_model(model),
        Terms(policy, failure_budget, attempts),
        retry_of(attempts),
        seed,
        max_parallel,
        ranks_of(first, plan.arrays, takes.means(plan.released)),
        min_interval,
        windows,
    )


def compiled(problem: ScheduleProblem, *more: Any) -> Ends:
    return (compiled_closed if problem.closed else compiled_loop).run(problem, *more)


def uncompiled(problem: ScheduleProblem, *more: Any) -> Ends:
    return (closed if problem.closed else plain).run(problem, *more)


ENGINES = [compiled, uncompiled]
EACH = [pytest.param(compiled, marks=pytest.mark.slow), uncompiled]  # for what it compiles


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in edges], nodes=list(nodes)), version="1")


@st.composite
def durations(draw: st.DrawFn, nodes: list[str]) -> DurationModel:
    """Times with many ties and without: whole seconds, milliseconds, spread ones, past ones."""
    unit = draw(st.sampled_from([1, 0.001, 60.037]))
    medians = {repo: draw(st.integers(0, 4)) * unit for repo in nodes}
    failed = draw(st.sampled_from([None, None, 1, DurationModel(dict.fromkeys(nodes[:1], 2), sigma=0.3)]))
    if draw(st.integers(0, 4)) == 0:
        return DurationModel.from_samples(
            {repo: draw(st.lists(st.integers(0, 5), min_size=1, max_size=4)) for repo in nodes}, failed=failed
        )
    some = st.fixed_dictionaries({repo: st.sampled_from([0.0, 1.2]) for repo in nodes})
    sigma = draw(st.sampled_from([0.0, 0.0, 0.5]) | some)
    return DurationModel(medians, sigma=sigma, failed=failed)


@st.composite
def models(draw: st.DrawFn, nodes: list[str]) -> FailureModel:
    rates = {repo: draw(st.sampled_from([0.0, 0.0, 0.1, 0.5, 0.9, 1.0])) for repo in nodes}
    likely, severity = st.sampled_from([0.3, 1.0]), st.sampled_from([1.0, 0.5])
    causes = [
        CommonCause(f"c{number}", draw(likely), draw(subsets(nodes)), draw(severity))
        for number in range(draw(st.sampled_from([0, 0, 1, 2])))
    ]
    hard = draw(st.sampled_from([0.0, 0.5, 1.0]) | st.just(dict.fromkeys(nodes[:1], 0.7)))
    return FailureModel(rates, common_causes=causes, hard=hard)


@st.composite
def schedules(draw: st.DrawFn, lanes: Any = LANES) -> dict[str, Any]:
    nodes, edges = draw(dags(8, IDS).filter(lambda dag: dag[0]))
    released = draw(st.just(nodes) | subsets(nodes))
    retry = Retry(
        draw(st.integers(1, 4)),
        delay=draw(st.sampled_from([0, 0, 1, 0.5])),
        backoff=draw(st.sampled_from([1.0, 2.0])),
        jitter=draw(st.sampled_from([0.0, 0.0, 0.3])),
        max_delay=draw(st.sampled_from([None, 3])),
        deadline=draw(st.sampled_from([None, None, 6.0, 3])),
    )
    numbers = st.fixed_dictionaries({repo: st.integers(0, 3) for repo in nodes})
    return {
        "plan": build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), [(repo, "1") for repo in released]),
        "durations": draw(durations(nodes)),
        "model": draw(models(nodes)),
        "attempts": retry,
        "seed": draw(st.integers(0, 1000)),
        "max_parallel": draw(lanes),
        "priority": draw(st.sampled_from([None, "plan", "most_blocked", "longest_path"]) | numbers),
        "policy": draw(st.sampled_from(["skip_dependents", "skip_dependents", "stop", "continue"])),
        "failure_budget": draw(st.sampled_from([None, None, None, 1, 2])),
        "min_interval": draw(st.sampled_from([0.0, 0.0, 0.0, 1.0, 0.25, 0.001])),
        "windows": draw(st.just(()) | windows()),
    }


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """Windows in ticks, apart from each other."""
    moments = sorted(draw(st.sets(st.integers(0, 30), min_size=2, max_size=6)))
    unit = draw(st.sampled_from([500, 1000]))
    return tuple((begin * unit, end * unit) for begin, end in zip(moments[::2], moments[1::2], strict=False))


def content(ends: Ends) -> dict[str, Any]:
    told = {field.name: getattr(ends, field.name) for field in fields(ends) if field.name != "details"}
    if ends.details is not None:
        told |= {f"details.{field.name}": getattr(ends.details, field.name) for field in fields(ends.details)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in told.items()}


# ---------------------------------------------------------------------- an executed run


def executed(case: dict[str, Any], trial: int) -> tuple[dict[str, tuple[int, int, int]], int]:
    """Run a plan on a virtual clock: start, finish and status of each repo by its ledger, and when the last ended."""
    options = {name: case[name] for name in ("max_parallel", "priority", "policy", "failure_budget", "min_interval")}
    releaser = SimulatedReleaser(case["model"], rng=case["seed"], trial=trial, durations=case["durations"])
    clock, tick = VirtualClock(), timedelta(milliseconds=1)
    outcome = run_plan(
        case["plan"],
        releaser,
        rng=case["seed"],
        trial=trial,
        attempts=case["attempts"],
        durations=case["durations"],
        calendar=[Freeze(clock() + begin * tick, clock() + end * tick) for begin, end in case["windows"]],
        clock=clock,
        **options,
    )
    assert outcome.ledger is not None
    assert outcome.run_id is not None
    began = outcome.ledger.get_run(outcome.run_id).created_at
    start, finish, end = {}, dict[str, tuple[int, int]](), 0
    for event in outcome.ledger.get_events(outcome.run_id):
        repo, at = event.payload["node_id"], round((event.timestamp - began).total_seconds() * 1000)
        if event.kind == "NodeEntered":
            start[repo] = at
        elif event.kind in ("NodeExited", "NodeFailed"):
            finish[repo], end = (at, RELEASED if event.kind == "NodeExited" else FAILED), at
    return {repo: (start.get(repo, -1), *finish.get(repo, (-1, NOT_STARTED))) for repo in case["plan"].released}, end


def check_against_a_run(case: dict[str, Any], trial: int) -> None:
    problem = posed(**case)
    run = plain.run_trial(problem, trial)
    found = dict(zip(problem.ids, zip(run.start, run.finish, run.status, strict=True), strict=True))
    assert (found, run.end) == executed(case, trial)


def check_engines(case: dict[str, Any], first: int, trials: int) -> None:
    problem = posed(**case)
    expected = plain.run(problem, first, trials, criticality=True, details=True)
    others = [closed.run(problem, first, trials, True, True)] if problem.closed else []
    others.append(compiled(problem, first, trials, True, True))
    for other in others:
        assert content(other) == content(expected)
    bare = compiled(problem, first, trials)  # another compiled loop
    assert content(replace(bare, critical=expected.critical)) == content(replace(expected, details=None))


@given(schedules(), TRIALS)
@settings(max_examples=120)
def test_a_trial_is_an_executed_run_event_for_event(case: dict[str, Any], trial: int) -> None:
    check_against_a_run(case, trial)


@pytest.mark.slow
@given(schedules(), TRIALS)
@settings(max_examples=2_000)
def test_many_trials_are_executed_runs_event_for_event(case: dict[str, Any], trial: int) -> None:
    check_against_a_run(case, trial)


@pytest.mark.slow  # for what it compiles
@given(schedules(), TRIALS, st.sampled_from([1, 5, 40]))
@settings(max_examples=60)
def test_all_engines_come_to_the_same_integers(case: dict[str, Any], first: int, trials: int) -> None:
    check_engines(case, first, trials)


@pytest.mark.slow  # for what it compiles
@given(schedules(st.none()), TRIALS, st.sampled_from([1, 5, 70]))
@settings(max_examples=60)
def test_the_closed_form_is_what_the_loop_comes_to(case: dict[str, Any], first: int, trials: int) -> None:
    case.update(failure_budget=None, min_interval=0.0)
    case["policy"] = case["policy"].replace("stop", "continue")
    assert posed(**case).closed
    check_engines(case, first, trials)


@pytest.mark.slow
@given(schedules(), TRIALS, st.sampled_from([1, 5, 70, 200]))
@settings(max_examples=2_000)
def test_all_engines_come_to_the_same_integers_often(case: dict[str, Any], first: int, trials: int) -> None:
    check_engines(case, first, trials)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 3, None])
def test_a_million_trials_are_the_same_bit_for_bit(lanes: int | None) -> None:
    problem = posed(**hard_case(max_parallel=lanes, min_interval=0.0, failure_budget=None))
    for first in range(0, 1_000_000, 50_000):
        expected = (closed if problem.closed else plain).run(problem, first, 50_000, criticality=True)
        assert content(compiled(problem, first, 50_000, True)) == content(expected)


# ---------------------------------------------------------------------- blocks, chunks, threads


def hard_case(**more: Any) -> dict[str, Any]:
    """Whatever there is, at once: twelve repos, failures of all kinds, retries with jitter, an interval, a budget."""
    chance = random.Random(3)
    nodes = "abcdefghijkl"
    edges = [(a, b) for a in nodes for b in nodes if a < b and chance.random() < 0.2]
    causes = [CommonCause("outage", 0.1, nodes[:4]), CommonCause("slow", 0.3, nodes[3:8], severity=0.4)]
    case = {
        "plan": build_plan(RepoDependencyGraph.from_edges(edges, nodes=list(nodes)), version="1"),
        "durations": DurationModel(
            {repo: chance.randint(1, 300) for repo in nodes[:9]},
            sigma=dict.fromkeys(nodes[:6], 0.5),
            failed={"a": 20},
            samples={repo: [chance.randint(0, 90) for _ in range(7)] for repo in nodes[9:]},
        ),
        "model": FailureModel(default=0.1, common_causes=causes, hard=0.3),
        "attempts": Retry(3, delay=20, backoff=2.0, jitter=0.3, deadline=600),
        "max_parallel": 3,
        "min_interval": 1.0,
        "failure_budget": 4,
    }
    return case | more


@pytest.mark.parametrize("run", EACH)
@pytest.mark.parametrize("lanes", [3, None])
def test_blocks_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch, run: Any, lanes: int | None) -> None:
    more = {} if lanes else {"min_interval": 0.0, "failure_budget": None}
    problem = posed(**hard_case(max_parallel=lanes, **more))
    begin, end = (1 << 32) - 150, (1 << 32) + 170  # the keys of draws change on the way
    whole = content(run(problem, begin, end - begin, True, True))
    monkeypatch.setattr(plain, "_BLOCK", 1)
    monkeypatch.setattr(closed, "_BLOCK", 1)
    monkeypatch.setattr(plain, "_AHEAD", 2)
    assert content(run(problem, begin, end - begin, True, True)) == whole
    edges = [begin, begin + 1, begin + 65, begin + 230, end]
    parts = [run(problem, first, last - first, True, True) for first, last in itertools.pairwise(edges)]
    assert content(joined(parts)) == whole


def test_a_problem_may_be_sent_to_another_process() -> None:
    problem = posed(**hard_case())
    sent = pickle.loads(pickle.dumps(problem))
    assert content(uncompiled(sent, 5, 40, True)) == content(uncompiled(problem, 5, 40, True))


def test_more_jobs_than_can_be_packed_are_followed_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = posed(plan_of("ab", nodes="cdef"), max_parallel=2)
    expected = content(compiled(problem, 0, 9, True))
    monkeypatch.setattr(compiled_loop, "_MOST_QUEUED", 5)
    assert content(compiled(problem, 0, 9, True)) == expected


def test_a_queue_of_thousands_is_the_same_queue() -> None:
    """Over 4,096 jobs a bit of the summary stands for several words."""
    chance = random.Random(1)
    nodes = [f"r{number:04}" for number in range(4_500)]
    edges = {(nodes[chance.randrange(at)], nodes[at]) for at in range(1, 4_500) for _ in range(2)}
    plan = build_plan(RepoDependencyGraph.from_edges(sorted(edges)), version="1")
    problem = posed(plan, DurationModel(60, sigma=0.4), 0.01, max_parallel=40)
    assert content(compiled(problem, 0, 2, True, True)) == content(plain.run(problem, 0, 2, True, True))


# ---------------------------------------------------------------------- what it says, by hand


def test_ends_come_first_in_plan_order_then_starts_by_priority() -> None:
    case = {"plan": plan_of("ad", "bd", nodes="ce"), "durations": {"a": 2, "b": 2, "c": 1, "d": 4, "e": 3}}
    run = plain.run_trial(posed(**case, max_parallel=2, priority={"d": 9}), 0)
    assert dict(zip("abced", run.start, strict=True)) == {"a": 0, "b": 0, "d": 2_000, "c": 2_000, "e": 3_000}
    assert run.end == 6_000


def test_grahams_anomaly_is_kept() -> None:
    """Nine jobs on three lanes: a fourth lane makes them longer (Graham 1969)."""
    takes = dict(zip("123456789", [3, 2, 2, 2, 4, 4, 4, 4, 9], strict=True))
    plan = plan_of("19", "45", "46", "47", "48", nodes="23")
    line = {repo: -number for number, repo in enumerate("123456789")}
    assert [plain.run_trial(posed(plan, takes, max_parallel=lanes, priority=line), 0).end for lanes in (3, 4)] == [
        12_000,
        15_000,
    ]


def critical_of(problem: ScheduleProblem) -> tuple[str, str]:
    """Who is critical by all that let it start, and by dependencies alone, in trial 0."""
    (marks,) = compiled(problem, 0, 1, True, True).details.critical.tolist()  # type: ignore[union-attr]
    return tuple("".join(sorted(r for r, mark in zip(problem.ids, marks, strict=True) if mark & bit)) for bit in (1, 2))  # type: ignore[return-value]


def test_who_waits_for_a_lane_makes_whoever_held_it_critical() -> None:
    plan, takes = plan_of("ab", nodes="cd"), {"a": 5, "b": 1, "c": 3, "d": 4}
    assert critical_of(posed(plan, takes, max_parallel=2, priority="plan")) == ("cd", "d")
    assert critical_of(posed(plan, takes)) == ("ab", "ab")
    assert critical_of(posed(plan, takes, max_parallel=1)) == ("abcd", "ab")


def test_who_waits_for_the_interval_makes_nobody_critical() -> None:
    plan = plan_of(nodes="abc")
    assert critical_of(posed(plan, {"a": 1, "b": 1, "c": 5}, min_interval=2.0, priority="plan")) == ("c", "c")
    assert critical_of(posed(plan_of("ab", nodes="c"), {"a": 4, "b": 9, "c": 1}, min_interval=6.0)) == ("b", "ab")


@given(schedules(), st.sampled_from([0, 70]))
@settings(max_examples=60)
def test_times_of_critical_jobs_add_up_to_the_end(case: dict[str, Any], first: int) -> None:
    """Without retries and interval nothing else takes time on the chain."""
    case.update(attempts=1, min_interval=0.0, windows=())
    problem = posed(**case)
    ends = compiled(problem, first, 20, True, True)
    assert ends.details is not None
    took = np.where(ends.details.start < 0, 0, ends.details.finish - ends.details.start)
    for bit, least in ((1, True), (2, False)):
        critical = (ends.details.critical & bit) > 0
        assert ends.critical[bit - 1].tolist() == critical.sum(axis=0).tolist()
        chain = (took * critical).sum(axis=1)
        assert (chain == ends.end).all() if least else (chain <= ends.end).all()


@pytest.mark.parametrize("run", EACH)
@pytest.mark.parametrize("lanes", [1, 3, None])
def test_what_is_released_is_what_simulate_counts(run: Any, lanes: int | None) -> None:
    case = hard_case(max_parallel=lanes, min_interval=0.0, failure_budget=None)
    case["attempts"] = replace(case["attempts"], deadline=None)
    ends = run(posed(**case), 0, 3_000)
    counted = simulate(case["plan"], case["model"], trials=3_000, rng=7, attempts=3)
    assert ends.n_released.tolist() == counted.n_succeeded.tolist()


def test_drawn_attempts_are_those_of_the_models() -> None:
    case = hard_case()
    problem = posed(**case)
    trials = np.array([0, 1, 63, 64, 4_000, (1 << 32) + 9, (1 << 38) - 1])
    for job, repo in enumerate(problem.ids):
        for attempt in (1, 2, 3):
            if attempt > 1:
                drawn = drawing.later_attempts(problem, job, attempt, trials)
                waits = drawing.waits_after(problem, job, attempt - 1, trials) / 1000
                assert waits.tolist() == [case["attempts"].wait(repo, attempt - 1, 7, int(trial)) for trial in trials]
            else:
                drawn = np.array([drawing.first_attempts(problem, int(trial), 1)[job, 0] for trial in trials])
            for told, trial in zip(drawn.tolist(), trials.tolist(), strict=True):
                failed = case["model"].reason(repo, attempt, 7, trial) is not None
                ticks = case["durations"].draw(repo, attempt, 7, trial, failed)
                assert told == (-1 - ticks if failed else ticks)


@pytest.mark.parametrize("run", EACH)
@pytest.mark.parametrize("lanes", [1, 2, None])
def test_a_run_of_thousands_of_years_is_refused(run: Any, lanes: int | None) -> None:
    chain = build_plan(RepoDependencyGraph.from_edges([(f"{at:03}", f"{at + 1:03}") for at in range(30)]), version="1")
    with pytest.raises(ValueError, match="make a run of over 2,231 years, expected shorter ones"):
        run(posed(chain, 3e9, max_parallel=lanes), 0, 3)


def test_what_cannot_be_posed_is_told() -> None:
    plan = plan_of("ab", "bc")
    with pytest.raises(ValueError, match="durations has none for 'c'"):
        posed(plan, {"a": 1, "b": 1})
    with pytest.raises(ValueError, match="attempts is 20000, expected at most 10000"):
        posed(plan, 1, 1.0, attempts=20_000)
    assert posed(plan, 1, 0.5, attempts=20_000).attempts < 200  # later ones are never needed


@pytest.mark.slow
def test_nothing_to_release_takes_no_time() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), [])
    for run in ENGINES:
        for lanes in (1, 2, None):
            ends = run(posed(plan, max_parallel=lanes), 0, 3, True, True)
            assert (ends.end.tolist(), ends.n_released.tolist()) == ([0, 0, 0], [0, 0, 0])


# ---------------------------------------------------------------------- releasers and clocks


def test_a_delayed_releaser_draws_by_the_seed_of_the_one_below() -> None:
    plan, takes = plan_of("ab", nodes="c"), DurationModel(60, sigma=0.5)
    ends = []
    for releaser in (
        SimulatedReleaser(0.0, rng=7, trial=3, durations=takes),
        delayed(SimulatedReleaser(0.0, rng=7, trial=3), takes),
        delayed(0.0, takes, rng=7, trial=3),
    ):
        clock = VirtualClock()
        run_plan(plan, releaser, max_parallel=2, clock=clock)
        ends.append(clock.elapsed)
    assert len(set(ends)) == 1
    assert ends[0].total_seconds() * 1000 == plain.run_trial(posed(plan, takes, max_parallel=2), 3).end


def test_virtual_times_that_are_equal_meet() -> None:
    """0.1 s and 0.2 s end with 0.3 s, at one instant: so in plan order."""
    takes = {"a": 0.1, "z": 0.0, "b": 0.2, "c": 0.3}
    outcome = run_plan(plan_of("ab", "zc"), delayed(ScriptedReleaser(), takes), max_parallel=3, clock=VirtualClock())
    assert outcome.ledger is not None
    ends = [event for event in outcome.ledger.get_events(outcome.run_id or "") if event.kind == "NodeExited"]
    assert [event.payload["node_id"] for event in ends] == ["z", "a", "b", "c"]
    assert ends[2].timestamp == ends[3].timestamp
