"""Rows of the tables `runs` and `run_events` become records.

Two forms are known. In one, the columns of a run's metadata and summary stand in the row itself
(`git_sha`, `agent_name`, `tags`, `total_events`, …); in the other, `metadata` and `summary` are objects.
Statuses are spelled in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seqkit._show.html import shortened
from seqkit.core.model import RunEvent, RunId, RunRecord, RunStatus
from seqkit.ledger.strict import event_from_json, run_from_json

__all__ = ["TABLES", "StoredRow", "event_of", "run_of"]

TABLES = ("runs", "run_events")

_STATUSES = {status.value.casefold(): status.value for status in RunStatus} | {"canceled": RunStatus.CANCELLED.value}
_AS_THEY_ARE = ("run_id", "spec_digest", "created_at", "completed_at")
_METADATA = ("git_sha", "agent_name", "tags")
_EVALUATION = {"rubric_path": "rubricPath", "is_promotion_gate": "isPromotionGate", "agent_phase": "agentPhase"}
_SUMMARY = ("total_events", "final_state_digest", "duration_ms", "success")


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row of a table, and where it stood."""

    table: str
    """``runs`` or ``run_events``."""
    record: str
    """Its record id."""
    content: Any
    """Its columns, as a rule an object; what JSON does not have is text."""
    line: int | None = None
    """Its line in an export, from 1."""


def run_of(row: StoredRow) -> RunRecord:
    """Read a run.

    Raises
    ------
    ValueError
        Naming the column, what is there and what was expected.
    """
    columns = _columns(row)
    status = _status(columns.get("status"))
    form = {key: columns[key] for key in _AS_THEY_ARE if key in columns}
    form |= {"status": status, "metadata": _metadata(columns), "summary": None}
    if "summary" in columns:
        form["summary"] = columns["summary"]
    elif status != RunStatus.RUNNING.value or columns.get("completed_at") is not None:
        # A run that still runs has these columns too, filled with zeros.
        form["summary"] = {key: columns[key] for key in _SUMMARY if key in columns}
    return run_from_json(form)


def event_of(row: StoredRow) -> tuple[RunId, RunEvent]:
    """Read an event, and the run that it says it belongs to.

    Raises
    ------
    ValueError
        Naming the column, what is there and what was expected.
    """
    return event_from_json({"payload": None} | _columns(row))


def _metadata(columns: dict[str, Any]) -> Any:
    if "metadata" in columns:
        return columns["metadata"]
    evaluation = {name: columns[key] for key, name in _EVALUATION.items() if columns.get(key) is not None}
    return {key: columns[key] for key in _METADATA if key in columns} | {"evaluation": evaluation}


def _columns(row: StoredRow) -> dict[str, Any]:
    if not isinstance(row.content, dict):
        raise ValueError(f"the row is {shortened(repr(row.content)[:100], 60)}, expected an object")
    return row.content


def _status(status: object) -> str:
    known = _STATUSES.get(status.casefold()) if isinstance(status, str) else None
    if known is None:
        shown = shortened(repr(status)[:200], 60)
        raise ValueError(f"status is {shown}, expected one of {', '.join(RunStatus)}, in any case")
    return known
