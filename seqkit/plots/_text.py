"""Names in pictures: any id becomes one short line that matplotlib's own font can draw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import TextToPath

from seqkit._show.html import EMPTY, shortened

__all__ = ["FONT", "PLAIN", "fitting", "shown", "width", "wrapped"]

FONT = "DejaVu Sans"  # comes with matplotlib, and has all marks
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False, "family": FONT}  # ids may hold "$x$"


_PIECES = re.compile(r"[^-_./+@:\s]*[-_./+@:\s]*")  # a line may end after these characters
_TRIES = 12
_LONGEST = 80  # characters of a name that are ever shown


def shown(text: str, limit: int = 20) -> str:
    """Make any id a line of at most `limit` characters that the font can draw."""
    return "".join(char if ord(char) in _glyphs() else "□" for char in shortened(text or EMPTY, limit))


@lru_cache(maxsize=20_000)
def width(text: str, size: float) -> float:
    """Measure a line set in `size` points, in points."""
    return float(TextToPath().get_text_width_height_descent(text, FontProperties(family=FONT, size=size), False)[0])


def fitting(head: str, repo: str, size: float, room: float, limit: int = 20) -> str:
    """Write `head` and the repo, cut in the middle until they fit into `room` points."""
    while limit > 1 and width(head + shown(repo, limit), size) > room:
        limit -= 1
    return head + shown(repo, limit)


def wrapped(repo: str, size: float, rooms: Sequence[float]) -> list[str]:
    """Break a name into lines: one if it fits into ``rooms[0]`` points, two of ``rooms[1]``, and so on.

    Breaks come after hyphens and other punctuation, inside a word only where it is longer than a line.
    Lines are as even as can be. What is too long for all of them is cut in the middle.
    """
    limit = _LONGEST
    while True:
        text = shown(repo, limit)
        for lines, room in enumerate(rooms, start=1):
            for tried in (room * (step + 1) / _TRIES for step in range(_TRIES)):
                filled = _filled(text, size, tried, whole_words=tried < room)
                if filled and len(filled) <= lines:
                    return filled
        if limit == 1:
            return [text]
        limit = min(len(text) - 1, limit * 9 // 10)


def _filled(text: str, size: float, room: float, whole_words: bool) -> list[str]:
    """Fill lines from the left; give none where a word is too long and must stay whole."""
    lines = [""]
    for piece in filter(None, _PIECES.findall(text)):
        if width((lines[-1] + piece).rstrip(), size) <= room:
            lines[-1] += piece
            continue
        if width(piece.rstrip(), size) > room and whole_words:
            return []
        lines.append("")
        for char in piece:
            if lines[-1] and width(lines[-1] + char, size) > room:
                lines.append("")
            lines[-1] += char
    return [line.rstrip() for line in lines if line.strip()] or [""]


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
