"""How a release is likely to go: probabilities, expectations and importances, without simulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from seqkit._show.html import amount, page, rows_of, shortened
from seqkit._show.svg import bars
from seqkit._util import dtypes
from seqkit._util.arguments import at_least, whole
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.analysis.estimate import Estimate
from seqkit.analysis.exact.chances import Chances, Floats, Mixture
from seqkit.analysis.exact.distribution import law_of_count
from seqkit.analysis.exact.goals import Of, goal_of
from seqkit.analysis.exact.importance import groups_frame, importance_frame
from seqkit.analysis.exact.outcomes import Outcomes
from seqkit.analysis.exact.variance import LARGEST, variance_of
from seqkit.core.failures import FailureModel
from seqkit.core.plan import SequencePlan

__all__ = ["Analysis", "Expected"]

_SMALL = 500  # repos whose standard deviation and importances take no time to show
_QUICK = 500_000  # numbers touched for a law that takes no time to show
_GAINS = 3  # repos of a repr
_ROUNDING = 1e-12  # of sums of probabilities


class Expected(NamedTuple):
    """Expected numbers of repos; they add up to the repos to release. Unreleased repos are in none."""

    succeeded: float
    failed: float
    skipped: float


@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """What a plan comes to under a failure model, exactly; made by :func:`seqkit.analyze`.

    Every number is of repos to release; unreleased repos never fail and are not counted. What takes
    longer is worked out when first asked for, and kept.
    """

    plan: SequencePlan
    """What was analyzed."""
    model: FailureModel
    """How likely the repos fail, and what makes several fail together."""
    attempts: int
    """How often each repo is tried at most."""
    _mixture: Mixture = field(repr=False)

    # ------------------------------------------------------------------ by repo

    def to_frame(self) -> pd.DataFrame:
        """Give the probabilities of each repo.

        Returns
        -------
        DataFrame
            Index `repo_id` (string), the repos to release in plan order; float64 columns:

            - `failure_rate`: probability that one attempt fails, common causes apart, as the model has it.
            - `p_succeeded`, `p_failed`, `p_skipped`: probabilities of the three outcomes, common causes
              and everything above included. They add up to 1.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> from seqkit import analyze
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
        >>> print(analyze(plan, {"core": 0.2, "api": 0.5}).to_frame().reset_index().round(6))
          repo_id  failure_rate  p_succeeded  p_failed  p_skipped
        0    core           0.2          0.8       0.2        0.0
        1     api           0.5          0.4       0.4        0.2
        """
        rates = np.array([self.model.rate(repo) for repo in self.plan.released], dtype=np.float64)
        columns = {name: column[self._mixture.any.released] for name, column in self._columns.items()}
        return self._by_repo({"failure_rate": rates, **columns})

    def fails_alone(self) -> pd.Series:
        """Give how likely each repo would fail all its tries if it were released alone, common causes included.

        Returns
        -------
        Series
            `p_failed_alone` (float64), index `repo_id`, the repos to release in plan order.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, analyze, build_plan
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
        >>> analyze(plan, {"core": 0.2, "api": 0.5}, attempts=2).fails_alone().round(6).to_dict()
        {'core': 0.04, 'api': 0.25}
        """

        def alone(chances: Chances) -> Floats:
            struck = 0.0 - np.expm1(chances.log_unstruck[chances.own])
            return chances.p + (1.0 - chances.p) * struck

        column = self._mixture.mean(alone)[self._mixture.any.released]
        return pd.Series(column, index=dtypes.index(self.plan.released), name="p_failed_alone")

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        columns: dict[str, Callable[[Chances], Floats]] = {
            "p_succeeded": lambda chances: chances.succeeded,
            "p_failed": lambda chances: chances.failed,
            "p_skipped": lambda chances: chances.skipped,
        }
        return {name: self._mixture.mean(column) for name, column in columns.items()}

    def _by_repo(self, columns: dict[str, Any]) -> pd.DataFrame:
        frame = dtypes.frame(columns)
        frame.index = dtypes.index(self.plan.released)
        return frame

    def importance(self, of: Of = "expected", groups: Mapping[str, str | Iterable[str]] | None = None) -> pd.DataFrame:
        """Rank the repos, and the common causes, by what their failures cost and what hardening them would buy.

        Five questions, and the columns that answer them:

        - *Which repo should we make more reliable?* `gain_if_perfect`: how much more of the goal there would be
          if this one never failed. The frame is sorted by it.
        - *Which repo matters most when it fails, however rarely it does?* `birnbaum`: the goal if it surely
          succeeded minus the goal if it surely failed. It does not depend on the repo's own rate, so
          the first place may belong to a repo that never fails, and improving that one buys nothing.
        - *By which factor would the loss grow or shrink?* `raw` (risk achievement worth): the factor if this repo
          surely failed; `rrw` (risk reduction worth): the factor by which the loss is divided if it never failed.
        - *Who costs how much?* Gains do not add up: where two failures cost the same release, sparing either alone
          saves little. `share` shares the whole loss out, fairly in the sense of Shapley, and adds up to it.
        - *How wrong would it be to count dependents?* Where the repo fails, exactly `skips_if_failed`
          repos are skipped for it. But had it succeeded, other failures would have stopped many of them:
          only `extra_if_not_failed` more would be released below it.

        Parameters
        ----------
        of : "expected", "all" or int
            The goal: the number of repos released, as expected; the probability that all are; or the probability
            that at least so many are, which has an exact answer where :meth:`distribution` has.
        groups : mapping from str to repo ids, optional
            Ask about repos together ("which three?"): rows are these groups instead.

        Returns
        -------
        DataFrame
            Index `repo_id` (string), sorted by `gain_if_perfect`, highest first, ties in plan order:

            - `gain_if_perfect`, `birnbaum`, `share` (float64): in the unit of the goal, repos or a probability.
            - `raw`, `rrw`, `criticality` (float64): ratios. `raw` is inf where there is no loss so far, `rrw` is inf
              where this repo is the only risk, and both rrw and criticality are NaN where there is no loss.
            - `n_dependents`, `skips_if_failed` (Int64): all repos to release below this one; the two are
              the same number, as a size of the plan and as what a failure costs.
            - `extra_if_not_failed` (float64): repos, whatever the goal.

            Where the model has common causes, each has a row ``cause: NAME`` ("end the outage or harden kio?"), with
            ``<NA>`` counts, and the column `kind` (string: ``repo``, ``cause``) tells the rows apart. With `groups`
            the index is `group`; `n_repos` and `n_dependents` (below the group, outside it) are the counts.
            ``attrs["share_error"]`` is what the shares lack to the loss.

        Raises
        ------
        TypeError, ValueError
            Where `of` or `groups` is not as above, or the law that a number of repos needs is out of reach (then
            simulate estimates it).
        RepoNotFound
            Where a group has a repo that is not in the plan.

        Notes
        -----
        With G the goal, L the loss (repos to release minus G, or 1 - G), p the probability that a repo fails all its
        tries, causes included, and q = 1 - p (Birnbaum 1969; Vesely et al. 1983, NUREG/CR-3385; Owen 1972,
        doi:10.1287/mnsc.18.5.64):

        ========================  ======  =================  ============================================
        in the field              SCRAM   here               formula
        ========================  ======  =================  ============================================
        Birnbaum, marginal        MIF     `birnbaum`         G(p = 0) - G(p = 1)
        improvement potential             `gain_if_perfect`  G(p = 0) - G = p birnbaum
        criticality               CIF     `criticality`      gain / L
        risk achievement worth    RAW     `raw`              L(p = 1) / L
        risk reduction worth      RRW     `rrw`              L / L(p = 0)
        Fussell-Vesely            DIF     no column          p raw, where no cause strikes the repo: how
        (diagnostic)                                         likely it fails, tried or not, given that
                                                             the goal is missed (of "all", or a number)
        Shapley, Owen                     `share`            ∫ p ∂L/∂p dt at t times all p, t from 0 to 1
        ========================  ======  =================  ============================================

        A repo that never fails even where a common cause strikes it is meant by p = 0, but in `share`, where the
        cause's part is the cause's own. For the expected number, with A[v] the ancestors of v and v itself, D[u] the
        descendants of u and u itself, and P[v] = ∏ q over A[v]::

            birnbaum[u]            = Σ over v in D[u] of P[v] / q[u]
            extra_if_not_failed[u] = Σ over v in D[u] without u of ∏ q over A[v] without A[u]

        so that gain = P(u fails) × (1 + extra). Extra is an expectation given that u fails (given that u is tried,
        where it cannot fail). Shares are integrated with so many nodes that the result is exact in principle, or
        adds up to the loss within 1e-13 of it; of more than 1,000 repos with 16 at most.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> from seqkit import analyze
        >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")])
        >>> analysis = analyze(build_plan(graph, version="1.0"), {"api": 0.1, "app": 0.5})
        >>> worth = analysis.importance()
        >>> worth["gain_if_perfect"].round(6).to_dict()
        {'app': 0.45, 'api': 0.15, 'core': 0.0}
        >>> worth["birnbaum"].round(6).to_dict()  # core never fails, and would cost the most
        {'app': 0.9, 'api': 1.5, 'core': 2.35}
        >>> worth["share"].round(6).to_dict(), round(3 - analysis.expected.succeeded, 6)
        ({'app': 0.475, 'api': 0.175, 'core': 0.0}, 0.65)
        >>> analysis.importance("all")["gain_if_perfect"].round(6).to_dict()
        {'app': 0.45, 'api': 0.05, 'core': 0.0}
        >>> analysis.importance(groups={"both": ["api", "app"]})["gain_if_perfect"].round(6).to_dict()
        {'both': 0.65}
        """
        if groups is not None:
            goal = goal_of(of, len(self.plan.released))
            return groups_frame(self.plan, self.model, self.attempts, goal, groups)
        return self._importance_of(of).copy()

    @cached_property
    def _importances(self) -> dict[Of, pd.DataFrame]:
        return {}

    def _importance_of(self, of: Of) -> pd.DataFrame:
        goal = goal_of(of, len(self.plan.released))
        if of not in self._importances:
            self._importances[of] = importance_frame(self.plan, self.model, self.attempts, goal)
        return self._importances[of]

    # ------------------------------------------------------------------ how many

    @cached_property
    def expected(self) -> Expected:
        """Expected numbers of repos released, failed and skipped."""
        return Expected(*(math.fsum(column[self._mixture.any.released]) for column in self._columns.values()))

    @cached_property
    def std_succeeded(self) -> float:
        """Standard deviation of the number of repos released.

        The root of Σ P[u] P[v] expm1(-Σ of log q over A[u] ∩ A[v]) over all pairs u, v: all terms are
        positive, so that nothing cancels. Of thousands of repos that cross at many places it may be an
        :class:`seqkit.Estimate` instead, with its standard error as ``.se``; the same each time.

        Raises
        ------
        ValueError
            Above 10,000 repos; simulate estimates it there.
        """
        parts = self._mixture.parts
        means = [math.fsum(chances.succeeded) for _, chances in parts]
        mean = math.fsum(weight * each for (weight, _), each in zip(parts, means, strict=True))
        within = [(weight, *variance_of(chances)) for weight, chances in parts]
        between = math.fsum(weight * (each - mean) ** 2 for (weight, _), each in zip(parts, means, strict=True))
        std = math.sqrt(math.fsum(weight * variance for weight, variance, _ in within) + between)
        error = math.sqrt(math.fsum((weight * error) ** 2 for weight, _, error in within))
        return Estimate(std, error / (2 * std)) if error else std

    @cached_property
    def p_all_succeed(self) -> float:
        """Probability that every repo is released: ∏ q, times the probability that no cause strikes."""
        return math.exp(self._outcomes.log_probability(()))

    def p_at_least(self, k: int | None = None, share: float | None = None) -> float:
        """Give the probability that at least `k` repos, or a `share` of them, are released.

        Parameters
        ----------
        k : int
            Number of repos, 0 to all.
        share : float
            Part of the repos to release, 0 to 1: means at least ``ceil(share × repos)``, where a product
            that rounding has lifted over a whole number counts as that number.

        Raises
        ------
        ValueError
            Where not exactly one of the two is given, it is out of range, or the distribution is out of
            reach (see :meth:`distribution`; for none and for all repos it never is).

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> from seqkit import analyze
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
        >>> analyze(plan, 0.1).p_at_least(share=0.5)
        0.9
        """
        least = at_least(len(self.plan.released), k, share)
        if least == 0:
            return 1.0
        if least == len(self.plan.released):
            return self.p_all_succeed
        return min(math.fsum(self._law[least:]), 1.0)

    def distribution(self, most_work: int | None = None) -> pd.Series:
        """Give the exact law of the number of repos released.

        Parameters
        ----------
        most_work : int, optional
            Give up where more numbers than that would be touched: 1,000,000 take some hundredths of a second. None
            allows some seconds.

        Returns
        -------
        Series
            `probability` (float64), index `n_succeeded` (int64) from 0 to all.

        Raises
        ------
        ValueError
            Where it is out of reach: the state of the method is the set of repos that are doomed and not
            yet decided, and a plan whose branches cross at many places has more than 2**15 of them.
            Chains, trees and hubs of thousands of repos have few.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> from seqkit import analyze
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
        >>> analyze(plan, 0.5).distribution().to_dict()
        {0: 0.5, 1: 0.25, 2: 0.25}
        """
        law = self._law if most_work is None else self._law_within(whole("most_work", most_work, 1))
        return pd.Series(law.copy(), index=pd.Index(np.arange(len(law)), name="n_succeeded"), name="probability")

    @cached_property
    def _law(self) -> Floats:
        return self._mixture.mean(law_of_count)

    def _law_within(self, work: int) -> Floats:
        each = max(1, work // len(self._mixture.parts))
        return self._mixture.mean(lambda chances: law_of_count(chances, each))

    # ------------------------------------------------------------------ single outcomes

    def outcome_probability(self, failed: str | Iterable[str] = ()) -> float:
        """Give the probability that exactly these repos fail; what is below them is skipped, the rest released.

        It is 0.0 where one of them is below another (it would be skipped) or is not to be released.

        Raises
        ------
        RepoNotFound
            Where one is not in the plan.

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> from seqkit import analyze
        >>> analysis = analyze(build_plan(RepoDependencyGraph.from_edges([("a", "b")]), version="1.0"), 0.5)
        >>> analysis.outcome_probability("a"), analysis.outcome_probability("b")
        (0.5, 0.25)
        >>> analysis.outcome_probability(["a", "b"])
        0.0
        """
        if not isinstance(failed, str) and not isinstance(failed, Iterable):
            raise TypeError(f"failed is {as_given(failed)}, expected a repo id or several")
        ids = [failed] if isinstance(failed, str) else failed
        return math.exp(self._outcomes.log_probability([self.plan.position(repo) for repo in ids]))

    def most_probable_outcomes(self, n: int = 10) -> pd.DataFrame:
        """List the most probable outcomes, highest first; ties with fewer failures first, then plan order.

        Returns
        -------
        DataFrame
            At most `n` rows (fewer where the plan has fewer outcomes that are possible; where more than
            10,000 tie for the last places, some of these): `probability`
            (float64), `failed` (object: list of repo ids in plan order), `n_succeeded`, `n_failed`,
            `n_skipped` (Int64).

        Raises
        ------
        TypeError, ValueError
            Where `n` is not a whole number from 0, or so many outcomes are nearly equally probable that the
            search gives up after a few seconds' work (as with rates of 0.5 on a hundred repos).

        Examples
        --------
        >>> from seqkit import RepoDependencyGraph, build_plan
        >>> from seqkit import analyze
        >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
        >>> print(analyze(plan, {"core": 0.1, "api": 0.4}).most_probable_outcomes().round(6))
           probability  failed  n_succeeded  n_failed  n_skipped
        0         0.54      []            2         0          0
        1         0.36   [api]            1         1          0
        2         0.10  [core]            0         1          1
        """
        wanted = whole("n", n, 0)
        found = self._outcomes.most_probable(wanted)
        released, ids = self._mixture.any.released, [item.repo_id for item in self.plan.items]
        skipped = [int((self._outcomes.below(failed) & released).sum()) for _, failed in found]
        return dtypes.frame(
            {
                "probability": np.array([math.exp(log) for log, _ in found], dtype=np.float64),
                "failed": dtypes.objects([[ids[position] for position in failed] for _, failed in found]),
                "n_succeeded": dtypes.integer(
                    [int(released.sum()) - len(failed) - lost for (_, failed), lost in zip(found, skipped, strict=True)]
                ),
                "n_failed": dtypes.integer([len(failed) for _, failed in found]),
                "n_skipped": dtypes.integer(skipped),
            }
        )

    @cached_property
    def _outcomes(self) -> Outcomes:
        return Outcomes(self._mixture)

    # ------------------------------------------------------------------ showing

    def __repr__(self) -> str:
        n, expected = len(self.plan.released), self.expected
        return (
            f"Analysis({shortened(self.plan.plan_id, 40)}: of {plural(n, 'repo')} expect "
            f"{amount(expected.succeeded)} released, {amount(expected.failed)} failed, "
            f"{amount(expected.skipped)} skipped; all released with probability {self.p_all_succeed:.4g})"
        )

    def _repr_html_(self) -> str:
        n, expected = len(self.plan.released), self.expected
        if n <= _SMALL:
            spread = amount(self.std_succeeded)
        elif n <= LARGEST:
            spread = "worked out by .std_succeeded"
        else:
            spread = f"above {LARGEST} repos use simulate"
        rows = [
            ("expected to be released", amount(expected.succeeded), "repos"),
            ("… standard deviation", spread, "repos" if n <= _SMALL else ""),
            ("expected to fail", amount(expected.failed), "repos"),
            ("expected to be skipped", amount(expected.skipped), "repos"),
            ("all are released", f"{self.p_all_succeed:.4g}", "probability"),
        ]
        tries = f"{plural(self.attempts, 'attempt')} each"
        caption = f"Analysis of {shortened(self.plan.plan_id, 40)}: {plural(n, 'repo')} to release, {tries}"
        parts, left_out = [rows_of(["", "value", "unit"], rows)], []
        if law := self._quick_law():
            parts.insert(0, self._histogram(law))
        else:
            left_out.append("the law of the number released (.distribution() where it is within reach, else simulate)")
        if n > _SMALL:
            left_out.append("the gains (.importance())")
        elif n:
            gains = self._importance_of("expected")[["gain_if_perfect", "n_dependents"]].head(_GAINS)
            worth = [
                (repo, f"{gain:.3g}", "" if pd.isna(n_below) else n_below) for repo, gain, n_below in gains.itertuples()
            ]
            parts.append(rows_of(["harden first", "more released if it never failed", "dependents"], worth))
        note = "exact, policy skip_dependents"
        return page(caption, *parts, note=f"{note}; left out for time: {', '.join(left_out)}" if left_out else note)

    def _quick_law(self) -> list[float]:
        """Give the law of the number released where that takes no time, else nothing; kept or not, alike."""
        if len(self.plan.released) > _SMALL:
            return []
        try:
            return [float(p) for p in self._law_within(_QUICK)]
        except ValueError:
            return []

    def _histogram(self, law: list[float]) -> str:
        below = np.cumsum(law)
        told = {"mean": self.expected.succeeded}
        for name, share in {"5 %": 0.05, "median": 0.5, "95 %": 0.95}.items():
            told[name] = min(int(np.searchsorted(below, share - _ROUNDING)), len(law) - 1)
        return bars(
            law,
            marks=list(told.values()),
            labels=[f"{name} {amount(value)}" for name, value in told.items()],
            title="Number of repos released, exact probabilities",
        )
