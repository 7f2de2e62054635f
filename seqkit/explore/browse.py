"""Reading a ledger run by run: which runs there are, what became of one, and how two differ."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from seqkit._show.palette import EVERY_STYLE
from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.auditing import AuditReport
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.explore._opening import let_go, opened, opened_again
from seqkit.explore._words import told
from seqkit.explore.filters import Filters, meant
from seqkit.explore.grid import GridRow, RunGrid, grid_of
from seqkit.explore.known_runs import KnownRuns
from seqkit.explore.one_run import OneRun, audited
from seqkit.explore.run_diff import WORDS, RunDiff, companion, diff_runs
from seqkit.ledger import LedgerLike, MemoryRunLedger, as_ledger
from seqkit.ledger.frames import events_frame, items_frame

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
        self.filters = Filters()
        self._graph = graph
        self._known = KnownRuns(graph)
        self._selected: OneRun | None = None
        self._reports: dict[str, AuditReport] = {}
        self._whole: AuditReport | None = None
        self._read()

    # ------------------------------------------------------------------ reading

    def refresh(self) -> None:
        """Read the ledger again; the filters stay, and so does the selected run where it is still there."""
        self.ledger = opened_again(self._path, self.ledger)
        self._read()
        run = self.selected
        self._selected = None
        self.select(run if run in self._known else None)

    def _read(self) -> None:
        self._known.read(self.ledger)
        self._reports.clear()
        self._whole = None

    def reread(self) -> None:
        """Read the selected run again and, until it has ended, nothing else: quick, for a run that goes on."""
        run = self.selected
        if run is not None:
            if not self._known.reread(run):
                self.refresh()
                return
            self._selected = self._known.one(run)
            self._reports.pop(run, None)

    @property
    def problem(self) -> str:
        """Why the runs cannot be listed; empty where they can."""
        return self._known.problem

    def close(self) -> None:
        """Let go of a database that the browser opened itself."""
        if self._path is not None:
            let_go(self.ledger)

    @property
    def has_graph(self) -> bool:
        """Whether a graph or plan was given."""
        return self._graph is not None

    # ------------------------------------------------------------------ which runs

    @property
    def run_ids(self) -> list[str]:
        """Ids of all runs, newest first."""
        return list(self._known.frame["run_id"])

    @property
    def policies(self) -> list[str]:
        """Policies that runs went by, sorted."""
        return sorted(self._known.frame["policy"].dropna().unique())

    @property
    def trains(self) -> list[str]:
        """Trains with a name or more than one run, newest first; runs belong together as in `trains_frame`."""
        return self._known.of_train()

    def filter(
        self,
        status: str | None = None,
        policy: str | None = None,
        train: str | None = None,
        text: str = "",
        repo: str = "",
        ended: str | None = None,
    ) -> int:
        """Choose which runs are listed, and say how many those are.

        Parameters
        ----------
        status, policy, train : str, optional
            A run status such as ``"FAILED"``, one of :attr:`policies`, of :attr:`trains`.
        text : str
            What one of the run's ids, tags, its agent or git_sha contains, in upper or lower case.
        repo : str
            A repo that the run has: its id or, where none is called that, a part of it.
        ended : str, optional
            How that repo ended in the run, one of :data:`seqkit.explore.run_diff.WORDS`; without `repo`, how any did.
            Both make the events of every run be read.

        Raises
        ------
        ValueError, TypeError
            Where an argument is something else; the filters then stay as they were.
        """
        for name, value, known in (
            ("status", status, list(dtypes.RUN_STATUSES)),
            ("policy", policy, self.policies),
            ("train", train, self.trains),
            ("ended", ended, list(WORDS)),
        ):
            if value is not None and value not in known:
                raise ValueError(f"{name} is {as_given(value)}, expected None or one of {f'{known}':.400}")
        for name, value in (("text", text), ("repo", repo)):
            if not isinstance(value, str):
                raise TypeError(f"{name} is {as_given(value)}, expected a str")
        self.filters = Filters(status, policy, train, text, repo, ended)
        return len(self._matching())

    @property
    def listed(self) -> list[str]:
        """Ids of the runs that pass the filters, newest first."""
        return list(self._matching()["run_id"])

    def _matching(self) -> pd.DataFrame:
        return self.filters.among(self._known.frame, self._known.trains, self._known.words)

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
            `skipped`, `unreleased`, `in_progress`, `pending` (Int64: how many repos ended so, those included that a
            graph tells to be blocked; missing where the run cannot be read), `errors`, `warnings` (Int64: how many
            findings; missing until the run has been audited).

        Raises
        ------
        ValueError
            Where there is no such page.
        """
        runs = self._page(page)
        counts = [self._known.counts(run) for run in runs["run_id"]]
        found = [self._found(run) for run in runs["run_id"]]
        return runs.assign(
            **{word: dtypes.integer([own.get(word) for own in counts]) for word in WORDS},
            errors=dtypes.integer([None if own is None else own["error"] for own in found]),
            warnings=dtypes.integer([None if own is None else own["warning"] for own in found]),
        )

    def _page(self, page: int | None) -> pd.DataFrame:
        runs = self._matching()
        if page is not None:
            first = whole("page", page, 0, self.n_pages - 1) * self.page_size
            runs = runs.iloc[first : first + self.page_size]
        return runs.reset_index(drop=True)

    def grid(self, page: int | None = None) -> RunGrid:
        """Show the runs that pass the filters by repos, newest first: all, or those of a page.

        Its columns are the repos of those runs, also where a run carries no plan. Where a graph is given, its cells
        tell who was blocked too.

        Raises
        ------
        ValueError
            Where there is no such page.
        """
        ids = list(self._page(page)["run_id"])
        rows = [self._known.row(run) for run in ids]
        return grid_of(rows, self._graph, self.meant(rows))

    def meant(self, rows: Iterable[GridRow] | None = None) -> list[str]:
        """Give the repos that the filter `repo` means: of these rows, else of all runs; none where there is no such."""
        if not self.filters.repo.strip():
            return []
        rows = map(self._known.row, self.run_ids) if rows is None else rows
        return meant(self.filters.repo, dict.fromkeys(repo for row in rows for repo in row.words))

    def name(self, run_id: str) -> str:
        """Say what a run is called: by its train and date, see :func:`seqkit.explore.run_names.run_names`."""
        return self._known.names[run_id]

    def called(self, name: str) -> str:
        """Give the id of the run that is called `name`: an id, the start of one, ``"last"``, or as :meth:`name` says.

        Raises
        ------
        RunNotFound, ValueError
            Where there is no such run, or several.
        """
        return self._known.called(name)

    @property
    def answer(self) -> str:
        """What the filters `repo` and `ended` come to, as a sentence; empty where neither is set."""
        wanted, ended = self.filters.repo.strip(), self.filters.ended
        if not wanted and ended is None:
            return ""
        rows = [self._known.row(run) for run in self._before_repo()["run_id"]]
        repos = self.meant(rows)
        if wanted and not repos:
            return f"no repo of {plural(len(rows), 'run')} is called {wanted!r:.80}"
        having = sum(any(repo in row.words for repo in repos) for row in rows) if wanted else len(rows)
        who = told(repos) if wanted else "something"
        how = "is there" if ended is None else EVERY_STYLE[ended].word
        n, had = len(self._matching()), " that had it" if len(repos) == 1 else " that had one of them"
        return f"{who}: {how} in {n:,} of {plural(having, 'run')}{had if wanted and ended else ''}"

    def _before_repo(self) -> pd.DataFrame:
        return replace(self.filters, repo="", ended=None).among(self._known.frame, self._known.trains)

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
            self._selected = self._known.one(run_id)

    def follow(self) -> None:
        """Select the newest run that goes on or, where none does, the newest."""
        self.select(self._known.newest())

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
        return None if self.selected is None else companion(self._known.frame, self.selected)

    def compare(self, a: str, b: str) -> RunDiff:
        """Compare what became of every repo in two runs, called as in :meth:`called`.

        See :func:`seqkit.explore.run_diff.diff_runs`.

        Raises
        ------
        RunNotFound, ValueError
            Where the ledger has no such run, or several.
        """
        one, other = self._known.one(self.called(a)), self._known.one(self.called(b))
        for run in (one, other):
            if run.problem:
                return RunDiff(
                    diff_runs(one.items.iloc[:0], one.items.iloc[:0]).frame, f"cannot be read: {run.problem}"
                )
        return diff_runs(one.items, other.items)

    def __repr__(self) -> str:
        n = len(self._known.frame)
        counts = Counter(self._known.frame["status"])
        each = ", ".join(f"{counts[status]} {status}" for status in dtypes.RUN_STATUSES if counts[status])
        return f"Browser({plural(n, 'run')}{': ' if each else ''}{each}{'; unreadable' if self.problem else ''})"
