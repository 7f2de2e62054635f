"""How long releases take: what a `durations` argument says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any, Union

import pandas as pd

from seqkit._util.secrets import as_given
from seqkit._util.words import plural

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Durations", "DurationsLike", "seconds_of"]

DurationsLike = Union[float, timedelta, Mapping[str, "float | timedelta"], "pd.Series[Any]"]
"""What a `durations` argument takes: seconds or a timedelta for all, or a mapping or Series of them by repo id."""


def seconds_of(value: Any, argument: str) -> float:
    """Read an argument that is a time to wait, or that something takes.

    Raises
    ------
    TypeError, ValueError
        Where it is none.

    Examples
    --------
    >>> seconds_of(timedelta(minutes=2), "grace"), seconds_of(1.5, "grace")
    (120.0, 1.5)
    """
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"{argument} is {as_given(value, 200)}, expected seconds from 0 or a timedelta")
    if not 0 <= float(seconds) < math.inf:
        raise ValueError(f"{argument} is {as_given(value, 200)}, expected seconds from 0 or a timedelta")
    return float(seconds)


class Durations:
    """A `durations` argument, read once: seconds by repo.

    Raises
    ------
    TypeError, ValueError
        Where a duration is none.

    Examples
    --------
    >>> takes = Durations({"core": timedelta(seconds=5), "api": 2})
    >>> takes.of("core"), takes
    (5.0, Durations(2 repos))
    >>> takes.by_repo(["core", "docs"])
    Traceback (most recent call last):
    ValueError: durations has none for 'docs', expected one for each repo to release
    """

    def __init__(self, durations: DurationsLike) -> None:
        given: Any = durations.to_dict() if isinstance(durations, pd.Series) else durations
        self._all: float | None = None
        self._own: dict[str, float] = {}
        if isinstance(given, Mapping):
            self._own = {repo: seconds_of(value, f"durations[{repo!r:.80}]") for repo, value in given.items()}
        else:
            self._all = seconds_of(given, "durations")

    def of(self, repo_id: str) -> float:
        """Give the seconds of a repo; ValueError where it has none."""
        seconds = self._own.get(repo_id, self._all)
        if seconds is None:
            raise ValueError(f"durations has none for {repo_id!r:.80}, expected one for each repo to release")
        return seconds

    def by_repo(self, repos: Iterable[str]) -> dict[str, float]:
        """Give the seconds of some repos; ValueError where one has none."""
        return {repo: self.of(repo) for repo in repos}

    def __repr__(self) -> str:
        return f"Durations({plural(len(self._own), 'repo') if self._all is None else f'{self._all:g} s each'})"
