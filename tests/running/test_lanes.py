"""Several releases at once, in virtual time: never too many, never too early, and the outcome of the rules."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RecordedReleaser,
    RepoDependencyGraph,
    Retry,
    RunEvent,
    ScriptedReleaser,
    SequencePlan,
    SequencingFailed,
    SimulatedReleaser,
    SqlRunLedger,
    UnknownRepo,
    VirtualClock,
    audit,
    build_plan,
    delayed,
    execute_plan,
    items_frame,
    run_plan,
    simulate,
)
from seqkit.core.retry import Waits
from seqkit.running.lanes import ranks_of
from tests.tools.lane_rules import Foreseen, comes_to_what_if, keeps_the_rules
from tests.tools.strategies import dags, subsets

IDS = st.sampled_from("abcdefgh")


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in edges], nodes=list(nodes)), version="1")


def plan_of_names(*names: str) -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([], nodes=names), version="1")


def events_of(outcome: Any) -> list[RunEvent]:
    return list(outcome.ledger.get_events(outcome.run_id))


def told(events: Sequence[RunEvent]) -> list[tuple[str, str, float]]:
    began = events[0].timestamp
    return [(e.kind, e.payload["node_id"], (e.timestamp - began).total_seconds()) for e in events]


class Scripted:
    """Takes its time by the clock, and fails the attempts that it is told to."""

    def __init__(self, seconds: dict[str, int], failing: dict[str, int]) -> None:
        self.seconds, self.failing = seconds, failing
        self.under_way: set[str] = set()
        self.most = 0

    async def release(self, repo: str, version: str, digest: str, by: str, attempt: int = 1) -> str:
        self.under_way.add(repo)
        self.most = max(self.most, len(self.under_way))
        await CLOCK[0].sleep(self.seconds.get(repo, 0))
        self.under_way.remove(repo)
        if attempt <= self.failing.get(repo, 0):
            raise SequencingFailed(repo, f"attempt {attempt}")
        return f"run-{repo}"


CLOCK: list[VirtualClock] = []


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    nodes, edges = draw(dags(8, IDS))
    released = draw(st.just(nodes) | subsets(nodes))
    plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), [(repo, "1") for repo in released])
    attempts = draw(st.integers(1, 3))
    return {
        "plan": plan,
        "seconds": {repo: draw(st.integers(0, 4)) for repo in nodes},
        "failing": {repo: draw(st.sampled_from([0, 0, 0, 1, 2, 3])) for repo in nodes},
        "attempts": Retry(attempts, delay=draw(st.integers(0, 3)), backoff=draw(st.sampled_from([1.0, 2.0]))),
        "max_parallel": draw(st.sampled_from([1, 2, 3, 8, None])),
        "priority": draw(st.sampled_from([None, "plan", "most_blocked", "longest_path"])),
        "policy": draw(st.sampled_from(["skip_dependents", "stop", "continue"])),
        "failure_budget": draw(st.sampled_from([None, None, 1, 2])),
        "min_interval": draw(st.sampled_from([0.0, 0.0, 1.0])),
    }


@given(runs())
@settings(max_examples=120)
def test_a_run_in_lanes_keeps_the_rules(run: dict[str, Any]) -> None:
    plan, seconds, failing = run.pop("plan"), run.pop("seconds"), run.pop("failing")
    CLOCK[:] = [VirtualClock()]
    releaser = Scripted(seconds, failing)
    outcome = run_plan(plan, releaser, clock=CLOCK[0], **run)
    events = events_of(outcome)
    assert run["max_parallel"] is None or releaser.most <= run["max_parallel"]
    keeps_the_rules(plan, events, run["policy"], run["min_interval"])
    comes_to_what_if(outcome, run)
    foreseen = Foreseen(plan, seconds, failing, run).go()
    assert (told(events) if events else []) == foreseen
    report = audit(outcome.ledger)
    assert report.ok, report.findings
    assert not [row for row in report.finding_rows if row.severity == "warning"], report.findings
    assert len(items_frame(outcome.ledger)) == len(plan.items)


@given(runs())
@settings(max_examples=40)
def test_with_one_lane_a_clock_that_jumps_tells_what_a_real_one_does(run: dict[str, Any]) -> None:
    plan, failing = run["plan"], run["failing"]
    terms = {name: run[name] for name in ("policy", "failure_budget")}
    CLOCK[:] = [VirtualClock()]
    attempts = Retry(run["attempts"].attempts)
    virtual = events_of(run_plan(plan, Scripted({}, failing), clock=CLOCK[0], attempts=attempts, **terms))

    async def at_once(repo: str, version: str, digest: str, by: str, attempt: int = 1) -> str:
        if attempt <= failing.get(repo, 0):
            raise SequencingFailed(repo, f"attempt {attempt}")
        return f"run-{repo}"

    real = events_of(run_plan(plan, at_once, attempts=attempts, **terms))
    assert [(e.seq, e.kind, e.payload) for e in virtual] == [(e.seq, e.kind, e.payload) for e in real]


# ---------------------------------------------------------------------- who starts


def test_of_what_ends_at_one_instant_all_ends_are_written_before_anything_starts() -> None:
    plan = plan_of("ac", "bd", nodes="e")
    clock = VirtualClock()
    outcome = run_plan(plan, delayed(ScriptedReleaser(["a"]), 10), max_parallel=3, priority="plan", clock=clock)
    assert told(events_of(outcome)) == [
        ("NodeEntered", "a", 0),
        ("NodeEntered", "b", 0),
        ("NodeEntered", "e", 0),
        ("NodeFailed", "a", 10),
        ("NodeExited", "b", 10),
        ("NodeExited", "e", 10),
        ("NodeSkipped", "c", 10),
        ("NodeEntered", "d", 10),
        ("NodeExited", "d", 20),
    ]
    assert clock.elapsed == timedelta(seconds=20)


@pytest.mark.parametrize(
    ("priority", "first"), [("plan", "ab"), ("most_blocked", "bc"), ("longest_path", "bc"), ({"d": 2, "c": 1}, "dc")]
)
def test_who_goes_first(priority: Any, first: str) -> None:
    plan = plan_of("be", "ef", "cg", nodes="ad")
    outcome = run_plan(plan, delayed(0.0, 1), max_parallel=2, priority=priority, clock=VirtualClock())
    assert "".join(e.payload["node_id"] for e in events_of(outcome)[:2]) == first


def test_the_longest_path_goes_by_durations() -> None:
    plan = plan_of("be", "ef", nodes="a")
    assert ranks_of("longest_path", plan.arrays, {"a": 9.0, "b": 1, "e": 1, "f": 1}) == (-9.0, -3.0, -2.0, -1.0)
    outcome = run_plan(
        plan, 0.0, max_parallel=1, priority="longest_path", clock=VirtualClock(),
        durations={"a": 9, "b": timedelta(seconds=1), "e": 1, "f": 1},
    )  # fmt: skip
    assert events_of(outcome)[0].payload["node_id"] == "a"


def test_a_waiting_retry_holds_no_lane() -> None:
    CLOCK[:] = [VirtualClock()]
    releaser = Scripted(dict.fromkeys("abc", 2), {"a": 1})
    retry = Retry(2, delay=1)
    outcome = run_plan(plan_of(nodes="abc"), releaser, attempts=retry, max_parallel=2, priority="plan", clock=CLOCK[0])
    assert told(events_of(outcome)) == [
        ("NodeEntered", "a", 0),
        ("NodeEntered", "b", 0),
        ("NodeRetrying", "a", 2),
        ("NodeExited", "b", 2),
        ("NodeEntered", "c", 2),
        ("NodeExited", "c", 4),
        ("NodeExited", "a", 5),
    ]


def test_with_one_lane_a_waiting_retry_keeps_it() -> None:
    CLOCK[:] = [VirtualClock()]
    outcome = run_plan(
        plan_of(nodes="ab"), Scripted({"a": 1, "b": 1}, {"a": 1}), attempts=Retry(2, delay=5), clock=CLOCK[0]
    )
    assert told(events_of(outcome)) == [
        ("NodeEntered", "a", 0),
        ("NodeRetrying", "a", 1),
        ("NodeExited", "a", 7),
        ("NodeEntered", "b", 7),
        ("NodeExited", "b", 8),
    ]


def test_once_stopping_nothing_starts_and_what_waits_ends_failed() -> None:
    plan = plan_of(nodes="abc")
    CLOCK[:] = [VirtualClock()]
    releaser = Scripted({"a": 1, "b": 3, "c": 6}, {"a": 9, "b": 9})
    outcome = run_plan(
        plan, releaser, attempts=Retry(2, delay=60, when=lambda error: "repo a:" in str(error)),
        max_parallel=3, policy="stop", clock=CLOCK[0],
    )  # fmt: skip
    events = [(e.kind, e.payload) for e in events_of(outcome)]
    assert (
        "NodeFailed",
        {"node_id": "a", "error": "release sequencing failed for repo a: attempt 1", "after_stop": True},
    ) in events
    assert events[-1] == ("NodeExited", {"node_id": "c", "run_id": "run-c", "after_stop": True})
    assert list(outcome.failures) == ["a", "b"]
    assert audit(outcome.ledger).ok


# ---------------------------------------------------------------------- retries


def test_a_retry_says_when_and_how_long() -> None:
    retry = Retry(5, delay=10, backoff=3, max_delay=40)
    assert retry.delays("a", 1) == (10.0, 30.0, 40.0, 40.0)
    jittered = Retry(3, delay=10, jitter=0.5)
    waits = [jittered.wait("a", 1, 7, trial) for trial in range(500)]
    assert min(waits) >= 5
    assert max(waits) <= 15
    assert abs(sum(waits) / 500 - 10) < 0.5
    assert waits == [jittered.wait("a", 1, 7, trial) for trial in range(500)], "the same seed, the same waits"
    busy, fatal = RuntimeError("429"), RuntimeError("no")
    busy.retry_after = 90.0  # type: ignore[attr-defined]
    fatal.retryable = False  # type: ignore[attr-defined]
    assert Retry(5000, delay=1, backoff=10).wait("a", 4000, 1) == 3.2e9, "a century, and no overflow"
    assert Waits(retry).after(busy, "a", 1, 0.0) == 90.0
    assert Waits(retry).after(fatal, "a", 1, 0.0) is None
    assert Waits(Retry(5, delay=10, deadline=25)).after(ValueError(), "a", 2, 16.0) is None
    assert Waits(Retry(5, when=lambda error: isinstance(error, OSError))).after(ValueError(), "a", 1, 0) is None
    assert Waits(Retry(2)).after(ValueError(), "a", 2, 0.0) is None
    for wrong in ({"delay": -1}, {"backoff": 0.5}, {"jitter": 2}, {"attempts": 0}, {"deadline": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Retry(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="retry_delay is 1 and attempts is Retry"):
        run_plan(plan_of(nodes="a"), 0.0, attempts=Retry(2, delay=3), retry_delay=1.0)


def test_waits_of_one_lane_are_real_and_recorded() -> None:
    plan = plan_of(nodes="a")
    clock = VirtualClock(datetime(2026, 5, 1, tzinfo=UTC))
    outcome = run_plan(plan, {"a": 1.0}, rng=1, attempts=Retry(3, delay=30, backoff=2), clock=clock)
    waits = [e.payload["delay_ms"] for e in events_of(outcome) if e.kind == "NodeRetrying"]
    assert waits == [30_000, 60_000]
    assert clock.elapsed == timedelta(seconds=90)
    tag = outcome.ledger.get_run(outcome.run_id).metadata.tags["plan"]
    assert tag["retry"] == {"delay": 30.0, "backoff": 2.0, "jitter": 0.0, "max_delay": None}
    assert tag["attempts"] == 3
    record = outcome.ledger.get_run(outcome.run_id)
    assert record.created_at == datetime(2026, 5, 1, tzinfo=UTC), "the record carries the run's clock"


# ---------------------------------------------------------------------- rehearsal


def test_a_rehearsal_is_the_run_of_the_trial() -> None:
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    plan = build_plan(graph, version="1")
    trials = simulate(plan, 0.3, trials=64, rng=5, attempts=2)
    for trial in range(64):
        releaser = SimulatedReleaser(0.3, rng=5, trial=trial, durations=60)
        outcome = run_plan(plan, releaser, attempts=2, max_parallel=2, clock=VirtualClock())
        assert outcome.succeeded == trials.trial(trial).outcome.succeeded


def test_a_rehearsal_is_kept_in_a_file_with_the_times_of_its_clock(tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2026, 5, 1, tzinfo=UTC))
    plan = plan_of("ab")
    run_plan(plan, delayed(0.0, 3600), tmp_path / "runs.db", clock=clock)
    own = MemoryRunLedger()
    run_plan(plan, delayed(0.0, 3600), own, clock=clock)
    with SqlRunLedger(tmp_path / "runs.db") as kept:
        records = [kept.list_runs()[0], own.list_runs()[0]]
        assert audit(kept).ok
        assert not audit(kept).finding_rows
    assert [record.created_at.hour for record in records] == [0, 2]
    assert [record.summary.duration_ms for record in records if record.summary] == [7_200_000] * 2
    assert [record.completed_at.hour for record in records if record.completed_at] == [2, 4]


def test_what_is_recorded_is_done_again_try_by_try_and_with_more_lanes_sooner() -> None:
    graph = RepoDependencyGraph.from_edges([("a", "d"), ("b", "d"), ("c", "e")])
    plan = build_plan(graph, version="1")
    CLOCK[:] = [VirtualClock()]
    releaser = Scripted({"a": 10, "b": 20, "c": 5, "d": 7, "e": 9}, {"a": 1, "c": 9})
    past = run_plan(plan, releaser, attempts=Retry(2, delay=3), clock=CLOCK[0])
    clock = VirtualClock()
    again = run_plan(plan, RecordedReleaser(past.ledger, past.run_id), attempts=2, clock=clock)
    assert (again.succeeded, again.failures) == (past.succeeded, past.failures)
    assert (CLOCK[0].elapsed, clock.elapsed) == (timedelta(seconds=63), timedelta(seconds=57)), "but for the waits"
    wide = VirtualClock()
    run_plan(plan, RecordedReleaser(past.ledger, past.run_id), attempts=2, max_parallel=None, clock=wide)
    assert wide.elapsed == timedelta(seconds=27)
    more = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "never there"]), version="1")
    failures = run_plan(more, RecordedReleaser(past.ledger, past.run_id), clock=VirtualClock()).failures
    assert "records no end of attempt 1 at 'never there'" in failures["never there"]


def test_threads_take_real_time_and_the_clock_stands_still_meanwhile() -> None:
    plan = plan_of(nodes="ab")
    clock = VirtualClock()
    gate = threading.Event()

    def blocking(repo: str, version: str, digest: str, by: str) -> str:
        if repo == "a":
            gate.wait(10)
        return repo

    async def sleepy(repo: str, version: str, digest: str, by: str) -> Any:
        if repo == "b":
            await clock.sleep(3600)
            return "b"
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, gate.set)
        return await loop.run_in_executor(None, blocking, repo, version, digest, by)

    outcome = run_plan(plan, sleepy, max_parallel=2, clock=clock)
    assert [entry for entry in told(events_of(outcome)) if entry[0] == "NodeExited"] == [
        ("NodeExited", "a", 0),
        ("NodeExited", "b", 3600),
    ]


# ---------------------------------------------------------------------- breaking off


def test_a_cancellation_asks_all_to_stop_and_records_what_came_of_them() -> None:
    plan = plan_of("ad", nodes="bc")

    async def release(repo: str, version: str, digest: str, by: str) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if repo == "b":
                return "out all the same"
            if repo == "c":
                raise RuntimeError("half done") from None
            raise
        return repo

    ledger = MemoryRunLedger(ids=["r"])

    async def main() -> None:
        task = asyncio.create_task(execute_plan(plan, release, ledger, max_parallel=3))
        while len(ledger.list_runs()) == 0 or len(ledger.get_events("r")) < 3:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert ledger.get_run("r").status.value == "CANCELLED"
    kinds = [(e.kind, e.payload["node_id"]) for e in ledger.get_events("r")[3:]]
    assert kinds == [("NodeExited", "b"), ("NodeFailed", "c")]
    frame = items_frame(ledger).set_index("repo_id")
    assert frame["status"].to_dict() == {"a": "in_progress", "b": "succeeded", "c": "failed", "d": "pending"}
    assert audit(ledger).ok


def test_a_listener_that_raises_ends_the_run_and_loses_nothing() -> None:
    plan = plan_of(nodes="abc")

    def listener(event: RunEvent) -> None:
        if event.kind == "NodeExited":
            raise RuntimeError("no more")

    ledger = MemoryRunLedger(ids=["r"])
    with pytest.raises(RuntimeError, match="no more") as raised:
        run_plan(plan, delayed(0.0, 5), ledger, max_parallel=3, clock=VirtualClock(), on_event=listener)
    assert not getattr(raised.value, "__notes__", []), "all could be recorded"
    assert ledger.get_run("r").status.value == "FAILED"
    assert items_frame(ledger)["status"].tolist() == ["succeeded"] * 3
    assert audit(ledger).ok


@pytest.mark.parametrize("goes_on", [False, True])
def test_what_is_asked_to_stop_as_a_run_fails_is_in_doubt_and_leaves_no_hole(goes_on: bool) -> None:
    def listener(event: RunEvent) -> None:
        if event.kind == "NodeExited":
            raise RuntimeError("no more")

    clock = VirtualClock()

    async def release(repo: str, version: str, digest: str, by: str) -> str:
        while True:
            try:
                await clock.sleep(5 if repo == "a" else 3600)
            except asyncio.CancelledError as error:
                if not goes_on:
                    raise asyncio.CancelledError("half way") from error
            else:
                return repo

    ledger = MemoryRunLedger(ids=["r"], clock=clock)
    with pytest.raises(RuntimeError, match="no more"):
        run_plan(plan_of(nodes="ab"), release, ledger, max_parallel=2, clock=clock, on_event=listener)
    last = ledger.get_events("r")[-1]
    said = "" if goes_on else ": half way"
    assert (last.kind, last.payload) == (
        "NodeFailed",
        {"node_id": "b", "error": f"asked to stop, as the run broke off{said}", "in_doubt": True, "after_stop": True},
    )
    assert ledger.get_run("r").status.value == "FAILED"
    assert audit(ledger).ok


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_rule_of_retries_that_raises_ends_the_run_and_leaves_nothing_in_doubt(lanes: int) -> None:
    def when(error: BaseException) -> bool:
        raise LookupError("no rule for this")

    ledger = MemoryRunLedger(ids=["r"])
    with pytest.raises(LookupError, match="no rule for this"):
        run_plan(plan_of(nodes="ab"), {"a": 1.0}, ledger, rng=1, attempts=Retry(2, when=when), max_parallel=lanes)
    assert items_frame(ledger)["status"].iloc[0] == "failed"
    assert ledger.get_run("r").status.value == "FAILED"
    assert audit(ledger).ok


def test_what_waits_to_be_tried_again_is_not_in_doubt_where_the_run_breaks_off() -> None:
    def listener(event: RunEvent) -> None:
        if event.kind == "NodeExited":
            raise RuntimeError("no more")

    CLOCK[:] = [VirtualClock()]
    ledger = MemoryRunLedger(ids=["r"])
    releaser = Scripted({"a": 1, "b": 3}, {"a": 1})
    with pytest.raises(RuntimeError, match="no more"):
        run_plan(plan_of(nodes="ab"), releaser, ledger, attempts=Retry(2, delay=60), max_parallel=2, clock=CLOCK[0],
                 on_event=listener)  # fmt: skip
    frame = items_frame(ledger).set_index("repo_id")
    assert frame["status"].to_dict() == {"a": "failed", "b": "succeeded"}
    assert audit(ledger).ok


def test_a_repo_without_a_duration_is_refused_before_the_run() -> None:
    plan, ledger = plan_of(nodes="ab"), MemoryRunLedger()
    for releaser in (
        delayed(0.0, {"a": 1}),
        SimulatedReleaser(0.0, durations={"a": 1}),
        delayed(delayed(0.0, {"a": 1}), 1),
    ):
        with pytest.raises(ValueError, match="durations has none for 'b', expected one for each repo to release"):
            run_plan(plan, releaser, ledger)
    with pytest.raises(ValueError, match="durations is -1, expected seconds from 0 or a timedelta"):
        delayed(0.0, -1)
    assert not ledger.list_runs()


def test_a_clock_serves_one_run_at_a_time() -> None:
    clock = VirtualClock()

    async def both() -> None:
        plan = plan_of(nodes="ab")
        first = asyncio.create_task(execute_plan(plan, delayed(0.0, 7), max_parallel=2, clock=clock))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="clock drives another run already"):
            await execute_plan(plan, delayed(0.0, 7), max_parallel=2, clock=clock)
        assert (await first).succeeded == ["a", "b"]

    asyncio.run(both())


def test_two_runs_of_one_loop_do_not_disturb_each_other() -> None:
    plan = plan_of("ac", "bc", nodes="d")

    async def both() -> list[Any]:
        clocks = [VirtualClock(), VirtualClock()]
        return await asyncio.gather(
            *(execute_plan(plan, delayed(0.0, 7), max_parallel=2, clock=clock) for clock in clocks)
        )

    first, second = asyncio.run(both())
    assert told(events_of(first)) == told(events_of(second))
    assert told(events_of(first))[-1] == ("NodeExited", "c", 14)


# ---------------------------------------------------------------------- arguments


def test_wrong_arguments_are_named() -> None:
    plan = plan_of(nodes="a")
    for options, message in (
        ({"max_parallel": 0}, "max_parallel is 0, expected a whole number from 1"),
        ({"priority": "fast"}, "priority is 'fast', expected one of"),
        ({"min_interval": -1}, "min_interval is -1, expected seconds from 0"),
        ({"grace": float("inf")}, "grace is inf, expected seconds from 0"),
        ({"durations": {"b": 1}}, "durations has none for 'a'"),
    ):
        with pytest.raises(ValueError, match=message):
            run_plan(plan, 0.0, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="priority names 1 repo that the plan does not have: 'b', so"):
        run_plan(plan, 0.0, priority={"b": 1})
    with pytest.warns(UnknownRepo, match="did you mean 'core'"):
        run_plan(plan_of_names("core", "api"), 0.0, priority={"coer": 1, "api": 2})
    with pytest.raises(TypeError, match=r"priority\['a'\] is 'high', expected a number"):
        run_plan(plan, 0.0, priority={"a": "high"})  # type: ignore[dict-item]


def test_the_plan_tag_tells_the_lanes() -> None:
    plan = plan_of(nodes="ab")
    outcome = run_plan(plan, 0.0, max_parallel=None, priority="most_blocked", min_interval=0.0, grace=3)
    tag = outcome.ledger.get_run(outcome.run_id).metadata.tags["plan"]
    assert {name: tag[name] for name in ("max_parallel", "priority", "grace")} == {
        "max_parallel": None,
        "priority": "most_blocked",
        "grace": 3.0,
    }
    assert "min_interval" not in tag
    plain = run_plan(plan, 0.0)
    assert "max_parallel" not in plain.ledger.get_run(plain.run_id).metadata.tags["plan"]


@pytest.mark.slow
def test_each_event_of_three_thousand_random_trains_is_foreseen() -> None:
    for seed in range(3_000):
        r = random.Random(seed)
        nodes = [f"r{i}" for i in range(r.randint(1, 20))]
        edges = [pair for pair in itertools.combinations(nodes, 2) if r.random() < 0.15]
        released = [(repo, "1") for repo in nodes if r.random() < 0.85]
        plan = build_plan(RepoDependencyGraph.from_edges(edges, nodes=nodes), released)
        CLOCK[:] = [VirtualClock()]
        failing = {repo: r.choice([0, 0, 0, 1, 3]) for repo in nodes}
        seconds = {repo: r.randint(0, 9) for repo in nodes}
        options: dict[str, Any] = {
            "attempts": Retry(r.randint(1, 3), delay=r.randint(0, 5), backoff=r.choice([1, 2])),
            "max_parallel": r.choice([1, 2, 3, 4, 8, None]),
            "priority": r.choice([None, "plan", "most_blocked", "longest_path"]),
            "policy": r.choice(["skip_dependents", "stop", "continue"]),
            "failure_budget": r.choice([None, None, 1, 2, 3]),
            "min_interval": r.choice([0, 0, 1, 2]),
        }
        releaser = Scripted(seconds, failing)
        outcome = run_plan(plan, releaser, clock=CLOCK[0], **options)
        events = events_of(outcome)
        assert (told(events) if events else []) == Foreseen(plan, seconds, failing, options).go(), seed
        assert releaser.most <= (options["max_parallel"] or len(nodes))
        comes_to_what_if(outcome, options)
        assert audit(outcome.ledger).ok


def test_the_clock_jumps_past_naps_that_were_cancelled() -> None:
    clock = VirtualClock()

    async def nights() -> list[float]:
        told = []
        for cancelled, slept in ((50, 5.0), (3, 1.0), (0, 2000.0)):
            naps = [asyncio.create_task(clock.sleep(0.5 + each)) for each in range(cancelled)]
            nights = asyncio.create_task(clock.sleep(slept))
            await asyncio.sleep(0)
            for nap in naps:
                nap.cancel()
            await nights
            told.append(clock.elapsed.total_seconds())
        return told

    assert asyncio.run(nights()) == [5.0, 6.0, 2006.0]
