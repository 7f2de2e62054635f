"""Runs that another system made: how they are told from seqkit's own, and what is asked of them instead.

Their events were written by seqkit as it read rows (:mod:`seqkit.importers`), so numbers, kinds and payloads tell
nothing of the source. Where they do not fit together all the same, somebody changed them since: that is said as of any
run. Nobody's record becomes another system's by a tag alone: a plan, a digest or seqkit's own name speak against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from seqkit._util.words import shortened
from seqkit.auditing.findings import NotChecked, Partly, Remark, Result, error, info, warning
from seqkit.core.model import RunMetadata, RunRecord, utc_text
from seqkit.ledger.story import imported_from, story_of, tag_of, tells_times

if TYPE_CHECKING:
    from seqkit.auditing.facts import RunFacts

__all__ = [
    "NO_TIMES",
    "disguised",
    "has_times",
    "never_ended",
    "no_plan",
    "not_its_own",
    "retries",
    "still_going",
    "system_of",
    "taken_from_rows",
    "timestamps",
    "without_failure",
    "wrong_in_payloads",
]

NO_TIMES = "no times are told"

_MAY_LACK = frozenset(("version", "run_id", "error"))
"""What seqkit's own payloads must tell, and those made of rows only where a row tells it."""


def system_of(record: RunRecord) -> str | None:
    """Give the system that made a run; None where it was seqkit or the original, whatever a tag says."""
    system = imported_from(record)
    return None if system is None or _signs_of_our_own(record) else shortened(system, 60)


def _signs_of_our_own(record: RunRecord) -> str:
    """Name what only a run of seqkit's own, or of the original, carries."""
    if tag_of(record, "plan") is not None:
        return "a plan"
    if record.summary is not None and record.summary.final_state_digest is not None:
        return "a digest of its final state"
    own = RunMetadata().agent_name
    return f"the agent {own}" if record.metadata.agent_name == own else ""


def disguised(record: RunRecord) -> Iterator[Remark]:
    """Remark on a run that says to be of another system, and is not."""
    system = imported_from(record)
    if system is not None and (signs := _signs_of_our_own(record)):
        told = f"the tag imported says that {shortened(system, 60)} made the run, which carries {signs}"
        yield warning(f"{told}, as no such run does: taken for one of seqkit's own")


def no_plan(run: RunFacts) -> NotChecked:
    """Say that plans, and what is made of them, are nothing that another system's record has."""
    return NotChecked(f"the run was read from {run.imported}, which has neither plan nor digest")


def not_its_own(run: RunFacts, remarks: Iterable[Remark]) -> Result:
    """Give remarks on what seqkit wrote when it read an imported run; without any, nothing of the source was seen."""
    found = list(remarks)
    if found or run.imported is None:
        return found
    return NotChecked(f"seqkit wrote these itself when it read the run from {run.imported}")


def taken_from_rows(run: RunFacts, remarks: Iterable[Remark], what: str) -> Result:
    """Give remarks on what seqkit took together from the rows of an imported run, and say that it did."""
    found = list(remarks)
    return found if run.imported is None else Partly(found, f"{what} of imported runs: seqkit took it from their rows")


def has_times(run: RunFacts) -> bool:
    """Tell whether anything is told of when a run was; of seqkit's own, always."""
    return run.imported is None or (tells_times(run.record) and bool(run.told_times))


def still_going(run: RunFacts, under_way: str) -> list[Remark]:
    """Remark on an imported run without an end, which nobody can end here."""
    return [warning(f"the run was still going when {run.imported} told of it, under way were {under_way}")]


def never_ended(told: str, index: int, repo: str) -> Remark:
    """Remark on an open entry of an imported run that has ended: this is how what was cancelled is told."""
    return info(f"{told}: it was cancelled, so nobody knows how far it got", index, repo)


def without_failure(run: RunFacts) -> Remark:
    """Remark on an imported run that failed by what it skipped alone."""
    return warning(f"the run is FAILED and no failure is told: what {run.imported} calls blocked waited for another's")


def wrong_in_payloads(run: RunFacts) -> list[tuple[int, str]]:
    """Leave out what rows need not tell: a payload made of them may lack it, but not hold something else."""
    if run.imported is None:
        return run.malformed
    return [(at, expected) for at, expected in run.malformed if not _lacks(run.events[at].payload, expected)]


def _lacks(payload: object, expected: str) -> bool:
    name = expected.partition(",")[0]
    return name in _MAY_LACK and isinstance(payload, dict) and name not in payload


def timestamps(run: RunFacts) -> Result:
    """Hold the times of an imported run's attempts against each other; the order of its events was made of them."""
    record, known = run.record, run.told_times
    remarks: list[Remark] = []
    if record.completed_at is not None and record.completed_at < record.created_at:
        ended, began = utc_text(record.completed_at), utc_text(record.created_at)
        remarks.append(error(f"the run ended at {ended}, expected its start at {began} or later"))
    if not has_times(run):
        return remarks or NotChecked(NO_TIMES)
    if (first := min(known)) < record.created_at:
        start = utc_text(record.created_at)
        remarks.append(
            warning(f"the time is {utc_text(first)}, before the run's start at {start}", run.times.index(first))
        )
    for told in story_of(record, run.events).items():
        repo = told.repo_id
        ends = [*run.retried.get(repo, ()), *([run.ended[repo]] if repo in run.ended else [])]
        places = [*ends, *[run.entered.get(repo)] * len(told.tries)]
        for one, index in zip(told.tries, places, strict=False):
            if one.began is not None and one.ended is not None and one.ended < one.began:
                times = f"{utc_text(one.ended)}, before its start at {utc_text(one.began)}"
                remarks.append(warning(f"attempt {one.number} at {repo!r:.90} ends at {times}", index, repo))
        for (one, following), index in zip(pairwise(told.tries), places, strict=False):
            if one.ended is not None and following.began is not None and following.began < one.ended:
                times = f"{utc_text(following.began)}, before the one before it ended at {utc_text(one.ended)}"
                remarks.append(warning(f"attempt {following.number} at {repo!r:.90} begins at {times}", index, repo))
    if len(known) < len(run.events) - len(run.skipped):
        return Partly(remarks, "of some attempts no time is told")
    return remarks


def retries(run: RunFacts) -> list[Remark]:
    """Hold the numbers of an imported run's failed attempts against each other; earlier ones may not be told."""
    remarks: list[Remark] = []
    for repo, index in run.entered.items():
        expected = _number(run.events[index].payload.get("attempt"), 1)
        lacks = expected > 1
        for at in run.retried.get(repo, ()):
            payload = run.events[at].payload
            number = payload.get("attempt")
            if type(number) is int and number != expected:
                found = f"number {number}" if _number(number, 0) else "a number that no attempt has"
                told = f"the failed try of {repo!r:.90} has {found}, expected {expected}"
                remarks.append(error(told, at, repo))
            following = _number(number, expected) + 1
            expected = _number(payload.get("next_attempt"), following)
            if expected < following:
                told = f"after try {following - 1} of {repo!r:.90} comes number {expected}, expected a higher one"
                remarks.append(error(told, at, repo))
            lacks = lacks or expected > following
        if lacks:
            told = "of some repos not all attempts are told, as their numbers say"
            remarks.append(info(told, index, repo)._replace(of_all_runs=True))
    return remarks


def _number(value: Any, otherwise: int) -> int:
    return value if type(value) is int and 0 < value < 2**31 else otherwise
