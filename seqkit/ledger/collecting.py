"""Collecting what the reader of a format finds: what is kept, and what is done about what cannot be read."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Generator
from typing import Literal, TypeAlias

from seqkit._util.collector import collector_paused
from seqkit._util.files import open_regular
from seqkit._util.secrets import as_given, shown
from seqkit._util.warned import warn_caller
from seqkit._util.words import and_more, plural
from seqkit.errors import ReadError
from seqkit.ledger.found import FoundEvent, FoundLedger, FoundRun, Problem
from seqkit.ledger.urls import readable

__all__ = [
    "Found",
    "OnBadLines",
    "UnreadableLines",
    "check_mode",
    "collected",
    "opened",
]

OnBadLines: TypeAlias = Literal["error", "warn", "skip"]
Found: TypeAlias = Generator[FoundRun | FoundEvent | Problem, None, None]

MOST_PROBLEMS = 10_000
"""Unreadable lines of one file that are kept one by one; the rest are counted."""

_MODES = ("error", "warn", "skip")


class UnreadableLines(UserWarning):
    """Lines of a ledger that could not be read and were left out; one warning a file."""


def check_mode(on_bad_lines: str) -> None:
    """Refuse a wrong `on_bad_lines` before anything is opened."""
    if on_bad_lines not in _MODES:
        raise ValueError(f"on_bad_lines is {as_given(on_bad_lines)}, expected one of {_MODES}")


def collected(
    find: Callable[[str], Found], path_or_url: str | os.PathLike[str], on_bad_lines: OnBadLines
) -> FoundLedger:
    """Keep all that `find` gives of a ledger.

    Parameters
    ----------
    find : callable
        Takes the path or URL as text, and gives runs, events and problems in the order in which they stand there.
        It raises ``ReadError`` where the whole cannot be read.
    path_or_url : str or path
        What the caller was given.
    on_bad_lines : {"error", "warn", "skip"}
        As in :func:`seqkit.read_ledger`.
    """
    check_mode(on_bad_lines)
    name = readable(path_or_url, "path_or_url")
    runs: list[FoundRun] = []
    events: list[FoundEvent] = []
    bad: list[Problem] = []
    uncounted = 0
    last: Problem | None = None
    with (
        collector_paused(),
        contextlib.closing(find(name)) as everything,  # files and copies are let go of where it raises
    ):
        for found in everything:
            if isinstance(found, FoundEvent):
                events.append(found)
            elif isinstance(found, FoundRun):
                runs.append(found)
            elif on_bad_lines == "error":
                raise ReadError(found.source, found.line, found.message)
            elif len(bad) < MOST_PROBLEMS:
                bad.append(found)
            else:
                uncounted, last = uncounted + 1, found
        if on_bad_lines == "warn" and bad:
            _warn(name, bad, len(bad) + uncounted)
        if last is not None:
            bad.append(Problem(last.source, last.line, f"{uncounted} more could not be read, this the last"))
        return FoundLedger(runs, events, bad)


def _warn(source: str, problems: list[Problem], count: int) -> None:
    first = "; ".join(
        problem.message if problem.line is None else f"line {problem.line}: {problem.message}"
        for problem in problems[:3]
    )
    more = and_more(count - 3, before="; ")
    message = f"{shown(source)}: {plural(count, 'unreadable line')} left out: {first}{more}"
    warn_caller(message, UnreadableLines)


def opened(path: str, source: str) -> io.BufferedReader:
    """Open a file to read its bytes; a pipe or a device is none.

    Raises
    ------
    ReadError
        Naming `source`, where that cannot be done.
    """
    try:
        return open_regular(path)
    except (OSError, ValueError) as error:
        raise ReadError.opening(source, error) from None
