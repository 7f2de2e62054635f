"""pnpm's lock files: ``pnpm-lock.yaml`` of lockfileVersion 5, 6 and 9.

The lock lists every package that is installed, once for each set of peers that it is installed with, and what it takes
for each of its dependencies. The three versions write the same thing with other keys: ``/a/1.0.0_b@2.0.0``,
``/a@1.0.0(b@2.0.0)``, ``a@1.0.0(b@2.0.0)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from seqkit._util.words import cut
from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._exact_ids import Ids, check_options
from seqkit.readers._files import PathLike, described, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._tree import joined

__all__ = ["read_pnpm"]

_SECTIONS = {"dependencies": "normal", "optionalDependencies": "optional", "devDependencies": "dev"}
_VERSIONS = ("5", "6", "7", "9")
_NAME_AND_VERSION = re.compile(r"/?((?:@[^/@]+/)?[^/@]+)@(.+)", re.DOTALL)


def read_pnpm(
    path: PathLike,
    *,
    ids: Ids = "name@version",
    kinds: Kinds = None,
    root: bool = False,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    r"""Read a pnpm lock; every installed package is a repo, with its `version` as attribute.

    The packages of the workspace (`importers`) are repos too. The lock does not tell what they are called, so they go
    by their folders (``packages/app``), which are their `path`. To order those alone read the folder of the workspace
    (:func:`seqkit.readers.js.read_js`). A package that is installed with several sets of peers is one repo, with the
    dependencies of all. Of several documents in the file the last locks the project; those before it lock pnpm itself
    and its configuration, and are counted.

    Parameters
    ----------
    path : str or pathlib.Path
        A lock of pnpm 3 or newer.
    ids : {"name@version", "name"}
        What a repo is called, as in :func:`seqkit.readers.npm.read_npm`.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"optional"`` (optional peers too), ``"peer"`` and ``"dev"``,
        which only packages of the workspace have; ``"all"``; None for all but dev. The repos are the same whichever
        are chosen.
    root : bool
        Whether the package in the folder of the lock is a repo too; it is called ``"."``.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Peer dependencies make cycles often.

    Raises
    ------
    ReadError
        Where the file is no such lock, or a package needs another that is not in the lock.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> needs = "{a@1.0.0: {dependencies: {b: 2.1.0}}, b@2.1.0: {}}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "pnpm-lock.yaml")
    ...     _ = file.write_text(f"lockfileVersion: '9.0'\nsnapshots: {needs}")
    ...     read_pnpm(file).edges
    [('b@2.1.0', 'a@1.0.0')]
    """
    check_options(ids, kinds, cycles)
    found = Gathered(path, "pnpm")
    lock = _Installed(path, found)
    repos: dict[str, str] = {}
    versions: dict[str, set[str]] = {}
    for key, (name, version) in lock.packages():
        repos[key] = name if ids == "name" or not version else f"{name}@{version}"
        versions.setdefault(repos[key], set()).update([version] if version else [])
    for repo, told in versions.items():
        found.package(repo, version=" + ".join(sorted(told)) or None, ecosystem="npm")
    for key, repo in repos.items():
        for kind, target in lock.needs(key):
            if repos[target] != repo:
                found.needs(repo, repos[target], kind)
    _tell_of_importers(lock, repos, root, found)
    return found.to_graph(kinds, cycles)


def _tell_of_importers(lock: _Installed, repos: Mapping[str, str], root: bool, found: Gathered) -> None:
    importers = {folder for folder in lock.importers if root or folder != "."}
    for folder in lock.importers:
        if folder not in importers:
            found.left_out("packages at the root, which root=True reads", folder)
            continue
        found.package(folder, path=folder, ecosystem="npm")
        for kind, target, is_link in lock.needs_of_importer(folder):
            if not is_link:
                found.needs(folder, repos[target], kind)
            elif target in importers:
                found.needs(folder, target, kind)
            else:
                found.left_out("links to folders that the lock does not hold", f"{folder} needs {target}")
    if "." in importers:
        found.root = "."


class _Installed:
    """The tables of a lock, checked where they are looked at."""

    def __init__(self, path: PathLike, found: Gathered) -> None:
        self.path = path
        documents = [typed(path, "the document", one, dict) for one in load_yaml(path) if one != ""]
        locks = [one for one in documents if "lockfileVersion" in one]
        if not locks:
            raise ReadError(path, None, "has no lockfileVersion, expected one: is it a pnpm-lock.yaml?")
        for _ in locks[:-1]:
            found.left_out("documents that lock pnpm itself and its configuration")
        lock = locks[-1]
        form = typed(path, "lockfileVersion", lock["lockfileVersion"], str)
        if form.partition(".")[0] not in _VERSIONS:
            raise ReadError(path, None, f"lockfileVersion is {described(form)}, expected 5, 6 or 9")
        self.has_slashes = form.startswith("5") and not form.endswith("-inlineSpecifiers")
        self._facts = self._table("packages", lock.get("packages"))
        self._table_of_needs = self._table("snapshots", lock["snapshots"]) if "snapshots" in lock else self._facts
        told = lock.get("importers")
        self.importers = self._table("importers", told) if told else {".": lock}

    def _table(self, where: str, told: object) -> dict[str, dict[str, Any]]:
        """Check a table of tables; what is empty is written as nothing."""
        table = typed(self.path, where, told or {}, dict)
        return {
            typed(self.path, f"a key of {where}", key, str): typed(self.path, _place(where, key), entry or {}, dict)
            for key, entry in table.items()
        }

    def packages(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """List the keys of what is installed, each with its name and version."""
        for key, entry in self._table_of_needs.items():
            facts = self._facts_of(key) if entry is not self._facts.get(key) else entry
            name, version = self._name_and_version(key)
            told_name, told_version = (facts.get(word) for word in ("name", "version"))
            if told_name:
                name = typed(self.path, f"{_place('packages', key)}.name", told_name, str)
            if told_version:
                version = typed(self.path, f"{_place('packages', key)}.version", told_version, str)
            yield key, (name, version)

    def _facts_of(self, key: str) -> dict[str, Any]:
        return self._facts.get(key) or self._facts.get(key.partition("(")[0]) or {}

    def _name_and_version(self, key: str) -> tuple[str, str]:
        if not self.has_slashes:
            read = _NAME_AND_VERSION.fullmatch(key.partition("(")[0])
            return (read[1], read[2]) if read else (key, "")
        *scope, name, version = ["", *key.split("/")]
        if not name:
            return key, ""
        return (f"{scope[-1]}/{name}" if scope and scope[-1].startswith("@") else name), version.partition("_")[0]

    def needs(self, key: str) -> Iterator[tuple[str, str]]:
        """List the kinds of dependencies of a package, and the keys of what it takes for them."""
        facts, entry = self._facts_of(key), self._table_of_needs[key]
        peers = typed(
            self.path, f"{_place('packages', key)}.peerDependencies", facts.get("peerDependencies") or {}, dict
        )
        meta = facts.get("peerDependenciesMeta")
        for section in ("dependencies", "optionalDependencies"):
            for name, told in self._section(_place("packages", key), entry, section):
                kind = _SECTIONS[section]
                if name in peers:
                    more = meta.get(name) if isinstance(meta, dict) else None
                    kind = "optional" if isinstance(more, dict) and more.get("optional") == "true" else "peer"
                if not told.startswith("link:"):
                    yield kind, self._target(_place("packages", key), name, told)

    def needs_of_importer(self, folder: str) -> Iterator[tuple[str, str, bool]]:
        """List the kinds of dependencies of a package of the workspace, what it takes, and whether that is a folder."""
        place = _place("importers", folder)
        for section, kind in _SECTIONS.items():
            for name, told in self._section(place, self.importers[folder], section):
                if told.startswith("link:"):
                    linked = joined("" if folder == "." else folder, told[5:])
                    yield kind, told if linked is None else linked or ".", True
                else:
                    yield kind, self._target(place, name, told), False

    def _section(self, place: str, entry: Mapping[str, Any], section: str) -> Iterator[tuple[str, str]]:
        table = typed(self.path, f"{place}.{section}", entry.get(section) or {}, dict)
        for name, told in table.items():
            where = f"{place}.{section}[{cut(str(name), 120)!r}]"
            if isinstance(told, dict):  # with the specifier beside it, from version 6 on
                told = told.get("version")  # noqa: PLW2901
                where += ".version"
            yield typed(self.path, f"a key of {place}.{section}", name, str), typed(self.path, where, told, str)

    def _target(self, place: str, name: str, told: str) -> str:
        """Give the key of what stands behind a name: a version, or a key where it is called otherwise."""
        for key in (f"{name}@{told}", f"/{name}@{told}", f"/{name}/{told}", told, f"/{told}"):
            if key in self._table_of_needs:
                return key
        raise ReadError(
            self.path,
            None,
            f"{place} needs {described(name)} {described(told)}, which is nowhere in the lock; let "
            "`pnpm install --lockfile-only` write it anew",
        )


def _place(where: str, key: object) -> str:
    return f"{where}[{cut(str(key), 120)!r}]"
