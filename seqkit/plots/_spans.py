"""A run's events as spans on an axis: when each repo was tried, when it waited, and how that ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from seqkit._show.html import amount
from seqkit._util.words import plural, quoted
from seqkit.core.model import RunEvent, RunMetadata, RunRecord, RunStatus, spec_digest_of
from seqkit.errors import RunNotFound
from seqkit.ledger import RunLedger
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.naming import run_called, run_ids
from seqkit.ledger.story import Story, Told, imported_from, kind_of, story_of
from seqkit.plots._text import shown
from seqkit.plots._times import unit_of

__all__ = ["Row", "Run", "chosen_run", "read_spans"]

_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
_FITS = {
    "NodeEntered": "pending",
    "NodeSkipped": "pending",
    "NodeRetrying": "in_progress",
    "NodeExited": "in_progress",
    "NodeFailed": "in_progress",
    "NodeLate": "failed",
    "NodeProcess": "in_progress",
}
"""The status in which a repo is when an event of this kind comes, in a record that holds together."""

_STATE = {
    RunStatus.RUNNING: "has not ended",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "was cancelled",
}


@dataclass(slots=True)
class Row:
    """What the events tell of one repo; all times are places on the axis."""

    repo: str
    """Its id."""
    word: str
    """What it came to: a status, or the cause of its skip."""
    remark: str
    """Why it failed and how often it was tried, in a few words; often empty."""
    tries: list[tuple[float, float, str]] = field(default_factory=list)
    """From when to when each try went, and how it ended."""
    waits: list[tuple[float, float]] = field(default_factory=list)
    """The waits before further tries."""
    open_at: float | None = None
    """When the try began whose end the ledger does not tell."""
    moment: float | None = None
    """When the repo ended or was passed over; None where it was never reached."""


@dataclass(frozen=True)
class Run:
    """A run as spans."""

    rows: list[Row]
    """Its repos in plan order."""
    span: tuple[float, float]
    """The first and last place on the axis."""
    title: str
    """What it came to and how long it took."""
    axis: str
    """What the axis counts."""
    counts_events: bool
    """Whether that is events, as all have the same time."""
    notes: list[str]
    """What the reader should know: gaps and contradictions of the record."""


def chosen_run(kept: RunLedger, run_id: str | None) -> str | None:
    """Give the run asked for, or the only one; None where there is none."""
    if run_id is not None:
        return run_called(kept, run_id)
    ids = run_ids(kept)
    if len(ids) > 1:
        raise ValueError(f"run_id is None and the ledger has {len(ids):,} runs, expected one of {quoted(ids)}")
    return ids[0] if ids else None


def read_spans(kept: RunLedger, run_id: str) -> Run:
    """Read a run, whatever state its record is in."""
    found, kept = kept, without_repeats(kept)
    events = kept.get_events(run_id)
    notes = []
    try:
        record = kept.get_run(run_id)
        state = _STATE[record.status]
    except RunNotFound:  # a ledger that was read may hold events without their run
        record, state = _stand_in(run_id, events), "has not ended"
        notes.append("the run has no record, only events")
    if isinstance(found, FoundLedger):
        if sum(run.record.run_id == run_id for run in found.runs) > 1:
            notes.append("the run is recorded more than once")
        if again := len(found.found_events(run_id)) - len(events):
            notes.append(f"{plural(again, 'event that stands', 'events that stand')} there again counted once")
        if found.unreadable:
            notes.append("parts of the ledger could not be read")
    story, axis = story_of(record, ()), _Axis(record, events)
    if story.plan is None:
        notes.append("no plan: repos in the order of their events")
    if imported_from(record) is not None and any(kind_of(event) == "NodeSkipped" for event in events):
        notes.append("nobody told when what was skipped had its turn: it stands at the end")
    lanes, odd, strange = _follow(story, axis.placed(events))
    told = [_row(own, axis) for own in story.items()]
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        notes.append("gaps or repeats in seq")
    if any(after.timestamp < before.timestamp for before, after in pairwise(events)):
        notes.append("times that go backwards")
    if odd:
        notes.append(f"{plural(odd, 'event that contradicts', 'events that contradict')} others")
    if strange:
        notes.append(f"{plural(strange, 'event')} of unknown kind or repo left out")
    span = (min([axis.first, *axis.at]), _close(told, axis))
    took = f"{plural(len(events), 'event')}" if axis.counts_events else axis.said(span)
    return Run(
        rows=told,
        span=span,
        title=f"Run {shown(run_id, 40)} {state} after {took}" + (f", up to {lanes} repos at once" * (lanes > 1)),
        axis=axis.label,
        counts_events=axis.counts_events,
        notes=notes,
    )


def _stand_in(run_id: str, events: Sequence[RunEvent]) -> RunRecord:
    return RunRecord(
        run_id=run_id,
        spec_digest=spec_digest_of(""),
        metadata=RunMetadata(),
        status=RunStatus.RUNNING,
        created_at=events[0].timestamp,
    )


def _remark(told: Told) -> str:
    tries = told.attempts
    words = [f"{tries:,} tries"] if tries > 1 else []
    if told.status == "failed":
        words += [shown(told.reason, 60)] if told.reason else []
        words += ["out too late"] if told.came_late else []
        words += ["still running"] if told.still_running else []
    return "; ".join(words)


class _Axis:
    """Where events stand: in a unit of time, or one after the other where all have the same time."""

    def __init__(self, record: RunRecord, events: Sequence[RunEvent]) -> None:
        times = [event.timestamp for event in events]
        self.counts_events = len(set(times)) < 2
        if self.counts_events:
            self.at = [float(number) for number in range(1, len(events) + 1)]
            self.first, self.until = 1.0, float(len(events) or 1)
            self.label = "event" + (": all carry the same time" if len(events) > 1 else "")
            return
        span = max(times) - min(times)
        # Where the ledger went by another clock than the run, its start says nothing about the events.
        near = timedelta(0) <= times[0] - record.created_at <= span
        self.start = record.created_at if near else times[0]
        ends = [max(times)]
        if near and record.completed_at is not None:
            ends.append(record.completed_at)  # also the end of what is in doubt
        self.whole = (max(ends) - min(self.start, *times)).total_seconds()
        self.name, self.unit = unit_of(self.whole)
        self.at = [self.of(time) for time in times]
        self.first = 0.0
        self.until = self.of(max(ends))
        self.label = f"{self.name} since {'the run started' if near else 'the first event'}"

    def of(self, time: datetime) -> float:
        return (time - self.start).total_seconds() / self.unit

    def said(self, span: tuple[float, float]) -> str:
        return f"{amount(span[1] - span[0], 3)} {self.name}"

    def placed(self, events: Sequence[RunEvent]) -> Iterator[RunEvent]:
        """Give events whose times :meth:`place` knows: where all are the same, their numbers stand for them."""
        for number, event in enumerate(events, 1):
            changes: dict[str, Any] = {}
            payload = event.payload
            if self.counts_events:
                changes["timestamp"] = _ORIGIN + timedelta(seconds=number)
            if isinstance(payload, Mapping) and "delay_ms" in payload:
                delay = payload["delay_ms"]
                usable = isinstance(delay, int | float) and not isinstance(delay, bool) and not self.counts_events
                changes["payload"] = {**payload, "delay_ms": min(delay, self.whole * 1000) if usable else 0}
            yield event.model_copy(update=changes) if changes else event

    def place(self, moment: datetime) -> float:
        """Say where a moment of those events stands on the axis."""
        return (moment - _ORIGIN).total_seconds() if self.counts_events else self.of(moment)


def _follow(story: Story, events: Iterable[RunEvent]) -> tuple[int, int, int]:
    """Tell a run; count lanes in use, events that do not fit those before, and those that tell nothing."""
    lanes = odd = strange = 0
    under_way: set[str] = set()
    for event in events:
        payload = event.payload if isinstance(event.payload, Mapping) else {}
        repo, kind = payload.get("node_id"), kind_of(event)
        if isinstance(repo, str) and kind in _FITS:
            own = story.told.get(repo)
            odd += ("pending" if own is None else own.status) != _FITS[kind]
        elif kind != "RunClosed":
            strange += 1
        own = story.tell(event)
        if own is not None:
            (under_way.add if own.status == "in_progress" else under_way.discard)(own.repo_id)
        lanes = max(lanes, len(under_way))
    return lanes, odd, strange


def _row(told: Told, axis: _Axis) -> Row:
    """Place what a story tells of a repo."""
    row = Row(told.repo_id, told.word, _remark(told))
    last: float | None = None
    for one in told.tries:
        ended = None if one.ended is None else axis.place(one.ended)
        begun = last if one.began is None else axis.place(one.began)
        if begun is not None and ended is not None and last is not None:
            begun = min(begun, max(ended, last))  # told before the announced wait was over
        begun = ended if begun is None else begun
        if last is not None and begun is not None and begun > last:
            row.waits.append((last, begun))
        if ended is None:
            row.open_at = begun
        else:
            assert begun is not None  # noqa: S101  # tells mypy: it is `ended` where nothing else tells
            row.tries.append((begun, ended, one.outcome))
            last = ended
    if told.unsure and row.tries:
        row.tries[-1] = (*row.tries[-1][:2], told.word)
    row.moment = None if row.open_at is not None or told.told_at is None else axis.place(told.told_at)
    return row


def _close(rows: Sequence[Row], axis: _Axis) -> float:
    """Lead open entries up to the end of the axis, and place silent skips; give that end."""
    opened = [row.open_at for row in rows if row.open_at is not None]
    end = max([axis.until, *opened])
    last = axis.first
    for row in rows:
        if row.open_at is not None:
            row.tries.append((row.open_at, end, "in_progress"))
            row.moment = end
        elif row.moment is None and row.word != "pending":
            row.moment = last
        last = last if row.moment is None else row.moment
    return end
