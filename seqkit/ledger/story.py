"""One reading of a run: what its events say became of each repo, told once for everybody who asks.

Frames, history, live views, pictures and the executor itself read this story; the audit alone walks the events by
itself, because it suspects them. The story is what the rule machine says when it is told what was recorded and
nothing else: a repo was skipped where a ``NodeSkipped`` says so or, where a run records no skips, as soon as all that
it needs has ended; what had no turn is pending, also below a failure. Whatever stands in a ledger, nothing raises:
what contradicts an event before it is passed over.

>>> from seqkit import RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
>>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
>>> ledger = run_plan(plan, ScriptedReleaser({"api": "tests are red"})).ledger
>>> story = read_story(ledger, ledger.list_runs()[0].run_id)
>>> [(told.repo_id, told.word, told.blocked_by) for told in story.items()]
[('core', 'succeeded', ()), ('api', 'failed', ()), ('app', 'blocked', ('api',))]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple

from seqkit.core.blocking import AllAbove, Blockers, failed_above
from seqkit.core.model import RepoReleaseStatus, RunEvent, RunRecord, SkipCause
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import SequencePlan, plan_of
from seqkit.core.terms import Terms
from seqkit.errors import SeqkitError
from seqkit.ledger.base import RunLedger

__all__ = [
    "IMPORTED",
    "KINDS",
    "KINDS_BESIDE",
    "Story",
    "Told",
    "Try",
    "imported_from",
    "kind_of",
    "plan_of_run",
    "read_story",
    "story_of",
    "tag_of",
    "tells_times",
]

Status = Literal["pending", "in_progress", "succeeded", "failed", "skipped"]

KINDS = ("NodeEntered", "NodeExited", "NodeFailed", "NodeSkipped", "NodeRetrying")
"""The kinds of events that tell how far a repo is, in one spelling."""
KINDS_BESIDE = ("NodeLate", "NodeProcess")
"""Those that tell something else of a repo. ``NodeLate``: an attempt at a repo that has failed went on, and came to its
end after all, with an id (``run_id``) or without (``error``). ``NodeProcess``: a process works on it (``pid``,
``start_time``, ``boot_id``, ``host``)."""

IMPORTED = "imported"
"""The tag of a run that another system made: ``from`` (which), ``times`` (whether it tells any) and ``pending`` (repos
that had no turn, with their versions)."""

_LONGEST_WAIT = timedelta(days=36_500)  # of a payload that says anything
_MOST_TRIES = 2**31


class Try(NamedTuple):
    """One attempt at a repo."""

    began: datetime | None = None
    """When it began: the entry or, after a retry, when its wait was over; None where nothing tells."""
    ended: datetime | None = None
    """When it ended; None while it goes on."""
    outcome: Literal["succeeded", "failed", "in_progress"] = "in_progress"
    """How it ended. A failed one is a ``NodeFailed`` or a ``NodeRetrying``, nothing else."""
    reason: str | None = None
    """Why it failed."""
    number: int = 1
    """Which it is, from 1."""
    detail: str | None = None
    """What another system, whose record this is, calls the outcome."""


@dataclass(slots=True)
class Told:
    """What the events of a run say of one repo."""

    repo_id: str
    """The repo."""
    status: Status = "pending"
    """How far it got. What was released stays so, whatever is recorded of it later."""
    skip_cause: SkipCause | None = None
    """Why it was skipped."""
    blocked_by: tuple[str, ...] = ()
    """The failed repos that it waits for, where it was skipped; of more than a hundred the nearest hundred."""
    more_blocked_by: int = 0
    """How many there are beside those."""
    version: str | None = None
    """The version that it was entered with."""
    released_as: str | None = None
    """What the releaser returned."""
    reason: str | None = None
    """Why it failed, where that ended it."""
    started_at: datetime | None = None
    """When it was entered, the last time where it was entered again after its end."""
    finished_at: datetime | None = None
    """When it ended."""
    told_at: datetime | None = None
    """When the last event came that counts."""
    failures: int = 0
    """How often it ran out of attempts: more than once where it was entered again."""
    first_failed_at: datetime | None = None
    """When it first ran out of attempts."""
    unsure: bool = False
    """Whether it failed, and nobody knows whether it is out all the same."""
    still_running: bool = False
    """Whether its last attempt went on though asked to stop, and no end of it is recorded."""
    late_at: datetime | None = None
    """When an attempt that had failed came out after all."""
    process: Mapping[str, Any] | None = None
    """The process that was started last to release it: ``pid``, ``start_time``, ``boot_id``, ``host``."""
    detail: str | None = None
    """What another system, whose record this is, calls the status of what was not tried."""
    # The last attempt in fields of its own, as most repos have no other: a list of records for each would be as much
    # again to keep, and for the garbage collector to go through.
    _last: Literal["succeeded", "failed", "in_progress"] | None = None
    _began: datetime | None = None
    _ended: datetime | None = None
    _why: str | None = None
    _number: int = 0
    _detail: str | None = None
    _earlier: list[Try] | None = None

    @property
    def tries(self) -> list[Try]:
        """Its attempts, the one that is open included."""
        return [*(self._earlier or ()), *([] if self._last is None else [self._last_try(self._last)])]

    def _last_try(self, outcome: Literal["succeeded", "failed", "in_progress"]) -> Try:
        return Try(self._began, self._ended, outcome, self._why, self._number, self._detail)

    @property
    def word(self) -> str:
        """How far it got, a key of the palette: a skipped one by its cause, a failed one in doubt as that."""
        return "in_doubt" if self.unsure else self.skip_cause or self.status

    @property
    def ending(self) -> str | dict[str, dict[str, str | None]]:
        """Its status in JSON form, as the original has it."""
        if self.status == "succeeded":
            return {"succeeded": {"run_id": self.released_as or ""}}
        return {"failed": {"reason": self.reason or ""}} if self.status == "failed" else self.status

    @property
    def in_doubt(self) -> bool:
        """Whether nobody knows if it is out, once its run has ended: also where its entry was left open."""
        return self.unsure or self.status == "in_progress"

    @property
    def is_out(self) -> bool:
        """Whether it is released, by this run, in time or too late for it."""
        return self.came_late or self.status == "succeeded"

    @property
    def came_late(self) -> bool:
        """Whether it failed in this run and came out after all."""
        return self.late_at is not None and self.status != "succeeded"

    @property
    def out_at(self) -> datetime | None:
        """When it was out, in time or too late for the run; None where it is not."""
        return self.finished_at if self.status == "succeeded" else self.late_at

    @property
    def n_blocked_by(self) -> int:
        """How many failed repos it waits for, where it was skipped."""
        return len(self.blocked_by) + self.more_blocked_by

    @property
    def attempts(self) -> int:
        """How many tries were begun."""
        return len(self._earlier or ()) + (self._last is not None)

    @property
    def reasons(self) -> list[str]:
        """Why each of its failed tries failed."""
        return [one.reason or "" for one in self.tries if one.outcome == "failed"]

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self.status in ("succeeded", "failed", "skipped")

    def tell(self, kind: str, payload: Mapping[str, Any], when: datetime, holds_up: bool = True) -> None:
        """Take in the next event that names the repo; `holds_up` of the run's terms."""
        if kind in KINDS_BESIDE:
            self._tell_beside(kind, payload, when)
        at = None if payload.get("time_unknown") is True else when
        if self.status == "succeeded" or kind not in KINDS:
            return  # released is released: nothing takes it back
        self.told_at = at
        if kind in ("NodeRetrying", "NodeFailed", "NodeExited"):
            self.still_running = payload.get("still_running") is True
            self.unsure = kind == "NodeFailed" and payload.get("in_doubt") is True and self.released_as is None
        is_open = self.status == "in_progress"
        if kind == "NodeEntered":
            if not is_open:
                self.started_at, self.still_running = at, False
                self._try(at, payload.get("attempt"))
            self._stay()
            self._tell_version(payload)
        elif kind == "NodeRetrying":
            self._end_try(at, "failed", payload, _text(payload, "error"))
            if self.status != "failed":
                self._try(_next_start(at, payload), payload.get("next_attempt"))
                self._stay()
        elif kind == "NodeFailed":
            self.reason = _text(payload, "error")
            self._end_try(at, "failed", payload, self.reason)
            self._end("failed", at)
            self.failures += 1
            self.first_failed_at = self.first_failed_at or at
        elif kind == "NodeExited":
            self._end_try(at, "succeeded", payload)
            self._end("succeeded", at)
            self.reason, self.released_as = None, _text(payload, "run_id")
        elif not is_open and self.status != "failed":  # skipped while it is under way: it is under way
            # Once a skip named who failed above it under terms where that is not why.
            named, number = _ids(payload.get("blocked_by")) if holds_up else (), payload.get("n_blocked_by")
            self._skip(named, max(0, number - len(named)) if named and type(number) is int else 0)
            if "cause" in payload:
                cause = payload["cause"]
                self.skip_cause = cause if cause in ("blocked", "unreleased", "stopped") else None
            self.detail = _detail(payload)
            self._tell_version(payload)

    def _tell_version(self, payload: Mapping[str, Any]) -> None:
        if isinstance(version := payload.get("version"), str):
            self.version = version

    def _tell_beside(self, kind: str, payload: Mapping[str, Any], at: datetime) -> None:
        if kind == "NodeProcess":
            self.process = payload
        elif self.status == "failed":  # it stays so in this run, and what it blocked stays blocked
            self.still_running = False
            if (released_as := payload.get("run_id")) is not None:
                self.released_as, self.late_at, self.unsure = text_of(released_as), at, False
            else:
                self.unsure = payload.get("in_doubt") is True and self.released_as is None

    def _stay(self) -> None:
        self.unsure = False
        self.status, self.skip_cause, self.blocked_by, self.more_blocked_by = "in_progress", None, (), 0
        self.reason, self.finished_at = None, None

    def _try(self, began: datetime | None, number: object = None) -> None:
        if self._last is not None:
            self._earlier = self._earlier or []
            self._earlier.append(self._last_try(self._last))
        self._last, self._began, self._ended, self._why, self._detail = "in_progress", began, None, None, None
        self._number = number if type(number) is int and 0 < number < _MOST_TRIES else self._number + 1

    def _end_try(
        self,
        at: datetime | None,
        outcome: Literal["succeeded", "failed"],
        payload: Mapping[str, Any],
        why: str | None = None,
    ) -> None:
        if self.status != "in_progress":  # nothing tells of its beginning
            self._try(None)
        self._last, self._ended, self._why = outcome, at, why
        self._detail = _detail(payload)

    def _end(self, status: Status, at: datetime | None) -> None:
        self.status, self.skip_cause, self.blocked_by, self.finished_at = status, None, (), at
        self.more_blocked_by = 0

    def _skip(self, blocked_by: tuple[str, ...], more: int) -> None:
        self.status, self.blocked_by, self.more_blocked_by = "skipped", blocked_by, more
        self.skip_cause = "blocked" if blocked_by else "stopped"


class Story:
    """What became of each repo of a run, event by event.

    Parameters
    ----------
    plan : SequencePlan, optional
        What the run was to do. Without it the repos are those that events name, in their order.
    terms : Terms
        The rules that it went by.
    record_skips : bool
        Whether the run records what it skips. Where it does not, a repo whose turn has come and that the rules
        forbid is skipped without a word.
    """

    def __init__(self, plan: SequencePlan | None = None, terms: Terms = Terms(), record_skips: bool = True) -> None:  # noqa: B008  # frozen
        self.plan = plan
        self.terms = terms
        self.record_skips = record_skips
        self._holds_up = terms.holds_up
        self.told: dict[str, Told] = {}
        if plan is not None:
            for item, released in zip(plan.items, plan.arrays.released, strict=True):
                told = self.told[item.repo_id] = Told(item.repo_id)
                if not released:
                    told.status, told.skip_cause = "skipped", "unreleased"

    def tell(self, event: RunEvent) -> Told | None:
        """Take in the next event; give the repo that it is about, None where it is about none."""
        payload = event.payload
        if type(payload) is not dict and not isinstance(payload, Mapping):
            return None
        repo = payload.get("node_id")
        if not isinstance(repo, str):
            return None
        told = self.told.get(repo) or self.told.setdefault(repo, Told(repo))
        told.tell(kind_of(event), payload, event.timestamp, self._holds_up)
        return told

    def items(self) -> list[Told]:
        """Tell of each repo as the events so far leave it: those of the plan in its order, then any others."""
        if self.plan is None or self.record_skips:
            return list(self.told.values())
        silent = dict(self._silent_skips(self.plan))
        return [silent.get(repo, told) for repo, told in self.told.items()]

    def _silent_skips(self, plan: SequencePlan) -> Iterable[tuple[str, Told]]:
        """Say what the rules pass over without an event: decided, and forbidden by a failure."""
        arrays = plan.arrays
        failures = [at for at, repo in enumerate(arrays.ids) if self.told[repo].status == "failed"]
        ended: list[bool] = []
        blockers = Blockers(arrays.ids, arrays.dependencies, failures)
        for position, above in failed_above(blockers):
            repo, released = arrays.ids[position], arrays.released[position]
            told = self.told[repo]
            decided = all(ended[need] for need in arrays.dependencies[position])
            if (
                released
                and told.status == "pending"
                and decided
                and (cause := self.terms.skips(bool(above), len(failures))) is not None
            ):
                told = replace(told)
                told._skip(*(blockers.told(position, above) if cause == "blocked" else ((), 0)))
                yield repo, told
            ended.append(decided if not released else told.ended)

    def version_of(self, told: Told) -> str | None:
        """Give the version that a repo was entered with, else that of its line in the plan."""
        if told.version is not None or self.plan is None or told.skip_cause == "unreleased":
            return told.version
        place = self.plan.arrays.position.get(told.repo_id)
        return None if place is None else self.plan.items[place].version_label

    def all_blockers(self, items: Iterable[Told]) -> Iterator[Sequence[str]]:
        """Give all failed repos that each item waits for: those named or, where more are, looked up in the plan."""
        everybody = None
        for told in items:
            if not told.more_blocked_by or self.plan is None or told.repo_id not in self.plan.arrays.position:
                yield list(told.blocked_by)
                continue
            arrays = self.plan.arrays
            if everybody is None:
                failed = frozenset(at for at, repo in enumerate(arrays.ids) if self.told[repo].status == "failed")
                everybody = partial(AllAbove, arrays.ids, arrays.dependencies, failed)
            yield everybody(arrays.position[told.repo_id])

    def of_plan(self, plan: SequencePlan) -> Story:
        """Hold what was told against a plan that the run does not carry; it then tells of skips by its silence."""
        other = Story(plan, self.terms, record_skips=False)
        other.told.update(self.told)
        return other

    def copy(self) -> Story:
        """Give a story that goes its own way from here."""
        other = Story(None, self.terms, self.record_skips)
        other.plan = self.plan
        for repo, told in self.told.items():
            other.told[repo] = replace(told, _earlier=told._earlier and list(told._earlier))
        return other

    def endings(self) -> list[tuple[str, str | dict[str, dict[str, str | None]], SkipCause | None]]:
        """Give of each item of the plan, in plan order, the repo, its status in JSON form and why it was skipped."""
        items = self.items() if self.plan is None else self.items()[: len(self.plan.items)]
        return [(told.repo_id, told.ending, told.skip_cause) for told in items]

    def outcome(self, run_id: str | None = None, ledger: Any = None, seed: int | None = None) -> SequenceOutcome:
        """Say what the run came to, so far.

        Raises
        ------
        ValueError
            Where there is no plan.
        """
        if self.plan is None:
            raise ValueError("a story without a plan has no outcome, expected one made with a plan")
        items = self.items()[: len(self.plan.items)]
        return SequenceOutcome(
            plan=self.plan,
            statuses=tuple(map(status_of, items)),
            skip_causes=tuple(told.skip_cause for told in items),
            blocked_by=tuple(told.blocked_by for told in items),
            more_blocked_by={at: told.more_blocked_by for at, told in enumerate(items) if told.more_blocked_by},
            attempts=tuple(told.attempts for told in items),
            run_id=run_id,
            ledger=ledger,
            seed=seed,
            unsure=frozenset(told.repo_id for told in items if told.unsure),
            going_on=frozenset(told.repo_id for told in items if told.still_running),
            late={told.repo_id: told.released_as for told in items if told.came_late and told.released_as is not None},
        )


def status_of(told: Told) -> RepoReleaseStatus:
    """Give the status of an item as the original has it."""
    if told.status == "succeeded":
        return RepoReleaseStatus.succeeded(told.released_as or "")
    if told.status == "failed":
        return RepoReleaseStatus.failed(told.reason or "")
    return _PLAIN[told.status]


_PLAIN = {
    "pending": RepoReleaseStatus.pending(),
    "in_progress": RepoReleaseStatus.in_progress(),
    "skipped": RepoReleaseStatus.skipped(),
}


def story_of(
    record: RunRecord, events: Iterable[RunEvent], plan: SequencePlan | None = None, record_skips: bool | None = None
) -> Story:
    """Read a run from its record and events.

    Parameters
    ----------
    record : RunRecord
        The run.
    events : iterable of RunEvent
        Its events in the order of `seq`.
    plan : SequencePlan, optional
        What stands in where the record carries no plan.
    record_skips : bool, optional
        Whether the run recorded skips; by default what its plan says.
    """
    own = plan_of_run(record)
    tag = tag_of(record, "plan") if own is not None else {}
    recorded = tag.get("record_skips") is not False if record_skips is None else record_skips
    story = Story(plan if own is None else own, Terms.told_by(tag)[0], recorded)
    for event in events:
        story.tell(event)
    if own is None and plan is None:
        for repo, version in _not_reached(record):
            story.told.setdefault(repo, Told(repo, version=version))
    return story


def _not_reached(record: RunRecord) -> Iterator[tuple[str, str | None]]:
    """List the repos, and their versions, that another system's record names and that had no turn."""
    told = tag_of(record, IMPORTED)
    named = told.get("pending") if isinstance(told, Mapping) else None
    for repo, version in named.items() if isinstance(named, Mapping) else ():
        yield repo, version if isinstance(version, str) else None


def read_story(ledger: RunLedger, run_id: str) -> Story:
    """Read a run of a ledger; raises ``RunNotFound`` where it has none."""
    return story_of(ledger.get_run(run_id), ledger.get_events(run_id))


# ---------------------------------------------------------------------- what stands in records and events


def kind_of(event: RunEvent) -> str:
    """Give an event's kind in one spelling: ``node_entered`` is ``NodeEntered``."""
    return "".join(part.capitalize() for part in event.kind.split("_")) if "_" in event.kind else event.kind


def tag_of(record: RunRecord, name: str) -> Any:
    """Give a tag of a run; None where it has none."""
    tags = record.metadata.tags
    return tags.get(name) if isinstance(tags, Mapping) else None


def imported_from(record: RunRecord) -> str | None:
    """Give the system that made a run, where it was not seqkit nor the original; None of their own runs."""
    told = tag_of(record, IMPORTED)
    system = told.get("from") if isinstance(told, Mapping) else None
    return system if isinstance(system, str) else None


def tells_times(record: RunRecord) -> bool:
    """Tell whether anybody knows when a run was: another system's may have no times, and its record holds some."""
    told = tag_of(record, IMPORTED)
    return not (isinstance(told, Mapping) and told.get("times") is False)


def plan_of_run(record: RunRecord) -> SequencePlan | None:
    """Give the plan that a run carries in its tags; None where it carries none that can be read."""
    content = tag_of(record, "plan")
    if content is None:
        return None
    try:
        return plan_of(content)
    except (SeqkitError, ValueError):
        return None


def text_of(value: object) -> str:
    """Take a payload's value for a text, whatever it is."""
    return "" if value is None else str(value)


def _text(payload: Mapping[str, Any], key: str) -> str | None:
    """Give a payload's value as text; None where it has none, as other systems' records may."""
    return text_of(payload[key]) if key in payload else None


def _detail(payload: Mapping[str, Any]) -> str | None:
    detail = payload.get("detail")
    return detail if isinstance(detail, str) else None


def _next_start(at: datetime | None, payload: Mapping[str, Any]) -> datetime | None:
    """Tell when the next attempt began: where nothing says it, when the wait was over."""
    if "next_started_at" in payload:
        try:
            told = datetime.fromisoformat(str(payload["next_started_at"]))
        except ValueError:
            return None
        return told if told.tzinfo is not None else None
    return None if at is None else _after(at, payload.get("delay_ms"))


def _ids(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(repo for repo in (value if isinstance(value, list) else []) if isinstance(repo, str)))


def _after(at: datetime, delay_ms: object) -> datetime:
    if isinstance(delay_ms, bool) or not isinstance(delay_ms, int | float) or not delay_ms > 0:
        return at
    try:
        return at + min(timedelta(milliseconds=delay_ms), _LONGEST_WAIT)
    except OverflowError:
        return at
