"""Reading a ledger run by run: which runs there are, what became of one, and how two differ."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.auditing import AuditReport
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunRecord
from seqkit.core.plan import SequencePlan
from seqkit.errors import RunNotFound
from seqkit.explore._opening import let_go, opened
from seqkit.explore.filters import Filters
from seqkit.explore.one_run import OneRun, audited
from seqkit.explore.run_diff import WORDS, RunDiff, companion, diff_runs
from seqkit.ledger import LedgerLike, MemoryRunLedger, as_ledger
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.frames import events_frame, items_frame, runs_frame
from seqkit.ledger.links import train_names

__all__ = ["Browser"]


class Browser:
    """The runs of a ledger, newest first; one of them may be selected.

    Only what is looked at is read: the events of the selected run, and of those whose counts are asked for.
    Nothing that stands in a ledger raises: what cannot be read is left out, and :attr:`findings` says so.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        What to read. Of a path, what cannot be read is passed over, as an audit does.
    graph : RepoDependencyGraph or SequencePlan, optional
        Stands in for the plan of runs that carry none, as the original's never do.
    page_size : int
        How many runs make a page.

    Attributes
    ----------
    problem : str
        Why the runs cannot be listed; empty where they can.
    filters : Filters
        What runs are listed.

    Raises
    ------
    ReadError
        Where there is no such ledger.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger(ids=["monday", "tuesday"])
    >>> _ = run_plan(plan, {"core": 1.0}, ledger), run_plan(plan, 0.0, ledger)
    >>> browser = Browser(ledger)
    >>> browser
    Browser(2 runs: 1 COMPLETED, 1 FAILED)
    >>> browser.runs()[["run_id", "status", "succeeded", "failed", "blocked"]].values.tolist()
    [['tuesday', 'COMPLETED', 2, 0, 0], ['monday', 'FAILED', 0, 1, 1]]
    >>> browser.filter(status="FAILED")
    1
    >>> browser.select("monday")
    >>> browser.words
    {'core': 'failed', 'api': 'blocked'}
    >>> browser.compare("monday", "tuesday").summary
    '2 of 2 repos differ: 1 failed → succeeded, 1 blocked → succeeded'
    """

    def __init__(
        self,
        ledger: LedgerLike,
        graph: RepoDependencyGraph | SequencePlan | None = None,
        page_size: int = 20,
    ) -> None:
        if graph is not None and not isinstance(graph, RepoDependencyGraph | SequencePlan):
            raise TypeError(f"graph is {as_given(graph)}, expected a RepoDependencyGraph or a SequencePlan")
        self.page_size = whole("page_size", page_size, 1)
        self._path = ledger if isinstance(ledger, str | os.PathLike) else None
        self.ledger = as_ledger(ledger) if self._path is None else opened(self._path)
        self.problem = ""
        self.filters = Filters()
        self._graph = graph
        self._selected: OneRun | None = None
        self._records: dict[str, RunRecord] = {}
        self._counts: dict[str, Mapping[str, int]] = {}
        self._reports: dict[str, AuditReport] = {}
        self._whole: AuditReport | None = None
        self._read()

    # ------------------------------------------------------------------ reading

    def refresh(self) -> None:
        """Read the ledger again; the filters stay, and so does the selected run where it is still there."""
        if self._path is not None and isinstance(self.ledger, FoundLedger):
            self.ledger = opened(self._path)
        self._read()
        run = self.selected
        self._selected = None
        self.select(run if run in self._records else None)

    def _read(self) -> None:
        ended = {run for run, record in self._records.items() if record.completed_at is not None}
        try:
            records = self.ledger.list_runs()
            # A database is asked once: what it gave makes the frame as well.
            known = self.ledger if isinstance(self.ledger, FoundLedger) else MemoryRunLedger.from_records(records, ())
            frame, names, self.problem = runs_frame(known), train_names(records), ""
            if not records and isinstance(self.ledger, FoundLedger) and self.ledger.unreadable:
                self.problem = f"the runs cannot be listed: {self.ledger.unreadable[0].message}"
        except Exception as problem:  # whatever a store may raise: a browser says so, and goes on
            records, names, frame = [], [], runs_frame(MemoryRunLedger())
            self.problem = f"the runs cannot be listed: {type(problem).__name__}: {problem}"
        self._records = {record.run_id: record for record in records}
        self._trains = dict(zip(self._records, names, strict=True))
        # Of a run that is recorded twice the first record counts; the findings tell of the others.
        self._all = frame.drop_duplicates("run_id").iloc[::-1].reset_index(drop=True)
        self._counts = {run: counts for run, counts in self._counts.items() if run in ended and counts}
        self._reports.clear()
        self._whole = None

    def reread(self) -> None:
        """Read the selected run again and, until it has ended, nothing else: quick, for a run that goes on."""
        run = self.selected
        if run is not None:
            before, self._records[run] = self._records[run], self.ledger.get_run(run)
            if self._records[run].status != before.status:
                self.refresh()
                return
            self._selected = OneRun(self.ledger, self._records[run], self._graph)
            self._counts[run] = self._selected.counts
            self._reports.pop(run, None)

    def close(self) -> None:
        """Let go of a database that the browser opened itself."""
        if self._path is not None:
            let_go(self.ledger)

    # ------------------------------------------------------------------ which runs

    @property
    def run_ids(self) -> list[str]:
        """Ids of all runs, newest first."""
        return list(self._all["run_id"])

    @property
    def policies(self) -> list[str]:
        """Policies that runs went by, sorted."""
        return sorted(self._all["policy"].dropna().unique())

    @property
    def trains(self) -> list[str]:
        """Trains with a name or more than one run, newest first; runs belong together as in `trains_frame`."""
        sizes = Counter(self._trains.values())
        tagged = set(self._all["train"].dropna())
        return list(
            dict.fromkeys(name for name in reversed(self._trains.values()) if sizes[name] > 1 or name in tagged)
        )

    def filter(
        self, status: str | None = None, policy: str | None = None, train: str | None = None, text: str = ""
    ) -> int:
        """Choose which runs are listed, and say how many those are.

        Parameters
        ----------
        status, policy, train : str, optional
            A run status such as ``"FAILED"``, one of :attr:`policies`, of :attr:`trains`.
        text : str
            What one of the run's ids, tags, its agent or git_sha contains, in upper or lower case.

        Raises
        ------
        ValueError, TypeError
            Where an argument is something else; the filters then stay as they were.
        """
        for name, value, known in (
            ("status", status, list(dtypes.RUN_STATUSES)),
            ("policy", policy, self.policies),
            ("train", train, self.trains),
        ):
            if value is not None and value not in known:
                raise ValueError(f"{name} is {as_given(value)}, expected None or one of {f'{known}':.400}")
        if not isinstance(text, str):
            raise TypeError(f"text is {as_given(text)}, expected a str")
        self.filters = Filters(status, policy, train, text)
        return len(self._matching())

    @property
    def listed(self) -> list[str]:
        """Ids of the runs that pass the filters, newest first."""
        return list(self._matching()["run_id"])

    def _matching(self) -> pd.DataFrame:
        return self.filters.among(self._all, self._trains)

    @property
    def n_pages(self) -> int:
        """How many pages the listed runs make; at least one."""
        return max(1, -(-len(self._matching()) // self.page_size))

    def runs(self, page: int | None = None) -> pd.DataFrame:
        """Show the runs that pass the filters, newest first: all, or those of a page.

        Parameters
        ----------
        page : int, optional
            The page, from 0. Without it all runs are shown, which reads the events of every one.

        Returns
        -------
        DataFrame
            The columns of :func:`seqkit.runs_frame`, and `succeeded`, `failed`, `in_doubt`, `blocked`, `stopped`,
            `unreleased`, `in_progress`, `pending` (Int64: how many repos ended so; missing where the run cannot be
            read), `errors`, `warnings` (Int64: how many findings; missing until the run has been audited).

        Raises
        ------
        ValueError
            Where there is no such page.
        """
        runs = self._matching()
        if page is not None:
            first = whole("page", page, 0, self.n_pages - 1) * self.page_size
            runs = runs.iloc[first : first + self.page_size]
        runs = runs.reset_index(drop=True)
        counts = [self._counted(run) for run in runs["run_id"]]
        found = [self._found(run) for run in runs["run_id"]]
        return runs.assign(
            **{word: dtypes.integer([own.get(word) for own in counts]) for word in WORDS},
            errors=dtypes.integer([None if own is None else own["error"] for own in found]),
            warnings=dtypes.integer([None if own is None else own["warning"] for own in found]),
        )

    def _counted(self, run_id: str) -> Mapping[str, int]:
        if run_id not in self._counts:
            run = OneRun(self.ledger, self._records[run_id], self._graph)
            self._counts[run_id] = {} if run.problem else run.counts
        return self._counts[run_id]

    def _found(self, run_id: str) -> Counter[str] | None:
        if run_id in self._reports:
            return Counter(self._reports[run_id].findings["severity"])
        if self._whole is not None:
            found = self._whole.findings
            return Counter(found["severity"][(found["run_id"] == run_id).fillna(False)])
        return None

    # ------------------------------------------------------------------ one run

    @property
    def selected(self) -> str | None:
        """The run that is looked at."""
        return None if self._selected is None else self._selected.record.run_id

    @property
    def run(self) -> OneRun | None:
        """The same, with all that the ledger holds of it."""
        return self._selected

    def select(self, run_id: str | None) -> None:
        """Look at a run, listed or not; None looks at none.

        Raises
        ------
        RunNotFound
            Where the ledger has no such run.
        """
        if run_id is None:
            self._selected = None
        elif run_id != self.selected:
            self._selected = self._one(run_id)

    def follow(self) -> None:
        """Select the newest run that goes on or, where none does, the newest."""
        running = self._all["run_id"][self._all["status"] == "RUNNING"]
        self.select(next(iter([*running, *self._all["run_id"]]), None))

    def _one(self, run_id: str) -> OneRun:
        if run_id not in self._records:
            raise RunNotFound(run_id)
        return OneRun(self.ledger, self._records[run_id], self._graph)

    @property
    def items(self) -> pd.DataFrame:
        """The :func:`seqkit.items_frame` of the selected run; empty where there is none."""
        return self._selected.items if self._selected else items_frame(MemoryRunLedger())

    @property
    def events(self) -> pd.DataFrame:
        """The :func:`seqkit.events_frame` of the selected run; empty where there is none."""
        return self._selected.events if self._selected else events_frame(MemoryRunLedger())

    @property
    def words(self) -> dict[str, str]:
        """How each repo of the selected run ended: its status or, of a skipped one, the cause; or in_doubt."""
        return self._selected.words if self._selected else {}

    @property
    def report(self) -> AuditReport:
        """The audit of the selected run; of the whole ledger where none is selected. Made when asked for."""
        if self._selected is None:
            return self.whole_report
        self._reports[self._selected.record.run_id] = self._selected.report
        return self._selected.report

    @property
    def whole_report(self) -> AuditReport:
        """The audit of the whole ledger."""
        self._whole = self._whole or audited(self.ledger, None, self._graph)
        return self._whole

    @property
    def findings(self) -> pd.DataFrame:
        """The :attr:`seqkit.AuditReport.findings` of the selected run; empty where there is none."""
        return self.report.findings

    # ------------------------------------------------------------------ two runs

    @property
    def companion(self) -> str | None:
        """The run to compare the selected one with: see :func:`seqkit.explore.run_diff.companion`."""
        return None if self.selected is None else companion(self._all, self.selected)

    def compare(self, a: str, b: str) -> RunDiff:
        """Compare what became of every repo in two runs: see :func:`seqkit.explore.run_diff.diff_runs`.

        Raises
        ------
        RunNotFound
            Where the ledger has no such run.
        """
        one, other = self._one(a), self._one(b)
        for run in (one, other):
            if run.problem:
                return RunDiff(
                    diff_runs(one.items.iloc[:0], one.items.iloc[:0]).frame, f"cannot be read: {run.problem}"
                )
        return diff_runs(one.items, other.items)

    def __repr__(self) -> str:
        n = len(self._all)
        counts = Counter(self._all["status"])
        told = ", ".join(f"{counts[status]} {status}" for status in dtypes.RUN_STATUSES if counts[status])
        return f"Browser({plural(n, 'run')}{': ' if told else ''}{told}{'; unreadable' if self.problem else ''})"
