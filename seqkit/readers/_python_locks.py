"""What the lock files of Python have in common: packages by name, of which there may be several, and what ids they get.

>>> locked = [Locked("a", "1.0", "pypi"), Locked("a", "2.0", "pypi"), Locked("b", "1.0", "pypi")]
>>> Packages("uv.lock", locked).ids("name@version"), Packages("uv.lock", locked).ids("name")
(['a@1.0', 'a@2.0', 'b@1.0'], ['a', 'a', 'b'])
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from seqkit._util.secrets import as_given, shown
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import DependencyCycle
from seqkit.readers._asked import Ask, answered
from seqkit.readers._files import PathLike
from seqkit.readers._gathered import Gathered

__all__ = ["Ids", "Locked", "Packages", "check_options", "is_called"]

Ids: TypeAlias = Literal["name@version", "name"]

_IDS = ("name@version", "name")


@dataclass(slots=True)
class Locked:
    """A package of a lock."""

    name: str
    """Normalised."""
    version: str | None
    source: str = ""
    """Where it is taken from, in a word or two that tell it from others of its name and version."""
    path: str | None = None
    """Its folder, where it is taken from one."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """What else is known."""

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


def check_options(ids: str, kinds: Kinds, cycles: Cycles) -> None:
    """Refuse options that are none.

    Raises
    ------
    ValueError, TypeError
        Naming the option.
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    if ids not in _IDS:
        raise ValueError(f"ids is {as_given(ids, 200)}, expected one of {_IDS}")


class Packages:
    """The packages of a lock."""

    def __init__(self, path: PathLike, packages: Sequence[Locked]) -> None:
        self.path = path
        self.all = packages
        self._by_name: dict[str, list[int]] = {}
        for index, package in enumerate(packages):
            self._by_name.setdefault(package.name, []).append(index)

    def named(self, name: str, fits: Callable[[Locked], bool] = lambda package: True) -> list[int]:
        """List packages of a (normalised) name, by their places."""
        return [index for index in self._by_name.get(name, ()) if fits(self.all[index])]

    def ids(self, ids: Ids) -> list[str]:
        """Say what each is called; where two would collide, where it is taken from stands behind, or a number."""
        if ids == "name":
            return [package.name for package in self.all]
        shared = Counter(map(str, self.all))
        taken: set[str] = set()
        told = []
        for package in self.all:
            name = str(package)
            if shared[name] > 1 and package.source:
                name = f"{name} ({shown(package.source)})"
            number, first = 1, name
            while name in taken:
                number += 1
                name = f"{first} #{number}"
            taken.add(name)
            told.append(name)
        return told

    def to_graph(
        self,
        format: str,
        asks: Sequence[Ask[int]],
        ids: Ids,
        kinds: Kinds,
        cycles: Cycles,
        tell: Callable[[Gathered, Sequence[str]], None] = lambda found, names: None,
    ) -> RepoDependencyGraph:
        """Build the graph; `asks` are between places, `tell` says what else there is to say, given the ids by place."""
        try:
            return self._found(format, asks, ids, tell).to_graph(kinds, cycles)
        except DependencyCycle as cycle:
            if ids == "name" and self._found(format, asks, "name@version", tell).is_acyclic(kinds):
                also = f'{cycle.also}. Versions kept apart have none: read_graph(…, ids="name@version")'
                raise DependencyCycle(cycle.repos, cycle.components, cycle.way_out, also) from None
            raise

    def _found(
        self, format: str, asks: Sequence[Ask[int]], ids: Ids, tell: Callable[[Gathered, Sequence[str]], None]
    ) -> Gathered:
        found = Gathered(self.path, format)
        names = self.ids(ids)
        versions: dict[str, set[str]] = {}
        for name, package in zip(names, self.all, strict=True):
            if package.version is not None:
                versions.setdefault(name, set()).add(package.version)
            found.package(name, ecosystem="pypi", path=package.path, **package.attributes)
            found.package(name, version=" + ".join(sorted(versions.get(name, ()))) or None)
        for dependent, dependency, kind in answered(asks):
            if names[dependent] != names[dependency]:
                found.needs(names[dependent], names[dependency], kind)
        tell(found, names)
        return found


def is_called(path: PathLike, *names: str) -> bool:
    """Tell whether a file has one of these names."""
    return os.path.basename(os.fspath(path)).lower() in names
