"""Bounds on the end of schedules: never above what trying everything finds, and what each of them sees."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.analysis.schedule.bounds import (
    MOST_ENERGETIC,
    critical_path,
    energetic_bound,
    interval_bound,
    lower_bound,
    simple_bound,
    work_bound,
)
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import in_line, list_jobs
from tests.tools.brute import shortest
from tests.tools.task_graphs import METHODS, task_graph


def jobs_of(needs: list[tuple[int, ...]], ticks: list[int]) -> Jobs:
    return Jobs(tuple(range(len(ticks))), tuple(needs), tuple(ticks))


@st.composite
def some_jobs(draw: st.DrawFn, most: int) -> Jobs:
    """A need may be implied by others."""
    grain = draw(st.sampled_from([1, 1, 2]))
    ticks = [grain * some for some in draw(st.lists(st.integers(0, 5), max_size=most))]
    pairs = list(combinations(range(len(ticks)), 2))
    edges = draw(st.sets(st.sampled_from(pairs), max_size=10)) if pairs else set()
    needs = [tuple(sorted(before for before, after in edges if after == job)) for job in range(len(ticks))]
    return jobs_of(needs, ticks)


def check_all(jobs: Jobs, lanes: int | None, interval: int) -> None:
    best = shortest(jobs.needs, jobs.ticks, lanes, interval)
    found = lower_bound(jobs, lanes, interval)
    assert found <= best
    assert found >= simple_bound(jobs, lanes, interval) >= max(critical_path(jobs), interval_bound(jobs, interval))
    if lanes is None:
        assert found == best or interval, "without lanes and intervals the critical path is the answer"
        return
    assert work_bound(jobs, lanes) <= found
    assert critical_path(jobs) <= energetic_bound(jobs, lanes) <= found
    made = list_jobs(jobs, in_line(jobs), lanes, interval).makespan
    assert best <= made
    assert interval or made * lanes <= (2 * lanes - 1) * best, "Graham's guarantee"


@given(some_jobs(6), st.sampled_from([1, 2, 3, None]), st.sampled_from([0, 0, 1, 2, 3]))
@settings(max_examples=100)
def test_no_bound_is_above_the_best_that_there_is(jobs: Jobs, lanes: int | None, interval: int) -> None:
    check_all(jobs, lanes, interval)


@pytest.mark.slow
@given(some_jobs(8), st.sampled_from([2, 3]), st.sampled_from([0, 0, 0, 2]))
@settings(max_examples=400)
def test_no_bound_is_above_the_best_of_eight_jobs(jobs: Jobs, lanes: int, interval: int) -> None:
    check_all(jobs, lanes, interval)


@given(some_jobs(6), st.integers(1, 4))
@settings(max_examples=60)
def test_the_interval_bound_is_the_largest_over_all_sets_of_jobs(jobs: Jobs, interval: int) -> None:
    starts = list(zip(jobs.heads, [own + tail for own, tail in zip(jobs.ticks, jobs.tails, strict=True)], strict=True))
    largest = 0
    for k in range(1, len(jobs) + 1):
        for chosen in combinations(starts, k):
            heads, rests = zip(*chosen, strict=True)
            largest = max(largest, min(heads) + (k - 1) * interval + min(rests))
    assert interval_bound(jobs, interval) == largest


def required(jobs: Jobs, end: int, begin: int, stop: int) -> int:
    """What must be done from `begin` to `stop`, one job and one possible start after the other."""
    total = 0
    for head, own, tail in zip(jobs.heads, jobs.ticks, jobs.tails, strict=True):
        starts = range(head, end - tail - own + 1)
        total += min(max(0, min(start + own, stop) - max(start, begin)) for start in starts)
    return total


@given(some_jobs(6), st.integers(1, 3))
@settings(max_examples=60)
def test_the_energetic_bound_leaves_no_overfull_interval_that_begins_where_it_looks(jobs: Jobs, lanes: int) -> None:
    end = energetic_bound(jobs, lanes)
    rests = [own + tail for own, tail in zip(jobs.ticks, jobs.tails, strict=True)]
    for begin in {*jobs.heads, *(end - rest for rest in rests)}:
        for stop in range(begin, end + 1):
            assert required(jobs, end, begin, stop) <= lanes * (stop - begin)
    if end > critical_path(jobs):
        assert any(
            required(jobs, end - 1, begin, stop) > lanes * (stop - begin) for begin, stop in combinations(range(end), 2)
        ), "and ends where the last one was"


def test_what_each_bound_sees() -> None:
    row = jobs_of([(), (0,), (1,)], [2, 3, 4])
    assert (critical_path(row), work_bound(row, 2), lower_bound(row, 2)) == (9, 5, 9)
    wide = jobs_of([()] * 5, [2] * 5)
    assert (critical_path(wide), work_bound(wide, 2), lower_bound(wide, 2)) == (2, 5, 6), "twos make no five"
    fork = jobs_of([(), (0,), (0,), (0,), (0,)], [5, 3, 3, 3, 3])
    assert (critical_path(fork), work_bound(fork, 2)) == (8, 9)
    assert energetic_bound(fork, 2) == shortest(fork.needs, fork.ticks, 2) == 11, "the second lane is idle until 5"
    assert interval_bound(wide, 10) == 42
    assert lower_bound(wide, None, 10) == 42
    late = jobs_of([(), (0,), (0,), (0,)], [5, 1, 1, 4])
    assert interval_bound(late, 4) == 14, "three start at 5 at the earliest, the last of them at 13"
    minutes = jobs_of([()] * 3, [60] * 3)
    assert (work_bound(minutes, 2), simple_bound(minutes, 2), simple_bound(minutes, 2, 7)) == (90, 120, 90)
    nothing = jobs_of([], [])
    assert lower_bound(nothing, 3, 5) == energetic_bound(nothing, 3) == 0


def test_above_its_size_the_energetic_bound_is_left_out() -> None:
    for n in (MOST_ENERGETIC, MOST_ENERGETIC + 1):
        fork = jobs_of([(), *[(0,)] * (n - 1)], [5, *[3] * (n - 1)])
        assert energetic_bound(fork, 2) == 5 + -(-3 * (n - 1) // 2)
        assert (lower_bound(fork, 2) == energetic_bound(fork, 2)) == (n <= MOST_ENERGETIC)
        assert lower_bound(fork, 2) >= simple_bound(fork, 2)


@pytest.mark.parametrize("method", METHODS)
def test_larger_graphs_are_bounded_below_every_schedule(method: str) -> None:
    chance = np.random.default_rng(1)
    for seed, lanes in enumerate([2, 3, 8]):
        needs, ticks = task_graph(method, 60, seed, 0.1 if method.endswith("prob") else 3)  # type: ignore[arg-type]
        jobs = jobs_of(needs, ticks)
        bound = lower_bound(jobs, lanes)
        lines = [chance.permutation(60).tolist() for _ in range(20)]
        assert bound <= min(list_jobs(jobs, line, lanes).makespan for line in lines)
