"""What a scenario is made of: who fails by hand, rates, rules; and everything that may change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

from seqkit._arguments import whole
from seqkit.draws import MAX_TRIALS
from seqkit.failures import FailureModel, as_model
from seqkit.plan import SequencePlan
from seqkit.rules import Policy, fail_ids
from seqkit.unknown import check_models

__all__ = ["Settings"]


class Settings:
    """The state of a :class:`seqkit.explore.Scenario`, which documents its parameters. Results are there."""

    def __init__(
        self,
        plan: SequencePlan,
        model: Any = 0.05,
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
        self._start = (policy, failure_budget, attempts)
        self._trials = whole("trials", trials, 1, MAX_TRIALS)
        self._seed = whole("seed", seed, 0)
        self._callbacks: list[Callable[[], object]] = []
        self._kept: dict[str, Any] = {}
        self._released = frozenset(plan.released)
        self._begin()
        check_models([plan], model=self._given)

    def _begin(self) -> None:
        self._failing: set[str] = set()
        self._scale, self._own = 1.0, dict[str, float]()
        policy, self._failure_budget, self._attempts = self._start
        self._policy: Policy = policy
        self._check(*self._start)

    # ------------------------------------------------------------------ the state

    @property
    def plan(self) -> SequencePlan:
        """What is released."""
        return self._plan

    @property
    def failing(self) -> frozenset[str]:
        """Repos made to fail by hand."""
        return frozenset(self._failing)

    def toggle(self, repo: str) -> bool:
        """Make a repo fail, or no longer; tells whether it fails now.

        Raises
        ------
        RepoNotFound, ValueError
            Where the repo is not in the plan, or is not released and so never fails.
        """
        self._require(repo)
        self._failing ^= {repo}
        self._changed("baseline")
        return repo in self._failing

    def fail(self, repos: str | Iterable[str]) -> None:
        """Make exactly these repos fail; raises as :meth:`toggle` does."""
        wanted = fail_ids(self._plan, repos)
        for repo in sorted(wanted):
            self._require(repo)
        self._failing = set(wanted)
        self._changed("baseline")

    def rate(self, repo: str) -> float:
        """Give the probability that one attempt at a repo fails, scaled or set; by hand apart."""
        self._require(repo)
        return self._own.get(repo, min(1.0, self._scale * self._given.rate(repo)))

    def set_rate(self, repo: str, rate: float | None) -> None:
        """Set the failure rate of one repo, which `scale` then leaves alone; None goes back to the model's.

        Raises
        ------
        RepoNotFound, TypeError, ValueError
            Where the repo is not one to release, or the rate not a number from 0 to 1.
        """
        self._require(repo)
        if rate is None:
            self._own.pop(repo, None)
        else:
            self._own[repo] = FailureModel(rates={repo: rate}).rate(repo)
        self._changed()

    @property
    def scale(self) -> float:
        """By what the model's rates are multiplied, up to 1; common causes keep their probability."""
        return self._scale

    @scale.setter
    def scale(self, value: float) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e6:
            raise ValueError(f"scale is {value!r:.80}, expected a number from 0 to 1,000,000")
        self._scale = float(value)
        self._changed()

    @property
    def policy(self) -> Policy:
        """What a failure means for the rest."""
        return self._policy

    @policy.setter
    def policy(self, value: Policy) -> None:
        self._check(value, self._failure_budget, self._attempts)
        self._policy = value
        self._changed()

    @property
    def failure_budget(self) -> int | None:
        """At which failure the policy turns to ``stop``; None for never."""
        return self._failure_budget

    @failure_budget.setter
    def failure_budget(self, value: int | None) -> None:
        self._check(self._policy, value, self._attempts)
        self._failure_budget = value
        self._changed()

    @property
    def attempts(self) -> int:
        """How often a repo is tried."""
        return self._attempts

    @attempts.setter
    def attempts(self, value: int) -> None:
        self._check(self._policy, self._failure_budget, value)
        self._attempts = value
        self._changed()

    def reset(self) -> None:
        """Go back to what the scenario was made with, nobody failing by hand."""
        self._begin()
        self._changed()

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
        self._plan._require(repo)
        if repo not in self._released:
            raise ValueError(f"repo {repo!r:.80} is in the plan but not released: it never fails")

    @staticmethod
    def _check(policy: Policy, failure_budget: int | None, attempts: int) -> None:
        if policy not in get_args(Policy):
            raise ValueError(f"policy is {policy!r:.80}, expected one of {get_args(Policy)}")
        if failure_budget is not None:
            whole("failure_budget", failure_budget, 1)
        whole("attempts", attempts, 1)

    @property
    def trials(self) -> int:
        """Simulated runs."""
        return self._trials
