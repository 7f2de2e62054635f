"""The digest of a run's final state, against its definition read literally."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunMetadata,
    RunRecord,
    RunStatus,
    RunSummary,
    ScriptedReleaser,
    build_plan,
    close_run,
    items_frame,
    open_ledger,
    read_ledger,
    run_plan,
    write_ledger,
)
from seqkit.core.model import ContentDigest
from seqkit.ledger.digest import Ending, StateDigest
from tests.tools.strategies import Train, trains


def literally(ledger: Any, run_id: str, repos: list[str], version: int = 2) -> str:
    """Take the digest from what the ledger's frames say, and from the record as it is exported."""
    items = items_frame(ledger, run_id).set_index("repo_id")
    endings = []
    for repo in repos:
        item = items.loc[repo]
        word: Any = item["status"]
        if word == "succeeded":
            word = {"succeeded": {"run_id": item["released_as"]}}
        elif word == "failed":
            word = {"failed": {"reason": item["reason"]}}
        cause = item["skip_cause"] if item["status"] == "skipped" else None
        endings.append([repo, word] if version == 1 else [repo, word, cause])
    events = [json.loads(event.model_dump_json()) for event in ledger.get_events(run_id)]
    run = json.loads(ledger.get_run(run_id).model_dump_json())
    begin = {name: run[name] for name in ("created_at", "metadata", "run_id", "spec_digest")}
    end = {"status": run["status"]}
    end |= {name: run["summary"][name] for name in ("duration_ms", "success", "total_events")}
    whole = [events, endings] if version == 1 else [begin, events, endings, end]
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@settings(max_examples=60)
@given(trains())
def test_every_run_carries_the_digest_of_its_record_and_of_what_became_of_each_repo(train: Train) -> None:
    for record_skips in (True, False):
        outcome = run_plan(
            train.plan,
            ScriptedReleaser(list(train.failing)),
            record_skips=record_skips,
            policy=train.policy,
            failure_budget=train.budget,
            attempts=train.attempts,
            tags={"train": "2026.1", "due": datetime(2026, 1, 2, tzinfo=UTC), "numbers": [1, 1.0, True, None]},
        )
        summary = outcome.ledger.get_run(outcome.run_id).summary
        assert summary.final_state_digest == literally(
            outcome.ledger, outcome.run_id, [i.repo_id for i in outcome.items]
        )


PLAN = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("b", "c")]), version="1")


def test_it_is_the_same_in_every_store(tmp_path: Path) -> None:
    ledger = MemoryRunLedger(ids=["r"])
    run_plan(PLAN, ScriptedReleaser({"b": "é\n🚀"}), ledger, tags={"é": {"b": 1e300, "a": ["\u2028", 10**30]}})
    for name in ("l.jsonl", "l.jsonl.gz", "l.db"):
        write_ledger(ledger, tmp_path / name)
        back = read_ledger(tmp_path / name)
        assert back.get_run("r").summary.final_state_digest == literally(back, "r", ["a", "b", "c"])
    with open_ledger(tmp_path / "own.db") as own:
        run_id = run_plan(PLAN, ScriptedReleaser({"b": "x"}), own).run_id
        assert run_id is not None
        summary = own.get_run(run_id).summary
        assert summary is not None
        assert summary.final_state_digest == literally(own, run_id, ["a", "b", "c"])


def test_a_cancelled_run_has_one_too() -> None:
    ledger = MemoryRunLedger(ids=["r"])

    def stuck(repo: str, *_: str) -> str:
        if repo == "b":
            raise KeyboardInterrupt
        return "x"

    with pytest.raises(KeyboardInterrupt):
        run_plan(PLAN, stuck, ledger=ledger)
    run = ledger.get_run("r")
    assert run.status == "CANCELLED"
    assert run.summary is not None
    assert run.summary.final_state_digest == literally(ledger, "r", ["a", "b", "c"])


@pytest.mark.parametrize("version", [1, 2])
def test_a_run_that_is_closed_gets_the_digest_that_its_plan_tells(version: int) -> None:
    ledger = MemoryRunLedger(ids=["whole", "dead"])
    tags = dict(run_plan(PLAN, ScriptedReleaser(), ledger).ledger.get_run("whole").metadata.tags)
    if version == 1:
        tags["plan"] = {name: value for name, value in tags["plan"].items() if name != "digest"}
    ledger.create_run(ledger.get_run("whole").spec_digest, RunMetadata(tags=tags))
    for event in ledger.get_events("whole")[:3]:
        ledger.append_event("dead", event)
    summary = close_run(ledger, "dead", "the machine lost power").summary
    assert summary is not None
    assert summary.final_state_digest == literally(ledger, "dead", ["a", "b", "c"], version)


def test_what_is_in_the_tags_of_a_run_cannot_be_changed_while_it_goes_on() -> None:
    ledger = MemoryRunLedger(ids=["r"])
    tags: dict[str, Any] = {"more": {"approved": False}}
    run_plan(PLAN, lambda *_: str(tags["more"].update(approved=True)), ledger, tags=tags)
    assert ledger.get_run("r").metadata.tags["more"] == {"approved": False}
    summary = ledger.get_run("r").summary
    assert summary is not None
    assert summary.final_state_digest == literally(ledger, "r", ["a", "b", "c"])


MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
RECORD = RunRecord(
    run_id="r",
    spec_digest=ContentDigest("0" * 64),
    metadata=RunMetadata(tags={"plan": {"digest": 2}}),
    status=RunStatus.RUNNING,
    created_at=MOMENT,
)
EVENT = RunEvent(seq=1, kind="NodeEntered", payload={"node_id": "a", "version": "1"}, timestamp=MOMENT)
SUMMARY = RunSummary(total_events=1, duration_ms=5, success=True)


def state_digest(
    record: RunRecord = RECORD,
    events: tuple[RunEvent, ...] = (EVENT,),
    endings: tuple[Ending, ...] = (("a", "pending", None),),
    status: RunStatus = RunStatus.COMPLETED,
    summary: RunSummary = SUMMARY,
) -> str:
    digest = StateDigest(record)
    for event in events:
        digest.add(event)
    return digest.finished(endings, status, summary)


def test_it_tells_every_change() -> None:
    changed = [
        *({"events": (EVENT.model_copy(update=change),)} for change in (
            {"seq": 2}, {"kind": "NodeExited"}, {"payload": {}}, {"timestamp": MOMENT + timedelta(microseconds=1)},
        )),
        {"events": ()},
        {"events": (EVENT, EVENT)},
        *({"endings": ((repo, status, cause),)} for repo, status, cause in (
            ("b", "pending", None), ("a", "skipped", "blocked"), ("a", "skipped", "stopped"),
            ("a", "skipped", "unreleased"), ("a", {"succeeded": {"run_id": "x"}}, None),
        )),
        {"endings": ()},
        {"status": RunStatus.FAILED},
        *({"summary": SUMMARY.model_copy(update=change)} for change in (
            {"total_events": 2}, {"duration_ms": 6}, {"success": False},
        )),
        *({"record": RECORD.model_copy(update=change)} for change in (
            {"run_id": "s"},
            {"spec_digest": ContentDigest("1" * 64)},
            {"created_at": MOMENT + timedelta(microseconds=1)},
            *({"metadata": RECORD.metadata.model_copy(update=more)} for more in (
                {"git_sha": "x"},
                {"agent_name": "x"},
                {"tags": {"plan": {"digest": 2}, "due": None}},
                {"tags": {"plan": {"digest": 2, "attempts": 1}}},
                {"tags": {"plan": {"digest": 2, "attempts": 1.0}}},
                {"tags": {"plan": {"digest": 2, "attempts": True}}},
            )),
        )),
    ]  # fmt: skip
    digests = [state_digest(), *(state_digest(**change) for change in changed)]  # type: ignore[arg-type]  # by name
    assert len(set(digests)) == len(digests) == 26
