"""Numbers that say how sure they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "at_least", "moments"]


class Estimate(float):
    """A simulated number with its standard error.

    Examples
    --------
    >>> half = Estimate(0.5, se=0.01)
    >>> half, half.se, half + 0.25
    (0.500 ± 0.010, 0.01, 0.75)
    """

    se: float
    """The standard error, in the unit of the number."""

    def __new__(cls, value: float, se: float) -> Estimate:  # noqa: D102  # a float is made here
        estimate = super().__new__(cls, value)
        estimate.se = se
        return estimate

    def __reduce__(self) -> tuple[type[Estimate], tuple[float, float]]:
        return Estimate, (float(self), self.se)

    def __repr__(self) -> str:
        if not 0 < self.se < math.inf:  # nothing to round by
            return f"{float(self):.6g} ± {self.se:.2g}"
        digits = max(0, 1 - math.floor(math.log10(self.se)))  # the error's first two
        return f"{float(self):.{digits}f} ± {self.se:.{digits}f}"

    __str__ = __repr__


def moments(values: NDArray[np.int64], weights: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and sample variance of whole numbers, from exact sums."""
    pairs = list(zip(values.tolist(), weights.tolist(), strict=True))
    trials = sum(weight for _, weight in pairs)
    first = sum(value * weight for value, weight in pairs)
    second = sum(value * value * weight for value, weight in pairs)
    if trials < 2:
        return first / trials, math.nan
    return first / trials, (trials * second - first * first) / (trials * (trials - 1))


def at_least(n: int, k: int | None, share: float | None) -> int:
    """Read the arguments of a ``p_at_least`` over `n` repos: a number of repos, or a share of them."""
    if (k is None) == (share is None):
        raise TypeError(f"k={k!r}, share={share!r}: expected one of the two")
    if share is None:
        if isinstance(k, bool) or not hasattr(k, "__index__"):
            raise TypeError(f"k is {k!r}, expected a whole number of repos")
        return int(k)  # type: ignore[arg-type]  # not None, as the first line saw
    if isinstance(share, bool) or not isinstance(share, int | float | np.floating):
        raise TypeError(f"share is {share!r}, expected a number from 0 to 1")
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share!r}, expected a number from 0 to 1")
    return math.ceil(share * n - 1e-9)
