r"""Patterns that name the folders of a workspace: ``packages/*``, ``libs/**``, ``!**/fixtures/**``, ``{apps,tools}/*``.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     for place in ("packages/a", "packages/b", "packages/b/test/c"):
...         pathlib.Path(folder, place).mkdir(parents=True)
...         _ = pathlib.Path(folder, place, "package.json").write_text("{}")
...     chosen(Tree(folder), "", ["packages/**", "!**/test/**"], ["package.json"]).folders
['packages/a', 'packages/b']
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from seqkit.errors import ReadError
from seqkit.readers._tree import Tree, joined

__all__ = ["Chosen", "chosen", "matches"]

_OTHERS = frozenset(("node_modules", "bower_components"))
_MOST_PATTERNS = 2_000  # with braces written out
_MOST_STEPS = 2_000_000
_MAGIC = re.compile(r"[*?\[(]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_GROUP = re.compile(r"([@?+*])\(([^()]*)\)")
_NOT = re.compile(r"([^()]*)!\(([^()]*)\)([^()]*)")


@dataclass
class Chosen:
    """What patterns name."""

    folders: list[str] = field(default_factory=list)
    """Folders that hold one of the files, in the order of the patterns."""
    idle: list[str] = field(default_factory=list)
    """Patterns that name no such folder."""
    outside: list[str] = field(default_factory=list)
    """Patterns that lead out of what is read."""


def chosen(tree: Tree, top: str, patterns: Sequence[str], files: Sequence[str]) -> Chosen:
    """List the folders that patterns name and that hold one of some files.

    Those in ``node_modules`` are never meant. A pattern with ``!`` takes away what it names, wherever it stands in the
    list; one that comes later and lies itself in what was taken away brings that back, as in npm.

    Parameters
    ----------
    tree : Tree
        Where to look; what leads out of it is not followed.
    top : str
        The folder that the patterns start from.
    patterns : sequence of str
        With ``*``, ``?``, ``[…]``, ``**`` for any number of folders, ``{a,b}`` and ``!(a|b)``.
    files : sequence of str
        Names of files.

    Raises
    ------
    ReadError
        Where the patterns stand for too many.
    """
    found = Chosen()
    wanted: list[tuple[str, str]] = []
    unwanted: list[str] = []
    for pattern in patterns:
        bare = pattern.strip().lstrip("!")
        if bare.startswith("("):
            bare = "!" + bare
        is_negative = (len(pattern.strip()) - len(bare)) % 2 == 1
        for written in _without_braces(tree, bare):
            place = joined(top, written.lstrip("/") if written.strip("/") else written)
            if place is None:
                found.outside.append(pattern)
            elif is_negative:
                unwanted.append(place)
            else:
                unwanted = [negative for negative in unwanted if not matches(negative, place)]
                wanted.append((pattern, place))
        if len(wanted) + len(unwanted) > _MOST_PATTERNS:
            raise ReadError(tree.path(top), None, f"has more than {_MOST_PATTERNS:,} patterns for its packages")
    finder = _Finder(tree)
    folders: dict[str, None] = {}
    busy: set[str] = set()
    for pattern, place in wanted:
        for folder in finder.folders(place):
            if folder == top != place:
                continue  # below the top there may be anything, but the top itself is not meant
            if any(tree.has(f"{folder}/{name}" if folder else name) for name in files):
                busy.add(pattern)
                if not any(matches(negative, folder) for negative in unwanted):
                    folders[folder] = None
    found.folders = list(folders)
    found.idle = [pattern for pattern in dict.fromkeys(pattern for pattern, _ in wanted) if pattern not in busy]
    return found


def matches(pattern: str, place: str) -> bool:
    """Tell whether a pattern names a path; ``**`` stands for any number of folders, at the end for none too.

    Examples
    --------
    >>> matches("packages/*", "packages/a"), matches("packages/*", "packages/a/b"), matches("**/test/**", "a/test")
    (True, False, True)
    """
    segments = _segments(pattern)
    at = _on(segments, {0})
    for name in _split(place):
        here: set[int] = set()
        for index in at:
            if index < len(segments):
                if segments[index] == "**":
                    here.add(index)
                elif _fits(segments[index])(name):
                    here.add(index + 1)
        at = _on(segments, here)
    return len(segments) in at


def _on(segments: Sequence[str], at: set[int]) -> set[int]:
    """Add the places in a pattern to which ``**`` may step for nothing."""
    for index in sorted(at):
        while index < len(segments) and segments[index] == "**":
            index += 1  # noqa: PLW2901  # a walk that starts there
            at.add(index)
    return at


class _Finder:
    """Folders by patterns, each folder listed once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._listed: dict[str, list[str]] = {}
        self._steps = 0

    def folders(self, pattern: str) -> list[str]:
        """List the folders that a pattern names, sorted."""
        segments = _segments(pattern)
        seen = {("", 0)}
        waiting = [("", 0)]
        found = set()
        while waiting:
            place, index = waiting.pop()
            if index == len(segments):
                found.add(place)
                continue
            for step in self._next(place, segments[index], index):
                if step not in seen:
                    seen.add(step)
                    waiting.append(step)
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise ReadError(self._tree.top, None, f"has patterns that lead to more than {_MOST_STEPS:,} places")
        return sorted(found)

    def _next(self, place: str, segment: str, index: int) -> Iterator[tuple[str, int]]:
        if segment == "**":
            yield place, index + 1
            for below in self._below(place):
                if not os.path.islink(self._tree.path(below)):  # or it might go round and round
                    yield below, index
        elif not _MAGIC.search(segment):
            below = f"{place}/{segment}" if place else segment
            if segment not in _OTHERS and self._tree.has_folder(below):
                yield below, index + 1
        else:
            fits = _fits(segment)
            for below in self._below(place):
                if fits(below.rpartition("/")[2]):
                    yield below, index + 1

    def _below(self, place: str) -> list[str]:
        if place not in self._listed:
            self._listed[place] = self._tree.folders(place, passed_over=_OTHERS)
        return self._listed[place]


def _split(place: str) -> list[str]:
    return [name for name in place.split("/") if name]


def _segments(pattern: str) -> list[str]:
    """Split a pattern; several ``**`` in a row are one."""
    segments: list[str] = []
    for segment in _split(pattern):
        if segment != "**" or segments[-1:] != ["**"]:
            segments.append(segment)
    return segments


@lru_cache(maxsize=4096)
def _fits(segment: str) -> Callable[[str], bool]:
    """Give the test whether a name of a folder is what a part of a pattern says."""
    if not _MAGIC.search(segment):
        return segment.__eq__
    if exception := _NOT.fullmatch(segment):
        before, without, after = exception.groups()
        rule = _fits(f"{before}*{after}")
        exceptions = [_fits(f"{before}{one}{after}") for one in without.split("|")]
        return lambda name: rule(name) and not any(fits(name) for fits in exceptions)
    # fnmatch's expressions do not try a star again once what follows it was found, so that none takes long.
    fits = re.compile(fnmatch.translate(segment.replace("[^", "[!"))).match
    return lambda name: fits(name) is not None


def _without_braces(tree: Tree, pattern: str) -> list[str]:
    """Write out ``{a,b}``, and ``@(a|b)`` and its like, which are nearly the same."""
    waiting, done = [_GROUP.sub(_as_braces, pattern)], []
    while waiting:
        pattern = waiting.pop()
        braces = _BRACES.search(pattern)
        if braces is None:
            done.append(pattern)
        else:
            start, end = pattern[: braces.start()], pattern[braces.end() :]
            waiting += [f"{start}{one}{end}" for one in reversed(braces[1].split(","))]
        if len(waiting) + len(done) > _MOST_PATTERNS:
            raise ReadError(tree.top, None, f"has a pattern for its packages that stands for over {_MOST_PATTERNS:,}")
    return done


def _as_braces(group: re.Match[str]) -> str:
    some = group[2].replace("|", ",")
    return f"{{{',' if group[1] in '?*' else ''}{some}}}" if "," in some or group[1] in "?*" else some
