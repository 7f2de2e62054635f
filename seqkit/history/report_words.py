"""What a report says in sentences: what a train came to, and what a ledger does not tell of it."""

from __future__ import annotations

from collections.abc import Iterator

from seqkit._show.html import amount, shortened
from seqkit._show.palette import EVERY_STYLE
from seqkit._util.words import inflected, listed, plural, quoted
from seqkit.core.model import RunStatus
from seqkit.history.reported import ReportedRepo, ReportedTrain

__all__ = ["limits", "long_or_short", "standing", "verdict"]

_PROBLEMS = 5
_NAMED = 5
_SAME = 1.05
"""Up to so many times as long is as long as usual."""


def standing(told: ReportedTrain) -> str:
    """Say how many repos are not out, and how they stand instead."""
    counts = told.counts
    return ", ".join(
        f"{counts[word]:,} {style.word}"
        for word, style in EVERY_STYLE.items()
        if counts[word] and word not in ("succeeded", "unreleased")
    )


def verdict(told: ReportedTrain) -> str:
    """Say what it came to, in a line."""
    out, planned = told.counts["succeeded"], told.planned
    goes_on = told.status is RunStatus.RUNNING
    if not planned:
        return "– Nothing was to be released."
    if out == planned:
        return f"✓ {'The one repo is' if planned == 1 else f'All {planned:,} repos are'} out."
    mark, so_far = ("▶", " so far; it has not ended") if goes_on else ("✗", "")
    return f"{mark} {out:,} of {plural(planned, 'repo')} {inflected(out, 'is', 'are')} out{so_far}: {standing(told)}."


def long_or_short(repo: ReportedRepo) -> str:
    """Say how long a repo took against what is usual; empty where that cannot be said.

    Examples
    --------
    >>> from datetime import UTC, datetime, timedelta
    >>> at, usual = datetime(2026, 1, 2, tzinfo=UTC), timedelta(minutes=4)
    >>> long_or_short(ReportedRepo("api", "succeeded", None, 1, at, at + timedelta(minutes=10), usual, 3))
    '2.5 × as long'
    >>> long_or_short(ReportedRepo("api", "succeeded", None, 1, at, at + usual, usual, 3))
    'as usual'
    """
    ratio = repo.ratio
    if ratio is None:
        return ""
    if 1 / _SAME <= ratio <= _SAME:
        return "as usual"
    return f"{amount(ratio, 3)} × as long"


def limits(told: ReportedTrain) -> Iterator[str]:
    """Say what the report can tell, and what not."""
    yield (
        "It tells what the ledger records. A release that was recorded and never made looks like any other; an audit "
        "says whether the record holds together."
    )
    if not told.is_whole:
        yield (
            f"It tells of one run. That belongs to the train {_quoted(told.train)}, which has "
            f"{plural(told.n_in_train, 'run')}: a report of the train tells of all of them."
        )
    yield from _of_runs(told)
    yield from _of_repos(told)
    if problems := told.problems:
        said = listed(problems, _PROBLEMS, lambda problem: shortened(problem, 200), "; ")
        yield f"Of the ledger {plural(len(problems), 'thing')} could not be read or had to be guessed: {said}."


def _of_runs(told: ReportedTrain) -> Iterator[str]:
    ids = {run.run_id for run in told.runs}
    if planless := [run.run_id for run in told.runs if not run.has_plan]:
        yield (
            f"{_these(planless)} {inflected(len(planless), 'carries', 'carry')} no plan: the picture and the tables "
            "have the repos that events name, and who was blocked without a word is not among them. Who needs whom "
            "stands in the picture as the graph says that was given or, without one, as far as repos are recorded as "
            "waiting."
        )
    for run in told.runs:
        if run.system is not None:
            times = "" if run.started_at is not None else ", which tells no times"
            yield (
                f"Run {_quoted(run.run_id)} is the record of {shortened(run.system, 80)}{times}: what that does not "
                "tell (times, versions, reasons, who waited for whom) is left empty here."
            )
        if run.status == "RUNNING":
            yield f"Run {_quoted(run.run_id)} has not ended: whether it goes on or has died, no ledger can tell."
        if run.resumes is not None and run.resumes not in ids and told.is_whole:
            yield f"Run {_quoted(run.run_id)} resumes {_quoted(run.resumes)}, which is not in the ledger."


def _of_repos(told: ReportedTrain) -> Iterator[str]:
    if n := told.counts["unreleased"]:
        yield (
            f"{plural(n, 'repo')} of the plan {inflected(n, 'was', 'were')} not to be released and "
            f"{inflected(n, 'is', 'are')} in no number; the picture has {inflected(n, 'it', 'them')}."
        )
    if n := told.counts["skipped"]:
        yield f"{plural(n, 'repo')} {inflected(n, 'was', 'were')} skipped, and nobody told why."
    decided = [repo.repo_id for repo in told.repos if repo.how == "decided"]
    if decided:
        yield (
            f"That {quoted(decided, _NAMED)} {inflected(len(decided), 'is', 'are')} out is what somebody decided when "
            "the train was resumed; no event says so."
        )
    tried = [repo for repo in told.repos if repo.attempts]
    without = sum(not repo.n_usual for repo in tried)
    if tried and without:
        yield (
            f"What is usual is not known of {without:,} of {plural(len(tried), 'repo')} that were tried, as no other "
            "run of the ledger tells how long a release of it took."
        )
    took = [repo.duration for repo in tried if repo.duration is not None and repo.word == "succeeded"]
    if took and not any(took):
        yield "Every release ends when it begins: the times are those of the record, not of the work."
    if len(tried) > without:
        yield (
            "What is usual is a median of past attempts that succeeded, whatever their versions, machines or load "
            "were; of one or two it is hardly more than an example."
        )


def _quoted(name: str) -> str:
    return f"“{shortened(name, 80)}”"


def _these(run_ids: list[str]) -> str:
    return f"{inflected(len(run_ids), 'Run', 'Runs')} {listed(run_ids, _NAMED, _quoted)}"
