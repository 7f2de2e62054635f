"""What stays on the page where a widget cannot run, and the small parts that widgets share."""

from __future__ import annotations

import base64
import re
import threading
from xml.etree import ElementTree as ET

import ipywidgets as ipw
import pytest
from ipywidgets.widgets import widget as registry

from seqkit import RepoDependencyGraph, build_plan
from seqkit.widgets import DagView, RunView, WhatIf, still
from seqkit.widgets._parts import StatusLine, Throttle, close_all, guarded, plain

GRAPH = RepoDependencyGraph.from_edges([("<script>alert(1)</script>", 'a"b'), ("core", "docs")])
PLAN = build_plan(GRAPH, version="1")
VIEW = "application/vnd.jupyter.widget-view+json"


pytestmark = pytest.mark.usefixtures("no_model_is_left")


@pytest.fixture
def displayed(monkeypatch):
    """The outputs that a cell would get."""
    outputs = []
    monkeypatch.setattr(still, "publish_display_data", lambda data, metadata: outputs.append(data))
    return outputs


@pytest.mark.parametrize("make", [lambda: DagView(PLAN), lambda: RunView(PLAN), lambda: WhatIf(PLAN, 0.1, trials=64)])
def test_display_leaves_a_still_and_then_the_widget(make, displayed):
    widget = make()
    widget._ipython_display_()
    first, live = displayed
    assert set(first) == {"text/html", "text/plain"}
    assert set(live) == {VIEW, "text/plain"}
    assert live["text/plain"] == repr(widget)
    assert live[VIEW]["model_id"] == widget.model_id
    page = ET.fromstring(re.sub(r"(<img [^>]*)>", r"\1/>", first["text/html"]))  # closed, to be XML
    image = page.find(".//img")
    picture = ET.fromstring(base64.b64decode(image.get("src").removeprefix("data:image/svg+xml;base64,")))
    assert picture.tag.endswith("svg")
    assert "run this cell" in "".join(page.itertext())
    assert len(image.get("alt")) > 20
    assert widget.model_id not in first["text/html"] + first["text/plain"]
    assert "<script" not in first["text/html"]
    widget.close()


def test_a_closed_widget_leaves_only_the_still(displayed):
    widget = DagView(PLAN)
    widget.close()
    widget._ipython_display_()
    assert [set(data) for data in displayed] == [{"text/html", "text/plain"}]


# ---------------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("core", "core"),
        ("", "(no name)"),
        ("  ", "(blank)"),
        (" \n", " \\n"),
        ("a\u202eb", "a\\u202eb"),
        ("a\0b", "a\\x00b"),
        ("\ud800", "\\ud800"),
        ("family 👩‍🚀", "family 👩\\u200d🚀"),
        ("x" * 99, "x" * 30 + "…" + "x" * 29),
    ],
)
def test_plain_text(text, expected):
    assert plain(text) == expected
    plain(text).encode()


def test_the_status_line_speaks_and_escapes():
    status = StatusLine()
    status.say("<b>5 & 6</b>\ud800")
    assert 'aria-live="polite"' in status.value
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in status.value
    status.value.encode()
    status.say("oh", error=True)
    assert 'aria-live="assertive"' in status.value
    assert "⚠ oh" in status.value
    assert status.text == "oh"
    close_all([status])


def test_guarded_callbacks_tell_their_errors():
    class Thing:
        def __init__(self):
            self.status = StatusLine()

        @guarded
        def work(self, number):
            return 1 / number

    thing = Thing()
    assert thing.work(2) == 0.5
    assert thing.work(0) is None
    assert thing.status.text == "ZeroDivisionError: division by zero"
    close_all([thing.status])


def test_close_all_reaches_everything_inside():
    before = set(registry._instances)
    box = ipw.VBox([ipw.HBox([ipw.IntSlider(), ipw.Button()]), ipw.Tab([ipw.HTML()])])
    assert len(set(registry._instances) - before) > 8
    close_all([box, box])
    assert set(registry._instances) == before


def test_a_throttle_calls_at_once_and_never_loses_the_last_request():
    called, twice = [], threading.Event()

    def call():
        called.append(threading.current_thread())
        if len(called) == 2:
            twice.set()

    throttle = Throttle(call, 0.02)
    for _ in range(50):
        throttle.ask()
    assert called[0] is threading.current_thread()
    assert twice.wait(10)
    throttle.stop()
    assert len(called) == 2


def test_a_throttle_told_now_forgets_what_was_asked():
    called = []
    throttle = Throttle(lambda: called.append(1), 3600)
    throttle.ask()
    throttle.ask()
    throttle.now()
    assert len(called) == 2
    assert throttle._timer is None
    throttle.ask()
    assert len(called) == 3
    throttle.stop()


def test_a_throttle_is_closed_only_between_two_calls_and_then_for_good():
    """Else a widget would be changed while another thread closes it, which ends the run that tells its events."""
    log, begun, closing = [], threading.Event(), threading.Event()

    def call():
        begun.set()
        assert closing.wait(10)
        log.append("called")

    throttle = Throttle(call, 0.001)
    asking = threading.Thread(target=throttle.ask)
    asking.start()
    assert begun.wait(10)

    def close():
        closing.set()
        throttle.close()
        log.append("closed")

    ending = threading.Thread(target=close)
    ending.start()
    asking.join(10)
    ending.join(10)
    assert log == ["called", "closed"]
    throttle.ask()
    throttle.now()
    throttle.run(lambda: log.append("more"))
    assert log == ["called", "closed"]
    throttle.stop()
