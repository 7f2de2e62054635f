"""Which repo to harden: what it would buy, beside how many depend on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seqkit._show.html import amount
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural
from seqkit.analysis.exact import Analysis
from seqkit.plots._axes import FEW, axes, dress, faint, legend, nothing, outline, settled, themed, title
from seqkit.plots._dots import FILL, by_dependents, draw_dots, sizes_legend
from seqkit.plots._text import PLAIN, shown, width

__all__ = ["importance"]

Floats = npt.NDArray[np.float64]

_KINDS = ("auto", "scatter", "dots")
_NAMED = 6  # repos of each ranking that get their names
_SIZE = 7.5  # points, of the names
_SMALLEST, _LARGEST = 12.0, 100.0  # areas of the points, in square points
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_DISTANCES = (1.0, 5.0, 11.0, 18.0, 27.0, 38.0, 52.0, 70.0)  # points, from a point to its name
_LED = 5.0  # from this distance on, a line leads to the point


def importance(
    analysis: Analysis,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    kind: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw what hardening each repo would buy against how many repos depend on it.

    The two are often taken for the same. Where they were, all points would lie on the line; a repo above it
    buys more than its dependents let expect, a repo below it less.

    Parameters
    ----------
    analysis : Analysis
        What :func:`seqkit.analyze` gave.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    kind : {"auto", "scatter", "dots"}
        ``"scatter"``: a point a repo, dependents against what hardening buys. ``"dots"``: the repos that buy most and
        those that most depend on, sorted, a row each, where points would crowd. ``"auto"``: dots above 40 repos.
    **kwargs
        For the points, one :class:`matplotlib.collections.PathCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        Of a scatter: a point is a repo: to the right its number of dependents, direct or not (`n_dependents`), upwards
        the repos that more would be released on average if it never failed (`gain_if_perfect`, see
        :meth:`seqkit.Analysis.importance`); its area grows with the probability that it would fail if it
        were released alone, all its attempts and common causes counted. The first six of both rankings
        have their names and their places: by gain, then by dependents; repos at the same point share
        a name. A name that finds no room is left out. Common causes, which have no dependents, are not drawn.

        Of dots: a row is a repo, the one that buys most on top; to the right what it buys (the point, as large as
        above) and what its dependents alone let expect (the diamond); on the right its dependents and its place by
        them. Up to 24 have a row by what they buy, and up to six more by their dependents, as many as the axes have
        room for; the others share the last one.

    Raises
    ------
    TypeError
        Where `analysis` is no Analysis.
    ValueError
        Where `kind` or `theme` is none of those.

    Notes
    -----
    The line, and the diamond, is mean failure rate × (1 + dependents): what a repo of that rate would cost if
    nothing else ever failed. A repo leaves it because its own rate differs, or because other failures would have
    stopped its dependents anyway, or stopped the repo itself.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph, analyze, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> ax = importance(analyze(plan, {"core": 0.01, "api": 0.3, "app": 0.1}))
    >>> print(ax.get_title(loc="left"))
    Hardening api buys most: 0.564 more releases in a run.
    Most depend on core (2): hardening it buys 0.0233, rank 3.
    >>> matplotlib.pyplot.close("all")
    """
    if not isinstance(analysis, Analysis):
        raise TypeError(
            f"analysis is a {type(analysis).__name__}, expected an Analysis: analyze(plan, model) makes one"
        )
    if kind not in _KINDS:
        raise ValueError(f"kind is {as_given(kind)}, expected one of {_KINDS}")
    worth = analysis.importance()
    worth = worth[worth.index.isin(analysis.plan.released)]
    with themed(theme):
        if worth.empty:
            return nothing(ax, "Nothing to draw: there are no repos to release.")
        rate = analysis.fails_alone()[worth.index].to_numpy()
        if kind == "dots" or (kind == "auto" and len(worth) > FEW):
            return draw_dots(worth, rate, _areas(rate, rate.max()), _title(worth), ax, figsize, kwargs)
        return _scatter(worth, rate, axes(ax, *(figsize or (8.0, 5.2))), kwargs)


def _scatter(worth: pd.DataFrame, rate: Floats, ax: Axes, kwargs: dict[str, Any]) -> Axes:
    at = np.column_stack([worth["n_dependents"].to_numpy(dtype=np.float64), worth["gain_if_perfect"].to_numpy()])
    areas = _areas(rate, rate.max())
    points = ax.scatter(*at.T, s=areas, c=FILL, edgecolors=outline(ax), linewidths=0.7, zorder=3)  # type: ignore[misc]
    dress(points, kwargs)
    ends = np.array([0.0, max(at[:, 0].max(), 1.0)])
    line = np.column_stack([ends, rate.mean() * (1 + ends)])
    ax.plot(*line.T, color=faint(ax), linestyle=(0, (5, 3)), linewidth=1.0, zorder=2)
    title(ax, _title(worth))
    _frame(ax, rate, rate.mean())
    _names(ax, worth, at, np.sqrt(areas) / 2, line)
    return ax


def _areas(rate: Floats, highest: float) -> Floats:
    return _SMALLEST + (_LARGEST - _SMALLEST) * rate / highest if highest else np.full_like(rate, _SMALLEST)


def _title(worth: pd.DataFrame) -> str:
    gain = worth["gain_if_perfect"].to_numpy()
    if not gain[0]:
        return "No repo can fail: hardening buys nothing"
    most = int(by_dependents(worth)[0])
    names = [shown(str(worth.index[at]), 24) for at in (0, most)]
    dependents = int(worth["n_dependents"].iloc[most])
    first = f"Hardening {names[0]} buys most: {amount(gain[0], 3)} more releases in a run."
    if not dependents:
        return f"{first}\nNo repo depends on another."
    if worth["n_dependents"].iloc[0] == dependents:
        return f"{first}\nMost depend on it, too: {plural(dependents, 'repo')}."
    bought = amount(gain[most], 3)
    return f"{first}\nMost depend on {names[1]} ({dependents:,}): hardening it buys {bought}, rank {most + 1}."


def _frame(ax: Axes, rate: Floats, mean: float) -> None:
    ax.margins(0.09, 0.09)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.set_xlabel("repos that depend on it")
    ax.set_ylabel("more repos released in a run\nif it never failed (mean)")
    areas = dict(zip(rate.tolist(), _areas(rate, rate.max()).tolist(), strict=True))
    handles = sizes_legend(ax, rate, areas)
    told = f"mean probability {mean:.2g} × (1 + dependents)"
    handles.append(Line2D([], [], color=faint(ax), linestyle=(0, (5, 3)), linewidth=1.0, label=told))
    handles.append(Line2D([], [], linestyle="none", label="name (place by releases bought, place by dependents)"))
    legend(ax, handles, below=36.0, most=1)


# ---------------------------------------------------------------------- names


def _labels(worth: pd.DataFrame, at: Floats) -> dict[int, str]:
    """Give the text of each point that gets one, the most important first."""
    ranked = by_dependents(worth)
    place = np.empty(len(worth), dtype=np.intp)
    place[ranked] = np.arange(len(worth))
    chosen = [int(each) for pair in zip(range(_NAMED), ranked[:_NAMED], strict=False) for each in pair]
    labels: dict[int, str] = {}
    taken: set[tuple[float, float]] = set()
    for row in dict.fromkeys(each for each in chosen if each < len(worth)):
        spot = (float(at[row, 0]), float(f"{at[row, 1]:.9g}"))
        if spot in taken:
            continue
        taken.add(spot)
        others = int(np.isclose(at, at[row], rtol=1e-9, atol=0).all(axis=1).sum()) - 1
        more = and_more(others)
        labels[row] = f"{shown(str(worth.index[row]))}{more} ({row + 1}, {place[row] + 1})"
    return labels


def _names(ax: Axes, worth: pd.DataFrame, at: Floats, radii: Floats, line: Floats) -> None:
    """Write each name at the nearest spot that is free, in an order that depends on the data alone."""
    room = np.array(settled(ax))
    ax.autoscale_view()
    spots, ends = (np.asarray(ax.transLimits.transform(ax.transScale.transform(each))) * room for each in (at, line))
    things = np.vstack([spots, np.linspace(ends[0], ends[1], 200)])  # that names must not hide
    sizes = np.concatenate([radii, np.zeros(200)]) + 0.5
    boxes = np.empty((0, 4))  # of the names so far: left, bottom, right, top
    for row, text in _labels(worth, at).items():
        elsewhere = (spots != spots[row]).any(axis=1)
        others, radii_of_others = spots[elsewhere], radii[elsewhere]
        half = np.array([width(text, _SIZE) / 2 + 1, _SIZE * 0.62])
        for distance, way in ((d, np.array(w)) for d in _DISTANCES for w in _DIRECTIONS):
            offset = way * (half + (radii[row] + distance) * (1 if abs(way).sum() == 1 else 0.75))
            low, high = spots[row] + offset - half, spots[row] + offset + half
            on_things = (np.hypot(*(things - np.clip(things, low, high)).T) < sizes).any()
            on_names = ((boxes[:, :2] < high) & (boxes[:, 2:] > low)).all(axis=1).any()
            lead = np.linspace(spots[row], spots[row] + offset, 20) if distance >= _LED else np.empty((0, 2))
            through = (np.hypot(*(lead[:, None] - others).T) < radii_of_others[:, None]).any()
            crosses = ((boxes[:, None, :2] < lead) & (boxes[:, None, 2:] > lead)).all(axis=2).any()
            if on_things or on_names or crosses or through or (low < 0).any() or (high > room).any():
                continue
            things, sizes = np.vstack([things, lead]), np.concatenate([sizes, np.zeros(len(lead))])
            boxes = np.vstack([boxes, [*low, *high]])
            arrow = {"arrowstyle": "-", "color": faint(ax), "linewidth": 0.5, "shrinkA": 0, "shrinkB": radii[row]}
            name = ax.annotate(
                text,
                at[row],
                offset,
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=_SIZE,
                arrowprops=arrow if len(lead) else None,
                zorder=4,
                **PLAIN,
            )
            name.set_in_layout(False)  # it is inside; the layout that it was fitted into must not move
            break
