"""The rules of a run in lanes, read a second time: what no run may break, and each event of a run that is foreseen."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from seqkit import Retry, RunEvent, SequenceOutcome, SequencePlan, what_if
from tests.tools.strategies import ancestors

ENDS = ("NodeExited", "NodeFailed", "NodeSkipped")


def keeps_the_rules(plan: SequencePlan, events: Sequence[RunEvent], policy: str, min_interval: float = 0.0) -> None:
    """Hold the events of a run against the rules of order.

    Nothing is entered, or passed over, before all that it needs has ended; nothing is entered below a failure, but
    under ``continue``; entries keep their distance.
    """
    arrays = plan.arrays
    above = ancestors(arrays.ids, plan.edges)
    ended: dict[str, str] = {}
    for event in events:
        repo = event.payload["node_id"]
        if event.kind in ("NodeEntered", "NodeSkipped"):
            for need in arrays.dependencies[arrays.position[repo]]:
                name = arrays.ids[need]
                assert name in ended or not arrays.released[need], "all that it needs has ended, and that is recorded"
        if event.kind == "NodeEntered" and policy != "continue":
            assert not [other for other in above[repo] if ended.get(other) == "NodeFailed"], (
                f"{repo} is below a failure"
            )
        if event.kind in ENDS:
            ended[repo] = event.kind
    entries = [event.timestamp for event in events if event.kind == "NodeEntered"]
    assert all(b - a >= timedelta(seconds=min_interval) for a, b in itertools.pairwise(entries))


def comes_to_what_if(outcome: SequenceOutcome, options: Mapping[str, Any]) -> None:
    """Hold an outcome against the what-if of the same failures: a doubt is one; `options` as the run had them.

    With lanes, who was still started before a stop depends on time: then there is nothing to compare.
    """
    budget, policy = options.get("failure_budget"), options["policy"]
    if {"pending", "in_progress"} & {status.name for status in outcome.statuses}:
        return
    in_order = options["max_parallel"] == 1 and options.get("priority") in (None, "plan")
    if in_order or (budget is None and policy != "stop"):
        expected = what_if(outcome.plan, fail=outcome.failures, policy=policy, failure_budget=budget)
        assert outcome.succeeded == expected.succeeded
        assert list(outcome.failures) == list(expected.failures)
        assert outcome.blocked_by == expected.blocked_by
        assert outcome.skip_causes == expected.skip_causes


class Foreseen:
    """Goes through a plan in lanes, from instant to instant, and tells each event: ``(kind, repo, seconds)``.

    Parameters
    ----------
    plan : SequencePlan
        The plan.
    seconds, failing : mapping
        By repo: how long each attempt takes, and how many of them fail, counted from the first.
    options : mapping
        How it is run: attempts (a Retry), max_parallel, priority, policy, failure_budget, min_interval.
    """

    def __init__(
        self, plan: SequencePlan, seconds: Mapping[str, float], failing: Mapping[str, int], options: Mapping[str, Any]
    ) -> None:
        self.ids = [item.repo_id for item in plan.items]
        self.released = set(plan.released)
        self.needs = {repo: {a for a, b in plan.edges if b == repo} for repo in self.ids}
        self.above = ancestors(self.ids, plan.edges)
        self.seconds, self.failing = seconds, failing
        self.retry: Retry = options["attempts"]
        self.lanes: int | None = options["max_parallel"]
        self.policy, self.budget = options["policy"], options["failure_budget"]
        self.interval = options["min_interval"]
        priority = options["priority"] or ("plan" if self.lanes == 1 else "longest_path")
        self.in_order = self.lanes == 1 and priority == "plan"
        self.rank = {repo: self._rank(repo, priority) for repo in self.ids}
        self.now = 0.0
        self.last = -1e9
        self.tries = dict.fromkeys(self.ids, 0)
        self.ended: dict[str, str] = {}
        self.active: dict[str, float] = {}  # until when
        self.waiting: dict[str, float] = {}  # to be tried again, until when
        self.ready: list[str] = []
        self.events: list[tuple[str, str, float]] = []

    def _rank(self, repo: str, priority: str) -> float:
        below = [other for other in self.ids if repo in self.above[other] and other in self.released]
        if priority == "most_blocked":
            return -len(below)
        return -self._longest(repo) if priority == "longest_path" else 0

    def _longest(self, repo: str) -> int:
        after = [self._longest(other) for other in self.ids if repo in self.needs[other]]
        return (repo in self.released) + max(after, default=0)

    @property
    def stopping(self) -> bool:
        failures = list(self.ended.values()).count("failed")
        return failures >= (1 if self.policy == "stop" else self.budget or 10**9)

    def tell(self, kind: str, repo: str, end: str = "") -> None:
        self.events.append((kind, repo, self.now))
        if end:
            self.ended[repo] = end

    def go(self) -> list[tuple[str, str, float]]:
        """Go to the end."""
        while True:
            self._take_in_ends()
            if self.stopping:
                self._give_up()
            if not self.in_order:
                self._pass_over()
            self.ready += [repo for repo, due in self.waiting.items() if due <= self.now]
            self.waiting = {repo: due for repo, due in self.waiting.items() if due > self.now}
            self._start()
            moments = [*self.active.values(), *self.waiting.values()]
            if self.ready and self._room():
                moments.append(self.last + self.interval)
            if not moments:
                return self.events
            self.now = max(self.now, min(moments))

    def _take_in_ends(self) -> None:
        for repo in self.ids:
            if self.active.get(repo, 1e9) > self.now:
                continue
            del self.active[repo]
            attempt = self.tries[repo]
            if attempt > self.failing.get(repo, 0):
                self.tell("NodeExited", repo, "released")
            elif attempt == self.retry.attempts or self.stopping:
                self.tell("NodeFailed", repo, "failed")
            else:
                self.tell("NodeRetrying", repo)
                self.waiting[repo] = self.now + self.retry.delay * self.retry.backoff ** (attempt - 1)

    def _give_up(self) -> None:
        for repo in self.ids:
            if repo in self.waiting or (repo in self.ready and self.tries[repo]):
                self.tell("NodeFailed", repo, "failed")
        self.waiting = {}
        self.ready = []  # who has not been entered is decided once more

    def _decided(self) -> str | None:
        """Give the first of whom all needs have ended."""
        for repo in self.ids:
            known = repo in self.ended or repo in self.active or repo in self.waiting or repo in self.ready
            if not known and self.needs[repo] <= set(self.ended):
                return repo
        return None

    def _passes(self, repo: str) -> bool:
        """Pass over one that is not released, or held up."""
        if repo not in self.released:
            self.ended[repo] = "unreleased"
            return True
        blocked = any(self.ended.get(other) == "failed" for other in self.above[repo])
        if self.stopping or (blocked and self.policy == "skip_dependents"):
            self.tell("NodeSkipped", repo, "skipped")
            return True
        return False

    def _pass_over(self) -> None:
        while (repo := self._decided()) is not None:
            if not self._passes(repo):
                self.ready.append(repo)

    def _room(self) -> bool:
        return self.lanes is None or len(self.active) + (len(self.waiting) if self.lanes == 1 else 0) < self.lanes

    def _start(self) -> None:
        while self._room():
            if self.in_order and not self.ready:
                repo = self._decided()
                if repo is None:
                    return
                if self._passes(repo):
                    continue
                self.ready.append(repo)
            if not self.ready or self.now < self.last + self.interval:
                return
            repo = min(self.ready, key=lambda one: (self.rank[one], self.ids.index(one)))
            self.ready.remove(repo)
            if not self.tries[repo]:
                self.tell("NodeEntered", repo)
            self.tries[repo] += 1
            self.last = self.now
            self.active[repo] = self.now + self.seconds.get(repo, 0)
