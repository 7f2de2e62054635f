"""What became of every repo in every run of a ledger: a grid, runs from left to right."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from seqkit._palette import STATUS_STYLES
from seqkit.frames import items_frame
from seqkit.history.past import tag_of
from seqkit.ledger import RunLedger, as_ledger
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.found import FoundLedger
from seqkit.plots._axes import axes, nothing, settled, status_legend, title
from seqkit.plots._marks import marks
from seqkit.plots._text import PLAIN, shown, width
from seqkit.tries import Source, read_tries, strings

__all__ = ["history"]

_MOST_RUNS = 100
_MOST_ROWS = 300
_SIDES = (0.12, 0.2)  # inches: the smallest and the largest cells in a figure of our own
_LARGE = 14.0  # inches: beyond it, cells get smaller
_LEAST_WIDTH = 3.5  # inches, for title and legend
_SIZE = 7.5  # points, of names
_SMALLEST_SIZE = 5.0
_LEAST_MARK = 6.0  # points: in smaller cells a mark cannot be read
_QUIET = "#767676"  # of what never failed
_FAILED = STATUS_STYLES["failed"].colour
_WORDS = list(STATUS_STYLES)


def history(ledger_or_frame: Source, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw a grid of runs and repos, each cell by what became of the repo in that run.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened. A frame has columns as :func:`seqkit.items_frame` gives them: `run_id`, `repo_id`, `status`,
        `skip_cause`, `attempts`, and if it likes `started_at`; its runs are in the order of their first rows.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as large as the grid needs.
    **kwargs
        For the cells, one :class:`matplotlib.collections.QuadMesh`.

    Returns
    -------
    matplotlib.axes.Axes
        Columns are runs, the oldest on the left, called by their ``train`` tag (else their run id) and the day of
        their start. Rows are repos: the newest run's in plan order, then those of older runs. A cell has the
        colour of the status or skip cause, and its mark where there is room; it is empty where the repo was not
        in that run. On the right stand failures and attempts, retries included, as
        :func:`seqkit.fit_failure_rates` counts them, in the runs that are shown.

        Of more than 100 runs the last 100 are drawn, of more than 300 repos those that failed most, these first;
        the title says so.

    Raises
    ------
    ValueError, TypeError
        Where a frame lacks columns, has other values in them, or tells of a repo in a run twice.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger()
    >>> for train, failing in {"january": [], "february": ["core"]}.items():
    ...     outcome = run_plan(plan, ScriptedReleaser(failing), ledger, tags={"train": train})
    >>> ax = history(ledger)
    >>> ax.get_title(loc="left")
    '2 runs of 2 repos: 1 of 3 attempts failed'
    >>> [text.get_text() for text in ax.get_legend().get_texts() if not text.get_text().endswith(" 0")]
    ['⊘ blocked 1', '✓ succeeded 2', '✗ failed 1']

    Trains of any kind will do, here the 63 of KDE Frameworks; ``history(trains)`` draws them:

    >>> from seqkit import load_dataset
    >>> kf5 = load_dataset("kf5").trains.query("status != 'missing'").sort_values("started_at")
    >>> trains = kf5.assign(run_id=kf5["train"] + " " + kf5["distribution"], skip_cause=None, attempts=1)
    >>> history(trains).get_title(loc="left")
    '63 runs of 75 repos: 49 of 4,507 attempts failed'
    >>> matplotlib.pyplot.close("all")
    """
    grid = _grid(ledger_or_frame)
    if not grid.repos:
        runs = len(grid.labels)
        return nothing(ax, f"Nothing to draw: {runs} run{'s'[: runs != 1]} and no repos.")
    rows, columns = grid.cells.shape
    below = max(width(label, _SIZE) for label in grid.labels)
    given = ax is not None
    if ax is None:
        across, down = (max(_SIDES[0], min(_SIDES[1], _LARGE / number)) for number in (columns, rows))
        across = max(across, _LEAST_WIDTH / columns)
        names = max(width(shown(repo, 28), _SIZE) for repo in grid.repos) / 72
        ax = axes(None, columns * across + names + 1.1, rows * down + below / 72 + 1.3)
        across, down = 72 * across, 72 * down
    margin = ax.secondary_yaxis("right")
    if given:
        _named(ax, margin, grid, _SIZE, _SIZE)  # the words around take their room before the cells are measured
        _say(ax, grid, grid.notes, below)
        wide, high = settled(ax)
        across, down = wide / columns, high / rows
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    _say(ax, grid, [*grid.notes, *_named(ax, margin, grid, across, down)], below)
    _cells(ax, grid, min(across, down), kwargs)
    return ax


# ---------------------------------------------------------------------- the grid


@dataclass(frozen=True)
class _Grid:
    labels: list[str]  # of runs
    repos: list[str]
    cells: npt.NDArray[np.int64]  # repos × runs: places in _WORDS, -1 where there is none
    failures: list[int]  # of repos
    attempts: list[int]
    notes: list[str]


def _grid(source: Source) -> _Grid:
    labels: dict[str, str] = {}
    notes: list[str] = []
    if not isinstance(source, pd.DataFrame):
        if not isinstance(source, RunLedger | str | os.PathLike):
            raise TypeError(f"ledger_or_frame is {source!r:.80}, expected a ledger, its path or URL, or a DataFrame")
        found = as_ledger(source, existing=True)
        kept = without_repeats(found)
        if kept is not found:
            notes.append("what stands there again counted once")
        for run in kept.list_runs():
            train = tag_of(run, "train")
            labels[run.run_id] = _label(train if isinstance(train, str) else run.run_id, run.created_at)
        if isinstance(kept, FoundLedger) and any(event.run_id not in labels for event in kept.events):
            notes.append("events of runs without a record left out")
        source = items_frame(kept)
    tries = read_tries(source, "run_id", "status", "skip_cause", "attempts")
    ids = strings(source, "run_id")
    for run_id, began in _starts(source, ids).items():
        labels.setdefault(run_id, _label(run_id, began))
    order = list(labels)
    if len(order) > _MOST_RUNS:
        notes.append(f"the last {_MOST_RUNS} of {len(order):,} runs")
        order = order[-_MOST_RUNS:]
    told: dict[str, dict[str, int]] = {run_id: {} for run_id in reversed(order)}  # the newest first: its repos lead
    failures, attempts = Counter[str](), Counter[str]()
    columns = (ids, tries.repos, _words(source), tries.failures, tries.attempts)
    for run_id, repo, word, failed, tried in zip(*columns, strict=True):
        if run_id not in told:
            continue
        if repo in told[run_id]:
            raise ValueError(f"ledger_or_frame tells of {repo!r:.80} in run {run_id!r:.80} twice, expected once")
        told[run_id][repo] = _WORDS.index(word)
        failures[repo] += int(failed)
        attempts[repo] += int(tried)
    repos = list(dict.fromkeys(repo for own in told.values() for repo in own))
    if len(repos) > _MOST_ROWS:
        notes.append(f"the {_MOST_ROWS} of {len(repos):,} repos that failed most, these first")
        repos = sorted(repos, key=lambda repo: -failures[repo])[:_MOST_ROWS]
    return _Grid(
        labels=[labels[run_id] for run_id in order],
        repos=repos,
        cells=np.array([[told[run_id].get(repo, -1) for run_id in order] for repo in repos], dtype=np.int64),
        failures=[failures[repo] for repo in repos],
        attempts=[attempts[repo] for repo in repos],
        notes=notes,
    )


def _starts(items: pd.DataFrame, ids: npt.NDArray[np.object_]) -> dict[str, Any]:
    """Give the first moment of each run of a frame, None where it has none, in the order of the rows."""
    starts: dict[str, Any] = dict.fromkeys(ids)
    if "started_at" in items.columns:
        for run_id, moment in zip(ids, items["started_at"], strict=True):
            if pd.isna(moment):
                continue
            if not isinstance(moment, date):
                raise TypeError(
                    f"the column started_at of ledger_or_frame has {moment!r:.80}, expected dates or times: "
                    "pandas.to_datetime makes them"
                )
            if starts[run_id] is None or moment < starts[run_id]:
                starts[run_id] = moment
    return starts


def _label(name: str, began: date | None) -> str:
    return shown(name) + ("" if began is None else f" · {began:%Y-%m-%d}")


def _words(items: pd.DataFrame) -> list[str]:
    """Name what became of each row; a skipped one by its cause."""
    words = []
    for status, cause in zip(items["status"].astype(object), items["skip_cause"].astype(object), strict=True):
        word = cause if status == "skipped" else status
        if not isinstance(word, str) or word not in STATUS_STYLES:
            raise ValueError(
                f"ledger_or_frame has a row with status {status!r:.40} and skip_cause {cause!r:.40}, expected a status "
                "with, where it is 'skipped', the cause blocked, unreleased or stopped"
            )
        words.append(word)
    return words


# ---------------------------------------------------------------------- drawing


def _say(ax: Axes, grid: _Grid, notes: Sequence[str], below: float) -> None:
    rows, columns = grid.cells.shape
    shape = f"{columns:,} run{'s'[: columns != 1]} of {rows:,} repo{'s'[: rows != 1]}"
    head = f"{shape}: {sum(grid.failures):,} of {sum(grid.attempts):,} attempts failed"
    title(ax, "\n".join([head, "; ".join(notes)]))
    status_legend(ax, Counter(_WORDS[code] for code in grid.cells.ravel() if code >= 0), below=below + 14.0)


def _cells(ax: Axes, grid: _Grid, room: float, kwargs: Mapping[str, Any]) -> None:
    colours = ListedColormap([style.colour for style in STATUS_STYLES.values()])
    rows, columns = grid.cells.shape
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    there = grid.cells >= 0
    mesh = ax.pcolormesh(*edges, np.ma.array(grid.cells, mask=~there), cmap=colours, vmin=-0.5, vmax=len(_WORDS) - 0.5)
    mesh.set(edgecolor="white", linewidth=min(1.0, room / 12))
    mesh.set(**kwargs)
    if room >= _LEAST_MARK:
        ys, xs = np.nonzero(there)
        marks(ax, xs.tolist(), ys.tolist(), [_WORDS[code] for code in grid.cells[there]], min(0.6 * room, 8.0))


def _named(ax: Axes, margin: Any, grid: _Grid, across: float, down: float) -> list[str]:
    """Name as many rows and columns as there is room for; give notes on those left out."""
    size, every = _fitted(down)
    rows = range(0, len(grid.repos), every)
    ax.set_yticks(rows, labels=[shown(grid.repos[row], 28) for row in rows], fontsize=size, **PLAIN)
    counts = [f"{grid.failures[row]:,} / {grid.attempts[row]:,}" for row in rows]
    margin.set_yticks(rows, labels=counts, fontsize=size, **PLAIN)
    for label, row in zip(margin.get_yticklabels(), rows, strict=True):
        label.set_color(_FAILED if grid.failures[row] else _QUIET)
    margin.set_ylabel("failures / attempts", fontsize=8, loc="top")
    notes = [f"1 repo in {every} is named"] if every > 1 else []
    size, every = _fitted(across)
    columns = range(0, len(grid.labels), every)
    ax.set_xticks(columns, labels=[grid.labels[n] for n in columns], fontsize=size, rotation=90, **PLAIN)
    for axis in (ax, margin):
        axis.tick_params(length=0)
        for spine in axis.spines.values():
            spine.set_visible(False)
    return notes + ([f"1 run in {every} is named"] if every > 1 else [])


def _fitted(room: float) -> tuple[float, int]:
    """Give the size of names that have so many points each, and one in how many fits."""
    size = max(_SMALLEST_SIZE, min(_SIZE, room * 0.8))
    return size, math.ceil(size * 1.15 / room)
