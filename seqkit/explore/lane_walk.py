"""Graham's nine jobs in lanes, walked through one moment at a time: the state of a lesson's part on lanes."""

from __future__ import annotations

from seqkit._util.arguments import whole
from seqkit._util.words import inflected, plural
from seqkit.analysis.schedule.listing import Listing, list_schedule
from seqkit.explore._words import told
from seqkit.explore.graham import graham_nine
from seqkit.running.lanes import ranks_of

__all__ = ["LaneWalk"]

_LANES = 3  # Graham's own


class LaneWalk:
    """A moment in a train that goes in lanes: what has ended, what runs in which lane, and who waits for one.

    The train is :func:`~seqkit.explore.graham.graham_nine`. At each moment at which something ends, all ends are
    taken in first; then whoever may start does, T1 before T2 and so on, as long as a lane is free.

    Parameters
    ----------
    lanes : int
        How many jobs at once, from 1 to 9.
    shorter : bool
        Whether each job takes 1 less.
    fewer : bool
        Whether T5 and T6 need nothing.

    Attributes
    ----------
    plan : SequencePlan
        T1 to T9.
    durations : dict of str to int
        How long each job takes.
    lanes : int
        As given.
    moments : tuple of int
        When something ends, ascending, and 0.
    position : int
        Which of the moments it is, from 0.
    makespan : int
        When everything has ended.

    Raises
    ------
    TypeError, ValueError
        Where `lanes` is out of its range.

    Examples
    --------
    >>> walk = LaneWalk(lanes=3)
    >>> walk.story
    'At 0: T1, T2, T3 start. T4 could start, and waits for a lane.'
    >>> walk.to(1); walk.story
    'At 2: T2, T3 end. T4 starts. Nobody else may start yet, so 1 lane is idle.'
    >>> walk.running, walk.ready
    ({0: 'T1', 1: 'T4'}, [])
    >>> LaneWalk(lanes=4).verdict
    'Everything has ended at 15: later than at 12, as on three lanes with nothing changed.'
    """

    def __init__(self, lanes: int = _LANES, shorter: bool = False, fewer: bool = False) -> None:
        jobs = graham_nine(shorter, fewer)
        self.plan, self.durations = jobs.plan, jobs.durations
        self._ids, self._needs = jobs.plan.arrays.ids, jobs.plan.arrays.dependencies
        self._line = sorted(range(len(self._ids)), key=lambda job: -jobs.priority[self._ids[job]])
        self.lanes = whole("lanes", lanes, 1, len(self._ids))
        ticks = [self.durations[job] for job in self._ids]
        listing: Listing = list_schedule(jobs.plan.arrays, ticks, self.lanes, ranks_of(jobs.priority, jobs.plan.arrays))
        # All nine are released, so each has a start, an end and a lane.
        self._starts, self._ends, self._lanes = (
            [int(value or 0) for value in column] for column in (listing.starts, listing.finishes, listing.lanes)
        )
        self.moments = tuple(sorted({0, *self._ends}))
        self.makespan = listing.makespan
        self.position = 0

    def __len__(self) -> int:
        return len(self.moments) - 1

    # ------------------------------------------------------------------ moving

    def to(self, position: int) -> None:
        """Go to one of the moments, from 0 to ``len(walk)``.

        Raises
        ------
        TypeError, ValueError
            Where there is no such moment.
        """
        self.position = whole("position", position, 0, len(self))

    def moment_of(self, job: str) -> int:
        """Tell the number of the moment at which a job starts.

        Raises
        ------
        RepoNotFound
            Where there is no such job.
        """
        return self.moments.index(self._starts[self.plan.position(job)])

    # ------------------------------------------------------------------ how things stand

    @property
    def now(self) -> int:
        """What the clock says."""
        return self.moments[self.position]

    @property
    def words(self) -> dict[str, str]:
        """Job → key of ``STATUS_STYLES``."""
        return {job: self._word(at) for at, job in enumerate(self._ids)}

    def _word(self, at: int) -> str:
        if self._ends[at] <= self.now:
            return "succeeded"
        return "in_progress" if self._starts[at] <= self.now else "pending"

    @property
    def running(self) -> dict[int, str]:
        """Lane, from 0 → the job in it, of the lanes in which one runs."""
        return {self._lanes[at]: self._ids[at] for at in self._by_lane() if self._word(at) == "in_progress"}

    @property
    def ready(self) -> list[str]:
        """The jobs that could start and wait for a lane, the next one first."""
        return [
            self._ids[at]
            for at in self._line
            if self._word(at) == "pending" and all(self._ends[need] <= self.now for need in self._needs[at])
        ]

    @property
    def in_lanes(self) -> list[list[tuple[str, int, int]]]:
        """By lane, the jobs that have started in it, each with its start and its end."""
        rows: list[list[tuple[str, int, int]]] = [[] for _ in range(self.lanes)]
        for at in self._by_lane():
            if self._starts[at] <= self.now:
                rows[self._lanes[at]].append((self._ids[at], self._starts[at], self._ends[at]))
        return rows

    def _by_lane(self) -> list[int]:
        return sorted(range(len(self._ids)), key=lambda at: (self._lanes[at], self._starts[at]))

    # ------------------------------------------------------------------ in words

    @property
    def story(self) -> str:
        """What happens at this moment, in words."""
        ended = [self._ids[at] for at in self._line if self._ends[at] == self.now]
        begun = [self._ids[at] for at in self._line if self._starts[at] == self.now]
        parts = [f"{told(ended)} {inflected(len(ended), 'ends', 'end')}"] if ended else []
        parts += [f"{told(begun)} {inflected(len(begun), 'starts', 'start')}"] if begun else []
        ready, idle = self.ready, self.lanes - len(self.running)
        if self.now == self.makespan:
            parts.append(self.verdict.removesuffix("."))
        elif ready:
            wait = inflected(len(ready), "waits", "wait")
            parts.append(f"{told(ready)} could start, and {wait} for a lane")
        elif idle:
            parts.append(f"Nobody else may start yet, so {plural(idle, 'lane is', 'lanes are')} idle")
        return f"At {self.now}: {'. '.join(parts)}."

    @property
    def verdict(self) -> str:
        """When everything has ended, and whether that is later than on three lanes with nothing changed."""
        first = LaneWalk().makespan
        said = f"Everything has ended at {self.makespan}"
        if self.makespan == first:
            return f"{said}."
        how = "later" if self.makespan > first else "sooner"
        return f"{said}: {how} than at {first}, as on three lanes with nothing changed."

    def __repr__(self) -> str:
        return f"LaneWalk({plural(self.lanes, 'lane')}; {self.story.removesuffix('.')})"
