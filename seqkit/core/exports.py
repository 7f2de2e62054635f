r"""A graph as text that other tools draw, and as what networkx and JavaScript read.

Edges run from who is needed to who needs it, and what is written says so. Names may be anything: each is quoted so
that it comes back as it was, and what is shown of it does nothing.

>>> from seqkit.core.graph import RepoDependencyGraph
>>> graph = RepoDependencyGraph.from_edges([("core", 'the "app"')])
>>> print(dot_of(graph))
digraph dependencies {
  graph [direction=dependency_to_dependent, rankdir=LR];
  node [shape=box];
  "core";
  "the \"app\"";
  "core" -> "the \"app\"";
}
<BLANKLINE>
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqkit._util.words import printable
from seqkit.core.ids import is_blank
from seqkit.core.kinds import NORMAL, RELEASE_KINDS

if TYPE_CHECKING:
    from seqkit.core.graph import RepoDependencyGraph

__all__ = ["DIRECTION", "FORMS", "LABELS", "csv_of", "dot_of", "mermaid_of", "node_link_of"]

DIRECTION = "dependency_to_dependent"
"""What the edges of everything that is written here mean."""

LABELS = ("display_name", "label", "name")
"""Attributes that say what people call a node, the most telling first."""

_FACTS = ("version", "path", "ecosystem")  # what DOT keeps of a repo: Graphviz gives a meaning to many other names
_WEAK = {"peer", "optional"}
_PLAIN_INSIDE = re.compile(r"(?<=\w)[-./@_+](?=\w)")  # such as stand in names, where Markdown sees nothing in them
_OF_MERMAID = "ﬂ°¶ß"  # by which it marks what was escaped


def dot_of(graph: RepoDependencyGraph) -> str:
    """Write a graph in DOT; see :meth:`seqkit.RepoDependencyGraph.to_dot`."""
    lines = ["digraph dependencies {", f"  graph [direction={DIRECTION}, rankdir=LR];", "  node [shape=box];"]
    for repo in graph:
        known, shown = graph.attributes(repo), graph.node(repo).display_name
        facts = {key: _quoted(known[key]) for key in _FACTS if isinstance(known.get(key), str)}
        if printable(shown) != repo or "&" in repo or "\\" in repo:
            facts["label"] = _label(shown)
        if _is_unit(known):
            facts |= {"peripheries": "2", "tooltip": _label(", ".join(map(str, known["members"])))}
        lines.append(f"  {_quoted(repo)}{_listed(facts)};")
    for pair in graph.edges:
        kinds = graph.kinds(*pair)
        facts = {} if tuple(kinds) == NORMAL else dict.fromkeys(("kinds", "label"), _quoted(", ".join(kinds)))
        if style := _style(kinds):
            facts["style"] = style
        lines.append(f"  {_quoted(pair[0])} -> {_quoted(pair[1])}{_listed(facts)};")
    return "\n".join([*lines, "}", ""])


def _is_unit(known: Mapping[str, Any]) -> bool:
    """Tell what was merged from what has an attribute of that name from elsewhere, such as a number of people."""
    return isinstance(known.get("members"), list)


def _style(kinds: Sequence[str]) -> str:
    """Say how an edge is drawn that a release does not wait for, or that is of the weaker kinds alone."""
    if not any(kind in RELEASE_KINDS for kind in kinds):
        return "dashed"
    return "dotted" if _WEAK.issuperset(kinds) else ""


def _listed(facts: Mapping[str, str]) -> str:
    """Write attributes; their values are quoted already."""
    return f" [{', '.join(f'{key}={value}' for key, value in facts.items())}]" if facts else ""


def _quoted(text: str) -> str:
    r"""Quote an id. Backslashes are doubled: Graphviz shows the two as one, and so they are read."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(text: str) -> str:
    """Quote what is shown, in which Graphviz looks for entities too."""
    return _quoted(printable(text).replace("&", "&amp;"))


def mermaid_of(graph: RepoDependencyGraph) -> str:
    """Write a graph as a flowchart of Mermaid; see :meth:`seqkit.RepoDependencyGraph.to_mermaid`."""
    lines = ["flowchart LR"]
    number = {repo: f"n{at}" for at, repo in enumerate(graph)}
    for repo, name in number.items():
        shape = '[["{}"]]' if _is_unit(graph.attributes(repo)) else '["{}"]'
        lines.append(f"  {name}{shape.format(_entities(graph.node(repo).display_name))}")
    for before, after in graph.edges:
        kinds = graph.kinds(before, after)
        arrow = "-.->" if _style(kinds) else "-->"
        why = "" if tuple(kinds) == NORMAL else f"|{', '.join(kinds)}|"
        lines.append(f"  {number[before]} {arrow}{why} {number[after]}")
    return "\n".join([*lines, ""])


def _entities(text: str) -> str:
    """Write what is shown so that Mermaid sees neither its own syntax in it, nor HTML, nor Markdown, nor a link."""
    shown = printable(text) or " "
    plain = {match.start() for match in _PLAIN_INSIDE.finditer(shown)}
    return "".join(
        char
        if at in plain or char == " " or (char not in _OF_MERMAID and (char.isalnum() or not char.isascii()))
        else f"#{ord(char)};"
        for at, char in enumerate(shown)
    )


def node_link_of(graph: RepoDependencyGraph) -> dict[str, Any]:
    """Give a graph in networkx's form for JSON; see :meth:`seqkit.RepoDependencyGraph.to_node_link`."""
    nodes = []
    for repo in graph:
        node, known = graph.node(repo), graph.attributes(repo)
        if node.display_name != repo or any(label in known for label in LABELS):
            known["display_name"] = node.display_name
        if node.remote_url is not None:
            known["remote_url"] = node.remote_url
        nodes.append({**_plain(known), "id": repo})
    edges: list[dict[str, Any]] = []
    for before, after in graph.edges:
        kinds = graph.kinds(before, after)
        edges.append({"source": before, "target": after} | ({} if tuple(kinds) == NORMAL else {"kinds": kinds}))
    return {
        "directed": True,
        "multigraph": False,
        "graph": {"direction": DIRECTION},
        "nodes": nodes,
        "edges": edges,
    }


def _plain(value: Any) -> Any:
    """Give what JSON can hold: numbers that are none become null, and what it does not know becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in (value if isinstance(value, list | tuple) else sorted(value, key=str))]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)


def csv_of(graph: RepoDependencyGraph, separator: str = ",") -> str:
    r"""Write a graph as an edge list that :func:`seqkit.read_graph` takes; a repo without edges has a row of its own.

    Nothing in it is changed for spreadsheets, which would read it as another graph.

    Raises
    ------
    ValueError
        Where the id of a repo is blank: in an edge list that is no repo.

    Examples
    --------
    >>> from seqkit.core.graph import RepoDependencyGraph
    >>> print(csv_of(RepoDependencyGraph.from_edges([("core", "app")], nodes=["docs"])), end="")
    dependency,dependent
    core,app
    ,docs
    """
    if blank := [repo for repo in graph if is_blank(repo)]:
        raise ValueError(f"a repo is called {blank[0]!r:.80}, which is no repo in an edge list; write JSON instead")
    rows = [(before, after, ", ".join(graph.kinds(before, after))) for before, after in graph.edges]
    linked = {repo for before, after, _ in rows for repo in (before, after)}
    rows += [("", repo, "") for repo in graph if repo not in linked]
    columns = 3 if any(kinds not in ("", *NORMAL) for _, _, kinds in rows) else 2
    text = io.StringIO()
    # The csv module of Python 3.11 leaves a lone \r without quotes, and readers break the line there.
    torn = any("\r" in cell for row in rows for cell in row)
    writer = csv.writer(
        text, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL if torn else csv.QUOTE_MINIMAL
    )
    writer.writerows(row[:columns] for row in [("dependency", "dependent", "kinds"), *rows])
    return text.getvalue()


FORMS: tuple[tuple[str, tuple[str, ...], Callable[[RepoDependencyGraph], str]], ...] = (
    ("an edge list", (".csv",), csv_of),
    ("one with tabs", (".tsv",), lambda graph: csv_of(graph, "\t")),
    ("node-link JSON", (".json",), lambda graph: json.dumps(node_link_of(graph), indent=2, allow_nan=False) + "\n"),
    ("DOT", (".dot", ".gv"), dot_of),
    ("Mermaid", (".mmd",), mermaid_of),
)
"""What a graph is written as: what that is, how such files are named, and the text."""
