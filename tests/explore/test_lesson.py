"""A release walked through: every step forwards and back, held against the rules read naively."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, RepoNotFound, build_plan, steps, what_if
from seqkit._show.palette import STATUS_STYLES
from seqkit.explore.lesson import Walk
from tests.tools.strategies import HOSTILE_NAMES, Train, ancestors, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("docs", "app")])
PLAN = build_plan(GRAPH, version="1")


def test_a_walk_from_end_to_end() -> None:
    walk = Walk(PLAN, fail="docs")
    assert (walk.choice, walk.ready, walk.freed, walk.blocked, walk.at_end) == (None, ["core"], [], [], False)
    assert walk.why == "Nothing is released yet. 1 repo needs nothing, and so can go first"
    assert walk.in_degrees == {"core": 0, "api": 1, "docs": 1, "app": 2}
    told = []
    while walk.forward():
        told.append((walk.choice, walk.ready, walk.freed, walk.blocked, walk.doomed, walk.in_degrees["app"]))
    assert told == [
        ("core", ["api", "docs"], ["api", "docs"], [], [], 2),
        ("api", ["docs"], [], [], [], 1),
        ("docs", ["app"], [], ["app"], ["app"], 0),
        ("app", [], [], [], [], 0),
    ]
    assert walk.at_end
    assert walk.words == {"core": "succeeded", "api": "succeeded", "docs": "failed", "app": "blocked"}
    assert walk.why == "app was passed over: it needs docs, which failed"


def test_a_blocked_repo_is_pending_until_its_turn() -> None:
    walk = Walk(PLAN, fail="core")
    walk.forward()
    assert walk.words["app"] == "pending"
    assert walk.doomed == ["api", "docs", "app"]
    walk.to(3)
    assert walk.words == {"core": "failed", "api": "blocked", "docs": "blocked", "app": "pending"}
    assert walk.doomed == ["app"]


def test_forward_and_back_stop_at_the_ends() -> None:
    walk = Walk(PLAN)
    assert not walk.back()
    assert [walk.forward() for _ in range(5)] == [True, True, True, True, False]
    assert [walk.back() for _ in range(5)] == [True, True, True, True, False]
    assert walk.position == 0
    assert walk.to(2)
    assert not walk.to(2)


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (5, ValueError, "step is 5, expected a whole number from 0 to 4"),
        (-1, ValueError, "step is -1, expected a whole number from 0 to 4"),
        (1.5, TypeError, "step is 1.5, expected a whole number from 0 to 4"),
    ],
)
def test_a_step_outside_the_walk_is_refused_and_nothing_moves(step: Any, error: type[Exception], message: str) -> None:
    walk = Walk(PLAN)
    walk.to(3)
    with pytest.raises(error, match=message):
        walk.to(step)
    assert walk.position == 3


def test_step_of_finds_the_step_that_takes_a_repo() -> None:
    walk = Walk(PLAN)
    for repo in GRAPH:
        walk.to(walk.step_of(repo))
        assert walk.choice == repo
    with pytest.raises(RepoNotFound, match="zzz"):
        walk.step_of("zzz")


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(RepoNotFound, match="zzz"):
        Walk(PLAN, fail="zzz")
    with pytest.raises(ValueError, match="policy is 'panic'"):
        Walk(PLAN, policy="panic")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"plan is \['core'\], expected a SequencePlan; build_plan\(graph\) makes one"):
        Walk(["core"])  # type: ignore[arg-type]


def test_a_story_tells_step_reason_queue_and_end() -> None:
    walk = Walk(PLAN, fail="docs")
    told = [walk.story]
    while walk.forward():
        told.append(walk.story)
    assert told == [
        "Step 0 of 4. Nothing is released yet. 1 repo needs nothing, and so can go first.",
        "Step 1 of 4. core was first in line: it needs nothing. That brought api, docs into the queue.",
        "Step 2 of 4. api was first in line: it needs core, which has been released.",
        "Step 3 of 4. docs was first in line: it needs core, which has been released. It failed, which keeps 1 repo "
        "from starting. The turn of app will come only to be passed over.",
        "Step 4 of 4. app was passed over: it needs docs, which failed. Every repo has had its turn: 1 blocked, "
        "2 succeeded, 1 failed.",
    ]


def test_a_plan_of_some_repos_tells_the_order_of_the_whole_graph_and_no_queue() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "tool"), ("tool", "app")])
    walk = Walk(build_plan(graph, [(repo, "1") for repo in ("core", "api", "app")]))
    assert not walk.queue
    assert repr(walk) == "Walk(step 0 of 3; ready: core, app)"
    told = [walk.story]
    while walk.forward():
        told.append(walk.story)
    assert told[0].endswith(
        "2 repos need nothing in this plan, and so can go first. The plan keeps the order of the whole graph, in which "
        "repos that are not released are passed over: of those that are ready, the first in that order goes next."
    )
    assert "That made api ready; in the whole graph's order, ready are now api, app." in told[1]
    assert not any("queue" in story or "in line" in story for story in told)
    assert repr(walk) == "Walk(step 3 of 3; nobody is ready)"


@given(trains())
def test_a_queue_is_told_of_where_newcomers_join_its_end(train: Train) -> None:
    walk = Walk(train.plan)
    while True:
        before = walk.ready
        if not walk.forward():
            break
        assert (walk.ready == [*before[1:], *walk.newcomers]) or not walk.queue
        assert ("queue" in walk.story) is (walk.queue and bool(walk.freed))
        assert ("That made" in walk.story) is (not walk.queue and bool(walk.freed))


@given(trains(), st.data())
def test_every_place_of_a_walk_agrees_with_a_naive_reading(train: Train, data: st.DataObject) -> None:
    fail = [repo for repo in train.failing if repo in train.order]
    walk = Walk(train.plan, fail, train.policy)
    assert walk.frame.equals(steps(train.plan, fail, train.policy))
    reading = Train(**{**vars(train), "budget": None, "attempts": 1}).reading()
    ends = {
        **reading.causes,
        **dict.fromkeys(reading.succeeded, "succeeded"),
        **dict.fromkeys(reading.failed, "failed"),
    }
    step = data.draw(st.integers(0, len(train.order)))
    walk.to(step)
    behind, left = train.order[:step], train.order[step:]
    assert walk.words == {
        repo: ends[repo] if repo in behind or ends[repo] == "unreleased" else "pending" for repo in train.order
    }
    direct = {repo: {before for before, after in train.plan.edges if after == repo} for repo in train.order}
    assert walk.in_degrees == {repo: len(direct[repo] - set(behind)) for repo in train.order}
    assert walk.ready == [repo for repo in left if direct[repo] <= set(behind)]
    assert walk.doomed == [
        repo
        for repo in left
        if ends[repo] in ("blocked", "stopped")
        and (
            set(reading.failed) & set(behind) & ancestors(train.nodes, train.edges)[repo]
            or (train.policy == "stop" and set(reading.failed) & set(behind))
        )
    ]


@given(trains())
def test_the_end_of_a_walk_is_the_what_if(train: Train) -> None:
    fail = [repo for repo in train.failing if repo in train.order]
    walk = Walk(train.plan, fail, train.policy)
    walk.to(len(walk))
    outcome = what_if(train.plan, fail, train.policy)
    assert [repo for repo, word in walk.words.items() if word == "succeeded"] == outcome.succeeded
    assert [repo for repo, word in walk.words.items() if word == "failed"] == [repo for repo, _ in outcome.failed]
    assert set(walk.words.values()) <= set(STATUS_STYLES)


def test_an_empty_plan_has_no_step() -> None:
    walk = Walk(build_plan(RepoDependencyGraph(), []))
    assert (len(walk), walk.at_end, walk.forward(), walk.ready, walk.words, walk.choice) == (
        0,
        True,
        False,
        [],
        {},
        None,
    )
    assert walk.why == "The plan is empty: there is nothing to choose"


def test_answers_are_the_callers_own() -> None:
    walk = Walk(PLAN)
    walk.forward()
    walk.ready.append("x")
    walk.freed.append("x")
    walk.in_degrees["x"] = 1
    walk.words["x"] = "x"
    assert "x" not in (*walk.ready, *walk.freed, *walk.in_degrees, *walk.words)


def test_reprs_are_short_stable_and_escaped() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([(name, "core") for name in HOSTILE_NAMES]), version="1")
    walk = Walk(plan, fail=HOSTILE_NAMES[0])
    assert repr(Walk(PLAN)) == "Walk(step 0 of 4; in line: core)"
    for _ in range(len(walk) + 1):
        html = walk._repr_html_()
        assert html == walk._repr_html_()
        assert "<script" not in html
        assert all(style.word in html for style in STATUS_STYLES.values())
        assert len(repr(walk)) < 300
        walk.forward()
    assert repr(walk) == "Walk(step 9 of 9; nobody is in line)"


def test_plans_too_large_to_walk_are_refused():
    graph = RepoDependencyGraph.from_edges([("root", f"r{i}") for i in range(2_000)])
    with pytest.raises(ValueError, match=r"plan has 2,001 repos, expected at most 2,000"):
        Walk(build_plan(graph, version="1.0"))
