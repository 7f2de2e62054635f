"""Workflows of Argo: a row a task, its attempts, and who blocked whom by the templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seqkit import ReadError, RepoDependencyGraph
from seqkit.importers import _argo_tasks
from seqkit.importers.argo import is_argo, read_argo
from seqkit.readers._files import Opened
from tests.importers.opening import said, told, written
from tests.readers.damage import survives


def node(name: str, phase: str, kind: str = "Pod", *, within: str = "top", **more: Any) -> dict[str, Any]:
    """Make a node; its id is its name unless told otherwise."""
    row = {"id": name, "displayName": name, "type": kind, "phase": phase, "boundaryID": within, "children": []}
    if kind != "Skipped":
        row |= {
            "startedAt": "2026-01-05T10:00:00Z",
            "finishedAt": None if phase == "Running" else "2026-01-05T10:01:00Z",
        }
    return row | more


def workflow(*nodes: dict[str, Any], name: str = "train-x7k2p", **templates: Any) -> dict[str, Any]:
    """Make a workflow whose entry point is the DAG ``main``; templates are tasks of a DAG, or lists of steps."""
    top = node("top", "Failed", "DAG", within="", displayName=name, templateName="main")
    made = []
    for called, body in templates.items():
        if isinstance(body, Mapping):
            tasks = [{"name": task} | how for task, how in body.items()]
            made.append({"name": called, "dag": {"tasks": tasks}})
        else:
            made.append({"name": called, "steps": [[{"name": step} for step in group] for group in body]})
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name, "uid": f"uid of {name}"},
        "spec": {"entrypoint": "main", "templates": made},
        "status": {
            "phase": "Failed",
            "startedAt": "2026-01-05T10:00:00Z",
            "finishedAt": "2026-01-05T10:09:00Z",
            "nodes": {one["id"]: one for one in (top, *nodes)},
        },
    }


CHAIN = {"core": {}, "api": {"dependencies": ["core"]}, "app": {"depends": "api && docs.Succeeded"}, "docs": {}}
FAILED = workflow(
    node("core", "Failed", message="Error (exit code 3)"),
    node("docs", "Succeeded"),
    node("api", "Omitted", "Skipped"),
    node("app", "Omitted", "Skipped"),
    main=CHAIN,
)


def rows(tmp_path: Path, document: Any, graph: RepoDependencyGraph | None = None) -> list[tuple[Any, ...]]:
    return told(read_argo(written(tmp_path, {"w.json": document}), graph))


def test_a_workflow_with_a_failure(tmp_path: Path) -> None:
    files = written(tmp_path, {"w.json": FAILED})
    assert is_argo(files[0])
    found = read_argo(files)
    assert told(found) == [
        ("core", 1, "failed", [], None),
        ("docs", 1, "succeeded", [], None),
        ("api", None, "blocked", ["core"], None),
        ("app", None, "blocked", ["core"], None),
    ]
    failed = found.rows[0]
    assert (failed.run_id, failed.train, failed.reason) == ("train-x7k2p", None, "Error (exit code 3)")
    assert failed.started_at == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert failed.finished_at == datetime(2026, 1, 5, 10, 1, tzinfo=UTC)
    assert "argo retry" in said(found)


@pytest.mark.parametrize("form", ["yaml", "list", "array", "without a kind"])
def test_the_forms_of_a_file(tmp_path: Path, form: str) -> None:
    yaml = """
kind: Workflow
metadata: {name: w, namespace: ci}
status:
  finishedAt: 2026-01-05T10:09:00Z
  nodes:
    w: {id: w, displayName: w, type: DAG, phase: Failed, templateName: main}
    core:
      {id: core, displayName: core, type: Pod, phase: Failed, boundaryID: w, startedAt: 2026-01-05T10:00:00Z}
    api: {id: api, displayName: api, type: Skipped, phase: Omitted, boundaryID: w}
spec:
  templates:
  - name: main
    dag: {tasks: [{name: core}, {name: api, depends: core}]}
"""
    bare = {key: value for key, value in FAILED.items() if key not in ("kind", "apiVersion")}
    document = {"yaml": yaml, "list": {"kind": "List", "items": [FAILED]}, "array": [FAILED], "without a kind": bare}
    (file,) = written(tmp_path, {f"w.{'yaml' if form == 'yaml' else 'json'}": document[form]})
    assert is_argo(file)
    found = read_argo([file])
    assert [row.status for row in found.rows if row.repo_id in ("core", "api")] == ["failed", "blocked"]
    assert {row.run_id for row in found.rows} == {"ci/w" if form == "yaml" else "train-x7k2p"}


def test_what_is_none(tmp_path: Path) -> None:
    others = {"a.yaml": "jobs: {}", "b.json": {"kind": "CronWorkflow"}, "c.json": {"items": [{"kind": "Pod"}]}}
    assert not any(map(is_argo, written(tmp_path, others)))


def test_attempts_of_a_retried_task(tmp_path: Path) -> None:
    tries = [f"core({number})" for number in range(11)]
    document = workflow(
        node("core", "Succeeded", "Retry", children=tries),
        *(node(name, "Failed", id=name) for name in sorted(tries[:-1])),  # all in one second
        node(tries[-1], "Succeeded"),
        main={"core": {}},
    )
    assert rows(tmp_path, document) == [
        *(("core", number, "failed", [], None) for number in range(1, 11)),
        ("core", 11, "succeeded", [], None),
    ]


def test_what_was_skipped_by_choice_blocks_nobody(tmp_path: Path) -> None:
    tasks = {
        "core": {},
        "api": {"depends": "core"},
        "app": {"depends": "api.Succeeded"},
        "clean": {"depends": "core.Failed"},
    }
    document = workflow(
        node("core", "Succeeded"),
        node("api", "Skipped", "Skipped", message="when 'false' evaluated false"),
        node("app", "Omitted", "Skipped"),
        node("clean", "Omitted", "Skipped"),
        main=tasks,
    )
    assert rows(tmp_path, document)[1:] == [
        ("api", None, "skipped", [], "Skipped"),
        ("app", None, "skipped", [], "Omitted"),
        ("clean", None, "skipped", [], "Omitted"),
    ]


def test_loops_and_templates_within_templates(tmp_path: Path) -> None:
    document = workflow(
        node("each", "Failed", "TaskGroup", children=["each(0:a)", "each(1:b)"]),
        node("each(0:a)", "Succeeded"),
        node("each(1:b)", "Failed"),
        node("one", "Failed", "DAG", templateName="inner"),
        node("one.build", "Error", within="one", displayName="build"),
        node("one.push", "Omitted", "Skipped", within="one", displayName="push"),
        node("two", "Succeeded", "DAG", templateName="inner"),
        node("two.build", "Succeeded", within="two", displayName="build"),
        node("two.push", "Succeeded", within="two", displayName="push"),
        node("last", "Omitted", "Skipped"),
        main={"each": {}, "one": {}, "two": {}, "last": {"dependencies": ["each", "one", "two"]}},
        inner={"build": {}, "push": {"depends": "build"}},
    )
    assert rows(tmp_path, document) == [
        ("each(0:a)", 1, "succeeded", [], None),
        ("each(1:b)", 1, "failed", [], None),
        ("one/build", 1, "failed", [], "Error"),
        ("one/push", None, "blocked", ["one/build"], None),
        ("two/build", 1, "succeeded", [], None),
        ("two/push", 1, "succeeded", [], None),
        ("last", None, "blocked", ["each(1:b)", "one/build"], None),
    ]


def test_steps_that_were_never_made(tmp_path: Path) -> None:
    document = workflow(
        node("first", "Failed", "Steps", templateName="inner"),
        node("[0]", "Failed", "StepGroup", within="first", children=["a", "b(0:x)"]),
        node("a", "Succeeded", within="first"),
        node("b(0:x)", "Failed", within="first"),
        main={"first": {}, "next": {"dependencies": ["first"]}, "aside": {}},
        inner=[["a", "b"], ["c"], ["d"]],
    )
    assert rows(tmp_path, document) == [
        ("a", 1, "succeeded", [], None),
        ("b(0:x)", 1, "failed", [], None),
        ("aside", None, "stopped", [], None),
        ("next", None, "blocked", ["b(0:x)"], None),
        ("c", None, "blocked", ["b(0:x)"], None),
        ("d", None, "blocked", ["b(0:x)"], None),
    ]


def test_without_templates_children_tell(tmp_path: Path) -> None:
    document = workflow(
        node("core", "Failed", children=["api"]),
        node("api", "Omitted", "Skipped", children=["app"]),
        node("app", "Omitted", "Skipped"),
    )
    assert [row[2:4] for row in rows(tmp_path, document)[1:]] == [("blocked", ["core"])] * 2


def test_a_graph_goes_before_the_templates(tmp_path: Path) -> None:
    graph = RepoDependencyGraph.from_edges([("core", "app"), ("docs", "api")])
    assert [row[2:4] for row in rows(tmp_path, FAILED, graph)] == [
        ("failed", []),
        ("succeeded", []),
        ("skipped", []),
        ("blocked", ["core"]),
    ]


def test_a_workflow_of_one_pod_is_called_by_its_template(tmp_path: Path) -> None:
    document = workflow(
        node("top", "Succeeded", within="", displayName="train-x7k2p", templateName="build"),
        node("exit", "Succeeded", within="", displayName="train-x7k2p.onExit", templateName="notify"),
    )
    assert [row[0] for row in rows(tmp_path, document)] == ["build", "onExit"]


def test_a_group_that_failed_by_itself(tmp_path: Path) -> None:
    document = workflow(node("inner", "Error", "DAG", message="no such template"), main={"inner": {}})
    assert rows(tmp_path, document) == [("inner", 1, "failed", [], "Error")]


def test_what_was_cancelled_or_goes_on(tmp_path: Path) -> None:
    document = workflow(
        node("core", "Failed", message="workflow shutdown with strategy:  Terminate"),
        node("api", "Running"),
        node("app", "Pending"),
        main={"core": {}, "api": {}, "app": {}, "late": {}},
    )
    document["status"]["nodes"]["top"]["phase"] = "Running"
    assert [(row[2], row[4]) for row in rows(tmp_path, document)] == [
        ("in_progress", "cancelled"),
        ("in_progress", "cancelled"),
        ("stopped", None),
        ("stopped", None),
    ]
    document["status"]["finishedAt"] = None
    assert [row[2] for row in rows(tmp_path, document)] == ["in_progress", "in_progress", "pending", "pending"]


def test_runs_that_share_a_name(tmp_path: Path) -> None:
    other = workflow(node("core", "Succeeded"))
    other["metadata"]["uid"] = "another"
    found = read_argo(written(tmp_path, {"a.json": FAILED, "b.json": other, "c.json": FAILED}))
    assert {row.run_id for row in found.rows} == {"uid of train-x7k2p", "another"}
    assert "came twice and count once" in said(found)


def test_of_an_older_and_a_newer_record_the_newer_counts(tmp_path: Path) -> None:
    early = workflow(node("core", "Running"), main=CHAIN)
    early["status"]["finishedAt"] = None
    found = read_argo(written(tmp_path, {"a.json": FAILED, "b.json": early}))
    assert [row.status for row in found.rows] == ["failed", "succeeded", "blocked", "blocked"]
    again = workflow(node("core", "Succeeded"), main=CHAIN)
    with pytest.raises(ReadError, match="otherwise than"):
        read_argo(written(tmp_path, {"a.json": FAILED, "b.json": again}))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["metadata"], 1, "the workflow: metadata is 1, expected an object"),
        (["metadata", "name"], None, r"has no metadata\.name"),
        (["status", "nodes"], [], r"status\.nodes is a list, expected an object"),
        (["status", "nodes", "core"], None, r"status\.nodes\['core'\] is null, expected an object"),
        (["status", "nodes", "core", "phase"], "Odd", "has phases that Argo is not known to write: 'Odd'"),
        (["status", "nodes", "core", "type"], "Odd", "has types of nodes that Argo is not known to write: 'Odd'"),
        (["status", "nodes", "core", "startedAt"], "noon", r"nodes\['core'\]\.startedAt is 'noon', expected a time"),
        (["status", "nodes", "core", "children"], [1], r"children\[0\] is 1, expected text"),
        (["status", "nodes", "core", "displayName"], "", "has no displayName"),
        (["spec", "templates", 0, "dag", "tasks", 0, "name"], 5, r"dag\.tasks\[0\]\.name is 5, expected text"),
        (["spec", "templates", 0, "dag", "tasks", 0, "depends"], "app", "wait for each other"),
    ],
)
def test_what_is_malformed(tmp_path: Path, place: list[Any], value: Any, message: str) -> None:
    document = workflow(*(dict(one) for one in list(FAILED["status"]["nodes"].values())[1:]), main=CHAIN)
    here: Any = document
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = value
    with pytest.raises(ReadError, match=message):
        rows(tmp_path, document)


def test_nodes_that_are_kept_elsewhere(tmp_path: Path) -> None:
    document = workflow()
    document["status"] |= {"nodes": None, "compressedNodes": "H4sI"}
    with pytest.raises(ReadError, match="nodes compressed or elsewhere"):
        rows(tmp_path, document)


def test_what_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = [node(f"n{number}", "Failed", "DAG", within=f"n{number - 1}") for number in range(300)]
    with pytest.raises(ReadError, match="within more than 200 others"):
        rows(tmp_path, workflow(*deep, node("pod", "Failed", within="n299")))
    monkeypatch.setattr(_argo_tasks, "_MOST_LINKS", 5)
    with pytest.raises(ReadError, match="has more than 5 dependencies"):
        rows(tmp_path, FAILED)


def test_damage(tmp_path: Path) -> None:
    document = workflow(
        node("core", "Failed", "Retry", children=["core(0)"]),
        node("core(0)", "Failed"),
        node("one", "Failed", "DAG", templateName="inner"),
        node("build", "Failed", within="one"),
        node("api", "Omitted", "Skipped"),
        main={"core": {}, "one": {}, "api": {"depends": "core && one"}},
        inner=[["build"], ["push"]],
    )

    def read() -> object:
        file = Opened(tmp_path / "w.json")
        return read_argo([file]) if is_argo(file) else None

    survives(document, tmp_path / "w.json", read, 500)
