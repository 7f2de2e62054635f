"""When a run that is under way will end, from what its ledger tells by now."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._show.html import page, rows_of, shortened
from seqkit._util import dtypes
from seqkit._util.arguments import share_of, whole
from seqkit._util.secrets import as_given
from seqkit._util.words import and_more, listed
from seqkit.analysis.estimate import Estimate, Share
from seqkit.analysis.montecarlo.driver import each_part
from seqkit.analysis.schedule.conditioned import Conditioned
from seqkit.analysis.schedule.ends import RELEASED
from seqkit.analysis.schedule.midway import Course, stand
from seqkit.analysis.schedule.moments import LEVELS, DateEstimate, mean_time, quantile_time, rank_of
from seqkit.analysis.schedule.problem import ScheduleProblem, pose
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.durations import DurationModel, DurationsLike, as_durations
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.model import RunEvent
from seqkit.core.plan import SequencePlan
from seqkit.core.times import moment_of
from seqkit.core.unknown import check_durations, check_models
from seqkit.ledger import LedgerLike
from seqkit.ledger.copies import counted
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Story, plan_of_run, tag_of
from seqkit.running.lanes import ranks_of

__all__ = ["Eta", "eta", "eta_of_events"]

_STATES = ("in_progress", "waiting", "pending")
_PER_SECOND = 1e5  # trials times repos that are left, of one thread; only to size parts
_A_TRIAL = 3  # what is done once a trial takes as long as so many repos
_SHOWN = 3  # repos that run too long, in a repr
_SOON = timedelta(minutes=10)  # what ends sooner is told to the second


@dataclass(frozen=True, eq=False, repr=False)
class Eta:
    """When a run will end, as of a moment. Made by :func:`eta`.

    The end is that of the run, whatever it comes to: the last thing under way has ended. Times are dates in UTC; each
    estimate has a standard error ``.se`` and an ``.interval()`` of 95 %.
    """

    plan: SequencePlan
    """What the run is to do."""
    trials: int
    """How many trials there were; 0 where the run has ended."""
    seed: int
    """The same seed gives the same numbers."""
    now: datetime
    """As of when it is told."""
    running: tuple[str, ...]
    """The repos with an attempt under way, in plan order."""
    waiting: tuple[str, ...]
    """Those that wait to be tried again."""
    left: tuple[str, ...]
    """Those that have not been tried, and may be."""
    overdue: tuple[str, ...]
    """Of those that are running: those that have been for longer than any attempt takes that succeeds."""
    _began: datetime = field(repr=False)  # of a run that has ended: its end
    _ends: NDArray[np.int64] = field(repr=False)  # ticks from there
    _released: NDArray[np.int64] = field(repr=False)
    _trials: Conditioned | None = field(repr=False)

    @property
    def over(self) -> bool:
        """Whether the run has ended by then, so that its end is known."""
        return self._trials is None

    @property
    def mean(self) -> DateEstimate:
        """The estimated mean of the end."""
        return mean_time(self._ends, exact=self._trials is None).after(self._began)

    def quantile(self, q: float) -> DateEstimate:
        """Estimate by when the run has ended with probability `q`, such as 0.8 for P80.

        Raises
        ------
        ValueError
            Where `q` is not between 0 and 1.
        """
        level = share_of("q", q, 0.8, "probability")
        return quantile_time(np.sort(self._ends), level, exact=self._trials is None).after(self._began)

    def p_done_by(self, t: datetime) -> Estimate:
        """Estimate the probability that the run has ended by a date, whatever it comes to.

        Raises
        ------
        TypeError, ValueError
            Where `t` is no aware datetime.
        """
        latest = (moment_of(t, "t is") - self._began) // timedelta(milliseconds=1)
        if self._trials is None:
            return Estimate(float(self._ends[0] <= latest), se=0.0)
        return Share(int((self._ends <= latest).sum()), self.trials)

    @property
    def p_complete(self) -> Estimate:
        """The estimated probability that the run releases everything."""
        n = len(self.plan.released)
        if self._trials is None:
            return Estimate(float(self._released[0] == n), se=0.0)
        return Share(int((self._released == n).sum()), self.trials)

    def to_frame(self) -> pd.DataFrame:
        """Say of each repo that is still open when it will end.

        Returns
        -------
        DataFrame
            Index `repo_id`, those that are running, waiting to be tried again, or not tried and not skipped, in plan
            order. Columns:

            - `status` (ordered categorical): in_progress, waiting (to be tried again) or pending.
            - `attempt` (Int64): which attempt is under way or comes next.
            - `since` (datetime64[us, UTC]): since when the attempt has been under way, missing where none is.
            - `overdue` (boolean): whether that is longer than any attempt takes that succeeds.
            - `p_released` (float64): the share of trials in which it is released.
            - `p50`, `p80` (datetime64[us, UTC]): quantiles of when it is, over those trials; missing where there are
              none.
        """
        jobs, finishes = self._finishes()
        at = None if self._trials is None else self._trials.at
        ids = () if self._trials is None else self._trials.problem.ids
        since = [None if at is None else at.running.get(job) for job in jobs]
        states = [
            "in_progress" if begun is not None else "waiting" if at is not None and job in at.waiting else "pending"
            for job, begun in zip(jobs, since, strict=True)
        ]
        known = [np.sort(row[row >= 0]) for row in finishes]
        frame = dtypes.frame(
            {
                "status": dtypes.categorical(states, _STATES),
                "attempt": dtypes.integer([None if at is None else at.number[job] for job in jobs]),
                "since": dtypes.utc([None if begun is None else self._date(begun) for begun in since]),
                "overdue": dtypes.boolean([ids[job] in self.overdue for job in jobs]),
                "p_released": np.array([len(times) / self.trials for times in known], np.float64),
                **{
                    f"p{level}": dtypes.utc([self._quantile_of(times, level / 100) for times in known])
                    for level in (50, 80)
                },
            }
        )
        frame.index = dtypes.index([ids[job] for job in jobs])
        return frame

    # ------------------------------------------------------------------ inside

    def _finishes(self) -> tuple[list[int], NDArray[np.int64]]:
        """Follow the trials once more: give who is open, and when each is released in each trial, or -1."""
        if self._trials is None:
            return [], np.empty((0, 0), np.int64)
        open_ = {*self.running, *self.waiting, *self.left}
        jobs = [job for job, repo in enumerate(self._trials.problem.ids) if repo in open_]
        # In this thread: somebody else's executor may be shut down by now.
        with closing(_each_part(self._trials, self.trials, jobs, 1, "scheduling")) as parts:
            return jobs, np.concatenate([finishes for _, _, finishes in parts], axis=1)

    def _date(self, ticks: int | None) -> datetime | None:
        if ticks is None:
            return None
        return self._began + min(timedelta(milliseconds=ticks), _LAST - self._began)

    def _quantile_of(self, ascending: NDArray[np.int64], level: float) -> datetime | None:
        return self._date(int(ascending[rank_of(level, len(ascending))])) if len(ascending) else None

    @property
    def told(self) -> str:
        """When it will end, in words, such as "about 14:32, with 80 % before 15:10 UTC"."""
        ascending = np.sort(self._ends)  # no intervals: scipy takes a second to import
        middle, late = (self._quantile_of(ascending, level) for level in (0.5, 0.8))
        assert middle is not None and late is not None  # noqa: S101, PT018  # tells mypy: there is a trial
        clock = "%H:%M:%S" if not self.over and late < self.now + _SOON else "%H:%M"
        day = "" if self.now.date() == late.date() and not self.over else "%Y-%m-%d "
        if self.over:
            return f"ended {middle:{day}{clock}} UTC"
        return f"about {middle:{day}{clock}}, with 80 % before {late:{day}{clock}} UTC"

    def _counts(self) -> str:
        named = [(len(self.running), "running"), (len(self.waiting), "to be tried again"), (len(self.left), "left")]
        counts = ", ".join(f"{count} {word}" for count, word in named if count)
        late = f"; longer than ever: {listed(self.overdue[:_SHOWN], _SHOWN, _short)}" if self.overdue else ""
        return f"{counts or 'nothing left'}{late}{and_more(len(self.overdue) - _SHOWN)}"

    def __repr__(self) -> str:
        return f"Eta({self.told})" if self.over else f"Eta({self.told}; {self._counts()})"

    def _repr_html_(self) -> str:
        if self.over:
            return page(f"The run {self.told}")
        rows = [(repr(self.mean), *(repr(self.quantile(level)) for level in LEVELS))]
        columns = ["mean", *(f"P{level * 100:.0f}" for level in LEVELS)]
        note = (
            f"as of {self.now:%Y-%m-%d %H:%M:%S} UTC: {self._counts()}; everything is released with probability "
            f"{self.p_complete}; {self.trials:,} trials, seed {self.seed}"
        )
        return page(f"The run ends {self.told}", rows_of(columns, rows), note=note)


def eta(
    ledger: LedgerLike,
    run_id: str,
    durations: DurationsLike,
    model: ModelLike = 0.0,
    now: datetime | None = None,
    trials: int = 10_000,
    rng: Seed | None = None,
    executor: Executor | int | None = None,
) -> Eta:
    """Say when a run that is under way will end, from what its ledger tells: many trials of what is left of it.

    What is done is done, and what failed for good blocks what the run's policy says. Lanes, priority, interval,
    calendar, attempts, waits, policy and budget are those of the run, as its plan tag has them. What is running ends no
    sooner than now: its time is drawn from those that its law has beyond the time so far. Whether it fails is drawn
    given that time too, where failed attempts take longer or shorter. A repo that has failed m times is broken with the
    probability b / (b + (1 − b) f^m) (see :class:`seqkit.FailureModel`), a common cause with a member that was
    released did not strike where it would have failed each try, and others strike with their probability given what
    the run tells.

    What has been running for longer than its law ever takes may end at any moment: nothing is known of how long that
    will be, and the trials let it end now, so that the estimate is the soonest that can be. It is in ``.overdue``.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the run is kept; it may be written to meanwhile.
    run_id : str
        The run: its id, the start of it (four characters or more) or ``"last"``. One that has ended gives its own end,
        exactly. One whose process is gone, and that nobody has closed, cannot be told from one that is running.
    durations : float, timedelta, mapping, Series or DurationModel
        How long attempts take, of each repo to release.
    model : float, mapping, Series or FailureModel
        How likely an attempt fails.
    now : datetime, optional
        As of when; what the ledger tells of later is not looked at. None is the time of the last event.
    trials : int
        How many trials: 10,000 of 75 repos take a few seconds.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from. What the run tells nothing of is drawn as in :func:`seqkit.schedule`.
    executor : Executor or int, optional
        Where to run, as in :func:`seqkit.simulate`; the numbers are the same. None runs here: the trials are followed
        in plain Python, which processes make faster and threads do not.

    Raises
    ------
    RunNotFound
        Where the ledger has no such run.
    TypeError, ValueError
        Where an argument is not of its kind or out of its range; where the run carries no plan, or `now` is before its
        start; where a repo to release has no duration.
    RuntimeError
        Where the executor has been shut down, or has lost a worker for good (``BrokenExecutor``).

    Warns
    -----
    UnknownRepo
        Where the model or the durations name a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    The trials are followed in plain Python, each from where the run stands: O(trials · repos · log repos). Of a second
    attempt no event tells when it started, where it had to wait for a lane: it is told by the lanes that were free.

    Not looked at are a `timeout` (give durations that are cut by it), a `deadline` and `when` of a retry and the
    durations that a run's priority ``"longest_path"`` may have been given: it goes by the means of `durations` here. A
    repo whose failed attempt goes on though asked to stop keeps its lane to the end; where all lanes are taken so, the
    run ends now, give or take its grace.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, SimulatedReleaser, VirtualClock, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1")
    >>> times = DurationModel({"core": 600, "api": 1200, "app": 300}, sigma=0.4)
    >>> clock = VirtualClock(datetime(2026, 1, 2, 14, 0, tzinfo=UTC))
    >>> outcome = run_plan(plan, SimulatedReleaser(0.0, rng=1, durations=times), clock=clock)
    >>> eta(outcome.ledger, outcome.run_id, times, now=datetime(2026, 1, 2, 14, 20, tzinfo=UTC), rng=7)
    Eta(about 14:38, with 80 % before 14:46 UTC; 1 running, 1 left)
    """
    read, takes = as_model(model), as_durations(durations)
    count = whole("trials", trials, 1, MAX_TRIALS)
    moment = None if now is None else moment_of(now, "now is")
    seed = resolve_seed(rng)
    with lent(ledger, existing=True) as kept:
        known = counted(kept)
        run_id = run_called(known, run_id)
        record, events = known.get_run(run_id), list(known.get_events(run_id))
    plan = plan_of_run(record)
    if plan is None:
        raise ValueError(
            f"run {run_id!r:.80} carries no plan that can be read, so what is left of it is not known; expected a run "
            "of seqkit"
        )
    check_models([plan], model=read)
    began = record.created_at
    if moment is None:
        moment = max([began, *(event.timestamp for event in events)])
        moment = moment if record.completed_at is None else max(moment, record.completed_at)
    if moment < began:
        raise ValueError(f"now is {as_given(now, 200)}, before the run began at {began}; expected a later moment")
    if record.completed_at is not None and record.completed_at <= moment:
        return _ended(plan, events, moment, record.completed_at, seed)
    check_durations(plan, takes)
    course = Course.told_by(tag_of(record, "plan"))
    where = 1 if executor is None else executor
    return eta_of_events(plan, course, events, began, moment, takes, read, count, seed, where, "scheduling")


def eta_of_events(
    plan: SequencePlan,
    course: Course,
    events: Sequence[RunEvent],
    began: datetime,
    now: datetime,
    durations: DurationModel,
    model: FailureModel,
    trials: int,
    seed: int,
    executor: Executor | int = 1,
    what: str = "",
) -> Eta:
    """Say the same of a run that is known by its events alone, of which those up to `now` count.

    A progress bar says `what` goes on, where that is not empty.
    """
    story = Story(plan, course.terms)
    told_by_now = [event for event in events if event.timestamp <= now]
    for event in told_by_now:
        story.tell(event)
    ranks = ranks_of(course.priority, plan.arrays, durations.means(plan.released))

    def make(model: FailureModel) -> ScheduleProblem:
        windows = course.windows(began)
        return pose(
            plan, durations, model, course.terms, course.retry, seed, course.lanes, ranks, course.interval, windows
        )  # fmt: skip

    drawn = Conditioned(make, model, story.told, lambda problem: stand(problem, story, told_by_now, began, now))
    at, ids = drawn.at, drawn.problem.ids
    with closing(_each_part(drawn, trials, [], executor, what)) as parts:
        ends, released = (np.concatenate(each) for each in zip(*[part[:2] for part in parts], strict=True))
    open_ = [job for job in range(len(ids)) if at.finish[job] < 0 and job not in at.passed]
    left = [job for job in open_ if job not in at.running and job not in at.waiting]
    return Eta(
        plan,
        trials,
        seed,
        now,
        running=tuple([ids[job] for job in open_ if job in at.running]),
        waiting=tuple([ids[job] for job in open_ if job in at.waiting]),
        left=tuple([ids[job] for job in left]),
        overdue=tuple([ids[job] for job in open_ if job in drawn.overdue]),
        _began=began,
        _ends=ends,
        _released=released,
        _trials=drawn,
    )


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _part(drawn: Conditioned, jobs: Sequence[int], first: int, trials: int) -> _Part:
    """Follow some trials; a function of the module, so that it can be sent to another process.

    Gives when each ended, how many repos it released, and [jobs, trials] when each of these was, or -1.
    """
    ends, released = np.zeros(trials, np.int64), np.zeros(trials, np.int64)
    finishes = np.full((len(jobs), trials), -1, np.int64)
    for place, run in enumerate(drawn.runs(first, trials)):
        ends[place] = max(run.end, drawn.at.now)
        released[place] = run.status.count(RELEASED)
        finishes[:, place] = [run.finish[job] if run.status[job] == RELEASED else -1 for job in jobs]
    return ends, released, finishes


def _each_part(
    drawn: Conditioned, trials: int, jobs: Sequence[int], executor: Executor | int, what: str
) -> Generator[_Part]:
    left = len(drawn.problem.ids) - sum(finish >= 0 for finish in drawn.at.finish)

    def call(first: int, some: int):  # type: ignore[no-untyped-def]  # as each_part has it
        return _part, (drawn, jobs, first, some)

    yield from each_part(call, 0, trials, _PER_SECOND / (left + _A_TRIAL), executor, what)


def _ended(plan: SequencePlan, events: Sequence[RunEvent], now: datetime, end: datetime, seed: int) -> Eta:
    story = Story(plan)
    for event in events:
        story.tell(event)
    released = sum(story.told[repo].status == "succeeded" for repo in plan.released)
    at_once = np.zeros(1, np.int64)
    return Eta(plan, 0, seed, now, (), (), (), (), end, at_once, np.array([released], np.int64), None)


_LAST = datetime.max.replace(tzinfo=UTC)


def _short(repo: str) -> str:
    return shortened(repo, 40)
