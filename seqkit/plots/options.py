"""Several ways to release, against the best of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from seqkit._show.html import amount
from seqkit._util.secrets import as_given
from seqkit._util.words import inflected
from seqkit.plots._axes import axes, dress, ink, legend, nothing, rows_down, themed, title
from seqkit.plots._text import PLAIN, shown

__all__ = ["options"]

_COLUMNS = ("mean", "difference", "low", "high")
_PITCH = 22.0  # points from row to row
_BLUE = "#0070b5"
_SIZE = 8.5  # points, of names


def options(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw how far each way to release stays behind the best, a row for each, with its paired interval.

    Parameters
    ----------
    frame : DataFrame
        What :func:`seqkit.compare_many` gave.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as tall as the rows need.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the points, one :class:`matplotlib.collections.PathCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        A point is the difference to the first in repos released per run, its line the 95 % interval of that
        difference by common random numbers. The first is a diamond at 0. A point is filled where its interval
        leaves 0 out, open where the option is not told apart from the first. To the right, the mean.

    Raises
    ------
    TypeError, ValueError
        Where `frame` is no frame of options, or `theme` none.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph, build_plan, compare_many
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> ways = {"as it is": (plan, 0.1), "try twice": (plan, 0.1, {"attempts": 2})}
    >>> ax = options(compare_many(ways, rng=7))
    >>> print(ax.get_title(loc="left"))
    try twice releases most: 2.95 repos in a run.
    1 of 1 other is told apart from it.
    >>> matplotlib.pyplot.close("all")
    """
    _check(frame)
    with themed(theme):
        if frame.empty:
            return nothing(ax, "Nothing to draw: there are no options.")
        ax = axes(ax, *(figsize or (8.0, len(frame) * _PITCH / 72 + 2.0)))
        _draw(ax, frame, kwargs)
        return ax


def _check(frame: pd.DataFrame) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"frame is {as_given(frame)}, expected the DataFrame that compare_many gives")
    if missing := [name for name in _COLUMNS if name not in frame.columns]:
        raise ValueError(f"frame lacks the columns {missing}, expected the DataFrame that compare_many gives")


def _draw(ax: Axes, frame: pd.DataFrame, kwargs: dict[str, Any]) -> None:
    mean, difference, low, high = (frame[name].to_numpy(dtype=np.float64) for name in _COLUMNS)
    apart = (high < 0) | (low > 0)
    names = [shown(str(name), 32) for name in frame.index]
    rows = rows_down(ax, names, _SIZE)
    ax.axvline(0, color=ink(ax), linestyle=(0, (5, 3)), linewidth=0.9, zorder=1)
    ax.hlines(rows[1:], low[1:], high[1:], colors=ink(ax), linewidths=1.4, zorder=2)
    ax.scatter([0.0], [0.0], s=46, marker="D", color=ink(ax), zorder=4)
    ground = ax.get_facecolor()
    points = ax.scatter(difference[1:], rows[1:], s=34, edgecolors=ink(ax), linewidths=1.2, zorder=3)
    points.set_facecolor([_BLUE if told else ground for told in apart[1:]])
    dress(points, kwargs)
    ax.grid(axis="x", color=ink(ax), alpha=0.15, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.margins(x=0.06)
    ax.set_xlabel("repos released in a run, compared with the first (mean)")
    beside = offset_copy(ax.get_yaxis_transform(), ax.get_figure(), x=8, units="points")  # type: ignore[arg-type]
    for row, value in zip(rows.tolist(), mean.tolist(), strict=True):
        ax.text(1, row, amount(value, 4), transform=beside, va="center", fontsize=_SIZE, **PLAIN)
    others, told = len(frame) - 1, int(apart[1:].sum())
    lines = [f"{names[0]} releases most: {amount(mean[0], 3)} repos in a run."]
    if others:
        are = inflected(others, "other is", "others are")
        lines.append(f"{told} of {others} {are} told apart from it.")
    title(ax, "\n".join(lines))
    look: dict[str, Any] = {"marker": "o", "markersize": 5.5, "color": ink(ax), "linewidth": 1.4}
    handles = [
        Line2D([], [], linestyle="none", marker="D", color=ink(ax), markersize=6, label="the first"),
        Line2D([], [], markerfacecolor=_BLUE, **look, label="difference to it, 95 % interval"),
        Line2D([], [], markerfacecolor=ground, **look, label="the same, not told apart"),
        Line2D([], [], linestyle="none", label="at the right: mean"),
    ]
    legend(ax, handles, below=36.0)
