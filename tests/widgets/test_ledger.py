"""The ledger browser without a page: what its controls do to its state, and what it then shows."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import ipywidgets as ipw
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from seqkit import (
    MemoryRunLedger,
    RepoDependencyGraph,
    ScriptedReleaser,
    build_plan,
    events_frame,
    execute_plan,
    items_frame,
    ledger_from_frame,
    load_dataset,
    open_ledger,
    resume_plan,
    run_plan,
)
from seqkit.errors import ReadError, StorageError
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun
from seqkit.widgets import LedgerBrowser
from seqkit.widgets._follow import Follower
from seqkit.widgets._paged_table import PagedTable, cell, table_html
from seqkit.widgets._parts import close_all
from seqkit.widgets._run_tabs import TABS
from seqkit.widgets.ledger_browser import ANY
from tests.tools.by_hand import Run, written
from tests.tools.strategies import HOSTILE_NAMES

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
PLAN = build_plan(GRAPH, version="1.0", originating_run_id="spring")
OTHER = build_plan(RepoDependencyGraph.from_edges([("x", "y")]), version="2.0", originating_run_id="autumn")
STARTED = datetime(2026, 1, 2, tzinfo=UTC)


pytestmark = pytest.mark.usefixtures("no_model_is_left")


@pytest.fixture(autouse=True)
def _no_figure_is_left():
    yield
    assert plt.get_fignums() == []


def clock() -> Any:
    ticks = iter(range(10**6))
    return lambda: STARTED + timedelta(seconds=next(ticks))


def kept() -> MemoryRunLedger:
    time = clock()
    ledger = MemoryRunLedger(ids=[f"run-{number}" for number in range(1, 100)], clock=time)
    run_plan(PLAN, ScriptedReleaser(), ledger, clock=time)
    run_plan(PLAN, ScriptedReleaser({"api": "tests are red"}), ledger, clock=time)
    run_plan(resume_plan(ledger, "run-2"), ScriptedReleaser(), ledger, clock=time)
    run_plan(OTHER, ScriptedReleaser({"x": "no disk"}), ledger, policy="stop", clock=time)
    return ledger


@pytest.fixture
def widget():
    made = LedgerBrowser(kept())
    yield made
    made.close()


class Cells(HTMLParser):
    """The cells of all tables, and the tags used."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.scopes: list[str] = []
        self.caption = ""
        self._into = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope") or "")
        self._into = "caption" if tag == "caption" else "cell" if tag in ("th", "td") else self._into

    def handle_data(self, data: str) -> None:
        if self._into == "caption":
            self.caption += data
        elif self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def open_tab(widget: LedgerBrowser, name: str) -> None:
    widget.tabs.selected_index = TABS.index(name)


def lines(widget: LedgerBrowser) -> list[str]:
    return [label.replace("\u00a0", " ") for label, _ in widget.run_list.options]


# ---------------------------------------------------------------------- choosing


def test_the_newest_run_is_shown_first(widget):
    assert widget.browser.selected == widget.run_list.value == "run-4"
    assert [run for _, run in widget.run_list.options] == ["run-4", "run-3", "run-2", "run-1"]
    assert [re.sub(r" {2,}", "|", line.strip()) for line in lines(widget)] == [
        "✗ failed|2026-01-02 00:00|6.0 s|1 failed, 1 blocked|autumn|run-4",
        "✓ completed|2026-01-02 00:00|7.0 s|2 succeeded|run-2|run-3",
        "✗ failed|2026-01-02 00:00|10.0 s|2 succeeded, 1 failed, 1 blocked|spring|run-2",
        "✓ completed|2026-01-02 00:00|11.0 s|4 succeeded|spring|run-1",
    ]
    assert widget.status.text == "4 of 4 runs"
    assert widget.tabs.dag.words == {"x": "failed", "y": "blocked"}


def test_choosing_a_run_shows_it(widget):
    widget.run_list.value = "run-2"
    assert widget.browser.selected == "run-2"
    assert widget.tabs.dag.words == {"core": "succeeded", "api": "failed", "docs": "succeeded", "app": "blocked"}
    assert widget.tabs.dag.drawn == ["core", "api", "docs", "app"]
    title = widget._title.value
    assert "run-2" in title
    assert "failed" in title
    assert "2 succeeded, 1 failed, 1 blocked; took" in title
    assert f"plan {PLAN.plan_id}, policy skip_dependents" in title


def test_filters_choose_what_is_listed(widget):
    widget.by_status.value = "FAILED"
    assert [run for _, run in widget.run_list.options] == ["run-4", "run-2"]
    assert widget.status.text == "2 of 4 runs"
    widget.by_policy.value = "skip_dependents"
    assert widget.browser.listed == ["run-2"]
    assert widget.browser.selected == widget.run_list.value == "run-2"  # the chosen one was not listed any more
    widget.by_text.value = "nothing of the kind"
    assert widget.run_list.options == ()
    assert widget.browser.selected is None
    assert "No run is selected" in widget._title.value
    assert widget._place.value == "no runs"
    widget.by_text.value = ""
    widget.by_status.value = widget.by_policy.value = ANY
    widget.by_train.value = "run-2"
    assert widget.browser.listed == ["run-3", "run-2"]


def test_filters_show_what_is_chosen(widget):
    assert [control.label for control in (widget.by_status, widget.by_policy, widget.by_train)] == ["any"] * 3
    widget.by_policy.value = "stop"
    assert widget.by_policy.label == "stop"
    widget.refresh()
    assert widget.by_policy.label == "stop"
    assert widget.browser.listed == ["run-4"]


def test_pages_are_turned():
    widget = LedgerBrowser(kept(), page_size=3)
    assert [run for _, run in widget.run_list.options] == ["run-4", "run-3", "run-2"]
    assert (widget.newer.disabled, widget.older.disabled) == (True, False)
    widget.older.click()
    assert [run for _, run in widget.run_list.options] == ["run-1"]
    assert widget.run_list.value is None  # the chosen run is on another page
    assert widget.browser.selected == "run-4"
    assert widget._place.value == "4 to 4 of 4"
    assert (widget.newer.disabled, widget.older.disabled) == (False, True)
    widget.newer.click()
    assert widget.run_list.value == "run-4"
    widget.close()


def test_a_ledger_that_grows_is_read_again():
    ledger = kept()
    widget = LedgerBrowser(ledger)
    widget.run_list.value = "run-1"
    run_plan(PLAN, ScriptedReleaser(), ledger, clock=lambda: STARTED + timedelta(days=1))
    widget.refreshing.click()
    assert "run-5" in widget.browser.listed
    assert widget.browser.selected == widget.run_list.value == "run-1"
    widget.close()


# ---------------------------------------------------------------------- tabs


def test_the_drawing_is_one_model_for_all_plans(widget):
    dag = widget.tabs.dag
    laid_out = dag._drawing
    widget.run_list.value = "run-2"
    widget.run_list.value = "run-1"
    assert widget.tabs.dag is dag
    assert dag.drawn == ["core", "api", "docs", "app"]
    assert dag._drawing != laid_out
    laid_out = dag._drawing
    widget.run_list.value = "run-2"
    assert dag._drawing is laid_out  # the same plan: only the colours change
    dag.look("api", 1)
    assert dag.drawn == ["core", "api", "app"]
    widget.run_list.value = "run-4"
    assert dag.drawn == ["x", "y"]
    assert not dag.around


def test_pressing_a_repo_tells_what_became_of_it(widget):
    widget.run_list.value = "run-2"
    widget.tabs.dag.press("api")
    assert widget.status.text == "api: failed, 1 attempt, release sequencing failed for repo api: tests are red"
    widget.tabs.dag.press("app")
    assert widget.status.text == "app: blocked, waits for api"
    widget.tabs.dag.press("core")
    assert widget.status.text == "core: succeeded, 1 attempt, run-core"


def test_items_are_a_table_with_a_caption_and_headed_rows(widget):
    widget.run_list.value = "run-2"
    open_tab(widget, "Items")
    cells = Cells(widget.tabs.items.html)
    assert cells.caption == "Items of run run-2 · 2026-01-02 00:00: 4"
    head, *rows = cells.rows
    assert head[:4] == ["repo", "ended as", "wave", "version"]
    assert [row[:4] for row in rows] == [
        ["core", "✓ succeeded", "0", "1.0"],
        ["api", "✗ failed", "1", "1.0"],
        ["docs", "✓ succeeded", "1", "1.0"],
        ["app", "⊘ blocked", "2", "1.0"],
    ]
    assert cells.scopes == ["col"] * len(head) + ["row"] * 4
    assert "waits for" in head
    widget.run_list.value = "run-1"
    assert "waits for" not in Cells(widget.tabs.items.html).rows[0]  # a column that nothing stands in is left out


def test_events_are_shown_with_all_they_say(widget):
    widget.run_list.value = "run-2"
    open_tab(widget, "Events")
    head, *rows = Cells(widget.tabs.events.html).rows
    frame = events_frame(widget.browser.ledger, "run-2")
    assert [row[head.index("kind")] for row in rows] == list(frame["kind"])
    assert [row[head.index("seq")] for row in rows] == [str(seq) for seq in frame["seq"]]
    assert rows[-1][head.index("also says")] == '{"blocked_by": ["api"]}'


def test_a_long_run_comes_in_pages():
    ids = [f"r{number:03}" for number in range(250)]
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=ids), version="1")
    widget = LedgerBrowser(run_plan(plan, 0.0).ledger)
    open_tab(widget, "Items")
    table = widget.tabs.items
    assert [row[0] for row in Cells(table.html).rows[1:]] == ids[:100]
    table._on.click()
    table._on.click()
    assert [row[0] for row in Cells(table.html).rows[1:]] == ids[200:]
    assert table._place.value == "201 to 250 of 250"
    assert (table._back.disabled, table._on.disabled) == (False, True)
    widget.close()


def test_a_table_that_grows_stays_on_its_page():
    ids = [f"r{number:03}" for number in range(250)]
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=ids), version="1")
    ledger = MemoryRunLedger()
    run_plan(plan, 0.0, ledger), run_plan(plan, 0.0, ledger)
    widget = LedgerBrowser(ledger)
    open_tab(widget, "Items")
    widget.tabs.items.turn(2)
    widget.refresh()
    assert widget.tabs.items._place.value == "201 to 250 of 250"
    widget.run_list.index = 1
    assert widget.tabs.items._place.value == "1 to 100 of 250"
    widget.close()


def test_what_is_drawn_of_one_version_is_drawn_of_the_next():
    ledger = MemoryRunLedger(ids=["first", "second"])
    run_plan(PLAN, 0.0, ledger), run_plan(build_plan(GRAPH, version="2.0"), 0.0, ledger)
    widget = LedgerBrowser(ledger)
    focus = widget.tabs.focus
    focus.find.value, focus.reach.value = "api", "1 step around"
    assert widget.tabs.dag.drawn == ["core", "api", "app"]
    widget.run_list.value = "first"
    assert (widget.tabs.focus.find.value, widget.tabs.focus.reach.value) == ("api", "1 step around")
    assert widget.tabs.dag.drawn == ["core", "api", "app"]
    widget.close()


def test_the_timeline_is_a_picture_that_says_what_it_shows(widget):
    widget.run_list.value = "run-2"
    open_tab(widget, "Timeline")
    html = widget.tabs.timeline.value
    assert html.startswith('<img alt="Timeline of run run-2 · 2026-01-02 00:00: 2 succeeded, 1 failed, 1 blocked. ')
    assert "data:image/png;base64,iVBOR" in html
    open_tab(widget, "Order")
    widget.run_list.value = "run-1"
    assert widget.tabs.timeline.value == html  # nobody looks at it
    open_tab(widget, "Timeline")
    assert "run-1" in widget.tabs.timeline.value


def test_findings_are_those_of_the_run_or_of_the_ledger():
    kf5 = load_dataset("kf5")
    widget = LedgerBrowser(kf5.ledger, graph=kf5.graph)
    widget.run_list.value = "kf5-5.98.0-unstable"
    assert "error" not in lines(widget)[1]
    open_tab(widget, "Findings")
    own = widget.browser.report
    head, *rows = Cells(widget.tabs.findings.html).rows
    assert "does not hold together" in widget.tabs.verdict.value
    assert len(rows) == len(own.findings)
    assert rows[0][0] == "✗ error"
    assert "run" not in head
    assert "34 errors" in lines(widget)[1]
    widget.tabs.audited.value = "whole ledger"
    head, *rows = Cells(widget.tabs.findings.html).rows
    assert "run" in head
    assert f"Findings of the whole ledger: {len(widget.browser.whole_report.findings)}" in widget.tabs.findings.html
    widget.close()


def test_a_clean_run_has_nothing_to_remark(widget):
    open_tab(widget, "Findings")
    assert "holds together" in widget.tabs.verdict.value
    assert "There is nothing to remark." in widget.tabs.findings.html


def test_two_runs_are_compared(widget):
    open_tab(widget, "Compare")
    widget.run_list.value = "run-3"
    assert widget.tabs.compared.value == "run-2"  # it resumes that
    assert "2 only in a, 1 failed → succeeded, 1 blocked → succeeded" in widget.tabs.difference.value
    head, *rows = Cells(widget.tabs.changes.html).rows
    assert head[:4] == ["repo", "differs in", "a ended as", "b ended as"]
    assert rows[0][:4] == ["api", "status, reason", "✗ failed", "✓ succeeded"]
    widget.tabs.compared.value = "run-1"
    assert len(Cells(widget.tabs.changes.html).rows) - 1 == len(widget.browser.compare("run-1", "run-3").frame)
    assert [run for _, run in widget.tabs.compared.options] == ["run-4", "run-2", "run-1"]
    widget.run_list.value = "run-1"
    assert widget.tabs.compared.value == "run-2"


def test_each_run_is_compared_with_its_own_companion_until_somebody_chooses(widget):
    open_tab(widget, "Compare")
    assert widget.tabs.compared.value == "run-3"
    widget.run_list.value = "run-2"
    assert widget.tabs.compared.value == widget.browser.companion == "run-1"
    widget.tabs.compared.value = "run-4"
    widget.run_list.value = "run-3"
    assert widget.tabs.compared.value == "run-4"


def test_where_no_run_is_selected_nothing_is_said_of_the_one_before():
    widget = LedgerBrowser(kept())
    open_tab(widget, "Compare")
    assert len(widget.tabs.frame)
    widget.by_text.value = "no such run"
    assert widget.browser.selected is None
    assert widget.tabs.frame.empty
    kf5 = load_dataset("kf5")
    widget.close()
    widget = LedgerBrowser(kf5.ledger, graph=kf5.graph)
    open_tab(widget, "Findings")
    widget.by_text.value = "no such run"
    assert "Findings of the whole ledger" in Cells(widget.tabs.findings.html).caption
    assert "run" in Cells(widget.tabs.findings.html).rows[0]
    widget.close()


def test_there_may_be_nothing_to_compare_with():
    widget = LedgerBrowser(run_plan(PLAN, 0.0).ledger)
    open_tab(widget, "Compare")
    assert "no other run" in widget.tabs.difference.value
    widget.close()


# ---------------------------------------------------------------------- as DataFrame


def test_tables_are_given_as_frames(widget):
    assert list(widget.frame["run_id"]) == ["run-4", "run-3", "run-2", "run-1"]
    widget.run_list.value = "run-2"
    for name, expected in (
        ("Order", items_frame(widget.browser.ledger, "run-2")),
        ("Timeline", items_frame(widget.browser.ledger, "run-2")),
        ("Items", items_frame(widget.browser.ledger, "run-2")),
        ("Events", events_frame(widget.browser.ledger, "run-2")),
        ("Findings", widget.browser.findings),
        ("Compare", widget.browser.compare("run-1", "run-2").frame),
    ):
        open_tab(widget, name)
        widget.take_tab.click()
        pd.testing.assert_frame_equal(widget.frame, expected)
        assert f"the tab {name}: {len(expected)} row" in widget.status.text
    widget.by_status.value = "FAILED"
    widget.take_runs.click()
    assert list(widget.frame["run_id"]) == ["run-4", "run-2"]


# ---------------------------------------------------------------------- runs that go on


def look_now(widget: LedgerBrowser) -> bool:
    """Look without waiting for the timer."""
    widget._follower.close()
    return widget._look_again()


def test_a_run_is_followed_while_it_goes_on():
    ledger = kept()
    widget = LedgerBrowser(ledger)
    widget.run_list.value = "run-1"
    seen = []

    def look(event: Any) -> None:
        widget(event)
        assert look_now(widget)
        seen.append((widget.browser.selected, dict(widget.tabs.dag.words)["docs"], widget.status.text.split(":")[0]))

    asyncio.run(execute_plan(PLAN, ScriptedReleaser(), ledger=ledger, on_event=look))
    assert [run for run, _, _ in seen] == ["run-5"] * 8
    assert [word for _, word, _ in seen] == ["pending"] * 4 + ["in_progress", "succeeded"] + ["succeeded"] * 2
    assert {said for _, _, said in seen} == {"running"}
    assert not look_now(widget)  # it is over, and nobody said so
    assert widget.browser.run.record.status.value == "COMPLETED"
    assert lines(widget)[[run for _, run in widget.run_list.options].index("run-5")].startswith("✓ completed")
    widget.close()


def test_who_looks_at_another_run_meanwhile_is_left_alone():
    ledger = kept()
    widget = LedgerBrowser(ledger)

    def look(event: Any) -> None:
        widget(event)
        look_now(widget)
        if event.seq == 3:
            widget.run_list.value = "run-1"

    run_plan(PLAN, ScriptedReleaser(), ledger=ledger, on_event=look)
    assert widget.browser.selected == "run-1"
    widget.close()


def test_news_reach_the_widget_by_themselves():
    ledger = kept()
    widget = LedgerBrowser(ledger)
    arrived = threading.Event()

    def noticed(change: Any) -> None:
        if any(run == "run-5" for _, run in change["new"]):
            arrived.set()

    widget.run_list.observe(noticed, "options")
    run_plan(PLAN, ScriptedReleaser(), ledger=ledger, on_event=widget)
    assert arrived.wait(20)
    widget.close()


def test_a_follower_looks_again_until_there_is_nothing_to_see():
    looks: list[int] = []
    done = threading.Event()

    def look() -> bool:
        looks.append(len(looks))
        if len(looks) == 3:
            done.set()
        return len(looks) < 3

    follower = Follower(look, first=0.01)
    follower.news()
    assert done.wait(20)
    follower.close()
    follower.news()
    assert looks == [0, 1, 2]


def test_news_during_a_look_bring_another_look():
    looking, more, again = threading.Event(), threading.Event(), threading.Event()

    def look() -> bool:
        if looking.is_set():
            again.set()
        looking.set()
        assert more.wait(20)
        return False

    follower = Follower(look, first=0.01)
    follower.news()
    assert looking.wait(20)
    follower.news()
    more.set()
    assert again.wait(20)
    follower.close()


# ---------------------------------------------------------------------- broken ledgers, any names


def test_a_run_without_a_plan_says_how_to_draw_it():
    kf5 = load_dataset("kf5")
    widget = LedgerBrowser(kf5.ledger)
    assert "LedgerBrowser(ledger, graph=…)" in widget.tabs._no_order.value
    assert "succeeded 75" in widget.tabs._no_order.value
    assert widget.tabs.dag.drawn == []
    assert widget.tabs.dag.layout.display is None  # it tells the page that the widget is alive
    widget.close()
    widget = LedgerBrowser(kf5.ledger, graph=kf5.graph)
    assert widget.tabs._no_order.value == ""
    assert len(widget.tabs.dag.drawn) == 75
    widget.close()


class Gone(MemoryRunLedger):
    """A store that worked once."""

    gone = False

    def list_runs(self, spec_digest: str | None = None) -> Any:
        if self.gone:
            raise StorageError("the disk is on fire")
        return super().list_runs(spec_digest)

    def get_events(self, run_id: str) -> Any:
        if self.gone:
            raise StorageError("the disk is on fire")
        return super().get_events(run_id)

    def get_run(self, run_id: str) -> Any:
        if self.gone:
            raise StorageError("the disk is on fire")
        return super().get_run(run_id)


def test_a_store_that_fails_is_told_and_not_raised():
    ledger = Gone()
    run_plan(PLAN, 0.0, ledger)
    run_plan(PLAN, 0.0, ledger)
    widget = LedgerBrowser(ledger)
    ledger.gone = True
    widget.run_list.index = 1
    for name in TABS:
        open_tab(widget, name)
    assert "It cannot be read: StorageError: the disk is on fire" in widget.tabs.items.html
    assert "cannot be drawn: StorageError: the disk is on fire" in widget.tabs.timeline.value
    assert "on fire" in widget.tabs.findings.html
    assert "cannot be read" in widget.tabs.difference.value
    widget(ledger._events[widget.browser.selected][2])
    look_now(widget)
    assert "on fire" in widget.status.text
    assert "⚠" in widget.status.value
    widget.refreshing.click()
    assert widget.status.text == "the runs cannot be listed: StorageError: the disk is on fire"
    assert widget.run_list.options == ()
    for name in TABS:
        open_tab(widget, name)
    widget.close()


def test_a_store_that_fails_while_a_filter_is_set():
    ledger = Gone()
    run_plan(PLAN, 0.0, ledger, policy="stop")
    widget = LedgerBrowser(ledger)
    widget.by_policy.value = "stop"
    ledger.gone = True
    widget.refresh()
    assert widget.status.text == "the runs cannot be listed: StorageError: the disk is on fire"
    ledger.gone = False
    widget.refresh()
    assert widget.status.text == "1 of 1 run"
    assert widget.by_policy.value == "stop"
    widget.close()


@pytest.mark.parametrize("arguments", [{"ledger": "nowhere.jsonl"}, {"page_size": 0}, {"graph": 7}])
def test_a_wrong_beginning_leaves_nothing_behind(arguments):
    with pytest.raises((ReadError, ValueError, TypeError)):
        LedgerBrowser(**{"ledger": MemoryRunLedger(), **arguments})
    gc.collect()  # what is thrown away half made closes itself


def test_contradictions_are_shown_as_they_stand():
    ledger = kept()
    run = ledger.get_run("run-2")
    events = ledger.get_events("run-2")
    events += [
        events[3].model_copy(update={"payload": {"node_id": ["x"]}}),
        events[0].model_copy(update={"payload": {}}),
    ]
    broken = FoundLedger(
        [FoundRun(run, "a.jsonl", 1), FoundRun(run, "b.jsonl", 1)],
        [FoundEvent("run-2", event, "a.jsonl", line) for line, event in enumerate(events, 2)],
    )
    widget = LedgerBrowser(broken)
    assert len(widget.run_list.options) == 1
    for name in TABS:
        open_tab(widget, name)
    assert "⚠" not in widget.status.value
    assert "does not hold together" in widget.tabs.verdict.value
    assert len(Cells(widget.tabs.events.html).rows) - 1 == len(events)
    widget.close()


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, "\u202eevil", "שלום"])
def test_any_name_will_do(name):
    ledger = MemoryRunLedger(ids=[name, "other"])
    plan = build_plan(RepoDependencyGraph.from_edges([(name, f"{name}b")]), version=name, originating_run_id=name)
    for _ in range(2):
        run_plan(plan, ScriptedReleaser({name: name}), ledger, tags={"train": name})
    widget = LedgerBrowser(ledger)
    widget.run_list.index = 1
    widget.by_train.index = 1
    assert widget.browser.filters.train == name
    for tab in TABS:
        open_tab(widget, tab)
    widget.tabs.dag.press(name)
    assert "⚠" not in widget.status.value
    tabs = widget.tabs
    html = [tabs.items.html, tabs.events.html, tabs.changes.html, tabs.findings.html, tabs.timeline.value]
    html += [widget._title.value, widget.status.value, tabs.verdict.value, tabs.difference.value, widget.still_html()]
    known = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "span", "p", "b", "i", "img"}
    assert Cells("".join(html)).tags <= known
    assert len("".join(html)) < 300_000
    assert all("\n" not in label for label, _ in widget.run_list.options)
    widget.close()


def test_an_empty_ledger_says_so():
    widget = LedgerBrowser(MemoryRunLedger())
    for name in TABS:
        open_tab(widget, name)
        widget.take_tab.click()
    assert repr(widget) == "LedgerBrowser(0 runs)"
    assert "No run is selected" in widget._title.value
    assert widget.still_html().count("<img") == 0
    widget.close()


# ---------------------------------------------------------------------- house rules


def test_every_control_has_a_label_and_a_tooltip(widget):
    waiting, controls = [widget], []
    while waiting:
        each = waiting.pop()
        waiting += getattr(each, "children", ())
        if "description" in each.keys and each is not widget and not isinstance(each, ipw.HTML | ipw.Label):
            controls.append(each)
    assert len(controls) > 12
    for control in controls:
        assert control.description, control
        assert control.tooltip, control


def test_what_is_left_on_a_page_is_the_same_each_time():
    stills = []
    for _ in range(2):
        widget = LedgerBrowser(run_plan(PLAN, ScriptedReleaser(["api"])).ledger)  # random run ids, other times
        stills.append((widget.still_html(), repr(widget)))
        widget.close()
    assert stills[0] == stills[1]
    assert (
        "Ledger browser, 1 run: 1 FAILED. Shown is one that came to: 2 succeeded, 1 failed, 1 blocked" in stills[0][0]
    )
    assert "<img" in stills[0][0]


def test_closing_leaves_the_ledger_open(tmp_path):
    with open_ledger(tmp_path / "runs.db") as ledger:
        run_plan(PLAN, 0.0, ledger)
        widgets = [LedgerBrowser(ledger), LedgerBrowser(tmp_path / "runs.db")]
        for each in widgets:
            each.close()
            each.close()
        assert len(ledger.list_runs()) == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (pd.NA, ""),
        (None, ""),
        (pd.NaT, ""),
        (1234567, "1,234,567"),
        (pd.Timestamp("2026-01-02T03:04:05.6Z"), "2026-01-02\u00a003:04:05"),
        (pd.Timedelta(minutes=2), "2\u00a0min\u00a00\u00a0s"),
        ([], "<bdi></bdi>"),
        (["a", "<b>"], "<bdi>a, &lt;b&gt;</bdi>"),
        ({"a": {1, 2}.pop()}, "<bdi>{&quot;a&quot;: 1}</bdi>"),
        ("", "<bdi></bdi>"),
    ],
)
def test_cells(value, shown):
    assert cell(value) == shown


def test_a_table_escapes_its_caption_and_heads():
    html = table_html(pd.DataFrame({"a": ["x"]}), "<1>", {"a": "<2>"})
    assert "<1>" not in html
    assert "<2>" not in html


def test_there_is_no_page_before_the_first_or_after_the_last():
    table = PagedTable("rows", page_size=2)
    table.show(pd.DataFrame({"a": [1, 2, 3]}), "numbers", {"a": "number"})
    table.turn(-5)
    assert [row[0] for row in Cells(table.html).rows[1:]] == ["1", "2"]
    table.turn(9)
    assert [row[0] for row in Cells(table.html).rows[1:]] == ["3"]
    close_all([table])


def test_a_run_of_nothing_is_not_called_unreadable():
    ledger = MemoryRunLedger()
    empty = build_plan(RepoDependencyGraph())
    run_plan(empty, 0.0, ledger, rng=1)
    browser = LedgerBrowser(ledger)
    (line, _), *_ = browser.run_list.options
    assert "no repos" in line
    assert "cannot be read" not in line
    browser.close()


def test_items_in_doubt_say_so_also_where_they_were_left_open():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=["a", "b", "c"]), version="1")
    view = LedgerBrowser(written(may=Run(plan, ["enter a", "hang a", "enter b", "doubt b", "late b", "enter c"])))
    open_tab(view, "Items")
    head, *rows = Cells(view.tabs.items.html).rows
    said = {row[0]: (row[1], row[head.index("in doubt")], row[head.index("released as")]) for row in rows}
    assert said == {"a": ("? in doubt", "yes", ""), "b": ("✗ failed", "", "run-b"), "c": ("▶ in progress", "yes", "")}
    assert "1 in doubt" in view.run_list.options[0][0].replace("\u00a0", " ")
    view.close()


# ---------------------------------------------------------------------- the grid, a repo, other systems


def ci(**columns: str) -> Any:
    builds = pd.read_csv("data/made_up_ci/builds.csv").rename(columns={"job": "repo_id", "result": "status"})
    return ledger_from_frame(builds, run="pipeline", attempt="try", **columns)


def test_a_cell_tells_why_and_chooses_its_run(widget):
    assert widget.grid.shown.repos == ("core", "api", "docs", "app", "x", "y")
    assert "Press a cell" in widget.panel.value
    widget.grid.press("run-2", "api")
    assert widget.browser.selected == widget.run_list.value == "run-2"
    assert "tests are red" in widget.panel.value
    assert widget.status.text.startswith("api: failed, 1 attempt, ")
    assert widget.grid._chosen == [2, 1]
    widget.run_list.value = "run-3"  # the same repo in another run
    assert "succeeded" in widget.panel.value
    widget.grid.press("run-4", None)
    assert "Press a cell" in widget.panel.value  # that run does not have it
    assert widget.status.text == "run run-4 · 2026-01-02 00:00"
    widget.grid.press("run-4", "api")
    assert widget.status.text == "api: the run's record says nothing of it"


def test_only_presses_on_the_grid_that_is_shown_count(widget):
    number = widget.grid._number
    for content in (
        {"press": [2, 1], "number": number - 1},
        {"press": [99, 1], "number": number},
        {"press": [0, "1"]},
        7,
    ):
        widget.grid._received(None, content, None)
    assert widget.browser.selected == "run-4"
    widget.grid._received(None, {"press": [2, 1], "number": number}, None)
    assert widget.browser.selected == "run-2"
    widget.grid._received(None, {"press": [1, -1], "number": number}, None)
    assert widget.browser.selected == "run-3"


def test_runs_are_found_by_what_became_of_a_repo(widget):
    widget.by_repo.value, widget.by_ended.value = "app", "blocked"
    assert [run for _, run in widget.run_list.options] == ["run-2"]
    assert widget.status.text == "1 of 4 runs; app: blocked in 1 of 3 runs that had it"
    assert widget.grid._grid["marked"] == [3]


def test_runs_are_compared_by_name(widget):
    widget.run_list.value = "run-3"
    open_tab(widget, "Compare")
    assert next(label for label, _ in widget.tabs.compared.options) == "run-4 · 2026-01-02 00:00"
    assert "<b>run-2 · 2026-01-02 00:00</b> (a) to this one, <b>run-3" in widget.tabs.difference.value


def test_items_are_sorted_and_filtered(widget):
    widget.run_list.value = "run-2"
    open_tab(widget, "Items")
    table = widget.tabs.items

    def repos():
        return [row[0] for row in Cells(table.html).rows[1:]]

    table.sort.value = "repo_id"
    assert repos() == ["api", "app", "core", "docs"]
    assert 'aria-sort="ascending"' in table.html
    table.falling.value = True
    assert repos() == ["docs", "core", "app", "api"]
    table.sort.value = "reason"  # what has none comes last both ways
    assert repos()[0] == "api"
    table.find.value = "RED"
    assert repos() == ["api"]
    assert Cells(table.html).caption.endswith(": 4, 1 of them with 'RED'")
    widget.run_list.value = "run-1"  # no reason there: the table is as it comes, and nothing matches
    assert repos() == []


@pytest.mark.parametrize("times", [{"started": "began", "finished": "ended"}, {}])
@pytest.mark.parametrize("with_graph", [False, True])
def test_another_systems_ledger_is_shown_in_every_tab(times, with_graph):
    needs = pd.read_csv("data/made_up_ci/needs.csv")
    graph = RepoDependencyGraph.from_edges(needs) if with_graph else None
    widget = LedgerBrowser(ci(**times), graph)
    word = "blocked" if with_graph else "skipped"
    run, repo = next((row.run_id, r) for row in widget.grid.shown.rows for r, w in row.words.items() if w == word)
    assert ("with graph=" in widget.grid._grid["note"]) is not with_graph
    widget.grid.press(run, repo)
    assert widget.status.text.startswith(f"{repo}: {word}")
    assert any(word in line for line in lines(widget))
    for tab in TABS:
        open_tab(widget, tab)
        assert "Error" not in widget.status.text
    assert word in widget.tabs.items.html
    assert "NaT" not in "".join([*lines(widget), widget.tabs.items.html, widget._title.value])
    widget.close()


def test_names_in_the_grid_are_text():
    plan = build_plan(RepoDependencyGraph.from_edges([], nodes=HOSTILE_NAMES), version="1")
    widget = LedgerBrowser(run_plan(plan, ScriptedReleaser(HOSTILE_NAMES[:2]), tags={"train": "<b>"}).ledger)
    for repo in widget.grid.shown.repos:
        widget.grid.press(widget.browser.selected, repo)
        assert "<script" not in widget.panel.value + widget.status.value
    assert widget.grid._grid["rows"][0]["name"].startswith("<b> · ")  # it is set as text
    assert "<b> ·" not in widget._title.value
    widget.close()
