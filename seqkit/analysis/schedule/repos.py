"""What the trials of a schedule tell of each repo and each lane, as frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._util import dtypes
from seqkit.analysis.estimate import Share
from seqkit.analysis.schedule.ends import NOT_STARTED, RELEASED
from seqkit.analysis.schedule.lanes import in_lanes
from seqkit.analysis.schedule.measures import Sums, counted_chains, slack_of
from seqkit.analysis.schedule.moments import rank_of
from seqkit.analysis.schedule.plain import run_trial
from seqkit.analysis.schedule.since import Since, timedeltas
from seqkit.analysis.schedule.trials import ScheduleTrials
from seqkit.core.durations import DurationModel

__all__ = ["critical_paths", "gains", "lanes_frame", "repos_frame"]

_CELLS = 4_000_000  # trials times repos whose times are held at once
_LOOKED_AT = 1_000  # trials whose lanes are looked at one by one
_PERCENT = (10, 50, 90)


def repos_frame(trials: ScheduleTrials, since: Since) -> pd.DataFrame:
    """Make the frame of :meth:`seqkit.Schedule.to_frame`."""
    sums = Sums(trials.problem)
    quantiles = _quantiles(trials, sums)
    measures = sums.measures()
    n = trials.count
    critical = measures["criticality"]
    columns: dict[str, Any] = {
        "mean_duration": timedeltas(trials.mean_jobs),
        **{name: since.column(values) for name, values in quantiles.times.items()},
        "p_released": quantiles.released / n,
        "slack": timedeltas(slack_of(trials.problem, trials.mean_jobs[None, :])[0]),
        "criticality": critical,
        "se_criticality": np.array([Share(round(p * n), n).se for p in critical]),
        **{name: measures[name] for name in ("criticality_by_dependencies", "si", "ssi", "cruciality")},
    }
    return _by_repo(columns, trials.ids)


@dataclass(frozen=True)
class _Quantiles:
    times: dict[str, NDArray[np.int64]]
    released: NDArray[np.int64]


def _quantiles(trials: ScheduleTrials, sums: Sums) -> _Quantiles:
    """Work out the quantiles, of so many jobs at once that memory stays flat; what passes by first is summed up."""
    n, width = trials.problem.n, max(1, _CELLS // trials.count)
    names = ("start", "finish")
    times = {f"{name}_p{level}": np.full(n, -1, np.int64) for name in names for level in _PERCENT}
    released = np.zeros(n, np.int64)
    for begin in range(0, max(1, n), width):
        jobs = slice(begin, begin + width)
        starts, finishes = [], []
        with closing(trials.details(criticality=begin == 0)) as parts:
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
                for level in _PERCENT:
                    if len(known):
                        times[f"{name}_p{level}"][column] = known[rank_of(level / 100, len(known))]
    return _Quantiles(times, released)


def gains(trials: ScheduleTrials, faster: float, count: int) -> pd.DataFrame:
    """Make the frame of :meth:`seqkit.Schedule.gains`, of the first trials; shows a progress bar over a second."""
    from seqkit._util.progress import Bar  # noqa: PLC0415  # `import seqkit` stays light: tqdm

    rows = []
    for repo in Bar(trials.ids, desc="gains", unit="repo", delay=1, ascii=True):
        own = _faster(trials.posed.durations, trials.ids, repo, 1 - faster)
        saved = trials.ends[:count] - trials.followed(trials.posed.with_durations(own), count, what="")[0]
        rows.append((float(saved.mean()), float(saved.std(ddof=1)) / math.sqrt(count) if count > 1 else math.nan))
    columns = {"gain": timedeltas([gain for gain, _ in rows]), "se": timedeltas([se for _, se in rows])}
    return _by_repo(columns, trials.ids).sort_values("gain", ascending=False, kind="stable")


def critical_paths(trials: ScheduleTrials, most: int) -> pd.DataFrame:
    """Make the frame of :meth:`seqkit.Schedule.critical_paths`."""
    with closing(trials.details()) as parts:
        chains = counted_chains(parts)
    found = sorted(chains.items(), key=lambda entry: (-entry[1], entry[0]))[:most]
    shares = [Share(count, trials.count) for _, count in found]
    return pd.DataFrame(
        {
            "path": dtypes.objects([[trials.ids[job] for job in chain] for chain, _ in found]),
            "trials": np.array([count for _, count in found], np.int64),
            "share": np.array([float(share) for share in shares]),
            "se": np.array([share.se for share in shares]),
        }
    )


def lanes_frame(trials: ScheduleTrials) -> pd.DataFrame:
    """Make the frame of :meth:`seqkit.Schedule.lanes`."""
    busy: list[float] = []
    made: list[int] = []
    count = min(trials.count, _LOOKED_AT)
    for trial in range(count):
        run = run_trial(trials.problem, trial)
        for lane, took in in_lanes(trials.problem, run):
            if lane == len(busy):
                busy.append(0.0)
                made.append(0)
            made[lane] += 1
            busy[lane] += took / run.end if run.end else 0.0
    frame = pd.DataFrame({"busy": np.array(busy) / count, "releases": np.array(made) / count})
    frame.index.name = "lane"
    return frame


def _by_repo(columns: dict[str, Any], ids: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame.index = dtypes.index(list(ids), "repo_id")
    return frame


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
    return DurationModel(medians, durations.sigma, durations.default, failed, samples, durations.default_sigma)
