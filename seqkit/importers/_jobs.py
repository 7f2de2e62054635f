"""Jobs of CI as both systems tell them, and the rows that a run of them makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from seqkit._util.secrets import shown
from seqkit._util.words import listed, shortened
from seqkit.errors import ReadError
from seqkit.importers._copies import Contradiction
from seqkit.importers._needs import JobNeeds
from seqkit.importers._recorded import Recorded
from seqkit.importers._words import CANCELLED, plain, status_of
from seqkit.readers._files import Opened, PathLike, described, typed

__all__ = [
    "JobRecord",
    "JobRecords",
    "identity",
    "in_order_of_id",
    "json_in",
    "looks_like_json",
    "number_from_one",
    "rows_of_run",
]

_MOST_WORDS = 20
_LARGEST = 2**31

_UNFINISHED = ("pending", "in_progress")


class JobRecord(NamedTuple):
    """One record of a job: an attempt at it, or that it had none."""

    run: str
    """The run's id."""
    id: str
    """The job's own id, another for each attempt."""
    name: str
    """What the system shows."""
    attempt: int
    """Which attempt of the run it belongs to, from 1; where the system counts none, 1."""
    meaning: str
    """What its word means."""
    started: datetime | None
    """When it began, where it did."""
    finished: datetime | None
    """When it ended."""
    reason: str | None
    """Why it failed, where the system says."""
    detail: str | None
    """The system's word, where it says more than the meaning."""
    holds_back: bool
    """Whether what needs it waits where it failed."""
    path: PathLike
    """The file that tells of it."""
    where: str
    """The place in it."""

    @property
    def tried(self) -> bool:
        """Whether it was an attempt at all."""
        began = self.meaning == CANCELLED and self.started is not None
        return began or self.meaning in ("succeeded", "failed", "in_doubt", "in_progress")

    def told(self) -> tuple[object, ...]:
        """Give what two records of one attempt must agree in."""
        times = (self.started, self.finished) if self.tried else ()
        return self.name, self.meaning, self.reason, *times


class JobRecords:
    """Records of jobs from many files: each attempt once, its words understood.

    Parameters
    ----------
    found : Recorded
        Is told what came twice.
    """

    def __init__(self, found: Recorded) -> None:
        self._found = found
        self._kept: dict[tuple[str, str, int], JobRecord] = {}
        self._unknown: dict[str, tuple[PathLike, str]] = {}

    def meaning_of(self, path: PathLike, where: str, word: str) -> str:
        """Say what a word means; unknown ones are told together, by :meth:`by_run`."""
        meaning = status_of(word)
        if meaning is None:
            self._unknown.setdefault(plain(word), (path, where))
        return meaning or "skipped"

    def add(self, job: JobRecord) -> None:
        """Keep a record; of two of the same attempt the one that is further on.

        Raises
        ------
        Contradiction
            Where two contradict each other, naming both places.
        """
        key = job.run, job.id, job.attempt
        other = self._kept.get(key)
        if other is None:
            self._kept[key] = job
            return
        earlier, later = sorted((other, job), key=_progress)
        if other.told() == job.told():
            self._found.say("records that came twice and count once", job.name)
        elif _progress(earlier) < _progress(later):
            self._found.say("records of jobs under way that a later record replaces", job.name)
            self._kept[key] = later
        else:
            raise Contradiction(
                job.path,
                other.path,
                f"{job.where} tells otherwise of the job {shortened(job.id, 60)} ({shortened(job.name, 60)}) than "
                f"{other.where} of {shown(os.fspath(other.path))}: {_brief(job)} here, {_brief(other)} there; give one "
                "of them only",
            )

    def by_run(self) -> Mapping[str, list[JobRecord]]:
        """Give the records of each run, in the order in which they were found.

        Raises
        ------
        ReadError
            Where there are words that nobody knows: all of them.
        """
        if self._unknown:
            first = next(iter(self._unknown.values()))[0]
            spelt = [
                f"{shortened(word, 60)!r} ({where}{'' if path is first else f' of {shown(os.fspath(path))}'})"
                for word, (path, where) in self._unknown.items()
            ]
            words = listed(spelt, _MOST_WORDS)
            raise ReadError(first, None, f"has status words that nobody knows: {words}; expected those of the system")
        runs: dict[str, list[JobRecord]] = {}
        for job in self._kept.values():
            runs.setdefault(job.run, []).append(job)
        return runs


def _progress(job: JobRecord) -> int:
    return _UNFINISHED.index(job.meaning) if job.meaning in _UNFINISHED else len(_UNFINISHED)


def _brief(job: JobRecord) -> str:
    ended = f", ended {job.finished:%Y-%m-%dT%H:%M:%SZ}" if job.finished is not None else ""
    return f"{shortened(job.name, 60)} of run {shortened(job.run, 60)} {job.meaning}{ended}"


def rows_of_run(
    found: Recorded,
    run_id: str,
    attempts: Sequence[tuple[str, int, JobRecord]],
    needs: JobNeeds | None,
    alias: Callable[[str], str | None] = lambda name: name,
) -> None:
    """Make the rows of a run.

    A job that was tried has its attempts and nothing else; one that never was has one row, its last.

    Parameters
    ----------
    found : Recorded
        Gets the rows.
    run_id : str
        What the run is called.
    attempts : sequence of (repo, attempt, JobRecord)
        What was told of each; a later attempt at a repo stands after an earlier one.
    needs : JobNeeds or None
        Who needs whom, as far as somebody told.
    alias : callable
        What else a job is called among the `needs`, by the name that is shown.
    """
    last: dict[str, JobRecord] = {}
    for repo, _, job in attempts:
        if job.tried or not (repo in last and last[repo].tried):
            last[repo] = job
    blockers = {} if needs is None else _blockers(found, run_id, last, needs, alias)
    for repo, number, job in attempts:
        if not job.tried and job is not last[repo]:
            found.say("jobs not tried in one attempt of their run, and told by another", f"{repo} of {run_id}")
            continue
        blocked_by = blockers.get(repo, ()) if job.meaning == "skipped" else ()
        found.add(
            run_id,
            repo,
            "blocked" if blocked_by else job.meaning,
            attempt=number,
            started=job.started,
            finished=job.finished,
            reason=job.reason,
            blocked_by=blocked_by,
            detail=job.detail,
        )


def _blockers(
    found: Recorded, run_id: str, last: Mapping[str, JobRecord], needs: JobNeeds, alias: Callable[[str], str | None]
) -> Mapping[str, list[str]]:
    skipped = [repo for repo, job in last.items() if job.meaning == "skipped"]
    if not skipped or all(job.meaning != "failed" for job in last.values()):
        return {}
    names = {repo: needs.job_of(job.name) or needs.job_of(alias(job.name) or "") for repo, job in last.items()}
    for repo in skipped:
        if names[repo] is None:
            found.say("skipped jobs of which nobody told what they need", f"{repo} of {run_id}")
    by_name: dict[str, list[str]] = {}
    for repo, name in names.items():
        if name is not None:
            by_name.setdefault(name, []).append(repo)
    holding = {
        name: [repo for repo in repos if last[repo].meaning == "failed" and last[repo].holds_back]
        for name, repos in by_name.items()
        if not needs.may_fail(name)
    }
    failed = {name: repos for name, repos in holding.items() if repos}
    # A job that failed, and holds nobody back, is out of the way as one that went well.
    over = {
        name for name, repos in by_name.items() if all(last[repo].meaning in ("succeeded", "failed") for repo in repos)
    }
    waits = needs.blockers(failed, over - failed.keys())
    return {
        repo: [leg for blocker in waits[name] for leg in failed[blocker]]
        for repo in skipped
        if (name := names[repo]) in waits and name is not None
    }


def looks_like_json(file: Opened) -> bool:
    """Tell whether a text begins as JSON does, and not as YAML that people write."""
    return file.text.lstrip()[:1] in ("{", "[")


def json_in(file: Opened) -> object:
    """Give the JSON of a file; None where it only begins like that, and is not called so.

    Raises
    ------
    ReadError
        Where the file is called ``.json`` and is none.
    """
    try:
        return file.document
    except ReadError:
        if file.__fspath__().lower().endswith(".json"):
            raise
        return None


def identity(path: PathLike, where: str, value: object) -> str:
    """Read an id: a number, or text.

    Raises
    ------
    ReadError
        Where it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return str(value)
    if isinstance(value, str) and value.strip():
        return str(typed(path, where, value.strip(), str))
    raise ReadError(path, None, f"{where} is {described(value)}, expected an id: a number or text")


def number_from_one(path: PathLike, where: str, value: object) -> int:
    """Read the number of an attempt.

    Raises
    ------
    ReadError
        Where it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < _LARGEST:
        return value
    raise ReadError(path, None, f"{where} is {described(value)}, expected a whole number from 1")


def in_order_of_id(jobs: Iterable[JobRecord]) -> list[JobRecord]:
    """Sort records by their ids, those that are numbers by number."""

    def place(job: JobRecord) -> tuple[Any, ...]:
        return (0, len(job.id.lstrip("0")), job.id.lstrip("0")) if job.id.isdecimal() else (1, 0, job.id)

    return sorted(jobs, key=place)
