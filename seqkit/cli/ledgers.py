"""``runs`` and ``show``: what a ledger holds, and what happened in one run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from seqkit._show.html import shortened
from seqkit._util.formats import listed
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, plural
from seqkit.cli.options import whole
from seqkit.cli.printing import console, named, show, some
from seqkit.core.model import RunEvent, RunRecord
from seqkit.errors import RunNotFound
from seqkit.ledger.copies import settled
from seqkit.ledger.formats import FORMATS
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.frames import elapsed, items_frame
from seqkit.ledger.naming import NEWEST, SHORTEST_START, run_called, run_ids
from seqkit.ledger.reading import read_ledger
from seqkit.ledger.story import story_of

__all__ = ["LEDGER_HELP", "RUN_HELP", "read_found", "run_named", "runs", "show_run", "unreadable"]

LEDGER_HELP = f"A ledger: {listed(FORMATS)}. It is only read."
RUN_HELP = (
    f"A run: its id, or the start of it ({SHORTEST_START} characters or more) where no other run's id starts like "
    f"that, or {NEWEST}."
)

_NUMBERS = ("took", "released", "failed", "wave", "tries", "seq")
_LONGEST_CELL = 200


def runs(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help=LEDGER_HELP)],
) -> None:
    """List the runs of a ledger, oldest first."""
    found = read_found(ledger)
    to = console()
    counts = settled(found).ledger
    records = counts.list_runs()
    to.print(
        Text(
            f"{named(ledger)}: {plural(len(records), 'run')}, {plural(len(counts.events), 'event')}.{unreadable(found)}"
        )
    )
    if not records:
        return
    linked = any(_tag(run, "resumes") or _tag(run, "train") for run in records)
    columns = ["run", "status", "started (UTC)", "took", "released", "failed"]
    if linked:
        columns.append("links")
    rows = []
    for run in records:
        ends = Counter(told.status for told in story_of(run, counts.get_events(run.run_id)).told.values())
        row = [
            named(run.run_id),
            run.status.value,
            _moment(run.created_at)[:16],
            _between(run.created_at, run.completed_at),
            f"{ends['succeeded']:,}",
            f"{ends['failed']:,}",
        ]
        if linked:
            row.append(
                ", ".join(f"{key} {named(text)}" for key in ("train", "resumes") if (text := _tag(run, key))) or "-"
            )
        rows.append(row)
    show(to, "RUNS", columns, rows, _NUMBERS)


def show_run(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help=LEDGER_HELP)],
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)],
    most: Annotated[int, typer.Option(metavar="N", help="Show at most so many items and events; 0 for all.")] = 1000,
) -> None:
    """Show what became of each item of a run, and what happened, in order."""
    whole("--most", most, 0)
    found = read_found(ledger)
    run_id = run_named(found, run)
    counts = settled(found).ledger
    record = next((line.record for line in counts.runs if line.record.run_id == run_id), None)
    to = console()
    events = counts.get_events(run_id)
    if record is None:
        to.print(Text(f"Run {named(run_id)}: the ledger has events of it, but no record.{unreadable(found)}"))
    else:
        _print_record(to, record, unreadable(found))
        _print_items(to, items_frame(counts, run_id), most)
    show(
        to,
        "EVENTS",
        ("seq", "time (UTC)", "what", "repo", "details"),
        [_event_row(event) for event in _first(events, most)],
        _NUMBERS,
    )
    _print_more(to, len(events), most)


# ---------------------------------------------------------------------- reading


def read_found(path: str) -> FoundLedger:
    """Read a ledger, and leave out what cannot be read: `unreadable` says so."""
    return read_ledger(path, on_bad_lines="skip")


def unreadable(found: FoundLedger) -> str:
    """Say how much of a ledger could not be read or was counted once, as sentences to add; empty where nothing."""
    told = ""
    if found.unreadable:
        told = (
            f" {plural(len(found.unreadable), 'unreadable line')} left out; the command audit names what is unreadable."
        )
    if answer := settled(found).said:
        told += f" Counted once: {answer}."
    if guesses := [problem.message for problem in found.problems if problem.guessed]:
        told += f" To look at: {'; '.join(shortened(guess, 200) for guess in guesses)}."
    return told


def run_named(found: FoundLedger, name: str, typed: str = "RUN") -> str:
    """Give the id of the run that is called `name`, as :func:`seqkit.ledger.naming.run_called` does.

    `typed` is what the argument is called on the command line.

    Raises
    ------
    ValueError
        Where there is none, or more than one.
    """
    try:
        return run_called(found, name, typed)
    except RunNotFound:
        there = some(run_ids(found)[-5:], 5)
        raise ValueError(f"{typed} is {as_given(name, 200)}, which is no run of the ledger; it has {there}") from None


# ---------------------------------------------------------------------- printing


def _print_record(to: Console, run: RunRecord, note: str) -> None:
    ended = "has not ended" if run.completed_at is None else f"ended {_moment(run.completed_at)}"
    took = "" if run.completed_at is None else f" ({_between(run.created_at, run.completed_at)})"
    to.print(
        Text(f"Run {named(run.run_id)}: {run.status.value}, started {_moment(run.created_at)}, {ended}{took}.{note}")
    )
    plan = run.metadata.tags.get("plan") if isinstance(run.metadata.tags, dict) else None
    facts = [
        ("plan", _tag(run, "plan_id")),
        ("made by", run.metadata.agent_name),
        ("originating run", _text(plan.get("originating_run_id")) if isinstance(plan, dict) else ""),
        ("policy", _text(plan.get("policy")) if isinstance(plan, dict) else ""),
        ("train", _tag(run, "train")),
        ("resumes", _tag(run, "resumes")),
        ("commit", run.metadata.git_sha or ""),
    ]
    to.print(Text(", ".join(f"{word} {named(text)}" for word, text in facts if text) + "."))


def _print_items(to: Console, items: pd.DataFrame, most: int) -> None:
    planned = items["wave"].notna().any()
    title = (
        "ITEMS" if planned or not len(items) else "ITEMS: the run carries no plan; these are the repos of its events"
    )
    columns = ("wave", "repo", "version", "status", "tries", "took", "why, or released as")
    unreleased = (items["skip_cause"] == "unreleased").fillna(False).to_numpy(dtype=bool)
    # By wave: in a plan of some of a graph's repos a later wave may stand before an earlier one.
    tried = items[~unreleased].sort_values(["wave", "position"])
    rows = [_item_row(item) for item in tried.head(most or len(tried)).to_dict("records")]
    show(to, title, columns, rows, _NUMBERS)
    _print_more(to, len(tried), most)
    if unreleased.any():
        names = items["repo_id"][unreleased].tolist()
        to.print(Text(f"\n{plural(len(names), 'repo')} of the plan not to be released, passed over: {some(names)}"))


def _item_row(item: dict[Any, Any]) -> tuple[str, ...]:
    def text(key: str) -> str:
        return "" if pd.isna(item[key]) else str(item[key])

    why = text("released_as") if item["status"] == "succeeded" else text("reason")
    if item["status"] == "failed" and text("released_as"):
        why = f"out too late, as {text('released_as')}: {why}"
    doubtful = item["status"] == "failed" and item["in_doubt"] is True
    if item["blocked_by"]:
        why = f"because of {some(item['blocked_by'], 5)}"
    took = "-" if pd.isna(item["duration"]) else _took(item["duration"].to_pytimedelta())
    return (
        text("wave") or "-",
        named(text("repo_id")),
        shortened(text("version_label"), 40) or "-",
        "in doubt" if doubtful else text("skip_cause") or str(item["status"]).replace("_", " "),
        text("attempts"),
        took,
        shortened(why, _LONGEST_CELL) or "-",
    )


def _event_row(event: RunEvent) -> tuple[str, ...]:
    payload = event.payload
    repo = payload.get("node_id") if isinstance(payload, dict) else None
    rest = {key: value for key, value in payload.items() if key != "node_id"} if isinstance(payload, dict) else payload
    return (
        str(event.seq),
        _moment(event.timestamp, "milliseconds"),
        shortened(event.kind, 60),
        named(repo) if isinstance(repo, str) else "-",
        _details(rest),
    )


def _details(content: Any) -> str:
    if isinstance(content, dict) and all(isinstance(value, str | int | float | None) for value in content.values()):
        text = ", ".join(f"{key} {value}" for key, value in content.items())
    else:
        text = json.dumps(content, ensure_ascii=False, default=str)
    return shortened(text, _LONGEST_CELL) or "-"


def _print_more(to: Console, count: int, most: int) -> None:
    if most and count > most:
        to.print(Text(and_more(count - most, " (--most 0 shows all)", "\n… ")))


def _first(events: Sequence[RunEvent], most: int) -> Sequence[RunEvent]:
    return events[:most] if most else events


def _tag(run: RunRecord, key: str) -> str:
    return _text(run.metadata.tags.get(key)) if isinstance(run.metadata.tags, dict) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(moment: datetime, precision: str = "seconds") -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", precision)


def _between(start: datetime, end: datetime | None) -> str:
    span = elapsed(start, end)
    return "-" if span is None else _took(span)


def _took(span: timedelta) -> str:
    """Show how long something took.

    Examples
    --------
    >>> [_took(timedelta(seconds=s)) for s in (0.0071, 3.25, 187, 90_000)]
    ['0.007 s', '3.2 s', '3:07 min', '25:00 h']
    """
    seconds = span.total_seconds()
    if abs(seconds) < 1:
        return f"{seconds:.3f} s"
    if abs(seconds) < 60:
        return f"{seconds:.1f} s"
    sign, minutes = "-" * (seconds < 0), round(abs(seconds))
    if minutes < 3600:
        return f"{sign}{minutes // 60}:{minutes % 60:02} min"
    return f"{sign}{minutes // 3600}:{minutes % 3600 // 60:02} h"
