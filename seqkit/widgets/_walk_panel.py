"""The walk of a lesson: the buttons to step with, the reason for the last step, and who is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from seqkit.explore.lesson import Walk
from seqkit.widgets._lesson_html import name_row, steps_table
from seqkit.widgets._parts import Html, StatusLine, guarded, plain

__all__ = ["LEFT_ALIGNED", "WalkPanel", "button", "row"]

_PACES = (("slow", 2500), ("medium", 1200), ("fast", 400))  # milliseconds a step
LEFT_ALIGNED = {"description_width": "initial"}
"""Style of controls whose label takes no more room than it needs."""

_KEY = (
    '<div style="opacity:.85;line-height:1.4">Outlined: {}; #1 is taken next. '
    "Other numbers: how many dependencies are still to come; each is a line, in the picture of the whole plan. "
    "Held: a failure keeps it from starting.</div>"
)
_OUTLINED = {True: "in the queue", False: "ready, numbered in the order of the whole graph"}
_READY = {True: "Queue", False: "Ready, in the whole graph's order"}


class WalkPanel(ipw.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Steps through a :class:`~seqkit.explore.lesson.Walk` and tells why.

    Parameters
    ----------
    walk : Walk
        Where the lesson stands.
    changed : callable
        Called without arguments after another step is shown.

    Attributes
    ----------
    below : ipywidgets.Widget
        What belongs below the picture: who was taken so far, and the table of all steps.
    link : ipywidgets.Widget
        What joins player and slider in the page; to be closed with the panel.
    """

    def __init__(self, walk: Walk, changed: Callable[[], object]) -> None:
        self.walk = walk
        self._changed: Callable[[], object] = lambda: None  # nobody has the panel yet
        self.status = StatusLine()
        self.status.style.font_size = "15px"
        self.status.layout.min_height = "48px"  # two lines, so that the picture below stays in its place
        self._key, self._queue, self._taken, self._table = (Html() for _ in range(4))
        first = button("First", "Back to the start")
        back = button("Back", "Take the last step back")
        forward = button("Forward", "Make the next choice", "primary")
        last = button("Last", "Go to the end")
        self._play_button = button("Play", "Step by itself, or stop that")
        # The player's own buttons are icons without names; so it only keeps time, unseen.
        self._play = ipw.Play(min=0, interval=_PACES[1][1], layout=ipw.Layout(display="none"))
        self._pace = ipw.Dropdown(
            options=_PACES,
            value=_PACES[1][1],
            description="Pace",
            tooltip="How fast it steps by itself",
            style=LEFT_ALIGNED,
            layout=ipw.Layout(width="130px"),
        )
        self._slider = ipw.IntSlider(
            min=0,
            description="Step",
            tooltip="How many choices are made",
            style=LEFT_ALIGNED,
            layout={"width": "320px"},
        )
        self.link = ipw.jslink((self._play, "value"), (self._slider, "value"))
        first.on_click(self._on_first)
        back.on_click(self._on_back)
        forward.on_click(self._on_forward)
        last.on_click(self._on_last)
        self._play_button.on_click(self._on_play)
        self._play.observe(self._played, "playing")
        self._pace.observe(self._paced, "value")
        self._slider.observe(self._slid, "value")
        controls = row(first, back, forward, last, self._play_button, self._pace, self._play, self._slider)
        super().__init__([controls, self.status, self._queue])
        self.below = ipw.VBox([self._key, self._taken, self._table])
        self.start(walk)
        self._changed = changed

    # ------------------------------------------------------------------ stepping

    def start(self, walk: Walk) -> None:
        """Show a walk from where it stands."""
        self.pause()
        self.walk = walk
        self._play.max = self._slider.max = len(walk)
        self._key.value = _KEY.format(_OUTLINED[walk.queue])
        self._table.value = steps_table(walk.frame)
        self.to(walk.position)

    def to(self, step: int) -> None:
        """Go to where `step` choices are made.

        Raises
        ------
        TypeError, ValueError
            Where `step` is not a whole number within the walk.
        """
        self.walk.to(step)
        self._slider.value = self.walk.position
        self._refresh()

    def pause(self) -> None:
        """Stop stepping by itself."""
        self._play.playing = False

    @guarded
    def press(self, repo_id: str) -> None:
        """Go to the step that takes a repo."""
        self.to(self.walk.step_of(repo_id))

    @guarded
    def _on_first(self, _button: object) -> None:
        self.to(0)

    @guarded
    def _on_back(self, _button: object) -> None:
        self.to(max(0, self.walk.position - 1))

    @guarded
    def _on_forward(self, _button: object) -> None:
        self.to(min(len(self.walk), self.walk.position + 1))

    @guarded
    def _on_last(self, _button: object) -> None:
        self.to(len(self.walk))

    @guarded
    def _on_play(self, _button: object) -> None:
        if not self._play.playing and self.walk.at_end:
            self.to(0)
        self._play.playing = not self._play.playing

    @guarded
    def _played(self, change: Any) -> None:
        self._play_button.description = "Pause" if change["new"] else "Play"

    @guarded
    def _paced(self, change: Any) -> None:
        self._play.interval = change["new"]

    @guarded
    def _slid(self, change: Any) -> None:
        if change["new"] != self.walk.position:
            self.to(change["new"])

    # ------------------------------------------------------------------ showing

    def _refresh(self) -> None:
        walk = self.walk
        ready, doomed, fresh = walk.ready, set(walk.doomed), set(walk.newcomers)
        tags = {}
        for repo in ready:
            told = ["next"] * (repo == ready[0]) + ["new"] * (repo in fresh - doomed) + ["held"] * (repo in doomed)
            if told:
                tags[repo] = ", ".join(told)
        nobody = "nobody: every repo has had its turn" if len(walk) else "nobody"
        self._queue.value = name_row(_READY[walk.queue], ready, words={}, tags=tags, empty=nobody, most=12)
        words = walk.words
        now = {walk.choice: "just now"} if walk.choice is not None else {}
        behind = list(words)[: walk.position]
        self._taken.value = name_row("Passed so far", behind, words=words, tags=now, empty="nobody yet", last=True)
        self.status.say(plain(walk.story, 600))
        self._changed()

    @property
    def words(self) -> dict[str, str]:
        """How every repo stands."""
        return self.walk.words

    @property
    def notes(self) -> dict[str, str]:
        """What the picture says beside names: the place among those ready, or how many dependencies are to come."""
        walk = self.walk
        notes = {repo: str(count) for repo, count in walk.in_degrees.items() if count}
        notes.update({repo: f"#{place}" for place, repo in enumerate(walk.ready, 1)})
        notes.update(dict.fromkeys(walk.doomed, "held"))
        return notes

    @property
    def ringed(self) -> list[str]:
        """Who is ready."""
        return self.walk.ready

    @property
    def subject(self) -> str | None:
        """The repo that it is about: the one taken last, at first the one taken next; None in an empty plan."""
        return next(iter(self.walk.ready), None) if self.walk.choice is None else self.walk.choice


def button(description: str, tooltip: str, style: str = "") -> ipw.Button:
    """Make a button that is as wide as its name needs."""
    return ipw.Button(
        description=description, tooltip=tooltip, button_style=style, layout=ipw.Layout(width="auto", min_width="80px")
    )


def row(*children: ipw.Widget) -> ipw.HBox:
    """Put controls beside each other; they go on in the next line where there is no room."""
    return ipw.HBox(children, layout=ipw.Layout(flex_flow="row wrap", align_items="center"))
