"""Numbers that say how sure they are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "moments"]


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
