"""What algorithms need of a plan, by position: who needs whom, who is released, and in which wave.

>>> from seqkit import RepoDependencyGraph, build_plan
>>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
>>> arrays = build_plan(graph, [("core", "1.0"), ("app", "1.0")]).arrays
>>> arrays
PlanArrays(3 items, 2 dependencies)
>>> arrays.ids, arrays.dependencies, arrays.dependents
(('core', 'api', 'app'), ((), (0,), (1,)), ((1,), (2,), ()))
>>> arrays.released, arrays.waves, arrays.position["app"]
((True, False, True), (0, None, 1), 2)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from seqkit._util.words import plural

__all__ = ["PlanArrays", "reached"]


def reached(
    neighbours: Sequence[Sequence[int]],
    start: int,
    past: Callable[[int], bool] = lambda position: True,
    known: set[int] | None = None,
) -> list[int]:
    """List the positions that one leads to, ascending, itself left out: of `dependents` or of `dependencies`.

    `past` tells whether to look past one that is found. Those in `known` are not looked at, and who is found joins
    them: so several walks together look at each position once.

    Examples
    --------
    >>> reached(((1, 2), (3,), (3,), ()), 1), reached(((1, 2), (3,), (3,), ()), 0, past=lambda position: position > 1)
    ([3], [1, 2, 3])
    """
    seen = {start} if known is None else known
    found, todo = [], [start]
    while todo:
        for other in neighbours[todo.pop()]:
            if other not in seen:
                seen.add(other)
                found.append(other)
                if past(other):
                    todo.append(other)
    return sorted(found)


@dataclass(frozen=True, slots=True, repr=False)
class PlanArrays:
    """A plan by position; :attr:`seqkit.SequencePlan.arrays` gives it, and nothing changes it.

    A position is a place in plan order, from 0, and every item has one, unreleased ones too. So each of these has
    one entry an item, but for `position`, which has one key an item. All that an item needs stands before it.
    Linear to make, but for sorting; equal where the plans order, release and connect the same repos alike.
    """

    ids: tuple[str, ...]
    """The repo id of each item."""
    released: tuple[bool, ...]
    """Whether each item is part of the release; False for unreleased ones."""
    dependents: tuple[tuple[int, ...], ...]
    """The positions of each item's direct dependents, ascending; all are greater than its own."""
    dependencies: tuple[tuple[int, ...], ...] = field(init=False, compare=False)
    """The positions of each item's direct dependencies, ascending; all are less than its own."""
    position: Mapping[str, int] = field(init=False, compare=False)
    """Repo id → position, in plan order; it can only be read."""
    depths: tuple[int, ...] = field(init=False, compare=False)
    """How many released repos stand before each item on the longest path that leads to it."""
    waves: tuple[int | None, ...] = field(init=False, compare=False)
    """The wave of each item, from 0: its depth; None for unreleased ones, which are in no wave."""

    def __post_init__(self) -> None:
        released = self.released
        needs: list[list[int]] = [[] for _ in released]
        depths = [0] * len(released)
        for position, row in enumerate(self.dependents):  # all that it needs came before: its depth is known
            below = depths[position] + released[position]
            for dependent in row:
                needs[dependent].append(position)
                if depths[dependent] < below:  # noqa: PLR1730  # half the time of max()
                    depths[dependent] = below
        known = {
            "dependencies": tuple(map(tuple, needs)),
            "position": MappingProxyType({repo: position for position, repo in enumerate(self.ids)}),
            "depths": tuple(depths),
            "waves": tuple([depth if yes else None for depth, yes in zip(depths, released, strict=True)]),
        }
        for name, value in known.items():
            object.__setattr__(self, name, value)  # frozen from here on

    def __reduce__(self) -> tuple[Any, ...]:
        return PlanArrays, (self.ids, self.released, self.dependents)  # a read-only mapping cannot be pickled

    def __repr__(self) -> str:
        items, edges = len(self.ids), sum(map(len, self.dependents))
        return f"PlanArrays({plural(items, 'item')}, {plural(edges, 'dependency', 'dependencies')})"
