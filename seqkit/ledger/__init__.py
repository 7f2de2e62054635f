"""Ledgers: where runs and their events are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqkit.ledger.base import GraphRunRecorder, LedgerLike, RunLedger
from seqkit.ledger.collecting import UnreadableLines
from seqkit.ledger.copies import RepeatedRecords
from seqkit.ledger.databases import read_postgresql, read_sqlite, write_sqlite
from seqkit.ledger.jsonl import read_jsonl, write_jsonl
from seqkit.ledger.memory import MemoryRunLedger
from seqkit.ledger.reading import as_ledger, open_ledger, read_ledger, read_ledgers
from seqkit.ledger.surreal import read_surql, read_surrealkv
from seqkit.ledger.writing import write_ledger

if TYPE_CHECKING:
    from seqkit.ledger.sql import SqlRunLedger

__all__ = [
    "GraphRunRecorder",
    "LedgerLike",
    "MemoryRunLedger",
    "RepeatedRecords",
    "RunLedger",
    "SqlRunLedger",
    "UnreadableLines",
    "as_ledger",
    "open_ledger",
    "read_jsonl",
    "read_ledger",
    "read_ledgers",
    "read_postgresql",
    "read_sqlite",
    "read_surql",
    "read_surrealkv",
    "write_jsonl",
    "write_ledger",
    "write_sqlite",
]


def __getattr__(name: str) -> Any:
    if name == "SqlRunLedger":  # SQLAlchemy takes longer to import than all of seqkit
        from seqkit.ledger.sql import SqlRunLedger  # noqa: PLC0415

        return SqlRunLedger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
