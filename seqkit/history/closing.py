"""Closing a run whose process is gone."""

from __future__ import annotations

import os
from collections.abc import Sequence

from seqkit._util.secrets import as_given
from seqkit.core.model import ContentDigest, RunEvent, RunRecord, RunStatus, RunSummary
from seqkit.errors import InvalidRunState
from seqkit.ledger import LedgerLike
from seqkit.ledger.digest import StateDigest
from seqkit.ledger.given import Clock, clock_of
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent
from seqkit.ledger.story import kind_of, story_of

__all__ = ["close_run"]


def close_run(ledger: LedgerLike, run_id: str, reason: str, clock: Clock | None = None) -> RunRecord:
    """End a run whose process died, as CANCELLED, and say that it was closed and why.

    It writes ``RunClosed {reason}`` as the last event, a digest of the final state, and the end. A release that was
    under way stays in doubt: :func:`seqkit.resume_plan` asks what to do with it, before and after. No ledger can
    tell a dead run from one that goes on this very moment: make sure that it is dead. A run that goes on would fail
    at its next event.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the run is kept; it is written to.
    run_id : str
        The run, by its id, the start of it (four characters or more) or ``"last"``; it must be RUNNING.
    reason : str
        Why it is closed, for those who read the ledger later.
    clock : callable, optional
        Tells the time as an aware datetime; the system's by default.

    Returns
    -------
    RunRecord
        The run as it now stands.

    Raises
    ------
    RunNotFound, InvalidRunState
        Where the ledger has no such run, or it has ended.
    ReadError
        Where there is no such ledger.
    StorageError, ValueError
        Where it is no ledger that can be written to: a file that was exported, a ledger that was read. Close the run
        where it was written.
    TypeError, ValueError
        Where `reason` is no text, or empty.

    Examples
    --------
    >>> from seqkit import GraphRunRecorder, MemoryRunLedger, RunMetadata
    >>> ledger = MemoryRunLedger(ids=["monday"])
    >>> recorder = GraphRunRecorder.start(ledger, "0" * 64, RunMetadata())      # a run that is never ended
    >>> event = recorder.record("NodeEntered", {"node_id": "core", "version": "1.0"})
    >>> close_run(ledger, "monday", "the machine lost power").status.value
    'CANCELLED'
    >>> ledger.get_events("monday")[-1].payload
    {'reason': 'the machine lost power'}
    """
    if not isinstance(reason, str):
        raise TypeError(f"reason is {as_given(reason)}, expected a text: why is the run closed?")
    if not reason.strip():
        raise ValueError(f"reason is {as_given(reason, 200)}, expected a text: why is the run closed?")
    if isinstance(ledger, str | os.PathLike):
        with lent(ledger, existing=True) as there:  # nothing is made where there is none
            run_called(there, run_id)
    with lent(ledger) as kept:
        run_id = run_called(kept, run_id)
        record = kept.get_run(run_id)
        if record.status is not RunStatus.RUNNING:
            raise InvalidRunState(run_id, record.status.value.capitalize())
        events = list(kept.get_events(run_id))
        now = max([clock_of(clock)(), record.created_at, *(event.timestamp for event in events[-1:])])
        if not events or kind_of(events[-1]) != "RunClosed":  # else somebody was interrupted right here
            last = events[-1].seq if events else 0
            events.append(RunEvent(seq=last + 1, kind="RunClosed", payload={"reason": reason}, timestamp=now))
            kept.append_event(run_id, events[-1])
        summary = RunSummary(
            total_events=len(events),
            duration_ms=int((now - record.created_at).total_seconds() * 1000),
            success=False,
        )
        kept.cancel_run(run_id, summary.model_copy(update={"final_state_digest": _digest(record, events, summary)}))
        return kept.get_run(run_id)


def _digest(record: RunRecord, events: Sequence[RunEvent], summary: RunSummary) -> ContentDigest | None:
    """Take the digest that the run's own process would have taken; None where the run carries no plan."""
    story = story_of(record, events)
    if story.plan is None:
        return None
    digest = StateDigest(record)
    for event in events:
        digest.add(event)
    return digest.finished(story.endings(), RunStatus.CANCELLED, summary)
