"""Python's common lock files, ``pylock.toml`` and ``pylock.*.toml`` (PEP 751)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from seqkit.core.graph import Cycles, RepoDependencyGraph
from seqkit.core.kinds import Kinds
from seqkit.errors import ReadError
from seqkit.readers._asked import Ask
from seqkit.readers._documents import load_toml
from seqkit.readers._exact_ids import Exact, Ids, check_options
from seqkit.readers._files import Opened, PathLike, described, typed
from seqkit.readers._gathered import Gathered
from seqkit.readers._python_locks import Packages, locked
from seqkit.readers._python_tools import Table
from seqkit.readers._requirements import normalised

__all__ = ["is_pylock", "read_pylock"]

_SIGN = re.compile(r"^lock-version\s*=", re.M)
_SOURCES = ("vcs", "directory", "archive")


def is_pylock(file: Opened) -> bool:
    """Tell whether a file is one, by the key that it must have."""
    return _SIGN.search(file.text) is not None


def read_pylock(
    path: PathLike, *, ids: Ids = "name@version", kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    """Read a lock as PEP 751 has it; every package in it is a repo, with its `version` as attribute.

    That a lock says who needs whom is left to those who write it, and many do not (pip, uv): then there are packages
    but no edges, and the report says so; read the lock of the tool itself (``uv.lock``, ``poetry.lock``) or a report of
    pip. What the lock is for does not stand in it. Markers stand at packages, not at dependencies, which all count; all
    are ``normal``.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``pylock.toml``.
    ids : {"name@version", "name"}
        As in :func:`seqkit.readers.uv_lock.read_uv`.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is no such lock, or a package needs another that is not in the lock.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    check_options(ids, kinds, cycles)
    document = Table(path, load_toml(path))
    listed = document.content.get("packages")
    if "lock-version" not in document.content or not isinstance(listed, list):
        raise ReadError(path, None, "has no lock-version and list of packages, expected a pylock.toml (PEP 751)")
    tables = [
        Table(path, typed(path, f"packages[{number}]", content, dict), f"packages[{number}]")
        for number, content in enumerate(listed)
    ]
    packages = Packages(path, [_locked(table) for table in tables])
    asks = []
    for index, table in enumerate(tables):
        for number, one in enumerate(
            typed(path, table.place("dependencies"), table.content.get("dependencies", []), list)
        ):
            where = f"{table.place('dependencies')}[{number}]"
            wanted = typed(path, where, one, dict)
            name = normalised(typed(path, f"{where}.name", wanted.get("name", ""), str))
            targets = [target for target in packages.named(name) if _fits(wanted, tables[target].content)]
            if not targets:
                raise ReadError(path, None, f"{where} needs {described(name)}, of which the lock has none that fits")
            asks += [Ask(index, target) for target in targets]

    def tell(found: Gathered, names: Sequence[str]) -> None:
        if not any("dependencies" in table.content for table in tables):
            found.look_at(
                "the lock does not say who needs whom, which is left to those who write it: read uv.lock, poetry.lock "
                "or a report of pip (pip install --dry-run --report) instead"
            )

    return packages.to_graph("pylock", asks, ids, kinds, cycles, tell)


def _locked(table: Table) -> Exact:
    source, folder = "", None
    for kind in _SOURCES:
        if kind in table.content:
            place = table.at(kind)
            source = place.get("url", str) or place.get("path", str) or kind
            folder = place.get("path", str) if kind == "directory" else None
    marker = table.get("marker", str)
    return locked(table, source or marker or "", folder)


def _fits(wanted: Any, content: Any) -> bool:
    """Tell whether a package has all that a dependency says of it (PEP 751: as much as tells it from others)."""
    if isinstance(wanted, dict):
        return isinstance(content, dict) and all(
            key == "name" or (key in content and _fits(value, content[key])) for key, value in wanted.items()
        )
    return bool(wanted == content)
