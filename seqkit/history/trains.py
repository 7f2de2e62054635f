"""Runs that resume each other, shown as one train."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd

from seqkit._util import dtypes
from seqkit.core.model import RunRecord, RunStatus
from seqkit.ledger import LedgerLike, RunLedger
from seqkit.ledger.copies import counted
from seqkit.ledger.frames import elapsed
from seqkit.ledger.links import released_by_decision, train_names
from seqkit.ledger.reading import lent
from seqkit.ledger.story import story_of

__all__ = ["fixes_frame", "median_time", "train_end", "train_status", "trains_frame"]


@dataclass(slots=True)
class _Fix:
    """A repo that ran out of attempts, and what became of it."""

    failures: int = 0
    failed_at: datetime | None = None
    released_at: datetime | None = None


@dataclass(slots=True)
class _Train:
    """What the runs of one train tell together."""

    records: list[RunRecord] = field(default_factory=list)
    planned: dict[str, None] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    failing: dict[str, bool] = field(default_factory=dict)  # whether its last try failed
    tries: int = 0
    fixes: dict[str, _Fix] = field(default_factory=dict)

    def add(self, ledger: RunLedger, record: RunRecord) -> None:
        story = story_of(record, ledger.get_events(record.run_id))
        self.records.append(record)
        self.released.update(repo for repo in released_by_decision(record) if repo in self.planned)
        # All that is known of a plan that the run does not carry is whom its events name.
        self.planned.update(dict.fromkeys(story.told if story.plan is None else story.plan.released))
        for repo, told in story.told.items():
            self.tries += told.attempts
            if told.attempts:
                self.failing[repo] = told.status == "failed" and not told.is_out
            if told.first_failed_at is not None and repo not in self.released:
                fix = self.fixes.setdefault(repo, _Fix())
                fix.failed_at = fix.failed_at or told.first_failed_at
                fix.failures += told.failures
            if told.is_out and repo not in self.released:
                self.released.add(repo)
                if repo in self.fixes:
                    self.fixes[repo].released_at = told.out_at

    @property
    def left(self) -> list[str]:
        return [repo for repo in self.planned if repo not in self.released]

    @property
    def status(self) -> RunStatus:
        return train_status(self.records, bool(self.left))

    @property
    def finished_at(self) -> datetime | None:
        return train_end(self.records)


def train_status(records: Sequence[RunRecord], something_is_left: bool) -> RunStatus:
    """Say what the runs of a train, oldest first, came to: see :func:`trains_frame`."""
    last = records[-1].status
    if last is RunStatus.RUNNING:
        return last
    if not something_is_left:
        return RunStatus.COMPLETED
    return RunStatus.FAILED if last is RunStatus.COMPLETED else last


def train_end(records: Sequence[RunRecord]) -> datetime | None:
    """Give the last end of the runs of a train, oldest first; None while the newest runs."""
    ends = [record.completed_at for record in records if record.completed_at is not None]
    return max(ends) if ends and records[-1].status is not RunStatus.RUNNING else None


def trains_frame(ledger: LedgerLike) -> pd.DataFrame:
    """Show each train of a ledger: the runs that belong together, and what they came to together.

    Runs belong to one train where they resume each other (the tag ``resumes``), or carry the same ``train``
    tag. A train is called by that tag, else by its oldest run. A run without a tag takes that of the run it
    resumes, or else the first tag among those it hangs together with.

    Returns
    -------
    DataFrame
        A row a train, in the order of their oldest runs:

        - `train` (string), `runs` (object: list of run ids, oldest first), `n_runs` (Int64).
        - `status` (ordered categorical): RUNNING where the newest run is (or crashed); COMPLETED where nothing is
          left; else as the newest run ended, FAILED where that run succeeded with its part.
        - `started_at`, `finished_at` (UTC), `duration` (timedelta: their difference): from the start of the oldest
          run to the last end; missing while it is RUNNING.
        - `attempts` (Int64): tries in all runs, retries included.
        - `planned`, `released`, `failed`, `left` (Int64): numbers of repos. `left` are those planned and not
          released; `failed` those of them that failed when they were last tried, in doubt or not. What came out
          too late for its run is released. Unreleased repos are in none.
        - `fixed` (Int64): repos that failed first and were released later.
        - `median_time_to_fix`, `longest_time_to_fix` (timedelta): from their first failure to their release.

    Notes
    -----
    A run without a plan (the original's) tells only of repos that its events name: what it blocked in silence
    is not among the planned ones. Tags that name missing runs, or go round in a circle, are no error. Linear
    in the events, and it reads every run of the ledger.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> from seqkit.history import resume_plan
    >>> ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> bad = run_plan(plan, ScriptedReleaser(["core"]), ledger)
    >>> good = run_plan(resume_plan(ledger, "monday"), ScriptedReleaser(), ledger)
    >>> trains_frame(ledger)[["train", "runs", "status", "attempts", "released", "left", "fixed"]].values.tolist()
    [['monday', ['monday', 'tuesday'], 'COMPLETED', 3, 2, 0, 1]]
    """
    trains = dict(_trains(ledger))
    rows = list(trains.values())
    starts = [train.records[0].created_at for train in rows]
    ends = [train.finished_at for train in rows]
    times = [sorted(_times(train)) for train in rows]
    left = [train.left for train in rows]
    return dtypes.frame(
        {
            "train": dtypes.string(list(trains)),
            "runs": dtypes.objects([[record.run_id for record in train.records] for train in rows]),
            "n_runs": dtypes.integer([len(train.records) for train in rows]),
            "status": dtypes.categorical([train.status.value for train in rows], dtypes.RUN_STATUSES),
            "started_at": dtypes.utc(starts),
            "finished_at": dtypes.utc(ends),
            "duration": dtypes.timedelta64([elapsed(start, end) for start, end in zip(starts, ends, strict=True)]),
            "attempts": dtypes.integer([train.tries for train in rows]),
            "planned": dtypes.integer([len(train.planned) for train in rows]),
            "released": dtypes.integer(
                [len(train.planned) - len(repos) for train, repos in zip(rows, left, strict=True)]
            ),
            "failed": dtypes.integer(
                [sum(train.failing.get(repo, False) for repo in repos) for train, repos in zip(rows, left, strict=True)]
            ),
            "left": dtypes.integer([len(repos) for repos in left]),
            "fixed": dtypes.integer([sum(fix.released_at is not None for fix in row.fixes.values()) for row in rows]),
            "median_time_to_fix": dtypes.timedelta64([median_time(row) for row in times]),
            "longest_time_to_fix": dtypes.timedelta64([row[-1] if row else None for row in times]),
        }
    )


def fixes_frame(ledger: LedgerLike) -> pd.DataFrame:
    """Show each repo that failed in a train, and how long it took until it was released.

    Columns: `train`, `repo_id` (string), `failures` (Int64: how often it ran out of attempts), `failed_at`,
    `released_at` (UTC: its first failure, and its release; ``NaT`` where no run released it), `time_to_fix`
    (timedelta: their difference). A row a repo and train, in the order of :func:`trains_frame`. Repos that were
    not released yet are censored: leaving them out makes fixing look faster than it is. So is what somebody took as
    released, as nothing tells when it was out.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> ledger = MemoryRunLedger(ids=["monday"])
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> bad = run_plan(plan, ScriptedReleaser(["core"]), ledger)
    >>> fixes_frame(ledger)[["train", "repo_id", "failures", "time_to_fix"]].values.tolist()
    [['monday', 'core', 1, NaT]]
    """
    rows = [(name, repo, fix) for name, train in _trains(ledger) for repo, fix in train.fixes.items()]
    return dtypes.frame(
        {
            "train": dtypes.string([name for name, _, _ in rows]),
            "repo_id": dtypes.string([repo for _, repo, _ in rows]),
            "failures": dtypes.integer([fix.failures for _, _, fix in rows]),
            "failed_at": dtypes.utc([fix.failed_at for _, _, fix in rows]),
            "released_at": dtypes.utc([fix.released_at for _, _, fix in rows]),
            "time_to_fix": dtypes.timedelta64([_time(fix) for _, _, fix in rows]),
        }
    )


def _trains(ledger: LedgerLike) -> Iterator[tuple[str, _Train]]:
    trains: dict[str, _Train] = {}
    with lent(ledger, existing=True) as kept:
        source = counted(kept)
        records = source.list_runs()
        for record, name in zip(records, train_names(records), strict=True):
            trains.setdefault(name, _Train()).add(source, record)
    yield from trains.items()


def _time(fix: _Fix) -> timedelta | None:
    return elapsed(fix.failed_at, fix.released_at)


def _times(train: _Train) -> Iterator[timedelta]:
    for fix in train.fixes.values():
        time = _time(fix)
        if time is not None:
            yield time


def median_time(times: list[timedelta]) -> timedelta | None:
    """Give the middle of sorted times; of two middles their mean, to the microsecond."""
    if not times:
        return None
    return (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2
