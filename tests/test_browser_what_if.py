"""The what-if widget and the picture in it, in a real JupyterLab: by mouse, by keyboard, and live."""

from __future__ import annotations

import nbformat

SETUP = """
import asyncio
from seqkit import RepoDependencyGraph, build_plan, execute_plan, load_dataset, run_plan
from seqkit.widgets import RunView, WhatIf
graph = load_dataset("jest29").graph
plan = build_plan(graph)
"""
HOSTILE = """
hostile = ["<img src=x onerror=console.error(1)>", "$x$", "two\\nlines", "", "x" * 10_000, "\\u202etxt", "'\\"&amp;"]
odd = WhatIf(build_plan(RepoDependencyGraph.from_edges([("core", name) for name in hostile]), version="1"), 0.1)
odd
"""
LIVE = """
view = RunView(plan)
view
"""
RUN = """
from pathlib import Path
async def release(repo, *about):
    while repo == "jest-util" and not Path("open").exists():
        await asyncio.sleep(0.01)
    if repo == "jest-get-type":
        raise RuntimeError("tests are red")
    return f"run-{repo}"
outcome = await execute_plan(plan, release, on_event=view)
"""


def status(page, name, scope=""):
    return page.locator(f'{scope} .seqkit-node[aria-label^="{name},"]').get_attribute("data-status")


def counts(page, scope=""):
    """The legend, as the page shows it."""
    entries = page.locator(f"{scope} .seqkit-dag-legend li").all_inner_texts()
    return {word: int(count) for word, count in (entry[1:].strip().rsplit(" ", 1) for entry in entries)}


def test_what_if_by_mouse_and_by_keyboard(lab):
    with lab.notebook(SETUP, "widget = WhatIf(plan, 0.02)\nwidget", height=1300) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        assert page.locator(".seqkit-still").is_hidden()  # the widget has come to life
        assert page.locator(".seqkit-node").count() == 46

        assert page.locator(".seqkit-status .widget-html-content").get_attribute("aria-live") == "polite"

        # by mouse
        node = page.locator('.seqkit-node[aria-label^="jest-get-type,"]')
        node.click()
        page.wait_for_selector('.seqkit-node[aria-label^="jest-get-type,"][aria-pressed=true]')
        notebook.idle()
        assert notebook.value("sorted(widget.scenario.failing)") == ["jest-get-type"]
        expected = notebook.value("widget.dag.counts()")
        assert counts(page) == {word.replace("_", " "): count for word, count in expected.items()}
        assert status(page, "jest-diff") == "blocked"
        assert page.locator(".seqkit-status").inner_text() == notebook.value("widget.status.text")
        assert node.get_attribute("aria-label") == "jest-get-type, wave 0, failed, 0%"
        notebook.screenshot("what-if-light")
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("what-if-dark")

        # a drag moves the picture and presses nothing; the button brings it back
        layer = page.locator(".seqkit-dag-picture > g")
        page.get_by_role("button", name="show all").click()
        before = layer.get_attribute("transform")
        box = page.locator(".seqkit-dag-picture").bounding_box()
        page.mouse.move(box["x"] + 30, box["y"] + 300)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 340, steps=4)
        page.mouse.up()
        assert layer.get_attribute("transform") != before
        page.get_by_role("button", name="show all").click()
        assert layer.get_attribute("transform") == before

        # by keyboard: one tab stop, arrows, Enter and Space
        node.focus()
        page.keyboard.press("Enter")
        notebook.until("not widget.scenario.failing")
        page.keyboard.press("End")
        last = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert last.startswith(notebook.value("widget.dag.drawn[-1]") + ",")
        page.keyboard.press("Home")
        first = notebook.value("widget.dag.drawn[0]")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(first)
        page.keyboard.press("ArrowDown")
        below = page.evaluate("document.activeElement.getAttribute('aria-label')").split(",")[0]
        assert below in notebook.value(f"graph.transitive_dependents_of({first!r}) + widget.dag.drawn[1:]")
        page.keyboard.press("Space")
        notebook.until(f"widget.scenario.failing == {{{below!r}}}")
        assert page.locator(".seqkit-node[tabindex='0']").count() == 1
        page.keyboard.press("+")
        assert layer.get_attribute("transform") != before
        page.keyboard.press("0")
        assert layer.get_attribute("transform") == before
        page.keyboard.press("Shift+Tab")  # out of the picture
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "show all (key 0)"
        notebook.screenshot("what-if-keyboard")

        # the other controls, by keyboard
        page.get_by_role("textbox", name="Repo").or_(page.get_by_role("combobox", name="Repo")).first.fill("jest-cli")
        page.keyboard.press("Enter")
        notebook.until("widget.focus.repo == 'jest-cli'")
        rate = page.get_by_role("slider").first
        rate.focus()
        page.keyboard.press("ArrowRight")
        notebook.until("widget.scenario.rate('jest-cli') > 0.02")
        page.get_by_label("On failure").select_option(label="start nothing more")
        notebook.until("widget.scenario.policy == 'stop'")
        page.wait_for_function("document.body.innerText.includes('no closed form')")
        assert counts(page)["stopped"] == notebook.value("widget.dag.counts()['stopped']") > 0
        page.get_by_label("Draw").select_option(label="1 step around")
        page.wait_for_function("document.querySelectorAll('.seqkit-node').length < 10")
        assert page.locator(".seqkit-node").count() == notebook.value("len(widget.dag.drawn)")
        page.get_by_role("button", name="Show as code").click()
        page.wait_for_selector("pre.seqkit-code")
        assert page.locator("pre.seqkit-code").inner_text() == notebook.value("widget.code")
        page.get_by_role("button", name="Save as DataFrame").click()
        page.wait_for_function("document.querySelector('.seqkit-status').innerText === '46 rows are in widget.frame'")
        notebook.screenshot("what-if-around")
        page.get_by_role("button", name="Reset").click()
        notebook.until("not widget.scenario.failing and widget.scenario.policy == 'skip_dependents'")

        # closing takes it off the page, and the still comes back
        notebook.python("widget.close()")
        page.wait_for_function("document.querySelectorAll('.seqkit-node').length === 0")
        page.wait_for_selector(".seqkit-still", state="visible")


def test_a_run_is_seen_while_it_goes_and_what_a_saved_notebook_shows(lab, tmp_path):
    with lab.notebook(SETUP + LIVE, HOSTILE, RUN, height=2000) as notebook:
        page = notebook.page
        # the last cell waits for a file, so that there is time to look
        notebook.run(wait=False)
        page.wait_for_selector('.seqkit-node[aria-label^="jest-util,"][data-status="in progress"]')
        assert page.locator(".jp-Notebook-ExecutionIndicator").get_attribute("data-status") == "busy"
        assert status(page, "jest-get-type") == "failed"
        assert status(page, "diff-sequences") == "succeeded"
        assert page.get_by_text("jest-util 29.7.0 is being released").is_visible()
        notebook.screenshot("run-view-live")
        (lab.folder / "open").touch()
        page.wait_for_selector('.seqkit-node[aria-label^="jest,"][data-status="blocked"]')
        notebook.idle()
        assert notebook.value("list(view.live.words.values()) == outcome._words()")

        # names are only text
        names = page.locator(".seqkit-node title").all_text_contents()
        assert any("<img src=x onerror" in name for name in names)
        assert page.locator(".jp-OutputArea-output img[src=x]").count() == 0
        notebook.screenshot("run-view-hostile")
        notebook.command("docmanager:save")
        saved = lab.folder / f"page{lab._number}.ipynb"
        page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
        book = nbformat.read(saved, 4)
    book.metadata["from"] = "elsewhere"  # breaks the signature: the notebook is not trusted
    nbformat.write(book, tmp_path / "saved.ipynb")
    with lab.notebook(path=tmp_path / "saved.ipynb", height=1800) as notebook:
        page = notebook.page
        page.wait_for_selector(".seqkit-still >> nth=1")
        assert page.locator(".seqkit-still").count() == 2
        assert page.locator(".seqkit-still img").nth(1).evaluate("e => e.decode().then(() => e.naturalWidth)") > 300
        assert page.locator(".seqkit-still").nth(1).is_visible()
        assert "run this cell" in page.locator(".seqkit-still").nth(1).inner_text()
        notebook.screenshot("saved-not-trusted")
