"""A dependency graph, from left to right: boxes with names, a thumbnail, or a bar a wave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from seqkit._show.rows import Point, reduction, rows
from seqkit._show.svg.columns import stacked
from seqkit._show.svg.counts import described, known
from seqkit._show.svg.places import THUMBNAIL, Boxes, Dots, Drawing
from seqkit._show.svg.text import number, opened, text

__all__ = ["MOST_DRAWN", "dag"]

MOST_DRAWN = 300
"""Repos; larger graphs are shown as bars."""
MOST_BENDS = 3_000
"""Points of edges, one for each column that an edge touches; busier graphs are shown as bars."""


def dag(
    ids: Sequence[str],
    edges: Sequence[tuple[str, str]],
    words: Mapping[str, str],
    *,
    labels: bool = True,
    width: float | None = None,
    notes: Mapping[str, str] | None = None,
    shades: Mapping[str, float] | None = None,
    implied: bool = False,
    title: str = "",
) -> str:
    """Draw a dependency graph as SVG: everything stands right of what it needs.

    A dependency that others imply is not drawn, unless asked for; the title says how many.

    Parameters
    ----------
    ids : sequence of str
        The repos, each once.
    edges : sequence of pairs
        (dependency, dependent).
    words : mapping of str to str
        By repo, a key of ``EVERY_STYLE``; a repo that is missing is pending. Where all are missing, the
        picture is one of the graph alone.
    labels : bool
        Whether to draw boxes with marks and names; else a thumbnail of dots with marks, at most 420 pixels wide.
    width : float, optional
        Pixels. Names are cut, and if need be the picture shrunk, to fit into it; by default it is as wide as it needs.
    notes : mapping of str to str, optional
        By repo, a short text at the end of its box. Thumbnails have no room for them.
    shades : mapping of str to float, optional
        By repo, a probability that fills its box, or its dot, in place of its status.
    implied : bool
        Whether to draw dependencies that others imply too, as far as there is room for them.
    title : str
        What the picture shows, for screen readers and when pointed at; how many there are of each status follows.

    Returns
    -------
    str
        One ``<svg>`` element. Above 300 repos, or where edges have more than 3,000 points in all, it has a
        stacked bar for each column (the wave, unless there are unreleased repos) and a line that says so.

    Raises
    ------
    ValueError
        Where an id repeats, an edge's end is unknown, there is a cycle, or a word is no status.

    Notes
    -----
    Bars cost time linear in repos and edges; otherwise the work is that of the layout.

    Examples
    --------
    >>> picture = dag(["core", "api"], [("core", "api")], {"core": "succeeded", "api": "failed"})
    >>> picture.startswith("<svg") and "2 repos in 2 columns: 1 succeeded, 1 failed" in picture
    True
    """
    chosen = {repo: words.get(repo, "pending") for repo in ids}
    for word in set(chosen.values()):
        known(word)
    columns = _columns(ids, edges)
    n, deep = len(ids), 1 + max(columns.values(), default=-1)
    told = described(n, deep, Counter(chosen.values()) if words else {}, title)
    if not n:
        return f"{opened(THUMBNAIL, 20, told)}{text(0, 10, 'There are no repos.')}</svg>"
    drawn = edges
    if n <= MOST_DRAWN and not (implied and _bends(columns, edges) <= MOST_BENDS):
        drawn = reduction(sorted(ids, key=columns.__getitem__), edges)
    bends = _bends(columns, drawn)
    if n > MOST_DRAWN or bends > MOST_BENDS:
        counts: list[Counter[str]] = [Counter() for _ in range(deep)]
        for repo, word in chosen.items():
            counts[columns[repo]][word] += 1
        return stacked(counts, title, tells=bool(words))
    if left_out := len(set(edges)) - len(drawn):
        told += f"; {left_out:,} of {len(set(edges)):,} dependencies are not drawn, as others imply them"
    spots, routes = rows(ids, drawn)
    draw = Boxes(shades or {}, notes or {}, width) if labels else Dots(shades or {}, width)
    drawing = draw.placed(spots, routes)
    faint, thin = (".6", "1") if len(drawn) <= 60 else (".5", ".8")
    parts = [
        opened(drawing.width, drawing.height, told, draw.at_most),
        f'<path d="{_lines(drawing, routes)}" fill="none" stroke="currentColor" stroke-opacity="{faint}" '
        f'stroke-width="{thin}"/><g stroke="currentColor" stroke-opacity=".6">',
        *(draw.drawn(repo, drawing.boxes[repo], chosen[repo]) for repo in ids),
    ]
    return "".join(parts) + "</g></svg>"


def _lines(drawing: Drawing, routes: Mapping[tuple[str, str], Sequence[Point]]) -> str:
    """Lead edges straight through columns and in S-curves between them; what several share is drawn once."""
    pieces: dict[str, None] = {}
    for (before, after), route in routes.items():
        start, end = drawing.boxes[before], drawing.boxes[after]
        if start.right < (right := drawing.spans[int(route[0][0])][1]):
            pieces[f"M{number(start.right)} {number(start.y)}H{number(right)}"] = None
        for (x0, row0), (x1, row1) in pairwise(route):
            right, left = drawing.spans[int(x0)][1], drawing.spans[int(x1)][0]
            y0, y1, middle = number(drawing.y(row0)), number(drawing.y(row1)), number((right + left) / 2)
            there = end.left if (x1, row1) == route[-1] else drawing.spans[int(x1)][1]
            pieces[
                f"M{number(right)} {y0}"
                + (f"C{middle} {y0} {middle} {y1} {number(left)} {y1}" if y0 != y1 else "")
                + (f"H{number(there)}" if y0 == y1 or there > left else "")
            ] = None
    return "".join(pieces)


def _bends(columns: Mapping[str, int], edges: Sequence[tuple[str, str]]) -> int:
    return sum(columns[after] - columns[before] + 1 for before, after in edges)


def _columns(ids: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Give each repo the length of the longest path to it."""
    column = dict.fromkeys(ids, 0)
    if len(column) != len(ids):
        raise ValueError("ids has a repo twice, expected each once")
    waits, freed = dict.fromkeys(ids, 0), dict[str, list[str]]()
    for before, after in edges:
        for end in (before, after):
            if end not in column:
                raise ValueError(f"edges has {end!r:.80}, which is not in ids")
        waits[after] += 1
        freed.setdefault(before, []).append(after)
    free = [repo for repo in ids if not waits[repo]]
    for repo in free:  # it grows at its end while it is read
        for after in freed.get(repo, ()):
            column[after] = max(column[after], column[repo] + 1)
            waits[after] -= 1
            if not waits[after]:
                free.append(after)
    if len(free) < len(ids):
        raise ValueError("edges has a cycle, expected none")
    return column
