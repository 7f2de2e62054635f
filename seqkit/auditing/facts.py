"""The facts of a run, gathered in one pass over its events, for the checks to look at.

Nothing is assumed of what stands there: payloads are any JSON, numbers any size, kinds any text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from seqkit.auditing.conformance import Conformance
from seqkit.auditing.doubts import IN_DOUBT, STILL_RUNNING, DoubtFacts
from seqkit.auditing.foreign import system_of
from seqkit.auditing.order import Order, Settings
from seqkit.auditing.retaken import CHUNK, Retaken, is_known
from seqkit.auditing.standing import Standing
from seqkit.core.model import RunEvent, RunRecord, RunStatus
from seqkit.ledger import story
from seqkit.ledger.digest import version_of

__all__ = ["KINDS", "RunFacts"]

KINDS = (*story.KINDS, *story.KINDS_BESIDE, "RunClosed")
"""The kinds that are known, in one spelling."""

ENTERED, EXITED, FAILED, SKIPPED, RETRYING, LATE, PROCESS, CLOSED = KINDS
_OPEN, _RELEASED, _FAILED, _SKIPPED = "under way", "released", "failed", "skipped"
_SPELLED = {kind: kind for kind in KINDS}


class RunFacts:
    """What a run's record and events say, in dicts from repo to the index of an event.

    Attributes
    ----------
    record : RunRecord
        The run's record; the first, where there are several.
    events : list of RunEvent
        In the order of `seq`; an index is a place in here.
    order : Order or None
        What the run is held against; None where there is neither plan nor graph.
    why_no_order : str
        Why there is none.
    settings : Settings
        The rules the run was made under.
    """

    def __init__(
        self,
        record: RunRecord,
        events: Sequence[RunEvent],
        order: Order | None = None,
        why_no_order: str = "",
        settings: Settings | None = None,
        plan_remarks: Sequence[str] = (),
        plan_text: bytes | None = None,
    ) -> None:
        self.record = record
        self.events = events
        self.order = order
        self.why_no_order = why_no_order
        self.settings = settings or Settings()
        self.plan_remarks = list(plan_remarks)
        self.plan_text = plan_text
        """The plan in the run's tags as canonical JSON; None where it has none, or none that is JSON."""
        self.own = order is not None and order.own is not None
        self.tags: Mapping[str, Any] = record.metadata.tags if isinstance(record.metadata.tags, Mapping) else {}
        self.finished = record.status in (RunStatus.COMPLETED, RunStatus.FAILED)
        self.entered: dict[str, int] = {}
        self.exited: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self.skipped: dict[str, int] = {}
        self.retried: dict[str, list[int]] = {}
        self.doubts = DoubtFacts()
        self.ended: dict[str, int] = {}
        self.versions: dict[str, object] = {}
        self.state: dict[str, str] = {}
        self.overlaps: list[tuple[int, str]] = []
        """Entries and skips made while another repo was under way: (index, the other repo)."""
        self.odd: dict[str, list[tuple[int, str]]] = {}
        """Events that do not follow from those before: name of the trouble -> (index, repo)."""
        self.malformed: list[tuple[int, str]] = []
        """Payloads that lack something: (index, what was expected)."""
        self.closed: list[int] = []
        """Where somebody closed the run, as its process had died."""
        self.unknown_kinds: list[int] = []
        self.respelled: list[int] = []
        self.decided: Callable[[str], str | None] = lambda repo: None
        """Which later run tells what became of a repo that this one left in doubt; None where none does."""
        self.out_before: Mapping[tuple[str, str | None], str] = {}
        """Which run of the same chain, or of an imported train, had released a repo at a version before this one."""
        self.repeats = 0
        """How many events stood there again, byte for byte, and are not among `events`."""
        self.carried: dict[int, object] = {}
        """What the ends of repos carry, the id of the release or why it failed, by the index of the event."""
        self.numbers: list[int] = []
        """The `seq` of each event."""
        self.times: list[datetime] = []
        """When each event happened."""
        self.retaken = Retaken(record, plan_text) if self.own and _has_known_digest(record) else None
        """The digest of the final state, taken again; None where there is none, or of no version that is known."""
        self._under_way: dict[str, None] = {}
        self._spelled = _SPELLED.copy()
        self._read(events)
        self.forward = all(map(operator.le, self.times, self.times[1:]))
        """Whether time never runs backwards."""

    def _read(self, events: Sequence[RunEvent]) -> None:
        """Go through the events once."""
        for start in range(0, len(events), CHUNK):
            some = events[start : start + CHUNK]
            self.numbers += [event.seq for event in some]
            self.times += [event.timestamp for event in some]
            self._walk(start, some)
            if self.retaken is not None:
                self.retaken.add(some)
        if respelled := {kind for kind, one in self._spelled.items() if one in KINDS and one != kind}:
            self.respelled = [index for index, event in enumerate(events) if event.kind in respelled]

    def _walk(self, start: int, events: Sequence[RunEvent]) -> None:  # noqa: PLR0912, PLR0915  # calls would take half as long again
        """Go through the next events; each repo is a small machine: nothing, under way, ended."""
        state, entered, ended, versions = self.state, self.entered, self.ended, self.versions
        ends = {EXITED: (_RELEASED, "run_id", self.exited), FAILED: (_FAILED, "error", self.failed)}
        marks = {EXITED: (), FAILED: (IN_DOUBT, STILL_RUNNING)}
        spelled, under_way, carried, doubts = self._spelled, self._under_way, self.carried, self.doubts
        for index, event in enumerate(events, start):
            kind, payload = event.kind, event.payload
            kind = spelled.get(kind) or spelled.setdefault(kind, _spelled(kind))
            repo = payload.get("node_id") if type(payload) is dict else None
            if kind == CLOSED:
                self.closed.append(index)
                if type(payload) is not dict or type(payload.get("reason")) is not str:
                    self.malformed.append((index, "an object with reason, a text"))
                continue
            if type(repo) is not str:
                if kind in KINDS:
                    self.malformed.append((index, "an object with node_id, a text"))
                else:
                    self.unknown_kinds.append(index)
                continue
            before = state.get(repo)
            if kind == ENTERED:
                if before is not None:
                    self._trouble("entered", before, index, repo)
                elif under_way:
                    self.overlaps.append((index, next(iter(under_way))))
                entered.setdefault(repo, index)
                under_way[repo] = None
                if doubts.failed or doubts.going_on:
                    doubts.forget(repo)
                state[repo] = _OPEN
                if type(version := payload.get("version")) is not str:
                    self.malformed.append((index, "version, a text"))
                versions.setdefault(repo, version)
            elif kind in ends:
                ended_as, name, firsts = ends[kind]
                if before != _OPEN:
                    self._trouble(ended_as, before, index, repo)
                under_way.pop(repo, None)
                state[repo] = ended_as
                carried[index] = told = payload.get(name)
                if type(told) is not str:
                    self.malformed.append((index, f"{name}, a text"))
                ended.setdefault(repo, index)
                firsts.setdefault(repo, index)
                if doubts.failed or doubts.going_on or len(payload) > 2:
                    self.malformed += [(index, why) for why in doubts.end(index, repo, payload, marks[kind])]
            elif kind == SKIPPED:
                if under_way:
                    self.overlaps.append((index, next(iter(under_way))))
                self._skip(index, repo, before, payload)
            elif kind == RETRYING:
                self._retry(index, repo, before, payload)
            else:
                self._beside(kind, index, repo, before, payload)

    def _trouble(self, happened: str, before: str | None, index: int, repo: str) -> None:
        self.odd.setdefault(f"{happened}, {before}", []).append((index, repo))

    def _skip(self, index: int, repo: str, before: str | None, payload: dict[str, Any]) -> None:
        blockers = payload.get("blocked_by")
        if type(blockers) is not list or not all(type(blocker) is str for blocker in blockers):
            self.malformed.append((index, "blocked_by, a list of repo ids"))
        if "n_blocked_by" in payload and type(payload["n_blocked_by"]) is not int:
            self.malformed.append((index, "n_blocked_by, a whole number"))
        if before is not None:
            self._trouble("skipped", before, index, repo)
        else:
            self.state[repo] = _SKIPPED
        self.skipped.setdefault(repo, index)

    def _retry(self, index: int, repo: str, before: str | None, payload: dict[str, Any]) -> None:
        for key, expected in (("attempt", int), ("delay_ms", int), ("error", str)):
            if type(payload.get(key)) is not expected:
                self.malformed.append((index, f"{key}, {'a text' if expected is str else 'a whole number'}"))
        if before != _OPEN:
            self._trouble("tried again", before, index, repo)
        self.retried.setdefault(repo, []).append(index)
        self.malformed += [(index, why) for why in self.doubts.end(index, repo, payload, [STILL_RUNNING])]

    def _beside(self, kind: str, index: int, repo: str, before: str | None, payload: dict[str, Any]) -> None:
        if kind == LATE:
            again = before == _FAILED and repo in self.doubts.late
            if before != _FAILED or again:
                self._trouble("late", "late" if again else before, index, repo)
            wrong = self.doubts.come_late(index, repo, payload, before == _FAILED)
            self.malformed += [(index, why) for why in wrong]
        elif kind == PROCESS:
            self.doubts.processes.append(index)
            if type(payload.get("pid")) is not int:
                self.malformed.append((index, "pid, a whole number"))
            if before != _OPEN:
                self._trouble("worked on", before, index, repo)
        else:
            self.unknown_kinds.append(index)

    def repo_at(self, index: int) -> str | None:
        """The repo that an event is about; None where it is about none."""
        payload = self.events[index].payload
        repo = payload.get("node_id") if type(payload) is dict else None
        return repo if type(repo) is str else None

    @cached_property
    def open(self) -> dict[str, int]:
        """Entries without an end: repo -> index of the entry."""
        return {repo: self.entered[repo] for repo, state in self.state.items() if state == _OPEN}

    def releases(self) -> dict[tuple[str, str | None], int]:
        """What was released, in time or too late, at which version: (repo, version) -> index.

        Left out is what has a version that is no text.
        """
        out = self.doubts.came_out | self.exited
        pairs = ((repo, self.versions.get(repo), index) for repo, index in out.items())
        return {(repo, version): index for repo, version, index in pairs if version is None or isinstance(version, str)}

    @cached_property
    def stopped_at(self) -> int | None:
        """The index of the failure after which nothing more starts; None where there is none."""
        limit = self.settings.terms.stop_at
        if limit is None or len(self.failed) < limit:
            return None
        return sorted(self.failed.values())[limit - 1]

    @cached_property
    def standing(self) -> Standing:
        """How each repo of the order stands to those it needs; asked for only where there is an order."""
        if self.order is None:
            raise ValueError("the run has no order, expected a look at .order first")
        return Standing(self, self.order)

    @cached_property
    def imported(self) -> str | None:
        """Which other system made the run; None of seqkit's own and the original's."""
        return system_of(self.record)

    @cached_property
    def conformance(self) -> Conformance:
        """How each repo of the order stands to those it needs, by times and not by the order of events."""
        if self.order is None:
            raise ValueError("the run has no order, expected a look at .order first")
        return Conformance(self, self.order)

    def told_at(self, index: int | None) -> datetime | None:
        """When an event of an imported run happened; None where nobody told."""
        if index is None or self.events[index].payload.get("time_unknown") is True:
            return None
        return self.times[index]

    @cached_property
    def told_times(self) -> list[datetime]:
        """All times of an imported run that somebody told, as its events stand; those of skips are nobody's."""
        untold = set(self.skipped.values())
        return [
            time
            for index, (event, time) in enumerate(zip(self.events, self.times, strict=True))
            if index not in untold
            and not (isinstance(event.payload, dict) and event.payload.get("time_unknown") is True)
        ]


def _has_known_digest(record: RunRecord) -> bool:
    summary = record.summary
    return summary is not None and summary.final_state_digest is not None and is_known(version_of(record))


def _spelled(kind: str) -> str:
    return story.kind_of(RunEvent.model_construct(kind=kind)) if "_" in kind else kind
