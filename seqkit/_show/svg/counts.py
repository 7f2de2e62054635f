"""How many there are of each status: a mark, a bar and a legend."""

from __future__ import annotations

from collections.abc import Mapping

from seqkit._show.html import Markup, escaped
from seqkit._show.palette import EVERY_STYLE, StatusStyle
from seqkit._show.svg.text import number, opened
from seqkit._util.secrets import as_given
from seqkit._util.words import plural

__all__ = ["chip", "described", "known", "legend", "mark", "strip", "summary"]

Styles = Mapping[str, StatusStyle]

_HEIGHT = 16.0
_NARROWEST = 4.0  # a single failure among thousands must be seen

# Each mark as a path: strokes in a square from -1 to 1, and whether it is filled.
_SHAPES: Mapping[str, tuple[str, bool]] = {
    "–": ("M-.6 0H.6", False),
    "⊘": ("M-.6 .6 .6-.6", False),
    "✓": ("M-.6 .05-.15 .5 .6-.5", False),
    "▶": ("M-.35-.6 .65 0-.35 .6Z", True),
    "✗": ("M-.5-.5 .5 .5M.5-.5-.5 .5", False),
    "?": ("M-.4-.35C-.4-.8 .4-.8 .4-.35 .4-.05 0-.05 0 .25M0 .5V.75", False),
    "■": ("M-.45-.45H.45V.45H-.45Z", True),
    "!": ("M0-.65V.15M0 .45V.7", False),
    "»": ("M-.55-.5 -.05 0-.55 .5M.05-.5 .55 0 .05 .5", False),
    "i": ("M0-.7V-.45M0-.15V.65", False),
}


def known(word: str, styles: Styles = EVERY_STYLE) -> StatusStyle:
    """Give the style of a status; a word that has none is an error."""
    if word not in styles:
        raise ValueError(f"a status is {as_given(word)}, expected one of {tuple(styles)}")
    return styles[word]


def mark(x: float, y: float, half: float, style: StatusStyle, ring: bool = False) -> str:
    """Draw a status's mark in its ink around a point; on a dot, the ring of ``○`` and ``⊘`` is the dot itself."""
    ink = f'fill="none" stroke="{style.ink}" stroke-opacity="1"'
    parts = []
    if ring and style.mark in "○⊘":
        parts.append(f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(0.8 * half)}" {ink}/>')
    if style.mark in _SHAPES:
        path, filled = _SHAPES[style.mark]
        paint = f'fill="{style.ink}" stroke="none"' if filled else f'{ink} stroke-width=".3"'
        parts.append(f'<path transform="translate({number(x)} {number(y)}) scale({number(half)})" d="{path}" {paint}/>')
    return "".join(parts)


def summary(counts: Mapping[str, int], styles: Styles = EVERY_STYLE) -> str:
    """Say how many there are of each, leaving out those that there are none of; the order is the palette's.

    Examples
    --------
    >>> summary({"failed": 1, "succeeded": 1200})
    '1,200 succeeded, 1 failed'
    """
    for word in counts:
        known(word, styles)
    told = [f"{counts[word]:,} {style.word}" for word, style in styles.items() if counts.get(word)]
    return ", ".join(told) or "none"


def described(repos: int, columns: int, counts: Mapping[str, int], title: str) -> str:
    """Say what a drawing of a graph shows, beginning with its title where it has one.

    Examples
    --------
    >>> described(2, 1, {"failed": 2}, "Outcome")
    'Outcome: 2 repos in 1 column: 2 failed'
    """
    told = f"{plural(repos, 'repo')} in {plural(columns, 'column')}"
    told += f": {summary(counts)}" if counts else ""
    return f"{title}: {told}" if title else told


def strip(counts: Mapping[str, int], styles: Styles = EVERY_STYLE, width: float = 420.0) -> str:
    """Draw counts as one bar, a part each, as long as its share; very small parts are drawn 4 pixels long.

    Parameters
    ----------
    counts : mapping of str to int
        By key of `styles`; a missing one counts 0.
    styles : mapping of str to StatusStyle
        What is counted, in the order of the parts.
    width : float
        Pixels.

    Examples
    --------
    >>> strip({"succeeded": 3, "failed": 1}).count("<rect")
    3
    """
    told = summary(counts, styles)
    present = [(word, counts[word]) for word in styles if counts.get(word, 0) > 0]
    total, room = sum(count for _, count in present), width - 1
    small = [count for _, count in present if count * room < _NARROWEST * total]
    left_over = max(room - _NARROWEST * len(small), 0.0) / max(total - sum(small), 1)
    parts, x = [], 0.5
    for word, count in present:
        style = styles[word]
        long = _NARROWEST if count * room < _NARROWEST * total else count * left_over
        parts.append(
            f'<rect data-status="{word}" x="{number(x)}" y=".5" width="{number(long)}" '
            f'height="{number(_HEIGHT - 1)}" fill="{style.colour}"><title>{count:,} {style.word}. </title></rect>'
            + (mark(x + long / 2, _HEIGHT / 2, 6, style, ring=True) if long >= 14 else "")
        )
        x += long
    frame = (
        f'<rect x=".5" y=".5" width="{number(room)}" height="{number(_HEIGHT - 1)}" fill="none" '
        'stroke="currentColor" stroke-opacity=".6"/>'
    )
    return f"{opened(width, _HEIGHT, told)}{''.join(parts)}{frame}</svg>"


def chip(style: StatusStyle, word: object = None) -> Markup:
    """Write a status as its mark on its colour and its word, for a line or a cell of HTML.

    Examples
    --------
    >>> "✗" in chip(EVERY_STYLE["failed"]) and "failed" in chip(EVERY_STYLE["failed"])
    True
    """
    return Markup(
        '<span style="white-space:nowrap"><span aria-hidden="true" style="display:inline-block;width:1.3em;'
        f'line-height:1.3;text-align:center;border-radius:3px;background:{style.colour};color:{style.ink}">'
        f"{escaped(style.mark)}</span> {escaped(style.word if word is None else word)}</span>"
    )


def legend(counts: Mapping[str, int], styles: Styles = EVERY_STYLE) -> Markup:
    """Write the legend of the statuses that occur, with counts, as a line of HTML, in the order of `styles`.

    Examples
    --------
    >>> [style.word for style in EVERY_STYLE.values() if style.word in legend({"failed": 2, "blocked": 1})]
    ['blocked', 'failed']
    """
    summary(counts, styles)
    entries = [
        f'<span style="margin-right:1em">{chip(style, f"{style.word} {counts[word]:,}")}</span>'
        for word, style in styles.items()
        if counts.get(word)
    ]
    return Markup(f'<div style="line-height:1.8">{" ".join(entries)}</div>' if entries else "")
