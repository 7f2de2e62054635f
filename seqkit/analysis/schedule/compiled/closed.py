"""Runs without a limit of lanes, compiled: the closed form of :mod:`seqkit.analysis.schedule.closed`, in registers.

Times are doubles that hold whole numbers, infinite where a job is not freed: maxima and sums of doubles are vector
instructions everywhere. Trials go in rows of some hundred, so that the rows of all jobs stay in the cache.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"

from __future__ import annotations

import numpy as np
from numba import int64, uint32, uint64

from seqkit.analysis.montecarlo.numba_draws import NONE, compiled, key, mixed
from seqkit.analysis.schedule.compiled.attempts import (
    WORDS,
    attempt,
    chances_of,
    clipped,
    first_failures,
    place,
    ticks_of,
    times_of,
)
from seqkit.analysis.schedule.compiled.retries import opened
from seqkit.analysis.schedule.ends import FAILED, NOT_STARTED, RELEASED, Details, Ends, joined, too_long, turns
from seqkit.analysis.schedule.problem import LATEST, ScheduleProblem

__all__ = ["run"]

_CACHE = 1 << 16  # doubles of all rows: half a megabyte
_INFINITE = np.inf


@compiled
def _drawn(count, offset, scale, values, intercepts, slopes, first, second, xs, cells, out):
    """Draw how long the first attempt at a job takes, as if it succeeded: three loops, of which vectors take two."""
    size = out.size
    if count == 1:
        constant = values[offset]
        for b in range(size):
            out[b] = constant
        return
    if count:
        for b in range(size):
            chosen = (uint64(mixed(xs[b], first, second)) * uint64(count)) >> uint64(32)
            out[b] = values[offset + int64(chosen)]
        return
    for b in range(size):
        cell, x = place(mixed(xs[b], first, second))
        cells[b] = cell + offset
        out[b] = x
    for b in range(size):
        cell = uint64(cells[b])
        out[b] = intercepts[cell] + slopes[cell] * out[b]
    for b in range(size):
        out[b] = np.floor(clipped(scale * out[b] + 0.5))


@compiled
def _mended(chances, times, v, attempts, deadline, windows, began, trial, took, number):
    """Follow a job whose first attempt failed to its end: how long all takes, as an attempt is told; if it was held."""
    held = False
    if times.differ[v]:
        took = ticks_of(times, v + times.differ.size, number)
    for again in range(2, attempts + 1):
        wait, told = attempt(chances, times, v, again, trial)
        if 0 <= deadline < int64(took) + wait:
            break
        if windows is not None:
            due = int64(began + took) + wait
            put_off = opened(windows, due) - due
            held = held or put_off > 0
            wait += put_off
        if told >= 0.0:
            return took + float(wait) + told, held
        took += float(wait) - 1.0 - told
    return -1.0 - took, held


@compiled
def _rows(  # noqa: PLR0912, PLR0915  # one pass over the jobs; to call out costs more than it does
    chances,
    times,
    first_need,
    needs,
    attempts,
    deadline,
    windows,
    frees,
    size,
    first,
    trials,
    end,
    n_released,
    critical,
    marks,
    starts,
    finishes,
    statuses,
):
    n = first_need.size - 1
    # Where there are no windows, what asks for them is not compiled.
    traced, detailed = critical.shape[0] > 0, starts.shape[0] > 0
    kept = n if traced or detailed else 1
    open_ = np.empty((n, size))
    begin, ended = np.empty((kept, size)), np.empty((kept, size))
    if windows is not None:
        held = np.empty((kept, size), np.bool_)
    fails = np.empty((n, 2 * WORDS), np.uint32)
    best, released, took = np.empty(size), np.empty(size), np.empty(size)
    tail, cells = np.empty(size, np.int64), np.empty(size, np.int64)
    xs = np.empty(size, np.uint32)
    keys = np.empty((n, 2), np.uint32)
    level = int64(1) + (first >> 32)
    for v in range(n):
        both = key(times.keys[v, 0], level)
        keys[v, 0], keys[v, 1] = uint32(both), uint32(both >> uint64(32))
    special = attempts > 1
    for v in range(n):
        special = special or times.differ[v]
    at = first - (first & 63)
    last = first + trials
    word = WORDS
    while at < last:
        if word == WORDS:
            first_failures(chances, at >> 6, WORDS, fails)
            word = 0
        for b in range(size):
            xs[b] = mixed(uint32(at + b), NONE, NONE)
            best[b], released[b] = 0.0, 0.0
        for v in range(n):
            row = v if kept > 1 else 0
            began, done, out = begin[row], ended[row], open_[v]
            for b in range(size):
                began[b] = 0.0
            for i in range(first_need[v], first_need[v + 1]):
                other = open_[needs[i]]
                for b in range(size):
                    began[b] = other[b] if other[b] > began[b] else began[b]
            if windows is not None:
                for b in range(size):
                    held[row, b] = False
                    if began[b] < LATEST:
                        moment = float(opened(windows, int64(began[b])))
                        held[row, b] = moment > began[b]
                        began[b] = moment
            _drawn(
                times.counts[v],
                times.offsets[v],
                times.scales[v],
                times.times,
                times.intercepts,
                times.slopes,
                keys[v, 0],
                keys[v, 1],
                xs,
                cells,
                took,
            )
            for segment in range(size >> 5):
                bits = fails[v, (segment & 1) * WORDS + word + (segment >> 1)]
                offset = segment << 5
                if special and bits:
                    for i in range(32):
                        b = offset + i
                        if (bits >> uint32(i)) & uint32(1):
                            told = 0.0
                            if began[b] < _INFINITE:
                                number = mixed(xs[b], keys[v, 0], keys[v, 1])
                                told, again_held = _mended(
                                    chances, times, v, attempts, deadline, windows, began[b], at + b, took[b], number
                                )
                                if windows is not None:
                                    held[row, b] = held[row, b] or again_held
                            if told >= 0.0:
                                bits = uint32(bits & ~uint32(uint32(1) << uint32(i)))
                                took[b] = told
                            else:
                                took[b] = -1.0 - told
                    fails[v, (segment & 1) * WORDS + word + (segment >> 1)] = bits
                for i in range(32):
                    b = offset + i
                    failed = uint32((bits >> uint32(i)) & uint32(1)) != NONE
                    finish = began[b] + took[b]
                    done[b] = finish
                    out[b] = _INFINITE if failed and not frees else finish
                    ran = finish < _INFINITE
                    best[b] = finish if ran and finish > best[b] else best[b]
                    released[b] += 0.0 if failed or not ran else 1.0
            if detailed:
                for b in range(size):
                    trial = at + b - first
                    if 0 <= trial < trials and done[b] < _INFINITE:
                        failed = (fails[v, ((b >> 5) & 1) * WORDS + word + (b >> 6)] >> uint32(b & 31)) & uint32(1)
                        starts[trial, v], finishes[trial, v] = int64(began[b]), int64(done[b])
                        statuses[trial, v] = FAILED if failed else RELEASED
        for b in range(max(first - at, 0), min(size, last - at)):
            end[at + b - first] = int64(best[b])
            n_released[at + b - first] = int64(released[b])
        if traced:
            for b in range(size):
                tail[b] = -1
            for v in range(n):
                for b in range(size):
                    tail[b] = v if ended[v, b] == best[b] else tail[b]
            for b in range(max(first - at, 0), min(size, last - at)):
                v = tail[b]
                by_all = True
                while v >= 0:
                    critical[1, v] += 1
                    critical[0, v] += by_all
                    if detailed:
                        marks[at + b - first, v] = 3 if by_all else 2
                    if windows is not None:
                        by_all = by_all and not held[v, b]
                    latest, let_by = 0.0, int64(-1)
                    for i in range(first_need[v], first_need[v + 1]):
                        if ended[needs[i], b] >= latest:
                            latest, let_by = ended[needs[i], b], needs[i]
                    v = let_by  # type: ignore[assignment]  # numba's integers
        at += size
        word += size >> 6


def run(problem: ScheduleProblem, first: int, trials: int, criticality: bool = False, details: bool = False) -> Ends:
    """Run the trials from `first` on, at least one; of a problem that is `closed`."""
    return joined([_run(problem, at, some, criticality, details) for at, some in turns(first, trials)])


def _run(problem: ScheduleProblem, first: int, trials: int, criticality: bool, details: bool) -> Ends:
    n = problem.n
    size = 64
    while size < 64 * WORDS and 2 * size * n <= _CACHE and size < trials:
        size *= 2
    end, n_released = np.zeros(trials, np.int64), np.zeros(trials, np.int32)
    critical = np.zeros((2 if criticality else 0, n), np.int64)
    shape = (trials if details else 0, n)
    starts, finishes = np.full(shape, -1, np.int64), np.full(shape, -1, np.int64)
    statuses, marks = np.full(shape, NOT_STARTED, np.int8), np.zeros(shape, np.int8)
    _rows(
        chances_of(problem),
        times_of(problem),
        problem.first_need,
        problem.needs,
        problem.attempts,
        problem.deadline,
        problem.windows if len(problem.windows) else None,
        problem.frees,
        size,
        first,
        trials,
        end,
        n_released,
        critical,
        marks,
        starts,
        finishes,
        statuses,
    )
    if (end >= LATEST).any():
        raise too_long()
    counts = critical if criticality else np.zeros((2, n), np.int64)
    return Ends(first, end, n_released, counts, Details(starts, finishes, statuses, marks) if details else None)
