"""How much each item of a record counts: all alike, the newer ones more, or only those since something was fixed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._util.secrets import as_given
from seqkit._util.words import quoted
from seqkit.fitting.attempts import Items, Tries, runs_of, starts_of

__all__ = ["Since", "faded", "half_life_of", "since_then"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Since = str | date
"""From where on evidence counts: the id of a run, which counts too, or a date or time (as text in ISO 8601)."""


def faded(tries: Tries, items: Items, half_life: float | None) -> Floats:
    """Weigh each item by the age of its run: 2^(−age / half_life), age in runs, 0 for the newest."""
    runs = half_life_of(half_life)
    if half_life is None:
        return np.ones(len(items.repo))
    run, ids = runs_of(tries, items, "half_life")
    return np.exp2((run - (len(ids) - 1)) / runs)


def half_life_of(half_life: float | None) -> float:
    """Read a `half_life` argument; infinite where it is None."""
    if half_life is None:
        return np.inf
    if isinstance(half_life, bool) or not isinstance(half_life, Real):
        raise TypeError(f"half_life is {as_given(half_life)}, expected a positive number of runs, or None")
    if not 0 < float(half_life) < np.inf:
        raise ValueError(f"half_life is {as_given(half_life, 200)}, expected a positive number of runs, or None")
    return float(half_life)


def since_then(tries: Tries, items: Items, since: Since | Mapping[str, Since] | None) -> Bools:
    """Say which items count, by `since`: one for all repos, or one by repo."""
    if since is None:
        return np.ones(len(items.repo), dtype=bool)
    if not isinstance(since, Mapping):
        return _from(tries, items, "since", since)
    strangers = [repo for repo in since if repo not in items.names]
    if strangers:
        raise ValueError(
            f"since names {quoted(strangers, 5)}, which the record never tried; it tried "
            f"{quoted(items.names, 5) or 'none'}"
        )
    kept = np.ones(len(items.repo), dtype=bool)
    for repo, each in since.items():
        kept &= _from(tries, items, f"since[{repo!r:.80}]", each) | (items.repo != items.names.index(repo))
    return kept


def _from(tries: Tries, items: Items, argument: str, since: Any) -> Bools:
    ids: list[str] = []
    if isinstance(since, str):
        if not {"run_id", "train"}.isdisjoint(tries.frame.columns):
            run, ids = runs_of(tries, items, "since")
        if since in ids:
            return run >= ids.index(since)
    elif not isinstance(since, date):
        raise TypeError(f"{argument} is {as_given(since, 200)}, expected the id of a run, or a date")
    try:
        moment = pd.to_datetime(since, utc=True)
    except ValueError:
        moment = None
    if moment is None or pd.isna(moment):
        raise ValueError(
            f"{argument} is {as_given(since, 200)}, expected a date, or a run that tried something: "
            f"{quoted(ids, 5) or 'there is none'}"
        )
    if "started_at" not in tries.frame:
        raise ValueError(f"{argument} is the date {since}, and ledger_or_frame has no started_at to hold it against")
    starts = starts_of(tries, items)
    if starts.hasnans:
        repo = items.names[items.repo[int(np.argmax(starts.isna()))]]
        raise ValueError(
            f"{argument} is the date {since}, and the column started_at of ledger_or_frame is missing where "
            f"{repo!r:.80} was tried; give the id of a run"
        )
    return np.asarray(starts >= moment)
