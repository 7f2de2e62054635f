"""How soon any schedule could end at best: bounds that need no search.

No schedule of fixed durations ends before any of these, whatever its priorities, and whether or not it lets a lane
stand idle on purpose. So the distance from the largest of them is the most that could still be gained.

>>> from seqkit import RepoDependencyGraph, build_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")], nodes=["cli"]), version="1")
>>> jobs = Jobs.of(plan.arrays, [3, 2, 4, 5])
>>> critical_path(jobs), work_bound(jobs, 2), energetic_bound(jobs, 2), lower_bound(jobs, 2)
(7, 7, 7, 7)
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import gcd

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.schedule.jobs import Jobs
from seqkit.core.calendar import Windows, next_open

__all__ = [
    "MOST_ENERGETIC",
    "calendar_bound",
    "critical_path",
    "energetic_bound",
    "interval_bound",
    "lower_bound",
    "simple_bound",
    "work_bound",
]

MOST_ENERGETIC = 300
"""Jobs up to which :func:`lower_bound` asks the energetic bound too: its time grows with the square of the jobs."""

_Ticks = NDArray[np.int64]


def critical_path(jobs: Jobs) -> int:
    """Give the longest path through the jobs, in ticks: max over jobs of head + duration + tail."""
    return max([head + own for head, own in zip(jobs.heads, jobs.ticks, strict=True)], default=0)


def work_bound(jobs: Jobs, lanes: int) -> int:
    """Give the ticks that the work takes where no lane ever stands idle: ⌈sum of durations / lanes⌉."""
    return -(-jobs.work // lanes)


def interval_bound(jobs: Jobs, min_interval: int) -> int:
    """Bound the makespan by the ticks between two starts.

    Of any k jobs, none of which can start before h, and from the start of each of which at least q ticks pass until all
    is done, the last starts at h + (k − 1) · `min_interval` at the earliest: all is done q later at the earliest. The
    largest such number is what a machine gives that is busy for the interval at each start, may break off, and always
    takes up the job with the most to come after it (Jackson's preemptive schedule, see J. Carlier, The one-machine
    sequencing problem, European Journal of Operational Research 11, 1982, doi:10.1016/S0377-2217(82)80007-6).
    """
    if not min_interval:
        return critical_path(jobs)
    rests = [own + tail for own, tail in zip(jobs.ticks, jobs.tails, strict=True)]
    coming = sorted(zip(jobs.heads, rests, strict=True), reverse=True)  # the next is the last
    may_start: list[tuple[int, int]] = []  # a heap: minus what is to come after it, ticks of the machine that it lacks
    now = best = 0
    while coming or may_start:
        if not may_start:
            now = max(now, coming[-1][0])
        while coming and coming[-1][0] <= now:
            heappush(may_start, (-coming.pop()[1], min_interval))
        rest, lacks = heappop(may_start)
        if coming and coming[-1][0] < now + lacks:
            heappush(may_start, (rest, lacks - (coming[-1][0] - now)))
            now = coming[-1][0]
        else:
            now += lacks
            best = max(best, now - min_interval - rest)
    return best


def calendar_bound(jobs: Jobs, lanes: int | None, windows: Windows, without: int) -> int:
    """Bound the makespan where nothing starts in some windows, by what bounds it without them.

    Windows only forbid starts, so what bounds all schedules still does, from the first moment that is open. Each job
    starts no earlier than the first open moment after all that it needs could have ended: that is exact where nothing
    else keeps it waiting. And in a window no lane works any more once the longest duration has passed since it began,
    so the work takes that much longer.

    Examples
    --------
    >>> jobs = Jobs((0, 1, 2), ((), (), ()), (4, 4, 4))
    >>> calendar_bound(jobs, 1, ((5, 20),), 12)
    23
    """
    if not windows or not len(jobs):
        return without
    best = next_open(windows, 0) + without
    ends: list[int] = []
    for needs, ticks in zip(jobs.needs, jobs.ticks, strict=True):
        ends.append(next_open(windows, max([ends[other] for other in needs], default=0)) + ticks)
    best = max(best, *ends)
    if lanes is not None:
        longest, done = max(jobs.ticks), work_bound(jobs, lanes)
        for close, opens in windows:
            if done <= min(opens, close + longest):
                break
            done += max(0, opens - close - longest)
        best = max(best, done)
    return best


def simple_bound(jobs: Jobs, lanes: int | None = None, min_interval: int = 0, windows: Windows = ()) -> int:
    """Give the largest of the bounds that cost next to nothing: critical path, work, interval; rounded up.

    Where all durations and the interval are multiples of one number, such as a minute, so is the best makespan: a job
    that starts neither at 0, nor as another ends, nor the interval after another start, could start a little sooner.
    """
    best = interval_bound(jobs, min_interval)  # never below the critical path
    best = _rounded(jobs, min_interval, best if lanes is None else max(best, work_bound(jobs, lanes)))
    return calendar_bound(jobs, lanes, windows, best)


def _rounded(jobs: Jobs, min_interval: int, bound: int) -> int:
    """Round a bound up to what sums of the durations and the interval can come to."""
    grain = gcd(min_interval, *jobs.ticks)
    return -(-bound // grain) * grain if grain else bound


def energetic_bound(jobs: Jobs, lanes: int, at_least: int = 0) -> int:
    """Bound the makespan by the work that has to be done within an interval (Fernandez and Bussell 1973).

    Against an end at L, job j starts no earlier than its head h and no later than its latest start
    s = L − duration − tail. Of its duration d it does at least ``max(0, min(d, h + d − a, b − s, b − a))`` within any
    interval [a, b]. Where these sum up to more than lanes · (b − a), by E, no schedule ends at L: one that ends
    E / lanes later at least does. That is repeated from there until no interval has too much in it. The intervals
    looked at are those that begin at a head or a latest start, and for each of these all that can end it.

    Parameters
    ----------
    jobs : Jobs
        What to schedule.
    lanes : int
        How many run at once, from 1.
    at_least : int
        A bound that is known already.

    Returns
    -------
    int
        Ticks; never less than `at_least` and the critical path.

    Notes
    -----
    O(jobs² · log jobs) time and O(jobs²) memory: about 10 ms for 300 jobs. E. B. Fernandez and B. Bussell, Bounds on
    the number of processors and time for multiprocessor optimal schedules, IEEE Transactions on Computers C-22, 1973,
    doi:10.1109/TC.1973.5009153.
    """
    end = max(critical_path(jobs), at_least)
    heads, ticks = np.array(jobs.heads, np.int64), np.array(jobs.ticks, np.int64)
    rests = ticks + np.array(jobs.tails, np.int64)
    while len(jobs) and (excess := _excess(heads, ticks, end - rests, lanes)) > 0:
        end += -(-excess // lanes)
    return end


def _excess(heads: _Ticks, ticks: _Ticks, latest: _Ticks, lanes: int) -> int:
    """Give the most by which the work that some interval must hold exceeds what the lanes can do in it.

    With a fixed beginning a, a job's part grows with the interval's end b from max(a, latest start) on until it is
    ``min(d, h + d − a)``: the excess, as it grows with b, turns down only where a part has become whole.
    """
    begins = np.unique(np.concatenate([heads, latest]))[:, None]
    whole = np.clip(heads + ticks - begins, 0, ticks)
    grows = np.maximum(latest, begins)
    turns = np.concatenate(
        [2 * grows, 2 * (grows + whole) + 1], axis=1
    )  # the last bit: whether a part has become whole
    turns.sort(axis=1)
    moments = turns >> 1
    slopes = np.cumsum(1 - 2 * (turns & 1), axis=1)  # how many parts grow after each moment
    needed = np.cumsum(slopes[:, :-1] * np.diff(moments, axis=1), axis=1)
    return int((needed - lanes * (moments[:, 1:] - begins)).max())


def lower_bound(jobs: Jobs, lanes: int | None = None, min_interval: int = 0, windows: Windows = ()) -> int:
    """Give the largest of all the bounds that suit the size, in ticks.

    Parameters
    ----------
    jobs : Jobs
        What to schedule.
    lanes : int, optional
        How many run at once, from 1; None for no limit.
    min_interval : int
        Ticks between two starts.
    windows : Windows
        In which nothing starts.

    Returns
    -------
    int
        The critical path, the work over the lanes, the interval's bound and, up to 300 jobs, the energetic bound:
        whichever is largest, rounded up to a multiple of what all durations and the interval are multiples of; with
        windows what :func:`calendar_bound` makes of it.
    """
    best = simple_bound(jobs, lanes, min_interval)
    if lanes is not None and len(jobs) <= MOST_ENERGETIC:
        best = _rounded(jobs, min_interval, energetic_bound(jobs, lanes, best))
    return calendar_bound(jobs, lanes, windows, best)
