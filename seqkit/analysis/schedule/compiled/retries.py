"""What seldom happens in the compiled loop: an attempt fails, is tried again, or everything stops."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg"

from __future__ import annotations

from numba import int64, uint64

from seqkit.analysis.montecarlo.numba_draws import compiled
from seqkit.analysis.schedule.compiled.attempts import attempt
from seqkit.analysis.schedule.compiled.trail import LAST_START, NOBODY, RETRIED, WAITING, note_start
from seqkit.analysis.schedule.ends import FAILED

__all__ = ["LOST", "WAITS", "give_up", "line_up_due", "opened", "try_again"]

LOST, WAITS = -1, -2
"""What may follow a failed attempt: nothing, or a wait without a lane."""

_ONE = uint64(1)


@compiled
def opened(windows, moment):
    """Say when the first moment from this one on is at which something may start."""
    low, high = 0, windows.shape[0]
    while low < high:  # how many begin by then
        middle = (low + high) >> 1
        if windows[middle, 0] <= moment:
            low = middle + 1
        else:
            high = middle
    return max(moment, windows[low - 1, 1]) if low else moment


@compiled
def try_again(chances, times, rules, windows, trail, v, now, trial, number, drawn, waiting, bits, state):
    """Say what follows a failed attempt: LOST where nothing does, WAITS, or when the next one ends in a single lane.

    A single lane is kept: nobody else runs, and nothing else can happen.
    """
    wait, told = attempt(chances, times, v, number[v] + 1, trial)
    next_ = int64(told)
    if trail is not None and 0 <= rules.deadline < now - trail.start[v] + wait:
        return LOST
    number[v] += 1
    drawn[v] = next_
    state[RETRIED] = 1
    due = now + wait
    if rules.lanes == 1:
        begins = due
        if trail is not None and rules.interval:
            begins = max(due, state[LAST_START] + rules.interval)
        if windows is not None:
            begins = opened(windows, begins)
        if trail is not None:
            ended = trail.lasts[v]
            if windows is not None and begins > due:
                ended = NOBODY
            note_start(
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
        return begins + (next_ ^ (next_ >> 63))
    entry = (uint64(due) << uint64(bits)) | uint64(v)
    i = state[WAITING]
    while i > 0 and waiting[i - 1] < entry:
        waiting[i] = waiting[i - 1]
        i -= 1
    waiting[i] = entry
    state[WAITING] += 1
    if trail is not None:
        trail.dues[v] = due
    return WAITS


@compiled
def line_up_due(rank, ready, shift, waiting, bits, now, state):
    """Let those line up whose waits are over; give their bits of the summary."""
    summary = uint64(0)
    mask = (_ONE << uint64(bits)) - _ONE
    n_waiting = state[WAITING]
    while n_waiting and int64(waiting[n_waiting - 1] >> uint64(bits)) <= now:
        n_waiting -= 1
        place = int64(rank[int64(waiting[n_waiting] & mask)])
        ready[place >> 6] |= _ONE << uint64(place & 63)
        summary |= _ONE << uint64((place >> 6) >> shift)
    state[WAITING] = n_waiting
    return summary


@compiled
def give_up(rank, ready, number, waiting, bits, now, trail, state):
    """Stop: nothing starts any more, and what waits has failed."""
    mask = (_ONE << uint64(bits)) - _ONE
    if trail is not None:
        for i in range(state[WAITING]):
            v = int64(waiting[i] & mask)
            trail.status[v], trail.finish[v] = FAILED, now
        for v in range(number.size):
            if number[v] > 1 and (ready[rank[v] >> 6] >> uint64(rank[v] & 63)) & _ONE:
                trail.status[v], trail.finish[v] = FAILED, now
    ready[:] = 0
    state[WAITING] = 0
