"""What packages say of themselves, and how they are joined by the names that they are published under.

An ecosystem's module reads manifests (``package.json``, ``Cargo.toml`` …) into :class:`Manifest`; whether those come
from one workspace or from forty checkouts side by side, they are joined here, by the same rule: a dependency that says
in which folder it lies is what lies there; any other is the package of that name in the same ecosystem.

>>> from seqkit.readers._gathered import Gathered
>>> found = Gathered(".", "folder")
>>> core = Manifest("npm", "core", "packages/core", version="1.0")
>>> app = Manifest("npm", "app", "packages/app", needs=[Need("core"), Need("left-pad"), Need("core", "dev")])
>>> link([core, app], found)
>>> graph = found.to_graph(kinds="all")
>>> graph.edges, graph.kinds("core", "app"), graph.attributes("core")
([('core', 'app')], ['normal', 'dev'], {'version': '1.0', 'path': 'packages/core', 'ecosystem': 'npm'})
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from seqkit._util.formats import either
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._asked import Ask, answered
from seqkit.readers._files import PathLike, load_text
from seqkit.readers._gathered import Gathered
from seqkit.readers._tree import Tree

__all__ = ["Ecosystem", "Manifest", "Need", "Unit", "link", "read_manifests", "tell_of_strangers"]

Unit = Literal["package", "repo"]


@dataclass(frozen=True, slots=True)
class Need:
    """A dependency that a manifest declares."""

    name: str
    """What is needed, as its ecosystem compares names (PyPI's: normalised)."""
    kind: str = "normal"
    """Why: one of `seqkit.core.kinds.KINDS`."""
    folder: str | None = None
    """Where it lies, from the top of the tree, where the manifest says so; None: wherever its name is found."""
    wants: str = ""
    """Which versions are asked for, as the manifest writes it."""
    takes: Callable[[str, str | None], bool] | None = None
    """Tell whether `wants` takes a version (None: of a package that has none); None: what is found is meant, whatever
    its version."""
    group: str = ""
    """The optional group that it stands in, whose dependencies are of kind extra unless somebody asks for it."""
    extras: tuple[str, ...] = ()
    """The optional groups of what is needed that are asked for."""
    waited_for: bool = False
    """Whether it counts by default though its kind does not, as what Maven's tests need."""
    yields: bool = False
    """Whether it is left out where it would close a cycle, as its ecosystem does with it."""


@dataclass(slots=True)
class Manifest:
    """What a package says of itself."""

    ecosystem: str
    """Who publishes it: ``npm``, ``cargo``, ``pypi``, ``maven``, ``go``."""
    name: str
    """What others call it, as its ecosystem compares names; ``""`` where it has none and nobody can need it by name."""
    folder: str
    """Where it lies, from the top of the tree, ``""`` for the top."""
    version: str | None = None
    private: bool = False
    """Whether it says that it is never published."""
    needs: list[Need] = field(default_factory=list)
    title: str = ""
    """What people call it, where that differs from `name`."""
    root: bool = False
    """Whether it only holds a workspace together, and is nothing that anybody releases."""
    checkout: str = ""
    """The folder of the repository that it came from, where several lie side by side."""


@dataclass(frozen=True)
class Ecosystem:
    """How packages of one ecosystem are found in a folder."""

    name: str
    """As in :attr:`Manifest.ecosystem`."""
    files: tuple[str, ...]
    """Names of the files that say that a folder is a package or a workspace of it."""
    manifests: Callable[[Tree, str, Gathered], list[Manifest]]
    """Read the package in a folder and, where that is the root of a workspace, its members; tells `Gathered` what it
    leaves out and guesses. The first is that of the folder itself, if there is one."""
    is_workspace: Callable[[Tree, str], bool]
    """Tell whether a folder is the root of a workspace: whether its files name other folders."""
    format: str = ""
    """What `format` calls its reader, where that is not `name`."""
    others: Callable[[Tree, str], list[str]] | None = None
    """List the folders below that hold packages too, where a repository of this ecosystem may have several without a
    file that names them; None where there is always such a file."""

    def is_in(self, tree: Tree, folder: str) -> bool:
        """Tell whether a folder has one of its files."""
        return any(tree.has(f"{folder}/{name}" if folder else name) for name in self.files)

    def checkout(self, tree: Tree, folder: str, found: Gathered) -> list[Manifest]:
        """Read the packages of one repository: those that its top names, and `others`."""
        manifests = self.manifests(tree, folder, found) if self.is_in(tree, folder) else []
        known = {manifest.folder for manifest in manifests}
        for place in self.others(tree, folder) if self.others is not None else ():
            if place in known:
                continue
            try:
                more = self.manifests(tree, place, found)
            except ReadError as error:  # nobody named it: a template, say
                found.look_at("manifests below that cannot be read", f"{place}: {error.message}")
                continue
            manifests += [manifest for manifest in more if manifest.folder not in known]
            known.update(manifest.folder for manifest in more)
        return manifests


def link(manifests: Sequence[Manifest], found: Gathered, unit: Unit = "package") -> None:
    """Join packages by the names that they are published under, and tell `found` of all that comes of it.

    Parameters
    ----------
    manifests : sequence of Manifest
        In the order in which they should be listed.
    found : Gathered
        Who is told of packages, dependencies, and of names that are missing or met twice.
    unit : {"package", "repo"}
        What a repo of the graph is: a package, or all packages of one checkout, which are then its `members`.
    """
    for manifest in manifests:
        if manifest.root:
            found.left_out("roots of workspaces, which are no packages", manifest.title or manifest.name or "the top")
    members = [manifest for manifest in manifests if not manifest.root]
    ids = _ids(members, found, unit)
    meant = _Meant(members, found)
    for manifest in members:
        if unit == "package":
            found.package(
                ids[id(manifest)],
                version=manifest.version,
                path=manifest.folder or ".",
                ecosystem=manifest.ecosystem,
                private=True if manifest.private else None,
            )
    if unit == "repo":
        _tell_repos(members, found)
    _tell_needs(members, ids, meant, found)


def _tell_needs(members: Sequence[Manifest], ids: Mapping[int, str], meant: _Meant, found: Gathered) -> None:
    """Tell who needs whom: what optional groups hold as far as somebody asks, what yields to a cycle last."""
    asks: list[Ask[int]] = []
    yielding: list[tuple[str, str, str]] = []
    for manifest in members:
        for need in manifest.needs:
            target = meant.by(manifest, need)
            if target is None:
                continue
            needed, needing = ids[id(target)], ids[id(manifest)]
            if not (need.yields or need.waited_for):
                asks.append(Ask(id(manifest), id(target), need.kind, need.group, need.extras))
            elif needed != needing and need.yields:
                yielding.append((needed, needing, need.kind))
            elif needed != needing:
                found.needs(needing, needed, need.kind, need.waited_for)
    for dependent, dependency, kind in answered(asks):
        if ids[dependent] != ids[dependency]:
            found.needs(ids[dependent], ids[dependency], kind)
    found.needs_if_open(yielding)


class _Meant:
    """Who is meant by what a manifest says that it needs."""

    def __init__(self, manifests: Iterable[Manifest], found: Gathered) -> None:
        self._by_name: dict[tuple[str, str], list[Manifest]] = {}
        self._found = found
        self._by_folder: dict[tuple[str, str], Manifest] = {}
        for manifest in _likeliest_first(manifests):
            self._by_folder.setdefault((manifest.ecosystem, manifest.folder), manifest)
            if not manifest.name:
                continue
            named = self._by_name.setdefault((manifest.ecosystem, manifest.name), [])
            named.append(manifest)
            first = named[0]
            if first is not manifest:
                found.look_at(
                    "packages with a name that another has; the first is the one that others mean",
                    f"{manifest.name} in {manifest.folder or 'the top'} and in {first.folder or 'the top'}",
                )

    def by(self, manifest: Manifest, need: Need) -> Manifest | None:
        target = self._by_folder.get((manifest.ecosystem, need.folder)) if need.folder is not None else None
        if target is not None:
            return target
        named = self._by_name.get((manifest.ecosystem, need.name), [])
        for target in named:
            if need.takes is None or need.takes(need.wants, target.version):
                return target
        who = manifest.title or manifest.name or manifest.folder or "the top"
        asked = f"{who} needs {need.name} {need.wants}".rstrip()
        if named:
            here = named[0].version or "without a version"
            self._found.left_out(
                "dependencies on packages that are here, by versions or sources that are not",
                f"{asked}; here it is {here}",
            )
        else:
            self._found.left_out("dependencies on packages from elsewhere", asked)
        return None


def _tell_repos(manifests: Iterable[Manifest], found: Gathered) -> None:
    """Tell of checkouts; those whose packages all have one version have it too."""
    packages: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        packages.setdefault(_repo_of(manifest), []).append(manifest)
    for repo, members in packages.items():
        versions = sorted({manifest.version for manifest in members if manifest.version})
        found.package(
            repo,
            members=[manifest.title or manifest.name or manifest.folder for manifest in members],
            version=versions[0] if len(versions) == 1 else None,
            versions=versions if len(versions) > 1 else None,
            path=repo,
        )


def read_manifests(
    ecosystem: Ecosystem, path: PathLike, format: str, kinds: Kinds, cycles: Cycles
) -> RepoDependencyGraph:
    """Read a package or workspace of one ecosystem: a folder, or the file in it that says so.

    Raises
    ------
    ReadError
        Where the folder has none of the ecosystem's files, or one that is read is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    place = os.fspath(path)
    if not os.path.isdir(place):
        load_text(place)  # says what is wrong with the file, if anything is
    found = Gathered(path, format)
    tree = Tree(place if os.path.isdir(place) else os.path.dirname(place) or ".")
    manifests = ecosystem.checkout(tree, "", found)
    if not manifests and not ecosystem.is_in(tree, ""):
        tree.folders()  # says what is wrong with the folder, if anything is
        raise ReadError(path, None, f"has no {either(ecosystem.files)}, expected one of these files in the folder")
    link(manifests, found)
    tell_of_strangers(tree, found)
    return found.to_graph(kinds, cycles)


def tell_of_strangers(tree: Tree, found: Gathered) -> None:
    """Say which links were not followed."""
    for place in tree.strangers:
        found.left_out("links that lead out of the folder, or round in a circle", place)


def _repo_of(manifest: Manifest) -> str:
    return manifest.checkout or "."


def _likeliest_first(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Put those first whose folder is called as they are: of two with one name the other is a copy, or a fork."""

    def is_called_otherwise(manifest: Manifest) -> bool:
        folder, name = (re.split(r"[/:]", text)[-1] for text in (manifest.folder, manifest.name))
        return folder.lower().replace("_", "-") != name.lower().replace("_", "-")

    return sorted(manifests, key=is_called_otherwise)


def _ids(manifests: Iterable[Manifest], found: Gathered, unit: Unit) -> dict[int, str]:
    """Say which repo of the graph each is: by name; where two ecosystems share one, that stands before it."""
    if unit == "repo":
        return {id(manifest): _repo_of(manifest) for manifest in manifests}
    manifests = list(manifests)
    titles = {id(manifest): manifest.title or manifest.name or manifest.folder or "." for manifest in manifests}
    for manifest in manifests:
        if not manifest.name:
            found.guessed("packages without a name, called by their folders", manifest.folder or ".")
    shared = Counter(title for _, title in {(manifest.ecosystem, titles[id(manifest)]) for manifest in manifests})
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for manifest in _likeliest_first(manifests):
        title = titles[id(manifest)]
        name = title
        if shared[title] > 1:  # what it is published by, if that is another name, tells more
            published = bool(manifest.title) and manifest.name not in ("", title)
            name = manifest.name if published else f"{manifest.ecosystem}:{title}"
        if name in taken:
            name = f"{name} ({manifest.folder or '.'})"
        taken.add(name)
        ids[id(manifest)] = name
    return ids
