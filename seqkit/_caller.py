"""Whose line a warning points at."""

from __future__ import annotations

import sys
from collections.abc import Mapping

__all__ = ["caller_level"]

_OURS = ("seqkit", "asyncio")


def caller_level() -> int:
    """Give the `stacklevel` with which :func:`warnings.warn`, called by our caller, points at the user's line.

    That is the nearest line outside of seqkit, however many of its own functions lie between, and a running event
    loop. (Python 3.12 has ``skip_file_prefixes`` for it.)
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals):
        level, frame = level + 1, frame.f_back
    return level


def _is_ours(variables: Mapping[str, object]) -> bool:
    return str(variables.get("__name__", "")).partition(".")[0] in _OURS
