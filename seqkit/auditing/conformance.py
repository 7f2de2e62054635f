"""Whether another system's run went by a graph: checks by its times, as the order of its events is seqkit's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from seqkit.auditing.findings import NotChecked, Partly, Result, error, info, named, warning
from seqkit.auditing.foreign import NO_TIMES
from seqkit.auditing.order import Order
from seqkit.core.blocking import Above, Blockers, failed_above
from seqkit.core.model import utc_text
from seqkit.ledger.story import story_of

if TYPE_CHECKING:
    from seqkit.auditing.facts import RunFacts

__all__ = ["Conformance", "antichain", "blocked", "order", "scope", "silent", "skips", "versions"]

_BY_GRAPH = "which it needs by the graph given"
_STRANGERS = "repos that the graph given does not know, so that nothing could be held against it"
_AMBIGUOUS = "skips of which nobody says whether a failure caused them"
_NO_TIME = "of some repos no time is told, and the order of rows says nothing"


class Conformance:
    """Per position of the order; positions are -1 and times None where there are none.

    What has no entry is looked through, as nobody tells when its turn was: what needs it waits for what it needs.

    Attributes
    ----------
    late : list of (int, int)
        Who was entered before the time up to which another one was not over, and who that was.
    endless : list of (int, int)
        Who was entered though of what it needs no end is told, and who that was.
    compared, vague : bool
        Whether the times of any two could be compared; whether those of two could not.
    forbidden : list of int
        The failed repo that each waits for: below what went out in spite of a failure, nobody waits for that.
    failed_above : list of int
        A failed repo that each depends on, whatever is between them.
    unmet : list of bool
        Whether anything that it needs is told of and not out.
    """

    def __init__(self, run: RunFacts, order: Order) -> None:
        self.run, self.order = run, order
        out = {*run.exited, *run.doubts.came_out}
        self.out = [repo in out for repo in order.ids]
        self.told = [run.state.get(repo) for repo in order.ids]
        self.failed = [told == "failed" and not released for told, released in zip(self.told, self.out, strict=True)]
        self.late: list[tuple[int, int]] = []
        self.endless: list[tuple[int, int]] = []
        self.compared = self.vague = False
        n = len(order.ids)
        self.forbidden, self.failed_above, self.unmet = [-1] * n, [-1] * n, [False] * n
        if any(self.failed) or run.skipped or run.open:
            self._hand_on_failures()
        self._settle()

    def _hand_on_failures(self) -> None:
        source = [-1] * len(self.order.ids)
        for position, needs in enumerate(self.order.dependencies):
            self.forbidden[position] = min((source[need] for need in needs if source[need] >= 0), default=-1)
            failed = [need if self.failed[need] else self.failed_above[need] for need in needs]
            self.failed_above[position] = min((need for need in failed if need >= 0), default=-1)
            self.unmet[position] = any(
                not self.out[need] and (self.told[need] is not None or self.unmet[need]) for need in needs
            )
            if self.failed[position]:
                source[position] = position
            elif not self.out[position]:
                source[position] = self.forbidden[position]

    def _settle(self) -> None:
        run, n = self.run, len(self.order.ids)
        until: list[datetime | None] = [None] * n  # up to when it was not over for those that need it
        by = [-1] * n
        vague, endless = [False] * n, [-1] * n
        for position, (repo, needs) in enumerate(zip(self.order.ids, self.order.dependencies, strict=True)):
            latest, awaited, unsure, open_one = None, -1, False, -1
            for need in needs:
                end = until[need]
                if end is not None and (latest is None or end > latest):
                    latest, awaited = end, by[need]
                unsure = unsure or vague[need]
                open_one = max(open_one, endless[need])
            if repo not in run.entered:
                until[position], by[position], vague[position], endless[position] = latest, awaited, unsure, open_one
                continue
            began, ended = run.told_at(run.entered[repo]), run.told_at(run.ended.get(repo))
            seen = began if began is not None else ended
            if latest is not None and seen is not None:
                self.compared = True
                if seen < latest:
                    self.late.append((position, awaited))
            if unsure or (latest is not None and began is None):
                self.vague = True
            if open_one >= 0 and not (self.late and self.late[-1][0] == position):
                self.endless.append((position, open_one))
            until[position], by[position] = ended if ended is not None else began, position
            vague[position] = ended is None and repo in run.ended
            endless[position] = position if repo not in run.ended else -1


def _why_not(run: RunFacts) -> NotChecked | None:
    """Say why a run cannot be held against a graph."""
    if run.order is None:
        return NotChecked(run.why_no_order)
    if run.state and not any(repo in run.order.position for repo in run.state):
        return NotChecked("the graph given knows no repo of the run")
    return None


def _no_such_plan(run: RunFacts, otherwise: str) -> NotChecked:
    """Say why there is no plan that tells what was to go out in this run."""
    if run.order is None:
        return NotChecked(run.why_no_order)
    if run.order.graph_of is None:
        return NotChecked(otherwise)
    train = run.tags.get("train")
    other = f"the train {train!r:.60}" if isinstance(train, str) else f"the run {run.record.run_id!r:.60}"
    return NotChecked(f"the plan given is of {run.order.graph_of!r:.60}, not of", other)


def scope(run: RunFacts) -> Result:
    """Name the repos that the graph does not know; of a plan of this train, those that it does not release."""
    if run.order is None:
        return NotChecked(run.why_no_order)
    position, released = run.order.position, run.order.released
    happened = {**run.skipped, **run.ended, **run.entered}
    remarks = [
        warning(_STRANGERS, index, repo)._replace(of_all_runs=True)
        for repo, index in happened.items()
        if repo not in position
    ]
    if released is not None:
        remarks += [
            error(f"{repo!r:.90} is entered, expected no attempt: the plan does not release it", index, repo)
            for repo, index in run.entered.items()
            if repo in position and not released[position[repo]]
        ]
    return remarks


def versions(run: RunFacts) -> Result:
    """Hold the versions that are told against a plan of this train."""
    if run.order is None or run.order.versions is None:
        return _no_such_plan(run, "a graph does not say which version was to be released")
    told = {repo: version for repo, version in run.versions.items() if version is not None}
    if not told:
        return NotChecked("no versions are told")
    planned, position = run.order.versions, run.order.position
    remarks = []
    for repo, found in told.items():
        if repo in position and (expected := planned[position[repo]]) != found:
            message = f"{repo!r:.90} is entered at version {found!r:.80}, expected {expected!r:.80}"
            remarks.append(error(message, run.entered[repo], repo))
    return Partly(remarks, "of some repos no version is told") if len(told) < len(run.versions) else remarks


def order(run: RunFacts) -> Result:
    """Compare when each repo was entered with when what it needs had ended; at the same moment is in time."""
    if (why := _why_not(run)) is not None or run.order is None:
        return why or ()
    found, ids = run.conformance, run.order.ids
    remarks = []
    for position, awaited in found.late:
        repo, needed = ids[position], ids[awaited]
        index, end = run.entered[repo], run.told_at(run.ended.get(needed))
        began = run.told_at(index)
        happened = f"entered at {utc_text(began)}" if began else f"over at {utc_text(run.times[run.ended[repo]])}"
        if end is not None:
            until = f"expected the end of {needed!r:.90} at {utc_text(end)} first"
        else:
            until = f"before {needed!r:.90} is entered, at {utc_text(run.times[run.entered[needed]])}"
        remarks.append(error(f"{repo!r:.90} is {happened}, {until}, {_BY_GRAPH}", index, repo))
    for position, awaited in found.endless:
        repo, needed = ids[position], ids[awaited]
        told = f"{repo!r:.90} is entered and no end is told of {needed!r:.90}, {_BY_GRAPH}"
        remarks.append(warning(f"{told}: it was cancelled, or is still under way", run.entered[repo], repo))
    if found.vague and not found.compared and not remarks:
        return NotChecked(f"{NO_TIMES}, and the order of rows says nothing")
    return Partly(remarks, _NO_TIME) if found.vague else remarks


def blocked(run: RunFacts) -> Result:
    """Find what was entered below a failure; times do not matter, as what failed never was out."""
    if (why := _why_not(run)) is not None or run.order is None:
        return why or ()
    ids, forbidden = run.order.ids, run.conformance.forbidden
    return [
        error(f"{repo!r:.90} is entered though {ids[failed]!r:.90}, {_BY_GRAPH}, failed", run.entered[repo], repo)
        for repo, failed in zip(ids, forbidden, strict=True)
        if failed >= 0 and repo in run.entered
    ]


def antichain(run: RunFacts) -> Result:
    """Find what failed below another failure."""
    if (why := _why_not(run)) is not None or run.order is None:
        return why or ()
    ids, found = run.order.ids, run.conformance
    return [
        error(f"{repo!r:.90} failed, and so did {ids[above]!r:.90}, {_BY_GRAPH}", run.failed[repo], repo)
        for repo, failed, above in zip(ids, found.failed, found.failed_above, strict=True)
        if failed and above >= 0
    ]


def skips(run: RunFacts) -> Result:
    """Hold who is named as blocking against the graph; a part of them may be named, and a skip need not say why."""
    payloads = {repo: run.events[index].payload for repo, index in run.skipped.items()}
    named_by = {repo: _names(payload.get("blocked_by")) for repo, payload in payloads.items()}
    unclear = [repo for repo, payload in payloads.items() if not named_by[repo] and payload.get("cause", "") is None]
    remarks = [info(_AMBIGUOUS, run.skipped[repo], repo)._replace(of_all_runs=True) for repo in unclear]
    why = _why_not(run)
    if not run.skipped or run.order is None or why is not None:
        return Partly(remarks, why.why, made=False) if why is not None and run.skipped else remarks
    position = run.order.position
    above = _named_above(run.order, named_by)
    for repo, names in named_by.items():
        index = run.skipped[repo]
        if out := [name for name in names if run.state.get(name) == "released"]:
            remarks.append(
                warning(f"{repo!r:.90} is blocked_by {named(out)}, expected none that went out", index, repo)
            )
        if repo not in position:
            continue
        if others := [name for name in names if name in position and name not in above[repo]]:
            told = f"{repo!r:.90} is blocked_by {named(others)}, which it does not need by the graph given"
            remarks.append(warning(told, index, repo))
        blocked_by_nobody = not names and payloads[repo].get("cause") == "blocked"
        if blocked_by_nobody and not run.conformance.unmet[position[repo]]:
            told = f"{repo!r:.90} is skipped as blocked, and nothing failed that it needs by the graph given"
            remarks.append(warning(told, index, repo))
    return remarks


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _named_above(order: Order, named_by: dict[str, list[str]]) -> dict[str, Sequence[str]]:
    """Give for each repo those that it names and that it depends on."""
    position = order.position
    places = sorted({position[name] for names in named_by.values() for name in names if name in position})
    number = {order.ids[place]: at for at, place in enumerate(places)}
    found: dict[str, Sequence[str]] = {}
    for place, above in failed_above(Blockers(order.ids, order.dependencies, places)):
        repo = order.ids[place]
        if repo in named_by:
            found[repo] = [name for name in named_by[repo] if name in number and _holds(above, number[name])]
    return found


def _holds(above: Above, number: int) -> bool:
    return bool(above >> number & 1) if isinstance(above, int) else number in above


def silent(run: RunFacts) -> Result:
    """Name what a plan of this train releases, and the run tells nothing of, for no reason that is seen."""
    if run.order is None or run.order.released is None:
        return _no_such_plan(run, "a graph does not say what was to be released; pass a SequencePlan as graph")
    if not run.finished:
        return NotChecked("the run has not come to its end")
    elsewhere = {repo for repo, _ in run.out_before} | {told.repo_id for told in story_of(run.record, ()).items()}
    found = run.conformance
    quiet = [
        repo
        for place, (repo, released) in enumerate(zip(run.order.ids, run.order.released, strict=True))
        if released and found.told[place] is None and not found.unmet[place] and repo not in elsewhere
    ]
    if not quiet:
        return []
    told = "the plan of this train releases repos of which neither this run nor one before it tells"
    return [warning(f"{told}: {named(quiet)}")]
