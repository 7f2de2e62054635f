"""A train in lanes as a SimPy model by callbacks, written from the rules and from nothing else.

SimPy keeps the time. An attempt is a timeout whose callback notes that it has ended, a wait before the next attempt is
another, and whoever notes something asks for a turn. A turn is an event of the lowest priority, so that it comes after
everything else of its instant: it takes the ends in, in plan order, and lets start what may start. What is drawn, is
drawn number by number from the models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import simpy

from seqkit import DurationModel, FailureModel, Retry, SequencePlan

_LAST = 9  # of what SimPy does at one instant; its own events have 0 and 1

Told = tuple[str, str, int]
"""An event: its kind, the repo, and when, in milliseconds."""


class Rules(NamedTuple):
    """How a train is run."""

    lanes: int | None = 1
    priority: str | Mapping[str, float] = "plan"
    retry: Retry = Retry(1)
    policy: str = "skip_dependents"
    budget: int | None = None
    interval: int = 0  # milliseconds
    frozen: Sequence[tuple[int, int]] = ()  # milliseconds: nothing starts from the first on, before the second


class SimpyTrain:
    """One trial of a train.

    Parameters
    ----------
    plan, model, durations, rules
        What is run, what fails, how long things take, and how it is run.
    seed, trial : int
        Whose draws.
    """

    def __init__(
        self,
        plan: SequencePlan,
        model: FailureModel,
        durations: DurationModel,
        rules: Rules,
        seed: int,
        trial: int,
    ) -> None:
        self.model, self.durations, self.rules, self.draw = model, durations, rules, (seed, trial)
        self.order = [item.repo_id for item in plan.items]
        self.place = {repo: at for at, repo in enumerate(self.order)}
        self.released = set(plan.released)
        self.needs: dict[str, list[str]] = {repo: [] for repo in self.order}
        self.below: dict[str, list[str]] = {repo: [] for repo in self.order}
        for before, after in plan.edges:
            self.needs[after].append(before)
            self.below[before].append(after)
        self.in_order = rules.lanes == 1 and rules.priority == "plan"
        self.line = {repo: self._line(repo) for repo in self.order}
        self.clock = simpy.Environment()
        self.events: list[Told] = []
        self.state = dict.fromkeys(self.order, "untouched")
        self.tries = dict.fromkeys(self.order, 0)
        self.began: dict[str, int] = {}
        self.ended: list[str] = []  # attempts of this instant, not taken in yet
        self.lane: dict[str, int] = {}  # of what runs: the lowest that was free
        self.worked: list[tuple[int, int]] = []  # of each attempt, in the order of the starts: its lane, and how long
        self.failures = 0
        self.kept: str | None = None
        self.last_start: int | None = None
        self.turn_comes = False

    def _line(self, repo: str) -> tuple[float, int]:
        """Give the place in line: the least goes first."""
        chosen = self.rules.priority
        if isinstance(chosen, Mapping):
            rank = -float(chosen.get(repo, 0))
        elif chosen == "longest_path":
            rank = -self._longest(repo)
        elif chosen == "most_blocked":
            rank = -float(len(self._all_below(repo) & self.released))
        else:
            rank = 0.0
        return rank, self.place[repo]

    def _longest(self, repo: str) -> float:
        own = self.durations.mean(repo) if repo in self.released else 0.0
        return own + max([self._longest(other) for other in self.below[repo]], default=0.0)

    def _all_below(self, repo: str) -> set[str]:
        return {other for near in self.below[repo] for other in {near} | self._all_below(near)}

    # ------------------------------------------------------------------ the run

    def run(self) -> list[Told]:
        """Run it, and give the events in their order."""
        self.ask_for_a_turn(0)
        self.clock.run()
        return self.events

    @property
    def end(self) -> int:
        """When the last attempt ended."""
        return max([when for kind, _, when in self.events if kind not in ("NodeEntered", "NodeSkipped")], default=0)

    def ask_for_a_turn(self, delay: int) -> None:
        turn = self.clock.event()
        turn._ok, turn._value = True, None  # as SimPy's own Timeout does
        turn.callbacks.append(self.turn)
        self.clock.schedule(turn, priority=_LAST, delay=delay)  # type: ignore[arg-type]  # any number does

    def after(self, ticks: int, call: Any, repo: str) -> None:
        self.clock.timeout(ticks).callbacks.append(lambda _: call(repo))

    def tell(self, kind: str, repo: str) -> None:
        self.events.append((kind, repo, int(self.clock.now)))

    def turn(self, _: Any) -> None:
        for repo in sorted(self.ended, key=self.place.__getitem__):
            self.take_in(repo)
        self.ended.clear()
        if self.stopping:
            for repo in self.order:
                if self.state[repo] in ("waits", "due again"):
                    self.fail(repo)
                elif self.state[repo] == "due":
                    self.state[repo] = "untouched"  # its turn comes anew, and it is passed over
        if not self.in_order:
            self.pass_on()
        self.let_start()

    @property
    def stopping(self) -> bool:
        most = 1 if self.rules.policy == "stop" else self.rules.budget
        return most is not None and self.failures >= most

    # ------------------------------------------------------------------ ends

    def attempt_ends(self, repo: str) -> None:
        self.ended.append(repo)
        self.ask_for_a_turn(0)

    def take_in(self, repo: str) -> None:
        del self.lane[repo]
        number = self.tries[repo]
        if not self._fails(repo):
            self.state[repo] = "released"
            self.tell("NodeExited", repo)
            return
        retry = self.rules.retry
        wait = round(retry.wait(repo, number, *self.draw) * 1000) if number < retry.attempts else 0
        elapsed = int(self.clock.now) - self.began[repo]
        late = retry.deadline is not None and elapsed + wait > retry.deadline * 1000
        if number == retry.attempts or self.stopping or late:
            self.fail(repo)
            return
        self.tell("NodeRetrying", repo)
        self.state[repo] = "waits"
        if self.rules.lanes == 1:
            self.kept = repo
        if wait:
            self.after(wait, self.wait_ends, repo)
        else:
            self.state[repo] = "due again"

    def wait_ends(self, repo: str) -> None:
        if self.state[repo] == "waits":
            self.state[repo] = "due again"
            self.ask_for_a_turn(0)

    def fail(self, repo: str) -> None:
        self.state[repo] = "failed"
        self.failures += 1
        self.kept = None
        self.tell("NodeFailed", repo)

    def _fails(self, repo: str) -> bool:
        return self.model.reason(repo, self.tries[repo], *self.draw) is not None

    # ------------------------------------------------------------------ starts

    def next_decided(self) -> str | None:
        """Give the first in plan order whose needs have all ended."""
        over = ("released", "failed", "skipped", "not released")
        for repo in self.order:
            if self.state[repo] == "untouched" and all(self.state[other] in over for other in self.needs[repo]):
                return repo
        return None

    def pass_on(self, one: bool = False) -> None:
        """Pass over, or line up, all that is decided; or only up to the first that lines up."""
        while (repo := self.next_decided()) is not None:
            if repo not in self.released:
                blocked = self.rules.policy != "continue" and self.is_blocked(repo)
                self.state[repo] = "skipped" if blocked else "not released"
            elif self.stopping or (self.rules.policy == "skip_dependents" and self.is_blocked(repo)):
                self.state[repo] = "skipped"
                self.tell("NodeSkipped", repo)
            else:
                self.state[repo] = "due"
                if one:
                    return

    def is_blocked(self, repo: str) -> bool:
        return any(self.state[other] in ("failed", "skipped") for other in self.needs[repo])

    def let_start(self) -> None:
        while True:
            if self.rules.lanes is not None and (len(self.lane) >= self.rules.lanes or self._lane_is_kept()):
                return
            if self.in_order and not self._due():
                self.pass_on(one=True)
            if not (due := self._due()):
                return
            if self.last_start is not None and self.last_start + self.rules.interval > self.clock.now:
                self.ask_for_a_turn(self.last_start + self.rules.interval - int(self.clock.now))
                return
            if thaws := [end for begin, end in self.rules.frozen if begin <= self.clock.now < end]:
                self.ask_for_a_turn(max(thaws) - int(self.clock.now))
                return
            self.start(self.kept if self.kept in due else min(due, key=self.line.__getitem__))

    def _lane_is_kept(self) -> bool:
        return self.kept is not None and self.state[self.kept] == "waits"

    def _due(self) -> list[str]:
        return [repo for repo in self.order if self.state[repo] in ("due", "due again")]

    def start(self, repo: str) -> None:
        if self.state[repo] == "due":
            self.tell("NodeEntered", repo)
            self.began[repo] = int(self.clock.now)
        if repo == self.kept:
            self.kept = None
        self.state[repo] = "runs"
        self.tries[repo] += 1
        self.lane[repo] = min(set(range(len(self.lane) + 1)) - set(self.lane.values()))
        self.last_start = int(self.clock.now)
        ticks = self.durations.draw(repo, self.tries[repo], *self.draw, failed=self._fails(repo))
        self.worked.append((self.lane[repo], ticks))
        self.after(ticks, self.attempt_ends, repo)
