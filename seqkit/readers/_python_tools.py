"""What the tools of Python packages are told of dependencies in tables of their own: Poetry, PDM, Hatch, uv and Rye.

Each function is given a :class:`Table` of ``pyproject.toml`` and adds to :class:`~seqkit.readers._declared.Declared`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from seqkit.errors import ReadError
from seqkit.readers._declared import Declared
from seqkit.readers._files import described, text_list, typed
from seqkit.readers._requirements import kind_of_group, normalised
from seqkit.readers._tree import joined

__all__ = ["Table", "add_poetry", "add_tools", "poetry_folders", "uv_sources"]


class Table:
    """A table of a document, whose shape is checked where it is looked at.

    Examples
    --------
    >>> table = Table("pyproject.toml", {"tool": {"uv": {"package": False}}})
    >>> table.at("tool", "uv").get("package", bool), table.at("tool", "pdm").texts("x")
    (False, [])
    """

    def __init__(self, path: str | os.PathLike[str], content: dict[str, Any], where: str = "") -> None:
        self.path = path
        self.content = content
        self.where = where

    def place(self, key: str) -> str:
        """Say where a key stands."""
        return f"{self.where}.{key}" if self.where else key

    def at(self, *keys: str) -> Table:
        """Give a table below; an empty one where there is none."""
        table = self
        for key in keys:
            below = typed(self.path, table.place(key), table.content.get(key, {}), dict)
            table = Table(self.path, below, table.place(key))
        return table

    def get(self, key: str, kind: type) -> Any:
        """Give a value, or None."""
        return typed(self.path, self.place(key), self.content[key], kind) if key in self.content else None

    def texts(self, key: str) -> list[str]:
        """Give a list of text, or an empty one."""
        return text_list(self.path, self.place(key), self.content.get(key, []))

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Give the tables in it, by their keys."""
        return ((key, self.at(key)) for key in self.content)

    def lists(self) -> Iterator[tuple[str, list[str]]]:
        """Give the lists of text in it, by their keys."""
        return ((key, self.texts(key)) for key in self.content)


# ---------------------------------------------------------------------- Poetry


def _poetry_entries(table: Table) -> Iterator[tuple[str, Table]]:
    """Give each dependency, once for each of its constraints, as a table; a mere version is an empty one."""
    for name, told in table.content.items():
        if normalised(name) == "python":
            continue
        for number, one in enumerate(told if isinstance(told, list) else [told]):
            where = table.place(f"{name}[{number}]" if isinstance(told, list) else name)
            if not isinstance(one, str | dict):
                raise ReadError(table.path, None, f"{where} is {described(one)}, expected a version or a table")
            yield name, Table(table.path, one if isinstance(one, dict) else {}, where)


def poetry_folders(poetry: Table, folder: str) -> dict[str, str]:
    """Give the folders of path dependencies by normalised names."""
    groups = [poetry.at("dependencies"), poetry.at("dev-dependencies")]
    groups += [group.at("dependencies") for _, group in poetry.at("group").tables()]
    found: dict[str, str] = {}
    for group in groups:
        for name, entry in _poetry_entries(group):
            path = entry.get("path", str)
            place = joined(folder, path) if path is not None else None
            if place is not None:
                found[normalised(name)] = place
    return found


def add_poetry(poetry: Table, declared: Declared, normal: bool) -> None:
    """Add Poetry's dependencies; its normal ones only where they are not told under ``[project]``."""
    if normal:
        extras: dict[str, list[str]] = {}
        for extra, names in poetry.at("extras").lists():
            for name in names:
                extras.setdefault(normalised(name.partition("[")[0].partition(" ")[0]), []).append(extra)
        for name, entry in _poetry_entries(poetry.at("dependencies")):
            if not entry.get("optional", bool):
                _add(declared, name, entry, "normal")
                continue
            for extra in extras.get(normalised(name)) or [""]:
                _add(declared, name, entry, "extra", extra)
    for name, entry in _poetry_entries(poetry.at("dev-dependencies")):
        _add(declared, name, entry, "dev")
    for group, table in poetry.at("group").tables():
        for name, entry in _poetry_entries(table.at("dependencies")):
            _add(declared, name, entry, kind_of_group(group))
    for name, entry in _poetry_entries(poetry.at("requires-plugins")):
        _add(declared, name, entry, "dev")


def _add(declared: Declared, name: str, entry: Table, kind: str, group: str = "") -> None:
    path = entry.get("path", str)
    folder = joined(declared.folder, path) if path is not None else None
    declared.named(name, kind, group, folder, entry.texts("extras"), entry.get("markers", str) or "")


# ---------------------------------------------------------------------- uv, PDM, Hatch, Rye


def uv_sources(uv: Table, folder: str) -> dict[str, str]:
    """Give the folders that uv takes packages from, by normalised names; members of its workspace are found by name."""
    found: dict[str, str] = {}
    for name, told in uv.at("sources").content.items():
        for one in told if isinstance(told, list) else [told]:
            where = uv.place(f"sources.{name}")
            path = typed(uv.path, where, one, dict).get("path")
            place = joined(folder, typed(uv.path, f"{where}.path", path, str)) if path is not None else None
            if place is not None:
                found.setdefault(normalised(name), place)
    return found


def add_tools(tool: Table, declared: Declared) -> None:
    """Add what uv, Rye, PDM and Hatch are told of development."""
    for name in ("uv", "rye"):
        declared.add_all(tool.at(name).texts("dev-dependencies"), "dev", where=f"tool.{name}.dev-dependencies")
    for group, texts in tool.at("pdm", "dev-dependencies").lists():
        edited = [text.strip().removeprefix("-e ").removeprefix("--editable ").strip() for text in texts]
        declared.add_group(group, edited, where=f"tool.pdm.dev-dependencies.{group}")
    for name, environment in tool.at("hatch", "envs").tables():
        group = "test" if name == "hatch-test" else name
        for key in ("dependencies", "extra-dependencies"):
            declared.add_group(group, environment.texts(key), where=f"tool.hatch.envs.{name}.{key}")
