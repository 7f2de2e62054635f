"""What must go out after a change: who, why, at which version, and what is left out on purpose."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import (
    ChangePlan,
    DependencyCycle,
    RepoDependencyGraph,
    RepoNotFound,
    SequencePlan,
    plan_changes,
    run_plan,
    what_if,
)
from seqkit.core.kinds import RELEASE_KINDS
from seqkit.core.versions import bumped
from tests.core.test_cycles import Edges, frame_of, kinded


def acyclic(edges: Edges) -> Edges:
    return {pair: kinds for pair, kinds in edges.items() if pair[0] < pair[1]}


@given(kinded(), st.sets(st.sampled_from("abcdefgh"), min_size=1, max_size=3))
def test_all_below_a_change_goes_out_and_nothing_else(edges: Edges, changed: set[str]) -> None:
    edges = acyclic(edges)
    nodes = {repo: {"version": "1.2.3"} for repo in "abcdefgh"}
    graph = RepoDependencyGraph.from_edges(frame_of(edges), nodes=nodes)
    plan = plan_changes(graph, changed)
    strong = nx.DiGraph([pair for pair, kinds in edges.items() if set(kinds) & set(RELEASE_KINDS)])
    strong.add_nodes_from(changed)
    assert set(plan.released) == changed.union(*(nx.descendants(strong, repo) for repo in changed))
    assert all(item.version_label == "1.2.4" for item in plan.items if item.repo_id in plan.released)
    reasons = plan.reasons
    assert set(reasons.index[reasons["reason"] == "changed"]) == changed
    for repo, because in reasons["because_of"].items():
        assert set(because) == set(plan.released) & set(strong.pred[repo])
        assert because or repo in changed
    for repo, why in plan.left_out["why"].items():
        assert repo not in plan.released
        assert any(f"needs {other} for " in why for other in plan.released)
    back = SequencePlan.from_json(plan.to_json())
    assert isinstance(back, ChangePlan)
    assert back == plan
    pd.testing.assert_frame_equal(back.reasons, plan.reasons)
    pd.testing.assert_frame_equal(back.left_out, plan.left_out)
    assert ChangePlan.from_json(plan.to_json()).plan_id == plan.plan_id
    assert plan._repr_html_()


GRAPH = RepoDependencyGraph.from_edges(
    frame_of(
        {
            ("core", "api"): ("normal",),
            ("api", "app"): ("peer",),
            ("core", "e2e"): ("dev", "test"),
            ("api", "site"): ("normal",),
        }
    ),
    nodes={
        "core": {"version": "0.9.0", "ecosystem": "npm"},
        "api": {"version": "1.0rc1", "ecosystem": "pypi"},
        "app": {"version": "3.1.4-rc.1"},
        "e2e": {"version": "1.0.0"},
        "site": {"version": "1.0.0", "private": True},
    },
)


def test_versions_by_rule_and_as_given() -> None:
    plan = plan_changes(GRAPH, "core", bump="minor")
    assert plan.reasons["version_after"].to_dict() == {"core": "0.10.0", "api": "1.0", "app": "3.1.4"}
    assert plan.reasons["bump"].to_dict() == {"core": "minor", "api": "patch", "app": "patch"}
    assert plan.left_out["why"].to_dict() == {
        "e2e": "needs core for dev and test alone",
        "site": "private: it is never published",
    }
    given_too = plan_changes(GRAPH, ["core"], bump={"core": "1.0.0", "app": "major"})
    assert given_too.reasons["version_after"].to_dict() == {"core": "1.0.0", "api": "1.0", "app": "4.0.0"}
    assert plan_changes(GRAPH, ["core"], kinds="all").released == ["core", "api", "e2e", "app"]
    assert plan_changes(GRAPH, ["site"]).released == ["site"]  # who names it wants it


def test_who_is_reached_through_a_private_repo_says_so() -> None:
    nodes = {repo: {"version": "1.0.0", "private": repo == "glue"} for repo in ("core", "glue", "app")}
    graph = RepoDependencyGraph.from_edges([("core", "glue"), ("glue", "app")], nodes=nodes)
    plan = plan_changes(graph, "core")
    assert plan.released == ["core", "app"]
    assert plan.reasons.loc["app", "because_of"] == ["glue"]
    assert plan.left_out["why"].to_dict() == {"glue": "private: it is never published"}


def test_a_plan_of_changes_is_a_plan() -> None:
    plan = plan_changes(GRAPH, "core", originating_run_id="spring")
    assert run_plan(plan, 0.0, rng=1).succeeded == ["core", "api", "app"]
    assert what_if(plan, "api").skipped == ["app"]
    rest = plan.without("app")
    assert isinstance(rest, ChangePlan)
    assert rest.released == ["core", "api"]
    assert rest.left_out["why"]["app"] == "taken out of the plan"
    assert repr(plan) == f"ChangePlan({plan.plan_id}: 3 repos: 1 changed, 2 because of a dependency; 2 left out)"


def test_what_cannot_be_planned_is_said() -> None:
    with pytest.raises(RepoNotFound):
        plan_changes(GRAPH, "coer")
    with pytest.raises(ValueError, match="changed is empty"):
        plan_changes(GRAPH, [])
    with pytest.raises(ValueError, match="bump is 'huge', expected one of"):
        plan_changes(GRAPH, "core", bump="huge")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"bump is 3 \(int\)"):
        plan_changes(GRAPH, "core", bump=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bump names 'site', which does not go out; expected some of 'core'"):
        plan_changes(GRAPH, "core", bump={"site": "1.0"})
    bare = RepoDependencyGraph.from_edges([("a", "b")], nodes={"a": {"version": "spring"}, "b": {"version": "1"}})
    with pytest.raises(
        ValueError, match=r"repo 'a': version 'spring' is neither .* pass bump=\{'a': its next version\}"
    ):
        plan_changes(bare, "a")
    with pytest.raises(ValueError, match="repo 'b' has no version attribute"):
        plan_changes(RepoDependencyGraph.from_edges([("a", "b")], nodes={"a": {"version": "1"}}), "a")
    assert plan_changes(bare, "a", bump={"a": "2", "b": "7"}).reasons["version_after"].tolist() == ["2", "7"]
    kept = RepoDependencyGraph.from_edges([("a", "b"), ("b", "a")], cycles="keep")
    with pytest.raises(DependencyCycle):
        plan_changes(kept, "a")
    merged = RepoDependencyGraph.from_edges(
        [("a", "b"), ("b", "a")], nodes={"a": {"version": "1.0.0"}, "b": {"version": "2.0.0"}}, cycles="merge"
    )
    with pytest.raises(ValueError, match=r"'a\+b' \(it merges 'a', 'b', which no one release can be of\)"):
        plan_changes(merged, "a+b")


@pytest.mark.parametrize(
    ("version", "bump", "expected"),
    [
        ("1.2.3+build.5", "patch", "1.2.4"),
        ("1.2.3-alpha.1", "minor", "1.3.0"),
        ("1.0.0-alpha.1", "major", "1.0.0"),
        ("5", "minor", "5.1"),
        ("1.2.3.4", "patch", "1.2.4.0"),
        ("2.0.dev3", "major", "2.0"),
        ("2.1rc1", "major", "3.0"),
        ("v1.9", "minor", "v1.10"),
    ],
)
def test_next_versions(version: str, bump: str, expected: str) -> None:
    assert bumped(version, bump) == expected  # type: ignore[arg-type]
    assert bumped("1.0.0rc1", "patch", python=True) == "1.0.0"
