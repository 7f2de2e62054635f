"""Running a coroutine in a loop of its own, to its end, whatever interrupts it, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from seqkit.running.attempt import put_down
from seqkit.running.signals import Interruptions

__all__ = ["run_to_its_end"]

_T = TypeVar("_T")

_LEFT_SECONDS = 1.0  # for tasks that the coroutine has left, to end once they are cancelled


Begun = Callable[[asyncio.AbstractEventLoop, "asyncio.Task[Any]"], object]


def run_to_its_end(made: Callable[[], Coroutine[Any, Any, _T]], begun: Begun | None = None) -> _T:
    """Run a coroutine, as ``asyncio.run`` does; SIGINT and SIGTERM each cancel it, and are raised once it has ended.

    ``asyncio.run`` would wait without end for a task that goes on though it is cancelled, and for threads. `begun` is
    told the loop and the task before they run.

    Examples
    --------
    >>> run_to_its_end(lambda: asyncio.sleep(0, result="done"))
    'done'
    """
    loop = asyncio.new_event_loop()
    threads = ThreadPoolExecutor()
    loop.set_default_executor(threads)
    raised: list[BaseException] = []
    ended: BaseException | None = None

    def answer() -> None:
        interruptions.answered = True
        task.cancel()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
            loop.call_soon_threadsafe(answer)

    interruptions = Interruptions(tell)
    try:
        asyncio.set_event_loop(loop)
        task = loop.create_task(made())
        if begun is not None:
            begun(loop, task)
        with interruptions:
            while not task.done():
                try:
                    loop.run_until_complete(task)
                except BaseException as error:
                    if task.done():
                        ended = error  # the only one that has its notes: the task makes others
                    else:  # raised where the loop was, by somebody's handler of a signal
                        raised.append(error)
                        task.cancel()
    finally:
        _clear(loop, threads, interrupted=bool(raised or interruptions.came))
    if isinstance(ended, asyncio.CancelledError) and (end := raised[0] if raised else interruptions.error()):
        for note in getattr(ended, "__notes__", ()):
            end.add_note(note)
        raise end from None
    if ended is not None:
        raise ended
    late = raised[0] if raised else interruptions.error()
    if late is not None and not (isinstance(late, KeyboardInterrupt) and not raised):
        raise late  # a SIGTERM that came too late for the run is still meant for the process
    return task.result()


def _clear(loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor, interrupted: bool) -> None:
    """Leave nothing of a loop behind."""
    try:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_LEFT_SECONDS))
        for task in left:
            if not task.done():
                put_down(task)
        if left:
            loop.run_until_complete(asyncio.sleep(0))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        threads.shutdown(wait=not interrupted, cancel_futures=interrupted)
        asyncio.set_event_loop(None)
        loop.close()
