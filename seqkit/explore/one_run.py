"""One run of a ledger, looked at closely; whatever stands there, nothing raises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property

import pandas as pd

from seqkit._show.palette import EVERY_STYLE
from seqkit._show.times import time_text
from seqkit.auditing import AuditReport, audit
from seqkit.auditing.findings import Finding
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.model import RunRecord
from seqkit.core.plan import SequencePlan
from seqkit.explore.explained import explained
from seqkit.explore.one_repo import OneRepo
from seqkit.explore.run_diff import WORDS
from seqkit.ledger import MemoryRunLedger, RunLedger
from seqkit.ledger.copies import without_repeats
from seqkit.ledger.frames import elapsed, events_frame, items_frame
from seqkit.ledger.story import Story, Told, plan_of_run, story_of, tag_of

__all__ = ["OneRun", "audited"]


class OneRun:
    """What a ledger holds of one run; each part is read when it is first asked for.

    Parameters
    ----------
    ledger : RunLedger
        Where the run is.
    record : RunRecord
        The run.
    graph : RepoDependencyGraph or SequencePlan, optional
        Stands in for the plan where the run carries none.

    Attributes
    ----------
    record : RunRecord
        The run's record.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, run_plan
    >>> plan = build_plan(RepoDependencyGraph.from_edges([("core", "api")]), version="1.0")
    >>> outcome = run_plan(plan, {"core": 1.0})
    >>> run = OneRun(outcome.ledger, outcome.ledger.get_run(outcome.run_id))
    >>> run.words
    {'core': 'failed', 'api': 'blocked'}
    >>> run.counted
    '1 failed, 1 blocked'
    """

    def __init__(
        self, ledger: RunLedger, record: RunRecord, graph: RepoDependencyGraph | SequencePlan | None = None
    ) -> None:
        self.record = record
        self._ledger = ledger
        self._counting = without_repeats(ledger)  # the audit says what stood there again
        self._graph = graph

    def _read(self, frame: Callable[..., pd.DataFrame]) -> tuple[pd.DataFrame, str]:
        try:
            return frame(self._counting, self.record.run_id), ""
        except Exception as problem:  # whatever a store may raise; the findings say it too
            return frame(MemoryRunLedger()), f"{type(problem).__name__}: {problem}"

    @cached_property
    def _items(self) -> tuple[pd.DataFrame, str]:
        return self._read(items_frame)

    @cached_property
    def _events(self) -> tuple[pd.DataFrame, str]:
        return self._read(events_frame)

    @property
    def items(self) -> pd.DataFrame:
        """The run's :func:`seqkit.items_frame`; empty where its events cannot be read."""
        return self._items[0].copy()

    @property
    def events(self) -> pd.DataFrame:
        """The run's :func:`seqkit.events_frame`; empty where its events cannot be read."""
        return self._events[0].copy()

    @property
    def problem(self) -> str:
        """Why the run's events cannot be read; empty where they can."""
        return self._told[2] or self._items[1]

    @cached_property
    def _told(self) -> tuple[Story, dict[str, Told], str]:
        """Read what the events tell of each repo and, where a graph stands in for the plan, who was blocked."""
        try:
            story = story_of(self.record, self._counting.get_events(self.record.run_id))
        except Exception as problem:  # as above
            return Story(), {}, f"{type(problem).__name__}: {problem}"
        return story, explained(self.record, story, self._graph), ""

    @property
    def known(self) -> dict[str, str]:
        """How each repo ended that the run tells of, or that a failure blocked by the graph, one of :data:`WORDS`."""
        return {repo: own.word for repo, own in self._told[1].items()}

    @property
    def attempts(self) -> dict[str, int]:
        """How often each repo was tried that was."""
        return {repo: own.attempts for repo, own in self._told[1].items() if own.attempts}

    def told(self, repo: str) -> OneRepo | None:
        """Say all that the run tells of a repo; None where it tells nothing."""
        story, items, _ = self._told
        if repo not in items:
            return None
        own = items[repo]
        return OneRepo.of(own, own.word, story.version_of(own), own.blocked_by)

    @cached_property
    def plan(self) -> SequencePlan | RepoDependencyGraph | None:
        """What the run was to do: the plan it carries, else the graph or plan given, else None."""
        own = plan_of_run(self.record)
        return self._graph if own is None else own

    @property
    def words(self) -> dict[str, str]:
        """How each repo ended, one of :data:`WORDS`. What nothing tells of is pending."""
        told = self.known
        if isinstance(self.plan, RepoDependencyGraph):
            return {repo: told.get(repo, "pending") for repo in self.plan.topological_order()} | told
        if isinstance(self.plan, SequencePlan):
            silent = dict.fromkeys(self.plan.released, "pending") | dict.fromkeys(self.plan.unreleased, "unreleased")
            return {item.repo_id: told.get(item.repo_id, silent[item.repo_id]) for item in self.plan.items} | told
        return told

    @property
    def counts(self) -> dict[str, int]:
        """How many repos of :attr:`known` ended how: all of :data:`WORDS`, in that order."""
        counted = Counter(self.known.values())
        return {word: counted[word] for word in WORDS}

    @property
    def counted(self) -> str:
        """The counts that are not zero, in words."""
        told = [f"{count:,} {EVERY_STYLE[word].word}" for word, count in self.counts.items() if count]
        return ", ".join(told) or "no repos"

    @cached_property
    def report(self) -> AuditReport:
        """The audit of this run alone."""
        return audited(self._ledger, self.record.run_id, self._graph)

    @property
    def summary(self) -> str:
        """What the run came to, and how long it took."""
        told = f"cannot be read ({self.problem})" if self.problem else self.counted
        took = elapsed(self.record.created_at, self.record.completed_at)
        return told if took is None else f"{told}; took {time_text(took)}"

    @property
    def origin(self) -> str:
        """What the run belongs to: its plan, policy and train, and the run it resumes, where it says so."""
        own = tag_of(self.record, "plan")
        policy = own.get("policy") if isinstance(own, dict) else None
        known = [("plan", tag_of(self.record, "plan_id")), ("policy", policy)]
        known += [(tag, tag_of(self.record, tag)) for tag in ("train", "resumes")]
        return ", ".join(f"{name} {value}" for name, value in known if isinstance(value, str) and value)


def audited(
    ledger: RunLedger, run_id: str | None = None, graph: RepoDependencyGraph | SequencePlan | None = None
) -> AuditReport:
    """Audit a run, or a whole ledger; where even that cannot be done, a finding says why."""
    try:
        return audit(ledger, run_id, graph)
    except Exception as problem:  # whatever a store may raise
        message = f"the ledger cannot be audited: {type(problem).__name__}: {problem}"
        return AuditReport("", 0, 0, [Finding("readable", "error", run_id, None, None, message)], [])
