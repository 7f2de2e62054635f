"""What `simulate` and `compare` give back, refuse and leave behind."""

from __future__ import annotations

import html
import importlib.util
import io
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    CommonCause,
    Estimate,
    FailureModel,
    RepoDependencyGraph,
    Simulation,
    analyze,
    build_plan,
    compare,
    simulate,
)
from seqkit._util.progress import Bar
from seqkit.analysis.estimate import moments
from seqkit.analysis.montecarlo import driver, numpy_kernel, simulation
from seqkit.core import draws
from seqkit.core.draws import MAX_TRIALS
from tests.tools.strategies import HOSTILE_NAMES, POLICIES

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs the extra `fast`")
each_engine = pytest.mark.parametrize("engine", ["numpy", pytest.param("numba", marks=needs_numba)])


def plan_of(*edges: str, nodes: str = "", released: str | None = None) -> Any:
    graph = RepoDependencyGraph.from_edges([tuple(edge) for edge in edges], nodes=list(nodes))
    return build_plan(graph, [(repo, "1") for repo in graph if released is None or repo in released], scope="all")


DIAMOND = plan_of("ab", "ac", "bd", "cd", "de", nodes="f")
NO_REPOS = build_plan(RepoDependencyGraph(), version="1")


def same(one: Simulation, other: Simulation) -> bool:
    return (
        one.counts.equals(other.counts)
        and one.to_frame().equals(other.to_frame())
        and np.array_equal(one.n_succeeded, other.n_succeeded)
        and np.array_equal(one.n_failed, other.n_failed)
    )


# ---------------------------------------------------------------------- what it gives


@pytest.fixture(scope="module")
def found() -> Simulation:
    return simulate(DIAMOND, 0.2, 5_000, rng=1, policy="skip_dependents")


def test_the_frame_has_what_it_says(found: Simulation) -> None:
    frame = found.to_frame()
    errors = ["se_succeeded", "se_failed", "se_skipped"]
    assert frame.columns.tolist() == ["failure_rate", "p_succeeded", "p_failed", "p_skipped", *errors]
    assert (frame.dtypes == np.float64).all()
    assert frame.index.name == "repo_id"
    assert frame.index.tolist() == DIAMOND.released
    assert frame.index.dtype == analyze(DIAMOND, 0.2).to_frame().index.dtype
    assert (frame["failure_rate"] == 0.2).all()
    for status in ("succeeded", "failed", "skipped"):
        p = frame[f"p_{status}"]
        assert ((p * 5_000).round() / 5_000 == p).all()
        share = (5_000 * p + 2) / 5_004
        error = (share * (1 - share) / 5_004) ** 0.5
        if status == "skipped":
            error[["a", "f"]] = 0  # nothing stands before them
        assert np.allclose(frame[f"se_{status}"], error, rtol=1e-12)
    assert np.allclose(frame[["p_succeeded", "p_failed", "p_skipped"]].sum(axis=1), 1, rtol=1e-14)


def test_what_is_changed_in_a_result_stays_outside(found: Simulation) -> None:
    frame = found.to_frame()
    frame.loc["a", "p_failed"] = 7.0
    assert found.to_frame().loc["a", "p_failed"] < 1


def test_counts_add_up_to_the_trials(found: Simulation) -> None:
    counts = found.counts
    assert counts.columns.tolist() == ["n_succeeded", "n_failed", "n_skipped", "trials"]
    assert (counts.dtypes == np.int64).all()
    assert counts["trials"].sum() == found.trials == 5_000
    assert (counts["trials"] > 0).all()
    assert (counts[["n_succeeded", "n_failed", "n_skipped"]].sum(axis=1) == 6).all()
    assert counts.equals(counts.sort_values(["n_succeeded", "n_failed"], ignore_index=True))
    assert not counts.duplicated(["n_succeeded", "n_failed"]).any()


def test_arrays_frames_and_counts_tell_the_same(found: Simulation) -> None:
    arrays = {"n_succeeded": found.n_succeeded, "n_failed": found.n_failed, "n_skipped": found.n_skipped}
    for name, array in arrays.items():
        assert (array.shape, array.dtype) == ((5_000,), np.int32)
        assert array.sum() == (found.counts[name] * found.counts["trials"]).sum()
        assert math.isclose(array.sum() / 5_000, found.to_frame()[f"p_{name[2:]}"].sum(), rel_tol=1e-12)
        summary = found.summary().loc[name[2:]]
        assert math.isclose(summary["mean"], array.mean(), rel_tol=1e-12)
        assert math.isclose(summary["std"], array.std(ddof=1), rel_tol=1e-12)
        with_them = np.concatenate([array, [0, 4 if name == "n_skipped" else 6] * 2])  # a and f are never skipped
        assert math.isclose(summary["se_mean"], with_them.std() / math.sqrt(5_004), rel_tol=1e-12)
    assert (sum(arrays.values()) == 6).all()
    for k in range(8):
        hits = (found.n_succeeded >= k).mean()
        if k <= 6:
            assert found.p_at_least(k=k) == hits
            share = (5_000 * hits + 2) / 5_004
            assert math.isclose(found.p_at_least(k=k).se, math.sqrt(share * (1 - share) / 5_004) if k else 0)
    assert found.p_all_succeed == (found.n_succeeded == 6).mean()


@settings(max_examples=60)
@given(trials=st.integers(1, 400), seed=st.integers(0, 1000), rate=st.floats(0, 1))
def test_quantiles_are_the_smallest_counts_that_reach_them(trials: int, seed: int, rate: float) -> None:
    found = simulate(DIAMOND, rate, trials, rng=seed)
    levels = {"min": 0, "q05": 5, "q25": 25, "median": 50, "q75": 75, "q95": 95, "max": 100}
    summary = found.summary()
    assert summary.index.tolist() == ["succeeded", "failed", "skipped"]
    assert summary.columns.tolist() == ["mean", "se_mean", "std", *levels]
    assert (summary[["mean", "se_mean", "std"]].dtypes == np.float64).all()
    assert (summary[list(levels)].dtypes == np.int64).all()
    for name, row in summary.iterrows():
        values = np.sort(getattr(found, f"n_{name}"))
        for level, percent in levels.items():
            assert row[level] == values[max(0, math.ceil(Fraction(percent * trials, 100)) - 1)]
            assert row[level] == np.quantile(values, percent / 100, method="inverted_cdf")


def test_shares_round_as_the_analysis_rounds() -> None:
    found, exact = simulate(DIAMOND, 0.2, 200_000, rng=3), analyze(DIAMOND, 0.2)
    for share in (0, 0.1, 1 / 6, 0.3, 0.5, 2 / 3, 0.99, 1, np.float64(0.5)):
        assert abs(found.p_at_least(share=share) - exact.p_at_least(share=share)) < 0.01
    assert found.p_at_least(share=1 / 6) == found.p_at_least(k=1)
    assert found.p_at_least(share=0.34) == found.p_at_least(k=3)
    assert found.p_at_least(k=np.int64(3)) == found.p_at_least(k=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "k is None and share is None"),
        ({"k": 1, "share": 0.5}, "k is 1 and share is 0.5"),
        ({"k": 99}, "k is 99"),
        ({"k": -1}, "k is -1"),
        ({"k": 1.5}, "k is 1.5"),
        ({"k": True}, "k is True"),
        ({"share": "x"}, "share is 'x'"),
        ({"share": True}, "share is True"),
        ({"share": -0.1}, "share is -0.1"),
        ({"share": 1.1}, "share is 1.1"),
        ({"share": math.nan}, "share is nan"),
    ],
)
def test_wrong_thresholds_are_named(found: Simulation, arguments: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        found.p_at_least(**arguments)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_result_tells_what_was_asked(policy: Any) -> None:
    model = FailureModel(default=0.1)
    found = simulate(DIAMOND, model, 100, rng=5, policy=policy, failure_budget=2, attempts=3)
    told = (found.plan, found.model, found.policy, found.failure_budget, found.attempts, found.seed, found.trials)
    assert told == (DIAMOND, model, policy, 2, 3, 5, 100)
    for part in (policy, "failure_budget=2", "attempts=3", "seed 5", "100 trials"):
        assert part in repr(found)
        assert part in found._repr_html_()


def test_reprs_are_stable_and_escaped() -> None:
    graph = RepoDependencyGraph.from_edges([(HOSTILE_NAMES[0], name) for name in HOSTILE_NAMES[1:]])
    plan = build_plan(graph, version="1")
    model = FailureModel(default=0.2, common_causes=[CommonCause("<b>ci</b>", 0.1, HOSTILE_NAMES)])
    one, other = simulate(plan, model, 1000, rng=1), simulate(plan, model, 1000, rng=1, executor=1)
    pairs = [
        (one, other),
        (compare(plan, model, 0.1, trials=100, rng=1), compare(plan, model, 0.1, trials=100, rng=1)),
    ]
    for first, second in pairs:
        assert repr(first) == repr(second)
        page = first._repr_html_()
        assert page == second._repr_html_()
        assert "<script" not in page
        assert "<b>" not in page
        assert len(page) < 10_000
        assert len(repr(first)) < 300
        assert "mean" in html.unescape(page) or "per run" in page
    assert one.to_frame().index.tolist() == plan.released
    hostile = next(trial for trial in map(one.trial, range(100)) if trial.failures)
    assert repr(hostile) == repr(next(trial for trial in map(other.trial, range(100)) if trial.failures))


def test_results_pickle(found: Simulation) -> None:
    again = pickle.loads(pickle.dumps(found))
    assert same(again, found)
    assert repr(again) == repr(found)
    assert again.trial(17).failures == found.trial(17).failures
    difference = compare(DIAMOND, 0.1, {"a": 0.2}, trials=100, rng=1)
    assert pickle.loads(pickle.dumps(difference)).to_frame().equals(difference.to_frame())


# ---------------------------------------------------------------------- estimates


def test_estimates_are_numbers_with_an_error() -> None:
    one = Estimate(0.25, 0.01)
    assert isinstance(one, float)
    assert one == 0.25
    assert one.se == 0.01
    assert one + 1 == 1.25
    assert f"{one:.1%}" == "25.0%"
    assert math.sqrt(one) == 0.5
    assert repr(one) == str(one) == "0.250 ± 0.010"
    again = pickle.loads(pickle.dumps(one))
    assert (type(again), again, again.se) == (Estimate, 0.25, 0.01)
    assert hash(one) == hash(0.25)


@pytest.mark.parametrize(
    ("value", "se", "shown"),
    [
        (1234.5678, 12.3, "1235 ± 12"),
        (0.000123456, 0.0000012, "0.0001235 ± 0.0000012"),
        (1.0, 0.0, "exactly 1"),
        (2.0, math.nan, "2 ± nan"),
        (-3.14159, 0.05, "-3.142 ± 0.050"),
    ],
)
def test_estimates_show_the_digits_that_they_know(value: float, se: float, shown: str) -> None:
    assert repr(Estimate(value, se)) == shown


@given(st.lists(st.tuples(st.integers(0, 10**5), st.integers(1, 10**9)), min_size=1, max_size=8))
def test_moments_are_exact(pairs: list[tuple[int, int]]) -> None:
    values, weights = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    mean, variance = moments(values, weights)
    n = sum(weight for _, weight in pairs)
    exact = Fraction(sum(value * weight for value, weight in pairs), n)
    assert math.isclose(mean, exact, rel_tol=1e-15)
    if n == 1:
        assert math.isnan(variance)
    else:
        squares = sum(weight * (value - exact) ** 2 for value, weight in pairs) / (n - 1)
        assert math.isclose(variance, squares, rel_tol=1e-14)


# ---------------------------------------------------------------------- seeds


@each_engine
def test_a_seed_gives_the_same_numbers_again(engine: Any) -> None:
    zero = simulate(DIAMOND, 0.3, 3_000, rng=0, engine=engine)
    assert zero.seed == 0
    assert same(zero, simulate(DIAMOND, 0.3, 3_000, rng=0, engine=engine))
    assert same(zero, simulate(DIAMOND, 0.3, 3_000, rng=np.int64(0), engine=engine))
    assert not same(zero, simulate(DIAMOND, 0.3, 3_000, rng=1, engine=engine))


def test_a_generator_gives_a_seed_and_moves_on() -> None:
    generator, again = np.random.default_rng(4), np.random.default_rng(4)
    first, second = (simulate(DIAMOND, 0.3, 1_000, rng=generator) for _ in range(2))
    assert first.seed != second.seed
    assert same(first, simulate(DIAMOND, 0.3, 1_000, rng=again))
    assert same(second, simulate(DIAMOND, 0.3, 1_000, rng=second.seed))
    assert not same(first, second)


def test_without_a_seed_a_fresh_one_is_told() -> None:
    first, second = (simulate(DIAMOND, 0.3, 1_000) for _ in range(2))
    assert first.seed != second.seed
    assert same(first, simulate(DIAMOND, 0.3, 1_000, rng=first.seed))
    difference = compare(DIAMOND, 0.1, 0.2, trials=1_000)
    again = compare(DIAMOND, 0.1, 0.2, trials=1_000, rng=difference.seed)
    assert again.to_frame().equals(difference.to_frame())


def test_fewer_trials_are_the_first_of_more() -> None:
    few, many = (simulate(DIAMOND, 0.3, trials, rng=2) for trials in (777, 10_000))
    assert few.n_succeeded.tolist() == many.n_succeeded[:777].tolist()


# ---------------------------------------------------------------------- models and plans


@each_engine
@pytest.mark.parametrize("policy", POLICIES)
def test_certain_rates_are_certain(engine: Any, policy: Any) -> None:
    everything = simulate(DIAMOND, 0, 4_097, rng=1, policy=policy, engine=engine)
    assert everything.counts.to_numpy().tolist() == [[6, 0, 0, 4_097]]
    nothing = simulate(DIAMOND, 1, 4_097, rng=1, policy=policy, engine=engine)
    lost = {"skip_dependents": [0, 2, 4], "stop": [0, 1, 5], "continue": [0, 6, 0]}[policy]
    assert nothing.counts.to_numpy().tolist() == [[*lost, 4_097]]
    one = simulate(DIAMOND, {"b": 1.0}, 4_097, rng=1, policy=policy, engine=engine)
    order = DIAMOND.released
    kept = {"skip_dependents": 3, "stop": order.index("b"), "continue": 5}[policy]
    assert one.counts.to_numpy().tolist() == [[kept, 1, 5 - kept, 4_097]]


@each_engine
def test_the_rarest_and_the_most_frequent_failures(engine: Any) -> None:
    plan = plan_of(nodes="ab")
    found = simulate(plan, {"a": 1e-9, "b": 1 - 1e-9}, 10**6, rng=1, engine=engine)
    hits = (found.to_frame()["p_failed"] * 10**6).round().astype(int)
    assert hits["a"] < 4  # four or more with a probability of 4e-14
    assert hits["b"] > 10**6 - 4
    assert simulate(plan, 5e-324, 10**5, rng=1, engine=engine).p_all_succeed == 1


@each_engine
def test_rare_failures_occur_as_often_as_they_should(engine: Any) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(1000)]), version="1")
    found = simulate(plan, 3e-8, 100_000, rng=1, engine=engine)  # three are expected
    assert 0 < found.n_failed.sum() < 20
    assert not simulate(plan, 1e-15, 100_000, rng=1, engine=engine).n_failed.any()


def test_models_of_every_form_mean_the_same() -> None:
    rates = {"a": 0.1, "b": 0.4, "z": 0.9}
    forms = [rates, pd.Series(rates), FailureModel(rates=rates), FailureModel(rates=pd.Series(rates))]
    first, *others = (simulate(DIAMOND, form, 2_000, rng=1) for form in forms)
    assert first.to_frame()["failure_rate"].to_dict() == {"a": 0.1, "b": 0.4, "c": 0, "d": 0, "e": 0, "f": 0}
    for other in others:
        assert same(first, other)
    assert same(simulate(DIAMOND, 0.3, 2_000, rng=1), simulate(DIAMOND, FailureModel(default=0.3), 2_000, rng=1))


@each_engine
@pytest.mark.parametrize("policy", POLICIES)
def test_a_plan_of_nothing_is_released_at_once(engine: Any, policy: Any) -> None:
    for plan in (NO_REPOS, plan_of("ab", released="")):
        found = simulate(plan, 0.5, 100, rng=1, policy=policy, engine=engine, failure_budget=3)
        assert found.counts.to_numpy().tolist() == [[0, 0, 0, 100]]
        assert found.to_frame().empty
        assert (found.to_frame().dtypes == np.float64).all()
        assert found.n_succeeded.tolist() == [0] * 100
        assert found.p_all_succeed == found.p_at_least(share=0.5) == 1
        assert found.summary().loc["succeeded", "mean"] == 0
        assert "0.5" not in repr(found)
        assert found.trial(5).outcome.overall_success
        assert found._repr_html_()
    assert simulate(NO_REPOS, 0.5, until=0.1, rng=1).trials >= 1
    assert compare(NO_REPOS, 0.1, 0.2, trials=10, rng=1).difference == 0


@each_engine
@pytest.mark.parametrize("trials", [1, 63, 64, 65, 4097])
def test_any_number_of_trials_will_do(engine: Any, trials: int) -> None:
    found = simulate(plan_of(nodes="a"), 0.5, trials, rng=3, engine=engine)
    assert found.trials == len(found.n_failed) == found.counts["trials"].sum() == trials
    hits = sum(bool(found.trial(i).failures) for i in range(trials))
    assert found.n_failed.sum() == round(found.to_frame().loc["a", "p_failed"] * trials) == hits
    if trials == 1:
        assert found.summary()["std"].isna().all()
        assert found.summary()["se_mean"].isna().tolist() == [True, True, False]  # the one repo is never skipped
        assert "nan" in repr(found)
    else:
        assert found.n_failed.any()


@each_engine
def test_unreleased_repos_neither_fail_nor_count_but_hand_on(engine: Any) -> None:
    plan = plan_of("ab", "bc", nodes="d", released="acd")
    found = simulate(plan, {"a": 0.5, "b": 1.0, "d": 0.1}, 1_000, rng=1, engine=engine)
    assert found.to_frame().index.tolist() == ["a", "d", "c"]
    assert (found.n_succeeded + found.n_failed + found.n_skipped == 3).all()
    frame = found.to_frame()
    assert frame.loc["c", "p_skipped"] == frame.loc["a", "p_failed"] > 0
    assert frame.loc["c", "p_failed"] == 0


@needs_numba
@pytest.mark.slow
def test_a_chain_of_100_000_repos() -> None:
    names = [f"{number:06}" for number in range(100_000)]
    plan = build_plan(RepoDependencyGraph.from_edges(pairwise(names)), version="1")
    rates = dict.fromkeys(names[::100], 1e-3)
    found, other = (simulate(plan, rates, 130, rng=1, engine=engine) for engine in ("numpy", "numba"))
    assert same(found, other)
    assert found.n_failed.max() == 1
    i = int(found.n_succeeded.argmin())
    assert found.n_succeeded[i] == int(found.trial(i).failures[0])
    assert 50_000 < found.summary().loc["succeeded", "mean"] < 76_000  # exactly 63,200 ± 3,100


@each_engine
def test_many_repos_need_a_smaller_table(engine: Any) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(3_000)]), version="1")
    found = simulate(plan, 0.5, 200, rng=1, engine=engine)
    assert found.counts["trials"].sum() == 200
    assert np.unique(found.n_failed).tolist() == sorted(found.counts["n_failed"])


@each_engine
def test_failures_of_a_repo_do_not_depend_on_who_else_is_planned(engine: Any) -> None:
    few, many = plan_of(nodes="ab"), plan_of("ca", "da", nodes="abz")
    first = simulate(few, 0.3, 5_000, rng=9, engine=engine, policy="continue").to_frame()["p_failed"]
    second = simulate(many, 0.3, 5_000, rng=9, engine=engine, policy="continue").to_frame()["p_failed"]
    assert first.to_dict() == second[["a", "b"]].to_dict()


# ---------------------------------------------------------------------- wrong arguments


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"plan": "a"}, TypeError, "plan is 'a', expected a SequencePlan"),
        ({"plan": None}, TypeError, "plan is None, expected a SequencePlan"),
        ({"plan": DIAMOND.graph}, TypeError, r"plan is RepoDependencyGraph\(.* build_plan\(graph, …\)"),
        ({"model": math.nan}, ValueError, "model is nan, expected a probability from 0 to 1"),
        ({"model": 1.1}, ValueError, "model is 1.1, expected a probability from 0 to 1"),
        ({"model": -0.1}, ValueError, "model is -0.1"),
        ({"model": "x"}, TypeError, "model is 'x', expected a probability, a mapping"),
        ({"model": None}, TypeError, "model is None"),
        ({"model": True}, TypeError, "model is True"),
        ({"model": {"a": 2}}, ValueError, r"rates\['a'\] is 2"),
        ({"trials": 0}, ValueError, f"trials is 0, expected a whole number from 1 to {MAX_TRIALS}"),
        ({"trials": -1}, ValueError, "trials is -1, expected"),
        ({"trials": MAX_TRIALS + 1}, ValueError, f"trials is {MAX_TRIALS + 1}, expected"),
        ({"trials": 1.5}, TypeError, "trials is 1.5, expected a whole number from 1"),
        ({"trials": True}, TypeError, "trials is True, expected"),
        ({"trials": None}, TypeError, "trials is None, expected"),
        ({"trials": "7"}, TypeError, "trials is '7', expected"),
        ({"rng": -1}, ValueError, "rng is -1, expected a whole number from 0"),
        ({"rng": 1.5}, TypeError, "rng is 1.5, expected"),
        ({"rng": True}, TypeError, "rng is True, expected"),
        ({"rng": "7"}, TypeError, "rng is '7', expected"),
        (
            {"policy": "hope"},
            ValueError,
            r"policy is 'hope', expected one of \('skip_dependents', 'stop', 'continue'\)",
        ),
        ({"policy": None}, ValueError, "policy is None"),
        ({"failure_budget": 0}, ValueError, "failure_budget is 0, expected a whole number from 1"),
        ({"failure_budget": 1.5}, TypeError, "failure_budget is 1.5"),
        ({"failure_budget": True}, TypeError, "failure_budget is True"),
        ({"attempts": 0}, ValueError, "attempts is 0, expected a whole number from 1"),
        ({"attempts": None}, TypeError, "attempts is None"),
        ({"attempts": True}, TypeError, "attempts is True"),
        ({"until": 0}, ValueError, "until is 0, expected a standard error above 0"),
        ({"until": -1}, ValueError, "until is -1, expected"),
        ({"until": math.nan}, ValueError, "until is nan, expected"),
        ({"until": math.inf}, ValueError, "until is inf, expected"),
        ({"until": 1e-9}, ValueError, f"until is 1e-09, which may take more than {MAX_TRIALS} trials"),
        ({"until": "x"}, TypeError, "until is 'x', expected"),
        ({"until": True}, TypeError, "until is True, expected"),
        ({"engine": "gpu"}, ValueError, r"engine is 'gpu', expected one of \('auto', 'numpy', 'numba'\)"),
        ({"engine": None}, ValueError, "engine is None"),
        ({"executor": 0}, ValueError, "executor is 0, expected a whole number from 1"),
        ({"executor": -2}, ValueError, "executor is -2"),
        ({"executor": 1.5}, TypeError, "executor is 1.5, expected an executor, a number of threads or None"),
        ({"executor": True}, TypeError, "executor is True"),
        ({"executor": "processes"}, TypeError, "executor is 'processes'"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        simulate(**{"plan": DIAMOND, "model": 0.1, "trials": 100, "rng": 1, **arguments})


@pytest.fixture
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def find(name: str, *rest: Any) -> Any:
        return None if name == "numba" else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", find)


@pytest.mark.usefixtures("without_numba")
def test_without_numba_numpy_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImportError, match=r'engine="numba" needs numba.*pip install "seqkit-py\[fast\]"'):
        simulate(DIAMOND, 0.1, 100, rng=1, engine="numba")
    with pytest.raises(ImportError, match="seqkit-py"):
        compare(DIAMOND, 0.1, 0.2, trials=100, rng=1, engine="numba")
    monkeypatch.setattr(driver, "_WORTH_COMPILING", 0)
    assert driver.chosen_engine("auto", 1e15) == "numpy"
    assert simulate(DIAMOND, 0.1, 100, rng=1).trials == 100


@needs_numba
def test_auto_takes_numba_where_it_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "seqkit.analysis.montecarlo.numba_kernel", raising=False)
    assert driver.chosen_engine("auto", 1) == "numpy"
    assert driver.chosen_engine("auto", 1e12) == "numba"
    assert driver.chosen_engine("numpy", 1e12) == "numpy"
    assert driver.chosen_engine("numba", 1) == "numba"


# ---------------------------------------------------------------------- until


@pytest.mark.parametrize("until", [0.01, 0.003, 0.001, np.float64(0.002)])
@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_until_stops_where_the_mean_is_known_well_enough(until: float, rate: float) -> None:
    found = simulate(DIAMOND, rate, until=until, rng=4)
    row = found.summary().loc["succeeded"]
    assert row["se_mean"] / 6 < until
    assert found.trials <= 16_384 or row["std"] / 6 / math.sqrt(found.trials / 1.3) > until  # not much too late
    assert same(found, simulate(DIAMOND, rate, trials=found.trials, rng=4))


def test_until_goes_on_where_more_is_asked() -> None:
    trials = [simulate(DIAMOND, 0.3, until=until, rng=4).trials for until in (0.01, 0.001, 0.0003)]
    assert trials == sorted(trials)
    assert trials[-1] > 5 * trials[1] > 5 * trials[0]


def test_nothing_seen_is_not_taken_for_certain() -> None:
    found = simulate(DIAMOND, 1e-9, until=1e-5, rng=4)
    assert found.counts["n_failed"].tolist() == [0]
    assert found.trials > 50_000  # imaginary runs alone have an error of some 1.2 / trials
    assert found.trials < 200_000
    assert found.summary().loc["succeeded", "se_mean"] / 6 < 1e-5
    assert simulate(DIAMOND, 1e-9, until=1e-3, rng=4).trials < found.trials


# ---------------------------------------------------------------------- behaviour


def peak_memory(plan: Any, trials: int, engine: Any) -> int:
    tracemalloc.start()
    try:
        simulate(plan, 0.01, trials, rng=1, engine=engine, executor=1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("engine", "repos", "few", "many"),
    [
        ("numpy", 3, 400_000, 4_000_000),
        ("numpy", 200, 500_000, 1_500_000),
        pytest.param("numba", 3, 400_000, 20_000_000, marks=needs_numba),
        pytest.param("numba", 2_000, 800_000, 2_400_000, marks=needs_numba),
        pytest.param("numba", 2_000, 800_000, 4_000_000, marks=[needs_numba, pytest.mark.slow]),
    ],
)
def test_memory_does_not_grow_with_the_trials(engine: Any, repos: int, few: int, many: int) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(repos)]), version="1")
    peak_memory(plan, 10_000, engine)  # imports and caches
    assert peak_memory(plan, many, engine) < 1.5 * peak_memory(plan, few, engine)


@needs_numba
def test_memory_does_not_grow_with_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(2_000)]), version="1")
    monkeypatch.setattr(driver, "_PER_SECOND", {"numba": 1.0})
    monkeypatch.setattr(driver, "_ROUND", 64)
    peak_memory(plan, 64, "numba")
    assert peak_memory(plan, 64 * 400, "numba") < 1.5 * peak_memory(plan, 64 * 100, "numba")


def test_short_runs_write_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    simulate(DIAMOND, 0.1, 50_000, rng=1)
    simulate(DIAMOND, 0.1, until=0.001, rng=1)
    compare(DIAMOND, 0.1, 0.2, trials=10_000, rng=1)
    assert capfd.readouterr() == ("", "")


def test_long_runs_show_their_progress_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def impatient(**options: Any) -> Any:
        asked.update(options)
        return Bar(**{**options, "delay": 0, "mininterval": 0})

    shown = io.StringIO()
    monkeypatch.setattr("seqkit._util.progress.Bar", impatient)
    monkeypatch.setattr(driver, "_PER_SECOND", {"numpy": 1.0, "numba": 1.0})
    monkeypatch.setattr(sys, "stderr", shown)
    simulate(DIAMOND, 0.1, 100_000, rng=1, executor=1)
    assert "100%" in shown.getvalue()
    assert "simulating" in shown.getvalue()
    assert asked["delay"] == 1
    assert asked["total"] == 100_000


def threads_of_ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("seqkit-simulate")]


@pytest.mark.parametrize("executor", [1, 2, None])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, executor: int | None, error: type[BaseException]
) -> None:
    ran = []
    kernel = numpy_kernel.run

    def interrupted(experiment: Any, first_word: int, trials: int, arrays: bool = False) -> Any:
        ran.append(threading.current_thread().name)
        if first_word > 2_000:
            raise error
        return kernel(experiment, first_word, trials, arrays)

    monkeypatch.setattr(numpy_kernel, "run", interrupted)
    monkeypatch.setattr(driver, "_PER_SECOND", {"numpy": 1.0, "numba": 1.0})
    for call in (
        lambda: simulate(DIAMOND, 0.1, 10_000_000, rng=1, engine="numpy", executor=executor),
        lambda: compare(DIAMOND, 0.1, 0.2, trials=10_000_000, rng=1, engine="numpy", executor=executor),
    ):
        ran.clear()
        with pytest.raises(error):
            call()
        assert len(ran) < 200
        assert threads_of_ours() == []
    assert executor == 1 or any(name.startswith("seqkit-simulate") for name in ran)


def test_an_interrupt_gives_up_what_a_foreign_executor_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, ran = numpy_kernel.run, []

    def interrupted(experiment: Any, first_word: int, trials: int, arrays: bool = False) -> Any:
        ran.append(first_word)
        if first_word > 500:
            raise KeyboardInterrupt
        return kernel(experiment, first_word, trials, arrays)

    monkeypatch.setattr(numpy_kernel, "run", interrupted)
    monkeypatch.setattr(driver, "_PER_SECOND", {"numpy": 1.0, "numba": 1.0})
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            simulate(DIAMOND, 0.1, 10_000_000, rng=1, engine="numpy", executor=pool)
        assert pool.submit(int, "7").result() == 7  # it is the caller's, and still works
    assert len(ran) < 1_000


INTERRUPTED = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may inherit that it is ignored
from seqkit import RepoDependencyGraph, build_plan, simulate
from seqkit.analysis.montecarlo import numpy_kernel
kernel = numpy_kernel.run
def told(*arguments):
    print("begun", flush=True)
    return kernel(*arguments)
numpy_kernel.run = told
plan = build_plan(RepoDependencyGraph.from_edges([], nodes=map(str, range(300))), version="1")
for threads in (1, 2):  # in this thread, and in others
    try:
        simulate(plan, 0.1, 10**10, rng=1, engine="numpy", executor=threads)
    except KeyboardInterrupt:
        print("left", [t.name for t in threading.enumerate() if "seqkit" in t.name], flush=True)
sys.exit(3)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_a_signal_ends_a_run_soon() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            for _ in range(2):
                for _ in range(5):  # well after the threads have started
                    assert child.stdout.readline() == "begun\n"
                child.send_signal(signal.SIGINT)
                told = next(line for line in child.stdout if line != "begun\n")
                assert told == "left []\n"
            _, err = child.communicate(timeout=60)
        finally:
            child.kill()
    assert child.returncode == 3, err


# ---------------------------------------------------------------------- compare

MODELS = (FailureModel(default=0.2), FailureModel(rates={"a": 0.05}, default=0.2))


def test_every_form_of_a_comparison_means_the_same() -> None:
    forms = [
        compare(DIAMOND, *MODELS, trials=3_000, rng=1),
        compare(*MODELS, plan=DIAMOND, trials=3_000, rng=1),
        compare(MODELS[0], b=MODELS[1], plan=DIAMOND, trials=3_000, rng=1),
    ]
    for form in forms:
        assert form.plans == (DIAMOND, DIAMOND)
        assert form.models == MODELS
        assert (form.trials, form.seed) == (3_000, 1)
        assert form.to_frame().equals(forms[0].to_frame())
    plans = compare(DIAMOND, DIAMOND.without("b"), 0.2, trials=3_000, rng=1)
    assert plans.plans == (DIAMOND, DIAMOND.without("b"))
    assert plans.models[0] == plans.models[1] == FailureModel(default=0.2)
    numbers = compare(0.2, {"a": 0.1}, plan=DIAMOND, trials=10, rng=1)
    assert numbers.models == (FailureModel(default=0.2), FailureModel(rates={"a": 0.1}))


SETTINGS: list[dict[str, Any]] = [
    {},
    {"policy": ("skip_dependents", "stop")},
    {"policy": "continue", "failure_budget": (None, 2)},
    {"attempts": (1, 2), "failure_budget": 3},
    {"policy": ("continue", "skip_dependents"), "failure_budget": (1, 2), "attempts": (2, 1)},
]


@each_engine
@pytest.mark.parametrize("rules", SETTINGS, ids=str)
@pytest.mark.parametrize("other", [DIAMOND, DIAMOND.without("b"), plan_of("af", "bf", nodes="z")])
def test_a_comparison_is_the_difference_of_two_simulations(engine: Any, rules: dict[str, Any], other: Any) -> None:
    trials = 3_001
    model = FailureModel(default=0.2, common_causes=[CommonCause("ci", 0.1, list("acz"))])
    sides = [
        {name: value[side] if isinstance(value, tuple) else value for name, value in rules.items()} for side in (0, 1)
    ]
    a = simulate(DIAMOND, model, trials, rng=6, engine=engine, **sides[0])
    b = simulate(other, model, trials, rng=6, engine=engine, **sides[1])
    found = compare(DIAMOND, other, model, trials=trials, rng=6, engine=engine, **rules)
    frame = found.to_frame()
    assert frame.index.tolist() == ["n_succeeded", "n_failed", "n_skipped", "share_succeeded", "all_succeeded"]
    columns = ["a", "se_a", "b", "se_b", "difference", "se_difference", "variance_reduction"]
    assert sorted(frame.columns) == sorted(columns)
    assert (frame.dtypes == np.float64).all()
    assert frame.index.name == "measure"
    for measure, row in frame.iterrows():
        x, y = values(a, str(measure)), values(b, str(measure))
        error = math.sqrt(trials)
        spread = 12 if str(measure).startswith("n_") else 2
        assert np.isclose(row["a"], x.mean(), rtol=1e-12)
        assert np.isclose(row["b"], y.mean(), rtol=1e-12)
        for own, name in ((x, "se_a"), (y, "se_b"), (y - x, "se_difference")):
            # Between that of the trials alone and that with four which lie as far out as can be.
            most = math.hypot(own.std(), 2 * spread / error) / error
            assert own.std() / error * (1 - 2 / trials) <= row[name] <= most * (1 + 1e-9) or row[name] == 0
        assert np.isclose(row["difference"], (y - x).mean(), rtol=1e-9, atol=1e-14)
        if (y - x).any():
            reduction = (x.var() + y.var()) / (y - x).var()
            assert np.isclose(row["variance_reduction"], reduction, rtol=1e-9)
        else:
            assert row["variance_reduction"] == math.inf
    exactly = (int(b.n_succeeded.sum()) - int(a.n_succeeded.sum())) / trials
    assert found.difference == exactly
    assert found.difference.se == frame.loc["n_succeeded", "se_difference"]
    assert found.variance_reduction == frame.loc["n_succeeded", "variance_reduction"]
    assert frame.loc["n_succeeded", "a"] == a.summary().loc["succeeded", "mean"]


def values(side: Simulation, measure: str) -> Any:
    if measure.startswith("n_"):
        return getattr(side, measure).astype(float)
    n = len(side.plan.released)
    return side.n_succeeded / n if measure == "share_succeeded" else (side.n_succeeded == n).astype(float)


def test_identical_sides_differ_by_nothing() -> None:
    found = compare(DIAMOND, DIAMOND, 0.2, trials=2_000, rng=1)
    assert (found.difference, found.difference.se) == (0, 0)
    assert found.variance_reduction == math.inf
    frame = found.to_frame()
    assert (frame["difference"] == 0).all()
    assert (frame["se_difference"] == 0).all()
    assert (frame["a"] == frame["b"]).all()
    for told in (repr(found), found._repr_html_()):
        assert "as many repos as a in every run" in told
        assert not {"inf", "nan", "± 0"} & set(re.split(r"[ ,;<>()]", told))
        assert "± 0<" not in told


def test_common_random_numbers_pay() -> None:
    names = [f"r{i:02}" for i in range(40)]
    plan = build_plan(RepoDependencyGraph.from_edges(zip(names, names[3:], strict=False)), version="1")
    found = compare(plan, 0.05, FailureModel(rates={"r20": 0.04}, default=0.05), trials=20_000, rng=1)
    assert found.variance_reduction > 100
    unpaired = math.hypot(*found.to_frame().loc["n_succeeded", ["se_a", "se_b"]])
    assert math.isclose(found.variance_reduction, (unpaired / found.difference.se) ** 2, rel_tol=0.1)
    exact = analyze(plan, found.models[1]).expected.succeeded - analyze(plan, 0.05).expected.succeeded
    assert abs(found.difference - exact) < 5 * found.difference.se < unpaired


def test_sides_are_coupled_repo_by_repo() -> None:
    """What is harder to fail never fails more, and what one side leaves out does not disturb the rest."""
    plan = plan_of("ab", "cd", nodes="xyz")
    fewer = plan_of("cd", nodes="yz")
    a, b = (simulate(one, 0.3, 4_000, rng=2) for one in (plan, fewer))
    for repo in fewer.released:
        assert a.to_frame().loc[repo].equals(b.to_frame().loc[repo])
    for i in range(200):
        assert [repo for repo in a.trial(i).failures if repo in "cdyz"] == [*b.trial(i).failures]
    higher = simulate(plan, 0.4, 4_000, rng=2)
    assert (higher.n_succeeded <= a.n_succeeded).all()
    assert (higher.n_succeeded < a.n_succeeded).any()
    retried = simulate(plan, 0.3, 4_000, rng=2, attempts=2)
    assert (retried.n_succeeded >= a.n_succeeded).all()


def test_shares_of_large_plans_are_exact() -> None:
    """Whole numbers over a common denominator are large: their squares must not overflow."""
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(10_000)]), version="1")
    row = compare(plan, 0.0, 0.01, trials=1_024, rng=1, engine="numpy").to_frame().loc["share_succeeded"]
    assert (row["a"], row["se_a"]) == (1, 0)
    assert math.isclose(row["b"], 0.99, abs_tol=1e-4)
    assert math.isclose(row["se_b"], 0.000995 / math.sqrt(1_024), rel_tol=0.1)
    assert row["se_difference"] == row["se_b"]


def test_a_single_trial_has_no_error() -> None:
    frame = compare(DIAMOND, 0.1, 0.2, trials=1, rng=1).to_frame()
    assert frame[["se_a", "se_b", "se_difference", "variance_reduction"]].isna().all(axis=None)
    assert frame[["a", "b", "difference"]].notna().all(axis=None)


FORMS = (
    r"expected compare\(plan_a, plan_b, model\), compare\(plan, model_a, model_b\) "
    r"or compare\(model_a, model_b, plan=plan\)"
)


@pytest.mark.parametrize(
    ("positional", "arguments", "kind", "message"),
    [
        ((DIAMOND, DIAMOND), {}, TypeError, FORMS),
        ((0.1, 0.2), {}, TypeError, "a: float, b: float"),
        ((0.1, 0.2, 0.3), {"plan": DIAMOND}, TypeError, FORMS),
        ((DIAMOND, 0.2), {"plan": DIAMOND}, TypeError, "a: SequencePlan, b: float"),
        ((DIAMOND, DIAMOND, 0.1), {"plan": DIAMOND}, TypeError, FORMS),
        ((0.1, DIAMOND, 0.1), {}, TypeError, FORMS),
        ((None, None), {"plan": DIAMOND}, TypeError, FORMS),
        ((0.1, 0.2), {"plan": "jest29"}, TypeError, "plan: str"),
        ((DIAMOND, 0.1, "x"), {}, TypeError, "model is 'x'"),
        ((DIAMOND, "x", 0.1), {}, TypeError, "b is 'x'"),
        ((0.1, math.nan), {"plan": DIAMOND}, ValueError, "b is nan"),
        ((7.0, 0.1), {"plan": DIAMOND}, ValueError, "a is 7.0"),
        ((DIAMOND, 0.1, 0.2), {"policy": ("stop",)}, ValueError, r"\('stop',\), expected one value or a pair"),
        ((DIAMOND, 0.1, 0.2), {"policy": ("stop", "hope")}, ValueError, "policy is 'hope'"),
        ((DIAMOND, 0.1, 0.2), {"attempts": (1, 2, 3)}, ValueError, r"\(1, 2, 3\), expected one value or a pair"),
        ((DIAMOND, 0.1, 0.2), {"attempts": (1, 0)}, ValueError, "attempts is 0"),
        ((DIAMOND, 0.1, 0.2), {"failure_budget": (0, None)}, ValueError, "failure_budget is 0"),
        ((DIAMOND, 0.1, 0.2), {"trials": 0}, ValueError, "trials is 0"),
        ((DIAMOND, 0.1, 0.2), {"trials": 1.5}, TypeError, "trials is 1.5"),
        ((DIAMOND, 0.1, 0.2), {"rng": "x"}, TypeError, "rng is 'x'"),
        ((DIAMOND, 0.1, 0.2), {"engine": "gpu"}, ValueError, "engine is 'gpu'"),
        ((DIAMOND, 0.1, 0.2), {"executor": 0}, ValueError, "executor is 0"),
    ],
    ids=str,
)
def test_wrong_comparisons_are_named(
    positional: tuple[Any, ...], arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        compare(*positional, **{"trials": 100, "rng": 1, **arguments})


def test_a_comparison_reads_well() -> None:
    better = compare(DIAMOND, *MODELS, trials=10_000, rng=1)
    worse = compare(DIAMOND, *MODELS[::-1], trials=10_000, rng=1)
    assert better.difference == -worse.difference > 0
    assert "more repos than a" in repr(better)
    assert "fewer repos than a" in repr(worse)
    for part in ("10,000 paired trials", "seed 1", "less variance than unpaired"):
        assert part in repr(better)
        assert part in better._repr_html_()


def test_the_first_look_of_until_is_at_whole_words() -> None:
    assert simulation._FIRST_ROUND % 64 == 0
    assert driver._ROUND % 64 == 0


def test_numpy_numbers_are_numbers() -> None:
    for engine in ("numpy", "auto"):
        ours = simulate(DIAMOND, 0.3, 500, rng=1, failure_budget=2, attempts=2, executor=2, engine=engine)
        theirs = simulate(
            DIAMOND, 0.3, 500, 1, "skip_dependents", np.int64(2), np.int64(2), None, engine, executor=np.int64(2)
        )
        assert ours.counts.equals(theirs.counts)


def test_a_result_outlives_the_executor_it_came_from() -> None:
    with ThreadPoolExecutor(2) as pool:
        simulation = simulate(DIAMOND, 0.3, 5_000, rng=1, executor=pool)
    assert np.array_equal(simulation.n_failed, simulate(DIAMOND, 0.3, 5_000, rng=1).n_failed)
    assert pickle.loads(pickle.dumps(simulation)).counts.equals(simulation.counts)


def test_what_a_result_keeps_cannot_be_changed_from_outside() -> None:
    simulation = simulate(DIAMOND, 0.3, 500, rng=1)
    counts = simulation.counts
    counts["trials"] = 0
    assert simulation.counts["trials"].sum() == 500
    with pytest.raises(ValueError, match="read-only"):
        simulation.n_failed[:] = 99


def test_attempts_that_would_fill_the_memory_are_refused() -> None:
    with pytest.raises(ValueError, match=r"attempts is 1000000000, expected at most .*analyze"):
        simulate(DIAMOND, 0.3, 100, attempts=10**9)


def test_a_kernel_that_another_thread_is_importing_is_not_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "seqkit.analysis.montecarlo.numba_kernel", ModuleType("half imported"))
    assert simulate(DIAMOND, 0.3, 100, rng=1).trials == 100


def test_what_was_seen_never_or_always_is_not_called_certain() -> None:
    assert "seen in every trial: with 95 % confidence above 0.970" in repr(simulate(DIAMOND, 1e-9, 100, rng=1))
    assert "seen in no trial: with 95 % confidence below 0.03)" in repr(simulate(DIAMOND, 1 - 1e-9, 100, rng=1))
    assert "6 (the same in every trial: with 95 % confidence above 5.82)" in repr(simulate(DIAMOND, 1e-9, 100, rng=1))


def test_what_is_certain_is_called_exact() -> None:
    assert "exactly 6 of 6 repos released, all with probability exactly 1;" in repr(simulate(DIAMOND, 0.0, 100, rng=1))
    assert "exactly 0 of 6 repos released, all with probability exactly 0;" in repr(simulate(DIAMOND, 1.0, 100, rng=1))
    half = simulate(DIAMOND, {"b": 1.0, "f": 0.5}, 100, rng=1)
    assert (half.p_all_succeed, half.p_all_succeed.exact, half.p_at_least(k=2).exact) == (0, True, True)
    assert not half.p_at_least(k=3).exact
    errors = half.to_frame()[["se_succeeded", "se_failed", "se_skipped"]]
    assert (errors.drop("f") == 0).all(axis=None)
    assert (errors.loc["f"] > 0).tolist() == [True, True, False]


_SAME_BITS = """
import sys
if {blocked}:
    sys.modules["numba"] = None  # importing it fails
import hashlib
import seqkit
from seqkit.analysis.montecarlo import driver
graph = seqkit.RepoDependencyGraph.from_edges([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")])
plan = seqkit.build_plan(graph, version="1.0")
model = seqkit.FailureModel(
    {{"a": 0.1, "d": 0.3}}, default=0.02, common_causes=[seqkit.CommonCause("ci", 0.05, ["b", "c"])]
)
for policy, budget, attempts in (("skip_dependents", None, 1), ("stop", None, 2), ("skip_dependents", 2, 3)):
    for engine in ({engines}):
        found = seqkit.simulate(
            plan, model, 10_000, rng=7, policy=policy, failure_budget=budget, attempts=attempts, engine=engine
        )
        frames = found.to_frame().to_csv() + found.summary().to_csv() + repr(found.trial(4_321))
        print(policy, budget, attempts, hashlib.sha256(frames.encode()).hexdigest())
assert ("numba" in sys.modules and sys.modules["numba"] is not None) != {blocked}
"""


@needs_numba
def test_numbers_are_the_same_bit_for_bit_where_numba_cannot_be_imported(capsys: pytest.CaptureFixture[str]) -> None:
    blocked = _SAME_BITS.format(blocked=True, engines="'numpy', 'auto'")
    done = subprocess.run([sys.executable, "-W", "error", "-c", blocked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    exec(_SAME_BITS.format(blocked=False, engines="'numba', 'numba'"), {})  # in this process, which has numba
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 6
    assert told == done.stdout.splitlines()


@pytest.mark.parametrize("model", [0.5, {"b": 1.0}, {"a": 0.9, "b": 1.0}])
def test_a_million_attempts_are_as_good_as_those_that_count(model: Any) -> None:
    most, some = (simulate(DIAMOND, model, 2_000, rng=3, attempts=k, engine="numpy") for k in (1_000_000, 1_200))
    assert most.to_frame().equals(some.to_frame())
    assert most.counts.equals(some.counts)


def test_no_more_keys_are_drawn_than_tries_can_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    stream = draws.stream
    monkeypatch.setattr(draws, "stream", lambda *address: (drawn.append(1), stream(*address))[1])
    simulate(DIAMOND, 0.5, 100, rng=3, attempts=1_000_000, engine="numpy")
    assert len(drawn) < 1_000
    with pytest.raises(ValueError, match="attempts is 1000000, expected at most 10000"):
        simulate(DIAMOND, 0.9999, 100, attempts=1_000_000)
