"""Who held up whom: the skips of past runs, shared out among the failures that caused them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit.core.closure import Closure, Part, ancestor_counts
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.history.past import past_run
from seqkit.ledger import LedgerLike
from seqkit.ledger.copies import counted
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent
from seqkit.ledger.story import Told, imported_from, story_of

__all__ = ["Blame", "blames_of", "blockers"]


@dataclass(slots=True)
class Blame:
    """What one repo's failures cost, in one run or in several."""

    failures: int = 0
    """Runs in which it ran out of attempts."""
    blocks: int = 0
    """Repos that waited for it."""
    alone: int = 0
    """Those of them that waited for nobody else."""
    shares: list[float] = field(default_factory=list)
    """Its parts of those that waited: see :func:`blockers`."""

    @property
    def shapley(self) -> float:
        """Its share of all that was blocked, in repos."""
        return math.fsum(self.shares)


def blockers(
    ledger: LedgerLike,
    run_id: str | None = None,
    graph: RepoDependencyGraph | SequencePlan | None = None,
    by_run: bool = False,
) -> pd.DataFrame:
    """Share out the blame: for each repo that failed, how much of what was blocked is due to it.

    Where a blocked repo waited for one failed repo, that one bears all of it; where it waited for several,
    the blame is split equally among them, since any one of them would have blocked it.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the runs are kept.
    run_id : str, optional
        One run: its id, the start of it (four characters or more) or ``"last"``; all runs where None.
    graph : RepoDependencyGraph or SequencePlan, optional
        For runs that carry no plan (the original's): what they were made from. With a graph, every silent
        repo below a failure counts as blocked, as nothing tells which repos were not to be released. Another system's
        runs need none: without it the blockers count that their record names.
    by_run : bool
        A row for each failed repo of each run, instead of one for each repo.

    Returns
    -------
    DataFrame
        Index `repo_id` (string), every repo that failed, by `shapley` from the highest, ties in the order in
        which the ledger has them; with `by_run`, columns `run_id` and `repo_id` (string) come first instead, and the
        runs stay in the ledger's order. Columns:

        - `failures` (Int64): runs in which it ran out of attempts.
        - `blocks` (Int64): repos that waited for it, whoever else they waited for.
        - `alone` (Int64): those of them that waited for no other failed repo.
        - `shapley` (float64): its share of all blocked repos, in repos. The column adds up to their number.

    Raises
    ------
    RunNotFound
        Where the ledger has no such run.
    ValueError
        Where a run of ours or the original's in which something failed carries no plan, and `graph` is None.

    Notes
    -----
    For a set S of the failed repos let v(S) be the number of repos blocked where only those of S fail. The
    Shapley value of a failure (Shapley 1953) is what it adds to v, on average over all orders in which the
    failures may come. As v is a sum over blocked repos of "one of its failed ancestors is in S", each
    blocked repo gives 1 / (number of its failed ancestors) to each of them.

    A repo that was stopped without a failed ancestor is blamed on nobody: the policy held it up. Unreleased
    repos count nowhere, nor does what a run that broke off had not reached. Linear in events; who waits for more
    failed repos than a skip names is looked up in the plan, as bits, in blocks of bounded size.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "app"), ("auth", "app"), ("core", "docs")])
    >>> outcome = run_plan(build_plan(graph, version="1.0"), ScriptedReleaser(["core", "auth"]))
    >>> print(blockers(outcome.ledger).reset_index())
      repo_id  failures  blocks  alone  shapley
    0    core         1       2      1      1.5
    1    auth         1       1      0      0.5
    """
    blames: dict[tuple[str, str], Blame] = {}
    with lent(ledger, existing=True) as kept:
        source = counted(kept)
        records = source.list_runs() if run_id is None else [source.get_run(run_called(source, run_id))]
        for record in records:
            story = story_of(record, source.get_events(record.run_id))
            if not any(told.status == "failed" or told.word in ("blocked", "stopped") for told in story.told.values()):
                continue  # nothing to blame on anybody, with or without a plan
            if graph is None and imported_from(record) is not None:
                told = blames_of(story.items(), None)  # its rows name whom they waited for, as far as anybody knows
            else:
                past = past_run(record, story, graph)
                told = blames_of(past.ends.values(), past.plan)
            for repo, blame in told.items():
                whole = blames.setdefault((record.run_id if by_run else "", repo), Blame())
                whole.failures += blame.failures
                whole.blocks += blame.blocks
                whole.alone += blame.alone
                whole.shares += blame.shares
    return _frame(blames, by_run)


def blames_of(items: Iterable[Told], plan: SequencePlan | None) -> dict[str, Blame]:
    """Share out what was blocked in one run among the repos that failed in it, in the order of `items`.

    Without a plan nothing tells of failed repos beyond those that a skip names.
    """
    ends = list(items)
    failed = [told.repo_id for told in ends if told.status == "failed"]
    blames = {repo: Blame(failures=1) for repo in failed}
    many: list[Told] = []
    for told in ends:
        if told.word != "blocked":
            continue
        if told.more_blocked_by and plan is not None:
            many.append(told)
            continue
        for repo in told.blocked_by:
            blame = blames.setdefault(repo, Blame())  # a skip may name one that no failure was recorded of
            blame.blocks += 1
            blame.alone += len(told.blocked_by) == 1
            blame.shares.append(1 / len(told.blocked_by))
    if many and plan is not None:
        _blame_many(plan, failed, many, blames)
    return blames


def _blame_many(plan: SequencePlan, named: list[str], blocked: list[Told], blames: dict[str, Blame]) -> None:
    """Share out those that wait for more failed repos than are named: summed up along the plan, repo by repo."""
    arrays = plan.arrays
    failed = np.array([arrays.position[repo] for repo in named], dtype=np.int64)
    if not len(failed):
        return
    counts = ancestor_counts(arrays.dependencies, failed)
    weights = np.zeros((2, len(arrays.ids)))
    for told in blocked:
        position = arrays.position[told.repo_id]
        if counts[position]:
            weights[:, position] = 1, 1 / counts[position]
    everyone = np.arange(len(arrays.ids), dtype=np.int64)
    whole = Part(0, len(failed), lambda: (everyone, weights))
    sums = Closure(arrays.dependencies, failed).descendant_sums_by_part([whole], 2)
    for repo, blocks, share in zip(named, *sums.tolist(), strict=True):
        blames[repo].blocks += round(blocks)
        blames[repo].shares.append(share)


def _frame(blames: dict[tuple[str, str], Blame], by_run: bool) -> pd.DataFrame:
    shapley = {key: blame.shapley for key, blame in blames.items()}
    place = {run_id: number for number, run_id in enumerate(dict.fromkeys(run_id for run_id, _ in blames))}
    keys = sorted(blames, key=lambda key: (place[key[0]], -shapley[key]))  # stable: ties stay as they came
    rows = [blames[key] for key in keys]
    ids = [repo for _, repo in keys]
    named = {"run_id": dtypes.string([run_id for run_id, _ in keys]), "repo_id": dtypes.string(ids)}
    frame = dtypes.frame(
        {
            **(named if by_run else {}),
            "failures": dtypes.integer([row.failures for row in rows]),
            "blocks": dtypes.integer([row.blocks for row in rows]),
            "alone": dtypes.integer([row.alone for row in rows]),
            "shapley": np.array([shapley[key] for key in keys], dtype=np.float64),
        }
    )
    if not by_run:
        frame.index = dtypes.index(ids)
    return frame
