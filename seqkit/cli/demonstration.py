"""``demo``: a simulated release of a real data set, with a ledger and pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from seqkit._util.files import replacing
from seqkit._util.progress import Bar
from seqkit.cli.options import probability, whole
from seqkit.cli.printing import console, show
from seqkit.core.model import RunEvent
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, build_plan
from seqkit.datasets import load_dataset
from seqkit.errors import SequencingFailed
from seqkit.ledger import open_ledger
from seqkit.running.executor import run_plan
from seqkit.running.releasers import SimulatedReleaser

__all__ = ["demo"]

_ENDED = frozenset({"NodeExited", "NodeFailed", "NodeSkipped"})  # after one of these, a repo is settled
_NUMBERS = ("wave", "repos", "blocks")


def demo(
    name: Annotated[str, typer.Argument(help="Which data set: jest29, jupyter, kf5 or chain_or_hub.")] = "jest29",
    failure_rate: Annotated[
        float, typer.Option(help="How likely each repo's release fails, from 0 to 1; made up for the demo.")
    ] = 0.05,
    rng: Annotated[int, typer.Option(help="Seed: the same one gives the same failures.")] = 7,
) -> None:
    """Release a data set with a simulated releaser, and show what failed and what that blocked.

    Writes a ledger and two pictures into the working directory. A second run is added to the same ledger.
    """
    probability("--failure-rate", failure_rate)
    whole("--rng", rng, 0)
    plan = build_plan(load_dataset(name).graph, originating_run_id=f"demo-{name}")
    ledger_path = Path(f"seqkit-demo-{name}.db")
    outcome = _run(plan, SimulatedReleaser(failure_rate, rng), ledger_path)

    to = console()
    to.print(
        f"{name}: {len(plan.released)} repos, {plan.graph.n_dependencies} dependencies, {len(plan.waves())} waves. "
        f"Simulated: failure rate {failure_rate:g}, rng {rng}."
    )
    show(to, "ORDER: a wave needs nothing but earlier waves", ("wave", "repos", "which"), _order_rows(plan), _NUMBERS)
    show(to, "OUTCOME", ("status", "repos", "meaning"), _outcome_rows(outcome), _NUMBERS)
    if outcome.failed:
        columns = ("failed", "why", "blocks", "which, directly or through others")
        show(to, "FAILURES AND WHAT THEY BLOCKED", columns, _failure_rows(outcome), _NUMBERS)
    else:
        to.print("\nNothing failed, so nothing was blocked.")
    repo = _most_depended_on(plan)
    order_file, radius_file = _draw(plan, outcome, repo, name)
    to.print("\nWRITTEN into the working directory\n")
    for file, what in (
        (ledger_path.name, "the ledger: this run's events, after those of earlier runs"),
        (order_file, "the order, and how far each repo got"),
        (radius_file, f"what {repo}, which most others need, holds up when it fails"),
    ):
        to.print(Text(f"{file}\n    {what}"))
    to.print("\nNEXT, in Python or a notebook\n")
    for line in (
        "import seqkit",
        f'seqkit.items_frame("{ledger_path}")  # how every repo of every run ended',
        f'plan = seqkit.build_plan(seqkit.load_dataset("{name}").graph)',
        "seqkit.steps(plan)  # why the order is as it is",
        f"seqkit.what_if(plan, fail={repo!r})  # other failures",
    ):
        to.print(Text(f"    {line}"))


def _run(plan: SequencePlan, releaser: SimulatedReleaser, path: Path) -> SequenceOutcome:
    with (
        open_ledger(path) as ledger,
        # ascii: progress must not fail on a terminal that cannot show block characters.
        Bar(total=len(plan.released), desc="releasing", unit="repo", file=sys.stderr, ascii=True) as bar,
    ):

        def on_event(event: RunEvent) -> None:
            if event.kind in _ENDED:
                bar.update()

        return run_plan(plan, releaser, ledger=ledger, on_event=on_event)


# ---------------------------------------------------------------------- what is printed


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
        (repo, SequencingFailed.reason_in(repo, reason), str(len(blocked[repo])), ", ".join(blocked[repo]) or "-")
        for repo, reason in outcome.failed
    ]


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
        with replacing(file) as draft:
            axes.figure.savefig(  # type: ignore[union-attr]  # a whole figure, since no ax was given
                draft, format="png", dpi=150, bbox_inches="tight", metadata={"Software": None}
            )
    order, blast_radius = drawn
    return order, blast_radius
