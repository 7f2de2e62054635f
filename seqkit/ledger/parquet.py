"""Ledgers as folders of Parquet files, for engines that read those: see :func:`write_parquet`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.files import adding
from seqkit._util.secrets import as_given, shown
from seqkit.errors import Backend, ReadError, StorageError
from seqkit.ledger.base import LedgerLike, RunLedger
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.frames import events_frame, items_frame, runs_frame
from seqkit.ledger.jsonl import compact_json
from seqkit.ledger.memory import MemoryRunLedger
from seqkit.ledger.reading import lent, source_of
from seqkit.ledger.urls import no_name

__all__ = ["PartitionBy", "write_parquet"]

PartitionBy = Literal["run_id", "month"]
"""What becomes a partition: a run, or the runs that started in a month."""

_BY_RUN = {"events": events_frame, "items": items_frame}
_RUNS = "runs"  # files are put in their places in the order of these names, so a run's own row comes last
_TABLES = (*_BY_RUN, _RUNS)
_FOLDERS = {"run_id": "run", "month": "month"}
_FILE = "part-0.parquet"
_NOWHERE = "unknown"  # not what Hive calls a missing value: a column of nothing else has no type
_PLAIN = re.compile(r"[a-z0-9_-](?:[a-z0-9._-]{0,98}[a-z0-9_-])?")
_NOT_PLAIN = re.compile(r"[^a-z0-9_-]+")
_HALVES = re.compile("[\ud800-\udfff]")
_GOES_ON = "RUNNING"


def write_parquet(
    ledger: LedgerLike,
    folder: str | os.PathLike[str],
    partition_by: PartitionBy = "run_id",
    anew: bool = False,
) -> list[str]:
    """Write the frames of a ledger as a folder of Parquet files, for pandas, DuckDB, Polars, Spark, Dask and the like.

    Called again with the same folder it adds what is new: runs that are not there yet or have changed. One that is
    there and has ended is not written again.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        What to write.
    folder : str or path
        Where to: a folder that is not there yet, is empty, or was written by this function with the same
        `partition_by`.
    partition_by : {"run_id", "month"}
        What becomes a file in each of the three: a run, or the runs that started in a month (UTC), for ledgers of
        thousands of runs. A month that gets another run is written again as a whole; those of its runs that `ledger`
        does not have stay in it.
    anew : bool
        Whether to write runs again too that are there and have ended.

    Returns
    -------
    list of str
        The ids of the runs that were written, in the order of the ledger.

    Raises
    ------
    ImportError
        Where pyarrow is missing, which the extra ``parquet`` brings.
    ValueError, TypeError
        Where an argument is something else, or `folder` holds something else.
    ReadError
        Where there is no such ledger, or what is in the folder cannot be read.
    StorageError
        Where a payload is no JSON (NaN), or the folder cannot be written.

    Warns
    -----
    RepeatedRecords
        As :func:`seqkit.items_frame` does.

    Notes
    -----
    In the folder are ``runs``, ``items`` and ``events``, each a data set in Hive's style, such as
    ``events/run=…/part-0.parquet`` or ``events/month=2026-01/part-0.parquet``. Columns are those of
    :func:`seqkit.runs_frame`, :func:`seqkit.items_frame` and :func:`seqkit.events_frame`, the same in every file, and
    `source` (text, missing where the ledger tells none). Payloads are JSON text, `blocked_by` are lists of text,
    `status` and `skip_cause` are dictionaries, times are UTC in microseconds. Parquet knows no durations: readers that
    know Arrow's get them back, to others `duration` is a whole number of microseconds. Half a character, which is no
    Unicode, becomes U+FFFD.

    The column `run_id` holds every id as it is: use that one. The name of a partition only tells where to look, and
    engines guess its type, so that ``007`` would be a 7. It is the id where that has at most 100 lower-case letters,
    digits and ``_ . -``, else what is left of it with a digest: ``run=spring_2~3ee5c4ef5c654ada``.

    A folder that is new comes whole or not at all. In one that was there each file comes whole, a run's row in ``runs``
    after its items and events; where the machine stops in between, the next call does the rest. Only one may write
    to a folder at a time.

    Examples
    --------
    >>> import tempfile
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> ledger = MemoryRunLedger(ids=["first", "second"])
    >>> outcome = run_plan(plan, 0.0, ledger, rng=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_parquet(ledger, folder)
    ...     outcome = run_plan(plan, {"api": 1.0}, ledger, rng=7)
    ...     added = write_parquet(ledger, folder)
    ...     items = pd.read_parquet(Path(folder, "items"))
    >>> written, added
    (['first'], ['second'])
    >>> items[["run_id", "repo_id", "status"]].values.tolist()  # doctest: +NORMALIZE_WHITESPACE
    [['first', 'core', 'succeeded'], ['first', 'api', 'succeeded'],
     ['second', 'core', 'succeeded'], ['second', 'api', 'failed']]
    """
    if partition_by not in get_args(PartitionBy):
        raise ValueError(f"partition_by is {as_given(partition_by, 200)}, expected one of {get_args(PartitionBy)}")
    target = _checked(folder, partition_by)
    parquet = _Parquet(source_of(ledger))
    with lent(ledger, existing=True) as kept:
        runs = runs_frame(kept)
        told = parquet.table(_RUNS, runs)
        tables = _tables(parquet, kept, runs, told)
        there = _there(parquet, target, partition_by)
        rows: dict[str, _Rows] = {run_id: [] for run_id in _run_ids(kept)}
        for run_id, row in zip(runs["run_id"], told.to_pylist(), strict=True):
            rows[run_id].append(row)
        new = [run_id for run_id, own in rows.items() if anew or _is_new(own, there.get(_text(run_id), ("", []))[1])]
        places: dict[str, list[str]] = {}
        for run_id in new:
            places.setdefault(_place(run_id, rows[run_id], partition_by), []).append(run_id)
            if _text(run_id) in there:  # it may stand elsewhere, where what was read tells another start of it
                places.setdefault(there[_text(run_id)][0], [])
        if new or not target.is_dir():
            _write(parquet, target, tables, places, new)
    return new


# ---------------------------------------------------------------------- what is written

_TableOf = Callable[[str, str], Any]
_Rows = list[dict[str, Any]]


def _run_ids(ledger: RunLedger) -> list[str]:
    """List the runs, and those that only events tell of."""
    ids = [run.run_id for run in ledger.list_runs()]
    if isinstance(ledger, FoundLedger):
        ids += [event.run_id for event in ledger.events]
    return list(dict.fromkeys(ids))


def _tables(parquet: _Parquet, ledger: RunLedger, runs: pd.DataFrame, told: Any) -> _TableOf:
    """Give a function that gives a table's rows of a run."""
    whole = {_RUNS: _by_run(runs, told)}
    if isinstance(ledger, FoundLedger):
        # All is in memory anyway, and is told at once: what stands there twice is then warned of once.
        for name, make in _BY_RUN.items():
            frame = make(ledger)
            whole[name] = _by_run(frame, parquet.table(name, frame))

    def of_run(name: str, run_id: str) -> Any:
        return whole[name](run_id) if name in whole else parquet.table(name, _BY_RUN[name](ledger, run_id))

    return of_run


def _by_run(frame: pd.DataFrame, table: Any) -> Callable[[str], Any]:
    """Give a function that gives the rows of a run in the table that was made of a frame."""
    parts = frame.groupby("run_id", sort=False).indices
    nothing = np.empty(0, np.int64)
    return lambda run_id: table.take(parts.get(run_id, nothing))


def _is_new(rows: _Rows, there: _Rows) -> bool:
    """Say whether a run has to be written: it is not there, is there with another record, or goes on."""
    if not rows or not there or any(row["status"] == _GOES_ON for row in rows):
        return True
    return [row | {"source": None} for row in rows] != [row | {"source": None} for row in there]


def _place(run_id: str, rows: _Rows, partition_by: PartitionBy) -> str:
    """Name the partition of a run."""
    if partition_by == "run_id":
        return f"run={_label(run_id)}"
    return f"month={rows[0]['started_at']:%Y-%m}" if rows else f"month={_NOWHERE}"


def _label(run_id: str) -> str:
    """Give a name of a folder for a run, a different one for each, also where upper and lower case are one.

    Examples
    --------
    >>> _label("run-7"), _label("Spring/2")
    ('run-7', 'spring_2~3ee5c4ef5c654ada')
    """
    if _PLAIN.fullmatch(run_id):
        return run_id
    digest = hashlib.sha256(run_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{_NOT_PLAIN.sub('_', run_id.lower())[:60]}~{digest}"


def _write(parquet: _Parquet, target: Path, tables: _TableOf, places: dict[str, list[str]], new: Sequence[str]) -> None:
    gone = [_text(run_id) for run_id in new]
    try:
        with adding(target) as draft:
            for name in _TABLES:
                (draft / name).mkdir()
                for place, run_ids in places.items():
                    parts = [tables(name, run_id) for run_id in run_ids]
                    before = target / name / place / _FILE
                    if before.exists():
                        parts.insert(0, parquet.without(name, before, gone))
                    (draft / name / place).mkdir()
                    parquet.files.write_table(parquet.joined(name, parts), draft / name / place / _FILE)
    except OSError as error:
        raise Backend(f"{shown(os.fspath(target))}: cannot be written: {error.strerror or error}") from None


# ---------------------------------------------------------------------- what is there


def _checked(folder: str | os.PathLike[str], partition_by: PartitionBy) -> Path:
    """Read the argument `folder`, and see whether it can be added to."""
    if not isinstance(folder, str | os.PathLike) or not isinstance(os.fspath(folder), str):
        raise TypeError(f"folder is {as_given(folder)}, expected a path: write_parquet(ledger, folder)")
    name = os.fspath(folder)
    expected = "expected a folder that is new, empty or was written by write_parquet"
    if (why := no_name(name)) or "://" in name:
        raise ValueError(f"folder is {as_given(name, 200)}, {why or 'a URL'}; {expected}")
    target = Path(name)
    if target.exists() and not target.is_dir():
        raise ValueError(f"folder is {as_given(name, 200)}, a file; {expected}")
    if not target.is_dir():
        return target
    for path in sorted(target.iterdir()):
        if path.name not in _TABLES and not path.name.startswith("."):
            raise ValueError(f"folder is {as_given(name, 200)}, which holds {as_given(path.name, 80)}; {expected}")
    for path in sorted(target.glob("*/*")):
        if not path.name.startswith((f"{_FOLDERS[partition_by]}=", ".")):
            raise ValueError(
                f"folder is {as_given(name, 200)}, which holds {as_given(f'{path.parent.name}/{path.name}', 120)} and "
                f"is not partitioned by {partition_by}; {expected} with the same partition_by"
            )
    return target


def _there(parquet: _Parquet, target: Path, partition_by: PartitionBy) -> dict[str, tuple[str, _Rows]]:
    """Give the runs that are there: the partition and the rows of each."""
    found: dict[str, tuple[str, _Rows]] = {}
    for path in sorted(target.glob(f"{_RUNS}/{_FOLDERS[partition_by]}=*/{_FILE}")):
        for row in parquet.read(_RUNS, path).to_pylist():
            found.setdefault(row["run_id"], (path.parent.name, []))[1].append(row)
    return found


# ---------------------------------------------------------------------- frames as tables of Arrow


class _Parquet:
    """Makes Arrow's tables of frames, the columns of which are the same whatever is in them."""

    def __init__(self, source: str | None) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415  # an extra
            from pyarrow import parquet  # noqa: PLC0415
        except ImportError:
            raise ImportError(
                'write_parquet needs pyarrow, which is not installed: pip install "seqkit-py[parquet]"'
            ) from None
        self._arrow, self.files = pa, parquet
        self._source = source
        nothing = MemoryRunLedger()
        frames = {name: make(nothing) for name, make in _BY_RUN.items()} | {_RUNS: runs_frame(nothing)}
        self._schemas = {name: self._schema(frame) for name, frame in frames.items()}

    def _schema(self, frame: pd.DataFrame) -> Any:
        arrow = self._arrow
        text = arrow.string()
        own = {"payload": text, "blocked_by": arrow.list_(text)}  # what no dtype tells
        kept = arrow.Schema.from_pandas(frame, preserve_index=False)
        fields = [arrow.field(field.name, own.get(field.name, field.type)) for field in kept]
        return arrow.schema([*fields, arrow.field("source", text)])

    def table(self, name: str, frame: pd.DataFrame) -> Any:
        """Make a table of a frame.

        Raises
        ------
        StorageError
            Where a payload is no JSON.
        """
        frame = frame.reset_index(drop=True)
        if "source" not in frame:
            frame["source"] = dtypes.string([self._source] * len(frame))
        if "payload" in frame:
            frame["payload"] = dtypes.string(
                [_json(run_id, payload) for run_id, payload in zip(frame["run_id"], frame["payload"], strict=True)]
            )
        if "blocked_by" in frame:
            frame["blocked_by"] = dtypes.objects([list(repos) for repos in frame["blocked_by"]])
        try:
            return self._made(name, frame)
        except UnicodeEncodeError:  # half a character, somewhere
            for column in frame:
                if isinstance(frame[column].dtype, pd.StringDtype):
                    frame[column] = dtypes.string([None if text is pd.NA else _text(text) for text in frame[column]])
            if "blocked_by" in frame:
                frame["blocked_by"] = dtypes.objects([[_text(repo) for repo in repos] for repos in frame["blocked_by"]])
            return self._made(name, frame)

    def _made(self, name: str, frame: pd.DataFrame) -> Any:
        return self._arrow.Table.from_pandas(frame, schema=self._schemas[name], preserve_index=False, nthreads=1)

    def joined(self, name: str, tables: Sequence[Any]) -> Any:
        """Make one table of several, or of none."""
        return self._arrow.concat_tables(tables or [self._schemas[name].empty_table()]).unify_dictionaries()

    def read(self, name: str, path: Path) -> Any:
        """Read a file that was written before.

        Raises
        ------
        ReadError
            Where it cannot be, or its columns are others.
        """
        try:
            with self.files.ParquetFile(path) as file:
                table = file.read()
        except (OSError, self._arrow.ArrowException) as error:
            raise ReadError(shown(os.fspath(path)), None, f"cannot be read as Parquet: {error}") from None
        schema = self._schemas[name]
        if table.schema.remove_metadata() != schema.remove_metadata():
            raise ReadError(
                shown(os.fspath(path)),
                None,
                "has other columns than seqkit writes, expected what write_parquet wrote; write into another folder",
            )
        return table

    def without(self, name: str, path: Path, run_ids: Sequence[str]) -> Any:
        """Read the rows of all runs but these."""
        table = self.read(name, path)
        gone = set(run_ids)
        return table.filter(self._arrow.array([run_id not in gone for run_id in table["run_id"].to_pylist()], "bool"))


def _json(run_id: str, payload: object) -> str:
    try:
        return compact_json(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError(f"an event of run {run_id!r:.80} cannot be written as JSON: {error}") from error


def _text(text: str) -> str:
    """Give text as Parquet can hold it."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)
