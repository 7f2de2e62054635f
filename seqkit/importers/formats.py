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

__all__ = ["FORMATS", "all_run_formats"]

GROUP = "seqkit.run_formats"
"""The entry points by which other packages add formats."""

FORMATS: tuple[Format[Recorded], ...] = (
    Format(
        "airflow",
        "task instances of Airflow",
        read_airflow,
        (".csv", ".tsv", ".json"),
        sniff=is_airflow,
        sign="dag_id, task_id, state and try_number",
        detail="exports of its tables, or listings of its REST API; of a database see read_attempts",
    ),
)
"""In the order in which they are asked; `sniff` is given an :class:`Opened` file."""


@cache
def all_run_formats() -> tuple[Format[Recorded], ...]:
    """Give the formats of the table and those that installed packages add."""
    return added_by(GROUP, FORMATS)
