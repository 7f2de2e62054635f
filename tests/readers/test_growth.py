"""Locks and reports are read in steps that grow as they do; names mean what they mean folder by folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from seqkit import DependencyCycle, ReadError, read_graph
from seqkit.readers import graphml, read_plan
from seqkit.readers._exact_ids import Exact, exact_ids
from seqkit.readers._folders import Folders
from tests.tools.growth import doubled, lines

# ---------------------------------------------------------------------- what a name means

parts = st.sampled_from(["node_modules", "a", "b", "@s", "..", "C:", "", "x"])
locations = st.lists(parts, max_size=7).map("/".join) | st.lists(st.sampled_from("ab"), max_size=4).map(
    lambda names: "/".join(f"node_modules/{name}" for name in names)
)


def looked_up(table: dict[str, Any], location: str, name: str) -> str | None:
    """Look level by level, as Node does."""
    folder = location
    while True:
        if folder != "node_modules" and not folder.endswith("/node_modules"):
            found = f"{folder}/node_modules/{name}" if folder else f"node_modules/{name}"
            if found in table:
                return found
        if folder in ("", "..") or folder.endswith(("/..", ":")) or folder.rfind("/") == 0:
            return None
        folder = folder.rpartition("/")[0]


@given(st.sets(locations, max_size=12), st.data())
def test_a_name_means_what_walking_up_finds(found: set[str], data: st.DataObject) -> None:
    names = ["a", "b", "@s/a", "x", "a/b", ""]
    table = {
        location: {"dependencies": dict.fromkeys(names, "1"), "hasShrinkwrap": data.draw(st.booleans())}
        for location in sorted(found)
    }
    folders = Folders(table, ["dependencies"])
    for location in table:
        for name in names:
            assert folders.found(location, name) == looked_up(table, location, name)
            inside = f"{location}/node_modules/{name}" if location else f"node_modules/{name}"
            if not location.endswith("node_modules"):
                assert folders.inside(location, name) == (inside if inside in table else None)
        assert folders.is_installed(location) == (location.startswith("node_modules/") or "/node_modules/" in location)
        above, sealed = location, False
        while above.startswith("node_modules/") or "/node_modules/" in above:
            sealed = sealed or bool(table.get(above, {}).get("hasShrinkwrap"))
            above = above.rpartition("/node_modules/")[0]
        assert folders.is_sealed(location) == sealed


# ---------------------------------------------------------------------- growth


def deep(n: int) -> dict[str, Any]:
    """One location of n levels, with n dependencies at the top."""
    names = [f"d{i}" for i in range(n)]
    table: dict[str, Any] = {f"node_modules/{name}": {"version": "1"} for name in names}
    return table | {
        "/".join(["node_modules/a"] * n): {"version": "1", "dependencies": {f"d{i}": "1" for i in range(n)}}
    }


def deep_all(n: int) -> dict[str, Any]:
    """All locations of a chain of folders as deep as its file allows."""
    return {"/".join(["node_modules/a"] * i): {"version": str(i), "dependencies": {"b": "1"}} for i in range(1, 60)} | {
        f"node_modules/{'b' if i == 0 else f'c{i}'}": {"version": "1", "dependencies": {"b": "1"}} for i in range(n)
    }


def bundled(n: int) -> dict[str, Any]:
    names = [f"d{i}" for i in range(n)]
    wants = dict.fromkeys(names, "1")
    return {"node_modules/a": {"version": "1", "bundleDependencies": names, "dependencies": wants}}


def folder_bundle(n: int) -> dict[str, Any]:
    names = [f"d{i}" for i in range(n)]
    return {"": {}, "lib": {"version": "1", "bundleDependencies": names, "dependencies": dict.fromkeys(names, "1")}}


def sealed(n: int) -> dict[str, Any]:
    top = {"node_modules/a": {"version": "1", "hasShrinkwrap": True}}
    wants = {f"d{i}": "1" for i in range(n)}
    return top | {"/".join(["node_modules/a"] * (n + 1)): {"version": "1", "dependencies": wants}}


def linked(n: int) -> dict[str, Any]:
    far = "packages/" + "x/" * n + "lib"
    users = {f"node_modules/d{i}": {"version": "1", "dependencies": {"lib": "1"}} for i in range(n)}
    return users | {"node_modules/lib": {"link": True, "resolved": far}, far: {"version": "1"}}


def versions(n: int) -> dict[str, Any]:
    """Many versions of one name, each needed by somebody."""
    return {f"node_modules/d{i}": {"version": "1", "dependencies": {"a": "1"}} for i in range(n)} | {
        f"node_modules/d{i}/node_modules/a": {"version": str(i)} for i in range(n)
    }


LOCKS = [deep, deep_all, bundled, folder_bundle, sealed, linked, versions]


@pytest.mark.parametrize("ids", ["name@version", "name"])
@pytest.mark.parametrize("made", LOCKS)
def test_locks_are_read_in_steps_that_grow_as_they_do(
    tmp_path: Path, made: Callable[[int], dict[str, Any]], ids: str
) -> None:
    def cost(n: int) -> int:
        path = tmp_path / f"{n}.json"
        path.write_text(json.dumps({"lockfileVersion": 3, "name": "r", "packages": made(n)}), "utf-8")
        return lines(lambda: read_graph(path, "npm", ids=ids))

    doubled(cost, 400)


def package(name: str, *requirements: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "version": "1", "requires_dist": list(requirements)}, **more}


def many_extras(n: int) -> list[dict[str, Any]]:
    """As many extras asked for as requirements, each for one of them."""
    extras = [f"e{i}" for i in range(n)]
    wants = [f'd{i}; extra == "e{i}"' for i in range(n)]
    return [package("a", *wants, requested_extras=extras), *(package(f"d{i}") for i in range(n))]


def unexplained(n: int) -> list[dict[str, Any]]:
    """Packages that somebody needs under a marker, and nobody asked for."""
    wants = [f'd{i}; python_version < "2"' for i in range(n)]
    return [package("a", *wants, requested=True), *(package(f"d{i}", requested=False) for i in range(n))]


@pytest.mark.filterwarnings("ignore::seqkit.ReadWarning")
@pytest.mark.parametrize("made", [many_extras, unexplained])
def test_reports_are_read_in_steps_that_grow_as_they_do(
    tmp_path: Path, made: Callable[[int], list[dict[str, Any]]]
) -> None:
    def cost(n: int) -> int:
        path = tmp_path / f"{n}.json"
        path.write_text(json.dumps({"version": "1", "install": made(n)}), "utf-8")
        return lines(lambda: read_graph(path, "pip"))

    doubled(cost, 60)


def test_packages_alike_are_told_apart_in_steps_that_grow_as_they_do() -> None:
    def ids(n: int) -> list[str]:
        return exact_ids([Exact("a", "1")] * n, "name@version")

    assert ids(1000) == ["a@1", *(f"a@1 #{number}" for number in range(2, 1001))]
    doubled(lambda n: lines(lambda: ids(n)), 400)


def test_graphml_of_many_keys_is_read_in_steps_that_grow_as_it_does(tmp_path: Path) -> None:
    def cost(n: int) -> int:
        keys = "".join(f'<key id="k{i}" for="node" attr.name="a{i}"/>' for i in range(n))
        nodes = "".join(f'<node id="n{i}"/>' for i in range(n))
        path = tmp_path / f"{n}.graphml"
        path.write_text(f'<graphml>{keys}<graph edgedefault="directed">{nodes}</graph></graphml>', "utf-8")
        return lines(lambda: read_graph(path, direction="dependency_to_dependent"))

    doubled(cost, 200)


@pytest.mark.parametrize("most", [50_000, pytest.param(graphml._MOST, marks=pytest.mark.slow)])
def test_defaults_of_graphml_that_make_very_many_data_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(graphml, "_MOST", most)
    many = most // 250
    keys = "".join(f'<key id="k{i}" for="edge" attr.name="a{i}"><default>x</default></key>' for i in range(many))
    path = tmp_path / "needs.graphml"
    for edges in (250, 251):
        text = '<edge source="a" target="b"/>' * edges
        path.write_text(f'<graphml>{keys}<graph edgedefault="directed">{text}</graph></graphml>', "utf-8")
        if edges == 250:
            assert len(read_graph(path, direction="dependency_to_dependent")) == 2
        else:
            with pytest.raises(ReadError, match=f"makes more than {most:,} data of its defaults, expected at most"):
                read_graph(path, direction="dependency_to_dependent")


MARKERS = [
    'extra == "x"',
    '"x" == extra',
    'extra != "x"',
    'extra == "X_y" or extra == "z"',
    'extra == "x" and python_version > "2"',
    'extra in "x,z"',
    "extra > 'm'",
    'extra == ""',
    'python_version > "2"',
    'platform_release == "extra"',
    'extra == "x" and extra == "z"',
    'extra != "x" and extra != "z"',
]


@pytest.mark.filterwarnings("ignore::seqkit.ReadWarning")
@given(st.sets(st.sampled_from(["x", "x-y", "z", "q"])), st.lists(st.sampled_from(MARKERS), max_size=5))
def test_requirements_count_as_if_each_were_looked_at_for_every_extra(
    tmp_path_factory: pytest.TempPathFactory, extras: set[str], markers: list[str]
) -> None:
    path = tmp_path_factory.mktemp("pip") / "report.json"
    items = [package("a", *(f"d{i}; {told}" for i, told in enumerate(markers)), requested_extras=sorted(extras))]
    items += [package(f"d{i}") for i in range(len(markers))]
    path.write_text(json.dumps({"version": "1", "install": items}), "utf-8")
    expected = set()
    for i, told in enumerate(markers):
        marker = Requirement(f"d{i}; {told}").marker
        assert marker is not None
        if any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            expected.add((f"d{i}", "a"))
    assert set(read_graph(path, "pip").edges) == expected


# ---------------------------------------------------------------------- JSON says everything once

DOUBLES = {
    "npm": [
        '{"lockfileVersion": 3, "lockfileVersion": 2, "packages": {}}',
        '{"lockfileVersion": 3, "packages": {"node_modules/a": {}}, "packages": {}}',
        '{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1"}, "node_modules/a": {"version": "2"}}}',
        '{"lockfileVersion": 3, "packages": {"node_modules/a": {"dependencies": {"b": "1", "b": "2"}}}}',
    ],
    "pip": [
        '{"version": "1", "install": [], "install": []}',
        '{"version": "1", "install": [{"metadata": {"name": "a", "name": "b", "version": "1"}}]}',
        '{"version": "1", "install": [], "environment": {"os_name": "a", "os_name": "b"}}',
    ],
}


@pytest.mark.parametrize(("format", "text"), [(name, text) for name, texts in DOUBLES.items() for text in texts])
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, format: str, text: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text, "utf-8")
    for chosen in (None, format):
        with pytest.raises(ReadError, match=r"an object has the key '.*' twice, expected it once"):
            read_graph(path, chosen)
    plan = tmp_path / "plan.json"
    plan.write_text('{"originating_run_id": "m", "items": [], "edges": [], "items": []}', "utf-8")
    with pytest.raises(ReadError, match="an object has the key 'items' twice"):
        read_plan(plan)


def test_a_cycle_of_very_many_repos_has_a_short_message(tmp_path: Path) -> None:
    n = 20_000
    path = tmp_path / "edges.csv"
    path.write_text("dependency,dependent\n" + "".join(f"r{i},r{(i + 1) % n}\n" for i in range(n)), "utf-8")
    with pytest.raises(DependencyCycle) as caught:
        read_graph(path)
    assert len(caught.value.repos) == n + 1
    assert len(str(caught.value)) < 500
    assert len(repr(caught.value)) < 500
    assert ' "r7", … 19,991 more, "r19999", "r0"]; ' in str(caught.value)
