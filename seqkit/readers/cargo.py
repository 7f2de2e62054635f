"""Rust: packages and workspaces of Cargo, by their ``Cargo.toml``."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterator

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.readers._cargo_toml import REGISTRY, CargoDependency, CargoToml
from seqkit.readers._files import PathLike
from seqkit.readers._gathered import Gathered
from seqkit.readers._globs import chosen
from seqkit.readers._manifests import Ecosystem, Manifest, Need, read_manifests
from seqkit.readers._semver import takes
from seqkit.readers._tree import Tree, joined

__all__ = ["CARGO", "read_cargo"]

_FILE = "Cargo.toml"


def read_cargo(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    r"""Read a Cargo workspace, or a single package; every member is a repo.

    Members are those that Cargo takes for members: the folders that `members` of the root's ``[workspace]`` names, by
    patterns or not; the package of the root itself, if it has one; and what any of these needs by a `path` below the
    root, listed or not, without what `exclude` names. Workspaces inside the workspace are no part of it. Of a package
    that is no workspace, what it needs by a `path` below it is read too.

    An edge is a dependency of a member on a member by `path`, in its own table or in that of the root which it
    inherits (``workspace = true``), or by ``[patch]`` and ``[replace]`` of the root. Whatever is renamed
    (``package = "…"``) is called as its publisher calls it. A member that asks for another by a version alone gets the
    published one from the registry, and does not wait for the next: that is no edge, but a line in the report.

    In a folder of checkouts, where there is no root, packages are joined by the names that they are published under,
    if the version that is asked for is the one that is there.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder, or the ``Cargo.toml`` in it. Nothing above it is read.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"build"`` (build-dependencies), ``"optional"`` (either of
        them with ``optional = true``) and ``"dev"`` (dev-dependencies); ``"all"``; None for all but dev. Those for
        some target or platform count like others.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`. Cargo's own cycles go through dev-dependencies.

    Returns
    -------
    RepoDependencyGraph
        With `version` (inherited or not), `path`, `ecosystem` (``cargo``) and `private` (``publish = false``) as
        attributes.

    Raises
    ------
    ReadError
        Where there is no ``Cargo.toml``, or one that counts is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     def write(place, text):
    ...         pathlib.Path(folder, place).mkdir(parents=True, exist_ok=True)
    ...         _ = pathlib.Path(folder, place, "Cargo.toml").write_text(text)
    ...     write("", '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\ncore = {path = "crates/core"}')
    ...     write("crates/core", '[package]\nname = "core"\nversion = "0.4.0"')
    ...     write("crates/app", '[package]\nname = "app"\n[dependencies]\ncore.workspace = true\nlog = "0.4"')
    ...     graph = read_cargo(folder)
    >>> graph.edges, graph.attributes("core")["version"]
    ([('core', 'app')], '0.4.0')
    """
    return read_manifests(CARGO, path, "cargo", kinds, cycles)


def _takes(wants: str, version: str | None) -> bool:
    """Tell whether a requirement takes a version, which without a sign is like one with a caret."""
    parts = [part.strip() for part in wants.split(",")]
    signed = " ".join(f"^{part}" if part[:1].isdecimal() and "*" not in part else part for part in parts)
    return version is None or takes(signed, version) is not False


def _at(folder: str) -> str:
    return f"{folder}/{_FILE}" if folder else _FILE


def _is_below(place: str, folder: str) -> bool:
    return not folder or place == folder or place.startswith(f"{folder}/")


class _CargoWorkspace:
    """The packages of one root, or of a package without one.

    Parameters
    ----------
    tree : Tree
        Where it is.
    folder : str
        The folder of the root.
    found : Gathered
        Who is told of what is left out.
    """

    def __init__(self, tree: Tree, folder: str, found: Gathered) -> None:
        self._tree = tree
        self._folder = folder
        self._found = found
        self._manifests: dict[str, CargoToml] = {}
        self.root = self._load(folder)
        self._shared = self.root.shared()
        self._patched = self.root.patched()
        self._literal = [place for one in self.root.members() if (place := joined(folder, one)) is not None]
        self._excluded = [place for one in self.root.excluded() if (place := joined(folder, one)) is not None]
        self.members = self._members()
        self._by_name = {self._load(place).name for place in self.members}

    def _load(self, place: str) -> CargoToml:
        if place not in self._manifests:
            self._manifests[place] = CargoToml(self._tree.open(_at(place)))
        return self._manifests[place]

    def _members(self) -> list[str]:
        """List the folders of the members: the root, those that it names, and those that they need by path."""
        patterns = self.root.members()
        named = chosen(self._tree, self._folder, patterns, [_FILE])
        for pattern in named.idle:
            self._found.look_at("members that are named and are not there", pattern)
        for pattern in named.outside:
            self._found.left_out("members outside the folder, which are not read", pattern)
        members: dict[str, None] = {}
        waiting = deque([*([self._folder] if self.root.name is not None else []), *named.folders])
        met = set(waiting)
        while waiting:
            place = waiting.popleft()
            if not self._takes(place):
                continue
            members[place] = None
            for one in self._load(place).declared():
                target = self._target(place, one)
                if (
                    target is not None
                    and target not in met
                    and _is_below(target, self._folder)
                    and self._tree.has(_at(target))
                ):
                    met.add(target)
                    waiting.append(target)
        return list(members)

    def _takes(self, place: str) -> bool:
        """Tell whether a folder that was met is a member, and say why not."""
        if place != self._folder and self._is_excluded(place):
            self._found.left_out("packages that the workspace excludes", place)
        elif place != self._folder and self._load(place).is_root:
            self._found.left_out("workspaces inside the workspace, which are no part of it", place)
        elif self._load(place).name is None:
            self._found.look_at("members without a package", place)
        else:
            return True
        return False

    def _is_excluded(self, place: str) -> bool:
        """Tell it by Cargo's rule: what a member is named by, without a pattern, goes before what excludes it."""
        return any(_is_below(place, one) for one in self._excluded) and not any(
            _is_below(place, one) for one in self._literal
        )

    def _target(self, place: str, one: CargoDependency) -> str | None:
        """Give the folder that a dependency of the package in `place` is taken from, if that is in the tree."""
        base = place
        if one.inherited:
            one, base = self._shared.get(one.key, one), self._folder
        if one.path is None:
            patch = self._patched.get((one.source, one.name))
            return joined(self._folder, patch) if patch is not None and self._is_patched(patch) else None
        return joined(base, one.path)

    def _is_patched(self, patch: str) -> bool:
        target = joined(self._folder, patch)
        return target is not None and self._tree.has(_at(target))

    def manifest(self, place: str) -> Manifest:
        """Give what a member says of itself."""
        toml = self._load(place)
        root = self.root if self.root.is_root else None
        version, is_unknown = toml.version(root)
        name = toml.name or ""
        if is_unknown:
            self._found.guessed("packages without a version, which stands in the root of their workspace", name)
        return Manifest(
            "cargo",
            name,
            place,
            version=version,
            private=toml.is_private(root),
            needs=list(self._needs(place, toml)),
        )

    def _needs(self, place: str, toml: CargoToml) -> Iterator[Need]:
        for one in toml.declared():
            shared = self._shared.get(one.key) if one.inherited else None
            if one.inherited and shared is None:
                self._found.guessed(
                    "dependencies of which the root of a workspace says more, taken by their names",
                    f"{toml.name} needs {one.key}",
                )
            name = (shared or one).name
            target = self._target(place, one)
            known = shared if one.inherited else one
            is_member = name in self._by_name and name != toml.name
            if is_member and target is None and known is not None and known.path is None:
                self._found.left_out(
                    "dependencies on members by version alone, which Cargo takes from the registry",
                    f"{toml.name} needs {name}",
                )
            else:
                # What lies in a folder, or comes from a repository, is meant whatever its version.
                by_version = known is not None and known.path is None and known.source == REGISTRY
                wants = known.wants if known is not None else ""
                yield Need(name, one.kind, target, wants, _takes if by_version else None)


def _manifests(tree: Tree, folder: str, found: Gathered) -> list[Manifest]:
    workspace = _CargoWorkspace(tree, folder, found)
    return [workspace.manifest(place) for place in workspace.members]


def _is_workspace(tree: Tree, folder: str) -> bool:
    """Tell whether a manifest names other folders below: as members, or as what its package needs."""
    toml = CargoToml(tree.open(_at(folder)))
    return toml.is_root or any(
        place is not None and place != folder and _is_below(place, folder)
        for one in toml.declared()
        for place in [joined(folder, posixpath.normpath(one.path)) if one.path else None]
    )


CARGO = Ecosystem("cargo", (_FILE,), _manifests, _is_workspace)
"""How Cargo's packages are found in folders."""
