"""Checks that hold a run against a plan, or against a graph."""

from __future__ import annotations

from typing import Any

from seqkit._util.words import inflected, plural
from seqkit.auditing import conformance, foreign
from seqkit.auditing.facts import RunFacts
from seqkit.auditing.findings import NotChecked, Remark, Result, error, info, looks_for, named, warning
from seqkit.core.blocking import Above, Blockers, size
from seqkit.core.model import RunMetadata

__all__ = [
    "antichain",
    "blocked",
    "order",
    "plan",
    "plan_id",
    "scope",
    "silent",
    "skips",
    "spec_digest",
    "turns",
    "versions",
]

_NO_RELEASES = "a graph does not say what was to be released; pass a SequencePlan as graph"


@looks_for("The run carries a plan that can be read.", of_imported=foreign.no_plan)
def plan(run: RunFacts) -> Result:
    return [*foreign.disguised(run.record), *_own_plan(run)]


def _own_plan(run: RunFacts) -> list[Remark]:
    summary = run.record.summary
    if run.tags.get("plan") is None and summary is not None and summary.final_state_digest is not None:
        return [
            warning("the run carries a digest of its final state but no plan in its tags: was the plan taken away?")
        ]
    if run.tags.get("plan") is None and (signs := _own_signs(run)):
        told = f"the run carries neither plan nor digest, and has {run.events[signs[0]].kind} events"
        return [warning(f"{told}, which seqkit alone writes and never without both: were they taken away?", signs[0])]
    if run.tags.get("plan") is None:
        given = "the graph given stands in for it" if run.order is not None else "checks against it need graph="
        return [info(f"the run carries no plan in its tags (the original's never do); {given}")]
    return [error(told) for told in run.plan_remarks]


def _own_signs(run: RunFacts) -> list[int]:
    """Give the events that say of a run without a plan that seqkit made it; none of one by another agent."""
    if run.record.metadata.agent_name != RunMetadata().agent_name:
        return []
    beside = [*run.doubts.late.values(), *run.doubts.processes]
    return sorted([*run.skipped.values(), *beside, *(index for indices in run.retried.values() for index in indices)])


@looks_for("The plan's id is the digest of the plan.", of_imported=foreign.no_plan)
def plan_id(run: RunFacts) -> Result:
    if run.order is None or run.order.own is None:
        return NotChecked("the run carries no plan that can be read")
    expected, found = run.order.plan_id, run.tags.get("plan_id")
    if found == expected:
        return []
    return [
        warning(
            f"plan_id is {found!r:.80}, expected {expected!r}: the plan was given its id elsewhere, or changed since"
        )
    ]


@looks_for("The spec digest is that of what the run was made for.", of_imported=foreign.no_plan)
def spec_digest(run: RunFacts) -> Result:
    if run.order is None or run.order.origin is None:
        return NotChecked(run.why_no_order or "a graph does not say what the run was made for")
    of = run.order.origin
    try:
        expected = run.order.spec_digest
    except UnicodeEncodeError:
        return [error(f"originating_run_id is {of!r:.80}, expected text that can be digested (UTF-8)")]
    found = run.record.spec_digest
    if found == expected:
        return []
    say = error if run.own else warning  # a plan given to the audit may be that of another run
    return [say(f"spec_digest is {found!r}, expected {expected!r}: that of originating_run_id {of!r:.80}")]


@looks_for("Nothing is entered or skipped that the plan lacks.", of_imported=conformance.scope)
def scope(run: RunFacts) -> Result:
    if run.order is None:
        return NotChecked(run.why_no_order)
    if all(map(run.order.expected.issuperset, (run.entered, run.ended, run.skipped))):
        return []
    position, released = run.order.position, run.order.released
    what = "graph" if released is None else "plan"
    remarks: list[Remark] = []
    for happened, events in (
        ("entered", run.entered),
        ("ended", run.ended),
        ("skipped", run.skipped),
    ):
        for repo, index in events.items():
            if happened == "ended" and repo in run.entered:
                continue
            place = position.get(repo)
            if place is None:
                remarks.append(error(f"{repo!r:.90} is {happened}, expected a repo of the {what}", index, repo))
            elif released is not None and not released[place]:
                remarks.append(
                    error(f"{repo!r:.90} is {happened}, expected no event: the plan does not release it", index, repo)
                )
    return remarks


@looks_for("What is released has the version of the plan.", of_imported=conformance.versions)
def versions(run: RunFacts) -> Result:
    if run.order is None or run.order.versions is None:
        return NotChecked(run.why_no_order or "a graph does not say which version was to be released")
    planned, position = run.order.versions, run.order.position
    remarks = []
    for repo, found in run.versions.items():
        place = position.get(repo)
        if place is not None and planned[place] != found:
            remarks.append(
                error(
                    f"{repo!r:.90} is entered at version {found!r:.80}, expected {planned[place]!r:.80}",
                    run.entered[repo],
                    repo,
                )
            )
    return remarks


@looks_for("A repo is entered, or skipped, after the end of all that it needs.", of_imported=conformance.order)
def order(run: RunFacts) -> Result:
    if run.order is None:
        return NotChecked(run.why_no_order)
    standing, ids = run.standing, run.order.ids
    remarks = []
    for position, (index, decided) in enumerate(zip(standing.taken, standing.decided, strict=True)):
        if index is not None and decided > index:
            repo, awaited = ids[position], ids[standing.awaited[position]]
            how = "which ended only later" if decided < len(run.events) else "which never ended"
            word = "skipped" if standing.entered[position] is None else "entered"
            remarks.append(
                error(
                    f"{repo!r:.90} is {word}, expected the end of {awaited!r:.90} first, {how}: it needs it",
                    index,
                    repo,
                )
            )
    return remarks


@looks_for("Repos take their turns as planned, one after the other.")
def turns(run: RunFacts) -> Result:
    if not run.own or run.order is None:
        return NotChecked("any order that respects the dependencies will do, where the run carries no plan")
    if run.settings.lanes > 1:
        return NotChecked("several releases may be under way at once")
    if not run.settings.as_planned:
        return NotChecked("a priority says who goes first")
    latest, after = -1, ""
    remarks = []
    for repo, index in zip(run.order.ids, run.standing.taken, strict=True):
        if index is None:
            continue
        if index < latest:
            remarks.append(warning(f"{repo!r:.90} had its turn before {after!r:.90}, expected after it", index, repo))
        else:
            latest, after = index, repo
    remarks += [
        warning(f"another repo has its turn while {other!r:.90} is under way, expected its end first", index)
        for index, other in run.overlaps
    ]
    return remarks


@looks_for("Nothing is entered after a failure that forbids it.", of_imported=conformance.blocked)
def blocked(run: RunFacts) -> Result:
    if run.order is None and run.settings.terms.stop_at is None:
        return NotChecked(run.why_no_order)
    remarks = []
    stopped_at = run.stopped_at
    if stopped_at is not None:
        remarks += [
            error(f"{repo!r:.90} is entered after the run was to stop ({run.settings.terms.why_stop})", index, repo)
            for repo, index in run.entered.items()
            if index > stopped_at
        ]
    if run.order is not None and run.failed and run.settings.terms.blocks:
        standing = run.standing
        for position, (index, failing) in enumerate(zip(standing.entered, standing.failing, strict=True)):
            if index is None or failing < 0:
                continue
            repo, failed = run.order.ids[position], run.order.ids[failing]
            late = "" if standing.first_failure[position] < index else " (recorded only later)"
            remarks.append(
                error(
                    f"{repo!r:.90} is entered, expected it to be skipped: {failed!r:.90}, which it depends on, "
                    f"failed{late}",
                    index,
                    repo,
                )
            )
    return remarks


@looks_for("No failed repo depends on another failed one.", of_imported=conformance.antichain)
def antichain(run: RunFacts) -> Result:
    if run.order is None:
        return NotChecked(run.why_no_order)
    if run.settings.goes_on:
        return NotChecked(f"the policy is {run.settings.terms.policy}: what depends on a failed repo goes on")
    standing = run.standing
    return [
        error(
            f"{repo!r:.90} failed, and so did {run.order.ids[standing.failing[position]]!r:.90}, which it depends on: "
            "expected it to be skipped",
            run.failed[repo],
            repo,
        )
        for position, repo in ((position, run.order.ids[position]) for position in standing.failures)
        if standing.failing[position] >= 0
    ]


@looks_for("Every NodeSkipped has its reason, and names it.", of_imported=conformance.skips)
def skips(run: RunFacts) -> Result:
    if not run.skipped:
        return []
    if run.order is None:
        return NotChecked(run.why_no_order)
    standing, ids = run.standing, run.order.ids
    remarks: list[Remark] = []
    blamed: list[int] = []
    if run.own and not run.settings.record_skips:
        index = min(run.skipped.values())
        remarks.append(warning("a NodeSkipped in a run that was to record none (record_skips is false)", index))
    for position, above in standing.above():
        at = standing.skipped[position]
        if at is None or not standing.released[position]:
            continue
        repo, payload = ids[position], run.events[at].payload
        told_to_stop = run.stopped_at is not None and run.stopped_at < at
        if not told_to_stop and not (run.settings.terms.blocks and above):
            remarks.append(
                error(f"{repo!r:.90} is skipped, expected it to be entered: nothing that forbids it failed", at, repo)
            )
        found, number = payload.get("blocked_by"), payload.get("n_blocked_by")
        if type(found) is not list:
            continue
        names, more = standing.blockers.told(position, above)
        if not run.settings.terms.holds_up:
            if found and (found == list(names) or _lists_all(found, standing.blockers, above)):
                blamed.append(at)
                continue
            names, more = (), 0
        if more and number is None and _lists_all(found, standing.blockers, above):
            continue
        if found != list(names):
            total = f": of {size(above)} the nearest" if more else ""
            remarks.append(
                error(
                    f"{repo!r:.90} is blocked_by {named(found)}, expected {named(names)}, in plan order{total}",
                    at,
                    repo,
                )
            )
        if number != (size(above) if more else None):
            wanted = size(above) if more else "none, as all are listed"
            remarks.append(error(f"{repo!r:.90} has n_blocked_by {number!r:.40}, expected {wanted}", at, repo))
    return remarks + _once_blamed(run, blamed)


def _once_blamed(run: RunFacts, skips: list[int]) -> list[Remark]:
    """Say how skips are read that name failures which block nobody, as they once did."""
    if not skips:
        return []
    names = inflected(len(skips), "names", "name")
    told = f"{plural(len(skips), 'skip')} of an older seqkit {names} the failures above as blocked_by"
    return [info(f"{told}, which block nobody under {run.settings.terms.policy}: read as stopped", min(skips))]


def _lists_all(found: list[Any], blockers: Blockers, above: Above) -> bool:
    """Tell whether all are listed, in plan order: as they once were of any number."""
    return len(found) == size(above) and found == blockers.all(above)


@looks_for(
    "Repos without an event are exactly the unreleased ones, and those that a failure holds back.",
    of_imported=conformance.silent,
)
def silent(run: RunFacts) -> Result:
    if run.order is None:
        return NotChecked(run.why_no_order)
    if run.order.released is None:
        return NotChecked(_NO_RELEASES)
    standing = run.standing
    if None not in standing.taken:
        return []
    quiet = [
        position
        for position, (released, taken) in enumerate(zip(standing.released, standing.taken, strict=True))
        if taken is None and released and standing.ended[position] is None
    ]
    if not quiet:
        return []
    passed_over = _passed_over(run, quiet)
    remarks = []
    broke_off = _broke_off(run)
    # What a failure holds back gets its skip only in its turn, which a run that broke off did not come to.
    skips = run.settings.record_skips
    cut = [p for p in quiet if (skips or not standing.explained(p)) and p not in passed_over]
    if broke_off and cut:
        first = run.order.ids[cut[0]]
        remarks.append(
            warning(
                f"the run was ended as FAILED before everything had its turn: {len(cut)} repos have no event, "
                f"the first is {first!r:.90}; expected a failure before them",
                None,
                first,
            )
        )
    for position in quiet:
        repo = run.order.ids[position]
        explained = standing.explained(position)
        if position not in passed_over and (broke_off or (explained and not skips)):
            continue
        if run.finished and explained and skips:
            remarks.append(
                error(f"{repo!r:.90} has no event, expected NodeSkipped: a failure holds it back", None, repo)
            )
        elif run.finished and not explained:
            remarks.append(
                error(
                    f"{repo!r:.90} has no event, expected its release or a failure before it: "
                    "the run broke off, or events are missing",
                    None,
                    repo,
                )
            )
        elif position in passed_over:
            remarks.append(
                error(
                    f"{repo!r:.90} has no event, expected its turn before that of "
                    f"{run.order.ids[passed_over[position]]!r:.90}: events are missing",
                    None,
                    repo,
                )
            )
    return remarks


def _broke_off(run: RunFacts) -> bool:
    """Tell a run that something outside the releases ended, as FAILED, from one whose events were taken away.

    It says how many events it has, and has them all.
    """
    summary = run.record.summary
    return run.record.status == "FAILED" and summary is not None and summary.total_events == len(run.events)


def _passed_over(run: RunFacts, quiet: list[int]) -> dict[int, int]:
    """Find repos without events that would have had their turn before another one that had it: position -> other's.

    Decided repos are taken in plan order, where no priority says otherwise, so whoever stands behind may come first
    only while this one waits.
    A repo that a failure holds back and whose skip has no event is passed over by right; one that only
    the end of the run held back is not, while others behind it were still entered.
    """
    if not run.own or run.order is None or not run.settings.as_planned:
        return {}
    standing, ids = run.standing, run.order.ids
    skips_recorded = run.settings.record_skips
    taken = [run.entered.get(repo, run.skipped.get(repo, -1) if skips_recorded else -1) for repo in ids]
    behind = [len(ids) - 1] * len(ids)  # who of those from here on had its turn last
    for position in range(len(ids) - 2, -1, -1):
        best = behind[position + 1]
        behind[position] = position if taken[position] > taken[best] else best
    found = {}
    for position in quiet:
        held_back = run.settings.terms.blocks and standing.failing[position] >= 0
        if held_back and not skips_recorded:
            continue
        if position + 1 < len(ids) and taken[behind[position + 1]] > standing.decided[position]:
            found[position] = behind[position + 1]
    return found
