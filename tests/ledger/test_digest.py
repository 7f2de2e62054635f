"""The digest of a run's final state, against its definition read literally."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, items_frame, run_plan
from seqkit.core.model import RepoReleaseStatus, RunEvent
from seqkit.ledger.digest import StateDigest
from tests.tools.strategies import Train, trains


def literally(ledger: Any, run_id: str, repos: list[str]) -> str:
    """Take the digest from what the ledger's frames say."""
    items = items_frame(ledger, run_id).set_index("repo_id")
    statuses = []
    for repo in repos:
        item = items.loc[repo]
        word: Any = item["status"]
        if word == "succeeded":
            word = {"succeeded": {"run_id": item["released_as"]}}
        elif word == "failed":
            word = {"failed": {"reason": item["reason"]}}
        statuses.append([repo, word])
    events = [json.loads(event.model_dump_json()) for event in ledger.get_events(run_id)]
    text = json.dumps([events, statuses], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@settings(max_examples=60)
@given(trains())
def test_every_run_carries_the_digest_of_its_events_and_statuses(train: Train) -> None:
    for record_skips in (True, False):
        outcome = run_plan(
            train.plan,
            ScriptedReleaser(list(train.failing)),
            record_skips=record_skips,
            policy=train.policy,
            failure_budget=train.budget,
            attempts=train.attempts,
        )
        summary = outcome.ledger.get_run(outcome.run_id).summary
        assert summary.final_state_digest == literally(
            outcome.ledger, outcome.run_id, [i.repo_id for i in outcome.items]
        )


def test_a_cancelled_run_has_one_too() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1")
    ledger = MemoryRunLedger(ids=["r"])

    async def stuck(repo: str, *_: str) -> str:
        if repo == "b":
            raise asyncio.CancelledError
        return "x"

    with pytest.raises(asyncio.CancelledError):
        run_plan(plan, stuck, ledger=ledger)
    run = ledger.get_run("r")
    assert run.status == "CANCELLED"
    assert run.summary is not None
    assert run.summary.final_state_digest == literally(ledger, "r", ["a", "b", "c"])


def state_digest(events: list[RunEvent], statuses: list[tuple[str, RepoReleaseStatus]]) -> str:
    digest = StateDigest()
    for event in events:
        digest.add(event)
    return digest.finished((repo, status.to_json()) for repo, status in statuses)


def test_it_tells_every_change() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    event = RunEvent(seq=1, kind="NodeEntered", payload={"node_id": "a", "version": "1"}, timestamp=moment)
    pending, skipped = RepoReleaseStatus.pending(), RepoReleaseStatus.skipped()
    digests = [
        state_digest([event], [("a", pending)]),
        state_digest([event], [("a", skipped)]),
        state_digest([event], [("b", pending)]),
        state_digest([event, event], [("a", pending)]),
        state_digest([], [("a", pending)]),
        state_digest([event.model_copy(update={"seq": 2})], [("a", pending)]),
        state_digest([event.model_copy(update={"kind": "NodeExited"})], [("a", pending)]),
        state_digest([event.model_copy(update={"timestamp": moment.replace(microsecond=1)})], [("a", pending)]),
        state_digest([event.model_copy(update={"payload": {}})], [("a", pending)]),
    ]
    assert len(set(digests)) == len(digests)
