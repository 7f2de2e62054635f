"""All that a run tells of one repo: how it stands, each attempt with its times, and why it failed, in full."""

from __future__ import annotations

import ipywidgets as ipw
import pandas as pd

from seqkit._show.html import escaped
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip
from seqkit._util import dtypes
from seqkit.explore.one_repo import OneRepo
from seqkit.ledger.frames import elapsed
from seqkit.widgets._paged_table import table_html
from seqkit.widgets._parts import Html, plain

__all__ = ["RepoPanel"]

_MOST_TRIES = 20
_ATTEMPTS = {
    "number": "attempt",
    "word": "ended as",
    "began": "began (UTC)",
    "ended": "ended (UTC)",
    "took": "took",
    "reason": "reason",
    "detail": "its system says",
}
_MOST_LINES = 400  # of a reason: the last ones, where a log ends
_LONGEST_LINE = 1_000
_LOG = (
    "margin:2px 0;padding:4px 8px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;line-height:1.35;"
    "color:inherit;background:var(--jp-layout-color2,#f2f2f2)"
)


class RepoPanel(Html):
    """A place for what is known of a repo; before one is pressed it says how to get there.

    Parameters
    ----------
    hint : str
        What to do to see something here.
    """

    def __init__(self, hint: str) -> None:
        super().__init__(layout=ipw.Layout(overflow="auto", max_height="230px"))
        self._hint = hint
        self.clear()

    def clear(self) -> None:
        """Show of no repo."""
        self._put(f'<div style="opacity:.8">{escaped(self._hint)}</div>', None)

    def show(self, told: OneRepo, where: str = "") -> None:
        """Show what is told of a repo; `where` says in which run."""
        self._put(_html(told, where), True)

    def _put(self, html: str, tabbable: bool | None) -> None:
        self.value, self.tabbable = html, tabbable


def _html(told: OneRepo, where: str) -> str:
    name = escaped(plain(told.repo_id, 80))
    style = EVERY_STYLE[told.word]
    named = [("version", told.version), ("released as", told.released_as), ("its system says", told.detail)]
    known = [*(f"{name} {value}" for name, value in named if value), told.waits]
    about = "; ".join(escaped(text, 300) for text in known if text)
    head = (
        f'<div style="line-height:1.6"><b><bdi>{name}</bdi></b>{f" in {escaped(where, 120)}" if where else ""}: '
        f"{chip(style)}{f'; {about}' if about else ''}</div>"
    )
    label = escaped(f"{plain(told.repo_id, 80)}: {style.word}")
    return f'<div role="region" aria-label="{label}">{head}{_tries(told)}{_reason(told)}</div>'


def _tries(told: OneRepo) -> str:
    shown = told.tries[-_MOST_TRIES:]
    if not shown:
        return ""
    frame = pd.DataFrame(
        {
            "number": [one.number for one in shown],
            "word": [one.outcome for one in shown],
            "began": dtypes.utc([one.began for one in shown]),
            "ended": dtypes.utc([one.ended for one in shown]),
            "took": dtypes.timedelta64([elapsed(one.began, one.ended) for one in shown]),
            "reason": dtypes.string([(one.reason or "").partition("\n")[0] or None for one in shown]),
            "detail": dtypes.string([one.detail for one in shown]),
        }
    )
    columns = {name: title for name, title in _ATTEMPTS.items() if not frame[name].isna().all()}
    earlier = len(told.tries) - len(shown)
    return table_html(frame, f"Attempts{f', the last {len(shown)} of {len(told.tries):,}' if earlier else ''}", columns)


def _reason(told: OneRepo) -> str:
    """Give the reason as it was written, where it has more lines than the table shows."""
    lines = (told.reason or "").splitlines()
    if len(lines) < 2:
        return ""
    text = "\n".join(escaped(line, _LONGEST_LINE) for line in lines[-_MOST_LINES:])
    return f'<pre style="{_LOG}">{text}</pre>'
