"""JSON that somebody else wrote, read strictly: what two programs would read differently is refused."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, NoReturn

from pydantic_core import from_json

from seqkit._util.words import shortened

__all__ = ["DEEPEST", "Unreadable", "parse_all", "parse_json", "said"]

DEEPEST = 200
"""How deep objects and lists may be nested in a line."""


class Unreadable(ValueError):
    """A text that cannot be read; it says why and what was expected, and where it breaks off in which line of it."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise Unreadable(f"an object has the key {shortened(repr(twice), 60)} twice, expected it once")
    return made


def _constant(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not JSON, expected a number or null")


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Unreadable(f"the number {shortened(digits, 40)} is too large to be held")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return any(isinstance(value, dict | list) for value in level)


def parse_json(text: str) -> Any:
    """Parse JSON, refusing what other programs would read differently: NaN, a key twice, endless nesting.

    Raises
    ------
    ValueError
        Saying what is wrong.

    Examples
    --------
    >>> parse_json('{"error": "red", "tries": 2}')
    {'error': 'red', 'tries': 2}
    >>> parse_json('{"error": "forged", "error": "red"}')
    Traceback (most recent call last):
    seqkit._util.strict_json.Unreadable: an object has the key 'error' twice, expected it once
    """
    try:
        read = from_json(text, cache_strings="keys", allow_inf_nan=False)
    except ValueError:
        return _strictly(text)
    return read if _is_exact((read,), text) else _strictly(text)


def parse_all(texts: Sequence[str]) -> list[Any]:
    """Parse many texts as :func:`parse_json` does, and faster.

    Raises
    ------
    ValueError
        Saying what is wrong with the first that cannot be read.
    """
    joined = ",\n".join(texts)
    # As one list: no text may have a line break, and none of the objects another inside, so that what stands at the
    # joints, the end of one object and the start of another, stands there in every reading.
    if joined.count("\n") == joined.count("},\n{") == len(texts) - 1 and joined[:1] == "{":
        with contextlib.suppress(ValueError):
            read = from_json(f"[{joined}]", cache_strings="keys", allow_inf_nan=False)
            if len(read) == len(texts) and _is_exact(read, joined, flat=True):
                return list(read)
    return [parse_json(text) for text in texts]


_QUOTE_AND_BLANK = re.compile(r'"[ \n\t\r]')
_PLAIN = {str, int, bool, type(None)}
_WITHIN = {*_PLAIN, float, dict, list}
_INFINITE = (float("inf"), float("-inf"))


def _is_exact(read: Sequence[Any], text: str, flat: bool = False) -> bool:
    """Tell for certain that pydantic's parser, several times faster, has read what the strict one reads.

    It takes the last of two keys, infinity for 1e400, and a level more. Where no quote is followed by a blank, a text
    has at most as many keys as quotes before a colon; where so many were read, none was there twice. Else nobody
    knows: a message may say anything. With `flat` objects have lists of plain values at most.
    """
    if _QUOTE_AND_BLANK.search(text):
        return False
    keys, level = text.count('":'), read
    for depth in range(DEEPEST):
        kinds = set(map(type, level))
        if kinds <= _PLAIN:
            return not keys
        if flat and (dict in kinds) != (depth == 0):
            return False
        if not kinds <= _WITHIN or (float in kinds and any(number in level for number in _INFINITE)):
            return False
        below: list[Any] = []
        if dict in kinds:
            dicts = level if len(kinds) == 1 else [value for value in level if type(value) is dict]
            keys -= sum(map(len, dicts))
            below += chain.from_iterable(map(dict.values, dicts))
        if list in kinds:
            lists = level if len(kinds) == 1 else [value for value in level if type(value) is list]
            below += chain.from_iterable(lists)
        level = below
    return False


def _strictly(text: str) -> Any:
    try:
        content = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON: {error.msg} (column {error.colno})", error.lineno) from None
    except RecursionError:
        raise Unreadable(f"is nested too deeply, expected at most {DEEPEST} levels") from None
    except Unreadable:
        raise
    except ValueError as error:  # a whole number with more digits than Python converts
        raise Unreadable(f"is not usable JSON: {error}") from None
    if text.count("[") + text.count("{") > DEEPEST and _deeper_than(content, DEEPEST):
        raise Unreadable(f"is nested too deeply, expected at most {DEEPEST} levels")
    return content


def said(value: object) -> str:
    """Say what a JSON value is, in one short phrase; containers are not printed, whatever their size."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return shortened(repr(value), 60)
