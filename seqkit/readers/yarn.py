"""yarn's lock files, ``yarn.lock``: the text of yarn 1, and the YAML of yarn 2 and newer (berry)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from seqkit._util.words import cut
from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._exact_ids import Exact, Ids, check_options, exact_ids, graph_of_exact, tell_exact
from seqkit.readers._files import Opened, PathLike, load_text, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._yarn_v1 import parse_v1

__all__ = ["is_yarn", "read_yarn"]

_V1 = re.compile(r"^# yarn lockfile v1\s*$", re.M)
_BERRY = re.compile(r"^__metadata:", re.M)
_DESCRIPTOR = re.compile(r"((?:@[^/@]+/)?[^/@]+)@(.*)", re.DOTALL)
_SECTIONS = {"dependencies": "normal", "optionalDependencies": "optional", "peerDependencies": "peer"}
_LOCAL = "0.0.0-use.local"  # what berry writes for packages of the workspace


def is_yarn(file: Opened) -> bool:
    """Tell whether a file is one, by its first lines."""
    head = file.text[: 2**12]
    return _V1.search(head) is not None or _BERRY.search(head) is not None


def read_yarn(
    path: PathLike, *, ids: Ids = "name@version", kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    r"""Read a lock of yarn; every package in it is a repo, with its `version` as attribute.

    What a package needs is written as a name and a range, and the lock says for which of these each entry was chosen.
    Where it does not, because the project's `resolutions` chose another, the only entry of the name is taken, and that
    is told. An alias (``npm:other@^1``) is the package that it stands for, and a copy that yarn has patched is the
    package that was patched. Which package a peer dependency finds is not in the lock: where there is one of that name
    alone, it is that; else it is left out and counted.

    Packages of the workspace are repos in locks of berry, called by their names, with their folder as `path`; what they
    need for development is not told from what they need. A lock of yarn 1 does not hold the project nor its workspace
    at all.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``yarn.lock``.
    ids : {"name@version", "name"}
        What a repo is called. ``"name"`` joins the versions of a package, sorted and joined by ``" + "`` in the
        attribute; those can form cycles that the versions do not have.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"optional"`` and ``"peer"``; ``"all"``; None for all three.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Peer dependencies make cycles often.

    Raises
    ------
    ReadError
        Where the file is no such lock.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> text = '# yarn lockfile v1\n\na@^1:\n  version "1.2.0"\n  dependencies:\n    b "~2"\n\n'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "yarn.lock")
    ...     _ = file.write_text(text + 'b@~2:\n  version "2.0.1"\n')
    ...     read_yarn(file).edges
    [('b@2.0.1', 'a@1.2.0')]
    """
    check_options(ids, kinds, cycles)
    text = load_text(path)
    if _BERRY.search(text):
        entries = _of_berry(path)
    elif _V1.search(text[: 2**12]):
        entries = _of_v1(path, text)
    else:
        raise ReadError(path, None, "has neither `# yarn lockfile v1` nor `__metadata`, expected a yarn.lock")
    lock = _YarnLock(entries)

    def gathered(ids: Ids) -> Gathered:
        found = Gathered(path, "yarn")
        lock.tell(found, ids)
        return found

    return graph_of_exact(gathered, ids, kinds, cycles)


@dataclass(slots=True)
class _Entry:
    """A package as the lock has it."""

    exact: Exact
    descriptors: list[str]
    """The names and ranges that it was chosen for."""
    needs: list[tuple[str, str, str]] = field(default_factory=list)
    """Names, ranges and kinds."""


class _YarnLock:
    """The packages, and which of them is meant by a name and a range."""

    def __init__(self, entries: list[_Entry]) -> None:
        packages: dict[tuple[str, str | None, str], int] = {}
        self.entries: list[_Entry] = []
        self._by_descriptor: dict[str, int] = {}
        self._by_name: dict[str, dict[int, None]] = {}
        self._patched: dict[str, int] = {}
        self._root: int | None = None
        for entry in entries:
            exact = entry.exact
            key = exact.name, exact.version, exact.source
            index = packages.setdefault(key, len(self.entries))
            if index == len(self.entries):
                self.entries.append(_Entry(exact, []))
            self.entries[index].needs += entry.needs
            if exact.attributes.get("path") == ".":
                self._root = index
            for descriptor in entry.descriptors:
                self._by_descriptor.setdefault(descriptor, index)
                name = _split(descriptor)[0]
                self._by_name.setdefault(name, {})[index] = None
                if (patched := _patched(descriptor)) is not None:
                    self._patched.setdefault(patched, index)

    def tell(self, found: Gathered, ids: Ids) -> None:
        """Tell of packages and what they need."""
        exact = [entry.exact for entry in self.entries]
        names = exact_ids(exact, ids)
        tell_exact(found, exact, names)
        if self._root is not None:
            found.root = names[self._root]
        for who, entry in zip(names, self.entries, strict=True):
            for name, wants, kind in entry.needs:
                index = self._meant(name, wants, kind, who, found)
                if index is not None and (names[index] != who or ids == "name@version"):
                    found.needs(who, names[index], kind)

    def _meant(self, name: str, wants: str, kind: str, who: str, found: Gathered) -> int | None:
        asked = f"{who} needs {name} {wants}"
        of_name = list(self._by_name.get(name, ()))
        if kind == "peer":
            if len(of_name) == 1:
                return of_name[0]
            what = "of which the lock has several versions" if of_name else "that are not in the lock"
            found.left_out(f"peer dependencies on packages {what}", asked)
            return None
        for descriptor in (f"{name}@{wants}", f"{name}@npm:{wants}"):
            for chosen in (self._patched, self._by_descriptor):
                if descriptor in chosen:
                    return chosen[descriptor]
        if len(of_name) == 1:
            found.guessed("dependencies that no entry was chosen for; the only one of that name is taken", asked)
            return of_name[0]
        what = "of which several versions are there, none chosen for them" if of_name else "that are not in the lock"
        found.left_out(f"dependencies on packages {what}", asked)
        return None


def _split(descriptor: str) -> tuple[str, str]:
    told = _DESCRIPTOR.fullmatch(descriptor)
    return (told[1], told[2]) if told is not None else (descriptor, "")


def _patched(descriptor: str) -> str | None:
    """Give the descriptor of what yarn itself patches wherever it is asked for."""
    name, wants = _split(descriptor)
    inner, sign, patch = wants.removeprefix("patch:").partition("#")
    if not wants.startswith("patch:") or not sign or "builtin<" not in patch:
        return None
    return f"{name}@{_split(unquote(inner))[1]}"


def _name_of_alias(name: str, wants: str) -> str:
    """Give the name of the package that a range means, which is another where it is an alias."""
    inner = wants.removeprefix("npm:")
    told = _DESCRIPTOR.fullmatch(inner) if wants.startswith("npm:") else None
    return told[1] if told is not None else name


# ---------------------------------------------------------------------- yarn 1


def _of_v1(path: PathLike, text: str) -> list[_Entry]:
    entries = []
    for descriptors, told in parse_v1(path, text):
        place = f"the entry {cut(descriptors[0], 120)!r}"
        version = typed(path, f"{place}.version", told.get("version"), str)
        name, wants = _split(descriptors[0])
        entry = _Entry(Exact(_name_of_alias(name, wants), version, attributes={"ecosystem": "npm"}), [*descriptors])
        optional = typed(path, f"{place}.optionalDependencies", told.get("optionalDependencies", {}), dict)
        for section in ("dependencies", "optionalDependencies"):
            for other, range_ in typed(path, f"{place}.{section}", told.get(section, {}), dict).items():
                if section != "dependencies" or other not in optional:
                    entry.needs.append((other, range_, _SECTIONS[section]))
        entries.append(entry)
    return entries


# ---------------------------------------------------------------------- berry


def _of_berry(path: PathLike) -> list[_Entry]:
    documents = load_yaml(path)
    document = typed(path, "the document", documents[-1] if documents else "", dict)
    entries = []
    for key, value in document.items():
        descriptors = [one.strip() for one in typed(path, "a key", key, str).split(", ")]
        if key == "__metadata":
            typed(path, key, value, dict)
            continue
        place = f"the entry {cut(key, 120)!r}"
        told = typed(path, place, value, dict)
        version = typed(path, f"{place}.version", told.get("version"), str)
        resolution = typed(path, f"{place}.resolution", told.get("resolution", descriptors[0]), str)
        name, locator = _split(resolution)
        protocol, _, rest = locator.partition(":")
        known: dict[str, Any] = {"ecosystem": "npm"}
        if protocol == "workspace":
            known["path"] = rest or "."
        is_plain = protocol in ("npm", "patch", "workspace")
        exact = Exact(name, None if version == _LOCAL else version, "" if is_plain else locator, known)
        entries.append(_Entry(exact, descriptors, list(_needs(path, place, told))))
    return entries


def _needs(path: PathLike, place: str, told: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    meta = typed(path, f"{place}.dependenciesMeta", told.get("dependenciesMeta") or {}, dict)
    for section, kind in _SECTIONS.items():
        for name, wants in typed(path, f"{place}.{section}", told.get(section) or {}, dict).items():
            typed(path, f"{place}.{section}[{cut(name, 120)!r}]", wants, str)
            said = meta.get(name)
            is_optional = isinstance(said, dict) and said.get("optional") == "true"
            yield name, wants, "optional" if is_optional and kind == "normal" else kind
