"""Schedules and runs with freeze windows: held against all that can happen, against other starts, and against runs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqkit import (
    DurationModel,
    Freeze,
    MemoryRunLedger,
    RepoDependencyGraph,
    Retry,
    SimulatedReleaser,
    VirtualClock,
    build_plan,
    eta,
    lanes_curve,
    resume_plan,
    run_plan,
    schedule,
)
from seqkit.analysis.schedule.bounds import lower_bound
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.analysis.schedule.listing import list_jobs
from seqkit.core.calendar import Windows, next_open
from seqkit.core.model import RunMetadata, spec_digest_of
from seqkit.running.clock import Pace
from tests.analysis.test_schedule_trials import larger, simpy_of

MONDAY = datetime(2026, 5, 4, 9, tzinfo=UTC)
CHAIN = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")], nodes=["d"]), version="1")


def some_windows(chosen: random.Random, last: int) -> Windows:
    moments = sorted(chosen.sample(range(last), 2 * chosen.randint(1, 2)))
    return tuple(zip(moments[::2], moments[1::2], strict=True))


# ---------------------------------------------------------------------- all that can happen


def test_every_number_is_that_of_all_that_can_happen() -> None:
    """A chain of three, and a repo beside it: each takes one of two times, and the first may fail twice."""
    times, windows = {"a": (2, 5), "b": (3, 4), "c": (1, 6), "d": (4, 9)}, ((3, 7), (9, 12))
    takes = DurationModel.from_samples(times)
    trials = 20_000
    train = schedule(
        CHAIN,
        takes,
        model={"a": 0.5},
        attempts=2,
        calendar=[Freeze(begin, end) for begin, end in windows],
        rng=5,
        trials=trials,
        executor=1,
    )
    weight = 0.0
    exact = {(at, name): 0.0 for at in (0, 1) for name in ("p_done", "p_under_way", "released")}
    cut = {(at, repo): 0.0 for at in (0, 1) for repo in "abcd"}
    for first, second, *others in itertools.product(*[times[repo] for repo in "aabcd"]):
        for fails in (0, 1, 2):
            p = {0: 0.5, 1: 0.25, 2: 0.25}[fails] / 2**5
            weight += p
            start, end = {"a": 0, "d": 0}, {"a": first, "d": others[2]}
            if fails:
                end["a"] = next_open(windows, first) + second
            if fails < 2:
                for before, repo, took in (("a", "b", others[0]), ("b", "c", others[1])):
                    start[repo] = next_open(windows, end[before])
                    end[repo] = start[repo] + took
            released = [repo for repo in end if repo != "a" or fails < 2]
            for at, (begin, _) in enumerate(windows):
                out = {repo for repo in released if end[repo] <= begin}
                exact[at, "p_done"] += p * (len(out) == 4)
                exact[at, "p_under_way"] += p * any(start[repo] < begin < end[repo] for repo in end)
                exact[at, "released"] += p * len(out)
                for repo, need in (("a", None), ("b", "a"), ("c", "b"), ("d", None)):
                    cut[at, repo] += p * (repo not in out and (need is None or need in out))
    assert weight == pytest.approx(1.0)
    frame = train.freezes()
    for (at, name), p in exact.items():
        assert frame.loc[at, name] == pytest.approx(p, abs=5 * frame.loc[at, f"se_{name}"] + 1e-9)
    assert (frame["left"] + frame["released"] == 4).all()
    for (at, repo), p in cut.items():
        row = train.cut(at).loc[repo]
        assert row["p_first_left"] == pytest.approx(p, abs=5 * row["se_p_first_left"] + 1e-9)


@pytest.mark.parametrize("seed", range(1_000, 1_020))
def test_frames_are_what_a_second_model_s_events_come_to(seed: int) -> None:
    case = larger(seed)
    train = schedule(**case, trials=6, engine="python", executor=1)
    frame, n = train.freezes(), len(train.plan.released)
    arrays = train.plan.arrays
    waves = dict(zip(arrays.ids, arrays.waves, strict=True))
    for at, freeze in enumerate(case["calendar"]):
        begin = round(freeze.start.total_seconds() * 1000)
        done, under_way, out_of, by_repo, first = 0, 0, 0, dict.fromkeys(train.plan.released, 0), []
        for trial in range(6):
            events = simpy_of(case, train, trial).run()
            out = {repo for kind, repo, when in events if kind == "NodeExited" and when <= begin}
            entered = {repo for kind, repo, when in events if kind == "NodeEntered" and when < begin}
            over = {repo for kind, repo, when in events if kind in ("NodeExited", "NodeFailed") and when <= begin}
            done, under_way, out_of = done + (len(out) == n), under_way + bool(entered - over), out_of + len(out)
            for repo in out:
                by_repo[repo] += 1
            first += [min(waves[repo] for repo in by_repo if repo not in out)] if len(out) < n else []
        assert (frame.loc[at, "p_done"], frame.loc[at, "p_under_way"]) == (done / 6, under_way / 6)
        assert frame.loc[at, "released"] == pytest.approx(out_of / 6)
        most = frame.loc[at, "cut_wave"]
        assert pd.isna(most) if not first else first.count(most) == max(map(first.count, first))
        assert train.cut(at)["p_released"].to_dict() == {repo: count / 6 for repo, count in by_repo.items()}


# ---------------------------------------------------------------------- when to start


@pytest.mark.parametrize(("seed", "days"), [*[(seed, 0) for seed in range(12)], (0, 30), (1, 365)])
def test_the_last_safe_start_is_the_last_start_that_does(seed: int, days: int) -> None:
    """Without a limit of lanes who starts sooner is done sooner, so the last start is one, and a bit later is none.

    However long the calendar is: another freeze may lie so many days before.
    """
    chosen = random.Random(seed)
    takes = DurationModel({"a": 600, "b": 900, "c": 300, "d": 1200}, sigma=0.5)
    begin = chosen.randint(3_000, 20_000)
    calendar = [Freeze(begin, begin + 3_000, lead=chosen.choice([0, 400]))]
    calendar += [Freeze(at, at + chosen.randint(60, 2_000)) for at in chosen.sample(range(begin), chosen.randint(0, 2))]
    if days:
        early, later = Freeze(0, 60), timedelta(days=days)
        calendar = [Freeze(one.start + later, one.end + later, lead=400) for one in calendar] + [early]  # type: ignore[operator]
    level = chosen.choice([0.5, 0.9])
    common: dict[str, Any] = {"model": 0.02, "attempts": 2, "rng": seed, "trials": 300, "executor": 1}
    last = schedule(CHAIN, takes, calendar=calendar, **common).last_safe_start(level=level)
    assert isinstance(last, timedelta)
    day = MONDAY + timedelta(days=40)

    def p_done(start: timedelta) -> float:
        dates = [Freeze(day + one.start, day + one.end, lead=one.lead) for one in calendar]  # type: ignore[operator]
        train = schedule(CHAIN, takes, start=day + start, calendar=dates, **common)
        return float(train.freezes()["p_done"][0])

    assert p_done(last) >= level > p_done(last + timedelta(seconds=1.1))
    dates = [Freeze(day + one.start, day + one.end, lead=one.lead) for one in calendar]  # type: ignore[operator]
    train = schedule(CHAIN, takes, start=day, calendar=dates, **common)
    assert train.last_safe_start(level=level) == day + last


def test_without_another_window_it_is_the_quantile_before_the_freeze() -> None:
    takes = DurationModel({"a": 600, "b": 900, "c": 300, "d": 1200}, sigma=0.5)
    train = schedule(CHAIN, takes, rng=1, trials=500, executor=1, calendar=Freeze(9_000, 9_900, "night"))
    bare = schedule(CHAIN, takes, rng=1, trials=500, executor=1)
    assert train.last_safe_start("night", 0.8) == timedelta(seconds=9_000) - bare.quantile(0.8)
    assert train.freezes()["p_done"][0] == bare.p_done_by(9_000)
    assert schedule(CHAIN, 60, model=0.5, rng=1, trials=50, calendar=Freeze(90, 99)).last_safe_start() is None
    with pytest.raises(ValueError, match=r"freeze is 'day', expected one of 0 to 0, or of \['night'\]"):
        train.cut("day")
    with pytest.raises(ValueError, match="freeze is 0, calendar has no freeze"):
        bare.last_safe_start()


# ---------------------------------------------------------------------- the plan date and the best possible


def starts(jobs: Jobs, lanes: int, windows: Windows, best: int) -> Iterator[int]:
    """Give the makespans of all ways to start the jobs that are shorter than the best by then."""
    taken = [0] * 40

    def place(job: int, ends: tuple[int, ...]) -> Iterator[int]:
        nonlocal best
        if job == len(jobs):
            best = min(best, max(ends, default=0))
            yield max(ends, default=0)
            return
        ticks = jobs.ticks[job]
        for start in range(max([ends[need] for need in jobs.needs[job]], default=0), best - ticks):
            if next_open(windows, start) != start or any(taken[t] >= lanes for t in range(start, start + ticks)):
                continue
            for t in range(start, start + ticks):
                taken[t] += 1
            yield from place(job + 1, (*ends, start + ticks))
            for t in range(start, start + ticks):
                taken[t] -= 1

    yield from place(0, ())


@pytest.mark.parametrize("first", [0, *[pytest.param(at, marks=pytest.mark.slow) for at in range(100, 1_000, 100)]])
def test_no_bound_is_above_the_best_of_all_schedules(first: int) -> None:
    tight = 0
    for seed in range(first, first + 100):
        chosen = random.Random(seed)
        n = chosen.randint(1, 4)
        needs = tuple(tuple(i for i in range(job) if chosen.random() < 0.3) for job in range(n))
        jobs = Jobs(tuple(range(n)), needs, tuple(chosen.randint(1, 4) for _ in range(n)))
        lanes, windows = chosen.choice([1, 2]), some_windows(chosen, 12)
        listed = list_jobs(jobs, range(n), lanes, 0, windows).makespan
        best = min(starts(jobs, lanes, windows, listed + 1))
        bound = lower_bound(jobs, lanes, 0, windows)
        assert bound <= best <= listed
        tight += bound == best
    assert tight > 60


@pytest.mark.parametrize("seed", range(30))
def test_the_plan_date_is_when_a_train_ends_that_takes_its_means(seed: int) -> None:
    case = larger(seed)
    del case["model"], case["attempts"], case["failure_budget"], case["policy"]
    chosen = random.Random(seed)
    case["durations"] = {repo: chosen.choice([0, 1, 2, 5]) for repo in case["plan"].released}
    train = schedule(**case, trials=1, executor=1)
    assert train.plan_date == train.makespan()[0]
    assert train.lower_bound <= train.plan_date
    assert train.gap >= 0


def test_lanes_are_compared_under_one_calendar() -> None:
    frame = lanes_curve(CHAIN, 600, lanes=[1, 2], rng=1, trials=5, calendar=Freeze(1_000, 4_000))
    assert frame["p50"].tolist() == [timedelta(seconds=5_200), timedelta(seconds=4_600)]
    assert frame["plan_date"].tolist() == frame["p50"].tolist()


def test_nobody_before_a_freeze_that_was_in_the_way_is_critical() -> None:
    def critical(lanes: int | None, *freeze: float) -> tuple[str, str]:
        train = schedule(CHAIN, 10, lanes, rng=1, trials=3, executor=1, calendar=Freeze(*freeze), priority={"d": 1})
        frame = train.to_frame()
        columns = (frame["criticality"], frame["criticality_by_dependencies"])
        return tuple("".join(sorted(column[column == 1].index)) for column in columns)  # type: ignore[return-value]

    assert critical(None, 15, 50) == ("c", "abc"), "b runs on in it"
    assert critical(None, 20, 50) == ("c", "abc")
    assert critical(None, 25, 50) == ("abc", "abc")
    assert critical(1, 25, 50) == ("c", "abc")
    assert critical(1, 35, 50) == ("abcd", "abc")
    assert critical(1, 20, 30) == ("bc", "abc"), "all went by lanes, but for the freeze"


def test_a_schedule_says_its_freezes_in_a_sentence() -> None:
    train = schedule(CHAIN, 60, rng=1, trials=5, calendar=[Freeze(200, 300, "lunch\u202e"), Freeze(400, 500)])
    assert "before the freeze lunch\\u202e with exactly 1, before the freeze at 7 min with exactly 1" in repr(train)
    assert "it is before the freeze" in train._repr_html_()


# ---------------------------------------------------------------------- runs


def test_a_run_waits_by_its_clock_and_its_ledger_keeps_the_calendar() -> None:
    clock = VirtualClock(MONDAY)
    lunch = Freeze(MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2), "lunch", lead=600)
    releaser = SimulatedReleaser(0.0, durations=1_800)
    outcome = run_plan(CHAIN, releaser, clock=clock, max_parallel=None, calendar=lunch)
    assert clock.elapsed == timedelta(hours=2.5)
    run = outcome.ledger.get_run(outcome.run_id)
    assert run.metadata.tags["plan"]["calendar"] == [lunch.to_tag()]
    assert "calendar" not in run_plan(CHAIN, 0.0).ledger.list_runs()[0].metadata.tags["plan"]
    for minutes in (0, 35, 55, 70, 100, 125):
        told = eta(outcome.ledger, outcome.run_id, 1_800, now=MONDAY + timedelta(minutes=minutes), trials=3)
        assert told.quantile(0.5) == MONDAY + timedelta(hours=2.5)


@pytest.mark.parametrize("seed", range(15))
def test_the_end_of_a_run_that_is_under_way_is_the_one_it_comes_to(seed: int) -> None:
    case = larger(seed)
    chosen = random.Random(seed)
    takes = {repo: chosen.choice([1, 2, 5]) for repo in case["plan"].released}
    clock = VirtualClock(MONDAY)
    calendar = [Freeze(MONDAY + one.start, MONDAY + one.end, lead=one.lead) for one in case["calendar"]]
    how = {name: case[name] for name in ("max_parallel", "min_interval")}
    releaser = SimulatedReleaser(0.0, durations=takes)
    outcome = run_plan(case["plan"], releaser, clock=clock, calendar=calendar, priority="most_blocked", **how)
    if case["plan"].released:
        now = MONDAY + clock.elapsed * chosen.random()
        told = eta(outcome.ledger, outcome.run_id, takes, now=now, trials=1)
        assert abs(told.mean - clock()) <= timedelta(milliseconds=1)


def test_a_run_in_real_time_waits_too() -> None:
    end = datetime.now(UTC) + timedelta(seconds=0.4)
    outcome = run_plan(CHAIN, lambda *_: "id", calendar=Freeze(end - timedelta(days=1), end))
    assert min(event.timestamp for event in outcome.ledger.get_events(outcome.run_id)) >= end


def test_a_clock_that_fails_in_a_freeze_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "patience", 0.01)  # else it is asked again after a minute
    told = itertools.count()

    def clock() -> datetime:
        if next(told) > 2:
            raise OSError("no time")
        return MONDAY

    ledger = MemoryRunLedger()
    with pytest.raises(OSError, match="no time"):
        run_plan(CHAIN, 0.0, ledger, clock=clock, calendar=Freeze(MONDAY, MONDAY + timedelta(days=9)))
    assert ledger.list_runs()[0].status.value == "FAILED"


def test_a_run_that_was_frozen_can_be_resumed() -> None:
    clock = VirtualClock(MONDAY)
    freeze = Freeze(MONDAY, MONDAY + timedelta(hours=1))
    ledger = MemoryRunLedger(clock=clock)
    how: dict[str, Any] = {"clock": clock, "calendar": [freeze], "attempts": Retry(2, delay=5)}
    first = run_plan(CHAIN, {"a": 1.0}, ledger, rng=1, **how)
    rest = resume_plan(ledger, first.run_id)
    assert run_plan(rest, 0.0, ledger, rng=1, **how).overall_success


def test_a_tag_that_holds_no_calendar_is_refused() -> None:
    clock = VirtualClock(MONDAY)
    outcome = run_plan(CHAIN, SimulatedReleaser(0.0, durations=5), clock=clock)
    tags = outcome.ledger.get_run(outcome.run_id).metadata.tags
    bad = MemoryRunLedger(clock=clock)
    run = bad.create_run(spec_digest_of("x"), RunMetadata(tags={**tags, "plan": tags["plan"] | {"calendar": "x"}}))
    with pytest.raises(ValueError, match="the plan tag's calendar is 'x', expected a list of windows"):
        eta(bad, run, 5)


def test_what_no_calendar_is_is_named() -> None:
    with pytest.raises(TypeError, match="calendar has 5, expected freezes"):
        schedule(CHAIN, 1, calendar=[5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="the schedule has no start"):
        schedule(CHAIN, 1, calendar=Freeze(MONDAY, MONDAY + timedelta(1)))
    with pytest.raises(ValueError, match="expected dates: a run goes by its clock"):
        run_plan(CHAIN, 0.0, calendar=Freeze(1, 2))
    with pytest.raises(ValueError, match="over 2,231 years"):
        schedule(CHAIN, 1, calendar=Freeze(0, 80_000_000_000), trials=1)
    assert np.isnan(schedule(CHAIN, 1, calendar=Freeze(9, 10), trials=1).freezes()["se_released"][0])
