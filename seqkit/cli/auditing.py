"""``audit`` and ``anchor``: whether a ledger holds together, and what to keep of it elsewhere."""

from __future__ import annotations

import os
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from seqkit._show.html import shortened
from seqkit._util.secrets import as_given, shown
from seqkit._util.words import plural
from seqkit.auditing import anchor as taken
from seqkit.auditing import audit as examine
from seqkit.cli.ledgers import LEDGER_HELP, RUN_HELP, read_found, run_named
from seqkit.cli.printing import console, named, show
from seqkit.cli.source import GRAPH_HELP, read_order
from seqkit.cli.writing import JSON_HELP, check_targets, json_text, write
from seqkit.errors import RunNotFound

__all__ = ["anchor", "audit"]

_NOT_OK = 1
_LONGEST_MESSAGE = 300
_SEVERITIES = ("error", "warning", "info")
_ANCHOR_HELP = "Hold the ledger against a line that the command anchor gave earlier and that was kept elsewhere."


def anchor(ledger: Annotated[str, typer.Argument(metavar="LEDGER", help=LEDGER_HELP)]) -> None:
    """Print one line that tells of the whole ledger, to keep where whoever writes to the ledger cannot.

    In a tag, a mail, a commit elsewhere. audit --anchor LINE then finds whatever was changed or taken away since.
    """
    console().print(Text(taken(ledger)), soft_wrap=True)


def audit(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help=LEDGER_HELP)],
    run: Annotated[str | None, typer.Option(metavar="RUN", help="Audit one run only. " + RUN_HELP)] = None,
    graph: Annotated[str | None, typer.Option(metavar="DATASET_OR_FILE", help=GRAPH_HELP)] = None,
    anchor: Annotated[str | None, typer.Option(metavar="LINE", help=_ANCHOR_HELP)] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write a page to read and pass on.")] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help=JSON_HELP)] = None,
) -> None:
    """Hold a ledger against itself, its plans and the rules, and say what does not fit.

    Exit status: 0 where there is no error, 1 where there are errors, 2 where the ledger or an option cannot be used.
    What cannot be read in a ledger is a finding. The JSON object: ledger, ok, runs, events, findings, checks.
    """
    if html == "-":
        raise ValueError("--html is '-', expected the name of a file")
    tables = check_targets(ledger, None, json)
    check_targets(ledger, html, None)
    if html is not None and json is not None and os.path.realpath(html) == os.path.realpath(json):
        raise ValueError(f"--html and --json are both {as_given(html, 200)}, expected two places")
    order = None if graph is None else read_order(graph)
    try:
        report = examine(ledger, run, order, anchor)
    except (RunNotFound, ValueError):
        if run is not None:
            run_named(read_found(ledger), run)  # says which run is not meant as it is typed here
        raise
    if tables:
        _print(console(), report, html)
    if html is not None:
        report.to_html(html)
    if json is not None:
        write(json, json_text(_document(report)))
    if not report.ok:
        raise typer.Exit(_NOT_OK)


def _document(report: Any) -> dict[str, Any]:
    return {
        "ledger": report.ledger,
        "ok": report.ok,
        "runs": report.n_runs,
        "events": report.n_events,
        "findings": _records(report.findings),
        "checks": _records(report.checks),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.to_dict("records")
    return [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows]


def _print(to: Console, report: Any, html: str | None) -> None:
    findings, checks = report.findings, report.checks
    counts = findings["severity"].astype(str).value_counts()
    said = ", ".join(plural(int(counts.get(word, 0)), word, word if word == "info" else "") for word in _SEVERITIES)
    verdict = "holds together" if report.ok else "does not hold together"
    to.print(
        Text(
            f"{named(report.ledger)} {verdict}: {said} in {plural(report.n_runs, 'run')}, "
            f"{plural(report.n_events, 'event')}."
        )
    )
    if len(findings):
        rows = []
        for (check, severity), group in findings.groupby(["check", "severity"], observed=True, sort=False):
            first = group.iloc[0]
            of_run = "" if pd.isna(first["run_id"]) else f"run {named(first['run_id'])}: "
            message = shortened(of_run + first["message"], _LONGEST_MESSAGE)
            rows.append((_SEVERITIES.index(str(severity)), (str(severity), check, f"{len(group):,}", message)))
        rows.sort(key=lambda row: row[0])  # stable: as found within a severity
        show(to, "FINDINGS", ("severity", "check", "count", "the first of them"), [row for _, row in rows], ("count",))
    skipped = checks[checks["result"] == "not checked"]
    if len(skipped):
        rows_of_checks = [(row["check"], shortened(row["why"], _LONGEST_MESSAGE)) for row in skipped.to_dict("records")]
        show(to, "NOT CHECKED", ("check", "why"), rows_of_checks)
    quiet = (checks["result"] == "passed") & (checks["infos"] == 0) & (checks["warnings"] == 0)
    found = len(checks) - int(quiet.sum()) - len(skipped)
    told = f"{int(quiet.sum())} found nothing, {found} found something, {len(skipped)} could not be made"
    to.print(Text(f"\n{plural(len(checks), 'check')}: {told}."))
    if html is not None:
        to.print(Text(f"Written: {shown(html)}"))
