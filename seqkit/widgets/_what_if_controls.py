"""The controls of a what-if, each of which shows one thing of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from seqkit.core.terms import POLICIES
from seqkit.explore.scenario import Scenario
from seqkit.explore.settings import MOST_SCALE
from seqkit.widgets._exact_slider import ExactSlider

__all__ = ["HOUR", "MINUTE", "Controls"]

HOUR, MINUTE = 3_600.0, 60.0
"""Seconds."""
_RATES = [n / 1000 for n in (*range(10), *range(10, 100, 5), *range(100, 1001, 10))]
"""Marks of a slider for probabilities: finer where they are small."""
_SHARES = [n / 20 for n in range(21)]
_SCALES = [n / 10 for n in range(101)]
_MOST_ATTEMPTS = 99
_MOST_LANES = 9_999
_MOST_MINUTES, _MOST_HOURS = 1e6, 1e5
_NAMED = {"description_width": "initial"}


def _number(
    kind: type[ipw.Widget], name: str, tooltip: str, value: float, least: int, most: float, wide: int
) -> ipw.Widget:
    return kind(
        description=name,
        tooltip=tooltip,
        value=value,
        min=least,
        max=most,
        style=_NAMED,
        layout=ipw.Layout(width=f"{wide}px", margin="2px 2px 2px 12px"),
    )


class Controls:
    """Makes the controls; whoever holds them says what follows when one is moved.

    Parameters
    ----------
    scenario : Scenario
        What they show at first.
    say : callable
        Called with a sentence about what was typed, and whether it is an error.
    """

    def __init__(self, scenario: Scenario, say: Callable[[str, bool], object]) -> None:
        self._say = say
        self.rate = self._slider(
            "fails at", "Exact rate in percent", "Failure rate of the chosen repo: how likely one attempt fails",
            disabled=True, readout=False, wide=385,
        )  # fmt: skip
        self.fails = ipw.ToggleButton(
            description="Make it fail",
            disabled=True,
            tooltip="Make the chosen repo fail when it is tried, or no longer",
            layout=ipw.Layout(width="120px"),
        )
        self.scale = self._slider(
            "All rates ×", "Exact factor", "Multiply all failure rates, those set by hand too, up to 100 % each",
            marks=_SCALES, most=MOST_SCALE, value=scenario.scale,
        )  # fmt: skip
        self.attempts = _number(
            ipw.BoundedIntText, "Tries of each", "How often a repo is tried before it counts as failed",
            scenario.attempts, 1, max(_MOST_ATTEMPTS, scenario.attempts), 160,
        )  # fmt: skip
        self.hard = self._slider(
            "of them hard", "Exact hard share in percent",
            "Which share of failures is hard: no second try mends it; the others are flaky, and each try is a new draw",
            marks=_SHARES, value=scenario.hard, wide=385,
        )  # fmt: skip
        self.policy = ipw.Dropdown(
            description="On failure",
            options=[(f"{policy}: {meaning.words}", policy) for policy, meaning in POLICIES.items()],
            value=scenario.policy,
            tooltip="What a failure means for the rest of the run",
            layout=ipw.Layout(width="360px"),
        )
        budget = scenario.failure_budget or 0
        self.budget = _number(
            ipw.BoundedIntText, "Failure budget (0: none)", "At this failure nothing new starts; 0 for no budget",
            budget, 0, max(len(scenario.plan.released), budget), 226,
        )  # fmt: skip
        lanes = scenario.max_parallel or 0
        self.lanes = _number(
            ipw.BoundedIntText, "Lanes (0: no limit)", "How many releases at once; 0 for no limit",
            lanes, 0, max(_MOST_LANES, lanes), 190,
        )  # fmt: skip
        self.minutes = _number(
            ipw.BoundedFloatText, "Minutes each (0: not known)", "How long a release takes; 0 where it is not known",
            minutes_of(scenario), 0, max(_MOST_MINUTES, minutes_of(scenario)), 250,
        )  # fmt: skip
        self.slower = self._slider(
            "All times ×", "Exact factor of times", "Multiply how long all releases take",
            marks=_SCALES, most=MOST_SCALE, value=scenario.time_scale,
        )  # fmt: skip
        hours = (scenario.deadline or 0) / HOUR
        self.deadline = _number(
            ipw.BoundedFloatText, "Deadline in hours (0: none)", "By when all should be released, from the start",
            hours, 0, max(_MOST_HOURS, hours), 240,
        )  # fmt: skip
        self.cause = ipw.Dropdown(
            description="Cause",
            options=list(scenario.causes),
            tooltip="What makes several repos fail together",
            layout=ipw.Layout(width="290px"),
        )
        self.strikes = self._slider(
            "strikes at", "Exact chance of the cause in percent", "How likely the cause strikes in one run", wide=385
        )
        self.causes = ipw.HBox([self.cause, self.strikes])
        self.show_code = ipw.Button(description="Show as code", tooltip="Show Python that gives the same results")
        self.save = ipw.Button(
            description="Save as DataFrame",
            tooltip="Keep the table of all repos in the attribute frame",
            layout=ipw.Layout(width="160px"),
        )
        self.undo = ipw.Button(description="Reset", tooltip="Go back to the beginning")

    def _slider(
        self,
        name: str,
        exactly: str,
        tooltip: str,
        marks: list[float] = _RATES,
        most: float = 1.0,
        wide: int = 370,
        **options: Any,
    ) -> ExactSlider:
        return ExactSlider(
            name,
            exactly,
            marks,
            most,
            self._say,
            in_percent=most == 1.0,
            tooltip=tooltip,
            layout=ipw.Layout(width=f"{wide}px"),
            **options,
        )

    @property
    def settings(self) -> list[tuple[ipw.Widget, str, Callable[[Any], Any] | None]]:
        """Each control that sets one attribute of a scenario: that attribute, and how it reads the control's value."""
        return [
            (self.scale, "scale", None),
            (self.attempts, "attempts", None),
            (self.hard, "hard", None),
            (self.policy, "policy", None),
            (self.budget, "failure_budget", lambda n: n or None),
            (self.lanes, "max_parallel", lambda n: n or None),
            (self.slower, "time_scale", None),
            (self.deadline, "deadline", lambda hours: hours * HOUR if hours else None),
        ]

    @property
    def rows(self) -> list[list[ipw.Widget]]:
        """The controls as they stand on the page, below those that choose a repo."""
        return [
            [self.scale, self.attempts, self.hard],
            [self.policy, self.budget, self.lanes, self.minutes, self.slower, self.deadline, self.causes],
        ]

    def show(self, scenario: Scenario) -> None:
        """Show what a scenario is; whoever calls sees to it that nothing follows."""
        budget, lanes = scenario.failure_budget or 0, scenario.max_parallel or 0
        minutes, hours = minutes_of(scenario), (scenario.deadline or 0.0) / HOUR
        for control, value in (
            (self.attempts, scenario.attempts),
            (self.budget, budget),
            (self.lanes, lanes),
            (self.minutes, minutes),
            (self.deadline, hours),
        ):
            control.max = max(control.max, value)
            control.value = value
        self.scale.turn_to(scenario.scale)
        self.slower.turn_to(scenario.time_scale)
        self.hard.turn_to(scenario.hard)
        self.policy.value = scenario.policy
        alike = one_time(scenario)
        for control, seen in ((self.minutes, alike), (self.slower, not alike), (self.causes, bool(scenario.causes))):
            control.layout.display = None if seen else "none"
        if self.cause.value is not None:
            self.strikes.turn_to(scenario.causes[self.cause.value], whose=self.cause.value)


def one_time(scenario: Scenario) -> bool:
    """Tell whether all releases take the same time, or no time is known."""
    durations = scenario.durations
    return durations is None or (
        isinstance(durations.medians, float) and not durations.samples and durations.failed is None
    )


def minutes_of(scenario: Scenario) -> float:
    """Give that time in minutes; 0 where it is not known or not the same."""
    durations = scenario.durations
    if durations is None or not isinstance(durations.medians, float):
        return 0.0
    return durations.medians * scenario.time_scale / MINUTE
