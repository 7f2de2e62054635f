"""A small histogram of a count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from seqkit._show.svg.text import fitted, number, opened, text
from seqkit._show.svg.text import width as wide

__all__ = ["bars"]

_SIZE = 10.0  # of text
_LINE = 12.0  # between lines of text
_THINNEST = 2.0  # pixels; more values than that share bars
_PAD = 14.0


def bars(
    values: Sequence[float],
    *,
    marks: Sequence[float] = (),
    labels: Sequence[str] = (),
    width: float = 420.0,
    height: float = 110.0,
    title: str = "",
) -> str:
    """Draw how probable each count is, with lines at its mean, quantiles and the like.

    Parameters
    ----------
    values : sequence of float
        The probabilities (or numbers of trials) of the counts 0, 1, …; at least 0. Where there are more
        than fit, equally many neighbours share a bar.
    marks : sequence of float
        Counts at which a vertical line stands; the first is solid, the others are dashed.
    labels : sequence of str
        What to write at each line, such as ``"mean 41.3"``; also read out by screen readers.
    width, height : float
        Pixels.
    title : str
        What is counted; written under the bars, and read out first.

    Raises
    ------
    ValueError
        Where there are not as many labels as marks.

    Examples
    --------
    >>> picture = bars([0.1, 0.2, 0.7], marks=[1.6], labels=["mean 1.6"])
    >>> picture.count("<rect"), "from 0 to 2; mean 1.6" in picture
    (3, True)
    """
    if len(labels) != len(marks):
        raise ValueError(f"labels has {len(labels)} for {len(marks)} marks, expected one for each")
    last = max(len(values) - 1, 0)
    each = max(1, -(-len(values) * int(_THINNEST) // int(width - 2 * _PAD)))  # counts in a bar
    sums = [sum(values[start : start + each]) for start in range(0, len(values), each)] or [0.0]
    pitch = (width - 2 * _PAD) / len(sums)
    told = f"{title + ': h' if title else 'H'}istogram of the counts from 0 to {last:,}"
    told += f"; {', '.join(labels)}" if labels else ""
    flags = _flags([_PAD + (at + 0.5) / each * pitch for at in marks], labels, width)
    top = _LINE * (1 + max((flag.line for flag in flags), default=-1)) + 4
    bottom, tallest = height - _LINE - 4, max(sums) or 1.0
    parts = [opened(width, height, told), '<g fill-opacity=".45">']
    gap = 1.0 if pitch >= 4 else 0.0
    for place, value in enumerate(sums):
        tall = (bottom - top) * value / tallest
        if value > 0:
            tall = max(tall, 0.5)  # never so improbable as to be nothing
            parts.append(
                f'<rect x="{number(_PAD + place * pitch)}" y="{number(bottom - tall)}" '
                f'width="{number(pitch - gap)}" height="{number(tall)}"/>'
            )
    parts.append(f'</g><path d="M{number(_PAD)} {number(bottom)}H{number(width - _PAD)}" stroke="currentColor"/>')
    parts.append(text(_PAD, height - _LINE / 2, "0", _SIZE))
    if last:
        parts.append(text(width - _PAD, height - _LINE / 2, f"{last:,}", _SIZE, text_anchor="end"))
    if title:
        parts.append(
            text(width / 2, height - _LINE / 2, fitted(title, _SIZE, width - 100, 80), _SIZE, text_anchor="middle")
        )
    for index, (label, flag) in enumerate(zip(labels, flags, strict=True)):
        dashes = ' stroke-dasharray="3 3"' if index else ' stroke-width="1.5"'
        parts.append(
            f'<path d="M{number(flag.x)} {number(flag.line * _LINE)}V{number(bottom)}" stroke="currentColor"{dashes}/>'
            + text(flag.left, flag.line * _LINE + _LINE / 2, label, _SIZE)
        )
    return "".join(parts) + "</svg>"


class _Flag(NamedTuple):
    """A vertical line with its label on one side of its top."""

    x: float
    left: float
    right: float
    line: int

    def hits(self, other: _Flag) -> bool:
        """Whether labels overlap, or one of the two lines runs through the other's label."""
        return (
            (self.line == other.line and self.left < other.right + 4 and other.left < self.right + 4)
            or (other.line <= self.line and self.left - 1 < other.x < self.right + 1)
            or (self.line <= other.line and other.left - 1 < self.x < other.right + 1)
        )


def _flags(xs: Sequence[float], labels: Sequence[str], room: float) -> list[_Flag]:
    """Give each mark a place for its label, as high as goes; from right to left, so that most find one."""
    placed: dict[int, _Flag] = {}
    for index in sorted(range(len(xs)), key=lambda index: -xs[index]):
        x, long = xs[index], wide(labels[index], _SIZE)
        sides = [(x + 3, x + 3 + long), (x - 3 - long, x - 3)]
        if x + 3 + long > room:
            sides = sides[1:]
        tries = [_Flag(x, *side, line) for line in range(len(xs)) for side in sides]
        free = (flag for flag in tries if not any(flag.hits(other) for other in placed.values()))
        placed[index] = next(free, tries[-1])
    return [placed[index] for index in range(len(xs))]
