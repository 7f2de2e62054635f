"""Poetry's lock files, ``poetry.lock``, of Poetry 1 and 2."""

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
from seqkit.readers._files import Opened, PathLike, described, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._poetry_versions import meets, specifiers
from seqkit.readers._python_locks import Packages, is_called, locked
from seqkit.readers._python_tools import Table
from seqkit.readers._requirements import can_hold, normalised, parsed_marker

__all__ = ["is_poetry_lock", "read_poetry"]

_SIGN = re.compile(r"^content-hash\s*=", re.M)


def is_poetry_lock(file: Opened) -> bool:
    """Tell whether a file is one, by its name or by what stands at its end."""
    return is_called(file, "poetry.lock") or ("[metadata]" in file.text and _SIGN.search(file.text) is not None)


def read_poetry(
    path: PathLike, *, ids: Ids = "name@version", kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    """Read a lock of Poetry; every package in it is a repo, with its `version` and its `groups` as attributes.

    The package that the lock belongs to does not stand in it, and so is no repo; nor do its groups make kinds: they say
    for what a package is locked, not why one locked package needs another. The lock holds for all machines at once: a
    dependency under a marker counts unless the marker can never hold. Of a package with several versions those are
    meant that meet the constraint. A dependency that is optional stands in the lock where somebody asked for it, and
    is one like any other; where what it needs is not locked, it is left out and counted.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``poetry.lock``.
    ids : {"name@version", "name"}
        As in :func:`seqkit.readers.uv_lock.read_uv`.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. All are ``normal``.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is no such lock.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    check_options(ids, kinds, cycles)
    document = Table(path, load_toml(path))
    listed = document.content.get("package", [])
    if not isinstance(listed, list) or ("metadata" not in document.content and not listed):
        raise ReadError(
            path, None, "has no packages and no metadata, expected a poetry.lock as `poetry lock` writes it"
        )
    tables = [
        Table(path, typed(path, f"package[{number}]", content, dict), f"package[{number}]")
        for number, content in enumerate(listed)
    ]
    packages = Packages(path, [_locked(table) for table in tables])
    python = document.at("metadata").content.get("python-versions")
    reading = _PoetryLock(packages, tables, specifiers(python) if isinstance(python, str) else "")
    asks = [ask for index in range(len(tables)) for ask in reading.asks(index)]
    return packages.to_graph("poetry", asks, ids, kinds, cycles, reading.tell)


def _locked(table: Table) -> Exact:
    source = table.at("source")
    kind, url = source.get("type", str) or "", source.get("url", str) or ""
    groups = table.content.get("groups", [table.content["category"]] if "category" in table.content else [])
    known: dict[str, Any] = {"groups": groups} if isinstance(groups, list) and groups else {}
    folder = url or "." if kind == "directory" else None
    return locked(table, f"{kind} {url}".strip(), folder, **known)


class _PoetryLock:
    """The dependencies, and what is said of those that do not count."""

    def __init__(self, packages: Packages, tables: Sequence[Table], python: str) -> None:
        self.packages = packages
        self.tables = tables
        self.python = python
        self.left_out: list[tuple[str, str]] = []
        self.guessed: list[str] = []

    def asks(self, index: int) -> Iterator[Ask[int]]:
        """List what a package needs."""
        table = self.tables[index].at("dependencies")
        who = self.packages.all[index]
        for name, told in table.content.items():
            for one in told if isinstance(told, list) else [told]:
                if not isinstance(one, str | dict):
                    where = table.place(name)
                    raise ReadError(table.path, None, f"{where} is {described(one)}, expected a version or a table")
                entry = Table(table.path, one if isinstance(one, dict) else {"version": one}, table.place(name))
                marker = entry.get("markers", str) or ""
                if marker and not can_hold(parsed_marker(marker), self.python):
                    what = "dependencies whose markers can never hold"
                    self.left_out.append((what, f"{who} needs {name} where {marker}"))
                    continue
                extras = tuple(map(normalised, entry.texts("extras")))
                for target in self._targets(who, name, entry):
                    yield Ask(index, target, extras=extras)

    def _targets(self, who: Exact, name: str, entry: Table) -> list[int]:
        all_of_name = self.packages.named(normalised(name))
        constraint = entry.get("version", str) or "*"
        if not all_of_name:
            optional = "optional " if entry.get("optional", bool) else ""
            what = f"{optional}dependencies on packages that are not locked"
            self.left_out.append((what, f"{who} needs {name} {constraint}"))
        if len(all_of_name) < 2:  # what is there once is what is meant
            return all_of_name
        targets = self.packages.named(normalised(name), lambda package: meets(package.version, constraint))
        if not targets:
            self.guessed.append(f"{who} needs {name} {constraint}")
        return targets or all_of_name

    def tell(self, found: Gathered, names: Sequence[str]) -> None:
        """Say what was left out and guessed."""
        for what, example in self.left_out:
            found.left_out(what, example)
        for example in self.guessed:
            found.guessed("dependencies that no locked version meets; all versions are taken", example)
