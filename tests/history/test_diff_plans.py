"""What has changed between two plans, against a naive comparison."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import RepoDependencyGraph, SequencePlan, analyze, build_plan
from seqkit.history import diff_plans
from seqkit.history.diff import _longest_rise
from tests.tools.strategies import HOSTILE_NAMES, dags, on_a_path


@st.composite
def plans(draw: st.DrawFn) -> SequencePlan:
    """Plans over a few ids, so that two of them have much in common."""
    nodes, edges = draw(dags(6, st.sampled_from("abcdefgh")))
    released = [repo for repo in nodes if draw(st.booleans())]
    releases = [(repo, draw(st.sampled_from("12")), draw(st.sampled_from(["", "x"])), "kim") for repo in released]
    return build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), releases)


def rises(numbers: list[int]) -> int:
    """Length of a longest ascending subsequence, by trying all."""
    return max(
        size
        for size in range(len(numbers) + 1)
        for chosen in combinations(numbers, size)
        if list(chosen) == sorted(chosen)
    )


@settings(max_examples=80)
@given(plans(), plans())
def test_every_difference_is_found(a: SequencePlan, b: SequencePlan) -> None:
    diff = diff_plans(a, b)
    before, after = ({item.repo_id: item for item in plan.items} for plan in (a, b))
    assert diff.added == [repo for repo in after if repo not in before]
    assert diff.removed == [repo for repo in before if repo not in after]
    assert diff.dependencies_added == sorted(set(b.edges) - set(a.edges))
    assert diff.dependencies_removed == sorted(set(a.edges) - set(b.edges))
    both = [repo for repo in after if repo in before]
    released = [repo for repo in both if repo in a.released and repo in b.released]
    assert diff.versions == {
        repo: (before[repo].version_label, after[repo].version_label)
        for repo in released
        if before[repo].version_label != after[repo].version_label
    }
    assert diff.changed("released") == [repo for repo in both if repo in b.released and repo not in a.released]
    assert diff.changed("unreleased") == [repo for repo in both if repo in a.released and repo not in b.released]
    assert diff.changed("digest") == [repo for repo in released if before[repo].spec_digest != after[repo].spec_digest]
    wave = [{repo: number for number, repos in enumerate(plan.waves()) for repo in repos} for plan in (a, b)]
    assert diff.changed("wave") == [repo for repo in released if wave[0][repo] != wave[1][repo]]
    assert diff.changed("added") == diff.added
    assert diff.changed("removed") == diff.removed
    frame = diff.to_frame()
    assert frame.index.tolist() == [*after, *diff.removed]
    assert frame["position_b"].dropna().to_dict() == {repo: place for place, repo in enumerate(after)}
    assert frame["wave_a"].dropna().to_dict() == wave[0]
    assert frame["version_b"].dropna().to_dict() == {repo: after[repo].version_label for repo in b.released}
    assert bool(diff) == (a._content() != b._content())


@settings(max_examples=80)
@given(plans(), plans())
def test_as_few_repos_as_possible_have_moved(a: SequencePlan, b: SequencePlan) -> None:
    moved = diff_plans(a, b).changed("moved")
    order = [[item.repo_id for item in plan.items] for plan in (a, b)]
    both = [repo for repo in order[1] if repo in order[0]]
    stay = [repo for repo in both if repo not in moved]
    assert stay == [repo for repo in order[0] if repo in stay], "the others keep their order"
    assert len(stay) == rises([order[0].index(repo) for repo in both])


@settings(max_examples=80)
@given(st.lists(st.integers(0, 50), unique=True, max_size=9))
def test_a_longest_rise_is_one_and_is_longest(numbers: list[int]) -> None:
    kept = _longest_rise(numbers)
    chosen = [numbers[index] for index in sorted(kept)]
    assert chosen == sorted(chosen)
    assert len(chosen) == rises(numbers)


@settings(max_examples=80)
@given(plans())
def test_a_plan_does_not_differ_from_itself(plan: SequencePlan) -> None:
    diff = diff_plans(plan, SequencePlan.from_json(plan.to_json()), model=0.25)
    assert not diff
    assert repr(diff).startswith("PlanDiff(no difference; ")
    assert not any(diff.to_frame()["changes"])
    assert diff.expected_change == diff.p_all_change == 0


@settings(max_examples=80)
@given(plans(), plans(), st.integers(1, 2))
def test_a_model_tells_what_the_change_is_worth(a: SequencePlan, b: SequencePlan, attempts: int) -> None:
    # Repos of either plan: of names that a plan has none of, its analysis alone would say so.
    model = {repo: 0.5 / number for number, repo in enumerate(sorted({*a.released, *b.released}), 1)}
    diff = diff_plans(a, b, model, attempts)
    before, after = (analyze(plan, model, attempts) for plan in (a, b))
    assert diff.expected_change == after.expected.succeeded - before.expected.succeeded
    assert diff.p_all_change == after.p_all_succeed - before.p_all_succeed
    frame = diff.to_frame()
    assert frame["p_succeeded_a"].dropna().to_dict() == before.to_frame()["p_succeeded"].to_dict()
    assert frame["p_succeeded_b"].dropna().to_dict() == after.to_frame()["p_succeeded"].to_dict()
    plain = diff_plans(a, b).to_frame()
    assert frame[list(plain)].astype(object).equals(plain.astype(object))
    assert (
        plain.dtypes.to_dict()
        == diff_plans(build_plan(RepoDependencyGraph()), build_plan(RepoDependencyGraph())).to_frame().dtypes.to_dict()
    )


def test_taking_a_repo_out_leaves_the_others_where_they_are() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "d")]), version="1")
    diff = diff_plans(plan, plan.without("b"))
    assert diff.changed("unreleased") == ["b"]
    assert diff.changed("wave") == ["c"]
    assert diff.changed("moved") == diff.added == diff.removed == []
    diff = diff_plans(plan, plan.without("d"))
    assert diff.removed == ["d"]
    assert diff.dependencies_removed == [("a", "d")]
    assert on_a_path(["a", "b", "c"], [("a", "b"), ("b", "c")], ["a", "c"]) == {"a", "b", "c"}


def test_the_repr_is_short_and_the_html_is_safe() -> None:
    a = build_plan(RepoDependencyGraph.from_edges([], nodes=[f"r{n:03}" for n in range(50)]), version="1")
    b = build_plan(RepoDependencyGraph.from_edges([], nodes=HOSTILE_NAMES), version="<b>2</b>")
    diff = diff_plans(a, b)
    assert "\n  removed (50): r000, r001" in repr(diff)
    assert repr(diff).endswith("and 42 more")
    html = diff._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert len(html) < 20_000


def test_what_is_wrong_is_named() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1")
    with pytest.raises(TypeError, match="b is 'x', expected a SequencePlan"):
        diff_plans(plan, "x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"change is 'colour', expected one of \('added'"):
        diff_plans(plan, plan).changed("colour")
    with pytest.raises(ValueError, match="compared without a model"):
        diff_plans(plan, plan).expected_change  # noqa: B018
    with pytest.raises(ValueError, match="model is nan"):
        diff_plans(plan, plan, model=float("nan"))
