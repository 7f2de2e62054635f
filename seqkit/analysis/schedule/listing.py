"""The schedule that a run follows where nothing fails and each repo takes a fixed time: list scheduling.

Whenever a lane is free, the first in line of those that may start does. Of everything that ends at one instant, all
ends come first, in plan order, and then what may start starts: the tie rule of :mod:`seqkit.running.lanes`, event for
event. A repo that takes no time ends at the instant at which it starts, and only then can free others: so at one
instant there may be several rounds.

Whatever the priorities, such a schedule takes at most (2 − 1/m) times as long as the best on m lanes (Graham 1969,
doi:10.1137/0117039). More lanes, shorter jobs or fewer needs may make it longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from seqkit._util.arguments import whole
from seqkit._util.words import plural
from seqkit.analysis.schedule.jobs import Jobs
from seqkit.core.arrays import PlanArrays
from seqkit.core.calendar import Windows, next_open

__all__ = ["Listing", "Pass", "in_line", "list_jobs", "list_schedule"]


@dataclass(frozen=True, slots=True)
class Pass:
    """One list schedule of jobs, by job."""

    starts: list[int]
    """The tick at which each starts."""
    events: list[int]
    """Jobs in the order in which they start and end: job j as it starts, ``~j`` as it ends."""
    makespan: int
    """The tick at which the last ends; 0 where there are none."""


@dataclass(frozen=True, slots=True)
class Listing:
    """When each repo of a plan starts and ends, and in which lane, by position; None for unreleased ones."""

    starts: tuple[int | None, ...]
    """The tick at which each starts, from 0."""
    finishes: tuple[int | None, ...]
    """The tick at which each ends."""
    lanes: tuple[int | None, ...]
    """The lane that each takes, from 0: the lowest that is free."""
    events: tuple[int, ...]
    """Positions in the order of a run's events: p as it starts, ``~p`` as it ends."""
    makespan: int
    """The tick at which the last ends; 0 where nothing is released."""


def in_line(jobs: Jobs, ranks: Sequence[float] = ()) -> list[int]:
    """Line the jobs up: the lowest rank first, ties in plan order.

    Parameters
    ----------
    jobs : Jobs
        Which.
    ranks : sequence of float
        By position in the plan, as :func:`seqkit.running.lanes.ranks_of` gives them; empty for plan order.
    """
    if not ranks:
        return list(range(len(jobs)))
    return sorted(range(len(jobs)), key=lambda job: ranks[jobs.positions[job]])


def list_jobs(
    jobs: Jobs, line: Sequence[int], lanes: int | None = None, min_interval: int = 0, windows: Windows = ()
) -> Pass:
    """Schedule jobs by a line.

    Parameters
    ----------
    jobs : Jobs
        What to schedule.
    line : sequence of int
        All jobs, each once: whoever is ahead goes first of those that may start.
    lanes : int, optional
        How many run at once at most, from 1; None for no limit.
    min_interval : int
        Ticks between two starts.
    windows : Windows
        In which nothing starts.

    Notes
    -----
    O((jobs + needs) · log jobs): for 300 jobs about 0.3 ms.
    """
    n, ticks, serves = len(jobs), jobs.ticks, jobs.serves
    turn = [0] * n
    for place, job in enumerate(line):
        turn[job] = place
    missing = [len(needs) for needs in jobs.needs]
    ready = [turn[job] for job in range(n) if not missing[job]]  # a heap of places in the line
    heapify(ready)
    under_way: list[int] = []  # a heap of end · n + job
    starts, events = [0] * n, []
    free = n if lanes is None else lanes
    now = earliest = 0
    while ready or under_way:
        if windows:
            earliest = next_open(windows, max(now, earliest))
        while ready and free and now >= earliest:
            job = line[heappop(ready)]
            starts[job] = now
            events.append(job)
            heappush(under_way, (now + ticks[job]) * n + job)
            free -= 1
            earliest = now + min_interval
        moment = under_way[0] // n if under_way else earliest
        if ready and free and earliest < moment:
            now = earliest
            continue
        now = moment
        after = (now + 1) * n
        while under_way and under_way[0] < after:
            job = heappop(under_way) % n
            events.append(~job)
            free += 1
            for other in serves[job]:
                missing[other] -= 1
                if not missing[other]:
                    heappush(ready, turn[other])
    return Pass(starts, events, now)


def list_schedule(
    arrays: PlanArrays,
    ticks: Sequence[int],
    lanes: int | None = None,
    ranks: Sequence[float] = (),
    min_interval: int = 0,
    windows: Windows = (),
) -> Listing:
    """Schedule a plan as a run without failures would go.

    Parameters
    ----------
    arrays : PlanArrays
        Of the plan.
    ticks : sequence of int
        How long each item takes, by position, from 0; those of unreleased ones do not count.
    lanes : int, optional
        How many run at once at most, from 1; None for no limit.
    ranks : sequence of float
        Who goes first of those that may start, by position, the lowest first, ties in plan order; empty for plan
        order. :func:`seqkit.running.lanes.ranks_of` makes them of a priority.
    min_interval : int
        Ticks between two starts.
    windows : Windows
        In which nothing starts.

    Returns
    -------
    Listing
        Starts, ends and lanes by position.

    Raises
    ------
    TypeError, ValueError
        Where `ticks` or `ranks` has not one entry an item, or a number is out of its range.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")], nodes=["cli"])
    >>> arrays = build_plan(graph, version="1").arrays
    >>> arrays.ids
    ('cli', 'core', 'api', 'docs')
    >>> listing = list_schedule(arrays, [9, 2, 3, 4], lanes=2)
    >>> listing.starts, listing.finishes, listing.lanes, listing.makespan
    ((0, 0, 2, 5), (9, 2, 5, 9), (0, 1, 1, 1), 9)
    >>> listing.events
    (0, 1, -2, 2, -3, 3, -1, -4)
    """
    jobs, n = Jobs.of(arrays, ticks), len(arrays.ids)
    if ranks and len(ranks) != n:
        told = plural(len(ranks), "entry", "entries")
        raise ValueError(f"ranks has {told}, expected none or one for each of {n} items")
    limit = None if lanes is None else whole("lanes", lanes, 1)
    made = list_jobs(jobs, in_line(jobs, ranks), limit, whole("min_interval", min_interval, 0), windows)
    positions = jobs.positions
    finishes = [start + jobs.ticks[job] for job, start in enumerate(made.starts)]
    return Listing(
        _by_position(jobs, made.starts, n),
        _by_position(jobs, finishes, n),
        _by_position(jobs, _lanes(made.events, len(jobs)), n),
        tuple([positions[event] if event >= 0 else ~positions[~event] for event in made.events]),
        made.makespan,
    )


def _by_position(jobs: Jobs, values: Sequence[int], n: int) -> tuple[int | None, ...]:
    told: list[int | None] = [None] * n
    for position, value in zip(jobs.positions, values, strict=True):
        told[position] = value
    return tuple(told)


def _lanes(events: Sequence[int], n: int) -> list[int]:
    """Give each job the lowest lane that is free as it starts."""
    taken, free = [0] * n, list(range(n))
    for event in events:
        if event >= 0:
            taken[event] = heappop(free)
        else:
            heappush(free, taken[~event])
    return taken
