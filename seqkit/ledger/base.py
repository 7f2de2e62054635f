"""What a ledger is, and how a run is written into one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from seqkit.core.model import ContentDigest, RunEvent, RunId, RunMetadata, RunRecord, RunStatus, RunSummary
from seqkit.errors import Backend, IntegrityError, InvalidRunState, StorageError
from seqkit.ledger.given import Clock, clock_of, system_clock

__all__ = ["GraphRunRecorder", "LedgerLike", "RunLedger"]


@runtime_checkable
class RunLedger(Protocol):
    """Runs and their events, kept for good.

    A run goes from RUNNING to COMPLETED, FAILED or CANCELLED, once, and then never changes.
    An event is stored when :meth:`append_event` returns.

    Errors: ``RunNotFound`` for an unknown run, ``InvalidRunState`` for a write to a finished run,
    ``IntegrityError`` for a `seq` or run id used twice, ``InvalidDigest`` for a malformed digest,
    ``Backend`` where the store itself failed.
    """

    blocking: bool
    """Whether calls may take long (disk, network): the sequencer then makes them in a worker thread."""

    def create_run(self, spec_digest: str, metadata: RunMetadata) -> RunId:
        """Open a run and return its id."""
        ...

    def append_event(self, run_id: RunId, event: RunEvent) -> None:
        """Store an event; its `seq` must be new in the run."""
        ...

    def complete_run(self, run_id: RunId, summary: RunSummary) -> None:
        """End a run as COMPLETED."""
        ...

    def fail_run(self, run_id: RunId, summary: RunSummary) -> None:
        """End a run as FAILED."""
        ...

    def cancel_run(self, run_id: RunId, summary: RunSummary) -> None:
        """End a run as CANCELLED."""
        ...

    def get_run(self, run_id: RunId) -> RunRecord:
        """Give a run's record."""
        ...

    def get_events(self, run_id: RunId) -> list[RunEvent]:
        """Give a run's events, ordered by `seq`."""
        ...

    def list_runs(self, spec_digest: str | None = None) -> list[RunRecord]:
        """Give all runs, or those of one spec digest, oldest first."""
        ...


def refuse_finished(run_id: RunId, status: RunStatus) -> None:
    """Raise where a run no longer takes writes."""
    if status is not RunStatus.RUNNING:
        raise InvalidRunState(run_id, status.value.capitalize())


def refuse_bad_seq(run_id: RunId, event: RunEvent) -> None:
    """Raise where a `seq` cannot be one."""
    if event.seq < 1:
        raise IntegrityError(f"run {run_id}: event seq is {event.seq}, expected a whole number from 1")


LedgerLike = RunLedger | str | os.PathLike[str]
"""What a `ledger` argument takes: a ledger, or the path or URL of one."""


class GraphRunRecorder:
    """Writes one run into a ledger: numbers the events, keeps time, ends the run once.

    Examples
    --------
    >>> from seqkit import GraphRunRecorder, MemoryRunLedger, RunMetadata
    >>> ledger = MemoryRunLedger(ids=["run-1"])
    >>> recorder = GraphRunRecorder.start(ledger, "0" * 64, RunMetadata())
    >>> recorder.record("NodeEntered", {"node_id": "core", "version": "1.0"}).seq
    1
    >>> recorder.finish_ok()
    >>> ledger.get_run("run-1").status.value
    'COMPLETED'
    """

    def __init__(self, ledger: RunLedger, run_id: RunId, clock: Clock) -> None:
        self.ledger = ledger
        self.run_id = run_id
        self.total_events = 0
        self._clock = clock_of(clock)
        self._started = self._last = self._clock()

    @classmethod
    def start(
        cls, ledger: RunLedger, spec_digest: str, metadata: RunMetadata, clock: Clock = system_clock
    ) -> GraphRunRecorder:
        """Open a run in `ledger`."""
        return cls(ledger, _stored(ledger.create_run, ContentDigest(spec_digest), metadata), clock)

    def _now(self) -> datetime:
        # A system clock may be set back in the middle of a run; the record of it never runs backwards.
        self._last = max(self._last, self._clock())
        return self._last

    def record(self, kind: str, payload: dict[str, Any]) -> RunEvent:
        """Store the next event; it is durable when this returns.

        Raises
        ------
        StorageError
            Where the ledger failed; its `events` hold the event that could not be written.
        """
        seq, now = self.total_events + 1, self._now()
        if type(kind) is str and type(payload) is dict:
            event = RunEvent.made(seq, kind, payload, now)
        else:
            event = RunEvent(seq=seq, kind=kind, payload=payload, timestamp=now)
        try:
            _stored(self.ledger.append_event, self.run_id, event)
        except StorageError as error:
            error.events.append(event)
            raise
        self.total_events = event.seq
        return event

    def run(self) -> RunRecord:
        """Give the run's record as the ledger has it."""
        record: RunRecord = _stored(self.ledger.get_run, self.run_id)
        return record

    def summary(self, success: bool, final_state_digest: ContentDigest | None = None) -> RunSummary:
        """Sum the run up as it stands."""
        elapsed = self._now() - self._started
        return RunSummary(
            total_events=self.total_events,
            final_state_digest=final_state_digest,
            duration_ms=int(elapsed.total_seconds() * 1000),
            success=success,
        )

    def finish_ok(self, summary: RunSummary | None = None) -> None:
        """End the run as COMPLETED; without a `summary`, with one of its own."""
        _stored(self.ledger.complete_run, self.run_id, summary or self.summary(True))

    def finish_err(self, summary: RunSummary | None = None) -> None:
        """End the run as FAILED."""
        _stored(self.ledger.fail_run, self.run_id, summary or self.summary(False))

    def finish_cancelled(self, summary: RunSummary | None = None) -> None:
        """End the run as CANCELLED."""
        _stored(self.ledger.cancel_run, self.run_id, summary or self.summary(False))


def _stored(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a ledger; whatever it raises that is no StorageError (somebody's own ledger) becomes one."""
    try:
        return call(*arguments)
    except StorageError:
        raise
    except Exception as error:
        raise Backend(f"the ledger failed: {type(error).__name__}: {error}") from error
