"""Attempts and failures, read from a ledger or from any frame that tells what was tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from seqkit._show.html import shortened
from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import listed
from seqkit.ledger import LedgerLike
from seqkit.ledger.attempts import attempts_frame
from seqkit.ledger.copies import counted
from seqkit.ledger.frames import items_frame
from seqkit.ledger.reading import lent

__all__ = [
    "Items",
    "Source",
    "Tries",
    "columns_told",
    "items_of",
    "numbered",
    "read_tries",
    "runs_of",
    "starts_of",
    "strings",
    "times_of",
]

Source = LedgerLike | pd.DataFrame
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Form = Literal["items", "attempts", "succeeded", "trains"]
"""What a row of a frame is: an item; one attempt by `status` and `attempt`; one by `succeeded`; a repo of a train."""

_KNOWN = (*dtypes.ATTEMPT_STATUSES, "missing")  # of attempts, a row each


@dataclass(frozen=True, slots=True, eq=False)
class Tries:
    """What rows of a frame tell about attempts, row by row."""

    frame: pd.DataFrame
    """Where the rows come from."""
    repos: npt.NDArray[np.object_]
    """Repo ids."""
    attempts: Ints
    """How many attempts have ended."""
    failures: Ints
    """How many of them failed; one that may be out all the same is among them, one that came out late is not."""
    first_failed: npt.NDArray[np.bool_]
    """Whether the first failed; False where there was none."""
    form: Form
    """What a row is."""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What became of each repo in each run that tried it, an item each."""

    names: list[str]
    """The repos that were tried, sorted."""
    repo: npt.NDArray[np.intp]
    """Which of them an item is."""
    rows: npt.NDArray[np.intp]
    """The row of the frame in which an item's first attempt stands."""
    attempts: Ints
    """How many attempts have ended."""
    failures: Ints
    """How many of them failed."""
    lost: Ints
    """How many failed before the first that succeeded; all of them where none did."""
    released: Bools
    """Whether one succeeded."""
    item: npt.NDArray[np.intp]
    """The item of each row of the frame; -1 where no attempt has ended."""

    @property
    def retried(self) -> Bools:
        """Whether a second try ended, after a first that failed."""
        return np.asarray((self.lost > 1) | ((self.lost == 1) & self.released))

    def by_repo(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Sum a number of each item by repo."""
        return np.bincount(self.repo, np.asarray(values, dtype=np.float64), len(self.names)).astype(np.float64)


def read_tries(ledger_or_frame: Source, *more: str, each: bool = False) -> Tries:
    """Read attempts from a ledger or a frame, which must also have the columns `more`; `each` in a row of its own."""
    frame = ledger_or_frame
    if not isinstance(frame, pd.DataFrame):
        try:
            with lent(frame, existing=True) as kept:
                frame = attempts_frame(kept) if each else items_frame(counted(kept))
        except TypeError as error:
            raise TypeError(
                f"ledger_or_frame is {as_given(ledger_or_frame)}, expected a ledger, its path or URL, or a DataFrame"
            ) from error
    if frame.columns.has_duplicates:
        raise ValueError(f"ledger_or_frame has the columns {columns_told(frame.columns)}, expected each once")
    form = _form(frame)
    needed = ["repo_id", *more, *(("succeeded",) if form == "succeeded" else ())]
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        hint = ""
        if "succeeded" in missing:
            hint = (
                ", or status and attempts (as items_frame gives them) or status and attempt (as attempts_frame does) "
                "instead of succeeded"
            )
        index = [name for name in frame.index.names if name is not None and name in missing]
        if index:
            hint += f"; {columns_told(index)} is in the index, so call reset_index() first"
        raise ValueError(
            f"ledger_or_frame lacks {columns_told(missing)}: its columns are {columns_told(frame.columns)}, "
            f"expected {columns_told(needed)}{hint}"
        )
    repos = strings(frame, "repo_id")
    if form == "items":
        attempts, failures, first_failed = _of_items(frame)
    else:
        succeeded = _booleans(frame["succeeded"]) if form == "succeeded" else _ended(frame, form)
        attempts = np.array([value is not None for value in succeeded], dtype=np.int64)
        first_failed = np.array([value is False for value in succeeded], dtype=bool)
        failures = first_failed.astype(np.int64)
    return Tries(frame, repos, attempts, failures, first_failed, form)


def _form(frame: pd.DataFrame) -> Form:
    told = set(frame.columns)
    if {"status", "attempts"} <= told:
        return "items"
    if "succeeded" in told:
        return "succeeded"
    if {"status", "attempt"} <= told:
        return "attempts"
    # A frame with run_id or nothing beside status may be items that have lost their attempts: retries would be too.
    return "trains" if {"train", "status"} <= told else "succeeded"


def items_of(tries: Tries) -> Items:
    """Put the attempts of each repo in each run together.

    A row of items is one already. Rows of attempts belong together where `run_id` says so, in the order of `attempt`,
    else of `started_at`, else as they stand; without `run_id` each is a first attempt in a run of its own.
    """
    rows = np.flatnonzero(tries.attempts)
    codes, found = numbered(tries.repos[rows])
    place = {name: at for at, name in enumerate(sorted(found))}
    repo = np.array([place[name] for name in found], dtype=np.intp)[codes]
    attempts, failures = tries.attempts[rows], tries.failures[rows]
    of_row = np.full(len(tries.repos), -1, dtype=np.intp)
    if tries.form == "items" or "run_id" not in tries.frame:
        of_row[rows] = np.arange(len(rows))
        return Items(sorted(found), repo, rows, attempts, failures, failures, attempts > failures, of_row)
    run, _ = numbered(strings(tries.frame, "run_id")[rows])
    told = [name for name in ("attempt", "started_at") if name in tries.frame][:1]
    order = (
        tries.frame[told]
        .iloc[rows]
        .reset_index(drop=True)
        .assign(_run=run, _repo=repo)
        .sort_values(["_run", "_repo", *told], kind="stable")
        .index.to_numpy()
    )
    run, repo, rows, failed = run[order], repo[order], rows[order], failures[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (run[1:] != run[:-1]) | (repo[1:] != repo[:-1])
    item = np.cumsum(first) - 1
    of_row[rows] = item
    before = np.cumsum(failed == 0) - (failed == 0)  # attempts that succeeded above it
    before -= before[first][item]
    count = int(first.sum())
    succeeded = np.bincount(item, failed == 0, count)
    return Items(
        sorted(found),
        repo[first],
        rows[first],
        np.bincount(item, minlength=count).astype(np.int64),
        np.bincount(item, failed, count).astype(np.int64),
        np.bincount(item, (failed > 0) & (before == 0), count).astype(np.int64),
        succeeded > 0,
        of_row,
    )


def runs_of(tries: Tries, items: Items, needed_by: str) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Give the run of each item and the ids of the runs that tried something, the oldest first.

    A run is called by `run_id`, in a frame of trains without it by `train`. Where all have a `started_at` these tell
    the order, else that of the rows does.
    """
    name = next((name for name in ("run_id", "train") if name in tries.frame), None)
    if name is None:
        raise ValueError(
            f"{needed_by} needs to know the runs, and ledger_or_frame has neither run_id nor train: its columns are "
            f"{columns_told(tries.frame.columns)}"
        )
    run, ids = numbered(strings(tries.frame, name)[items.rows])
    if "started_at" in tries.frame:
        starts = pd.Series(starts_of(tries, items)).groupby(run).min()
        if starts.notna().all():
            order = np.argsort(starts.to_numpy(), kind="stable")
            place = np.empty(len(order), dtype=np.intp)
            place[order] = np.arange(len(order))
            return place[run], [ids[at] for at in order]
    return run, ids


def starts_of(tries: Tries, items: Items) -> pd.DatetimeIndex:
    """Give when each item was first tried, as far as the column `started_at` tells."""
    return times_of(tries, "started_at", items.rows)


def times_of(tries: Tries, name: str, rows: npt.NDArray[np.intp]) -> pd.DatetimeIndex:
    """Take a column of times at some rows; without a zone they are UTC."""
    column = tries.frame[name].iloc[rows].astype(object)
    try:
        return pd.DatetimeIndex(pd.to_datetime(column.to_numpy(), utc=True, format="ISO8601"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the column {name} of ledger_or_frame holds no times: {error}") from error


def _of_items(frame: pd.DataFrame) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    # A closed item was tried at least once, whatever became of its first event.
    counted = _whole_numbers(frame, "attempts", 0)
    status = frame["status"].astype(object).to_numpy()
    for value in pd.unique(status):
        if value not in dtypes.STATUSES:
            raise ValueError(
                f"the column status of ledger_or_frame has {value!r:.80}, expected one of {dtypes.STATUSES}"
            )
    succeeded, failed = status == "succeeded", status == "failed"
    if "released_as" in frame:  # what came too late for its run failed there, and is out
        succeeded = succeeded | (failed & frame["released_as"].notna().to_numpy(dtype=bool))
    closed = np.where(succeeded | failed, np.maximum(counted, 1), 0)
    ended = np.where(status == "in_progress", np.maximum(counted - 1, 0), closed)
    failures = ended - succeeded
    return ended, failures, failures > 0


def _whole_numbers(frame: pd.DataFrame, name: str, least: int) -> Ints:
    """Take a column of numbers, 0 where one is missing."""
    try:
        numbers = frame[name].astype("Int64")
    except (TypeError, ValueError) as error:
        raise ValueError(f"the column {name} of ledger_or_frame holds no whole numbers: {error}") from error
    told = numbers.dropna()
    if len(told) and told.min() < least:
        raise ValueError(f"the column {name} of ledger_or_frame has {told.min()}, expected whole numbers from {least}")
    return np.asarray(numbers.fillna(0), dtype=np.int64)


def _ended(frame: pd.DataFrame, form: Form) -> list[bool | None]:
    """Read statuses of attempts, a row each: whether it succeeded; None where none has ended."""
    words = {"succeeded": True, "failed": False}
    values: list[bool | None] = []
    for value in frame["status"].astype(object):
        if not (isinstance(value, str) and value in _KNOWN) and not (pd.api.types.is_scalar(value) and pd.isna(value)):
            raise ValueError(f"the column status of ledger_or_frame has {value!r:.80}, expected one of {_KNOWN}")
        values.append(words.get(value) if isinstance(value, str) else None)
    if form == "attempts":
        _whole_numbers(frame, "attempt", 1)
        if "released_as" in frame:  # what came too late for its run failed there, and is out
            late = frame["released_as"].notna().to_numpy(dtype=bool)
            return [True if value is False and out else value for value, out in zip(values, late, strict=True)]
    return values


def strings(frame: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
    """Take a column of ids; every one must be a str."""
    values = frame[name].astype(object).to_numpy()
    for value in values:
        if not isinstance(value, str):
            raise TypeError(
                f"the column {name} of ledger_or_frame has {value!r:.80}, expected ids as str, none missing"
            )
    return values


def numbered(ids: Iterable[str]) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Number ids in order of appearance; pandas 2.2 would take an empty id and a zero byte for the same."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(each, len(numbers)) for each in ids], dtype=np.intp)
    return codes, list(numbers)


def _booleans(column: pd.Series[Any]) -> list[bool | None]:
    values: list[bool | None] = []
    for value in column.astype(object):
        if isinstance(value, bool | np.bool_):
            values.append(bool(value))
        elif pd.api.types.is_scalar(value) and pd.isna(value):
            values.append(None)
        else:
            raise TypeError(
                f"the column succeeded of ledger_or_frame has {value!r:.80}, expected True, False or a missing value "
                "(not tried)"
            )
    return values


def columns_told(names: Iterable[Any]) -> str:
    """Write column names for a message."""
    return listed(list(names), 20, lambda name: shortened(str(name), 40)) or "none"
