"""What a workflow of Argo says of itself: its nodes, and the templates that they were made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from seqkit._util.words import cut, quoted
from seqkit.errors import ReadError
from seqkit.importers._recorded import Recorded, moment
from seqkit.readers._documents import load_yaml
from seqkit.readers._files import Opened, text_list, typed

__all__ = ["GROUPS", "PARTS", "Argo", "ArgoNode", "ArgoTemplate", "argo_of", "is_of_argo", "workflows_in"]

GROUPS = frozenset(("DAG", "Steps", "StepGroup", "TaskGroup", "Retry"))
"""Nodes that hold others."""
_LEAVES = frozenset(("Pod", "Suspend", "HTTP", "Plugin", "Skipped"))
PARTS = frozenset(("Container", "ArtifactGCPod"))
"""Nodes that are a part of what another does, and no task."""
_PHASES = frozenset(("Succeeded", "Failed", "Error", "Skipped", "Omitted", "Running", "Pending", ""))
_TEXT = ("displayName", "name", "type", "phase", "templateName", "boundaryID", "message")
_SIGNS = ("argoproj.io", "templateName", "templateScope")
_TERM = re.compile(r"([A-Za-z0-9_-]+)(?:\.([A-Za-z]+))?")


class ArgoNode(NamedTuple):
    """A node of a workflow."""

    id: str
    called: str
    kind: str
    phase: str
    template: str
    boundary: str
    started: datetime | None
    finished: datetime | None
    message: str
    children: tuple[str, ...]


class ArgoTemplate(NamedTuple):
    """A template that has tasks or steps: the names in their order, and whom each waits for."""

    needs: Mapping[str, tuple[str, ...]]


@dataclass
class Argo:
    """A workflow."""

    file: Opened
    name: str
    namespace: str
    uid: str
    has_ended: bool
    nodes: dict[str, ArgoNode]
    templates: dict[str, ArgoTemplate] = field(default_factory=dict)


def workflows_in(file: Opened) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the workflows of a file, each with its place: an object, a list of them, or a Kubernetes List."""
    if file.text.lstrip()[:1] in ("{", "["):
        documents = [file.document]
    elif any(sign in file.text for sign in _SIGNS):
        documents = load_yaml(file)
    else:
        return
    for document in documents:
        several = document.get("items") if isinstance(document, dict) else document
        if isinstance(several, list):
            yield from ((f"items[{index}]", one) for index, one in enumerate(several) if is_of_argo(one))
        elif is_of_argo(document):
            yield "the workflow", document


def is_of_argo(document: object) -> bool:
    """Tell whether this is a workflow of Argo; ``argo get`` leaves its kind out."""
    if not isinstance(document, dict):
        return False
    kind, status = document.get("kind"), document.get("status")
    has_nodes = isinstance(status, dict) and "nodes" in status and "metadata" in document
    return kind == "Workflow" or (kind is None and has_nodes)


def argo_of(file: Opened, place: str, document: Mapping[str, Any], found: Recorded) -> Argo:
    """Read a workflow."""
    facts = _object(file, f"{place}: metadata", document.get("metadata"))
    name, namespace, uid = (
        typed(file, f"{place}: metadata.{key}", facts.get(key) or "", str) for key in ("name", "namespace", "uid")
    )
    if not name:
        raise ReadError(file, None, f"{place} has no metadata.name, expected a workflow's own name")
    status = _object(file, f"{place}: status", document.get("status"))
    nodes = _object(file, f"{place}: status.nodes", status.get("nodes"))
    if not nodes and (status.get("compressedNodes") or status.get("offloadNodeStatusVersion")):
        raise ReadError(
            file, None, f"{place} has its nodes compressed or elsewhere; take what `argo get -o json` prints of {name}"
        )
    read = {key: _node(file, f"{place}: status.nodes", key, told, found) for key, told in nodes.items()}
    _check_words(file, read.values())
    ended = typed(file, f"{place}: status.finishedAt", status.get("finishedAt") or "", str) != ""
    return Argo(file, name, namespace, uid, ended, read, dict(_templates(file, place, document, status)))


def _object(file: Opened, where: str, value: object) -> dict[str, Any]:
    """Give an object; null and, in YAML, nothing are empty ones."""
    made: dict[str, Any] = {} if value is None or value == "" else typed(file, where, value, dict)
    return made


def _list(file: Opened, where: str, value: object) -> list[Any]:
    made: list[Any] = [] if value is None or value == "" else typed(file, where, value, list)
    return made


def _node(file: Opened, table: str, key: str, told: object, found: Recorded) -> ArgoNode:
    typed(file, f"a key of {table}", key, str)
    place = f"{table}[{cut(key, 80)!r}]"
    node = typed(file, place, told, dict)
    display, name, kind, phase, template, boundary, message = (
        typed(file, f"{place}.{one}", node.get(one) or "", str) for one in _TEXT
    )
    called = display or name
    if not called:
        raise ReadError(file, None, f"{place} has no displayName, expected what the task is called")
    reference = _object(file, f"{place}.templateRef", node.get("templateRef"))
    template = template or typed(file, f"{place}.templateRef.template", reference.get("template") or "", str)
    children = text_list(file, f"{place}.children", _list(file, f"{place}.children", node.get("children")))
    started, finished = (moment(file, f"{place}.{one}", node.get(one), found) for one in ("startedAt", "finishedAt"))
    return ArgoNode(key, called, kind, phase, template, boundary, started, finished, message, tuple(children))


def _check_words(file: Opened, nodes: Iterable[ArgoNode]) -> None:
    kinds, phases = dict[str, None](), dict[str, None]()
    for node in nodes:
        if node.kind not in GROUPS | _LEAVES | PARTS:
            kinds[node.kind] = None
        if node.phase not in _PHASES:
            phases[node.phase] = None
    for what, unknown in (("phases", phases), ("types of nodes", kinds)):
        if unknown:
            raise ReadError(file, None, f"has {what} that Argo is not known to write: {quoted(unknown)}")


def _templates(
    file: Opened, place: str, document: Mapping[str, Any], status: Mapping[str, Any]
) -> Iterator[tuple[str, ArgoTemplate]]:
    """Give the templates that have tasks or steps; those of the workflow itself come last, and so go before."""
    for key, told in _object(file, f"{place}: status.storedTemplates", status.get("storedTemplates")).items():
        yield from _template(file, f"{place}: status.storedTemplates[{cut(key, 80)!r}]", told)
    stored = _object(file, f"{place}: status.storedWorkflowTemplateSpec", status.get("storedWorkflowTemplateSpec"))
    spec = _object(file, f"{place}: spec", document.get("spec"))
    for name, holder in (("status.storedWorkflowTemplateSpec", stored), ("spec", spec)):
        where = f"{place}: {name}.templates"
        for index, told in enumerate(_list(file, where, holder.get("templates"))):
            yield from _template(file, f"{where}[{index}]", told)


def _template(file: Opened, place: str, told: object) -> Iterator[tuple[str, ArgoTemplate]]:
    template = _object(file, place, told)
    name = typed(file, f"{place}.name", template.get("name") or "", str)
    dag = _object(file, f"{place}.dag", template.get("dag"))
    needs: dict[str, tuple[str, ...]] = {}
    for index, task in enumerate(_list(file, f"{place}.dag.tasks", dag.get("tasks"))):
        where = f"{place}.dag.tasks[{index}]"
        called = typed(file, f"{where}.name", typed(file, where, task, dict).get("name"), str)
        needs[called] = _needs(file, where, task)
    before: tuple[str, ...] = ()
    for index, group in enumerate(_list(file, f"{place}.steps", template.get("steps"))):
        where = f"{place}.steps[{index}]"
        together = group if isinstance(group, list) else [group]
        names = [typed(file, f"{where}.name", typed(file, where, step, dict).get("name"), str) for step in together]
        needs.update(dict.fromkeys(names, before))
        before = tuple(names)
    if needs:
        yield name, ArgoTemplate(needs)


def _needs(file: Opened, where: str, task: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the tasks that must have succeeded: what waits for a failure is not blocked by it."""
    listed = _list(file, f"{where}.dependencies", task.get("dependencies"))
    needs = text_list(file, f"{where}.dependencies", listed)
    rule = typed(file, f"{where}.depends", task.get("depends") or "", str)
    needs += [name for name, outcome in _TERM.findall(rule) if outcome in ("", "Succeeded", "AnySucceeded")]
    return tuple(dict.fromkeys(needs))
