"""What the benchmarks compare with computes what we compute."""

import math

import pytest

from seqkit import RepoDependencyGraph, analyze, build_plan
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
