"""Shapes in which GitHub's REST API, its webhooks and ``gh`` tell of runs and jobs, and where each has what."""

from __future__ import annotations

import re
from typing import Any

from seqkit.errors import ReadError
from seqkit.importers._jobs import identity, number_from_one
from seqkit.readers._files import Opened, typed

__all__ = ["attempt_of", "kind_of", "of_url", "pick", "repository_in", "run_id_of", "total_of"]

_OF_GH = frozenset(
    (
        *("conclusion", "createdAt", "databaseId", "displayTitle", "headBranch", "headSha", "startedAt", "updatedAt"),
        *("workflowDatabaseId", "workflowName"),
    )
)
_RUN_IN_URL = re.compile(r"/actions/runs/([0-9]{1,19})(?:/attempts/([0-9]{1,9}))?(?:[/?#]|$)")
_WORD = r"[^/\s?#\ud800-\udfff]+"
_REPOSITORY_IN_URL = re.compile(rf"https?://[^/\s]+/(?:api/v3/)?(?:repos/)?({_WORD}/{_WORD})/(?:actions|runs)/")
_ENVELOPES = ("workflow_job", "workflow_run", "workflow_runs")


def kind_of(document: object) -> str | None:
    """Say which shape a JSON value has.

    ``workflow_job``, ``workflow_run`` (webhooks), ``workflow_runs``, ``jobs`` (lists of the REST API), ``run``, ``job``
    (one of either), ``gh`` (a run as gh tells it), or None.
    """
    if not isinstance(document, dict):
        return None
    jobs = document.get("jobs")
    first = jobs[0] if isinstance(jobs, list) and jobs else None
    inner = first if isinstance(first, dict) else {}
    signs = {
        **{key: key in document for key in _ENVELOPES},
        "job": "run_id" in document and "conclusion" in document,
        "run": "run_number" in document or ("workflow_id" in document and "id" in document),
        "jobs": "run_id" in inner or (jobs == [] and "total_count" in document),
        "gh": "databaseId" in inner or (not {"status", "conclusion"}.isdisjoint(document) and _OF_GH & document.keys()),
    }
    return next((kind for kind, is_so in signs.items() if is_so), None)


def total_of(file: Opened, at: str, table: dict[str, Any]) -> int:
    """Give how many there are of what a list holds a page of; 0 where it does not say."""
    total = table.get("total_count", 0)
    return number_from_one(file, f"{at}total_count", total) if total not in (0, None) else 0


def pick(table: dict[str, Any], *keys: str) -> tuple[str, Any]:
    """Give the first of several keys that tells something, and what; else the first, and None."""
    return next(((key, table[key]) for key in keys if table.get(key) not in (None, "")), (keys[0], None))


def run_id_of(file: Opened, where: str, run: dict[str, Any]) -> str:
    """Give the id of a run.

    Raises
    ------
    ReadError
        Where it has none, saying how to ask for it.
    """
    key, value = pick(run, "databaseId", "id")
    if value is not None:
        return identity(file, f"{where}.{key}", value)
    if found := _found(run, "html_url", "url"):
        return found[0]
    if run.get("number") is not None:
        name = run.get("workflowName")
        number = identity(file, f"{where}.number", run["number"])
        return f"{typed(file, f'{where}.workflowName', name, str)} #{number}" if name else number
    raise ReadError(
        file,
        None,
        f"{where} has no id of its run (databaseId; nor url, nor number): ask for it, gh run list --json databaseId,"
        "attempt,workflowName,status,conclusion,startedAt,updatedAt,url; or read the file as a table: "
        "ledger_from_frame(pandas.read_json(path), run=None, …)",
    )


def _found(table: dict[str, Any], *keys: str) -> tuple[str, int] | None:
    """Give the run and the attempt that a URL names."""
    for key in keys:
        url = table.get(key)
        if isinstance(url, str) and (told := _RUN_IN_URL.search(url)):
            return told[1], max(int(told[2] or 1), 1)
    return None


def of_url(file: Opened, where: str, job: dict[str, Any], *keys: str) -> tuple[str, int]:
    """Give the run and the attempt that a URL of a job names.

    Raises
    ------
    ReadError
        Where none does, saying how to ask for it.
    """
    found = _found(job, *keys)
    if found is None:
        raise ReadError(
            file,
            None,
            f"{where} has no id of its run (run_id, or {keys[0]} with /actions/runs/ in it): ask for it, gh run view "
            "123 --json databaseId,attempt,jobs",
        )
    return found


def attempt_of(file: Opened, at: str, run: dict[str, Any]) -> int:
    """Give the attempt that a run, as it is told, is about; 1 where nothing is said."""
    key, value = pick(run, "run_attempt", "attempt")
    if value is not None:
        return number_from_one(file, at + key, value)
    found = _found(run, "html_url", "url")
    return found[1] if found else 1


def repository_in(url: object) -> str | None:
    """Give the owner and the name of the repository that a URL of a run or a job names."""
    told = _REPOSITORY_IN_URL.match(url) if isinstance(url, str) else None
    return told and told[1]
