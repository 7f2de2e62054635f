"""The ledger itself: what :class:`seqkit.RunLedger` promises, in SQL."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from seqkit._show.html import page
from seqkit._util.collector import collector_paused
from seqkit._util.secrets import shown
from seqkit.core.model import ContentDigest, RunEvent, RunId, RunMetadata, RunRecord, RunStatus, RunSummary
from seqkit.errors import Backend, IntegrityError, InvalidRunState, RunNotFound, StorageError
from seqkit.ledger import jsonl
from seqkit.ledger.base import refuse_bad_seq, refuse_finished
from seqkit.ledger.found import FoundEvent, FoundRun, Problem
from seqkit.ledger.given import Clock, Ids, clock_of, end_of, id_source
from seqkit.ledger.showing import LAST, runs_page
from seqkit.ledger.sql import rows, schema
from seqkit.ledger.sql.rows import EventColumns
from seqkit.ledger.sql.sqlite import Guarded
from seqkit.ledger.sql.store import PATIENCE, bytes_as_found, make_engine, raw_cursor, refuse_lost, translated
from seqkit.ledger.urls import checked, postgresql_url, scheme_of, sqlite_file

__all__ = ["SqlRunLedger"]

_T = TypeVar("_T")

_CHUNK = 1000  # rows at a time: they stay in the processor's cache while they are taken apart


# One view of the database for several statements.
_BEGIN_READING = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"}


class _Way(str):
    """The path or URL of a database, which may hold a password: no debugger that looks around shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(shown(self))


class SqlRunLedger:
    """Runs and events in a database, shared safely between threads, processes and (PostgreSQL) machines.

    Parameters
    ----------
    url : str or path
        The path of a SQLite file, or a URL: ``sqlite:///runs.db``, ``postgresql://user@host/database``
        (also ``postgres://``, ``postgresql+psycopg://``; needs ``pip install "seqkit-py[postgres]"``).
        Tables are made where they are missing. Of a SQLite URL the parameters ``mode`` (``ro``, ``rw``, ``rwc``),
        ``timeout`` (seconds), ``vfs`` and ``uri=true`` (before ``file:…``) are understood; of others, those of libpq.
    ids, clock
        As in :class:`seqkit.MemoryRunLedger`.
    read_only : bool
        Whether to open an existing ledger for reading only: nothing is made, and writing raises ``Backend``.
    patience : float
        For how many seconds to wait where somebody has locked the database; ``?timeout=`` in a SQLite URL wins.

    Raises
    ------
    Backend
        Where the database cannot be opened, or was made by a newer seqkit.
    ValueError
        Where the URL is not one of the above.
    ImportError
        Where psycopg is missing.

    Notes
    -----
    It can be pickled and copied (:mod:`copy`): what travels is the URL, with its password where it has one, so keep
    the pickled bytes as you would keep the URL. A database in memory cannot, nor `ids` and `clock` that cannot be
    pickled, such as lambdas: that raises TypeError.

    Run ids and kinds with NUL characters or lone surrogates raise ``StorageError``: not every database
    can hold them. Inside payloads and metadata both are fine. What :func:`seqkit.write_ledger` could not export is
    refused too, with the same words: NaN, nesting of more than 197 levels, records of more than 32 MB.

    Each write to a SQLite file looks whether the file is still there: one that was deleted, moved or replaced since it
    was opened raises ``Backend``. Reading leaves nothing beside a file; where it cannot be read in its place without
    that, a copy is read of one moment. Views in the place of tables, and triggers, are refused.

    Examples
    --------
    >>> from seqkit import RunMetadata
    >>> with SqlRunLedger("sqlite://", ids=["run-1"]) as ledger:  # in memory, for the example
    ...     ledger.create_run("0" * 64, RunMetadata())
    'run-1'
    """

    __module__ = "seqkit"  # which imports it late, so that seqkit._util.public does not see it
    blocking = True

    def __init__(
        self,
        url: str | os.PathLike[str],
        ids: Ids | None = None,
        clock: Clock | None = None,
        read_only: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self._next_id = id_source(ids)
        self.clock = clock_of(clock)
        """Tells the time."""
        self._url = _Way(checked(url, "url"))
        kind = scheme_of(self._url)
        self.source = shown(postgresql_url(self._url) if kind == "postgresql" else self._url)
        if not kind and "://" not in self._url:
            self.source = f"sqlite:///{self.source}"
        """The database's URL, without a password."""
        self._read_only = read_only or (kind == "sqlite" and sqlite_file(self._url).mode == "ro")
        self._patience = patience
        self.keeps_connections = True
        """Whether a connection waits for its next use; False for who looks in now and then, and holds no descriptor."""
        self._connect()
        try:
            self._open(self._read_only)
        except BaseException:
            self.engine.dispose()
            raise

    def _connect(self) -> None:
        self.engine = make_engine(self._url, self._read_only, self._patience)
        self._dialect = self.engine.dialect.name
        self._append, self._events = schema.APPEND[self._dialect], schema.EVENTS[self._dialect]
        # A database in memory has one connection for all threads: they take turns.
        one = isinstance(self.engine.pool, StaticPool)
        self._turn: contextlib.AbstractContextManager[Any] = threading.Lock() if one else contextlib.nullcontext()
        if not one:  # whoever drops a ledger drops its connections: an engine alone keeps them until it is collected
            weakref.finalize(self, self.engine.dispose).atexit = False

    # What is pickled, or copied, is the way to the database: the copy connects anew when it is first used. The
    # password is part of that way, and of the pickled bytes; it is in no repr.

    def __getstate__(self) -> dict[str, Any]:
        if isinstance(self.engine.pool, StaticPool):
            raise TypeError(
                f"{self.source}: a database in memory lives in one ledger and cannot be pickled or copied; "
                "write_ledger(ledger, path) writes it to a file"
            )
        left = {"engine", "_append", "_turn"}
        state = {name: value for name, value in self.__dict__.items() if name not in left}
        if self._dialect == "sqlite" and (path := sqlite_file(self._url).path):
            state["_url"] = _Way(self._url.replace(path, os.path.abspath(path), 1))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._connect()

    def _open(self, read_only: bool) -> None:
        with self._connected() as connection:
            self.journal_mode: str = connection.connection.info.get("journal_mode", "")
            """SQLite's way of making writes durable: ``wal``, or another where the file system has no WAL."""
            strange = schema.strange_part(connection, read_only)
            if strange is not None:
                raise Backend(f"{self.source}: {strange}; it is no seqkit ledger's: name another database")
            version = schema.schema_version(connection)
            if version is None and read_only and schema.is_bare(connection):
                raise Backend(
                    f"{self.source}: holds no table, only the sign that a write-ahead log belongs to it; where it is a "
                    "copy of a ledger, the file beside that whose name ends in -wal has the records: copy both"
                )
            if version is None and read_only:
                raise Backend(f"{self.source}: holds no seqkit ledger: name another database")
            if version is None:
                schema.make_tables(connection)
                version = schema.schema_version(connection)
        if version != schema.SCHEMA_VERSION:
            raise Backend(
                f"{self.source}: made by a newer seqkit (schema {version}, this one knows {schema.SCHEMA_VERSION}); "
                "upgrade seqkit-py"
            )

    # ------------------------------------------------------------------ writing

    def create_run(self, spec_digest: str, metadata: RunMetadata) -> RunId:  # noqa: D102  # the protocol documents these
        digest = ContentDigest(spec_digest)
        run_id = self._next_id()
        rows.refuse_unstorable("run id", run_id)
        run = RunRecord(
            run_id=run_id, spec_digest=digest, metadata=metadata, status=RunStatus.RUNNING, created_at=self.clock()
        )
        row = {
            "run_id": run_id,
            "spec_digest": str(digest),
            "metadata": jsonl.metadata_text(run),
            "status": run.status.value,
            "created_at": run.created_at,
        }
        with self._connected() as connection:
            connection.execute(schema.runs.insert().inline(), row)
            refuse_lost(_raw(connection), self.source)
        return run_id

    def append_event(self, run_id: RunId, event: RunEvent) -> None:  # noqa: D102
        if not 1 <= event.seq <= schema.MAX_SEQ:
            refuse_finished(run_id, self.get_run(run_id).status)
            refuse_bad_seq(run_id, event)
            raise IntegrityError(f"run {run_id}: event seq is {event.seq}, expected a whole number below 2**63")
        rows.refuse_unstorable("event kind", event.kind)
        payload, moment = jsonl.payload_text(run_id, event), self._moment(event)
        if not rows.is_storable(run_id):
            raise RunNotFound(run_id)
        values = (event.seq, event.kind, payload, moment, run_id)
        try:
            with self._turn, translated(self.source, self._url), raw_cursor(self.engine) as cursor:
                cursor.execute(self._append, values)
                written = cursor.rowcount
                refuse_lost(cursor.connection, self.source)
        except IntegrityError as error:
            raise IntegrityError(f"run {run_id} has an event with seq {event.seq} already") from error
        if not written:
            self._explain(run_id)

    def _moment(self, event: RunEvent) -> object:
        try:
            return schema.moment_for(self._dialect, event.timestamp)
        except OverflowError as error:
            raise StorageError(f"event timestamp is {event.timestamp}, which is out of range in UTC") from error

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
            "new_completed": end_of(self.clock, lambda: self.get_run(run_id).created_at),
        }
        if not rows.is_storable(run_id):
            raise RunNotFound(run_id)
        with self._connected() as connection:
            written = connection.execute(schema.FINISH, row).rowcount
            refuse_lost(_raw(connection), self.source)
            if written and self.journal_mode == "wal":
                # So that the file alone holds every finished run, for those who copy it. Waits for nobody, and is a
                # courtesy: the run has ended, whether there is room for it in the file or not yet.
                with contextlib.suppress(sa.exc.SQLAlchemyError):
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        if not written:
            self._explain(run_id)

    def _explain(self, run_id: RunId) -> None:
        """Say why a write to a run found nothing to write to."""
        refuse_finished(run_id, self.get_run(run_id).status)
        raise InvalidRunState(run_id, "changing")  # it was RUNNING again by now, which cannot be

    # ------------------------------------------------------------------ reading

    def get_run(self, run_id: RunId) -> RunRecord:  # noqa: D102
        query = sa.select(*schema.RUN_COLUMNS).where(schema.RUN.run_id == run_id)
        found = self._all(query) if rows.is_storable(run_id) else []
        if not found:
            raise RunNotFound(run_id)
        return self._readable(rows.record_of, found[0])

    def get_events(self, run_id: RunId) -> list[RunEvent]:  # noqa: D102
        columns = self.event_columns(run_id)
        with collector_paused():
            return columns.events()

    def event_columns(self, run_id: RunId) -> EventColumns:
        """Give a run's events as four lists, ordered by `seq`: several times faster than a record for each."""
        columns = EventColumns([], [], [], [])
        if rows.is_storable(run_id):
            with self._turn, translated(self.source, self._url), raw_cursor(self.engine) as cursor, collector_paused():
                cursor.execute(self._events, (run_id,))
                while chunk := cursor.fetchmany(_CHUNK):
                    self._take(cursor.connection, self._readable(columns.add, chunk, f"run {run_id!r:.200}: "))
        if not columns.seq:
            self.get_run(run_id)
        return columns

    def list_runs(self, spec_digest: str | None = None) -> list[RunRecord]:  # noqa: D102
        query = sa.select(*schema.RUN_COLUMNS).order_by(schema.RUN.number)
        if spec_digest is not None:
            query = query.where(schema.RUN.spec_digest == spec_digest)
            if not rows.is_storable(spec_digest):
                return []
        found = [self._readable(rows.record_of, row) for row in self._all(query)]
        return sorted(found, key=lambda run: run.created_at)  # stable: ties stay in order of creation

    def scan(self) -> Iterator[FoundRun | FoundEvent | Problem]:
        """Give every row as it is found, oldest run first: what cannot be read is a problem, not an error.

        Events of runs that the ledger has no record of come last. All of it is as of one moment, whoever
        writes meanwhile.
        """
        with self._connected() as connection:
            connection.exec_driver_sql(_BEGIN_READING[self._dialect])
            try:
                yield from self._scanned(connection)
            finally:
                with contextlib.suppress(sa.exc.SQLAlchemyError):  # the connection is gone: nothing to end
                    connection.exec_driver_sql("COMMIT")

    def _scanned(self, connection: sa.Connection) -> Iterator[FoundRun | FoundEvent | Problem]:
        def chunks(query: sa.Select[Any]) -> Iterator[Sequence[Any]]:
            with bytes_as_found(connection):
                result = connection.execute(query)
                chunk = result.fetchmany(_CHUNK)
            while chunk:
                self._take(_raw(connection), _characters(chunk))
                yield chunk
                with bytes_as_found(connection):
                    chunk = result.fetchmany(_CHUNK)

        run_ids: dict[object, None] = {}
        for row in chain.from_iterable(chunks(sa.select(*schema.RUN_COLUMNS).order_by(schema.RUN.number))):
            run_ids[row.run_id] = None
            try:
                yield FoundRun(rows.record_of(row), self.source)
            except ValueError as error:
                yield Problem(self.source, None, str(error))
        named = sa.select(schema.EVENT.run_id).distinct().order_by(schema.EVENT.run_id)
        run_ids |= {row.run_id: None for row in chain.from_iterable(chunks(named))}
        for run_id in run_ids:
            for chunk in chunks(_events_of(run_id)):
                yield from self._found(run_id, chunk)

    def _found(self, run_id: object, chunk: Sequence[Any]) -> Iterator[FoundEvent | Problem]:
        """Read rows of one run, all of them at once where nothing is wrong with any."""
        columns = EventColumns([], [], [], [])
        events: list[RunEvent] = []
        if type(run_id) is str:
            with contextlib.suppress(ValueError):
                columns.add(chunk)
                events = columns.events()
        if events:
            yield from (FoundEvent(str(run_id), event, self.source) for event in events)
            return
        for row in chunk:
            try:
                event = rows.event_of(row)
                if type(run_id) is not str:
                    raise ValueError(f"event {event.seq} belongs to a run whose id is no text")
                yield FoundEvent(run_id, event, self.source)
            except ValueError as error:
                yield Problem(self.source, None, f"run {run_id!r:.200}: {error}")

    def _all(self, query: sa.Select[Any]) -> list[Any]:
        found: list[Any] = []
        with self._connected() as connection:
            for chunk in connection.execute(query).partitions(_CHUNK):
                self._take(_raw(connection), _characters(chunk))
                found += chunk
        return found

    def _take(self, raw: object, characters: int) -> None:
        """Refuse a file that gives more than it holds: its pages lead back to themselves."""
        if isinstance(raw, Guarded) and not raw.take(characters):
            raise Backend(f"{self.source}: malformed: it gives more than it holds; the file is damaged")

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            with self._turn, translated(self.source, self._url), self.engine.connect() as connection:
                yield connection
        finally:
            if not self.keeps_connections:
                self.disconnect()

    def _readable(self, read: Callable[[Any], _T], row: Any, of: str = "") -> _T:
        try:
            return read(row)
        except ValueError as error:
            raise Backend(f"{self.source}: not readable: {of}{error}") from error

    # ------------------------------------------------------------------ ending

    def move_log_in(self) -> None:
        """Move SQLite's log into the file, which is whole without it from here on; for one that nobody else has open.

        Raises
        ------
        Backend
            Where there is no room for it.
        """
        with self._connected() as connection:
            mode = connection.exec_driver_sql("PRAGMA journal_mode=DELETE").scalar()
        if mode != "delete":
            raise Backend(f"{self.source}: its log could not be moved into it, and its journal is still {mode}")

    def close(self) -> None:
        """Let go of the database; one in memory is gone."""
        self.engine.dispose()

    def disconnect(self) -> None:
        """Close the connections that wait for their next use, which would open others; a database in memory stays."""
        if not isinstance(self.engine.pool, StaticPool):
            self.engine.dispose()

    def __enter__(self) -> SqlRunLedger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SqlRunLedger({self.source!r})"

    def _repr_html_(self) -> str:
        try:
            counts, last = self._standing()
        except StorageError as error:  # the database may be gone, and a repr never fails
            return page(repr(self), note=str(error))
        return runs_page(repr(self), counts, last)

    def _standing(self) -> tuple[dict[Any, int], list[tuple[Any, Any, int]]]:
        """Count the runs by status, and give the last ones with their numbers of events."""
        run, event = schema.RUN, schema.EVENT
        with self._connected() as connection:
            by_status = sa.select(run.status, sa.func.count()).group_by(run.status)
            counts = {row[0]: row[1] for row in connection.execute(by_status)}
            newest = sa.select(run.run_id, run.status).order_by(run.created_at.desc(), run.number.desc()).limit(LAST)
            last = connection.execute(newest).all()[::-1]
            shown_runs = [run_id for run_id, _ in last]
            by_run = sa.select(event.run_id, sa.func.count()).where(event.run_id.in_(shown_runs)).group_by(event.run_id)
            events = {row[0]: row[1] for row in connection.execute(by_run)}
        return counts, [(run_id, status, events.get(run_id, 0)) for run_id, status in last]


def _raw(connection: sa.Connection) -> object:
    return connection.connection.dbapi_connection


def _characters(found: Sequence[Any]) -> int:
    return sum(len(value) for row in found for value in row if type(value) is str or type(value) is bytes)


def _events_of(run_id: object) -> sa.Select[Any]:
    return sa.select(*schema.EVENT_COLUMNS).where(schema.EVENT.run_id == run_id).order_by(schema.EVENT.seq)
