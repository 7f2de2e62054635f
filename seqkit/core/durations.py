"""How long releases take: what a `durations` argument says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any, Union

import pandas as pd

from seqkit._util.secrets import as_given

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DurationsLike", "seconds_by_repo", "seconds_of"]

DurationsLike = Union[float, timedelta, Mapping[str, "float | timedelta"], "pd.Series[Any]"]
"""What a `durations` argument takes: seconds or a timedelta for all, or a mapping or Series of them by repo id."""


def seconds_of(value: Any, argument: str = "durations") -> float:
    """Read one duration.

    Examples
    --------
    >>> seconds_of(timedelta(minutes=2)), seconds_of(1.5)
    (120.0, 1.5)
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, expected seconds from 0 or a timedelta")
    if not 0 <= float(seconds) < math.inf:
        raise ValueError(f"{argument} is {as_given(value, 200)}, expected seconds from 0 or a timedelta")
    return float(seconds)


def seconds_by_repo(durations: DurationsLike, repos: Iterable[str]) -> dict[str, float]:
    """Read a `durations` argument for some repos.

    Raises
    ------
    TypeError, ValueError
        Where a duration is none, or a repo has none.

    Examples
    --------
    >>> seconds_by_repo({"core": timedelta(seconds=5), "api": 2}, ["core", "api"])
    {'core': 5.0, 'api': 2.0}
    """
    given: Any = durations.to_dict() if isinstance(durations, pd.Series) else durations
    if not isinstance(given, Mapping):
        return dict.fromkeys(repos, seconds_of(given))
    found = {}
    for repo in repos:
        if repo not in given:
            raise ValueError(f"durations has none for {repo!r:.80}, expected one for each repo to release")
        found[repo] = seconds_of(given[repo], f"durations[{repo!r:.80}]")
    return found
