"""Distributions of a share x = sin² t with 0 ≤ t ≤ π/2, given by a density of t.

On this scale the prior Beta(½, ½) of x is flat, the ends 0 and 1 are no singularities, and what binomial data
leave is as wide everywhere. So one grid serves all of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["END", "narrowed", "summary"]

Floats = npt.NDArray[np.float64]

END = np.pi / 2
"""The t of x = 1."""

_NEGLIGIBLE = 40.0  # below the mode, of logarithms of a density


def narrowed(angles: Floats, log_density: Floats, points: int, depth: float = _NEGLIGIBLE) -> Floats:
    """Give so many angles over the part of `angles` that is not negligible, and a step more on either side."""
    kept = np.flatnonzero(log_density > log_density.max() - depth)
    return np.linspace(angles[max(kept[0] - 1, 0)], angles[min(kept[-1] + 1, len(angles) - 1)], points)


def summary(angles: Floats, log_density: Floats, level: float) -> tuple[float, float, float]:
    """Give mean, low and high of x: the expectation and the equal-tailed interval, from a density on a fine grid.

    The density is interpolated by a cubic spline, which is integrated exactly.

    Examples
    --------
    >>> angles = np.linspace(0, END, 257)
    >>> [round(value, 6) for value in summary(angles, np.zeros(257), 0.95)]  # Beta(½, ½)
    [0.5, 0.001541, 0.998459]
    """
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  # import seqkit stays light
    from scipy.optimize import brentq  # noqa: PLC0415

    density = np.exp(log_density - log_density.max())
    below = CubicSpline(angles, density).antiderivative()
    # Where the density is 0 it can fall by a rounding error from knot to knot: what comes first counts.
    heights = np.maximum.accumulate(below(angles))
    total = float(heights[-1])
    mean = CubicSpline(angles, density * np.sin(angles) ** 2).integrate(angles[0], angles[-1]) / total
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        after = int(np.clip(np.searchsorted(heights, share * total), 1, len(angles) - 1))
        around = angles[after - 1], angles[after]
        angle = brentq(lambda at, aim: float(below(at)) - aim, *around, args=(share * total,), xtol=1e-14)
        ends.append(float(np.sin(angle) ** 2))
    return float(mean), ends[0], ends[1]
