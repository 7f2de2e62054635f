"""Cycles as release units: all repos of a component become one node.

>>> import networkx as nx
>>> graph = nx.DiGraph([("a", "b"), ("b", "a"), ("b", "c")])
>>> merged = merged_units(graph)
>>> list(merged.edges), merged.nodes["a+b"]
([('a+b', 'c')], {'members': ['a', 'b']})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from seqkit.core.cycles import components, kinds_of_edge, units
from seqkit.core.edge_lists import kinds_as_kept
from seqkit.core.kinds import in_order

__all__ = ["merged_units", "mixed_units"]

_BETWEEN = " + "  # the versions of a unit's members


def merged_units(digraph: nx.DiGraph[str]) -> nx.DiGraph[str]:
    """Make a graph in which each component is one node; see :meth:`seqkit.RepoDependencyGraph.from_edges`. Linear.

    Raises
    ------
    ValueError
        Where a unit's name is taken.
    """
    members_of = units(components(digraph), taken=digraph)
    unit_of = {repo: unit for unit, members in members_of.items() for repo in members}
    merged: nx.DiGraph[str] = nx.DiGraph()
    for repo, known in digraph.nodes(data=True):
        target = unit_of.get(repo, repo)
        if target == repo:
            merged.add_node(repo)
            merged.nodes[repo].update(known)
        elif target not in merged:
            shared = _shared_attributes([digraph.nodes[member] for member in members_of[target]])
            merged.add_node(target)
            merged.nodes[target].update(shared, members=list(members_of[target]))
    several: dict[tuple[str, str], set[str]] = {}  # edges of a unit: those of its members
    for before, row in digraph.adj.items():
        source = unit_of.get(before, before)
        for after, data in row.items():
            target = unit_of.get(after, after)
            if source == target:
                continue
            if source == before and target == after:
                merged.add_edge(before, after, **data)
            else:
                several.setdefault((source, target), set()).update(kinds_of_edge(data))
    merged.add_edges_from((*pair, kinds_as_kept(in_order(kinds))) for pair, kinds in several.items())
    return merged


def mixed_units(merged: nx.DiGraph[str]) -> list[tuple[str, str]]:
    """List the units whose members have several versions, each with those: such a unit is no one release."""
    units_of = merged.nodes(data=True)
    return [
        (repo, known["version"])
        for repo, known in units_of
        if known.get("members") and _BETWEEN in str(known.get("version", ""))
    ]


def _shared_attributes(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give what the members of a unit agree on, and their versions joined where they don't."""
    shared = {
        key: value
        for key, value in members[0].items()
        if key != "members" and all(key in other for other in members) and _agreed([other[key] for other in members])
    }
    if "version" not in shared and any("version" in known for known in members):
        shared["version"] = _BETWEEN.join(str(known.get("version", "?")) for known in members)
    return shared


def _agreed(values: list[Any]) -> bool:
    return all(value == values[0] for value in values)
