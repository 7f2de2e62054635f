"""Repos and counts in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from seqkit._html import shortened

__all__ = ["MOST_TOLD", "has", "is_", "repos_are", "short", "told"]

MOST_TOLD = 4
"""Names in one sentence; of the others only the number is told."""


def short(repo: str, limit: int = 60) -> str:
    """Give a repo's name as a sentence can hold it.

    Examples
    --------
    >>> short("api"), short("")
    ('api', '(no name)')
    """
    return shortened(repo, limit) if repo.strip() else "(no name)"


def told(repos: Sequence[str]) -> str:
    """List names.

    Examples
    --------
    >>> told(["a", "b"]), told(list("abcdef"))
    ('a, b', 'a, b, c, d and 2 more')
    """
    more = len(repos) - MOST_TOLD
    return ", ".join(map(short, repos[:MOST_TOLD])) + (f" and {more} more" if more > 0 else "")


def repos_are(count: int) -> str:
    """Count repos, with the verb.

    Examples
    --------
    >>> repos_are(1), repos_are(2)
    ('1 repo is', '2 repos are')
    """
    return f"{count} {'repo is' if count == 1 else 'repos are'}"


def is_(repos: Sequence[str]) -> str:
    """Give the verb for so many."""
    return "is" if len(repos) == 1 else "are"


def has(repos: Sequence[str]) -> str:
    """Give the verb for so many."""
    return "has" if len(repos) == 1 else "have"
