"""What an audit came to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import pandas as pd

from seqkit._show.document import write_document
from seqkit._show.html import folded, rows_of, shortened
from seqkit._show.html import page as shown_page
from seqkit._show.palette import STATUS_STYLES, StatusStyle
from seqkit._show.svg import chip, legend, strip
from seqkit._util import dtypes
from seqkit._util.words import and_more, plural
from seqkit.auditing.findings import SEVERITIES, Finding
from seqkit.auditing.page import page

__all__ = ["RESULTS", "AuditReport", "Checked"]

RESULTS = ("failed", "not checked", "passed")
"""How a check may go."""

_LINES = 12
_HTML_LINES = 8

_LOOKS: Mapping[str, StatusStyle] = {
    severity: StatusStyle(severity, STATUS_STYLES[status].colour, mark)
    for severity, status, mark in zip(SEVERITIES, ("failed", "blocked", "in_progress"), "✗!i", strict=True)
}


class Checked(NamedTuple):
    """How one check went, over all runs."""

    check: str
    """Its name."""
    result: str
    """One of :data:`RESULTS`; ``failed`` where there is an error or a warning."""
    errors: int
    """How many."""
    warnings: int
    """How many."""
    infos: int
    """How many."""
    why: str
    """Why it was not made, or not for every run."""
    looks_for: str
    """What should be the case, in a sentence."""


class Group(NamedTuple):
    """All findings of one check and severity."""

    check: str
    severity: str
    looks_for: str
    number: int
    example: Finding


class AuditReport:
    """What an audit found, and which checks could be made.

    In views, findings of one kind are one line with a count and the first of them; `findings` has each.

    Attributes
    ----------
    ledger : str
        What was audited.
    n_runs, n_events : int
        How much of it.
    covered : int or None
        How many runs the anchor covers that was given, the oldest first; None where none was.
    imported : dict of str to int
        How many runs another system made, and which.
    finding_rows : tuple of Finding
        What `findings` shows, a record each.
    check_rows : tuple of Checked
        What `checks` shows, a record each.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger
    >>> from seqkit.auditing import audit
    >>> report = audit(MemoryRunLedger())
    >>> report.ok, len(report.findings)
    (True, 0)
    """

    def __init__(
        self,
        ledger: str,
        n_runs: int,
        n_events: int,
        findings: Sequence[Finding],
        checks: Sequence[Checked],
        covered: int | None = None,
        imported: Mapping[str, int] | None = None,
    ) -> None:
        self.ledger = ledger
        self.n_runs = n_runs
        self.n_events = n_events
        self.finding_rows = tuple(findings)
        self.check_rows = tuple(checks)
        self.covered = covered
        self.imported = dict(imported or {})

    @property
    def ok(self) -> bool:
        """Whether there is no error. Warnings and what is worth knowing may still be there."""
        return not self.counts[0]

    @cached_property
    def counts(self) -> tuple[int, int, int]:
        """How many errors, warnings and infos there are."""
        checks = self.check_rows
        return sum(row.errors for row in checks), sum(row.warnings for row in checks), sum(row.infos for row in checks)

    @property
    def findings(self) -> pd.DataFrame:
        """All findings, a row each, in the order of the checks and of the runs.

        Columns: `check` (string), `severity` (ordered categorical: error, warning, info), `run_id` (string;
        missing where it is about the ledger), `seq` (Int64; missing where it is about no event), `repo_id` (string),
        `message` (string: what was expected and found).
        """
        rows = self.finding_rows
        return dtypes.frame(
            {
                "check": dtypes.string([row.check for row in rows]),
                "severity": dtypes.categorical([row.severity for row in rows], SEVERITIES),
                "run_id": dtypes.string([row.run_id for row in rows]),
                "seq": dtypes.integer([row.seq for row in rows]),
                "repo_id": dtypes.string([row.repo_id for row in rows]),
                "message": dtypes.string([row.message for row in rows]),
            }
        )

    @property
    def checks(self) -> pd.DataFrame:
        """All checks, a row each.

        Columns: `check` (string), `result` (ordered categorical: failed, not checked, passed), `errors`, `warnings`,
        `infos` (Int64: how many findings), `why` (string: why it was not made, or not for every run).
        """
        rows = self.check_rows
        return dtypes.frame(
            {
                "check": dtypes.string([row.check for row in rows]),
                "result": dtypes.categorical([row.result for row in rows], RESULTS),
                "errors": dtypes.integer([row.errors for row in rows]),
                "warnings": dtypes.integer([row.warnings for row in rows]),
                "infos": dtypes.integer([row.infos for row in rows]),
                "why": dtypes.string([row.why for row in rows]),
            }
        )

    def groups(self) -> list[Group]:
        """Put findings of one check and severity together, the worst first and the most numerous of those."""
        looks_for = {row.check: row.looks_for for row in self.check_rows}
        found: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.finding_rows:
            found.setdefault((finding.check, finding.severity), []).append(finding)
        groups = [
            Group(check, severity, looks_for.get(check, check), len(own), own[0])
            for (check, severity), own in found.items()
        ]
        return sorted(groups, key=lambda group: (SEVERITIES.index(group.severity), -group.number))

    def summary(self) -> str:
        """Say in a line how much was audited, and what came of it."""
        counts = [
            f"{plural(count, word)}"
            for count, word in zip(self.counts, SEVERITIES, strict=True)
            if count or word == "error"
        ]
        missed = sum(row.result == "not checked" for row in self.check_rows)
        return (
            f"{plural(self.n_runs, 'run')}, {plural(self.n_events, 'event')}: "
            f"{', '.join(counts)}; {missed} of {len(self.check_rows)} checks not made"
        )

    def __repr__(self) -> str:
        lines = [f"AuditReport({'ok' if self.ok else 'not ok'}; {self.summary()})"]
        groups = self.groups()
        for group in groups[:_LINES]:
            times = and_more(group.number - 1, ")", " (")
            run = "" if group.example.run_id is None else f" [{shortened(group.example.run_id, 40)}]"
            message = shortened(group.example.message, 200)
            lines.append(f"  {group.severity:7} {group.check}{run}: {message}{times}")
        if len(groups) > _LINES:
            lines.append(and_more(len(groups) - _LINES, " kinds of findings; .findings has all", "  … "))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        columns = ["severity", "check", "how many", "first in run", "the first"]
        rows = [
            (
                chip(_LOOKS[group.severity]),
                group.check,
                f"{group.number:,}",
                group.example.run_id,
                group.example.message,
            )
            for group in self.groups()
        ]
        counts = dict(zip(SEVERITIES, self.counts, strict=True))
        parts: list[str] = [legend(counts, _LOOKS)]
        if rows:
            parts = [strip(counts, _LOOKS), *parts, rows_of(columns, rows[:_HTML_LINES])]
        if len(rows) > _HTML_LINES:
            more = rows[_HTML_LINES:]
            parts.append(folded(f"{len(more)} more kinds of findings", rows_of(columns, more)))
        missed = sum(row.result == "not checked" for row in self.check_rows)
        verdict = "✓ the record holds together" if self.ok else "✗ the record does not hold together"
        return shown_page(
            f"Audit: {verdict}; {self.summary()}",
            *parts,
            note=f"{plural(missed, 'check was', 'checks were')} not made: .checks says why" if missed else "",
        )

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report as one page that needs nothing else: no scripts, nothing from elsewhere.

        The page begins in plain words: what was audited, whether the record holds together, the gravest
        findings; then every check and every finding (of one kind the first 2,000), and what an audit can and
        cannot tell. The same report gives the same bytes.

        Parameters
        ----------
        path : str or path
            The file; it is replaced whole, or not at all.

        Raises
        ------
        OSError
            Naming the file, where it cannot be written.
        """
        write_document(path, page(self))
