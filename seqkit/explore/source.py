"""A scenario as Python source: what was clicked together can be run, kept and reviewed."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from seqkit._util.secrets import as_given
from seqkit.core.durations import DurationModel
from seqkit.core.failures import CommonCause
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan, build_plan
from seqkit.errors import SeqkitError

if TYPE_CHECKING:
    from seqkit.explore.scenario import Scenario

__all__ = ["OWN_NAMES", "source_of"]

_WIDTH = 100
_FEW = 6  # rates on one line
OWN_NAMES = {
    *("CommonCause", "DurationModel", "FailureModel", "RepoDependencyGraph", "SequencePlan"),
    *("analyze", "build_plan", "replace", "schedule", "simulate", "what_if"),
    *("analysis", "by_rate", "edges", "model", "on_time", "outcome", "rates", "serves", "simulation", "times", "train"),
}
"""Names that a source gives a meaning to."""


def source_of(scenario: Scenario, plan: str | None, model: str | None, durations: str | None) -> str:
    """Write the source for :meth:`seqkit.explore.Scenario.to_code`."""
    for argument, name in (("plan", plan), ("model", model), ("durations", durations)):
        _check(argument, name)
    made = _Source(scenario, plan, model)
    return made.text(durations)


def _check(argument: str, name: str | None) -> None:
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise ValueError(f"{argument} is {as_given(name)}, expected the name of a variable, or None")
    if name in OWN_NAMES:
        raise ValueError(
            f"{argument} is {as_given(name, 200)}, which the source itself gives another meaning: use another name"
        )


class _Source:
    """The lines of a source, and the names that they need."""

    def __init__(self, scenario: Scenario, plan: str | None, model: str | None) -> None:
        self.scenario, self.plan, self.given = scenario, plan or "plan", model
        self.written_out = plan is None
        self.names = {"simulate", "what_if"}
        self.replaces = False

    def text(self, durations: str | None) -> str:
        """Give all of it."""
        scenario, plan = self.scenario, self.plan
        simulation = scenario.simulation
        changed = scenario._terms.changed()
        tries = f", attempts={changed.pop('attempts')!r}" if "attempts" in changed else ""
        rules = "".join(f", {name}={value!r}" for name, value in changed.items())
        body = [*self._plan(), *self._model()]
        fail = f", fail={sorted(scenario.failing)!r}" if scenario.failing else ""
        body.append(f"outcome = what_if({plan}{fail}{rules})")
        if scenario.analysis is None:
            body.append(f"analysis = None  # {' '.join(scenario.why_not_exact.split())}")
        else:
            self.names.add("analyze")
            body.append(f"analysis = analyze({plan}, model{tries})")
        setting = f"trials={simulation.trials!r}, rng={simulation.seed!r}{rules}{tries}"
        body.append(f"simulation = simulate({plan}, model, {setting})")
        body += self._train(durations, f"model=model{tries}{rules}")
        first = ["from dataclasses import replace", ""] if self.replaces else []
        imports = f"from seqkit import {', '.join(sorted(self.names, key=_as_sorted))}"
        return "\n".join([*first, imports, "", *body, ""])

    # ------------------------------------------------------------------ the plan

    def _plan(self) -> list[str]:
        if not self.written_out:
            return []
        plan = self.scenario.plan
        versions = {item.version_label for item in plan.items}
        if len(versions) == 1 and not plan.unreleased:
            edges, (version,) = plan.edges, versions
            alone = sorted({item.repo_id for item in plan.items}.difference(*edges))
            if _built(edges, alone, version, plan.originating_run_id) == plan:
                self.names |= {"RepoDependencyGraph", "build_plan"}
                nodes = f", nodes={alone!r}" if alone else ""
                serves: dict[str, list[str]] = {}
                for needed, repo in edges:
                    serves.setdefault(needed, []).append(repo)
                run = plan.originating_run_id
                named = "" if run == "manual" else f", originating_run_id={run!r}"
                return [
                    *_listing("serves = {", ((repr(needed), repos) for needed, repos in serves.items())),
                    "edges = [(needed, repo) for needed, repos in serves.items() for repo in repos]",
                    f"plan = build_plan(RepoDependencyGraph.from_edges(edges{nodes}), version={version!r}{named})",
                ]
        self.names.add("SequencePlan")
        return ["plan = SequencePlan.from_json(", *_text(plan.to_json()), ")"]

    # ------------------------------------------------------------------ the model

    def _model(self) -> list[str]:
        scenario = self.scenario
        hint = "  # 1.0: fails by hand" if scenario.failing else ""
        if self.given is not None:
            return self._changed_model(hint)
        model = scenario.planned_model if self.written_out else scenario.model
        lines, fields = [], []
        rates = _in_order(scenario, model.rates)
        if len(rates) > _FEW:
            groups: dict[float, list[str]] = {}
            for repo, rate in rates.items():
                groups.setdefault(rate, []).append(repo)
            lines = [
                *_listing(f"by_rate = {{{hint}", ((repr(rate), repos) for rate, repos in groups.items())),
                "rates = {repo: rate for rate, repos in by_rate.items() for repo in repos}",
            ]
            fields, hint = ["rates=rates"], ""
        elif rates:
            fields = [f"rates={rates!r}"]
        fields.append(f"default={model.default!r}")
        if model.common_causes:
            fields.append(f"common_causes={self._causes(model.common_causes)}")
        if model.hard:
            fields.append(f"hard={model.hard if isinstance(model.hard, float) else dict(model.hard)!r}")
        self.names.add("FailureModel")
        return [*lines, f"model = FailureModel({', '.join(fields)}){hint}"]

    def _changed_model(self, hint: str) -> list[str]:
        """Say what is different from the model of a variable."""
        scenario, held = self.scenario, self.given
        model, given, scale = scenario.model, scenario.given, scenario.scale
        changes = []
        scaled = {repo: min(1.0, rate * scale) for repo, rate in given.rates.items()}
        own = {repo: rate for repo, rate in model.rates.items() if scaled.get(repo) != rate}
        if scale != 1:
            old = f"{{repo: min(1.0, rate * {scale!r}) for repo, rate in {held}.rates.items()}}"
        else:
            old = f"dict({held}.rates)"
        lines = []
        if model.rates != given.rates:
            lines.append(f"rates = {old}" + (f" | {_in_order(scenario, own)!r}{hint}" if own else ""))
            changes.append("rates=rates")
        if model.default != given.default:
            changes.append(f"default={model.default!r}")
        if model.common_causes != given.common_causes:
            changes.append(f"common_causes={self._causes(model.common_causes)}")
        if model.hard != given.hard:
            changes.append(f"hard={model.hard!r}")
        if not changes:
            return [f"model = {held}"]
        self.replaces = True
        return [*lines, f"model = replace({held}, {', '.join(changes)})"]

    def _causes(self, causes: Iterable[CommonCause]) -> str:
        self.names.add("CommonCause")
        return f"[{', '.join(map(_cause, causes))}]"

    # ------------------------------------------------------------------ time

    def _train(self, held: str | None, how: str) -> list[str]:
        scenario = self.scenario
        durations, train = scenario.times, scenario.schedule
        if durations is None or train is None:
            return []
        lines = []
        if held is not None and scenario.time_scale == 1:
            takes = held
        else:
            self.names.add("DurationModel")
            takes = _durations(durations) or "times"
            if takes == "times":
                lines = ["times = DurationModel.from_json(", *_text(durations.to_json()), ")"]
        self.names.add("schedule")
        setting = f"max_parallel={scenario.max_parallel!r}, {how}, trials={train.trials!r}, rng={train.seed!r}"
        lines.append("# Few trains, as they had to follow a hand: more trials tell times more precisely.")
        lines.append(f"train = schedule({self.plan}, {takes}, {setting})")
        if scenario.deadline is not None:
            lines.append(f"on_time = train.p_done_by({scenario.deadline!r})")
        return lines


def _built(edges: list[tuple[str, str]], alone: list[str], version: str, run: str) -> SequencePlan | None:
    try:
        return build_plan(RepoDependencyGraph.from_edges(edges, nodes=alone), originating_run_id=run, version=version)
    except (SeqkitError, TypeError, ValueError):
        return None


def _durations(durations: DurationModel) -> str | None:
    """Write times that are alike for all repos; None for others."""
    if isinstance(durations.medians, Mapping) or isinstance(durations.sigma, Mapping) or durations.samples:
        return None
    if durations.failed is not None:
        return None
    sigma = f", sigma={durations.sigma!r}" if durations.sigma else ""
    return f"DurationModel({durations.medians!r}{sigma})"


def _cause(cause: CommonCause) -> str:
    severity = "" if cause.severity == 1 else f", severity={cause.severity!r}"
    return f"CommonCause({cause.name!r}, {cause.probability!r}, {list(cause.repos)!r}{severity})"


def _in_order(scenario: Scenario, rates: Mapping[str, float]) -> dict[str, float]:
    """Give the rates in an order that says nothing of how they came about: as planned, then by name."""
    planned = [item.repo_id for item in scenario.plan.items if item.repo_id in rates]
    return {repo: rates[repo] for repo in [*planned, *sorted(set(rates) - set(planned))]}


def _listing(head: str, entries: Iterable[tuple[str, list[str]]]) -> list[str]:
    """Write a dict of lists, as many names on a line as there is room for."""
    lines = [head]
    for key, names in entries:
        row = f"    {key}: ["
        for number, name in enumerate(names):
            piece = f"{name!r}{', ' if number < len(names) - 1 else ''}"
            if len(row) + len(piece) > _WIDTH and row.strip():
                lines.append(row.rstrip())
                row = " " * 8
            row += piece
        lines.append(f"{row}],")
    return [*lines, "}"]


def _as_sorted(name: str) -> tuple[bool, str]:
    return name[0].islower(), name  # classes first, as import sorters have it


def _text(text: str) -> list[str]:
    """Write a long string as one literal over several lines."""
    return [f"    {text[i : i + _WIDTH]!r}" for i in range(0, len(text), _WIDTH)]
