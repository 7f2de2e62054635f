"""Databases behind a ledger: their URLs, how connections are set up, and what their errors mean."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from seqkit._util.secrets import as_given, secrets_in, without
from seqkit.errors import Backend, IntegrityError, StorageError
from seqkit.ledger.sql.place import Place
from seqkit.ledger.sql.sqlite import Guarded
from seqkit.ledger.urls import EXPECTED, SqliteFile, postgresql_url, scheme_of, sqlite_file

__all__ = ["PATIENCE", "bytes_as_found", "make_engine", "raw_cursor", "refuse_lost", "translated"]

PATIENCE = 30.0
"""For how many seconds to wait for a database that somebody has locked."""

_IDLE_SECONDS = 20.0  # after this long, ask a connection whether it is still there before it is used

_REMEDIES = (
    ("disk is full", "free some space; what was written before is safe"),
    ("No space left", "free some space on the server; what was written before is safe"),
    ("readonly", "open the ledger where you may write, or read it only"),
    ("read-only", "open the ledger where you may write, or read it only"),
    ("unable to open", "check that the folder is there and that you may write to it"),
    ("not a database", "the file is something else: name another one"),
    ("not authorized", "the file's tables are not a seqkit ledger's: name another one"),
    ("malformed", "the file is damaged: restore it from a copy"),
    ("locked", "another process is writing: wait, or end it"),
    ("lock timeout", "another session is writing to the same run: wait, or end it"),
    ("no such column", "the file's tables are not a seqkit ledger's: name another one"),
    ("password authentication failed", "check user and password, or the server's pg_hba.conf"),
    ("no password supplied", "give a password in the URL, in PGPASSWORD or in ~/.pgpass"),
    ("permission denied", "ask the database's owner to grant it, or to open the ledger once to make its tables"),
    ("too many", "the server has no free connections: close some ledgers, or raise max_connections"),
    ("equivalent in encoding", "make the database with ENCODING 'UTF8'"),
    ("relation ", "the database's tables are not a seqkit ledger's: name another one"),
    ("no such table", "the file's tables are not a seqkit ledger's: name another one"),
    ("the database system is", "the server starts or stops: try again in a moment"),
    ("does not exist", "create it, or check the URL"),
    ("connection is bad", "check that the server runs and that host, port and database are right"),
    ("connection failed", "check that the server runs and that host, port and database are right"),
    ("connection timeout", "check that the server runs and that host and port are right"),
)
_LOST = (
    "the connection was lost; check the server and the network, and look into the ledger before you write "
    "again: what was acknowledged is there, this write may or may not be"
)


def make_engine(url: str, read_only: bool, patience: float = PATIENCE) -> sa.Engine:
    """Make an engine whose every statement is committed by itself.

    `url` is a path or URL that :func:`seqkit.ledger.urls.checked` has read. A database that is locked is waited for
    `patience` seconds, unless the URL has its own timeout.
    """
    kind = scheme_of(url)
    if kind != "postgresql":
        if kind != "sqlite" and "://" in url:
            raise ValueError(f"url is {as_given(url, 200)}, {EXPECTED}")
        return _sqlite(sqlite_file(url), read_only, patience)
    try:
        return _postgres(sa.make_url(postgresql_url(url)), secrets_in(url), read_only, patience)
    except ImportError as error:
        raise ImportError(
            'a ledger in PostgreSQL needs psycopg, which cannot be imported: pip install "seqkit-py[postgres]" '
            f"({error})"
        ) from error


def _sqlite(file: SqliteFile, read_only: bool, patience: float) -> sa.Engine:
    timeout = patience if file.timeout is None else file.timeout
    mode = "ro" if read_only else file.mode
    connect_args: dict[str, Any] = {"timeout": timeout, "factory": Guarded}
    options: dict[str, Any] = {"connect_args": connect_args, "isolation_level": "AUTOCOMMIT"}
    reading: _Reading | None = None
    url = sa.URL.create("sqlite", database=file.path)
    if file.path is None:
        options["poolclass"] = StaticPool
        connect_args["check_same_thread"] = False
    elif mode == "ro" and file.vfs is None:
        reading = _Reading(os.path.abspath(file.path), timeout)
        options["creator"] = reading.connect
    elif mode != "rwc" or file.vfs is not None:
        asked = {"mode": mode, "uri": "true"} | ({} if file.vfs is None else {"vfs": file.vfs})
        path = quote(os.fsencode(os.path.abspath(file.path)))
        url = sa.URL.create("sqlite", database=f"file:{path}", query=asked)
    engine = sa.create_engine(url, **options)

    def prepare(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        try:
            mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0].lower()
        except connection.OperationalError:  # some file systems refuse with an error, others by keeping their mode
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0].lower()
        cursor.execute(f"PRAGMA synchronous={'FULL' if mode == 'wal' else 'EXTRA'}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the log, whose place is remembered too
        cursor.close()
        connection.remember_place()
        record.info["journal_mode"] = mode

    def start(connection: Any, record: Any, proxy: Any) -> None:
        connection.start()

    if mode != "ro":
        sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "checkout", start)
    if reading is not None:
        sa.event.listen(engine, "engine_disposed", reading.release)
    return engine


class _Reading:
    """Connections for reading only. The place where that is done is looked for anew after they were all let go of."""

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._place: Place | None = None
        self._turn = threading.Lock()

    def connect(self) -> Guarded:
        with self._turn:
            if self._place is None:
                self._place = Place(self._path, self._timeout)
            place = self._place
        return place.connect()

    def release(self, _engine: sa.Engine) -> None:
        with self._turn:
            place, self._place = self._place, None
        if place is not None:
            place.release()


def _postgres(url: sa.URL, secrets: Sequence[str], read_only: bool, patience: float) -> sa.Engine:
    from psycopg import pq  # noqa: PLC0415  # the rest of the module does without

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    if not known >= set(url.query):
        raise ValueError(
            f"url is {as_given(url.render_as_string(hide_password=False), 200)}, which has a parameter that PostgreSQL "
            "does not know, expected such as ?sslmode=require&connect_timeout=5 (a password stands after the user, or "
            "in PGPASSWORD or ~/.pgpass; %26 for & in a value)"
        )
    # A server that does not answer is an error after a while, not a program that hangs.
    connect = min(10, max(2, math.ceil(patience)))  # libpq makes 2 of 1
    given: dict[str, Any] = {"connect_timeout": connect, "keepalives_idle": 30, "tcp_user_timeout": 60_000}
    given |= {"client_encoding": "utf8"}
    # What may be secret is the driver's alone: an engine's repr, and what SQLAlchemy logs, show the URL.
    apart = [name for name in url.query if name not in ("host", "hostaddr", "port")]
    named = {"user": url.username, "password": url.password}
    given |= {name: str(value) for name, value in named.items() if value is not None}
    given |= {name: url.query[name] for name in apart}
    shown_user = None if url.username in secrets else url.username
    url = sa.URL.create(
        "postgresql+psycopg",
        shown_user,
        None,
        url.host,
        url.port,
        url.database,
        url.difference_update_query(apart).query,
    )
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", connect_args=given)

    def prepare(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute("SET datestyle = 'ISO'")  # psycopg reads no other
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        if read_only:
            cursor.execute("SET default_transaction_read_only = on")
        cursor.close()
        if not connection.autocommit:
            connection.commit()

    def look(connection: Any, record: Any, proxy: Any) -> None:
        # A release may take an hour, and what lies between may forget an idle connection meanwhile.
        if time.monotonic() - record.info.get("used", time.monotonic()) > _IDLE_SECONDS:
            try:
                connection.execute("SELECT 1")
            except connection_error as error:
                raise sa.exc.DisconnectionError(str(error)) from error  # the pool opens another

    def note(connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    connection_error = engine.dialect.dbapi.Error  # type: ignore[union-attr]  # it has been imported
    sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "checkout", look)
    sa.event.listen(engine, "checkin", note)
    return engine


@contextlib.contextmanager
def raw_cursor(engine: sa.Engine) -> Iterator[Any]:
    """Borrow a cursor of the driver; its errors are raised as SQLAlchemy raises them."""
    driver: Any = engine.dialect.dbapi
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        try:
            yield cursor
        except driver.Error as error:
            lost = engine.dialect.is_disconnect(error, connection.driver_connection, cursor)
            if lost:
                connection.invalidate(error)
            raised: Any = sa.exc.DBAPIError.instance("", None, error, driver.Error, connection_invalidated=lost)
            raise raised from error
        finally:
            cursor.close()
    finally:
        connection.close()


@contextlib.contextmanager
def bytes_as_found(connection: sa.Connection) -> Iterator[None]:
    """Read text that is no UTF-8, which a SQLite file may hold, with surrogates in place of the wrong bytes."""
    raw: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield  # PostgreSQL lets no such text in
        return
    before, raw.text_factory = raw.text_factory, lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        raw.text_factory = before


def refuse_lost(raw: Any, where: str) -> None:
    """Raise where the file that was written to is no longer the one of its name: what was written is lost with it."""
    lost = raw.lost() if isinstance(raw, Guarded) else None
    if lost is not None:
        raise Backend(
            f"{where}: {lost} while it was written to: what is written now does not reach it, and what was written "
            "since it was opened may be lost; open the ledger anew, and keep what the error says that happened"
        )


@contextlib.contextmanager
def translated(where: str, url: str) -> Iterator[None]:
    """Turn a database's errors into seqkit's, with the database's name and a remedy, and without what `url` hides."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        secrets = secrets_in(url)
        raised = _translated(error, where, secrets)
        raise raised from (error if _cleaned(error, secrets) else None)


def _cleaned(error: BaseException | None, secrets: Sequence[str]) -> bool:
    """Take what is secret out of an error and of what it came from; False where that cannot be done."""
    while error is not None:
        if any(secret in str(error) for secret in secrets):
            error.args = tuple(without(arg, secrets) if isinstance(arg, str) else arg for arg in error.args)
            if any(secret in str(error) for secret in secrets):
                return False
        error = error.__cause__ or error.__context__
    return True


def _translated(error: sa.exc.SQLAlchemyError, where: str, secrets: Sequence[str]) -> StorageError:
    said = error.orig if isinstance(error, sa.exc.StatementError) else error
    cause = without(_line(said), secrets)
    if isinstance(error, sa.exc.IntegrityError):
        return IntegrityError(f"{where}: {cause}")
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return Backend(f"{where}: {cause}; {_LOST}")
    if isinstance(error, sa.exc.StatementError) and not isinstance(error, sa.exc.DBAPIError):
        return StorageError(f"{where}: not storable: {cause}")  # it never came to the database
    return Backend(f"{where}: {cause}{_remedy(cause)}")


def _line(error: object) -> str:
    return " ".join(str(error).split())


def _remedy(cause: str) -> str:
    return next((f"; {advice}" for sign, advice in _REMEDIES if sign in cause), "")
