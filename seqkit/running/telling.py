"""Telling somebody of each event of a run: the `on_event` argument.

Who has a method ``run_began`` is told of the run itself, too: see :class:`Watcher`.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from seqkit._util.secrets import as_given
from seqkit.core.model import RunEvent, RunRecord, RunStatus
from seqkit.running.calling import is_async

__all__ = ["OnEvent", "Watcher", "checked_on_event", "stop_of_this_task", "tell"]

OnEvent = Callable[[RunEvent], object]


@runtime_checkable
class Watcher(Protocol):
    """An `on_event` that is also told when its run begins and that it has ended; no event says that."""

    def __call__(self, event: RunEvent) -> object:
        """Take in an event."""

    def run_began(self, record: RunRecord, stop: Callable[[], None] | None) -> None:
        """Take in that a run begins; `stop` breaks it off as ``cancel()`` does, from any thread; None: nobody can."""

    def run_ended(self, status: RunStatus) -> None:
        """Take in that it has ended, and how."""


def stop_of_this_task() -> Callable[[], None] | None:
    """Give what cancels the task that runs here, from any thread; None where there is none."""
    try:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
    except RuntimeError:
        return None
    if task is None:
        return None

    def stop() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
            loop.call_soon_threadsafe(task.cancel)

    return stop


def checked_on_event(on_event: OnEvent | None) -> OnEvent | None:
    """Read an `on_event` argument; TypeError where calling it would do nothing.

    Examples
    --------
    >>> async def news(event): ...
    >>> checked_on_event(news)
    Traceback (most recent call last):
    TypeError: on_event is async, and nobody would await what it makes; expected a plain function, ...
    """
    if on_event is None:
        return None
    if not callable(on_event):
        raise TypeError(f"on_event is {as_given(on_event)}, expected a function that takes an event")
    if is_async(on_event):
        raise TypeError(
            "on_event is async, and nobody would await what it makes; expected a plain function, which may put the "
            "event into a queue or start a task"
        )
    return on_event


def tell(on_event: OnEvent, event: RunEvent) -> None:
    """Tell of an event that is recorded, in a copy: it is the listener's own, to change as it likes."""
    answer = on_event(event.model_copy(update={"payload": _copied(event.payload)}))
    if answer is None or isinstance(answer, asyncio.Future):  # a task runs by itself
        return
    if inspect.isawaitable(answer) or inspect.isasyncgen(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise TypeError(
            f"on_event returned {type(answer).__name__} {getattr(answer, '__name__', '')!r:.80}, which somebody would "
            "have to await and nobody does; expected it to return nothing"
        )


def _copied(payload: Any) -> Any:
    if not isinstance(payload, dict):
        return payload
    return {name: list(value) if isinstance(value, list) else value for name, value in payload.items()}
