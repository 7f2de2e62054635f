"""Columns of anybody's DataFrame, read as ids, words, times and numbers; what cannot be read is said with its row."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd

from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.secrets import as_given
from seqkit._util.words import listed, plural, shortened
from seqkit.importers._words import MEANINGS, plain, says_more, status_of

__all__ = ["Columns", "TimeUnit"]

TimeUnit = Literal["s", "ms", "us", "ns"]
_UNITS = ("s", "ms", "us", "ns")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONED = re.compile(r"(?:[zZ]|[+-]\d\d:?(?:\d\d)?)\s*$")
_NAT = np.iinfo(np.int64).min
_LOOKED_AT = 200  # values of a column, to tell a wide frame


class Columns:
    """The columns of a frame by the roles that they have.

    Parameters
    ----------
    frame : DataFrame
        A row an attempt.
    named : mapping
        Role → the name of its column, or None where there is none.
    needed : collection of str
        The roles that must be there; the others may be missing.
    """

    def __init__(self, frame: pd.DataFrame, named: Mapping[str, Any], needed: Collection[str]) -> None:
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(f"df is {as_given(frame)}, expected a DataFrame with a row for each attempt")
        if frame.columns.has_duplicates:
            twice = frame.columns[frame.columns.duplicated()].unique()
            raise ValueError(f"df has the column {shortened(str(twice[0]), 60)!r} twice, expected each once")
        self.frame = frame
        self.notes: list[str] = []
        self._named = {role: name for role, name in named.items() if name is not None and name in frame.columns}
        missing = [role for role in needed if named[role] is not None and role not in self._named]
        if missing:
            raise ValueError(self._lacking(missing, named))

    def _lacking(self, roles: Sequence[str], named: Mapping[str, Any]) -> str:
        """Say which columns a frame lacks, and what to do."""
        known = [str(name) for name in self.frame.columns]
        told = listed(known, 20, lambda name: shortened(name, 40)) or "none"
        role = roles[0]
        index = [name for name in self.frame.index.names if name is not None and name == named[role]]
        lacks = ", ".join(f"{role}={named[role]!r:.60}" for role in roles)
        sentence = f"df lacks {lacks}: its columns are {told}"
        if index:
            return f"{sentence}; {index[0]!r} is in the index, so call reset_index() first"
        if "status" in roles and "repo" in roles and (wide := self._wide()):
            ids = [name for name in known if name not in wide]
            variables = f"id_vars={ids!r}, " if ids else ""
            return (
                f"{sentence}. The columns {listed(wide, 3, repr)} hold words for a status, so each seems to be a repo: "
                f"make a row of each cell by df.melt({variables}var_name='repo_id', value_name='status')"
            )
        near = NearNames(known).near(str(named[role]))
        asked = did_you_mean(near)
        alone = "; run=None takes all rows for one run" if role == "run" else ""
        return f"{sentence}; say which one tells the {_ROLES[role]} ({role}=…){f': {asked}' if asked else ''}{alone}"

    def _wide(self) -> list[str]:
        """List the columns whose values are words for a status: of a frame with a column for each repo."""
        found = []
        for name in self.frame.columns:
            values = [value for value in self.frame[name].dropna().head(_LOOKED_AT).tolist() if value != ""]
            words = [value for value in values if isinstance(value, str) and status_of(value) is not None]
            if values and len(words) == len(values):
                found.append(str(name))
        return found if len(found) > 1 else []

    def has(self, role: str) -> bool:
        """Tell whether there is such a column."""
        return role in self._named

    def _values(self, role: str) -> list[Any]:
        values: list[Any] = self.frame[self._named[role]].astype(object).tolist()
        return values

    def _told(self, role: str) -> str:
        return f"the column {shortened(str(self._named[role]), 60)!r} ({role})"

    def _refuse(self, role: str, rows: Sequence[int], problem: str, expected: str) -> ValueError:
        many = f" (and {plural(len(rows) - 1, 'more row')})" if len(rows) > 1 else ""
        value = self._values(role)[rows[0]]
        shown = "missing" if _is_missing(value) else f"{value!r:.80}"
        return ValueError(f"{self._told(role)} has {shown} in row {rows[0] + 1}{many}{problem}, expected {expected}")

    def ids(self, role: str) -> list[str]:
        """Read ids, none of which may be missing: text, or whole numbers, which become text."""
        values = self._values(role)
        found = [_as_id(value) for value in values]
        if bad := [row for row, value in enumerate(found) if value is None]:
            raise self._refuse(role, bad, "", f"{_ROLES[role]} as text or a whole number, none missing")
        return [value for value in found if value is not None]

    def texts(self, role: str) -> list[str | None]:
        """Read texts; what is missing is None."""
        if not self.has(role):
            return [None] * len(self.frame)
        told = [None if _is_missing(value) else str(value) for value in self._values(role)]
        return [None if text is None else text.encode("utf-8", "replace").decode() for text in told]

    def numbers(self, role: str) -> list[int | None]:
        """Read whole numbers from 1; what is missing is None."""
        values = self._values(role)
        found = [_as_number(value) for value in values]
        bad = [row for row, value in enumerate(found) if value == 0 and not _is_missing(values[row])]
        if bad:
            hint = ""
            if all(_as_zero(values[row]) for row in bad):
                hint = "; where it counts from 0, add 1 first"
            raise self._refuse(role, bad, "", f"whole numbers from 1{hint}")
        return [value or None for value in found]

    def lists(self, role: str, repos: Collection[str]) -> list[tuple[str, ...]]:
        """Read lists of repos: lists, or texts that separate them by ``;``, ``,`` or blanks."""
        if not self.has(role):
            return [()] * len(self.frame)
        found = []
        for row, value in enumerate(self._values(role)):
            if isinstance(value, list | tuple | set | frozenset | np.ndarray):
                names = [_as_id(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
                if None in names:
                    raise self._refuse(role, [row], "", "lists of repos as text")
                found.append(tuple(name for name in names if name is not None))
            elif _is_missing(value) or value == "":
                found.append(())
            elif isinstance(value, str):
                found.append(tuple(_parts(value, repos)))
            else:
                raise self._refuse(role, [row], "", "repos, as a list or as text that separates them by `;`")
        return found

    def statuses(self, given: Mapping[Any, str] | None) -> tuple[list[str], list[str | None]]:
        """Read statuses; give what each means, and the source's own word where that says more.

        Parameters
        ----------
        given : mapping or None
            What the user says of words: it goes before the table. A key None is for what is missing.
        """
        own = _checked(given)
        known: dict[Any, tuple[str, str | None] | None] = {}
        found: list[tuple[str, str | None]] = []
        unknown: dict[str, int] = {}
        for value in self._values("status"):
            key = None if _is_missing(value) else value
            try:
                told = known[key] if key in known else known.setdefault(key, _meaning(key, own))
            except TypeError:  # a list, which can be no key
                told = None
            if told is not None:
                found.append(told)
            else:
                word = "missing" if key is None else repr(value)
                unknown[word] = unknown.get(word, 0) + 1
        if unknown:
            raise ValueError(_unknown_words(self._told("status"), unknown))
        return [meaning for meaning, _ in found], [word for _, word in found]

    def times(self, role: str, unit: TimeUnit | None) -> list[datetime | None]:
        """Read times as UTC; what is missing is None.

        Parameters
        ----------
        role : str
            Which column.
        unit : {"s", "ms", "us", "ns"} or None
            What numbers count since 1970; with None numbers are no times.
        """
        if not self.has(role):
            return [None] * len(self.frame)
        column = self.frame[self._named[role]]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.notna().any():
            if unit is None:
                raise ValueError(
                    f"{self._told(role)} holds numbers such as {column.dropna().iloc[0]!s:.40}, expected times; say "
                    f"what they count since 1970 by unit=, one of {_UNITS}"
                )
            ticks = self._parsed(role, column, lambda some: pd.to_datetime(some, unit=unit, utc=True))
        elif pd.api.types.is_datetime64_any_dtype(column):
            if column.dt.tz is None and column.notna().any():
                self._naive()
            ticks = self._parsed(role, column, lambda some: pd.to_datetime(some, utc=True))
        else:
            column = column.astype(object).map(lambda value: None if value == "" else value)
            texts = [value for value in column.tolist() if isinstance(value, str)]
            zones = [_ZONED.search(text) is not None for text in texts]
            zones += [value.tzinfo is not None for value in column.tolist() if isinstance(value, datetime)]
            if not all(zones):
                self._naive()
            ticks = self._parsed(role, column, lambda some: pd.to_datetime(some, utc=True, format="ISO8601"))
        return [None if tick == _NAT else _EPOCH + timedelta(microseconds=tick) for tick in ticks.tolist()]

    def _naive(self) -> None:
        note = "times without a zone were taken for UTC"
        if note not in self.notes:
            self.notes.append(note)

    def _parsed(self, role: str, column: Any, parse: Callable[[Any], Any]) -> Any:
        try:
            moments = parse(column)
        except (ValueError, TypeError, OverflowError):
            bad = [row for row, value in enumerate(column.tolist()) if not _parses(value, parse)]
            told = bad or [int(column.notna().argmax())]
            raise self._refuse(
                role,
                told,
                "",
                f"times in ISO 8601 (2026-01-05T10:00:00Z); parse others first: pd.to_datetime(df"
                f"[{self._named[role]!r:.60}], format=…), and local ones with .dt.tz_localize('Europe/Berlin', "
                "ambiguous='NaT', nonexistent='shift_forward') behind it",
            ) from None
        return moments.dt.as_unit("us").dt.tz_localize(None).to_numpy().view(np.int64)


_ROLES = {
    "run": "run",
    "repo": "repo",
    "status": "status",
    "started": "start",
    "finished": "end",
    "attempt": "number of the attempt",
    "reason": "reason of a failure",
    "version": "version",
    "blocked_by": "failed repos that one waited for",
    "train": "train",
    "released_as": "name of the release",
    "detail": "system's own word",
}


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _as_id(value: Any) -> str | None:
    """Give an id as text; None where it is none."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return None
        return str(value)
    if isinstance(value, bool | np.bool_) or _is_missing(value):
        return None
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real) and float(value).is_integer() and abs(float(value)) < 2**53:
        return str(int(float(value)))  # of numbers beside missing ones pandas makes floats
    return None


def _as_number(value: Any) -> int | None:
    """Give a whole number from 1; 0 where it is none, None where it is missing."""
    if _is_missing(value) or value == "":
        return None
    told = _as_id(value)
    return int(told) if told is not None and told.isdecimal() and len(told) < 10 else 0


def _as_zero(value: Any) -> bool:
    return _as_id(value) == "0"


def _parses(value: Any, parse: Callable[[Any], Any]) -> bool:
    try:
        parse(pd.Series([value], dtype=object))
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _parts(text: str, repos: Collection[str]) -> Iterable[str]:
    """Take a text apart into repos; a name that holds a separator is known by the rows that have it."""
    if text in repos:
        return [text]
    parts = [part.strip() for part in text.split(";")]
    if len(parts) == 1 and not all(part in repos for part in parts):
        for separator in (",", " "):
            some = [part.strip() for part in text.split(separator) if part.strip()]
            if all(part in repos for part in some):
                parts = some
                break
    return dict.fromkeys(part for part in parts if part)


def _checked(statuses: Mapping[Any, str] | None) -> Mapping[Any, str]:
    """Read the argument `statuses`."""
    if statuses is None:
        return {}
    if not isinstance(statuses, Mapping):
        raise TypeError(f"statuses is {as_given(statuses, 200)}, expected a mapping from your words to {MEANINGS}")
    own: dict[Any, str] = {}
    for word, given in statuses.items():
        meaning = status_of(given) if isinstance(given, str) else None
        if meaning is None:
            raise ValueError(f"statuses[{word!r:.60}] is {given!r:.60}, expected one of {MEANINGS}")
        own[plain(word) if isinstance(word, str) else word] = meaning
    return own


def _meaning(value: Any, own: Mapping[Any, str]) -> tuple[str, str | None] | None:
    """Say what a status means, and give its word where that says more; None where nobody knows it."""
    word = plain(value) if isinstance(value, str) else value
    if isinstance(value, bool | np.bool_) and word not in own:
        return ("succeeded" if value else "failed"), None
    meaning = own.get(word, status_of(value) if isinstance(value, str) else None)
    if meaning is None:
        return None
    return meaning, value.strip() if isinstance(value, str) and says_more(value) else None


def _unknown_words(column: str, unknown: Mapping[str, int]) -> str:
    words = listed(list(unknown), 20, lambda word: f"{shortened(word, 40)} ({plural(unknown[word], 'row')})")
    first = "None" if next(iter(unknown)) == "missing" else next(iter(unknown))
    hint = ""
    if any(plain(word.strip("'\"")) == "completed" for word in unknown):
        hint = "; `completed` says that something ended and not how: is that in another column (conclusion)?"
    return (
        f"{column} has words that nobody here knows: {words}{hint}; say what they mean by "
        f"statuses={{{first:.60}: …}}, each one of {MEANINGS}"
    )
