"""When a train will be done: how probable each end is, and what a deadline or the plan date is worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import PercentFormatter

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.secrets import as_given
from seqkit.analysis.schedule.moments import when
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.core.times import moment_of, seconds_of
from seqkit.plots._axes import OUTLINE, axes, dress, ink, legend, nothing, themed, title
from seqkit.plots._freezes import draw_freezes, freeze_legend, freezes_of
from seqkit.plots._text import PLAIN
from seqkit.plots._times import TimeAxis, chance, check_schedule, percent, rounded_step, seconds_after, time_axis

__all__ = ["makespan"]

Floats = npt.NDArray[np.float64]

_LEVELS = (0.5, 0.8, 0.95)
_BARS = 40
_CUT = 0.001  # of the trials that the axis may leave out at either end
_WORTH_IT = 1.25  # by how much shorter leaving them out must make it
_FAR = 2.0  # times the span of the ends: what is further away is told, not drawn
_POINTS = 2_000  # of a curve
_LOOK_OF_COMPLETE: dict[str, Any] = {
    "facecolor": STATUS_STYLES["succeeded"].colour,
    "edgecolor": OUTLINE,
    "linewidth": 0.4,
}
_LOOK_OF_OTHERS: dict[str, Any] = {
    "facecolor": STATUS_STYLES["failed"].colour,
    "edgecolor": "white",  # of the hatch, too
    "linewidth": 0.0,
    "hatch": "////",
}
_LOOKS: dict[str, dict[str, Any]] = {
    "deadline": {"color": "#e69f00", "linewidth": 2.2},
    "plan date": {"linestyle": (0, (5, 3)), "linewidth": 1.1},
    "lower bound": {"linestyle": (0, (1, 2)), "linewidth": 1.4},
}
_CURVE: dict[str, Any] = {"linestyle": "-", "linewidth": 1.8}
_CURVE_OF_ENDS: dict[str, Any] = {"linestyle": (0, (4, 1.5)), "linewidth": 1.3}
_SMALL: dict[str, Any] = {"fontsize": 7.5, **PLAIN}


def makespan(
    schedule: Schedule,
    deadline: timedelta | datetime | float | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw when a train will be done: how probable each end is, and how probable it is to be done by then.

    Parameters
    ----------
    schedule : Schedule
        What :func:`seqkit.schedule` gave.
    deadline : timedelta, datetime or float, optional
        By when everything should be released: a timedelta or seconds from the start, or where the schedule has a
        start an aware date.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the bars, each a :class:`matplotlib.patches.Rectangle`.

    Returns
    -------
    matplotlib.axes.Axes
        Bars are the share of the trials that end in so many minutes (or what the label says), those that released
        everything below, the others hatched upon them. The curves, on the right axis, are how many trials have ended
        by then, and how many have released everything by then; one curve where all do. P50, P80 and P95 are of the
        end, whatever the train came to, as :meth:`seqkit.Schedule.quantile` gives them. The lines are the deadline and
        the plan date, met with the probability that everything is released by then, and the lower bound: no order
        of releases ends sooner at the mean durations. Freezes are hatched bands with their names. The axis may leave
        out the first and the last 0.1 % of the trials, and does not draw a line that is far from all of them; the words
        below tell it.

    Raises
    ------
    TypeError, ValueError
        Where `schedule` is no Schedule, `deadline` no time, or a date and the schedule has no start; where `theme`
        is none.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from datetime import timedelta
    >>> from seqkit import DurationModel, RepoDependencyGraph, build_plan, schedule
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> train = schedule(plan, DurationModel({"core": 600, "api": 1200, "docs": 300}, sigma=0.4), rng=7)
    >>> ax = makespan(train, deadline=timedelta(minutes=45))
    >>> print(ax.get_title(loc="left"))
    Half of the trains have ended after 31 min, 80 % after 40 min.
    Each of them releases everything, by the deadline with 89 %.
    >>> ax.get_legend().get_texts()[-2].get_text()
    'plan date 32 min: met with 56 % (55 to 57 %)'
    >>> matplotlib.pyplot.close("all")
    """
    check_schedule(schedule)
    due = _due(schedule, deadline)
    with themed(theme):
        if not schedule.plan.released:
            return nothing(ax, "Nothing to draw: there are no repos to release.")
        ax = axes(ax, *(figsize or (8.5, 5.0)))
        _draw(ax, schedule, due, kwargs)
        return ax


def _due(schedule: Schedule, deadline: Any) -> timedelta | datetime | None:
    if isinstance(deadline, datetime):
        if schedule.start is None:
            raise ValueError(
                f"deadline is {as_given(deadline, 200)}, and the schedule has no start: give it one, or deadline as "
                "a timedelta"
            )
        return moment_of(deadline, "deadline is")
    if deadline is None:
        return None
    time = timedelta(seconds=seconds_of(deadline, "deadline"))
    return time if schedule.start is None else schedule.start + time


# ---------------------------------------------------------------------- the numbers


@dataclass(frozen=True)
class _Ends:
    ended: Floats  # seconds from the start, ascending
    complete: Floats  # of the trials that released everything, ascending
    low: float  # what the axis has to show of them
    high: float
    cut: bool

    @property
    def span(self) -> float:
        return self.high - self.low or self.high or 1.0


def _ends(schedule: Schedule) -> _Ends:
    ended = np.sort(seconds_after(schedule.start, schedule.makespan()))
    complete = np.sort(seconds_after(schedule.start, schedule.makespan(complete=True)))
    low, high = float(ended[0]), float(ended[-1])
    near = [float(np.quantile(ended, level, method="inverted_cdf")) for level in (_CUT, 1 - _CUT)]
    cut = high - low > _WORTH_IT * (near[1] - near[0]) > 0
    return _Ends(ended, complete, near[0] if cut else low, near[1] if cut else high, cut)


def _curve(ascending: Floats, trials: int) -> tuple[Floats, Floats]:
    """Give when, and the share of the trials that is over by then; a long curve on a grid."""
    at = np.unique(ascending)
    if len(at) > _POINTS:
        at = np.linspace(at[0], at[-1], _POINTS)
    return at, np.searchsorted(ascending, at, side="right") / trials


# ---------------------------------------------------------------------- the picture


def _draw(ax: Axes, schedule: Schedule, due: timedelta | datetime | None, kwargs: dict[str, Any]) -> None:
    ends, trials = _ends(schedule), schedule.trials
    lines = {"plan date": schedule.plan_date, "lower bound": schedule.lower_bound}
    if due is not None:
        lines = {"deadline": due} | lines
    places = {name: float(seconds_after(schedule.start, time)) for name, time in lines.items()}
    reach = ends.low - _FAR * ends.span, ends.high + _FAR * ends.span
    drawn = {name: at for name, at in places.items() if reach[0] <= at <= reach[1]}
    near = [begin for begin, _, _ in freezes_of(schedule) if reach[0] <= begin <= reach[1]]
    low, high = min([ends.low, *drawn.values(), *near]), max([ends.high, *drawn.values(), *near])
    axis = time_axis(schedule.start, high)
    step = rounded_step(ends.span / _BARS)
    _bars(ax, ends, axis, step, trials, kwargs)
    room = 0.03 * (high - low or step)
    left, right = low - max(room, step), high + max(room, step)
    ax.set_xlim(axis.at(left), axis.at(right))
    draw_freezes(ax, schedule, axis)
    axis.put(ax, "; up to 0.1 % of the trials beyond either end" if ends.cut else "")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    ax.set_ylabel(f"share of the trials ({when(timedelta(seconds=step))} a bar)", fontsize=9)
    ax.tick_params(labelsize=8)
    ax.spines["top"].set_visible(False)
    curves = _curves(ax, ends, axis, trials, right)
    told = _quantiles(curves, schedule, axis)
    for name, at in drawn.items():
        look = {"color": ink(ax)} | _LOOKS[name]
        curves.axvline(axis.at(at), zorder=3, **look)
        if name != "lower bound":
            by = float(np.searchsorted(ends.complete, at, side="right")) / trials
            curves.plot([axis.at(at)], [by], "D", markersize=6, markeredgecolor=ink(ax), color=look["color"], zorder=6)
    _words(ax, schedule, told, lines, drawn)


def _bars(ax: Axes, ends: _Ends, axis: TimeAxis, step: float, trials: int, kwargs: dict[str, Any]) -> None:
    first = int(_bar_of(ends.low, step))
    count = int(_bar_of(ends.high, step)) - first + 1
    complete = _counted(ends.complete, first, count, step)
    others = _counted(ends.ended, first, count, step) - complete
    left, wide = axis.at((first + np.arange(count) - 0.5) * step), axis.at(step) - axis.at(0.0)
    for counts, below, look in (
        (complete, np.zeros(count), _LOOK_OF_COMPLETE),
        (others, complete, _LOOK_OF_OTHERS),
    ):
        if counts.any():
            bars = ax.bar(left, counts / trials, wide, bottom=below / trials, align="edge", zorder=2, **look)
            for bar in bars:
                dress(bar, kwargs)


def _bar_of(time: Any, step: float) -> Any:
    """Say in which bar a time is; round times are in the middle of theirs."""
    return np.floor(time / step + 0.5)


def _counted(times: Floats, first: int, count: int, step: float) -> Floats:
    number = _bar_of(times, step).astype(np.int64) - first
    return np.bincount(number[(number >= 0) & (number < count)], minlength=count).astype(np.float64)


def _curves(ax: Axes, ends: _Ends, axis: TimeAxis, trials: int, right: float) -> Axes:
    twin = ax.twinx()
    for ascending, look in ((ends.complete, _CURVE), (ends.ended, _CURVE_OF_ENDS)):
        if len(ascending) and not (look is _CURVE_OF_ENDS and len(ends.complete) == trials):
            at, share = _curve(ascending, trials)
            xs = axis.at(np.concatenate([at[:1], at, [max(right, at[-1])]]))
            ys = np.concatenate([[0.0], share, share[-1:]])
            twin.step(xs, ys, where="post", color=ink(ax), zorder=4, path_effects=_halo(ax), **look)
    twin.set_xlim(ax.get_xlim())
    twin.set_ylim(0, 1.04)
    twin.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    twin.set_ylabel("done by then", fontsize=9)
    twin.tick_params(labelsize=8)
    twin.spines["top"].set_visible(False)
    return twin


def _halo(ax: Axes) -> list[AbstractPathEffect]:
    """Set what lies on bars off from them."""
    return [withStroke(linewidth=3.0, foreground=ax.get_facecolor(), alpha=0.75)]


def _quantiles(curves: Axes, schedule: Schedule, axis: TimeAxis) -> str:
    """Mark P50, P80 and P95 of the end on its curve; give them in words."""
    told, halo = [], _halo(curves)
    for level in _LEVELS:
        time, name = schedule.quantile(level), f"P{100 * level:.0f}"
        at = axis.at(float(seconds_after(schedule.start, time)))
        curves.plot([at], [level], "o", markersize=5, color=ink(curves), zorder=5)
        curves.annotate(name, (at, level), (-5, 3), textcoords="offset points", ha="right", path_effects=halo, **_SMALL)
        told.append(f"{name} {when(time)}")
    return " · ".join(told)


def _words(
    ax: Axes, schedule: Schedule, quantiles: str, lines: dict[str, timedelta | datetime], drawn: dict[str, float]
) -> None:
    word = "after" if schedule.start is None else "by"
    p50, p80 = (when(schedule.quantile(level)) for level in _LEVELS[:2])
    sure = schedule.p_complete
    said = "Each of them releases everything" if sure >= 1 else f"Everything is released with {chance(sure)}"
    met = {"plan date": chance(schedule.p_plan_date)}
    if "deadline" in lines:
        p = schedule.p_done_by(lines["deadline"])
        met["deadline"] = chance(p)
        said += f", by the deadline with {percent(p)} %"
    title(ax, f"Half of the trains have ended {word} {p50}, 80 % {word} {p80}.\n{said}.")
    curve: dict[str, Any] = {"color": ink(ax)}
    handles: list[Any] = []
    if sure > 0:
        by = "has ended" if sure >= 1 else "everything is released"
        handles.append(Patch(label="released everything", **_LOOK_OF_COMPLETE))
        handles.append(Line2D([], [], label=f"{by} by then (right axis)", **curve | _CURVE))
    if sure < 1:
        handles.append(Patch(label="ended without", **_LOOK_OF_OTHERS))
        handles.append(Line2D([], [], label="has ended by then (right axis)", **curve | _CURVE_OF_ENDS))
    handles.append(Line2D([], [], linestyle="none", marker="o", markersize=5, label=quantiles, **curve))
    for name, time in lines.items():
        told = f"met with {met[name]}" if name in met else "at the means none is sooner"
        beyond = "" if name in drawn else " (far from here)"
        handles.append(Line2D([], [], label=f"{name} {when(time)}: {told}{beyond}", **curve | _LOOKS[name]))
    legend(ax, [*handles, *freeze_legend(schedule)], below=36.0)
