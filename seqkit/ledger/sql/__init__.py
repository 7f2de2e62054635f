"""A ledger in a SQL database, through SQLAlchemy: a SQLite file, or a PostgreSQL server.

Durable means: every call is one statement, committed when it returns. SQLite is told to wait for the
disk (``synchronous=FULL``); its write-ahead log (WAL) lets readers read while a run is written. Where
a file system cannot do that, the rollback journal takes its place, with ``synchronous=EXTRA``, as safe
and slower. PostgreSQL waits for its own log unless the server was told not to (``fsync=off``);
``synchronous_commit=off`` is turned on again for the ledger's sessions.
"""

from seqkit.ledger.sql.ledger import SqlRunLedger

__all__ = ["SqlRunLedger"]
