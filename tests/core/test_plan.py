"""Plans: what is released, in which order, and their JSON."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import (
    DependencyCycle,
    DuplicateRelease,
    Release,
    RepoDependencyGraph,
    RepoNotFound,
    SequencePlan,
    build_plan,
)
from tests.tools.strategies import HOSTILE_NAMES, Train, ancestors, on_a_path, trains

CHAIN = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("c", "d")])


def ids(plan: SequencePlan) -> list[str]:
    return [item.repo_id for item in plan.items]


# ---------------------------------------------------------------------- releases


def test_releases_in_every_form_make_one_plan() -> None:
    rows = [("c", "2.0", "digest-c", "kim"), ("a", "1.0", "", "")]
    wanted = build_plan(CHAIN, rows)
    fields = ("repo_id", "version_label", "spec_digest", "promoted_by")
    for form in (
        [Release(*row) for row in rows],
        [dict(zip(fields, row, strict=True)) for row in rows],
        pd.DataFrame(rows, columns=list(fields)),
        pd.DataFrame(rows, columns=list(fields), dtype="string").assign(other=1),
        iter([Release("a", "1.0"), rows[0]]),
        [("a", "1.0"), {"repo_id": "c", "version_label": "2.0", "spec_digest": "digest-c", "promoted_by": "kim"}],
    ):
        assert build_plan(CHAIN, form) == wanted
    assert [(i.repo_id, i.version_label, i.spec_digest, i.promoted_by, i.status.name) for i in wanted.items] == [
        ("a", "1.0", "", "", "pending"),
        ("b", "skipped", "", "", "skipped"),
        ("c", "2.0", "digest-c", "kim", "pending"),
    ]
    assert build_plan(CHAIN, pd.DataFrame({"repo_id": ["a"], "version_label": ["1.0"]})).items[0].spec_digest == ""


def test_without_releases_every_repo_goes_out_at_its_own_version() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "b")], nodes={"a": {"version": "7"}})
    assert [(i.repo_id, i.version_label) for i in build_plan(graph, version="1").items] == [("a", "7"), ("b", "1")]
    with pytest.raises(ValueError, match="version is None and repo 'b' has no version"):
        build_plan(graph)
    graph.add_node("b", version="8")
    assert [i.version_label for i in build_plan(graph).items] == ["7", "8"]


def test_unknown_and_duplicate_releases_are_named() -> None:
    with pytest.raises(RepoNotFound, match=r"^repo not found in graph: zzz$"):
        build_plan(CHAIN, [("a", "1"), ("zzz", "1")])
    with pytest.raises(DuplicateRelease, match="released twice in one plan: a") as caught:
        build_plan(CHAIN, [("a", "1"), ("a", "2")])
    assert caught.value.repo == "a"
    with pytest.raises(DuplicateRelease):
        build_plan(CHAIN, [("a", "1"), ("a", "1")])
    same = Release("a", "1")
    with pytest.raises(DuplicateRelease):
        build_plan(CHAIN, [same, same])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"releases": "a"}, TypeError, "releases is 'a', expected a list"),
        ({"releases": {"a": "1"}}, TypeError, "releases is .*expected a list"),
        ({"releases": ["a"]}, TypeError, r"releases\[0\] is 'a', expected a Release"),
        ({"releases": [("a", "1"), ("b",)]}, ValueError, r"releases\[1\] is \('b',\)"),
        ({"releases": [("a", 1)]}, ValueError, r"releases\[0\] is \('a', 1\)"),
        ({"releases": [{"repo_id": "a"}]}, ValueError, r"releases\[0\] is .*version_label"),
        ({"releases": [{"repo": "a", "version_label": "1"}]}, ValueError, r"releases\[0\] is "),
        ({"releases": [("a", "1", "", "", "more")]}, ValueError, r"releases\[0\] is "),
        ({"releases": pd.DataFrame({"repo_id": ["a"]})}, ValueError, "releases has no column 'version_label'"),
        ({"releases": [("a", "1")], "version": "2"}, ValueError, "version is '2', but releases already say"),
        ({"releases": [], "scope": "some"}, ValueError, "scope is 'some', expected one of .*path.*all"),
        ({"releases": [], "originating_run_id": None}, TypeError, "originating_run_id is None, expected a str"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build_plan(CHAIN, **arguments)


def test_an_empty_plan() -> None:
    for plan in (build_plan(CHAIN, []), build_plan(RepoDependencyGraph(), []), build_plan(RepoDependencyGraph())):
        assert plan.items == ()
        assert plan.waves() == []
        assert len(plan.to_frame()) == 0
        assert SequencePlan.from_json(plan.to_json()) == plan
        assert "0 repos" in repr(plan)
        assert "<table" in plan._repr_html_()
    assert len(build_plan(CHAIN, [], scope="all").items) == 4


# ---------------------------------------------------------------------- scope, closure, waves


@given(trains())
def test_scope_order_and_closure(train: Train) -> None:
    plan, above = train.plan, ancestors(train.nodes, train.edges)
    kept = set(train.nodes) if train.scope == "all" else on_a_path(train.nodes, train.edges, train.released)
    assert set(ids(plan)) == kept
    assert ids(plan) == train.order
    assert [item.repo_id for item in plan.items if item.status != "skipped"] == [
        repo for repo in train.order if repo in train.released
    ]
    for item in plan.items:
        wanted = ("1.0", f"digest-{item.repo_id}", "kim") if item.repo_id in train.released else ("skipped", "", "")
        assert (item.version_label, item.spec_digest, item.promoted_by) == wanted
    assert set(plan.graph) == kept
    assert plan.graph.edges == sorted((a, b) for a, b in train.edges if a in kept and b in kept)
    # On a path between two released repos, reachability in the plan is that of the whole graph.
    for repo in train.released:
        below = set(plan.graph.transitive_dependents_of(repo))
        assert below & set(train.released) == {other for other in train.released if repo in above[other]}
    for repo in kept:
        assert set(plan.graph.transitive_dependencies_of(repo)) == above[repo] & kept


@given(trains())
def test_waves_are_longest_paths_over_released_repos(train: Train) -> None:
    above = ancestors(train.nodes, train.edges)
    level: dict[str, int] = {}
    for repo in train.order:
        if repo in train.released:
            level[repo] = max((level[other] + 1 for other in above[repo] if other in level), default=0)
    depth = max(level.values(), default=-1) + 1
    assert train.plan.waves() == [[repo for repo in train.order if level.get(repo) == wave] for wave in range(depth)]
    frame = train.plan.to_frame().set_index("repo_id")
    assert frame["wave"].dropna().to_dict() == level


def test_waves_run_through_unreleased_repos() -> None:
    assert build_plan(CHAIN, [("a", "1"), ("c", "1")]).waves() == [["a"], ["c"]]


def test_scope_path_leaves_out_what_nothing_runs_through() -> None:
    assert ids(build_plan(CHAIN, [("b", "1")])) == ["b"]
    assert ids(build_plan(CHAIN, [("a", "1"), ("c", "1")])) == ["a", "b", "c"]
    assert ids(build_plan(CHAIN, [("b", "1")], scope="all")) == ["a", "b", "c", "d"]


# ---------------------------------------------------------------------- without


@given(trains(), st.data())
def test_without_is_the_plan_of_what_remains(train: Train, data: st.DataObject) -> None:
    plan = train.plan
    out = data.draw(st.lists(st.sampled_from(train.order), unique=True)) if train.order else []
    rest = [repo for repo in train.released if repo not in out]
    expected = Train(**{**vars(train), "released": rest, "scope": "path"}).plan
    changed = plan.without(out)
    assert changed == expected
    assert changed.plan_id == expected.plan_id
    assert plan == train.plan, "unchanged itself"


def test_without_one_repo_or_one_that_is_missing() -> None:
    plan = build_plan(CHAIN, version="1", originating_run_id="origin")
    changed = plan.without("b")
    assert [(i.repo_id, i.status.name) for i in changed.items][:2] == [("a", "pending"), ("b", "skipped")]
    assert changed.originating_run_id == "origin"
    assert ids(plan.without(["a", "d"])) == ["b", "c"]
    with pytest.raises(RepoNotFound, match="zzz"):
        plan.without(["a", "zzz"])


# ---------------------------------------------------------------------- plan_id


def content_id(plan: SequencePlan) -> str:
    content = {key: value for key, value in json.loads(plan.to_json()).items() if key != "plan_id"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"seq-{hashlib.sha256(canonical.encode()).hexdigest()[:8]}"


@given(trains())
def test_plan_id_is_the_digest_of_the_content(train: Train) -> None:
    assert train.plan.plan_id == content_id(train.plan) == train.plan.plan_id
    shuffled = Train(**{**vars(train), "nodes": train.nodes[::-1], "edges": train.edges[::-1]})
    assert shuffled.plan.plan_id == train.plan.plan_id


def test_plan_id_sees_every_part_of_the_content() -> None:
    plans = [
        build_plan(CHAIN, [("a", "1"), ("c", "1")]),
        build_plan(CHAIN, [("a", "2"), ("c", "1")]),
        build_plan(CHAIN, [("a", "1", "d"), ("c", "1")]),
        build_plan(CHAIN, [("a", "1", "", "kim"), ("c", "1")]),
        build_plan(CHAIN, [("a", "1"), ("c", "1")], originating_run_id="other"),
        build_plan(CHAIN, [("a", "1"), ("c", "1")], scope="all"),
        build_plan(CHAIN, [("a", "1"), ("b", "skipped"), ("c", "1")]),
        build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "c")]), [("a", "1"), ("c", "1")]),
    ]
    assert len({plan.plan_id for plan in plans}) == len(set(plans)) == len(plans)
    assert all(a != b for i, a in enumerate(plans) for b in plans[:i])
    assert build_plan(CHAIN, [("a", "1"), ("c", "1")]).plan_id == "seq-" + plans[0].plan_id[4:]
    assert plans[0] == build_plan(CHAIN, [("c", "1"), ("a", "1")])


def test_a_plan_never_changes() -> None:
    plan = build_plan(CHAIN, version="1")
    for name in ("items", "graph", "originating_run_id"):
        with pytest.raises(AttributeError):
            setattr(plan, name, None)
    assert isinstance(plan.items, tuple)


# ---------------------------------------------------------------------- JSON


@given(trains())
def test_json_round_trip(train: Train) -> None:
    plan = train.plan
    text = plan.to_json()
    assert list(json.loads(text)) == ["plan_id", "originating_run_id", "items", "edges"]
    back = SequencePlan.from_json(text)
    assert back == plan
    assert back.to_json() == text
    assert back.waves() == plan.waves()
    assert SequencePlan.from_json(text.encode()).plan_id == plan.plan_id


def test_json_form() -> None:
    plan = build_plan(CHAIN, [("a", "1", "digest", "kim"), ("c", "2")], "origin")
    assert json.loads(plan.to_json()) == {
        "plan_id": plan.plan_id,
        "originating_run_id": "origin",
        "items": [
            {"repo_id": "a", "version_label": "1", "spec_digest": "digest", "promoted_by": "kim", "status": "pending"},
            {"repo_id": "b", "version_label": "skipped", "spec_digest": "", "promoted_by": "", "status": "skipped"},
            {"repo_id": "c", "version_label": "2", "spec_digest": "", "promoted_by": "", "status": "pending"},
        ],
        "edges": [["a", "b"], ["b", "c"]],
    }


def test_a_foreign_plan_id_and_statuses_are_kept() -> None:
    content = json.loads(build_plan(CHAIN, version="1").to_json())
    content["plan_id"] = "the original draws it at random"
    content["items"][0]["status"] = {"succeeded": {"run_id": "run-a"}}
    plan = SequencePlan.from_json(json.dumps(content))
    assert plan.plan_id == "the original draws it at random"
    assert plan.items[0].status.run_id == "run-a"
    assert json.loads(plan.to_json()) == content


def broken(**changes: Any) -> str:
    return json.dumps({**json.loads(build_plan(CHAIN, version="1").to_json()), **changes})


ITEM = {"repo_id": "a", "version_label": "1", "spec_digest": "", "promoted_by": "", "status": "pending"}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", ValueError, "text is not JSON .*expected what SequencePlan.to_json"),
        ("{", ValueError, "text is not JSON"),
        ('{"items": [], "edges": [], "items": [], "originating_run_id": "x"}', ValueError, "the key 'items' twice"),
        ('{"items": [], "edges": [], "originating_run_id": "x", "more": NaN}', ValueError, "NaN is not JSON"),
        ("[" * 100_000, ValueError, "text is not JSON"),
        (b"\xff\xfe\xff", ValueError, "text is not JSON"),
        ("[]", ValueError, "not a plan: "),
        ("null", ValueError, "not a plan: "),
        ("{}", ValueError, "not a plan: originating_run_id"),
        (broken(items=None), ValueError, "not a plan: items"),
        (broken(items=[{"repo_id": "a"}], edges=[]), ValueError, r"not a plan: items\.0\.version_label"),
        (broken(items=[{**ITEM, "status": "done"}], edges=[]), ValueError, r"not a plan: items\.0\.status"),
        (broken(edges=[["a"]]), ValueError, r"not a plan: edges\.0"),
        (broken(edges=[["a", 3]]), ValueError, r"not a plan: edges\.0"),
        (broken(items=[ITEM, ITEM], edges=[]), DuplicateRelease, "a"),
        (broken(edges=[["a", "zzz"]]), RepoNotFound, "zzz"),
        (broken(edges=[["a", "b"], ["b", "a"]]), DependencyCycle, '"a", "b", "a"'),
        (broken(edges=[["d", "a"]]), ValueError, "'a' stands before 'd', which it needs"),
    ],
    ids=range(18),
)
def test_malformed_json_is_named(text: str | bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SequencePlan.from_json(text)


# ---------------------------------------------------------------------- showing


def test_frame_columns_and_dtypes() -> None:
    expected = {
        "position": "Int64",
        "wave": "Int64",
        "repo_id": "string",
        "version_label": "string",
        "spec_digest": "string",
        "promoted_by": "string",
        "status": "category",
        "skip_cause": "category",
        "dependencies": "object",
    }
    for plan in (build_plan(CHAIN, [("a", "1"), ("c", "1")]), build_plan(CHAIN, [])):
        frame = plan.to_frame()
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == expected
        assert frame["status"].cat.ordered
        assert list(frame["status"].cat.categories) == ["pending", "in_progress", "succeeded", "failed", "skipped"]
        assert list(frame["skip_cause"].cat.categories) == ["blocked", "unreleased", "stopped"]
    frame = build_plan(CHAIN, [("a", "1"), ("c", "1")]).to_frame()
    assert frame["position"].tolist() == [0, 1, 2]
    assert frame["wave"].tolist() == [0, pd.NA, 1]
    assert frame["skip_cause"].astype(object).where(frame["skip_cause"].notna(), None).tolist() == [
        None,
        "unreleased",
        None,
    ]
    assert frame["dependencies"].tolist() == [[], ["a"], ["b"]]


@given(trains())
def test_a_frame_reads_by_wave_and_keeps_the_place_in_the_plan(train: Train) -> None:
    plan = train.plan
    frame = plan.to_frame()
    assert dict(zip(frame["position"], frame["repo_id"], strict=True)) == dict(enumerate(ids(plan)))
    assert frame.index.equals(pd.RangeIndex(len(plan.items)))
    released = frame[frame["wave"].notna()]
    assert released["repo_id"].tolist() == [repo for wave in plan.waves() for repo in wave]
    assert released["wave"].is_monotonic_increasing
    above = ancestors(train.nodes, train.edges)
    place = dict(zip(frame["repo_id"], frame.index, strict=True))
    wave = dict(zip(frame["repo_id"], frame["wave"], strict=True))
    for repo in plan.unreleased:
        first = max((wave[other] + 1 for other in above[repo] if other in plan.released), default=0)
        assert all((place[other] < place[repo]) == (wave[other] < first) for other in plan.released)
    if len(plan.released) == len(train.nodes):
        assert frame["position"].tolist() == list(range(len(frame))), "a whole graph's order never goes back a wave"


def test_a_page_of_some_repos_reads_by_wave_and_tells_who_is_only_passed_over() -> None:
    graph = RepoDependencyGraph.from_edges([("r1", "u"), ("u", "r3"), ("x", "y"), ("y", "r2")])
    releases = [(repo, "1") for repo in ("r1", "r2", "r3")]
    path, everything = (build_plan(graph, releases, scope=scope) for scope in ("path", "all"))
    assert ids(path) == ["r1", "u", "r3", "r2"]
    for plan in (path, everything):
        assert plan.to_frame().dropna(subset="wave")["wave"].tolist() == [0, 0, 1]
        rows = re.findall(r"<tr><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>", plan._repr_html_())
        assert rows == [("0", "0", "r1"), ("1", "0", "r2"), ("2", "1", "r3")]
    assert path.to_frame()["repo_id"].tolist() == ["r1", "r2", "u", "r3"]
    assert path.to_frame()["position"].tolist() == [0, 3, 1, 2]
    assert "only because repos to release depend on each other through them" in path._repr_html_()
    assert "holds more of the graph than what is released" in everything._repr_html_()
    assert repr(path).endswith("1 unreleased between them)")
    assert repr(everything).endswith("3 unreleased)")


def test_hostile_names_are_planned_stored_and_shown() -> None:
    graph = RepoDependencyGraph.from_edges(pairwise(HOSTILE_NAMES))
    plan = build_plan(graph, [(name, name, name, name) for name in HOSTILE_NAMES], HOSTILE_NAMES[0])
    assert ids(plan) == HOSTILE_NAMES
    assert SequencePlan.from_json(plan.to_json()) == plan
    frame = plan.to_frame()
    assert frame["repo_id"].tolist() == frame["promoted_by"].tolist() == HOSTILE_NAMES
    html = plan._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert len(html) < 30_000
    assert len(repr(plan)) < 300
    assert html == SequencePlan.from_json(plan.to_json())._repr_html_(), "byte-stable"


def test_reprs_count_what_is_released() -> None:
    plan = build_plan(CHAIN, [("a", "1"), ("c", "1")])
    assert repr(plan) == f"SequencePlan({plan.plan_id}: 2 repos to release in 2 waves, 1 unreleased between them)"
    assert "not released" in plan._repr_html_()
