"""Schedules: edges, errors that name what is wrong, dates, executors and engines, and how sure they are."""

from __future__ import annotations

import copy
import itertools
import math
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqkit import (
    DurationModel,
    RepoDependencyGraph,
    Retry,
    SequencePlan,
    UnknownRepo,
    build_plan,
)
from seqkit.analysis.schedule import kernels
from seqkit.analysis.schedule.curve import ScheduleAnomaly, lanes_curve
from seqkit.analysis.schedule.measures import Sums
from seqkit.analysis.schedule.moments import DateEstimate, TimeEstimate, mean_time, quantile_time
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.analysis.schedule.scheduling import schedule

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in edges], nodes=list(nodes)), version="1")


DIAMOND = plan_of("ab", "ac", "bd", "cd", nodes="e")
TIMES = DurationModel(dict(zip("abcde", (60, 120, 90, 30, 240), strict=True)), 0.5)
CASE: dict[str, Any] = {
    "plan": DIAMOND, "durations": TIMES, "max_parallel": 2, "model": 0.2, "attempts": Retry(2, delay=20, jitter=0.3),
    "rng": 11, "trials": 301,
}  # fmt: skip


def assert_same(one: Schedule, other: Schedule) -> None:
    assert one.makespan().equals(other.makespan())
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(one.critical_paths(), other.critical_paths(), check_exact=True)
    assert repr(one) == repr(other)
    assert one.p_done_by(300, 0.6) == other.p_done_by(300, 0.6)


@pytest.fixture(scope="module")
def expected() -> Schedule:
    return schedule(**CASE, engine="python", executor=1)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_PER_SECOND", dict.fromkeys(kernels._PER_SECOND, 5_000.0))


# ---------------------------------------------------------------------- edges


@pytest.mark.parametrize("engine", ["python", "numpy", "auto"])
@pytest.mark.parametrize(
    "plan",
    [
        build_plan(RepoDependencyGraph.from_edges([]), []),
        build_plan(RepoDependencyGraph.from_edges([("a", "b")]), []),
        build_plan(RepoDependencyGraph.from_edges([("a", "b")]), [], scope="all"),
    ],
    ids=["empty", "nothing released", "all unreleased"],
)
def test_nothing_to_release_is_done_at_once(plan: SequencePlan, engine: Any) -> None:
    train = schedule(plan, 60, rng=1, trials=10, engine=engine, executor=1)
    assert train.mean() == train.quantile(0.9) == timedelta(0)
    assert (float(train.p_complete), float(train.p_plan_date), float(train.p_done_by(0))) == (1, 1, 1)
    assert float(train.p_done_by(0, share=0.5)) == 1
    assert (train.plan_date, train.lower_bound, train.gap, train.priorities) == (timedelta(0), timedelta(0), 0.0, {})
    for frame in (train.to_frame(), train.gains(), train.critical_paths(), train.lanes()):
        assert len(frame) == 0
    assert train.to_frame().dtypes.equals(schedule(DIAMOND, 60, rng=1, trials=10).to_frame().dtypes)
    assert train.trial(3).outcome.succeeded == []
    assert "exactly 0 s" in repr(train)
    assert "exactly 0 s" in train._repr_html_()
    assert lanes_curve(plan, 60, [1, 2], rng=1, trials=10)["efficiency"].tolist() == [1.0, 1.0]


def test_releases_that_take_no_time() -> None:
    train = schedule(DIAMOND, 0, max_parallel=2, model=0.3, rng=1, trials=200)
    assert train.makespan().eq(timedelta(0)).all()
    frame = train.to_frame()
    assert (frame[["si", "ssi", "cruciality"]] == 0).all(axis=None)
    assert frame["criticality"].between(0, 1).all()
    assert train.lanes()["busy"].eq(0).all()
    assert float(train.p_done_by(0)) == float(train.p_complete)


def test_one_repo() -> None:
    train = schedule(plan_of(nodes="a"), timedelta(minutes=3), max_parallel=5, rng=1, trials=50)
    assert train.mean() == train.plan_date == train.lower_bound == timedelta(minutes=3)
    assert train.to_frame().loc["a", ["criticality", "si", "p_released"]].tolist() == [1.0, 1.0, 1.0]
    assert train.lanes()["busy"].tolist() == [1.0]
    assert train.gains(0.5).loc["a", "gain"] == timedelta(seconds=90)
    assert repr(train.mean()) == repr(train.quantile(0.5)) == "exactly 3 min"
    assert repr(train.p_complete) == repr(train.p_plan_date) == "exactly 1"


def test_a_single_trial_says_that_nothing_is_known() -> None:
    train = schedule(DIAMOND, TIMES, rng=1, trials=1)
    assert train.mean().interval() == train.quantile(0.5).interval() == (timedelta(0), timedelta.max)
    assert repr(train.mean()).endswith("(0 s or more)")
    assert train.gains()["se"].isna().all()
    assert len(train.to_frame()) == 5
    assert schedule(DIAMOND, TIMES, rng=1, trials=1, start=NOON).mean().interval()[1] == datetime.max.replace(
        tzinfo=UTC
    )  # type: ignore[comparison-overlap]
    assert lanes_curve(DIAMOND, TIMES, [2], rng=1, trials=1)["se_mean"].isna().all()


def test_what_was_the_same_in_every_trial_is_not_called_exact() -> None:
    train = schedule(DIAMOND, 60, model=1e-9, rng=1, trials=100)
    assert repr(train.mean()) == "3 min (the same in every trial)"
    assert repr(train.p_complete).startswith("1 (seen in every trial")
    assert not train.mean().exact
    assert schedule(DIAMOND, 60, rng=1, trials=100).mean().exact


def test_nothing_is_ever_complete() -> None:
    train = schedule(DIAMOND, 60, model=1.0, rng=1, trials=20)
    for ask in (lambda: train.mean(complete=True), lambda: train.quantile(0.5, complete=True)):
        with pytest.raises(ValueError, match=r"complete is True, and no trial released everything: \.p_complete tells"):
            ask()
    assert len(train.makespan(complete=True)) == 0
    assert train.to_frame()["finish_p50"].isna().all()
    assert "trains that released everything" not in train._repr_html_()


def test_very_long_trains_have_times_too() -> None:
    century = schedule(DIAMOND, 3.1e9, max_parallel=1, rng=1, trials=5)
    assert century.mean() == timedelta(seconds=5 * 3.1e9)
    assert century.makespan().eq(timedelta(seconds=5 * 3.1e9)).all()
    assert century.to_frame()["finish_p90"].max() == timedelta(seconds=5 * 3.1e9)
    assert schedule(DIAMOND, 1e300, rng=1, trials=5).plan_date == timedelta(milliseconds=3 * 3_200_000_000_000)
    many = plan_of(nodes="abcdefghijklmnopqrstuvwxyz")
    with pytest.raises(ValueError, match="make a run of over 2,231 years"):
        schedule(many, 3.1e9, max_parallel=1, rng=1, trials=5)


# ---------------------------------------------------------------------- times


def test_a_time_is_cut_down_to_whole_milliseconds() -> None:
    train = schedule(plan_of(nodes="a"), 1.001, rng=1, trials=5, start=NOON)
    for t in (1.001, timedelta(seconds=1.001), NOON + timedelta(milliseconds=1001), np.float64(1.0019), 1e300):
        assert train.p_done_by(t) == 1
    for t in (1.0005, 1.000999, timedelta(microseconds=1_000_999), NOON + timedelta(microseconds=1_000_999), NOON):
        assert train.p_done_by(t) == 0
    assert train.p_done_by(NOON - timedelta(days=1)) == 0


def test_with_a_start_times_are_dates_in_utc() -> None:
    zone = timezone(timedelta(hours=5))
    plain = schedule(**CASE)
    dated = schedule(**CASE, start=NOON.astimezone(zone))
    assert dated.start == NOON
    for ask in (
        lambda train: train.mean(),
        lambda train: train.quantile(0.8, complete=True),
        lambda train: train.plan_date,
        lambda train: train.lower_bound,
    ):  # type: Callable[[Schedule], Any]
        assert ask(dated) - NOON == ask(plain)
        assert ask(dated).utcoffset() == timedelta(0)
    mean, elapsed = dated.mean(), plain.mean()
    assert mean.se == elapsed.se
    assert tuple(end - NOON for end in mean.interval()) == elapsed.interval()
    assert (dated.makespan() - NOON).equals(plain.makespan())
    columns = ["start_p10", "finish_p90"]
    assert (dated.to_frame()[columns] - pd.Timestamp(NOON)).equals(plain.to_frame()[columns])
    assert dated.p_done_by((NOON + timedelta(minutes=5)).astimezone(zone)) == plain.p_done_by(300)
    assert dated.p_done_by(timedelta(minutes=5)) == plain.p_done_by(300)
    run = dated.trial(0).outcome
    assert run.ledger.get_run(run.run_id).created_at == NOON
    assert dated.gap == plain.gap


def test_trials_until_the_mean_is_sure_enough() -> None:
    train = schedule(DIAMOND, TIMES, rng=1, until=timedelta(seconds=1.2), trials=3)
    assert train.mean().se < timedelta(seconds=1.2)
    assert 4_096 < train.trials < 20_000
    assert train.makespan().equals(schedule(DIAMOND, TIMES, rng=1, trials=train.trials).makespan())
    with pytest.raises(ValueError, match=r"until is 1e-09, which takes more than \d+ trials: expected more seconds"):
        schedule(DIAMOND, TIMES, rng=1, until=1e-9)


def test_estimates_are_what_they_estimate() -> None:
    time, date = schedule(**CASE).mean(), schedule(**CASE, start=NOON).mean()
    plain = timedelta(seconds=time.total_seconds())
    assert (time == plain, hash(time) == hash(plain), time <= plain, time > timedelta(0)) == (True,) * 4
    for worked_out, there in (
        (time + timedelta(1), plain + timedelta(1)),
        (timedelta(1) - time, timedelta(1) - plain),
        (time * 2, plain * 2),
        (-time, -plain),
        (abs(time), plain),
        (time / timedelta(1), plain / timedelta(1)),
        (NOON + time, NOON + plain),
        (TimeEstimate(hours=1), timedelta(hours=1)),
        (date - NOON, plain),
        (date + timedelta(1), NOON + plain + timedelta(1)),
        (date.replace(year=2027), (NOON + plain).replace(year=2027)),
        (date.astimezone(timezone(timedelta(hours=2))), NOON + plain),
        (DateEstimate(2026, 5, 4), datetime(2026, 5, 4)),
    ):
        assert worked_out == there
        assert type(worked_out) in (timedelta, datetime, float)
        assert repr(worked_out)
    assert (date == NOON + plain, date > NOON, hash(date) == hash(NOON + plain)) == (True,) * 3
    assert str(time) == repr(time)
    assert str(date) == f"{date}" == repr(date)
    assert f"{date:%H:%M}" == f"{NOON + plain:%H:%M}"
    for estimate in (time, date):
        for again in (
            copy.copy(estimate),
            copy.deepcopy(estimate),
            *(pickle.loads(pickle.dumps(estimate, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
        ):
            assert type(again) is type(estimate)
            assert again == estimate
            assert (again.interval(), again.se, again.exact) == (estimate.interval(), estimate.se, estimate.exact)
            assert repr(again) == repr(estimate)
    assert pd.Series([time]).iloc[0] == plain
    assert pd.Series([date]).iloc[0] == NOON + plain


# ---------------------------------------------------------------------- what is wrong is named


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"plan": "x"}, TypeError, "plan is 'x', expected a SequencePlan"),
        ({"plan": [*DIAMOND.split(["a"])]}, ValueError, "plan has 2 trains, expected a plan of one, each on its own"),
        ({"durations": {"a": 1}}, ValueError, "durations has none for 'e', expected one for each repo to release"),
        ({"durations": {**dict.fromkeys("abcde", 1), "a": -1}}, ValueError, r"durations\['a'\] is -1, expected"),
        ({"model": {"aa": 0.5}}, ValueError, "the rates of model name 1 repo that the plan does not have: 'aa'"),
        ({"model": 2}, ValueError, "model is 2, expected"),
        ({"max_parallel": 0}, ValueError, "max_parallel is 0, expected a whole number from 1"),
        ({"max_parallel": 1.5}, TypeError, "max_parallel is 1.5, expected a whole number from 1"),
        ({"attempts": 0}, ValueError, "attempts is 0, expected a whole number from 1"),
        ({"policy": "panic"}, ValueError, "policy is 'panic', expected one of"),
        ({"failure_budget": 0}, ValueError, "failure_budget is 0, expected a whole number from 1"),
        ({"priority": "fast"}, ValueError, r"priority is 'fast', expected one of \('plan', .*'search'\), a mapping"),
        ({"priority": pd.Series({"a": 1})}, ValueError, "priority is a .*expected one of"),
        ({"priority": {"a": "x"}}, TypeError, r"priority\['a'\] is 'x', expected a number, higher first"),
        ({"priority": {"aa": 1}}, ValueError, "priority names 1 repo that the plan does not have: 'aa'"),
        ({"min_interval": -1}, ValueError, "min_interval is -1, expected seconds from 0 or a timedelta"),
        ({"start": "noon"}, TypeError, r"start is 'noon' \(str\), expected an aware datetime"),
        (
            {"start": datetime(2026, 5, 4)},
            ValueError,
            r"start is datetime\.datetime\(2026, .*, expected an aware datetime",
        ),
        ({"until": 0}, ValueError, "until is 0, which no number of trials reaches"),
        ({"until": "soon"}, TypeError, "until is 'soon', expected seconds from 0 or a timedelta"),
        ({"trials": 0}, ValueError, "trials is 0, expected a whole number from 1"),
        ({"engine": "fast"}, ValueError, "engine is 'fast', expected one of"),
        ({"engine": "numpy"}, ValueError, 'engine is "numpy", which only follows a schedule where no lane'),
        ({"executor": "processes"}, TypeError, "executor is 'processes', expected an executor"),
        ({"executor": 0}, ValueError, "executor is 0, expected a whole number from 1"),
    ],
)
def test_a_wrong_argument_is_named(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        schedule(**CASE | wrong)


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda train: train.quantile(1), ValueError, "q is 1, expected a probability between 0 and 1"),
        (lambda train: train.quantile("P80"), ValueError, "q is 'P80', expected a probability"),
        (lambda train: train.quantile(math.nan), ValueError, "q is nan, expected a probability"),
        (lambda train: train.p_done_by("noon"), TypeError, "t is 'noon', expected seconds from 0 or a timedelta"),
        (lambda train: train.p_done_by(NOON), ValueError, "t is a date, and the schedule has no start: give it one"),
        (lambda train: train.p_done_by(1, share=0), ValueError, "share is 0, expected a share above 0, at most 1"),
        (lambda train: train.p_done_by(1, 1.1), ValueError, "share is 1.1, expected a share above 0, at most 1"),
        (lambda train: train.gains(1), ValueError, "faster is 1, expected a share between 0 and 1"),
        (lambda train: train.gains(trials=1), ValueError, "trials is 1, expected a whole number from 2"),
        (lambda train: train.critical_paths(0), ValueError, "most is 0, expected a whole number from 1"),
        (lambda train: train.trial(301), IndexError, "i is 301, expected a whole number from 0 to 300"),
        (lambda train: train.trial(-302), IndexError, "i is -302, expected a whole number from 0 to 300"),
        (lambda train: train.trial("1"), TypeError, "i is '1', expected a whole number from 0 to 300"),
    ],
)
def test_a_wrong_question_is_named(
    expected: Schedule, ask: Callable[[Schedule], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ask(expected)
    dated = schedule(**CASE, start=NOON)
    with pytest.raises(ValueError, match=r"t is datetime\.datetime\(2026, .*\), expected an aware datetime"):
        dated.p_done_by(datetime(2026, 5, 4))


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"max_parallel": 2}, TypeError, "max_parallel is given, and lanes_curve has lanes for it"),
        ({"start": NOON}, TypeError, "start is given, and lanes_curve counts times from there"),
        ({"lanes": 3}, TypeError, r"lanes is 3, expected numbers of lanes, such as range\(1, 9\)"),
        ({"lanes": []}, ValueError, "lanes is empty, expected numbers of lanes"),
        ({"lanes": [0, 1]}, ValueError, "lanes is 0, expected a whole number from 1"),
        ({"lines": [1]}, TypeError, "lines"),
    ],
)
def test_a_wrong_curve_is_named(wrong: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lanes_curve(DIAMOND, TIMES, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": {"acme-cor": 0.5, "acme-api": 0.1}}, "the rates of model name 1 repo .*did you mean 'acme-core'"),
        (
            {"durations": DurationModel({"acme-cor": 5, "acme-api": 1}, default=2)},
            "durations names 1 repo .*'acme-cor' .did you mean 'acme-core'",
        ),
        (
            {"durations": DurationModel(9, failed={"acme-cor": 5})},
            "durations names 1 repo .*it names no other, so that one time serves for all 2 repos",
        ),
        ({"priority": {"acme-cor": 5, "acme-api": 1}}, "priority names 1 repo .*did you mean 'acme-core'"),
    ],
)
def test_names_that_look_like_slips_are_warned_of(wrong: dict[str, Any], message: str) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("acme-core", "acme-api")]), version="1")
    with pytest.warns(UnknownRepo, match=message) as caught:
        schedule(**{"plan": plan, "durations": 5, "rng": 1, "trials": 5} | wrong)
    assert [warning.filename for warning in caught] == [__file__]


def test_graham_s_anomaly_is_warned_of_where_it_shows() -> None:
    """Nine jobs that take longer on four lanes than on three (Graham 1969)."""
    plan = plan_of("ai", "de", "df", "dg", "dh", nodes="bc")
    times = dict(zip("abcdefghi", (3, 2, 2, 2, 4, 4, 4, 4, 9), strict=True))
    line = {repo: 9 - at for at, repo in enumerate("abcdefghi")}
    with pytest.warns(ScheduleAnomaly, match="the train takes longer with 4 lanes than with 3: a Graham anomaly"):
        frame = lanes_curve(plan, times, [3, 4], rng=1, trials=10, priority=line)
    assert frame["mean"].tolist() == [timedelta(seconds=12), timedelta(seconds=15)]


# ---------------------------------------------------------------------- whoever follows the trials


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_threads_and_parts_change_nothing(expected: Schedule, threads: int | None) -> None:
    assert_same(schedule(**CASE, engine="python", executor=threads), expected)


@pytest.mark.usefixtures("small_parts")
def test_an_executor_that_is_gone_is_not_asked_again(expected: Schedule) -> None:
    with ThreadPoolExecutor(2) as pool:
        train = schedule(**CASE, engine="python", executor=pool)
    assert_same(train, expected)
    pd.testing.assert_frame_equal(train.gains(trials=50), expected.gains(trials=50))


@pytest.mark.usefixtures("small_parts")
def test_processes_and_pickles_give_the_same(expected: Schedule) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        train = schedule(**CASE, engine="python", executor=pool)
    again = pickle.loads(pickle.dumps(train))
    assert_same(again, expected)
    assert again.trial(7).outcome.statuses == expected.trial(7).outcome.statuses
    assert again.priorities == expected.priorities


CLOSED = CASE | {"max_parallel": None}


def test_the_closed_form_gives_the_same() -> None:
    closed = CASE | {"max_parallel": None}
    assert_same(schedule(**closed, engine="numpy", executor=1), schedule(**closed, engine="python", executor=1))


@pytest.mark.slow  # compiling takes a minute
@pytest.mark.parametrize("lanes", [None, 2])
def test_what_is_compiled_gives_the_same(lanes: int | None) -> None:
    pytest.importorskip("numba")
    case = CASE | {"max_parallel": lanes}
    assert_same(schedule(**case, engine="numba", executor=1), schedule(**case, engine="python", executor=1))


def test_sums_are_the_same_whatever_parts_they_come_in(expected: Schedule) -> None:
    problem = expected._trials.posed.problem
    frames = []
    for cuts in ([0, 301], [0, 1, 2, 150, 301]):
        sums = Sums(problem)
        for begin, end in itertools.pairwise(cuts):
            sums.add(kernels.follow_trials("python", problem, begin, end - begin, True, True))
        frames.append(sums.measures())
    for name, values in frames[0].items():
        assert values.tolist() == frames[1][name].tolist()


@pytest.mark.parametrize("days", [1, 365])
def test_what_never_varies_is_never_crucial_however_long_it_takes(days: int) -> None:
    """Sums of squares of whole days lose their last digits."""
    times = DurationModel({"a": days * 86_400.001, "b": 1, "c": 60}, {"b": 0.01})
    frame = schedule(plan_of("ab", nodes="c"), times, rng=1, trials=5_000).to_frame()
    assert frame["cruciality"].tolist() == pytest.approx([0.0, 0.0, 1.0])
    assert frame.loc["a", "ssi"] == 0
    assert frame.loc["b", "ssi"] == pytest.approx(1.0)


def test_a_retry_s_own_judgement_is_not_asked(expected: Schedule) -> None:
    own = Retry(2, delay=20, jitter=0.3, when=lambda error: False)
    train = schedule(**CASE | {"attempts": own}, engine="python", executor=1)
    assert train.makespan().equals(expected.makespan())
    for trial in range(5):
        assert train.trial(trial).outcome.statuses == expected.trial(trial).outcome.statuses


def test_an_interval_is_whole_milliseconds_in_the_trial_too() -> None:
    train = schedule(plan_of(nodes="abc"), 1, rng=1, trials=2, min_interval=0.0104)
    outcome = train.trial(0).outcome
    run = outcome.ledger.get_run(outcome.run_id)
    entered = [event.timestamp for event in outcome.ledger.get_events(run.run_id) if event.kind == "NodeEntered"]
    assert [(when - run.created_at) // timedelta(microseconds=1) for when in entered] == [0, 10_000, 20_000]
    assert train.mean() == timedelta(milliseconds=1_020)


def test_what_is_given_may_change_afterwards() -> None:
    line = {"b": 1.0}
    train = schedule(plan_of(nodes="ab"), {"a": 1, "b": 2}, max_parallel=1, priority=line, rng=1, trials=2)
    line["a"] = 9.0
    outcome = train.trial(0).outcome
    assert [e.payload["node_id"] for e in outcome.ledger.get_events(outcome.run_id) if e.kind == "NodeEntered"] == [
        "b",
        "a",
    ]
    assert train.priorities == {"b": 1.0}
    with pytest.raises(ValueError, match="read-only"):
        train._trials.ends[0] = 1


# ---------------------------------------------------------------------- how sure they are


@pytest.mark.parametrize("runs", [400, pytest.param(8_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("law", ["lognormal", "two times"])
def test_intervals_hold_the_truth_as_often_as_they_say(runs: int, law: str) -> None:
    """Held against the law that the trials are drawn from; an interval may hold it more often, as of steps it must."""
    own = DurationModel({"a": 1000}, 0.5) if law == "lognormal" else DurationModel.from_samples({"a": [1, 2, 2, 9]})
    n = 100
    told = schedule(plan_of(nodes="a"), own, rng=5, trials=runs * n, engine="numpy", executor=1)
    ends = told._trials.ends.reshape(runs, n)
    truths: dict[str, float] = {"mean": own.mean("a")} | {str(q): own.quantile("a", q) for q in (0.1, 0.5, 0.8, 0.95)}
    held = dict.fromkeys(truths, 0)
    for row in ends:
        ascending = np.sort(row)
        for name, truth in truths.items():
            told = mean_time(row) if name == "mean" else quantile_time(ascending, float(name))
            low, high = told.interval()
            held[name] += (
                low <= timedelta(seconds=truth) + timedelta(milliseconds=1)
                and timedelta(seconds=truth) - timedelta(milliseconds=1) <= high
            )
    slack = 4 * math.sqrt(0.95 * 0.05 / runs)
    assert abs(held.pop("mean") / runs - 0.95) < slack + 0.01  # of 100 trials the mean is not quite normal
    for name, count in held.items():
        assert count / runs > 0.95 - slack, name
        if law == "lognormal":
            assert count / runs < 0.985 + slack, name


@pytest.mark.parametrize(
    "durations",
    [
        DurationModel(60, 0.5),
        DurationModel({"a": 60, "b": 30}, {"a": 0.5}, default=20, failed={"a": 10}),
        DurationModel({"a": 60}, default=20, failed=DurationModel(40, 0.3)),
        DurationModel(
            {"b": 30}, 0.2, failed=DurationModel.from_samples({"a": [5, 50]}), samples={"a": [10, 90]}, default=7
        ),
    ],
    ids=["for all", "by repo", "failed for all", "samples"],
)
def test_a_gain_is_the_difference_of_two_schedules(durations: DurationModel) -> None:
    case = CASE | {"durations": durations, "priority": "plan"}
    saved = schedule(**case).gains(faster=0.5).loc["a"]
    own, failed = durations.law("a"), durations.law("a", failed=True)
    halved = [
        [time / 2 for time in law.seconds] if hasattr(law, "seconds") else [law.median / 2] for law in (own, failed)
    ]
    sigmas = [0.0 if hasattr(law, "seconds") else law.sigma for law in (own, failed)]
    others = {repo: durations.law(repo) for repo in "bcde"}
    of_failed = {repo: durations.law(repo, failed=True) for repo in "bcde"}

    def model(mine: list[float], sigma: float, laws: dict[str, Any], failed: DurationModel | None) -> DurationModel:
        samples = {repo: law.seconds for repo, law in laws.items() if hasattr(law, "seconds")}
        medians = {repo: law.median for repo, law in laws.items() if repo not in samples}
        spreads = {repo: law.sigma for repo, law in laws.items() if repo not in samples}
        if sigma:
            return DurationModel({**medians, "a": mine[0]}, {**spreads, "a": sigma}, failed=failed, samples=samples)
        return DurationModel(medians, spreads, failed=failed, samples={**samples, "a": mine})

    shorter = model(halved[0], sigmas[0], others, model(halved[1], sigmas[1], of_failed, None))
    sooner = schedule(**case).makespan() - schedule(**case | {"durations": shorter}).makespan()
    assert abs(saved["gain"] - sooner.mean()) <= timedelta(microseconds=1)
    seconds = sooner.dt.total_seconds()
    assert saved["se"].total_seconds() == pytest.approx(seconds.std() / math.sqrt(len(seconds)), rel=1e-4)
