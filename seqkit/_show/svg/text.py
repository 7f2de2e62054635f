"""Text and numbers in SVG: short, escaped, and measured without a font."""

from __future__ import annotations

import unicodedata

from seqkit._show.html import escaped, shortened

__all__ = ["FONT", "fitted", "number", "opened", "text", "width"]

FONT = "'DejaVu Sans',Verdana,sans-serif"  # about equally wide, so that what is measured holds

# In hundredths of the font size, those of DejaVu Sans rounded up; it has everything else at most this wide.
_WIDTHS = {
    char: size
    for size, chars in ((36, " ',-./:;IJ\\fijl|"), (41, "!()[]rt"), (53, '"*?_`sz'), (64, "FLPTYacehknbdgopquvxy"))
    for char in chars
} | dict.fromkeys("ES$0123456789{}", 64)
_CAPITAL, _ANY, _WIDE = 85, 105, 140


def number(value: float) -> str:
    """Write a coordinate with at most one decimal.

    Examples
    --------
    >>> number(2.0), number(-0.04), number(1.25)
    ('2', '0', '1.2')
    """
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told


def width(line: str, size: float) -> float:
    """Estimate how wide a line is when set in `size`, on the safe side.

    Examples
    --------
    >>> width("core", 10) < width("CORE", 10) < width("コアコア", 10)
    True
    """
    return size / 100 * sum(map(_hundredths, line))


def _hundredths(char: str) -> int:
    if char in _WIDTHS:
        return _WIDTHS[char]
    if char.isascii():
        return 100 if char in "mMwW@%" else _CAPITAL
    if unicodedata.combining(char):
        return 0
    return _WIDE if unicodedata.east_asian_width(char) in "WF" else _ANY


def fitted(line: str, size: float, room: float, limit: int = 24) -> str:
    """Cut a line in the middle until it has at most `limit` characters and fits into `room`.

    Examples
    --------
    >>> fitted("jest-resolve-dependencies", 10, 80)
    'jest-re…encies'
    """
    line = shortened(line, limit)
    while limit > 1 and width(shortened(line, limit), size) > room:
        limit -= 1
    return shortened(line, limit)


def text(x: float, y: float, line: str, size: float = 11, **attributes: str) -> str:
    """Write a line of text whose middle is at height `y`."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return (
        f'<text x="{number(x)}" y="{number(y + 0.36 * size)}" font-size="{number(size)}"{more}>{escaped(line)}</text>'
    )


def opened(width: float, height: float, label: str, at_most: float | None = 0) -> str:
    """Open a picture of this size, whose meaning is `label`; close it with ``</svg>``.

    The label is an attribute, not a title: where a page removes pictures it does not trust, no words stay behind.
    It is shown with at most `at_most` pixels of width and never wider than the page; with None as large as it is.
    """
    told = escaped(label, 1_000)
    scale = min(1.0, at_most / width) if at_most else 1.0
    style = "max-width:none" if at_most is None else "max-width:100%;height:auto"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{told}" width="{number(width * scale)}" '
        f'height="{number(height * scale)}" viewBox="0 0 {number(width)} {number(height)}" style="{style}" '
        f'font-family="{FONT}" fill="currentColor">'
    )
