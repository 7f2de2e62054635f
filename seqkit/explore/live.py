"""A run as it goes, from its events: how far each repo is, and what happened last.

>>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
>>> live = LiveRun(plan)
>>> run_plan(plan, ScriptedReleaser({"api": "tests are red"}), on_event=live)
SequenceOutcome(1 succeeded, 1 failed, 1 blocked)
>>> live
LiveRun(3 of 3 repos ended: 1 blocked, 1 succeeded, 1 failed)
>>> live.words["app"], live.last
('blocked', 'app is skipped: api failed')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.words import and_more, listed, plural, shortened
from seqkit.analysis.schedule.eta import Eta, eta_of_events
from seqkit.analysis.schedule.midway import Course
from seqkit.core.calendar import Calendar
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.model import RunEvent
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Attempts
from seqkit.core.terms import Policy
from seqkit.core.unknown import check_durations, check_models
from seqkit.errors import RepoNotFound
from seqkit.explore._words import short
from seqkit.ledger.story import Story, Told, kind_of
from seqkit.running.lanes import Priority

__all__ = ["LiveRun"]

_ENDED = ("succeeded", "failed", "in_doubt", "blocked", "stopped")
_MOST_NOW = 3  # repos in progress that a line names


class LiveRun:
    """What is known of a run so far. Call it with each event: give it as ``on_event``.

    An event with a `seq` that is not higher than the last one's begins a new run. Where skips are not
    recorded, skipped repos stay pending until :meth:`finish`.

    Parameters
    ----------
    plan : SequencePlan
        What is run.
    durations : float, timedelta, mapping, Series or DurationModel, optional
        How long attempts take, for :meth:`eta`.
    model : float, mapping, Series or FailureModel
        How likely one fails.
    policy, failure_budget, attempts, max_parallel, priority, min_interval, calendar
        As the run has them: no event tells.

    Attributes
    ----------
    words : dict of str to str
        Repo → key of ``STATUS_STYLES``, every repo of the plan in plan order.
    attempts : dict of str to int
        Repo → how often it has been tried, where it has.
    reasons : dict of str to str
        Repo → why its last attempt failed, of those that are not released.
    since : dict of str to datetime
        Repo → when it was entered, of those in progress, in that order.
    last : str
        What happened last, as a sentence; empty before the first event.
    run : int
        Which run this is, from 1; 0 before the first event.
    """

    def __init__(
        self,
        plan: SequencePlan,
        durations: DurationsLike | None = None,
        model: ModelLike = 0.0,
        policy: Policy = "skip_dependents",
        failure_budget: int | None = None,
        attempts: Attempts = 1,
        max_parallel: int | None = 1,
        priority: Priority | None = None,
        min_interval: float = 0.0,
        calendar: Calendar = (),
    ) -> None:
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"plan is a {type(plan).__name__}, expected a SequencePlan: build_plan(graph) makes one")
        self.plan = plan
        self._course = Course.of(
            plan, policy, failure_budget, attempts, max_parallel, priority, min_interval, calendar
        )  # fmt: skip
        self._model = as_model(model)
        self._durations = None if durations is None else as_durations(durations)
        if self._durations is not None:
            check_durations(plan, self._durations)
            check_models([plan], model=self._model)
        self.run = 0
        self._seq = 0
        self.reset()

    def reset(self) -> None:
        """Forget the run."""
        unreleased = set(self.plan.unreleased)
        self.words: dict[str, str] = {
            item.repo_id: "unreleased" if item.repo_id in unreleased else "pending" for item in self.plan.items
        }
        self._story = Story(self.plan)
        self.attempts: dict[str, int] = {}
        self.reasons: dict[str, str] = {}
        self.since: dict[str, datetime] = {}
        self.last = ""
        self._events: list[RunEvent] = []
        self._counted = Counter(self.words.values())

    def __call__(self, event: RunEvent) -> None:
        """Take in the next event of the run; kinds that say nothing about a repo change nothing.

        Raises
        ------
        RepoNotFound
            Where the event is of a repo that is not in the plan.
        """
        repo = event.payload.get("node_id") if isinstance(event.payload, dict) else None
        if not isinstance(repo, str):
            return
        if repo not in self.words:
            raise RepoNotFound(repo, among=tuple(self.words))
        if event.seq <= self._seq or not self.run:
            self.reset()
            self.run += 1
        self._seq = event.seq
        if self._durations is not None:
            self._events.append(event)
        name = short(repo)
        told = self._story.tell(event)
        assert told is not None  # noqa: S101  # it names a repo
        if told.attempts:
            self.attempts[repo] = told.attempts
        self._keep(told)
        said = _SAID.get(kind_of(event))
        if said is not None:
            self._take(repo, told.word, f"{name} {said(event, told)}")

    def _keep(self, told: Told) -> None:
        if told.status == "succeeded" or not (reasons := told.reasons):
            self.reasons.pop(told.repo_id, None)
        else:
            self.reasons[told.repo_id] = reasons[-1]
        if told.status != "in_progress" or told.started_at is None:
            self.since.pop(told.repo_id, None)
        else:
            self.since[told.repo_id] = told.started_at

    def _take(self, repo: str, word: str, said: str) -> None:
        self._counted[self.words[repo]] -= 1
        self._counted[word] += 1
        self.words[repo] = word
        self.last = said

    def finish(self, outcome: SequenceOutcome) -> None:
        """Take over how a run of the plan ended, skips included.

        Raises
        ------
        ValueError
            Where the outcome is of another plan.
        """
        if outcome.plan != self.plan:
            raise ValueError(f"outcome is of plan {outcome.plan_id}, expected one of {self.plan.plan_id}")
        ids = [item.repo_id for item in self.plan.items]
        self.words = dict(zip(ids, outcome.words(), strict=True))
        self.attempts = {repo: tries for repo, tries in zip(ids, outcome.attempts, strict=True) if tries}
        self.reasons = {repo: reason for repo, reason in self.reasons.items() if self.words[repo] != "succeeded"}
        self.reasons |= outcome.failures
        self.since = {repo: at for repo, at in self.since.items() if self.words[repo] == "in_progress"}
        self._counted = Counter(self.words.values())

    @property
    def counts(self) -> dict[str, int]:
        """Repos by status or skip cause: all keys of ``STATUS_STYLES``, in its order."""
        return {word: self._counted[word] for word in STATUS_STYLES}

    @property
    def n_released(self) -> int:
        """How many repos the plan releases."""
        return len(self.plan.released)

    @property
    def n_ended(self) -> int:
        """How many of them have succeeded, failed (in doubt or not) or been skipped."""
        return sum(self._counted[word] for word in _ENDED)

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return self.n_ended == self.n_released

    @property
    def still_running(self) -> list[str]:
        """The repos whose last attempt goes on though it was asked to stop, in plan order."""
        return [told.repo_id for told in self._story.told.values() if told.still_running]

    def eta(self, trials: int = 200) -> Eta | None:
        """Say when the run will end, as of its last event, as :func:`seqkit.eta` does.

        None before the first event, once all have ended, and where there are no `durations`.
        """
        events = tuple(self._events)  # events may come meanwhile
        if self._durations is None or not events or self.over:
            return None
        began, now = events[0].timestamp, max(event.timestamp for event in events)
        return eta_of_events(self.plan, self._course, events, began, now, self._durations, self._model, trials, 0)

    def now(self) -> str:
        """Say in words what is in progress and since when, of more than three the number; empty where nothing is.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, RunEvent, build_plan
        >>> live = LiveRun(build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0"))
        >>> entry = {"node_id": "core", "version": "1.0"}
        >>> live(RunEvent(seq=1, kind="NodeEntered", payload=entry, timestamp="2026-01-02T10:00:07Z"))
        >>> live.now()
        'core since 10:00:07 UTC'
        """
        begun = [f"{short(repo)} since {at.astimezone(UTC):%H:%M:%S}" for repo, at in list(self.since.items())]
        more = and_more(len(begun) - _MOST_NOW)
        return f"{', '.join(begun[:_MOST_NOW])} UTC{more}" if begun else ""

    def summary(self) -> str:
        """Say in words how far the run is."""
        counts = ", ".join(f"{count} {STATUS_STYLES[word].word}" for word, count in self.counts.items() if count)
        n = self.n_released
        return f"{self.n_ended} of {plural(n, 'repo')} ended: {counts or 'nothing to do'}"

    def __repr__(self) -> str:
        return f"LiveRun({self.summary()})"


def _shown(event: RunEvent, key: str) -> str:
    value: Any = event.payload.get(key, "")
    return shortened(str(value), 200)


def _skipped(_event: RunEvent, told: Told) -> str:
    if not told.blocked_by:
        return "is skipped: the run was stopped"
    return f"is skipped: {listed(told.blocked_by[:3], 3, short)}{and_more(told.n_blocked_by - 3)} failed"


def _again(event: RunEvent, told: Told) -> str:
    attempt = event.payload.get("attempt")
    number = f" (attempt {attempt + 1})" if isinstance(attempt, int) else ""
    once = " once it has stopped" if told.still_running else ""
    return f"is tried again{number}{once}: {_shown(event, 'error')}"


def _failed(event: RunEvent, told: Told) -> str:
    doubt = ", and nobody knows whether it is out" if told.unsure else ""
    return f"failed{' and is still running' * told.still_running}{doubt}: {_shown(event, 'error')}"


def _out(event: RunEvent, _told: Told) -> str:
    found = ", as a check found" if event.payload.get("confirmed") == "check" else ""
    return f"is out as {_shown(event, 'run_id')}{found}"


def _late(event: RunEvent, told: Told) -> str:
    if "run_id" in event.payload:
        return f"{_out(event, told)}, too late for this run"
    doubt = ", and nobody knows whether it is out" if told.unsure else ""
    return f"has stopped too late for this run{doubt}: {_shown(event, 'error')}"


_SAID: dict[str, Callable[[RunEvent, Told], str]] = {
    "NodeEntered": lambda event, _: f"{_shown(event, 'version')} is being released",
    "NodeRetrying": _again,
    "NodeExited": _out,
    "NodeFailed": _failed,
    "NodeSkipped": _skipped,
    "NodeLate": _late,
    "NodeProcess": lambda event, _: f"is being released by process {_shown(event, 'pid')}",
}
"""What an event says of its repo, in words."""
