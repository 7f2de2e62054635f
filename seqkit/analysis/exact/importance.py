"""Importance measures: whose failure costs what, and whose improvement buys what."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit.analysis.exact.chances import Floats
from seqkit.analysis.exact.faults import Faults, TooManyCauses
from seqkit.analysis.exact.goals import Goal, Worth
from seqkit.analysis.exact.sharing import shares_of
from seqkit.core.arrays import reached
from seqkit.core.closure import ancestor_counts, reversed_graph
from seqkit.core.failures import CommonCause, FailureModel
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import fail_ids

__all__ = ["groups_frame", "importance_frame", "with_cause"]


def importance_frame(plan: SequencePlan, model: FailureModel, attempts: int, goal: Goal) -> pd.DataFrame:
    """Work out every measure of each repo to release, and of each common cause."""
    faults = Faults.of(plan, model, attempts)
    mixture = faults.mixture()
    worth, loss = goal.worth(faults, mixture), goal.loss(mixture)
    shares, of_strikes, error = _shares(goal, faults, loss)
    backwards = np.flatnonzero(faults.released[::-1])
    n_dependents = ancestor_counts(reversed_graph(plan.arrays.dependents), backwards)[::-1][faults.positions]
    frame = dtypes.frame(
        {
            **_measures(worth, loss),
            "share": shares,
            "n_dependents": pd.array(n_dependents, dtype="Int64"),
            "skips_if_failed": pd.array(n_dependents, dtype="Int64"),
            "extra_if_not_failed": worth.extra,
        }
    )
    labels = plan.released
    if model.common_causes:
        causes = _causes_frame(plan, model, attempts, goal, loss)
        causes["share"] = [
            sum(share for strike, share in zip(faults.strikes, of_strikes, strict=True) if strike.name == cause.name)
            for cause in model.common_causes
        ]
        frame["kind"] = dtypes.string(["repo"] * len(labels))
        causes["kind"] = dtypes.string(["cause"] * len(causes))
        for name in ("n_dependents", "skips_if_failed"):
            causes[name] = pd.array([None] * len(causes), dtype="Int64")
        causes["extra_if_not_failed"] = np.full(len(causes), np.nan)
        frame = pd.concat([frame, causes[list(frame.columns)]], ignore_index=True)
        labels = [*labels, *(f"cause: {cause.name}" for cause in model.common_causes)]
    frame.index = dtypes.index(labels)
    frame = frame.iloc[np.argsort(-frame["gain_if_perfect"].to_numpy(), kind="stable")]
    frame.attrs = {"share_error": error}
    return frame


def groups_frame(
    plan: SequencePlan, model: FailureModel, attempts: int, goal: Goal, groups: Mapping[str, str | Iterable[str]]
) -> pd.DataFrame:
    """Work out what each group of repos is worth together."""
    if not isinstance(groups, Mapping):
        raise TypeError(f"groups is {as_given(groups)}, expected a mapping from a name to the repos of the group")
    faults = Faults.of(plan, model, attempts)
    mixture = faults.mixture()
    value, loss = goal.value(mixture), goal.loss(mixture)
    shares, _, error = _shares(goal, faults, loss)
    place = faults.place
    best, worst, counts = [], [], []
    for name, repos in groups.items():
        members = sorted({plan.position(repo) for repo in fail_ids(plan, repos)})
        for position in members:
            if position not in place:
                raise ValueError(
                    f"groups has {plan.arrays.ids[position]!r} in {name!r:.80}, which this plan does not release; "
                    "expected repos of .released"
                )
        best.append(faults.changed(perfect=members).mixture())
        worst.append(faults.changed(hopeless=members).mixture())
        below = {other for position in members for other in reached(plan.arrays.dependents, position)}
        n_below = sum(1 for other in below.difference(members) if other in place)
        counts.append((len(members), math.fsum(shares[place[position]] for position in members), n_below))
    values, worsts = np.array([goal.value(each) for each in best]), np.array([goal.value(each) for each in worst])
    worth = Worth(
        gain=values - value,
        birnbaum=values - worsts,
        at_worst=np.array([goal.loss(each) for each in worst]),
        at_best=np.array([goal.loss(each) for each in best]),
        extra=np.zeros(0),
    )
    frame = dtypes.frame(
        {
            **_measures(worth, loss),
            "share": np.array([share for _, share, _ in counts], dtype=np.float64),
            "n_repos": pd.array([n for n, _, _ in counts], dtype="Int64"),
            "n_dependents": pd.array([n for _, _, n in counts], dtype="Int64"),
        }
    )
    frame.index = dtypes.index([str(name) for name in groups], "group")
    frame = frame.iloc[np.argsort(-frame["gain_if_perfect"].to_numpy(), kind="stable")]
    frame.attrs = {"share_error": error}
    return frame


def _measures(worth: Worth, loss: float) -> dict[str, Floats]:
    gain = worth.gain.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # inf and nan are the documented answers
        return {
            "gain_if_perfect": gain,
            "birnbaum": worth.birnbaum,
            "raw": worth.at_worst / loss if loss else np.full(len(gain), np.inf),
            "rrw": np.float64(loss) / worth.at_best,
            "criticality": gain / np.float64(loss),
        }


def _shares(goal: Goal, faults: Faults, loss: float) -> tuple[Floats, Floats, float]:
    try:
        return shares_of(goal, faults, loss)
    except TooManyCauses:  # causes that always strike need no sum, but for the shares
        return np.full(len(faults.failing), np.nan), np.full(len(faults.strikes), np.nan), math.nan


def _causes_frame(plan: SequencePlan, model: FailureModel, attempts: int, goal: Goal, loss: float) -> pd.DataFrame:
    """Work out what it is worth that a cause never strikes, in any train."""
    found = []
    for cause in model.common_causes:
        never, always = (
            Faults.of(plan, with_cause(model, replace(cause, probability=chance)), attempts).mixture()
            for chance in (0.0, 1.0)
        )
        found.append((goal.loss(never), goal.loss(always)))
    best, worst = np.array(found, dtype=np.float64).reshape(-1, 2).T
    probability = np.array([cause.probability for cause in model.common_causes])
    # what is won is a part of what could be lost: no difference of large numbers where the part is small
    gain = np.where(probability < 1.0, probability * (worst - best), loss - best)
    worth = Worth(gain, worst - best, worst, best, np.zeros(0))
    return dtypes.frame(_measures(worth, loss))


def with_cause(model: FailureModel, changed: CommonCause) -> FailureModel:
    """Give the model with the cause of that name changed."""
    causes = [changed if cause.name == changed.name else cause for cause in model.common_causes]
    return replace(model, common_causes=causes)
