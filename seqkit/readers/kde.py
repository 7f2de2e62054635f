"""KDE's ``dependency-data``: who has to be built before whom, a line a dependency."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seqkit._util.secrets import as_given
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike, described, load_text
from seqkit.readers._gathered import Gathered

__all__ = ["KDE_FILES", "is_kde", "read_kde"]

KDE_FILES = (
    "dependency-data",
    "dependency-data-common",
    "dependency-data-kf5-qt5",
    "dependency-data-kf6-qt6",
    "dependency-data-stable-kf5-qt5",
    "dependency-data-stable-kf6-qt6",
    "dependency-data-latest-qt4",
    "dependency-data-stable-qt4",
)
"""What such files are called in KDE's repository of metadata."""

# Nothing that was matched is given back, so that a line of blanks takes no longer than another of its length.
_PROJECT = r"([^\[\]:\s]++)\s*+(?:\[([^\]\s]++)\])?+"
_LINE = re.compile(rf"\s*+{_PROJECT}\s*+:\s*+{_PROJECT}\s*+")
_ANY = "*"
_THIRD_PARTY = "third-party/"
_SNIFFED = 50
_MOST = 500_000  # dependencies: patterns multiply

Branched = tuple[str, str]  # a project, and a branch of it or "*"


def is_kde(file: Opened) -> bool:
    """Tell whether a file is one, by its name or because each of its first lines is ``folder/name: folder/name``."""
    if file.__fspath__().replace("\\", "/").rpartition("/")[2].lower() in KDE_FILES:
        return True
    head = file.text[: 2**16].split("\n")[:_SNIFFED]
    lines = [line for line in (line.partition("#")[0] for line in head[:-1] or head) if line.strip()]
    return bool(lines) and all(
        (told := _LINE.fullmatch(line)) and ("/" in told[1] or told[1] == _ANY) for line in lines
    )


def read_kde(
    path: PathLike, *, branch: str | None = None, kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    r"""Read KDE's dependency data; every project that is named is a repo.

    A line ``folder/app: folder/lib`` says that app needs lib, ``app[branch]: lib[branch]`` that it does on a branch,
    ``folder/*: lib`` that all in a folder do, and ``*: lib`` that all but those in ``third-party/`` do; ``app: -lib``
    takes back what a pattern or another line says, of the same branch. After ``#`` stands a comment. A project is
    called as its path; a name without a folder is the project that has it as the last part of its path. The file does
    not say why somebody is needed: all dependencies are ``normal``.

    Parameters
    ----------
    path : str or pathlib.Path
        A file such as ``dependency-data-kf6-qt6``.
    branch : str, optional
        What dependent projects are on: lines for other branches of them do not count. By default those of all branches
        do: a dependency that any branch has.
    kinds : str or collection of str, or None
        Which dependencies count; as all are ``normal``, there is nothing to choose.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where a line is none of these (with the line), or there is none.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "dependency-data-kf6-qt6")
    ...     _ = file.write_text("frameworks/*: kde/ecm\nframeworks/io: frameworks/core\nframeworks/core: -kde/ecm\n")
    ...     read_kde(file).edges
    [('frameworks/core', 'frameworks/io'), ('kde/ecm', 'frameworks/io')]
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    if branch is not None and not isinstance(branch, str):
        raise TypeError(f"branch is {as_given(branch, 200)}, expected the name of a branch, or None for all")
    found = Gathered(path, "kde", knows_kinds=False)
    data = _DependencyData(path, found)
    for project in data.projects:
        found.package(project)
    count = 0
    for project in data.projects:
        for needed in data.needs(project, branch):
            count += 1
            if count > _MOST:
                raise ReadError(path, None, f"has more than {_MOST:,} dependencies by its patterns")
            found.needs(project, needed)
    return found.to_graph(kinds, cycles)


class _DependencyData:
    """What the lines say."""

    def __init__(self, path: PathLike, found: Gathered) -> None:
        lines = list(_lines(path, found))
        told = dict.fromkeys(name for who, whom, _ in lines for name in (who[0], whom[0]) if not name.endswith(_ANY))
        by_name: dict[str, list[str]] = {}
        for name in told:
            if "/" in name:
                by_name.setdefault(name.rpartition("/")[2], []).append(name)
        self._meant = {name: by_name[name][0] if len(by_name.get(name, ())) == 1 else name for name in told}
        self.projects = list(dict.fromkeys(self._meant.values()))
        self._added: dict[str, dict[str, list[Branched]]] = {}
        self._removed: dict[str, dict[str, set[Branched]]] = {}
        self._patterns: dict[str, list[Branched]] = {}
        for (who, branch), (whom, whose), is_removed in lines:
            needed = self._meant[whom], whose
            if who.endswith(_ANY):
                self._patterns.setdefault(who[:-1], []).append(needed)
            elif is_removed:
                self._removed.setdefault(self._meant[who], {}).setdefault(branch, set()).add(needed)
            else:
                self._added.setdefault(self._meant[who], {}).setdefault(branch, []).append(needed)

    def needs(self, project: str, branch: str | None) -> dict[str, None]:
        """List what a project needs, on a branch or on any."""
        added, removed = self._added.get(project, {}), self._removed.get(project, {})
        branches = dict.fromkeys([*added, *removed, _ANY]) if branch is None else {branch: None}
        by_patterns: list[Branched] = []
        if not project.startswith(_THIRD_PARTY):
            for end in range(len(project) + 1):
                by_patterns += self._patterns.get(project[:end], ())
        needed: dict[str, None] = {}
        for one in branches:
            without = removed.get(_ANY, set()) | removed.get(one, set())
            of_branch = [] if one == _ANY else added.get(one, [])
            for told in (*by_patterns, *added.get(_ANY, ()), *of_branch):
                if told not in without and told[0] != project:
                    needed[told[0]] = None
        return needed


def _lines(path: PathLike, found: Gathered) -> Iterator[tuple[Branched, Branched, bool]]:
    """Give who needs whom, each with a branch, and whether that is taken back."""
    is_empty = True
    for number, line in enumerate(load_text(path).split("\n"), 1):
        content = line.partition("#")[0]
        if not content.strip():
            continue
        is_empty = False
        told = _LINE.fullmatch(content)
        if told is None or told[3] == "-":
            raise ReadError(path, number, f"is {described(line.strip())}, expected `project: project` as KDE writes it")
        who, branch, whom, whose = told.groups()
        is_removed = whom.startswith("-")
        if whom.endswith(_ANY):
            found.left_out("dependencies on all projects of a folder, which do not count", content.strip())
        elif is_removed and who.endswith(_ANY):
            found.left_out("removals for all projects of a folder, which do not count", content.strip())
        else:
            yield (who, branch or _ANY), (whom[is_removed:], whose or _ANY), is_removed
    if is_empty:
        raise ReadError(path, None, "is empty, expected lines of `project: project` as KDE writes them")
