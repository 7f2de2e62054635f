"""Edges as people give them: pairs, columns of a frame, and what networkx keeps with an edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from seqkit._util.words import quoted
from seqkit.core.ids import checked_id, is_blank
from seqkit.core.kinds import KINDS, NORMAL, chosen_kinds, in_order

__all__ = ["checked_pairs", "kinds_of_frame", "kinds_told", "rows_of_frame"]


def rows_of_frame(frame: pd.DataFrame, dependency: str, dependent: str) -> Iterator[tuple[Any, Any]]:
    """Give the rows of two columns; a missing cell is empty."""
    for argument, column in (("dependency", dependency), ("dependent", dependent)):
        match list(frame.columns).count(column):
            case 0:
                raise ValueError(f"edges has no column {argument}={column!r}; its columns are {quoted(frame.columns)}")
            case 1:
                continue
            case count:
                raise ValueError(f"edges has {count} columns {argument}={column!r}, expected one")
    # pandas says which cells are missing: None, NaN, NA and NaT alike.
    missing = frame[[dependency, dependent]].isna().to_numpy().tolist()
    cells = zip(frame[dependency].tolist(), frame[dependent].tolist(), missing, strict=True)
    for row, (before, after, (no_before, no_after)) in enumerate(cells):
        yield (
            "" if no_before else checked_id(before, f"edges[{dependency!r}].iloc[{row}]"),
            "" if no_after else checked_id(after, f"edges[{dependent!r}].iloc[{row}]"),
        )


def checked_pairs(edges: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Give pairs of ids back, if they are such."""
    for index, edge in enumerate(edges):
        if isinstance(edge, str) or not isinstance(edge, Iterable):
            raise TypeError(f"edges[{index}] is {edge!r}, expected a pair (dependency, dependent)")
        pair = tuple(edge)
        if len(pair) != 2:
            raise ValueError(f"edges[{index}] is {edge!r}, expected a pair (dependency, dependent)")
        yield checked_id(pair[0], f"edges[{index}][0]"), checked_id(pair[1], f"edges[{index}][1]")


def kinds_of_frame(
    cells: Sequence[Any], rows: Sequence[tuple[str, str]], column: str
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Read the column that says why who is needed; rows of one pair are taken together."""
    kinds: dict[tuple[str, str], tuple[str, ...]] = {}
    for number, (cell, row) in enumerate(zip(cells, rows, strict=True)):
        told = [kind.strip() for kind in cell.split(",")] if isinstance(cell, str) and cell.strip() else [*NORMAL]
        try:
            chosen = chosen_kinds(told, f"edges[{column!r}].iloc[{number}]")
        except ValueError as error:
            raise ValueError(f"{error}; pass kinds=None where the column means something else") from None
        if all(not is_blank(repo) for repo in row):
            kinds[row] = in_order({*kinds.get(row, ()), *chosen})
    return kinds


def kinds_told(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the kinds of an edge of somebody's networkx graph; what is none of ours says nothing."""
    kinds = data.get("kinds", ())
    told = kinds.split(",") if isinstance(kinds, str) else kinds
    ours = [kind.strip() for kind in told if isinstance(kind, str)] if isinstance(told, Iterable) else []
    return in_order(ours) if ours and all(kind in KINDS for kind in ours) else NORMAL
