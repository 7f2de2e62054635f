"""Airflow's own database, read through SQLAlchemy: task instances, their history, and the DAGs as serialized there.

Of the tables only what is named here is asked for, in one transaction that may not write. What Airflow pickles
(``executor_config``, ``conf``, XComs) is never read. Times without a zone are UTC: so Airflow keeps them.
"""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from seqkit._util.secrets import secrets_in, shown, without
from seqkit._util.strict_json import Unreadable, parse_json
from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import ReadError, StorageError
from seqkit.importers._airflow_structure import Structure, structure_of
from seqkit.importers._airflow_tries import COLUMNS, TaskTry, read_try
from seqkit.importers._recorded import Recorded
from seqkit.importers.airflow import SYSTEM, recorded
from seqkit.ledger.databases import is_sqlite
from seqkit.ledger.sql.store import make_engine, translated
from seqkit.ledger.urls import readable, scheme_of, sqlite_file
from seqkit.readers._files import described, typed

__all__ = ["has_task_instances", "read_database"]

_TASKS, _HISTORY, _DAGS = "task_instance", "task_instance_history", "serialized_dag"
_DAG_COLUMNS = ("dag_id", "data", "data_compressed", "last_updated", "created_at")
_LARGEST = 64 * 2**20
"""Bytes that a DAG may have when it is unpacked."""
_ZONE = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$")
_BEGIN = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}
_MYSQL = re.compile(r"(?:mysql|mariadb)(?:\+\w+)?://", re.I)


def has_task_instances(path_or_url: str | os.PathLike[str]) -> bool:
    """Tell whether a database is one of Airflow's; see :func:`seqkit.importers.airflow.is_airflow_database`."""
    text = os.fspath(path_or_url)
    if _MYSQL.match(text):
        return True
    if not scheme_of(text) and ("://" in text or not is_sqlite(text)):
        return False
    with _connected(text) as connection:
        return sa.inspect(connection).has_table(_TASKS)


def read_database(url: str | os.PathLike[str], graph: RepoDependencyGraph | None) -> Recorded:
    """Read a database; see :func:`seqkit.importers.airflow.read_airflow_database`."""
    found = Recorded(SYSTEM)
    with _connected(url) as connection:
        source = shown(os.fspath(url))
        there = sa.inspect(connection)
        if not there.has_table(_TASKS):
            raise ReadError(source, None, f"has no table {_TASKS}, expected a database of Airflow's")
        tries = list(_tries(connection, source, _TASKS, found))
        if there.has_table(_HISTORY):
            tries += _tries(connection, source, _HISTORY, found)
        structures = list(_structures(connection, source)) if there.has_table(_DAGS) else []
    return recorded(tries, structures, graph, found)


@contextlib.contextmanager
def _connected(url: str | os.PathLike[str]) -> Iterator[sa.Connection]:
    """Connect for reading, as of one moment; whatever goes wrong is a ReadError without what `url` hides."""
    text = readable(url, "url")
    source = shown(text)
    engine = _engine(text, source)
    try:
        with translated(source, text), _connection(engine, source, text) as connection:
            begin = _BEGIN.get(connection.dialect.name)
            if begin is not None:  # those engines commit each statement by itself
                connection.exec_driver_sql(begin)
            yield connection
    except StorageError as error:
        raise ReadError(source, None, f"cannot be read as Airflow's database: {error}") from None
    finally:
        engine.dispose()


def _connection(engine: sa.Engine, source: str, url: str) -> sa.Connection:
    try:
        return engine.connect()
    except sa.exc.SQLAlchemyError:
        raise
    except Exception as error:  # a driver of MySQL's: what it raises is its own affair, and may quote what it was given
        why = without(f"{type(error).__name__}: {error}", secrets_in(url))
    raise ReadError(source, None, f"cannot be connected to: {why}")


def _engine(url: str, source: str) -> sa.Engine:
    if not _MYSQL.match(url):
        if not scheme_of(url) and "://" in url:
            raise ReadError(source, None, "is no URL of SQLite, PostgreSQL or MySQL, which Airflow's are read from")
        path = sqlite_file(url).path if scheme_of(url) != "postgresql" else None
        if path is not None and not is_sqlite(path):
            raise ReadError(source, None, "is no SQLite file" if os.path.exists(path) else "there is no such file")
        return make_engine(url if path is None or "://" in url else os.path.realpath(path), read_only=True)
    try:
        return sa.create_engine(sa.make_url(url), isolation_level="REPEATABLE READ", hide_parameters=True)
    except ImportError as error:  # from None: whoever wrote the driver's name may have written more
        why = str(error)
        raise ImportError(
            f"{source}: reading MySQL needs a driver that cannot be imported ({why}): install one, and name it in the "
            "URL, as in mysql+pymysql://"
        ) from None
    except (sa.exc.SQLAlchemyError, ValueError, TypeError):
        pass
    raise ReadError(source, None, "is no URL of a database, expected one such as mysql+pymysql://user@host/airflow")


# ---------------------------------------------------------------------- rows


def _rows(connection: sa.Connection, source: str, table: str, wanted: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    """Give the rows of a table, of those columns that it has; the columns differ between Airflow's versions."""
    every: Any = sa.select(sa.literal_column("*")).select_from(sa.table(table)).where(sa.false())
    there = set(connection.execute(every).keys())
    columns = [name for name in wanted if name in there]
    if wanted[0] not in there:
        raise ReadError(source, None, f"table {table} has no column {wanted[0]}, expected one of Airflow's")
    asked: Any = sa.select(*map(sa.column, columns)).select_from(sa.table(table))
    for row in connection.execute(asked):
        yield dict(zip(columns, row, strict=True))


def _tries(connection: sa.Connection, source: str, table: str, found: Recorded) -> Iterator[TaskTry]:
    for number, row in enumerate(_rows(connection, source, table, (*COLUMNS, "execution_date")), 1):
        told = {name: _time(value) if name.endswith("_date") else value for name, value in row.items()}
        yield read_try(source, f"{table} row {number}: ", told, found, is_earlier=table == _HISTORY)


def _time(value: object) -> object:
    """Write a time as text with its zone."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, str) and value.strip() and not _ZONE.search(value.strip()):
        return f"{value.strip()}+00:00"
    return value


def _structures(connection: sa.Connection, source: str) -> Iterator[Structure]:
    """Give the DAGs, the newest version of each last."""
    rows = list(_rows(connection, source, _DAGS, _DAG_COLUMNS))
    rows.sort(key=lambda row: str(row.get("last_updated") or row.get("created_at") or ""))
    for row in rows:
        where = f"{_DAGS} of {described(row['dag_id'])}"
        document = _document(source, where, row)
        if document is not None:
            dag = typed(source, f"{where}: dag", document.get("dag"), dict)
            yield structure_of(
                source, f"{where}: dag.tasks", dag.get("tasks"), typed(source, where, row["dag_id"], str)
            )


def _document(source: str, where: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
    data, packed = row.get("data"), row.get("data_compressed")
    if data is None and packed is not None:
        data = _unpacked(source, where, packed)
    if isinstance(data, str | bytes):
        try:
            data = parse_json(data if isinstance(data, str) else data.decode())
        except UnicodeDecodeError:
            raise ReadError(source, None, f"{where} is no UTF-8, expected JSON") from None
        except Unreadable as error:
            raise ReadError(source, None, f"{where}: {error}") from None
    return None if data is None else typed(source, where, data, dict)


def _unpacked(source: str, where: str, packed: object) -> bytes:
    if not isinstance(packed, bytes):
        raise ReadError(source, None, f"{where}: data_compressed is {described(packed)}, expected bytes")
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, _LARGEST)
    except zlib.error:
        raise ReadError(source, None, f"{where}: data_compressed is not what zlib packed") from None
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ReadError(source, None, f"{where}: data_compressed breaks off, or is of more than {_LARGEST >> 20} MB")
    return data
