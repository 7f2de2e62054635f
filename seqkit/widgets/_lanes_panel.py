"""The part of a lesson that is on lanes: nine jobs, and what one lane more does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from seqkit.explore.lane_walk import LaneWalk
from seqkit.widgets._lesson_html import name_row
from seqkit.widgets._parts import Html, StatusLine, guarded
from seqkit.widgets._walk_panel import LEFT_ALIGNED, button, row

__all__ = ["LanesPanel"]

_ABOUT = (
    '<div style="line-height:1.4">R. L. Graham’s nine jobs (1969). The number beside a name is how long it takes. '
    "Whoever may start does, T1 before T2 and so on, as long as a lane is free. Three lanes take 12. "
    "Does a fourth one help? Shorter jobs? Fewer dependencies?</div>"
)
_BESIDE = {"width": "auto", "margin": "2px 2px 2px 14px"}


class LanesPanel(ipw.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Steps through a :class:`~seqkit.explore.lane_walk.LaneWalk` and tells who runs in which lane.

    Parameters
    ----------
    changed : callable
        Called without arguments after another moment is shown.

    Attributes
    ----------
    walk : LaneWalk
        Where it stands.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self.walk = LaneWalk()
        self._changed: Callable[[], object] = lambda: None  # nobody has the panel yet
        self.status = StatusLine()
        self.status.style.font_size = "15px"
        self._rows = Html()
        earlier = button("Earlier", "Go back to the moment before")
        later = button("Later", "Go on to the next moment at which something ends", "primary")
        self._slider = ipw.IntSlider(
            min=0, description="Moment", tooltip="Which moment it is", style=LEFT_ALIGNED, layout={"width": "260px"}
        )
        self._lanes = ipw.Dropdown(
            options=range(1, 7),
            value=self.walk.lanes,
            description="Lanes",
            tooltip="How many jobs at once",
            style=LEFT_ALIGNED,
            layout=ipw.Layout(width="110px"),
        )
        self._shorter, self._fewer = (
            ipw.Checkbox(description=name, tooltip=tooltip, indent=False, style=LEFT_ALIGNED, layout=_BESIDE)
            for name, tooltip in (
                ("each job takes 1 less", "Shorter jobs"),
                ("T5 and T6 need nothing", "Fewer dependencies"),
            )
        )
        earlier.on_click(self._on_earlier)
        later.on_click(self._on_later)
        self._slider.observe(self._slid, "value")
        for setting in (self._lanes, self._shorter, self._fewer):
            setting.observe(self._restart, "value")
        controls = row(earlier, later, self._slider, self._lanes, self._shorter, self._fewer)
        super().__init__([Html(_ABOUT), controls, self.status, self._rows])
        self._start()
        self._changed = changed

    # ------------------------------------------------------------------ stepping

    def _start(self) -> None:
        self.walk = LaneWalk(self._lanes.value, self._shorter.value, self._fewer.value)
        self._slider.max = len(self.walk)
        self.to(0)

    def to(self, position: int) -> None:
        """Go to one of the moments.

        Raises
        ------
        TypeError, ValueError
            Where there is no such moment.
        """
        self.walk.to(position)
        self._slider.value = self.walk.position
        self._refresh()

    @guarded
    def press(self, job: str) -> None:
        """Go to the moment at which a job starts."""
        self.to(self.walk.moment_of(job))

    @guarded
    def _on_earlier(self, _button: object) -> None:
        self.to(max(0, self.walk.position - 1))

    @guarded
    def _on_later(self, _button: object) -> None:
        self.to(min(len(self.walk), self.walk.position + 1))

    @guarded
    def _slid(self, change: Any) -> None:
        if change["new"] != self.walk.position:
            self.to(change["new"])

    @guarded
    def _restart(self, _change: Any) -> None:
        self._start()

    # ------------------------------------------------------------------ showing

    def _refresh(self) -> None:
        walk, words = self.walk, self.walk.words
        rows = [
            name_row(
                f"Lane {lane}",
                [job for job, _, _ in jobs],
                words=words,
                tags={job: f"{start} to {end}" for job, start, end in jobs},
                empty="nothing yet",
            )
            for lane, jobs in enumerate(walk.in_lanes, 1)
        ]
        tags = dict.fromkeys(walk.ready[:1], "next")
        self._rows.value = "".join(
            [name_row("Waiting for a lane", walk.ready, words={}, tags=tags, empty="nobody"), *rows]
        )
        self.status.say(walk.story)
        self._changed()

    @property
    def words(self) -> dict[str, str]:
        """How every job stands."""
        return self.walk.words

    @property
    def notes(self) -> dict[str, str]:
        """What the picture says beside names: how long each job takes."""
        return {job: str(takes) for job, takes in self.walk.durations.items()}

    @property
    def ringed(self) -> list[str]:
        """Who waits for a lane."""
        return self.walk.ready

    @property
    def subject(self) -> None:
        """The job that it is about: all of them."""
        return None
