"""What all pictures share: how they get their Axes, their title, and one legend of statuses."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cbook import normalize_kwargs
from matplotlib.colors import to_hex
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from seqkit._show.html import amount
from seqkit._show.palette import EVERY_STYLE, StatusStyle, luminance
from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.secrets import as_given
from seqkit.plots._text import FONT, PLAIN, width

__all__ = [
    "FEW",
    "LINES",
    "OUTLINE",
    "TITLE_SIZE",
    "alarm",
    "axes",
    "axis_above",
    "check_look",
    "dress",
    "faint",
    "grid",
    "ink",
    "legend",
    "nothing",
    "numbers_at_ends",
    "outline",
    "points",
    "rows_down",
    "settled",
    "status_legend",
    "themed",
    "title",
]

FEW = 40
"""Rows; where there are more, those that tell least may share one, and the numbers of the axis stand at both ends."""
OUTLINE = "#4d4d4d"
LINES = "#5f6b7a"
_ON_DARK = {OUTLINE: "#a6a6a6", LINES: "#9dabbd", EVERY_STYLE["failed"].colour: "#ff8f8f"}
TITLE_SIZE = 11.0
_LEAST_TITLE = 20  # characters that a line of it has, however narrow the axes
_HINTED = 0.98  # of the room: on a screen, letters may be wider than they measure
_LEGEND_SIZE, _HANDLE, _HANDLE_GAP, _COLUMN_GAP = 8.0, 1.2, 0.6, 1.4  # points; the others in multiples of it


_THEMES = {"auto": None, "light": "default", "dark": "dark_background"}


def themed(theme: str) -> AbstractContextManager[Any]:
    """Draw as matplotlib's settings say (``"auto"``), or on a light or a dark ground; they stay as they are.

    The settings are all that can be known here: whether the page that shows the picture is dark, no kernel is told.
    """
    if theme not in _THEMES:
        raise ValueError(f"theme is {as_given(theme)}, expected one of {tuple(_THEMES)}")
    style = _THEMES[theme]
    return nullcontext() if style is None else plt.style.context(style)


def axes(ax: Axes | None, wide: float, high: float) -> Axes:
    """Give `ax`, or the Axes of a new figure of so many inches."""
    return plt.subplots(figsize=(wide, high), layout="constrained")[1] if ax is None else ax


def dress(artist: Artist, look: Mapping[str, Any]) -> None:
    """Set what the caller of a picture wants of its shapes."""
    known = normalize_kwargs(dict(look), artist)
    check_look(known, type(artist).set)
    artist.set(**known)


def check_look(look: Mapping[str, Any], *taking: Callable[..., Any], also: Sequence[str] = ()) -> None:
    """Refuse keywords that matplotlib's functions `taking` do not name; matplotlib speaks of classes nobody asked for.

    `also` are those that they take without a name in their signature.

    Raises
    ------
    TypeError
        Naming what was perhaps meant, of a picture's own arguments too.
    """
    taken = {name for function in taking for name in inspect.signature(function).parameters} | set(also)
    for name in look:
        if name not in taken:
            near = NearNames([*sorted(taken), "ax", "figsize", "theme"]).near(name)
            meant = f"; {did_you_mean(near)}" if near else ""
            raise TypeError(f"{as_given(name)} is no argument of this picture, nor a property of its shapes{meant}")


def points(ax: Axes) -> tuple[float, float]:
    """Measure the axes as they are now, in points: width and height."""
    figure, extent = ax.get_figure(), ax.get_window_extent()
    point = (72.0 if figure is None else figure.dpi) / 72
    return extent.width / point, extent.height / point


def settled(ax: Axes) -> tuple[float, float]:
    """Measure the axes as a layout engine leaves them beside all that is around them by now, in points."""
    figure: Any = ax.get_figure()
    if figure is not None and figure.get_layout_engine() is not None:
        figure.canvas.figure.draw_without_rendering()
    return points(ax)


def nothing(ax: Axes | None, sentence: str) -> Axes:
    """Say why there is no picture."""
    ax = axes(ax, 5, 1.5)
    ax.set_axis_off()
    ax.text(0.5, 0.5, sentence, transform=ax.transAxes, ha="center", va="center", **PLAIN)
    return ax


def ink(ax: Axes) -> str:
    """Give the colour that the style in use has for words: it can be seen on its background, whatever that is."""
    return str(ax.xaxis.label.get_color())


def outline(ax: Axes) -> str:
    """Give the colour of lines around filled shapes."""
    return _on_ground(ax, OUTLINE)


def faint(ax: Axes) -> str:
    """Give the colour of lines between things, and of words that matter less."""
    return _on_ground(ax, LINES)


def alarm(ax: Axes) -> str:
    """Give the colour of words and lines that tell of failures."""
    return _on_ground(ax, EVERY_STYLE["failed"].colour)


def _on_ground(ax: Axes, colour: str) -> str:
    return _ON_DARK[colour] if luminance(to_hex(ink(ax))) > 0.5 else colour


def title(ax: Axes, text: str, pad: float | None = None) -> None:
    """Set the title on the left, any text as it is; lines longer than the axes, which this settles, are broken."""
    room = _HINTED * settled(ax)[0]
    lines = [part for line in text.split("\n") if line for part in _broken(line, room)]
    ax.set_title("\n".join(lines), loc="left", pad=pad, fontsize=TITLE_SIZE, **PLAIN)


def _broken(line: str, room: float) -> list[str]:
    """Break a line of a title at its blanks, but not before a percent sign, into parts that fit into so many points."""
    first, *others = re.split(r" (?!%)", line)
    parts = [first]
    for word in others:
        longer = f"{parts[-1]} {word}"
        if width(longer, TITLE_SIZE) <= room or len(longer) <= _LEAST_TITLE:
            parts[-1] = longer
        else:
            parts.append(word)
    return parts


def status_legend(ax: Axes, counts: Mapping[str, int], below: float, others: Sequence[Artist] = ()) -> None:
    """Put the legend of the statuses and skip causes that occur under the axes, in the palette's order, with counts.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where.
    counts : mapping of str to int
        By key of ``EVERY_STYLE``, how many are shown; a word that is missing counts 0.
    below : float
        Points from the axes down to the legend, for tick labels and the like.
    others : sequence of matplotlib.artist.Artist
        What the legend lists after the statuses.
    """
    edge = outline(ax)
    handles = [_handle(style, counts[word], edge) for word, style in EVERY_STYLE.items() if counts.get(word)]
    legend(ax, [*handles, *others], below)


def legend(ax: Axes, handles: Sequence[Artist], below: float, most: int = 99) -> int:
    """Put a legend so many points under the axes, in as many columns as fit, or `most`; say how many lines it has."""
    figure: Any = ax.get_figure()  # a subfigure will do, though offset_copy's types know only figures
    columns = min(most, _columns([str(handle.get_label()) for handle in handles], points(ax)[0]))
    made = ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=offset_copy(ax.transAxes, figure, y=-below, units="points"),
        borderaxespad=0.0,
        borderpad=0.0,
        ncols=columns,
        frameon=False,
        columnspacing=_COLUMN_GAP,
        handlelength=_HANDLE,
        handletextpad=_HANDLE_GAP,
        prop=FontProperties(family=FONT, size=_LEGEND_SIZE),
    )
    for text in made.get_texts():
        text.set_parse_math(False)  # names may hold "$x$"
        text.set_usetex(False)
    return -(-len(handles) // columns)


def _columns(labels: Sequence[str], room: float) -> int:
    """Say how many columns of the legend fit into so many points; it is filled column by column."""
    widths = [width(label, _LEGEND_SIZE) + (_HANDLE + _HANDLE_GAP) * _LEGEND_SIZE for label in labels]
    for columns in range(len(widths), 1, -1):
        least, longer = divmod(len(widths), columns)
        starts = [number * least + min(number, longer) for number in range(columns + 1)]
        taken = sum(max(widths[start:stop]) for start, stop in pairwise(starts))
        if taken + (columns - 1) * _COLUMN_GAP * _LEGEND_SIZE <= room:
            return columns
    return 1


def _handle(style: StatusStyle, count: int, edge: str) -> Patch:
    label = f"{style.mark} {style.word} {count:,}"
    return Patch(facecolor=style.colour, edgecolor=edge, linewidth=0.6, label=label)


def numbers_at_ends(
    ax: Axes, rows: NDArray[np.float64], ends: NDArray[np.float64], gains: NDArray[np.float64], size: float
) -> None:
    """Write gains beside the ends of their bars, on the side to which each goes, with a sign where it is above 0."""
    for row, end, gain in zip(rows.tolist(), ends.tolist(), gains.tolist(), strict=True):
        ax.annotate(
            f"{'+' if gain > 0 else ''}{amount(gain, 3)}",
            (end, row),
            (5 if end >= 0 else -5, 0),
            textcoords="offset points",
            va="center",
            ha="left" if end >= 0 else "right",
            fontsize=size,
            **PLAIN,
        )


def grid(ax: Axes, axis: Literal["x", "y"]) -> None:
    """Draw faint lines at the ticks of an axis, below everything else."""
    ax.grid(axis=axis, color=faint(ax), alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)


def axis_above(ax: Axes) -> None:
    """Write the numbers of the x axis above it too, where the rows are so many that a reader loses them."""
    ax.tick_params(axis="x", top=True, labeltop=True)


def rows_down(ax: Axes, names: Sequence[str], size: float) -> NDArray[np.float64]:
    """Make a row for each name, from the top down, between bare sides; gives where each row is."""
    rows = np.arange(len(names), dtype=np.float64)
    ax.set_yticks(rows, names, fontsize=size, **PLAIN)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    return rows
