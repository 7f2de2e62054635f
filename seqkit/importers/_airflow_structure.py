"""Who waits for whom in Airflow's DAGs, and so who blocked a task whose upstream failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import DependencyCycle, ReadError
from seqkit.importers._airflow_tries import TaskInstance
from seqkit.importers._blame import blockers_in
from seqkit.importers._recorded import Recorded
from seqkit.readers._files import PathLike, described, typed

__all__ = ["Structure", "blame", "structure_of"]


class Structure(NamedTuple):
    """The tasks of a DAG."""

    dag: str | None
    """Whose they are; None where nobody says."""
    graph: RepoDependencyGraph


def structure_of(path: PathLike, where: str, tasks: object, dag: str | None = None) -> Structure:
    """Read a DAG's tasks: a list of objects with ``task_id`` and ``downstream_task_ids``.

    As the REST API gives them, or as Airflow serializes a DAG: each of them, and each list, may then be wrapped.

    Raises
    ------
    ReadError
        Naming the place, what is there and what was expected.
    """
    names: list[str] = []
    edges: list[tuple[str, str]] = []
    for number, entry in enumerate(typed(path, where, tasks, list)):
        here = f"{where}[{number}]"
        task = typed(path, here, _unwrapped(entry), dict)
        name = _task_id(path, f"{here}.task_id", task.get("task_id"))
        names.append(name)
        key = "downstream_task_ids" if "downstream_task_ids" in task else "_downstream_task_ids"
        below = _unwrapped(task.get(key))
        for place, other in enumerate(typed(path, f"{here}.{key}", [] if below is None else below, list)):
            edges.append((name, _task_id(path, f"{here}.{key}[{place}]", other)))
        if dag is None and isinstance(task.get("dag_id"), str):
            dag = task["dag_id"]
    try:
        return Structure(dag, RepoDependencyGraph.from_edges(edges, nodes=names))
    except DependencyCycle as error:
        circle = " → ".join(described(repo) for repo in error.repos[:6])
        raise ReadError(path, None, f"{where} goes round in a circle ({circle}), expected a DAG") from None


def _unwrapped(value: Any) -> Any:
    return value["__var"] if isinstance(value, dict) and "__var" in value else value


def _task_id(path: PathLike, where: str, value: object) -> str:
    if not typed(path, where, value, str).strip():
        raise ReadError(path, None, f"{where} is empty, expected an id")
    return str(value)


# ---------------------------------------------------------------------- blame


def blame(
    instances: Sequence[TaskInstance],
    structures: Sequence[Structure],
    graph: RepoDependencyGraph | None,
    found: Recorded,
) -> dict[tuple[str, str], list[str]]:
    """Say for each task whose upstream failed which of the failed ones it waited for.

    A DAG's structure goes before `graph`. Of several structures of a DAG the last counts that has all tasks of the run;
    one that does not say whose it is counts for the DAGs all of whose tasks it has, where no other does too.

    Returns
    -------
    dict
        By run and repo; what nothing tells of is not in it.
    """
    runs: dict[str, list[TaskInstance]] = {}
    for instance in instances:
        runs.setdefault(instance.last.run_id, []).append(instance)
    of_dag: dict[str | None, list[RepoDependencyGraph]] = {}
    for structure in structures:
        of_dag.setdefault(structure.dag, []).append(structure.graph)
    orders: dict[int, list[str]] = {}
    told: dict[tuple[str, str], list[str]] = {}
    for run_id, own in runs.items():
        blocked = [one for one in own if _became(one) == "blocked"]
        if not blocked:
            continue
        known = _structure_for(own, of_dag, found) or graph
        if known is not None:
            if id(known) not in orders:
                orders[id(known)] = known.topological_order()
            for repo, blockers in _blockers(known, orders[id(known)], own).items():
                told[run_id, repo] = blockers
        for one in blocked:
            if not told.get((run_id, one.last.repo_id)):
                found.say("tasks whose upstream failed, of which nothing tells what it was", str(one.last))
    return told


def _became(instance: TaskInstance) -> str:
    return instance.last.meaning


def _structure_for(
    instances: Sequence[TaskInstance], of_dag: Mapping[str | None, Sequence[RepoDependencyGraph]], found: Recorded
) -> RepoDependencyGraph | None:
    dag = instances[0].last.dag
    tasks = {one.last.task for one in instances}
    named = next((known for known in reversed(of_dag.get(dag, ())) if all(task in known for task in tasks)), None)
    if named is not None:
        return named
    fitting = [known for known in of_dag.get(None, ()) if all(task in known for task in tasks)]
    if len(fitting) > 1:
        found.say_once(f"several files of tasks fit DAG {dag}, and none says whose it is: none was used")
    return fitting[0] if len(fitting) == 1 else None


def _blockers(
    graph: RepoDependencyGraph, order: Sequence[str], instances: Sequence[TaskInstance]
) -> dict[str, list[str]]:
    failed = {one.last.repo_id for one in instances if _became(one) == "failed"}
    # Only what did not get its turn passes a failure on: who was skipped by choice, or still waits, holds up nobody.
    passed = {one.last.repo_id for one in instances if _became(one) not in ("failed", "blocked")}
    if any(one.last.map_index >= 0 for one in instances):
        graph, order = _expanded(graph, order, instances)
    return blockers_in(graph, order, failed, passed)


def _expanded(
    graph: RepoDependencyGraph, order: Iterable[str], instances: Sequence[TaskInstance]
) -> tuple[RepoDependencyGraph, list[str]]:
    """Put the instances of mapped tasks in the place of their tasks.

    An instance waits for the one with the same index of a task before it, where that has one, as in a mapped group of
    tasks; else for all of them, by way of a node that stands for all, so that there are no more edges than instances.
    """
    of_task: dict[str, dict[int, str]] = {}
    for one in instances:
        of_task.setdefault(one.last.task, {})[one.last.map_index] = one.last.repo_id
    edges: list[tuple[str, str]] = []
    nodes: list[str] = []

    def whole(task: str) -> str:
        own: Collection[str] = of_task.get(task, {-1: task}).values()
        return task if list(own) == [task] else f"{task}[]"

    for task in order:
        own = of_task.get(task, {-1: task})
        nodes += own.values()
        if whole(task) != task:
            nodes.append(whole(task))
            edges += [(repo, whole(task)) for repo in own.values()]
        for need in graph.dependencies_of(task):
            needed = of_task.get(need, {-1: need})
            for index, repo in own.items():
                edges.append((needed[index] if index >= 0 and index in needed else whole(need), repo))
    expanded = RepoDependencyGraph.from_edges(edges, nodes=nodes)
    return expanded, expanded.topological_order()
