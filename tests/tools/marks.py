"""Processes that carry a mark in their environment, so that none is overlooked."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path


def marked(mark: str) -> set[int]:
    """List the processes that carry a mark in their environment."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if f"MARK={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.add(int(entry.name))
    return found


def eventually(true: Callable[[], object]) -> bool:
    """Wait until it is true; a minute is for ever."""
    until = time.monotonic() + 60
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True
