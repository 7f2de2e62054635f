"""All that can come out of a small plan, by trying every combination of failures, in exact fractions.

Slow and plain on purpose, and independent of the library's algebra: it is what that is held against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from typing import NamedTuple

from seqkit import ModelLike, SequencePlan
from seqkit.core.failures import FailureModel, as_model


class Outcome(NamedTuple):
    """What a run may come to; the three sets hold the repos to release."""

    probability: Fraction
    failed: frozenset[str]
    succeeded: frozenset[str]
    skipped: frozenset[str]


_Cause = tuple[Fraction, frozenset[str], Fraction]  # how likely it strikes, whom, and spares a try


def follow(plan: SequencePlan, failing: Collection[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Failed, succeeded and skipped where each of `failing` fails when it is tried."""
    failed, succeeded, skipped, bad = set(), set(), set(), set()
    released = set(plan.released)
    for item in plan.items:
        repo = item.repo_id
        if any(other in bad for other in plan.graph.dependencies_of(repo)):
            bad.add(repo)
            skipped.add(repo)
        elif repo in failing and repo in released:
            bad.add(repo)
            failed.add(repo)
        else:
            succeeded.add(repo)
    return frozenset(failed), frozenset(succeeded & released), frozenset(skipped & released)


def out_of_attempts(model: FailureModel, repo: str, attempts: int, spared: Fraction | int = 1) -> Fraction:
    """How likely all tries fail: broken for good, or each time a flake or hit by a cause that does not spare it."""
    rate, hard = Fraction(model.rate(repo)), Fraction(model.share_hard(repo))
    broken = rate * hard
    if broken == 1:
        return broken
    flake = (rate - broken) / (1 - broken)
    every = 1 - broken
    for _ in range(attempts):
        every *= 1 - (1 - flake) * spared
    return broken + every


def draws(
    plan: SequencePlan,
    model: ModelLike,
    attempts: int | Mapping[str, int] = 1,
    perfect: Collection[str] = (),
    hopeless: Collection[str] = (),
    never: Collection[str] = (),
    always: Collection[str] = (),
) -> Iterator[tuple[Fraction, frozenset[str]]]:
    """Every set of repos that may fail when tried, struck or by themselves: its probability and the set.

    A set comes once for each set of causes of a severity below 1 that may strike. `perfect` repos never fail, even
    struck; `hopeless` ones always do. `never` and `always` are names of causes that strike in no run, or in each.
    """
    read: FailureModel = as_model(model)
    train_of = dict(zip(plan.arrays.ids, plan.train_of, strict=True))
    total: list[_Cause] = []
    mild: list[_Cause] = []
    for train in sorted(set(train_of.values())):
        for cause in read.common_causes:
            odds = (
                Fraction(int(cause.name in always)) if cause.name in {*never, *always} else Fraction(cause.probability)
            )
            members = frozenset(repo for repo in cause.repos if train_of.get(repo) == train) - set(perfect)
            (total if cause.severity == 1 else mild).append((odds, members, 1 - Fraction(cause.severity)))
    for strikes in product((False, True), repeat=len(mild)):
        given = Fraction(1)
        spared: dict[str, Fraction] = {}
        for strike, (odds, members, part) in zip(strikes, mild, strict=True):
            given *= odds if strike else 1 - odds
            for repo in members if strike else ():
                spared[repo] = spared.get(repo, Fraction(1)) * part
        if not given:
            continue
        tries = attempts if isinstance(attempts, Mapping) else dict.fromkeys(plan.released, attempts)
        chances = {repo: out_of_attempts(read, repo, tries[repo], spared.get(repo, 1)) for repo in plan.released}
        chances.update({repo: Fraction(0) for repo in perfect}, **{repo: Fraction(1) for repo in hopeless})
        scale = 1  # whole numbers over one denominator: fractions would look for common factors all the time
        weights = {frozenset[str](): 1}
        for probability, repos in [
            *((odds, members) for odds, members, _ in total),
            *((probability, frozenset([repo])) for repo, probability in chances.items()),
        ]:
            scale *= probability.denominator
            yes, no = probability.numerator, probability.denominator - probability.numerator
            after: dict[frozenset[str], int] = {}
            for failing, weight in weights.items():
                for also, factor in ((failing | repos, yes), (failing, no)):
                    if factor:
                        after[also] = after.get(also, 0) + weight * factor
            weights = after
        for failing, weight in weights.items():
            yield given * Fraction(weight, scale), failing


def brute_force(
    plan: SequencePlan,
    model: ModelLike,
    attempts: int | Mapping[str, int] = 1,
    perfect: Collection[str] = (),
    hopeless: Collection[str] = (),
    never: Collection[str] = (),
    always: Collection[str] = (),
) -> list[Outcome]:
    """All outcomes that are possible, each once; their probabilities add up to 1 exactly."""
    totals: dict[frozenset[str], Fraction] = {}
    found = {}
    for probability, failing in draws(plan, model, attempts, perfect, hopeless, never, always):
        failed, succeeded, skipped = follow(plan, failing)
        totals[failed] = totals.get(failed, Fraction(0)) + probability
        found[failed] = (succeeded, skipped)
    return [Outcome(total, failed, *found[failed]) for failed, total in totals.items()]


def expected_released(outcomes: Collection[Outcome]) -> Fraction:
    """The mean number of repos released."""
    return sum((outcome.probability * len(outcome.succeeded) for outcome in outcomes), Fraction(0))


def extra_if_not_failed(plan: SequencePlan, model: ModelLike, repo: str, attempts: int = 1) -> Fraction | None:
    """Releases below `repo` had it succeeded, expected given that it fails; None where it is never tried.

    Given that it is tried, where it cannot fail.
    """
    given = {True: [Fraction(0), Fraction(0)], False: [Fraction(0), Fraction(0)]}  # by whether it fails
    below = set(plan.graph.transitive_dependents_of(repo))
    for probability, failing in draws(plan, model, attempts):
        failed, succeeded, _ = follow(plan, failing)
        if repo in failed or repo in succeeded:
            _, otherwise, _ = follow(plan, failing - {repo})
            given[repo in failed][0] += probability
            given[repo in failed][1] += probability * len(otherwise & below)
    for condition in (True, False):
        weight, total = given[condition]
        if weight:
            return total / weight
    return None


def shortest(needs: Sequence[Sequence[int]], ticks: Sequence[int], lanes: int | None, min_interval: int = 0) -> int:
    """The least ticks in which jobs can all be done, by trying whom to start, or to wait on purpose.

    A job that starts neither as another ends nor as soon as the interval is over could start a little sooner.
    """
    n = len(ticks)
    most = n if lanes is None else lanes

    @cache
    def least(done: frozenset[int], running: frozenset[tuple[int, int]], wait: int) -> int:
        """From here on; `running`: jobs and the ticks that they have left; `wait`: before another may start."""
        if len(done) == n:
            return 0
        under_way = {job for job, _ in running}
        found = []
        if not wait and len(running) < most:
            for job in set(range(n)) - done - under_way:
                if done.issuperset(needs[job]):
                    if ticks[job]:
                        found.append(least(done, running | {(job, ticks[job])}, min_interval))
                    else:
                        found.append(least(done | {job}, running, min_interval))
        if running or wait:
            step = min([rest for _, rest in running] + [wait] * (wait > 0))
            ended = {job for job, rest in running if rest == step}
            later = frozenset((job, rest - step) for job, rest in running if rest > step)
            found.append(step + least(done | ended, later, max(wait - step, 0)))
        return min(found)

    return least(frozenset(), frozenset(), 0)
