"""What a scenario is made of: who fails by hand, rates, rules; and everything that may change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from numbers import Real
from typing import Any, Self

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.core.draws import MAX_TRIALS
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import fail_ids
from seqkit.core.terms import Policy, Terms
from seqkit.core.unknown import check_models

__all__ = ["MOST_SCALE", "ScenarioState"]

MOST_SCALE = 1e6
"""By what rates may be multiplied at most."""

_REMEMBERED = 50  # settings of a repo's rate to go back to

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
        self._begin()
        check_models([plan], model=self._given)

    def _begin(self) -> None:
        self._failing = frozenset[str]()
        self._scale = 1.0
        self._held: dict[str, list[_Setting]] = {}  # of repos whose rate was ever set; the last one holds
        self._before: dict[str, list[_Setting]] = {}  # what each repo had before each change that was not taken back
        self._terms = self._start

    # ------------------------------------------------------------------ the state

    @property
    def plan(self) -> SequencePlan:
        """What is released."""
        return self._plan

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
