"""An event loop that never waits: it drives what needs no waiting where another loop runs and no thread can start.

A loop cannot be entered twice, and a second one that waited would keep the first from what it waits for. But much
waits for nothing: plain functions, simulated releases, runs on a clock that jumps, SQLite. Here tasks and futures work
as everywhere; as soon as nothing can go on but by a timer, a socket or a process, all is cancelled and that is said.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import sys
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any, TypeVar

__all__ = ["NeedsWaiting", "NoWaiting", "loop_that_stays", "outside_of_the_loop", "run_without_waiting"]

_T = TypeVar("_T")
_Made = Callable[[], Coroutine[Any, Any, _T]]

_REFUSAL = (
    "this needs to wait, which cannot be done here: an event loop is running, and no thread can be started for "
    "another; use await execute_plan(…), with the same arguments"
)
_ASKED = 3  # times to stop: the first gives a grace, which is a wait, and the second means at once


class NeedsWaiting(RuntimeError):
    """Nothing can go on without waiting, which is not possible here."""


@contextmanager
def outside_of_the_loop() -> Iterator[None]:
    """Let code in here be as in a thread of its own, where no loop runs: it may run one."""
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    if loop is not None and task is not None:
        asyncio.tasks._leave_task(loop, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)
        if loop is not None and task is not None:
            asyncio.tasks._enter_task(loop, task)


def loop_that_stays() -> asyncio.AbstractEventLoop | None:
    """Give the loop that runs here and can wait; None where there is none."""
    loop: asyncio.AbstractEventLoop | None = asyncio._get_running_loop()
    while isinstance(loop, NoWaiting):
        loop = loop.around
    return loop


def run_without_waiting(made: _Made[_T]) -> _T:
    """Run a coroutine to its end at once, whether a loop is running or not.

    Raises
    ------
    NeedsWaiting
        Where it has to wait for anything. It has been cancelled then, and has come to its end.

    Examples
    --------
    >>> async def cell():
    ...     return run_without_waiting(lambda: asyncio.sleep(0, result="done"))
    >>> asyncio.run(cell())
    'done'
    """
    around = asyncio._get_running_loop()
    waiting = None if around is None else asyncio.current_task(around)
    with outside_of_the_loop():
        loop = NoWaiting(around)  # type: ignore[abstract]  # what is left out says so itself: NotImplementedError
        return loop.drive(made, waiting)


class NoWaiting(asyncio.AbstractEventLoop):
    """A loop of what is ready, once.

    Parameters
    ----------
    around : AbstractEventLoop, optional
        The loop that stands still meanwhile.
    """

    def __init__(self, around: asyncio.AbstractEventLoop | None = None) -> None:
        self.around = around
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[asyncio.TimerHandle] = []  # a heap
        self._generators: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()
        self._running = self._closed = False

    def drive(self, made: _Made[_T], waiting: asyncio.Task[Any] | None = None) -> _T:
        """Run a coroutine to its end, and what it leaves; `waiting` is the task around it, which may be cancelled."""
        interrupts: list[BaseException] = []
        with self._entered():
            task = self.create_task(made())
            asked = self._follow([task], waiting, interrupts)
            left = list(asyncio.all_tasks(self))
            _ask(left)
            self._follow(left, None, interrupts)
            self._follow([self.create_task(_closed(each)) for each in list(self._generators)], None, interrupts)
        ended_by = task.exception() if task.done() and not task.cancelled() else None
        if interrupts:
            _tell(interrupts[0], ended_by)
            raise interrupts[0]
        if asked:
            refusal = NeedsWaiting(_REFUSAL)
            _tell(refusal, ended_by)
            raise refusal
        result: _T = task.result()
        return result

    @contextmanager
    def _entered(self) -> Iterator[None]:
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._generators.add, self._drop)
        asyncio._set_running_loop(self)
        self._running = True
        try:
            yield
        finally:
            self._running, self._closed = False, True
            self._ready.clear()
            self._timers.clear()
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _drop(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Close a generator that nobody holds any more."""
        self._generators.discard(generator)
        if not self._closed:
            self.call_soon(lambda: self.create_task(_closed(generator)))

    def _follow(
        self, tasks: list[asyncio.Task[Any]], waiting: asyncio.Task[Any] | None, interrupts: list[BaseException]
    ) -> int:
        """Go on until these tasks are done; tell how often they were asked to stop because nothing could go on."""
        asked, told = 0, 0
        while True:
            try:
                if all(task.done() for task in tasks):
                    return asked
                wanted = len(interrupts) + (0 if waiting is None else waiting.cancelling())
                while told < wanted:
                    told += 1
                    _ask(tasks)
                if self._turn():
                    continue
                asked += 1
                if asked > 2 * _ASKED:  # nothing ends it
                    return asked
                if asked > _ASKED:  # they were asked often enough
                    for task in tasks:
                        _close(task)
                _ask(tasks)
            except BaseException as error:  # Ctrl-C, or what ends a program
                interrupts.append(error)

    def _turn(self) -> bool:
        """Do one thing that is ready; tell whether there was one."""
        while self._timers and (self._timers[0].cancelled() or self._timers[0].when() <= self.time()):
            self._ready.append(heapq.heappop(self._timers))
        while self._ready:
            handle = self._ready.popleft()
            if not handle.cancelled():
                handle._run()
                return True
        return False

    # ------------------------------------------------------------------ what tasks and futures need

    def call_soon(  # type: ignore[override]  # noqa: D102
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_later(  # type: ignore[override]  # noqa: D102
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # noqa: D102
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, timer)
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it: it is passed over when it comes."""

    def time(self) -> float:  # noqa: D102
        return time.monotonic()

    def create_future(self) -> asyncio.Future[Any]:  # noqa: D102
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **named: Any) -> asyncio.Task[Any]:  # noqa: D102
        return asyncio.Task(coro, loop=self, **named)

    def run_in_executor(  # type: ignore[override]  # noqa: D102
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        if executor is not None:
            return asyncio.wrap_future(executor.submit(func, *args), loop=self)
        ended = self.create_future()
        try:
            with outside_of_the_loop():
                ended.set_result(func(*args))
        except Exception as error:
            ended.set_exception(error)
        return ended

    def get_debug(self) -> bool:  # noqa: D102
        return False

    def is_running(self) -> bool:  # noqa: D102
        return self._running

    def is_closed(self) -> bool:  # noqa: D102
        return self._closed

    def get_task_factory(self) -> None:  # noqa: D102
        return None

    def call_exception_handler(self, context: dict[str, Any]) -> None:  # noqa: D102
        if self.around is not None:
            self.around.call_exception_handler(context)
        else:
            logging.getLogger("asyncio").error(context["message"], exc_info=context.get("exception"))

    # ------------------------------------------------------------------ what would wait: it does for ever, and is told

    async def _waits(self, *_: Any, **__: Any) -> Any:
        await self.create_future()

    create_connection = create_server = create_unix_connection = create_unix_server = _waits
    create_datagram_endpoint = connect_accepted_socket = start_tls = sendfile = _waits
    getaddrinfo = getnameinfo = subprocess_exec = subprocess_shell = connect_read_pipe = connect_write_pipe = _waits
    sock_accept = sock_connect = sock_recv = sock_recv_into = sock_recvfrom = sock_recvfrom_into = _waits
    sock_sendall = sock_sendfile = sock_sendto = _waits

    def _never_ready(self, *_: Any) -> bool:
        return False

    add_reader = add_writer = remove_reader = remove_writer = _never_ready  # type: ignore[assignment]


def _ask(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()


def _close(task: asyncio.Task[Any]) -> None:
    """Close what a task runs: it is thrown out wherever it waits."""
    coroutine = task.get_coro()
    if coroutine is not None and not task.done():
        with suppress(RuntimeError):  # it goes on regardless
            coroutine.close()


async def _closed(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()


def _tell(error: BaseException, also: BaseException | None) -> None:
    """Let an error say what else went wrong."""
    if also is not None and also is not error:
        error.add_note(f"the run ended with {type(also).__name__}: {also}")
        for note in getattr(also, "__notes__", ()):
            error.add_note(note)
