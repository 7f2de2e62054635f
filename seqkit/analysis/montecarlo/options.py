"""Rank several ways to release on the same random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.secrets import as_given
from seqkit._util.words import quoted
from seqkit.analysis.estimate import Estimate
from seqkit.analysis.montecarlo.driver import Engine, chosen_engine, each_chunk
from seqkit.analysis.montecarlo.experiment import prepare
from seqkit.analysis.montecarlo.paired import Sums, counted, measured, ranges_of
from seqkit.analysis.montecarlo.reach import Reach
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.failures import FailureModel, ModelLike, as_model
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Terms
from seqkit.core.trains import PlanLike, as_plan
from seqkit.core.unknown import check_models

__all__ = ["Option", "compare_many"]

Option = tuple[PlanLike, ModelLike] | tuple[PlanLike, ModelLike, Mapping[str, Any]]
"""A way to release: the plan (or trains of one), the model and, where they are not at their defaults, the keywords."""

_KEYWORDS = ("attempts", "policy", "failure_budget")


class _Read(NamedTuple):
    plan: SequencePlan
    model: FailureModel
    terms: Terms


def compare_many(
    options: Mapping[str, Option],
    rng: Seed | None = None,
    trials: int = 100_000,
    engine: Engine = "auto",
    executor: Executor | int | None = None,
) -> pd.DataFrame:
    """Rank ways to release by how many repos they release on average, with common random numbers.

    What is compared is the number of repos released per run, not a share. Plans may release different repos: then
    a plan of more repos is ahead by as many as it releases more, whatever share of it that is.

    Parameters
    ----------
    options : mapping
        Name → ``(plan, model)`` or ``(plan, model, keywords)``; keywords are a mapping that may hold `attempts`,
        `policy` and `failure_budget`, as in :func:`simulate`.
    rng, trials, engine, executor
        As in :func:`simulate`; trial i of all options has the same random numbers, repo by repo.

    Returns
    -------
    DataFrame
        Index `name` (string), the best first; options that release equally many stay in the order given. Columns:

        - `mean`, `se_mean` (float64, repos per run): how many are released, and its standard error.
        - `difference`, `se` (float64, repos per run): `mean` minus that of the first, 0 or below, and the paired
          standard error of it; both 0 for the first.
        - `low`, `high` (float64): the 95 % interval of the difference. Where it holds 0 the option is not told
          apart from the first.
        - `rank` (Int64): from 1.

        Errors and intervals are those of :class:`seqkit.Estimate`: 0 only where the number is exact.

    Raises
    ------
    TypeError, ValueError
        Where an argument is not of its kind or out of its range; where there is no option; where a model names
        only repos that no plan of the call has, and nothing else could fail.

    Warns
    -----
    UnknownRepo
        Where a model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    The first is chosen by the same trials that it is then compared on, so that of many options that are alike it
    looks a little better than it is. Rank them again with another seed before you rely on a small difference.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1")
    >>> ways = {"as it is": (plan, 0.1), "try twice": (plan, 0.1, {"attempts": 2}),
    ...         "harden core": (plan, {"core": 0.05, "api": 0.1, "docs": 0.1})}
    >>> compare_many(ways, rng=7)[["mean", "difference", "se", "rank"]].round(4)
                   mean  difference      se  rank
    name
    try twice    2.9501      0.0000  0.0000     1
    harden core  2.6579     -0.2922  0.0023     2
    as it is     2.5185     -0.4316  0.0028     3
    """
    read = _read(options)
    count, seed = whole("trials", trials, 1, MAX_TRIALS), resolve_seed(rng)
    experiments = [prepare(way.plan, way.terms, way.model, seed) for way in read.values()]
    sizes = [experiment.n_released for experiment in experiments]
    first = [0] * len(read)  # sums of each option, and of the products of each two: whole numbers, of any size
    products = np.zeros((len(read), len(read)), dtype=object)
    chunks = each_chunk(chosen_engine(engine, count * sum(sizes)), experiments, 0, count, executor, arrays=True)
    with closing(chunks):
        for parts in chunks:
            values = np.array(
                [counted(part, n)["n_succeeded"] for part, n in zip(parts, sizes, strict=True)], dtype=np.int64
            )
            first = [known + more for known, more in zip(first, values.sum(axis=1).tolist(), strict=True)]
            products += (values @ values.T).astype(object)
    ranked = sorted(range(len(read)), key=lambda at: -first[at])
    ways, best = list(read.values()), ranked[0]
    reaches = [Reach.under(way.plan, way.terms, way.model) for way in ways]
    rows = []
    for rank, at in enumerate(ranked, 1):
        sums: Sums = (first[best], first[at], products[best, best], products[at, at], products[best, at])
        ranges = ranges_of(reaches[best], reaches[at], (ways[best].model, ways[at].model))["n_succeeded"]
        found = measured(sums, count, ranges)
        difference = Estimate(0.0, 0.0) if at == best else found.difference
        rows.append((float(found.b), found.b.se, float(difference), difference.se, *difference.interval(), rank))
    columns = list(zip(*rows, strict=True))
    names = list(read)
    frame = dtypes.frame(
        {
            name: np.array(column, dtype=np.float64)
            for name, column in zip(("mean", "se_mean", "difference", "se", "low", "high"), columns, strict=False)
        }
        | {"rank": dtypes.integer(columns[-1])}
    )
    frame.index = dtypes.index([names[at] for at in ranked], "name")
    return frame


def _read(options: Mapping[str, Option]) -> dict[str, _Read]:
    expected = "expected a mapping from a name to (plan, model) or (plan, model, keywords)"
    if not isinstance(options, Mapping):
        raise TypeError(f"options is {as_given(options)}, {expected}")
    if not options:
        raise ValueError(f"options is empty, {expected}")
    read = {}
    for name, way in options.items():
        argument = f"options[{as_given(name, 80)}]"
        if not isinstance(name, str):
            raise TypeError(f"options has the key {as_given(name, 80)}, expected a name as a str")
        if not isinstance(way, tuple) or len(way) not in (2, 3):
            raise TypeError(f"{argument} is {as_given(way, 200)}, expected (plan, model) or (plan, model, keywords)")
        plan = as_plan(way[0], f"{argument}, the plan,")
        read[name] = _Read(plan, as_model(way[1], f"the model of {argument}"), _terms(argument, way[2:]))
    models: dict[int, tuple[str, FailureModel]] = {}  # one model of several options is looked at once
    for name, own in read.items():
        models.setdefault(id(options[name][1]), (f"the model of options[{name!r:.80}]", own.model))
    check_models([own.plan for own in read.values()], **dict(models.values()))
    return read


def _terms(argument: str, given: tuple[Any, ...]) -> Terms:
    keywords = given[0] if given else {}
    if not isinstance(keywords, Mapping):
        raise TypeError(f"{argument} has the keywords {as_given(keywords, 200)}, expected a mapping")
    unknown = [name for name in keywords if name not in _KEYWORDS]
    if unknown:
        raise ValueError(f"{argument} has the keywords {quoted(unknown)}, expected some of {quoted(_KEYWORDS)}")
    try:
        return Terms(**keywords)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{argument}: {error}") from None
