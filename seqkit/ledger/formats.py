"""The formats that ledgers are kept in: one table.

A new format is a module and a row here. The module has the public function that reads it, ``read(path,
on_bad_lines="error") -> FoundLedger``, for which :func:`seqkit.ledger.collecting.collected` does all but the finding.
To make it public, name it in this package's and seqkit's ``__init__`` and in ``tests/test_names.py``. What
is read and written, the errors and helps that list the formats, and the command line are made from the table.
"""

from __future__ import annotations

import os

from seqkit._util.formats import Format, listed, named_like
from seqkit.ledger.databases import (
    is_postgresql,
    is_sqlite,
    open_database,
    read_postgresql,
    read_sqlite,
    write_sqlite,
)
from seqkit.ledger.found import FoundLedger
from seqkit.ledger.jsonl import read_jsonl, write_jsonl
from seqkit.ledger.surreal import read_surql, read_surrealkv

__all__ = ["FORMATS", "OTHERS", "expected", "format_of", "kept_in", "writable"]

FORMATS: tuple[Format[FoundLedger], ...] = (
    Format("jsonl", "JSON Lines", read_jsonl, (".jsonl", ".jsonl.gz"), write=write_jsonl),
    Format(
        "sqlite",
        "a SQLite file",
        read_sqlite,
        (".db", ".sqlite", ".sqlite3"),
        is_sqlite,
        detail="or its URL",
        write=write_sqlite,
        open=open_database,
    ),
    Format(
        "postgresql",
        "the URL of a PostgreSQL database",
        read_postgresql,
        sniff=is_postgresql,
        open=open_database,
        extra="postgres",
    ),
    Format("surql", "an export of SurrealDB", read_surql, (".surql",)),
    # The last: it takes every folder, to say what it misses there.
    Format(
        "surrealkv",
        "a folder of SurrealDB",
        read_surrealkv,
        sniff=os.path.isdir,
        detail="such as .aivcs/db",
        extra="surreal",
    ),
)
"""In the order in which they are asked."""

OTHERS: list[Format[FoundLedger]] = []
"""What rooms above this one read as ledgers: other systems' runs (:mod:`seqkit.importers`)."""

_OF_OTHER_THINGS = (".json", ".csv", ".gz")  # a name that ends like this is never meant for a new database


def format_of(path_or_url: str) -> Format[FoundLedger] | None:
    """Find what a ledger is kept in: by the end of its name, where that says it, else by looking into it."""
    by_name = [] if "://" in path_or_url or os.path.isdir(path_or_url) else named_like(FORMATS, path_or_url)
    for row in (*by_name, *FORMATS[:-1], *OTHERS, FORMATS[-1]):
        if row.sniff(path_or_url) if row.sniff is not None else row in by_name:
            return row
    return None


def kept_in(path_or_url: str) -> Format[FoundLedger] | None:
    """Find what a ledger that is written to bit by bit, and may not be there yet, is or would be kept in."""
    row = format_of(path_or_url)
    if row is None and not path_or_url.lower().endswith(_OF_OTHER_THINGS):
        to_open = [row for row in FORMATS if row.open is not None]
        row = (named_like(to_open, path_or_url) or to_open)[0]  # any other name will do for the first of them
    return row if row is not None and row.open is not None else None


def writable() -> list[Format[FoundLedger]]:
    """List the formats that a whole ledger can be written in."""
    return [row for row in FORMATS if row.write is not None]


def expected() -> str:
    """Say what a ledger is."""
    return f"expected a ledger: {listed([*FORMATS, *OTHERS])}"
