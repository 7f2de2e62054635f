"""What a report tells: what became of each repo over all runs of a train, why things failed, who waited for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunId, RunRecord, RunStatus
from seqkit.core.plan import SequencePlan
from seqkit.history.blame import blames_of
from seqkit.history.past import past_run
from seqkit.history.trains import median_time, train_end, train_status
from seqkit.ledger import RunLedger
from seqkit.ledger.frames import elapsed
from seqkit.ledger.links import Standing, released_by_decision, take_in, train_names
from seqkit.ledger.naming import run_called
from seqkit.ledger.story import IMPORTED, Story, Told, story_of, tag_of

__all__ = ["MOST_NAMED", "FailedTry", "ReportedRepo", "ReportedRun", "ReportedShare", "ReportedTrain", "read_train"]

MOST_NAMED = 100
"""Repos that are named of those that one held up, or waits for."""


class ReportedRun(NamedTuple):
    """A run of the train."""

    run_id: RunId
    """The run."""
    status: str
    """How it ended, one of :class:`seqkit.RunStatus`."""
    resumes: str | None
    """The run that it goes on with, as its tag says."""
    system: str | None
    """Whose record it is, where seqkit did not make it."""
    started_at: datetime | None
    """When it began; None where its system tells no times."""
    finished_at: datetime | None
    """When it ended; None where it has not, and where its system tells no times."""
    planned: int
    """Repos that it was to release or, where it carries no plan, that its events name."""
    released: int
    """Those of them that it released, in time or too late."""
    has_plan: bool
    """Whether it says what it was to release."""


class FailedTry(NamedTuple):
    """An attempt that failed."""

    run_id: RunId
    """In which run."""
    repo_id: str
    """At which repo."""
    version: str | None
    """At which version."""
    number: int
    """Which one in that run, from 1."""
    ended_at: datetime | None
    """When it failed."""
    took: timedelta | None
    """How long it took."""
    reason: str
    """Why it failed, or what its system calls it; empty where nobody told."""
    in_doubt: bool
    """Whether nobody knows if the repo is out all the same."""


class ReportedShare(NamedTuple):
    """What a repo that failed held up in a run."""

    run_id: RunId
    """The run."""
    repo_id: str
    """The repo."""
    blocks: int
    """Repos that waited for it."""
    alone: int
    """Those of them that waited for nobody else."""
    share: float
    """Its share of all that was blocked in the run, in repos: see :func:`seqkit.blockers`."""
    held_up: tuple[str, ...]
    """Those that waited for it, at most :data:`MOST_NAMED`."""


@dataclass(frozen=True, slots=True)
class ReportedRepo:
    """What became of a repo."""

    repo_id: str
    """The repo."""
    word: str
    """How it stands after all runs, a key of the palette."""
    version: str | None = None
    """The version that was to go out."""
    attempts: int = 0
    """Tries in all runs."""
    started_at: datetime | None = None
    """When its last attempt began."""
    finished_at: datetime | None = None
    """When its last attempt ended."""
    usual: timedelta | None = None
    """The median time of attempts at it that succeeded in other runs of the ledger."""
    n_usual: int = 0
    """How many those are."""
    reason: str | None = None
    """Why its last attempt failed; None where it did not, or nobody told."""
    blocked_by: Sequence[str] = ()
    """The failed repos that it waits for."""
    released_as: str | None = None
    """What it is out as."""
    run_id: RunId = ""
    """The run that told last of it."""
    how: Literal["", "late", "decided"] = ""
    """What is unusual about its being out: it came out too late for its run, or somebody decided that it is."""
    detail: str | None = None
    """What another system, whose record this is, calls its status."""

    @property
    def duration(self) -> timedelta | None:
        """How long its last attempt took."""
        return elapsed(self.started_at, self.finished_at)

    @property
    def ratio(self) -> float | None:
        """How many times as long as usual it took, where it came out."""
        took = self.duration
        return took / self.usual if self.word == "succeeded" and took is not None and self.usual else None


@dataclass(frozen=True)
class ReportedTrain:
    """What a ledger tells of a train, or of one run."""

    name: str
    """What it is called: the train, or the run."""
    train: str
    """The train that it is or belongs to."""
    n_in_train: int
    """How many runs that train has."""
    n_others: int
    """How many runs of the ledger are not told of here: what is usual comes from them."""
    status: RunStatus
    """What it came to, as :func:`seqkit.trains_frame` says."""
    started_at: datetime | None
    """When the first run began."""
    finished_at: datetime | None
    """When the last run ended."""
    runs: tuple[ReportedRun, ...]
    """Its runs, oldest first."""
    repos: tuple[ReportedRepo, ...]
    """What became of each repo, in plan order."""
    failed_tries: tuple[FailedTry, ...]
    """Attempts that failed, in the order of the runs."""
    shares: tuple[ReportedShare, ...]
    """Who held up whom, run by run, the largest share first."""
    edges: tuple[tuple[str, str], ...]
    """(dependency, dependent), as the plans say or, where none does, the graph that was given."""
    problems: tuple[str, ...]
    """What could not be read in the ledger, or was guessed."""

    @property
    def is_whole(self) -> bool:
        """Whether all runs of the train are in it."""
        return len(self.runs) == self.n_in_train

    @property
    def counts(self) -> Counter[str]:
        """How many repos stand how, those that were not to be released included."""
        return Counter(repo.word for repo in self.repos)

    @property
    def planned(self) -> int:
        """How many repos were to be released."""
        return len(self.repos) - self.counts["unreleased"]


@dataclass
class _TrainReading:
    """What is gathered while the runs are gone through, oldest first."""

    standing: Standing = field(default_factory=dict)
    order: dict[str, None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    times: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    reasons: dict[str, str | None] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    waits: dict[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    failed_tries: list[FailedTry] = field(default_factory=list)
    edges: dict[tuple[str, str], None] = field(default_factory=dict)
    shares: list[ReportedShare] = field(default_factory=list)
    runs: list[ReportedRun] = field(default_factory=list)

    def take(self, record: RunRecord, story: Story) -> None:
        items = story.items()
        self.decided.update(released_by_decision(record))
        # That a later plan does not release it again says nothing of how it stands.
        take_in(self.standing, record, (told for told in items if told.skip_cause != "unreleased"))
        known = set(self.order)
        for told, blocked_by in zip(items, story.all_blockers(items), strict=True):
            self.standing.setdefault(told.repo_id, (record.run_id, told))
            self.order[told.repo_id] = None
            if blocked_by:
                self.waits[record.run_id, told.repo_id] = blocked_by
            if (version := story.version_of(told)) is not None and told.skip_cause != "unreleased":
                self.versions[told.repo_id] = version
            self._take_tries(record, told, self.versions.get(told.repo_id))
        if story.plan is not None:
            self.edges |= {edge: None for edge in story.plan.edges if not (edge[0] in known and edge[1] in known)}
        self.shares += _shares(record, story, items)
        self.runs.append(_run(record, story, items))

    def _take_tries(self, record: RunRecord, told: Told, version: str | None) -> None:
        tries, repo = told.tries, told.repo_id
        self.attempts[repo] += len(tries)
        for place, one in enumerate(tries, 1):
            ended = told.late_at if place == len(tries) and told.came_late else one.ended
            self.times[repo] = one.began, ended
            self.reasons[repo] = one.reason if one.outcome == "failed" else None
            if one.outcome == "failed":
                unsure = place == len(tries) and told.unsure
                took, why = elapsed(one.began, one.ended), one.reason or one.detail or ""
                self.failed_tries.append(
                    FailedTry(record.run_id, repo, version, one.number, one.ended, took, why, unsure)
                )

    def repos(self, statuses: Mapping[str, RunStatus], usual: Mapping[str, list[timedelta]]) -> Iterable[ReportedRepo]:
        for repo in self.order:
            run_id, told = self.standing[repo]
            began, ended = self.times.get(repo, (None, None))
            times = usual.get(repo, [])
            decided = told.is_out and repo in self.decided and told.released_as is None and not told.attempts
            yield ReportedRepo(
                repo_id=repo,
                word=_word(told, statuses[run_id]),
                version=self.versions.get(repo),
                attempts=self.attempts[repo],
                started_at=began,
                finished_at=ended,
                usual=median_time(sorted(times)),
                n_usual=len(times),
                reason=self.reasons.get(repo),
                blocked_by=self.waits.get((run_id, repo), ()),
                released_as=told.released_as,
                run_id=run_id,
                how="late" if told.came_late else "decided" if decided else "",
                detail=told.detail,
            )


def read_train(
    ledger: RunLedger, called: str, graph: RepoDependencyGraph | SequencePlan | None = None
) -> ReportedTrain:
    """Read a train, by its name, or a run, as :func:`seqkit.report` takes them.

    Linear in the events of the ledger.
    """
    records = ledger.list_runs()
    names = train_names(records)
    name, own = _chosen(ledger, list(zip(records, names, strict=True)), called)
    train = names[records.index(own[0])]
    ids = {record.run_id for record in own}
    reading = _TrainReading()
    for record in own:
        reading.take(record, story_of(record, ledger.get_events(record.run_id)))
    others = [record for record in records if record.run_id not in ids]
    usual = _usual(ledger, others, reading.order)
    repos = tuple(reading.repos({record.run_id: record.status for record in own}, usual))
    left = any(repo.word not in ("succeeded", "unreleased") for repo in repos)
    whole = len(own) == names.count(train)
    timed = [record for record in own if _tells_times(record)]
    edges = tuple(reading.edges)
    if not edges and graph is not None:
        edges = tuple(edge for edge in graph.edges if edge[0] in reading.order and edge[1] in reading.order)
    return ReportedTrain(
        name=name,
        train=train,
        n_in_train=names.count(train),
        n_others=len(others),
        status=train_status(own, left) if whole else own[-1].status,
        started_at=min((record.created_at for record in timed), default=None),
        finished_at=train_end(own) if timed else None,
        runs=tuple(reading.runs),
        repos=repos,
        failed_tries=tuple(reading.failed_tries),
        shares=tuple(reading.shares),
        edges=edges,
        problems=tuple(problem.message for problem in getattr(ledger, "problems", ())),
    )


def _chosen(ledger: RunLedger, named: Sequence[tuple[RunRecord, str]], called: str) -> tuple[str, list[RunRecord]]:
    """Give what is meant, and its runs: a train where it is called so, else a run."""
    train = [record for record, name in named if name == called]
    if train:
        return called, train
    run_id = run_called(ledger, called, "run_or_train")
    return run_id, [record for record, name in named if name == run_id] or [ledger.get_run(run_id)]


def _word(told: Told, status: RunStatus) -> str:
    if told.is_out:
        return "succeeded"
    if told.status == "in_progress" and status is not RunStatus.RUNNING:
        return "in_doubt"
    return told.word


def _tells_times(record: RunRecord) -> bool:
    imported = tag_of(record, IMPORTED)
    return not (isinstance(imported, Mapping) and imported.get("times") is False)


def _run(record: RunRecord, story: Story, items: Sequence[Told]) -> ReportedRun:
    resumes, imported = tag_of(record, "resumes"), tag_of(record, IMPORTED)
    system = imported.get("from") if isinstance(imported, Mapping) else None
    timed = _tells_times(record)
    return ReportedRun(
        run_id=record.run_id,
        status=record.status.value,
        resumes=resumes if isinstance(resumes, str) else None,
        system=system if isinstance(system, str) else None,
        started_at=record.created_at if timed else None,
        finished_at=record.completed_at if timed else None,
        planned=sum(told.skip_cause != "unreleased" for told in items),
        released=sum(told.is_out for told in items),
        has_plan=story.plan is not None,
    )


def _shares(record: RunRecord, story: Story, items: Sequence[Told]) -> list[ReportedShare]:
    """Share out what a run blocked; without a plan, what its skips name."""
    plan = story.plan
    ends = items if plan is None else list(past_run(record, story).ends.values())
    held_up: dict[str, list[str]] = {}
    for told in ends:
        if told.word == "blocked":
            for repo in told.blocked_by:
                if len(named := held_up.setdefault(repo, [])) < MOST_NAMED:
                    named.append(told.repo_id)
    found = [
        ReportedShare(record.run_id, repo, blame.blocks, blame.alone, blame.shapley, tuple(held_up.get(repo, ())))
        for repo, blame in blames_of(ends, plan).items()
        if blame.blocks
    ]
    return sorted(found, key=lambda share: -share.share)


def _usual(ledger: RunLedger, records: Iterable[RunRecord], repos: Collection[str]) -> dict[str, list[timedelta]]:
    """List how long the attempts that succeeded took in these runs, of each of the repos."""
    found: dict[str, list[timedelta]] = {}
    for record in records:
        for repo, told in story_of(record, ledger.get_events(record.run_id)).told.items():
            if repo not in repos:
                continue
            for one in told.tries:
                took = elapsed(one.began, one.ended)
                if one.outcome == "succeeded" and took is not None:
                    found.setdefault(repo, []).append(took)
    return found
