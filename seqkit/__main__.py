"""The command line: ``python -m seqkit demo`` runs a simulated release of a real data set.

There is no console script: a well-known tool for FASTA and FASTQ files owns the command ``seqkit``.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from seqkit import __version__
from seqkit.datasets import load_dataset
from seqkit.errors import SeqkitError, SequencingFailed
from seqkit.ledger import open_ledger
from seqkit.model import RunEvent
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
        print(f"seqkit-py {__version__}")
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
    console.print(
        f"{name}: {len(plan.released)} repos, {plan.graph.n_dependencies} dependencies, {len(plan.waves())} waves. "
        f"Simulated: failure rate {failure_rate:g}, rng {rng}."
    )
    _show(console, "ORDER: a wave needs nothing but earlier waves", ("wave", "repos", "which"), _order_rows(plan))
    _show(console, "OUTCOME", ("status", "repos", "meaning"), _outcome_rows(outcome))
    if outcome.failed:
        columns = ("failed", "why", "blocks", "which, directly or through others")
        _show(console, "FAILURES AND WHAT THEY BLOCKED", columns, _failure_rows(outcome))
        repo, which = outcome.failed[0][0], "the first that failed"
    else:
        console.print("\nNothing failed, so nothing was blocked.")
        repo, which = _most_depended_on(plan), "which most others need"

    order_file, radius_file = _draw(plan, outcome, repo, name)
    console.print("\nWRITTEN into the working directory\n")
    for file, what in (
        (ledger_path.name, "the ledger: this run's events, after those of earlier runs"),
        (order_file, "the order, and how far each repo got"),
        (radius_file, f"what {repo} holds up when it fails ({which})"),
    ):
        console.print(Text(f"{file}\n    {what}"))
    console.print("\nNEXT, in Python or a notebook\n")
    for line in (
        "import seqkit",
        f'seqkit.items_frame("{ledger_path}")  # how every repo of every run ended',
        f'plan = seqkit.build_plan(seqkit.load_dataset("{name}").graph)',
        "seqkit.steps(plan)  # why the order is as it is",
        f"seqkit.what_if(plan, fail={repo!r})  # other failures",
    ):
        console.print(Text(f"    {line}"))


def _run(plan: SequencePlan, releaser: SimulatedReleaser, path: Path) -> SequenceOutcome:
    with (
        open_ledger(path) as ledger,
        # ascii: progress must not fail on a terminal that cannot show block characters.
        tqdm(total=len(plan.released), desc="releasing", unit="repo", file=sys.stderr, ascii=True) as bar,
    ):

        def on_event(event: RunEvent) -> None:
            if event.kind in _ENDED:
                bar.update()

        return run_plan(plan, releaser, ledger=ledger, on_event=on_event)


# ---------------------------------------------------------------------- what is printed


def _console() -> Console:
    """Give a console on stdout: as wide as the terminal, or of one fixed width where there is none."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        width=None if terminal else 100,
        force_terminal=None if terminal else False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _show(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        number = column in ("wave", "repos", "blocks")
        table.add_column(column, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: repo ids may hold what rich takes for markup
    console.print(Text(f"\n{title}\n"))
    console.print(table)


def _order_rows(plan: SequencePlan) -> list[tuple[str, ...]]:
    return [(str(number), str(len(wave)), ", ".join(wave)) for number, wave in enumerate(plan.waves())]


def _outcome_rows(outcome: SequenceOutcome) -> list[tuple[str, ...]]:
    blocked = outcome.skip_causes.count("blocked")
    return [
        ("succeeded", str(len(outcome.succeeded)), "released"),
        ("failed", str(len(outcome.failed)), "tried, and failed"),
        ("blocked", str(blocked), "not tried, because something they need failed"),
    ]


def _failure_rows(outcome: SequenceOutcome) -> list[tuple[str, ...]]:
    blocked: dict[str, list[str]] = {repo: [] for repo, _ in outcome.failed}
    for item, blockers in zip(outcome.plan.items, outcome.blocked_by, strict=True):
        for blocker in blockers:
            blocked[blocker].append(item.repo_id)
    return [
        (repo, _short(repo, reason), str(len(blocked[repo])), ", ".join(blocked[repo]) or "-")
        for repo, reason in outcome.failed
    ]


def _short(repo: str, reason: str) -> str:
    """Leave out of a reason what the row says anyway."""
    return reason.removeprefix(str(SequencingFailed(repo, "")))


def _most_depended_on(plan: SequencePlan) -> str:
    return max(plan.released, key=lambda repo: len(plan.graph.transitive_dependents_of(repo)))


# ---------------------------------------------------------------------- pictures


def _draw(plan: SequencePlan, outcome: SequenceOutcome, repo: str, name: str) -> tuple[str, str]:
    """Write the two pictures and give their file names."""
    os.environ["MPLBACKEND"] = "agg"  # files only: no display is needed, and no window opens
    from seqkit import plots  # noqa: PLC0415  # matplotlib takes its time, and --help does not need it

    drawn = {
        f"seqkit-demo-{name}-order.png": plots.order(outcome),
        f"seqkit-demo-{name}-blast-radius.png": plots.blast_radius(plan, repo),
    }
    for file, axes in drawn.items():
        # Without the name and version of the drawing library the file is the same everywhere.
        axes.figure.savefig(  # type: ignore[union-attr]  # a whole figure, since no ax was given
            file, dpi=150, bbox_inches="tight", metadata={"Software": None}
        )
    order, blast_radius = drawn
    return order, blast_radius


# ---------------------------------------------------------------------- starting


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
