"""Rows of names and the table of steps, as HTML for the lesson."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.words import and_more, listed
from seqkit.widgets._parts import plain

__all__ = ["name_row", "steps_table"]

_MOST_ROWS = 500
_MOST_IN_CELL = 6

_CHIP = (
    "display:inline-block;margin:2px 4px 2px 0;padding:1px 7px;border-radius:4px;line-height:1.5;"
    "border:{width}px solid var(--jp-ui-font-color1, currentColor);"
)
_TAG = '<span style="font-size:.85em;opacity:.85"> {}</span>'


def name_row(
    title: str,
    repos: Sequence[str],
    *,
    words: Mapping[str, str],
    tags: Mapping[str, str],
    empty: str,
    last: bool = False,
    most: int = 24,
) -> str:
    """Lay names out in a row, in order, each with its status mark and perhaps a tag.

    Parameters
    ----------
    title : str
        What the row is.
    repos : sequence of str
        Who stands in it. Of long rows only one end is shown.
    words : mapping of str to str
        By repo, a key of ``STATUS_STYLES``: the mark before the name. Repos without one have none.
    tags : mapping of str to str
        By repo, a word behind the name. Names with a tag stand out.
    empty : str
        What to say where there is no repo.
    last : bool
        Whether the last names are shown of a long row, not the first.
    most : int
        How many names are shown.

    Examples
    --------
    >>> row = name_row("Queue", ["<api>"], words={}, tags={"<api>": "next"}, empty="nobody")
    >>> "<ol" in row, "&lt;api&gt;" in row, "next" in row
    (True, True, True)
    """
    shown = repos[-most:] if last else repos[:most]
    left_out = len(repos) - len(shown)
    items = [_chip(repo, words.get(repo), tags.get(repo)) for repo in shown]
    if left_out:
        note = f'<li style="display:inline">… {left_out} {"before these" if last else "more"} …</li>'
        items.insert(0 if last else len(items), note)
    body = (
        f'<ol style="display:inline;margin:0;padding:0;list-style:none">{"".join(items)}</ol>'
        if items
        else f"<i>{escape(empty)}</i>"
    )
    return f'<div style="line-height:1.9"><b style="margin-right:6px">{escape(title)}</b>{body}</div>'


def _chip(repo: str, word: str | None, tag: str | None) -> str:
    style = STATUS_STYLES[word] if word else None
    look = _CHIP.format(width=2 if tag else 1)
    mark = ""
    if style:
        look += f"background:{style.colour};color:{style.ink};"
        mark = f'<span aria-hidden="true">{style.mark}</span> '
    said = (
        f'<span style="position:absolute;width:1px;height:1px;overflow:hidden">, {style.word}</span>' if style else ""
    )
    return (
        f'<li style="display:inline;position:relative"><span style="{look}">{mark}{escape(plain(repo, 40))}{said}'
        f"{_TAG.format(escape(tag)) if tag else ''}</span></li>"
    )


def steps_table(frame: pd.DataFrame) -> str:
    """Fold the table of all steps away behind one line.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, steps
    >>> html = steps_table(steps(build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1.0")))
    >>> html.startswith("<details"), html.count("<tr>")
    (True, 3)
    """
    head = "".join(
        f'<th scope="col" style="text-align:left;padding:2px 8px">{name}</th>'
        for name in ("step", "choice", "ready before", "freed", "blocked", "why")
    )
    cell = '<td style="text-align:left;vertical-align:top;padding:2px 8px;white-space:normal">{}</td>'
    rows = []
    columns = ("step", "choice", "ready", "freed", "blocked", "why")
    for step, choice, ready, freed, blocked, why in frame.head(_MOST_ROWS)[list(columns)].itertuples(index=False):
        texts = [str(step), plain(choice, 40), _names(ready), _names(freed), _names(blocked), plain(why, 300)]
        rows.append("<tr>" + "".join(cell.format(escape(text)) for text in texts) + "</tr>")
    more = len(frame) - len(rows)
    note = and_more(more, ": <code>walk.frame</code> has all.</div>", "<div>… ")
    return (
        f'<details><summary style="cursor:pointer">All {len(frame)} steps as a table</summary>'
        '<div role="region" aria-label="All steps" tabindex="0" '
        f'style="overflow:auto;max-height:24em;line-height:1.4"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{note}</details>"
    )


def _names(repos: Sequence[str]) -> str:
    return listed(repos, _MOST_IN_CELL, lambda repo: plain(repo, 40))
