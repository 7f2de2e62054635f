"""``report``: what became of a train, for people."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from seqkit._util.secrets import shown
from seqkit.cli.ledgers import LEDGER_HELP, read_found, run_named, unreadable
from seqkit.cli.printing import console
from seqkit.cli.source import GRAPH_HELP, read_order
from seqkit.cli.writing import check_targets
from seqkit.errors import RunNotFound
from seqkit.history.report import report as reported
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.naming import NEWEST, SHORTEST_START

__all__ = ["report"]

_HELP = (
    f"A train, with all its runs, or a run: its id, the start of it ({SHORTEST_START} characters or more) or {NEWEST}."
)


def report(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help=LEDGER_HELP)],
    run_or_train: Annotated[str, typer.Argument(metavar="RUN_OR_TRAIN", help=_HELP)] = NEWEST,
    graph: Annotated[
        str | None,
        typer.Option(metavar="DATASET_OR_FILE", help=GRAPH_HELP + " Only the picture needs it."),
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write a page to read, print and pass on.")] = None,
) -> None:
    """Say what became of a train: what shipped, what failed and why, what is left, how long each took."""
    if html == "-":
        raise ValueError("--html is '-', expected the name of a file")
    check_targets(ledger, html, None)
    found = read_found(ledger)
    counting = without_repeats(found)  # the note says what stood there again
    order = None if graph is None else read_order(graph)
    try:
        told = reported(counting, run_or_train, order)
    except RunNotFound:
        run_named(found, run_or_train, "RUN_OR_TRAIN")  # says what is wrong with it as it is typed here
        raise
    to = console()
    to.print(Text(repr(told)), soft_wrap=True)
    if note := unreadable(found).strip():
        to.print(Text(note))
    if html is not None:
        told.to_html(html)
        to.print(Text(f"Written: {shown(html)}"))
