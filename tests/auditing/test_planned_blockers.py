"""A skip that names a hundred of more: the audit verifies who they are, and the number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from seqkit import MemoryRunLedger, RepoDependencyGraph, audit, build_plan, run_plan
from seqkit.core.model import RunEvent


def run(n: int) -> MemoryRunLedger:
    ids = [f"a{number:03}" for number in range(n)]
    plan = build_plan(RepoDependencyGraph.from_edges([*((x, "hub") for x in ids), ("hub", "leaf")]), version="1.0")
    ledger = run_plan(plan, dict.fromkeys(ids, 1.0), rng=1).ledger
    assert isinstance(ledger, MemoryRunLedger)
    return ledger


def changed(ledger: MemoryRunLedger, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """Audit it with the payload of the last skip changed."""
    record = ledger.list_runs()[0]
    other = MemoryRunLedger(ids=[record.run_id], clock=lambda: record.created_at)
    other.create_run(record.spec_digest, record.metadata)
    *events, last = ledger.get_events(record.run_id)
    payload = {key: list(value) if isinstance(value, list) else value for key, value in last.payload.items()}
    change(payload)
    for event in (*events, RunEvent(seq=last.seq, kind=last.kind, payload=payload, timestamp=last.timestamp)):
        other.append_event(record.run_id, event)
    found = audit(other).findings
    return [
        text for check, text in zip(found["check"], found["message"], strict=True) if check in ("skips", "payloads")
    ]


@pytest.mark.parametrize("n", [3, 100, 101, 250])
def test_an_honest_record_has_no_finding(n: int) -> None:
    assert changed(run(n), lambda payload: None) == []


def test_all_of_more_than_a_hundred_may_be_listed_as_they_once_were() -> None:
    def listed(payload: dict[str, Any]) -> None:
        payload["blocked_by"] = [f"a{number:03}" for number in range(150)]
        del payload["n_blocked_by"]

    assert changed(run(150), listed) == []


CHANGES: dict[str, tuple[int, Callable[[dict[str, Any]], object], str]] = {
    "one more": (150, lambda p: p.update(n_blocked_by=151), "has n_blocked_by 151, expected 150"),
    "one less": (150, lambda p: p.update(n_blocked_by=149), "has n_blocked_by 149, expected 150"),
    "no number": (150, lambda p: p.pop("n_blocked_by"), "has n_blocked_by None, expected 150"),
    "a number where all are listed": (3, lambda p: p.update(n_blocked_by=3), "expected none, as all are listed"),
    "one left out": (150, lambda p: p["blocked_by"].pop(), "in plan order: of 150 the nearest"),
    "another one": (150, lambda p: p["blocked_by"].__setitem__(99, "a120"), "in plan order: of 150 the nearest"),
    "turned round": (150, lambda p: p["blocked_by"].reverse(), "in plan order: of 150 the nearest"),
    "a text": (150, lambda p: p.update(n_blocked_by="150"), "has n_blocked_by '150', expected 150"),
    "true": (150, lambda p: p.update(n_blocked_by=True), "has n_blocked_by True, expected 150"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_named_and_counted_is_verified(name: str) -> None:
    n, change, told = CHANGES[name]
    assert told in " | ".join(changed(run(n), change))
