"""What a model says about tries that a run does not tell, in the light of those that it does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence

from seqkit.core import draws
from seqkit.core.failures import BROKEN, FAILURE, FLAKE, CommonCause, Failing, FailureModel
from seqkit.ledger.story import Told

__all__ = ["Causes"]

_MOST_CAUSES = 12
_NOTHING_KNOWN = (1.0, 1.0)


class Causes:
    """Which common causes struck in a past run, drawn in the light of what its ledger tells.

    A cause of severity 1 with a member that was released did not strike, since it would have failed every try of it.
    For the others Bayes' theorem is applied to what is recorded of their members, tries that failed and releases.

    What was tried before tells too whether a repo is broken: after m failed tries it is with the probability
    b / (b + (1 - b) g^m), where a try of a repo that is not broken fails with g: by itself, or for one of the causes
    that struck (see :class:`seqkit.FailureModel`).

    So does how long an attempt that goes on has been going on, where those that fail take longer or shorter: `lasting`
    tells by repo how likely one that succeeds lasts so long, and one that fails. What no attempt does tells nothing.
    """

    def __init__(
        self,
        model: FailureModel,
        told: Mapping[str, Told],
        lasting: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self.model = model
        self._lasting = {repo: pair for repo, pair in (lasting or {}).items() if any(pair) and pair[0] != pair[1]}
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
        tried = failed.keys() | released | self._lasting.keys()
        self._suspects = [cause for cause in possible if tried & set(cause.repos)]
        self._others = [cause for cause in possible if not tried & set(cause.repos)]
        if len(self._suspects) > _MOST_CAUSES:
            raise ValueError(
                f"model has {len(self._suspects)} common causes that may have struck in the run, "
                f"expected at most {_MOST_CAUSES}; merge or drop some"
            )
        self._members = {cause.name: frozenset(cause.repos) for cause in possible}
        self._weights = _weights(self._suspects, self._members, model, failed, released, self._lasting)

    @property
    def suspects(self) -> Sequence[CommonCause]:
        """The causes that may have struck and of whose members something is known."""
        return self._suspects

    @property
    def others(self) -> Sequence[CommonCause]:
        """Those of whose members nothing is known: they strike with their probability."""
        return self._others

    def tells_of(self, repo: str) -> bool:
        """Tell whether anything is known that says how the next attempt at a repo will end."""
        return repo in self._failed or repo in self._lasting

    def strike_chance(self, before: tuple[bool, ...]) -> float:
        """Say how likely the next suspect struck, given whether each before it did."""
        yes, either = self._weights[*before, True], self._weights[before]
        return min(yes / either, 1.0) if either else self._suspects[len(before)].probability

    def broken_chance(self, repo: str, struck: Collection[CommonCause]) -> float:
        """Say how likely a repo that is not out is broken, where these causes of it struck."""
        own, known = self.model.failing(repo), self._failed.get(repo, 0)
        if repo in self._released:
            return 0.0
        lasting = self._lasting.get(repo, _NOTHING_KNOWN)
        at_all = _likelihood(own, struck, known, False, lasting)
        return min(own.broken * lasting[1] / at_all, 1.0) if at_all else 0.0

    def failing_chance(self, repo: str, struck: Collection[CommonCause]) -> float | None:
        """Say how likely the attempt that goes on fails, where the repo is not broken and these causes of it struck.

        None where its time tells nothing of that.
        """
        if repo not in self._lasting:
            return None
        own, spared = self.model.failing(repo), _spared(struck)
        fails = (own.flaky + own.steady * (1.0 - spared)) * self._lasting[repo][1]
        at_all = fails + own.steady * spared * self._lasting[repo][0]
        return min(fails / at_all, 1.0) if at_all else 0.0

    def chance(self, repo: str) -> tuple[bool, bool]:
        """Tell whether tries at a repo of which nothing is known may fail, and whether they must."""
        rate = self.model.rate(repo)
        return rate > 0 or any(repo in members for members in self._members.values()), rate == 1

    def struck(self, seed: int, trial: int) -> list[CommonCause]:
        """Draw which causes struck."""
        found = [cause for cause in self._others if cause.strikes(seed, trial)]
        prefix: tuple[bool, ...] = ()
        for cause in self._suspects:
            strikes = draws.happens(self.strike_chance(prefix), seed, "cause", cause.name, 0, trial)
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
        if not self._failed.get(repo, 0):
            return self.model.own_reason(repo, attempt, seed, trial)
        if draws.happens(self.broken_chance(repo, mine), seed, "hard", repo, 0, trial):
            return BROKEN
        if draws.happens(self.model.failing(repo).flaky, seed, "repo", repo, attempt, trial):
            return FLAKE if self.model.share_hard(repo) else FAILURE
        return None


def _spared(struck: Collection[CommonCause]) -> float:
    return math.prod(1.0 - cause.severity for cause in struck)


def _likelihood(
    own: Failing,
    struck: Collection[CommonCause],
    failed: int,
    released: bool,
    lasting: tuple[float, float] = _NOTHING_KNOWN,
) -> float:
    """Say how likely so many failed tries are, and then a release, where these causes of the repo struck.

    Or, where it is not released, that the next attempt lasts as long as it has.
    """
    spared = _spared(struck)
    if not spared:
        return 0.0 if released else lasting[1]
    fails = own.flaky + own.steady * (1.0 - spared)
    every = own.sound * fails**failed
    if released:
        return every * own.steady * spared
    if lasting == _NOTHING_KNOWN:
        return own.broken + every
    return own.broken * lasting[1] + every * (fails * lasting[1] + own.steady * spared * lasting[0])


def _weights(
    suspects: list[CommonCause],
    members: Mapping[str, Collection[str]],
    model: FailureModel,
    failed: Mapping[str, int],
    released: Collection[str],
    lasting: Mapping[str, tuple[float, float]],
) -> dict[tuple[bool, ...], float]:
    """Give the joint probability of what is recorded and of each beginning of the list of strikes."""
    weights: dict[tuple[bool, ...], float] = {}
    known = failed.keys() | set(released) | lasting.keys()
    strikers = {repo: [cause for cause in suspects if repo in members[cause.name]] for repo in known}
    mine = [
        (model.failing(repo), causes, failed.get(repo, 0), repo in released, lasting.get(repo, _NOTHING_KNOWN))
        for repo, causes in strikers.items()
        if causes
    ]
    for strikes in itertools.product((False, True), repeat=len(suspects)):
        struck = {cause.name for cause, strike in zip(suspects, strikes, strict=True) if strike}
        weight = math.prod(
            cause.probability if strike else 1 - cause.probability
            for cause, strike in zip(suspects, strikes, strict=True)
        ) * math.prod(
            _likelihood(own, [cause for cause in causes if cause.name in struck], tries, out, times)
            for own, causes, tries, out, times in mine
        )
        for length in range(len(suspects) + 1):
            weights[strikes[:length]] = weights.get(strikes[:length], 0.0) + weight
    return weights
