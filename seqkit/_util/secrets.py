"""How what a caller gave may be shown: without what is secret in a path or URL, whatever is wrong with it.

A URL holds a password, and it comes with a slash too few, with an @ that should have been written %40, or as the
wrong argument of the wrong function. So what is shown is what is known to be harmless, and of a URL that does not
parse nothing but its scheme.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote, unquote_plus

__all__ = ["DATABASES", "HIDDEN", "as_given", "secrets_in", "shown", "shown_id", "without"]

HIDDEN = "***"
"""What stands in the place of a secret."""
DATABASES = (
    "cockroachdb",
    "mariadb",
    "mongodb",
    "mssql",
    "mysql",
    "oracle",
    "postgres",
    "postgresql",
    "redis",
    "sqlite",
)
"""Schemes of databases: what begins like this is meant for a URL, however many slashes follow."""

# A letter alone is a drive of Windows. A URL may stand at the end of a path, where a relative one was made absolute.
_URL = re.compile(rf"(?<![\w+.-])([A-Za-z][\w+.-]+):(?=/)|^\s*((?:{'|'.join(DATABASES)})(?:\+\w*)?)(?::|(?=//))", re.I)
_REST = re.compile(
    r"//(?:(?P<user>[^\s:/?#@\[\]]*)(?::(?P<password>[^\s/?#@]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]*)(?P<port>:\d*)?"
    r"(?P<path>/[^?@]*)?(?:\?(?P<query>[^@]*))?"
)
_WHO_AND_WHERE = re.compile(r"\s*(?://)?[^\s:/@]+:.+@[\w.-]+(?:/|:\d)")  # user:password@host/ without a scheme
_TO_THE_AT = re.compile(r":.*@", re.S)
_QUOTED = re.compile(
    r"(?<![\w+.-])([A-Za-z][\w+.-]+:/+)[^\s/@]*:.*@", re.S
)  # by a repr, of what its object was made of
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
# Found anywhere in a word: one that took in the word before it would look through a long one from each of its letters.
_NAMED = re.compile(r"((?:pass\w*|pwd|token|secret\w*|sslkey|api_?key)\s*=\s*).+", re.I | re.S)
_PLAIN = re.compile(r"[\w./, -]*")
_PLAIN_ONES = (
    "application_name channel_binding client_encoding dbname fallback_application_name hostaddr load_balance_hosts "
    "options require_auth requirepeer service sslcert sslcrl sslrootcert user vfs"
)
_NUMBERS = (
    "connect_timeout immutable keepalives keepalives_count keepalives_idle keepalives_interval nolock port psow sslsni "
    "tcp_user_timeout timeout"
)
_HARMLESS: dict[str, re.Pattern[str]] = {  # parameters of SQLite's and PostgreSQL's URLs, and values that may be shown
    **dict.fromkeys(_PLAIN_ONES.split(), _PLAIN),
    **dict.fromkeys(_NUMBERS.split(), re.compile(r"[0-9.,]*")),
    "host": re.compile(r"[\w./,-]*(?::\d{1,5})?(?:,[\w./-]*(?::\d{1,5})?)*"),
    "sslmode": re.compile("disable|allow|prefer|require|verify-ca|verify-full"),
    "gssencmode": re.compile("disable|prefer|require"),
    "target_session_attrs": re.compile("any|read-write|read-only|primary|standby|prefer-standby"),
    "mode": re.compile("ro|rwc?|memory"),
    "cache": re.compile("shared|private"),
    "uri": re.compile("true|false|0|1"),
}
_SECRET = frozenset(["passfile", "passwd", "password", "pwd", "sslkey", "sslpassword", "token"])


def shown(name: str) -> str:
    """Give a path or URL as it may be shown.

    Examples
    --------
    >>> shown("runs.db"), shown("sqlite:///runs.db?timeout=5")
    ('runs.db', 'sqlite:///runs.db?timeout=5')
    >>> shown("postgresql://kim:s3cret@host:5432/db?sslmode=require&passwd=s3cret")
    'postgresql://kim:***@host:5432/db?sslmode=require&passwd=***'
    >>> shown("postgresql://kim:a@s3cret@host/db"), shown("postgresql:/kim:s3cret@host/db")
    ('postgresql://***', 'postgresql:/***')
    """
    return _parted(name)[0]


def shown_id(name: str) -> str:
    """Give the id of a repo or run as it may be shown, where a URL may have been given for one.

    Examples
    --------
    >>> shown_id("npm:lodash@4.17.21"), shown_id("postgresql://kim:s3cret@host/db")
    ('npm:lodash@4.17.21', 'postgresql://kim:***@host/db')
    """
    if isinstance(name, str) and (_URL.search(name) or _NAMED.search(name) or _WHO_AND_WHERE.match(name)):
        return shown(name)
    return name


def secrets_in(name: str) -> tuple[str, ...]:
    """List what `shown` hides of a URL, as it is written and as it is read: what no message may hold."""
    hidden = _parted(name)[1]
    spelt = {text for secret in hidden for text in (secret, unquote(secret), unquote_plus(secret))}
    return tuple(sorted(spelt - {""}, key=lambda text: (-len(text), text)))


def without(message: str, secrets: Collection[str]) -> str:
    """Take out of a message what it may not hold, the longest first.

    Examples
    --------
    >>> without('no such user "a:s3cret"', ["a:s3cret"]), without("a bad day: kim", ["a"])
    ('no such user "***"', '*** bad day: kim')
    """
    for secret in secrets:
        whole = len(secret) < 4  # a short one is a part of many words
        edge = (r"(?<!\w)", r"(?!\w)") if whole else ("", "")
        message = re.sub(f"{edge[0]}{re.escape(secret)}{edge[1]}", HIDDEN, message)
    return message


def as_given(value: Any, most: int = 80) -> str:
    """Quote what was given for an argument, in at most so many characters and without what is secret in it.

    Examples
    --------
    >>> as_given("postgresql://kim:s3cret@host/db"), as_given(["mysql://kim:s3cret@h"]), as_given(7)
    ("'postgresql://kim:***@host/db'", "['mysql://***:***@h']", '7')
    """
    if isinstance(value, os.PathLike):
        text = f"{type(value).__name__}({_spelt(os.fspath(value))!r})"
    else:
        spelt = _spelt(value)
        text = repr(spelt)
        if spelt is value and not isinstance(value, str) and ":/" in text:
            text = _QUOTED.sub(rf"\1{HIDDEN}@", text)
    return text[:most]


def _spelt(value: Any, depth: int = 3) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bytes):
        return shown(value.decode("latin-1")).encode("latin-1")
    if type(value) in (list, tuple, set, frozenset) and depth:
        return type(value)(_spelt(entry, depth - 1) for entry in value)
    if type(value) is dict and depth:
        return {_spelt(key, depth - 1): _spelt(entry, depth - 1) for key, entry in value.items()}
    return value


def _parted(name: str) -> tuple[str, list[str]]:
    """Give what may be shown, and what was hidden."""
    if ":" not in name and "=" not in name:
        return name, []
    found = _URL.search(name)
    if found is None:
        return _of_no_url(name)
    scheme = (found[1] or found[2]).lower()
    head, rest = name[: found.end()], name[found.end() :]
    backend = scheme if scheme.endswith("ssh") else scheme.partition("+")[0]
    if backend == "sqlite" and rest.startswith("///"):
        path, mark, query = rest.partition("?")
        asked, hidden = _query(query)
        name = shown_id(path[3:])  # a path as it is, but for another URL
        return f"{head}///{name}{mark}{asked}", hidden
    parts = _REST.fullmatch(rest)
    if parts is not None:
        return _of_parts(head, backend.startswith("postgres") or backend.endswith("ssh"), parts)
    if backend in DATABASES or set("@:?=") & set(rest):
        slashes = rest[: len(rest) - len(rest.lstrip("/"))]
        return f"{head}{slashes}{HIDDEN}", [rest.lstrip("/")]
    return name, []


def _of_no_url(name: str) -> tuple[str, list[str]]:
    hidden: list[str] = []

    def hide(found: re.Match[str]) -> str:
        hidden.append(found[0])
        return f":{HIDDEN}@"

    text = name if _DRIVE.match(name) else _TO_THE_AT.sub(hide, name)
    said = _NAMED.search(text)
    if said is not None:
        hidden.append(text[said.end(1) :])
        text = f"{text[: said.end(1)]}{HIDDEN}"
    return text, hidden


def _of_parts(head: str, has_names: bool, parts: re.Match[str]) -> tuple[str, list[str]]:
    hidden: list[str] = []

    def plain(text: str | None, harmless: bool = True) -> str:
        if not text or (harmless and _PLAIN.fullmatch(unquote(text))):
            return text or ""
        hidden.append(text)
        return HIDDEN

    # In PostgreSQL the user is a name; in other URLs it may be a token.
    who = plain(parts["user"], has_names)
    if parts["password"] is not None:
        who += f":{plain(parts['password'], False)}"
    at = "" if parts["user"] is None else f"{who}@"
    host = parts["host"] if parts["host"].startswith("[") else plain(parts["host"])
    path = parts["path"] or ""
    if (has_names and not _PLAIN.fullmatch(unquote(path))) or _NAMED.search(path):
        path = f"/{plain(path[1:], False)}"
    query = parts["query"]
    asked, more = ("", []) if query is None else _query(query)
    return (
        f"{head}//{at}{host}{parts['port'] or ''}{path}{'' if query is None else '?'}{asked}",
        hidden + more,
    )


def _query(query: str) -> tuple[str, list[str]]:
    told_of: list[str] = []
    hidden: list[str] = []
    for piece in query.split("&"):
        key, equals, value = piece.partition("=")
        name = key.lower()
        harmless = name in _HARMLESS and _HARMLESS[name].fullmatch(unquote_plus(value))
        if not piece or harmless:
            told_of.append(piece)
        elif name in _HARMLESS or name in _SECRET:
            hidden.append(value)
            told_of.append(f"{key}{equals}{HIDDEN}" if value else piece)
        else:
            hidden += [key, value]
            told_of.append(HIDDEN)
    return "&".join(told_of), hidden
