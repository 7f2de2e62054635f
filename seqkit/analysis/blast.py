"""How far a failure reaches: what is above and below each repo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit.core.closure import ancestor_counts, reversed_graph
from seqkit.core.graph import RepoDependencyGraph, both_ways
from seqkit.core.plan import SequencePlan

__all__ = ["blast_radius"]


def blast_radius(plan_or_graph: SequencePlan | RepoDependencyGraph) -> pd.DataFrame:
    """Count for each repo who waits for it and what it waits for, directly and through others.

    On a plan only repos to release count, and reachability runs through the unreleased ones; on a
    graph every repo counts.

    Parameters
    ----------
    plan_or_graph : SequencePlan or RepoDependencyGraph
        What to measure.

    Returns
    -------
    DataFrame
        Index `repo_id` (string), a row for each repo to release in plan order, or for each repo of a
        graph in topological order. Columns:

        - `wave` (Int64): from 0, as in ``waves()``.
        - `n_direct_dependents` (Int64): repos with nothing to release between them and this one.
        - `n_dependents` (Int64): all that is skipped where this one fails.
        - `n_dependencies` (Int64): all that must be out before it.
        - `share` (float64): `n_dependents` divided by the number of other rows; 0.0 where there is none.

    Raises
    ------
    TypeError
        Where `plan_or_graph` is neither.

    Notes
    -----
    All repos at once, on bits: O(repos × dependencies / 64) word operations, in blocks of bounded memory.

    Examples
    --------
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> print(blast_radius(graph).reset_index()[["repo_id", "n_direct_dependents", "n_dependents", "share"]])
      repo_id  n_direct_dependents  n_dependents     share
    0    core                    2             3  1.000000
    1     api                    1             1  0.333333
    2    docs                    0             0  0.000000
    3     app                    0             0  0.000000
    """
    if isinstance(plan_or_graph, SequencePlan):
        plan = plan_or_graph
        ids = plan.released
        dependencies: Sequence[Sequence[int]] = plan.arrays.dependencies
        dependents: Sequence[Sequence[int]] = plan.arrays.dependents
        counted = np.array(plan.arrays.released, dtype=bool)
        waves = [wave for wave in plan.arrays.waves if wave is not None]
    elif isinstance(plan_or_graph, RepoDependencyGraph):
        graph = plan_or_graph
        ids = graph.topological_order()
        needs, serves = both_ways(graph)
        position = {repo: index for index, repo in enumerate(ids)}
        dependencies = [[position[other] for other in needs(repo)] for repo in ids]
        dependents = [[position[other] for other in serves(repo)] for repo in ids]
        counted = np.ones(len(ids), dtype=bool)
        wave_of = {repo: number for number, wave in enumerate(graph.waves()) for repo in wave}
        waves = [wave_of[repo] for repo in ids]
    else:
        raise TypeError(f"plan_or_graph is {as_given(plan_or_graph)}, expected a SequencePlan or a RepoDependencyGraph")
    above = ancestor_counts(dependencies, np.flatnonzero(counted))[counted]
    below = ancestor_counts(reversed_graph(dependents), np.flatnonzero(counted[::-1]))[::-1][counted]
    frame = dtypes.frame(
        {
            "wave": dtypes.integer(waves),
            "n_direct_dependents": pd.array(_direct(dependents, counted), dtype="Int64"),
            "n_dependents": pd.array(below, dtype="Int64"),
            "n_dependencies": pd.array(above, dtype="Int64"),
            "share": below / max(len(ids) - 1, 1),
        }
    )
    frame.index = dtypes.index(ids)
    return frame


def _direct(dependents: Sequence[Sequence[int]], counted: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count the repos that each counted one reaches by one edge, or through repos alone that do not count."""
    if counted.all():
        return np.array([len(row) for row in dependents], dtype=np.int64)
    # Everyone who counts is split into two nodes, one that reaches others and one that is reached, so that no
    # path leads through. On the reversed graph the nodes that are reached are its sources; they come first.
    counts = counted[::-1].tolist()
    reached = (np.cumsum(counted[::-1]) - 1).tolist()
    n_counted = int(counted.sum())
    split: list[list[int]] = [[] for _ in range(n_counted)]
    split += [[reached[d] if counts[d] else n_counted + d for d in row] for row in reversed_graph(dependents)]
    return ancestor_counts(split, np.arange(n_counted))[n_counted:][::-1][counted]
