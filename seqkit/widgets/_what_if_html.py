"""The numbers of a scenario as HTML: before and after, the distribution, who is blocked."""

from __future__ import annotations

from seqkit._show import svg
from seqkit._show.html import escaped, names
from seqkit.analysis.montecarlo import Estimate
from seqkit.explore.scenario import Scenario

__all__ = ["blast_list", "comparison", "histogram"]

_SHARE = 0.8
_SHOWN = 30  # repos that a list names
_WIDTH = 460.0  # pixels of the histogram
_KEY = "Colours: what happens if the pressed repos fail and no other. Percentages: the chance of each to be released."


def comparison(scenario: Scenario) -> str:
    """Tabulate the main numbers as they stand and with the failures made by hand."""
    baseline, n = scenario.baseline, len(scenario.plan.released)
    forced = bool(scenario.failing)
    heads = ["nobody made to fail", f"{len(scenario.failing)} made to fail" if forced else ""]

    def chance(p: float) -> str:
        return _chance(p, scenario.trials)

    rows = [
        ("expected to be released", _count(baseline.expected_succeeded), _count(scenario.expected_succeeded)),
        ("all are released", chance(baseline.p_all_succeed), chance(scenario.p_all_succeed)),
        (f"at least {_SHARE:.0%} are", chance(baseline.p_at_least(_SHARE)), chance(scenario.p_at_least(_SHARE))),
    ]
    head = "".join(f'<th scope="col" style="text-align:right;padding:0 10px">{escaped(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;font-weight:400">{escaped(name)}</th>'
        + "".join(
            f'<td style="text-align:right;padding:0 10px">{escaped(value)}</td>'
            for value in (before, after if forced else "")
        )
        + "</tr>"
        for name, before, after in rows
    )
    how = f"simulated: {scenario.why_not_exact}" if scenario.why_not_exact else "exact; simulated where ± stands"
    return (
        f'<table class="seqkit-numbers" style="line-height:1.5"><caption style="text-align:left">of {n:,} repos to '
        f"release</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<div style="opacity:.75;line-height:1.4;max-width:460px">{escaped(how, 400)}</div>'
    )


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


def histogram(scenario: Scenario) -> str:
    """Draw how many repos are released in the simulated runs."""
    simulation, n = scenario.simulation, len(scenario.plan.released)
    counts = simulation.counts
    shares = [0.0] * (n + 1)
    for released, trials in zip(counts["n_succeeded"].tolist(), counts["trials"].tolist(), strict=True):
        shares[released] += trials / simulation.trials
    mean = simulation.expected.succeeded
    title = f"Number of repos released in {simulation.trials:,} simulated runs"
    return svg.bars(shares, marks=[float(mean)], labels=[f"mean {mean}"], width=_WIDTH, title=title)


def blast_list(scenario: Scenario) -> str:
    """Say what the picture shows, and name the repos that the failures block."""
    told = f'<div style="opacity:.75;line-height:1.5">{_KEY}</div>'
    if not scenario.failing:
        return told
    blast = scenario.blast
    who = names(blast, most=_SHOWN) if blast else "nobody"
    return f'{told}<div style="line-height:1.5"><b>Blocked by these failures ({len(blast)})</b>: {who}</div>'
