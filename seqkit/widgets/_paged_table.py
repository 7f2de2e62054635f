"""A DataFrame as an HTML table that a screen reader can read, some rows at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import ipywidgets as ipw
import pandas as pd

from seqkit._show.html import Markup, escaped
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip
from seqkit._show.times import time_text
from seqkit.explore.arranging import arranged
from seqkit.widgets._parts import Html, plain

__all__ = ["PagedTable", "cell", "table_html"]

_CELL = "text-align:left;vertical-align:top;padding:2px 8px;border-bottom:1px solid var(--jp-border-color2,#ccc)"
_HEAD = f"{_CELL};position:sticky;top:0;background:var(--jp-layout-color1,#fff)"
_LONGEST = 160


def cell(value: Any) -> Markup:
    """Show what may stand in a frame: nothing for missing values, statuses with their marks.

    Examples
    --------
    >>> print(cell(pd.NA), cell("a<b"), cell(["core", "api"]), cell(timedelta(seconds=9)), cell({"b": 1}), sep="|")
    |<bdi>a&lt;b</bdi>|<bdi>core, api</bdi>|9.0 s|<bdi>{&quot;b&quot;: 1}</bdi>
    """
    if isinstance(value, Markup):
        return value
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    elif isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    elif pd.isna(value):
        return Markup("")
    elif isinstance(value, timedelta):
        return _unbroken(time_text(value))
    elif isinstance(value, pd.Timestamp):
        return _unbroken(f"{value:%Y-%m-%d %H:%M:%S}")
    elif not isinstance(value, str):
        return escaped(f"{value:,}" if isinstance(value, int) else value)
    return Markup(f"<bdi>{escaped(plain(value, _LONGEST) if value else '', _LONGEST)}</bdi>")


def _unbroken(text: str) -> Markup:
    return Markup(escaped(text).replace(" ", "\u00a0"))


def table_html(
    frame: pd.DataFrame, caption: str, columns: Mapping[str, str], by: str | None = None, descending: bool = False
) -> str:
    """Write a table with a caption, headed columns, and each row headed by its first cell.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    caption : str
        What they are.
    columns : mapping of str to str
        Columns to show, and what stands above each; a column ``word`` holds keys of ``EVERY_STYLE``.
    by : str, optional
        The column that the rows are sorted by.
    descending : bool
        Whether they fall.
    """
    way, arrow = ("descending", " ▼") if descending else ("ascending", " ▲")
    sorted_by = (f' aria-sort="{way}"', arrow)
    head = ""
    for name, heading in columns.items():
        sort, after = sorted_by if name == by else ("", "")
        head += f'<th scope="col"{sort} style="{_HEAD}">{escaped(heading)}{after}</th>'
    body = "".join(_row(row, list(columns)) for row in zip(*(frame[name] for name in columns), strict=True))
    name = escaped(caption)
    return (
        f'<div role="region" aria-label="{name}">'
        '<table style="border-collapse:collapse;font-size:12px;line-height:1.4">'
        f'<caption style="text-align:left;padding:2px 8px;font-weight:600;caption-side:top">{name}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[Any], columns: Sequence[str]) -> str:
    shown = [
        chip(EVERY_STYLE[value]) if name.startswith("word") and not pd.isna(value) else cell(value)
        for name, value in zip(columns, row, strict=True)
    ]
    rest = "".join(f'<td style="{_CELL}">{text}</td>' for text in shown[1:])
    return f'<tr><th scope="row" style="{_CELL};font-weight:600">{shown[0]}</th>{rest}</tr>'


class PagedTable(ipw.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A table, with buttons where it has more rows than one page; it is replaced whole.

    Its rows can be sorted by a column, either way, and narrowed to those with a text in them.

    Parameters
    ----------
    what : str
        What the rows are, for the buttons.
    page_size : int
        Rows on a page.
    """

    def __init__(self, what: str, page_size: int = 100) -> None:
        self._page_size = page_size
        self._page = 0
        self._shown: tuple[pd.DataFrame, str, Mapping[str, str]] = (pd.DataFrame(), "", {})
        self._about: object = None
        # What scrolls and has the focus is the widget: its content is replaced while a run goes on.
        self._html = Html(layout=ipw.Layout(overflow="auto", max_height="420px"))
        self._place = ipw.Label()
        self._back = ipw.Button(description="◀ before", tooltip=f"{what} before these")
        self._on = ipw.Button(description="after ▶", tooltip=f"{what} after these")
        self._back.on_click(lambda _button: self.turn(self._page - 1))
        self._on.on_click(lambda _button: self.turn(self._page + 1))
        self._pager = ipw.HBox([self._back, self._on, self._place])
        self.sort = ipw.Dropdown(
            options=[("as they come", "")], description="sort by", tooltip=f"sort {what} by this column"
        )
        self.falling = ipw.ToggleButton(
            description="▼ falling", tooltip="the largest or last first", layout=ipw.Layout(width="auto")
        )
        self.find = ipw.Text(
            description="filter",
            placeholder="repo, reason …",
            tooltip=f"only {what} with this text in them",
            continuous_update=False,
        )
        for control in (self.sort, self.falling, self.find):
            control.observe(self._rearranged, "value")
        self._tools = ipw.HBox([self.sort, self.falling, self.find], layout=ipw.Layout(flex_flow="row wrap"))
        self._filling = False
        super().__init__([self._tools, self._html, self._pager])

    @property
    def n_pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-len(self._arranged()) // self._page_size))

    @property
    def html(self) -> str:
        """The page that is shown."""
        return str(self._html.value)

    def show(self, frame: pd.DataFrame, caption: str, columns: Mapping[str, str], about: object = None) -> None:
        """Show a frame, from its first row or, where it is `about` the same as the last one, on the same page.

        The other parameters are those of :func:`table_html`.
        """
        page = self._page if about is not None and about == self._about else 0
        self._shown, self._about = (frame, caption, columns), about
        self._filling = True
        try:
            kept = self.sort.value
            self.sort.options = [("as they come", ""), *((title, name) for name, title in columns.items())]
            self.sort.value = kept if kept in columns else ""
        finally:
            self._filling = False
        self._tools.layout.display = None if len(frame) > 1 else "none"
        self.turn(page)

    def _rearranged(self, _change: Any) -> None:
        if not self._filling and self._shown[2]:
            self.turn(0)

    def _arranged(self) -> pd.DataFrame:
        frame, _, columns = self._shown
        return arranged(frame, columns, self.sort.value or None, self.falling.value, self.find.value)

    def say(self, sentence: str) -> None:
        """Show a sentence in place of a table."""
        self._shown, self._about = (pd.DataFrame(), "", {}), None
        self._html.value, self._html.tabbable = f"<p>{escaped(sentence, 600)}</p>", None
        self._pager.layout.display = self._tools.layout.display = "none"

    def turn(self, page: int) -> None:
        """Show another page; before the first and after the last there is none."""
        (whole, caption, columns), frame = self._shown, self._arranged()
        if len(frame) < len(whole):
            caption = f"{caption}, {len(frame):,} of them with {self.find.value.strip()!r:.60}"
        self._page = min(max(page, 0), self.n_pages - 1)
        first = self._page * self._page_size
        rows = frame.iloc[first : first + self._page_size]
        self._html.value, self._html.tabbable = (
            table_html(rows, caption, columns, self.sort.value, self.falling.value),
            True,
        )
        self._back.disabled, self._on.disabled = self._page == 0, self._page == self.n_pages - 1
        self._place.value = f"{first + 1:,} to {first + len(rows):,} of {len(frame):,}"
        self._pager.layout.display = None if self.n_pages > 1 else "none"
