"""A what-if that is changed bit by bit: who fails by hand, how likely the others fail, under which rules.

>>> from seqkit import RepoDependencyGraph, build_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
>>> scenario = Scenario(plan, 0.1)
>>> scenario.toggle("core")
True
>>> scenario.blast, scenario.expected_succeeded, round(scenario.baseline.expected_succeeded, 3)
(['api', 'docs'], 0.0, 2.52)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import at_least
from seqkit._util.words import inflected, plural
from seqkit.analysis.exact import Analysis, analysis_of
from seqkit.analysis.montecarlo import Simulation
from seqkit.analysis.montecarlo.simulation import simulation_of
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.analysis.schedule.scheduling import schedule
from seqkit.analysis.whatif import outcome_where
from seqkit.core.durations import DurationModel
from seqkit.core.failures import FailureModel
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.terms import Terms
from seqkit.explore.settings import ScenarioState
from seqkit.explore.source import source_of
from seqkit.explore.timing import on_time, only_of, trials_for

__all__ = ["Scenario"]

_T = TypeVar("_T")
_MOMENT = 2_000_000  # numbers touched for the exact law of the count: some hundredths of a second


class Scenario(ScenarioState):
    """A plan, a failure model and rules, all of them open to change. Results are worked out when asked for.

    Repos in `failing` fail whenever they are tried, whatever their rate. All numbers are of repos to
    release; unreleased ones neither fail nor count.

    Parameters
    ----------
    plan : SequencePlan
        What is released.
    model : float, mapping, Series or FailureModel
        How likely one attempt fails.
    policy : str
        What a failure means for the rest, as in :func:`seqkit.execute_plan`.
    failure_budget : int, optional
        At the n-th failure the policy turns to ``"stop"``.
    attempts : int
        How often a repo is tried.
    trials : int
        Simulated runs.
    seed : int
        Of the simulation: the same seed gives the same numbers, and common random numbers before and
        after a change.
    durations : float, timedelta, mapping, Series or DurationModel, optional
        How long attempts take, as in :func:`seqkit.schedule`; None says nothing of time.
    max_parallel : int, optional
        How many releases at once; None for no limit.
    deadline : float or timedelta, optional
        By when everything should be released, in seconds from the start.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range, or the model names only repos that the plan does
        not have and nothing else could fail.

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> scenario = Scenario(plan, {"core": 0.2}, attempts=2)
    >>> scenario
    Scenario(3 repos to release: nobody fails by hand, skip_dependents, attempts=2)
    >>> scenario.fail(["api"])
    >>> scenario.outcome
    SequenceOutcome(1 succeeded, 1 failed, 1 blocked)
    >>> scenario.to_frame()["p_succeeded"].round(6).to_dict()
    {'core': 0.96, 'api': 0.0, 'app': 0.0}
    """

    # ------------------------------------------------------------------ the results

    def _once(self, name: str, make: Callable[[], _T]) -> _T:
        kept = self._kept  # another thread may change something meanwhile, and then begins with nothing kept
        if name not in kept:
            kept[name] = make()
        return kept[name]  # type: ignore[no-any-return]  # made by make

    def _model(self, forced: Collection[str]) -> FailureModel:
        given = self._given
        rates = {repo: min(1.0, rate * self._scale) for repo, rate in given.rates.items()}
        default = min(1.0, given.default * self._scale)
        for repo in self._plan.released:
            rate = 1.0 if repo in forced else self._rate(repo)
            if rate != rates.get(repo, default):
                rates[repo] = rate
        hard = given.hard if self._hard is None else self._hard
        causes = tuple(
            replace(cause, probability=self._struck.get(cause.name, cause.probability)) for cause in given.common_causes
        )
        if (rates, default, hard, causes) == (given.rates, given.default, given.hard, given.common_causes):
            return given
        return FailureModel(rates, default, causes, hard)

    @property
    def model(self) -> FailureModel:
        """The rates as they are now, 1 for repos that fail by hand; the model given where nothing is set."""
        return self._once("model", lambda: self._model(self._failing))

    @property
    def outcome(self) -> SequenceOutcome:
        """What the run comes to if the repos in `failing` fail and nobody else."""
        return self._once("outcome", lambda: outcome_where(self._plan, self._terms, self._failing))

    @property
    def blast(self) -> list[str]:
        """Repos that are then blocked: something they need has failed. In plan order."""
        outcome = self.outcome
        return [
            item.repo_id
            for item, cause in zip(self._plan.items, outcome.skip_causes, strict=True)
            if cause == "blocked"
        ]

    @property
    def why_not_exact(self) -> str:
        """Why there is no exact analysis, in words; empty where there is one."""
        if not Terms(self.policy).closed_form:
            return f"the policy {self.policy} has no closed form; the simulation estimates it"
        if not self._terms.closed_form:
            return "a failure budget has no closed form; the simulation estimates it"
        return str(self._once("analysis", lambda: self._analyzed(self.model))[1])

    @property
    def analysis(self) -> Analysis | None:
        """Exact probabilities, given that the repos in `failing` fail when tried; None: see `why_not_exact`."""
        return None if self.why_not_exact else self._once("analysis", lambda: self._analyzed(self.model))[0]

    @property
    def baseline(self) -> Scenario:
        """The same without anybody failing by hand, to compare with."""
        return self._once("baseline", self._without_failing) if self._failing else self

    def _analyzed(self, model: FailureModel) -> tuple[Analysis | None, str]:
        try:
            return analysis_of(self._plan, model, self.attempts), ""
        except ValueError as error:  # too many common causes
            return None, str(error)

    @property
    def simulation(self) -> Simulation:
        """Simulated runs, given that the repos in `failing` fail when tried."""
        return self._once(
            "simulation",
            lambda: simulation_of(self._plan, self._terms, self.model, self._trials, self._seed),
        )

    @property
    def expected_succeeded(self) -> float:
        """Expected number of repos released: exact, else an :class:`seqkit.Estimate`."""
        if self.analysis is not None:
            return self.analysis.expected.succeeded
        return self.simulation.expected.succeeded

    @property
    def p_all_succeed(self) -> float:
        """Probability that everything is released: exact, else an :class:`seqkit.Estimate`."""
        return self.simulation.p_all_succeed if self.analysis is None else self.analysis.p_all_succeed

    @property
    def law(self) -> list[float] | None:
        """The exact probabilities of 0, 1, …, all repos being released; None where they take more than a moment."""
        return self._once("law", self._exact_law)

    def _exact_law(self) -> list[float] | None:
        if self.analysis is None:
            return None
        try:
            return [float(p) for p in self.analysis.distribution(_MOMENT)]
        except ValueError:
            return None

    def p_at_least(self, share: float) -> float:
        """Give the probability that at least this share of the repos is released.

        Exact where :attr:`law` is there, else an :class:`seqkit.Estimate`.
        """
        law = self.law
        if law is None:
            return self.simulation.p_at_least(share=share)
        return min(math.fsum(law[at_least(len(self._released), None, share) :]), 1.0)

    @property
    def gain_of_a_try(self) -> float | None:
        """How many repos more would be released if each were tried once more; None where that is only simulated."""
        now = self.analysis
        if now is None:
            return None
        return self._once(
            "gain",
            lambda: analysis_of(self._plan, self.model, self.attempts + 1).expected.succeeded - now.expected.succeeded,
        )

    @property
    def schedule(self) -> Schedule | None:
        """The train in its lanes, under few trials, as it has to follow a hand; None without durations."""
        if self.durations is None:
            return None
        return self._once("schedule", self._scheduled)

    @property
    def p_on_time(self) -> float:
        """Probability that everything is released by the deadline; without one or without durations, at all.

        That of `p_all_succeed`, which is mostly exact, times the share that is done by then of the trains of `schedule`
        in which everything is released: so it is never above it.
        """
        if self.schedule is None or self.deadline is None:
            return self.p_all_succeed
        return on_time(self.schedule, self.p_all_succeed, self.deadline)

    def _scheduled(self) -> Schedule:
        return schedule(
            self._plan,
            self.times,  # type: ignore[arg-type]  # there are durations
            self.max_parallel,
            self.planned_model,
            self.attempts,
            self.policy,
            self.failure_budget,
            trials=min(self._trials, trials_for(len(self._released), self.max_parallel, self._terms)),
            rng=self._seed,
            executor=1,  # so few trials are done before a second thread is at work
        )

    @property
    def times(self) -> DurationModel | None:
        """How long attempts at the plan's repos take, as it is now; None where nothing is known."""
        return None if self.durations is None else self.durations.scaled(self.time_scale, self._planned)

    @property
    def planned_model(self) -> FailureModel:
        """What :attr:`model` says of the plan's repos: one that names no others."""
        return only_of(self._planned, self.model)

    @property
    def p_repo(self) -> dict[str, float]:
        """The probability that each repo is released, in plan order."""
        return dict(zip(self._plan.released, self._chances["p_succeeded"].tolist(), strict=True))

    @property
    def _chances(self) -> pd.DataFrame:
        return self._once("chances", (self.analysis or self.simulation).to_frame)

    # ------------------------------------------------------------------ taking it elsewhere

    def to_frame(self) -> pd.DataFrame:
        """Show the scenario as a table, a row an item in plan order.

        Returns
        -------
        DataFrame
            Index `repo_id`; columns `status`, `skip_cause` (ordered categorical, of `outcome`), `failing`
            (boolean), `failure_rate` (float64, of one attempt, by hand apart), `p_succeeded`, `p_failed`,
            `p_skipped` (float64, probabilities), `se_succeeded`, `se_failed`, `se_skipped` (float64, their
            standard errors; 0 where they are exact). Unreleased repos have NaN for numbers.
        """
        items = [item.repo_id for item in self._plan.items]
        index = dtypes.index(items)
        outcome = self.outcome.to_frame()
        numbers = self._chances.reindex(items)
        columns: dict[str, Any] = {
            "status": outcome["status"].array,
            "skip_cause": outcome["skip_cause"].array,
            "failing": pd.array([repo in self._failing for repo in items], dtype="boolean"),
            "failure_rate": np.array([self.rate(repo) if repo in self._released else np.nan for repo in items]),
        }
        for name in ("succeeded", "failed", "skipped"):
            columns[f"p_{name}"] = numbers[f"p_{name}"].to_numpy(dtype=np.float64)
        exact = np.where([repo in self._released for repo in items], 0.0, np.nan)
        for name in ("succeeded", "failed", "skipped"):
            known = f"se_{name}" in numbers
            columns[f"se_{name}"] = numbers[f"se_{name}"].to_numpy(dtype=np.float64) if known else exact
        return pd.DataFrame(columns, index=index)

    def to_code(self, plan: str | None = None, model: str | None = None, durations: str | None = None) -> str:
        """Write Python source that makes the same `outcome`, `analysis` and `simulation`, and `train`, the schedule.

        Parameters
        ----------
        plan : str, optional
            The name of a variable that holds the plan; None writes the plan itself into the source.
        model, durations : str, optional
            The names of variables that hold the model and the durations that the scenario was given; the source
            then says only what was changed. None writes them into the source.

        Raises
        ------
        ValueError
            Where one is no name of a variable, or one that the source uses itself.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
        >>> scenario = Scenario(plan, 0.1)
        >>> scenario.fail("core")
        >>> print(scenario.to_code(plan="plan"))
        from seqkit import FailureModel, analyze, simulate, what_if
        <BLANKLINE>
        model = FailureModel(rates={'core': 1.0}, default=0.1)  # 1.0: fails by hand
        outcome = what_if(plan, fail=['core'])
        analysis = analyze(plan, model)
        simulation = simulate(plan, model, trials=16384, rng=0)
        <BLANKLINE>
        """
        return source_of(self, plan, model, durations)

    def __repr__(self) -> str:
        n, by_hand = len(self._released), len(self._failing)
        hand = f"{by_hand} {inflected(by_hand, 'fails', 'fail')} by hand" if by_hand else "nobody fails by hand"
        return f"Scenario({plural(n, 'repo')} to release: {hand}, {self._terms})"
