"""What JavaScript's tools write down: pnpm's locks, the graph of nx, the dry run of turbo."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text, or a document as JSON, which is YAML too."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


def kinds(graph: RepoDependencyGraph) -> dict[tuple[str, str], str]:
    return {edge: "+".join(graph.kinds(*edge)) for edge in graph.edges}


def told(graph: RepoDependencyGraph, about: str) -> dict[str, int]:
    assert graph.report is not None
    return {remark.what: remark.count for part, remark in graph.report if part == about}


# ---------------------------------------------------------------------- pnpm

V5 = """
lockfileVersion: 5.4
importers:
  .:
    specifiers: {tool: ^1.0.0}
    devDependencies: {tool: 1.0.0}
  packages/app:
    specifiers: {ui: ^2.0.0, core: workspace:*, old: npm:ui@1, git: user/git}
    dependencies:
      ui: 2.0.0_@react+dom@17.0.2
      core: link:../core
      old: /ui/1.10.0
      git: github.com/user/git/abc123
    optionalDependencies:
      far: link:../../../far
  packages/core:
    specifiers: {}
packages:
  /tool/1.0.0:
    resolution: {integrity: sha512-x}
    dev: true
  /ui/2.0.0_@react+dom@17.0.2:
    peerDependencies: {'@react/dom': '>=16', theme: '*'}
    peerDependenciesMeta: {theme: {optional: true}}
    dependencies: {'@react/dom': 17.0.2, theme: 1.0.0, tool: 1.0.0}
    optionalDependencies: {fast: 0.1.0}
  /ui/1.10.0: {}
  /@react/dom/17.0.2: {resolution: {integrity: sha512-x}}
  /theme/1.0.0: {}
  /fast/0.1.0: {}
  github.com/user/git/abc123:
    name: git-of-user
    version: 3.0.0
"""

V6 = """
lockfileVersion: '6.0'
settings: {autoInstallPeers: true}
importers:
  .:
    devDependencies:
      tool: {specifier: ^1.0.0, version: 1.0.0}
  packages/app:
    dependencies:
      ui: {specifier: ^2.0.0, version: 2.0.0(@react/dom@17.0.2)(theme@1.0.0)}
      core: {specifier: 'workspace:*', version: link:../core}
      old: {specifier: npm:ui@1, version: /ui@1.10.0}
      git: {specifier: user/git, version: github.com/user/git/abc123}
    optionalDependencies:
      far: {specifier: link:../../../far, version: link:../../../far}
  packages/core: {}
packages:
  /tool@1.0.0: {dev: true}
  /ui@2.0.0(@react/dom@17.0.2)(theme@1.0.0):
    peerDependencies: {'@react/dom': '>=16', theme: '*'}
    peerDependenciesMeta: {theme: {optional: true}}
    dependencies: {'@react/dom': 17.0.2, theme: 1.0.0, tool: 1.0.0}
    optionalDependencies: {fast: 0.1.0}
  /ui@1.10.0: {}
  /@react/dom@17.0.2: {}
  /theme@1.0.0: {}
  /fast@0.1.0: {}
  github.com/user/git/abc123: {name: git-of-user, version: 3.0.0}
"""

V9 = """---
lockfileVersion: '9.0'
importers:
  .:
    packageManagerDependencies:
      pnpm: {specifier: 12.0.0, version: 12.0.0}
packages:
  pnpm@12.0.0: {}
---
lockfileVersion: '9.0'
importers:
  .:
    devDependencies:
      tool: {specifier: ^1.0.0, version: 1.0.0}
  packages/app:
    dependencies:
      ui: {specifier: ^2.0.0, version: 2.0.0(@react/dom@17.0.2(theme@1.0.0))}
      core: {specifier: 'workspace:*', version: link:../core}
      old: {specifier: npm:ui@1, version: ui@1.10.0}
      git: {specifier: user/git, version: 'https://host/user/git/tar.gz/abc123'}
    optionalDependencies:
      far: {specifier: link:../../../far, version: link:../../../far}
  packages/core: {}
packages:
  tool@1.0.0: {}
  ui@2.0.0:
    peerDependencies: {'@react/dom': '>=16', theme: '*'}
    peerDependenciesMeta: {theme: {optional: true}}
  ui@1.10.0: {}
  '@react/dom@17.0.2': {}
  theme@1.0.0: {}
  fast@0.1.0: {}
  git@https://host/user/git/tar.gz/abc123: {name: git-of-user, version: 3.0.0}
snapshots:
  tool@1.0.0: {}
  ui@2.0.0(@react/dom@17.0.2(theme@1.0.0)):
    dependencies: {'@react/dom': 17.0.2, theme: 1.0.0, tool: 1.0.0}
    optionalDependencies: {fast: 0.1.0}
  ui@1.10.0: {}
  '@react/dom@17.0.2': {}
  theme@1.0.0: {}
  fast@0.1.0: {}
  git@https://host/user/git/tar.gz/abc123: {}
"""


@pytest.mark.parametrize("lock", [V5, V6, V9], ids=["5", "6", "9"])
def test_pnpm_locks_say_the_same(write: Write, lock: str) -> None:
    path = write("pnpm-lock.yaml", lock)
    graph = read_graph(path, kinds="all")
    of_packages = {
        ("@react/dom@17.0.2", "ui@2.0.0"): "peer",
        ("theme@1.0.0", "ui@2.0.0"): "optional",
        ("tool@1.0.0", "ui@2.0.0"): "normal",
        ("fast@0.1.0", "ui@2.0.0"): "optional",
    }
    of_folders = {
        ("ui@2.0.0", "packages/app"): "normal",
        ("packages/core", "packages/app"): "normal",
        ("ui@1.10.0", "packages/app"): "normal",
        ("git-of-user@3.0.0", "packages/app"): "normal",
    }
    assert kinds(graph) == of_packages | of_folders
    assert graph.attributes("ui@1.10.0") == {"version": "1.10.0", "ecosystem": "npm"}
    left_out = told(graph, "left out")
    assert left_out["links to folders that the lock does not hold"] == 1
    assert left_out.get("documents that lock pnpm itself and its configuration", 0) == (lock == V9)
    assert kinds(read_graph(path, kinds="all", root=True)) == kinds(graph) | {("tool@1.0.0", "."): "dev"}
    by_name = read_graph(path, ids="name", kinds="normal")
    assert by_name.attributes("ui")["version"] == "1.10.0 + 2.0.0"


def test_pnpm_locks_of_one_package(write: Write) -> None:
    head = "lockfileVersion: '6.0'\ndependencies:\n  a: {specifier: ^1.0.0, version: 1.0.0}\n"
    path = write("pnpm-lock.yaml", head + "packages:\n  /a@1.0.0: {dependencies: {b: 2.0.0}}\n  /b@2.0.0: {}\n")
    assert read_graph(path).edges == [("b@2.0.0", "a@1.0.0")]
    assert read_graph(path, root=True).edges == [("a@1.0.0", "."), ("b@2.0.0", "a@1.0.0")]
    assert list(read_graph(write("pnpm-lock.yaml", "lockfileVersion: '9.0'\n"))) == []


@pytest.mark.parametrize(
    ("lock", "message"),
    [
        ("", "has no lockfileVersion"),
        ("lockfileVersion: 3\n", "lockfileVersion is '3', expected 5, 6 or 9"),
        ("lockfileVersion: [9]\n", "lockfileVersion is a list, expected text"),
        ("lockfileVersion: '9.0'\nsnapshots: {a@1: {dependencies: {b: 1.0.0}}}\n", "'b' '1.0.0', which is nowhere"),
        ("lockfileVersion: '9.0'\nimporters: {.: {dependencies: {b: {specifier: '1'}}}}\n", "'b'].version is null"),
        ("lockfileVersion: '9.0'\nsnapshots: {a@1: [1]}\n", "is a list, expected an object"),
        ("lockfileVersion: '9.0'\npackages: 3\n", "packages is '3', expected an object"),
        ("- 1", "the document is a list"),
        ("a: &a [*a, *a]\nlockfileVersion: '9.0'\npackages: *a\n", "is no YAML: found unconstructable recursive node"),
    ],
)
def test_pnpm_locks_that_are_malformed(write: Write, lock: str, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_graph(write("pnpm-lock.yaml", lock), root=True)
    assert message in str(caught.value)


# ---------------------------------------------------------------------- nx

NX: dict[str, Any] = {
    "nodes": {
        "app": {
            "name": "app",
            "type": "app",
            "data": {"root": "apps/app", "metadata": {"js": {"packageName": "@w/app"}}},
        },
        "core": {"name": "core", "type": "lib", "data": {"root": "libs/core", "metadata": {}}},
        "app-e2e": {"name": "app-e2e", "type": "e2e", "data": {"root": "apps/app-e2e"}},
    },
    "dependencies": {
        "app": [
            {"source": "app", "target": "core", "type": "static"},
            {"source": "app", "target": "core", "type": "dynamic"},
            {"source": "app", "target": "npm:react", "type": "static"},
        ],
        "core": [],
        "app-e2e": [
            {"source": "app-e2e", "target": "app", "type": "implicit"},
            {"source": "app-e2e", "target": "core", "type": "odd"},
        ],
        "npm:react": [{"source": "npm:react", "target": "npm:scheduler", "type": "static"}],
    },
}


@pytest.mark.parametrize("document", [NX, {"graph": NX}, {"graph": NX, "tasks": {}}, {"version": "6.0", **NX}])
def test_nx(write: Write, document: Any) -> None:
    graph = read_graph(write("graph.json", document))
    assert kinds(graph) == {("core", "app"): "normal", ("core", "app-e2e"): "normal", ("app", "app-e2e"): "implicit"}
    assert graph.attributes("app") == {"path": "apps/app", "type": "app", "package": "@w/app"}
    assert told(graph, "left out") == {
        "dependencies on packages from elsewhere": 1,
        "dependencies of packages from elsewhere": 1,
    }
    assert told(graph, "guessed") == {"dependencies of a type that nx does not have, taken for normal ones": 1}
    assert graph.report is not None
    assert graph.report.format == "nx"


def test_nx_that_is_malformed(write: Write) -> None:
    for key in ("nodes", "dependencies"):
        with pytest.raises(ReadError, match=f"has no table `{key}`"):
            read_graph(write("graph.json", {k: v for k, v in NX.items() if k != key}), "nx")
    with pytest.raises(ReadError, match="neither"):
        read_graph(write("graph.json", {"nodes": [], "dependencies": []}))


# ---------------------------------------------------------------------- turbo


def task(name: str, *needs: str, **more: Any) -> dict[str, Any]:
    return {"taskId": name, "package": name.partition("#")[0], "dependencies": list(needs), "dependents": [], **more}


TURBO: dict[str, Any] = {
    "id": "2x",
    "turboVersion": "2.5.0",
    "packages": ["//", "@w/app", "core", "lonely"],
    "tasks": [
        task("@w/app#build", "core#build", "//#prepare", directory="apps/app"),
        task("@w/app#test", "@w/app#build", "core#build", "tool#build", directory="apps/app"),
        task("core#build", directory="packages/core"),
        task("tool#build", command="<NONEXISTENT>"),
        task("//#prepare"),
        task("//#lint", "core#build"),
    ],
}


@pytest.mark.parametrize("before", ["", "• Packages in scope: {a}, core\n\n> top@ build\n> turbo run build\n"])
def test_turbo(write: Write, before: str) -> None:
    graph = read_graph(write("dry.json", before + json.dumps(TURBO, indent=2) + "\n"))
    assert kinds(graph) == {("core", "@w/app"): "normal", ("tool", "@w/app"): "normal"}
    assert list(graph) == ["@w/app", "core", "lonely", "tool"]
    assert graph.attributes("@w/app") == {"path": "apps/app", "ecosystem": "npm"}
    assert told(graph, "left out") == {"waits for tasks of the root, or of the root": 2}


def test_turbo_that_is_malformed(write: Write) -> None:
    text = json.dumps(TURBO, indent=2)
    with pytest.raises(ReadError, match="is not JSON") as caught:
        read_graph(write("dry.json", "> turbo\n\n" + text[:-2] + ","))
    assert caught.value.line == 2 + text.count("\n")
    with pytest.raises(ReadError, match=r"has no line that begins with \{"):
        read_graph(write("dry.txt", "nothing"), "turbo")
    with pytest.raises(ReadError, match="tasks is null, expected a list"):
        read_graph(write("dry.json", "{}"), "turbo")


def test_turbo_folds_to_what_may_be_a_cycle(write: Write) -> None:
    tasks = [task("a#build"), task("a#test", "b#build"), task("b#build", "a#build")]
    with pytest.raises(DependencyCycle):
        read_graph(write("dry.json", {"tasks": tasks}))


# ---------------------------------------------------------------------- damage

_junk = st.sampled_from([None, True, 3, "", "x", "\ud800", [], {}, [[]], {"a": {}}, "link:../../..", "npm:x"])
_GOOD: dict[str, Any] = {
    "nx": {"graph": NX},
    "turbo": TURBO,
    "pnpm": {
        "lockfileVersion": "9.0",
        "importers": {"a": {"dependencies": {"b": {"specifier": "1", "version": "1.0.0"}}}, ".": {}},
        "packages": {"b@1.0.0": {"peerDependencies": {"c": "1"}, "peerDependenciesMeta": {"c": {"optional": True}}}},
        "snapshots": {"b@1.0.0": {"dependencies": {"c": "2.0.0"}}, "c@2.0.0": {"name": "c", "version": "3"}},
    },
}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_damage_is_an_error_of_ours(tmp_path: Path, data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(sorted(_GOOD)))
    holder = document = copy.deepcopy(_GOOD[format])
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.integers(0, 3)):
            holder = holder[key]
            continue
        break
    if data.draw(st.booleans()):
        holder[key] = data.draw(_junk)
    else:
        del holder[key]
    text = json.dumps(document)
    if data.draw(st.integers(0, 3)) == 0:
        text = text[: data.draw(st.integers(0, len(text)))]
    path = tmp_path / "file"
    path.write_text(text)
    with contextlib.suppress(ReadError, DependencyCycle):
        assert len(read_graph(path, format)) >= 0
