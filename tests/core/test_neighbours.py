import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.neighbours import neighbours
from seqkit.errors import RepoNotFound
from tests.tools.strategies import dags


def near(edges, repo, depth):
    """Walk edge by edge, one way and then the other."""
    found = {repo}
    for one, other in ((0, 1), (1, 0)):
        front = {repo}
        for _ in range(depth):
            front = {edge[other] for edge in edges if edge[one] in front}
            found |= front
    return found


@given(dags(), st.integers(0, 4), st.data())
def test_all_within_so_many_steps_either_way_in_topological_order(drawn, depth, data):
    nodes, edges = drawn
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    for repo in data.draw(st.lists(st.sampled_from(nodes), max_size=3)) if nodes else []:
        found = neighbours(graph, repo, depth)
        assert set(found) == near(edges, repo, depth)
        assert found == [other for other in graph.topological_order() if other in found]


@given(dags())
def test_depth_of_the_whole_graph_finds_all_that_matters_to_a_repo(drawn):
    nodes, edges = drawn
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    for repo in nodes:
        both = {*graph.transitive_dependencies_of(repo), repo, *graph.transitive_dependents_of(repo)}
        assert set(neighbours(graph, repo, len(graph))) == both


def test_siblings_are_left_out():
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("lib", "app")])
    assert neighbours(graph, "api", 3) == ["core", "api", "app"]
    assert neighbours(graph, "api", 0) == ["api"]


def test_unknown_repo_is_not_found():
    graph = RepoDependencyGraph.from_edges([("a", "b")])
    with pytest.raises(RepoNotFound, match="nowhere"):
        neighbours(graph, "nowhere")


@pytest.mark.parametrize(
    ("depth", "error"), [(-1, ValueError), (True, TypeError), (1.5, TypeError), ("1", TypeError), (None, TypeError)]
)
def test_depth_is_checked(depth, error):
    with pytest.raises(error, match=r"depth is .*expected a whole number from 0"):
        neighbours(RepoDependencyGraph.from_edges([("a", "b")]), "a", depth)


def test_long_chains_do_not_recurse():
    graph = RepoDependencyGraph.from_edges([(f"{i:05}", f"{i + 1:05}") for i in range(5_000)])
    assert len(neighbours(graph, "02000", 5_000)) == 5_001
    assert neighbours(graph, "02000", 1) == ["01999", "02000", "02001"]
