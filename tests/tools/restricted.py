"""A host where no thread and no process can start, such as a browser's Python: a plugin of pytest, and what it does."""

from __future__ import annotations

import subprocess
import threading
from typing import Any, NoReturn

__all__ = ["no_process", "no_thread", "refuse"]


def no_thread(*_: Any, **__: Any) -> NoReturn:
    """Say what Pyodide says."""
    raise RuntimeError("can't start new thread")


def no_process(*_: Any, **__: Any) -> NoReturn:
    """Say what Pyodide says."""
    raise OSError(138, "emscripten does not support processes.")


def refuse() -> None:
    """Let nothing start from here on, in this process."""
    threading.Thread.start = no_thread  # type: ignore[method-assign]
    subprocess.Popen.__init__ = no_process  # type: ignore[method-assign]


def pytest_configure() -> None:
    """Do so in the process of the tests."""
    refuse()
