"""A graph too large to draw repo by repo: a stacked bar for each column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg.counts import described, mark
from seqkit._show.svg.places import THUMBNAIL
from seqkit._show.svg.text import number, opened, text

__all__ = ["stacked"]

_MOST_BARS = 60
_TALL = 110.0
_WIDEST = 30.0  # from bar to bar


def stacked(columns: Sequence[Mapping[str, int]], title: str = "", tells: bool = True) -> str:
    """Draw how many repos of each status every column of a dependency graph has, from left to right.

    Parameters
    ----------
    columns : sequence of mappings of str to int
        By column, counts by key of ``EVERY_STYLE``. Above 60 columns, equally many neighbours share a bar.
    title : str
        As in :func:`dag`.
    tells : bool
        Whether the description says how many there are of each status.

    Examples
    --------
    >>> stacked([{"succeeded": 900}, {"failed": 1, "blocked": 99}]).count("<rect")
    3
    """
    total: Counter[str] = Counter()
    each = max(1, -(-len(columns) // _MOST_BARS))
    bars: list[Counter[str]] = [Counter() for _ in range(-(-len(columns) // each))]
    for at, column in enumerate(columns):
        total.update(column)
        bars[at // each].update(column)
    tallest = max(map(Counter.total, bars), default=0)
    shared = "a bar a column" if each == 1 else f"a bar for {each:,} columns"
    note = f"Too large to draw one by one: {shared}, the tallest {tallest:,} repos"
    told = described(total.total(), len(columns), total if tells else {}, title)
    pitch = min(_WIDEST, THUMBNAIL / max(len(bars), 1))
    wide = max(pitch - 2, 1.0)
    parts = [opened(THUMBNAIL, _TALL + 20, f"{told}. {note}")]
    for place, counts in enumerate(bars):
        left, y = place * pitch + 1, _TALL
        first, last = place * each, min((place + 1) * each, len(columns)) - 1
        which = f"Column {first:,}" if first == last else f"Columns {first:,} to {last:,}"
        for word, style in EVERY_STYLE.items():
            if not counts[word]:
                continue
            tall = counts[word] / tallest * (_TALL - 4)
            y -= tall
            parts.append(
                f'<rect data-status="{word}" x="{number(left)}" y="{number(y)}" width="{number(wide)}" '
                f'height="{number(max(tall, 0.5))}" fill="{style.colour}" stroke="currentColor" stroke-width=".5" '
                f'stroke-opacity=".6"><title>{which}: {counts[word]:,} {style.word}. </title></rect>'
            )
            if min(tall, wide) >= 12:
                parts.append(mark(left + wide / 2, y + tall / 2, 5, style, ring=True))
    return "".join(parts) + text(1, _TALL + 12, note, 10) + "</svg>"
