"""Layered coordinates: apart, monotone, counted right, the same every time, with few crossings, and hard to upset."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit._show.layout import Layout, layered, levels
from seqkit._show.layout._proper import Graph, crossings, longest_paths, numbered, proper
from seqkit._show.layout._stars import Stars
from tests.benchmarks.layout_cases import changes, mean, release_like, shipped, turned

Edge = tuple[str, str]
Point = tuple[float, float]


@st.composite
def dags(draw: st.DrawFn, largest: int = 12) -> tuple[list[str], list[Edge]]:
    nodes = draw(st.lists(st.text(max_size=3), unique=True, max_size=largest))
    possible = list(combinations(nodes, 2))
    edges = draw(st.lists(st.sampled_from(possible), max_size=3 * largest)) if possible else []
    return nodes, edges


def random_dag(n: int, n_edges: int, seed: int) -> tuple[list[str], list[Edge]]:
    source = random.Random(seed)  # a drawing is no secret
    nodes = [f"n{i}" for i in range(n)]
    source.shuffle(nodes)
    return nodes, source.sample(list(combinations(nodes, 2)), n_edges)


def crossings_of(lines: list[list[Point]]) -> int:
    """Count, pair by pair, how often polylines with a point a layer cross between layers."""
    steps: dict[float, list[tuple[float, float]]] = {}
    for line in lines:
        for (x, before), (_, after) in pairwise(line):
            steps.setdefault(x, []).append((before, after))
    return sum((a - c) * (b - d) < 0 for layer in steps.values() for (a, b), (c, d) in combinations(layer, 2))


def things_by_layer(drawing: Layout) -> dict[float, list[float]]:
    """Collect the heights of nodes and bends in each layer."""
    layers: dict[float, list[float]] = {}
    bends = [point for route in drawing.routes.values() for point in route[1:-1]]
    for x, y in [*drawing.positions.values(), *bends]:
        layers.setdefault(x, []).append(y)
    return layers


def check(drawing: Layout, nodes: list[str], edges: list[Edge]) -> None:
    assert drawing.positions.keys() == set(nodes)
    assert drawing.routes.keys() == set(edges)
    for (source, target), route in drawing.routes.items():
        assert route[0] == drawing.positions[source]
        assert route[-1] == drawing.positions[target]
        assert all(after - before == 1 for (before, _), (after, _) in pairwise(route))
    for heights in things_by_layer(drawing).values():
        assert all(below - above >= 1 - 1e-9 for above, below in pairwise(sorted(heights)))
    assert drawing.crossings == crossings_of(list(drawing.routes.values()))
    assert min((y for _, y in drawing.positions.values()), default=0.0) >= 0


@given(dags())
def test_what_a_drawing_promises(dag: tuple[list[str], list[Edge]]) -> None:
    check(layered(*dag), *dag)


@given(dags(), st.data())
def test_layers_that_are_given_are_kept(dag: tuple[list[str], list[Edge]], data: st.DataObject) -> None:
    nodes, edges = dag
    steps = data.draw(st.lists(st.integers(1, 3), min_size=len(nodes), max_size=len(nodes)))
    layers = {node: sum(steps[:i]) for i, node in enumerate(nodes)}  # edges lead forward in the list
    drawing = layered(nodes, edges, layers)
    check(drawing, nodes, edges)
    assert {node: x for node, (x, _) in drawing.positions.items()} == layers


@given(dags(), st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_edges_does_not_matter(
    dag: tuple[list[str], list[Edge]], shuffler: random.Random
) -> None:
    nodes, edges = dag
    drawing = layered(nodes, edges)
    other_nodes, other_edges = list(nodes), edges * 2
    shuffler.shuffle(other_nodes)
    shuffler.shuffle(other_edges)
    again = layered(other_nodes, iter(other_edges))
    assert again == drawing
    assert repr(again) == repr(drawing)


@given(dags())
def test_layers_are_longest_paths(dag: tuple[list[str], list[Edge]]) -> None:
    nodes, edges = dag
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(nodes)
    waves = {node: i for i, wave in enumerate(nx.topological_generations(graph)) for node in wave}
    assert levels(nodes, edges) == {node: x for node, (x, _) in layered(nodes, edges).positions.items()} == waves


@settings(max_examples=6)
@given(st.integers(0, 10**6))
def test_larger_graphs_keep_the_promises_too(seed: int) -> None:
    dag = random_dag(40, 90, seed)
    check(layered(*dag), *dag)


def test_trees_do_not_cross() -> None:
    nodes = [str(i) for i in range(200)]
    edges = [(str((i - 1) // 3), str(i)) for i in range(1, 200)]
    assert layered(nodes, edges).crossings == 0


@pytest.mark.parametrize("depth", [2, 5])
def test_two_trees_joined_leaf_to_leaf_do_not_cross(depth: int) -> None:
    size = 2**depth
    out = [(f"a{i // 2}", f"a{i}") for i in range(2, 2 * size)]
    back = [(f"b{i}", f"b{i // 2}") for i in range(2, 2 * size)]
    join = [(f"a{i}", f"b{i}") for i in range(size, 2 * size)]
    edges = [*out, *join, *back]
    assert layered(sorted({end for edge in edges for end in edge}), edges).crossings == 0


def test_an_unavoidable_crossing_is_counted_once() -> None:
    assert layered("abcd", [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")]).crossings == 1


@pytest.mark.parametrize(("n", "n_edges"), [(30, 45), (100, 150), (100, 250)])
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_fewer_crossings_than_multipartite_layout(n: int, n_edges: int, seed: int) -> None:
    nodes, edges = random_dag(n, n_edges, seed)
    drawing = layered(nodes, edges)
    graph = nx.DiGraph(edges)
    for node in nodes:
        graph.add_node(node, subset=drawing.positions[node][0])
    theirs = nx.multipartite_layout(graph)
    lines = []
    for source, target in edges:
        first, last = graph.nodes[source]["subset"], graph.nodes[target]["subset"]
        span = int(last - first)
        y, z = theirs[source][1], theirs[target][1]
        lines.append([(first + i, y + (z - y) * i / span) for i in range(span + 1)])
    assert drawing.crossings < 0.6 * crossings_of(lines)


# Bounds with some room, so that a change that draws worse is noticed.
@pytest.mark.parametrize(("name", "most"), [("jest29", 700), ("jupyter", 540), ("kf5", 7_700)])
def test_crossings_stay_few_in_graphs_that_ship(name: str, most: int) -> None:
    nodes, edges = shipped(name)
    drawing = layered(nodes, edges)
    check(drawing, nodes, edges)
    assert drawing.crossings <= most


@pytest.mark.parametrize(
    ("n", "n_edges", "most"), [(30, 40, 36), (100, 150, 550), (300, 450, 4_900), (300, 900, 38_000)]
)
def test_crossings_stay_few(n: int, n_edges: int, most: int) -> None:
    assert layered(*random_dag(n, n_edges, 7)).crossings <= most


@pytest.mark.parametrize(("n", "seeds", "most"), [(30, 20, 210), (100, 5, 950)])
def test_crossings_stay_few_in_graphs_like_releases(n: int, seeds: int, most: int) -> None:
    assert sum(layered(*release_like(n, seed)).crossings for seed in range(seeds)) <= most


def drawn(nodes: list[str], edges: list[Edge]) -> tuple[Graph, list[list[int]]]:
    """Give the proper graph and its rows, in the order of ids."""
    ids = sorted(nodes)
    pairs = numbered(ids, edges)
    graph = proper(longest_paths(ids, pairs), pairs)
    rows: list[list[int]] = [[] for _ in range(max(graph.level) + 1)]
    for v, level in enumerate(graph.level):
        rows[level].append(v)
    return graph, rows


def test_a_node_takes_its_long_edges_along() -> None:
    # Two paths side by side, and an edge over all of each; x lies on the wrong side, and so does its long edge.
    up, low = [f"a{i}" for i in range(6)], [f"b{i}" for i in range(6)]
    edges = [*pairwise(up), *pairwise(low), ("a0", "b5"), ("b0", "x"), ("x", "b5"), ("b0", "b5")]
    graph, rows = drawn([*up, *low, "x"], edges)
    rows = [row[::-1] if i % 2 else row for i, row in enumerate(rows)]
    stars = Stars(graph, rows)
    assert crossings(graph, rows) > 5
    stars.improve(10**9)
    assert crossings(graph, stars.rows) == 0


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_no_node_with_short_edges_has_a_better_place_in_its_layer(seed: int, shuffler: random.Random) -> None:
    nodes, edges = random_dag(12, 18, seed)
    edges += [(node, "last") for node in nodes]  # connected
    graph, rows = drawn([*nodes, "last"], edges)
    for row in rows:
        shuffler.shuffle(row)
    stars = Stars(graph, rows)
    stars.improve(10**9)
    fewest = crossings(graph, stars.rows)
    assert fewest <= crossings(graph, rows)
    assert [sorted(row) for row in stars.rows] == [sorted(row) for row in rows]
    for i, row in enumerate(stars.rows):
        for v in row:
            if v < graph.nodes and all(len(graph.paths[e]) == 2 for e in graph.leaving[v] + graph.entering[v]):
                others = [w for w in row if w != v]
                for place in range(len(row)):
                    moved = [*others[:place], v, *others[place:]]
                    assert crossings(graph, [*stars.rows[:i], moved, *stars.rows[i + 1 :]]) >= fewest


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("jest29", 0.08),
        pytest.param("jupyter", 0.08, marks=pytest.mark.slow),
        pytest.param("kf5", 0.14, marks=pytest.mark.slow),
    ],
)
def test_a_small_change_leaves_most_of_the_picture(name: str, most: float) -> None:
    dag = shipped(name)
    before = layered(*dag).positions
    shares = [turned(before, layered(*changed).positions) for changed in changes(dag, 1)]
    assert len(shares) == 7
    assert mean(shares) < most  # half of them would be a new picture
    assert max(shares) < 0.4  # and more an old one upside down


def test_a_small_change_seldom_turns_a_random_picture() -> None:
    shares = []
    for seed in range(3):
        dag = release_like(40, seed)
        before = layered(*dag).positions
        shares += [turned(before, layered(*changed).positions) for changed in changes(dag, seed)]
    assert mean(shares) < 0.15


def test_the_measure_of_turning() -> None:
    before = {"a": (0.0, 0.0), "b": (0.0, 1.0), "c": (0.0, 2.0), "d": (1.0, 0.0)}
    assert turned(before, before) == 0
    assert turned(before, {node: (x, -y) for node, (x, y) in before.items()}) == 1
    assert turned(before, {**before, "a": (0.0, 1.5), "e": (0.0, 9.0), "d": (0.0, 5.0)}) == pytest.approx(1 / 3)


def test_ids_that_sort_first_lie_higher() -> None:
    drawing = layered(["hub", *"zyxwv"], [("hub", node) for node in "zyxwv"])
    assert [drawing.positions[node][1] for node in "vwxyz"] == [0, 1, 2, 3, 4]


def test_the_order_of_nodes_and_edges_does_not_matter_in_larger_graphs() -> None:
    nodes, edges = release_like(100, 3)
    assert layered(nodes[::-1], edges[::-1]) == layered(nodes, edges)


def test_an_empty_graph_is_an_empty_picture() -> None:
    assert layered([], []) == Layout({}, {}, 0)


def test_a_single_node_is_at_the_origin() -> None:
    assert layered(["a"], []) == Layout({"a": (0.0, 0.0)}, {}, 0)


def test_isolated_nodes_come_last_in_layer_0_and_widen_nothing() -> None:
    edges = [("a", "b"), ("b", "c")]
    drawing = layered(["0", "a", "b", "c", "x"], edges)
    assert drawing.positions == {"a": (0, 0), "b": (1, 0), "c": (2, 0), "0": (0, 1), "x": (0, 2)}


def test_connected_parts_are_stacked_the_largest_on_top() -> None:
    drawing = layered("abxyz", [("a", "b"), ("x", "y"), ("y", "z")])
    assert drawing.positions == {"x": (0, 0), "y": (1, 0), "z": (2, 0), "a": (0, 1), "b": (1, 1)}
    assert drawing.crossings == 0


def test_a_chain_of_ten_thousand() -> None:
    nodes = [f"{i:05}" for i in range(10_000)]
    drawing = layered(nodes, [*pairwise(nodes), (nodes[0], nodes[-1])])
    assert drawing.crossings == 0
    assert drawing.positions[nodes[-1]][0] == 9_999
    assert len(drawing.routes[nodes[0], nodes[-1]]) == 10_000


def test_ids_are_only_keys() -> None:
    hostile = ["", "\n", "😀", "a" * 10_000, "\ud800", "<b>", "$x$", "a\x00"]
    drawing = layered(hostile, pairwise(hostile))
    assert [drawing.positions[node][0] for node in hostile] == list(range(8))


@pytest.mark.parametrize(
    ("nodes", "edges", "layers", "message"),
    [
        (["a", "a"], [], None, r"nodes has 'a' twice, expected every id once"),
        (["a"], [("a", "b")], None, r"edges has \('a', 'b'\), but 'b' is not in nodes"),
        (["a"], [("a", "a")], None, r"edges has the cycle \['a', 'a'\], expected none"),
        (
            list("xabc"),
            [("x", "a"), ("a", "b"), ("b", "a"), ("b", "c")],
            None,
            r"the cycle \['(a', 'b', 'a|b', 'a', 'b)'\]",
        ),
        (["a", "b"], [("a", "b")], {"a": 2, "b": 2}, r"edges has \('a', 'b'\), from layer 2 to 2, expected a higher"),
        (["a", "b"], [("a", "b")], {"a": 3, "b": 2}, r"edges has \('a', 'b'\), from layer 3 to 2, expected a higher"),
        (["a"], [], {}, r"layers has None for 'a', expected an int of at least 0"),
        (["a"], [], {"a": -1}, r"layers has -1 for 'a', expected an int of at least 0"),
        (["a"], [], {"a": 0.5}, r"layers has 0.5 for 'a', expected an int of at least 0"),
    ],
)
def test_what_cannot_be_drawn_is_named(
    nodes: list[str], edges: list[Edge], layers: dict[str, int] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        layered(nodes, edges, layers)


def test_messages_stay_short_with_huge_ids() -> None:
    with pytest.raises(ValueError, match="is not in nodes") as caught:
        layered(["x" * 10_000], [("x" * 10_000, "y" * 10_000)])
    assert len(str(caught.value)) < 400
