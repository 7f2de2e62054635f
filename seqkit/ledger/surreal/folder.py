"""The rows of a surrealkv folder: copied, opened by SurrealDB's engine in a process of its own, thrown away.

Opening a folder rewrites its manifest, cuts off what is damaged, and takes no lock. So the original is
only ever copied, and what the engine says about damage becomes a problem.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

from seqkit._show.html import shortened
from seqkit.errors import ReadError
from seqkit.ledger.found import Problem
from seqkit.ledger.surreal import engine
from seqkit.ledger.surreal.rows import TABLES, StoredRow

__all__ = ["LARGEST", "rows_of_folder"]

LARGEST = 2 << 30
"""A folder with more than this is refused, in bytes: a copy is made, and its rows are held in memory."""

_TIMEOUT = 15.0  # seconds; a folder may hold code that runs when it is read, and never ends
_BYTES_A_SECOND = 2 << 20  # what a large folder gets beyond that; a healthy one takes a tenth of it
_PARTS = ("clog", "manifest")
_DAMAGE = ("Corrupt", "corrupt", "Repairing")


def rows_of_folder(path: str) -> Generator[StoredRow | Problem, None, None]:
    """Give the rows of the two tables, and a problem for what cannot be read.

    Raises
    ------
    ReadError
        Where the folder is no such store, is too large or too damaged, or SurrealDB's engine is not installed.
    """
    folder = Path(path)
    if not all((folder / part).is_dir() for part in _PARTS):
        within = folder / "db"
        hint = f"; did you mean {str(within)!r}?" if (within / _PARTS[0]).is_dir() else ""
        raise ReadError(
            path,
            None,
            f"is no surrealkv folder, expected {' and '.join(_PARTS)} in it, as in .aivcs/db{hint}; nor does it hold "
            "files of other systems' runs that are known by their content (help(seqkit.importers))",
        )
    if find_spec("surrealdb") is None:
        raise ReadError(
            path, None, 'reading a surrealkv folder needs the package surrealdb: pip install "seqkit-py[surreal]"'
        )
    with tempfile.TemporaryDirectory(prefix="seqkit-surreal-", ignore_cleanup_errors=True) as scratch:
        copy, rows = Path(scratch) / "db", Path(scratch) / "rows.jsonl"
        size = _copy(folder, copy)
        complaints = _run(path, copy, rows, _TIMEOUT + size / _BYTES_A_SECOND)
        seen: set[str] = set()
        yield from _rows(path, rows, seen)
        damage = [line for line in complaints.splitlines() if any(word in line for word in _DAMAGE)]
        if damage:
            what = shortened(" ".join(damage[0].split()), 200)
            yield Problem(path, None, f"the store is damaged, and what comes after the damage is lost: {what}")
        elif not seen:
            raise ReadError(
                path, None, f"has none of the tables {' and '.join(TABLES)}, expected a ledger of the original"
            )


def _copy(folder: Path, target: Path) -> int:
    """Copy the files and count their bytes; links and what is no file are left out: no folder reaches beyond itself."""
    total = 0
    try:
        for here, _, names in os.walk(folder, onerror=_raise):
            place = target / Path(here).relative_to(folder)
            place.mkdir(parents=True)
            for name in names:
                status = (Path(here) / name).lstat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                total += status.st_size
                if total > LARGEST:
                    raise ReadError(folder, None, f"has more than {LARGEST:,} bytes")
                shutil.copyfile(Path(here) / name, place / name)
    except OSError as error:
        raise ReadError(folder, None, f"cannot be copied: {error.strerror or error}") from error
    return total


def _raise(error: OSError) -> None:
    raise error


def _run(path: str, copy: Path, rows: Path, seconds: float) -> str:
    """Let the engine write the rows; give what it said meanwhile."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("RUST_", "SURREAL_"))}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # whatever finds surrealdb here does there
    environment["PYTHONIOENCODING"] = "utf-8:backslashreplace"
    command = [sys.executable, "-P", str(engine.__file__), str(copy), str(rows)]
    try:
        done = subprocess.run(  # noqa: S603  # our own file, and two paths of our own making
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=copy.parent,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ReadError(path, None, f"SurrealDB's engine did not answer within {seconds:.0f} seconds") from None
    except OSError as error:
        how = "where no process can start, read what `surreal export` makes of it (a file .surql)"
        raise ReadError(path, None, f"Python could not be started to read it: {error}; {how}") from error
    said = done.stderr.decode("utf-8", "backslashreplace")
    if done.returncode:
        last = shortened(" ".join(said.split()[-60:]), 300) or "it said nothing"
        raise ReadError(path, None, f"SurrealDB's engine ended with {done.returncode}: {last}")
    return said


def _rows(path: str, rows: Path, seen: set[str]) -> Iterator[StoredRow | Problem]:
    with rows.open(encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            if "failed" in line:
                what = shortened(" ".join(line["failed"].split()), 300)
                raise ReadError(path, None, f"cannot be opened by SurrealDB's engine: {what}")
            if "database" in line:
                seen.update(line["tables"])
            elif "error" in line:
                yield Problem(path, None, f"table {line['table']}, record {line['record']}: {line['error']}")
            else:
                yield StoredRow(line["table"], line["record"], line["content"])
