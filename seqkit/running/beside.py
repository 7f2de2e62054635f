"""Running a coroutine where an event loop is running already, such as in a notebook."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from seqkit._util.threads import starts
from seqkit.running.nowait import run_without_waiting

__all__ = ["run_beside"]

_T = TypeVar("_T")

_LOOK_SECONDS = 0.05


def run_beside(made: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine in a loop of its own, in a thread, and wait: the loop of this thread cannot be entered twice.

    What interrupts the wait (Ctrl-C, a signal's handler that raises) cancels the coroutine, and is raised once the
    coroutine has come to its end: whatever it does at its end is done then. Another one cancels it again.

    Where no thread can start the coroutine is driven here, as long as it waits for nothing.

    Raises
    ------
    RuntimeError
        Where no thread can start and the coroutine needs to wait; it says what to do.

    Examples
    --------
    >>> async def cell():
    ...     return run_beside(lambda: asyncio.sleep(0, result="done"))
    >>> asyncio.run(cell())
    'done'
    """
    result: list[_T] = []
    raised: list[BaseException] = []
    handle: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    finished: list[bool] = []
    # Thread.join cannot be asked: interrupted once, it takes the thread for ended (bpo-45274).
    over, gate = threading.Lock(), threading.Lock()
    over.acquire()
    gate.acquire()
    given_up: list[bool] = []

    async def outer() -> _T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # tells mypy; a coroutine under run() has one
        handle.append((asyncio.get_running_loop(), task))
        return await made()

    def work() -> None:
        gate.acquire()
        if given_up:
            return
        try:
            result.append(asyncio.run(outer()))
        except BaseException as error:  # raised again in the caller's thread
            raised.append(error)
        finally:
            finished.append(True)
            over.release()

    context = contextvars.copy_context()  # a releaser finds there what the caller has set
    thread = threading.Thread(target=context.run, args=(work,), name="seqkit-run", daemon=True)
    try:
        started = starts(thread)
    except BaseException:  # interrupted in here nobody knows whether it has started, so it does nothing
        given_up.append(True)
        gate.release()
        raise
    if not started:
        return run_without_waiting(made)
    interrupts = _wait(gate, over, finished, handle)
    if interrupts:
        _tell_of_the_end(interrupts[0], raised)
        raise interrupts[0]
    if raised:
        raise raised[0]
    return result[0]


def _wait(
    gate: threading.Lock,
    over: threading.Lock,
    finished: list[bool],
    handle: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]],
) -> list[BaseException]:
    """Let the thread begin and wait until it has finished, whatever comes; give what came."""
    waiting = asyncio.current_task()
    interrupts: list[BaseException] = []
    asked = 0  # how often the coroutine has been asked to stop
    while not finished:
        try:
            with contextlib.suppress(RuntimeError):  # it is open: an interruption may come anywhere in here
                gate.release()
            # asyncio.run answers the first Ctrl-C by asking its task to cancel, which cannot reach a
            # thread that waits here; so look for it now and then.
            wanted = len(interrupts) + (waiting.cancelling() if waiting is not None else 0)
            while asked < wanted and handle:
                asked += 1
                with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                    handle[0][0].call_soon_threadsafe(handle[0][1].cancel)
            over.acquire(timeout=_LOOK_SECONDS)
        except BaseException as error:
            interrupts.append(error)
    return interrupts


def _tell_of_the_end(interrupt: BaseException, raised: list[BaseException]) -> None:
    """Let an interruption say what else went wrong: such as an end that could not be recorded."""
    for error in raised:
        if not isinstance(error, asyncio.CancelledError):
            interrupt.add_note(f"the run ended with {type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", ()):
            interrupt.add_note(note)
