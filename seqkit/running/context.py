"""What a release may know of the attempt that it is part of, without being told: a releaser asks for it here.

Whoever drives a run says so (:func:`be_part_of`) in the task of each attempt and each check; what these await, and the
threads that they start, find it. Outside of a run there is none, and everything falls back to what
a plain call would do.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqkit.running.clock import Pace

__all__ = ["UnderWay", "be_part_of", "under_way"]


@dataclass(eq=False)
class UnderWay:
    """One attempt, or one check, that is under way."""

    pace: Pace
    """How the run waits."""
    grace: float = 10.0
    """Seconds that it has to stop, once it is asked to by a cancellation; a second one means at once."""
    report: Callable[[Mapping[str, Any]], None] = field(default=lambda _: None, repr=False)
    """Tells the run of a process that works on it (``pid``, ``start_time``, ``boot_id``, ``host``): it is recorded, so
    that whoever finds the run broken off knows what may still be going on."""
    threads: list[threading.Thread] = field(default_factory=list)
    """Threads that work on it: they cannot be stopped, only waited for."""


_current: contextvars.ContextVar[UnderWay | None] = contextvars.ContextVar("seqkit_under_way", default=None)


def under_way() -> UnderWay | None:
    """Give what this code is part of; None outside of a run."""
    return _current.get()


def be_part_of(attempt: UnderWay | None) -> None:
    """Let the task that runs this be part of it, to its end."""
    _current.set(attempt)
