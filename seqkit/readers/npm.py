"""npm's lock files: ``package-lock.json`` and ``npm-shrinkwrap.json``, lockfileVersion 2 and 3.

The lock lists what is installed, folder by folder. What a package means by ``semver`` depends
on where the package lies: Node looks into the ``node_modules`` beside it, then into those of the
folders above, and takes the first it finds. The reader walks the same way.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from seqkit._util.words import cut
from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._exact_ids import Ids, check_options, graph_of_exact
from seqkit.readers._files import PathLike, described, load_json, text_list, typed
from seqkit.readers._folders import Folders
from seqkit.readers._gathered import Gathered

__all__ = ["read_npm"]

_SECTIONS = {
    "normal": "dependencies",
    "optional": "optionalDependencies",
    "peer": "peerDependencies",
    "dev": "devDependencies",
}
_STORE = re.compile(r"(^|/)node_modules/\.[^/]+(/[^/]+)?$")  # folders that npm keeps packages in, such as .store/a@1-X


def read_npm(
    path: PathLike,
    *,
    ids: Ids = "name@version",
    kinds: Kinds = None,
    root: bool = False,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a lock file; every installed package is a repo, with its `version` as attribute.

    Copies of one package in several folders are one repo, whose dependencies are those of all
    copies. Workspaces and linked folders are repos like any other; the links to them are not. A
    package that names itself as a dependency does not wait for itself.

    npm leaves out of a lock what somebody else answers for, and so there is no edge: what a package
    bundles, where npm did not unpack it (it is made for another platform), and what a folder beside
    this one (``file:../lib``) needs, which is locked there. The root does not need its workspaces
    unless it says so.

    Parameters
    ----------
    path : str or pathlib.Path
        A lock of lockfileVersion 2 or 3 (npm 7 and newer): ``package-lock.json``,
        ``npm-shrinkwrap.json``, or ``node_modules/.package-lock.json``, which does not tell the root.
    ids : {"name@version", "name"}
        What a repo is called. A lock often holds several versions of one package, which need
        different things; only ``"name@version"``, the default, keeps them apart (a package
        without a version goes by its name). ``"name"`` joins them, their versions sorted and joined
        by ``" + "`` in the attribute; that can close cycles that the lock does not have.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"optional"``, ``"peer"`` and ``"dev"``; ``"all"``; None for
        all but dev. ``"dev"`` is for workspaces and the root: installed packages have none. The repos are the same
        whichever are chosen. Optional and peer dependencies that are not installed are passed over.
    root : bool
        Whether the package that the lock belongs to is a repo too.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Peer dependencies make cycles often.

    Raises
    ------
    ReadError
        Where the file is no such lock, or a package needs another that is not in the lock.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.

    Warns
    -----
    SimilarIds
        Where ids differ only in case, outer blanks or Unicode form.
    """
    check_options(ids, kinds, cycles)
    chosen = chosen_kinds(kinds)
    lock = _Lock(load_json(path), path)
    exact = {location: lock.name_and_version(location) for location in lock.folders(root)}

    def gathered(ids: Ids) -> Gathered:
        repo_of = exact if ids == "name@version" else {location: lock.name(location) for location in exact}
        return _found(lock, path, repo_of, chosen)

    return graph_of_exact(gathered, ids, chosen, cycles)


def _found(lock: _Lock, path: PathLike, repo_of: Mapping[str, str], kinds: Collection[str]) -> Gathered:
    """Tell of the packages of a lock, called as `repo_of` says, by location."""
    found = Gathered(path, "npm")
    versions: dict[str, set[str]] = {repo: set() for repo in repo_of.values()}
    for location, repo in repo_of.items():
        version = lock.version(location)
        if version is not None:
            versions[repo].add(version)
    for repo, known in versions.items():
        found.package(repo, version=" + ".join(sorted(known)) if known else None)
    for location, repo in repo_of.items():
        for kind, target in lock.needs(location, kinds):
            needed = repo_of.get(target)  # None: the root, left out
            if needed is not None and needed != repo:
                found.needs(repo, needed, kind)
    return found


class _Lock:
    """The table of packages, checked where it is looked at."""

    def __init__(self, document: object, path: PathLike) -> None:
        self.path = path
        lock = typed(path, "the document", document, dict)
        form = lock.get("lockfileVersion")
        # In Python True is an int and 3.0 equals 3; a lock says neither.
        if type(form) is int and form == 1:
            raise ReadError(
                path,
                None,
                "lockfileVersion is 1, expected 2 or 3: it was written by npm 6 or older and does not say what lies "
                "where; run `npm install --package-lock-only` with npm 7 or newer and read the lock again",
            )
        if type(form) is not int or form not in (2, 3):
            found = "missing" if "lockfileVersion" not in lock else described(form)
            raise ReadError(path, None, f"lockfileVersion is {found}, expected 2 or 3: is it a package-lock.json?")
        if "packages" not in lock:
            raise ReadError(path, None, "has no table `packages`, which a lock of version 2 or 3 must have")
        self.table: dict[str, dict[str, Any]] = typed(path, "packages", lock["packages"], dict)
        for location, entry in self.table.items():
            typed(path, "a key of packages", location, str)
            typed(path, _place(location), entry, dict)
        self.head = lock
        self.tree = Folders(self.table, _SECTIONS.values())
        self._targets: dict[str, str] = {}
        self._bundles: dict[str, frozenset[str]] = {}
        # What a package carries with it is listed below its folder, where npm has looked inside.
        self.unpacked = {location.rpartition("/node_modules/")[0] for location in self.table}

    def folders(self, root: bool) -> Iterator[str]:
        """List where packages lie: links point at such folders and are none themselves; npm's own are no packages."""
        for location in self.table:
            if root if location == "" else self.target(location) == location and not _STORE.search(location):
                yield location

    def target(self, location: str) -> str:
        """Give the folder that is meant: that which a link points at, else the location itself."""
        if location not in self._targets:
            self._targets[location] = self._target(location)
        return self._targets[location]

    def _target(self, location: str) -> str:
        entry = self.table[location]
        if not typed(self.path, f"{_place(location)}.link", entry.get("link", False), bool):
            return location
        told = typed(self.path, f"{_place(location)}.resolved", entry.get("resolved"), str)
        target = told if told in self.table else re.sub(r"^\.$", "", posixpath.normpath(told)) if told else ""
        # npm's own record of what is installed, node_modules/.package-lock.json, has no entry for the root.
        if target == "" or (target in self.table and not self.table[target].get("link", False)):
            return target
        if _outside(target):  # npm up to 10 took such a lock; the link is all that is known of the folder
            return location
        raise ReadError(
            self.path,
            None,
            f"{_place(location)} links to {described(told)}, which is no folder of the lock; delete the lock and let "
            "`npm install --package-lock-only` write it anew",
        )

    def text(self, location: str, key: str) -> str | None:
        value = self.table[location].get(key)
        return None if value is None else cast("str", typed(self.path, f"{_place(location)}.{key}", value, str))

    def version(self, location: str) -> str | None:
        version = self.text(location, "version")
        if version is None and location == "" and self.head.get("version") is not None:
            return cast("str", typed(self.path, "version", self.head["version"], str))
        return version

    def name(self, location: str) -> str:
        """Name a package: as it says itself, which aliases and renamed folders do, else as its folder."""
        name = self.text(location, "name")
        if name is None and location == "":
            name = typed(self.path, "name", self.head.get("name"), str)
        if name is None:
            *above, folder = location.rsplit("/", 2)
            scoped = above and above[-1].startswith("@")
            name = f"{above[-1]}/{folder}" if scoped else folder
        if not name:
            raise ReadError(self.path, None, f"{_place(location)} has no name")
        return name

    def name_and_version(self, location: str) -> str:
        name, version = self.name(location), self.version(location)
        return name if version is None else f"{name}@{version}"

    def needs(self, location: str, kinds: Collection[str]) -> Iterator[tuple[str, str]]:
        """List the kinds of dependencies of the package at `location`, and the folders that it finds them in."""
        place = _place(location)
        sections: dict[str, Mapping[str, str]] = {
            kind: typed(self.path, f"{place}.{key}", self.table[location].get(key, {}), dict)
            for kind, key in _SECTIONS.items()
        }
        carried, installed = self.carried(location, sections), self.tree.is_installed(location)
        for kind, section in sections.items():
            for name, wanted in section.items():
                typed(self.path, f"{place}.{_SECTIONS[kind]}[{described(name)}]", wanted, str)
                # npm's rule: a dependency that is also listed as optional is optional.
                if kind not in kinds or (kind == "normal" and name in sections["optional"]):
                    continue
                if kind == "dev" and installed:
                    continue
                if name in carried and kind != "peer":
                    if (inside := self.tree.inside(location, name)) is not None:
                        yield kind, self.target(inside)
                    continue
                found = self.tree.found(location, name)
                if found is not None:
                    yield kind, self.target(found)
                elif kind in ("normal", "dev") and not self.may_lack(location, name):
                    way_out = "run `npm install --package-lock-only` to complete it"
                    if "" not in self.table:  # which would write another file
                        way_out += ", and read package-lock.json: this one does not describe the whole project"
                    raise ReadError(
                        self.path, None, f"{place} needs {described(name)}, which is nowhere in the lock; {way_out}"
                    )

    def carried(self, location: str, sections: Mapping[str, Mapping[str, str]]) -> Collection[str]:
        """List what the tarball of a package brings with it, which the lock lists only if npm looked inside.

        A package for another platform is never unpacked, so that its bundle stands nowhere. A copy
        further up may have the name, but is not what the package takes: there is no release to wait for.
        """
        entry = self.table[location]
        if not self.tree.is_installed(location) or entry.get("inBundle"):
            return ()
        if entry.get("hasShrinkwrap") and location not in self.unpacked:
            return {*sections["normal"], *sections["optional"]}
        return self.bundle(location)

    def bundle(self, location: str) -> Collection[str]:
        """List what a package bundles: names, or with true all that it needs."""
        if location not in self._bundles:
            self._bundles[location] = frozenset(self._bundle(location))
        return self._bundles[location]

    def _bundle(self, location: str) -> Collection[str]:
        entry = self.table[location]
        told = entry.get("bundleDependencies", entry.get("bundledDependencies"))
        if told is True:
            return cast(
                "dict[str, str]",
                typed(self.path, f"{_place(location)}.dependencies", entry.get("dependencies", {}), dict),
            )
        return text_list(self.path, f"{_place(location)}.bundleDependencies", told) if told else ()

    def may_lack(self, location: str, name: str) -> bool:
        """Tell whether npm writes, and takes, a lock in which the package at `location` finds no `name`."""
        entry = self.table[location]
        if _outside(location):  # a folder beside the lock: what it needs is in the lock of its own
            return True
        # As it came out of a tarball; the whole may fail, what it needs could not be had; nobody needs it.
        if entry.get("inBundle") or entry.get("optional") or entry.get("extraneous"):
            return True
        if not self.tree.is_installed(location):
            # npm does not fetch what a folder says it bundles, nor what was not asked for in what it
            # keeps of an installation (--omit=dev, --workspace).
            return "" not in self.table or (location != "" and name in self.bundle(location))
        # Below a package with a shrinkwrap of its own, that alone decides what there is.
        return self.tree.is_sealed(location)


def _outside(location: str) -> bool:
    """Tell whether a folder lies beside the folder of the lock."""
    return location == ".." or location.startswith(("../", "/")) or re.match(r"[A-Za-z]:", location) is not None


def _place(location: str) -> str:
    return f"packages[{cut(location, 120)!r}]"
