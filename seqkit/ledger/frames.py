"""Ledgers as DataFrames: one row a run, an event, or an item of a run.

Dtypes are the same on pandas 2.2 and 3, and on an empty ledger: strings are
``StringDtype("python")``, numbers ``Int64``, times ``datetime64[us, UTC]``, durations
``timedelta64[us]``, statuses ordered categoricals; lists and payloads are objects.

A ledger that is given by its path or URL, and one that was read (:func:`seqkit.ledger.read_ledger`),
is shown with a last column `source` (string): the file or database in which the row's record stood.
Numbers that 64 bits cannot hold are ``<NA>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

import pandas as pd

from seqkit._util import dtypes
from seqkit.core.model import RunEvent, RunRecord, RunStatus, SequenceItem
from seqkit.ledger import LedgerLike, RunLedger
from seqkit.ledger.copies import counted
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent, source_of
from seqkit.ledger.story import Told, story_of, tells_times

__all__ = ["elapsed", "events_frame", "items_frame", "runs_frame"]


def runs_frame(ledger: LedgerLike) -> pd.DataFrame:
    """Show the runs of a ledger, oldest first.

    Columns: `run_id`, `plan_id`, `originating_run_id`, `train`, `resumes`, `agent_name` (string), `status`
    (ordered categorical), `success` (boolean), `policy` (string), `total_events` (Int64), `started_at`,
    `finished_at` (UTC; ``NaT`` of another system's run that tells no times), `duration` (timedelta: their
    difference, missing where the end is before the start),
    `spec_digest`, `git_sha` (string).
    Of a path or URL, and of a ledger that was read, also `source` (string); of what was read every record, also
    where there are two of one run.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger
    >>> runs_frame(MemoryRunLedger()).shape
    (0, 15)
    """
    with lent(ledger, existing=True) as kept:
        if isinstance(kept, FoundLedger):
            found = sorted(kept.runs, key=lambda run: run.record.created_at)
            runs = [run.record for run in found]
            sources: list[str] | None = [run.source for run in found]
        else:
            runs = kept.list_runs()
            sources = _same_source(ledger, len(runs))
    tags = [_mapping(run.metadata.tags) for run in runs]
    plans = [_mapping(tag.get("plan")) for tag in tags]
    timed = [tells_times(run) for run in runs]
    starts = [run.created_at if told else None for run, told in zip(runs, timed, strict=True)]
    ends = [run.completed_at if told else None for run, told in zip(runs, timed, strict=True)]
    return _framed(
        {
            "run_id": dtypes.string([run.run_id for run in runs]),
            "plan_id": dtypes.string([_text(tag.get("plan_id")) for tag in tags]),
            "originating_run_id": dtypes.string([_text(plan.get("originating_run_id")) for plan in plans]),
            "train": dtypes.string([_text(tag.get("train")) for tag in tags]),
            "resumes": dtypes.string([_text(tag.get("resumes")) for tag in tags]),
            "agent_name": dtypes.string([run.metadata.agent_name for run in runs]),
            "status": dtypes.categorical([run.status.value for run in runs], dtypes.RUN_STATUSES),
            "success": dtypes.boolean([run.summary.success if run.summary else None for run in runs]),
            "policy": dtypes.string([_text(plan.get("policy")) for plan in plans]),
            "total_events": _integer([run.summary.total_events if run.summary else None for run in runs]),
            "started_at": dtypes.utc(starts),
            "finished_at": dtypes.utc(ends),
            "duration": dtypes.timedelta64([elapsed(start, end) for start, end in zip(starts, ends, strict=True)]),
            "spec_digest": dtypes.string([str(run.spec_digest) for run in runs]),
            "git_sha": dtypes.string([run.metadata.git_sha for run in runs]),
        },
        sources,
    )


def events_frame(ledger: LedgerLike, run_id: str | None = None) -> pd.DataFrame:
    """Show the events of a ledger, or of one run, run by run and ordered by `seq`.

    `run_id` is an id, the start of one (four characters or more) or ``"last"``.

    Columns: `run_id` (string), `seq` (Int64), `kind`, `repo_id`, `version` (string), `released_as` (string: the
    payload's `run_id` of a release, in time or too late), `error` (string), `timestamp` (UTC), `payload` (object: the
    untouched dict).
    Of a path or URL, and of a ledger that was read, also `source` (string); of what was read every event, with those
    of unknown runs at the end.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0}, rng=7)
    >>> events_frame(outcome.ledger)[["seq", "kind", "repo_id"]].values.tolist()
    [[1, 'NodeEntered', 'core'], [2, 'NodeFailed', 'core'], [3, 'NodeSkipped', 'api']]
    """
    with lent(ledger, existing=True) as kept:
        columns = _event_columns(kept, None if run_id is None else run_called(kept, run_id))
    payloads = [payload if isinstance(payload, dict) else {} for payload in columns.payload]

    def of_payload(key: str) -> Any:
        return dtypes.string([_text(payload.get(key)) for payload in payloads])

    return _framed(
        {
            "run_id": dtypes.string(columns.run_id),
            "seq": _integer(columns.seq),
            "kind": dtypes.string(columns.kind),
            "repo_id": of_payload("node_id"),
            "version": of_payload("version"),
            "released_as": of_payload("run_id"),
            "error": of_payload("error"),
            "timestamp": dtypes.utc(columns.timestamp),
            "payload": dtypes.objects(columns.payload),
        },
        _same_source(ledger, len(columns.seq)) if columns.source is None else columns.source,
    )


@dataclass(slots=True)
class _EventColumns:
    run_id: list[str] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    payload: list[Any] = field(default_factory=list)
    timestamp: list[datetime] = field(default_factory=list)
    source: list[str] | None = None

    def add(self, run_id: str, events: Sequence[RunEvent]) -> None:
        self.run_id += [run_id] * len(events)
        self.seq += [event.seq for event in events]
        self.kind += [event.kind for event in events]
        self.payload += [event.payload for event in events]
        self.timestamp += [event.timestamp for event in events]


def _event_columns(ledger: RunLedger, run_id: str | None) -> _EventColumns:
    columns = _EventColumns()
    runs = [run.run_id for run in ledger.list_runs()] if run_id is None else [run_id]
    if isinstance(ledger, FoundLedger):
        columns.source = []
        if run_id is None:
            runs = list(dict.fromkeys(chain(runs, (event.run_id for event in ledger.events))))
        for run in runs:
            found = ledger.found_events(run)
            columns.add(run, [event.event for event in found])
            columns.source += [event.source for event in found]
        return columns
    in_columns = getattr(ledger, "event_columns", None)  # databases have it: no record is made of each row
    for run in runs:
        if in_columns is None:
            columns.add(run, ledger.get_events(run))
            continue
        own = in_columns(run)
        columns.run_id += [run] * len(own.seq)
        columns.seq += own.seq
        columns.kind += own.kind
        columns.payload += own.payload
        columns.timestamp += own.timestamp
    return columns


def items_frame(ledger: LedgerLike, run_id: str | None = None) -> pd.DataFrame:
    """Show what became of every item of every run, or of one run, in plan order.

    `run_id` is an id, the start of one (four characters or more) or ``"last"``.

    Columns: `run_id` (string), `position`, `wave` (Int64, from 0; wave ``<NA>`` for unreleased items),
    `repo_id`, `version_label`, `spec_digest`, `promoted_by` (string), `status`, `skip_cause` (ordered
    categorical), `attempts` (Int64: tries that ended as ``NodeExited``, ``NodeFailed`` or ``NodeRetrying``, and one
    that is open), `started_at`, `finished_at` (UTC), `duration` (timedelta; missing where the end is before the start),
    `released_as` (string; also of a failed repo that came out too late for the run), `reason` (string), `blocked_by`
    (object: list of the failed repos it waits for, in plan order; where the run names the nearest hundred of more, a
    sequence that looks all of them up in the plan whenever it is read), `in_doubt` (boolean: whether nobody knows if it
    is out. So it is with a failure that says so, and with an entry left open by a run that has ended; an entry that a
    RUNNING run has open is ``<NA>``, as no ledger tells whether that run is dead).

    A run that carries no plan (the original's) shows the repos that its events name, in their order,
    without waves. Of a path or URL, and of a ledger that was read, also `source` (string), that of the run's
    record; of what was read the record of each run that counts, and what all its events come to. What stands
    there twice counts once, with a warning (:class:`seqkit.RepeatedRecords`); copies of a run that differ
    are told as found, together.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0}, rng=7)
    >>> items_frame(outcome.ledger)[["repo_id", "status", "attempts", "blocked_by"]].values.tolist()
    [['core', 'failed', 1, []], ['api', 'skipped', 0, ['core']]]
    """
    with lent(ledger, existing=True) as given:
        kept = counted(given, differing="keep")
        runs = kept.list_runs() if run_id is None else [kept.get_run(run_called(kept, run_id))]
        rows = [row for run in runs for row in _items_of(run, kept.get_events(run.run_id))]
    stories = [row.told for row in rows]
    sources = _same_source(ledger, len(rows))
    if isinstance(kept, FoundLedger):
        first = {run.record.run_id: run.source for run in reversed(kept.runs)}
        sources = [first[row.run_id] for row in rows]
    return _framed(
        {
            "run_id": dtypes.string([row.run_id for row in rows]),
            "position": dtypes.integer([row.position for row in rows]),
            "wave": dtypes.integer([row.wave for row in rows]),
            "repo_id": dtypes.string([told.repo_id for told in stories]),
            "version_label": dtypes.string([row.version_label for row in rows]),
            "spec_digest": dtypes.string([row.item.spec_digest if row.item else None for row in rows]),
            "promoted_by": dtypes.string([row.item.promoted_by if row.item else None for row in rows]),
            "status": dtypes.categorical([told.status for told in stories], dtypes.STATUSES),
            "skip_cause": dtypes.categorical([told.skip_cause for told in stories], dtypes.SKIP_CAUSES),
            "attempts": dtypes.integer([told.attempts for told in stories]),
            "started_at": dtypes.utc([told.started_at for told in stories]),
            "finished_at": dtypes.utc([told.finished_at for told in stories]),
            "duration": dtypes.timedelta64([elapsed(told.started_at, told.finished_at) for told in stories]),
            "released_as": dtypes.string([told.released_as for told in stories]),
            "reason": dtypes.string([told.reason for told in stories]),
            "blocked_by": dtypes.objects([row.blocked_by for row in rows]),
            "in_doubt": dtypes.boolean([row.in_doubt for row in rows]),
        },
        sources,
    )


def _same_source(ledger: LedgerLike, rows: int) -> list[str] | None:
    """Give the source of all rows of a ledger that was given by its path or URL; None where there is no such column."""
    source = source_of(ledger)
    return None if source is None else [source] * rows


def _framed(columns: dict[str, Any], sources: list[str] | None) -> pd.DataFrame:
    return dtypes.frame(columns if sources is None else columns | {"source": dtypes.string(sources)})


def _integer(values: Sequence[int | None]) -> Any:
    # Not left to pandas: of what 64 bits cannot hold it refuses some, and casts some.
    known = [value for value in values if value is not None]
    if known and (max(known) >= 2**63 or min(known) < -(2**63)):
        values = [None if value is None or not -(2**63) <= value < 2**63 else value for value in values]
    return dtypes.integer(values)


@dataclass(frozen=True, slots=True)
class _Item:
    """A row of the items: the place and the line in the plan, where there is one, and what the run tells."""

    run_id: str
    position: int
    told: Told
    wave: int | None = None
    item: SequenceItem | None = None
    blocked_by: Sequence[str] = ()
    goes_on: bool = False

    @property
    def version_label(self) -> str | None:
        return self.told.version if self.item is None else self.item.version_label

    @property
    def in_doubt(self) -> bool | None:
        return None if self.goes_on and self.told.status == "in_progress" else self.told.in_doubt


def _items_of(run: RunRecord, events: Iterable[RunEvent]) -> list[_Item]:
    story = story_of(run, events)
    items = story.items()
    rows = [
        _Item(run.run_id, position, told, blocked_by=blocked_by, goes_on=run.status is RunStatus.RUNNING)
        for position, (told, blocked_by) in enumerate(zip(items, story.all_blockers(items), strict=True))
    ]
    if story.plan is not None:
        planned = zip(rows, story.plan.arrays.waves, story.plan.items, strict=False)
        rows = [replace(row, wave=wave, item=item) for row, wave, item in planned] + rows[len(story.plan.items) :]
    return rows


def elapsed(start: datetime | None, end: datetime | None) -> timedelta | None:
    """Give the time between two moments; None where one is missing, or the clock says that the end came first."""
    return None if start is None or end is None or end < start else end - start


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
