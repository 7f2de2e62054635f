"""Opens a copy of a surrealkv folder and writes its rows as JSON Lines; runs in a process of its own.

The engine prints to stderr, repairs what is damaged without saying so to its caller, may abort the process
and cannot be interrupted: none of that may happen inside somebody's notebook. So this file is started
by its path, imports nothing of seqkit, and is told where to read and where to write.

Lines: ``{"table", "record", "content"}`` for a row, ``{"table", "record", "error"}`` for one that is no JSON,
``{"database", "tables"}`` for each database that was read, ``{"failed"}`` where nothing could be opened.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

# Without conditions or an order: those use indexes, which another minor version cannot read. A stored <future> is code,
# which came with the folder: it is not run.
TABLES = {
    "runs": "OPTION FUTURES = false; SELECT * FROM runs",
    "run_events": "OPTION FUTURES = false; SELECT * FROM run_events",
}
_FUTURE = 15  # the tag of one that was not run, for which the client has no decoder
_USUAL = (("aivcs", "main"), ("aivcs", "ledger"))  # where the versions of the original put their tables


def main(folder: str, target: str) -> None:
    """Write everything there is to `target`."""
    from surrealdb import Surreal  # noqa: PLC0415  # what goes wrong here is told, too

    _decode_futures()
    with open(target, "w", encoding="utf-8") as file, Surreal(f"surrealkv://{folder}") as db:
        for namespace, database in _databases(db):
            for line in _lines(db, namespace, database):
                file.write(line + "\n")


class _Future:
    """A value that was to be computed when somebody reads it."""


def _decode_futures() -> None:
    """Let the client decode the rows that hold one; without, the whole table could not be read."""
    from surrealdb.data import cbor  # noqa: PLC0415  # as above

    known = getattr(cbor, "tag_decoder", None)
    if known is not None:
        cbor.tag_decoder = lambda decoder, tag, *more: _Future() if tag.tag == _FUTURE else known(decoder, tag, *more)


def _databases(db: Any) -> list[tuple[str, str]]:
    try:
        db.use(*_USUAL[0])
        found = []
        for namespace in _names(db.query("INFO FOR ROOT"), "namespaces"):
            db.use(namespace, _USUAL[0][1])
            found += [(namespace, database) for database in _names(db.query("INFO FOR NS"), "databases")]
        return sorted(found) or list(_USUAL)
    except Exception:  # an index of another version: the usual places are tried
        return list(_USUAL)


def _names(info: Any, what: str) -> list[str]:
    return list((info or {}).get(what, {}))


def _lines(db: Any, namespace: str, database: str) -> Iterator[str]:
    db.use(namespace, database)
    try:
        known = _names(db.query("INFO FOR DB"), "tables")
    except Exception:  # as above
        known = list(TABLES)
    tables = []
    for table, query in TABLES.items():
        try:
            rows = db.query(query) if table in known else None
        except Exception as error:
            yield json.dumps({"table": table, "record": f"(all of {namespace}/{database})", "error": str(error)})
            continue
        if isinstance(rows, list):
            tables.append(table)
            yield from (_line(table, row) for row in rows)
    yield json.dumps({"database": f"{namespace}/{database}", "tables": tables})


def _line(table: str, row: Any) -> str:
    record = _plain(row.pop("id", "without an id")) if isinstance(row, dict) else "without an id"
    try:
        return json.dumps({"table": table, "record": record, "content": row}, default=_plain, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        return json.dumps({"table": table, "record": record, "error": f"cannot be written as JSON: {error}"})


def _plain(value: Any) -> str:
    if isinstance(value, _Future):
        raise TypeError("it holds a <future>, which is code and was not run")
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "table_name"):
        return f"{value.table_name}:{value.id}"
    return str(value)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except Exception as error:
        with open(sys.argv[2], "a", encoding="utf-8") as file:
            file.write(json.dumps({"failed": f"{type(error).__name__}: {error}"}) + "\n")
