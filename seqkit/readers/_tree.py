r"""A folder that is read: its files by their paths from the top, and never anything outside.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     for place in ("packages/a", "packages/b", "packages/b/node_modules/c"):
...         pathlib.Path(folder, place).mkdir(parents=True)
...         _ = pathlib.Path(folder, place, "package.json").write_text("{}")
...     tree = Tree(folder)
...     tree.holding("package.json"), tree.has("packages/a/package.json"), tree.folders("packages")
(['packages/a', 'packages/b'], True, ['packages/a', 'packages/b'])
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from seqkit.errors import ReadError
from seqkit.readers._files import Opened, PathLike

__all__ = ["Tree", "joined"]

NOT_LOOKED_INTO = frozenset(
    ("node_modules", "__pycache__", "site-packages", "target", "bower_components", "jspm_packages", "vendor", "venv")
)
"""Folders that hold what others made, or what was built; nor are those looked into whose names begin with a dot."""

_MOST_FOLDERS = 100_000
_MOST_ENTRIES = 2_000_000
_DEEPEST = 40


def joined(folder: str, path: str) -> str | None:
    """Give a path from the top, of one that is told from a folder; None where it leads out of the top.

    Examples
    --------
    >>> joined("packages/a", "../b"), joined("", "./lib/"), joined("a", "../../x"), joined("a", "/etc")
    ('packages/b', 'lib', None, None)
    """
    path = path.replace("\\", "/")
    if path.startswith("/") or path[1:2] == ":":
        return None
    place = posixpath.normpath(posixpath.join(folder, path))
    if place == ".." or place.startswith("../"):
        return None
    return "" if place == "." else place


class Tree:
    """The files below a folder.

    Paths are text with ``/`` from the top, which is ``""``. Symbolic links are followed where they lead to a place
    below the top, and to each place once; others are passed over and stand in `strangers`.

    Parameters
    ----------
    top : str or pathlib.Path
        A folder.

    Attributes
    ----------
    strangers : dict of str to None
        Links that lead out of the folder, or nowhere, or to where was looked already, in the order in which they were
        met.
    kept : dict of str to object
        What readers know of the tree as a whole, by the name of the reader, so that it is found out once.
    """

    def __init__(self, top: PathLike) -> None:
        self.top = os.fspath(top)
        self._real = os.path.realpath(self.top)
        self.strangers: dict[str, None] = {}
        self.kept: dict[str, object] = {}
        self._opened: dict[str, Opened] = {}

    def path(self, place: str) -> str:
        """Give the path of a file as the operating system knows it."""
        return os.path.join(self.top, *place.split("/")) if place else self.top

    def has(self, place: str) -> bool:
        """Tell whether there is a file, in the tree."""
        path = self.path(place)
        return os.path.isfile(path) and self._is_inside(path)

    def has_folder(self, place: str) -> bool:
        """Tell whether there is a folder, in the tree."""
        path = self.path(place)
        return os.path.isdir(path) and self._is_inside(path) and not _leads_up(path)

    def open(self, place: str) -> Opened:
        """Give a file to be read; twice the same is read once.

        Raises
        ------
        ReadError
            Where it lies outside. What else is wrong is told when it is read.
        """
        if place not in self._opened:
            path = self.path(place)
            if not self._is_inside(path):
                raise ReadError(path, None, "is a link that leads out of the folder, expected a file in it")
            self._opened[place] = Opened(path)
        return self._opened[place]

    def folders(self, place: str = "", passed_over: Collection[str] = NOT_LOOKED_INTO) -> list[str]:
        """List the folders in a folder that are looked into, sorted."""
        found = []
        for entry in self._entries(place):
            if entry.name.startswith(".") or entry.name in passed_over:
                continue
            here = f"{place}/{entry.name}" if place else entry.name
            try:
                if not entry.is_dir():
                    continue
            except OSError:
                continue
            if entry.is_symlink() and (not self._is_inside(entry.path) or _leads_up(entry.path)):
                self._stranger(here)
            else:
                found.append(here)
        return sorted(found)

    def apart(self, places: Iterable[str]) -> list[str]:
        """Give places without links to others among them."""
        real = {place: os.path.realpath(self.path(place)) for place in places}
        own = {end: place for place, end in real.items() if not os.path.islink(self.path(place))}
        kept = []
        for place, end in real.items():
            if own.setdefault(end, place) == place:
                kept.append(place)
            else:
                self._stranger(place)
        return kept

    def walk(self) -> list[str]:
        """List all folders that are looked into, the top first, each before what is in it.

        Raises
        ------
        ReadError
            Where there are more than anybody's sources have.
        """
        return self._walked

    @cached_property
    def _walked(self) -> list[str]:
        found, seen = [""], {self._real}
        for place in found:  # it grows while it is read
            if place.count("/") >= _DEEPEST:
                continue
            for below in self.folders(place):
                real = os.path.realpath(self.path(below))
                if real in seen:
                    self._stranger(below)
                    continue
                seen.add(real)
                found.append(below)
            if len(found) > _MOST_FOLDERS:
                raise ReadError(
                    self.top, None, f"has more than {_MOST_FOLDERS:,} folders, expected the sources of a few projects"
                )
        return sorted(found)

    def holding(self, name: str) -> list[str]:
        """List the folders that hold a file of this name."""
        return [place for place in self.walk() if self.has(f"{place}/{name}" if place else name)]

    def _entries(self, place: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(self.path(place)) as entries:
                for number, entry in enumerate(entries):
                    if number > _MOST_ENTRIES:
                        raise ReadError(self.path(place), None, f"has more than {_MOST_ENTRIES:,} entries")
                    yield entry
        except OSError as error:
            if not place:
                raise ReadError.opening(self.top, error) from None
            self._stranger(place)  # may not be looked into

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real == self._real or real.startswith(self._real.rstrip(os.sep) + os.sep)

    def _stranger(self, place: str) -> None:
        self.strangers[place] = None


def _leads_up(path: str) -> bool:
    """Tell whether a path is a link to a folder that it lies in, so that it goes round and round."""
    if not os.path.islink(path):
        return False
    real, home = os.path.realpath(path), os.path.realpath(os.path.dirname(path))
    return home == real or home.startswith(real.rstrip(os.sep) + os.sep)
