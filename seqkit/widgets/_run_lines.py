"""Runs as lines of text, for a list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from seqkit._show.palette import EVERY_STYLE
from seqkit._show.times import time_text
from seqkit._util.words import plural
from seqkit.explore.run_diff import WORDS
from seqkit.ledger.showing import RUN_STYLES
from seqkit.widgets._parts import plain

__all__ = ["run_lines"]

_GAP = "\u00a0\u00a0"  # in a list, ordinary spaces would become one


def run_lines(runs: pd.DataFrame) -> list[str]:
    """Write a line for each run of :meth:`seqkit.explore.browse.Browser.runs`, in columns of one width.

    These are: how it stands, its start (UTC), how long it took, what became of its repos, its train or else
    what it was made for, its id, and, once it has been audited, the number of errors.
    """
    rows = [_cells(row) for row in runs.to_dict("records")]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(6)]
    return [_GAP.join(text.ljust(width, "\u00a0") for text, width in zip(row, widths, strict=True)) for row in rows]


def _cells(run: dict[Any, Any]) -> Sequence[str]:
    style = RUN_STYLES[run["status"]]
    counts = [f"{run[word]:,} {EVERY_STYLE[word].word}" for word in WORDS if not pd.isna(run[word]) and run[word]]
    name = next((run[tag] for tag in ("train", "originating_run_id", "plan_id") if not pd.isna(run[tag])), "")
    errors = 0 if pd.isna(run["errors"]) else run["errors"]
    return [
        f"{style.mark} {style.word}",
        "" if pd.isna(run["started_at"]) else f"{run['started_at']:%Y-%m-%d %H:%M}".replace(" ", "\u00a0"),
        "" if pd.isna(run["duration"]) else time_text(run["duration"]).replace(" ", "\u00a0"),
        ", ".join(counts) or ("cannot be read" if pd.isna(run["succeeded"]) else "no repos"),
        plain(name, 24) if name else "",
        plain(run["run_id"], 24) + (f", {plural(errors, 'error')}" if errors else ""),
    ]
