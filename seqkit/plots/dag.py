"""Layered drawings of the dependency graph: the order of a release, and what one failure blocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection as Artists
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.textpath import TextToPath
from matplotlib.transforms import offset_copy

from seqkit._html import shortened
from seqkit._palette import STATUS_STYLES, StatusStyle
from seqkit.errors import RepoNotFound
from seqkit.graph import RepoDependencyGraph
from seqkit.layout import layered
from seqkit.outcome import SequenceOutcome
from seqkit.plan import SequencePlan
from seqkit.whatif import what_if

__all__ = ["blast_radius", "order"]

_FONT = "DejaVu Sans"  # comes with matplotlib, and has all marks
_SHAPES = {"○": "o", "–": "d", "⊘": "s", "✓": "^", "▶": ">", "✗": "X", "■": "p"}  # for marks too small for text
_PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False, "family": _FONT}  # ids may hold "$x$"
_MOST_NAMED = 300
_LONGEST_NAME = 20
_SIZE = 7.5  # points, of the names in a figure of our own
_SMALLEST_SIZE = 4.5  # below it, names are left out
_ROW = 0.25  # inches
_BOX = 0.66  # height of a box, in rows
_LINE_GAP = 0.13  # between two edges that pass through a column, in rows
_DOT = 0.06  # half of the width of a box without a name, in columns
_TITLE_SIZE = 11.0
_OUTLINE = "#4d4d4d"
_GAP = 0.42  # inches between columns, for the curves
_TO_RELEASE = replace(STATUS_STYLES["pending"], word="to release")
_GOES_ON = replace(STATUS_STYLES["succeeded"], word="goes on")


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
        styles = [STATUS_STYLES["unreleased"] if item.repo_id in left_out else _TO_RELEASE for item in plan.items]
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
    styles = {name: _GOES_ON if word == "succeeded" else STATUS_STYLES[word] for name, word in ended.items()}
    counts = [sum(word == which for word in ended.values()) for which in ("blocked", "succeeded", "unreleased")]
    title = f"{counts[0]} blocked, {counts[1]} go{'es'[: 2 * (counts[1] == 1)]} on"
    title += f", {counts[2]} unreleased" if counts[2] else ""
    fails = ended[repo] == "failed"
    title = f"If {_shown(repo, 40)} fails: {title}" if fails else f"{_shown(repo, 40)} is not released: {title}"
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
        ax = plt.subplots(figsize=(5, 1.5))[1] if ax is None else ax
        ax.set_axis_off()
        ax.text(0.5, 0.5, "Nothing to draw: there are no repos.", transform=ax.transAxes, ha="center", va="center")
        return ax
    spots, routes = _rows(ids, picture.graph.edges)
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
        nodes = PolyCollection(corners, facecolors=colours, edgecolors=_OUTLINE, linewidths=0.6, zorder=3)
        ax.add_collection(nodes, autolim=False)
        _names(ax, picture, heads, centres, room)
    else:
        xs, ys = zip(*centres, strict=True)
        area = min(max((0.7 * 72 * room.height / (bottom - top)) ** 2, 2.0), 30.0)
        nodes = ax.scatter(xs, ys, s=area, c=colours, edgecolors=_OUTLINE, linewidths=0.3, zorder=3)
        nodes.set_paths([_outline(style) for style in picture.styles.values()])  # colour is never alone
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
        labels = [head + _shown(repo) for head, repo in zip(heads, picture.styles, strict=True)] if few else []
        box = max((_width(label, _SIZE) for label in labels), default=0.0) / 72 + 0.12
        pitch = box + _GAP if few else 0.6
        width = min(
            max(
                columns * pitch, _width(picture.title, _TITLE_SIZE) / 72, 1.1 * len(set(picture.styles.values())) + 1.6
            ),
            60.0,
        )
        height = min(max(rows * (_ROW if few else 0.09), 1.0), 60.0)
        ax = plt.subplots(figsize=(width + 0.3, height + 1.2), layout="constrained")[1]
        pitch = width / columns
        return ax, _Room(pitch, height, min(box / pitch / 2, 0.42) if few else _DOT, _SIZE if few else 0.0)
    figure, extent = ax.get_figure(), ax.get_window_extent()
    dpi = 72.0 if figure is None else figure.dpi
    pitch, height = extent.width / dpi / columns, extent.height / dpi
    size, half = min(_SIZE, height * 72 / rows * _BOX * 0.75), max(0.3, 0.5 - _GAP / pitch / 2)
    least = max(_width(head + "wwwwwww", size) for head in heads) / 72
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
            _fitting(head, repo, room.size, (2 * room.half * room.pitch - 1.5 * pad) * 72),
            fontsize=room.size,
            color=style.ink,
            va="center_baseline",
            zorder=4,
            clip_on=True,
            **_PLAIN,
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
    for which, colour, width, alpha, zorder in (
        (quiet, "#5f6b7a", 0.7, faint, 1),
        (loud, STATUS_STYLES["failed"].colour, 1.1, 0.75, 2),
    ):
        if which:
            lines = PathCollection(
                which, facecolors="none", edgecolors=colour, linewidths=width, alpha=alpha, zorder=zorder
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
    present = [style for word in STATUS_STYLES for style in dict.fromkeys(styles) if _key(style) == word]
    unreleased = STATUS_STYLES["unreleased"] in present
    note = "" if room.size else "; no room for names"
    ax.set_title(picture.title + note, loc="left", fontsize=_TITLE_SIZE, **_PLAIN)
    ax.set_xlabel("dependency level" if unreleased else "wave", fontsize=9, loc="right")
    figure: Any = ax.get_figure()  # a subfigure will do, though offset_copy's types know only figures
    below = offset_copy(ax.transAxes, figure, y=-20, units="points")
    handles = [_handle(style, bool(room.size)) for style in present]
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=below,
        borderaxespad=0.0,
        ncols=len(handles),
        frameon=False,
        prop=FontProperties(family=_FONT, size=9),
    )


def _handle(style: StatusStyle, named: bool) -> Artist:
    label = f"{style.mark} {style.word}"
    if named:
        return Patch(facecolor=style.colour, edgecolor=_OUTLINE, linewidth=0.6, label=label)
    look: dict[str, Any] = {"color": style.colour, "markeredgecolor": _OUTLINE, "markeredgewidth": 0.3}
    return Line2D([], [], marker=_SHAPES[style.mark], linestyle="none", label=style.word, **look)


def _outline(style: StatusStyle) -> Path:
    marker = MarkerStyle(_SHAPES[style.mark])
    return marker.get_path().transformed(marker.get_transform())


def _key(style: StatusStyle) -> str:
    return next(word for word, known in STATUS_STYLES.items() if known.colour == style.colour)


# ---------------------------------------------------------------------- rows


def _rows(
    ids: Sequence[str], edges: Sequence[tuple[str, str]]
) -> tuple[dict[str, tuple[float, float]], dict[tuple[str, str], list[tuple[float, float]]]]:
    """Lay the graph out with a row for each repo, and edges that pass by close together.

    The layout gives every bend of an edge a row of its own. Their order stays; each column is set
    anew, as near as its boxes allow to the layout's shape squeezed to the height of the fullest column.
    """
    drawing = layered(ids, edges)
    real = set(drawing.positions.values())
    by_column: dict[float, list[tuple[float, float]]] = {}
    for spot in sorted(real.union(*drawing.routes.values())):
        by_column.setdefault(spot[0], []).append(spot)
    steps = {x: [_step(a in real, b in real) for a, b in pairwise(spots)] for x, spots in by_column.items()}
    tallest = max(sum(column) for column in steps.values())
    lowest = max(spots[-1][1] for spots in by_column.values())
    squeeze = min(1.0, tallest / max(1.0, lowest))
    moved: dict[tuple[float, float], tuple[float, float]] = {}
    for x, spots in by_column.items():
        for spot, y in zip(spots, _spread([y * squeeze for _, y in spots], steps[x]), strict=True):
            moved[spot] = (x, y)
    return (
        {repo: moved[drawing.positions[repo]] for repo in ids},
        {edge: [moved[spot] for spot in route] for edge, route in drawing.routes.items()},
    )


def _step(upper: bool, lower: bool) -> float:
    return 1.0 if upper and lower else 0.55 if upper or lower else _LINE_GAP


def _spread(targets: Sequence[float], steps: Sequence[float]) -> list[float]:
    """Move ascending heights as little as possible (least squares) so that they keep these distances."""
    offsets = [0.0]
    for step in steps:
        offsets.append(offsets[-1] + step)
    pools: list[tuple[float, int]] = []  # mean of target less offset, and how many share it
    for target, offset in zip(targets, offsets, strict=True):
        mean, count = target - offset, 1
        while pools and pools[-1][0] >= mean:
            other, more = pools.pop()
            mean, count = (other * more + mean * count) / (more + count), more + count
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


# ---------------------------------------------------------------------- text


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(_FONT)).get_charmap())


def _shown(text: str, limit: int = _LONGEST_NAME) -> str:
    """Make any id a short line that the font can draw."""
    return "".join(
        " " if char.isspace() else char if char.isprintable() and ord(char) in _glyphs() else "□"
        for char in shortened(text, limit)
    )


def _width(text: str, size: float) -> float:
    """Measure a line, in points."""
    return float(TextToPath().get_text_width_height_descent(text, FontProperties(family=_FONT, size=size), False)[0])


def _fitting(head: str, repo: str, size: float, room: float) -> str:
    limit = _LONGEST_NAME
    while limit > 1 and _width(head + _shown(repo, limit), size) > room:
        limit -= 1
    return head + _shown(repo, limit)
