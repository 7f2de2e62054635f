"""What two ways to release differ by, trial by trial: exact sums, and what one trial can differ by."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqkit.analysis.estimate import Estimate, Range, error_of_mean
from seqkit.analysis.montecarlo.experiment import Tally
from seqkit.analysis.montecarlo.reach import ENDS, Reach, coupled, range_of_difference
from seqkit.core.failures import FailureModel

__all__ = ["COUNTED", "Measured", "Sums", "added", "counted", "measured", "ranges_of"]

COUNTED = ("n_succeeded", "n_failed", "n_skipped", "all_succeeded")
"""What is counted of a trial."""


def counted(part: Tally, n: int) -> dict[str, NDArray[np.int64]]:
    """Give each count of `n` repos by trial."""
    failed, lost = part.n_failed.astype(np.int64), part.n_lost.astype(np.int64)
    return {
        "n_succeeded": n - lost,
        "n_failed": failed,
        "n_skipped": lost - failed,
        "all_succeeded": (lost == 0).astype(np.int64),
    }


class Measured(NamedTuple):
    """One measure of two ways to release."""

    a: Estimate
    """Its mean under a."""
    b: Estimate
    """Its mean under b."""
    difference: Estimate
    """The mean of b minus a, trial by trial."""
    variance_reduction: float
    """How many times more variance the difference would have from two separate simulations."""

    def numbers(self) -> dict[str, float]:
        """Give a row of a frame."""
        each = {"a": self.a, "b": self.b, "difference": self.difference}
        told = {name: float(value) for name, value in each.items()}
        errors = {f"se_{name}": value.se for name, value in each.items()}
        columns = ("a", "se_a", "b", "se_b", "difference", "se_difference")
        return {**{name: (told | errors)[name] for name in columns}, "variance_reduction": self.variance_reduction}


Sums = tuple[int, int, int, int, int]
"""Of a measure x of a and y of b over all trials: x, y, x², y², x y. Whole numbers, so that nothing is lost."""


def added(sums: Sums, x: NDArray[np.int64], y: NDArray[np.int64]) -> Sums:
    """Add a measure of some more trials."""
    of_x, of_y, of_xx, of_yy, of_xy = sums
    return (
        of_x + int(x.sum()),
        of_y + int(y.sum()),
        of_xx + int((x * x).sum()),
        of_yy + int((y * y).sum()),
        of_xy + int((x * y).sum()),
    )


def measured(sums: Sums, n: int, ranges: tuple[Range, Range, Range], scale: int = 1) -> Measured:
    """Estimate a measure of n trials; `ranges` of a, of b and of b - a in one trial, in units of 1 / `scale`."""
    x, y, xx, yy, xy = sums
    # n times the sums of squared deviations, as exact integers.
    spread_a, spread_b, both = n * xx - x * x, n * yy - y * y, n * xy - x * y
    spread = spread_a + spread_b - 2 * both

    def estimate(first: int, second: int, part: int, within: Range) -> Estimate:
        error = error_of_mean(n, first, second, within) / scale
        return Estimate(first / n / scale, error, n, part != 0, within.least / scale, within.most / scale)

    return Measured(
        estimate(x, xx, spread_a, ranges[0]),
        estimate(y, yy, spread_b, ranges[1]),
        estimate(y - x, xx + yy - 2 * xy, spread, ranges[2]),
        (spread_a + spread_b) / spread if spread else math.inf if n > 1 else math.nan,
    )


def ranges_of(a: Reach, b: Reach, models: tuple[FailureModel, FailureModel]) -> dict[str, tuple[Range, Range, Range]]:
    """Give what each count of one trial can be: of a, of b, and of b - a."""
    alike = coupled(a, b, models)
    ranges = {f"n_{end}": (a.count(end), b.count(end), range_of_difference(a, b, end, alike)) for end in ENDS}
    sizes = [len(side.plan.released) for side in (a, b)]
    of_a, of_b = (
        Range(int(count.least == size), int(count.most == size), 1)
        for count, size in zip(ranges["n_succeeded"][:2], sizes, strict=True)
    )
    same = alike.issuperset(a.plan.released) and alike.issuperset(b.plan.released)
    difference = Range(0, 0, 1) if same else Range(of_b.least - of_a.most, of_b.most - of_a.least, 1)
    ranges["all_succeeded"] = of_a, of_b, difference
    return ranges
