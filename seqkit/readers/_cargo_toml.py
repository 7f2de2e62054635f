r"""A ``Cargo.toml`` by itself: what it calls its package, what that needs, and what it says as the root of a workspace.

>>> import pathlib, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = pathlib.Path(folder, "Cargo.toml")
...     text = '[package]\nname = "app"\n[dependencies]\nlog = "0.4"\ncore2 = {path = "../c", package = "c"}'
...     _ = path.write_text(text)
...     manifest = CargoToml(path)
>>> manifest.name, [(one.name, one.kind, one.path) for one in manifest.declared()]
('app', [('log', 'normal', None), ('c', 'normal', '../c')])
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seqkit.readers._documents import load_toml
from seqkit.readers._files import PathLike, described, text_list, typed

__all__ = ["REGISTRY", "CargoDependency", "CargoToml"]

_KINDS = {
    "dependencies": "normal",
    "build-dependencies": "build",
    "build_dependencies": "build",  # as old manifests write it
    "dev-dependencies": "dev",
    "dev_dependencies": "dev",
}
REGISTRY = "crates-io"
"""What a dependency without a source is taken from."""
_NO_VERSION = "0.0.0"  # Cargo's rule for a package that does not say one, which is never published
_SPEC = re.compile(r"(?:.*[#/])?([^:@#/]+)(?:[:@].*)?")  # of [replace]: a name and version, perhaps after an address


@dataclass(frozen=True, slots=True)
class CargoDependency:
    """A dependency as a manifest declares it."""

    key: str
    """What the package calls it."""
    name: str
    """What its publisher calls it."""
    kind: str = "normal"
    path: str | None = None
    """Its folder, from the folder of the manifest."""
    source: str = REGISTRY
    """Where it is taken from otherwise: ``crates-io``, or an address in a form that can be compared."""
    inherited: bool = False
    """Whether the root of the workspace says the rest."""
    wants: str = ""
    """Which versions are asked for, as the manifest writes it."""


class CargoToml:
    """A manifest, checked where it is looked at.

    Raises
    ------
    ReadError
        Here and from every method, where the file is no TOML or has something of another shape than Cargo takes.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = path
        self._document = load_toml(path)
        key = "project" if "project" in self._document and "package" not in self._document else "package"
        self._package: Mapping[str, Any] | None = self._table(self._document, key) if key in self._document else None
        self._workspace = self._table(self._document, "workspace")
        self.is_root = "workspace" in self._document
        """Whether it is the root of a workspace."""
        self.name: str | None = None
        """What its package is called; None where it is of no package."""
        if self._package is not None:
            self.name = self._text(self._package, key, "name")
            if not self.name:
                self.name = typed(path, f"{key}.name", self._package.get("name"), str) or None

    # ------------------------------------------------------------------ the package

    def version(self, root: CargoToml | None) -> tuple[str | None, bool]:
        """Give the version, and whether that should stand in a root that is not there."""
        told = self._package.get("version") if self._package is not None else None
        if not _is_inherited(told):
            return (_NO_VERSION if told is None else str(typed(self.path, "package.version", told, str))), False
        if root is None:
            return None, True
        package = root._table(root._workspace, "package", "workspace.")
        return root._text(package, "workspace.package", "version"), False

    def is_private(self, root: CargoToml | None) -> bool:
        """Tell whether it says that it is never published."""
        package = self._package if self._package is not None else {}
        told = package.get("publish", "version" in package)
        if _is_inherited(told):
            told = root._table(root._workspace, "package", "workspace.").get("publish") if root is not None else None
        return told is False or told == []

    def declared(self) -> Iterator[CargoDependency]:
        """List all dependencies, those for some targets too."""
        tables: list[tuple[str, Mapping[str, Any]]] = [("", self._document)]
        targets = self._table(self._document, "target")
        tables += [(f"target.{target}.", self._table(targets, target, "target.")) for target in targets]
        for place, table in tables:
            for section, kind in _KINDS.items():
                yield from self._listed(table, section, kind, place)

    def _listed(self, table: Mapping[str, Any], section: str, kind: str, place: str = "") -> Iterator[CargoDependency]:
        for key, told in self._table(table, section, place).items():
            yield self._one(f"{place}{section}.{key}", key, told, kind)

    def _one(self, where: str, key: str, told: object, kind: str) -> CargoDependency:
        if isinstance(told, str):
            return CargoDependency(key, key, kind, wants=told)
        entry = typed(self.path, where, told, dict)
        if entry.get("optional") is True and kind != "dev":
            kind = "optional"
        git = self._text(entry, where, "git")
        return CargoDependency(
            key,
            self._text(entry, where, "package") or key,
            kind,
            self._text(entry, where, "path"),
            _comparable(git) if git is not None else REGISTRY,
            entry.get("workspace") is True,
            self._text(entry, where, "version") or "",
        )

    # ------------------------------------------------------------------ the workspace

    def members(self) -> list[str]:
        """List the patterns of its members."""
        return text_list(self.path, "workspace.members", self._workspace.get("members", []))

    def excluded(self) -> list[str]:
        """List the folders that are no members, though they lie below."""
        return text_list(self.path, "workspace.exclude", self._workspace.get("exclude", []))

    def shared(self) -> dict[str, CargoDependency]:
        """Give the dependencies that members inherit, by what they call them."""
        return {one.key: one for one in self._listed(self._workspace, "dependencies", "normal", "workspace.")}

    def patched(self) -> dict[tuple[str, str], str]:
        """Give the folders that are taken instead of what has some source and name: ``[patch]`` and ``[replace]``."""
        patches = self._table(self._document, "patch")
        found = {}
        for source in patches:
            for one in self._listed(patches, source, "normal", "patch."):
                if one.path is not None:
                    found[REGISTRY if source == REGISTRY else _comparable(source), one.name] = one.path
        for one in self._listed(self._document, "replace", "normal"):
            spec = _SPEC.fullmatch(one.key)
            if one.path is not None and spec:
                found[REGISTRY, spec[1]] = one.path
        return found

    # ------------------------------------------------------------------ shapes

    def _table(self, table: Mapping[str, Any], key: str, place: str = "") -> dict[str, Any]:
        return dict(typed(self.path, f"{place}{key}", table.get(key, {}), dict))

    def _text(self, table: Mapping[str, Any], place: str, key: str) -> str | None:
        told = table.get(key)
        return None if told is None else str(typed(self.path, f"{place}.{key}", told, str))

    def __repr__(self) -> str:
        return f"CargoToml({described(self.name)})"


def _is_inherited(told: object) -> bool:
    return isinstance(told, dict) and told.get("workspace") is True


def _comparable(address: str) -> str:
    """Give an address as Cargo compares it: without what may stand at its end."""
    return address.strip().rstrip("/").removesuffix(".git").lower()
