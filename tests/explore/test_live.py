"""What is known of a run while it goes is what its outcome says in the end."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    DurationModel,
    RepoDependencyGraph,
    RepoNotFound,
    ScriptedReleaser,
    SimulatedReleaser,
    VirtualClock,
    build_plan,
    eta,
    run_plan,
    what_if,
)
from seqkit._show.palette import STATUS_STYLES
from seqkit.core.model import RunEvent
from seqkit.explore import LiveRun
from seqkit.ledger.story import read_story
from tests.tools.by_hand import BEGAN, Run, written
from tests.tools.strategies import HOSTILE_NAMES, subsets, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
PLAN = build_plan(GRAPH, version="1")
UTC = "2024-05-01T12:00:00Z"


def event(seq, kind, **payload):
    return RunEvent(seq=seq, kind=kind, payload=payload, timestamp=UTC)


@settings(max_examples=60)
@given(trains(), st.data())
def test_the_end_is_the_outcome(train, data):
    plan = train.plan
    fail = data.draw(subsets(plan.released))
    live, seen = LiveRun(plan), []

    def on_event(found):
        live(found)
        seen.append(sum(live.counts.values()))
        assert live.n_ended <= live.n_released

    outcome = run_plan(
        plan,
        ScriptedReleaser(dict.fromkeys(fail, "no")),
        policy=train.policy,
        failure_budget=train.budget,
        attempts=train.attempts,
        on_event=on_event,
    )
    assert list(live.words.values()) == outcome.words()
    assert live.over
    assert live.attempts == {
        item.repo_id: tried for item, tried in zip(plan.items, outcome.attempts, strict=True) if tried
    }
    assert set(seen) <= {len(plan.items)}
    assert list(live.counts) == list(STATUS_STYLES)


def test_each_event_is_told_in_words():
    live = LiveRun(PLAN)
    told = []
    for found in (
        event(1, "NodeEntered", node_id="core", version="1"),
        event(2, "NodeRetrying", node_id="core", attempt=1, delay_ms=0, error="flaky"),
        event(3, "NodeExited", node_id="core", run_id="run-core"),
        event(4, "NodeEntered", node_id="api", version="1"),
        event(5, "NodeFailed", node_id="api", error="tests are red"),
        event(6, "NodeSkipped", node_id="docs", blocked_by=[]),
        event(7, "NodeSkipped", node_id="app", blocked_by=["api", "b", "c", "d"]),
    ):
        live(found)
        told.append(live.last)
    assert told == [
        "core 1 is being released",
        "core is tried again (attempt 2): flaky",
        "core is out as run-core",
        "api 1 is being released",
        "api failed: tests are red",
        "docs is skipped: the run was stopped",
        "app is skipped: api, b, c and 1 more failed",
    ]
    assert live.words == {"core": "succeeded", "api": "failed", "docs": "stopped", "app": "blocked"}
    assert live.attempts == {"core": 2, "api": 1}


def test_a_second_run_begins_anew():
    live = LiveRun(PLAN)
    run_plan(PLAN, ScriptedReleaser({"core": "no"}), on_event=live)
    live(event(1, "NodeEntered", node_id="core", version="1"))
    assert live.words == {"core": "in_progress", "api": "pending", "docs": "pending", "app": "pending"}
    assert live.n_ended == 0


def test_skips_that_are_not_recorded_come_with_the_outcome():
    live = LiveRun(PLAN)
    outcome = run_plan(PLAN, ScriptedReleaser({"core": "no"}), record_skips=False, on_event=lambda event: live(event))
    assert live.words["app"] == "pending"
    assert not live.over
    live.finish(outcome)
    assert live.words["app"] == "blocked"
    assert live.over
    with pytest.raises(ValueError, match="outcome is of plan"):
        live.finish(what_if(build_plan(GRAPH, version="2")))


def test_foreign_events():
    live = LiveRun(PLAN)
    live(event(1, "SomethingElse", text="x"))
    live(event(2, "NodeBlessed", node_id="core"))
    assert live.words["core"] == "pending"
    with pytest.raises(RepoNotFound, match="elsewhere"):
        live(event(3, "NodeEntered", node_id="elsewhere", version="1"))
    with pytest.raises(TypeError, match="plan is a RepoDependencyGraph, expected a SequencePlan"):
        LiveRun(GRAPH)


def test_hostile_names_and_reasons():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=HOSTILE_NAMES), version="1")
    live = LiveRun(plan)
    for name in HOSTILE_NAMES:
        run_plan(plan, ScriptedReleaser({name: name * 3}), on_event=live)
        assert live.words[name] == "failed"
        assert len(live.last) < 400


def test_events_of_a_thread():
    live = LiveRun(PLAN)
    thread = threading.Thread(target=run_plan, args=(PLAN, 0.0), kwargs={"on_event": live})
    thread.start()
    thread.join()
    assert live.over
    assert repr(live) == "LiveRun(4 of 4 repos ended: 4 succeeded)"


def test_payloads_may_be_anything():
    live = LiveRun(PLAN)
    for payload in (None, "x", 7, ["node_id"], {"node_id": 3}):
        live(RunEvent(seq=1, kind="NodeEntered", payload=payload, timestamp=UTC))
    assert set(live.words.values()) == {"pending"}


def test_runs_are_counted():
    live = LiveRun(PLAN)
    assert live.run == 0
    for number in (1, 2, 3):
        run_plan(PLAN, 0.0, on_event=live)
        assert live.run == number
        live.reset()


def test_doubt_lateness_and_what_still_runs_are_told():
    plan = build_plan(RepoDependencyGraph.from_edges([("a", "b")], nodes=["c", "d", "e"]), version="1")
    live, told = LiveRun(plan), []
    steps = ["enter a", "process a", "retry a", "hang a", "enter c", "doubt c", "late c", "enter d", "found d"]
    steps += ["skip b a", "lost a", "stopped a", "enter e"]
    ledger = written(run=Run(plan, steps, "RUNNING"))
    running = []
    for found in ledger.get_events("run"):
        live(found)
        told.append(live.last)
        running.append(live.still_running)
    assert told == [
        "a 1 is being released",
        "a is being released by process 4711",
        "a is tried again (attempt 2): flaky",
        "a failed and is still running, and nobody knows whether it is out: timed out after 30 s",
        "c 1 is being released",
        "c failed, and nobody knows whether it is out: the answer was lost",
        "c is out as run-c, too late for this run",
        "d 1 is being released",
        "d is out as run-d, as a check found",
        "b is skipped: a failed",
        "a has stopped too late for this run, and nobody knows whether it is out: killed",
        "a has stopped too late for this run: killed",
        "e 1 is being released",
    ]
    assert running == [[]] * 3 + [["a"]] * 7 + [[]] * 3
    assert live.words == {"a": "failed", "c": "failed", "d": "succeeded", "e": "in_progress", "b": "blocked"}
    assert live.reasons == {"a": "timed out after 30 s", "c": "the answer was lost"}
    assert live.since == {"e": BEGAN + timedelta(minutes=13)}
    assert live.now() == "e since 10:13:00 UTC"
    live.finish(read_story(ledger, "run").outcome("run", ledger))
    assert list(live.since) == ["e"]


def test_of_many_in_progress_the_first_are_named_with_the_time_of_their_entry():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=list("abcde")), version="1")
    live = LiveRun(plan)
    assert live.now() == ""
    for found in written(run=Run(plan, [f"enter {repo}" for repo in "ebdac"], "RUNNING")).get_events("run"):
        live(found)
    assert list(live.since) == list("ebdac")
    assert live.now() == "e since 10:01:00, b since 10:02:00, d since 10:03:00 UTC and 2 more"
    steps = [f"{word} {repo}" for word in ("enter", "doubt") for repo in "abcde"]
    for found in written(run=Run(plan, steps)).get_events("run"):  # a second run
        live(found)
    assert live.over
    assert live.summary() == "5 of 5 repos ended: 5 in doubt"


def test_when_the_run_will_end_is_told_as_the_ledger_tells_it():
    """By the same draws, as of each event; where the run began is not in the events, so the first is the start."""
    times = DurationModel({"core": 600, "api": 1200, "app": 300, "docs": 60}, sigma=0.4)
    how = {"max_parallel": 2, "attempts": 2}
    live, seen = LiveRun(PLAN, times, 0.2, **how), []
    assert live.eta() is None

    def on_event(found):
        live(found)
        seen.append((found.timestamp, live.eta(trials=60)))

    releaser = SimulatedReleaser(0.2, rng=4, durations=times)
    outcome = run_plan(PLAN, releaser, on_event=on_event, clock=VirtualClock(BEGAN), **how)
    compared = 0
    for number, (now, told) in enumerate(seen):
        if told is not None and (
            number + 1 == len(seen) or seen[number + 1][0] > now
        ):  # else more came at this instant
            expected = eta(outcome.ledger, outcome.run_id, times, 0.2, now=now, trials=60, rng=0)
            assert (told.quantile(0.8), told.mean) == (expected.quantile(0.8), expected.mean)
            compared += 1
    assert compared >= 3
    assert live.eta() is None


# ---------------------------------------------------------------------- the run itself


def test_who_is_told_of_the_run_needs_no_outcome():
    live = LiveRun(PLAN)
    outcome = run_plan(PLAN, ScriptedReleaser({"core": "no"}), record_skips=False, on_event=live)
    assert list(live.words.values()) == outcome.words()
    assert (live.run, live.run_id, live.status.value) == (1, outcome.run_id, "FAILED")
    assert not live.interrupted


def test_what_is_doomed_is_held_at_once_and_stays_pending():
    live, held = LiveRun(PLAN), []
    run_plan(PLAN, ScriptedReleaser({"api": "red"}), on_event=lambda event: (live(event), held.append(live.held())))
    assert held[-3:] == [{"app": ("api",)}, {"app": ("api",)}, {}]  # api failed; docs is entered … app is skipped
    assert live.words["app"] == "blocked"


@pytest.mark.parametrize(
    ("rules", "held"),
    [
        ({"policy": "continue"}, {}),
        ({"policy": "stop"}, {"docs": (), "app": ("api",)}),
        ({"failure_budget": 1}, {"docs": (), "app": ("api",)}),
    ],
)
def test_who_is_held_hangs_on_the_rules_which_the_run_tells(rules, held):
    class Keep(LiveRun):
        def __call__(self, event):
            super().__call__(event)
            if event.kind == "NodeFailed":
                seen.append(self.held())

    seen: list[dict[str, tuple[str, ...]]] = []
    run_plan(PLAN, ScriptedReleaser({"api": "red"}), on_event=Keep(PLAN), **rules)
    assert seen == [held]


def test_all_is_told_of_a_repo():
    live = LiveRun(PLAN)
    run_plan(PLAN, ScriptedReleaser({"api": "red"}), attempts=2, on_event=live)
    told = live.told("api")
    assert (told.word, told.version, len(told.tries)) == ("failed", "1", 2)
    assert told.sentence == f"api: failed, 2 attempts, {told.reason}"
    assert live.told("app").sentence == "app: blocked, waits for api"
    assert live.told("core").sentence == "core: succeeded, 1 attempt, run-core"
    with pytest.raises(RepoNotFound):
        live.told("nobody")


def test_a_run_of_a_ledger_is_taken_up_where_it_stands():
    steps = ["enter core", "exit core", "enter api", "fail api", "enter docs"]
    ledger = written(now=Run(PLAN, steps, "RUNNING", rules={"policy": "stop"}))
    events = ledger.get_events("now")
    live = LiveRun.of(ledger.get_run("now"), events[:3])
    assert live.words == {"core": "succeeded", "api": "in_progress", "docs": "pending", "app": "pending"}
    assert live.catch_up(ledger.get_run("now"), events)
    assert not live.catch_up(ledger.get_run("now"), events)
    assert live.told("app").waits == "held back by api"
    assert live.elapsed() == timedelta(minutes=5)
    assert not live.over
    ended = written(now=Run(PLAN, steps, "CANCELLED"))
    assert live.catch_up(ended.get_run("now"), events)
    assert live.interrupted
    assert live.elapsed() == timedelta(minutes=6)
    assert live.held() == {"app": ("api",)}


def test_a_run_without_a_plan_cannot_be_taken_up():
    ledger = written(now=Run(PLAN, []))
    record = ledger.get_run("now")
    bare = record.model_copy(update={"metadata": record.metadata.model_copy(update={"tags": {}})})
    with pytest.raises(ValueError, match="run 'now' carries no plan that can be read"):
        LiveRun.of(bare, [])
