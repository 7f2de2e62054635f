"""Compare two plans, or two models, on the same random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pandas as pd

from seqkit._show.html import table
from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit.analysis.estimate import Estimate, Range
from seqkit.analysis.montecarlo.driver import Engine, chosen_engine, each_chunk
from seqkit.analysis.montecarlo.experiment import prepare
from seqkit.analysis.montecarlo.paired import COUNTED, Measured, Sums, added, counted, measured, ranges_of
from seqkit.analysis.montecarlo.reach import Reach
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy, Terms
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models

__all__ = ["Comparison", "compare"]

_Side = tuple[SequencePlan, FailureModel]
_MEASURES = ("n_succeeded", "n_failed", "n_skipped", "share_succeeded", "all_succeeded")


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """How two ways to release differ, trial by trial. Made by :func:`compare`.

    Trial i of both sides has the same random numbers, repo by repo. What is chance in both cancels, so
    that a difference shows that separate simulations of that many trials would lose in their noise.
    """

    plans: tuple[SequencePlan, SequencePlan]
    """What was run, a and b."""
    models: tuple[FailureModel, FailureModel]
    """How likely each attempt fails, a and b."""
    trials: int
    """How many runs of each."""
    seed: int
    """The same seed gives the same numbers."""
    _measures: dict[str, Measured]

    def to_frame(self) -> pd.DataFrame:
        """Show both sides and their difference.

        Returns
        -------
        DataFrame
            Index `measure`: `n_succeeded`, `n_failed`, `n_skipped` (repos per run), `share_succeeded` (of the
            side's released repos), `all_succeeded` (probability). Columns (float64): `a`, `b`, their means;
            `se_a`, `se_b`; `difference`, b minus a; `se_difference`, of the paired difference; errors as in
            :class:`seqkit.Estimate`, 0 only where the number is exact; `variance_reduction`, how many times
            more variance the difference would have from two separate simulations:
            (Var a + Var b) / Var(b - a), infinite where b - a was the same in every trial.
        """
        rows = {measure: row.numbers() for measure, row in self._measures.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = dtypes.index(list(rows), "measure")
        return frame

    @property
    def difference(self) -> Estimate:
        """How many more repos are released under b than under a, per run, with its standard error."""
        return self._measures["n_succeeded"].difference

    @property
    def variance_reduction(self) -> float:
        """How many times more variance `difference` would have from two separate simulations."""
        return self._measures["n_succeeded"].variance_reduction

    def _told(self) -> str:
        more, row = self.difference, self._measures["n_succeeded"]
        sizes = [len(plan.released) for plan in self.plans]
        of_a, of_b = ("", "") if sizes[0] == sizes[1] else (f" of {sizes[0]}", f" of {sizes[1]}")
        if not more and not more.varied:
            told = "in every run" if more.exact else f"in every trial ({_at_most(more)})"
            return f"b releases as many repos as a {told}: {row.a:.4g}{of_a or f' of {sizes[0]}'} per run"
        return (
            f"per run, b releases {more if more >= 0 else _turned(more)} {'more' if more >= 0 else 'fewer'} repos "
            f"than a: {row.b:.4g}{of_b} instead of {row.a:.4g}{of_a}"
        )

    def _setting(self) -> str:
        reduction = self.variance_reduction
        less = f", {reduction:.3g} times less variance than unpaired" if math.isfinite(reduction) else ""
        return f"{self.trials:,} paired trials, seed {self.seed}{less}"

    def __repr__(self) -> str:
        return f"Comparison({self._told()}; {self._setting()})"

    def _repr_html_(self) -> str:
        rows = [
            (
                measure.replace("_", " "),
                str(row.a),
                str(row.b),
                str(row.difference),
                f"{row.variance_reduction:.3g}" if math.isfinite(row.variance_reduction) else "",
            )
            for measure, row in self._measures.items()
        ]
        return table(self._told(), ["per run", "a", "b", "b - a (paired)", "variance reduction"], rows, self._setting())


def _turned(number: Estimate) -> Estimate:
    return Estimate(-number, number.se, number.trials, number.varied, -number.most, -number.least)


def _at_most(difference: Estimate) -> str:
    """Say how far from 0 a difference may be that no trial showed."""
    low, high = difference.bounds()
    return f"with 95 % confidence more by {low or 0} to {high or 0}"


def compare(
    a: PlanLike | ModelLike,
    b: PlanLike | ModelLike,
    model: ModelLike | None = None,
    *,
    plan: PlanLike | None = None,
    trials: int = 100_000,
    rng: Seed | None = None,
    policy: Policy | tuple[Policy, Policy] = "skip_dependents",
    failure_budget: int | tuple[int | None, int | None] | None = None,
    attempts: int | tuple[int, int] = 1,
    engine: Engine = "auto",
    executor: Executor | int | None = None,
) -> Comparison:
    """Estimate what b changes against a, with common random numbers.

    ===============================================  ========================================
    ``compare(plan_a, plan_b, model)``               two plans under one model
    ``compare(plan, model_a, model_b)``              one plan under two models
    ``compare(model_a, model_b, plan=…)``            the same
    ``compare(plan, plan, model, attempts=(1, 2))``  one plan and model, tried once or twice
    ===============================================  ========================================

    Parameters
    ----------
    a, b, model, plan
        As in the table. A plan may be a list of them, trains that leave one after the other, as :func:`simulate`
        takes it: "should we split the train?". Two plans may release different repos: those in both share their draws.
    trials, rng, engine, executor
        As in :func:`simulate`.
    policy, failure_budget, attempts
        As in :func:`simulate`; a pair gives one for a and one for b. Where `attempts` differ, the difference holds
        for the share of failures that no retry mends, `hard` of a :class:`seqkit.FailureModel`: 0, all are flakes,
        where it is not given.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range, or a model names only repos that no plan of the
        call has and nothing else could fail.

    Warns
    -----
    UnknownRepo
        Where a model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    For a difference D = b - a of n trials the standard error is sqrt(Var(D) / n), the four imaginary trials of
    :class:`seqkit.Estimate` counted (they give the least and the most that D can be in one trial), and
    Var(D) = Var(a) + Var(b) - 2 Cov(a, b): the more both sides have in common, the smaller
    (Law, Simulation Modeling and Analysis, 5th ed., section 11.2).

    Examples
    --------
    Is it worth to harden core?

    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> compare(plan, 0.1, {"core": 0.05, "api": 0.1, "docs": 0.1}, rng=7)
    Comparison(per run, b releases 0.1394 ± 0.0019 more repos than a: 2.658 instead of 2.519; ...)
    """
    sides, named = _sides(a, b, model, plan)
    plans = (sides[0][0], sides[1][0])
    models = (sides[0][1], sides[1][1])
    count, seed = whole("trials", trials, 1, MAX_TRIALS), resolve_seed(rng)
    terms = [Terms(*each) for each in zip(_pair(policy), _pair(failure_budget), _pair(attempts), strict=True)]
    check_models(plans, **named)
    experiments = [prepare(*each, seed) for each in zip(plans, terms, models, strict=True)]
    sizes = [experiment.n_released for experiment in experiments]
    sums: dict[str, Sums] = dict.fromkeys(COUNTED, (0, 0, 0, 0, 0))
    chosen = chosen_engine(engine, count * sum(sizes))
    chunks = each_chunk(chosen, experiments, 0, count, executor, arrays=True)
    with closing(chunks):
        for parts in chunks:
            x, y = (counted(part, n) for part, n in zip(parts, sizes, strict=True))
            sums = {measure: added(sums[measure], x[measure], y[measure]) for measure in COUNTED}
    a_reach, b_reach = (Reach.under(*each) for each in zip(plans, terms, models, strict=True))
    ranges = ranges_of(a_reach, b_reach, models)
    measures = {measure: measured(sums[measure], count, ranges[measure]) for measure in COUNTED}
    measures["share_succeeded"] = _shares(sums["n_succeeded"], count, sizes, ranges["n_succeeded"])
    return Comparison(plans, models, count, seed, {measure: measures[measure] for measure in _MEASURES})


def _shares(released: Sums, n: int, sizes: Sequence[int], ranges: tuple[Range, Range, Range]) -> Measured:
    """Turn counts into shares of the side's repos: over a common denominator they are still whole numbers."""
    to_a, to_b = max(sizes[1], 1), max(sizes[0], 1)
    scales = (to_a, to_b, to_a**2, to_b**2, to_a * to_b)
    x, y, xx, yy, xy = (part * scale for part, scale in zip(released, scales, strict=True))
    of_a, of_b = ranges[0].times(to_a), ranges[1].times(to_b)
    difference = Range(of_b.least - of_a.most, of_b.most - of_a.least, max(of_a.swing, of_b.swing))
    if to_a == to_b:
        difference = ranges[2].times(to_a)
    return measured((x, y, xx, yy, xy), n, (of_a, of_b, difference), to_a * to_b)


def _sides(
    a: PlanLike | ModelLike, b: PlanLike | ModelLike, model: ModelLike | None, plan: PlanLike | None
) -> tuple[tuple[_Side, _Side], dict[str, FailureModel]]:
    """Tell the sides from what was given; also give the models by the arguments that they came by."""
    a = as_plan(a, "a") if isinstance(a, list | tuple) else a
    b = as_plan(b, "b") if isinstance(b, list | tuple) else b
    plan = as_plan(plan) if isinstance(plan, list | tuple) else plan
    if isinstance(a, SequencePlan) and plan is None and model is not None:
        if isinstance(b, SequencePlan):
            read = as_model(model)
            return ((a, read), (b, read)), {"model": read}
        before, after = as_model(b, "b"), as_model(model)  # type: ignore[arg-type]  # lists are plans by now
        return ((a, before), (a, after)), {"b": before, "model": after}
    if isinstance(plan, SequencePlan) and model is None and not isinstance(a, SequencePlan | None):
        before, after = as_model(a, "a"), as_model(b, "b")  # type: ignore[arg-type]  # a plan is refused there
        return ((plan, before), (plan, after)), {"a": before, "b": after}
    given = ", ".join(f"{name}: {type(value).__name__}" for name, value in zip("ab", (a, b), strict=True))
    raise TypeError(
        f"compare got {given}, model: {type(model).__name__}, plan: {type(plan).__name__}; expected "
        "compare(plan_a, plan_b, model), compare(plan, model_a, model_b) or compare(model_a, model_b, plan=plan)"
    )


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValueError(f"got {value!r}, expected one value or a pair: for a and for b")
        return value
    return value, value
