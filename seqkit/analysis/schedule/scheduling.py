"""When will it be done: many trials of a train that takes its time, in lanes, under failures."""

from __future__ import annotations

import functools
import math
from collections.abc import Generator, Mapping
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._show.html import page, rows_of
from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.estimate import Estimate, Share
from seqkit.analysis.montecarlo.trial import Trial, who_fails
from seqkit.analysis.schedule.ends import NOT_STARTED, RELEASED, Ends
from seqkit.analysis.schedule.kernels import ScheduleEngine, chosen, each_end
from seqkit.analysis.schedule.lanes import in_lanes
from seqkit.analysis.schedule.measures import Sums, counted_chains, kth_release, slack_of
from seqkit.analysis.schedule.moments import LEVELS, DateEstimate, TimeEstimate, mean_time, quantile_time, time_text
from seqkit.analysis.schedule.plain import run_trial
from seqkit.analysis.schedule.posing import Posed, SchedulePriority, posed
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.durations import DurationModel, DurationsLike, as_durations
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Attempts, retry_of
from seqkit.core.terms import Policy, Terms
from seqkit.core.times import TICKS_A_SECOND, seconds_of
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models
from seqkit.ledger import MemoryRunLedger
from seqkit.ledger.given import clock_of
from seqkit.running.clock import VirtualClock
from seqkit.running.executor import run_plan
from seqkit.running.releasers import SimulatedReleaser

__all__ = ["Schedule", "schedule"]

_LEVELS = LEVELS
_CELLS = 4_000_000  # trials times repos whose times are held at once
_LOOKED_AT = 1_000  # trials whose lanes are looked at one by one
_FIRST_ROUND = 4_096


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """When a train is done, over many trials. Made by :func:`schedule`.

    Times are timedeltas from the start, or dates in UTC where `start` was given. Each estimate has a standard error
    ``.se`` and an ``.interval()`` of 95 %. A trial ends when nothing is under way any more, whatever came of it; with
    ``complete=True`` only trials count that released everything.
    """

    plan: SequencePlan
    """What was scheduled."""
    trials: int
    """How many trials there were."""
    seed: int
    """The same seed gives the same numbers."""
    start: datetime | None
    """When the train starts; None where times are counted from there."""
    _posed: Posed = field(repr=False)
    _ends: NDArray[np.int64] = field(repr=False)
    _released: NDArray[np.int32] = field(repr=False)
    _engine: str = field(repr=False)
    _threads: int | None = field(repr=False)

    # ------------------------------------------------------------------ the end

    def makespan(self, complete: bool = False) -> pd.Series[Any]:
        """Give the end of each trial, as a Series over the number of the trial (timedelta64[us], or dates)."""
        which = self._is_complete if complete else np.ones(self.trials, np.bool_)
        ends = self._dates(_timedeltas(self._ends[which]))
        return pd.Series(ends, index=pd.Index(np.flatnonzero(which), name="trial"), name="end")

    def mean(self, complete: bool = False) -> TimeEstimate | DateEstimate:
        """Estimate the mean of the end.

        Raises
        ------
        ValueError
            Where ``complete=True`` and no trial released everything.
        """
        return self._dated(mean_time(self._ends_of(complete), self._posed.certain))

    def quantile(self, q: float, complete: bool = False) -> TimeEstimate | DateEstimate:
        """Estimate by when the train has ended with probability `q`, such as 0.8 for P80.

        Raises
        ------
        ValueError
            Where `q` is not between 0 and 1; where ``complete=True`` and no trial released everything.
        """
        if isinstance(q, bool) or not isinstance(q, int | float | np.floating) or not 0 < q < 1:
            raise ValueError(f"q is {as_given(q, 200)}, expected a probability between 0 and 1, such as 0.8")
        ends = self._ascending[complete]
        if not len(ends):
            raise _never_complete()
        return self._dated(quantile_time(ends, float(q), self._posed.certain))

    def p_done_by(self, t: timedelta | datetime | float, share: float = 1.0) -> Estimate:
        """Estimate the probability that at least this share of the repos is released by a time.

        Parameters
        ----------
        t : timedelta, float or datetime
            A time from the start, in seconds or as a timedelta, or where the schedule has a start a date.
        share : float
            Above 0, at most 1.

        Returns
        -------
        Estimate
            A float with ``.se`` and ``.interval()``, that of Wilson.
        """
        if isinstance(share, bool) or not isinstance(share, int | float | np.floating) or not 0 < share <= 1:
            raise ValueError(f"share is {as_given(share, 200)}, expected a share above 0, at most 1")
        latest = self._ticks(t)
        k = math.ceil(share * self._n - 1e-9)
        if k == self._n:
            done = self._is_complete & (self._ends <= latest)
        else:
            out = self._times_of_release(k)
            done = (out >= 0) & (out <= latest)
        return self._share(done, self._posed.certain)

    @property
    def p_complete(self) -> Estimate:
        """The estimated probability that everything is released, whenever."""
        return self._share(self._is_complete, not self._posed.can_fail)

    # ------------------------------------------------------------------ the plan date and the best possible

    @property
    def plan_date(self) -> timedelta | datetime:
        """When the train would end if nothing failed and each repo took its mean: what a plan usually promises."""
        return self._shown(self._listing.makespan)

    @property
    def p_plan_date(self) -> Estimate:
        """The estimated probability that everything is released by the plan date."""
        return self._share(self._is_complete & (self._ends <= self._listing.makespan), self._posed.certain)

    @property
    def lower_bound(self) -> timedelta | datetime:
        """When the train could end at best at the means, whatever the priorities: no schedule ends before."""
        return self._shown(self._bound)

    @property
    def gap(self) -> float:
        """By which share the plan date may be above the best possible: plan date / lower bound − 1, from the start."""
        return self._listing.makespan / self._bound - 1 if self._bound else 0.0

    @property
    def priorities(self) -> dict[str, float]:
        """Who goes first: repo → number, the higher first, as :func:`seqkit.run_plan` takes it."""
        if isinstance(self._posed.priority, Mapping):
            return {repo: float(number) for repo, number in self._posed.priority.items()}
        ids, ranks = self.plan.arrays.ids, self._posed.ranks
        released = self.plan.arrays.released
        n = len(ids)
        return {
            repo: -ranks[at] if ranks else float(n - at)
            for at, repo in enumerate(ids)
            if released[at]
        }  # fmt: skip

    # ------------------------------------------------------------------ repo by repo

    def to_frame(self) -> pd.DataFrame:
        """Say of each repo when it starts and ends, and how much the end of the train hangs on it.

        Returns
        -------
        DataFrame
            Index `repo_id`, the repos to release in plan order. Columns:

            - `mean_duration` (timedelta64[us]): of an attempt that succeeds.
            - `start_p10`, `start_p50`, `start_p90`, `finish_p10`, `finish_p50`, `finish_p90` (timedelta64[us], or
              dates): quantiles over the trials in which it started, and over those in which it was released; missing
              where there is none.
            - `p_released` (float64): the share of trials in which it was released.
            - `slack` (timedelta64[us]): by how much it may end later without moving the end, at the mean durations and
              by dependencies alone.
            - `criticality`, `se_criticality` (float64): the share of trials in which the end hangs on it, by what let
              what start, a dependency or a freed lane; `criticality_by_dependencies` by dependencies alone.
            - `si`, `ssi`, `cruciality` (float64): the measures of :mod:`seqkit.analysis.schedule.measures`.
        """
        sums = Sums(self._posed.problem)
        quantiles = self._quantiles(sums)
        measures = sums.measures()
        n = self.trials
        critical = measures["criticality"]
        columns: dict[str, Any] = {
            "mean_duration": _timedeltas(self._mean_jobs),
            **{name: self._column(values) for name, values in quantiles.times.items()},
            "p_released": quantiles.released / n,
            "slack": _timedeltas(slack_of(self._posed.problem, self._mean_jobs[None, :])[0]),
            "criticality": critical,
            "se_criticality": np.array([Share(round(p * n), n).se for p in critical]),
            **{name: measures[name] for name in ("criticality_by_dependencies", "si", "ssi", "cruciality")},
        }
        frame = pd.DataFrame(columns)
        frame.index = dtypes.index(list(self._ids), "repo_id")
        return frame

    def gains(self, faster: float = 0.1, trials: int | None = None) -> pd.DataFrame:
        """Say how much sooner the train would end if a repo took less time, repo by repo, under the same draws.

        Parameters
        ----------
        faster : float
            By which share of its time it would be faster, above 0, below 1.
        trials : int, optional
            How many of the trials are run again for each repo; all where None.

        Returns
        -------
        DataFrame
            Index `repo_id`, the largest gain first. Columns `gain` (timedelta64[us], of the mean end; negative where
            the train ends later, which may be: Graham 1969) and `se` (timedelta64[us], paired).
        """
        if isinstance(faster, bool) or not isinstance(faster, int | float) or not 0 < faster < 1:
            raise ValueError(f"faster is {as_given(faster, 200)}, expected a share between 0 and 1, such as 0.1")
        count = self.trials if trials is None else min(self.trials, whole("trials", trials, 2))
        rows = []
        for repo in self._ids:
            problem = self._posed.with_durations(_faster(self._posed.durations, self._ids, repo, 1 - faster))
            with closing(each_end(self._engine, problem, 0, count, self._threads)) as parts:
                ends = np.concatenate([part.end for part in parts])
            saved = self._ends[:count] - ends
            rows.append((float(saved.mean()), float(saved.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan))
        frame = pd.DataFrame(
            {"gain": _timedeltas([gain for gain, _ in rows]), "se": _timedeltas([se for _, se in rows])}
        )
        frame.index = dtypes.index(list(self._ids), "repo_id")
        return frame.sort_values("gain", ascending=False, kind="stable")

    def critical_paths(self, most: int = 10) -> pd.DataFrame:
        """List the chains on which the end most often hangs: what let what start, a dependency or a freed lane.

        Returns
        -------
        DataFrame
            Columns `path` (object: list of repo ids in the order in which they started), `trials` (int64), `share`,
            `se` (float64); the most frequent first.
        """
        shown = whole("most", most, 1)
        with closing(self._details()) as parts:
            chains = counted_chains(parts)
        found = sorted(chains.items(), key=lambda entry: (-entry[1], entry[0]))[:shown]
        shares = [Share(count, self.trials) for _, count in found]
        return pd.DataFrame(
            {
                "path": dtypes.objects([[self._ids[job] for job in chain] for chain, _ in found]),
                "trials": np.array([count for _, count in found], np.int64),
                "share": np.array([float(share) for share in shares]),
                "se": np.array([share.se for share in shares]),
            }
        )

    def lanes(self) -> pd.DataFrame:
        """Say how busy each lane is, over the first thousand trials; a release takes the lowest lane that is free.

        Returns
        -------
        DataFrame
            Index `lane`, from 0, as many as were ever in use. Columns `busy` (float64: the share of the time to the end
            in which it works, on average) and `releases` (float64: attempts a trial).
        """
        busy: list[float] = []
        made: list[int] = []
        count = min(self.trials, _LOOKED_AT)
        for trial in range(count):
            run = run_trial(self._posed.problem, trial)
            for lane, took in in_lanes(self._posed.problem, run):
                if lane == len(busy):
                    busy.append(0.0)
                    made.append(0)
                made[lane] += 1
                busy[lane] += took / run.end if run.end else 0.0
        frame = pd.DataFrame({"busy": np.array(busy) / count, "releases": np.array(made) / count})
        frame.index.name = "lane"
        return frame

    def trial(self, i: int) -> Trial:
        """Run one trial again, as a run with a ledger in virtual time; `plots.timeline(trial.outcome)` draws it.

        It is what :func:`seqkit.run_plan` does with ``SimulatedReleaser(model, rng=seed, trial=i, durations=…)``, the
        same lanes and priorities, on a :class:`seqkit.VirtualClock`: event for event.

        Parameters
        ----------
        i : int
            From 0; negative ones count from the end.
        """
        if isinstance(i, bool) or not hasattr(i, "__index__"):
            raise TypeError(f"i is {as_given(i, 200)}, expected a whole number from 0 to {self.trials - 1}")
        number = int(i) + (self.trials if i < 0 else 0)
        if not 0 <= number < self.trials:
            raise IndexError(f"i is {i}, expected a whole number from 0 to {self.trials - 1}")
        own, clock = self._posed, VirtualClock(self.start)
        outcome = run_plan(
            self.plan,
            SimulatedReleaser(own.model, rng=self.seed, trial=number, durations=own.durations),
            MemoryRunLedger(ids=[f"trial-{number}"], clock=clock),  # the same name each time, in pictures too
            policy=own.terms.policy,
            failure_budget=own.terms.failure_budget,
            attempts=replace(own.retry, when=None),  # of a simulated failure nobody knows more than that it is one
            max_parallel=own.lanes,
            priority=own.priority,
            durations=own.durations,
            min_interval=own.interval,
            clock=clock,
        )
        fails = {*who_fails(self.plan, own.model, own.terms, self.seed, number), *outcome.failures}
        return Trial(tuple(repo for repo in self.plan.released if repo in fails), outcome)

    # ------------------------------------------------------------------ inside

    @property
    def _ids(self) -> tuple[str, ...]:
        return self._posed.problem.ids

    @property
    def _n(self) -> int:
        return self._posed.problem.n

    @cached_property
    def _is_complete(self) -> NDArray[np.bool_]:
        complete: NDArray[np.bool_] = self._released == self._n
        return complete

    @cached_property
    def _listing(self) -> Any:
        return self._posed.at_the_means()

    @cached_property
    def _bound(self) -> int:
        bound: int = self._posed.bound()
        return bound

    @property
    def _mean_jobs(self) -> NDArray[np.int64]:
        return np.array(self._posed.mean_ticks, np.int64)[self._posed.problem.items]

    @cached_property
    def _ascending(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All ends, and those of complete trains, both ascending."""
        return np.sort(self._ends), np.sort(self._ends[self._is_complete])

    def _ends_of(self, complete: bool) -> NDArray[np.int64]:
        ends = self._ends[self._is_complete] if complete else self._ends
        if not len(ends):
            raise _never_complete()
        return ends

    def _share(self, so: NDArray[np.bool_], sure: bool) -> Share:
        return Share(int(so.sum()), self.trials, sure)

    def _details(self, criticality: bool = True) -> Generator[Ends]:
        return each_end(
            self._engine, self._posed.problem, 0, self.trials, self._threads, criticality=criticality, details=True
        )

    @cached_property
    def _kth_releases(self) -> dict[int, NDArray[np.int64]]:
        return {}

    def _times_of_release(self, k: int) -> NDArray[np.int64]:
        """Give when the k-th repo was released, -1 where it never was; kept, as whoever asks once asks for a curve."""
        if k not in self._kth_releases:
            with closing(self._details(criticality=False)) as parts:
                self._kth_releases[k] = np.concatenate([kth_release(part, k) for part in parts])
        return self._kth_releases[k]

    def _quantiles(self, sums: Sums) -> _Quantiles:
        """Work out the quantiles, of so many jobs at once that memory stays flat; what passes by first is summed up."""
        n, width = self._n, max(1, _CELLS // self.trials)
        names = ("start", "finish")
        times = {f"{name}_p{level}": np.full(n, -1, np.int64) for name in names for level in (10, 50, 90)}
        released = np.zeros(n, np.int64)
        for begin in range(0, max(1, n), width):
            jobs = slice(begin, begin + width)
            starts, finishes = [], []
            with closing(self._details(criticality=begin == 0)) as parts:
                for part in parts:
                    if begin == 0:
                        sums.add(part)
                    told = part.details
                    assert told is not None  # noqa: S101  # tells mypy: it was asked for
                    starts.append(np.where(told.status != NOT_STARTED, told.start, -1)[:, jobs])
                    finishes.append(np.where(told.status == RELEASED, told.finish, -1)[:, jobs])
            for name, rows in (("start", np.concatenate(starts)), ("finish", np.concatenate(finishes))):
                for column, values in enumerate(np.sort(rows, axis=0).T, begin):
                    known = values[np.searchsorted(values, 0) :]
                    if name == "finish":
                        released[column] = len(known)
                    for level in (10, 50, 90):
                        if len(known):
                            at = -(-level * len(known) // 100) - 1
                            times[f"{name}_p{level}"][column] = known[at]
        return _Quantiles(times, released)

    def _column(self, ticks: NDArray[np.int64]) -> Any:
        times = _timedeltas(ticks)
        return self._dates(times.where(ticks >= 0))

    def _dates(self, times: Any) -> Any:
        return times if self.start is None else pd.Timestamp(self.start).as_unit("us") + times

    def _ticks(self, t: Any) -> int:
        """Count the whole ticks up to a time."""
        if isinstance(t, datetime):
            if self.start is None:
                raise ValueError("t is a date, and the schedule has no start: give it one, or t as a timedelta")
            return (_date(t, "t") - self.start) // timedelta(milliseconds=1)
        return round(seconds_of(t, "t") * 1_000_000) * TICKS_A_SECOND // 1_000_000

    def _shown(self, ticks: int) -> timedelta | datetime:
        time = timedelta(milliseconds=ticks)
        return time if self.start is None else self.start + time

    def _dated(self, time: TimeEstimate) -> TimeEstimate | DateEstimate:
        if self.start is None:
            return time
        longest = datetime.max.replace(tzinfo=self.start.tzinfo) - self.start
        low, high = (self.start + min(end, longest) for end in (time.low, time.high))
        return DateEstimate.of(self.start + time, time.se, low, high, time.exact)

    def _setting(self) -> str:
        lanes = "no limit of lanes" if self._posed.lanes is None else plural(self._posed.lanes, "lane")
        return f"{lanes}, {self.trials:,} trials, {self._posed.terms}, seed {self.seed}"

    def __repr__(self) -> str:
        return (
            f"Schedule({plural(self._n, 'repo')}: P50 {self.quantile(0.5)!r}, P80 {self.quantile(0.8)!r}; "
            f"everything is released with {self.p_complete}; {self._setting()})"
        )

    def _repr_html_(self) -> str:
        rows = [("it ends, whatever came of it", *self._row(False))]
        if self._is_complete.any():
            rows.append(("trains that released everything", *self._row(True)))
        columns = ["", "mean", *(f"P{level * 100:.0f}" for level in _LEVELS)]
        best = f"it is at most {self.gap:.1%} from the best possible" if self.gap else "no schedule ends sooner"
        planned = self.plan_date
        told = time_text(planned) if isinstance(planned, timedelta) else f"{planned:%Y-%m-%d %H:%M}"
        facts = [
            ("everything is released", self.p_complete),
            (f"it is by the plan date, {told}", self.p_plan_date),
        ]
        note = f"The plan date is that of a train in which nothing fails and each repo takes its mean; {best}."
        parts = rows_of(columns, rows), rows_of(["", "probability"], facts)
        return page(f"Schedule of {plural(self._n, 'repo')}: {self._setting()}", *parts, note=note)

    def _row(self, complete: bool) -> list[str]:
        return [repr(self.mean(complete)), *(repr(self.quantile(level, complete)) for level in _LEVELS)]


@dataclass(frozen=True)
class _Quantiles:
    times: dict[str, NDArray[np.int64]]
    released: NDArray[np.int64]


def schedule(
    plan: PlanLike,
    durations: DurationsLike,
    max_parallel: int | None = None,
    model: ModelLike = 0.0,
    attempts: Attempts = 1,
    policy: Policy = "skip_dependents",
    failure_budget: int | None = None,
    priority: SchedulePriority | None = None,
    min_interval: float = 0.0,
    start: datetime | None = None,
    until: float | timedelta | None = None,
    trials: int = 10_000,
    rng: Seed | None = None,
    engine: ScheduleEngine = "auto",
    executor: Executor | int | None = None,
) -> Schedule:
    """Say when a train will be done: many trials of it, in lanes, with durations and failures drawn.

    Each trial follows the rules that :func:`seqkit.run_plan` follows, with the same draws: :meth:`Schedule.trial` is
    such a run, event for event.

    Parameters
    ----------
    plan : SequencePlan
        What is released.
    durations : float, timedelta, mapping, Series or DurationModel
        How long attempts take: seconds or timedeltas that are always the same, or a :class:`seqkit.DurationModel`.
    max_parallel : int, optional
        How many releases at once, the lanes; None for no limit.
    model : float, mapping, Series or FailureModel
        How likely an attempt fails. A failed one takes as long as others, where the durations say nothing else.
    attempts, policy, failure_budget, min_interval
        As in :func:`seqkit.run_plan`; a :class:`seqkit.Retry` also says how long to wait, its `when` is not asked.
    priority : {"plan", "most_blocked", "longest_path", "search"} or mapping, optional
        Who starts first of those that may; None is plan order at one lane and the longest path at more, as in a run.
        ``"search"`` looks for priorities that end sooner at the mean durations (:attr:`Schedule.priorities`).
    start : datetime, optional
        When the train starts, an aware datetime; results are then dates, in UTC.
    until : float or timedelta, optional
        Run until the standard error of the mean end is below so many seconds, 4,096 trials at least; `trials` is then
        not looked at.
    trials : int
        How many trials.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from; trial i draws what trial i of :func:`seqkit.simulate` draws.
    engine : {"auto", "python", "numpy", "numba"}
        Who follows the trials: the numbers are the same. numpy only where nothing but dependencies keeps a repo from
        starting.
    executor : Executor or int, optional
        Where to run: as in :func:`seqkit.simulate`.

    Warns
    -----
    UnknownRepo
        Where names in `model`, `durations` or `priority` look like slips.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range; where a repo to release has no duration.
    ImportError
        Where ``engine="numba"`` and numba is not installed.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from seqkit import DurationModel, RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> times = DurationModel({"core": 600, "api": 1200, "docs": 300}, sigma=0.4)
    >>> train = schedule(plan, times, max_parallel=2, model=0.02, rng=7)
    >>> train.quantile(0.8), train.p_done_by(timedelta(minutes=30))
    (40 min (40 min to 40 min), 0.4297 ± 0.0049)
    >>> train.to_frame()[["criticality", "p_released"]].round(2)
             criticality  p_released
    repo_id
    core            1.00        0.98
    api             0.97        0.96
    docs            0.01        0.96
    """
    plan = as_plan(plan)
    read, takes = as_model(model), as_durations(durations)
    terms = Terms(policy, failure_budget, attempts)  # type: ignore[arg-type]  # of a Retry it keeps the number
    count = whole("trials", trials, 1, MAX_TRIALS)
    precision = None if until is None else seconds_of(until, "until") * TICKS_A_SECOND
    if precision == 0:
        raise ValueError("until is 0, which no number of trials reaches: expected seconds above 0")
    begins = None if start is None else _date(start, "start")
    seed = resolve_seed(rng)
    check_models([plan], model=read)
    what = posed(plan, takes, read, terms, retry_of(attempts), seed, max_parallel, priority, min_interval)
    chosen_one = chosen(engine, what.problem, _FIRST_ROUND if precision is not None else count)
    run = functools.partial(_followed, chosen_one, what, executor=executor)
    parts = run(0, count if precision is None else _FIRST_ROUND)
    while precision is not None and (more := _needed(np.concatenate([part.end for part in parts]), precision)):
        done = sum(len(part.end) for part in parts)
        parts += run(done, done + more)
    ends = np.concatenate([part.end for part in parts])
    released = np.concatenate([part.n_released for part in parts])
    for array in (ends, released):
        array.flags.writeable = False
    foreign = executor is None or callable(getattr(executor, "submit", None))
    # Somebody else's executor may be shut down by the time that more is asked.
    threads = None if foreign else executor
    return Schedule(plan, len(ends), seed, begins, what, ends, released, chosen_one, threads)  # type: ignore[arg-type]


def _followed(engine: str, what: Posed, begin: int, end: int, executor: Executor | int | None) -> list[Ends]:
    with closing(each_end(engine, what.problem, begin, end, executor)) as parts:
        return list(parts)


def _needed(ends: NDArray[np.int64], precision: float) -> int:
    """Say how many trials more bring the standard error below the precision, the variance being what it seems."""
    n = len(ends)
    error = float(ends.std(ddof=1)) / math.sqrt(n)
    if error < precision:
        return 0
    all_in_all = 1.05 * n * (error / precision) ** 2
    if all_in_all > MAX_TRIALS:
        raise ValueError(
            f"until is {precision / TICKS_A_SECOND:g}, which takes more than {MAX_TRIALS} trials: expected more seconds"
        )
    return min(max(int(all_in_all) - n, 1_024), 7 * n)


def _date(value: Any, argument: str) -> datetime:
    """Read an argument that is a date, as what a clock tells: in UTC."""
    try:
        return clock_of(lambda: value)()
    except (TypeError, ValueError) as error:
        kind = f" ({type(value).__name__})" if isinstance(error, TypeError) else ""
        expected = "expected an aware datetime, such as datetime.now(UTC)"
        raise type(error)(f"{argument} is {value!r:.80}{kind}, {expected}") from None


def _never_complete() -> ValueError:
    return ValueError("complete is True, and no trial released everything: .p_complete tells how likely that is")


def _timedeltas(ticks: Any) -> pd.TimedeltaIndex:
    """Make times of ticks, to the microsecond; further than nanoseconds reach."""
    told = np.asarray(ticks, np.float64) * (1_000_000 // TICKS_A_SECOND)
    known = np.isfinite(told)
    times = np.rint(np.where(known, told, 0)).astype("timedelta64[us]")
    return pd.TimedeltaIndex(np.where(known, times, np.timedelta64("NaT", "us")))


def _faster(durations: DurationModel, ids: tuple[str, ...], repo: str, factor: float) -> DurationModel:
    """Give durations of which one repo's are so many times as long."""
    own: Any = durations.medians
    medians = dict(own) if isinstance(own, Mapping) else dict.fromkeys(ids, own)
    samples = dict(durations.samples)
    if repo in samples:
        samples[repo] = tuple(float(time) * factor for time in samples[repo])  # type: ignore[arg-type]
    else:
        medians[repo] = factor * float(medians.get(repo, durations.default))  # type: ignore[arg-type]
    failed: Any = durations.failed
    if failed is not None and failed.knows(repo):
        failed = _faster(failed, ids, repo, factor)
    return DurationModel(medians, durations.sigma, durations.default, failed, samples)
