"""The ledger browser in JupyterLab, by mouse and by keyboard, while a run goes on, and without a kernel's models."""

from __future__ import annotations

import re

import pytest

SETUP = """
import asyncio, seqkit
from datetime import UTC, datetime, timedelta
from seqkit import ScriptedReleaser, run_plan
from seqkit.widgets import LedgerBrowser
ticks = iter(range(10**6))
clock = lambda: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=7 * next(ticks))
ledger = seqkit.MemoryRunLedger(ids=(f"run-{n}" for n in range(1, 99)), clock=clock)
edges = [("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site"), ("docs", "site"), ("tool", "site")]
plan = seqkit.build_plan(seqkit.RepoDependencyGraph.from_edges(edges), version="1.0", originating_run_id="spring")
other = seqkit.build_plan(seqkit.RepoDependencyGraph.from_edges([("x", "y")]), version="2.0")
run_plan(plan, ScriptedReleaser(), ledger, clock=clock)
run_plan(plan, ScriptedReleaser({"api": "tests are red"}), ledger, clock=clock, attempts=2)
run_plan(seqkit.resume_plan(ledger, "run-2"), ScriptedReleaser(), ledger, clock=clock)
run_plan(other, ScriptedReleaser({"x": "<b>no disk</b>"}), ledger, clock=clock, policy="stop");
"""
SHOW = "browser = LedgerBrowser(ledger)\nbrowser"


@pytest.fixture(scope="module")
def book(lab):
    with lab.notebook(SETUP, SHOW, height=1150) as notebook:
        notebook.run()
        notebook.page.wait_for_selector(".seqkit-node")
        yield notebook


@pytest.fixture
def page(book):
    """The page as it was first shown."""
    book.python("browser.by_status.index = browser.by_ended.index = 0; browser.by_text.value = ''")
    book.python("browser.by_repo.value = ''; browser.tabs.selected_index = 0; browser.as_list.value = False")
    book.python("browser.run_list.value = 'run-2'")
    node(book.page, "api").wait_for()
    return book.page


def node(page, repo):
    return page.locator(".seqkit-node").filter(has_text=re.compile(rf"^.{{1,2}}{repo}"))


def tab(page, name):
    return page.get_by_role("tab", name=name)


def runs(page):
    return page.locator(".seqkit-runs select")


def cell(page, repo, run):
    return page.get_by_role("gridcell", name=re.compile(f"^{repo}, {run} "))


def test_the_grid_is_seen_first_and_its_cells_tell_why(book, page):
    assert runs(page).is_hidden()
    assert page.get_by_role("grid", name="runs by repos").locator("tbody tr").count() == 4
    book.screenshot("ledger-grid")
    failed = cell(page, "api", "run-2")
    assert failed.get_attribute("data-status") == "failed"
    assert failed.text_content() == "✗2"  # two attempts
    failed.click()
    page.get_by_role("region", name="api: failed").get_by_text("tests are red").first.wait_for()
    assert failed.get_attribute("aria-selected") == "true"
    page.locator(".seqkit-status").get_by_text("api: failed, 2 attempts, ").wait_for()
    page.keyboard.press("ArrowUp")  # by keyboard: to the resumption, and from there to the failure of another plan
    page.keyboard.press("Enter")
    page.get_by_role("region", name="api: succeeded").wait_for()
    book.until("browser.browser.selected == 'run-3'")
    page.keyboard.press("PageUp")
    page.keyboard.press("Home")
    for _ in range(len(book.value("browser.grid.shown.repos"))):
        page.keyboard.press("ArrowRight")
        if page.evaluate("document.activeElement.dataset.status") == "blocked":
            break
    page.keyboard.press("Space")
    page.get_by_role("region", name="y: blocked").get_by_text("waits for x").wait_for()
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
    page.get_by_label("repo", exact=True).fill("ap")
    page.keyboard.press("Enter")
    page.get_by_label("ended as", exact=True).select_option("failed")
    page.get_by_text("1 of 4 runs; api, app: failed in 1 of 3 runs that had one of them").wait_for()
    assert page.locator(".seqkit-grid tbody tr").count() == 1
    assert page.locator(".seqkit-grid thead .seqkit-grid-marked").all_inner_texts() == ["api", "app"]
    book.screenshot("ledger-found")


def test_items_are_sorted_and_filtered(book, page):
    tab(page, "Items").click()
    table = page.get_by_role("table", name=re.compile("^Items of run run-2"))
    table.wait_for()
    names = table.locator("tbody th")
    page.get_by_label("sort by", exact=True).nth(0).select_option("repo")
    table.locator("th[aria-sort=ascending]").wait_for()
    assert names.all_inner_texts() == ["api", "app", "core", "docs", "site", "tool"]
    page.get_by_role("button", name="▼ falling").first.click()
    table.locator("th[aria-sort=descending]").wait_for()
    assert names.all_inner_texts() == ["tool", "site", "docs", "core", "app", "api"]
    page.get_by_label("filter", exact=True).first.fill("red")
    page.keyboard.press("Enter")
    page.get_by_role("table", name=re.compile("6, 1 of them with 'red'")).wait_for()
    assert names.all_inner_texts() == ["api"]
    book.screenshot("ledger-items-arranged")
    book.python("browser.tabs.items.find.value = ''; browser.tabs.items.sort.value = ''")
    book.python("browser.tabs.items.falling.value = False")


def test_by_mouse(book, page):
    assert page.locator(".seqkit-still").first.is_hidden()
    for name in ("status", "policy", "train", "ended as"):
        assert page.get_by_label(name, exact=True).evaluate("list => list.selectedOptions[0].text") == "any"
    page.get_by_role("button", name="As a list", exact=True).click()
    runs(page).select_option(index=0)
    node(page, "x").wait_for()
    assert page.locator(".seqkit-node").count() == 2
    assert page.locator(".seqkit-still").first.is_hidden()
    runs(page).select_option(index=2)
    node(page, "api").click()
    page.get_by_text("api: failed, 2 attempts, release sequencing failed for repo api: tests are red").wait_for()
    page.get_by_role("region", name="api: failed").wait_for()
    assert node(page, "site").get_attribute("data-status") == "blocked"
    book.screenshot("ledger-order")
    for name, seen in (
        (
            "Timeline",
            page.get_by_alt_text("Timeline of run run-2 · 2026-01-02 00:01: 3 succeeded, 1 failed, 2 blocked"),
        ),
        ("Items", page.get_by_role("row", name=re.compile(r"^api failed 1 1\.0 2"))),
        ("Events", page.get_by_role("row", name=re.compile("NodeRetrying api"))),
        ("Findings", page.get_by_text("The record holds together.")),
        ("Compare", page.get_by_text("1 succeeded → failed")),
    ):
        tab(page, name).click()
        seen.first.wait_for()
        book.screenshot(f"ledger-{name.lower()}")
    page.get_by_role("button", name="Show as DataFrame").click()
    page.get_by_text(".frame of this widget is now what is behind the tab Compare: 3 rows, 8 columns").wait_for()
    assert book.value("browser.frame['repo_id'].tolist()") == ["api", "app", "site"]
    assert book.value("browser.frame['changes'].tolist()") == [["status", "reason"], ["status"], ["status"]]


def test_by_keyboard_alone(book, page):
    book.python("browser.as_list.value = True")
    runs(page).wait_for()
    page.get_by_label("status", exact=True).focus()
    page.keyboard.press("f")  # a dropdown goes to the entry that begins so
    book.until("browser.browser.filters.status == 'FAILED'")
    page.get_by_text("2 of 4 runs").wait_for()
    for _ in range(4):  # policy, train, search, runs
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    book.until("browser.browser.selected == 'run-4'")
    node(page, "x").wait_for()
    page.keyboard.press("ArrowDown")
    book.until("browser.browser.selected == 'run-2'")
    node(page, "api").wait_for()
    for key in "bdd":  # elsewhere on the page these insert a cell and delete it
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == 2
    tab(page, "Order").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    book.until("browser.tabs.shown == 'Items'")
    page.get_by_role("table", name=re.compile("^Items of run run-2 .*: 6$")).wait_for()
    page.get_by_label("search", exact=True).focus()
    page.keyboard.type("seq-")
    page.keyboard.press("Enter")
    book.until("browser.browser.filters.text == 'seq-'")
    assert book.value("browser.browser.listed") == ["run-4", "run-2"]


def test_what_is_written_in_a_ledger_is_no_markup(book, page):
    book.python("browser.run_list.value = 'run-4'")
    tab(page, "Items").click()
    page.get_by_text("release sequencing failed for repo x: <b>no disk</b>").wait_for()


def test_themes(book, page):
    book.theme("JupyterLab Dark")
    book.screenshot("ledger-order-dark")
    for name in ("Items", "Findings", "Timeline"):
        tab(page, name).click()
        book.until(f"browser.tabs.shown == {name!r}")
        page.wait_for_timeout(100)
        book.screenshot(f"ledger-{name.lower()}-dark")
    text, paper = page.get_by_text("Run run-2").first.evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor]"
    )
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (text, paper)]
    book.theme("JupyterLab Light")
    assert light[0] - light[1] > 300


LIVE = """
gate = asyncio.Event()
async def slow(repo, version, digest, by):
    if repo == "docs":
        await gate.wait()
    return repo
live = asyncio.get_running_loop().create_task(
    seqkit.execute_plan(plan, slow, ledger=ledger, on_event=browser, clock=clock))
"""


def test_a_run_is_shown_while_it_goes_on(book, page):
    book.python(LIVE)
    page.locator(".seqkit-node[data-status='in progress']").filter(has_text="docs").wait_for()
    assert node(page, "core").get_attribute("data-status") == "succeeded"
    assert node(page, "site").get_attribute("data-status") == "pending"
    assert runs(page).locator("option").first.text_content().startswith("▶")
    assert cell(page, "docs", "run-5").get_attribute("data-status") == "in progress"
    book.screenshot("ledger-live")
    book.python("gate.set()")
    page.locator(".seqkit-node[data-status='succeeded']").filter(has_text="site").wait_for()
    page.get_by_text("completed: 6 succeeded").first.wait_for()  # nobody tells of the end: it looked again
    book.until("live.done()")
    assert book.value("browser.browser.selected") == "run-5"


def test_closing_brings_the_picture_back(book, page):
    book.python("browser.close()")
    page.locator(".seqkit-node").first.wait_for(state="detached")
    page.locator(".seqkit-still img").wait_for()
    assert "Ledger browser, 4 runs: 2 COMPLETED, 2 FAILED" in page.locator(".seqkit-still").inner_text()


def test_a_table_that_is_replaced_keeps_its_place_and_the_focus(lab):
    cell = """
from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan
from seqkit.widgets import LedgerBrowser
graph = RepoDependencyGraph.from_edges([], nodes=[f"r{i:03}" for i in range(90)])
ledger = MemoryRunLedger()
run_plan(build_plan(graph, version="1"), 0.0, ledger)
widget = LedgerBrowser(ledger)
widget.tabs.selected_index = 2
table = widget.tabs.items
widget
"""
    with lab.notebook(cell, height=1200) as notebook:
        notebook.run()
        page = notebook.page
        region = page.locator(".widget-html:has([role=region])")
        region.focus()
        region.evaluate("region => region.scrollTop = 300")
        notebook.python(
            "frame, caption, columns = table._shown\n"
            "table.show(frame.assign(version_label='2'), caption, columns, about=table._about)"
        )
        page.wait_for_function("document.querySelector('.widget-html [role=region] td:nth-child(4)').innerText === '2'")
        assert region.evaluate("region => [region.scrollTop, region === document.activeElement]") == [300, True]


WATCHED = """
from seqkit.widgets import RunView
past = RunView.of(ledger, "run-2")
past
"""
VIEW = "view = RunView(plan, durations=60)\nview"
RUN = """
async def release(repo, *about):
    if repo == "api":
        raise RuntimeError("exit 1\\ntest_login failed")
    if repo == "docs":
        await asyncio.sleep(300)
    return repo
own = seqkit.MemoryRunLedger()
await seqkit.execute_plan(plan, release, ledger=own, on_event=view, grace=0.1, max_parallel=2)
"""


def test_a_run_is_watched_and_stopped_and_another_is_looked_at(lab):
    with lab.notebook(SETUP.replace("LedgerBrowser", "RunView") + WATCHED, VIEW, RUN, height=1150) as book:
        page = book.page
        book.run(wait=False)
        past, view = (page.locator(".jp-CodeCell").nth(number) for number in (0, 1))
        past.get_by_text("The run is over: 3 succeeded, 1 failed, 2 blocked.").wait_for()
        past.locator(".seqkit-node[aria-label^='api,']").click()
        past.get_by_role("region", name="api: failed").get_by_text("tests are red").first.wait_for()
        assert past.get_by_role("button", name="Stop", exact=True).count() == 0
        view.locator(".seqkit-node[aria-label^='docs,'][data-status='in progress']").wait_for()
        held = view.locator(".seqkit-node[aria-label*='held']")
        held.first.wait_for()
        view.get_by_text("The end: about ").wait_for()
        view.locator(".seqkit-node[aria-label^='api,']").press("Enter")
        view.get_by_role("region", name="api: failed").get_by_text("test_login failed").wait_for()
        book.screenshot("run-view-held")
        stop = view.get_by_role("button", name="Stop", exact=True)
        stop.click()
        view.get_by_text("Stop the run? Nothing new would start").wait_for()
        view.get_by_role("button", name="No, go on").click()
        view.get_by_text("The run goes on").wait_for()
        stop.press("Enter")
        view.get_by_role("button", name="Yes, stop").press("Enter")
        view.get_by_text(re.compile(r"The run was interrupted: .*1 in doubt as it was under way \(docs\)")).wait_for()
        assert stop.count() == 0
        book.screenshot("run-view-interrupted")
        assert book.value("own.list_runs()[-1].status.value") == "CANCELLED"
        assert "CancelledError" in page.locator(".jp-CodeCell").nth(2).inner_text()
