"""Levers, each against the change done by hand and tried in every combination."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from seqkit import (
    CommonCause,
    FailureModel,
    RepoDependencyGraph,
    UnknownRepo,
    analyze,
    build_plan,
    levers,
    load_dataset,
)
from tests.analysis.test_exact import seeded
from tests.analysis.test_goals import number_of
from tests.tools.brute import brute_force


def by_hand(case: Any, of: Any, row: Any, to: float) -> Fraction:
    """The goal where that is done."""
    plan, model, attempts = case
    number, _ = number_of(of, len(plan.released))
    repo = row["repo_id"]
    if row["action"] == "harden":
        harder = replace(model, rates={**model.rates, repo: model.rate(repo) * to})
        return number(brute_force(plan, harder, attempts))
    if row["action"] == "retry":
        tries = {each: attempts + (each == repo) for each in plan.released}
        return number(brute_force(plan, model, tries))
    if row["action"] == "drop":
        return number(brute_force(plan.without([repo]), model, attempts))
    change = {
        "end cause": lambda c: replace(c, probability=0),
        "halve severity": lambda c: replace(c, severity=c.severity / 2),
    }
    causes = [change[row["action"]](c) if c.name == row["cause"] else c for c in model.common_causes]
    return number(brute_force(plan, replace(model, common_causes=causes), attempts))


def check(case: Any, of: Any, to: float) -> None:
    plan, model, _ = case
    number, _ = number_of(of, len(plan.released))
    now = float(number(brute_force(*case)))
    table = levers(*case, of=of, to=to)
    assert len(table) == 3 * len(plan.released) + 2 * len(model.common_causes)
    assert table["gain"].is_monotonic_decreasing
    for _, row in table.iterrows():
        assert row["before"] == pytest.approx(now, rel=1e-12, abs=1e-13)
        assert row["after"] == pytest.approx(float(by_hand(case, of, row, to)), rel=1e-12, abs=1e-13), dict(row)
        assert row["after"] - row["before"] == pytest.approx(row["gain"], abs=1e-13)


@pytest.mark.parametrize("seed", range(8))
def test_every_lever_does_what_the_change_itself_does(seed: int) -> None:
    case = seeded(seed, n=4, causes=seed % 3)
    for of in ("expected", "all", *([1 + seed % 2] if len(case[0].released) > 1 else [])):
        check(case, of, (0.5, 0.0, 0.3)[seed % 3])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8, 160))
def test_every_lever_of_many_plans(seed: int) -> None:
    case = seeded(seed, n=3 + seed % 4, causes=seed % 3)
    for of in ("expected", "all", *([1 + seed % 2] if len(case[0].released) > 1 else [])):
        check(case, of, (0.5, 0.0, 0.3)[seed % 3])


def test_the_best_together_are_chosen_one_after_the_other() -> None:
    kf5 = build_plan(load_dataset("kf5").graph)
    model = FailureModel(default=0.02, common_causes=[CommonCause("ci", 0.05, kf5.released[:40])], hard=0.5)
    table = levers(kf5, model, together=4)
    assert table["before"].iloc[0] == pytest.approx(analyze(kf5, model).expected.succeeded)
    assert table["after"].to_numpy()[:-1] == pytest.approx(table["before"].to_numpy()[1:])
    first = levers(kf5, model).iloc[0]
    pd.testing.assert_series_equal(table.iloc[0], first, check_names=False)
    assert not table[["action", "repo_id", "cause"]].duplicated().any()
    perfect = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    assert levers(perfect, 0.0, together=3).empty, "nothing would help"


def test_a_retry_buys_nothing_of_what_is_broken() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    table = levers(plan, FailureModel({"core": 0.2, "api": 0.1}, hard=1.0)).set_index(["action", "repo_id"])
    assert table.loc[("retry", "core"), "gain"] == 0.0
    assert table.loc[("harden", "core"), "gain"] == pytest.approx(0.1 * 1.9)
    assert table.loc[("drop", "core"), "gain"] == pytest.approx(0.2 * 0.9 - 0.8)


def test_trains_in_sequence_have_levers_too() -> None:
    plan, model, attempts = seeded(2, n=5, causes=2)
    parts = plan.split(plan.released[:2])
    table = levers(parts, model, attempts)
    best = table.iloc[0]
    whole = analyze(parts, model, attempts)
    assert best["before"] == pytest.approx(whole.expected.succeeded)
    exact = by_hand((whole.plan, model, attempts), "expected", best, 0.5)
    assert best["after"] == pytest.approx(float(exact), rel=1e-12)


def test_arguments_are_read() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")
    with pytest.raises(ValueError, match=r"to is 1.5, expected a number from 0 to 1"):
        levers(plan, 0.1, to=1.5)
    with pytest.raises(TypeError, match=r"to is 'half', expected a number"):
        levers(plan, 0.1, to="half")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"together is 0, expected a whole number from 1"):
        levers(plan, 0.1, together=0)
    with pytest.raises(TypeError, match=r"plan is .*expected a SequencePlan"):
        levers("core", 0.1)  # type: ignore[arg-type]
    with pytest.warns(UnknownRepo, match="croe"):
        levers(plan, {"croe": 0.1, "api": 0.2})
    assert list(levers(plan, 0.1).columns) == ["action", "repo_id", "cause", "before", "after", "gain", "change"]
