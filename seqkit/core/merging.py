"""Cycles as release units: all repos of a component become one node.

>>> edges = {("a", "b"): ("normal",), ("b", "a"): ("dev",), ("b", "c"): ("peer",)}
>>> merged_units({"a": {}, "b": {}, "c": {}}, edges)
({'a+b': {'members': ['a', 'b']}, 'c': {}}, {('a+b', 'c'): ('peer',)})
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seqkit.core.cycles import after_each, components, units
from seqkit.core.kinds import in_order

__all__ = ["merged_units", "mixed_units"]

Pair = tuple[str, str]

_BETWEEN = " + "  # the versions of a unit's members


def merged_units(
    nodes: Mapping[str, Mapping[str, Any]], edges: Mapping[Pair, tuple[str, ...]]
) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[Pair, tuple[str, ...]]]:
    """Make one node of each component; see :meth:`seqkit.RepoDependencyGraph.from_edges`. Linear.

    Parameters
    ----------
    nodes : mapping
        Repo → what is known of it; every repo.
    edges : mapping
        (dependency, dependent) → kinds.

    Returns
    -------
    pair of mappings
        The same of the merged graph: what was given, where nothing waits for itself. A unit stands where its first
        member stood.

    Raises
    ------
    ValueError
        Where a unit's name is taken.
    """
    found = components(after_each(edges))
    if not found:
        return nodes, edges
    members_of = units(found, taken=nodes)
    unit_of = {repo: unit for unit, members in members_of.items() for repo in members}
    merged: dict[str, Mapping[str, Any]] = {}
    for repo, known in nodes.items():
        target = unit_of.get(repo, repo)
        if target == repo:
            merged[repo] = known
        elif target not in merged:
            members = members_of[target]
            merged[target] = {**_shared_attributes([nodes[member] for member in members]), "members": list(members)}
    rest: dict[Pair, tuple[str, ...]] = {}
    for pair, kinds in edges.items():
        before, after = pair
        if before in unit_of or after in unit_of:
            pair = unit_of.get(before, before), unit_of.get(after, after)  # noqa: PLW2901  # those of the members
            kinds = in_order({*rest[pair], *kinds}) if pair in rest else kinds  # noqa: PLW2901
        if pair[0] != pair[1]:
            rest[pair] = kinds
    return merged, rest


def mixed_units(nodes: Iterable[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """List the units whose members have several versions, each with those: such a unit is no one release."""
    return [
        (repo, known["version"])
        for repo, known in nodes
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
