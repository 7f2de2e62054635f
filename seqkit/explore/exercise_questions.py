"""Questions whose answers are worked out, not pressed: who may start, how many go out, what to make reliable, a ledger.

As those of :mod:`seqkit.explore.questions` they take any answer that is right, and say why one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import SupportsFloat

from seqkit._util.secrets import as_given
from seqkit._util.words import inflected, listed, plural
from seqkit.analysis.exact import analyze
from seqkit.analysis.exact.analysis import Analysis
from seqkit.core.outcome import SequenceOutcome
from seqkit.explore._words import MOST_TOLD, short, told
from seqkit.explore.questions import Question, Verdict

__all__ = ["Average", "BlockedBy", "MayStart", "Reliable"]

_ROUNDED = 0.05  # who rounds to one decimal is right
_SIMULATED = 0.01  # and so is who simulates: this share of the answer
_TIE = 1e-9


@dataclass(frozen=True)
class MayStart(Question):
    """Who may start now? All of them, and nobody else.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> question = MayStart(build_plan(graph, version="1.0"), done=1)
    >>> question.check({"docs", "api"})
    Right. All that they need is released, and all others wait for something.
    >>> question.check(["api", "app"])
    Not right. Missing: docs. Too many: app (it needs api, which has not been released yet).
    """

    done: int
    """How many repos are released, in plan order."""
    picks = "some"

    @property
    def text(self) -> str:  # noqa: D102  # documented in Question
        before = plural(self.done, "repo is", "repos are")
        return f"The first {before} released. Which of the others may start now?" if self.done else "Which may start?"

    @property
    def candidates(self) -> list[str]:  # noqa: D102
        return sorted(self.plan.released[self.done :])

    @property
    def subject(self) -> str:  # noqa: D102
        return self.plan.released[max(self.done - 1, 0)]

    @property
    def words(self) -> dict[str, str]:  # noqa: D102
        return self._standing(self._gone)

    @property
    def solution(self) -> list[str]:  # noqa: D102
        return [repo for repo in self.plan.released[self.done :] if self._gone.issuperset(self._needs[repo])]

    @cached_property
    def _gone(self) -> frozenset[str]:
        return frozenset(self.plan.released[: self.done])

    def _mark(self, picked: list[str]) -> Verdict:
        return _compared(
            self.solution, picked, "All that they need is released, and all others wait for something.", self._why_not
        )

    def _why_not(self, repo: str) -> str:
        if repo in self._gone:
            return "it is released already"
        if repo not in self._needs:
            return "it is not part of this release"
        late = [other for other in self._needs[repo] if other not in self._gone]
        return f"it needs {told(late)}, which {inflected(len(late), 'has', 'have')} not been released yet"


@dataclass(frozen=True)
class BlockedBy(Question):
    """Which failures kept this repo from starting? The run is over.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, what_if
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("lib", "app"), ("api", "app")])
    >>> plan = build_plan(graph, version="1.0")
    >>> question = BlockedBy(plan, "app", what_if(plan, fail=["api", "lib"]))
    >>> question.check(["lib"])
    Not right. Missing: api.
    >>> question.check(["lib", "api", "core"])
    Not right. Too many: core (it did not fail).
    """

    repo_id: str
    """Who was blocked."""
    outcome: SequenceOutcome = field(repr=False)
    """How the run ended."""
    picks = "some"

    @property
    def text(self) -> str:  # noqa: D102
        return f"{short(self.repo_id)} was blocked. Which failures kept it from starting?"

    @property
    def candidates(self) -> list[str]:  # noqa: D102
        return sorted(self.plan.released)

    @property
    def subject(self) -> str:  # noqa: D102
        return self.repo_id

    @property
    def words(self) -> dict[str, str]:  # noqa: D102
        return dict(zip(self.plan.arrays.ids, self.outcome.words(), strict=True))

    @property
    def solution(self) -> list[str]:  # noqa: D102
        above = set(self.plan.graph.transitive_dependencies_of(self.repo_id))
        return [repo for repo in self.outcome.failures if repo in above]

    def _mark(self, picked: list[str]) -> Verdict:
        right = f"Each of them failed, and {short(self.repo_id)} needs it."
        return _compared(self.solution, picked, right, self._why_not)

    def _why_not(self, repo: str) -> str:
        return f"{short(self.repo_id)} does not need it" if repo in self.outcome.failures else "it did not fail"


@dataclass(frozen=True)
class _Chances(Question):
    """A question about what is likely where every repo fails with one probability, independently."""

    failure_rate: float
    """The probability."""

    @cached_property
    def _analysis(self) -> Analysis:
        return analyze(self.plan, self.failure_rate)

    @property
    def candidates(self) -> list[str]:
        return sorted(self.plan.released)

    @property
    def subject(self) -> str:
        return self.plan.released[0]

    @property
    def words(self) -> dict[str, str]:
        return self._standing(())


@dataclass(frozen=True)
class Average(_Chances):
    """How many go out on average? Rounded to one decimal is right, and so is a good simulation.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> question = Average(build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0"), 0.1)
    >>> question.check(1.7), question.check("many")
    (Right. It is 1.710 of 2., Not right. The answer is 'many', expected a number.)
    >>> question.check(1.8)
    Not right. 1.8 is too many.
    """

    @property
    def text(self) -> str:  # noqa: D102
        return f"Every repo fails with probability {self.failure_rate}. How many go out on average?"

    @cached_property
    def value(self) -> float:
        """The answer."""
        return float(self._analysis.expected.succeeded)

    @property
    def solution(self) -> list[str]:
        """No repo is an answer."""
        return []

    def check(self, answer: object) -> Verdict:  # noqa: D102
        number = float(answer) if isinstance(answer, SupportsFloat) and not isinstance(answer, bool) else None
        if number is None or not isfinite(number):
            return Verdict(False, f"The answer is {as_given(answer)}, expected a number.")
        if abs(number - self.value) <= max(_ROUNDED, _SIMULATED * self.value) + _TIE:
            return Verdict(True, f"It is {self.value:.3f} of {len(self.plan.released)}.")
        return Verdict(False, f"{number:.6g} is too {'many' if number > self.value else 'few'}.")


@dataclass(frozen=True)
class Reliable(_Chances):
    """Which one is it best to make perfectly reliable? Where several are as good, each is right.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs"), ("api", "app")])
    >>> question = Reliable(build_plan(graph, version="1.0"), 0.1)
    >>> question.check("api")
    Not right. If api never failed, 0.171 more would go out on average; there is one that brings more.
    >>> question.check("core")
    Right. If core never failed, 0.361 more would go out on average.
    """

    @property
    def text(self) -> str:  # noqa: D102
        return f"Every repo fails with probability {self.failure_rate}. Which one should never fail?"

    @cached_property
    def gains(self) -> dict[str, float]:
        """How many more go out on average if a repo never fails, by repo."""
        gains = self._analysis.importance()["gain_if_perfect"]
        return {repo: float(gains[repo]) for repo in self.plan.released}

    @property
    def solution(self) -> list[str]:  # noqa: D102
        return [max(self.gains, key=self.gains.__getitem__)]

    def best(self) -> list[str]:
        """Name all that bring the most."""
        most = max(self.gains.values())
        return [repo for repo, gain in self.gains.items() if gain >= most * (1 - _TIE)]

    def _mark(self, picked: list[str]) -> Verdict:
        if len(picked) != 1:
            return Verdict(False, f"Name one repo; the answer has {len(picked)}.")
        repo = picked[0]
        if repo not in self.gains:
            return Verdict(False, f"{short(repo)} is not part of this release.", too_many=(repo,))
        said = f"If {short(repo)} never failed, {self.gains[repo]:.3f} more would go out on average"
        if repo in self.best():
            return Verdict(True, f"{said}.")
        return Verdict(False, f"{said}; there is one that brings more.", too_many=(repo,))


def _compared(right: Sequence[str], picked: Sequence[str], praise: str, why_not: Callable[[str], str]) -> Verdict:
    missing = tuple(repo for repo in right if repo not in picked)
    too_many = tuple(repo for repo in picked if repo not in right)
    if not missing and not too_many:
        return Verdict(True, praise)
    parts = [f"Missing: {told(missing)}."] if missing else []
    if too_many:
        reasons = listed(list(too_many), MOST_TOLD, lambda repo: f"{short(repo)} ({why_not(repo)})", apart="; ")
        parts.append(f"Too many: {reasons}.")
    return Verdict(False, " ".join(parts), missing=missing, too_many=too_many)
