"""Repos in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from seqkit._show.html import shortened
from seqkit._util.words import listed

__all__ = ["MOST_TOLD", "short", "told"]

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
    return listed(repos, MOST_TOLD, short)
