"""Databases behind a ledger: their URLs, how connections are set up, and what their errors mean."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from seqkit.errors import Backend, IntegrityError, StorageError
from seqkit.ledger.sql.place import Place
from seqkit.ledger.sql.sqlite import Guarded

__all__ = ["bytes_as_found", "make_engine", "raw_cursor", "refuse_lost", "shown", "translated", "url_of"]

_POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
_SECRET = ("password", "passfile", "sslpassword", "sslkey")
_EXPECTED = "expected a path, or a URL such as sqlite:///runs.db or postgresql://user@host/database"
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
    ("locked", "another process is writing for longer than 30 s: wait, or end it"),
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


def url_of(url: str | os.PathLike[str]) -> sa.URL:
    """Read a path or URL; ValueError where it is neither, without the text: it may hold a password."""
    text = os.fspath(url)
    if "://" not in text:
        return sa.URL.create("sqlite", database=str(Path(text)))
    try:
        made = sa.make_url(text)
    except (ValueError, sa.exc.ArgumentError):
        scheme = text.split("://")[0]
        raise ValueError(f"url starts with {scheme!r:.40} and is no database URL, {_EXPECTED}") from None
    if made.drivername in _POSTGRES:
        return made.set(drivername="postgresql+psycopg")
    if made.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ValueError(f"url is {shown(made)!r}, {_EXPECTED}")
    return made


def shown(url: sa.URL) -> str:
    """Write a URL without what is secret in it."""
    plain = url.set(drivername=url.get_backend_name()).difference_update_query(_SECRET)
    return plain.render_as_string(hide_password=True)


def make_engine(url: sa.URL, read_only: bool) -> sa.Engine:
    """Make an engine whose every statement is committed by itself."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, read_only)
    try:
        return _postgres(url, read_only)
    except ImportError as error:
        raise ImportError(
            'a ledger in PostgreSQL needs psycopg, which cannot be imported: pip install "seqkit-py[postgres]" '
            f"({error})"
        ) from error


def _sqlite(url: sa.URL, read_only: bool) -> sa.Engine:
    options: dict[str, Any] = {"connect_args": {"timeout": 30}, "isolation_level": "AUTOCOMMIT"}
    place: Place | None = None
    if url.database in (None, "", ":memory:"):
        options |= {"poolclass": StaticPool, "connect_args": {"timeout": 30, "check_same_thread": False}}
    elif read_only and "uri" not in url.query:
        place = Place(os.path.abspath(str(url.database)))
        path = quote(place.path)
        url = url.set(database=f"file:{path}").update_query_dict({"mode": "ro", "uri": "true"})
    options["connect_args"]["factory"] = Guarded
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

    if not read_only:
        sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "checkout", start)
    if place is not None:
        kept = place
        sa.event.listen(engine, "engine_disposed", lambda disposed: kept.release())
    return engine


def _postgres(url: sa.URL, read_only: bool) -> sa.Engine:
    # A server that does not answer is an error after a while, not a program that hangs.
    patience = {"connect_timeout": 10, "keepalives_idle": 30, "tcp_user_timeout": 60_000, "client_encoding": "utf8"}
    given = {name: value for name, value in patience.items() if name not in url.query}
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
def translated(where: str) -> Iterator[None]:
    """Turn a database's errors into seqkit's, with the database's name and a remedy."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise IntegrityError(f"{where}: {_line(error.orig)}") from error
    except sa.exc.DBAPIError as error:
        cause = _line(error.orig)
        if error.connection_invalidated:
            raise Backend(f"{where}: {cause}; {_LOST}") from error
        raise Backend(f"{where}: {cause}{_remedy(cause)}") from error
    except sa.exc.StatementError as error:  # it never came to the database
        raise StorageError(f"{where}: not storable: {_line(error.orig)}") from error
    except sa.exc.SQLAlchemyError as error:
        raise Backend(f"{where}: {_line(error)}{_remedy(str(error))}") from error


def _line(error: object) -> str:
    return " ".join(str(error).split())


def _remedy(cause: str) -> str:
    return next((f"; {advice}" for sign, advice in _REMEDIES if sign in cause), "")
