"""How many repos will be released, fail or be skipped: the law of the number, exact or simulated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cbook import normalize_kwargs
from matplotlib.container import BarContainer
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import offset_copy

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.exact import Analysis
from seqkit.analysis.montecarlo import Simulation
from seqkit.plots._axes import axes, check_look, ink, nothing, outline, points, themed, title
from seqkit.plots._text import FONT, PLAIN, width

__all__ = ["counts"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_WHICH = {"succeeded": "released", "failed": "failed", "skipped": "skipped"}
_STYLES = ("succeeded", "failed", "blocked")  # skipped means blocked here, but for runs that stop
_COLOURS = {which: STATUS_STYLES[word].colour for which, word in zip(_WHICH, _STYLES, strict=True)}
_LEVELS = {"5 %": "q05", "50 %": "median", "95 %": "q95"}  # columns of Simulation.summary
_SYMBOLS = "soD^v"  # of the bars, then of the points of the second law on the same axes, the third, …
_OF_BARS = ("xerr", "yerr", "error_kw", "ecolor", "capsize", "orientation", "log", "tick_label")  # takes Axes.bar
_STRIP = 21.0  # points of height for the marks of one law, above the axes
_FILLED = 0.9  # how much of its width a bar fills
_PER_BAR = 2.5  # points of width that a bar needs
_CUT = 0.001  # probability at either end that a long axis may leave out
_LEAST = 1e-6  # what is less probable is not drawn
_WHISKERS = "95 % confidence interval of a simulated probability"
_Z = 1.959963984540054  # the normal quantile at 0.975


def counts(
    analysis_or_simulation: Analysis | Simulation,
    ax: Axes | None = None,
    which: str = "succeeded",
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw how probable each number of released (or failed, or skipped) repos is.

    The first law on the axes is drawn as bars. Call it again with the same `ax` to lay others over it, as
    points: an analysis over a simulation checks the one by the other, two models show what hardening buys.

    Parameters
    ----------
    analysis_or_simulation : Analysis or Simulation
        What :func:`seqkit.analyze` or :func:`seqkit.simulate` gave. A simulation has whiskers: the 95 %
        confidence interval of each probability.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    which : {"succeeded", "failed", "skipped"}
        What is counted. The exact law is known for succeeded alone. Unreleased repos are in none.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the bars, as :meth:`matplotlib.axes.Axes.bar` takes them (``log=True`` shows the tail), or for
        the points, as :meth:`matplotlib.axes.Axes.errorbar` does.

    Returns
    -------
    matplotlib.axes.Axes
        The strip above the axes, one for each law, reaches from the 5 % to the 95 % quantile; its tick is the
        median, and its symbol the mean, from which a dashed line leads down. A quantile is the smallest count
        with at least that probability at or below it.

        What is less probable than one in a million is left out. Where more counts are left than bars of 2.5
        points fit side by side, the axis leaves out at most 0.1 % of the runs at either end. If this is not
        enough, a bar is several counts, as the label of the axis says, the lowest up to twice as many; a second
        law keeps to the bars of the first.

    Raises
    ------
    TypeError, ValueError
        Where the first argument is neither, `which` is none of the three or has no exact law, `theme` is none, or
        the exact law is out of reach (see :meth:`seqkit.Analysis.distribution`); simulate estimates it.

    Notes
    -----
    The whiskers are Wilson's score interval, which also holds for a count that few trials came to (Wilson
    1927, doi:10.1080/01621459.1927.10502953): with p the share of n trials and z = 1.96,

        (p + z²/2n ± z sqrt(p (1 − p)/n + z²/4n²)) / (1 + z²/n)

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph, analyze, build_plan, simulate
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> ax = counts(simulate(plan, 0.1, trials=1000, rng=7))
    >>> ax.get_title(loc="left")
    '2.5 of 3 repos are released on average, all of them in 72.2 % of the trials'
    >>> print(counts(analyze(plan, 0.1), ax=ax).get_legend().get_texts()[1].get_text())
    exact: mean 2.52 of 3, 5 %: 0 · 50 %: 3 · 95 %: 3
    >>> matplotlib.pyplot.close("all")
    """
    law = _law(analysis_or_simulation, which)
    with themed(theme):
        if not law.n:
            return nothing(ax, "Nothing to draw: there are no repos to release.")
        return _draw(law, axes(ax, *(figsize or (8.0, 4.0))), kwargs)


def _draw(law: _Law, ax: Axes, kwargs: dict[str, Any]) -> Axes:
    row = len(ax.containers)  # one for each law so far
    label = _label(law, points(ax)[0])
    bars = _bars(law, max(int(points(ax)[0] / _PER_BAR), 10), _step(ax))
    look: dict[str, Any]
    if row:
        look = {"fmt": _symbol(row), "color": ink(ax), "zorder": 3 + row, "label": label}
        look |= {"markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.6}
        own = normalize_kwargs(kwargs, Line2D)
        check_look(own, Axes.errorbar, Line2D.set)
        ax.errorbar(bars.at, bars.height, **{**look, **own})
    else:
        look = {"color": _COLOURS[law.which], "edgecolor": outline(ax), "linewidth": 0.4, "label": label}
        own = normalize_kwargs(kwargs, Patch)
        check_look(own, Axes.bar, Patch.set, also=_OF_BARS)
        ax.bar(bars.at, bars.height, _FILLED * bars.step, **{**look, **own})
    if law.trials:
        words = "_nolegend_" if _WHISKERS in ax.get_legend_handles_labels()[1] else _WHISKERS
        ax.vlines(bars.at, *_wilson(bars.height, law.trials), ink(ax), linewidths=0.9, zorder=2.5 + row, label=words)
    _frame(ax, law, bars, row)
    _strip(ax, law, row)
    return ax


# ---------------------------------------------------------------------- the numbers


@dataclass(frozen=True)
class _Law:
    which: str
    n: int
    values: Ints
    probability: Floats
    mean: float
    quantiles: Mapping[str, int]
    trials: int  # 0 where it is exact
    head: str
    title: str


def _law(source: Analysis | Simulation, which: str) -> _Law:
    if which not in _WHICH:
        raise ValueError(f"which is {as_given(which)}, expected one of {tuple(_WHICH)}")
    if isinstance(source, Analysis):
        if which != "succeeded":
            raise ValueError(
                f"which is {as_given(which)}, expected 'succeeded', the only number an Analysis has the exact law of; "
                f"simulate(plan, model) estimates the others: counts(simulation, which={which!r})"
            )
        law = source.distribution()
        probability, trials = law.to_numpy(), 0
        values = law.index.to_numpy()
        below = np.cumsum(probability) + 1e-12  # what rounding took
        quantiles = {name: int(np.searchsorted(below, float(name[:-2]) / 100)) for name in _LEVELS}
        mean, head, told = source.expected.succeeded, "exact", _number(source.expected.succeeded)
    elif isinstance(source, Simulation):
        frame = source.counts.groupby(f"n_{which}")["trials"].sum()
        trials, values = source.trials, frame.index.to_numpy()
        probability = frame.to_numpy() / trials
        row = source.summary().loc[which].to_dict()
        quantiles = {name: int(row[column]) for name, column in _LEVELS.items()}
        mean, head = row["mean"], f"simulated {plural(trials, 'time')}"
        told = str(getattr(source.expected, which))
    else:
        raise TypeError(
            f"analysis_or_simulation is a {type(source).__name__}, expected an Analysis or a Simulation: "
            "analyze(plan, model) or simulate(plan, model) makes one"
        )
    n = len(source.plan.released)
    sure = math.fsum(probability[values == (n if which == "succeeded" else 0)])
    all_or_none = "all of them" if which == "succeeded" else "none"
    if not trials:
        how_often = f"{all_or_none} with probability {_part(sure, 1)}"
    elif sure:
        how_often = f"{all_or_none} in {_part(100 * sure, 100)} % of the trials"
    else:
        never = "all of them in none" if which == "succeeded" else "at least one in each"
        how_often = f"{never} of the {trials:,} trials"
    verb = {"succeeded": "are released", "failed": "fail", "skipped": "are skipped"}[which]
    return _Law(
        which,
        n,
        values.astype(np.int64),
        probability.astype(np.float64),
        mean,
        quantiles,
        trials,
        f"{head}: mean {told} of {n:,}",
        f"{_number(mean)} of {n:,} repos {verb} on average, {how_often}",
    )


def _label(law: _Law, room: float) -> str:
    quantiles = " · ".join(f"{name}: {at:,}" for name, at in law.quantiles.items())
    line = f"{law.head}, {quantiles}"
    return line if width(line, 8) + 30 < room else f"{law.head}\n{quantiles}"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 10 else f"{value:,.1f}"


def _part(value: float, whole: int) -> str:
    """Write a part so that rounding never makes it the whole."""
    told = f"{value:.3g}"
    return f"more than {0.999 * whole:g}" if told == f"{whole}" and value < whole else told


def _wilson(share: Floats, trials: int) -> tuple[Floats, Floats]:
    half = _Z * np.sqrt(share * (1 - share) / trials + (_Z / (2 * trials)) ** 2)
    centre, scale = share + _Z**2 / (2 * trials), 1 + _Z**2 / trials
    return np.maximum(centre - half, 0.0) / scale, (centre + half) / scale


@dataclass(frozen=True)
class _Bars:
    step: int  # counts in a bar
    at: Floats  # centres
    height: Floats  # probability of its counts together
    low: int
    high: int
    cut: bool


def _step(ax: Axes) -> int:
    """Read how many counts the bars on the axes hold; 0 where there are none."""
    bars = [each for each in ax.containers if isinstance(each, BarContainer) and len(each)]
    return round(bars[0][0].get_width() / _FILLED) if bars else 0


def _bars(law: _Law, most: int, step: int) -> _Bars:
    below = np.cumsum(law.probability)

    def between(rest: float) -> tuple[int, int]:
        ends = np.searchsorted(below, [rest, below[-1] - rest], side="right")
        return int(law.values[ends[0]]), int(law.values[min(ends[1], len(below) - 1)])

    low, high = between(_LEAST)
    if cut := high - low >= most:
        low, high = between(_CUT)
    step = step or _rounded_up((high - low + 1) / most)
    # Bars are counted from the top, where everything is released; what is left over goes to the lowest.
    inside = (law.values >= low) & (law.values <= high)
    number = np.minimum((law.n - law.values[inside]) // step, max((law.n + 1) // step - 1, 0))
    sums = np.bincount(number, law.probability[inside])
    kept = np.flatnonzero(sums >= _LEAST)
    at = (law.n - kept * step - (step - 1) / 2).astype(np.float64)
    return _Bars(step, at, sums[kept].astype(np.float64), low, high, cut)


def _rounded_up(value: float) -> int:
    """Give 1, 2 or 5 times a power of ten, at least `value`."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if step >= value:
                return step
        power *= 10


# ---------------------------------------------------------------------- the picture


def _symbol(row: int) -> str:
    return _SYMBOLS[min(row, 1 + (row - 1) % (len(_SYMBOLS) - 1))]


def _frame(ax: Axes, law: _Law, bars: _Bars, row: int) -> None:
    figure: Any = ax.get_figure()
    room, beside = points(ax)[0], (0.6 if bars.high > bars.low else 1.5) * bars.step
    low, high = bars.low - beside, bars.high + beside
    if row:
        left, right = ax.get_xlim()
        ax.set_xlim(min(left, low), max(right, high))
    else:
        ax.set_xlim(low, high)
        ax.xaxis.set_major_locator(MaxNLocator(min(max(int(room / 45), 2), 9), integer=True, min_n_ticks=1))
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.set_xlabel(f"repos {_WHICH[law.which]} in a run")
        ax.set_ylabel("probability")
    if bars.step > 1:
        ax.set_ylabel(f"probability (of {bars.step:,} counts a bar)")
    if bars.cut:
        ax.set_xlabel(f"repos {_WHICH[law.which]} in a run\n(at most 0.1 % of the runs beyond either end)")
    # A title that stays where it is would lie on the strips.
    text = f"How many repos are {_WHICH[law.which]}: {row + 1} distributions compared" if row else law.title
    title(ax, text, pad=8 + _STRIP * (row + 1))
    entries = sorted(zip(*ax.get_legend_handles_labels(), strict=True), key=lambda entry: entry[1] == _WHISKERS)
    handles, labels = [handle for handle, _ in entries], [label for _, label in entries]
    ax.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=offset_copy(ax.transAxes, figure, y=-48 if "\n" in ax.get_xlabel() else -36, units="points"),
        borderaxespad=0.0,
        frameon=False,
        prop=FontProperties(family=FONT, size=8),
    )


def _strip(ax: Axes, law: _Law, row: int) -> None:
    """Mark mean and quantiles above the axes, in the look of the law."""
    figure: Any = ax.get_figure()
    above = offset_copy(ax.get_xaxis_transform(), figure, y=6 + _STRIP * row, units="points")
    ends = [law.quantiles["5 %"], law.quantiles["95 %"]]
    look: dict[str, Any] = {"transform": above, "clip_on": False, "color": ink(ax), "zorder": 5}
    mean: dict[str, Any] = {"linestyle": "none", "marker": _symbol(row), "markersize": 6, "markeredgewidth": 0.8}
    ax.add_artist(Line2D(ends, [1, 1], linewidth=1.2, marker="|", markersize=8, **look))
    ax.add_artist(
        Line2D([law.quantiles["50 %"]], [1], linestyle="none", marker="|", markersize=8, markeredgewidth=2.5, **look)
    )
    ax.add_artist(Line2D([law.mean], [1], markerfacecolor=ink(ax) if row else _COLOURS[law.which], **mean, **look))
    ax.axvline(law.mean, color=ink(ax), linestyle=(0, (4 + 2 * row, 3)), linewidth=0.8, zorder=2.4)
    marks = [*((float(at), name) for name, at in law.quantiles.items()), (law.mean, "mean")]
    for at, words in _joined(sorted(marks), points(ax)[0] / float(np.diff(ax.get_xlim())[0])):
        look = {"xycoords": above, "textcoords": "offset points", "ha": "center", "fontsize": 7}
        ax.annotate(words, (at, 1), (0, 5), **look, **PLAIN)


def _joined(marks: Sequence[tuple[float, str]], scale: float) -> list[tuple[float, str]]:
    """Write marks that stand too close for two labels (at `scale` points a count) into one."""
    groups: list[tuple[float, float, str]] = []  # first, last, words
    for at, name in marks:
        if groups:
            first, last, words = groups[-1]
            room = (at - (first + last) / 2) * scale
            if room < (width(words, 7) + width(name, 7)) / 2 + 4:
                groups[-1] = first, at, f"{words}, {name}"
                continue
        groups.append((at, at, name))
    return [((first + last) / 2, words) for first, last, words in groups]
