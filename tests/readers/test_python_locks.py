"""uv's and Poetry's locks and PEP 751's: versions that are told apart, groups that somebody asks for."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, RepoDependencyGraph, SeqkitError, read_graph
from seqkit.readers._poetry_versions import meets

UV = """
version = 1
revision = 3
requires-python = ">=3.10"

[manifest]
members = ["app", "lib"]

[[package]]
name = "app"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "lib", extra = ["fast"] },
    { name = "num", version = "1.0", marker = "python_full_version < '3.12'" },
    { name = "num", version = "2.0", source = { registry = "https://example.org/simple" } },
    { name = "old", marker = "python_full_version < '3.9'" },
]

[package.optional-dependencies]
docs = [{ name = "theme" }]

[package.dev-dependencies]
dev = [{ name = "tool" }]
tests = [{ name = "tool" }]

[[package]]
name = "lib"
source = { editable = "packages/lib" }

[package.optional-dependencies]
fast = [{ name = "kernel", version = "1", source = { git = "https://example.org/kernel?rev=a#b" } }]
slow = [{ name = "kernel", version = "1", source = { registry = "https://example.org/simple" } }]

[[package]]
name = "kernel"
version = "1"
source = { git = "https://example.org/kernel?rev=a#b" }

[[package]]
name = "kernel"
version = "1"
source = { registry = "https://example.org/simple" }

[[package]]
name = "num"
version = "1.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "num"
version = "2.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "old"
version = "1"
source = { registry = "https://example.org/simple" }

[[package]]
name = "theme"
version = "1"
source = { registry = "https://example.org/simple" }

[[package]]
name = "tool"
version = "1"
source = { registry = "https://example.org/simple" }
"""

POETRY = """
[[package]]
name = "Lib"
version = "1.5"
category = "main"
optional = false

[package.dependencies]
Num = [{version = ">=1,<2", markers = "python_version < \\"3.12\\""}, {version = "^2.1"}]
PySocks = {version = "*", optional = true, markers = "extra == \\"socks\\""}
gone = {version = "*", optional = true}
old = {version = "*", markers = "python_version < \\"3\\""}
strange = "latest"

[package.source]
type = "directory"
url = "../lib"

[[package]]
name = "num"
version = "1.9"
groups = ["main", "dev"]

[[package]]
name = "num"
version = "2.3"

[[package]]
name = "pysocks"
version = "1"

[[package]]
name = "old"
version = "1"

[[package]]
name = "strange"
version = "1"

[[package]]
name = "strange"
version = "2"

[extras]
more = ["num"]

[metadata]
lock-version = "2.0"
python-versions = "^3.9"
content-hash = "0"
"""

PYLOCK = """
lock-version = "1.0"
created-by = "somebody"

[[packages]]
name = "app"
version = "1"
dependencies = [{name = "lib", vcs = {url = "https://example.org/lib"}}, {name = "num"}]

[[packages]]
name = "lib"
vcs = {type = "git", url = "https://example.org/lib", commit-id = "0"}

[[packages]]
name = "lib"
version = "2"
marker = "python_version < '3.10'"

[[packages]]
name = "num"
version = "1"
"""


def read(path: Path, text: str, **options: Any) -> RepoDependencyGraph:
    path.write_text(text, "utf-8")
    return read_graph(path, **options)


def told(graph: RepoDependencyGraph) -> dict[str, list[str]]:
    return {f"{after} needs {before}": list(graph.kinds(before, after)) for before, after in graph.edges}


def remarks(graph: RepoDependencyGraph) -> str:
    assert graph.report is not None
    return "\n".join(graph.report.lines())


def test_a_lock_of_uv(tmp_path: Path) -> None:
    graph = read(tmp_path / "uv.lock", UV, kinds="all")
    registry = "kernel@1 (registry https://example.org/simple)"
    kinds = told(graph)
    assert {what: kind for what, kind in kinds.items() if "kernel" not in what} == {
        "app@0.1 needs lib": ["normal"],
        "app@0.1 needs num@1.0": ["normal"],
        "app@0.1 needs num@2.0": ["normal"],
        "app@0.1 needs theme@1": ["extra"],
        "app@0.1 needs tool@1": ["dev", "test"],
    }
    assert kinds[f"lib needs {registry}"] == ["extra"]
    assert [kind for what, kind in kinds.items() if "(git" in what] == [["normal"]]
    assert graph.attributes("app@0.1") == {"version": "0.1", "path": ".", "ecosystem": "pypi"}
    assert graph.attributes("lib") == {"path": "packages/lib", "ecosystem": "pypi"}
    assert "1 dependencies whose markers can never hold: app@0.1 needs old@1" in remarks(graph)
    by_name = read_graph(tmp_path / "uv.lock", ids="name")
    assert sorted(by_name) == ["app", "kernel", "lib", "num", "old", "theme", "tool"]
    assert by_name.attributes("num")["version"] == "1.0 + 2.0"


def test_an_early_lock_of_uv(tmp_path: Path) -> None:
    text = (
        'version = 1\nrequires-python = ">=3.8"\n[[distribution]]\nname = "a"\nversion = "1"\nsource = "editable+."\n'
    )
    text += (
        'dependencies = [{name = "b"}]\n[[distribution]]\nname = "b"\nversion = "2"\nsource = "registry+https://x"\n'
    )
    assert read(tmp_path / "other.lock", text).edges == [("b@2", "a@1")]


def test_a_lock_of_poetry(tmp_path: Path) -> None:
    graph = read(tmp_path / "poetry.lock", POETRY)
    assert sorted(graph.dependencies_of("lib@1.5")) == [
        "num@1.9",
        "num@2.3",
        "pysocks@1",
        "strange@1",
        "strange@2",
    ]
    assert graph.attributes("lib@1.5") == {
        "version": "1.5",
        "ecosystem": "pypi",
        "path": "../lib",
        "groups": ["main"],
    }
    text = remarks(graph)
    assert "1 optional dependencies on packages that are not locked: lib@1.5 needs gone *" in text
    assert "1 dependencies whose markers can never hold: lib@1.5 needs old" in text
    assert "1 dependencies that no locked version meets; all versions are taken: lib@1.5 needs strange latest" in text
    assert read(tmp_path / "saved.lock", POETRY) == graph


@pytest.mark.parametrize(
    ("constraint", "met", "missed"),
    [
        ("^1.2.3", "1.9 1.2.3", "2 1.2.2"),
        ("^0.2.3", "0.2.9", "0.3 0.2.2"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0", "0.9", "1"),
        ("~1.2.3", "1.2.9", "1.3"),
        ("~1", "1.9", "2"),
        ("~=1.2.3", "1.2.9", "1.3"),
        ("1.*", "1.9", "2"),
        ("*", "1 2.0a1", ""),
        ("1.2", "1.2.0", "1.2.1"),
        ("=1.2", "1.2", "1.3"),
        (">=1 <2", "1.5", "2"),
        (">= 1, != 1.5", "1.4 2", "1.5"),
        ("<1 || >=2,<3 || ==4", "0.5 2.5 4", "1 3"),
        ("<1|>=2", "0.5 2", "1"),
        ("latest", "", "1"),
    ],
)
def test_constraints_of_poetry(constraint: str, met: str, missed: str) -> None:
    assert [version for version in f"{met} {missed}".split() if meets(version, constraint)] == met.split()


def test_a_common_lock(tmp_path: Path) -> None:
    graph = read(tmp_path / "pylock.dev.toml", PYLOCK)
    assert graph.edges == [("lib", "app@1"), ("num@1", "app@1")]
    assert list(graph) == ["app@1", "lib", "lib@2", "num@1"]


def test_a_common_lock_that_does_not_say_who_needs_whom(tmp_path: Path) -> None:
    text = "\n".join(line for line in PYLOCK.splitlines() if not line.startswith("dependencies"))
    graph = read(tmp_path / "pylock.toml", text)
    assert (len(graph), graph.edges) == (4, [])
    assert "packages but no edges" in remarks(graph)
    assert remarks(graph).splitlines()[-1] == (
        "look at: the lock does not say who needs whom, which is left to those who write it: read uv.lock, poetry.lock "
        "or a report of pip (pip install --dry-run --report) instead"
    )


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("uv.lock", "a = 1", "expected a uv.lock"),
        (
            "uv.lock",
            UV.replace('{ name = "theme" }', '{ name = "gone" }'),
            "needs 'gone', which is nowhere in the lock",
        ),
        ("uv.lock", UV.replace('{ name = "theme" }', "1"), "package[0].optional-dependencies.docs[0] is 1"),
        ("poetry.lock", "a = 1", "expected a poetry.lock"),
        ("poetry.lock", POETRY.replace('"latest"', "7"), "package[0].dependencies.strange is 7"),
        ("pylock.toml", "lock-version = '1.0'", "expected a pylock.toml"),
        (
            "pylock.toml",
            PYLOCK.replace('{name = "num"}', '{name = "nun"}'),
            "'nun', of which the lock has none that fits",
        ),
        ("some.toml", "a = 1", "is not a pylock.toml"),
        ("some.lock", "a = 1", "a uv.lock (no "),
    ],
)
def test_faults_are_named(tmp_path: Path, name: str, text: str, fault: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(tmp_path / name, text)
    assert fault in str(caught.value)


@pytest.mark.parametrize("count", [200, pytest.param(20_000, marks=pytest.mark.slow)])
def test_damaged_locks_give_a_graph_or_an_error_of_ours(tmp_path: Path, count: int) -> None:
    rng = random.Random(11)
    for _ in range(count):
        name, text = rng.choice((("uv.lock", UV), ("poetry.lock", POETRY), ("pylock.toml", PYLOCK)))
        start = rng.randrange(len(text))
        end = min(len(text), start + rng.choice((1, 2, 5, 20, 80)))
        piece = rng.choice(("", text[start:end] * 2, "{}", "[]", "1", '"x"', "\n", "[[a]]", "="))
        try:
            read(tmp_path / name, text[:start] + piece + text[end:], kinds="all", cycles="keep")
        except SeqkitError:
            continue


@pytest.mark.slow
def test_edges_are_those_that_uv_exports(tmp_path: Path) -> None:
    uv = shutil.which("uv")
    if uv is None:
        if os.environ.get("SEQKIT_REQUIRE_SERVICES"):
            pytest.fail("uv is not installed")
        pytest.skip("uv is not installed")
    root = '[project]\nname = "root"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["lib[fast]"]\n'
    root += '[dependency-groups]\ndev = ["tool"]\n[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.uv.sources]\n'
    root += "lib = { workspace = true }\ntool = { workspace = true }\nkernel = { workspace = true }\n"
    (tmp_path / "pyproject.toml").write_text(root)
    for name, more in (
        ("lib", '[project.optional-dependencies]\nfast = ["kernel"]\nslow = ["tool"]\n'),
        ("kernel", ""),
        ("tool", "dependencies = [\"kernel; sys_platform == 'win32'\"]\n"),
    ):
        (tmp_path / "packages" / name).mkdir(parents=True)
        text = f'[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.10"\n{more}'
        (tmp_path / "packages" / name / "pyproject.toml").write_text(text)
    subprocess.run([uv, "lock", "--offline", "--quiet"], cwd=tmp_path, check=True)
    asked = ["--format", "cyclonedx1.5", "--all-packages", "--all-extras", "--all-groups", "--quiet", "--frozen"]
    done = subprocess.run([uv, "export", *asked], cwd=tmp_path, check=True, capture_output=True, text=True)
    document = json.loads(done.stdout)
    names = {part["bom-ref"]: f"{part['name']}@{part['version']}" for part in document["components"]}
    edges = {
        (names[needed], names[row["ref"]])
        for row in document["dependencies"]
        if row["ref"] in names
        for needed in row.get("dependsOn", ())
    }
    assert set(read_graph(tmp_path / "uv.lock", kinds="all").edges) == edges
    manifests = read_graph(tmp_path, kinds="all").edges
    assert {(f"{before}@1", f"{after}@1") for before, after in manifests} == edges
