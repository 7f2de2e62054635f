"""Runs as event logs for process mining, with the column names that pm4py has for XES and OCEL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pandas as pd

from seqkit._util import dtypes
from seqkit._util.warned import warn_caller
from seqkit._util.words import plural, quoted
from seqkit.ledger.attempt_rows import AttemptsLike, attempt_rows
from seqkit.ledger.attempts import AttemptRow

__all__ = ["to_ocel_frames", "to_xes_frame"]

_LAST = datetime.max.replace(tzinfo=UTC)


class _Happened(NamedTuple):
    """A start or an end of an attempt."""

    row: AttemptRow
    at: datetime
    is_end: bool


def to_xes_frame(ledger: AttemptsLike) -> pd.DataFrame:
    """Show the attempts of a ledger as an event log, with the names of columns that XES and pm4py have.

    A case is a run, an activity is a repo; each attempt has up to two events, its start and its end.

    Parameters
    ----------
    ledger : RunLedger, path, URL or DataFrame
        A ledger of any kind, or what :func:`seqkit.attempts_frame` gave.

    Returns
    -------
    DataFrame
        In order of time in each case; cases in the order in which they began.

        - `case:concept:name` (string): the run. `case:train` (string): what it belongs to.
        - `concept:name` (string): the repo. `concept:instance` (string): the attempt, ``core#2``, by which a start and
          an end belong together.
        - `lifecycle:transition` (string): ``start``, or ``complete``, of failures too: `status` tells them apart.
        - `time:timestamp` (UTC).
        - `attempt` (Int64), `status` (ordered categorical: of the whole attempt, also at its start), `version`,
          `reason`, `released_as` (string; the last two at the end alone).

    Raises
    ------
    ValueError
        Where a frame is none of attempts.

    Warns
    -----
    UserWarning
        Where attempts are left out that tell no time.

    Notes
    -----
    A log has what happened: repos that were not tried, and who blocked them, are not in it. No ledger says who or what
    did the work, so there is no ``org:resource``.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> log = to_xes_frame(run_plan(plan, 0.0, rng=7).ledger)
    >>> log[["concept:name", "lifecycle:transition", "attempt"]].values.tolist()
    [['core', 'start', 1], ['core', 'complete', 1], ['api', 'start', 1], ['api', 'complete', 1]]
    """
    happened = _happened(attempt_rows(ledger))
    rows = [one.row for one in happened]
    ends = [one.row if one.is_end else None for one in happened]
    return dtypes.frame(
        {
            "case:concept:name": dtypes.string([row.run_id for row in rows]),
            "case:train": dtypes.string([row.train for row in rows]),
            "concept:name": dtypes.string([row.repo_id for row in rows]),
            "concept:instance": dtypes.string([_instance(row) for row in rows]),
            "lifecycle:transition": dtypes.string(["complete" if one.is_end else "start" for one in happened]),
            "time:timestamp": dtypes.utc([one.at for one in happened]),
            "attempt": dtypes.integer([row.attempt for row in rows]),
            "status": dtypes.categorical([row.status for row in rows], dtypes.ATTEMPT_STATUSES),
            "version": dtypes.string([row.version for row in rows]),
            "reason": dtypes.string([None if row is None else row.reason for row in ends]),
            "released_as": dtypes.string([None if row is None else row.released_as for row in ends]),
        }
    )


def to_ocel_frames(ledger: AttemptsLike) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Show the attempts of a ledger as an object-centric event log, with the names of columns that pm4py has.

    ``pm4py.objects.ocel.obj.OCEL(*to_ocel_frames(ledger))`` takes them as they are.

    Parameters
    ----------
    ledger : RunLedger, path, URL or DataFrame
        A ledger of any kind, or what :func:`seqkit.attempts_frame` gave.

    Returns
    -------
    events, objects, relations : tuple of DataFrame
        - events, what happened: `ocel:eid` (string: run, repo, attempt and which end of it), `ocel:activity` (string:
          ``started``, ``succeeded``, ``failed``), `ocel:timestamp` (UTC), `attempt` (Int64), `version`, `reason`,
          `released_as` (string). In the order of :func:`to_xes_frame`.
        - objects, what it happened to: `ocel:oid` (string: ``repo:core``, ``run:1``, ``train:2.0``), `ocel:type`
          (string: ``repo``, ``run``, ``train``), `name` (string: its id here).
        - relations, which event has to do with which object: `ocel:eid`, `ocel:oid`, `ocel:qualifier` (string:
          ``tried`` of a repo, ``in`` of a run, ``part of`` of a train), and `ocel:activity`, `ocel:timestamp`,
          `ocel:type` again, as pm4py has them.

    Raises
    ------
    ValueError
        Where a frame is none of attempts.

    Warns
    -----
    UserWarning
        Where attempts are left out that tell no time.

    Notes
    -----
    Repos that were never tried are objects without events; who blocked them is not in it.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> events, objects, relations = to_ocel_frames(run_plan(plan, {"core": 1.0}, rng=7).ledger)
    >>> events["ocel:activity"].tolist(), objects["ocel:type"].tolist()
    (['started', 'failed'], ['repo', 'repo', 'run'])
    """
    rows = attempt_rows(ledger)
    happened = _happened(rows)
    told = [one.row for one in happened]
    ids = _unique([f"{one.row.run_id}/{_instance(one.row)}/{_activity(one)}" for one in happened])
    events = {
        "ocel:eid": dtypes.string(ids),
        "ocel:activity": dtypes.string([_activity(one) for one in happened]),
        "ocel:timestamp": dtypes.utc([one.at for one in happened]),
        "attempt": dtypes.integer([row.attempt for row in told]),
        "version": dtypes.string([row.version for row in told]),
        "reason": dtypes.string([one.row.reason if one.is_end else None for one in happened]),
        "released_as": dtypes.string([one.row.released_as if one.is_end else None for one in happened]),
    }
    objects = [(kind, name) for kind in ("repo", "run", "train") for name in _names(rows, kind)]
    related = [
        (eid, one, kind, name, qualifier)
        for eid, one in zip(ids, happened, strict=True)
        for kind, name, qualifier in (
            ("repo", one.row.repo_id, "tried"),
            ("run", one.row.run_id, "in"),
            ("train", one.row.train, "part of"),
        )
        if name is not None
    ]
    return (
        dtypes.frame(events),
        dtypes.frame(
            {
                "ocel:oid": dtypes.string([f"{kind}:{name}" for kind, name in objects]),
                "ocel:type": dtypes.string([kind for kind, _ in objects]),
                "name": dtypes.string([name for _, name in objects]),
            }
        ),
        dtypes.frame(
            {
                "ocel:eid": dtypes.string([eid for eid, *_ in related]),
                "ocel:oid": dtypes.string([f"{kind}:{name}" for _, _, kind, name, _ in related]),
                "ocel:qualifier": dtypes.string([qualifier for *_, qualifier in related]),
                "ocel:activity": dtypes.string([_activity(one) for _, one, *_ in related]),
                "ocel:timestamp": dtypes.utc([one.at for _, one, *_ in related]),
                "ocel:type": dtypes.string([kind for _, _, kind, *_ in related]),
            }
        ),
    )


def _names(rows: Sequence[AttemptRow], kind: str) -> list[str]:
    """List what there is of a kind, in the order in which it is met."""
    values = [{"repo": row.repo_id, "run": row.run_id, "train": row.train}[kind] for row in rows]
    return list(dict.fromkeys(value for value in values if value is not None))


def _activity(one: _Happened) -> str:
    return one.row.status if one.is_end else "started"


def _instance(row: AttemptRow) -> str:
    return f"{row.repo_id}#{row.attempt}"


def _unique(ids: Iterable[str]) -> list[str]:
    """Number what comes again: a frame may have a row twice."""
    seen: dict[str, int] = {}
    made = []
    for one in ids:
        seen[one] = seen.get(one, 0) + 1
        made.append(one if seen[one] == 1 else f"{one}/{seen[one]}")
    return made


def _happened(rows: Sequence[AttemptRow]) -> list[_Happened]:
    """Give the starts and ends of attempts by run and time; at one time what ends goes before what starts."""
    tried = [row for row in rows if row.attempt is not None]
    timeless = [_instance(row) for row in tried if row.started_at is None and row.finished_at is None]
    if timeless:
        warn_caller(f"{plural(len(timeless), 'attempt')} without a time left out: {quoted(timeless, 3)}", UserWarning)
    first: dict[str, datetime] = {}
    made: list[tuple[tuple[datetime, int, int, bool], _Happened]] = []
    for number, row in enumerate(tried):
        for at, is_end in ((row.started_at, False), (row.finished_at, True)):
            if at is not None:
                began_before = is_end and (row.started_at is None or row.started_at < at)
                made.append(((at, 0 if began_before else 1, number, is_end), _Happened(row, at, is_end)))
                first[row.run_id] = min(at, first.get(row.run_id, _LAST))
    made.sort(key=lambda entry: (first[entry[1].row.run_id], entry[1].row.run_id, *entry[0]))
    return [one for _, one in made]
