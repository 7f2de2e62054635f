"""Calling something a little later."""

from __future__ import annotations

import threading
from collections.abc import Callable

from seqkit._util.threads import starts
from seqkit.running.nowait import loop_that_stays

__all__ = ["Later", "call_later"]


class Later:
    """A call that comes."""

    def __init__(self, cancel: Callable[[], None], overdue: Callable[[], bool] = lambda: False) -> None:
        self.cancel = cancel
        """Let it not come; it may be under way."""
        self.overdue = overdue
        """Tells whether its time has passed and what should make it stands still."""


def call_later(seconds: float, call: Callable[[], object]) -> Later | None:
    """Call something in some seconds, in a thread of its own.

    Where no thread can start the loop that runs here makes the call, which it cannot before the cell has ended that
    asks for it. Where there is neither, it is None, and no call comes.
    """
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    if starts(timer):
        return Later(timer.cancel)
    loop = loop_that_stays()
    if loop is None:
        return None
    handle = loop.call_later(seconds, call)
    return Later(handle.cancel, lambda: loop.time() > handle.when())
