"""A ledger to look through: choose a run, see what became of it, compare it with another."""

from __future__ import annotations

import threading
from html import escape
from typing import Any

import ipywidgets as ipw
import pandas as pd

from seqkit._show.html import escaped
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip
from seqkit._util import dtypes
from seqkit._util.words import plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunEvent, RunStatus
from seqkit.core.plan import SequencePlan
from seqkit.explore.browse import Browser
from seqkit.explore.run_diff import WORDS
from seqkit.ledger import LedgerLike
from seqkit.ledger.showing import RUN_STYLES
from seqkit.widgets._follow import Follower
from seqkit.widgets._grid_view import GridView
from seqkit.widgets._keys import KeyGuard
from seqkit.widgets._parts import Html, StatusLine, close_all, guarded, plain
from seqkit.widgets._repo_panel import RepoPanel
from seqkit.widgets._run_lines import run_lines
from seqkit.widgets._run_tabs import RunTabs
from seqkit.widgets.still import Still

__all__ = ["ANY", "LedgerBrowser"]

_STYLE = """<style>
.seqkit-runs select { font-family: var(--jp-code-font-family, monospace); font-size: 12px; }
.seqkit-runs select:focus-visible { outline: 2px solid var(--jp-brand-color1, #1976d2); }
</style>"""
ANY = ("any",)
"""The value of a filter that lets every run pass; None would mean that a dropdown is blank."""


_WHY_SKIPPED = "Nobody told why something was skipped: with graph=… it shows who was blocked."


class LedgerBrowser(Still, ipw.VBox):  # type: ignore[misc]  # ipywidgets ships no types
    """Look through the runs of a ledger.

    First stands a grid of runs and repos, newest first, or the runs as a list. Press a cell, and all that the run tells
    of that repo is shown: reason, times, attempts, the end of a log. Filters choose the runs, also by what became of a
    repo: "which runs did kio fail in?" is ``kio`` in the box "repo" and ``failed`` in "ended as". For the chosen run
    follow its order, timeline, items, events, the findings of an audit, and what differs from another run. Runs are
    called by their train and date. Everything can be done with the
    keyboard. The state is a :class:`seqkit.explore.browse.Browser`.

    It takes events, and then follows the run that they come from::

        browser = LedgerBrowser(ledger)
        display(browser)
        await execute_plan(plan, releaser, ledger=ledger, on_event=browser)

    Parameters
    ----------
    ledger : RunLedger, path or URL
        What to look through. Nothing that stands there raises: what cannot be read is a finding.
    graph : RepoDependencyGraph or SequencePlan, optional
        Stands in for the plan of runs that carry none, and tells who was blocked there.
    page_size : int
        How many runs are listed at a time.

    Attributes
    ----------
    browser : Browser
        The filters, the runs and the chosen one, as plain objects.
    frame : DataFrame
        What a button "as DataFrame" gave last; before that the runs on the first page.
    grid, run_list
        The grid, and the list of runs that ``as_list`` shows in its place.
    panel : RepoPanel
        What the chosen run tells of a repo.
    status : StatusLine
        What happened last; errors are shown there.

    Raises
    ------
    ReadError
        Where there is no such ledger.
    ValueError, TypeError
        Where an argument is something else.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger()
    >>> _ = run_plan(plan, {"core": 1.0}, ledger), run_plan(plan, 0.0, ledger)
    >>> widget = LedgerBrowser(ledger)
    >>> widget
    LedgerBrowser(2 runs: 1 COMPLETED, 1 FAILED)
    >>> widget.browser.words
    {'core': 'succeeded', 'api': 'succeeded'}
    >>> widget.close()
    """

    def __init__(
        self,
        ledger: LedgerLike,
        graph: RepoDependencyGraph | SequencePlan | None = None,
        page_size: int = 20,
    ) -> None:
        self.browser = Browser(ledger, graph, page_size)
        self.status = StatusLine()
        self._page = 0
        self._filling = False
        self._turn = threading.RLock()  # news comes in another thread than presses do
        self._is_new_run = False
        self._follower = Follower(self._look_again)
        self._make_controls()
        self._repo: str | None = None  # whose cell or box was pressed last
        self.grid = GridView(self._cell_pressed)
        self.panel = RepoPanel("Press a cell of the grid, or a box of the order, to see reason, times and attempts.")
        self.tabs = RunTabs(self.browser, self.status, self._turn, self._list_runs, self._box_pressed)
        super().__init__(
            [
                KeyGuard(),
                Html(_STYLE),
                _row(self.by_repo, self.by_ended, self.by_status, self.by_policy, self.by_train, self.by_text),
                self.grid,
                self.run_list,
                _row(self.as_list, self.newer, self.older, self._place, self.refreshing, self.take_runs),
                self.status,
                self._title,
                self.panel,
                self.tabs,
                _row(self.take_tab),
            ]
        )
        self.frame: pd.DataFrame = self.browser.runs(0)
        self._choose_newest()
        self._list_runs()
        self._show_run()
        self._say_how_many()

    def _make_controls(self) -> None:
        self.by_status = ipw.Dropdown(
            options=[("any", ANY), *((status.lower(), status) for status in dtypes.RUN_STATUSES)],
            description="status",
            tooltip="list only runs that stand so",
        )
        self.by_policy = ipw.Dropdown(description="policy", tooltip="list only runs that went by this policy")
        self.by_train = ipw.Dropdown(description="train", tooltip="list only runs of this train")
        self.by_text = ipw.Text(
            description="search",
            placeholder="run, plan, train, agent …",
            tooltip="list only runs with this in one of their ids, tags or their agent",
            continuous_update=False,
        )
        self.by_repo = ipw.Combobox(
            description="repo",
            placeholder="which runs had it",
            tooltip="list only runs that had this repo: its name, or a part of it",
            continuous_update=False,
        )
        self.by_ended = ipw.Dropdown(
            options=[("any", ANY), *((EVERY_STYLE[word].word, word) for word in WORDS)],
            description="ended as",
            tooltip="list only runs in which the repo ended so; without a repo, any repo",
        )
        self.as_list = ipw.ToggleButton(
            description="As a list", tooltip="the runs as a list in place of the grid", layout=_auto()
        )
        self.as_list.observe(lambda _change: self._show_how(), "value")
        for control in (self.by_repo, self.by_ended, self.by_status, self.by_policy, self.by_train, self.by_text):
            control.layout.width = "260px"
            control.observe(self._filtered, "value")
        self.run_list = ipw.Select(
            rows=8,
            description="runs",
            tooltip="the newest first: status, start (UTC), time taken, repos, train or origin, run",
            layout=ipw.Layout(width="99%", display="none"),
        )
        self.run_list.add_class("seqkit-runs")
        self.run_list.observe(self._chosen, "value")
        self.newer = ipw.Button(description="◀ newer", tooltip="newer runs")
        self.older = ipw.Button(description="older ▶", tooltip="older runs")
        self.refreshing = ipw.Button(description="Refresh", tooltip="read the ledger again")
        self.take_runs = ipw.Button(
            description="Runs as DataFrame", tooltip="put the listed runs into .frame", layout=_auto()
        )
        self.take_tab = ipw.Button(
            description="Show as DataFrame", tooltip="put the table of this tab into .frame", layout=_auto()
        )
        self.newer.on_click(lambda _button: self._turn_to(self._page - 1))
        self.older.on_click(lambda _button: self._turn_to(self._page + 1))
        self.refreshing.on_click(lambda _button: self.refresh())
        self.take_runs.on_click(self._take_runs)
        self.take_tab.on_click(self._take_tab)
        self._place = ipw.Label()
        self._title = Html()

    # ------------------------------------------------------------------ the list

    def _choose_newest(self) -> None:
        listed = self.browser.listed
        self.browser.select(listed[0] if listed else None)

    def _list_runs(self) -> None:
        """Show the page of runs that is in view, and what there is to filter by."""
        browser = self.browser
        self._page = min(max(self._page, 0), browser.n_pages - 1)
        runs = browser.runs(self._page)
        listed, first = len(browser.listed), self._page * browser.page_size
        ids = list(runs["run_id"])
        self._filling = True
        try:
            for control, known, chosen in (
                (self.by_policy, browser.policies, browser.filters.policy),
                (self.by_train, browser.trains, browser.filters.train),
            ):
                gone = [] if chosen is None or chosen in known else [chosen]  # with what the ledger held before
                control.options = [("any", ANY), *((plain(name), name) for name in [*known, *gone])]
                control.value = ANY if chosen is None else chosen
            self.by_train.layout.display = None if browser.trains else "none"
            self.run_list.options = list(zip(run_lines(runs), ids, strict=True))
            self.run_list.value = browser.selected if browser.selected in ids else None
            grid = browser.grid(self._page)
            self.by_repo.options = [plain(repo, 120) for repo in grid.repos if repo.strip()]
        finally:
            self._filling = False
        hint = _WHY_SKIPPED if grid.counts.get("skipped") and not browser.has_graph else ""
        self.grid.show(grid, browser.meant(grid.rows), browser.selected, self._repo, hint)
        self.newer.disabled, self.older.disabled = self._page == 0, self._page == browser.n_pages - 1
        self._place.value = f"{first + 1:,} to {first + len(ids):,} of {listed:,}" if ids else "no runs"

    def _filtered(self, _change: Any) -> None:
        if not self._filling:
            self._filter()

    @guarded
    def _filter(self) -> None:
        with self._turn:
            chosen = (control.value for control in (self.by_status, self.by_policy, self.by_train, self.by_ended))
            status, policy, train, ended = (value if isinstance(value, str) else None for value in chosen)
            self.browser.filter(status, policy, train, self.by_text.value, self.by_repo.value, ended)
            self._page = 0
            if self.browser.selected not in self.browser.listed:
                self._choose_newest()
                self._show_run()
            self._list_runs()
            self._say_how_many()

    def _say_how_many(self) -> None:
        listed, known = len(self.browser.listed), len(self.browser.run_ids)
        if self.browser.problem:
            self.status.say(self.browser.problem, error=True)
        else:
            answer = self.browser.answer
            self.status.say(f"{listed:,} of {plural(known, 'run')}{f'; {answer}' if answer else ''}")

    def _show_how(self) -> None:
        grid, listed = ("none", None) if self.as_list.value else (None, "none")
        self.grid.layout.display, self.run_list.layout.display = grid, listed

    @guarded
    def _turn_to(self, page: int) -> None:
        with self._turn:
            self._page = page
            self._list_runs()
            self.status.say(f"runs {self._place.value}")

    @guarded
    def _chosen(self, change: Any) -> None:
        if self._filling or change["new"] is None:
            return
        with self._turn:
            self.browser.select(change["new"])
            self._show_run()

    @guarded
    def _cell_pressed(self, run: str, repo: str | None) -> None:
        with self._turn:
            self._repo = self._repo if repo is None else repo
            if run != self.browser.selected:
                self.browser.select(run)
                self._filling = True
                self.run_list.value = run
                self._filling = False
            self._show_run()
            if repo is None:
                self.status.say(f"run {plain(self.browser.name(run), 80)}")
            else:
                self._say_of_repo()

    @guarded
    def _box_pressed(self, repo: str) -> None:
        with self._turn:
            self._repo = repo
            self._show_repo()
            self._say_of_repo()

    def _show_repo(self) -> None:
        """Show what the chosen run tells of the repo that was pressed last."""
        run, repo = self.browser.run, self._repo
        told = None if run is None or repo is None else run.told(repo)
        if run is None or told is None:
            self.panel.clear()
        else:
            self.panel.show(told, plain(self.browser.name(run.record.run_id), 80))
        self.grid.choose(self.browser.selected, repo)

    def _say_of_repo(self) -> None:
        run, repo = self.browser.run, self._repo or ""
        told = None if run is None else run.told(repo)
        self.status.say(f"{plain(repo)}: the run's record says nothing of it" if told is None else told.sentence)

    # ------------------------------------------------------------------ the run

    def _show_run(self, briefly: bool = False) -> None:
        run = self.browser.run
        if run is None:
            self._title.value = "<p>No run is selected.</p>"
        else:
            name = escape(plain(self.browser.name(run.record.run_id), 80))
            of = "" if run.record.run_id in name else f"id {run.record.run_id}, "
            standing = chip(RUN_STYLES[run.record.status.value])
            self._title.value = (
                f'<div style="line-height:1.6"><b>Run <bdi>{name}</bdi></b> {standing}: {escaped(run.summary, 600)}'
                f'<div style="opacity:.8">{escaped(of + run.origin, 300)}</div></div>'
            )
        self._show_repo()
        self.tabs.show(briefly)

    @guarded
    def refresh(self) -> None:
        """Read the ledger again, and show it; filters and the chosen run stay."""
        with self._turn:
            self.browser.refresh()
            if self.browser.selected is None:
                self._choose_newest()
            self._list_runs()
            self._show_run()
            self._say_how_many()

    @guarded
    def _take_runs(self, _button: object) -> None:
        with self._turn:
            self._take(self.browser.runs(), "the listed runs")

    @guarded
    def _take_tab(self, _button: object) -> None:
        with self._turn:
            self._take(self.tabs.frame, f"what is behind the tab {self.tabs.shown}")

    def _take(self, frame: pd.DataFrame, what: str) -> None:
        self.frame = frame
        rows, columns = frame.shape
        self.status.say(f".frame of this widget is now {what}: {plural(rows, 'row')}, {columns} columns")

    # ------------------------------------------------------------------ a run that goes on

    def __call__(self, event: RunEvent) -> None:
        """Take in an event of a run that is being made: give the widget as `on_event`."""
        if event.seq == 1:
            self._is_new_run = True
        self._follower.news()

    def _look_again(self) -> bool:
        """Show how far the run has got; say whether it goes on."""
        with self._turn:
            if self.comm is None:  # closed meanwhile
                return False
            self._look()
            run = self.browser.run
            return run is not None and run.record.status is RunStatus.RUNNING

    @guarded
    def _look(self) -> None:
        browser = self.browser
        if self._is_new_run:
            self._is_new_run = False
            browser.refresh()
            browser.follow()
            self._page = 0
        else:
            browser.reread()
        self._list_runs()
        self._show_run(briefly=browser.run is not None and browser.run.record.status is RunStatus.RUNNING)
        if browser.run is not None:
            self.status.say(f"{RUN_STYLES[browser.run.record.status.value].word}: {browser.run.summary}")

    # ------------------------------------------------------------------ without a browser, and the end

    def _still(self) -> tuple[str, str]:
        run = self.browser.run
        told = f"Ledger browser, {repr(self.browser)[len('Browser(') : -1]}"
        if run is None:
            return told, ""
        return f"{told}. Shown is one that came to: {run.counted}", self.tabs.dag.still() if self.tabs.dag.drawn else ""

    def __repr__(self) -> str:
        return f"Ledger{self.browser!r}"

    def close(self) -> None:
        """Remove the widget from all pages and its models from the kernel; a ledger that was given stays open."""
        if self.comm is None:  # closed already, or never made
            return
        self._follower.close()
        with self._turn:
            close_all([self])
            self.browser.close()


def _auto() -> ipw.Layout:
    return ipw.Layout(width="auto")


def _row(*widgets: ipw.Widget) -> ipw.HBox:
    return ipw.HBox(widgets, layout=ipw.Layout(flex_flow="row wrap"))
