"""Locks that npm wrote: every edge is one that `npm ls` tells, and what npm leaves out costs no graph."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, build_plan, read_graph

LOCKS = Path(__file__).parent / "data" / "npm_locks"
PROJECTS = sorted(folder.name for folder in LOCKS.iterdir() if (folder / "ls.json").is_file())
ALL_KINDS = ("normal", "optional", "peer", "dev")

# Where we differ from `npm ls` on purpose: edges that it tells and we don't.
EXCEPT = {
    # A bundle that npm did not unpack: `npm ls` takes the copies at the top for it, which the package, if it
    # were ever installed, would not use.
    "bundle-not-listed-beside-copies": {("ink@1.0.0", "paint-wasm@4.1.0"), ("pen@1.0.0", "paint-wasm@4.1.0")},
    # The same of a shrinkwrap that npm did not unpack.
    "sealed-beside-a-copy": {("pen@1.0.0", "sealed-there@1.0.0")},
}

# Folders that stand in the lock still, and that npm lists no more.
LEFT_BEHIND: dict[str, set[str]] = {}

Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(packages: Any, **more: Any) -> Path:
        path = tmp_path / "package-lock.json"
        path.write_text(json.dumps({"name": "app", "lockfileVersion": 3, "packages": packages} | more), "utf-8")
        return path

    return write


def told(project: str) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    lock = next(file for file in (LOCKS / project).iterdir() if file.name != "ls.json")
    document = json.loads(lock.read_text("utf-8"))
    return lock, document, json.loads((LOCKS / project / "ls.json").read_text("utf-8"))


def test_there_are_many_locks_of_every_sort() -> None:
    assert len(PROJECTS) >= 60
    for sort in ("workspace", "bundle", "sibling", "override", "alias", "peer", "optional", "hidden", "sealed"):
        assert sum(sort in project for project in PROJECTS) >= 2, sort


@pytest.mark.parametrize("project", PROJECTS)
def test_edges_are_those_that_npm_ls_tells(project: str) -> None:
    # How `npm ls` becomes edges stands in data/npm_locks/make.py. It tells what a cycle is made of as well, so
    # edges are compared before cycles are joined: kind by kind, none of which has one here but "cycle".
    lock, document, ls = told(project)
    expected = {tuple(edge) for edge in ls["edges"]} - EXCEPT.get(project, set())
    assert len(expected) == len(ls["edges"]) - len(EXCEPT.get(project, ()))
    if "" not in document["packages"]:  # npm's record of an installation does not tell what the root needs
        expected = {edge for edge in expected if ls["root"] not in edge}
    got: set[tuple[str, str]] = set()
    for kind in ALL_KINDS:
        if project == "cycle" and kind == "normal":
            with pytest.raises(DependencyCycle, match=r'"egg@1.0.0", "hen@1.0.0", "egg@1.0.0"'):
                read_graph(lock, root=True)
            got |= {("hen@1.0.0", "egg@1.0.0"), ("egg@1.0.0", "hen@1.0.0"), ("egg@1.0.0", "app@1.0.0")}
        else:
            got |= set(read_graph(lock, kinds=kind, root=True).edges)
    assert got == expected


@pytest.mark.parametrize("project", PROJECTS)
def test_repos_are_the_packages_that_npm_ls_tells(project: str) -> None:
    lock, document, ls = told(project)
    named = {repo for edge in ls["edges"] for repo in edge} | set(ls["below_the_root"]) | {ls["root"]}
    got = set(read_graph(lock, root=True, cycles="merge", kinds=()))
    if "" not in document["packages"]:
        named.discard(ls["root"])
    assert got - named == LEFT_BEHIND.get(project, set())
    assert named - got == set()
