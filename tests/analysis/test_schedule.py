"""Schedules: every number against all that can happen in small trains; edges, errors, executors, coverage."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqkit import DurationModel, RepoDependencyGraph, Retry, SequencePlan, build_plan
from seqkit._util.progress import Bar
from seqkit.analysis.schedule.curve import lanes_curve
from seqkit.analysis.schedule.lanes import in_lanes
from seqkit.analysis.schedule.loop import TrialRun, follow
from seqkit.analysis.schedule.problem import ScheduleProblem
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.analysis.schedule.scheduling import schedule
from seqkit.analysis.schedule.tracing import critical_jobs
from seqkit.core.failures import as_model
from tests.tools.simpy_model import Rules, SimpyTrain

SURE = 4.5  # standard errors: one comparison in 150,000 fails by chance, and the seeds are fixed


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in edges], nodes=list(nodes)), version="1")


# ---------------------------------------------------------------------- all that can happen


@dataclass(frozen=True)
class Way:
    """One of the ways that a train can go."""

    p: float
    run: TrialRun
    critical: tuple[frozenset[int], frozenset[int]]
    shorter: dict[str, int]
    """By repo: the end, had that repo taken half of its time."""


@dataclass(frozen=True, eq=False)
class Small:
    """A small train: two times for each repo, each as likely, and attempts that fail with one probability."""

    plan: SequencePlan
    times: dict[str, tuple[int, int]]
    rate: float
    options: dict[str, Any]

    @property
    def durations(self) -> DurationModel:
        return DurationModel.from_samples(self.times)

    @functools.cache  # noqa: B019  # few, and as long as the tests last
    def schedule(self, trials: int, **more: Any) -> Schedule:
        return schedule(
            self.plan, self.durations, model=self.rate, rng=7, trials=trials, engine="python", executor=1,
            **self.options | more,
        )  # fmt: skip

    def ways(self, problem: ScheduleProblem, halved: bool = False) -> list[Way]:
        """Go through all that can happen at each job, attempt by attempt, and follow each by the plain loop."""
        each = [list(self._at(repo, problem.attempts)) for repo in problem.ids]
        found = []
        for happens in itertools.product(*each):
            told = [attempts for _, attempts in happens]
            run = _followed(problem, told, "")
            shorter = {repo: _followed(problem, told, repo).end for repo in problem.ids} if halved else {}
            by_all, by_dependencies = critical_jobs(problem, run)
            critical = frozenset(by_all), frozenset(by_dependencies)
            found.append(Way(math.prod(p for p, _ in happens), run, critical, shorter))
        return found

    def _at(self, repo: str, attempts: int) -> Iterator[tuple[float, tuple[int, ...]]]:
        for time in self.times[repo]:
            yield (1 - self.rate) / 2, (1000 * time,)
            if self.rate and attempts > 1:
                for p, rest in self._at(repo, attempts - 1):
                    yield self.rate / 2 * p, (-1 - 1000 * time, *rest)
            elif self.rate:
                yield self.rate / 2, (-1 - 1000 * time,)


def _followed(problem: ScheduleProblem, told: Sequence[Sequence[int]], halved: str) -> TrialRun:
    rows = [
        [_half(ticks) for ticks in row] if repo == halved else row for repo, row in zip(problem.ids, told, strict=True)
    ]
    waits = (problem.waits * 1000).astype(int).tolist()
    return follow(problem, [row[0] for row in rows], lambda job, number: (waits[number - 2], rows[job][number - 1]))


def _half(ticks: int) -> int:
    return ticks // 2 if ticks >= 0 else -1 - (-1 - ticks) // 2


DIAMOND = plan_of("ab", "ac", "bd", "cd", nodes="e")
SMALL = {
    "two lanes, nothing fails": Small(
        DIAMOND, {"a": (2, 4), "b": (1, 8), "c": (3, 5), "d": (2, 3), "e": (4, 9)}, 0.0, {"max_parallel": 2}
    ),
    "no limit, failures and a budget": Small(
        DIAMOND, {"a": (2, 4), "b": (1, 8), "c": (3, 5), "d": (2, 3), "e": (4, 9)}, 0.4, {"failure_budget": 2}
    ),
    "no limit, closed": Small(
        plan_of("ab", "bc", "ac", nodes="d"), {"a": (2, 4), "b": (1, 6), "c": (3, 5), "d": (4, 16)}, 0.5, {}
    ),
    "one lane, failures that are gone over": Small(
        plan_of("ab", "cb", "bd"), {"a": (0, 4), "b": (1, 8), "c": (3, 5), "d": (2, 2)}, 0.5,
        {"max_parallel": 1, "policy": "continue"},
    ),
    "three lanes, retries and an interval": Small(
        plan_of("ac", nodes="b"), {"a": (2, 4), "b": (1, 8), "c": (3, 5)}, 0.5,
        {"max_parallel": 3, "attempts": Retry(2, delay=2), "min_interval": 1.0},
    ),
    "two lanes, retries that queue": Small(
        plan_of("ac", nodes="b"), {"a": (2, 4), "b": (1, 8), "c": (3, 5)}, 0.5,
        {"max_parallel": 2, "attempts": Retry(2, delay=1), "priority": {"c": 1, "b": 2}},
    ),
}  # fmt: skip

each_small = pytest.mark.parametrize("name", SMALL)
each_count = pytest.mark.parametrize("trials", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])


def expected(ways: Sequence[Way], of: Callable[[Way], float]) -> tuple[float, float]:
    """Give mean and standard deviation over all ways."""
    p, values = np.array([way.p for way in ways]), np.array([of(way) for way in ways], float)
    mean = float(p @ values)
    return mean, math.sqrt(max(0.0, float(p @ (values - mean) ** 2)))


def close(found: float, ways: Sequence[Way], of: Callable[[Way], float], trials: int) -> None:
    mean, sd = expected(ways, of)
    assert abs(found - mean) <= SURE * sd / math.sqrt(trials) + 1e-6 * (1 + abs(mean)), (found, mean, sd)


def is_quantile(found: float, q: float, ways: Sequence[Way], of: Callable[[Way], float], trials: int) -> None:
    """Hold a quantile against the law: as little lies below it, and as much at it, as chance allows."""
    slack = SURE * math.sqrt(q * (1 - q) / trials)
    below = sum(way.p for way in ways if of(way) < found - 1e-9)
    at = sum(way.p for way in ways if of(way) <= found + 1e-9)
    whole = sum(way.p for way in ways)
    assert below / whole <= q + slack
    assert at / whole >= q - slack
    assert any(abs(of(way) - found) < 1e-9 for way in ways)


def is_complete(way: Way) -> bool:
    return all(status == 1 for status in way.run.status)


def seconds(time: Any) -> float:
    return float(time / pd.Timedelta(seconds=1))


@pytest.fixture(scope="module")
def all_ways() -> Callable[[str], list[Way]]:
    known: dict[str, list[Way]] = {}

    def of(name: str) -> list[Way]:
        if name not in known:
            known[name] = SMALL[name].ways(SMALL[name].schedule(1)._trials.posed.problem, halved=True)
            assert sum(way.p for way in known[name]) == pytest.approx(1)
        return known[name]

    return of


@each_small
@each_count
def test_what_is_said_of_the_end_is_what_all_ways_come_to(name: str, trials: int, all_ways: Any) -> None:
    small, ways = SMALL[name], all_ways(name)
    train = small.schedule(trials)
    for complete in (False, True):
        some = [way for way in ways if is_complete(way)] if complete else ways
        whole = sum(way.p for way in some)
        some = [Way(way.p / whole, way.run, way.critical, {}) for way in some]
        n = len(train.makespan(complete))
        mean: Any = train.mean(complete)
        close(seconds(mean) * 1000, some, lambda way: way.run.end, n)
        exact = expected(some, lambda way: way.run.end)[1] / math.sqrt(n)
        assert seconds(mean.se) * 1000 == pytest.approx(exact, rel=0.15)
        assert mean.low < mean < mean.high
        for q in (0.1, 0.5, 0.8, 0.9, 0.95):
            told: Any = train.quantile(q, complete)
            is_quantile(seconds(told) * 1000, q, some, lambda way: way.run.end, n)
            assert told.low <= told <= told.high
    n = len(train.plan.released)
    close(float(train.p_complete), ways, is_complete, trials)
    for t in (3, 8, 13.0, 21):
        for share in (0.25, 0.7, 1.0):
            found = train.p_done_by(t, share)

            def done(way: Way, t: float = t, share: float = share) -> bool:
                out = [
                    end <= 1000 * t for end, status in zip(way.run.finish, way.run.status, strict=True) if status == 1
                ]
                return sum(out) >= share * n

            close(float(found), ways, done, trials)
            p = expected(ways, done)[0]
            assert found.se == pytest.approx(math.sqrt(p * (1 - p) / trials), abs=0.15 / math.sqrt(trials))


@each_small
def test_the_plan_date_is_the_end_at_the_means(name: str, all_ways: Any) -> None:
    small, ways = SMALL[name], all_ways(name)
    train = small.schedule(2_000)
    lanes = small.options.get("max_parallel")
    rules = Rules(
        lanes,
        train.priorities,
        interval=1000 if "min_interval" in small.options else 0,
    )
    means = DurationModel({repo: sum(times) / 2 for repo, times in small.times.items()})
    at_means = SimpyTrain(small.plan, as_model(0.0), means, rules, 0, 0)
    at_means.run()
    assert seconds(train.plan_date) * 1000 == at_means.end
    close(float(train.p_plan_date), ways, lambda way: is_complete(way) and way.run.end <= at_means.end, 2_000)
    assert train.lower_bound <= train.plan_date
    assert train.gap == pytest.approx(seconds(train.plan_date) / seconds(train.lower_bound) - 1)


@each_small
@each_count
def test_what_is_said_of_each_repo_is_what_all_ways_come_to(name: str, trials: int, all_ways: Any) -> None:
    small, ways = SMALL[name], all_ways(name)
    train = small.schedule(trials)
    frame, problem = train.to_frame(), train._trials.posed.problem
    assert list(frame.index) == list(train.plan.released)
    for job, repo in enumerate(problem.ids):
        row = frame.loc[repo]
        mean = sum(small.times[repo]) / 2
        assert seconds(row["mean_duration"]) == mean
        for what, is_known in (
            ("start", lambda way: way.run.start[job] >= 0),
            ("finish", lambda way: way.run.status[job] == 1),
        ):
            known = [way for way in ways if is_known(way)]
            n = round(trials * sum(way.p for way in known))
            for level in (10, 50, 90):
                found = seconds(row[f"{what}_p{level}"]) * 1000
                is_quantile(found, level / 100, known, lambda way: getattr(way.run, what)[job], 0.9 * n)
        close(row["p_released"], ways, lambda way: way.run.status[job] == 1, trials)
        means = {repo: sum(times) / 2 for repo, times in small.times.items()}
        assert seconds(row["slack"]) == slack(small.plan, means)[repo]
        close(row["criticality"], ways, lambda way: job in way.critical[0], trials)
        close(row["criticality_by_dependencies"], ways, lambda way: job in way.critical[1], trials)
        p = expected(ways, lambda way: job in way.critical[0])[0]
        assert row["se_criticality"] == pytest.approx(math.sqrt(p * (1 - p) / trials), abs=0.15 / math.sqrt(trials))
        for measure, of in MEASURES.items():
            exact, sd = by_the_delta_method(small.plan, problem, ways, job, of)
            assert abs(row[measure] - exact) <= SURE * sd / math.sqrt(trials) + 1e-6, (
                measure,
                repo,
                row[measure],
                exact,
            )


def slack(plan: SequencePlan, took: dict[str, float]) -> dict[str, float]:
    """Give by how much the longest of all paths is longer than the longest through each repo; path by path."""
    below = {repo: [b for a, b in plan.edges if a == repo] for repo in took}

    def paths(repo: str) -> Iterator[list[str]]:
        yield [repo]
        for other in below[repo]:
            for path in paths(other):
                yield [repo, *path]

    found = [path for repo in took for path in paths(repo)]
    longest = {repo: max(sum(took[other] for other in path) for path in found if repo in path) for repo in took}
    return {repo: max(longest.values()) - longest[repo] for repo in took}


# Of the means of d, d², d·M, M, M², whether it is critical, and d / (d + slack) · M.
MEASURES: dict[str, Callable[[Any], float]] = {
    "si": lambda v: v[6] / v[3],
    "ssi": lambda v: v[5] * math.sqrt(max(0.0, (v[1] - v[0] ** 2) / (v[4] - v[3] ** 2))),
    "cruciality": lambda v: (
        (v[2] - v[0] * v[3]) / math.sqrt((v[1] - v[0] ** 2) * (v[4] - v[3] ** 2)) if v[1] - v[0] ** 2 > 1e-9 else 0.0
    ),
}


def by_the_delta_method(
    plan: SequencePlan, problem: ScheduleProblem, ways: Sequence[Way], job: int, of: Callable[[Any], float]
) -> tuple[float, float]:
    """Give a function of means over all ways, and the standard deviation of its estimate for a single trial."""
    p, rows = np.array([way.p for way in ways]), []
    for way in ways:
        run = way.run
        took = {
            repo: (end - start) / 1000 if status else 0.0
            for repo, start, end, status in zip(problem.ids, run.start, run.finish, run.status, strict=True)
        }
        d, end = took[problem.ids[job]], run.end / 1000
        through = d / (d + slack(plan, took)[problem.ids[job]]) * end if d else 0.0
        rows.append((d, d * d, d * end, end, end * end, job in way.critical[0], through))
    values = np.array(rows, float)
    means = p @ values
    covariance = (values - means).T @ ((values - means) * p[:, None])
    step = np.eye(len(means)) * 1e-5
    gradient = np.array([(of(means + each) - of(means - each)) / 2e-5 for each in step])
    return of(means), math.sqrt(max(0.0, float(gradient @ covariance @ gradient)))


@each_small
@each_count
def test_critical_paths_and_lanes_are_those_of_all_ways(name: str, trials: int, all_ways: Any) -> None:
    small, ways = SMALL[name], all_ways(name)
    train = small.schedule(trials)
    problem = train._trials.posed.problem
    chains: Counter[tuple[str, ...]] = Counter()
    path_by = {id(way): path_of(problem, way) for way in ways}
    for way in ways:
        chains[path_by[id(way)]] += way.p  # type: ignore[assignment]  # a share
    frame = train.critical_paths(most=100)
    assert frame["trials"].sum() == trials
    assert frame["trials"].is_monotonic_decreasing
    assert {*map(tuple, frame["path"])} <= {*chains}
    for path, told in frame.groupby(frame["path"].map(tuple)):
        share = told["share"].iloc[0]
        close(share, ways, lambda way: path_by[id(way)] == path, trials)
        assert share == told["trials"].iloc[0] / trials
        p = chains[path]
        assert told["se"].iloc[0] == pytest.approx(math.sqrt(p * (1 - p) / trials), abs=0.15 / math.sqrt(trials))
    assert len(train.critical_paths(1)) == 1
    lanes = train.lanes()
    worked = {id(way): in_lanes(problem, way.run) for way in ways}
    for lane, row in lanes.iterrows():
        mine = {key: [took for at, took in told if at == lane] for key, told in worked.items()}
        close(row["releases"], ways, lambda way: len(mine[id(way)]), min(trials, 1_000))
        busy = lambda way: sum(mine[id(way)]) / way.run.end if way.run.end else 0.0  # noqa: E731
        close(row["busy"], ways, busy, min(trials, 1_000))


def path_of(problem: ScheduleProblem, way: Way) -> tuple[str, ...]:
    return tuple(problem.ids[job] for job in sorted(way.critical[0], key=lambda job: (way.run.start[job], job)))


@each_small
@each_count
def test_gains_are_those_of_all_ways(name: str, trials: int, all_ways: Any) -> None:
    small, ways = SMALL[name], all_ways(name)
    frame = small.schedule(trials).gains(faster=0.5)
    assert frame["gain"].is_monotonic_decreasing
    for repo, row in frame.iterrows():
        saved = lambda way: way.run.end - way.shorter[repo]  # noqa: E731
        close(seconds(row["gain"]) * 1000, ways, saved, trials)
        sd = expected(ways, saved)[1]
        assert seconds(row["se"]) * 1000 == pytest.approx(sd / math.sqrt(trials), rel=0.15, abs=1e-3)


def test_gains_show_how_far_they_are_where_they_take_long(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    train = SMALL["two lanes, nothing fails"].schedule(8)
    calm = train.gains()
    assert capfd.readouterr() == ("", "")
    asked: dict[str, Any] = {}

    class Impatient(Bar):
        def __init__(self, *args: Any, **options: Any) -> None:
            asked.update(options)
            super().__init__(*args, **{**options, "delay": 0, "mininterval": 0})

    monkeypatch.setattr("seqkit._util.progress.Bar", Impatient)
    pd.testing.assert_frame_equal(train.gains(), calm)
    assert asked["delay"] == 1
    assert "gains: 100%" in capfd.readouterr().err


@each_count
@pytest.mark.parametrize("name", ["two lanes, nothing fails", "two lanes, retries that queue"])
@pytest.mark.filterwarnings("ignore::seqkit.analysis.schedule.curve.ScheduleAnomaly")
def test_the_curve_of_lanes_is_that_of_all_ways(name: str, trials: int) -> None:
    small = SMALL[name]
    options = {key: value for key, value in small.options.items() if key != "max_parallel"} | {"model": small.rate}
    frame = lanes_curve(small.plan, small.durations, [3, 1, 2], rng=7, trials=trials, engine="python", **options)
    assert list(frame.index) == [1, 2, 3]
    for lanes, row in frame.iterrows():
        train = small.schedule(trials, max_parallel=lanes)
        ways = small.ways(train._trials.posed.problem)
        close(seconds(row["mean"]) * 1000, ways, lambda way: way.run.end, trials)
        sd = expected(ways, lambda way: way.run.end)[1]
        assert seconds(row["se_mean"]) * 1000 == pytest.approx(sd / math.sqrt(trials), rel=0.15)
        for q in (50, 90):
            is_quantile(seconds(row[f"p{q}"]) * 1000, q / 100, ways, lambda way: way.run.end, trials)
        assert row["plan_date"] == train.plan_date
        assert row["lower_bound"] == train.lower_bound
        assert row["gap"] == train.gap
        work = sum(sum(times) / 2 for times in small.times.values())
        assert row["efficiency"] == pytest.approx(work / (lanes * seconds(train.plan_date)))  # type: ignore[operator]
    means = frame["mean"]
    assert frame.index[frame["knee"]].tolist() == [int(np.flatnonzero(means <= 1.05 * means.min())[0]) + 1]
