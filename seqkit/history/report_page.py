"""A report as one page: plain words first, offline, without scripts, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import islice

from seqkit._show.document import cell, document, grid, sentences, unbroken
from seqkit._show.html import EMPTY, Markup, escaped, names
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip, dag, legend, strip
from seqkit._show.times import moment_text, time_text
from seqkit._util.words import and_more, inflected, listed, plural
from seqkit.core.model import RunStatus
from seqkit.history.report_words import limits, long_or_short, verdict
from seqkit.history.reported import MOST_NAMED, FailedTry, ReportedRepo, ReportedShare, ReportedTrain
from seqkit.ledger.frames import elapsed

__all__ = ["page", "picture"]

MOST_SHOWN = 2_000
"""Rows of one table."""

_WIDE = 960.0
_NARROW = 420.0
_RUNS_NAMED = 10
_IN_RUN = "In run"  # left out where there is but one
_COUNTS = ("Planned", "Released")
_NUMBERS = ("Try", "Tries", "Took", "Usual", "Of", "Against usual", "Blocked", "It alone", "Share", *_COUNTS)
_SHORT = 24  # characters of an id that is kept on one line
# A status is a mark on a colour and a word: the colour must not be left out on paper, or the mark is gone.
_STYLE = """
svg, span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
figure { margin: 1rem 0; overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 1rem 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
@media print { figure { overflow: visible; } figure svg { max-height: 22cm; } }
"""


def page(told: ReportedTrain) -> str:
    """Write the whole page."""
    out = [repo for repo in told.repos if repo.word == "succeeded"]
    left = [repo for repo in told.repos if repo.word not in ("succeeded", "unreleased")]
    parts = [
        f'<p class="verdict"><strong>{escape(verdict(told))}</strong></p>',
        _facts(told),
        f"<figure>{picture(told, labels=True)}</figure>",
        legend(told.counts, {word: style for word, style in EVERY_STYLE.items() if told.counts[word]}),
        *_section(
            told,
            f"What failed, and why ({len(told.failed_tries):,})",
            ("Repo", "Version", "Try", "When (UTC)", "Took", "Why", "And now", _IN_RUN),
            _failures(told),
            len(told.failed_tries),
            "No attempt failed.",
        ),
        *_section(
            told,
            f"What is left ({len(left):,})",
            ("Repo", "Version", "Status", "Because"),
            ((_repo(repo.repo_id), repo.version, _status(repo), _because(repo)) for repo in left),
            len(left),
            "Nothing is left.",
        ),
        *_section(
            told,
            "Who blocked whom",
            ("Repo", "Blocked", "It alone", "Share", "Whom", _IN_RUN),
            map(_share, told.shares),
            len(told.shares),
            "Nobody is recorded as blocked.",
            "Where a repo waited for several that had failed, its blame is split among them equally: the shares of "
            "a run add up to the repos that were blocked in it.",
        ),
        *_doubts(told),
        *_section(
            told,
            f"What shipped ({len(out):,})",
            ("Repo", "Version", "Out since (UTC)", "Released as", _IN_RUN),
            (_shipped(repo) for repo in out),
            len(out),
            "Nothing is out.",
        ),
        *_times(told),
        *_runs(told),
        "<h2>What this report can tell, and what not</h2>",
        sentences(limits(told)),
    ]
    return document(f"Release report: {_title(told)}", parts, _STYLE)


def picture(told: ReportedTrain, labels: bool) -> str:
    """Draw who needs whom and what became of each; where nothing tells who needs whom, how many stand how."""
    ids = [repo.repo_id for repo in told.repos]
    words = {repo.repo_id: repo.word for repo in told.repos}
    edges = told.edges or _waits(told.repos)
    if not edges:
        return strip(told.counts, EVERY_STYLE, _WIDE if labels else _NARROW)
    notes = {repo.repo_id: f"{repo.attempts} tries" for repo in told.repos if repo.attempts > 1}
    wide = _WIDE if labels else None
    try:
        return dag(ids, edges, words, labels=labels, width=wide, notes=notes, title=_title(told))
    except ValueError:  # the plans of a train may contradict each other: together they go round in a circle
        return strip(told.counts, EVERY_STYLE, _WIDE if labels else _NARROW)


def _waits(repos: Sequence[ReportedRepo]) -> list[tuple[str, str]]:
    """Give who is recorded as waiting for whom: from those that failed to others, so that no circle can come of it."""
    failed = {repo.repo_id for repo in repos if repo.word in ("failed", "in_doubt")}
    blocked = [repo for repo in repos if repo.word == "blocked"]
    return [(above, repo.repo_id) for repo in blocked for above in repo.blocked_by[:MOST_NAMED] if above in failed]


def _title(told: ReportedTrain) -> str:
    return f"{'train' if len(told.runs) > 1 else 'run'} {told.name or EMPTY}"


# ---------------------------------------------------------------------- sections


def _section(
    told: ReportedTrain,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    count: int,
    nothing: str,
    note: str = "",
) -> list[str]:
    head = f"<h2>{escape(title)}</h2>"
    if not count:
        return [head, f"<p>{escape(nothing)}</p>"]
    shown = list(islice(rows, MOST_SHOWN))
    if columns[-1] == _IN_RUN and len(told.runs) == 1:
        columns, shown = columns[:-1], [row[:-1] for row in shown]
    return [
        head,
        f"<p>{escape(note)}</p>" if note else "",
        grid(columns, shown, _NUMBERS),
        and_more(count - MOST_SHOWN, "; <code>report.to_frame()</code> has every repo.</p>", '<p class="quiet">… '),
    ]


def _facts(told: ReportedTrain) -> str:
    ended = "has not ended" if told.status is RunStatus.RUNNING else "nobody told"
    took = elapsed(told.started_at, told.finished_at)
    named = listed(told.runs, _RUNS_NAMED, lambda run: _run(run.run_id))
    facts: list[tuple[str, object]] = [
        ("Began", "nobody told" if told.started_at is None else f"{moment_text(told.started_at)} UTC"),
        ("Ended", ended if told.finished_at is None else f"{moment_text(told.finished_at)} UTC"),
        ("Took", _span(took)),
        ("Status", told.status.value),
        ("Repos", f"{told.planned:,} to release, {told.counts['succeeded']:,} out"),
        ("Attempts", f"{sum(repo.attempts for repo in told.repos):,}, {len(told.failed_tries):,} of them failed"),
        (inflected(len(told.runs), "Run"), Markup(named)),
    ]
    rows = [(name, value) for name, value in facts if value is not None]
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{cell(value)}</dd>" for name, value in rows) + "</dl>"


def _shipped(repo: ReportedRepo) -> Sequence[object]:
    how = {"late": " (too late for its run)", "decided": "taken as released by decision", "": ""}[repo.how]
    since = None if repo.how == "decided" else _moment(repo.finished_at)
    return _repo(repo.repo_id), repo.version, since, f"{repo.released_as or ''}{how}", _run(repo.run_id)


def _failures(told: ReportedTrain) -> Iterable[Sequence[object]]:
    now = {repo.repo_id: repo for repo in told.repos}
    for one in told.failed_tries:
        stands = now[one.repo_id]
        took = None if one.took is None else time_text(one.took)
        yield (
            _repo(one.repo_id),
            one.version,
            one.number,
            _moment(one.ended_at),
            took,
            _why(one),
            _status(stands),
            _run(one.run_id),
        )


def _why(one: FailedTry) -> str:
    return (one.reason or "nobody told") + " (perhaps it is out all the same)" * one.in_doubt


def _because(repo: ReportedRepo) -> object:
    if repo.word == "blocked" and repo.blocked_by:
        return Markup(f"waits for {names(repo.blocked_by)}")
    if repo.word in ("failed", "in_doubt") or repo.reason is not None:
        return repo.reason or ("begun, and no end of it is recorded" if repo.word == "in_doubt" else "nobody told")
    return {
        "pending": "had no turn",
        "stopped": "the run stopped before its turn",
        "blocked": "nobody told for whom it waits",
        "in_progress": "under way, or its run has died",
    }.get(repo.word, repo.detail or "nobody told")


def _share(share: ReportedShare) -> Sequence[object]:
    return (
        _repo(share.repo_id),
        share.blocks,
        share.alone,
        f"{share.share:.2f}",
        names(share.held_up),
        _run(share.run_id),
    )


def _doubts(told: ReportedTrain) -> list[str]:
    doubtful = [repo for repo in told.repos if repo.word in ("in_doubt", "in_progress")]
    if not doubtful:
        return ["<h2>What is in doubt</h2>", "<p>Nothing: of every repo it is recorded whether it is out.</p>"]
    return _section(
        told,
        f"What is in doubt ({len(doubtful):,})",
        ("Repo", "Version", "Status", "Since (UTC)", "Why nobody knows", _IN_RUN),
        (
            (
                _repo(repo.repo_id),
                repo.version,
                _status(repo),
                _moment(repo.started_at),
                _because(repo),
                _run(repo.run_id),
            )
            for repo in doubtful
        ),
        len(doubtful),
        "",
        "Look whether these are out before they are released again.",
    )


def _times(told: ReportedTrain) -> list[str]:
    timed = [repo for repo in told.repos if repo.attempts]
    return _section(
        told,
        "How long each took",
        ("Repo", "Status", "Tries", "Took", "Usual", "Of", "Against usual"),
        (
            (
                _repo(repo.repo_id),
                _status(repo),
                repo.attempts,
                _span(repo.duration) or "nobody told",
                _span(repo.usual) or "not known",
                repo.n_usual,
                long_or_short(repo),
            )
            for repo in timed
        ),
        len(timed),
        "Nothing was tried.",
        f"The last attempt at each repo; usual is the median of the attempts at it that succeeded in the other "
        f"{plural(told.n_others, 'run')} of the ledger, and “Of” says how many there are. The comparison is made "
        "where the repo came out.",
    )


def _runs(told: ReportedTrain) -> list[str]:
    return _section(
        told,
        f"The runs ({len(told.runs):,})",
        ("Run", "Status", "Began (UTC)", "Ended (UTC)", "Resumes", *_COUNTS),
        (
            (
                _run(run.run_id),
                unbroken(run.status),
                _moment(run.started_at),
                _moment(run.finished_at),
                None if run.resumes is None else _run(run.resumes),
                run.planned,
                run.released,
            )
            for run in told.runs
        ),
        len(told.runs),
        "",
    )


# ---------------------------------------------------------------------- cells


def _repo(repo_id: str) -> Markup:
    return Markup(f"<bdi>{escaped(repo_id or EMPTY)}</bdi>")


def _run(run_id: str) -> Markup:
    style = ' style="white-space:nowrap"' * (len(run_id) <= _SHORT)
    return Markup(f"<bdi{style}>{escaped(run_id or EMPTY, 80)}</bdi>")


def _status(repo: ReportedRepo) -> Markup:
    return chip(EVERY_STYLE[repo.word])


def _moment(moment: datetime | None) -> Markup | None:
    return None if moment is None else Markup(f'<span style="white-space:nowrap">{moment_text(moment)}</span>')


def _span(time: timedelta | None) -> str | None:
    return None if time is None else time_text(time)
