"""Whole pages: they need nothing else, run nothing, print well, and are the same bytes every time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape

from seqkit._show.html import NO_TEX, Markup, escaped
from seqkit._util.files import replacing

__all__ = ["cell", "document", "grid", "sentences", "unbroken", "write_document"]

_LONGEST = 600
_LONGEST_TITLE = 120

# Colours come in pairs that the reader's own setting chooses between; black on white on paper.
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  background: Canvas; color: CanvasText; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.verdict { border: 2px solid CanvasText; border-left-width: .8rem; padding: .75rem 1rem; font-size: 1.1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid GrayText; }
td { overflow-wrap: anywhere; min-width: 5rem; } td.n, .word { overflow-wrap: normal; }
th { border-bottom-width: 2px; white-space: nowrap; } thead { display: table-header-group; } tr { break-inside: avoid; }
td.n, th.n { text-align: right; white-space: nowrap; min-width: 0; } .word { white-space: nowrap; font-weight: 600; }
.quiet { opacity: .8; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; } h2, h3 { break-after: avoid; }
@page { margin: 1.5cm; }
@media print { :root { color-scheme: light; font-size: 11px; } body { max-width: none; margin: 0; padding: 0;
  font-size: 1rem; background: #fff; color: #000; } }
"""


def document(title: str, parts: Iterable[str], style: str = "") -> str:
    """Put parts that are HTML already under a title, which is escaped here; `style` is added to the style sheet.

    Examples
    --------
    >>> page = document("<b>", ["<p>all</p>"])
    >>> "<b>" in page, page.count("&lt;b&gt;"), "default-src 'none'" in page
    (False, 2, True)
    """
    name = escaped(title, _LONGEST_TITLE)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{name}</title><style>{_STYLE}{style}</style></head>",
        f'<body><main class="{" ".join(NO_TEX)}">',
        f"<h1>{name}</h1>",
        *parts,
        "</main></body></html>",
    ]
    return "\n".join(lines) + "\n"


def write_document(path: str | os.PathLike[str], text: str) -> None:
    """Write a page: whole, or not at all. Half a character, which UTF-8 cannot hold, is written as its escape.

    Raises
    ------
    OSError
        Naming the file, where it cannot be written.
    """
    content = text.encode("utf-8", "backslashreplace")
    with replacing(path) as draft:
        draft.write_bytes(content)


def unbroken(text: object) -> Markup:
    """Make a word of a table that stands out and is never broken.

    Examples
    --------
    >>> print(unbroken("a < b"))
    <span class="word">a &lt; b</span>
    """
    return Markup(f'<span class="word">{escaped(text)}</span>')


def cell(value: object, limit: int = _LONGEST) -> Markup:
    """Write what stands in a cell: numbers with their thousands apart, all but markup escaped, nothing for None.

    Examples
    --------
    >>> print(cell(1200), cell("<b>"), cell(None) == "")
    1,200 &lt;b&gt; True
    """
    return Markup(f"{value:,}") if isinstance(value, int) else escaped(value, limit)


def grid(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> str:
    """Lay out a table that fills the page; whole numbers, and the columns `right`, stand at the right.

    Examples
    --------
    >>> grid(["Repo", "Tries"], [["<b>", 1200]]).splitlines()[1]
    '<tr><td>&lt;b&gt;</td><td class=n>1,200</td></tr>'
    """
    numbers = [column in right for column in columns]
    head = "".join(
        f"<th{' class=n' * number}>{escape(column)}</th>" for column, number in zip(columns, numbers, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f"<td{' class=n' * (number or isinstance(value, int))}>{cell(value)}</td>"
            for value, number in zip(row, numbers, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def sentences(told: Iterable[str]) -> str:
    """List sentences."""
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in told) + "</ul>"
