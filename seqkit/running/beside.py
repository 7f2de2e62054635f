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
from seqkit.running.signals import Interruptions
from seqkit.running.to_the_end import run_to_its_end

__all__ = ["run_anywhere", "run_beside"]

_T = TypeVar("_T")

_LOOK_SECONDS = 0.05


def run_anywhere(made: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine to its end and wait, whether an event loop is running here or not."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run_to_its_end(made)
    return run_beside(made)


def run_beside(made: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine in a loop of its own, in a thread, and wait: the loop of this thread cannot be entered twice.

    What interrupts the wait (SIGINT, SIGTERM, a signal's handler that raises) cancels the coroutine, and is raised
    once the coroutine has come to its end: whatever it does at its end is done then. Another one cancels it again.

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

    def work() -> None:
        gate.acquire()
        if given_up:
            return
        try:
            result.append(run_to_its_end(made, lambda *begun: handle.append(begun)))
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
    with Interruptions(lambda: None) as signals:
        interrupts = _wait(gate, over, finished, handle, signals)
    stopped = bool(raised) and isinstance(raised[0], asyncio.CancelledError)
    if (told := signals.error()) is not None and (stopped or isinstance(told, SystemExit)):
        interrupts.append(told)
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
    signals: Interruptions,
) -> list[BaseException]:
    """Let the thread begin and wait until it has finished, whatever comes; give what was raised here."""
    waiting = asyncio.current_task()
    interrupts: list[BaseException] = []
    asked = 0  # how often the coroutine has been asked to stop
    signals.answered = True  # here: nothing holds up this thread
    while not finished:
        try:
            with contextlib.suppress(RuntimeError):  # it is open: an interruption may come anywhere in here
                gate.release()
            # asyncio.run answers the first Ctrl-C by asking its task to cancel, which cannot reach a
            # thread that waits here; so look for it now and then.
            wanted = len(interrupts) + len(signals.came) + (waiting.cancelling() if waiting is not None else 0)
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
