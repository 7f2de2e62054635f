"""List schedules: the runs that they foretell, event for event."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, SequencePlan, SimulatedReleaser, VirtualClock, build_plan, run_plan
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import Listing, list_schedule
from seqkit.running.lanes import ranks_of
from tests.tools.strategies import ancestors, dags, subsets

IDS = st.sampled_from("abcdefgh")
PRIORITIES = ["plan", "most_blocked", "longest_path"]


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    nodes, edges = draw(dags(8, IDS))
    released = draw(st.just(nodes) | subsets(nodes))
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    own = st.dictionaries(st.sampled_from(nodes), st.integers(-2, 2)) if nodes else st.just({})
    return {
        "plan": build_plan(graph, [(repo, "1") for repo in released], scope=draw(st.sampled_from(["path", "all"]))),
        "seconds": {repo: draw(st.integers(0, 4)) for repo in nodes},
        "lanes": draw(st.sampled_from([1, 2, 3, 8, None])),
        "priority": draw(st.sampled_from(PRIORITIES) | own),
        "interval": draw(st.sampled_from([0, 0, 1, 3])),
    }


def foretold(plan: SequencePlan, listing: Listing) -> list[tuple[str, str, float]]:
    told = []
    for event in listing.events:
        at = event if event >= 0 else ~event
        kind, when = ("NodeEntered", listing.starts[at]) if event >= 0 else ("NodeExited", listing.finishes[at])
        assert when is not None
        told.append((kind, plan.arrays.ids[at], float(when)))
    return told


def ran(plan: SequencePlan, seconds: dict[str, int], **options: Any) -> list[tuple[str, str, float]]:
    clock = VirtualClock()
    began = clock()
    releaser = SimulatedReleaser(0.0, durations=seconds)
    outcome = run_plan(plan, releaser, clock=clock, durations=seconds, **options)
    events = outcome.ledger.get_events(outcome.run_id)
    return [(e.kind, e.payload["node_id"], (e.timestamp - began).total_seconds()) for e in events]


def check(plan: SequencePlan, seconds: dict[str, int], lanes: int | None, priority: Any, interval: int) -> None:
    arrays = plan.arrays
    if isinstance(priority, dict):
        priority = {repo: value for repo, value in priority.items() if repo in arrays.position}
    ranks = ranks_of(priority, arrays, {repo: float(value) for repo, value in seconds.items()})
    listing = list_schedule(arrays, [seconds[repo] for repo in arrays.ids], lanes, ranks, interval)
    run = ran(plan, seconds, max_parallel=lanes, priority=priority, min_interval=float(interval))
    assert foretold(plan, listing) == run
    assert listing.makespan == max([when for _, _, when in run], default=0)
    busy: set[int] = set()
    for event in listing.events:
        lane = listing.lanes[event if event >= 0 else ~event]
        assert lane is not None
        if event >= 0:
            assert lane == min(set(range(len(arrays.ids))) - busy), "the lowest that is free"
            busy.add(lane)
        else:
            busy.remove(lane)
        assert lanes is None or len(busy) <= lanes
    for told in (listing.starts, listing.finishes, listing.lanes):
        assert [value is not None for value in told] == list(arrays.released)


@given(cases())
@settings(max_examples=150)
def test_a_list_schedule_is_the_run_event_for_event(case: dict[str, Any]) -> None:
    check(**case)


@pytest.mark.slow
def test_a_thousand_larger_schedules_are_the_runs() -> None:
    for seed in range(1_000):
        chance = random.Random(seed)
        nodes = [f"r{number}" for number in range(chance.randint(1, 40))]
        edges = [pair for pair in combinations(nodes, 2) if chance.random() < 0.12]
        released = [(repo, "1") for repo in nodes if chance.random() < 0.9]
        check(
            build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), released),
            {repo: chance.choice([0, 1, 2, 5, 9]) for repo in nodes},
            chance.choice([1, 2, 3, 5, 8, None]),
            chance.choice([*PRIORITIES, {repo: chance.randint(0, 3) for repo in nodes}]),
            chance.choice([0, 0, 0, 1, 4]),
        )


@given(cases())
@settings(max_examples=60)
def test_jobs_wait_for_the_released_above_them_and_for_nothing_twice(case: dict[str, Any]) -> None:
    plan = case["plan"]
    arrays = plan.arrays
    jobs = Jobs.of(arrays, [case["seconds"][repo] for repo in arrays.ids])
    ids = [arrays.ids[at] for at in jobs.positions]
    assert ids == plan.released
    above = ancestors(arrays.ids, plan.edges)
    linked = ancestors(ids, {(ids[other], ids[job]) for job, needs in enumerate(jobs.needs) for other in needs})
    assert linked == {repo: above[repo] & set(ids) for repo in ids}
    for needs in jobs.needs:
        assert not any(ids[one] in linked[ids[other]] for one in needs for other in needs), "none implies another"
    back = jobs.reversed()
    assert back.heads == jobs.tails[::-1]
    assert back.tails == jobs.heads[::-1]
    assert back.reversed() == jobs


def test_wrong_arguments_are_named() -> None:
    arrays = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1").arrays
    for options, message in (
        ({"ticks": [1]}, "ticks has 1 entry, expected one for each of 2 items"),
        ({"ticks": [1, -1]}, r"ticks\[1\] is -1, expected a whole number from 0"),
        ({"lanes": 0}, "lanes is 0, expected a whole number from 1"),
        ({"ranks": [1.0]}, "ranks has 1 entry, expected none or one for each of 2 items"),
        ({"min_interval": -1}, "min_interval is -1, expected a whole number from 0"),
    ):
        with pytest.raises(ValueError, match=message):
            list_schedule(arrays, **{"ticks": [1, 1], **options})
    with pytest.raises(TypeError, match=r"ticks\[0\] is 1\.5, expected a whole number"):
        list_schedule(arrays, [1.5, 1])  # type: ignore[list-item]
