"""One reading of a run: whoever asks what became of a repo gets the same answer, wherever the run broke off."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunStatus,
    StorageError,
    audit,
    build_plan,
    items_frame,
    resume_plan,
    run_plan,
    trains_frame,
)
from seqkit.core.terms import Terms
from seqkit.explore.live import LiveRun
from seqkit.ledger.story import Story, read_story, story_of
from tests.tools.strategies import Train, trains

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CHAIN = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
REASONS = {"in_progress": "in_doubt", "pending": "not_reached"}


def clock() -> Callable[[], datetime]:
    seconds = itertools.count()
    return lambda: NOON + timedelta(seconds=next(seconds))


def whole_run(train: Train, skips: bool) -> tuple[MemoryRunLedger, Any]:
    time = clock()
    ledger = MemoryRunLedger(ids=["run"], clock=time)
    outcome = train.run(ledger, record_skips=skips, clock=time)
    return ledger, outcome


def broken_off(ledger: MemoryRunLedger, after: int) -> MemoryRunLedger:
    record = ledger.get_run("run").model_copy(
        update={"status": RunStatus.RUNNING, "summary": None, "completed_at": None}
    )
    return MemoryRunLedger.from_records([record], [("run", event) for event in ledger.get_events("run")[:after]])


def ends(outcome: Any) -> list[str]:
    return [why or how.name for how, why in zip(outcome.statuses, outcome.skip_causes, strict=True)]


def agree(ledger: MemoryRunLedger, train: Train) -> dict[str, str]:
    """Hold all readers of one run against each other; give the words that they agree on."""
    plan = train.plan
    story = read_story(ledger, "run")
    items = items_frame(ledger, "run")
    told = {one.repo_id: one for one in story.items()}
    words = {repo: one.word for repo, one in told.items()}
    assert list(told) == [item.repo_id for item in plan.items] == items["repo_id"].tolist()
    status, cause = items["status"].astype(object), items["skip_cause"].astype(object)
    assert [why if how == "skipped" else how for how, why in zip(status, cause, strict=True)] == list(words.values())
    assert items["blocked_by"].tolist() == [list(one.blocked_by) for one in told.values()]
    assert items["attempts"].tolist() == [one.attempts for one in told.values()]
    outcome = story.outcome()
    assert [
        how.name if why is None else why for how, why in zip(outcome.statuses, outcome.skip_causes, strict=True)
    ] == (list(words.values()))
    left = {repo: word for repo, word in words.items() if word not in ("succeeded", "unreleased")}
    reasons = resume_plan(ledger, "run", in_doubt="retry").reasons["reason"].astype(object).to_dict()
    assert reasons == {repo: REASONS.get(word, word) for repo, word in left.items()}
    row = trains_frame(ledger).iloc[0]
    assert (row["planned"], row["released"], row["left"]) == (
        len(plan.released),
        list(words.values()).count("succeeded"),
        len(left),
    )
    assert row["failed"] == list(words.values()).count("failed")
    assert row["attempts"] == sum(one.attempts for one in told.values())
    live = LiveRun(plan)
    for event in ledger.get_events("run"):
        live(event)
    if story.record_skips:
        assert live.words == words
    live.finish(outcome)
    assert live.words == words
    return words


@settings(max_examples=120)
@given(trains(largest=6), st.booleans())
def test_all_readers_agree_wherever_the_run_broke_off(train: Train, skips: bool) -> None:
    ledger, outcome = whole_run(train, skips)
    words = agree(ledger, train)
    assert list(words.values()) == ends(outcome)
    assert outcome.to_frame().equals(read_story(ledger, "run").outcome().to_frame())
    assert audit(ledger).findings.empty
    for after in range(len(ledger.get_events("run")) + 1):
        broken = broken_off(ledger, after)
        agree(broken, train)
        assert audit(broken).findings["check"].tolist() == ["unfinished"]


@settings(max_examples=60)
@given(trains(largest=6), st.booleans(), st.integers(1, 12))
def test_a_run_that_a_callback_broke_off_is_read_as_it_is_recorded(train: Train, skips: bool, at: int) -> None:
    """Its digest holds, its audit has at most the one warning that it broke off, and all readers agree."""
    time = clock()
    ledger = MemoryRunLedger(ids=["run"], clock=time)

    def stop(event: RunEvent) -> None:
        if event.seq == at:
            raise ValueError("the callback is broken")

    try:
        train.run(ledger, record_skips=skips, on_event=stop, clock=time)
    except ValueError:
        assert ledger.get_run("run").status is RunStatus.FAILED
    agree(ledger, train)
    report = audit(ledger)
    assert report.checks.set_index("check").loc["final_state_digest", "result"] == "passed"
    errors = report.findings.query("severity == 'error'")
    assert set(errors["check"]) <= {"entries"}  # a release that was under way has no end


def test_a_releaser_that_returns_no_text_leaves_one_reading() -> None:
    """Every reader said something else of this run once."""
    plan = build_plan(CHAIN, version="1")
    for skips in (True, False):
        ledger = MemoryRunLedger(ids=["run"])
        with pytest.raises(TypeError, match="expected an id"):
            run_plan(plan, lambda repo, *_: None if repo == "api" else repo, ledger, record_skips=skips)
        story = read_story(ledger, "run")
        below = "pending" if skips else "blocked"
        assert [one.word for one in story.items()] == ["succeeded", "failed", "pending", below]
        assert resume_plan(ledger, "run").reasons["reason"].tolist() == [
            "failed",
            "not_reached",
            "not_reached" if skips else "blocked",
        ]
        assert audit(ledger).ok


@pytest.mark.parametrize(
    ("kinds", "word", "reasons"),
    [
        (["Entered", "Exited", "Failed"], "succeeded", []),
        (["Entered", "Exited", "Entered"], "succeeded", []),
        (["Entered", "Exited", "Skipped"], "succeeded", []),
        (["Exited"], "succeeded", []),
        (["Failed"], "failed", ["red"]),
        (["Failed", "Exited"], "succeeded", ["red"]),
        (["Entered", "Failed", "Entered"], "in_progress", ["red"]),
        (["Entered", "Failed", "Skipped"], "failed", ["red"]),
        (["Entered", "Entered", "Failed"], "failed", ["red"]),
        (["Entered", "Retrying", "Retrying", "Exited"], "succeeded", ["red", "red"]),
        (["Entered", "Retrying"], "in_progress", ["red"]),
        (["Entered", "Skipped"], "in_progress", []),
        (["Retrying"], "in_progress", ["red"]),
        (["Entered", "Failed", "Retrying"], "failed", ["red", "red"]),
        (["Skipped", "Entered"], "in_progress", []),
        (["Skipped", "Skipped"], "stopped", []),
        (["Vanished"], "pending", []),
        ([], "pending", []),
    ],
)
def test_what_contradicts_itself_has_one_reading_too(kinds: list[str], word: str, reasons: list[str]) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["core"]), version="1")
    story = Story(plan)
    for seq, kind in enumerate(kinds, 1):
        payload = {"node_id": "core", "error": "red", "run_id": "x", "version": "1", "blocked_by": [], "attempt": seq}
        story.tell(RunEvent(seq=seq, kind=f"Node{kind}", payload=payload, timestamp=NOON + timedelta(seconds=seq)))
    [told] = story.items()
    assert (told.word, told.reasons) == (word, reasons)
    ended = [one for one in told.tries if one.outcome != "in_progress"]
    assert len(reasons) == len([one for one in ended if one.outcome == "failed"])
    assert told.attempts == len(ended) + (told.status == "in_progress")


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
kinds = st.sampled_from([*(f"Node{word}" for word in ("Entered", "Exited", "Failed", "Skipped", "Retrying")), "X", ""])


@given(
    st.lists(
        st.tuples(
            kinds,
            st.fixed_dictionaries(
                {"node_id": st.sampled_from(["core", "api", "app", "docs", "else", 7])},
                optional=dict.fromkeys(("error", "run_id", "version", "blocked_by", "delay_ms", "attempt"), junk),
            )
            | junk,
        ),
        max_size=12,
    ),
    st.sampled_from([None, build_plan(CHAIN, version="1")]),
    st.booleans(),
)
def test_nothing_that_stands_in_a_record_raises(events: list[Any], plan: Any, skips: bool) -> None:
    story = Story(plan, Terms(), skips)
    for seq, (kind, payload) in enumerate(events, 1):
        story.tell(RunEvent(seq=seq, kind=kind, payload=payload, timestamp=NOON))
    for told in story.items():
        assert (told.skip_cause is not None) == (told.status == "skipped")
        assert (told.released_as is not None) == (told.status == "succeeded")
        assert (told.reason is not None) == (told.status == "failed")
    if plan is not None:
        assert len(story.outcome().statuses) == 4


def test_a_story_that_is_copied_goes_its_own_way() -> None:
    plan = build_plan(CHAIN, version="1")
    story = Story(plan)
    entered = RunEvent(seq=1, kind="NodeEntered", payload={"node_id": "core", "version": "1"}, timestamp=NOON)
    story.tell(entered)
    other = story.copy()
    other.tell(RunEvent(seq=2, kind="NodeExited", payload={"node_id": "core", "run_id": "x"}, timestamp=NOON))
    assert (story.items()[0].word, other.items()[0].word) == ("in_progress", "succeeded")


def test_what_could_not_be_written_is_told_all_the_same() -> None:
    class Full(MemoryRunLedger):
        def append_event(self, run_id: str, event: RunEvent) -> None:
            if event.seq == 4:
                raise OSError("the disk is full")
            super().append_event(run_id, event)

    ledger = Full(ids=["run"])
    with pytest.raises(StorageError) as caught:
        run_plan(build_plan(CHAIN, version="1"), 0.0, ledger)
    assert caught.value.outcome.succeeded == ["core", "api"]
    assert [one.word for one in read_story(ledger, "run").items()] == ["succeeded", "in_progress", "pending", "pending"]


def test_a_story_without_a_plan_tells_of_whom_its_events_name() -> None:
    ledger = MemoryRunLedger(ids=["run"])
    run_plan(build_plan(CHAIN, version="1"), 0.0, ledger)
    record = ledger.get_run("run").model_copy(
        update={"metadata": ledger.get_run("run").metadata.model_copy(update={"tags": {}})}
    )
    story = story_of(record, ledger.get_events("run"))
    assert story.plan is None
    assert [one.repo_id for one in story.items()] == ["core", "api", "docs", "app"]
    with pytest.raises(ValueError, match="a story without a plan has no outcome"):
        story.outcome()
