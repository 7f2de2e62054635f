"""Other people's code: whether it is async, how it runs without standing in the way, what is kept of its words."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import reprlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from seqkit.errors import as_recorded

__all__ = ["id_in", "in_thread", "in_worker", "is_async", "reason_of", "shown", "to_its_end"]

_T = TypeVar("_T")

_LONGEST = 1_000_000  # characters of an id or a reason: whatever a ledger takes it can also export


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling it only makes something to be awaited; partials and ``__call__`` are looked into."""
    while isinstance(function, functools.partial):
        function = function.func
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in (function, getattr(function, "__call__", None))  # noqa: B004  # the method is wanted
    )


async def in_thread(function: Callable[..., Any], *arguments: object, **named: object) -> Any:
    """Call a function in a thread of its own, so that it holds up neither the event loop nor a Ctrl-C.

    The thread is a daemon: a function that never returns cannot keep the interpreter from ending.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(result: Any, error: BaseException | None) -> None:
        if not ended.done():
            ended.set_result((result, error))

    def work() -> None:
        result, raised = None, None
        try:
            result = context.run(function, *arguments, **named)
        except BaseException as error:  # handed to the waiting coroutine whole
            raised = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, raised)

    threading.Thread(target=work, name="seqkit-release", daemon=True).start()
    result, raised = await ended
    if raised is not None:
        raise raised
    return result


def reason_of(error: BaseException) -> str:
    """Say why something failed: the exception's text, else its class.

    Examples
    --------
    >>> reason_of(OSError("disk is full")), reason_of(KeyError())
    ('disk is full', 'KeyError')
    """
    try:
        return _kept(as_recorded(error))
    except Exception:  # its __str__ raises, or gives no text
        return _kept(type(error).__name__)


def id_in(released_as: object) -> str | None:
    """Give what a releaser returned as an id, a plain str; None where it is no text."""
    # A mock may say that it is a str: its class tells.
    return _kept(str.__str__(released_as)) if issubclass(type(released_as), str) else None


def _kept(text: str) -> str:
    r"""Give a text as every ledger can keep it: a plain str, half characters as their escapes, and not endless.

    It tells of what has happened already, so there is nothing to refuse.

    Examples
    --------
    >>> _kept("v1-\udcff") == "v1-\\udcff", len(_kept("x" * 10**7))
    (True, 1000025)
    """
    plain = str.__str__(text)
    if len(plain) > _LONGEST:
        plain = f"{plain[:_LONGEST]}… ({len(plain):,} characters)"
    return plain if plain.isascii() else plain.encode("utf-8", "backslashreplace").decode("utf-8")


class _Short(reprlib.Repr):
    """Writes the beginning of a value, and not a list of a million for it."""

    def repr_instance(self, x: Any, level: int) -> str:
        return f"{x!r:.80}"


def shown(value: object) -> str:
    """Show a value in a message, with its type: short, and whatever its repr does."""
    try:
        text = _Short().repr(value)
    except Exception:
        text = "something"
    return f"{text:.80} ({type(value).__name__})"


async def in_worker(call: Callable[..., _T], *arguments: Any) -> _T:
    """Call something that may block, in a worker thread.

    A cancellation waits for a call that is under way: a write is then whole, and the run is ended only after it.
    """
    under_way, cancelled = await to_its_end(call, *arguments)
    if cancelled is not None:
        if not under_way.cancelled():
            under_way.exception()  # seen: the cancellation is what goes on
        raise cancelled
    return under_way.result()


async def to_its_end(
    call: Callable[..., _T], *arguments: Any
) -> tuple[asyncio.Future[_T], asyncio.CancelledError | None]:
    """Call something in a worker thread and wait until it has ended, however often that is cancelled."""
    under_way = asyncio.get_running_loop().run_in_executor(None, call, *arguments)
    cancelled = None
    while not under_way.done():
        try:
            await asyncio.wait([under_way])
        except asyncio.CancelledError as error:
            cancelled = error
    return under_way, cancelled
