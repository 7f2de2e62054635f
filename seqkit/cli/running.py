"""``run``: a release by commands, recorded in a ledger, with what runs now shown while it goes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from seqkit._show.html import shortened
from seqkit._util.secrets import shown
from seqkit._util.words import plural
from seqkit.cli.printing import console, named, show, some
from seqkit.cli.progress import watching
from seqkit.cli.releasing import Commands, Releasing, releasing
from seqkit.cli.source import SOURCE_HELP, read_source
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.errors import SequencingFailed
from seqkit.ledger import RunLedger, open_ledger
from seqkit.ledger.story import read_story
from seqkit.running.executor import run_plan

__all__ = ["release", "run"]

_NOT_ALL = 1
_LONGEST_CELL = 200
_WRITTEN_HELP = (
    "Where the run is recorded: a SQLite file (runs.db), or the URL of a database. Made where it is not there."
)


@releasing()
def run(
    source: Annotated[str, typer.Argument(metavar="PLAN_OR_GRAPH", help=SOURCE_HELP)],
    ledger: Annotated[str, typer.Option(metavar="LEDGER", help=_WRITTEN_HELP)],
    how: Releasing,
    version: Annotated[
        str | None, typer.Option(metavar="V", help="The version of repos that have none in the file.")
    ] = None,
    merge_cycles: Annotated[
        bool, typer.Option("--merge-cycles", help="Release each dependency cycle as one unit.")
    ] = False,
) -> int:
    """Release each repo by a command, after what it needs, and record every step.

    Exit code 0: all is out; 1: something is not; 130: interrupted, 143: terminated, and the ledger tells what was done.
    """
    return release(read_source(source, merge_cycles, version, versioned=True).plan, ledger, how)


def release(plan: SequencePlan, ledger: str, how: Releasing) -> int:
    """Run a plan as `how` says, and tell what became of it; gives the exit code."""
    to = console()
    releaser = how.releaser()
    if how.dry_run:
        run_plan(plan, releaser, dry_run=True, **how.options)
        to.print(Text(f"\nNothing has run, and nothing is written: {plural(len(plan.released), 'repo')} would."))
        return 0
    with open_ledger(ledger) as kept, _told(to, kept, ledger, releaser), watching(plan) as on_event:
        outcome = run_plan(plan, releaser, kept, on_event=on_event, **how.options)
    _print(to, outcome, ledger)
    return 0 if outcome.overall_success else _NOT_ALL


@contextlib.contextmanager
def _told(to: Console, kept: RunLedger, ledger: str, releaser: Commands) -> Iterator[None]:
    """Say what the ledger knows where a run is broken off."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):  # whatever broke it off says more
            if (run_id := releaser.run_id) is not None:
                outcome = read_story(kept, run_id).outcome(run_id=run_id)
                doubt = f" In doubt: {some(outcome.in_doubt, 5)}." if outcome.in_doubt else ""
                status = kept.get_run(run_id).status.value
                to.print(Text(f"\nRun {run_id} is {status}: {outcome.summary()}.{doubt}"))
                _go_on(to, ledger, run_id)
        sys.stdout.flush()
        raise


def _go_on(to: Console, ledger: str, run_id: str) -> None:
    to.print(Text("\nThis says what is left; with --run and the same options it goes on:"))
    to.print(Text(f"    python -m seqkit resume {shown(ledger)} {named(run_id)}"), soft_wrap=True)


def _print(to: Console, outcome: SequenceOutcome, ledger: str) -> None:
    run_id = outcome.run_id or ""
    to.print(Text(f"Run {named(run_id)}: {outcome.summary()}."))
    words = outcome.words()
    rows = []
    for item, word, blockers in zip(outcome.items, words, outcome.blocked_by, strict=True):
        if word in ("succeeded", "unreleased"):
            continue
        why = SequencingFailed.reason_in(item.repo_id, item.status.reason or "")
        if blockers:
            why = f"waits for {some(list(blockers), 3)}"
        rows.append((named(item.repo_id), word.replace("_", " "), shortened(why, _LONGEST_CELL) or "-"))
    if rows:
        show(to, "NOT RELEASED", ("repo", "ended as", "why"), rows)
        _go_on(to, ledger, run_id)
