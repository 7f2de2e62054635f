"""Other ways to say when a train is done, each written as well as a competent person would.

Every rival takes a :class:`Train`, prepares what it can, and gives a function ``run(trials, seed)`` that gives the end
of each trial in milliseconds. All draw how long each release takes (lognormal) and whether it fails, repo by repo, and
let whoever has the longest path ahead go first. A repo that failed frees nobody.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from math import log
from typing import Any, NamedTuple


class Train(NamedTuple):
    """What is scheduled; repos are numbered by who goes first."""

    needs: Sequence[Sequence[int]]
    """Of each repo those that it waits for."""
    medians: Sequence[float]
    """How long each takes, in milliseconds."""
    sigma: float
    """The standard deviation of the logarithm of that."""
    p: float
    """How likely each fails."""
    lanes: int
    """How many are released at once."""

    @property
    def serves(self) -> list[list[int]]:
        """Of each repo those that wait for it."""
        rows: list[list[int]] = [[] for _ in self.needs]
        for repo, row in enumerate(self.needs):
            for need in row:
                rows[need].append(repo)
        return rows


Run = Callable[[int, int], Sequence[int]]


def simpy_callbacks(train: Train) -> Run:
    """Let SimPy keep the time and nothing else: a timeout a release, whose callback counts needs and lanes."""
    import simpy  # noqa: PLC0415  # each rival needs its own package only

    serves, missing_at_first = train.serves, [len(row) for row in train.needs]
    roots = [repo for repo, missing in enumerate(missing_at_first) if not missing]
    means, sigma, p = [log(median) for median in train.medians], train.sigma, train.p

    def one(chance: random.Random) -> int:
        clock = simpy.Environment()
        missing, ready, free = missing_at_first.copy(), roots.copy(), train.lanes
        draw, lognormal = chance.random, chance.lognormvariate

        def start() -> None:
            nonlocal free
            while ready and free:
                repo = heappop(ready)
                free -= 1
                clock.timeout(int(lognormal(means[repo], sigma)), repo).callbacks.append(ends)

        def ends(event: Any) -> None:
            nonlocal free
            free += 1
            if draw() >= p:
                for other in serves[event.value]:
                    missing[other] -= 1
                    if not missing[other]:
                        heappush(ready, other)
            if clock.peek() > clock.now:  # of what ends at one instant, all ends come first
                start()

        start()
        clock.run()
        return int(clock.now)

    def run(trials: int, seed: int) -> list[int]:
        chance = random.Random(seed)
        return [one(chance) for _ in range(trials)]

    return run


def simpy_processes(train: Train) -> Run:
    """Model it as SimPy's own documentation would: a process a repo, the lanes a resource with priorities."""
    import simpy  # noqa: PLC0415

    means, sigma, p = [log(median) for median in train.medians], train.sigma, train.p

    def one(chance: random.Random) -> int:
        clock = simpy.Environment()
        lanes = simpy.PriorityResource(clock, train.lanes)
        over = [clock.event() for _ in means]
        lost = [False] * len(means)

        def release(repo: int) -> Any:
            needs = train.needs[repo]
            if needs:
                yield clock.all_of([over[need] for need in needs])
            if any(lost[need] for need in needs):
                lost[repo] = True
            else:
                with lanes.request(priority=repo) as lane:
                    yield lane
                    yield clock.timeout(int(chance.lognormvariate(means[repo], sigma)))
                lost[repo] = chance.random() < p
            over[repo].succeed()

        for repo in range(len(means)):
            clock.process(release(repo))
        clock.run()
        return int(clock.now)

    def run(trials: int, seed: int) -> list[int]:
        chance = random.Random(seed)
        return [one(chance) for _ in range(trials)]

    return run


def plain_python(train: Train) -> Run:
    """Do without a library: two heaps."""
    serves, missing_at_first = train.serves, [len(row) for row in train.needs]
    roots = [repo for repo, missing in enumerate(missing_at_first) if not missing]
    means, sigma, p = [log(median) for median in train.medians], train.sigma, train.p

    def one(chance: random.Random) -> int:
        draw, lognormal = chance.random, chance.lognormvariate
        missing, ready, under_way, now = missing_at_first.copy(), roots.copy(), list[tuple[int, int]](), 0
        heapify(ready)
        while True:
            while ready and len(under_way) < train.lanes:
                repo = heappop(ready)
                heappush(under_way, (now + int(lognormal(means[repo], sigma)), repo))
            if not under_way:
                return now
            now = under_way[0][0]
            while under_way and under_way[0][0] == now:
                repo = heappop(under_way)[1]
                if draw() >= p:
                    for other in serves[repo]:
                        missing[other] -= 1
                        if not missing[other]:
                            heappush(ready, other)

    def run(trials: int, seed: int) -> list[int]:
        chance = random.Random(seed)
        return [one(chance) for _ in range(trials)]

    return run


RIVALS: dict[str, Callable[[Train], Run]] = {
    "SimPy callbacks": simpy_callbacks,
    "SimPy processes": simpy_processes,
    "plain Python": plain_python,
}
