"""Numbers that say how sure they are.

The usual standard error, s / sqrt(n), is 0 where all trials were alike: it says that what was never seen cannot be,
and says too little where it was seen a few times. So every error here counts four imaginary trials beside the n that
were run. For a share it is the error of the adjusted proportion of Agresti and Coull (1998, "Approximate is better than
exact", doi:10.1080/00031305.1998.10480550: add two successes and two failures). For a mean of counts two lie as far
below it, and two as far above, as one thing that no trial has shown can move a count (:class:`Range`). The number
itself is that of the trials alone. Where it cannot be otherwise, nothing is left to chance, and the error is 0.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from seqkit._util.arguments import level_of

__all__ = ["Estimate", "Range", "Share", "error_of_mean", "error_of_share", "mean_of", "moments", "never_seen"]

_AT_EITHER_END = 2  # imaginary trials
_LEVEL = 0.95  # of what is said in words


class Range(NamedTuple):
    """What a count can be in one trial."""

    least: int
    """At least."""
    most: int
    """At most."""
    swing: int
    """By how much one failure or one common cause moves it at most."""

    def times(self, scale: int) -> Range:
        """Give it in units that many times smaller."""
        return Range(*(scale * each for each in self))


@overload
def error_of_share(hits: int, trials: int) -> float: ...
@overload
def error_of_share(hits: NDArray[Any], trials: int) -> NDArray[np.float64]: ...
def error_of_share(hits: Any, trials: int) -> Any:
    """Give the standard error of a share of trials: sqrt(q (1 - q) / m), m = n + 4, q = (x + 2) / m.

    Examples
    --------
    >>> error_of_share(0, 100_000), error_of_share(50_000, 100_000)
    (1.4141...e-05, 0.0015811...)
    """
    total = trials + 2 * _AT_EITHER_END
    share = (hits + _AT_EITHER_END) / total
    return (share * (1 - share) / total) ** 0.5


def error_of_mean(trials: int, first: int, second: int, within: Range) -> float:
    """Give the standard error of a mean of counts, from their sum and the sum of their squares.

    It is sqrt(v / m), v the variance of m = n + 4 trials, of which two lie below the mean by ``within.swing`` and two
    above it, but none outside `within`. NaN for a single trial, which tells nothing of what varies; 0 where the
    trials can give one number alone.

    Examples
    --------
    >>> math.isclose(error_of_mean(1_000, 990, 990, Range(0, 1, swing=1)), error_of_share(990, 1_000))
    True
    >>> error_of_mean(100, 300, 900, Range(3, 3, swing=1))
    0.0
    """
    if within.least == within.most:
        return 0.0
    if trials < 2:
        return math.nan
    least = max(within.least, first // trials - within.swing)
    most = min(within.most, -(-first // trials) + within.swing)
    total = trials + 2 * _AT_EITHER_END
    first += _AT_EITHER_END * (least + most)
    second += _AT_EITHER_END * (least * least + most * most)
    return math.sqrt((total * second - first * first) / total**3)


def never_seen(trials: int, confidence_level: float = _LEVEL) -> float:
    """Give what the probability of something that no trial has shown lies below: 1 - (1 - level) ** (1 / n).

    At 95 % about 3 / n, the rule of three (Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031).

    Examples
    --------
    >>> round(never_seen(1_000), 5)
    0.00299
    """
    return -math.expm1(math.log1p(-confidence_level) / trials)


class Estimate(float):
    """A simulated number with its standard error.

    The error counts four imaginary trials, so that it is 0 only where the number is known exactly: for a probability
    two in which it was so and two in which it was not (Agresti and Coull 1998), for a mean two that lie below it and
    two that lie above by as much as one failure more or fewer can make. What was the same in every trial is shown
    with the bound that this sets at 95 % confidence; what nothing drawn can change is shown as exact.

    Examples
    --------
    >>> half = Estimate(0.5, se=0.01)
    >>> half, half.se, half + 0.25
    (0.500 ± 0.010, 0.01, 0.75)
    >>> Estimate(46.0, se=0.0)
    exactly 46
    """

    se: float
    """The standard error, in the unit of the number; 0 where it is exact, NaN for a single trial."""
    trials: int | None
    """Of how many trials it is; None where that is not known."""
    varied: bool
    """Whether the trials differed."""
    least: float
    """What one trial can give at least."""
    most: float
    """What one trial can give at most."""

    def __new__(  # noqa: D102  # a float is made here
        cls,
        value: float,
        se: float,
        trials: int | None = None,
        varied: bool = True,
        least: float = -math.inf,
        most: float = math.inf,
    ) -> Estimate:
        estimate = super().__new__(cls, value)
        estimate.se, estimate.trials, estimate.varied, estimate.least, estimate.most = se, trials, varied, least, most
        return estimate

    def __reduce__(self) -> tuple[Any, ...]:
        return Estimate, (float(self), self.se, self.trials, self.varied, self.least, self.most)

    @property
    def exact(self) -> bool:
        """Whether nothing is left to chance."""
        return self.se == 0

    def interval(self, confidence_level: float = 0.95) -> tuple[float, float]:
        """Give a confidence interval.

        Parameters
        ----------
        confidence_level : float
            How often such an interval holds the true number, between 0 and 1.

        Returns
        -------
        tuple of float
            The low and the high end. Of a share the score interval of Wilson (1927, doi:10.2307/2276774), at most
            0 to 1. Of a mean the value ± t · se, t Student's quantile of n - 1 degrees of freedom (the normal one
            where n is not known), within what a trial can give. Where all n trials gave the same value v, at most
            the share s = 1 - (1 - level) ** (1 / n) of trials gives another, so that the mean lies between
            v - s (v - least) and v + s (most - v). Both ends are the number where it is exact.

        Raises
        ------
        ValueError, TypeError
            Where the level is no number between 0 and 1.

        Examples
        --------
        >>> low, high = Estimate(2.5, se=0.01).interval()
        >>> round(low, 4), round(high, 4)
        (2.4804, 2.5196)
        """
        level = level_of(confidence_level)
        value = float(self)
        if self.exact:
            return value, value
        if not self.varied and self.trials is not None:
            other = never_seen(self.trials, level)
            return value - (value - self.least) * other, value + (self.most - value) * other
        if math.isnan(self.se):
            return self.least, self.most
        half = _quantile(level, self.trials) * self.se
        return max(value - half, self.least), min(value + half, self.most)

    def bounds(self) -> tuple[str | None, str | None]:
        """Say what the number lies above and below where all trials gave the same, by :func:`never_seen`.

        None for a side on which there is nothing. Written to two digits of the distance.
        """
        low, high = Estimate.interval(self, _LEVEL)
        return tuple(None if end == self else _close_to(float(self), end) for end in (low, high))  # type: ignore[return-value]

    def _alike(self) -> str:
        low, high = self.bounds()
        if low and high:
            return f"{self:.6g} (the same in every trial: with 95 % confidence between {low} and {high})"
        side = f"above {low}" if low else f"below {high}"
        return f"{self:.6g} (the same in every trial: with 95 % confidence {side})"

    def __repr__(self) -> str:
        if self.exact:
            return f"exactly {float(self):.6g}"
        if not self.varied and self.trials is not None and not math.isnan(self.se):
            return self._alike()
        if not 0 < self.se < math.inf:  # nothing to round by
            return f"{float(self):.6g} ± {self.se:.2g}"
        digits = max(0, 1 - math.floor(math.log10(self.se)))  # the error's first two
        return f"{float(self):.{digits}f} ± {self.se:.{digits}f}"

    __str__ = __repr__


class Share(Estimate):
    """The share of trials in which something was so, as an estimate of its probability.

    Parameters
    ----------
    hits, trials : int
        In how many of how many trials.
    sure : bool
        Whether it is so in all trials, or in none, whatever is drawn.

    Examples
    --------
    >>> Share(250, 1_000), Share(250, 1_000).interval()
    (0.250 ± 0.014, (0.2241..., 0.2777...))
    >>> Share(0, 1_000)
    0 (seen in no trial: with 95 % confidence below 0.003)
    """

    hits: int
    """In how many trials it was so."""

    def __new__(cls, hits: int, trials: int, sure: bool = False) -> Share:  # noqa: D102
        error = 0.0 if sure else error_of_share(hits, trials)
        share: Any = super().__new__(cls, hits / trials, error, trials, 0 < hits < trials, 0.0, 1.0)
        share.hits = hits
        return share  # type: ignore[no-any-return]  # made by a parent that names itself

    def __reduce__(self) -> tuple[Any, ...]:
        return Share, (self.hits, self.trials, self.exact)

    def interval(self, confidence_level: float = 0.95) -> tuple[float, float]:
        """Give the score interval of Wilson (1927): see :meth:`Estimate.interval`."""
        level = level_of(confidence_level)
        if self.exact:
            return float(self), float(self)
        n, z = self.trials or 0, _quantile(level, None)
        half = z * math.sqrt(self * (1 - self) / n + (z / (2 * n)) ** 2)
        centre, scale = self + z * z / (2 * n), 1 + z * z / n
        low, high = (centre - half) / scale, (centre + half) / scale
        return 0.0 if self.hits == 0 else low, 1.0 if self.hits == n else high  # without what rounding leaves

    def _alike(self) -> str:
        low, high = self.bounds()
        if self.hits:
            return f"1 (seen in every trial: with 95 % confidence above {low})"
        return f"0 (seen in no trial: with 95 % confidence below {high})"


def _quantile(level: float, trials: int | None) -> float:
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415  # `import seqkit` stays light

    at = (1 + level) / 2
    return float(ndtri(at) if trials is None else stdtrit(trials - 1, at))


def _close_to(value: float, bound: float) -> str:
    """Write a bound so that it can be told from the value."""
    if not value:
        return f"{bound:.2g}"
    return f"{bound:.{max(0, 1 - math.floor(math.log10(abs(bound - value))))}f}"


def mean_of(values: NDArray[np.int64], weights: NDArray[np.int64], within: Range) -> Estimate:
    """Estimate a mean of counts, each of so many trials; no value stands twice.

    Examples
    --------
    >>> mean_of(np.array([2, 3]), np.array([400, 600]), Range(0, 3, swing=1))
    2.600 ± 0.016
    """
    trials, first, second = _sums(values, weights)
    error = error_of_mean(trials, first, second, within)
    return Estimate(first / trials, error, trials, len(values) > 1, within.least, within.most)


def moments(values: NDArray[np.int64], weights: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and sample variance of whole numbers, from exact sums."""
    trials, first, second = _sums(values, weights)
    if trials < 2:
        return first / trials, math.nan
    return first / trials, (trials * second - first * first) / (trials * (trials - 1))


def _sums(values: NDArray[np.int64], weights: NDArray[np.int64]) -> tuple[int, int, int]:
    pairs = list(zip(values.tolist(), weights.tolist(), strict=True))
    return (
        sum(weight for _, weight in pairs),
        sum(value * weight for value, weight in pairs),
        sum(value * value * weight for value, weight in pairs),
    )
