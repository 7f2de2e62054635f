"""Checks that need a run's record and events, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from seqkit._util.words import plural
from seqkit.auditing import foreign
from seqkit.auditing.facts import KINDS, RunFacts
from seqkit.auditing.findings import NotChecked, Remark, Result, error, info, looks_for, named, warning
from seqkit.core.model import RunStatus, utc_text

__all__ = [
    "after_the_end",
    "doubts",
    "duration",
    "entries",
    "kinds",
    "payloads",
    "retries",
    "seq",
    "spelling",
    "status",
    "timestamps",
    "total_events",
    "twice",
    "unfinished",
]


@looks_for("Events are numbered 1, 2, 3 … without gaps or repeats.")
def seq(run: RunFacts) -> Result:
    numbers = run.numbers
    remarks = [] if numbers == list(range(1, len(numbers) + 1)) else list(_misnumbered(numbers))
    if n := run.repeats:
        remarks.append(warning(f"{plural(n, 'event stands', 'events stand')} there again, byte for byte: counted once"))
    return foreign.not_its_own(run, remarks)


def _misnumbered(numbers: list[int]) -> Iterator[Remark]:
    expected = 1
    for index, number in enumerate(numbers):
        if index and number == numbers[index - 1]:
            yield error(f"seq {_number(number)} stands there again, expected each number once", index)
        elif number < 1:
            yield error(f"seq is {_number(number)}, expected a whole number from 1", index)
        elif number != expected:
            missing = number - expected
            which = _number(expected) if missing == 1 else f"{_number(expected)} to {_number(number - 1)}"
            yield error(f"seq goes on with {_number(number)}, expected {_number(expected)}: no event {which}", index)
        expected = max(expected, number + 1)


def _number(number: int) -> str:
    return str(number) if abs(number) < 10**18 else f"a number of {number.bit_length()} bits"


@looks_for("The summary's count of events is the number of events.")
def total_events(run: RunFacts) -> Result:
    summary = run.record.summary
    if summary is None:
        return NotChecked("the run has no summary")
    found, told = len(run.events), summary.total_events
    if found == told:
        return foreign.not_its_own(run, [])
    return [error(f"total_events is {_number(told)}, found {plural(found, 'event')}")]


@looks_for("The run has ended.")
def unfinished(run: RunFacts) -> Result:
    if run.record.status is not RunStatus.RUNNING:
        return []
    doubt = run.open
    if run.imported is not None:
        return foreign.still_going(run, named(doubt))
    tail = f"in doubt, entered and not ended: {named(doubt)}" if doubt else "no release was under way there"
    n = len(run.events)
    return [
        error(
            f"the run is RUNNING after {plural(n, 'event')}: it broke off or is still going; {tail}; where its "
            "process is dead, close_run(ledger, run_id, reason) ends it in the ledger that it was written to"
        )
    ]


@looks_for("Every entry has exactly one end, and every end an entry.")
def entries(run: RunFacts) -> Result:
    remarks: list[Remark] = []
    for name, message in _ENTRIES.items() if run.odd else ():
        remarks += [error(f"{repo!r:.90} {message}", index, repo) for index, repo in run.odd.get(name, ())]
    if run.record.status is not RunStatus.RUNNING:  # there, the check `unfinished` names them
        remarks += [_never_ended(run, repo, index) for repo, index in run.open.items()]
    return remarks


def _never_ended(run: RunFacts, repo: str, index: int) -> Remark:
    told = f"{repo!r:.90} was entered and never ended"
    if (later := run.decided(repo)) is not None:
        return info(f"{told} here; run {later!r:.90}, which goes on with this one, tells how it ended", index, repo)
    if run.imported is not None and run.record.status is not RunStatus.COMPLETED:
        return foreign.never_ended(told, index, repo)
    if run.record.status is RunStatus.CANCELLED:
        by = "closed" if run.closed else "cancelled"
        return warning(f"{told}: the run was {by}, so nobody knows how far it got", index, repo)
    return error(f"{told}: expected its end before the run's", index, repo)


_ENTRIES = {
    "entered, under way": "is entered again while it is under way, expected its end first",
    "entered, skipped": "is entered after it was skipped, expected one of the two",
    "released, None": "is released without an entry, expected NodeEntered before NodeExited",
    "failed, None": "fails without an entry, expected NodeEntered before NodeFailed",
    "released, skipped": "is released after it was skipped, expected NodeEntered before NodeExited",
    "failed, skipped": "fails after it was skipped, expected NodeEntered before NodeFailed",
    "released, failed": "is released after it had failed, expected one end",
    "failed, released": "fails after it was released, expected one end",
    "failed, failed": "fails a second time, expected one end",
    "skipped, under way": "is skipped while it is under way, expected its end",
    "skipped, released": "is skipped after it was released, expected one of the two",
    "skipped, failed": "is skipped after it had failed, expected one of the two",
    "skipped, skipped": "is skipped a second time, expected once",
    "late, None": "ends late without an entry, expected NodeEntered and NodeFailed before NodeLate",
    "late, under way": "ends late and has not failed, expected NodeFailed before NodeLate",
    "late, skipped": "ends late after it was skipped, expected NodeEntered and NodeFailed before NodeLate",
    "late, late": "ends late a second time, expected once",
    "worked on, None": "has a process without an entry, expected NodeEntered before NodeProcess",
    "worked on, skipped": "has a process after it was skipped, expected NodeEntered before NodeProcess",
}


@looks_for("Of every repo that failed it is known whether it is out, and nothing went on when the run ended.")
def doubts(run: RunFacts) -> Result:
    remarks: list[Remark] = []
    for repo, index in run.doubts.failed.items():
        told = f"{repo!r:.90} failed, and nobody knows whether it is out"
        if (later := run.decided(repo)) is not None:
            remarks.append(info(f"{told}; run {later!r:.90}, which goes on with this one, tells", index, repo))
        else:
            advice = "look whether it is, before it is released again"
            remarks.append(warning(f"{told}: {advice}", index, repo))
    if run.record.status is not RunStatus.RUNNING:
        remarks += [
            warning(
                f"an attempt at {repo!r:.90} was still running when the run ended: it may yet come out", index, repo
            )
            for repo, index in run.doubts.going_on.items()
        ]
    return remarks


@looks_for("Nothing is released twice, by a run or by those that go on with one another.")
def twice(run: RunFacts) -> Result:
    remarks = []
    for name, message in _TWICE.items() if run.odd else ():
        remarks += [error(f"{repo!r:.90} {message}", index, repo) for index, repo in run.odd.get(name, ())]
    for release, index in run.releases().items() if run.out_before else ():
        if (before := run.out_before.get(release)) is not None:
            repo, version = release
            if run.imported is not None:
                if version is not None:
                    told = f"is released again: run {before!r:.90} of the same train had released it at that version"
                    remarks.append(warning(f"{repo!r:.90} {told}", index, repo))
                continue
            told = (
                f"is released again: run {before!r:.90}, which this one goes on with, had released it at that version"
            )
            remarks.append(error(f"{repo!r:.90} {told}", index, repo))
    return remarks


_TWICE = {
    "late, released": "ends late after it was released, expected one end",
    "entered, released": "is entered again after it was released, expected one release a run",
    "released, released": "is released a second time, expected once",
    "entered, failed": "is entered again after it had failed for good; tries of one release are NodeRetrying events",
}


@looks_for("Failed tries are numbered from 1, lie between entry and end, and are no more than the run allows.")
def retries(run: RunFacts) -> Result:
    remarks = [
        error(f"{repo!r:.90} is tried again while it is not under way, expected it between entry and end", index, repo)
        for name, told in run.odd.items()
        if name.startswith("tried again")
        for index, repo in told
    ]
    if run.imported is not None:
        return remarks + foreign.retries(run)
    attempts = run.settings.attempts
    for repo, indices in run.retried.items():
        for number, index in enumerate(indices, 1):
            payload = run.events[index].payload
            attempt = payload.get("attempt")
            if type(attempt) is int and attempt != number:
                remarks.append(
                    error(
                        f"the failed try of {repo!r:.90} has number {_number(attempt)}, expected {number}", index, repo
                    )
                )
        if attempts is not None and len(indices) >= attempts:
            remarks.append(
                error(
                    f"{repo!r:.90} was tried {len(indices) + 1} times, expected at most {_number(attempts)} "
                    "(attempts of the run's plan)",
                    indices[-1],
                    repo,
                )
            )
    if attempts is not None and attempts > 1:
        last = len(run.events) - 1
        for repo, index in run.failed.items():
            tries = len(run.retried.get(repo, ())) + 1
            ended_early = run.events[index].payload
            if any(ended_early.get(why) is True for why in ("after_stop", "given_up", "in_doubt")):
                continue  # nothing starts any more, it was no error to try again after, or it may be out
            if tries < attempts and index != last:  # the last event may tell what broke the run off
                remarks.append(
                    error(f"{repo!r:.90} failed after {tries} of {_number(attempts)} tries, expected all", index, repo)
                )
    return remarks


@looks_for("Time does not run backwards.", of_imported=foreign.timestamps)
def timestamps(run: RunFacts) -> Result:
    times = run.times
    began, ended = run.record.created_at, run.record.completed_at
    remarks = []
    if not run.forward:
        remarks += [
            error(
                f"the time is {utc_text(times[index])}, before that of the event before it: "
                f"expected {utc_text(times[index - 1])} or later",
                index,
                run.repo_at(index),
            )
            for index in range(1, len(times))
            if times[index] < times[index - 1]
        ]
    if times and times[0] < began:
        remarks.append(
            warning(
                f"the time is {utc_text(times[0])}, before the run's start at {utc_text(began)}: "
                "a clock that was set, two machines, or an event of another run",
                0,
            )
        )
    if ended is not None and ended < began:
        remarks.append(error(f"the run ended at {utc_text(ended)}, expected its start at {utc_text(began)} or later"))
    return remarks


@looks_for("No event comes after the end of the run.")
def after_the_end(run: RunFacts) -> Result:
    ended, summary = run.record.completed_at, run.record.summary
    if ended is None:
        return NotChecked("the run has not ended")
    if not foreign.has_times(run):
        return NotChecked(foreign.NO_TIMES)
    last = len(run.events) - 1
    remarks = [error("an event follows, expected RunClosed to be the last", at) for at in run.closed if at != last]
    if remarks:
        return remarks
    if not run.times or (run.forward and run.times[-1] <= ended):
        return foreign.taken_from_rows(run, [], "the end")
    for index, event in enumerate(run.events):
        if event.timestamp <= ended:
            continue
        where = f"the time is {utc_text(event.timestamp)}, after the run's end at {utc_text(ended)}"
        if summary is not None and event.seq > summary.total_events:
            remarks.append(error(f"{where}, and the summary does not count it: recorded after the end", index))
        else:
            remarks.append(warning(f"{where}: a clock that was set, two machines, or an event of another run", index))
    return remarks


@looks_for("Every event is of a known kind.")
def kinds(run: RunFacts) -> Result:
    remarks = [
        warning(f"kind is {run.events[index].kind!r:.80}, expected one of {', '.join(KINDS)}", index)
        for index in run.unknown_kinds
    ]
    return foreign.not_its_own(run, remarks)


@looks_for("Kinds are spelled NodeEntered, not node_entered.")
def spelling(run: RunFacts) -> Result:
    if not run.respelled:
        return foreign.not_its_own(run, [])
    spellings = Counter(run.events[index].kind for index in run.respelled)
    first = {run.events[index].kind: index for index in reversed(run.respelled)}
    return [
        info(f"kind is spelled {kind!r:.80} in {plural(count, 'event')}, taken for the same word", first[kind])
        for kind, count in spellings.items()
    ]


@looks_for("Every event of a known kind says what that kind must say.")
def payloads(run: RunFacts) -> Result:
    remarks = [
        error(
            f"the payload of {run.events[index].kind} is {_short(run.events[index].payload)}, expected {expected}",
            index,
        )
        for index, expected in foreign.wrong_in_payloads(run)
    ]
    return foreign.not_its_own(run, remarks)


def _short(payload: object) -> str:
    if isinstance(payload, dict):
        return f"an object with {named(payload)}" if payload else "an empty object"
    try:
        return f"{payload!r:.80}"
    except (RecursionError, ValueError):  # nested too deep, or a number of too many digits
        return f"of type {type(payload).__name__}"


@looks_for("Status, success and failures agree.")
def status(run: RunFacts) -> Result:
    record, summary, failures = run.record, run.record.summary, run.failed
    told = record.status.value
    if record.status is RunStatus.RUNNING:
        return [
            error(f"the run is RUNNING and has {what}, expected none before its end")
            for what, value in (("a summary", summary), ("a time of its end", record.completed_at))
            if value is not None
        ]
    remarks = [
        error(f"the run is {told} and has no {what}, expected one")
        for what, value in (("summary", summary), ("time of its end", record.completed_at))
        if value is None
    ]
    if run.closed and record.status is not RunStatus.CANCELLED:
        remarks.append(error(f"the run is {told} and somebody closed it, expected CANCELLED", run.closed[0]))
    completed = record.status is RunStatus.COMPLETED
    if summary is not None and summary.success is not completed:
        remarks.append(error(f"the run is {told} and success is {str(summary.success).lower()}, expected the opposite"))
    if completed and failures:
        remarks.append(error(f"the run is COMPLETED, expected FAILED: failed are {named(failures)}"))
    if record.status is RunStatus.FAILED and not failures and not run.open:
        remarks.append(
            foreign.without_failure(run)
            if run.imported is not None
            else warning(
                "the run is FAILED and no repo failed: something outside of the releases broke it off, or events lack"
            )
        )
    if record.status is RunStatus.CANCELLED and run.own and not _left(run):
        remarks.append(info("the run is CANCELLED and nothing was left to do, expected COMPLETED or FAILED"))
    return foreign.taken_from_rows(run, remarks, "the status")


def _left(run: RunFacts) -> bool:
    """Tell whether anything of the run's own plan had not come to its end."""
    standing = run.standing
    return bool(run.open) or any(
        released and repo not in run.ended and repo not in run.skipped and not standing.explained(position)
        for position, (repo, released) in enumerate(zip(standing.order.ids, standing.released, strict=True))
    )


_MILLISECOND = timedelta(milliseconds=1)


@looks_for("The duration agrees with the times of start and end.")
def duration(run: RunFacts) -> Result:
    summary, began, ended = run.record.summary, run.record.created_at, run.record.completed_at
    if summary is None or ended is None:
        return NotChecked("the run has not ended")
    if not foreign.has_times(run):
        return NotChecked(foreign.NO_TIMES)
    told = summary.duration_ms
    span = (ended - began) // _MILLISECOND
    times = run.times[:1] + run.times[-1:] if run.forward else run.times
    between = (max(times) - min(times)) // _MILLISECOND if times else 0
    remarks = []
    if told < 0:
        remarks.append(error(f"duration_ms is {_number(told)}, expected 0 or more"))
    elif told == 0 and not run.own and run.imported is None:
        if span > 0:
            remarks.append(info(f"duration_ms is 0 over {span} ms; the original always writes 0"))
    elif told + 2 < between:
        remarks.append(warning(f"duration_ms is {told}, expected {between} or more: so far apart are the events"))
    elif told > span + 1_000:
        remarks.append(
            warning(f"duration_ms is {_number(told)}, expected at most {span}: from the run's start to its end")
        )
    elif told + max(60_000, span // 10) < span:
        remarks.append(warning(f"duration_ms is {told}, expected about {span}: from the run's start to its end"))
    return foreign.taken_from_rows(run, remarks, "the length")
