"""Threads of a run: one for each plain function, which is waited for, and one for a ledger that may block."""

from __future__ import annotations

import asyncio
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqkit import RepoDependencyGraph, RunStatus, SqlRunLedger, build_plan, execute_plan
from seqkit._util.threads import starts
from seqkit.running.calling import in_thread
from seqkit.running.clock import Pace
from seqkit.running.context import UnderWay
from seqkit.running.worker import Worker
from tests.tools.restricted import no_thread
from tests.tools.under_way import part_of

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("seqkit")]


def test_a_thread_is_started_once() -> None:
    thread = threading.Thread(target=int)
    assert starts(thread)
    with pytest.raises(RuntimeError, match="only be started once"):
        starts(thread)


# ---------------------------------------------------------------------- a plain function


async def until(told: Callable[[], bool]) -> None:
    while not told():
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("cancels", [0, 1, 3])
@pytest.mark.parametrize("fails", [False, True])
def test_a_function_is_waited_for_however_often_that_is_cancelled(cancels: int, fails: bool) -> None:
    began, gate = threading.Event(), threading.Event()
    mine = UnderWay(Pace())

    def work() -> str:
        began.set()
        assert gate.wait(60)
        if fails:
            raise ValueError("red")
        return "out"

    async def main() -> Any:
        with part_of(mine):
            task = asyncio.create_task(in_thread(work))
        await until(began.is_set)
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0.001)
        assert not task.done()
        assert [thread.is_alive() for thread in mine.threads] == [True]
        gate.set()
        return (await asyncio.gather(task, return_exceptions=True))[0], task.cancelling()

    came, cancelling = asyncio.run(main())
    assert str(came) == ("red" if fails else "out")
    assert cancelling == cancels, "whoever waits for the task knows that it was cancelled"
    assert mine.threads == []
    assert ours() == []


def test_only_a_coroutine_that_is_closed_waits_no_more() -> None:
    gate = threading.Event()
    mine = UnderWay(Pace())

    async def main() -> None:
        with part_of(mine):
            waiting = in_thread(gate.wait, 60)
            waiting.send(None)
            waiting.close()
        [thread] = mine.threads
        assert thread.is_alive(), "it is known to go on"
        gate.set()
        await until(lambda: not thread.is_alive())

    asyncio.run(main())


@pytest.mark.parametrize("fails", [False, True])
def test_where_no_thread_can_start_the_function_is_called_in_this_one(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = UnderWay(Pace())

    def work(fails: bool) -> int:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()  # as in a thread of its own
        if fails:
            raise RuntimeError("its own")
        return threading.get_ident()

    async def main() -> Any:
        with part_of(mine):
            return await in_thread(work, fails=fails)

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    if fails:
        with pytest.raises(RuntimeError, match="its own"):
            asyncio.run(main())
    else:
        assert asyncio.run(main()) == threading.get_ident()
    assert mine.threads == []


# ---------------------------------------------------------------------- a ledger's calls


def test_calls_are_made_in_their_order_by_one_thread() -> None:
    made: list[tuple[int, int]] = []

    async def main() -> None:
        with Worker() as worker:
            await asyncio.gather(*(worker.call(lambda n=n: made.append((n, threading.get_ident()))) for n in range(50)))
            worker.at_once(lambda: made.append((50, threading.get_ident())))
            assert ours() == ["seqkit-ledger"]
        assert ours() == []

    asyncio.run(main())
    assert [number for number, _ in made] == list(range(51))
    assert len({thread for _, thread in made} - {threading.get_ident()}) == 1


@pytest.mark.parametrize("error", [ValueError, StopIteration, SystemExit])
def test_what_a_call_raises_comes_back(error: type[BaseException]) -> None:
    def fail() -> None:
        raise error("so")

    async def main() -> None:
        with Worker() as worker:
            made, _ = await worker.to_its_end(fail)
            with pytest.raises(error, match="so"):
                made.result()
            with pytest.raises(error, match="so"):
                worker.at_once(fail)
            assert await worker.call(int) == 0, "and it goes on"

    asyncio.run(main())


@pytest.mark.parametrize("cancels", [1, 3])
def test_a_cancellation_waits_for_the_call_that_is_under_way(cancels: int) -> None:
    began, gate, made = threading.Event(), threading.Event(), []

    def write() -> None:
        began.set()
        assert gate.wait(60)
        made.append(1)

    async def main() -> None:
        with Worker() as worker:
            task = asyncio.create_task(worker.call(write))
            await until(began.is_set)
            for _ in range(cancels):
                task.cancel()
                await asyncio.sleep(0.001)
            assert not task.done()
            gate.set()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert made == [1]


def test_a_call_whose_thread_cannot_start_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor would keep it in its queue, and make it again with the first thread that does start."""
    made: list[str] = []

    async def main() -> None:
        with Worker() as worker:
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", no_thread)
                await worker.call(made.append, "first")
            await worker.call(made.append, "second")
            assert ours() == [], "calls of one run are made by one thread"
        with Worker() as worker:
            await worker.call(made.append, "third")

    asyncio.run(main())
    assert made == ["first", "second", "third"]


def test_a_start_that_is_interrupted_leaves_neither_a_thread_nor_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    start, threads, made = threading.Thread.start, [], []

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        threads.append(thread)
        raise KeyboardInterrupt

    async def main() -> None:
        with Worker() as worker:
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    await worker.call(made.append, "first")
            await worker.call(made.append, "second")

    asyncio.run(main())
    threads[0].join(60)
    assert made == ["second"]
    assert ours() == []


async def release(repo: str, *_: str) -> str:
    await asyncio.sleep(0)
    return repo


@types.coroutine
def cancelled_at(n: int, coroutine: Any) -> Any:
    """Await a coroutine, and cancel the task at the n-th of its awaits; give how many it had."""
    awaits, go_on = 0, lambda: coroutine.send(None)
    while True:
        try:
            waited = go_on()
        except (StopIteration, asyncio.CancelledError):
            return awaits
        awaits += 1
        if awaits == n:
            asyncio.current_task().cancel()  # type: ignore[union-attr]
        try:
            yield waited
            go_on = lambda: coroutine.send(None)  # noqa: E731
        except asyncio.CancelledError as error:
            go_on = lambda error=error: coroutine.throw(error)  # noqa: E731


def test_no_thread_is_left_wherever_a_run_is_cancelled(tmp_path: Path) -> None:
    async def main(n: int) -> int:
        return await cancelled_at(n, execute_plan(PLAN, release, tmp_path / f"{n}.db"))

    n = 1
    while asyncio.run(main(n)) >= n:
        assert ours() == [], f"cancelled at await {n}"
        with SqlRunLedger(tmp_path / f"{n}.db") as ledger:
            assert {run.status for run in ledger.list_runs()} <= {RunStatus.CANCELLED, RunStatus.COMPLETED}
        n += 1
    assert n > 10
