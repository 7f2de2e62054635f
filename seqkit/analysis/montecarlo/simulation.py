"""Simulate a release many times: what is likely, and how sure we are."""

from __future__ import annotations

import math
from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._show.html import amount, page, rows_of
from seqkit._show.svg import bars
from seqkit._util import dtypes
from seqkit._util.arguments import at_least, whole
from seqkit._util.secrets import as_given
from seqkit.analysis.estimate import Estimate, Range, Share, error_of_share, mean_of, moments
from seqkit.analysis.exact import Expected
from seqkit.analysis.montecarlo.driver import Engine, chosen_engine, each_chunk
from seqkit.analysis.montecarlo.experiment import Experiment, Tally, prepare, total
from seqkit.analysis.montecarlo.reach import ENDS, Reach
from seqkit.analysis.montecarlo.trial import Trial, run_trial
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Policy, Terms, UnderTerms
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models

__all__ = ["Simulation", "simulate"]

_FIRST_ROUND = 16_384  # trials before the precision is looked at for the first time
_MARKED = {"mean": "mean", "q05": "5 %", "median": "median", "q95": "95 %"}  # in the histogram of a repr


@dataclass(frozen=True, eq=False, repr=False)
class Simulation(UnderTerms):
    """What many simulated runs of a plan came to. Made by :func:`simulate`.

    All counts are of released repos; unreleased ones neither fail nor count.
    """

    plan: SequencePlan
    """What was run."""
    model: FailureModel
    """How likely each attempt fails."""
    seed: int
    """The same seed gives the same numbers."""
    trials: int
    """How many runs."""
    _terms: Terms = field()
    _tally: Tally = field()
    _experiment: Experiment = field()
    _engine: str = field()
    _threads: Any = field(default=None)

    def to_frame(self) -> pd.DataFrame:
        """Show each released repo's chances, in plan order.

        Returns
        -------
        DataFrame
            Index `repo_id`; columns (all float64): `failure_rate`, of one attempt and common causes apart;
            `p_succeeded`, `p_failed`, `p_skipped`, the shares of trials; `se_succeeded`, `se_failed`,
            `se_skipped`, their standard errors as in :class:`seqkit.Estimate`: never 0 where the model leaves
            it to chance, also where no trial has shown it, and 0 where it does not. What occurred in no trial
            has, with 95 % confidence, a probability below ``3 / trials``.
        """
        released = self._experiment.released
        failed, lost = self._tally.failed[released], self._tally.lost[released]
        times = {"succeeded": self.trials - lost, "failed": failed, "skipped": lost - failed}
        return pd.DataFrame(
            {
                "failure_rate": np.array([self.model.rate(repo) for repo in self.plan.released], dtype=np.float64),
                **{f"p_{name}": hits / self.trials for name, hits in times.items()},
                **{
                    f"se_{name}": np.where(self._reach.sure(name), 0.0, error_of_share(hits, self.trials))
                    for name, hits in times.items()
                },
            },
            index=dtypes.index(self.plan.released),
        )

    @property
    def counts(self) -> pd.DataFrame:
        """In how many trials each combination of counts occurred.

        Columns (int64): `n_succeeded`, `n_failed`, `n_skipped`, `trials`; ascending, only what occurred.
        """
        n_failed, n_lost = np.divmod(self._tally.joint, self._width)
        frame = pd.DataFrame(
            {
                "n_succeeded": self._n - n_lost,
                "n_failed": n_failed,
                "n_skipped": n_lost - n_failed,
                "trials": self._tally.weights,
            }
        )
        return frame.sort_values(["n_succeeded", "n_failed"], ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """Say how many repos are released, fail and are skipped.

        Returns
        -------
        DataFrame
            Index `count`: succeeded, failed, skipped. Columns: `mean` (float64, repos per run), `se_mean`
            (float64: its standard error as in :class:`seqkit.Estimate`: 0 only where it is exact; NaN for a single
            trial), `std` (float64: of one run; NaN for a single trial), and the quantiles `min`, `q05`, `q25`,
            `median`, `q75`, `q95`, `max` (int64; the smallest count with at least that share of the trials at or below
            it).
        """
        rows = {}
        for name, expected in self.expected._asdict().items():
            values, weights = self._law(name)
            mean, variance = moments(values, weights)
            below = np.cumsum(weights)
            levels = {"min": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "max": 1.0}
            rows[name] = {
                "mean": mean,
                "se_mean": expected.se,
                "std": math.sqrt(variance),
                **{
                    level: int(values[np.searchsorted(below, max(1, math.ceil(share * self.trials)))])
                    for level, share in levels.items()
                },
            }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = dtypes.index(list(rows), "count")
        return frame

    @property
    def expected(self) -> Expected:
        """Estimated numbers of repos released, failed and skipped per run, each an :class:`seqkit.Estimate`."""
        return Expected(*(mean_of(*self._law(name), self._reach.count(name)) for name in ENDS))

    def p_at_least(self, k: int | None = None, share: float | None = None) -> Estimate:
        """Estimate how likely at least `k` repos, or at least this share of them, are released.

        Returns
        -------
        Estimate
            A float that also has ``.se``, its standard error, and ``.interval()``, that of Wilson.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
        >>> simulate(plan, 0.1, trials=100_000, rng=7).p_at_least(share=0.6)  # exactly 0.891
        0.89068 ± 0.00099
        """
        least = at_least(self._n, k, share)
        values, weights = self._law("succeeded")
        possible = self._reach.count("succeeded")
        sure = possible.least >= least or possible.most < least
        return Share(int(weights[values >= least].sum()), self.trials, sure)

    @property
    def p_all_succeed(self) -> Estimate:
        """The estimated probability that everything is released."""
        return self.p_at_least(k=self._n)

    @property
    def n_succeeded(self) -> NDArray[np.int32]:
        """[trials] released repos of each trial. Drawn again from the seed when first asked for."""
        return (self._n - self._arrays[1]).astype(np.int32)

    @property
    def n_failed(self) -> NDArray[np.int32]:
        """[trials] failed repos of each trial."""
        return self._arrays[0]

    @property
    def n_skipped(self) -> NDArray[np.int32]:
        """[trials] skipped repos of each trial."""
        return self._arrays[1] - self._arrays[0]

    def trial(self, i: int) -> Trial:
        """Re-run one trial through the sequencing rules.

        ``run_plan(plan, model, rng=simulation.seed, trial=i, …)`` puts the same run into a ledger.

        Parameters
        ----------
        i : int
            From 0; negative ones count from the end.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
        >>> simulation = simulate(plan, 0.3, trials=1000, rng=7)
        >>> simulation.trial(13)
        Trial(failures=('docs',), outcome=SequenceOutcome(2 succeeded, 1 failed))
        """
        if isinstance(i, bool) or not hasattr(i, "__index__"):
            raise TypeError(f"i is {as_given(i, 200)}, expected a whole number from 0 to {self.trials - 1}")
        number = int(i) + (self.trials if i < 0 else 0)
        if not 0 <= number < self.trials:
            raise IndexError(f"i is {i}, expected a whole number from 0 to {self.trials - 1}")
        return run_trial(self.plan, self.model, self._terms, self.seed, number)

    # ------------------------------------------------------------------ inside

    @property
    def _n(self) -> int:
        return len(self.plan.released)

    @property
    def _width(self) -> int:
        return self._n + 1

    def _law(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give the values that a count took, ascending, and in how many trials."""
        n_failed, n_lost = np.divmod(self._tally.joint, self._width)
        count = {"succeeded": self._n - n_lost, "failed": n_failed, "skipped": n_lost - n_failed}[name]
        values, where = np.unique(count, return_inverse=True)
        weights = np.zeros(len(values), np.int64)
        np.add.at(weights, where, self._tally.weights)
        return values, weights

    @cached_property
    def _reach(self) -> Reach:
        return Reach.under(self.plan, self._terms, self.model)

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        n_failed, n_lost = np.empty(self.trials, np.int32), np.empty(self.trials, np.int32)
        done = 0
        chunks = each_chunk(self._engine, [self._experiment], 0, self.trials, self._threads, arrays=True)
        with closing(chunks):
            for (part,) in chunks:
                n_failed[done : done + part.trials] = part.n_failed
                n_lost[done : done + part.trials] = part.n_lost
                done += part.trials
        n_failed.flags.writeable = n_lost.flags.writeable = False  # kept for the next question
        return n_failed, n_lost

    def _setting(self) -> str:
        return f"{self.trials:,} trials, {self._terms}, seed {self.seed}"

    def __repr__(self) -> str:
        return (
            f"Simulation({self.expected.succeeded} of {self._n} repos released, "
            f"all with probability {self.p_all_succeed}; {self._setting()})"
        )

    def _repr_html_(self) -> str:
        summary = self.summary()
        means = self.expected._asdict()
        rows = [
            (f"{name}", str(means[str(name)]), amount(row["std"], 3), *map(int, row.iloc[3:]))
            for name, row in summary.iterrows()
        ]
        columns = [
            "repos per run",
            "mean ± standard error",
            "std",
            "min",
            "5 %",
            "25 %",
            "median",
            "75 %",
            "95 %",
            "max",
        ]
        values, weights = self._law("succeeded")
        shares = np.zeros(self._n + 1)
        shares[values] = weights / self.trials
        succeeded: dict[Any, Any] = summary.loc["succeeded"].to_dict()
        picture = bars(
            shares.tolist(),
            marks=[succeeded[name] for name in _MARKED],
            labels=[f"{told} {amount(succeeded[name])}" for name, told in _MARKED.items()],
            title="Number of repos released per run, share of the trials",
        )
        return page(
            f"Simulation of {self._n} repos: {self._setting()}",
            picture,
            rows_of(columns, rows),
            note=f"everything is released with probability {self.p_all_succeed}",
        )


def simulate(
    plan: PlanLike,
    model: ModelLike,
    trials: int = 100_000,
    rng: Seed | None = None,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
    attempts: int = 1,
    until: float | None = None,
    engine: Engine = "auto",
    executor: Executor | int | None = None,
) -> Simulation:
    """Run a plan many times with random failures, and count.

    A trial is one bit: 64 of them go through the sequencing rules in one machine word. Memory does not
    grow with the number of trials. Every trial can be looked at: :meth:`Simulation.trial`.

    Parameters
    ----------
    plan : SequencePlan, or a list of them
        What to run; of a list, trains that leave one after the other: see :meth:`seqkit.SequencePlan.split`.
    model : float, mapping, Series or FailureModel
        How likely each attempt fails.
    trials : int
        How many runs; not looked at where `until` is given.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from; None takes a fresh one, which the result tells. Two plans
        or models simulated with one seed share their draws repo by repo: see :func:`compare`.
    policy, failure_budget, attempts
        As in :func:`seqkit.execute_plan`; stop and budget count in each train anew. Nothing more is drawn once every
        trial is decided. What a second attempt is worth hangs on the share of failures that no retry mends, `hard`
        of a :class:`seqkit.FailureModel`.
    until : float, optional
        Run until the standard error of the mean released share (from 0 to 1) is below this. As in
        :class:`seqkit.Estimate`, the error counts four imaginary runs, so that rare failures not yet seen do not
        look like certainty.
    engine : {"auto", "numpy", "numba"}
        Who counts. The numbers are the same; numba (the extra ``fast``) is some ten times faster.
    executor : Executor or int, optional
        Where to run: anything with the interface of :class:`concurrent.futures.Executor` (a process pool,
        ``dask.distributed.Client(…).get_executor()``), or a number of threads; None takes a thread for
        each processor. The numbers are the same.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range, or the model names only repos that the plan does
        not have and nothing else could fail.
    ImportError
        Where ``engine="numba"`` and numba is not installed.

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    See Also
    --------
    analyze : exact probabilities, for the policy ``skip_dependents``.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> simulation = simulate(plan, 0.1, trials=100_000, rng=7)
    >>> simulation
    Simulation(2.5185 ± 0.0029 of 3 repos released, all with probability 0.7283 ± 0.0014; 100,000 trials, ...)
    >>> simulation.to_frame()[["p_succeeded", "se_succeeded"]].round(4)
             p_succeeded  se_succeeded
    repo_id
    core          0.8996        0.0010
    api           0.8095        0.0012
    docs          0.8095        0.0012
    """
    plan = as_plan(plan)
    read = as_model(model)
    count = whole("trials", trials, 1, MAX_TRIALS)
    precision = _precision(until)
    terms = Terms(policy, failure_budget, attempts)
    seed = resolve_seed(rng)
    check_models([plan], model=read)
    return simulation_of(plan, terms, read, count, seed, precision, engine, executor)


def simulation_of(
    plan: SequencePlan,
    terms: Terms,
    model: FailureModel,
    count: int,
    seed: int,
    precision: float | None = None,
    engine: Engine = "auto",
    executor: Executor | int | None = None,
) -> Simulation:
    """Simulate with arguments that have been read and checked already."""
    experiment = prepare(plan, terms, model, seed)
    n = experiment.n_released
    if precision is None:
        chosen = chosen_engine(engine, count * n)
        tally = _counted(None, each_chunk(chosen, [experiment], 0, count, executor))
    else:
        chosen = chosen_engine(engine, 0.1 / precision**2 * n)
        tally = _counted(None, each_chunk(chosen, [experiment], 0, _FIRST_ROUND, executor))
        reach = Reach.under(plan, terms, model).count("succeeded")
        while (target := _needed(tally, n, reach, precision)) > tally.trials:
            tally = _counted(tally, each_chunk(chosen, [experiment], tally.trials, target, executor))
    return Simulation(
        plan=plan,
        model=model,
        seed=seed,
        trials=tally.trials,
        _terms=terms,
        _tally=tally,
        _experiment=experiment,
        _engine=chosen,
        # Somebody else's executor may be shut down by the time that the arrays are asked for.
        _threads=None if executor is None or callable(getattr(executor, "submit", None)) else executor,
    )


def _counted(tally: Tally | None, chunks: Generator[list[Tally]]) -> Tally:
    """Add chunks as they come, so that memory does not grow with their number."""
    with closing(chunks):
        for (part,) in chunks:
            tally = part if tally is None else total([tally, part])
    assert tally is not None, "there is a first trial"  # noqa: S101  # tells mypy
    return tally


def _precision(until: Any) -> float | None:
    if until is None:
        return None
    if isinstance(until, bool) or not isinstance(until, int | float | np.floating):
        raise TypeError(f"until is {as_given(until, 200)}, expected a standard error above 0, such as 0.001")
    if not 0 < until < math.inf:
        raise ValueError(f"until is {as_given(until, 200)}, expected a standard error above 0, such as 0.001")
    least = math.sqrt(0.5 / MAX_TRIALS)
    if until < least:
        raise ValueError(
            f"until is {as_given(until)}, which may take more than {MAX_TRIALS} trials: expected {least:.1g} or more"
        )
    return float(until)


def _needed(tally: Tally, n: int, reach: Range, precision: float) -> int:
    """Say how many trials bring the standard error below the precision, the variance being what it seems."""
    error = mean_of(n - tally.joint % (n + 1), tally.weights, reach).se / max(n, 1)
    if error < precision:
        return tally.trials
    wanted = min(1.05 * tally.trials * (error / precision) ** 2, 8.0 * tally.trials)  # the first guess may be far off
    return min(MAX_TRIALS, -(-max(int(wanted), tally.trials + 1) // 4096) * 4096)
