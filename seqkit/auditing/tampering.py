"""The digest of a run's final state, taken again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC
from json.encoder import encode_basestring as quoted  # the C one, where there is one
from typing import Any

from seqkit.auditing.facts import RunFacts
from seqkit.auditing.findings import NotChecked, Remark, Result, error, info, looks_for, warning
from seqkit.auditing.order import Order
from seqkit.core.model import RunEvent, RunStatus, RunSummary, utc_text
from seqkit.ledger.digest import VERSION, begin_text, canonical, end_text, version_of

__all__ = ["add_events", "final_state_digest"]

_CHUNK = 1_000


@looks_for("The digest of the final state is that of the record.")
def final_state_digest(run: RunFacts) -> Result:
    summary, version = run.record.summary, version_of(run.record)
    if summary is None:
        return NotChecked("the run has no summary")
    if summary.final_state_digest is None and run.own and run.record.status is not RunStatus.RUNNING:
        return [warning("the run carries a plan and no digest of its final state, expected one: was it taken away?")]
    if summary.final_state_digest is None:
        return NotChecked("the run carries no digest of its final state")
    if not run.own:
        return NotChecked("the run carries no plan that can be read, and the digest is over its items too")
    if version not in (1, VERSION) or isinstance(version, bool):
        told = f"the digest is of version {version!r:.40}, expected {VERSION}, or none for the first"
        return [warning(f"{told}: it was made by a newer seqkit, or changed")]
    return _compared(run, summary, version)


def _compared(run: RunFacts, summary: RunSummary, version: int) -> list[Remark]:
    try:
        begun = hashlib.sha256(b"[[" if version == 1 else b"[%s,[" % begin_text(run.record, run.plan_text))
        add_events(begun, run.events)
    except (ValueError, TypeError, OverflowError, RecursionError) as problem:
        return [error(f"final_state_digest cannot be taken again, as the record is no JSON: {problem!s:.100}")]
    end = b"]" if version == 1 else b",%s]" % end_text(run.record.status, summary)
    found = []
    for endings in _endings(run, version):
        digest = begun.copy()
        digest.update(f"],{endings}".encode("utf-8", "surrogatepass") + end)
        found.append(digest.hexdigest())
    if summary.final_state_digest in found:
        return [info(_OLD)] if version == 1 else []
    what = "events, plan or digest" if version == 1 else "the record (begin, plan, tags, events, end) or the digest"
    told = f"final_state_digest is {str(summary.final_state_digest)!r}, expected {found[0]!r}"
    return [error(f"{told}: {what} were changed after the run ended")]


_OLD = (
    "the digest is of version 1, of an older seqkit: it is that of the events and of what became of each repo; the "
    "plan, the tags, the times and the status of the run are not in it"
)


def add_events(digest: Any, events: Sequence[RunEvent]) -> None:
    """Do what ``seqkit.ledger.digest.StateDigest`` does, many times faster for payloads of short texts."""
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


def _endings(run: RunFacts, version: int) -> list[str]:
    """Write what may have become of each repo, in plan order: one list as a rule.

    Without NodeSkipped events a repo is passed over as soon as all that it needs has ended; runs of version 1
    counted as passed over, where they broke off, all that stood before the repo entered last. And where a failure
    blocks nobody, an older seqkit wrote of what the stop left below one that it was blocked.
    """
    assert run.order is not None  # noqa: S101  # an own plan
    n, decided = len(run.order.ids), run.standing.decided
    if run.settings.record_skips:
        reached = [[False] * n]
    else:
        reached = [[at < math.inf for at in decided]]
        if version == 1:
            last = max((run.order.position.get(repo, -1) for repo in run.entered), default=-1)
            reached += [[True] * n] * run.finished + [[position < last for position in range(n)]]
    # Version 1 does not tell why a repo was skipped.
    named = [True] if version == 1 or run.settings.terms.holds_up else [False, True]
    return [_ending(run, run.order, over, version, blames) for over in reached for blames in named]


def _ending(run: RunFacts, order: Order, over: Sequence[bool], version: int, blames: bool) -> str:
    standing, events, states = run.standing, run.events, run.state
    written = []
    for position, repo in enumerate(order.ids):
        state = states.get(repo)
        status, cause = '"pending"', "null"
        if not standing.released[position] and state is None:
            status, cause = '"skipped"', '"unreleased"'
        elif state == "skipped":
            by = events[run.skipped[repo]].payload.get("blocked_by")
            status, cause = '"skipped"', '"blocked"' if by and blames else '"stopped"'
        elif state == "released":
            status = f'{{"succeeded":{{"run_id":{_text(events[run.exited[repo]].payload.get("run_id"))}}}}}'
        elif state == "failed":
            status = f'{{"failed":{{"reason":{_text(events[run.failed[repo]].payload.get("error"))}}}}}'
        elif state == "under way":
            status = '"in_progress"'
        elif over[position] and standing.explained(position):
            held_up = blames and standing.failing[position] >= 0
            status, cause = '"skipped"', '"blocked"' if held_up else '"stopped"'
        written.append(f"[{quoted(repo)},{status}]" if version == 1 else f"[{quoted(repo)},{status},{cause}]")
    return f"[{','.join(written)}]"


def _text(value: object) -> str:
    return quoted(value) if type(value) is str else _encoded(value)


def _encoded(value: object) -> str:
    return canonical(value).decode("utf-8", "surrogatepass")
