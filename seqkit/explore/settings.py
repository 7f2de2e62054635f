"""What a scenario is made of: who fails by hand, rates, rules, time; and everything that may change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from numbers import Real
from typing import Any, Self

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.core.draws import MAX_TRIALS
from seqkit.core.durations import DurationModel, DurationsLike, as_durations
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import fail_ids
from seqkit.core.terms import Policy, Terms
from seqkit.core.unknown import check_durations, check_models
from seqkit.explore.timing import Time, deadline_of, lanes_of

__all__ = ["MOST_SCALE", "ScenarioState"]

MOST_SCALE = 1e6
"""By what rates may be multiplied at most."""

_REMEMBERED = 50  # settings of a repo's rate to go back to

_TIMELESS = ("model", "outcome", "analysis", "simulation", "law", "gain", "chances")
"""Results that stay as they are when only time changes."""

_Setting = tuple[float, float] | None
"""A rate and the scale at which it was set; None for the rate of the model."""


class ScenarioState:
    """The state of a :class:`seqkit.explore.Scenario`, which documents its parameters. Results are there."""

    def __init__(
        self,
        plan: SequencePlan,
        model: ModelLike = 0.05,
        *,
        policy: Policy = "skip_dependents",
        failure_budget: int | None = None,
        attempts: int = 1,
        trials: int = 16_384,
        seed: int = 0,
        durations: DurationsLike | None = None,
        max_parallel: int | None = 1,
        deadline: float | timedelta | None = None,
    ) -> None:
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"plan is a {type(plan).__name__}, expected a SequencePlan: build_plan(graph) makes one")
        self._plan = plan
        self._given = as_model(model)
        self._start = Terms(policy, failure_budget, attempts)
        self._trials = whole("trials", trials, 1, MAX_TRIALS)
        self._seed = whole("seed", seed, 0)
        self._callbacks: list[Callable[[], object]] = []
        self._kept: dict[str, Any] = {}
        self._released = frozenset(plan.released)
        self._planned = frozenset(item.repo_id for item in plan.items)
        self._first = Time(self._read_durations(durations), 1.0, lanes_of(max_parallel), deadline_of(deadline))
        self._begin()
        check_models([plan], model=self._given)

    def _begin(self) -> None:
        self._failing = frozenset[str]()
        self._scale = 1.0
        self._held: dict[str, list[_Setting]] = {}  # of repos whose rate was ever set; the last one holds
        self._before: dict[str, list[_Setting]] = {}  # what each repo had before each change that was not taken back
        self._terms = self._start
        self._hard: float | None = None  # for all repos; None for what the model says
        self._struck: dict[str, float] = {}  # causes whose probability is set by hand
        self._time = self._first

    # ------------------------------------------------------------------ the state

    @property
    def plan(self) -> SequencePlan:
        """What is released."""
        return self._plan

    @property
    def given(self) -> FailureModel:
        """The model that the scenario was made with."""
        return self._given

    @property
    def failing(self) -> frozenset[str]:
        """Repos made to fail by hand."""
        return self._failing

    def toggle(self, repo: str) -> bool:
        """Make a repo fail, or no longer; tells whether it fails now.

        Raises
        ------
        RepoNotFound, ValueError
            Where the repo is not in the plan, or is not released and so never fails.
        """
        self._require(repo)
        self._failing = self._failing ^ {repo}
        self._changed("baseline")
        return repo in self._failing

    def fail(self, repos: str | Iterable[str]) -> None:
        """Make exactly these repos fail; raises as :meth:`toggle` does."""
        wanted = fail_ids(self._plan, repos)
        for repo in sorted(wanted):
            self._require(repo)
        self._failing = frozenset(wanted)
        self._changed("baseline")

    def rate(self, repo: str) -> float:
        """Give the probability that one attempt at a repo fails, scaled or set; failing by hand apart."""
        self._require(repo)
        return self._rate(repo)

    def model_rate(self, repo: str) -> float:
        """Give the rate that the model has for a repo at this scale, whatever is set by hand."""
        self._require(repo)
        return self._at(repo, None)

    def set_rate(self, repo: str, rate: float | None) -> None:
        """Set the failure rate of one repo as it is at this scale; None goes back to the model's.

        A rate r set at scale s is min(1, r t / s) at scale t, and r again at scale s; one that is set while
        the scale is 0 counts as set at scale 1. A rate that an earlier setting, or the model, gives at this
        scale goes back to that one: whoever goes away and back is where he was, at every scale.

        Raises
        ------
        RepoNotFound, TypeError, ValueError
            Where the repo is not one to release, or the rate not a number from 0 to 1.
        """
        self._require(repo)
        held, before = self._held.get(repo, [None]), self._before.setdefault(repo, [])
        setting: _Setting = None
        if rate is not None:
            rate = FailureModel(rates={repo: rate}).rate(repo) + 0.0  # -0.0 is 0.0
            # What was left last comes first: several may give this rate here, and differ elsewhere.
            known = [held[-1], *before[-1:], *reversed(held), None]
            setting = next((each for each in known if self._at(repo, each) == rate), (rate, self._scale))
        if before and setting == before[-1]:
            before.pop()
        elif setting != held[-1]:
            self._before[repo] = [*before[-_REMEMBERED:], held[-1]]
        others = [each for each in held if each != setting]
        self._held[repo] = [*others[-_REMEMBERED:], setting]
        self._changed()

    def _rate(self, repo: str) -> float:
        return self._at(repo, self._held.get(repo, [None])[-1])

    def _at(self, repo: str, setting: _Setting) -> float:
        """Give what a setting comes to at the scale of now."""
        rate, scale = setting or (self._given.rate(repo), 1.0)
        if scale == self._scale:  # r s / s is not always r
            return rate
        return min(1.0, rate * self._scale / (scale or 1.0))

    @property
    def scale(self) -> float:
        """By what all rates are multiplied, up to 1; common causes keep their probability."""
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= MOST_SCALE:
            raise ValueError(f"scale is {as_given(value)}, expected a number from 0 to {MOST_SCALE:,.0f}")
        self._scale = float(value) + 0.0  # -0.0 is 0.0
        self._changed()

    @property
    def policy(self) -> Policy:
        """What a failure means for the rest."""
        return self._terms.policy

    @policy.setter
    def policy(self, value: Policy) -> None:
        self._under(policy=value)

    @property
    def failure_budget(self) -> int | None:
        """At which failure the policy turns to ``stop``; None for never."""
        return self._terms.failure_budget

    @failure_budget.setter
    def failure_budget(self, value: int | None) -> None:
        self._under(failure_budget=value)

    @property
    def attempts(self) -> int:
        """How often a repo is tried."""
        return self._terms.attempts

    @attempts.setter
    def attempts(self, value: int) -> None:
        self._under(attempts=value)

    def _under(self, **changes: Any) -> None:
        self._terms = replace(self._terms, **changes)
        self._changed()

    # ------------------------------------------------------------------ retries and causes

    @property
    def hard(self) -> float:
        """The share of failures that no second try mends: of all repos alike, or their mean where they differ."""
        return self._model_hard if self._hard is None else self._hard

    @hard.setter
    def hard(self, value: float) -> None:
        share = FailureModel(hard=float(value) if isinstance(value, Real) else value).share_hard("") + 0.0
        self._hard = None if share == self._model_hard else share
        self._changed()

    @property
    def _model_hard(self) -> float:
        given, repos = self._given, self._plan.released
        if isinstance(given.hard, float) or not repos:
            return given.share_hard("")
        return sum(map(given.share_hard, repos)) / len(repos)

    @property
    def causes(self) -> dict[str, float]:
        """The common causes of the model, in its order, and how likely each strikes in a run, as it is now."""
        return {cause.name: self._struck.get(cause.name, cause.probability) for cause in self._given.common_causes}

    def set_cause(self, name: str, probability: float | None) -> None:
        """Set how likely a common cause strikes: 0 for never, 1 for surely; None goes back to the model's.

        Raises
        ------
        TypeError, ValueError
            Where the model has no such cause, or the probability is not a number from 0 to 1.
        """
        given = {cause.name: cause for cause in self._given.common_causes}
        if name not in given:
            raise ValueError(
                f"name is {as_given(name, 200)}, expected a common cause of the model: {list(given)!r:.200}"
            )
        struck = {each: p for each, p in self._struck.items() if each != name}
        if probability is not None:
            chance = replace(given[name], probability=probability).probability + 0.0
            if chance != given[name].probability:
                struck[name] = chance
        self._struck = struck
        self._changed()

    # ------------------------------------------------------------------ time

    @property
    def durations(self) -> DurationModel | None:
        """How long attempts take, before `time_scale`; None where it is not known."""
        return self._time.durations

    @durations.setter
    def durations(self, value: DurationsLike | None) -> None:
        self._in_time(durations=self._read_durations(value))

    def _read_durations(self, value: DurationsLike | None) -> DurationModel | None:
        if value is None:
            return None
        durations = as_durations(value)
        check_durations(self._plan, durations)
        return durations

    @property
    def time_scale(self) -> float:
        """By what all times are multiplied."""
        return self._time.scale

    @time_scale.setter
    def time_scale(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= value <= MOST_SCALE:
            raise ValueError(f"time_scale is {as_given(value)}, expected a number from 0 to {MOST_SCALE:,.0f}")
        self._in_time(scale=float(value) + 0.0)

    @property
    def max_parallel(self) -> int | None:
        """How many releases at once, the lanes; None for no limit."""
        return self._time.lanes

    @max_parallel.setter
    def max_parallel(self, value: int | None) -> None:
        self._in_time(lanes=lanes_of(value))

    @property
    def deadline(self) -> float | None:
        """By when everything should be released, in seconds from the start; None where there is no such time."""
        return self._time.deadline

    @deadline.setter
    def deadline(self, value: float | timedelta | None) -> None:
        self._in_time(deadline=deadline_of(value))

    def _in_time(self, **changes: Any) -> None:
        self._time = replace(self._time, **changes)
        self._changed(*_TIMELESS)

    def reset(self) -> None:
        """Go back to what the scenario was made with, nobody failing by hand."""
        self._begin()
        self._changed()

    def _without_failing(self) -> Self:
        """Give the same setting with nobody failing by hand, and nobody who waits for changes."""
        baseline = copy(self)
        baseline._failing, baseline._callbacks, baseline._kept = frozenset(), [], {}
        return baseline

    def on_change(self, callback: Callable[[], object], remove: bool = False) -> None:
        """Call `callback()` after every change; with `remove`, no longer."""
        if remove:
            self._callbacks.remove(callback)
        else:
            self._callbacks.append(callback)

    def _changed(self, *still_true: str) -> None:
        self._kept = {name: self._kept[name] for name in still_true if name in self._kept}
        for callback in list(self._callbacks):
            callback()

    def _require(self, repo: str) -> None:
        self._plan.position(repo)
        if repo not in self._released:
            raise ValueError(f"repo {repo!r:.80} is in the plan but not released: it never fails")

    @property
    def trials(self) -> int:
        """Simulated runs."""
        return self._trials
