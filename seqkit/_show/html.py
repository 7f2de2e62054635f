"""HTML for notebook reprs: escaped, byte-stable, readable in light and dark themes.

Reprs must never carry ids, times or addresses, so that a notebook executed twice
is the same file, and nothing that a repo is called may reach the page as markup:
neither as HTML nor as the TeX that notebooks set between dollars, with links in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from seqkit._util.words import listed, shortened

__all__ = [
    "EMPTY",
    "NO_TEX",
    "Markup",
    "amount",
    "escaped",
    "folded",
    "names",
    "page",
    "rows_of",
    "shortened",
    "table",
]

_LONGEST_CELL = 200
EMPTY = "''"
"""An empty id, where nothing at all would be read past."""
NO_TEX = ("mathjax_ignore", "tex2jax_ignore")
"""Classes of an element in which MathJax sets nothing: of version 3 and later, and of version 2."""


class Markup(str):
    """Text that is HTML already and must not be escaped again."""

    __slots__ = ()


def escaped(value: object, limit: int = _LONGEST_CELL) -> Markup:
    r"""Make text of a page or an attribute: shortened, and escaped as text and as HTML.

    Examples
    --------
    >>> print(escaped('<b> & "\0"'))
    &lt;b&gt; &amp; &quot;\x00&quot;
    """
    if isinstance(value, Markup):
        return value
    return Markup(escape(shortened("" if value is None else str(value), limit)))


def amount(value: float, digits: int = 4) -> str:
    """Write a number with so many digits (3 or more), from a thousand on as a whole one.

    Examples
    --------
    >>> amount(41.26789), amount(34059.4)
    ('41.27', '34,059')
    """
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.{digits}g}"


def names(repos: Sequence[str], most: int = 8, limit: int = 40) -> Markup:
    """List repo ids, the first `most`; each keeps to itself whichever way its script runs.

    Examples
    --------
    >>> print(names(["core", "api", "app"], most=2))
    <bdi>core</bdi>, <bdi>api</bdi> and 1 more
    """
    return Markup(listed(repos, most, lambda repo: f"<bdi>{escaped(repo or EMPTY, limit)}</bdi>"))


def page(caption: object, *parts: str, note: object = "") -> str:
    """Put a caption above parts that are HTML already, and a note below.

    Examples
    --------
    >>> page("1 < 2", "<hr/>")
    '<div class="mathjax_ignore tex2jax_ignore"><div style="font-weight:600">1 &lt; 2</div><hr/></div>'
    """
    foot = f'<div style="opacity:.75">{escaped(note)}</div>' if note else ""
    head = f'<div style="font-weight:600">{escaped(caption)}</div>'
    return f'<div class="{" ".join(NO_TEX)}">{head}{"".join(parts)}{foot}</div>'


def folded(summary: object, content: str) -> str:
    """Hide HTML behind a line that opens it.

    Examples
    --------
    >>> folded("all 46", "<hr/>")
    '<details><summary>all 46</summary><hr/></details>'
    """
    return f"<details><summary>{escaped(summary)}</summary>{content}</details>"


def rows_of(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Lay out `rows` as an HTML table; everything but :class:`Markup` is escaped."""
    head = "".join(f'<th scope="col" style="text-align:left">{escaped(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escaped(value)}</td>' for value in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table(caption: object, columns: Sequence[object], rows: Iterable[Sequence[object]], note: object = "") -> str:
    """Lay out `rows` as an HTML table with a caption above and a note below; all but :class:`Markup` is escaped.

    Examples
    --------
    >>> "<script>" in table("plan", ["repo"], [["<script>"]])
    False
    """
    return page(caption, rows_of(columns, rows), note=note)
