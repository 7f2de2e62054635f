"""``what-if``: who is blocked where some repos fail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from json import dumps
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.text import Text

from seqkit._util.words import inflected, plural
from seqkit.analysis.exact import analyze
from seqkit.analysis.whatif import outcome_where
from seqkit.cli import options
from seqkit.cli.printing import console, named, number, show, some
from seqkit.cli.source import SOURCE_HELP, Source, read_source
from seqkit.cli.writing import CSV_HELP, JSON_HELP, check_targets, csv_text, json_text, write
from seqkit.core.failures import FailureModel
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.terms import Terms

__all__ = ["what_if"]

_MEANINGS = {
    "released": "tried, and went out",
    "failed": "tried, and failed",
    "blocked": "not tried, because something they need failed",
    "stopped": "not tried, because the release had been stopped",
    "unreleased": "in the plan for the dependencies through them, not to be released",
}


def what_if(
    source: Annotated[str, typer.Argument(metavar="DATASET_OR_FILE", help=SOURCE_HELP)],
    fail: Annotated[list[str], typer.Option(metavar="REPO", help="A repo that fails when it is tried; repeatable.")],
    policy: Annotated[str, typer.Option(metavar="NAME", help=options.POLICY_HELP)] = "skip_dependents",
    failure_budget: Annotated[int | None, typer.Option(metavar="N", help=options.BUDGET_HELP)] = None,
    failure_rate: Annotated[
        float | None,
        typer.Option(metavar="P", help="How likely each other attempt fails: what is then to be expected, exactly."),
    ] = None,
    attempts: Annotated[int, typer.Option(metavar="N", help="With --failure-rate: how often a repo is tried.")] = 1,
    merge_cycles: Annotated[bool, typer.Option("--merge-cycles", help="Release each cycle as one unit.")] = False,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help=CSV_HELP)] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help=JSON_HELP)] = None,
) -> None:
    """Show what is released and what is blocked where some repos fail and all others succeed.

    The JSON object: setting (source, what was read, fail, policy, failure_budget), counts (succeeded, failed,
    blocked, stopped, unreleased), failures (repo_id, blocks, only: what nothing else blocks), not_tried (of
    --fail), expected (null without --failure-rate), repos (as in the CSV).
    """
    terms = options.terms(policy, failure_budget, attempts)
    _check_rate(failure_rate, terms)
    tables = check_targets(source, csv, json)
    read = read_source(source, merge_cycles)
    failing = list(dict.fromkeys(read.released("--fail", repo) for repo in fail))
    outcome = outcome_where(read.plan, terms, failing)
    expected = None if failure_rate is None else _expected(read, failing, failure_rate, attempts)
    answer = _Answer(read, failing, terms, outcome, expected)
    if tables:
        _print(console(), answer)
    if csv is not None:
        write(csv, csv_text(_frame(outcome)))
    if json is not None:
        write(json, json_text(_document(answer)))


@dataclass(frozen=True)
class _Answer:
    source: Source
    failing: list[str]
    terms: Terms
    outcome: SequenceOutcome
    expected: dict[str, Any] | None

    @cached_property
    def counts(self) -> dict[str, int]:
        counts = Counter(self.outcome.words())
        return {word: counts[word] for word in ("succeeded", "failed", "blocked", "stopped", "unreleased")}

    @cached_property
    def blocks(self) -> dict[str, tuple[list[str], list[str]]]:
        """Whom each failed repo blocks, and whom nothing else blocks."""
        blocks: dict[str, tuple[list[str], list[str]]] = {repo: ([], []) for repo, _ in self.outcome.failed}
        everybody = self.outcome.to_frame()["blocked_by"]  # the outcome itself names a hundred at most
        ends = zip(self.outcome.plan.items, self.outcome.skip_causes, everybody, strict=True)
        for item, cause, blockers in ends:
            if cause == "blocked":
                for blocker in blockers:
                    blocks[blocker][0].append(item.repo_id)
                if len(blockers) == 1:
                    blocks[blockers[0]][1].append(item.repo_id)
        return blocks

    @cached_property
    def not_tried(self) -> list[str]:
        """Who would fail, but is skipped."""
        return [repo for repo in self.failing if repo not in self.blocks]


def _check_rate(rate: float | None, terms: Terms) -> None:
    if rate is None:
        if terms.attempts != 1:
            raise ValueError(f"--attempts is {terms.attempts}, but without --failure-rate it changes nothing")
        return
    options.probability("--failure-rate", rate)
    if not terms.closed_form:
        raise ValueError(
            "--failure-rate is given, but what is to be expected is only worked out for --policy skip_dependents "
            "without --failure-budget; the command simulate estimates it for others, with --rate REPO=1 for who fails"
        )


def _expected(source: Source, failing: list[str], rate: float, attempts: int) -> dict[str, Any]:
    before = analyze(source.plan, rate, attempts).expected.succeeded
    given = analyze(source.plan, FailureModel(dict.fromkeys(failing, 1.0), rate), attempts).expected.succeeded
    return {"failure_rate": rate, "attempts": attempts, "succeeded": before, "succeeded_given_failures": given}


def _frame(outcome: SequenceOutcome) -> pd.DataFrame:
    frame = outcome.to_frame()[["position", "wave", "repo_id", "status", "skip_cause", "blocked_by"]]
    # A list in one cell: JSON, because a repo's name may hold whatever else would part them.
    return frame.assign(blocked_by=[dumps(list(repos)) for repos in frame["blocked_by"]])


def _document(answer: _Answer) -> dict[str, Any]:
    outcome = answer.outcome
    arrays, everybody = outcome.plan.arrays, outcome.to_frame()["blocked_by"]
    columns = (arrays.waves, outcome.plan.items, outcome.statuses, outcome.skip_causes, everybody)
    return {
        "setting": {
            "source": answer.source.name,
            "kind": answer.source.kind,
            **answer.source.facts,
            "fail": answer.failing,
            "policy": answer.terms.policy,
            "failure_budget": answer.terms.failure_budget,
        },
        "counts": answer.counts,
        "failures": [
            {"repo_id": repo, "blocks": blocked, "only": only} for repo, (blocked, only) in answer.blocks.items()
        ],
        "not_tried": answer.not_tried,
        "expected": answer.expected,
        "repos": [
            {
                "position": position,
                "wave": wave,
                "repo_id": item.repo_id,
                "status": status.name,
                "skip_cause": cause,
                "blocked_by": list(blockers),
            }
            for position, (wave, item, status, cause, blockers) in enumerate(zip(*columns, strict=True))
        ],
    }


# ---------------------------------------------------------------------- printing


def _print(to: Console, answer: _Answer) -> None:
    failing, outcome = answer.failing, answer.outcome
    to.print(Text(str(answer.source)))
    to.print(Text(f"What if {some(failing)} {inflected(len(failing), 'fails', 'fail')}? {answer.terms.told}."))
    counts = {"released": answer.counts["succeeded"], **answer.counts}
    shown = [word for word in _MEANINGS if counts[word] or word in ("released", "failed", "blocked")]
    rows = [(word, f"{counts[word]:,}", _MEANINGS[word]) for word in shown]
    show(to, "OUTCOME", ("status", "repos", "meaning"), rows, ("repos",))
    if not answer.terms.holds_up:
        until = " until the run stops" if answer.terms.stop_at is not None else ""
        to.print(f"\nWhat needs a failed repo goes on against its last good release{until}: nothing is blocked.")
    else:
        columns = ("failed", "blocks", "it alone", "which, directly or through others")
        blocked = [
            (named(repo), f"{len(everyone):,}", f"{len(only):,}", some(everyone))
            for repo, (everyone, only) in answer.blocks.items()
        ]
        show(to, "FAILURES AND WHAT THEY BLOCK", columns, blocked, ("blocks", "it alone"))
    if answer.not_tried:
        places, everybody = [outcome.plan.position(repo) for repo in answer.not_tried], outcome.to_frame()["blocked_by"]
        spared = [
            (named(repo), str(outcome.skip_causes[place]), some(everybody[place]))
            for repo, place in zip(answer.not_tried, places, strict=True)
        ]
        show(to, "WOULD FAIL, BUT ARE NEVER TRIED", ("repo", "status", "because of"), spared)
    if answer.expected is not None:
        _print_expected(to, answer, answer.expected)


def _print_expected(to: Console, answer: _Answer, expected: dict[str, Any]) -> None:
    before, given = expected["succeeded"], expected["succeeded_given_failures"]
    who = inflected(len(answer.failing), "this repo fails", "these repos fail")
    rows = [
        ("before anything is known", number(before)),
        (f"given that {who} when tried", number(given)),
        ("difference", number(before - given)),
    ]
    n = plural(answer.source.facts["repos"], "repo")
    show(to, f"EXPECTED RELEASES of {n}: others may fail too", ("", "repos per run"), rows, ("repos per run",))
    rate, tries = expected["failure_rate"], plural(expected["attempts"], "attempt")
    to.print(Text(f"\nExact: each other attempt fails with probability {rate:g}, independently; {tries} each."))
