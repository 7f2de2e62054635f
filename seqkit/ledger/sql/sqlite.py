"""SQLite's connections, guarded: what a file may ask of them is bounded, and what they raise is their own errors.

Anybody may have written to a file. A table may be a view over a query without end, a tree of pages may lead back into
itself, a trigger may write elsewhere, and SQLite's message about damage may quote bytes that are no text.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import stat
from collections.abc import Callable, Generator
from typing import Any

__all__ = ["Guarded", "SpecialFile", "size_of"]

_EVERY = 10_000
"""Steps of SQLite's machine between two looks at the watch: a fraction of a millisecond."""

_FREE_TICKS = 500
"""Looks that any statement may take: 5 million steps."""

_BYTES_A_TICK = 500
"""A further look for so many bytes of the file: 20 steps a byte, where reading a ledger takes less than one."""

_FREE_CHARACTERS = 1 << 20


class SpecialFile(sqlite3.OperationalError):
    """What is opened as a database is no regular file: a pipe, a device, a socket."""


def size_of(path: str) -> int:
    """Count the bytes of a database and its log; 0 where they are not there."""
    total = 0
    for part in (path, f"{path}-wal"):
        try:
            total += os.stat(part).st_size
        except (OSError, ValueError):
            continue
    return total


class _Watch:
    """Counts the steps since a connection was handed out, and lets Ctrl-C and its like through."""

    def __init__(self) -> None:
        self.ticks = 0
        self.path = ""
        self.spent = False
        self.raised: BaseException | None = None

    def ticking(self) -> Generator[int, None, None]:
        """Say whether SQLite is to stop, each time that it asks.

        A generator, for what a signal raises is raised where it is resumed, and is caught here. Out of a function
        it would be raised before the first line, and what a callback lets out sqlite3 throws away.
        """
        stop = 0
        while True:
            try:
                yield stop
                self.ticks += 1
                stop = 0
                if self.ticks > _FREE_TICKS and self._is_too_much():
                    self.spent = True
                    stop = 1
            except GeneratorExit:
                return
            except BaseException as error:
                self.raised = error
                stop = 1

    def _is_too_much(self) -> bool:
        if not self.path:  # nobody else has written to what is in memory
            return False
        return self.ticks > _FREE_TICKS + size_of(self.path) // _BYTES_A_TICK

    def own(self, error: BaseException) -> BaseException:
        """Give the error that is to be raised in place of what a call of sqlite3 has raised."""
        raised, self.raised = self.raised, None
        spent, self.spent = self.spent, False
        if raised is not None:
            return raised
        if spent and isinstance(error, sqlite3.OperationalError):
            return sqlite3.DatabaseError("malformed: reading it takes more steps than any file of its size needs")
        if isinstance(error, UnicodeError):
            return sqlite3.DatabaseError("malformed: what SQLite says about it is no UTF-8")
        if isinstance(error, ValueError | OverflowError | MemoryError | SystemError):
            return sqlite3.DatabaseError(f"{type(error).__name__}: {error}")
        return error

    def reraise(self, error: BaseException) -> None:
        """Raise what :meth:`own` gives, where it is another error."""
        own = self.own(error)
        if own is not error:
            raise own from (error if isinstance(own, sqlite3.Error) else None)


def _guarded(call: Callable[..., Any]) -> Any:
    """Make a method of a cursor or connection raise what :meth:`_Watch.own` gives."""

    @functools.wraps(call)
    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return call(self, *arguments, **options)
        except StopIteration:
            raise
        except BaseException as error:
            (self if isinstance(self, Guarded) else self.connection).watch.reraise(error)
            raise

    return method


class _Cursor(sqlite3.Cursor):
    """A cursor whose errors are those of sqlite3."""

    execute = _guarded(sqlite3.Cursor.execute)
    executemany = _guarded(sqlite3.Cursor.executemany)
    fetchone = _guarded(sqlite3.Cursor.fetchone)
    fetchmany = _guarded(sqlite3.Cursor.fetchmany)
    fetchall = _guarded(sqlite3.Cursor.fetchall)
    __next__ = _guarded(sqlite3.Cursor.__next__)


def _nothing_through_views(action: int, one: object, other: object, database: object, through: object) -> int:
    # The last tells which view or trigger asks. A ledger has none, and those of others may never end.
    return sqlite3.SQLITE_DENY if through else sqlite3.SQLITE_OK


class Guarded(sqlite3.Connection):
    """A connection that comes back: ``sqlite3.connect(…, factory=Guarded)``.

    Views and triggers are refused, a statement ends after a number of steps that the file's size bounds, and a signal
    ends it at once.
    """

    def __init__(self, database: Any, *arguments: Any, **options: Any) -> None:
        _refuse_special(database)
        super().__init__(database, *arguments, **options)
        self.watch = _Watch()
        self.characters = 0
        self._places: list[tuple[str, tuple[int, int]]] = []
        ticking = self.watch.ticking()
        next(ticking)
        self.set_progress_handler(ticking.__next__, _EVERY)
        self.set_authorizer(_nothing_through_views)
        self.text_factory = os.fsdecode  # names of files need not be UTF-8
        self.watch.path = super().execute("PRAGMA database_list").fetchone()[2]
        self.text_factory = str

    @property
    def path(self) -> str:
        """The file; empty where the database is in memory."""
        return self.watch.path

    def cursor(self, factory: Any = _Cursor) -> Any:
        """Make a cursor."""
        return super().cursor(factory)

    def execute(self, *arguments: Any) -> Any:
        """Execute a statement in a cursor of its own."""
        return self.cursor().execute(*arguments)

    commit = _guarded(sqlite3.Connection.commit)
    rollback = _guarded(sqlite3.Connection.rollback)

    def start(self) -> None:
        """Begin to count anew: what is asked from here on has the whole allowance."""
        self.watch.ticks = self.characters = 0

    def take(self, characters: int) -> bool:
        """Count text that was read; give whether it may be: a file that leads back into itself gives without end."""
        self.characters += characters
        if self.characters <= _FREE_CHARACTERS or not self.path:
            return True
        return self.characters <= 2 * size_of(self.path)

    def remember_place(self) -> None:
        """Remember which files these are, once the log is open; :meth:`lost` then tells whether they still are."""
        files = [(part, _identity(part)) for part in (self.path, f"{self.path}-wal") if self.path]
        self._places = [(part, identity) for part, identity in files if identity is not None]

    def lost(self) -> str | None:
        """Say which of the files was deleted, moved away or replaced, and how; None where all are in their place."""
        for part, identity in self._places:
            now = _identity(part)
            if now not in (identity, _UNKNOWN):
                return f"{part} was {'deleted or moved away' if now is None else 'replaced by another file'}"
        return None


_UNKNOWN = (-1, -1)


def _identity(path: str) -> tuple[int, int] | None:
    """Tell files apart; None where there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # it may be there: nothing is known
        return _UNKNOWN
    return status.st_dev, status.st_ino


def _refuse_special(database: Any) -> None:
    """Raise where a pipe or a device would be opened: that may wait without end, or read without end."""
    name = os.fsdecode(database)
    path = name.removeprefix("file:").partition("?")[0] if name.startswith("file:") else name
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # to be made, in memory, or what SQLite itself will refuse
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise SpecialFile("is no regular file, expected a database")
