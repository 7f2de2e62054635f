"""A slider and a box for a number that keeps all its digits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Context, Decimal
from importlib.resources import files
from typing import Any

import anywidget
import traitlets as T

from seqkit._util.secrets import as_given

__all__ = ["ExactSlider", "percent"]

_STATIC = files("seqkit.widgets") / "static"
_KEPT = 20  # numbers between the marks that one can go back to
_LONGEST = 60  # characters of a number that is typed
_SMALLEST = 1e-12  # as a fraction of one; below it zeros would be all that is seen
_DIGITS = Context(prec=40)  # the notebook's own context may be a narrow one


def _words(value: float, places: int = 0) -> str:
    """Write a number with all its digits, the point moved to the right by so many places.

    Examples
    --------
    >>> _words(0.0862, 2), _words(0.003, 2), _words(0.4, 2), _words(1 / 3, 2), _words(1.0), _words(1e-300, 2)
    ('8.62', '0.3', '40.0', '33.33333333333333', '1.0', '1e-298')
    """
    moved = Decimal(repr(value)).scaleb(places, _DIGITS).normalize(_DIGITS)
    if 0 < abs(value) < _SMALLEST:
        return f"{moved:e}"
    text = f"{moved:f}"
    return text if "." in text else f"{text}.0"


def percent(value: float) -> str:
    """Write a probability as a percentage with all its digits.

    Examples
    --------
    >>> percent(0.003), percent(0.0862), percent(0.4)
    ('0.3%', '8.62%', '40.0%')
    """
    return f"{_words(value, 2)}%"


def _number(text: str, places: int) -> float:
    """Read what `_words` writes, and what people type."""
    try:
        return float(Decimal(text.strip().removesuffix("%")).scaleb(-places, _DIGITS))
    except (ArithmeticError, ValueError):
        return float("nan")


class ExactSlider(anywidget.AnyWidget):
    """A number to be moved along marks or typed, shown and kept to its last digit.

    The page gets words and shows them. It sends one only when a hand moves the slider or types, together
    with whose number that was: to be shown, to be shown another number or to come late changes nothing.
    Between the marks lie the numbers shown so far, so that a hand finds back to them.

    Parameters
    ----------
    description, exactly : str
        Names of the slider and of the box beside it.
    marks : iterable of float
        What the slider moves along.
    most : float
        The largest number; the least is 0.
    say : callable
        Called with a sentence about what was typed, and whether it is an error.
    in_percent : bool
        Whether the page shows the number as a percentage.
    value : float
        What is shown first.
    **options
        Traits of any widget, such as `tooltip` and `layout`.

    Attributes
    ----------
    value : float
        The number; assign to it as a hand would move it.
    disabled, readout : bool
        Whether no hand can move it, and whether a number is seen.
    """

    _esm = (_STATIC / "slider.js").read_text("utf-8")
    _css = (_STATIC / "slider.css").read_text("utf-8")

    value = T.CFloat()  # not the page's: it might round
    description = T.Unicode().tag(sync=True)
    exactly = T.Unicode().tag(sync=True)
    disabled = T.Bool(False).tag(sync=True)
    readout = T.Bool(True).tag(sync=True)
    _unit = T.Unicode().tag(sync=True)
    _face = T.Dict().tag(sync=True)

    def __init__(
        self,
        description: str,
        exactly: str,
        marks: Iterable[float],
        most: float,
        say: Callable[[str, bool], object],
        in_percent: bool = False,
        value: float = 0.0,
        **options: Any,
    ) -> None:
        self._marks, self._most, self._say = frozenset(marks), most, say
        self._places = 2 if in_percent else 0
        self._about: tuple[Hashable, tuple[float, ...]] = (None, ())
        self._between: list[float] = []
        self._turn = self._heard = 0
        super().__init__(
            description=description, exactly=exactly, _unit="%" if in_percent else "", value=value, **options
        )
        self._show()
        self.on_msg(self._received)

    @T.validate("value")
    def _in_range(self, proposal: Any) -> float:
        value = float(proposal["value"])
        if not 0.0 <= value <= self._most:  # also refuses NaN
            raise T.TraitError(f"value is {as_given(value, 200)}, expected a number from 0 to {self._most:,g}")
        return value + 0.0  # -0.0 is 0.0

    @T.observe("value")
    def _moved(self, _change: Any) -> None:
        self._show()

    def turn_to(self, value: float, whose: Hashable = None, also: Iterable[float] = ()) -> None:
        """Show a number, whose it is, and what else the slider should stop at."""
        about = (whose, tuple(also))
        if about != self._about:
            self._turn += whose != self._about[0]
            self._about, self._between = about, []
        self.value = value
        self._show()

    def _show(self) -> None:
        if self.value not in {*self._marks, *self._between}:
            self._between = [*self._between, self.value][-_KEPT:]
        stops = sorted({*self._marks, *self._between, *self._about[1]})
        self._face = {
            "words": [_words(stop, self._places) for stop in stops],
            "at": stops.index(self.value),
            "turn": self._turn,
            "heard": self._heard,
        }

    def _received(self, _widget: object, content: Any, _buffers: object) -> None:
        text = content.get("set") if isinstance(content, dict) else None
        if not isinstance(text, str):
            return
        with self.hold_sync():  # the page waits for one answer, whatever it is
            self._heard += 1
            if content.get("turn") == self._turn and not self.disabled:
                self._enter(text)
            self._show()

    def _enter(self, text: str) -> None:
        value = _number(text[:_LONGEST], self._places)
        if 0.0 <= value <= self._most:
            self.value = value
        else:
            most = _words(self._most, self._places).removesuffix(".0")
            self._say(f"{text!r:.80} is not a number from 0{self._unit} to {most}{self._unit}: nothing changes", True)
