"""Attempts as an export takes them: those of a ledger, or a frame of them that somebody has already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from numbers import Real
from typing import Any, TypeAlias

import pandas as pd

from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import quoted
from seqkit.ledger.attempts import COLUMNS, AttemptRow, attempts_frame
from seqkit.ledger.base import LedgerLike

__all__ = ["AttemptsLike", "attempt_rows", "runs_of"]

AttemptsLike: TypeAlias = LedgerLike | pd.DataFrame
"""What exports take: a ledger of any kind, its path or URL, or a frame as :func:`attempts_frame` gives it."""

_TIMES = ("started_at", "finished_at")


def attempt_rows(source: AttemptsLike) -> list[AttemptRow]:
    """Give the attempts of a ledger, in the order of :func:`attempts_frame`; the rows of a frame as they are.

    Raises
    ------
    ValueError
        Where a frame lacks a column or holds what :func:`attempts_frame` does not give, naming the column, the row and
        what was expected.

    Examples
    --------
    >>> attempt_rows(pd.DataFrame({"repo": ["core"]}))
    Traceback (most recent call last):
    ValueError: ledger is a frame without the columns 'run_id', 'train', 'repo_id', 'version', 'attempt', 'status', \
'started_at', 'finished_at', 'reason', 'blocked_by' and 2 more, expected those of attempts_frame(ledger); of any other \
table ledger_from_frame makes a ledger
    """
    frame = source if isinstance(source, pd.DataFrame) else attempts_frame(source)
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ValueError(
            f"ledger is a frame without the columns {quoted(missing)}, expected those of attempts_frame(ledger); of "
            "any other table ledger_from_frame makes a ledger"
        )
    columns = [[_value(name, value, row) for row, value in enumerate(_objects(frame, name))] for name in COLUMNS]
    return [AttemptRow(*values) for values in zip(*columns, strict=True)]


def _objects(frame: pd.DataFrame, name: str) -> list[Any]:
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise ValueError(f"ledger is a frame with several columns {name!r}, expected one")
    return column.astype(object).tolist()


def _value(name: str, value: Any, row: int) -> Any:
    if name == "blocked_by":
        if isinstance(value, list | tuple) and all(isinstance(repo, str) for repo in value):
            return value
        raise _refused(name, value, row, "a list of repos")
    if pd.api.types.is_scalar(value) and pd.isna(value):
        if name in ("run_id", "repo_id", "status"):
            raise ValueError(f"ledger is a frame whose {name} is missing in row {row + 1}, expected text")
        return None
    if name in _TIMES:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise _refused(name, value, row, "a time with a zone")
        return value
    if name == "attempt":
        if not isinstance(value, Real) or isinstance(value, bool) or not float(value).is_integer() or value < 1:
            raise _refused(name, value, row, "a whole number from 1")
        return int(float(value))
    if not isinstance(value, str):
        raise _refused(name, value, row, "text")
    if name == "status" and value not in dtypes.ATTEMPT_STATUSES:
        raise _refused(name, value, row, f"one of {', '.join(dtypes.ATTEMPT_STATUSES)}")
    return value


def _refused(name: str, value: Any, row: int, expected: str) -> ValueError:
    return ValueError(f"ledger is a frame whose {name} is {as_given(value)} in row {row + 1}, expected {expected}")


def runs_of(rows: Sequence[AttemptRow]) -> dict[str, list[AttemptRow]]:
    """Sort rows by run; runs, and the rows of each, stay in the order in which they are met."""
    runs: dict[str, list[AttemptRow]] = {}
    for row in rows:
        runs.setdefault(row.run_id, []).append(row)
    return runs
