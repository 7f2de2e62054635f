"""Whose line a warning points at."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["caller_level"]

_OWN = str(Path(__file__).parent)


def caller_level() -> int:
    """Give the `stacklevel` with which :func:`warnings.warn`, called by our caller, points at the user's line.

    That is the nearest line outside of seqkit, however many of its own functions lie between. (Python 3.12 has
    ``skip_file_prefixes`` for it.)
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OWN):
        level, frame = level + 1, frame.f_back
    return level
