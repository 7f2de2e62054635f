"""The event loop of a run in lanes, in plain Python: one trial at a time, to be read beside the rules.

The tie rule: of everything that ends at one instant, all ends are taken in first, in plan order. Then what may start
starts, by priority, ties in plan order, never more at once than there are lanes. A job that waits to be tried again
holds no lane, and queues by its priority once that is due; a single lane it keeps. Once the run is stopping nothing
starts, and what waits has failed. A job below a failure that blocks is freed by nobody.

What let an attempt start is what criticality is traced by:

- that all it needs had ended, or that its wait was over, where that was the same instant;
- else that the interval since the last start was over, where that is so: the attempt that started last;
- else, where all lanes were taken, that one was freed: the attempt that ended at this instant, of several the last in
  plan order;
- else that a freeze was over: nobody let it start.

In a freeze nothing starts; what is due in it waits, and once that ends all that may start does, by priority.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, too_long
from seqkit.analysis.schedule.problem import LATEST, ScheduleProblem
from seqkit.core.calendar import Windows, next_open

__all__ = ["Midway", "TrialAttempt", "TrialRun", "follow"]


@dataclass(eq=False)
class TrialAttempt:
    """An attempt that was made, and what let it start."""

    job: int
    number: int
    start: int
    end: int
    due: int
    """When it could have started, had there been a lane and no interval."""
    before: TrialAttempt | None
    """The last attempt at the same job."""
    let_by: TrialAttempt | None
    """The attempt that freed the lane, or that had started an interval before; None at the beginning."""
    by_time: bool
    """Whether the interval let it start."""
    by_calendar: bool = False
    """Whether the end of a freeze did, and nothing else was in the way."""


@dataclass
class TrialRun:
    """What came of a trial, by job."""

    end: int
    start: list[int]
    finish: list[int]
    status: list[int]
    last: list[TrialAttempt | None]
    """The last attempt at each."""


@dataclass(frozen=True)
class Midway:
    """Where a run that is under way stands, by job. All times are ticks since its start."""

    now: int
    end: int
    """When anything last ended."""
    status: tuple[int, ...]
    passed: frozenset[int]
    """Jobs that never start."""
    start: tuple[int, ...]
    """When the first attempt started; -1 where none has."""
    finish: tuple[int, ...]
    """When it was released, or failed for good; else -1."""
    number: tuple[int, ...]
    """Which attempt it is that is under way or comes next, from 1."""
    running: Mapping[int, int]
    """When the attempt started, of jobs that have one under way."""
    waiting: Mapping[int, int]
    """When the next attempt is due, of jobs that wait for one."""
    last_start: int
    """When an attempt last started; -1 where none has."""
    held: int
    """Lanes that are taken to the end, by what goes on though it has failed."""


def follow(
    problem: ScheduleProblem,
    first: Sequence[int],
    again: Callable[[int, int], tuple[int, int]],
    midway: Midway | None = None,
) -> TrialRun:
    """Follow one trial to its end.

    Parameters
    ----------
    problem : ScheduleProblem
        What is scheduled.
    first : sequence of int
        What happens to the first attempt at each job: its ticks, or -1 - ticks where it fails.
    again : callable
        (job, number of the attempt) → the ticks to wait before it, and the same of a later attempt.
    midway : Midway, optional
        Where to go on from, rather than from the start. What happens to the first attempts is then what happens to
        those that are under way or come next; none that is under way may end before now.
    """
    trial = _Trial(problem, first, again)
    if midway is not None:
        trial.stand(midway)
    return trial.follow()


class _Trial:
    def __init__(
        self, problem: ScheduleProblem, first: Sequence[int], again: Callable[[int, int], tuple[int, int]]
    ) -> None:
        self.problem, self.again = problem, again
        n, starts, flat = problem.n, problem.first_dependent.tolist(), problem.dependents.tolist()
        self.dependents = [flat[starts[job] : starts[job + 1]] for job in range(n)]
        self.rank, self.by_rank = problem.rank.tolist(), problem.by_rank.tolist()
        self.waits_for = [last - begin for begin, last in itertools.pairwise(problem.first_need.tolist())]
        self.next = list(first)  # what happens to the next attempt at each job
        self.number, self.due = [1] * n, [0] * n
        self.run = TrialRun(0, [-1] * n, [-1] * n, [NOT_STARTED] * n, [None] * n)
        self.ready = sorted(self.rank[job] for job in range(n) if not self.waits_for[job])  # heaps, all three
        self.active: list[tuple[int, int]] = []  # when it ends, and which job
        self.waiting: list[tuple[int, int]] = []  # when it is due, and which job
        self.kept = -1  # the job that keeps the single lane
        self.held = 0  # lanes that nothing frees
        self.now, self.failures = 0, 0
        self.windows: Windows = tuple(map(tuple, problem.windows.tolist()))
        self.was_full = False  # before what ended at this instant was taken in
        self.last_start: TrialAttempt | None = None
        self.last_end: TrialAttempt | None = None

    def stand(self, at: Midway) -> None:
        """Go on from where a run stands."""
        run, self.now, self.number, self.held = self.run, at.now, list(at.number), at.held
        run.end, run.start, run.finish, run.status = at.end, list(at.start), list(at.finish), list(at.status)
        self.failures = run.status.count(FAILED)
        for job, status in enumerate(at.status):
            if status == RELEASED or (status == FAILED and self.problem.frees):
                for dependent in self.dependents[job]:
                    self.waits_for[dependent] -= 1
        taken = at.passed | at.running.keys() | at.waiting.keys()
        for job, status in enumerate(at.status):
            if status != NOT_STARTED or job in taken:
                self.waits_for[job] = 0  # nothing frees it once more
        fresh = [job for job in range(self.problem.n) if at.status[job] == NOT_STARTED and job not in taken]
        self.ready = sorted(self.rank[job] for job in fresh if not self.waits_for[job])
        for job, since in at.running.items():
            told = self.next[job]
            ticks = told if told >= 0 else -1 - told
            run.last[job] = TrialAttempt(job, self.number[job], since, since + ticks, since, None, None, False)
            self.active.append((since + ticks, job))
        heapq.heapify(self.active)
        self.waiting = [(due, job) for job, due in at.waiting.items()]
        heapq.heapify(self.waiting)
        if self.problem.lanes == 1 and self.waiting:
            self.kept = self.waiting[0][1]
        if at.last_start >= 0:
            self.last_start = TrialAttempt(-1, 0, at.last_start, at.now, at.last_start, None, None, False)

    def follow(self) -> TrialRun:
        while True:
            self.turn()
            self.now = min(self.next_end(), self.next_due(), self.next_start())  # type: ignore[assignment]
            if self.now == math.inf:
                return self.run
            if self.now >= LATEST:
                raise too_long()
            self.was_full = not self.has_room()
            while self.active and self.active[0][0] == self.now:
                self.take_in(heapq.heappop(self.active)[1])

    # ------------------------------------------------------------------ who starts

    @property
    def stopping(self) -> bool:
        return 0 < self.problem.stop_at <= self.failures

    def turn(self) -> None:
        if self.stopping:
            for _, job in self.waiting:
                self.fail(job)
            again = [self.by_rank[rank] for rank in self.ready if self.number[self.by_rank[rank]] > 1]
            for job in again:
                self.fail(job)
            self.waiting, self.ready = [], []
            return
        while self.waiting and self.waiting[0][0] <= self.now:
            job = heapq.heappop(self.waiting)[1]
            heapq.heappush(self.ready, self.rank[job])
        while self.ready and self.has_room() and self.now >= self.earliest():
            self.start()

    def has_room(self) -> bool:
        lanes = self.problem.lanes
        held = len(self.active) + self.held + (len(self.waiting) if lanes == 1 else 0)
        return not lanes or held < lanes

    def earliest(self) -> int:
        """Say when the interval since the last start is over, and no freeze is on."""
        after = self.interval_ends()
        return next_open(self.windows, max(self.now, after)) if self.windows else after

    def interval_ends(self) -> int:
        return 0 if self.last_start is None else self.last_start.start + self.problem.interval

    def start(self) -> None:
        if self.kept >= 0:
            job, self.kept = self.kept, -1
            self.ready.remove(self.rank[job])
            heapq.heapify(self.ready)
        else:
            job = self.by_rank[heapq.heappop(self.ready)]
        told, run = self.next[job], self.run
        ticks = told if told >= 0 else -1 - told
        by_time = bool(self.problem.interval) and self.last_start is not None and self.now == self.interval_ends()
        attempt = TrialAttempt(
            job=job,
            number=self.number[job],
            start=self.now,
            end=self.now + ticks,
            due=self.due[job],
            before=run.last[job],
            let_by=self.last_start if by_time else self.last_end,
            by_time=by_time,
            by_calendar=not by_time and not self.was_full and self.now > self.due[job],
        )
        if run.start[job] < 0:
            run.start[job] = self.now
        run.last[job] = self.last_start = attempt
        heapq.heappush(self.active, (attempt.end, job))

    # ------------------------------------------------------------------ what ends

    def take_in(self, job: int) -> None:
        run, problem = self.run, self.problem
        run.end, self.last_end = self.now, run.last[job]
        if self.next[job] >= 0:
            run.status[job], run.finish[job] = RELEASED, self.now
            self.free(job)
            return
        if not self.stopping and self.number[job] < problem.attempts:
            wait, told = self.again(job, self.number[job] + 1)
            if problem.deadline < 0 or self.now - run.start[job] + wait <= problem.deadline:
                self.number[job] += 1
                self.next[job], self.due[job] = told, self.now + wait
                heapq.heappush(self.waiting, (self.due[job], job))
                if problem.lanes == 1:
                    self.kept = job
                return
        self.fail(job)
        if problem.frees:
            self.free(job)

    def fail(self, job: int) -> None:
        self.run.status[job], self.run.finish[job] = FAILED, self.now
        self.failures += 1

    def free(self, job: int) -> None:
        for dependent in self.dependents[job]:
            self.waits_for[dependent] -= 1
            if not self.waits_for[dependent]:
                self.due[dependent] = self.now
                heapq.heappush(self.ready, self.rank[dependent])

    # ------------------------------------------------------------------ when something is next

    def next_end(self) -> float:
        return self.active[0][0] if self.active else math.inf

    def next_due(self) -> float:
        return self.waiting[0][0] if self.waiting else math.inf

    def next_start(self) -> float:
        return self.earliest() if self.ready and self.has_room() else math.inf
