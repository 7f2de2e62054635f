"""When will it be done: many trials of a train that takes its time, in lanes, under failures."""

from __future__ import annotations

import functools
import math
from concurrent.futures import Executor
from contextlib import closing
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from seqkit._util.arguments import whole
from seqkit.analysis.schedule.ends import Ends
from seqkit.analysis.schedule.kernels import ScheduleEngine, chosen, each_end
from seqkit.analysis.schedule.posing import Posed, SchedulePriority, posed
from seqkit.analysis.schedule.scheduled import Schedule
from seqkit.analysis.schedule.trials import ScheduleTrials
from seqkit.core.calendar import Calendar, apart, as_calendar, windows_of
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.retry import Attempts, retry_of
from seqkit.core.terms import Policy, Terms
from seqkit.core.times import TICKS_A_SECOND, moment_of, seconds_of
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models

__all__ = ["schedule"]

_FIRST_ROUND = 4_096


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
    calendar: Calendar = (),
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
    calendar : Freeze or iterable of Freeze
        Windows in which nothing starts: see :class:`seqkit.Freeze`, and :meth:`Schedule.freezes` for what they mean for
        the train. Dates need a `start`; times are counted from it.
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
    begins = None if start is None else moment_of(start, "start is")
    freezes = as_calendar(calendar)
    windows = windows_of(freezes, begins)
    seed = resolve_seed(rng)
    check_models([plan], model=read)
    retry = retry_of(attempts)
    what = posed(plan, takes, read, terms, retry, seed, max_parallel, priority, min_interval, apart(windows))
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
    told = ScheduleTrials(what, ends, released, chosen_one, threads)  # type: ignore[arg-type]  # not foreign
    return Schedule(plan, len(ends), seed, begins, freezes, told)


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
