"""The sequencing rules, once: which repo may start, what a failure blocks, when a run is over.

:class:`Rules` does no I/O, has no clock and draws no random numbers. Whoever drives it (the
executor, a what-if, a lesson) asks :meth:`~Rules.take` what comes next and tells it how each
release ended. It is written for any number of releases under way at once.

>>> from seqkit import RepoDependencyGraph, build_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("a", "b"), ("a", "c")]), version="1.0")
>>> rules = Rules(plan)
>>> rules.take()
Start(position=0, repo_id='a')
>>> rules.start("a"); rules.fail("a", "tests are red")
False
>>> rules.take()
Skip(position=1, repo_id='b', cause='blocked', blocked_by=('a',))
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from seqkit.core.blocking import Above, Blockers, joined, only
from seqkit.core.model import RepoReleaseStatus, SkipCause
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.core.terms import Terms

if TYPE_CHECKING:
    from seqkit.ledger import RunLedger

__all__ = ["Reason", "Rules", "Skip", "Start", "each_choice", "fail_ids", "follow"]

Reason = Callable[[str, int], str | None]
"""Why an attempt (repo, number from 1) fails; None where it succeeds."""

_Word = Literal["pending", "in_progress", "succeeded", "failed", "skipped"]
_PLAIN = {
    "pending": RepoReleaseStatus.pending(),
    "in_progress": RepoReleaseStatus.in_progress(),
    "skipped": RepoReleaseStatus.skipped(),
}


@dataclass(frozen=True, slots=True)
class Start:
    """A repo that may start now."""

    position: int
    repo_id: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A repo that is passed over for good."""

    position: int
    repo_id: str
    cause: SkipCause
    blocked_by: tuple[str, ...]
    """The failed repos that it waits for, in plan order; of more than a hundred the nearest hundred."""
    more: int = field(default=0, repr=False)
    """How many there are beside those."""


class Rules:
    """One run of a plan, as a machine that is told what happens and says what may happen next.

    An item is *decided* once all that it needs has ended. Decided items are taken in plan order:
    released ones start, or are skipped where the policy says so; unreleased ones are passed over
    and hand on what blocks them. Linear in items and dependencies, plus a logarithm for the heap.

    Parameters
    ----------
    plan : SequencePlan
        What to run.
    terms : Terms, optional
        What a failure means for the rest, and how often a repo is tried.
    """

    def __init__(self, plan: SequencePlan, terms: Terms | None = None) -> None:
        self.plan = plan
        self.terms = Terms() if terms is None else terms
        n = len(plan.items)
        self._arrays = plan.arrays  # at hand: asked for at every step
        self._words: list[_Word] = ["pending" if released else "skipped" for released in plan.arrays.released]
        self._texts: dict[int, str] = {}  # of those that succeeded the id, of those that failed the reason
        self._causes: list[SkipCause | None] = [None] * n
        self._tries = [0] * n
        self._waits_for = [len(dependencies) for dependencies in plan.arrays.dependencies]
        self._decided = [position for position, count in enumerate(self._waits_for) if not count]  # a heap: ascending
        self._permitted: set[int] = set()  # taken, not yet started
        self._open = n  # items that have not ended
        self._failures: list[int] = []  # positions, in the order of failing
        # Whose failure stands before an item that has not ended. What can keep nobody from starting is not looked at.
        self._above: list[Above] = [0] * n
        self._asks_above = self.terms.holds_up
        self._blockers = Blockers(plan.arrays.ids, plan.arrays.dependencies, self._failures)
        self._skips: dict[int, tuple[tuple[str, ...], int]] = {}  # of those skipped: who blocks them, and how many more

    # ------------------------------------------------------------------ asking

    @property
    def over(self) -> bool:
        """Whether every item has ended."""
        return not self._open

    @property
    def success(self) -> bool:
        """Whether the run is over and nothing failed."""
        return self.over and not self._failures

    @property
    def stopping(self) -> bool:
        """Whether nothing new starts any more."""
        return bool(self._failures) and self.terms.stops(len(self._failures))

    def ready(self) -> list[str]:
        """List the decided items in plan order: the first of them is taken next."""
        return [self.plan.items[position].repo_id for position in sorted(self._decided)]

    def attempt(self, repo_id: str) -> int:
        """Give the number of the attempt under way, from 1."""
        return self._tries[self._expect(repo_id, "in_progress")]

    def will_retry(self, repo_id: str) -> bool:
        """Tell whether the repo is tried again if the attempt under way fails."""
        return self.attempt(repo_id) < self.terms.attempts

    def status(self, position: int) -> RepoReleaseStatus:
        """Say how far the item at a position of the plan has got."""
        word = self._words[position]
        if word == "succeeded":
            return RepoReleaseStatus.succeeded(self._texts[position])
        return RepoReleaseStatus.failed(self._texts[position]) if word == "failed" else _PLAIN[word]

    def word(self, position: int) -> _Word:
        """Say it in a word."""
        return self._words[position]

    def take(self) -> Start | Skip | None:
        """Take the next decided item; None where nothing is decided until a release under way ends.

        A :class:`Skip` is settled with that. A :class:`Start` is only a permission: the item stays
        pending until :meth:`start`, so that a driver can first make its intention durable.
        """
        if not self._decided:
            return None
        position = heapq.heappop(self._decided)
        item = self.plan.items[position]
        above = self._above[position]
        cause: SkipCause | None = None
        if not self._arrays.released[position]:
            cause = "unreleased"
        elif self._failures:
            cause = self.terms.skips(bool(above), len(self._failures))
        if cause is None:
            self._permitted.add(position)
            return Start(position, item.repo_id)
        self._causes[position] = cause
        names: tuple[str, ...] = ()
        more = 0
        if above and cause != "unreleased":
            names, more = self._skips[position] = self._blockers.told(position, above)
        self._end(position, "skipped")
        return Skip(position, item.repo_id, cause, names, more)

    def give_back(self, repo_id: str) -> None:
        """Take a permission back that was not used: the item is decided once more, and taken again in its turn."""
        position = self._expect(repo_id, "pending")
        if position not in self._permitted:
            raise ValueError(f"repo {repo_id!r} has no permission to give back: take() has not given it out")
        self._permitted.remove(position)
        heapq.heappush(self._decided, position)

    # ------------------------------------------------------------------ telling

    def start(self, repo_id: str) -> None:
        """Tell that a repo's release is under way; `repo_id` comes from :class:`Start`."""
        position = self._expect(repo_id, "pending")
        if position not in self._permitted:
            raise ValueError(f"repo {repo_id!r} may not start: take() has not given it out")
        self._permitted.remove(position)
        self._words[position] = "in_progress"
        self._tries[position] = 1

    def succeed(self, repo_id: str, run_id: str) -> None:
        """Tell that a repo is released; `run_id` is what the releaser returned."""
        position = self._expect(repo_id, "in_progress")
        self._texts[position] = run_id
        self._end(position, "succeeded")

    def fail(self, repo_id: str, reason: str, final: bool = False) -> bool:
        """Tell that an attempt failed; returns whether to try again.

        The last attempt makes a failure, which blocks dependents; ``final=True`` makes this one the last.
        """
        position = self._expect(repo_id, "in_progress")
        if not final and self.will_retry(repo_id):
            self._tries[position] += 1
            return True
        if self._asks_above:
            self._above[position] = joined(self._above[position], only(len(self._failures)))
        self._failures.append(position)
        self._texts[position] = reason
        self._end(position, "failed")
        return False

    def _expect(self, repo_id: str, name: str) -> int:
        position = self._arrays.position.get(repo_id) if type(repo_id) is str else None
        if position is None:
            position = self.plan.position(repo_id)  # raises, and says which ids look like it
        if (word := self._words[position]) != name:
            raise ValueError(f"repo {repo_id!r} is {word}, expected {name}")
        return position

    def _end(self, position: int, word: _Word) -> None:
        self._words[position] = word
        self._open -= 1
        if above := self._above[position]:
            self._hand_on(position, above)
        for dependent in self._arrays.dependents[position]:
            self._waits_for[dependent] -= 1
            if not self._waits_for[dependent]:
                heapq.heappush(self._decided, dependent)

    def _hand_on(self, position: int, above: Above) -> None:
        """Tell the dependents whose failure stands before them; the item itself needs that no more."""
        self._above[position] = 0
        made: dict[int, Above] = {}  # dependents that knew the same know the same: sets may be large
        for dependent in self._arrays.dependents[position]:
            before = self._above[dependent]
            if id(before) not in made:
                made[id(before)] = joined(before, above)
            self._above[dependent] = made[id(before)]

    # ------------------------------------------------------------------ the result

    def outcome(
        self, run_id: str | None = None, ledger: RunLedger | None = None, seed: int | None = None
    ) -> SequenceOutcome:
        """Say what the run came to, so far."""
        causes = [
            cause if released else "unreleased"
            for released, cause in zip(self._arrays.released, self._causes, strict=True)
        ]
        return SequenceOutcome(
            plan=self.plan,
            statuses=tuple(map(self.status, range(len(causes)))),
            skip_causes=tuple(causes),
            blocked_by=tuple(self._skips[at][0] if at in self._skips else () for at in range(len(causes))),
            attempts=tuple(self._tries),
            run_id=run_id,
            ledger=ledger,
            seed=seed,
            more_blocked_by={at: more for at, (_, more) in self._skips.items() if more},
        )


def follow(
    plan: SequencePlan, terms: Terms, reason: Reason, released_as: Callable[[str], str] = "run-{}".format
) -> Rules:
    """Go through a plan to its end, one release at a time, and give the rules as they then stand.

    Parameters
    ----------
    plan : SequencePlan
        What to go through.
    terms : Terms
        What it goes by.
    reason : callable
        Why an attempt (repo, number from 1) fails; None where it succeeds.
    released_as : callable
        The run id of a repo that is released.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("core", "docs")]), version="1.0")
    >>> flaky = {("core", 1): "a test timed out", ("api", 1): "tests are red", ("api", 2): "tests are red"}
    >>> follow(plan, Terms(attempts=2), lambda repo, attempt: flaky.get((repo, attempt))).outcome()
    SequenceOutcome(2 succeeded, 1 failed)
    """
    rules = Rules(plan, terms)
    for _ in each_choice(rules, reason, released_as):
        pass
    return rules


def each_choice(
    rules: Rules, reason: Reason, released_as: Callable[[str], str] = "run-{}".format
) -> Iterator[Start | Skip]:
    """Do what :func:`follow` does, and stop after each choice, when it has had its end, for a look at the rules."""
    while (step := rules.take()) is not None:
        if isinstance(step, Start):
            repo = step.repo_id
            rules.start(repo)
            while (why := reason(repo, rules._tries[step.position])) is not None and rules.fail(repo, why):
                pass
            if why is None:
                rules.succeed(repo, released_as(repo))
        yield step


def fail_ids(plan: SequencePlan, fail: str | Iterable[str]) -> frozenset[str]:
    """Read a `fail` argument: one id or several, all of the plan.

    Raises
    ------
    RepoNotFound
        Where one is not in the plan.
    """
    if not isinstance(fail, str) and not isinstance(fail, Iterable):
        raise TypeError(f"fail is {fail!r:.80}, expected a repo id or several")
    ids = frozenset([fail] if isinstance(fail, str) else fail)
    for repo in sorted(ids, key=str):
        plan.position(repo)
    return ids
