"""A Python package as its folder describes it: ``pyproject.toml`` (PEP 621, PEP 735, Poetry), or ``setup.cfg``.

Nothing is run: what a program computes when the package is built (``setup.py``, a hook) is not known, and is said.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from typing import Any

from seqkit.errors import ReadError
from seqkit.readers._declared import Declared
from seqkit.readers._documents import load_toml
from seqkit.readers._files import described, load_text, text_list, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._manifests import Manifest
from seqkit.readers._poetry_versions import specifiers
from seqkit.readers._python_tools import Table, add_poetry, add_tools, poetry_folders, uv_sources
from seqkit.readers._requirements import kind_of_group, normalised
from seqkit.readers._tree import Tree

__all__ = ["ECOSYSTEM_NAME", "inside", "load_pyproject", "load_setup", "read_package", "sources_of"]

ECOSYSTEM_NAME = "pypi"
_NEVER = "Private :: Do Not Upload"  # the classifier that PyPI refuses


def inside(folder: str, name: str) -> str:
    """Give the place of a file in a folder."""
    return f"{folder}/{name}" if folder else name


def load_pyproject(tree: Tree, folder: str) -> Table:
    """Read ``pyproject.toml``, or give an empty table."""
    place = inside(folder, "pyproject.toml")
    if not tree.has(place):
        return Table(tree.path(place), {})
    file = tree.open(place)
    return Table(file, load_toml(file))


def load_setup(tree: Tree, folder: str) -> dict[str, dict[str, str]]:
    """Read ``setup.cfg``, section by section, or give nothing."""
    place = inside(folder, "setup.cfg")
    if not tree.has(place):
        return {}
    file = tree.open(place)
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(load_text(file))
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        told = str(error).splitlines()[0].replace("'<string>'", "it").replace("<string>", "it")
        raise ReadError(file, line if isinstance(line, int) else None, f"is no setup.cfg: {told}") from None
    return {
        section: {key.replace("-", "_"): value or "" for key, value in parser.items(section)}
        for section in parser.sections()
    }


def sources_of(pyproject: Table, folder: str) -> dict[str, str]:
    """Give the folders that tools are told to take packages from, by normalised names."""
    tool = pyproject.at("tool")
    return {**poetry_folders(tool.at("poetry"), folder), **uv_sources(tool.at("uv"), folder)}


def read_package(tree: Tree, folder: str, found: Gathered, sources: Mapping[str, str]) -> Manifest | None:
    """Read the package in a folder; None where its files describe none.

    Parameters
    ----------
    tree, folder, found
        Where it lies, and who is told of what is left out.
    sources : mapping of str to str
        Folders by normalised names that hold for the whole workspace.
    """
    pyproject = load_pyproject(tree, folder)
    project, poetry = pyproject.at("project"), pyproject.at("tool", "poetry")
    # One beside a package that is described in whole only sets tools up.
    setup = load_setup(tree, folder) if project.texts("dynamic") or not project.get("name", str) else {}
    name = project.get("name", str) or poetry.get("name", str) or setup.get("metadata", {}).get("name", "")
    private = pyproject.at("tool", "uv").get("package", bool) is False or poetry.get("package-mode", bool) is False
    if not name and not poetry.content:
        if tree.has(inside(folder, "setup.py")):
            found.left_out("packages that only setup.py describes, a program that is not run", folder or ".")
        return None
    asked = poetry.at("dependencies").content.get("python")
    python = (
        project.get("requires-python", str)
        or (specifiers(asked) if isinstance(asked, str) else "")
        or setup.get("options", {}).get("python_requires", "")
    )
    merged = {**sources, **sources_of(pyproject, folder)}
    declared = Declared(tree, folder, found, merged, python)
    dynamic = set(project.texts("dynamic"))
    if project.content:
        _add_project(project, declared)
        _add_dynamic(pyproject, setup, declared, dynamic)
    elif not poetry.content:
        _add_setup(setup, declared, ("dependencies", "optional-dependencies"))
    told = bool(project.content.keys() & {"dependencies", "optional-dependencies"})
    add_poetry(poetry, declared, normal=not told or not dynamic.isdisjoint(("dependencies", "optional-dependencies")))
    _add_groups(pyproject, declared)
    add_tools(pyproject.at("tool"), declared)
    declared.add_all(pyproject.at("build-system").texts("requires"), "build", where="build-system.requires")
    version = (
        project.get("version", str) or poetry.get("version", str) or _plain(setup.get("metadata", {}).get("version"))
    )
    return Manifest(
        ECOSYSTEM_NAME,
        normalised(name) if name else "",
        folder,
        version=version or None,
        private=private or _NEVER in project.texts("classifiers"),
        needs=declared.needs,
        title=normalised(name) if name else "",
    )


def _plain(version: str | None) -> str | None:
    """Give the version of a ``setup.cfg``, unless it says where to find one."""
    return None if version is None or version.startswith(("attr:", "file:")) else version.strip()


def _add_project(project: Table, declared: Declared) -> None:
    declared.add_all(project.texts("dependencies"), where="project.dependencies")
    for extra, texts in project.at("optional-dependencies").lists():
        declared.add_all(texts, "extra", extra, f"project.optional-dependencies.{extra}")


def _add_groups(pyproject: Table, declared: Declared) -> None:
    """Add the groups of PEP 735; what a group includes is of its kind too."""
    groups = pyproject.at("dependency-groups")
    kinds = {normalised(group): {kind_of_group(group)} for group in groups.content}
    includes: dict[str, list[str]] = {group: [] for group in kinds}
    entries: list[tuple[str, str, str]] = []
    for group in groups.content:
        for number, one in enumerate(groups.get(group, list)):
            where = f"dependency-groups.{group}[{number}]"
            place = f"{declared.folder or '.'}: {where}"
            if isinstance(one, str):
                entries.append((normalised(group), one, where))
                continue
            included = typed(pyproject.path, where, one, dict).get("include-group")
            if included is None:
                declared.found.look_at("entries of groups that are not understood", place)
            elif normalised(typed(pyproject.path, f"{where}.include-group", included, str)) not in kinds:
                declared.found.look_at("groups that include one that is not there", f"{place} names {included}")
            else:
                includes[normalised(group)].append(normalised(included))
    todo = list(kinds)
    for group in todo:  # it grows while it is read, twice a group at most: there are two kinds
        for included in includes[group]:
            if not kinds[group] <= kinds[included]:
                kinds[included] |= kinds[group]
                todo.append(included)
    for group, text, where in entries:
        for kind in sorted(kinds[group]):
            declared.add(text, kind, where=where)


# ---------------------------------------------------------------------- what is told elsewhere


def _add_dynamic(
    pyproject: Table, setup: Mapping[str, Mapping[str, str]], declared: Declared, dynamic: set[str]
) -> None:
    """Add what ``project.dynamic`` leaves to be told elsewhere, where that is written down."""
    wanted = [key for key in ("dependencies", "optional-dependencies") if key in dynamic]
    if not wanted:
        return
    tool = pyproject.at("tool")
    before = len(declared.needs)
    setuptools, hooks = tool.at("setuptools", "dynamic"), tool.at("hatch", "metadata", "hooks")
    told = bool(tool.at("poetry", "dependencies").content)
    if "dependencies" in wanted and "dependencies" in setuptools.content:
        told = True
        declared.add_files(_files(setuptools.path, setuptools.content["dependencies"], "tool.setuptools.dynamic"))
    if "optional-dependencies" in wanted:
        for extra, table in setuptools.at("optional-dependencies").tables():
            told = True
            declared.add_files(_files(table.path, table.content, table.where), "extra", extra)
    for name in ("uv-dynamic-versioning", "requirements_txt"):
        hook = hooks.at(name)
        told = told or bool(hook.content)
        if "dependencies" in wanted:
            declared.add_all(hook.texts("dependencies"), where=f"{hook.where}.dependencies")
            declared.add_files(hook.texts("files"))
        for extra, texts in hook.at("optional-dependencies").lists() if "optional-dependencies" in wanted else ():
            if name == "requirements_txt":
                declared.add_files(texts, "extra", extra)
            else:
                declared.add_all(texts, "extra", extra, f"{hook.where}.optional-dependencies.{extra}")
    if not told:
        _add_setup(setup, declared, wanted)
    if not told and len(declared.needs) == before:
        declared.found.look_at(
            "packages whose dependencies are computed when they are built, and so not known (dynamic)",
            declared.folder or ".",
        )


def _files(path: Any, told: object, where: str) -> list[str]:
    """Give the names of files of setuptools' ``{file = …}``."""
    files = typed(path, where, told, dict).get("file")
    if isinstance(files, str):
        return [files]
    if files is None:
        raise ReadError(path, None, f'{where} is {described(told)} without file, expected {{file = ["…"]}}')
    return text_list(path, f"{where}.file", files)


def _add_setup(setup: Mapping[str, Mapping[str, str]], declared: Declared, wanted: Any) -> None:
    """Add what ``setup.cfg`` declares."""
    options = setup.get("options", {})
    if "dependencies" in wanted:
        _add_lines(options.get("install_requires", ""), declared, "normal", "", "options.install_requires")
    if "optional-dependencies" in wanted:
        for extra, lines in setup.get("options.extras_require", {}).items():
            _add_lines(lines, declared, "extra", extra, "options.extras_require")
    for key, kind in (("setup_requires", "build"), ("tests_require", "test")):
        _add_lines(options.get(key, ""), declared, kind, "", f"options.{key}")


def _add_lines(lines: str, declared: Declared, kind: str, group: str, where: str) -> None:
    if lines.strip().startswith("file:"):
        declared.add_files(
            [name.strip() for name in re.split(r"[,\n]", lines.strip()[5:]) if name.strip()], kind, group
        )
        return
    for line in lines.splitlines():
        text = line.partition(" #")[0].strip()
        if text and not text.startswith("#"):
            declared.add(text, kind, group, where)
