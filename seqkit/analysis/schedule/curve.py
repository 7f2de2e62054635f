"""Whether one more lane would help."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.warned import warn_caller
from seqkit._util.words import listed
from seqkit.analysis.schedule.moments import mean_time, quantile_time
from seqkit.analysis.schedule.posing import mean_ticks
from seqkit.analysis.schedule.scheduling import schedule
from seqkit.core.draws import Seed, resolve_seed
from seqkit.core.durations import DurationsLike, as_durations
from seqkit.core.times import ticks_of
from seqkit.core.trains import PlanLike, as_plan

__all__ = ["ScheduleAnomaly", "lanes_curve"]

_NEAR = 0.05  # of the shortest mean: the knee is the first number of lanes so near to it
_SURE = 3.0  # standard errors of the paired difference


class ScheduleAnomaly(UserWarning):
    """A train takes longer with one more lane: Graham's anomaly, see :func:`lanes_curve`."""


def lanes_curve(
    plan: PlanLike,
    durations: DurationsLike,
    lanes: Iterable[int] = range(1, 9),
    rng: Seed | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Say when a train is done with each number of lanes, under the same draws, so whether one more would help.

    Parameters
    ----------
    plan, durations, rng
        As in :func:`seqkit.schedule`.
    lanes : iterable of int
        Which numbers of lanes, from 1.
    **options
        The other arguments of :func:`seqkit.schedule` but `max_parallel` and `start`.

    Returns
    -------
    DataFrame
        Index `lanes`, ascending. Columns: `mean`, `se_mean`, `p50`, `p90` (timedelta64[us]) of the end of the run;
        `plan_date` and `lower_bound` (timedelta64[us]) at the mean durations; `gap` (float64), by which share the plan
        date may be above the best possible; `efficiency` (float64), the share of the lanes' time in which they work at
        the means: work / (lanes · plan date); `knee` (bool), the first number of lanes whose mean is within 5 % of
        the shortest; `anomaly` (bool), whether the mean is longer than with the number of lanes above it in the frame,
        beyond three standard errors of the paired difference.

    Warns
    -----
    ScheduleAnomaly
        Where one more lane makes the train longer: where there is an `anomaly`. That is no
        error: more lanes may let something short start that then is in the way of something long (Graham 1969,
        doi:10.1137/0117039); another priority may help.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("a", "d"), ("b", "d"), ("c", "d")]), version="1")
    >>> lanes_curve(plan, 600, lanes=[1, 2, 3], rng=7)[["mean", "efficiency", "knee"]]
                     mean  efficiency   knee
    lanes
    1     0 days 00:40:00    1.000000  False
    2     0 days 00:30:00    0.666667  False
    3     0 days 00:20:00    0.666667   True
    """
    for name in ("max_parallel", "start"):
        if name in options:
            raise TypeError(f"{name} is given, and lanes_curve has lanes for it" if name == "max_parallel" else
                            "start is given, and lanes_curve counts times from there: leave it out")  # fmt: skip
    if isinstance(lanes, str | bytes) or not isinstance(lanes, Iterable):
        raise TypeError(f"lanes is {as_given(lanes, 200)}, expected numbers of lanes, such as range(1, 9)")
    counts = sorted({whole("lanes", one, 1) for one in lanes})
    if not counts:
        raise ValueError("lanes is empty, expected numbers of lanes, such as range(1, 9)")
    seed = resolve_seed(rng)
    work = sum(mean_ticks(as_plan(plan), as_durations(durations)))
    rows, ends = [], []
    for count in counts:
        told = schedule(plan, durations, count, rng=seed, **options)
        own = told.makespan().to_numpy().astype("timedelta64[ms]").astype(np.int64)
        ends.append(own)
        mean, ascending = mean_time(own), np.sort(own)
        planned = ticks_of(told.plan_date.total_seconds())  # type: ignore[union-attr]  # without a start
        rows.append(
            (
                mean,
                mean.se if len(own) > 1 else pd.NaT,
                quantile_time(ascending, 0.5),
                quantile_time(ascending, 0.9),
                told.plan_date,
                told.lower_bound,
                told.gap,
                work / (count * planned) if planned else 1.0,
            )
        )
    names = ("mean", "se_mean", "p50", "p90", "plan_date", "lower_bound", "gap", "efficiency")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    frame = pd.DataFrame(
        {
            name: np.array(values, np.float64)
            if name in ("gap", "efficiency")
            else pd.to_timedelta(list(values)).as_unit("us")
            for name, values in columns.items()
        }
    )
    near = (frame["mean"] <= frame["mean"].min() * (1 + _NEAR)).to_numpy()
    frame["knee"] = np.arange(len(counts)) == int(np.argmax(near))
    frame["anomaly"] = [False, *(_longer(*pair) for pair in pairwise(ends))]
    frame.index = pd.Index(counts, name="lanes")
    _warn(frame["anomaly"])
    return frame


def _longer(fewer: Any, more: Any) -> bool:
    """Say whether the trains are longer with more lanes, beyond what chance does."""
    n = min(len(fewer), len(more))
    by = more[:n] - fewer[:n]
    error = float(by.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    return bool(by.mean() > _SURE * error and by.mean() > 0)


def _warn(anomaly: pd.Series[Any]) -> None:
    found = pairwise(zip(anomaly.index, anomaly, strict=True))
    longer = [f"{more} lanes than with {fewer}" for (fewer, _), (more, odd) in found if odd]
    if longer:
        warn_caller(
            f"the train takes longer with {listed(longer, 3)}: a Graham anomaly, no error; another priority may help",
            ScheduleAnomaly,
        )
