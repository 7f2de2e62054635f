"""Frames as Excel, CSV and Parquet can hold them."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Mapping
from datetime import date, datetime, timedelta
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from seqkit._util import dtypes
from seqkit._util.secrets import as_given
from seqkit._util.words import UNSEEN

__all__ = ["for_spreadsheet", "harmless"]

_LONGEST = 32_767  # of a cell in Excel, in units of UTF-16

# What a spreadsheet takes for the start of a formula, of every width; % and | start calls of other programs (DDE).
_EQUALS = "=⁼₌﹦＝"
_SIGNS = "+⁺₊﬩﹢＋\\-﹣－"
_AT = "@﹫＠"
_START = re.compile(f"[{_EQUALS}{_SIGNS}{_AT}%﹪％|｜]")
_BREAK = re.compile("[\t\n\r]")
_SCOPED = re.compile(r"""@\w[^(|!"'=\[\]{}\t\n\r]*(\([a-z ]+\))?""")  # @acme/icons, and lists of such
_BLANKS = re.compile(f"(?:[\\s\\0-\\x1f\\x7f-\\x9f]|{UNSEEN.pattern})*")
# A cell more, for whoever opens a file with another separator than it was written with: a run of separators, blanks
# and quotes (as a whole, or long ones would be looked at from each of their characters), and the start of a formula.
_NEXT = re.compile(rf"""(?<![,;|\s"])([,;|\s"]++)([{_EQUALS}]|[{_SIGNS}{_AT}](?=[^,;\t\n\r]*[(|!]))""")
_SEPARATES = re.compile("[,;|\t\n\r\x0b\x0c\x85\u2028\u2029]")
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_INT64 = np.iinfo(np.int64)
_HOLDERS = (list, tuple, set, frozenset, np.ndarray, Mapping)


def for_spreadsheet(frame: pd.DataFrame, escape: bool = True) -> pd.DataFrame:
    r"""Give a frame that ``to_excel``, ``to_csv`` and ``to_parquet`` all write, and spreadsheets open safely.

    Parameters
    ----------
    frame : DataFrame
        Any frame of this library, or of your own. It is not changed.
    escape : bool
        Whether text that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, a tab or
        a line break, or like ``@NAME(``) gets a ``'`` before it: see Notes. Ids such as ``@acme/icons`` stay.

    Returns
    -------
    DataFrame
        The same rows and columns, without an index of its own (so ``index=False`` loses nothing):

        - a named index, or one of labels, has become the first columns;
        - times are UTC, without a zone (``datetime64[us]``); what had no zone is as it was;
        - durations are seconds (float64);
        - lists are text with ``", "`` between the entries; dicts, and lists within lists, are JSON;
        - categories are text; numbers and truth values stay, nullable ones too;
        - columns of mixed kinds are text;
        - names of columns are text, each once: a second ``x`` is ``x.1``; levels are joined by a space.

        Of text, characters that Excel's files cannot hold become ``\ufffd``, line breaks ``\n``, and what is longer
        than a cell of Excel (32,767 characters) is cut and ends with ``…``.

    Raises
    ------
    TypeError
        Where `frame` is no DataFrame.

    Notes
    -----
    A ``'`` also stands before ``%`` and ``|`` at the beginning, before such signs of other widths (``＝``), before
    blanks and invisible characters with one of them behind, and within text where a reader that takes a comma, a
    semicolon, a tab, a bar or a line break for the end of a cell would find a formula in the next one. Numbers
    that are numbers are never touched. A file that seqkit reads again, such as an edge list, is better written
    without it (``escape=False``): seqkit takes the ``'`` for a part of the name.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("=1+1", "app"), ("@acme/icons", "app")]), version="1.0")
    >>> for_spreadsheet(plan.to_frame())[["repo_id", "status", "dependencies"]]
           repo_id   status        dependencies
    0        '=1+1  pending
    1  @acme/icons  pending
    2          app  pending  '=1+1, @acme/icons
    >>> print(for_spreadsheet(plan.to_frame()[["wave", "repo_id"]]).to_csv(index=False, lineterminator="\n"))
    wave,repo_id
    0,'=1+1
    0,@acme/icons
    1,app
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(
            f"frame is {as_given(frame)}, expected a DataFrame; of a result, pass what its to_frame() gives"
        )
    taken: set[str] = set()
    names = [_name(label, escape, taken) for label in frame.columns]
    labels = _labels(frame.index, escape, taken)
    columns = {name: _column(values, escape) for name, values in labels}
    for place, name in enumerate(names):
        columns[name] = _column(frame.iloc[:, place], escape)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), columns=pd.Index(list(columns), dtype=object))


# ---------------------------------------------------------------------- names and index


def _name(label: Hashable, escape: bool, taken: set[str]) -> str:
    """Make a column's label a name that no other has."""
    parts = label if isinstance(label, tuple) else (label,)
    name = own = _cell(" ".join(_text(part) for part in parts if not _is_missing(part)), escape)
    number = 0
    while name in taken:
        number += 1
        name = f"{own}.{number}"
    taken.add(name)
    return name


def _labels(index: pd.Index[Any], escape: bool, taken: set[str]) -> list[tuple[str, pd.Series[Any]]]:
    """Give the columns that an index becomes; row numbers without a name say nothing, and are left out."""
    if index.nlevels == 1 and index.name is None and pd.api.types.is_integer_dtype(index.dtype):
        return []
    if index.nlevels == 1 and index.name is None and not len(index):
        return []
    columns = []
    for level, label in enumerate(index.names):
        unnamed = "index" if index.nlevels == 1 else f"level_{level}"
        values = index.get_level_values(level)
        columns.append((_name(unnamed if label is None else label, escape, taken), pd.Series(values, index=None)))
    return columns


# ---------------------------------------------------------------------- columns


def _column(column: pd.Series[Any], escape: bool) -> Any:
    """Make a column one that all three writers take."""
    dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").array
    if pd.api.types.is_datetime64_dtype(dtype):
        return column.astype("datetime64[us]").array
    if pd.api.types.is_timedelta64_dtype(dtype):
        return column.dt.total_seconds().to_numpy(dtype=np.float64)
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        if not isinstance(dtype, pd.CategoricalDtype | pd.SparseDtype):
            return column.array.copy()
    elif pd.api.types.is_float_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype | pd.SparseDtype):
        narrow = isinstance(dtype, np.dtype) and dtype.itemsize == 2  # Parquet has none of two bytes
        return column.astype(np.float64).array if narrow else column.array.copy()
    return _of_values([None if _is_missing(value) else value for value in column.astype(object)], escape)


def _of_values(values: list[Any], escape: bool) -> Any:
    """Make a column of what stands in one: of its own kind where all are of one, else of text."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool | np.bool_) for value in known):
        return dtypes.boolean([None if value is None else bool(value) for value in values])
    if known and not any(isinstance(value, bool | np.bool_) for value in known):
        if all(isinstance(value, Integral) and _INT64.min <= int(value) <= _INT64.max for value in known):
            return dtypes.integer([None if value is None else int(value) for value in values])
        if all(isinstance(value, float | np.floating) or _is_exact(value) for value in known):
            return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
        if all(isinstance(value, timedelta | np.timedelta64) for value in known):
            return np.array([np.nan if value is None else pd.Timedelta(value).total_seconds() for value in values])
        if all(isinstance(value, date | np.datetime64) for value in known):
            times = [_moment(value) for value in values]
            if all(time is None or isinstance(time, pd.Timestamp) for time in times):
                return pd.Series(times, dtype="datetime64[us]").array
    return dtypes.string([None if value is None else _cell(_text(value), escape) for value in values])


def _is_exact(value: Any) -> bool:
    """Tell whether a whole number is the same as a float."""
    return isinstance(value, Integral) and abs(int(value)) <= 2**53


def _moment(value: Any) -> pd.Timestamp | None:
    if value is None:
        return None
    time = pd.Timestamp(value)
    return time if time.tzinfo is None else time.tz_convert("UTC").tz_localize(None)


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


# ---------------------------------------------------------------------- text


def _text(value: Any) -> str:
    """Write one value as text."""
    if isinstance(value, Mapping):
        return _json(value)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple | np.ndarray):
        entries = value.tolist() if isinstance(value, np.ndarray) else value
        if any(isinstance(entry, _HOLDERS) for entry in entries):
            return _json(entries)
        return ", ".join("" if _is_missing(entry) else _text(entry) for entry in entries)
    if isinstance(value, datetime):
        value = _moment(value)
    elif isinstance(value, timedelta):
        value = value.total_seconds()
    return str(value)


def _json(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Make of any value what JSON knows."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _text(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(entry) for entry in value]
    if _is_missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, str | bool | int | float) else _text(value)


def harmless(text: str) -> str:
    """Put a ``'`` before whatever a spreadsheet would run of a text; twice is once.

    Examples
    --------
    >>> harmless("=1+1"), harmless(" ＝1"), harmless("core;=1"), harmless("@acme/icons"), harmless("core - api")
    ("'=1+1", "' ＝1", "core;'=1", '@acme/icons', 'core - api')
    """
    begin = _BLANKS.match(text).end()  # type: ignore[union-attr]  # it matches nothing, too
    runs = _START.match(text, begin) and not _SCOPED.fullmatch(text)
    return ("'" if runs or _BREAK.match(text) else "") + _NEXT.sub(_next_cell, text)


def _next_cell(found: re.Match[str]) -> str:
    run, start = found.groups()
    return f"{run}'{start}" if _SEPARATES.search(run) else found[0]


def _cell(text: str, escape: bool) -> str:
    """Make text that a cell can hold and, where asked for, that no spreadsheet runs."""
    if escape:
        text = harmless(text)
    text = _NOT_XML.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) * 2 <= _LONGEST:  # not even if every character took two units
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _LONGEST:
        return text
    # A character of two units that the cut would halve is left out.
    return units[: 2 * (_LONGEST - 1)].decode("utf-16-le", errors="ignore") + "…"
