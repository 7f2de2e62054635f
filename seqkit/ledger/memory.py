"""A ledger in memory: for notebooks, tests and teaching."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from seqkit._util.words import plural
from seqkit.core.model import ContentDigest, RunEvent, RunId, RunMetadata, RunRecord, RunStatus, RunSummary
from seqkit.errors import IntegrityError, RunNotFound
from seqkit.ledger.base import refuse_bad_seq, refuse_finished
from seqkit.ledger.given import Clock, Ids, clock_of, end_of, id_source
from seqkit.ledger.showing import LAST, runs_page

__all__ = ["MemoryRunLedger"]


class MemoryRunLedger:
    """Runs and events in memory; gone with the process. Safe to share between threads.

    Parameters
    ----------
    ids : callable or iterable of str, optional
        Where run ids come from; random ones by default.
    clock : callable, optional
        Tells the time as an aware datetime; the system's by default.

    Notes
    -----
    It can be copied (:mod:`copy`) and pickled, with all that it holds: a ledger of its own, that goes on from there.
    Where `ids` or `clock` is something that cannot be pickled, such as a lambda or a generator, that raises TypeError.

    Examples
    --------
    >>> from seqkit import RunMetadata
    >>> ledger = MemoryRunLedger(ids=["run-1"])
    >>> ledger.create_run("0" * 64, RunMetadata())
    'run-1'
    >>> ledger
    MemoryRunLedger(1 run, 0 events)
    """

    blocking = False

    def __init__(self, ids: Ids | None = None, clock: Clock | None = None) -> None:
        self._next_id = id_source(ids)
        self.clock = clock_of(clock)
        """Tells the time."""
        self._runs: dict[RunId, RunRecord] = {}
        self._events: dict[RunId, dict[int, RunEvent]] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_records(cls, runs: Iterable[RunRecord], events: Iterable[tuple[RunId, RunEvent]]) -> MemoryRunLedger:
        """Make a ledger of finished or running runs that were recorded elsewhere."""
        ledger = cls()
        for run in runs:
            if run.run_id in ledger._runs:
                raise IntegrityError(f"run {run.run_id} is there already")
            ledger._runs[run.run_id] = run
            ledger._events[run.run_id] = {}
        for run_id, event in events:
            ledger._append(run_id, event)
        return ledger

    def create_run(self, spec_digest: str, metadata: RunMetadata) -> RunId:  # noqa: D102  # the protocol documents these
        digest = ContentDigest(spec_digest)
        with self._lock:
            run_id = self._next_id()
            if run_id in self._runs:
                raise IntegrityError(f"run {run_id} is there already")
            self._runs[run_id] = RunRecord(
                run_id=run_id,
                spec_digest=digest,
                metadata=metadata,
                status=RunStatus.RUNNING,
                created_at=self.clock(),
            )
            self._events[run_id] = {}
        return run_id

    def append_event(self, run_id: RunId, event: RunEvent) -> None:  # noqa: D102
        with self._lock:
            refuse_finished(run_id, self._require(run_id).status)
            self._append(run_id, event)

    def _append(self, run_id: RunId, event: RunEvent) -> None:
        events = self._events.get(run_id)
        if events is None:
            raise RunNotFound(run_id)
        refuse_bad_seq(run_id, event)
        if event.seq in events:
            raise IntegrityError(f"run {run_id} has an event with seq {event.seq} already")
        events[event.seq] = event

    def complete_run(self, run_id: RunId, summary: RunSummary) -> None:  # noqa: D102
        self._finish(run_id, RunStatus.COMPLETED, summary)

    def fail_run(self, run_id: RunId, summary: RunSummary) -> None:  # noqa: D102
        self._finish(run_id, RunStatus.FAILED, summary)

    def cancel_run(self, run_id: RunId, summary: RunSummary) -> None:  # noqa: D102
        self._finish(run_id, RunStatus.CANCELLED, summary)

    def _finish(self, run_id: RunId, status: RunStatus, summary: RunSummary) -> None:
        with self._lock:
            run = self._require(run_id)
            refuse_finished(run_id, run.status)
            events = self._events[run_id]
            told = end_of(self.clock, lambda: max([run.created_at, *(event.timestamp for event in events.values())]))
            self._runs[run_id] = run.model_copy(
                update={"status": status, "summary": summary, "completed_at": max(run.created_at, told)}
            )

    def get_run(self, run_id: RunId) -> RunRecord:  # noqa: D102
        return self._require(run_id)

    def get_events(self, run_id: RunId) -> list[RunEvent]:  # noqa: D102
        self._require(run_id)
        events = self._events[run_id]
        return [events[seq] for seq in sorted(events)]

    def list_runs(self, spec_digest: str | None = None) -> list[RunRecord]:  # noqa: D102
        runs = sorted(self._runs.values(), key=lambda run: run.created_at)  # stable: ties stay in order of creation
        return [run for run in runs if spec_digest is None or run.spec_digest == spec_digest]

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    # A copy, and what is pickled, is a ledger of its own that goes on from here: only the lock is left behind.

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name != "_lock"}
            state["_runs"] = dict(self._runs)
            state["_events"] = {run_id: dict(events) for run_id, events in self._events.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __copy__(self) -> MemoryRunLedger:
        other = type(self).__new__(type(self))
        other.__setstate__(self.__getstate__())
        return other

    def _require(self, run_id: RunId) -> RunRecord:
        run = self._runs.get(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def __repr__(self) -> str:
        runs, events = len(self._runs), sum(map(len, self._events.values()))
        return f"MemoryRunLedger({plural(runs, 'run')}, {plural(events, 'event')})"

    def _repr_html_(self) -> str:
        runs = self.list_runs()
        last = [(run.run_id, run.status.value, len(self._events[run.run_id])) for run in runs[-LAST:]]
        return runs_page(repr(self), Counter(run.status.value for run in runs), last)
