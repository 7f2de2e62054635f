"""Graphs as drawing tools and libraries keep them: nodes with attributes, and arrows whose meaning somebody must say.

What is the same for DOT, GraphML and node-link JSON stands here: what an arrow means, what a node is called, why who
is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from seqkit._util.secrets import as_given, shown
from seqkit._util.words import cut, printable
from seqkit.core.exports import LABELS
from seqkit.core.graph import DIRECTIONS, Cycles, Direction, RepoDependencyGraph, check_cycles, check_direction
from seqkit.core.kinds import KINDS, NORMAL, Kinds, chosen_kinds, in_order
from seqkit.core.model import RepoNode
from seqkit.errors import ReadError
from seqkit.readers._files import PathLike, described, typed
from seqkit.readers._gathered import Gathered

__all__ = ["Drawn", "NodeNames", "missing_direction"]

NodeNames: TypeAlias = Literal["name"] | None

_OWN = ("id", "display_name", "remote_url")  # attributes that are not kept as such
_NUMBERED = re.compile(r"[A-Za-z]{0,4}[-_:]{0,2}\d+")


class Drawn:
    """What such a file holds, and the graph that it is.

    Parameters
    ----------
    path : str or pathlib.Path
        What is read.
    format : str
        What ``format=`` calls it.
    direction : {"dependency_to_dependent", "dependent_to_dependency"} or None
        What an arrow means; None where the file says so itself.
    ids : {"name"} or None
        Whether repos are called by the labels of the nodes, or by their ids.
    kinds, cycles
        As for all readers.
    """

    def __init__(
        self,
        path: PathLike,
        format: str,
        direction: Direction | None,
        ids: NodeNames,
        kinds: Kinds,
        cycles: Cycles,
    ) -> None:
        if direction is not None:
            check_direction(direction)
        if ids not in (None, "name"):
            raise ValueError(
                f'ids is {as_given(ids, 200)}, expected "name" (what nodes are labelled) or None (their ids)'
            )
        chosen_kinds(kinds)
        check_cycles(cycles)
        self.path = path
        self.found = Gathered(path, format, knows_kinds=False)
        self.says: object = None
        """What the file says of its direction."""
        self._direction, self._ids, self._kinds, self._cycles = direction, ids, kinds, cycles
        self._nodes: dict[str, dict[str, Any]] = {}
        self._labels: dict[str, str] = {}
        self._urls: dict[str, str] = {}
        self._arrows: dict[tuple[str, str], tuple[str, ...]] = {}

    def node(self, node: str, attributes: Mapping[str, Any], label: str = "") -> None:
        """Tell of a node; without a `label` that is one of its attributes, where one is text."""
        known = self._nodes.setdefault(node, {})
        texts = [label, *(attributes.get(key) for key in LABELS)]
        label = next((text for text in texts if isinstance(text, str) and text.strip()), "")
        if label and label != node:
            self._labels[node] = typed(self.path, f"the label of {cut(node, 120)!r}", label, str)
        if isinstance(url := attributes.get("remote_url"), str):
            self._urls[node] = url
        for key, value in attributes.items():
            if key in _OWN or value is None:
                continue
            if isinstance(value, str):
                typed(self.path, f"{cut(key, 60)!r} of {cut(node, 120)!r}", value, str)
            if key == "version" and not isinstance(value, str):
                known[key] = described(value)
            elif key == "members" and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                self.found.left_out("attributes `members` that are no lists of text", printable(cut(node, 120)))
            else:
                known[key] = value

    def arrow(self, source: str, target: str, attributes: Mapping[str, Any]) -> None:
        """Tell of an arrow; its attribute `kinds` or `kind` says why it is there."""
        for end in (source, target):
            if end not in self._nodes:
                self._nodes[end] = {}
        told = attributes.get("kinds", attributes.get("kind"))
        kinds = NORMAL if told is None else self._read_kinds(told, f"{source} -> {target}")
        pair = source, target
        self._arrows[pair] = kinds if pair not in self._arrows else in_order({*self._arrows[pair], *kinds})

    def _read_kinds(self, told: object, who: str) -> tuple[str, ...]:
        self.found.knows_kinds = True
        words = re.split(r"[,/;]", told) if isinstance(told, str) else told
        ours = [word.strip().lower() for word in words if isinstance(word, str)] if isinstance(words, list) else []
        if ours and all(word in KINDS for word in ours):
            return in_order(ours)
        self.found.guessed(
            "edges of a kind that is none of normal, dev, test and so on, taken for normal", f"{who}: {described(told)}"
        )
        return NORMAL

    def ends(self) -> set[str]:
        """Give the nodes at which arrows start or end."""
        return {end for pair in self._arrows for end in pair}

    def leave_out(self, node: str, what: str) -> None:
        """Take a node away again that is none; `what` it is, in the plural."""
        del self._nodes[node]
        self.found.left_out(what, self._labels.pop(node, node))

    def to_graph(self) -> RepoDependencyGraph:
        """Build the graph.

        Raises
        ------
        ValueError
            Where nobody says what an arrow means, or the file says something else than the caller.
        """
        forwards = self._forwards()
        names = self._names()
        for node, known in self._nodes.items():
            self.found.package(names[node], **known)
        for (source, target), kinds in self._arrows.items():
            before, after = (source, target) if forwards else (target, source)
            for kind in kinds:
                self.found.needs(names[after], names[before], kind)
        graph = self.found.to_graph(self._kinds, self._cycles)
        for node in dict.fromkeys([*self._labels, *self._urls]):
            if names[node] in graph:
                label = self._labels.get(node, node)
                graph.add_node(RepoNode(repo_id=names[node], display_name=label, remote_url=self._urls.get(node)))
        return graph

    def _forwards(self) -> bool:
        says = self.says if self.says in DIRECTIONS else None
        if self._direction is None:
            if says is None and self._arrows:
                raise missing_direction(self.path, *next(iter(self._arrows)))
            return says == DIRECTIONS[0]
        if says is not None and says != self._direction:
            raise ValueError(
                f"direction is {self._direction!r}, but {shown(os.fspath(self.path))} itself says {says}; leave "
                "direction= out"
            )
        return self._direction == DIRECTIONS[0]

    def _names(self) -> dict[str, str]:
        """Say what the repos are called: by their labels, if that was asked for and no two have the same."""
        if self._ids is None:
            labelled = sum(node in self._labels for node in self._nodes)
            if labelled and labelled * 2 > len(self._nodes) and all(map(_NUMBERED.fullmatch, self._nodes)):
                self.found.look_at('ids are numbers of nodes: ids="name" calls repos by their labels')
            return {node: node for node in self._nodes}
        names = {node: self._labels.get(node, node) for node in self._nodes}
        count: dict[str, int] = {}
        for name in names.values():
            count[name] = count.get(name, 0) + 1
        for name in names.values():
            if count[name] > 1:
                self.found.look_at("labels that several nodes have, which are called by their ids", name)
        chosen = {node: name if count[name] == 1 else node for node, name in names.items()}
        if len(set(chosen.values())) < len(chosen):
            raise ReadError(self.path, None, 'has labels that are ids of other nodes; leave ids="name" out')
        return chosen


def missing_direction(path: PathLike, source: str, target: str) -> ValueError:
    """Say that somebody has to say what an arrow means, at the example of one."""
    one, other = printable(repr(cut(source, 80))), printable(repr(cut(target, 80)))
    return ValueError(
        f"direction is missing: {shown(os.fspath(path))} does not say what an edge means. It has {one} -> {other}; "
        f'give direction="dependent_to_dependency" if {one} needs {other}, "dependency_to_dependent" if {other} needs '
        f"{one}"
    )
