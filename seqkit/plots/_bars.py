"""What is left of a dependency graph where its repos find no room: a bar for each wave, and arcs between waves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

from seqkit._show.palette import EVERY_STYLE
from seqkit._util.words import inflected
from seqkit.plots._axes import dress, faint, outline, settled
from seqkit.plots._text import PLAIN, width

__all__ = ["draw_bars", "height_of_bars"]

_MOST_BARS = 40
_SIZE = 7.0  # points
_ARCS = 0.28  # of the width


def height_of_bars(waves: int) -> float:
    """Give the inches that bars for so many waves need."""
    return max(0.24 * len(_groups(waves)), 1.2)


def draw_bars(
    ax: Axes,
    words: Mapping[str, str],
    level: Mapping[str, int],
    edges: Sequence[tuple[str, str]],
    kwargs: Mapping[str, Any],
) -> str:
    """Count each wave's repos by status, and the dependencies between waves; say what the picture shows.

    `words` and `level` map repos to keys of ``EVERY_STYLE`` and to waves.
    """
    groups = _groups(1 + max(level[repo] for repo in words))
    group = {wave: number for number, waves in enumerate(groups) for wave in waves}
    counts = Counter((group[level[repo]], word) for repo, word in words.items())
    arcs = Counter((group[level[before]], group[level[after]]) for before, after in edges)
    longest = max(sum(counts[number, word] for word in EVERY_STYLE) for number in range(len(groups)))
    left = -longest * _ARCS / (1 - _ARCS) if edges else 0.0
    ax.set_xlim(left * 1.02, longest * 1.1)
    ax.set_ylim(len(groups) - 0.4, -0.6)
    _draw_arcs(ax, arcs, left)
    corners, colours = [], []
    wide, high = settled(ax)
    unit, row = wide / (longest * 1.1 - left * 1.02), high / len(groups)
    for number in range(len(groups)):
        start = 0
        for word, style in EVERY_STYLE.items():
            if not (count := counts[number, word]):
                continue
            low, top = number + 0.36, number - 0.36
            corners.append([(start, top), (start + count, top), (start + count, low), (start, low)])
            colours.append(style.colour)
            label = next((text for text in (f"{style.mark} {count:,}", style.mark) if _fits(text, count * unit)), "")
            if label and row > 1.4 * _SIZE:
                look: dict[str, Any] = {"color": style.ink, "fontsize": _SIZE, "zorder": 4, **PLAIN}
                ax.text(start + count / 2, number, label, ha="center", va="center", clip_on=True, **look)
            start += count
    bars = PolyCollection(corners, facecolors=colours, edgecolors=outline(ax), linewidths=0.4, zorder=3)
    ax.add_collection(bars, autolim=False)
    dress(bars, kwargs)
    every = max(1, -int(-1.6 * _SIZE // row))
    ax.set_yticks(range(0, len(groups), every), [_name(waves) for waves in groups[::every]])
    ax.xaxis.set_major_locator(MaxNLocator(nbins=max(1, int(wide / 60)), integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}" if count >= 0 else ""))
    ax.tick_params(axis="both", length=0, labelsize=8)
    for spine in ax.spines.values():
        spine.set_visible(False)
    each = "wave" if len(groups[0]) == 1 else f"{len(groups[0])} waves"
    between = sum(count for (before, after), count in arcs.items() if before != after)
    which = f"{len(edges):,}" if between == len(edges) else f"{between:,} of {len(edges):,}"
    joined = f"; arcs for {which} {inflected(len(edges), 'dependency', 'dependencies')}" if edges else ""
    return f"Repos, a bar for each {each}{joined}"


def _groups(waves: int) -> list[range]:
    each = -(-waves // _MOST_BARS)
    return [range(start, min(start + each, waves)) for start in range(0, waves, each)]


def _name(waves: range) -> str:
    return str(waves[0]) if len(waves) == 1 else f"{waves[0]:,}–{waves[-1]:,}"


def _fits(text: str, room: float) -> bool:
    return width(text, _SIZE) + 4 < room


def _draw_arcs(ax: Axes, arcs: Mapping[tuple[int, int], int], left: float) -> None:
    """Bow out to the left from group to group, the further apart the wider, the more dependencies the thicker."""
    drawn = {pair: arcs[pair] for pair in sorted(arcs) if pair[0] != pair[1]}
    if not drawn:
        return
    farthest = max(b - a for a, b in drawn)
    most = max(drawn.values())
    paths = []
    for a, b in drawn:
        deep = left * (4 / 3) * (0.15 + 0.85 * (b - a) / farthest) * 0.98  # a cubic reaches 3/4 of its handles
        paths.append(Path([(0, a), (deep, a), (deep, b), (0, b)], [Path.MOVETO, *[Path.CURVE4] * 3]))
    thick = [0.3 + 3.2 * sqrt(count / most) for count in drawn.values()]
    ax.add_collection(
        PathCollection(paths, facecolors="none", edgecolors=faint(ax), linewidths=thick, alpha=0.45, zorder=1),
        autolim=False,
    )
