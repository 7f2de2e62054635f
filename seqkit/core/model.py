"""Frozen records and their JSON: the forms that plans and ledgers travel in.

Names and JSON follow the original, aivcs-core 0.3.1, so that records written by
either side are read by the other. Every record is an immutable pydantic model:
``model_dump_json()`` writes it, ``model_validate_json(text)`` reads it.

>>> item = SequenceItem(repo_id="core", version_label="1.2.0")
>>> print(item.model_dump_json())
{"repo_id":"core","version_label":"1.2.0","spec_digest":"","promoted_by":"","status":"pending"}
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    model_serializer,
    model_validator,
)
from pydantic.dataclasses import dataclass
from pydantic_core import CoreSchema, core_schema

from seqkit.core.ids import checked_text
from seqkit.errors import InvalidDigest

__all__ = [
    "ContentDigest",
    "EvaluationMetadata",
    "Release",
    "RepoNode",
    "RepoReleaseStatus",
    "RunEvent",
    "RunId",
    "RunMetadata",
    "RunRecord",
    "RunStatus",
    "RunSummary",
    "SequenceItem",
    "SkipCause",
    "spec_digest_of",
]

RunId = str
"""The id of a run: any string that is unique in its ledger."""

SkipCause = Literal["blocked", "unreleased", "stopped"]
"""Why a repo was skipped: an ancestor failed, it was not part of the release, or the run was told to stop."""


def utc_text(moment: datetime) -> str:
    """Write `moment` as RFC 3339 in UTC with microseconds.

    Examples
    --------
    >>> utc_text(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05.000000Z'
    """
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    numbers = moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ" % numbers  # noqa: UP031  # half the time of isoformat


Timestamp = Annotated[AwareDatetime, PlainSerializer(utc_text, return_type=str, when_used="json")]


def _text(argument: str) -> AfterValidator:
    return AfterValidator(lambda text: checked_text(text, argument))


class ContentDigest(str):
    """A SHA-256 digest: 64 lowercase hexadecimal characters, checked when it is made.

    Raises
    ------
    InvalidDigest
        Where the text is anything else.

    Examples
    --------
    >>> ContentDigest.of(b"sequence:run-1")[:16]
    '0745d416b4f72a68'
    """

    __slots__ = ()
    _FORM: ClassVar[re.Pattern[str]] = re.compile(r"[0-9a-f]{64}", re.ASCII)

    def __new__(cls, text: str) -> ContentDigest:
        """Check `text`."""
        if isinstance(text, cls):
            return text
        if not cls._FORM.fullmatch(text):
            raise InvalidDigest(text)
        return super().__new__(cls, text)

    @classmethod
    def of(cls, content: bytes) -> ContentDigest:
        """Digest `content`."""
        return cls(hashlib.sha256(content).hexdigest())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))


def spec_digest_of(originating_run_id: str) -> ContentDigest:
    """Digest a run's specification: SHA-256 of ``"sequence:" + originating_run_id``.

    Examples
    --------
    >>> spec_digest_of("run-1")[:16]
    '0745d416b4f72a68'
    """
    return ContentDigest.of(f"sequence:{originating_run_id}".encode())


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")


class RepoNode(_Record):
    """One repo of a dependency graph.

    Examples
    --------
    >>> RepoNode(repo_id="core").display_name
    'core'
    """

    repo_id: str
    """What the repo is called in edges, plans and ledgers; unique in a graph, may be empty."""
    display_name: str = ""
    """What people call it; the `repo_id` where none is given."""
    remote_url: str | None = None
    """Where it is hosted."""

    @model_validator(mode="before")
    @classmethod
    def _named_by_its_id(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("display_name") is None:
            return {**data, "display_name": data.get("repo_id", "")}
        return data


@dataclass(frozen=True)
class Release:
    """A wish to release one repo at one version.

    Examples
    --------
    >>> Release("core", "1.2.0").promoted_by
    ''
    """

    repo_id: Annotated[str, _text("repo_id")]
    """The repo; it must be in the graph."""
    version_label: Annotated[str, _text("version_label")]
    """The version to release."""
    spec_digest: Annotated[str, _text("spec_digest")] = ""
    """What exactly is released: any string, as a rule a digest."""
    promoted_by: Annotated[str, _text("promoted_by")] = ""
    """Who asked for it."""


class RepoReleaseStatus(BaseModel):
    """Where one repo's release stands.

    Its JSON is ``"pending"``, ``"in_progress"``, ``{"succeeded": {"run_id": …}}``,
    ``{"failed": {"reason": …}}`` or ``"skipped"``. The three that carry nothing
    compare equal to their word.

    Examples
    --------
    >>> RepoReleaseStatus.failed("tests are red")
    RepoReleaseStatus.failed('tests are red')
    >>> RepoReleaseStatus.failed("tests are red").model_dump_json()
    '{"failed":{"reason":"tests are red"}}'
    >>> RepoReleaseStatus.model_validate_json('"skipped"') == "skipped"
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["pending", "in_progress", "succeeded", "failed", "skipped"]
    """The word for it, the same in frames, plots and legends."""
    run_id: str | None = None
    """What the releaser returned, where it succeeded."""
    reason: str | None = None
    """Why it failed, where it failed."""

    _CARRIES: ClassVar[dict[str, str]] = {"succeeded": "run_id", "failed": "reason"}

    @classmethod
    def pending(cls) -> RepoReleaseStatus:
        """Not started."""
        return _PENDING

    @classmethod
    def in_progress(cls) -> RepoReleaseStatus:
        """Started, not ended."""
        return _IN_PROGRESS

    @classmethod
    def skipped(cls) -> RepoReleaseStatus:
        """Passed over."""
        return _SKIPPED

    @classmethod
    def succeeded(cls, run_id: str) -> RepoReleaseStatus:
        """Released; `run_id` is what the releaser returned."""
        if type(run_id) is str:
            return cls._made("succeeded", run_id, None)
        return cls(name="succeeded", run_id=run_id)

    @classmethod
    def failed(cls, reason: str) -> RepoReleaseStatus:
        """Out of attempts, for this `reason`."""
        if type(reason) is str:
            return cls._made("failed", None, reason)
        return cls(name="failed", reason=reason)

    @classmethod
    def _made(cls, name: str, run_id: str | None, reason: str | None) -> RepoReleaseStatus:
        """Make one of what needs no validation, as ``model_construct`` would: one is made for every release."""
        status = cls.__new__(cls)
        give = object.__setattr__
        give(status, "name", name)
        give(status, "run_id", run_id)
        give(status, "reason", reason)
        give(status, "__pydantic_fields_set__", _REASON_FIELDS if run_id is None else _RUN_ID_FIELDS)
        give(status, "__pydantic_extra__", None)
        give(status, "__pydantic_private__", None)
        return status

    @model_validator(mode="before")
    @classmethod
    def _from_json(cls, data: Any) -> Any:
        if isinstance(data, str):
            data = {"name": data}
        elif isinstance(data, dict) and "name" not in data:
            if len(data) != 1:
                raise ValueError(f"expected one status, found {sorted(data)}")
            [(name, inner)] = data.items()
            key = cls._CARRIES.get(name)
            if key is None or not isinstance(inner, dict) or set(inner) != {key}:
                raise ValueError(
                    f'expected {{"succeeded": {{"run_id": …}}}} or {{"failed": {{"reason": …}}}}, found {data}'
                )
            data = {"name": name, **inner}
        return data

    @model_validator(mode="after")
    def _carries_what_it_must(self) -> RepoReleaseStatus:
        carried = {key for key in ("run_id", "reason") if getattr(self, key) is not None}
        expected = {self._CARRIES[self.name]} if self.name in self._CARRIES else set()
        if carried != expected:
            raise ValueError(f"status {self.name!r} carries {sorted(expected) or 'nothing'}, found {sorted(carried)}")
        return self

    @model_serializer
    def to_json(self) -> str | dict[str, dict[str, str | None]]:
        """Give the value that stands for it in JSON; many times faster than a validated dump."""
        key = self._CARRIES.get(self.name)
        return self.name if key is None else {self.name: {key: getattr(self, key)}}

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RepoReleaseStatus):
            return (self.name, self.run_id, self.reason) == (other.name, other.run_id, other.reason)
        if isinstance(other, str):
            return self.name == other and self.name not in self._CARRIES
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.name) if self.name not in self._CARRIES else hash((self.name, self.run_id, self.reason))

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        key = self._CARRIES.get(self.name)
        return f"RepoReleaseStatus.{self.name}({'' if key is None else repr(getattr(self, key))})"


_RUN_ID_FIELDS, _REASON_FIELDS = {"name", "run_id"}, {"name", "reason"}  # one for all: a copy makes its own
# The first instances of a class tell Python the names that all keep in one table: it must be one made name by name.
RepoReleaseStatus.succeeded("")
_PENDING = RepoReleaseStatus(name="pending")
_IN_PROGRESS = RepoReleaseStatus(name="in_progress")
_SKIPPED = RepoReleaseStatus(name="skipped")


class SequenceItem(_Record):
    """One line of a plan: a repo, what to release, and how far it got."""

    repo_id: str
    """The repo."""
    version_label: str
    """The version to release; ``"skipped"`` for a repo that is not part of the release."""
    spec_digest: str = ""
    """What exactly is released: any string, as a rule a digest."""
    promoted_by: str = ""
    """Who asked for it."""
    status: RepoReleaseStatus = _PENDING
    """How far it got."""


class RunStatus(StrEnum):
    """The life of a run: RUNNING, then one of the other three, once."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class EvaluationMetadata(BaseModel):
    """What an evaluation gate knew of the run; seqkit carries it and writes the defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    rubric_path: str | None = Field(default=None, alias="rubricPath")
    """The rubric a gate used."""
    is_promotion_gate: bool = Field(default=False, alias="isPromotionGate")
    """Whether the run was itself a gate."""
    agent_phase: int = Field(default=0, alias="agentPhase")
    """The phase the original counts; 0 where there is none."""

    @model_serializer
    def _to_json(self) -> dict[str, Any]:
        return {
            "rubricPath": self.rubric_path,
            "isPromotionGate": self.is_promotion_gate,
            "agentPhase": self.agent_phase,
        }


class RunMetadata(_Record):
    """Who ran, and what they said about the run."""

    git_sha: str | None = None
    """The commit the run was made from."""
    agent_name: str = "release-sequencer"
    """The program that ran."""
    tags: Any = Field(default_factory=dict)
    """Free JSON, as a rule an object; seqkit writes ``plan_id`` and ``plan`` (and ``train``, ``resumes``, ``due``)."""
    evaluation: EvaluationMetadata = EvaluationMetadata()
    """What an evaluation gate knew; may be absent when read."""


class RunSummary(_Record):
    """How a run ended."""

    total_events: int
    """How many events the run has."""
    final_state_digest: ContentDigest | None = None
    """Digest of the final state, where one was taken."""
    duration_ms: int
    """From start to end, in milliseconds."""
    success: bool
    """Whether nothing failed."""


class RunRecord(_Record):
    """One run of a ledger, without its events.

    ==============  =======================================================================
    field           what it holds
    ==============  =======================================================================
    `run_id`        its name, unique in its ledger
    `spec_digest`   SHA-256 of ``"sequence:" + originating_run_id``, as 64 hex digits
    `metadata`      `git_sha`, `agent_name`, `tags`, `evaluation` (what a gate knew:
                    `rubric_path`, `is_promotion_gate`, `agent_phase`)
    `status`        RUNNING, then COMPLETED, FAILED or CANCELLED
    `summary`       None while it runs; then `total_events`, `final_state_digest`,
                    `duration_ms`, `success`
    `created_at`    when it started (UTC)
    `completed_at`  when it ended (UTC); None while it runs
    ==============  =======================================================================

    Tags are free JSON. seqkit writes ``plan_id`` and ``plan`` (``originating_run_id, items, edges`` and the rules:
    ``policy, failure_budget, attempts, record_skips, digest``, and others that are not at their defaults), and where
    there is one ``seed``, ``train``, ``due``, ``resumes`` (the run that this one goes on with) and
    ``taken_as_released``; of another system's run ``imported``.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> outcome = run_plan(build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0"), 0.0, rng=7)
    >>> [record] = outcome.ledger.list_runs()
    >>> record.status.value, record.summary.total_events, sorted(record.metadata.tags)
    ('COMPLETED', 4, ['plan', 'plan_id', 'seed'])
    """

    run_id: RunId
    """Unique in its ledger."""
    spec_digest: ContentDigest
    """What was run: SHA-256 of ``"sequence:" + originating_run_id``."""
    metadata: RunMetadata
    """Who ran, and the plan."""
    status: RunStatus
    """RUNNING until the run ends."""
    summary: RunSummary | None = None
    """How it ended; None while it runs."""
    created_at: Timestamp
    """When it started, UTC."""
    completed_at: Timestamp | None = None
    """When it ended, UTC; None while it runs."""


class RunEvent(_Record):
    """One thing that happened in a run: `seq` (from 1), `kind`, `payload` (JSON) and `timestamp` (UTC).

    ================  ===============================================  =======================================
    kind              payload                                          what happened
    ================  ===============================================  =======================================
    ``NodeEntered``   ``node_id, version``                             a repo is tried
    ``NodeExited``    ``node_id, run_id``                              it is out; the releaser's id for it
    ``NodeFailed``    ``node_id, error``                               out of attempts
    ``NodeRetrying``  ``node_id, attempt, delay_ms, error``            this attempt failed, another follows
    ``NodeSkipped``   ``node_id, blocked_by``                          passed over; the failed repos above it
    ``NodeLate``      ``node_id, run_id`` (or ``error``)               an attempt ended after its repo had failed
    ``NodeProcess``   ``node_id, pid, start_time, boot_id, host``      this process works on it
    ``RunClosed``     ``reason``                                       somebody closed a run that had died
    ================  ===============================================  =======================================

    More in a payload, where it is so:

    =======================  =================================================================================
    ``in_doubt: true``       it failed, and nobody knows whether it is out all the same
    ``still_running: true``  the attempt timed out, and goes on regardless
    ``confirmed: "check"``   a check found it out, after it had failed with ``error``
    ``after_stop: true``     it ended when nothing started any more
    ``given_up: true``       another attempt was allowed, and not made
    ``n_blocked_by``         how many those are, where `blocked_by` names the nearest hundred alone
    =======================  =================================================================================

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0}, rng=7)
    >>> for event in outcome.ledger.get_events(outcome.run_id):
    ...     print(event.seq, event.kind, event.payload)
    1 NodeEntered {'node_id': 'core', 'version': '1.0'}
    2 NodeFailed {'node_id': 'core', 'error': 'release sequencing failed for repo core: simulated failure'}
    3 NodeSkipped {'node_id': 'api', 'blocked_by': ['core']}
    """

    seq: int
    """Its place in the run, counted from 1."""
    kind: str
    """What happened."""
    payload: Any
    """The details, free JSON, as a rule an object with a `node_id`."""
    timestamp: Timestamp
    """When it happened, UTC, to the microsecond."""

    @classmethod
    def made(cls, seq: int, kind: str, payload: dict[str, Any], timestamp: datetime) -> RunEvent:
        """Make one of values that need no validation, as ``model_construct`` would: two are made for every release."""
        event = cls.__new__(cls)
        # One by one, not as a ``__dict__``: what is kept of a run is then half as many objects for the garbage
        # collector, whose full collections cost a large run more than the run itself.
        give = object.__setattr__
        give(event, "seq", seq)
        give(event, "kind", kind)
        give(event, "payload", payload)
        give(event, "timestamp", timestamp)
        give(event, "__pydantic_fields_set__", _EVENT_FIELDS)
        give(event, "__pydantic_extra__", None)
        give(event, "__pydantic_private__", None)
        return event


_EVENT_FIELDS = set(RunEvent.model_fields)  # one for all: a copy makes its own
RunEvent.made(1, "", {}, datetime.min)  # the first, see above
