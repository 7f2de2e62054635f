"""Names that JupyterLab would set as formulas, with links in them: every repr and widget shows them as they are."""

from __future__ import annotations

from tests.tools.strange_names import MARKUP, TEX

NAMES = [*TEX, *MARKUP, "rlo\u202etxt.exe", "esc\x1b[31m", "tag\U000e0041x"]
SETUP = f"""
names = {NAMES!r}
import warnings
warnings.simplefilter("ignore")
from IPython.display import HTML, display
from seqkit import *
from seqkit.widgets import DagView, LedgerBrowser, Lesson, RunView, WhatIf
graph = RepoDependencyGraph.from_edges([(names[0], name) for name in names[1:8]], nodes=names)
plan = build_plan(graph, version=names[1])
model = FailureModel(dict.fromkeys(names, 0.1))
ledger = MemoryRunLedger(ids=names)
outcome = run_plan(plan, ScriptedReleaser(dict(zip(names[1::3], names[1::3]))), ledger, tags=dict(train=names[0]))
other = plan.without(names[9])
report = audit(ledger, graph=other)
report.to_html("audit.html")
"""
REPRS = r"""
shown = [plan.graph, plan, outcome, ledger, resume_plan(ledger, outcome.run_id), report, analyze(plan, model),
         simulate(plan, model, trials=64, rng=0), compare(plan, other, model, trials=64, rng=0),
         diff_plans(plan, other), replay(ledger, outcome.run_id, policy="stop"),
         HTML(open("audit.html", encoding="utf-8").read().partition("<body>")[2])]
for thing in shown:
    display(thing)
print(len(shown))
"""
WIDGETS = r"""
lesson, browser = Lesson(plan, fail=names[1], rng=0), LedgerBrowser(ledger)
widgets = [WhatIf(plan, model), lesson, browser, RunView(plan), DagView(plan)]
for widget in widgets:
    display(widget)
widgets[0].show_code.click()
"""
CONTROL = r"""HTML('<p class="control">$\\href{https://evil.example/}{core}$</p>')"""
LINKS = """() => [...document.querySelectorAll('.jp-OutputArea-output a')]
    .map((link) => link.getAttribute('href') || link.getAttributeNS('http://www.w3.org/1999/xlink', 'href'))
    .filter((href) => href && href.includes('evil'))"""


def test_no_name_is_set_as_a_formula_or_becomes_a_link(lab):
    with lab.notebook(SETUP, REPRS, WIDGETS, CONTROL, height=4000) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".control mjx-container")  # what is not kept from it is set, in the same notebook
        page.wait_for_selector(".seqkit-node")
        notebook.idle()
        assert page.locator("mjx-container").count() == page.locator(".control mjx-container").count() == 1
        assert len(page.evaluate(LINKS)) == 1  # that of the control
        assert page.locator(".jp-OutputArea-output [onmouseover], .jp-OutputArea-output [onfocus]").count() == 0
        assert page.locator(".jp-OutputArea-output .mathjax_ignore").count() >= 12
        seen = page.locator(".jp-OutputArea-output").all_inner_texts()
        assert any(r"$\href{https://evil.example/}{core}$" in text for text in seen)
        assert r"rlo\u202etxt.exe" in "".join(seen)
        assert "\u202e" not in "".join(seen)
        notebook.screenshot("markup-reprs")

        notebook.python("lesson.mode = 'quiz'")
        notebook.idle()
        for tab in range(5):
            notebook.python(f"browser.tabs.selected_index = {tab}" if tab else "")
            notebook.idle()
        assert page.locator("mjx-container").count() == 1
        page.locator(".seqkit-node").last.scroll_into_view_if_needed()
        notebook.screenshot("markup-widgets")
