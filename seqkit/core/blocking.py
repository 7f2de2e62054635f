"""Whose failure stands before whom: how many failed repos each depends on, and which of them are named.

A repo may wait for any number of failed ones, and so may each of thousands: told in full that is the square of the
plan. So of more than a hundred the nearest hundred are named, and the rest is a number. Nearest is who is reached by
the fewest dependencies, counted upwards from the repo that waits (those of unreleased and of other failed repos count
like any); of those equally far, who comes first in the plan. Named they stand in plan order.

A set of failed repos is held as an integer, bit i for the i-th that failed, because unions of Python's sets over a
wide graph are slow; once thousands have failed, a small one is a tuple of such numbers instead, so that those who
wait for one failure each do not take the square of their number.

>>> blockers = Blockers(["a", "b", "c"], [(), (0,), (1,)], failures=[0, 1])
>>> [(position, blockers.told(position, above)) for position, above in failed_above(blockers)]
[(0, ((), 0)), (1, (('a',), 0)), (2, (('a', 'b'), 0))]
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress, count

import numpy as np
import numpy.typing as npt

from seqkit._util.words import quoted
from seqkit.core.arrays import reached

__all__ = ["MOST_NAMED", "Above", "AllAbove", "Blockers", "failed_above", "failures_of", "joined", "only", "size"]

MOST_NAMED = 100
"""How many failed repos are named that another one waits for."""

Above = int | tuple[int, ...]
"""Failed repos, by their number in the order of failing."""

_DENSE = 1_024  # bits of an integer that may hold few; above, it has to hold many
_FEW = 128


def only(number: int) -> Above:
    """Give the set of one failed repo."""
    return 1 << number if number < _DENSE else (number,)


def joined(one: Above, other: Above) -> Above:
    """Give the union; one of the two itself where the other adds nothing that is seen at once."""
    if not other or one is other:
        return one
    if not one:
        return other
    if isinstance(one, int) and isinstance(other, int):
        return one | other
    few, many = sorted((one, other), key=size)
    if isinstance(many, int) and many.bit_length() > _DENSE:
        for number in failures_of(few):
            many |= 1 << number
        return many
    numbers = sorted({*failures_of(few), *failures_of(many)})
    return tuple(numbers) if len(numbers) <= _FEW else sum(1 << number for number in numbers)


def size(above: Above) -> int:
    """Count them."""
    return above.bit_count() if isinstance(above, int) else len(above)


def failures_of(above: Above) -> Iterable[int]:
    """Give the numbers, ascending."""
    if isinstance(above, tuple):
        return above
    if above.bit_count() > _FEW:
        return compress(count(), map(int, reversed(f"{above:b}")))
    numbers = []
    while above:
        lowest = above & -above
        numbers.append(lowest.bit_length() - 1)
        above ^= lowest
    return numbers


class Blockers:
    """Names the failed repos that others wait for.

    Parameters
    ----------
    ids : sequence of str
        The repos of a plan in its order.
    dependencies : sequence of sequences of int
        By position, those that each needs directly; all of them before it.
    failures : list of int
        The positions of the failed repos; it may grow, but by none that stands above a repo that was asked of.
    """

    def __init__(self, ids: Sequence[str], dependencies: Sequence[Sequence[int]], failures: list[int]) -> None:
        self.ids, self.dependencies, self.failures = ids, dependencies, failures
        self._names: dict[Above, tuple[str, ...]] = {}
        self._nearest: _Nearest | None = None

    def told(self, position: int, above: Above) -> tuple[tuple[str, ...], int]:
        """Name who is `above` a position, in plan order, at most a hundred; and say how many more there are."""
        if not above:
            return (), 0
        more = size(above) - MOST_NAMED
        if more > 0:
            if self._nearest is None:
                self._nearest = _Nearest(self.ids, self.dependencies)
            return self._nearest.names(position, self.failures), more
        names = self._names.get(above)
        if names is None:
            names = self._names[above] = tuple(self.all(above))
        return names, 0

    def all(self, above: Above) -> list[str]:
        """Name all of them, in plan order."""
        return [self.ids[position] for position in sorted(self.failures[number] for number in failures_of(above))]


_Far = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]
"""Positions, how many dependencies away each is from some repo, and how much further it is from here."""

_NOBODY: _Far = (np.empty(0, np.int64), np.empty(0, np.int64), 0)


class _Nearest:
    """The nearest hundred failed repos above each repo.

    Who is among them is among those of a repo that is needed directly, or is such a repo. So all of it takes a hundred
    steps a dependency; what is known of a repo is kept, and shared with those that need nothing else.
    """

    def __init__(self, ids: Sequence[str], dependencies: Sequence[Sequence[int]]) -> None:
        self._ids, self._dependencies = ids, dependencies
        self._failed: set[int] = set()
        self._seen = 0  # of the failures
        self._known: dict[int, _Far] = {}
        self._named: dict[int, tuple[str, ...]] = {}  # by the array that it is of, which stays in `_known`

    def names(self, position: int, failures: Sequence[int]) -> tuple[str, ...]:
        self._failed.update(failures[self._seen :])
        self._seen = len(failures)
        where, _, _ = self._above(position)
        if id(where) not in self._named:
            self._named[id(where)] = tuple(self._ids[other] for other in where.tolist())
        return self._named[id(where)]

    def _above(self, position: int) -> _Far:
        todo = [position]
        while todo:
            here = todo[-1]
            unknown = [other for other in self._dependencies[here] if other not in self._known]
            if here not in self._known and unknown:
                todo += unknown
                continue
            todo.pop()
            if here not in self._known:
                self._known[here] = self._merged(self._dependencies[here])
        return self._known[position]

    def _merged(self, dependencies: Sequence[int]) -> _Far:
        failed = [other for other in dependencies if other in self._failed]
        parts = [far for other in dependencies if len((far := self._known[other])[0])]
        if not failed and all(part[0] is parts[0][0] for part in parts):
            return (*parts[0][:2], min(part[2] for part in parts) + 1) if parts else _NOBODY
        where = np.concatenate([np.array(failed, np.int64), *(part[0] for part in parts)])
        steps = np.concatenate([np.ones(len(failed), np.int64), *(part[1] + part[2] + 1 for part in parts)])
        order = np.lexsort((steps, where))  # by position, the shortest way to each first
        where, steps = where[order], steps[order]
        first = np.flatnonzero(np.append(True, where[1:] != where[:-1]))
        where, steps = where[first], steps[first]
        if len(where) > MOST_NAMED:
            kept = np.sort(np.lexsort((where, steps))[:MOST_NAMED])
            where, steps = where[kept], steps[kept]
        return where, steps, 0


def failed_above(blockers: Blockers) -> Iterator[tuple[int, Above]]:
    """Give each position, in plan order, and the failed repos above it, where all failures are known.

    Each set is let go of once all that depend on it are done, and shared where nothing is added, because on a long
    chain of failures they would fill the memory.
    """
    own = {position: only(number) for number, position in enumerate(blockers.failures)}
    first = min(own, default=len(blockers.ids))  # before it there is nothing to tell
    yield from ((position, 0) for position in range(first))
    later = blockers.dependencies[first:]
    left = [0] * len(blockers.ids)
    for dependencies in later:
        for before in dependencies:
            left[before] += 1
    handed_on: dict[int, Above] = {}
    for position, dependencies in enumerate(later, first):
        above: Above = 0
        for before in dependencies:
            if further := handed_on.get(before, 0):
                above = joined(above, further)
            left[before] -= 1
            if not left[before]:
                handed_on.pop(before, None)
        if left[position] and (further := joined(above, own[position]) if position in own else above):
            handed_on[position] = further
        yield position, above


class AllAbove(Sequence[str]):
    """Those of some repos that one depends on, in plan order; looked up in the plan whenever somebody reads them.

    `past` tells whether to look past one that is found, at what it needs itself.

    So a table may have one of thousands of repos in each of thousands of rows.

    Examples
    --------
    >>> everybody = AllAbove(["a", "b", "c"], [(), (0,), (1,)], frozenset([0, 1]), 2)
    >>> len(everybody), everybody == ["a", "b"], everybody
    (2, True, <2 repos: 'a', 'b'>)
    """

    __slots__ = ("_dependencies", "_ids", "_past", "_position", "_wanted")

    def __init__(
        self,
        ids: Sequence[str],
        dependencies: Sequence[Sequence[int]],
        wanted: Collection[int],
        position: int,
        past: bool = True,
    ) -> None:
        self._ids, self._dependencies, self._wanted, self._position = ids, dependencies, wanted, position
        self._past = past

    def _read(self) -> list[str]:
        above = reached(self._dependencies, self._position, lambda other: self._past or other not in self._wanted)
        return [self._ids[other] for other in above if other in self._wanted]

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._read()[index]

    def __eq__(self, other: object) -> bool:
        return self._read() == list(other) if isinstance(other, list | tuple | AllAbove) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        repos = self._read()
        return f"<{len(repos):,} repos: {quoted(repos)}>"

    def __reduce__(self) -> tuple[type[list[str]], tuple[list[str]]]:
        return list, (self._read(),)
