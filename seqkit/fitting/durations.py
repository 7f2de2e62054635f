"""How long each repo takes, learnt from what happened: a model for schedules, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._show.html import table
from seqkit._util import dtypes
from seqkit._util.arguments import level_of
from seqkit._util.warned import warn_caller
from seqkit._util.words import plural, printable, quoted
from seqkit.core.durations import DurationModel
from seqkit.core.laws import LARGEST_SIGMA
from seqkit.core.times import LONGEST, TICKS_A_SECOND
from seqkit.fitting.attempts import Items, Source, Tries, items_of, read_tries, times_of
from seqkit.fitting.evidence import Since, faded, since_then
from seqkit.fitting.lognormal import Pool, quantiles_of_mixtures

__all__ = ["DurationFit", "fit_durations"]

Floats = npt.NDArray[np.float64]

_FEW = 3  # attempts, below which a repo's times are mostly those of the others
_SHOWN = 10  # rows of a table
_POINT = 0.9  # the share of attempts of the second point
_Z = 1.2815515655446004  # the standard normal's


@dataclass(frozen=True, repr=False, eq=False)
class DurationFit(DurationModel):
    """A model of durations that was fitted to the past, and the estimates that it is made of.

    It serves wherever a :class:`seqkit.DurationModel` does. :meth:`to_json` writes the model without the estimates.

    Examples
    --------
    >>> from datetime import datetime, timedelta, timezone
    >>> start = pd.Timestamp("2026-03-02 09:00", tz="UTC")
    >>> took = {"core": [600, 660, 540, 720], "api": [60, 75, 66, 58], "docs": [300]}
    >>> rows = [(repo, 1, "succeeded", start, start + timedelta(seconds=s)) for repo, own in took.items() for s in own]
    >>> record = pd.DataFrame(rows, columns=["repo_id", "attempt", "status", "started_at", "finished_at"])
    >>> takes = fit_durations(record)
    >>> takes
    DurationFit(9 attempts at 3 repos; 1 repo with fewer than 3 leans on the others)
    >>> takes.fit["median"].dt.total_seconds().round(-1).to_dict()
    {'api': 60.0, 'core': 620.0, 'docs': 300.0}
    """

    fit: pd.DataFrame = field(default_factory=pd.DataFrame)
    """A row a repo, as :func:`fit_durations` describes it."""

    __hash__ = None  # a frame inside

    @property
    def note(self) -> str:
        """What was left out, and how far the data carry."""
        return str(self.fit.attrs.get("note", ""))

    def __reduce__(self) -> tuple[Any, ...]:
        _, given = super().__reduce__()
        return DurationFit, (*given, self.fit)

    def _counts(self) -> str:
        return f"{plural(int(self.fit['attempts'].sum()), 'attempt')} at {plural(len(self.fit), 'repo')}"

    def __repr__(self) -> str:
        if self.fit.empty:
            return f"DurationFit({super().__repr__()})"
        return printable(f"DurationFit({self._counts()}{'; ' if self.note else ''}{self.note})")

    def _repr_html_(self) -> str:
        if self.fit.empty:
            return table("Durations", ["repo"], [])
        level = 100 * self.fit.attrs["confidence_level"]
        columns = ["repo", "attempts", "median", f"{level:g} % interval", "90 % within", f"{level:g} % interval"]
        shown = self.fit.iloc[:_SHOWN]
        told = {name: list(map(_told, shown[name])) for name in map(str, shown) if name[0] in "mp"}
        rows = zip(
            shown.index,
            shown["attempts"],
            told["median"],
            map(" to ".join, zip(told["median_low"], told["median_high"], strict=True)),
            told["p90"],
            map(" to ".join, zip(told["p90_low"], told["p90_high"], strict=True)),
            strict=True,
        )
        more = f"{len(self.fit) - _SHOWN:,} more repos in .fit" if len(self.fit) > _SHOWN else ""
        note = "; ".join(part for part in (more, self.note) if part)
        return table(f"Durations fitted to {self._counts()}", columns, rows, note)


def fit_durations(
    ledger_or_frame: Source,
    confidence_level: float = 0.9,
    half_life: float | None = None,
    since: Since | Mapping[str, Since] | None = None,
) -> DurationFit:
    """Estimate how long an attempt at each repo takes, how much that varies, and how sure both are.

    Attempts that succeeded and attempts that failed are fitted apart. A repo with few attempts leans on the others.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened. A frame has a row for each attempt, as :func:`seqkit.attempts_frame` gives them: columns
        `repo_id`, `status` and `attempt` (or `succeeded`), `started_at` and `finished_at`.
    confidence_level : float
        How much of the posterior lies between a `low` and a `high`, between 0 and 1.
    half_life, since
        How much old runs count, and from where on evidence counts: as in :func:`seqkit.fit_failure_rates`.

    Returns
    -------
    DurationFit
        A :class:`seqkit.DurationModel`, for :func:`seqkit.schedule`, :func:`seqkit.eta` and all that takes durations.
        A repo's median and its 90 % point are those of its next attempt, so that what is not known of it makes its
        sigma larger (which is kept to two decimals). A repo that was never seen takes what the next one might. Its
        `fit` has the index `repo_id` (string, sorted), and the columns

        - `attempts` (Int64): those that succeeded, with both times told;
        - `median`, `median_low`, `median_high` (timedelta): the median of what the repo takes;
        - `p90`, `p90_low`, `p90_high` (timedelta): what nine of ten attempts stay within;
        - `sigma` (float64): the standard deviation of the logarithm, in the middle of what it may be;
        - `own` (float64): how much of the median comes of the repo's own attempts, from 0 (all of the others') to 1;
        - `failed_attempts` (Int64), `failed_median`, `failed_p90` (timedelta): the same of attempts that failed;
          ``NaT`` where fewer than 3 failed in all repos together: the model then lets them take as long as others.

        ``attrs["note"]`` says what was left out and how many repos have fewer than 3 attempts.

    Warns
    -----
    UserWarning
        Where attempts end before their start; they are left out.

    Raises
    ------
    ValueError, TypeError
        Where columns are missing or hold something else, no attempt that succeeded tells both times, or an argument is
        out of range.

    Notes
    -----
    The logarithm of a time is normal with the repo's own mean and standard deviation; means are normal around that
    of all repos, and variances have a scaled inverse χ² distribution (a hierarchical normal model, Gelman et al. 2013,
    *Bayesian Data Analysis*, ch. 5). With n attempts of a repo, its mean moves from that of all to its own by the share
    n τ² / (n τ² + σ²), with τ the standard deviation between repos. What describes all repos is integrated over, with
    weak priors; a point estimate of it would make intervals too short where repos are few. In simulations 90 %
    intervals held the truth in 88 to 91 % of all cases, in 86 % where all that there was were two repos with one to
    three attempts each.

    An attempt that took no time at all, by clocks that tell seconds, counts as one millisecond. What was under way when
    its run ended, and what came out too late for its run, has no end that counts, and is left out: where attempts are
    given up after a time limit, long ones are missing and the fit is too short.

    O(rows + repos · 20,000).

    Examples
    --------
    >>> from seqkit import DurationModel, MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, VirtualClock
    >>> from seqkit import build_plan, delayed, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger, truth = MemoryRunLedger(), DurationModel({"core": 600, "api": 120}, sigma=0.3)
    >>> for day in range(30):
    ...     outcome = run_plan(plan, delayed(ScriptedReleaser(), truth, rng=1, trial=day), ledger, clock=VirtualClock())
    >>> takes = fit_durations(ledger)
    >>> for repo, row in takes.fit.iterrows():
    ...     print(repo, row["attempts"], *(int(row[name].total_seconds()) for name in ("median_low", "median", "p90")))
    api 30 109 119 176
    core 30 563 614 880
    >>> round(takes.quantile("core", 0.9)), round(takes.median("docs"))  # of its next attempt; of what was never seen
    (891, 271)
    """
    level = level_of(confidence_level)
    tries = read_tries(ledger_or_frame, "started_at", "finished_at", each=True)
    if tries.form in ("items", "trains"):
        raise ValueError(
            f"ledger_or_frame has a row for each of some {tries.form}, expected one for each attempt, with status and "
            "attempt, as attempts_frame(ledger) gives them"
        )
    items = items_of(tries)
    weights = faded(tries, items, half_life) * since_then(tries, items, since)
    times, notes = _timed(tries, items, weights)
    good, bad = (_of_repos(times[times["failed"] == failed], items.names) for failed in (False, True))
    if not good.counts.any():
        raise ValueError(
            "ledger_or_frame has no attempt that succeeded and tells both times, started_at and finished_at, so there "
            "is nothing to learn durations from"
        )
    names = [name for at, name in enumerate(items.names) if good.counts[at] or bad.counts[at]]
    kept = np.flatnonzero(good.counts + bad.counts)
    pool = _Learnt.of(good, kept, level)
    failing = _Learnt.of(bad, kept, level) if bad.tries.sum() >= _FEW else None
    few = int(np.count_nonzero(good.tries[kept] < _FEW))
    if few:
        notes.append(f"{plural(few, 'repo')} with fewer than {_FEW} {'leans' if few == 1 else 'lean'} on the others")
    columns = {"attempts": dtypes.integer(good.tries[kept].tolist())}
    columns |= {name: _spans(seconds) for name, seconds in pool.columns.items()}
    columns |= {"sigma": pool.sigma, "own": pool.own, "failed_attempts": dtypes.integer(bad.tries[kept].tolist())}
    unknown = np.full(len(names), np.nan)
    for name in ("median", "p90"):
        columns[f"failed_{name}"] = _spans(unknown if failing is None else failing.columns[name])
    fit = dtypes.frame(columns)
    fit.index = dtypes.index(names)
    fit.attrs = {"confidence_level": level, "note": "; ".join(notes)}
    return DurationFit(
        **pool.model(names), failed=None if failing is None else DurationModel(**failing.model(names)), fit=fit
    )


# ---------------------------------------------------------------------- what the record tells


@dataclass(frozen=True, eq=False)
class _OfRepos:
    """Sums over the times of each repo."""

    tries: npt.NDArray[np.int64]
    counts: Floats  # of weights
    means: Floats  # of logarithms of seconds
    squares: Floats  # around it


def _timed(tries: Tries, items: Items, weights: Floats) -> tuple[pd.DataFrame, list[str]]:
    """Give repo, logarithm of the seconds, weight and failure of each attempt that tells both times."""
    rows = np.flatnonzero(items.item >= 0)
    late = np.zeros(len(rows), dtype=bool)
    if tries.form == "attempts":
        status = tries.frame["status"].iloc[rows].astype(object).to_numpy()
        late = (status == "failed") & (tries.failures[rows] == 0)
    took = (times_of(tries, "finished_at", rows) - times_of(tries, "started_at", rows)) / pd.Timedelta(seconds=1)
    seconds = np.asarray(took, dtype=np.float64)
    item = items.item[rows]
    used = (weights[item] > 0) & ~late
    notes = []
    if missing := int(np.count_nonzero(used & np.isnan(seconds))):
        notes.append(f"{plural(missing, 'attempt')} without both times left out")
    if (before := used & (seconds < 0)).any():
        names = sorted({items.names[at] for at in items.repo[item[before]]})
        said = f"{plural(int(before.sum()), 'attempt')} that {'ends' if before.sum() == 1 else 'end'} before the start"
        notes.append(f"{said} left out")
        warn_caller(f"ledger_or_frame has {said}, at {quoted(names, 5)}: left out", UserWarning)
    if none := int(np.count_nonzero(used & (seconds == 0))):
        notes.append(f"{plural(none, 'attempt')} of no time at all counted as 1 ms")
    used &= seconds >= 0
    shortest, longest = 1 / TICKS_A_SECOND, LONGEST / TICKS_A_SECOND
    return pd.DataFrame(
        {
            "repo": items.repo[item[used]],
            "log": np.log(np.clip(seconds[used], shortest, longest)),
            "weight": weights[item[used]],
            "failed": tries.failures[rows][used] > 0,
        }
    ), notes


def _of_repos(times: pd.DataFrame, names: list[str]) -> _OfRepos:
    repo, logs, weight = (times[name].to_numpy() for name in ("repo", "log", "weight"))
    n = len(names)
    counts = np.bincount(repo, weight, n).astype(np.float64)
    means = np.bincount(repo, weight * logs, n) / np.maximum(counts, np.finfo(np.float64).tiny)
    squares = np.bincount(repo, weight * (logs - means[repo]) ** 2, n).astype(np.float64)
    return _OfRepos(np.bincount(repo, minlength=n).astype(np.int64), counts, means, squares)


# ---------------------------------------------------------------------- what is learnt


@dataclass(frozen=True, eq=False)
class _Learnt:
    """Estimates of each repo that is shown, in seconds, and of the next attempt at it and at one never seen."""

    columns: dict[str, Floats]
    sigma: Floats
    own: Floats
    next_median: Floats
    next_sigma: Floats

    @classmethod
    def of(cls, told: _OfRepos, kept: npt.NDArray[np.intp], level: float) -> _Learnt:
        seen = np.flatnonzero(told.counts)
        pool = Pool.of(told.counts[seen], told.means[seen], told.squares[seen])
        # What never ended so is known as well as a repo that was never seen, which is the last row.
        place = np.full(len(told.counts), len(seen))
        place[seen] = np.arange(len(seen))
        rows = place[kept]
        shares = {"": 0.5, "_low": (1 - level) / 2, "_high": (1 + level) / 2}
        columns = {
            f"{name}{end}": np.exp(quantiles_of_mixtures(means, pool.spreads, pool.weights, share))[rows]
            for name, means in (("median", pool.means), ("p90", pool.means + _Z * pool.sigmas))
            for end, share in shares.items()
        }
        whole = np.hypot(pool.spreads, pool.sigmas)
        middle, point = (quantiles_of_mixtures(pool.means, whole, pool.weights, share) for share in (0.5, _POINT))
        after = np.append(rows, len(seen))
        return cls(
            columns=columns,
            sigma=np.exp(np.log(pool.sigmas) @ pool.weights)[rows],
            own=pool.own[rows],
            next_median=np.exp(middle)[after],
            next_sigma=np.minimum((point - middle) / _Z, LARGEST_SIGMA)[after].round(2),
        )

    def model(self, names: list[str]) -> dict[str, Any]:
        """Give what a DurationModel takes; the last row is that of repos which were never seen."""
        longest = LONGEST / TICKS_A_SECOND
        *medians, default = np.minimum(self.next_median, longest).tolist()
        *sigma, default_sigma = self.next_sigma.tolist()
        return {
            "medians": dict(zip(names, medians, strict=True)),
            "sigma": dict(zip(names, sigma, strict=True)),
            "default": default,
            "default_sigma": default_sigma,
        }


def _spans(seconds: Floats) -> Any:
    micro = np.where(np.isnan(seconds), 0.0, np.minimum(np.nan_to_num(seconds), LONGEST / TICKS_A_SECOND) * 1e6)
    spans = pd.Series(micro.round().astype("int64").view("timedelta64[us]"))
    return spans.mask(np.isnan(seconds)).array


def _told(span: pd.Timedelta) -> str:
    """Write a time with three digits and its unit."""
    seconds = span.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms"
