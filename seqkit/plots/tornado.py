"""How much sooner a train would end if a repo were faster."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seqkit._show.html import amount
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.plots._axes import (
    axes,
    dress,
    grid,
    ink,
    legend,
    nothing,
    numbers_at_ends,
    outline,
    rows_down,
    themed,
    title,
)
from seqkit.plots._text import shown
from seqkit.plots._times import unit_of

__all__ = ["tornado"]

_COLUMNS = ("gain", "se")
_PITCH = 18.0  # points from row to row
_TRIALS = 1_000  # of a schedule, for each repo; 10,000 of a hundred repos in lanes take minutes
_SIZE = 8.5  # points, of names and numbers
_Z = 1.959963984540054  # the normal quantile at 0.975


class _Kind(NamedTuple):
    colour: str
    hatch: str
    told: str


_KINDS = {
    1: _Kind("#0070b5", "", "sooner"),
    0: _Kind("#cbd2dc", "...", "not told apart from no change"),
    -1: _Kind("#e69f00", "///", "later: an anomaly"),
}
"""By the sign of what the interval holds."""


def tornado(
    schedule_or_gains: Schedule | pd.DataFrame,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    top: int = 20,
    **kwargs: Any,
) -> Axes:
    """Draw how much sooner a train would end if a repo took less time, a bar for each repo, the largest gain first.

    Parameters
    ----------
    schedule_or_gains : Schedule or DataFrame
        What :func:`seqkit.schedule` gave, for repos that are 10 % faster, of which the first 1,000 trials are followed
        again, repo by repo; or what :meth:`seqkit.Schedule.gains` gave, for any other share, or all trials.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as tall as the rows need.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    top : int
        How many repos to draw, those that move the end most, either way.
    **kwargs
        For the bars, each a :class:`matplotlib.patches.Rectangle`.

    Returns
    -------
    matplotlib.axes.Axes
        To the right how much sooner the train ends on average, in the unit of the axis, to the left how much later: a
        repo that is faster may make a train longer (Graham 1969, doi:10.1137/0117039). The whisker is the 95 %
        interval, paired. Bars whose interval holds 0 are dotted, those of a train that ends later are hatched.

    Raises
    ------
    TypeError, ValueError
        Where `schedule_or_gains` is neither; where `top` or `theme` is out of its range.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import DurationModel, RepoDependencyGraph, build_plan, schedule
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> train = schedule(plan, DurationModel({"core": 600, "api": 1200, "docs": 300}, sigma=0.4), rng=7)
    >>> ax = tornado(train)
    >>> ax.get_title(loc="left")
    'api 10 % faster: the train ends 2.16 minutes sooner on average.'
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['api', 'core', 'docs']
    >>> matplotlib.pyplot.close("all")
    """
    most = whole("top", top, 1)
    gains = _gains(schedule_or_gains)
    with themed(theme):
        if gains.empty:
            return nothing(ax, "Nothing to draw: there are no repos to release.")
        moved = gains["gain"].dt.total_seconds().abs().to_numpy()
        kept = gains.iloc[np.argsort(-moved, kind="stable")[:most]]
        kept = kept.sort_values("gain", ascending=False, kind="stable")
        ax = axes(ax, *(figsize or (8.0, len(kept) * _PITCH / 72 + 1.9)))
        by = "10 % faster" if isinstance(schedule_or_gains, Schedule) else "faster"
        _draw(ax, kept, len(gains), by, kwargs)
        return ax


def _gains(source: Any) -> pd.DataFrame:
    expected = "expected a Schedule, as seqkit.schedule(plan, durations) gives it, or the DataFrame of its .gains()"
    if isinstance(source, Schedule):
        return source.gains(trials=_TRIALS)
    if not isinstance(source, pd.DataFrame):
        raise TypeError(f"schedule_or_gains is {as_given(source, 200)}, {expected}")
    if missing := [name for name in _COLUMNS if name not in source.columns]:
        raise ValueError(f"schedule_or_gains lacks the columns {missing}, {expected}")
    if wrong := [name for name in _COLUMNS if not pd.api.types.is_timedelta64_dtype(source[name])]:
        raise TypeError(f"schedule_or_gains has no timedeltas in the columns {wrong}, {expected}")
    return source


def _draw(ax: Axes, kept: pd.DataFrame, n: int, by: str, kwargs: dict[str, Any]) -> None:
    seconds, error = (kept[name].dt.total_seconds().to_numpy(np.float64) for name in _COLUMNS)
    half = _Z * np.nan_to_num(error)
    name, unit = unit_of(float((np.abs(seconds) + half).max()))
    gain, half = seconds / unit, half / unit
    signs = np.where(gain - half > 0, 1, np.where(gain + half < 0, -1, 0)).tolist()
    names = [shown(str(repo), 32) for repo in kept.index]
    rows = rows_down(ax, names, _SIZE)
    bars = ax.barh(rows, gain, height=0.66, edgecolor=outline(ax), linewidth=0.8, zorder=2)
    for bar, sign in zip(bars, signs, strict=True):
        bar.set(facecolor=_KINDS[sign].colour, hatch=_KINDS[sign].hatch)
        dress(bar, kwargs)
    ax.hlines(rows, gain - half, gain + half, colors=ink(ax), linewidths=1.3, zorder=4)
    tips = np.concatenate([gain - half, gain + half]), np.tile(rows, 2)
    ax.scatter(*tips, s=24, marker="|", color=ink(ax), linewidths=1.2, zorder=4)
    numbers_at_ends(ax, rows, gain + np.copysign(half, gain), gain, _SIZE)
    ax.axvline(0, color=ink(ax), linewidth=0.9, zorder=3)
    grid(ax, "x")
    ax.margins(x=0.14)
    ax.tick_params(axis="x", labelsize=8)
    ax.set_xlabel(f"{name} sooner, on average", fontsize=9)
    _words(ax, names[0], f"{amount(float(gain[0]), 3)} {name}", signs, len(kept), n, by)


def _words(ax: Axes, first: str, best: str, signs: list[int], kept: int, n: int, by: str) -> None:
    if signs[0] > 0:
        lines = [f"{first} {by}: the train ends {best} sooner on average."]
    else:
        lines = [f"No repo that is {by} is seen to end the train sooner."]
    if kept < n:
        lines.append(f"The {kept:,} of {n:,} repos that move the end most.")
    title(ax, "\n".join(lines))
    handles: list[Any] = [
        Patch(facecolor=kind.colour, edgecolor=outline(ax), linewidth=0.8, hatch=kind.hatch, label=kind.told)
        for sign, kind in _KINDS.items()
        if sign in signs
    ]
    handles.append(Line2D([], [], color=ink(ax), linewidth=1.3, marker="|", label="95 % interval, paired"))
    legend(ax, handles, below=36.0)
