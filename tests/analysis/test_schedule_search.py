"""Searched priorities: the same for the same seed, never worse than those with a name, and runs that go exactly so."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, SimulatedReleaser, VirtualClock, build_plan, run_plan
from seqkit.analysis.schedule.bounds import lower_bound
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import list_jobs, list_schedule
from seqkit.analysis.schedule.search import Found, evaluations_for, search
from seqkit.core.arrays import PlanArrays
from seqkit.running.lanes import PRIORITIES, ranks_of
from tests.tools.brute import shortest
from tests.tools.strategies import dags, subsets
from tests.tools.task_graphs import METHODS, Method, task_plan


def makespan(arrays: PlanArrays, ticks: list[int], lanes: int | None, priority: Any, interval: int = 0) -> int:
    seconds = {repo: float(taken) for repo, taken in zip(arrays.ids, ticks, strict=True)}
    return list_schedule(arrays, ticks, lanes, ranks_of(priority, arrays, seconds), interval).makespan


@st.composite
def cases(draw: st.DrawFn, most: int) -> dict[str, Any]:
    nodes, edges = draw(dags(most, st.sampled_from("abcdefgh")))
    released = draw(st.just(nodes) | subsets(nodes))
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), [(repo, "1") for repo in released])
    return {
        "plan": plan,
        "ticks": [draw(st.integers(0, 6)) for _ in plan.items],
        "lanes": draw(st.sampled_from([1, 2, 3, None])),
        "interval": draw(st.sampled_from([0, 0, 0, 2])),
    }


@given(cases(8), st.integers(1, 30), st.integers(0, 3))
@settings(max_examples=60)
def test_a_run_with_the_priorities_goes_as_was_found(case: dict[str, Any], evaluations: int, seed: int) -> None:
    plan, ticks, lanes, interval = case["plan"], case["ticks"], case["lanes"], case["interval"]
    arrays = plan.arrays
    found = search(arrays, ticks, lanes, interval, seed, evaluations)
    assert sorted(found.priorities) == sorted(plan.released)
    assert sorted(found.priorities.values()) == list(range(1, len(plan.released) + 1))
    assert makespan(arrays, ticks, lanes, found.priorities, interval) == found.makespan
    assert found.lower_bound == lower_bound(Jobs.of(arrays, ticks), lanes, interval) or (
        found.makespan == found.lower_bound
    )
    assert found.lower_bound <= found.makespan
    assert found.evaluations <= evaluations
    if evaluations >= len(PRIORITIES):
        assert found.makespan <= min(makespan(arrays, ticks, lanes, name, interval) for name in PRIORITIES)
    clock = VirtualClock()
    releaser = SimulatedReleaser(0.0, durations=dict(zip(arrays.ids, ticks, strict=True)))
    run_plan(plan, releaser, clock=clock, max_parallel=lanes, priority=found.priorities, min_interval=float(interval))
    assert clock.elapsed.total_seconds() == found.makespan


@given(cases(6))
@settings(max_examples=25)
def test_of_few_repos_the_best_line_is_found(case: dict[str, Any]) -> None:
    arrays, ticks, lanes, interval = case["plan"].arrays, case["ticks"], case["lanes"], case["interval"]
    jobs = Jobs.of(arrays, ticks)
    best = min(list_jobs(jobs, line, lanes, interval).makespan for line in permutations(range(len(jobs))))
    assert search(arrays, ticks, lanes, interval).makespan == best


def found_in(method: Method, graph: int, lanes: int, **options: Any) -> tuple[Found, int]:
    plan, takes = task_plan(method, 40, graph, 0.1 if method.endswith("prob") else 3, "two peaks")
    ticks = [takes[repo] for repo in plan.arrays.ids]
    return search(plan.arrays, ticks, lanes, **options), makespan(plan.arrays, ticks, lanes, "longest_path")


def test_the_search_ends_sooner_than_the_longest_path_first() -> None:
    gains = {method: [longest - found.makespan for found, longest in _all(method)] for method in METHODS}
    assert all(min(row) >= 0 for row in gains.values())
    assert sum(gain > 0 for row in gains.values() for gain in row) >= 12, gains


def _all(method: Method) -> list[tuple[Found, int]]:
    return [found_in(method, graph, lanes, evaluations=60) for graph in range(3) for lanes in (2, 4, 8)]


def test_the_same_seed_finds_the_same_and_more_evaluations_nothing_worse() -> None:
    ends = []
    for evaluations in (1, 10, 100, 400):
        found, _ = found_in("layrpred", 0, 8, evaluations=evaluations, seed=5)
        assert found == found_in("layrpred", 0, 8, evaluations=evaluations, seed=5)[0]
        assert found.evaluations == evaluations or found.makespan == found.lower_bound
        ends.append(found.makespan)
    assert ends == sorted(ends, reverse=True)


def test_what_meets_the_bound_ends_the_search() -> None:
    arrays = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1").arrays
    assert search(arrays, [3, 1, 2], 2) == Found({"a": 3, "b": 2, "c": 1}, 6, 6, 1)
    nothing = build_plan(RepoDependencyGraph(), []).arrays
    assert search(nothing, [], 2) == Found({}, 0, 0, 1)
    plan, takes = task_plan("sameprob", 400, 1, 0.01)
    found = search(plan.arrays, [takes[repo] for repo in plan.arrays.ids])
    assert (found.evaluations, found.makespan) == (1, found.lower_bound), "without lanes"


def test_a_lane_that_would_have_to_stand_idle_on_purpose_is_beyond_priorities() -> None:
    edges = [("core", "api"), ("core", "docs"), ("api", "site"), ("docs", "site")]
    arrays = build_plan(RepoDependencyGraph.from_edges(edges, nodes=["alone"]), version="1").arrays
    takes = {"alone": 4, "core": 1, "api": 2, "docs": 3, "site": 2}
    ticks = [takes[repo] for repo in arrays.ids]
    jobs = Jobs.of(arrays, ticks)
    assert shortest(jobs.needs, jobs.ticks, 2) == 7, "the second lane waits for core, and alone for api"
    assert min(list_jobs(jobs, line, 2).makespan for line in permutations(range(5))) == 8
    found = search(arrays, ticks, 2)
    assert (found.makespan, found.lower_bound) == (8, 7)


def test_how_many_evaluations_a_search_may_take() -> None:
    assert [evaluations_for(n) for n in (0, 1, 60, 61, 300, 1500, 100_000)] == [1000, 1000, 1000, 983, 200, 40, 40]
    arrays = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1").arrays
    with pytest.raises(ValueError, match="evaluations is 0, expected a whole number from 1"):
        search(arrays, [1, 1], evaluations=0)
    with pytest.raises(ValueError, match="lanes is 0, expected a whole number from 1"):
        search(arrays, [1, 1], 0)
