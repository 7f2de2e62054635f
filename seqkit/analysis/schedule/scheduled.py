"""A schedule: what the trials of a train say about when it will be done."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._show.html import page, rows_of
from seqkit._util.arguments import share_of, whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.estimate import Estimate, Share
from seqkit.analysis.montecarlo.trial import Trial, who_fails
from seqkit.analysis.schedule.moments import LEVELS, DateEstimate, TimeEstimate, mean_time, quantile_time, time_text
from seqkit.analysis.schedule.problem import LATEST
from seqkit.analysis.schedule.repos import critical_paths, gains, lanes_frame, repos_frame
from seqkit.analysis.schedule.since import Since, timedeltas
from seqkit.analysis.schedule.trials import ScheduleTrials
from seqkit.core.calendar import Freeze, windows_of
from seqkit.core.plan import SequencePlan
from seqkit.ledger import MemoryRunLedger
from seqkit.running.clock import VirtualClock
from seqkit.running.executor import run_plan
from seqkit.running.releasers import SimulatedReleaser

__all__ = ["Schedule"]


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
    calendar: tuple[Freeze, ...]
    """The windows in which nothing starts."""
    _trials: ScheduleTrials = field(repr=False)

    # ------------------------------------------------------------------ the end

    def makespan(self, complete: bool = False) -> pd.Series[Any]:
        """Give the end of each trial, as a Series over the number of the trial (timedelta64[us], or dates)."""
        told = self._trials
        which = told.is_complete if complete else np.ones(self.trials, np.bool_)
        ends = self._since.dates(timedeltas(told.ends[which]))
        return pd.Series(ends, index=pd.Index(np.flatnonzero(which), name="trial"), name="end")

    def mean(self, complete: bool = False) -> TimeEstimate | DateEstimate:
        """Estimate the mean of the end.

        Raises
        ------
        ValueError
            Where ``complete=True`` and no trial released everything.
        """
        told = self._trials
        ends = told.ends[told.is_complete] if complete else told.ends
        return self._since.estimated(mean_time(_some(ends), told.posed.certain))

    def quantile(self, q: float, complete: bool = False) -> TimeEstimate | DateEstimate:
        """Estimate by when the train has ended with probability `q`, such as 0.8 for P80.

        Raises
        ------
        ValueError
            Where `q` is not between 0 and 1; where ``complete=True`` and no trial released everything.
        """
        level = share_of("q", q, 0.8, "probability")
        ends = _some(self._trials.ascending[complete])
        return self._since.estimated(quantile_time(ends, level, self._trials.posed.certain))

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
        latest = self._since.ticks(t, "t")
        told, n = self._trials, self._trials.problem.n
        k = math.ceil(share * n - 1e-9)
        if k == n:
            done = told.is_complete & (told.ends <= latest)
        else:
            out = told.times_of_release(k)
            done = (out >= 0) & (out <= latest)
        return self._share(done, told.posed.certain)

    @property
    def p_complete(self) -> Estimate:
        """The estimated probability that everything is released, whenever."""
        return self._share(self._trials.is_complete, not self._trials.posed.can_fail)

    # ------------------------------------------------------------------ the plan date and the best possible

    @property
    def plan_date(self) -> timedelta | datetime:
        """When the train would end if nothing failed and each repo took its mean: what a plan usually promises."""
        return self._since.shown(self._trials.listing.makespan)

    @property
    def p_plan_date(self) -> Estimate:
        """The estimated probability that everything is released by the plan date."""
        told = self._trials
        return self._share(told.is_complete & (told.ends <= told.listing.makespan), told.posed.certain)

    @property
    def lower_bound(self) -> timedelta | datetime:
        """When the train could end at best at the means, whatever the priorities: no schedule ends before."""
        return self._since.shown(self._trials.bound)

    @property
    def gap(self) -> float:
        """By which share the plan date may be above the best possible: plan date / lower bound − 1, from the start."""
        told = self._trials
        return told.listing.makespan / told.bound - 1 if told.bound else 0.0

    @property
    def priorities(self) -> dict[str, float]:
        """Who goes first: repo → number, the higher first, as :func:`seqkit.run_plan` takes it."""
        return self._trials.posed.priorities

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
        return repos_frame(self._trials, self._since)

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
        by = share_of("faster", faster, 0.1)
        count = self.trials if trials is None else min(self.trials, whole("trials", trials, 2))
        return gains(self._trials, by, count)

    def critical_paths(self, most: int = 10) -> pd.DataFrame:
        """List the chains on which the end most often hangs: what let what start, a dependency or a freed lane.

        Returns
        -------
        DataFrame
            Columns `path` (object: list of repo ids in the order in which they started), `trials` (int64), `share`,
            `se` (float64); the most frequent first.
        """
        return critical_paths(self._trials, whole("most", most, 1))

    def lanes(self) -> pd.DataFrame:
        """Say how busy each lane is, over the first thousand trials; a release takes the lowest lane that is free.

        Returns
        -------
        DataFrame
            Index `lane`, from 0, as many as were ever in use. Columns `busy` (float64: the share of the time to the end
            in which it works, on average) and `releases` (float64: attempts a trial).
        """
        return lanes_frame(self._trials)

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
        own, clock = self._trials.posed, VirtualClock(self.start)
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
            calendar=self._dated_calendar(clock()),
            clock=clock,
        )
        fails = {*who_fails(self.plan, own.model, own.terms, self.seed, number), *outcome.failures}
        return Trial(tuple(repo for repo in self.plan.released if repo in fails), outcome)

    # ------------------------------------------------------------------ inside

    def _dated_calendar(self, start: datetime) -> list[Freeze]:
        """Give the windows as dates, to the tick, as a trial from this start goes by them."""
        tick = timedelta(milliseconds=1)
        return [
            Freeze(start + begin * tick, start + min(end, LATEST) * tick, freeze.name, (begin - close) * tick)
            for freeze, (close, begin, end) in zip(self.calendar, windows_of(self.calendar, self.start), strict=True)
            if begin < LATEST
        ]

    @property
    def _since(self) -> Since:
        return Since(self.start)

    def _share(self, so: NDArray[np.bool_], sure: bool) -> Share:
        return Share(int(so.sum()), self.trials, sure)

    def _setting(self) -> str:
        limit = self._trials.posed.lanes
        lanes = "no limit of lanes" if limit is None else plural(limit, "lane")
        return f"{lanes}, {self.trials:,} trials, {self._trials.posed.terms}, seed {self.seed}"

    def __repr__(self) -> str:
        return (
            f"Schedule({plural(self._trials.problem.n, 'repo')}: "
            f"P50 {self.quantile(0.5)!r}, P80 {self.quantile(0.8)!r}; "
            f"everything is released with {self.p_complete}; {self._setting()})"
        )

    def _repr_html_(self) -> str:
        rows = [("it ends, whatever came of it", *self._row(False))]
        if self._trials.is_complete.any():
            rows.append(("trains that released everything", *self._row(True)))
        columns = ["", "mean", *(f"P{level * 100:.0f}" for level in LEVELS)]
        best = f"it is at most {self.gap:.1%} from the best possible" if self.gap else "no schedule ends sooner"
        planned = self.plan_date
        told = time_text(planned) if isinstance(planned, timedelta) else f"{planned:%Y-%m-%d %H:%M}"
        facts = [
            ("everything is released", self.p_complete),
            (f"it is by the plan date, {told}", self.p_plan_date),
        ]
        note = f"The plan date is that of a train in which nothing fails and each repo takes its mean; {best}."
        parts = rows_of(columns, rows), rows_of(["", "probability"], facts)
        return page(f"Schedule of {plural(self._trials.problem.n, 'repo')}: {self._setting()}", *parts, note=note)

    def _row(self, complete: bool) -> list[str]:
        return [repr(self.mean(complete)), *(repr(self.quantile(level, complete)) for level in LEVELS)]


def _some(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(ends):
        raise ValueError("complete is True, and no trial released everything: .p_complete tells how likely that is")
    return ends
