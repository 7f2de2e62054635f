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

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural
from seqkit.analysis.schedule.eta import Eta, eta_of_events
from seqkit.analysis.schedule.midway import Course
from seqkit.core.blocking import Blockers, failed_above
from seqkit.core.calendar import Calendar
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.model import RunEvent, RunRecord, RunStatus
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Attempts
from seqkit.core.terms import Policy
from seqkit.core.unknown import check_durations, check_models
from seqkit.errors import RepoNotFound
from seqkit.explore._said import said
from seqkit.explore._words import short
from seqkit.explore.one_repo import OneRepo
from seqkit.ledger.frames import elapsed
from seqkit.ledger.story import Story, Told, plan_of_run, tag_of
from seqkit.running.lanes import Priority

__all__ = ["LiveRun"]

_ENDED = ("succeeded", "failed", "in_doubt", "blocked", "stopped")
_MOST_NOW = 3  # repos in progress that a line names


class LiveRun:
    """What is known of a run so far. Call it with each event: give it as ``on_event``.

    As ``on_event`` it is also told when a run begins, by which rules, and how it has ended. Where nobody tells that, an
    event with a `seq` that is not higher than the last one's begins a new run. Where skips are not
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
        As the run has them, where nobody tells the run itself.

    Attributes
    ----------
    run_id : str
        The run's id; empty where nobody told it.
    status : RunStatus or None
        How it ended; None while it goes on, and where nobody tells.
    began, heard : datetime or None
        When it began, and when the last event came.
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
        self._record_skips = True
        self.status: RunStatus | None = None
        self.began: datetime | None = None
        self.heard: datetime | None = None
        self.stop: Callable[[], None] | None = None
        self.reset()

    @classmethod
    def of(
        cls,
        record: RunRecord,
        events: Iterable[RunEvent],
        durations: DurationsLike | None = None,
        model: ModelLike = 0.0,
    ) -> LiveRun:
        """Take up a run of a ledger, under way or ended, by its record and its events so far.

        Raises
        ------
        ValueError
            Where the record carries no plan that can be read.
        """
        plan = plan_of_run(record)
        if plan is None:
            raise ValueError(
                f"run {as_given(record.run_id)} carries no plan that can be read, so what it is to release is not "
                "known; expected a run of seqkit, and LedgerBrowser(ledger, graph=…) shows others"
            )
        live = cls(plan, durations, model)
        live.run_began(record)
        live.catch_up(record, events)
        return live

    def catch_up(self, record: RunRecord, events: Iterable[RunEvent]) -> bool:
        """Take in what a ledger tells by now of the run that it was made of; tell whether that is anything new."""
        new = [event for event in events if event.seq > self._seq]
        for event in new:
            self(event)
        ended = self.status is None and record.status is not RunStatus.RUNNING
        if ended:
            self.run_ended(record.status, record.completed_at)
        return bool(new) or ended

    def run_began(self, record: RunRecord, stop: Callable[[], None] | None = None) -> None:
        """Take in that a run begins, what it goes by, and what stops it."""
        tag = tag_of(record, "plan")
        tag = tag if isinstance(tag, dict) else {}
        with contextlib.suppress(ValueError):  # of a hostile ledger: what was given stays
            self._course = Course.told_by(tag)
        self._record_skips = tag.get("record_skips") is not False
        self.reset()
        self.run += 1
        self._seq = 0
        self.run_id, self.began, self.stop = record.run_id, record.created_at, stop

    def run_ended(self, status: RunStatus, at: datetime | None = None) -> None:
        """Take in how the run has ended, and when, where that is known."""
        self.status, self.stop = status, None
        self.heard = self.heard if at is None else at
        self.words |= {own.repo_id: own.word for own in self._story.items() if own.repo_id in self.words}
        self._counted = Counter(self.words.values())

    def reset(self) -> None:
        """Forget the run."""
        unreleased = set(self.plan.unreleased)
        self.words: dict[str, str] = {
            item.repo_id: "unreleased" if item.repo_id in unreleased else "pending" for item in self.plan.items
        }
        self._story = Story(self.plan, self._course.terms, self._record_skips)
        self.run_id = ""
        self.status = self.began = self.heard = None
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
        self.began, self.heard = self.began or event.timestamp, event.timestamp
        if self._durations is not None:
            self._events.append(event)
        own = self._story.tell(event)
        assert own is not None  # noqa: S101  # it names a repo
        if own.attempts:
            self.attempts[repo] = own.attempts
        self._keep(own)
        last = said(event, own)
        if last is not None:
            self._take(repo, own.word, last)

    def _keep(self, own: Told) -> None:
        if own.status == "succeeded" or not (reasons := own.reasons):
            self.reasons.pop(own.repo_id, None)
        else:
            self.reasons[own.repo_id] = reasons[-1]
        if own.status != "in_progress" or own.started_at is None:
            self.since.pop(own.repo_id, None)
        else:
            self.since[own.repo_id] = own.started_at

    def _take(self, repo: str, word: str, last: str) -> None:
        self._counted[self.words[repo]] -= 1
        self._counted[word] += 1
        self.words[repo] = word
        self.last = last

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
        """Whether all have ended, or the run has."""
        return self.status is not None or self.n_ended == self.n_released

    @property
    def interrupted(self) -> bool:
        """Whether the run was broken off, or died of an error from outside, with something left to do."""
        cut = self.status in (RunStatus.CANCELLED, RunStatus.FAILED)
        return cut and self.n_ended < self.n_released

    def held(self) -> dict[str, tuple[str, ...]]:
        """Tell who has had no turn and will not start any more: repo → the failed repos that hold it back.

        These are empty where a failure of another lets nothing start. Who is held back stays pending until the run
        passes it over. Linear in the plan once something has failed.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, RunEvent, build_plan
        >>> live = LiveRun(build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1"))
        >>> failure = {"node_id": "core", "error": "red"}
        >>> live(RunEvent(seq=1, kind="NodeFailed", payload=failure, timestamp="2026-01-02T10:00:07Z"))
        >>> live.held(), live.words["app"]
        ({'api': ('core',), 'app': ('core',)}, 'pending')
        """
        arrays, terms = self.plan.arrays, self._course.terms
        failures = [at for at, repo in enumerate(arrays.ids) if self._story.told[repo].status == "failed"]
        held: dict[str, tuple[str, ...]] = {}
        if not failures:
            return held
        blockers = Blockers(arrays.ids, arrays.dependencies, failures)
        for position, above in failed_above(blockers):
            repo = arrays.ids[position]
            if self.words[repo] != "pending":
                continue
            cause = terms.skips(bool(above), len(failures))
            if cause is not None:
                held[repo] = blockers.told(position, above)[0] if cause == "blocked" else ()
        return held

    def told(self, repo: str) -> OneRepo:
        """Say all that is known of a repo.

        Raises
        ------
        RepoNotFound
            Where it is not in the plan.
        """
        if repo not in self.words:
            raise RepoNotFound(repo, among=tuple(self.words))
        own = self._story.told[repo]
        held_by = self.held().get(repo)
        return OneRepo.of(own, self.words[repo], self._story.version_of(own), own.blocked_by, held_by)

    def elapsed(self, beyond: timedelta = timedelta()) -> timedelta | None:
        """Give the time from the run's beginning to its last event, or its end, and `beyond`; None before it begins."""
        time = elapsed(self.began, self.heard or self.began)
        return None if time is None else time + beyond

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
