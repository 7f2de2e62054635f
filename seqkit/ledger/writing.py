"""Writing whole ledgers to files."""

from __future__ import annotations

import os

from seqkit._util.formats import endings, listed_to_write, named_like, told_in
from seqkit._util.secrets import as_given
from seqkit.ledger.base import RunLedger
from seqkit.ledger.formats import writable
from seqkit.ledger.reading import as_ledger, read_ledger
from seqkit.ledger.urls import no_name

__all__ = ["write_ledger"]


@told_in(formats=f"{listed_to_write(writable())}. It is written whole or not at all.")
def write_ledger(ledger: RunLedger | str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Write a ledger to a file, in the format that the end of its name tells.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        What to write. Of a ledger that was read from files, everything that was found, in that order;
        lines that could not be read are not written.
    path : str or path
        {formats}
        JSON Lines are gzipped where the name ends in ``.gz``.

    Raises
    ------
    ValueError, TypeError
        Where the name of the file is another one. Where a database cannot hold the ledger, as it contradicts itself:
        a run recorded twice, a seq used twice, an event without its run. Where a database of that name is in use,
        or was left in the middle of a change: its log or journal lies beside it.
    StorageError
        Where a record is no JSON (NaN, a set), is nested deeper than 197 levels or longer than 32 MB, or the disk is
        full.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, build_plan, read_ledger, run_plan
    >>> ledger = MemoryRunLedger()
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, 0.0, ledger, rng=7)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "runs.jsonl.gz")
    ...     write_ledger(ledger, path)
    ...     read_ledger(path)
    FoundLedger(1 run, 4 events)
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {as_given(path)}, expected a path: write_ledger(ledger, path)")
    target = os.fspath(path)
    rows = named_like(writable(), target) if isinstance(target, str) else []
    if isinstance(target, str) and (why := no_name(target)):
        raise ValueError(f"path is {as_given(target, 200)}, {why}; expected a name that ends in {endings(writable())}")
    if not rows or rows[0].write is None or "://" in target:
        raise ValueError(f"path is {as_given(target, 200)}, expected a name that ends in {endings(writable())}")
    source = read_ledger(ledger) if isinstance(ledger, str | os.PathLike) else as_ledger(ledger)
    rows[0].write(source, target)
