"""What became of every repo in every run of a ledger: a grid, runs from left to right."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.path import Path

from seqkit._show.palette import EVERY_STYLE
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.fitting.attempts import Source, Tries, read_tries, strings
from seqkit.ledger import RunLedger
from seqkit.ledger.attempts import IN_DOUBT
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.frames import items_frame
from seqkit.ledger.reading import lent
from seqkit.ledger.story import tag_of, tells_times
from seqkit.plots._axes import alarm, axes, dress, nothing, settled, status_legend, themed, title
from seqkit.plots._marks import marks
from seqkit.plots._text import PLAIN, shown, width

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
_CORNER = ((-0.5, -0.5), (0.08, -0.5), (-0.5, 0.08))  # of a cell, y upwards: where attempts failed before another
_FAILED = EVERY_STYLE["failed"].colour
_WORDS = list(EVERY_STYLE)


def history(
    ledger_or_frame: Source,
    ax: Axes | None = None,
    graph: RepoDependencyGraph | SequencePlan | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw a grid of runs and repos, each cell by what became of the repo in that run.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened. A frame is one that :func:`seqkit.fit_failure_rates` reads, and has `run_id`:

        - items, as :func:`seqkit.items_frame` gives them: `repo_id`, `status`, `attempts`, `skip_cause` where
          something was skipped, and `in_doubt` where nobody knows of a failure whether it is out;
        - attempts, a row each: `repo_id`, `status` and `attempt`, as :func:`seqkit.attempts_frame` gives them, a run
          being called by its `train` where it has one; or `repo_id` and `succeeded` (boolean; missing where the repo
          was not tried). Released is what one attempt released;
        - trains: `train`, `repo_id`, `status`.

        Its runs are in the order of their first rows; with `started_at` they are called by that day too.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as large as the grid needs.
    graph : RepoDependencyGraph or SequencePlan, optional
        Who needs whom. It puts the rows in its order, and tells why something has no outcome in a frame that does
        not: blocked, where something that it needs failed in the same run; else stopped where it was skipped, and
        pending (not reached) where all that is known is that it was not tried. Without it, what a ledger or a frame of
        attempts skipped for a reason that nobody told has a look of its own, and the title says how many there are.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the cells, one :class:`matplotlib.collections.QuadMesh`.

    Returns
    -------
    matplotlib.axes.Axes
        Columns are runs, the oldest on the left, called by their ``train`` tag (else their run id) and the day of
        their start. Rows are repos: the newest run's in plan order, then those of older runs. A cell has the
        colour of the status or skip cause, and its mark where there is room; it is empty where the repo was not
        in that run. A corner in the colour of failures tells of attempts that failed before one released the repo.
        On the right stand failures and attempts, retries included, as
        :func:`seqkit.fit_failure_rates` counts them, in the runs that are shown: what came out too late for its run
        failed there, and is no failed attempt.

        Of more than 100 runs the last 100 are drawn, of more than 300 repos those that failed most, these first;
        the title says so.

    Raises
    ------
    ValueError, TypeError
        Where a frame lacks columns, has other values in them, tells of a repo in a run twice (attempts may), or says
        that something was skipped and neither `skip_cause` nor `graph` tells why; where `theme` is none.

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
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['⊘ blocked 1', '✓ succeeded 2', '✗ failed 1']

    Trains of any kind will do, here the 63 of KDE Frameworks; ``history(trains)`` draws them:

    >>> from seqkit import load_dataset
    >>> kf5 = load_dataset("kf5").trains.sort_values("started_at")
    >>> history(kf5.assign(run_id=kf5["train"] + " " + kf5["distribution"])).get_title(loc="left")
    '63 runs of 75 repos: 49 of 4,507 attempts failed'
    >>> matplotlib.pyplot.close("all")
    """
    if graph is not None and not isinstance(graph, RepoDependencyGraph | SequencePlan):
        raise TypeError(f"graph is {as_given(graph)}, expected a RepoDependencyGraph or a SequencePlan")
    with themed(theme):
        grid = _grid(ledger_or_frame, graph)
        if not grid.repos:
            runs = len(grid.labels)
            return nothing(ax, f"Nothing to draw: {plural(runs, 'run')} and no repos.")
        return _draw(grid, ax, figsize, kwargs)


def _draw(grid: _Grid, ax: Axes | None, figsize: tuple[float, float] | None, kwargs: Mapping[str, Any]) -> Axes:
    rows, columns = grid.cells.shape
    below = max(width(label, _SIZE) for label in grid.labels)
    given = ax is not None or figsize is not None
    if ax is None:
        across, down = (max(_SIDES[0], min(_SIDES[1], _LARGE / number)) for number in (columns, rows))
        across = max(across, _LEAST_WIDTH / columns)
        names = max(width(shown(repo, 28), _SIZE) for repo in grid.repos) / 72
        ax = axes(None, *(figsize or (columns * across + names + 1.1, rows * down + below / 72 + 1.3)))
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
    again: npt.NDArray[np.bool_]  # of the cells: whether attempts failed before one released it
    failures: list[int]  # of repos
    attempts: list[int]
    notes: list[str]


def _grid(source: Source, graph: RepoDependencyGraph | SequencePlan | None) -> _Grid:
    labels: dict[str, str] = {}
    notes: list[str] = []
    recorded = not isinstance(source, pd.DataFrame)
    if not isinstance(source, pd.DataFrame):
        source, labels = _items(source, notes)
    tries = read_tries(source, "run_id")
    ids = strings(source, "run_id")
    names = _trains(tries, ids)
    for run_id, began in _starts(source, ids).items():
        labels.setdefault(run_id, _label(names.get(run_id, run_id), began))
    order = list(labels)
    if len(order) > _MOST_RUNS:
        notes.append(f"the last {_MOST_RUNS} of {len(order):,} runs")
        order = order[-_MOST_RUNS:]
    told: dict[str, dict[str, int]] = {run_id: {} for run_id in reversed(order)}  # the newest first: its repos lead
    failures, attempts = Counter[str](), Counter[str]()
    words, untold = _words(source, tries, ids, graph, recorded)
    if unknown := sum(untold[run_id] for run_id in order):
        notes.append(f"{unknown:,} skipped for a reason that nobody told")
    last: dict[tuple[str, str], int] = {}
    failed_there = Counter[tuple[str, str]]()
    columns = (ids, tries.repos, words, tries.failures, tries.attempts, _numbers(tries))
    for run_id, repo, word, failed, tried, number in zip(*columns, strict=True):
        if run_id not in told or not word:
            continue
        if repo in told[run_id] and tries.form in ("items", "trains"):
            raise ValueError(f"ledger_or_frame tells of {repo!r:.80} in run {run_id!r:.80} twice, expected once")
        # Of several attempts the one that released it counts, else the last.
        if _WORDS[told[run_id].get(repo, -1)] != "succeeded" and number >= last.get((run_id, repo), 0):
            told[run_id][repo], last[run_id, repo] = _WORDS.index(word), number
        failures[repo] += int(failed)
        failed_there[run_id, repo] += int(failed)
        attempts[repo] += int(tried)
    repos = _rows(told.values(), graph)
    if len(repos) > _MOST_ROWS:
        notes.append(f"the {_MOST_ROWS} of {len(repos):,} repos that failed most, these first")
        repos = sorted(repos, key=lambda repo: -failures[repo])[:_MOST_ROWS]
    cells = np.array([[told[run_id].get(repo, -1) for run_id in order] for repo in repos], dtype=np.int64)
    failed = np.array([[failed_there[run_id, repo] for run_id in order] for repo in repos], dtype=np.int64)
    return _Grid(
        labels=[labels[run_id] for run_id in order],
        repos=repos,
        cells=cells,
        again=(cells == _WORDS.index("succeeded")) & (failed > 0),
        failures=[failures[repo] for repo in repos],
        attempts=[attempts[repo] for repo in repos],
        notes=notes,
    )


def _items(source: Any, notes: list[str]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a ledger: its items, and what its runs are called."""
    labels: dict[str, str] = {}
    if not isinstance(source, RunLedger | str | os.PathLike):
        raise TypeError(f"ledger_or_frame is {as_given(source)}, expected a ledger, its path or URL, or a DataFrame")
    with lent(source, existing=True) as found:
        kept = without_repeats(found)
        if kept is not found:
            notes.append("what stands there again counted once")
        for run in kept.list_runs():
            train = tag_of(run, "train")
            began = run.created_at if tells_times(run) else None
            labels[run.run_id] = _label(train if isinstance(train, str) else run.run_id, began)
        if isinstance(kept, FoundLedger) and any(event.run_id not in labels for event in kept.events):
            notes.append("events of runs without a record left out")
        return items_frame(kept), labels


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


def _trains(tries: Tries, ids: npt.NDArray[np.object_]) -> dict[str, str]:
    """Give the trains of the runs of a frame of attempts, where it tells any."""
    if tries.form != "attempts" or "train" not in tries.frame:
        return {}
    named = zip(ids, tries.frame["train"].astype(object), strict=True)
    return {run_id: train for run_id, train in named if isinstance(train, str)}


def _numbers(tries: Tries) -> list[int]:
    """Give which attempt each row is, where that alone tells their order, else 0."""
    if tries.form != "attempts":
        return [0] * len(tries.repos)
    return [0 if pd.isna(number) else int(number) for number in tries.frame["attempt"]]


def _label(name: str, began: date | None) -> str:
    return shown(name) + ("" if began is None else f" · {began:%Y-%m-%d}")


def _words(
    items: pd.DataFrame,
    tries: Tries,
    ids: Iterable[str],
    graph: RepoDependencyGraph | SequencePlan | None,
    recorded: bool,
) -> tuple[list[str], Counter[str]]:
    """Name what became of each row, a skipped one by its cause; empty where the repo was not in that run.

    Of a ledger and of attempts a skip may have no cause that anybody told: it is then just skipped. Gives how many
    there are by run.
    """
    runs = list(ids)
    if tries.form != "succeeded":
        statuses = items["status"].astype(object).tolist()
        causes = items["skip_cause"].astype(object).tolist() if "skip_cause" in items.columns else [None] * len(runs)
        silent = "stopped"
    else:
        outcomes = zip(tries.attempts, tries.failures, strict=True)
        statuses = ["skipped" if not tried else "failed" if failed else "succeeded" for tried, failed in outcomes]
        causes, silent = [None] * len(runs), "pending"
    blocked = _below_failures(runs, tries.repos, statuses, graph)
    if tries.form == "attempts":
        details = items["detail"].astype(object) if "detail" in items.columns else [None] * len(runs)
        unsure = [isinstance(detail, str) and detail == IN_DOUBT for detail in details]
    else:
        doubts = items["in_doubt"].astype(object) if "in_doubt" in items.columns else [False] * len(runs)
        unsure = [isinstance(doubt, bool | np.bool_) and bool(doubt) for doubt in doubts]  # it may be missing
    lenient = graph is None and (recorded or tries.form == "attempts")
    words, untold = list[str](), Counter[str]()
    for run, repo, status, cause, doubt in zip(runs, tries.repos, statuses, causes, unsure, strict=True):
        word = "in_doubt" if doubt and status == "failed" else status
        if status == "missing" or (pd.api.types.is_scalar(status) and pd.isna(status)):
            word = ""
        elif status == "skipped":
            word = cause
            if pd.api.types.is_scalar(cause) and pd.isna(cause):
                word = "blocked" if repo in blocked.get(run, ()) else silent if graph or silent == "pending" else cause
                if lenient:
                    word = "skipped"
                    untold[run] += 1
        if word != "" and (not isinstance(word, str) or word not in EVERY_STYLE):
            raise ValueError(
                f"ledger_or_frame has a row with status {status!r:.40} and skip_cause {cause!r:.40}, expected a status "
                "and, where it is 'skipped', a skip_cause: blocked, unreleased or stopped; or pass graph=, the "
                "dependency graph, which tells who was blocked"
            )
        words.append(word)
    return words, untold


def _below_failures(
    runs: Sequence[str],
    repos: Iterable[str],
    statuses: Sequence[object],
    graph: RepoDependencyGraph | SequencePlan | None,
) -> dict[str, set[str]]:
    """Give for each run the repos that need one that failed there, as far as a graph tells."""
    below: dict[str, set[str]] = {}
    if graph is None:
        return below
    known = graph.graph if isinstance(graph, SequencePlan) else graph
    reach: dict[str, list[str]] = {}
    for run, repo, status in zip(runs, repos, statuses, strict=True):
        if status == "failed" and repo in known:
            if repo not in reach:
                reach[repo] = known.transitive_dependents_of(repo)
            below.setdefault(run, set()).update(reach[repo])
    return below


def _rows(runs: Iterable[Mapping[str, int]], graph: RepoDependencyGraph | SequencePlan | None) -> list[str]:
    """List the repos as they come, or in the order of a graph, and then those that it does not have."""
    repos = list(dict.fromkeys(repo for own in runs for repo in own))
    if graph is None:
        return repos
    order = [item.repo_id for item in graph.items] if isinstance(graph, SequencePlan) else graph.topological_order()
    place = {repo: position for position, repo in enumerate(order)}
    return sorted(repos, key=lambda repo: place.get(repo, len(place)))


# ---------------------------------------------------------------------- drawing


def _say(ax: Axes, grid: _Grid, notes: Sequence[str], below: float) -> None:
    rows, columns = grid.cells.shape
    shape = f"{plural(columns, 'run')} of {plural(rows, 'repo')}"
    head = f"{shape}: {sum(grid.failures):,} of {sum(grid.attempts):,} attempts failed"
    title(ax, "\n".join([head, "; ".join(notes)]))
    handles = []
    if again := int(grid.again.sum()):
        look: dict[str, Any] = {"markerfacecolor": _FAILED, "markeredgecolor": "white", "markersize": 9.0}
        label = f"failed before it succeeded {again:,}"
        handles.append(Line2D([], [], linestyle="none", marker=Path([*_CORNER, _CORNER[0]]), label=label, **look))
    counts = Counter(_WORDS[code] for code in grid.cells.ravel() if code >= 0)
    status_legend(ax, counts, below=below + 14.0, others=handles)


def _cells(ax: Axes, grid: _Grid, room: float, kwargs: Mapping[str, Any]) -> None:
    colours = ListedColormap([style.colour for style in EVERY_STYLE.values()])
    rows, columns = grid.cells.shape
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    there = grid.cells >= 0
    mesh = ax.pcolormesh(*edges, np.ma.array(grid.cells, mask=~there), cmap=colours, vmin=-0.5, vmax=len(_WORDS) - 0.5)
    mesh.set(edgecolor="white", linewidth=min(1.0, room / 12))
    dress(mesh, kwargs)
    corners = [[(x + dx, y - dy) for dx, dy in _CORNER] for y, x in np.argwhere(grid.again).tolist()]
    if corners:
        look: dict[str, Any] = {"facecolors": _FAILED, "edgecolors": "white", "linewidths": min(0.7, room / 16)}
        ax.add_collection(PolyCollection(corners, zorder=4, gid="again", **look), autolim=False)
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
        label.set_color(alarm(ax) if grid.failures[row] else _QUIET)
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
