"""The quiz of a lesson: a question, an answer picked in the picture or from a list, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as ipw

from seqkit.explore.quiz import Quiz
from seqkit.widgets._lesson_html import name_row
from seqkit.widgets._parts import Html, StatusLine, guarded, plain
from seqkit.widgets._walk_panel import LEFT_ALIGNED, button, row

__all__ = ["QuizPanel"]

_HINTS = {
    "one": "Press a repo in the picture, or choose it in the list and press “Pick or take back”.",
    "some": "Press all of them in the picture, or pick them from the list; where there is none, press “Nobody”.",
    "sequence": "Press them one after the other in the picture, or pick them from the list, the first to go first.",
}


class QuizPanel(ipw.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Asks the questions of a :class:`~seqkit.explore.quiz.Quiz` and shows its verdicts.

    Parameters
    ----------
    quiz : Quiz
        The questions and the score.
    changed : callable
        Called without arguments after the question, the answer or the verdict has changed.
    """

    def __init__(self, quiz: Quiz, changed: Callable[[], object]) -> None:
        self.quiz = quiz
        self._changed: Callable[[], object] = lambda: None  # nobody has the panel yet
        self._question, self._answer, self._score = Html(), Html(), Html()
        self._list = ipw.Select(
            description="Repos",
            rows=6,
            tooltip="The repos to choose from",
            style=LEFT_ALIGNED,
            layout=ipw.Layout(width="340px"),
        )
        pick = button("Pick or take back", "Put the repo chosen in the list into the answer, or take it out")
        self._nobody = button("Nobody", "Answer that there is no such repo")
        clear = button("Clear", "Take all picks back")
        check = button("Check", "Have the answer marked", "primary")
        show = button("Show answer", "Tell what the sequencer does; this counts as not right")
        self._next = button("", "")
        self.status = StatusLine()
        self.status.style.font_size = "15px"
        self.status.layout.min_height = "48px"  # two lines, so that the picture below stays in its place
        pick.on_click(self._on_pick)
        self._nobody.on_click(self._on_nobody)
        clear.on_click(self._on_clear)
        check.on_click(self._on_check)
        show.on_click(self._on_show)
        self._next.on_click(self._on_next)
        answering = ipw.VBox(
            [row(pick, self._nobody, clear), self._answer, row(check, show, self._next, self._score)],
            layout=ipw.Layout(flex="1 1 320px", justify_content="space-around"),
        )
        columns = ipw.HBox([self._list, answering], layout=ipw.Layout(flex_flow="row wrap"))
        super().__init__([self._question, columns, self.status])
        self.ask(quiz)
        self._changed = changed

    # ------------------------------------------------------------------ showing

    def ask(self, quiz: Quiz) -> None:
        """Show a quiz from where it stands."""
        self.quiz = quiz
        question = quiz.question
        self._list.options = [(plain(repo, 60), repo) for repo in question.candidates]
        self._question.value = (
            f'<div style="line-height:1.5"><b>Question {quiz.number}.</b> {escape(plain(question.text, 600))}'
            f'<div style="opacity:.85">{_HINTS[question.picks]}</div></div>'
        )
        self._nobody.layout.display = None if question.picks == "some" else "none"
        self._refresh()

    def _refresh(self) -> None:
        quiz = self.quiz
        numbered = quiz.question.picks == "sequence"
        tags = {repo: f"#{i}" for i, repo in enumerate(quiz.picked, 1)} if numbered else {}
        self._answer.value = name_row(
            "The answer" if quiz.verdict is not None and quiz.verdict.given_up else "Your answer",
            quiz.picked,
            words={},
            tags=tags,
            empty="nobody" if quiz.nobody else "nothing picked yet",
        )
        over = quiz.at_end
        self._next.disabled = over
        self._next.description = "No more questions" if over else "Next question"
        self._next.tooltip = "All questions about this plan have been asked" if over else "Go on to another question"
        self._score.value = f'<span style="margin-left:8px">Score: <b>{escape(quiz.score)}</b></span>'
        if quiz.verdict is None:
            self.status.say("")
        else:
            verdict = quiz.verdict
            mark = "" if verdict.given_up or verdict.no_answer else "✓ Right." if verdict else "✗ Not right."
            self.status.say(f"{mark} {plain(verdict.message, 1000)}".strip())
        self._changed()

    @property
    def words(self) -> dict[str, str]:
        """How every repo stands in the question's situation."""
        return self.quiz.question.words

    @property
    def notes(self) -> dict[str, str]:
        """What the picture says beside names: picks, and after a verdict what was wrong with them."""
        quiz = self.quiz
        numbered = quiz.question.picks == "sequence"
        notes = {repo: f"#{i}" for i, repo in enumerate(quiz.picked, 1)} if numbered else {}
        if quiz.verdict is not None:
            known = self.words
            notes.update(dict.fromkeys(quiz.verdict.missing, "miss"))
            notes.update({repo: "no" for repo in quiz.verdict.too_many if repo in known})
        return notes

    @property
    def ringed(self) -> list[str]:
        """The answer so far."""
        return list(self.quiz.picked)

    @property
    def subject(self) -> str:
        """The repo that the question is about."""
        return self.quiz.question.subject

    # ------------------------------------------------------------------ answering

    @guarded
    def press(self, repo_id: str) -> None:
        """Put a repo into the answer, or take it out."""
        self.quiz.press(repo_id)
        self._refresh()

    @guarded
    def _on_pick(self, _button: object) -> None:
        if self._list.value is None:
            raise ValueError("no repo is chosen in the list; choose one with the arrow keys or the mouse")
        self.press(self._list.value)

    @guarded
    def _on_nobody(self, _button: object) -> None:
        self.quiz.say_nobody()
        self._refresh()

    @guarded
    def _on_clear(self, _button: object) -> None:
        self.quiz.clear()
        self._refresh()

    @guarded
    def _on_check(self, _button: object) -> None:
        self.quiz.check()
        self._refresh()

    @guarded
    def _on_show(self, _button: object) -> None:
        self.quiz.give_up()
        self._refresh()

    @guarded
    def _on_next(self, _button: object) -> None:
        self.quiz.next_question()
        self.ask(self.quiz)
