"""Ledgers as attempts: one row for each try at each repo in each run, as other systems keep their history too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

from seqkit._util import dtypes
from seqkit.core.model import RunRecord, RunStatus
from seqkit.ledger.base import LedgerLike, RunLedger
from seqkit.ledger.copies import counted
from seqkit.ledger.links import train_names
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Told, story_of, tag_of

__all__ = ["CANCELLED", "COLUMNS", "IN_DOUBT", "AttemptRow", "attempts_frame", "frame_of", "run_status"]

IN_DOUBT = "in_doubt"
"""The `detail` of a failed attempt of which nobody knows whether it is out all the same."""
CANCELLED = "cancelled"
"""The `detail` of what was under way, or still to come, when its run was ended: it has no end."""


class AttemptRow(NamedTuple):
    """A row of :func:`attempts_frame`: one attempt at one repo in one run, or what became of a repo without one."""

    run_id: str
    """The run."""
    train: str | None
    """What the runs belong to that go on with one another; None where a run is alone."""
    repo_id: str
    """The repo."""
    version: str | None
    """The version that was to be released."""
    attempt: int | None
    """Which try it is, from 1; None where there was none."""
    status: str
    """One of :data:`seqkit._util.dtypes.ATTEMPT_STATUSES`."""
    started_at: datetime | None
    """When it began; None where nobody told."""
    finished_at: datetime | None
    """When it ended; None where nobody told, and while it goes on."""
    reason: str | None
    """Why it failed."""
    blocked_by: Sequence[str]
    """The failed repos that it waited for."""
    released_as: str | None
    """What the release is called, where it has a name of its own."""
    detail: str | None
    """The word that the source has for its status, where that says more."""


COLUMNS = AttemptRow._fields
"""The columns of :func:`attempts_frame`."""


def frame_of(rows: Iterable[AttemptRow]) -> pd.DataFrame:
    """Put rows into the frame that :func:`attempts_frame` describes.

    Their order hangs on nothing but what they say: by the first time that a run tells and its id, then by start (where
    that is missing: by end), those without times last, then by repo and attempt.
    """
    told = list(rows)
    first: dict[str, datetime] = {}
    for row in told:
        at = row.started_at or row.finished_at
        if at is not None and at < first.get(row.run_id, _LAST):
            first[row.run_id] = at

    def place(row: AttemptRow) -> tuple[datetime, str, datetime, str, int]:
        at = row.started_at or row.finished_at or _LAST
        return first.get(row.run_id, _LAST), row.run_id, at, row.repo_id, row.attempt or 0

    told.sort(key=place)
    values = list(zip(*told, strict=True)) if told else [()] * len(COLUMNS)
    return dtypes.frame({name: _column(name, list(own)) for name, own in zip(COLUMNS, values, strict=True)})


def run_status(rows: Iterable[AttemptRow]) -> RunStatus:
    """Say what a run came to, by all of its rows: of each repo the last attempt counts.

    It goes on while anything is under way or to come that nobody cancelled; else it FAILED where a repo failed or was
    blocked, was CANCELLED where anything was cut off or stopped, and is COMPLETED otherwise.

    Examples
    --------
    >>> row = AttemptRow("1", None, "core", None, 1, "failed", None, None, None, (), None, None)
    >>> str(run_status([row])), str(run_status([row, row._replace(attempt=2, status="succeeded")]))
    ('FAILED', 'COMPLETED')
    """
    last: dict[str, AttemptRow] = {}
    for row in rows:
        if row.repo_id not in last or (row.attempt or 0) >= (last[row.repo_id].attempt or 0):
            last[row.repo_id] = row
    became = {(row.status, row.detail == CANCELLED) for row in last.values()}
    if became & {("in_progress", False), ("pending", False)}:
        return RunStatus.RUNNING
    statuses = {status for status, _ in became}
    if statuses & {"failed", "blocked"}:
        return RunStatus.FAILED
    return RunStatus.CANCELLED if statuses & {"in_progress", "pending", "stopped"} else RunStatus.COMPLETED


def _column(name: str, values: list[Any]) -> Any:
    if name == "attempt":
        return dtypes.integer(values)
    if name == "status":
        return dtypes.categorical(values, dtypes.ATTEMPT_STATUSES)
    if name == "blocked_by":
        return dtypes.objects(map(list, values))
    return dtypes.utc(values) if name in ("started_at", "finished_at") else dtypes.string(values)


_LAST = datetime.max.replace(tzinfo=UTC)


def attempts_frame(ledger: LedgerLike) -> pd.DataFrame:
    """Show every attempt of every run, and what was not tried: the common form of histories.

    A row is one attempt at one repo in one run; a repo that a run did not try has one row without `attempt`. Other
    systems' histories come in this form too (:func:`seqkit.read_attempts`), and :func:`seqkit.ledger_from_frame` makes
    a ledger of it: ``attempts_frame(ledger_from_frame(frame))`` is `frame` again.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        A ledger of any kind.

    Returns
    -------
    DataFrame
        Runs in the order of the first time that they tell, then by id; in a run by start, what has no time last, then
        by repo.

        - `run_id` (string), `train` (string: what the run belongs to, where it resumes another or says so),
          `repo_id`, `version` (string).
        - `attempt` (Int64, from 1; ``<NA>`` of what was not tried).
        - `status` (ordered categorical): ``succeeded``, ``failed``, ``in_progress`` (it has no end), and of what was
          not tried ``blocked`` by a failure, ``unreleased``, ``stopped``, ``skipped`` (nobody told why) or
          ``pending`` (it had no turn).
        - `started_at`, `finished_at` (UTC; ``NaT`` where nobody told).
        - `reason` (string): why it failed. `blocked_by` (object: list of failed repos).
        - `released_as` (string): also of a failed attempt, where it came out too late for its run.
        - `detail` (string): what the source calls the status, where that says more; ``in_doubt`` of a failure of
          which nobody knows whether it is out all the same, ``cancelled`` of what was under way, or still to come,
          when its run was ended.

    Raises
    ------
    ValueError
        Where the ledger has two copies of a run that differ.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0}, rng=7, attempts=2)
    >>> attempts_frame(outcome.ledger)[["repo_id", "attempt", "status", "blocked_by"]].values.tolist()
    [['core', 1, 'failed', []], ['core', 2, 'failed', []], ['api', <NA>, 'blocked', ['core']]]
    """
    with lent(ledger, existing=True) as given:
        return frame_of(_rows(counted(given)))


def _rows(ledger: RunLedger) -> Iterator[AttemptRow]:
    records = ledger.list_runs()
    for record, train in zip(records, _trains(records), strict=True):
        story = story_of(record, ledger.get_events(record.run_id))
        items = story.items()
        for told, blocked_by in zip(items, story.all_blockers(items), strict=True):
            yield from _rows_of(record, train, told, story.version_of(told), blocked_by)


def _trains(records: list[RunRecord]) -> Iterator[str | None]:
    """Give the train of each run; None where it is alone and has no such tag."""
    names = train_names(records)
    together = Counter(names)
    for record, name in zip(records, names, strict=True):
        yield name if together[name] > 1 or isinstance(tag_of(record, "train"), str) else None


def _rows_of(
    record: RunRecord, train: str | None, told: Told, version: str | None, blocked_by: Sequence[str]
) -> Iterator[AttemptRow]:
    run, repo = record.run_id, told.repo_id
    ended = record.status is not RunStatus.RUNNING
    if not told.attempts:
        word = "skipped" if told.status == "skipped" and told.skip_cause is None else told.word
        detail = CANCELLED if word == "pending" and ended else told.detail
        yield AttemptRow(run, train, repo, version, None, word, None, None, None, blocked_by, None, detail)
        return
    tries = told.tries
    for place, one in enumerate(tries, 1):
        last = place == len(tries)
        detail = one.detail
        if last and told.unsure:
            detail = IN_DOUBT
        elif last and told.status == "in_progress" and ended:
            detail = detail or CANCELLED
        out = told.released_as if last and told.status != "in_progress" else None
        which = (run, train, repo, version, one.number, one.outcome)
        yield AttemptRow(*which, one.began, one.ended, one.reason, (), out, detail)
