"""An audit as one page: plain words first, offline, without scripts, the same bytes every time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from seqkit._show.document import document, grid, sentences, unbroken
from seqkit._show.html import Markup, shortened
from seqkit._util.words import and_more, listed, plural

if TYPE_CHECKING:
    from seqkit.auditing.report import AuditReport

__all__ = ["page"]

MOST_SHOWN = 2_000
"""Findings of one check that the page lists one by one."""

_MARKS = {"error": "✗", "warning": "!", "info": "i", "failed": "✗", "passed": "✓", "not checked": "–"}

_PROVES = (
    "The record is held against itself (numbers, times, entries and ends, counts), against the plan that the run "
    "carries or that was given, and against the rules of sequencing.",
    "Where a run carries a digest of its final state, an equal digest shows that the run, its plan, its events and "
    "what became of each repo are those over which the digest was taken (of an older seqkit: the events and what "
    "became of each repo).",
)
_DOES_NOT_PROVE = (
    "That what was recorded is true: a release that was recorded and never made looks like any other.",
    "Checks that are marked “not checked” say nothing either way; the table says what they need.",
)
_WITHOUT_ANCHOR = (
    "That nobody changed the ledger: the digest stands in the same ledger, so whoever can write there can "
    "write a new one. Only what was kept elsewhere is evidence: a digest, or the line that seqkit.anchor gives.",
    "That nothing is missing: a run that was removed as a whole leaves no trace in the others, nor does the tail of a "
    "run that had not ended.",
)


def _of_imported(report: AuditReport) -> tuple[list[str], list[str]]:
    """Say what the audit can tell of runs that other systems made; nothing where there are none."""
    if not report.imported:
        return [], []
    runs = f"{sum(report.imported.values()):,} of {plural(report.n_runs, 'run')}"
    systems = listed([shortened(system, 60) for system in report.imported], 3)
    can = (
        f"Read from another system's record ({systems}): {runs}. Times and attempts are held against each other and, "
        "where a graph was given, whether each repo was started after what it needs, and none below a failure; "
        "versions, and what is missing, only against the plan of that train."
    )
    cannot = (
        f"That the record of {systems} is whole: it has neither plan nor digest, and numbers, kinds and status seqkit "
        "wrote itself. What was left out or changed before seqkit read it leaves no trace.",
        "That such a system broke its own rules: it may let what depends on a failure go on, and a graph of today may "
        "not be that of the day.",
    )
    return [can], [*cannot]


def _limits(report: AuditReport) -> tuple[list[str], list[str]]:
    """Say what this audit can tell, and what not."""
    can, cannot = _of_imported(report)
    proves, does_not = _of_ledger(report)
    return [*proves, *can], [*does_not, *cannot]


def _of_ledger(report: AuditReport) -> tuple[list[str], list[str]]:
    if report.covered is None:
        return [*_PROVES], [*_DOES_NOT_PROVE[:1], *_WITHOUT_ANCHOR, *_DOES_NOT_PROVE[1:]]
    fits = not any(row.errors for row in report.check_rows if row.check == "anchored")
    said = "fits: they say what they said when it was taken, and none is missing" if fits else "does not fit"
    covers = f"An anchor that was kept elsewhere covers {plural(report.covered, 'run')}, the oldest first, and {said}."
    later = (
        "That nobody changed what is newer than the anchor, or took it away; and before it was taken, anything may "
        "have been rewritten. The anchor itself is worth as much as the place where it was kept."
    )
    return [*_PROVES, covers], [*_DOES_NOT_PROVE[:1], later, *_DOES_NOT_PROVE[1:]]


def page(report: AuditReport) -> str:
    """Write the whole page."""
    proves, does_not = _limits(report)
    parts = [
        *_verdict(report),
        *_worst(report),
        "<h2>What was checked</h2>",
        grid(
            ("Looked for", "Check", "Result", "Errors", "Warnings", "Notes", "Why"),
            (
                (row.looks_for, unbroken(row.check), _word(row.result), *map(_some, row[2:5]), row.why)
                for row in report.check_rows
            ),
        ),
        *_all_findings(report),
        "<h2>What this audit can tell, and what not</h2>",
        sentences(proves),
        "<p>It does not show:</p>",
        sentences(does_not),
    ]
    return document(f"Audit of {report.ledger}", parts)


def _verdict(report: AuditReport) -> list[str]:
    errors, warnings, infos = report.counts
    checked = sum(row.result != "not checked" for row in report.check_rows)
    missed = len(report.check_rows) - checked
    runs = f"{plural(report.n_runs, 'run')} with {plural(report.n_events, 'event')}"
    if errors:
        bad = {row.run_id for row in report.finding_rows if row.severity == "error" and row.run_id}
        verdict = (
            f"<strong>✗ The record does not hold together:</strong> {plural(errors, 'error')} in "
            f"{plural(len(bad), 'run')}."
        )
    elif warnings:
        verdict = f"<strong>✓ The record holds together</strong>, with {plural(warnings, 'warning')} to look at."
    else:
        verdict = "<strong>✓ The record holds together.</strong>"
    return [
        f'<p class="verdict">{verdict}</p>',
        f"<p>{runs} were audited with {plural(checked, 'check')}: {plural(errors, 'error')} (contradictions), "
        f"{plural(warnings, 'warning')} (unusual), {plural(infos, 'note')} (worth knowing). "
        + (f"{plural(missed, 'check')} could not be made; the table below says why.</p>" if missed else "</p>"),
    ]


def _worst(report: AuditReport) -> list[str]:
    groups = [group for group in report.groups() if group.severity != "info"][:10]
    if not groups:
        return []
    rows = (
        (_word(group.severity), group.number, group.looks_for, group.example.message, group.example.run_id)
        for group in groups
    )
    return ["<h2>The gravest findings</h2>", grid(("Severity", "How many", "Expected", "The first", "Run"), rows)]


def _all_findings(report: AuditReport) -> list[str]:
    if not report.finding_rows:
        return []
    parts = ["<h2>All findings</h2>"]
    for group in report.groups():
        own = [row for row in report.finding_rows if (row.check, row.severity) == (group.check, group.severity)]
        more = len(own) - MOST_SHOWN
        parts += [
            f"<h3>{_word(group.severity)} × {len(own):,}: {escape(group.looks_for)}</h3>",
            grid(
                ("Run", "Event", "Repo", "Finding"), ((r.run_id, r.seq, r.repo_id, r.message) for r in own[:MOST_SHOWN])
            ),
            and_more(more, "; <code>report.findings</code> has all.</p>", '<p class="quiet">… '),
        ]
    return parts


def _word(word: str) -> Markup:
    return unbroken(f"{_MARKS[word]} {'note' if word == 'info' else word}")


def _some(number: int) -> int | None:
    """Leave a cell empty rather than write nought."""
    return number or None
