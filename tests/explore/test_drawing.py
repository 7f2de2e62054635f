"""What is drawn, where, and what is left out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings

from seqkit import RepoDependencyGraph, RepoNotFound
from seqkit.explore.drawing import MOST_DRAWN, draw
from tests.tools.strategies import ancestors, trains

GRAPH = RepoDependencyGraph.from_edges([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("d", "e")])


@settings(max_examples=80)
@given(trains())
def test_a_plan_is_drawn_with_the_same_reachability(train):
    plan = train.plan
    drawing = draw(plan)
    assert list(drawing.ids) == [item.repo_id for item in plan.items]
    assert drawing.waves == plan.arrays.waves
    edges = [(drawing.ids[a], drawing.ids[b]) for a, b, _ in drawing.routes]
    assert ancestors(drawing.ids, edges) == ancestors(drawing.ids, plan.edges)
    assert len(edges) + drawing.implied == len(plan.edges)
    for a, b, route in drawing.routes:
        assert (route[0], route[-1]) == (drawing.spots[a], drawing.spots[b])
        assert all(x < y for (x, _), (y, _) in pairwise(route))
    assert len(set(drawing.spots)) == len(drawing.ids)


def test_around_a_repo():
    assert draw(GRAPH, "c").ids == ("a", "b", "c", "d")
    assert draw(GRAPH, "c", depth=2).ids == ("a", "b", "c", "d", "e")
    assert draw(GRAPH, "e").ids == ("d", "e")
    assert draw(GRAPH, "e").waves == (3, 4)
    assert draw(GRAPH, "e").among == 5


def test_too_many_are_not_drawn_but_their_parts_are():
    ids = [f"r{i:04}" for i in range(MOST_DRAWN + 1)]
    graph = RepoDependencyGraph.from_edges(pairwise(ids))
    assert draw(graph).too_many
    assert draw(graph).ids == ()
    assert draw(graph, ids[3]).ids == tuple(ids[2:5])
    assert draw(graph, ids[3], depth=len(ids)).too_many
    assert not draw(graph.subgraph(ids[1:])).too_many
    assert not draw(RepoDependencyGraph()).too_many


def test_wrong_arguments():
    with pytest.raises(RepoNotFound, match="z"):
        draw(GRAPH, "z")
    with pytest.raises(ValueError, match="depth is -1"):
        draw(GRAPH, "a", depth=-1)
    with pytest.raises(TypeError, match="plan_or_graph is 7, expected a SequencePlan or a RepoDependencyGraph"):
        draw(7)
