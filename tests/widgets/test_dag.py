"""The picture that can be pressed, without a browser: what is sent to it, and what it sends back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from ipywidgets.widgets import widget as registry

from seqkit import RepoDependencyGraph, RepoNotFound, build_plan
from seqkit._show.palette import STATUS_STYLES, shade
from seqkit.explore.drawing import MOST_DRAWN
from seqkit.widgets import DagView
from tests.tools.strategies import HOSTILE_NAMES, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
PLAN = build_plan(GRAPH, [("core", "1"), ("app", "1")])  # api lies between: unreleased
KEYS = list(STATUS_STYLES)


pytestmark = pytest.mark.usefixtures("no_model_is_left")


@pytest.fixture
def view():
    made = DagView(GRAPH)
    yield made
    made.close()


def shown(view: DagView) -> dict[str, str]:
    """What the browser is told about the status of each repo."""
    return dict(zip(view._drawing["names"], [KEYS[number] for number in view._state["words"]], strict=True))


def send(view: DagView, content: object) -> None:
    view._handle_custom_msg(content, [])


def press(view: DagView, number: object) -> None:
    """What the browser sends."""
    send(view, {"press": number, "drawing": view._drawing["drawing"]})


@settings(max_examples=40)
@given(trains())
def test_the_browser_gets_numbers_and_text_that_fit_together(train):
    view = DagView(train.plan)
    try:
        drawing, state = view._drawing, view._state
        n = len(train.plan.items)
        assert len(drawing["names"]) == len(drawing["spots"]) == len(drawing["waves"]) == n
        assert len(state["words"]) == len(state["notes"]) == n
        assert state["counts"] == list(view.counts().values())
        assert sum(state["counts"]) == n
        assert json.loads(json.dumps([drawing, state], allow_nan=False)) == [drawing, state]
        assert all(0 <= a < n and 0 <= b < n and len(route) > 1 for a, b, route in drawing["edges"])
    finally:
        view.close()


def test_words_are_shown_and_others_are_pending_or_unreleased():
    view = DagView(PLAN, words={"app": "failed"})
    assert shown(view) == {"core": "pending", "api": "unreleased", "app": "failed"}
    assert view.counts() == {**dict.fromkeys(KEYS, 0), "pending": 1, "unreleased": 1, "failed": 1}
    assert view.word("app") == "failed"
    view.words = {"core": "in_progress"}
    assert shown(view) == {"core": "in_progress", "api": "unreleased", "app": "pending"}
    view.close()


def test_a_probability_fills_a_box_in_place_of_its_status(view):
    view.words = dict.fromkeys(view.drawn, "succeeded")
    view.shades = {"core": 1.0, "api": 0.09}
    fills = dict(zip(view.drawn, view._state["shades"], strict=True))
    assert fills == {
        "core": [shade(1.0), "#000000"],
        "api": [shade(0.09), "#ffffff"],
        **{repo: None for repo in view.drawn if repo not in ("core", "api")},
    }
    assert view.counts()["succeeded"] == 4
    assert sum(view._state["counts"]) == view.counts(shaded=False)["succeeded"] == 2  # what the legend lists
    assert shade(1.0) in view.still()
    assert view.still().count(STATUS_STYLES["succeeded"].colour) == 2


@pytest.mark.parametrize(
    ("shades", "error"), [({"nobody": 0.5}, RepoNotFound), ({"core": 1.1}, ValueError), ({"core": "0.5"}, ValueError)]
)
def test_wrong_shades_are_refused(view, shades, error):
    with pytest.raises(error):
        view.shades = shades
    assert view.shades == {}


def test_the_chosen_repo_is_told_by_its_number(view):
    assert view._state["chosen"] == -1
    view.chosen = "docs"
    assert view._state["chosen"] == view.drawn.index("docs")
    view.look("api")  # it may be out of the picture
    assert view._state["chosen"] == (view.drawn.index("docs") if "docs" in view.drawn else -1)
    with pytest.raises(RepoNotFound):
        view.chosen = "nobody"


def test_repainting_does_not_lay_out_anew(view):
    sent = []
    view.observe(lambda change: sent.append(change["name"]), ["_drawing", "_state"])
    view.words = {"core": "failed"}
    view.notes = {"api": 0.25}
    view.ringed = ["docs"]
    assert sent == ["_state"] * 3
    assert view._state["notes"] == ["", "0.25", "", ""]
    assert view._state["ringed"] == [view.drawn.index("docs")]
    view.words = {"core": "failed"}
    assert len(sent) == 3  # nothing new
    view.around = "api"
    assert sorted(sent[3:]) == ["_drawing", "_state"]


def test_looking_around(view):
    view.look("docs")
    assert view.drawn == ["core", "docs"]
    assert view._drawing["waves"] == [0, 1]
    assert "2 of 4 repos" in view._drawing["note"]
    assert sum(view._state["counts"]) == 4  # the legend is of all
    view.look("core", 2)
    assert view.drawn == ["core", "api", "docs", "app"]
    view.look(None)
    assert len(view.drawn) == 4
    view.look("api")
    view.around = ""
    assert len(view.drawn) == 4


def test_presses_arrive_with_the_id_even_twice(view):
    pressed = []
    view.on_press(pressed.append)
    number = view.drawn.index("docs")
    press(view, number)
    press(view, number)
    view.look("app")
    press(view, 0)
    view.press("core")
    assert pressed == ["docs", "docs", "api", "core"]
    view.on_press(pressed.append, remove=True)
    press(view, 0)
    assert len(pressed) == 4


def test_the_second_press_of_a_double_click_means_no_other_repo():
    """The first press draws anew; the second was on a box of the picture before."""
    view, pressed = DagView(RepoDependencyGraph.from_edges([("a", "b"), ("c", "d")])), []
    view.on_press(pressed.append)
    view.on_press(view.look)
    seen = view._drawing["drawing"]
    number = view.drawn.index("c")
    send(view, {"press": number, "drawing": seen})
    assert view.drawn[number] == "d"
    send(view, {"press": number, "drawing": seen})
    assert pressed == ["c"]
    view.close()


@pytest.mark.parametrize("content", [{}, {"press": 0}, {"press": 0, "drawing": "1"}, {"other": 1}, "x", None])
def test_messages_that_make_no_sense_are_left_alone(view, content):
    view.on_press(lambda repo: pytest.fail(f"pressed {repo}"))
    send(view, content)
    for number in (99, -1, "core", None):
        press(view, number)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda v: setattr(v, "words", {"z": "failed"}), RepoNotFound, "z"),
        (lambda v: setattr(v, "words", {"api": "sad"}), ValueError, "words has 'sad' for 'api', expected one of"),
        (lambda v: setattr(v, "notes", {"z": "1"}), RepoNotFound, "z"),
        (lambda v: setattr(v, "ringed", ["z"]), RepoNotFound, "z"),
        (lambda v: setattr(v, "around", "z"), RepoNotFound, "z"),
        (lambda v: setattr(v, "depth", 0), ValueError, "depth is 0"),
        (lambda v: v.look("z"), RepoNotFound, "z"),
        (lambda v: v.look("api", 0), ValueError, "depth is 0"),
        (lambda v: v.show(PLAN, {"z": "failed"}), RepoNotFound, "z"),
        (lambda v: v.show(PLAN, {"api": "sad"}), ValueError, "words has 'sad' for 'api'"),
        (lambda v: v.show(7), TypeError, "plan_or_graph is 7"),
        (lambda v: v.press("z"), RepoNotFound, "z"),
        (lambda v: v.word("z"), RepoNotFound, "z"),
    ],
)
def test_wrong_changes_are_refused(view, change, error, message):
    before = view._drawing, view._state
    with pytest.raises(error, match=message):
        change(view)
    assert (view._drawing, view._state) == before
    view.look("docs")  # and it still works
    assert view.drawn == ["core", "docs"]
    assert view._drawing["names"] == view.drawn


def test_around_the_repo_without_a_name():
    view = DagView(RepoDependencyGraph.from_edges([("", "api"), ("api", "app")]), around="")
    assert view.drawn == ["", "api"]
    view.look(None)
    assert len(view.drawn) == 3
    view.look("", 2)
    assert len(view.drawn) == 3
    view.close()


def test_a_wrong_beginning_leaves_nothing_behind():
    for arguments in ({"words": {"z": "failed"}}, {"around": "z"}, {"depth": 0}, {"words": {"api": "sad"}}):
        with pytest.raises((RepoNotFound, ValueError)):
            DagView(GRAPH, **arguments)
    with pytest.raises(TypeError, match="plan_or_graph is 7"):
        DagView(7)


def test_hostile_names_reach_the_page_as_short_plain_text():
    graph = RepoDependencyGraph.from_edges([("core", name) for name in HOSTILE_NAMES])
    view = DagView(graph, notes={name: name for name in HOSTILE_NAMES})
    pressed = []
    view.on_press(pressed.append)
    for number, name in enumerate(view.drawn):
        press(view, number)
        assert pressed[-1] == name
    names = view._drawing["names"]
    assert all(name and len(name) <= 60 and not set(name) & set("\n\0\u202e") for name in names)
    assert len(json.dumps([view._drawing, view._state])) < 8_000
    picture = ET.fromstring(view.still())
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "script" not in {element.tag.rpartition("}")[2] for element in picture.iter()}
    view.close()


def test_too_many_to_draw_still_counts_and_can_be_looked_into():
    ids = [f"r{i:04}" for i in range(MOST_DRAWN + 1)]
    graph = RepoDependencyGraph.from_edges(pairwise(ids))
    view = DagView(graph)
    assert view.too_many
    assert view._state["words"] == []
    assert view._state["counts"][0] == len(ids)
    assert "Too many to draw" in view._drawing["note"]
    assert "Too large" in view.still()
    view.look(ids[7])
    assert view.drawn == ids[6:9]
    view.close()


def test_nothing_to_draw():
    view = DagView(RepoDependencyGraph())
    assert repr(view) == "DagView(0 repos: nothing to show)"
    assert "Nothing to draw" in view._drawing["note"]
    assert "There are no repos" in view.still()
    view.close()


def test_closing_five_leaves_nothing():
    before = set(registry._instances)
    views = [DagView(GRAPH) for _ in range(5)]
    assert len(registry._instances) > len(before)
    for each in views:
        each.close()
        each.close()  # again does no harm
    assert set(registry._instances) == before


def test_repr_and_still_are_the_same_in_every_process():
    code = (
        "from seqkit import RepoDependencyGraph\n"
        "from seqkit.widgets import DagView\n"
        "graph = RepoDependencyGraph.from_edges([('core', x) for x in 'abcdef'])\n"
        "view = DagView(graph, words={'a': 'failed', 'b': 'blocked'}, notes={'c': '0.5'})\n"
        "text = f'{view!r} {view.still_html()} {view._drawing} {view._state}'\n"
        "view.close()\n"
    )
    here: dict[str, str] = {}
    exec(code, here)
    there = subprocess.run(
        [sys.executable, "-c", f"{code}print(text)"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout == here["text"] + "\n"
