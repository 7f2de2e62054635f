"""The dependency graph."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import DependencyCycle, RepoDependencyGraph, RepoNode, RepoNotFound, build_plan
from seqkit.core.ids import is_blank
from tests.tools.strategies import HOSTILE_NAMES, ancestors, dags, digraphs, fifo_kahn

from_edges = RepoDependencyGraph.from_edges


def picture(graph: RepoDependencyGraph) -> tuple[Any, ...]:
    """All that a caller can see of a graph."""
    return list(graph), graph.edges, [(graph.node(r), graph.attributes(r)) for r in graph], graph.topological_order()


# ---------------------------------------------------------------------- building


def test_nodes_and_dependencies_one_by_one() -> None:
    graph = RepoDependencyGraph()
    graph.add_node("B")
    graph.add_node(RepoNode(repo_id="A", display_name="The A", remote_url="https://example.org/a"))
    graph.add_dependency("A", "B")
    graph.add_dependency(dependency="A", dependent="B")
    assert len(graph) == 2
    assert list(graph) == ["B", "A"]
    assert "A" in graph
    assert "C" not in graph
    assert 3 not in graph
    assert graph.edges == [("A", "B")]
    assert graph.node("A").display_name == "The A"
    assert graph.node("B") == RepoNode(repo_id="B", display_name="B", remote_url=None)
    assert graph.topological_order() == ["A", "B"]


def test_a_node_added_again_keeps_its_edges_and_adds_attributes() -> None:
    graph = from_edges([("A", "B")])
    graph.add_node("A", version="1.0")
    graph.add_node("A", source="lock file")
    assert graph.attributes("A") == {"version": "1.0", "source": "lock file"}
    assert graph.dependents_of("A") == ["B"]
    graph.attributes("A")["version"] = "2.0"
    assert graph.attributes("A")["version"] == "1.0", "attributes() is a copy"


def test_attributes_and_edges_from_mappings_and_repeated_pairs() -> None:
    graph = from_edges([("a", "b"), ("a", "b")], nodes={"z": {"version": "3"}, "a": {}})
    assert list(graph) == ["z", "a", "b"]
    assert graph.edges == [("a", "b")]
    assert graph.attributes("z") == {"version": "3"}


def test_edges_from_a_frame() -> None:
    frame = pd.DataFrame({"dependency": ["a", "b"], "dependent": ["b", "c"], "other": [1, 2]})
    assert from_edges(frame).edges == [("a", "b"), ("b", "c")]
    turned = frame.rename(columns={"dependency": "needs", "dependent": "who"})
    assert from_edges(turned, dependency="needs", dependent="who").edges == [("a", "b"), ("b", "c")]
    assert from_edges(turned, dependency="who", dependent="needs").edges == [("b", "a"), ("c", "b")]
    with pytest.raises(ValueError, match=r"edges has no column dependency='dependency'.*'needs'.*'who'"):
        from_edges(turned)


@given(dags())
def test_order_and_queries_against_brute_force(dag: Any) -> None:
    nodes, edges = dag
    graph = from_edges(edges, nodes=nodes)
    order, above = fifo_kahn(nodes, edges), ancestors(nodes, edges)
    assert list(graph) == nodes
    assert graph.topological_order() == order
    level: dict[str, int] = {}
    for repo in order:
        level[repo] = max((level[before] + 1 for before, after in edges if after == repo), default=0)
    depth = max(level.values(), default=-1) + 1
    assert graph.waves() == [[repo for repo in order if level[repo] == wave] for wave in range(depth)]
    for repo in nodes:
        assert graph.dependencies_of(repo) == sorted(before for before, after in edges if after == repo)
        assert graph.dependents_of(repo) == sorted(after for before, after in edges if before == repo)
        assert graph.transitive_dependencies_of(repo) == [other for other in order if other in above[repo]]
        assert graph.transitive_dependents_of(repo) == [other for other in order if repo in above[other]]


@given(dags(), st.randoms())
def test_the_order_does_not_depend_on_how_the_graph_was_made(dag: Any, random: Any) -> None:
    nodes, edges = dag
    graph = RepoDependencyGraph()
    for repo in sorted(nodes):
        graph.add_node(repo)
    for edge in random.sample(edges, len(edges)):
        graph.topological_order()  # a remembered order must not survive the next edge
        graph.add_dependency(*edge)
    assert graph.topological_order() == from_edges(edges, nodes=nodes).topological_order()
    assert graph.waves() == from_edges(edges, nodes=nodes).waves()


# ---------------------------------------------------------------------- cycles


@given(digraphs())
def test_edges_one_by_one_refuse_exactly_those_that_close_a_cycle(digraph: Any) -> None:
    nodes, edges = digraph
    graph, kept = from_edges([], nodes=nodes), []
    for before, after in edges:
        seen = picture(graph)
        if before == after or after in ancestors(nodes, kept)[before]:
            with pytest.raises(DependencyCycle) as caught:
                graph.add_dependency(before, after)
            repos = caught.value.repos
            assert repos[0] == repos[-1] == after
            assert repos[-2] == before
            assert set(pairwise(repos)) <= {*kept, (before, after)}
            assert len(set(repos[1:])) == len(repos) - 1
            assert picture(graph) == seen, "unchanged"
        else:
            graph.add_dependency(before, after)
            kept.append((before, after))
    assert graph.edges == sorted(kept)


def mutual(nodes: list[str], edges: list[tuple[str, str]]) -> dict[str, set[str]]:
    above = ancestors(nodes, edges * len(nodes))  # enough rounds for cyclic edges too
    for _ in nodes:
        for node in nodes:
            above[node] |= {far for near in above[node] for far in above[near]}
    return {a: {b for b in nodes if b in above[a] and a in above[b]} for a in nodes}


@given(digraphs())
def test_cycles_are_an_error_or_are_merged(digraph: Any) -> None:
    nodes, edges = digraph
    cyclic = {frozenset(component) for component in mutual(nodes, edges).values() if component}
    if cyclic:
        with pytest.raises(DependencyCycle) as caught:
            from_edges(edges, nodes=nodes)
        repos = caught.value.repos
        assert repos[0] == repos[-1]
        assert set(pairwise(repos)) <= set(edges)
        assert len(set(repos[1:])) == len(repos) - 1, "one cycle, once around"
        assert caught.value.components == len(cyclic)
        assert f"have {len(cyclic)} cyclic component" in str(caught.value)
    merged = from_edges(edges, nodes=nodes, cycles="merge")
    unit_of = {node: node for node in nodes}
    for component in cyclic:
        members = sorted(component)
        if len(members) > 1:
            name = "+".join(members[:3]) + (f"+{len(members) - 3}" if len(members) > 3 else "")
            unit_of.update(dict.fromkeys(members, name))
            assert merged.attributes(name)["members"] == members
    assert set(merged) == set(unit_of.values())
    assert merged.edges == sorted({(unit_of[a], unit_of[b]) for a, b in edges if unit_of[a] != unit_of[b]})
    assert merged.topological_order() == fifo_kahn(merged, merged.edges)


@pytest.mark.parametrize(
    ("members", "unit"),
    [("ba", "a+b"), ("cab", "a+b+c"), ("dcab", "a+b+c+1"), ("gfedcba", "a+b+c+4")],
)
def test_merged_units_are_named_after_their_members(members: str, unit: str) -> None:
    ring = [*pairwise(members), (members[-1], members[0])]
    merged = from_edges([*ring, (members[0], "user"), ("base", members[-1])], cycles="merge")
    assert merged.topological_order() == ["base", unit, "user"]
    assert merged.attributes(unit)["members"] == sorted(members)
    assert merged.attributes("user") == {}


def test_a_taken_unit_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'a\+b', but that id is taken"):
        from_edges([("a", "b"), ("b", "a")], nodes=["a+b"], cycles="merge")


def test_two_units_of_one_name_are_refused() -> None:
    ring = [("a+b", "c"), ("c", "a+b"), ("a", "b+c"), ("b+c", "a")]
    with pytest.raises(ValueError, match=r"'a\+b\+c', but that id is taken"):
        from_edges(ring, cycles="merge")


def test_self_edges() -> None:
    with pytest.raises(DependencyCycle) as caught:
        from_edges([("a", "b"), ("b", "b")])
    assert caught.value.repos == ["b", "b"]
    with pytest.raises(DependencyCycle) as caught:
        from_edges([("a", "b")]).add_dependency("a", "a")
    assert str(caught.value) == 'dependency cycle detected involving repos: ["a", "a"]'
    merged = from_edges([("a", "b"), ("b", "b")], cycles="merge")
    assert (list(merged), merged.edges, merged.attributes("b")) == (["a", "b"], [("a", "b")], {})


def test_an_unknown_way_with_cycles_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cycles is 'ignore', expected one of .*error.*merge"):
        from_edges([], cycles="ignore")  # type: ignore[arg-type]


def test_merging_an_acyclic_graph_changes_nothing() -> None:
    assert picture(from_edges([("a", "b")], cycles="merge")) == picture(from_edges([("a", "b")]))


# ---------------------------------------------------------------------- size


N = 100_000
CHAIN = [(f"{i:06}", f"{i + 1:06}") for i in range(N - 1)]


def test_a_chain_of_100_000_repos() -> None:
    graph = from_edges(reversed(CHAIN))  # deeper than any recursion; what is quadratic would take minutes
    order = graph.topological_order()
    assert order == [f"{i:06}" for i in range(N)]
    assert graph.waves() == [[repo] for repo in order]
    assert graph.transitive_dependents_of("000000") == order[1:]
    assert graph.transitive_dependencies_of(order[-1]) == order[:-1]
    with pytest.raises(DependencyCycle) as caught:
        graph.add_dependency(order[-1], order[0])
    assert caught.value.repos == [*order, order[0]]
    assert "100,000 repos" in repr(graph)


def test_a_ring_of_100_000_repos() -> None:
    ring = [*CHAIN, (CHAIN[-1][1], CHAIN[0][0])]
    with pytest.raises(DependencyCycle) as caught:
        from_edges(ring)
    assert len(caught.value.repos) == N + 1
    assert caught.value.components == 1
    merged = from_edges(ring, cycles="merge")
    assert list(merged) == [f"000000+000001+000002+{N - 3}"]


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("dependency", "dependent", "named"), [("y", "z", "y"), ("y", "a", "y"), ("a", "z", "z"), ("z", "z", "z")]
)
def test_a_missing_dependency_is_named_before_a_missing_dependent(dependency: str, dependent: str, named: str) -> None:
    graph = from_edges([("a", "b")])
    before = picture(graph)
    with pytest.raises(RepoNotFound, match=f"^repo not found in graph: {named}$") as caught:
        graph.add_dependency(dependency, dependent)
    assert caught.value.repo == named
    assert picture(graph) == before


@pytest.mark.parametrize(
    "query",
    [
        "node",
        "attributes",
        "dependencies_of",
        "dependents_of",
        "transitive_dependencies_of",
        "transitive_dependents_of",
    ],
)
def test_queries_name_a_missing_repo(query: str) -> None:
    with pytest.raises(RepoNotFound, match="repo not found in graph: zzz"):
        getattr(from_edges([("a", "b")]), query)("zzz")


def test_ids_are_text() -> None:
    graph = RepoDependencyGraph()
    for bad in (3, None, b"a", ("a",), float("nan")):
        with pytest.raises(TypeError, match="expected a repo id as a str"):
            graph.add_node(bad)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"edges\[1\]\[0\].*expected a repo id as a str"):
            from_edges([("a", "b"), (bad, "c")])  # type: ignore[list-item]
    assert len(graph) == 0
    with pytest.raises(TypeError, match="expected a repo id as a str"):
        RepoDependencyGraph.from_networkx(nx.DiGraph([(1, 2)]), direction="dependency_to_dependent")
    with pytest.raises(TypeError, match="expected a repo id as a str"):
        from_edges(pd.DataFrame({"dependency": ["a", 3], "dependent": ["b", "c"]}))


def test_lone_surrogates_are_refused() -> None:
    graph = RepoDependencyGraph()
    with pytest.raises(ValueError, match=r"node is .*UTF-8"):
        graph.add_node("a\ud800")
    with pytest.raises(ValueError, match=r"edges\[0\]\[1\] is .*UTF-8"):
        from_edges([("a", "\udfff")])
    assert len(graph) == 0


@pytest.mark.parametrize("bad", ["ab", ("a",), ("a", "b", "c"), 3, None])
def test_an_edge_that_is_no_pair_is_named(bad: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"edges\[1\] is .*expected a pair"):
        from_edges([("a", "b"), bad])  # type: ignore[list-item]


# ---------------------------------------------------------------------- joining, cutting


def test_compose_joins_repos_dependencies_and_attributes() -> None:
    first = from_edges([("a", "b")], nodes={"a": {"version": "1", "kept": True}})
    second = from_edges([("b", "c")], nodes={"a": {"version": "2"}})
    second.add_node(RepoNode(repo_id="c", display_name="The C"))
    joined = RepoDependencyGraph.compose(first, second)
    assert set(joined) == {"a", "b", "c"}
    assert joined.edges == [("a", "b"), ("b", "c")]
    assert joined.attributes("a") == {"version": "2", "kept": True}
    assert joined.node("c").display_name == "The C"
    joined.add_node("d")
    assert len(first) == 2
    assert len(RepoDependencyGraph.compose()) == 0


def test_compose_refuses_graphs_that_disagree() -> None:
    with pytest.raises(DependencyCycle) as caught:
        RepoDependencyGraph.compose(from_edges([("a", "b")]), from_edges([("b", "c")]), from_edges([("c", "a")]))
    assert sorted(caught.value.repos[1:]) == ["a", "b", "c"]


@given(dags(), st.data())
def test_subgraph_keeps_the_edges_between(dag: Any, data: st.DataObject) -> None:
    nodes, edges = dag
    chosen = data.draw(st.sets(st.sampled_from(nodes))) if nodes else set()
    part = from_edges(edges, nodes=nodes).subgraph(chosen)
    assert set(part) == chosen
    assert part.edges == sorted((a, b) for a, b in edges if a in chosen and b in chosen)


def test_subgraph_copies_and_names_what_is_missing() -> None:
    graph = from_edges([("a", "b")], nodes={"a": {"version": "1"}})
    part = graph.subgraph(["a"])
    part.add_node("a", version="2")
    part.add_node("new")
    assert graph.attributes("a") == {"version": "1"}
    assert "new" not in graph
    with pytest.raises(RepoNotFound, match="zzz"):
        graph.subgraph(["a", "zzz"])


# ---------------------------------------------------------------------- round trips


@given(dags())
def test_networkx_round_trip(dag: Any) -> None:
    nodes, edges = dag
    graph = from_edges(edges, nodes=nodes)
    for repo in nodes[:2]:
        graph.add_node(RepoNode(repo_id=repo, display_name="called", remote_url="https://example.org"), version="1")
    copy = graph.to_networkx()
    assert set(copy.edges) == set(edges)
    back = RepoDependencyGraph.from_networkx(copy, direction="dependency_to_dependent")
    assert picture(back) == picture(graph)
    assert back == graph
    turned = RepoDependencyGraph.from_networkx(copy.reverse(), direction="dependent_to_dependency")
    assert turned.edges == graph.edges


def test_networkx_copies_are_copies() -> None:
    graph = from_edges([("a", "b")], nodes={"a": {"version": "1"}})
    copy = graph.to_networkx()
    copy.add_edge("b", "a")
    copy.nodes["a"]["version"] = "2"
    assert graph.edges == [("a", "b")]
    assert graph.attributes("a") == {"version": "1"}
    taken = RepoDependencyGraph.from_networkx(source := nx.DiGraph([("a", "b")]), "dependency_to_dependent")
    source.add_edge("b", "c")
    assert "c" not in taken


def test_direction_is_required_and_checked() -> None:
    source = nx.DiGraph([("app", "core")])
    with pytest.raises(TypeError, match="direction"):
        RepoDependencyGraph.from_networkx(source)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="direction is 'forward', expected one of"):
        RepoDependencyGraph.from_networkx(source, direction="forward")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"undirected Graph, expected a networkx\.DiGraph"):
        RepoDependencyGraph.from_networkx(nx.Graph([("a", "b")]), direction="dependency_to_dependent")
    graph = RepoDependencyGraph.from_networkx(source, direction="dependent_to_dependency")
    assert graph.dependencies_of("app") == ["core"]


def test_from_networkx_refuses_cycles_and_takes_multigraphs() -> None:
    with pytest.raises(DependencyCycle):
        RepoDependencyGraph.from_networkx(nx.DiGraph([("a", "b"), ("b", "a")]), direction="dependency_to_dependent")
    several = nx.MultiDiGraph([("a", "b"), ("a", "b")])
    assert RepoDependencyGraph.from_networkx(several, "dependent_to_dependency").edges == [("b", "a")]


@given(dags())
def test_frame_round_trip(dag: Any) -> None:
    nodes, edges = dag
    frame = from_edges(edges, nodes=nodes).to_frame()
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {"dependency": "string", "dependent": "string"}
    assert list(frame.itertuples(index=False, name=None)) == sorted(edges)
    if not any(map(is_blank, nodes)):  # a blank cell of a table is no repo, wherever it comes from
        assert from_edges(frame, nodes=nodes) == from_edges(edges, nodes=nodes)


def test_equality_sees_edges_attributes_and_names() -> None:
    graph = from_edges([("a", "b")])
    assert graph == from_edges([("a", "b")])
    assert graph != from_edges([("b", "a")])
    assert graph != from_edges([("a", "b")], nodes={"a": {"version": "1"}})
    assert graph != from_edges([("a", "b")], nodes=[RepoNode(repo_id="a", display_name="other")])
    assert graph != "graph"


# ---------------------------------------------------------------------- showing


def test_reprs_say_who_needs_whom() -> None:
    graph = from_edges([("A", "B")])
    assert "B needs A" in repr(graph)
    assert "B needs A" in graph._repr_html_()
    assert "needs" not in repr(from_edges([], nodes=["A"]))


def test_hostile_names() -> None:
    first, *others = HOSTILE_NAMES
    graph = from_edges([(first, other) for other in others])
    assert graph.topological_order() == [first, *sorted(others)]
    html = graph._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert len(repr(graph)) < 200
    assert graph._repr_html_() == html


# ---------------------------------------------------------------------- sealed


def test_a_plans_graph_cannot_change_and_the_callers_still_can() -> None:
    graph = from_edges([("a", "b")])
    plan = build_plan(graph, version="1")
    for change in (
        lambda: plan.graph.add_node("c"),
        lambda: plan.graph.add_node("a", version="2"),
        lambda: plan.graph.add_dependency("a", "b"),
    ):
        with pytest.raises(TypeError, match=r"belongs to a plan and cannot change.*compose"):
            change()
    assert plan.graph.edges == [("a", "b")]
    graph.add_node("c")
    graph.add_dependency("b", "c")
    assert "c" not in plan.graph
    copy = RepoDependencyGraph.compose(plan.graph)
    copy.add_node("d")
    assert "d" in copy
