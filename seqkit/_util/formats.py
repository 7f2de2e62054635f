"""What a table of file formats is made of, and the sentences that are made from one.

A table is a tuple of :class:`Format`, a row a format: :mod:`seqkit.ledger.formats` and
:mod:`seqkit.readers.formats`. Which formats there are stands there and nowhere else.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from seqkit._util.warned import warn_caller

__all__ = ["Format", "added_by", "either", "endings", "listed", "listed_to_write", "named_like", "told_in"]

T_co = TypeVar("T_co", covariant=True)
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Format(Generic[T_co]):
    """A format that files are read from, and perhaps written in.

    Examples
    --------
    >>> print(Format("csv", "an edge list", open, (".csv", ".tsv"), detail="with a header"))
    an edge list (.csv, .tsv; with a header)
    """

    name: str
    """What `format` calls it."""
    help: str
    """What such a file is, in a few words with an article: ``a package-lock.json``."""
    read: Callable[..., T_co]
    """Read one; a public function, whose first argument is the path."""
    suffixes: tuple[str, ...] = ()
    """How the names of such files end, in lower case."""
    sniff: Callable[[Any], bool] | None = None
    """Look at a file and tell whether it is one; None where the end of the name is enough."""
    sign: str = ""
    """What `sniff` looks for, in the words of an error."""
    detail: str = ""
    """What else a list of formats should say of it."""
    write: Callable[[Any, str], None] | None = None
    """Write one, whole or not at all; None where it is only read."""
    open: Callable[..., Any] | None = None
    """Open one, ``(path, read_only)``, that is there to be written to bit by bit; None where that cannot be."""
    extra: str = ""
    """The extra of seqkit-py that reading it needs."""
    files: tuple[str, ...] = ()
    """What such files are called, in lower case, where nothing else is called so."""

    def __str__(self) -> str:
        facts = [", ".join((*self.files, *self.suffixes)), self.detail, self.extra and f"needs the extra {self.extra}"]
        more = "; ".join(filter(None, facts))
        return f"{self.help} ({more})" if more else self.help


def added_by(group: str, table: Sequence[Format[T_co]]) -> tuple[Format[T_co], ...]:
    """Give the formats of a table and those that installed packages add by an entry point group.

    What cannot be loaded is warned of. A name of the table stays what it is.
    """
    rows = list(table)
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            row = entry.load()
        except Exception as error:  # other people's code
            warn_caller(f"the format {entry.name!r} ({entry.value}) cannot be loaded: {error}", UserWarning)
            continue
        if not isinstance(row, Format):
            warn_caller(f"the format {entry.name!r} ({entry.value}) is {row!r:.80}, expected a Format", UserWarning)
        elif all(row.name != known.name for known in rows):
            rows.append(row)
    return tuple(rows)


def named_like(table: Iterable[Format[T_co]], path: str | os.PathLike[str]) -> list[Format[T_co]]:
    """List the formats whose files are named like this one: where several endings fit, those of the longest.

    A whole name goes before any ending.

    Examples
    --------
    >>> table = [Format("plain", "text", open, (".txt",)), Format("notes", "notes", open, (".notes.txt",))]
    >>> [format.name for format in named_like(table, "A.TXT") + named_like(table, "a.notes.txt")]
    ['plain', 'notes']
    """
    name = os.path.basename(os.fspath(path)).lower()
    rows = list(table)
    if called := [row for row in rows if name in row.files]:
        return called
    fits = [(max((len(end) for end in row.suffixes if name.endswith(end)), default=0), row) for row in rows]
    longest = max((length for length, _ in fits), default=0)
    return [row for length, row in fits if length and length == longest]


def either(words: Sequence[str]) -> str:
    """Write a list as people do.

    Examples
    --------
    >>> either(["a"]), either(["a", "b"]), either(["a", "b", "c"])
    ('a', 'a or b', 'a, b or c')
    """
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def listed(table: Iterable[Format[Any]]) -> str:
    """Say what each format is, and how such files are named."""
    return either([str(row) for row in table])


def listed_to_write(table: Iterable[Format[Any]]) -> str:
    """Say what each format is that a file is written in, and what the name of the file must end in."""
    return either([f"{row.help} ({', '.join(row.suffixes)})" for row in table])


def endings(table: Iterable[Format[Any]]) -> str:
    """List how the names of files end."""
    return either(list(dict.fromkeys(end for row in table for end in (*row.files, *row.suffixes))))


def told_in(**lists: str) -> Callable[[_Function], _Function]:
    """Put lists that are made from a table into a docstring, where a line of it is ``{name}``.

    Examples
    --------
    >>> @told_in(formats="a, b or c")
    ... def read():
    ...     '''Read one of
    ...     {formats}
    ...     '''
    >>> print(read.__doc__.split()[-4:])
    ['a,', 'b', 'or', 'c']
    """

    def fill(function: _Function) -> _Function:
        lines = (function.__doc__ or "").split("\n")
        for number, line in enumerate(lines):
            name = line.strip()
            if name[:1] == "{" and name[1:-1] in lists:
                indent = line[: len(line) - len(line.lstrip())]
                lines[number] = textwrap.fill(
                    lists[name[1:-1]], 110, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
                )
        function.__doc__ = "\n".join(lines)
        return function

    return fill
