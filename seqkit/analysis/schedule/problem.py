"""What is scheduled, as plain arrays: a plan, how long things take, what fails, and how many run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqkit._util.words import plural
from seqkit.analysis.montecarlo.experiment import Experiment, prepare, tries_that_count
from seqkit.analysis.schedule.jobs import linked
from seqkit.core import draws
from seqkit.core.calendar import Windows
from seqkit.core.durations import DurationModel
from seqkit.core.failures import FailureModel
from seqkit.core.laws import CELLS, Law, Lognormal, quantile_table
from seqkit.core.plan import SequencePlan
from seqkit.core.retry import Retry
from seqkit.core.terms import Terms
from seqkit.core.times import TICKS_A_SECOND, ticks_of

__all__ = ["LATEST", "Laws", "ScheduleProblem", "pose"]

LATEST = 1 << 46
"""No run may last so many ticks: over 2,000 years. Sums stay exact below it, as integers and as doubles."""


@dataclass(frozen=True)
class Laws:
    """How long attempts take, as arrays: law v is that of a success at job v, law n + v that of a failure."""

    counts: NDArray[np.int64]
    """[2 n] of how many times one is chosen; 0 for a lognormal law."""
    offsets: NDArray[np.int64]
    """[2 n] where its times begin in `times`; of a lognormal law where its cells begin in the tables."""
    scales: NDArray[np.float64]
    """[2 n] ticks that the median of a lognormal law has."""
    times: NDArray[np.float64]
    """Times to choose from, in ticks; doubles that hold whole numbers."""
    intercepts: NDArray[np.float64]
    """Tables of quantiles, 2 * CELLS each (:mod:`seqkit.core.laws`)."""
    slopes: NDArray[np.float64]
    """As `intercepts`."""
    differ: NDArray[np.bool_]
    """[n] whether a failed attempt has a law of its own."""


@dataclass(frozen=True)
class ScheduleProblem:
    """The arrays of a schedule, and the models that they were made of. Picklable, to be sent to another process.

    Job v is the v-th repo to release, in plan order; `n` jobs, `k` attempts.
    """

    ids: tuple[str, ...]
    """[n] the repos."""
    items: NDArray[np.int64]
    """[n] the row of each job in `experiment`, which is its position in the plan."""
    first_need: NDArray[np.int64]
    """[n + 1] where each job's part of `needs` begins."""
    needs: NDArray[np.int64]
    """Jobs that each waits for, ascending, reduced transitively."""
    first_dependent: NDArray[np.int64]
    """[n + 1] where each job's part of `dependents` begins."""
    dependents: NDArray[np.int64]
    """Jobs that wait for each, ascending."""
    by_rank: NDArray[np.int64]
    """[n] the jobs by priority, the first in line first."""
    rank: NDArray[np.int64]
    """[n] where each job stands in `by_rank`."""
    lanes: int
    """At most so many attempts at once; 0 for no limit."""
    interval: int
    """Ticks between the starts of two attempts."""
    windows: NDArray[np.int64]
    """[w, 2] from when on nothing starts, and until when; apart from each other, ascending."""
    attempts: int
    """How often a job is tried at most, as far as that can matter."""
    deadline: int
    """Ticks from the start of a job's first attempt after which it is not tried again; -1 for no limit."""
    waits: NDArray[np.float64]
    """[k - 1] seconds before the next attempt, before jitter."""
    frees: bool
    """Whether a failure frees what depends on it, as a success does."""
    stop_at: int
    """Nothing starts after this many failures; 0 for never."""
    seed: int
    """Whose draws they are."""
    experiment: Experiment
    """What fails: the draws of :func:`seqkit.simulate`, with a key for each of the `k` attempts."""
    laws: Laws
    """How long attempts take."""
    keys: NDArray[np.uint64]
    """[n, k] keys of the draws of how long each attempt takes: of the low halves of words."""
    wait_keys: NDArray[np.uint64]
    """[n, k - 1, 2] keys of the draws of jitter; empty where there is none."""
    model: FailureModel
    durations: DurationModel
    retry: Retry

    @property
    def n(self) -> int:
        """How many jobs there are."""
        return len(self.ids)

    @property
    def closed(self) -> bool:
        """Whether nothing but dependencies and freezes keeps a job from starting: no lane, no interval, no stop."""
        return (not self.lanes or 1 < self.n <= self.lanes) and not self.interval and not self.stop_at


def pose(
    plan: SequencePlan,
    durations: DurationModel,
    model: FailureModel,
    terms: Terms,
    retry: Retry,
    seed: int,
    max_parallel: int | None = None,
    ranks: Sequence[float] = (),
    min_interval: float = 0.0,
    windows: Windows = (),
) -> ScheduleProblem:
    """Turn what is scheduled into arrays.

    Parameters
    ----------
    plan : SequencePlan
        A plan of one train.
    durations, model
        How long attempts take, and how likely they fail.
    terms, retry
        What a failure means; how often a repo is tried, and after what waits. Its `when` is not asked: of a simulated
        failure nobody knows more than that it is one.
    seed : int
        Whose draws.
    max_parallel, ranks, min_interval
        As :class:`seqkit.running.lanes.Options` has them: ranks by position in the plan, the lowest first, empty for
        plan order; seconds.
    windows : Windows
        In which nothing starts.

    Raises
    ------
    ValueError
        Where a repo to release has no duration, the plan is one of several trains, or the attempts are too many.
    """
    if any(plan.train_of):
        raise ValueError(f"plan has {plural(max(plan.train_of) + 1, 'train')}, expected a plan of one, each on its own")
    positions, needs = linked(plan.arrays)
    n, ids = len(positions), tuple([plan.arrays.ids[position] for position in positions])
    dependents: list[list[int]] = [[] for _ in ids]
    for job, row in enumerate(needs):
        for other in row:
            dependents[other].append(job)
    line = sorted(range(n), key=lambda job: (ranks[positions[job]], job)) if len(ranks) else list(range(n))
    rank = np.empty(n, np.int64)
    rank[line] = np.arange(n)
    attempts = max((_tries(model, repo, terms.attempts, n) for repo in ids), default=1)
    retry = replace(retry, attempts=terms.attempts, when=None)
    waits = [retry.usual_wait(attempt) for attempt in range(1, attempts)]
    experiment = prepare(plan, terms, model, seed, tries=attempts)  # also says where attempts are too many
    tried = [attempts if model.rate(repo) or model.causes_of(repo) else 1 for repo in ids]
    return ScheduleProblem(
        ids=ids,
        items=np.array(positions, np.int64),
        first_need=_starts(needs),
        needs=_flat(needs),
        first_dependent=_starts(dependents),
        dependents=_flat(dependents),
        by_rank=np.array(line, np.int64),
        rank=rank,
        lanes=max_parallel or 0,
        interval=ticks_of(min_interval),
        windows=np.array(windows, np.int64).reshape(-1, 2),
        attempts=attempts,
        deadline=-1 if retry.deadline is None else _latest(retry.deadline),
        waits=np.array(waits, np.float64),
        frees=not terms.holds_up,
        stop_at=(terms.stop_at or 0) if (terms.stop_at or 0) <= n else 0,
        seed=seed,
        experiment=experiment,
        laws=_laws(ids, durations),
        keys=_keys(seed, "duration", ids, tried, attempts)[:, :, 0].copy(),
        wait_keys=_keys(seed, "delay", ids, [tries - 1 for tries in tried], attempts - 1 if retry.jitter else 0),
        model=model,
        durations=durations,
        retry=retry,
    )


def _tries(model: FailureModel, repo: str, attempts: int, n: int) -> int:
    """Say how many attempts can matter: each takes time, also where it was clear that it fails."""
    severe = any(cause.severity == 1 and cause.probability for cause in model.causes_of(repo))
    return attempts if severe or model.rate(repo) == 1 else tries_that_count(model, repo, attempts, n)


def _latest(deadline: float) -> int:
    """Give the most ticks that are no more seconds than a deadline, as a run compares them."""
    ticks = ticks_of(min(deadline, LATEST / TICKS_A_SECOND))
    return ticks if ticks / TICKS_A_SECOND <= deadline else ticks - 1


def _laws(ids: Sequence[str], durations: DurationModel) -> Laws:
    own, of_failed = [durations.law(repo) for repo in ids], [durations.law(repo, failed=True) for repo in ids]
    counts, offsets, scales, times = [], [], [], list[float]()
    sigmas: dict[float, int] = {}
    known: dict[Law, int] = {}
    for law in own + of_failed:
        if isinstance(law, Lognormal):
            counts.append(0)
            offsets.append(2 * CELLS * sigmas.setdefault(law.sigma, len(sigmas)))
            scales.append(law.scale)
        else:
            if law not in known:
                known[law] = len(times)
                times.extend(map(float, law.ticks))
            counts.append(len(law.ticks))
            offsets.append(known[law])
            scales.append(0.0)
    tables = [quantile_table(sigma) for sigma in sigmas]
    return Laws(
        counts=np.array(counts, np.int64),
        offsets=np.array(offsets, np.int64),
        scales=np.array(scales, np.float64),
        times=np.array(times, np.float64),
        intercepts=np.concatenate([np.empty(0), *[intercepts for intercepts, _ in tables]]),
        slopes=np.concatenate([np.empty(0), *[slopes for _, slopes in tables]]),
        differ=np.array([law != other for law, other in zip(own, of_failed, strict=True)], np.bool_),
    )


def _keys(seed: int, kind: draws.Kind, ids: Sequence[str], tries: Sequence[int], most: int) -> NDArray[np.uint64]:
    """Give the keys of the attempts at each repo, [n, most, 2]; none where nothing is drawn."""
    keys = np.zeros((len(ids), most, 2), np.uint64)
    for job, (repo, n) in enumerate(zip(ids, tries, strict=True)):
        for attempt in range(1, min(n, most) + 1):
            keys[job, attempt - 1] = draws.stream(seed, kind, repo, attempt)
    return keys


def _starts(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)


def _flat(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array([value for row in rows for value in row], dtype=np.int64)
