"""Pages in reStructuredText."""

from __future__ import annotations

__all__ = ["headed"]


def headed(title: str, text: str) -> str:
    """Write a page below its title.

    Examples
    --------
    >>> print(headed("the graph", "Who needs whom."))
    The graph
    =========
    <BLANKLINE>
    Who needs whom.
    <BLANKLINE>
    """
    shown = title[0].upper() + title[1:]
    return f"{shown}\n{'=' * len(shown)}\n\n{text}\n"
