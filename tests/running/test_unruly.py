"""Releasers and checks that go wrong in every way, in virtual time: the rules hold, and the record is true."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    RunEvent,
    RunStatus,
    SequenceOutcome,
    SqlRunLedger,
    VirtualClock,
    audit,
    build_plan,
    disturbed,
    execute_plan,
    run_plan,
)
from seqkit.explore.live import LiveRun
from tests.tools.faults import Base, CountingLoop, Manner, Registry, goes_on, is_true, one_reading, sound
from tests.tools.lane_rules import ENDS, comes_to_what_if, keeps_the_rules
from tests.tools.unruly import shown, told_by, unruly

EXPECTED = (TypeError, Base, SystemExit, KeyboardInterrupt)
CANCELLATIONS = (asyncio.CancelledError, KeyboardInterrupt)


class NoMore(Exception):
    """What a listener raises."""


def keeps_it_all(chance: random.Random, breaks: str = "") -> str:
    """Run what was made up, and hold it against all that must be so; give how the run ended.

    It breaks off where it is cancelled ("cancel"), or a listener raises ("listener"), at some moment.
    """
    plan, registry, options = unruly(chance)
    clock = VirtualClock()
    ledger = MemoryRunLedger(clock=clock)

    def begins(repo: str) -> None:
        [run] = ledger.list_runs()
        events = ledger.get_events(run.run_id)
        known = {(event.payload["node_id"], event.kind) for event in events}
        assert (repo, "NodeEntered") in known, "the entry is durable before the releaser is called"
        ended = {name for name, kind in known if kind in ENDS}
        needs = {a for a, b in plan.edges if b == repo} & set(plan.released)
        assert needs <= ended, "and so is the end of all that it needs"

    registry.begins = begins
    live = LiveRun(plan)
    last = chance.randint(1, 20) if breaks == "listener" else 0

    def listener(event: RunEvent) -> None:
        live(event)
        if event.seq == last:
            raise NoMore

    async def go() -> SequenceOutcome:
        loop = asyncio.get_running_loop()
        run = execute_plan(plan, registry.release, ledger, clock=clock, on_event=listener, **options)
        task = asyncio.create_task(run)
        if breaks == "cancel":
            turn = loop.turn + chance.randint(1, 150)  # type: ignore[attr-defined]  # it counts them
            for more in chance.choice([(0,), (0, chance.randint(1, 60))]):
                loop.acts[turn + more] = task.cancel  # type: ignore[attr-defined]
        try:
            return await task
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}, "it leaves no task"

    outcome: SequenceOutcome | None = None
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        try:
            outcome = runner.run(go())
        except (NoMore, asyncio.CancelledError, *EXPECTED) as error:
            expected = RunStatus.CANCELLED if isinstance(error, CANCELLATIONS) else RunStatus.FAILED
            if not ledger.list_runs():
                return "none"
            assert ledger.list_runs()[0].status is expected
    run_id = sound(ledger, *(["silent", "status"] if outcome is None else []))  # it broke off before their turn
    events = ledger.get_events(run_id)
    assert options["max_parallel"] is None or registry.most <= options["max_parallel"]
    assert not registry.held
    keeps_the_rules(plan, events, options["policy"], options["min_interval"])
    one_reading(ledger, run_id, outcome, None if outcome is None else live)
    if outcome is not None:
        comes_to_what_if(outcome, options)
    once = registry.answers != ""
    is_true(events, registry, once)
    if once:
        goes_on(ledger, run_id, registry)
    return str(ledger.get_run(run_id).status.value)


@given(st.integers(0, 2**32), st.sampled_from(["", "cancel", "listener"]))
@settings(max_examples=90)
def test_whatever_goes_wrong_the_rules_hold_and_the_record_is_true(seed: int, breaks: str) -> None:
    keeps_it_all(random.Random(seed), breaks)


@pytest.mark.slow
@pytest.mark.parametrize("breaks", ["", "cancel", "listener"])
def test_three_thousand_unruly_trains(breaks: str) -> None:
    came = Counter(keeps_it_all(random.Random(seed), breaks) for seed in range(3_000))
    print(came)
    assert set(came) >= {"COMPLETED", "FAILED", "CANCELLED"}


# ---------------------------------------------------------------------- lost answers


def lost_answers(n_plans: int, n_repos: int) -> int:
    """Lose all answers of some trains, and hold what the ledger says is out against what is; give how many."""
    lost = 0
    for number in range(n_plans):
        chance = random.Random(f"lost {number}")
        repos = [f"r{n:04}" for n in range(n_repos)]
        edges = {(repos[chance.randrange(n)], repos[n]) for n in range(1, n_repos) for _ in range(chance.randint(0, 2))}
        plan = build_plan(RepoDependencyGraph.from_edges(sorted(edges), nodes=repos), version="1")
        registry = Registry({repo: [Manner("ok", chance.randint(0, 9))] * 9 for repo in repos})
        hang, limited = (0.0, 0.0) if number % 2 else (0.1, 0.2)
        network = disturbed(registry, lost=1.0, hang=hang, limited=limited, rng=number)
        ledger = MemoryRunLedger()
        outcome = run_plan(
            plan, network, ledger, attempts=9, timeout=60, check_wait=1, max_parallel=chance.choice([1, 4, None]),
            clock=VirtualClock(),
        )  # fmt: skip
        exits = [e.payload for e in ledger.get_events(outcome.run_id) if e.kind == "NodeExited"]
        assert outcome.succeeded == plan.released, "none is lost"
        assert {payload["node_id"] for payload in exits if payload["confirmed"] == "check"} == set(repos)
        assert registry.out == dict.fromkeys(repos, 1), "none is released twice"
        lost += registry.out.total()
    return lost


def test_lost_answers_are_found() -> None:
    assert lost_answers(4, 30) == 120


@pytest.mark.slow
def test_of_ten_thousand_lost_answers_none_is_released_twice_and_none_is_lost() -> None:
    assert lost_answers(25, 400) == 10_000


# ---------------------------------------------------------------------- two runs at once


def test_two_runs_of_one_loop_are_as_each_alone() -> None:
    two_at_once(range(0, 20, 2), "loop", MemoryRunLedger())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_two_runs_in_two_threads_are_as_each_alone(kind: str, tmp_path: Path) -> None:
    two_at_once(range(100, 106, 2), "threads", MemoryRunLedger() if kind == "memory" else tmp_path / "runs.db")


def test_two_runs_in_two_processes_on_one_ledger_are_as_each_alone(tmp_path: Path) -> None:
    two_processes(range(200, 208), tmp_path / "runs.db")


@pytest.mark.slow
def test_many_runs_two_at_once_are_as_each_alone(tmp_path: Path) -> None:
    two_at_once(range(0, 1_000, 2), "loop", MemoryRunLedger())
    two_at_once(range(1_000, 1_500, 2), "threads", MemoryRunLedger())
    two_at_once(range(2_000, 2_100, 2), "threads", tmp_path / "threads.db")
    two_processes(range(3_000, 3_100), tmp_path / "processes.db")


def two_at_once(seeds: Iterable[int], how: str, ledger: Any) -> None:
    """Run one seed beside the next, in one loop or in two threads, on one ledger."""

    async def both(seed: int) -> list[Any]:
        return await asyncio.gather(told_by(seed, ledger), told_by(seed + 1, ledger))

    for seed in seeds:
        if how == "loop":
            came = asyncio.run(both(seed))
        else:
            with ThreadPoolExecutor(2) as threads:
                came = list(threads.map(lambda one: asyncio.run(told_by(one, ledger)), (seed, seed + 1)))
        assert came == [asyncio.run(told_by(one, MemoryRunLedger())) for one in (seed, seed + 1)]
    assert_sound(ledger)


def assert_sound(ledger: Any) -> None:
    report = audit(ledger)
    assert report.ok, report.findings.to_string()


def two_processes(seeds: Sequence[int], path: Path) -> None:
    """Run every other seed in one process, and the others in a second one, on one ledger."""
    code = "import sys; from tests.tools.unruly import run_all; run_all(sys.argv[1], map(int, sys.argv[2:]))"
    with contextlib.ExitStack() as started:
        both = [
            started.enter_context(
                subprocess.Popen([sys.executable, "-c", code, str(path), *map(str, own)], cwd=Path(__file__).parents[2])
            )
            for own in (seeds[::2], seeds[1::2])
        ]
    assert [process.returncode for process in both] == [0, 0]
    with SqlRunLedger(path) as ledger:
        came = {run.metadata.tags["seed_of_all"]: shown(ledger.get_events(run.run_id)) for run in ledger.list_runs()}
        assert_sound(ledger)
    assert came == {seed: asyncio.run(told_by(seed, MemoryRunLedger())) for seed in seeds}
