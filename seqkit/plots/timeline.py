"""One run as its ledger tells it, on a time axis: when each repo was tried, and how that ended."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.ticker import MaxNLocator, NullLocator
from matplotlib.transforms import offset_copy

from seqkit._show.palette import EVERY_STYLE
from seqkit._util.secrets import as_given
from seqkit.core.outcome import SequenceOutcome
from seqkit.ledger import LedgerLike, RunLedger
from seqkit.ledger.reading import lent
from seqkit.plots._axes import (
    FEW,
    axes,
    axis_above,
    dress,
    faint,
    grid,
    ink,
    nothing,
    outline,
    points,
    settled,
    status_legend,
    themed,
    title,
)
from seqkit.plots._marks import marks
from seqkit.plots._shared_rows import SharedRow, shared_rows
from seqkit.plots._spans import Row, Run, chosen_run, read_spans
from seqkit.plots._text import PLAIN, fitting, shown, width

__all__ = ["timeline"]

_MOST_ROWS = 300
_LEAST_PITCH = 2.5  # points: below it, a row cannot be told from the next
_SIZE = 7.5  # points, of names
_SMALLEST_SIZE = 5.0
_BOX = 0.66  # height of a bar, in rows
_WIDTH = 11.0  # inches, of a figure of our own
_LAYERS = ("succeeded", "failed", "in_doubt", "in_progress", "blocked", "stopped", "skipped", "unreleased", "pending")
"""From the bottom."""


def timeline(
    ledger_or_outcome: LedgerLike | SequenceOutcome,
    run_id: str | None = None,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    fold: bool = True,
    **kwargs: Any,
) -> Axes:
    """Draw when each repo of a run was tried, and how that ended: a Gantt chart.

    Parameters
    ----------
    ledger_or_outcome : RunLedger, path or URL, or SequenceOutcome
        A ledger, any that the frames take, contradictions included: what does not fit together is drawn as it
        stands, and the title says so. Of an outcome, the run that it tells of, from the ledger that it was
        written to; an outcome without one, such as that of a what-if, has no times.
    run_id : str, optional
        Which run: its id, the start of it (four characters or more) or ``"last"``; not needed where there is only one,
        nor for an outcome.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as tall as the rows need.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    fold : bool
        Whether, of more than 40 repos, those that nothing happened to share rows: what was released at the first
        attempt, and what was never tried; between two others a row for each status. Up to ten that took more than
        twice as long as the median have rows of their own.
    **kwargs
        For the bars, one :class:`matplotlib.collections.PolyCollection`; above 300 repos for the areas.

    Returns
    -------
    matplotlib.axes.Axes
        A row is a repo, in plan order from above: its position (from 0), name and mark. A bar is a try, from
        ``NodeEntered`` (or the end of the wait before it) to the next event of the repo, coloured by how it
        ended; a thin line is the wait before another try (``delay_ms``). A bar with a pointed end has no end in
        the ledger: that release is in doubt. The square at the end of a row tells what the repo came to, also
        where it failed and nobody knows whether it is out. It stands alone where nothing was tried: at the time of
        the ``NodeSkipped``, or where there is none (unreleased repos, ledgers without skips), at the time of the
        row above. Repos that were never reached have no square. A row that repos share has the bars of all, and
        the square of the last. Above 40 repos the numbers of the axis stand above it, too.

        Time counts from the start of the run. Where all events carry the same time, as those of a made-up
        clock, the axis counts events instead. Above 300 repos, or where rows find no room, the number of repos in
        each state is drawn over time.

    Raises
    ------
    ValueError
        Where `run_id` is left out and the ledger has several runs, where an outcome is of no recorded run, and
        where `theme` is none.
    RunNotFound
        Where there is no such run.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from datetime import UTC, datetime, timedelta
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> minutes = (datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(99))
    >>> clock = lambda: next(minutes)
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> ledger = MemoryRunLedger(ids=["spring"], clock=clock)
    >>> outcome = run_plan(plan, ScriptedReleaser({"api": "tests are red"}), ledger, clock=clock)
    >>> ax = timeline(outcome)
    >>> ax.get_title(loc="left"), ax.get_xlabel()
    ('Run spring failed after 40 minutes', 'minutes since the run started')
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 core ✓', '1 api ✗', '2 app ⊘']
    >>> matplotlib.pyplot.close("all")
    """
    with themed(theme):
        ledger, own = _of_outcome(ledger_or_outcome)
        with lent(ledger, existing=True) as kept:
            chosen = chosen_run(kept, own if run_id is None else run_id)
            if chosen is None:
                return nothing(ax, "Nothing to draw: the ledger has no runs.")
            run = read_spans(kept, chosen)
        if not run.rows:
            return nothing(ax, f"Nothing to draw: run {shown(chosen, 40)} names no repos.")
        return _draw(run, ax, figsize, fold, kwargs)


def _draw(
    run: Run, ax: Axes | None, figsize: tuple[float, float] | None, fold: bool, kwargs: Mapping[str, Any]
) -> Axes:
    n, lanes = len(run.rows), shared_rows(run.rows, fold)
    pitch = 72 * max(0.11, min(0.22, 13.2 / len(lanes)))
    given = ax is not None or figsize is not None
    high = (len(lanes) + 1) * pitch / 72 + 1.4 + 0.2 * (n > FEW) if n <= _MOST_ROWS else 5.0
    ax = axes(ax, *(figsize or (_WIDTH, high)))
    _frame(ax, run)
    if given:
        longest = max((lane.name for lane in lanes), key=len)
        ax.set_yticks([0], [longest], fontsize=_SIZE, **PLAIN)  # takes its room before the rows are measured
        _say(ax, run, run.notes)
    wide, high = settled(ax) if given else points(ax)
    pitch = high / (len(lanes) + 0.4) if given else pitch
    notes = list(run.notes)
    if n <= _MOST_ROWS and pitch >= _LEAST_PITCH:
        notes += _bars(ax, run, lanes, pitch, 0.9 * wide, kwargs)  # the layout will take some of it
    else:
        _areas(ax, run, kwargs)
        notes.append(f"too many repos for a row each ({n:,}): this shows how many are in each state")
    _say(ax, run, notes)
    return ax


def _of_outcome(asked: Any) -> tuple[LedgerLike, str | None]:
    """Give the ledger, and the run where an outcome tells which."""
    if isinstance(asked, RunLedger | str | os.PathLike):
        return asked, None
    if not isinstance(asked, SequenceOutcome):
        raise TypeError(
            f"ledger_or_outcome is {as_given(asked)}, expected a ledger, its path or URL, or a SequenceOutcome"
        )
    if asked.ledger is None or asked.run_id is None:
        raise ValueError(
            f"ledger_or_outcome is {as_given(asked)} of a run that no ledger has, so there are no times to draw: "
            "plots.order(outcome) draws how far each repo got, and run_plan(plan, …) gives an outcome with a ledger"
        )
    return asked.ledger, asked.run_id


def _say(ax: Axes, run: Run, notes: Sequence[str]) -> None:
    title(ax, "\n".join([run.title, "; ".join(notes)]))
    status_legend(ax, Counter(row.word for row in run.rows), below=36.0)


def _frame(ax: Axes, run: Run) -> None:
    left, right = run.span
    room = 0.02 * (right - left or 1.0)
    ax.set_xlim(left - room / 2, right + 2 * room)
    ax.set_xlabel(run.axis, fontsize=9, loc="right")
    if run.counts_events:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True) if left < right else NullLocator())
    ax.tick_params(axis="both", labelsize=8)
    if len(run.rows) > FEW:
        axis_above(ax)
    grid(ax, "x")
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


# ---------------------------------------------------------------------- a row each


def _bars(
    ax: Axes, run: Run, lanes: Sequence[SharedRow], pitch: float, wide: float, kwargs: Mapping[str, Any]
) -> list[str]:
    """Draw the rows, `pitch` points high, on an axis of `wide` points; give notes on what is left out."""
    ax.set_ylim(len(lanes) - 0.3, -0.7)
    tip = 0.008 * (run.span[1] - run.span[0] or 1.0)
    rows = [(y, row) for y, lane in enumerate(lanes) for row in lane.rows]
    shapes = [_shape(y, start, end, tip * opens) for y, row in rows for start, end, opens in _tries(row)]
    colours = [EVERY_STYLE[word].colour for _, row in rows for _, _, word in row.tries]
    edges = [0.5 if len(lane.rows) == 1 else 0.2 for lane in lanes for row in lane.rows for _ in row.tries]
    bars = PolyCollection(shapes, facecolors=colours, edgecolors=outline(ax), linewidths=edges, zorder=3)
    ax.add_collection(bars, autolim=False)
    dress(bars, kwargs)
    waits = [[(start, y), (end, y)] for y, row in rows for start, end in row.waits]
    ax.add_collection(LineCollection(waits, colors=outline(ax), linewidths=1.2, zorder=2), autolim=False)
    square = min(9.0, pitch * 0.74)
    low, high = ax.get_xlim()
    earlier = [
        ((start + end) / 2, y, word)
        for y, row in rows
        for start, end, word in row.tries[:-1]
        if abs(end - start) * wide / (high - low) > square
    ]
    marks(ax, *_columns(earlier), square * 0.75, gid="tries")
    _ends(ax, [max(lane.rows, key=_moment) for lane in lanes], square, tip)
    size = max(_SMALLEST_SIZE, min(_SIZE, pitch * 0.8))
    _remarks(ax, rows, size, square, wide)
    every = math.ceil(size * 1.15 / pitch)
    names = [lane.name for lane in lanes]
    ax.set_yticks(range(0, len(names), every), labels=names[::every], fontsize=size, **PLAIN)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", color=faint(ax), alpha=0.12, linewidth=0.5)
    notes = [f"1 name in {every} is written"] if every > 1 else []
    if shared := sum(len(lane.rows) for lane in lanes if len(lane.rows) > 1):
        notes.append(f"{shared:,} repos that nothing happened to share rows")
    return notes


def _moment(row: Row) -> float:
    return -math.inf if row.moment is None else row.moment


def _tries(row: Row) -> list[tuple[float, float, bool]]:
    """Give each try's first and last moment, and whether it has no end."""
    return [
        (min(start, end), max(start, end), row.open_at is not None and number == len(row.tries))
        for number, (start, end, _) in enumerate(row.tries, start=1)
    ]


def _shape(y: float, left: float, right: float, tip: float) -> list[tuple[float, float]]:
    top, bottom = y - _BOX / 2, y + _BOX / 2
    return [(left, top), (right, top), (right + tip, y), (right, bottom), (left, bottom)]


def _ends(ax: Axes, rows: Sequence[Row], square: float, tip: float) -> None:
    """Put a square with the mark of what a repo came to right of the moment when it did."""
    spots = [
        (row.moment + tip * (row.open_at is not None), y, row.word)
        for y, row in enumerate(rows)
        if row.moment is not None
    ]
    xs, ys, words = _columns(spots)
    figure: Any = ax.get_figure()
    look: dict[str, Any] = {"transform": offset_copy(ax.transData, figure, x=square / 2 + 2.0, units="points")}
    colours = [EVERY_STYLE[word].colour for word in words]
    box: dict[str, Any] = {"marker": "s", "c": colours, "edgecolors": outline(ax), "linewidths": 0.5, "zorder": 4}
    ax.scatter(xs, ys, s=square**2, gid="ends", **box, **look)
    marks(ax, xs, ys, words, square * 0.75, **look)


def _columns(spots: Sequence[tuple[float, int, str]]) -> tuple[list[float], list[float], list[str]]:
    return [x for x, _, _ in spots], [y for _, y, _ in spots], [word for _, _, word in spots]


def _remarks(ax: Axes, rows: Sequence[tuple[int, Row]], size: float, square: float, wide: float) -> None:
    """Write why a repo failed where the row has most room: behind it, before it, else on the bar itself."""
    low, high = ax.get_xlim()
    scale = wide / (high - low)
    for y, row in rows:
        if not row.remark or not row.tries or row.moment is None:
            continue
        start, end = min(left for left, _, _ in _tries(row)), max(right for _, right, _ in _tries(row))
        begun, ended, word = row.tries[-1]
        needed, after = width(row.remark, size), square + 5.0
        places = (
            ((high - end) * scale - after, end, after, "left", ink(ax)),
            ((start - low) * scale - 4.0, start, -4.0, "right", ink(ax)),
            (abs(ended - begun) * scale - 8.0, min(begun, ended), 4.0, "left", EVERY_STYLE[word].ink),
        )
        room, x, shift, side, colour = next((place for place in places if place[0] >= needed), max(places))
        text = row.remark if room >= needed else fitting("", row.remark, size, room, 60)
        spot: dict[str, Any] = {
            "xytext": (shift, 0),
            "textcoords": "offset points",
            "ha": side,
            "va": "center_baseline",
        }
        ax.annotate(text, (x, y), fontsize=size, color=colour, annotation_clip=True, zorder=6, **spot, **PLAIN)


# ---------------------------------------------------------------------- too many for that


def _areas(ax: Axes, run: Run, kwargs: Mapping[str, Any]) -> None:
    """Stack up how many repos are in each state, from event to event."""
    n = len(run.rows)
    changes: list[tuple[float, str, int]] = [(run.span[0], "pending", n)]
    for row in run.rows:
        before = "pending"
        for when, word in _states(row):
            changes += [(when, before, -1), (when, word, 1)]
            before = word
    # Up to the edge, so that the state after the last event is seen too.
    at = np.unique(np.array([ax.get_xlim()[1], *(when for when, _, _ in changes)]))
    counts = np.zeros((len(_LAYERS), len(at)), dtype=np.int64)
    for when, word, step in changes:
        counts[_LAYERS.index(word), np.searchsorted(at, when)] += step
    counts = counts.cumsum(axis=1)
    colours = [EVERY_STYLE[word].colour for word in _LAYERS]
    for area in ax.stackplot(at, counts, colors=colours, step="post", edgecolor=outline(ax), linewidth=0.4):
        dress(area, kwargs)
    ax.set_ylim(0, n)
    ax.set_ylabel("repos", fontsize=9)
    for word, own, top in zip(_LAYERS, counts, counts.cumsum(axis=0), strict=True):
        if own.max() > 0.05 * n:
            widest = np.flatnonzero(own[:-1] >= 0.8 * own.max())
            here = int(widest[len(widest) // 2])
            marks(ax, [float(at[here] + at[here + 1]) / 2], [float(top[here] - own[here] / 2)], [word], 10.0)


def _states(row: Row) -> list[tuple[float, str]]:
    states = [(min(start for start, _, _ in row.tries), "in_progress")] if row.tries else []
    if row.moment is not None and row.open_at is None:
        states.append((row.moment, row.word))
    return states
