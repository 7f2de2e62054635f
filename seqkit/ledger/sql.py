"""A ledger in a SQL database, through SQLAlchemy: SQLite here.

Durable means: every call is one statement, committed when it returns, and SQLite is told to wait
for the disk (``synchronous=FULL``). The write-ahead log (WAL) lets readers read while a run is
written; where a file system cannot do that, the rollback journal takes its place, with
``synchronous=EXTRA``, as safe and slower.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from seqkit.errors import Backend, IntegrityError, InvalidRunState, RunNotFound, StorageError
from seqkit.ledger.base import Clock, Ids, id_source, refuse_bad_seq, refuse_finished, system_clock
from seqkit.model import ContentDigest, RunEvent, RunId, RunMetadata, RunRecord, RunStatus, RunSummary

__all__ = ["SqlRunLedger"]

SCHEMA_VERSION = "1"

_REMEDIES = (
    ("disk is full", "free some space; what was written before is safe"),
    ("readonly", "open the ledger where you may write, or read it only"),
    ("unable to open", "check that the folder is there and that you may write to it"),
    ("not a database", "the file is something else: name another one"),
    ("locked", "another process is writing for longer than 30 s: wait, or end it"),
    ("no such column", "the file's tables are not a seqkit ledger's: name another one"),
)


class _UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in, aware datetimes out: SQLite itself forgets the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_metadata = sa.MetaData()
_about = sa.Table("seqkit_about", _metadata, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
_runs = sa.Table(
    "runs",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run_id", sa.Text, nullable=False, unique=True),
    sa.Column("spec_digest", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("summary", sa.Text),
    sa.Column("created_at", _UtcDateTime, nullable=False),
    sa.Column("completed_at", _UtcDateTime),
)
_events = sa.Table(
    "run_events",
    _metadata,
    sa.Column("run_id", sa.Text, sa.ForeignKey("runs.run_id"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("timestamp", _UtcDateTime, nullable=False),
)

# One statement, so that no other process can end the run between the check and the write.
_APPEND = _events.insert().from_select(
    ["run_id", "seq", "kind", "payload", "timestamp"],
    sa.select(
        _runs.c.run_id,
        sa.bindparam("new_seq", type_=sa.Integer),
        sa.bindparam("new_kind", type_=sa.Text),
        sa.bindparam("new_payload", type_=sa.Text),
        sa.bindparam("new_timestamp", type_=_UtcDateTime()),
    ).where(_runs.c.run_id == sa.bindparam("to_run"), _runs.c.status == RunStatus.RUNNING.value),
)
_FINISH = (
    _runs.update()
    .where(_runs.c.run_id == sa.bindparam("the_run"), _runs.c.status == RunStatus.RUNNING.value)
    .values(
        status=sa.bindparam("new_status"),
        summary=sa.bindparam("new_summary"),
        completed_at=sa.bindparam("new_completed"),
    )
)


class SqlRunLedger:
    """Runs and events in a database file, shared safely between threads and processes.

    Parameters
    ----------
    url : str or path
        A SQLAlchemy URL such as ``sqlite:///runs.db``, or the path of a SQLite file. Tables are made
        where they are missing.
    ids, clock
        As in :class:`seqkit.MemoryRunLedger`.

    Raises
    ------
    Backend
        Where the database cannot be opened, or was made by a newer seqkit.

    Examples
    --------
    >>> from seqkit import RunMetadata
    >>> with SqlRunLedger("sqlite://", ids=["run-1"]) as ledger:  # in memory, for the example
    ...     ledger.create_run("0" * 64, RunMetadata())
    'run-1'
    """

    blocking = True

    def __init__(self, url: str | os.PathLike[str], ids: Ids | None = None, clock: Clock | None = None) -> None:
        self._next_id = id_source(ids)
        self._clock = clock or system_clock
        text = os.fspath(url)
        self._url = sa.make_url(text if "://" in text else f"sqlite:///{Path(text)}")
        self._where = self._url.render_as_string(hide_password=True)
        if self._url.get_backend_name() != "sqlite":
            raise ValueError(f"url is {self._where!r}, expected a path or a sqlite:// URL")
        options: dict[str, Any] = {"connect_args": {"timeout": 30}, "isolation_level": "AUTOCOMMIT"}
        if self._url.database in (None, "", ":memory:"):
            options |= {"poolclass": StaticPool, "connect_args": {"timeout": 30, "check_same_thread": False}}
        self.engine = sa.create_engine(self._url, **options)
        self.journal_mode = ""
        """SQLite's way of making writes durable: ``wal``, or another where the file system has no WAL."""
        sa.event.listen(self.engine, "connect", self._prepare)
        with self._translated():
            self._create_schema()

    def _prepare(self, connection: Any, record: Any) -> None:
        """Set up one connection; runs for each that the pool opens."""
        cursor = connection.cursor()
        try:
            self.journal_mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0].lower()
        except connection.OperationalError:  # some file systems refuse with an error, others by keeping their mode
            self.journal_mode = cursor.execute("PRAGMA journal_mode").fetchone()[0].lower()
        cursor.execute(f"PRAGMA synchronous={'FULL' if self.journal_mode == 'wal' else 'EXTRA'}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    def _create_schema(self) -> None:
        with self.engine.connect() as connection:
            if not sa.inspect(connection).has_table(_about.name):
                for made in _metadata.sorted_tables:
                    connection.execute(CreateTable(made, if_not_exists=True))
                connection.execute(
                    _about.insert().from_select(
                        ["key", "value"],
                        sa.select(sa.literal("schema_version"), sa.literal(SCHEMA_VERSION)).where(
                            ~sa.exists(sa.select(_about.c.key).where(_about.c.key == "schema_version"))
                        ),
                    )
                )
            version = connection.scalar(sa.select(_about.c.value).where(_about.c.key == "schema_version"))
        if version not in (None, SCHEMA_VERSION):
            raise Backend(
                f"{self._where}: made by a newer seqkit (schema {version}, this one knows {SCHEMA_VERSION}); "
                "upgrade seqkit-py"
            )

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn a database's errors into seqkit's, with the database's name and a remedy."""
        try:
            yield
        except sa.exc.IntegrityError as error:
            raise IntegrityError(f"{self._where}: {error.orig}") from error
        except sa.exc.SQLAlchemyError as error:
            cause = str(getattr(error, "orig", None) or error)
            remedy = next((f"; {advice}" for sign, advice in _REMEDIES if sign in cause), "")
            raise Backend(f"{self._where}: {cause}{remedy}") from error

    # ------------------------------------------------------------------ writing

    def create_run(self, spec_digest: str, metadata: RunMetadata) -> RunId:  # noqa: D102  # the protocol documents these
        digest = ContentDigest(spec_digest)
        run_id = self._next_id()
        row = {
            "run_id": run_id,
            "spec_digest": str(digest),
            "metadata": _json(metadata.model_dump(mode="json")),
            "status": RunStatus.RUNNING.value,
            "created_at": self._clock(),
        }
        with self._translated(), self.engine.connect() as connection:
            connection.execute(_runs.insert(), row)
        return run_id

    def append_event(self, run_id: RunId, event: RunEvent) -> None:  # noqa: D102
        refuse_bad_seq(run_id, event)
        row = {
            "to_run": run_id,
            "new_seq": event.seq,
            "new_kind": event.kind,
            "new_payload": _json(event.payload),
            "new_timestamp": event.timestamp,
        }
        try:
            with self._translated(), self.engine.connect() as connection:
                written = connection.execute(_APPEND, row).rowcount
        except IntegrityError as error:
            raise IntegrityError(f"run {run_id} has an event with seq {event.seq} already") from error
        if not written:
            self._explain(run_id)

    def complete_run(self, run_id: RunId, summary: RunSummary) -> None:  # noqa: D102
        self._finish(run_id, RunStatus.COMPLETED, summary)

    def fail_run(self, run_id: RunId, summary: RunSummary) -> None:  # noqa: D102
        self._finish(run_id, RunStatus.FAILED, summary)

    def cancel_run(self, run_id: RunId, summary: RunSummary) -> None:  # noqa: D102
        self._finish(run_id, RunStatus.CANCELLED, summary)

    def _finish(self, run_id: RunId, status: RunStatus, summary: RunSummary) -> None:
        row = {
            "the_run": run_id,
            "new_status": status.value,
            "new_summary": summary.model_dump_json(),
            "new_completed": self._clock(),
        }
        with self._translated(), self.engine.connect() as connection:
            written = connection.execute(_FINISH, row).rowcount
        if not written:
            self._explain(run_id)

    def _explain(self, run_id: RunId) -> None:
        """Say why a write to a run found nothing to write to."""
        refuse_finished(run_id, self.get_run(run_id).status)
        raise InvalidRunState(run_id, "changing")  # it was RUNNING again by now, which cannot be

    # ------------------------------------------------------------------ reading

    def get_run(self, run_id: RunId) -> RunRecord:  # noqa: D102
        with self._translated(), self.engine.connect() as connection:
            row = connection.execute(sa.select(_runs).where(_runs.c.run_id == run_id)).one_or_none()
        if row is None:
            raise RunNotFound(run_id)
        return self._record(row)

    def get_events(self, run_id: RunId) -> list[RunEvent]:  # noqa: D102
        query = sa.select(_events).where(_events.c.run_id == run_id).order_by(_events.c.seq)
        with self._translated(), self.engine.connect() as connection:
            rows = connection.execute(query).all()
        if not rows:
            self.get_run(run_id)
        return [
            RunEvent(seq=row.seq, kind=row.kind, payload=json.loads(row.payload), timestamp=row.timestamp)
            for row in rows
        ]

    def list_runs(self, spec_digest: str | None = None) -> list[RunRecord]:  # noqa: D102
        query = sa.select(_runs).order_by(_runs.c.created_at, _runs.c.number)
        if spec_digest is not None:
            query = query.where(_runs.c.spec_digest == spec_digest)
        with self._translated(), self.engine.connect() as connection:
            return [self._record(row) for row in connection.execute(query)]

    def _record(self, row: sa.Row[Any]) -> RunRecord:
        try:
            return RunRecord(
                run_id=row.run_id,
                spec_digest=ContentDigest(row.spec_digest),
                metadata=RunMetadata.model_validate_json(row._mapping["metadata"]),
                status=RunStatus(row.status),
                summary=None if row.summary is None else RunSummary.model_validate_json(row.summary),
                created_at=row.created_at,
                completed_at=row.completed_at,
            )
        except ValueError as error:
            raise Backend(f"{self._where}: run {row.run_id!r} is not readable: {error}") from error

    # ------------------------------------------------------------------ ending

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def __enter__(self) -> SqlRunLedger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SqlRunLedger({self._where!r})"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise StorageError(f"not storable as JSON: {error}") from error
