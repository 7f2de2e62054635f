"""Attempts that take too long, go on regardless or come late, in virtual time; and "it failed, but is it out?"."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    Retry,
    RunStatus,
    SequencePlan,
    SequencingFailed,
    VirtualClock,
    audit,
    build_plan,
    delayed,
    disturbed,
    execute_plan,
    items_frame,
    run_plan,
)


def plan_of(*edges: str, nodes: str = "") -> SequencePlan:
    return build_plan(RepoDependencyGraph.from_edges([(a, b) for a, b in edges], nodes=list(nodes)), version="1")


def told(outcome: Any) -> list[tuple[Any, ...]]:
    """Give of each event its kind, repo, time and what else it says but for times and versions."""
    events = outcome.ledger.get_events(outcome.run_id)
    return [
        (
            event.kind.removeprefix("Node"),
            event.payload["node_id"],
            (event.timestamp - events[0].timestamp).total_seconds(),
            {k: v for k, v in event.payload.items() if k not in ("node_id", "version")},
        )
        for event in events
    ]


class Stubborn:
    """Takes its time by the clock; asked to stop, it goes on, and returns or raises in the end."""

    def __init__(self, clock: VirtualClock, seconds: dict[str, list[float]], ends: str = "returns") -> None:
        self.clock, self.seconds, self.ends = clock, seconds, ends
        self.asked = 0

    async def release(self, repo: str, version: str, digest: str, by: str, attempt: int = 1) -> str:
        until = self.clock.elapsed + timedelta(seconds=self.seconds.get(repo, [0])[attempt - 1])
        while (left := (until - self.clock.elapsed).total_seconds()) > 0:
            try:
                await self.clock.sleep(left)
            except asyncio.CancelledError:
                self.asked += 1
        if self.ends == "raises":
            raise SequencingFailed(repo, "in the end")
        return f"late-{repo}"


# ---------------------------------------------------------------------- time-outs


def test_what_takes_too_long_is_asked_to_stop_and_has_failed_in_doubt() -> None:
    clock = VirtualClock()
    outcome = run_plan(plan_of("ab", nodes="c"), disturbed(0.0, hang={"a": 1.0}, rng=1), timeout=30, clock=clock)
    assert told(outcome) == [
        ("Entered", "a", 0, {}),
        ("Failed", "a", 30, {"error": "timed out after 30 s", "in_doubt": True}),
        ("Entered", "c", 30, {}),
        ("Exited", "c", 30, {"run_id": "run-c"}),
        ("Skipped", "b", 30, {"blocked_by": ["a"]}),
    ]
    assert outcome.failures == {"a": "timed out after 30 s"}
    assert audit(outcome.ledger).ok


def test_it_is_tried_again_and_only_the_last_attempt_leaves_a_doubt() -> None:
    clock = VirtualClock()
    outcome = run_plan(
        plan_of(nodes="a"), disturbed(0.0, hang=1.0, rng=1), attempts=Retry(2, delay=5), timeout=30, clock=clock
    )
    assert told(outcome)[1:] == [
        ("Retrying", "a", 30, {"attempt": 1, "delay_ms": 5000, "error": "timed out after 30 s"}),
        ("Failed", "a", 65, {"error": "timed out after 30 s", "in_doubt": True}),
    ]


def test_an_id_within_the_grace_counts() -> None:
    clock = VirtualClock()
    outcome = run_plan(plan_of(nodes="a"), Stubborn(clock, {"a": [33]}), timeout=30, grace=5, clock=clock)
    assert told(outcome)[1:] == [("Exited", "a", 33, {"run_id": "late-a"})]


def test_what_goes_on_regardless_keeps_its_lane_and_comes_late() -> None:
    clock = VirtualClock()
    releaser = Stubborn(clock, {"a": [100], "b": [50], "c": [1], "d": [5]})
    outcome = run_plan(
        plan_of("ae", nodes="bcd"), releaser, timeout=60, grace=10, max_parallel=2, priority="plan", clock=clock
    )
    assert told(outcome) == [
        ("Entered", "a", 0, {}),
        ("Entered", "b", 0, {}),
        ("Exited", "b", 50, {"run_id": "late-b"}),
        ("Entered", "c", 50, {}),
        ("Exited", "c", 51, {"run_id": "late-c"}),
        ("Entered", "d", 51, {}),
        ("Exited", "d", 56, {"run_id": "late-d"}),
        ("Failed", "a", 70, {"error": "timed out after 60 s", "still_running": True, "in_doubt": True}),
        ("Skipped", "e", 70, {"blocked_by": ["a"]}),
        ("Late", "a", 80, {"error": "left, as nobody waits for it any more", "in_doubt": True}),
    ]
    assert releaser.asked == 2, "asked to stop, then to stop at once"
    assert audit(outcome.ledger).ok
    later = run_plan(
        plan_of("ae", nodes="b"), Stubborn(clock, {"a": [75], "b": [20]}), timeout=60, max_parallel=2, clock=clock
    )
    assert told(later)[-1] == ("Late", "a", 75, {"run_id": "late-a"})
    assert (later.failures, later.skipped) == ({"a": "timed out after 60 s"}, ["e"])
    assert clock.elapsed == timedelta(seconds=80 + 75)


def test_a_repo_is_not_tried_again_while_its_attempt_goes_on() -> None:
    clock = VirtualClock()
    releaser = Stubborn(clock, {"a": [90, 3]}, "raises")
    outcome = run_plan(plan_of(nodes="a"), releaser, attempts=2, timeout=60, max_parallel=2, clock=clock, grace=20)
    assert told(outcome)[1:] == [
        ("Retrying", "a", 80, {"attempt": 1, "delay_ms": 0, "error": "timed out after 60 s", "still_running": True}),
        ("Failed", "a", 93, {"error": "release sequencing failed for repo a: in the end"}),
    ]


def test_an_id_that_comes_late_ends_a_waiting_retry() -> None:
    clock = VirtualClock()
    outcome = run_plan(
        plan_of("ab"), Stubborn(clock, {"a": [75]}), attempts=Retry(2, delay=60), timeout=60, grace=10, clock=clock
    )
    assert told(outcome)[2] == ("Exited", "a", 75, {"run_id": "late-a"})
    assert outcome.succeeded == ["a", "b"]


def test_where_every_lane_is_taken_the_run_ends_and_says_what_is_not_reached() -> None:
    clock = VirtualClock()
    outcome = run_plan(
        plan_of(nodes="abc"), Stubborn(clock, {"a": [9999], "b": [9999]}), timeout=60, grace=10, max_parallel=2,
        clock=clock,
    )  # fmt: skip
    assert [event[:3] for event in told(outcome)[2:]] == [
        ("Failed", "a", 70), ("Failed", "b", 70), ("Late", "a", 80), ("Late", "b", 80),
    ]  # fmt: skip
    assert outcome.ledger.get_run(outcome.run_id).status is RunStatus.CANCELLED
    assert [status.name for status in outcome.statuses] == ["failed", "failed", "pending"]
    assert audit(outcome.ledger).ok


def test_a_thread_cannot_be_stopped_and_is_named() -> None:
    go_on = threading.Event()

    def blocks(repo: str, version: str, digest: str, by: str) -> str:
        go_on.wait(60)
        return "late"

    ledger = MemoryRunLedger(ids=["r"])
    outcome = run_plan(plan_of(nodes="a"), blocks, ledger, timeout=0.05, grace=0.05)
    go_on.set()
    [_, failed] = told(outcome)
    assert failed[0] == "Failed"
    assert failed[3] == {"error": "timed out after 0.05 s", "still_running": True, "in_doubt": True}


@pytest.mark.parametrize("how", ["stop", "a listener"])
def test_one_that_timed_out_and_is_not_tried_again_is_in_doubt(how: str) -> None:
    def listener(event: Any) -> None:
        if how == "a listener" and event.kind == "NodeRetrying":
            raise RuntimeError("no more")

    clock, ledger = VirtualClock(), MemoryRunLedger(ids=["r"])
    with pytest.raises(RuntimeError) if how == "a listener" else contextlib.nullcontext():
        run_plan(
            plan_of(nodes="ab"), disturbed(delayed({"b": 1.0}, {"a": 0, "b": 50}), hang={"a": 1.0}, rng=1), ledger,
            attempts=Retry(2, delay=60, when=lambda error: isinstance(error, TimeoutError)), timeout=40, max_parallel=2,
            policy="stop", clock=clock, on_event=listener,
        )  # fmt: skip
    failed = {e.payload["node_id"]: e.payload.get("in_doubt") for e in ledger.get_events("r") if e.kind == "NodeFailed"}
    assert failed["a"] is True, "nobody asked whether its first attempt released it"


# ---------------------------------------------------------------------- is it out?

IN_THE_END = "timed out after 60 s: release sequencing failed for repo a: in the end"


class Registry:
    """Releases for good, and answers as it is told to."""

    def __init__(self, answers: Callable[[str, int], BaseException | None], knows: bool = True) -> None:
        self.answers, self.knows = answers, knows
        self.out: dict[str, int] = {}
        self.asked: list[str] = []

    async def release(self, repo: str, version: str, digest: str, by: str, attempt: int = 1) -> str:
        error = self.answers(repo, attempt)
        if not isinstance(error, SequencingFailed):
            self.out[repo] = self.out.get(repo, 0) + 1
        if error is not None:
            raise error
        return f"id-{repo}"

    async def check(self, repo: str, version: str) -> str | None:
        self.asked.append(repo)
        if not self.knows:
            raise OSError("registry unreachable")
        return f"found-{repo}" if repo in self.out else None


def test_a_lost_answer_is_found() -> None:
    registry = Registry(lambda repo, attempt: ConnectionError("reset") if repo == "a" else None)
    outcome = run_plan(plan_of("ab"), registry, attempts=3, clock=VirtualClock())
    assert told(outcome)[1] == ("Exited", "a", 0, {"run_id": "found-a", "confirmed": "check", "error": "reset"})
    assert outcome.succeeded == ["a", "b"]
    assert registry.out == {"a": 1, "b": 1}


def test_on_a_clock_that_jumps_nothing_can_wait_for_what_hangs_for_ever() -> None:
    ledger = MemoryRunLedger()
    with pytest.raises(RuntimeError, match=r"all that is under way hangs.*give the run a timeout"):
        run_plan(plan_of("ab"), disturbed(0.0, hang={"a": 1.0}, rng=1), ledger, clock=VirtualClock())
    (record,) = ledger.list_runs()
    assert record.status is RunStatus.FAILED
    assert items_frame(ledger)["status"].astype(str).tolist() == ["failed", "pending"]
    assert items_frame(ledger)["in_doubt"].tolist() == [True, False]


def test_not_out_is_believed_after_a_while() -> None:
    registry = Registry(lambda repo, attempt: SequencingFailed(repo, "red") if attempt == 1 else None)
    outcome = run_plan(plan_of(nodes="a"), registry, attempts=2, check_wait=7, clock=VirtualClock())
    assert told(outcome)[1:] == [
        ("Retrying", "a", 7, {"attempt": 1, "delay_ms": 0, "error": "release sequencing failed for repo a: red"}),
        ("Exited", "a", 7, {"run_id": "id-a"}),
    ]
    assert registry.asked == ["a"] * 4


def test_a_registry_that_lags_is_waited_for() -> None:
    clock = VirtualClock()

    async def lags(repo: str, version: str) -> str | None:
        return "found" if clock.elapsed >= timedelta(seconds=3) else None

    registry = Registry(lambda repo, attempt: ConnectionError("reset"))
    outcome = run_plan(plan_of(nodes="a"), registry.release, check=lags, check_wait=7, clock=clock)
    assert told(outcome)[1:] == [("Exited", "a", 3, {"run_id": "found", "confirmed": "check", "error": "reset"})]


def test_unknown_ends_the_attempts_in_doubt_and_blocks() -> None:
    registry = Registry(lambda repo, attempt: ConnectionError("reset"), knows=False)
    outcome = run_plan(plan_of("ab"), registry, attempts=3, clock=VirtualClock())
    why = "reset (whether it is out is not known: registry unreachable)"
    assert told(outcome)[1:] == [
        ("Failed", "a", 0, {"error": why, "in_doubt": True}),
        ("Skipped", "b", 0, {"blocked_by": ["a"]}),
    ]
    assert audit(outcome.ledger).ok


def test_a_check_that_does_not_answer_in_time_is_no_answer() -> None:
    clock = VirtualClock()

    async def hangs(repo: str, version: str) -> str | None:
        await clock.sleep(3600)
        return None

    registry = Registry(lambda repo, attempt: ConnectionError("reset"))
    outcome = run_plan(plan_of(nodes="a"), registry.release, check=hangs, timeout=20, clock=clock)
    [(_, _, when, payload)] = told(outcome)[1:]
    assert when == 20
    assert payload["in_doubt"] is True


@pytest.mark.parametrize("answer", [True, 7, b"id", ["id"]])
def test_a_check_that_gives_no_id_ends_the_run(answer: Any) -> None:
    ledger = MemoryRunLedger(ids=["r"])
    with pytest.raises(TypeError, match=r"the check returned .* for repo 'a', expected an id as a str"):
        run_plan(plan_of(nodes="a"), {"a": 1.0}, ledger, rng=1, check=lambda repo, version: answer)
    assert ledger.get_events("r")[-1].payload["in_doubt"] is True
    assert ledger.get_run("r").status is RunStatus.FAILED


def test_what_goes_on_after_its_last_attempt_is_asked_for_when_it_has_ended() -> None:
    clock = VirtualClock()
    plan = plan_of(nodes="ab")
    asked: list[timedelta] = []

    async def check(repo: str, version: str) -> str | None:
        asked.append(clock.elapsed)
        return "found"

    releaser = Stubborn(clock, {"a": [75], "b": [50]}, "raises")
    outcome = run_plan(plan, releaser, check=check, timeout=60, grace=10, max_parallel=2, clock=clock)
    assert told(outcome)[-2:] == [
        ("Failed", "a", 70, {"error": "timed out after 60 s", "still_running": True, "in_doubt": True}),
        ("Late", "a", 75, {"run_id": "found", "confirmed": "check", "error": IN_THE_END}),
    ]


@pytest.mark.parametrize("answers", [9999, 150])
def test_what_went_on_and_whose_check_goes_on_too_has_one_end(answers: int) -> None:
    clock = VirtualClock()

    async def deaf(repo: str, version: str) -> str | None:
        while (left := answers - clock.elapsed.total_seconds()) > 0:
            with contextlib.suppress(asyncio.CancelledError):
                await clock.sleep(left)
        return "found"

    releaser = Stubborn(clock, {"a": [75]}, "raises")
    outcome = run_plan(plan_of(nodes="a"), releaser, check=deaf, timeout=60, grace=10, clock=clock)
    late = [payload for kind, repo, _, payload in told(outcome) if (kind, repo) == ("Late", "a")]
    assert late == (
        [{"run_id": "found", "confirmed": "check", "error": IN_THE_END}]
        if answers == 150
        else [{"error": "left, as nobody waits for it any more", "in_doubt": True}]
    )
    assert audit(outcome.ledger).ok


def test_wrong_arguments_are_named() -> None:
    for options, error, message in (
        ({"timeout": 0}, ValueError, "timeout is 0, which no release keeps"),
        ({"timeout": -1}, ValueError, "timeout is -1, expected seconds from 0"),
        ({"check": 7}, TypeError, r"check is 7, expected a function of \(repo_id, version_label\)"),
        ({"check": lambda repo: None}, TypeError, r"check takes \(repo\)"),
        ({"check_wait": "x"}, TypeError, "check_wait is 'x'"),
    ):
        with pytest.raises(error, match=message):
            run_plan(plan_of(nodes="a"), 0.0, **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- interruptions


def test_after_an_interruption_no_check_is_asked_and_the_doubt_is_recorded() -> None:
    asked: list[str] = []
    ledger = MemoryRunLedger(ids=["r"])

    async def fails_when_asked_to_stop(repo: str, version: str, digest: str, by: str) -> str:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            raise OSError("cut off") from None
        return "x"

    async def main() -> None:
        run = execute_plan(plan_of(nodes="a"), fails_when_asked_to_stop, ledger, check=lambda *a: asked.append(a[0]))
        task = asyncio.create_task(run)
        while not ledger.list_runs() or not ledger.get_events("r"):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not asked
    last = ledger.get_events("r")[-1]
    assert (last.kind, last.payload["in_doubt"], last.payload["after_stop"]) == ("NodeFailed", True, True)


def test_a_second_cancellation_does_not_wait_for_the_grace() -> None:
    ledger = MemoryRunLedger(ids=["r"])
    stops: list[int] = []

    async def stubborn(repo: str, version: str, digest: str, by: str) -> str:
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                stops.append(1)

    async def main() -> None:
        task = asyncio.create_task(execute_plan(plan_of(nodes="a"), stubborn, ledger, grace=600))
        while not ledger.list_runs() or not ledger.get_events("r"):
            await asyncio.sleep(0)
        for _ in range(2):
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    began = time.monotonic()
    asyncio.run(main())
    assert len(stops) == 2
    assert time.monotonic() - began < 300, "not the grace"
    assert ledger.get_run("r").status is RunStatus.CANCELLED
