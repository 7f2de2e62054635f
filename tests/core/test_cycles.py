"""Kinds of dependencies and cycles: what waits for itself, the shortest way round, what opens it."""

from __future__ import annotations

import itertools
from unittest import mock

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit import DependencyCycle, RepoDependencyGraph, RepoNotFound, blast_radius, build_plan
from seqkit.core.cycles import after_each, components, cut, smallest_cycle
from seqkit.core.kinds import KINDS, RELEASE_KINDS, chosen_kinds, in_order
from seqkit.core.merging import merged_units

NAMES = "abcdefgh"
Edges = dict[tuple[str, str], tuple[str, ...]]


@st.composite
def kinded(draw: st.DrawFn) -> Edges:
    """Any directed graph, self-edges included, with kinds."""
    pairs = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=24, unique=True))
    few = st.sets(st.sampled_from(KINDS), min_size=1, max_size=3)
    return {pair: in_order(draw(few)) for pair in pairs}


def frame_of(edges: Edges) -> pd.DataFrame:
    rows = [(*pair, ", ".join(kinds)) for pair, kinds in edges.items()]
    return pd.DataFrame(rows, columns=["dependency", "dependent", "kinds"], dtype=object)


def drawn(edges: Edges) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_edges_from((*pair, {"kinds": kinds}) for pair, kinds in edges.items())
    return graph


@given(kinded(), st.sampled_from([0, 5_000]))
def test_components_are_those_of_networkx(edges: Edges, small: int) -> None:
    graph = drawn(edges)
    expected = sorted(
        sorted(found)
        for found in nx.strongly_connected_components(graph)
        if len(found) > 1 or graph.has_edge(*[*found, *found][:2])
    )
    with mock.patch("seqkit.core.cycles._SMALL", small):
        assert components(graph.adj) == expected
        assert components(after_each(edges)) == expected


@given(kinded())
def test_a_smallest_cycle_is_one_and_none_is_smaller(edges: Edges) -> None:
    graph = drawn(edges)
    for members in components(graph.adj):
        walk = smallest_cycle(graph, members)
        assert walk[0] == walk[-1]
        assert len(set(walk)) == len(walk) - 1
        assert all(graph.has_edge(*pair) for pair in itertools.pairwise(walk))
        assert len(walk) - 1 == min(map(len, nx.simple_cycles(graph.subgraph(members))))


@given(kinded())
def test_a_cut_opens_its_component_and_none_of_it_is_superfluous(edges: Edges) -> None:
    graph = drawn(edges)
    for members in components(graph.adj):
        part = nx.DiGraph(graph.subgraph(members))
        pairs = cut(graph, members)
        part.remove_edges_from(pairs)
        assert nx.is_directed_acyclic_graph(part)
        for pair in pairs:
            part.add_edge(*pair)
            assert not nx.is_directed_acyclic_graph(part)
            part.remove_edge(*pair)


@given(kinded())
def test_cut_edges_are_soft_where_soft_ones_are_enough(edges: Edges) -> None:
    graph = drawn(edges)
    soft = {"dev", "test"}
    hard = nx.DiGraph([pair for pair, kinds in edges.items() if not soft.issuperset(kinds)])
    for members in components(graph.adj):
        if nx.is_directed_acyclic_graph(hard.subgraph(members)):
            assert all(soft.issuperset(edges[pair]) for pair in cut(graph, members))


@given(kinded())
def test_merged_units_are_the_condensation(edges: Edges) -> None:
    graph = drawn(edges)
    nodes, merged = merged_units({repo: {} for repo in graph}, edges)
    condensed = nx.condensation(graph)
    unit = dict(condensed.graph["mapping"])
    of = {repo: unit[known.get("members", [repo])[0]] for repo, known in nodes.items()}
    assert {(of[a], of[b]) for a, b in merged if a != b} == set(condensed.edges)
    for (a, b), kinds in merged.items():
        told = [kinds for (x, y), kinds in edges.items() if (unit[x], unit[y]) == (of[a], of[b])]
        assert kinds == in_order(itertools.chain(*told))


@given(kinded())
def test_a_kept_graph_is_opened_by_its_cuts(edges: Edges) -> None:
    graph = RepoDependencyGraph.from_edges(frame_of(edges), cycles="keep")
    frame = graph.cycles()
    assert graph.has_cycles == bool(len(frame))
    opened = graph.without_dependencies([pair for pairs in frame["cut"] for pair in pairs])
    assert sorted(opened.topological_order()) == sorted(graph)
    assert len(opened.edges) == len(graph.edges) - sum(map(len, frame["cut"]))
    assert list(frame["n_members"]) == sorted(frame["n_members"], reverse=True)
    if graph.has_cycles:
        for ask in (graph.topological_order, graph.waves, lambda: build_plan(graph, version="1")):
            with pytest.raises(DependencyCycle, match="cycles"):
                ask()
        with pytest.raises(DependencyCycle):
            blast_radius(graph)
        with pytest.raises(DependencyCycle):
            graph.transitive_dependents_of(next(iter(graph)))
    assert graph._repr_html_()


@given(kinded(), st.sets(st.sampled_from(KINDS)))
def test_kinds_chosen_and_dropped(edges: Edges, kinds: set[str]) -> None:
    graph = RepoDependencyGraph.from_edges(frame_of(edges), cycles="keep")
    assert {pair: tuple(graph.kinds(*pair)) for pair in graph.edges} == edges
    chosen = graph.only_kinds(kinds)
    assert {pair: tuple(chosen.kinds(*pair)) for pair in chosen.edges} == {
        pair: in_order(kinds.intersection(why)) for pair, why in edges.items() if kinds.intersection(why)
    }
    assert graph.without_dependencies(kinds=kinds) == graph.only_kinds(set(KINDS) - kinds)
    assert list(chosen) == list(graph)
    assert RepoDependencyGraph.from_edges(graph.to_frame(), nodes=graph, cycles="keep") == graph
    back = RepoDependencyGraph.from_networkx(graph.to_networkx(), "dependency_to_dependent", cycles="keep")
    assert back == graph


def test_kinds_are_kept_where_graphs_are_joined_cut_and_planned() -> None:
    frame = frame_of({("a", "b"): ("dev",), ("b", "c"): ("normal", "peer")})
    graph = RepoDependencyGraph.from_edges(frame)
    more = RepoDependencyGraph.from_edges(frame_of({("a", "b"): ("build",), ("a", "c"): ("test",)}))
    joined = RepoDependencyGraph.compose(graph, more)
    assert joined.kinds("a", "b") == ["build", "dev"]
    assert joined.kinds("a", "c") == ["test"]
    assert graph.subgraph(["b", "c"]).kinds("b", "c") == ["normal", "peer"]
    assert build_plan(graph, version="1").graph.kinds("a", "b") == ["dev"]
    assert graph.to_frame()["kinds"].tolist() == ["dev", "normal, peer"]
    plain = RepoDependencyGraph.from_edges([("a", "b")])
    assert list(plain.to_frame()) == ["dependency", "dependent"]
    assert plain.kinds("a", "b") == ["normal"]


def test_what_is_no_edge_or_no_kind_is_said() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "app")], cycles="keep")
    with pytest.raises(ValueError, match="'core' does not need 'app': there is no such edge; it is 'app' that needs"):
        graph.kinds("app", "core")
    with pytest.raises(RepoNotFound):
        graph.without_dependencies([("core", "ap")])
    with pytest.raises(ValueError, match=r"kinds is 'optinal', expected some of .*; did you mean"):
        graph.only_kinds("optinal")
    with pytest.raises(TypeError, match="kinds is 3, expected some of"):
        graph.only_kinds(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected one of"):
        RepoDependencyGraph.from_edges([], cycles="drop")  # type: ignore[arg-type]
    odd = frame_of({("core", "app"): ("normal",)}).assign(kinds="a note")
    with pytest.raises(ValueError, match=r"iloc\[0\] has 'a note'.*pass kinds=None where the column means"):
        RepoDependencyGraph.from_edges(odd)
    assert RepoDependencyGraph.from_edges(odd, kinds=None).edges == [("core", "app")]
    assert chosen_kinds(None) == RELEASE_KINDS
    with pytest.raises(ValueError, match="of is 'edges', expected 'dependencies' or 'repos'"):
        graph.to_frame("edges")  # type: ignore[arg-type]


def test_an_edge_that_would_close_another_cycle_is_refused_as_ever() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "b"), ("b", "a"), ("b", "c")], cycles="keep")
    with pytest.raises(DependencyCycle):
        graph.add_dependency("c", "b")
    graph.add_node("d")
    graph.add_dependency("c", "d")
    assert graph.dependents_of("c") == ["d"]


def test_a_cycle_of_several_kinds_names_them() -> None:
    with pytest.raises(DependencyCycle) as caught:
        RepoDependencyGraph.from_edges(frame_of({("a", "b"): ("normal",), ("b", "a"): ("dev",)}))
    assert str(caught.value).endswith(
        "Here b needs a (normal), a needs b (dev); the dev dependency is most easily done without"
    )


def test_repos_as_a_frame() -> None:
    graph = RepoDependencyGraph.from_edges(
        [("a", "b")], nodes={"a": {"version": "1", "members": ["x"]}, "z": {"path": "packages/z"}}
    )
    frame = graph.to_frame("repos")
    assert list(frame.index) == ["a", "z", "b"]
    assert list(frame) == ["version", "members", "path"]
    assert frame.loc["z", "path"] == "packages/z"
    assert str(frame["version"].dtype).startswith("string")
    assert RepoDependencyGraph().to_frame("repos").empty
