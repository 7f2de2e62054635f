"""Counts and lists in sentences: "1 repo", "1,234 repos", "'a', 'b' and 3 more"; and names that are safe to show.

Names come from anywhere: lock files, tags, ledgers of others. Whatever shows one, as text, HTML or a picture,
shows it through :func:`shortened` (or ``repr`` of :func:`cut`): no name moves a cursor, turns the direction of
what stands beside it, or hides a part of itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

__all__ = ["UNSEEN", "and_more", "cut", "inflected", "listed", "plural", "printable", "quoted", "shortened"]

_T = TypeVar("_T")

UNSEEN = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What has no look of its own (Unicode's Default_Ignorable_Code_Point, and the blank of Braille)."""

_CHOOSES_LOOK = frozenset("\ufe0e\ufe0f")  # of what stands before it: text or emoji


def printable(text: str) -> str:
    r"""Escape what is obeyed, hidden or turned around where it is shown, as ``repr`` writes it.

    That is all that ``str.isprintable`` denies (control and direction characters, halves of characters, spaces
    that are no plain blank), and letters that nobody sees. Doing it twice is doing it once.

    Examples
    --------
    >>> print(printable("red \x1b[31m, two\nlines, \u202etxt.exe, naïve 🚀"))
    red \x1b[31m, two\nlines, \u202etxt.exe, naïve 🚀
    """
    if text.isprintable() and (text.isascii() or not UNSEEN.search(text)):
        return text
    return "".join(char if _is_seen(char) else char.encode("unicode_escape").decode() for char in text)


def _is_seen(char: str) -> bool:
    return char.isprintable() and (char in _CHOOSES_LOOK or not UNSEEN.match(char))


def cut(text: str, limit: int = 200) -> str:
    """Cut `text` in the middle to `limit` characters, so that a huge id cannot flood a page; for what ``repr`` quotes.

    Examples
    --------
    >>> cut("abcdefghij", 7)
    'abc…hij'
    """
    if len(text) <= limit:
        return text
    keep = limit - 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


def shortened(text: str, limit: int = 200) -> str:
    r"""Cut `text` as :func:`cut` does, and escape it as :func:`printable` does: how a name is shown.

    Examples
    --------
    >>> print(shortened("abcdefghij", 7), shortened("two\nlines"))
    abc…hij two\nlines
    """
    return cut(printable(cut(text, limit)), limit)


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
    return listed(list(names), most, lambda name: printable(repr(cut(str(name), 80))))
