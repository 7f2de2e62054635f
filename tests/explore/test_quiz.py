"""Questions about the order: right answers are right, wrong ones are told why, and nothing breaks."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, RepoNotFound, SequencePlan, build_plan, what_if
from seqkit.explore._words import short
from seqkit.explore.questions import InOrder, NextUp, Question, Skipped
from seqkit.explore.quiz import Quiz
from tests.tools.strategies import HOSTILE_NAMES, POLICIES, Train, ancestors, fifo_kahn, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site")])
PLAN = build_plan(GRAPH, version="1")  # core, api, docs, app, site
PARTIAL = build_plan(GRAPH, [("core", "1"), ("app", "1"), ("docs", "1")])  # api stands between, unreleased


def quizzes(plan: SequencePlan, n: int = 6, **options: Any) -> list[Question]:
    """The first questions, fewer where there are no more."""
    quiz = Quiz(plan, **options)
    asked = [quiz.question]
    while len(asked) < n and quiz.next_question():
        asked.append(quiz.question)
    return asked


# ---------------------------------------------------------------------- what may go next?


def test_the_head_of_the_queue_and_other_valid_choices_are_told_apart() -> None:
    question = NextUp(PLAN, 1)
    assert question.text == "1 repo is released, core last. Name one that may go next."
    assert question.candidates == ["api", "app", "docs", "site"]
    head, other, early = (question.check(repo) for repo in ("api", "docs", "site"))
    assert (head.right, head.as_sequencer) == (True, True)
    assert (other.right, other.as_sequencer) == (True, False)
    assert "would take api first: both came into its queue when core was released" in other.message
    assert (early.right, early.as_sequencer, early.too_many) == (False, False, ("site",))
    assert early.message == "site needs app, which has not been released yet."
    assert question.given == "The sequencer takes api, first in its queue. docs may go too."


def test_why_the_queue_has_one_before_another() -> None:
    roots = build_plan(RepoDependencyGraph.from_edges([("a", "y"), ("z", "b")]), version="1")
    assert [item.repo_id for item in roots.items] == ["a", "z", "y", "b"]
    assert "take a first: both need nothing, and then names decide." in NextUp(roots, 0).check("z").message
    assert "take z first: it came into its queue before y." in NextUp(roots, 1).check("y").message
    moved = build_plan(RepoDependencyGraph.from_edges([("x", "b")], nodes=["z"]), [("z", "1"), ("b", "1")])
    assert [item.repo_id for item in moved.items] == ["z", "b"], "the order of the whole graph"
    assert (
        NextUp(moved, 0)
        .check("b")
        .message.endswith("take z first: the plan has it before b. It keeps the order of the whole graph.")
    )
    assert NextUp(moved, 0).given == "The sequencer takes z, next in the whole graph's order. b may go too."


def test_an_unreleased_repo_in_the_queue_is_passed_over_and_not_released() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "u"), ("u", "x"), ("u", "y")])
    plan = build_plan(graph, [(repo, "1") for repo in "axy"])
    question = NextUp(plan, 1)
    assert question.check("x").message == "The sequencer takes x too: it is first in its queue once u is passed over."
    assert question.check("y").message.endswith(
        "take x first: both came into its queue when u was passed over, and then names decide."
    )


def test_where_the_order_decides_the_answer_and_no_queue_makes_it_the_question_tells_it() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "tool"), ("tool", "app"), ("api", "z")])
    plan = build_plan(graph, [(repo, "1") for repo in ("core", "api", "app", "z")])
    assert plan.released == ["core", "api", "z", "app"], "app needs nothing here, and could go first"
    question = Skipped(plan, "z", "stop")
    assert question.text == (
        "z fails, all others are well. Which repos are skipped? (Policy: after a failure nothing new starts.) "
        "The plan keeps the order of the whole graph: core, api, z, app."
    )
    assert question.check("app")
    assert Skipped(plan, "app", "stop").text.endswith(": …, api, z, app.")
    assert "order" not in Skipped(plan, "app").text + Skipped(PLAN, "app", "stop").text


@given(trains(), st.data())
def test_what_is_said_of_the_order_is_true(train: Train, data: st.DataObject) -> None:
    plan = train.plan
    if not plan.released:
        return
    question = NextUp(plan, data.draw(st.integers(0, len(plan.released) - 1)))
    queue = fifo_kahn(train.order, [edge for edge in train.edges if set(edge) <= set(train.order)])
    behind = set(plan.released[: question.done])
    for repo in question.candidates:
        verdict = question.check(repo)
        assert ("queue" in verdict.message) <= (queue == train.order)
        if verdict and queue == train.order:
            assert "whole graph" not in verdict.message
        elif verdict:
            assert "whole graph" in verdict.message
            whole = [other for other in fifo_kahn(train.nodes, train.edges) if other in plan.released]
            assert question.solution == [next(other for other in whole if other not in behind)]


def test_odd_answers_to_what_may_go_next() -> None:
    question = NextUp(PARTIAL, 1)
    assert question.check("core").message == "core is released already."
    assert question.check("api").message == "api is not part of this release: it is passed over."
    assert question.check(["app", "docs"]).message == "Choose one repo; the answer has 2."
    assert question.check("app"), "what it needs through an unreleased repo is out"


@given(trains(), st.data())
def test_exactly_what_nothing_holds_up_may_go_next(train: Train, data: st.DataObject) -> None:
    plan = train.plan
    if not plan.released:
        return
    question = NextUp(plan, data.draw(st.integers(0, len(plan.released) - 1)))
    above = ancestors(train.nodes, train.edges)
    behind = set(plan.released[: question.done])
    for repo in question.candidates:
        verdict = question.check(repo)
        assert verdict.right is (above[repo] & set(plan.released) <= behind)
        assert verdict.as_sequencer is ([repo] == question.solution)


# ---------------------------------------------------------------------- whom does a failure skip?


def test_missing_and_superfluous_repos_are_told_with_the_reason() -> None:
    question = Skipped(PLAN, "api")
    verdict = question.check(["docs", "site", "api"])
    assert (verdict.right, verdict.missing, verdict.too_many) == (False, ("app",), ("docs", "api"))
    assert verdict.message == (
        "Missing: app (api → app). "
        "Too many: docs (it does not need api); api (it fails, so it was tried and not skipped)."
    )
    assert question.check(["site", "app"])
    assert Skipped(PLAN, "site").check([]).message == "It skips nobody."


def test_reasons_follow_the_policy() -> None:
    stop, go_on = Skipped(PLAN, "docs", "stop"), Skipped(PLAN, "core", "continue")
    assert stop.check(["api"]).message == (
        "Missing: app (its turn comes after the release has stopped); "
        "site (its turn comes after the release has stopped). Too many: api (its turn came before the failure)."
    )
    assert go_on.check(["api"]).message == "Too many: api (this policy goes on all the same)."
    assert go_on.check([])
    assert "not part of this release" in Skipped(PARTIAL, "core").check(["api", "app", "docs"]).message


def test_a_path_runs_through_unreleased_repos_and_is_a_shortest() -> None:
    assert "app (core → api → app)" in Skipped(PARTIAL, "core").check(["docs"]).message
    graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("c", "d"), ("a", "x"), ("x", "d")])
    assert "d (a → x → d)" in Skipped(build_plan(graph, version="1"), "a").check(["b", "c", "x"]).message


def test_many_reasons_are_cut() -> None:
    wide = build_plan(RepoDependencyGraph.from_edges([("a", f"b{i}") for i in range(9)]), version="1")
    assert Skipped(wide, "a").check([]).message.endswith("b3 (a → b3); and 5 more.")


@given(trains(), st.data())
def test_what_a_failure_skips(train: Train, data: st.DataObject) -> None:
    plan = train.plan
    if not plan.released:
        return
    repo = data.draw(st.sampled_from(plan.released))
    question = Skipped(plan, repo, train.policy)
    changed = {"failing": {repo: 1}, "budget": None, "attempts": 1}
    causes = Train(**{**vars(train), **changed}).reading().causes
    skipped = [other for other in plan.released if other in causes]
    assert question.solution == skipped
    assert question.check(question.solution)
    for other in plan.released:
        verdict = question.check(set(skipped) ^ {other})
        assert not verdict
        assert (verdict.missing, verdict.too_many) == (((other,), ()) if other in skipped else ((), (other,)))


# ---------------------------------------------------------------------- which order is valid?


def test_the_first_mistake_in_an_order_is_told() -> None:
    question = InOrder(PLAN, 1, 4)
    assert question.candidates == ["api", "app", "docs", "site"]
    assert question.check(["api", "docs", "app", "site"]).message == "This is the sequencer's own order."
    other = question.check(["api", "app", "docs", "site"])
    assert (other.right, other.as_sequencer) == (True, False)
    assert other.message == "A valid order. The sequencer would take docs as number 2, before app."
    assert question.check(["api", "site", "docs", "app"]).message == (
        "site cannot be number 2: it needs app, which comes later."
    )
    assert question.check(["api", "docs"]).missing == ("app", "site")
    assert question.check(["core", "api", "docs", "app", "site"]).too_many == ("core",)


@settings(max_examples=30)
@given(trains(largest=5), st.data())
def test_exactly_the_valid_orders_are_right(train: Train, data: st.DataObject) -> None:
    plan = train.plan
    start = data.draw(st.integers(0, len(plan.released)))
    question = InOrder(plan, start, data.draw(st.integers(0, len(plan.released) - start)))
    above = ancestors(train.nodes, train.edges)
    for order in permutations(question.candidates):
        bad = [i for i, repo in enumerate(order) if above[repo] & set(order[i:])]
        verdict = question.check(order)
        assert verdict.right is (not bad)
        assert verdict.as_sequencer is (list(order) == question.solution)
        if bad:
            assert f"cannot be number {bad[0] + 1}: it needs " in verdict.message


# ---------------------------------------------------------------------- every question


@pytest.mark.parametrize("question", [NextUp(PLAN, 1), Skipped(PLAN, "api"), InOrder(PLAN, 1, 3)])
@pytest.mark.parametrize("answer", [None, 5, [None], [["core"]], ["core", 7], "zzz", "", {"zzz": 1}, object()])
def test_any_answer_gets_a_verdict(question: Question, answer: object) -> None:
    verdict = question.check(answer)
    assert not verdict
    assert "is not in the plan" in verdict.message or "expected a repo id or several" in verdict.message


def test_no_answer_yet_is_an_answer_too() -> None:
    assert NextUp(PLAN, 1).check([]).message == "Choose one repo; the answer has 0."
    assert Skipped(PLAN, "api").check([]).missing == ("app", "site")
    assert InOrder(PLAN, 1, 2).check([]).message == "api, docs are not in the order yet."


@pytest.mark.parametrize("policy", POLICIES)
@given(train=trains(), seed=st.integers(0, 9))
def test_questions_of_any_plan_can_be_answered(policy: Any, train: Train, seed: int) -> None:
    plan = train.plan
    if not plan.released:
        return
    for question in quizzes(plan, policy=policy, rng=seed):
        assert question.check(question.solution), question
        assert set(question.solution) <= set(question.candidates) <= set(plan.released)
        assert list(question.words) == [item.repo_id for item in plan.items]
        assert question.text


# ---------------------------------------------------------------------- the quiz


def test_kinds_take_turns_and_questions_have_something_to_them() -> None:
    plan = build_plan(
        RepoDependencyGraph.from_edges([(f"r{i}", f"r{2 * i + k}") for i in range(1, 8) for k in (0, 1)]), version="1"
    )
    asked = quizzes(plan, 15, rng=5)
    assert [type(question) for question in asked] == [NextUp, Skipped, InOrder] * 5
    for question in asked:
        if isinstance(question, NextUp):
            verdicts = [bool(question.check(repo)) for repo in question.candidates]
            assert sum(verdicts) >= 2
            assert not all(verdicts)
        elif isinstance(question, Skipped):
            assert question.solution


@pytest.mark.parametrize("policy", POLICIES)
@given(train=trains(), seed=st.integers(0, 9))
def test_no_question_comes_twice_and_all_come(policy: Any, train: Train, seed: int) -> None:
    n = len(train.plan.released)
    if not n:
        return
    texts = [question.text for question in quizzes(train.plan, 1_000, policy=policy, rng=seed)]
    assert len(texts) == len(set(texts))
    if len({short(repo) for repo in train.plan.released}) == n:  # else some read the same
        assert len(texts) == n + n + max(1, n - 4)
    quiz = Quiz(train.plan, policy, seed)
    assert [quiz.next_question() for _ in texts] == [True] * (len(texts) - 1) + [False]
    assert quiz.at_end
    assert quiz.number == len(texts)
    assert quiz.question.text == texts[-1], "the last one stays"


def test_another_policy_keeps_the_score_and_asks_nothing_again() -> None:
    quiz = Quiz(PLAN, rng=1)
    first = quiz.question
    quiz.check(first.solution)
    quiz.change_policy("stop")
    assert (quiz.question, quiz.score) == (first, "1 of 1 right"), "it is not about a failure"
    quiz.next_question()
    assert isinstance(quiz.question, Skipped)
    assert quiz.question.policy == "stop"
    subject, number = quiz.question.subject, quiz.number
    quiz.say_nobody()
    quiz.change_policy("skip_dependents")
    assert (quiz.question, quiz.number, quiz.nobody) == (Skipped(PLAN, subject), number, False)
    quiz.check(quiz.question.solution)
    quiz.change_policy("stop")
    assert quiz.question == Skipped(PLAN, subject), "it is answered"
    asked = [quiz.question.text]
    while quiz.next_question():
        asked.append(quiz.question.text)
    assert len(set(asked)) == len(asked)
    assert first.text not in asked
    with pytest.raises(ValueError, match="policy is 'panic'"):
        quiz.change_policy("panic")  # type: ignore[arg-type]


def test_nothing_picked_is_no_answer() -> None:
    quiz = Quiz(PLAN, rng=1)
    verdict = quiz.check()
    assert (bool(verdict), verdict.no_answer, repr(verdict)) == (False, True, "Nothing is picked yet: pick a repo.")
    assert (quiz.score, quiz.verdict) == ("0 of 0 right", verdict)
    quiz.press("core")
    quiz.press("core")
    assert quiz.check().no_answer
    assert quiz.check(quiz.question.solution), "the first answer"
    assert quiz.score == "1 of 1 right"


def test_that_it_is_nobody_has_to_be_said() -> None:
    quiz = Quiz(build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b"]), version="1"))
    quiz.next_question()
    assert isinstance(quiz.question, Skipped)
    assert repr(quiz.check()) == "Nothing is picked yet: pick a repo or say that it is nobody."
    other = next(iter(quiz.question.candidates))
    quiz.press(other)
    quiz.say_nobody()
    assert (quiz.picked, quiz.nobody) == ([], True)
    quiz.press(other)
    assert (quiz.picked, quiz.nobody) == ([other], False)
    quiz.say_nobody()
    assert quiz.check().message == "It skips nobody."
    quiz.clear()
    assert not quiz.nobody
    assert quiz.give_up().given_up
    assert quiz.nobody
    assert quiz.score == "1 of 1 right"


def test_a_seed_gives_the_same_questions() -> None:
    assert quizzes(PLAN, 9, rng=3) == quizzes(PLAN, 9, rng=3)
    assert quizzes(PLAN, 9, rng=3) != quizzes(PLAN, 9, rng=5)
    drawn = Quiz(PLAN, rng=np.random.default_rng(1))
    assert quizzes(PLAN, 3, rng=drawn.seed)[0] == drawn.question
    with pytest.raises(ValueError, match="rng is -1"):
        Quiz(PLAN, rng=-1)


def test_answers_do_not_change_what_is_asked() -> None:
    quiz = Quiz(PLAN, rng=3)
    quiz.check("core")
    quiz.give_up()
    quiz.next_question()
    assert quiz.question == quizzes(PLAN, 2, rng=3)[1]


def test_the_first_answer_counts_and_a_corrected_one_as_corrected() -> None:
    quiz = Quiz(PLAN, rng=1)
    assert quiz.score == "0 of 0 right"
    assert not quiz.check("zzz")
    assert quiz.check(quiz.question.solution)
    assert quiz.verdict
    assert quiz.score == "0 of 1 right, 1 corrected"
    quiz.press("core")
    assert quiz.verdict is None, "it was about another answer"
    quiz.clear()
    quiz.check(quiz.question.solution)
    assert quiz.score == "0 of 1 right, 1 corrected", "once"
    quiz.next_question()
    assert (quiz.number, quiz.verdict, quiz.picked) == (2, None, [])
    assert quiz.check(quiz.question.solution)
    quiz.check([])
    assert quiz.check(quiz.question.solution)
    assert quiz.score == "1 of 2 right, 1 corrected", "it was right at once"
    quiz.next_question()
    quiz.next_question()
    assert quiz.score == "1 of 2 right, 1 corrected", "a question passed over is not an answer"


def test_giving_up_tells_the_answer_and_counts_as_not_right() -> None:
    quiz = Quiz(PLAN, rng=1)
    quiz.next_question()
    assert isinstance(quiz.question, Skipped)
    assert quiz.give_up().given_up
    assert quiz.give_up().message == f"The sequencer's answer: {', '.join(quiz.question.solution)}."
    assert (quiz.score, quiz.picked) == ("0 of 1 right", quiz.question.solution)
    assert quiz.check()
    assert quiz.score == "0 of 1 right", "who was told has not corrected it"
    assert Quiz(PLAN, "continue", rng=1).score == "0 of 0 right"


def test_pressing_builds_an_answer() -> None:
    quiz = Quiz(PLAN, rng=1)
    for repo, picked in (("api", ["api"]), ("docs", ["docs"]), ("docs", [])):
        quiz.press(repo)
        assert quiz.picked == picked
    quiz.next_question()
    for repo, picked in (("site", ["site"]), ("app", ["site", "app"]), ("site", ["app"]), ("site", ["app", "site"])):
        quiz.press(repo)
        assert quiz.picked == picked
    quiz.clear()
    assert quiz.picked == []
    for repo in what_if(PLAN, quiz.question.repo_id).skipped:  # type: ignore[attr-defined]
        quiz.press(repo)
    assert quiz.check()
    with pytest.raises(RepoNotFound, match="zzz"):
        quiz.press("zzz")


def test_a_plan_without_releases_has_nothing_to_ask() -> None:
    with pytest.raises(ValueError, match=r"plan is SequencePlan\(.*: 0 repos .* nothing to ask"):
        Quiz(build_plan(RepoDependencyGraph(), []))
    with pytest.raises(ValueError, match="policy is 'panic'"):
        Quiz(PLAN, "panic")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="plan is 5, expected a SequencePlan"):
        Quiz(5)  # type: ignore[arg-type]


def test_hostile_names_are_cut_and_told() -> None:
    edges = [(HOSTILE_NAMES[4], name) for name in HOSTILE_NAMES if name != HOSTILE_NAMES[4]]
    plan = build_plan(RepoDependencyGraph.from_edges(edges), version="1")
    for question in quizzes(plan, 9):
        assert len(question.text) < 600
        for answer in ([], question.solution, question.candidates, HOSTILE_NAMES):
            assert len(repr(question.check(answer))) < 1500
    assert "(no name)" in Skipped(plan, HOSTILE_NAMES[4]).check([""]).message + InOrder(plan, 0, 8).text
