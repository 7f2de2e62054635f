"""A loop that never waits: what needs no waiting goes as under asyncio's own, all else is cancelled and told."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from seqkit import MemoryRunLedger, RepoDependencyGraph, RunStatus, VirtualClock, build_plan, run_plan
from seqkit.running.nowait import NeedsWaiting, loop_that_stays, outside_of_the_loop, run_without_waiting
from tests.tools.restricted import no_thread

PLAN = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
PLACE = contextvars.ContextVar("PLACE", default="lost")


async def gathers() -> Any:
    async def one(number: int) -> int:
        for _ in range(number):
            await asyncio.sleep(0)
        return number

    return await asyncio.gather(*map(one, range(5)))


async def first_of_two() -> Any:
    slow, fast = asyncio.create_task(asyncio.sleep(600)), asyncio.create_task(asyncio.sleep(0, "fast"))
    done, pending = await asyncio.wait([slow, fast], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return [task.result() for task in done], len(pending)


async def in_time() -> Any:
    async with asyncio.timeout(600), asyncio.Lock():
        return await asyncio.wait_for(asyncio.sleep(0, "in time"), 600)


async def too_late() -> Any:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    return "too late"


async def queued() -> Any:
    queue: asyncio.Queue[int] = asyncio.Queue(1)

    async def put() -> None:
        for number in range(4):
            await queue.put(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(put())
        return [await queue.get() for _ in range(4)]


async def fails() -> Any:
    await asyncio.sleep(0)
    raise LookupError("as it should")


async def in_two_threads() -> Any:
    return await asyncio.to_thread(PLACE.get), await asyncio.get_running_loop().run_in_executor(None, divmod, 7, 2)


async def on_a_virtual_clock() -> Any:
    clock = VirtualClock()
    await asyncio.gather(clock.sleep(60), clock.sleep(3600))
    return clock.elapsed


@pytest.mark.parametrize(
    "made", [gathers, first_of_two, in_time, too_late, queued, fails, in_two_threads, on_a_virtual_clock]
)
@pytest.mark.parametrize("inside", [False, True])
def test_what_needs_no_waiting_goes_as_everywhere(made: Callable[[], Coroutine[Any, Any, Any]], inside: bool) -> None:
    def outcome(run: Callable[[], Any]) -> Any:
        try:
            return run()
        except LookupError as error:
            return str(error)

    PLACE.set("here")
    expected = outcome(lambda: asyncio.run(made()))

    async def cell() -> Any:
        return outcome(lambda: run_without_waiting(made))

    assert (asyncio.run(cell()) if inside else outcome(lambda: run_without_waiting(made))) == expected


def test_context_goes_in_and_does_not_come_out() -> None:
    async def inner() -> str:
        found = PLACE.get()
        PLACE.set("inside")
        return found

    async def cell() -> tuple[str, str]:
        PLACE.set("outside")
        return run_without_waiting(inner), PLACE.get()

    assert asyncio.run(cell()) == ("outside", "outside")


def test_a_generator_that_is_left_is_closed() -> None:
    ended: list[str] = []

    async def numbers(name: str) -> AsyncIterator[int]:
        try:
            for number in itertools.count():
                yield number
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    async def main() -> None:
        async for _ in numbers("dropped"):
            break
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        assert ended == ["dropped"]
        kept.append(numbers("kept"))
        await anext(kept[0])

    kept: list[Any] = []
    hooks = sys.get_asyncgen_hooks()
    run_without_waiting(main)
    assert ended == ["dropped", "kept"]
    assert sys.get_asyncgen_hooks() == hooks


# ---------------------------------------------------------------------- what needs waiting

NEEDS: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
    "time": lambda: asyncio.sleep(600),
    "nobody": lambda: asyncio.Event().wait(),
    "a process": lambda: asyncio.create_subprocess_exec("git", "--version"),
    "a socket": lambda: asyncio.open_connection("127.0.0.1", 1),
    "a name": lambda: asyncio.get_running_loop().getaddrinfo("localhost", 80),
}


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("inside", [False, True])
def test_what_needs_waiting_is_cancelled_and_told(name: str, inside: bool) -> None:
    ended: list[str] = []

    async def cleans_up(what: str) -> None:
        try:
            await NEEDS[name]()
        finally:
            await asyncio.sleep(0)
            ended.append(what)

    async def main() -> None:
        left.append(asyncio.create_task(cleans_up("left")))
        await cleans_up("main")

    async def cell() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        with pytest.raises(NeedsWaiting, match=r"use await execute_plan\(…\)"):
            run_without_waiting(main)
        assert asyncio.get_running_loop() is loop
        assert asyncio.current_task() is task

    left: list[asyncio.Task[None]] = []
    if inside:
        asyncio.run(cell())
    else:
        with pytest.raises(NeedsWaiting):
            run_without_waiting(main)
    assert ended == ["main", "left"]
    assert left[0].cancelled()


@pytest.mark.parametrize("times", [1, 3, 5, 1_000])
def test_who_does_not_stop_is_asked_again_and_closed_in_the_end(times: int) -> None:
    asked: list[str] = []

    async def stubborn() -> None:
        for _ in range(times):
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                asked.append("to stop")
        asked.append("done")

    with pytest.raises(NeedsWaiting):
        run_without_waiting(stubborn)
    assert asked == ["to stop"] * min(times, 3) + ["done"] * (times <= 3)


def test_a_lane_that_waits_ends_its_run_in_the_ledger() -> None:
    ledger = MemoryRunLedger()

    async def hang(*_: str) -> str:
        await asyncio.sleep(600)
        return "x"

    def run(monkeypatch: pytest.MonkeyPatch) -> None:
        async def cell() -> None:
            run_plan(PLAN, hang, ledger, max_parallel=2)

        with monkeypatch.context() as patch:
            patch.setattr("threading.Thread.start", no_thread)
            with pytest.raises(NeedsWaiting):
                asyncio.run(cell())

    run(pytest.MonkeyPatch())
    assert [run.status for run in ledger.list_runs()] == [RunStatus.CANCELLED]


# ---------------------------------------------------------------------- what comes from outside


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("where", ["main", "a task", "a callback"])
def test_what_ends_a_program_ends_the_coroutine_first(where: str, error: type[BaseException]) -> None:
    ended: list[str] = []

    def interrupt() -> None:
        raise error("now")

    async def other() -> None:
        interrupt()

    async def main() -> None:
        try:
            if where == "main":
                interrupt()
            elif where == "a task":
                await asyncio.create_task(other())
            else:
                asyncio.get_running_loop().call_soon(interrupt)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("main")

    with pytest.raises(error, match="now"):
        run_without_waiting(main)
    assert ended == ["main"]


def test_a_cancellation_of_the_task_around_it_reaches_it() -> None:
    async def main() -> None:
        around.cancel()
        while True:
            await asyncio.sleep(0)

    async def cell() -> None:
        nonlocal around
        around = asyncio.current_task()
        run_without_waiting(main)

    around: Any = None
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cell())


def test_the_loop_that_can_wait_is_found_from_within() -> None:
    async def inner() -> Any:
        return loop_that_stays(), run_without_waiting(deeper)

    async def deeper() -> Any:
        with outside_of_the_loop():
            return loop_that_stays()

    async def cell() -> None:
        assert run_without_waiting(inner) == (asyncio.get_running_loop(), None)

    asyncio.run(cell())
    assert loop_that_stays() is None
