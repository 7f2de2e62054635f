"""The exact law of the number of repos released.

Repos are decided one at a time, each after all that it needs. What the undecided ones may still
become depends on the past through one thing: which of them are *doomed* because something above has
failed. So the state is that set, and each state carries the law of the number released so far (a
frontier method, as in Hardy, Lucet and Limnios 2007, doi:10.1109/TR.2007.898572). A chain, a tree or a
hub has few states; plans whose branches cross at many places have too many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seqkit.analysis.exact.chances import Chances, Floats

__all__ = ["at_least_given", "law_of_count"]

_MOST_STATES = 1 << 15
_MOST_WORK = 1 << 30  # numbers touched: some seconds
_MOST_REPOS = 30_000  # the sets of descendants of more would fill the memory


@dataclass(frozen=True)
class _Event:
    """Something that may go wrong: a repo, or a common cause (which is never doomed and never counted)."""

    fails: float
    succeeds: float
    counts: bool
    self_bit: int
    dooms: int  # bits of the repos that are lost with it, itself left out


def law_of_count(chances: Chances, most_work: int = _MOST_WORK) -> Floats:
    """Give the probabilities of 0, 1, …, all repos being released.

    Raises
    ------
    ValueError
        Where it would take more than 2**15 states, or touch more than `most_work` numbers (by default a few seconds).
    """
    n_released = int(chances.released.sum())
    return _law(_ordered(chances, _events(chances), most_work)[0], n_released)


def at_least_given(chances: Chances, k: int) -> tuple[Floats, Floats]:
    """Give the probability that at least `k` are released, given that each event goes well, and given that it does not.

    Events are the items by position, then the causes; what is not released has NaN. The law is a product of matrices,
    one an event, so that one pass forwards and one backwards give all of it: the backward one carries how likely at
    least `k` are released from each state on. Laws are kept at every √n-th event, and made again in between.

    Raises
    ------
    ValueError
        Where the law is out of reach, as in :func:`law_of_count`.
    """
    n_released = int(chances.released.sum())
    found = _events(chances)
    events, order = _ordered(chances, found, _MOST_WORK)
    given = np.full((2, len(found)), np.nan)
    every = max(1, math.isqrt(len(events)))
    kept: list[tuple[list[int], Floats]] = []
    states, laws = [0], np.ones((1, 1))
    for at, event in enumerate(events):
        if at % every == 0:
            kept.append((states, laws))
        moves = _Moves(states, event)
        states, laws = moves.after, moves.law(laws)
    onwards = np.zeros((len(states), n_released + 1))
    onwards[:, k:] = 1.0
    for first in range(len(kept) - 1, -1, -1):
        states, laws = kept.pop()
        segment = []
        for event in events[first * every : (first + 1) * every]:
            moves = _Moves(states, event)
            segment.append((moves, laws))
            states, laws = moves.after, moves.law(laws)
        for offset in range(len(segment) - 1, -1, -1):
            moves, laws = segment[offset]
            given[:, order[first * every + offset]] = moves.given(laws, onwards)
            onwards = moves.back(onwards, laws.shape)
    for index, event in enumerate(found):  # what never happens, or always does, has no other branch in the law
        if index >= len(chances.released) or chances.released[index]:
            for way in np.flatnonzero(np.isnan(given[:, index])):
                forced = replace(event, fails=float(way), succeeds=1.0 - way)
                others = [*found[:index], forced, *found[index + 1 :]]
                law = _law(_ordered(chances, others, _MOST_WORK)[0], n_released)
                given[way, index] = law[k:].sum()
    return given[0], given[1]


def _ordered(chances: Chances, events: list[_Event], most_work: int) -> tuple[list[_Event], list[int]]:
    """Put the events in the order that takes the least work; also give that order."""
    n_released = int(chances.released.sum())
    if n_released > _MOST_REPOS:
        raise _refusal(f"{n_released} repos to release")
    best: list[int] = []
    least = most_work + 1
    for order in _orders(chances):
        work = _work([events[index] for index in order], least)
        if work < least:
            best, least = order, work
    if least > most_work:
        raise _refusal("branches that cross at too many places")
    return [events[index] for index in best], best


def _refusal(what: str) -> ValueError:
    return ValueError(
        f"plan has {what} for the exact distribution of the number released (more than {_MOST_STATES} states or "
        f"{_MOST_WORK:.0e} steps); simulate(plan, model) estimates it"
    )


def _events(chances: Chances) -> list[_Event]:
    """List an event for each item (None's place is taken by one that cannot happen), then the causes."""
    dependents = chances.plan.arrays.dependents
    released = chances.released.tolist()
    bits, bit = [], 1
    for counted in released:
        bits.append(bit if counted else 0)
        bit <<= counted
    dooms = [0] * len(bits)
    for position in range(len(bits) - 1, -1, -1):
        for dependent in dependents[position]:
            dooms[position] |= dooms[dependent] | bits[dependent]
    p = chances.p.tolist()
    q = np.where(chances.zero, 0.0, np.where(chances.p < 0.5, 1.0 - chances.p, np.exp(chances.log_q))).tolist()
    events = [_Event(p[i], q[i], released[i], bits[i], dooms[i]) for i in range(len(bits))]
    for cause in chances.causes:
        lost = 0
        for member in cause.members.tolist():
            lost |= bits[member] | dooms[member]
        events.append(_Event(cause.chance, cause.spared, False, 0, lost))
    return events


def _orders(chances: Chances) -> Iterator[list[int]]:
    """Offer orders of the events in which everything comes after what it needs."""
    n = len(chances.released)
    needs = [list(row) for row in chances.plan.arrays.dependencies]
    for index, cause in enumerate(chances.causes):
        for member in cause.members.tolist():
            needs[member].append(n + index)
    needs += [[] for _ in chances.causes]
    serves: list[list[int]] = [[] for _ in needs]
    for event, row in enumerate(needs):
        for other in row:
            serves[other].append(event)
    yield _upstream_first(needs, range(n))
    yield _upstream_first(needs, range(n - 1, -1, -1))
    yield _newest_first(needs, serves)


def _upstream_first(needs: list[list[int]], wanted: range) -> list[int]:
    """Order by asking for one repo after the other, each preceded by what it still needs."""
    order: list[int] = []
    done = [False] * len(needs)
    for goal in wanted:
        stack = [goal]
        while stack:
            here = stack[-1]
            missing = [other for other in needs[here] if not done[other]]
            if missing and not done[here]:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if not done[here]:
                done[here] = True
                order.append(here)
    return order


def _newest_first(needs: list[list[int]], serves: list[list[int]]) -> list[int]:
    """Order by always taking what became free last: down one branch before the next."""
    waiting_for = [len(row) for row in needs]
    stack = [event for event in range(len(needs) - 1, -1, -1) if not waiting_for[event]]
    order = []
    while stack:
        here = stack.pop()
        order.append(here)
        for other in reversed(serves[here]):
            waiting_for[other] -= 1
            if not waiting_for[other]:
                stack.append(other)
    return order


def _work(events: list[_Event], limit: int) -> int:
    """Count the numbers that an order would touch; stops above `limit`."""
    states = {0}
    work = counted = 0
    for event in events:
        after = {state & ~event.self_bit for state in states} if event.succeeds else set()
        if event.fails:
            if not event.succeeds:
                after = {state ^ event.self_bit for state in states if state & event.self_bit}
            after |= {state | event.dooms for state in states if not state & event.self_bit}
        states = after
        counted += event.counts
        work += len(states) * (counted + 1)
        if work >= limit or len(states) > _MOST_STATES:
            return _MOST_WORK + 1
    return work


class _Moves:
    """Where each state goes with one event."""

    def __init__(self, states: list[int], event: _Event) -> None:
        self.event, self.n = event, len(states)
        doomed, free = [], []
        index_of: dict[int, int] = {}
        for row, state in enumerate(states):
            if state & event.self_bit:
                doomed.append((row, index_of.setdefault(state ^ event.self_bit, len(index_of))))
            else:
                free.append((row, state))
        good = [(row, index_of.setdefault(state, len(index_of))) for row, state in free] if event.succeeds else []
        bad = (
            [(row, index_of.setdefault(state | event.dooms, len(index_of))) for row, state in free]
            if event.fails
            else []
        )
        self.after = list(index_of)
        self.doomed, self.good, self.bad = (
            np.array(moves, dtype=np.intp).reshape(-1, 2).T for moves in (doomed, good, bad)
        )

    def law(self, laws: Floats) -> Floats:
        """Take the laws one event further: a row a state, a column a number released so far."""
        event = self.event
        after = np.zeros((len(self.after), laws.shape[1] + event.counts))
        kept = after[:, : laws.shape[1]]
        kept[self.doomed[1]] = laws[self.doomed[0]]
        after[self.good[1], event.counts :] += event.succeeds * laws[self.good[0]]
        if self.bad.shape[1]:
            _add_rows(kept, self.bad[1], event.fails * laws[self.bad[0]])
        return after

    def back(self, onwards: Floats, shape: tuple[int, ...]) -> Floats:
        """Take what each state and number lead to one event back."""
        event, width = self.event, shape[1]
        before = np.zeros(shape)
        before[self.doomed[0]] = onwards[self.doomed[1], :width]
        before[self.good[0]] += event.succeeds * onwards[self.good[1], event.counts : width + event.counts]
        before[self.bad[0]] += event.fails * onwards[self.bad[1], :width]
        return before

    def given(self, laws: Floats, onwards: Floats) -> tuple[float, float]:
        """Say what it leads to where the event goes well, and where not; NaN for a branch that is not there."""
        event, width = self.event, laws.shape[1]
        past = float((laws[self.doomed[0]] * onwards[self.doomed[1], :width]).sum())
        well = onwards[self.good[1], event.counts : width + event.counts]
        good = past + float((laws[self.good[0]] * well).sum()) if event.succeeds else math.nan
        bad = past + float((laws[self.bad[0]] * onwards[self.bad[1], :width]).sum()) if event.fails else math.nan
        return good, bad


def _law(events: list[_Event], n_released: int) -> Floats:
    states, laws = [0], np.ones((1, 1))
    for event in events:
        moves = _Moves(states, event)
        states, laws = moves.after, moves.law(laws)
    total = np.zeros(n_released + 1)
    total[: laws.shape[1]] = laws.sum(axis=0)
    return total


def _add_rows(target: Floats, rows: np.ndarray, values: Floats) -> None:
    """Add each value row to a target row; the same target may come several times."""
    order = np.argsort(rows, kind="stable")
    sorted_rows = rows[order]
    starts = np.flatnonzero(np.concatenate([[True], sorted_rows[1:] != sorted_rows[:-1]]))
    target[sorted_rows[starts]] += np.add.reduceat(values[order], starts, axis=0)
