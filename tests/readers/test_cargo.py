"""Cargo: workspaces by their manifests, what ``cargo metadata`` prints, and locks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph
from seqkit.readers import read_cargo, read_cargo_lock, read_cargo_metadata

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a manifest: of a package, if it has a name, and whatever else stands in it."""

    def write(place: str, name: str = "", rest: str = "", version: str = 'version = "1.0.0"') -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Cargo.toml").write_text(f'[package]\nname = "{name}"\n{version}\n{rest}' if name else rest)
        return folder

    return write


def kinds(graph: RepoDependencyGraph) -> dict[tuple[str, str], str]:
    return {edge: "+".join(graph.kinds(*edge)) for edge in graph.edges}


def read(path: Path, **options: Any) -> RepoDependencyGraph:
    return read_graph(path, kinds="all", cycles="keep", **options)


def told(graph: RepoDependencyGraph, about: str) -> dict[str, int]:
    assert graph.report is not None
    return {remark.what: remark.count for part, remark in graph.report if part == about}


# ---------------------------------------------------------------------- members


def test_members_by_patterns_by_name_and_by_path(write: Write, tmp_path: Path) -> None:
    write("", rest='[workspace]\nmembers = ["crates/*", "./tools/gen/"]')
    write("crates/a", "a", '[dev-dependencies]\nhidden = {path = "../../lib/hidden"}')
    write("tools/gen", "gen")
    write("tools/not", "not")
    write("lib/hidden", "hidden", '[target."cfg(unix)".build-dependencies]\ndeep = {path = "deep"}')
    write("lib/hidden/deep", "deep")
    (tmp_path / "crates/readme").mkdir()  # no manifest: a pattern passes over it
    graph = read(tmp_path)
    assert sorted(graph) == ["a", "deep", "gen", "hidden"]
    assert kinds(graph) == {("hidden", "a"): "dev", ("deep", "hidden"): "build"}


def test_what_is_excluded_is_no_member_unless_it_is_named(write: Write, tmp_path: Path) -> None:
    write("", rest='[workspace]\nmembers = ["crates/*", "old/kept"]\nexclude = ["old", "crates/b"]')
    write("crates/a", "a", '[dependencies]\nb = {path = "../b"}\nkept = {path = "../../old/kept"}')
    write("crates/b", "b")
    write("crates/bb", "bb")  # its name begins alike, which does not exclude it
    write("old/kept", "kept")
    graph = read(tmp_path)
    assert sorted(graph) == ["a", "bb", "kept"]
    assert graph.edges == [("kept", "a")]
    assert told(graph, "left out")["packages that the workspace excludes"] == 1


def test_workspaces_inside_are_no_part(write: Write, tmp_path: Path) -> None:
    write("", "top", '[workspace]\nmembers = ["crates/*"]')
    write("crates/a", "a")
    write("crates/other", "other", '[workspace]\nmembers = ["in"]')
    write("crates/other/in", "in")
    graph = read(tmp_path)
    assert list(graph) == ["top", "a"]
    assert told(graph, "left out") == {"workspaces inside the workspace, which are no part of it": 1}


def test_members_that_are_not_there_or_outside_are_told(write: Write, tmp_path: Path) -> None:
    top = write("work", rest='[workspace]\nmembers = ["a", "gone", "../beside", "virtual"]')
    write("work/a", "a", '[dependencies]\nbeside = {path = "../../beside"}')
    write("work/virtual", rest="[profile.dev]\n")
    write("beside", "beside")
    graph = read(top)
    assert list(graph) == ["a"]
    assert told(graph, "left out")["members outside the folder, which are not read"] == 1
    assert told(graph, "look at") == {
        "members that are named and are not there": 1,
        "members without a package": 1,
    }


def test_a_package_without_a_workspace_has_what_it_needs_below(write: Write, tmp_path: Path) -> None:
    write("", "top", '[dependencies]\ntop-macros = {path = "macros"}')
    write("macros", "top-macros")
    write("fuzz", "fuzz", '[dependencies]\ntop = {path = ".."}')
    for path in (tmp_path, tmp_path / "Cargo.toml"):
        assert read(path).edges == [("top-macros", "top")]


# ---------------------------------------------------------------------- dependencies


def test_kinds_of_dependencies(write: Write, tmp_path: Path) -> None:
    write("", rest='[workspace]\nmembers = ["*"]')
    for name in ("normal", "build", "optional", "dev", "old", "both"):
        write(name, name)
    write(
        "app",
        "app",
        """
        [dependencies]
        normal = {path = "../normal"}
        optional = {path = "../optional", optional = true}
        both.path = "../both"
        [build-dependencies]
        build = {path = "../build"}
        [dev-dependencies]
        dev = {path = "../dev"}
        both = {path = "../both", version = "1"}
        [dev_dependencies]
        old = {path = "../old"}
        [target.x86_64-unknown-linux-gnu.build-dependencies]
        normal = {path = "../normal", optional = true}
        """,
    )
    assert {before: why for (before, _), why in kinds(read(tmp_path)).items()} == {
        "normal": "normal+optional",
        "build": "build",
        "optional": "optional",
        "dev": "dev",
        "old": "dev",
        "both": "normal+dev",
    }
    assert {before for before, _ in read_graph(tmp_path).edges} == {"normal", "build", "optional", "both"}


def test_renamed_and_inherited(write: Write, tmp_path: Path) -> None:
    write(
        "",
        rest="""
        [workspace]
        members = ["crates/*"]
        [workspace.package]
        version = "3.1.0"
        publish = false
        [workspace.dependencies]
        heart = {package = "core-x", path = "crates/core"}
        """,
    )
    write("crates/core", "core-x", "publish.workspace = true", version="version.workspace = true")
    write("crates/api", "api", "[dependencies]\nheart = {workspace = true, optional = true}", version="")
    write("crates/app", "app", '[dev-dependencies]\nheart.workspace = true\nfoo = {package = "api", path = "../api"}')
    graph = read(tmp_path)
    assert kinds(graph) == {("core-x", "api"): "optional", ("core-x", "app"): "dev", ("api", "app"): "dev"}
    core = {"version": "3.1.0", "path": "crates/core", "ecosystem": "cargo", "private": True}
    assert graph.attributes("core-x") == core
    # Cargo's rule for packages without a version.
    assert graph.attributes("api") == {"version": "0.0.0", "path": "crates/api", "ecosystem": "cargo", "private": True}


def test_a_member_by_version_alone_is_the_published_one(write: Write, tmp_path: Path) -> None:
    root = '[workspace]\nmembers = ["*"]\n'
    write("", rest=root)
    write("core", "core", '[dev-dependencies]\ncore = {path = "."}')
    write("bench", "bench", '[dependencies]\nlast = {package = "core", version = "1.0"}')
    graph = read(tmp_path)
    assert graph.edges == []
    assert told(graph, "left out")["dependencies on members by version alone, which Cargo takes from the registry"] == 1
    write("", rest=root + '[patch.crates-io]\ncore = {path = "core"}')
    assert read(tmp_path).edges == [("core", "bench")]
    write("", rest=root + '[replace]\n"core:1.0.0" = {path = "core"}')
    assert read(tmp_path).edges == [("core", "bench")]
    write("bench", "bench", '[dependencies]\ncore = {git = "https://example.com/Core.git"}')
    write("", rest=root + '[patch."https://example.com/core"]\ncore = {path = "core"}')
    assert read(tmp_path).edges == [("core", "bench")]


def test_side_by_side_packages_are_joined_by_name_and_version(write: Write, tmp_path: Path) -> None:
    write("core", "core", version='version = "1.4.0"')
    write("near", "near", '[dependencies]\ncore = "1.2"\nserde = ">=1, <2"')
    write("far", "far", '[dependencies]\nx = {package = "core", version = "0.9"}')
    write("exact", "exact", '[dependencies]\ncore = "=1.4.0"')
    write("star", "star", '[dependencies]\ncore = "1.*"')
    write("git", "git", '[dependencies]\ncore = {git = "https://example.com/core", version = "2"}')
    write("lost", "lost", '[dependencies]\ncore = {path = "../../elsewhere/core"}')
    write("member", "member", "[dependencies]\ncore.workspace = true", version="version.workspace = true")
    graph = read(tmp_path)
    assert sorted(after for _, after in graph.edges) == ["exact", "git", "lost", "member", "near", "star"]
    assert told(graph, "guessed") == {
        "dependencies of which the root of a workspace says more, taken by their names": 1,
        "packages without a version, which stands in the root of their workspace": 1,
    }


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["", "dev-", "build-"])), max_size=15))
def test_a_workspace_without_its_root_is_the_same(tmp_path: Path, needs: list[tuple[int, int, str]]) -> None:
    shutil.rmtree(tmp_path / "work", ignore_errors=True)
    for at in range(6):
        sections: dict[str, set[str]] = {}
        for dependent, dependency, section in needs:
            if dependent == at:
                sections.setdefault(section, set()).add(f'm{dependency} = {{path = "../m{dependency}"}}\n')
        text = "".join(f"[{section}dependencies]\n{''.join(rows)}" for section, rows in sections.items())
        (tmp_path / f"work/m{at}").mkdir(parents=True)
        (tmp_path / f"work/m{at}/Cargo.toml").write_text(f'[package]\nname = "m{at}"\nversion = "1.0.0"\n{text}')
    split = read(tmp_path / "work")
    (tmp_path / "work/Cargo.toml").write_text('[workspace]\nmembers = ["m*"]')
    assert kinds(read(tmp_path / "work")) == kinds(split)
    names = {"": "normal", "dev-": "dev", "build-": "build"}
    assert {(before, after, why) for (before, after), all_ in kinds(split).items() for why in all_.split("+")} == {
        (f"m{dependency}", f"m{dependent}", names[section])
        for dependent, dependency, section in needs
        if dependent != dependency
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[package]\nname = 3", r"package\.name is 3, expected text"),
        ("[package]\nversion = '1'", r"package\.name is null, expected text"),
        ("[workspace]\nmembers = 'a'", r"workspace\.members is 'a', expected a list"),
        ("[dependencies]\na = [1]\n[package]\nname = 'x'", r"dependencies\.a is a list, expected an object"),
        ("[package\n", "is no TOML"),
        ("target = 1\n[package]\nname = 'x'", "target is 1, expected an object"),
    ],
)
def test_what_is_malformed(write: Write, tmp_path: Path, text: str, message: str) -> None:
    write("", rest=text)
    with pytest.raises(ReadError, match=message):
        read_cargo(tmp_path)


def test_a_link_in_circles_and_out(write: Write, tmp_path: Path) -> None:
    top = write("top", rest='[workspace]\nmembers = ["**"]')
    write("top/a", "a")
    write("out", "out")
    (top / "a" / "round").symlink_to(top)
    (top / "b").symlink_to(tmp_path / "out")
    graph = read(top)
    assert list(graph) == ["a"]


# ---------------------------------------------------------------------- metadata


def metadata(**changes: Any) -> dict[str, Any]:
    def package(name: str, one: str, *needs: dict[str, Any], **more: Any) -> dict[str, Any]:
        place = f"/w/{name}/Cargo.toml"
        return {"name": name, "version": "1.0.0", "id": one, "manifest_path": place, "dependencies": needs, **more}

    local: dict[str, Any] = {"source": None, "req": "*", "kind": None, "optional": False}
    registry = "registry+https://example.com/index"
    document = {
        "packages": [
            package(
                "app",
                "app 1.0.0 (path+file:///w/app)",
                {**local, "name": "core", "path": "/w/core"},
                {**local, "name": "extra", "path": "/w/extra", "optional": True},
                {**local, "name": "core", "path": "/w/core", "kind": "dev"},
                {**local, "name": "log", "source": registry},
                publish=[],
            ),
            package("core", "path+file:///w/core#1.0.0", {**local, "name": "log", "source": registry, "kind": "build"}),
            package("extra", "path+file:///w/extra#extra@1.0.0"),
            package("log", f"{registry}#log@1.0.0", source=registry),
        ],
        "workspace_members": [
            "app 1.0.0 (path+file:///w/app)",
            "path+file:///w/core#1.0.0",
            "path+file:///w/extra#extra@1.0.0",
        ],
        "workspace_root": "/w",
        "resolve": {
            "nodes": [
                {
                    "id": "app 1.0.0 (path+file:///w/app)",
                    "dependencies": ["path+file:///w/core#1.0.0", f"{registry}#log@1.0.0"],
                    "deps": [
                        {
                            "name": "core",
                            "pkg": "path+file:///w/core#1.0.0",
                            "dep_kinds": [{"kind": None, "target": None}, {"kind": "dev", "target": None}],
                        },
                        {"name": "log", "pkg": f"{registry}#log@1.0.0", "dep_kinds": [{"kind": None}]},
                    ],
                },
                {
                    "id": "path+file:///w/core#1.0.0",
                    "dependencies": [f"{registry}#log@1.0.0"],
                    "deps": [{"name": "log", "pkg": f"{registry}#log@1.0.0", "dep_kinds": [{"kind": "build"}]}],
                },
                {"id": "path+file:///w/extra#extra@1.0.0", "dependencies": [], "deps": []},
                {"id": f"{registry}#log@1.0.0", "dependencies": [], "deps": []},
            ],
            "root": "app 1.0.0 (path+file:///w/app)",
        },
    }
    return {**document, **changes}


@pytest.fixture
def printed(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def printed(document: dict[str, Any]) -> Path:
        path = tmp_path / "metadata.json"
        path.write_text(json.dumps(document))
        return path

    return printed


_AMONG_MEMBERS = {("core", "app"): "normal+dev", ("extra", "app"): "optional"}


@pytest.mark.parametrize("with_resolve", [True, False])
def test_metadata_of_members(printed: Callable[[dict[str, Any]], Path], with_resolve: bool) -> None:
    graph = read(printed(metadata() if with_resolve else metadata(resolve=None)))
    assert kinds(graph) == _AMONG_MEMBERS
    assert graph.attributes("app") == {"path": "app", "ecosystem": "cargo", "version": "1.0.0", "private": True}
    assert told(graph, "left out")['packages that are no members; packages="all" has them'] == 1


def test_metadata_of_all_packages_whatever_wrote_it(printed: Callable[[dict[str, Any]], Path]) -> None:
    document = metadata()
    expected = {
        ("core@1.0.0", "app@1.0.0"): "normal+dev",
        ("extra@1.0.0", "app@1.0.0"): "optional",
        ("log@1.0.0", "app@1.0.0"): "normal",
        ("log@1.0.0", "core@1.0.0"): "build",
    }
    assert kinds(read(printed(document), packages="all")) == expected
    for node in document["resolve"]["nodes"]:  # before Cargo 1.41
        for dep in node["deps"]:
            del dep["dep_kinds"]
    assert kinds(read(printed(document), packages="all")) == expected
    for node in document["resolve"]["nodes"]:  # before Cargo 1.32
        del node["deps"]
    for package in document["packages"]:  # before Cargo 1.51
        for need in package["dependencies"]:
            need.pop("path", None)
    assert kinds(read(printed(document), packages="all")) == expected
    assert kinds(read(printed(document))) == _AMONG_MEMBERS


def test_metadata_of_windows(printed: Callable[[dict[str, Any]], Path]) -> None:
    text = json.dumps(metadata(resolve=None)).replace("/w/", "C:\\\\w\\\\").replace("\\\\Cargo", "\\\\Cargo")
    document = json.loads(text)
    assert kinds(read(printed(document))) == _AMONG_MEMBERS


def test_metadata_that_names_strangers(printed: Callable[[dict[str, Any]], Path]) -> None:
    document = metadata()
    document["workspace_members"].append("gone")
    assert told(read(printed(document)), "look at") == {"members that are not among the packages": 1}
    document["resolve"]["nodes"].append({"id": "gone"})
    with pytest.raises(ReadError, match="'gone', which is not among the packages"):
        read(printed(document))
    with pytest.raises(ReadError, match="has no workspace_members, expected what `cargo metadata` prints"):
        read_cargo_metadata(printed({"packages": []}))
    with pytest.raises(ValueError, match="packages is 'some', expected one of"):
        read_cargo_metadata(printed(metadata()), packages="some")  # type: ignore[arg-type]


# ---------------------------------------------------------------------- locks

REGISTRY = "registry+https://example.org/index"


def lock(tmp_path: Path, *packages: tuple[str, str, str, list[str]], head: str = "version = 3", name: str = "") -> Path:
    rows = [head]
    for package, version, source, needs in packages:
        rows += ["", "[[package]]", f'name = "{package}"', f'version = "{version}"']
        rows += [f'source = "{source}"'] if source else []
        rows += [f"dependencies = {json.dumps(needs)}"] if needs else []
    path = tmp_path / (name or "Cargo.lock")
    path.write_text("\n".join(rows))
    return path


@pytest.mark.parametrize(
    "head", ["", "version = 3", "version = 4", "# This file is automatically @generated by Cargo."]
)
def test_locks_say_no_more_than_they_must(tmp_path: Path, head: str) -> None:
    git = "git+https://example.com/x?branch=main"
    path = lock(
        tmp_path,
        ("app", "1.0.0", "", ["log", "rand 0.8.5", f"rand 0.9.0 ({REGISTRY})", f"x 1.0.0 ({git})", "own 2.0.0"]),
        ("log", "0.4.1", REGISTRY, []),
        ("own", "2.0.0", "", []),
        ("own", "2.0.0", REGISTRY, []),
        ("rand", "0.8.5", REGISTRY, []),
        ("rand", "0.9.0", REGISTRY, ["log"]),
        ("x", "1.0.0", f"{git}#0123", []),
        ("x", "1.0.0", REGISTRY, ["app"]),
        head=head,
    )
    graph = read(path)
    assert [before for before, after in graph.edges if after == "app@1.0.0"] == [
        "log@0.4.1",
        "own@2.0.0",
        "rand@0.8.5",
        "rand@0.9.0",
        "x@1.0.0 (git+https://example.com/x?***)",  # what may be a secret is not shown
    ]
    assert ("app@1.0.0", f"x@1.0.0 ({REGISTRY})") in graph.edges
    assert f"own@2.0.0 ({REGISTRY})" in graph
    joined = read(path, ids="name")
    assert joined.attributes("rand")["version"] == "0.8.5 + 0.9.0"
    with pytest.raises(DependencyCycle, match=r'Versions kept apart have none: read_graph\(…, ids="name@version"\)'):
        read_graph(path, ids="name")
    assert len(read_graph(path)) == 8


def test_old_locks_have_a_root_and_replacements(tmp_path: Path) -> None:
    path = tmp_path / "old.lock"
    path.write_text(
        f"""
[root]
name = "app"
version = "0.1.0"
dependencies = ["log 0.3.0 ({REGISTRY})"]

[[package]]
name = "log"
version = "0.3.0"
source = "{REGISTRY}"
replace = "log 0.3.0 (git+https://example.com/log#1)"

[[package]]
name = "log"
version = "0.3.0"
source = "git+https://example.com/log#1"

[[patch.unused]]
name = "idle"
version = "1.0.0"

[metadata]
"checksum log 0.3.0 ({REGISTRY})" = "00"
"""
    )
    graph = read_graph(path)
    assert graph.edges == [("log@0.3.0 (git+https://example.com/log#1)", "app@0.1.0")]
    assert told(graph, "left out") == {"patches that nothing uses": 1}


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (["gone"], "package app 1.0.0 needs 'gone', which is nowhere in the lock"),
        (["log 9.0.0"], "which is nowhere in the lock"),
        (["log"], "which could be 2 packages of the lock; run `cargo generate-lockfile`"),
    ],
)
def test_locks_that_are_incomplete(tmp_path: Path, needs: list[str], message: str) -> None:
    path = lock(tmp_path, ("app", "1.0.0", "", needs), ("log", "0.3.0", REGISTRY, []), ("log", "0.4.0", REGISTRY, []))
    with pytest.raises(ReadError, match=message):
        read_cargo_lock(path)


def test_files_that_are_no_locks(tmp_path: Path) -> None:
    (tmp_path / "Cargo.lock").write_text("a = 1")
    with pytest.raises(ReadError, match=r"has no list of packages, expected a Cargo\.lock"):
        read_graph(tmp_path / "Cargo.lock")
    newer = read_graph(lock(tmp_path, ("a", "1.0.0", "", []), head="version = 5"))
    assert told(newer, "guessed") == {"the lock is of a version after 4; it was read as one of that version": 0}


# ---------------------------------------------------------------------- damage

_GOOD = {
    "Cargo.toml": """[workspace]
members = ["crates/*", "x"]
exclude = ["y"]
[workspace.package]
version = "1.0.0"
[workspace.dependencies]
core = {path = "crates/core", version = "1"}
[patch.crates-io]
log = {path = "x"}
[replace]
"a:1" = {path = "x"}
""",
    "crates/core/Cargo.toml": '[package]\nname = "core"\nversion = {workspace = true}\npublish = ["x"]\n',
    "crates/app/Cargo.toml": """[package]
name = "app"
version = "1.0.0"
[dependencies]
core = {workspace = true, optional = true}
log = "0.4"
[target.'cfg(unix)'.dev-dependencies]
x = {path = "../../x", package = "log"}
""",
    "x/Cargo.toml": '[project]\nname = "log"\nversion = "0.4.0"\n',
    "Cargo.lock": f"""version = 3
[[package]]
name = "app"
version = "1.0.0"
dependencies = ["log 0.4.0 ({REGISTRY})", "core"]
[[package]]
name = "core"
version = "1.0.0"
[[package]]
name = "log"
version = "0.4.0"
source = "{REGISTRY}"
replace = "core 1.0.0"
""",
    "metadata.json": json.dumps(metadata(), indent=0),
}
_WORDS = ("3", "true", "null", '""', '"x"', "[]", "[[]]", "{}", '{"a": 1}', '"../.."', '"**"', '"\\ud800"', "-1.5", "=")


@pytest.mark.filterwarnings("ignore::seqkit.ReadWarning")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_an_error_of_ours(tmp_path: Path, data: st.DataObject) -> None:
    damaged = data.draw(st.sampled_from(sorted(_GOOD)))
    for name, text in _GOOD.items():
        if name == damaged:
            lines = text.split("\n")
            at = data.draw(st.integers(0, len(lines) - 1))
            match data.draw(st.sampled_from(["gone", "twice", "cut", "value", "moved"])):
                case "gone":
                    del lines[at]
                case "twice":
                    lines.insert(data.draw(st.integers(0, len(lines))), lines[at])
                case "cut":
                    lines = ["\n".join(lines)[: data.draw(st.integers(0, len(text)))]]
                case "moved":
                    lines.append(lines.pop(at))
                case _:
                    sign = "=" if name != "metadata.json" else ":"
                    comma = "," if lines[at].endswith(",") else ""
                    lines[at] = f"{lines[at].partition(sign)[0]}{sign} {data.draw(st.sampled_from(_WORDS))}{comma}"
            text = "\n".join(lines)  # noqa: PLW2901  # the damaged one
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for path in (tmp_path, tmp_path / "Cargo.lock", tmp_path / "metadata.json"):
        with contextlib.suppress(ReadError, DependencyCycle):
            read_graph(path, kinds="all")
    with contextlib.suppress(ReadError, DependencyCycle):
        read_cargo_metadata(tmp_path / "metadata.json", packages="all", kinds="all")


# ---------------------------------------------------------------------- against Cargo itself

_CARGO = shutil.which("cargo")


@pytest.mark.slow
@pytest.mark.skipif(_CARGO is None and not os.environ.get("SEQKIT_REQUIRE_SERVICES"), reason="needs cargo")
def test_cargo_tells_the_same(write: Write, tmp_path: Path) -> None:
    """What Cargo prints of a workspace, and the lock that it writes, have the members and edges that we find."""
    write(
        "w",
        "rootpkg",
        """
        edition.workspace = true
        [workspace]
        resolver = "2"
        members = ["crates/*", "tools/gen", "./tools/deep/", "tools/skip/keep", "vendor/dep"]
        exclude = ["nested", "crates/old", "tools/skip"]
        [workspace.package]
        version = "3.1.0"
        edition = "2021"
        [workspace.dependencies]
        core_x = { path = "crates/core", package = "core-x", version = "3.1" }
        macros = { path = "crates/macros" }
        [dependencies]
        app = { path = "crates/app" }
        nestedws = { path = "nested/ws" }
        [patch.crates-io]
        vdep = { path = "vendor/dep" }
        """,
        version="version.workspace = true",
    )
    write(
        "w/crates/core",
        "core-x",
        '[dev-dependencies]\ncore-x = {path = "."}\ntestkit = {path = "../../hidden"}',
        version="version.workspace = true",
    )
    write(
        "w/crates/api", "api", "[dependencies]\ncore_x.workspace = true\nmacros = {workspace = true, optional = true}"
    )
    write("w/crates/macros", "macros", '[dev-dependencies]\napi = {path = "../api"}')
    write(
        "w/crates/app",
        "app",
        """
        [dependencies]
        renamed = { package = "api", path = "../api" }
        vdep = "0.2"
        [target.'cfg(windows)'.dependencies]
        core_x = { workspace = true }
        [target.'cfg(unix)'.build-dependencies]
        gen = { path = "../../tools/gen" }
        [target.x86_64-unknown-linux-gnu.dev-dependencies]
        bench = { path = "../bench" }
        [build-dependencies]
        macros = { path = "../macros", optional = true }
        """,
    )
    write(
        "w/crates/bench",
        "bench",
        '[dependencies]\ncore_x = {workspace = true}\nkeep = {path = "../../tools/skip/keep"}',
    )
    for place, name in (
        ("crates/old", "old"),
        ("tools/gen", "gen"),
        ("tools/skip", "skip"),
        ("tools/skip/keep", "keep"),
    ):
        write(f"w/{place}", name)
    write("w/tools/deep", "deep", '[dependencies]\ninner = {path = "inner"}\noutside = {path = "../../../outside"}')
    write("w/tools/deep/inner", "inner")
    write("w/hidden", "testkit", '[dependencies]\ncore-x = {path = "../crates/core"}')
    write("w/nested/ws", "nestedws", '[workspace]\nmembers = ["in"]')
    write("w/nested/ws/in", "in")
    write("w/vendor/dep", "vdep", version='version = "0.2.3"')
    write("outside", "outside")
    top = tmp_path / "w"
    for manifest in tmp_path.rglob("Cargo.toml"):
        (manifest.parent / "src").mkdir()
        (manifest.parent / "src/lib.rs").touch()
    read_by_us = read(top)
    command = [str(_CARGO), "metadata", "--offline", "--all-features", "--format-version", "1"]
    printed = subprocess.run(command, cwd=top, check=True, capture_output=True, timeout=300).stdout
    (tmp_path / "metadata.json").write_bytes(printed)
    document = json.loads(printed)
    names = {package["id"]: package["name"] for package in document["packages"]}
    members = {names[one] for one in document["workspace_members"]}
    resolved = {(names[dep["pkg"]], names[node["id"]]) for node in document["resolve"]["nodes"] for dep in node["deps"]}
    assert set(read_by_us) == members
    assert len(members) == 12
    assert set(read_by_us.edges) == {pair for pair in resolved if set(pair) <= members and pair[0] != pair[1]}
    assert kinds(read(tmp_path / "metadata.json")) == kinds(read_by_us)
    locked = read(top / "Cargo.lock", ids="name")
    assert set(locked.edges) == {pair for pair in resolved if pair[0] != pair[1]}
    assert read(tmp_path / "metadata.json", packages="all", ids="name").edges == locked.edges
