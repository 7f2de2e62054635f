"""What fitted failure rates are worth: each with its interval, and beside it what was assumed."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import offset_copy

from seqkit._util.words import plural
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.unknown import Known, check_models
from seqkit.fitting.posterior import counts_of
from seqkit.fitting.rates import ranking_note
from seqkit.plots._axes import (
    FEW,
    alarm,
    axes,
    axis_above,
    dress,
    faint,
    grid,
    ink,
    legend,
    nothing,
    points,
    settled,
    themed,
    title,
)
from seqkit.plots._text import PLAIN, shown, width

__all__ = ["rates"]

Floats = npt.NDArray[np.float64]

_MOST = 300  # repos that a figure of our own has a row for
_TOP = 5  # rates that have a row whatever they come of
_EXTREMES = 60  # rows where there are more
_PITCHES = (14.0, 9.0)  # points from row to row: of few repos, of many
_LEAST_PITCH = 9.0  # of rows on given axes
_SIZE = 8.0  # points, of names
_FOR_A_NOTE = 250.0  # points of height from which the axes can spare the room for the note


def rates(
    fit: pd.DataFrame,
    ax: Axes | None = None,
    model: ModelLike | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    fold: bool = True,
    **kwargs: Any,
) -> Axes:
    """Draw fitted failure rates with their credible intervals, a row for each repo, the highest rate first.

    Parameters
    ----------
    fit : DataFrame
        What :func:`seqkit.fit_failure_rates` gave.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as tall as the repos need.
    model : float, mapping, Series or FailureModel, optional
        Rates to hold against the fit: those assumed so far, or the true ones where the runs were simulated.
        Each is a diamond, open where the interval holds it. Common causes of a model are left aside.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    fold : bool
        Whether, of more than 40 repos, those that have not failed yet share the last row, but for the five highest
        rates and where the interval does not hold the assumed rate. Above 40 the numbers of the axis stand above
        it, too.
    **kwargs
        For the fitted rates, one :class:`matplotlib.collections.PathCollection`.

    Returns
    -------
    matplotlib.axes.Axes
        A point is a rate, open where the repo has not failed yet, so that the rate comes of the prior; its line is
        the interval from `low` to `high`. To the right, failures / attempts: first attempts, those that the rates
        are made of. The dashed line is the rate of all of them together. Where the data support no ranking, the title
        says so; all of :func:`seqkit.ranking_note`, and what the fit notes about retries, stands below a new figure,
        and below given axes of 250 points of height or more.

        The row that repos share has their rates, and a line from their lowest `low` to their highest `high`.
        Where more than 300 rows are left, or where the given axes have no room for rows of 9 points, they are the
        highest and the lowest rates; the numbers in title and legend are of all repos.

    Raises
    ------
    TypeError, ValueError
        Where `fit` is no fit, or `model` no model, or one that names only repos which the fit does not have, or
        `theme` none.

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    Where the prior is right, a 95 % interval holds the true rate in 95 % of all cases. A much smaller share says
    that the assumed rates are not those of the record.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> import pandas as pd
    >>> from seqkit import fit_failure_rates
    >>> tried = {"repo_id": ["api", "core"] * 40, "succeeded": [False, True] * 10 + [True] * 60}
    >>> ax = rates(fit_failure_rates(pd.DataFrame(tried)), model=0.2)
    >>> print(ax.get_title(loc="left"))
    api fails most often: 10 failures in 40 attempts.
    1 of 2 intervals (50 %) hold the assumed rate.
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['api', 'core']
    >>> matplotlib.pyplot.close("all")
    """
    note = ranking_note(fit)  # checks the fit, too
    assumed = None if model is None else _rates(as_model(model), fit)
    with themed(theme):
        if fit.empty:
            return nothing(ax, "Nothing to draw: no repo was tried.")
        return _draw(fit, assumed, note, ax, figsize, fold, kwargs)


def _draw(
    fit: pd.DataFrame,
    assumed: Floats | None,
    note: str,
    ax: Axes | None,
    figsize: tuple[float, float] | None,
    fold: bool,
    kwargs: dict[str, Any],
) -> Axes:
    rate, low, high = (fit[name].to_numpy(dtype=np.float64) for name in ("rate", "low", "high"))
    failures, _ = counts_of(fit)
    ranked = np.argsort(-rate, kind="stable")
    held = None if assumed is None else (low <= assumed) & (assumed <= high)
    ranked, shared = _folded(ranked, failures, held) if fold and len(fit) > FEW else (ranked, ranked[:0])
    own, wanted = ax is None, len(ranked) + bool(len(shared))
    most = wanted if wanted <= _MOST else _EXTREMES
    pitch = float(np.interp(most, [_EXTREMES, _MOST], _PITCHES))
    ax = axes(ax, *(figsize or (8.5, max(most * pitch / 72, 0.6) + 2.4 + 0.2 * (len(fit) > FEW))))
    longest = max([_others(shared), *(_name(fit, at) for at in ranked.tolist())], key=lambda name: width(name, _SIZE))
    ax.set_yticks([0], [longest], fontsize=_SIZE, **PLAIN)  # takes its room before the words around are broken
    if len(fit) > FEW:
        axis_above(ax)
    _words(ax, fit, int(np.argmax(rate)), held, note, own or points(ax)[1] >= _FOR_A_NOTE)
    if not own or figsize is not None:
        pitch, most = _room(ax, wanted)
    kept, y = _rows(ranked, most - bool(len(shared)))
    ax.hlines(y, low[kept], high[kept], colors=faint(ax), linewidths=min(2.4, 0.25 * pitch), alpha=0.6, zorder=2)
    dots = ax.scatter(rate[kept], y, s=min(30.0, 0.25 * pitch**2), edgecolors=alarm(ax), linewidths=1.0, zorder=4)
    dots.set_facecolor(["white" if not failed else alarm(ax) for failed in failures[kept]])
    dress(dots, kwargs)
    ax.axvline(_together(fit), color=ink(ax), linestyle=(0, (5, 3)), linewidth=0.9, zorder=3)
    if assumed is not None and held is not None:
        faces = ["none" if inside else ink(ax) for inside in held[kept]]
        size = min(26.0, 0.22 * pitch**2)
        ax.scatter(assumed[kept], y, s=size, marker="D", facecolors=faces, edgecolors=ink(ax), linewidths=0.9, zorder=5)
    if len(shared):
        row = y[-1] + 1
        look: dict[str, Any] = {"colors": faint(ax), "linewidths": min(2.4, 0.25 * pitch), "alpha": 0.6, "zorder": 2}
        ax.hlines([row], low[shared].min(), high[shared].max(), gid="shared", **look)
        look = {"facecolors": "white", "edgecolors": alarm(ax), "linewidths": 0.7, "zorder": 4, "gid": "shared"}
        ax.scatter(rate[shared], np.full(len(shared), row), s=min(14.0, 0.12 * pitch**2), **look)
    _frame(ax, fit, kept, y, shared, pitch)
    ax.set_xlim(0, 1.04 * max(high.max(), 0.0 if assumed is None else assumed.max()))
    return ax


def _folded(
    ranked: npt.NDArray[np.intp], failures: Floats, held: npt.NDArray[np.bool_] | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Part the repos of whom there is something to tell from those that may share a row."""
    quiet = failures[ranked] == 0
    quiet &= True if held is None else held[ranked]
    quiet[:_TOP] = False
    return (ranked[~quiet], ranked[quiet]) if quiet.sum() > 1 else (ranked, ranked[:0])


def _rates(model: FailureModel, fit: pd.DataFrame) -> Floats:
    repos = list(fit.index)
    check_models(Known(frozenset(repos).__contains__, repos, "that the fit does not have"), model=model)
    return np.array([model.rate(repo) for repo in fit.index], dtype=np.float64)


def _together(fit: pd.DataFrame) -> float:
    failures, attempts = counts_of(fit)
    return float(failures.sum() / attempts.sum()) if attempts.sum() else 0.0


# ---------------------------------------------------------------------- rows


def _room(ax: Axes, n: int) -> tuple[float, int]:
    """Measure given axes: the distance of rows in points, and how many there can be."""
    height = settled(ax)[1]  # the words around the axes have taken their room
    most = max(int(height / _LEAST_PITCH), 3)
    return height / min(n, most), most


def _rows(ranked: npt.NDArray[np.intp], most: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Give which repos get a row, and where; where not all do, the middle of the ranking is one empty row."""
    if len(ranked) <= most:
        return ranked, np.arange(len(ranked), dtype=np.float64)
    first = most // 2
    last = most - 1 - first
    kept = np.concatenate([ranked[:first], ranked[len(ranked) - last :]])
    return kept, np.concatenate([np.arange(first), np.arange(first + 1, most)]).astype(np.float64)


def _count(value: float) -> Any:
    """Give a count as a whole number; a sum of weights to the tenth."""
    return int(value) if value == int(value) else round(float(value), 1)


def _name(fit: pd.DataFrame, at: int) -> str:
    return shown(str(fit.index[at]), 32)


def _others(shared: npt.NDArray[np.intp]) -> str:
    return f"{len(shared):,} others, none has failed" if len(shared) else ""


def _frame(
    ax: Axes, fit: pd.DataFrame, kept: npt.NDArray[np.intp], y: Floats, shared: npt.NDArray[np.intp], pitch: float
) -> None:
    size = min(_SIZE, 0.72 * pitch)
    labels = dict(zip(y.tolist(), (_name(fit, int(at)) for at in kept), strict=True))
    if between := len(fit) - len(kept) - len(shared):
        labels[float(len(kept) // 2 + len(kept) % 2)] = f"… {between:,} repos between …"
    if len(shared):
        labels[y[-1] + 1] = _others(shared)
    ax.set_ylim(max(labels) + 0.7, -0.7)  # rows count downwards
    ax.set_yticks(sorted(labels), [labels[at] for at in sorted(labels)], fontsize=size, **PLAIN)
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    grid(ax, "x")
    ax.set_xlabel("failures per first attempt (probability)")
    ax.set_ylabel("repo")
    beside = offset_copy(ax.get_yaxis_transform(), ax.get_figure(), x=8, units="points")  # type: ignore[arg-type]
    failures, attempts = counts_of(fit)
    rows: list[tuple[float, Any]] = list(zip(y.tolist(), kept, strict=True))
    for row, at in [*rows, *([(y[-1] + 1, shared)] if len(shared) else [])]:
        tried = f"{_count(failures[at].sum()):,} / {_count(attempts[at].sum()):,}"
        ax.text(1, row, tried, transform=beside, va="center", fontsize=size, **PLAIN)
    ax.text(1, -0.7, "failures /\nfirst attempts", transform=beside, va="bottom", fontsize=7, color=faint(ax), **PLAIN)


# ---------------------------------------------------------------------- words


def _words(
    ax: Axes,
    fit: pd.DataFrame,
    top: int,
    held: npt.NDArray[np.bool_] | None,
    note: str,
    in_full: bool,
) -> None:
    failures, attempts = counts_of(fit)
    n = len(fit)
    if note:
        counts = f"{_count(failures.sum()):,} failures in {_count(attempts.sum()):,} attempts"
        lines = [f"{counts} do not support a ranking of {n:,} repos."]
    else:
        first = f"{shown(str(fit.index[top]), 30)}{' fails most often' if n > 1 else ''}"
        lines = [f"{first}: {plural(_count(failures[top]), 'failure')} in {plural(_count(attempts[top]), 'attempt')}."]
    if held is not None:
        share = 100 * held.mean()
        lines.append(f"{held.sum():,} of {n:,} intervals ({share:.3g} %) hold the assumed rate.")
    title(ax, "\n".join(lines))
    room = points(ax)[0]
    handles = _handles(ax, fit, held)
    lines_below = legend(ax, handles, below=36.0, most=2)
    told = [f"⚠ {note[0].upper()}{note[1:]}."] if note else []
    if unknown := fit.attrs.get("note"):
        told.append(f"{unknown[0].upper()}{unknown[1:]}.")
    below = 44 + 13.5 * lines_below
    for sentence in told if in_full else []:
        text = textwrap.fill(shown(sentence, 1000), max(int(room / 4.4), 30))
        ax.annotate(
            text,
            (0, 0),
            (0, -below),
            xycoords="axes fraction",
            textcoords="offset points",
            va="top",
            fontsize=8,
            **PLAIN,
        )
        below += 10.0 * (text.count("\n") + 1) + 4


def _handles(ax: Axes, fit: pd.DataFrame, held: npt.NDArray[np.bool_] | None) -> list[Line2D]:
    colour, red = ink(ax), alarm(ax)
    failed = int(np.count_nonzero(counts_of(fit)[0]))
    level = fit.attrs.get("confidence_level")
    interval = f"{100 * level:g} % credible interval" if isinstance(level, float) else "credible interval"
    point: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 5, "markeredgecolor": red}
    diamond: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 4.5, "markeredgecolor": colour}
    handles = [
        Line2D([], [], markerfacecolor=red, label=f"rate of a repo that has failed: {failed:,}", **point),
        Line2D([], [], markerfacecolor="white", label=f"rate of one that has not yet: {len(fit) - failed:,}", **point),
        Line2D([], [], color=faint(ax), alpha=0.6, linewidth=2.4, label=interval),
        Line2D(
            [],
            [],
            color=colour,
            linestyle=(0, (5, 3)),
            linewidth=0.9,
            label=f"all first attempts together: {_together(fit):.2g}",
        ),
    ]
    if held is not None:
        inside = int(held.sum())
        handles += [
            Line2D([], [], markerfacecolor="none", label=f"assumed rate, inside: {inside:,}", **diamond),
            Line2D([], [], markerfacecolor=colour, label=f"assumed rate, outside: {len(fit) - inside:,}", **diamond),
        ]
    return handles
