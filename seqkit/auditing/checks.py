"""All checks of an audit, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqkit.auditing import planned, record, tampering, whole
from seqkit.auditing.facts import RunFacts
from seqkit.auditing.findings import Result
from seqkit.auditing.whole import LedgerFacts

__all__ = ["CHECKS", "LEDGER_CHECKS", "RUN_CHECKS"]

LEDGER_CHECKS: tuple[Callable[[LedgerFacts], Result], ...] = (
    whole.readable,
    whole.recorded_once,
    whole.runs_of_events,
    whole.links,
    whole.digests,
    whole.anchored,
)
"""Checks of a ledger as a whole."""

RUN_CHECKS: tuple[Callable[[RunFacts], Result], ...] = (
    record.unfinished,
    record.seq,
    record.total_events,
    record.timestamps,
    record.after_the_end,
    record.duration,
    record.status,
    record.kinds,
    record.spelling,
    record.payloads,
    record.entries,
    record.doubts,
    record.twice,
    record.retries,
    planned.plan,
    planned.plan_id,
    planned.spec_digest,
    planned.scope,
    planned.versions,
    planned.order,
    planned.turns,
    planned.blocked,
    planned.antichain,
    planned.skips,
    planned.silent,
    tampering.final_state_digest,
)
"""Checks of one run."""

CHECKS: tuple[Callable[[Any], Result], ...] = (*LEDGER_CHECKS, *RUN_CHECKS)
"""All checks: plain functions from facts to remarks, or to why they could not be made.

Each says in ``@looks_for("…")`` what should be the case.
"""
