"""What counts of a ledger that was found: a line delivered twice counts once, and of two copies the longer.

A log may be delivered twice, a file joined to itself, a database read beside its own export, an older copy
beside a newer one. None of that happened twice. Where two copies of a run contradict each other nobody can
tell which is right: they are kept as found, and whoever counts refuses.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from seqkit._show.html import shortened
from seqkit._util.warned import warn_caller
from seqkit._util.words import inflected, listed, plural
from seqkit.core.model import RunId, RunStatus, utc_text
from seqkit.ledger.base import RunLedger
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun

__all__ = ["CopiesDiffer", "RepeatedRecords", "Settled", "counted", "settled", "without_repeats"]


class RepeatedRecords(UserWarning):
    """Events or runs that stand in a ledger more than once and were counted once."""


@dataclass(frozen=True, slots=True)
class CopiesDiffer:
    """Two copies of a run that contradict each other."""

    one: FoundRun
    """The record of the first."""
    other: FoundRun
    """The record of the second."""
    how: str
    """In what they differ."""

    def __str__(self) -> str:
        one, other = (
            run.source if run.line is None else f"{run.source} (line {run.line})" for run in (self.one, self.other)
        )
        return f"run {self.one.record.run_id!r:.80} stands in {one} and in {other}, and they differ {self.how}"


@dataclass(frozen=True)
class Settled:
    """What counts of a ledger, and what was passed over for it."""

    ledger: FoundLedger
    """The ledger with every run and event once; runs whose copies differ are in it as they were found."""
    repeats: tuple[FoundEvent, ...]
    """Events left out, as the same event stands before them."""
    same: tuple[FoundRun, ...]
    """Records of runs left out, as the same record stands before them."""
    older: tuple[tuple[FoundRun, FoundRun], ...]
    """Records left out, as a longer copy of the run stands elsewhere: (the older, the one that counts)."""
    differing: tuple[CopiesDiffer, ...]
    """Copies of which nobody can tell which one is right."""

    @property
    def said(self) -> str:
        """What was counted once, as a sentence; empty where there was nothing of the kind."""
        told = []
        if n := len(self.repeats):
            told.append(f"{plural(n, 'event')} that {inflected(n, 'stands', 'stand')} there before, byte for byte")
        if n := len(self.same):
            told.append(f"{plural(n, 'record')} of runs that {inflected(n, 'is', 'are')} there before")
        if n := len(self.older):
            runs = listed(self.older, 3, lambda pair: f"{pair[0].record.run_id!r:.80} in {pair[0].source}")
            told.append(f"{plural(n, 'older copy', 'older copies')} of a run ({runs}), of which the longer counts")
        return "; ".join(told)


def settled(found: FoundLedger) -> Settled:
    """Say what counts of a ledger. Linear in what was found; the answer is kept with the ledger.

    Two events of a run are the same where `seq`, kind, payload and time are. A run that is met twice, in two
    files or twice in one, has two copies: what follows a record in its file, up to the next record of the same run,
    belongs to it. Copies are the same, or one is the older where its events are the first of the other's and its
    record is not that of another ending; else they differ.

    Examples
    --------
    >>> from pathlib import Path
    >>> from seqkit import RepoDependencyGraph, build_plan, read_ledgers, run_plan, write_ledger
    >>> import tempfile
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "runs.jsonl")
    ...     write_ledger(run_plan(plan, 0.0).ledger, path)
    ...     answer = settled(read_ledgers([path, path]))
    >>> answer.ledger
    FoundLedger(1 run, 4 events)
    >>> answer.said
    '4 events that stand there before, byte for byte; 1 record of runs that is there before'
    """
    if found.settled is None:
        found.settled = _settle(found)
    return found.settled


def without_repeats(ledger: RunLedger) -> RunLedger:
    """Give what counts of a ledger without a word, for those who say it in their own place."""
    return settled(ledger).ledger if isinstance(ledger, FoundLedger) else ledger


def counted(ledger: RunLedger, differing: Literal["error", "keep"] = "error") -> RunLedger:
    """Give what counts of a ledger, and warn of what was counted once; a ledger that is written to counts as it is.

    Parameters
    ----------
    ledger : RunLedger
        A ledger of any kind.
    differing : {"error", "keep"}
        What to do with runs whose copies differ: refuse, or keep them as they were found.

    Raises
    ------
    ValueError
        Naming both sources, where copies differ and `differing` is ``"error"``.
    """
    if not isinstance(ledger, FoundLedger):
        return ledger
    answer = settled(ledger)
    if answer.differing and differing == "error":
        first, more = answer.differing[0], len(answer.differing) - 1
        others = f" (and {plural(more, 'more run')})" if more else ""
        raise ValueError(
            f"{first}{others}; nobody can tell which copy is right: read one of the two alone. audit names all of them"
        )
    if answer.said:
        warn_caller(f"counted once: {answer.said}", RepeatedRecords)
    return answer.ledger


# ---------------------------------------------------------------------- settling

_Key = tuple[int, str, str, str]


@dataclass(slots=True)
class _Copy:
    """A run as one file tells it; records and events are places in the ledger's lists."""

    at: int
    run: FoundRun
    events: list[int]
    keys: list[_Key]


def _settle(found: FoundLedger) -> Settled:
    runs: dict[RunId, list[int]] = {}
    for at, run in enumerate(found.runs):
        runs.setdefault(run.record.run_id, []).append(at)
    by_run: dict[RunId, list[int]] = {}
    for at, event in enumerate(found.events):
        by_run.setdefault(event.run_id, []).append(at)
    settling = _Settling(found)
    for run_id, events in by_run.items():
        if len(runs.get(run_id, ())) < 2 and len({found.events[at].event.seq for at in events}) < len(events):
            settling.leave_repeats_out(events)
    for run_id, records in runs.items():
        if len(records) > 1:
            settling.choose(records, by_run.get(run_id, []))
    return settling.answer()


class _Settling:
    """Gathers what does not count, as places in the lists of the ledger."""

    def __init__(self, found: FoundLedger) -> None:
        self.found = found
        self.repeats: list[int] = []
        self.same: list[int] = []
        self.older: list[tuple[int, int]] = []
        self.differing: list[CopiesDiffer] = []

    def leave_repeats_out(self, events: Iterable[int]) -> None:
        seen: set[_Key] = set()
        for at in events:
            key = _key(self.found.events[at])
            if key in seen:
                self.repeats.append(at)
            seen.add(key)

    def choose(self, records: Sequence[int], events: Sequence[int]) -> None:
        """Choose the copy of a run that counts, where no two of them differ."""
        best, *others = self._copies(records, events)
        same, older = list[int](), list[int]()
        for copy in others:
            if best.run.record == copy.run.record and (best.keys == copy.keys or _is_said_again(best, copy)):
                same.append(copy.at)
                if best.keys != copy.keys:
                    best.events += copy.events
                    best.keys = list(dict.fromkeys([*best.keys, *copy.keys]))
            elif how := _difference(best, copy):
                self.differing.append(CopiesDiffer(best.run, copy.run, how))
                return
            elif _is_older(best, copy):
                older.append(best.at)
                best = copy
            else:
                older.append(copy.at)
        self.same += same
        self.older += [(at, best.at) for at in older]
        # The copy that counts stays as it is and what others have as well goes; a file without a record of the run has
        # more of the same run.
        own = set(best.events)
        self.leave_repeats_out([*best.events, *(at for at in events if at not in own)])

    def _copies(self, records: Sequence[int], events: Sequence[int]) -> list[_Copy]:
        """Part what was found of a run into its copies; events of a file that has no record of it are in none."""
        in_source: dict[str, list[_Copy]] = {}
        for at in records:
            run = self.found.runs[at]
            in_source.setdefault(run.source, []).append(_Copy(at, run, [], []))
        lines = {source: [copy.run.line or 0 for copy in own] for source, own in in_source.items()}
        for at in events:
            event = self.found.events[at]
            if own := in_source.get(event.source):  # the last record before it, else the first
                own[max(bisect_right(lines[event.source], event.line or 0) - 1, 0)].events.append(at)
        copies = [copy for own in in_source.values() for copy in own]
        for copy in copies:
            copy.events.sort(key=lambda at: self.found.events[at].event.seq)
            copy.keys = list(dict.fromkeys(_key(self.found.events[at]) for at in copy.events))
        return copies

    def answer(self) -> Settled:
        found, gone, events = self.found, {*self.same, *(at for at, _ in self.older)}, set(self.repeats)
        return Settled(
            ledger=FoundLedger(
                [run for at, run in enumerate(found.runs) if at not in gone],
                [event for at, event in enumerate(found.events) if at not in events],
                found.problems,
            )
            if gone or events
            else found,
            repeats=tuple(found.events[at] for at in sorted(events)),
            same=tuple(found.runs[at] for at in self.same),
            older=tuple((found.runs[at], found.runs[newer]) for at, newer in self.older),
            differing=tuple(self.differing),
        )


def _key(event: FoundEvent) -> _Key:
    told = event.event
    try:
        payload = json.dumps(told.payload, sort_keys=True)
    except (TypeError, ValueError, RecursionError):  # a ledger made by hand may hold what is no JSON
        payload = repr(told.payload)
    return told.seq, told.kind, payload, utc_text(told.timestamp)


def _is_said_again(one: _Copy, other: _Copy) -> bool:
    """Tell whether a file says the same record again in the middle of its events, as logs do that are begun anew."""
    if one.run.source != other.run.source:
        return False
    keys = {key[0]: key for key in one.keys}
    return all(keys.get(key[0], key) == key for key in other.keys)


def _is_older(one: _Copy, other: _Copy) -> bool:
    if len(one.keys) != len(other.keys):
        return len(one.keys) < len(other.keys)
    return one.run.record.status is RunStatus.RUNNING


def _difference(one: _Copy, other: _Copy) -> str:
    """Say in what two copies contradict each other; empty where they are the same or one is the older."""
    a, b = one.run.record, other.run.record
    changed = [name for name in ("spec_digest", "metadata", "created_at") if getattr(a, name) != getattr(b, name)]
    if changed:
        return f"in {', '.join(changed)}"
    for number, (mine, its) in enumerate(zip(one.keys, other.keys, strict=False), 1):
        if mine != its:
            told = [f"seq {key[0]}, {shortened(key[1], 40)} {shortened(key[2], 80)} at {key[3]}" for key in (mine, its)]
            return f"in event {number}: {told[0]}, and {told[1]}"
    older, newer = (a, b) if _is_older(one, other) else (b, a)
    if older != newer and older.status is not RunStatus.RUNNING:
        ends = [name for name in ("status", "summary", "completed_at") if getattr(a, name) != getattr(b, name)]
        return f"in {', '.join(ends)}"
    return ""
