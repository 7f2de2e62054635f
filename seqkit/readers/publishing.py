"""Kubernetes' publishing bot: the rules by which one repository is published as many, ``rules.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seqkit._util.secrets import as_given
from seqkit.core.graph import Cycles, RepoDependencyGraph, check_cycles
from seqkit.core.kinds import Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._documents import load_yaml
from seqkit.readers._files import Opened, PathLike, typed
from seqkit.readers._gathered import Gathered

__all__ = ["is_publishing_rules", "read_publishing_rules"]

_RULES = re.compile(r"^rules\s*:", re.M)
_DESTINATION = re.compile(r"^\s*(?:- +)?destination\s*:", re.M)
_BRANCHES = re.compile(r"^\s*(?:- +)?branches\s*:", re.M)


def is_publishing_rules(file: Opened) -> bool:
    """Tell whether a file has `rules` with a `destination` and `branches`."""
    return all(sign.search(file.text) for sign in (_RULES, _DESTINATION, _BRANCHES))


def read_publishing_rules(
    path: PathLike, *, branch: str | None = None, kinds: Kinds = None, cycles: Cycles = "error"
) -> RepoDependencyGraph:
    r"""Read rules of the publishing bot; every repository that is published to is a repo.

    Each rule lists, for each branch of its `destination`, the repositories that have to be published before. A
    repository that others depend on and that has no rule is published by somebody else: it is counted, and no repo.

    Parameters
    ----------
    path : str or pathlib.Path
        A ``rules.yaml``.
    branch : str, optional
        Read the rules for branches of this name alone, such as ``"master"``. By default those of all branches count:
        a dependency that any branch has.
    kinds : str or collection of str, or None
        Which dependencies count; as all are ``normal``, there is nothing to choose.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Returns
    -------
    RepoDependencyGraph
        With `branches` (a list), `path`, the folder that the last branch read is made of, and `library` (true, where it
        says so) as attributes.

    Raises
    ------
    ReadError
        Where the file is malformed, or no rule has the branch.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> text = '''
    ... rules:
    ... - destination: machinery
    ...   branches: [{name: main}]
    ... - destination: client
    ...   branches: [{name: main, dependencies: [{repository: machinery, branch: main}]}]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "rules.yaml")
    ...     _ = file.write_text(text)
    ...     read_publishing_rules(file).edges
    [('machinery', 'client')]
    """
    check_cycles(cycles)
    chosen_kinds(kinds)
    if branch is not None and not isinstance(branch, str):
        raise TypeError(f"branch is {as_given(branch, 200)}, expected the name of a branch, or None for all")
    documents = [one for one in load_yaml(path) if isinstance(one, dict) and "rules" in one]
    if not documents:
        raise ReadError(path, None, "has no `rules`, expected rules of the publishing bot")
    found = Gathered(path, "publishing-rules", knows_kinds=False)
    needs: list[tuple[str, str]] = []
    branches_told: set[tuple[str, str]] = set()
    for place, rule in _tables(path, "rules", documents[0]["rules"]):
        name = typed(path, f"{place}.destination", rule.get("destination"), str)
        if not name:
            raise ReadError(path, None, f"{place} has no destination")
        branches = list(_tables(path, f"{place}.branches", rule.get("branches", [])))
        told = [(where, one) for where, one in branches if branch is None or one.get("name") == branch]
        if branch is not None and not told:
            found.left_out("repositories without a rule for the branch", name)
            continue
        found.package(name, library=True if rule.get("library") == "true" else None)
        for where, one in told:
            _tell_branch(path, where, name, one, found, branches_told)
            for at, need in _tables(path, f"{where}.dependencies", one.get("dependencies", [])):
                needs.append((name, typed(path, f"{at}.repository", need.get("repository"), str)))
    if not found.nodes:
        which = "has no rules" if branch is None else f"has no rule for the branch {as_given(branch, 200)}"
        raise ReadError(path, None, f"{which}, expected some of the publishing bot")
    for dependent, dependency in needs:
        if dependency in found.nodes:
            found.needs(dependent, dependency)
        else:
            found.left_out("dependencies on repositories without a rule", f"{dependent} needs {dependency}")
    return found.to_graph(kinds, cycles)


def _tell_branch(
    path: PathLike, place: str, name: str, rule: dict[str, Any], found: Gathered, told: set[tuple[str, str]]
) -> None:
    branch = rule.get("name")
    if isinstance(branch, str) and branch and (name, branch) not in told:
        told.add((name, branch))
        found.nodes[name].setdefault("branches", []).append(branch)
    source = rule.get("source", "") or {}
    folders = typed(path, f"{place}.source", source, dict)
    folder = folders.get("dir", folders.get("dirs"))  # `dirs` since several folders can make one repository
    if isinstance(folder, list) and len(folder) == 1:
        folder = folder[0]
    if isinstance(folder, str) and folder:
        found.package(name, path=folder)


def _tables(path: PathLike, place: str, value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the tables of a list, each with its place; one that is left empty is none."""
    for number, one in enumerate(typed(path, place, [] if value == "" else value, list)):
        yield f"{place}[{number}]", typed(path, f"{place}[{number}]", one, dict)
