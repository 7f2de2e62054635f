"""npm's lock files: ``package-lock.json`` and ``npm-shrinkwrap.json``, lockfileVersion 2 and 3.

The lock lists what is installed, folder by folder. What a package means by ``semver`` depends
on where the package lies: Node looks into the ``node_modules`` beside it, then into those of the
folders above, and takes the first it finds. The reader walks the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, cast

from seqkit._html import shortened
from seqkit.errors import ReadError
from seqkit.graph import RepoDependencyGraph
from seqkit.readers._files import Cycles, PathLike, build, check_cycles, described, load_json, typed

__all__ = ["npm_graph", "read_npm"]

_SECTIONS = {
    "normal": "dependencies",
    "optional": "optionalDependencies",
    "peer": "peerDependencies",
    "dev": "devDependencies",
}
_IDS = ("name@version", "name")


def read_npm(
    path: PathLike,
    *,
    ids: Literal["name@version", "name"] = "name@version",
    kinds: str | Collection[str] = ("normal", "optional", "peer"),
    root: bool = False,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a lock file; every installed package is a repo, with its `version` as attribute.

    Copies of one package in several folders are one repo, whose dependencies are those of all
    copies. Workspaces and linked folders are repos like any other; the links to them are not. A
    package that names itself as a dependency does not wait for itself.

    Parameters
    ----------
    path : str or pathlib.Path
        A lock of lockfileVersion 2 or 3 (npm 7 and newer).
    ids : {"name@version", "name"}
        What a repo is called. A lock often holds several versions of one package, which need
        different things; only ``"name@version"``, the default, keeps them apart (a package
        without a version goes by its name). ``"name"`` joins them, their versions sorted and joined
        by ``" + "`` in the attribute; that can close cycles that the lock does not have.
    kinds : collection of {"normal", "optional", "peer", "dev"}
        Which dependencies count. ``"dev"`` is for workspaces and the root: installed packages have
        none. The repos are the same whichever are chosen. Optional and peer dependencies that are
        not installed are passed over.
    root : bool
        Whether the package that the lock belongs to is a repo too.
    cycles : {"error", "merge"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Peer dependencies make cycles often.

    Raises
    ------
    ReadError
        Where the file is no such lock, or a package needs another that is not in the lock.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    return npm_graph(load_json(path), path, ids=ids, kinds=kinds, root=root, cycles=cycles)


def npm_graph(
    document: object,
    path: PathLike,
    *,
    ids: Literal["name@version", "name"] = "name@version",
    kinds: str | Collection[str] = ("normal", "optional", "peer"),
    root: bool = False,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Do what :func:`read_npm` does with a document that is already read; `path` is for errors."""
    check_cycles(cycles)
    if ids not in _IDS:
        raise ValueError(f"ids is {ids!r}, expected one of {_IDS}")
    chosen = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not all(kind in tuple(_SECTIONS) for kind in chosen):
        raise ValueError(f"kinds is {kinds!r}, expected some of {tuple(_SECTIONS)}")
    lock = _Lock(document, path)
    repo_of = {
        location: lock.name(location) if ids == "name" else lock.name_and_version(location)
        for location in lock.folders(root)
    }
    versions: dict[str, set[str]] = {repo: set() for repo in repo_of.values()}
    pairs = []
    for location, repo in repo_of.items():
        version = lock.version(location)
        if version is not None:
            versions[repo].add(version)
        for target in lock.needs(location, chosen):
            needed = repo_of.get(target)  # None: the root, left out
            if needed is not None and needed != repo:
                pairs.append((needed, repo))
    nodes = {repo: {"version": " + ".join(sorted(found))} if found else {} for repo, found in versions.items()}
    return build(path, pairs, nodes, cycles)


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
        self.root_name = lock.get("name")

    def folders(self, root: bool) -> Iterator[str]:
        """List where packages lie; links point at such folders and are none themselves."""
        return (location for location in self.table if (root if location == "" else self.link_target(location) is None))

    def link_target(self, location: str) -> str | None:
        """Give the folder that a link points at; None for a package."""
        entry = self.table[location]
        if not typed(self.path, f"{_place(location)}.link", entry.get("link", False), bool):
            return None
        target = typed(self.path, f"{_place(location)}.resolved", entry.get("resolved"), str)
        if target not in self.table or self.table[target].get("link", False):
            raise ReadError(
                self.path, None, f"{_place(location)} links to {described(target)}, which is no folder of the lock"
            )
        return cast("str", target)

    def text(self, location: str, key: str) -> str | None:
        value = self.table[location].get(key)
        return None if value is None else cast("str", typed(self.path, f"{_place(location)}.{key}", value, str))

    def version(self, location: str) -> str | None:
        return self.text(location, "version")

    def name(self, location: str) -> str:
        """Name a package: as it says itself, which aliases and renamed folders do, else as its folder."""
        name = self.text(location, "name")
        if name is None and location == "":
            name = typed(self.path, "name", self.root_name, str)
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

    def needs(self, location: str, kinds: Collection[str]) -> Iterator[str]:
        """List the folders that the package at `location` finds its dependencies in."""
        place = _place(location)
        sections: dict[str, Mapping[str, str]] = {
            kind: typed(self.path, f"{place}.{key}", self.table[location].get(key, {}), dict)
            for kind, key in _SECTIONS.items()
        }
        for kind, section in sections.items():
            for name, wanted in section.items():
                typed(self.path, f"{place}.{_SECTIONS[kind]}[{described(name)}]", wanted, str)
                # npm's rule: a dependency that is also listed as optional is optional.
                if kind not in kinds or (kind == "normal" and name in sections["optional"]):
                    continue
                target = self.resolve(location, name)
                if target is not None:
                    yield target
                elif kind in ("normal", "dev"):
                    raise ReadError(
                        self.path,
                        None,
                        f"{place} needs {described(name)}, which is nowhere in the lock; "
                        "run `npm install --package-lock-only` to complete it",
                    )

    def resolve(self, location: str, name: str) -> str | None:
        """Find what `name` means to the package at `location`, as Node does: in its folder, then further up."""
        folder = location
        while True:
            # A node_modules folder is not looked into as a folder of its own: node_modules/node_modules is no place.
            if folder != "node_modules" and not folder.endswith("/node_modules"):
                found = f"{folder}/node_modules/{name}" if folder else f"node_modules/{name}"
                if found in self.table:
                    target = self.link_target(found)
                    return found if target is None else target
            # Above ".." lies not the folder of the lock but the one above that, which no lock describes.
            if folder in ("", "..") or folder.endswith("/.."):
                return None
            folder = folder.rpartition("/")[0]


def _place(location: str) -> str:
    return f"packages[{shortened(location, 120)!r}]"
