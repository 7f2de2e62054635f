"""Graham's nine jobs, as runs."""

from __future__ import annotations

import pytest

from seqkit import SimulatedReleaser, VirtualClock, run_plan
from seqkit.explore.graham import NineJobs, graham_nine


@pytest.mark.parametrize(
    ("nine", "lanes", "seconds"),
    [
        (graham_nine(), 3, 12),
        (graham_nine(), 4, 15),
        (graham_nine(shorter=True), 3, 13),
        (graham_nine(fewer=True), 3, 16),
    ],
)
def test_runs_of_the_nine_take_as_long_as_graham_says(nine: NineJobs, lanes: int, seconds: int) -> None:
    clock = VirtualClock()
    releaser = SimulatedReleaser(0.0, durations=nine.durations)
    run_plan(nine.plan, releaser, max_parallel=lanes, priority=nine.priority, clock=clock)
    assert clock.elapsed.total_seconds() == seconds
