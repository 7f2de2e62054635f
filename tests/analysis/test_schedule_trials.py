"""Trials of a schedule: the run, the engine and a SimPy model by callbacks tell the same, event for event."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

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
    build_plan,
    simulate,
)
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED
from seqkit.analysis.schedule.kernels import each_end
from seqkit.analysis.schedule.lanes import in_lanes
from seqkit.analysis.schedule.plain import run_trial
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.analysis.schedule.scheduling import schedule
from tests.tools.simpy_model import Rules, SimpyTrain, Told
from tests.tools.strategies import dags, subsets

IDS = st.sampled_from("abcdefgh")
TRIALS = 3  # of each case
STATUSES = {"NodeExited": RELEASED, "NodeFailed": FAILED, "": NOT_STARTED}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Trains with many ties, and some without any."""
    nodes, edges = draw(dags(8, IDS))
    released = draw(st.just(nodes) | subsets(nodes))
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    few = st.lists(st.integers(0, 4), min_size=1, max_size=3)
    some = {repo: draw(few) for repo in nodes}
    failed = draw(st.none() | st.integers(0, 3))
    spread = draw(st.booleans())
    rates = {repo: draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])) for repo in nodes}
    causes = []
    if nodes and draw(st.booleans()):
        causes = [CommonCause("outage", 0.5, draw(subsets(nodes)), draw(st.sampled_from([1.0, 0.5])))]
    own = st.dictionaries(st.sampled_from(nodes), st.integers(-2, 2), min_size=1) if nodes else st.just("plan")
    return {
        "plan": build_plan(graph, [(repo, "1") for repo in released], scope=draw(st.sampled_from(["path", "all"]))),
        "durations": DurationModel({repo: 1 + sum(some[repo]) for repo in nodes}, 0.5, failed=failed)
        if spread
        else DurationModel.from_samples(some, failed=failed),
        "model": FailureModel(rates, hard=draw(st.sampled_from([0.0, 0.0, 0.5])), common_causes=causes),
        "attempts": Retry(
            draw(st.integers(1, 3)),
            delay=draw(st.integers(0, 3)),
            backoff=draw(st.sampled_from([1.0, 2.0])),
            jitter=draw(st.sampled_from([0.0, 0.0, 0.5])),
            deadline=draw(st.sampled_from([None, None, 3.0, 6.0])),
        ),
        "max_parallel": draw(st.sampled_from([1, 2, 3, 8, None])),
        "priority": draw(st.sampled_from([None, "plan", "most_blocked", "longest_path", "search"]) | own),
        "policy": draw(st.sampled_from(["skip_dependents", "stop", "continue"])),
        "failure_budget": draw(st.sampled_from([None, None, 1, 2])),
        "min_interval": draw(st.sampled_from([0.0, 0.0, 1.0])),
        "calendar": [Freeze(*window) for window in draw(freezes())],
        "rng": draw(st.integers(0, 1000)),
    }


@st.composite
def freezes(draw: st.DrawFn) -> list[tuple[int, int, str, int]]:
    """Windows that overlap, or touch each other, or what ends: start, end, name and lead in seconds."""
    windows = []
    for at in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        begin = draw(st.integers(0, 9))
        windows.append((begin, begin + draw(st.integers(1, 4)), f"w{at}", draw(st.sampled_from([0, 0, 1, 2]))))
    return windows


def larger(seed: int) -> dict[str, Any]:
    """A train of more repos, in which many start and end at once."""
    chosen = random.Random(seed)
    nodes = chosen.sample("abcdefghijklmnop", chosen.randint(6, 14))
    pairs = [pair for pair in combinations(nodes, 2) if chosen.random() < 1.2 / len(nodes)]
    graph = RepoDependencyGraph.from_edges(pairs, nodes=nodes)
    times = {repo: [chosen.choice([0, 1, 1, 2, 3, 5]) for _ in range(2)] for repo in nodes}
    return {
        "plan": build_plan(graph, [(repo, "1") for repo in nodes if chosen.random() < 0.9]),
        "durations": DurationModel.from_samples(times, failed=chosen.choice([None, 0, 1])),
        "model": FailureModel({repo: chosen.choice([0.0, 0.2, 0.5]) for repo in nodes}),
        "attempts": Retry(chosen.randint(1, 3), delay=chosen.choice([0, 0, 1, 2]), backoff=chosen.choice([1, 2])),
        "max_parallel": chosen.choice([1, 2, 3, 4, None]),
        "priority": chosen.choice([None, "most_blocked", "search", {repo: chosen.random() for repo in nodes}]),
        "policy": chosen.choice(["skip_dependents", "skip_dependents", "stop", "continue"]),
        "failure_budget": chosen.choice([None, None, 2]),
        "min_interval": chosen.choice([0.0, 0.0, 0.0, 0.5]),
        "calendar": [
            Freeze(begin, begin + chosen.choice([0.5, 1, 3, 6]), lead=chosen.choice([0, 0, 1]))
            for begin in (chosen.randint(0, 12) for _ in range(chosen.choice([0, 1, 2, 4])))
        ],
        "rng": seed,
    }


def events_of(train: Schedule, trial: int) -> list[Told]:
    outcome = train.trial(trial).outcome
    run = outcome.ledger.get_run(outcome.run_id)
    return [
        (e.kind, e.payload["node_id"], round((e.timestamp - run.created_at).total_seconds() * 1000))
        for e in outcome.ledger.get_events(outcome.run_id)
    ]


def simpy_of(case: dict[str, Any], train: Schedule, trial: int) -> SimpyTrain:
    lanes, priority = case["max_parallel"], case["priority"]
    if priority == "search":
        priority = train.priorities
    rules = Rules(
        lanes=lanes,
        priority=priority if priority is not None else "plan" if lanes == 1 else "longest_path",
        retry=case["attempts"],
        policy=case["policy"],
        budget=case["failure_budget"],
        interval=round(case["min_interval"] * 1000),
        frozen=[
            tuple(round(time.total_seconds() * 1000) for time in (each.start - each.lead, each.end))
            for each in case["calendar"]
        ],
    )
    return SimpyTrain(train.plan, case["model"], case["durations"], rules, train.seed, trial)


def hold_together(case: dict[str, Any], trials: int = TRIALS) -> None:
    train = schedule(**case, trials=trials, engine="python", executor=1)
    ends = train.makespan().dt.total_seconds() * 1000
    (told,) = each_end("python", train._trials.posed.problem, 0, trials, 1, details=True)
    ids, details = train._trials.posed.problem.ids, told.details
    assert details is not None
    for trial in range(trials):
        model = simpy_of(case, train, trial)
        events = model.run()
        assert events_of(train, trial) == events
        assert round(ends[trial]) == model.end
        started = {repo: when for kind, repo, when in events if kind == "NodeEntered"}
        ended = {repo: (kind, when) for kind, repo, when in events if kind in ("NodeExited", "NodeFailed")}
        assert told.n_released[trial] == sum(kind == "NodeExited" for kind, _ in ended.values())
        for job, repo in enumerate(ids):
            assert details.start[trial, job] == started.get(repo, -1)
            kind, when = ended.get(repo, ("", -1))
            assert STATUSES[kind] == details.status[trial, job]
            assert details.finish[trial, job] == when
        assert in_lanes(train._trials.posed.problem, run_trial(train._trials.posed.problem, trial)) == model.worked


@pytest.mark.parametrize("first", [0, *[pytest.param(at, marks=pytest.mark.slow) for at in range(50, 600, 50)]])
def test_larger_trains_are_told_of_the_same(first: int) -> None:
    for seed in range(first, first + 50):
        hold_together(larger(seed))


@given(cases())
@settings(max_examples=30)
def test_run_engine_and_simpy_tell_the_same_event_for_event(case: dict[str, Any]) -> None:
    hold_together(case)


@pytest.mark.slow
@given(cases())
@settings(max_examples=2_000)
def test_run_engine_and_simpy_tell_the_same_of_many_trains(case: dict[str, Any]) -> None:
    hold_together(case)


@given(cases())
@settings(max_examples=30)
def test_who_fails_is_who_fails_in_the_simulation_where_lanes_do_not_matter(case: dict[str, Any]) -> None:
    case |= {"policy": "skip_dependents", "failure_budget": None, "attempts": case["attempts"].attempts}
    train = schedule(**case, trials=TRIALS, engine="python", executor=1)
    counted = simulate(case["plan"], case["model"], TRIALS, rng=case["rng"], attempts=case["attempts"], executor=1)
    for trial in range(TRIALS):
        mine, other = train.trial(trial), counted.trial(trial)
        assert mine.failures == other.failures
        assert mine.outcome.statuses == other.outcome.statuses
        assert counted.n_succeeded[trial] == len(mine.outcome.succeeded)
