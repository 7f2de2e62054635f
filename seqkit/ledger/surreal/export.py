"""The rows of a SurrealDB export: a script, of which only what it inserts is read.

Understood are ``INSERT``, ``CREATE``, ``UPDATE`` and ``UPSERT`` with values that are data; ``DEFINE``,
``OPTION`` and the like are passed over. Anything else is a problem: no export has it.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass, field

from seqkit._util.words import cut, shortened
from seqkit.errors import ReadError
from seqkit.ledger.collecting import opened
from seqkit.ledger.found import Problem
from seqkit.ledger.surreal.literals import LiteralError, RecordId, Token, next_token, read_value, skip_value
from seqkit.ledger.surreal.rows import TABLES, StoredRow

__all__ = ["LARGEST", "rows_of_export"]

LARGEST = 2 << 30
"""A larger file is refused, in bytes: it is held in memory."""

_PASSED_OVER = frozenset(
    [
        "OPTION",
        "USE",
        "DEFINE",
        "REMOVE",
        "ALTER",
        "REBUILD",
        "BEGIN",
        "COMMIT",
        "CANCEL",
        "TRANSACTION",
        "INFO",
        "SELECT",
    ]
)
_WRITES = frozenset({"CREATE", "UPDATE", "UPSERT"})


def rows_of_export(path: str) -> Generator[StoredRow | Problem, None, None]:
    """Give the rows of the two tables, in the order of the file, and a problem for what cannot be read.

    Raises
    ------
    ReadError
        Where there is no such file, it is too large, or it is no export of a ledger.
    """
    script = _Script(path, _text_of(path))
    yield from script.rows()
    missing = [table for table in TABLES if table not in script.tables]
    if len(missing) == len(TABLES):
        raise ReadError(
            path, None, f"is no export of a ledger: it has none of the tables {' and '.join(TABLES)} of a SurrealDB"
        )
    if missing and not script.cut:
        yield Problem(path, None, f"the export has no table {missing[0]}: is the file cut off?")


def _text_of(path: str) -> str:
    with opened(path, path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise ReadError(path, None, f"has {size:,} bytes, expected at most {LARGEST:,}; export a part of it")
        try:
            content = file.read(LARGEST)  # and no more, should it grow meanwhile
        except OSError as error:
            raise ReadError.opening(path, error) from error
    # Bytes that are not UTF-8 are found again as surrogates, so that one of them costs no more than its row.
    return content.decode("utf-8-sig", "surrogateescape")


@dataclass
class _Script:
    path: str
    text: str
    tables: set[str] = field(default_factory=set)
    """Which of the two tables the export has."""
    cut: bool = False
    """Whether the text ended too early."""
    _counted: tuple[int, int] = (0, 1)

    def rows(self) -> Generator[StoredRow | Problem, None, None]:
        """Go through the statements."""
        at = 0
        try:
            while True:
                token = next_token(self.text, at)
                if token.kind == "end":
                    return
                at = token.end
                if token.text == ";":
                    continue
                word = token.text.upper() if token.kind == "word" else ""
                if word == "INSERT":
                    at = yield from self._insert(at)
                elif word in _WRITES:
                    at = yield from self._write(at)
                elif word in _PASSED_OVER:
                    self._note_definition(word, at)
                else:
                    start = self.text[token.start : token.start + 60].partition(";")[0]
                    what = shortened(" ".join(start.split()), 40)
                    yield self._problem(token.start, f"found {what!r}, which no export of SurrealDB has; passed over")
                at = self._end_of_statement(at)
        except LiteralError as error:
            self.cut = True  # nothing after this place makes sense
            yield self._problem(error.at, str(error))

    def _insert(self, at: int) -> Generator[StoredRow | Problem, None, int]:
        """Read ``[RELATION] [IGNORE] [INTO table] [ {…}, … ]`` or a single object; give the place after it."""
        into: str | None = None
        token = next_token(self.text, at)
        while token.kind in ("word", "quoted"):
            at = token.end
            if token.text.upper() not in ("RELATION", "IGNORE", "INTO"):
                into = token.text.strip("⟨⟩`")
            token = next_token(self.text, at)
        if token.text == "{":
            return (yield from self._row(token.start, into))
        if token.text != "[":
            yield self._problem(token.start, "an INSERT without values that are data; passed over")
            return at
        at = token.end
        while True:
            token = next_token(self.text, at)
            if token.text == "]" and token.kind == "mark":
                return token.end
            at = yield from self._row(token.start, into)
            token = next_token(self.text, at)
            if token.text == ",":
                at = token.end
            elif token.text != "]":
                raise self._lost(token)

    def _write(self, at: int) -> Generator[StoredRow | Problem, None, int]:
        """Read ``[ONLY] record CONTENT {…}``; give the place after it."""
        target = next_token(self.text, at)
        if target.text.upper() == "ONLY":
            target = next_token(self.text, target.end)
        record, at = read_value(self.text, target.start) if target.kind == "record" else (None, target.end)
        table = record.table if isinstance(record, RecordId) else target.text.strip("⟨⟩`")
        verb = next_token(self.text, at)
        if table not in TABLES:
            return at
        if verb.text.upper() not in ("CONTENT", "REPLACE"):
            self.tables.add(table)
            yield self._problem(target.start, f"table {table}: a change that is not a whole row; passed over")
            return at
        return (yield from self._row(next_token(self.text, verb.end).start, table, record))

    def _row(self, at: int, table: str | None, record: str | None = None) -> Generator[StoredRow | Problem, None, int]:
        """Read one row; give the place after it, whether it could be read or not."""
        if table is not None and table not in TABLES:
            return skip_value(self.text, at)
        try:
            content, end = read_value(self.text, at)
        except LiteralError as error:
            if error.cut:
                raise
            end = skip_value(self.text, at)
            known = record or self._record_in(at, end)
            of = table or known.partition(":")[0]
            if of in TABLES:
                self.tables.add(of)
            if of in TABLES or not of:
                yield self._problem(error.at, f"table {of or 'unknown'}, record {known or 'without an id'}: {error}")
            return end
        own = content.get("id") if isinstance(content, dict) else None
        if table is None and isinstance(own, RecordId):
            table = own.table
        if table in TABLES:
            self.tables.add(table)
            yield StoredRow(table, str(record or own or "without an id"), content, self._line(at))
        elif table is None:
            yield self._problem(at, "a row that says not which table it belongs to; expected an id such as runs:abc")
        return end

    def _record_in(self, start: int, end: int) -> str:
        """Find the id of a row that cannot be read; empty where it has none."""
        at = start
        while at < end:
            token = next_token(self.text, at)
            at = token.end
            if token.text == "id":
                value = next_token(self.text, next_token(self.text, at).end)
                if value.kind == "record":
                    return shortened(value.text, 80)
        return ""

    def _note_definition(self, word: str, at: int) -> None:
        """Note a table that is defined: it may have no rows."""
        if word != "DEFINE" or next_token(self.text, at).text.upper() != "TABLE":
            return
        name = next_token(self.text, next_token(self.text, at).end)
        while name.text.upper() in ("IF", "NOT", "EXISTS", "OVERWRITE"):
            name = next_token(self.text, name.end)
        if name.text.strip("⟨⟩`") in TABLES:
            self.tables.add(name.text.strip("⟨⟩`"))

    def _end_of_statement(self, at: int) -> int:
        while True:
            at = skip_value(self.text, at)
            token = next_token(self.text, at)
            if token.text == ";":
                return token.end
            at = token.end  # a comma, or something that closes what was never opened

    def _lost(self, token: Token) -> LiteralError:
        if token.kind == "end":
            return LiteralError("the file ends in the middle of an INSERT: is it cut off?", token.start, cut=True)
        return LiteralError(f"found {cut(token.text, 30)!r}, expected a comma or ]", token.start)

    def _line(self, at: int) -> int:
        """Give the line of a place; places come in rising order, but for a few."""
        place, line = self._counted
        if at < place:
            place, line = 0, 1
        line += self.text.count("\n", place, at)
        self._counted = (at, line)
        return line

    def _problem(self, at: int, message: str) -> Problem:
        return Problem(self.path, self._line(at), message)
