"""The lesson in JupyterLab, by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest

import seqkit
from seqkit.widgets import lesson_notebook

SETUP = """
import seqkit
from seqkit.widgets import Lesson
edges = [("core", "api"), ("core", "docs"), ("api", "app"), ("app", "site"), ("docs", "site"), ("tool", "site")]
edges.append(("core", "site"))  # which the others imply
plan = seqkit.build_plan(seqkit.RepoDependencyGraph.from_edges(edges), version="1.0")
# in this order: core, tool, api, docs, app, site
"""
SHOW = "lesson = Lesson(plan, fail='api', rng=1)\nlesson"


@pytest.fixture(scope="module")
def book(lab):
    with lab.notebook(SETUP, SHOW, height=1100) as notebook:
        notebook.run()
        notebook.page.wait_for_selector(".seqkit-node")
        yield notebook


@pytest.fixture
def page(book):
    """The page, with the walk at its start."""
    book.python("lesson.mode = 'walk'; lesson._fail.value = ('api',); lesson._policy.value = 'skip_dependents'")
    book.python("lesson._excerpt.value = 0; lesson.to(0)")
    told(book.page, "Step 0 of 6.")
    return book.page


def told(page, text):
    """Wait until a status line says so; the still picture, hidden, may say the same."""
    page.locator(".seqkit-status:visible", has_text=text).wait_for()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def node(page, repo):
    return page.locator(".seqkit-node").filter(has_text=re.compile(rf"^.{{1,2}}{repo}"))


def test_stepping_by_mouse(book, page):
    press(page, "Forward")
    told(page, "Step 1 of 6. core was first in line: it needs nothing. That brought api, docs")
    for label in ("core, wave 0, succeeded", "tool, wave 0, pending, #1", "site, wave 3, pending, 3"):
        page.locator(f'.seqkit-node[aria-label="{label}"]').wait_for()  # the picture is painted after the sentence
    assert node(page, "tool").get_attribute("aria-pressed") == "true"
    page.get_by_text("6 repos, 7 dependencies").wait_for()
    press(page, "Last")
    told(page, "Every repo has had its turn: 2 blocked, 3 succeeded, 1 failed.")
    press(page, "Back")
    told(page, "Step 5 of 6.")
    press(page, "First")
    told(page, "Step 0 of 6.")
    node(page, "api").click()
    told(
        page,
        "Step 3 of 6. api was first in line: it needs core, which has been released. It failed, which keeps 2 repos",
    )
    told(page, "from starting. The turn of app will come only to be passed over.")
    book.until("lesson.walk.choice == 'api' and lesson._walking._slider.value == 3")
    book.screenshot("lesson-light")
    book.theme("JupyterLab Dark")
    book.screenshot("lesson-dark")
    book.theme("JupyterLab Light")


def test_stepping_by_keyboard_alone(book, page):
    forward = page.get_by_role("button", name="Forward", exact=True)
    forward.focus()
    page.keyboard.press("Enter")
    told(page, "Step 1 of 6.")
    page.keyboard.press("Space")
    told(page, "Step 2 of 6.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    told(page, "Step 1 of 6.")
    assert page.evaluate("document.activeElement.innerText") == "Back"
    page.get_by_role("slider").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    told(page, "Step 4 of 6.")
    book.until("lesson.walk.position == 4")
    node(page, "core").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    told(page, "Step 6 of 6. site was passed over: it needs api, which failed.")
    book.until("lesson.walk.choice == 'site'")


def test_it_plays_by_itself_and_pauses(book, page):
    page.get_by_label("Pace", exact=True).select_option("fast")
    press(page, "Play")
    book.until("lesson.walk.position >= 2")
    press(page, "Pause")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    book.until("not lesson._walking._play.playing")
    press(page, "Play")
    told(page, "Step 6 of 6.")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    press(page, "Play")
    book.until("0 < lesson.walk.position < 6 and lesson._walking._play.playing")
    press(page, "Pause")
    book.until("not lesson._walking._play.playing")


def test_another_failure_and_policy(book, page):
    press(page, "Last")
    page.get_by_label("Who fails").select_option("tool")
    told(page, "Step 0 of 6.")
    page.get_by_label("After a failure").select_option("stop: start nothing more")
    book.until("lesson.walk.policy == 'stop' and lesson.walk.fail == {'tool'}")
    press(page, "Last")
    told(page, "Every repo has had its turn: 1 blocked, 1 succeeded, 1 failed, 3 stopped.")
    page.locator("summary").click()
    assert page.locator("details tbody tr").count() == 6
    page.get_by_label("Show", exact=True).select_option("1 step around")
    page.wait_for_function("document.querySelectorAll('.seqkit-node').length === 5")


def test_the_quiz_by_mouse_and_by_keyboard(book, page):
    page.get_by_role("button", name="Start the quiz").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Question 1.").wait_for()
    assert not page.get_by_role("button", name="Forward", exact=True).is_visible()
    book.until("lesson.quiz.number == 1")
    press(page, "Check")
    told(page, "Nothing is picked yet: pick a repo.")
    page.get_by_text("Score: 0 of 0 right").wait_for()
    assert not page.get_by_role("button", name="Nobody", exact=True).is_visible()
    node(page, "site").click()
    page.get_by_text("Your answer").wait_for()
    press(page, "Check")
    told(page, "✗ Not right. site needs")
    book.screenshot("quiz-not-right-light")
    right = book.value("lesson.quiz.question.solution[0]")
    node(page, right).click()
    press(page, "Check")
    told(page, "✓ Right.")
    page.get_by_text("Score: 0 of 1 right, 1 corrected").wait_for()
    press(page, "Next question")
    page.get_by_text("Question 2.").wait_for()
    answer = book.value("lesson.quiz.question.solution")
    candidates = book.value("lesson.quiz.question.candidates")
    repos = page.get_by_label("Repos", exact=True)
    page.get_by_role("button", name="Nobody", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text("nobody", exact=True).and_(page.locator(":visible")).wait_for()
    book.until("lesson.quiz.nobody")
    book.screenshot("quiz-nobody-light")
    for repo in answer:
        repos.focus()
        page.keyboard.press("Home")
        for _ in range(candidates.index(repo)):
            page.keyboard.press("ArrowDown")
        book.until(f"lesson._asking._list.value == {repo!r}")  # ipywidgets holds back changes while the kernel is busy
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Pick or take back"
        page.keyboard.press("Enter")
        book.until(f"{repo!r} in lesson.quiz.picked")
    page.get_by_role("button", name="Check", exact=True).focus()
    page.keyboard.press("Enter")
    told(page, "✓ Right. It skips")
    page.get_by_text("Score: 1 of 2 right, 1 corrected").wait_for()
    assert book.value("(lesson.quiz.right, lesson.quiz.corrected, lesson.quiz.answered)") == (1, 1, 2)
    book.screenshot("quiz-light")
    book.theme("JupyterLab Dark")
    press(page, "Next question")
    page.get_by_text("Question 3.").wait_for()
    for repo in book.value("lesson.quiz.question.candidates"):
        node(page, repo).click()
    book.until("len(lesson.quiz.picked) == len(lesson.quiz.question.candidates)")
    press(page, "Check")
    told(page, "✗ Not right. site cannot be number 4: it needs tool, which comes later.")
    book.screenshot("quiz-dark")
    book.theme("JupyterLab Light")


def test_the_quiz_comes_to_an_end(book, page):
    book.python("while lesson.quiz.number < 12: lesson.quiz.next_question()")
    book.python("lesson._asking.ask(lesson.quiz)")
    press(page, "Start the quiz")
    following = page.get_by_role("button", name="Next question", exact=True)
    for number in (12, 13):
        page.get_by_text(f"Question {number}.").wait_for()
        following.click()
    page.get_by_text("Question 14.").wait_for()
    assert page.get_by_role("button", name="No more questions", exact=True).is_disabled()
    page.get_by_label("After a failure").select_option("continue: go on all the same")
    following.wait_for()
    book.screenshot("quiz-another-policy-light")


def test_lanes_by_mouse_and_by_keyboard(book, page):
    press(page, "See lanes")
    told(page, "At 0: T1, T2, T3 start. T4 could start, and waits for a lane.")
    page.locator('.seqkit-node[aria-label^="T1, wave 0, in progress"]').wait_for()
    assert not page.get_by_role("button", name="Forward", exact=True).is_visible()
    page.get_by_role("button", name="Later", exact=True).focus()
    page.keyboard.press("Enter")
    told(page, "At 2: T2, T3 end. T4 starts.")
    book.screenshot("lanes-light")
    page.get_by_label("Lanes", exact=True).select_option("4")
    told(page, "At 0: T1, T2, T3, T4 start.")
    node(page, "T9").click()
    told(page, "At 6: T5, T6, T7 end. T9 starts.")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    told(page, "At 15: T9 ends. Everything has ended at 15: later than at 12")
    book.theme("JupyterLab Dark")
    book.screenshot("lanes-dark")
    book.theme("JupyterLab Light")
    page.get_by_label("T5 and T6 need nothing").check()
    told(page, "At 0: T1, T2, T3, T4 start. T5, T6 could start, and wait for a lane.")
    press(page, "Back to the walk")
    told(page, "Step 0 of 6.")
    node(page, "core").wait_for()


def test_a_students_notebook_says_what_is_done_and_what_is_not(lab, tmp_path):
    graph = seqkit.RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    student = lesson_notebook(seqkit.build_plan(graph, version="1.0"), tmp_path / "lesson.ipynb").student
    with lab.notebook(path=student, height=1400) as notebook:
        page = notebook.page
        notebook.run()
        page.get_by_text("Exercise 1: not done yet").wait_for()
        page.locator("summary", has_text="Hint 1").first.click()
        page.locator("details p", has_text="Who needs none of the others may go first.").wait_for()
        notebook.screenshot("exercises-light")
        page.locator(".cm-content", has_text="my_order = ...").click()
        page.keyboard.press("Control+End")
        page.keyboard.type("\nmy_order = ['core', 'docs', 'api', 'app']")
        page.keyboard.press("Control+End")
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Shift+Enter")
        page.get_by_text("Exercise 1: right. A valid order. The sequencer would take api as number 2").wait_for()
        notebook.theme("JupyterLab Dark")
        notebook.screenshot("exercises-dark")
        page.get_by_text("Exercise 1: right.").scroll_into_view_if_needed()
        notebook.until("repr(exercises) == 'Exercises(6: 1 right, 5 not done yet)'")
        notebook.theme("JupyterLab Light")


def test_closing_removes_it_from_the_page(book):
    book.python("lesson.close()")
    book.page.wait_for_function("document.querySelectorAll('.seqkit-node').length === 0")
