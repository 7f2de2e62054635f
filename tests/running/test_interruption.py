"""Ctrl-C and cancellations while a run goes on: whatever is interrupted, the ledger has the run's end first."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seqkit import (
    Backend,
    MemoryRunLedger,
    RepoDependencyGraph,
    RunStatus,
    SqlRunLedger,
    build_plan,
    execute_plan,
    run_plan,
)
from seqkit.running.beside import run_beside
from tests.tools.restricted import no_thread

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")


def status_of(ledger: Any) -> RunStatus:
    [run] = ledger.list_runs()
    return run.status


# A notebook's loop: it is running, and has no handler of Ctrl-C of its own.
NOTEBOOK = """
    import asyncio, signal, sys, threading, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background may inherit it ignored
    from seqkit import RepoDependencyGraph, build_plan, run_plan
    plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1")

    def say(what):
        print(what, flush=True)

    async def cleans_up(*_):
        say("releasing")
        try:
            await asyncio.sleep(600)
        finally:
            try:
                say("cleaning")
                await asyncio.sleep({cleaning})
            finally:
                say("cleaned")

    async def hangs(*_):
        say("releasing")
        await asyncio.Event().wait()

    def blocks(*_):
        say("releasing")
        time.sleep(600)

    async def cell():
        run_plan(plan, {releaser}, sys.argv[1], grace=1 if {releaser} is blocks else 600)

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(cell())
    except KeyboardInterrupt:
        say("back")
        time.sleep(0.2)  # what goes on now would be seen
    sys.stdout.flush()
"""


def notebook(path: Path, releaser: str, cleaning: float = 0.0) -> subprocess.Popen[str]:
    code = textwrap.dedent(NOTEBOOK.format(releaser=releaser, cleaning=cleaning))
    return subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("releaser", ["cleans_up", "hangs", "blocks"])
def test_ctrl_c_in_a_notebook_comes_back_when_the_run_has_ended(releaser: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    lines = []
    with notebook(path, releaser, cleaning=0.3) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "releasing\n"
        os.kill(process.pid, signal.SIGINT)
        for line in process.stdout:
            lines.append(line.strip())
            if line == "back\n":
                with SqlRunLedger(path) as ledger:
                    assert status_of(ledger) is RunStatus.CANCELLED
    assert process.returncode == 0
    assert lines == (["cleaning", "cleaned", "back"] if releaser == "cleans_up" else ["back"])


def test_a_second_ctrl_c_in_a_notebook_cuts_the_cleaning_short_and_not_the_record(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    process = notebook(path, "cleans_up", cleaning=600)
    assert process.stdout is not None
    assert process.stdout.readline() == "releasing\n"
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "cleaning\n"
    os.kill(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "cleaned\nback\n"
    with SqlRunLedger(path) as ledger:
        assert status_of(ledger) is RunStatus.CANCELLED


@pytest.fixture
def interrupt(request: pytest.FixtureRequest) -> Iterator[Callable[[], None]]:
    """Give a function that interrupts the main thread, by a signal whose handler raises."""
    error = getattr(request, "param", KeyboardInterrupt)
    count = itertools.count(1)

    def handler(*_: Any) -> None:
        raise error(f"number {next(count)}")

    before = signal.signal(signal.SIGUSR1, handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ZeroDivisionError], indirect=True)
def test_whatever_interrupts_the_wait_and_however_often_the_run_ends_first(
    n: int, interrupt: Callable[[], None], request: pytest.FixtureRequest
) -> None:
    ledger = MemoryRunLedger()
    stops: list[int] = []

    async def stubborn(*_: str) -> str:
        for _ in range(n):
            interrupt()
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                stops.append(1)
        raise asyncio.CancelledError

    async def cell() -> None:
        run_plan(PLAN, stubborn, ledger)

    with pytest.raises(request.node.callspec.params["interrupt"], match="number 1"):
        asyncio.run(cell())
    assert len(stops) == min(n, 2), "asked twice, then left"
    assert status_of(ledger) is RunStatus.CANCELLED


def test_an_interruption_says_what_else_went_wrong(interrupt: Callable[[], None]) -> None:
    class Broken(MemoryRunLedger):
        def cancel_run(self, *_: Any) -> None:
            raise Backend("the disk is full")

    async def hang(*_: str) -> str:
        interrupt()
        await asyncio.sleep(600)
        return "x"

    async def cell() -> None:
        run_plan(PLAN, hang, Broken())

    with pytest.raises(KeyboardInterrupt) as caught:
        asyncio.run(cell())
    assert any("could not be ended in the ledger: the disk is full" in note for note in caught.value.__notes__)


def test_where_no_thread_can_start_it_is_driven_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    async def work() -> int:
        begun.append(threading.get_ident())
        await asyncio.sleep(0)
        return 7

    async def cell() -> int:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            return run_beside(work)

    assert asyncio.run(cell()) == 7
    assert begun == [threading.get_ident()]


def test_a_start_that_is_interrupted_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    start, threads = threading.Thread.start, []

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        threads.append(thread)
        raise KeyboardInterrupt

    async def work() -> None:
        begun.append(1)

    async def cell() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", interrupted)
            run_beside(work)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(cell())
    threads[0].join(60)
    assert begun == []


# ---------------------------------------------------------------------- context

PLACE = contextvars.ContextVar("PLACE", default="lost")


def sync_place(*_: str) -> str:
    return PLACE.get()


async def async_place(*_: str) -> str:
    return PLACE.get()


@pytest.mark.parametrize("release", [sync_place, async_place])
@pytest.mark.parametrize("beside", [False, True])
def test_context_variables_reach_the_releaser(release: Any, beside: bool) -> None:
    def run() -> Any:
        PLACE.set("here")
        return run_plan(PLAN, release)

    async def cell() -> Any:
        return run()

    outcome = asyncio.run(cell()) if beside else contextvars.copy_context().run(run)
    assert [status.run_id for status in outcome.statuses] == ["here", "here"]


# ---------------------------------------------------------------------- a ledger that is slow


class Slow(MemoryRunLedger):
    """A ledger that blocks at a call until it is let go on."""

    blocking = True

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at, self.reached, self.gate = at, threading.Event(), threading.Event()
        self.threads: list[int] = []

    def _wait(self, at: str) -> None:
        self.threads.append(threading.get_ident())
        if at == self.at:
            self.reached.set()
            assert self.gate.wait(60)

    def fail_run(self, *arguments: Any) -> None:
        self._wait("fail")
        super().fail_run(*arguments)

    def cancel_run(self, *arguments: Any) -> None:
        self._wait("cancel")
        super().cancel_run(*arguments)

    def complete_run(self, *arguments: Any) -> None:
        self._wait("complete")
        super().complete_run(*arguments)

    def create_run(self, *arguments: Any) -> str:
        self._wait("create")
        return super().create_run(*arguments)


async def beats_while_it_waits(ledger: Slow, task: asyncio.Task[Any], cancels: int) -> None:
    """Hold that the loop goes on while the ledger does not, whatever is cancelled meanwhile."""
    while not ledger.reached.is_set():
        await asyncio.sleep(0.001)
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0.001)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done(), "the run has not ended in the ledger"
    ledger.gate.set()


@pytest.mark.parametrize("cancels", [0, 1, 3])
@pytest.mark.parametrize("at", ["create", "fail", "cancel", "complete"])
def test_a_ledger_that_is_locked_at_a_runs_end_stops_neither_the_loop_nor_the_record(at: str, cancels: int) -> None:
    ledger = Slow(at)
    run: list[asyncio.Task[Any]] = []

    async def release(*_: str) -> Any:
        if at == "cancel":
            run[0].cancel()
            await asyncio.sleep(600)
        return None if at == "fail" else "x"

    async def main() -> Any:
        task = asyncio.ensure_future(execute_plan(PLAN, release, ledger))
        run.append(task)
        await beats_while_it_waits(ledger, task, cancels)
        return (await asyncio.gather(task, return_exceptions=True))[0]

    came = asyncio.run(main())
    expected = {
        "create": RunStatus.CANCELLED if cancels else RunStatus.COMPLETED,
        "fail": RunStatus.FAILED,
        "cancel": RunStatus.CANCELLED,
        "complete": RunStatus.COMPLETED,
    }
    assert status_of(ledger) is expected[at]
    assert threading.get_ident() not in ledger.threads
    if at == "fail":
        assert isinstance(came, TypeError)
    elif cancels or at == "cancel":
        assert isinstance(came, asyncio.CancelledError)
    else:
        assert came.overall_success


def test_a_coroutine_that_is_closed_ends_its_run_at_once() -> None:
    ledger = Slow("nowhere")

    async def hang(*_: str) -> str:
        await asyncio.sleep(600)
        return "x"

    async def main() -> None:
        coroutine = execute_plan(PLAN, hang, ledger)
        task = asyncio.ensure_future(asyncio.wait_for(asyncio.sleep(600), 600))
        step = coroutine.send(None)
        while not ledger.list_runs() or not ledger.get_events(ledger.list_runs()[0].run_id):
            await asyncio.wait([step])
            step._asyncio_future_blocking = False  # as a task would
            step = coroutine.send(None)
        coroutine.close()
        task.cancel()

    asyncio.run(main())
    assert status_of(ledger) is RunStatus.CANCELLED


def test_opening_a_ledger_does_not_stop_the_loop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opening, go_on = threading.Event(), threading.Event()
    opened = SqlRunLedger.__init__

    def slowly(self: SqlRunLedger, *arguments: Any, **named: Any) -> None:
        opening.set()
        assert go_on.wait(60)
        opened(self, *arguments, **named)

    monkeypatch.setattr(SqlRunLedger, "__init__", slowly)

    async def main() -> Any:
        task = asyncio.ensure_future(execute_plan(PLAN, 0.0, tmp_path / "runs.db"))
        while not opening.is_set():
            await asyncio.sleep(0.001)
        assert not task.done()
        go_on.set()
        return await task

    assert asyncio.run(main()).overall_success
