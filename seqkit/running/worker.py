"""One thread for all that a run does with a ledger that may block."""

from __future__ import annotations

import asyncio
import functools
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from seqkit.running.calling import AwaitedCall, Call, starts_beside

__all__ = ["Worker"]

_T = TypeVar("_T")
_Calls = queue.SimpleQueue[Callable[[], None] | None]  # None ends them


class Worker:
    """Makes calls in a thread of its own, one after the other, in the order in which they are asked for.

    The thread starts with the first call, and has ended at the end of the ``with`` block. Where none can start each
    call is made directly. (An executor would not do: a call that it could not start a thread for stays in its queue,
    and is made later by whichever thread does start.)

    Examples
    --------
    >>> async def main():
    ...     with Worker() as worker:
    ...         return await worker.call(divmod, 7, 2)
    >>> asyncio.run(main())
    (3, 1)
    """

    def __init__(self) -> None:
        self._calls: _Calls = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._direct = False

    async def call(self, call: Callable[..., _T], *arguments: Any) -> _T:
        """Make a call.

        A cancellation waits for it to end: a write is then whole, and the run is ended only after it.
        """
        made, cancelled = await self.to_its_end(call, *arguments)
        if cancelled is not None:
            raise cancelled
        return made.result()

    async def to_its_end(
        self, call: Callable[..., _T], *arguments: Any
    ) -> tuple[Call[_T], asyncio.CancelledError | None]:
        """Make a call and wait until it has ended, however often that is cancelled; give it and the cancellation."""
        made = AwaitedCall(functools.partial(call, *arguments))
        if not self._serves():
            made.make()
            return made, None
        self._calls.put(made.make)
        return made, await made.over()

    def at_once(self, call: Callable[..., _T], *arguments: Any) -> _T:
        """Make a call, after one that is under way, and block until it has ended: for whoever awaits no more."""
        if self._thread is None:
            return call(*arguments)
        ended = threading.Event()
        made = Call(functools.partial(call, *arguments), ended.set)
        self._calls.put(made.make)
        ended.wait()
        return made.result()

    def _serves(self) -> bool:
        """Tell whether there is a thread, and start it where it can."""
        if self._thread is None and not self._direct:
            thread = threading.Thread(target=_serve, args=(self._calls,), name="seqkit-ledger", daemon=True)
            try:
                self._direct = not starts_beside(thread)
            except BaseException:  # interrupted in there nobody knows whether it has started: then it ends at once
                self._calls.put(None)
                self._calls = queue.SimpleQueue()
                raise
            if not self._direct:
                self._thread = thread
        return not self._direct

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join()


def _serve(calls: _Calls) -> None:
    while (make := calls.get()) is not None:
        make()
        del make  # or what it called would live until the next
