"""The marks of statuses as one scatter a status, so that thousands of cells cost no more than seven."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from seqkit._show.palette import EVERY_STYLE
from seqkit.plots._text import FONT

__all__ = ["marks"]


def marks(
    ax: Axes, xs: Sequence[float], ys: Sequence[float], words: Sequence[str], size: float, **kwargs: Any
) -> list[PathCollection]:
    """Draw the mark of each word at its spot, `size` points large, in the ink that its colour needs.

    The scatters are in the palette's order, each with the status as its ``gid`` unless `kwargs` give another.
    """
    made = []
    for word, style in EVERY_STYLE.items():
        own = [number for number, other in enumerate(words) if other == word]
        if own:
            look: dict[str, Any] = {
                "marker": _glyph(style.mark),
                "c": style.ink,
                "linewidths": 0,
                "zorder": 5,
                "gid": word,
            }
            spots = [xs[number] for number in own], [ys[number] for number in own]
            made.append(ax.scatter(*spots, s=size**2, **(look | kwargs)))
    return made


@cache
def _glyph(mark: str) -> Path:
    path = TextPath((0, 0), mark, size=1, prop=FontProperties(family=FONT))
    box = path.get_extents()
    return Path(path.vertices - [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2], path.codes)
