"""The tables of a SQL ledger, how they are made, and the statements that write to them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from seqkit.core.model import RunStatus

__all__ = [
    "APPEND",
    "EVENT",
    "EVENTS",
    "EVENT_COLUMNS",
    "FINISH",
    "MAX_SEQ",
    "RUN",
    "RUN_COLUMNS",
    "SCHEMA_VERSION",
    "is_bare",
    "make_tables",
    "moment_for",
    "runs",
    "strange_part",
]

SCHEMA_VERSION = "1"

MAX_SEQ = 2**63 - 1
"""The largest whole number that the databases hold."""

# Taken while tables are made, so that of many that open a new database at once one makes them.
_ADVISORY_LOCK = int.from_bytes(b"seqkit")


class _UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in; they come out as the driver gives them, see :mod:`seqkit.ledger.sql.rows`."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


_whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite's INTEGER has 64 bits too

metadata = sa.MetaData()
about = sa.Table("seqkit_about", metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", _whole, sa.Identity(), primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.Text, nullable=False, unique=True),
    sa.Column("spec_digest", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("summary", sa.Text),
    sa.Column("created_at", _UtcDateTime, nullable=False),
    sa.Column("completed_at", _UtcDateTime),
)
events = sa.Table(
    "run_events",
    metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("seq", _whole, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("timestamp", _UtcDateTime, nullable=False),
)

# One statement, so that no other process can end the run between the check and the write. On PostgreSQL
# the check also holds the run's row until the write is committed: ending the run waits for that.
# SQLite has one writer at a time and no FOR SHARE. As text, because it is the one statement that is
# executed very often, and SQLAlchemy takes longer over it than a fast disk does.
_APPEND = (
    "INSERT INTO run_events (run_id, seq, kind, payload, timestamp) "
    "SELECT run_id, ?, ?, ?, ? FROM runs WHERE run_id = ? AND status = 'RUNNING'"
)
APPEND = {"sqlite": _APPEND, "postgresql": _APPEND.replace("?", "%s") + " FOR SHARE"}
# As text too: a row of the driver's own is made in half the time of one of SQLAlchemy's, and these are many.
_EVENTS = "SELECT seq, kind, payload, timestamp FROM run_events WHERE run_id = ? ORDER BY seq"
EVENTS = {"sqlite": _EVENTS, "postgresql": _EVENTS.replace("?", "%s")}
_ended = sa.bindparam("new_completed", type_=_UtcDateTime())
FINISH = (
    runs.update()
    .where(runs.c.run_id == sa.bindparam("the_run"), runs.c.status == RunStatus.RUNNING.value)
    .values(
        status=sa.bindparam("new_status"),
        summary=sa.bindparam("new_summary"),
        # A clock may be set back, and another machine's may be late: no run ends before it began.
        completed_at=sa.case((runs.c.created_at > _ended, runs.c.created_at), else_=_ended),
    )
)

# For reading: without types, so that rows come as the driver gives them and are checked in one place.
RUN = sa.table(runs.name, *(sa.column(column.name) for column in runs.columns)).c
EVENT = sa.table(events.name, *(sa.column(column.name) for column in events.columns)).c
RUN_COLUMNS = [RUN[column.name] for column in runs.columns if column.name != "number"]
EVENT_COLUMNS = [EVENT.seq, EVENT.kind, EVENT.payload, EVENT.timestamp]


def moment_for(dialect: str, moment: datetime) -> datetime | str:
    """Give a time as a raw statement takes it: SQLite has no type for it and forgets the zone."""
    utc = moment.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(" ", "microseconds") if dialect == "sqlite" else utc


def strange_part(connection: sa.Connection, read_only: bool) -> str | None:
    """Say what of a SQLite file is no ledger's: a view in the place of a table, or a column that is computed.

    To read those runs code that came with the file. Triggers run only where somebody writes.
    """
    if connection.dialect.name != "sqlite":
        return None
    names = [table.name for table in metadata.sorted_tables]
    listed = ", ".join(f"'{name}'" for name in names)
    kinds = "SELECT lower(name), type, sql FROM sqlite_master WHERE lower(name) IN"
    for name, kind, text in connection.exec_driver_sql(f"{kinds} ({listed})").all():
        if kind != "table" or not str(text).upper().startswith("CREATE TABLE"):
            return f"{name} is a {'virtual table' if kind == 'table' else kind}, expected a table"
        for column in connection.exec_driver_sql(f"PRAGMA table_xinfo({name})").all():
            if column[6]:
                return f"{name}.{column[1]} is computed, expected a column that holds what was written"
    if not read_only:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN"
        for (name,) in connection.exec_driver_sql(f"{triggers} ({listed})").all():
            return f"it has the trigger {name!r:.80}, expected none: it would change what is written"
    return None


def is_bare(connection: sa.Connection) -> bool:
    """Tell whether a SQLite file has no table at all though it has a write-ahead log, where they may stand."""
    if connection.dialect.name != "sqlite" or connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
        return False
    return not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()


def schema_version(connection: sa.Connection) -> str | None:
    """Give the version that the tables were made at; None where they are not there, or only in part."""
    if not sa.inspect(connection).has_table(about.name):
        return None
    found: Any = connection.scalar(sa.select(about.c.value).where(about.c.key == "schema_version"))
    return None if found is None else str(found)


def make_tables(connection: sa.Connection) -> None:
    """Make the tables, all or none, while others wait; where they have done it meanwhile, nothing happens."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    try:
        for made in metadata.sorted_tables:
            connection.execute(CreateTable(made, if_not_exists=True))
        if schema_version(connection) is None:
            connection.execute(about.insert(), {"key": "schema_version", "value": SCHEMA_VERSION})
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")
