"""The tasks of a workflow of Argo, their attempts, and who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from seqkit._util.words import cut
from seqkit.core.graph import graph_of_edges
from seqkit.errors import DependencyCycle, ReadError
from seqkit.importers._argo_nodes import GROUPS, PARTS, Argo, ArgoNode, ArgoTemplate

__all__ = ["ArgoTask", "ArgoTasks"]

_ON_EXIT = ".onExit"
_HOLD_TASKS = ("DAG", "Steps")
_MOST_LINKS = 2_000_000  # a template counts for each node that it was made of
_DEEPEST = 200  # templates within templates; Argo itself stops at half of that


class ArgoTask(NamedTuple):
    """A task: what holds it, outermost first, its name, and the nodes that were its attempts."""

    path: tuple[str, ...]
    name: str
    nodes: list[tuple[tuple[int, ...], ArgoNode]]
    """Each with its place among the attempts, those of what holds it first."""
    vertex: str


_Key = tuple[tuple[str, ...], str]


class ArgoTasks:
    """The tasks of a workflow.

    Attributes
    ----------
    tasks : dict
        Those that have nodes, by what holds them and their names.
    never_made : dict
        Those of templates that did not succeed which have none.
    graph : RepoDependencyGraph
        Who waits for whom: tasks by their `vertex`, and the beginnings and ends of what holds them.
    order : list of str
        The graph's, dependencies first.
    has_ended : bool
        Whether the workflow has.
    """

    def __init__(self, workflow: Argo) -> None:
        self.has_ended = workflow.has_ended
        self.tasks: dict[_Key, ArgoTask] = {}
        self.never_made: dict[_Key, ArgoTask] = {}
        self._workflow = workflow
        self._nodes = workflow.nodes
        self._retried: dict[str, tuple[str, int]] = {}  # of an attempt: the name of its task, and which attempt
        self._within: dict[str, list[ArgoNode]] = {}
        self._places: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._numbers: dict[object, str] = {}
        self._edges: list[tuple[str, str]] = []
        self._links = 0
        for node in self._nodes.values():
            self._within.setdefault(node.boundary, []).append(node)
            if node.kind == "Retry":
                tries = [child for child in node.children if self._is_try(child, node)]
                self._retried.update({child: (node.called, number) for number, child in enumerate(tries)})
        for node in self._nodes.values():
            if self._is_task(node):
                path, tries_so_far = self._place_of(node)
                self._task(self.tasks, (path[:-1], path[-1])).nodes.append((tries_so_far, node))
        for node in self._nodes.values():
            if node.kind in _HOLD_TASKS:
                self._link_within(node)
        try:
            self.graph = graph_of_edges(self._edges, list(self._numbers.values()))
            self.order = self.graph.topological_order()
        except DependencyCycle:
            raise self._refused("has tasks that wait for each other, expected none that do") from None

    def _refused(self, why: str) -> ReadError:
        return ReadError(self._workflow.file, None, f"the workflow {cut(self._workflow.name, 80)!r} {why}")

    # ------------------------------------------------------------------ which tasks there are

    def _is_try(self, child: str, retry: ArgoNode) -> bool:
        node = self._nodes.get(child)
        return node is not None and node.called.startswith(f"{retry.called}(")

    def _is_task(self, node: ArgoNode) -> bool:
        """Tell whether a node is a task or an attempt at one: no group, but one that came to nothing by itself."""
        if node.kind in PARTS:
            return False
        has_members = node.id in self._within or any(child in self._nodes for child in node.children)
        return node.kind not in GROUPS or (not has_members and node.phase in ("Failed", "Error", "Omitted", "Skipped"))

    def _task(self, among: dict[_Key, ArgoTask], key: _Key) -> ArgoTask:
        return among.setdefault(key, ArgoTask(*key, [], self._vertex("task", key)))

    def _name_of(self, node: ArgoNode) -> str:
        """Give the name of a task; the workflow's own, which is another in each run, is no name of one."""
        name = self._retried[node.id][0] if node.id in self._retried else node.called
        own = self._workflow.name
        if name == own + _ON_EXIT:
            return _ON_EXIT[1:]
        return node.template or name if name == own else name

    def _place_of(self, node: ArgoNode) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Give the names of all that holds a node and its own, and which attempts they were."""
        above: ArgoNode | None = node
        chain: list[ArgoNode] = []
        while above is not None and above.id not in self._places:
            chain.append(above)
            if len(chain) > _DEEPEST:
                message = (
                    f"has nodes of {self._workflow.name} within more than {_DEEPEST} others, expected at most that"
                )
                raise ReadError(self._workflow.file, None, message)
            above = self._nodes.get(above.boundary)
        for one in reversed(chain):
            path, tries = self._places.get(one.boundary, ((), ()))
            number = self._retried[one.id][1] if one.id in self._retried else 0
            self._places[one.id] = (*path[-_DEEPEST:], self._name_of(one)), (*tries[-_DEEPEST:], number)
        return self._places[node.id]

    # ------------------------------------------------------------------ who waits for whom

    def _vertex(self, *what: object) -> str:
        return self._numbers.setdefault(what, str(len(self._numbers)))

    def _ends_of(self, node: ArgoNode) -> tuple[str, str]:
        """Give where a node begins and ends, in the graph."""
        if node.kind in _HOLD_TASKS and not self._is_task(node):
            return self._vertex("begins", node.id), self._vertex("ends", node.id)
        path, _ = self._place_of(node)
        vertex = self._vertex("task", (path[:-1], path[-1]))
        return vertex, vertex

    def _link_within(self, holder: ArgoNode) -> None:
        """Link the tasks that a DAG or steps hold; a loop and a retried task are one, whatever their nodes."""
        template = self._workflow.templates.get(holder.template)
        begins, ends = self._vertex("begins", holder.id), self._vertex("ends", holder.id)
        members = [node for node in self._within.get(holder.id, ()) if node.kind not in PARTS]
        units = {node.id: self._unit(node, template) for node in members}
        names = dict.fromkeys((*units.values(), *(template.needs if template else ())))
        self._links += len(names) + (sum(map(len, template.needs.values())) if template else 0)
        if self._links > _MOST_LINKS:
            raise self._refused(f"has more than {_MOST_LINKS:,} dependencies, expected at most that")
        unit = {
            name: (self._vertex("begins", holder.id, name), self._vertex("ends", holder.id, name)) for name in names
        }
        for first, last in unit.values():
            self._edges += ((begins, first), (first, last), (last, ends))
        for node in members:
            if node.kind in _HOLD_TASKS or self._is_task(node):
                first, last = self._ends_of(node)
                self._edges += ((unit[units[node.id]][0], first), (last, unit[units[node.id]][1]))
        if template is None:
            pairs = {(units[node.id], units[child]) for node in members for child in node.children if child in units}
        else:
            pairs = {(need, name) for name, needs in template.needs.items() for need in needs if need in unit}
            self._find_never_made(holder, set(names) - set(units.values()), unit)
        self._edges += ((unit[need][1], unit[name][0]) for need, name in sorted(pairs) if need != name)

    def _unit(self, node: ArgoNode, template: ArgoTemplate | None) -> str:
        """Give the name that a template has for a node: ``build`` of ``build(0:core)``."""
        name = self._name_of(node)
        task = name.partition("(")[0]
        return task if template is not None and name not in template.needs and task in template.needs else name

    def _find_never_made(self, holder: ArgoNode, names: set[str], unit: Mapping[str, tuple[str, str]]) -> None:
        """Find the tasks of a template that got no nodes, as after a failure."""
        if holder.phase not in ("Failed", "Error", "Running"):
            return
        path, _ = self._place_of(holder)
        for name in sorted(names):
            if (path, name) not in self.tasks:
                vertex = self._task(self.never_made, (path, name)).vertex
                self._edges += ((unit[name][0], vertex), (vertex, unit[name][1]))
