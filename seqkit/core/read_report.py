"""What came of reading a graph: what was read, what was left out and why, what was guessed.

>>> report = ReadReport("demo", "package.json", read=(Counted("packages", 3, ("core", "api", "app")),),
...                     left_out=(Counted("dev dependencies", 2, ("app needs core",)),))
>>> report
ReadReport(package.json: 3 packages; left out: 2 dev dependencies)
>>> print(report.to_frame())
       about              what  count        examples
0       read          packages      3  core, api, app
1   left out  dev dependencies      2  app needs core
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from seqkit._show.html import folded, page, rows_of
from seqkit._util import dtypes
from seqkit._util.words import and_more, shortened

__all__ = ["Counted", "ReadReport"]

_EXAMPLES = 3
_LONGEST = 120  # characters of an example


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing that is said of what was read.

    Examples
    --------
    >>> str(Counted("members without a name", 12, ("tools/a", "tools/b", "tools/c", "tools/d")))
    '12 members without a name: tools/a, tools/b, tools/c and 9 more'
    """

    what: str
    """What there is, in the plural where it is counted: ``dev dependencies``; a whole sentence where `count` is 0."""
    count: int = 0
    """How many; 0 where it is not a matter of counting."""
    examples: tuple[str, ...] = ()
    """Some of them, in the order in which they were met."""

    def __str__(self) -> str:
        told = self.counted()
        if not self.examples:
            return told
        shown = [shortened(example, _LONGEST) for example in self.examples[:_EXAMPLES]]
        return f"{told}: {', '.join(shown)}{and_more(self.count - len(shown)) if self.count else ''}"

    def counted(self) -> str:
        """Give it without examples."""
        return f"{self.count:,} {self.what}" if self.count else self.what


@dataclass(frozen=True, repr=False)
class ReadReport:
    """What a reader found, left out and guessed; :attr:`seqkit.RepoDependencyGraph.report` has it.

    Each list holds what is told, the most telling first; ``len`` of a list is 0 where there is nothing to tell.
    """

    path: str
    """What was read, as it was given."""
    format: str
    """What it was taken for, by the name that ``format=`` knows."""
    read: tuple[Counted, ...] = ()
    """What is in the graph: packages, and dependencies by kind."""
    left_out: tuple[Counted, ...] = ()
    """What is not in the graph, and why."""
    guesses: tuple[Counted, ...] = ()
    """What the file did not say, and what was taken for it."""
    warnings: tuple[Counted, ...] = ()
    """What the reader of the graph should look at. Three answers are no errors and stand here in words: packages but
    no edges, a star around one root, a root that is a stranger."""

    def __iter__(self) -> Iterator[tuple[str, Counted]]:
        """Give everything that is told, each with what it is about."""
        parts: list[tuple[str, Sequence[Counted]]] = [
            ("read", self.read),
            ("left out", self.left_out),
            ("guessed", self.guesses),
            ("look at", self.warnings),
        ]
        return ((about, told) for about, row in parts for told in row)

    def to_frame(self) -> pd.DataFrame:
        """List what is told: columns `about`, `what`, `examples` (string) and `count` (Int64, ``<NA>`` uncounted).

        `about` is ``read``, ``left out``, ``guessed`` or ``look at``.
        """
        rows = list(self)
        return dtypes.frame(
            {
                "about": dtypes.string([about for about, _ in rows]),
                "what": dtypes.string([told.what for _, told in rows]),
                "count": dtypes.integer([told.count or None for _, told in rows]),
                "examples": dtypes.string(
                    [", ".join(shortened(one, _LONGEST) for one in told.examples[:_EXAMPLES]) for _, told in rows]
                ),
            }
        )

    def lines(self) -> list[str]:
        """Give everything as lines of text, for a terminal."""
        return [f"{about}: {told}" for about, told in self]

    def __repr__(self) -> str:
        read = ", ".join(told.counted() for told in self.read)
        rest = [
            f"{name}: {', '.join(told.counted() for told in row)}"
            for name, row in (("left out", self.left_out), ("guessed", self.guesses), ("look at", self.warnings))
            if row
        ]
        return f"ReadReport({'; '.join([f'{self.format}: {read}', *rest])})"

    def _repr_html_(self) -> str:
        rows = [(about, told.what, told.count or "", str_of(told.examples)) for about, told in self]
        columns = ["", "what", "how many", "such as"]
        first, more = rows[:12], rows[12:]
        parts = [rows_of(columns, first)]
        if more:
            parts.append(folded(f"{len(more)} more", rows_of(columns, more)))
        return page(f"Read as {self.format}: {self.path}", *parts)


def str_of(examples: Sequence[str]) -> str:
    """Write examples as a cell of a table."""
    return ", ".join(shortened(example, 60) for example in examples[:_EXAMPLES])
