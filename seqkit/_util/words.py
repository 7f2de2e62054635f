"""Counts and lists in sentences: "1 repo", "1,234 repos", "'a', 'b' and 3 more"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

__all__ = ["and_more", "inflected", "listed", "plural", "quoted", "shortened"]

_T = TypeVar("_T")


def shortened(text: str, limit: int = 200) -> str:
    """Cut `text` in the middle to `limit` characters, so that a huge id cannot flood a page.

    Examples
    --------
    >>> shortened("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= limit:
        return text
    keep = limit - 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


def inflected(count: int, one: str, many: str = "") -> str:
    """Give the form of a word for so many; without `many` it is the noun with an s.

    Examples
    --------
    >>> inflected(1, "repo"), inflected(0, "repo"), inflected(2, "is", "are")
    ('repo', 'repos', 'are')
    """
    return one if count == 1 else many or f"{one}s"


def plural(count: int, one: str, many: str = "") -> str:
    """Count things.

    Examples
    --------
    >>> plural(1, "repo"), plural(1200, "dependency", "dependencies")
    ('1 repo', '1,200 dependencies')
    """
    return f"{count:,} {inflected(count, one, many)}"


def and_more(count: int, what: str = "", before: str = " ") -> str:
    """Say how many are not named; nothing where all are.

    Examples
    --------
    >>> and_more(1200), and_more(3, " runs", before="; "), and_more(0), and_more(-2)
    (' and 1,200 more', '; and 3 more runs', '', '')
    """
    return f"{before}and {count:,} more{what}" if count > 0 else ""


def listed(names: Sequence[_T], most: int, spelt: Callable[[_T], str] = str, apart: str = ", ") -> str:
    """Name the first, and say how many more there are; empty where there are none.

    Examples
    --------
    >>> listed(["a", "b", "c"], 2, repr), listed(["a", "b"], 2), listed(["a; 1", "b; 2", "c; 3"], 2, apart="; ")
    ("'a', 'b' and 1 more", 'a, b', 'a; 1; b; 2; and 1 more')
    """
    before = " " if apart == ", " else apart
    return apart.join(map(spelt, names[:most])) + and_more(len(names) - most, before=before)


def quoted(names: Iterable[object], most: int = 10) -> str:
    """Quote the first ids of a message; long ones are shortened.

    Examples
    --------
    >>> print(quoted(["core", "it's"]), "|", quoted("abc", 2))
    'core', "it's" | 'a', 'b' and 1 more
    """
    return listed(list(names), most, lambda name: repr(shortened(str(name), 80)))
