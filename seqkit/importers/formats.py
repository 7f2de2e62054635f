"""The formats that other systems' runs are read from: one table.

A new one is a module and a row here. The module has the function that reads it, ``read(files, graph=None) ->
Recorded``: `files` are those of the files given that `sniff` took for its own (:class:`seqkit.readers._files.Opened`,
read and parsed once), companions such as a manifest among them, and `graph` tells who needs whom where the files
do not. It makes rows of attempts and nothing else (:class:`seqkit.importers._recorded.Recorded`); ledgers are made of
them in :mod:`seqkit.importers.frames`.

Other packages add formats by the entry point group ``seqkit.run_formats``: each is a
:class:`seqkit._util.formats.Format` whose `sniff` is given an :class:`Opened` file.
"""

from __future__ import annotations

from functools import cache

from seqkit._util.formats import Format, added_by
from seqkit.importers._recorded import Recorded
from seqkit.importers.airflow import is_airflow, read_airflow
from seqkit.importers.argo import is_argo, read_argo
from seqkit.importers.dbt import is_dbt_run, read_dbt_runs
from seqkit.importers.github import is_github, read_github
from seqkit.importers.gitlab import is_gitlab, read_gitlab
from seqkit.importers.junit import is_junit, read_junit
from seqkit.importers.table import is_attempts, read_attempts_table
from seqkit.importers.turbo import is_turbo_run, read_turbo_runs

__all__ = ["FORMATS", "all_run_formats"]

GROUP = "seqkit.run_formats"
"""The entry points by which other packages add formats."""

FORMATS: tuple[Format[Recorded], ...] = (
    Format(
        "turbo",
        "summaries of runs of turbo",
        read_turbo_runs,
        (".json",),
        sniff=is_turbo_run,  # before all others that are JSON: a dry run may have text before it
        sign="turboVersion, execution and tasks",
        detail="turbo run build --summarize, with a dry run",
    ),
    Format(
        "dbt",
        "runs of dbt",
        read_dbt_runs,
        (".json",),
        sniff=is_dbt_run,
        sign="invocation_id and results",
        detail="run_results.json, with the manifest.json",
    ),
    Format(
        "argo",
        "workflows of Argo",
        read_argo,
        (".json", ".yaml", ".yml"),
        sniff=is_argo,
        sign="kind: Workflow",
        detail="argo get -o json",
    ),
    Format(
        "junit",
        "results of tests in JUnit's XML",
        read_junit,
        (".xml",),
        sniff=is_junit,
        sign="testsuites",
    ),
    Format(
        "github",
        "runs of GitHub Actions",
        read_github,
        (".json", ".yml", ".yaml"),
        sniff=is_github,
        sign="jobs or workflow_runs, a run or a list of runs",
        detail="from the REST API, gh run view, gh run list or webhooks, with their workflows; earlier attempts only "
        "where they were asked for, reasons never",
    ),
    Format(
        "gitlab",
        "jobs of GitLab",
        read_gitlab,
        (".json", ".yml", ".yaml"),
        sniff=is_gitlab,
        sign="list of jobs with a stage and a pipeline",
        detail="from its API, with the .gitlab-ci.yml; earlier attempts only with include_retried",
    ),
    Format(
        "airflow",
        "task instances of Airflow",
        read_airflow,
        (".csv", ".tsv", ".json"),
        sniff=is_airflow,
        sign="dag_id, task_id, state and try_number",
        detail="exports of its tables, or listings of its REST API; of a database see read_attempts",
    ),
    Format(
        "csv",
        "a table of attempts",
        read_attempts_table,
        (".csv", ".tsv"),
        sniff=is_attempts,
        sign="the columns run_id, repo_id and status",
        detail="with the columns of attempts_frame",
    ),
)
"""In the order in which they are asked; `sniff` is given an :class:`Opened` file."""


@cache
def all_run_formats() -> tuple[Format[Recorded], ...]:
    """Give the formats of the table and those that installed packages add."""
    return added_by(GROUP, FORMATS)
