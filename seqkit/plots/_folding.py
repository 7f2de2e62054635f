"""Which repos of a large graph are drawn by name, and which share a box, so that the whole fits on a slide."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from seqkit._show.palette import EVERY_STYLE
from seqkit._show.rows import reduction
from seqkit.core.graph import RepoDependencyGraph
from seqkit.plots._boxes import Node

__all__ = ["FOLDED_ABOVE", "Folding", "Shown", "foldings"]

Edge = tuple[str, str]

FOLDED_ABOVE = 60
"""Repos; up to so many are all drawn by name."""
_NAMED = (24, 16, 10, 5, 0)  # tried one after the other until all finds room
_CONE = 48  # repos hit by failures that are all drawn by name, where there is room
_EVENTFUL = ("failed", "in_doubt", "in_progress")


@dataclass(frozen=True)
class Folding:
    """A graph some of whose repos share boxes."""

    nodes: list[Node]
    edges: list[Edge]
    """Between boxes, those that others imply left out."""
    loud: set[Edge]
    """Along which a failure blocks."""
    bands: dict[int, str]
    """What the waves of the nodes are called: several without a repo of a name are one."""
    shared: int
    """How many repos have no box of their own."""


@dataclass(frozen=True)
class Shown:
    """What of a graph is to be drawn, and what is said of it."""

    words: Mapping[str, str]
    """Repo → key of ``EVERY_STYLE``, in the order of execution."""
    position: Mapping[str, int]
    """Repo → its place in the plan."""
    level: Mapping[str, int]
    """Repo → its wave."""
    edges: Sequence[Edge]
    hit: Collection[str]
    """By a failure: what failed, and what waits for it."""

    def is_loud(self, edge: Edge) -> bool:
        """Say whether a failure blocks along a dependency."""
        before, after = edge
        return before in self.hit and after in self.hit and self.words[after] not in ("failed", "in_doubt")


def foldings(graph: RepoDependencyGraph, told: Shown) -> Iterator[Folding]:
    """Give foldings of the repos that are drawn, from the one with most names to the one with fewest.

    Named are the repos that failed, then what they block, else those that most others need. The others share a box
    where they have the same wave and the same status and, in a graph without failures, where all are needed or none.
    """
    words = told.words
    reach = {repo: len(graph.transitive_dependents_of(repo)) for repo in words}
    cone = [repo for repo in words if repo in told.hit or words[repo] in _EVENTFUL]
    ranked = sorted(cone or words, key=lambda repo: (words[repo] not in _EVENTFUL, -reach[repo], told.level[repo]))
    budgets = [len(cone), *_NAMED] if 0 < len(cone) <= _CONE else _NAMED
    for most in dict.fromkeys(min(most, len(ranked)) for most in budgets):
        yield _folded(told, set(ranked[:most]), reach if not cone else {})


def _folded(told: Shown, named: Collection[str], reach: Mapping[str, int]) -> Folding:
    words = told.words
    band, names = _bands(words, told.level, named)
    groups: dict[tuple[object, ...], list[str]] = {}
    for repo, word in words.items():
        alone = repo in named
        groups.setdefault((repo,) if alone else (band[repo], word, bool(reach.get(repo))), []).append(repo)
    box = {repo: members[0] for members in groups.values() for repo in members}
    nodes = [
        Node(
            members[0],
            told.position[members[0]],
            band[members[0]],
            EVERY_STYLE[words[members[0]]],
            tuple(members) if len(members) > 1 else (),
        )
        for members in groups.values()
    ]
    between: dict[Edge, bool] = {}
    for before, after in told.edges:
        pair = box[before], box[after]
        if band[before] < band[after]:  # within merged waves there is no room for a line
            between[pair] = between.get(pair, False) or told.is_loud((before, after))
    kept = reduction([node.repo for node in sorted(nodes, key=lambda node: node.wave)], between)
    shared = sum(len(members) for members in groups.values() if len(members) > 1)
    return Folding(nodes, kept, {pair for pair in kept if between[pair]}, names, shared)


def _bands(
    words: Mapping[str, str], level: Mapping[str, int], named: Collection[str]
) -> tuple[dict[str, int], dict[int, str]]:
    """Number the waves anew, neighbours without a named repo together; give each repo's, and what they are called."""
    waves = sorted({level[repo] for repo in words})
    held = {level[repo] for repo in named}
    number = {waves[0]: 0}
    for before, wave in pairwise(waves):
        number[wave] = number[before] + (before in held or wave in held)
    called: dict[int, str] = {}
    for wave, at in number.items():
        called[at] = f"{called[at].partition('–')[0]}–{wave}" if at in called else str(wave)
    return {repo: number[level[repo]] for repo in words}, called
