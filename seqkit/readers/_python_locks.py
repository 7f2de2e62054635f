"""What the lock files of Python have in common: packages by name, of which there may be several.

>>> packages = Packages("uv.lock", [Exact("a", "1.0"), Exact("a", "2.0"), Exact("b", "1.0")])
>>> packages.named("a"), packages.named("c")
([0, 1], [])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._asked import Ask, answered
from seqkit.readers._exact_ids import Exact, Ids, exact_ids, graph_of_exact, tell_exact
from seqkit.readers._files import PathLike
from seqkit.readers._gathered import Gathered
from seqkit.readers._python_tools import Table
from seqkit.readers._requirements import normalised

__all__ = ["Packages", "is_called", "locked"]


def locked(table: Table, source: str, folder: str | None, **known: Any) -> Exact:
    """Read a package's name, normalised, and version; `folder` is where it lies, if it is taken from one."""
    name = table.get("name", str)
    if not name:
        raise ReadError(table.path, None, f"{table.where} has no name")
    return Exact(normalised(name), table.get("version", str), source, {"ecosystem": "pypi", "path": folder, **known})


class Packages:
    """The packages of a lock, whose names are normalised."""

    def __init__(self, path: PathLike, packages: Sequence[Exact]) -> None:
        self.path = path
        self.all = packages
        self._by_name: dict[str, list[int]] = {}
        for index, package in enumerate(packages):
            self._by_name.setdefault(package.name, []).append(index)

    def named(self, name: str, fits: Callable[[Exact], bool] = lambda package: True) -> list[int]:
        """List packages of a (normalised) name, by their places."""
        return [index for index in self._by_name.get(name, ()) if fits(self.all[index])]

    def to_graph(
        self,
        format: str,
        asks: Sequence[Ask[int]],
        ids: Ids,
        kinds: Kinds,
        cycles: Cycles,
        tell: Callable[[Gathered, Sequence[str]], None],
    ) -> RepoDependencyGraph:
        """Build the graph; `asks` are between places, `tell` says what else there is to say, given the ids by place."""

        def gathered(ids: Ids) -> Gathered:
            found = Gathered(self.path, format)
            names = exact_ids(self.all, ids)
            tell_exact(found, self.all, names)
            for dependent, dependency, kind in answered(asks):
                if names[dependent] != names[dependency]:
                    found.needs(names[dependent], names[dependency], kind)
            tell(found, names)
            return found

        return graph_of_exact(gathered, ids, kinds, cycles)


def is_called(path: PathLike, *names: str) -> bool:
    """Tell whether a file has one of these names."""
    return os.path.basename(os.fspath(path)).lower() in names
