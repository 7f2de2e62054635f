"""Where a run that is under way stands, and what it goes by, as its events and its plan tag tell it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED
from seqkit.analysis.schedule.loop import Midway
from seqkit.analysis.schedule.problem import ScheduleProblem
from seqkit.core.calendar import Calendar, Freeze, Windows, apart, as_dates, freeze_of, next_open, windows_of
from seqkit.core.model import RunEvent
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Retry
from seqkit.core.terms import Policy, Terms
from seqkit.core.times import LONGEST, TICKS_A_SECOND, seconds_of, ticks_of
from seqkit.ledger.story import Story, Told, kind_of
from seqkit.running.lanes import Priority, priority_of

__all__ = ["Course", "stand"]


@dataclass(frozen=True)
class Course:
    """What a run goes by."""

    terms: Terms
    retry: Retry
    """How long is waited before the next attempt; its number of attempts is that of the terms."""
    lanes: int | None = 1
    priority: Priority = "plan"
    interval: float = 0.0
    calendar: tuple[Freeze, ...] = ()

    @classmethod
    def of(
        cls,
        plan: SequencePlan,
        policy: Policy = "skip_dependents",
        failure_budget: int | None = None,
        attempts: Any = 1,
        max_parallel: int | None = 1,
        priority: Priority | None = None,
        min_interval: float = 0.0,
        calendar: Calendar = (),
    ) -> Course:
        """Read the arguments, which are those of :func:`seqkit.run_plan`.

        Warns
        -----
        UnknownRepo
            Where `priority` names a repo that looks like a slip.
        """
        terms = Terms(policy, failure_budget, attempts)
        retry = attempts if isinstance(attempts, Retry) else Retry(terms.attempts)
        return cls(
            terms, retry, *_options(max_parallel, priority, min_interval, plan=plan), as_dates(calendar)
        )  # fmt: skip

    @classmethod
    def told_by(cls, tag: Mapping[str, Any]) -> Course:
        """Read it from the plan in a run's tags; what is not told is at its default.

        Raises
        ------
        ValueError
            Where the tag has what no run goes by.
        """
        terms, where = Terms.told_by(tag)[0], "the plan tag's "
        waits = tag.get("retry", {})
        try:
            lanes, priority, interval = _options(
                tag.get("max_parallel", 1), tag.get("priority"), tag.get("min_interval", 0.0), where=where
            )
            freezes = _freezes(tag.get("calendar", []), f"{where}calendar")
            retry = Retry(terms.attempts, **waits) if isinstance(waits, Mapping) else None
        except TypeError as error:  # what stands in a ledger is a value, of whatever type
            raise ValueError(str(error)) from None
        if retry is None:
            raise ValueError(f"{where}retry is {as_given(waits, 200)}, expected the waits of a Retry by name")
        return cls(terms, retry, lanes, priority, interval, freezes)

    def windows(self, began: datetime) -> Windows:
        """Give the windows in which nothing starts, in ticks since the run began."""
        return apart(windows_of(self.calendar, began))


def _freezes(tag: Any, where: str) -> tuple[Freeze, ...]:
    if not isinstance(tag, list):
        raise ValueError(f"{where} is {as_given(tag, 200)}, expected a list of windows")
    return tuple([freeze_of(each, f"{where}[{at}]") for at, each in enumerate(tag)])


def _options(
    lanes: Any, priority: Any, interval: Any, where: str = "", plan: SequencePlan | None = None
) -> tuple[int | None, Priority, float]:
    limit = None if lanes is None else whole(f"{where}max_parallel", lanes, 1)
    first = priority_of(priority, limit, plan, argument=f"{where}priority")
    return limit, first, seconds_of(interval, f"{where}min_interval")


def stand(problem: ScheduleProblem, story: Story, events: Iterable[RunEvent], began: datetime, now: datetime) -> Midway:
    """Say where a run stands.

    A second attempt that waited for a lane leaves no event as it starts. It started as soon as there was a lane: first
    attempts that started took theirs, and of the others who comes first by priority did.

    Parameters
    ----------
    problem : ScheduleProblem
        What the run is to do.
    story : Story
        What came of each repo by now.
    events : iterable of RunEvent
        The run's events by now, in their order.
    began, now : datetime
        When it started, and when it stands so.
    """

    def ticks(moment: datetime | None) -> int:
        return -1 if moment is None else max(0, ticks_of((moment - began).total_seconds()))

    job_of = {repo: job for job, repo in enumerate(problem.ids)}
    lanes = _Lanes(problem)
    for event in events:
        job = job_of.get(event.payload.get("node_id", "") if isinstance(event.payload, Mapping) else "")
        if job is not None:
            lanes.tell(job, kind_of(event), event.payload, ticks(event.timestamp))
    lanes.advance(ticks(now))
    told = [story.told[repo] for repo in problem.ids]
    open_ = [job for job, own in enumerate(told) if own.status == "in_progress"]
    running = {job: since for job, since in lanes.running.items() if told[job].status == "in_progress"}
    due = {job: due for job, due in lanes.due.items() if told[job].status == "in_progress"}
    for job in open_:
        if job not in running and job not in due:
            running[job] = ticks(told[job].tries[-1].began)
    first = [next((one.began for one in own.tries if one.began is not None), own.started_at) for own in told]
    ends = [own.finished_at if own.status in ("succeeded", "failed") else None for own in told]
    return Midway(
        now=ticks(now),
        end=max([ticks(one.ended) for own in told for one in own.tries if one.ended is not None], default=0),
        status=tuple([_STATUS.get(own.status, NOT_STARTED) for own in told]),
        passed=_passed(problem, told),
        start=tuple([ticks(moment) for moment in first]),
        finish=tuple([ticks(moment) for moment in ends]),
        number=tuple([_next_attempt(own) for own in told]),
        running={job: max(0, since) for job, since in running.items()},
        waiting=due,
        last_start=lanes.last_start,
        held=sum(own.status == "failed" and own.still_running for own in told),
    )


_STATUS = {"succeeded": RELEASED, "failed": FAILED}


def _passed(problem: ScheduleProblem, told: Sequence[Told]) -> frozenset[int]:
    """Give the jobs that never start: skipped, below what failed for good, or stopped; said by an event or not."""
    failed = {job for job, own in enumerate(told) if own.status == "failed"}
    stopping = 0 < problem.stop_at <= len(failed)
    passed: set[int] = set()
    for job, own in enumerate(told):
        needs = problem.needs[problem.first_need[job] : problem.first_need[job + 1]].tolist()
        held = not problem.frees and any(other in failed or other in passed for other in needs)
        if own.status == "skipped" or (own.status == "pending" and (stopping or held)):
            passed.add(job)
    return frozenset(passed)


def _next_attempt(told: Told) -> int:
    """Say which attempt is under way or comes next."""
    return max(1, told.attempts) if told.status == "in_progress" else 1


def _wait_in(payload: Mapping[str, Any]) -> int:
    """Read how many ticks a repo waits to be tried again; 0 where that is not told."""
    delay = payload.get("delay_ms")
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not delay >= 0:  # nor a NaN
        return 0
    return ticks_of(min(delay, LONGEST) / TICKS_A_SECOND)


class _Lanes:
    """Which attempts are under way, event by event."""

    def __init__(self, problem: ScheduleProblem) -> None:
        self.running: dict[int, int] = {}
        self.due: dict[int, int] = {}  # of all that wait for a second attempt: for its time, or for a lane
        self.last_start = -1
        self._limit, self._interval, self._rank = problem.lanes, problem.interval, problem.rank.tolist()
        self._windows: Windows = tuple(map(tuple, problem.windows.tolist()))
        self._now = 0
        self._guessed: list[int] = []  # whose start no event tells, in the order in which they started

    def tell(self, job: int, kind: str, payload: Mapping[str, Any], at: int) -> None:
        """Take in the next event."""
        self.advance(at)
        goes_on = payload.get("still_running") is True
        if kind in ("NodeExited", "NodeFailed", "NodeRetrying", "NodeLate"):
            self.due.pop(job, None)
            if not (kind == "NodeFailed" and goes_on):
                self.running.pop(job, None)
        if kind == "NodeEntered" and job not in self.running:
            self._make_room()
            self.running[job] = self.last_start = self._now
        elif kind == "NodeRetrying":
            due = self._now + _wait_in(payload)
            if goes_on:
                self.running[job] = due  # it keeps its lane until it has ended, and the next attempt takes one then
            else:
                self.due[job] = due

    def advance(self, at: int) -> None:
        """Let time pass up to this moment; who starts at it is left open."""
        while self._now < at:
            self._start_due()
            moments = [*self.due.values(), self._earliest]
            self._now = min([moment for moment in moments if self._now < moment < at], default=at)

    @property
    def _earliest(self) -> int:
        """When the interval since the last start is over, and no freeze is on."""
        after = self.last_start + self._interval if self.last_start >= 0 else 0
        return next_open(self._windows, max(self._now, after)) if self._windows else after

    def _start_due(self) -> None:
        ready = [(self._rank[job], job) for job, due in self.due.items() if due <= self._now]
        heapq.heapify(ready)
        while ready and self._now >= self._earliest and (not self._limit or len(self.running) < self._limit):
            job = heapq.heappop(ready)[1]
            del self.due[job]
            self.running[job] = self.last_start = self._now
            self._guessed.append(job)

    def _make_room(self) -> None:
        """Take the lane back from who cannot have got it: an entry tells that another did."""
        guessed = [job for job in self._guessed if job in self.running]
        if self._limit and len(self.running) >= self._limit and guessed:
            self.due[guessed[-1]] = self.running.pop(guessed[-1])
            self._guessed.remove(guessed[-1])
