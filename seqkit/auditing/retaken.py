"""The digest of a run's final state, taken again from the record: event by event, while the run is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC
from json.encoder import encode_basestring as quoted  # the C one, where there is one
from typing import Any

from seqkit.core.model import RunEvent, RunRecord, utc_text
from seqkit.ledger import story
from seqkit.ledger.digest import VERSION, begin_text, end_text, event_text, version_of

__all__ = ["CHUNK", "NO_JSON", "Retaken", "add_events", "is_known"]

CHUNK = 256
"""Events that are looked at together, as they are then at hand: from memory each of them takes as long as its check."""


class Retaken:
    """Does what ``seqkit.ledger.digest.StateDigest`` does, many times faster, and with what may be no JSON.

    Attributes
    ----------
    version : int
        That of the digest.
    problem : Exception or None
        Why it cannot be taken: one of :data:`NO_JSON`, or something that nobody thought of.
    """

    def __init__(self, record: RunRecord, plan: bytes | None) -> None:
        self.version = version_of(record)
        self.problem: Exception | None = None
        self._record = record
        self._events = 0
        try:
            self._hash = hashlib.sha256(b"[[" if self.version == 1 else b"[%s,[" % begin_text(record, plan))
        except Exception as problem:  # whatever it is, it is told by the check, and stops nobody else
            self.problem = problem

    def add(self, events: Sequence[RunEvent]) -> None:
        """Take in the next events."""
        if self.problem is None:
            try:
                add_events(self._hash, events, self._events)
            except Exception as problem:
                self.problem = problem
        self._events += len(events)

    def finished(self, endings: Iterable[str]) -> str:
        """Give the digest of the events so far, and of what became of each item as JSON, in plan order."""
        summary = self._record.summary
        assert summary is not None  # noqa: S101  # which the digest is in
        whole = self._hash.copy()
        whole.update(f"],[{','.join(endings)}]".encode("utf-8", "surrogatepass"))
        whole.update(b"]" if self.version == 1 else b",%s]" % end_text(self._record.status, summary))
        return whole.hexdigest()


NO_JSON = (ValueError, TypeError, OverflowError, RecursionError)
"""What is raised by a record that JSON cannot hold."""


def is_known(version: object) -> bool:
    """Tell whether a version of the digest is one that can be taken."""
    return version in (1, VERSION) and not isinstance(version, bool)


def add_events(digest: Any, events: Sequence[RunEvent], before: int = 0) -> None:
    """Add events to a digest that has so many `before`, the fastest where payloads are two texts."""
    today, date = None, ""
    for start in range(0, len(events), CHUNK):
        texts = []
        for event in events[start : start + CHUNK]:
            payload, time = event.payload, event.timestamp
            first, second, opening, middle = _PAIRS.get(event.kind, _NO_PAIR)
            if not (
                type(payload) is dict
                and len(payload) == 2
                and type(one := payload.get(first)) is str
                and type(other := payload.get(second)) is str
                and time.tzinfo is UTC
            ):
                texts.append(event_text(event).decode("utf-8", "surrogatepass"))
                continue
            if (day := time.date()) != today:
                today, date = day, utc_text(time)[:11]
            moment = f"{_TWO[time.hour]}:{_TWO[time.minute]}:{_TWO[time.second]}.{str(time.microsecond).zfill(6)}Z"
            texts.append(
                f'{opening}{quoted(one)}{middle}{quoted(other)}}},"seq":{event.seq},"timestamp":"{date}{moment}"}}'
            )
        digest.update(("," * bool(before + start) + ",".join(texts)).encode("utf-8", "surrogatepass"))


_TWO = [f"{number:02d}" for number in range(60)]
_ENTERED, _EXITED, _FAILED, *_ = story.KINDS
_PAIRS = {
    kind: (first, second, f'{{"kind":"{kind}","payload":{{"{first}":', f',"{second}":')
    for kind, first, second in (
        (_ENTERED, "node_id", "version"),
        (_EXITED, "node_id", "run_id"),
        (_FAILED, "error", "node_id"),
    )
}
"""Of the kinds whose payload is two texts: their names as they are sorted, and what stands before each."""
_NO_PAIR = ("", "", "", "")
