"""The picture alone, in a real JupyterLab: drawn anew while out of sight or under the hand that presses it."""

from __future__ import annotations

SETUP = """
from seqkit import RepoDependencyGraph
from seqkit.widgets import DagView
graph = RepoDependencyGraph.from_edges([("a", "b"), ("c", "d"), ("d", "e")])
view = DagView(graph)
pressed = []
view.on_press(pressed.append)
view
"""
FOCUSED = "document.activeElement.getAttribute('aria-label')"


def names(page):
    return [
        label.split(",")[0]
        for label in page.locator(".seqkit-node").evaluate_all(
            "nodes => nodes.map((node) => node.getAttribute('aria-label'))"
        )
    ]


def test_the_picture_is_of_what_it_is_told(lab):
    with lab.notebook(SETUP) as notebook:
        notebook.run()
        page = notebook.page
        page.wait_for_selector(".seqkit-node")
        assert names(page) == notebook.value("view.drawn") == ["a", "c", "b", "d", "e"]

        # drawn anew while out of sight, with as many boxes as before
        page.evaluate("document.querySelector('.jp-OutputArea').style.display = 'none'")
        page.wait_for_selector(".seqkit-node", state="hidden")
        notebook.python("view.show(RepoDependencyGraph.from_edges([], nodes=['v', 'w', 'x', 'y', 'z']))")
        notebook.idle()
        notebook.python("view.words = {'w': 'failed'}")
        notebook.idle()
        page.evaluate("document.querySelector('.jp-OutputArea').style.display = ''")
        page.wait_for_selector('.seqkit-node[aria-label="w, wave 0, failed"] text:text-is("w")')
        assert page.locator(".seqkit-node text:not(.seqkit-mark):not(.seqkit-note)").all_text_contents() == [*"vwxyz"]

        # the focus stays with the repo, not with its place
        notebook.python("view.show(graph)")
        page.wait_for_selector('.seqkit-node[aria-label^="d,"]')
        page.locator('.seqkit-node[aria-label^="d,"]').focus()
        notebook.python("view.look('d')")
        page.wait_for_function("document.querySelectorAll('.seqkit-node').length === 3")
        assert names(page) == ["c", "d", "e"]
        assert page.evaluate(FOCUSED).startswith("d,")
        assert page.locator(".seqkit-node[tabindex='0']").count() == 1

        # the second press of a double click is of the first picture
        notebook.python("view.look(None); pressed.clear(); view.on_press(view.look)")
        page.wait_for_selector('.seqkit-node[aria-label^="a,"]')
        page.evaluate(
            """() => {
                const box = document.querySelector('.seqkit-node[aria-label^="c,"]');
                for (let i = 0; i < 2; i++) box.dispatchEvent(new MouseEvent("click", { bubbles: true }));
            }"""
        )
        page.wait_for_function("document.querySelectorAll('.seqkit-node').length === 2")
        notebook.idle()
        assert notebook.value("pressed") == ["c"]
        assert names(page) == notebook.value("view.drawn") == ["c", "d"]

        # a hand that lets go outside does not keep hold of the picture
        notebook.python("view.show(RepoDependencyGraph.from_edges([(f'r{n}', f'r{n + 1}') for n in range(40)]))")
        page.wait_for_selector('.seqkit-node[aria-label^="r40,"]')
        scrolled = "(box => box.scrollTop + box.scrollLeft)(document.querySelector('.seqkit-dag-box'))"
        page.locator('.seqkit-node[aria-label^="r20,"]').focus()
        before = page.evaluate(scrolled)
        box = page.locator(".seqkit-dag-box").bounding_box()
        page.mouse.move(box["x"] + 30, box["y"] + 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 30, box["y"] - 1)
        page.mouse.up()
        page.mouse.move(box["x"] + 60, box["y"] + 20, steps=3)
        assert page.evaluate(scrolled) == before

        # the wheel alone scrolls, with Ctrl it zooms, and one that goes sideways does not
        layer = page.locator(".seqkit-dag-picture > g")
        page.keyboard.down("Control")
        page.mouse.wheel(40, 0)
        page.mouse.wheel(0, -40)
        page.keyboard.up("Control")
        page.wait_for_selector('.seqkit-dag-picture > g:not([transform$="scale(1)"])')
        assert " scale(1.1)" in layer.get_attribute("transform")
