import hashlib
import json
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit._show.layout import layered
from seqkit._show.rows import SLACK, Spacing, placed, reduction, rows
from seqkit.core.graph import RepoDependencyGraph
from seqkit.datasets import load_dataset
from tests.tools.strategies import dags

SPACING = Spacing(boxes=5.0, beside=4.0, lines=2.0)


def ordered(drawn):
    nodes, edges = drawn
    return RepoDependencyGraph.from_edges(edges, nodes=nodes).topological_order(), edges


def layers_of(graph):
    return {repo: level for level, wave in enumerate(graph.waves()) for repo in wave}


@given(dags(largest=10))
def test_reduction_is_that_of_networkx(drawn):
    ids, edges = ordered(drawn)
    digraph = nx.DiGraph(edges)
    digraph.add_nodes_from(ids)
    assert reduction(ids, edges) == sorted(nx.transitive_reduction(digraph).edges)
    assert reduction(ids, edges * 2) == reduction(ids, edges)


@given(dags(largest=10), st.data())
def test_everything_has_room_and_edges_lead_down_the_layers(drawn, data):
    ids, edges = ordered(drawn)
    sizes = {repo: data.draw(st.floats(1, 50)) for repo in ids}
    spots, routes = placed(ids, edges, None, sizes, SPACING)
    assert list(spots) == ids
    assert {repo: x for repo, (x, _) in spots.items()} == layers_of(RepoDependencyGraph.from_edges(edges, nodes=ids))
    assert set(routes) == set(edges)
    columns = {}
    for repo, (x, y) in spots.items():
        columns.setdefault(x, {})[y] = sizes[repo]
    for (before, after), route in routes.items():
        assert (route[0], route[-1]) == (spots[before], spots[after])
        assert [x for x, _ in route] == list(range(int(route[0][0]), int(route[-1][0]) + 1))
        for x, y in route[1:-1]:
            assert columns.setdefault(x, {}).setdefault(y, 0.0) == 0.0  # no line runs through a box
    needed = 0.0
    for column in columns.values():
        things = sorted(column.items())
        steps = [SPACING.step(a, b) for (_, a), (_, b) in pairwise(things)]
        for step, ((upper, _), (lower, _)) in zip(steps, pairwise(things), strict=True):
            assert lower - upper >= step - 1e-5
        needed = max(needed, sum(steps) + (things[0][1] + things[-1][1]) / 2)
    for x, column in columns.items():
        for y, size in column.items():
            assert y - size / 2 >= -1e-5, x
            assert y + size / 2 <= SLACK * needed + 1e-5


@given(dags(largest=10))
def test_edges_of_one_repo_share_their_way(drawn):
    ids, edges = ordered(drawn)
    _, routes = rows(ids, edges)
    for before in ids:
        mine = [route for (start, _), route in routes.items() if start == before]
        for x in range(max((len(route) for route in mine), default=0)):
            assert len({route[x] for route in mine if len(route) > x + 1}) <= 1


@given(dags(largest=8), st.randoms(use_true_random=False))
def test_the_order_of_ids_and_edges_does_not_matter(drawn, random):
    ids, edges = ordered(drawn)
    once = rows(ids, edges)
    random.shuffle(ids)
    random.shuffle(edges)
    assert rows(ids, edges) == once


def test_given_layers_are_kept():
    layers = {"a": 0, "b": 3, "c": 1}
    spots, routes = placed("abc", [("a", "b")], layers, dict.fromkeys("abc", 10.0), SPACING)
    assert {repo: x for repo, (x, _) in spots.items()} == layers
    assert len(routes["a", "b"]) == 4


def layers_of_a_drawing(ids, edges):
    return {repo: x for repo, (x, _) in layered(ids, edges).positions.items()}


@given(dags(largest=10))
def test_layers_need_no_drawing(drawn):
    ids, edges = ordered(drawn)
    sizes = dict.fromkeys(ids, 1.0)
    assert placed(ids, edges, None, sizes, SPACING) == placed(
        ids, edges, layers_of_a_drawing(ids, edges), sizes, SPACING
    )


# Taken where the layout still fitted heights of its own: pictures of old releases stay what they are.
@pytest.mark.parametrize(
    ("name", "digest"),
    [("jest29", "1ec189a5f46b74e0"), ("jupyter", "28bd071caf27953f"), ("kf5", "48e7ee96e202d191")],
)
def test_coordinates_of_real_graphs_stay(name, digest):
    graph = load_dataset(name).graph
    ids, edges = graph.topological_order(), graph.edges
    spots, routes = rows(ids, edges)
    told = json.dumps([sorted(spots.items()), sorted(map(repr, routes.items()))])
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == digest


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jest29", "jupyter", "kf5"])
def test_layers_of_real_graphs_need_no_drawing(name):
    graph = load_dataset(name).graph
    ids, edges = graph.topological_order(), graph.edges
    sizes = dict.fromkeys(ids, 1.0)
    assert placed(ids, edges, None, sizes, SPACING) == placed(
        ids, edges, layers_of_a_drawing(ids, edges), sizes, SPACING
    )


def test_long_edges_run_straight_where_there_is_room():
    path = [str(i) for i in range(9)]
    _, routes = rows(path, [*pairwise(path), ("0", "8")])
    assert len({y for _, y in routes["0", "8"][1:-1]}) == 1


def test_nothing_needs_no_place():
    assert rows([], []) == ({}, {})


@pytest.mark.parametrize("name", ["jest29", "jupyter", "kf5"])
def test_rows_of_real_graphs_are_a_row_apart_and_lines_cost_little(name):
    graph = load_dataset(name).graph
    ids = graph.topological_order()
    spots, routes = rows(ids, reduction(ids, graph.edges))
    columns = {}
    for x, y in spots.values():
        columns.setdefault(x, []).append(y)
    assert all(b - a > 1 - 1e-5 for column in columns.values() for a, b in pairwise(sorted(column)))
    heights = [y for route in routes.values() for _, y in route]
    assert max(heights) - min(heights) < 1.7 * max(map(len, columns.values()))
