"""The event loop of a run in lanes, compiled: :mod:`seqkit.analysis.schedule.loop` on bits and packed numbers.

- Who may start is a bit at its rank, words of bits have a summary word: the first in line is the lowest bit.
- What runs is a short array, sorted, of ends packed with jobs, ``end << bits | job``: so the next is the last entry, and
  what ends at one instant comes in plan order.
- Whom a job frees stands in rows of four ranks, filled up with a rank that nothing frees. A counter that reaches 0
  becomes a bit without a branch.
- What happens to an attempt is one number, negative where it fails, so that only failures leave the fast path.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba import int32, int64, types, uint32, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.numba_draws import NONE, compiled, key, mixed
from seqkit.analysis.montecarlo.numpy_draws import level_keys
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, Details, Ends, too_long
from seqkit.analysis.schedule.numba_attempts import (
    WORDS,
    attempt,
    chances_of,
    first_failures,
    ticks_at,
    ticks_of,
    times_of,
)
from seqkit.analysis.schedule.problem import LATEST, Problem

__all__ = ["MOST_JOBS", "run"]

MOST_JOBS = 100_000
"""Of more, the end of an attempt and its job do not go into one number."""

_ONE = uint64(1)
_NEVER = np.iinfo(np.int64).max
_NOBODY = np.iinfo(np.int64).max  # let it start: the beginning
_FREED = int32(1 << 30)  # more than any job waits for


class Queue(NamedTuple):
    """The jobs, as the loop queues them."""

    rank: NDArray[np.int32]
    """[n] of each job."""
    by_rank: NDArray[np.int32]
    """[n] the job of each rank."""
    waits_for: NDArray[np.int32]
    """[n + 1] for how many jobs each rank waits; one more that nothing frees."""
    four: NDArray[np.int32]
    """[n, 4] ranks that each job frees, filled up with n."""
    first_more: NDArray[np.int64]
    """[n + 1] where each job's part of `more` begins."""
    more: NDArray[np.int32]
    """Further ranks that it frees."""
    roots: NDArray[np.uint64]
    """Who waits for none, as bits."""
    first_need: NDArray[np.int64]
    needs: NDArray[np.int64]


class Rules(NamedTuple):
    """What a run goes by."""

    lanes: int
    interval: int
    attempts: int
    deadline: int
    frees: bool
    stop_at: int


class First(NamedTuple):
    """The draws of first attempts: jobs of lognormal laws apart, so that they are drawn in vector registers."""

    normal: NDArray[np.int64]
    """Jobs of lognormal laws."""
    first_keys: NDArray[np.uint32]
    """Two keys of each of these, at the level of the chunk."""
    second_keys: NDArray[np.uint32]
    scales: NDArray[np.float64]
    offsets: NDArray[np.int64]
    steps: NDArray[np.int64]
    """Jobs of several times."""
    constant: NDArray[np.int64]
    """Jobs of one time."""
    differ: NDArray[np.int64]
    """Jobs whose failed attempts have a law of their own."""


@intrinsic
def _lowest(typing_context: Any, value: Any) -> Any:
    """Count the zeros below the lowest bit that is set; there is one."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.uint64(types.uint64), generate


@numba.njit(inline="always")
def _freed(waits_for, ready, rank, shift):
    """Count one need less; give the summary bit where it was the last, and note that it may start."""
    left = int32(waits_for[rank] - int32(1))
    waits_for[rank] = left
    may = uint64(left == 0)
    word = rank >> 6
    ready[word] |= may << uint64(rank & 63)
    return may << uint64(word >> shift)


@compiled
def _draw_first(first, times, trial, failed, bit, drawn):
    """Draw what happens to all first attempts of a trial; `failed` has its bits, by job."""
    spread = mixed(uint32(trial), NONE, NONE)
    intercepts, slopes = times.intercepts, times.slopes
    normal, scales, offsets = first.normal, first.scales, first.offsets
    first_keys, second_keys = first.first_keys, first.second_keys
    if normal.size == drawn.size:
        for v in range(drawn.size):
            ticks = ticks_at(mixed(spread, first_keys[v], second_keys[v]), scales[v], offsets[v], intercepts, slopes)
            drawn[v] = -1.0 - ticks if uint32(failed[v] >> bit) & uint32(1) else ticks
    else:
        for i in range(normal.size):
            ticks = ticks_at(mixed(spread, first_keys[i], second_keys[i]), scales[i], offsets[i], intercepts, slopes)
            v = normal[i]
            drawn[v] = -1.0 - ticks if uint32(failed[v] >> bit) & uint32(1) else ticks
        for i in range(first.constant.size):
            v = first.constant[i]
            ticks = times.times[times.offsets[v]]
            drawn[v] = -1.0 - ticks if uint32(failed[v] >> bit) & uint32(1) else ticks
        for i in range(first.steps.size):
            v = first.steps[i]
            ticks = ticks_of(times, v, _number(times, v, spread, trial))
            drawn[v] = -1.0 - ticks if uint32(failed[v] >> bit) & uint32(1) else ticks
    for i in range(first.differ.size):
        v = first.differ[i]
        if drawn[v] < 0.0:
            drawn[v] = -1.0 - ticks_of(times, v + times.differ.size, _number(times, v, spread, trial))


@numba.njit(inline="always")
def _number(times, v, spread, trial):
    both = key(times.keys[v, 0], 1 + (trial >> 32))
    return mixed(spread, uint32(both), uint32(both >> uint64(32)))


@compiled
def _trace(queue, tail, starts, finishes, lets, lasts, log, critical, marks):
    """Count who is critical: see :mod:`seqkit.analysis.schedule.tracing`."""
    n = queue.rank.size
    v = tail
    while v >= 0:
        critical[1, v] += 1
        marks[v] |= 2
        latest, need = int64(0), int64(-1)
        for i in range(queue.first_need[v], queue.first_need[v + 1]):
            other = queue.needs[i]
            if finishes[other] >= latest:
                latest, need = finishes[other], other
        v = need
    one = lasts[tail] if tail >= 0 else _NOBODY
    counts = True
    while one != _NOBODY:
        v = one if one < n else log[one - n, 0]
        if counts and not marks[v] & 1:
            marks[v] |= 1
            critical[0, v] += 1
        due, need = int64(0), int64(-1)
        if one < n:
            for i in range(queue.first_need[v], queue.first_need[v + 1]):
                other = queue.needs[i]
                if finishes[other] >= due:
                    due, need = finishes[other], other
            start, let_by, before = starts[v], lets[v], (_NOBODY if need < 0 else lasts[need])
        else:
            start, due, before, let_by = log[one - n, 1], log[one - n, 2], log[one - n, 3], log[one - n, 4]
        counts = True
        if start == due:
            one = before
        elif let_by < 0:  # an interval was in the way
            one, counts = ~let_by, False
        else:
            one = let_by


@compiled
def _grown(log):
    larger = np.empty((2 * log.shape[0], log.shape[1]), np.int64)
    larger[: log.shape[0]] = log
    return larger


@compiled
def _trials(  # noqa: PLR0912, PLR0915  # the loop; to call out costs more than it does
    chances, times, queue, rules, first_draws, first, end, n_released, critical, marks, starts, finishes, statuses
):
    n, trials = queue.rank.size, end.size
    traced, detailed = critical.shape[0] > 0, starts.shape[0] > 0
    told = traced or detailed
    lanes = rules.lanes if 0 < rules.lanes < n else n
    single = rules.lanes == 1
    interval, stop_at, deadline, attempts, frees = (
        rules.interval,
        rules.stop_at,
        rules.deadline,
        rules.attempts,
        rules.frees,
    )
    rank, by_rank, four, first_more, more = queue.rank, queue.by_rank, queue.four, queue.first_more, queue.more
    words = queue.roots.size
    shift = 0  # words of bits that a bit of the summary stands for, as a power of two
    while words > 64 << shift:
        shift += 1
    bits = 1
    while n >> bits:
        bits += 1
    mask = (_ONE << uint64(bits)) - _ONE
    root_summary = uint64(0)
    for w in range(words):
        if queue.roots[w]:
            root_summary |= _ONE << uint64(w >> shift)

    drawn = np.empty(n)
    waits_for, ready = np.empty(n + 1, np.int32), np.empty(words, np.uint64)
    runs = np.empty(lanes + 1, np.uint64)
    waiting = np.empty(n + 1, np.uint64)
    number = np.ones(n, np.int64)
    start, finish = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    status, mark = np.zeros(n, np.int8), np.zeros(n, np.int8)
    lets, lasts, dues = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros(n, np.int64)
    log = np.empty((64, 5), np.int64)  # attempts after the first: job, start, due, the attempt before, what let it
    rows = np.empty((n, 2 * WORDS), np.uint32)
    failed = np.empty((2 * WORDS, n), np.uint32)
    drawn_from = int64(-1)

    for t in range(trials):
        trial = first + t
        if drawn_from < 0 or (trial >> 6) >= drawn_from + WORDS:
            drawn_from = trial >> 6
            first_failures(chances, drawn_from, WORDS, rows)
            for v in range(n):
                for lane in range(2 * WORDS):
                    failed[lane, v] = rows[v, lane]
        lane = ((trial >> 5) & 1) * WORDS + ((trial >> 6) - drawn_from)
        _draw_first(first_draws, times, trial, failed[lane], uint32(trial & 31), drawn)
        waits_for[:] = queue.waits_for
        ready[:] = queue.roots
        summary = root_summary
        running, n_waiting, failures, released, logged, retried = 0, 0, 0, 0, 0, False
        now, last_start, last_end = int64(0), int64(-1), int64(0)
        ended, started, tail, tail_at = _NOBODY, int64(0), int64(-1), int64(-1)
        if detailed:
            start[:] = -1
            finish[:] = -1
            status[:] = NOT_STARTED
        while True:
            # ---------------------------------------------- who starts
            if n_waiting:
                while n_waiting and int64(waiting[n_waiting - 1] >> uint64(bits)) <= now:
                    n_waiting -= 1
                    place = rank[int64(waiting[n_waiting] & mask)]
                    ready[place >> 6] |= _ONE << uint64(place & 63)
                    summary |= _ONE << uint64((place >> 6) >> shift)
            while summary and running < lanes:
                if interval and last_start >= 0 and now < last_start + interval:
                    break
                group = int64(_lowest(summary))
                word = group << shift
                while not ready[word]:
                    word += 1
                line = ready[word]
                v = int64(by_rank[(word << 6) + int64(_lowest(line))])
                line &= line - _ONE
                ready[word] = line
                if not line:
                    if shift:
                        for w in range(word + 1, min((group + 1) << shift, words)):
                            line |= ready[w]
                    summary &= ~(uint64(line == 0) << uint64(group))
                ticks = drawn[v]
                ticks = -1.0 - ticks if ticks < 0.0 else ticks
                if told or deadline >= 0 or interval:
                    one = v
                    if number[v] > 1:
                        one = n + logged
                        if logged == log.shape[0]:
                            log = _grown(log)
                        log[logged, 0], log[logged, 1], log[logged, 2], log[logged, 3] = v, now, dues[v], lasts[v]
                        logged += 1
                    else:
                        start[v] = now
                    let_by = ended
                    if interval and last_start >= 0 and now == last_start + interval:
                        let_by = ~started
                    if one < n:
                        lets[v] = let_by
                    else:
                        log[one - n, 4] = let_by
                    lasts[v], started, last_start = one, one, now
                entry = (uint64(now + int64(ticks)) << uint64(bits)) | uint64(v)
                i = running
                while i > 0 and runs[i - 1] < entry:
                    runs[i] = runs[i - 1]
                    i -= 1
                runs[i] = entry
                running += 1

            # ---------------------------------------------- when something is next
            if running:
                now = int64(runs[running - 1] >> uint64(bits))
                ends = now
            else:
                now, ends = _NEVER, _NEVER
            if n_waiting:
                now = min(now, int64(waiting[n_waiting - 1] >> uint64(bits)))
            if interval and summary and running < lanes:
                now = min(now, last_start + interval)
            if now >= LATEST:
                if now == _NEVER:
                    break
                return True

            # ---------------------------------------------- what ends
            if ends == now:
                last_end = now
            while ends == now:
                running -= 1
                v = int64(runs[running] & mask)
                frees_now = drawn[v] >= 0.0
                if told:
                    ended = lasts[v]
                    finish[v] = now
                    if now > tail_at or v > tail:
                        tail, tail_at = v, now
                if frees_now:
                    released += 1
                    if told:
                        status[v] = RELEASED
                else:
                    again = number[v] < attempts and not 0 < stop_at <= failures
                    if again:
                        wait, next_ = attempt(chances, times, v, number[v] + 1, trial)
                        again = deadline < 0 or now - start[v] + wait <= deadline
                        if again:
                            number[v] += 1
                            drawn[v] = next_
                            retried = True
                            dues[v] = now + wait
                            entry = (uint64(dues[v]) << uint64(bits)) | uint64(v)
                            if single:  # it keeps the lane: nobody else runs, and nothing else can happen
                                begins = dues[v]
                                if interval:
                                    begins = max(begins, last_start + interval)
                                if told or interval:
                                    if logged == log.shape[0]:
                                        log = _grown(log)
                                    let_by = ended
                                    if interval and begins == last_start + interval:
                                        let_by = ~started
                                    log[logged, 0], log[logged, 1], log[logged, 2] = v, begins, dues[v]
                                    log[logged, 3], log[logged, 4] = lasts[v], let_by
                                    lasts[v], started, last_start = n + logged, n + logged, begins
                                    logged += 1
                                ticks = -1.0 - next_ if next_ < 0.0 else next_
                                if begins >= LATEST:
                                    return True
                                runs[running] = (uint64(begins + int64(ticks)) << uint64(bits)) | uint64(v)
                                running += 1
                                break
                            i = n_waiting
                            while i > 0 and waiting[i - 1] < entry:
                                waiting[i] = waiting[i - 1]
                                i -= 1
                            waiting[i] = entry
                            n_waiting += 1
                    if not again:
                        failures += 1
                        if told:
                            status[v] = FAILED
                        frees_now = frees
                if frees_now:
                    for j in range(4):
                        summary |= _freed(waits_for, ready, int64(four[v, j]), shift)
                    for i in range(first_more[v], first_more[v + 1]):
                        summary |= _freed(waits_for, ready, int64(more[i]), shift)
                ends = int64(runs[running - 1] >> uint64(bits)) if running else _NEVER
            if 0 < stop_at <= failures:  # nothing starts any more, and what waits has failed
                if detailed and retried:
                    for i in range(n_waiting):
                        v = int64(waiting[i] & mask)
                        status[v], finish[v] = FAILED, now
                    for v in range(n):
                        if number[v] > 1 and (ready[rank[v] >> 6] >> uint64(rank[v] & 63)) & _ONE:
                            status[v], finish[v] = FAILED, now
                summary, n_waiting = uint64(0), 0
                ready[:] = 0

        end[t] = last_end
        n_released[t] = released
        if traced:
            mark[:] = 0
            _trace(queue, tail, start, finish, lets, lasts, log, critical, mark)
        if detailed:
            starts[t], finishes[t], statuses[t], marks[t] = start, finish, status, mark
        if retried:
            number[:] = 1
    return False


def run(problem: Problem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on, which lie between two multiples of 2**32."""
    n = problem.n
    end, n_released = np.zeros(trials, np.int64), np.zeros(trials, np.int32)
    critical = np.zeros((2 if criticality else 0, n), np.int64)
    shape = (trials if details else 0, n)
    starts, finishes = np.full(shape, -1, np.int64), np.full(shape, -1, np.int64)
    statuses, marks = np.full(shape, NOT_STARTED, np.int8), np.zeros(shape, np.int8)
    rules = Rules(
        problem.lanes, problem.interval, problem.attempts, problem.deadline, problem.frees, problem.stop_at
    )
    endless = _trials(
        chances_of(problem),
        times_of(problem),
        _queue(problem),
        rules,
        _first(problem, first),
        first,
        end,
        n_released,
        critical,
        marks,
        starts,
        finishes,
        statuses,
    )
    if endless:
        raise too_long()
    counts = critical if criticality else np.zeros((2, n), np.int64)
    return Ends(first, end, n_released, counts, Details(starts, finishes, statuses, marks) if details else None)


def _queue(problem: Problem) -> Queue:
    n, starts = problem.n, problem.first_dependent
    four, more = np.full((n, 4), n, np.int32), []
    first_more = np.zeros(n + 1, np.int64)
    freed = problem.rank[problem.dependents]
    for job in range(n):
        mine = freed[starts[job] : starts[job + 1]]
        four[job, : min(4, len(mine))] = mine[:4]
        more.extend(mine[4:].tolist())
        first_more[job + 1] = len(more)
    waits_for = np.append(np.diff(problem.first_need)[problem.by_rank], _FREED).astype(np.int32)
    roots = np.zeros((n >> 6) + 1, np.uint64)
    for place in np.flatnonzero(waits_for == 0).tolist():
        roots[place >> 6] |= np.uint64(1 << (place & 63))
    return Queue(
        problem.rank.astype(np.int32),
        problem.by_rank.astype(np.int32),
        waits_for,
        four,
        first_more,
        np.array(more, np.int32),
        roots,
        problem.first_need,
        problem.needs,
    )


def _first(problem: Problem, first: int) -> First:
    laws, n = problem.laws, problem.n
    counts = laws.counts[:n]
    normal = np.flatnonzero(counts == 0).astype(np.int64)
    keys = level_keys(problem.keys[normal, 0], 1 + (first >> 32))
    return First(
        normal,
        *keys,
        laws.scales[normal],
        laws.offsets[normal],
        np.flatnonzero(counts > 1).astype(np.int64),
        np.flatnonzero(counts == 1).astype(np.int64),
        np.flatnonzero(laws.differ).astype(np.int64),
    )
