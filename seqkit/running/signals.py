"""SIGINT and SIGTERM while a run goes on: heard, not obeyed at once, and answered by whoever runs it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

__all__ = ["Interruptions"]

_HANDLED = {  # where the signal still does what it does by default
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


def _nobody() -> None:
    """Tell nobody."""


class Interruptions:
    """Hears SIGINT and SIGTERM while it is entered, and puts back what handled them before.

    Only in the main thread, and only where nobody else handles them: a signal that is ignored stays so.

    Parameters
    ----------
    tell : callable
        Called in the handler, once for each signal; it must not raise.

    Attributes
    ----------
    came : list of signal.Signals
        What has come.
    answered : bool
        To be set by whoever was told. A second signal before that raises KeyboardInterrupt where the main thread is:
        the event loop is held up by something that does not give way.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self.came: list[signal.Signals] = []
        self.answered = False
        self._tell = tell
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Interruptions:
        if threading.current_thread() is threading.main_thread():
            for number, usual in _HANDLED.items():
                if signal.getsignal(number) == usual:
                    self._before[number] = usual
                    signal.signal(number, self._hear)
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        for number, usual in self._before.items():
            if signal.getsignal(number) == self._hear:  # else somebody else took it meanwhile, and keeps it
                signal.signal(number, usual)  # type: ignore[arg-type]  # what getsignal gave
        self._tell = _nobody  # what it holds on to is free at once

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.came.append(signal.Signals(number))
        if len(self.came) > 1 and not self.answered:
            raise KeyboardInterrupt
        self._tell()

    def error(self) -> BaseException | None:
        """Give what is to be raised in the end, by the last that came: as the signals do by themselves."""
        if not self.came:
            return None
        if signal.SIGTERM in self.came:
            return SystemExit(128 + signal.SIGTERM)
        return KeyboardInterrupt()
