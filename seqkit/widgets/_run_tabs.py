"""What a ledger holds of one run, a tab for each way to look at it; only the tab in view is made."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as ipw
import pandas as pd

from seqkit._show.html import escaped
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import legend
from seqkit._util import dtypes
from seqkit._util.words import inflected, plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.explore.browse import Browser
from seqkit.explore.run_diff import RunDiff, diff_runs
from seqkit.widgets._focus import FocusBar
from seqkit.widgets._paged_table import PagedTable
from seqkit.widgets._parts import Html, StatusLine, close_all, guarded, plain
from seqkit.widgets.dag import DagView

__all__ = ["TABS", "RunTabs"]

TABS = ("Order", "Timeline", "Items", "Events", "Findings", "Compare")
"""The tabs, from left to right."""

_ITEMS = {
    "repo_id": "repo",
    "word": "ended as",
    "wave": "wave",
    "version_label": "version",
    "attempts": "attempts",
    "started_at": "started (UTC)",
    "duration": "took",
    "reason": "reason",
    "blocked_by": "waits for",
    "released_as": "released as",
    "in_doubt": "in doubt",
}
_EVENTS = {
    "seq": "seq",
    "timestamp": "time (UTC)",
    "kind": "kind",
    "repo_id": "repo",
    "version": "version",
    "released_as": "released as",
    "error": "error",
    "rest": "also says",
}
_FINDINGS = {
    "severity": "severity",
    "check": "check",
    "run_id": "run",
    "seq": "seq",
    "repo_id": "repo",
    "message": "what",
}
_CHANGES = {
    "repo_id": "repo",
    "changes": "differs in",
    "word_a": "a ended as",
    "word_b": "b ended as",
    "version_a": "version in a",
    "version_b": "version in b",
    "reason_a": "reason in a",
    "reason_b": "reason in b",
}
_QUICK = {"Order", "Items", "Events"}
_IN_COLUMNS = {"node_id", "version", "run_id", "error"}  # of a payload, these have columns of their own
_MARKS = {"error": "✗", "warning": "!", "info": "i"}
_MOST_COMPARED = 500  # runs in the dropdown


class RunTabs(ipw.Tab):  # type: ignore[misc]  # ipywidgets has no types
    """Shows the selected run of a browser.

    Parameters
    ----------
    browser : Browser
        What is looked at.
    status : StatusLine
        Where it is told what a press came to.
    turn : lock
        Taken before the browser is used.
    audited : callable
        Called when there are new findings.
    pressed : callable
        Called with the id of a repo whose box was pressed.
    """

    def __init__(
        self,
        browser: Browser,
        status: StatusLine,
        turn: contextlib.AbstractContextManager[Any],
        audited: Callable[[], object],
        pressed: Callable[[str], object],
    ) -> None:
        self.status = status
        self._browser = browser
        self._turn = turn
        self._audited = audited
        self._stale: set[str] = set()
        self._filling = False
        self._by_hand = False  # whether somebody chose the run to compare with
        self.dag = DagView(RepoDependencyGraph(), label="order of the run")
        self.dag.on_press(pressed)
        self._pressed = pressed
        self._no_order = Html()
        self.focus = FocusBar(self.dag, [], status.say, pressed)
        self._order = ipw.VBox([self.focus, self._no_order, self.dag])
        self.timeline = Html()
        self.items = PagedTable("repos")
        self.events = PagedTable("events")
        self.findings = PagedTable("findings")
        self.verdict = Html()
        self.audited = ipw.Dropdown(
            options=["this run", "whole ledger"], description="audit of", tooltip="one run, or all runs and lines"
        )
        self.audited.observe(lambda _change: self._render("Findings"), "value")
        self.compared = ipw.Dropdown(
            description="with run (a)", tooltip="compare with this run", layout=ipw.Layout(width="600px")
        )
        self.compared.observe(self._compare, "value")
        self.changes = PagedTable("repos")
        self.difference = Html()
        self._drawn: list[str] = []
        self._frames: dict[str, pd.DataFrame] = {}
        super().__init__(
            [
                self._order,
                self.timeline,
                self.items,
                self.events,
                ipw.VBox([self.audited, self.verdict, self.findings]),
                ipw.VBox([self.compared, self.difference, self.changes]),
            ],
            titles=TABS,
        )
        self.observe(lambda _change: self._render_if_stale(), "selected_index")

    # ------------------------------------------------------------------ what is shown

    @property
    def shown(self) -> str:
        """The name of the tab in view."""
        return TABS[self.selected_index or 0]

    @property
    def frame(self) -> pd.DataFrame:
        """The table behind the tab in view; behind the drawings, the items."""
        return self._frames.get(self.shown, self._browser.items).copy()

    def show(self, briefly: bool = False) -> None:
        """Show the selected run as it is now; tabs that are out of view wait until they are looked at.

        With `briefly`, for a run that goes on, what takes long to make stays as it is.
        """
        self._stale = set(TABS)
        if not briefly or self.shown in _QUICK:
            self._render_if_stale()

    def _render_if_stale(self) -> None:
        if self.shown in self._stale:
            self._render(self.shown)

    @guarded
    def _render(self, name: str) -> None:
        with self._turn:
            self._stale.discard(name)
            getattr(self, f"_render_{name.lower()}")()

    def _caption(self, what: str) -> str:
        run = self._browser.selected
        return f"{what} of run {'' if run is None else plain(self._browser.name(run), 80)}"

    # ------------------------------------------------------------------ order

    def _render_order(self) -> None:
        run = self._browser.run
        plan = None if run is None else run.plan
        words = {} if run is None else run.words
        if run is not None and plan is None:
            self._no_order.value = (
                "<p>The run carries no plan, so its order is not known. Give "
                "<code>LedgerBrowser(ledger, graph=…)</code> the graph that it was made from.</p>"
                + legend(run.counts, EVERY_STYLE)
            )
        else:
            self._no_order.value = ""
        plan = RepoDependencyGraph() if plan is None else plan
        graph = plan if isinstance(plan, RepoDependencyGraph) else plan.graph
        self.dag.show(plan, {repo: word for repo, word in words.items() if repo in graph})
        # An empty drawing keeps its width: it is by having one that it tells that the widget is alive.
        self.dag.layout.visibility, self.dag.layout.height = (None, None) if len(graph) else ("hidden", "0")
        if list(graph) != self._drawn:
            self._drawn = list(graph)
            old, self.focus = self.focus, FocusBar(self.dag, self._drawn, self.status.say, self._pressed)
            self._order.children = [self.focus, self._no_order, self.dag]
            close_all([old])
        else:
            self.focus.again()
        self.focus.layout.display = None if self._drawn else "none"

    # ------------------------------------------------------------------ timeline

    def _render_timeline(self) -> None:
        run = self._browser.run
        if run is None:
            self.timeline.value = "<p>No run is selected.</p>"
            return
        from seqkit.plots.picture import png  # noqa: PLC0415  # matplotlib is slow to import, and not all look here
        from seqkit.plots.timeline import timeline  # noqa: PLC0415

        rows = len(run.words)
        try:
            picture = png(
                lambda ax: timeline(self._browser.ledger, run.record.run_id, ax),
                11,
                min(max(1.9 + 0.2 * rows, 2.6), 16) if rows <= 300 else 6,
            )
        except Exception as problem:  # whatever a store may raise
            self.timeline.value = f"<p>It cannot be drawn: {escaped(f'{type(problem).__name__}: {problem}', 600)}</p>"
            return
        data = base64.b64encode(picture).decode("ascii")
        alt = escape(f"{self._caption('Timeline')}: {run.counted}. The tab Items has the same as a table.")
        self.timeline.value = (
            f'<img alt="{alt}" style="width:100%;max-width:1100px;background:#fff" src="data:image/png;base64,{data}">'
        )

    # ------------------------------------------------------------------ tables

    def _render_items(self) -> None:
        items = self._browser.items
        self._frames["Items"] = items
        doubt = dtypes.string(["yes" if doubt is True else None for doubt in items["in_doubt"].astype(object)])
        run = self._browser.run
        words = {} if run is None else run.known  # as everywhere else: a graph may tell who was blocked
        shown = items.assign(word=dtypes.string([words.get(repo) for repo in items["repo_id"]]), in_doubt=doubt)
        # By wave, and who is not released last: plan order alone may have a later wave before an earlier one.
        self._table(self.items, shown.sort_values(["wave", "position"]), "Items", _ITEMS)

    def _render_events(self) -> None:
        events = self._browser.events
        self._frames["Events"] = events
        rest = [
            {key: value for key, value in payload.items() if key not in _IN_COLUMNS}
            if isinstance(payload, dict)
            else payload
            for payload in events["payload"]
        ]
        self._table(self.events, events.assign(rest=dtypes.objects(more or None for more in rest)), "Events", _EVENTS)

    def _table(self, table: PagedTable, frame: pd.DataFrame, what: str, columns: dict[str, str]) -> None:
        run = self._browser.run
        if run is None:
            table.say("No run is selected.")
        elif frame.empty:
            table.say(f"It has no {what.lower()}." if not run.problem else f"It cannot be read: {run.problem}")
        else:
            shown = {name: title for name, title in columns.items() if not _nothing_in(frame[name])}
            table.show(frame, f"{self._caption(what)}: {len(frame):,}", shown, about=run.record.run_id)

    def _render_findings(self) -> None:
        whole = self.audited.value == "whole ledger" or self._browser.run is None
        report = self._browser.whole_report if whole else self._browser.report
        findings = report.findings.sort_values("severity", kind="stable", ignore_index=True)
        self._frames["Findings"] = findings
        verdict = "The record holds together" if report.ok else "The record does not hold together"
        self.verdict.value = f"<p><b>{verdict}.</b> {escaped(report.summary())}.</p>"
        if findings.empty:
            self.findings.say("There is nothing to remark.")
        else:
            columns = {name: title for name, title in _FINDINGS.items() if name != "run_id" or whole}
            what = "Findings of the whole ledger" if whole else self._caption("Findings")
            shown = {name: title for name, title in columns.items() if not _nothing_in(findings[name])}
            marked = [f"{_MARKS[severity]} {severity}" for severity in findings["severity"]]
            names = [None if pd.isna(run) else self._name(run) for run in findings["run_id"]]
            shown_as = findings.assign(severity=marked, run_id=dtypes.string(names))
            self.findings.show(shown_as, f"{what}: {len(findings):,}", shown, about=what)
        self._audited()

    def _name(self, run_id: str) -> str:
        """Name a run; one that only a finding tells of by its id."""
        return self._browser.name(run_id) if run_id in self._browser.run_ids else run_id

    # ------------------------------------------------------------------ compare

    def _compare(self, _change: Any) -> None:
        if not self._filling:
            self._by_hand = True
            self._render("Compare")

    def _render_compare(self) -> None:
        browser, here = self._browser, self._browser.selected
        others = [run for run in browser.run_ids if run != here][:_MOST_COMPARED]
        if here is None or not others:
            self.compared.layout.display = "none"
            self.difference.value = "<p>There is no other run to compare with.</p>"
            self.changes.say("")
            self._frames["Compare"] = diff_runs(browser.items.iloc[:0], browser.items.iloc[:0]).frame
            return
        self.compared.layout.display = None
        chosen = self.compared.value if self._by_hand and self.compared.value in others else browser.companion
        others = others if chosen in others else [chosen or "", *others]
        self._filling = True
        self.compared.options = [(plain(self._name(run), 80), run) for run in others]
        self.compared.value = chosen
        self._filling = False
        difference: RunDiff = browser.compare(self.compared.value, here)
        self._frames["Compare"] = frame = difference.frame
        a, b = (escaped(plain(self._name(run), 80)) for run in (self.compared.value, here))
        self.difference.value = (
            f"<p>From <b>{a}</b> (a) to this one, <b>{b}</b> (b): {escaped(difference.summary, 600)}.</p>"
        )
        if frame.empty:
            self.changes.say("")
            return
        frame = frame.rename(columns={"status_a": "word_a", "status_b": "word_b"})
        shown = {name: title for name, title in _CHANGES.items() if not _nothing_in(frame[name])}
        self.changes.show(
            frame, f"{plural(len(frame), 'repo')} that {inflected(len(frame), 'differs', 'differ')}", shown
        )


def _nothing_in(column: pd.Series) -> bool:
    return all(
        value == [] if isinstance(value, list) else not isinstance(value, dict) and pd.isna(value) for value in column
    )
