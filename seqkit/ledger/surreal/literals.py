r"""Values as SurrealDB writes them into an export: read as data, so that nothing is ever executed.

The form is JSON with keys that need no quotes, and with more kinds of values. What JSON does not have
becomes text: datetimes (``d'…'``) as RFC 3339 in UTC with microseconds, finer digits truncated;
record ids as ``table:key``; durations and UUIDs as they are written. ``NONE`` and ``NULL`` are None.

>>> value, end = read_value("{ seq: 1, at: d'2026-01-02T03:04:05.123456789Z', who: 'it\\'s me' }", 0)
>>> value
{'seq': 1, 'at': '2026-01-02T03:04:05.123456Z', 'who': "it's me"}
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, NoReturn

from seqkit._util.words import cut, shortened
from seqkit.core.model import utc_text

__all__ = ["LiteralError", "RecordId", "Token", "next_token", "read_value", "skip_value"]

DEEPEST = 100
"""Deeper values are refused; SurrealDB itself reads no deeper ones unless told to."""

_LONGEST_NUMBER = 400

_TOKEN = re.compile(
    r"""
    (?:\s|--[^\n]*+|\#[^\n]*+|//[^\n]*+|/\*(?s:.*?)\*/)*+
    (?:
      (?P<string>[dusrbf]?(?:"[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\]*+(?:\\.[^'\\]*+)*+'))
    | (?P<record>(?:[A-Za-z_]\w*+|⟨[^⟩\\]*+(?:\\.[^⟩\\]*+)*+⟩|`[^`\\]*+(?:\\.[^`\\]*+)*+`)
        :(?:u?'[^'\\]*+'|u?"[^"\\]*+"|\w++|-\d++|⟨[^⟩\\]*+(?:\\.[^⟩\\]*+)*+⟩|`[^`\\]*+(?:\\.[^`\\]*+)*+`|(?=[\[{])))
    | (?P<duration>(?:\d++(?:ns|us|µs|μs|ms|s|m|h|d|w|y))++(?!\w))
    | (?P<number>[-+]?(?:\d[\d_]*+(?:\.\d++)?+(?:[eE][-+]?\d++)?+(?:f|dec)?+(?!\w) | inf\b | NaN\b | Infinity\b))
    | (?P<word>\w++)
    | (?P<quoted>⟨[^⟩\\]*+(?:\\.[^⟩\\]*+)*+⟩|`[^`\\]*+(?:\\.[^`\\]*+)*+`)
    | (?P<mark>["'`⟨]|.)
    )""",
    re.VERBOSE | re.DOTALL,
)
# An entry as SurrealDB writes most of them; a large export is read twice as fast by it.
_USUAL_ENTRY = re.compile(r"\s*+([A-Za-z_]\w*+):\s++(?:'([^'\\]*+)'|(-?[0-9]{1,18})|d'([^'\\]*+)')\s*+(?=[,}])")
_INTEGER = re.compile(r"[-+]?\d+", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0"} | {char: char for char in "\\/'\"`⟩"}
_CONSTANTS = {"true": True, "false": False, "none": None, "null": None}
_OPENING = {"[": "]", "{": "}", "(": ")"}


class LiteralError(ValueError):
    """Text that is no value; `at` is where, `cut` whether the text ended too early."""

    def __init__(self, message: str, at: int, cut: bool = False) -> None:
        super().__init__(message)
        self.at = at
        self.cut = cut


class Token(NamedTuple):
    """A piece of the text: what it is, what it says, and where it starts and ends."""

    kind: str
    text: str
    start: int
    end: int


class RecordId(str):
    """The id of a record, ``table:key``; `table` is its table."""

    table: str

    def __new__(cls, table: str, key: str) -> RecordId:
        """Put the two together."""
        made = super().__new__(cls, f"{table}:{key}")
        made.table = table
        return made


def next_token(text: str, at: int) -> Token:
    """Give the next piece of `text`, with white space and comments left out; at the end, one of kind "end".

    Raises
    ------
    LiteralError
        Where a string or a comment has no end.
    """
    found = _TOKEN.match(text, at)
    if found is None or found.lastgroup is None:  # nothing but white space is left
        return Token("end", "", len(text), len(text))
    kind = found.lastgroup
    start, end = found.span(kind)
    piece = found[kind]
    if kind == "mark" and (piece in "\"'`⟨" or text.startswith("/*", start)):
        raise LiteralError("something is opened here and never closed: is the file cut off?", start, cut=True)
    return Token(kind, piece, start, end)


def read_value(text: str, at: int, depth: int = 0) -> tuple[Any, int]:
    """Read the value that starts at `at`; give it and the place after it.

    Raises
    ------
    LiteralError
        Where there is no value, or one that is no data (a function call, a parameter, a query).
    """
    kind, piece, start, end = next_token(text, at)
    if kind == "mark" and piece in "[{":
        if depth >= DEEPEST:
            raise LiteralError(f"is nested more than {DEEPEST} levels deep", start)
        return _read_object(text, end, depth) if piece == "{" else _read_array(text, end, depth)
    if kind == "string":
        return _read_string(piece, start), end
    if kind == "number":
        return _read_number(piece, start), end
    if kind == "duration":
        return piece, end
    if kind == "record":
        return _read_record(text, piece, start, end, depth)
    if kind == "word" and piece.lower() in _CONSTANTS:
        return _CONSTANTS[piece.lower()], end
    _refuse(text, kind, piece, start)


def skip_value(text: str, at: int) -> int:
    """Give the place after the value that starts at `at`, which need not be a good one.

    Raises
    ------
    LiteralError
        Where the text ends before the value does.
    """
    closing: list[str] = []
    while True:
        kind, piece, start, end = next_token(text, at)
        if kind == "end":
            raise LiteralError("the file ends in the middle of a value: is it cut off?", start, cut=True)
        if kind == "mark" and piece in _OPENING:
            closing.append(_OPENING[piece])
        elif kind == "mark" and piece in ")]}":
            if not closing:
                return start
            closing.pop()
        elif kind == "mark" and piece in ",;" and not closing:
            return start
        at = end


# ---------------------------------------------------------------------- the kinds of values


def _read_array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    values: list[Any] = []
    while True:
        kind, piece, _, end = next_token(text, at)
        if kind == "mark" and piece == "]":
            return values, end
        value, at = read_value(text, at, depth + 1)
        values.append(value)
        at = _after_entry(text, at, "]")


def _read_object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    content: dict[str, Any] = {}
    while True:
        usual = _USUAL_ENTRY.match(text, at)
        if usual is not None:
            key, value, at = _read_usual(usual)
        else:
            kind, piece, start, end = next_token(text, at)
            if kind == "mark" and piece == "}":
                return content, end
            key, at = _read_key(text, kind, piece, start, end)
            value, at = read_value(text, at, depth + 1)
        if key in content:
            raise LiteralError(f"the key {shortened(repr(key), 60)} is there twice", at)
        content[key] = value
        at = _after_entry(text, at, "}")


def _read_usual(found: re.Match[str]) -> tuple[str, Any, int]:
    key, word, number, moment = found.groups()
    if word is not None:
        return key, word if word.isascii() else _unescaped(word, found.start()), found.end()
    return key, int(number) if number is not None else _read_moment(moment, found.start()), found.end()


def _read_key(text: str, kind: str, piece: str, start: int, end: int) -> tuple[str, int]:
    """Give a key and the place after its colon."""
    if kind == "mark" and piece == ":":
        return "", end  # SurrealDB writes an empty key like that, and cannot read it again
    if kind == "record":  # `key:value` without a space looks like a record id
        key, _, _ = piece.partition(":")
        if key[0] not in "⟨`":
            return key, start + len(key) + 1
    if kind == "string" and piece[0] in "\"'":
        key = _unescaped(piece[1:-1], start)
    elif kind == "word" or (kind in ("number", "duration") and piece.isalnum()):
        key = piece
    elif kind == "quoted":
        key = _unescaped(piece[1:-1], start)
    else:
        _refuse(text, kind, piece, start, "a key")
    kind, piece, start, end = next_token(text, end)
    if kind != "mark" or piece != ":":
        _refuse(text, kind, piece, start, f"a colon after the key {shortened(repr(key), 60)}")
    return key, end


def _after_entry(text: str, at: int, closing: str) -> int:
    if text.startswith(",", at):
        return at + 1
    kind, piece, start, end = next_token(text, at)
    if kind == "mark" and piece == ",":
        return end
    if kind == "mark" and piece == closing:
        return start
    _refuse(text, kind, piece, start, f"a comma or {closing}")


def _read_string(piece: str, start: int) -> str:
    if piece[0] in "\"'":
        return _unescaped(piece[1:-1], start)
    prefix, content = piece[0], _unescaped(piece[2:-1], start)
    if prefix == "d":
        return _read_moment(content, start)
    if prefix in "us":  # a UUID, or plain text
        return content
    raise LiteralError(f"is {cut(piece, 60)!r}, a value that a ledger does not hold", start)


def _read_moment(content: str, start: int) -> str:
    if _MOMENT.fullmatch(content):
        try:
            return utc_text(datetime.fromisoformat(content).astimezone(UTC))  # what is finer is cut off
        except (ValueError, OverflowError):
            pass
    raise LiteralError(
        f"{cut(content, 60)!r} is no time from the year 1 to 9999, such as '2026-01-02T03:04:05Z'", start
    )


def _read_number(piece: str, start: int) -> int | float:
    if len(piece) > _LONGEST_NUMBER:
        raise LiteralError(f"a number has {len(piece)} characters, expected at most {_LONGEST_NUMBER}", start)
    plain = piece.replace("_", "")
    if _INTEGER.fullmatch(plain):
        return int(plain)
    if plain.endswith("dec"):
        decimal = Decimal(plain[:-3])
        return int(decimal) if decimal == decimal.to_integral_value() else float(decimal)
    number = float(plain.removesuffix("f") if plain[-2:] != "nf" else plain)
    if not math.isfinite(number):
        raise LiteralError(f"{shortened(piece, 60)} is no number that JSON has", start)
    return number


def _read_record(text: str, piece: str, start: int, end: int, depth: int) -> tuple[RecordId, int]:
    cut = piece.index(":") if piece[0] not in "⟨`" else piece.index("⟩" if piece[0] == "⟨" else "`", 1) + 1
    table, key = piece[:cut], piece[cut + 1 :]
    if not key:  # a list or an object: shown as it is written
        _, end = read_value(text, end, depth + 1)
        key = " ".join(text[start + len(piece) : end].split())
    elif key[0] in "⟨`'\"":
        key = _unescaped(key[1:-1], start)
    elif key[0] == "u" and key[-1] in "'\"":
        key = key[2:-1]
    return RecordId(_unescaped(table.strip("⟨⟩`"), start), key), end


def _unescaped(content: str, start: int) -> str:
    if "\\" in content:

        def replaced(found: re.Match[str]) -> str:
            braced, four, char = found.groups()
            code = braced or four
            if code is not None and int(code, 16) <= 0x10FFFF:
                return chr(int(code, 16))
            if code is not None or char not in _ESCAPES:
                raise LiteralError(f"a string has {found[0]!r}, which is no escape", start)
            return _ESCAPES[char]

        content = _ESCAPE.sub(replaced, content)
    if not content.isascii():
        try:
            content.encode()
        except UnicodeEncodeError as error:
            code = ord(error.object[error.start])
            what = f"the byte 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else "half a character"
            raise LiteralError(f"a string holds {what}, which is not UTF-8", start) from None
    return content


def _refuse(text: str, kind: str, piece: str, start: int, expected: str = "a value") -> NoReturn:
    if kind == "end":
        raise LiteralError("the file ends in the middle of a value: is it cut off?", start, cut=True)
    context = shortened(" ".join(text[start : start + 60].split()), 30)
    raise LiteralError(f"found {context!r}, expected {expected}", start)
