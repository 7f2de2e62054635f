"""Places for drawings of dependency graphs: boxes with room for their names, and lines that keep close together.

What a repo is needed for is drawn as a tree: one line leaves the repo, passes by whatever lies between, and
branches off to each of its dependents. So a layer is passed by as many lines as there are repos with
something to bring past it, however many dependencies they stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median_low

from seqkit._show.layout import layered, levels

__all__ = ["SLACK", "Point", "Spacing", "placed", "reduction", "rows"]

Point = tuple[float, float]
Edge = tuple[str, str]

SLACK = 1.15
"""How much more than the fullest layer needs a drawing takes, so that lines can run straight."""

_ROUNDS = 8  # of sweeps, there and back
_ALIGNMENTS = 20
_HOLD = 10.0  # lines hold on to their place this much more strongly than boxes
_DIGITS = 6  # finer than can be seen, coarser than what machines round differently


@dataclass(frozen=True)
class Spacing:
    """How close things may stand in a layer, in any unit."""

    boxes: float
    """Between two boxes."""
    beside: float
    """Between a box and a line that passes by."""
    lines: float
    """Between two lines."""

    def step(self, above: float, below: float) -> float:
        """Give the distance of two centres, of boxes of these sizes; a line has size 0."""
        gap = self.boxes if above and below else self.beside if above or below else self.lines
        return (above + below) / 2 + gap


_ROWS = Spacing(boxes=0.34, beside=0.22, lines=0.13)  # of boxes 0.66 high


def rows(ids: Sequence[str], edges: Sequence[Edge]) -> tuple[dict[str, Point], dict[Edge, list[Point]]]:
    """Lay the graph out from left to right with a row for each repo, and edges that pass by close together.

    Parameters
    ----------
    ids : sequence of str
        Repos, each once.
    edges : sequence of pairs
        (dependency, dependent).

    Returns
    -------
    spots : dict of str to (float, float)
        The centre of each repo: x is its layer, the longest path to it; y counts rows, downwards.
        Repos of a layer are at least a row apart.
    routes : dict of pair to list of (float, float)
        A point a layer for each edge, ends included. Edges from one repo share their way as far as they can.

    Examples
    --------
    >>> spots, routes = rows("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    >>> [x for x, _ in spots.values()], [x for x, _ in routes["a", "c"]]
    ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])
    """
    return placed(ids, edges, None, dict.fromkeys(ids, 0.66), _ROWS)


def placed(
    ids: Sequence[str],
    edges: Sequence[Edge],
    layers: Mapping[str, int] | None,
    sizes: Mapping[str, float],
    spacing: Spacing,
) -> tuple[dict[str, Point], dict[Edge, list[Point]]]:
    """Lay the graph out in given layers, with boxes of given sizes.

    Parameters
    ----------
    ids, edges
        As in :func:`rows`.
    layers : mapping of str to int, optional
        The layer of each repo, higher than those of what it needs; by default the longest path to it.
    sizes : mapping of str to float
        How much of its layer a repo's box takes, above 0.
    spacing : Spacing
        What to keep clear, in the same unit.

    Returns
    -------
    spots, routes
        As in :func:`rows`, y in the unit of `sizes`. From 0; no layer takes more than `SLACK`
        times what the fullest one needs.
    """
    trees = _trees(ids, edges, levels(ids, edges) if layers is None else layers)
    drawing = layered(list(trees.levels), trees.links, trees.levels)
    size: dict[Point, float] = {drawing.positions[trees.number[repo]]: sizes[repo] for repo in ids}
    links = sorted({pair for route in drawing.routes.values() for pair in pairwise(route)})
    columns: dict[float, list[Point]] = {}
    for spot in sorted({*drawing.positions.values(), *(spot for link in links for spot in link)}):
        columns.setdefault(spot[0], []).append(spot)
    ways = {
        edge: _joined([drawing.routes[link] for link in path], drawing.positions[trees.number[edge[0]]])
        for edge, path in trees.paths.items()
    }
    trunks: dict[str, list[Point]] = {}
    for edge, way in ways.items():
        trunks[edge[0]] = max(trunks.get(edge[0], []), way[1:-1], key=len)
    y = _heights(list(columns.values()), links, [trunk for trunk in trunks.values() if trunk], size, spacing)
    moved = {spot: (float(spot[0]), round(height, _DIGITS)) for spot, height in y.items()}
    spots = {repo: moved[drawing.positions[trees.number[repo]]] for repo in ids}
    return spots, {edge: [moved[spot] for spot in way] for edge, way in ways.items()}


def reduction(ids: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """Leave out the edges that others imply: the transitive reduction of an acyclic graph, which is unique.

    Aho, Garey and Ullman (1972, doi:10.1137/0201008). O(edges × repos / 64) word operations.

    Parameters
    ----------
    ids : sequence of str
        Repos in a topological order.
    edges : iterable of pairs
        (dependency, dependent).

    Returns
    -------
    list of pairs
        Sorted. Who reaches whom is as before.

    Examples
    --------
    >>> reduction("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    [('a', 'b'), ('b', 'c')]
    """
    position = {repo: index for index, repo in enumerate(ids)}
    after: list[set[int]] = [set() for _ in ids]
    for before, other in edges:
        after[position[before]].add(position[other])
    reached = [0] * len(ids)
    kept = []
    for index in range(len(ids) - 1, -1, -1):
        bits = 0
        for later in sorted(after[index]):  # whoever implies it stands before it
            if not bits >> later & 1:
                kept.append((ids[index], ids[later]))
                bits |= reached[later] | 1 << later
        reached[index] = bits
    return sorted(kept)


# ---------------------------------------------------------------------- trees


@dataclass(frozen=True)
class _Trees:
    """The graph with a vertex more wherever something branches off a line."""

    levels: dict[str, int]
    links: list[Edge]
    number: dict[str, str]  # repo → vertex
    paths: dict[Edge, list[Edge]]  # edge → the links it is made of


def _trees(ids: Sequence[str], edges: Sequence[Edge], levels: Mapping[str, int]) -> _Trees:
    number = {repo: f"{index:08}" for index, repo in enumerate(sorted(ids))}  # no id can be taken for a branch
    dependents: dict[str, list[str]] = {}
    for before, after in sorted(set(edges)):
        dependents.setdefault(before, []).append(after)
    found = {number[repo]: levels[repo] for repo in ids}
    paths = {}
    for before, others in dependents.items():
        way: list[Edge] = []
        last = number[before]
        for after in sorted(others, key=lambda repo: (levels[repo], repo)):
            branch = levels[after] - 1
            if branch > found[last]:
                vertex = f"{number[before]}-{branch:08}"
                found[vertex] = branch
                way.append((last, vertex))
                last = vertex
            paths[before, after] = [*way, (last, number[after])]
    return _Trees(found, sorted({link for path in paths.values() for link in path}), number, paths)


def _joined(routes: Sequence[Sequence[Point]], start: Point) -> list[Point]:
    return [start, *(spot for route in routes for spot in route[1:])]


# ---------------------------------------------------------------------- heights


def _heights(
    columns: Sequence[Sequence[Point]],
    links: Sequence[tuple[Point, Point]],
    trunks: Sequence[Sequence[Point]],
    size: Mapping[Point, float],
    spacing: Spacing,
) -> dict[Point, float]:
    """Give every spot a height, the order in its column kept, so that lines run straight where there is room."""
    offsets, lengths = [], []
    for spots in columns:
        below = [size.get(spots[0], 0.0) / 2]
        for upper, lower in pairwise(spots):
            below.append(below[-1] + spacing.step(size.get(upper, 0.0), size.get(lower, 0.0)))
        offsets.append(below)
        lengths.append(below[-1] + size.get(spots[-1], 0.0) / 2)
    whole = SLACK * max(lengths, default=0.0)
    beside: dict[Point, list[Point]] = {spot: [] for spots in columns for spot in spots}
    for before, after in links:
        beside[before].append(after)
        beside[after].append(before)
    y = {
        spot: offset + (whole - length) / 2
        for spots, below, length in zip(columns, offsets, lengths, strict=True)
        for spot, offset in zip(spots, below, strict=True)
    }
    for sweep in range(2 * _ROUNDS):
        forth = sweep % 2 == 0
        for index in range(len(columns))[:: 1 if forth else -1]:
            wanted = []
            for spot in columns[index]:
                near = [other for other in beside[spot] if (other[0] < spot[0]) == forth] or beside[spot]
                wanted.append(fmean([y[other] for other in near]) if near else y[spot])
            _settle(columns[index], wanted, offsets[index], whole, size, y)
    for _ in range(_ALIGNMENTS):
        wish = {spot: fmean([y[other] for other in near]) if near else y[spot] for spot, near in beside.items()}
        for trunk in trunks:
            wish.update(dict.fromkeys(trunk, fmean([y[spot] for spot in trunk])))
        for spots, below in zip(columns, offsets, strict=True):
            _settle(spots, [wish[spot] for spot in spots], below, whole, size, y)
    _straighten(columns, beside, trunks, size, spacing, whole, y)
    return y


def _settle(
    spots: Sequence[Point],
    wanted: Sequence[float],
    offsets: Sequence[float],
    whole: float,
    size: Mapping[Point, float],
    y: dict[Point, float],
) -> None:
    """Put a column as near to its wishes as the distances and the height of the drawing allow, by least squares.

    Isotonic regression of height less offset, by pooling adjacent violators (Ayer 1955, doi:10.1214/aoms/1177728423).
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, and where the next pool starts
    for index, (spot, target, offset) in enumerate(zip(spots, wanted, offsets, strict=True)):
        mean, weight = target - offset, 1.0 if size.get(spot) else _HOLD
        while pools and pools[-1][0] >= mean:
            other, mass, _ = pools.pop()
            mean, weight = (other * mass + mean * weight) / (mass + weight), mass + weight
        pools.append((mean, weight, index + 1))
    most, start = whole - offsets[-1] - size.get(spots[-1], 0.0) / 2, 0
    for mean, _, end in pools:
        for index in range(start, end):
            y[spots[index]] = min(max(mean, 0.0), most) + offsets[index]
        start = end


def _straighten(
    columns: Sequence[Sequence[Point]],
    beside: Mapping[Point, Sequence[Point]],
    trunks: Sequence[Sequence[Point]],
    size: Mapping[Point, float],
    spacing: Spacing,
    whole: float,
    y: dict[Point, float],
) -> None:
    """Put all of a trunk on one height, and a box on that of a neighbour, where there is room between the others."""
    above: dict[Point, tuple[Point, float]] = {}
    below: dict[Point, tuple[Point, float]] = {}
    for spots in columns:
        for upper, lower in pairwise(spots):
            step = spacing.step(size.get(upper, 0.0), size.get(lower, 0.0))
            above[lower], below[upper] = (upper, step), (lower, step)
    lines = [*sorted(trunks, key=len, reverse=True), *([spot] for spots in columns for spot in spots if spot in size)]
    for line in (*lines, *lines[::-1], *lines):
        ends = [y[other] for spot in line for other in beside[spot] if other not in line]
        half = size.get(line[0], 0.0) / 2
        lowest = max([half, *(y[above[spot][0]] + above[spot][1] for spot in line if spot in above)])
        highest = min([whole - half, *(y[below[spot][0]] - below[spot][1] for spot in line if spot in below)])
        if ends and lowest <= highest:
            height = min(max(median_low(ends), lowest), highest)
            y.update(dict.fromkeys(line, height))
