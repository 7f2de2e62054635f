"""Whether one more lane would help."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural
from seqkit.analysis.schedule.moments import time_text
from seqkit.plots._axes import axes, dress, grid, ink, legend, nothing, points, themed, title
from seqkit.plots._text import PLAIN
from seqkit.plots._times import unit_of

__all__ = ["lanes"]

_TIMES = ("mean", "se_mean", "p90", "lower_bound")
_COLUMNS = (*_TIMES, "knee", "anomaly")
_Z = 1.959963984540054  # the normal quantile at 0.975
_BLUE = "#0070b5"
_WIDE = 16  # times as many lanes, from which on the axis is logarithmic
_RED = STATUS_STYLES["failed"].colour


def lanes(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw when a train is done with each number of lanes.

    Parameters
    ----------
    frame : DataFrame
        What :func:`seqkit.lanes_curve` gave.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the mean, one :class:`matplotlib.lines.Line2D`.

    Returns
    -------
    matplotlib.axes.Axes
        Mean with its 95 % interval, P90 and lower bound of the end by the number of lanes. The bound is at the mean
        durations and without failures, the others are over all trials: a train that fails may end before it. A ring is
        around the knee, from which on more lanes shorten the mean by 5 % at most. A triangle is a Graham anomaly: more
        lanes, and a longer train. Where there are 16 times as many lanes at the right, their axis is logarithmic.

    Raises
    ------
    TypeError, ValueError
        Where `frame` is no such frame, or `theme` none.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph, build_plan, lanes_curve
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("a", "d"), ("b", "d"), ("c", "d")]), version="1")
    >>> ax = lanes(lanes_curve(plan, 600, lanes=[1, 2, 3, 4], rng=7))
    >>> print(ax.get_title(loc="left"))
    3 lanes are enough: more shorten the mean end of 20 min by 5 % at most.
    >>> matplotlib.pyplot.close("all")
    """
    _check(frame)
    with themed(theme):
        if frame.empty:
            return nothing(ax, "Nothing to draw: there is no number of lanes.")
        ax = axes(ax, *(figsize or (7.5, 4.2)))
        _draw(ax, frame, kwargs)
        return ax


def _check(frame: pd.DataFrame) -> None:
    expected = "expected the DataFrame that lanes_curve gives"
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"frame is {as_given(frame, 200)}, {expected}")
    if missing := [name for name in _COLUMNS if name not in frame.columns]:
        raise ValueError(f"frame lacks the columns {missing}, {expected}")
    if wrong := [name for name in _TIMES if not pd.api.types.is_timedelta64_dtype(frame[name])]:
        raise TypeError(f"frame has no timedeltas in the columns {wrong}, {expected}")
    if not pd.api.types.is_integer_dtype(frame.index):
        raise TypeError(f"frame has an index of {frame.index.dtype}, {expected}, with numbers of lanes as its index")


def _draw(ax: Axes, frame: pd.DataFrame, kwargs: dict[str, Any]) -> None:
    count = frame.index.to_numpy()
    seconds = {name: frame[name].dt.total_seconds().to_numpy(np.float64) for name in _TIMES}
    name, unit = unit_of(float(np.nanmax(seconds["p90"])))
    mean, error, p90, bound = (seconds[column] / unit for column in _TIMES)
    ax.vlines(count, mean - _Z * error, mean + _Z * error, colors=_BLUE, linewidths=1.4, zorder=3)
    (line,) = ax.plot(count, mean, "o-", color=_BLUE, linewidth=1.8, markersize=5.5, zorder=4)
    dress(line, kwargs)
    ax.plot(count, p90, "s--", color=ink(ax), linewidth=1.0, markersize=4, markerfacecolor="none", zorder=3)
    ax.plot(count, bound, "_:", color=ink(ax), linewidth=1.2, markersize=9, zorder=2)
    knee, odd = (np.flatnonzero(frame[column].to_numpy(bool)) for column in ("knee", "anomaly"))
    ring: dict[str, Any] = {"marker": "o", "markersize": 14, "markerfacecolor": "none", "markeredgewidth": 1.4}
    ax.plot(count[knee], mean[knee], linestyle="none", color=ink(ax), zorder=5, **ring)
    look: dict[str, Any] = {"marker": "^", "markersize": 10, "markeredgecolor": ink(ax), "color": _RED}
    ax.plot(count[odd], mean[odd], linestyle="none", zorder=6, **look)
    _frame(ax, count, name)
    _words(ax, frame, knee.tolist(), odd.tolist(), ring, look)


def _frame(ax: Axes, count: Any, name: str) -> None:
    if count[-1] >= _WIDE * count[0]:
        ax.set_xscale("log", base=2)
    most = max(2, int(points(ax)[0] / 26))
    shown = count[:: -(-len(count) // most)].tolist()
    ax.set_xticks(shown, [f"{lanes:,}" for lanes in shown], **PLAIN)
    ax.minorticks_off()
    ax.set_ylim(0, None)
    ax.set_xlabel("lanes: releases at once", fontsize=9)
    ax.set_ylabel(f"end of the train ({name} from the start)", fontsize=9)
    ax.tick_params(labelsize=8)
    grid(ax, "y")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _words(
    ax: Axes, frame: pd.DataFrame, knee: list[int], odd: list[int], ring: dict[str, Any], look: dict[str, Any]
) -> None:
    counts = frame.index.to_list()
    lines = []
    if knee:
        at = knee[0]
        mean, enough = time_text(frame["mean"].iloc[at]), plural(counts[at], "lane")
        are = "is" if counts[at] == 1 else "are"
        if at < len(counts) - 1:
            lines.append(f"{enough} {are} enough: more shorten the mean end of {mean} by 5 % at most.")
        else:
            lines += [f"With {enough} the train ends after {mean} on average.", "Whether more would help is not known."]
    for at in odd[:1]:
        more = and_more(len(odd) - 1)
        lines.append(f"With {counts[at]:,} lanes it takes longer than with {counts[at - 1]:,}: a Graham anomaly{more}.")
    title(ax, "\n".join(lines))
    line: dict[str, Any] = {"color": ink(ax)}
    handles = [
        Line2D([], [], color=_BLUE, marker="o", markersize=5.5, linewidth=1.8, label="mean, 95 % interval"),
        Line2D(
            [], [], marker="s", markersize=4, markerfacecolor="none", linestyle="--", linewidth=1.0, label="P90", **line
        ),
        Line2D([], [], linestyle=":", linewidth=1.4, label="lower bound: at the means, nothing fails", **line),
    ]
    if knee:
        handles.append(Line2D([], [], linestyle="none", label="the knee", **line, **ring | {"markersize": 8}))
    if odd:
        handles.append(
            Line2D([], [], linestyle="none", label="longer than with fewer lanes", **look | {"markersize": 7})
        )
    legend(ax, handles, below=36.0)
