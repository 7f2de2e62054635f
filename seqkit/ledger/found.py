"""A ledger as it was found in files: every line of it, contradictions included, and never written to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from seqkit._util.words import plural
from seqkit.core.model import RunEvent, RunId, RunMetadata, RunRecord, RunSummary
from seqkit.errors import RunNotFound, StorageError
from seqkit.ledger.showing import LAST, runs_page

if TYPE_CHECKING:
    from seqkit.ledger.copies import Settled

__all__ = ["FoundEvent", "FoundLedger", "FoundRun", "Problem"]


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run's record, and where it stood."""

    record: RunRecord
    """What it says."""
    source: str
    """The file or database."""
    line: int | None = None
    """Its line there, from 1, where it has lines."""


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event, whose run it says it belongs to, and where it stood."""

    run_id: RunId
    """Its run; there may be no record of that run."""
    event: RunEvent
    """What it says."""
    source: str
    """The file or database."""
    line: int | None = None
    """Its line there, from 1, where it has lines."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, or was read with a guess."""

    source: str
    """The file or database."""
    line: int | None
    """The line there, from 1, where it has lines."""
    message: str
    """What is wrong, and what was expected; of a guess, what was taken for what."""
    guessed: bool = False
    """Whether nothing is wrong: what was read says less than a ledger does, and this is what was made of it."""


class FoundLedger:
    """Runs and events as they were found: read-only, nothing put right, nothing left out.

    What a run id stands for may have been recorded twice, and a `seq` too: :attr:`runs` and :attr:`events`
    hold every one, in the order in which they were found, as an audit wants them. The questions of a
    ledger are answered by the first record of a run, and by its events in the order of `seq`.

    Attributes
    ----------
    runs : tuple of FoundRun
        All records of runs.
    events : tuple of FoundEvent
        All events, those of unknown runs included.
    problems : tuple of Problem
        What could not be read, and what was guessed.
    """

    blocking = False

    def __init__(
        self, runs: Iterable[FoundRun] = (), events: Iterable[FoundEvent] = (), problems: Iterable[Problem] = ()
    ) -> None:
        self.runs = tuple(runs)
        self.events = tuple(events)
        self.problems = tuple(problems)
        self.settled: Settled | None = None  # what counts of it, once somebody has asked: see seqkit.ledger.copies
        self._first: dict[RunId, FoundRun] = {}
        for run in self.runs:
            self._first.setdefault(run.record.run_id, run)
        self._by_run: dict[RunId, list[FoundEvent]] = {run_id: [] for run_id in self._first}
        for event in self.events:
            self._by_run.setdefault(event.run_id, []).append(event)
        for found in self._by_run.values():
            found.sort(key=lambda event: event.event.seq)  # stable: as found where a seq is there twice

    @property
    def unreadable(self) -> tuple[Problem, ...]:
        """The problems but for guesses: what could not be read."""
        return tuple(problem for problem in self.problems if not problem.guessed)

    def get_run(self, run_id: RunId) -> RunRecord:
        """Give the first record of a run."""
        found = self._first.get(run_id)
        if found is None:
            raise RunNotFound(run_id)
        return found.record

    def get_events(self, run_id: RunId) -> list[RunEvent]:
        """Give a run's events ordered by `seq`, repeated ones included; also of a run without a record."""
        return [found.event for found in self.found_events(run_id)]

    def found_events(self, run_id: RunId) -> list[FoundEvent]:
        """Give a run's events ordered by `seq`, each with the place where it stood."""
        if run_id not in self._by_run:
            raise RunNotFound(run_id)
        return list(self._by_run[run_id])

    def list_runs(self, spec_digest: str | None = None) -> list[RunRecord]:
        """Give the first record of each run, oldest first."""
        records = sorted((run.record for run in self._first.values()), key=lambda record: record.created_at)
        return [record for record in records if spec_digest is None or record.spec_digest == spec_digest]

    def _refuse(self) -> NoReturn:
        sources = sorted({run.source for run in self.runs} | {event.source for event in self.events})
        raise StorageError(
            f"a ledger that was read ({', '.join(sources[:3]) or 'of no file'}) is read-only; "
            "open_ledger(path) opens a database for writing"
        )

    def create_run(self, spec_digest: str, metadata: RunMetadata) -> RunId:
        """Refuse: what was found is not changed."""
        self._refuse()

    def append_event(self, run_id: RunId, event: RunEvent) -> None:
        """Refuse: what was found is not changed."""
        self._refuse()

    def complete_run(self, run_id: RunId, summary: RunSummary) -> None:
        """Refuse: what was found is not changed."""
        self._refuse()

    def fail_run(self, run_id: RunId, summary: RunSummary) -> None:
        """Refuse: what was found is not changed."""
        self._refuse()

    def cancel_run(self, run_id: RunId, summary: RunSummary) -> None:
        """Refuse: what was found is not changed."""
        self._refuse()

    def close(self) -> None:
        """Do nothing: everything has been read."""

    def __repr__(self) -> str:
        unreadable = len(self.unreadable)
        problems = f", {unreadable} unreadable" if unreadable else ""
        if guessed := len(self.problems) - unreadable:
            problems += f", {guessed} to look at in .problems"
        runs, events = len(self._first), len(self.events)
        return f"FoundLedger({plural(runs, 'run')}, {plural(events, 'event')}{problems})"

    def _repr_html_(self) -> str:
        records = self.list_runs()
        last = [(run.run_id, run.status.value, len(self._by_run[run.run_id])) for run in records[-LAST:]]
        doubtful = []
        if len(self.runs) > len(self._first):
            doubtful.append(f"{len(self.runs) - len(self._first):,} more records of the same runs")
        if unknown := len(self._by_run) - len(self._first):
            doubtful.append(f"events of {unknown:,} runs without a record")
        doubtful += [f"first unreadable: {problem.source}: {problem.message}" for problem in self.unreadable[:1]]
        doubtful += [problem.message for problem in self.problems if problem.guessed][:3]
        return runs_page(repr(self), Counter(run.status.value for run in records), last, "; ".join(doubtful))
