"""Workers that are killed in the middle of what they do."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

__all__ = ["Deadly", "killed_once"]


def killed_once(marker: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """Make a call; the first process that gets here is killed once it has made it, and before it can hand it over.

    It leaves its id in the file `marker`, which tells the next one that it may live.
    """
    made = call(*arguments)
    try:
        descriptor = os.open(marker, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return made
    os.write(descriptor, str(os.getpid()).encode())
    os.close(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)
    return None  # never reached


class Deadly(Executor):
    """Hands everything to an executor of processes, and kills the one that gets a certain part, once."""

    def __init__(self, inner: Executor, marker: Path, part: int) -> None:
        self.inner, self.marker, self.part = inner, marker, part
        self.submitted = 0

    @property
    def killed(self) -> int:
        """The id of the process that was."""
        return int(self.marker.read_text())

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """Hand on a call."""
        self.submitted += 1
        if self.submitted == self.part:
            return self.inner.submit(killed_once, str(self.marker), call, *arguments, **named)
        return self.inner.submit(call, *arguments, **named)
