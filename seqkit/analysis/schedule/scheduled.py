"""A schedule: what the trials of a train say about when it will be done."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._util.arguments import share_of, whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.estimate import Estimate, Share
from seqkit.analysis.montecarlo.trial import Trial
from seqkit.analysis.schedule.executing import executed
from seqkit.analysis.schedule.freezing import cut_frame, freezes_frame, last_safe_start
from seqkit.analysis.schedule.moments import DateEstimate, TimeEstimate, mean_time, quantile_time, when
from seqkit.analysis.schedule.repos import critical_paths, gains, lanes_frame, repos_frame
from seqkit.analysis.schedule.showing import ShownFacts, told_in_html, told_in_words
from seqkit.analysis.schedule.since import Since, timedeltas
from seqkit.analysis.schedule.trials import ScheduleTrials
from seqkit.core.calendar import Freeze, Window, windows_of
from seqkit.core.plan import SequencePlan

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
        which = self._trials.is_complete if complete else np.ones(self.trials, np.bool_)
        ends = self._since.dates(timedeltas(self._trials.ends[which]))
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
        """Estimate by when the train has *ended* with probability `q`, such as 0.8 for P80, whatever it came to.

        A train that something held up ends early and leaves repos behind. Whoever promises that everything is out asks
        :meth:`p_done_by`: where only 67 % of the trains release everything, no date is met with 80 %.

        Parameters
        ----------
        q : float
            A probability, between 0 and 1.
        complete : bool
            Whether to look at those trains alone that released everything: the date is then met with `q` of those.

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
            done = told.done_by(latest)
        else:
            out = told.times_of_release(k)
            done = (out >= 0) & (out <= latest)
        return told.share(done)

    @property
    def p_complete(self) -> Estimate:
        """The estimated probability that everything is released, whenever."""
        return Share(int(self._trials.is_complete.sum()), self.trials, not self._trials.posed.can_fail)

    # ------------------------------------------------------------------ the plan date and the best possible

    @property
    def plan_date(self) -> timedelta | datetime:
        """When the train would end if nothing failed and each repo took its mean: what a plan usually promises."""
        return self._since.shown(self._trials.listing.makespan)

    @property
    def p_plan_date(self) -> Estimate:
        """The estimated probability that everything is released by the plan date."""
        told = self._trials
        return told.share(told.done_by(told.listing.makespan))

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

    # ------------------------------------------------------------------ freezes

    def freezes(self) -> pd.DataFrame:
        """Say of each freeze how far the train is as it begins.

        Returns
        -------
        DataFrame
            Index `freeze`, the number of each in :attr:`calendar`, from 0. Columns:

            - `name` (string), `start`, `end` (timedelta64[us], or dates).
            - `p_done`, `se_p_done` (float64): the share of trials in which everything is released as it begins.
            - `p_under_way`, `se_p_under_way` (float64): the share in which some repo is under way then: an attempt
              runs, or a repo waits to be tried again. A `lead` makes it small.
            - `released`, `se_released`, `left` (float64): how many repos are released by then on average, and are not.
            - `cut_wave` (Int64): the wave in which most often the first repo is left; missing where none ever is.
        """
        return freezes_frame(self._trials, self._since, self.calendar, self._windows)

    def cut(self, freeze: int | str = 0) -> pd.DataFrame:
        """Say where a freeze would cut the train.

        Parameters
        ----------
        freeze : int or str
            Which: its number in :attr:`calendar`, from 0, or its name.

        Returns
        -------
        DataFrame
            Index `repo_id`, the repos to release in plan order. Columns `wave` (Int64); `p_released`, `se_p_released`
            (float64), the share of trials in which it is released as the freeze begins; `p_first_left`,
            `se_p_first_left` (float64), the share in which it is not, and all that it needs is: there the cut goes.

        Raises
        ------
        ValueError
            Where there is no such freeze.
        """
        return cut_frame(self._trials, self._windows[self._which(freeze)].begin)

    def last_safe_start(self, freeze: int | str = 0, level: float = 0.9) -> timedelta | datetime | None:
        """Say when the train may start at the latest to be done before a freeze with some probability.

        Under the same draws, and to the second. Where no other freeze comes before that one, and it has no lead, that
        is the quantile of how long the train takes before the freeze begins. Else starts are tried by halving the time
        from the first freeze or its lead on, down to a second: that takes for granted that who starts sooner is done
        sooner, which no limit of lanes makes sure (Graham's anomalies may make an even later start do, seldom and by
        little).

        Parameters
        ----------
        freeze : int or str
            Which: its number in :attr:`calendar`, from 0, or its name.
        level : float
            The probability that everything is released as it begins.

        Returns
        -------
        timedelta, datetime or None
            A date where the schedule has a start. Else from the start that the calendar counts from: how much later
            the train may start, or where it is negative how much sooner it has to. None where no start does, as
            everything is released with less than that probability, whenever.

        Raises
        ------
        ValueError
            Where there is no such freeze, or `level` is not between 0 and 1.

        Examples
        --------
        >>> import seqkit
        >>> plan = seqkit.build_plan(seqkit.RepoDependencyGraph.from_edges([("core", "api")]), version="1")
        >>> seqkit.schedule(plan, 600, calendar=seqkit.Freeze(3_000, 9_000), rng=1, trials=100).last_safe_start()
        datetime.timedelta(seconds=1800)
        """
        probability = share_of("level", level, 0.9, "probability")
        later = last_safe_start(self._trials, self._windows, self._which(freeze), probability)
        return None if later is None else self._since.shown(later)

    def _which(self, freeze: Any) -> int:
        names = [each.name for each in self.calendar]
        if isinstance(freeze, str) and freeze in names:
            return names.index(freeze)
        if isinstance(freeze, int) and not isinstance(freeze, bool) and 0 <= freeze < len(names):
            return freeze
        known = "calendar has no freeze" if not names else f"expected one of 0 to {len(names) - 1}, or of {names}"
        raise ValueError(f"freeze is {as_given(freeze, 200)}, {known:.200}")

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
              what start, a dependency or a freed lane; what came before a freeze that was in the way does not count.
            - `criticality_by_dependencies` (float64): the same by dependencies alone, whatever the freezes.
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

        Notes
        -----
        Each repo costs as much as a schedule of so many trials; a bar on stderr tells how far it is.
        """
        by = share_of("faster", faster, 0.1)
        count = self.trials if trials is None else min(self.trials, whole("trials", trials, 2))
        return gains(self._trials, by, count)

    def critical_paths(self, most: int = 10) -> pd.DataFrame:
        """List the chains on which the end most often hangs: what let what start, a dependency or a freed lane.

        A chain begins after the last freeze that was in its way.

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
        return executed(self._trials.posed, number, self.start, self.calendar)

    # ------------------------------------------------------------------ inside

    @property
    def _windows(self) -> list[Window]:
        return windows_of(self.calendar, self.start)

    @property
    def _since(self) -> Since:
        return Since(self.start)

    def __repr__(self) -> str:
        return told_in_words(self, self._shown_facts())

    def _repr_html_(self) -> str:
        return told_in_html(self, self._shown_facts())

    def _shown_facts(self) -> ShownFacts:
        limit, terms = self._trials.posed.lanes, self._trials.posed.terms
        lanes = "no limit of lanes" if limit is None else plural(limit, "lane")
        return ShownFacts(
            setting=f"{lanes}, {self.trials:,} trials, {terms}, seed {self.seed}",
            before=[
                (freeze.name or f"at {when(self._since.shown(window.begin))}", self._trials.share(done))
                for freeze, window in zip(self.calendar, self._windows, strict=True)
                if window.begin > 0
                for done in [self._trials.done_by(window.begin)]
            ],
        )


def _some(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(ends):
        raise ValueError("complete is True, and no trial released everything: .p_complete tells how likely that is")
    return ends
