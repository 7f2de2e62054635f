"""Jobs of GitLab's pipelines, as its API lists them.

What they lose: attempts that were retried, unless asked for with ``include_retried``; who blocked whom, without the
``.gitlab-ci.yml`` or a graph; which stage comes before which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import ReadError
from seqkit.importers._called import Workflows
from seqkit.importers._jobs import (
    JobRecord,
    JobRecords,
    identity,
    in_order_of_id,
    json_in,
    looks_like_json,
    rows_of_run,
)
from seqkit.importers._needs import JobNeeds
from seqkit.importers._recorded import Recorded, moment
from seqkit.importers._words import plain, says_more
from seqkit.readers._files import Opened, described, typed
from seqkit.readers.workflows import is_gitlab_pipeline

__all__ = ["is_gitlab", "read_gitlab"]

_PROJECT = re.compile(r"https?://[^/\s]+/([^\s?#\ud800-\udfff]+?)(?:/-)?/(?:jobs|builds|pipelines)/[0-9]+(?:[/?#]|$)")
_OF_JOBS = ("id", "name", "stage", "status", "pipeline")


def is_gitlab(file: Opened) -> bool:
    """Tell whether a file lists jobs of GitLab, or is a pipeline in YAML."""
    if not looks_like_json(file):
        return is_gitlab_pipeline(file)
    document = json_in(file)
    while isinstance(document, list):
        document = next(iter(document), None)
    return isinstance(document, dict) and all(key in document for key in _OF_JOBS)


def read_gitlab(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    r"""Read jobs of GitLab's pipelines: every job is a repo, by its name, and a pipeline is a run.

    A run is called ``group/project#id``, or by the pipeline's id alone where no job has a `web_url`. Jobs of one name
    in one pipeline are attempts, in the order of their ids.

    A job that was skipped is ``blocked`` where the ``.gitlab-ci.yml`` among the files, or `graph`, says that it needs
    one that failed, and that was not allowed to. A manual job that nobody started is ``skipped``.

    Parameters
    ----------
    files : sequence of Opened
        Such as ``GET /projects/:id/pipelines/:id/jobs?include_retried=true``, ``…/bridges``, ``/projects/:id/jobs``,
        and a ``.gitlab-ci.yml``.
    graph : RepoDependencyGraph or None
        Who needs whom, by the names of jobs; None leaves it to the pipelines in YAML.

    Raises
    ------
    ReadError
        Where a file is malformed, has words that nobody knows, or contradicts another.
    DependencyCycle
        Where `graph` has a cycle.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> job = {"name": "test", "stage": "test", "pipeline": {"id": 7}}
    >>> jobs = [job | {"id": 1, "status": "failed", "failure_reason": "script_failure"}]
    >>> jobs += [job | {"id": 2, "status": "success"}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "jobs.json")
    ...     _ = file.write_text(json.dumps(jobs))
    ...     found = read_gitlab([Opened(file)])
    >>> [(row.run_id, row.repo_id, row.attempt, row.status, row.reason) for row in found.rows]
    [('7', 'test', 1, 'failed', 'script_failure'), ('7', 'test', 2, 'succeeded', None)]
    """
    found = Recorded("GitLab")
    listed = [file for file in files if looks_like_json(file)]
    if files and not listed:
        raise ReadError(
            files[0], None, "is a pipeline, expected its jobs beside it: GET /projects/:id/pipelines/:id/jobs"
        )
    tables = [
        (file, where, table, *_pipeline_of(file, where, table))
        for file in listed
        for where, table in _tables(file, "", file.document)
    ]
    projects: dict[str, set[str]] = {}
    for *_, pipeline, project in tables:
        projects.setdefault(pipeline, set()).update([project] * bool(project))
    jobs = JobRecords(found)
    for file, where, table, pipeline, own in tables:
        known = projects[pipeline]
        project = own or (next(iter(known)) if len(known) == 1 else "")
        jobs.add(_job(file, where, table, f"{project}#{pipeline}" if project else pipeline, jobs, found))
    pipelines = Workflows([file for file in files if not looks_like_json(file)])
    given = None if graph is None else JobNeeds(graph)
    for run_id, own_jobs in jobs.by_run().items():
        needs = given or pipelines.needs_of(None, {job.name for job in own_jobs})
        rows_of_run(found, run_id, _attempts(own_jobs), needs)
    return found


def _tables(file: Opened, where: str, document: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the jobs of a document: one, a list, or a list of such lists, as pages are put together."""
    if isinstance(document, list) and where.count("[") < 2:
        for index, one in enumerate(document):
            yield from _tables(file, f"{where}[{index}]", one)
    else:
        yield where or "the job", typed(file, where or "the document", document, dict)


def _pipeline_of(file: Opened, where: str, job: dict[str, Any]) -> tuple[str, str]:
    """Give the id of a job's pipeline, and its project where told."""
    pipeline = typed(file, f"{where}.pipeline", job.get("pipeline"), dict)
    for url in (job.get("web_url"), pipeline.get("web_url")):
        told = _PROJECT.match(url) if isinstance(url, str) else None
        if told:
            return identity(file, f"{where}.pipeline.id", pipeline.get("id")), told[1]
    return identity(file, f"{where}.pipeline.id", pipeline.get("id")), ""


def _job(file: Opened, where: str, table: dict[str, Any], run: str, jobs: JobRecords, found: Recorded) -> JobRecord:
    name = typed(file, f"{where}.name", table.get("name"), str)
    if not name.strip():
        raise ReadError(file, None, f"{where}.name is {described(name)}, expected the name of the job")
    word = typed(file, f"{where}.status", table.get("status"), str)
    meaning = jobs.meaning_of(file, f"{where}.status", word)
    if plain(word) == "manual":  # nobody chose to start it
        meaning = "skipped"
    started, finished = (moment(file, f"{where}.{key}", table.get(key), found) for key in ("started_at", "finished_at"))
    reason = table.get("failure_reason")
    if reason is not None:
        typed(file, f"{where}.failure_reason", reason, str)
    allowed = table.get("allow_failure")
    if allowed is not None:
        typed(file, f"{where}.allow_failure", allowed, bool)
    detail = plain(word) if says_more(word) else None
    which = run, identity(file, f"{where}.id", table.get("id")), name, 1
    return JobRecord(*which, meaning, started, finished, reason or None, detail, not allowed, file, where)


def _attempts(jobs: Sequence[JobRecord]) -> list[tuple[str, int, JobRecord]]:
    """Number the attempts at each job; what was not tried has no number of its own."""
    tried: dict[str, int] = {}
    attempts = []
    for job in in_order_of_id(jobs):
        tried[job.name] = tried.get(job.name, 0) + job.tried
        attempts.append((job.name, tried[job.name], job))
    return attempts
