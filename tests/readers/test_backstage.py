"""Backstage's catalog, as a file of several documents and as a folder of files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqkit import DependencyCycle, ReadError, RepoDependencyGraph, read_graph

HEAD = "apiVersion: backstage.io/v1alpha1\n"
CATALOG = f"""{HEAD}kind: Component
metadata: {{name: shop, title: The shop}}
spec:
  type: service
  lifecycle: production
  owner: team-a
  dependsOn: [component:stock, "resource:default/shop-db", "component:elsewhere"]
  consumesApis: [prices]
  subcomponentOf: portal
---
{HEAD}kind: Component
metadata: {{name: stock, namespace: default}}
spec: {{type: service, providesApis: [prices], dependencyOf: [Component:Default/Report]}}
---
{HEAD}kind: API
metadata: {{name: prices}}
spec: {{type: openapi}}
---
{HEAD}kind: Resource
metadata: {{name: shop-db}}
---
{HEAD}kind: Component
metadata: {{name: report}}
spec:
---
{HEAD}kind: System
metadata: {{name: portal}}
"""


def write(folder: Path, text: str, name: str = "catalog-info.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_entities_and_who_needs_whom(tmp_path: Path) -> None:
    graph = read_graph(write(tmp_path, CATALOG))
    assert graph.edges == [
        ("prices", "shop"),
        ("shop-db", "shop"),
        ("stock", "prices"),
        ("stock", "report"),
        ("stock", "shop"),
    ]
    shop = {"kind": "component", "title": "The shop", "type": "service", "lifecycle": "production", "owner": "team-a"}
    assert graph.attributes("shop") == shop
    assert graph.report is not None
    assert {one.what: one.examples for one in graph.report.left_out} == {
        "entities that are no component, resource or API": ("System portal",),
        "references to what no entity here is": ("shop: component:elsewhere",),
    }


def test_a_folder_and_a_file_of_another_name_give_the_same(tmp_path: Path) -> None:
    whole = read_graph(write(tmp_path, CATALOG, "all.yaml"))
    for number, document in enumerate(CATALOG.split("---\n")):
        write(tmp_path / "repos", document, f"repo-{number}/catalog-info.yaml")
    split = read_graph(tmp_path / "repos", format="backstage")
    assert split.edges == whole.edges
    assert set(split) == set(whole)


def test_names_that_two_share_are_told_apart(tmp_path: Path) -> None:
    text = "---\n".join(
        f"{HEAD}kind: {kind}\nmetadata: {{name: prices}}\nspec: {{providesApis: [prices]}}\n"
        for kind in ("Component", "API")
    )
    graph = read_graph(write(tmp_path, text))
    assert graph.edges == [("component:default/prices", "api:default/prices")]
    twice = f"{HEAD}kind: Component\nmetadata: {{name: a}}\n"
    report = read_graph(write(tmp_path, f"{twice}---\n{twice}")).report
    assert report is not None
    assert "entities that stand there twice" in str(report.warnings[0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}kind: Component\n", "document 1.metadata is null, expected an object"),
        (f"{HEAD}kind: Component\nmetadata: {{name: [a]}}\n", "document 1.metadata.name is a list, expected text"),
        (f"{HEAD}kind: System\nmetadata: {{name: a}}\n", "holds no component, resource or API"),
        (f"{HEAD}kind: API\nmetadata: {{name: a}}\nspec: {{dependsOn: b}}\n", "document 1.spec.dependsOn is 'b'"),
    ],
)
def test_faults_are_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=said.replace(".", r"\.")):
        read_graph(write(tmp_path, text))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ReadError, match=r"has no catalog-info\.yaml"):
        read_graph(empty, format="backstage")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, len(CATALOG)), st.integers(0, 40), st.text(":-{}[] \n,ab", max_size=6))
def test_damage_gives_a_graph_or_an_error_of_ours(tmp_path: Path, at: int, gone: int, put: str) -> None:
    path = write(tmp_path, CATALOG[:at] + put + CATALOG[at + gone :])
    with contextlib.suppress(ReadError, DependencyCycle):
        assert isinstance(read_graph(path, format="backstage"), RepoDependencyGraph)
