"""A ledger of anybody's table of attempts."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from seqkit._util.near import NearNames, did_you_mean
from seqkit._util.secrets import as_given
from seqkit._util.words import quoted
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.plan import SequencePlan
from seqkit.core.read_report import Counted
from seqkit.importers._blame import blockers_in
from seqkit.importers._columns import Columns, TimeUnit
from seqkit.importers._recorded import TRIED, counted, meant
from seqkit.importers._telling import told_ledger
from seqkit.ledger.attempts import COLUMNS, AttemptRow
from seqkit.ledger.found import FoundLedger
from seqkit.readers import read_graph

__all__ = ["NAMES", "GraphLike", "graph_of", "ledger_from_frame", "told_rows"]

GraphLike = RepoDependencyGraph | SequencePlan | str | os.PathLike[str]
"""Who needs whom: a graph, a plan, or a file that :func:`seqkit.read_graph` knows."""


def ledger_from_frame(
    df: pd.DataFrame,
    *,
    run: Hashable | None = "run_id",
    repo: Hashable = "repo_id",
    status: Hashable = "status",
    started: Hashable | None = "started_at",
    finished: Hashable | None = "finished_at",
    attempt: Hashable | None = "attempt",
    reason: Hashable | None = "reason",
    version: Hashable | None = "version",
    blocked_by: Hashable | None = "blocked_by",
    train: Hashable | None = "train",
    released_as: Hashable | None = "released_as",
    detail: Hashable | None = "detail",
    statuses: Mapping[Any, str] | None = None,
    unit: TimeUnit | None = None,
    graph: GraphLike | None = None,
) -> FoundLedger:
    """Make a ledger of a table in which a row is one attempt at one repo in one run.

    Whatever a table does not tell stays unknown in the ledger: a time that is missing is no time, a duration without a
    start is ``<NA>``, and of a skip without a reason nobody says that a failure caused it.

    Parameters
    ----------
    df : DataFrame
        A row an attempt; a repo that was not tried may have a row as well. Rows may stand in any order.
    run, repo, status, started, finished, attempt, reason, version, blocked_by, train, released_as, detail : column name
        Which column tells what; by default those of :func:`seqkit.attempts_frame`. A column that is named must be
        there; of the defaults only `repo`, `status` and `run`, and with ``run=None`` all rows are one run. Run ids and
        repos are text or whole numbers. Without `attempt` the rows of one repo in one run are its attempts, in the
        order of their starts. `blocked_by` holds lists, or text that separates repos by ``;``.
    statuses : mapping, optional
        What words of yours mean: one of ``succeeded``, ``failed``, ``blocked``, ``stopped``, ``unreleased``,
        ``skipped``, ``in_progress``, ``pending``, ``cancelled`` or ``in_doubt``; the key None is for what is missing.
        The words that common systems use are known, whatever their case (``success``, ``passed``, ``timed out``,
        ``upstream_failed``, …). What is ``cancelled`` after its start is an open entry, before it ``stopped``.
    unit : {"s", "ms", "us", "ns"}, optional
        What times count since 1970, where they are numbers.
    graph : RepoDependencyGraph, SequencePlan, or a file that :func:`seqkit.read_graph` knows, optional
        Who needs whom: it tells which skipped repos a failure blocked, and who blocked them where the table does not.

    Returns
    -------
    FoundLedger
        Read-only; an event's `line` is the row, from 1. What was guessed or left out is in its `problems`.

    Raises
    ------
    ValueError
        Where a column is missing, a word unknown (all unknown ones are listed), a time or number unreadable, where two
        rows tell of one attempt and differ, or where `graph` knows none of the repos.
    TypeError
        Where an argument is something else.

    Notes
    -----
    Events are told in the order of their times; of one moment ends come before entries, then rows count as they stand
    (with `graph` in its order). A run's start and end are the first and last time that its rows tell. Times without a
    zone are taken for UTC, and that is said; give local ones their zone first: ``df["began"].dt.tz_localize(…)``.

    Examples
    --------
    >>> import pandas as pd
    >>> from seqkit import attempts_frame, audit
    >>> builds = pd.DataFrame({"build": [7, 7, 8], "job": ["core", "api", "core"], "result": ["FAIL", "skipped", "ok"]})
    >>> ledger = ledger_from_frame(builds, run="build", repo="job", status="result",
    ...                            graph=RepoDependencyGraph.from_edges([("core", "api")]))
    >>> attempts_frame(ledger)[["run_id", "repo_id", "status", "blocked_by"]].values.tolist()
    [['7', 'api', 'blocked', ['core']], ['7', 'core', 'failed', []], ['8', 'core', 'succeeded', []]]
    >>> audit(ledger).ok
    True
    """
    named: dict[str, Hashable | None] = {
        "run": run,
        "repo": repo,
        "status": status,
        "started": started,
        "finished": finished,
        "attempt": attempt,
        "reason": reason,
        "version": version,
        "blocked_by": blocked_by,
        "train": train,
        "released_as": released_as,
        "detail": detail,
    }
    if unit not in (None, "s", "ms", "us", "ns"):
        raise ValueError(f'unit is {as_given(unit, 200)}, expected "s", "ms", "us", "ns" or None')
    for role in ("repo", "status"):
        if named[role] is None:
            raise ValueError(f"{role} is None, expected the name of the column that tells it")
    known = None if graph is None else graph_of(graph)
    rows, notes, places = told_rows(df, named, statuses, unit, known)
    return told_ledger(rows, "a DataFrame", "a DataFrame", notes, places)


NAMES: Mapping[str, Hashable | None] = {
    "run": "run_id",
    "repo": "repo_id",
    "status": "status",
    "started": "started_at",
    "finished": "finished_at",
} | {name: name for name in ("attempt", "reason", "version", "blocked_by", "train", "released_as", "detail")}
"""The columns of :func:`seqkit.attempts_frame`, by what they tell."""


def told_rows(
    df: pd.DataFrame,
    named: Mapping[str, Hashable | None],
    statuses: Mapping[Any, str] | None = None,
    unit: TimeUnit | None = None,
    graph: RepoDependencyGraph | None = None,
) -> tuple[list[AttemptRow], list[Counted], dict[str, int]]:
    """Read the rows of a table; give them, what was guessed, and the places of repos in the graph's order."""
    given = [role for role, name in named.items() if name != NAMES[role] or role in ("run", "repo", "status")]
    columns = Columns(df, named, given)
    rows = _rows(columns, statuses, unit)
    notes = [Counted(note) for note in columns.notes]
    rows, of_attempts = _numbered(rows, columns.has("attempt"))
    notes += of_attempts
    places: dict[str, int] = {}
    if graph is not None:
        order = graph.topological_order()
        places = {name: at for at, name in enumerate(order)}
        notes += _strangers(rows, places)
        rows = _with_blockers(rows, graph, order)
    if ambiguous := [row for row in rows if row.status == "skipped"]:
        of = () if graph is not None else ("graph= tells which",)
        notes.append(Counted("skips of which nobody says whether a failure caused them", len(ambiguous), of))
    return rows, notes, places


def graph_of(graph: Any) -> RepoDependencyGraph:
    """Read a `graph` argument.

    Raises
    ------
    TypeError
        Where it is something else.
    """
    if isinstance(graph, SequencePlan):
        return graph.graph
    if isinstance(graph, RepoDependencyGraph):
        return graph
    if isinstance(graph, str | os.PathLike):
        return read_graph(graph)
    raise TypeError(
        f"graph is {as_given(graph)}, expected a RepoDependencyGraph, a SequencePlan, or a file that read_graph knows"
    )


def _rows(columns: Columns, statuses: Mapping[Any, str] | None, unit: TimeUnit | None) -> list[AttemptRow]:
    """Read the rows, each as it stands; those without a number of the attempt keep None."""
    n = len(columns.frame)
    meanings, words = columns.statuses(statuses)
    details = columns.texts("detail")
    repos = columns.ids("repo")
    runs = columns.ids("run") if columns.has("run") else ["run"] * n
    numbers = columns.numbers("attempt") if columns.has("attempt") else [None] * n
    started, finished = columns.times("started", unit), columns.times("finished", unit)
    blockers = columns.lists("blocked_by", frozenset(repos))
    told = zip(
        runs,
        columns.texts("train"),
        repos,
        columns.texts("version"),
        numbers,
        meanings,
        started,
        finished,
        columns.texts("reason"),
        blockers,
        columns.texts("released_as"),
        (detail if detail is not None else word for detail, word in zip(details, words, strict=True)),
        strict=True,
    )
    return [meant(AttemptRow._make(values)) for values in told]


def _numbered(rows: Sequence[AttemptRow], numbers_told: bool) -> tuple[list[AttemptRow], list[Counted]]:
    """Give every attempt a number, and let what stands there twice count once."""
    by_repo: dict[tuple[str, str], list[int]] = {}
    for at, row in enumerate(rows):
        if row.status in TRIED:
            by_repo.setdefault((row.run_id, row.repo_id), []).append(at)
    found: list[AttemptRow | None] = list(rows)
    again, several = 0, []
    for (run, repo), places in by_repo.items():
        if len(places) == 1:
            found[places[0]] = _as_attempt(rows[places[0]], rows[places[0]].attempt or 1)
            continue
        taken: dict[int, AttemptRow] = {}
        own = sorted(places, key=lambda at: rows[at].attempt or 0) if numbers_told else _by_time(rows, places)
        if len(own) > 1 and not numbers_told:
            several.append(f"{repo} in {run}")
        for at in own:
            row = rows[at]
            number = row.attempt or max(taken, default=0) + 1
            before = taken.get(number)
            if before is not None and before == _as_attempt(row, number):
                found[at], again = None, again + 1
                continue
            if before is not None:
                raise ValueError(
                    f"df tells twice of attempt {number} at {repo!r:.80} in run {run!r:.80}, and not the same: "
                    f"{before.status} and {row.status} ({_difference(before, row)}); expected one row for each attempt"
                )
            taken[number] = found[at] = _as_attempt(row, number)
    notes = [Counted("rows that stand there twice, counted once", again)] if again else []
    if several:
        what = "repos with several rows in a run, taken for attempts in the order of their times"
        notes.append(counted(what, len(several), several))
    return [row for row in found if row is not None], notes


_NUMBER = COLUMNS.index("attempt")


def _as_attempt(row: AttemptRow, number: int) -> AttemptRow:
    """Give a row its number; several times as fast as ``_replace``, and one is given to every row."""
    return AttemptRow._make((*row[:_NUMBER], number, *row[_NUMBER + 1 :]))


def _by_time(rows: Sequence[AttemptRow], places: Sequence[int]) -> list[int]:
    """Order the rows of a repo in a run: by their times where all have one, else as they stand."""
    times = {at: rows[at].started_at or rows[at].finished_at for at in places}
    known = {at: time for at, time in times.items() if time is not None}
    return sorted(places, key=known.__getitem__) if len(known) == len(places) else list(places)


def _difference(one: AttemptRow, other: AttemptRow) -> str:
    named = [name for name, a, b in zip(COLUMNS, one, other, strict=True) if a != b and name != "attempt"]
    return f"they differ in {', '.join(named)}"


def _strangers(rows: Sequence[AttemptRow], places: Mapping[str, int]) -> list[Counted]:
    """Say which repos the graph does not know; ValueError where it knows none."""
    repos = list(dict.fromkeys(row.repo_id for row in rows))
    strange = [repo for repo in repos if repo not in places]
    if not strange:
        return []
    near = NearNames(places)
    if len(strange) == len(repos):
        asked = did_you_mean(near.near(repos[0]))
        raise ValueError(
            f"graph knows none of the repos of df ({quoted(repos, 3)}); it has {quoted(places, 3) or 'none'}"
            f"{f': {asked}' if asked else ''}; expected the same names in both"
        )
    examples = []
    for repo in strange[:4]:
        like = near.near(repo, 1)
        examples.append(f"{repo} (near {like[0]})" if like else repo)
    return [counted("repos that the graph does not know", len(strange), examples)]


def _with_blockers(rows: Sequence[AttemptRow], graph: RepoDependencyGraph, order: Sequence[str]) -> list[AttemptRow]:
    """Say who blocked what was skipped, as far as the graph tells."""
    failed: dict[str, set[str]] = {}
    released: dict[str, set[str]] = {}
    asked: set[str] = set()
    for row in rows:
        if row.status == "succeeded" or row.released_as is not None:
            released.setdefault(row.run_id, set()).add(row.repo_id)
        elif row.status == "failed":
            failed.setdefault(row.run_id, set()).add(row.repo_id)
        elif row.status in ("blocked", "skipped") and not row.blocked_by:
            asked.add(row.run_id)
    blockers = {
        run: blockers_in(graph, order, failed.get(run, set()) - released.get(run, set()), released.get(run, set()))
        for run in asked
        if run in failed
    }
    found = []
    for row in rows:
        above = blockers.get(row.run_id, {}).get(row.repo_id) if row.status in ("blocked", "skipped") else None
        found.append(row._replace(status="blocked", blocked_by=above) if above and not row.blocked_by else row)
    return found
