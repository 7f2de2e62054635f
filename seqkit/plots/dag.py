"""Layered drawings of the dependency graph: the order of a release, and what one failure blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import Collection as Artists
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.path import Path

from seqkit._palette import STATUS_STYLES, StatusStyle
from seqkit._rows import rows
from seqkit.errors import RepoNotFound
from seqkit.graph import RepoDependencyGraph
from seqkit.outcome import SequenceOutcome
from seqkit.plan import SequencePlan
from seqkit.plots._axes import OUTLINE, TITLE_SIZE, nothing, outline, status_legend, title
from seqkit.plots._text import PLAIN, fitting, shown, width
from seqkit.whatif import what_if

__all__ = ["blast_radius", "order"]

_MOST_NAMED = 300
_SIZE = 7.5  # points, of the names in a figure of our own
_SMALLEST_SIZE = 4.5  # below it, names are left out
_ROW = 0.25  # inches
_BOX = 0.66  # height of a box, in rows
_DOT = 0.06  # half of the width of a box without a name, in columns
_GAP = 0.42  # inches between columns, for the curves


def order(plan_or_outcome: SequencePlan | SequenceOutcome, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """Draw a plan, or how it ended, from left to right: everything stands right of what it needs.

    Parameters
    ----------
    plan_or_outcome : SequencePlan or SequenceOutcome
        A box is a repo: its mark, its position in the plan (from 0, as in ``to_frame``) and its name.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as large as the graph needs.
    **kwargs
        For the boxes, one :class:`matplotlib.collections.PolyCollection`; above 300 repos, or
        where names find no room, the marks are a scatter, one ``PathCollection``.

    Returns
    -------
    matplotlib.axes.Axes
        Columns are dependency levels. These are the plan's waves, unless it holds unreleased repos:
        they fill a column, but waves do not count them.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph, build_plan, what_if
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> order(plan).get_title(loc="left")
    '3 repos to release in 3 waves'
    >>> order(what_if(plan, fail="api")).get_title(loc="left")
    '1 succeeded, 1 failed, 1 blocked'
    >>> matplotlib.pyplot.close("all")
    """
    if isinstance(plan_or_outcome, SequenceOutcome):
        plan = plan_or_outcome.plan
        styles = [STATUS_STYLES[word] for word in plan_or_outcome._words()]
        title = plan_or_outcome._counts()
    elif isinstance(plan_or_outcome, SequencePlan):
        plan, left_out = plan_or_outcome, set(plan_or_outcome.unreleased)
        styles = [
            STATUS_STYLES["unreleased"] if item.repo_id in left_out else STATUS_STYLES["pending"] for item in plan.items
        ]
        repos, waves = len(plan.released), len(plan.waves())
        title = f"{repos} repo{'s'[: repos != 1]} to release in {waves} wave{'s'[: waves != 1]}"
        title += f", {len(left_out)} unreleased" if left_out else ""
    else:
        raise TypeError(
            f"plan_or_outcome is a {type(plan_or_outcome).__name__}, expected a SequencePlan or SequenceOutcome"
        )
    ids = [item.repo_id for item in plan.items]
    return _draw(_Picture(plan.graph, dict(zip(ids, styles, strict=True)), title), ax, kwargs)


def blast_radius(
    plan_or_graph: SequencePlan | RepoDependencyGraph, repo: str, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """Draw what happens if one repo fails: itself, what it blocks, and what goes on.

    Parameters
    ----------
    plan_or_graph : SequencePlan or RepoDependencyGraph
        Of a plan, unreleased repos neither fail nor are blocked; of a graph, all repos take part.
    repo : str
        The repo that fails.
    ax, **kwargs
        As in :func:`order`.

    Raises
    ------
    RepoNotFound
        Where `repo` is not in the plan or graph.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> from seqkit import RepoDependencyGraph
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> blast_radius(graph, "api").get_title(loc="left")
    'If api fails: 1 blocked, 2 go on'
    >>> matplotlib.pyplot.close("all")
    """
    if isinstance(plan_or_graph, SequencePlan):
        graph = plan_or_graph.graph
        if repo not in graph:
            raise RepoNotFound(repo)
        words = what_if(plan_or_graph, fail=repo)._words()
        ended = {item.repo_id: word for item, word in zip(plan_or_graph.items, words, strict=True)}
    elif isinstance(plan_or_graph, RepoDependencyGraph):
        graph = plan_or_graph
        ended = dict.fromkeys(graph.topological_order(), "succeeded")
        ended.update(dict.fromkeys(graph.transitive_dependents_of(repo), "blocked"))
        ended[repo] = "failed"
    else:
        raise TypeError(
            f"plan_or_graph is a {type(plan_or_graph).__name__}, expected a SequencePlan or RepoDependencyGraph"
        )
    styles = {name: STATUS_STYLES[word] for name, word in ended.items()}
    counts = [sum(word == which for word in ended.values()) for which in ("blocked", "succeeded", "unreleased")]
    title = f"{counts[0]} blocked, {counts[1]} go{'es'[: 2 * (counts[1] == 1)]} on"
    title += f", {counts[2]} unreleased" if counts[2] else ""
    fails = ended[repo] == "failed"
    title = f"If {shown(repo, 40)} fails: {title}" if fails else f"{shown(repo, 40)} is not released: {title}"
    blast = {repo, *graph.transitive_dependents_of(repo)} if fails else set()
    return _draw(_Picture(graph, styles, title, blast), ax, kwargs)


@dataclass(frozen=True)
class _Picture:
    graph: RepoDependencyGraph
    styles: Mapping[str, StatusStyle]  # in the order of execution
    title: str
    emphasised: Collection[str] = ()


# ---------------------------------------------------------------------- drawing


def _draw(picture: _Picture, ax: Axes | None, kwargs: Mapping[str, Any]) -> Axes:
    ids = list(picture.styles)
    if not ids:
        return nothing(ax, "Nothing to draw: there are no repos.")
    spots, routes = rows(ids, picture.graph.edges)
    heights = [y for route in (spots.values(), *routes.values()) for _, y in route]
    columns, top, bottom = 1 + int(max(x for x, _ in spots.values())), min(heights) - 0.7, max(heights) + 0.7
    heads = [f"{picture.styles[repo].mark} {number} " for number, repo in enumerate(ids)]
    ax, room = _room(picture, ax, heads, columns, bottom - top)
    _frame(ax, columns)
    ax.set_ylim(bottom, top)  # rows count downwards
    _edges(ax, picture, routes, room.half)
    centres = [spots[repo] for repo in ids]
    colours = [picture.styles[repo].colour for repo in ids]
    nodes: Artists
    if room.size:
        h, w = _BOX / 2, room.half
        corners = [[(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)] for x, y in centres]
        nodes = PolyCollection(corners, facecolors=colours, edgecolors=OUTLINE, linewidths=0.6, zorder=3)
        ax.add_collection(nodes, autolim=False)
        _names(ax, picture, heads, centres, room)
    else:
        xs, ys = zip(*centres, strict=True)
        area = min(max((0.7 * 72 * room.height / (bottom - top)) ** 2, 2.0), 30.0)
        nodes = ax.scatter(xs, ys, s=area, c=colours, edgecolors=OUTLINE, linewidths=0.3, zorder=3)
        nodes.set_paths([outline(style) for style in picture.styles.values()])  # colour is never alone
    nodes.set(**kwargs)
    _words(ax, picture, room)
    return ax


@dataclass(frozen=True)
class _Room:
    pitch: float  # inches from column to column
    height: float  # of the axes, in inches
    half: float  # width of a box, in columns
    size: float  # of names, in points; 0 where there is no room for them


def _room(picture: _Picture, ax: Axes | None, heads: Sequence[str], columns: int, rows: float) -> tuple[Axes, _Room]:
    """Make the axes, or measure those given."""
    few = len(heads) <= _MOST_NAMED
    if ax is None:
        labels = [head + shown(repo) for head, repo in zip(heads, picture.styles, strict=True)] if few else []
        box = max((width(label, _SIZE) for label in labels), default=0.0) / 72 + 0.12
        pitch = box + _GAP if few else 0.6
        wide = min(
            max(columns * pitch, width(picture.title, TITLE_SIZE) / 72, 1.1 * len(set(picture.styles.values())) + 1.6),
            60.0,
        )
        height = min(max(rows * (_ROW if few else 0.09), 1.0), 60.0)
        ax = plt.subplots(figsize=(wide + 0.3, height + 1.2), layout="constrained")[1]
        pitch = wide / columns
        return ax, _Room(pitch, height, min(box / pitch / 2, 0.42) if few else _DOT, _SIZE if few else 0.0)
    figure, extent = ax.get_figure(), ax.get_window_extent()
    dpi = 72.0 if figure is None else figure.dpi
    pitch, height = extent.width / dpi / columns, extent.height / dpi
    size, half = min(_SIZE, height * 72 / rows * _BOX * 0.75), max(0.3, 0.5 - _GAP / pitch / 2)
    least = max(width(head + "wwwwwww", size) for head in heads) / 72
    if not few or size < _SMALLEST_SIZE or least > 2 * half * pitch:
        return ax, _Room(pitch, height, _DOT, 0.0)
    return ax, _Room(pitch, height, half, size)


def _names(
    ax: Axes, picture: _Picture, heads: Sequence[str], centres: Sequence[tuple[float, float]], room: _Room
) -> None:
    pad = 0.35 * room.size / 72  # inches
    for (repo, style), head, (x, y) in zip(picture.styles.items(), heads, centres, strict=True):
        ax.text(
            x - room.half + pad / room.pitch,
            y,
            fitting(head, repo, room.size, (2 * room.half * room.pitch - 1.5 * pad) * 72),
            fontsize=room.size,
            color=style.ink,
            va="center_baseline",
            zorder=4,
            clip_on=True,
            **PLAIN,
        )


def _frame(ax: Axes, columns: int) -> None:
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_xticks(range(columns))
    ax.set_yticks([])
    ax.tick_params(axis="x", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _edges(
    ax: Axes, picture: _Picture, routes: Mapping[tuple[str, str], Sequence[tuple[float, float]]], half: float
) -> None:
    inside = [a in picture.emphasised and b in picture.emphasised for a, b in routes]
    paths = [_curve(route, half) for route in routes.values()]
    quiet = [path for path, loud in zip(paths, inside, strict=True) if not loud]
    loud = [path for path, loud in zip(paths, inside, strict=True) if loud]
    faint = min(0.5, max(0.2, 60 / (len(paths) + 1)))
    faint = faint * 0.7 if loud else faint
    for which, colour, thick, alpha, zorder in (
        (quiet, "#5f6b7a", 0.7, faint, 1),
        (loud, STATUS_STYLES["failed"].colour, 1.1, 0.75, 2),
    ):
        if which:
            lines = PathCollection(
                which, facecolors="none", edgecolors=colour, linewidths=thick, alpha=alpha, zorder=zorder
            )
            ax.add_collection(lines, autolim=False)


def _curve(route: Sequence[tuple[float, float]], half: float) -> Path:
    """Lead an edge straight through its columns, and in S-curves between them."""
    points: list[tuple[float, float]] = [(route[0][0] + half, route[0][1])]
    codes = [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(route):
        start, end = x0 + half, x1 - half
        middle = (start + end) / 2
        points += [(middle, y0), (middle, y1), (end, y1), (x1 + half, y1)]
        codes += [Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
    return Path(points[:-1], codes[:-1])


def _words(ax: Axes, picture: _Picture, room: _Room) -> None:
    styles = picture.styles.values()
    unreleased = STATUS_STYLES["unreleased"] in styles
    note = "" if room.size else "; no room for names"
    title(ax, picture.title + note)
    ax.set_xlabel("dependency level" if unreleased else "wave", fontsize=9, loc="right")
    words = [_key(style) for style in styles]
    status_legend(ax, Counter(words), bool(room.size))


def _key(style: StatusStyle) -> str:
    return next(word for word, known in STATUS_STYLES.items() if known.colour == style.colour)
