"""turbo: the tasks that ``turbo run build --dry=json`` would run, folded to the packages that they belong to."""

from __future__ import annotations

import re

from seqkit._util.strict_json import Unreadable, parse_json
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike, load_text, text_list, typed
from seqkit.readers._gathered import Gathered

__all__ = ["ROOT", "is_turbo", "load_turbo", "package_of", "read_turbo"]

ROOT = "//"
"""What turbo calls the root of a workspace."""

_START = re.compile(r"^\{", re.MULTILINE)
_SIGNS = ('"tasks"', '"taskId"', '"dependents"')


def is_turbo(file: Opened) -> bool:
    """Tell whether a text is turbo's, whatever stands before the JSON."""
    return all(sign in file.text for sign in _SIGNS)


def read_turbo(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    r"""Read what turbo would run; every package is a repo, with its folder as `path`.

    A package needs another where a task of it waits for a task of the other; nothing is said of why, and so all are
    ``"normal"``. Only what the tasks in the file wait for is seen: those of ``build`` with ``dependsOn: ["^build"]``
    tell most. The root of the workspace (``//``) is no package, and what waits for its tasks is counted.

    Parameters
    ----------
    path : str or pathlib.Path
        What ``turbo run build --dry=json`` printed, and what the package manager printed before it.
    kinds : str or collection of str, or None
        Which dependencies count; there are only ``"normal"`` ones.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Tasks have no cycles, but packages may: a test of the one
        that waits for the build of the other, and the other way round.

    Raises
    ------
    ReadError
        Where the file is no such list of tasks.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> tasks = [{"taskId": "core#build", "package": "core", "dependencies": [], "dependents": ["app#build"]},
    ...          {"taskId": "app#build", "package": "app", "dependencies": ["core#build"], "dependents": []}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "dry.json")
    ...     _ = file.write_text("> turbo run build\n" + json.dumps({"packages": ["core", "app"], "tasks": tasks}))
    ...     read_turbo(file).edges
    [('core', 'app')]
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    document = typed(path, "the document", load_turbo(path), dict)
    found = Gathered(path, "turbo")
    for name in text_list(path, "packages", document.get("packages") or []):
        if name != ROOT:
            found.package(name, ecosystem="npm")
    tasks: list[tuple[str, list[str]]] = []
    for index, task in enumerate(typed(path, "tasks", document.get("tasks"), list)):
        place = f"tasks[{index}]"
        package = package_of(typed(path, f"{place}.taskId", typed(path, place, task, dict).get("taskId"), str))
        folder = typed(path, f"{place}.directory", task.get("directory") or "", str)
        if package != ROOT:
            found.package(package, path=folder or None, ecosystem="npm")
        tasks.append((package, text_list(path, f"{place}.dependencies", task.get("dependencies") or [])))
    for package, needs in tasks:
        for needed in map(package_of, needs):
            if ROOT in (package, needed):
                if package != needed:
                    found.left_out("waits for tasks of the root, or of the root", f"{package} needs {needed}")
            elif package != needed:
                found.needs(package, needed)
    return found.to_graph(kinds, cycles)


def package_of(task: str) -> str:
    """Give the package of a task: ``app`` of ``app#build``; the root's have none in a repository of one package."""
    package, mark, _ = task.partition("#")
    return package if mark and package else ROOT


def load_turbo(path: PathLike) -> object:
    """Read turbo's JSON, and pass over what stands before it."""
    text = load_text(path)
    start = _START.search(text)
    if start is None:
        raise ReadError(path, None, "has no line that begins with {, expected what `turbo run build --dry=json` prints")
    try:
        return parse_json(text[start.start() :].rstrip())
    except Unreadable as error:
        before = text.count("\n", 0, start.start())
        raise ReadError(path, error.line and error.line + before, str(error)) from None
