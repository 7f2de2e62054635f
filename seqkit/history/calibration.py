"""Whether to believe a forecast: past trains, forecast from the trains before them, held against what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._show.html import table
from seqkit._util import dtypes
from seqkit._util.arguments import level_of, whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.estimate import Share
from seqkit.analysis.exact import analyze
from seqkit.analysis.montecarlo import simulate
from seqkit.core import draws
from seqkit.core.draws import Seed
from seqkit.core.failures import FailureModel
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan, build_plan
from seqkit.core.terms import Terms
from seqkit.fitting.attempts import Items, Source, Tries, items_of, read_tries, runs_of, strings
from seqkit.fitting.evidence import half_life_of
from seqkit.fitting.priors import JEFFREYS, Prior, prior_of
from seqkit.ledger.copies import counted
from seqkit.ledger.frames import items_frame
from seqkit.ledger.reading import lent
from seqkit.ledger.story import plan_of_run, tag_of

__all__ = ["Calibration", "calibration"]

Floats = npt.NDArray[np.float64]

_TRIALS = 4_000  # of each train
_RESAMPLES = 999
_OPEN = ("pending", "in_progress", "stopped")
_ABSENT = ("missing", "unreleased")


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """What past trains were forecast to do, and what they did. Made by :func:`calibration`."""

    predictions: pd.DataFrame
    """A row for each repo that a train tried, in order: `train`, `repo_id` (string), `predicted` (float64: that its
    first attempt fails), `base` (float64: the same by one rate for all repos), `failed` (boolean: what came)."""
    trains: pd.DataFrame
    """Index `train` (string), in order; `tried`, `failures` (Int64: first attempts, and those that failed),
    `expected_failures` (float64: the sum of the predictions), `planned`, `released` (Int64: repos), `expected`, `low`,
    `high` (float64: how many were to be released, and the central interval), `pit` (float64: which share of the
    forecast lies below what came, half of that which is the same). The last six are missing where no plan is known, the
    train was stopped or is not over, or its policy was another than to skip dependents."""
    scores: pd.DataFrame
    """Index `score` (Brier, log); `fit`, `base` (float64: the mean score of the predictions, and of one rate for all;
    lower is better), `skill`, `low`, `high` (float64: 1 − fit / base, with an interval over resampled trains)."""
    confidence_level: float
    """How much an interval holds."""
    seed: int
    """Of the simulated trains and of the resampled ones."""

    def bins(self, n: int = 8) -> pd.DataFrame:
        """Group the predictions, from the lowest to the highest, into at most `n` groups of about one size.

        Equal predictions are never torn apart.

        Returns
        -------
        DataFrame
            `predicted` (float64: their mean), `observed` (float64: which share failed), `low`, `high` (float64:
            Wilson's interval of that share, as if tries were independent), `n`, `failures` (Int64).
        """
        n = whole("n", n, 1)
        told = self.predictions
        predicted, failed = told["predicted"].to_numpy(), told["failed"].to_numpy(dtype=np.int64)
        order = np.argsort(predicted, kind="stable")
        sizes = np.searchsorted(predicted[order], predicted[order], side="left")  # equal ones share a place
        group = np.unique(sizes * n // max(len(order), 1), return_inverse=True)[1]
        rows = []
        for at in range(int(group.max(initial=-1)) + 1):
            mine = order[group == at]
            hits, size = int(failed[mine].sum()), len(mine)
            low, high = Share(hits, size).interval(self.confidence_level)
            rows.append((float(predicted[mine].mean()), hits / size, low, high, size, hits))
        columns = list(zip(*rows, strict=True)) if rows else [()] * 6
        names = ("predicted", "observed", "low", "high")
        return dtypes.frame(
            {name: np.array(column, dtype=np.float64) for name, column in zip(names, columns, strict=False)}
            | {"n": dtypes.integer(columns[4]), "failures": dtypes.integer(columns[5])}
        )

    @property
    def words(self) -> str:
        """The result in plain words."""
        said = [
            f"{plural(len(self.trains), 'train')}, {plural(len(self.predictions), 'prediction')}: "
            f"{self.trains['expected_failures'].sum():.3g} failures were predicted where {self._came:,} came"
        ]
        brier = self.scores.loc["Brier"]
        if not np.isnan(brier["low"]):
            better = "better than" if brier["low"] > 0 else "worse than" if brier["high"] < 0 else "not told apart from"
            said.append(
                f"predictions by repo are {better} one rate for all (Brier skill {brier['skill']:.2g}, "
                f"{100 * self.confidence_level:g} % interval {brier['low']:.2g} to {brier['high']:.2g})"
            )
        known = self.trains.dropna(subset="pit")
        if len(known):
            inside = int(((known["low"] <= known["released"]) & (known["released"] <= known["high"])).sum())
            said.append(
                f"the number released lay in its {100 * self.confidence_level:g} % interval in {inside} of "
                f"{plural(len(known), 'train')}"
            )
        return "; ".join(said)

    @property
    def _came(self) -> int:
        return int(self.predictions["failed"].sum())

    def __repr__(self) -> str:
        return f"Calibration({self.words})"

    def _repr_html_(self) -> str:
        rows = [
            (
                f"{row.predicted:.3g}",
                f"{row.observed:.3g}",
                f"{row.low:.2g} to {row.high:.2g}",
                f"{row.failures} / {row.n}",
            )
            for row in self.bins().itertuples()
        ]
        columns = ["predicted", "observed", f"{100 * self.confidence_level:g} % interval", "failures / attempts"]
        return table("Calibration: what was predicted, and what came", columns, rows, self.words)


def calibration(
    ledger_or_frame: Source,
    graph: RepoDependencyGraph | None = None,
    start: int = 5,
    prior: Prior = JEFFREYS,
    half_life: float | None = None,
    confidence_level: float = 0.95,
    rng: Seed | None = 0,
) -> Calibration:
    """Forecast each past train from the trains before it alone, and hold the forecast against what came.

    A forecast that is to be believed said 10 % where one of ten failed. No train is forecast with its own outcome, so
    nothing here is flattered by having seen the answer.

    Parameters
    ----------
    ledger_or_frame : RunLedger, path, URL or DataFrame
        What happened, as in :func:`seqkit.fit_failure_rates`; a frame needs `run_id`, or `train`. A run is a train; one
        that resumes another is one of its own, of what was left.
    graph : RepoDependencyGraph, optional
        Who needs whom, for trains whose record carries no plan: the repos that a train names are then its plan. Where
        one of them tried something below a failure, they did not skip dependents, and none of them has a plan.
    start : int
        How many of the oldest trains are only learnt from.
    prior, half_life
        Those of the fit to be checked, as in :func:`seqkit.fit_failure_rates`: the same defaults.
    confidence_level : float
        How much the intervals hold, between 0 and 1.
    rng : int or numpy.random.Generator, optional
        The seed of what is drawn; the same by default, so that the same record gives the same answer.

    Returns
    -------
    Calibration
        Its `predictions`, `trains` and `scores`, `bins()`, and all that in words; :func:`seqkit.plots.calibration`
        draws it.

    Raises
    ------
    ValueError, TypeError
        Where columns are missing or hold something else, an argument is out of range, or there are no trains after the
        first `start`.

    Notes
    -----
    *By repo.* The prediction is the posterior mean of :func:`seqkit.fit_failure_rates` before the train; for a repo
    that was never tried, the rate of all first attempts before. What was skipped tells nothing and is in no row. The
    base is that one rate for all, (failures + ½) / (attempts + 1). Brier's score is the mean of (p − x)², the log score
    the mean of −log P(x). Intervals of skill resample trains (percentiles of 999).

    *By train.* How many are released follows from the plan, if failures are independent and skip their dependents. The
    rates are then of what was not released in the end, retries included, fitted in the same way. `expected` is exact,
    interval and `pit` are of 4,000 simulated trains. Where forecasts are right, `pit` is spread evenly over 0 to 1; at
    both ends of it they were too sure, as with a common cause (see :func:`seqkit.dispersion_test`).

    O(trains · (repos + 4,000 · planned repos / 64)).

    Examples
    --------
    KDE's 63 trains: with the default prior more than twice as many failures are promised as come; with one learnt from
    all repos the number is right.

    >>> from seqkit import load_dataset
    >>> kf5 = load_dataset("kf5")
    >>> trains = kf5.trains.sort_values("started_at", kind="stable")
    >>> trains["run_id"] = trains["train"] + " " + trains["distribution"]
    >>> print(calibration(trains, start=15).words[:78])
    48 trains, 3,548 predictions: 96.8 failures were predicted where 40 came; pred
    >>> print(calibration(trains, start=15, prior="empirical").words[:78])
    48 trains, 3,548 predictions: 36.3 failures were predicted where 40 came; pred
    """
    level, start = level_of(confidence_level), whole("start", start, 1)
    seed = draws.resolve_seed(rng)
    if graph is not None and not isinstance(graph, RepoDependencyGraph):
        raise TypeError(f"graph is {as_given(graph)}, expected a RepoDependencyGraph")
    fade = float(np.exp2(-1 / half_life_of(half_life)))
    prior_of(prior, np.zeros(0), np.zeros(0))  # says what is wrong before anything is read
    source, plans = _read(ledger_or_frame)
    tries = read_tries(source)
    items = items_of(tries)
    run, ids = runs_of(tries, items, "calibration")
    if len(ids) <= start:
        raise ValueError(
            f"start is {start} and ledger_or_frame has {plural(len(ids), 'train')} that tried something, expected "
            "more: those after the first are forecast"
        )
    rows, trains = [], []
    first_failed, lost = items.lost > 0, ~items.released
    named = _named(tries)
    if graph is not None:
        plans = _planned(graph, named, plans, items, run, ids)
    before, ended = (_Before(len(items.names), prior, fade) for _ in range(2))
    for number, train in enumerate(ids):
        mine = np.flatnonzero(run == number)
        repos = items.repo[mine]
        if number >= start:
            predicted, base = before.rates()
            names = [items.names[at] for at in repos]
            rows += list(
                zip([train] * len(mine), names, predicted[repos], [base] * len(mine), first_failed[mine], strict=True)
            )
            counts = (len(mine), int(first_failed[mine].sum()), float(predicted[repos].sum()))
            plan = plans.get(train)
            came = {name for name, out in zip(names, items.released[mine], strict=True) if out}
            trains.append((train, *counts, *_released(plan, named[train], items, ended, came, level, seed)))
        before.add(repos, first_failed[mine])
        ended.add(repos, lost[mine])
    predictions, shown = _predictions(rows), _trains(trains)
    return Calibration(predictions, shown, _scores(predictions, level, seed), level, seed)


# ---------------------------------------------------------------------- what is known before a train


class _Before:
    """Failures and tries of each repo until now, as much as they count."""

    def __init__(self, n: int, prior: Prior, fade: float) -> None:
        self._failures, self._tries, self._prior, self._fade = np.zeros(n), np.zeros(n), prior, fade
        self._all = [0.0, 0.0]

    def add(self, repos: npt.NDArray[np.intp], failed: npt.NDArray[np.bool_]) -> None:
        n = len(self._tries)
        self._failures = self._failures * self._fade + np.bincount(repos, failed, n)
        self._tries = self._tries * self._fade + np.bincount(repos, minlength=n)
        self._all = [self._all[0] + float(failed.sum()), self._all[1] + len(repos)]

    def rates(self) -> tuple[Floats, float]:
        """Give the rate of each repo, and that of all together."""
        base = (self._all[0] + 0.5) / (self._all[1] + 1)
        seen = self._tries > 0
        a, b = prior_of(self._prior, self._failures[seen], self._tries[seen])
        return np.where(seen, (self._failures + a) / (self._tries + a + b), base), base


# ---------------------------------------------------------------------- what was planned


@dataclass
class _Named:
    """The repos that a train names, and whether it came to its end."""

    repos: dict[str, None]
    whole: bool = True


def _read(source: Source) -> tuple[Source, dict[str, SequencePlan | None]]:
    """Give a ledger's items and the plans of its runs; None for those of other rules than to skip dependents."""
    plans: dict[str, SequencePlan | None] = {}
    if isinstance(source, pd.DataFrame):
        return source, plans
    try:
        with lent(source, existing=True) as given:
            kept = counted(given)
            for record in kept.list_runs():
                tag = tag_of(record, "plan")
                terms = Terms.told_by(tag if isinstance(tag, Mapping) else {})[0]
                plain = terms.policy == "skip_dependents" and terms.failure_budget is None
                plans[record.run_id] = plan_of_run(record) if plain else None
            return items_frame(kept), plans
    except TypeError as error:
        raise TypeError(
            f"ledger_or_frame is {as_given(source)}, expected a ledger, its path or URL, or a DataFrame"
        ) from error


def _named(tries: Tries) -> dict[str, _Named]:
    frame = tries.frame
    runs = strings(frame, "run_id" if "run_id" in frame else "train")
    nothing = [None] * len(frame)
    words = nothing if tries.form == "succeeded" else frame["status"].astype(object).tolist()
    causes = frame["skip_cause"].astype(object).tolist() if "skip_cause" in frame else nothing
    named: dict[str, _Named] = {}
    for train, repo, *both in zip(runs, tries.repos, words, causes, strict=True):
        told = named.setdefault(train, _Named({}))
        said = [word for word in both if isinstance(word, str)]
        if not any(word in _ABSENT for word in said):
            told.repos[repo] = None
        told.whole &= not any(word in _OPEN for word in said)
    return named


def _planned(
    graph: RepoDependencyGraph,
    named: Mapping[str, _Named],
    plans: Mapping[str, SequencePlan | None],
    items: Items,
    run: npt.NDArray[np.intp],
    ids: Sequence[str],
) -> dict[str, SequencePlan | None]:
    """Plan what each train without a plan names; none at all where one went on below a failure."""
    found = {}
    for number, train in enumerate(ids):
        if train not in plans and all(repo in graph for repo in named[train].repos):
            plan = build_plan(graph, [(repo, "") for repo in named[train].repos])
            mine = np.flatnonzero(run == number)
            lost = {items.names[items.repo[at]]: not items.released[at] for at in mine}
            if _went_on(plan, lost):
                return dict(plans)
            found[train] = plan
    return {**plans, **found}


def _went_on(plan: SequencePlan, lost: Mapping[str, bool]) -> bool:
    """Tell whether something was tried though what it needs had failed; `lost` is of what was tried."""
    below: list[bool] = []
    for repo, needed in zip(plan.arrays.ids, plan.arrays.dependencies, strict=True):
        held = any(below[other] for other in needed)
        if held and repo in lost:
            return True
        below.append(held or lost.get(repo, False))
    return False


def _released(
    plan: SequencePlan | None, named: _Named, items: Items, ended: _Before, came: set[str], level: float, seed: int
) -> tuple[float | None, ...]:
    """Give planned, released, expected, low, high and pit; None each where nothing can be said."""
    if plan is None or not named.whole or not plan.released:
        return (None,) * 6
    rates, base = ended.rates()
    of = dict(zip(items.names, rates.tolist(), strict=True))
    model = FailureModel({repo: of.get(repo, base) for repo in plan.released})
    counts = simulate(plan, model, trials=_TRIALS, rng=seed).n_succeeded
    released = sum(repo in came for repo in plan.released)
    low, high = np.quantile(counts, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    pit = (np.count_nonzero(counts < released) + np.count_nonzero(counts == released) / 2) / len(counts)
    expected = float(analyze(plan, model).expected.succeeded)
    return len(plan.released), released, expected, float(low), float(high), float(pit)


# ---------------------------------------------------------------------- what came


def _predictions(rows: list[tuple[str, str, float, float, bool]]) -> pd.DataFrame:
    train, repo, predicted, base, failed = zip(*rows, strict=True)
    return dtypes.frame(
        {
            "train": dtypes.string(train),
            "repo_id": dtypes.string(repo),
            "predicted": np.array(predicted, dtype=np.float64),
            "base": np.array(base, dtype=np.float64),
            "failed": dtypes.boolean([bool(each) for each in failed]),
        }
    )


def _trains(rows: list[tuple[str | float | None, ...]]) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True))
    names = ("tried", "failures", "expected_failures", "planned", "released", "expected", "low", "high", "pit")
    whole_numbers = ("tried", "failures", "planned", "released")
    frame = dtypes.frame(
        {
            name: dtypes.integer(list(column)) if name in whole_numbers else np.array(column, dtype=np.float64)
            for name, column in zip(names, columns[1:], strict=True)
        }
    )
    frame.index = dtypes.index(list(columns[0]), "train")
    return frame


def _scores(predictions: pd.DataFrame, level: float, seed: int) -> pd.DataFrame:
    codes = pd.factorize(predictions["train"])[0]
    failed = predictions["failed"].to_numpy(dtype=np.float64)
    n = int(codes.max()) + 1
    times = np.random.Generator(np.random.Philox(seed)).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
    rows = []
    for score in (_brier, _log):
        fit, base = (score(predictions[name].to_numpy(), failed) for name in ("predicted", "base"))
        sums = np.stack([np.bincount(codes, each, n) for each in (fit, base)])
        skill = 1 - (times @ sums[0]) / (times @ sums[1])
        ends = np.quantile(skill, [(1 - level) / 2, (1 + level) / 2]) if n > 1 else (np.nan, np.nan)
        rows.append((fit.mean(), base.mean(), 1 - fit.mean() / base.mean(), *ends))
    frame = pd.DataFrame(rows, columns=["fit", "base", "skill", "low", "high"], dtype=np.float64)
    frame.index = dtypes.index(["Brier", "log"], "score")
    return frame


def _brier(predicted: Floats, failed: Floats) -> Floats:
    return (predicted - failed) ** 2


def _log(predicted: Floats, failed: Floats) -> Floats:
    return np.asarray(-np.log(np.where(failed > 0, predicted, 1 - predicted)))
