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
from typing import Any, Generic, TypeVar

from seqkit._util.threads import starts
from seqkit.errors import as_recorded
from seqkit.running.context import under_way
from seqkit.running.nowait import NoWaiting, outside_of_the_loop

__all__ = ["AwaitedCall", "Call", "id_in", "in_thread", "is_async", "no_id", "reason_of", "shown", "starts_beside"]

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


class Call(Generic[_T]):
    """A call that another thread makes.

    Parameters
    ----------
    call : callable
        What to call, without arguments.
    told : callable
        Called in that thread once it has ended; a RuntimeError is passed over: nobody waits any more.
    """

    def __init__(self, call: Callable[[], _T], told: Callable[[], object]) -> None:
        self._call = call
        self._told = told
        self._value: list[_T] = []
        self._raised: BaseException | None = None

    def make(self) -> None:
        """Make it, and keep what comes of it."""
        try:
            self._value.append(self._call())
        except BaseException as error:  # handed to whoever waits whole
            self._raised = error
        with contextlib.suppress(RuntimeError):  # such as of a loop that is closed
            self._told()

    def result(self) -> _T:
        """Give what it gave, or raise what it raised."""
        if self._raised is not None:
            raise self._raised
        return self._value[0]


class AwaitedCall(Call[_T]):
    """A call that another thread makes while the event loop of this one goes on."""

    def __init__(self, call: Callable[[], _T]) -> None:
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = loop.create_future()
        # Without `self`: what was called, a ledger perhaps, is to be let go of at once and not by the collector.
        super().__init__(call, functools.partial(loop.call_soon_threadsafe, self._ended.set_result, None))

    async def over(self) -> asyncio.CancelledError | None:
        """Wait until it has ended, however often that is cancelled; give the last cancellation.

        Nothing stops what a thread does. Only where the waiting coroutine is closed it waits no more.
        """
        cancelled = None
        while not self._ended.done():
            try:
                await asyncio.wait([self._ended])
            except asyncio.CancelledError as error:
                cancelled = error
        return cancelled


def starts_beside(thread: threading.Thread) -> bool:
    """Start a thread that works while this one waits; False where that cannot be, so that this one does the work."""
    return not isinstance(asyncio.get_running_loop(), NoWaiting) and starts(thread)


async def in_thread(function: Callable[..., Any], *arguments: object, **named: object) -> Any:
    """Call a function in a thread of its own, so that it holds up neither the event loop nor a Ctrl-C.

    Nobody can stop it: a cancellation changes nothing, and what it returned or raised comes once it has ended. Until
    then its thread is among those of :func:`seqkit.running.context.under_way`. The thread is a daemon: a function
    that never returns cannot keep the interpreter from ending. Where no thread can start it is called in this one.
    """
    call = functools.partial(contextvars.copy_context().run, function, *arguments, **named)
    made = AwaitedCall(call)
    thread = threading.Thread(target=made.make, name="seqkit-release", daemon=True)
    mine = under_way()
    threads = [] if mine is None else mine.threads
    threads.append(thread)  # before it starts: an interruption may come in there
    if starts_beside(thread):
        await made.over()
        thread.join()  # it has told, and is about to end
    else:
        with outside_of_the_loop():
            made.make()
    threads.remove(thread)
    return made.result()


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


def no_id(repo_id: str, returned: object) -> TypeError:
    """Make the error that says what a releaser returned that is no id."""
    return TypeError(
        f"the releaser returned {shown(returned)} for repo {repo_id!r:.80}, expected an id for the release as a str"
    )


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
