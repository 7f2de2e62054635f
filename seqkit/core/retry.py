"""How often a repo is tried, and how long is waited before it is tried again.

>>> Retry(attempts=4, delay=10, backoff=2, max_delay=30).delays("core", seed=7)
(10.0, 20.0, 30.0)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit.core import draws
from seqkit.core.times import LONGEST, TICKS_A_SECOND, seconds_of, ticks_of

__all__ = ["Attempts", "Retry", "Waits", "retry_of"]

_UNIT = 2.0**-53
_LONGEST = LONGEST / TICKS_A_SECOND  # seconds; a longer wait is none that a date could tell the end of


@dataclass(frozen=True)
class Retry:
    """How often a repo is tried, when it is tried again, and after what wait.

    Every `attempts` argument takes one; what only counts tries (analyze, simulate, compare, levers) reads `attempts`
    alone. The wait before attempt k + 1 is ``delay * backoff ** (k - 1)``, at most `max_delay`, times a number drawn
    between 1 - jitter and 1 + jitter, so that repos which failed together are not tried together. An exception's
    `retry_after`, in seconds, wins where it is longer. An exception with ``retryable = False`` is tried no more.

    Raises
    ------
    TypeError, ValueError
        Where a value is not of its kind, or out of its range.

    Examples
    --------
    >>> Retry(attempts=3, delay=30.0, backoff=2.0)
    Retry(attempts=3, delay=30.0, backoff=2.0)
    >>> Retry(attempts=0)
    Traceback (most recent call last):
    ValueError: attempts is 0, expected a whole number from 1
    """

    attempts: int = 3
    """How often at most."""
    delay: float = 0.0
    """Seconds before the second attempt."""
    backoff: float = 1.0
    """By what the wait is multiplied each time, from 1."""
    jitter: float = 0.0
    """How far a wait is drawn around that, as a part of it, 0 to 1."""
    max_delay: float | None = None
    """The longest wait in seconds, before jitter; None for no limit."""
    deadline: float | None = None
    """Seconds from the start of a repo's first attempt after which it is not tried again; None for no limit."""
    when: Callable[[BaseException], bool] | None = None
    """Whether to try again after this error; None for all."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "attempts", whole("attempts", self.attempts, 1))
        for name in ("delay", "max_delay", "deadline"):
            if getattr(self, name) is not None or name == "delay":
                object.__setattr__(self, name, seconds_of(getattr(self, name), name))
        for name, least, most in (("backoff", 1.0, math.inf), ("jitter", 0.0, 1.0)):
            object.__setattr__(self, name, _number(name, getattr(self, name), least, most))
        if self.when is not None and not callable(self.when):
            raise TypeError(f"when is {as_given(self.when)}, expected a function of the error, or None")

    def __repr__(self) -> str:
        defaults = {"delay": 0.0, "backoff": 1.0, "jitter": 0.0, "max_delay": None, "deadline": None, "when": None}
        told = [f"{name}={getattr(self, name)!r}" for name, own in defaults.items() if getattr(self, name) != own]
        return f"Retry({', '.join([f'attempts={self.attempts}', *told])})"

    def wait(self, repo_id: str, attempt: int, seed: int, trial: int = 0) -> float:
        """Give the seconds to wait after this attempt at a repo, from 1; the same for the same seed and trial.

        Whole milliseconds, as they are recorded.
        """
        seconds = self.usual_wait(attempt)
        if self.jitter and seconds:
            drawn = (draws.uniform(seed, "delay", repo_id, attempt, trial) >> 11) * _UNIT
            seconds = seconds * (1.0 + self.jitter * (2.0 * drawn - 1.0))
        return ticks_of(seconds) / TICKS_A_SECOND

    def usual_wait(self, attempt: int) -> float:
        """Give the seconds to wait after this attempt, before jitter."""
        try:
            seconds = self.delay * self.backoff ** (attempt - 1)
        except OverflowError:
            seconds = _LONGEST if self.delay else 0.0
        seconds = min(seconds, _LONGEST)
        return seconds if self.max_delay is None else min(seconds, self.max_delay)

    def delays(self, repo_id: str, seed: int, trial: int = 0) -> tuple[float, ...]:
        """Give all waits of a repo, in seconds, one fewer than there are attempts."""
        return tuple(self.wait(repo_id, attempt, seed, trial) for attempt in range(1, self.attempts))

    def again(self, error: BaseException) -> bool:
        """Tell whether an error is one to try again after; whatever `when` raises is not caught."""
        if getattr(error, "retryable", True) is False:
            return False
        return True if self.when is None else bool(self.when(error))

    def to_tag(self) -> dict[str, float | None]:
        """Give what stands in a run's plan tag of the waits, where they are not at their defaults."""
        if self == Retry(self.attempts, when=self.when, deadline=self.deadline):
            return {}
        return {"delay": self.delay, "backoff": self.backoff, "jitter": self.jitter, "max_delay": self.max_delay}


@dataclass(frozen=True)
class Waits:
    """The waits of one run: a rule, and where its jitter is drawn."""

    retry: Retry
    seed: int = 0
    trial: int = 0

    def after(self, error: BaseException, repo_id: str, attempt: int, elapsed: float) -> float | None:
        """Say how long to wait after a failed attempt, `elapsed` seconds after the first began; None for no more.

        Whatever `when` raises is raised.
        """
        retry = self.retry
        if attempt >= retry.attempts or not retry.again(error):
            return None
        seconds = retry.wait(repo_id, attempt, self.seed, self.trial)
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, int | float) and not isinstance(asked, bool) and seconds < asked < math.inf:
            seconds = float(asked)
        return None if retry.deadline is not None and round(elapsed + seconds, 6) > retry.deadline else seconds


Attempts = int | Retry
"""What an `attempts` argument takes: how often a repo is tried, or a :class:`seqkit.Retry`."""


def retry_of(attempts: Any, retry_delay: Any = 0.0) -> Retry:
    """Read an `attempts` argument, with `retry_delay`, which is short for a delay.

    Examples
    --------
    >>> retry_of(2, 1.5)
    Retry(attempts=2, delay=1.5)
    """
    delay = seconds_of(retry_delay, "retry_delay")
    if not isinstance(attempts, Retry):
        return Retry(whole("attempts", attempts, 1), delay)
    if delay:
        raise ValueError(
            f"retry_delay is {delay:g} and attempts is {attempts}, which says how long to wait; expected one of the two"
        )
    return attempts


def _number(argument: str, value: Any, least: float, most: float) -> float:
    limits = f"from {least:g}" + ("" if most == math.inf else f" to {most:g}")
    expected = f"expected a number {limits}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, {expected}")
    if not least <= float(value) <= most or float(value) == math.inf:
        raise ValueError(f"{argument} is {as_given(value, 200)}, {expected}")
    return float(value)
