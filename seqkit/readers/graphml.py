"""GraphML, the XML that networkx, yEd, Gephi and igraph write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from seqkit._util.words import cut
from seqkit.core.graph import Cycles, Direction, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_xml
from seqkit.readers._drawn import Drawn, NodeNames
from seqkit.readers._files import PathLike, described

__all__ = ["read_graphml"]

_MOST = 5_000_000  # data that stand there as defaults alone: few words make many
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_TYPES: dict[str, Callable[[str], Any]] = {
    "boolean": lambda text: _FLAGS[text.strip().lower()],
    "int": int,
    "long": int,
    "float": float,
    "double": float,
}


@dataclass(frozen=True)
class _Key:
    """What the data of one kind is called, whose it is, and what it is made of."""

    name: str
    whose: str
    type: str
    default: str | None


def read_graphml(
    path: PathLike,
    *,
    direction: Direction | None = None,
    ids: NodeNames = None,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a directed graph in GraphML; every node is a repo.

    GraphML does not say what an edge means: `direction` does. Nodes of graphs inside nodes (groups of yEd) are read as
    all others; a group is a repo only where an edge starts or ends at it. Ports and drawings are passed over.

    Parameters
    ----------
    path : str or pathlib.Path
        XML in UTF-8, without entities of its own.
    direction : {"dependency_to_dependent", "dependent_to_dependency"}
        What an edge from `source` to `target` means: "the source is needed by the target", or "the source needs the
        target". Not needed where the graph has data `direction` with one of the two.
    ids : {"name"} or None
        What repos are called: the ids of the nodes, or with ``"name"`` their labels (data `display_name`, `label` or
        `name`, or what yEd draws), where these are unique. yEd numbers its nodes: there ``"name"`` is right.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. Data `kinds` or `kind` of an edge says of which it is (several by commas); else it is normal.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        Data of nodes are attributes, of the types that the keys declare; a `version` is always text.

    Raises
    ------
    ReadError
        Where the file is no GraphML, is undirected or has an undirected edge, data is not of its type, or defaults make
        more than 5,000,000 data.
    ValueError
        Where `direction` is missing.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import networkx, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "needs.graphml")
    ...     networkx.write_graphml(networkx.DiGraph([("app", "core")]), file)
    ...     read_graphml(file, direction="dependent_to_dependency").edges
    [('core', 'app')]
    """
    drawn = Drawn(path, "graphml", direction, ids, kinds, cycles)
    root = load_xml(path)
    if _tag(root) != "graphml":
        raise ReadError(path, None, f"is XML with <{cut(_tag(root), 60)}> at the top, expected <graphml>")
    keys = _Keys(path, root)
    graphs = [element for element in root.iter() if _tag(element) == "graph"]
    if not graphs:
        raise ReadError(path, None, "has no <graph>, expected one with nodes and edges")
    groups = []
    for graph in graphs:
        directed = graph.get("edgedefault", "directed") == "directed"
        drawn.says = drawn.says or keys.data(graph, "graph").get("direction")
        for node in _children(graph, "node"):
            name = _attribute(path, node, "id")
            drawn.node(name, keys.data(node, "node"), _drawn_label(node))
            if next(_children(node, "graph"), None) is not None:
                groups.append(name)
        for edge in _children(graph, "edge"):
            source, target = (_attribute(path, edge, end) for end in ("source", "target"))
            if _FLAGS.get(edge.get("directed", str(directed)).lower()) is not True:
                raise ReadError(
                    path,
                    None,
                    f"has an undirected edge between {cut(source, 80)!r} and {cut(target, 80)!r}: who needs whom? "
                    'Expected edgedefault="directed"',
                )
            drawn.arrow(source, target, keys.data(edge, "edge"))
        for _ in _children(graph, "hyperedge"):
            drawn.found.left_out("hyperedges, which have no direction")
    ends = drawn.ends()
    for name in dict.fromkeys(groups):
        if name not in ends:
            drawn.leave_out(name, "groups of nodes")
    return drawn.to_graph()


def _tag(element: Element) -> str:
    """Give the name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(element: Element, tag: str) -> Iterator[Element]:
    return (child for child in element if _tag(child) == tag)


def _attribute(path: PathLike, element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise ReadError(path, None, f"has <{_tag(element)}> without {name}=, expected the id of a node there")
    return value


def _key(key: Element) -> _Key:
    default = next((child.text or "" for child in _children(key, "default")), None)
    drawing = key.get("yfiles.type") is not None
    name = "" if drawing else key.get("attr.name", "")
    return _Key(name, key.get("for", "all"), key.get("attr.type", "string").lower(), default)


class _Keys:
    """The keys of a file, by which its elements have data."""

    def __init__(self, path: PathLike, root: Element) -> None:
        self._path = path
        self._keys = {key.get("id", ""): _key(key) for key in _children(root, "key")}
        self._defaults = {
            whose: {
                key: known.default
                for key, known in self._keys.items()
                if known.default is not None and known.whose in (whose, "all")
            }
            for whose in ("graph", "node", "edge")
        }
        self._made = 0

    def data(self, element: Element, whose: str) -> dict[str, Any]:
        """Give the data of an element, each under the name of its key, and the defaults of what is not said."""
        told = dict(self._defaults[whose])
        self._made += len(told)
        if self._made > _MOST:
            raise ReadError(self._path, None, f"makes more than {_MOST:,} data of its defaults, expected at most that")
        for data in _children(element, "data"):
            told[data.get("key", "")] = data.text or ""
        known = {}
        for key, text in told.items():
            declared = self._keys.get(key)
            if declared is None or not declared.name:
                continue
            try:
                known[declared.name] = _TYPES.get(declared.type, str)(text)
            except (ValueError, KeyError):
                raise ReadError(
                    self._path,
                    None,
                    f"has {described(text)} as {cut(declared.name, 60)!r} of a {whose}, expected data of type "
                    f"{declared.type}",
                ) from None
        return known


def _drawn_label(node: Element) -> str:
    """Give the text that yEd draws for a node."""
    for data in _children(node, "data"):
        for element in data.iter():
            if _tag(element) == "NodeLabel" and (element.text or "").strip():
                return " ".join((element.text or "").split())
    return ""
