"""Warnings that point at the line that called seqkit, however deep inside they arise."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn_caller"]


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn, in the name of the first frame outside this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "seqkit":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
