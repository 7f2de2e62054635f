"""What the checks say, taken in run by run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from seqkit._util.words import listed, plural
from seqkit.auditing.checks import CHECKS, LEDGER_CHECKS, RUN_CHECKS
from seqkit.auditing.facts import RunFacts
from seqkit.auditing.findings import SEVERITIES, Finding, NotChecked, Partly, Remark, Result, named
from seqkit.auditing.report import Checked
from seqkit.auditing.whole import LedgerFacts

__all__ = ["Collector"]

_MOST_INT64 = 2**63 - 1
_MOST_REASONS = 5


class _OfRuns(NamedTuple):
    """Where remarks of the same words were made."""

    runs: dict[str, None]
    """In which runs."""
    repos: dict[str | None, int]
    """Of which repos, how often of each."""


class Collector:
    """Takes in what the checks say, run by run."""

    def __init__(self) -> None:
        self._by_check: dict[str, list[Finding]] = {check.__name__: [] for check in CHECKS}
        self._runs = 0
        self._why: dict[str, Counter[str]] = {name: Counter() for name in self._by_check}
        self._whose: dict[tuple[str, str], dict[str, None]] = {}
        self._partly: dict[str, Counter[str]] = {name: Counter() for name in self._by_check}
        self._of_all_runs: dict[str, dict[tuple[str, str], _OfRuns]] = {name: {} for name in self._by_check}
        self.imported: Counter[str] = Counter()
        """How many runs are of which other system."""

    def check_ledger(self, facts: LedgerFacts) -> None:
        """Take in what is to be said of the ledger as a whole."""
        for check in LEDGER_CHECKS:
            for remark in self._remarks(check, facts):
                self._by_check[check.__name__].append(
                    Finding(check.__name__, remark.severity, remark.run_id, None, remark.repo_id, remark.message)
                )

    def check_run(self, facts: RunFacts, place: Callable[[int], str]) -> None:
        """Take in what is to be said of a run; `place` tells where an event stands."""
        run_id = facts.record.run_id
        self._runs += 1
        if facts.imported is not None:
            self.imported[facts.imported] += 1
        for check in RUN_CHECKS:
            for severity, message, index, repo, _, of_all_runs in self._remarks(check, facts):
                if of_all_runs:
                    told = self._of_all_runs[check.__name__].setdefault((severity, message), _OfRuns({}, {}))
                    told.runs[run_id] = None
                    told.repos[repo] = told.repos.get(repo, 0) + 1
                    continue
                seq, where = (None, "") if index is None else (facts.events[index].seq, place(index))
                if seq is not None and not -_MOST_INT64 <= seq <= _MOST_INT64:
                    seq = None
                self._by_check[check.__name__].append(
                    Finding(check.__name__, severity, run_id, seq, repo, message + where)
                )

    def _remarks(self, check: Callable[[Any], Result], facts: Any) -> Sequence[Remark]:
        """Give what a check says, as a rule nothing; keep why it was not made."""
        try:
            result = check(facts)
            if not result:
                return ()
            if isinstance(result, Partly):
                (self._partly if result.made else self._why)[check.__name__][result.why] += 1
                return result.remarks
            if not isinstance(result, NotChecked):
                return list(result)
        except Exception as problem:  # whatever a record may hold that nobody thought of: it is a finding
            return [Remark("error", f"the check could not cope with the record: {problem!r:.300}")]
        self._why[check.__name__][result.why] += 1
        if result.whose:
            self._whose.setdefault((check.__name__, result.why), {})[result.whose] = None
        return ()

    def findings(self) -> list[Finding]:
        """Give all findings, in the order of the checks and of the runs."""
        return [finding for own in self._by_check.values() for finding in own]

    def say_of_all_runs(self) -> None:
        """Make one finding each of the remarks that are the same in all runs, once no more come."""
        for check, told in self._of_all_runs.items():
            for (severity, message), (runs, repos) in told.items():
                where = f"{plural(sum(repos.values()), 'time')}, in {plural(len(runs), 'run')}"
                run_id = next(iter(runs)) if len(runs) == 1 else None
                self._by_check[check].append(
                    Finding(check, severity, run_id, None, None, f"{message}: {named(repos)} ({where})")
                )
        self._of_all_runs.clear()

    def checks(self) -> list[Checked]:
        """Say how each check went."""
        checked = []
        for check in CHECKS:
            name = check.__name__
            missed = sum(self._why[name].values())
            made = (1 if check in LEDGER_CHECKS else self._runs) - missed
            counts = Counter(finding.severity for finding in self._by_check[name])
            errors, warnings, infos = (counts[severity] for severity in SEVERITIES)
            result = "not checked" if not made else "failed" if errors or warnings else "passed"
            why = "" if made else "there is no run"
            if missed:
                reason = listed([self._spelt(name, why) for why in self._why[name]], _MOST_REASONS, apart="; ")
                why = f"in {missed} of {made + missed} runs: {reason}" if made else reason
            if partly := self._partly[name]:
                n, told = sum(partly.values()), "; ".join(partly)
                in_part = told if n == made + missed else f"in {n} of {made} runs that were checked: {told}"
                why = f"{why}; {in_part}" if why else in_part
            checked.append(Checked(name, result, errors, warnings, infos, why, (check.__doc__ or "").strip()))
        return checked

    def _spelt(self, check: str, why: str) -> str:
        """Give a reason, and the first of those whom it is about."""
        whose = self._whose.get((check, why))
        return f"{why} {listed(list(whose), 3)}" if whose else why
