"""pip's reports: extras that were asked for, requirements that break the rules, packages nobody needs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqkit import DependencyCycle, ReadError, ReadWarning, RepoDependencyGraph, read_graph

ENVIRONMENT = {"sys_platform": "linux", "python_version": "3.11", "os_name": "posix"}

Read = Callable[..., tuple[RepoDependencyGraph, list[str]]]


def item(name: str, *requirements: str, **more: Any) -> dict[str, Any]:
    """An item as pip writes it; requested is what no other item of a test needs, unless it says so."""
    return {
        "metadata": {"name": name, "version": "1.0", "requires_dist": list(requirements)},
        "requested": False,
    } | more


def app(*requirements: str, **more: Any) -> dict[str, Any]:
    return item("app", *requirements, requested=True, **more)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a report of some items; give the graph and what was warned."""

    def read(*items: dict[str, Any], **options: Any) -> tuple[RepoDependencyGraph, list[str]]:
        path = tmp_path / "report.json"
        path.write_text(json.dumps({"version": "1", "install": items, "environment": ENVIRONMENT}), "utf-8")
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            graph = read_graph(path, **options)
        assert all(warning.category is ReadWarning and warning.filename == __file__ for warning in seen)
        assert all(str(warning.message).startswith(str(path)) for warning in seen)
        return graph, [str(warning.message) for warning in seen]

    return read


# ---------------------------------------------------------------------- extras


def test_an_extra_that_another_package_asks_for_counts(read: Read) -> None:
    items = app("web[fast]"), item("web", "uv; extra == 'fast'", "docs; extra == 'doc'"), item("uv")
    assert read(*items) == read(*items, extras="all")
    assert read(*items)[0].edges == [("uv", "web"), ("web", "app")]
    assert read(*items)[1] == []
    assert read(*items, extras="requested")[0].edges == [("web", "app")]
    assert read(*items, extras="requested")[1] == []


def test_extras_ask_for_extras(read: Read) -> None:
    items = (
        app("a[x]"),
        item("a", "b[Y_Y]; extra == 'x'", "a[z]; extra == 'x'", "d; extra == 'z'"),
        item("b", "c; extra == 'y-y'"),
        item("c"),
        item("d"),
    )
    assert read(*items)[0].edges == [("a", "app"), ("b", "a"), ("c", "b"), ("d", "a")]


def test_a_cycle_through_an_extra_says_so(read: Read) -> None:
    items = app("a[x]"), item("a", "b; extra == 'x'"), item("b", "a")
    with pytest.raises(DependencyCycle) as caught:
        read(*items)
    assert str(caught.value) == (
        'dependency cycle detected involving repos: ["a", "b", "a"]; the edges have 1 cyclic component in all: '
        'remove an edge of each, or pass cycles="merge" to release each as one unit'
        ', or "keep" to see them. There is no cycle with '
        'read_graph(…, extras="requested")'
    )
    assert (caught.value.repos, caught.value.components) == (["a", "b", "a"], 1)
    assert read(*items, extras="requested")[0].edges == [("a", "app"), ("a", "b")]
    assert list(read(*items, cycles="merge")[0]) == ["app", "a+b"]


def test_a_cycle_that_extras_do_not_open_says_nothing_of_them(read: Read) -> None:
    with pytest.raises(DependencyCycle) as caught:
        read(app("a"), item("a", "b"), item("b", "a"))
    assert str(caught.value).endswith('to release each as one unit, or "keep" to see them')


# ---------------------------------------------------------------------- requirements that break the rules


@pytest.mark.parametrize(
    "requirement",
    [
        "tool (>=1.0.*)",
        "tool >=1.0.*",
        "tool>=1.0.*",
        "tool (>=3.1.25<5.0)",
        "tool >=3.1.25<5.0",
        "tool >='1.20'",
        'tool (>="1.20")',
        "tool >= 2.0,,",
        "tool (>=2.0",
        "tool ~= 1",
        "tool == 2004d-final",
        "tool <= 1.x",
        "tool => 1",
        "tool = 1",
        "tool ^1.2",
        "tool^1.2",
        "tool 1.2",
        "tool * ",
        "tool (1.2)",
        "Tool_ >=1.0.*",
        "tool[extra >=1",
        "tool[a b] >=1",
        "tool @ not a url",
        "tool @",
        "tool @ ",
        "tool; python_version",
        "tool; python_version >= 3",
        "tool; extra = 'x'",
        "tool; nonsense == 'x'",
        "tool >=1.0.*; nonsense",
        "tool ;",
        "tool; python_version ~= 'x'",
        f"tool; python_version < '{'9' * 5000}'",
        "tool; " + "(" * 5_000,
        "tool; " + "(" * 5_000 + "os_name == 'x'" + ")" * 5_000,
    ],
)
def test_an_odd_requirement_costs_a_warning_and_not_the_graph(read: Read, requirement: str) -> None:
    graph, told = read(app(requirement, "other"), item("tool"), item("other"))
    assert graph.edges == [("other", "app"), ("tool", "app")]
    [warning] = told
    assert "requirements that break the rules (PEP 508) were read by their name: install[0].metadata." in warning
    assert "requires_dist[0] is " in warning
    assert len(warning) < 600


@pytest.mark.parametrize("requirement", ["tool (>=1.0.*)", "tool>='1'", "tool[a b]>=1", "tool @ not a url ", "tool 1"])
def test_the_marker_behind_an_odd_version_counts(read: Read, requirement: str) -> None:
    for marker, holds in (
        ("sys_platform == 'linux'", True),
        ("sys_platform == 'win32'", False),
        ("extra == 'x'", True),
        ("extra == 'y'", False),
    ):
        graph, told = read(app(f"{requirement}; {marker}", requested_extras=["x"]), item("tool", requested=True))
        assert graph.edges == [("tool", "app")] * holds
        assert len(told) == 1


def test_the_extras_of_an_odd_requirement_count(read: Read) -> None:
    for requirement in ("tool[fast]>=1.0.*", "tool [fast] (>=1.0.*) ; os_name == 'posix'", "tool[fast]; nonsense"):
        graph, _ = read(app(requirement), item("tool", "uv; extra == 'fast'"), item("uv"))
        assert graph.edges == [("tool", "app"), ("uv", "tool")]


def test_semicolons_in_urls_are_part_of_them(read: Read) -> None:
    items = app("tool @ https://example.org/a;b.whl ; sys_platform == 'win32'"), item("tool", requested=True)
    assert read(*items) == (
        RepoDependencyGraph.from_edges([], nodes={"app": {"version": "1.0"}, "tool": {"version": "1.0"}}),
        [],
    )


def test_an_odd_requirement_of_what_is_not_in_the_report_is_passed_over(read: Read) -> None:
    assert read(app("gone (>=1.0.*)", "gone; nonsense"))[1] == []


@pytest.mark.parametrize(
    "requirement",
    ["", "!", "-e .", "./tool", "tool/x", "git+https://example.org/tool", "https://example.org/x", "C:\\x"],
)
def test_a_requirement_without_a_name_is_refused(read: Read, requirement: str) -> None:
    with pytest.raises(ReadError, match=r"install\[0\]\.metadata\.requires_dist\[1\] is .*expected a requirement"):
        read(app("tool", requirement), item("tool"), item("git"), item("https"))


def test_one_warning_tells_of_many(read: Read) -> None:
    names = [f"tool{number}" for number in range(9)]
    [warning] = read(app(*(f"{name} >=1.0.*" for name in names)), *map(item, names))[1]
    assert warning.count("expected") == 0
    assert "'tool4 >=1.0.*'" in warning
    assert "'tool5" not in warning
    assert warning.endswith("; and 4 more")


# ---------------------------------------------------------------------- packages that nobody needs


def test_a_package_that_hangs_in_the_air_is_told(read: Read) -> None:
    graph, [warning] = read(app("cache; extra == 'web'"), item("cache"))
    assert graph.edges == []
    assert warning.endswith(
        ": in the report, but not requested and needed by nothing that is, as far as it tells: 'cache', which 'app' "
        "may need for an extra (add_dependency('cache', 'app') adds the edge)"
    )
    graph.add_dependency("cache", "app")
    assert graph.edges == [("cache", "app")]


def test_only_the_top_of_what_hangs_is_told(read: Read) -> None:
    items = app("web; extra == 'w'", "solid"), item("solid"), item("web", "uv"), item("uv", "uv2"), item("uv2")
    [warning] = read(*items)[1]
    assert "tells: 'web', which 'app' may need" in warning
    assert "'uv" not in warning
    [warning] = read(app(), item("x", "y"), item("y", "x", "z"), item("z"), cycles="merge")[1]
    assert "'x', which 'y' may need" in warning
    assert "'y', which 'x' may need" in warning
    [warning] = read(app(), item("alone"))[1]
    assert warning.endswith("'alone', which no requirement names")
    [warning] = read(*(item(f"a{n}", "x; extra == 'e'", requested=True) for n in range(5)), item("x"))[1]
    assert "which 'a0', 'a1', 'a2' and 2 more may need" in warning


def test_what_does_not_hang_is_not_told(read: Read) -> None:
    assert read(item("a"), item("b"))[1] == []  # nobody requested anything: no report of pip's own
    assert read(app("a"), item("a", "b"), item("b"))[1] == []
    assert read(app("a[x]"), item("a", "b; extra == 'x'"), item("b"))[1] == []
    assert read(app("a; sys_platform == 'linux'"), item("a"), environment={"sys_platform": "win32"})[1] == []
    assert read(app(), {"metadata": {"name": "a", "version": "1"}})[1] == []  # not told whether requested
