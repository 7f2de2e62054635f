"""A run as it goes, from its events: how far each repo is, and what happened last.

>>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
>>> live = LiveRun(plan)
>>> run_plan(plan, ScriptedReleaser({"api": "tests are red"}), on_event=live)
SequenceOutcome(1 succeeded, 1 failed, 1 blocked)
>>> live
LiveRun(3 of 3 repos ended: 1 blocked, 1 succeeded, 1 failed)
>>> live.words["app"], live.last
('blocked', 'app is skipped: api failed')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from seqkit._show.palette import STATUS_STYLES
from seqkit._util.words import and_more, listed, plural, shortened
from seqkit.core.model import RunEvent
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan
from seqkit.errors import RepoNotFound
from seqkit.explore._words import short
from seqkit.ledger.story import Story, Told, kind_of

__all__ = ["LiveRun"]

_ENDED = ("succeeded", "failed", "blocked", "stopped")


class LiveRun:
    """What is known of a run so far. Call it with each event: give it as ``on_event``.

    An event with a `seq` that is not higher than the last one's begins a new run. Where skips are not
    recorded, skipped repos stay pending until :meth:`finish`.

    Parameters
    ----------
    plan : SequencePlan
        What is run.

    Attributes
    ----------
    words : dict of str to str
        Repo → key of ``STATUS_STYLES``, every repo of the plan in plan order.
    attempts : dict of str to int
        Repo → how often it has been tried, where it has.
    last : str
        What happened last, as a sentence; empty before the first event.
    run : int
        Which run this is, from 1; 0 before the first event.
    """

    def __init__(self, plan: SequencePlan) -> None:
        if not isinstance(plan, SequencePlan):
            raise TypeError(f"plan is a {type(plan).__name__}, expected a SequencePlan: build_plan(graph) makes one")
        self.plan = plan
        self.run = 0
        self._seq = 0
        self.reset()

    def reset(self) -> None:
        """Forget the run."""
        unreleased = set(self.plan.unreleased)
        self.words: dict[str, str] = {
            item.repo_id: "unreleased" if item.repo_id in unreleased else "pending" for item in self.plan.items
        }
        self._story = Story(self.plan)
        self.attempts: dict[str, int] = {}
        self.last = ""
        self._counted = Counter(self.words.values())

    def __call__(self, event: RunEvent) -> None:
        """Take in the next event of the run; kinds that say nothing about a repo change nothing.

        Raises
        ------
        RepoNotFound
            Where the event is of a repo that is not in the plan.
        """
        repo = event.payload.get("node_id") if isinstance(event.payload, dict) else None
        if not isinstance(repo, str):
            return
        if repo not in self.words:
            raise RepoNotFound(repo, among=tuple(self.words))
        if event.seq <= self._seq or not self.run:
            self.reset()
            self.run += 1
        self._seq = event.seq
        name = short(repo)
        told = self._story.tell(event)
        assert told is not None  # noqa: S101  # it names a repo
        if told.attempts:
            self.attempts[repo] = told.attempts
        said = _SAID.get(kind_of(event))
        if said is not None:
            self._take(repo, told.word, f"{name} {said(event, told)}")

    def _take(self, repo: str, word: str, said: str) -> None:
        self._counted[self.words[repo]] -= 1
        self._counted[word] += 1
        self.words[repo] = word
        self.last = said

    def finish(self, outcome: SequenceOutcome) -> None:
        """Take over how a run of the plan ended, skips included.

        Raises
        ------
        ValueError
            Where the outcome is of another plan.
        """
        if outcome.plan != self.plan:
            raise ValueError(f"outcome is of plan {outcome.plan_id}, expected one of {self.plan.plan_id}")
        ids = [item.repo_id for item in self.plan.items]
        self.words = dict(zip(ids, outcome.words(), strict=True))
        self.attempts = {repo: tries for repo, tries in zip(ids, outcome.attempts, strict=True) if tries}
        self._counted = Counter(self.words.values())

    @property
    def counts(self) -> dict[str, int]:
        """Repos by status or skip cause: all keys of ``STATUS_STYLES``, in its order."""
        return {word: self._counted[word] for word in STATUS_STYLES}

    @property
    def n_released(self) -> int:
        """How many repos the plan releases."""
        return len(self.plan.released)

    @property
    def n_ended(self) -> int:
        """How many of them have succeeded, failed or been skipped."""
        return sum(self._counted[word] for word in _ENDED)

    @property
    def over(self) -> bool:
        """Whether all have ended."""
        return self.n_ended == self.n_released

    def summary(self) -> str:
        """Say in words how far the run is."""
        counts = ", ".join(f"{count} {STATUS_STYLES[word].word}" for word, count in self.counts.items() if count)
        n = self.n_released
        return f"{self.n_ended} of {plural(n, 'repo')} ended: {counts or 'nothing to do'}"

    def __repr__(self) -> str:
        return f"LiveRun({self.summary()})"


def _shown(event: RunEvent, key: str) -> str:
    value: Any = event.payload.get(key, "")
    return shortened(str(value), 200)


def _skipped(_event: RunEvent, told: Told) -> str:
    if not told.blocked_by:
        return "is skipped: the run was stopped"
    return f"is skipped: {listed(told.blocked_by[:3], 3, short)}{and_more(told.n_blocked_by - 3)} failed"


def _again(event: RunEvent, _told: Told) -> str:
    attempt = event.payload.get("attempt")
    number = f" (attempt {attempt + 1})" if isinstance(attempt, int) else ""
    return f"is tried again{number}: {_shown(event, 'error')}"


_SAID: dict[str, Callable[[RunEvent, Told], str]] = {
    "NodeEntered": lambda event, _: f"{_shown(event, 'version')} is being released",
    "NodeRetrying": _again,
    "NodeExited": lambda event, _: f"is out as {_shown(event, 'run_id')}",
    "NodeFailed": lambda event, _: f"failed: {_shown(event, 'error')}",
    "NodeSkipped": _skipped,
}
"""What an event says of its repo, in words."""
