"""Workflows of GitHub Actions that lie beside the runs: which one a run followed, and what the ones it calls add."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import DependencyCycle, ReadError
from seqkit.importers._needs import JobNeeds
from seqkit.readers._files import Opened
from seqkit.readers.workflows import read_workflow

__all__ = ["Workflows"]

_DEEPEST = 10  # so deep may workflows call one another
_MOST = 10_000  # jobs and needs that called workflows add to one; the callers beyond stay one job each


class Workflows:
    """The workflows among the files.

    Parameters
    ----------
    files : sequence of Opened
        Workflows in YAML.

    Raises
    ------
    ReadError
        Where one is malformed, or jobs in it wait for each other.
    """

    def __init__(self, files: Sequence[Opened]) -> None:
        self._graphs = [(_base(os.fspath(file)), file, _graph_of(file)) for file in files]
        self._by_name = {name: graph for name, _, graph in self._graphs}
        self._made: dict[int, JobNeeds] = {}

    def needs_of(self, path: str | None, names: Collection[str]) -> JobNeeds | None:
        """Give the needs of the workflow that a run followed: by its path where told and there, else by its jobs.

        None where no workflow has these jobs (of another path: all of them), or several have as many of them.
        """
        if path is not None:
            called = _base(path.partition("@")[0])
            same = [number for number, (name, *_) in enumerate(self._graphs) if name == called]
            if len(same) == 1:
                return self._needs(same[0])
        counts = [self._needs(number).knows(names) for number in range(len(self._graphs))]
        most = max(counts, default=0)
        if path is not None and most < len(names):
            return None
        return self._needs(counts.index(most)) if most and counts.count(most) == 1 else None

    def _needs(self, number: int) -> JobNeeds:
        if number not in self._made:
            self._made[number] = JobNeeds(self._with_called(*self._graphs[number]))
        return self._made[number]

    def _with_called(self, name: str, file: Opened, graph: RepoDependencyGraph) -> RepoDependencyGraph:
        """Put the jobs of called workflows into a graph: ``caller / callee``; a caller ends when all of them have."""
        nodes: dict[str, dict[str, Any]] = {}
        edges: dict[tuple[str, str], None] = {}
        waiting: list[tuple[str, str, RepoDependencyGraph, tuple[str, ...]]] = [("", "", graph, (name,))]
        added = 0
        while waiting:
            before, shown, inner, chain = waiting.pop()
            for job in inner:
                attributes = inner.attributes(job)
                title = shown + attributes.get("title", job)
                nodes[before + job] = {**attributes, "title": title}
                needs = [before + need for need in inner.dependencies_of(job)]
                edges.update(((need, before + job), None) for need in needs)
                uses = _base(attributes.get("uses", "").partition("@")[0])
                called = self._by_name.get(uses)
                if called is None or uses in chain or len(chain) > _DEEPEST:
                    continue
                added += len(called) * (1 + len(needs))
                if added > _MOST:
                    continue
                waiting.append((f"{before}{job} / ", f"{title} / ", called, (*chain, uses)))
                callees = {callee: f"{before}{job} / {callee}" for callee in called}
                edges.update(((callee, before + job), None) for callee in callees.values())
                first = [own for callee, own in callees.items() if not called.dependencies_of(callee)]
                edges.update(((need, own), None) for need in needs for own in first)
        if len(nodes) == len(graph):
            return graph
        try:
            return RepoDependencyGraph.from_edges(edges, nodes)
        except DependencyCycle as cycle:  # where keys are as odd as "a / b"
            raise _in_a_circle(file, cycle) from None


def _base(path: str) -> str:
    """Give the name of a file without its folder."""
    return path.replace("\\", "/").rpartition("/")[2]


def _in_a_circle(file: Opened, cycle: DependencyCycle) -> ReadError:
    return ReadError(file, None, f"has jobs that wait for each other: {cycle}")


def _graph_of(file: Opened) -> RepoDependencyGraph:
    try:
        return read_workflow(file)
    except DependencyCycle as cycle:
        raise _in_a_circle(file, cycle) from None
