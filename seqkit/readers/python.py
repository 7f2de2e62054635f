"""Python packages in a folder: a uv workspace, Poetry's path dependencies, or packages that lie side by side."""

from __future__ import annotations

import os
import re

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.readers._files import PathLike, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._globs import chosen
from seqkit.readers._manifests import Ecosystem, Manifest, read_manifests
from seqkit.readers._pyproject import ECOSYSTEM_NAME, load_pyproject, read_package, sources_of
from seqkit.readers._python_tools import Table
from seqkit.readers._tree import Tree

__all__ = ["PYTHON", "read_python"]

_FILES = ("pyproject.toml", "setup.cfg", "setup.py")
_DEEPEST = 3  # folders below a checkout: sdk/core/azure-core, libs/partners/openai
_NOT_RELEASED = re.compile(
    r"benchmarks?|demos?|docs?|examples?|fixtures?|samples?|templates?|(integration_)?tests?|testing|test_?data|third_party",
    re.IGNORECASE,
)


def read_python(path: PathLike, *, kinds: Kinds = None, cycles: Cycles = "error") -> RepoDependencyGraph:
    r"""Read the Python packages of a folder from their ``pyproject.toml`` and ``setup.cfg``.

    The packages are the members of a uv (or Rye) workspace, what path dependencies of uv and Poetry lead to, and,
    where there is no such workspace, packages up to three folders below, but for those in folders called ``tests``,
    ``docs``, ``examples`` and the like. Ids are names as PyPI compares them (PEP 503: lower case, runs of ``-_.`` as
    ``-``). Packages that are not below the folder are not repos; what is needed of them is counted in the report.

    Read are ``[project]``, ``[dependency-groups]``, ``[build-system]``, ``[tool.poetry]``, ``[tool.uv]``,
    ``[tool.rye]``, ``[tool.pdm.dev-dependencies]``, ``[tool.hatch.envs]``, and files of requirements where ``dynamic``
    dependencies are told in such. ``setup.py`` is a program and is not run: a package that is described there alone is
    left out, and where dependencies are computed as it is built the report says so.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder, or one of the files in it that say so.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. ``normal`` are dependencies, whatever the version that they ask for; ``build`` what
        ``build-system.requires`` and ``setup_requires`` name; ``dev`` those of groups of development (PEP 735,
        Poetry, PDM, Hatch's environments), ``test`` where the group is called test, tests or testing; ``extra`` those
        of optional groups that none of the packages asks for by ``name[group]``. Of a group that somebody asks for
        they are ``normal``, or ``dev`` and ``test`` where only development does. A requirement with a marker counts
        unless the marker can never hold with the versions of Python that the package is for.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the folder has none of these files, or one that is named is malformed.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, needs in (("core", []), ("app", ["Core>=1"])):
    ...         pathlib.Path(folder, name).mkdir()
    ...         text = f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {needs}\n'
    ...         _ = pathlib.Path(folder, name, "pyproject.toml").write_text(text)
    ...     graph = read_python(folder)
    >>> graph.edges, graph.attributes("app")
    ([('core', 'app')], {'version': '1.0', 'path': 'app', 'ecosystem': 'pypi'})
    """
    return read_manifests(PYTHON, path, "python", kinds, cycles)


def _workspaces(pyproject: Table) -> list[Table]:
    """Give the tables that name the members of a workspace."""
    tool = pyproject.at("tool")
    tables = [tool.at(name, "workspace") for name in ("uv", "rye") if "workspace" in tool.at(name).content]
    return tables + [
        environment.at("workspace")
        for _, environment in tool.at("hatch", "envs").tables()
        if environment.at("workspace").content
    ]


def _is_workspace(tree: Tree, folder: str) -> bool:
    pyproject = load_pyproject(tree, folder)
    return bool(_workspaces(pyproject)) or any(
        _is_below(place, folder) and place != folder for place in sources_of(pyproject, folder).values()
    )


def _manifests(tree: Tree, folder: str, found: Gathered) -> list[Manifest]:
    """Read the package in a folder, the members of its workspace, and what path dependencies lead to below it."""
    pyproject = load_pyproject(tree, folder)
    workspaces = _workspaces(pyproject)
    # uv: what the root says of sources holds for all members.
    shared = sources_of(pyproject, folder) if workspaces else {}
    manifests = []
    todo = list(dict.fromkeys([folder, *_members(tree, folder, workspaces, found)]))
    for place in todo:  # it grows while it is read
        manifest = read_package(tree, place, found, shared if place != folder else {})
        if manifest is not None:
            manifests.append(manifest)
        elif place == folder and workspaces:
            manifests.append(Manifest(ECOSYSTEM_NAME, "", folder, root=True))
        for need in manifest.needs if manifest is not None else ():
            other = need.folder
            if other is not None and other not in todo and _is_below(other, folder) and PYTHON.is_in(tree, other):
                todo.append(other)
    return manifests


def _members(tree: Tree, folder: str, workspaces: list[Table], found: Gathered) -> list[str]:
    """List the folders of the members of a workspace."""
    members: dict[str, None] = {}
    for table in workspaces:
        patterns = [*_patterns(table, "members"), *(f"!{pattern}" for pattern in _patterns(table, "exclude"))]
        named = chosen(tree, folder, patterns, _FILES[:1])
        members.update(dict.fromkeys(named.folders))
        for pattern in named.idle:
            found.look_at("members of workspaces that are not there", f"{table.where}.members has {pattern}")
        for pattern in named.outside:
            found.left_out("members of workspaces that lie outside of the folder", pattern)
    return list(members)


def _patterns(table: Table, key: str) -> list[str]:
    """Give patterns of folders; Hatch may write one as a table."""
    entries = typed(table.path, table.place(key), table.content.get(key, []), list)
    return [
        typed(table.path, f"{table.place(key)}[{number}]", one.get("path") if isinstance(one, dict) else one, str)
        for number, one in enumerate(entries)
    ]


def _others(tree: Tree, folder: str) -> list[str]:
    """List packages that lie below a checkout, where no workspace names them."""
    if _workspaces(load_pyproject(tree, folder)) or _NOT_RELEASED.fullmatch(folder.rpartition("/")[2]):
        return []
    places, level = [], [folder]
    for _ in range(_DEEPEST):
        level = [
            below
            for place in level
            for below in tree.folders(place)
            if not _NOT_RELEASED.fullmatch(below.rpartition("/")[2]) and "{" not in below
        ]
        places += [place for place in level if PYTHON.is_in(tree, place)]
    # A link to one of them is no second package.
    real = {os.path.realpath(tree.path(place)): place for place in sorted(places, reverse=True)}
    return sorted(real.values())


def _is_below(place: str, folder: str) -> bool:
    return not folder or place == folder or place.startswith(f"{folder}/")


PYTHON = Ecosystem(ECOSYSTEM_NAME, _FILES, _manifests, _is_workspace, format="python", others=_others)
