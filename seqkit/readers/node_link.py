"""Node-link JSON: lists of nodes and of edges, as networkx and D3 have them."""

from __future__ import annotations

import json
from typing import Any

from seqkit.core.graph import Cycles, Direction, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._drawn import Drawn, NodeNames
from seqkit.readers._files import Opened, PathLike, described, load_json, typed

__all__ = ["is_node_link", "read_node_link"]

_EDGES = ("edges", "links")
_IDS = ("id", "key", "name")


def is_node_link(file: Opened) -> bool:
    """Tell whether a JSON file has lists of nodes and of edges."""
    document = file.document
    return (
        isinstance(document, dict)
        and isinstance(document.get("nodes"), list)
        and any(isinstance(document.get(key), list) for key in _EDGES)
    )


def read_node_link(
    path: PathLike,
    *,
    direction: Direction | None = None,
    ids: NodeNames = None,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a directed graph in node-link JSON; every node is a repo.

    That is what ``networkx.node_link_data`` gives, in its old form (`links`) or its new one (`edges`), and what
    examples of D3 draw. The form does not say what an edge means: `direction` does.

    Parameters
    ----------
    path : str or pathlib.Path
        An object with a list `nodes`, of objects with an `id` (or `key` or `name`, where none has an id), and a list
        `edges` or `links`, of objects with `source` and `target`. Ids that are no text become text as JSON writes
        them. Where no node has an id, ends are positions in `nodes`.
    direction : {"dependency_to_dependent", "dependent_to_dependency"}
        What an edge from `source` to `target` means: "the source is needed by the target", or "the source needs the
        target". Not needed where `graph` has a `direction`, one of the two, as
        :meth:`seqkit.RepoDependencyGraph.to_node_link` writes it.
    ids : {"name"} or None
        What repos are called: the ids of the nodes, or with ``"name"`` their `display_name`, `label` or `name`, where
        these are unique.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. `kinds` or `kind` of an edge says of which it is (a list, or text with commas); else it is normal. Of a
        multigraph all edges between two nodes are one, of all their kinds.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        What else stands at a node is an attribute, as it is; a `version` is always text.

    Raises
    ------
    ReadError
        Where the file has not this form, or says that it is undirected.
    ValueError
        Where `direction` is missing.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> data = {"nodes": [{"id": 1, "version": "2.0"}, {"id": 2}], "links": [{"source": 1, "target": 2}]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "needs.json")
    ...     _ = file.write_text(json.dumps(data))
    ...     read_node_link(file, direction="dependent_to_dependency").edges
    [('2', '1')]
    """
    drawn = Drawn(path, "node-link", direction, ids, kinds, cycles)
    document = typed(path, "the document", load_json(path), dict)
    if document.get("directed", True) is not True:
        raise ReadError(path, None, f"has directed: {described(document['directed'])}: who needs whom? Expected true")
    facts = document.get("graph")
    drawn.says = facts.get("direction") if isinstance(facts, dict) else None
    nodes = typed(path, "nodes", document.get("nodes"), list)
    key = next((key for key in _IDS if any(isinstance(node, dict) and key in node for node in nodes)), "id")
    listed: list[str] = []
    seen: dict[str, object] = {}
    for index, node in enumerate(nodes):
        told = typed(path, f"nodes[{index}]", node, dict)
        if key not in told:
            raise ReadError(path, None, f"nodes[{index}] has no {key!r}, expected one, as other nodes have")
        name = _text(path, f"nodes[{index}].{key}", told[key])
        if name in seen and not isinstance(told[key], type(seen[name])):
            drawn.found.look_at("ids that are the same as text and are read as one", name)
        seen[name] = told[key]
        listed.append(name)
        drawn.node(name, {at: value for at, value in told.items() if at != key})
    where = next((edges for edges in _EDGES if edges in document), None)
    if where is None:
        raise ReadError(path, None, "has neither `edges` nor `links`, expected a list of who is linked to whom")
    for index, edge in enumerate(typed(path, where, document[where], list)):
        told = typed(path, f"{where}[{index}]", edge, dict)
        ends = []
        for end in ("source", "target"):
            if end not in told:
                raise ReadError(path, None, f"{where}[{index}] has no {end!r}, expected the id of a node")
            ends.append(_end(path, f"{where}[{index}].{end}", told[end], key, listed, seen))
        if missing := [name for name in ends if name not in seen]:
            drawn.found.look_at("nodes that are ends of edges and not among the nodes", missing[0])
        drawn.arrow(ends[0], ends[1], told)
    return drawn.to_graph()


def _end(path: PathLike, where: str, end: Any, key: str, listed: list[str], seen: dict[str, object]) -> str:
    """Say which node an edge ends at."""
    if isinstance(end, dict) and key in end:  # as D3 leaves it behind when it has drawn the graph
        end = end[key]
    name = _text(path, where, end)
    at = end if key == "name" and name not in seen and isinstance(end, int) and not isinstance(end, bool) else -1
    return listed[at] if 0 <= at < len(listed) else name


def _text(path: PathLike, where: str, value: object) -> str:
    """Give an id as text."""
    if value is None or isinstance(value, dict):
        raise ReadError(path, None, f"{where} is {described(value)}, expected the id of a node")
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text: str = typed(path, where, told, str)
    return text
