"""Edge lists as CSV: a row says who needs whom."""

from __future__ import annotations

from collections.abc import Sequence

from seqkit._show.html import shortened
from seqkit._util.secrets import as_given
from seqkit.core.graph import Cycles, Direction, RepoDependencyGraph, check_cycles, check_direction
from seqkit.core.ids import edges_of_cells, is_blank
from seqkit.core.kinds import NORMAL, Kinds, chosen_kinds
from seqkit.errors import ReadError
from seqkit.readers._drawn import missing_direction
from seqkit.readers._files import PathLike, load_text
from seqkit.readers._gathered import Gathered
from seqkit.readers._tables import check_width, rows_in, separator_in

__all__ = ["read_edges"]

_KINDS = "kinds"
_COLUMNS = ("dependency", "dependent")
_ENDS = (
    ("source", "target"),
    ("from", "to"),
    ("parent", "child"),
    ("src", "dst"),
    ("src", "dest"),
    ("source", "destination"),
    ("start", "end"),
    ("tail", "head"),
)
"""Columns that are the ends of an arrow, and do not say what it means."""


def read_edges(
    path: PathLike,
    *,
    dependency: str = "dependency",
    dependent: str = "dependent",
    direction: Direction | None = None,
    separator: str | None = None,
    kinds: Kinds = "all",
    cycles: Cycles = "error",
) -> RepoDependencyGraph:
    """Read a CSV file with a header and one dependency a row.

    Columns other than the two are ignored; ids are kept as they are, blanks included. A cell that is
    empty or blank is no repo: the id beside it is a repo without that edge, which is how a repo
    without any dependency is listed, and a row of blank cells alone is passed over as blank lines are.

    Parameters
    ----------
    path : str or pathlib.Path
        UTF-8, with or without a byte order mark. Fields are separated by commas, semicolons or tabs,
        by the first of them with which the header has the two columns (a line ``sep=;`` above the
        header, as spreadsheets write it, decides too), and quoted with ``"``.
    dependency, dependent : str
        The columns that say who is needed, and by whom.
    direction : {"dependency_to_dependent", "dependent_to_dependency"}, optional
        For files whose columns are the ends of an arrow instead, and do not say what it means: `source` and `target`,
        `from` and `to`, `parent` and `child`, `src` and `dst`, `start` and `end` or `tail` and `head`, in any case. An
        arrow A → B means "A is needed by B", or "A needs B". Without effect where the columns are called `dependency`
        and `dependent`, which say it themselves.
    separator : str, optional
        The character between fields; found by default.
    kinds : str or collection of str, or None
        Which dependencies count: some of `seqkit.core.kinds.KINDS`, ``"all"``, or None for all but dev, test and
        extra. Where the file has a column ``kinds``, as :meth:`seqkit.RepoDependencyGraph.to_frame` writes it, that
        says which an edge is of; else all are ``normal``.
    cycles : {"error", "merge", "keep"}
        As in :meth:`seqkit.RepoDependencyGraph.from_edges`.

    Raises
    ------
    ReadError
        Where the file is empty or not UTF-8, a column is missing or there twice, or a row has too
        few or too many fields; with the line on which the row starts.
    DependencyCycle
        With ``cycles="error"``, where there is one.

    Warns
    -----
    SimilarIds
        Where ids differ only in case, outer blanks or Unicode form.
    """
    check_cycles(cycles)
    for argument, column in (("dependency", dependency), ("dependent", dependent)):
        if not isinstance(column, str):
            raise TypeError(
                f"{argument} is {as_given(column, 200)} ({type(column).__name__}), expected the name of a column"
            )
    if dependency == dependent:
        raise ValueError(
            f"dependency and dependent are both {as_given(dependency, 200)}, expected the names of two columns"
        )
    if direction is not None:
        check_direction(direction)
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n'):
        raise ValueError(f"separator is {as_given(separator, 200)}, expected one character, such as '|'")
    cells, told = _cells(path, dependency, dependent, direction, separator)
    table = edges_of_cells(cells)
    found = Gathered(path, "csv", knows_kinds=bool(told))
    for repo in table.alone:
        found.package(repo)
    for before, after in table.pairs:
        for kind in told.get((before, after), NORMAL):
            found.needs(after, before, kind)
    return found.to_graph(kinds, cycles)


def _cells(
    path: PathLike, dependency: str, dependent: str, direction: Direction | None, given: str | None
) -> tuple[list[tuple[str, str]], dict[tuple[str, str], tuple[str, ...]]]:
    """Give the two cells of each row, and the kinds of those rows that say some."""
    text = load_text(path)
    columns = (dependency, dependent)
    separator, header_at = (
        (given, 1) if given is not None else separator_in(text, lambda row: _has_columns(row, columns))
    )
    header: list[str] = []
    at_dependency = at_dependent = 0
    at_kinds: int | None = None
    cells: list[tuple[str, str]] = []
    told: dict[tuple[str, str], tuple[str, ...]] = {}
    for line, row in rows_in(path, text, separator):
        if line < header_at or all(map(is_blank, row)):
            continue
        if not header:
            header = row
            dependency, dependent = _called(path, text, separator, header, (dependency, dependent), direction)
            at_dependency = _column(path, line, header, "dependency", dependency)
            at_dependent = _column(path, line, header, "dependent", dependent)
            at_kinds = header.index(_KINDS) if header.count(_KINDS) == 1 else None
        else:
            check_width(path, line, row, header, separator)
            cells.append((row[at_dependency], row[at_dependent]))
            if at_kinds is not None and row[at_kinds].strip():
                told[cells[-1]] = (*told.get(cells[-1], ()), *_kinds_in(path, line, row[at_kinds]))
    if not header:
        raise ReadError(path, None, f"is empty, expected a header with the columns {dependency!r} and {dependent!r}")
    return cells, told


def _has_columns(header: list[str], columns: Sequence[str]) -> bool:
    return all(column in header for column in columns) or _ends(header) is not None


def _ends(header: list[str]) -> tuple[str, str] | None:
    """Find two columns that are the ends of an arrow."""
    columns = {column.strip().lower(): column for column in reversed(header)}
    return next(((columns[start], columns[end]) for start, end in _ENDS if start in columns and end in columns), None)


def _called(
    path: PathLike,
    text: str,
    separator: str,
    header: list[str],
    columns: tuple[str, str],
    direction: Direction | None,
) -> tuple[str, str]:
    """Say which columns tell who is needed, and by whom: those that are called so, else the ends of an arrow."""
    ends = _ends(header)
    if columns != _COLUMNS or any(column in header for column in columns) or ends is None:
        return columns
    if direction is None:
        rows = (dict(zip(header, row, strict=False)) for _, row in rows_in(path, text, separator) if row != header)
        first = next((row for row in rows if all(not is_blank(row.get(end, "")) for end in ends)), {})
        raise missing_direction(path, first.get(ends[0], ends[0]), first.get(ends[1], ends[1]))
    return ends if direction == "dependency_to_dependent" else ends[::-1]


def _kinds_in(path: PathLike, line: int, cell: str) -> tuple[str, ...]:
    try:
        return chosen_kinds([kind.strip() for kind in cell.split(",")], _KINDS)
    except ValueError as error:
        raise ReadError(path, line, f"{error}; rename the column where it means something else") from None


def _column(path: PathLike, line: int, header: list[str], argument: str, name: str) -> int:
    match header.count(name):
        case 1:
            return header.index(name)
        case 0:
            apart = "" if len(header) > 1 else ". Fields are separated by commas, semicolons or tabs"
            raise ReadError(
                path,
                line,
                f"has no column {name!r}, its columns are {shortened(str(header))}; rename one, or choose it by "
                f"read_graph(…, {argument}=…){apart}",
            )
        case _:
            raise ReadError(path, line, f"has several columns {name!r}, expected one; rename the others")
