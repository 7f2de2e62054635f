"""Go: modules by their ``go.mod`` and ``go.work``, and what ``go mod graph`` prints."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph
from seqkit.readers import read_go, read_go_mod_graph

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(place: str, text: str) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def kinds(graph: RepoDependencyGraph) -> dict[tuple[str, str], str]:
    return {edge: "+".join(graph.kinds(*edge)) for edge in graph.edges}


def told(graph: RepoDependencyGraph, about: str) -> dict[str, int]:
    assert graph.report is not None
    return {remark.what: remark.count for part, remark in graph.report if part == about}


# ---------------------------------------------------------------------- modules

ROOT = """module ex.com/top // ours

go 1.24

toolchain go1.24.1

require ex.com/top/a v0.1.0 // main
require(
	ex.com/top/b v0.1.0 // indirect; because
	"ex.com/lib/v2" v2.0.0

	ex.com/top/tools v0.0.0 // indirect
	github.com/elsewhere/x v1.2.3
)

exclude ex.com/lib/v2 v2.0.1
retract [v0.9.0, v0.9.9] // too early
replace (
	ex.com/top/b => ./b
	ex.com/lib/v2 v2.0.0 => "./lib/v2"
)
tool (
	ex.com/top/tools/cmd/x
)
godebug default=go1.21
ignore ./node_modules
"""


@pytest.fixture
def tree(write: Write, tmp_path: Path) -> Path:
    write("go.mod", ROOT)
    write("a/go.mod", "module ex.com/top/a\nrequire ex.com/top/b v0.1.0\n")
    write(
        "b/go.mod",
        'module "ex.com/top/b"\r\nrequire ex.com/lib/v2 v2.0.0//indirect\r\nreplace ex.com/lib/v2 => ../lib/v2',
    )
    write("lib/v2/go.mod", "module ex.com/lib/v2")
    write("lib/go.mod", "module ex.com/lib")  # the same path without /v2 is another module
    write("tools/go.mod", "module ex.com/top/tools\n")
    write("testdata/z/go.mod", "module ex.com/z")
    write("_old/go.mod", "module ex.com/old")
    write("vendor/github.com/elsewhere/x/go.mod", "module github.com/elsewhere/x")
    return tmp_path


EDGES = {
    ("ex.com/top/a", "ex.com/top"): "normal",
    ("ex.com/top/b", "ex.com/top"): "implicit",
    ("ex.com/lib/v2", "ex.com/top"): "normal",
    ("ex.com/top/tools", "ex.com/top"): "dev+implicit",
    ("ex.com/top/b", "ex.com/top/a"): "normal",
    ("ex.com/lib/v2", "ex.com/top/b"): "implicit",
}


def test_a_tree_of_modules(tree: Path) -> None:
    for path in (tree, tree / "go.mod"):
        graph = read_graph(path, kinds="all")
        assert kinds(graph) == EDGES
        assert sorted(graph) == sorted({"ex.com/lib", *(one for pair in EDGES for one in pair)})
    assert set(read_graph(tree).edges) == set(EDGES)
    assert graph.attributes("ex.com/lib/v2") == {"path": "lib/v2", "ecosystem": "go"}


def test_a_tree_without_a_module_at_its_top(tree: Path) -> None:
    (tree / "go.mod").unlink()
    expected = {pair: why for pair, why in EDGES.items() if "ex.com/top" not in pair}
    graph = read_go(tree, kinds="all")
    assert kinds(graph) == expected
    assert len(graph) == 5
    beside = read_graph(tree, kinds="all")  # folders side by side, of which _old may be one
    assert kinds(beside) == expected
    assert set(beside) - set(graph) == {"ex.com/old"}


def test_a_workspace_has_what_it_uses(tree: Path, write: Write) -> None:
    write("fork/go.mod", "module ex.com/fork")
    write(
        "go.work",
        'go 1.24\n\nuse (\n\t.\n\t./a // first\n\t"./fork"\n)\nuse ./a\nuse ./gone\nuse ../out\n'
        "replace ex.com/top/b => ./fork\n",
    )
    for path in (tree, tree / "go.work"):
        graph = read_graph(path, kinds="all")
        assert kinds(graph) == {
            ("ex.com/top/a", "ex.com/top"): "normal",
            ("ex.com/fork", "ex.com/top"): "implicit",
            ("ex.com/fork", "ex.com/top/a"): "normal",
        }
    assert told(graph, "look at") == {"modules that are used and are not there": 1}
    left_out = told(graph, "left out")
    assert left_out["modules outside the folder, which are not read"] == 1
    assert left_out["modules below that the workspace does not use"] == 4


def test_replaced_by_another_module(write: Write, tmp_path: Path) -> None:
    write("app/go.mod", "module ex.com/app\nrequire ex.com/x v1.0.0\nreplace ex.com/x v1.0.0 => ex.com/y v1.1.0")
    write("late/go.mod", "module ex.com/late\nrequire ex.com/x v1.2.0\nreplace ex.com/x v1.0.0 => ex.com/y v1.1.0")
    write("x/go.mod", "module ex.com/x")
    write("y/go.mod", "module ex.com/y")
    assert read_graph(tmp_path).edges == [("ex.com/x", "ex.com/late"), ("ex.com/y", "ex.com/app")]


def test_sets_give_versions(tree: Path, write: Write) -> None:
    write(
        "versions.yaml",
        "module-sets:\n  stable:\n    version: v1.10.0\n    modules:\n      - ex.com/top\n      - ex.com/top/a\n"
        "  next: {version: v0.1.0, modules: [ex.com/top/b]}\nexcluded-modules: [ex.com/top/tools]\n",
    )
    graph = read_graph(tree)
    assert {one: graph.attributes(one).get("version") for one in ("ex.com/top/a", "ex.com/top/b", "ex.com/lib")} == {
        "ex.com/top/a": "v1.10.0",
        "ex.com/top/b": "v0.1.0",
        "ex.com/lib": None,
    }
    assert graph.attributes("ex.com/top/tools")["private"] is True
    write("versions.yaml", "- 1\n")
    assert "files called versions.yaml that have no module-sets" in told(read_graph(tree), "left out")
    write("versions.yaml", "module-sets: [x]\n")
    with pytest.raises(ReadError, match="module-sets is a list, expected an object"):
        read_graph(tree)


def test_broken_modules_below_are_told(tree: Path, write: Write) -> None:
    write("lib/go.mod", "module {{.Path}} {{.More}}\n")
    write("tools/go.mod", "modul ex.com/top/tools\nmodule ex.com/top/tools\n")
    graph = read_graph(tree)
    assert told(graph, "look at") == {"manifests below that cannot be read": 1}
    assert told(graph, "left out")["lines that begin with no word of Go's"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("go 1.22\n", "says no module, expected a line such as: module example.com/path"),
        ("module a\nrequire (\n\tb v1\n", r"go\.mod, line 2: require \( has no end"),
        ("module a\nrequire b\n", r"go\.mod, line 2: has 'require b', expected a module and a version"),
        ('module "a\n', "without its end, expected text in quotes"),
        ("module a b\n", "expected module and its path"),
        ("module a\nreplace b\n", "expected module .version. => module version, or => folder"),
        ("module a\nreplace => b\n", "expected module .version. => module version, or => folder"),
    ],
)
def test_what_is_malformed(write: Write, text: str, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_go(write("go.mod", text))


# ---------------------------------------------------------------------- go mod graph

PRINTED = """ex.com/app ex.com/lib/v2@v2.0.1
ex.com/app ex.com/x@v1.0.0
ex.com/app go@1.24
ex.com/lib/v2@v2.0.1 ex.com/x@v1.1.0-rc.1+incompatible
ex.com/x@v1.1.0-rc.1+incompatible ex.com/lib/v2@v2.0.0
go@1.24 toolchain@go1.24
ex.com/lone go@1.20
"""


def test_printed_graphs(write: Write) -> None:
    graph = read_graph(write("graph.txt", PRINTED))
    assert graph.edges == [
        ("ex.com/lib/v2@v2.0.0", "ex.com/x@v1.1.0-rc.1+incompatible"),
        ("ex.com/lib/v2@v2.0.1", "ex.com/app"),
        ("ex.com/x@v1.0.0", "ex.com/app"),
        ("ex.com/x@v1.1.0-rc.1+incompatible", "ex.com/lib/v2@v2.0.1"),
    ]
    assert "ex.com/lone" in graph
    assert graph.attributes("ex.com/x@v1.0.0") == {"ecosystem": "go", "version": "v1.0.0"}
    assert told(graph, "left out") == {"requirements on Go itself": 3}
    with pytest.raises(DependencyCycle, match=r"Versions kept apart have none"):
        read_graph(write("graph.txt", PRINTED), ids="name")
    joined = read_graph(write("graph.txt", PRINTED), ids="name", cycles="keep")
    assert joined.attributes("ex.com/lib/v2")["version"] == "v2.0.0 + v2.0.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a b@v1.0.0\na b c\n", "line 2: is 'a b c', expected two modules"),
        ("a @v1\n", "line 1: is 'a @v1'"),
    ],
)
def test_printed_graphs_that_are_none(write: Write, text: str, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_go_mod_graph(write("graph.txt", text))


@pytest.mark.parametrize("text", ["one line of text\n", "a b\nc d\n", "requests==2.0\n", "", "a@1 b@2\nc d@3\n"])
def test_other_texts_are_not_taken_for_it(write: Write, text: str) -> None:
    with pytest.raises(ReadError, match="is "):
        read_graph(write("notes.txt", text))


# ---------------------------------------------------------------------- damage

_WORDS = ("(", ")", "=>", '"', "`", "//", "/*", "\\", "\x00", "é", "..", "/", "module", "v1", "\n", "[", "")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_an_error_of_ours(tmp_path: Path, data: st.DataObject) -> None:
    good = {
        "go.mod": ROOT,
        "a/go.mod": "module ex.com/top/a\nrequire ex.com/top v0.1.0\n",
        "go.work": "use (\n\t.\n\t./a\n)\nreplace ex.com/top/b => ./b\n",
        "versions.yaml": "module-sets:\n  stable:\n    version: v1\n    modules: [x]\nexcluded-modules: [x]\n",
        "graph.txt": PRINTED,
    }
    damaged = data.draw(st.sampled_from(sorted(good)))
    for name, text in good.items():
        if name == damaged:
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 12)))
            text = text[:start] + data.draw(st.sampled_from(_WORDS)) + text[end:]  # noqa: PLW2901  # the damaged one
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for path in (tmp_path, tmp_path / "a", tmp_path / "go.mod", tmp_path / "graph.txt"):
        with contextlib.suppress(ReadError, DependencyCycle):
            read_graph(path, kinds="all")


# ---------------------------------------------------------------------- against Go itself

_GO = shutil.which("go")


@pytest.mark.slow
@pytest.mark.skipif(_GO is None and not os.environ.get("SEQKIT_REQUIRE_SERVICES"), reason="needs go")
def test_go_tells_the_same(tree: Path, write: Write) -> None:
    """What Go makes of a ``go.mod``, and the graph that it prints, have the requirements that we find."""
    env = {**os.environ, "GOPROXY": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}

    def go(folder: str, *words: str) -> str:
        command = [str(_GO), *words]
        return subprocess.run(command, cwd=tree / folder, env=env, check=True, capture_output=True, text=True).stdout

    told_by_go = {}
    folders = ("", "a", "b", "lib", "lib/v2", "tools")
    documents = [json.loads(go(folder, "mod", "edit", "-json")) for folder in folders]
    names = {document["Module"]["Path"] for document in documents}
    for document in documents:
        for one in document.get("Require") or []:
            if one["Path"] in names:
                why = "implicit" if one.get("Indirect") else "normal"
                told_by_go[one["Path"], document["Module"]["Path"]] = why
    assert {pair: why.replace("dev+", "") for pair, why in EDGES.items()} == told_by_go
    assert kinds(read_go(tree, kinds="all")) == EDGES
    # All from folders, so that Go needs no network to print it.
    write(
        "go.mod",
        ROOT.replace("\tgithub.com/elsewhere/x v1.2.3\n", "").replace(
            "replace (\n", "replace (\n\tex.com/top/a => ./a\n\tex.com/top/tools => ./tools\n"
        ),
    )
    printed = read_go_mod_graph(write("graph.txt", go("", "mod", "graph")), ids="name")
    assert set(printed.edges) == set(EDGES)
