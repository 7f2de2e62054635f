"""A report of a train for people: what shipped, what failed and why, what is left, and how long each took."""

from __future__ import annotations

import os
from datetime import datetime

import numpy as np
import pandas as pd

from seqkit._show.document import write_document
from seqkit._show.html import page as shown_page
from seqkit._show.html import rows_of, shortened
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip, legend
from seqkit._show.times import moment_text, time_text
from seqkit._util import dtypes
from seqkit._util.words import and_more, listed, plural
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunStatus
from seqkit.core.plan import SequencePlan
from seqkit.history.past import check_graph
from seqkit.history.report_page import page, picture
from seqkit.history.report_words import long_or_short, standing
from seqkit.history.reported import ReportedRepo, ReportedTrain, read_train
from seqkit.ledger import LedgerLike
from seqkit.ledger.copies import counted
from seqkit.ledger.frames import elapsed
from seqkit.ledger.reading import lent

__all__ = ["STATUSES", "TrainReport", "report"]

STATUSES = (*dtypes.ATTEMPT_STATUSES, "in_doubt")
"""How a repo may stand, in the order in which the frame sorts it."""

_LINES = 5
_HTML_LINES = 8
_SLOW = 1.5
_NAMED = 5


class TrainReport:
    """What became of a train, for people: see :func:`report`.

    Attributes
    ----------
    told : ReportedTrain
        All that it tells, as records.

    Examples
    --------
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, build_plan, run_plan
    >>> ledger = MemoryRunLedger(ids=["monday"])
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> bad = run_plan(plan, ScriptedReleaser({"api": "tests are red"}), ledger)
    >>> told = report(ledger, "monday")
    >>> told.status.value, told.run_ids
    ('FAILED', ['monday'])
    """

    def __init__(self, told: ReportedTrain) -> None:
        self.told = told

    @property
    def name(self) -> str:
        """What the train is called, or the run."""
        return self.told.name

    @property
    def run_ids(self) -> list[str]:
        """The runs that it tells of, oldest first."""
        return [run.run_id for run in self.told.runs]

    @property
    def status(self) -> RunStatus:
        """What it came to: of a train as :func:`seqkit.trains_frame` says, of one run of it how that ended."""
        return self.told.status

    @property
    def started_at(self) -> datetime | None:
        """When its first run began, UTC; None where its system tells no times."""
        return self.told.started_at

    @property
    def finished_at(self) -> datetime | None:
        """When its last run ended, UTC; None while it runs, and where its system tells no times."""
        return self.told.finished_at

    def to_frame(self) -> pd.DataFrame:
        """Show how each repo stands after all runs of the report, a row a repo in plan order.

        Returns
        -------
        DataFrame
            - `repo_id`, `version` (string).
            - `status` (ordered categorical): ``succeeded`` of what is out, in time or too late for its run, or because
              somebody decided that it is; ``failed``, ``blocked``, ``stopped``, ``in_doubt`` (nobody knows whether it
              is out), ``in_progress`` (its run has not ended), ``pending`` (it had no turn), ``skipped`` (nobody told
              why), and ``unreleased``, which was not to be released.
            - `attempts` (Int64): tries in all these runs.
            - `started_at`, `finished_at` (UTC), `duration` (timedelta: their difference): of its last attempt; missing
              where nobody told.
            - `usual` (timedelta): the median time of attempts at it that succeeded in the other runs of the ledger;
              `n_usual` (Int64): how many there are; `ratio` (float64): `duration` / `usual`, where it came out.
            - `reason` (string): why its last attempt failed; missing where that succeeded.
            - `blocked_by` (object: list of the failed repos that it waits for).
            - `released_as` (string), `run_id` (string): the run that told last of it.
        """
        rows = self.told.repos
        return dtypes.frame(
            {
                "repo_id": dtypes.string([row.repo_id for row in rows]),
                "version": dtypes.string([row.version for row in rows]),
                "status": dtypes.categorical([row.word for row in rows], STATUSES),
                "attempts": dtypes.integer([row.attempts for row in rows]),
                "started_at": dtypes.utc([row.started_at for row in rows]),
                "finished_at": dtypes.utc([row.finished_at for row in rows]),
                "duration": dtypes.timedelta64([row.duration for row in rows]),
                "usual": dtypes.timedelta64([row.usual for row in rows]),
                "n_usual": dtypes.integer([row.n_usual for row in rows]),
                "ratio": np.array([np.nan if row.ratio is None else row.ratio for row in rows], dtype=np.float64),
                "reason": dtypes.string([row.reason for row in rows]),
                "blocked_by": dtypes.objects(list(row.blocked_by) for row in rows),
                "released_as": dtypes.string([row.released_as for row in rows]),
                "run_id": dtypes.string([row.run_id for row in rows]),
            }
        )

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report as one page that needs nothing else: no scripts, nothing from elsewhere.

        It prints well, and is readable in light and dark and without colours. It begins in plain words; then come
        the picture, every attempt that failed and why, what is left, who blocked whom, what is in doubt, what shipped,
        how long each took against what is usual, the runs, and what the report cannot tell. A table has at most 2,000
        rows, and says so. The same ledger gives the same bytes.

        Parameters
        ----------
        path : str or path
            The file; it is replaced whole, or not at all.

        Raises
        ------
        OSError
            Naming the file, where it cannot be written.
        """
        write_document(path, page(self.told))

    def summary(self) -> str:
        """Say in a line what it came to, and over how many runs and how long."""
        told = self.told
        left = standing(told)
        said = f"{told.counts['succeeded']:,} of {plural(told.planned, 'repo')} out{f', {left}' if left else ''}"
        took = elapsed(told.started_at, told.finished_at)
        attempts = sum(repo.attempts for repo in told.repos)
        time = "" if took is None else f", {time_text(took)}"
        return f"{said}; {plural(len(told.runs), 'run')}, {plural(attempts, 'attempt')}{time}"

    def lines(self) -> list[str]:
        """Say the most needed in a few lines: why repos failed, who blocked how many, and what was slow."""
        told = self.told
        lines = []
        if told.started_at is not None:
            ended = "" if told.finished_at is None else f", ended {moment_text(told.finished_at)}"
            lines.append(f"began {moment_text(told.started_at)}{ended} UTC")
        if not told.is_whole:
            lines.append(f"one of {plural(told.n_in_train, 'run')} of the train {_name(told.train)}")
        failed = [repo for repo in told.repos if repo.word in ("failed", "in_doubt")]
        lines += [_failed(repo) for repo in failed[:_LINES]]
        if more := and_more(len(failed) - _LINES, " that failed or are in doubt", "… "):
            lines.append(more)
        blockers = [f"{_name(share.repo_id)} {share.share:.3g}" for share in told.shares]
        if blockers:
            lines.append(f"blocked, in repos: {listed(blockers, _NAMED)}")
        slow = sorted(
            (repo for repo in told.repos if (repo.ratio or 0.0) >= _SLOW), key=lambda repo: -(repo.ratio or 0.0)
        )
        if slow:
            said = listed(slow, _NAMED, lambda repo: f"{_name(repo.repo_id)} {long_or_short(repo)}")
            lines.append(f"slower than usual: {said}")
        return lines

    def __repr__(self) -> str:
        kind = "train" if len(self.told.runs) > 1 else "run"
        head = f"TrainReport({kind} {_name(self.name)}: {self.status.value}; {self.summary()})"
        return "\n".join([head, *(f"  {line}" for line in self.lines())])

    def _repr_html_(self) -> str:
        told = self.told
        rows = [
            (
                chip(EVERY_STYLE[repo.word]),
                repo.repo_id or "''",
                repo.version,
                repo.attempts,
                "" if repo.duration is None else time_text(repo.duration),
                long_or_short(repo),
                repo.reason,
            )
            for repo in told.repos
            if repo.word not in ("succeeded", "unreleased") or repo.attempts > 1
        ]
        styles = {word: style for word, style in EVERY_STYLE.items() if told.counts[word]}
        parts: list[str] = [picture(told, labels=False), legend(told.counts, styles)]
        if rows:
            columns = ["status", "repo", "version", "tries", "took", "against usual", "why"]
            parts.append(rows_of(columns, rows[:_HTML_LINES]))
        more = and_more(len(rows) - _HTML_LINES, "; .to_frame() has all", "… ")
        kind = "Train" if len(told.runs) > 1 else "Run"
        return shown_page(f"{kind} {_name(self.name)}: {self.status.value}; {self.summary()}", *parts, note=more)


def _name(name: str) -> str:
    return shortened(name, 60) or "''"


def _failed(repo: ReportedRepo) -> str:
    word = EVERY_STYLE[repo.word].word
    version = f" {shortened(repo.version, 40)}" if repo.version else ""
    tries = f" ({plural(repo.attempts, 'try', 'tries')})" if repo.attempts > 1 else ""
    return f"{word}: {_name(repo.repo_id)}{version}{tries}: {shortened(repo.reason or 'nobody told why', 160)}"


def report(
    ledger: LedgerLike, run_or_train: str = "last", graph: RepoDependencyGraph | SequencePlan | None = None
) -> TrainReport:
    """Report on a train for people: what shipped, what failed and why, what is left, and how long each took.

    Parameters
    ----------
    ledger : RunLedger, path or URL
        Where the runs are kept: of seqkit, of the original, or another system's.
    run_or_train : str
        A train as :func:`seqkit.trains_frame` calls it, which covers all its runs; else a run: its id, four characters
        or more of its start, or ``"last"``, the newest. A run that belongs to a train of another name is reported
        alone, and the report says so; the oldest run of a train without a name means the train.
    graph : RepoDependencyGraph or SequencePlan, optional
        Who needs whom, for the picture of runs that carry no plan (the original's, other systems'). Nothing else is
        taken from it.

    Returns
    -------
    TrainReport
        ``.to_html(path)`` writes it as a page, ``.to_frame()`` has a row a repo.

    Raises
    ------
    RunNotFound
        Where the ledger has no such run.
    ValueError, TypeError
        Where several runs' ids start like that, where two copies of a run differ, or an argument is of
        another kind.
    ReadError
        Where there is no such ledger.

    Notes
    -----
    What is usual comes from all other runs of the ledger, so that all of it is read: linear in its events. Unreleased
    repos are in the frame and in the picture, and in no count. Of a run without a plan there is nobody whom its events
    do not name.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from seqkit import MemoryRunLedger, RepoDependencyGraph, ScriptedReleaser, VirtualClock, build_plan, delayed
    >>> from seqkit import resume_plan, run_plan
    >>> ledger, clock = MemoryRunLedger(ids=["monday", "tuesday"]), VirtualClock(datetime(2026, 1, 5, tzinfo=UTC))
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api"), ("api", "app")]), version="1.0")
    >>> bad = run_plan(plan, delayed(ScriptedReleaser({"api": "tests are red"}), 60), ledger, clock=clock)
    >>> report(ledger)
    TrainReport(run monday: FAILED; 1 of 3 repos out, 1 blocked, 1 failed; 1 run, 2 attempts, 2 min 0 s)
      began 2026-01-05 00:00:00, ended 2026-01-05 00:02:00 UTC
      failed: api 1.0: release sequencing failed for repo api: tests are red
      blocked, in repos: api 1
    >>> good = run_plan(resume_plan(ledger, "monday"), delayed(ScriptedReleaser(), 90), ledger, clock=clock)
    >>> report(ledger, "monday").to_frame()[["repo_id", "status", "attempts", "run_id"]].values.tolist()
    [['core', 'succeeded', 1, 'monday'], ['api', 'succeeded', 2, 'tuesday'], ['app', 'succeeded', 1, 'tuesday']]
    """
    check_graph(graph)
    with lent(ledger, existing=True) as kept:
        return TrainReport(read_train(counted(kept), run_or_train, graph))
