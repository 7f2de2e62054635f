"""How a ledger looks in a notebook: how its runs ended, and the last of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seqkit._show.html import folded, page, rows_of
from seqkit._show.palette import STATUS_STYLES, StatusStyle
from seqkit._show.svg import chip, legend, strip

__all__ = ["LAST", "RUN_STYLES", "runs_page"]

LAST = 20
"""How many runs are listed."""

_OPEN = 6  # of these; the earlier ones are folded away

RUN_STYLES: Mapping[str, StatusStyle] = {
    run: StatusStyle(run.lower(), STATUS_STYLES[status].colour, STATUS_STYLES[status].mark)
    for run, status in (
        ("RUNNING", "in_progress"),
        ("COMPLETED", "succeeded"),
        ("FAILED", "failed"),
        ("CANCELLED", "stopped"),
    )
}
"""By run status, the look of the status of an item that means the same."""


def runs_page(caption: str, counts: Mapping[Any, int], last: Iterable[tuple[Any, Any, int]], note: str = "") -> str:
    """Write the HTML repr of a ledger.

    Parameters
    ----------
    caption : str
        What ledger it is.
    counts : mapping of str to int
        How many runs have each status. Somebody may have written another into a database: these are told apart.
    last : iterable of (run id, status, number of events)
        The last :data:`LAST` runs, oldest first.
    note : str
        What else there is to say.
    """
    rows = [
        (run_id, chip(RUN_STYLES[status]) if status in RUN_STYLES else status, f"{events:,}")
        for run_id, status, events in last
    ]
    total = sum(counts.values())
    known = {status: counts[status] for status in RUN_STYLES if status in counts}
    parts: list[str] = [legend(known, RUN_STYLES)]
    if total:
        columns = ["run", "status", "events"]
        parts = [strip(known, RUN_STYLES), *parts, rows_of(columns, rows[-_OPEN:])]
        if earlier := rows[:-_OPEN]:
            parts.insert(2, folded(f"{len(earlier)} before these", rows_of(columns, earlier)))
    notes = [f"the last {LAST} of {total:,} runs: runs_frame(ledger) has all"] if total > LAST else []
    if strange := total - sum(known.values()):
        notes.append(f"{strange:,} with an unknown status")
    return page(caption, *parts, note="; ".join(filter(None, [*notes, note])))
