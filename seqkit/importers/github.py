"""Runs of GitHub Actions, as its REST API, ``gh`` and webhooks tell them.

What they lose: earlier attempts of re-runs that nobody fetched; who blocked whom, without the workflow or a graph; why
a job failed, which is in its log; in a list of runs, the jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import ReadError
from seqkit.importers._called import Workflows
from seqkit.importers._github_shapes import attempt_of, kind_of, of_url, pick, repository_in, run_id_of, total_of
from seqkit.importers._jobs import (
    JobRecord,
    JobRecords,
    identity,
    in_order_of_id,
    json_in,
    looks_like_json,
    number_from_one,
    rows_of_run,
)
from seqkit.importers._needs import JobNeeds
from seqkit.importers._recorded import Recorded, moment
from seqkit.importers._words import CANCELLED, plain, says_more
from seqkit.readers._files import Opened, described, typed
from seqkit.readers.workflows import is_github_workflow

__all__ = ["is_github", "read_github"]


def is_github(file: Opened) -> bool:
    """Tell whether a file tells of runs of GitHub Actions, or is a workflow."""
    if not looks_like_json(file):
        return is_github_workflow(file)
    document = json_in(file)
    return kind_of(next(iter(document), None) if isinstance(document, list) else document) is not None


def read_github(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    r"""Read runs of GitHub Actions: every job is a repo, by the name that GitHub shows.

    Runs, their jobs and the workflows that they followed may lie in different files. A run is called
    ``owner/repo#id``, or by its id alone where nobody tells the repository. A run of which no file tells the jobs is
    one row, by the name of its workflow.

    A job that was skipped is ``blocked`` where the workflow among the files, or `graph`, says that it needs one that
    failed. A job of a matrix is a repo for each of its legs, and what needs it waits for all of them.

    Parameters
    ----------
    files : sequence of Opened
        Such as ``GET …/actions/runs/{id}``, ``…/actions/runs``, ``…/runs/{id}/jobs``, ``gh run view --json …``, ``gh
        run list --json …``, deliveries of the webhooks ``workflow_job`` and ``workflow_run``, and workflows in YAML.
    graph : RepoDependencyGraph or None
        Who needs whom, by the jobs' keys or their names; None leaves it to the workflows.

    Raises
    ------
    ReadError
        Where a file is malformed, has words that nobody knows, or contradicts another; where runs have no id.
    DependencyCycle
        Where `graph` has a cycle.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "view.json")
    ...     job = '{"databaseId": 8, "name": "build", "conclusion": "success"}'
    ...     _ = file.write_text(f'{{"databaseId": 7, "jobs": [{job}]}}')
    ...     found = read_github([Opened(file)])
    >>> [(row.run_id, row.repo_id, row.attempt, row.status) for row in found.rows]
    [('7', 'build', 1, 'succeeded')]
    """
    found = Recorded("GitHub Actions")
    told = _GithubFiles(found)
    workflows = []
    for file in files:
        if looks_like_json(file):
            told.document(file, "", file.document)
        else:
            workflows.append(file)
    if files and len(workflows) == len(files):
        raise ReadError(files[0], None, "is a workflow, expected runs of it beside it: gh run view 123 --json …")
    told.make_rows(Workflows(workflows), None if graph is None else JobNeeds(graph))
    return found


@dataclass
class _GithubRun:
    """What is told of a run, whatever file tells it."""

    repository: str | None = None
    rank: int = 0
    """How sure the repository is."""
    path: str | None = None
    attempt: int = 1
    counted: int = 0
    """How many jobs a list of them counts."""


class _GithubFiles:
    def __init__(self, found: Recorded) -> None:
        self.found = found
        self.runs: dict[str, _GithubRun] = {}
        self.jobs = JobRecords(found)
        self.with_jobs: set[str] = set()
        self.alone: list[tuple[str, int, Opened, str, dict[str, Any]]] = []
        self.updated: dict[tuple[str, int], JobRecord] = {}
        self.listed: set[str] = set()
        self.counted = 0

    # ------------------------------------------------------------------ shapes

    def document(self, file: Opened, where: str, document: object) -> None:
        if isinstance(document, list) and not where:  # also pages, as `gh api --paginate --slurp` puts them together
            for index, one in enumerate(document):
                self.document(file, f"[{index}]", one)
            return
        table = typed(file, where or "the document", document, dict)
        kind, at = kind_of(table), where + "." * bool(where)
        if kind == "workflow_job":
            self._rest_job(file, at + kind, table[kind], table.get("repository"))
        elif kind == "workflow_run":
            self._run(file, at + kind, table[kind])
        elif kind == "workflow_runs":
            runs = typed(file, at + kind, table[kind], list)
            for index, run in enumerate(runs):
                self.listed.add(self._run(file, f"{at}{kind}[{index}]", run))
            self.counted = max(self.counted, total_of(file, at, table))
        elif kind == "jobs":
            self._rest_jobs(file, at, table)
        elif kind == "job":
            self._rest_job(file, where or "the job", table, None)
        elif kind == "run":
            self._run(file, where or "the run", table)
        elif kind == "gh":
            self._gh(file, at, table)
        else:
            expected = "expected a run, a job, or a list of them, as GitHub or gh give them"
            raise ReadError(file, None, f"{where or 'the document'} is an object without their keys, {expected}")

    def _rest_jobs(self, file: Opened, at: str, table: dict[str, Any]) -> None:
        total = total_of(file, at, table)
        for index, job in enumerate(typed(file, f"{at}jobs", table["jobs"], list)):
            key = self._rest_job(file, f"{at}jobs[{index}]", job, None)
            run = self.runs[key]
            run.counted = max(run.counted, total)

    def _rest_job(self, file: Opened, where: str, value: object, repository: object) -> str:
        job = typed(file, where, value, dict)
        if job.get("run_id") is None:
            key, attempt = of_url(file, where, job, "run_url", "html_url")
        else:
            key, attempt = identity(file, f"{where}.run_id", job["run_id"]), 1
        if repository is not None:
            self._call(key, file, "repository", repository)
        self._call_by_url(key, job, "html_url", "run_url", "url")
        if job.get("run_attempt") is not None:
            attempt = number_from_one(file, f"{where}.run_attempt", job["run_attempt"])
        self._job(file, where, job, key, attempt)
        return key

    def _gh(self, file: Opened, at: str, table: dict[str, Any]) -> None:
        named = any(table.get(key) is not None for key in ("databaseId", "url", "number"))
        key = None
        if named or table.get("jobs") is None:
            key = self._run(file, at[:-1] or "the run", table)
        for index, value in enumerate(typed(file, f"{at}jobs", table.get("jobs") or [], list)):
            where = f"{at}jobs[{index}]"
            job = typed(file, where, value, dict)
            own, attempt = (key, attempt_of(file, at, table)) if key is not None else of_url(file, where, job, "url")
            self._call_by_url(own, job, "url")
            self._job(file, where, job, own, attempt)

    def _run(self, file: Opened, where: str, value: object) -> str:
        run = typed(file, where, value, dict)
        key = run_id_of(file, where, run)
        record = self.runs.setdefault(key, _GithubRun())
        if run.get("repository") is not None:
            self._call(key, file, f"{where}.repository", run["repository"])
        self._call_by_url(key, run, "html_url", "url")
        if run.get("path") is not None:
            record.path = typed(file, f"{where}.path", run["path"], str)
        attempt = attempt_of(file, f"{where}.", run)
        record.attempt = max(record.attempt, attempt)
        self.alone.append((key, attempt, file, where, run))
        return key

    # ------------------------------------------------------------------ what they say

    def _call(self, key: str, file: Opened, where: str, repository: object) -> None:
        told = typed(file, where, repository, dict).get("full_name")
        if told is not None:
            self._call_it(key, typed(file, f"{where}.full_name", told, str), 3)

    def _call_by_url(self, key: str, table: dict[str, Any], *keys: str) -> None:
        for place, name in enumerate(keys):
            if told := repository_in(table.get(name)):
                self._call_it(key, told, 2 if place == 0 else 1)

    def _call_it(self, key: str, repository: str, rank: int) -> None:
        run = self.runs.setdefault(key, _GithubRun())
        if rank > run.rank:
            run.repository, run.rank = repository, rank
        elif rank == run.rank and repository != run.repository:
            self.found.say(
                "names of a repository that differ for one run; the first was taken", f"{repository} of {key}"
            )

    def _job(self, file: Opened, where: str, job: dict[str, Any], run: str, attempt: int) -> None:
        self.runs.setdefault(run, _GithubRun())
        self.with_jobs.add(run)
        name = typed(file, f"{where}.name", job.get("name"), str)
        if not name.strip():
            raise ReadError(file, None, f"{where}.name is {described(name)}, expected the name of the job")
        of_id, own = pick(job, "id", "databaseId")
        word, meaning = self._meaning(file, where, job)
        started, finished = (
            moment(file, f"{where}.{key}", value, self.found)
            for key, value in (pick(job, "started_at", "startedAt"), pick(job, "completed_at", "completedAt"))
        )
        steps = job.get("steps")
        began = bool(steps if steps is None else typed(file, f"{where}.steps", steps, list))
        if "runner_id" in job:
            began = began or job["runner_id"] not in (None, 0)
        else:
            began = began or (started is not None and finished is not None and finished > started)
        if meaning == CANCELLED and not began:
            started = None
        detail = word if says_more(word) else None
        which = run, identity(file, f"{where}.{of_id}", own), name, attempt
        self.jobs.add(JobRecord(*which, meaning, started, finished, None, detail, True, file, where))

    def _meaning(self, file: Opened, where: str, table: dict[str, Any]) -> tuple[str, str]:
        status, conclusion = (
            typed(file, f"{where}.{key}", table[key], str) if table.get(key) is not None else ""
            for key in ("status", "conclusion")
        )
        if status and plain(status) != "completed":
            return plain(status), self.jobs.meaning_of(file, f"{where}.status", status)
        if not conclusion:
            told = "its status is completed" if status else "it has no status"
            raise ReadError(file, None, f"{where}.conclusion is not told, expected a word, for {told}")
        return plain(conclusion), self.jobs.meaning_of(file, f"{where}.conclusion", conclusion)

    # ------------------------------------------------------------------ rows

    def make_rows(self, workflows: Workflows, given: JobNeeds | None) -> None:
        if self.counted > len(self.listed):
            self.found.say_once(f"lists of runs count {self.counted:,}, and hold {len(self.listed):,}")
        for key, attempt, file, where, run in self.alone:
            if key not in self.with_jobs:
                self._add_alone(key, attempt, file, where, run)
        for key, jobs in self.jobs.by_run().items():
            record = self.runs[key]
            run_id = f"{record.repository}#{key}" if record.repository else key
            if key not in self.with_jobs:
                self.found.say(
                    "runs without their jobs: a row each, by the workflow, that ends at its last update", run_id
                )
            elif record.counted > len(jobs):
                self.found.say("runs of which some jobs are not told", f"{run_id}: {len(jobs)} of {record.counted}")
            attempts = self._attempts(run_id, record.attempt, jobs)
            needs = workflows.needs_of(record.path, {job.name for job in jobs})
            if given is None or needs is None:
                rows_of_run(self.found, run_id, attempts, given or needs)
            else:
                rows_of_run(self.found, run_id, attempts, given, needs.job_of)

    def _add_alone(self, key: str, attempt: int, file: Opened, where: str, run: dict[str, Any]) -> None:
        word, meaning = self._meaning(file, where, run)
        of_name, name = pick(run, "workflowName", "name", "path")
        if not isinstance(name, str) or not name.strip():
            raise ReadError(
                file,
                None,
                f"{where}.{of_name} is {described(name)}, expected the name of the workflow, the repo where no "
                "jobs are told: gh run list --json databaseId,workflowName,…",
            )
        typed(file, f"{where}.{of_name}", name, str)
        started, finished = (
            moment(file, f"{where}.{of_time}", value, self.found)
            for of_time, value in (
                pick(run, "run_started_at", "startedAt", "created_at", "createdAt"),
                pick(run, "updated_at", "updatedAt"),
            )
        )
        detail = word if says_more(word) else None
        which = key, "", name, attempt
        job = JobRecord(*which, meaning, started, finished, None, detail, True, file, where)
        other = self.updated.get((key, attempt))
        if other is not None and other.finished is not None and other._replace(finished=finished).told() == job.told():
            job = other  # only looked at later
        self.updated[key, attempt] = job
        self.jobs.add(job)

    def _attempts(self, run_id: str, attempt: int, jobs: Sequence[JobRecord]) -> list[tuple[str, int, JobRecord]]:
        """Give the attempts of a run in their order; what a re-run took over counts once, one name is one repo."""
        names = {job.name for job in jobs}
        taken: dict[tuple[object, ...], int] = {}
        many: dict[tuple[str, int], int] = {}
        numbers: dict[str, set[int]] = {}
        attempts = []
        for job in sorted(in_order_of_id(jobs), key=lambda job: job.attempt):
            numbers.setdefault(job.name, set()).add(job.attempt)
            if job.tried and job.started is not None and job.finished is not None:
                first = taken.setdefault(job.told(), job.attempt)
                if first != job.attempt:
                    self.found.say("jobs that a re-run took over from an earlier attempt", f"{job.name} of {run_id}")
                    continue
            key = job.name, job.attempt
            count = many[key] = many.get(key, 0) + 1
            repo = job.name
            if count > 1:
                self.found.say("jobs of one name in one attempt, which got numbers", f"{job.name} of {run_id}")
                while (repo := f"{job.name} #{count}") in names:
                    count = many[key] = count + 1
            attempts.append((repo, job.attempt, job))
        last = max(job.attempt for job in jobs)
        if attempt > last or any(len(told) < max(told) for told in numbers.values()):
            self.found.say("runs of which not every attempt is told", run_id)
        return attempts
