"""A run as its ledger tells it: the plan, the rules it went by, and what became of every repo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, get_args

from seqkit.frames import kind_of, plan_of_run
from seqkit.graph import RepoDependencyGraph
from seqkit.ledger import RunLedger
from seqkit.model import RunEvent, RunRecord, RunStatus, SequenceItem
from seqkit.plan import SequencePlan, _planned
from seqkit.rules import Policy

__all__ = [
    "REASONS",
    "Ending",
    "Left",
    "NotTold",
    "PastRun",
    "Trail",
    "past_run",
    "read_run",
    "released_by_decision",
    "tag_of",
    "told_by",
]

Left = Literal["failed", "in_doubt", "blocked", "stopped", "not_reached"]
Word = Literal["released"] | Left

REASONS = get_args(Left)
"""Why a repo is left, in the order in which frames sort the reasons."""

_FINISHED = (RunStatus.COMPLETED, RunStatus.FAILED)


@dataclass(slots=True)
class Trail:
    """What the events of a run tell of one repo."""

    version: str | None = None
    """The version it was entered with."""
    open: bool = False
    """Entered, and nothing since tells how that ended."""
    released_as: str | None = None
    """What the releaser returned; None where it was not released."""
    error: str | None = None
    """Why it failed, where a failure ended it."""
    errors: list[str] = field(default_factory=list)
    """Why each of its tries failed, up to its release."""
    tries: int = 0
    """Tries that were begun."""
    failures: int = 0
    """How often it ran out of attempts: more than once where it was entered again."""
    skipped: bool = False
    """Passed over, and said so."""
    blocked_by: tuple[str, ...] = ()
    """The failed repos that a skip names."""
    first_failed_at: datetime | None = None
    """When it first ran out of attempts."""
    released_at: datetime | None = None
    """When it was released."""

    @property
    def released(self) -> bool:
        """Whether it was released, whatever was recorded of it later."""
        return self.released_as is not None

    @property
    def ended(self) -> bool:
        """Whether its last try ended, as a release or as a failure."""
        return self.released or (self.error is not None and not self.open)

    def tell(self, kind: str, payload: Mapping[str, Any], timestamp: datetime) -> None:
        """Take in the next event that names the repo."""
        if self.released:
            return  # released is released: a second entry does not take it back
        if kind == "NodeEntered":
            self.tries += not self.open  # a second entry is no second try
            self.open = True
            if isinstance(version := payload.get("version"), str):
                self.version = version
        elif kind == "NodeRetrying":
            self.errors.append(_text(payload.get("error")))
            self.tries += 1
        elif kind == "NodeFailed":
            self.tries += not self.open
            self.open = False
            self.failures += 1
            self.error = _text(payload.get("error"))
            self.errors.append(self.error)
            self.first_failed_at = self.first_failed_at or timestamp
        elif kind == "NodeExited":
            self.tries += not self.open
            self.open = False
            self.released_as = _text(payload.get("run_id"))
            self.released_at = timestamp
        elif kind == "NodeSkipped":
            self.skipped = True
            named = payload.get("blocked_by")
            self.blocked_by = tuple(
                dict.fromkeys(repo for repo in (named if isinstance(named, list) else []) if isinstance(repo, str))
            )


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one repo in a run."""

    word: Word
    """How it ended, or why it did not."""
    blocked_by: tuple[str, ...] = ()
    """The failed repos that it waits for, where it is blocked."""
    error: str | None = None
    """Why it failed."""


@dataclass(frozen=True)
class PastRun:
    """One run of a ledger, read for resuming or replaying it."""

    record: RunRecord
    plan: SequencePlan
    trails: Mapping[str, Trail]
    policy: Policy
    failure_budget: int | None
    attempts: int
    record_skips: bool
    versionless: frozenset[str] = frozenset()
    """Repos whose planned version nothing tells."""
    has_holes: bool = False
    """Whether events are missing, so that silence does not tell that a repo was not reached."""

    @cached_property
    def endings(self) -> dict[str, Ending]:
        """Tell what became of each repo that was to be released, in plan order."""
        return dict(self._endings())

    def _endings(self) -> Iterator[tuple[str, Ending]]:
        blocked_by = dict(self._failed_ancestors())
        tried = [position for position, item in enumerate(self.plan.items) if self._trail(item.repo_id).tries]
        last = max(tried, default=-1)
        stops = self._stops
        for position, item in enumerate(self.plan.items):
            if not self.plan._is_released[position]:
                continue
            repo, trail = item.repo_id, self._trail(item.repo_id)
            blockers = trail.blocked_by or blocked_by.get(repo, ())
            reached = self.record.status in _FINISHED or (not self.record_skips and position < last)
            if trail.released:
                yield repo, Ending("released")
            elif trail.open:
                yield repo, Ending("in_doubt")
            elif trail.error is not None:
                yield repo, Ending("failed", error=trail.error)
            elif trail.skipped:
                yield repo, Ending("blocked" if trail.blocked_by else "stopped", trail.blocked_by)
            elif reached and blockers and (stops or self.policy != "continue"):
                yield repo, Ending("blocked", blockers)
            elif self.has_holes:
                yield repo, Ending("in_doubt")
            else:
                yield repo, Ending("stopped" if reached and stops else "not_reached")

    def _trail(self, repo: str) -> Trail:
        return self.trails.get(repo) or _SILENT

    @cached_property
    def failed(self) -> list[str]:
        """List the repos that ran out of attempts, in plan order."""
        return [repo for repo in self.plan.released if _has_failed(self._trail(repo))]

    @property
    def _stops(self) -> bool:
        allowed = 1 if self.policy == "stop" else self.failure_budget
        return allowed is not None and len(self.failed) >= allowed

    def _failed_ancestors(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the failed ancestors of each repo that has any; linear but for the union of bit sets."""
        items, failed = self.plan.items, set(self.failed)
        blockers = [0] * len(items)
        order: list[str] = []
        names: dict[int, tuple[str, ...]] = {}
        for position, item in enumerate(items):
            mine = blockers[position]
            if mine:
                if mine not in names:
                    names[mine] = tuple(order[bit] for bit in range(mine.bit_length()) if mine >> bit & 1)
                yield item.repo_id, names[mine]
            if item.repo_id in failed:
                mine |= 1 << len(order)
                order.append(item.repo_id)
            if mine:
                for dependent in self.plan._dependents[position]:
                    blockers[dependent] |= mine


_SILENT = Trail()


def _has_failed(trail: Trail) -> bool:
    return trail.ended and not trail.released


def _text(value: object) -> str:
    return "" if value is None else str(value)


def told_by(events: Iterable[RunEvent]) -> dict[str, Trail]:
    """Read what events tell of each repo that they name, in the order in which they name them."""
    trails: dict[str, Trail] = {}
    for event in events:
        payload = event.payload
        repo = payload.get("node_id") if isinstance(payload, Mapping) else None
        if isinstance(repo, str):
            trails.setdefault(repo, Trail()).tell(kind_of(event), payload, event.timestamp)
    return trails


class NotTold(ValueError):
    """What a ledger does not tell of a run, so that whoever asks has to.

    Attributes
    ----------
    over : str
        What it is about: ``"plan"``, ``"version"``, ``"in_doubt"`` or ``"taken"``.
    found : str
        What was found, as a clause; the message adds what to do, by the names of Python's arguments.
    """

    def __init__(self, over: str, found: str, advice: str) -> None:
        super().__init__(advice.format(found))
        self.over, self.found = over, found


def read_run(ledger: RunLedger, run_id: str, graph: RepoDependencyGraph | SequencePlan | None = None) -> PastRun:
    """Read a run of a ledger; `graph` stands in where it carries no plan. Raises as :func:`past_run` does."""
    record, events = ledger.get_run(run_id), ledger.get_events(run_id)
    run = past_run(record, told_by(events), graph)
    return replace(run, has_holes=bool(getattr(ledger, "problems", ())) or _has_holes(record, events))


def _has_holes(record: RunRecord, events: Sequence[RunEvent]) -> bool:
    """Tell whether events are missing: in the middle, or as many as the summary counts more."""
    counted = record.summary.total_events if record.summary is not None else 0
    return {event.seq for event in events} != set(range(1, len(events) + 1)) or counted > len(events)


def past_run(
    record: RunRecord, trails: Mapping[str, Trail], graph: RepoDependencyGraph | SequencePlan | None = None
) -> PastRun:
    """Read a run whose events have been told already.

    Raises
    ------
    ValueError, TypeError
        Where the run carries no plan and `graph` is None, or is neither a graph nor a plan.
    RepoNotFound
        Where the run carries no plan and its events name a repo that the graph does not have.
    """
    if graph is not None and not isinstance(graph, RepoDependencyGraph | SequencePlan):
        raise TypeError(f"graph is {graph!r:.80}, expected a RepoDependencyGraph or a SequencePlan")
    plan = plan_of_run(record)
    versionless: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = {} if plan is None else tag_of(record, "plan")
    if plan is None:
        plan, versionless = _stand_in(record, trails, graph)
    elif graph is not None:
        plan = plan._knowing(graph)  # what it tells is not needed, but its names are no unknown ones
    policy: Any = settings.get("policy")
    budget: Any = settings.get("failure_budget")
    attempts: Any = settings.get("attempts")
    return PastRun(
        record=record,
        plan=plan,
        trails=trails,
        policy=policy if policy in get_args(Policy) else "skip_dependents",
        failure_budget=budget if _counts(budget) else None,
        attempts=attempts if _counts(attempts) else 1,
        record_skips=bool(settings) and settings.get("record_skips") is not False,
        versionless=versionless,
    )


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def tag_of(record: RunRecord, name: str) -> Any:
    """Give a tag of a run; None where it has none."""
    tags = record.metadata.tags
    return tags.get(name) if isinstance(tags, Mapping) else None


def released_by_decision(record: RunRecord) -> list[str]:
    """Give the repos, failed or in doubt, that somebody decided to be out before this run."""
    tagged = tag_of(record, "taken_as_released")
    return [repo for repo in tagged if isinstance(repo, str)] if isinstance(tagged, list) else []


def _stand_in(
    record: RunRecord, trails: Mapping[str, Trail], graph: RepoDependencyGraph | SequencePlan | None
) -> tuple[SequencePlan, frozenset[str]]:
    """Plan what a run without a plan can have planned; also give the repos whose version is not known."""
    if graph is None:
        raise NotTold(
            "plan",
            f"run {record.run_id!r} carries no plan that can be read, so what it was to release is not known",
            "{}; pass graph=, the dependency graph (or the SequencePlan) that it was made from",
        )
    if isinstance(graph, SequencePlan):
        return graph, frozenset()
    for repo in trails:
        graph._require(repo)
    order = graph.topological_order()
    below: set[str] = set()  # failed, or below a failure
    for repo in order:
        if repo in below or (repo in trails and _has_failed(trails[repo])):
            below.add(repo)
            below.update(graph._digraph.successors(repo))
    wanted: dict[str, SequenceItem] = {}
    versionless = set()
    for repo in order:
        # A run that went to its end was silent about what it blocked and about what it was not to release.
        if repo in trails or repo in below or record.status not in _FINISHED:
            version = (trails[repo].version if repo in trails else None) or graph.attributes(repo).get("version")
            if version is None:
                versionless.add(repo)
            wanted[repo] = SequenceItem(repo_id=repo, version_label="" if version is None else str(version))
    return _planned(graph, wanted, "", "path", order), frozenset(versionless)
