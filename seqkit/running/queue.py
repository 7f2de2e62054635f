"""Who may start, by priority, and who waits to be tried again."""

from __future__ import annotations

import heapq
import math
from collections.abc import Container, Sequence

__all__ = ["Queue"]


class Queue:
    """Positions of a plan that may start, and those that wait.

    Parameters
    ----------
    ranks : sequence of float
        By position: the lowest goes first, ties in plan order; empty for plan order.

    Examples
    --------
    >>> queue = Queue((2.0, 1.0, 0.0))
    >>> queue.line_up(0); queue.line_up(1); queue.wait(2, due=60.0)
    >>> queue.pop(), queue.next_due
    ((1, False), 60.0)
    >>> queue.line_up_due(60.0, under_way=())
    >>> queue.pop()
    (2, True)
    """

    def __init__(self, ranks: Sequence[float] = ()) -> None:
        self._ranks = ranks
        self._ready: list[tuple[float, int, bool]] = []  # rank, position, whether it is tried again; a heap
        self._waiting: list[tuple[float, int]] = []  # when it is due, position; a heap
        self._timed: set[int] = set()  # the positions of these
        self._held: set[int] = set()  # due, but their last attempts still go on

    def __bool__(self) -> bool:
        return bool(self._ready or self._waiting or self._held)

    @property
    def has_ready(self) -> bool:
        """Whether any may start now."""
        return bool(self._ready)

    @property
    def n_waiting(self) -> int:
        """How many wait to be tried again, and are not due."""
        return len(self._waiting)

    @property
    def next_due(self) -> float:
        """When the first that waits is due; infinity where none waits."""
        return self._waiting[0][0] if self._waiting else math.inf

    def line_up(self, position: int, again: bool = False) -> None:
        """Let it start in its turn."""
        rank = self._ranks[position] if self._ranks else 0.0
        heapq.heappush(self._ready, (rank, position, again))

    def pop(self) -> tuple[int, bool]:
        """Take who goes first; also tell whether it is tried again."""
        _, position, again = heapq.heappop(self._ready)
        return position, again

    def wait(self, position: int, due: float) -> None:
        """Let it be tried again once that is due."""
        heapq.heappush(self._waiting, (due, position))
        self._timed.add(position)

    def line_up_due(self, now: float, under_way: Container[int]) -> None:
        """Let those line up that are due; those whose attempts still go on are held until :meth:`ended`."""
        while self._waiting and self._waiting[0][0] <= now:
            position = heapq.heappop(self._waiting)[1]
            self._timed.remove(position)
            if position in under_way:
                self._held.add(position)
            else:
                self.line_up(position, again=True)

    def ended(self, position: int) -> None:
        """Let it line up where it was held: its attempt has ended."""
        if position in self._held:
            self._held.remove(position)
            self.line_up(position, again=True)

    def waits_for_time(self, under_way: Container[int]) -> bool:
        """Tell whether any waits for nothing but time."""
        return any(position not in under_way for _, position in self._waiting)

    def take_back(self) -> list[int]:
        """Take out those that may start for the first time, in plan order."""
        positions = sorted(position for _, position, again in self._ready if not again)
        self._ready = [entry for entry in self._ready if entry[2]]
        heapq.heapify(self._ready)
        return positions

    def give_up(self) -> list[int]:
        """Take out all that are to be tried again, in plan order."""
        given_up = self._held | self._timed
        given_up |= {position for _, position, again in self._ready if again}
        self._waiting, self._timed, self._held = [], set(), set()
        self._ready = [entry for entry in self._ready if not entry[2]]
        heapq.heapify(self._ready)
        return sorted(given_up)

    def forget(self, position: int) -> None:
        """Let it be tried no more."""
        self._held.discard(position)
        if position in self._timed:
            self._timed.remove(position)
            self._waiting = [entry for entry in self._waiting if entry[1] != position]
            heapq.heapify(self._waiting)
