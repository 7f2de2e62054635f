"""Tables as CSV: what separates the fields, where the header stands, and on which line each row starts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

from seqkit._util.words import plural
from seqkit.core.ids import is_blank
from seqkit.errors import ReadError
from seqkit.readers._files import PathLike

__all__ = ["check_width", "rows_in", "separator_in"]

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def rows_in(path: PathLike, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """List the rows, each with the line on which it starts."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    line = 1
    try:
        for row in rows:
            # A quoted field may span lines: the row starts after the line on which the last one ended.
            start, line = line, rows.line_num + 1
            yield start, row
    except csv.Error as error:
        raise ReadError(path, line, f"is not CSV: {error}") from None


def separator_in(text: str, is_header: Callable[[list[str]], bool]) -> tuple[str, int]:
    """Find what separates the fields of the header, and the first line where the header can stand.

    Where no separator gives a header, the one that gives most fields is right for the error.
    """
    best, most = ",", 0
    for separator in _SEPARATORS:
        try:
            line, header = next(
                (line, row) for line, row in rows_in("", text, separator) if not all(map(is_blank, row))
            )
        except (ReadError, StopIteration):
            continue
        if header == ["sep=", ""]:
            return separator, line + 1
        if is_header(header):
            return separator, 1
        if len(header) > most:
            best, most = separator, len(header)
    return best, 1


def check_width(path: PathLike, line: int, row: Sequence[str], header: Sequence[str], separator: str) -> None:
    """Refuse a row that has more or fewer fields than the header."""
    if len(row) != len(header):
        apart = _SEPARATORS.get(separator, repr(separator))
        raise ReadError(
            path,
            line,
            f"has {plural(len(row), 'field')}, expected {len(header)} as in the header, where {apart} separate them",
        )
