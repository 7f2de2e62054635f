"""What each change of a plan or of its rates buys."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from seqkit._show.html import amount
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.plots._axes import axes, dress, ink, legend, nothing, numbers_at_ends, outline, rows_down, themed, title
from seqkit.plots._text import shown

__all__ = ["levers"]


class _Look(NamedTuple):
    colour: str
    hatch: str


_LOOKS = {
    "harden": _Look("#0070b5", ""),
    "retry": _Look("#e69f00", "///"),
    "drop": _Look("#cbd2dc", "..."),
    "end cause": _Look("#009e73", "xxx"),
    "halve severity": _Look("#cc79a7", "---"),
}
_COLUMNS = ("action", "repo_id", "cause", "before", "after", "gain")
_PITCH = 18.0  # points from row to row
_SIZE = 8.5  # points, of names and numbers


def levers(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    figsize: tuple[float, float] | None = None,
    theme: str = "auto",
    top: int = 15,
    **kwargs: Any,
) -> Axes:
    """Draw what each change buys, a bar for each, the best first.

    Parameters
    ----------
    frame : DataFrame
        A row a change: `action` (harden, retry, drop, end cause, halve severity), `repo_id` or `cause` (the other is
        ``<NA>``), `before` and `after`, the value of the goal, and `gain`, after - before.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure, as tall as the rows need.
    figsize : tuple of float, optional
        Inches of the new figure: width and height.
    theme : {"auto", "light", "dark"}
        The ground: as matplotlib's settings say, or one of the two.
    top : int
        How many rows to draw, those of the highest gain; rows of equal gain in the order of the frame.
    **kwargs
        For the bars, each a :class:`matplotlib.patches.Rectangle`.

    Returns
    -------
    matplotlib.axes.Axes
        The gain of each change to the right, a loss to the left; at the end of a bar its number. Actions differ by
        colour and hatch.

    Raises
    ------
    TypeError, ValueError
        Where `frame` is no such frame, or has an action that is none; where `top` or `theme` is out of its range.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("Agg")
    >>> import pandas as pd
    >>> rows = [("harden", "core", None, 2.5, 2.7, 0.2), ("end cause", None, "ci outage", 2.5, 2.6, 0.1)]
    >>> ax = levers(pd.DataFrame(rows, columns=["action", "repo_id", "cause", "before", "after", "gain"]))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['harden core', "end cause 'ci outage'"]
    >>> matplotlib.pyplot.close("all")
    """
    _check(frame)
    most = whole("top", top, 1)
    with themed(theme):
        if frame.empty:
            return nothing(ax, "Nothing to draw: no change buys anything.")
        best = frame.sort_values("gain", ascending=False, kind="stable").head(most)
        ax = axes(ax, *(figsize or (8.0, len(best) * _PITCH / 72 + 1.9)))
        _draw(ax, best, len(frame), kwargs)
        return ax


def _check(frame: pd.DataFrame) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"frame is {as_given(frame)}, expected a DataFrame with the columns {_COLUMNS}")
    if missing := [name for name in _COLUMNS if name not in frame.columns]:
        raise ValueError(f"frame lacks the columns {missing}, expected {_COLUMNS}")
    if unknown := sorted(set(map(str, frame["action"])) - set(_LOOKS)):
        raise ValueError(f"frame has the action {as_given(unknown[0], 80)}, expected one of {tuple(_LOOKS)}")


def _name(action: str, repo: Any, cause: Any) -> str:
    if not pd.isna(repo):
        return f"{action} {shown(str(repo), 32)}"
    return action if pd.isna(cause) else f"{action} '{shown(str(cause), 32)}'"


def _draw(ax: Axes, best: pd.DataFrame, n: int, kwargs: dict[str, Any]) -> None:
    gain = best["gain"].to_numpy(dtype=np.float64)
    actions = [str(action) for action in best["action"]]
    names = [_name(*row) for row in zip(actions, best["repo_id"], best["cause"], strict=True)]
    rows = rows_down(ax, names, _SIZE)
    bars = ax.barh(rows, gain, height=0.72, edgecolor=outline(ax), linewidth=0.8, zorder=2)
    for bar, action in zip(bars, actions, strict=True):
        bar.set(facecolor=_LOOKS[action].colour, hatch=_LOOKS[action].hatch)
        dress(bar, kwargs)
    numbers_at_ends(ax, rows, gain, gain, _SIZE)
    ax.axvline(0, color=ink(ax), linewidth=0.9, zorder=3)
    ax.margins(x=0.12)
    ax.set_xlabel("gain (after - before)")
    change = f"{amount(float(best['before'].iloc[0]), 3)} to {amount(float(best['after'].iloc[0]), 3)}"
    lines = [f"{names[0]} buys most: from {change}." if gain[0] > 0 else "No change buys anything."]
    if len(best) < n:
        lines.append(f"The best {len(best):,} of {n:,} changes.")
    title(ax, "\n".join(lines))
    handles = [
        Patch(facecolor=look.colour, edgecolor=outline(ax), linewidth=0.8, hatch=look.hatch, label=action)
        for action, look in _LOOKS.items()
        if action in actions
    ]
    legend(ax, handles, below=36.0)
