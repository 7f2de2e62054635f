"""A scenario as Python source: what was clicked together can be run, kept and reviewed."""

from __future__ import annotations

import keyword
from dataclasses import replace
from typing import TYPE_CHECKING

from seqkit._util.secrets import as_given
from seqkit.core.failures import CommonCause, FailureModel

if TYPE_CHECKING:
    from seqkit.explore.scenario import Scenario

__all__ = ["source_of"]

_WIDTH = 100
_OWN = {"CommonCause", "FailureModel", "analyze", "simulate", "what_if", "model", "outcome", "analysis", "simulation"}


def source_of(scenario: Scenario, plan: str | None) -> str:
    """Write the source for :meth:`seqkit.explore.Scenario.to_code`."""
    if plan is not None and (not plan.isidentifier() or keyword.iskeyword(plan)):
        raise ValueError(f"plan is {as_given(plan)}, expected the name of a variable, or None")
    if plan in _OWN:
        raise ValueError(
            f"plan is {as_given(plan, 200)}, which the source itself gives another meaning: use another name"
        )
    simulation = scenario.simulation
    model = scenario.model if plan is not None else _of_plan(scenario)
    names = {"FailureModel", "simulate", "what_if"}
    changed = scenario._terms.changed()
    tries = f", attempts={changed.pop('attempts')!r}" if "attempts" in changed else ""
    rules = "".join(f", {name}={value!r}" for name, value in changed.items())
    body = []
    if plan is None:
        names.add("SequencePlan")
        body += ["plan = SequencePlan.from_json(", *_text(scenario.plan.to_json()), ")"]
    fields = [f"rates={_rates(scenario, model)!r}"] if model.rates else []
    fields.append(f"default={model.default!r}")
    if model.common_causes:
        names.add("CommonCause")
        causes = [_cause(cause) for cause in model.common_causes]
        fields.append(f"common_causes=[{', '.join(causes)}]")
    if model.hard:
        fields.append(f"hard={model.hard if isinstance(model.hard, float) else dict(model.hard)!r}")
    hint = "  # 1.0: fails by hand" if scenario.failing else ""
    body.append(f"model = FailureModel({', '.join(fields)}){hint}")
    held = plan or "plan"
    fail = f", fail={sorted(scenario.failing)!r}" if scenario.failing else ""
    body.append(f"outcome = what_if({held}{fail}{rules})")
    if scenario.analysis is None:
        body.append(f"analysis = None  # {' '.join(scenario.why_not_exact.split())}")
    else:
        names.add("analyze")
        body.append(f"analysis = analyze({held}, model{tries})")
    setting = f"trials={simulation.trials!r}, rng={simulation.seed!r}{rules}{tries}"
    body.append(f"simulation = simulate({held}, model, {setting})")
    return "\n".join([f"from seqkit import {', '.join(sorted(names, key=_as_sorted))}", "", *body, ""])


def _cause(cause: CommonCause) -> str:
    severity = "" if cause.severity == 1 else f", severity={cause.severity!r}"
    return f"CommonCause({cause.name!r}, {cause.probability!r}, {list(cause.repos)!r}{severity})"


def _of_plan(scenario: Scenario) -> FailureModel:
    """Give what the model says of the plan's repos: a plan that is written out knows no others."""
    model, planned = scenario.model, {item.repo_id for item in scenario.plan.items}
    causes = [replace(cause, repos=[repo for repo in cause.repos if repo in planned]) for cause in model.common_causes]
    rates = {repo: rate for repo, rate in model.rates.items() if repo in planned}
    hard = model.hard
    if not isinstance(hard, float):
        hard = {repo: share for repo, share in hard.items() if repo in planned}
    return replace(model, rates=rates, common_causes=causes, hard=hard)


def _rates(scenario: Scenario, model: FailureModel) -> dict[str, float]:
    """Give the rates in an order that says nothing of how they came about: as planned, then by name."""
    rates = model.rates
    planned = [item.repo_id for item in scenario.plan.items if item.repo_id in rates]
    return {repo: rates[repo] for repo in [*planned, *sorted(set(rates) - set(planned))]}


def _as_sorted(name: str) -> tuple[bool, str]:
    return name[0].islower(), name  # classes first, as import sorters have it


def _text(text: str) -> list[str]:
    """Write a long string as one literal over several lines."""
    return [f"    {text[i : i + _WIDTH]!r}" for i in range(0, len(text), _WIDTH)]
