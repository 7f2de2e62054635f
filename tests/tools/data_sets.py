"""The data sets that ship, for tests of what takes a graph or a plan of it."""

from __future__ import annotations

import pytest

from seqkit import RepoDependencyGraph, build_plan

__all__ = ["graphs_and_plans"]


def itself(graph: RepoDependencyGraph) -> RepoDependencyGraph:
    """Take the graph as it is."""
    return graph


_OTHERS = [("jest29", itself), ("jupyter", build_plan), ("kf5", itself), ("kf5", build_plan)]  # more of the same

graphs_and_plans = pytest.mark.parametrize(
    ("name", "of"),
    [
        ("jest29", build_plan),
        ("jupyter", itself),
        *(pytest.param(*other, marks=pytest.mark.slow) for other in _OTHERS),
    ],
)
"""Gives a test `name`, of a data set, and `of`, what makes of its graph what is drawn."""
