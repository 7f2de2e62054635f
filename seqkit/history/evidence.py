"""What a past run tells, try by try, and what a model says about the tries that it does not tell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from seqkit.core import draws
from seqkit.core.failures import BROKEN, FAILURE, FLAKE, CommonCause, Failing, FailureModel
from seqkit.ledger.story import Told

__all__ = ["Causes", "RecordedTries"]

_MOST_CAUSES = 12


@dataclass(frozen=True)
class RecordedTries:
    """What is known of every repo's tries: from the ledger, or because somebody says so."""

    told: Mapping[str, Told]
    fail: Collection[str]
    """Repos that fail at every try."""
    succeed: Collection[str]
    """Repos that are released at the first try."""
    _reasons: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def reason(self, repo: str, attempt: int) -> str | None:
        """Say why this try failed, None where it did not.

        Raises
        ------
        LookupError
            Where nothing tells.
        """
        if repo in self.fail:
            return "named as failing"
        if repo in self.succeed:
            return None
        told = self.told.get(repo)
        if told is not None:
            reasons = self._reasons.get(repo)
            if reasons is None:
                reasons = self._reasons[repo] = told.reasons
            if attempt <= len(reasons):
                return reasons[attempt - 1]
            if told.status == "succeeded":
                return None
        raise LookupError(repo)

    def released_as(self, repo: str) -> str:
        """Give what the releaser returned in the ledger, else what a simulated one would."""
        told = self.told.get(repo)
        return f"run-{repo}" if told is None or told.released_as is None else told.released_as


class Causes:
    """Which common causes struck in a past run, drawn in the light of what its ledger tells.

    A cause of severity 1 with a member that was released did not strike, since it would have failed every try of it.
    For the others Bayes' theorem is applied to what is recorded of their members, tries that failed and releases.

    What was tried before tells too whether a repo is broken: after m failed tries it is with the probability
    b / (b + (1 - b) g^m), where a try of a repo that is not broken fails with g: by itself, or for one of the causes
    that struck (see :class:`seqkit.FailureModel`).
    """

    def __init__(self, model: FailureModel, told: Mapping[str, Told]) -> None:
        self.model = model
        released = {repo for repo, own in told.items() if own.is_out}
        # A try that came out too late for the run has failed for the run, and is no sign of anything broken.
        failures = {repo: len(own.reasons) - own.came_late for repo, own in told.items() if own.reasons}
        failed = self._failed = {repo: number for repo, number in failures.items() if number}
        self._released = released
        possible = [
            cause
            for cause in model.common_causes
            if cause.probability > 0 and cause.severity > 0 and (cause.severity < 1 or not released & set(cause.repos))
        ]
        tried = failed.keys() | released
        self._suspects = [cause for cause in possible if tried & set(cause.repos)]
        self._others = [cause for cause in possible if not tried & set(cause.repos)]
        if len(self._suspects) > _MOST_CAUSES:
            raise ValueError(
                f"model has {len(self._suspects)} common causes that may have struck in the run, "
                f"expected at most {_MOST_CAUSES}; merge or drop some"
            )
        self._members = {cause.name: frozenset(cause.repos) for cause in possible}
        self._weights = _weights(self._suspects, self._members, model, failed, released)

    def chance(self, repo: str) -> tuple[bool, bool]:
        """Tell whether tries at a repo of which nothing is known may fail, and whether they must."""
        rate = self.model.rate(repo)
        return rate > 0 or any(repo in members for members in self._members.values()), rate == 1

    def struck(self, seed: int, trial: int) -> list[CommonCause]:
        """Draw which causes struck."""
        found = [cause for cause in self._others if cause.strikes(seed, trial)]
        prefix: tuple[bool, ...] = ()
        for cause in self._suspects:
            yes, either = self._weights[*prefix, True], self._weights[prefix]
            strikes = draws.happens(min(yes / either, 1.0), seed, "cause", cause.name, 0, trial)
            prefix = (*prefix, strikes)
            if strikes:
                found.append(cause)
        return found

    def reason(self, repo: str, attempt: int, seed: int, trial: int, struck: Collection[CommonCause]) -> str | None:
        """Draw why this try fails; None where it succeeds."""
        mine = [cause for cause in struck if repo in self._members[cause.name]]
        for cause in mine:
            if cause.hits(repo, attempt, seed, trial):
                return f"common cause: {cause.name}"
        known = self._failed.get(repo, 0)
        if not known:
            return self.model.own_reason(repo, attempt, seed, trial)
        own = self.model.failing(repo)
        at_all = _likelihood(own, mine, known, False)
        is_broken = own.broken / at_all if at_all and repo not in self._released else 0.0
        if draws.happens(min(is_broken, 1.0), seed, "hard", repo, 0, trial):
            return BROKEN
        if draws.happens(own.flaky, seed, "repo", repo, attempt, trial):
            return FLAKE if self.model.share_hard(repo) else FAILURE
        return None


def _likelihood(own: Failing, struck: Collection[CommonCause], failed: int, released: bool) -> float:
    """Say how likely so many failed tries are, and then a release, where these causes of the repo struck."""
    spared = math.prod(1.0 - cause.severity for cause in struck)
    if not spared:
        return 0.0 if released else 1.0
    every = own.sound * (own.flaky + own.steady * (1.0 - spared)) ** failed
    return every * own.steady * spared if released else own.broken + every


def _weights(
    suspects: list[CommonCause],
    members: Mapping[str, Collection[str]],
    model: FailureModel,
    failed: Mapping[str, int],
    released: Collection[str],
) -> dict[tuple[bool, ...], float]:
    """Give the joint probability of what is recorded and of each beginning of the list of strikes."""
    weights: dict[tuple[bool, ...], float] = {}
    known = failed.keys() | set(released)
    strikers = {repo: [cause for cause in suspects if repo in members[cause.name]] for repo in known}
    mine = [
        (model.failing(repo), causes, failed.get(repo, 0), repo in released)
        for repo, causes in strikers.items()
        if causes
    ]
    for strikes in itertools.product((False, True), repeat=len(suspects)):
        struck = {cause.name for cause, strike in zip(suspects, strikes, strict=True) if strike}
        weight = math.prod(
            cause.probability if strike else 1 - cause.probability
            for cause, strike in zip(suspects, strikes, strict=True)
        ) * math.prod(
            _likelihood(own, [cause for cause in causes if cause.name in struck], tries, out)
            for own, causes, tries, out in mine
        )
        for length in range(len(suspects) + 1):
            weights[strikes[:length]] = weights.get(strikes[:length], 0.0) + weight
    return weights
