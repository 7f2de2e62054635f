"""The command line: ``python -m seqkit demo`` runs a simulated release of a real data set.

There is no console script: a well-known tool for FASTA and FASTQ files owns the command ``seqkit``.
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from seqkit.datasets import load_dataset
from seqkit.errors import SeqkitError
from seqkit.ledger import open_ledger
from seqkit.outcome import SequenceOutcome
from seqkit.plan import SequencePlan, build_plan
from seqkit.releasers import SimulatedReleaser
from seqkit.sequencer import run_plan

__all__ = ["main"]

BAD_INPUT = 2
INTERRUPTED = 130

_ENDED = frozenset({"NodeExited", "NodeFailed", "NodeSkipped"})  # after one of these, a repo is settled

app = typer.Typer(
    name="python -m seqkit",
    help="Plan releases that span many repositories, run them, and see what a failure blocks.",
    add_completion=False,
    rich_markup_mode=None,  # the same plain help in a terminal, a pipe and a log
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        print(f"seqkit-py {_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="Which data set: jest29, jupyter or kf5.")] = "jest29",
    failure_rate: Annotated[
        float, typer.Option(help="How likely each repo's release fails, from 0 to 1; made up for the demo.")
    ] = 0.05,
    rng: Annotated[int, typer.Option(help="Seed: the same one gives the same failures.")] = 7,
) -> None:
    """Release a data set with a simulated releaser, and show what failed and what that blocked.

    Writes a ledger and two pictures into the working directory. A second run is added to the same ledger.
    """
    if not 0.0 <= failure_rate <= 1.0 or math.isnan(failure_rate):
        raise ValueError(f"--failure-rate is {failure_rate}, expected a probability from 0 to 1")
    if rng < 0:
        raise ValueError(f"--rng is {rng}, expected a whole number from 0")
    plan = build_plan(load_dataset(name).graph, originating_run_id=f"demo-{name}")
    ledger_path = Path(f"seqkit-demo-{name}.db")
    outcome = _run(plan, SimulatedReleaser(failure_rate, rng), ledger_path)

    console = _console()
    repos, waves = len(plan.released), len(plan.waves())
    console.print(
        f"{name}: {repos} repos in {waves} waves, {plan.graph.n_dependencies} dependencies; "
        f"simulated, failure rate {failure_rate:g}, rng {rng}"
    )
    console.print(_order_table(plan))
    console.print(_outcome_table(outcome))
    if outcome.failed:
        console.print(_failures_table(outcome))
    else:
        console.print("Nothing failed, so nothing was blocked.\n")

    shown = outcome.failed[0][0] if outcome.failed else _most_depended_on(plan)
    pictures = _draw(plan, outcome, shown, name)
    kind = "the first that failed" if outcome.failed else "the one with most dependents"
    console.print(Text("Written into this directory:"))
    console.print(Text(f"  {ledger_path}   the ledger: every event of this run, added to those of earlier runs"))
    console.print(Text(f"  {pictures[0]}   the order, and how far each repo got"))
    console.print(Text(f"  {pictures[1]}   what a failure of {shown} ({kind}) blocks"))
    console.print("\nNext, in Python or a notebook:")
    console.print(Text(f'  import seqkit\n  seqkit.items_frame("{ledger_path}")   # how every repo of every run ended'))
    console.print(Text(f'  plan = seqkit.build_plan(seqkit.load_dataset("{name}").graph)'))
    console.print(Text(f"  seqkit.what_if(plan, fail={shown!r})   # other failures; seqkit.steps explains the order"))


def _run(plan: SequencePlan, releaser: SimulatedReleaser, path: Path) -> SequenceOutcome:
    ledger = open_ledger(path)
    try:
        # ascii: progress must not fail on a terminal that cannot show block characters.
        with tqdm(total=len(plan.released), desc="releasing", unit="repo", file=sys.stderr, ascii=True) as bar:

            def on_event(event: Any) -> None:
                if event.kind in _ENDED:
                    bar.update()

            return run_plan(plan, releaser, ledger=ledger, on_event=on_event)
    finally:
        ledger.close()


# ---------------------------------------------------------------------- what is printed


def _console() -> Console:
    """Give a console on stdout: as wide as the terminal, or of one fixed width where there is none."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if terminal else 100,
        force_terminal=None if terminal else False,
        markup=False,  # repo ids may hold what rich takes for markup
        emoji=False,
        highlight=False,
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    for column in columns:
        numeric = column in ("wave", "repos", "blocks")
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric)
    return table


def _names(repos: Sequence[str]) -> Text:
    return Text(", ".join(repos))


def _order_table(plan: SequencePlan) -> Table:
    table = _table("Order: a wave needs only what stands in earlier waves", "wave", "repos", "in this order")
    for number, wave in enumerate(plan.waves()):
        table.add_row(str(number), str(len(wave)), _names(wave))
    return table


def _outcome_table(outcome: SequenceOutcome) -> Table:
    frame = outcome.to_frame()
    rows = (
        ("succeeded", "released", len(outcome.succeeded)),
        ("failed", "tried, and failed", len(outcome.failed)),
        ("blocked", "not tried, because something they need failed", int((frame["skip_cause"] == "blocked").sum())),
    )
    table = _table("Outcome", "status", "repos", "meaning")
    for status, meaning, count in rows:
        table.add_row(status, str(count), meaning)
    return table


def _failures_table(outcome: SequenceOutcome) -> Table:
    blocked: dict[str, list[str]] = {repo: [] for repo, _ in outcome.failed}
    for item, blockers in zip(outcome.plan.items, outcome.blocked_by, strict=True):
        for blocker in blockers:
            blocked[blocker].append(item.repo_id)
    table = _table("Failures, and what each of them blocked", "failed repo", "reason", "blocks", "blocked repos")
    for repo, reason in outcome.failed:
        table.add_row(
            Text(repo), Text(reason), str(len(blocked[repo])), _names(blocked[repo]) if blocked[repo] else "-"
        )
    return table


def _most_depended_on(plan: SequencePlan) -> str:
    return max(plan.released, key=lambda repo: len(plan.graph.transitive_dependents_of(repo)))


# ---------------------------------------------------------------------- pictures


def _draw(plan: SequencePlan, outcome: SequenceOutcome, repo: str, name: str) -> list[str]:
    """Write the two pictures and give their file names."""
    os.environ["MPLBACKEND"] = "agg"  # files only: no display is needed, and no window opens
    from seqkit import plots  # noqa: PLC0415  # matplotlib takes its time, and --help does not need it

    drawn = {
        f"seqkit-demo-{name}-order.png": plots.order(outcome),
        f"seqkit-demo-{name}-blast-radius.png": plots.blast_radius(plan, repo),
    }
    for file, axes in drawn.items():
        # Without the name and version of the drawing library the file is the same everywhere.
        axes.get_figure(root=True).savefig(file, dpi=150, bbox_inches="tight", metadata={"Software": None})
    return list(drawn)


# ---------------------------------------------------------------------- starting


def _version() -> str:
    try:
        return importlib.metadata.version("seqkit-py")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code: 0, 2 for bad input, 130 when interrupted."""
    try:
        result = app(None if arguments is None else list(arguments), standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("interrupted", INTERRUPTED)
    except (SeqkitError, ValueError, TypeError, OSError) as error:
        return _complain(str(error) or type(error).__name__)
    except Exception as error:
        # A wrong option: which class it is changed between versions of typer, this method did not.
        if not hasattr(error, "format_message"):
            raise
        return _complain(f"{error.format_message()} (--help shows what is possible)")
    return result if isinstance(result, int) else 0


def _complain(message: str, code: int = BAD_INPUT) -> int:
    print(f"seqkit: {' '.join(message.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
