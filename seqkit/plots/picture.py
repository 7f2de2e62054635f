"""A plot as the bytes of a picture, for pages and widgets."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["png", "png_of"]


def png(draw: Callable[[Axes], object], width: float, height: float, dpi: float = 144.0) -> bytes:
    r"""Draw on a figure that nobody else can see, and give it as PNG; pyplot does not know of it.

    Parameters
    ----------
    draw : callable
        Draws on the Axes it is given.
    width, height : float
        Inches.
    dpi : float
        Pixels per inch.

    Returns
    -------
    bytes
        On white, the same each time for the same picture and version of matplotlib.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> from seqkit.plots import order
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> png(lambda ax: order(plan, ax), 4, 2)[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    draw(figure.subplots())
    content = BytesIO()
    figure.savefig(content, format="png", dpi=dpi, metadata={"Software": None})
    return content.getvalue()


def png_of(axes: Axes, dpi: float = 100.0) -> bytes:
    r"""Give the figure that a plot has made for itself as PNG, and close it.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph
    >>> from seqkit.plots import impact
    >>> png_of(impact(RepoDependencyGraph.from_edges([("core", "api")])))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    figure = axes.figure
    content = BytesIO()
    figure.savefig(content, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})  # type: ignore[union-attr]  # a whole figure
    plt.close(figure)  # type: ignore[arg-type]  # the same
    return content.getvalue()
