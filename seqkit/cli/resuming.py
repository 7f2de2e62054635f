"""``resume``: what a run left to do."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from seqkit._show.html import shortened
from seqkit._util.secrets import shown
from seqkit._util.words import plural
from seqkit.cli.ledgers import LEDGER_HELP, RUN_HELP, read_found, run_named, unreadable
from seqkit.cli.options import one_of
from seqkit.cli.printing import console, named, show, some
from seqkit.cli.releasing import Releasing, releasing
from seqkit.cli.running import release
from seqkit.cli.source import GRAPH_HELP, read_order
from seqkit.cli.writing import check_targets, write
from seqkit.history.doubt import InDoubt
from seqkit.history.past import NotTold
from seqkit.history.resume import ResumePlan, resume_plan
from seqkit.ledger.copies import without_repeats

__all__ = ["resume"]

_WORDS = {"not_reached": "not reached", "in_doubt": "in doubt"}
_AS_TYPED = {  # options as they are typed here, not Python's arguments
    "in_doubt": "{}; look whether they are out, then give --in-doubt retry to release them again, --in-doubt done to "
    "take all of them as released, or --released REPO with those that are out",
    "plan": "{}; pass --graph, the dependency graph (or the SequencePlan) that it was made from",
    "version": "{}; give them a version attribute in graph, or pass the SequencePlan of the run as --graph",
    "taken": "--released names {}",
}
_LONGEST_CELL = 200


@releasing(needed=False)
def resume(
    ledger: Annotated[str, typer.Argument(metavar="LEDGER", help=LEDGER_HELP)],
    run: Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)] = "last",
    in_doubt: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="What to do with repos of which the ledger does not tell whether they are out (begun and never ended, "
            "or failed and perhaps out): error (refuse), retry (plan them again), done (take them as released) or "
            "check (ask --check-command).",
        ),
    ] = "error",
    released: Annotated[
        list[str] | None,
        typer.Option(
            "--released",
            metavar="REPO",
            help="A repo that the ledger calls failed or in doubt and that is out all the same. Can be repeated.",
        ),
    ] = None,
    graph: Annotated[str | None, typer.Option(metavar="DATASET_OR_FILE", help=GRAPH_HELP)] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the plan as JSON; overwrites the file. - for stdout, and no table."),
    ] = None,
    run_it: Annotated[
        bool,
        typer.Option(
            "--run", help="Go on: release what is left by --command, recorded in LEDGER as a run that resumes this one."
        ),
    ] = False,
    how: Releasing | None = None,
) -> int:
    """Say what a run left to do and why, write the plan for it, or go on with it.

    Exit code with --run: 0: all is out; 1: something is not; 130: interrupted, 143: terminated.
    """
    if run_it and how is None:
        raise ValueError("--run needs --command: what releases one repo, as --command 'make -C {repo_id} publish'")
    if how is not None and not run_it:
        raise ValueError("--command is given without --run, and nothing would be released: add --run, or leave it out")
    decided: Any = one_of("--in-doubt", in_doubt, get_args(InDoubt))
    asks = {} if how is None else {"check": how.releaser().check, "check_wait": how.options["check_wait"]}
    if decided != "check":
        asks = {}
    elif not asks.get("check"):
        raise ValueError("--in-doubt check needs --run, --command and --check-command: what is asked")
    tables = check_targets(ledger, None, output)
    found = read_found(ledger)
    counting = without_repeats(found)  # the note says what stood there again
    run_id = run_named(found, run)
    order = None if graph is None else read_order(graph)
    try:
        plan = resume_plan(counting, run_id, order, decided, released or (), **asks)
    except NotTold as error:
        raise ValueError(_AS_TYPED[error.over].format(error.found)) from error
    if tables:
        _print(console(), plan, run_id, output, unreadable(found), going_on=run_it)
    if output is not None:
        write(output, plan.to_json() + "\n")
    return release(plan, ledger, how) if how is not None and plan.released else 0


def _print(to: Console, plan: ResumePlan, run_id: str, output: str | None, note: str, going_on: bool) -> None:
    left = len(plan.released)
    if not left:
        to.print(Text(f"Run {named(run_id)} left nothing to do.{note}"))
    else:
        reasons = plan.reasons
        counts = reasons["reason"].value_counts(sort=False)
        said = ", ".join(f"{count:,} {_WORDS.get(str(word), word)}" for word, count in counts.items() if count)
        to.print(Text(f"Run {named(run_id)} left {plural(left, 'repo')} to do: {said}. Plan {plan.plan_id}.{note}"))
        versions = {item.repo_id: item.version_label for item in plan.items}
        rows = [
            (
                named(str(repo)),
                shortened(versions[str(repo)], 40),
                _WORDS.get(row["reason"], str(row["reason"])),
                some(row["parents"], 5),
                "-" if pd.isna(row["error"]) else shortened(row["error"], _LONGEST_CELL),
            )
            for repo, row in zip(reasons.index, reasons.to_dict("records"), strict=True)
        ]
        show(to, "LEFT, in order", ("repo", "version", "because", "waits for", "error"), rows)
    if output is not None:
        to.print(
            Text(f"\nWritten: {shown(output)}. SequencePlan.from_json reads it, with what it resumes: its run and run")
        )
        to.print(Text(f"{named(run_id)} are shown as one train."))
    elif left and not going_on:
        to.print(Text("\nNothing is written: --output plan.json writes the plan, --run goes on with it."))
