"""The importance of repos as a sorted dot plot, a row each, for graphs where the points of a scatter would crowd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.words import plural
from seqkit.plots._axes import axes, dress, faint, grid, ink, legend, outline, rows_down, settled, title
from seqkit.plots._text import PLAIN, shown

__all__ = ["FILL", "by_dependents", "draw_dots", "sizes_legend"]

Floats = npt.NDArray[np.float64]

FILL = STATUS_STYLES["failed"].colour + "b0"
"""Of points: those that lie on each other are darker."""
_BY_GAIN = 24  # rows
_BY_DEPENDENTS = 6  # more rows
_PITCH = 15.0  # points from row to row
_LEAST_PITCH = 9.0  # of rows on given axes
_SIZE = 8.0  # points, of names


def by_dependents(worth: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Rank repos by how many depend on them, the most first."""
    return np.argsort(-worth["n_dependents"].to_numpy(dtype=np.int64), kind="stable")


def sizes_legend(ax: Axes, rate: Floats, areas: Mapping[float, float]) -> list[Line2D]:
    """Show what the sizes of points say: the lowest, the middle and the highest rate."""
    values = sorted({float(rate.min()), float(np.median(rate)), float(rate.max())})
    known = np.array(sorted(areas))
    sizes = np.interp(values, known, [areas[value] for value in known.tolist()])
    return [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markersize=float(area) ** 0.5,
            markerfacecolor=FILL,
            markeredgecolor=outline(ax),
            markeredgewidth=0.7,
            label=f"fails with probability {value:.2g}",
        )
        for value, area in zip(values, sizes, strict=True)
    ]


def draw_dots(
    worth: pd.DataFrame,
    rate: Floats,
    areas: Floats,
    head: str,
    ax: Axes | None,
    figsize: tuple[float, float] | None,
    kwargs: Mapping[str, Any],
) -> Axes:
    """Draw what :meth:`seqkit.Analysis.importance` gave, sorted; `rate` and `areas` belong to its rows."""
    given = ax is not None or figsize is not None
    kept = _kept(worth, _BY_GAIN, _BY_DEPENDENTS)
    ax = axes(ax, *(figsize or (8.5, (len(kept) + 2) * _PITCH / 72 + 1.7)))
    if given:
        most = _most(ax, head)
        kept = _kept(worth, max(most - _BY_DEPENDENTS, 1), _BY_DEPENDENTS) if most < len(kept) + 1 else kept
        kept = kept[: max(most, 1)]
    others = np.setdiff1d(np.arange(len(worth)), kept)
    gain = worth["gain_if_perfect"].to_numpy(dtype=np.float64)
    dependents = worth["n_dependents"].to_numpy(dtype=np.int64)
    expected = rate.mean() * (1 + dependents)
    names = [shown(str(worth.index[at]), 32) for at in kept]
    if len(others):
        names.append(plural(len(others), "other repo"))
    rows = rows_down(ax, names, min(_SIZE, 0.8 * settled(ax)[1] / (len(names) + 0.2)) if given else _SIZE)
    own = rows[: len(kept)]
    low, high = np.minimum(gain, expected)[kept], np.maximum(gain, expected)[kept]
    ax.hlines(own, low, high, colors=faint(ax), linewidths=1.0, zorder=2)
    points = ax.scatter(gain[kept], own, s=areas[kept], c=FILL, edgecolors=outline(ax), linewidths=0.7, zorder=4)
    dress(points, kwargs)
    look: dict[str, Any] = {"marker": "D", "facecolors": "none", "edgecolors": ink(ax), "linewidths": 0.8, "zorder": 3}
    ax.scatter(expected[kept], own, s=18, gid="expected", **look)
    if len(others):
        look = {"s": 12, "c": FILL, "edgecolors": outline(ax), "linewidths": 0.4, "zorder": 4, "gid": "others"}
        ax.scatter(gain[others], np.full(len(others), rows[-1]), **look)
    grid(ax, "x")
    ax.set_xlabel("more repos released in a run if it never failed (mean)")
    _beside(ax, worth, kept, others)
    _words(ax, head, rate, dict(zip(rate.tolist(), areas.tolist(), strict=True)))
    return ax


def _kept(worth: pd.DataFrame, by_gain: int, more: int) -> npt.NDArray[np.intp]:
    """Choose rows of those that buy most and those that most depend on, in the order of what they buy."""
    return np.union1d(np.arange(min(by_gain, len(worth))), by_dependents(worth)[:more])


def _most(ax: Axes, head: str) -> int:
    title(ax, head)  # the words above take their room before the rows are counted
    return int(settled(ax)[1] / _LEAST_PITCH) - 1


def _beside(ax: Axes, worth: pd.DataFrame, kept: npt.NDArray[np.intp], others: npt.NDArray[np.intp]) -> None:
    """Write dependents, and the place by them, to the right of each row."""
    place = np.empty(len(worth), dtype=np.intp)
    place[by_dependents(worth)] = np.arange(1, len(worth) + 1)
    dependents = worth["n_dependents"].to_numpy(dtype=np.int64)
    told = [(f"{dependents[at]:,}", f"{place[at]:,}") for at in kept]
    if len(others):
        told.append((f"≤ {dependents[others].max():,}", ""))
    for column, (top, right) in enumerate((("depend on it", 52.0), ("place", 84.0))):
        beside = offset_copy(ax.get_yaxis_transform(), ax.get_figure(), x=right, units="points")  # type: ignore[arg-type]
        look: dict[str, Any] = {"transform": beside, "ha": "right", **PLAIN}
        for row, texts in enumerate(told):
            ax.text(1, row, texts[column], va="center", fontsize=_SIZE, **look)
        ax.text(1, -0.7, top, va="bottom", fontsize=7, color=faint(ax), **look)


def _words(ax: Axes, head: str, rate: Floats, areas: Mapping[float, float]) -> None:
    title(ax, head, pad=14)
    handles = sizes_legend(ax, rate, areas)
    look: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 4.5, "markerfacecolor": "none"}
    told = f"what dependents let expect: mean probability {rate.mean():.2g} × (1 + dependents)"
    handles.append(Line2D([], [], markeredgecolor=ink(ax), label=told, **look))
    legend(ax, handles, below=36.0)
