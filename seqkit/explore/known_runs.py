"""The runs of a ledger as it lists them, and what each came to, once somebody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunRecord
from seqkit.core.plan import SequencePlan
from seqkit.errors import RunNotFound
from seqkit.explore.grid import GridRow
from seqkit.explore.one_run import OneRun
from seqkit.explore.run_diff import WORDS
from seqkit.explore.run_names import run_names
from seqkit.ledger import MemoryRunLedger, RunLedger
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.frames import runs_frame
from seqkit.ledger.links import train_names
from seqkit.ledger.naming import run_called

__all__ = ["KnownRuns"]


class KnownRuns:
    """What has been read of the runs of a ledger; what has ended is not read again.

    Parameters
    ----------
    graph : RepoDependencyGraph or SequencePlan, optional
        Stands in for the plan of runs that carry none.

    Attributes
    ----------
    frame : DataFrame
        The :func:`seqkit.runs_frame`, newest first; of a run that is recorded twice the first record.
    trains, names : dict of str to str
        Run id → the train that it belongs to, and what it is called.
    problem : str
        Why the runs cannot be listed; empty where they can.
    """

    def __init__(self, graph: RepoDependencyGraph | SequencePlan | None = None) -> None:
        self._graph = graph
        self._ledger: RunLedger = MemoryRunLedger()
        self._records: dict[str, RunRecord] = {}
        self._rows: dict[str, GridRow] = {}
        self.frame = runs_frame(self._ledger)
        self.trains: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.problem = ""

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._records

    def read(self, ledger: RunLedger) -> None:
        """List the runs of a ledger as it is now."""
        self._ledger = ledger
        ended = {run for run, record in self._records.items() if record.completed_at is not None}
        try:
            records = ledger.list_runs()
            # A database is asked once: what it gave makes the frame as well.
            known = ledger if isinstance(ledger, FoundLedger) else MemoryRunLedger.from_records(records, ())
            frame, trains, self.problem = runs_frame(known), train_names(records), ""
            if not records and isinstance(ledger, FoundLedger) and ledger.unreadable:
                self.problem = f"the runs cannot be listed: {ledger.unreadable[0].message}"
        except Exception as problem:  # whatever a store may raise: a browser says so, and goes on
            records, trains, frame = [], [], runs_frame(MemoryRunLedger())
            self.problem = f"the runs cannot be listed: {type(problem).__name__}: {problem}"
        self._records = {record.run_id: record for record in records}
        self.trains = dict(zip(self._records, trains, strict=True))
        self.frame = frame.drop_duplicates("run_id").iloc[::-1].reset_index(drop=True)
        self.names = run_names(self.frame, self.trains)
        kept = {run: row for run, row in self._rows.items() if run in ended and run in self.names and row.words}
        self._rows = {run: replace(row, name=self.names[run]) for run, row in kept.items()}

    def reread(self, run_id: str) -> bool:
        """Read one run again; tell whether it still stands as it did."""
        before, self._records[run_id] = self._records[run_id], self._ledger.get_run(run_id)
        self._rows.pop(run_id, None)
        return self._records[run_id].status == before.status

    def one(self, run_id: str) -> OneRun:
        """Take up a run; raises ``RunNotFound`` where there is none of that id."""
        if run_id not in self._records:
            raise RunNotFound(run_id)
        return OneRun(self._ledger, self._records[run_id], self._graph)

    def row(self, run_id: str) -> GridRow:
        """Say what became of the repos of a run; nothing of one that cannot be read."""
        if run_id not in self._rows:
            run = self.one(run_id)
            status = run.record.status.value
            self._rows[run_id] = GridRow(run_id, self.names[run_id], status, run.known, run.attempts)
        return self._rows[run_id]

    def words(self, run_id: str) -> Mapping[str, str]:
        """Say how each repo of a run ended."""
        return self.row(run_id).words

    def counts(self, run_id: str) -> Mapping[str, int]:
        """Count the repos of a run by how they ended; nothing where it cannot be read."""
        row = self.row(run_id)
        if not row.words and self.one(run_id).problem:
            return {}
        counted = Counter(row.words.values())
        return {word: counted[word] for word in WORDS}

    def called(self, name: str) -> str:
        """Give the id of the run that is called `name`: an id, the start of one, ``"last"``, or one of :attr:`names`.

        Raises
        ------
        RunNotFound, ValueError
            Where there is no such run, or several.
        """
        if name in self._records:
            return name
        named = [run for run, own in self.names.items() if own == name]
        return named[0] if len(named) == 1 else run_called(self._ledger, name)

    def of_train(self) -> list[str]:
        """List the trains with a name or more than one run, newest first."""
        sizes = Counter(self.trains.values())
        tagged: set[str] = set(self.frame["train"].dropna())
        newest = reversed(self.trains.values())
        return list(dict.fromkeys(name for name in newest if sizes[name] > 1 or name in tagged))

    def newest(self) -> str | None:
        """Give the newest run that goes on or, where none does, the newest."""
        running: pd.Series = self.frame["run_id"][self.frame["status"] == "RUNNING"]
        return next(iter([*running, *self.frame["run_id"]]), None)
