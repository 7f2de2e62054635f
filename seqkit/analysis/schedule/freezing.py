"""What freeze windows mean for a train: whether it is done before one begins, where it would be cut, when to start."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqkit._util import dtypes
from seqkit.analysis.estimate import Share
from seqkit.analysis.schedule.ends import RELEASED, Ends
from seqkit.analysis.schedule.moments import rank_of
from seqkit.analysis.schedule.problem import ScheduleProblem
from seqkit.analysis.schedule.since import Since, timedeltas
from seqkit.analysis.schedule.trials import ScheduleTrials
from seqkit.core.calendar import Freeze, Window, apart

__all__ = ["cut_frame", "freezes_frame", "last_safe_start"]

_NEAR = 1_000  # ticks: so near to the last safe start is near enough

_Counts = NDArray[np.int64]


class _Cut:
    """How far trains had come as a freeze began, counted part by part: whole numbers, whatever the parts."""

    def __init__(self, problem: ScheduleProblem, waves: _Counts, begin: int) -> None:
        self.begin, self._problem, self._waves = begin, problem, waves
        self.under_way = 0
        self.released = np.zeros(problem.n, np.int64)
        self.first_left = np.zeros(problem.n, np.int64)
        self._sum = self._squares = 0
        self._cut_in = np.zeros(int(waves.max(initial=-1)) + 1, np.int64)

    def add(self, part: Ends) -> None:
        """Take in some trials."""
        told = part.details
        assert told is not None  # noqa: S101  # tells mypy: it was asked for
        out = (told.status == RELEASED) & (told.finish <= self.begin)
        self.under_way += int(((told.start >= 0) & (told.start < self.begin) & (told.finish > self.begin)).any(1).sum())
        self.released += out.sum(axis=0)
        counts = out.sum(axis=1)
        self._sum, self._squares = self._sum + int(counts.sum()), self._squares + int((counts**2).sum())
        first, needs = self._problem.first_need, self._problem.needs
        for job in range(self._problem.n):
            may = out[:, needs[first[job] : first[job + 1]]].all(axis=1)
            self.first_left[job] += int((may & ~out[:, job]).sum())
        left = ~out[counts < self._problem.n]
        if left.size:
            earliest = np.where(left, self._waves, len(self._cut_in)).min(axis=1)
            self._cut_in += np.bincount(earliest, minlength=len(self._cut_in))

    @property
    def wave(self) -> int | None:
        """The wave in which most often the first repo is left; None where none ever is."""
        return int(np.argmax(self._cut_in)) if self._cut_in.any() else None

    def se(self, trials: int) -> float:
        """Give the standard error of how many are released by then."""
        return float(np.sqrt((self._squares - self._sum**2 / trials) / (trials - 1) / trials)) if trials > 1 else np.nan


def _cuts(trials: ScheduleTrials, begins: Sequence[int]) -> list[_Cut]:
    arrays = trials.posed.plan.arrays
    waves = np.array([arrays.waves[position] for position in trials.problem.items.tolist()], np.int64)
    cuts = [_Cut(trials.problem, waves, begin) for begin in begins]
    if cuts:
        with closing(trials.details(criticality=False)) as parts:
            for part in parts:
                for cut in cuts:
                    cut.add(part)
    return cuts


def freezes_frame(
    trials: ScheduleTrials, since: Since, calendar: Sequence[Freeze], windows: Sequence[Window]
) -> pd.DataFrame:
    """Make the frame of :meth:`seqkit.Schedule.freezes`."""
    cuts = _cuts(trials, [window.begin for window in windows])
    done = [trials.share(trials.done_by(window.begin)) for window in windows]
    under_way = [Share(cut.under_way, trials.count, trials.posed.certain) for cut in cuts]
    released = np.array([int(cut.released.sum()) / trials.count for cut in cuts], np.float64)
    frame = pd.DataFrame(
        {
            "name": dtypes.string([freeze.name for freeze in calendar]),
            "start": since.dates(timedeltas([window.begin for window in windows])),
            "end": since.dates(timedeltas([window.end for window in windows])),
            **_shares("p_done", done),
            **_shares("p_under_way", under_way),
            "released": released,
            "se_released": np.array([cut.se(trials.count) for cut in cuts], np.float64),
            "left": trials.problem.n - released,
            "cut_wave": dtypes.integer([cut.wave for cut in cuts]),
        }
    )
    frame.index.name = "freeze"
    return frame


def cut_frame(trials: ScheduleTrials, begin: int) -> pd.DataFrame:
    """Make the frame of :meth:`seqkit.Schedule.cut`."""
    (cut,) = _cuts(trials, [begin])
    arrays, sure = trials.posed.plan.arrays, trials.posed.certain
    columns: dict[str, Any] = {
        "wave": dtypes.integer([arrays.waves[position] for position in trials.problem.items.tolist()])
    }
    for name, counts in (("p_released", cut.released), ("p_first_left", cut.first_left)):
        columns |= _shares(name, [Share(hits, trials.count, sure) for hits in counts.tolist()])
    frame = pd.DataFrame(columns)
    frame.index = dtypes.index(list(trials.ids), "repo_id")
    return frame


def _shares(name: str, shares: Sequence[Share]) -> dict[str, NDArray[np.float64]]:
    return {
        name: np.array([float(share) for share in shares], np.float64),
        f"se_{name}": np.array([share.se for share in shares], np.float64),
    }


def last_safe_start(trials: ScheduleTrials, windows: Sequence[Window], which: int, level: float) -> int | None:
    """Say how many ticks later the train may start; None where no start does. See Schedule.last_safe_start.

    Without windows in its way the train needs its quantile q: no start later than q before the freeze does, where
    windows delay. Where that start does not do either, the last that does is looked for between it and the start that
    is q before all windows, which does: there none is in the way.
    """
    problem, mine = trials.problem, windows[which]

    def share_done(later: int) -> float:
        moved = [Window(*[moment - later for moment in window]) for window in windows]
        ends, released = trials.followed(_with(problem, moved))
        return float(((released == problem.n) & (ends <= mine.begin - later)).mean())

    ends, released = trials.followed(_with(problem, []))
    needed = np.sort(ends[released == problem.n])
    rank = rank_of(level, trials.count)
    if rank >= len(needed):
        return None
    late = mine.begin - int(needed[rank])
    if share_done(late) >= level:
        return late
    early = min(window.close for window in windows) - int(needed[rank]) - 1
    while late - early > _NEAR:
        middle = (early + late) // 2
        if share_done(middle) >= level:
            early = middle
        else:
            late = middle
    return early


def _with(problem: ScheduleProblem, windows: Sequence[Window]) -> ScheduleProblem:
    return replace(problem, windows=np.array(apart(windows), np.int64).reshape(-1, 2))
