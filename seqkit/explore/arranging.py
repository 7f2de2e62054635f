"""Rows of a table in another order, and only those with a text in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

__all__ = ["arranged"]


def arranged(
    frame: pd.DataFrame, columns: Iterable[str], by: str | None = None, descending: bool = False, text: str = ""
) -> pd.DataFrame:
    """Give the rows that have `text` in one of some columns, in upper or lower case, sorted by one of them.

    Rows that are alike there stay in their order; those where nothing stands come last both ways. Numbers and times are
    sorted as such, all else as text.

    Examples
    --------
    >>> frame = pd.DataFrame({"repo_id": ["core", "api", "app"], "attempts": [1, 3, 2]})
    >>> arranged(frame, ["repo_id"], by="attempts", descending=True)["repo_id"].tolist()
    ['api', 'app', 'core']
    >>> arranged(frame, ["repo_id"], text="AP")["repo_id"].tolist()
    ['api', 'app']
    """
    if text.strip():
        wanted = text.strip().casefold()
        told = zip(*(map(_text, frame[name]) for name in columns), strict=True)
        frame = frame[[any(wanted in cell.casefold() for cell in row) for row in told]]
    if by is None:
        return frame
    values = list(frame[by])
    keys = [None if _nothing(value) else _key(value) for value in values]
    there = [at for at, key in enumerate(keys) if key is not None]
    there.sort(key=lambda at: keys[at], reverse=descending)  # type: ignore[arg-type, return-value]  # none is None
    return frame.iloc[there + [at for at, key in enumerate(keys) if key is None]]


def _nothing(value: Any) -> bool:
    return value == [] if isinstance(value, list) else not isinstance(value, dict) and bool(pd.isna(value))


def _key(value: Any) -> Any:
    return value if not isinstance(value, str | list | dict) else _text(value).casefold()


def _text(value: Any) -> str:
    if _nothing(value):
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
