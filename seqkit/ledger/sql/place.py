"""Where a SQLite file is read: in its place, or a copy of it as it stood at one moment.

In its place SQLite's own locks see to it that what is read is of one moment, whoever writes meanwhile. But to read a
database that has a write-ahead log SQLite needs the files of the log beside it, and makes them where they are missing.
Reading leaves nothing behind: where it could not take them away again, or not make them at all, a copy is read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from seqkit.errors import Backend
from seqkit.ledger.sql.sqlite import Guarded

__all__ = ["Place"]

_COPIES = 25
"""How often a copy is taken before the writer has won."""

_TICK = 50_000_000  # nanoseconds: two writes that are closer may have the same time in a file system


class Place:
    """Where a file is read, until :meth:`release`; `timeout` are the seconds to wait for a lock.

    Raises
    ------
    Backend
        Where it has a journal that has to be taken back first, or no copy of one moment can be made.
    """

    def __init__(self, path: str, timeout: float = 30.0) -> None:
        is_file = os.path.isfile(path)
        path = os.path.realpath(path) if is_file else path  # beside which SQLite keeps its log
        self.path = path
        """The file to open."""
        self.is_copy = False
        self._timeout = timeout
        self._log_was_empty = _size(f"{path}-wal") in (0, None)
        self._anchor: Guarded | None = None
        self._remove: Callable[[], object] = lambda: None
        if not is_file:  # whoever opens it says so
            return
        try:
            if not _leaves_no_trace(path) or not self._holds(path):
                self._take_copy(path)
        except BaseException:
            self.release()
            raise

    def _holds(self, path: str) -> bool:
        """Open it, so that nobody takes the log away before the reader is there; False where one cannot."""
        try:
            self._anchor = self.connect()
            self._anchor.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            sign = getattr(error, "sqlite_errorname", "")
            if sign == "SQLITE_READONLY_ROLLBACK":
                raise _hot(path) from error
            return not sign.startswith(
                ("SQLITE_CANTOPEN", "SQLITE_READONLY")
            )  # of others the reader says what is wrong
        return True

    def _take_copy(self, path: str) -> None:
        if _size(f"{path}-journal"):
            raise _hot(path)
        self._let_go()
        folder = tempfile.mkdtemp(prefix="seqkit-")
        self._remove = weakref.finalize(self, shutil.rmtree, folder, True)
        copy = os.path.join(folder, "copy.db")
        sound = False
        for turn in range(_COPIES):
            try:
                whole = _copied(path, copy)
            except OSError as error:
                raise Backend(f"{path}: cannot be copied for reading: {error.strerror or error}") from error
            sound = whole and _is_sound(copy)
            if sound or (whole and turn >= 2):  # it is not the copying that damaged it
                break
            time.sleep(0.06)
        else:
            raise Backend(
                f"{path}: is being written to, and in {_COPIES} tries no copy could be taken of one moment; read it "
                "when the run has ended, or from where you may write beside it"
            )
        self.path, self.is_copy = copy, True

    def connect(self) -> Guarded:
        """Open it for reading only."""
        return _connected(self.path, "ro", self._timeout)

    def release(self) -> None:
        """Let go of it, and leave nothing behind."""
        log = f"{self.path}-wal"
        held = self._anchor is not None
        self._let_go()
        if held and self._log_was_empty and _size(log) == 0:
            # SQLite takes its files away when the last who may write leaves, and nobody else has them open.
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(_connected(self.path, "rw", self._timeout)) as connection,
            ):
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._remove()

    def _let_go(self) -> None:
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            with contextlib.suppress(sqlite3.Error):
                anchor.close()


def _connected(path: str, mode: str, timeout: float = 30.0) -> Guarded:
    uri = f"{Path(path).absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=timeout, check_same_thread=False, factory=Guarded)


def _hot(path: str) -> Backend:
    return Backend(
        f"{path}: whoever wrote to it was broken off in the middle of a change, and {os.path.basename(path)}-journal "
        "beside it holds what was there before; reading does not put it back: open it once with open_ledger where "
        "you may write, or copy both files and do so there"
    )


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return None


def _leaves_no_trace(path: str) -> bool:
    """Tell whether reading a file in its place makes no files beside it, or such as can be taken away again."""
    there = [os.path.exists(f"{path}{end}") for end in ("-wal", "-shm")]
    if any(there):  # a log that nobody has open is read in a copy: to open it would make the other file
        return all(there)
    # Whoever may not write to the file may be able to make the log beside it, and not to take it away again. (Nobody
    # else looks into the file: to close it would let go of the locks that another thread of this process has on it.)
    return os.access(path, os.W_OK) or not _has_log(path)


def _has_log(path: str) -> bool:
    """Tell whether a database has a write-ahead log, by its header."""
    try:
        with open(path, "rb") as file:
            return file.read(20)[18:] == b"\2\2"
    except OSError:
        return False


class _State(NamedTuple):
    """What tells whether somebody has written."""

    files: tuple[Any, ...]
    log: bytes
    """The header of the log, which has another salt whenever the log begins anew."""
    newest: int

    @classmethod
    def of(cls, path: str) -> _State:
        files: list[tuple[int, ...] | None] = []
        newest = 0
        for end in ("", "-wal", "-journal"):
            try:
                status = os.stat(f"{path}{end}")
            except FileNotFoundError:
                files.append(None)
                continue
            files.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
            newest = max(newest, status.st_mtime_ns)
        return cls(tuple(files), _header(f"{path}-wal"), newest)


def _header(log: str) -> bytes:
    try:
        with open(log, "rb") as file:
            return file.read(32)
    except FileNotFoundError:
        return b""


def _copied(path: str, copy: str) -> bool:
    """Copy a database and its log; give whether the copy is of one moment.

    While the log goes on (its header stays), whatever is moved out of it into the database is in it too: the database,
    and after it the log, are together a state that was. Without one nothing may have changed at all, and
    the last change must be so old that another has another time.
    """
    before = _State.of(path)
    shutil.copyfile(path, copy)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{copy}{end}")
    if before.files[1] is not None:
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
    after = _State.of(path)
    if len(before.log) == 32:
        same = [[None if file is None else file[:2] for file in state.files] for state in (before, after)]
        return same[0] == same[1] and before.log == after.log == _header(f"{copy}-wal")
    return before == after and not 0 <= time.time_ns() - before.newest < _TICK


def _is_sound(copy: str) -> bool:
    try:
        with contextlib.closing(_connected(copy, "ro")) as connection:
            answer: Any = connection.execute("PRAGMA quick_check(1)").fetchone()
            return bool(answer == ("ok",))
    except sqlite3.Error:
        return False
