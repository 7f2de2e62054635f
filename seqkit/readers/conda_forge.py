"""conda-forge: the state of a migration, which feedstocks it goes through and in which order."""

from __future__ import annotations

from typing import Any

from seqkit._util.words import cut
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike, load_json, text_list, typed
from seqkit.readers._gathered import Gathered

__all__ = ["is_conda_forge", "read_conda_forge"]

_FEEDSTOCKS = "_feedstock_status"


def is_conda_forge(file: Opened) -> bool:
    """Tell whether a JSON file has a table `_feedstock_status`."""
    return file.has_keys(_FEEDSTOCKS)


def read_conda_forge(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read the status of a migration of conda-forge; every feedstock that it goes through is a repo.

    A feedstock comes before its `immediate_children`. Why they need it (to build, to run) is not told, so that all
    dependencies are ``normal``; those between feedstocks that the migration does not touch are not in the file. What
    a child has no entry of its own for is a repo all the same.

    Parameters
    ----------
    path : str or pathlib.Path
        JSON with `_feedstock_status`, a table of feedstocks, beside lists of their names by state.
    kinds : str or collection of str, or None
        Which dependencies count; as all are ``normal``, there is nothing to choose.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        With `state` (``done``, ``in-pr``, ``awaiting-parents``, ``bot-error`` …), `pr_url` and `pr_status`, where they
        are told, and `ecosystem` (``conda``) as attributes.

    Raises
    ------
    ReadError
        Where the file is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> status = {"done": ["zlib"], "in-pr": ["libpng"], "_feedstock_status": {
    ...     "zlib": {"immediate_children": ["libpng"]}, "libpng": {"immediate_children": []}}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "zlib2.json")
    ...     _ = file.write_text(json.dumps(status))
    ...     graph = read_conda_forge(file)
    >>> graph.edges, graph.attributes("libpng")["state"]
    ([('zlib', 'libpng')], 'in-pr')
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    document = typed(path, "the document", load_json(path), dict)
    if _FEEDSTOCKS not in document:
        raise ReadError(path, None, f"has no table `{_FEEDSTOCKS}`, expected the status of a migration of conda-forge")
    feedstocks = typed(path, _FEEDSTOCKS, document[_FEEDSTOCKS], dict)
    found = Gathered(path, "conda-forge", knows_kinds=False)
    states = _states(document)
    for name, told in feedstocks.items():
        status = typed(path, _place(name), told, dict)
        facts = {key: status[key] for key in ("pr_url", "pr_status") if _is_text(status.get(key))}
        found.package(typed(path, f"a key of {_FEEDSTOCKS}", name, str), ecosystem="conda", **facts)
    for name, told in feedstocks.items():
        place = f"{_place(name)}.immediate_children"
        for child in text_list(path, place, told.get("immediate_children", [])):
            if child not in feedstocks:
                found.look_at("feedstocks without an entry of their own, which others name", child)
                found.package(child, ecosystem="conda")
            found.needs(child, name)
    for name in found.nodes:
        found.package(name, state=states.get(name))
    return found.to_graph(kinds, cycles)


def _states(document: dict[str, Any]) -> dict[str, str]:
    """Say which list each feedstock stands in."""
    lists = {state: names for state, names in document.items() if state != _FEEDSTOCKS and isinstance(names, list)}
    return {name: state for state, names in lists.items() for name in names if isinstance(name, str)}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()


def _place(name: str) -> str:
    return f"{_FEEDSTOCKS}[{cut(name, 120)!r}]"
