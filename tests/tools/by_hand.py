"""Runs written by hand, an event a line: what no releaser can be made to do on purpose, or only by waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from seqkit import MemoryRunLedger, RunEvent, RunRecord, ScriptedReleaser, run_plan
from seqkit.core.model import RunStatus, RunSummary, spec_digest_of
from seqkit.core.plan import SequencePlan
from seqkit.ledger.digest import StateDigest
from seqkit.ledger.story import story_of

BEGAN = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)
PROCESS = {"pid": 4711, "start_time": 12.5, "boot_id": "b-1", "host": "ci-3"}

_STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "enter": ("NodeEntered", {"version": "1"}),
    "exit": ("NodeExited", {}),
    "found": ("NodeExited", {"confirmed": "check"}),
    "fail": ("NodeFailed", {"error": "red"}),
    "doubt": ("NodeFailed", {"error": "the answer was lost", "in_doubt": True}),
    "hang": ("NodeFailed", {"error": "timed out after 30 s", "in_doubt": True, "still_running": True}),
    "skip": ("NodeSkipped", {}),
    "retry": ("NodeRetrying", {"attempt": 1, "delay_ms": 0, "error": "flaky"}),
    "late": ("NodeLate", {}),
    "stopped": ("NodeLate", {"error": "killed"}),
    "lost": ("NodeLate", {"error": "killed", "in_doubt": True}),
    "process": ("NodeProcess", PROCESS),
}


@dataclass(frozen=True)
class Run:
    """A run of a plan: steps such as ``enter a``, ``hang a``, ``late a``, ``skip b a``, a minute each."""

    plan: SequencePlan
    steps: Sequence[str]
    status: str = "FAILED"
    tags: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)


def event(seq: int, text: str, at: datetime) -> RunEvent:
    word, repo, *more = text.split()
    kind, payload = _STEPS[word]
    if word in ("exit", "found", "late"):
        payload = {"run_id": f"run-{repo}", **payload}
    if word == "skip":
        payload = {"blocked_by": more}
    return RunEvent(seq=seq, kind=kind, payload={"node_id": repo, **payload}, timestamp=at)


def written(**runs: Run) -> MemoryRunLedger:
    """Write runs into a ledger by their ids, an hour after each other, with the tags and the digest of honest ones."""
    records, events = [], []
    for number, (run_id, run) in enumerate(runs.items()):
        began = BEGAN + timedelta(hours=number)
        own = [event(seq, text, began + timedelta(minutes=seq)) for seq, text in enumerate(run.steps, 1)]
        donor = MemoryRunLedger(ids=["donor"])
        run_plan(run.plan, ScriptedReleaser(), donor, tags=run.tags, **run.rules)
        record = RunRecord(
            run_id=run_id,
            spec_digest=spec_digest_of(run.plan.originating_run_id),
            metadata=donor.get_run("donor").metadata,
            status=RunStatus(run.status),
            created_at=began,
        )
        if run.status != "RUNNING":
            record = _ended(record, own)
        records.append(record)
        events += [(run_id, one) for one in own]
    return MemoryRunLedger.from_records(records, events)


def _ended(record: RunRecord, events: list[RunEvent]) -> RunRecord:
    minutes, success = len(events) + 1, record.status is RunStatus.COMPLETED
    summary = RunSummary(total_events=len(events), duration_ms=minutes * 60_000, success=success)
    digest = StateDigest(record)
    for one in events:
        digest.add(one)
    taken = digest.finished(story_of(record, events).endings(), record.status, summary)
    return record.model_copy(
        update={
            "summary": summary.model_copy(update={"final_state_digest": taken}),
            "completed_at": record.created_at + timedelta(minutes=minutes),
        }
    )
