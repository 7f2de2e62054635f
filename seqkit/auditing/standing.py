"""How each repo of a run stands to what it needs, in one pass over the plan in its order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from seqkit.auditing.order import Order
from seqkit.core.blocking import Above, Blockers, failed_above

if TYPE_CHECKING:
    from seqkit.auditing.facts import RunFacts

__all__ = ["Standing"]

_NEVER = math.inf


class Standing:
    """Per position of the order; indices are those of events, infinite for what never came.

    Attributes
    ----------
    entered, skipped, ended, failed : list of int or None
        When each was entered and skipped, when it ended, when that was as a failure.
    taken : list of int or None
        When each had its turn: was entered, else skipped.
    released : list of bool
        Whether the repo is part of the release; by a graph, whether the run has events of it.
    decided : list of float
        When the last of what it needs had ended, -1 where it needs nothing.
    awaited : list of int
        Who that was, as a position; -1 where it needs nothing.
    first_failure : list of float
        When the first repo failed that it depends on, directly or not.
    failing : list of int
        Who that was, as a position; -1 where none did.
    """

    def __init__(self, run: RunFacts, order: Order) -> None:
        n = len(order.ids)
        self.order = order
        self.entered = list(map(run.entered.get, order.ids))
        self.skipped = list(map(run.skipped.get, order.ids))
        self.ended = list(map(run.ended.get, order.ids))
        self.failed = list(map(run.failed.get, order.ids)) if run.failed else [None] * n
        self.taken = [
            there if there is not None else skipped for there, skipped in zip(self.entered, self.skipped, strict=True)
        ]
        self.released = order.released or [
            taken is not None or ended is not None for taken, ended in zip(self.taken, self.ended, strict=True)
        ]
        self.decided: list[float] = [-1.0] * n
        self.awaited = [-1] * n
        self.first_failure = [_NEVER] * n
        self.failing = [-1] * n
        self._terms, self._n_failed = run.settings.terms, len(run.failed)
        if run.failed:
            self._hand_on_failures()
        self._settle()

    def _hand_on_failures(self) -> None:
        first_failure, failing, released, failed = self.first_failure, self.failing, self.released, self.failed
        for position, dependencies in enumerate(self.order.dependencies):
            for before in dependencies:
                if failing[before] >= 0 and first_failure[before] < first_failure[position]:
                    first_failure[position], failing[position] = first_failure[before], failing[before]
                own = failed[before]
                if own is not None and released[before] and own < first_failure[position]:
                    first_failure[position], failing[position] = own, before

    def _settle(self) -> None:
        settled: list[float] = []  # when each repo had ended, however
        by: list[int] = []  # who is waited for: the repo itself, or through an unreleased one another
        for position, (dependencies, released, end, taken) in enumerate(
            zip(self.order.dependencies, self.released, self.ended, self.taken, strict=True)
        ):
            decided, awaited = -1.0, -1
            for before in dependencies:
                if settled[before] > decided:
                    decided, awaited = settled[before], by[before]
            self.decided[position], self.awaited[position] = decided, awaited
            if released and end is not None:
                settled.append(end)
                by.append(position)
            elif released and taken is not None:
                settled.append(_NEVER if self.entered[position] is not None else taken)
                by.append(position)
            elif released and not self.explained(position):
                settled.append(_NEVER)
                by.append(position)
            else:  # unreleased, or passed over without an event: as soon as it is decided
                settled.append(decided)
                by.append(awaited if awaited >= 0 else position)

    def explained(self, position: int) -> bool:
        """Tell whether the rules pass a repo over: something it needs failed, or the run was told to stop."""
        return self._skips[self.failing[position] >= 0]

    @cached_property
    def _skips(self) -> list[bool]:
        return [self._terms.skips(blocked, self._n_failed) is not None for blocked in (False, True)]

    def above(self) -> Iterator[tuple[int, Above]]:
        """Give each position and the failed repos that it depends on."""
        return failed_above(self.blockers)

    @cached_property
    def blockers(self) -> Blockers:
        """Names failed repos."""
        return Blockers(self.order.ids, self.order.dependencies, self.failures)

    @cached_property
    def failures(self) -> list[int]:
        """The positions of the failed repos, ascending."""
        return [position for position, index in enumerate(self.failed) if index is not None and self.released[position]]
