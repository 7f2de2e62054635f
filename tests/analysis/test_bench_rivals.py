"""What the benchmarks compare with computes what we compute."""

import math
import random

import pytest

from seqkit import RepoDependencyGraph, analyze, build_plan
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import list_jobs
from tests.benchmarks import schedule_rivals
from tests.benchmarks.rivals import RIVALS

EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "f"), ("e", "f"), ("c", "g"), ("f", "h"), ("g", "h")]
TRIALS = 20_000


@pytest.mark.parametrize("p", [0.0, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_fails_and_skips_as_often_as_the_exact_analysis_says(name, p):
    plan = build_plan(RepoDependencyGraph.from_edges(EDGES, nodes=["alone"]), version="1")
    try:
        run = RIVALS[name](plan.arrays.dependencies)
    except ImportError as error:
        pytest.skip(str(error))
    counts = run(p, TRIALS, 7)
    exact = analyze(plan, p).to_frame()
    for counted, chance in (
        (counts.failed, exact["p_failed"]),
        (counts.lost, exact["p_failed"] + exact["p_skipped"]),
    ):
        assert len(counted) == len(chance)
        for seen, expected in zip(counted, chance, strict=True):
            error = math.sqrt(max(expected * (1 - expected), 0.0) / TRIALS)
            assert seen / TRIALS == pytest.approx(expected, rel=0, abs=5 * error + 1e-12)
    assert len(counts.per_trial) == TRIALS
    assert sum(counts.per_trial) == sum(counts.lost)


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_counts_each_trial_by_itself(name):
    analysis = analyze(build_plan(RepoDependencyGraph.from_edges(EDGES), version="1"), 0.3)
    try:
        run = RIVALS[name](analysis.plan.arrays.dependencies)
    except ImportError as error:
        pytest.skip(str(error))
    per_trial = run(0.3, TRIALS, 8).per_trial
    n = len(analysis.plan.released)
    for released, expected in analysis.distribution().items():
        error = math.sqrt(expected * (1 - expected) / TRIALS)
        assert per_trial.count(n - released) / TRIALS == pytest.approx(expected, rel=0, abs=5 * error + 1e-12)


IN_LANES = [(name, lanes) for name in schedule_rivals.RIVALS for lanes in (1, 3, 12)]
IN_LANES.remove(("SimPy processes", 3))  # at the start its lanes go to whoever asks first, whatever the priorities


@pytest.mark.parametrize(("name", "lanes"), IN_LANES)
def test_a_rival_of_schedules_ends_when_the_list_schedule_does(name, lanes):
    chance = random.Random(3)
    needs = [tuple(before for before in range(job) if chance.random() < 0.2) for job in range(12)]
    ticks = [chance.randint(1, 900) for _ in needs]
    train = schedule_rivals.Train(needs, [each + 0.5 for each in ticks], sigma=0.0, p=0.0, lanes=lanes)
    jobs = Jobs(tuple(range(12)), tuple(needs), tuple(ticks))
    assert schedule_rivals.RIVALS[name](train)(2, 1) == [list_jobs(jobs, range(12), lanes).makespan] * 2


@pytest.mark.parametrize("name", schedule_rivals.RIVALS)
def test_a_rival_of_schedules_frees_nobody_after_a_failure(name):
    train = schedule_rivals.Train([(), (0,), (1,)], [10.5, 10.5, 10.5], sigma=0.0, p=0.5, lanes=2)
    ends = schedule_rivals.RIVALS[name](train)(4_000, 1)
    assert set(ends) == {10, 20, 30}
    assert ends.count(10) == pytest.approx(2_000, abs=5 * math.sqrt(1_000))
