"""Looking again at something that goes on, soon after news and ever more rarely without."""

from __future__ import annotations

import threading
from collections.abc import Callable

from seqkit.widgets._later import Later, call_later

__all__ = ["Follower"]

_LONGEST = 10.0  # seconds


class Follower:
    """Calls `look` in a thread of its own, so that whoever brings the news need not wait.

    The end of a run is no news: nobody is called. So as long as `look` says that it goes on, it is
    called again without any, each time after twice the pause, at most ten seconds. Where neither a thread
    can start nor a loop runs, it looks at once, and then only at news.

    Parameters
    ----------
    look : callable
        Looks, and says whether there may be more to see.
    first : float
        Seconds from news to the next look, and the least pause between two.
    """

    def __init__(self, look: Callable[[], bool], first: float = 0.25) -> None:
        self._look = look
        self._first = first
        self._pause = first
        self._timer: Later | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._looking = False
        self._news = False

    def news(self) -> None:
        """Look soon."""
        with self._lock:
            self._news = True
            if not self._looking and (self._timer is None or self._pause > self._first):
                self._wait(self._first)
            at_once = self._timer is None and not self._looking
        if at_once:  # nobody comes later
            self._now()

    def _wait(self, pause: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._pause = None, pause
        if not self._closed:
            self._timer = call_later(pause, self._now)

    def _now(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._timer, self._looking, self._news = None, True, False
        goes_on = self._look()
        with self._lock:
            self._looking = False
            if self._news:
                self._wait(self._first)
            elif goes_on:
                self._wait(min(2 * self._pause, max(self._first, _LONGEST)))

    def close(self) -> None:
        """Never look again."""
        with self._lock:
            self._closed = True
            self._wait(0.0)
