"""What a run costs grows as the plan does: counted in calls and in objects, which no busy machine changes."""

from __future__ import annotations

import gc
import itertools
import random
import sys
from typing import Any

import pytest

from seqkit import RepoDependencyGraph, SequencePlan, SimulatedReleaser, VirtualClock, build_plan, run_plan

MUCH = 1.15  # times as many calls a repo, in a plan four times as large


def plan_of(shape: str, n: int) -> SequencePlan:
    chance = random.Random(n)
    names = [f"repo-{number:04d}" for number in range(n)]
    edges = {
        "wide": [],
        "deep": list(itertools.pairwise(names)),
        "random": [(names[chance.randrange(max(0, k - 200), k)], names[k]) for k in range(1, n) for _ in range(2)],
    }[shape]
    return build_plan(RepoDependencyGraph.from_edges(edges, nodes=names), version="1")


def calls_of_a_run(plan: SequencePlan, rate: float, durations: bool, how: dict[str, Any]) -> float:
    """Run the plan on a clock that jumps; give the calls a repo, Python's own functions included."""
    seconds = {repo: 1 + place * 0.37 % 97 for place, repo in enumerate(plan.released)} if durations else None
    releaser = SimulatedReleaser(rate, rng=7, durations=seconds)
    counted = [0]

    def count(*_: object) -> None:
        counted[0] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        outcome = run_plan(plan, releaser, clock=VirtualClock(), **how)
    finally:
        sys.setprofile(before)
    assert all(status.name != "pending" for status in outcome.statuses)
    return counted[0] / len(plan.items)


@pytest.mark.parametrize("small", [200, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("shape", "rate", "durations", "how"),
    [
        ("wide", 0.0, True, {"max_parallel": None, "timeout": 1e6}),
        ("wide", 0.0, True, {"max_parallel": None, "timeout": 50.0, "grace": 1.0}),  # many time out at once
        ("deep", 0.0, True, {"max_parallel": None, "timeout": 1e6}),
        ("random", 0.0, True, {"max_parallel": None, "timeout": 1e6}),
        ("random", 0.0, True, {"max_parallel": 64}),
        ("wide", 0.5, False, {"max_parallel": 64, "attempts": 4, "retry_delay": 1e6}),  # many wait to be tried again
        ("wide", 0.5, False, {"max_parallel": None, "attempts": 4, "retry_delay": 60.0, "min_interval": 1.0}),
        ("deep", 0.0, False, {}),
    ],
    ids=str,
)
def test_a_run_of_four_times_as_many_repos_takes_four_times_as_many_calls(
    small: int, shape: str, rate: float, durations: bool, how: dict[str, Any]
) -> None:
    few = calls_of_a_run(plan_of(shape, small), rate, durations, how)
    many = calls_of_a_run(plan_of(shape, 4 * small), rate, durations, how)
    assert many <= MUCH * few, f"{many:.0f} calls a repo in the large plan, {few:.0f} in the small one"


def test_of_each_release_three_objects_are_kept_for_the_garbage_collector_to_go_through() -> None:
    plan = plan_of("wide", 1_000)
    run_plan(plan, 0.0, rng=7)  # whatever is made once
    gc.collect()
    before = len(gc.get_objects())
    outcome = run_plan(plan, 0.0, rng=7)
    gc.collect()
    kept = len(gc.get_objects()) - before
    assert outcome.succeeded
    assert kept <= 3.2 * len(plan.items)  # two events and a status
