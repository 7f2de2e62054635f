"""Reading other systems' runs from their files, whatever system they are of."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import pandas as pd

from seqkit._util.formats import Format, endings, listed, named_like, told_in
from seqkit._util.secrets import as_given
from seqkit._util.words import plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.errors import ReadError
from seqkit.importers._copies import Contradiction
from seqkit.importers._recorded import Recorded
from seqkit.importers._telling import told_ledger
from seqkit.importers.airflow import is_airflow_database, read_airflow_database
from seqkit.importers.formats import FORMATS, all_run_formats
from seqkit.importers.frames import GraphLike, graph_of
from seqkit.ledger.attempts import frame_of
from seqkit.ledger.collecting import OnBadLines
from seqkit.ledger.found import FoundLedger
from seqkit.readers._files import Opened, PathLike, name_unpacked, warn_of_content

__all__ = ["holds_runs", "read_attempts", "read_runs"]

_DEEPEST = 4  # folders in folders
_OWN = "; a table with names of its own is read by ledger_from_frame(pandas.read_csv(…), run=…, repo=…, status=…)"
_MOST_FILES = 20_000
_MOST_LEFT_OUT = 20  # files of a folder that cannot be read beside the others: each is a reading more
_PASSED_OVER = frozenset((".git", ".venv", "node_modules", "__pycache__"))


@told_in(formats=listed(FORMATS))
def read_attempts(
    path: PathLike | Iterable[PathLike], graph: GraphLike | None = None, format: str | None = None
) -> pd.DataFrame:
    """Read the runs of another system as attempts, a row each.

    Parameters
    ----------
    path : str, path, or a list of them
        A file, several, or a folder whose files belong together (a run and its jobs, results and their manifest); it
        is looked through four folders deep. Known are
        {formats}
        The database of an Airflow is read as well, by its URL (``postgresql://user@host/airflow``; the extra
        ``postgres``) or its SQLite file: for reading only, and no more than three of its tables.
    graph : RepoDependencyGraph, SequencePlan, or a file that :func:`seqkit.read_graph` knows, optional
        Who needs whom, where the files do not tell: it says who blocked what did not run.
    format : str, optional
        Which system the files are of, by its name in the table; by default they are looked into.

    Returns
    -------
    DataFrame
        As :func:`seqkit.attempts_frame` gives; ``frame.attrs["problems"]`` lists what was guessed, left out or not
        told, a sentence each.

    Raises
    ------
    ReadError
        Where a file is missing, malformed or of no system that is known; where a folder has none, or files of several.
        Of a folder's files those that cannot be read beside the others are left out, with a warning
        (:class:`seqkit.ReadWarning`).
    ValueError, TypeError
        Where an argument is something else.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> case = '<testsuite name="ci" timestamp="2026-01-05T10:00:00Z"><testcase name="core" time="2"/></testsuite>'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "nightly.xml")
    ...     _ = file.write_text(case)
    ...     frame = read_attempts(file)
    >>> frame[["repo_id", "attempt", "status"]].values.tolist()
    [['core', 1, 'succeeded']]
    """
    found = _read(path, graph, format)
    frame = frame_of(found.rows)
    frame.attrs["problems"] = [str(told) for told in (*found.unreadable, *found.said())]
    return frame


def read_runs(path: PathLike, on_bad_lines: OnBadLines = "error") -> FoundLedger:  # as every reader of ledgers has it
    """Read the runs of another system as a ledger: what :func:`seqkit.read_ledger` does with such files.

    Examples
    --------
    >>> read_runs("there_is_none.json")
    Traceback (most recent call last):
    seqkit.ReadError: there_is_none.json: there is no such file
    """
    found = _read(path, None, None)
    return told_ledger(found.rows, os.fspath(path), found.system, found.said(), unreadable=found.unreadable)


def holds_runs(path: str) -> bool:
    """Tell whether a file, or one of a folder's, is of a system that is known."""
    if "://" in path or not os.path.exists(path):
        return False
    for file in _files(path):
        try:
            if _recognised(file) is not None:
                return True
        except ReadError:  # whoever reads it says so
            continue
    return False


def _read(path: PathLike | Iterable[PathLike], graph: GraphLike | None, format: str | None) -> Recorded:
    given: list[PathLike] = [path] if isinstance(path, str | os.PathLike) else list(_paths(path))
    names = tuple(row.name for row in all_run_formats())
    if format is not None and format not in names:
        raise ValueError(f"format is {as_given(format, 200)}, expected one of {names}, or None to look")
    if not given:
        raise ValueError("path is empty, expected a file, several, or a folder")
    database = os.fspath(given[0])
    if len(given) == 1 and format in (None, "airflow") and is_airflow_database(database):
        return read_airflow_database(database, None if graph is None else graph_of(graph))
    by_format, in_folders, unreadable = _sorted_out(given, format)
    top = os.fspath(given[0])
    if not by_format:
        first = f"; {plural(len(unreadable), 'file')} cannot be read, the first: {unreadable[0]}" if unreadable else ""
        raise ReadError(top, None, f"holds no runs, expected {listed(all_run_formats())}{first}")
    if len(by_format) > 1:
        told = ", ".join(f"{name} ({plural(len(own), 'file')})" for name, own in by_format.items())
        raise ReadError(top, None, f"holds files of several systems: {told}; say which to read by format=")
    ((name, files),) = by_format.items()
    read = next(row.read for row in all_run_formats() if row.name == name)
    found, left_out = _without_strangers(read, files, in_folders, None if graph is None else graph_of(graph))
    found.unreadable += [*unreadable, *left_out]
    if found.unreadable:
        warn_of_content(top, "files were left out", [str(error) for error in found.unreadable])
    return found


def _sorted_out(
    given: Sequence[PathLike], format: str | None
) -> tuple[dict[str, list[Opened]], set[str], list[ReadError]]:
    """Give the files by their format, which of them nobody named, and why others cannot be read."""
    by_format: dict[str, list[Opened]] = {}
    in_folders: set[str] = set()
    unreadable: list[ReadError] = []
    for one in given:
        is_folder = os.path.isdir(one)
        for file in _files(one):
            if is_folder:
                in_folders.add(os.fspath(file))
            try:
                row = _recognised(file, format)
            except ReadError as error:
                if not is_folder:
                    raise
                unreadable.append(error)
                continue
            if row is not None:
                by_format.setdefault(row.name, []).append(file)
            elif not is_folder:
                expected = f"expected {listed(all_run_formats())}{_OWN}"
                raise ReadError(file, None, f"is of no system that is known, {expected}")
    return by_format, in_folders, unreadable


def _without_strangers(
    read: Callable[..., Recorded], files: list[Opened], in_folders: Collection[str], graph: RepoDependencyGraph | None
) -> tuple[Recorded, list[ReadError]]:
    """Read files; those that nobody named, and that cannot be read beside the others, are left out.

    In a folder there may be anything. Of two files that contradict each other both go, as nobody knows which is right.
    """
    left_out: list[ReadError] = []
    while True:
        try:
            return read(files, graph), left_out
        except ReadError as error:
            named = [os.fspath(path) for path in error.files] if isinstance(error, Contradiction) else [error.path]
            strangers = {path for path in named if path in in_folders}
            rest = [file for file in files if os.fspath(file) not in strangers]
            if not rest or len(rest) == len(files) or len(left_out) >= _MOST_LEFT_OUT:
                raise (left_out or [error])[0] from None
            left_out.append(error)
            files = rest


def _paths(paths: Iterable[PathLike]) -> Iterator[PathLike]:
    if not isinstance(paths, Iterable):
        raise TypeError(f"path is {as_given(paths, 200)}, expected a file, several, or a folder")
    for one in paths:
        if not isinstance(one, str | os.PathLike):
            raise TypeError(f"path has {as_given(one, 200)}, expected files and folders: str or pathlib.Path")
        yield one


def _files(path: PathLike) -> Iterator[Opened]:
    """Give a file itself, and of a folder those in it and below whose names may be of some system, by name."""
    if not os.path.isdir(path):
        yield Opened(path)
        return
    top = os.fspath(path)
    seen = 0
    for here, folders, names in os.walk(top):
        deep = here[len(top) :].count(os.sep)
        folders[:] = sorted(set(folders) - _PASSED_OVER) if deep < _DEEPEST else []
        for name in sorted(names):
            if not _named(name):
                continue
            seen += 1
            if seen > _MOST_FILES:
                raise ReadError(
                    top, None, f"has more than {_MOST_FILES:,} files that end in {_ends()}: give some of them"
                )
            yield Opened(os.path.join(here, name))


def _ends() -> str:
    return endings(all_run_formats())


def _named(path: PathLike) -> Sequence[Format[Recorded]]:
    return named_like(all_run_formats(), name_unpacked(path))


def _recognised(file: Opened, format: str | None = None) -> Format[Recorded] | None:
    """Find out which system a file is of."""
    for row in _named(file):
        if (format is None or row.name == format) and (row.sniff is None or row.sniff(file)):
            return row
    return None
