"""Drawings of dependency graphs with a box for every repo, from top to bottom, folded to the width of a page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.path import Path

from seqkit._show.palette import StatusStyle
from seqkit._show.rows import SLACK, Point, Spacing, placed
from seqkit.plots._axes import alarm, dress, faint, outline
from seqkit.plots._text import PLAIN, shown, width, wrapped

__all__ = ["SIZES", "SIZES_ON_SLIDES", "Arrangement", "Node", "arranged", "draw_boxes"]

Edge = tuple[str, str]

SIZES = (7.5, 6.5, 5.5)
"""Of names, in points, the best first; below, names are left out."""
SIZES_ON_SLIDES = (9.0, *SIZES)

# All below in multiples of the size of names.
_ROOMS = (6.9, 11.6, 11.6)  # for a name on one line, on two, on three
_ROOM_OF_SEVERAL = 14.0  # for the names of repos that share a box
_HINTED = 1.05  # on a screen, the letters of a long line may be wider than they measure
_CARD = 0.32  # how far the second card of a box of several looks out behind the first
_LINE = 1.2
_PAD = 0.45
_LOW, _HIGH = 1.6, 3.6  # between two rows of boxes: the least, and the most that lines ask for
_BETWEEN_WAVES = 0.9  # more
_SPACING = Spacing(boxes=0.8, beside=0.75, lines=0.5)


@dataclass(frozen=True)
class Node:
    """A repo in a drawing."""

    repo: str
    position: int
    """In the plan, from 0."""
    wave: int
    style: StatusStyle
    members: tuple[str, ...] = ()
    """The repos that share this box, where it is not that of one."""


@dataclass(frozen=True)
class _Label:
    head: str
    lines: list[str]
    left: float  # how much of the box the head takes
    width: float  # of the box
    height: float


@dataclass(frozen=True)
class Arrangement:
    """Where everything goes, in points; y counts downwards."""

    size: float
    labels: dict[str, _Label]
    spots: dict[str, Point]
    routes: dict[Edge, list[Point]]
    layers: list[tuple[float, float]]
    """Top and bottom of every row of boxes."""
    bands: dict[int, tuple[float, float]]
    """Top and bottom of every wave."""
    width: float
    height: float


def arranged(
    nodes: Sequence[Node], edges: Sequence[Edge], size: float, room: tuple[float, float | None]
) -> Arrangement | None:
    """Find a place for every box, or none where `room` (width and height in points, or any height) is too small."""
    labels = {node.repo: _label(node, size) for node in nodes}
    spacing = Spacing(*(gap * size for gap in (_SPACING.boxes, _SPACING.beside, _SPACING.lines)))
    rows = _folded(nodes, edges, {repo: label.width for repo, label in labels.items()}, spacing, room[0] / SLACK)
    heights = [max(labels[repo].height for repo in row) for row in rows]
    if room[1] is not None and sum(heights) + len(rows) * _LOW * size > room[1]:
        return None
    layers = {repo: number for number, row in enumerate(rows) for repo in row}
    sizes = {repo: label.width for repo, label in labels.items()}
    spots, routes = placed([node.repo for node in nodes], edges, layers, sizes, spacing)
    wide = max(x + labels[repo].width / 2 for repo, (_, x) in spots.items())
    wide = max([wide, *(x for route in routes.values() for _, x in route)])
    wave = {node.repo: node.wave for node in nodes}
    waves = [wave[row[0]] for row in rows]
    gaps = _gaps(waves, routes, size)
    if room[1] is not None:
        spare = room[1] - sum(heights) - sum(gaps)
        if wide > room[0]:
            return None
        gaps = [gap * max(0.0, 1 + spare / sum(gaps)) for gap in gaps]
    ends, y = [], 0.0
    for gap, height in zip(gaps, heights, strict=False):
        ends.append((y + gap, y + gap + height))
        y += gap + height
    bands: dict[int, tuple[float, float]] = {}
    for number, (top, bottom) in zip(waves, ends, strict=True):
        bands[number] = (bands.get(number, (top, bottom))[0], bottom)
    middle = [(top + bottom) / 2 for top, bottom in ends]
    return Arrangement(
        size,
        labels,
        {repo: (x, middle[int(layer)]) for repo, (layer, x) in spots.items()},
        {edge: [(x, layer) for layer, x in route] for edge, route in routes.items()},
        ends,
        bands,
        wide,
        y + gaps[-1],
    )


def draw_boxes(
    ax: Axes, boxes: Arrangement, nodes: Sequence[Node], emphasised: Collection[Edge], kwargs: Mapping[str, Any]
) -> None:
    """Draw it on axes whose data units are points."""
    for index, (top, bottom) in enumerate(boxes.bands.values()):
        if index % 2 == 0:
            ax.axhspan(top - 0.6 * boxes.size, bottom + 0.6 * boxes.size, color="#808080", alpha=0.08, lw=0, zorder=0)
    _lines(ax, boxes, emphasised)
    corners = []
    for node in nodes:
        (x, y), label = boxes.spots[node.repo], boxes.labels[node.repo]
        w, h = label.width / 2, label.height / 2
        corners.append([(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)])
    shapes = PolyCollection(
        corners, facecolors=[node.style.colour for node in nodes], edgecolors=outline(ax), linewidths=0.6, zorder=3
    )
    ax.add_collection(shapes, autolim=False)
    dress(shapes, kwargs)
    out = _CARD * boxes.size
    behind = [
        [
            (left + out, low),
            (left + out, low + out),
            (right + out, low + out),
            (right + out, top + out),
            (right, top + out),
        ]
        for node, ((left, top), _, (right, low), _) in zip(nodes, corners, strict=True)
        if node.members
    ]
    if behind:
        cards = LineCollection(behind, colors=outline(ax), linewidths=1.2, zorder=2.5, gid="several")
        ax.add_collection(cards, autolim=False)
    for node in nodes:
        (x, y), label = boxes.spots[node.repo], boxes.labels[node.repo]
        left = x - label.width / 2 + _PAD * boxes.size
        look = {"color": node.style.ink, "va": "center", "zorder": 4, "clip_on": True, "linespacing": 1.1, **PLAIN}
        ax.text(left + label.left / 2, y, label.head, ha="center", fontsize=0.87 * boxes.size, **look)
        ax.text(
            left + label.left + _PAD * boxes.size, y, "\n".join(label.lines), ha="left", fontsize=boxes.size, **look
        )


# ---------------------------------------------------------------------- parts


def _label(node: Node, size: float) -> _Label:
    if node.members:
        head = node.style.mark
        lines = [f"{len(node.members):,} repos", _some(node.members, size)]
    else:
        head = f"{node.style.mark}\n{node.position}"
        lines = wrapped(node.repo, size, [room * size for room in _ROOMS])
    left = max(width(line, 0.87 * size) for line in head.split("\n"))
    text = max(width(line, size) for line in lines) * (_HINTED if node.members else 1.0)
    return _Label(
        head,
        lines,
        left,
        left + text + 3.4 * _PAD * size,
        (max(len(lines), 2) * _LINE + _PAD) * size,
    )


def _some(members: Sequence[str], size: float) -> str:
    """Name the first of several repos, as many as find room on a line."""
    names, more = [shown(members[0])], ", …"
    for repo in members[1:]:
        if width(", ".join([*names, shown(repo)]) + more, size) > _ROOM_OF_SEVERAL * size:
            return ", ".join(names) + more
        names.append(shown(repo))
    return ", ".join(names)


def _folded(
    nodes: Sequence[Node], edges: Sequence[Edge], widths: Mapping[str, float], spacing: Spacing, room: float
) -> list[list[str]]:
    """Give each wave as many rows as keep it, and the lines that pass by, within `room`."""
    waves: dict[int, list[str]] = {}
    for node in sorted(nodes, key=lambda node: node.wave):
        waves.setdefault(node.wave, []).append(node.repo)
    dependents: dict[str, list[str]] = {}
    needs = dict.fromkeys(widths, 0)
    for before, after in edges:
        dependents.setdefault(before, []).append(after)
        needs[after] += 1
    # Lines to the lower rows of a wave pass the upper ones, those from the upper rows pass the lower ones.
    for row in waves.values():
        row.sort(key=lambda repo: needs[repo] - (repo in dependents), reverse=True)
    parts = dict.fromkeys(waves, 1)
    while True:
        rows = [part for wave, row in waves.items() for part in _split(row, widths, parts[wave])]
        level = {repo: number for number, row in enumerate(rows) for repo in row}
        passing = [0] * (len(rows) + 1)
        for before, others in dependents.items():
            passing[level[before] + 1] += 1
            passing[max(level[after] for after in others)] -= 1
        full, lines = set(), 0
        for number, row in enumerate(rows):
            lines += passing[number]
            taken = sum(widths[repo] + spacing.boxes for repo in row) + lines * spacing.lines
            if taken > room and len(row) > 1:
                full.add(next(wave for wave, whole in waves.items() if row[0] in whole))
        if not full:
            return rows
        for wave in full:
            parts[wave] += 1


def _split(row: Sequence[str], widths: Mapping[str, float], parts: int) -> list[list[str]]:
    """Cut a row into parts of about the same width, none of them empty."""
    whole, taken = sum(widths[repo] for repo in row), 0.0
    cut: list[list[str]] = [[] for _ in range(parts)]
    for repo in row:
        cut[min(int((taken + widths[repo] / 2) / whole * parts), parts - 1)].append(repo)
        taken += widths[repo]
    return [part for part in cut if part]


def _gaps(waves: Sequence[int], routes: Mapping[Edge, Sequence[Point]], size: float) -> list[float]:
    """Give the height of what lies above each row of boxes, and below the last: the more lines turn there, the more."""
    turning: list[set[tuple[Point, Point]]] = [set() for _ in waves]
    for route in routes.values():
        for before, after in pairwise(route):
            if before[1] != after[1]:
                turning[int(before[0])].add((before, after))
    gaps = [_LOW * 0.7]
    for number, (wave, following) in enumerate(pairwise(waves)):
        gaps.append(min(_LOW + 0.07 * len(turning[number]), _HIGH) + _BETWEEN_WAVES * (wave != following))
    return [gap * size for gap in (*gaps, _LOW * 0.7)]


def _lines(ax: Axes, boxes: Arrangement, emphasised: Collection[Edge]) -> None:
    for loud, colour, thick, zorder in ((False, faint(ax), 0.6, 1), (True, alarm(ax), 1.1, 2)):
        paths = [_curve(route, boxes) for edge, route in boxes.routes.items() if (edge in emphasised) == loud]
        if paths:
            lines = PathCollection(paths, facecolors="none", edgecolors=colour, linewidths=thick, zorder=zorder)
            ax.add_collection(lines, autolim=False)


def _curve(route: Sequence[Point], boxes: Arrangement) -> Path:
    """Lead an edge straight past rows of boxes, and in S-curves between them."""
    points: list[Point] = [(route[0][0], boxes.layers[int(route[0][1])][1])]
    codes = [Path.MOVETO]
    for (x0, layer), (x1, following) in pairwise(route):
        start, (end, past) = boxes.layers[int(layer)][1], boxes.layers[int(following)]
        middle = (start + end) / 2
        points += [(x0, middle), (x1, middle), (x1, end), (x1, past)]
        codes += [Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
    return Path(points[:-1], codes[:-1])
