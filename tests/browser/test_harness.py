"""The harness itself: what it shows of the page and the kernel, and that it notices errors and strangers."""

from __future__ import annotations

import pytest

SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(value=2, min=0, max=10, description="how many")
slider
"""


def test_page_and_kernel_see_the_same(lab):
    with lab.notebook("numbers = {'a': [1, 2.5, None], 'b': \"it's\"}", SLIDER) as notebook:
        notebook.run()
        assert notebook.value("numbers") == {"a": [1, 2.5, None], "b": "it's"}
        handle = notebook.page.get_by_role("slider")
        handle.focus()
        notebook.page.keyboard.press("ArrowRight")
        notebook.until("slider.value == 3")
        notebook.python("slider.value = 7")
        notebook.page.wait_for_function("document.querySelector('.widget-readout').innerText === '7'")
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("harness-dark")


def test_errors_in_the_kernel_are_raised(lab):
    with lab.notebook("x = 1") as notebook:
        notebook.run()
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            notebook.python("1 / 0")
        with pytest.raises(AssertionError, match="NameError"):
            notebook.value("y")


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('oops')", "logged errors"),
        ("fetch('http://192.0.2.1/x').catch(() => 0)", "outside this machine"),
    ],
)
def test_what_a_page_must_not_do_fails(lab, script, complaint):
    def misbehave():
        with lab.notebook("1") as notebook:
            notebook.page.evaluate(f"() => {{ {script} }}")
            notebook.page.wait_for_timeout(200)

    with pytest.raises(AssertionError, match=complaint):
        misbehave()
