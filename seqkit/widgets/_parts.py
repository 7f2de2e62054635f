"""Small things that several widgets need: clean text, status lines, guarded callbacks, closing for good."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import ipywidgets as ipw

from seqkit._show.html import NO_TEX, escaped, shortened
from seqkit.widgets._later import Later, call_later

__all__ = ["Hands", "Html", "StatusLine", "Throttle", "close_all", "guarded", "plain"]

_Method = TypeVar("_Method", bound=Callable[..., Any])


def plain(text: str, limit: int = 60) -> str:
    r"""Make any id one short line that every browser can show.

    Examples
    --------
    >>> print(plain("two\nlines"), plain(""), plain("x" * 100, 7))
    two\nlines (no name) xxx…xxx
    """
    shown = shortened(text, limit)
    return shown if shown.strip() else f"({'blank' if text else 'no name'})"


class Html(ipw.HTML):  # type: ignore[misc]  # ipywidgets ships no types
    """HTML in which no TeX is set, wherever on a page it ends up."""

    def __init__(self, value: str = "", **options: Any) -> None:
        super().__init__(value, _dom_classes=NO_TEX, **options)


class StatusLine(Html):
    """One line that says what just happened; a screen reader reads it out."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("seqkit-status")
        self.say("")

    text: str = ""
    """What it says, without markup."""

    def say(self, text: str, error: bool = False) -> None:
        """Show a line; an error gets a mark, and is read out at once."""
        self.text = text
        mark, live = ("⚠ ", "assertive") if error else ("", "polite")
        self.value = f'<div role="status" aria-live="{live}" aria-atomic="true">{mark}{escaped(text, 600)}</div>'


def guarded(method: _Method) -> _Method:
    """Let a callback of a widget that has a ``status`` line show its errors there instead of losing them."""

    @functools.wraps(method)
    def wrapper(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except Exception as error:
            self.status.say(f"{type(error).__name__}: {error}", error=True)

    return wrapper  # type: ignore[return-value]


def close_all(widgets: Iterable[ipw.Widget]) -> None:
    """Close widgets, all that is inside them, and the layouts and styles that came with them."""
    waiting, seen = list(widgets), set[str]()
    while waiting:
        widget = waiting.pop()
        if widget.comm is None or widget.model_id in seen:
            continue
        seen.add(widget.model_id)
        for name in widget.keys:
            value = getattr(widget, name)
            inside = value if isinstance(value, list | tuple) else [value]
            waiting.extend(other for other in inside if isinstance(other, ipw.Widget))
        ipw.Widget.close(widget)


class Hands(threading.local):
    """Whether this thread is showing something: then a control that changes was moved by no hand.

    JupyterLab may bring what hands do in another thread than cells run in.
    """

    depth = 0

    @property
    def off(self) -> bool:
        """Whether no hand is at work."""
        return self.depth > 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_error: object) -> None:
        self.depth -= 1


class Throttle:
    """Call something often asked for only every so often; the last request is never lost.

    Where neither a thread can start nor a loop runs, every request is met at once.

    Once it is closed nothing is called: widgets must not be changed while another thread closes them.

    Parameters
    ----------
    call : callable
        What to call; from the asking thread, or from a timer's.
    seconds : float
        Least time between two calls.
    """

    def __init__(self, call: Callable[[], object], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._timer: Later | None = None
        self._asked = False
        self._lock = threading.Lock()
        self._closed = False
        self._calling = threading.RLock()  # or two threads would change the same widgets at once

    def ask(self) -> None:
        """Call now, or soon where the last call was a moment ago."""
        with self._lock:
            if self._timer is not None:
                if not self._timer.overdue():
                    self._asked = True
                    return
                self._timer.cancel()
            self._asked = False
            self._start()
        self.run(self._call)

    def run(self, call: Callable[[], object]) -> None:
        """Call something else at once, but never while another call is made."""
        with self._calling:
            if not self._closed:
                call()

    def _start(self) -> None:
        self._timer = call_later(self._seconds, self._rested)

    def _rested(self) -> None:
        with self._lock:
            self._timer = None
            if not self._asked:
                return
            self._asked = False
            self._start()
        self.run(self._call)

    def now(self) -> None:
        """Call at once, and not again until asked."""
        self.stop()
        self.run(self._call)

    def stop(self) -> None:
        """Forget what was asked for."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._asked = None, False

    def close(self) -> None:
        """Never call again; waits for a call that is being made."""
        with self._calling:
            self._closed = True
        self.stop()
