"""The lesson as a widget, without a browser: controls drive the walk and the quiz, and the picture follows."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import ipywidgets as ipw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets.widgets import widget as registry

from seqkit import RepoDependencyGraph, RepoNotFound, build_plan
from seqkit._show.palette import STATUS_STYLES
from seqkit.explore.drawing import MOST_DRAWN
from seqkit.widgets._lesson_html import name_row, steps_table
from seqkit.widgets.lesson import Lesson
from tests.tools.strategies import HOSTILE_NAMES, POLICIES, trains

GRAPH = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site")])
PLAN = build_plan(GRAPH, version="1")  # core, api, docs, app, site
EMPTY = build_plan(RepoDependencyGraph(), [])


pytestmark = pytest.mark.usefixtures("no_model_is_left")


@pytest.fixture
def lesson():
    made = Lesson(PLAN, fail="api", rng=7)
    yield made
    made.close()


def inside(widget: ipw.Widget) -> list[ipw.Widget]:
    """The widget and all below it, as they stand on the page."""
    found, waiting = [], [widget]
    while waiting:
        found.append(waiting.pop(0))
        waiting = [*getattr(found[-1], "children", ()), *waiting]
    return found


def control(lesson: Lesson, description: str) -> Any:
    (found,) = [each for each in inside(lesson) if getattr(each, "description", "") == description]
    return found


def click(lesson: Lesson, description: str) -> None:
    control(lesson, description).click()


def texts(lesson: Lesson) -> str:
    """What the page says, without markup, hidden parts included."""
    html = " ".join(each.value for each in inside(lesson) if isinstance(each, ipw.HTML))
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def start_quiz(lesson: Lesson) -> None:
    click(lesson, "Start the quiz")


# ---------------------------------------------------------------------- walking


def test_buttons_step_and_the_picture_follows(lesson):
    assert (lesson.walk.position, lesson.dag.ringed) == (0, ["core"])
    assert lesson.dag.notes == {"core": "#1", "api": "1", "docs": "1", "app": "1", "site": "1"}
    click(lesson, "Forward")
    assert lesson.dag.counts()["succeeded"] == 1
    assert lesson.dag.ringed == ["api", "docs"]
    assert lesson.dag.notes == {"api": "#1", "docs": "#2", "app": "1", "site": "1"}
    assert "Step 1 of 5. core was first in line: it needs nothing. That brought api, docs into the queue." in texts(
        lesson
    )
    click(lesson, "Forward")
    assert lesson.dag.word("api") == "failed"
    assert lesson.dag.notes == {"docs": "#1", "app": "held", "site": "held"}
    assert "It failed, which keeps 2 repos from starting" in texts(lesson)
    click(lesson, "Back")
    assert (lesson.walk.position, lesson.dag.word("api")) == (1, "pending")
    click(lesson, "Last")
    assert lesson.walk.at_end
    assert lesson.dag.counts() == {**dict.fromkeys(STATUS_STYLES, 0), "succeeded": 2, "failed": 1, "blocked": 2}
    assert "nobody: every repo has had its turn" in texts(lesson)
    click(lesson, "Forward")
    assert lesson.walk.position == 5
    click(lesson, "First")
    click(lesson, "Back")
    assert lesson.walk.position == 0


def test_slider_buttons_and_code_agree(lesson):
    slider = control(lesson, "Step")
    slider.value = 3
    assert lesson.walk.position == 3
    click(lesson, "Forward")
    assert slider.value == 4
    lesson.to(2)
    assert slider.value == 2
    assert (slider.min, slider.max) == (0, 5)
    with pytest.raises(ValueError, match="step is 6, expected a whole number from 0 to 5"):
        lesson.to(6)
    assert (lesson.walk.position, slider.value) == (2, 2)


def test_pressing_a_repo_goes_to_the_step_that_takes_it(lesson):
    lesson.dag.press("docs")
    assert (lesson.walk.choice, lesson.walk.position) == ("docs", 3)


def test_a_plan_that_is_no_queue_is_not_called_one(no_model_is_left):
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "tool"), ("tool", "app")])
    lesson = Lesson(build_plan(graph, [(repo, "1") for repo in ("core", "api", "app")]))
    lesson.to(1)
    told = texts(lesson)
    assert "Ready, in the whole graph's order api next, new app" in told
    assert "ready, numbered in the order of the whole graph; #1 is taken next" in told
    assert "queue" not in told.lower()
    assert lesson.dag.notes == {"api": "#1", "app": "#2"}
    lesson.close()


def test_the_rows_tell_the_queue_and_who_was_taken(lesson):
    lesson.to(1)
    assert "Queue api next, new docs new" in texts(lesson)
    assert "Passed so far ✓ core , succeeded just now" in texts(lesson)
    lesson.to(2)
    assert "Queue docs next app held" in texts(lesson)
    lesson.to(3)
    assert "Queue app next, held" in texts(lesson)
    assert "✗ api , failed ✓ docs , succeeded just now" in texts(lesson)


def test_another_failure_or_policy_starts_anew(lesson):
    lesson.to(4)
    control(lesson, "Who fails").value = ("core",)
    assert (lesson.walk.fail, lesson.walk.position, control(lesson, "Step").value) == ({"core"}, 0, 0)
    lesson.to(1)
    assert lesson.dag.notes["docs"] == "held"
    assert "It failed, which keeps 4 repos from starting" in texts(lesson), "the table of steps is new as well"
    control(lesson, "After a failure").value = "continue"
    assert (lesson.walk.policy, lesson.walk.fail, lesson.quiz.policy) == ("continue", {"core"}, "continue")
    control(lesson, "Who fails").value = ()
    lesson.to(5)
    assert lesson.dag.counts()["succeeded"] == 5


def test_play_and_pause(lesson):
    click(lesson, "Play")
    assert lesson._walking._play.playing
    click(lesson, "Pause")
    assert not lesson._walking._play.playing
    lesson.to(5)
    click(lesson, "Play")
    assert lesson.walk.position == 0, "at the end it begins again"
    control(lesson, "Pace").value = 400
    assert lesson._walking._play.interval == 400
    control(lesson, "Who fails").value = ()
    assert control(lesson, "Play")
    click(lesson, "Play")
    start_quiz(lesson)
    assert not lesson._walking._play.playing


# ---------------------------------------------------------------------- the quiz


def test_the_quiz_gives_nothing_away_and_the_walk_keeps_its_place(lesson):
    lesson.to(2)
    start_quiz(lesson)
    assert lesson.dag.notes == {}
    assert lesson.dag.ringed == []
    assert lesson.dag.words == lesson.quiz.question.words
    assert (lesson._walking.layout.display, lesson._asking.layout.display) == ("none", None)
    click(lesson, "Back to the walk")
    assert (lesson._walking.layout.display, lesson._asking.layout.display) == (None, "none")
    assert (lesson.walk.position, lesson.dag.ringed) == (2, lesson.walk.ready)


def test_answering_by_pressing_repos(lesson):
    start_quiz(lesson)
    assert "2 repos are released, api last. Name one that may go next." in texts(lesson)
    lesson.dag.press("site")
    assert (lesson.quiz.picked, lesson.dag.ringed, lesson.walk.position) == (["site"], ["site"], 0)
    click(lesson, "Check")
    assert "✗ Not right. site needs app, which has not been released yet." in texts(lesson)
    assert lesson.dag.notes == {"site": "no"}
    lesson.dag.press("app")
    assert "Not right" not in texts(lesson), "that was another answer"
    click(lesson, "Check")
    assert "✓ Right. All that app needs is released. The sequencer would take docs first" in texts(lesson)
    assert "Score: 0 of 1 right, 1 corrected" in texts(lesson)


def test_answering_from_the_list(lesson):
    start_quiz(lesson)
    click(lesson, "Next question")
    assert lesson.quiz.number == 2
    repos = control(lesson, "Repos")
    assert [value for _, value in repos.options] == lesson.quiz.question.candidates
    repos.value = None
    click(lesson, "Pick or take back")
    assert "no repo is chosen in the list" in texts(lesson)
    for repo in lesson.quiz.question.solution:
        repos.value = repo
        click(lesson, "Pick or take back")
    assert lesson.dag.ringed == lesson.quiz.question.solution
    click(lesson, "Check")
    assert "✓ Right. It skips" in texts(lesson)
    click(lesson, "Clear")
    assert "nothing picked yet" in texts(lesson)
    click(lesson, "Check")
    assert "Nothing is picked yet: pick a repo or say that it is nobody." in texts(lesson)
    assert "Not right" not in texts(lesson)
    click(lesson, "Nobody")
    assert "Your answer nobody" in texts(lesson)
    click(lesson, "Check")
    assert set(lesson.dag.notes.values()) == {"miss"}
    assert "Score: 1 of 1 right" in texts(lesson)


def test_nobody_can_be_said_where_it_may_be_the_answer(lesson):
    start_quiz(lesson)
    shown = []
    for _ in range(3):
        shown.append(control(lesson, "Nobody").layout.display)
        click(lesson, "Next question")
    assert shown == ["none", None, "none"]


def test_no_more_questions_is_said():
    lesson = Lesson(build_plan(RepoDependencyGraph.from_edges([], nodes=["a"]), version="1"))
    start_quiz(lesson)
    for _ in range(2):
        click(lesson, "Next question")
    assert control(lesson, "No more questions").disabled
    assert lesson.quiz.number == 3
    lesson.close()


def test_another_policy_asks_no_question_again(lesson):
    start_quiz(lesson)
    lesson.dag.press("app")
    click(lesson, "Check")
    control(lesson, "After a failure").value = "continue"
    assert "Score: 1 of 1 right" in texts(lesson)
    assert lesson.quiz.picked == ["app"]
    click(lesson, "Next question")
    control(lesson, "After a failure").value = "stop"
    assert "after a failure nothing new starts" in texts(lesson)
    assert lesson.quiz.number == 2


def test_each_dependency_that_a_number_counts_is_drawn():
    graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "app")])
    lesson = Lesson(build_plan(graph, version="1"))
    assert lesson.dag.notes["app"] == "2"
    assert [edge[:2] for edge in lesson.dag._drawing["edges"]] == [[0, 1], [0, 2], [1, 2]]
    assert lesson.dag._drawing["note"] == "3 repos, 3 dependencies"
    assert "not drawn" not in lesson.still_html()
    lesson.mode = "lanes"
    lesson.mode = "walk"
    assert len(lesson.dag._drawing["edges"]) == 3
    lesson.close()


def test_an_order_is_numbered_as_it_is_picked(lesson):
    start_quiz(lesson)
    click(lesson, "Next question")
    click(lesson, "Next question")
    for repo in ("site", "core"):
        lesson.dag.press(repo)
    assert lesson.dag.notes == {"site": "#1", "core": "#2"}
    assert "Your answer site #1 core #2" in texts(lesson)
    click(lesson, "Show answer")
    assert "The sequencer's answer: core, api, docs, app, site." in texts(lesson)
    assert "Not right" not in texts(lesson), "nothing was answered"
    assert "The answer core #1" in texts(lesson)
    assert "Your answer" not in texts(lesson)
    assert lesson.dag.notes["core"] == "#1"


def test_an_error_shows_in_the_panel_that_is_seen(lesson, monkeypatch):
    def broken(*_arguments):
        raise RuntimeError("<b>oops</b>")

    monkeypatch.setattr(type(lesson.quiz), "next_question", broken)
    monkeypatch.setattr(type(lesson.walk), "to", broken)
    start_quiz(lesson)
    click(lesson, "Next question")
    assert "⚠ RuntimeError: &lt;b&gt;oops&lt;/b&gt;" in lesson._asking.status.value
    click(lesson, "Back to the walk")
    click(lesson, "Forward")
    assert "⚠ RuntimeError: &lt;b&gt;oops&lt;/b&gt;" in lesson._walking.status.value


# ---------------------------------------------------------------------- any plan


@settings(max_examples=25)
@given(trains(), st.sampled_from(POLICIES))
def test_any_plan_can_be_walked_and_asked_about(train, policy):
    fail = [repo for repo in train.failing if repo in train.order]
    lesson = Lesson(train.plan, fail, policy)
    try:
        for step in range(len(lesson.walk) + 1):
            assert lesson.walk.position == step
            assert lesson.dag.words == lesson.walk.words
            assert lesson.dag.ringed == lesson.walk.ready
            click(lesson, "Forward")
        if lesson.quiz:
            start_quiz(lesson)
            for _ in range(3):
                if not lesson.quiz.question.solution:
                    click(lesson, "Nobody")
                for repo in lesson.quiz.question.solution:
                    lesson.dag.press(repo)
                click(lesson, "Check")
                assert "✓ Right." in texts(lesson)
                lesson._asking._next.click()
            assert "Score: 3 of 3 right" in texts(lesson)
        assert "⚠" not in texts(lesson)
    finally:
        lesson.close()


def test_an_empty_plan_has_a_lesson_without_a_quiz():
    lesson = Lesson(EMPTY)
    assert lesson.quiz is None
    assert control(lesson, "Start the quiz").disabled
    with pytest.raises(ValueError, match=r"mode is 'quiz', expected one of \('walk', 'lanes'\)"):
        lesson.mode = "quiz"
    click(lesson, "Forward")
    assert "The plan is empty: there is nothing to choose." in texts(lesson)
    assert lesson.still_html()
    lesson.close()


def test_several_failing_repos_are_a_choice_of_their_own():
    lesson = Lesson(PLAN, fail=["docs", "api"])
    fail = control(lesson, "Who fails")
    assert (fail.label, fail.value) == ("api, docs (as given)", ("api", "docs"))
    fail.value = ()
    fail.value = ("api", "docs")
    assert lesson.walk.fail == {"api", "docs"}
    lesson.close()


def test_a_large_plan_is_drawn_in_excerpts():
    n = MOST_DRAWN + 1
    plan = build_plan(RepoDependencyGraph.from_edges([(f"r{i:03}", f"r{i + 1:03}") for i in range(n)]), version="1")
    lesson = Lesson(plan)
    assert lesson.dag.drawn == ["r000", "r001"]
    lesson.to(10)
    control(lesson, "Show").value = 2
    assert lesson.dag.drawn == ["r007", "r008", "r009", "r010", "r011"]
    lesson.close()


def test_an_excerpt_of_a_small_plan(lesson):
    lesson.to(3)
    show = control(lesson, "Show")
    show.value = 1
    assert lesson.dag.drawn == ["core", "docs"]
    show.value = 0
    assert len(lesson.dag.drawn) == 5


def test_the_repo_without_a_name_is_a_subject_like_others():
    lesson = Lesson(build_plan(RepoDependencyGraph.from_edges([("", "api"), ("api", "app")]), version="1"))
    control(lesson, "Show").value = 1
    assert lesson.dag.drawn == ["", "api"]
    assert repr(lesson) == "Lesson(step 0 of 3; in line: (no name))"
    lesson.to(1)
    assert lesson.dag.around == ""
    lesson.to(2)
    assert lesson.dag.drawn == ["", "api", "app"]
    lesson.close()


def test_hostile_names_reach_the_page_as_text():
    edges = [(HOSTILE_NAMES[4], name) for name in HOSTILE_NAMES if name != HOSTILE_NAMES[4]]
    lesson = Lesson(build_plan(RepoDependencyGraph.from_edges(edges, nodes=["\u202eevil", "</b>"]), version="1"))
    for _ in range(len(lesson.walk)):
        click(lesson, "Forward")
        shown = " ".join(each.value for each in inside(lesson) if isinstance(each, ipw.HTML))
        assert "<script" not in shown
        assert "\u202e" not in shown
        assert len(shown) < 60_000
    start_quiz(lesson)
    for _ in range(6):
        for repo in lesson.quiz.question.candidates:
            lesson.dag.press(repo)
        click(lesson, "Check")
        click(lesson, "Next question")
    assert "⚠" not in texts(lesson)
    lesson.close()


# ---------------------------------------------------------------------- as a widget


def test_every_control_has_a_label_and_a_tooltip(lesson):
    kinds = (ipw.Button, ipw.Dropdown, ipw.IntSlider, ipw.Select)
    controls = [each for each in inside(lesson) if isinstance(each, kinds)]
    assert len(controls) == 23
    for each in controls:
        assert each.description, each
        assert each.tooltip, each.description
    names = [each.description for each in controls]
    assert len(set(names)) == len(names)


def test_status_lines_are_read_out(lesson):
    assert all('aria-live="polite"' in panel.status.value for panel in (lesson, lesson._walking, lesson._asking))


def test_repr_and_still_are_stable_and_say_where_the_lesson_stands(lesson):
    lesson.to(1)
    assert repr(lesson) == "Lesson(step 1 of 5; in line: api, docs)"
    still = lesson.still_html()
    assert "core was first in line: it needs nothing." in still
    assert "<img" in still
    other = Lesson(PLAN, fail="api", rng=1)
    other.to(1)
    assert other.still_html() == still
    other.close()


def test_lanes_fill_and_a_fourth_one_makes_it_later(lesson):
    click(lesson, "See lanes")
    assert lesson.mode == "lanes"
    assert lesson.dag.drawn == [f"T{number}" for number in (1, 2, 3, 4, 9, 5, 6, 7, 8)]
    assert "At 0: T1, T2, T3 start. T4 could start, and waits for a lane." in texts(lesson)
    assert lesson.dag.ringed == ["T4"]
    assert lesson.dag.notes["T9"] == "9"
    assert lesson.dag.counts()["in_progress"] == 3
    click(lesson, "Later")
    assert (lesson.lanes.now, lesson.dag.word("T4")) == (2, "in_progress")
    click(lesson, "Earlier")
    assert lesson.lanes.now == 0
    control(lesson, "Moment").value = 2
    assert lesson.lanes.now == 3
    control(lesson, "Lanes").value = 4
    assert lesson.lanes.now == 0
    lesson._panel.press("T9")
    assert lesson.lanes.now == 6
    control(lesson, "Moment").value = len(lesson.lanes)
    assert "Everything has ended at 15: later than at 12" in texts(lesson)
    control(lesson, "T5 and T6 need nothing").value = True
    assert "T5" in lesson.lanes.ready
    click(lesson, "Back to the walk")
    assert lesson.dag.drawn == list(GRAPH)
    assert lesson.dag.ringed == ["core"]


def test_closing_leaves_no_model_behind():
    before = set(registry._instances)
    made = [Lesson(PLAN) for _ in range(5)]
    assert len(set(registry._instances) - before) > 5 * 30
    for lesson in made:
        lesson.close()
    assert set(registry._instances) == before


def test_wrong_arguments_are_named_and_leave_no_model_behind():
    with pytest.raises(RepoNotFound, match="zzz"):
        Lesson(PLAN, fail="zzz")
    with pytest.raises(ValueError, match="policy is 'panic'"):
        Lesson(PLAN, policy="panic")
    with pytest.raises(TypeError, match=r"plan is RepoDependencyGraph.*, expected a SequencePlan"):
        Lesson(GRAPH)
    with pytest.raises(ValueError, match="rng is -1"):
        Lesson(PLAN, rng=-1)


# ---------------------------------------------------------------------- the HTML


def test_a_long_row_shows_one_end_and_counts_the_rest():
    repos = [f"r{i}" for i in range(30)]
    options = {"words": {}, "tags": {}, "empty": "nobody", "most": 3}
    first, last = name_row("Row", repos, **options), name_row("Row", repos, last=True, **options)
    assert [re.findall(r">(r\d+)", first), re.findall(r">(r\d+)", last)] == [["r0", "r1", "r2"], ["r27", "r28", "r29"]]
    assert "… 27 more …" in first
    assert "… 27 before these …" in last
    assert "nobody" in name_row("Row", [], **options)


def test_the_table_of_steps_holds_every_step(lesson):
    html = steps_table(lesson.walk.frame)
    assert "All 5 steps as a table" in html
    assert html.count("<tr>") == 6
    for why in lesson.walk.frame["why"]:
        assert why in html
