"""The nodes and weights that integrals of fits are summed over, made once for each number of them."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["gauss_legendre"]

Floats: TypeAlias = npt.NDArray[np.float64]


@cache
def gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """Give the nodes and weights of the Gauss-Legendre rule, from -1 to 1.

    Examples
    --------
    >>> nodes, weights = gauss_legendre(2)
    >>> nodes.round(4).tolist(), weights.round(4).tolist()
    ([-0.5774, 0.5774], [1.0, 1.0])
    """
    nodes, weights = np.polynomial.legendre.leggauss(count)
    nodes.flags.writeable = weights.flags.writeable = False  # everybody gets the same ones
    return nodes, weights
