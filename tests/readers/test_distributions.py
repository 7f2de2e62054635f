"""What those who release many repositories write of their own order: Kubernetes, conda-forge, ROS, KDE, Debian."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph
from seqkit.readers import read_ros

RULES = """
recursive-delete-patterns:
- BUILD
rules:
- destination: machinery
  library: true
  branches:
  - name: master
    source: {branch: master, dir: staging/src/machinery}
- destination: api
  branches:
  - name: master
    source: {branch: master, dirs: [staging/src/api]}
    dependencies:
    - repository: machinery
      branch: master
    - {repository: elsewhere, branch: master}
  - name: release-1.0
    source: {branch: release-1.0}
    dependencies:
- destination: client
  branches:
  - name: release-1.0
    dependencies: [{repository: machinery, branch: release-1.0}, {repository: api, branch: release-1.0}]
  - name: master
    dependencies: [{repository: api, branch: master}]
- destination: retired
  branches:
  - name: release-1.0
default-go-version: 1.20
"""

MIGRATION = {
    "done": ["zlib"],
    "in-pr": ["png"],
    "awaiting-parents": ["viewer"],
    "_feedstock_status": {
        "zlib": {
            "num_descendants": 3,
            "immediate_children": ["png", "viewer"],
            "pr_url": "https://example.org/pull/1",
            "pre_pr_migrator_status": "",
        },
        "png": {"num_descendants": 1, "immediate_children": ["viewer", "unlisted"], "pr_status": "open"},
        "viewer": {"num_descendants": 0, "immediate_children": []},
    },
}

KDE = """
# who needs whom
*: kdesupport/ecm
frameworks/*: third-party/qt   # all of them
kdesupport/ecm: -kdesupport/ecm
frameworks/io : frameworks/core
frameworks/io[kf6]:frameworks/crypt[kf6]
frameworks/old[kf5]: frameworks/core
frameworks/core: -qt
apps/viewer: frameworks/io
apps/viewer: -ecm
third-party/qt: third-party/glib
apps/viewer: frameworks/*
"""

SOURCES = """Package: zlib
Binary: zlib1g, zlib1g-dev,
 zlib1g-udeb
Version: 1:1.3.1
Architecture: any

Package: png
Format: 3.0 (quilt)
Binary: libpng16
Version: 1.6
Build-Depends: debhelper-compat (= 13),
 missing-dev (<< 2) | zlib1g-dev (>= 1:1.2) [amd64 !i386],
# a comment
 check:native <!nocheck>,
Build-Depends-Indep: doc-tool <!nodoc> , boot <stage1> | boot2 <cross !nocheck>
Files:
 0123 456 png.dsc

Package: png
Binary: libpng16
Version: 1.7
Build-Depends-Arch: compiler:any (<< 9) <!nodoc> <!nocheck>
\t
package: check
binary: check
version: 0.15
Build-Depends: check, zlib1g-dev

Package: tools
Binary: doc-tool compiler zlib1g-dev
Version: 3

Package: zlib
Extra-Source-Only: yes
Binary: zlib1g-dev
Version: 1:1.2
Build-Depends: compiler
"""


def read(path: Path, text: str, **options: Any) -> RepoDependencyGraph:
    path.write_text(text, "utf-8")
    return read_graph(path, **options)


def told(graph: RepoDependencyGraph) -> dict[str, str]:
    return {f"{after} needs {before}": "+".join(graph.kinds(before, after)) for before, after in graph.edges}


def remarks(graph: RepoDependencyGraph) -> str:
    assert graph.report is not None
    return "\n".join(graph.report.lines())


# ---------------------------------------------------------------------- Kubernetes, conda-forge


def test_rules_of_the_publishing_bot(tmp_path: Path) -> None:
    graph = read(tmp_path / "rules.yaml", RULES)
    assert list(graph) == ["machinery", "api", "client", "retired"]
    assert set(told(graph)) == {"api needs machinery", "client needs machinery", "client needs api"}
    assert graph.attributes("machinery") == {"library": True, "branches": ["master"], "path": "staging/src/machinery"}
    assert graph.attributes("api") == {"branches": ["master", "release-1.0"], "path": "staging/src/api"}
    assert "1 dependencies on repositories without a rule: api needs elsewhere" in remarks(graph)


def test_rules_for_one_branch(tmp_path: Path) -> None:
    graph = read(tmp_path / "rules.yaml", RULES, branch="master")
    assert set(told(graph)) == {"api needs machinery", "client needs api"}
    assert "1 repositories without a rule for the branch: retired" in remarks(graph)
    with pytest.raises(ReadError, match="has no rule for the branch 'gone'"):
        read(tmp_path / "rules.yaml", RULES, branch="gone")


def test_a_migration_of_conda_forge(tmp_path: Path) -> None:
    graph = read(tmp_path / "zlib2.json", json.dumps(MIGRATION))
    assert set(told(graph)) == {"png needs zlib", "viewer needs zlib", "viewer needs png", "unlisted needs png"}
    assert graph.attributes("zlib") == {"state": "done", "pr_url": "https://example.org/pull/1", "ecosystem": "conda"}
    assert graph.attributes("png") == {"state": "in-pr", "pr_status": "open", "ecosystem": "conda"}
    assert "1 feedstocks without an entry of their own, which others name: unlisted" in remarks(graph)


# ---------------------------------------------------------------------- ROS


def package(top: Path, place: str, content: str, format: str = ' format="3"') -> None:
    folder = top / place
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.xml").write_text(
        f'<?xml version="1.0"?>\n<?xml-model href="a.xsd"?>\n<package{format}>{content}</package>'
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    package(
        tmp_path, "common/msgs", "<name>msgs</name><version>1.2.0</version><buildtool_depend>cmake_x</buildtool_depend>"
    )
    package(tmp_path, "common/cmake_x", "<name>cmake_x</name><build_export_depend>boost</build_export_depend>")
    package(tmp_path, "common/msgs/inner", "<name>inner</name>")
    package(tmp_path, "skipped/lost", "<name>lost</name>")
    package(tmp_path, "off", "<name>off</name><depend>msgs</depend>")
    for place in ("skipped", "off"):
        (tmp_path / place / "COLCON_IGNORE").touch()
    package(
        tmp_path,
        "robot",
        "<name> robot </name><depend version_gte='1.0'>msgs</depend><test_depend>lint</test_depend>"
        "<exec_depend condition='$ROS_VERSION == 1'>old</exec_depend><doc_depend>old</doc_depend>"
        "<group_depend>interfaces</group_depend><build_depend>old</build_depend>",
    )
    package(tmp_path, "old", "<name>old</name><run_depend>msgs</run_depend>", format="")
    package(tmp_path, "lint", "<name>lint</name><export><build_type>ament</build_type></export>", format=' format="2"')
    (tmp_path / "pear").mkdir()
    (tmp_path / "pear" / "package.xml").write_text('<package xmlns="http://pear.example/"><name>Mail</name></package>')
    return tmp_path


def test_packages_of_ros(workspace: Path) -> None:
    graph = read_ros(workspace, kinds="all")
    assert set(graph) == {"msgs", "cmake_x", "robot", "old", "lint"}
    assert told(graph) == {
        "msgs needs cmake_x": "build",
        "robot needs msgs": "normal",
        "robot needs lint": "test",
        "robot needs old": "normal+build+dev",
        "old needs msgs": "normal",
    }
    assert graph.attributes("msgs") == {"version": "1.2.0", "path": "common/msgs", "ecosystem": "ros"}
    text = remarks(graph)
    assert "1 dependencies under conditions, taken for dependencies: robot needs old where '$ROS_VERSION == 1'" in text
    assert "1 dependencies on groups of packages: robot needs interfaces" in text
    assert "1 dependencies on packages from elsewhere: cmake_x needs boost" in text
    assert "1 files package.xml that are not of ROS: pear/package.xml" in text
    side_by_side = read_graph(workspace, kinds="all")
    assert told(side_by_side) == told(graph)


def test_links_that_lead_round_in_a_circle_are_followed_once(workspace: Path) -> None:
    before = told(read_ros(workspace, kinds="all"))
    (workspace / "common" / "again").symlink_to(workspace, target_is_directory=True)
    graph = read_ros(workspace, kinds="all")
    assert told(graph) == before
    assert "packages with a name that another has" not in remarks(graph)


def test_one_package_of_ros(workspace: Path) -> None:
    assert list(read_graph(workspace / "robot" / "package.xml")) == ["robot"]
    with pytest.raises(ReadError, match=r"is no package.xml of ROS"):
        read_graph(workspace / "pear" / "package.xml")


# ---------------------------------------------------------------------- KDE


def test_dependency_data_of_kde(tmp_path: Path) -> None:
    graph = read(tmp_path / "dependency-data-kf6-qt6", KDE)
    assert set(told(graph)) == {
        "frameworks/io needs kdesupport/ecm",
        "frameworks/io needs third-party/qt",
        "frameworks/io needs frameworks/core",
        "frameworks/io needs frameworks/crypt",
        "frameworks/crypt needs kdesupport/ecm",
        "frameworks/crypt needs third-party/qt",
        "frameworks/old needs kdesupport/ecm",
        "frameworks/old needs third-party/qt",
        "frameworks/old needs frameworks/core",
        "frameworks/core needs kdesupport/ecm",
        "apps/viewer needs frameworks/io",
        "third-party/qt needs third-party/glib",
    }
    assert "1 dependencies on all projects of a folder, which do not count: apps/viewer: frameworks/*" in remarks(graph)


def test_one_branch_of_kde(tmp_path: Path) -> None:
    graph = read(tmp_path / "data.txt", KDE, branch="kf5")
    assert "frameworks/old needs frameworks/core" in told(graph)
    assert "frameworks/io needs frameworks/crypt" not in told(graph)


def test_patterns_that_multiply(tmp_path: Path) -> None:
    lines = [f"*: a/b{number}\n" for number in range(750)]
    with pytest.raises(ReadError, match=r"more than 500,000 dependencies"):
        read(tmp_path / "dependency-data", "".join(lines))


# ---------------------------------------------------------------------- Debian


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_sources_of_debian(tmp_path: Path, newline: str) -> None:
    graph = read(tmp_path / "Sources", SOURCES.replace("\n", newline), kinds="all")
    assert told(graph) == {
        "png needs zlib": "build",
        "png needs check": "test",
        "png needs tools": "build",
        "check needs zlib": "build",
    }
    assert graph.attributes("png") == {"version": "1.6 + 1.7", "binaries": 1, "ecosystem": "debian"}
    assert graph.attributes("zlib") == {"version": "1:1.3.1", "binaries": 3, "ecosystem": "debian"}
    text = remarks(graph)
    assert "1 dependencies on binary packages that no source here makes: png needs debhelper-compat (= 13)" in text
    assert "1 dependencies for profiles that are not active by default: png needs boot <stage1> | boot2" in text
    assert "1 sources that are kept for their sources alone: zlib" in text
    assert "1 packages that need themselves: check" in text
    assert "1 binary packages that several sources make, taken from the first: zlib1g-dev: zlib, tools" in text
    assert "png needs check" not in told(read(tmp_path / "deb.example_main_Sources", SOURCES))


def test_an_archive_is_read_in_one_pass(tmp_path: Path) -> None:
    count = 3000
    stanzas = [
        f"Package: s{number}\nBinary: b{number}\nVersion: 1\n"
        + f"Build-Depends: {', '.join(f'b{(number * 7 + step) % count} (>= 1)' for step in range(1, 8))}\n"
        for number in range(count)
    ]
    graph = read(tmp_path / "Sources", "\n".join(stanzas), cycles="keep")
    assert len(graph) == count
    assert len(graph.edges) > 6 * count


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("name", "format", "text", "fault"),
    [
        ("a.yaml", "publishing-rules", "rules: a", "rules is 'a', expected a list"),
        ("a.yaml", "publishing-rules", "rules: [{branches: []}]", "rules[0].destination is null, expected text"),
        ("a.yaml", "publishing-rules", "rules: []", "has no rules"),
        ("a.yaml", "publishing-rules", "a: b", "has no `rules`"),
        ("a.json", "conda-forge", "{}", "has no table `_feedstock_status`"),
        ("a.json", "conda-forge", '{"_feedstock_status": {"a": 1}}', "_feedstock_status['a'] is 1, expected"),
        (
            "a.json",
            "conda-forge",
            '{"_feedstock_status": {"a": {"immediate_children": [1]}}}',
            "[0] is 1, expected text",
        ),
        ("package.xml", "ros", "<package><version>1</version></package>", "has no <name>"),
        ("package.xml", "ros", "<package>", "is no XML"),
        ("a.txt", "kde", "a/b: c/d\na/b c/d\n", "line 2"),
        ("a.txt", "kde", "a/b: -\n", "line 1"),
        ("a.txt", "kde", "# nothing\n", "is empty"),
        ("Sources", "debian", "Package: a\nBinary: a\n\n Package: b\n", "line 4"),
        ("Sources", "debian", "Package: a\nBinary a\n", "line 2"),
        ("Sources", "debian", "Package: a\nBinary: a\n\nBinary: b\n", "line 4"),
        ("Sources", "debian", "\n", "has no stanza"),
    ],
)
def test_faults_are_named(tmp_path: Path, name: str, format: str, text: str, fault: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(tmp_path / name, text, format=format)
    assert fault in str(caught.value)


def test_other_files_of_such_names_are_left_to_others(tmp_path: Path) -> None:
    go = read(tmp_path / "graph.txt", "a.b/app a.b/lib@v1.0.0\n")
    assert go.report is not None
    assert go.report.format == "go-graph"
    workflow = read(tmp_path / "ci.yaml", "on: push\njobs: {a: {needs: []}}\n")
    assert workflow.report is not None
    assert workflow.report.format == "workflow"
    for name, text in {"a.txt": "a: b\n", "b.yaml": "rules:\n- alert: a\n", "sources": "deb a b main\n"}.items():
        with pytest.raises(ReadError, match=r"is n(either|ot)"):
            read(tmp_path / name, text)


GOOD = {
    "publishing-rules": RULES,
    "conda-forge": json.dumps(MIGRATION, indent=1),
    "ros": '<package format="2">\n<name>a</name>\n<version>1</version>\n<depend>b</depend>\n</package>',
    "kde": KDE,
    "debian": SOURCES,
}


@pytest.mark.parametrize("format", list(GOOD))
@pytest.mark.parametrize("many", [100, pytest.param(5000, marks=pytest.mark.slow)])
def test_damage_gives_a_graph_or_a_fault(tmp_path: Path, format: str, many: int) -> None:
    chance = random.Random(16)
    good = GOOD[format]
    outcomes = set()
    for _ in range(many):
        start = chance.randrange(len(good))
        more = chance.choice(["", "", "[]", "{", "x", "\n", ":", "\t", "<a>", "null", " - ", "\x00", "é", "*"])
        damaged = good[:start] + more + good[start + chance.choice([0, 1, 5, 40]) :]
        try:
            outcomes.add(type(read(tmp_path / "package.xml", damaged, format=format, kinds="all")))
        except (ReadError, DependencyCycle) as fault:
            outcomes.add(type(fault))
    assert {RepoDependencyGraph, ReadError} <= outcomes
