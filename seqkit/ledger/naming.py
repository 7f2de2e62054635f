"""Which run a `run_id` argument means: its id, the start of one, or the newest."""

from __future__ import annotations

from seqkit._util.secrets import as_given, shown_id
from seqkit._util.words import listed, shortened
from seqkit.core.model import RunId
from seqkit.errors import RunNotFound
from seqkit.ledger.base import RunLedger
from seqkit.ledger.found import FoundLedger

__all__ = ["NEWEST", "SHORTEST_START", "run_called", "run_ids"]

NEWEST = "last"
"""What the newest run is called, where no run has that for its id."""
SHORTEST_START = 4
"""Characters of an id that may stand for it, where no other run's id starts like that."""

_NAMED = 5


def run_ids(ledger: RunLedger) -> list[RunId]:
    """List the runs of a ledger, oldest first; of one that was read, those that only have events come after them."""
    ids = dict.fromkeys(record.run_id for record in ledger.list_runs())
    if isinstance(ledger, FoundLedger):
        ids |= dict.fromkeys(event.run_id for event in ledger.events)
    return list(ids)


def run_called(ledger: RunLedger, name: str, argument: str = "run_id") -> RunId:
    """Give the id of the run that is called `name`.

    That is the run with this id; else, of ``"last"``, the newest that has a record; else the only one whose id starts
    like that, where it is at least four characters. Nothing but that one run is looked up where it is an id.

    Parameters
    ----------
    ledger : RunLedger
        Where to look.
    name : str
        What somebody calls the run.
    argument : str
        The argument's name, for errors.

    Raises
    ------
    TypeError
        Where `name` is no text.
    RunNotFound
        Where there is no such run.
    ValueError
        Naming them, where the ids of several runs start like that.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RunMetadata
    >>> ledger = MemoryRunLedger(ids=["2026-01-05", "2026-02-02"])
    >>> _ = [ledger.create_run("0" * 64, RunMetadata()) for _ in range(2)]
    >>> run_called(ledger, "2026-01"), run_called(ledger, "last")
    ('2026-01-05', '2026-02-02')
    >>> run_called(ledger, "2026")
    Traceback (most recent call last):
    ValueError: run_id is '2026', with which the ids of 2 runs start: 2026-01-05, 2026-02-02; give more of it
    """
    if not isinstance(name, str):
        raise TypeError(f"{argument} is {as_given(name)}, expected a str, the id of a run")
    try:
        return ledger.get_run(name).run_id
    except RunNotFound:
        ids = run_ids(ledger)
    if name in ids:  # its events were found, and no record
        return name
    if name == NEWEST and (records := ledger.list_runs()):
        return records[-1].run_id
    close = [run_id for run_id in ids if run_id.startswith(name)] if len(name) >= SHORTEST_START else []
    if len(close) == 1:
        return close[0]
    if close:
        raise ValueError(
            f"{argument} is {as_given(name, 200)}, with which the ids of {len(close):,} runs start: {_some(close)}; "
            "give more of it"
        )
    error = RunNotFound(name)
    there = f"the newest here: {_some(ids[-_NAMED:])}" if ids else "the ledger has no runs"
    error.add_note(f"expected an id, {SHORTEST_START} characters or more of its start, or {NEWEST!r}; {there}")
    raise error


def _some(ids: list[RunId]) -> str:
    return listed(ids, _NAMED, lambda run_id: shortened(shown_id(run_id), 60))
