"""The event loop of a run in lanes, compiled: :mod:`seqkit.analysis.schedule.loop` on bits and packed numbers.

- Who may start is a bit at its rank, words of bits have a summary word: the first in line is the lowest bit.
- What runs is a short array, sorted, of ends packed with jobs, ``end << bits | job``: so the next is the last entry,
  and what ends at one instant comes in plan order.
- Whom a job frees stands in rows of four ranks, filled up with a rank that nothing frees. A counter that reaches 0
  becomes a bit without a branch.
- What happens to an attempt is one number, negative where it fails, so that only failures leave the fast path.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import int32, int64, types, uint32, uint64, uintp
from numba.extending import intrinsic

from seqkit.analysis.montecarlo.numba_draws import NONE, compiled, mixed
from seqkit.analysis.schedule import plain
from seqkit.analysis.schedule.compiled.attempts import WORDS, chances_of, first_failures, times_of
from seqkit.analysis.schedule.compiled.first import draw_failed, draw_normal, draw_others, fail, first_of
from seqkit.analysis.schedule.compiled.queue import numbered_by_rank, queue_of, rules_of
from seqkit.analysis.schedule.compiled.retries import LOST, WAITS, give_up, line_up_due, try_again
from seqkit.analysis.schedule.compiled.trail import (
    LAST_START,
    LOGGED,
    NOBODY,
    RETRIED,
    WAITING,
    ToldArrays,
    note_start,
    trace,
    trail_of,
)
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, Details, Ends, joined, too_long, turns
from seqkit.analysis.schedule.problem import LATEST, ScheduleProblem

__all__ = ["run"]

_MOST_QUEUED = 100_000  # jobs; of more, the end of an attempt and its job do not go into one number
_ONE = uint64(1)
_LAST = np.uint64(np.iinfo(np.uint64).max)


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
def _trials(  # noqa: PLR0912, PLR0915  # the loop; to call out costs more than it does
    chances, times, queue, rules, windows, first_draws, trail, first, end, n_released, critical, told
):
    n, trials = queue.rank.size, end.size
    lanes = rules.lanes if 0 < rules.lanes < n else n
    interval, stop_at, attempts, frees = rules.interval, rules.stop_at, rules.attempts, rules.frees
    rank, by_rank, four, first_more, more = queue.rank, queue.by_rank, queue.four, queue.first_more, queue.more
    # Where there are no windows, what asks for them is not compiled.
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
    runs = np.full(lanes + 2, _LAST)  # the first stays, above all others
    waiting = np.empty(n + 1, np.uint64)
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
        draw_normal(first_keys, second_keys, scales, offsets, intercepts, slopes, spread, cells, xs, normal)
        if mixed_laws:
            draw_others(first_draws, times, trial, spread, normal, drawn)
        fail(failed[lane], uint32(trial & 31), drawn)
        if first_draws.differ.size:
            draw_failed(first_draws, times, trial, spread, drawn)
        waits_for[:] = queue.waits_for
        ready[:] = queue.roots
        summary = root_summary
        running, failures, released = 0, 0, 0
        now, last_end = int64(0), int64(0)
        state[WAITING], state[LOGGED], state[LAST_START], state[RETRIED] = 0, 0, -1, 0
        ended, tail, tail_at = NOBODY, int64(-1), int64(-1)
        if windows is not None:
            window, was_full = 0, False  # the first that is not over; whether all lanes were taken
        if trail is not None:
            start[:] = -1
            finish[:] = -1
            status[:] = NOT_STARTED
        while True:
            # ---------------------------------------------- who starts
            if state[WAITING]:
                summary |= line_up_due(rank, ready, shift, waiting, bits, now, state)
            if windows is not None:
                if trail is not None and not was_full:
                    ended = NOBODY  # no lane was in the way
                while window < windows.shape[0] and windows[window, 1] <= now:
                    window += 1
                frozen = window < windows.shape[0] and windows[window, 0] <= now
            while summary and running < lanes:
                if windows is not None and frozen:
                    break
                if trail is not None and interval and state[LAST_START] >= 0 and now < state[LAST_START] + interval:
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
                        note_start(start, lets, lasts, log, interval, number, v, now, dues[v], ended, state)
                    else:
                        start[v], lets[v], lasts[v] = now, ended, v
                ticks = drawn[v] ^ (drawn[v] >> 63)  # -1 - ticks where it fails
                entry = (uint64(now + ticks) << uint64(bits)) | uint64(v)
                i = uintp(running)
                running += 1
                while runs[i] < entry:
                    runs[i + uintp(1)] = runs[i]
                    i -= uintp(1)
                runs[i + uintp(1)] = entry

            # ---------------------------------------------- when something is next
            ends = int64(runs[uintp(running)] >> uint64(bits))
            now = ends
            if state[WAITING]:
                now = min(now, int64(waiting[state[WAITING] - 1] >> uint64(bits)))
            if windows is not None:
                was_full = running == lanes
            if windows is not None and frozen:
                if summary and not was_full:
                    now = min(now, windows[window, 1])
            elif trail is not None and interval and summary and running < lanes:
                now = min(now, state[LAST_START] + interval)
            if now >= LATEST:
                if running or summary or state[WAITING]:
                    return True
                break

            # ---------------------------------------------- what ends
            if ends == now:
                last_end = now
            while ends == now:
                v = int64(runs[uintp(running)] & mask)
                running -= 1
                frees_now = drawn[v] >= 0
                if trail is not None:
                    ended = lasts[v]
                    finish[v] = now
                    status[v] = RELEASED if frees_now else FAILED
                    if now > tail_at or v > tail:
                        tail, tail_at = v, now
                released += frees_now
                if not frees_now:
                    next_end = LOST
                    if number[v] < attempts and not 0 < stop_at <= failures:
                        next_end = try_again(
                            chances, times, rules, windows, trail, v, now, trial, number, drawn, waiting, bits, state
                        )
                    if next_end == LOST:
                        failures += 1
                        frees_now = frees
                    elif next_end >= LATEST:
                        return True
                    elif next_end != WAITS:
                        running += 1
                        runs[running] = (uint64(next_end) << uint64(bits)) | uint64(v)
                        break
                if frees_now:
                    for j in range(4):
                        summary |= _freed(waits_for, ready, uintp(four[v, j]), shift)
                    for i in range(first_more[v], first_more[v + 1]):
                        summary |= _freed(waits_for, ready, uintp(more[i]), shift)
                ends = int64(runs[uintp(running)] >> uint64(bits))
            if 0 < stop_at <= failures:
                give_up(rank, ready, number, waiting, bits, now, trail, state)
                summary = uint64(0)

        end[t] = last_end
        n_released[t] = released
        if trail is not None:
            trail.mark[:] = 0
            if critical.shape[0]:
                trace(queue, trail, tail, critical, trail.mark)
            if told.start.shape[0]:
                told.start[t], told.finish[t], told.status[t] = trail.start, trail.finish, trail.status
                told.critical[t] = trail.mark
        if state[RETRIED]:
            number[:] = 1
    return False


def run(problem: ScheduleProblem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on, at least one."""
    if problem.n > _MOST_QUEUED:
        return plain.run(problem, first, trials, criticality, details)
    return joined([_run(problem, at, some, criticality, details) for at, some in turns(first, trials)])


def _run(problem: ScheduleProblem, first: int, trials: int, criticality: bool, details: bool) -> Ends:
    n = problem.n
    end, n_released = np.zeros(trials, np.int64), np.zeros(trials, np.int32)
    critical = np.zeros((2 if criticality else 0, n), np.int64)
    told = trail = None
    if not (criticality or details or problem.interval or problem.deadline >= 0 or problem.stop_at):
        problem = numbered_by_rank(problem)
    else:
        trail = trail_of(n, problem.attempts)
        rows = trials if details else 0
        told = ToldArrays(
            np.empty((rows, n), np.int64),
            np.empty((rows, n), np.int64),
            np.empty((rows, n), np.int8),
            np.empty((rows, n), np.int8),
        )
    endless = _trials(
        chances_of(problem),
        times_of(problem),
        queue_of(problem),
        rules_of(problem),
        problem.windows if len(problem.windows) else None,
        first_of(problem, first),
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
