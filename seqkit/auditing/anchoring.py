"""Anchors: one line that tells of a whole ledger, to keep where whoever writes to the ledger cannot.

A digest in a ledger is worth as much as whoever can write there. A line in a tag, a mail or a commit is out of
their reach: with it an audit finds whatever was changed, added, taken away or cut off before the line was taken.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.auditing.retaken import add_events
from seqkit.core.model import RunEvent, RunRecord, RunStatus, utc_text
from seqkit.ledger import LedgerLike, as_ledger, read_ledger
from seqkit.ledger.copies import counted
from seqkit.ledger.digest import begin_text, canonical
from seqkit.ledger.found import FoundLedger

__all__ = ["Anchor", "anchor", "as_anchor", "mismatch"]

_LINE = re.compile(
    r"seqkit-anchor-1\s+runs=(?P<runs>\d+)(?:\s+unfinished=(?P<unfinished>\d+:\d+(?:,\d+:\d+)*))?"
    r"\s+sha256=(?P<digest>[0-9a-f]{64})(?![0-9a-f])",
    re.ASCII,
)


@dataclass(frozen=True)
class Anchor:
    """What an anchor's line says."""

    runs: int
    """How many runs it covers, the oldest first."""
    unfinished: tuple[tuple[int, int], ...]
    """Of each of them that had not ended: its place among them, from 1, and how many events it had."""
    digest: str
    """SHA-256 of what it covers."""

    def __str__(self) -> str:
        unfinished = ",".join(f"{place}:{events}" for place, events in self.unfinished)
        more = f" unfinished={unfinished}" if unfinished else ""
        return f"seqkit-anchor-1 runs={self.runs}{more} sha256={self.digest}"


def anchor(ledger: LedgerLike) -> str:
    """Give a line to keep elsewhere, with which an audit finds whatever is changed in the ledger from now on.

    Take it when a run has ended, and put it where whoever writes to the ledger cannot: the message of a tag, a mail,
    a commit in another repository. ``audit(ledger, anchor=line)`` holds the ledger against it.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        The ledger. A line that stands there twice counts once.

    Returns
    -------
    str
        Such as ``seqkit-anchor-1 runs=3 unfinished=3:17 sha256=…``: it covers three runs, the oldest first, of which
        the third had not ended and had 17 events. Runs that come later, and what an unfinished one is
        still given, change nothing.

    Raises
    ------
    ReadError
        Where there is no such file, or not all of it can be read.
    ValueError
        Where two copies of a run differ, or a line could not be read: nobody can tell what there is to cover.

    Notes
    -----
    The digest is SHA-256 of the UTF-8 JSON, keys sorted and without spaces, of ``[[begin, end, events], …]``, with
    `begin` and `events` as in the digest of a final state, `end` the run's ``{"completed_at", "status", "summary"}``,
    or null where it had not ended.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, audit, build_plan, run_plan
    >>> ledger = MemoryRunLedger()
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, 0.0, ledger, rng=7)
    >>> line = anchor(ledger)
    >>> line[:30]
    'seqkit-anchor-1 runs=1 sha256='
    >>> audit(ledger, anchor=line).ok
    True
    """
    opened = read_ledger(ledger) if isinstance(ledger, str | os.PathLike) else as_ledger(ledger)
    if isinstance(opened, FoundLedger) and opened.unreadable:
        problem = opened.unreadable[0]
        raise ValueError(
            f"ledger holds what could not be read ({problem.source}: {problem.message}), expected one that can be read "
            "as a whole: an anchor covers all of it"
        )
    kept = counted(opened)
    records = kept.list_runs()
    events = {run.run_id: kept.get_events(run.run_id) for run in records}
    unfinished = tuple(
        (place, len(events[run.run_id])) for place, run in enumerate(records, 1) if run.status is RunStatus.RUNNING
    )
    return str(Anchor(len(records), unfinished, _digest(records, events.__getitem__, dict(unfinished))))


def as_anchor(line: object) -> Anchor:
    """Read an `anchor` argument: the line, or a text that holds it.

    Raises
    ------
    TypeError, ValueError
        Where it holds no such line, or several different ones.
    """
    if not isinstance(line, str):
        raise TypeError(f"anchor is {as_given(line)}, expected the line that seqkit.anchor(ledger) gave")
    found = {match[0]: match for match in _LINE.finditer(line)}
    if len(found) != 1:
        many = "several" if found else "no"
        raise ValueError(
            f"anchor is {as_given(line)}, which holds {many} anchors, expected the line that seqkit.anchor(ledger) "
            "gave, as a whole: seqkit-anchor-1 runs=… sha256=…"
        )
    [match] = found.values()
    pairs = [pair.split(":") for pair in (match["unfinished"] or "").split(",") if pair]
    unfinished = tuple((int(place), int(events)) for place, events in pairs)
    return Anchor(int(match["runs"]), unfinished, match["digest"])


def mismatch(kept: Anchor, records: Sequence[RunRecord], events_of: Callable[[str], Sequence[RunEvent]]) -> str:
    """Say how a ledger differs from what an anchor covers; empty where it does not.

    Parameters
    ----------
    kept : Anchor
        What was kept elsewhere.
    records : sequence of RunRecord
        All runs of the ledger, the oldest first.
    events_of : callable
        Gives the events of a run in the order of `seq`.
    """
    if len(records) < kept.runs:
        return (
            f"the anchor covers {plural(kept.runs, 'run')}, expected as many or more, found {len(records)}: "
            "runs were taken away"
        )
    covered, unfinished = records[: kept.runs], dict(kept.unfinished)
    for place, least in kept.unfinished:
        if place <= len(covered) and (found := len(events_of(covered[place - 1].run_id))) < least:
            return (
                f"run {covered[place - 1].run_id!r:.90} had {plural(least, 'event')} when the anchor was taken, "
                f"expected as many or more, found {found}: its end was cut off, or runs were added or taken away"
            )
    for place, run in enumerate(covered, 1):
        if run.status is RunStatus.RUNNING and place not in unfinished:
            return f"run {run.run_id!r:.90} had ended when the anchor was taken, expected the same, found it RUNNING"
    found_digest = _digest(covered, events_of, unfinished)
    if found_digest == kept.digest:
        return ""
    if not covered:
        what = "an anchor of no run has another digest"
    elif kept.runs == 1:
        what = f"the oldest run, {covered[0].run_id!r:.90}, is not what the anchor was taken of"
    else:
        last = covered[-1].run_id
        what = f"the {kept.runs:,} oldest runs, up to {last!r:.90}, are not what the anchor was taken of"
    return (
        f"{what} (sha256={kept.digest[:12]}…, found {found_digest[:12]}…): something in them was changed, or a run was "
        "taken away or added among them. A copy from before tells what"
    )


def _digest(
    records: Sequence[RunRecord], events_of: Callable[[str], Sequence[RunEvent]], unfinished: dict[int, int]
) -> str:
    digest = hashlib.sha256(b"[")
    for place, run in enumerate(records, 1):
        least = unfinished.get(place)
        end = canonical(None if least is not None else _end(run))
        digest.update(b"%s[%s,%s,[" % (b"," * (place > 1), begin_text(run), end))
        add_events(digest, events_of(run.run_id)[:least])
        digest.update(b"]]")
    digest.update(b"]")
    return digest.hexdigest()


def _end(run: RunRecord) -> dict[str, Any]:
    return {
        "completed_at": None if run.completed_at is None else utc_text(run.completed_at),
        "status": run.status.value,
        "summary": None if run.summary is None else run.summary.model_dump(),
    }
