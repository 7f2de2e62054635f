"""Arguments that several functions take, read and checked the same way."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

from seqkit._util.secrets import as_given

__all__ = ["at_least", "level_of", "share_of", "whole"]


def whole(argument: str, value: Any, least: int, most: int | None = None) -> int:
    """Read a whole number within bounds.

    Raises
    ------
    TypeError, ValueError
        Where it is not a whole number, or out of bounds.

    Examples
    --------
    >>> whole("attempts", 0, 1)
    Traceback (most recent call last):
    ValueError: attempts is 0, expected a whole number from 1
    """
    expected = f"expected a whole number from {least}" + ("" if most is None else f" to {most}")
    if isinstance(value, bool):
        raise TypeError(f"{argument} is {as_given(value, 200)}, {expected}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{argument} is {as_given(value)}, {expected}") from None
    if number < least or (most is not None and number > most):
        raise ValueError(f"{argument} is {number}, {expected}")
    return number


def at_least(n: int, k: Any, share: Any) -> int:
    """Read the arguments of a ``p_at_least`` over `n` repos: a number of repos, or a share of them.

    A product ``share * n`` that rounding has lifted over a whole number counts as that number.

    Examples
    --------
    >>> at_least(75, None, 0.8), at_least(3, 2, None)
    (60, 2)
    >>> at_least(75, 0.8, None)
    Traceback (most recent call last):
    TypeError: k is 0.8, expected a whole number from 0 to 75; for that share of the repos say share=0.8
    """
    if (k is None) == (share is None):
        raise ValueError(
            f"k is {as_given(k, 200)} and share is {as_given(share, 200)}, expected exactly one of the two"
        )
    if k is not None:
        try:
            return whole("k", k, 0, n)
        except TypeError as error:
            if isinstance(k, Real) and not isinstance(k, bool) and 0.0 <= float(k) <= 1.0:
                raise TypeError(f"{error}; for that share of the repos say share={float(k):g}") from None
            raise
    if isinstance(share, bool) or not isinstance(share, Real):
        raise TypeError(f"share is {as_given(share, 200)}, expected a number from 0 to 1")
    if not 0.0 <= float(share) <= 1.0:
        raise ValueError(f"share is {as_given(share, 200)}, expected a number from 0 to 1")
    return max(math.ceil(float(share) * n - 1e-9), min(n, 1) if share else 0)


def level_of(confidence_level: Any) -> float:
    """Read a confidence level, a number between 0 and 1.

    Raises
    ------
    TypeError, ValueError
        Where it is not a number, or out of bounds.

    Examples
    --------
    >>> level_of(95)
    Traceback (most recent call last):
    ValueError: confidence_level is 95, expected a number between 0 and 1, such as 0.95
    """
    expected = "expected a number between 0 and 1, such as 0.95"
    if isinstance(confidence_level, bool) or not isinstance(confidence_level, Real):
        raise TypeError(f"confidence_level is {as_given(confidence_level)}, {expected}")
    if not 0.0 < float(confidence_level) < 1.0:  # also refuses NaN
        raise ValueError(f"confidence_level is {as_given(confidence_level, 200)}, {expected}")
    return float(confidence_level)


def share_of(argument: str, value: Any, such_as: float, what: str = "share") -> float:
    """Read a share or a probability that is neither nothing nor all.

    Raises
    ------
    ValueError
        Where it is no number between 0 and 1.

    Examples
    --------
    >>> share_of("q", 80, 0.8, "probability")
    Traceback (most recent call last):
    ValueError: q is 80, expected a probability between 0 and 1, such as 0.8
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < 1:
        expected = f"expected a {what} between 0 and 1, such as {such_as:g}"
        raise ValueError(f"{argument} is {as_given(value, 200)}, {expected}")
    return float(value)
