"""Other systems' runs: files of theirs become rows of attempts, and rows of attempts a ledger."""

from __future__ import annotations

from seqkit._util.formats import Format
from seqkit.importers.frames import ledger_from_frame
from seqkit.importers.reading import holds_runs, read_attempts, read_runs
from seqkit.ledger.formats import OTHERS

__all__ = ["ledger_from_frame", "read_attempts"]

OTHERS.append(Format("runs", "files of another system's runs", read_runs, sniff=holds_runs, detail="see read_attempts"))
