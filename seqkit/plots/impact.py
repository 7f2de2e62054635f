"""Who blocks whom: a matrix of every failure and all that it reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_rgba
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy

from seqkit._show.palette import STATUS_STYLES
from seqkit.core.closure import packed_ancestors
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.plots._axes import TITLE_SIZE, axes, check_look, faint, nothing, outline, points, settled, themed, title
from seqkit.plots._text import FONT, PLAIN, shown, width

__all__ = ["impact"]

_MOST_SHOWN = 300
_MOST_GROUPS = 40
_PAGE = 9.4  # inches
_LARGEST_CELL = 0.24
_ROW = 0.09  # tall enough for its name
_MOST_RULED = 120  # repos; lines between more would be a grey field
_SIZE = 7.0  # points, of names
_SMALLEST_SIZE = 5.0
_NAME = 24  # characters of a name
_MARGIN = 0.16  # of the matrix's width, for the row sums
_CHUNK = 1_024  # repos whose reach is held at once

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


def impact(
    plan_or_graph: SequencePlan | RepoDependencyGraph,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    **kwargs: Any,
) -> Axes:
    """Draw what each failure blocks: a row for the repo that fails, a column for each that it may block.

    Parameters
    ----------
    plan_or_graph : SequencePlan or RepoDependencyGraph
        Of a plan, unreleased repos neither fail nor are blocked, and are left out; reachability runs
        through them. Of a graph, all repos take part.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, at most a page wide.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    **kwargs
        For the matrix, :meth:`matplotlib.axes.Axes.imshow`.

    Returns
    -------
    matplotlib.axes.Axes
        Rows and columns in the same order: whoever blocks most comes first, repos that block the same
        stand together. Everything comes after what it needs, so that all lies above the diagonal.
        The image holds 2 where a repo fails itself, 1 where it is blocked, 0 where it goes on. Bars
        on the right are the row sums. Above 300 repos rows and columns are waves, and the image
        holds the share of the column's repos that one failure in the row's wave blocks on average.

    Raises
    ------
    TypeError
        Where `plan_or_graph` is neither.
    ValueError
        Where `theme` is none.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> ax = impact(graph)
    >>> ax.get_title(loc="left")
    'One failure blocks 1 of 3 others on average, at most 3 (core)'
    >>> ax.images[0].get_array().tolist()
    [[2, 1, 1, 1], [0, 2, 0, 1], [0, 0, 2, 0], [0, 0, 0, 2]]
    >>> matplotlib.pyplot.close("all")
    """
    check_look(kwargs, Axes.imshow, AxesImage.set)
    taken = _taken(plan_or_graph)
    draw = _matrix if len(taken.ids) <= _MOST_SHOWN else _by_wave
    with themed(theme):
        if not taken.ids:
            return nothing(ax, "Nothing to draw: there are no repos.")
        return draw(taken, ax, figsize, kwargs)


@dataclass(frozen=True)
class _Taken:
    """Who takes part, and the graph by positions."""

    ids: list[str]
    waves: list[int]
    positions: Positions
    dependencies: Sequence[Sequence[int]]

    def reached(self, start: int, stop: int, rows: Positions) -> Bytes:
        """Tell whom some repos block, and themselves: 1 or 0, shape (rows, stop - start)."""
        sources = self.positions[start:stop]
        bits = packed_ancestors(self.dependencies, sources)[self.positions[rows]]
        return np.unpackbits(bits, axis=1, bitorder="little", count=len(sources))


def _taken(plan_or_graph: object) -> _Taken:
    if isinstance(plan_or_graph, SequencePlan):
        plan = plan_or_graph
        waves = [wave for wave in plan.arrays.waves if wave is not None]
        return _Taken(plan.released, waves, np.flatnonzero(plan.arrays.released), plan.arrays.dependencies)
    if isinstance(plan_or_graph, RepoDependencyGraph):
        graph = plan_or_graph
        ids = graph.topological_order()
        position = {repo: index for index, repo in enumerate(ids)}
        level = {repo: number for number, wave in enumerate(graph.waves()) for repo in wave}
        needs = [[position[other] for other in graph.dependencies_of(repo)] for repo in ids]
        return _Taken(ids, [level[repo] for repo in ids], np.arange(len(ids)), needs)
    raise TypeError(
        f"plan_or_graph is a {type(plan_or_graph).__name__}, expected a SequencePlan or RepoDependencyGraph"
    )


# ---------------------------------------------------------------------- repos


def _matrix(taken: _Taken, ax: Axes | None, figsize: tuple[float, float] | None, kwargs: dict[str, Any]) -> Axes:
    n = len(taken.ids)
    reach = taken.reached(0, n, np.arange(n)).T.astype(bool) & ~np.eye(n, dtype=bool)
    order = _grouped(reach)
    reach = reach[np.ix_(order, order)]
    names = [shown(taken.ids[index], _NAME) for index in order]
    beside = max(width(name, _SIZE) for name in names) / 72
    cell = min((_PAGE - beside) / (1 + _MARGIN) / n, _LARGEST_CELL)
    most = shown(taken.ids[order[0]], 40)
    sums = reach.sum(axis=1)
    head = f"One failure blocks {_short(sums.mean())} of {n - 1} others on average, at most {sums[0]} ({most})"
    wide = min(max((1 + _MARGIN) * n * cell, width(head, TITLE_SIZE) / 72) + beside, _PAGE)
    high = n * max(cell, min(_ROW, _PAGE / n))
    ax = axes(ax, *(figsize or (wide + 0.5, high + beside + 1.2)))
    colours: list[Any] = [to_rgba("white", 0.0), STATUS_STYLES["blocked"].colour, STATUS_STYLES["failed"].colour]
    image = reach.astype(np.int64) + 2 * np.eye(n, dtype=np.int64)
    look: dict[str, Any] = {
        "cmap": ListedColormap(colours),
        "interpolation": "nearest",
        "aspect": "auto",
    }
    ax.imshow(image, **(look | _limits(2, kwargs) | kwargs))
    _ticks(ax, names, (1, 1), _SIZE)  # the longest takes its room, whichever are left out
    title(ax, head)
    wide, high = points(ax)
    every = _every(high / n), _every(wide / n / (1 + _MARGIN))
    _margin(ax, sums, [f"{count:,}" for count in sums], every[0])
    size = min(_SIZE, max(_SMALLEST_SIZE, 0.85 * min(high / n, wide / n / (1 + _MARGIN))))
    _ticks(ax, names, every, size)
    if n <= _MOST_RULED:
        ax.set_xticks(np.arange(1, n) - 0.5, minor=True)
        ax.set_yticks(np.arange(1, n) - 0.5, minor=True)
        ax.grid(which="minor", color="#808080", alpha=0.25, linewidth=0.4)
    _legend(ax, image, size, max(width(name, size) for name in names[:: every[1]]))
    return ax


def _grouped(reach: Bools) -> list[int]:
    """Order by how much is blocked, most first, then so that equal and similar rows, then columns, stand together.

    Whoever is needed blocks more than who needs it, so that this order is a topological one.
    """
    blocks, needs = reach.sum(axis=1), reach.sum(axis=0)
    by_size = np.lexsort((needs, -blocks))
    rows, columns = reach[:, by_size], reach[by_size].T
    return sorted(
        by_size.tolist(),
        key=lambda i: (-int(blocks[i]), (~rows[i]).tobytes(), int(needs[i]), (~columns[i]).tobytes()),
    )


def _limits(most: float, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Give the limits of the colours; a norm brings its own, and takes no others."""
    return {} if kwargs.get("norm") is not None else {"vmin": 0, "vmax": most}


def _every(room: float) -> int:
    """Say of how many rows one is named, of so many points each."""
    return max(1, -int(-_SMALLEST_SIZE * 1.1 // room))


def _ticks(ax: Axes, names: Sequence[str], every: tuple[int, int], size: float) -> None:
    ax.set_yticks(range(0, len(names), every[0]), names[:: every[0]], fontsize=size, **PLAIN)
    ax.set_xticks(range(0, len(names), every[1]), names[:: every[1]], fontsize=size, rotation=90, **PLAIN)
    ax.tick_params(which="both", length=0)
    named = [f" (one in {number} named)" if number > 1 else "" for number in every]
    ax.set_ylabel(f"the repo that fails{named[0]}", fontsize=9)
    ax.set_xlabel(f"what it blocks{named[1]}; bars: how many", fontsize=9)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _margin(ax: Axes, sums: Floats | npt.NDArray[np.int64], labels: Sequence[str], every: int) -> None:
    """Draw the row sums as bars right of the matrix."""
    n = len(sums)
    start, unit = n - 0.5 + 0.02 * n, 0.09 * n / max(float(sums.max()), 1e-9)
    ends = [(row, start + float(total) * unit) for row, total in enumerate(sums)]
    corners = [[(start, r - 0.4), (end, r - 0.4), (end, r + 0.4), (start, r + 0.4)] for r, end in ends]
    ax.add_collection(PolyCollection(corners, facecolors=faint(ax), linewidths=0, gid="row sums"), autolim=False)
    for row, end in ends[::every]:
        ax.text(end + 0.008 * n, row, labels[row], fontsize=6, va="center_baseline", **PLAIN)
    ax.set_xlim(-0.5, n - 0.5 + _MARGIN * n)
    ax.set_ylim(n - 0.5, -0.5)


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 99.5 or number == round(number) else f"{number:.1f}"


def _legend(ax: Axes, image: npt.NDArray[np.int64], size: float, below: float) -> None:
    looks = [("blocked", "is blocked")] * bool((image == 1).any()) + [("failed", "fails")]  # in the palette's order
    handles = [Patch(facecolor="none", edgecolor=outline(ax), lw=0.6, label="goes on")] * bool((image == 0).any())
    handles += [
        Patch(
            facecolor=STATUS_STYLES[key].colour,
            edgecolor=outline(ax),
            lw=0.6,
            label=f"{STATUS_STYLES[key].mark} {word}",
        )
        for key, word in looks
    ]
    figure: Any = ax.get_figure()
    under = offset_copy(ax.transAxes, figure, y=-below - 26, units="points")
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0), "bbox_transform": under}
    ax.legend(handles=handles, ncols=3, frameon=False, prop={"family": FONT, "size": 8}, borderaxespad=0, **place)


# ---------------------------------------------------------------------- waves


def _by_wave(taken: _Taken, ax: Axes | None, figsize: tuple[float, float] | None, kwargs: dict[str, Any]) -> Axes:
    n = len(taken.ids)
    waves = np.array(taken.waves)
    each = -(-(int(waves.max()) + 1) // _MOST_GROUPS)
    group = waves // each
    groups = int(group.max()) + 1
    sizes = np.bincount(group, minlength=groups).astype(float)
    blocked, most = np.zeros((groups, groups)), (0, 0)
    by_group = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[by_group], np.arange(groups))
    for start in range(0, n, _CHUNK):
        own = group[start : start + _CHUNK]
        parts = np.split(taken.reached(start, start + _CHUNK, by_group), starts[1:])
        counts = np.array([part.sum(axis=0, dtype=np.int64) for part in parts])  # many times faster than reduceat
        counts[own, np.arange(len(own))] -= 1  # a repo does not block itself
        np.add.at(blocked, own, counts.T)
        totals = counts.sum(axis=0)
        if (worst := int(totals.max())) > most[0]:
            most = worst, start + int(totals.argmax())
    shares = blocked / sizes[:, None] / np.maximum(sizes - np.eye(groups), 1.0)
    darkest = float(shares.max()) or 1.0
    ax = axes(ax, *(figsize or (8.5, min(max(0.24 * groups, 1.5), 8.0) + 1.3)))
    darker = [STATUS_STYLES["pending"].colour, STATUS_STYLES["blocked"].colour, STATUS_STYLES["stopped"].colour]
    look: dict[str, Any] = {
        "cmap": LinearSegmentedColormap.from_list("share", darker),
        "aspect": "auto",
    }
    ax.imshow(shares, **(look | _limits(darkest, kwargs) | kwargs))
    wide, high = settled(ax)
    every = _every(high / groups * 0.8), _every(wide / groups / (1 + _MARGIN) / 3)
    if wide / groups > 1.5 * width("100%", 6):
        for row, column in np.argwhere(shares >= 0.005).tolist():
            ink = "#000000" if shares[row, column] < 0.65 * darkest else "#ffffff"
            share = f"{shares[row, column]:.0%}"
            ax.text(column, row, share, fontsize=6, color=ink, ha="center", va="center_baseline", **PLAIN)
    averages = blocked.sum(axis=1) / sizes
    _margin(ax, averages, [_short(average) for average in averages], every[0])
    names = [f"{g * each}–{min((g + 1) * each - 1, int(waves.max()))}" if each > 1 else str(g) for g in range(groups)]
    ax.set_yticks(range(0, groups, every[0]), names[:: every[0]], fontsize=7)
    ax.set_xticks(range(0, groups, every[1]), names[:: every[1]], fontsize=7)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_ylabel("wave of the repo that fails", fontsize=9)
    ax.set_xlabel(
        f"wave; shade: share of its repos blocked on average, up to {darkest:.0%}; bars: repos blocked", fontsize=9
    )
    limit = f"at most {most[0]:,} ({shown(taken.ids[most[1]], 40)})"
    title(ax, f"One failure blocks {_short(blocked.sum() / n)} of {n - 1:,} others on average, {limit}")
    return ax
