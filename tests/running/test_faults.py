"""A run that is cancelled at any moment, or whose ledger fails at any call: what it leaves is whole, and true."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    Backend,
    MemoryRunLedger,
    Retry,
    RunStatus,
    SequenceOutcome,
    SqlRunLedger,
    StorageError,
    VirtualClock,
    audit,
    execute_plan,
)
from seqkit.ledger.story import read_story
from tests.tools.faults import (
    CountingLoop,
    Manner,
    Registry,
    goes_on,
    is_true,
    one_reading,
    open_files,
    plan_of,
    sound,
)

PLAN = plan_of("ac", "bc", "cd", "ae", nodes="fg")
MANNERS = {
    "a": [Manner("lost", 2, 1)],
    "b": [Manner("fails", 1), Manner("ok", 2, 1)],
    "d": [Manner("cleans up", 1), Manner("ok", 1)],
    "e": [Manner("deaf", 12, 9), Manner()],
    "f": [Manner("out when asked", 1)],
    "g": [Manner("hangs out", 1), Manner("fails", 1)],
}
OPTIONS: dict[str, Any] = {
    "attempts": Retry(2, delay=3),
    "timeout": 10,
    "grace": 4,
    "check_wait": 2,
    "min_interval": 0.5,
    "max_parallel": 2,
}


# ---------------------------------------------------------------------- cancelled at any turn of the loop


class Case:
    """One run, cancelled at some turns of the loop."""

    def __init__(self, path: Path | None, virtual: bool, folder: Path, check: bool = True) -> None:
        self.folder, self.check = folder, check
        self.clock = VirtualClock() if virtual else None
        self.ledger: Any = MemoryRunLedger(clock=self.clock) if path is None else path
        self.is_quick = path is None
        self.registry = Registry(MANNERS)

    async def _go(self, *turns: int) -> SequenceOutcome | BaseException:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        check = self.registry.check if self.check else None
        run = execute_plan(PLAN, self.registry.release, self.ledger, check=check, clock=self.clock, **OPTIONS)
        task = asyncio.create_task(run)
        for turn in turns:
            loop.acts[loop.turn + turn] = task.cancel
        [came] = await asyncio.gather(task, return_exceptions=True)
        self.turns = loop.turn
        loop.acts.clear()
        assert asyncio.all_tasks() == {asyncio.current_task()}, "it leaves no task"
        return came

    def cancelled(self, *turns: int) -> RunStatus | None:
        """Cancel it at these turns; give how it ended, None where it had not begun."""
        threads = set(threading.enumerate())
        with asyncio.Runner(loop_factory=CountingLoop) as runner:
            came = runner.run(self._go(*turns))
        assert set(threading.enumerate()) <= threads, "it leaves no thread"
        assert not open_files(self.folder), "it leaves no connection"
        assert not self.registry.held, "it leaves no release"
        assert self.registry.most <= OPTIONS["max_parallel"]
        if isinstance(self.ledger, Path):
            if not self.ledger.exists():
                return self._not_begun(came)
            with SqlRunLedger(self.ledger) as ledger:
                return self._look(ledger, came)
        return self._look(self.ledger, came)

    def _not_begun(self, came: object) -> None:
        assert isinstance(came, asyncio.CancelledError)
        assert not self.registry.calls

    def _look(self, ledger: Any, came: SequenceOutcome | BaseException) -> RunStatus | None:
        if not ledger.list_runs():
            return self._not_begun(came)
        run_id = sound(ledger, *(["timestamps", "duration"] if isinstance(self.ledger, Path) else []))
        status = ledger.get_run(run_id).status
        assert status is not RunStatus.RUNNING
        if not isinstance(came, SequenceOutcome):
            assert isinstance(came, asyncio.CancelledError), came
            story = read_story(ledger, run_id)
            assert status is RunStatus.CANCELLED or all(told.ended for told in story.items()), "it had its end before"
        is_true(ledger.get_events(run_id), self.registry, once=self.check)
        one_reading(ledger, run_id, came if isinstance(came, SequenceOutcome) else None)
        if self.check:
            goes_on(ledger, run_id, self.registry)
        return status


@pytest.fixture(params=["memory", "memory, real time", "no check", "sqlite", "sqlite, real time"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Case]:
    """Give what makes a case, each with a ledger of its own."""
    kind = request.param
    count = iter(range(10**6))

    def made() -> Case:
        path = tmp_path / f"{next(count)}.db" if "sqlite" in kind else None
        return Case(path, "real time" not in kind, tmp_path, "no check" not in kind)

    return made


def cancelled_at_any_turn(made: Callable[[], Case], moments: int | None, apart: int) -> Counter[str]:
    """Cancel a run at every turn until it ends by itself, or at so many; and again some turns later, so far apart."""
    came: Counter[str] = Counter()
    whole = made()
    assert whole.cancelled() is not RunStatus.RUNNING
    for turn in range(0, whole.turns + 1, 1 if moments is None else max(1, whole.turns // moments)):
        came[str(made().cancelled(turn))] += 1
        for later in range(1 + turn % apart, 60, apart):
            came[str(made().cancelled(turn, turn + later))] += 1
    return came


def test_whenever_it_is_cancelled(case: Callable[[], Case]) -> None:
    assert cancelled_at_any_turn(case, 20 if case().is_quick else 6, 59)[str(RunStatus.CANCELLED)]


@pytest.mark.slow
def test_at_every_turn_of_the_loop_it_is_cancelled(case: Callable[[], Case]) -> None:
    came = cancelled_at_any_turn(case, None if case().is_quick else 300, 12 if case().is_quick else 47)
    print(came)
    assert came[str(RunStatus.CANCELLED)]


# ---------------------------------------------------------------------- a ledger that fails at any call


class Failing(MemoryRunLedger):
    """A ledger that fails at one call of a kind, or for ever from there on; `late`: when it has done what it was asked.

    Until the run has ended: whoever looks at it afterwards finds it sound.
    """

    def __init__(self, clock: VirtualClock, at: tuple[str, int], ever: bool, late: bool, error: Exception) -> None:
        super().__init__(clock=clock)
        self.at, self.ever, self.late, self.error = at, ever, late, error
        self.counted: Counter[str] = Counter()
        self.broken_at: float | None = None
        self.ended = False

    def _call(self, kind: str, call: Callable[..., Any], *arguments: Any) -> Any:
        self.counted[kind] += 1
        begins = (kind, self.counted[kind]) == self.at
        if self.ended or not (begins or (self.ever and self.broken_at is not None)):
            return call(*arguments)
        if begins:
            self.broken_at = (self.clock() - VirtualClock()()).total_seconds()
        if self.late:
            call(*arguments)
        raise self.error

    def create_run(self, *arguments: Any) -> Any:
        return self._call("create", super().create_run, *arguments)

    def get_run(self, *arguments: Any) -> Any:
        return self._call("get", super().get_run, *arguments)

    def append_event(self, *arguments: Any) -> Any:
        return self._call("append", super().append_event, *arguments)

    def complete_run(self, *arguments: Any) -> Any:
        return self._call("finish", super().complete_run, *arguments)

    def fail_run(self, *arguments: Any) -> Any:
        return self._call("finish", super().fail_run, *arguments)

    def cancel_run(self, *arguments: Any) -> Any:
        return self._call("finish", super().cancel_run, *arguments)


def failed_at(at: tuple[str, int], ever: bool, late: bool, error: Exception, blocking: bool) -> str:
    """Run the plan on a ledger that fails there; give what became of it, and an empty text where nothing failed."""
    clock = VirtualClock()
    ledger = Failing(clock, at, ever, late, error)
    ledger.blocking = blocking

    def begins(repo: str) -> None:
        assert ledger.broken_at is None, f"{repo} starts though the ledger has failed"

    registry = Registry(MANNERS, begins=begins)
    threads = set(threading.enumerate())

    async def go() -> StorageError | SequenceOutcome:
        try:
            return await execute_plan(PLAN, registry.release, ledger, check=registry.check, clock=clock, **OPTIONS)
        except StorageError as raised:
            return raised
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}, "it leaves no task"

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        came = runner.run(go())
    ledger.ended = True
    assert set(threading.enumerate()) <= threads
    assert not registry.held
    assert registry.most <= OPTIONS["max_parallel"]
    if ledger.broken_at is None:
        assert isinstance(came, SequenceOutcome)
        return ""
    assert isinstance(came, StorageError)
    assert came is error or came.__cause__ is error, "a foreign error is told as the ledger's"
    assert clock.elapsed.total_seconds() <= ledger.broken_at + OPTIONS["grace"] + 0.1, "what is under way has its grace"
    if not ledger.list_runs():
        assert not registry.calls
        assert at[0] == "create"
        return "none"
    [run] = ledger.list_runs()
    written = ledger.get_events(run.run_id)
    assert at[0] != "append" or came.events, "it tells what could not be written"
    is_true([*written, *came.events], registry, once=True)
    assert came.outcome is not None or at[0] in ("create", "get")
    if came.outcome is not None:
        assert set(came.outcome.succeeded) <= set(registry.out)
        assert {repo for repo, _ in registry.calls} <= {
            repo for repo, word in zip(PLAN.released, came.outcome.words(), strict=True) if word != "pending"
        }
    found = audit(ledger)
    running = run.status is RunStatus.RUNNING
    assert running == ("unfinished" in set(found.findings["check"])), "an end that is missing is told"
    assert not running or ever or at[0] == "create"
    if not late:
        unwritten = {event.payload["node_id"] for event in came.events}
        errors = {(row.check, row.repo_id) for row in found.finding_rows if row.severity == "error"}
        assert errors <= {("unfinished", None), *(("entries", repo) for repo in unwritten)}, found.findings.to_string()
        one_reading(ledger, run.run_id, None)
    return run.status.value


ERRORS: list[Callable[[], Exception]] = [lambda: Backend("disk full"), lambda: OSError(28, "No space left on device")]


def a_ledger_that_fails(first: int, blocking: bool) -> Counter[str]:
    """Let it fail at every `first`-th call of each kind, in every way."""
    came: Counter[str] = Counter()
    for kind in ("create", "get", "append", "finish"):
        for ever, late, error in itertools.product((False, True), (False, True), ERRORS):
            call = 1
            while how := failed_at((kind, call), ever, late, error(), blocking):
                came[how] += 1
                call += first
    return came


@pytest.mark.parametrize("blocking", [False, True])
def test_a_ledger_that_fails_ends_the_run_and_loses_nothing(blocking: bool) -> None:
    assert set(a_ledger_that_fails(9, blocking)) == {"none", "FAILED", "RUNNING", "COMPLETED"}


@pytest.mark.slow
@pytest.mark.parametrize("blocking", [False, True])
def test_a_ledger_that_fails_at_each_call_ends_the_run_and_loses_nothing(blocking: bool) -> None:
    print(a_ledger_that_fails(1, blocking))
