"""CycloneDX: each awkward feature of bills that tools write, and damage of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph
from seqkit.readers import read_cyclonedx
from tests.readers.damage import survives_damage


def part(ref: str | None, name: str = "", version: str = "", **more: Any) -> dict[str, Any]:
    row = {"type": "library", "bom-ref": ref, "name": name or ref, "version": version, **more}
    return {key: value for key, value in row.items() if value not in (None, "")}


def bill(components: list[Any], needs: dict[str, list[str]] | None = None, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components, **more}
    if needs is not None:
        made["dependencies"] = [{"ref": ref, "dependsOn": refs} for ref, refs in needs.items()]
    return made


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(document: Any, name: str = "x.cdx.json", **options: Any) -> RepoDependencyGraph:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
        return read_graph(path, **options)

    return read


def told(graph: RepoDependencyGraph, about: str) -> list[str]:
    assert graph.report is not None
    return [str(remark) for kind, remark in graph.report if kind == about]


ROOT = {"metadata": {"component": part("root", "app", "1.0")}}


@pytest.mark.parametrize("name", ["x.cdx.json", "bom.json", "sbom.JSON", "deploy.json"])
@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"])
def test_every_version_is_known_by_its_content(read: Any, name: str, version: str) -> None:
    document = bill([part("1", "a", "2"), part("2", "b", "3")], {"2": ["1"]}, specVersion=version)
    graph = read(document, name)
    assert graph.edges == [("a@2", "b@3")]
    assert graph.report.format == "cyclonedx"
    assert told(graph, "guessed") == []


def test_a_byte_order_mark_and_versions_that_are_not_known(read: Any) -> None:
    graph = read("\ufeff" + json.dumps(bill([part("1", "a")], specVersion="1.9")))
    assert list(graph) == ["a"]
    assert told(graph, "guessed") == ["1 specVersion that is unknown, read as 1.7: '1.9'"]
    document = bill([part("1", "a")])
    del document["specVersion"]
    assert told(read(document), "guessed") == ["1 specVersion that is unknown, read as 1.7: missing"]


def test_the_root_is_in_or_out(read: Any) -> None:
    document = bill([part("1", "a"), part("2", "b")], {"root": ["1", "2"], "2": ["1"]}, **ROOT)
    assert set(read(document).edges) == {("a", "app@1.0"), ("b", "app@1.0"), ("a", "b")}
    without = read(document, root=False)
    assert (list(without), without.edges) == (["a", "b"], [("a", "b")])
    assert told(without, "left out") == ["1 roots, and what they need: app@1.0"]


def test_the_three_answers_that_are_no_errors(read: Any) -> None:
    parts = [part(name) for name in "abcd"]
    assert told(read(bill(parts, **ROOT)), "look at")[0].startswith("packages but no edges")
    assert told(read(bill(parts, {"root": list("abcd"), "a": []}, **ROOT)), "look at") == [
        "a star around one root: app@1.0 needs all others, and nothing is said of who among those needs whom"
    ]
    assert told(read(bill(parts, {"a": ["b"]}, **ROOT)), "look at") == [
        "the root is a stranger: nothing is said of what app@1.0 needs"
    ]


def test_components_inside_components_and_services_are_repos(read: Any) -> None:
    inner = part("in", "in", components=[part("deep", "deep")])
    document = bill([part("out", "out", components=[inner])], {"out": ["deep"], "deep": ["api"]})
    document["services"] = [{"bom-ref": "all", "name": "all", "services": [{"bom-ref": "api", "name": "api"}]}]
    graph = read(document)
    assert list(graph) == ["out", "in", "deep", "all", "api"]
    assert set(graph.edges) == {("deep", "out"), ("api", "deep")}


def test_parts_of_the_root_and_files_count_where_somebody_needs_them(read: Any) -> None:
    root = part("root", "app", components=[part("bin"), part("member")])
    document = bill(
        [part("lib"), part("f", "x.js", type="file"), part("g", "y.js", type="file")],
        {"root": ["member"], "member": ["lib", "g"]},
        metadata={"component": root},
    )
    graph = read(document)
    assert set(graph) == {"app", "member", "lib", "y.js"}
    assert told(graph, "left out") == ["2 files, data and parts of the root that no dependency names: bin, x.js"]


def test_dangling_references_and_other_bills_are_counted(read: Any) -> None:
    link = "urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1#x"
    graph = read(bill([part("a"), part("b")], {"a": ["b", "gone", link], "lost": ["a"]}))
    assert graph.edges == [("b", "a")]
    assert told(graph, "left out") == [
        "2 dependencies of which one bom-ref is that of no component: gone, lost",
        f"1 dependencies on components of other bills: {link}",
    ]


def test_provides_is_no_edge_and_a_dependency_may_stand_in_several_rows(read: Any) -> None:
    document = bill([part("a"), part("b"), part("c")])
    document["dependencies"] = [
        {"ref": "a", "dependsOn": ["b"], "provides": ["c"]},
        {"ref": "a", "dependsOn": ["c", "b", "a"]},
        {"ref": "c"},
        {"ref": "b", "dependsOn": None},
    ]
    graph = read(document)
    assert graph.edges == [("b", "a"), ("c", "a")]
    assert told(graph, "left out") == ["1 packages that need themselves: a"]


def test_scopes_are_kinds_where_they_begin(read: Any) -> None:
    development = {"properties": [{"name": "cdx:npm:package:development", "value": "true"}]}
    document = bill(
        [
            part("r", scope="required"),
            part("o", scope="optional"),
            part("o2", scope="optional"),
            part("x", scope="excluded"),
            part("d", **development),
            part("d2", scope="optional", **development),
            part("q", scope="strange"),
        ],
        {"root": ["r", "o", "x", "d", "q"], "o": ["o2", "r"], "d": ["d2", "o2"], "x": ["r"], "o2": ["x"]},
        **ROOT,
    )
    graph = read(document, kinds="all")
    kinds = {pair: graph.kinds(*pair) for pair in graph.edges}
    assert {pair for pair, why in kinds.items() if why == ["optional"]} == {("o", "app@1.0")}
    assert {pair for pair, why in kinds.items() if why == ["dev"]} == {
        ("x", "app@1.0"),
        ("d", "app@1.0"),
        ("x", "o2"),
    }
    assert len(kinds) == 11
    assert ("x", "app@1.0") not in read(document).edges
    assert told(graph, "guessed") == ["1 scopes that are unknown, taken for normal: 'strange'"]


@pytest.mark.parametrize(
    ("row", "id"),
    [
        (part("1", "core", "7.0", purl="pkg:npm/%40babel/core@7.0"), "@babel/core@7.0"),
        (part("1", "core", "7.0", group="@babel"), "@babel/core@7.0"),
        (part("1", "x", group="org.apache", purl="pkg:maven/org.apache/x@1?type=jar"), "org.apache:x@1"),
        (part("1", "github.com/a/b", "v1", purl="pkg:golang/github.com/a/b@v1#cmd"), "github.com/a/b@v1"),
        (part("1", "apt", "1:2", purl="pkg:deb/debian/apt@2?epoch=1"), "apt@1:2"),
        (part("1", "PyYAML", "6", purl="pkg:pypi/pyyaml@6"), "PyYAML@6"),
        (part("1", "npm:left-pad", purl="pkg:npm/left-pad@1"), "left-pad@1"),
        (part("1", "long", purl="pkg:npm/%40xtuc/long%404.2.2"), "@xtuc/long@4.2.2"),
        (part("1", "x", "1", purl="no purl"), "x@1"),
        (part("1", "x", "1", purl="pkg:npm/@"), "@@1"),
        (part("1", "x", "1", purl="pkg:npm//"), "x@1"),
        ({"bom-ref": "only", "type": "library"}, "only"),
        ({"type": "library", "name": "x"}, "x"),
    ],
)
def test_what_a_repo_is_called(read: Any, row: dict[str, Any], id: str) -> None:
    assert list(read(bill([row]))) == [id]


def test_those_that_would_be_called_alike_go_by_their_references(read: Any) -> None:
    rows = [part("1", "a", "1"), part("2", "a", "1"), part("3", "b", "1"), part("4", "2"), part("5", "4")]
    graph = read(bill(rows, {"3": ["1", "2"], "2": ["4"]}))
    assert list(graph) == ["1", "2", "b@1", "4", "5"]
    assert graph.edges == [("1", "b@1"), ("2", "b@1"), ("4", "2")]
    assert told(graph, "look at") == ["2 packages that others are called alike, called by their bom-refs: 1, 2"]
    assert graph.attributes("b@1") == {"version": "1", "ref": "3"}


def test_names_join_versions_and_keep_ecosystems_apart(read: Any) -> None:
    rows = [
        part("1", purl="pkg:npm/semver@1"),
        part("2", purl="pkg:npm/semver@2"),
        part("3", purl="pkg:gem/semver@9"),
        part("4", "app"),
    ]
    needs = {"4": ["1", "3"], "2": ["4"]}
    with pytest.raises(DependencyCycle, match=r'Versions kept apart have none: read_graph\(…, ids="name@version"\)'):
        read(bill(rows, needs), ids="name")
    graph = read(bill(rows, {"4": ["1", "3"], "1": ["2"]}), ids="name")
    assert set(graph.edges) == {("npm:semver", "app"), ("gem:semver", "app")}
    assert graph.attributes("npm:semver")["version"] == "1 + 2"


def test_what_stands_twice_is_taken_once(read: Any) -> None:
    graph = read(bill([part("a", "a", "1"), part("a", "z", "2"), part("root", "app")], {"root": ["a"]}, **ROOT))
    assert graph.edges == [("a@1", "app@1.0")]
    assert told(graph, "look at") == ["1 bom-refs that stand twice, of which the first is taken: a"]


def test_without_bom_refs_purls_will_do(read: Any) -> None:
    rows = [part(None, "x", purl="pkg:npm/x@1"), part(None, "y", purl="pkg:npm/y@1")]
    assert read(bill(rows, {"pkg:npm/x@1": ["pkg:npm/y@1"]})).edges == [("y@1", "x@1")]


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ({"components": {}}, "components is an object, expected a list"),
        ({"components": [3]}, r"components\[0\] is 3, expected an object"),
        ({"components": [{"type": "library"}]}, r"components\[0\] has no name"),
        ({"components": [part("a", components=[{"name": 1}])]}, r"components\[0\]\.components\[0\]\.name is 1"),
        ({"metadata": []}, "metadata is a list"),
        ({"metadata": {"component": "x"}}, r"metadata\.component is 'x'"),
        ({"dependencies": [{}]}, r"dependencies\[0\]\.ref is null, expected text"),
        ({"dependencies": [{"ref": "a", "dependsOn": [["a"]]}]}, r"dependencies\[0\]\.dependsOn\[0\] is a list"),
        ({"components": [part("\ud800")]}, "half a character"),
        ({"bomFormat": "SPDX"}, "bomFormat is 'SPDX', expected 'CycloneDX'"),
    ],
)
def test_damage_is_told_with_its_place(read: Any, damage: dict[str, Any], place: str) -> None:
    with pytest.raises(ReadError, match=place):
        read({**bill([part("a")]), **damage}, format="cyclonedx")


def test_options_are_checked_before_the_file() -> None:
    with pytest.raises(ValueError, match="ids is 'purl', expected one of"):
        read_cyclonedx("none", ids="purl")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="kinds"):
        read_cyclonedx("none", kinds="everything")


def test_components_nested_as_deep_as_json_may_be(read: Any) -> None:
    def nested(depth: int) -> str:
        return '{"name":"a","components":[' * depth + "]}" * depth

    start = '{"bomFormat":"CycloneDX","specVersion":"1.6","components":['
    assert list(read(f"{start}{nested(60)}]}}")) == ["a"]
    with pytest.raises(ReadError, match="nested too deeply"):
        read(f"{start}{nested(10_000)}]}}")


FULL = {
    **bill(
        [
            part("a", "a", "1", purl="pkg:npm/a@1", group="g", scope="optional"),
            part("b", components=[part("c", properties=[{"name": "x", "value": "y"}])]),
        ],
        {"root": ["a", "gone"], "a": ["b", "c"]},
    ),
    **ROOT,
    "services": [{"name": "s", "bom-ref": "s"}],
}


@pytest.mark.parametrize("examples", [60, pytest.param(5_000, marks=pytest.mark.slow)])
def test_damage_of_every_kind(tmp_path: Path, examples: int) -> None:
    survives_damage(FULL, tmp_path / "x.cdx.json", "cyclonedx", examples)
