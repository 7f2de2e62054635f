"""What-ifs, against the naive reading of the rules in strategies.py."""

from __future__ import annotations

import pytest
from hypothesis import given

from seqkit import RepoDependencyGraph, RepoNotFound, ScriptedReleaser, build_plan, run_plan, what_if
from tests.tools.strategies import HOSTILE_NAMES, Train, ancestors, trains


@given(trains())
def test_a_what_if_is_what_the_rules_say(train: Train) -> None:
    plan, expected = train.plan, train.reading(attempts=1)
    failing = [repo for repo in train.failing if repo in train.order]
    outcome = what_if(plan, fail=failing, policy=train.policy, failure_budget=train.budget)
    assert (outcome.succeeded, outcome.skipped) == (expected.succeeded, expected.skipped)
    assert [repo for repo, _ in outcome.failed] == expected.failed == list(outcome.failures)
    for repo, reason in outcome.failed:
        assert reason.startswith(f"release sequencing failed for repo {repo}: ")
    assert outcome.overall_success is (not expected.failed)
    frame = outcome.to_frame().set_index("repo_id")
    assert frame["skip_cause"].dropna().to_dict() == expected.causes
    assert {repo: list(frame.loc[repo, "blocked_by"]) for repo in expected.blocked_by} == expected.blocked_by
    assert outcome.plan is plan
    assert outcome.plan_id == plan.plan_id
    assert (outcome.run_id, outcome.ledger) == (None, None)


@given(trains())
def test_a_what_if_equals_the_run(train: Train) -> None:
    failing = [repo for repo in train.failing if repo in train.order]
    asked = what_if(train.plan, failing, train.policy, train.budget)
    run = run_plan(train.plan, ScriptedReleaser(failing), policy=train.policy, failure_budget=train.budget)
    assert [item.status.name for item in asked.items] == [item.status.name for item in run.items]
    assert asked.to_frame().drop(columns="reason").equals(run.to_frame().drop(columns="reason"))


@given(trains())
def test_a_failure_skips_all_that_is_below_it_and_nothing_else(train: Train) -> None:
    above = ancestors(train.nodes, train.edges)
    for repo in train.released:
        skipped = set(what_if(train.plan, fail=repo).skipped) & set(train.released)
        assert skipped == {other for other in train.released if repo in above[other]}


CHAIN = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), [("a", "1"), ("c", "1")])


def test_one_id_or_several() -> None:
    assert what_if(CHAIN, "a").failures.keys() == what_if(CHAIN, ["a"]).failures.keys() == {"a"}
    assert what_if(CHAIN).succeeded == ["a", "c"]
    assert what_if(CHAIN, {"a", "c"}).skipped == ["b", "c"], "c is blocked before it can fail"


def test_a_failure_blocks_through_unreleased_repos_which_never_fail_themselves() -> None:
    assert what_if(CHAIN, "a").skipped == ["b", "c"]
    assert what_if(CHAIN, "b").succeeded == ["a", "c"]


def test_an_unknown_repo_is_named() -> None:
    with pytest.raises(RepoNotFound, match="repo not found in graph: zzz"):
        what_if(CHAIN, ["a", "zzz"])


def test_the_plan_is_untouched() -> None:
    before = CHAIN.to_json()
    what_if(CHAIN, "a")
    assert CHAIN.to_json() == before


@pytest.mark.parametrize("policy", ["skip_dependents", "stop", "continue"])
def test_an_empty_plan_succeeds(policy: str) -> None:
    outcome = what_if(build_plan(RepoDependencyGraph(), []), policy=policy)  # type: ignore[arg-type]
    assert outcome.overall_success
    assert outcome.items == ()
    assert len(outcome.to_frame()) == 0


def test_hostile_names_are_escaped_in_the_repr() -> None:
    star = RepoDependencyGraph.from_edges([(HOSTILE_NAMES[0], name) for name in HOSTILE_NAMES[1:]])
    outcome = what_if(build_plan(star, version="1"), HOSTILE_NAMES[0])
    assert outcome.skipped == sorted(HOSTILE_NAMES[1:])
    html = outcome._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert len(html) < 20_000
