"""Rows of attempts told as the runs and events of a ledger.

What a ledger's own events cannot say stands beside it in their payloads, so that
:func:`seqkit.attempts_frame` gives the same rows again: see :mod:`seqkit.ledger.story`, which reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from seqkit._util.collector import collector_paused
from seqkit.core.model import RunEvent, RunMetadata, RunRecord, RunStatus, RunSummary, spec_digest_of, utc_text
from seqkit.core.read_report import Counted
from seqkit.errors import ReadError
from seqkit.importers._recorded import TRIED, counted
from seqkit.ledger.attempts import IN_DOUBT, AttemptRow, run_status
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.story import IMPORTED

__all__ = ["told_ledger"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_END, _ENTRY, _SKIP = range(3)  # of what happens at one moment, ends come first

_Place = tuple[datetime, int, int, int]
"""When something happened, what comes first of one moment, the repo's place in the graph, and its row."""


class _Numbered(NamedTuple):
    """A row, and where it stood."""

    row: AttemptRow
    line: int


def told_ledger(
    rows: Iterable[AttemptRow],
    source: str,
    system: str,
    notes: Sequence[Counted] = (),
    places: Mapping[str, int] | None = None,
    unreadable: Sequence[ReadError] = (),
) -> FoundLedger:
    """Make a ledger of rows; what had to be left out, and `notes`, are its `problems`.

    Events stand in the order of their times; of what happens at one moment ends come before entries, and then as the
    rows stand. What was not tried comes at the end of its run, as nobody tells when its turn was.

    Parameters
    ----------
    rows : iterable of AttemptRow
        In any order; runs are told in the order in which they are met.
    source : str
        Where the rows come from: a file, or ``a DataFrame``.
    system : str
        Which system made the runs.
    notes : sequence of Counted
        What was guessed on the way here.
    places : mapping, optional
        Repo → place in a topological order, which then goes before the order of rows.
    unreadable : sequence of ReadError
        Why files were left out.
    """
    by_run: dict[str, list[_Numbered]] = {}
    for line, row in enumerate(rows, 1):
        by_run.setdefault(row.run_id, []).append(_Numbered(row, line))
    left_out = _LeftOut()
    runs: list[FoundRun] = []
    events: list[FoundEvent] = []
    with collector_paused():
        for run_id, own in by_run.items():
            record, told = _Run(run_id, own, places or {}, left_out).told(system)
            runs.append(FoundRun(record, source, own[0].line))
            events += [FoundEvent(run_id, event, source, line) for event, line in told]
        problems = [Problem(error.path, error.line, error.message) for error in unreadable]
        problems += [Problem(source, None, str(told), guessed=True) for told in (*notes, *left_out.said())]
        return FoundLedger(runs, events, problems)


class _LeftOut:
    """What a ledger cannot keep of some rows."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = {}

    def add(self, what: str, row: AttemptRow) -> None:
        self._rows.setdefault(what, []).append(f"{row.repo_id} in {row.run_id}")

    def said(self) -> Iterator[Counted]:
        for what, rows in self._rows.items():
            yield counted(what, len(rows), rows)


class _Run:
    """The rows of one run, on their way to be events."""

    def __init__(self, run_id: str, rows: Sequence[_Numbered], places: Mapping[str, int], left_out: _LeftOut) -> None:
        self._run_id = run_id
        self._places = places
        self._left_out = left_out
        times = [at for row, _ in rows for at in (row.started_at, row.finished_at) if at is not None]
        self._first = min(times, default=None)
        self._last = max(times, default=None)
        self._train = next((row.train for row, _ in rows if row.train is not None), None)
        self._tried: dict[str, list[_Numbered]] = {}
        self._others: dict[str, _Numbered] = {}
        for one in rows:
            if one.row.status in TRIED:
                self._tried.setdefault(one.row.repo_id, []).append(one)
        for one in rows:
            if one.row.status not in TRIED:
                self._keep_untried(one)

    def _keep_untried(self, one: _Numbered) -> None:
        repo = one.row.repo_id
        if repo in self._tried:
            self._left_out.add("rows of repos that the same run tried as well, left out", one.row)
        elif (known := self._others.setdefault(repo, one)) is not one and known.row != one.row:
            self._left_out.add("second rows of repos that were not tried, left out", one.row)

    def told(self, system: str) -> tuple[RunRecord, list[tuple[RunEvent, int]]]:
        """Give the run's record, and its events with the row of each."""
        happened: list[tuple[_Place, int, str, dict[str, Any], datetime, int]] = []
        final: list[AttemptRow] = []
        for repo, rows in self._tried.items():
            tries = self._in_turn(rows)
            final.append(tries[-1].row)
            turn = self._places.get(repo, 0)
            place: _Place | None = None
            for step, (kind, payload, when, line) in enumerate(self._of_tries(repo, tries)):
                own = (when, _END if step else _ENTRY, turn, line)
                place = (
                    own if place is None else max(place, own)
                )  # a repo's events stay in their order, whatever its times
                happened.append((place, step, kind, payload, when, line))
        end = self._last or _EPOCH
        for repo, one in self._others.items():
            if one.row.status != "pending":
                own = (end, _SKIP, self._places.get(repo, 0), one.line)
                happened.append((own, 0, "NodeSkipped", _skip(one.row), end, one.line))
        happened.sort(key=lambda event: event[:2])
        events = [
            (RunEvent.made(seq, kind, payload, when), line)
            for seq, (_, _, kind, payload, when, line) in enumerate(happened, 1)
        ]
        return self._record(system, final, len(events)), events

    def _in_turn(self, tries: list[_Numbered]) -> list[_Numbered]:
        """Give a repo's tries in their order, without what a ledger cannot keep."""
        if len(tries) == 1:
            return tries
        tries = sorted(tries, key=lambda one: one.row.attempt or 0)
        kept: list[_Numbered] = []
        for one in tries:
            if kept and kept[-1].row.status == "succeeded":
                self._left_out.add("attempts after one that succeeded, left out: released is released", one.row)
                continue
            if kept and kept[-1].row.status == "in_progress":
                self._left_out.add("attempts without an end that were followed by another, left out", kept.pop().row)
            kept.append(one)
        return kept

    def _of_tries(self, repo: str, tries: Sequence[_Numbered]) -> Iterator[tuple[str, dict[str, Any], datetime, int]]:
        """Give the events of a repo that was tried: kind, payload, time and row."""
        row, line = tries[0]
        payload = _payload(repo, version=row.version)
        if row.attempt not in (None, 1):
            payload["attempt"] = row.attempt
        yield "NodeEntered", *self._at(payload, row.started_at, row.finished_at), line
        for (row, line), (following, _) in pairwise(tries):
            payload = _payload(repo, attempt=row.attempt or 1, error=row.reason) | _waited(row, following)
            payload |= _payload_of(row)
            if following.attempt != (row.attempt or 1) + 1:
                payload["next_attempt"] = following.attempt
            yield "NodeRetrying", *self._at(payload, row.finished_at, row.started_at), line
        row, line = tries[-1]
        if row.status == "succeeded":
            payload = _payload(repo, run_id=row.released_as) | _payload_of(row)
            yield "NodeExited", *self._at(payload, row.finished_at, row.started_at), line
        elif row.status == "failed":
            payload = _payload(repo, error=row.reason) | _payload_of(row)
            if row.detail == IN_DOUBT:
                payload["in_doubt"] = True
            payload, when = self._at(payload, row.finished_at, row.started_at)
            yield "NodeFailed", payload, when, line
            if row.released_as is not None:
                yield "NodeLate", _payload(repo, run_id=row.released_as), when, line

    def _at(
        self, payload: dict[str, Any], when: datetime | None, near: datetime | None
    ) -> tuple[dict[str, Any], datetime]:
        """Give the time of an event; one that nobody told is marked, and stands near another."""
        if when is not None:
            return payload, when
        return payload | {"time_unknown": True}, near or self._last or _EPOCH

    def _record(self, system: str, final: Sequence[AttemptRow], events: int) -> RunRecord:
        status = run_status([*final, *(one.row for one in self._others.values())])
        began, ended = self._first or _EPOCH, self._last or _EPOCH
        pending = {repo: one.row.version for repo, one in self._others.items() if one.row.status == "pending"}
        told = {"from": system, "times": self._first is not None} | ({"pending": pending} if pending else {})
        tags = {IMPORTED: told} | ({} if self._train is None else {"train": self._train})
        over = status is not RunStatus.RUNNING
        return RunRecord.model_construct(
            run_id=self._run_id,
            spec_digest=spec_digest_of(self._run_id),
            metadata=RunMetadata.model_construct(agent_name=system, tags=tags),
            status=status,
            summary=RunSummary.model_construct(
                total_events=events,
                final_state_digest=None,
                duration_ms=(ended - began) // _MILLISECOND,
                success=status is RunStatus.COMPLETED,
            )
            if over
            else None,
            created_at=began,
            completed_at=ended if over else None,
        )


def _payload(repo: str, **told: Any) -> dict[str, Any]:
    """Make a payload of what is told."""
    return {"node_id": repo} | {key: value for key, value in told.items() if value is not None}


def _payload_of(row: AttemptRow) -> dict[str, Any]:
    return {} if row.detail is None else {"detail": row.detail}


def _skip(row: AttemptRow) -> dict[str, Any]:
    blockers = list(row.blocked_by)
    payload = _payload(row.repo_id, version=row.version) | {"blocked_by": blockers} | _payload_of(row)
    if row.status != ("blocked" if blockers else "stopped"):
        payload["cause"] = None if row.status == "skipped" else row.status
    return payload


def _waited(row: AttemptRow, following: AttemptRow) -> dict[str, Any]:
    """Say how long it took until the next attempt: in milliseconds, and its very start where that is another."""
    ended, began = row.finished_at, following.started_at
    if ended is None or began is None:
        return {"delay_ms": 0, "next_started_at": None if began is None else utc_text(began)}
    delay_ms = max(0, (began - ended) // _MILLISECOND)
    exact = ended + delay_ms * _MILLISECOND == began
    return {"delay_ms": delay_ms} if exact else {"delay_ms": delay_ms, "next_started_at": utc_text(began)}
