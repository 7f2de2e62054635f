"""Argo Workflows: the nodes of workflows that ended or go on, as ``argo get -o json`` or kubectl print them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from seqkit.core.graph import RepoDependencyGraph
from seqkit.importers._argo_nodes import GROUPS, ArgoNode, argo_of, workflows_in
from seqkit.importers._argo_tasks import ArgoTask, ArgoTasks
from seqkit.importers._blame import blockers_in
from seqkit.importers._copies import RunFile, counted_once
from seqkit.importers._recorded import Recorded
from seqkit.readers._files import Opened

__all__ = ["is_argo", "read_argo"]

_MEANINGS = {
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Error": "failed",
    "Skipped": "skipped",
    "Omitted": "skipped",
    "Running": "in_progress",
    "Pending": "pending",
    "": "pending",
}
_SAYS_MORE = ("Error", "Skipped", "Omitted")
_SHUTDOWN = "workflow shutdown"
_LAST = datetime.max.replace(tzinfo=UTC)


def is_argo(file: Opened) -> bool:
    """Tell whether a file in JSON or YAML has workflows of Argo."""
    return next(workflows_in(file), None) is not None


def read_argo(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    """Read workflows of Argo; every task is a repo by its name, and the pods of a retried one are its attempts.

    Groups (DAGs, steps, loops) are no repos, their members are: ``build(0:core)`` of a loop. Where a workflow has
    several tasks of one name, what holds them stands before it: ``release/build``. A run is called
    ``namespace/name``, or by its uid where two workflows share that.

    What was omitted, or never made since something before it failed, is ``blocked`` by the failed tasks that the
    templates' `dependencies`, `depends` and steps tell of; of `depends` only what must have succeeded counts. Else it
    is ``skipped``, as is what its own `when` left out; `detail` has Argo's word. What ``argo stop`` or ``terminate``
    ended was cancelled. ``argo retry`` replaces nodes, so that what a task was before is lost.

    Parameters
    ----------
    files : sequence of Opened
        Workflows in JSON or YAML, one or several in each.
    graph : RepoDependencyGraph, optional
        Who needs whom, by the names of tasks; it goes before the templates where it has the task.

    Raises
    ------
    ReadError
        Where a file is malformed, a phase or type of node is unknown, or two files tell of one run otherwise.
    """
    found = Recorded("Argo Workflows")
    read = [argo_of(file, place, document, found) for file in files for place, document in workflows_in(file)]
    uids: dict[tuple[str, str], set[str]] = {}
    for one in read:
        uids.setdefault((one.namespace, one.name), set()).add(one.uid)
    told = []
    for one in read:
        shared = len(uids[one.namespace, one.name]) > 1 and one.uid
        name = one.uid if shared else "/".join(filter(None, (one.namespace, one.name)))
        # Groups and their children grow while a workflow goes on.
        items = {node.id: node._replace(children=()) for node in one.nodes.values() if node.kind not in GROUPS}
        told.append(RunFile(one.file, name, items, one))
    if told:
        found.say_once("of a workflow that was retried (argo retry) only the last attempt at each task is told")
    for run in counted_once(found, told, lambda node: _MEANINGS[node.phase] in ("in_progress", "pending")):
        _add(run, ArgoTasks(run.about), graph, found)
    return found


def _add(run: RunFile, workflow: ArgoTasks, graph: RepoDependencyGraph | None, found: Recorded) -> None:
    tasks = [*workflow.tasks.values(), *workflow.never_made.values()]
    count = Counter(task.name for task in tasks)
    names = {
        task.vertex: task.name if count[task.name] == 1 else "/".join((*task.path[1:], task.name)) for task in tasks
    }
    tries = {task.vertex: _in_order(task) for task in tasks}
    failed, released = set(), set()
    for vertex, nodes in tries.items():
        meaning, phase = (_meaning(nodes[-1], workflow.has_ended), nodes[-1].phase) if nodes else ("", "")
        if meaning == "failed":
            failed.add(vertex)
        elif meaning == "succeeded" or phase == "Skipped":  # who waits for what was left out goes on
            released.add(vertex)
    blockers = {
        names[vertex]: [names[one] for one in blocked_by]
        for vertex, blocked_by in blockers_in(workflow.graph, workflow.order, failed, released).items()
        if vertex in names
    }
    if graph is not None:
        own = blockers_in(
            graph, graph.topological_order(), *({names[one] for one in some} for some in (failed, released))
        )
        blockers = {name: own.get(name, []) if name in graph else blockers.get(name, []) for name in names.values()}
    for task in tasks:
        name = names[task.vertex]
        if not task.nodes:
            meaning = "stopped" if workflow.has_ended else "pending"
            found.add(run.run_id, name, "blocked" if blockers.get(name) else meaning, blocked_by=blockers.get(name, []))
        for attempt, node in enumerate(tries[task.vertex], 1):
            _add_node(run.run_id, name, attempt, node, workflow.has_ended, blockers, found)


def _in_order(task: ArgoTask) -> list[ArgoNode]:
    """Give the attempts at a task, the first first."""
    return [node for _, node in sorted(task.nodes, key=lambda one: (one[0], one[1].started or _LAST))]


def _meaning(node: ArgoNode, has_ended: bool) -> str:
    meaning = _MEANINGS[node.phase]
    if meaning == "failed" and node.message.startswith(_SHUTDOWN):
        return "cancelled"
    if has_ended and meaning in ("in_progress", "pending"):
        return "cancelled" if meaning == "in_progress" else "stopped"
    return meaning


def _add_node(
    run_id: str,
    name: str,
    attempt: int,
    node: ArgoNode,
    has_ended: bool,
    blockers: Mapping[str, Sequence[str]],
    found: Recorded,
) -> None:
    meaning, blocked_by = _meaning(node, has_ended), blockers.get(name, ())
    if node.phase == "Omitted" and blocked_by:
        meaning = "blocked"
    found.add(
        run_id,
        name,
        meaning,
        attempt=attempt,
        started=node.started,
        finished=node.finished,
        reason=node.message or None,
        blocked_by=blocked_by if meaning == "blocked" else (),
        detail=node.phase if node.phase in _SAYS_MORE and meaning != "blocked" else None,
    )
