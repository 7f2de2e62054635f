"""JavaScript workspaces: members by patterns, and what a dependency of one on another may look like."""

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
from seqkit.readers import read_js
from seqkit.readers._globs import chosen, matches
from seqkit.readers._semver import takes
from seqkit.readers._tree import Tree

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the manifest of a folder, or a file with `text`; give the top."""

    def write(place: str, text: str | None = None, **manifest: Any) -> Path:
        path = tmp_path / place if text is not None else tmp_path / place / "package.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(manifest) if text is None else text, encoding="utf-8")
        return tmp_path

    return write


def told(graph: RepoDependencyGraph, about: str) -> dict[str, int]:
    assert graph.report is not None
    return {remark.what: remark.count for part, remark in graph.report if part == about}


def kinds(graph: RepoDependencyGraph) -> dict[tuple[str, str], str]:
    return {edge: "+".join(graph.kinds(*edge)) for edge in graph.edges}


# ---------------------------------------------------------------------- who is a member


@pytest.mark.parametrize(
    ("patterns", "members"),
    [
        (["packages/*"], "a b"),
        (["./packages/*/"], "a b"),
        (["packages/a", "/libs/*"], "a c"),
        (["packages/**"], "a b deep"),
        (["**"], "a b deep c fixture"),
        (["packages/**", "!packages/a/**"], "b"),
        (["!packages/a", "packages/*"], "b"),
        (["packages/**", "!packages/a/**", "packages/a/test/deep"], "a b deep"),
        (["packages/*", "!**/b"], "a"),
        (["{packages,libs}/*"], "a b c"),
        (["@(packages|libs)/*"], "a b c"),
        (["packages/!(a)"], "b"),
        (["packages/[^a]"], "b"),
        (["packages/?"], "a b"),
        (["packages/*", "packages/a"], "a b"),
        (["packages\\*"], "a b"),
        (["*/*/fixture"], ""),
    ],
)
def test_patterns(write: Write, patterns: list[str], members: str) -> None:
    write("packages/a", name="a")
    write("packages/b", name="b")
    write("packages/a/test/deep", name="deep")
    write("packages/a/node_modules/other", name="other")
    write("libs/c", name="c")
    write("libs/c/test/fixture", name="fixture")
    write("packages/empty/readme.md", "no manifest here")
    top = write("", name="top", workspaces=patterns)
    graph = read_graph(top)
    assert sorted(set(graph) - {"top"}) == sorted(members.split())
    assert ("top" in graph) == (not members)  # a root without members is a package
    assert told(graph, "left out").get("manifests below that are not members", 0) == 5 - len(members.split())
    assert ("patterns that name no package" in told(graph, "look at")) == (not members)


@pytest.mark.parametrize("form", ["list", "object", "pnpm", "lerna", "lerna alone", "yarn and lerna"])
def test_where_the_root_says_it(write: Write, form: str) -> None:
    write("packages/a", name="a", version="1.0.0")
    write("packages/b", name="b", version="1.0.0", dependencies={"a": "^1.0.0"})
    write("other/c", name="c", version="1.0.0", dependencies={"a": "^1.0.0"})
    told: dict[str, Any] = {
        "list": {"workspaces": ["packages/*"]},
        "object": {"workspaces": {"packages": ["packages/*"], "nohoist": ["**"]}},
        "pnpm": {"workspaces": ["other/*"]},
        "yarn and lerna": {"workspaces": ["packages/*"]},
    }
    top = write("", private=True, **told.get(form, {}))
    if form == "pnpm":
        write("pnpm-workspace.yaml", "packages:\n  - 'packages/*'  # a comment\n")
    if form == "lerna":
        write("lerna.json", '{"packages": ["packages/*"]}')
    if form == "lerna alone":
        write("lerna.json", '{"version": "independent"}')
    if form == "yarn and lerna":
        write("lerna.json", '{"useWorkspaces": true, "packages": ["other/*"]}')
    graph = read_graph(top)
    assert graph.edges == [("a", "b")]
    assert graph.report is not None
    assert graph.report.format == "js"
    assert set(read_js(top / "package.json")) == set(read_graph(top / "package.json")) == {"a", "b"}


def test_settings_alone_make_no_workspace(write: Write) -> None:
    write("packages/a", name="a")
    write("pnpm-workspace.yaml", "onlyBuiltDependencies: [esbuild]\n")
    assert list(read_graph(write("", name="top", workspaces=[]))) == ["top"]


def test_packages_that_are_called_like_what_is_built(write: Write) -> None:
    write("packages/vendor", name="vendor")
    write("packages/target", name="target", version="1.0.0", peerDependencies={"vendor": "*"})
    assert read_graph(write("", workspaces=["packages/*"])).edges == [("vendor", "target")]


def test_members_of_members_are_yarns(write: Write) -> None:
    write("packages/a", name="a", workspaces=["inner/*"])
    write("packages/a/inner/b", name="b")
    top = write("", workspaces=["packages/*"])
    assert list(read_graph(top)) == ["a"]
    write(".yarnrc.yml", "nodeLinker: node-modules\n")
    assert list(read_graph(top)) == ["a", "b"]


def test_members_without_a_name_or_version(write: Write) -> None:
    write("packages/a", version="1.0.0", dependencies={"b": "^3.0.0"})
    write("packages/b", name="b", dependencies={"c": "^2.0.0"})
    write("packages/c", name="c", version="0.0.0-development")
    graph = read_graph(write("", workspaces=["packages/*"]))
    assert graph.edges == [("b", "packages/a"), ("c", "b")]
    assert graph.attributes("b") == {"path": "packages/b", "ecosystem": "npm"}
    assert told(graph, "guessed") == {
        "packages without a name, called by their folders": 1,
        "packages without a version, which are taken for what any range asks for": 2,
    }


def test_two_of_one_name(write: Write) -> None:
    write("packages/a1", name="a", version="1.0.0")
    write("packages/a2", name="a", version="2.0.0")
    write("packages/b", name="b", version="1.0.0", dependencies={"a": "^2.0.0"}, devDependencies={"a": "*"})
    graph = read_graph(write("", workspaces=["packages/*"]), kinds="all")
    assert kinds(graph) == {("a", "b"): "dev", ("a (packages/a2)", "b"): "normal"}
    assert "packages with a name that another has; the first is the one that others mean" in told(graph, "look at")


def test_the_root_is_a_package_where_somebody_needs_it(write: Write) -> None:
    write("packages/a", name="a", version="1.0.0")
    top = write("", name="top", version="1.0.0", workspaces=["packages/*"], dependencies={"a": "*"})
    assert list(read_graph(top)) == ["a"]
    write("examples/b", name="b", dependencies={"top": "file:../.."})
    write("", name="top", version="1.0.0", workspaces=["packages/*", "examples/*"], dependencies={"a": "*"})
    assert read_graph(top).edges == [("a", "top"), ("top", "b")]
    write("", name="top", version="1.0.0", workspaces=["packages/*", "."], devDependencies={"a": "*"})
    assert read_graph(top, kinds="all").edges == [("a", "top")]


# ---------------------------------------------------------------------- what a dependency is


def test_kinds(write: Write) -> None:
    names = ("normal", "dev", "peer", "both", "optional", "peeroptional", "devpeer", "normaldev")
    for name in names:
        write(f"packages/{name}", name=name, version="1.2.0")
    write(
        "packages/app",
        name="app",
        dependencies={"normal": "^1.0.0", "both": "^1.0.0", "normaldev": "1.x"},
        devDependencies={"dev": "^1.0.0", "devpeer": "^1.0.0", "normaldev": "1.2.0"},
        peerDependencies={"peer": "^1.0.0", "peeroptional": "*", "devpeer": ">=1"},
        peerDependenciesMeta={"peeroptional": {"optional": True}, "peer": {"optional": False}},
        optionalDependencies={"optional": "^1.0.0", "both": "^1.0.0"},
    )
    graph = read_graph(write("", workspaces=["packages/*"]), kinds="all")
    assert {before: why for (before, _), why in kinds(graph).items()} == {
        "normal": "normal",
        "dev": "dev",
        "peer": "peer",
        "both": "optional",
        "optional": "optional",
        "peeroptional": "optional",
        "devpeer": "peer+dev",
        "normaldev": "normal+dev",
    }
    assert len(read_graph(write("", workspaces=["packages/*"])).edges) == 7


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        *[(text, "core") for text in ("^2.1.0", "*", "", "2", "~2.1", ">=1 <3", "1 || 2", "2.1.0", "=2.1.0")],
        *[(text, "core") for text in ("workspace:*", "workspace:^", "workspace:~2.1", "workspace:^1.0.0")],
        *[(text, "core") for text in ("link:../core", "file:../core", "portal:../core", "../core", "./../core/")],
        *[
            (text, "core")
            for text in ("workspace:../core", "workspace:packages/core", "npm:^2.0.0", "file:../core/dist")
        ],
        *[(text, "other") for text in ("npm:other@^1.0.0", "workspace:other@*", "link:../other", "npm:other")],
        *[(text, "core") for text in ("patch:core@npm%3A2.1.0#~/.yarn/core.patch", "catalog:", "catalog:named")],
        *[(text, "") for text in ("^1.0.0", "latest", "next", "3", "npm:core@1", "npm:@x/core@2", "catalog:old")],
        *[
            (text, "")
            for text in ("git+ssh://git@host/a/core.git#semver:^2", "github:a/core", "a/core", "https://x/a.tgz")
        ],
        *[(text, "") for text in ("file:../core-2.1.0.tgz", "npm:other@^2.0.0", "jsr:@x/core@2", "x" * 5000)],
    ],
)
def test_what_stands_behind_a_name(write: Write, text: str, needed: str) -> None:
    catalogs = "{named: {core: 'workspace:^'}, old: {core: ^1.0.0}}"
    write("pnpm-workspace.yaml", f"packages: ['packages/*']\ncatalog:\n  core: ^2.0.0\ncatalogs: {catalogs}\n")
    write("packages/core", name="core", version="2.1.0")
    write("packages/other", name="other", version="1.0.0")
    graph = read_graph(write("packages/app", name="app", dependencies={"core": text}))
    assert graph.edges == ([(needed, "app")] if needed else [])
    assert sum(told(graph, "left out").values()) == (not needed)


def test_versions_that_are_not_here_are_told(write: Write) -> None:
    write("packages/core", name="core", version="2.0.0-beta.1")
    write("packages/old", name="old", dependencies={"core": "^1.9.0"})
    write("packages/new", name="new", dependencies={"core": ">=1"}, peerDependencies={"core": "^7", "react": "*"})
    graph = read_graph(write("", workspaces=["packages/*"]))
    assert kinds(graph) == {("core", "new"): "normal+peer"}  # a peer is what is there while the package is built
    assert graph.report is not None
    assert [str(remark) for remark in graph.report.left_out] == [
        "1 roots of workspaces, which are no packages: the top",
        "1 dependencies on packages from elsewhere: new needs react *",
        "1 dependencies on packages that are here, by versions or sources that are not: old needs core ^1.9.0; here "
        "it is 2.0.0-beta.1",
    ]


def test_what_the_root_says_is_from_here(write: Write) -> None:
    write("packages/core", name="core", version="3.0.0")
    write("packages/app", name="app", dependencies={"core": "^2.0.0"})
    top = write("", workspaces=["packages/*"], resolutions={"core": "workspace:*", "left-pad": "1.0.0"})
    assert read_graph(top).edges == [("core", "app")]
    write("", workspaces=["packages/*"], pnpm={"overrides": {"core": "link:packages/core"}})
    assert read_graph(top).edges == [("core", "app")]
    write("", workspaces=["packages/*"])
    assert read_graph(top).edges == []


def test_catalogs_of_yarn_and_bun(write: Write) -> None:
    write("packages/core", name="core", version="1.0.0")
    write("packages/app", name="app", dependencies={"core": "catalog:", "a": "catalog:ui"})
    write("packages/ui", name="a", version="5.0.0")
    told_in_root = {"packages": ["packages/*"], "catalog": {"core": "^1.0.0"}, "catalogs": {"ui": {"a": "^4.0.0"}}}
    top = write("", workspaces=told_in_root)
    assert read_graph(top).edges == [("core", "app")]
    write("", workspaces=["packages/*"])
    write(".yarnrc.yml", "catalog:\n  core: ^2.0.0\n")
    graph = read_graph(top)
    assert graph.edges == [("a", "app")]
    assert told(graph, "guessed") == {"dependencies by a catalog that says nothing of them: any version": 1} | {
        "packages without a version, which are taken for what any range asks for": 1
    }


def test_plain_ranges_under_pnpm_are_told(write: Write) -> None:
    write("packages/core", name="core", version="1.0.0")
    write("packages/app", name="app", version="1.0.0", dependencies={"core": "^1.0.0"})
    graph = read_graph(write("pnpm-workspace.yaml", "packages: ['packages/*']"))
    assert graph.edges == [("core", "app")]
    assert [what for what in told(graph, "guessed") if "link-workspace-packages" in what]


def test_folders_that_lead_out(write: Write) -> None:
    write("packages/core", name="core", version="1.0.0")
    write("packages/app", name="app", dependencies={"core": "link:../../../outside/core", "x": "file:/etc/passwd"})
    graph = read_graph(write("", workspaces=["packages/*", "../other/*", "/../x"]))
    assert graph.edges == [("core", "app")]  # no such folder here, and yet a package of the name
    assert told(graph, "left out")["patterns for packages that lead out of the folder"] == 2


def test_links_in_circles(write: Write, tmp_path: Path) -> None:
    write("packages/a", name="a")
    (tmp_path / "packages" / "a" / "loop").symlink_to(tmp_path / "packages")
    (tmp_path / "packages" / "out").symlink_to("/etc")
    graph = read_graph(write("", workspaces=["packages/**", "packages/*/*/*/*"]))
    assert list(graph) == ["a"]
    assert "links that lead out of the folder, or round in a circle" in told(graph, "left out")


def test_what_npm_takes_too(write: Write) -> None:
    write("packages/a/package.json", '\ufeff{"name": "x", "name": "a", "dependencies": [], "version": ""}')
    write("packages/b", name="b", dependencies={"a": "*", "c": None, "d": 3}, devDependencies=None)
    graph = read_graph(write("", workspaces=["packages/*"]))
    assert graph.edges == [("a", "b")]
    assert told(graph, "left out")["dependencies whose version is no text, which npm passes over"] == 2


@pytest.mark.parametrize(
    ("place", "text", "message"),
    [
        ("package.json", '{"workspaces": ["packages/*"', "package.json, line 1: is not JSON"),
        ("package.json", '{"workspaces": "packages/*"}', r"workspaces is 'packages/\*', expected a list"),
        ("package.json", '{"workspaces": {"packages": [3]}}', r"workspaces.packages\[0\] is 3, expected text"),
        ("package.json", '{"workspaces": ["{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"]}', "stands for"),
        ("packages/a/package.json", "[]", "the document is a list, expected an object"),
        ("packages/a/package.json", '{"name": 3}', "name is 3, expected text"),
        ("packages/a/package.json", '{"dependencies": ["b"]}', "dependencies is a list, expected an object"),
        ("packages/a/package.json", "[" * 10_000, "nested too deeply"),
        ("packages/a/package.json", "", "is not JSON"),
        ("pnpm-workspace.yaml", "packages: 'packages/*'", "packages is 'packages/\\*', expected a list"),
        ("pnpm-workspace.yaml", "- packages", "the document is a list, expected an object"),
        ("pnpm-workspace.yaml", "packages: [", "is no YAML"),
        ("lerna.json", '{"packages": 3}', "packages is 3, expected a list"),
    ],
)
def test_what_is_malformed(write: Write, place: str, text: str, message: str) -> None:
    write("", workspaces=["packages/*"])
    top = write(place, text)
    with pytest.raises(ReadError, match=message) as caught:
        read_graph(top)
    assert caught.value.path.endswith(place) or "stands for" in message


def test_broken_manifests_that_are_no_members_do_not_matter(write: Write) -> None:
    write("packages/a", name="a")
    write("packages/a/fixtures/broken/package.json", "{{{")
    assert list(read_graph(write("", workspaces=["packages/*"]))) == ["a"]


def test_a_folder_without_manifests(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"has no package\.json, pnpm-workspace\.yaml or lerna\.json"):
        read_js(tmp_path)


# ---------------------------------------------------------------------- the same in another form


_texts = st.sampled_from(["^1.0.0", "workspace:^", "*", "^2.0.0", "link:../{}", "file:../{}", "npm:{}@1.x", "latest"])
_sections = st.sampled_from(["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), _sections, _texts), max_size=14))
def test_a_workspace_without_its_root_is_the_same(tmp_path: Path, needs: list[tuple[int, int, str, str]]) -> None:
    shutil.rmtree(tmp_path / "whole", ignore_errors=True)
    shutil.rmtree(tmp_path / "split", ignore_errors=True)
    for number in range(6):
        manifest: dict[str, Any] = {"name": f"@w/p{number}", "version": "1.4.0"}
        for dependent, dependency, section, text in needs:
            if dependent == number:
                behind = text.format(f"p{dependency}" if text[:3] != "npm" else f"@w/p{dependency}")
                manifest.setdefault(section, {})[f"@w/p{dependency}"] = behind
        for top in ("whole/libs", "split"):
            (tmp_path / top / f"p{number}").mkdir(parents=True)
            (tmp_path / top / f"p{number}" / "package.json").write_text(json.dumps(manifest))
    (tmp_path / "whole" / "package.json").write_text(json.dumps({"private": True, "workspaces": ["libs/*"]}))
    whole, split = (read_graph(tmp_path / top, kinds="all", cycles="keep") for top in ("whole", "split"))
    assert kinds(whole) == kinds(split)
    assert set(whole) == set(split)


_words = st.sampled_from(["a", "b", "ab", "test", "*", "?", "**", "a*", "[ab]", "!(a)", "*b"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(_words, min_size=1, max_size=5).map("/".join))
def test_patterns_find_what_they_match(tmp_path_factory: pytest.TempPathFactory, pattern: str) -> None:
    top = tmp_path_factory.getbasetemp() / "tree"
    places = [f"{a}/{b}/{c}" for a in ("a", "b", "test") for b in ("a", "ab") for c in ("b", "test")]
    if not top.exists():
        for place in places:
            (top / place).mkdir(parents=True)
            for here in (place, place.rpartition("/")[0], place.partition("/")[0]):
                (top / here / "package.json").touch()
    below = {here for place in places for here in (place, place.rpartition("/")[0], place.partition("/")[0])}
    found = chosen(Tree(top), "", [pattern], ["package.json"]).folders
    assert set(found) == {place for place in below if matches(pattern, place)}
    assert set(chosen(Tree(top), "", ["**", "!" + pattern], ["package.json"]).folders) == below - set(found)


_GOOD: dict[str, Any] = {
    "package.json": {"name": "top", "private": True, "workspaces": {"packages": ["packages/*", "!packages/x"]}},
    "packages/a/package.json": {"name": "a", "version": "1.0.0", "dependencies": {"b": "catalog:"}, "private": False},
    "packages/b/package.json": {
        "name": "b",
        "version": "1.0.0",
        "peerDependencies": {"a": "^1.0.0", "c": "link:../c"},
        "peerDependenciesMeta": {"a": {"optional": True}},
    },
    "lerna.json": {"packages": ["packages/*"], "useWorkspaces": True},
    "pnpm-workspace.yaml": {
        "packages": ["packages/*"],
        "catalogs": {"default": {"b": "^1.0.0"}},
        "overrides": {"b": "x"},
    },
}
_junk = st.sampled_from([None, True, 3, -1.5, "", "x", "../..", "catalog:", "\ud800", [], {}, [[]], {"a": {}}, ["**"]])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_damage_is_an_error_of_ours(tmp_path: Path, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(sorted(_GOOD)))
    for name, document in _GOOD.items():
        document = json.loads(json.dumps(document))  # noqa: PLW2901  # a copy that may be damaged
        if name == place:
            holder = document
            while True:
                key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
                if isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
                    holder = holder[key]
                    continue
                break
            if data.draw(st.booleans()):
                holder[key] = data.draw(_junk)
            else:
                del holder[key]
        text = json.dumps(document)
        if name == place and data.draw(st.integers(0, 3)) == 0:
            text = text[: data.draw(st.integers(0, len(text)))]
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with contextlib.suppress(ReadError, DependencyCycle):
        assert len(read_graph(tmp_path)) >= 1


# ---------------------------------------------------------------------- against npm itself

_NPM = shutil.which("npm")


@pytest.mark.slow
@pytest.mark.skipif(_NPM is None and not os.environ.get("SEQKIT_REQUIRE_SERVICES"), reason="needs npm")
def test_npm_links_the_same(write: Write) -> None:
    """The lock that npm writes has a link for each member that a member gets."""
    write("packages/core", name="@w/core", version="1.4.0-rc.1")
    write("packages/util", name="util-of-w", version="2.0.0", dependencies={"@w/core": ">=1.4.0-rc.0"})
    write(
        "packages/api",
        name="api",
        version="1.0.0",
        devDependencies={"@w/core": "*"},
        peerDependencies={"util-of-w": "2"},
    )
    write(
        "tools/x/cli", name="cli", version="1.0.0", dependencies={"api": "file:../../../packages/api", "nameless": "*"}
    )
    write("packages/nameless", version="1.0.0", optionalDependencies={"cli": "^1.0.0"})
    write("packages/out", name="out", version="1.0.0")
    top = write("", name="top", private=True, workspaces=["packages/*", "!packages/out", "tools/**"])
    npm = [str(_NPM), "install", "--package-lock-only", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(npm, cwd=top, check=True, capture_output=True, timeout=120)
    locked = read_graph(top / "package-lock.json", ids="name", kinds="all", cycles="keep")
    graph = read_graph(top, kinds="all", cycles="keep")
    named = {"packages/nameless": "nameless"}
    assert {named.get(one, one) for one in graph} == set(locked)
    ours = {(named.get(before, before), named.get(after, after)): why for (before, after), why in kinds(graph).items()}
    assert {edge: why for edge, why in kinds(locked).items() if edge in ours} == ours
    assert set(locked.edges) - set(ours) == {("nameless", "cli")}  # npm calls it by its folder, and yet links it


_numbers = st.integers(0, 3).map(str)
_afters = st.sampled_from(["", "", "-0", "-a.1", "-rc.2"])
_versions = st.builds("{}.{}.{}{}".format, _numbers, _numbers, _numbers, _afters)
_partials = st.one_of(_versions, _numbers, st.builds("{}.{}".format, _numbers, _numbers), st.just("*"))
_signs = st.sampled_from(["", "^", "~", ">", ">=", "<", "<=", "="])
_comparators = st.builds("{}{}".format, _signs, _partials)
_rows = st.one_of(st.lists(_comparators, max_size=2).map(" ".join), st.builds("{} - {}".format, _partials, _partials))


@given(st.lists(_rows, min_size=1, max_size=3).map(" || ".join), _versions)
def test_ranges_are_unions_of_their_rows(wanted: str, version: str) -> None:
    assert takes(wanted, version) == any(takes(row, version) for row in wanted.split(" || "))
    assert takes(version, version)
    assert takes(f">={version} {wanted}" if " - " not in wanted and "||" not in wanted else version, version) in (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("^0.2.3", "0.2.9", "0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0.0", "0.0.9", "0.1.0"),
        ("^1.2.3-rc.2", "1.2.3-rc.10", "1.2.3-rc.1"),
        ("~1", "1.9.0", "2.0.0-0"),
        (">1.2", "1.3.0", "1.2.9"),
        ("<=1.2", "1.2.9", "1.3.0"),
        ("1.2 - 2.3.4", "2.3.4", "2.3.5"),
        ("v1.2.3", "1.2.3+build.7", "1.2.4"),
        (">= 1.0.0 < 2.0.0", "1.5.0", "2.0.0"),
        ("1.0.0beta", "1.0.0-beta", "1.0.0"),
    ],
)
def test_ranges(wanted: str, inside: str, outside: str) -> None:
    assert takes(wanted, inside) is True
    assert takes(wanted, outside) is False
