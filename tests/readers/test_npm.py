"""Locks that npm wrote: every edge is one that `npm ls` tells, and what npm leaves out costs no graph."""

from __future__ import annotations

import ast
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, build_plan, read_graph

LOCKS = Path(__file__).parents[1] / "data" / "npm_locks"
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


def test_nothing_in_the_fixtures_tells_where_they_were_made() -> None:
    for file in LOCKS.rglob("*.json"):
        text = file.read_text("utf-8")
        assert not any(word in text for word in ("http", "127.0.0.1", "/tmp", "/home", "localhost")), file


# ---------------------------------------------------------------------- what npm leaves out, piece by piece


def entry(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {"version": version} | more


NEEDS_B = {"dependencies": {"b": "1"}}


@pytest.mark.parametrize(
    "packages",
    [
        {"node_modules/a": entry(**NEEDS_B, bundleDependencies=["b"])},
        {"node_modules/a": entry(**NEEDS_B, bundledDependencies=["b"])},
        {"node_modules/a": entry(**NEEDS_B, bundleDependencies=True)},
        {"node_modules/x/node_modules/@s/a": entry(**NEEDS_B, bundleDependencies=["b"])},
        {"node_modules/a": entry(**NEEDS_B, inBundle=True)},
        {"node_modules/a": entry(**NEEDS_B, hasShrinkwrap=True)},
        {"node_modules/x": entry(hasShrinkwrap=True), "node_modules/x/node_modules/a": entry(**NEEDS_B)},
        {"node_modules/a": entry(**NEEDS_B, optional=True)},
        {"node_modules/a": entry(**NEEDS_B, extraneous=True)},
        {"": {}, "kit": entry(**NEEDS_B, bundleDependencies=["b"])},
        {"": {}, "../a": entry(**NEEDS_B)},
        {"": {}, "../../far/a": entry(**NEEDS_B)},
        {"": {}, "..": entry(**NEEDS_B)},
        {"": {}, "/srv/a": entry(**NEEDS_B)},
        {"": {}, "D:/repos/a": entry(**NEEDS_B)},
        {"kit": entry(**NEEDS_B)},  # without the root: npm's record of an installation
        {"kit": entry(devDependencies={"b": "1"})},
        {"": {}, "node_modules/a": entry(devDependencies={"b": "1"})},
        {"": {}, "node_modules/a": entry(peerDependencies={"b": "1"})},
        {"": {}, "node_modules/a": entry(dependencies={"b": "1"}, optionalDependencies={"b": "1"})},
    ],
)
def test_what_npm_leaves_out_is_passed_over(write: Write, packages: dict[str, Any]) -> None:
    assert read_graph(write(packages), kinds=ALL_KINDS).edges == []


@pytest.mark.parametrize(
    "packages",
    [
        {"": {}, "node_modules/a": entry(**NEEDS_B)},
        {"": {}, "node_modules/a": entry(**NEEDS_B, bundleDependencies=["c"])},
        {"": {}, "node_modules/a": entry(**NEEDS_B, hasShrinkwrap=False, bundleDependencies=[])},
        {"": {}, "packages/a": entry(**NEEDS_B)},
        {"": {}, "packages/a": entry(devDependencies={"b": "1"})},
        {"": NEEDS_B},
        {"": NEEDS_B | {"bundleDependencies": ["b"]}},
        {"": {}, "../x": entry(), "node_modules/a": entry(**NEEDS_B)},
        {"": {}, "node_modules/x": entry(hasShrinkwrap=True), "node_modules/a": entry(**NEEDS_B)},
    ],
)
def test_what_npm_would_not_leave_out_is_an_error(write: Write, packages: dict[str, Any]) -> None:
    with pytest.raises(
        ReadError, match=r"needs 'b', which is nowhere in the lock; run `npm install --package-lock-only`"
    ):
        read_graph(write(packages), root=True, kinds=ALL_KINDS)


def test_a_record_of_an_installation_names_the_file_to_read(write: Write) -> None:
    with pytest.raises(ReadError, match=r"and read package-lock\.json: this one does not describe the whole project$"):
        read_graph(write({"node_modules/a": entry(**NEEDS_B)}))


def test_a_bundle_takes_its_own_copy_and_no_other(write: Write) -> None:
    packages = {"node_modules/a": entry(**NEEDS_B, bundleDependencies=["b"]), "node_modules/b": entry("9.0.0")}
    assert read_graph(write(packages)).edges == []
    packages["node_modules/a/node_modules/b"] = entry("1.5.0", inBundle=True)
    assert read_graph(write(packages)).edges == [("b@1.5.0", "a@1.0.0")]


def test_a_bundle_inside_a_bundle(write: Write) -> None:
    packages = {
        "node_modules/a": entry(dependencies={"b": "1", "c": "1"}, bundleDependencies=["b", "c"]),
        "node_modules/a/node_modules/b": entry(dependencies={"c": "1"}, bundleDependencies=["c"], inBundle=True),
        "node_modules/a/node_modules/c": entry(inBundle=True),
    }
    assert read_graph(write(packages)).edges == [("b@1.0.0", "a@1.0.0"), ("c@1.0.0", "a@1.0.0"), ("c@1.0.0", "b@1.0.0")]


def test_a_peer_is_never_carried_along(write: Write) -> None:
    packages = {
        "node_modules/a": entry(peerDependencies={"b": "1"}, bundleDependencies=["b"], hasShrinkwrap=True),
        "node_modules/b": entry(),
    }
    assert read_graph(write(packages)).edges == [("b@1.0.0", "a@1.0.0")]


def test_folders_beside_the_lock_see_nothing_inside_it(write: Write) -> None:
    for folder in ("../lib", "../../far/lib", "..", "/srv/lib", "/lib", "C:/lib", "c:"):
        packages = {
            "": {"dependencies": {"lib": "file:x", "b": "1"}},
            folder: entry(**NEEDS_B, name="lib"),
            "node_modules/lib": {"resolved": folder, "link": True},
            "node_modules/b": entry("2.0.0"),
        }
        assert read_graph(write(packages, version="3.0.0"), root=True).edges == [
            ("b@2.0.0", "app@3.0.0"),
            ("lib@1.0.0", "app@3.0.0"),
        ]


def test_a_link_that_leads_out_of_the_lock(write: Write) -> None:
    # npm 7 to 10 took locks without an entry for the folder; the name of the link is all that is known.
    for folder in ("../lib", "../../a/../lib", "/srv/lib", "C:/lib"):
        packages = {"": {"dependencies": {"@s/lib": "*"}}, "node_modules/@s/lib": {"resolved": folder, "link": True}}
        assert read_graph(write(packages), root=True).edges == [("@s/lib", "app")]
    with pytest.raises(
        ReadError, match=r"links to 'inside/lib', which is no folder of the lock; delete the lock and let"
    ):
        read_graph(write({"node_modules/lib": {"resolved": "inside/lib", "link": True}}))


def test_the_way_a_link_is_written_does_not_matter(write: Write) -> None:
    for told in ("packages/a b", "./packages/a b", "packages//a b/", "packages/x/../a b"):
        packages = {
            "": {"dependencies": {"a": "*"}},
            "packages/a b": entry(name="a"),
            "node_modules/a": {"resolved": told, "link": True},
        }
        assert read_graph(write(packages), root=True).edges == [("a@1.0.0", "app")]


def test_a_link_to_the_root(write: Write) -> None:
    for told in ("", "."):
        packages = {
            "": {"name": "mono", "version": "1.0.0"},
            "a": entry(dependencies={"mono": "file:.."}),
            "node_modules/mono": {"resolved": told, "link": True},
        }
        assert read_graph(write(packages)).edges == []
        assert read_graph(write(packages), root=True).edges == [("mono@1.0.0", "a@1.0.0")]
        del packages[""]
        assert list(read_graph(write(packages), root=True)) == ["a@1.0.0"]


def test_the_version_of_the_root_stands_at_the_top_or_nowhere(write: Write) -> None:
    packages = {"": {"name": "train", "dependencies": {"core": "1.0.0"}}, "node_modules/core": entry()}
    graph = read_graph(write(packages, version="0.7.1"), root=True)
    assert graph.edges == [("core@1.0.0", "train@0.7.1")]
    assert [item.version_label for item in build_plan(graph).items] == ["1.0.0", "0.7.1"]
    packages[""]["version"] = "2.0.0"
    assert "train@2.0.0" in read_graph(write(packages, version="0.7.1"), root=True)
    del packages[""]["version"]
    assert "train" in read_graph(write(packages), root=True)
    assert read_graph(write(packages, version="0.7.1"), root=True, ids="name").attributes("train") == {
        "version": "0.7.1"
    }
    with pytest.raises(ReadError, match="version is 7, expected text"):
        read_graph(write(packages, version=7), root=True)


def test_folders_of_npm_itself_are_no_packages(write: Write) -> None:
    store = "node_modules/.store/a@1.0.0-X1"
    packages: dict[str, Any] = {
        store: {},
        f"{store}/node_modules/a": entry(**NEEDS_B),
        f"{store}/node_modules/b": entry(),
        "packages/.config": entry(),
    }
    graph = read_graph(write(packages))
    assert (sorted(graph), graph.edges) == ([".config@1.0.0", "a@1.0.0", "b@1.0.0"], [("b@1.0.0", "a@1.0.0")])


# ---------------------------------------------------------------------- cycles


def cyclic(write: Write, needs: dict[str, dict[str, list[str]]], **options: Any) -> DependencyCycle:
    packages = {
        f"node_modules/{name}": entry(**{section: dict.fromkeys(names, "1") for section, names in sections.items()})
        for name, sections in needs.items()
    }
    with pytest.raises(DependencyCycle) as caught:
        read_graph(write(packages), **options)
    return caught.value


def test_a_cycle_names_the_kinds_whose_leaving_opens_it(write: Write) -> None:
    error = cyclic(write, {"agent": {"dependencies": ["box"]}, "box": {"peerDependencies": ["agent"]}})
    assert str(error) == (
        'dependency cycle detected involving repos: ["agent@1.0.0", "box@1.0.0", "agent@1.0.0"]; the edges have '
        '1 cyclic component in all: remove an edge of each, or pass cycles="merge" to release each as one unit'
        ', or "keep" to see them. Here '
        "box@1.0.0 needs agent@1.0.0 (peer), agent@1.0.0 needs box@1.0.0 (normal); the peer dependency is most easily "
        "done without. There is no cycle without peer dependencies: read_graph(…, kinds=('normal',))"
    )
    assert (error.repos, error.components) == (["agent@1.0.0", "box@1.0.0", "agent@1.0.0"], 1)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.repos, copy.components) == (str(error), error.repos, 1)


def test_advice_can_be_followed(write: Write, tmp_path: Path) -> None:
    needs = {
        "a": {"dependencies": ["b"], "peerDependencies": ["c"]},
        "b": {"dependencies": [], "optionalDependencies": ["a"]},
        "c": {"dependencies": ["a"]},
    }
    text = str(cyclic(write, needs))
    assert text.endswith("no cycle without peer and optional dependencies: read_graph(…, kinds=('normal',))")
    assert read_graph(tmp_path / "package-lock.json", kinds=("normal",)).topological_order()
    needs["b"]["peerDependencies"], needs["d"] = ["a"], {"optionalDependencies": ["a"]}
    needs["a"]["peerDependencies"] = ["b", "d"]
    needs["a"]["dependencies"] = ["b", "d"]
    for kinds in (("normal", "peer"), ("normal", "optional", "peer")):
        text = str(cyclic(write, needs, kinds=kinds))
        for advised in _advised(text):
            assert read_graph(tmp_path / "package-lock.json", kinds=advised).topological_order()


def _advised(text: str) -> list[tuple[str, ...]]:
    found = [ast.literal_eval(told) for told in re.findall(r"kinds=(\([^)]*\))", text)]
    assert found
    return found


def test_two_kinds_have_to_go_where_one_is_not_enough(write: Write) -> None:
    both = {"peerDependencies": ["a"], "optionalDependencies": ["a"]}
    needs = {
        "a": {"dependencies": ["b"]},
        "b": both,
        "x": {"peerDependencies": ["y"]},
        "y": {"peerDependencies": ["x"]},
    }
    text = str(cyclic(write, needs | {"n": {"dependencies": ["m"]}, "m": {"dependencies": ["n"]}}))
    assert text.endswith(
        "Normal dependencies alone have a cycle; there is none without normal and peer dependencies: "
        "read_graph(…, kinds=('optional',))"
    )


def test_a_cycle_that_no_choice_of_kinds_opens_says_so(write: Write) -> None:
    loop = {"a": {"dependencies": ["b"]}, "b": {"dependencies": ["a"]}}
    assert str(cyclic(write, loop)).endswith("Other kinds= do not open it: it is made of normal dependencies")
    loop |= {"c": {"peerDependencies": ["d"]}, "d": {"peerDependencies": ["c"]}}
    assert str(cyclic(write, loop)).endswith("(kinds=) opens it: those of each kind alone have one")


def test_a_cycle_of_names_says_that_versions_have_none(write: Write) -> None:
    packages = {
        "node_modules/a": entry("1.0.0", **NEEDS_B),
        "node_modules/b": entry(dependencies={"a": "2"}),
        "node_modules/b/node_modules/a": entry("2.0.0"),
    }
    path = write(packages)
    with pytest.raises(DependencyCycle, match=r'Versions kept apart have none: read_graph\(…, ids="name@version"\)$'):
        read_graph(path, ids="name")
    assert read_graph(path, ids="name@version").edges == [("a@2.0.0", "b@1.0.0"), ("b@1.0.0", "a@1.0.0")]


def test_elsewhere_the_advice_is_what_that_call_takes() -> None:
    from_edges, compose = RepoDependencyGraph.from_edges, RepoDependencyGraph.compose
    drawn: nx.DiGraph[str] = nx.DiGraph([("a", "b"), ("b", "a")])
    with pytest.raises(DependencyCycle) as caught:
        compose(from_edges([("a", "b")]), from_edges([("b", "a")]))
    assert str(caught.value).endswith(
        'in all: remove an edge of each, or give all edges to RepoDependencyGraph.from_edges(…, cycles="merge")'
    )
    assert list(from_edges(drawn.edges, cycles="merge")) == ["a+b"]
    with pytest.raises(DependencyCycle) as caught:
        RepoDependencyGraph.from_networkx(drawn, "dependency_to_dependent")
    assert str(caught.value).endswith(
        'in all: remove an edge of each, or pass cycles="merge" to release each as one unit, or "keep" to see them'
    )
    assert list(RepoDependencyGraph.from_networkx(drawn, "dependency_to_dependent", cycles="merge")) == ["a+b"]
