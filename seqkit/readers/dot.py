"""DOT, the language of Graphviz, which many tools print their graphs in."""

from __future__ import annotations

import html
import re

from seqkit._util.words import printable
from seqkit.core.graph import Cycles, Direction, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.readers._dot import HtmlText, Parser, plain
from seqkit.readers._drawn import Drawn, NodeNames
from seqkit.readers._files import PathLike, load_text

__all__ = ["read_dot"]

_HOW_DRAWN = (
    "area class color colorscheme comment distortion fillcolor fixedsize fontcolor fontname fontsize gradientangle "
    "group height href id image imagepos imagescale label labelhref labeltarget labeltooltip labelloc layer margin "
    "nojustify ordering orientation penwidth peripheries pin pos rank rects regular root samplepoints shape "
    "shapefile showboxes sides skew sortv style target tooltip URL vertices width xlabel xlp z"
)
_OF_GRAPHVIZ = frozenset(_HOW_DRAWN.split())
"""What Graphviz itself makes of nodes: how they are drawn."""

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def read_dot(
    path: PathLike,
    *,
    direction: Direction | None = None,
    ids: NodeNames = None,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    r"""Read a directed graph in DOT; every node is a repo.

    DOT does not say what an edge means, and half of the world draws it the other way round: `direction` does.
    Subgraphs and clusters are no repos, but an edge to one is an edge to each node in it. Ports, and everything that
    only says how something is drawn, are passed over; invisible edges (``style=invis``), which push nodes about, are
    left out and counted. In quoted ids ``\"`` is a quote and ``\\`` one backslash, as Graphviz shows it.

    Parameters
    ----------
    path : str or pathlib.Path
        A file with one ``digraph`` or several, which are read as one.
    direction : {"dependency_to_dependent", "dependent_to_dependency"}
        What an edge ``A -> B`` means: "A is needed by B", or "A needs B". Not needed where the graph has an attribute
        `direction` with one of the two, as :meth:`seqkit.RepoDependencyGraph.to_dot` writes it.
    ids : {"name"} or None
        What repos are called: the ids of the nodes, or with ``"name"`` their labels, where these are unique.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. An attribute `kinds` or `kind` of an edge says of which it is (several by commas); else it is normal.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        Labels are the repos' display names; attributes that are none of Graphviz's stay, as text.

    Raises
    ------
    ReadError
        Where the file is no DOT (with the line), is undirected, or makes more than 5,000,000 edges.
    ValueError
        Where `direction` is missing.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "needs.dot")
    ...     _ = file.write_text('digraph { app -> {api docs} -> core [kind=dev]; app -> api; api -> core }')
    ...     read_dot(file, direction="dependent_to_dependency").edges
    [('api', 'app'), ('core', 'api')]
    """
    drawn = Drawn(path, "dot", direction, ids, kinds, cycles)
    parsed = Parser(path, load_text(path))
    drawn.says = parsed.facts.get("direction")
    if parsed.graphs > 1:
        drawn.found.look_at("there are several graphs in the file, which are read as one")
    for node, facts in parsed.nodes.items():
        known = {key: plain(value) for key, value in facts.items() if key not in _OF_GRAPHVIZ}
        drawn.node(node, known, _display(facts.get("label", ""), node))
    for (source, target), several in parsed.edges.items():
        for told in several:
            who = f"{source} -> {target}"
            if "invis" in told.get("style", ""):
                drawn.found.left_out("invisible edges", who)
                continue
            if told.get("dir") == "back":
                drawn.found.look_at("edges that are drawn backwards (dir=back), read as they are written", who)
            drawn.arrow(source, target, told)
    return drawn.to_graph()


def _display(label: str, node: str) -> str:
    """Give what a label shows, if that is not the id."""
    if isinstance(label, HtmlText):
        text = html.unescape(_TAG.sub(" ", label))
    else:
        text = html.unescape(_ESCAPE.sub(lambda match: _escaped(match[1], node), label))
    return "" if text in (node, printable(node)) else " ".join(text.split())


def _escaped(letter: str, node: str) -> str:
    if letter == "N":
        return node
    return " " if letter in "nlr" else letter
