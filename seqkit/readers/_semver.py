"""Versions and ranges as npm, yarn and pnpm write them, and which version a range takes.

Ranges are those of node-semver, read loosely and with pre-releases counted like other versions, as yarn does in
workspaces: a member at 2.0.0-beta.3 is what ``>=1`` means there.

>>> takes("^1.2.0", "1.9.1"), takes("^1.2.0", "2.0.0-rc.1"), takes(">=18 || ~17.3", "17.3.9"), takes("latest", "1.0.0")
(True, False, True, None)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TypeAlias

__all__ = ["is_range", "takes"]

_LONGEST = 256  # characters of a range; node-semver takes no longer ones
_PART = r"(\d{1,16}|[xX*])"
_AFTER = r"(?:-?((?<=-)[0-9A-Za-z.-]+|[A-Za-z][0-9A-Za-z.-]*))?(?:\+[0-9A-Za-z.-]+)?"  # 1.0.0beta has no dash
_PARTIAL = rf"[v=\s]*{_PART}(?:\.{_PART}(?:\.{_PART}{_AFTER})?)?"
_VERSION = re.compile(rf"[v=\s]*(\d{{1,16}})\.(\d{{1,16}})\.(\d{{1,16}}){_AFTER}\s*")
_HYPHEN = re.compile(rf"\s*({_PARTIAL})\s+-\s+({_PARTIAL})\s*")
_COMPARATOR = re.compile(rf"(<=|>=|<|>|\^|~>?|=)?{_PARTIAL}")
_BLANK_AFTER = re.compile(r"([<>=^~])\s+")

Key: TypeAlias = tuple[int, int, int, tuple[object, ...]]
"""A version as it is compared: its numbers, then (1,) for a release, and less than that for a pre-release."""
_Bounds: TypeAlias = tuple[tuple[str, Key], ...]

_RELEASE = (1,)
_FIRST = (0, ((0, 0),))  # the pre-release -0, before which there is none


def takes(wanted: str, version: str) -> bool | None:
    """Tell whether a range takes a version; None where it is no range (a tag, an address), or that is no version.

    Examples
    --------
    >>> takes("1.x", "1.4.0"), takes("1.2.3 - 2", "2.9.9"), takes("", "0.0.1"), takes("~1.2", "1.3.0")
    (True, True, True, False)
    """
    bounds = _alternatives(wanted)
    key = _key(version)
    if bounds is None or key is None:
        return None
    return any(all(_holds(key, sign, bound) for sign, bound in alternative) for alternative in bounds)


def is_range(text: str) -> bool:
    """Tell whether a text is a version or a range.

    Examples
    --------
    >>> is_range("^1"), is_range("*"), is_range("next"), is_range("user/repo")
    (True, True, False, False)
    """
    return _alternatives(text) is not None


def _key(version: str) -> Key | None:
    read = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    return read and (int(read[1]), int(read[2]), int(read[3]), _before(read[4]))


def _before(told: str | None) -> tuple[object, ...]:
    if not told:
        return _RELEASE
    # Numbers come before words, and a list before those that go on after it: as tuples compare.
    return (0, tuple((0, int(one)) if one.isdecimal() else (1, one) for one in told[:_LONGEST].split(".")))


def _holds(key: Key, sign: str, bound: Key) -> bool:
    match sign:
        case ">=":
            return key >= bound
        case "<":
            return key < bound
        case ">":
            return key > bound
        case "<=":
            return key <= bound
    return key == bound


@lru_cache(maxsize=4096)
def _alternatives(wanted: str) -> tuple[_Bounds, ...] | None:
    """Read a range: one of these rows has to hold; None where it is none."""
    if len(wanted) > _LONGEST:
        return None
    rows = []
    for part in wanted.split("||"):
        row = _row(part)
        if row is None:
            return None
        rows.append(row)
    return tuple(rows)


def _row(part: str) -> _Bounds | None:
    if between := _HYPHEN.fullmatch(part):
        low, high = between.groups()[1:5], between.groups()[6:10]
        return (*_bounds(">=", *low[:3], low[3] or "0"), *_bounds("<=", *high))  # "0": from its first pre-release on
    bounds: list[tuple[str, Key]] = []
    for word in _BLANK_AFTER.sub(r"\1", part).split():
        read = _COMPARATOR.fullmatch(word)
        if read is None:
            return None
        bounds += _bounds(read[1] or "", *read.groups()[1:])
    return tuple(bounds)


def _bounds(sign: str, *parts: str | None) -> _Bounds:
    """Give what a comparator with a version, or with the beginning of one, stands for."""
    numbers = []
    for part in parts[:3]:
        if part is None or part in "xX*":
            break
        numbers.append(int(part))
    known = len(numbers)
    if not known:
        return (("<", (0, 0, 0, _FIRST)),) if sign in ("<", ">") else ()
    whole = (*numbers, 0, 0)[:3]
    at: Key = (*whole, _before(parts[3]) if known == 3 else _FIRST)  # type: ignore[assignment]  # three numbers
    if sign.startswith("~"):
        return ((">=", at), ("<", _next(whole, min(known, 2))))
    if sign == "^":
        fixed = next((place for place, number in enumerate(whole[:known], 1) if number), known)
        return ((">=", at), ("<", _next(whole, fixed)))
    if known == 3 or sign in (">=", "<"):
        return ((sign or "=", at),)
    after = _next(whole, known)
    if sign == ">":
        return ((">=", after),)
    return (("<", after),) if sign == "<=" else ((">=", at), ("<", after))


def _next(whole: tuple[int, ...], kept: int) -> Key:
    """Give the first version, pre-releases and all, whose first `kept` numbers are larger."""
    numbers = [*whole[: kept - 1], whole[kept - 1] + 1, 0, 0][:3]
    return (numbers[0], numbers[1], numbers[2], _FIRST)
