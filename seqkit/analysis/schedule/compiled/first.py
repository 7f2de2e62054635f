"""The first attempts of a trial, compiled: how long they take, drawn for all jobs at once."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba import int64, uint32, uint64, uintp
from numpy.typing import NDArray

from seqkit.analysis.montecarlo.numba_draws import compiled, key, mixed
from seqkit.analysis.montecarlo.numpy_draws import level_keys
from seqkit.analysis.schedule.compiled.attempts import clipped, place, ticks_of
from seqkit.analysis.schedule.problem import ScheduleProblem

__all__ = ["FirstDraws", "draw_failed", "draw_normal", "draw_others", "fail", "first_of"]


class FirstDraws(NamedTuple):
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


@compiled
def draw_normal(first_keys, second_keys, scales, offsets, intercepts, slopes, spread, cells, xs, ticks):
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
def fail(failed, bit, drawn):
    """Turn the times of attempts that fail over: -1 - ticks."""
    for v in range(drawn.size):
        drawn[v] ^= -int64((failed[v] >> bit) & uint32(1))


@compiled
def draw_others(first, times, trial, spread, normal, drawn):
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
def draw_failed(first, times, trial, spread, drawn):
    """Draw anew how long first attempts take that fail by laws of their own."""
    for i in range(first.differ.size):
        v = first.differ[i]
        if drawn[v] < 0:
            drawn[v] = -1 - int64(ticks_of(times, v + times.differ.size, _number(times, v, spread, trial)))


@numba.njit(inline="always")
def _number(times, v, spread, trial):
    both = key(times.keys[v, 0], 1 + (trial >> 32))
    return mixed(spread, uint32(both), uint32(both >> uint64(32)))


def first_of(problem: ScheduleProblem, first: int) -> FirstDraws:
    """Give the draws of first attempts, for trials from `first` on."""
    laws, n = problem.laws, problem.n
    counts = laws.counts[:n]
    normal = np.flatnonzero(counts == 0).astype(np.int64)
    keys = level_keys(problem.keys[normal, 0], 1 + (first >> 32))
    return FirstDraws(
        normal,
        *keys,
        laws.scales[normal],
        laws.offsets[normal],
        np.flatnonzero(counts > 1).astype(np.int64),
        np.flatnonzero(counts == 1).astype(np.int64),
        np.flatnonzero(laws.differ).astype(np.int64),
    )
