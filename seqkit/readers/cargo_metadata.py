"""What ``cargo metadata`` prints: the packages of a workspace and of all that it is built from, as JSON."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from seqkit._util.secrets import as_given
from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._exact_ids import Exact, Ids, check_options, exact_ids, graph_of_exact, tell_exact
from seqkit.readers._files import PathLike, described, load_json, text_list, typed
from seqkit.readers._gathered import Gathered

__all__ = ["read_cargo_metadata"]

_PACKAGES = ("workspace", "all")


def read_cargo_metadata(
    path: PathLike,
    *,
    packages: Literal["workspace", "all"] = "workspace",
    ids: Ids | None = None,
    kinds: Kinds = None,
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read the output of ``cargo metadata``, with or without ``--no-deps``; members of the workspace are repos.

    Two things say who needs whom. `dependencies` of a package say what it declares, all features and targets counted,
    and name the folder of what they take from one: so they are complete among members, and the same as
    :func:`seqkit.readers.read_cargo` finds. `resolve` says what was chosen for the features and targets asked for,
    with patches applied; with ``--no-deps`` it is null. An edge is in either.

    Parameters
    ----------
    path : str or pathlib.Path
        A JSON file, of format version 1. Ids of packages are compared and never taken apart, so that those of Cargo
        before and after 1.78 are read alike.
    packages : {"workspace", "all"}
        Whether repos are the members of the workspace alone, as from its folder, or all packages, as from a lock.
    ids : {"name@version", "name"}, optional
        What a repo is called: by default ``"name"`` for the workspace, whose members have one version each, and
        ``"name@version"`` for all packages; where two would collide, their source stands behind. ``"name"`` joins the
        versions of a package, sorted and joined by ``" + "`` in the attribute.
    kinds : str or collection of str, or None
        Which dependencies count: some of ``"normal"``, ``"build"``, ``"optional"`` (normal or for building, and
        declared so) and ``"dev"``; ``"all"``; None for all but dev. Where `dep_kinds` of `resolve` is absent (before
        Cargo 1.41), the declaration says it.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        With `version`, `path` (of the folder, from that of the workspace), `ecosystem` and `private` as attributes.

    Raises
    ------
    ReadError
        Where the file is no such output, or `resolve` names a package that is not in it.
    DependencyCycle
        With ``cycles="error"``, where there is one; it says which kinds to leave out, if that opens it.
    """
    if packages not in _PACKAGES:
        raise ValueError(f"packages is {as_given(packages, 200)}, expected one of {_PACKAGES}")
    if ids is None:
        ids = "name" if packages == "workspace" else "name@version"
    check_options(ids, kinds, cycles)
    metadata = _Metadata(path, members_alone=packages == "workspace")
    return graph_of_exact(metadata.gathered, ids, kinds, cycles)


@dataclass(frozen=True, slots=True)
class _Told:
    """A dependency as a package declares it."""

    name: str
    kind: str
    """As in our table of kinds."""
    stage: str | None
    """As `dep_kinds` says it: None, ``dev`` or ``build``."""
    folder: str | None
    source: str | None


class _Metadata:
    """The output, checked where it is looked at."""

    def __init__(self, path: PathLike, members_alone: bool) -> None:
        self.path = path
        document = typed(path, "the document", load_json(path), dict)
        for key in ("packages", "workspace_members"):
            if key not in document:
                raise ReadError(path, None, f"has no {key}, expected what `cargo metadata` prints")
        self._tables: dict[str, dict[str, Any]] = {}
        for number, table in enumerate(typed(path, "packages", document["packages"], list)):
            where = f"packages[{number}]"
            key = self._text(typed(path, where, table, dict), where, "id")
            self._tables[key] = table
        self._top = _folder(str(typed(path, "workspace_root", document.get("workspace_root", ""), str)))
        members = text_list(path, "workspace_members", document["workspace_members"])
        self._strangers = [one for one in members if one not in self._tables]
        chosen = self._tables.keys() & set(members) if members_alone else self._tables.keys()
        self.ids = [one for one in self._tables if one in chosen]
        self._others = [one for one in self._tables if one not in chosen]
        resolve = document.get("resolve")
        self._resolve = typed(path, "resolve", resolve, dict) if resolve is not None else {}
        self._declared = {one: list(self._declared_by(one)) for one in self.ids}
        self._by_folder = {self._place(one): one for one in self._tables if self._tables[one].get("source") is None}
        self._by_name: dict[str, list[str]] = {}
        for one in self._by_folder.values():
            self._by_name.setdefault(self._name(one), []).append(one)

    def _text(self, table: Mapping[str, Any], where: str, key: str) -> str:
        return str(typed(self.path, f"{where}.{key}", table.get(key), str))

    def _optional_text(self, table: Mapping[str, Any], where: str, key: str) -> str | None:
        return None if table.get(key) is None else self._text(table, where, key)

    def _name(self, one: str) -> str:
        name = self._text(self._tables[one], f"package {one}", "name")
        if not name:
            raise ReadError(self.path, None, f"package {described(one)} has no name")
        return name

    def _place(self, one: str) -> str:
        manifest = self._optional_text(self._tables[one], f"package {one}", "manifest_path")
        return posixpath.dirname(_folder(manifest)) if manifest is not None else one

    # ------------------------------------------------------------------ who needs whom

    def _declared_by(self, one: str) -> Iterator[_Told]:
        place = f"package {one}.dependencies"
        for number, entry in enumerate(typed(self.path, place, self._tables[one].get("dependencies", []), list)):
            where = f"{place}[{number}]"
            table = typed(self.path, where, entry, dict)
            stage = self._stage(where, table)
            folder = self._optional_text(table, where, "path")
            yield _Told(
                self._text(table, where, "name"),
                "optional" if table.get("optional") is True and stage != "dev" else stage or "normal",
                stage,
                _folder(folder) if folder is not None else None,
                self._optional_text(table, where, "source"),
            )

    def _stage(self, where: str, table: Mapping[str, Any]) -> str | None:
        stage = self._optional_text(table, where, "kind")
        if stage not in (None, "normal", "dev", "build"):
            raise ReadError(self.path, None, f"{where}.kind is {described(stage)}, expected null, dev or build")
        return None if stage == "normal" else stage

    def edges(self) -> Iterator[tuple[str, str, str]]:
        """Give who needs whom and why: as declared, and as resolved."""
        for one in self.ids:
            for need in self._declared[one]:
                target = self._in_folder(need)
                if target is not None:
                    yield one, target, need.kind
        known = set(self.ids)
        for number, entry in enumerate(typed(self.path, "resolve.nodes", self._resolve.get("nodes", []), list)):
            where = f"resolve.nodes[{number}]"
            node = typed(self.path, where, entry, dict)
            one = self._text(node, where, "id")
            self._require(one, where)
            if one in known:
                for target, kinds in self._resolved(one, node, where):
                    for kind in kinds:
                        yield one, target, kind

    def _in_folder(self, need: _Told) -> str | None:
        """Find the package that a dependency takes from a folder; before Cargo 1.51 the folder is not told."""
        if need.folder is not None:
            return self._by_folder.get(need.folder)
        named = self._by_name.get(need.name, []) if need.source is None else []
        return named[0] if len(named) == 1 else None

    def _require(self, one: str, where: str) -> None:
        if one not in self._tables:
            raise ReadError(
                self.path, None, f"{where} is of {described(one)}, which is not among the packages; print it anew"
            )

    def _resolved(self, one: str, node: Mapping[str, Any], where: str) -> Iterator[tuple[str, list[str]]]:
        if "deps" not in node:  # before Cargo 1.32
            for target in text_list(self.path, f"{where}.dependencies", node.get("dependencies", [])):
                self._require(target, f"{where}.dependencies")
                yield target, self._why(one, target, None)
            return
        for number, entry in enumerate(typed(self.path, f"{where}.deps", node["deps"], list)):
            place = f"{where}.deps[{number}]"
            table = typed(self.path, place, entry, dict)
            target = self._text(table, place, "pkg")
            self._require(target, place)
            told = table.get("dep_kinds")
            stages = None
            if told is not None:
                rows = enumerate(typed(self.path, f"{place}.dep_kinds", told, list))
                stages = {
                    self._stage(f"{place}.dep_kinds[{at}]", typed(self.path, f"{place}.dep_kinds[{at}]", row, dict))
                    for at, row in rows
                }
            yield target, self._why(one, target, stages)

    def _why(self, one: str, target: str, stages: set[str | None] | None) -> list[str]:
        """Say why a package needs another, of which all that is known may be in which stages it does."""
        name = self._name(target)
        fits = [need for need in self._declared[one] if need.name == name]
        if stages is None:
            return [need.kind for need in fits] or ["normal"]
        kinds = [need.kind for need in fits if need.stage in stages]
        met = {need.stage for need in fits}
        return [*kinds, *(stage or "normal" for stage in stages if stage not in met)]

    # ------------------------------------------------------------------ what comes of it

    def gathered(self, ids: Ids) -> Gathered:
        """Tell of the packages, called as `ids` says."""
        found = Gathered(self.path, "cargo-metadata")
        exact = [self._exact(one) for one in self.ids]
        names = dict(zip(self.ids, exact_ids(exact, ids), strict=True))
        tell_exact(found, exact, list(names.values()))
        for one, target, kind in self.edges():
            if target not in names:
                found.left_out("dependencies on packages from elsewhere", f"{names[one]} needs {self._name(target)}")
            elif names[one] != names[target]:
                found.needs(names[one], names[target], kind)
        root = self._optional_text(self._resolve, "resolve", "root")
        found.root = names.get(root) if root is not None else None
        for one in self._strangers:
            found.look_at("members that are not among the packages", one)
        for one in self._others:
            found.left_out('packages that are no members; packages="all" has them', self._name(one))
        return found

    def _exact(self, one: str) -> Exact:
        table, where = self._tables[one], f"package {one}"
        source = self._optional_text(table, where, "source")
        place = self._place(one)
        path = None
        # Of paths of two sorts nobody can tell, but by where this runs, how one leads to the other.
        alike = posixpath.isabs(place) == posixpath.isabs(self._top)
        if source is None and self._top and place and place != one and alike:
            path = posixpath.relpath(place, self._top)
        attributes = {"path": path, "ecosystem": "cargo", "private": True if table.get("publish") == [] else None}
        return Exact(self._name(one), self._optional_text(table, where, "version"), source or place, attributes)


def _folder(path: str) -> str:
    """Give a path in one form, whatever system it is of."""
    return posixpath.normpath(path.replace("\\", "/")) if path else ""
