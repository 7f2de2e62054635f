"""Freeze windows in pictures of schedules: bands with a word, behind all else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from seqkit.analysis.schedule.moments import when
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.plots._axes import points
from seqkit.plots._text import PLAIN, shown
from seqkit.plots._times import TimeAxis, chance, seconds_after

__all__ = ["draw_freezes", "freeze_legend", "freezes_of"]

_LOOK: dict[str, Any] = {
    "facecolor": "#8a94a3",
    "alpha": 0.28,
    "edgecolor": "#3d4653",
    "linewidth": 0.0,
    "hatch": "\\\\",
}
_IN_LEGEND = 4
_LEAST_WIDTH = 9.0  # points that a word needs


def freezes_of(schedule: Schedule) -> list[tuple[float, float, str]]:
    """Give each freeze: seconds from the start to its beginning and its end, and what it is called."""
    found = []
    for freeze in schedule.calendar:
        begin, end = (float(seconds_after(schedule.start, time)) for time in (freeze.start, freeze.end))  # type: ignore[arg-type]  # read
        found.append((begin, end, shown(freeze.name, 24) if freeze.name else "freeze"))
    return found


def draw_freezes(ax: Axes, schedule: Schedule, axis: TimeAxis) -> None:
    """Shade what of the freezes lies within the limits of the x axis, which stay."""
    left, right = ax.get_xlim()
    width = points(ax)[0] / ((right - left) or 1.0)
    for begin, end, name in freezes_of(schedule):
        low, high = max(left, axis.at(begin)), min(right, axis.at(end))
        if low >= high:
            continue
        ax.axvspan(low, high, zorder=0.5, gid="freeze", **_LOOK)
        if (high - low) * width >= _LEAST_WIDTH:
            ax.text(
                (low + high) / 2,
                0.985,
                name if name == "freeze" else f"freeze: {name}",
                transform=ax.get_xaxis_transform(),
                rotation=90,
                ha="center",
                va="top",
                fontsize=7.5,
                zorder=7,
                path_effects=[withStroke(linewidth=3.0, foreground=ax.get_facecolor(), alpha=0.85)],
                **PLAIN,
            )
    ax.set_xlim(left, right)


def freeze_legend(schedule: Schedule) -> list[Patch]:
    """Give a line of the legend for each of the first freezes: from when until when, and what it means."""
    handles = []
    for begin, end, name in freezes_of(schedule)[:_IN_LEGEND]:
        times = [_moment(schedule, seconds) for seconds in (begin, end)]
        word = "freeze" if name == "freeze" else f"freeze {name}"
        before = f": done before with {chance(schedule.p_done_by(times[0]))}" if begin > 0 else ""
        handles.append(Patch(label=f"{word} {when(times[0])} to {when(times[1])}{before}", **_LOOK))
    return handles


def _moment(schedule: Schedule, seconds: float) -> timedelta | datetime:
    time = timedelta(seconds=seconds)
    return time if schedule.start is None else schedule.start + time
