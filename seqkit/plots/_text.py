"""Names in pictures: any id becomes one short line that matplotlib's own font can draw."""

from __future__ import annotations

from functools import cache
from typing import Any

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import TextToPath

from seqkit._html import shortened

__all__ = ["FONT", "PLAIN", "fitting", "shown", "width"]

FONT = "DejaVu Sans"  # comes with matplotlib, and has all marks
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False, "family": FONT}  # ids may hold "$x$"


def shown(text: str, limit: int = 20) -> str:
    """Make any id a line of at most `limit` characters that the font can draw."""
    return "".join(
        " " if char.isspace() else char if char.isprintable() and ord(char) in _glyphs() else "□"
        for char in shortened(text, limit)
    )


def width(text: str, size: float) -> float:
    """Measure a line set in `size` points, in points."""
    return float(TextToPath().get_text_width_height_descent(text, FontProperties(family=FONT, size=size), False)[0])


def fitting(head: str, repo: str, size: float, room: float, limit: int = 20) -> str:
    """Write `head` and the repo, cut in the middle until they fit into `room` points."""
    while limit > 1 and width(head + shown(repo, limit), size) > room:
        limit -= 1
    return head + shown(repo, limit)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
