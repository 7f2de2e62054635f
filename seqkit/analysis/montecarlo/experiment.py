"""What is simulated, as plain arrays: a plan, a model and a policy, ready for a kernel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.core import draws
from seqkit.core.failures import Failing, FailureModel
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Terms
from seqkit.core.trains import loss_holds_up

__all__ = ["NO_TRIALS", "Experiment", "Tally", "joint_counts", "prepare", "total", "tries_that_count"]

NO_TRIALS = np.empty(0, np.int32)
"""In place of arrays by trial that nobody asked for; a slice of them would keep them alive."""

_DENSE = 1 << 21  # cells; a table of all joint counts up to this size is faster than sorting

_MOST_KEYS = 10_000_000  # of 16 bytes
_MOST_TRIES = 10_000  # at a repo, where so many are needed to decide every trial
_NEVER_BITS = 64  # what is less likely than 2 to the minus this, in any trial of any repo, does not happen

_REDUCE_UP_TO = 10_000  # repos; above, sets of ancestors as integers would take more memory than they save time


@dataclass(frozen=True)
class Experiment:
    """The arrays of an experiment. Plain and picklable, so that it can be sent to another process.

    Row v is the plan's item at position v, `n` rows in all; `m` causes; `k` attempts.
    """

    seed: int
    """Whose draws they are."""
    released: NDArray[np.bool_]
    """[n] whether the item can fail, and counts."""
    first_dependency: NDArray[np.int64]
    """[n + 1] where each row's part of `dependencies` begins."""
    dependencies: NDArray[np.int64]
    """Rows whose loss blocks the row; none where a failure blocks nobody."""
    keys: NDArray[np.uint64]
    """[n, k, 2] keys of the draws of each attempt."""
    mantissas: NDArray[np.uint64]
    """[n] the rate of failure of a first attempt is ``mantissa / 2**digits``."""
    digits: NDArray[np.int64]
    """[n] binary digits of the rate."""
    hard_keys: NDArray[np.uint64]
    """[n, 2] keys of the draws that say of a failed first attempt whether any retry can mend it."""
    hard_mantissas: NDArray[np.uint64]
    """[n] as `mantissas`, of the share that none can."""
    hard_digits: NDArray[np.int64]
    """[n] as `digits`, of that share."""
    later_mantissas: NDArray[np.uint64]
    """[n] as `mantissas`, of the rate of a later attempt where a retry can."""
    later_digits: NDArray[np.int64]
    """[n] as `digits`, of that rate."""
    cause_keys: NDArray[np.uint64]
    """[m, 2] keys of the draws of each common cause."""
    cause_mantissas: NDArray[np.uint64]
    """[m] as `mantissas`, of the causes."""
    cause_digits: NDArray[np.int64]
    """[m] as `digits`, of the causes."""
    first_cause: NDArray[np.int64]
    """[n + 1] where each row's part of `causes` begins."""
    causes: NDArray[np.int64]
    """Causes that make every try of the row fail."""
    first_mild: NDArray[np.int64]
    """[n + 1] where each row's part of `mild` begins."""
    mild: NDArray[np.int64]
    """[s] causes that make each try of the row fail with a severity below 1."""
    mild_keys: NDArray[np.uint64]
    """[s, k, 2] keys of the draws that say so of each attempt."""
    mild_mantissas: NDArray[np.uint64]
    """[s] as `mantissas`, of the severities."""
    mild_digits: NDArray[np.int64]
    """[s] as `digits`, of the severities."""
    stop_at: int
    """Nothing new starts after this many failures; 0 for never."""
    departs: NDArray[np.bool_]
    """[n] whether a train leaves with this row: failures count from there."""

    @property
    def n_released(self) -> int:
        """How many repos are released."""
        return int(self.released.sum())


@dataclass(frozen=True)
class Tally:
    """What a kernel counted over some trials. Integers, so that sums of tallies do not depend on their order."""

    trials: int
    """How many trials."""
    failed: NDArray[np.int64]
    """[n] in how many trials each row failed."""
    lost: NDArray[np.int64]
    """[n] in how many trials each row was not released: failed or skipped."""
    joint: NDArray[np.int64]
    """[j] which counts occurred: ``failed * (n_released + 1) + lost``, ascending."""
    weights: NDArray[np.int64]
    """[j] in how many trials."""
    n_failed: NDArray[np.int32]
    """[trials] failed repos of each trial; empty where not asked for."""
    n_lost: NDArray[np.int32]
    """[trials] repos not released of each trial; empty where not asked for."""


def total(parts: Sequence[Tally]) -> Tally:
    """Add tallies of successive trials; at least one."""
    joint, where = np.unique(np.concatenate([part.joint for part in parts]), return_inverse=True)
    weights = np.zeros(len(joint), np.int64)
    np.add.at(weights, where, np.concatenate([part.weights for part in parts]))
    return Tally(
        sum(part.trials for part in parts),
        np.sum([part.failed for part in parts], axis=0, dtype=np.int64),
        np.sum([part.lost for part in parts], axis=0, dtype=np.int64),
        joint,
        weights,
        np.concatenate([part.n_failed for part in parts]),
        np.concatenate([part.n_lost for part in parts]),
    )


def joint_counts(
    n_failed: NDArray[np.int32], n_lost: NDArray[np.int32], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the trials of each pair; gives `joint` and `weights` of a tally. `width` is one above all counts."""
    pairs = n_failed.astype(np.int64) * width + n_lost
    if width**2 <= _DENSE:
        table = np.bincount(pairs)
        joint = np.flatnonzero(table).astype(np.int64)
        return joint, table[joint].astype(np.int64)
    joint, weights = np.unique(pairs, return_counts=True)
    return joint, weights.astype(np.int64)


def prepare(plan: SequencePlan, terms: Terms, model: FailureModel, seed: int, tries: int | None = None) -> Experiment:
    """Turn what is simulated into arrays.

    Where a failure does not block, nothing is lost by what it needs; where everything stops, every later
    repo of the train is out anyway, since plan order is a dependency order.

    Tries are drawn as far as they can matter, or as many as `tries` says, where each takes time.

    Raises
    ------
    ValueError
        Where the attempts are too many, or of those that can matter (:func:`tries_that_count`) there are.
    """
    items = [item.repo_id for item in plan.items]
    released, trains = plan.arrays.released, plan.train_of
    attempts = tries or max(
        (tries_that_count(model, repo, terms.attempts, len(items)) for repo in plan.released), default=1
    )
    causes = [(cause, train) for train in sorted(set(trains)) for cause in model.common_causes if cause.probability > 0]
    struck_by: list[list[int]] = [[] for _ in items]
    mildly: list[list[int]] = [[] for _ in items]
    for number, (cause, train) in enumerate(causes):
        for repo in cause.repos:
            at = plan.arrays.position.get(repo)
            if at is not None and released[at] and trains[at] == train and cause.severity > 0:
                (struck_by if cause.severity == 1 else mildly)[at].append(number)
    members = sum(map(len, mildly))
    keyed = max(1, _MOST_KEYS // max(1, len(items) + members))
    if attempts > _MOST_TRIES or (terms.attempts if tries is None else tries) > keyed:
        raise ValueError(
            f"attempts is {terms.attempts}, expected at most {min(keyed, _MOST_TRIES)} for a plan of "
            f"{len(items)} items; analyze(plan, model, attempts) takes any number"
        )
    dependencies = _reduced(plan.arrays.dependencies) if loss_holds_up(plan, terms) else [[] for _ in items]
    rates = [model.rate(repo) if yes else 0.0 for repo, yes in zip(items, released, strict=True)]
    keys = [
        [
            draws.stream(seed, "repo", repo, attempt) if rate > 0 else (0, 0)  # no key where nothing is drawn
            for attempt in range(1, attempts + 1)
        ]
        for repo, rate in zip(items, rates, strict=True)
    ]
    mantissas, digits = _binary(rates)
    failing = [Failing.of(rate, model.share_hard(repo)) for repo, rate in zip(items, rates, strict=True)]
    later_mantissas, later_digits = _binary([own.flaky for own in failing])
    hard = [model.share_hard(repo) if rate and attempts > 1 else 0.0 for repo, rate in zip(items, rates, strict=True)]
    hard_mantissas, hard_digits = _binary(hard)
    hard_keys = [
        draws.stream(seed, "hard", repo, 0) if share else (0, 0) for repo, share in zip(items, hard, strict=True)
    ]
    cause_mantissas, cause_digits = _binary([cause.probability for cause, _ in causes])
    cause_keys = [draws.stream(seed, "cause", cause.name, train) for cause, train in causes]
    mild = [(causes[number][0], items[at]) for at, row in enumerate(mildly) for number in row]
    mild_mantissas, mild_digits = _binary([cause.severity for cause, _ in mild])
    mild_keys = [
        [draws.stream(seed, "severity", (cause.name, repo), attempt) for attempt in range(1, attempts + 1)]
        for cause, repo in mild
    ]
    stop_at = terms.stop_at or 0
    if stop_at > len(items):
        stop_at = 0
    return Experiment(
        seed=seed,
        released=np.array(released, dtype=np.bool_),
        first_dependency=_starts(dependencies),
        dependencies=_flat(dependencies),
        keys=np.array(keys, dtype=np.uint64).reshape(len(items), attempts, 2),
        mantissas=mantissas,
        digits=digits,
        hard_keys=np.array(hard_keys, dtype=np.uint64).reshape(-1, 2),
        hard_mantissas=hard_mantissas,
        hard_digits=hard_digits,
        later_mantissas=later_mantissas,
        later_digits=later_digits,
        cause_keys=np.array(cause_keys, np.uint64).reshape(-1, 2),
        cause_mantissas=cause_mantissas,
        cause_digits=cause_digits,
        first_cause=_starts(struck_by),
        causes=_flat(struck_by),
        first_mild=_starts(mildly),
        mild=_flat(mildly),
        mild_keys=np.array(mild_keys, dtype=np.uint64).reshape(len(mild), attempts, 2),
        mild_mantissas=mild_mantissas,
        mild_digits=mild_digits,
        stop_at=stop_at,
        departs=np.array([not at or trains[at] != trains[at - 1] for at in range(len(items))], dtype=np.bool_),
    )


def tries_that_count(model: FailureModel, repo_id: str, attempts: int, repos: int) -> int:
    """Say how many of the attempts can matter: after those every trial is decided, whatever the seed.

    A repo that fails at a rate fails so often in none of all the trials that there can be, of so many repos,
    but with a probability below 2**-64. One that is certain to fail, or to be released, is decided at once. A cause
    of a severity below 1 counts as if it always struck.

    Examples
    --------
    >>> [tries_that_count(FailureModel({"a": p}), "a", 1_000_000, 100) for p in (0.0, 0.1, 0.5, 0.9, 1.0)]
    [1, 33, 109, 715, 1]
    >>> tries_that_count(FailureModel({"a": 0.5}), "a", 3, 100)
    3
    """
    rate = model.rate(repo_id)
    spared = math.prod(1.0 - cause.severity for cause in model.causes_of(repo_id) if cause.severity < 1)
    if spared < 1.0 and rate < 1.0:
        rate = min(1.0 - (1.0 - rate) * spared, math.nextafter(1.0, 0.0))  # rounding makes nothing certain
    if rate in (0.0, 1.0):
        return 1
    bits = _NEVER_BITS + math.log2(draws.MAX_TRIALS * max(1, repos))
    return min(attempts, math.ceil(bits / -math.log2(rate)))


def _reduced(dependencies: Sequence[Sequence[int]]) -> Sequence[Sequence[int]]:
    """Leave out what another dependency brings with it: a loss reaches the row through that one."""
    if len(dependencies) > _REDUCE_UP_TO:
        return dependencies
    above: list[int] = []  # bit u of above[v]: v needs u, directly or not
    reduced = []
    for direct in dependencies:
        known, kept = 0, []
        for dependency in reversed(direct):  # the latest first: only a later one can bring an earlier one
            if not known >> dependency & 1:
                kept.append(dependency)
                known |= above[dependency] | 1 << dependency
        above.append(known)
        reduced.append(kept)
    return reduced


def _binary(rates: list[float]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    pairs = [draws.binary(rate) for rate in rates]
    return (
        np.array([mantissa for mantissa, _ in pairs], dtype=np.uint64),
        np.array([count for _, count in pairs], dtype=np.int64),
    )


def _starts(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)


def _flat(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array([value for row in rows for value in row], dtype=np.int64)
