"""Ways to release, ranked on the same random numbers."""

from __future__ import annotations

import math
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from seqkit import CommonCause, FailureModel, RepoDependencyGraph, UnknownRepo, build_plan, compare, simulate
from seqkit import compare_many as ranked

GRAPH = RepoDependencyGraph.from_edges([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")], nodes=["f"])
PLAN = build_plan(GRAPH, version="1")
CAUSES = FailureModel(default=0.2, common_causes=[CommonCause("ci", 0.1, ["a", "f"])])
WAYS: dict[str, Any] = {
    "as it is": (PLAN, 0.2),
    "stop": (PLAN, 0.2, {"policy": "stop"}),
    "harden a": (PLAN, {"a": 0.1, **dict.fromkeys("bcdef", 0.2)}),
    "without b": (PLAN.without("b"), 0.2, {"attempts": 1}),
    "again": (PLAN, 0.2, {}),
    "outages": (PLAN, CAUSES, {"failure_budget": 3, "attempts": 2}),
}


def test_ranks_are_those_of_the_simulations_and_pairs_those_of_the_comparison() -> None:
    frame = ranked(WAYS, rng=3, trials=3_001)
    assert frame.columns.tolist() == ["mean", "se_mean", "difference", "se", "low", "high", "rank"]
    assert frame.index.name == "name"
    assert frame["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert frame["mean"].is_monotonic_decreasing
    plan, model, *more = WAYS[frame.index[0]]
    for name, row in frame.iterrows():
        own, rates, *rest = WAYS[str(name)]
        alone = simulate(own, rates, 3_001, rng=3, **(rest[0] if rest else {})).expected.succeeded
        assert (row["mean"], row["se_mean"]) == (float(alone), pytest.approx(alone.se))
        terms = [{"policy": "skip_dependents", "failure_budget": None, "attempts": 1, **one} for one in
                 (more[0] if more else {}, rest[0] if rest else {})]  # fmt: skip
        if plan is own or rates == model:
            pair: Any = (plan, own, rates) if rates == model else (plan, model, rates)
            keywords: Any = {key: (terms[0][key], terms[1][key]) for key in terms[0]}
            found = compare(*pair, trials=3_001, rng=3, **keywords).difference
            assert row["difference"] == found
            assert math.isclose(row["se"], found.se)
            assert (row["low"], row["high"]) == pytest.approx(found.interval())
    assert (frame.loc[frame.index[0], ["difference", "se", "low", "high"]] == 0).all()
    assert (frame["difference"] == frame["mean"] - frame["mean"].iloc[0]).all() or np.allclose(
        frame["difference"], frame["mean"] - frame["mean"].iloc[0], atol=1e-12
    )


def test_what_is_alike_stays_in_the_order_given_and_differs_by_nothing_exactly() -> None:
    frame = ranked({"z": (PLAN, 0.2), "a": (PLAN, 0.2, {"attempts": 1})}, rng=1, trials=500)
    assert frame.index.tolist() == ["z", "a"]
    assert (frame[["difference", "se", "low", "high"]] == 0).all(axis=None)


def test_more_repos_are_ahead_by_their_number() -> None:
    frame = ranked({"few": (PLAN.without("f"), 0.0), "all": (PLAN, 0.0)}, rng=1, trials=100)
    assert frame["mean"].to_dict() == {"all": 6, "few": 5}
    assert frame.loc["few", ["difference", "se", "low", "high"]].tolist() == [-1, 0, -1, -1]


def test_numbers_do_not_hang_on_who_counts() -> None:
    with ThreadPoolExecutor(2) as pool:
        several = ranked(WAYS, rng=3, trials=20_000, executor=pool, engine="numpy")
    assert several.equals(ranked(WAYS, rng=3, trials=20_000, executor=1, engine="numpy"))


def test_a_name_that_another_plan_of_the_call_has_is_known() -> None:
    rates = {"a": 0.1, "b": 0.1}
    with warnings.catch_warnings(action="error"):
        ranked({"all": (PLAN, rates), "few": (PLAN.without("b"), rates)}, rng=1, trials=10)
    with pytest.warns(UnknownRepo, match="the model of options") as told:
        ranked({"x": (PLAN, {"aa": 0.1, "b": 0.1})}, rng=1, trials=10)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ([(PLAN, 0.1)], TypeError, "options is .*, expected a mapping from a name to"),
        ({}, ValueError, "options is empty"),
        ({1: (PLAN, 0.1)}, TypeError, "options has the key 1, expected a name"),
        ({"x": PLAN}, TypeError, r"options\['x'\] is .*, expected \(plan, model\) or"),
        ({"x": (0.1, PLAN)}, TypeError, r"options\['x'\], the plan, is 0.1, expected a SequencePlan"),
        ({"x": (PLAN, 7)}, ValueError, r"the model of options\['x'\] is 7, expected a probability"),
        ({"x": (PLAN, 0.1, 2)}, TypeError, r"options\['x'\] has the keywords 2, expected a mapping"),
        ({"x": (PLAN, 0.1, {"retries": 2})}, ValueError, "has the keywords 'retries', expected some of 'attempts'"),
        ({"x": (PLAN, 0.1, {"policy": "hope"})}, ValueError, r"options\['x'\]: policy is 'hope'"),
        ({"x": (PLAN, {"nobody": 0.1})}, ValueError, r"the model of options\['x'\]"),
    ],
)
def test_wrong_options_are_named(options: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        ranked(options, rng=1, trials=10)
    for more, what in (({"trials": 0}, "trials is 0"), ({"engine": "gpu"}, "engine is 'gpu'")):
        with pytest.raises(ValueError, match=what):
            ranked({"x": (PLAN, 0.1)}, rng=1, **more)
