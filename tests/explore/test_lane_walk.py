"""Nine jobs in lanes, moment by moment: held against runs of them, and what is told against what stands there."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from seqkit import RepoNotFound, SimulatedReleaser, VirtualClock, items_frame, run_plan
from seqkit.explore.graham import graham_nine
from seqkit.explore.lane_walk import LaneWalk

CASES = list(product(range(1, 10), (False, True), (False, True)))


@pytest.mark.parametrize(("lanes", "shorter", "fewer"), CASES)
def test_every_moment_is_that_of_the_run(lanes: int, shorter: bool, fewer: bool) -> None:
    walk, nine = LaneWalk(lanes, shorter, fewer), graham_nine(shorter, fewer)
    clock = VirtualClock()
    releaser = SimulatedReleaser(0.0, durations=nine.durations)
    outcome = run_plan(nine.plan, releaser, max_parallel=lanes, priority=nine.priority, clock=clock)
    items = items_frame(outcome.ledger).set_index("repo_id")
    first = items["started_at"].min()
    starts, ends = (
        ((items[name] - first).dt.total_seconds().astype(int)).to_dict() for name in ("started_at", "finished_at")
    )
    assert walk.makespan == max(ends.values()) == clock.elapsed.total_seconds()
    assert walk.moments == tuple(sorted({0, *ends.values()}))
    for position, now in enumerate(walk.moments):
        walk.to(position)
        running = {job for job in ends if starts[job] <= now < ends[job]}
        assert walk.now == now
        assert {job for job, word in walk.words.items() if word == "succeeded"} == {
            job for job in ends if ends[job] <= now
        }
        assert (
            set(walk.running.values()) == running == {job for job, word in walk.words.items() if word == "in_progress"}
        )
        assert not walk.ready or len(running) == lanes  # nobody waits where a lane is free
        seen = {job: (start, end) for row in walk.in_lanes for job, start, end in row}
        assert seen == {job: (starts[job], ends[job]) for job in ends if starts[job] <= now}
        for row in walk.in_lanes:
            assert all(end <= start for (_, _, end), (_, start, _) in pairwise(row))
    assert all(walk.moments[walk.moment_of(job)] == starts[job] for job in starts)


def test_more_lanes_shorter_jobs_and_fewer_dependencies_are_later() -> None:
    assert LaneWalk().verdict == "Everything has ended at 12."
    for walk, end in ((LaneWalk(4), 15), (LaneWalk(shorter=True), 13), (LaneWalk(fewer=True), 16)):
        assert (
            walk.verdict == f"Everything has ended at {end}: later than at 12, as on three lanes with nothing changed."
        )
    assert "sooner" in LaneWalk(9, shorter=True, fewer=True).verdict


def test_who_waits_and_which_lane_is_idle_is_told() -> None:
    walk = LaneWalk(2)
    assert walk.story == "At 0: T1, T2 start. T3, T4 could start, and wait for a lane."
    walk = LaneWalk(4)
    walk.to(len(walk))
    assert walk.story == f"At 15: T9 ends. {walk.verdict}"
    walk.to(len(walk) - 1)
    assert walk.story == "At 7: T8 ends. Nobody else may start yet, so 3 lanes are idle."


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="lanes is 0"):
        LaneWalk(0)
    with pytest.raises(ValueError, match="position is 99"):
        LaneWalk().to(99)
    with pytest.raises(RepoNotFound):
        LaneWalk().moment_of("T10")
