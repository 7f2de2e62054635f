"""When each repo of a schedule starts and ends, how sure that is, and what the end of the train hangs on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.schedule.moments import when
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.plots._axes import OUTLINE, axes, dress, grid, ink, legend, nothing, rows_down, settled, themed, title
from seqkit.plots._freezes import draw_freezes, freeze_legend
from seqkit.plots._text import PLAIN, shown
from seqkit.plots._times import TimeAxis, check_schedule, percent, seconds_after, time_axis
from seqkit.plots.timeline import timeline

__all__ = ["gantt"]

Floats = npt.NDArray[np.float64]

_PITCHES = (18.0, 13.0)  # points from row to row: of few repos, of 40 and more
_LEAST_PITCH = 9.0  # of rows on given axes
_SIZE = 8.0  # points, of names
_BOX = 0.36  # height of a bar, in rows
_ASIDE = 0.27  # rows from the middle of a bar to its whiskers
_TIMES = tuple(f"{what}_p{level}" for what in ("start", "finish") for level in (10, 50, 90))
_SHADES = ("#fff6d8", "#fbd38a", "#e69f00", "#b55c0c", "#742111")
"""Of criticality, in fifths: each is darker than the one before, in print without colours too."""
_LOOK_OF_OTHERS: dict[str, Any] = {"facecolor": "#cbd2dc", "edgecolor": OUTLINE, "linewidth": 0.7, "hatch": "//"}
_ENDS: dict[float, Any] = {0.5: (0, (1, 2)), 0.8: (0, (5, 3))}  # lines at quantiles of the end


def gantt(
    schedule: Schedule,
    trial: int | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    top: int = 40,
    **kwargs: Any,
) -> Axes:
    """Draw when each repo starts and ends, how sure that is, and how often the end of the train hangs on it.

    Parameters
    ----------
    schedule : Schedule
        What :func:`seqkit.schedule` gave.
    trial : int, optional
        Draw this trial instead, as a run that took place: :func:`seqkit.plots.timeline` of
        :meth:`seqkit.Schedule.trial`, in which freezes are gaps without bands. From 0; negative ones count from the
        end.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as tall as the rows need.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    top : int
        How many repos have a row: where there are more, those with the highest criticality. The others are one row.
    **kwargs
        For the bars, one :class:`matplotlib.collections.PolyCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        A row is a repo, in the order of P50 of the start. The bar goes from there to P50 of its end, the darker the
        higher its criticality, which stands on the right: in how many trials the end hangs on it, by what let what
        start. The whisker above the bar is P10 to P90 of the start, over the trials in which it started, the one below
        that of the end, over those in which it was released. A repo that no trial released has no bar. The vertical
        lines are P50 and P80 of the end of the train. Freezes are hatched bands with their names. The hatched row at
        the bottom goes from the first P50 of a start to the last P50 of an end of the repos that have no row of their
        own.

    Raises
    ------
    TypeError, ValueError
        Where `schedule` is no Schedule, `trial` no whole number; where `top` or `theme` is out of its range.
    IndexError
        Where there is no such trial.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import DurationModel, RepoDependencyGraph, build_plan, schedule
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> train = schedule(plan, DurationModel({"core": 600, "api": 1200, "docs": 300}, sigma=0.4), rng=7)
    >>> ax = gantt(train)
    >>> ax.get_title(loc="left")
    'The end hangs most often on core: in 100 % of 10,000 trials.'
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['core', 'api', 'docs']
    >>> gantt(train, trial=3).get_title(loc="left")
    'Run trial-3 completed after 26.3 minutes, up to 2 repos at once'
    >>> matplotlib.pyplot.close("all")
    """
    check_schedule(schedule)
    most = whole("top", top, 1)
    with themed(theme):
        if not schedule.plan.released:
            return nothing(ax, "Nothing to draw: there are no repos to release.")
        if trial is not None:
            _check(trial, schedule.trials)
            return timeline(schedule.trial(trial).outcome, ax=ax, figsize=figsize, **kwargs)
        frame = schedule.to_frame()
        pitch = float(np.interp(min(len(frame), most), (10, 40), _PITCHES))
        given = ax is not None
        ax = axes(ax, *(figsize or (9.5, (min(len(frame), most) + 1) * pitch / 72 + 1.9)))
        ranked = frame.sort_values("criticality", ascending=False, kind="stable")
        if given or figsize is not None:
            ax.set_xlabel("time", fontsize=9)  # all words take their room before the rows are measured
            _words(ax, schedule, ranked, most)
            most = min(most, max(int(settled(ax)[1] / _LEAST_PITCH) - 1, 1))
        _draw(ax, schedule, ranked, most, kwargs)
        return ax


def _check(trial: Any, trials: int) -> None:
    expected = f"trial is {as_given(trial, 200)}, expected a whole number from 0 to {trials - 1:,}"
    if isinstance(trial, bool) or not hasattr(trial, "__index__"):
        raise TypeError(expected)
    if not -trials <= int(trial) < trials:
        raise IndexError(expected)


# ---------------------------------------------------------------------- the rows


def _draw(ax: Axes, schedule: Schedule, ranked: pd.DataFrame, most: int, kwargs: dict[str, Any]) -> None:
    kept = ranked.head(most).sort_values("start_p50", kind="stable")  # those that never start come last
    others = ranked.iloc[most:]
    names = [shown(str(repo), 32) for repo in kept.index]
    if len(others):
        names.append(plural(len(others), "other repo"))
    times = {name: seconds_after(schedule.start, ranked[name]) for name in _TIMES}
    over = {level: float(seconds_after(schedule.start, schedule.quantile(level))) for level in _ENDS}
    axis = time_axis(schedule.start, max(over[0.8], *(float(np.nanmax(t, initial=0.0)) for t in times.values())))
    rows = rows_down(ax, names, _SIZE)
    size = min(_SIZE, 0.78 * settled(ax)[1] / (len(names) + 0.2))
    ax.set_yticks(rows, names, fontsize=size, **PLAIN)
    places = {name: axis.at(seconds_after(schedule.start, kept[name])) for name in _TIMES}
    _bars(ax, places, kept["criticality"].to_numpy(np.float64), kwargs)
    _whiskers(ax, places)
    if len(others):
        _summary(ax, axis, schedule, others, float(rows[-1]))
    for level, style in _ENDS.items():
        ax.axvline(axis.at(over[level]), color=ink(ax), linestyle=style, linewidth=1.0, zorder=1)
    _beside(ax, kept, others, size)
    left, right = axis.at(0.0), max(axis.at(over[0.8]), ax.dataLim.x1)
    room = right - left or 1.0  # where nothing takes any time
    ax.set_xlim(left - 0.01 * room, right + 0.02 * room)
    draw_freezes(ax, schedule, axis)
    ax.tick_params(axis="x", labelsize=8)
    grid(ax, "x")
    axis.put(ax)
    _words(ax, schedule, ranked, most)


def _bars(ax: Axes, places: dict[str, Floats], criticality: Floats, kwargs: dict[str, Any]) -> None:
    known = np.flatnonzero(~np.isnan(places["start_p50"]) & ~np.isnan(places["finish_p50"]))
    # P50 of the end is over fewer trials than that of the start, and may be the earlier one.
    ends = np.sort(np.column_stack([places["start_p50"], places["finish_p50"]]), axis=1)[known]
    half = _BOX / 2
    shapes = [
        [(left, row - half), (right, row - half), (right, row + half), (left, row + half)]
        for row, (left, right) in zip(known.tolist(), ends.tolist(), strict=True)
    ]
    colours = [_SHADES[_shade(share)] for share in criticality[known].tolist()]
    bars = PolyCollection(shapes, facecolors=colours, edgecolors=ink(ax), linewidths=0.7, zorder=3)
    ax.add_collection(bars)
    dress(bars, kwargs)


def _shade(criticality: float) -> int:
    return min(int(criticality * len(_SHADES)), len(_SHADES) - 1)


def _whiskers(ax: Axes, places: dict[str, Floats]) -> None:
    rows = np.arange(len(places["start_p10"]))
    for what, aside in (("start", -_ASIDE), ("finish", _ASIDE)):
        low, high = places[f"{what}_p10"], places[f"{what}_p90"]
        known = ~np.isnan(low)
        look: dict[str, Any] = {"colors": ink(ax), "linewidths": 1.1, "zorder": 4}
        ax.hlines(rows[known] + aside, low[known], high[known], gid=what, **look)
        tips = np.concatenate([low[known], high[known]]), np.tile(rows[known] + aside, 2)
        ax.scatter(*tips, s=14, marker="|", color=ink(ax), linewidths=1.0, zorder=4)


def _summary(ax: Axes, axis: TimeAxis, schedule: Schedule, others: pd.DataFrame, row: float) -> None:
    first, last = (seconds_after(schedule.start, others[name]) for name in ("start_p50", "finish_p50"))
    if np.isnan(first).all() or np.isnan(last).all():
        return
    left, right = axis.at(float(np.nanmin(first))), axis.at(float(np.nanmax(last)))
    ax.barh([row], [right - left], _BOX, left, zorder=3, **_LOOK_OF_OTHERS)


def _beside(ax: Axes, kept: pd.DataFrame, others: pd.DataFrame, size: float) -> None:
    """Write criticality and the share released to the right of each row."""
    columns = [("criticality", "critical", 36.0), ("p_released", "released", 78.0)]
    for name, head, right in columns:
        beside = offset_copy(ax.get_yaxis_transform(), ax.get_figure(), x=right, units="points")  # type: ignore[arg-type]
        look: dict[str, Any] = {"transform": beside, "ha": "right", **PLAIN}
        told = [f"{percent(value)} %" for value in kept[name]]
        if len(others):
            most = name == "criticality"
            told.append(f"≤ {percent(others[name].max())} %" if most else f"≥ {percent(others[name].min())} %")
        for row, text in enumerate(told):
            ax.text(1, row, text, va="center", fontsize=size, **look)
        ax.text(1, -0.7, head, va="bottom", fontsize=7, **look)


def _words(ax: Axes, schedule: Schedule, ranked: pd.DataFrame, most: int) -> None:
    first, share = shown(str(ranked.index[0]), 40), percent(ranked["criticality"].iloc[0])
    lines = [f"The end hangs most often on {first}: in {share} % of {plural(schedule.trials, 'trial')}."]
    if len(ranked) > most:
        lines.append(f"The {most:,} of {len(ranked):,} repos with the highest criticality have a row.")
    title(ax, "\n".join(lines), pad=18)
    bounds = [100 * at // len(_SHADES) for at in range(len(_SHADES) + 1)]
    shades = [
        Patch(facecolor=shade, edgecolor=ink(ax), linewidth=0.7, label=f"critical in {low} to {high} %")
        for shade, (low, high) in zip(_SHADES, pairwise(bounds), strict=True)
    ]
    line: dict[str, Any] = {"color": ink(ax), "linewidth": 1.0}
    lines_of_ends = [
        Line2D(
            [],
            [],
            linestyle=style,
            label=f"P{100 * level:.0f} of the train's end: {when(schedule.quantile(level))}",
            **line,
        )
        for level, style in _ENDS.items()
    ]
    handles = [
        *shades,
        Line2D([], [], linestyle="none", label="bar: P50 of start to P50 of end"),
        Line2D([], [], label="line above, below it: start, end, P10 to P90", **line),
        *lines_of_ends,
        *freeze_legend(schedule),
    ]
    if len(ranked) > most:
        handles.append(Patch(label="the others: first start to last end", **_LOOK_OF_OTHERS))
    legend(ax, handles, below=36.0)
