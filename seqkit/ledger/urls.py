"""What a ledger's path or URL may look like: read in one place, so that every function gives the same answer.

What is understood is used, and what is not is refused before anything is opened: a parameter that is passed over
may be the one that was to keep a ledger from being written to, and half a password is looked up as a host.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

from seqkit._util.secrets import DATABASES, as_given, shown
from seqkit.errors import ReadError

__all__ = ["EXPECTED", "SqliteFile", "checked", "no_name", "postgresql_url", "readable", "scheme_of", "sqlite_file"]

EXPECTED = "expected a path, or a URL such as sqlite:///runs.db or postgresql://user@host/database"

_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg")

_DATABASE = re.compile(rf"((?:{'|'.join(DATABASES)})(?:\+\w*)?):(/*)", re.I)
_KEYWORDS = re.compile(
    r"\s*(?:password\s*=|(?:host|hostaddr|port|dbname|user|service|sslmode|options)\s*=\s*\S+\s+\w+\s*=)", re.I
)
_SCHEME = re.compile(r"([A-Za-z][\w+.-]*)://")
_AUTHORITY = re.compile(
    r"(?:(?P<user>[^\s:/?#@]*)(?::(?P<password>[^\s/?#@]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]*)(?::\d*)?(?:/[^\s?#@]*)?(?:\?[^\s#@]*)?"
)
_HOST = re.compile(r"[\w./,+-]*(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)?(?::\d+)?(?:,[\w./-]*(?::\d+)?)*")
_QUOTING = (
    "write what is special in a user, a password or another part of it as %40 for @, %2F for /, %3A for :, %3F for ?, "
    "%23 for # and %20 for a space"
)


def scheme_of(path_or_url: str) -> str:
    """Give the kind of database of a URL: ``"sqlite"``, ``"postgresql"``, or empty for paths and all else.

    Examples
    --------
    >>> scheme_of("postgres://host/db"), scheme_of("SQLite:///runs.db"), scheme_of("runs.db"), scheme_of("mysql://h")
    ('postgresql', 'sqlite', '', '')
    """
    found = _SCHEME.match(path_or_url)
    scheme = "" if found is None else found[1].lower()
    return "sqlite" if scheme in _SQLITE else "postgresql" if scheme in _POSTGRESQL else ""


def checked(value: Any, argument: str) -> str:
    """Read the path or URL of a ledger that is to be opened.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, where it is neither; what is secret in it is not shown.

    Examples
    --------
    >>> checked("sqlite://runs.db", "ledger")
    Traceback (most recent call last):
    ValueError: ledger is 'sqlite://runs.db', a URL with two slashes, expected three, or four before an absolute path: \
sqlite:///runs.db
    """
    text, why = _read(value, argument)
    if why:
        raise ValueError(f"{argument} is {as_given(text, 200)}, {why}")
    return text


def readable(value: Any, argument: str) -> str:
    """Read the path or URL of a ledger that is to be read: as `checked`, but ``ReadError`` for what is malformed."""
    text, why = _read(value, argument)
    if why:
        raise ReadError(shown(text), None, f"is {why} (this is the argument {argument})")
    return text


def _read(value: Any, argument: str) -> tuple[str, str]:
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise TypeError(f"{argument} is {as_given(value)}, expected a path or a database URL")
    return text, _wrong(text)


def _wrong(text: str) -> str:
    """Say what is wrong with a path or URL, and what was expected; empty where nothing is."""
    if why := no_name(text):
        return f"{why}; {EXPECTED}"
    if _KEYWORDS.match(text):
        return f"no path, but key words of PostgreSQL's, {EXPECTED}"
    found = _DATABASE.match(text.strip())
    if found is None:
        return ""
    if text != text.strip():
        return "a URL with a space or the end of a line before or after it, expected it alone"
    if not found[2].startswith("//"):
        return (
            f"a URL that lacks slashes, expected {found[1].lower()}:// and what follows "
            "(a pathlib.Path takes slashes away: give a URL as a str)"
        )
    # Of another database whoever opens or reads says that it is none.
    return {"sqlite": _wrong_sqlite, "postgresql": _wrong_postgresql}.get(scheme_of(text), lambda _: "")(text)


def no_name(text: str) -> str:
    """Say why no file can be called like this; empty where one can."""
    if not text:
        return "no name of a file: it is empty"
    if "\0" in text:
        return "no name of a file: it holds a NUL character"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "no name of a file: it holds half a character"
    return ""


# ---------------------------------------------------------------------- PostgreSQL


def _wrong_postgresql(url: str) -> str:
    rest = url.split("://", 1)[1]
    if rest.count("@") > 1 or ("@" in rest and "@" not in re.split(r"[/?#]", rest, maxsplit=1)[0]):
        return f"a URL that holds an @ (or a /, ? or # before it) that is not written as %40, expected one: {_QUOTING}"
    if _AUTHORITY.fullmatch(rest) is None:
        return f"no URL of a database, {EXPECTED}; {_QUOTING}"
    _, _, query = rest.partition("?")
    seen: set[str] = set()
    for piece in query.split("&") if query else ():
        name, _, value = piece.partition("=")
        if not re.fullmatch(r"\w+=.+", piece):
            return f"a URL that has a parameter that is no name=value, {EXPECTED}?name=value; {_QUOTING}, %26 for &"
        if name in ("host", "hostaddr", "port"):  # they alone may come again: several servers to try
            if _HOST.fullmatch(unquote_plus(value)) is None:
                return f"a URL that has a {name} that is none, expected the name or address of a server, or a folder"
        elif name in seen:
            return f"a URL that has a parameter twice (number {len(seen) + 1} after the ?), expected it once"
        seen.add(name)
    return ""


def postgresql_url(url: str) -> str:
    """Write a URL that was checked with the one scheme that all of them mean."""
    return f"postgresql://{url.split('://', 1)[1]}"


# ---------------------------------------------------------------------- SQLite


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """What a SQLite URL says."""

    path: str | None
    """The file; None for a database in memory."""
    mode: str = "rwc"
    """``ro``, ``rw`` or ``rwc``: what may be done with it, as SQLite calls it."""
    timeout: float | None = None
    """For how many seconds to wait where it is locked; None where nothing is said."""
    vfs: str | None = None
    """SQLite's name for the way to reach the file; None for the usual one."""


def sqlite_file(path_or_url: str) -> SqliteFile:
    """Read a path, or a SQLite URL that was checked.

    Examples
    --------
    >>> sqlite_file("runs.db").path, sqlite_file("sqlite:////srv/runs.db?mode=ro&timeout=2").path
    ('runs.db', '/srv/runs.db')
    >>> sqlite_file("sqlite:////srv/runs.db?mode=ro&timeout=2").timeout
    2.0
    """
    if scheme_of(path_or_url) != "sqlite":
        return SqliteFile(None if path_or_url == ":memory:" else path_or_url)
    path, _, query = path_or_url.split("://", 1)[1].partition("?")
    path = path[1:]
    asked = dict(piece.split("=", 1) for piece in query.split("&")) if query else {}
    if path.startswith("file:"):  # SQLite's own URL within
        path = unquote(re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", path))
    timeout = asked.get("timeout")
    return SqliteFile(
        None if path in ("", ":memory:") else path,
        asked.get("mode", "rwc"),
        None if timeout is None else float(timeout),
        asked.get("vfs"),
    )


def _wrong_sqlite(url: str) -> str:
    path, _, query = url.split("://", 1)[1].partition("?")
    within = path[1:]
    if why := _wrong_path(path):
        return why
    pieces = [piece.partition("=") for piece in query.split("&")] if query else []
    for number, (name, _, value) in enumerate(pieces, 1):
        if why := _wrong_parameter(name, value, number):
            return why
    names = [name for name, _, _ in pieces]
    if len(set(names)) < len(names):
        return "a URL that has a parameter twice, expected each once"
    if names and within in ("", ":memory:"):
        return "a database in memory, expected sqlite:// without parameters"
    if "uri" in names and not within.startswith("file:"):
        return "a URL that has uri=true but no file: before its path, expected sqlite:///runs.db without uri=true"
    return ""


def _wrong_path(path: str) -> str:
    if path and not path.startswith("/"):
        return f"a URL with two slashes, expected three, or four before an absolute path: sqlite:///{shown(path)}"
    if re.match(r"/file:(:memory:|\?|$)", path):
        return "a database in memory, expected sqlite:// for one, or the path of a file: sqlite:///runs.db"
    if re.match(r"/file://(?!/|localhost/)", path):
        return "a URL with a host in it, expected the path of a file: sqlite:///runs.db"
    return ""


def _wrong_parameter(name: str, value: str, number: int) -> str:
    rule = _PARAMETERS.get(name)
    if rule is None:
        return (
            f"a URL that has a parameter that seqkit does not know (number {number} after the ?), expected some of "
            f"{', '.join(_UNDERSTOOD)}, such as sqlite:///runs.db?mode=ro"
        )
    fits, expected = rule
    return "" if fits(value) else f"a URL that has {name}={_plain(value)}, expected {expected}"


def _plain(value: str) -> str:
    return repr(value) if re.fullmatch(r"[\w.-]{0,20}", value) else "something else"


def _is_seconds(value: str) -> bool:
    try:
        return math.isfinite(float(value)) and 0 <= float(value) <= 86_400
    except ValueError:
        return False


_PARAMETERS: dict[str, tuple[Callable[[str], bool], str]] = {
    "mode": (
        lambda value: value in ("ro", "rw", "rwc"),
        "ro (for reading only), rw (the file must be there) or rwc (it is made where it is missing)",
    ),
    "timeout": (_is_seconds, "for how many seconds to wait where the file is locked, from 0 to 86400"),
    "uri": (lambda value: value in ("true", "1"), "true, before a path that begins with file:, or nothing"),
    "vfs": (lambda value: bool(re.fullmatch(r"[\w.-]+", value)), "the name of one of SQLite's virtual file systems"),
    "immutable": (
        lambda value: value == "0",
        "mode=ro instead: what stands in the write-ahead log would be passed over, and what others write meanwhile too",
    ),
    "nolock": (lambda value: value == "0", "no such parameter: others would write over what is written"),
    "cache": (lambda value: value == "private", "no such parameter: connections of seqkit share nothing"),
}
_UNDERSTOOD = ("mode", "timeout", "uri", "vfs")
