"""What a run, or a what-if, came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from seqkit._show.html import Markup, escaped, folded, names, page, rows_of
from seqkit._show.palette import EVERY_STYLE
from seqkit._show.svg import chip, legend, strip
from seqkit._util import dtypes
from seqkit._util.words import and_more, plural
from seqkit.core.arrays import reached
from seqkit.core.blocking import AllAbove
from seqkit.core.model import RepoReleaseStatus, SequenceItem, SkipCause
from seqkit.core.plan import SequencePlan, item_columns, picture_of
from seqkit.errors import SequencingFailed

if TYPE_CHECKING:
    from seqkit.ledger import RunLedger

__all__ = ["SequenceOutcome"]

_SHOWN = 6  # rows of a repr; the next fifty are folded away
_FOLDED = 50
_ENDED_BADLY = ("failed", "in_doubt")
_WHY = {
    "blocked": "something that it needs failed",
    "stopped": "nothing new was started any more",
    "in_progress": "begun, and how it ended is not recorded",
    "pending": "not reached",
}


@dataclass(frozen=True, eq=False, repr=False)
class SequenceOutcome:
    """How far every item of a plan got, and why some never started.

    All counts of succeeded and failed are of released repos; `skipped` also holds the unreleased
    ones, as the original's does (the column `skip_cause` of :meth:`to_frame` tells them apart).

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph, build_plan, what_if
    >>> graph = RepoDependencyGraph.from_edges([("core", "api"), ("api", "app"), ("core", "docs")])
    >>> outcome = what_if(build_plan(graph, version="1.0"), fail="api")
    >>> outcome
    SequenceOutcome(2 succeeded, 1 failed, 1 blocked)
    >>> outcome.succeeded, outcome.skipped, outcome.overall_success
    (['core', 'docs'], ['app'], False)
    """

    plan: SequencePlan
    """The plan that was followed."""
    statuses: tuple[RepoReleaseStatus, ...]
    """How far each item got, in plan order."""
    skip_causes: tuple[SkipCause | None, ...]
    """Why each item was skipped, in plan order; None for those that were not."""
    blocked_by: tuple[tuple[str, ...], ...]
    """The failed repos that each blocked item depends on, in plan order; empty for the others. Under ``continue``
    a failure blocks nobody.

    Of more than a hundred the nearest hundred: those reached by the fewest dependencies, and of those equally far the
    first in the plan. :attr:`n_blocked_by` counts them all."""
    attempts: tuple[int, ...]
    """How often each item was tried, in plan order."""
    run_id: str | None = None
    """The run in the ledger; None for a what-if."""
    ledger: RunLedger | None = field(default=None)
    """The ledger that holds the run; None for a what-if."""
    seed: int | None = None
    """The seed of the simulated releaser, where there was one: the same seed gives the same outcome."""
    more_blocked_by: Mapping[int, int] = field(default_factory=dict)
    """By position: how many failed repos an item depends on beside the hundred that :attr:`blocked_by` names."""
    unsure: frozenset[str] = frozenset()
    """The failed repos of which nobody knows whether they are out all the same."""
    going_on: frozenset[str] = frozenset()
    """The repos whose last attempt went on though it was asked to stop, and no end of it is recorded."""
    late: Mapping[str, str] = field(default_factory=dict)
    """What the releaser returned of failed repos that came out after all, too late for the run."""

    @property
    def n_blocked_by(self) -> tuple[int, ...]:
        """How many failed repos each skipped item depends on, in plan order; 0 for the others."""
        return tuple(len(named) + self.more_blocked_by.get(at, 0) for at, named in enumerate(self.blocked_by))

    @property
    def plan_id(self) -> str:
        """The plan's id."""
        return self.plan.plan_id

    @cached_property
    def items(self) -> tuple[SequenceItem, ...]:
        """The plan's items with the statuses they ended with."""
        return tuple(
            item if item.status is status else item.model_copy(update={"status": status})
            for item, status in zip(self.plan.items, self.statuses, strict=True)
        )

    def _ids(self, name: str) -> list[str]:
        return [
            item.repo_id for item, status in zip(self.plan.items, self.statuses, strict=True) if status.name == name
        ]

    @property
    def succeeded(self) -> list[str]:
        """Ids of the repos that were released, in plan order."""
        return self._ids("succeeded")

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The repos out of attempts, with the reason of the last, in plan order; those in doubt are among them."""
        return [
            (item.repo_id, status.reason or "")
            for item, status in zip(self.plan.items, self.statuses, strict=True)
            if status.name == "failed"
        ]

    @property
    def failures(self) -> dict[str, str]:
        """`failed` as a dict from repo id to reason."""
        return dict(self.failed)

    @property
    def in_doubt(self) -> list[str]:
        """Ids of the repos of which nobody knows whether they are out, in plan order.

        Those of :attr:`failed` that are in doubt, and those that the run left open: begun, and no end is recorded.
        A what-if has none, as it takes a doubt for a failure.
        """
        return [
            item.repo_id
            for item, status in zip(self.plan.items, self.statuses, strict=True)
            if item.repo_id in self.unsure or (status.name == "in_progress" and self.run_id is not None)
        ]

    @property
    def still_running(self) -> list[str]:
        """Ids of the repos whose last attempt still went on when the run ended, in plan order."""
        return [item.repo_id for item in self.plan.items if item.repo_id in self.going_on]

    @property
    def skipped(self) -> list[str]:
        """Ids of the repos passed over, in plan order: blocked, stopped and unreleased ones."""
        return self._ids("skipped")

    @property
    def overall_success(self) -> bool:
        """Whether nothing failed and nothing is left to do; an empty plan succeeds."""
        return all(status.name in ("succeeded", "skipped") for status in self.statuses)

    def to_frame(self) -> pd.DataFrame:
        """Show the outcome as a table, a row an item in plan order.

        Columns: `position`, `wave` (Int64), `repo_id`, `version_label`, `spec_digest`, `promoted_by` (string),
        `status`, `skip_cause` (ordered categorical), `attempts` (Int64), `released_as`, `reason` (string),
        `blocked_by` (object: list of repo ids; where there are more than a hundred a sequence that looks all of them up
        in the plan whenever it is read), `in_doubt` (boolean: whether it is one of :attr:`in_doubt`). A failed repo
        has a `released_as` where it came out too late for the run.
        """
        doubtful = set(self.in_doubt)
        return dtypes.frame(
            {
                **item_columns(self.plan, self.items),
                "skip_cause": dtypes.categorical(self.skip_causes, dtypes.SKIP_CAUSES),
                "attempts": dtypes.integer(self.attempts),
                "released_as": dtypes.string(
                    [
                        self.late.get(item.repo_id, status.run_id)
                        for item, status in zip(self.plan.items, self.statuses, strict=True)
                    ]
                ),
                "reason": dtypes.string([status.reason for status in self.statuses]),
                "blocked_by": dtypes.objects(self._all_blockers()),
                "in_doubt": dtypes.boolean([item.repo_id in doubtful for item in self.plan.items]),
            }
        )

    def _all_blockers(self) -> list[Sequence[str]]:
        arrays = self.plan.arrays
        failed = frozenset(at for at, status in enumerate(self.statuses) if status.name == "failed")
        return [
            AllAbove(arrays.ids, arrays.dependencies, failed, at) if at in self.more_blocked_by else list(named)
            for at, named in enumerate(self.blocked_by)
        ]

    def words(self) -> list[str]:
        """Name how each item ended, in plan order. A new list each time.

        A skipped one is named by its cause, and a failed one that may be out all the same is ``in_doubt``.
        """
        return [
            "in_doubt" if item.repo_id in self.unsure else cause or status.name
            for item, status, cause in zip(self.plan.items, self.statuses, self.skip_causes, strict=True)
        ]

    def summary(self) -> str:
        """Count how the items ended, in a line: `words()`, each with its number; succeeded and failed always.

        Those that are in doubt are told beside those that failed, not among them.
        """
        counts = Counter(self.words())
        always = ("succeeded", "failed")
        known = (*always, "in_doubt", "blocked", "stopped", "unreleased", "in_progress", "pending")
        told = {"in_doubt": EVERY_STYLE["in_doubt"].word}
        return ", ".join(f"{counts[word]} {told.get(word, word)}" for word in known if counts[word] or word in always)

    def __repr__(self) -> str:
        return f"SequenceOutcome({self.summary()})"

    def _repr_html_(self) -> str:
        words = self.words()
        counts = Counter(words)
        parts = [
            strip(counts),
            legend(counts),
            picture_of(self.plan, words, "Outcome, in release order from left to right"),
        ]
        # Who failed comes first: the others wait for them.
        order = [i for i, word in enumerate(words) if word in _ENDED_BADLY]
        order += [i for i, word in enumerate(words) if word not in (*_ENDED_BADLY, "succeeded", "unreleased")]
        rows = self._why(order[: _SHOWN + _FOLDED], words)
        columns = ["repo", "ended as", "why"]
        if rows:
            parts.append(rows_of(columns, rows[:_SHOWN]))
        if len(rows) > _SHOWN:
            parts.append(folded(f"{len(rows) - _SHOWN} more that were not released", rows_of(columns, rows[_SHOWN:])))
        left = len(order) - len(rows)
        note = and_more(left, ": .to_frame() has all", "… ") if left or rows else "everything was released"
        return page(f"Outcome: {self.summary()}", *parts, note=note)

    def _why(self, positions: Iterable[int], words: Sequence[str]) -> list[tuple[str, Markup, Markup]]:
        """Say why these items are not out; of those that failed also how many they block."""
        positions = list(positions)
        blocks = Counter(blocker for blockers in self.blocked_by for blocker in blockers)
        if self.more_blocked_by:  # not all are named
            failed = [i for i in positions if words[i] in _ENDED_BADLY]
            blocks = Counter({self.plan.items[i].repo_id: self._blocks(i) for i in failed})
        rows = []
        for i in positions:
            repo, word, blockers = self.plan.items[i].repo_id, words[i], self.blocked_by[i]
            why = f"waits for {names(blockers, 5)}" if blockers else _WHY.get(word, "")
            if word in _ENDED_BADLY:
                n = blocks[repo]
                reason = SequencingFailed.reason_in(repo, self.statuses[i].reason or "")  # the row says the rest
                notes = [f"blocks {plural(n, 'repo')}"] if n else []
                notes += ["came out too late"] if repo in self.late else []
                notes += ["still running"] if repo in self.going_on else []
                why = escaped(reason) + (f" ({', '.join(notes)})" if notes else "")
            rows.append((repo, chip(EVERY_STYLE[word]), Markup(why)))
        return rows

    def _blocks(self, position: int) -> int:
        """Count the blocked items below a failed one."""
        return sum(bool(self.blocked_by[other]) for other in reached(self.plan.arrays.dependents, position))
