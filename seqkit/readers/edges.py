"""Edge lists as CSV: a row says who needs whom."""

from __future__ import annotations

import csv
import io

from seqkit._html import shortened
from seqkit.errors import ReadError
from seqkit.graph import RepoDependencyGraph
from seqkit.readers._files import Cycles, PathLike, build, check_cycles, load_text

__all__ = ["read_edges"]


def read_edges(
    path: PathLike,
    *,
    dependency: str = "dependency",
    dependent: str = "dependent",
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a CSV file with a header and one dependency a row.

    Columns other than the two are ignored, blank lines too; nothing is trimmed. Repos without
    any dependency cannot stand in such a file: add them with ``graph.add_node``.

    Parameters
    ----------
    path : str or pathlib.Path
        UTF-8, with or without a byte order mark; comma-separated, quoted with ``"``.
    dependency, dependent : str
        The columns that say who is needed, and by whom.
    cycles : {"error", "merge"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is empty or not UTF-8, a column is missing or there twice, or a row has too
        few or too many fields; with the line on which the row starts.
    DependencyCycle
        With ``cycles="error"``, where there is one.
    """
    check_cycles(cycles)
    for argument, column in (("dependency", dependency), ("dependent", dependent)):
        if not isinstance(column, str):
            raise TypeError(f"{argument} is {column!r} ({type(column).__name__}), expected the name of a column")
    if dependency == dependent:
        raise ValueError(f"dependency and dependent are both {dependency!r}, expected the names of two columns")
    rows = csv.reader(io.StringIO(load_text(path), newline=""), strict=True)
    header: list[str] = []
    at_dependency = at_dependent = 0
    pairs = []
    line = 1
    try:
        for row in rows:
            # A quoted field may span lines: the row starts after the line on which the last one ended.
            start, line = line, rows.line_num + 1
            if not row:
                continue
            if not header:
                header = row
                at_dependency = _column(path, start, header, "dependency", dependency)
                at_dependent = _column(path, start, header, "dependent", dependent)
            elif len(row) != len(header):
                raise ReadError(path, start, f"has {_fields(len(row))}, expected {len(header)} as in the header")
            else:
                pairs.append((row[at_dependency], row[at_dependent]))
    except csv.Error as error:
        raise ReadError(path, line, f"is not CSV: {error}") from None
    if not header:
        raise ReadError(path, None, f"is empty, expected a header with the columns {dependency!r} and {dependent!r}")
    return build(path, pairs, {}, cycles)


def _fields(count: int) -> str:
    return f"{count} field{'s'[: count != 1]}"


def _column(path: PathLike, line: int, header: list[str], argument: str, name: str) -> int:
    match header.count(name):
        case 1:
            return header.index(name)
        case 0:
            raise ReadError(
                path,
                line,
                f"has no column {name!r}, its columns are {shortened(str(header))}; rename one, or choose it by "
                f"read_graph(…, {argument}=…)",
            )
        case _:
            raise ReadError(path, line, f"has several columns {name!r}, expected one")
