"""The numbers of a scenario as HTML: before and after, the distribution, who is blocked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from seqkit._show import svg
from seqkit._show.html import escaped, names
from seqkit._util.words import inflected, plural
from seqkit.analysis.estimate import Estimate
from seqkit.analysis.schedule.moments import when
from seqkit.explore.scenario import Scenario

__all__ = ["blast_list", "comparison", "histogram", "made_to_fail", "percentage"]

_SHARE = 0.8
_SURE = 0.8  # with which the end is told
_SHOWN = 30  # repos that a list names
_WIDTH = 440.0  # pixels of the histogram
_KEY = (
    "The percentage in a box is the chance that the repo is released, and the box is the darker the smaller it is. "
    "Colours and marks tell what the repos that are made to fail bring about if no other fails."
)


def made_to_fail(scenario: Scenario) -> str:
    """Say how many repos fail by hand, and how many of those are blocked before they could."""
    n, tried = len(scenario.failing), len(scenario.outcome.failed)
    if not n:
        return "nobody made to fail"
    if tried == n:
        return f"{n} made to fail"
    held = n - tried
    return f"{tried} {inflected(tried, 'fails', 'fail')}, {held} made to fail {inflected(held, 'is', 'are')} skipped"


def comparison(scenario: Scenario) -> str:
    """Tabulate the main numbers as they stand and with the failures made by hand."""
    baseline, n = scenario.baseline, len(scenario.plan.released)
    forced = bool(scenario.failing)
    both = (baseline, scenario) if forced else (scenario,)
    shown = [
        ("expected to be released", [_count(value) for value in _alike(both, "expected")]),
        ("all are released", [_chance(p, scenario.trials) for p in _alike(both, "all")]),
        (f"at least {_SHARE:.0%} are", [_chance(p, scenario.trials) for p in _alike(both, "share")]),
    ]
    simulated = any("±" in value or " runs" in value for _, values in shown for value in values)
    shown += _times(both)
    heads = ["nobody made to fail", made_to_fail(scenario)] if forced else [made_to_fail(scenario)]
    head = "".join(
        f'<th scope="col" style="text-align:right;padding:0 10px;max-width:150px">{escaped(text)}</th>'
        for text in heads
    )
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;font-weight:400">{escaped(name)}</th>'
        + "".join(f'<td style="text-align:right;padding:0 10px">{escaped(value)}</td>' for value in values)
        + "</tr>"
        for name, values in shown
    )
    return (
        f'<table class="seqkit-numbers" style="line-height:1.4"><caption style="text-align:left">Of '
        f"{plural(n, 'repo')} to release</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<div style="opacity:.75;line-height:1.4;max-width:520px">{escaped(_how(scenario, simulated), 600)}</div>'
    )


def _alike(both: tuple[Scenario, ...], what: str) -> list[float]:
    """Give one number of each, all exact or all simulated: else they would look as if they differed for it."""
    exact: dict[str, Callable[[Scenario], float]] = {
        "expected": lambda scenario: scenario.expected_succeeded,
        "all": lambda scenario: scenario.p_all_succeed,
        "share": lambda scenario: scenario.p_at_least(_SHARE),
    }
    numbers = [exact[what](scenario) for scenario in both]
    if not any(isinstance(number, Estimate) for number in numbers):
        return numbers
    simulated: dict[str, Callable[[Scenario], float]] = {
        "expected": lambda scenario: scenario.simulation.expected.succeeded,
        "all": lambda scenario: scenario.simulation.p_all_succeed,
        "share": lambda scenario: scenario.simulation.p_at_least(share=_SHARE),
    }
    return [simulated[what](scenario) for scenario in both]


def _times(both: tuple[Scenario, ...]) -> list[tuple[str, list[str]]]:
    trains = [train for scenario in both if (train := scenario.schedule) is not None]
    if not trains:
        return []
    ends = [train.quantile(_SURE) for train in trains]
    rows = [
        (
            f"has ended, with {_SURE:.0%}, after",
            [f"{when(end)} ± {when(end.se)}" if end.se else when(end) for end in ends],
        )
    ]
    deadline = both[-1].deadline
    if deadline is not None:
        chances = [_chance(scenario.p_on_time, train.trials) for scenario, train in zip(both, trains, strict=True)]
        rows.append((f"all are released within {when(timedelta(seconds=deadline))}", chances))
    return rows


def _how(scenario: Scenario, simulated: bool) -> str:
    """Say where the numbers come from, in whole sentences."""
    runs = plural(scenario.trials, "simulated run")
    if scenario.why_not_exact:
        told = [f"Chances are estimated from {runs}: {scenario.why_not_exact.split(';')[0]}."]
    elif simulated:
        told = [f"Numbers with ± are estimated from {runs}; the others are exact."]
    else:
        told = ["Chances are exact."]
    if (train := scenario.schedule) is not None:
        lanes = (
            "without a limit of lanes"
            if scenario.max_parallel is None
            else f"in {plural(scenario.max_parallel, 'lane')}"
        )
        told.append(f"Times are estimated from {plural(train.trials, 'simulated train')} {lanes}.")
    if (gain := scenario.gain_of_a_try) is not None:
        told.append(f"One more try for each would release {gain:.2f} more.")
    return " ".join(told)


def _count(value: float) -> str:
    return str(value) if isinstance(value, Estimate) else f"{value:.2f}"


def _chance(p: float, trials: int) -> str:
    if not isinstance(p, Estimate):
        return f"{p:.0%}" if p in (0.0, 1.0) else "< 0.1%" if p < 0.001 else "> 99.9%" if p > 0.999 else f"{p:.1%}"
    if p.exact:
        return f"{float(p):.0%}"
    if not p.varied:
        return f"in {'all' if p > 0 else 'none'} of {trials:,} runs"
    return f"{p:.1%} ± {p.se:.1%}" if p.se >= 0.0005 else f"{p:.2%} ± {p.se:.2%}"


def percentage(p: float) -> str:
    """Write a probability in at most four characters; 0 % and 100 % only where it is so."""
    if p in (0.0, 1.0):
        return f"{p:.0%}"
    return "<1%" if p < 0.01 else ">99%" if p > 0.99 else f"{p:.0%}"


def histogram(scenario: Scenario) -> str:
    """Draw how many repos are released: the exact law where there is one, else what the simulated runs came to."""
    mean = scenario.expected_succeeded
    law, runs = scenario.law, plural(scenario.trials, "simulated run")
    title = "Number of repos released: its exact probabilities"
    if law is None:
        title = f"Number of repos released in {runs}"
        simulation = scenario.simulation
        law = [0.0] * (len(scenario.plan.released) + 1)
        for released, trials in zip(
            *(simulation.counts[name].tolist() for name in ("n_succeeded", "trials")), strict=True
        ):
            law[released] += trials / simulation.trials
    return svg.bars(law, marks=[float(mean)], labels=[f"mean {_count(mean)}"], width=_WIDTH, title=title)


def blast_list(scenario: Scenario) -> str:
    """Say what the picture shows, and name the repos that the failures block."""
    told = f'<div style="opacity:.75;line-height:1.5">{_KEY}</div>'
    if not scenario.failing:
        return told
    blast = scenario.blast
    who = names(blast, most=_SHOWN) if blast else "nobody"
    return f'{told}<div style="line-height:1.5"><b>Blocked by these failures ({len(blast)})</b>: {who}</div>'
