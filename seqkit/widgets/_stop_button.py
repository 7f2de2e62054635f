"""A button that stops a run, and asks once before it does."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as ipw

__all__ = ["StopButton"]


class StopButton(ipw.HBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Stop, then yes or no; once the run has been asked to stop, a second button lets nothing finish any more.

    Parameters
    ----------
    say : callable
        Called with a sentence about what a press came to.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._stop: Callable[[], None] | None = None
        self.asked = False
        """Whether the run has been asked to stop."""
        self.stop = _button("Stop", "Stop the run: asks before it does", "warning")
        self.yes = _button("Yes, stop", "Stop the run: nothing new starts, and what runs is asked to stop", "danger")
        self.no = _button("No, go on", "Let the run go on")
        self.at_once = _button("Stop at once", "Wait no longer for what still runs", "danger")
        self._question = ipw.Label("Stop the run?")
        self.stop.on_click(lambda _button: self._ask())
        self.yes.on_click(lambda _button: self._do())
        self.no.on_click(lambda _button: self._keep())
        self.at_once.on_click(lambda _button: self._again())
        super().__init__([self.stop, self._question, self.yes, self.no, self.at_once])
        self.offer(None)

    @property
    def asking(self) -> bool:
        """Whether it waits for a yes or a no."""
        return self.yes.layout.display is None

    def offer(self, stop: Callable[[], None] | None) -> None:
        """Let it call `stop`; None where there is nothing to stop: then it is not there."""
        self._stop, self.asked = stop, False
        self._show(self.stop if stop is not None else None)

    def _show(self, *shown: ipw.Widget | None) -> None:
        for part in self.children:
            part.layout.display = None if part in shown else "none"

    def _ask(self) -> None:
        if self.asking:  # pressed again: it was no yes
            self._keep()
            return
        self._show(self.stop, self._question, self.yes, self.no)
        self._say("Stop the run? Nothing new would start, and what runs would be asked to stop")

    def _keep(self) -> None:
        self._show(self.stop)
        self._say("The run goes on")

    def _do(self) -> None:
        if self._stop is not None:
            self.asked = True
            self._show(self.at_once)
            self._say("Stopping: nothing new starts, and what runs has its grace to come to an end")
            self._stop()

    def _again(self) -> None:
        if self._stop is not None:
            self._say("Stopping at once")
            self._stop()


def _button(text: str, tooltip: str, style: str = "") -> ipw.Button:
    return ipw.Button(description=text, tooltip=tooltip, button_style=style, layout=ipw.Layout(width="auto"))
