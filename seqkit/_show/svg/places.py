"""Where the repos of a drawing go, and what each looks like: boxes with names, or dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seqkit._show.html import escaped
from seqkit._show.palette import EVERY_STYLE, StatusStyle, shade
from seqkit._show.rows import Point
from seqkit._show.svg.counts import mark
from seqkit._show.svg.text import fitted, number, text
from seqkit._show.svg.text import width as wide

__all__ = ["THUMBNAIL", "Box", "Boxes", "Dots", "Drawing"]

THUMBNAIL = 420.0
"""Pixels: how wide a thumbnail may be."""
_THUMBNAIL_TALL = 140.0
_DOT = 9.0
_SIZE = 11.0  # of names
_NOTE = 9.0  # size of notes
_LINE = 12.0
_AIR = 6.0  # in a box, above and below the lines together
_MARK = 18.0  # from the left end of a box to its name
_ROW_GAP = 7.0
_GAPS = (38.0, 24.0)  # between columns, for the curves: by default, and where room is short
_ONE_LINE = 24  # characters
_TWO_LINES = (16, 14, 12, 10)
_ONE_WORD = 14  # what cannot be broken may be longer
_BREAKS = "-_./+ "

Routes = Mapping[tuple[str, str], Sequence[Point]]


@dataclass(frozen=True, slots=True)
class Box:
    """The room of one repo, in pixels."""

    left: float
    right: float
    y: float  # of its middle
    tall: float
    lines: tuple[str, ...] = ()

    @property
    def middle(self) -> float:
        """Where its middle lies."""
        return (self.left + self.right) / 2


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the columns and rows of a layout become pixels."""

    width: float
    height: float
    spans: Sequence[tuple[float, float]]  # the left and right ends of the columns
    top: float  # the row at height 0
    row: float  # pixels
    boxes: Mapping[str, Box]

    def y(self, row: float) -> float:
        """Give the height of a row."""
        return (row - self.top) * self.row


def _by_column(spots: Mapping[str, Point]) -> list[list[str]]:
    """List the repos of each column from top to bottom."""
    columns: list[list[str]] = [[] for _ in range(1 + int(max(x for x, _ in spots.values())))]
    for repo in sorted(spots, key=spots.__getitem__):
        columns[int(spots[repo][0])].append(repo)
    return columns


def _extent(spots: Mapping[str, Point], routes: Routes) -> tuple[float, float]:
    heights = [y for line in (spots.values(), *routes.values()) for _, y in line]
    return min(heights), max(heights)


def _spans(widths: Sequence[float], gap: float) -> list[tuple[float, float]]:
    """Put columns side by side, a pixel from the edge."""
    spans, x = [], 1.0
    for long in widths:
        spans.append((x, x + long))
        x += long + gap
    return spans


def _style(word: str, p: float | None) -> StatusStyle:
    return EVERY_STYLE[word] if p is None else StatusStyle(f"{p:.0%}", shade(p), "")


@dataclass(frozen=True, slots=True)
class Boxes:
    """A box for each repo, with mark, name and note; its column is as wide as the longest needs."""

    shades: Mapping[str, float]
    notes: Mapping[str, str]
    room: float | None  # pixels for the whole picture

    @property
    def at_most(self) -> float | None:
        """How wide the picture may be shown."""
        return self.room

    def placed(self, spots: Mapping[str, Point], routes: Routes) -> Drawing:
        """Find a place for every repo, with names on one line where there is room, else on two, cut if need be."""
        columns = _by_column(spots)
        for limit, lines, gap in ((_ONE_LINE, 1, _GAPS[0]), *((limit, 2, _GAPS[1]) for limit in _TWO_LINES)):
            names = {repo: _wrapped(repo, limit, lines) for repo in spots}
            widths = [max(self._width(repo, names[repo]) for repo in column) for column in columns]
            total = sum(widths) + gap * (len(widths) - 1) + 2
            if self.room is None or total <= self.room:
                break
        tall = _LINE * max(map(len, names.values())) + _AIR
        row = tall + _ROW_GAP
        top, bottom = _extent(spots, routes)
        drawing = Drawing(total, (bottom - top + 1) * row, _spans(widths, gap), top - 0.5, row, {})
        boxes = {
            repo: Box(*drawing.spans[at], drawing.y(spots[repo][1]), tall, names[repo])
            for at, column in enumerate(columns)
            for repo in column
        }
        return replace(drawing, boxes=boxes)

    def _note(self, repo: str) -> str:
        return fitted(self.notes.get(repo, ""), _NOTE, 60, 12)

    def _width(self, repo: str, lines: Sequence[str]) -> float:
        note = self._note(repo)
        return _MARK + max(wide(line, _SIZE) for line in lines) + 5 + (6 + wide(note, _NOTE) if note else 0)

    def drawn(self, repo: str, box: Box, word: str) -> str:
        """Draw one repo."""
        style, note = _style(word, self.shades.get(repo)), self._note(repo)
        first = box.y - _LINE / 2 * (len(box.lines) - 1)
        return (
            f'<g data-status="{word}"><title>{escaped(repo)}: {style.word}{escaped(note and f", {note}")}</title>'
            f'<rect x="{number(box.left)}" y="{number(box.y - box.tall / 2)}" width="{number(box.right - box.left)}" '
            f'height="{number(box.tall)}" rx="3" fill="{style.colour}"/><g stroke="none" fill="{style.ink}">'
            + text(box.left + 5, box.y, style.mark, _SIZE)
            + "".join(text(box.left + _MARK, first + _LINE * i, line, _SIZE) for i, line in enumerate(box.lines))
            + (text(box.right - 4, box.y, note, _NOTE, text_anchor="end") if note else "")
            + "</g></g>"
        )


def _wrapped(repo: str, limit: int, lines: int) -> tuple[str, ...]:
    """Write a name on one line or two of at most `limit` characters, broken where it evens them out."""
    ends = [at for at in range(2, limit + 1) if at < len(repo) and repo[at - 1] in _BREAKS]
    if repo[limit : limit + 1] and repo[limit] in _BREAKS:
        ends.append(limit)
    if lines == 1 or len(repo) <= limit or not ends:
        most = limit if ends else max(limit, _ONE_WORD)
        return (fitted(repo, _SIZE, _SIZE * most, most),)
    at = min(ends, key=lambda at: max(at, len(repo) - at))
    return fitted(repo[:at], _SIZE, _SIZE * limit, limit), fitted(repo[at:], _SIZE, _SIZE * limit, limit)


@dataclass(frozen=True, slots=True)
class Dots:
    """A dot for each repo, in squeezed rows; dots that would overlap stand side by side."""

    shades: Mapping[str, float]
    room: float | None  # pixels for the whole picture

    @property
    def at_most(self) -> float:
        """How wide the picture may be shown."""
        return self.room or THUMBNAIL

    def placed(self, spots: Mapping[str, Point], routes: Routes) -> Drawing:
        """Find a place for every repo."""
        columns = _by_column(spots)
        top, bottom = _extent(spots, routes)
        row = min(1.5 * _DOT, (_THUMBNAIL_TALL - _DOT) / max(bottom - top, 1.0))
        sides = [_side_by_side([spots[repo][1] * row for repo in column]) for column in columns]
        pitch = _DOT + 1
        widths = [pitch * (1 + max(side)) for side in sides]
        gap = min(24.0, max(8.0, (self.at_most - sum(widths)) / max(len(widths) - 1, 1)))
        spans = _spans(widths, gap)
        drawing = Drawing(spans[-1][1] + 1, (bottom - top) * row + _DOT + 2, spans, top - (_DOT / 2 + 1) / row, row, {})
        boxes = {
            repo: Box(left + side * pitch, left + side * pitch + _DOT, drawing.y(spots[repo][1]), _DOT)
            for (left, _), column, own in zip(spans, columns, sides, strict=True)
            for repo, side in zip(column, own, strict=True)
        }
        return replace(drawing, boxes=boxes)

    def drawn(self, repo: str, box: Box, word: str) -> str:
        """Draw one repo, whose name a pointer brings up.

        A page that drops pictures it does not trust may keep these names: the full stop parts them there.
        """
        style, half = _style(word, self.shades.get(repo)), box.tall / 2
        return (
            f'<g data-status="{word}"><title>{escaped(repo)}: {style.word}. </title>'
            f'<circle cx="{number(box.middle)}" cy="{number(box.y)}" r="{number(half)}" '
            f'fill="{style.colour}"/>{mark(box.middle, box.y, half, style)}</g>'
        )


def _side_by_side(heights: Sequence[float]) -> list[int]:
    """Give ascending heights places side by side, from 0, so that dots at one place do not overlap."""
    lowest: list[float] = []
    places = []
    for y in heights:
        place = next((i for i, low in enumerate(lowest) if y - low >= _DOT), len(lowest))
        lowest[place : place + 1] = [y]
        places.append(place)
    return places
