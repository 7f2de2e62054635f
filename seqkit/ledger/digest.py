"""The digest of a run's final state: the whole record as it stands when the run ends, in 64 characters.

Version 2, marked ``digest: 2`` in the plan in the run's tags, is SHA-256 of the UTF-8 JSON, keys sorted and without
spaces, of ``[begin, events, items, end]``:

==========  ==========================================================================================
``begin``   ``{"created_at", "metadata", "run_id", "spec_digest"}``; the metadata with all its tags, and so the plan
``events``  each ``{"kind", "payload", "seq", "timestamp"}`` as in an exported ledger, in the order of `seq`
``items``   ``[repo_id, status, skip_cause]`` of each item in plan order
``end``     ``{"duration_ms", "status", "success", "total_events"}``
==========  ==========================================================================================

When the run ended is not in it, as the ledger's own clock tells that after the digest is written: the audit's check
``duration`` ties it to ``duration_ms``. Version 1, of runs that carry no mark, was of ``[events, items]`` alone, with
``[repo_id, status]`` of each item.

What it proves: whoever kept the digest elsewhere can tell that the record still says what it said when the run ended;
:func:`seqkit.anchor` gives one line for a whole ledger. What it does not prove: the digest stands in the same ledger,
so whoever changes something there can write a new digest beside it; and it says nothing about whether what was
recorded was true.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

from pydantic_core import to_jsonable_python

from seqkit.core.model import ContentDigest, RunEvent, RunRecord, RunStatus, RunSummary, utc_text
from seqkit.ledger.story import tag_of

__all__ = [
    "VERSION",
    "Ending",
    "StateDigest",
    "begin_text",
    "canonical",
    "end_text",
    "event_text",
    "object_text",
    "version_of",
]

VERSION = 2
"""The version that new runs are given."""

Ending = tuple[str, Any, str | None]
"""What became of an item: its repo, its status in its JSON form, and why it was skipped."""


class StateDigest:
    """Takes the digest while a run goes on, event by event, so that none has to be kept.

    Parameters
    ----------
    record : RunRecord
        The run, as the ledger gives it before its end; its plan tells the version.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RunMetadata
    >>> ledger = MemoryRunLedger(ids=["old"])
    >>> digest = StateDigest(ledger.get_run(ledger.create_run("0" * 64, RunMetadata())))
    >>> summary = RunSummary(total_events=0, duration_ms=0, success=True)
    >>> found = digest.finished([("core", "pending", None)], RunStatus.COMPLETED, summary)
    >>> found == hashlib.sha256(b'[[],[["core","pending"]]]').hexdigest()
    True
    """

    def __init__(self, record: RunRecord) -> None:
        self._version = version_of(record)
        self._hash = hashlib.sha256(b"[[" if self._version == 1 else b"[%s,[" % begin_text(record))
        self._events = 0

    def add(self, event: RunEvent) -> None:
        """Take in the next event."""
        self._hash.update(b"," * bool(self._events) + event_text(event))
        self._events += 1

    def finished(self, endings: Iterable[Ending], status: RunStatus, summary: RunSummary) -> ContentDigest:
        """Give the digest of the events so far, of what became of each item in plan order, and of the run's end."""
        whole = self._hash.copy()
        width = 2 if self._version == 1 else 3
        whole.update(b"],%s" % canonical([ending[:width] for ending in endings]))
        whole.update(b"]" if self._version == 1 else b",%s]" % end_text(status, summary))
        return ContentDigest(whole.hexdigest())


def version_of(record: RunRecord) -> Any:
    """Tell the version of a run's digest, as its plan says; 1 where it says nothing."""
    plan = tag_of(record, "plan")
    return plan.get("digest", 1) if isinstance(plan, dict) else 1


def begin_text(record: RunRecord, plan: bytes | None = None) -> bytes:
    """Write what is known of a run from its beginning; `plan` where that of its tags has been written already."""
    metadata, evaluation = record.metadata, record.metadata.evaluation
    gate = {
        "agentPhase": evaluation.agent_phase,
        "isPromotionGate": evaluation.is_promotion_gate,
        "rubricPath": evaluation.rubric_path,
    }
    by = canonical({"agent_name": metadata.agent_name, "evaluation": gate, "git_sha": metadata.git_sha})
    return b'{"created_at":"%s","metadata":%s,"tags":%s},"run_id":%s,"spec_digest":%s}' % (
        utc_text(record.created_at).encode(),
        by[:-1],
        object_text(metadata.tags, {} if plan is None else {"plan": plan}),
        canonical(record.run_id),
        canonical(record.spec_digest),
    )


def end_text(status: RunStatus, summary: RunSummary) -> bytes:
    """Write how a run ended."""
    return canonical(
        {
            "duration_ms": summary.duration_ms,
            "status": status.value,
            "success": summary.success,
            "total_events": summary.total_events,
        }
    )


def event_text(event: RunEvent) -> bytes:
    """Write an event."""
    payload, text = event.payload, None
    if type(payload) is dict and len(payload) == 2:  # as most are: the encoder would take three times as long
        (one, first), (other, second) = payload.items()
        if type(one) is type(other) is type(first) is type(second) is str:
            pairs = (
                f"{encode_basestring(one)}:{encode_basestring(first)}",
                f"{encode_basestring(other)}:{encode_basestring(second)}",
            )
            text = f"{{{pairs[0]},{pairs[1]}}}" if one < other else f"{{{pairs[1]},{pairs[0]}}}"
    if text is None:
        text = _encoded(payload) if type(payload) is not str else encode_basestring(payload)
    kind, when = encode_basestring(event.kind), utc_text(event.timestamp)
    whole = f'{{"kind":{kind},"payload":{text},"seq":{event.seq},"timestamp":"{when}"}}'
    # Half a surrogate pair is no UTF-8; a repo id that has one must not keep a run from ending.
    return whole.encode("utf-8", "surrogatepass")


def _plain(value: object) -> object:
    # A ledger in memory keeps what others would have written as JSON, such as a date in a tag.
    return to_jsonable_python(value, fallback=repr)


_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode


def object_text(content: Any, written: Mapping[str, bytes]) -> bytes:
    """Write canonical JSON of an object of which some values have been written already, which may be most of it.

    Examples
    --------
    >>> object_text({"b": [1, 2], "a": None}, {"b": b"[1,2]"})
    b'{"a":null,"b":[1,2]}'
    """
    if not written or not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        return canonical(content)
    names = sorted(content)
    values = [written[name] if name in written else canonical(content[name]) for name in names]
    return b"{%s}" % b",".join([b"%s:%s" % (canonical(name), value) for name, value in zip(names, values, strict=True)])


def canonical(content: Any) -> bytes:
    """Write JSON in one way only: keys sorted, without spaces, UTF-8."""
    text = encode_basestring(content) if type(content) is str else _encoded(content)
    # Half a surrogate pair is no UTF-8; a repo id that has one must not keep a run from ending.
    return text.encode("utf-8", "surrogatepass")
