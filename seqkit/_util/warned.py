"""Warnings that point at the line that called seqkit, however deep inside they arise."""

from __future__ import annotations

import sys
import warnings

from seqkit._util.words import printable

__all__ = ["warn_caller"]

_OURS = ("seqkit", "asyncio")  # the event loop lies between an `await` and what it awaits


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn in the name of the nearest line outside of seqkit. Python 3.12 has ``skip_file_prefixes`` for it.

    What cannot be seen in the message is escaped: ids and paths stand in it as they are.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _OURS:
        frame, level = frame.f_back, level + 1
    warnings.warn(printable(message), category, stacklevel=level)
