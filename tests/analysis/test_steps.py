"""The order explained, and somebody's own order checked."""

from __future__ import annotations

import sys
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, RepoNotFound, SequencePlan, build_plan, check_order, steps
from seqkit.analysis.steps import told_steps
from seqkit.core.rules import Rules, Start, each_choice
from seqkit.core.terms import Policy, Terms
from tests.tools.growth import SHAPES, doubled, lines, peak, plan_of
from tests.tools.strategies import Train, ancestors, dags, fifo_kahn, policies, trains

STEPS = sys.modules["seqkit.analysis.steps"]
DIAMOND = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]), version="1")


# ---------------------------------------------------------------------- steps


def test_columns_and_dtypes() -> None:
    for plan in (DIAMOND, build_plan(RepoDependencyGraph(), [])):
        frame = steps(plan)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
            "step": "Int64",
            "choice": "string",
            "ready": "object",
            "freed": "object",
            "blocked": "object",
            "why": "string",
        }
        assert frame["step"].tolist() == list(range(1, len(plan.items) + 1))


def test_a_diamond_explained() -> None:
    frame = steps(DIAMOND, fail="b")
    assert frame["choice"].tolist() == ["a", "b", "c", "d"]
    assert frame["ready"].tolist() == [["a"], ["b", "c"], ["c"], ["d"]]
    assert frame["freed"].tolist() == [["b", "c"], [], [], []]
    assert frame["blocked"].tolist() == [[], ["d"], [], []]
    assert "needs nothing" in frame["why"][0]
    assert "fails" in frame["why"][1]
    assert "needs b, which failed" in frame["why"][3]


def queue_by_queue(train: Train) -> list[tuple[list[str], list[str]]]:
    """The queue before each choice and who joins it then, by hand."""
    above = {node: {before for before, after in train.edges if after == node} for node in train.nodes}
    line = sorted(node for node in train.nodes if not above[node])
    gone: set[str] = set()
    told = []
    while line:
        before, head = list(line), line.pop(0)
        gone.add(head)
        freed = sorted(node for node in train.nodes if head in above[node] and above[node] <= gone)
        line += freed
        told.append((before, freed))
    return told


@given(dags(), st.data())
def test_ready_is_a_first_in_first_out_queue_where_everything_is_released(dag: Any, data: st.DataObject) -> None:
    nodes, edges = dag
    train = Train(nodes, edges, nodes, {}, "skip_dependents", None, 1, "path")
    fail = data.draw(st.lists(st.sampled_from(nodes), unique=True)) if nodes else []
    frame, _, newcomers = told_steps(train.plan, fail, "skip_dependents")
    assert list(zip(frame["ready"], newcomers, strict=True)) == queue_by_queue(train)


@given(trains())
def test_steps_follow_the_rules(train: Train) -> None:
    fail = [repo for repo in train.failing if repo in train.order]
    frame = steps(train.plan, fail=fail, policy=train.policy)
    reading = Train(**{**vars(train), "budget": None, "attempts": 1}).reading()
    assert frame["choice"].tolist() == train.order
    assert [ready[0] for ready in frame["ready"]] == train.order
    told = [repo for blocked in frame["blocked"] for repo in blocked]
    assert sorted(told) == sorted(reading.causes.keys() & set(train.released)), "each skip is announced once"
    for repo, blocked, why in zip(frame["choice"], frame["blocked"], frame["why"], strict=True):
        if blocked:
            assert repo in reading.failed
        assert ("passed over" in why) == (repo in reading.skipped)
    held: set[str] = set()
    for ready, freed, blocked, after in zip(
        frame["ready"], frame["freed"], frame["blocked"], [*frame["ready"], []][1:], strict=True
    ):
        held.update(blocked)
        assert not held & set(freed), "what a failure keeps from starting is not freed"
        assert freed == [repo for repo in after if repo not in ready and repo not in held]


PARTS = trains().filter(lambda train: 0 < len(train.released) < len(train.nodes))


def inner(train: Train) -> tuple[list[str], list[tuple[str, str]]]:
    """The repos and dependencies that the plan holds."""
    return train.order, [edge for edge in train.edges if set(edge) <= set(train.order)]


def check_what_is_told(train: Train) -> None:
    frame = steps(train.plan)
    nodes, edges = inner(train)
    whys = frame["why"].tolist()
    queue = not any("order of the whole graph" in why for why in whys)
    assert not any(queue is not ("in line" in why) for why in whys if "passed over" not in why)
    above = {node: {before for before, after in edges if after == node} for node in nodes}
    line, gone, since = sorted(node for node in nodes if not above[node]), set(), dict.fromkeys(nodes, 0)
    whole = fifo_kahn(train.nodes, train.edges)
    if not queue:
        line.sort(key=whole.index)
    for number, row in enumerate(frame.itertuples(), 1):
        assert (row.ready, row.choice) == (line, line[0])
        waited = [repo for repo in line if since[repo] < since[row.choice]]
        if "passed over" not in row.why:
            assert ("ready before it" in row.why) is bool(waited)
            assert ("needs nothing" in row.why) is (not above[row.choice])
            assert queue <= (not waited), "in a queue nobody is overtaken"
        gone.add(row.choice)
        freed = {repo for repo in nodes if row.choice in above[repo] and above[repo] <= gone}
        since.update(dict.fromkeys(freed, number))
        line = line[1:] + sorted(freed)
        if not queue:
            line.sort(key=whole.index)
        assert row.freed == [repo for repo in line if repo in freed]
    assert [*gone] == frame["choice"].tolist() or gone == set(nodes)
    assert frame["choice"].tolist() == train.order
    assert queue is (fifo_kahn(nodes, edges) == train.order) or not train.released


@settings(max_examples=40)
@given(trains() | PARTS)
def test_who_follows_what_is_told_arrives_at_the_order_of_the_plan(train: Train) -> None:
    check_what_is_told(train)


@pytest.mark.slow
@settings(max_examples=1_000)
@given(trains() | PARTS)
def test_who_follows_what_is_told_arrives_at_the_order_of_many_plans(train: Train) -> None:
    check_what_is_told(train)


def test_a_newcomer_that_overtakes_is_told() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "tool"), ("tool", "app")])
    frame = steps(build_plan(graph, [(repo, "1") for repo in ("core", "api", "app")]))
    assert frame["ready"].tolist() == [["core", "app"], ["api", "app"], ["app"]]
    assert frame["freed"].tolist() == [["api"], [], []]
    assert frame["why"].tolist() == [
        "core is next in the order of the whole graph, which the plan keeps: it needs nothing in this plan",
        "api is next in the order of the whole graph, ahead of app, which was ready before it: it needs core, which "
        "has been released",
        "app is next in the order of the whole graph, which the plan keeps: it needs nothing in this plan",
    ]


def test_what_a_repo_needs_is_told_with_what_became_of_it() -> None:
    assert steps(DIAMOND)["why"].tolist() == [
        "a is first in line: it needs nothing",
        "b is first in line: it needs a, which has been released",
        "c is first in line: it needs a, which has been released",
        "d is first in line: it needs b, c, which have been released",
    ]
    assert steps(DIAMOND, fail=["b", "d"], policy="continue")["why"].tolist()[1:] == [
        "b is first in line: it needs a, which has been released. It fails, which keeps nobody from starting",
        "c is first in line: it needs a, which has been released",
        "d is first in line: it needs c, which has been released; and b, which failed: this policy goes on all the "
        "same. It fails, which keeps nobody from starting",
    ]
    assert steps(THROUGH)["why"].tolist() == [
        "a is first in line: it needs nothing",
        "b is passed over: it is not part of this release and holds nobody up",
        "c is first in line: it needs b, which is not part of this release",
    ]


def test_an_unknown_repo_is_named() -> None:
    with pytest.raises(RepoNotFound, match="zzz"):
        steps(DIAMOND, fail="zzz")


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(ValueError, match="policy is 'panic'"):
        steps(DIAMOND, policy="panic")  # type: ignore[arg-type]


# ---------------------------------------------------------------------- check_order


@settings(max_examples=40)
@given(dags(largest=5, ids=st.sampled_from("abcdefgh")), st.data())
def test_exactly_the_valid_orders_pass(dag: Any, data: st.DataObject) -> None:
    nodes, edges = dag
    released = data.draw(st.lists(st.sampled_from(nodes), unique=True)) if nodes else []
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), [(repo, "1") for repo in released])
    above = {repo: found & set(released) for repo, found in ancestors(nodes, edges).items()}
    own = [repo for repo in fifo_kahn(nodes, edges) if repo in released]
    n_valid = 0
    for order in permutations(released):
        wrong = [i for i, repo in enumerate(order) if not above[repo] <= set(order[:i])]
        checked = check_order(plan, order)
        assert checked.valid is bool(checked) is (not wrong)
        assert checked.same_as_plan is (list(order) == own)
        if wrong:
            assert (checked.position, checked.repo_id) == (wrong[0], order[wrong[0]])
            assert f"{order[wrong[0]]} stands at position {wrong[0]}, but it needs" in checked.message
        elif list(order) != own:
            first = next(i for i, (theirs, ours) in enumerate(zip(order, own, strict=True)) if theirs != ours)
            assert (checked.position, checked.repo_id) == (first, order[first])
            assert checked.message.startswith(f"valid; the plan would take {own[first]} here, at position {first}")
        else:
            assert (checked.position, checked.repo_id) == (None, None)
        n_valid += checked.valid
    assert n_valid >= 1


THROUGH = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), [("a", "1"), ("c", "1")])


@pytest.mark.parametrize(
    ("plan", "order", "position", "message"),
    [
        (
            DIAMOND,
            ["a", "d", "b", "c"],
            1,
            "d stands at position 1, but it needs b, c, which have not gone out by then",
        ),
        (DIAMOND, ["a", "b", "d", "c"], 2, "d stands at position 2, but it needs c, which has not gone out by then"),
        (DIAMOND, ["a", "b", "c", "b"], 3, "b stands at position 3, but it already went out"),
        (DIAMOND, ["a", "zzz", "b", "c", "d"], 1, "'zzz' stands at position 1, but it is not in the plan"),
        (DIAMOND, ["a", "b"], 2, "the order ends, but c, d should still go out"),
        (DIAMOND, [], 0, "the order ends, but a, b, c, d should still go out"),
        (THROUGH, ["c", "a"], 0, "c stands at position 0, but it needs a, which has not gone out by then"),
    ],
)
def test_the_first_violation_is_named(plan: SequencePlan, order: list[str], position: int, message: str) -> None:
    checked = check_order(plan, order)
    assert (bool(checked), checked.position, checked.message) == (False, position, message)


def test_unreleased_repos_may_stand_in_an_order_or_be_left_out() -> None:
    assert check_order(THROUGH, ["a", "b", "c"]).same_as_plan
    assert check_order(THROUGH, ["b", "a", "c"])
    assert check_order(THROUGH, ["a", "c"]).same_as_plan


def test_the_first_difference_is_told_by_its_place_in_the_order_given() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "u"), ("u", "c"), ("a", "b")])
    plan = build_plan(graph, [(repo, "1") for repo in "abc"])
    checked = check_order(plan, ["a", "u", "c", "b"])
    assert (bool(checked), checked.position, checked.repo_id) == (True, 2, "c")
    assert checked.message == "valid; the plan would take b here, at position 2, before c"


def test_an_empty_order_of_an_empty_plan_is_valid() -> None:
    assert check_order(build_plan(RepoDependencyGraph(), []), [])


# ---------------------------------------------------------------------- large plans


def _slow_steps(plan: SequencePlan, failing: set[str], policy: Policy) -> list[tuple[list[str], list[str], list[str]]]:
    """Ask the rules for the whole queue at each step."""
    rules, rows, doomed = Rules(plan, Terms(policy)), [], set[str]()
    ready = rules.ready()
    seen = set(ready)
    for step in each_choice(rules, lambda repo, _: "red" if repo in failing else None):
        blocked: list[str] = []
        if isinstance(step, Start) and step.repo_id in failing:
            waiting = [repo for repo in plan.released if rules.status(plan.position(repo)).name == "pending"]
            below = set(plan.graph.transitive_dependents_of(step.repo_id))
            if rules.stopping or rules.terms.blocks:
                blocked = [r for r in waiting if (rules.stopping or r in below) and r not in doomed]
                doomed.update(blocked)
        after = rules.ready()
        rows.append((ready, [repo for repo in after if repo not in seen and repo not in doomed], blocked))
        seen.update(after)
        ready = after
    return rows


def check_the_queue(train: Train, policy: Policy) -> None:
    plan, failing = train.plan, set(train.failing) & set(train.plan.released)
    whole = steps(plan, failing, policy)
    slow = _slow_steps(plan, failing, policy)
    assert list(zip(whole["ready"], whole["freed"], whole["blocked"], strict=True)) == slow
    frame, afterwards, _ = told_steps(plan, failing, policy)
    assert frame.equals(whole)
    for past, now in zip(afterwards, whole["why"], strict=True):
        assert " was " in past
        assert past.replace(" was ", " is ", 1).replace("It failed, which", "It fails, which") == now
    for most in (1, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(STEPS, "_MOST_WHOLE", 0)
            patch.setattr(STEPS, "_MOST_READY", most)
            short = steps(plan, failing, policy)
        if len(short):
            assert list(short["ready"]) == [ready[:most] for ready, _, _ in slow]
            assert list(short["n_ready"]) == [len(ready) for ready, _, _ in slow]
            assert list(short["freed"]) == list(whole["freed"])


@settings(max_examples=50)
@given(trains(), policies)
def test_the_queue_is_that_of_the_rules(train: Train, policy: Policy) -> None:
    check_the_queue(train, policy)


@pytest.mark.slow
@settings(max_examples=1_000)
@given(trains(), policies)
def test_the_queue_is_that_of_the_rules_in_many_plans(train: Train, policy: Policy) -> None:
    check_the_queue(train, policy)


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_grow_with_the_plan(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STEPS, "_MOST_WHOLE", 100)
    plans = {n: plan_of(shape, n) for n in (450, 900)}
    for count in (lines, peak):
        doubled(lambda n, c=count: c(lambda: steps(plans[n][0], plans[n][1])), 450, 2.4)


def test_an_order_through_a_hub_that_is_not_released_is_checked_in_steps_that_grow_with_the_plan() -> None:
    def cost(n: int) -> int:
        edges = [*((f"a{i}", "hub") for i in range(n)), *(("hub", f"b{i}") for i in range(n))]
        graph = RepoDependencyGraph.from_edges(edges)
        plan = build_plan(graph, [(repo, "1") for repo in graph if repo != "hub"])
        _ = plan.arrays
        return lines(lambda: check_order(plan, plan.released))

    doubled(cost, 400)
