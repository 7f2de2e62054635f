"""One look for statuses everywhere: plots, widgets and HTML take colour, mark and word from here.

Never show the colour alone. Lightness alone tells the statuses apart too, so a black-and-white print
and every kind of colour blindness keep them; all marks are in DejaVu Sans, matplotlib's own font. A new mark
needs its strokes in ``svg/counts`` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["EVERY_STYLE", "STATUS_STYLES", "StatusStyle", "ink_on", "luminance", "shade"]

_SHADES = ("#132f55", "#2f5f95", "#6a9ac8", "#abcbe6", "#eef5fb")  # at 0, a quarter … of the way to 1


def luminance(colour: str) -> float:
    """Give the relative luminance of ``"#rrggbb"``, from 0 (black) to 1 (white), as WCAG 2 defines it.

    Examples
    --------
    >>> luminance("#000000"), luminance("#ffffff")
    (0.0, 1.0)
    """
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return round(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2], 6)


def ink_on(colour: str) -> str:
    """Give the colour of text on a fill: black or white, whichever has more contrast."""
    return "#000000" if luminance(colour) > 0.179 else "#ffffff"


def shade(p: float) -> str:
    """Give the fill for a probability: one hue, dark at 0 and light at 1, so that grey tells it too.

    Examples
    --------
    >>> shade(0.0), shade(0.9), shade(1.0)
    ('#132f55', '#d3e4f3', '#eef5fb')
    """
    place = min(max(p, 0.0), 1.0) * (len(_SHADES) - 1)
    first = min(int(place), len(_SHADES) - 2)
    pairs = [[int(colour[i : i + 2], 16) for colour in _SHADES[first : first + 2]] for i in (1, 3, 5)]
    return "#" + "".join(f"{round(low + (high - low) * (place - first)):02x}" for low, high in pairs)


@dataclass(frozen=True, slots=True)
class StatusStyle:
    """How a status, or the cause of a skip, is shown."""

    word: str
    """What it is called."""
    colour: str
    """The fill, ``#rrggbb``."""
    mark: str
    """One character."""

    @property
    def ink(self) -> str:
        """The colour of text on the fill: black or white, whichever has more contrast."""
        return ink_on(self.colour)


STATUS_STYLES: Mapping[str, StatusStyle] = MappingProxyType(
    {
        style.word.replace(" ", "_"): style
        for style in (  # the lightest first
            StatusStyle("pending", "#f2f2ee", "○"),
            StatusStyle("unreleased", "#cbd2dc", "–"),
            StatusStyle("blocked", "#e69f00", "⊘"),
            StatusStyle("succeeded", "#009e73", "✓"),
            StatusStyle("in progress", "#0070b5", "▶"),
            StatusStyle("failed", "#a1131f", "✗"),
            StatusStyle("in doubt", "#6a1060", "?"),
            StatusStyle("stopped", "#2e1a47", "■"),
        )
    }
)
"""By status name (pending, in_progress, succeeded, failed) or skip cause (blocked, stopped, unreleased).

``in_doubt`` is a failed repo of which nobody knows whether it is out all the same."""

_ALL = {**STATUS_STYLES, "skipped": StatusStyle("skipped", "#c6bea9", "»")}

EVERY_STYLE: Mapping[str, StatusStyle] = MappingProxyType(
    dict(sorted(_ALL.items(), key=lambda named: -luminance(named[1].colour)))
)
"""Those, and what was skipped without a word why, as only other systems' records have it: ``skipped``."""
