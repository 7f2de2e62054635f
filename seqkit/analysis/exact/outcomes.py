"""Single outcomes: how probable one is, and which are the most probable.

Under ``skip_dependents`` an outcome is told by who failed: a set of repos of which none is above
another (an *antichain*). All below are skipped, all others are released, so that

    P(failed F) = ∏ q over the released · ∏ p over F.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from seqkit.analysis.exact.chances import Bools, Chances, Common, Floats, Integers, Mixture
from seqkit.core.closure import Closure

__all__ = ["Outcomes"]

_MOST_WORK = 1 << 30  # numbers touched: some seconds
_STEP = 50_000  # what a step costs beside the numbers it touches
_LARGEST_MATRIX = 250_000
_MOST_TIES = 10_000
_MOST_KNOWN = 2_000
_SAME = 1e-12  # of logarithms: rounding


class Outcomes:
    """What can come out of one plan, by plan positions of the failed."""

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture
        self._plan, self._released = mixture.any.plan, mixture.any.released
        self._known: dict[tuple[int, bool], Bools] = {}

    def _reached(self, start: int, downwards: bool) -> Bools:
        """Mark all below (or above) `start`, itself left out."""
        known = self._known.get((start, downwards))
        if known is not None:
            return known
        arrays = self._plan.arrays
        neighbours = arrays.dependents if downwards else arrays.dependencies
        seen = np.zeros(len(neighbours), dtype=bool)
        stack = [start]
        while stack:
            for other in neighbours[stack.pop()]:
                if not seen[other]:
                    seen[other] = True
                    stack.append(other)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[start, downwards] = seen
        return seen

    def below(self, failed: Iterable[int]) -> Bools:
        """Mark all that depends on one of `failed`."""
        marks = np.zeros(len(self._released), dtype=bool)
        for position in failed:
            marks |= self._reached(position, True)
        return marks

    def related(self, failed: Iterable[int]) -> Bools:
        """Mark `failed` and all above and below: who cannot fail beside them."""
        marks = np.zeros(len(self._released), dtype=bool)
        for position in failed:
            marks |= self._reached(position, True) | self._reached(position, False)
            marks[position] = True
        return marks

    def log_probability(self, failed: Iterable[int]) -> float:
        """Give the log of the probability that exactly `failed` fail; minus infinity where they cannot."""
        positions = sorted(set(failed))
        skipped = self.below(positions)
        if skipped[positions].any() or not self._released[positions].all():
            return -math.inf
        logs = [
            math.log(weight) + self._log_given(chances, positions, skipped) for weight, chances in self.mixture.parts
        ]
        highest = max(logs)
        if len(logs) == 1 or highest == -math.inf:
            return highest
        return highest + math.log(math.fsum(math.exp(log - highest) for log in logs))

    @staticmethod
    def _log_given(chances: Chances, positions: list[int], skipped: Bools) -> float:
        out = chances.released & ~skipped
        out[positions] = False
        if chances.zero[out].any():
            return -math.inf
        logs = chances.log_q[out].tolist()
        striking = []  # causes that may have struck: they hit some of the failed and none of the released
        for cause in chances.causes:
            if out[cause.members].any():
                logs.append(cause.log_spared)
            elif hit := set(positions).intersection(cause.members.tolist()):
                striking.append((cause, hit))
        p = dict(zip(positions, chances.p[positions].tolist(), strict=True))
        total = math.fsum(
            weight * math.prod(p[position] for position in positions if position not in struck)
            for weight, struck in _struck(striking)
        )
        if striking and total > 0.0:
            return math.fsum([*logs, math.log(total)])
        if striking or 0.0 in p.values():
            return -math.inf
        return math.fsum([*logs, *map(math.log, p.values())])

    def most_probable(self, n: int) -> list[tuple[float, tuple[int, ...]]]:
        """Give the `n` most probable outcomes as (log probability, failed), fewer where there are fewer.

        Each set of causes that may strike, mild ones too, has a stream of outcomes in descending order; an outcome may
        come from several. The threshold algorithm (Fagin, Lotem and Naor 2003,
        doi:10.1016/S0022-0000(03)00026-6) tells when no outcome still to come can be among the first.
        """
        given = [
            (math.log(weight) + _log_weight(chances, struck), chances, struck)
            for weight, chances in self.mixture.parts
            for struck in range(1 << len(chances.causes))
        ]
        streams = [self._stream(chances, struck) for _, chances, struck in given]
        weights = [log for log, _, _ in given]
        bounds = np.array(weights)  # of what each stream has still to give, in the mixture
        found: dict[tuple[int, ...], float] = {}
        leading: list[float] = []  # the n highest, lowest first
        n_items = len(self._released)
        work = _STEP + 400 * n_items + 8 * min(n_items**2, _LARGEST_MATRIX)
        most_steps = _MOST_WORK // work + (10 if n_items < 1_000 else 2) * n
        steps = ties = 0
        while (highest := float(bounds.max())) > -math.inf and n:
            tied = False  # nothing but ties can still come
            if len(leading) == n:
                threshold = highest + math.log(float(np.exp(bounds - highest).sum()))
                if threshold < leading[0] - _SAME:
                    break
                tied = threshold <= leading[0] + _SAME
                ties += tied
            steps += 1
            if tied and (steps > most_steps or ties > _MOST_TIES):
                break
            if steps > most_steps:
                raise ValueError(
                    f"n is {n}, but the {n} most probable outcomes were not found in {most_steps} steps: this plan "
                    "has too many of nearly equal probability; simulate(plan, model) samples them"
                )
            at = int(bounds.argmax())
            bound, failed = next(streams[at], (-math.inf, None))
            bounds[at] = weights[at] + bound
            if failed is not None and failed not in found:
                found[failed] = self.log_probability(failed)
                (heapq.heappush if len(leading) < n else heapq.heappushpop)(leading, found[failed])
        ranked = sorted((-log, len(failed), failed) for failed, log in found.items())
        return [(-log, failed) for log, _, failed in ranked[:n]]

    def _stream(self, chances: Chances, struck: int) -> Iterator[tuple[float, tuple[int, ...] | None]]:
        """Give steps of a best-first search given who is struck: (bound of all to come, an outcome or None).

        The bound is on the log of the probability. A repo whose failure is certain fails unless something
        above does, at no cost; the search is over the others that have no such repo above, in descending
        order of r[u] = p[u] / ∏ q over u and all below, which is what adding u to the failed multiplies
        the probability by, or less where what is below is lost already.
        """
        forced = chances.zero.copy()
        for bit, cause in enumerate(chances.causes):
            if struck >> bit & 1:
                forced[cause.members] = True
        certain = self._below_any(forced)
        free = chances.released & ~forced & ~certain
        forced_first = np.flatnonzero(forced & ~certain)
        log_q = np.where(free, chances.log_q, 0.0)
        candidates, log_r = self._ranked(chances, free)
        everyone = float(log_q.sum())
        with np.errstate(divide="ignore"):
            log_p = np.log(chances.p)
        bound = self._bounds(candidates, log_r, log_q, log_p)

        def value(failed: tuple[int, ...]) -> float:
            lost = self.below(failed)
            lost[list(failed)] = True
            return everyone + float(log_p[list(failed)].sum() - log_q[lost].sum())

        def push(log: float, failed: tuple[int, ...], after: int) -> None:
            """Put up all outcomes that add to `failed` candidates from index `after` on, at least one."""
            usable = after + np.flatnonzero(~self.related(failed)[candidates[after:]])
            if len(usable):
                gain = bound(usable, failed)
                heapq.heappush(queue, (-(log + gain), len(failed) + 1, failed, int(usable[0]), log))

        # (minus the bound, failures, failed, next candidate, log): next is -1 for the outcome itself
        queue: list[tuple[float, int, tuple[int, ...], int, float]] = [(-everyone, 0, (), -1, everyone)]
        push(everyone, (), 0)
        yield -queue[0][0], None
        while queue:
            _, _, failed, at, log = heapq.heappop(queue)
            outcome = None
            if at < 0:
                spared = self.below(failed)
                outcome = tuple(sorted([*failed, *forced_first[~spared[forced_first]].tolist()]))
            else:
                push(log, failed, at + 1)
                more = (*failed, int(candidates[at]))
                log_more = value(more)
                heapq.heappush(queue, (-log_more, len(more), more, -1, log_more))
                push(log_more, more, at + 1)
            yield -queue[0][0] if queue else -math.inf, outcome

    def _bounds(
        self, candidates: Integers, log_r: Floats, log_q: Floats, log_p: Floats
    ) -> Callable[[Integers, tuple[int, ...]], float]:
        """Make a function that bounds what adding some of the candidates (by index) to the failed gains in logs.

        Every repo lost is a reward of −log q, every failure costs −log p. Of large plans: the rewards of all
        behind the first candidate in plan order less the least cost, or the sum of log r where it is
        positive, which counts shared rewards several times. Otherwise each reward is split: a part pays for
        the failures above it, never more than they cost, and only the rest is left to gain (a feasible
        solution of the dual of the covering problem; Hochbaum 1982, doi:10.1137/0211045).
        """
        n = len(log_q)
        cost = -log_p[candidates]

        def rewards_left(failed: tuple[int, ...]) -> Floats:
            rewards = -log_q
            rewards[self.below(failed)] = 0.0
            rewards[list(failed)] = 0.0
            return rewards

        if len(candidates) * n > _LARGEST_MATRIX:
            hot = np.maximum(log_r, 0.0)

            def rough(usable: Integers, failed: tuple[int, ...]) -> float:
                left = float(rewards_left(failed)[candidates[usable].min() :].sum())
                return min(left - float(cost[usable].min()), float(hot[usable].sum()) or float(log_r[usable[0]]))

            return rough
        covers = np.zeros((len(candidates), n))
        for row, position in enumerate(candidates.tolist()):
            covers[row] = self._reached(position, True)
            covers[row, position] = 1.0
        uncovered = np.where(covers > 0, 0.0, math.inf)

        def bound(usable: Integers, failed: tuple[int, ...]) -> float:
            reward = rewards_left(failed)
            rewards = covers[usable] @ reward
            pays = np.minimum(1.0, cost[usable] / np.maximum(rewards, cost[usable]))
            part = (uncovered[usable] + pays[:, None]).min(axis=0)
            reachable = np.isfinite(part)
            part[~reachable] = 0.0
            left = float((reward * (1.0 - part))[reachable].sum())
            return left - float((cost[usable] - covers[usable] @ (reward * part)).min())

        return bound

    def _below_any(self, marks: Bools) -> Bools:
        below = np.zeros(len(marks), dtype=bool)
        if marks.any():
            hit = marks.tolist()
            for position, needed in enumerate(self._plan.arrays.dependencies):
                if any(hit[dependency] for dependency in needed):
                    hit[position] = below[position] = True
        return below

    def _ranked(self, chances: Chances, free: Bools) -> tuple[Integers, Floats]:
        """Give the free repos that may fail, by log of r descending, then plan order; and the logs."""
        log_q = np.where(free, chances.log_q, 0.0)
        candidates = np.flatnonzero(free & (chances.p > 0))
        log_r = np.log(chances.p[candidates]) - log_q[candidates]
        log_r -= Closure(chances.plan.arrays.dependencies, candidates).descendant_sums(log_q)
        order = np.argsort(-log_r, kind="stable")
        return candidates[order], log_r[order]


def _struck(causes: list[tuple[Common, set[int]]]) -> list[tuple[float, set[int]]]:
    """List for each set of causes the probability that just these strike, and whom."""
    sets: list[tuple[float, set[int]]] = [(1.0, set())]
    for cause, hit in causes:
        sets += [(weight * cause.chance, struck | hit) for weight, struck in sets]
        half = len(sets) // 2
        sets[:half] = [(weight * cause.spared, struck) for weight, struck in sets[:half]]
    return sets


def _log_weight(chances: Chances, struck: int) -> float:
    return math.fsum(
        math.log(cause.chance) if struck >> bit & 1 else cause.log_spared for bit, cause in enumerate(chances.causes)
    )
