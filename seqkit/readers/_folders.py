"""The folders of an npm lock as a tree: what a name means in each, and who carries a shrinkwrap.

A location may be hundreds of folders deep, and each of those may have a ``node_modules``. So nobody walks up from a
location: one walk down the tree keeps at hand what every name means where it stands. Linear in the lock.

>>> table = {"": {"dependencies": {"a": "1"}}, "node_modules/a": {"dependencies": {"b": "1"}}, "node_modules/b": {}}
>>> folders = Folders(table, ["dependencies"])
>>> folders.found("", "a"), folders.found("node_modules/a", "b"), folders.found("node_modules/b", "a")
('node_modules/a', 'node_modules/b', None)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["Folders"]

_MODULES = "node_modules"


class Folders:
    """The locations of a lock, folder below folder.

    Parameters
    ----------
    table : mapping
        Location → entry.
    sections : collection of str
        The keys of an entry whose keys are names that it looks up.
    """

    def __init__(self, table: Mapping[str, Mapping[str, Any]], sections: Collection[str]) -> None:
        self._parts = [""]  # per folder: the last part of its path; the first is the folder of the lock
        self._above = [-1]
        self._homes = [-1]  # the folder in whose node_modules it lies, at any depth
        self._within: dict[tuple[int, str], int] = {}
        self._place = {location: self._added(location) for location in table}
        self._own: dict[tuple[int, str], str] = {}  # (folder, name) → what lies in its node_modules
        for location in table:
            self._own.update((at, location) for at in self._bound(location))
        self._found = self._look_up(table, sections)
        self._sealed: list[bool] = []
        located = {place: location for location, place in self._place.items()}
        for folder, home in enumerate(self._homes):  # a home comes before all that is in it
            entry = table[located[folder]] if folder in located else {}
            self._sealed.append(home >= 0 and (bool(entry.get("hasShrinkwrap")) or self._sealed[home]))

    def _added(self, location: str) -> int:
        here = 0
        if location:
            for part in location.split("/"):
                below = self._within.get((here, part))
                if below is None:
                    below = self._within[here, part] = len(self._parts)
                    self._homes.append(self._above[here] if self._parts[here] == _MODULES else self._homes[here])
                    self._parts.append(part)
                    self._above.append(here)
                here = below
        return here

    def _bound(self, location: str) -> Iterator[tuple[int, str]]:
        """Give the folder whose ``node_modules`` a location lies in, and the name that it has there."""
        home = self._homes[self._place[location]]
        # A node_modules folder is not looked into as a folder of its own: node_modules/node_modules is no place.
        if home >= 0 and self._parts[home] != _MODULES:
            yield home, f"/{location}".rpartition(f"/{_MODULES}/")[2]

    def _is_last(self, folder: int) -> bool:
        """Tell whether Node looks no further up than here.

        Above ".." lies not the folder of the lock but the one above that, which no lock describes; and above "/lib"
        or "C:" the root of a disk.
        """
        part, above = self._parts[folder], self._above[folder]
        at_root = above > 0 and self._above[above] == 0 and self._parts[above] == ""
        return above < 0 or part == ".." or part.endswith(":") or at_root

    def _look_up(self, table: Mapping[str, Mapping[str, Any]], sections: Collection[str]) -> dict[tuple[str, str], str]:
        below: list[list[int]] = [[] for _ in self._parts]
        for folder, above in enumerate(self._above[1:], 1):
            below[above].append(folder)
        names: list[list[str]] = [[] for _ in self._parts]
        for folder, name in self._own:
            names[folder].append(name)
        located = {place: location for location, place in self._place.items()}
        meant: dict[str, list[tuple[int, str]]] = {}  # name → where it lies, outermost first, each with its depth
        found: dict[tuple[str, str], str] = {}
        path: list[int] = []  # of each folder that we are in: the depth of the outermost one that is looked into
        todo = [(0, False)]
        while todo:
            folder, done = todo.pop()
            if done:
                path.pop()
                for name in names[folder]:
                    meant[name].pop()
                continue
            path.append(len(path) if self._is_last(folder) else path[-1])
            for name in names[folder]:
                meant.setdefault(name, []).append((len(path) - 1, self._own[folder, name]))
            if folder in located:
                location = located[folder]
                for name in _names(table[location], sections):
                    if (places := meant.get(name)) and places[-1][0] >= path[-1]:
                        found[location, name] = places[-1][1]
            todo.append((folder, True))
            todo += [(other, False) for other in below[folder]]
        return found

    def found(self, location: str, name: str) -> str | None:
        """Find what `name` means to the package at `location`, as Node does: in its folder, then further up."""
        return self._found.get((location, name))

    def inside(self, location: str, name: str) -> str | None:
        """Find what lies under `name` in the ``node_modules`` of `location` itself."""
        return self._own.get((self._place[location], name))

    def is_installed(self, location: str) -> bool:
        """Tell whether a package was put there by npm, and is no folder of somebody's own."""
        return self._homes[self._place[location]] >= 0

    def is_sealed(self, location: str) -> bool:
        """Tell whether a package, or one that it lies inside of, has a shrinkwrap that alone decides what there is."""
        return self._sealed[self._place[location]]


def _names(entry: Mapping[str, Any], sections: Collection[str]) -> Iterator[str]:
    for section in sections:
        wanted = entry.get(section)
        if isinstance(wanted, dict):
            yield from wanted
