"""Airflow: task instances and their tries, from exports of its tables and from its REST API.

What is read:

- CSV of the tables ``task_instance`` and ``task_instance_history`` (since Airflow 2.10), which belong together. The
  second is known by its column ``task_instance_id``, or by ``history`` in the file's name;
- JSON of the REST API: ``GET /dags/{dag}/dagRuns/{run}/taskInstances`` and ``…/taskInstances/{task}/tries``;
- JSON of ``GET /dags/{dag}/tasks``, which tells who waits for whom;
- a live database, see :mod:`seqkit.importers._airflow_database`.

A repo is a task, ``extract``, or an instance of a mapped one, ``extract[3]``. A run is ``dag_id#run_id``, for Airflow's
own ids (``scheduled__2026-01-05T00:00:00+00:00``) come again in every DAG. What ``try_number`` means is told in
:mod:`seqkit.importers._airflow_tries`. A task that is skipped was left out by a choice, or by one that stands above it:
it is ``skipped``, never ``blocked``, also where a failure stands above it. One whose upstream failed is ``blocked``, by
the failed tasks above it that its DAG tells, else the graph that was given.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.ids import is_blank
from seqkit.errors import ReadError
from seqkit.importers._airflow_structure import Structure, blame, structure_of
from seqkit.importers._airflow_tries import TaskTry, instances_of, read_try
from seqkit.importers._recorded import Recorded
from seqkit.readers._files import Opened, described, typed
from seqkit.readers._tables import check_width, rows_in, separator_in

__all__ = ["SYSTEM", "is_airflow", "is_airflow_database", "read_airflow", "read_airflow_database", "recorded"]

SYSTEM = "Airflow"
_NEEDED = ("dag_id", "task_id", "state", "try_number")
_RUNS = ("run_id", "execution_date")


def is_airflow(file: Opened) -> bool:
    """Tell whether a file is an export of Airflow's task instances, or a listing of its REST API."""
    text = file.text
    with contextlib.suppress(ReadError):  # what is malformed may be of another system, which understands it
        if text.lstrip()[:1] == "{":
            return file.has_keys("task_instances") or _is_structure(file.document)
        separator, start = separator_in(text, _is_header)
        rows = (row for line, row in rows_in(file, text, separator) if line >= start and not _is_empty(row))
        return _is_header(next(rows, []))
    return False


def read_airflow(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    r"""Read files of Airflow's that belong together.

    Parameters
    ----------
    files : sequence of Opened
        Those that :func:`is_airflow` takes for its own; the other files of a history are not among them.
    graph : RepoDependencyGraph or None
        Who waits for whom, by the names of tasks, where no file tells.

    Raises
    ------
    ReadError
        Where a file is malformed, a state is none of Airflow's, or two rows contradict each other.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> table = (
    ...     "dag_id,task_id,run_id,state,try_number,start_date,end_date\n"
    ...     "etl,load,r1,failed,1,2026-01-05T10:00:00Z,2026-01-05T10:05:00Z\n"
    ...     "etl,report,r1,upstream_failed,0,,\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "task_instance.csv")
    ...     _ = path.write_text(table)
    ...     found = read_airflow([Opened(path)], RepoDependencyGraph.from_edges([("load", "report")]))
    >>> [(row.run_id, row.repo_id, row.attempt, row.status, row.blocked_by) for row in found.rows]
    [('etl#r1', 'load', 1, 'failed', ()), ('etl#r1', 'report', None, 'blocked', ('load',))]
    """
    found = Recorded(SYSTEM)
    tries: list[TaskTry] = []
    structures: list[Structure] = []
    listed = promised = 0
    for file in files:
        if file.text.lstrip()[:1] != "{":
            tries += _of_table(file, found)
        elif _is_structure(file.document):
            structures.append(structure_of(file, "tasks", file.document["tasks"]))
        else:
            own = _of_listing(file, found)
            tries += own
            listed += len(own)
            promised = max(promised, _entries(file))
    if promised > listed:
        found.say_once(f"a listing is of {promised:,} task instances, of which {listed:,} are there: pages are missing")
    return recorded(tries, structures, graph, found)


def recorded(
    tries: list[TaskTry], structures: Sequence[Structure], graph: RepoDependencyGraph | None, found: Recorded
) -> Recorded:
    """Make rows of what was read."""
    instances = instances_of(tries, found)
    blockers = blame(instances, structures, graph, found)
    for instance in instances:
        for one in instance.tries or (instance.last,):
            found.add(
                one.run_id,
                one.repo_id,
                one.meaning,
                attempt=one.number,
                started=one.started,
                finished=one.finished,
                blocked_by=blockers.get((one.run_id, one.repo_id), ()) if one.meaning == "blocked" else (),
                detail=one.detail,
            )
    return found


def _of_table(file: Opened, found: Recorded) -> Iterator[TaskTry]:
    separator, start = separator_in(file.text, _is_header)
    header: list[str] = []
    is_earlier = "history" in os.path.basename(os.fspath(file)).lower()
    for line, row in rows_in(file, file.text, separator):
        if line < start or _is_empty(row):
            continue
        if header:
            check_width(file, line, row, header, separator)
            yield read_try(file, "", dict(zip(header, row, strict=True)), found, is_earlier, line)
            continue
        header = [name.strip().lower() for name in row]
        if not _is_header(row):
            raise ReadError(file, line, f"has not the columns {', '.join(_NEEDED)} and run_id once each")
        is_earlier = is_earlier or "task_instance_id" in header


def _is_header(row: Sequence[str]) -> bool:
    names = [name.strip().lower() for name in row]
    read = [names.count(name) for name in (*_NEEDED, "map_index", "start_date", "end_date", *_RUNS)]
    return all(name in names for name in _NEEDED) and any(name in names for name in _RUNS) and max(read) == 1


def _is_empty(row: Sequence[str]) -> bool:
    return all(map(is_blank, row))


def _is_structure(document: Any) -> bool:
    tasks = document.get("tasks") if isinstance(document, dict) else None
    return (
        isinstance(tasks, list)
        and bool(tasks)
        and all(isinstance(task, dict) and "task_id" in task and "downstream_task_ids" in task for task in tasks[:1])
    )


def _of_listing(file: Opened, found: Recorded) -> list[TaskTry]:
    document = typed(file, "the file", file.document, dict)
    if "task_instances" not in document:
        raise ReadError(file, None, "has no task_instances, and no tasks with downstream_task_ids")
    entries = typed(file, "task_instances", document["task_instances"], list)
    places = ((f"task_instances[{number}]", entry) for number, entry in enumerate(entries))
    return [read_try(file, f"{place}.", typed(file, place, entry, dict), found) for place, entry in places]


def _entries(file: Opened) -> int:
    total = file.document.get("total_entries", 0)
    if not isinstance(total, int) or isinstance(total, bool):
        raise ReadError(file, None, f"total_entries is {described(total)}, expected a whole number")
    return total


# ---------------------------------------------------------------------- databases


def is_airflow_database(path_or_url: str | os.PathLike[str]) -> bool:
    """Tell whether it is a database of Airflow's, by its table ``task_instance``: a SQLite file, or a URL.

    A URL is connected to, but that of a database which only Airflow's are read from (MySQL).

    Raises
    ------
    ReadError
        Where a URL is malformed, or its database cannot be asked. The password is not in it.
    """
    from seqkit.importers._airflow_database import has_task_instances  # noqa: PLC0415  # SQLAlchemy takes long

    return has_task_instances(path_or_url)


def read_airflow_database(url: str | os.PathLike[str], graph: RepoDependencyGraph | None = None) -> Recorded:
    """Read the task instances of a database of Airflow's; nothing is written to it.

    Parameters
    ----------
    url : str or path
        ``postgresql://user@host/airflow`` (needs the extra ``postgres``), ``mysql://user@host/airflow`` (needs a driver
        of MySQL's), ``sqlite:////srv/airflow.db``, or the path of that file.
    graph : RepoDependencyGraph or None
        Who waits for whom, by the names of tasks, where the table ``serialized_dag`` does not tell.

    Raises
    ------
    ReadError
        Where it cannot be read, or what is in it is malformed. No password is in it.
    ImportError
        Where the driver is missing.
    """
    from seqkit.importers._airflow_database import read_database  # noqa: PLC0415  # SQLAlchemy takes long

    return read_database(url, graph)
