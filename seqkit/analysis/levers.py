"""What could be done, and what each would buy: every single change a person could make, ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.analysis.exact.chances import Floats
from seqkit.analysis.exact.faults import Faults
from seqkit.analysis.exact.goals import Goal, Of, goal_of
from seqkit.analysis.exact.importance import with_cause
from seqkit.core.failures import Failing, FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Terms
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models

__all__ = ["Action", "levers"]

Action = Literal["harden", "retry", "drop", "end cause", "halve severity"]
"""What a lever does."""


@dataclass(frozen=True)
class _Situation:
    """A plan as it stands, after what has been done already."""

    plan: SequencePlan
    model: FailureModel
    attempts: int
    more_tries: dict[str, int] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def faults(self) -> Faults:
        faults = Faults.of(self.plan, self.model, self.attempts, self.more_tries)
        return faults.changed(left_out=[self.plan.position(repo) for repo in self.dropped])

    @property
    def released(self) -> list[str]:
        return [repo for repo in self.plan.released if repo not in self.dropped]


@dataclass(frozen=True)
class _Lever:
    action: Action
    repo_id: str | None
    cause: str | None
    gain: float
    change: str
    pulled: Callable[[], _Situation]

    @property
    def key(self) -> tuple[str, str | None, str | None]:
        return self.action, self.repo_id, self.cause


def levers(
    plan: PlanLike,
    model: ModelLike,
    attempts: int = 1,
    of: Of = "expected",
    to: float = 0.5,
    together: int | None = None,
) -> pd.DataFrame:
    """Rank every single change that a person could make by what it would buy, exactly.

    - ``harden``: the rate of a repo's first attempts becomes `to` times what it is.
    - ``retry``: one more try at a repo, which helps against flakes and not against what is broken (`hard`).
    - ``drop``: the repo is left out of the release. It does not count as released then: the goal stays what it was.
    - ``end cause``: a common cause never strikes any more.
    - ``halve severity``: where it strikes, it makes half as many tries fail.

    Parameters
    ----------
    plan, model, attempts
        As in :func:`seqkit.analyze`: under ``skip_dependents``.
    of : "expected", "all" or int
        The goal, as in :meth:`seqkit.Analysis.importance`: repos released, as expected; the probability that all
        are, or that at least so many are.
    to : float
        What hardening makes of a rate, from 0 (never fails again) to 1 (nothing changes).
    together : int, optional
        Give the best so many together instead, found greedily: the best single one, then the best beside it, and so
        on, each once.

    Returns
    -------
    DataFrame
        One row a lever, highest gain first; with `together` in the order of choice. Columns: `action` (string),
        `repo_id`, `cause` (string; the one that it is about, the other is ``<NA>``), `before`, `after` (float64: the
        goal now and then), `gain` (float64: after - before, negative where it would harm), `change` (string: what is
        done to which number).

    Raises
    ------
    TypeError, ValueError
        Where an argument is not as above, the model has more causes than have an exact answer, or the law that a
        number of repos needs is out of reach; simulate and compare estimate what analyze cannot.

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    The goal is linear in each repo's probability p of failing all its tries, so that what hardening or a retry buys
    is (p now - p then) times (goal if it did not fail by itself - goal if it did).

    Greedy choice has no guarantee here: a goal such as "released" is no submodular function of what is hardened (two
    repos on one path are worth more together than apart), so that a better set may be missed. What it gives is
    exact for the set that it names. Exact for ``together=1``.

    Examples
    --------
    >>> from seqkit import CommonCause, FailureModel, RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> model = FailureModel({"core": 0.1, "api": 0.3}, common_causes=[CommonCause("ci", 0.05, ["api", "docs"])])
    >>> columns = ["action", "repo_id", "cause", "gain", "change"]
    >>> print(levers(plan, model)[columns].head(4).fillna("").round(3).to_string(index=False))
    action repo_id cause  gain          change
     retry    core       0.235     1 → 2 tries
     retry     api       0.180     1 → 2 tries
    harden    core       0.131 rate 0.1 → 0.05
    harden     api       0.128 rate 0.3 → 0.15
    """
    whole_plan, read = as_plan(plan), as_model(model)
    tries = Terms(attempts=attempts).attempts
    goal = goal_of(of, len(whole_plan.released))
    factor = _factor(to)
    steps = None if together is None else whole("together", together, 1)
    check_models([whole_plan], model=read)
    now = _Situation(whole_plan, read, tries)
    value = goal.value(now.faults().mixture())
    if steps is None:
        ranked = sorted(_levers(goal, now, factor), key=lambda lever: -lever.gain)
        return _frame([(lever, value) for lever in ranked])
    chosen: list[tuple[_Lever, float]] = []
    while len(chosen) < steps:
        done = {lever.key for lever, _ in chosen}
        left = [lever for lever in _levers(goal, now, factor) if lever.key not in done]
        best = max(left, key=lambda lever: lever.gain, default=None)
        if best is None or best.gain <= 0.0:
            break  # nothing more would help
        chosen.append((best, value))
        now = best.pulled()
        value = goal.value(now.faults().mixture())
    return _frame(chosen)


def _factor(to: Any) -> float:
    if isinstance(to, bool) or not isinstance(to, Real):
        raise TypeError(f"to is {as_given(to, 200)}, expected a number from 0 to 1")
    if not 0.0 <= float(to) <= 1.0:
        raise ValueError(f"to is {as_given(to, 200)}, expected a number from 0 to 1: a rate becomes that part of it")
    return float(to)


def _levers(goal: Goal, now: _Situation, to: float) -> Iterator[_Lever]:
    faults = now.faults()
    mixture = faults.mixture()
    value = goal.value(mixture)
    leverage = [goal.leverage(chances) for _, chances in mixture.parts]

    def bought(changed: Faults) -> Floats:
        """Give the gain of each repo if it alone changed."""
        total = np.zeros(len(faults.failing))
        parts = zip(mixture.parts, changed.mixture().parts, leverage, strict=True)
        for (weight, before), (_, after), worth in parts:
            total += weight * (before.p - after.p)[faults.released] * worth
        return total

    rates = [now.model.rate(repo) for repo in now.released]
    better = [Failing.of(rate * to, now.model.share_hard(repo)) for repo, rate in zip(now.released, rates, strict=True)]
    hardened = bought(replace(faults, failing=tuple(better)))
    retried = bought(replace(faults, tries=tuple(tries + 1 for tries in faults.tries)))
    without = goal.without(faults, mixture) - value
    for place, repo in enumerate(now.released):
        rate, tries = rates[place], faults.tries[place]
        said = f"rate {rate:.4g} → {rate * to:.4g}"
        yield _Lever("harden", repo, None, float(hardened[place]), said, _hardened(now, repo, rate * to))
        said = f"{tries} → {tries + 1} tries"
        yield _Lever("retry", repo, None, float(retried[place]), said, _retried(now, repo))
        yield _Lever("drop", repo, None, float(without[place]), "not released", _dropped(now, repo))
    for cause in now.model.common_causes:
        for action, other, said in (
            ("end cause", replace(cause, probability=0.0), f"probability {cause.probability:.4g} → 0"),
            (
                "halve severity",
                replace(cause, severity=cause.severity / 2.0),
                f"severity {cause.severity:.4g} → {cause.severity / 2.0:.4g}",
            ),
        ):
            then = replace(now, model=with_cause(now.model, other))
            gain = goal.value(then.faults().mixture()) - value
            yield _Lever(action, None, cause.name, gain, said, _as(then))  # type: ignore[arg-type]  # one of two words


def _as(then: _Situation) -> Callable[[], _Situation]:
    return lambda: then


def _hardened(now: _Situation, repo: str, rate: float) -> Callable[[], _Situation]:
    return lambda: replace(now, model=replace(now.model, rates={**now.model.rates, repo: rate}))


def _retried(now: _Situation, repo: str) -> Callable[[], _Situation]:
    return lambda: replace(now, more_tries={**now.more_tries, repo: now.more_tries.get(repo, 0) + 1})


def _dropped(now: _Situation, repo: str) -> Callable[[], _Situation]:
    return lambda: replace(now, dropped=now.dropped | {repo})


def _frame(rows: list[tuple[_Lever, float]]) -> pd.DataFrame:
    gains = np.array([lever.gain for lever, _ in rows], dtype=np.float64)
    before = np.array([value for _, value in rows], dtype=np.float64)
    return dtypes.frame(
        {
            "action": dtypes.string([lever.action for lever, _ in rows]),
            "repo_id": dtypes.string([lever.repo_id for lever, _ in rows]),
            "cause": dtypes.string([lever.cause for lever, _ in rows]),
            "before": before,
            "after": before + gains,
            "gain": gains,
            "change": dtypes.string([lever.change for lever, _ in rows]),
        }
    )
