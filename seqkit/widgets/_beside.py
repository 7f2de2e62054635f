"""Work that goes on beside a run, in a thread of its own, and leaves it its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from seqkit.widgets._later import Later, call_later

__all__ = ["Beside"]

_SHARE = 0.1  # of the time


class Beside:
    """Call something often asked for, a while after it is asked for, never twice at once and never where it is asked.

    The last request is never lost. Between two calls is as long a pause as makes them a tenth of the time. Where
    nothing can be called later no call comes.

    Parameters
    ----------
    call : callable
        What to call.
    seconds : float
        How long to wait at least.
    """

    def __init__(self, call: Callable[[], object], seconds: float) -> None:
        self._call, self._least = call, seconds
        self._pause = seconds
        self._later: Later | None = None
        self._asked = self._closed = self._calling = False
        self._lock = threading.Lock()

    def ask(self) -> None:
        """Let the call come."""
        with self._lock:
            self._asked = True
            if not self._calling and (self._later is None or self._later.overdue()):
                self._start()

    def _start(self) -> None:
        if not self._closed:
            self._later = call_later(self._pause, self._come)

    def _come(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._asked, self._calling, self._later = False, True, None
        began = time.monotonic()
        try:
            self._call()
        finally:
            with self._lock:
                self._calling = False
                self._pause = max(self._least, (time.monotonic() - began) * (1 / _SHARE - 1))
                if self._asked:
                    self._start()

    def close(self) -> None:
        """Call no more; what is being called comes to its end."""
        with self._lock:
            self._closed = True
            if self._later is not None:
                self._later.cancel()
