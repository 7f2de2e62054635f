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

from dataclasses import replace
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import int32, int64, types, uint32, uint64, uintp
from numba.extending import intrinsic
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.numba_draws import NONE, compiled, key, mixed
from seqkit.analysis.montecarlo.numpy_draws import level_keys
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, Details, Ends, too_long
from seqkit.analysis.schedule.numba_attempts import (
    WORDS,
    attempt,
    chances_of,
    clipped,
    first_failures,
    place,
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
_LOST, _WAITS = -1, -2  # what may follow a failed attempt
_WAITING, _LOGGED, _STARTED, _LAST_START, _RETRIED = range(5)  # in a state: how many wait, have been logged; who
# started last and when, and whether any was tried again


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


class Trail(NamedTuple):
    """What is kept of a trial, where that is asked for, or an interval or a deadline needs it.

    A first attempt is told by its job, one after that by n plus its row of `log`.
    """

    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    status: NDArray[np.int8]
    mark: NDArray[np.int8]
    lets: NDArray[np.int64]
    """[n] what let the first attempt start: an attempt; of one that an interval was in the way of, the inverse."""
    lasts: NDArray[np.int64]
    """[n] the last attempt at each job."""
    dues: NDArray[np.int64]
    """[n] when the attempt could start that waits."""
    log: NDArray[np.int64]
    """Attempts after the first: job, start, when it could start, the attempt before, and what let it start."""


class Told(NamedTuple):
    """As :class:`seqkit.analysis.schedule.ends.Details`."""

    start: NDArray[np.int64]
    finish: NDArray[np.int64]
    status: NDArray[np.int8]
    critical: NDArray[np.int8]


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
    word = rank >> uintp(6)
    ready[word] |= may << (rank & uintp(63))
    return may << uint64(word >> uintp(shift))


@compiled
def _draw_normal(first_keys, second_keys, scales, offsets, intercepts, slopes, spread, cells, xs, ticks):
    """Draw how long first attempts of lognormal laws take: two loops, of which vectors take one.

    Arrays one by one: to hand over tuples of them costs as much as to draw for fifty jobs.
    """
    n = scales.size
    for i in range(n):
        cell, x = place(mixed(spread, first_keys[i], second_keys[i]))
        cells[i] = cell + offsets[i]
        xs[i] = x
    for i in range(n):
        cell = uintp(cells[i])
        ticks[i] = int64(clipped(scales[i] * (intercepts[cell] + slopes[cell] * xs[i]) + 0.5))


@compiled
def _fail(failed, bit, drawn):
    for v in range(drawn.size):
        drawn[v] ^= -int64((failed[v] >> bit) & uint32(1))


@compiled
def _draw_others(first, times, trial, spread, normal, drawn):
    """Draw how long the other first attempts take."""
    for i in range(first.normal.size):
        drawn[first.normal[i]] = normal[i]
    for i in range(first.constant.size):
        v = first.constant[i]
        drawn[v] = int64(times.times[times.offsets[v]])
    for i in range(first.steps.size):
        v = first.steps[i]
        drawn[v] = int64(ticks_of(times, v, _number(times, v, spread, trial)))


@compiled
def _draw_failed(first, times, trial, spread, drawn):
    """Draw anew how long first attempts take that fail by laws of their own."""
    for i in range(first.differ.size):
        v = first.differ[i]
        if drawn[v] < 0:
            drawn[v] = -1 - int64(ticks_of(times, v + times.differ.size, _number(times, v, spread, trial)))


@numba.njit(inline="always")
def _number(times, v, spread, trial):
    both = key(times.keys[v, 0], 1 + (trial >> 32))
    return mixed(spread, uint32(both), uint32(both >> uint64(32)))


@compiled
def _trace(queue, trail, tail, critical, marks):
    """Count who is critical: see :mod:`seqkit.analysis.schedule.tracing`."""
    n = queue.rank.size
    start, finish, lets, lasts, log = trail.start, trail.finish, trail.lets, trail.lasts, trail.log
    v = tail
    while v >= 0:
        critical[1, v] += 1
        marks[v] |= 2
        latest, need = int64(0), int64(-1)
        for i in range(queue.first_need[v], queue.first_need[v + 1]):
            other = queue.needs[i]
            if finish[other] >= latest:
                latest, need = finish[other], other
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
                if finish[other] >= due:
                    due, need = finish[other], other
            began, let_by, before = start[v], lets[v], (_NOBODY if need < 0 else lasts[need])
        else:
            began, due, before, let_by = log[one - n, 1], log[one - n, 2], log[one - n, 3], log[one - n, 4]
        counts = True
        if began == due:
            one = before
        elif let_by < 0:  # an interval was in the way
            one, counts = ~let_by, False
        else:
            one = let_by


@compiled
def _note_start(start, lets, lasts, log, interval, number, v, now, due, ended, state):
    """Keep what let an attempt start, in what a trail has."""
    let_by, one = ended, v
    if interval and state[_LAST_START] >= 0 and now == state[_LAST_START] + interval:
        let_by = ~state[_STARTED]
    if number[v] > 1:
        row = state[_LOGGED]
        one = number.size + row
        log[row, 0], log[row, 1], log[row, 2], log[row, 3], log[row, 4] = v, now, due, lasts[v], let_by
        state[_LOGGED] += 1
    else:
        start[v] = now
        lets[v] = let_by
    lasts[v] = one
    state[_STARTED], state[_LAST_START] = one, now


@compiled
def _try_again(chances, times, rules, trail, v, now, trial, number, drawn, waiting, bits, state):
    """Say what follows a failed attempt: _LOST where nothing does, _WAITS, or when the next one ends in a single lane.

    A single lane is kept: nobody else runs, and nothing else can happen.
    """
    wait, told = attempt(chances, times, v, number[v] + 1, trial)
    next_ = int64(told)
    if trail is not None:
        if 0 <= rules.deadline < now - trail.start[v] + wait:
            return _LOST
    number[v] += 1
    drawn[v] = next_
    state[_RETRIED] = 1
    due = now + wait
    if rules.lanes == 1:
        if trail is not None:
            ended = trail.lasts[v]
            begins = due
            if rules.interval:
                begins = max(due, state[_LAST_START] + rules.interval)
            _note_start(
                trail.start,
                trail.lets,
                trail.lasts,
                trail.log,
                rules.interval,
                number,
                v,
                begins,
                due,
                ended,
                state,
            )
            due = begins
        return due + (next_ ^ (next_ >> 63))
    entry = (uint64(due) << uint64(bits)) | uint64(v)
    i = state[_WAITING]
    while i > 0 and waiting[i - 1] < entry:
        waiting[i] = waiting[i - 1]
        i -= 1
    waiting[i] = entry
    state[_WAITING] += 1
    if trail is not None:
        trail.dues[v] = due
    return _WAITS


@compiled
def _line_up_due(rank, ready, shift, waiting, bits, now, state):
    """Let those line up whose waits are over; give their bits of the summary."""
    summary = uint64(0)
    mask = (_ONE << uint64(bits)) - _ONE
    n_waiting = state[_WAITING]
    while n_waiting and int64(waiting[n_waiting - 1] >> uint64(bits)) <= now:
        n_waiting -= 1
        place = int64(rank[int64(waiting[n_waiting] & mask)])
        ready[place >> 6] |= _ONE << uint64(place & 63)
        summary |= _ONE << uint64((place >> 6) >> shift)
    state[_WAITING] = n_waiting
    return summary


@compiled
def _give_up(rank, ready, number, waiting, bits, now, trail, state):
    """Stop: nothing starts any more, and what waits has failed."""
    mask = (_ONE << uint64(bits)) - _ONE
    if trail is not None:
        for i in range(state[_WAITING]):
            v = int64(waiting[i] & mask)
            trail.status[v], trail.finish[v] = FAILED, now
        for v in range(number.size):
            if number[v] > 1 and (ready[rank[v] >> 6] >> uint64(rank[v] & 63)) & _ONE:
                trail.status[v], trail.finish[v] = FAILED, now
    ready[:] = 0
    state[_WAITING] = 0


@compiled
def _trials(  # noqa: PLR0912, PLR0915  # the loop; to call out costs more than it does
    chances, times, queue, rules, first_draws, trail, first, end, n_released, critical, told
):
    n, trials = queue.rank.size, end.size
    lanes = rules.lanes if 0 < rules.lanes < n else n
    interval, stop_at, attempts, frees = rules.interval, rules.stop_at, rules.attempts, rules.frees
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

    first_keys, second_keys = first_draws.first_keys, first_draws.second_keys
    scales, offsets, intercepts, slopes = first_draws.scales, first_draws.offsets, times.intercepts, times.slopes
    mixed_laws = scales.size < n
    drawn = np.empty(n, np.int64)
    normal = np.empty(scales.size, np.int64) if mixed_laws else drawn
    cells, xs = np.empty(n, np.int64), np.empty(n)
    waits_for, ready = np.empty(n + 1, np.int32), np.empty(words, np.uint64)
    runs, waiting = np.empty(lanes + 1, np.uint64), np.empty(n + 1, np.uint64)
    number = np.ones(n, np.int64)
    state = np.zeros(5, np.int64)
    if trail is not None:
        start, finish, status = trail.start, trail.finish, trail.status
        lets, lasts, dues, log = trail.lets, trail.lasts, trail.dues, trail.log
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
        spread = mixed(uint32(trial), NONE, NONE)
        _draw_normal(first_keys, second_keys, scales, offsets, intercepts, slopes, spread, cells, xs, normal)
        if mixed_laws:
            _draw_others(first_draws, times, trial, spread, normal, drawn)
        _fail(failed[lane], uint32(trial & 31), drawn)
        if first_draws.differ.size:
            _draw_failed(first_draws, times, trial, spread, drawn)
        waits_for[:] = queue.waits_for
        ready[:] = queue.roots
        summary = root_summary
        running, failures, released = 0, 0, 0
        now, last_end = int64(0), int64(0)
        state[_WAITING], state[_LOGGED], state[_LAST_START], state[_RETRIED] = 0, 0, -1, 0
        ended, tail, tail_at = _NOBODY, int64(-1), int64(-1)
        if trail is not None:
            start[:] = -1
            finish[:] = -1
            status[:] = NOT_STARTED
        while True:
            # ---------------------------------------------- who starts
            if state[_WAITING]:
                summary |= _line_up_due(rank, ready, shift, waiting, bits, now, state)
            while summary and running < lanes:
                if trail is not None:
                    if interval and state[_LAST_START] >= 0 and now < state[_LAST_START] + interval:
                        break
                group = int64(_lowest(summary))
                word = group << shift
                while not ready[word]:
                    word += 1
                line = ready[word]
                v = (word << 6) + int64(_lowest(line))
                if trail is not None:
                    v = int64(by_rank[v])
                line &= line - _ONE
                ready[word] = line
                if shift:
                    for w in range(word + 1, min((group + 1) << shift, words)):
                        line |= ready[w]
                summary &= ~(uint64(line == 0) << uint64(group))
                if trail is not None:
                    if interval or number[v] > 1:
                        _note_start(start, lets, lasts, log, interval, number, v, now, dues[v], ended, state)
                    else:
                        start[v], lets[v], lasts[v] = now, ended, v
                ticks = drawn[v] ^ (drawn[v] >> 63)  # -1 - ticks where it fails
                entry = (uint64(now + ticks) << uint64(bits)) | uint64(v)
                i = running
                while i > 0 and runs[i - 1] < entry:
                    runs[i] = runs[i - 1]
                    i -= 1
                runs[i] = entry
                running += 1

            # ---------------------------------------------- when something is next
            ends = int64(runs[running - 1] >> uint64(bits)) if running else _NEVER
            now = ends
            if state[_WAITING]:
                now = min(now, int64(waiting[state[_WAITING] - 1] >> uint64(bits)))
            if trail is not None:
                if interval and summary and running < lanes:
                    now = min(now, state[_LAST_START] + interval)
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
                frees_now = drawn[v] >= 0
                if trail is not None:
                    ended = lasts[v]
                    finish[v] = now
                    status[v] = RELEASED if frees_now else FAILED
                    if now > tail_at or v > tail:
                        tail, tail_at = v, now
                released += frees_now
                if not frees_now:
                    next_end = _LOST
                    if number[v] < attempts and not 0 < stop_at <= failures:
                        next_end = _try_again(
                            chances, times, rules, trail, v, now, trial, number, drawn, waiting, bits, state
                        )
                    if next_end == _LOST:
                        failures += 1
                        frees_now = frees
                    elif next_end >= LATEST:
                        return True
                    elif next_end != _WAITS:
                        runs[running] = (uint64(next_end) << uint64(bits)) | uint64(v)
                        running += 1
                        break
                if frees_now:
                    for j in range(4):
                        summary |= _freed(waits_for, ready, uintp(four[v, j]), shift)
                    for i in range(first_more[v], first_more[v + 1]):
                        summary |= _freed(waits_for, ready, uintp(more[i]), shift)
                ends = int64(runs[running - 1] >> uint64(bits)) if running else _NEVER
            if 0 < stop_at <= failures:
                _give_up(rank, ready, number, waiting, bits, now, trail, state)
                summary = uint64(0)

        end[t] = last_end
        n_released[t] = released
        if trail is not None:
            trail.mark[:] = 0
            if critical.shape[0]:
                _trace(queue, trail, tail, critical, trail.mark)
            if told.start.shape[0]:
                told.start[t], told.finish[t], told.status[t] = trail.start, trail.finish, trail.status
                told.critical[t] = trail.mark
        if state[_RETRIED]:
            number[:] = 1
    return False


def run(problem: Problem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on, which lie between two multiples of 2**32."""
    n = problem.n
    end, n_released = np.zeros(trials, np.int64), np.zeros(trials, np.int32)
    critical = np.zeros((2 if criticality else 0, n), np.int64)
    rules = Rules(
        problem.lanes, problem.interval, problem.attempts, problem.deadline, problem.frees, problem.stop_at
    )
    told = trail = None
    if not (criticality or details or problem.interval or problem.deadline >= 0 or problem.stop_at):
        problem = _by_rank(problem)
    else:
        marks = [np.zeros(n, np.int8) for _ in range(2)]
        times = [np.zeros(n, np.int64) for _ in range(5)]
        trail = Trail(*times[:2], *marks, *times[2:], np.empty((n * (problem.attempts - 1), 5), np.int64))
        rows = trials if details else 0
        told = Told(
            np.empty((rows, n), np.int64),
            np.empty((rows, n), np.int64),
            np.empty((rows, n), np.int8),
            np.empty((rows, n), np.int8),
        )
    endless = _trials(
        chances_of(problem),
        times_of(problem),
        _queue(problem),
        rules,
        _first(problem, first),
        trail,
        first,
        end,
        n_released,
        critical,
        told,
    )
    if endless:
        raise too_long()
    counts = critical if criticality else np.zeros((2, n), np.int64)
    return Ends(first, end, n_released, counts, Details(*told) if details and told is not None else None)


def _by_rank(problem: Problem) -> Problem:
    """Number the jobs by priority instead of plan order, which then matters to nobody: one look-up less a start."""
    line, laws, n = problem.by_rank, problem.laws, problem.n
    both = np.concatenate([line, n + line])
    starts = problem.first_dependent
    dependents = [problem.rank[problem.dependents[starts[job] : starts[job + 1]]] for job in line.tolist()]
    return replace(
        problem,
        items=problem.items[line],
        first_need=np.append(0, np.cumsum(np.diff(problem.first_need)[line])).astype(np.int64),
        first_dependent=np.append(0, np.cumsum(np.diff(starts)[line])).astype(np.int64),
        dependents=np.concatenate([np.empty(0, np.int64), *dependents]),
        by_rank=np.arange(n),
        rank=np.arange(n),
        laws=replace(
            laws,
            counts=laws.counts[both],
            offsets=laws.offsets[both],
            scales=laws.scales[both],
            differ=laws.differ[line],
        ),
        keys=problem.keys[line],
        wait_keys=problem.wait_keys[line],
    )


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
