"""Rows for drawings of dependency graphs: a row for each repo, and edges that pass by close together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seqkit.layout import layered

__all__ = ["Point", "rows"]

Point = tuple[float, float]
_LINE_GAP = 0.13  # between two edges that pass through a column, in rows


def rows(
    ids: Sequence[str], edges: Sequence[tuple[str, str]]
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """Lay the graph out with a row for each repo, and edges that pass by close together.

    The layout gives every bend of an edge a row of its own. Their order stays; each column is set
    anew, as near as its boxes allow to the layout's shape squeezed to the height of the fullest column.
    """
    drawing = layered(ids, edges)
    real = set(drawing.positions.values())
    by_column: dict[float, list[Point]] = {}
    for spot in sorted(real.union(*drawing.routes.values())):
        by_column.setdefault(spot[0], []).append(spot)
    steps = {x: [_step(a in real, b in real) for a, b in pairwise(spots)] for x, spots in by_column.items()}
    tallest = max(sum(column) for column in steps.values())
    lowest = max(spots[-1][1] for spots in by_column.values())
    squeeze = min(1.0, tallest / max(1.0, lowest))
    moved: dict[Point, Point] = {}
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
