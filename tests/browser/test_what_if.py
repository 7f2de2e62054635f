"""The what-if widget and the picture in it, in a real JupyterLab: by mouse, by keyboard, and live."""

from __future__ import annotations

import re

import nbformat
import pytest

SETUP = """
import asyncio
from seqkit import RepoDependencyGraph, build_plan, execute_plan, load_dataset, run_plan
from seqkit.widgets import RunView, WhatIf
graph = load_dataset("jest29").graph
plan = build_plan(graph)
"""
FITTED = """
import warnings
from seqkit import CommonCause, FailureModel, build_plan, fit_failure_rates, load_dataset
from seqkit.widgets import WhatIf
data = load_dataset("kf5")
plan = build_plan(data.graph)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    fitted = FailureModel.from_fit(fit_failure_rates(data.ledger, prior=(0.5, 30.0)))
own = {"kcoreaddons": 0.003, "kio": 0.0862, "ki18n": 0.0, "solid": 1.0, "kauth": 1e-7, "of another plan": 0.123}
model = FailureModel({**fitted.rates, **own}, fitted.default, [CommonCause("outage", 0.0123, ["kio", "solid"])])
widget = WhatIf(plan, model, attempts=7, failure_budget=9, trials=128)
def state():
    scenario, now = widget.scenario, widget.scenario.model
    numbers = {repo: rate.hex() for repo, rate in now.rates.items()}, now.default.hex(), scenario.scale.hex()
    rules = scenario.policy, scenario.attempts, scenario.failure_budget, sorted(scenario.failing)
    return numbers, repr(now.common_causes), rules, scenario.to_code(plan="plan"), now is model
widget
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

LANES = """
from pathlib import Path
from seqkit import DurationModel
edges = [("core", "api"), ("core", "docs"), ("core", "web"), ("api", "app"), ("docs", "site"), ("web", "site")]
train = build_plan(RepoDependencyGraph.from_edges(edges), version="2.0")
takes = DurationModel(600, sigma=0.4)
view = RunView(train, takes, max_parallel=3)
view
"""
RUN_LANES = """
class Releaser:
    async def release(self, repo, *about):
        while repo in ("api", "web") and not Path("open lanes").exists():
            await asyncio.sleep(0.01)
        if repo == "docs":
            raise RuntimeError("the answer got lost")
        return f"run-{repo}"
    async def check(self, repo, version):
        raise ConnectionError("no answer either")
done = await execute_plan(train, Releaser(), on_event=view, max_parallel=3)
"""


def status(page, name, scope=""):
    return page.locator(f'{scope} .seqkit-node[aria-label^="{name},"]').get_attribute("data-status")


def counts(page, scope=""):
    """The legend, as the page shows it."""
    entries = page.locator(f"{scope} .seqkit-dag-legend li:not(.seqkit-by-chance)").all_inner_texts()
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
        expected = notebook.value("widget.dag.counts(shaded=False)")
        assert counts(page) == {word.replace("_", " "): count for word, count in expected.items() if count}
        by_chance = page.locator(".seqkit-by-chance").inner_text()
        assert by_chance.startswith(f"by chance {notebook.value('len(widget.dag.shades)')}: released with 0%")
        assert status(page, "jest-diff") == "blocked"
        assert page.locator(".seqkit-status").inner_text() == notebook.value("widget.status.text")
        assert node.get_attribute("aria-label") == "jest-get-type, wave 0, failed, 0%"
        notebook.screenshot("what-if-light")
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("what-if-dark")

        # a drag scrolls the picture in its box and presses nothing
        layer = page.locator(".seqkit-dag-picture > g")
        scrolled = "[...document.querySelectorAll('.seqkit-dag-box')].map(box => [box.scrollLeft, box.scrollTop])[0]"
        box = page.locator(".seqkit-dag-box").bounding_box()
        page.mouse.move(box["x"] + 30, box["y"] + 300)
        page.mouse.down()
        page.mouse.move(box["x"] + 20, box["y"] + 200, steps=4)
        page.mouse.up()
        assert page.evaluate(scrolled)[1] > 50
        assert notebook.value("sorted(widget.scenario.failing)") == ["jest-get-type"]

        # names have their full size until somebody asks for all
        before = layer.get_attribute("transform")
        assert before.endswith("scale(1)")
        page.get_by_role("button", name="show all").click()
        assert not layer.get_attribute("transform").endswith("scale(1)")
        page.get_by_role("button", name="full size").click()
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
        for key in "+0":
            page.keyboard.press(key)
            assert layer.get_attribute("transform") != before
        page.keyboard.press("1")
        assert layer.get_attribute("transform") == before
        page.keyboard.press("Shift+Tab")  # out of the picture
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "show all (key 0)"
        notebook.screenshot("what-if-keyboard")

        # the other controls, by keyboard
        page.get_by_role("textbox", name="Repo").or_(page.get_by_role("combobox", name="Repo")).first.fill("jest-cli")
        page.keyboard.press("Enter")
        notebook.until("widget.focus.repo == 'jest-cli'")
        notebook.idle()  # the page has it too: a key that comes before is the rate of the repo before
        rate = page.get_by_role("slider").first
        rate.focus()
        page.keyboard.press("ArrowRight")
        notebook.until("widget.scenario.rate('jest-cli') > 0.02")
        page.get_by_label("On failure").select_option(label="stop: start nothing more")
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
        page.get_by_role("button", name="Reset", exact=True).click()
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
        assert notebook.value("list(view.live.words.values()) == outcome.words()")

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


def test_a_run_in_lanes_says_when_it_ends_and_what_is_in_doubt(lab):
    with lab.notebook(SETUP + LANES, RUN_LANES, width=1280, height=800) as notebook:
        page = notebook.page
        notebook.run(wait=False)  # two lanes wait for a file, and stay taken
        line = page.locator(".seqkit-status:visible")
        line.filter(has_text=re.compile(r"Running: .*The end: about .*, with 80 % before .* UTC")).wait_for()
        page.wait_for_selector('.seqkit-node[aria-label^="docs,"][data-status="in doubt"]')
        assert [status(page, repo) for repo in ("core", "api", "web")] == ["succeeded", "in progress", "in progress"]
        said = line.inner_text()
        assert "api since" in said
        assert "web since" in said
        notebook.screenshot("run-view-lanes-light")
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("run-view-lanes-dark")
        (lab.folder / "open lanes").touch()
        line.filter(has_text="The run is over: 4 succeeded, 1 in doubt, 1 blocked.").wait_for()
        assert "The end:" not in line.inner_text()
        assert counts(page)["in doubt"] == 1
        assert status(page, "site") == "blocked"
        notebook.screenshot("run-view-lanes-over-dark")
        notebook.theme("JupyterLab Light")
        notebook.screenshot("run-view-lanes-over-light")
        notebook.idle()
        assert notebook.value("list(view.live.words.values()) == done.words()")


def node(page, repo):
    return page.locator(f'.seqkit-node[aria-label^="{repo},"]')


def choose(notebook, repo):
    """Type a name into the box, and wait until the page shows that repo's rate."""
    box = notebook.page.get_by_role("combobox", name="Repo")
    box.fill(repo)
    box.press("Enter")
    shown(notebook, "Exact rate in percent", f"_words(widget.scenario.rate({repo!r}), 2)")


def shown(notebook, name, expression):
    text = notebook.python("from seqkit.widgets._exact_slider import _words", expression).strip("'")
    box = notebook.page.get_by_label(name, exact=True)
    notebook.page.wait_for_function("([box, text]) => box.value === text", arg=[box.element_handle(), text])


def drag(page, slider, share):
    """Drag a slider's thumb by a share of the whole way."""
    box = slider.bounding_box()
    way = (box["width"] - 16) * slider.evaluate("e => e.value / e.max") + 8
    x, y = box["x"] + way, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + share * box["width"], y, steps=5)
    page.mouse.up()


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
def test_looking_never_changes_the_model(lab, step):
    with lab.notebook(FITTED, height=1500) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        before = notebook.value("state()")
        assert before[-1] is True
        for repo in notebook.value(f"sorted({{*own, *plan.released[::{step}]}} & {{*plan.released}})"):
            choose(notebook, repo)
            for pressed in ("true", "false"):  # the second press takes the first one back
                node(page, repo).click()
                page.wait_for_selector(f'.seqkit-node[aria-label^="{repo},"][aria-pressed={pressed}]')
        page.get_by_role("button", name="Show as code").click()
        page.wait_for_selector("pre.seqkit-code")
        page.get_by_role("button", name="Save as DataFrame").click()
        page.get_by_label("Draw").select_option(label="1 step around")
        page.wait_for_function("document.querySelectorAll('.seqkit-node').length < 70")
        for name in ("fails at", "All rates ×"):  # to come by with Tab is to look
            page.get_by_role("slider", name=name).focus()
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
        notebook.idle()
        assert notebook.value("state()") == before
        assert page.locator("pre.seqkit-code").inner_text() == before[3]


def test_every_control_comes_back_from_where_it_was_moved(lab):
    with lab.notebook(FITTED, height=1500) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        before = notebook.value("state()")
        rate, scale = (page.get_by_role("slider", name=name) for name in ("fails at", "All rates ×"))
        exact, factor = (page.get_by_label(name, exact=True) for name in ("Exact rate in percent", "Exact factor"))

        def away(*which):
            notebook.until(" and ".join(which or ["state()[0] != begun"]))
            assert notebook.value("state()") != before

        def back():
            notebook.until("state() == begun")
            assert notebook.value("state()") == before

        notebook.python("begun = state()")
        fitted = notebook.value("min(r for r in plan.released if r not in own and model.rate(r) != model.default)")
        for repo in ("kcoreaddons", "kio", "ki18n", "solid", "kauth", fitted):
            choose(notebook, repo)
            there, again = ("ArrowLeft", "ArrowRight") if repo == "solid" else ("ArrowRight", "ArrowLeft")
            rate.focus()
            page.keyboard.press(there)  # by keyboard
            away(f"widget.scenario.rate({repo!r}) != model.rate({repo!r})")
            shown(notebook, "Exact rate in percent", f"_words(widget.scenario.rate({repo!r}), 2)")
            page.keyboard.press(again)
            back()
            shown(notebook, "Exact rate in percent", f"_words(model.rate({repo!r}), 2)")
            text = exact.input_value()
            for key in [there] * 3 + [again] * 3:  # faster than the kernel
                page.keyboard.press(key)
            exact.fill("12.5 %")  # by typing
            page.keyboard.press("Enter")
            away(f"widget.scenario.rate({repo!r}) == 0.125")
            shown(notebook, "Exact rate in percent", "'12.5'")
            exact.fill(text)
            page.keyboard.press("Enter")
            back()
            page.wait_for_function("([e, n]) => e.ariaValueText === `${n}%`", arg=[rate.element_handle(), text])
            start = rate.input_value()  # by mouse, and the way back step by step
            drag(page, rate, -0.3 if repo == "solid" else 0.3)
            away(f"widget.scenario.rate({repo!r}) not in (model.rate({repo!r}), 0.125)")
            rate.focus()
            page.wait_for_function("([e, n]) => e.value !== n", arg=[rate.element_handle(), start])
            while rate.input_value() != start:
                page.keyboard.press(again)
            back()
        notebook.screenshot("what-if-rates-light")

        # nonsense changes nothing and says so; the box shows the number again
        text = exact.input_value()
        for nonsense in ("often", "101", "-1", "nan", ""):
            exact.fill(nonsense)
            page.keyboard.press("Enter")
            page.wait_for_function("document.querySelector('.seqkit-status').innerText.includes('nothing changes')")
            shown(notebook, "Exact rate in percent", repr(text))
            notebook.python("widget.status.say('')")
            page.wait_for_function("!document.querySelector('.seqkit-status').innerText.includes('nothing changes')")
        back()

        scale.focus()
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        away("widget.scenario.scale == 2.2")
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("what-if-scaled-dark")
        rate.focus()  # moved away and back at this scale
        page.keyboard.press("ArrowRight")
        notebook.until(f"widget.scenario.rate({fitted!r}) != widget.scenario.model_rate({fitted!r})")
        page.keyboard.press("ArrowLeft")
        notebook.until(f"widget.scenario.rate({fitted!r}) == widget.scenario.model_rate({fitted!r})")
        scale.focus()
        for _ in range(12):
            page.keyboard.press("ArrowLeft")
        back()
        drag(page, scale, 0.6)
        away("widget.scenario.scale > 5")
        factor.fill("1")
        page.keyboard.press("Enter")
        back()
        factor.fill("0")
        page.keyboard.press("Enter")
        away("widget.scenario.scale == 0")
        factor.fill("1.0")
        page.keyboard.press("Enter")
        back()

        attempts = page.get_by_label("Tries of each")
        attempts.focus()
        page.keyboard.press("ArrowDown")
        away("widget.scenario.attempts == 6")
        page.keyboard.press("ArrowUp")
        back()
        policy = page.get_by_label("On failure")
        policy.select_option(label="continue: go on all the same")
        away("widget.scenario.policy == 'continue'")
        policy.select_option(label="skip_dependents: skip what needs it")
        back()
        budget = page.get_by_label("Failure budget")
        budget.focus()
        page.keyboard.press("ArrowUp")
        away("widget.scenario.failure_budget == 10")
        page.keyboard.press("ArrowDown")
        back()
        fails = page.get_by_role("button", name="Make it fail")
        fails.click()
        away(f"widget.scenario.failing == {{{fitted!r}}}")
        fails.focus()
        page.keyboard.press("Space")
        back()
        rate.focus()
        page.keyboard.press("End")
        away(f"widget.scenario.rate({fitted!r}) == 1.0")
        page.get_by_role("button", name="Reset", exact=True).click()
        back()
        page.wait_for_function("slider => slider.disabled", arg=rate.element_handle())


def test_a_factor_and_a_rate_from_code_are_not_rounded_by_the_page(lab):
    with lab.notebook(FITTED, height=1500) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        notebook.python("widget.focus.find.value = 'kio'")
        for value in (0.25, 123.456, 1 / 3):
            notebook.python(f"widget.scenario.scale = {value!r}")
            shown(notebook, "Exact factor", f"_words({value!r})")
            shown(notebook, "Exact rate in percent", "_words(widget.scenario.rate('kio'), 2)")
            notebook.idle()
            assert notebook.value("widget.scenario.scale") == value
        notebook.python("for n in range(1, 12): widget.scenario.attempts = widget.scenario.failure_budget = n")
        for name in ("Tries of each", "Failure budget"):
            box = page.get_by_label(name).element_handle()
            page.wait_for_function("box => box.value === '11'", arg=box)
        notebook.idle()
        assert notebook.value("(widget.scenario.attempts, widget.scenario.failure_budget)") == (11, 11)
        notebook.screenshot("what-if-from-code")
        notebook.python("widget.rate.value = 0.123456789012345678")
        shown(notebook, "Exact rate in percent", "'12.345678901234568'")
        slider = page.get_by_role("slider", name="fails at")
        assert slider.get_attribute("aria-valuetext") == "12.345678901234568%"
        notebook.idle()
        assert notebook.value("widget.scenario.rate('kio')") == 0.123456789012345678


TIMED = """
from seqkit import CommonCause, DurationModel, FailureModel
causes = [CommonCause("CI outage", 0.05, ["jest-util"]), CommonCause("registry", 0.01, ["jest-get-type"])]
model_of_ours = FailureModel(default=0.02, common_causes=causes)
widget = WhatIf(plan, model_of_ours, trials=256)
widget
"""


def set_number(notebook, name, value, expression):
    box = notebook.page.get_by_label(name)
    box.fill(value)
    box.press("Enter")
    notebook.until(expression)


def test_lanes_times_retries_and_causes_by_mouse_and_by_keyboard(lab):
    with lab.notebook(SETUP, TIMED, height=1400) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        numbers = page.locator(".seqkit-numbers:visible")
        names = page.get_by_role("slider").evaluate_all("all => all.map(slider => slider.getAttribute('aria-label'))")
        visible = page.get_by_role("slider").evaluate_all("all => all.map(slider => slider.offsetParent !== null)")
        assert [name for name, seen in zip(names, visible, strict=True) if seen] == [
            "fails at",
            "All rates ×",
            "of them hard",
            "strikes at",
        ]

        # time: by typing, and with the arrow keys
        set_number(notebook, "Minutes each", "10", "widget.scenario.durations == DurationModel(600.0)")
        numbers.filter(has_text="has ended, with 80%, after").wait_for()
        lanes = page.get_by_label("Lanes")
        lanes.focus()
        page.keyboard.press("ArrowUp")
        notebook.until("widget.scenario.max_parallel == 2")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        notebook.until("widget.scenario.max_parallel is None")
        set_number(notebook, "Deadline", "2.5", "widget.scenario.deadline == 9_000")
        numbers.filter(has_text="all are released within 2 h 30 min").wait_for()
        notebook.screenshot("what-if-times-light")

        # second tries and what they do not mend
        set_number(notebook, "Tries of each", "2", "widget.scenario.attempts == 2")
        hard = page.get_by_role("slider", name="of them hard")
        hard.focus()
        page.keyboard.press("ArrowRight")
        notebook.until("widget.scenario.hard == 0.05")
        drag(page, hard, 0.4)
        notebook.until("widget.scenario.hard > 0.2")
        page.get_by_label("Exact hard share in percent").fill("100")
        page.keyboard.press("Enter")
        notebook.until("widget.scenario.model.hard == 1.0")
        page.wait_for_function("document.body.innerText.includes('One more try for each would release 0.00 more.')")

        # causes
        page.get_by_label("Cause", exact=True).select_option(label="registry")
        page.wait_for_function("document.querySelector('.seqkit-status').innerText.startsWith('registry is chosen')")
        strikes = page.get_by_role("slider", name="strikes at")
        strikes.focus()
        page.keyboard.press("End")
        notebook.until("widget.scenario.causes == {'CI outage': 0.05, 'registry': 1.0}")
        page.wait_for_selector('.seqkit-node[aria-label="jest-get-type, wave 0, released with 0%"]')
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("what-if-causes-dark")

        # the source runs as it stands, in this notebook
        page.get_by_role("button", name="Show as code").click()
        page.wait_for_selector("pre.seqkit-code")
        code = page.locator("pre.seqkit-code").inner_text()
        assert "replace(model_of_ours, " in code
        assert len(code.splitlines()) < 15
        notebook.idle()
        notebook.python(f"exec({code!r})")
        assert notebook.value("float(on_time) == float(widget.scenario.schedule.p_done_by(9_000))") is True
        assert notebook.value("analysis.p_all_succeed == widget.scenario.p_all_succeed") is True
        page.get_by_role("button", name="Reset", exact=True).click()
        notebook.until("widget.scenario.model is model_of_ours and widget.scenario.durations is None")
        page.wait_for_function("!document.querySelector('.seqkit-numbers').innerText.includes('has ended')")


def test_a_repo_is_found_ringed_and_scrolled_to(lab):
    with lab.notebook(SETUP, "widget = WhatIf(plan, 0.02)\nwidget", width=1280, height=800) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        box = page.get_by_role("combobox", name="Repo")
        last = notebook.value("widget.dag.drawn[-1]")

        def in_sight(repo):
            return node(page, repo).evaluate(
                """node => {
                    const [inner, outer] = [node, node.closest(".seqkit-dag-box")].map(e => e.getBoundingClientRect());
                    return inner.top >= outer.top && inner.bottom <= outer.bottom
                        && inner.left >= outer.left && inner.right <= outer.right;
                }"""
            )

        assert not in_sight(last)
        assert node(page, last).locator("text").last.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 11
        box.fill(last)
        box.press("Enter")
        page.wait_for_selector(f'.seqkit-is-chosen[aria-label^="{last},"]')
        assert in_sight(last)
        assert page.locator(".seqkit-is-chosen").count() == 1
        assert page.locator(".seqkit-is-chosen .seqkit-chosen").evaluate("e => getComputedStyle(e).stroke") != "none"
        notebook.screenshot("what-if-chosen")

        # a click selects what stands there, and typing replaces it; what is near is offered
        for _ in range(2):
            box.click()
            page.wait_for_function(
                "([e, all]) => e.value.slice(e.selectionStart, e.selectionEnd) === all",
                arg=[box.element_handle(), last],
            )
        page.keyboard.type("jest-utl")
        page.keyboard.press("Enter")
        offered = page.get_by_role("button", name="jest-util", exact=True)
        offered.wait_for()
        assert "near it: jest-util" in page.locator(".seqkit-status").inner_text()
        notebook.screenshot("what-if-near")
        offered.focus()
        page.keyboard.press("Enter")
        notebook.until("widget.focus.repo == 'jest-util'")
        page.wait_for_selector('.seqkit-is-chosen[aria-label^="jest-util,"]')
        assert box.input_value() == "jest-util"
        assert in_sight("jest-util")

        # made to fail below another failure: blocked, said and not counted
        page.get_by_role("button", name="Make it fail").click()
        notebook.until("widget.scenario.failing == {'jest-util'}")
        node(page, "jest-get-type").focus()
        page.keyboard.press("Enter")
        notebook.until("len(widget.scenario.failing) == 2")
        notebook.idle()
        below = notebook.value("widget.dag.word('jest-util')")
        assert status(page, "jest-util") == below
        said = node(page, "jest-util").get_attribute("aria-label")
        assert said.endswith("blocked, 0%, made to fail") if below == "blocked" else said.endswith("failed, 0%")
        failed = notebook.value("len(widget.scenario.outcome.failed)")
        assert counts(page)["failed"] == failed
