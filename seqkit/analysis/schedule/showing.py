"""How a schedule shows itself: in a line, and as a small table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seqkit._show.html import page, rows_of, shortened
from seqkit._util.words import plural, printable
from seqkit.analysis.estimate import Share
from seqkit.analysis.schedule.moments import LEVELS, when

if TYPE_CHECKING:
    from seqkit.analysis.schedule.scheduled import Schedule

__all__ = ["ShownFacts", "told_in_html", "told_in_words"]

_IN_A_LINE = 2  # freezes


@dataclass(frozen=True)
class ShownFacts:
    """What is shown of a schedule beside its answers."""

    setting: str
    """Lanes, trials, rules and seed."""
    before: list[tuple[str, Share]]
    """What each freeze that begins after the start is called, and how likely the train is done before it."""


def told_in_words(schedule: Schedule, facts: ShownFacts) -> str:
    """Write a schedule in a line."""
    before = [
        f", before the freeze {printable(shortened(name, 40))} with {chance}"
        for name, chance in facts.before[:_IN_A_LINE]
    ]
    return (
        f"Schedule({plural(len(schedule.plan.released), 'repo')}: "
        f"P50 {schedule.quantile(0.5)!r}, P80 {schedule.quantile(0.8)!r}; "
        f"everything is released with {schedule.p_complete}{''.join(before)}; {facts.setting})"
    )


def told_in_html(schedule: Schedule, facts: ShownFacts) -> str:
    """Write a schedule as a page of two tables."""
    rows = [("it ends, whatever came of it", *_row(schedule, False))]
    if schedule.p_complete:
        rows.append(("trains that released everything", *_row(schedule, True)))
    columns = ["", "mean", *(f"P{level * 100:.0f}" for level in LEVELS)]
    best = f"it is at most {schedule.gap:.1%} from the best possible" if schedule.gap else "no schedule ends sooner"
    chances = [
        ("everything is released", schedule.p_complete),
        (f"it is by the plan date, {when(schedule.plan_date)}", schedule.p_plan_date),
        *((f"it is before the freeze {shortened(name, 40)}", chance) for name, chance in facts.before),
    ]
    frozen = ", and nothing starts in a freeze" if schedule.calendar else ""
    note = f"The plan date is that of a train in which nothing fails and each repo takes its mean{frozen}; {best}."
    heading = f"Schedule of {plural(len(schedule.plan.released), 'repo')}: {facts.setting}"
    return page(heading, rows_of(columns, rows), rows_of(["", "probability"], chances), note=note)


def _row(schedule: Schedule, complete: bool) -> list[str]:
    return [repr(schedule.mean(complete)), *(repr(schedule.quantile(level, complete)) for level in LEVELS)]
