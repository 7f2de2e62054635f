"""A table of attempts in a file: what :func:`seqkit.attempts_frame` gives, written as CSV."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from seqkit._util.words import quoted
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.ids import is_blank
from seqkit.errors import ReadError
from seqkit.importers._recorded import Recorded
from seqkit.importers.frames import NAMES, told_rows
from seqkit.readers._files import Opened
from seqkit.readers._tables import check_width, rows_in, separator_in

__all__ = ["is_attempts", "read_attempts_table"]

_NEEDED = frozenset(("run_id", "repo_id", "status"))


def is_attempts(file: Opened) -> bool:
    """Tell whether a file has the columns of attempts that must be there."""
    if not all(name in file.text.lstrip().partition("\n")[0] for name in _NEEDED):
        return False
    separator, first = separator_in(file.text, _NEEDED.issubset)
    rows = (row for line, row in rows_in(file, file.text, separator) if line >= first and not all(map(is_blank, row)))
    return _NEEDED.issubset(map(str.strip, next(rows, [])))


def read_attempts_table(files: Sequence[Opened], graph: RepoDependencyGraph | None = None) -> Recorded:
    """Read tables with the columns of :func:`seqkit.attempts_frame`; several are read as one.

    A table with other names is read by :func:`seqkit.ledger_from_frame`, which is told them.

    Parameters
    ----------
    files : sequence of Opened
        CSV files with a header; `run_id`, `repo_id` and `status` must be there. Lists of blockers are separated by
        ``;``, and empty cells are missing.
    graph : RepoDependencyGraph, optional
        Who needs whom: it says who blocked what was skipped.
    """
    found = Recorded("a table")
    frame = pd.concat([_frame(file) for file in files], ignore_index=True)
    try:
        rows, notes, _ = told_rows(frame, NAMES, graph=graph)
    except ValueError as error:
        raise ReadError(files[0], None, f"as a table of attempts (df): {error}") from None
    found.rows += rows
    for note in notes:
        found.note(note)
    return found


def _frame(file: Opened) -> pd.DataFrame:
    separator, first = separator_in(file.text, _NEEDED.issubset)
    header: list[str] = []
    rows: list[list[str | None]] = []
    for line, row in rows_in(file, file.text, separator):
        if line < first or all(map(is_blank, row)):
            continue
        if not header:
            header = [name.strip() for name in row]
            if len(set(header)) < len(header):
                raise ReadError(file, line, f"has a column twice, expected each once: {quoted(header, 20)}")
            continue
        check_width(file, line, row, header, separator)
        rows.append([None if is_blank(cell) else cell for cell in row])
    return pd.DataFrame(rows, columns=header, dtype=object)
