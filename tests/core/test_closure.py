"""The transitive closure in blocks of bits, against networkx and plain sets."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.core.closure import Closure, Part, ancestor_counts, packed_ancestors, reversed_graph


@st.composite
def graphs(draw: st.DrawFn, largest: int = 40) -> list[list[int]]:
    n = draw(st.integers(0, largest))
    return [sorted(draw(st.sets(st.integers(0, node - 1), max_size=3))) if node else [] for node in range(n)]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[int]], list[int], list[float], int]:
    """A graph, some of its nodes in any order, weights, and how many bytes a block may have."""
    graph = draw(graphs())
    sources = draw(st.lists(st.sampled_from(range(len(graph))), unique=True)) if graph else []
    weights = draw(st.lists(st.floats(0, 1e6), min_size=len(graph), max_size=len(graph)))
    return graph, sources, weights, draw(st.sampled_from([1, 1 << 20]))


def above(graph: list[list[int]]) -> list[set[int]]:
    digraph = nx.DiGraph([(before, after) for after, row in enumerate(graph) for before in row])
    digraph.add_nodes_from(range(len(graph)))
    return [nx.ancestors(digraph, node) for node in range(len(graph))]


def closure_of(graph: list[list[int]], sources: list[int], block_bytes: int) -> Closure:
    return Closure(graph, np.array(sources, dtype=np.int64), block_bytes)


@given(cases())
def test_sums_over_strict_ancestors_and_descendants(case: tuple[list[list[int]], list[int], list[float], int]) -> None:
    graph, sources, weights, block_bytes = case
    closure, ancestors = closure_of(graph, sources, block_bytes), above(graph)
    for _ in range(2):  # the second time from what was kept
        up = closure.ancestor_sums(np.array(weights))
        down = closure.descendant_sums(np.array(weights))
    assert up == pytest.approx([sum(weights[u] for u in row & set(sources)) for row in ancestors], rel=1e-12)
    expected = [sum(weights[v] for v in range(len(graph)) if u in ancestors[v]) for u in sources]
    assert down == pytest.approx(expected, rel=1e-12)


@given(cases(), st.data())
def test_parts_have_weights_of_their_own(
    case: tuple[list[list[int]], list[int], list[float], int], data: st.DataObject
) -> None:
    graph, sources, weights, block_bytes = case
    if not sources:
        return
    cuts = sorted({0, len(sources), *data.draw(st.lists(st.integers(0, len(sources)), max_size=4))})
    counted = [sorted(data.draw(st.sets(st.sampled_from(range(len(graph)))))) for _ in cuts[1:]]

    def part(start: int, stop: int, nodes: list[int]) -> Part:
        where = np.array(nodes, dtype=np.int64)
        return Part(start, stop, lambda: (where, np.stack([np.array(weights)[where], np.ones(len(where))])))

    parts = [part(*row) for row in zip(cuts, cuts[1:], counted, strict=False)]
    sums = closure_of(graph, sources, block_bytes).descendant_sums_by_part(parts, 2)
    ancestors = above(graph)
    for each, nodes in zip(parts, counted, strict=True):
        for index in range(each.start, each.stop):
            below = [v for v in nodes if sources[index] in ancestors[v]]
            assert sums[0, index] == pytest.approx(sum(weights[v] for v in below), rel=1e-12)
            assert sums[1, index] == len(below)


def test_blocks_of_many_columns_and_rows() -> None:
    chosen = np.random.default_rng(0)
    graph = [sorted(set(chosen.integers(0, node, 3).tolist())) if node else [] for node in range(1_500)]
    ancestors = above(graph)
    sources = chosen.permutation(1_500)
    ones = np.ones(1_500)
    counts = [len(row) for row in ancestors]
    n_below = np.zeros(1_500)
    for row in ancestors:
        n_below[list(row)] += 1
    for block_bytes in (1_000, 40_000, 1 << 25):  # many blocks, some, one
        closure = Closure(graph, sources, block_bytes)
        assert closure.ancestor_sums(ones).tolist() == counts
        assert closure.descendant_sums(ones).tolist() == n_below[sources].tolist()


@given(cases())
def test_counts(case: tuple[list[list[int]], list[int], list[float], int]) -> None:
    graph, sources, _, _ = case
    chosen, ancestors = np.array(sorted(sources), dtype=np.int64), above(graph)
    assert ancestor_counts(graph, chosen).tolist() == [len(row & set(sources)) for row in ancestors]
    dependents = [[after for after, row in enumerate(graph) if before in row] for before in range(len(graph))]
    turned = reversed_graph(dependents)
    below = ancestor_counts(turned, np.arange(len(graph)))[::-1]
    assert below.tolist() == [sum(node in row for row in ancestors) for node in range(len(graph))]


def test_counts_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqkit.core.closure._BLOCK_BYTES", 1)
    graph = [[node - 1] if node else [] for node in range(300)]
    assert ancestor_counts(graph, np.arange(300)).tolist() == list(range(300))


@given(graphs())
def test_packed_ancestors_have_themselves(graph: list[list[int]]) -> None:
    bits = packed_ancestors(graph, np.arange(len(graph)))
    unpacked = np.unpackbits(bits, axis=1, bitorder="little", count=len(graph)) if graph else []
    for node, row in enumerate(above(graph)):
        assert set(np.flatnonzero(unpacked[node]).tolist()) == row | {node}
