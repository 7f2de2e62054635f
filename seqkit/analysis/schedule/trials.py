"""The trials of a schedule: how each ended, and all that can be asked of them again, in ticks."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.estimate import Share
from seqkit.analysis.schedule.ends import Ends
from seqkit.analysis.schedule.kernels import each_end
from seqkit.analysis.schedule.listing import Listing
from seqkit.analysis.schedule.measures import kth_release
from seqkit.analysis.schedule.posing import Posed
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["ScheduleTrials"]

_Ticks = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScheduleTrials:
    """The ends of some trials, and what they were made of: whatever else is asked is followed once more."""

    posed: Posed
    ends: _Ticks
    """[trials] when each ended."""
    released: NDArray[np.int32]
    """[trials] how many repos each released."""
    engine: str
    threads: int | None

    @property
    def count(self) -> int:
        """How many trials there are."""
        return len(self.ends)

    @property
    def problem(self) -> ScheduleProblem:
        """What they are trials of."""
        return self.posed.problem

    @property
    def ids(self) -> tuple[str, ...]:
        """The repos to release, in plan order."""
        return self.problem.ids

    @cached_property
    def is_complete(self) -> NDArray[np.bool_]:
        """Whether each released everything."""
        complete: NDArray[np.bool_] = self.released == self.problem.n
        return complete

    @cached_property
    def ascending(self) -> tuple[_Ticks, _Ticks]:
        """All ends, and those of complete trains, both ascending."""
        return np.sort(self.ends), np.sort(self.ends[self.is_complete])

    @cached_property
    def listing(self) -> Listing:
        """The schedule at the means."""
        return self.posed.at_the_means()

    @cached_property
    def bound(self) -> int:
        """The tick before which no schedule of the means ends."""
        return self.posed.bound()

    @property
    def mean_jobs(self) -> _Ticks:
        """[n] how long each repo takes on average."""
        return np.array(self.posed.mean_ticks, np.int64)[self.problem.items]

    def details(self, criticality: bool = True) -> Generator[Ends]:
        """Follow all once more, repo by repo; close it where you leave it early."""
        return each_end(
            self.engine, self.problem, 0, self.count, self.threads, criticality=criticality, details=True
        )  # fmt: skip

    def followed(
        self, problem: ScheduleProblem, count: int | None = None, what: str = "scheduling"
    ) -> tuple[_Ticks, NDArray[np.int32]]:
        """Follow the first trials of another problem with the same draws: when each ends, and how many it releases.

        A progress bar says `what` goes on, where that is not empty.
        """
        with closing(each_end(self.engine, problem, 0, count or self.count, self.threads, what=what)) as each:
            parts = list(each)
        return np.concatenate([part.end for part in parts]), np.concatenate([part.n_released for part in parts])

    def done_by(self, tick: int) -> NDArray[np.bool_]:
        """Whether each has released everything by then."""
        done: NDArray[np.bool_] = self.is_complete & (self.ends <= tick)
        return done

    def share(self, so: NDArray[np.bool_]) -> Share:
        """Estimate how likely something is that is so in these."""
        return Share(int(so.sum()), self.count, self.posed.certain)

    def times_of_release(self, k: int) -> _Ticks:
        """Give when the k-th repo was released, -1 where it never was; kept, as whoever asks once asks for a curve."""
        if k not in self._kth_releases:
            with closing(self.details(criticality=False)) as parts:
                self._kth_releases[k] = np.concatenate([kth_release(part, k) for part in parts])
        return self._kth_releases[k]

    @cached_property
    def _kth_releases(self) -> dict[int, _Ticks]:
        return {}
