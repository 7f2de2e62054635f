"""The digest of a run's final state, held against the one taken again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted  # the C one, where there is one

from seqkit.auditing import foreign
from seqkit.auditing.facts import RunFacts
from seqkit.auditing.findings import NotChecked, Remark, Result, error, info, looks_for, warning
from seqkit.auditing.order import Order
from seqkit.auditing.retaken import NO_JSON, Retaken
from seqkit.core.model import RunStatus
from seqkit.ledger.digest import VERSION, canonical, version_of

__all__ = ["final_state_digest"]


@looks_for("The digest of the final state is that of the record.", of_imported=foreign.no_plan)
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
    if run.retaken is None:
        told = f"the digest is of version {version!r:.40}, expected {VERSION}, or none for the first"
        return [warning(f"{told}: it was made by a newer seqkit, or changed")]
    return _compared(run, run.retaken, str(summary.final_state_digest))


def _compared(run: RunFacts, retaken: Retaken, told: str) -> list[Remark]:
    if (problem := retaken.problem) is not None:
        if not isinstance(problem, NO_JSON):
            raise problem
        return [error(f"final_state_digest cannot be taken again, as the record is no JSON: {problem!s:.100}")]
    version = retaken.version
    found = [retaken.finished(endings) for endings in _endings(run, version)]
    if told in found:
        return [info(_OLD)] if version == 1 else []
    what = "events, plan or digest" if version == 1 else "the record (begin, plan, tags, events, end) or the digest"
    return [error(f"final_state_digest is {told!r}, expected {found[0]!r}: {what} were changed after the run ended")]


_OLD = (
    "the digest is of version 1, of an older seqkit: it is that of the events and of what became of each repo; the "
    "plan, the tags, the times and the status of the run are not in it"
)


def _endings(run: RunFacts, version: int) -> list[list[str]]:
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


def _ending(run: RunFacts, order: Order, over: Sequence[bool], version: int, blames: bool) -> list[str]:
    standing, states, carried = run.standing, run.state, run.carried
    written = []
    for position, repo in enumerate(order.ids):
        state = states.get(repo)
        status, cause = '"pending"', "null"
        if state == "released":
            status = f'{{"succeeded":{{"run_id":{_text(carried[run.exited[repo]])}}}}}'
        elif state is None and not standing.released[position]:
            status, cause = '"skipped"', '"unreleased"'
        elif state == "skipped":
            by = run.events[run.skipped[repo]].payload.get("blocked_by")
            status, cause = '"skipped"', '"blocked"' if by and blames else '"stopped"'
        elif state == "failed":
            status = f'{{"failed":{{"reason":{_text(carried[run.failed[repo]])}}}}}'
        elif state == "under way":
            status = '"in_progress"'
        elif over[position] and standing.explained(position):
            held_up = blames and standing.failing[position] >= 0
            status, cause = '"skipped"', '"blocked"' if held_up else '"stopped"'
        written.append(f"[{quoted(repo)},{status}]" if version == 1 else f"[{quoted(repo)},{status},{cause}]")
    return written


def _text(value: object) -> str:
    return quoted(value) if type(value) is str else canonical(value).decode("utf-8", "surrogatepass")
