"""The rule machine and the executed run, against the naive reading of the rules in strategies.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import (
    FailureModel,
    MemoryRunLedger,
    RepoDependencyGraph,
    RepoNotFound,
    RunEvent,
    ScriptedReleaser,
    SequenceOutcome,
    SequencePlan,
    build_plan,
    replay,
    run_plan,
    steps,
    what_if,
)
from seqkit.analysis.montecarlo.trial import run_trial
from seqkit.core.rules import Reason, Rules, Skip, Start, each_choice, follow
from seqkit.core.terms import Terms
from tests.tools.strategies import Train, ancestors, dags, fifo_kahn, trains


def plan_of(*edges: tuple[str, str], released: list[str] | None = None, nodes: tuple[str, ...] = ()) -> SequencePlan:
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    return build_plan(graph, [(repo, "1.0") for repo in (list(graph) if released is None else released)])


def events_of(outcome: SequenceOutcome) -> list[RunEvent]:
    return list(outcome.ledger.get_events(outcome.run_id))


class Flaky:
    """Fails a repo's first attempts, and looks into the ledger each time it is called."""

    def __init__(self, train: Train, ledger: MemoryRunLedger) -> None:
        self.left = dict(train.failing)
        self.ledger = ledger
        self.run_id = ""

    def start_run(self, run_id: str) -> None:
        self.run_id = run_id

    async def release(self, repo_id: str, version_label: str, spec_digest: str, promoted_by: str) -> str:
        last = self.ledger.get_events(self.run_id)[-1]
        assert (last.kind in ("NodeEntered", "NodeRetrying"), last.payload["node_id"]) == (True, repo_id)
        assert (version_label, spec_digest, promoted_by) == ("1.0", f"digest-{repo_id}", "kim")
        if self.left.get(repo_id, 0):
            self.left[repo_id] -= 1
            raise RuntimeError(f"flaky {repo_id}")
        return f"run-{repo_id}"


def assert_write_ahead(train: Train, events: list[RunEvent]) -> None:
    above = ancestors(train.nodes, train.edges)
    entered: set[str] = set()
    ended: set[str] = set()
    for event in events:
        repo = event.payload["node_id"]
        if event.kind in ("NodeEntered", "NodeSkipped"):
            assert repo not in entered | ended
            assert above[repo] & set(train.released) <= ended, "all that it needs has ended before"
        if event.kind == "NodeEntered":
            entered.add(repo)
        else:
            assert repo in entered or event.kind == "NodeSkipped"
            assert repo not in ended
        if event.kind not in ("NodeEntered", "NodeRetrying"):
            ended.add(repo)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert ended == set(train.released)


# ---------------------------------------------------------------------- the executed run


@given(trains())
def test_a_run_is_what_the_rules_say(train: Train) -> None:
    expected, ledger = train.reading(), MemoryRunLedger()
    outcome = run_plan(
        train.plan,
        Flaky(train, ledger),
        ledger,
        policy=train.policy,
        failure_budget=train.budget,
        attempts=train.attempts,
    )
    assert [item.repo_id for item in outcome.items] == train.order
    assert (outcome.succeeded, outcome.skipped) == (expected.succeeded, expected.skipped)
    assert outcome.failed == [(repo, f"flaky {repo}") for repo in expected.failed]
    assert outcome.overall_success is (not expected.failed)

    frame = outcome.to_frame().set_index("repo_id")
    assert frame["skip_cause"].dropna().to_dict() == expected.causes
    assert frame["attempts"].to_dict() == expected.tries
    assert {repo: b for repo, b in frame["blocked_by"].items() if b} == {
        repo: blockers for repo, blockers in expected.blocked_by.items() if blockers
    }

    events = events_of(outcome)
    assert [(event.kind, event.payload["node_id"]) for event in events] == expected.events
    assert_write_ahead(train, events)
    tried: dict[str, int] = {}
    for event in events:
        repo = event.payload["node_id"]
        tried[repo] = tried.get(repo, 0) + 1
        assert (
            event.payload
            == {
                "NodeEntered": {"node_id": repo, "version": "1.0"},
                "NodeExited": {"node_id": repo, "run_id": f"run-{repo}"},
                "NodeFailed": {"node_id": repo, "error": f"flaky {repo}"},
                "NodeSkipped": {"node_id": repo, "blocked_by": expected.blocked_by.get(repo, [])},
                "NodeRetrying": {"node_id": repo, "attempt": tried[repo] - 1, "delay_ms": 0, "error": f"flaky {repo}"},
            }[event.kind]
        )
    record = ledger.get_run(outcome.run_id or "")
    assert record.status == ("FAILED" if expected.failed else "COMPLETED")
    assert record.summary is not None
    assert record.summary.total_events == len(events)


@given(trains())
def test_a_scripted_run_is_what_the_rules_say(train: Train) -> None:
    expected = Train(**{**vars(train), "failing": dict.fromkeys(train.failing, train.attempts)}).reading()
    outcome = run_plan(
        train.plan,
        ScriptedReleaser(list(train.failing)),
        record_skips=False,
        policy=train.policy,
        failure_budget=train.budget,
        attempts=train.attempts,
    )
    assert (outcome.succeeded, list(outcome.failures), outcome.skipped) == (
        expected.succeeded,
        expected.failed,
        expected.skipped,
    )
    assert [(event.kind, event.payload["node_id"]) for event in events_of(outcome)] == [
        event for event in expected.events if event[0] != "NodeSkipped"
    ]
    for repo, reason in outcome.failed:
        assert reason == f"release sequencing failed for repo {repo}: intentional failure"


@given(dags())
def test_order_is_topological_and_first_in_first_out(dag: Any) -> None:
    nodes, edges = dag
    order = [item.repo_id for item in build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), version="1").items]
    assert order == fifo_kahn(nodes, edges)
    place = {repo: position for position, repo in enumerate(order)}
    assert set(place) == set(nodes)
    assert all(place[before] < place[after] for before, after in edges)


def test_the_queue_is_neither_by_priority_nor_by_level() -> None:
    assert [item.repo_id for item in plan_of(("z", "b"), ("a", "y")).items] == ["a", "z", "y", "b"]


# ---------------------------------------------------------------------- followed without a releaser


def because(train: Train) -> Reason:
    return lambda repo, attempt: f"flaky {repo}" if attempt <= train.failing.get(repo, 0) else None


@given(trains())
def test_what_is_followed_is_what_the_rules_say(train: Train) -> None:
    expected = train.reading()
    rules = follow(train.plan, Terms(train.policy, train.budget, train.attempts), because(train), "id of {}".format)
    outcome = rules.outcome()
    assert rules.over
    assert rules.success is outcome.overall_success is (not expected.failed)
    assert (outcome.succeeded, outcome.skipped) == (expected.succeeded, expected.skipped)
    assert outcome.failed == [(repo, f"flaky {repo}") for repo in expected.failed]
    frame = outcome.to_frame().set_index("repo_id")
    assert frame["skip_cause"].dropna().to_dict() == expected.causes
    assert frame["attempts"].to_dict() == expected.tries
    assert frame["released_as"].dropna().to_dict() == {repo: f"id of {repo}" for repo in expected.succeeded}
    assert {repo: frame.loc[repo, "blocked_by"] for repo in expected.blocked_by} == expected.blocked_by


@given(trains())
def test_choices_come_in_plan_order_each_with_its_end(train: Train) -> None:
    rules = Rules(train.plan, Terms(train.policy, train.budget, train.attempts))
    taken = []
    for step in each_choice(rules, because(train)):
        taken.append(step.repo_id)
        word = rules.outcome().statuses[step.position].name
        assert word in (("succeeded", "failed") if isinstance(step, Start) else ("skipped",))
        assert not set(rules.ready()) & set(taken)
    assert taken == train.order


@given(trains())
def test_all_drivers_agree(train: Train) -> None:
    plan, terms, failing = train.plan, Terms(train.policy, train.budget, train.attempts), list(train.failing)
    run = run_plan(plan, ScriptedReleaser(failing), **terms.to_tag())
    asked = what_if(plan, [repo for repo in failing if repo in train.order], train.policy, train.budget)
    drawn = run_trial(plan, FailureModel(dict.fromkeys(failing, 1.0)), terms, seed=0, trial=0).outcome
    again = replay(run.ledger, run.run_id or "").outcome
    assert again is not None
    told = [outcome.to_frame().drop(columns="reason") for outcome in (run, drawn, again)]
    assert told[0].equals(told[1])
    assert told[0].equals(told[2])
    assert told[0].drop(columns="attempts").equals(asked.to_frame().drop(columns=["reason", "attempts"]))
    if train.budget is None:
        walk = steps(plan, [repo for repo in failing if repo in train.order], train.policy)
        assert walk["choice"].tolist() == train.order
        fails = walk.loc[walk["why"].str.contains(". It fails, which keeps ", regex=False), "choice"].tolist()
        assert fails == [repo for repo, _ in run.failed]


# ---------------------------------------------------------------------- many lanes


def drive(train: Train, lanes: int, choose: Any) -> tuple[Rules, list[str]]:
    """Run with several releases under way; `choose` says which of them ends next."""
    rules = Rules(train.plan, Terms(train.policy, train.budget, train.attempts))
    above, left = ancestors(train.nodes, train.edges), dict(train.failing)
    under_way: list[str] = []
    started: list[str] = []
    ended: set[str] = set()
    while not rules.over:
        step = rules.take() if len(under_way) < lanes else None
        if isinstance(step, Start):
            assert above[step.repo_id] & set(train.order) <= ended
            assert not rules.stopping
            rules.start(step.repo_id)
            under_way.append(step.repo_id)
            started.append(step.repo_id)
        elif isinstance(step, Skip):
            ended.add(step.repo_id)
        else:
            repo = under_way[choose(len(under_way))]
            if left.get(repo, 0):
                left[repo] -= 1
                assert rules.attempt(repo) == train.failing[repo] - left[repo]
                again = rules.will_retry(repo)
                assert rules.fail(repo, "flaky") is again, "asking changes nothing, and is answered truly"
                if again:
                    continue
            else:
                rules.succeed(repo, f"run-{repo}")
            under_way.remove(repo)
            ended.add(repo)
    assert rules.take() is None
    assert not under_way
    return rules, started


@given(trains(), st.integers(1, 4), st.data())
def test_lanes_do_not_change_what_comes_out(train: Train, lanes: int, data: st.DataObject) -> None:
    rules, started = drive(train, lanes, lambda n: data.draw(st.integers(0, n - 1)))
    outcome = rules.outcome()
    assert len(set(started)) == len(started)
    if train.policy != "stop" and train.budget is None:
        expected = train.reading()
        assert (outcome.succeeded, list(outcome.failures), outcome.skipped) == (
            expected.succeeded,
            expected.failed,
            expected.skipped,
        )
        frame = outcome.to_frame().set_index("repo_id")
        assert frame["skip_cause"].dropna().to_dict() == expected.causes
        for repo, blockers in expected.blocked_by.items():
            assert frame.loc[repo, "blocked_by"] == blockers, "in plan order, whatever failed first"


@given(trains())
def test_one_lane_starts_in_plan_order(train: Train) -> None:
    _, started = drive(train, 1, lambda n: 0)
    assert started == [repo for kind, repo in train.reading().events if kind == "NodeEntered"]


def test_two_releases_under_way() -> None:
    rules = Rules(plan_of(("a", "c"), ("b", "d")))
    assert rules.ready() == ["a", "b"]
    assert rules.take() == Start(0, "a")
    rules.start("a")
    assert rules.take() == Start(1, "b")
    rules.start("b")
    assert rules.take() is None, "nothing is decided until one of the two ends"
    assert not rules.over
    rules.fail("b", "red")
    assert rules.take() == Skip(3, "d", "blocked", ("b",))
    assert rules.take() is None
    rules.succeed("a", "run-a")
    assert rules.take() == Start(2, "c")
    rules.start("c")
    rules.succeed("c", "run-c")
    assert rules.over
    assert rules.outcome().skipped == ["d"]


def test_skips_come_in_plan_order_with_their_blockers_in_plan_order() -> None:
    rules = Rules(plan_of(("a", "x"), ("b", "x"), ("b", "y"), ("a", "w"), ("x", "z")))
    for repo in ("a", "b"):
        assert isinstance(rules.take(), Start)
        rules.start(repo)
    rules.fail("b", "second in the plan, first to fail")
    rules.fail("a", "the other way round")
    taken = []
    while (step := rules.take()) is not None:
        taken.append((step.repo_id, step.blocked_by))  # type: ignore[union-attr]  # Start has none: that would fail
    assert taken == [("w", ("a",)), ("x", ("a", "b")), ("y", ("b",)), ("z", ("a", "b"))]


def test_a_repo_waits_for_all_it_needs_even_where_one_has_failed() -> None:
    rules = Rules(plan_of(("a", "c"), ("b", "c")))
    for repo in ("a", "b"):
        rules.take()
        rules.start(repo)
    rules.fail("a", "red")
    assert rules.take() is None
    rules.fail("b", "red")
    assert rules.take() == Skip(2, "c", "blocked", ("a", "b"))


def test_under_stop_what_is_under_way_still_ends() -> None:
    rules = Rules(plan_of(("a", "c"), nodes=("a", "b", "d")), Terms("stop"))
    for repo in ("a", "b"):
        assert rules.take() == Start(("a", "b").index(repo), repo)
        rules.start(repo)
    rules.fail("a", "red")
    assert rules.take() == Skip(2, "d", "stopped", ())
    assert rules.take() == Skip(3, "c", "blocked", ("a",))
    rules.succeed("b", "run-b")
    assert rules.outcome().succeeded == ["b"]
    assert not rules.outcome().overall_success


def test_the_budget_counts_failures_not_attempts() -> None:
    rules = Rules(plan_of(nodes=("a", "b", "c")), Terms("continue", failure_budget=2, attempts=2))
    for repo, starts in (("a", True), ("b", True)):
        assert isinstance(rules.take(), Start) is starts
        rules.start(repo)
        assert rules.fail(repo, "once") is True
        assert rules.fail(repo, "twice") is False
    assert rules.stopping
    assert rules.take() == Skip(2, "c", "stopped", ())
    assert rules.outcome().failures == {"a": "twice", "b": "twice"}


@pytest.mark.parametrize("policy", ["continue", "skip_dependents", "stop"])
def test_what_the_stop_leaves_is_stopped_where_a_failure_blocks_nobody(policy: Any) -> None:
    plan = plan_of(("a", "b"), ("b", "c"), nodes=("a", "b", "c", "z"), released=["a", "c", "z"])
    rules = follow(plan, Terms(policy, failure_budget=1), lambda repo, attempt: "red" if repo == "a" else None)
    blames = policy != "continue"
    outcome = rules.outcome()
    ended = dict(
        zip((item.repo_id for item in plan.items), zip(outcome.words(), outcome.blocked_by, strict=True), strict=True)
    )
    assert ended == {
        "a": ("failed", ()),
        "z": ("stopped", ()),
        "b": ("unreleased", ()),
        "c": ("blocked", ("a",)) if blames else ("stopped", ()),
    }


def test_an_unreleased_repo_hands_on_what_blocks_it() -> None:
    rules = Rules(plan_of(("a", "b"), ("b", "c"), released=["a", "c"]))
    rules.take()
    rules.start("a")
    rules.fail("a", "red")
    assert rules.take() == Skip(1, "b", "unreleased", ())
    assert rules.take() == Skip(2, "c", "blocked", ("a",))


# ---------------------------------------------------------------------- misuse


def started(terms: Terms | None = None) -> Rules:
    rules = Rules(plan_of(("a", "b")), terms)
    rules.take()
    rules.start("a")
    return rules


def test_nothing_ends_twice() -> None:
    rules = started()
    rules.succeed("a", "run-a")
    with pytest.raises(ValueError, match="'a' is succeeded, expected in_progress"):
        rules.succeed("a", "run-a")
    with pytest.raises(ValueError, match="'a' is succeeded, expected in_progress"):
        rules.fail("a", "red")
    with pytest.raises(ValueError, match="'a' is succeeded, expected pending"):
        rules.start("a")
    failed = started()
    failed.fail("a", "red")
    with pytest.raises(ValueError, match="'a' is failed, expected in_progress"):
        failed.fail("a", "red")


def test_nothing_starts_twice_or_ends_before_it_starts() -> None:
    with pytest.raises(ValueError, match="'a' is in_progress, expected pending"):
        started().start("a")
    for ask in (Rules.attempt, Rules.will_retry):
        with pytest.raises(ValueError, match="'b' is pending, expected in_progress"):
            ask(started(), "b")
    with pytest.raises(ValueError, match="'b' is pending, expected in_progress"):
        started().succeed("b", "run-b")
    with pytest.raises(RepoNotFound, match="repo not found in graph: zzz"):
        started().start("zzz")


def test_only_what_was_given_out_may_start() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    rules = Rules(plan)
    for repo in ("a", "b"):
        with pytest.raises(ValueError, match=f"repo '{repo}' may not start: take"):
            rules.start(repo)
    rules.take()
    rules.start("a")
    with pytest.raises(ValueError, match="repo 'a' is in_progress, expected pending"):
        rules.start("a")
