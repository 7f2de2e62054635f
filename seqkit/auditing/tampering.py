"""The digest of a run's final state, taken again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from datetime import UTC
from json.encoder import encode_basestring as quoted  # the C one, where there is one
from typing import Any

from seqkit.auditing.facts import RunFacts
from seqkit.auditing.findings import NotChecked, Result, error, looks_for
from seqkit.auditing.order import Order
from seqkit.core.model import RunEvent, utc_text

__all__ = ["final_state_digest"]

_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_CHUNK = 1_000


@looks_for("The digest of the final state is that of the events and of what became of each repo.")
def final_state_digest(run: RunFacts) -> Result:
    summary = run.record.summary
    if summary is None:
        return NotChecked("the run has no summary")
    if summary.final_state_digest is None:
        why = (
            "a plan but no digest of its final state: was it taken away?" if run.own else "no digest of its final state"
        )
        return NotChecked(f"the run carries {why}")
    if not run.own:
        return NotChecked("the run carries no plan that can be read, and the digest is over its items too")
    try:
        begun = _digest_of_events(run.events)
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        return [error(f"final_state_digest cannot be taken again, as the events are no JSON: {problem!s:.100}")]
    found = []
    for statuses in _endings(run):
        digest = begun.copy()
        digest.update(f"],{statuses}]".encode("utf-8", "surrogatepass"))
        found.append(digest.hexdigest())
    if summary.final_state_digest in found:
        return []
    return [
        error(
            f"final_state_digest is {str(summary.final_state_digest)!r}, expected {found[0]!r}: "
            "events, plan or digest were changed after the run ended"
        )
    ]


def _digest_of_events(events: Sequence[RunEvent]) -> Any:
    """Do what ``seqkit.ledger.digest.StateDigest`` does, many times faster for payloads of short texts."""
    digest = hashlib.sha256(b"[[")
    today, date = None, ""
    kinds: dict[str, str] = {}
    for start in range(0, len(events), _CHUNK):
        texts = []
        for event in events[start : start + _CHUNK]:
            payload, time = event.payload, event.timestamp
            if time.tzinfo is not UTC:
                time = time.astimezone(UTC)
            if (day := (time.year, time.month, time.day)) != today:
                today, date = day, utc_text(time)[:11]
            moment = f"{date}{time.hour:02d}:{time.minute:02d}:{time.second:02d}.{time.microsecond:06d}Z"
            if (kind := kinds.get(event.kind)) is None:
                kind = kinds[event.kind] = f'{{"kind":{quoted(event.kind)},"payload":'
            written = ""
            if type(payload) is dict and len(payload) == 2 and type(repo := payload.get("node_id")) is str:
                if type(text := payload.get("version")) is str:
                    written = f'{{"node_id":{quoted(repo)},"version":{quoted(text)}}}'
                elif type(text := payload.get("run_id")) is str:
                    written = f'{{"node_id":{quoted(repo)},"run_id":{quoted(text)}}}'
                elif type(text := payload.get("error")) is str:
                    written = f'{{"error":{quoted(text)},"node_id":{quoted(repo)}}}'
            texts.append(f'{kind}{written or _encoded(payload)},"seq":{event.seq},"timestamp":"{moment}"}}')
        digest.update(("," * bool(start) + ",".join(texts)).encode("utf-8", "surrogatepass"))
    return digest


def _endings(run: RunFacts) -> list[str]:
    """Write what may have become of each repo, in plan order: one list as a rule.

    Without NodeSkipped events a repo is passed over as soon as all that it needs has ended; older runs
    counted as passed over, where they broke off, all that stood before the repo entered last.
    """
    assert run.order is not None  # noqa: S101  # an own plan
    n, decided = len(run.order.ids), run.standing.decided
    if run.settings.record_skips:
        return [_ending(run, run.order, [False] * n)]
    last = max((run.order.position.get(repo, -1) for repo in run.entered), default=-1)
    reached = [[at < math.inf for at in decided], [True] * n, [position < last for position in range(n)]]
    return [_ending(run, run.order, over) for over in (reached if run.finished else reached[::2])]


def _ending(run: RunFacts, order: Order, over: Sequence[bool]) -> str:
    standing, events, states = run.standing, run.events, run.state
    written = []
    for position, repo in enumerate(order.ids):
        state = states.get(repo)
        status = '"pending"'
        if state == "skipped" or not standing.released[position]:
            status = '"skipped"'
        elif state == "released":
            status = f'{{"succeeded":{{"run_id":{_text(events[run.exited[repo]].payload.get("run_id"))}}}}}'
        elif state == "failed":
            status = f'{{"failed":{{"reason":{_text(events[run.failed[repo]].payload.get("error"))}}}}}'
        elif state == "under way":
            status = '"in_progress"'
        elif over[position] and standing.explained(position):
            status = '"skipped"'
        written.append(f"[{quoted(repo)},{status}]")
    return f"[{','.join(written)}]"


def _text(value: object) -> str:
    return quoted(value) if type(value) is str else _encoded(value)
