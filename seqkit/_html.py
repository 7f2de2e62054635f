"""HTML for notebook reprs: escaped, byte-stable, readable in light and dark themes.

Reprs must never carry ids, times or addresses, so that a notebook executed twice
is the same file, and nothing that a repo is called may reach the page as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["shortened", "table"]

_LONGEST_CELL = 200


def shortened(text: str, limit: int = _LONGEST_CELL) -> str:
    """Cut `text` in the middle to `limit` characters, so that a huge id cannot flood a page.

    Examples
    --------
    >>> shortened("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= limit:
        return text
    keep = limit - 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> str:
    """Lay out `rows` as an HTML table with a caption above and a note below; everything is escaped.

    Examples
    --------
    >>> "<script>" in table("plan", ["repo"], [["<script>"]])
    False
    """

    def cell(value: object) -> str:
        return escape(shortened("" if value is None else str(value)))

    head = "".join(f'<th style="text-align:left">{cell(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{cell(value)}</td>' for value in row) + "</tr>" for row in rows
    )
    foot = f'<div style="opacity:.75">{cell(note)}</div>' if note else ""
    return (
        f'<div><div style="font-weight:600">{cell(caption)}</div>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}</div>"
    )
