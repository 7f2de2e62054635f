"""Blast radii, against networkx and plain sets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from seqkit import RepoDependencyGraph, build_plan, what_if
from seqkit.analysis.blast import blast_radius
from tests.tools.strategies import Edge, Train, ancestors, dags, trains

COLUMNS = ["wave", "n_direct_dependents", "n_dependents", "n_dependencies", "share"]


@given(dags(12))
def test_a_graph_counts_what_networkx_finds(case: tuple[list[str], list[Edge]]) -> None:
    nodes, edges = case
    graph = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    frame, other = blast_radius(graph), graph.to_networkx()
    assert list(frame.index) == graph.topological_order()
    for repo, row in zip(frame.index, frame.to_dict("records"), strict=True):
        assert row["n_dependents"] == len(nx.descendants(other, repo))
        assert row["n_dependencies"] == len(nx.ancestors(other, repo))
        assert row["n_direct_dependents"] == other.out_degree(repo)
        assert repo in graph.waves()[row["wave"]]
        assert row["share"] == (row["n_dependents"] / (len(nodes) - 1) if len(nodes) > 1 else 0.0)


@given(trains(10))
def test_a_plan_counts_released_repos_through_unreleased_ones(train: Train) -> None:
    plan, released = train.plan, set(train.released)
    frame = blast_radius(plan)
    assert list(frame.index) == plan.released
    above = ancestors(train.nodes, train.edges)
    kept = [edge for edge in train.edges if edge[0] not in released]  # ways on through the unreleased
    for repo, row in zip(plan.released, frame.to_dict("records"), strict=True):
        assert row["n_dependents"] == len([other for other in released if repo in above[other]])
        assert row["n_dependencies"] == len(above[repo] & released)
        assert row["n_dependents"] == len(set(what_if(plan, fail=repo).skipped) & released)
        mine = [edge for edge in train.edges if edge[0] == repo]
        reach = ancestors(train.nodes, [*kept, *mine])
        assert row["n_direct_dependents"] == len([other for other in released if repo in reach[other]])
        assert repo in plan.waves()[row["wave"]]
        assert row["share"] == row["n_dependents"] / max(len(released) - 1, 1)


@pytest.mark.parametrize("of", [build_plan(RepoDependencyGraph(), []), RepoDependencyGraph()])
def test_dtypes_are_the_same_without_rows(of: Any) -> None:
    full = blast_radius(build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1"))
    for frame in (blast_radius(of), full):
        assert list(frame.columns) == COLUMNS
        assert [str(dtype) for dtype in frame.dtypes] == ["Int64"] * 4 + ["float64"]
        assert frame.index.name == "repo_id"
        assert frame.index.dtype == pd.StringDtype("python")
    assert len(blast_radius(of)) == 0


def test_direct_dependents_through_unreleased_count_once() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "x"), ("a", "y"), ("x", "b"), ("y", "b"), ("b", "c"), ("a", "c")])
    plan = build_plan(graph, [("a", "1"), ("b", "1"), ("c", "1")])
    assert blast_radius(plan)["n_direct_dependents"].to_dict() == {"a": 2, "b": 1, "c": 0}


def test_a_long_chain() -> None:
    ids = [f"{index:06}" for index in range(20_000)]
    graph = RepoDependencyGraph.from_edges(pairwise(ids))
    frame = blast_radius(graph)
    assert frame["n_dependents"].tolist() == list(range(19_999, -1, -1))
    assert frame["share"].iloc[0] == 1.0
    assert np.array_equal(frame["wave"], frame["n_dependencies"])


@pytest.mark.parametrize("wrong", [None, "a", nx.DiGraph()])
def test_anything_else_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"plan_or_graph is .*, expected a SequencePlan or a RepoDependencyGraph"):
        blast_radius(wrong)
