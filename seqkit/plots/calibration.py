"""Whether to believe a forecast: what was predicted of past trains, against what came."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.history.calibration import Calibration
from seqkit.plots._axes import axes, dress, faint, grid, ink, legend, nothing, themed, title
from seqkit.plots._text import PLAIN

__all__ = ["calibration"]

_BLUE = "#0070b5"
_SIZE = 7.5  # points, of counts
_STRIP = 0.02  # of the height, where the predictions stand


def calibration(
    result: Calibration,
    ax: Axes | None = None,
    bins: int = 8,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw what was predicted of past trains against what came: on the diagonal, forecasts can be believed.

    Parameters
    ----------
    result : Calibration
        What :func:`seqkit.calibration` gave.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    bins : int
        Into how many groups of about one size the predictions are put, at most.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the points, one :class:`matplotlib.collections.PathCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        A point is a group of predictions: to the right their mean, upwards the share of first attempts that failed,
        with Wilson's interval and failures / attempts above it. It is filled where the interval leaves the diagonal
        out, open where it holds it. Below the diagonal more was predicted than came. The strokes at the bottom are the
        predictions themselves.

    Raises
    ------
    TypeError, ValueError
        Where `result` is something else; a fit of rates is for :func:`rates`.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> import seqkit
    >>> plan = seqkit.build_plan(seqkit.RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = seqkit.MemoryRunLedger()
    >>> for trial in range(60):
    ...     outcome = seqkit.run_plan(plan, {"core": 0.1, "api": 0.5}, ledger, rng=7, trial=trial)
    >>> ax = calibration(seqkit.calibration(ledger, start=20))
    >>> print(ax.get_title(loc="left"))
    24.1 failures predicted, 28 came: 78 predictions of 40 trains.
    Groups off the diagonal: 1 of 8.
    >>> matplotlib.pyplot.close("all")
    """
    if isinstance(result, pd.DataFrame) and {"rate", "low", "high"} <= set(result.columns):
        raise TypeError(
            "result is a fit of failure rates, which plots.rates(fit) draws; expected what seqkit.calibration(ledger) "
            "gives: forecasts of past trains and what came"
        )
    if not isinstance(result, Calibration):
        raise TypeError(f"result is {as_given(result)}, expected what seqkit.calibration(ledger) gives")
    told = result.bins(bins)
    with themed(theme):
        if told.empty:
            return nothing(ax, "Nothing to draw: nothing was predicted.")
        ax = axes(ax, *(figsize or (6.0, 5.6)))
        _draw(ax, result, told, kwargs)
        return ax


def _draw(ax: Axes, result: Calibration, told: pd.DataFrame, kwargs: dict[str, Any]) -> None:
    x, y, low, high = (told[name].to_numpy() for name in ("predicted", "observed", "low", "high"))
    outside = (x < low) | (x > high)
    each = result.predictions["predicted"].to_numpy()
    end = min(1.0, 1.12 * max(float(x.max()), 1.15 * float(high.max())))
    ax.plot([0, end], [0, end], color=ink(ax), linestyle=(0, (5, 3)), linewidth=0.9, zorder=2)
    ax.vlines(x, low, high, colors=faint(ax), linewidths=2.0, alpha=0.7, zorder=3)
    shown = np.unique(each[each <= end])
    strip = ax.get_xaxis_transform()
    ax.plot(shown, np.full(len(shown), _STRIP), "|", color=ink(ax), alpha=0.5, markersize=7, transform=strip, zorder=1)
    dots = ax.scatter(x, y, s=34, edgecolors=_BLUE, linewidths=1.2, zorder=4)
    dots.set_facecolor([_BLUE if off else "white" for off in outside])
    dots.set_clip_on(False)  # where nothing failed they stand on the axis
    dress(dots, kwargs)
    for at, (n, failures) in enumerate(zip(told["n"], told["failures"], strict=True)):
        ax.annotate(
            f"{failures:,} / {n:,}",
            (x[at], high[at]),
            (0, 4),
            textcoords="offset points",
            rotation=90,  # the lowest predictions are close together
            ha="center",
            va="bottom",
            fontsize=_SIZE,
            **PLAIN,
        )
    ax.set_xlim(0, end)
    ax.set_ylim(0, end)
    grid(ax, "y")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_xlabel("predicted probability that the first attempt fails")
    ax.set_ylabel("share that failed")
    _words(ax, result, outside, len(shown))


def _words(ax: Axes, result: Calibration, outside: Any, strokes: int) -> None:
    predicted, came = result.trains["expected_failures"].sum(), int(result.trains["failures"].sum())
    scope = f"{plural(len(result.predictions), 'prediction')} of {plural(len(result.trains), 'train')}"
    off = int(outside.sum())
    verdict = f"Groups off the diagonal: {off} of {len(outside)}."
    title(ax, f"{predicted:.3g} failures predicted, {came:,} came: {scope}.\n{verdict}")
    level = f"{100 * result.confidence_level:g} % interval"
    point: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 5.5, "markeredgecolor": _BLUE}
    line: dict[str, Any] = {"color": ink(ax), "linewidth": 0.9, "linestyle": (0, (5, 3))}
    handles = [
        Line2D([], [], markerfacecolor="white", label=f"group that may be right: {len(outside) - off}", **point),
        Line2D([], [], markerfacecolor=_BLUE, label=f"group that is off: {off}", **point),
        Line2D([], [], color=faint(ax), alpha=0.7, linewidth=2.0, label=f"{level} of the share"),
        Line2D([], [], label="as predicted", **line),
        Line2D(
            [], [], color=ink(ax), alpha=0.5, linestyle="none", marker="|", label=f"predictions: {strokes:,} values"
        ),
    ]
    legend(ax, handles, below=36.0, most=2)
