"""nx: the graph of projects that ``nx graph --file=graph.json`` writes, and that nx keeps for itself."""

from __future__ import annotations

from typing import Any

from seqkit._util.words import cut
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike, described, load_json, typed
from seqkit.readers._gathered import Gathered

__all__ = ["is_nx", "read_nx"]

_KINDS = {"static": "normal", "dynamic": "normal", "implicit": "implicit"}


def is_nx(file: Opened) -> bool:
    """Tell whether a JSON file is nx's: tables `nodes` and `dependencies`, at the top or in `graph`."""
    document = file.document
    inner = document.get("graph", document) if isinstance(document, dict) else None
    return isinstance(inner, dict) and all(isinstance(inner.get(key), dict) for key in ("nodes", "dependencies"))


def read_nx(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read a graph of nx; every project is a repo, with its folder as `path`.

    What a project needs from npm (``npm:react``) is no project; it is counted. nx finds dependencies in the sources,
    so that tests count as much as code does, and it does not tell them apart.

    Parameters
    ----------
    path : str or pathlib.Path
        JSON with `nodes` and `dependencies`, at the top or in `graph`.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"`` (nx: static, and dynamic, which is loaded later but released
        with the rest) and ``"implicit"``, which somebody wrote into the settings; ``"all"``; None for both.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        Attributes: `path`, `type` (``app``, ``lib`` or ``e2e``), and `package`, what npm calls it, where that is told.

    Raises
    ------
    ReadError
        Where the file is no such graph.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> nodes = {name: {"name": name, "type": "lib", "data": {"root": f"libs/{name}"}} for name in ("core", "app")}
    >>> edges = {"app": [{"source": "app", "target": "core", "type": "static"}], "core": []}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "graph.json")
    ...     _ = file.write_text(json.dumps({"graph": {"nodes": nodes, "dependencies": edges}}))
    ...     read_nx(file).edges
    [('core', 'app')]
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    document = typed(path, "the document", load_json(path), dict)
    graph = typed(path, "graph", document.get("graph", document), dict)
    for key in ("nodes", "dependencies"):
        if key not in graph:
            raise ReadError(path, None, f"has no table `{key}`, expected what `nx graph --file=graph.json` writes")
    found = Gathered(path, "nx")
    nodes = typed(path, "nodes", graph["nodes"], dict)
    for name, node in nodes.items():
        _tell(path, name, node, found)
    for name, needs in typed(path, "dependencies", graph["dependencies"], dict).items():
        place = f"dependencies[{cut(name, 120)!r}]"
        for index, need in enumerate(typed(path, place, needs, list)):
            where = f"{place}[{index}]"
            source = typed(path, f"{where}.source", typed(path, where, need, dict).get("source", name), str)
            target = typed(path, f"{where}.target", need.get("target"), str)
            if source.startswith("npm:"):
                found.left_out("dependencies of packages from elsewhere", f"{source} needs {target}")
            elif target.startswith("npm:") or target not in nodes:
                found.left_out("dependencies on packages from elsewhere", f"{source} needs {target}")
            elif source not in nodes:
                found.look_at("projects that need others and are not among the nodes", source)
            else:
                found.needs(source, target, _kind(need.get("type", "static"), f"{source} needs {target}", found))
    return found.to_graph(kinds, cycles)


def _tell(path: PathLike, name: str, node: object, found: Gathered) -> None:
    place = f"nodes[{cut(name, 120)!r}]"
    told = typed(path, place, node, dict)
    data = typed(path, f"{place}.data", told.get("data") or {}, dict)
    js: Any = data.get("metadata")
    for key in ("js", "packageName"):
        js = js.get(key) if isinstance(js, dict) else None
    facts = {"path": data.get("root"), "type": told.get("type"), "package": js}
    found.package(typed(path, "a key of nodes", name, str), **{k: v for k, v in facts.items() if isinstance(v, str)})


def _kind(told: object, who: str, found: Gathered) -> str:
    if isinstance(told, str) and told in _KINDS:
        return _KINDS[told]
    found.guessed("dependencies of a type that nx does not have, taken for normal ones", f"{who}: {described(told)}")
    return "normal"
