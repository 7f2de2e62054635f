"""ROS: packages by their ``package.xml``, of formats 1, 2 and 3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_xml
from seqkit.readers._files import PathLike, described
from seqkit.readers._gathered import Gathered
from seqkit.readers._manifests import Ecosystem, Manifest, Need, read_manifests
from seqkit.readers._tree import Tree

__all__ = ["ROS", "read_ros"]

_FILE = "package.xml"
_KINDS = {
    "depend": "normal",
    "build_depend": "build",
    "build_export_depend": "normal",
    "exec_depend": "normal",
    "run_depend": "normal",
    "buildtool_depend": "build",
    "buildtool_export_depend": "build",
    "test_depend": "test",
    "doc_depend": "dev",
}
_IGNORED = ("COLCON_IGNORE", "CATKIN_IGNORE", "AMENT_IGNORE")
_DEEPEST = 6  # folders below which packages are looked for: a workspace, its src, groups of repositories


def read_ros(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    """Read the ROS packages of a folder; every folder below with a ``package.xml`` is a repo.

    As ROS's own tools do, nothing is looked for below a package, nor where a file ``COLCON_IGNORE``, ``CATKIN_IGNORE``
    or ``AMENT_IGNORE`` lies, nor more than six folders deep. An edge is a dependency on a package that is there; those
    on others (released ones, and keys of rosdep) are counted. Conditions (``condition="$ROS_VERSION == 2"``) are not
    evaluated: a dependency or a name under one counts, and is told. Dependencies on groups are left out and counted.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder, such as the ``src`` of a workspace, or a ``package.xml``, which stands for its folder.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"`` (``depend``, ``build_export_depend``, ``exec_depend``,
        ``run_depend``), ``"build"`` (``build_depend``, ``buildtool_depend``, ``buildtool_export_depend``), ``"test"``
        (``test_depend``) and ``"dev"`` (``doc_depend``); ``"all"``; None for normal and build.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        With `version`, `path` and `ecosystem` (``ros``) as attributes.

    Raises
    ------
    ReadError
        Where there is no package, or the ``package.xml`` at the top is malformed; malformed ones below are told in the
        report.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, needs in {"msgs": "", "node": "<depend>msgs</depend><depend>boost</depend>"}.items():
    ...         pathlib.Path(folder, name).mkdir()
    ...         file = pathlib.Path(folder, name, "package.xml")
    ...         _ = file.write_text(f"<package format='3'><name>{name}</name>{needs}</package>")
    ...     read_ros(folder).edges
    [('msgs', 'node')]
    """
    graph = read_manifests(ROS, path, "ros", kinds, cycles)
    if not list(graph):
        raise ReadError(path, None, f"is no {_FILE} of ROS, expected <package> with a <name>")
    return graph


def _manifests(tree: Tree, folder: str, found: Gathered) -> list[Manifest]:
    place = f"{folder}/{_FILE}" if folder else _FILE
    if _is_ignored(tree, folder):
        found.left_out("packages in folders that are to be ignored", place)
        return []
    root = load_xml(tree.open(place))
    if root.tag != "package":  # PEAR's is of a namespace
        found.left_out(f"files {_FILE} that are not of ROS", place)
        return []
    name = _text(root.find("name"))
    if not name:
        raise ReadError(tree.path(place), None, "has no <name>, expected a package of ROS")
    return [
        Manifest(
            "ros",
            name,
            folder,
            version=_text(root.find("version")) or None,
            needs=[Need(other, kind) for other, kind in _needs(root, name, place, found)],
        )
    ]


def _needs(root: Element, name: str, place: str, found: Gathered) -> Iterator[tuple[str, str]]:
    for element in root:
        if element.tag == "group_depend":
            found.left_out("dependencies on groups of packages", f"{name} needs {_text(element)}")
            continue
        kind = _KINDS.get(element.tag)
        if kind is None:
            continue
        other = _text(element)
        if not other:
            found.look_at("dependencies without a name", f"<{element.tag}> in {place}")
            continue
        if condition := element.get("condition"):
            found.guessed(
                "dependencies under conditions, taken for dependencies",
                f"{name} needs {other} where {described(condition)}",
            )
        yield other, kind


def _text(element: Element | None) -> str:
    return " ".join((element.text or "").split()) if element is not None else ""


def _is_ignored(tree: Tree, folder: str) -> bool:
    return any(tree.has(f"{folder}/{name}" if folder else name) for name in _IGNORED)


def _others(tree: Tree, folder: str) -> list[str]:
    """List the packages below a folder, none below another and none that is to be ignored."""
    places: list[str] = []
    seen: set[str] = set()
    waiting = [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        inside = f"{place}/" if place else ""
        real = os.path.realpath(tree.path(place))
        if real in seen or _is_ignored(tree, place):
            continue
        seen.add(real)
        if tree.has(f"{inside}{_FILE}"):
            places.append(place)
        elif depth < _DEEPEST:
            waiting += [(below, depth + 1) for below in reversed(tree.folders(place))]
    return places


ROS = Ecosystem("ros", (_FILE,), _manifests, lambda _tree, _folder: False, others=_others)
"""How packages of ROS are found."""
