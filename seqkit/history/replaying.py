"""A past run once more, under other rules or with other outcomes: see :func:`replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from seqkit._show.html import folded, page, rows_of, shortened
from seqkit._show.svg import bars, legend, strip
from seqkit._util import dtypes
from seqkit._util.arguments import whole
from seqkit._util.words import and_more, plural, quoted
from seqkit.analysis.estimate import Estimate, error_of_share, mean_of
from seqkit.analysis.evidence import Causes
from seqkit.analysis.montecarlo.driver import each_part
from seqkit.analysis.montecarlo.reach import Reach
from seqkit.core.draws import MAX_TRIALS, Seed, resolve_seed
from seqkit.core.failures import ModelLike, as_model
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.rules import Reason, Rules, fail_ids
from seqkit.core.rules import follow as followed
from seqkit.core.terms import Policy, Terms, UnderTerms
from seqkit.core.unknown import check_models
from seqkit.errors import SequencingFailed, as_recorded
from seqkit.history.evidence import RecordedTries
from seqkit.history.past import read_run
from seqkit.ledger import LedgerLike
from seqkit.ledger.copies import counted
from seqkit.ledger.naming import run_called
from seqkit.ledger.reading import lent

__all__ = ["Replay", "replay"]

_ENDS = ("succeeded", "failed", "skipped")
_SHOWN = 6  # rows of a repr; the next fifty are folded away
_FOLDED = 50
_PER_SECOND = 1e5  # trials times repos, of one thread; only to size parts
_A_TRIAL = 3  # what is done once a trial takes as long as so many repos


@dataclass(frozen=True, eq=False, repr=False)
class Replay(UnderTerms):
    """What a past run would have come to. Made by :func:`replay`.

    All counts are of repos to release; unreleased ones are in none.
    """

    run_id: str
    """The run that was replayed."""
    plan: SequencePlan
    """Its plan."""
    trials: int
    """How many times the run was gone through: 1 where the outcome is certain."""
    seed: int | None
    """The same seed gives the same numbers; None where the outcome is certain."""
    outcome: SequenceOutcome | None
    """What the run comes to, where that is certain; None where it depends on what nobody knows."""
    drawn: tuple[str, ...]
    """The repos with a try, in some trial, that was drawn from the model, in plan order."""
    _terms: Terms = field(repr=False)
    _recorded: tuple[str, ...] = field(repr=False)
    _seen: Counter[bytes] = field(repr=False)
    _first: dict[bytes, int] = field(repr=False)
    _again: _Again = field(repr=False)

    @cached_property
    def _counts(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Trials by repo and end, shape (repos, 3)."""
        counts = np.zeros((len(self.plan.released), 3), dtype=np.int64)
        for ends, times in self._seen.items():
            codes = np.frombuffer(ends, dtype=np.uint8)
            counts[np.arange(len(codes)), codes] += times
        return counts

    def to_frame(self) -> pd.DataFrame:
        """Show what becomes of each repo.

        Returns
        -------
        DataFrame
            Index `repo_id` (string), the repos to release in plan order:

            - `recorded` (ordered categorical): the status in the ledger.
            - `p_succeeded`, `p_failed`, `p_skipped` (float64): shares of the trials; they add up to 1.
            - `se_succeeded`, `se_failed`, `se_skipped` (float64): their standard errors, as in
              :class:`seqkit.Estimate`: 0 where nothing that was drawn can change it.
            - `known` (boolean): whether all its tries come from the ledger, or from `fail` and `succeed`; False
              where one was drawn from the model. A repo whose own tries are known, or that is never tried, may still
              depend on one that was drawn.
        """
        shares = self._counts / self.trials
        drawn = set(self.drawn)
        frame = dtypes.frame(
            {
                "recorded": dtypes.categorical(self._recorded, dtypes.STATUSES),
                **{f"p_{end}": shares[:, code] for code, end in enumerate(_ENDS)},
                **{
                    f"se_{end}": np.where(
                        self._reach.sure(end), 0.0, error_of_share(self._counts[:, code], self.trials)
                    )
                    for code, end in enumerate(_ENDS)
                },
                "known": dtypes.boolean([repo not in drawn for repo in self.plan.released]),
            }
        )
        frame.index = dtypes.index(self.plan.released)
        return frame

    @property
    def outcomes(self) -> pd.DataFrame:
        """The different outcomes, the most frequent first.

        Returns
        -------
        DataFrame
            `trials` (Int64), `probability`, `se` (float64): how often; `n_succeeded`, `n_failed`, `n_skipped`
            (Int64): numbers of repos; `failed` (object: list of repo ids, in plan order); `trial` (Int64): the
            first trial that came to it, for :meth:`trial`.
        """
        rows = sorted(self._seen, key=lambda ends: (-self._seen[ends], self._first[ends]))
        times = np.array([self._seen[ends] for ends in rows], dtype=np.float64)
        released = self.plan.released
        return dtypes.frame(
            {
                "trials": dtypes.integer([self._seen[ends] for ends in rows]),
                "probability": times / self.trials,
                "se": np.zeros(1) if self.outcome is not None else error_of_share(times, self.trials),
                **{f"n_{end}": dtypes.integer([ends.count(code) for ends in rows]) for code, end in enumerate(_ENDS)},
                "failed": dtypes.objects(
                    [[repo for repo, code in zip(released, ends, strict=True) if code == 1] for ends in rows]
                ),
                "trial": dtypes.integer([self._first[ends] for ends in rows]),
            }
        )

    @property
    def n_succeeded(self) -> Estimate:
        """How many repos are released, on average over the trials, with its standard error."""
        values = np.array([ends.count(0) for ends in self._seen], dtype=np.int64)
        values, where = np.unique(values, return_inverse=True)
        weights = np.zeros(len(values), np.int64)
        np.add.at(weights, where, np.array(list(self._seen.values()), dtype=np.int64))
        return mean_of(values, weights, self._reach.count("succeeded"))

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self.plan, self._terms, [self._again.chance(repo) for repo in self.plan.released])

    def trial(self, number: int) -> SequenceOutcome:
        """Go through one trial again, from 0."""
        return self._again.trial(whole("number", number, 0, self.trials - 1)).outcome(seed=self.seed)

    def __repr__(self) -> str:
        run = shortened(self.run_id, 40)
        if self.outcome is not None:
            return f"Replay(run {run}: {self.outcome.summary()})"
        n, were = len(self.plan.released), self._recorded.count("succeeded")
        return (
            f"Replay(run {run}: {self.n_succeeded} of {n} repos released where {were} were, "
            f"{len(self.drawn)} drawn from the model in {self.trials} trials)"
        )

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        ends = frame[[f"p_{end}" for end in _ENDS]].to_numpy()
        changed = [
            (repo, was, *(f"{share:.3g}" for share in row), "" if known else "drawn")
            for repo, was, row, known in zip(frame.index, self._recorded, ends, frame["known"], strict=True)
            if not (was in _ENDS and row[_ENDS.index(was)] == 1)
        ]
        columns = ["repo", "was", "released", "failed", "skipped", ""]
        parts = [*self._picture(), rows_of(columns, changed[:_SHOWN])] if changed else [*self._picture()]
        if len(changed) > _SHOWN:
            parts.append(
                folded(
                    f"{len(changed) - _SHOWN} more that differ", rows_of(columns, changed[_SHOWN : _SHOWN + _FOLDED])
                )
            )
        more = len(changed) - _SHOWN - _FOLDED
        note = and_more(more, ": .to_frame() has all", "… ") if changed else "every repo ends as it did"
        return page(repr(self), *parts, note=note)

    def _picture(self) -> list[str]:
        """Draw the one outcome's counts, or how many repos are released in the trials."""
        if self.outcome is not None:
            counts = Counter(self.outcome.words())
            return [strip(counts), legend(counts)]
        shares = [0.0] * (len(self.plan.released) + 1)
        for ends, times in self._seen.items():
            shares[ends.count(0)] += times / self.trials
        mean = self.n_succeeded
        title = "Number of repos released, share of the trials"
        return [bars(shares, marks=[float(mean)], labels=[f"mean {mean}"], title=title)]


def replay(
    ledger: LedgerLike,
    run_id: str,
    policy: Policy | None = None,
    failure_budget: int | None = None,
    attempts: int | None = None,
    fail: str | Iterable[str] = (),
    succeed: str | Iterable[str] = (),
    model: ModelLike | None = None,
    trials: int = 1000,
    rng: Seed | None = None,
    graph: RepoDependencyGraph | SequencePlan | None = None,
    executor: Executor | int | None = None,
) -> Replay:
    """Go through a past run again, under another policy, with other attempts, or with some outcomes changed.

    What the ledger tells is kept, try by try: a repo that failed twice and was then released does so again,
    and fails where only two attempts are allowed. What it does not tell is drawn from `model`: every try of a
    repo that was never tried or is in doubt, and tries beyond those recorded of a repo that failed. A
    repo that was skipped is no evidence of failure.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the run is kept.
    run_id : str
        The run: its id, the start of it (four characters or more) or ``"last"``.
    policy, failure_budget, attempts
        As in :func:`seqkit.execute_plan`; None keeps the run's own. (To lift a failure budget give one
        as large as the plan.)
    fail, succeed : str or iterable of str
        Repos that fail at every try, and repos that are released at the first, whatever the ledger tells.
    model : float, mapping, Series or FailureModel, optional
        The probability that a try fails, where the ledger does not tell how it ended.
    trials : int
        How many times to draw what is not known.
    rng : int or numpy.random.Generator, optional
        The seed, or where it comes from. Draws are those of :func:`seqkit.simulate`, by repo and attempt.
    graph : RepoDependencyGraph or SequencePlan, optional
        For a run that carries no plan, as in :func:`seqkit.resume_plan`. Such a run is taken to have gone by
        ``skip_dependents`` with one attempt, as the original's do.
    executor : Executor or int, optional
        Where to run, as in :func:`seqkit.simulate`; the numbers are the same. None runs here: the trials go through
        the rules in plain Python, which processes make faster and threads do not.

    Returns
    -------
    Replay
        Its `outcome` is the one outcome where nothing is missing; without one, see `.to_frame()` and `.outcomes`.

    Raises
    ------
    RunNotFound, RepoNotFound
        Where the ledger has no such run, or its plan has no repo that `fail` or `succeed` names.
    ValueError, TypeError
        Where the replay needs outcomes that the ledger does not tell, and `model` is None; where a repo is
        named in both `fail` and `succeed`; where the run carries no plan and `graph` is None; where the model
        names only repos that the plan does not have and nothing else could fail; where an argument is wrong.
    RuntimeError
        Where the executor has been shut down, or has lost a worker for good (``BrokenExecutor``).

    Warns
    -----
    UnknownRepo
        Where the model names a repo that looks like a slip: see :class:`seqkit.FailureModel`.

    Notes
    -----
    Tries are independent given the rates, so what is recorded says nothing about those that are not,
    except through common causes: those that a recorded release rules out did not strike, and the others (at
    most 12 with a member that failed) strike with their probability given the recorded failures. A trial goes
    through the rules once: some ten microseconds a repo. What is kept grows with the different outcomes.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> outcome = run_plan(build_plan(graph, version="1.0"), ScriptedReleaser(["api"]))
    >>> replay(outcome.ledger, outcome.run_id, fail="core").outcome
    SequenceOutcome(0 succeeded, 1 failed, 3 blocked)
    >>> replay(outcome.ledger, outcome.run_id, policy="continue")
    Traceback (most recent call last):
    ValueError: the replay needs outcomes that run ... does not tell, of 1 repo: 'app'; pass model=, ...
    >>> again = replay(outcome.ledger, outcome.run_id, policy="continue", model=0.25, rng=7)
    >>> again.to_frame()["p_succeeded"].to_dict()
    {'core': 1.0, 'api': 0.0, 'docs': 1.0, 'app': 0.762}
    >>> again.drawn
    ('app',)
    """
    with lent(ledger, existing=True) as kept:
        source = counted(kept)
        run_id = run_called(source, run_id)
        run = read_run(source, run_id, graph)
    plan = run.plan
    failing, succeeding = fail_ids(plan, fail), fail_ids(plan, succeed)
    if failing & succeeding:
        raise ValueError(f"fail and succeed both name {quoted(sorted(failing & succeeding))}, expected one of the two")
    trials = whole("trials", trials, 1, MAX_TRIALS)
    causes = None
    if model is not None:
        assumed = as_model(model)
        check_models([plan], model=assumed)
        causes = Causes(assumed, run.told)
    given: dict[str, Any] = {"policy": policy, "failure_budget": failure_budget, "attempts": attempts}
    terms = replace(run.terms, **{name: value for name, value in given.items() if value is not None})
    again = _Again(plan, terms, RecordedTries(run.told, failing, succeeding))

    # Whatever is not known is released here: no other ending lets more repos be tried.
    asked: dict[str, None] = {}
    rules = again.follow(lambda repo, attempt: asked.setdefault(repo))
    if asked and causes is None:
        raise ValueError(
            f"the replay needs outcomes that run {run_id!r} does not tell, of {plural(len(asked), 'repo')}: "
            f"{quoted(asked)}; pass model=, the probability that a try fails "
            "(for all, or by repo id), or name them in fail= or succeed="
        )
    seed = resolve_seed(rng) if asked else None
    if seed is not None:
        again.causes, again.seed = causes, seed
    seen: Counter[bytes] = Counter()
    first: dict[bytes, int] = {}
    drawn = set[str]()

    def call(begin: int, some: int):  # type: ignore[no-untyped-def]  # as each_part has it
        return _part, (again, begin, some)

    per_second = _PER_SECOND / (len(plan.items) + _A_TRIAL)
    where = 1 if executor is None else executor
    with closing(each_part(call, 0, trials if asked else 1, per_second, where, "replaying")) as parts:
        for part_seen, part_first, part_drawn in parts:
            seen.update(part_seen)
            for ends, number in part_first.items():
                first.setdefault(ends, number)
            drawn |= part_drawn
    return Replay(
        run_id=run_id,
        plan=plan,
        trials=trials if asked else 1,
        seed=seed,
        outcome=None if asked else rules.outcome(),
        drawn=tuple(repo for repo in plan.released if repo in drawn),
        _terms=terms,
        _recorded=tuple(told.status for told in run.ends.values()),
        _seen=seen,
        _first=first,
        _again=again,
    )


@dataclass
class _Again:
    """A run to be gone through again, as often as somebody asks."""

    plan: SequencePlan
    terms: Terms
    known: RecordedTries
    causes: Causes | None = None
    """What else may fail; None where all is known."""
    seed: int = 0

    def follow(self, unknown: Reason) -> Rules:
        def why(repo: str, attempt: int) -> str | None:
            try:
                return self.known.reason(repo, attempt)
            except LookupError:
                return unknown(repo, attempt)

        return followed(self.plan, self.terms, why, self.known.released_as)

    def chance(self, repo: str) -> tuple[bool, bool]:
        """Tell whether a repo that is tried may fail all its tries, and whether it must."""
        for attempt in range(1, self.terms.attempts + 1):
            try:
                if self.known.reason(repo, attempt) is None:
                    return False, False
            except LookupError:
                return (True, False) if self.causes is None else self.causes.chance(repo)
        return True, True

    def trial(self, number: int, drawn: set[str] | None = None) -> Rules:
        """Go through one trial; the repos with a try that is drawn are added to `drawn`."""
        causes = self.causes
        if causes is None:
            return self.follow(lambda repo, attempt: None)
        struck = causes.struck(self.seed, number)

        def draw(repo: str, attempt: int) -> str | None:
            if drawn is not None:
                drawn.add(repo)
            reason = causes.reason(repo, attempt, self.seed, number, struck)
            return None if reason is None else as_recorded(SequencingFailed(repo, reason))

        return self.follow(draw)


def _part(again: _Again, begin: int, trials: int) -> tuple[Counter[bytes], dict[bytes, int], set[str]]:
    """Go through some trials; a function of the module, so that it can be sent to another process.

    Gives how often each outcome was seen, in the order in which they were, the first trial of each, and who was drawn.
    """
    seen: Counter[bytes] = Counter()
    first: dict[bytes, int] = {}
    drawn = set[str]()
    for number in range(begin, begin + trials):
        ends = _ends(again.trial(number, drawn))
        seen[ends] += 1
        first.setdefault(ends, number)
    return seen, first, drawn


def _ends(rules: Rules) -> bytes:
    released = rules.plan.arrays.released
    return bytes([_ENDS.index(rules.word(position)) for position, yes in enumerate(released) if yes])
