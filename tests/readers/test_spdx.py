"""SPDX 2 and 3: relationships of both directions, what is none, who wrote them the wrong way round, and damage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, RepoDependencyGraph, read_graph
from tests.readers.damage import survives_damage

Triple = tuple[str, str, str]


def package(ref: str, version: str = "", purl: str = "", **more: Any) -> dict[str, Any]:
    row = {"SPDXID": f"SPDXRef-{ref}", "name": ref, "versionInfo": version, **more}
    if purl:
        told = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        row["externalRefs"] = [{"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a"}, told]
    return row


def bill(packages: list[Any], *triples: Triple, **more: Any) -> dict[str, Any]:
    def ref(name: str) -> str:
        return name if name.startswith(("DocumentRef", "NO")) else f"SPDXRef-{name}"

    return {
        "spdxVersion": "SPDX-2.3",
        "SPDXID": "SPDXRef-DOCUMENT",
        "packages": packages,
        "relationships": [
            {"spdxElementId": ref(first), "relationshipType": kind, "relatedSpdxElement": ref(second)}
            for first, kind, second in triples
        ],
        **more,
    }


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(document: Any, name: str = "x.spdx.json", **options: Any) -> RepoDependencyGraph:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
        return read_graph(path, **{"kinds": "all", **options})

    return read


def told(graph: RepoDependencyGraph, about: str) -> list[str]:
    assert graph.report is not None
    return [str(remark) for kind, remark in graph.report if kind == about]


def edges(graph: RepoDependencyGraph) -> dict[tuple[str, str], list[str]]:
    return {pair: graph.kinds(*pair) for pair in graph.edges}


AB = [package("a", "1"), package("b", "2")]
KINDS = {
    "DEPENDENCY_OF": "normal",
    "RUNTIME_DEPENDENCY_OF": "normal",
    "PREREQUISITE_FOR": "normal",
    "BUILD_DEPENDENCY_OF": "build",
    "BUILD_TOOL_OF": "build",
    "PROVIDED_DEPENDENCY_OF": "peer",
    "OPTIONAL_DEPENDENCY_OF": "optional",
    "DEV_DEPENDENCY_OF": "dev",
    "DEV_TOOL_OF": "dev",
    "TEST_DEPENDENCY_OF": "test",
    "TEST_TOOL_OF": "test",
}


@pytest.mark.parametrize(("kind", "why"), KINDS.items())
def test_a_is_needed_by_b(read: Any, kind: str, why: str) -> None:
    assert edges(read(bill(AB, ("a", kind, "b")))) == {("a@1", "b@2"): [why]}


@pytest.mark.parametrize("kind", ["DEPENDS_ON", "HAS_PREREQUISITE", "DYNAMIC_LINK", "STATIC_LINK"])
def test_b_needs_a(read: Any, kind: str) -> None:
    assert edges(read(bill(AB, ("b", kind, "a")))) == {("a@1", "b@2"): ["normal"]}


def test_one_pair_told_several_times_has_all_its_kinds(read: Any) -> None:
    graph = read(bill(AB, ("b", "DEPENDS_ON", "a"), ("a", "TEST_DEPENDENCY_OF", "b"), ("a", "DEPENDENCY_OF", "b")))
    assert edges(graph) == {("a@1", "b@2"): ["normal", "test"]}


def test_what_is_no_dependency_is_counted(read: Any) -> None:
    graph = read(
        bill(
            AB,
            ("b", "CONTAINS", "a"),
            ("a", "OTHER", "b"),
            ("a", "DEPENDS_ON", "NONE"),
            ("a", "DEPENDS_ON", "NOASSERTION"),
            ("a", "DEPENDS_ON", "DocumentRef-x:SPDXRef-y"),
            ("DocumentRef-x:SPDXRef-y", "DEPENDENCY_OF", "b"),
            ("b", "DEPENDS_ON", "file"),
            files=[{"SPDXID": "SPDXRef-file"}],
        )
    )
    assert graph.edges == []
    assert told(graph, "left out") == [
        "2 relationships that are no dependencies: SPDXRef-b CONTAINS SPDXRef-a, SPDXRef-a OTHER SPDXRef-b",
        "1 packages of which it is not known what they need, or who needs them: SPDXRef-a",
        "2 dependencies of packages of other documents: SPDXRef-a needs DocumentRef-x:SPDXRef-y, "
        "SPDXRef-b needs DocumentRef-x:SPDXRef-y",
        "1 dependencies of what is no package here: SPDXRef-b needs SPDXRef-file",
    ]
    assert told(graph, "look at")[0].startswith("packages but no edges")


@pytest.mark.parametrize(
    "said",
    [
        {"documentDescribes": ["SPDXRef-b"]},
        {"relationships": [("DOCUMENT", "DESCRIBES", "b")]},
        {"relationships": [("b", "DESCRIBED_BY", "DOCUMENT")]},
    ],
)
def test_the_root_is_what_the_document_describes(read: Any, said: dict[str, Any]) -> None:
    triples = said.pop("relationships", [])
    document = bill([*AB, package("c", "3")], ("b", "DEPENDS_ON", "a"), ("a", "DEPENDS_ON", "c"), *triples, **said)
    assert set(read(document).edges) == {("a@1", "b@2"), ("c@3", "a@1")}
    without = read(document, root=False)
    assert (list(without), without.edges) == (["a@1", "c@3"], [("c@3", "a@1")])


def test_the_three_answers_that_are_no_errors(read: Any) -> None:
    packages = [package(name) for name in "rabc"]
    root = ("DOCUMENT", "DESCRIBES", "r")
    assert told(read(bill(packages, root)), "look at")[0].startswith("packages but no edges")
    star = read(bill(packages, root, *(("r", "DEPENDS_ON", name) for name in "abc")))
    assert told(star, "look at")[0].startswith("a star around one root: r needs all others")
    stranger = read(bill(packages, root, ("a", "DEPENDS_ON", "b")))
    assert told(stranger, "look at") == ["the root is a stranger: nothing is said of what r needs"]


def test_several_that_are_described_make_no_root(read: Any) -> None:
    graph = read(bill(AB, ("b", "DEPENDS_ON", "a"), documentDescribes=["SPDXRef-a", "SPDXRef-b"]), root=False)
    assert graph.edges == [("a@1", "b@2")]


@pytest.mark.parametrize("version", ["9.9.2", "10.0.0", "10.2.4"])
def test_npm_before_its_fix_wrote_two_kinds_the_wrong_way_round(read: Any, version: str) -> None:
    creator = {"creators": [f"Tool: npm/cli-{version}", "Person: somebody"]}
    triples = [("b", "DEV_DEPENDENCY_OF", "a"), ("c", "OPTIONAL_DEPENDENCY_OF", "a"), ("c", "HAS_PREREQUISITE", "a")]
    graph = read(bill([*AB, package("c", "3")], *triples, ("b", "DEPENDS_ON", "c"), creationInfo=creator))
    assert edges(graph) == {
        ("a@1", "b@2"): ["dev"],
        ("a@1", "c@3"): ["peer", "optional"],
        ("c@3", "b@2"): ["normal"],
    }
    assert told(graph, "guessed") == [
        f"2 relationships that npm {version} wrote the wrong way round, turned: "
        "DEV_DEPENDENCY_OF, OPTIONAL_DEPENDENCY_OF"
    ]


@pytest.mark.parametrize("tool", ["npm/cli-9.9.3", "npm/cli-10.2.5", "npm/cli-11.0.0", "syft-0.83.0"])
def test_others_and_npm_since_its_fix_are_taken_at_their_word(read: Any, tool: str) -> None:
    graph = read(bill(AB, ("a", "DEV_DEPENDENCY_OF", "b"), creationInfo={"creators": [f"Tool: {tool}"]}))
    assert edges(graph) == {("a@1", "b@2"): ["dev"]}
    assert told(graph, "guessed") == []


def test_githubs_answer_byte_order_marks_and_other_versions(read: Any) -> None:
    document = bill(
        [package("com.github.o.r", "main", "pkg:github/o/r@main"), package("npm:x", "^ 1", "pkg:npm/x"), *AB],
        ("com.github.o.r", "DEPENDS_ON", "npm:x"),
    )
    assert read({"sbom": document}, "export.json").edges == [("x@^ 1", "o/r@main")]
    assert read("\ufeff" + json.dumps({**document, "spdxVersion": "SPDX-2.2"})).edges == [("x@^ 1", "o/r@main")]
    newer = read({**document, "spdxVersion": "SPDX-4.0"})
    assert told(newer, "guessed") == ["1 spdxVersion that is unknown, read as SPDX-2.3: 'SPDX-4.0'"]


def test_versions_that_are_not_asserted_are_none(read: Any) -> None:
    rows = [package("a", "NOASSERTION"), package("b", "NOASSERTION", "pkg:pypi/b@2"), package("c", None)]  # type: ignore[arg-type]
    assert list(read(bill(rows))) == ["a", "b@2", "c"]


def test_those_that_would_be_called_alike_go_by_their_ids(read: Any) -> None:
    rows = [package("1", "1", name="x"), package("2", "1", name="x"), package("3", "1", name="y")]
    assert read(bill(rows, ("3", "DEPENDS_ON", "1"), ("3", "DEPENDS_ON", "2"))).edges == [
        ("SPDXRef-1", "y@1"),
        ("SPDXRef-2", "y@1"),
    ]


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ({"packages": 3}, "packages is 3, expected a list"),
        ({"packages": [{"name": "a"}]}, r"packages\[0\]\.SPDXID is null, expected text"),
        ({"packages": [{"name": "", "SPDXID": ""}]}, r"packages\[0\] has no name"),
        ({"relationships": [{}]}, r"relationships\[0\]\.spdxElementId is null"),
        ({"relationships": ["x"]}, r"relationships\[0\] is 'x', expected an object"),
        ({"documentDescribes": {}}, "documentDescribes is an object"),
        ({"creationInfo": {"creators": [1]}}, r"creationInfo\.creators\[0\] is 1"),
        ({"spdxVersion": 2}, "spdxVersion is 2, expected 'SPDX-2.2'"),
    ],
)
def test_damage_is_told_with_its_place(read: Any, damage: dict[str, Any], place: str) -> None:
    with pytest.raises(ReadError, match=place):
        read({**bill(AB), **damage}, format="spdx")


# ---------------------------------------------------------------------- SPDX 3

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"


def element(name: str, version: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "type": "software_Package",
        "spdxId": f"urn:{name}",
        "name": name,
        "software_packageVersion": version,
        **more,
    }


def relationship(kind: str, after: Any, before: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Relationship", "spdxId": "urn:r", "from": after, "relationshipType": kind, "to": before, **more}


def graph_of(*elements: Any) -> dict[str, Any]:
    return {"@context": CONTEXT, "@graph": list(elements)}


@pytest.mark.parametrize(
    ("kind", "scope", "why"),
    [
        ("dependsOn", None, "normal"),
        ("dependsOn", "runtime", "normal"),
        ("dependsOn", "build", "build"),
        ("dependsOn", "development", "dev"),
        ("dependsOn", "test", "test"),
        ("hasOptionalDependency", None, "optional"),
        ("hasProvidedDependency", None, "peer"),
        ("hasPrerequisite", None, "normal"),
        ("hasStaticLink", None, "normal"),
        ("usesTool", "build", "build"),
        ("usesTool", "test", "test"),
    ],
)
def test_kinds_of_elements(read: Any, kind: str, scope: str | None, why: str) -> None:
    more = {} if scope is None else {"type": "LifecycleScopedRelationship", "scope": scope}
    graph = read(graph_of(relationship(kind, "urn:b", ["urn:a"], **more), element("a"), element("b")))
    assert edges(graph) == {("a@1", "b@1"): [why]}


def test_elements_with_lists_purls_and_roots_that_are_bills(read: Any) -> None:
    graph = read(
        graph_of(
            {"type": "SpdxDocument", "spdxId": "urn:doc", "rootElement": ["urn:bill"]},
            {"type": "software_Sbom", "spdxId": "urn:bill", "rootElement": ["urn:app"]},
            element("app"),
            element("x", software_packageUrl="pkg:npm/%40s/x@1"),
            element("y", externalIdentifier=[{"externalIdentifierType": "packageUrl", "identifier": "pkg:npm/y@1"}]),
            {**element("z"), "type": "ai_AIPackage"},
            {"type": "software_File", "spdxId": "urn:file", "name": "f"},
            relationship("dependsOn", "urn:app", ["urn:x", {"spdxId": "urn:y"}]),
            relationship("dependsOn", "urn:x", "urn:z"),
            relationship("contains", "urn:app", ["urn:file"]),
            relationship("dependsOn", "urn:z", ["https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"]),
            relationship("dependsOn", "urn:z", ["spdx:Core/NoAssertionElement"]),
            relationship("dependsOn", "urn:z", ["urn:file"]),
        ),
        root=False,
    )
    assert list(graph) == ["@s/x@1", "y@1", "z@1"]
    assert graph.edges == [("z@1", "@s/x@1")]
    assert told(graph, "left out") == [
        "1 relationships that are no dependencies: contains",
        "1 packages of which it is not known what they need, or who needs them: urn:z",
        "1 dependencies of what is no package here: urn:z needs urn:file",
        "1 roots, and what they need: app@1",
    ]


@pytest.mark.parametrize(
    ("damaged", "place"),
    [
        ({"type": "software_Package"}, r"@graph\[0\] has no spdxId and no name"),
        (relationship("dependsOn", [3], ["urn:a"]), r"@graph\[0\]\.from\[0\] is 3, expected an object"),
        ({"type": "Relationship"}, r"@graph\[0\]\.relationshipType is null"),
        (3, r"@graph\[0\] is 3"),
    ],
)
def test_damaged_elements(read: Any, damaged: Any, place: str) -> None:
    with pytest.raises(ReadError, match=place):
        read(graph_of(damaged))


# ---------------------------------------------------------------------- damage, and the tool that writes such files

FULL = bill(
    [package("r", "1"), package("a", "1", "pkg:npm/a@1"), package("b", "1", "pkg:gem/a@1")],
    ("DOCUMENT", "DESCRIBES", "r"),
    ("r", "DEPENDS_ON", "a"),
    ("a", "DEV_DEPENDENCY_OF", "b"),
    ("a", "CONTAINS", "b"),
    documentDescribes=["SPDXRef-r"],
    creationInfo={"creators": ["Tool: npm/cli-10.0.0"]},
)
FULL3 = graph_of(
    {"type": "SpdxDocument", "spdxId": "urn:doc", "rootElement": ["urn:a"]},
    element("a", software_packageUrl="pkg:npm/a@1"),
    element("b", externalIdentifier=[{"externalIdentifierType": "packageUrl", "identifier": "pkg:npm/y@1"}]),
    relationship("dependsOn", ["urn:a"], ["urn:b", {"spdxId": "urn:a"}], scope="test"),
    relationship("describes", "urn:doc", ["urn:a"]),
)


@pytest.mark.parametrize("document", [FULL, FULL3])
@pytest.mark.parametrize("examples", [60, pytest.param(5_000, marks=pytest.mark.slow)])
def test_damage_of_every_kind(tmp_path: Path, document: Any, examples: int) -> None:
    survives_damage(document, tmp_path / "x.spdx.json", "spdx", examples)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="missing: npm 10.2.5 or newer")
def test_npm_says_the_same_in_its_lock_and_in_both_bills(tmp_path: Path) -> None:
    manifest = {"name": "app", "version": "1.0.0", "dependencies": {"@s/a": "1"}, "devDependencies": {"d": "1"}}
    lock = {
        "": manifest,
        "node_modules/@s/a": {"version": "1.0.0", "dependencies": {"b": "1"}, "peerDependencies": {"d": "1"}},
        "node_modules/b": {"version": "1.0.0", "optionalDependencies": {"o": "1"}},
        "node_modules/d": {"version": "1.0.0", "dependencies": {"b": "2"}},
        "node_modules/d/node_modules/b": {"version": "2.0.0", "dev": True},
        "node_modules/o": {"version": "1.0.0", "optional": True},
    }
    (tmp_path / "package.json").write_text(json.dumps(manifest), "utf-8")
    locked = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": lock}
    (tmp_path / "package-lock.json").write_text(json.dumps(locked), "utf-8")
    expected = edges(read_graph(tmp_path / "package-lock.json", root=True, kinds="all"))
    assert len(expected) == 6
    for form in ("spdx", "cyclonedx"):
        done = subprocess.run(
            ["npm", "sbom", "--package-lock-only", "--sbom-format", form],
            cwd=tmp_path,
            env={**os.environ, "npm_config_update_notifier": "false"},
            capture_output=True,
            check=True,
        )
        (tmp_path / f"{form}.json").write_bytes(done.stdout)
        graph = read_graph(tmp_path / f"{form}.json", kinds="all")
        assert (edges(graph) if form == "spdx" else dict.fromkeys(graph.edges)) == (
            expected if form == "spdx" else dict.fromkeys(expected)
        )
