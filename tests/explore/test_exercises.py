"""Exercises about a plan: those that make sense are there, any right answer is right, and any answer gets a word."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, SequencePlan, analyze, build_plan, simulate, what_if
from seqkit.explore import Exercises
from seqkit.explore.exercise_questions import Average, BlockedBy, MayStart, Reliable
from seqkit.explore.questions import InOrder, Skipped
from tests.tools.strategies import Train, ancestors, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site")])
PLAN = build_plan(GRAPH, version="1")  # core, api, docs, app, site
PARTIAL = build_plan(GRAPH, [("core", "1"), ("app", "1"), ("docs", "1")])  # api stands between, unreleased
ORDER, START, REACH, AVERAGE, RELIABLE, LEDGER = range(1, 7)


def alone(n: int) -> SequencePlan:
    """Repos that need nothing."""
    return build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{i}" for i in range(n)]), version="1")


def test_all_six_of_a_plan_with_something_to_it() -> None:
    exercises = Exercises(PLAN)
    kinds = [type(each.question) for each in exercises.kept]
    assert kinds == [InOrder, MayStart, Skipped, Average, Reliable, BlockedBy]
    assert exercises.left_out == {}
    for number, each in enumerate(exercises.kept, 1):
        if not isinstance(each.question, Average):
            assert exercises.check(number, each.question.solution)
    assert repr(exercises) == "Exercises(6: 5 right, 1 not done yet)"
    exercises.check(LEDGER, ["docs"])
    assert repr(exercises) == "Exercises(6: 4 right, 1 not right, 1 not done yet)", "the last answer counts"


def test_any_valid_order_is_right() -> None:
    exercises, above = Exercises(PLAN), ancestors(list(GRAPH), list(GRAPH.edges))
    for order in permutations(GRAPH):
        valid = not any(above[repo] & set(order[i:]) for i, repo in enumerate(order))
        assert bool(exercises.check(ORDER, iter(order))) is valid
    assert repr(exercises.check(ORDER, ["core", "api"])) == (
        "Exercise 1: not right. docs, app, site are not in the order yet."
    )


def test_who_may_start_through_repos_that_are_not_released() -> None:
    question = MayStart(PARTIAL, 1)
    assert question.check({"docs", "app"})
    assert question.check(["docs"]).message == "Missing: app."
    verdict = question.check(["docs", "app", "api", "core"])
    assert verdict.message == "Too many: api (it is not part of this release); core (it is released already)."
    assert MayStart(PLAN, 0).check("core")


def test_an_average_may_be_rounded_or_simulated() -> None:
    exercises = Exercises(PLAN, 0.2)
    exact = analyze(PLAN, 0.2).expected.succeeded
    simulated = simulate(PLAN, 0.2, trials=20_000, rng=1).expected.succeeded
    for right in (exact, round(exact, 1), simulated):
        assert exercises.check(AVERAGE, right), right
    for wrong in (exact + 0.1, exact - 0.1, True, "2", float("nan"), float("inf"), 5, [exact]):
        assert not exercises.check(AVERAGE, wrong), wrong


def test_all_that_are_as_good_to_make_reliable_are_right() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "x"), ("b", "y")], nodes=["c"]), version="1")
    exercises = Exercises(plan)
    number = [each.title for each in exercises.kept].index("What to make reliable first") + 1
    assert [bool(exercises.check(number, repo)) for repo in ("a", "b", "c", "x")] == [True, True, False, False]
    assert exercises.check(number, ["a", "b"]).verdict.message == "Name one repo; the answer has 2."  # type: ignore[union-attr]


def test_the_ledger_is_of_a_run_that_can_be_run_again() -> None:
    each = Exercises(PLAN, rng=3).kept[LEDGER - 1]
    assert isinstance(each.question, BlockedBy)
    trial = simulate(PLAN, 0.1, trials=100, rng=3).trial(each.trial)
    assert list(trial.outcome.failures) == list(each.question.outcome.failures)
    assert each.question.repo_id in trial.outcome.skipped


def test_what_kept_a_repo_from_starting() -> None:
    graph = RepoDependencyGraph.from_edges([("api", "app"), ("lib", "app"), ("lib", "tool")], nodes=["far"])
    plan = build_plan(graph, version="1")
    question = BlockedBy(plan, "app", what_if(plan, fail=["api", "lib", "far"]))
    assert question.check({"lib", "api"})
    assert question.check(["api", "far", "tool"]).message == (
        "Missing: lib. Too many: far (app does not need it); tool (it did not fail)."
    )


@pytest.mark.parametrize("n", [1, 2, 40])
def test_what_makes_no_sense_is_left_out_and_the_reason_told(n: int) -> None:
    exercises = Exercises(alone(n))
    assert [type(each.question) for each in exercises.kept] == [Average]
    assert exercises.check(1, 0.9 * n)
    assert list(exercises.left_out) == [
        *("An order of your own", "Who may start?", "The reach of a failure"),
        *("What to make reliable first", "Read a ledger"),
    ]
    assert exercises.left_out["Read a ledger"] == "in 100 simulated runs no failure blocked anybody"


def test_no_answer_is_a_long_list() -> None:
    star = build_plan(RepoDependencyGraph.from_edges([("hub", f"s{i:03}") for i in range(299)]), version="1")
    exercises = Exercises(star)
    assert exercises.left_out["The reach of a failure"].endswith("and at most 12")
    assert "Who may start?" in exercises.left_out
    for each in exercises.kept:
        assert len(each.question.solution) <= 12


@pytest.mark.parametrize("answer", [None, ..., [...], ["core", None], (..., "api")])
def test_what_is_not_filled_in_is_not_done(answer: Any) -> None:
    exercises = Exercises(PLAN)
    for number in range(1, 7):
        assert repr(exercises.check(number, answer)) == f"Exercise {number}: not done yet"
    assert repr(exercises) == "Exercises(6: 6 not done yet)"


def broken() -> Any:
    yield "core"
    raise RuntimeError("no more")


@pytest.mark.parametrize("answer", [5, "zzz", "", [], [[]], {"core": 1}, object(), b"core", "core", 1.5, ["core"] * 3])
def test_any_answer_gets_a_word(answer: Any) -> None:
    exercises = Exercises(PLAN)
    for number in range(1, 7):
        assert repr(exercises.check(number, answer)).startswith(f"Exercise {number}: ")
    assert "cannot be read: RuntimeError('no more')" in repr(exercises.check(ORDER, broken()))


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(TypeError, match=r"plan is \['core'\], expected a SequencePlan"):
        Exercises(["core"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected one that releases a repo"):
        Exercises(build_plan(RepoDependencyGraph(), []))
    for rate in (0, 1, 2, "x"):
        with pytest.raises(ValueError, match=r"failure_rate is .*, expected a probability between 0 and 1"):
            Exercises(PLAN, rate)  # type: ignore[arg-type]
    for number in (0, 7, True, "1"):
        with pytest.raises(IndexError, match=r"number is .*, expected one from 1 to 6"):
            Exercises(PLAN).check(number, "core")  # type: ignore[arg-type]


@settings(max_examples=40)
@given(trains(), st.data())
def test_exercises_of_any_plan_have_an_answer_and_refuse_others(train: Train, data: st.DataObject) -> None:
    if not train.plan.released:
        return
    exercises = Exercises(train.plan)
    assert len(exercises.kept) + len(exercises.left_out) == 6
    above = ancestors(train.nodes, train.edges)
    for number, each in enumerate(exercises.kept, 1):
        question = each.question
        if isinstance(question, Average):
            assert exercises.check(number, question.value)
            continue
        assert question.solution, "nobody is never the answer"
        assert exercises.check(number, question.solution)
        other = data.draw(st.sampled_from(question.candidates))
        changed = set(question.solution) ^ {other}
        if isinstance(question, MayStart | Skipped | BlockedBy):
            assert not exercises.check(number, changed)
        if isinstance(question, MayStart):
            gone = set(train.plan.released[: question.done])
            assert (other in question.solution) is (above[other] & set(train.plan.released) <= gone)
