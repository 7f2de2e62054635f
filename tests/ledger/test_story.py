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
    what_if,
)
from seqkit.core.terms import Terms
from seqkit.explore.live import LiveRun
from seqkit.ledger.story import KINDS, KINDS_BESIDE, Story, read_story, story_of
from tests.tools.by_hand import BEGAN, PROCESS, Run, written
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


def agree_wherever_it_broke_off(train: Train, skips: bool) -> None:
    ledger, outcome = whole_run(train, skips)
    words = agree(ledger, train)
    assert list(words.values()) == ends(outcome)
    assert outcome.to_frame().equals(read_story(ledger, "run").outcome().to_frame())
    assert audit(ledger).findings.empty
    for after in range(len(ledger.get_events("run")) + 1):
        broken = broken_off(ledger, after)
        agree(broken, train)
        assert audit(broken).findings["check"].tolist() == ["unfinished"]


# Each example is asked once for each of its events, so that a few of them are hundreds of broken runs.
@settings(max_examples=25)
@given(trains(largest=6), st.booleans())
def test_all_readers_agree_wherever_the_run_broke_off(train: Train, skips: bool) -> None:
    agree_wherever_it_broke_off(train, skips)


@pytest.mark.slow
@settings(max_examples=120)
@given(trains(largest=6), st.booleans())
def test_all_readers_agree_wherever_any_of_many_runs_broke_off(train: Train, skips: bool) -> None:
    agree_wherever_it_broke_off(train, skips)


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
        assert [one.word for one in story.items()] == ["succeeded", "in_doubt", "pending", below]
        assert resume_plan(ledger, "run", in_doubt="retry").reasons["reason"].tolist() == [
            "in_doubt",
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
kinds = st.sampled_from([*KINDS, *KINDS_BESIDE, "X", ""])


@given(
    st.lists(
        st.tuples(
            kinds,
            st.fixed_dictionaries(
                {"node_id": st.sampled_from(["core", "api", "app", "docs", "else", 7])},
                optional=dict.fromkeys(("error", "run_id", "version", "blocked_by", "delay_ms", "attempt"), junk)
                | dict.fromkeys(("in_doubt", "still_running"), st.booleans() | junk),
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
        assert told.is_out == (told.out_at is not None)
        assert told.is_out or told.released_as is None  # another system's releases may have no names
        assert not (told.unsure and (told.is_out or told.status != "failed"))
        assert told.status == "failed" or told.reason is None
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


@pytest.mark.parametrize(
    ("steps", "word", "in_doubt", "running", "out"),
    [
        (["enter a", "fail a"], "failed", False, False, False),
        (["enter a", "doubt a"], "in_doubt", True, False, False),
        (["enter a", "hang a"], "in_doubt", True, True, False),
        (["enter a", "hang a", "late a"], "failed", False, False, True),
        (["enter a", "hang a", "late a", "lost a"], "failed", False, False, True),
        (["enter a", "hang a", "stopped a"], "failed", False, False, False),
        (["enter a", "hang a", "lost a"], "in_doubt", True, False, False),
        (["enter a", "hang a", "enter a"], "in_progress", True, False, False),
        (["enter a", "doubt a", "fail a"], "failed", False, False, False),
        (["enter a", "retry a", "found a"], "succeeded", False, False, True),
        (["enter a", "late a"], "in_progress", True, False, False),  # of a repo that has not failed it says nothing
        (["enter a", "process a"], "in_progress", True, False, False),
    ],
)
def test_a_failure_may_be_in_doubt_late_or_still_running(
    steps: list[str], word: str, in_doubt: bool, running: bool, out: bool
) -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a"]), version="1")
    [told] = read_story(written(run=Run(plan, steps)), "run").items()
    assert (told.word, told.in_doubt, told.still_running, told.is_out) == (word, in_doubt, running, out)
    assert told.came_late == (out and word == "failed")
    assert told.process == (PROCESS | {"node_id": "a"} if "process a" in steps else None)
    if told.came_late:
        assert told.out_at == BEGAN + timedelta(minutes=3)


def test_an_outcome_tells_doubt_apart_and_counts_it_as_a_failure() -> None:
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")], nodes=["c", "d", "e"]), version="1")
    steps = ["enter a", "hang a", "enter c", "doubt c", "late c", "enter d", "fail d", "skip b a", "enter e"]
    ledger = written(run=Run(plan, steps, "CANCELLED"))
    outcome = read_story(ledger, "run").outcome("run", ledger)
    assert list(outcome.failures) == ["a", "c", "d"]
    assert (outcome.in_doubt, outcome.still_running) == (["a", "e"], ["a"])
    assert outcome.summary() == "0 succeeded, 2 failed, 1 in doubt, 1 blocked, 1 in_progress"
    assert [item.status.to_json() for item in outcome.items if item.repo_id == "a"] == [
        {"failed": {"reason": "timed out after 30 s"}}
    ]
    frame = outcome.to_frame().set_index("repo_id")
    assert frame["in_doubt"].to_dict() == {"a": True, "c": False, "d": False, "e": True, "b": False}
    assert frame["released_as"].dropna().to_dict() == {"c": "run-c"}
    assert str(frame["in_doubt"].dtype) == "boolean"
    html = outcome._repr_html_()
    assert "timed out after 30 s (blocks 1 repo, still running)" in html
    assert "the answer was lost (came out too late)" in html
    assert not what_if(plan, fail="a").in_doubt
