"""uv's lock files, ``uv.lock``: what is locked, and who needs it, under which marker, extra and group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._asked import Ask
from seqkit.readers._documents import load_toml
from seqkit.readers._exact_ids import Exact, Ids, check_options
from seqkit.readers._files import Opened, PathLike, described, text_list, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._python_locks import Packages, is_called, locked
from seqkit.readers._python_tools import Table
from seqkit.readers._requirements import can_hold, kind_of_group, normalised, parsed_marker

__all__ = ["is_uv_lock", "read_uv"]

_HERE = ("editable", "virtual", "directory")  # sources that are folders
_SIGN = re.compile(r"^\[\[(?:package|distribution)\]\]\s*\nname = .*\n(?:version = .*\n)?source = (?:\{|\")", re.M)


def is_uv_lock(file: Opened) -> bool:
    """Tell whether a file is one, by its name or by how its packages are written."""
    return is_called(file, "uv.lock") or ("requires-python" in file.text and _SIGN.search(file.text) is not None)


def read_uv(
    path: PathLike, *, ids: Ids = "name@version", kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    """Read a lock of uv; every package in it is a repo, with its `version` as attribute, and its `path` if it has one.

    The lock holds for all machines at once: of a package there may be several versions, and a dependency under a
    marker counts unless the marker can never hold. Members of the workspace are packages like any other, the root
    too, unless it is none.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``uv.lock``.
    ids : {"name@version", "name"}
        What a repo is called; a package without a version, which is computed when it is built, goes by its name.
        Where two would collide, their source stands behind. ``"name"`` joins the versions of a package, sorted and
        joined by ``" + "`` in the attribute; that can close cycles that the lock does not have.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. ``normal`` are those of the packages, and of optional groups that somebody in the lock asks for;
        ``extra`` those of groups that nobody does; ``dev`` those of groups of development, ``test`` where such a group
        is called test, tests or testing. What packages are built with does not stand in a lock.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is no such lock, or a package needs another that is not in the lock.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.
    """
    check_options(ids, kinds, cycles)
    lock = _UvLock(path)
    asks = [ask for index in range(len(lock.tables)) for ask in lock.asks(index)]

    def tell(found: Gathered, names: Sequence[str]) -> None:
        for index, package in enumerate(lock.packages.all):
            if package.attributes["path"] == ".":
                found.root = names[index]
        for text in lock.never:
            found.left_out("dependencies whose markers can never hold", text)

    return lock.packages.to_graph("uv", asks, ids, kinds, cycles, tell)


class _UvLock:
    """The tables of packages, checked where they are looked at."""

    def __init__(self, path: PathLike) -> None:
        self.path = path
        document = Table(path, load_toml(path))
        # The first versions of uv called them distributions.
        key = "package" if "package" in document.content else "distribution"
        if "version" not in document.content or not isinstance(document.content.get(key, []), list):
            raise ReadError(
                path, None, "has no version and list of packages, expected a uv.lock as `uv lock` writes it"
            )
        python = document.content.get("requires-python")
        self.requires_python = typed(path, "requires-python", python, str) if python is not None else ""
        self.tables = [
            Table(path, typed(path, f"{key}[{number}]", content, dict), f"{key}[{number}]")
            for number, content in enumerate(document.content.get(key, []))
        ]
        self.sources = [_source(table, table.content.get("source")) for table in self.tables]
        self.packages = Packages(
            path, [self._locked(table, *source) for table, source in zip(self.tables, self.sources, strict=True)]
        )
        self.never: list[str] = []

    def _locked(self, table: Table, kind: str, where: str) -> Exact:
        folder = where or "." if kind in _HERE else None
        return locked(table, f"{kind} {where}".strip(), folder)

    def asks(self, index: int) -> Iterator[Ask[int]]:
        """List what a package needs."""
        table = self.tables[index]
        yield from self._listed(index, table, "dependencies")
        extras = table.at("optional-dependencies")
        for extra in extras.content:
            yield from self._listed(index, extras, extra, group=normalised(extra))
        for key in ("dev-dependencies", "dependency-groups"):
            groups = table.at(key)
            for group in groups.content:
                yield from self._listed(index, groups, group, kind=kind_of_group(group))

    def _listed(self, index: int, table: Table, key: str, kind: str = "normal", group: str = "") -> Iterator[Ask[int]]:
        for number, one in enumerate(typed(self.path, table.place(key), table.content.get(key, []), list)):
            entry = Table(
                self.path, typed(self.path, f"{table.place(key)}[{number}]", one, dict), f"{table.place(key)}[{number}]"
            )
            marker = entry.get("marker", str) or ""
            extras = entry.content.get("extra", entry.content.get("extras", []))
            asked = [extras] if isinstance(extras, str) else text_list(self.path, entry.place("extra"), extras)
            for target in self._targets(entry):
                if marker and not can_hold(parsed_marker(marker), self.requires_python):
                    self.never.append(f"{self.packages.all[index]} needs {self.packages.all[target]} where {marker}")
                    continue
                yield Ask(index, target, kind, group, tuple(map(normalised, asked)))

    def _targets(self, entry: Table) -> list[int]:
        """Find what a dependency means: the lock says no more than it must to tell packages of one name apart."""
        name = normalised(entry.get("name", str) or "")
        version = entry.get("version", str)
        source = _source(entry, entry.content["source"]) if "source" in entry.content else None
        targets = [
            index
            for index in self.packages.named(name)
            if (version is None or self.packages.all[index].version == version)
            and (source is None or self.sources[index] == source)
        ]
        if not targets:
            told = f"{name} {version}" if version is not None else name
            raise ReadError(
                self.path, None, f"{entry.where} needs {described(told)}, which is nowhere in the lock; run `uv lock`"
            )
        return targets


def _source(table: Table, told: Any) -> tuple[str, str]:
    """Give the kind of a source and where that is: a table, or in old locks text such as ``editable+.``."""
    if told is None:
        return "", ""
    if isinstance(told, str):
        kind, _, where = told.partition("+")
        return kind, where
    for kind, where in typed(table.path, table.place("source"), told, dict).items():
        return kind, where if isinstance(where, str) else ""
    return "", ""
