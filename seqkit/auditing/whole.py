"""Checks of a ledger as a whole: what could be read, what stands there twice, what belongs nowhere, what was kept."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from seqkit._util.words import listed, plural
from seqkit.auditing.findings import NotChecked, Remark, Result, error, info, looks_for, warning
from seqkit.auditing.foreign import system_of
from seqkit.core.model import RunRecord, utc_text
from seqkit.ledger.copies import Settled
from seqkit.ledger.found import FoundLedger, FoundRun, Problem
from seqkit.ledger.links import Links

__all__ = ["LedgerFacts", "anchored", "digests", "links", "readable", "recorded_once", "runs_of_events"]


@dataclass
class LedgerFacts:
    """What is known of a ledger before its runs are looked at."""

    records: Sequence[RunRecord]
    """The runs that are audited, the oldest first."""
    known: frozenset[str]
    """The ids of all runs."""
    found: FoundLedger | None = None
    """The ledger as it was found, where it was read from files."""
    settled: Settled | None = None
    """What counts of it, and what stands there again or differs; where it was read from files."""
    problems: list[Problem] = field(default_factory=list)
    """What could not be read."""
    only: str | None = None
    """The one run that is audited; None for all."""
    links: Links = field(default_factory=lambda: Links([]))
    """Which runs go on with which."""
    everything: Sequence[RunRecord] = ()
    """All runs, the oldest first, also where only one is audited."""
    anchored: str | None = None
    """How the ledger differs from what the anchor covers, empty where it does not; None without an anchor."""

    def place(self, source: str, line: int | None) -> str:
        """Say where something stands; by the file's name alone, where that is enough."""
        short = self._short.get(source, source)
        return short if line is None else f"{short}, line {line}"

    @property
    def name(self) -> str:
        """What the ledger is called: its files, the first three; empty where it was not read from any."""
        return listed(sorted(self._short.values()), 3)

    @cached_property
    def _short(self) -> dict[str, str]:
        if self.found is None:
            return {}
        sources = {entry.source for entries in (self.found.runs, self.found.events, self.problems) for entry in entries}
        names = {
            source: source if "://" in source else os.path.basename(source.rstrip("/\\")) or source
            for source in sources
        }
        counts = Counter(names.values())
        return {source: name if counts[name] == 1 else source for source, name in names.items()}


@looks_for("Everything in the ledger can be read.")
def readable(ledger: LedgerFacts) -> Result:
    return [
        (info if problem.guessed else error)(f"{ledger.place(problem.source, problem.line)}: {problem.message}")
        for problem in ledger.problems
    ]


@looks_for("Every run is recorded once.")
def recorded_once(ledger: LedgerFacts) -> Result:
    if ledger.found is None or ledger.settled is None:
        return []  # the store itself holds one record a run
    older = {id(run) for run, _ in ledger.settled.older}
    differing = {id(copies.other): copies for copies in ledger.settled.differing}
    first: dict[str, FoundRun] = {}
    remarks = []
    for run in ledger.found.runs:
        run_id = run.record.run_id
        if ledger.only not in (None, run_id):
            continue
        other = first.setdefault(run_id, run)
        if other is run:
            continue
        if id(run) in differing:
            say, how, other = "error", f"and they differ {differing[id(run)].how}", differing[id(run)].one
        elif id(run) in older or id(other) in older:
            say, how = "warning", "once as an older copy, which does not count"
        elif other.record == run.record:
            say, how = "warning", "both the same"
        else:  # of a run of which two copies differ, which the error names
            say, how = "warning", "as one copy of several"
        where = f"{ledger.place(run.source, run.line)}, and first in {ledger.place(other.source, other.line)}"
        remarks.append(Remark(say, f"the run is recorded twice, {how}: {where}", run_id=run_id))
    return remarks


@looks_for("Every event belongs to a run that is recorded.")
def runs_of_events(ledger: LedgerFacts) -> Result:
    if ledger.found is None:
        return []  # the store itself refuses such events
    lost = [event for event in ledger.found.events if event.run_id not in ledger.known]
    if ledger.only is not None:
        lost = []
    counts = Counter(event.run_id for event in lost)
    first = {event.run_id: ledger.place(event.source, event.line) for event in reversed(lost)}
    return [
        Remark(
            "error",
            f"{plural(count, 'event')} of a run that is not recorded, the first in {first[run_id]}",
            run_id=run_id,
        )
        for run_id, count in counts.items()
    ]


@looks_for("Runs that continue another one name an earlier run of this ledger.")
def links(ledger: LedgerFacts) -> Result:
    remarks: list[Remark] = []
    tagged = False
    began = {record.run_id: record.created_at for record in ledger.everything}
    circles = ledger.links.circles()
    for record in ledger.records:
        tags = record.metadata.tags if isinstance(record.metadata.tags, dict) else {}
        for name in ("resumes", "train"):
            value = tags.get(name)
            if value is None or (name == "train" and system_of(record) is not None):
                continue  # other systems say what runs belong to, and no more
            tagged = True
            if not isinstance(value, str):
                found = warning(f"the tag {name} is {value!r:.80}, expected a text")
            elif name == "train":
                continue  # a name of its own; it need not be that of a run
            elif value == record.run_id:
                found = warning("the tag resumes names the run itself, expected an earlier one")
            elif value not in began:
                found = info(f"the tag resumes names {value!r:.80}, which is no run of this ledger")
            elif record.run_id in circles:
                found = error(f"the run resumes {value!r:.80}, which resumes it in turn, expected an earlier one")
            elif record.created_at < began[value]:
                told = f"{utc_text(record.created_at)}, before that one began, at {utc_text(began[value])}"
                found = error(f"the run resumes {value!r:.80} and began at {told}: expected it later")
            else:
                continue
            remarks.append(found._replace(run_id=record.run_id))
    return remarks if tagged else NotChecked("no run says that it continues another one")


@looks_for("No two runs carry the same digest of their final state.")
def digests(ledger: LedgerFacts) -> Result:
    first: dict[str, str] = {}
    remarks = []
    for record in ledger.everything:
        summary = record.summary
        if summary is None or summary.final_state_digest is None or not summary.total_events:
            continue  # without an event, runs of an older seqkit had the same one
        run_id, other = record.run_id, first.setdefault(str(summary.final_state_digest), record.run_id)
        if other == run_id or ledger.only not in (None, run_id, other):
            continue
        here, there = (other, run_id) if ledger.only == other else (run_id, other)
        told = f"the run carries the digest of run {there!r:.90}, expected one of its own: one is a copy of the other"
        remarks.append(Remark("error", told, run_id=here))
    if ledger.everything and all(system_of(record) is not None for record in ledger.everything):
        return NotChecked("no run carries a digest: all are of other systems")
    return remarks


@looks_for("What an anchor covers, which was kept elsewhere, is as it was when the anchor was taken.")
def anchored(ledger: LedgerFacts) -> Result:
    if ledger.anchored is None:
        return NotChecked("no anchor was given: seqkit.anchor(ledger) makes one, to keep elsewhere")
    return [error(ledger.anchored)] if ledger.anchored else []
