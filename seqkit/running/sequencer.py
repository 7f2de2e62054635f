"""A graph and a ledger, bound together: the original's way to plan and run."""

from __future__ import annotations

from typing import Any, Literal

from seqkit._util.secrets import as_given
from seqkit.core.graph import RepoDependencyGraph
from seqkit.core.outcome import SequenceOutcome
from seqkit.core.plan import Releases, SequencePlan, build_plan
from seqkit.ledger import LedgerLike, MemoryRunLedger, RunLedger, as_ledger
from seqkit.running.executor import execute_plan, run_plan
from seqkit.running.releasers import ReleaserLike

__all__ = ["ReleaseSequencer"]


class ReleaseSequencer:
    """A graph and a ledger, bound together: the original's way to plan and run.

    Parameters
    ----------
    graph : RepoDependencyGraph
        Who needs whom.
    ledger : RunLedger, path or URL, optional
        Where runs are kept; a new :class:`seqkit.MemoryRunLedger` where None.
    record_skips : bool
        Whether skipped repos get a ``NodeSkipped`` event.

    Examples
    --------
    >>> from seqkit import RepoDependencyGraph
    >>> sequencer = ReleaseSequencer(RepoDependencyGraph.from_edges([("core", "api")]))
    >>> plan = sequencer.build_plan([("core", "1.0", "", "kim"), ("api", "2.0", "", "kim")])
    >>> sequencer.run(plan, 0.0)
    SequenceOutcome(2 succeeded, 0 failed)
    """

    def __init__(
        self,
        graph: RepoDependencyGraph,
        ledger: LedgerLike | None = None,
        record_skips: bool = True,
    ) -> None:
        if not isinstance(graph, RepoDependencyGraph):
            raise TypeError(f"graph is {as_given(graph)}, expected a RepoDependencyGraph")
        self.graph = graph
        self.ledger: RunLedger = MemoryRunLedger() if ledger is None else as_ledger(ledger)
        self.record_skips = record_skips

    def build_plan(
        self,
        releases: Releases | None = None,
        originating_run_id: str = "manual",
        scope: Literal["path", "all"] = "path",
        version: str | None = None,
    ) -> SequencePlan:
        """Order releases of this graph, as :func:`seqkit.build_plan` does."""
        return build_plan(self.graph, releases, originating_run_id, scope, version)

    async def execute_plan(self, plan: SequencePlan, releaser: ReleaserLike, **options: Any) -> SequenceOutcome:
        """Run a plan into this ledger; `options` are those of :func:`seqkit.execute_plan`."""
        return await execute_plan(plan, releaser, **self._bound(options))

    def run(self, plan: SequencePlan, releaser: ReleaserLike, **options: Any) -> SequenceOutcome:
        """Run a plan into this ledger and wait for it; `options` are those of :func:`seqkit.run_plan`."""
        return run_plan(plan, releaser, **self._bound(options))

    def _bound(self, options: dict[str, Any]) -> dict[str, Any]:
        if "ledger" in options:
            raise TypeError("ledger is given, but a sequencer has its own; use seqkit.execute_plan for another")
        return {"record_skips": self.record_skips, **options, "ledger": self.ledger}

    def __repr__(self) -> str:
        return f"ReleaseSequencer({self.graph!r}, {self.ledger!r})"
